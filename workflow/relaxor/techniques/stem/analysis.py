"""HAADF-STEM images: spacings in the Fourier transform, atom columns, and both against the crystal structure.

A scanned image carries the scan with it: drift and scan coils shear and stretch the lattice. The lattice is therefore
reported as it stands in the image, with the part of its distortion that a hexagonal crystal cannot have as strain; a
distortion of the same size that cannot be told from a change of the cell enters the systematic error, beside the
calibration of the pixel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.core.variables import variable
from relaxor.techniques.stem import columns as atoms
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem.settings import StemSettings

ANGSTROM = 1e-10
ATOMIC_NUMBER = {"Cu": 29, "Bi": 83, "P": 15}
UNITS = {
    "a": "angstrom",
    "b": "angstrom",
    "gamma": "degree",
    "a_hexagonal": "angstrom",
    "d_100": "angstrom",
    "d_110": "angstrom",
    "rotation": "degree",
    "strain_xx": "percent",
    "strain_xy": "percent",
}
LEAST_CONTRAST = 1.5
"""Mean logarithm of spot power over background below which there is no lattice: noise alone gives 0.2 ± 0.2."""

FIT_RADIUS = 2.4
"""Pixels up to this many standard deviations from a column enter its fit: half way to the next one."""


def analyse(measurements: Sequence[Measurement], settings: StemSettings) -> Result:
    """Analyse every image and write numbers and curves.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `StemSettings`.

    Raises
    ------
    AnalysisError
        If an image has no calibrated pixels or shows no lattice of about this size.
    """
    if settings.a is None:
        raise AnalysisError("stem: no lattice parameter is given; set stem.a for this sample")
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    for measurement in measurements:
        image, pixel = _image(measurement, settings.detector, settings.a)
        # In a window of broken cells the pattern of the lattice itself would count as scatter between lines.
        lines = int(np.ceil(settings.correlated_length / settings.a) * settings.a / pixel)
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement))
        power = lattices.spectrum(image)
        start, contrast = lattices.find_lattice(power, pixel, settings.a, settings.tolerance)
        spots = lattices.refine_spots(image, power, pixel, start, settings.highest_frequency, settings.spot_threshold)
        if contrast < LEAST_CONTRAST or np.linalg.matrix_rank(spots.indices.reshape(-1, 2)) < 2:
            raise AnalysisError(
                f"{measurement.id}: no hexagonal lattice with a within {settings.tolerance:.0%} of {settings.a} "
                f"angstrom in the Fourier transform (contrast {contrast:.1f}, {len(spots.indices)} spots)"
            )
        found, covariance = _standard(*lattices.fit_reciprocal(spots, lines))
        fft_numbers = _lattice_rows(measurement, "fft_lattice", found, covariance, settings.calibration_error)
        fitted = _Columns(image, pixel, found, settings.column_sigma, lines, measurement.id)
        column_numbers = _lattice_rows(
            measurement, "column_lattice", fitted.lattice, fitted.covariance, settings.calibration_error
        )
        rows += [
            *fft_numbers,
            *column_numbers,
            *_structure_rows(measurement, column_numbers, settings.a),
            *_column_rows(measurement, fitted),
            *_intensity_rows(measurement, fitted, settings.z_exponent, settings.z_exponent_error),
        ]
        groups[f"{measurement.id}/image"] = fitted.image_curves()
        groups[f"{measurement.id}/transform"] = _transform_curves(power, pixel, settings.highest_frequency)
        groups[f"{measurement.id}/spots"] = _spot_curves(spots)
        groups[f"{measurement.id}/columns"] = fitted.column_curves()
    return Result(rows, groups)


def _image(measurement: Measurement, detector: str, a: float) -> tuple[np.ndarray, float]:
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
    if not a / 200 < steps[0] < a / 12:
        raise AnalysisError(
            f"{measurement.id}: a pixel of {steps[0]:.4g} angstrom does not resolve columns in a cell of {a} angstrom"
        )
    return intensity.to_numpy(), steps[0]


def _standard(lattice: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    operation = lattices.standard_setting(lattice)
    spread = np.kron(np.eye(2), operation.T)
    return lattice @ operation, spread @ covariance @ spread.T


def _lattice_rows(
    measurement: Measurement, model: str, lattice: np.ndarray, covariance: np.ndarray, calibration_error: float
) -> list[Number]:
    """Describe a lattice in angstrom; see the module's docstring for the systematic errors."""
    values = lattices.describe_with_errors(lattice, covariance)
    distortion = np.hypot(values["strain_xx"][0], values["strain_xy"][0]) / 100
    relative = {"angstrom": np.hypot(calibration_error, distortion)}
    absolute = {"degree": np.degrees(distortion)}
    method = {
        "fft_lattice": "windowed Fourier transform, spots refined, weighted fit of a* and b*; errors from lines",
        "column_lattice": "2D Gaussian fits of columns, weighted fit of the lattice; errors from lines",
    }[model]
    rows = measured(measurement, model, {name: (*values[name], unit) for name, unit in UNITS.items()}, method)
    return [
        replace(row, systematic_error=float(relative.get(row.unit, 0.0) * row.value + absolute.get(row.unit, 0.0)))
        for row in rows
    ]


