"""The fit that all techniques share: least squares, standard errors, and Akaike's criterion to compare models.

Peaks and laws are plain functions of numbers; a technique passes its residual function to `fit`. The fit is tested
with the certified data sets of NIST StRD (tests/test_fitting.py).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import lmfit
import numpy as np
from scipy.special import xlogy

from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Quantity, Status, measured
from relaxor.stats.adequacy import NOT_CONVERGED, judge
from relaxor.stats.optimizer import Optimum, Problem, central_differences

LEAST_EXPECTED = 1e-12
"""Smallest expected number of counts of a model; smaller values are replaced by this one."""


def poisson_residual(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return signed deviance residuals: their least squares is the maximum likelihood of Poisson counts.

    Unlike weights of 1/√counts, they are not biased for small counts. Baker & Cousins,
    doi 10.1016/0167-5087(84)90016-4.
    """
    expected = np.maximum(expected, LEAST_EXPECTED)
    excess = np.divide(expected - counts, counts, out=np.full(expected.shape, np.inf), where=counts > 0)
    # Close to the data, the deviance is a difference of nearly equal numbers, so that its series is used.
    near = np.abs(excess) < 1e-3
    deviance = 2 * (expected - counts + xlogy(counts, counts / expected))
    small = np.where(near, excess, 0.0)
    series = counts * small**2 * (1 - small * (2 / 3 - small * (1 / 2 - small * 2 / 5)))
    return np.sign(counts - expected) * np.sqrt(np.where(near, series, np.maximum(deviance, 0)))


