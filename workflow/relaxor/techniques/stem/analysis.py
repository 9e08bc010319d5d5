"""HAADF-STEM images: spacings in the Fourier transform, atom columns, and both against the crystal structure.

Drift and scan coils shear and stretch the lattice of a scanned image. The lattice is therefore reported as it is in the
image, and the part of its distortion that a hexagonal crystal cannot have is reported as strain. A distortion of the
same size that cannot be distinguished from a change of the cell is part of the systematic error, together with the
calibration of the pixel.

If no hexagonal lattice is asked for, or the image shows another one, all strong spots are indexed by one lattice of any
system, whose symmetry is tested against the scatter between lines and the distortion that scans usually have.
"""

from collections.abc import Sequence
from typing import Any

import gemmi
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Result, Status, measured
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import UNLIKELY
from relaxor.techniques.stem import columns as atoms
from relaxor.techniques.stem import general, hexagonal, indexing, systems
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import quantities as q
from relaxor.techniques.stem.settings import Site, StemSettings

ANGSTROM = 1e-10
"""Number of metres in one angstrom."""
LATTICE = (q.A, q.B, q.GAMMA, q.A_HEXAGONAL, q.LATTICE_SPACING, q.ROTATION, q.STRAIN_XX, q.STRAIN_XY)
"""Quantities of a lattice; the spacing is that of each family of planes."""
METHODS = {
    q.FFT_LATTICE: "windowed Fourier transform, spots refined, weighted fit of a* and b*; errors from lines",
    q.COLUMN_LATTICE: "2D Gaussian fits of columns, weighted fit of the lattice; errors from lines",
}
FIT_RADIUS = 2.4
"""Number of standard deviations from a column up to which pixels enter its fit, half of the way to the next column."""
MOST_EMPTY = 0.1
"""Part of the places of the lattice at which no column is seen, above which one crystal does not fill the image."""
LEAST_COLUMNS = 12
"""Smallest number of columns from which a lattice is determined."""


def analyse(measurements: Sequence[Measurement], settings: StemSettings) -> Result:
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
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: StemSettings) -> Result:
    image, pixel = _image(measurement, settings.detector, settings.a)
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
    fitted = _Columns(image, pixel, found.lattice, lines, settings, measurement.id)
    error = settings.calibration_error
    column_numbers = _lattice_rows(measurement, q.COLUMN_LATTICE, fitted.lattice, fitted.covariance, error)
    rows = [
        *_lattice_rows(measurement, q.FFT_LATTICE, found.lattice, fitted.adequacy.scale**2 * found.covariance, error),
        *column_numbers,
        *_structure_rows(measurement, column_numbers, a),
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
    fitted = _Columns(image, pixel, lattice, lines, settings, measurement.id)
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
    fitted: "_Columns",
    lattice_rows: list[Number],
    power: np.ndarray,
    spots: lattices.Spots,
    settings: StemSettings,
    adequacy: Adequacy,
    system: str = systems.HEXAGONAL,
) -> Result:
    """Return the numbers of lattice and columns with the judgement of the image, and its curves."""
    columns = [*_column_rows(measurement, fitted), *_intensity_rows(measurement, fitted, settings)]
    parts = {
        "image": fitted.image_curves(),
        "transform": _transform_curves(power, fitted.pixel, settings.highest_frequency),
        "spots": _spot_curves(spots),
        "columns": fitted.column_curves(),
    }
    rows = [row.judged(adequacy) for row in (*lattice_rows, *columns)]
    return Result.of(measurement, rows, parts, lattice_system=system)


def _image(measurement: Measurement, detector: str, a: float | None) -> tuple[np.ndarray, float]:
    """Return the image (y, x) and its pixel size in angstrom."""
    regions = measurement.regions
    region = regions.get(detector) if len(regions) > 1 else next(iter(regions.values()))
    if region is None:
        raise AnalysisError(f"{measurement.id}: no image '{detector}'; file has {', '.join(regions)}")
    if "intensity" not in region or set(region["intensity"].dims) != {"y", "x"}:
        raise AnalysisError(f"{measurement.id}: expected one image over y and x, file has {dict(region.sizes)}")
    intensity = region["intensity"].transpose("y", "x").astype(float)
    if any(intensity[axis].attrs.get("units") != "m" for axis in ("y", "x")) or min(intensity.shape) < 64:
        raise AnalysisError(f"{measurement.id}: at least 64 × 64 pixels calibrated in m expected")
    if not np.isfinite(intensity).all():
        raise AnalysisError(f"{measurement.id}: image holds values that are not numbers")
    steps = [float(np.diff(intensity[axis])[0]) / ANGSTROM for axis in ("y", "x")]
    if not np.isclose(steps[0], steps[1], rtol=1e-4):
        raise AnalysisError(f"{measurement.id}: pixels are not square ({steps[1]:.4f} × {steps[0]:.4f} angstrom)")
    if a is not None and not a / 200 < steps[0] < a / 12:
        raise AnalysisError(
            f"{measurement.id}: a pixel of {steps[0]:.4g} angstrom does not resolve columns in a cell of {a} angstrom"
        )
    return intensity.to_numpy(), steps[0]


