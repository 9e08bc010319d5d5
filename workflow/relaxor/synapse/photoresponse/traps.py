"""Traps of many kinds: the competing model of a response that two kinds of traps do not describe.

    ΔI(t) = J0 (P/P0)^alpha + Σ J_k y_k(t)

y_k is the filled part of the traps of kind k (`kinetics`). The kinds lie on a grid of decay times and of fillings
g·tau. Their currents J_k have one sign and are found by non-negative least squares (Lawson & Hanson,
doi 10.1137/1.9781611971217), which inverts relaxations for a distribution of times as Provencher does
(doi 10.1016/0010-4655(82)90173-4), but without a penalty on roughness. Predictions need the sum over the kinds only,
which is well determined although the currents of neighbouring kinds are not. The number of parameters is that of the
kinds with a current (Meyer & Woodroofe, doi 10.1214/aos/1015956708).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar, nnls

from relaxor.core.results import Adequacy
from relaxor.stats.fit import aicc
from relaxor.synapse.photoresponse.kinetics import Components, Light, Readings, solve
from relaxor.synapse.photoresponse.noise import Noise, ReadingNoise, Weights, covariance_of, estimate
from relaxor.synapse.photoresponse.reduction import Reduced

PER_DECADE = 4
"""Decay times per decade: neighbours are closer than data of a signal-to-noise ratio of 1000 can separate."""
BEYOND = 10.0
"""Longest decay time, in lengths of the longest run."""
FILLINGS = (0.03, 0.3, 1.0, 3.0, 30.0)
"""Filling rate times decay time at the power of reference: from nearly empty traps to nearly full ones."""
ROUNDS = 2
"""Number of fits, each with the noise that the residuals of the fit before show."""
AROUND = 0.3
"""Distance from the exponent of two kinds of traps within which that of many kinds is searched."""
EXPONENT_ACCURACY = 1e-3
QUANTILES = (0.1, 0.5, 0.9)
"""Parts of the current of all traps below the decay times that describe their distribution."""


@dataclass(frozen=True)
class Traps:
    """A fitted distribution of traps.

    Attributes
    ----------
    rates, times
        Filling rate at the power of reference (1/s) and decay time (s) of each kind that has a current, shape (kinds,).
    currents
        Prompt current at the power of reference, and current of each kind when it is full; A, shape (1 + kinds,).
    alpha
        Exponent of the power density in filling rates and prompt current.
    reference_power
        mW/cm^2.
    covariance
        Covariance of ``currents``, and last of ``alpha`` where it was fitted.
    noise
        Additive and multiplicative noise.
    adequacy
        Whether the distribution describes the data.
    aicc
        Akaike's criterion, comparable with that of two kinds of traps in `relaxor.synapse.photoresponse.response`.
    """

    rates: np.ndarray
    times: np.ndarray
    currents: np.ndarray
    alpha: float
    reference_power: float
    covariance: np.ndarray
    noise: Noise
    adequacy: Adequacy
    aicc: float

    @property
    def alpha_error(self) -> float:
        """Standard error of the exponent; NaN where there was one power only."""
        fitted = len(self.covariance) > self.currents.size
        return math.sqrt(self.covariance[-1, -1]) if fitted else math.nan

    def current(self, light: Light, time: np.ndarray) -> np.ndarray:
        """Predict the photocurrent, see `relaxor.synapse.photoresponse.response.Response.current`."""
        return _design(self._solved(light, time)) @ self.currents

    def slopes(self, light: Light, time: np.ndarray) -> np.ndarray:
        """Return the derivatives of `current` by what ``covariance`` is of, shape (n, k)."""
        return _slopes(self._solved(light, time), self.currents)[:, : len(self.covariance)]

    def quantiles(self) -> np.ndarray:
        """Return the decay times below which `QUANTILES` of the current under steady light of reference lie, s."""
        filling = self.rates * self.times
        share = np.abs(self.currents[1:]) * filling / (1 + filling)
        order = np.argsort(self.times)
        middle = np.cumsum(share[order]) - share[order] / 2
        return np.exp(np.interp(QUANTILES, middle / share.sum(), np.log(self.times[order])))

    def scaled(self, unit: float) -> "Traps":
        """Return the distribution with currents in a unit of this many of theirs."""
        factor = np.ones(len(self.covariance))
        factor[: self.currents.size] = unit
        covariance = self.covariance * np.outer(factor, factor)
        return replace(self, currents=self.currents * unit, covariance=covariance, noise=self.noise.scaled(unit))

    def _solved(self, light: Light, time: np.ndarray) -> Components:
        readings = Readings.at(light.relative(self.reference_power), time)
        return solve(readings, self.rates, self.times, self.alpha, self.alpha)


def fit_traps(reduced: Reduced, own: ReadingNoise, alpha: float, times: tuple[float, float], *, several: bool) -> Traps:
    """Fit a distribution of traps to all runs.

    Parameters
    ----------
    reduced
        The runs.
    own
        Noise of the readings, which does not come from a fit.
    alpha
        Exponent of two kinds of traps, around which it is searched.
    times
        Time between readings where it is shortest, and length of the longest run; s.
    several
        Whether there are several powers, so that the exponent can be fitted.
    """
    equal = Weights.equal(reduced)
    weights = replace(equal, scale=equal.scale / own.value)
    rates, decay = _grid(*times)

    def currents(trial: float) -> tuple[np.ndarray, float]:
        return _currents(weights.white, reduced, solve(reduced.readings, rates, decay, trial, trial))

    for _ in range(ROUNDS):
        if several:
            alpha = _least(lambda trial: currents(trial)[1], alpha)
        found, _ = currents(alpha)
        held = np.flatnonzero(found[1:])
        kinds, amplitudes = (rates[held], decay[held]), np.concatenate([found[:1], found[1:][held]])
        solved = solve(reduced.readings, *kinds, alpha, alpha)
        model = _design(solved) @ amplitudes
        slopes = _slopes(solved, amplitudes)[:, : amplitudes.size + several]
        residual = reduced.current - model
        noise, weights = estimate(equal, residual, model, slopes, covariance_of(weights.white(slopes)), own.value)
    white = weights.white(residual[:, None])[:, 0]
    adequacy = own.judged(white, white.size - 2 * equal.offset.size - slopes.shape[1])
    return Traps(
        rates=kinds[0],
        times=kinds[1],
        currents=amplitudes,
        alpha=alpha,
        reference_power=reduced.reference,
        covariance=covariance_of(weights.white(slopes)) * adequacy.scale**2,
        noise=noise,
        adequacy=adequacy,
        aicc=aicc(weights.deviance(white), slopes.shape[1], white.size),
    )


def _least(distance: Callable[[float], float], start: float) -> float:
    """Return the exponent of the least distance."""
    bounds = (start - AROUND, start + AROUND)
    return float(minimize_scalar(distance, bounds=bounds, method="bounded", options={"xatol": EXPONENT_ACCURACY}).x)


def _grid(shortest: float, longest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return filling rates and decay times of all kinds."""
    end = BEYOND * longest
    times = np.geomspace(shortest, end, round(PER_DECADE * math.log10(end / shortest)) + 1)
    rates = np.array(FILLINGS)[:, None] / times
    return rates.ravel(), np.broadcast_to(times, rates.shape).ravel()


def _currents(
    white: Callable[[np.ndarray], np.ndarray], reduced: Reduced, solved: Components
) -> tuple[np.ndarray, float]:
    """Return the currents, all of one sign, that come closest to the data, and their distance from them."""
    columns = white(np.column_stack([_design(solved), reduced.current]))
    triangle = np.asarray(np.linalg.qr(columns, mode="r"))
    design, data = triangle[:, :-1], triangle[:, -1]
    up, down = (nnls(sign * design, data) for sign in (1, -1))
    return (up[0], up[1]) if up[1] <= down[1] else (-down[0], down[1])


def _design(solved: Components) -> np.ndarray:
    return np.vstack([solved.prompt, solved.filled]).T


def _slopes(solved: Components, currents: np.ndarray) -> np.ndarray:
    """Return the derivatives of the photocurrent by the currents and, last, by the exponent; shape (n, kinds + 2)."""
    by_alpha = currents[0] * solved.prompt * solved.logarithm + currents[1:] @ solved.slopes[2]
    return np.column_stack([_design(solved), by_alpha])
