"""The rule by which every technique judges whether a model describes its data, and by how much a misfit widens errors.

The noise that a misfit is compared with never comes from the residuals of the same fit: it is that of counting, of
repeated readings or of a dark part, or it comes from the differences of neighbouring residuals, in which a smooth
misfit cancels.
"""

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from relaxor.core.results import ADEQUATE, Adequacy, Status

UNLIKELY = 0.01
"""Probability below which chance does not explain a misfit."""
FEWEST_NEIGHBOURS = 20
"""Smallest number of residuals whose order is examined."""
UNSUPPORTED = 10.0
"""A law whose AICc is higher than that of another by more than this has essentially no support; Burnham & Anderson,
doi 10.1177/0049124104268644."""
HOPELESS = 25.0
"""Reduced chi-square above which a model does not describe the data at all."""
NOT_CONVERGED = Adequacy(
    Status.NOT_IDENTIFIED, 1.0, "not identified: the search did not converge, or the data do not determine the model"
)
"""The judgement of a fit without a covariance."""


def judge(
    residual: np.ndarray,
    freedom: int,
    *,
    absolute_sigma: bool,
    variance: float = 2.0,
    ordered: bool = True,
) -> Adequacy:
    """Judge a fit by the size and by the order of its residuals.

    Both tests share the probability `UNLIKELY`. A misfit multiplies errors by the root of reduced chi-square (Birge,
    doi 10.1103/PhysRev.40.207) if the noise is known, and by the root of the number of neighbours that deviate together
    if they do.

    Parameters
    ----------
    residual
        Residuals in the order of the axis, shape (n,); in standard deviations where ``absolute_sigma``. Of counts,
        they are Pearson's, because the mean square of deviances is not one if the counts are small.
    freedom
        Degrees of freedom.
    absolute_sigma
        Whether the noise is known. If it was estimated from these residuals, only their order can show a misfit.
    variance
        Mean variance of the squared residuals: 2 for normal noise, more for small counts.
    ordered
        Whether neighbours in the array are neighbours on the axis.
    """
    total, found = float(residual @ residual), ADEQUATE
    if absolute_sigma and _chance(total, freedom, variance) < UNLIKELY / 2:
        reduced = total / freedom
        words = "the model does not describe the data" if reduced > HOPELESS else "the model misses the data"
        scale = math.sqrt(reduced)
        remark = f"misfit: {words} (chi-square {reduced:.3g} per degree of freedom); errors widened {scale:.2g} times"
        found = Adequacy(Status.MISFIT, scale, remark)
    return found.joined(judge_order(residual)) if ordered else found


def judge_order(residual: np.ndarray) -> Adequacy:
    """Judge residuals by their differences from point to point, in which a smooth misfit cancels (von Neumann's ratio).

    The ratio of the mean squared difference to the variance is 2 for independent residuals, with the variance
    4 (n − 2)/(n² − 1). Von Neumann, doi 10.1214/aoms/1177731677. If neighbours deviate together, the error of a
    parameter is larger than that of independent points by the root of the sum of their correlations.

    Parameters
    ----------
    residual
        Residuals in the order of the axis, shape (n,); the scale does not matter.
    """
    n = residual.size
    square = float(residual @ residual)
    if n < FEWEST_NEIGHBOURS or not square:
        return ADEQUATE
    ratio = float(np.sum(np.diff(residual) ** 2)) / square
    deviation = (ratio - 2) / math.sqrt(4 * (n - 2) / (n**2 - 1))
    if stats.norm.cdf(deviation) >= UNLIKELY / 2:
        return ADEQUATE
    scale = math.sqrt(together(residual))
    remark = (
        f"misfit: neighbouring residuals deviate together (a misfit or slow noise); errors widened {scale:.2g} times"
    )
    return Adequacy(Status.MISFIT, scale, remark)


def judge_beside(criterion: float, others: Mapping[str, float]) -> Adequacy:
    """Judge a law by others of the same data: noise may hide a misfit of one that a better law shows.

    Parameters
    ----------
    criterion
        Its AICc.
    others
        Law → AICc. Of few points, special cases of the law do not belong here: AICc prefers them to any law.
    """
    best = min(others, key=lambda law: others[law])
    if criterion <= others[best] + UNSUPPORTED:
        return ADEQUATE
    words = f"misfit: '{best}' describes the data better (AICc lower by {criterion - others[best]:.3g})"
    return Adequacy(Status.MISFIT, 1.0, words)


def together(residual: np.ndarray) -> float:
    """Return the number of neighbouring residuals that deviate together, at least one.

    It is the sum of the autocorrelation up to its first value that noise explains; Sokal,
    doi 10.1007/978-1-4899-0319-8_6.
    """
    n = residual.size
    padded = np.fft.rfft(residual, 2 * n)
    correlation = np.fft.irfft(padded * padded.conj(), 2 * n)[:n]
    correlation /= correlation[0]
    ends = np.flatnonzero(correlation[: n // 2] < 1 / math.sqrt(n))
    end = int(ends[0]) if ends.size else n // 2
    return max(1.0, 1 + 2 * float(correlation[1:end].sum()))


def _chance(chi_square: float, freedom: int, variance: float) -> float:
    """Return the probability of a larger chi-square, from the gamma distribution with its mean and its variance."""
    spread = variance / 2
    return float(stats.chi2.sf(chi_square / spread, freedom / spread))
