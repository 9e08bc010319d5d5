"""Voigt lines on a Chebyshev baseline, and the noise of a CCD, fitted together; and which lines a spectrum shows.

Where the accumulations do not show the noise, it is estimated from the second differences of the residuals, in which a
smooth misfit cancels, and the fit is repeated with it.

A line that is expected need not be there, and a fit finds the best place for it in noise too. It is therefore fitted
only where a line stands further out of the noise than chance makes the highest of all places where lines are looked
for; of a line that is not seen there is an upper limit of its area and nothing else.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import lmfit
import numpy as np
from numpy.polynomial import chebyshev
from scipy import stats
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import find_peaks
from scipy.special import wofz

from relaxor.core.results import CONFIDENCE
from relaxor.stats.fit import Fit, fit
from relaxor.stats.line_shapes import SQRT_2LN2, voigt
from relaxor.stats.noise import MAD_TO_SIGMA, linear_noise, mad_noise

SEARCH = 12.0
"""1/cm, to each side of the place where a line is expected: there it is looked for."""
START_FWHM = 5.0
"""1/cm, Lorentzian width at which a fit begins; a limit of an area is that of a line so wide."""
WIDEST = 60.0
"""1/cm, Lorentzian width above which a line is background; so is one wider than a third of the points."""
AREA_OF_HEIGHT = 8.0
"""1/cm, the area of such a line over its height, roughly."""
MOST_LINES, SMALLEST_LINE = 20, 0.02
"""Most lines that are looked for in one spectrum, and the least prominence of one as a part of the largest."""
FAR = 4.0
"""Standard deviations above which the difference of neighbours counts as this much in the estimate of the noise."""
CHANCE = 0.01
"""Probability that noise alone makes one of the lines that are expected."""
UNSEEN = (
    f"not seen: no line within {SEARCH:g} 1/cm stands out of the noise; limit: {CONFIDENCE:.0%}, one-sided, "
    f"where it is expected, {START_FWHM:g} 1/cm wide"
)
"""Method of the rows of a line that is not seen."""


@dataclass(frozen=True)
class LineModel:
    """Voigt lines on a Chebyshev baseline, with its derivatives.

    An asymmetric line is that of Breit, Wigner and Fano, (1 + s/q)²/(1 + s²) above its constant end, seen through the
    response; Fano, doi 10.1103/PhysRev.124.1866. It is the real part of the Faddeeva function and a multiple,
    2q/(q² − 1), of its imaginary part.

    Attributes
    ----------
    lines
        Names of the lines; each has ``<name>_area``, ``<name>_center`` and ``<name>_fwhm`` (of the Lorentzian).
    shift
        Raman shift, shape (n,).
    basis
        Chebyshev polynomials on the axis, shape (n, degree + 1).
    gaussian_fwhm
        Width of the instrument's response.
    asymmetric
        Names of the lines that also have ``<name>_asymmetry``.
    """

    lines: tuple[str, ...]
    shift: np.ndarray
    basis: np.ndarray
    gaussian_fwhm: float
    asymmetric: frozenset[str] = frozenset()

    @property
    def degree(self) -> int:
        """Degree of the baseline."""
        return self.basis.shape[1] - 1

    def start(self, spectrum: np.ndarray, centers: Mapping[str, float]) -> lmfit.Parameters:
        """Guess the parameters: heights above a smoothed spectrum at the places where lines are expected."""
        params = lmfit.Parameters()
        floor = median_filter(spectrum, max(len(spectrum) // 8, 3))
        coefficients = np.linalg.lstsq(self.basis, floor, rcond=None)[0]
        for name in self.lines:
            center = centers[name]
            near = np.abs(self.shift - center) < 6
            top = int(np.argmax(np.where(near, spectrum - floor, -np.inf)))
            height = max(float(spectrum[top] - floor[top]), 1e-3 * float(np.ptp(spectrum)), 1e-9)
            params.add(f"{name}_area", height * AREA_OF_HEIGHT)
            params.add(
                f"{name}_center", self.shift[top] if near.any() else center, min=center - SEARCH, max=center + SEARCH
            )
            params.add(f"{name}_fwhm", START_FWHM, min=0.2, max=min(WIDEST, np.ptp(self.shift) / 3))
            if name in self.asymmetric:
                params.add(f"{name}_asymmetry", 0.0)
        for order, coefficient in enumerate(coefficients):
            params.add(f"baseline_{order}", coefficient)
        return params

    def start_like(
        self, spectrum: np.ndarray, centers: Mapping[str, float], like: Mapping[str, lmfit.Parameter]
    ) -> lmfit.Parameters:
        """Return the places and widths of another fit, with the areas and the baseline that fit best with them."""
        params = self.start(spectrum, centers)
        for name in self.lines:
            for key in ("center", "fwhm"):
                params[f"{name}_{key}"].value = like[f"{name}_{key}"].value
            params[f"{name}_area"].value = 1.0
        shapes = np.vstack([self.values(params)[0], self.basis.T])
        values = np.linalg.lstsq(shapes.T, spectrum, rcond=None)[0]
        least = 1e-3 * float(np.max(np.abs(values[: len(self.lines)]), initial=1e-9))
        for name, area in zip(self.lines, values, strict=False):
            params[f"{name}_area"].value = max(float(area), least)
        for order, value in enumerate(values[len(self.lines) :]):
            params[f"baseline_{order}"].value = float(value)
        return params

    def values(self, params: lmfit.Parameters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the lines (one per row, shape (lines, n)), their scaled arguments z and Faddeeva values."""
        area, center, fwhm, asymmetry = self._each(params)
        z = (self.shift - center + 0.5j * fwhm) / self._scale
        w = wofz(z)
        return area * (w.real + asymmetry * w.imag) / (self._scale * math.sqrt(math.pi)), z, w

    def _each(self, params: lmfit.Parameters) -> np.ndarray:
        """Return area, place, width and asymmetry of each line, shape (4, lines, 1); zero where a line has none."""
        keys = ("area", "center", "fwhm", "asymmetry")
        numbers = [
            params[each].value if (each := f"{name}_{key}") in params else 0.0 for key in keys for name in self.lines
        ]
        return np.array(numbers).reshape(len(keys), -1, 1)

    @property
    def _scale(self) -> float:
        return self.gaussian_fwhm / (2 * SQRT_2LN2) * math.sqrt(2)

    def baseline(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the baseline, shape (n,)."""
        return self.basis @ np.array([params[f"baseline_{order}"].value for order in range(self.basis.shape[1])])

    def total(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the whole model, shape (n,)."""
        return self.values(params)[0].sum(axis=0) + self.baseline(params)

    def residual(self, params: lmfit.Parameters, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Return standardized residuals."""
        return (self.total(params) - spectrum) / sigma

    def jacobian(self, params: lmfit.Parameters, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Return derivatives of the residuals, shape (n, parameters): w′(z) = −2 z w + 2i/√π."""
        _, z, w = self.values(params)
        area, _, _, asymmetry = self._each(params)
        turned = 1 - 1j * asymmetry  # its product with w has the real part of the line
        norm = self._scale * math.sqrt(math.pi)
        slope = area * turned * (-2 * z * w + 2j / math.sqrt(math.pi)) / (self._scale * norm)
        by_area, by_asymmetry = (turned * w).real / norm, area * w.imag / norm
        columns: list[np.ndarray] = []
        for index, name in enumerate(self.lines):
            columns += [by_area[index], -slope[index].real, -0.5 * slope[index].imag]
            columns += [by_asymmetry[index]] if name in self.asymmetric else []
        return np.vstack([*columns, self.basis.T]).T / sigma[:, None]


def fit_lines(
    shift: np.ndarray,
    spectrum: np.ndarray,
    noise: np.ndarray,
    centers: Mapping[str, float],
    gaussian_fwhm: float,
    degree: int,
    asymmetric: Collection[str] = (),
    known: lmfit.Parameters | None = None,
    like: Mapping[str, lmfit.Parameter] | None = None,
) -> tuple[Fit, LineModel, np.ndarray]:
    """Fit lines and baseline, and the noise with them where it is not known.

    Parameters
    ----------
    shift, spectrum
        Raman shift in 1/cm, ascending, and counts; shape (n,).
    noise
        Standard deviation of the counts, shape (n,); NaN if not known.
    centers
        Name of a line → where to look for it.
    gaussian_fwhm
        Width of the instrument's response in 1/cm.
    degree
        Degree of the baseline.
    asymmetric
        Names of lines that are those of Breit, Wigner and Fano.
    known
        Parameters at which the search starts, if another fit has found some.
    like
        Parameters of a similar spectrum, such as the mean of a map: places and widths at which the search starts.

    Returns
    -------
    Fit, LineModel, numpy.ndarray
        The fit, the model, and the standard deviation of each point, shape (n,).
    """
    model = LineModel(tuple(centers), shift, baseline_basis(shift, degree), gaussian_fwhm, frozenset(asymmetric))

    def solve(params: lmfit.Parameters, sigma: np.ndarray, known: bool) -> Fit:
        return fit(model.residual, params, args=(spectrum, sigma), absolute_sigma=known, jacobian=model.jacobian)

    start = model.start(spectrum, centers) if like is None else model.start_like(spectrum, centers, like)
    for name, parameter in (known or {}).items():
        if name in start:
            start[name].set(value=parameter.value)
    if np.isfinite(noise).all():
        return solve(start, noise, True), model, noise
    sigma = np.full(len(shift), max(float(np.std(np.diff(spectrum))), 1e-12))
    fitted = solve(start, sigma, False)
    for _ in range(2):
        if known and not fitted.converged:  # the other fit stays
            break
        sigma = _difference_noise(fitted, model, spectrum, sigma)
        fitted = solve(fitted.params, sigma, False)
    return fitted, model, sigma


def baseline_basis(shift: np.ndarray, degree: int) -> np.ndarray:
    """Return Chebyshev polynomials on the axis, shape (n, degree + 1)."""
    return chebyshev.chebvander(2 * (shift - shift[0]) / (shift[-1] - shift[0]) - 1, degree)


def _difference_noise(fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Estimate the noise from second differences of residuals.

    A point that pulls the fit towards itself is corrected by its leverage, and few far points do not count.
    """
    total = model.total(fitted.params)
    followed = np.linalg.qr(model.jacobian(fitted.params, spectrum, sigma))[0]
    left = np.maximum(6 - np.sum(np.diff(followed, 2, axis=0) ** 2, axis=1), 0.3)
    square = np.diff(spectrum - total, 2) ** 2 / left
    usual = np.median(square) * MAD_TO_SIGMA**2 * np.ones_like(square)
    for _ in range(2):
        noise = linear_noise(total, np.pad(np.minimum(square, FAR**2 * usual), 1, mode="edge"))
        usual = noise[1:-1] ** 2
    # Few points on sharp lines do not show their noise; it is at least that of the photons that the quiet points show.
    quiet, level = float(noise.min()) ** 2, float(total.min())
    photons = min(quiet / level, 1.0) if level > 0 else 0.0
    return np.maximum(noise, np.sqrt(quiet + photons * (total - level)))


def criterion(fitted: Fit, sigma: np.ndarray) -> float:
    """Return Akaike's criterion of a fit whose noise may have been estimated for it."""
    return fitted.aicc + 2 * float(np.sum(np.log(sigma)))


# --- which lines there are
def covered(lines: Mapping[str, float], shift: np.ndarray) -> dict[str, float]:
    """Return the lines whose places lie on the axis."""
    return {name: center for name, center in lines.items() if shift[0] <= center <= shift[-1]}


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
    like: Mapping[str, lmfit.Parameter] | None = None,
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
    like
        As given to `fit_lines`.

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
        fitted, model, sigma = fit_lines(shift, spectrum, noise, kept, gaussian_fwhm, degree, like=like)
        areas = {name: fitted.estimate(f"{name}_area") for name in kept.keys() & near.keys()}
        faint = {name: area / error for name, (area, error) in areas.items() if not area > least * error}
        if faint:  # one by one: a misfit elsewhere, or a line that is not there, widens the errors of all
            refused.add(min(faint, key=lambda name: faint[name]))
            continue
        heights = {
            name: np.divide(*further_areas(fitted, model, spectrum, sigma, near[name])).max(initial=-math.inf)
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
        area, error = further_areas(fitted, model, spectrum, sigma, np.array([center]))
        limits[name] = float(max(area[0], 0.0) + stats.norm.ppf(CONFIDENCE) * error[0])
    return fitted, model, sigma, limits


def further_areas(
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
