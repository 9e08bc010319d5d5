"""Endurance: the window of two states against the number of cycles, and the cycles after which a part of it is left.

A window that wears out falls, gradually or at once, and its readings scatter. The law that never rises and misses the
logarithms of the readings least (isotonic regression, Barlow & Brunk, doi 10.1080/01621459.1972.10481216) follows both
kinds of ends without a width of smoothing; the first reading at which it lies below the part of the first window is the
end. Its error is that of the same search in data whose residuals are drawn again, with the gap between two readings. An
end that the scatter alone may make is a lower limit.
"""

import math

import numpy as np
from scipy.optimize import isotonic_regression

from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, Status, measured
from relaxor.techniques.endurance import quantities as q
from relaxor.techniques.endurance.columns import Series

FEWEST = 5
"""Smallest number of readings whose scatter is told."""
FIRST_ERROR = 0.05
"""Error of the logarithm of the first window that is aimed at, by the mean of as many readings as that needs."""
LARGEST_FIRST = 0.2
"""Largest part of the readings that count as the first window."""
OUTLIER = 5.0
"""Standard deviations from the median of three neighbours beyond which a single reading is left out."""
SEEN = 2.0
"""Standard errors by which the window must lie below its limit after the end."""
DRAWS, NEVER = 100, 0.05
"""Number of searches in drawn data, and the share of them without an end that makes the end a limit."""


def endurance_rows(measurement: Measurement, name: str, series: Series, part: float) -> list[Number]:
    """Return the first, largest and last reading of a series, and of a window the cycles that it endures.

    Parameters
    ----------
    name
        Feature of the numbers.
    part
        Part of the first window that is left at the end.
    """
    scatter = scatter_of(np.log(series.value))
    known = "error: scatter from point to point" if math.isfinite(scatter) else "error not known from so few points"
    rows = []
    for quantity, place in ((q.FIRST, 0), (q.LARGEST, int(np.argmax(series.value))), (q.LAST, -1)):
        reading = float(series.value[place])
        value = {quantity.in_unit(series.unit): (reading, math.expm1(scatter) * reading)}
        common = {"feature": name, "at": float(series.at[place]), "at_unit": "1", "n": series.value.size}
        rows += measured(measurement, q.ENDURANCE, value, f"as read; {known}", **common)
    if series.window:
        rows.append(_endured(measurement, name, series, part))
    return rows


def scatter_of(values: np.ndarray) -> float:
    """Return the scatter from point to point, from the median of second differences; NaN of few points."""
    if values.size < FEWEST:
        return math.nan
    return float(np.median(np.abs(np.diff(values, 2)))) / (0.6745 * math.sqrt(6))


def _endured(measurement: Measurement, name: str, series: Series, part: float) -> Number:
    left, logarithm = _without_outliers(np.log(series.value)), np.log(series.at.clip(0.5))
    scatter = float(np.nan_to_num(scatter_of(left)))
    first = _first(left.size, scatter)
    law = -isotonic_regression(-left).x
    limit = float(left[:first].mean()) + math.log(part)
    end = _end(law, limit)
    method = f"{part:g} of the first window (mean of {first}) is left, by a law that never rises"
    if end == left.size:
        reached, why = series.at[-1], f"{math.exp(law[-1] - limit) * part:.3g} of it is left after the last cycle"
    else:
        drawn = _ends_of_draws(law, _residual(left, law, scatter), first, part)
        below = (limit - float(left[end:].mean())) / max(scatter, 1e-12)
        seen = below / math.sqrt(1 / (left.size - end) + 1 / first) > SEEN
        if seen and np.mean(drawn == left.size) <= NEVER:
            value = {q.ENDURED_CYCLES: _cycles(logarithm, end, drawn)}
            return measured(measurement, q.ENDURANCE, value, method, feature=name, n=left.size)[0]
        reached = series.at[max(int(np.quantile(drawn, NEVER)) - 1, 0)]
        why = f"scatter alone may make the end at {series.at[end]:.4g}"
    value = {q.ENDURED_CYCLES: (float(reached), math.nan)}
    (row,) = measured(measurement, q.ENDURANCE, value, method, feature=name, n=left.size)
    return row.flagged(Status.LIMIT, f"a lower limit: {why}")


def _cycles(logarithm: np.ndarray, end: int, drawn: np.ndarray) -> tuple[float, float]:
    """Return the number of cycles in the middle before an end, and its error, by the logarithms of the cycles.

    The logarithm has the symmetric interval; the error is that by which the upper end of the interval is right.
    """
    last = logarithm.size - 1
    middles = np.append(logarithm[:1], (logarithm[1:] + logarithm[:-1]) / 2)
    gap = float(logarithm[end] - logarithm[max(end - 1, 0)]) / math.sqrt(12)
    error = math.hypot(float(np.sqrt(np.mean((middles[np.minimum(drawn, last)] - middles[end]) ** 2))), gap)
    cycles = math.exp(float(middles[end]))
    return cycles, cycles * math.expm1(NORMAL_QUANTILE * error) / NORMAL_QUANTILE


def _without_outliers(values: np.ndarray) -> np.ndarray:
    """Return values of which single ones that stand out are the median of three: they end no endurance."""
    if values.size < FEWEST:
        return values
    padded = np.pad(values, 1, "edge")
    median = np.median(np.stack([padded[:-2], values, padded[2:]]), axis=0)
    return np.where(np.abs(values - median) > OUTLIER * scatter_of(values), median, values)


def _first(readings: int, scatter: float) -> int:
    """Return how many readings make the first window."""
    needed = math.ceil((scatter / FIRST_ERROR) ** 2)
    return max(1, min(needed, int(LARGEST_FIRST * readings)))


def _end(law: np.ndarray, limit: float) -> int:
    """Return the first place at which a law lies below a limit, or the number of places if it never does."""
    below = np.flatnonzero(law < limit)
    return int(below[0]) if below.size else law.size


def _residual(left: np.ndarray, law: np.ndarray, scatter: float) -> np.ndarray:
    """Return the residuals of a law, of which those of few readings are too small, with at least the usual scatter."""
    residual = left - law
    return residual * max(1.0, scatter / max(float(residual.std()), 1e-12))


def _ends_of_draws(law: np.ndarray, residual: np.ndarray, first: int, part: float) -> np.ndarray:
    """Return the ends of data with residuals that are drawn again."""
    rng = np.random.default_rng(law.size)
    ends = []
    for _ in range(DRAWS):
        again = law + rng.choice(residual, law.size)
        limit = float(again[:first].mean()) + math.log(part)
        ends.append(_end(-isotonic_regression(-again).x, limit))
    return np.array(ends)