@dataclass(frozen=True)
class Fit:
    """Result of a least-squares fit.

    Attributes
    ----------
    params
        lmfit parameters at the optimum; ``stderr`` holds standard errors.
    covariance
        Covariance matrix of the varying parameters, in the order of ``names``. Like the standard errors, it includes
        the misfit.
    chi_square
        Sum of squared residuals (−2 ln L up to a constant where residuals are standardized or deviances).
    n
        Number of residuals.
    residual
        Residuals at the optimum, shape (n,).
    adequacy
        Whether the model describes the data.
    held
        Parameters that ended at a bound; those of the others are conditional on them.
    """

    params: lmfit.Parameters
    names: tuple[str, ...]
    covariance: np.ndarray
    chi_square: float
    n: int
    absolute_sigma: bool
    residual: np.ndarray
    adequacy: Adequacy = ADEQUATE
    held: frozenset[str] = frozenset()

    @property
    def converged(self) -> bool:
        """Whether the search converged to a point that the data determine."""
        return self.adequacy.status != Status.NOT_IDENTIFIED

    @property
    def freedom(self) -> int:
        """Degrees of freedom, at least one."""
        return max(self.n - len(self.names), 1)

    @property
    def reduced_chi_square(self) -> float:
        """Chi-square per degree of freedom."""
        return self.chi_square / self.freedom

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
    def quality(self) -> dict[str, Any]:
        """Number of points, reduced chi-square and adequacy, as arguments of `relaxor.core.results.measured`.

        Where the residuals themselves gave the scale of the noise, chi-square says nothing and is left out.
        """
        known = self.reduced_chi_square if self.absolute_sigma else math.nan
        return {"n": self.n, "reduced_chi_square": known, "adequacy": self.adequacy}

    def value(self, name: str) -> float:
        """Return a parameter."""
        return float(self.params[name].value)

    def error(self, name: str) -> float:
        """Return a standard error (NaN where the search did not converge, 0 where the parameter is fixed)."""
        parameter = self.params[name]
        if parameter.stderr is not None:
            return float(parameter.stderr)
        return 0.0 if not parameter.vary and not parameter.expr else math.nan

    def estimate(self, name: str) -> tuple[float, float]:
        """Return a parameter and its standard error."""
        return self.value(name), self.error(name)

    def judged(self, name: str) -> tuple[float, float, Adequacy]:
        """Return a parameter, its standard error, and the judgement of both: that of the fit, and that of its bound."""
        return *self.estimate(name), self.adequacy_of(name)

    def adequacy_of(self, *names: str) -> Adequacy:
        """Return the judgement of a number that is made of some parameters."""
        found = self.adequacy
        for name in names:
            if name in self.held:
                value = f"{self.value(name):.4g}"
                found = found.joined(Adequacy(Status.AT_BOUND, 1.0, f"at bound: the fit ended at {name} = {value}"))
        return found

    def numbers(
        self, measurement: Measurement, model: str, quantities: Mapping[str, Quantity], method: str, **common: Any
    ) -> list[Number]:
        """Make a number of each parameter, with Student's interval if the scale was estimated.

        Parameters
        ----------
        quantities
            Quantity of each parameter of the fit.
        common
            Further fields of `Number` that all numbers share.
        """
        estimates = {quantity: self.judged(name) for name, quantity in quantities.items()}
        rows = measured(measurement, model, estimates, method, **self.quality, **common)
        return rows if self.absolute_sigma else [row.with_interval(self.freedom) for row in rows]


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
    ordered: bool = True,
) -> Fit:
    """Minimize the sum of squared residuals.

    Levenberg–Marquardt finds the minimum, Gauss–Newton steps with central differences refine it (forward differences
    stop two digits earlier), and the covariance is calculated at the minimum. If the search ends at a point where the
    data do not determine the parameters, it starts again from points around the start. Standard errors are NaN if it
    does not converge. A parameter that ends at a bound counts as fixed there, and the others are conditional on it; its
    own standard error is that of the curvature, see `relaxor.stats.intervals.profile_interval` for its interval.
    Whether the model describes the data is judged in every fit (`relaxor.stats.adequacy.judge`), and a misfit widens
    the errors.

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
    ordered
        Whether neighbouring residuals are neighbours on the axis of the data.

    Raises
    ------
    ValueError
        If the residual is not finite at the start, or there are fewer residuals than varying parameters.
    """
    start = np.asarray(residual(params, *args))
    varying = _varying(params)
    if not np.isfinite(start).all():
        bad = np.sum(~np.isfinite(start))
        raise ValueError(f"{bad} of {start.size} residuals are not finite at the start values")
    if start.size < len(varying):
        raise ValueError(f"{start.size} points cannot determine {len(varying)} parameters")
    problem = Problem(residual, params.copy(), tuple(args), varying, absolute_sigma, jacobian)
    best = problem.minimize()
    return _result(problem, best, problem.covariance(best), ordered=ordered)


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
        Parameters at the minimum, to the accuracy of the search.

    Raises
    ------
    ValueError
        If there are fewer residuals than varying parameters.
    """
    names = _varying(params)
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
    information of the expected counts, which remains correct for small counts (that of deviances does not).

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

    varying = _varying(params)
    problem = Problem(residual, params.copy(), tuple(args), varying, True, residual_slope if jacobian else None)
    best = problem.minimize()
    level = np.maximum(expected(problem.params, *args), LEAST_EXPECTED)
    information = slope(problem.params, *args) / np.sqrt(level)[:, None]
    return _result(problem, best, problem.covariance(best, information), level=level, counts=counts, slope=information)


def _varying(params: lmfit.Parameters) -> tuple[str, ...]:
    return tuple(name for name, parameter in params.items() if parameter.vary and not parameter.expr)


def _result(
    problem: Problem,
    best: Optimum,
    covariance: np.ndarray,
    *,
    ordered: bool = True,
    counts: np.ndarray | None = None,
    level: np.ndarray | None = None,
    slope: np.ndarray | None = None,
) -> Fit:
    """Turn an optimum into a `Fit`: standard errors of varying, constrained and fixed parameters.

    Parameters
    ----------
    counts, level, slope
        Observed and expected counts, and the derivatives of the latter in standard deviations, for a fit of counts.
    """
    params, residual = problem.params, best.residual
    for name, parameter in params.items():
        parameter.stderr = None
        if parameter.expr:
            constrained = partial(_value, name)
            gradient = central_differences(constrained, params, problem.names)[0]
            parameter.stderr = float(np.sqrt(gradient @ covariance @ gradient))
    steepness = np.linalg.norm(best.derivative if slope is None else slope, axis=0)
    scale = 1.0 if problem.absolute_sigma else math.sqrt(best.chi_square / max(residual.size - len(problem.names), 1))
    for index, (name, free) in enumerate(zip(problem.names, best.free, strict=True)):
        held = scale / steepness[index] if steepness[index] > 0 else math.nan
        params[name].stderr = math.sqrt(covariance[index, index]) if free else held
    fitted = Fit(
        params=params,
        names=problem.names,
        covariance=covariance,
        chi_square=best.chi_square,
        n=residual.size,
        absolute_sigma=problem.absolute_sigma,
        residual=residual,
        held=frozenset(name for name, free in zip(problem.names, best.free, strict=True) if not free),
    )
    if counts is None or level is None:
        return judged(fitted, residual, ordered=ordered)
    return judged(fitted, (counts - level) / np.sqrt(level), variance=2 + float(np.mean(1 / level)), ordered=ordered)


def judged(fitted: Fit, residual: np.ndarray, **how: Any) -> Fit:
    """Return a fit with its adequacy, and with its errors widened by a misfit.

    Parameters
    ----------
    fitted
        Result of a search, with the errors that the noise alone gives.
    residual, how
        Arguments of `relaxor.stats.adequacy.judge`.
    """
    if not np.isfinite(fitted.covariance).all():
        return replace(fitted, adequacy=NOT_CONVERGED)
    adequacy = judge(residual, fitted.freedom, absolute_sigma=fitted.absolute_sigma, **how)
    for parameter in fitted.params.values():
        if parameter.stderr is not None:
            parameter.stderr *= adequacy.scale
    return replace(fitted, adequacy=adequacy, covariance=fitted.covariance * adequacy.scale**2)


def _value(name: str, params: lmfit.Parameters) -> np.ndarray:
    params.update_constraints()  # otherwise an expression of another expression would be outdated
    return np.array([params[name].value])


def parameters(**values: float | tuple[float, float, float] | Mapping[str, Any]) -> lmfit.Parameters:
    """Build lmfit parameters: ``a=1.0`` free, ``a=(1.0, low, high)`` bounded, ``a={"value": …}`` with any options."""
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
