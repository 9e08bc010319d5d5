"""Which lines a spectrum shows: those that are expected, where they stand out of the noise, or whatever is there.

A line that is expected need not be there, and a fit finds the best place for it in noise too. It is therefore fitted
only where a line stands further out of the noise than chance makes the highest of all places where lines are looked
for; of a line that is not seen there is an upper limit of its area and nothing else.
"""

import math
from collections.abc import Collection, Mapping

import numpy as np
from scipy import stats
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from relaxor.core.results import CONFIDENCE
from relaxor.stats.fit import Fit
from relaxor.stats.line_shapes import SQRT_2LN2, voigt
from relaxor.stats.noise import mad_noise
from relaxor.techniques.raman.lines import AREA_OF_HEIGHT, SEARCH, START_FWHM, LineModel, baseline_basis, fit_lines

MOST_LINES, SMALLEST_LINE = 20, 0.02
"""Most lines that are looked for in one spectrum, and the least prominence of one as a part of the largest."""
CHANCE = 0.01
"""Probability that noise alone makes one of the lines that are expected."""
UNSEEN = (
    f"not seen: no line within {SEARCH:g} 1/cm stands out of the noise; limit: {CONFIDENCE:.0%}, one-sided, "
    f"where it is expected, {START_FWHM:g} 1/cm wide"
)
"""Method of the rows of a line that is not seen."""


def find_modes(shift: np.ndarray, spectrum: np.ndarray, significance: float, width: float) -> dict[float, float]:
    """Find the lines of a spectrum whose modes nobody named.

    Parameters
    ----------
    shift, spectrum
        Raman shift in 1/cm, ascending, and counts; shape (n,).
    significance
        Least prominence of a line in standard deviations of the smoothed spectrum.
    width
        Width of the instrument's response in 1/cm, over which the spectrum is smoothed.

    Returns
    -------
    dict
        Raman shift → full width at half prominence, ascending; the most prominent `MOST_LINES`, and none below
        `SMALLEST_LINE`.
    """
    step = float(np.median(np.diff(shift)))
    sigma = max(width / step / (2 * SQRT_2LN2), 1.0)
    smooth = gaussian_filter1d(spectrum, sigma)
    # The scatter of second differences is that of the points, times the root of 6; smoothing leaves a part of it.
    noise = float(mad_noise(np.diff(spectrum, 2))) / math.sqrt(6)
    noise /= math.sqrt(2 * math.sqrt(math.pi) * sigma)
    places, found = find_peaks(smooth, prominence=max(significance * noise, 1e-12), width=0)
    order = np.argsort(found["prominences"])[::-1][:MOST_LINES]
    kept = np.sort(order[found["prominences"][order] >= SMALLEST_LINE * found["prominences"].max(initial=0.0)])
    return {float(shift[places[i]]): float(found["widths"][i] * step) for i in kept}


def fit_seen_lines(
    shift: np.ndarray,
    spectrum: np.ndarray,
    noise: np.ndarray,
    centers: Mapping[str, float],
    gaussian_fwhm: float,
    degree: int,
    expected: Collection[str],
) -> tuple[Fit, LineModel, np.ndarray, dict[str, float]]:
    """Fit the lines that stand out of the noise.

    The fit begins with the lines that are plain to see. As long as one of the others stands out of what the fit
    leaves, the highest joins it. A search for the place and width of a line that is not there has no end.

    Parameters
    ----------
    shift, spectrum, noise, centers, gaussian_fwhm, degree
        As given to `fit_lines`.
    expected
        The lines that may not be there.

    Returns
    -------
    Fit, LineModel, numpy.ndarray, dict
        As of `fit_lines`, of the lines that are seen; each other line → upper limit of its area.
    """
    near = {name: shift[np.abs(shift - centers[name]) <= SEARCH] for name in centers if name in expected}
    least = stats.norm.isf(CHANCE / max(sum(places.size for places in near.values()), 1))
    pixel_noise = mad_noise(np.diff(spectrum)) / math.sqrt(2)
    start = LineModel(tuple(centers), shift, baseline_basis(shift, degree), gaussian_fwhm).start(spectrum, centers)
    seen = {name for name in centers if start[f"{name}_area"].value > AREA_OF_HEIGHT * least * pixel_noise}
    seen |= centers.keys() - near.keys()
    refused: set[str] = set()
    while True:
        kept = {name: center for name, center in centers.items() if name in seen - refused}
        fitted, model, sigma = fit_lines(shift, spectrum, noise, kept, gaussian_fwhm, degree)
        faint = {
            name
            for name in kept.keys() & near.keys()
            if fitted.value(f"{name}_area") <= least * fitted.error(f"{name}_area")
        }
        if faint:
            refused |= faint
            continue
        heights = {
            name: np.divide(*_further_areas(fitted, model, spectrum, sigma, near[name])).max(initial=-math.inf)
            for name in near
            if name not in seen
        }
        highest = max(heights, key=lambda name: heights[name], default="")
        if not highest or heights[highest] <= least:
            break
        seen.add(highest)
    limits = {}
    for name, center in centers.items():
        if name in kept:
            continue
        area, error = _further_areas(fitted, model, spectrum, sigma, np.array([center]))
        limits[name] = float(max(area[0], 0.0) + stats.norm.ppf(CONFIDENCE) * error[0])
    return fitted, model, sigma, limits


def _further_areas(
    fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the area that one more line, `START_FWHM` wide, would have at each of the places, and its error.

    Everything that was fitted gives way. Residuals that lines and baseline cannot follow hide a line as noise does.
    """
    fixed = np.linalg.qr(model.jacobian(fitted.params, spectrum, sigma))[0]
    shapes = [voigt(model.shift, 1.0, place, model.gaussian_fwhm, START_FWHM) / sigma for place in places]
    lines = np.array(shapes).reshape(-1, sigma.size).T
    lines -= fixed @ (fixed.T @ lines)
    weight = np.sum(lines**2, axis=0)
    left = -model.residual(fitted.params, spectrum, sigma)
    return lines.T @ left / weight, np.sqrt(fitted.reduced_chi_square / weight)
