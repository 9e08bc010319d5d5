"""The search of `relaxor.stats.fit.fit` for the nearest minimum, refined with accurate derivatives."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np
from scipy.stats import qmc

TOLERANCE = 1e-13
"""Relative tolerance of the least-squares solver, which certified digits require and which costs two iterations."""
SEARCH_CALLS = 500
"""Largest number of calls of the residual per parameter before the search stops."""
STALLED_CALLS = 20
"""Number of calls per parameter in which a search that goes on must come nearer to the minimum."""
NEARER = 1.0
"""Smallest gain of chi-square, in variances of a residual, that counts as coming nearer."""
NEAR_BOUND = 0.05
"""Distance from a bound, as a part of that between both bounds, from which a stalled search is moved to the bound."""
POLISHING_STEPS = 5
"""Largest number of Gauss–Newton steps after the solver; one step is usual."""
CONVERGED = 1e-7
"""Smallest length of a step, relative to the standard errors; shorter steps are not taken."""
ARRIVED = 0.1
"""Largest distance from the minimum, in standard errors, at which a search counts as converged."""
FRACTIONS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Fractions of the Gauss–Newton step that are tried before a search counts as not converged."""
SHORTEST = float(np.cbrt(np.finfo(float).eps))
"""Step of a derivative, relative to the parameter (or to one for a parameter of zero)."""
AT_BOUND = 1e-3
"""Distance from a bound, relative to the (conditional) standard error, below which a parameter is at the bound."""
SINGULAR = 1e12
"""Condition number of the scaled derivatives above which the data do not determine the parameters."""
VISIBLE = 1e3
"""Smallest significant difference, as a multiple of the rounding error of the residuals."""
LONGEST_STEP = 0.05
"""Longest step of a derivative, relative to the parameter (or to one for parameters below one)."""
REJECTED = 1e100
"""Largest residual, which also replaces NaN; its square is still finite."""
RESTARTS = 24
"""Number of starts that are tried if the first one fails."""
RESTART_CALLS = 20_000
"""Number of calls of the residual in further starts after which no other one is tried."""


@dataclass(frozen=True)
class Optimum:
    """A point in parameter space, with its residuals and derivatives.

    Attributes
    ----------
    values
        The varying parameters, shape (k,).
    residual, derivative
        Residuals, shape (n,), and their derivatives by the varying parameters, shape (n, k).
    free
        Which varying parameters change the residuals and are not held by a bound, shape (k,).
    independent
        Whether the data distinguish the free parameters.
    determined
        Whether, in addition, every parameter that is not held by a bound changes the residuals.
    """

    values: np.ndarray
    residual: np.ndarray
    derivative: np.ndarray
    free: np.ndarray
    independent: bool
    determined: bool

    @property
    def chi_square(self) -> float:
        """Sum of squared residuals."""
        return float(self.residual @ self.residual)


