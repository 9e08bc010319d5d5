"""The fit engine that every technique shares: least squares with honest errors and model comparison.

Peaks and laws are plain functions of numbers; a technique hands its residual function to `fit`. The engine is
proven on the certified data sets of NIST StRD (tests/test_fitting.py).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lmfit
import numpy as np
from scipy import stats
from scipy.special import wofz, xlogy

from relaxor.data import CONFIDENCE, Measurement, Number
from relaxor.optimum import Optimum, Problem, central_differences

PROFILE_STEPS = 24
PROFILE_TOLERANCE = 1e-3
"""Ends of a profile interval are found to this part of their distance: a tenth of the last digit quoted."""
LEAST_EXPECTED = 1e-12
"""Smallest number of counts that a model may expect; models that go below are held here."""
SQRT_2LN2 = math.sqrt(2 * math.log(2))


# --- line shapes: area is the integral over x, fwhm the full width at half maximum, in the unit of x
def gaussian(x: np.ndarray, area: float, center: float, fwhm: float) -> np.ndarray:
    """Return a Gaussian of given area."""
    sigma = fwhm / (2 * SQRT_2LN2)
    return area / (sigma * math.sqrt(2 * math.pi)) * np.exp(-0.5 * ((x - center) / sigma) ** 2)


def lorentzian(x: np.ndarray, area: float, center: float, fwhm: float) -> np.ndarray:
    """Return a Lorentzian of given area."""
    half = fwhm / 2
    return area / math.pi * half / ((x - center) ** 2 + half**2)


def pseudo_voigt(x: np.ndarray, area: float, center: float, fwhm: float, eta: float) -> np.ndarray:
    """Return ``eta`` Lorentzian + (1 − ``eta``) Gaussian of one width; doi 10.1107/S0021889887087090."""
    return eta * lorentzian(x, area, center, fwhm) + (1 - eta) * gaussian(x, area, center, fwhm)


def voigt(x: np.ndarray, area: float, center: float, fwhm_gaussian: float, fwhm_lorentzian: float) -> np.ndarray:
    """Return the convolution of a Gaussian and a Lorentzian, by the Faddeeva function."""
    sigma = fwhm_gaussian / (2 * SQRT_2LN2)
    z = ((x - center) + 0.5j * fwhm_lorentzian) / (sigma * math.sqrt(2))
    return area * wofz(z).real / (sigma * math.sqrt(2 * math.pi))


def voigt_fwhm(fwhm_gaussian: float, fwhm_lorentzian: float) -> float:
    """Return the width of a Voigt line to 0.02 %; Olivero & Longbothum, doi 10.1016/0022-4073(77)90161-3."""
    return 0.5346 * fwhm_lorentzian + math.sqrt(0.2166 * fwhm_lorentzian**2 + fwhm_gaussian**2)


# --- residuals
def poisson_residual(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return signed deviance residuals: their least squares is the maximum likelihood of Poisson counts.

    Unlike weights of 1/√counts they are not biased where counts are few. Baker & Cousins,
    doi 10.1016/0167-5087(84)90016-4.
    """
    expected = np.maximum(expected, LEAST_EXPECTED)
    excess = np.divide(expected - counts, counts, out=np.full(expected.shape, np.inf), where=counts > 0)
    # Close to the data the deviance is a difference of nearly equal numbers: use its series there.
    near = np.abs(excess) < 1e-3
    deviance = 2 * (expected - counts + xlogy(counts, counts / expected))
    small = np.where(near, excess, 0.0)
    series = counts * small**2 * (1 - small * (2 / 3 - small * (1 / 2 - small * 2 / 5)))
    return np.sign(counts - expected) * np.sqrt(np.where(near, series, np.maximum(deviance, 0)))


# --- the engine
@dataclass(frozen=True)
class Fit:
    """Result of a least-squares fit.

    Attributes
    ----------
    params
        lmfit parameters at the optimum; ``stderr`` holds standard errors.
    covariance
        Covariance matrix of the varying parameters, in the order of ``names``.
    chi_square
        Sum of squared residuals (−2 ln L up to a constant where residuals are standardized or deviances).
    n
        Number of residuals.
    """

    params: lmfit.Parameters
    names: tuple[str, ...]
    covariance: np.ndarray
    chi_square: float
    n: int
    absolute_sigma: bool
    residual: np.ndarray

    @property
    def reduced_chi_square(self) -> float:
        """Chi-square per degree of freedom."""
        return self.chi_square / max(self.n - len(self.names), 1)

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample term; Hurvich & Tsai, doi 10.1093/biomet/76.2.297.

        With residuals of known scale −2 ln L is chi-square; with unknown scale it is n ln(chi²/n), and the
        scale counts as one more parameter.
        """
        if self.absolute_sigma:
            k, deviance = len(self.names), self.chi_square
        else:
            k, deviance = len(self.names) + 1, self.n * math.log(self.chi_square / self.n)
        penalty = self.n - k - 1
        return deviance + 2 * k + 2 * k * (k + 1) / penalty if penalty > 0 else math.inf

    def value(self, name: str) -> float:
        """Return a parameter."""
        return float(self.params[name].value)

    def error(self, name: str) -> float:
        """Return a standard error (NaN where the covariance is singular, 0 where the parameter is fixed)."""
        parameter = self.params[name]
        if parameter.stderr is not None:
            return float(parameter.stderr)
        return 0.0 if not parameter.vary and not parameter.expr else math.nan

    def numbers(
        self, measurement: Measurement, model: str, units: Mapping[str, str], method: str, prefix: str = ""
    ) -> list[Number]:
        """Make one table row a parameter of ``units``; Student's interval where the scale was estimated."""
        dof = max(self.n - len(self.names), 1)
        quantile = stats.norm.ppf((1 + CONFIDENCE) / 2)
        if not self.absolute_sigma:
            quantile = stats.t.ppf((1 + CONFIDENCE) / 2, dof)
        return [
            Number(
                measurement.id,
                model,
                prefix + name,
                value := self.value(name),
                error := self.error(name),
                ci_low=value - quantile * error,
                ci_high=value + quantile * error,
                unit=unit,
                method=method,
                n=self.n,
                reduced_chi_square=self.reduced_chi_square,
                raw_sha256=measurement.attrs["raw_sha256"],
                origin=measurement.attrs["origin"],
            )
            for name, unit in units.items()
        ]


