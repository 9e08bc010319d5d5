"""The cycles of voltage sweeps: their search in a file, their distinction from other data, and their noise."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from scipy import optimize

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import readings
from relaxor.stats.noise import mad_noise
from relaxor.stats.sweeps import TURN, clipped_points, turning_points
from relaxor.synapse.artifacts import bridged, spikes_in
from relaxor.techniques.iv_sweeps.terminals import device_pair

LEAST_POINTS = 20
"""Smallest number of points of a run in which a sweep is looked for."""
CONSTANT = 0.01
"""Part of the largest voltage below which the range of a voltage counts as constant."""
MIDDLE = 0.55
"""Smallest part of the points of a sweep in the middle 80 % of its branches (0.8 of a linear one, 0.59 of a sine)."""
BRANCH_POINTS = 5
"""Smallest number of points from turn to turn; a column of scattered voltages has two or three."""
SAME_DIRECTION = -0.5
"""Correlation of current and voltage about zero below which the current has the opposite sign of the voltage."""
RESOLUTION = 1e-6
"""Smallest noise relative to the largest current, because of the resolution of the converter."""
SAME_AMPLITUDE = (0.02, 0.1)
"""Relative differences up to which the extreme voltages of cycles count as equal: of voltages that a source applies,
and where no more than half of the cycles then agree, of voltages across a device that shares them with a resistor."""
POLARITIES = {"positive": 1, "negative": -1}
"""The sign of each polarity by its name."""


@dataclass(frozen=True)
class Cycle:
    """One cycle of a sweep.

    Attributes
    ----------
    region
        Name of the run in which it was recorded.
    voltage, current
        V and A, shape (n,).
    sigma
        Standard uncertainty of the current, A, shape (n,).
    direction
        +1 where the voltage rises, −1 where it falls, shape (n,).
    clipped
        Where the compliance of the instrument holds the current, shape (n,).
    replaced
        Where the current was a single outlier and is now the mean of its neighbours, shape (n,).
    lost
        Voltages in V at which no current was read, because it was out of range or empty.
    """

    region: str
    voltage: np.ndarray
    current: np.ndarray
    sigma: np.ndarray
    direction: np.ndarray
    clipped: np.ndarray
    replaced: np.ndarray
    lost: np.ndarray

    def amplitude(self, polarity: int) -> float:
        """Return the largest magnitude of the voltage of a polarity in V, 0 if the cycle does not have the polarity."""
        swept = np.concatenate([self.voltage, self.lost])
        reached = float(np.max(polarity * swept))
        return reached if reached > TURN * np.ptp(swept) else 0.0

    def outward(self, polarity: int) -> np.ndarray:
        """Return where the magnitude of the voltage grows, shape (n,)."""
        return (polarity * self.voltage > 0) & (self.direction == polarity)

    def inward(self, polarity: int) -> np.ndarray:
        """Return where the magnitude of the voltage shrinks, shape (n,)."""
        return (polarity * self.voltage > 0) & (self.direction == -polarity)


def cycles_of(measurement: Measurement, tolerance: float) -> list[Cycle]:
    """Find the cycles of all runs of a file, in the order in which they were recorded.

    Runs of a workbook are sorted by their execution times, then by the number in their name.

    Parameters
    ----------
    tolerance
        Largest relative change from point to point of a current that the compliance holds.

    Raises
    ------
    AnalysisError
        If a run holds no sweep of the voltage (the message states what it holds), or the current of a cycle has the
        opposite sign of its voltage.
    """
    cycles: list[Cycle] = []
    for name in sorted(measurement.regions, key=lambda name: _taken(name, measurement.regions[name])):
        for voltage, current in _runs(measurement, name):
            label, known = f"{measurement.id}: {name}", np.isfinite(current)
            check_sweep(voltage[known], current[known], label)
            found = _split(name, voltage, current, tolerance)
            for number, cycle in enumerate(found, 1):
                check_direction(cycle.voltage, cycle.current, f"{label}, cycle {number} of {len(found)}")
            cycles += found
    return cycles


def alike(cycles: Sequence[Cycle]) -> tuple[np.ndarray, str]:
    """Return which cycles belong to one series, shape (n,), and in words to which voltages these go.

    They are those that go to the same voltages as most cycles, which are more than half. Where no more than half agree
    within any tolerance of `SAME_AMPLITUDE`, it is the largest group that agrees within the first one, and the last of
    several: where no two cycles are alike, only the last one is kept.
    """
    reached = np.array([[cycle.amplitude(polarity) for polarity in POLARITIES.values()] for cycle in cycles])
    apart = np.abs(reached[:, None] - reached[None]).max(axis=-1) / reached.max(axis=-1)
    groups = []
    for tolerance in SAME_AMPLITUDE:
        same = apart <= tolerance
        usual = len(cycles) - 1 - int(np.argmax(same.sum(axis=1)[::-1]))
        groups.append(same[usual])
        if 2 * same[usual].sum() > len(cycles):
            return same[usual], f"most cycles, within {100 * tolerance:g} %"
    kept = f"the {groups[0].sum()} that agree within {100 * SAME_AMPLITUDE[0]:g} %"
    return groups[0], f"{kept if groups[0].sum() > 1 else 'the last one'}: no more than half of the cycles agree"


def _taken(name: str, region: xr.Dataset) -> tuple[str, int]:
    numbers = re.findall(r"\d+", name)
    return str(region.attrs.get("executed", "")), int(numbers[-1]) if numbers else 0


def _runs(measurement: Measurement, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield voltage (V) and current (A) of each run of a region, whose last dimension is that of the points."""
    region, label = measurement.regions[name], f"{measurement.id}: {name}"
    if "pulse" in region.dims:
        raise AnalysisError(f"{label}: holds pulses, not a sweep: {region.sizes['pulse']} pulses")
    voltage, current = device_pair(region, label)
    if voltage.dims != current.dims:
        raise AnalysisError(f"{label}: {voltage.name} and {current.name} differ in their axes; one sweep is needed")
    pairs = np.stack([readings(voltage, "V"), readings(current, "A")])
    runs = pairs.reshape(2, -1, pairs.shape[-1]).transpose(1, 0, 2)
    # Loops for which an instrument keeps room but which it did not record are zero throughout.
    for run in [run for run in runs if run.any()] or runs:
        known = np.isfinite(run[0])  # rows that fill up a shorter run have no voltage
        yield run[0, known], run[1, known]