@dataclass(frozen=True)
class Problem:
    """A sum of squares to minimize, with the arguments of `relaxor.stats.fit.fit` and the names of varying parameters.

    ``params`` belongs to the problem and holds the last point, because a copy of lmfit parameters costs more than most
    models.
    """

    residual: Callable[..., np.ndarray]
    params: lmfit.Parameters
    args: tuple[Any, ...]
    names: tuple[str, ...]
    absolute_sigma: bool
    jacobian: Callable[..., np.ndarray] | None = None

    def minimize(self) -> Optimum:
        """Find the minimum, also from points around the start if the start leads to a flat region.

        The parameters are left at the minimum.
        """
        start = self._values()
        best, _ = self._descend(start)
        if not best.determined:
            found, calls = [best], 0
            for again in _spread(start):
                optimum, more = self._descend(again)
                found += [optimum] if optimum.determined else []
                calls += more
                if calls > RESTART_CALLS:
                    break
            best = min(found, key=lambda optimum: optimum.chi_square)
        self._place(best.values)
        return best

    def covariance(self, optimum: Optimum, derivative: np.ndarray | None = None) -> np.ndarray:
        """Return the covariance of the varying parameters, shape (k, k).

        It is zero for parameters that are not free. It is NaN if the data do not distinguish the free ones, or if the
        search has not converged.
        """
        size = len(self.names)
        if not optimum.independent or not self._has_arrived(optimum):
            return np.full((size, size), np.nan)
        derivative = optimum.derivative if derivative is None else derivative
        covariance = np.zeros((size, size))
        triangle, norms, _ = _triangle(derivative[:, optimum.free], optimum.residual)
        inverse = np.linalg.pinv(triangle) / norms[:, None]
        variance = self._scale(optimum.residual) ** 2
        covariance[np.ix_(optimum.free, optimum.free)] = inverse @ inverse.T * variance
        return covariance

    def _values(self) -> np.ndarray:
        return np.array([self.params[name].value for name in self.names])

    def _place(self, values: np.ndarray) -> None:
        for name, value in zip(self.names, values, strict=True):
            self.params[name].value = float(value)

    def _call(self, params: lmfit.Parameters, *args: Any) -> np.ndarray:
        # A step at which the model overflows is a bad step, not the end of the fit.
        with np.errstate(all="ignore"):
            residual = self.residual(params, *args)
        return np.clip(np.nan_to_num(residual, nan=REJECTED), -REJECTED, REJECTED)

    def _descend(self, start: np.ndarray) -> tuple[Optimum, int]:
        """Return the minimum next to a start, and the number of calls of the residual in the search."""
        self._place(start)
        if not self.names:
            return self.sharpen(), 0
        watch = _Watch(self)
        try:
            self._search(watch)
        except StalledError:
            for values in (self._at_bounds(watch.best), watch.best):
                self._place(values)
                optimum = self.sharpen()
                if optimum.chi_square <= watch.lowest and self._distance(optimum) <= ARRIVED:
                    return optimum, watch.calls
            self._place(watch.best)
            self._search(self._call)
            return self.sharpen(), watch.calls + SEARCH_CALLS
        return self.sharpen(), watch.calls

    def _search(self, residual: Callable[..., np.ndarray]) -> None:
        """Move the parameters to the minimum that the least-squares solver finds."""
        minimizer = lmfit.Minimizer(residual, self.params, fcn_args=self.args, calc_covar=False)
        derivative = {"Dfun": self.jacobian} if self.jacobian else {}
        tolerances = {
            "ftol": TOLERANCE,
            "xtol": TOLERANCE,
            "gtol": TOLERANCE,
            "max_nfev": SEARCH_CALLS * (len(self.names) + 1),
        }
        found = minimizer.minimize(method="leastsq", **tolerances, **derivative).params
        self._place(np.array([found[name].value for name in self.names]))

    def _at_bounds(self, values: np.ndarray) -> np.ndarray:
        """Return the values with those at the bounds that are near one, which a search comes near ever more slowly."""
        low, high = np.array([[self.params[name].min, self.params[name].max] for name in self.names]).T
        near = NEAR_BOUND * np.where(np.isfinite(high - low), high - low, 0.0)
        return np.where(values - low < near, low, np.where(high - values < near, high, values))

    def sharpen(self) -> Optimum:
        """Refine a point near the minimum by Gauss–Newton steps with accurate derivatives."""
        optimum = self._examine()
        for _ in range(POLISHING_STEPS):
            step = self._newton_step(optimum)
            if step is None:
                break
            self._place(optimum.values + step)
            trial = self._examine()
            if not trial.chi_square < optimum.chi_square:
                break
            optimum = trial
        return optimum

    def _examine(self) -> Optimum:
        params = self.params
        residual = self._call(params, *self.args)
        if self.jacobian:
            derivative = np.asarray(self.jacobian(params, *self.args))
        else:
            derivative = central_differences(lambda trial: self._call(trial, *self.args), params, self.names)
        norms = np.linalg.norm(derivative, axis=0)
        seen = np.isfinite(norms) & (norms > 0)
        slope = derivative.T @ residual
        near = AT_BOUND * self._scale(residual) / np.where(seen, norms, math.inf)
        value = self._values()
        low, high = np.array([[params[name].min, params[name].max] for name in self.names]).reshape(-1, 2).T
        held = ((value - low <= near) & (slope >= 0)) | ((high - value <= near) & (slope <= 0))
        free = seen & ~held
        independent = not free.any() or bool(np.linalg.cond(_triangle(derivative[:, free], residual)[0]) < SINGULAR)
        determined = independent and bool((seen | held).all())
        return Optimum(value, residual, derivative, free, independent, determined)

    def _newton_step(self, optimum: Optimum) -> np.ndarray | None:
        """Return a Gauss–Newton step of the varying parameters, or None if they would not change."""
        if not optimum.independent or not optimum.free.any():
            return None
        if self._distance(optimum) <= CONVERGED:
            return None
        triangle, norms, projected = _triangle(optimum.derivative[:, optimum.free], optimum.residual)
        step = np.zeros_like(optimum.values)
        step[optimum.free] = -np.linalg.lstsq(triangle, projected, rcond=None)[0] / norms
        return step

    def _distance(self, optimum: Optimum) -> float:
        """Return the distance to the minimum: the change of the residuals, in their standard deviations."""
        projected = _triangle(optimum.derivative[:, optimum.free], optimum.residual)[2]
        return float(np.linalg.norm(projected)) / (self._scale(optimum.residual) or 1.0)

    def _has_arrived(self, optimum: Optimum) -> bool:
        """Return whether the minimum is near, or lies in a kink of the model.

        Where segments join at a reading, the derivatives of its two sides differ. Derivatives across it predict a gain
        even at the minimum. Unlike on a smooth slope, a short step does not reach this gain, and no longer step gains
        as much as it would if the minimum were not near.
        """
        distance, scale = self._distance(optimum), self._scale(optimum.residual)
        step = self._newton_step(optimum) if distance > ARRIVED else None
        if step is None:
            return True

        def gain(fraction: float) -> float:
            self._place(optimum.values + fraction * step)
            change = self._call(self.params, *self.args) - optimum.residual
            return -float(change @ (2 * optimum.residual + change))

        moved = step != 0
        size = np.where(optimum.values == 0, 1.0, np.abs(optimum.values))[moved]
        short = float(np.min(SHORTEST * size / np.abs(step[moved])))
        given, most = gain(short), max(map(gain, FRACTIONS))
        self._place(optimum.values)
        promised = 2 * short * (distance * scale) ** 2
        return given < promised / 2 and most <= (ARRIVED * scale) ** 2

    def _scale(self, residual: np.ndarray) -> float:
        """Return the standard deviation of a residual."""
        if self.absolute_sigma:
            return 1.0
        return math.sqrt(residual @ residual / max(residual.size - len(self.names), 1))