def _lattice_rows(
    measurement: Measurement, model: str, lattice: np.ndarray, covariance: np.ndarray, calibration_error: float
) -> list[Number]:
    """Return the numbers of a lattice in angstrom; the docstring of the module explains their systematic errors."""
    values = lattices.with_errors(lattices.describe, lattice, covariance)
    distortion = np.hypot(values["strain_xx"][0], values["strain_xy"][0]) / 100
    rows: list[Number] = []
    for quantity in LATTICE:
        for family in lattices.FAMILIES if quantity is q.LATTICE_SPACING else ("",):
            value, error = values[family or quantity.name]
            (row,) = measured(measurement, model, {quantity: (value, error)}, METHODS[model], feature=family)
            if quantity.systematic == q.LENGTH:
                row = row.with_component("magnification", calibration_error * value, "setting calibration_uncertainty")
            size = {q.LENGTH: distortion * value, q.ANGLE: np.degrees(distortion)}.get(quantity.systematic, 0.0)
            rows.append(row.with_component("distortion of the scan", float(size), "departure from a hexagonal lattice"))
    return rows


def _structure_rows(measurement: Measurement, numbers: list[Number], a: float) -> list[Number]:
    """Compare lengths of the lattice with those of the structure."""
    found = {(number.parameter, number.feature): number for number in numbers}
    rows: list[Number] = []
    for quantity, family, expected in (
        (q.A_HEXAGONAL, "", a),
        (q.LATTICE_SPACING, "100", a * np.sqrt(3) / 2),
        (q.LATTICE_SPACING, "110", a / 2),
    ):
        number, percent = found[quantity.name, family], 100 / expected
        rows += measured(
            measurement,
            q.STRUCTURE,
            {q.RELATIVE_DEVIATION: (percent * number.value - 100, percent * number.standard_error)},
            f"measured against {expected:.4f} angstrom of the structure",
            budget=number.scaled(percent).budget,
            feature=family or "a",
        )
    return rows