# --- what is a sweep
def check_sweep(voltage: np.ndarray, current: np.ndarray, label: str) -> None:
    """Raise an `AnalysisError` that states what a run holds if it is no sweep of the voltage with its current."""
    if voltage.size < LEAST_POINTS:
        raise AnalysisError(f"{label}: holds {voltage.size} points of voltage and current; {LEAST_POINTS} needed")
    span = np.ptp(voltage)
    if span <= CONSTANT * np.abs(voltage).max():
        raise AnalysisError(f"{label}: holds a constant voltage, not a sweep: {np.median(voltage):.4g} V")
    if not np.ptp(current):
        raise AnalysisError(f"{label}: the current is {current[0]:.4g} A throughout")
    turns = turning_points(voltage)
    lengths = np.diff(turns)
    if lengths[lengths >= BRANCH_POINTS].sum() < 0.5 * voltage.size:
        raise AnalysisError(f"{label}: holds scattered voltages, not a sweep: {turns.size} turns in {voltage.size}")
    if middle_share(voltage, turns) < MIDDLE:
        count = levels(voltage)
        raise AnalysisError(f"{label}: holds pulses, not a sweep: {count} level{'s' * (count != 1)}")
    check_direction(voltage, current, label)


def check_direction(voltage: np.ndarray, current: np.ndarray, label: str) -> None:
    """Raise an `AnalysisError` if the current has the opposite sign of the voltage."""
    product = np.sum(voltage * current) / (np.sqrt(np.sum(voltage**2) * np.sum(current**2)) or 1.0)
    if product < SAME_DIRECTION:
        raise AnalysisError(
            f"{label}: the current runs against the voltage (correlation {product:.2f}): swapped leads?"
        )


def middle_share(voltage: np.ndarray, turns: np.ndarray) -> float:
    """Return the part of the points in the middle 80 % of their branch, which is small where the voltage jumps."""
    inside = 0
    for first, last in pairwise(turns):
        branch = voltage[first : last + 1]
        way = (branch - branch[0]) / ((branch[-1] - branch[0]) or 1.0)
        inside += int(np.sum((way > 0.1) & (way < 0.9)))
    return inside / voltage.size


def levels(voltage: np.ndarray) -> int:
    """Return the number of voltages at which a pulse train rests, from the maxima of its histogram."""
    counts, _ = np.histogram(voltage, 50)
    rests = np.concatenate([[False], counts > 3 * voltage.size / 50])
    return int(np.sum(rests[1:] & ~rests[:-1]))


# --- cycles of a run
def _split(region: str, voltage: np.ndarray, current: np.ndarray, tolerance: float) -> list[Cycle]:
    turns = turning_points(voltage)
    steps = np.sign(voltage[turns[1:]] - voltage[turns[:-1]])
    direction = np.repeat(steps, np.diff(turns))
    direction = np.concatenate([steps[:1], direction]).astype(int)
    known = np.isfinite(current)
    at = spikes_in(current[known], np.searchsorted(np.flatnonzero(known), turns))
    swept, read = voltage[known], bridged(current[known], at)
    clipped, sigma, replaced = np.zeros((3, voltage.size))
    parts, number = cycle_parts(voltage), np.cumsum(known) - 1
    for part in parts:  # each cycle has a compliance of its own
        here = number[part][known[part]]
        clipped[np.flatnonzero(known)[here]] = clipped_points(swept[here], read[here], tolerance)
    sigma[known] = noise(swept, read, clipped[known] > 0, direction[known])
    replaced[np.flatnonzero(known)[at]] = 1
    current = current.copy()
    current[known] = read
    cycles = []
    for part in parts:
        here = np.arange(voltage.size)[part][known[part]]
        columns = (voltage[here], current[here], sigma[here], direction[here], clipped[here] > 0, replaced[here] > 0)
        cycles.append(Cycle(region, *columns, voltage[part][~known[part]]))
    return cycles


