"""The numbers of an image: its hexagonal lattice against the structure, its columns, and their intensities."""

from typing import Any

import gemmi
import numpy as np

from relaxor.core.results import Measurement, Number, measured
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import quantities as q
from relaxor.techniques.stem.fitted import Columns
from relaxor.techniques.stem.settings import Site, StemSettings

LATTICE = (q.A, q.B, q.GAMMA, q.A_HEXAGONAL, q.LATTICE_SPACING, q.ROTATION, q.STRAIN_XX, q.STRAIN_XY)
"""Quantities of a lattice; the spacing is that of each family of planes."""
METHODS = {
    q.FFT_LATTICE: "windowed Fourier transform, spots refined, weighted fit of a* and b*; errors from lines",
    q.COLUMN_LATTICE: "2D Gaussian fits of columns, weighted fit of the lattice; errors from lines",
}


def lattice_rows(
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


def structure_rows(measurement: Measurement, numbers: list[Number], a: float) -> list[Number]:
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


def column_rows(measurement: Measurement, fitted: Columns) -> list[Number]:
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


def intensity_rows(measurement: Measurement, fitted: Columns, settings: StemSettings) -> list[Number]:
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