class _Columns:
    """The columns of one image and their lattice; lengths in angstrom, with the origin at the first pixel."""

    def __init__(
        self, image: np.ndarray, pixel: float, lattice: np.ndarray, lines: int, settings: StemSettings, name: str
    ) -> None:
        self.image, self.pixel, self.lines = image, pixel, lines
        self.placed, self.names = settings.placed, settings.names
        sigma = settings.column_sigma
        starts = atoms.find(image, sigma / pixel, 1.5 * sigma / pixel)
        if len(starts) < LEAST_COLUMNS:
            raise AnalysisError(f"{name}: {len(starts)} atom columns found, at least {LEAST_COLUMNS} needed")
        sites = atoms.cell_sites(image, lattice / pixel, np.array([site.position for site in self.placed]))
        faint = atoms.missing(lattice / pixel, sites, starts, image.shape, 3 * sigma / pixel)
        bright = [index for index, site in enumerate(self.placed) if site.lattice]
        empty = len(atoms.missing(lattice / pixel, sites[bright], starts, image.shape, 3 * sigma / pixel))
        radius = FIT_RADIUS * sigma / pixel
        self.fits, self.model = atoms.fit(image, np.vstack([starts, faint]), sigma / pixel, radius)
        positions = self.fits.positions * pixel
        self.site, self.cell = atoms.assign(self.fits.positions, lattice / pixel, sites)
        self.of_lattice = np.isin(self.site, bright)
        if (number := int(np.sum(self.of_lattice))) < LEAST_COLUMNS:
            raise AnalysisError(f"{name}: {number} columns of the lattice found, at least {LEAST_COLUMNS} needed")
        errors = self.fits.errors[self.of_lattice, :2] * pixel
        self.lattice, self.residuals, influence = atoms.fit_lattice(
            positions[self.of_lattice], errors, self.site[self.of_lattice], self.cell[self.of_lattice]
        )
        self.position_error = errors
        lost = 1 - len(self.fits.positions) / (len(starts) + len(faint))
        self.adequacy = self._judged(empty / (empty + number), lost)
        expected = atoms.on_lattice(positions, self.lattice, self.site, self.cell, len(self.placed)) / pixel
        width = float(np.median(self.fits.parameters[self.of_lattice, 3]))
        self.volume = atoms.volumes(image, self.fits, expected, width, radius)
        covariance = self.line_covariance(influence, self.of_lattice) / lattices.seen(lines, len(image))
        self.covariance = self.adequacy.scale**2 * covariance

    def _judged(self, empty: float, lost: float) -> Adequacy:
        """Judge whether one lattice describes the image, by empty places, failed fits (parts of all) and bending."""
        which, found = self.of_lattice, ADEQUATE
        if lost > MOST_EMPTY:
            remark = f"misfit: no Gaussian could be fitted to {lost:.0%} of the columns (setting column_sigma)"
            found = Adequacy(Status.MISFIT, 1.0, remark)
        if empty > MOST_EMPTY:
            remark = f"misfit: no column at {empty:.0%} of the places of the lattice (a hole, another grain or noise)"
            found = found.joined(Adequacy(Status.MISFIT, 1.0, remark))
        placed = self.fits.positions[which], self.residuals, self.cell[which], self.site[which]
        probability, factor = atoms.bending(*placed, self.image.shape, self.lines)
        if probability < UNLIKELY:
            remark = f"misfit: the lattice bends over the image (drift that changes, or grains; P = {probability:.1g})"
            found = found.joined(Adequacy(Status.MISFIT, factor, remark))
        return found

    def line_covariance(self, contributions: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the covariance of sums over columns, from the scatter between lines of the image."""
        rows = self.fits.positions[which, 1]
        influence = lattices.per_line(rows, contributions, len(self.image))
        return lattices.line_covariance(influence, self.lines)

    def mean(self, values: np.ndarray, which: np.ndarray) -> tuple[float, float]:
        """Return a mean over columns and its standard error."""
        mean = float(np.mean(values))
        variance = self.line_covariance((values - mean)[:, np.newaxis] / len(values), which)
        return mean, float(np.sqrt(variance[0, 0]))

    def image_curves(self) -> xr.Dataset:
        """Return image, fit and residual on axes in nm."""
        axes = {
            name: (np.arange(size) * self.pixel / 10, "nm", name)
            for name, size in zip(("y", "x"), self.image.shape, strict=True)
        }
        background = float(np.median(self.fits.parameters[:, 4]))
        image, fit = self.image.astype(np.float32), (self.model + background).astype(np.float32)
        curves = {
            "intensity": (image, "1", "intensity"),
            "fit": (fit, "1", "columns and background"),
            "residual": (image - fit, "1", "intensity minus fit"),
        }
        return dataset(("y", "x"), curves, axes)

    def column_curves(self) -> xr.Dataset:
        """Return a table of the columns, with the distance from the lattice where a column is one of it."""
        scale = self.pixel / 10
        residuals = np.full((len(self.site), 2), np.nan)
        residuals[self.of_lattice] = self.residuals / 10
        table = {
            "x": (self.fits.parameters[:, 0] * scale, "nm", "x"),
            "y": (self.fits.parameters[:, 1] * scale, "nm", "y"),
            "x_uncertainty": (self.fits.errors[:, 0] * scale, "nm", "standard uncertainty of x"),
            "y_uncertainty": (self.fits.errors[:, 1] * scale, "nm", "standard uncertainty of y"),
            "sigma": (self.fits.parameters[:, 3] * scale, "nm", "standard deviation of the column"),
            "volume": (self.volume * self.pixel**2, "angstrom^2", "integrated intensity"),
            "residual_x": (residuals[:, 0], "nm", "x minus lattice"),
            "residual_y": (residuals[:, 1], "nm", "y minus lattice"),
            "cell_a": (self.cell[:, 0], "1", "cell along a"),
            "cell_b": (self.cell[:, 1], "1", "cell along b"),
        }
        labels = "\n".join(site.label or site.name for site in self.placed)
        kind = variable("column", self.site, "1", "site", flag_meanings=" ".join(self.names), labels=labels)
        return dataset("column", table).assign(site=kind)


def _column_rows(measurement: Measurement, fitted: _Columns) -> list[Number]:
    """Return the numbers of columns, and how far those of the lattice lie from it, in picometres."""
    method = "2D Gaussian fits; scatter is the root-mean-square distance of the columns of the lattice from it"
    common: dict[str, Any] = {"method": method, "n": len(fitted.site)}
    rows: list[Number] = []
    for index, name in enumerate(fitted.names):
        number = {q.NUMBER_OF_COLUMNS: (np.sum(fitted.site == index), 0.0)}
        rows += measured(measurement, q.COLUMNS, number, feature=name, **common)
    values = {}
    for index, quantity in enumerate((q.SCATTER_X, q.SCATTER_Y)):
        square, error = fitted.mean((100 * fitted.residuals[:, index]) ** 2, fitted.of_lattice)
        values[quantity] = (np.sqrt(square), error / (2 * np.sqrt(square)))
    values[q.FIT_ERROR] = (100 * np.sqrt(np.median(fitted.position_error**2)), np.nan)
    sigma, error = fitted.mean(fitted.fits.parameters[fitted.of_lattice, 3] * fitted.pixel, fitted.of_lattice)
    factor = 2 * np.sqrt(2 * np.log(2))
    values[q.FWHM] = (factor * sigma, factor * error)
    return rows + measured(measurement, q.COLUMNS, values, **common)


def _intensity_rows(measurement: Measurement, fitted: _Columns, settings: StemSettings) -> list[Number]:
    """Compare the intensities of the sites, and derive the number of layers from them.

    The ratio of the first two sites of the lattice is compared, and that of every other site to the mean of these two.
    """
    lattice = [index for index, site in enumerate(fitted.placed) if site.lattice]
    others = [index for index, site in enumerate(fitted.placed) if not site.lattice]
    volume, sites = fitted.volume, [fitted.site == kind for kind in range(len(fitted.placed))]
    if len(lattice) != 2 or not all(map(np.any, sites)):
        return []
    height, sigma = fitted.fits.parameters[:, 2], fitted.fits.parameters[:, 3]
    means = [float(np.mean(volume[which])) for which in sites]
    free = [float(np.mean((2 * np.pi * height * sigma**2)[which])) for which in sites]
    relative = np.zeros((len(volume), len(sites)))
    for kind, which in enumerate(sites):
        relative[which, kind] = (volume[which] / means[kind] - 1) / np.sum(which)
    covariance = fitted.line_covariance(relative, np.ones(len(volume), bool))
    first, second = lattice
    share = means[first] / (means[first] + means[second])
    method = "mean intensities at the sites of the lattice, one width; systematic: against free Gaussians"
    pair = [fitted.names[kind] for kind in lattice]
    rows: list[Number] = []
    for kind in (first, *others):
        slopes = np.zeros(len(sites))
        if kind == first:
            ratio, unbound = (one[first] / one[second] for one in (means, free))
            slopes[lattice] = ratio, -ratio
            feature = "/".join(pair)
        else:
            ratio, unbound = (2 * one[kind] / (one[first] + one[second]) for one in (means, free))
            slopes[[first, second, kind]] = ratio * np.array([-share, share - 1, 1])
            feature = f"{fitted.names[kind]}/mean({', '.join(pair)})"
        value = {q.INTENSITY_RATIO: (ratio, float(np.sqrt(slopes @ covariance @ slopes)))}
        (row,) = measured(measurement, q.COLUMN_INTENSITY, value, method, n=len(volume), feature=feature)
        rows.append(row.with_component("constraint of the columns", abs(unbound - ratio), "fit without the constraint"))
    return rows + _layer_rows(measurement, rows[0], [fitted.placed[kind] for kind in lattice], settings)


def _layer_rows(measurement: Measurement, ratio: Number, sites: list[Site], settings: StemSettings) -> list[Number]:
    """Return the number of layers, where the columns of two sites consist of the same atoms in alternating order."""
    layers_of = sites[0].elements
    if len(layers_of) != 2 or sites[1].elements != layers_of[::-1] or ratio.value - 1 <= 3 * ratio.standard_error:
        return []
    numbers = [[gemmi.Element(symbol).atomic_number for symbol in layer] for layer in layers_of]
    exponent, error = settings.z_exponent, settings.z_exponent_error
    layers, slope = _layers(ratio.value, exponent, numbers)
    up, down = (_layers(ratio.value, exponent + sign * error, numbers)[0] for sign in (1, -1))
    (row,) = measured(
        measurement,
        q.COLUMN_INTENSITY,
        {q.LAYERS: (layers, abs(slope) * ratio.standard_error)},
        f"ratio of the columns of the lattice with an odd number of layers, intensity of an atom Z^{exponent:g}",
        budget=ratio.scaled(slope).budget,
        n=ratio.n,
    )
    return [row.with_component("exponent of Z", abs(up - down) / 2, "setting z_exponent_error")]


def _layers(ratio: float, exponent: float, numbers: list[list[int]]) -> tuple[float, float]:
    """Return the odd number of layers whose columns have this ratio, and its derivative.

    Where the atoms of two columns alternate from layer to layer, an odd number N of layers has one layer X more in one
    column and one layer Y more in the other: ratio = ((N+1)·X + (N−1)·Y) / ((N−1)·X + (N+1)·Y), solved for N.
    """
    heavy, light = (sum(float(number**exponent) for number in layer) for layer in numbers)
    contrast = (heavy - light) / (heavy + light)
    return contrast * (ratio + 1) / (ratio - 1), -2 * contrast / (ratio - 1) ** 2


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
