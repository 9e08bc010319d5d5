"""Artifacts of a trace, and its noise: overflows, spikes of one sample, gaps, currents at a limit."""

import math

import numpy as np

from relaxor.stats.noise import mad_noise

SIGNIFICANT = 8.0
"""Departure, in standard deviations of the noise, that noise alone does not reach even in 10⁷ samples."""
RATIO_OF_GLITCH = 8.0
"""Factor by which a spike of one sample exceeds the differences of its neighbours."""
RATIO_OF_GAP = 5.0
"""Factor by which a gap is longer than the sampling intervals on both sides."""
AT_COMPLIANCE = 0.999
"""Fraction of the compliance from which a current counts as limited."""
CHANCE = 1e-3
"""Probability of chance below which equal readings in a row count as clipped."""
PROBES = 200_000
"""Number of pairs of neighbours, spread over the trace, from which its noise is estimated."""


def finite(values: np.ndarray) -> np.ndarray:
    """Return the values as floats, with NaN where a reading overflowed."""
    values = np.asarray(values, dtype=float)
    return values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)


def filled(values: np.ndarray) -> np.ndarray:
    """Replace every NaN by the last number before it, or at the start by the first number after it."""
    known = np.isfinite(values)
    if known.all():
        return values
    place = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return np.where(known[place], values[place], values[np.argmax(known)])


def bridged(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the values with some samples replaced by the mean of their neighbours, or by the one that has a number.

    Parameters
    ----------
    values
        Shape (n,).
    at
        Samples to replace, no two of them neighbours.
    """
    if not at.size:
        return values
    values = values.copy()
    sides = np.stack([values[np.maximum(at - 1, 0)], values[np.minimum(at + 1, len(values) - 1)]])
    sides[0, at == 0], sides[1, at == len(values) - 1] = np.nan, np.nan
    known = np.isfinite(sides)
    total = np.where(known, sides, 0.0).sum(axis=0)
    values[at] = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
    return values


def probed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places spread over the trace and the differences to the next sample there, finite ones only."""
    at = np.arange(0, len(values) - 1, max(1, len(values) // PROBES))
    difference = values[at + 1] - values[at]
    known = np.isfinite(difference)
    return at[known], difference[known]


def bends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places spread over the trace and the second differences from there on, finite ones only.

    They show the noise even where the current rises or falls steadily; their variance is three times that of a
    difference.
    """
    at = np.arange(0, len(values) - 2, max(1, len(values) // PROBES))
    bend = values[at + 2] - 2 * values[at + 1] + values[at]
    known = np.isfinite(bend)
    return at[known], bend[known]


def noise_of(differences: np.ndarray) -> float:
    """Return the standard deviation of a sample from the magnitudes of differences of neighbours."""
    return float(mad_noise(differences)) / math.sqrt(2) if differences.size else 0.0


def spikes_in(current: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the samples that stand out alone: the current goes up and down far more than at three samples either side.

    Edges of pulses are not changed, because a single sample may be a charging current there. Readings that differ by a
    few steps of the converter are not spikes.
    """
    step = np.diff(current)
    magnitude = np.abs(probed(current)[1])
    quantum = magnitude[magnitude > 1e-6 * magnitude.max(initial=0)].min(initial=np.inf)
    threshold = SIGNIFICANT * max(noise_of(magnitude), 0.0 if math.isinf(quantum) else float(quantum))
    up, down = step > threshold, step < -threshold
    at = np.flatnonzero((up[:-1] & down[1:]) | (down[:-1] & up[1:])) + 1
    if edges.size:
        edges = np.append(np.sort(edges), len(current) + 1)
        at = at[edges[np.searchsorted(edges, at - 1)] > at + 1]
    for offset in (1, -2, 2, -3, 3, -4):
        neighbour = np.clip(at + offset, 0, len(step) - 1)
        inside = (neighbour == at + offset) & np.isfinite(step[neighbour])
        alone = np.minimum(np.abs(step[at - 1]), np.abs(step[at]))
        at = at[~inside | (np.abs(step[neighbour]) * RATIO_OF_GLITCH < alone)]
    return at


def gaps_in(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples after which the time jumps, and by how much; a change of the sampling rate is no gap."""
    interval = np.diff(time)
    if interval.size < 2:
        return np.array([], dtype=int), np.array([])
    at = np.flatnonzero(interval > RATIO_OF_GAP * interval.min())
    end = interval.size - 1
    before, behind = np.where(at == 0, 1, at - 1), np.where(at == end, end - 1, at + 1)
    at = at[interval[at] > RATIO_OF_GAP * np.maximum(interval[before], interval[behind])]
    return at, interval[at]


def clipped_in(current: np.ndarray, compliance: float) -> np.ndarray:
    """Return samples at the compliance of the sheet, and runs of equal readings at an extreme too long to be chance."""
    found = [np.flatnonzero(np.abs(current) >= AT_COMPLIANCE * compliance)]
    extremes = np.array([np.nanmin(current), np.nanmax(current)])
    equal = int(np.count_nonzero(current[1:] == current[:-1]))
    for extreme in extremes[np.abs(extremes) > np.abs(extremes).max() / 2]:
        at = np.flatnonzero(current == extreme)
        begin = np.flatnonzero(np.diff(at, prepend=-2) > 1)
        length = np.diff(begin, append=at.size)
        repeats = (equal - (at.size - begin.size)) / len(current)
        by_chance = len(current) * repeats ** (length - 1.0) > CHANCE
        found.append(at[np.repeat((length > 2) & ~by_chance, length)])
    return np.unique(np.concatenate(found))