def _structure_rows(measurement: Measurement, numbers: list[Number], a: float) -> list[Number]:
    """Compare spacings with those of the structure, in percent."""
    expected = {"a_hexagonal": a, "d_100": a * np.sqrt(3) / 2, "d_110": a / 2}
    rows = []
    for number in numbers:
        if number.parameter in expected:
            percent = 100 / expected[number.parameter]
            value = percent * number.value - 100
            rows += measured(
                measurement,
                "structure",
                {f"deviation_{number.parameter}": (value, percent * number.standard_error, "percent")},
                f"measured against {expected[number.parameter]:.4f} angstrom of the structure",
                systematic_error=percent * number.systematic_error,
            )
    return rows


class _Columns:
    """The columns of one image and their lattice; lengths in angstrom, origin at the first pixel."""

    def __init__(
        self, image: np.ndarray, pixel: float, lattice: np.ndarray, sigma: float, lines: int, name: str
    ) -> None:
        self.image, self.pixel, self.lines = image, pixel, lines
        starts = atoms.find(image, sigma / pixel, 1.5 * sigma / pixel)
        if len(starts) < 12:
            raise AnalysisError(f"{name}: {len(starts)} atom columns found, at least 12 needed")
        sites, _ = atoms.cell_origin(image, lattice / pixel)
        faint = atoms.missing(lattice / pixel, sites, starts, image.shape, 3 * sigma / pixel)
        radius = FIT_RADIUS * sigma / pixel
        self.fits, self.model = atoms.fit(image, np.vstack([starts, faint]), sigma / pixel, radius)
        positions = self.fits.positions * pixel
        self.site, self.cell = atoms.assign(self.fits.positions, lattice / pixel, sites)
        self.metal = self.site < 2
        if np.sum(self.metal) < 12:
            raise AnalysisError(f"{name}: {np.sum(self.metal)} metal columns found, at least 12 needed")
        errors = self.fits.errors[self.metal, :2] * pixel
        self.lattice, self.residuals, influence = atoms.fit_lattice(
            positions[self.metal], errors, self.site[self.metal], self.cell[self.metal]
        )
        self.position_error = errors
        expected = atoms.on_lattice(positions, self.lattice, self.site, self.cell) / pixel
        width = float(np.median(self.fits.parameters[self.metal, 3]))
        self.volume = atoms.volumes(image, self.fits, expected, width, radius)
        self.covariance = self.line_covariance(influence, self.metal) / lattices.seen(lines, len(image))

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
            name: variable(name, np.arange(size) * self.pixel / 10, "nm", name)
            for name, size in zip(("y", "x"), self.image.shape, strict=True)
        }
        background = float(np.median(self.fits.parameters[:, 4]))
        fit = (self.model + background).astype(np.float32)
        curves = {
            "intensity": (self.image.astype(np.float32), "intensity"),
            "fit": (fit, "columns and background"),
            "residual": (self.image.astype(np.float32) - fit, "intensity minus fit"),
        }
        return xr.Dataset({k: variable(("y", "x"), values, "1", name) for k, (values, name) in curves.items()}, axes)

    def column_curves(self) -> xr.Dataset:
        """Return a table of the columns; distance from the lattice is for metal columns."""
        scale = self.pixel / 10
        residuals = np.full((len(self.site), 2), np.nan)
        residuals[self.metal] = self.residuals / 10
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
        dataset = xr.Dataset({k: variable("column", *entry) for k, entry in table.items()})
        kind = variable("column", self.site, "1", "site", flag_meanings=" ".join(atoms.SITES))
        return dataset.assign(site=kind)