class StalledError(Exception):
    """A search hardly comes nearer to the minimum, as happens on the way to a bound."""


class _Watch:
    """The residuals of a problem during a search, which end it when it has stalled.

    Attributes
    ----------
    calls
        Number of calls so far.
    lowest, best
        The smallest chi-square so far, and the values of the varying parameters there.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.calls, self.best = problem, 0, problem._values()
        self.lowest = self._mark = math.inf
        self._marked = 0

    def __call__(self, params: lmfit.Parameters, *args: Any) -> np.ndarray:
        residual = self.problem._call(params, *args)
        chi_square, names = float(residual @ residual), self.problem.names
        self.calls += 1
        if chi_square < self.lowest:
            self.lowest, self.best = chi_square, np.array([params[name].value for name in names])
        if not chi_square > self._mark - NEARER * self.problem._scale(residual) ** 2:
            self._mark, self._marked = chi_square, self.calls
        elif self.calls - self._marked > STALLED_CALLS * (len(names) + 1):
            raise StalledError
        return residual


def _triangle(derivative: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduce derivatives (n, k) to the triangle R of a QR decomposition of their columns scaled to one.

    Returns
    -------
    R, norms, projected
        Shape (k, k); lengths of the columns, (k,); the residual in the base of Q, (k,).
    """
    norms = np.linalg.norm(derivative, axis=0)
    reduced = np.asarray(np.linalg.qr(np.column_stack([derivative / norms, residual]), mode="r"))
    size = norms.size
    return reduced[:size, :size], norms, reduced[:size, size]


def central_differences(
    function: Callable[[lmfit.Parameters], np.ndarray], params: lmfit.Parameters, names: Sequence[str]
) -> np.ndarray:
    """Differentiate a function of parameters, within their bounds.

    A step whose effect is below the rounding error is lengthened; a parameter without any effect gets zeros.

    Parameters
    ----------
    function
        Parameters → array of shape (n,).
    params
        The point of differentiation. The parameters are changed and restored, not copied.
    names
        The k parameters to differentiate by.

    Returns
    -------
    numpy.ndarray
        Shape (n, k).
    """
    base = np.asarray(function(params), dtype=float)
    rounding = VISIBLE * np.finfo(float).eps * np.linalg.norm(base)

    def difference(name: str) -> np.ndarray:
        parameter, value = params[name], params[name].value
        step = SHORTEST * (abs(value) or 1.0)
        longest = LONGEST_STEP * max(abs(value), 1.0)
        column = np.zeros_like(base)
        while step <= longest:
            parameter.value = max(value - step, parameter.min)
            low, below = parameter.value, np.array(function(params), dtype=float)
            parameter.value = min(value + step, parameter.max)
            high, above = parameter.value, np.array(function(params), dtype=float)
            if np.linalg.norm(above - below) > rounding:
                column = (above - below) / (high - low)
                break
            step *= 100
        parameter.value = value
        return column

    return np.column_stack([difference(name) for name in names]) if names else np.empty((base.size, 0))


def _spread(start: np.ndarray) -> Iterator[np.ndarray]:
    """Yield other starts: every value times 1/10 to 10, evenly spread in the logarithm, always the same."""
    for point in qmc.Halton(start.size, scramble=False).random(RESTARTS + 1)[1:]:
        yield start * 10 ** (2 * point - 1)
