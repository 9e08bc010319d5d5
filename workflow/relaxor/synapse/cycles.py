"""Cycles of one experiment: which of them count, and the error of a mean over them.

Cycles are no independent repetitions. The first starts from the device as it was found, the next ones from what is
left of that: a tenth of them, and of more than three one at least, is left out, as is usual where a process has to come
to its steady state, and so are those after it that are still a transient to a device that goes round and round. The
others may drift, which is no scatter, and neighbours may be alike: the error of a mean over n cycles is that of their
scatter about a straight line, n (1 − ρ)/(1 + ρ) of them counting, with ρ the correlation of neighbours
(Zięba, doi 10.2478/v10178-010-0001-0).
"""

import math

import numpy as np
from scipy import stats

FEWEST_CYCLES = 3
SETTLING = 0.1
"""Part of the cycles that is left out in any case."""
DIFFERS = 0.01
"""Probability below which a leading cycle is no chance, but a transient."""
TRANSIENT = (
    "leading cycles that are left out: a tenth of them, as the device still settles (three are all needed), and those "
    "whose mean state in potentiation or depression lies outside the prediction (99 %, straight line) of those after it"
)


def transient_cycles(potentiation: np.ndarray, depression: np.ndarray) -> int:
    """Return how many leading cycles are a transient.

    The first tenth is one, as it starts from another state than the others. From the middle of the series backwards, a
    cycle ends it if the mean of its states, in potentiation or in depression, is outside what a straight line through
    the cycles after it predicts (two-sided; `DIFFERS` is shared by all cycles that are looked at and by both branches).
    Half of the cycles stay at least, and `FEWEST_CYCLES`.

    Parameters
    ----------
    potentiation, depression
        Conductance after each pulse, shape (cycles, N) and (cycles, M).
    """
    means = np.column_stack([potentiation.mean(axis=1), depression.mean(axis=1)])
    most = min(len(means) // 2, len(means) - FEWEST_CYCLES)
    least = min(most, math.ceil(SETTLING * len(means)))
    for cycle in range(most - 1, least - 1, -1):
        away, freedom = _beside_line(means[cycle:])
        if 2 * 2 * (most - least) * stats.t.sf(away.max(), freedom) < DIFFERS:
            return cycle + 1
    return least


def _beside_line(means: np.ndarray) -> tuple[np.ndarray, int]:
    """Return how many standard errors the first of each series lies beside a line through the others; their freedom."""
    after, number = means[1:], np.arange(1, len(means))
    line = np.polynomial.polynomial.polyfit(number, after, 1)
    scatter = after - np.polynomial.polynomial.polyval(number, line).T
    freedom = len(after) - 2
    variance = np.sum(scatter**2, axis=0) / freedom
    # At the place 0 a prediction has the errors of one cycle, of the mean and of the slope.
    lever = 1 + 1 / len(after) + number.mean() ** 2 / np.sum((number - number.mean()) ** 2)
    return np.abs(means[0] - line[0]) / np.sqrt(np.maximum(variance * lever, 1e-300)), freedom


def error_over_cycles(values: np.ndarray) -> np.ndarray:
    """Return the standard errors of means over cycles that may drift and be alike, shape (cycles, k) → (k,).

    The scatter is that about a straight line. The correlation of neighbours in it is freed from its bias of small
    samples; a negative one is not credited.
    """
    count = len(values)
    number = np.arange(count) - (count - 1) / 2
    scatter = values - values.mean(axis=0) - np.outer(number, number @ values / (number @ number))
    square = np.sum(scatter**2, axis=0)
    return np.sqrt(square / (count - 2) * inflation(scatter) / count)


def inflation(scatter: np.ndarray) -> np.ndarray:
    """Return (1 + ρ)/(1 − ρ) of the correlation ρ of neighbouring cycles, shape (cycles, k) → (k,)."""
    count = len(scatter)
    square = np.maximum(np.sum(scatter**2, axis=0), 1e-300)
    correlation = np.sum(scatter[1:] * scatter[:-1], axis=0) / square
    # Mean and slope taken off lower it by (2 + 4 ρ)/n.
    correlation = np.clip((correlation + 2 / count) / (1 - 4 / count) if count > 4 else 0 * square, 0.0, 0.9)
    return (1 + correlation) / (1 - correlation)
