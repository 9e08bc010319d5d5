"""Intervals of fitted parameters from the profile likelihood."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from relaxor.core.results import CONFIDENCE
from relaxor.stats.fit import Fit, fit

PROFILE_STEPS = 24
PROFILE_TOLERANCE = 1e-3
"""Relative accuracy of the ends of a profile interval, which is a tenth of the last quoted digit."""


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
        Result of the fit.
    name
        A varying parameter.

    Returns
    -------
    low, high
        Ends of the interval in the unit of the parameter: its bound if the rise is not reached before,
        ±inf if it is not reached at all.
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
    """Return a function from chi-square to the root of its rise above the best one, and the end of an interval.

    A misfit widens the interval as it widens the standard errors.
    """
    scale, quantile = fitted.adequacy.scale**2, stats.chi2.ppf(CONFIDENCE, 1)
    if not fitted.absolute_sigma:
        scale, quantile = scale * fitted.reduced_chi_square, stats.f.ppf(CONFIDENCE, 1, fitted.freedom)
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
        Value that the functions must reach.
    first
        First distance for each function, shape (b,).
    room
        Largest distance for each function, shape (b,), which is returned if the target is not reached before.

    Returns
    -------
    numpy.ndarray
        Distances, shape (b,); ∞ if the target is not reached at all.
    """
    inside, inside_rise, outside = np.zeros(first.size), np.zeros(first.size), np.full(first.size, math.inf)
    distance = np.minimum(first, room)
    searched = np.arange(first.size)
    for _ in range(PROFILE_STEPS):
        here = distance[searched]
        reached = rise(searched, here)
        # If the next point equals the last one, the rise steps over the target: no number lies between.
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