def cycle_parts(voltage: np.ndarray) -> list[slice]:
    """Split a run at its returns to the voltage at which it started.

    A cycle that goes in both directions from there (0 → 3 → 0 → −3 → 0) is complete when it has been on both sides. The
    point between two cycles belongs to both, unless the voltage jumps back. An incomplete last cycle is left out.

    Parameters
    ----------
    voltage
        V, shape (n,).

    Returns
    -------
    list of slice
        One slice for each cycle.
    """
    away, near = voltage - voltage[0], TURN * np.ptp(voltage)
    side = np.where(np.abs(away) <= near, 0, np.sign(away)).astype(int)
    out = np.flatnonzero(side)
    first_out = out[np.flatnonzero(np.diff(side[out], prepend=0) | (np.diff(out, prepend=-2) > 1))]
    signs = side[first_out]
    both = len(set(signs.tolist())) == 2
    starts = [0]
    for previous, sign, place in zip(signs[:-1], signs[1:], first_out[1:], strict=True):
        if not both or (sign == signs[0] and previous != signs[0]):
            last_out = out[out < place][-1]
            between = np.arange(last_out + 1, place)
            starts.append(int(between[np.argmin(np.abs(away[between]))]) if between.size else int(place))
    ends = [start + 1 if abs(voltage[start] - voltage[start - 1]) <= near else start for start in starts[1:]]
    parts = [slice(start, end) for start, end in zip(starts, [*ends, voltage.size], strict=True)]
    sides = [set(side[part].tolist()) for part in parts]
    closed = [abs(away[part][-1]) <= 2 * near for part in parts]
    cut = len(parts) > 1 and (not sides[0] <= sides[-1] or closed[0] > closed[-1])
    return parts[:-1] if cut else parts


def noise(voltage: np.ndarray, current: np.ndarray, clipped: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Estimate the standard uncertainty of each point from the scatter of its neighbours.

    The third divided differences of four points of one branch contain only noise where the current is smooth. Their
    variance is modelled as the sum of a constant and a part of the squared current, by maximum likelihood; differences
    beyond four standard deviations are jumps and are left out.

    Parameters
    ----------
    voltage, current
        V and A, shape (n,).
    clipped
        Points that the compliance holds, shape (n,).
    direction
        +1 where the voltage rises, −1 where it falls, shape (n,).

    Returns
    -------
    numpy.ndarray
        A, shape (n,).
    """
    windows = np.lib.stride_tricks.sliding_window_view
    x, y = windows(voltage, 4), windows(current, 4)
    gaps = x[:, :, None] - x[:, None, :] + np.eye(4)
    one_way = (np.diff(x, axis=1) * direction[3:, None] > 0).all(axis=1) & ~windows(clipped, 4).any(axis=1)
    if one_way.sum() >= LEAST_POINTS // 2:
        weights = 1 / np.prod(gaps[one_way], axis=2)
    else:  # the noise of the measured voltage is larger than its steps
        one_way, weights = ~windows(clipped, 4).any(axis=1), np.array([[-1.0, 3.0, -3.0, 1.0]])
    floor = RESOLUTION * np.abs(current).max()
    scatter = np.sum(weights * y[one_way], axis=1) / np.linalg.norm(weights, axis=1)
    if scatter.size < 8:
        return np.full(current.shape, max(floor, float(np.std(current))))
    level = np.abs(y[one_way].mean(axis=1))

    def minus_log_likelihood(logarithms: np.ndarray) -> float:
        variance = np.exp(2 * logarithms[0]) + (np.exp(logarithms[1]) * level[kept]) ** 2
        return float(np.sum(np.log(variance) + scatter[kept] ** 2 / variance))

    kept = np.ones(scatter.size, dtype=bool)
    constant, relative = max(float(mad_noise(scatter)), floor), 1e-3
    for _ in range(3):
        kept = np.abs(scatter) < 4 * np.maximum(np.hypot(constant, relative * level), floor)
        start = np.log([constant, relative])
        found = optimize.minimize(
            minus_log_likelihood, start, method="Nelder-Mead", bounds=[(np.log(floor), None), (-14, 0)]
        )
        constant, relative = np.exp(found.x)
    smooth = np.abs(np.convolve(np.pad(current, 2, mode="edge"), np.full(5, 0.2), mode="valid"))
    return np.hypot(constant, relative * smooth)
