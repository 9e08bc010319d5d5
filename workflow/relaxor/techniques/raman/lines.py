"""Voigt lines on a Chebyshev baseline, and the noise of a CCD, fitted together.

The noise is estimated from the residuals (`relaxor.stats.noise`), and the fit repeated with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import lmfit
import numpy as np
from numpy.polynomial import chebyshev
from scipy.ndimage import median_filter
from scipy.special import wofz

from relaxor.stats.fit import Fit, fit
from relaxor.stats.line_shapes import SQRT_2LN2
from relaxor.stats.noise import linear_noise

SEARCH = 12.0
"""1/cm, to each side of the place where a line is expected: there it is looked for."""
START_FWHM = 5.0
"""1/cm, Lorentzian width at which a fit begins; a limit of an area is that of a line so wide."""
AREA_OF_HEIGHT = 8.0
"""1/cm, the area of such a line over its height, roughly."""


@dataclass(frozen=True)
class LineModel:
    """Voigt lines on a Chebyshev baseline, with its derivatives.

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
    """

    lines: tuple[str, ...]
    shift: np.ndarray
    basis: np.ndarray
    gaussian_fwhm: float

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
            params.add(f"{name}_fwhm", START_FWHM, min=0.2, max=60)
        for order, coefficient in enumerate(coefficients):
            params.add(f"baseline_{order}", coefficient)
        return params

    def values(self, params: lmfit.Parameters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the lines (one per row, shape (lines, n)), their scaled arguments z and Faddeeva values."""
        numbers = params.valuesdict()
        area, center, fwhm = (
            np.array([numbers[f"{name}_{key}"] for name in self.lines]) for key in ("area", "center", "fwhm")
        )
        z = (self.shift - center[:, None] + 0.5j * fwhm[:, None]) / self._scale
        w = wofz(z)
        return area[:, None] * w.real / (self._scale * math.sqrt(math.pi)), z, w

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
        numbers = params.valuesdict()
        area = np.array([numbers[f"{name}_area"] for name in self.lines])[:, None]
        slope = area * (-2 * z * w + 2j / math.sqrt(math.pi)) / (self._scale**2 * math.sqrt(math.pi))
        by_area = w.real / (self._scale * math.sqrt(math.pi))
        columns = np.stack([by_area, -slope.real, -0.5 * slope.imag], axis=1).reshape(-1, len(self.shift))
        return np.vstack([columns, self.basis.T]).T / sigma[:, None]


def fit_lines(
    shift: np.ndarray,
    spectrum: np.ndarray,
    noise: np.ndarray,
    centers: Mapping[str, float],
    gaussian_fwhm: float,
    degree: int,
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

    Returns
    -------
    Fit, LineModel, numpy.ndarray
        The fit, the model, and the standard deviation of each point, shape (n,).
    """
    model = LineModel(tuple(centers), shift, baseline_basis(shift, degree), gaussian_fwhm)

    def solve(params: lmfit.Parameters, sigma: np.ndarray, known: bool) -> Fit:
        return fit(model.residual, params, args=(spectrum, sigma), absolute_sigma=known, jacobian=model.jacobian)

    start = model.start(spectrum, centers)
    if np.isfinite(noise).all():
        return solve(start, noise, True), model, noise
    sigma = np.full(len(shift), max(float(np.std(np.diff(spectrum))), 1e-12))
    fitted = solve(start, sigma, False)
    for _ in range(2):
        sigma = _residual_noise(fitted, model, spectrum, sigma)
        fitted = solve(fitted.params, sigma, False)
    return fitted, model, sigma


def baseline_basis(shift: np.ndarray, degree: int) -> np.ndarray:
    """Return Chebyshev polynomials on the axis, shape (n, degree + 1)."""
    return chebyshev.chebvander(2 * (shift - shift[0]) / (shift[-1] - shift[0]) - 1, degree)


def _residual_noise(fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Estimate the noise from residuals; a point that pulls the fit towards itself is corrected by its leverage."""
    total = model.total(fitted.params)
    derivative = model.jacobian(fitted.params, spectrum, sigma)
    leverage = np.einsum("ij,jk,ik->i", derivative, fitted.covariance / fitted.reduced_chi_square, derivative)
    leverage = np.nan_to_num(leverage)  # not known where parameters cannot be told apart
    return linear_noise(total, (spectrum - total) ** 2 / np.clip(1 - leverage, 0.05, 1))
