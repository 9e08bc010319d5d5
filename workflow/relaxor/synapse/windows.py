"""Means over windows of a current, with standard errors that allow for drift and for correlated neighbours."""

import math
from collections.abc import Iterator

import numpy as np

from relaxor.core.results import NORMAL_QUANTILE

FEW = 10
"""A window of fewer samples takes its noise from the whole trace, because its own scatter is too uncertain."""
CHUNK = 2_000_000
"""Number of samples of windows that are averaged at once, which bounds the memory."""


def window_before(
    time: np.ndarray, stop: np.ndarray, floor: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of the window that ends with sample ``stop`` − 1 and does not reach below ``floor``."""
    end = np.maximum(stop - 1, 0)
    half = (time[end] - time[np.maximum(end - 1, 0)]) / 2
    first = np.searchsorted(time, time[end] - length + half)
    return np.maximum(np.minimum(first, stop - 1), np.minimum(floor, stop)), stop


def window_behind(
    time: np.ndarray, start: np.ndarray, ceiling: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of the window that begins with sample ``start`` and does not reach above ``ceiling``."""
    end = len(time) - 1
    begin = np.minimum(start, end)
    half = (time[np.minimum(begin + 1, end)] - time[begin]) / 2
    last = np.searchsorted(time, time[begin] + length - half)
    return start, np.minimum(np.maximum(last, start + 1), np.maximum(ceiling, start))


def window_means(
    time: np.ndarray, current: np.ndarray, first: np.ndarray, last: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Average the current over windows, with standard errors.

    The error is that of the scatter about a straight line in the window; a window of fewer than ten samples takes
    ``noise`` instead. Where neighbours are correlated, as in a first-order autoregression, n samples count as
    n (1 − ρ)/(1 + ρ) samples (Zięba, doi 10.2478/v10178-010-0001-0). ρ is the correlation in the window or the one
    common to all windows, whichever is larger, each if it is significant at 5 %; a negative one counts as zero.

    Parameters
    ----------
    time, current
        s, A, shape (n,); NaN values are left out.
    first, last
        Samples ``first`` … ``last`` − 1 of each window, shape (m,); may be empty.
    noise
        Standard deviation of a sample by the differences of neighbours, A.

    Returns
    -------
    mean, error
        A, shape (m,); NaN for a window without a number.
    """
    mean, square, correlation, count = np.full((4, len(first)), np.nan)
    for chosen in _chunks(first, last):
        parts = _chunk_sums(time, current, first[chosen], last[chosen])
        mean[chosen], square[chosen], correlation[chosen], count[chosen] = parts
    count[~(count > 0)] = np.nan
    own, common = _correlations(correlation, count)
    # The mean reduces the scatter by the share of its own error, and so does the slope.
    inflation = np.minimum((1 + own) / (1 - own), count)
    variance = square / np.maximum(count - 2 * inflation, count / 2)
    few = count < FEW
    variance[few] = noise**2 / (1 - common)
    return mean, np.sqrt(variance * inflation / count)


def _chunks(first: np.ndarray, last: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the windows that are not empty, in groups of bounded size."""
    full = np.flatnonzero(last > first)
    group = np.cumsum(last[full] - first[full]) // CHUNK
    yield from (part for part in np.split(full, np.flatnonzero(np.diff(group)) + 1) if part.size)


def _chunk_sums(
    time: np.ndarray, current: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, sum of squares about a straight line, correlation of neighbours there, and number of samples."""
    length = last - first
    at = np.cumsum(length) - length
    index = np.arange(length.sum()) + np.repeat(first - at, length)

    def total(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, at)

    known = np.isfinite(current[index])
    count = total(known.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total(np.where(known, current[index], 0.0)) / count
        lever = time[index] - np.repeat(time[first], length)
        lever = (lever - np.repeat(total(lever * known) / count, length)) * known
        residual = np.where(known, current[index] - np.repeat(mean, length), 0.0)
        slope = total(lever * residual) / total(lever**2)
        residual -= np.repeat(slope, length) * lever
        square = total(residual**2)
        product = np.append(residual[1:] * residual[:-1], 0.0)
        product[at[1:] - 1] = 0.0
        return mean, square, total(product) / square, count


def _correlations(correlation: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the correlation of neighbours that counts in each window, and the one common to all windows.

    The subtraction of mean and slope from n samples lowers it by (2 + 4 ρ)/n.
    """
    enough = (count >= FEW) & np.isfinite(correlation)
    unbiased = np.where(enough, correlation + (2 + 4 * correlation) / count, 0.0)
    common, samples = 0.0, count[enough].sum()
    if samples:
        average = float(np.average(unbiased[enough], weights=count[enough]))
        common = min(average, 0.99) if average > NORMAL_QUANTILE / math.sqrt(samples) else 0.0
    own = np.where(correlation + 2 / count > NORMAL_QUANTILE / np.sqrt(count), unbiased, 0.0)
    return np.clip(np.maximum(own, common), 0.0, 0.99), common