def fit(
    residual: Callable[..., np.ndarray],
    params: lmfit.Parameters,
    *,
    args: Sequence[Any] = (),
    absolute_sigma: bool,
    jacobian: Callable[..., np.ndarray] | None = None,
) -> Fit:
    """Minimize the sum of squared residuals.

    Levenberg–Marquardt finds the minimum, Gauss–Newton steps with central differences sharpen it (forward
    differences stop two digits earlier), and the covariance is taken there. If the search runs to a place
    where the data do not determine the parameters, it starts again from points spread around the start; standard
    errors are NaN where it does not converge. A parameter that ends at a bound counts as fixed there: its own
    standard error is NaN (`profile_interval` gives its interval), the others are conditional on it.

    Parameters
    ----------
    residual
        ``residual(params, *args) -> array``; standardized where ``absolute_sigma``.
    params
        Start values, bounds and constraints.
    absolute_sigma
        Whether the scale of the residuals is known (standardized or deviance residuals). If not, errors are
        scaled by the reduced chi-square.
    jacobian
        ``jacobian(params, *args) -> (n, n_varying) array`` of derivatives by the varying parameters
        (optional).

    Raises
    ------
    ValueError
        If the residual is not finite at the start, or there are fewer residuals than varying parameters.
    """
    start = np.asarray(residual(params, *args))
    varying = tuple(name for name, parameter in params.items() if parameter.vary and not parameter.expr)
    if not np.isfinite(start).all():
        bad = np.sum(~np.isfinite(start))
        raise ValueError(f"{bad} of {start.size} residuals are not finite at the start values")
    if start.size < len(varying):
        raise ValueError(f"{start.size} points cannot determine {len(varying)} parameters")
    problem = Problem(residual, params.copy(), tuple(args), varying, absolute_sigma, jacobian)
    best = problem.minimize()
    return _result(problem, best, problem.covariance(best))


def fit_counts(
    expected: Callable[..., np.ndarray],
    counts: np.ndarray,
    params: lmfit.Parameters,
    *,
    args: Sequence[Any] = (),
    jacobian: Callable[..., np.ndarray] | None = None,
) -> Fit:
    """Maximize the likelihood of Poisson counts.

    The minimum is that of `fit` with `poisson_residual`; the covariance is the inverse of the Fisher
    information of the expected counts, which stays right where counts are few (that of deviances does not).

    Parameters
    ----------
    expected
        ``expected(params, *args) -> array`` of expected counts, shape of ``counts``.
    counts
        Observed counts, shape (n,).
    params
        Start values, bounds and constraints.
    jacobian
        ``jacobian(params, *args) -> (n, n_varying) array``: derivatives of the *expected counts* by the varying
        parameters (optional).
    """

    def residual(trial: lmfit.Parameters, *arguments: Any) -> np.ndarray:
        return poisson_residual(counts, expected(trial, *arguments))

    def slope(trial: lmfit.Parameters, *arguments: Any) -> np.ndarray:
        if jacobian:
            return jacobian(trial, *arguments)
        return central_differences(lambda moved: expected(moved, *arguments), trial, varying)

    def residual_slope(trial: lmfit.Parameters, *arguments: Any) -> np.ndarray:
        level = np.maximum(expected(trial, *arguments), LEAST_EXPECTED)
        deviation = poisson_residual(counts, level)
        flat = np.abs(counts - level) < 1e-4 * level
        factor = np.where(flat, -1 / np.sqrt(level), (1 - counts / level) / np.where(flat, 1.0, deviation))
        return factor[:, None] * slope(trial, *arguments)

    varying = tuple(name for name, parameter in params.items() if parameter.vary and not parameter.expr)
    problem = Problem(residual, params.copy(), tuple(args), varying, True, residual_slope if jacobian else None)
    best = problem.minimize()
    deviation = np.sqrt(np.maximum(expected(problem.params, *args), LEAST_EXPECTED))
    return _result(problem, best, problem.covariance(best, slope(problem.params, *args) / deviation[:, None]))


