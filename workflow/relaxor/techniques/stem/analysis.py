"""HAADF-STEM images: spacings in the Fourier transform, atom columns, and both against the crystal structure.

Drift and scan coils shear and stretch the lattice of a scanned image. The lattice is therefore reported as it is in the
image, and the part of its distortion that a hexagonal crystal cannot have is reported as strain. A distortion of the
same size that cannot be distinguished from a change of the cell is part of the systematic error, together with the
calibration of the pixel.

If no hexagonal lattice is asked for, or the image shows another one, all strong spots are indexed by one lattice of any
system, whose symmetry is tested against the scatter between lines and the distortion that scans usually have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement, Number, Result, Status
from relaxor.core.variables import dataset
from relaxor.techniques.stem import general, hexagonal, indexing, systems
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import quantities as q
from relaxor.techniques.stem.fitted import Columns
from relaxor.techniques.stem.frames import DriftError, mean_of
from relaxor.techniques.stem.rows import METHODS, column_rows, intensity_rows, lattice_rows, structure_rows
from relaxor.techniques.stem.settings import StemSettings

ANGSTROM = 1e-10
"""Number of metres in one angstrom."""
FRAMES = ("time", "frame", "axis_0")
"""Names that readers give to the axis along which the frames of a place follow each other."""


def analyse(measurements: Sequence[Measurement], settings: StemSettings) -> Iterator[Result]:
    """Find the lattice, the columns and their intensities in every image.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `StemSettings`.

    Raises
    ------
    AnalysisError
        If an image has no calibrated pixels, or shows no lattice.
    """
    if settings.sites and not settings.placed:
        raise AnalysisError("stem: no site has a position; give one in stem.sites for this sample")
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: StemSettings) -> Result:
    image, pixel, made = _image(measurement, settings.detector, settings.a)
    result = _of_image(measurement, image, pixel, settings)
    numbers = [replace(row, method=f"{row.method}; {made}") for row in result.numbers] if made else result.numbers
    return Result(numbers, result.curves)


def _of_image(measurement: Measurement, image: np.ndarray, pixel: float, settings: StemSettings) -> Result:
    power = lattices.spectrum(image)
    if settings.a is None or settings.system not in (None, systems.HEXAGONAL):
        return _of_any_system(measurement, image, power, pixel, settings)
    try:
        return _of_hexagonal(measurement, image, power, pixel, settings, settings.a)
    except hexagonal.NotHexagonalError as refusal:
        if settings.system is not None:
            raise
        try:
            return _of_any_system(measurement, image, power, pixel, settings)
        except AnalysisError:  # the refusal names the lattice that the settings ask for
            raise refusal from None


def _lines(settings: StemSettings, a: float, pixel: float) -> int:
    """Return the number of lines that may move together.

    In a window of incomplete cells the pattern of the lattice itself would count as scatter between lines.
    """
    return int(np.ceil(settings.correlated_length / a) * a / pixel)


def _of_hexagonal(
    measurement: Measurement, image: np.ndarray, power: np.ndarray, pixel: float, settings: StemSettings, a: float
) -> Result:
    lines = _lines(settings, a, pixel)
    found = hexagonal.find(measurement.id, image, power, pixel, lines, settings)
    if not settings.placed:
        sites = general.sites_of(image, found.lattice / pixel, settings.column_sigma / pixel)
        settings = settings.model_copy(update={"sites": sites})
    fitted = Columns(image, pixel, found.lattice, lines, settings, measurement.id)
    error = settings.calibration_error
    column_numbers = lattice_rows(measurement, q.COLUMN_LATTICE, fitted.lattice, fitted.covariance, error)
    rows = [
        *lattice_rows(measurement, q.FFT_LATTICE, found.lattice, fitted.adequacy.scale**2 * found.covariance, error),
        *column_numbers,
        *structure_rows(measurement, column_numbers, a),
    ]
    return _result(measurement, fitted, rows, power, found.spots, settings, fitted.adequacy)


def _of_any_system(
    measurement: Measurement, image: np.ndarray, power: np.ndarray, pixel: float, settings: StemSettings
) -> Result:
    spots = indexing.find(measurement.id, image, power, pixel, settings)
    lattice, _ = lattices.fit_reciprocal(spots, 1)
    lines = _lines(settings, float(np.linalg.norm(lattice, axis=0).min()), pixel)
    lattice, covariance = lattices.fit_reciprocal(spots, lines)
    system = general.system_of(lattice, covariance, settings)
    named = general.judged(lattice, covariance, system, settings)
    sigma = general.column_sigma(image, lattice / pixel)
    if settings.placed and named.status == Status.OK:
        equal = system.system in (systems.SQUARE, systems.HEXAGONAL, systems.CENTRED)
        sites = general.oriented(image, lattice / pixel, settings.sites, equal)
    else:
        sites = general.sites_of(image, lattice / pixel, sigma)
    settings = settings.model_copy(update={"sites": sites, "column_sigma": sigma * pixel})
    fitted = Columns(image, pixel, lattice, lines, settings, measurement.id)
    covariance = fitted.adequacy.scale**2 * covariance
    ways = ((q.FFT_LATTICE, lattice, covariance), (q.COLUMN_LATTICE, fitted.lattice, fitted.covariance))
    numbers = [general.rows(measurement, *way, system, settings, METHODS[way[0]]) for way in ways]
    rows = [
        *numbers[0],
        *numbers[1],
        *general.system_rows(measurement, fitted.lattice, fitted.covariance, settings),
        *general.structure_rows(measurement, numbers[1], settings),
    ]
    adequacy = fitted.adequacy.joined(named)
    return _result(measurement, fitted, rows, power, spots, settings, adequacy, system=system.system)


def _result(
    measurement: Measurement,
    fitted: Columns,
    of_lattice: list[Number],
    power: np.ndarray,
    spots: lattices.Spots,
    settings: StemSettings,
    adequacy: Adequacy,
    system: str = systems.HEXAGONAL,
) -> Result:
    """Return the numbers of lattice and columns with the judgement of the image, and its curves."""
    columns = [*column_rows(measurement, fitted), *intensity_rows(measurement, fitted, settings)]
    parts = {
        "image": fitted.image_curves(),
        "transform": _transform_curves(power, fitted.pixel, settings.highest_frequency),
        "spots": _spot_curves(spots),
        "columns": fitted.column_curves(),
    }
    rows = [row.judged(adequacy) for row in (*of_lattice, *columns)]
    return Result.of(measurement, rows, parts, lattice_system=system)


def _image(measurement: Measurement, detector: str, a: float | None) -> tuple[np.ndarray, float, str]:
    """Return the image (y, x), its pixel size in angstrom and, of a series of frames, how it was made of them."""
    regions = measurement.regions
    region = regions.get(detector) if len(regions) > 1 else next(iter(regions.values()))
    if region is None:
        raise AnalysisError(f"{measurement.id}: no image '{detector}'; file has {', '.join(regions)}")
    axes = set(map(str, region["intensity"].dims)) if "intensity" in region else set()
    if not {"y", "x"} <= axes or len(axes) > 3 or not axes <= {"y", "x", *FRAMES}:
        raise AnalysisError(f"{measurement.id}: expected an image, or frames of one, file has {dict(region.sizes)}")
    intensity = region["intensity"].transpose(..., "y", "x")
    if any(intensity[axis].attrs.get("units") != "m" for axis in ("y", "x")) or min(intensity.shape[-2:]) < 64:
        raise AnalysisError(f"{measurement.id}: at least 64 × 64 pixels calibrated in m expected")
    image, made = intensity.to_numpy().astype(float) if intensity.ndim == 2 else np.empty(0), ""
    if intensity.ndim == 3:
        try:
            image, shifts = mean_of(intensity)
        except DriftError as error:
            raise AnalysisError(f"{measurement.id}: {error}") from None
        made = f"mean of {len(shifts)} frames, shifted onto each other by up to {np.abs(shifts).max()} pixels"
    if min(image.shape) < 64:
        raise AnalysisError(f"{measurement.id}: less than 64 × 64 pixels are in all frames: the place drifts away")
    if not np.isfinite(image).all():
        raise AnalysisError(f"{measurement.id}: image holds values that are not numbers")
    steps = [float(np.diff(intensity[axis])[0]) / ANGSTROM for axis in ("y", "x")]
    if not np.isclose(steps[0], steps[1], rtol=1e-4):
        raise AnalysisError(f"{measurement.id}: pixels are not square ({steps[1]:.4f} × {steps[0]:.4f} angstrom)")
    if a is not None and not a / 200 < steps[0] < a / 12:
        raise AnalysisError(
            f"{measurement.id}: a pixel of {steps[0]:.4g} angstrom does not resolve columns in a cell of {a} angstrom"
        )
    return image, steps[0], made


def _transform_curves(power: np.ndarray, pixel: float, highest: float) -> xr.Dataset:
    """Return the logarithm of the transform's power out to the highest frequency used."""
    axes = {
        name: (np.arange(size) - size // 2) / (size * pixel)
        for name, size in zip(("q_y", "q_x"), power.shape, strict=True)
    }
    rows, columns = (np.abs(axis) <= 1.1 * highest for axis in axes.values())
    values = np.log10(np.maximum(power, 1e-300))[np.ix_(rows, columns)].astype(np.float32)
    coords = {
        name: (axes[name][keep], "1/angstrom", f"spatial frequency along {name[-1]}")
        for name, keep in (("q_y", rows), ("q_x", columns))
    }
    return dataset(("q_y", "q_x"), {"power": (values, "1", "log10 of the power")}, coords)


def _spot_curves(spots: lattices.Spots) -> xr.Dataset:
    length = np.linalg.norm(spots.positions, axis=1)
    table = {
        "h": (spots.indices[:, 0], "1", "h"),
        "k": (spots.indices[:, 1], "1", "k"),
        "q_x": (spots.positions[:, 0], "1/angstrom", "spatial frequency along x"),
        "q_y": (spots.positions[:, 1], "1/angstrom", "spatial frequency along y"),
        "d": (1 / length, "angstrom", "spacing"),
        "signal_to_noise": (spots.signal_to_noise, "1", "power over the median around the spot"),
    }
    return dataset("spot", table)
