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

from relaxor.core.results import CONFIDENCE, Estimate, Measurement, Number, Quantity
from relaxor.stats.optimizer import Optimum, Problem, central_differences

PROFILE_STEPS = 24
PROFILE_TOLERANCE = 1e-3
"""Ends of a profile interval are found to this part of their distance: a tenth of the last digit quoted."""
UNLIKELY = 0.01
"""Probability of a misfit below which it widens errors (Birge, doi 10.1103/PhysRev.40.207)."""
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
        """Akaike's criterion with the small-sample term, see `aicc`.

        With residuals of known scale −2 ln L is chi-square; with unknown scale it is n ln(chi²/n), and the
        scale counts as one more parameter.
        """
        if self.absolute_sigma:
            return aicc(self.chi_square, len(self.names), self.n)
        return aicc(self.n * math.log(self.chi_square / self.n), len(self.names) + 1, self.n)

    @property
    def quality(self) -> dict[str, float]:
        """Number of points and misfit, as fields of `relaxor.core.results.Number`."""
        return {"n": self.n, "reduced_chi_square": self.reduced_chi_square}

    def value(self, name: str) -> float:
        """Return a parameter."""
        return float(self.params[name].value)

    def error(self, name: str) -> float:
        """Return a standard error (NaN where the covariance is singular, 0 where the parameter is fixed)."""
        parameter = self.params[name]
        if parameter.stderr is not None:
            return float(parameter.stderr)
        return 0.0 if not parameter.vary and not parameter.expr else math.nan

    def estimate(self, name: str) -> Estimate:
        """Return a parameter and its standard error."""
        return self.value(name), self.error(name)

    def numbers(
        self, measurement: Measurement, model: str, quantities: Mapping[str, Quantity], method: str, **common: Any
    ) -> list[Number]:
        """Make a number of each parameter; Student's interval where the scale was estimated.

        Parameters
        ----------
        quantities
            Parameter of the fit → quantity.
        common
            Further fields of `Number` that all of them have.
        """
        dof = max(self.n - len(self.names), 1)
        quantile = stats.norm.ppf((1 + CONFIDENCE) / 2)
        if not self.absolute_sigma:
            quantile = stats.t.ppf((1 + CONFIDENCE) / 2, dof)
        return [
            Number(
                measurement.id,
                model,
                quantity.name,
                value := self.value(name),
                error := self.error(name),
                ci_low=value - quantile * error,
                ci_high=value + quantile * error,
                unit=quantity.known_unit,
                method=method,
                n=self.n,
                reduced_chi_square=self.reduced_chi_square,
                raw_sha256=measurement.attrs["raw_sha256"],
                origin=measurement.attrs["origin"],
                **common,
            )
            for name, quantity in quantities.items()
        ]


def aicc(deviance: float, k: int, n: float) -> float:
    """Return Akaike's criterion with the small-sample term; Hurvich & Tsai, doi 10.1093/biomet/76.2.297.

    Parameters
    ----------
    deviance
        −2 ln L at the maximum of the likelihood.
    k, n
        Number of estimated parameters and of independent points; the criterion is infinite unless n > k + 1.
    """
    return deviance + 2 * k + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf


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


def sharpened(
    residual: Callable[..., np.ndarray],
    params: lmfit.Parameters,
    *,
    absolute_sigma: bool,
    jacobian: Callable[..., np.ndarray],
) -> Fit:
    """Make the result of a minimum that another search has found: `fit` without the search.

    Parameters
    ----------
    residual, absolute_sigma, jacobian
        As given to `fit`.
    params
        At the minimum, as far as the search went.

    Raises
    ------
    ValueError
        If there are fewer residuals than varying parameters.
    """
    names = tuple(name for name, parameter in params.items() if parameter.vary and not parameter.expr)
    problem = Problem(residual, params, (), names, absolute_sigma, jacobian)
    best = problem.sharpen()
    if best.residual.size < len(names):
        raise ValueError(f"{best.residual.size} points cannot determine {len(names)} parameters")
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
    rise, target = profile_rise(fitted)
    error, best, held = fitted.error(name), fitted.value(name), fitted.params[name]
    first = error if math.isfinite(error) and error > 0 else 0.1 * (abs(best) or 1.0)
    side, places = np.array([-1, 1]), [fitted.params.copy() for _ in range(2)]

    def moved(ends: np.ndarray, distance: np.ndarray) -> np.ndarray:
        chi_square = np.empty(ends.size)
        for i, (end, away) in enumerate(zip(ends, distance, strict=True)):
            places[end][name].set(value=best + side[end] * away, vary=False)
            found = fit(residual, places[end], args=args, absolute_sigma=fitted.absolute_sigma)
            places[end], chi_square[i] = found.params, found.chi_square
        return rise(chi_square)

    room = np.array([best - held.min, held.max - best])
    low, high = best + side * crossings(moved, target, np.full(2, target * first), room)
    return float(low), float(high)