def _column_rows(measurement: Measurement, fitted: _Columns) -> list[Number]:
    """Count columns and tell how far metal columns lie from their lattice, in picometres."""
    values: dict[str, tuple[float, float, str]] = {
        f"columns_{name}": (float(np.sum(fitted.site == index)), 0.0, "1") for index, name in enumerate(atoms.SITES)
    }
    for index, axis in enumerate(("x", "y")):
        square, error = fitted.mean((100 * fitted.residuals[:, index]) ** 2, fitted.metal)
        values[f"scatter_{axis}"] = (np.sqrt(square), error / (2 * np.sqrt(square)), "picometer")
    fit_error = 100 * np.sqrt(np.median(fitted.position_error**2))
    values["fit_error"] = (float(fit_error), np.nan, "picometer")
    sigma, error = fitted.mean(fitted.fits.parameters[fitted.metal, 3] * fitted.pixel, fitted.metal)
    factor = 2 * np.sqrt(2 * np.log(2))
    values["fwhm_metal"] = (factor * sigma, factor * error, "angstrom")
    method = "2D Gaussian fits; scatter is the rms distance of metal columns from their lattice"
    return measured(measurement, "columns", values, method, n=len(fitted.site))


def _intensity_rows(measurement: Measurement, fitted: _Columns, exponent: float, exponent_error: float) -> list[Number]:
    """Compare the intensities of the sublattices, and read the number of layers from them."""
    volume, site = fitted.volume, fitted.site
    if not all(np.any(site == kind) for kind in range(3)):
        return []
    means = [float(np.mean(volume[site == kind])) for kind in range(3)]
    height, sigma = fitted.fits.parameters[:, 2], fitted.fits.parameters[:, 3]
    free = [float(np.mean((2 * np.pi * height * sigma**2)[site == kind])) for kind in range(3)]
    relative = np.zeros((len(site), 3))
    for kind, mean in enumerate(means):
        which = site == kind
        relative[which, kind] = (volume[which] / mean - 1) / np.sum(which)
    covariance = fitted.line_covariance(relative, np.ones(len(site), bool))
    ratio = means[0] / means[1]
    share = means[0] / (means[0] + means[1])
    ratio_p2 = 2 * means[2] / (means[0] + means[1])
    to_ratio = np.array([ratio, -ratio, 0])
    to_p2 = ratio_p2 * np.array([-share, share - 1, 1])
    ratio_error, p2_error = (float(np.sqrt(one @ covariance @ one)) for one in (to_ratio, to_p2))
    values = {"ratio_metal": (ratio, ratio_error, "1"), "ratio_p2_metal": (ratio_p2, p2_error, "1")}
    method = (
        "mean intensities of the sublattices, at their lattice sites, one width; systematic: against free Gaussians"
    )
    differences = (abs(free[0] / free[1] - ratio), abs(2 * free[2] / (free[0] + free[1]) - ratio_p2))
    rows = [
        replace(row, systematic_error=difference)
        for row, difference in zip(
            measured(measurement, "column_intensity", values, method, n=len(site)), differences, strict=True
        )
    ]
    if ratio - 1 > 3 * ratio_error:
        layers, slope = _layers(ratio, exponent)
        up, down = (_layers(ratio, exponent + sign * exponent_error)[0] for sign in (1, -1))
        systematic = float(np.hypot(abs(up - down) / 2, slope * differences[0]))
        rows += measured(
            measurement,
            "column_intensity",
            {"layers": (layers, abs(slope) * ratio_error, "1")},
            f"ratio of the metal columns with an odd number of layers, intensity of an atom Z^{exponent:g}",
            systematic_error=systematic,
            n=len(site),
        )
    return rows


def _layers(ratio: float, exponent: float) -> tuple[float, float]:
    """Return the odd number of layers whose metal columns have this ratio, and its derivative.

    The c glide of P-31c puts Bi above Cu from layer to layer, so that of N (odd) layers one kind of column holds one Bi
    more: ratio = ((N+1)·Bi + (N−1)·Cu) / ((N−1)·Bi + (N+1)·Cu), solved for N.
    """
    weight: Mapping[str, float] = {name: float(number**exponent) for name, number in ATOMIC_NUMBER.items()}
    contrast = (weight["Bi"] - weight["Cu"]) / (weight["Bi"] + weight["Cu"])
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
        name: variable(name, axes[name][keep], "1/angstrom", f"spatial frequency along {name[-1]}")
        for name, keep in (("q_y", rows), ("q_x", columns))
    }
    return xr.Dataset({"power": variable(("q_y", "q_x"), values, "1", "log10 of the power")}, coords)


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
    return xr.Dataset({name: variable("spot", *entry) for name, entry in table.items()})
