"""Index 00l lines, and the edge c from all of them under competing models of the alignment error.

What moves all lines together and is not fitted, the alignment and the wavelength, is a systematic error: the same fit
is made again with lines that are moved by one standard uncertainty.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import lmfit
import numpy as np

from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.structure.analysis import allowed_basal, bragg_two_theta
from relaxor.techniques.structure.settings import Cell
from relaxor.techniques.xrd.quantities import ALIGNMENTS
from relaxor.techniques.xrd.radiation import Tube
from relaxor.techniques.xrd.settings import XrdSettings

FITTED_BY = {"zero of the angle": "zero_shift", "height of the sample": "sample_displacement", "Kα profile": ""}
"""What moves all lines together, and the parameter that stands for it where it is fitted."""
SOURCES = {
    "zero of the angle": "setting zero_shift_uncertainty",
    "height of the sample": "setting displacement_uncertainty",
    "Kα profile": "setting wavelength_uncertainty",
    "line shape": "largest difference between the shapes of lines that were fitted",
}
"""Where the sizes of systematic components are stated."""


@dataclass(frozen=True)
class Basal:
    """Indexed lines.

    Attributes
    ----------
    index, two_theta, error
        l, position 2θ (degree) and its standard error of each line, shape (n,).
    wavelength, radius
        Wavelength of Kα1 (angstrom); radius of the goniometer (mm).
    """

    index: np.ndarray
    two_theta: np.ndarray
    error: np.ndarray
    wavelength: float
    radius: float

    def residual(self, c: float, sample_displacement: float = 0.0, zero_shift: float = 0.0) -> np.ndarray:
        """Return the standardized distances of the lines from where `predict` puts them."""
        expected = predict(self.index, c, self.wavelength, self.radius, sample_displacement, zero_shift)
        return (self.two_theta - expected) / self.error


def index_basal(positions: np.ndarray, cell: Cell, tube: Tube, tolerance: float) -> np.ndarray:
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
        Largest distance of (spacing of layers)/d from a whole number.
    """
    spacing = cell.c / cell.layers
    order = spacing / tube.d_spacing(np.asarray(positions, float))
    nearest = np.round(order)
    index = (nearest * cell.layers).astype(int)
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
    return misaligned(bragg_two_theta(c / index, wavelength), radius, displacement, zero)


def misaligned(bragg: np.ndarray, radius: float, displacement: float = 0.0, zero: float = 0.0) -> np.ndarray:
    """Return where lines at the Bragg angles ``bragg`` are seen (degree 2θ), see `predict`."""
    return bragg - np.degrees(2 * displacement / radius * np.cos(np.radians(bragg) / 2)) + zero


def moves(two_theta: np.ndarray, radius: float, settings: XrdSettings) -> dict[str, np.ndarray]:
    """Return by how much one standard uncertainty of each key of `FITTED_BY` moves lines (degree 2θ)."""
    height = misaligned(two_theta, radius, settings.displacement_uncertainty) - two_theta
    profile = np.degrees(2 * np.tan(np.radians(two_theta) / 2) * settings.wavelength_uncertainty)
    zero = np.full_like(two_theta, settings.zero_shift_uncertainty)
    return dict(zip(FITTED_BY, (zero, height, profile), strict=True))


def systematics(
    again: Callable[[np.ndarray], Fit], fitted: Fit, moved: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Return how far each moves the parameters of a fit that does not hold it as a parameter.

    Parameters
    ----------
    again
        Fit of the same lines, moved by an angle (degree), shape (n,).
    fitted
        The fit of the lines where they are.
    moved
        See `moves`.
    """
    found = {}
    for name, angle in moved.items():
        if FITTED_BY[name] not in fitted.names:
            other = again(angle)
            found[name] = {each: abs(other.value(each) - fitted.value(each)) for each in fitted.names}
    return found


def fit_c(lines: Basal, model: str, c_start: float) -> Fit:
    """Fit c (angstrom) and the alignment of a model to indexed lines.

    Parameters
    ----------
    lines
        Indexed lines.
    model
        A key of `ALIGNMENTS`.
    c_start
        Where the fit starts (angstrom).
    """
    start = parameters(c=c_start, **{name: 0.0 for name in ALIGNMENTS[model]})
    apparent, error = apparent_c(lines)
    abscissa = nelson_riley(lines.two_theta)

    def residual(p: lmfit.Parameters) -> np.ndarray:
        values = p.valuesdict()
        if "slope" in values:
            return (apparent - values["c"] - values["slope"] * abscissa) / error
        return lines.residual(**values)

    return fit(residual, start, absolute_sigma=True)


def fits_of_c(lines: Basal, c_start: float) -> dict[str, Fit]:
    """Return the fits of the alignment by model, for models with fewer parameters than lines."""
    known = [model for model, extra in ALIGNMENTS.items() if len(lines.index) > 1 + len(extra)]
    return {model: fit_c(lines, model, c_start) for model in known}


def apparent_c(lines: Basal) -> tuple[np.ndarray, np.ndarray]:
    """Return c from each line alone, uncorrected, and its standard error (angstrom)."""
    theta = np.radians(lines.two_theta) / 2
    c = lines.index * lines.wavelength / (2 * np.sin(theta))
    return c, c / np.tan(theta) * np.radians(lines.error) / 2


def chi_square_of_cell(lines: Basal, cell: Cell, layers: int) -> tuple[float, float]:
    """Return chi-square of the positions for a published cell, alignment free: with c free, and with its published c.

    Parameters
    ----------
    lines
        Lines indexed on a cell of ``layers`` layers.
    cell
        The cell that is tried.
    layers
        Layers in c of the cell that the lines are indexed on.

    Returns
    -------
    tuple
        Chi-square with c free, and with ((c − c_published)/u)² added.
    """
    own = replace(lines, index=lines.index * cell.layers // layers)
    start = parameters(c=cell.c, sample_displacement=0.0, zero_shift=0.0)

    def residual(p: lmfit.Parameters, use_published: bool) -> np.ndarray:
        tension = (p["c"].value - cell.c) / cell.c_uncertainty
        return np.append(own.residual(**p.valuesdict()), tension if use_published else 0.0)

    free, published = (
        fit(residual, start, args=(use_published,), absolute_sigma=True).chi_square for use_published in (False, True)
    )
    return free, published


def largest_difference(one: Cell, other: Cell, orders: Sequence[int], wavelength: float) -> float:
    """Return the largest distance (degree 2θ) between lines of two published cells, for orders of the layer spacing."""
    positions = [bragg_two_theta(cell.c / cell.layers / np.asarray(orders), wavelength) for cell in (one, other)]
    return float(np.nanmax(np.abs(positions[0] - positions[1])))


def superlattice_indices(cell: Cell, wavelength: float, highest: float) -> list[tuple[int, float]]:
    """List index and position (degree) of the 00l lines that only a two-layer order without glide would show.

    They lie half way between the lines of the layers: l odd in a two-layer cell, l = 3(2n+1) in a six-layer one.
    """
    if cell.layers % 2:
        return []
    found = []
    for odd in range(1, 2 * math.ceil(2 * cell.c / wavelength), 2):
        index = odd * cell.layers // 2
        position = float(bragg_two_theta(cell.c / index, wavelength))
        if not position <= highest:
            break
        found.append((index, position))
    return found