def profile_rise(fitted: Fit) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """Return what turns a chi-square into the root of its rise above the best one, and where an interval ends."""
    dof = max(fitted.n - len(fitted.names), 1)
    scale, quantile = 1.0, stats.chi2.ppf(CONFIDENCE, 1)
    if not fitted.absolute_sigma:
        scale, quantile = fitted.chi_square / dof, stats.f.ppf(CONFIDENCE, 1, dof)
    return lambda chi_square: np.sqrt(np.maximum(chi_square - fitted.chi_square, 0.0) / scale), math.sqrt(quantile)


def crossings(
    rise: Callable[[np.ndarray, np.ndarray], np.ndarray], target: float, first: np.ndarray, room: np.ndarray
) -> np.ndarray:
    """Return the distances at which functions that rise from 0 reach the target, by secants; all are searched at once.

    Parameters
    ----------
    rise
        ``rise(which, distance)``: the functions of the places ``which`` at these distances, both shape (m,).
    target
        What they are to reach.
    first
        Where each is looked at first, shape (b,).
    room
        Largest distance of each, shape (b,): returned where the target is not reached before.

    Returns
    -------
    numpy.ndarray
        Shape (b,); ∞ where the target is not reached at all.
    """
    inside, inside_rise, outside = np.zeros(first.size), np.zeros(first.size), np.full(first.size, math.inf)
    distance = np.minimum(first, room)
    searched = np.arange(first.size)
    for _ in range(PROFILE_STEPS):
        here = distance[searched]
        reached = rise(searched, here)
        # Where the next place is the last one, the rise steps over the target: no number lies between.
        found = (np.abs(reached - target) < PROFILE_TOLERANCE * target) | (here == inside[searched])
        going = ~found & ((reached >= target) | (here < room[searched]))
        searched, here, reached = searched[going], here[going], reached[going]
        if not searched.size:
            return distance
        start, below = inside[searched], reached < target
        with np.errstate(divide="ignore"):
            pace = (here - start) / (reached - inside_rise[searched])
        inside[searched[below]], inside_rise[searched[below]] = here[below], reached[below]
        outside[searched[~below]] = here[~below]
        start, end = inside[searched], outside[searched]
        ahead = np.where((pace > 0) & np.isfinite(pace), start + (target - inside_rise[searched]) * pace, math.inf)
        nearest = np.where(np.isinf(end), 4 * start, (start + 9 * end) / 10)
        distance[searched] = np.minimum(np.minimum(ahead, room[searched]), nearest)
    distance[searched] = np.where(np.isinf(outside[searched]), math.inf, distance[searched])
    return distance


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


def widening(fitted: Fit) -> float:
    """Return by what a misfit multiplies errors: the root of reduced chi-square, 1 where chance explains it.

    It is 1 too where the scale of the residuals was estimated: errors hold the misfit already.
    """
    chance = stats.chi2.sf(fitted.chi_square, fitted.n - len(fitted.names))
    return math.sqrt(fitted.reduced_chi_square) if fitted.absolute_sigma and chance < UNLIKELY else 1.0


def widened_method(method: str, scale: float) -> str:
    """Return the method of numbers whose errors were multiplied by `widening`."""
    return method if scale == 1 else f"{method}; errors widened {scale:.2g} times, as the law misses the points"


def combination(fitted: Fit, gradient: Mapping[str, float]) -> float:
    """Return the standard error of a quantity from its derivatives by varying parameters (delta method)."""
    vector = np.array([gradient.get(name, 0.0) for name in fitted.names])
    return float(np.sqrt(vector @ fitted.covariance @ vector))