def _result(problem: Problem, best: Optimum, covariance: np.ndarray) -> Fit:
    """Turn an optimum into a `Fit`: standard errors of varying, constrained and fixed parameters."""
    params = problem.params
    for name, parameter in params.items():
        parameter.stderr = None
        if parameter.expr:
            constrained = partial(_value, name)
            gradient = central_differences(constrained, params, problem.names)[0]
            parameter.stderr = float(np.sqrt(gradient @ covariance @ gradient))
    for index, (name, free) in enumerate(zip(problem.names, best.free, strict=True)):
        params[name].stderr = math.sqrt(covariance[index, index]) if free else math.nan
    return Fit(
        params=params,
        names=problem.names,
        covariance=covariance,
        chi_square=best.chi_square,
        n=best.residual.size,
        absolute_sigma=problem.absolute_sigma,
        residual=best.residual,
    )


def _value(name: str, params: lmfit.Parameters) -> np.ndarray:
    params.update_constraints()  # an expression of another expression is stale otherwise
    return np.array([params[name].value])


def profile_interval(
    residual: Callable[..., np.ndarray], fitted: Fit, name: str, *, args: Sequence[Any] = ()
) -> tuple[float, float]:
    """Return the profile-likelihood interval of one parameter (level `CONFIDENCE`).

    The parameter is moved away from its best value while all others are fitted again, until chi-square has
    risen by the quantile of chi²(1), or of s² F(1, n − k) where the scale of the residuals was estimated. The
    root of that rise is nearly linear in the parameter, so a secant finds each end in a few fits.
    Venzon & Moolgavkar, doi 10.2307/2347496.

    Parameters
    ----------
    residual, args
        As given to `fit`.
    fitted
        Its result.
    name
        A varying parameter.

    Returns
    -------
    low, high
        Ends of the interval in the unit of the parameter: its bound where the rise is not reached before,
        ±inf where it is not reached at all.
    """
    dof = max(fitted.n - len(fitted.names), 1)
    scale, quantile = 1.0, stats.chi2.ppf(CONFIDENCE, 1)
    if not fitted.absolute_sigma:
        scale, quantile = fitted.chi_square / dof, stats.f.ppf(CONFIDENCE, 1, dof)
    error = fitted.error(name)
    first = error if math.isfinite(error) and error > 0 else 0.1 * (abs(fitted.value(name)) or 1.0)
    target = math.sqrt(quantile)

    def end(side: int) -> float:
        params = fitted.params.copy()
        params[name].vary = False

        def rise(value: float) -> float:
            nonlocal params
            params[name].value = value
            moved = fit(residual, params, args=args, absolute_sigma=fitted.absolute_sigma)
            params = moved.params
            return math.sqrt(max(moved.chi_square - fitted.chi_square, 0.0) / scale)

        best, bound = fitted.value(name), params[name].max if side > 0 else params[name].min
        distance = _crossing(lambda away: rise(best + side * away), target, target * first, side * (bound - best))
        return best + side * distance

    return end(-1), end(+1)


def _crossing(rise: Callable[[float], float], target: float, first: float, room: float) -> float:
    """Return the distance at which ``rise`` (0 at 0) reaches the target, at most ``room``."""
    inside, inside_rise = 0.0, 0.0
    outside = math.inf
    distance = min(first, room)
    for _ in range(PROFILE_STEPS):
        reached = rise(distance)
        if abs(reached - target) < PROFILE_TOLERANCE * target or (reached < target and distance == room):
            return distance
        if distance == inside:  # the rise steps over the target: no number lies between
            return distance
        slope = (reached - inside_rise) / (distance - inside)
        if reached < target:
            inside, inside_rise = distance, reached
        else:
            outside = distance
        ahead = inside + (target - inside_rise) / slope if slope > 0 else math.inf
        distance = min(ahead, room, 4 * inside if math.isinf(outside) else (inside + 9 * outside) / 10)
    return math.inf if math.isinf(outside) else distance


def parameters(**values: float | tuple[float, float, float] | Mapping[str, Any]) -> lmfit.Parameters:
    """Build lmfit parameters: ``a=1.0`` free, ``a=(1.0, low, high)`` bounded, ``a={"value": …}`` anything."""
    result = lmfit.Parameters()
    for name, value in values.items():
        if isinstance(value, Mapping):
            result.add(name, **value)
        elif isinstance(value, tuple):
            result.add(name, value=value[0], min=value[1], max=value[2])
        else:
            result.add(name, value=value)
    return result


def combination(fitted: Fit, gradient: Mapping[str, float]) -> float:
    """Return the standard error of a quantity from its derivatives by varying parameters (delta method)."""
    vector = np.array([gradient.get(name, 0.0) for name in fitted.names])
    return float(np.sqrt(vector @ fitted.covariance @ vector))
