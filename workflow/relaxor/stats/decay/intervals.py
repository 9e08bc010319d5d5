"""Intervals of a fitted law, from the profile likelihood and from a parametric bootstrap."""

import math
from dataclasses import replace

import numpy as np

from relaxor.stats.decay.laws import Decay, chi_square_beside
from relaxor.stats.decay.search import refine
from relaxor.stats.fit import Fit
from relaxor.stats.intervals import crossings, profile_rise

REPLICATES = 200
SEED = 20250


def profile_decay(decay: Decay, fitted: Fit) -> dict[str, tuple[float, float]]:
    """Return the profile-likelihood interval of every quoted parameter; for tau and beta in their logarithm.

    While a parameter is held fixed, the others are searched from the best point of the grid and from their last values,
    because the profile of a sum of exponentials has local minima in which a search that only follows the last step
    would end. Both ends of all parameters are followed together.

    Returns
    -------
    dict
        Ends of the interval of each parameter. If the data set no end, tau and beta reach 0 or ∞, and the others ±∞.
    """
    names = decay.quoted
    value, error = (np.array([part(name) for name in names]) for part in (fitted.value, fitted.error))
    logarithmic = np.arange(len(names)) >= len(decay.linear)
    error, value = np.where(logarithmic, error / value, error), np.where(logarithmic, np.log(np.abs(value)), value)
    low, high = np.full((2, len(names)), [[-math.inf], [math.inf]])
    low[logarithmic], high[logarithmic] = decay.limits[:, 0, None]
    if decay.law.stretched:
        low[-1], high[-1] = decay.limits[:, 1]
    held = _Held(decay, np.repeat(np.arange(len(names)), 2), np.array([fitted.value(name) for name in decay.law.shape]))
    side, start = np.tile([-1.0, 1.0], len(names)), np.repeat(value, 2)
    rise, target = profile_rise(fitted)

    def moved(rows: np.ndarray, distance: np.ndarray) -> np.ndarray:
        return rise(held.chi_square(rows, start[rows] + side[rows] * distance))

    first = np.repeat(np.where(error > 0, error, 0.1 * np.abs(value) + 1e-300), 2)
    room = np.where(side < 0, start - np.repeat(low, 2), np.repeat(high, 2) - start)
    ends = start + side * crossings(moved, target, target * first, np.maximum(room, 0.0))
    margin = 1e-9 * (high - low)
    return {
        name: (bottom, top)
        if not logarithmic[i]
        else (
            math.exp(bottom) if bottom > low[i] + margin[i] else 0.0,
            math.exp(top) if top < high[i] - margin[i] else math.inf,
        )
        for i, (name, (bottom, top)) in enumerate(zip(names, ends.reshape(-1, 2).tolist(), strict=True))
    }


class _Held:
    """Copies of a decay, in each of which one of its quoted parameters is held.

    Parameters
    ----------
    parameter
        Place among the quoted parameters of what each copy holds, shape (b,).
    shape
        Shape of the best fit, at which all searches begin.
    """

    def __init__(self, decay: Decay, parameter: np.ndarray, shape: np.ndarray) -> None:
        self.decay, self.parameter = decay, parameter
        size, terms = len(decay.linear), decay.law.terms
        tau = (parameter >= size) & (parameter < size + terms)
        self.anchor = np.where(tau, parameter - size, 0)
        self.pin = (parameter[:, None] == np.arange(size)) * 1.0
        self.last = np.tile(shape, (parameter.size, 1))
        self.last[:, 0] = decay.law.log_taus(shape)[self.anchor]

    def chi_square(self, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the least chi-square of some copies with what each holds at a value (tau and beta: its logarithm)."""
        decay, pin = self.decay, self.pin[rows]
        held = replace(decay, anchor=np.tile(self.anchor[rows], 2), pin=np.tile(pin, (2, 1)))
        limits = np.tile(decay.limits[:, None], (1, rows.size, 1))
        linear = pin.any(axis=1)
        beta = self.parameter[rows] == len(decay.linear) + decay.law.terms
        limits[:, np.flatnonzero(~linear), beta[~linear] * 1] = value[~linear]
        target = np.column_stack([np.tile(decay.target, (rows.size, 1)), np.where(linear, decay.tie * value, 0.0)])
        starts = np.concatenate([self._on_grid(rows, value), self.last[rows]])
        shapes, _, residual = refine(held, starts, np.tile(target, (2, 1)), np.tile(limits, (1, 2, 1)))
        chi_square = np.sum(residual**2, axis=-1).reshape(2, -1)
        lesser = np.argmin(chi_square, axis=0), np.arange(rows.size)
        self.last[rows] = shapes.reshape(2, rows.size, -1)[lesser]
        return chi_square[lesser]

    def _on_grid(self, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the best shape of the grid for each copy: chi-square is a parabola in what is linear."""
        decay = self.decay
        base, inverse = decay.grid_base
        linear = np.einsum("gij,gj->gi", inverse, np.einsum("gnm,n->gm", base, decay.target))
        variance = np.sum(inverse**2, axis=-1)
        quoted = np.column_stack([linear, decay.law.log_taus(decay.grid), decay.grid[:, 1:]])
        starts = np.empty((rows.size, decay.grid.shape[1]))
        for i, (row, held) in enumerate(zip(rows, value, strict=True)):
            which = self.parameter[row]
            away = np.abs(quoted[:, which] - held)
            if which < linear.shape[1]:
                cost = decay.grid_chi_square + away**2 / np.maximum(variance[:, which], 1e-300)
            else:
                cost = np.where(away < away.min() + 1e-9, decay.grid_chi_square, math.inf)
            best = np.argmin(cost)
            starts[i] = decay.grid[best]
            starts[i, 0] = decay.law.log_taus(decay.grid[best])[self.anchor[row]]
        return starts


def bootstrap_decay(decay: Decay, fitted: Fit) -> dict[str, np.ndarray]:
    """Fit the law again to data drawn from the fitted one with its noise (parametric bootstrap).

    The noise is normal with ``sigma``, or with the scatter about the fit if sigma is not known. Each replicate
    starts at the best point of the grid.

    Returns
    -------
    dict
        The `REPLICATES` values of each parameter.
    """
    scale = 1.0 if fitted.absolute_sigma else math.sqrt(fitted.reduced_chi_square)
    noise = np.random.default_rng(SEED).standard_normal((REPLICATES, decay.x.size))
    targets = decay.target + fitted.residual + scale * noise
    starts = decay.grid[np.argmin(chi_square_beside(decay.grid_base[0], targets), axis=0)]
    shapes, linear, _ = refine(decay, starts, targets, decay.limits)
    found = dict(zip(decay.linear, linear.T, strict=True))
    found |= dict(zip(decay.law.taus, np.exp(decay.law.log_taus(shapes)).T, strict=True))
    return found | ({"beta": np.exp(shapes[:, 1])} if decay.law.stretched else {})
