"""Cycles of one experiment: which of them count, and the error of a mean over them.

Cycles are not independent repetitions. The first cycle starts from the device as it was found, the next ones from the
state that the cycle before has left. A tenth of the cycles, and at least one of more than three, is left out, as is
usual where a process has to reach its steady state; so are the cycles after them that still belong to a transient. The
other cycles may drift, which is not scatter, and neighbours may be correlated: the error of a mean over n cycles is
that of their scatter about a straight line, where n (1 − ρ)/(1 + ρ) cycles count, with ρ the correlation of neighbours
(Zięba, doi 10.2478/v10178-010-0001-0).
"""

import math

import numpy as np
from scipy import stats

FEWEST_CYCLES = 3
SETTLING = 0.1
"""Part of the cycles that is always left out."""
DIFFERS = 0.01
"""Probability of chance below which a leading cycle belongs to a transient."""
TRANSIENT = (
    "leading cycles that are left out: a tenth of them, as the device still settles (three are all needed), and those "
    "whose mean state in potentiation or depression lies outside the prediction (99 %, straight line) of those after it"
)


def transient_cycles(potentiation: np.ndarray, depression: np.ndarray) -> int:
    """Return how many leading cycles are a transient.

    The first tenth always is, because it starts from another state than the others. Going backwards from the middle of
    the series, the transient ends with the first cycle whose mean state, in potentiation or in depression, lies outside
    the prediction of a straight line through the cycles after it (two-sided; all cycles that are looked at and both
    branches share `DIFFERS`). At least half of the cycles, and `FEWEST_CYCLES`, are kept.

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
    """Return the distance of each first value from a line through the others, in standard errors, and the freedom."""
    after, number = means[1:], np.arange(1, len(means))
    line = np.polynomial.polynomial.polyfit(number, after, 1)
    scatter = after - np.polynomial.polynomial.polyval(number, line).T
    freedom = len(after) - 2
    variance = np.sum(scatter**2, axis=0) / freedom
    # The prediction for cycle 0 has the errors of one cycle, of the mean and of the slope.
    lever = 1 + 1 / len(after) + number.mean() ** 2 / np.sum((number - number.mean()) ** 2)
    return np.abs(means[0] - line[0]) / np.sqrt(np.maximum(variance * lever, 1e-300)), freedom


def error_over_cycles(values: np.ndarray) -> np.ndarray:
    """Return the standard errors of means over cycles that may drift and be correlated, shape (cycles, k) → (k,).

    The scatter is that about a straight line. The correlation of neighbours is corrected for its bias in small samples,
    and a negative correlation counts as zero.
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
    # The subtraction of mean and slope lowers it by (2 + 4 ρ)/n.
    correlation = np.clip((correlation + 2 / count) / (1 - 4 / count) if count > 4 else 0 * square, 0.0, 0.9)
    return (1 + correlation) / (1 - correlation)
