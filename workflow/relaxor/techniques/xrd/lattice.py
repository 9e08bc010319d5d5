"""Index 00l lines, and the edge c from all of them under competing models of the alignment error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np

from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.structure.analysis import allowed_basal, bragg_two_theta
from relaxor.techniques.xrd.lines import Tube

MODELS = {
    "no_correction": (),
    "displacement": ("sample_displacement",),
    "zero_shift": ("zero_shift",),
    "displacement_and_zero_shift": ("sample_displacement", "zero_shift"),
    "nelson_riley": ("slope",),
}
"""Model of the alignment → the parameters that it has beside c."""
UNITS = {"c": "angstrom", "sample_displacement": "mm", "zero_shift": "degree", "slope": "angstrom"}


@dataclass(frozen=True)
class Basal:
    """Indexed lines: l, position 2θ (degree) and its standard error."""

    index: np.ndarray
    two_theta: np.ndarray
    error: np.ndarray


def index_basal(positions: np.ndarray, cell: Mapping[str, Any], tube: Tube, tolerance: float) -> np.ndarray:
    """Return l of each line, 0 where it is no 00l line that the space group allows.

    Parameters
    ----------
    positions
        2θ (degree).
    cell
        Published cell.
    tube
        Wavelengths.
    tolerance
        Farthest that d(interlayer)/d may be from a whole number.
    """
    spacing = cell["c"] / cell["layers"]
    order = spacing / tube.d_spacing(np.asarray(positions, float))
    nearest = np.round(order)
    index = (nearest * cell["layers"]).astype(int)
    allowed = np.isin(index, allowed_basal(cell, d_min=tube.alpha1 / 2))
    return np.where((np.abs(order - nearest) <= tolerance) & allowed, index, 0)


def nelson_riley(two_theta: np.ndarray) -> np.ndarray:
    """Return ½(cos²θ/sinθ + cos²θ/θ), doi 10.1088/0959-5309/57/3/302."""
    theta = np.radians(two_theta) / 2
    return (np.cos(theta) ** 2 / np.sin(theta) + np.cos(theta) ** 2 / theta) / 2


def predict(
    index: np.ndarray, c: float, wavelength: float, radius: float, displacement: float = 0.0, zero: float = 0.0
) -> np.ndarray:
    """Return positions 2θ (degree) of 00l lines.

    ``displacement`` is the height of the sample over the axis (mm) at the goniometer ``radius`` (mm), which moves a
    line by −2·s·cosθ/R; ``zero`` is added (degree).
    """
    bragg = bragg_two_theta(c / index, wavelength)
    return bragg - np.degrees(2 * displacement / radius * np.cos(np.radians(bragg) / 2)) + zero


def fit_c(lines: Basal, model: str, *, c_start: float, wavelength: float, radius: float) -> Fit:
    """Fit c (angstrom) and the alignment of a model to indexed lines.

    Parameters
    ----------
    lines
        Indexed lines.
    model
        A key of `MODELS`.
    c_start
        Where to start (angstrom).
    wavelength
        Of Kα1 (angstrom).
    radius
        Goniometer radius (mm).
    """
    start = parameters(c=c_start, **{name: 0.0 for name in MODELS[model]})
    if model == "nelson_riley":
        apparent, error = apparent_c(lines, wavelength)
        abscissa = nelson_riley(lines.two_theta)

        def residual(p: lmfit.Parameters) -> np.ndarray:
            return (apparent - p["c"].value - p["slope"].value * abscissa) / error

    else:

        def residual(p: lmfit.Parameters) -> np.ndarray:
            values = p.valuesdict()
            expected = predict(
                lines.index,
                values["c"],
                wavelength,
                radius,
                values.get("sample_displacement", 0.0),
                values.get("zero_shift", 0.0),
            )
            return (lines.two_theta - expected) / lines.error

    return fit(residual, start, absolute_sigma=True)


def apparent_c(lines: Basal, wavelength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return c from each line alone, uncorrected, and its standard error (angstrom)."""
    theta = np.radians(lines.two_theta) / 2
    c = lines.index * wavelength / (2 * np.sin(theta))
    return c, c / np.tan(theta) * np.radians(lines.error) / 2


def systematic_of_zero(
    lines: Basal, model: str, uncertainty: float, *, c_start: float, wavelength: float, radius: float
) -> dict[str, float]:
    """Return how far each parameter moves when the zero, not fitted, is wrong by its uncertainty (degree)."""
    names = ("c", *MODELS[model])
    if "zero_shift" in names:
        return dict.fromkeys(names, 0.0)
    moved = Basal(lines.index, lines.two_theta - uncertainty, lines.error)
    here, there = (fit_c(each, model, c_start=c_start, wavelength=wavelength, radius=radius) for each in (lines, moved))
    return {name: abs(there.value(name) - here.value(name)) for name in names}


def chi_square_of_cell(
    lines: Basal, cell: Mapping[str, Any], layers: int, *, wavelength: float, radius: float
) -> tuple[float, float]:
    """Return chi-square of the positions for a published cell, alignment free: with c free, and with its published c.

    Parameters
    ----------
    lines
        Lines indexed on a cell of ``layers`` layers.
    cell
        The cell that is tried.
    layers
        Layers in c of the cell that the lines are indexed on.
    wavelength, radius
        As for `fit_c`.

    Returns
    -------
    tuple
        Chi-square with c free, and with ((c − c_published)/u)² added.
    """
    own = Basal(lines.index * cell["layers"] // layers, lines.two_theta, lines.error)
    start = parameters(c=cell["c"], sample_displacement=0.0, zero_shift=0.0)

    def residual(p: lmfit.Parameters, use_published: bool) -> np.ndarray:
        expected = predict(
            own.index, p["c"].value, wavelength, radius, p["sample_displacement"].value, p["zero_shift"].value
        )
        tension = (p["c"].value - cell["c"]) / cell["c_uncertainty"]
        return np.append((own.two_theta - expected) / own.error, tension if use_published else 0.0)

    free, published = (
        fit(residual, start, args=(use_published,), absolute_sigma=True).chi_square for use_published in (False, True)
    )
    return free, published


def largest_difference(
    one: Mapping[str, Any], other: Mapping[str, Any], orders: Sequence[int], wavelength: float
) -> float:
    """Return the largest distance (degree 2θ) between lines of two published cells, for orders of the layer spacing."""
    positions = [bragg_two_theta(cell["c"] / cell["layers"] / np.asarray(orders), wavelength) for cell in (one, other)]
    return float(np.nanmax(np.abs(positions[0] - positions[1])))


def superlattice_indices(cell: Mapping[str, Any], wavelength: float, highest: float) -> list[tuple[int, float]]:
    """List index and position (degree) of the 00l lines that only a two-layer order without glide would show.

    They lie half way between the lines of the layers: l odd in a two-layer cell, l = 3(2n+1) in a six-layer one.
    """
    if cell["layers"] % 2:
        return []
    found = []
    for odd in range(1, 2 * math.ceil(2 * cell["c"] / wavelength), 2):
        index = odd * cell["layers"] // 2
        position = float(bragg_two_theta(cell["c"] / index, wavelength))
        if not position <= highest:
            break
        found.append((index, position))
    return found
