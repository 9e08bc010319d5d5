"""The pulse engine: finds the pulses of a trace and measures the current before, in and behind each.

The level between pulses is the one from which the stimulus keeps departing. What departs from it for longer than a
sample is a pulse; its edges lie at half of its own departure, so that pulses of both signs and of different height
stand in one train. Windows of reading keep clear of the edges and of the neighbouring pulses. Without a recorded
stimulus, steps of the current itself mark the pulses.

A mean over a window has the standard error of the scatter in it, about a straight line because currents drift, and
larger where neighbouring samples are correlated. Nothing is dropped silently: a pulse that cannot be used stays in
the table with the reason.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from relaxor.data import NORMAL_QUANTILE
from relaxor.errors import AnalysisError
from relaxor.plasticity.traces import Trace

SIGNIFICANT = 8.0
"""Departure in standard deviations of the noise that noise does not make, even in 10⁷ samples."""
SHARE = 0.05
"""Fraction of the largest departure that counts as a pulse, unless noise or the caller asks for more."""
SHARE_OF_STEPS = 0.2
"""The same for steps of the current, which has transients of its own."""
SAME_WIDTH = 0.75
"""Fraction of the usual width below which a piece of a pulse is a piece."""
LEVEL_BAND = 0.75
"""Part of a step that two values of one level may differ by: six standard deviations where noise sets the step."""
RATIO_OF_GLITCH = 8.0
"""A spike of one sample stands out from the differences of its neighbours by this factor."""
RATIO_OF_GAP = 5.0
"""A gap is longer than the sampling intervals on both sides by this factor."""
AT_COMPLIANCE = 0.999
"""Fraction of the compliance from which a current counts as limited."""
CHANCE = 1e-3
"""Probability below which equal readings in a row are not taken for chance."""
FEW = 10
"""A window of fewer samples takes its noise from the whole trace: its own scatter is too uncertain."""
MEDIAN_OF = 15
"""Samples spread over a pulse of which its level is the median."""
PROBES = 200_000
"""Pairs of neighbours, spread over the trace, that tell its noise."""
CHUNK = 2_000_000
"""Samples of windows that are averaged at once; bounds the memory."""
MEASURED = ("baseline", "end", "after", "settled")
COLUMNS = (
    *("run", "number", "onset", "width", "amplitude"),
    *(name for window in MEASURED for name in (window, f"{window}_error")),
    *("mean_current", "peak_current", "charge", "energy", "kept", "reason"),
)


@dataclass(frozen=True)
class Pulses:
    """Where the pulses of a trace lie, each of shape (m,).

    Attributes
    ----------
    start, stop
        Samples inside: ``start`` … ``stop`` − 1.
    first, last
        The same with the edges: outside the stimulus is at its level between pulses.
    amplitude
        Level of the stimulus in the pulse; NaN where none was recorded.
    """

    start: np.ndarray
    stop: np.ndarray
    first: np.ndarray
    last: np.ndarray
    amplitude: np.ndarray

    def where(self, chosen: np.ndarray) -> "Pulses":
        """Return the pulses of a mask."""
        return Pulses(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def find_events(trace: Trace, *, read_window: float, smallest: float | None = None) -> pd.DataFrame:
    """Find the pulses of a trace and measure the current at each.

    Parameters
    ----------
    trace
        The run.
    read_window
        Length of the windows of reading, s. A window holds at least one sample and ends where a neighbouring pulse
        begins.
    smallest
        Smallest departure of the stimulus that counts as a pulse, in its unit (of the current in A, where no stimulus
        was recorded). By default what stands out from the noise and from 5 % of the largest departure (a step of the
        current: 20 % of the largest).

    Returns
    -------
    pandas.DataFrame
        One row a pulse, in their order: ``run``; ``number`` from 0 (−1: a glitch, which is no pulse); ``onset``, time
        of its first sample, and ``width``, s; ``amplitude`` in the unit of the stimulus; means with their standard
        errors ``…_error``, A, of the current in the window before the pulse (``baseline``), in the last one inside
        (``end``), in the first one behind (``after``) and in the last one before the next pulse or the end of the
        trace (``settled``); ``mean_current`` and ``peak_current`` in the pulse, A; ``charge`` ∫I dt, C, and ``energy``
        ∫V·I dt, J, over the pulse; ``kept``, and else the ``reason``. Of a kept pulse only ``settled`` may be NaN.

        Currents keep the sign of the file. Energy is what the device takes up: where current is counted against
        voltage, the sum of all pulses would be negative, and every energy is turned.

    Raises
    ------
    AnalysisError
        If the trace has no samples, no current or a time that does not increase, or holds no pulse.
    """
    _check(trace)
    current = _finite(trace.current)
    if trace.stimulus is None:
        pulses, glitches, current = _pulses_in_current(trace, current, smallest)
    else:
        found = _pulses_in_stimulus(trace, _finite(trace.stimulus), smallest)
        pulses, glitches = _without_glitches(found)
        if not pulses.start.size:
            raise _error(
                trace, "no pulse: the stimulus departs for a single sample only", "sample the pulse more often"
            )
        edges = np.concatenate([pulses.start, pulses.first, pulses.stop, pulses.last])
        spikes = _spikes(current, edges)
        current = _masked(current, np.concatenate([spikes, glitches.start]))
    table = _measured(trace, current, pulses, read_window)
    table["number"] = np.arange(len(table))
    dropped = pd.DataFrame({"number": -1, **_placed(trace, glitches)}).assign(kept=False, reason="glitch of one sample")
    both = pd.concat([table, dropped], ignore_index=True) if len(dropped) else table
    both = both.sort_values("onset", ignore_index=True).assign(run=trace.run)
    return both.astype({"kept": bool})[list(COLUMNS)]


def require_pulses(events: pd.DataFrame, trace: Trace, expected: int) -> None:
    """Refuse a trace that shows fewer pulses than its sheet says.

    Raises
    ------
    AnalysisError
        With both numbers, and why pulses were dropped.
    """
    found = events[events["number"] >= 0]
    if len(found) >= expected:
        return
    why = Counter(found.loc[~found["kept"], "reason"])
    dropped = "; ".join(f"{count} × {reason}" for reason, count in why.items())
    raise _error(
        trace,
        f"{len(found)} pulses found, the sheet says {expected}" + (f" (not usable: {dropped})" if dropped else ""),
        "correct the sheet, or give a smaller departure that counts as a pulse",
    )


def _error(trace: Trace, problem: str, remedy: str) -> AnalysisError:
    return AnalysisError(f"{trace.measurement.id}: run {trace.run}: {problem}; {remedy}")


def _check(trace: Trace) -> None:
    time = trace.time
    if len(time) < 2:
        raise _error(trace, f"{len(time)} samples", "a pulse and the reads about it are needed")
    forward = time[1:] > time[:-1]
    if not forward.all():
        at = int(np.argmin(forward))
        raise _error(
            trace,
            f"time does not increase: {time[at]:g} s at sample {at}, {time[at + 1]:g} s at the next",
            "times in increasing order are needed, one run a trace",
        )
    if not np.isfinite(trace.current).any():
        raise _error(trace, f"none of {len(time)} currents is a number", "a measured current is needed")


# --- pulses in the stimulus
def _pulses_in_stimulus(trace: Trace, stimulus: np.ndarray, smallest: float | None) -> Pulses:
    """Find the stretches that depart from the level between pulses; glitches of one sample are among them."""
    if not np.isfinite(stimulus).any():
        raise _error(trace, "no value of the stimulus is a number", "a recorded stimulus is needed, or none at all")
    stimulus = _filled(stimulus)
    noise = _noise(np.abs(_probed(stimulus)[1]))
    low, high = _held_range(stimulus, noise)
    level = _level_between(stimulus, max(SIGNIFICANT * noise, SHARE * (high - low)))
    largest = max(high - level, level - low)
    threshold = max(SHARE * largest, min(SIGNIFICANT * noise, largest / 2)) if smallest is None else smallest
    departure = stimulus - level
    code = (departure > threshold).astype(np.int8) - (departure < -threshold)
    if largest <= SIGNIFICANT * noise or not code.any():
        unit = trace.stimulus_unit
        raise _error(
            trace,
            f"no pulse: the stimulus departs from {level:.4g} {unit} by at most {largest:.2g} {unit}, "
            f"its noise is {noise:.2g} {unit}",
            f"departures above {max(threshold, SIGNIFICANT * noise):.2g} {unit} count",
        )
    bounds, value = _stretches(code)
    edges = np.stack([bounds[:-1], bounds[1:]])[:, value != 0]
    height = np.full(value.size, np.inf)
    height[value != 0] = np.abs(_typical(departure, *edges)) / 2
    code[np.abs(departure) <= np.repeat(height, np.diff(bounds))] = 0
    bounds, value = _bridged(code)
    start, stop = bounds[:-1][value != 0], bounds[1:][value != 0]
    first, last = _with_edges(start, stop, *edges)
    return Pulses(start, stop, first, last, _typical(stimulus, start, stop))


def _held_range(stimulus: np.ndarray, noise: float) -> tuple[float, float]:
    """Return the range of the stimulus without spikes of one sample, unless every pulse is one."""
    low = float(np.maximum(stimulus[1:], stimulus[:-1]).min())
    high = float(np.minimum(stimulus[1:], stimulus[:-1]).max())
    return (low, high) if high - low > SIGNIFICANT * noise else (float(stimulus.min()), float(stimulus.max()))


def _level_between(stimulus: np.ndarray, threshold: float) -> float:
    """Return the level from which and to which the stimulus steps most often; of equals, the one nearest zero.

    How long it lasts does not matter, so that neither long pulses nor an instrument that idles before and after the
    train mislead. A train of one height steps as often to the pulses: a read voltage is smaller than they are.
    """
    step, band = np.diff(stimulus), LEVEL_BAND * threshold
    at = np.flatnonzero(np.abs(step) > threshold)
    # An edge over several samples is one step; there and back again within a sample is none.
    joined = (np.diff(at) == 1) & (np.sign(step[at[1:]]) == np.sign(step[at[:-1]]))
    before, behind = at[np.r_[True, ~joined][: at.size]], at[np.r_[~joined, True][: at.size]] + 1
    spike = (behind[:-1] == before[1:]) & (np.abs(stimulus[behind[1:]] - stimulus[before[:-1]]) <= band)
    lasting = ~(np.r_[False, spike] | np.r_[spike, False])[: before.size]
    ends = np.sort(np.concatenate([stimulus[before[lasting]], stimulus[behind[lasting]]]))
    if not ends.size:
        return float(np.median(stimulus))
    count = np.searchsorted(ends, ends + band, "right") - np.searchsorted(ends, ends - band)
    usual = ends[count >= 0.6 * count.max()]
    level = usual[np.argmin(np.abs(usual))]
    return float(np.median(ends[np.abs(ends - level) <= band]))


def _stretches(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds (m + 1,) and values (m,) of the stretches of equal values."""
    bounds = np.concatenate([[0], np.flatnonzero(code[1:] != code[:-1]) + 1, [code.size]])
    return bounds, code[bounds[:-1]]


def _bridged(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the stretches, pulses that a glitch of one sample cut in two made whole again.

    One sample at the level between pulses may also be a short interval; then the pulses beside it are whole.
    """
    bounds, value = _stretches(code)
    length = np.diff(bounds)
    widths = length[(value != 0) & (length > 1)]
    if widths.size:
        beside = np.minimum(length[:-2], length[2:])
        cut = (length[1:-1] == 1) & (value[:-2] == value[2:]) & (value[2:] != 0)
        cut &= (value[1:-1] != 0) | (beside < SAME_WIDTH * np.median(widths))
        at = np.flatnonzero(cut) + 1
        code[bounds[at]] = value[at - 1]
        bounds, value = _stretches(code)
    return bounds, value


def _with_edges(
    start: np.ndarray, stop: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Widen each pulse to the stretch that it lies in, as far as it does not share that with its neighbour."""
    begins = np.searchsorted(first, start, "right") - 1
    ends = np.searchsorted(first, stop - 1, "right") - 1
    shared = ends[:-1] == begins[1:]
    return np.where(np.r_[False, shared], start, first[begins]), np.where(np.r_[shared, False], stop, last[ends])


def _typical(values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the median of samples spread over each stretch, shape (m,)."""
    place = (np.arange(MEDIAN_OF) + 0.5) / MEDIAN_OF
    return np.median(values[start[:, None] + ((stop - start)[:, None] * place).astype(int)], axis=1)


def _without_glitches(found: Pulses) -> tuple[Pulses, Pulses]:
    """Part pulses from glitches of one sample; where most of several last one sample, the train was sampled so."""
    lengths = found.stop - found.start
    glitch = (lengths == 1) & ((np.median(lengths) > 1) | (len(lengths) == 1))
    return found.where(~glitch), found.where(glitch)


# --- pulses in the current
def _pulses_in_current(trace: Trace, current: np.ndarray, smallest: float | None) -> tuple[Pulses, Pulses, np.ndarray]:
    """Find the pulses that steps of the current show: from a rising step to the next falling one.

    Where none falls before the next rises, the pulse ends where the current is largest: it relaxes from there.
    Rising is away from the median, to the side on which the current goes farther.

    Returns
    -------
    pulses, glitches, current
        The current without the glitches.
    """
    spikes = _spikes(current, np.array([], dtype=int))
    spike_height = np.abs(current[spikes] - current[spikes - 1])
    current = _masked(current, spikes)
    filled = _filled(current)
    middle = np.median(filled)
    sign = 1.0 if filled.max() - middle >= middle - filled.min() else -1.0
    step = sign * np.diff(filled)
    noise = _noise(np.abs(_probed(filled)[1])) * math.sqrt(2)
    threshold = max(SIGNIFICANT * noise, SHARE_OF_STEPS * step.max()) if smallest is None else smallest
    rising, falling = np.flatnonzero(step > threshold) + 1, np.flatnonzero(step < -threshold) + 1
    if not rising.size:
        raise _error(
            trace,
            f"no stimulus was recorded and no pulse stands out in the current: its largest step is {step.max():.2g} A, "
            f"the noise of a step {noise:.2g} A",
            "record the stimulus, or give a smaller step that counts",
        )
    start = rising[np.r_[True, np.diff(rising) > 1]]
    ceiling = np.append(start[1:], len(filled))
    next_fall = np.append(falling, len(filled))[np.searchsorted(falling, start)]
    top = [int(low + np.argmax(sign * filled[low:high])) + 1 for low, high in zip(start, ceiling, strict=True)]
    stop = np.where(next_fall < ceiling, next_fall, top)
    high = spikes[spike_height > threshold]
    none = np.full(len(start), np.nan)
    glitches = Pulses(high, high + 1, high, high + 1, np.full(len(high), np.nan))
    return Pulses(start, stop, start, stop, none), glitches, current


# --- what damages a trace
def _finite(values: np.ndarray) -> np.ndarray:
    """Return floats, NaN where a reading overflowed."""
    values = np.asarray(values, dtype=float)
    return values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)


def _filled(values: np.ndarray) -> np.ndarray:
    """Give every NaN the last number before it (the first number behind it at the start)."""
    known = np.isfinite(values)
    if known.all():
        return values
    place = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return np.where(known[place], values[place], values[np.argmax(known)])


def _masked(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    if not at.size:
        return values
    values = values.copy()
    values[at] = np.nan
    return values


def _probed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places spread over the trace and the differences to the next sample there, finite ones only."""
    at = np.arange(0, len(values) - 1, max(1, len(values) // PROBES))
    difference = values[at + 1] - values[at]
    known = np.isfinite(difference)
    return at[known], difference[known]


def _bends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places spread over the trace and the second differences from there on, finite ones only.

    They hold the noise of a current that rises or falls steadily; their variance is three times that of a difference.
    """
    at = np.arange(0, len(values) - 2, max(1, len(values) // PROBES))
    bend = values[at + 2] - 2 * values[at + 1] + values[at]
    known = np.isfinite(bend)
    return at[known], bend[known]


def _noise(differences: np.ndarray) -> float:
    """Return the standard deviation of a sample from the magnitudes of differences of neighbours."""
    return 1.4826 * float(np.median(differences)) / math.sqrt(2) if differences.size else 0.0


def _spikes(current: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the samples that stand out alone: up and down again, far more than three neighbours on either side do.

    Edges of pulses are left alone, where a single sample may be a charging current. Readings that differ by a few
    steps of the converter are not spikes.
    """
    step = np.diff(current)
    magnitude = np.abs(_probed(current)[1])
    quantum = magnitude[magnitude > 1e-6 * magnitude.max(initial=0)].min(initial=np.inf)
    threshold = SIGNIFICANT * max(_noise(magnitude), 0.0 if math.isinf(quantum) else float(quantum))
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


def _gaps(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples behind which time jumps, and by how much; a change of the sampling rate is no gap."""
    interval = np.diff(time)
    if interval.size < 2:
        return np.array([], dtype=int), np.array([])
    at = np.flatnonzero(interval > RATIO_OF_GAP * interval.min())
    end = interval.size - 1
    before, behind = np.where(at == 0, 1, at - 1), np.where(at == end, end - 1, at + 1)
    at = at[interval[at] > RATIO_OF_GAP * np.maximum(interval[before], interval[behind])]
    return at, interval[at]


def _clipped(current: np.ndarray, compliance: float) -> np.ndarray:
    """Return the samples at the compliance of the sheet, or in a row at the extreme of the current by no chance."""
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


# --- windows
def _window_before(
    time: np.ndarray, stop: np.ndarray, floor: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of the window that ends with sample ``stop`` − 1 and does not reach below ``floor``."""
    end = np.maximum(stop - 1, 0)
    half = (time[end] - time[np.maximum(end - 1, 0)]) / 2
    first = np.searchsorted(time, time[end] - length + half)
    return np.maximum(np.minimum(first, stop - 1), np.minimum(floor, stop)), stop


def _window_behind(
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

    The error is that of the scatter about a straight line in the window; a window of fewer than ten samples has too
    little of it and takes ``noise``. Where neighbours are correlated, as in a first-order autoregression, n samples
    count as n (1 − ρ)/(1 + ρ) (Zięba, doi 10.2478/v10178-010-0001-0). ρ is that of the window or that common to all
    windows, whichever is larger, each if it is significant at 5 %; a negative one is not credited.

    Parameters
    ----------
    time, current
        s, A, shape (n,); NaN is left out.
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
    # The mean takes up the share of the scatter that its own error is; the slope as much.
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
    """Return the correlation of neighbours that counts in each window, and the one common to all.

    Mean and slope taken off n samples lower it by (2 + 4 ρ)/n.
    """
    enough = (count >= FEW) & np.isfinite(correlation)
    unbiased = np.where(enough, correlation + (2 + 4 * correlation) / count, 0.0)
    common, samples = 0.0, count[enough].sum()
    if samples:
        average = float(np.average(unbiased[enough], weights=count[enough]))
        common = min(average, 0.99) if average > NORMAL_QUANTILE / math.sqrt(samples) else 0.0
    own = np.where(correlation + 2 / count > NORMAL_QUANTILE / np.sqrt(count), unbiased, 0.0)
    return np.clip(np.maximum(own, common), 0.0, 0.99), common


# --- the table
def _placed(trace: Trace, pulses: Pulses) -> dict[str, np.ndarray]:
    time = trace.time
    return {
        "onset": time[pulses.start],
        "width": time[pulses.stop - 1] + _last_interval(time, pulses) - time[pulses.start],
        "amplitude": pulses.amplitude,
    }


def _last_interval(time: np.ndarray, pulses: Pulses) -> np.ndarray:
    """Return for how long the last sample of a pulse stands: the shorter of the intervals beside it."""
    end = pulses.stop - 1
    before, behind = np.maximum(end, 1), np.minimum(end + 1, len(time) - 1)
    intervals = time[before] - time[before - 1], time[behind] - time[behind - 1]
    return np.minimum(*intervals)


def _measured(trace: Trace, current: np.ndarray, pulses: Pulses, read_window: float) -> pd.DataFrame:
    """Measure the pulses and say which of them cannot be used."""
    time, size = trace.time, len(trace.time)
    floor, ceiling = np.r_[0, pulses.last], np.r_[pulses.first, size]
    at, bend = _bends(current)
    place = np.searchsorted(pulses.start, at, "right") - 1
    inside = (place >= 0) & (at + 2 < pulses.stop[place])

    def noise(chosen: np.ndarray) -> float:
        return _noise(np.abs(bend[chosen] if chosen.sum() > FEW else bend)) / math.sqrt(3)

    reads = _window_before(time, ceiling, floor, read_window)
    ends = _window_before(time, pulses.stop, pulses.start, read_window)
    afters = _window_behind(time, pulses.last, ceiling[1:], read_window)
    read, read_error = window_means(time, current, *reads, noise(~inside))
    end, end_error = window_means(time, current, *ends, noise(inside))
    after, after_error = window_means(time, current, *afters, noise(~inside))
    table = pd.DataFrame(
        {
            **_placed(trace, pulses),
            **{"baseline": read[:-1], "baseline_error": read_error[:-1], "end": end, "end_error": end_error},
            **{"after": after, "after_error": after_error, "settled": read[1:], "settled_error": read_error[1:]},
            **_integrals(trace, current, pulses),
        }
    )
    table["reason"] = _reasons(trace, current, pulses, table, (reads[0][:-1], afters[1]))
    return table.assign(kept=table["reason"] == "")


def _integrals(trace: Trace, current: np.ndarray, pulses: Pulses) -> dict[str, np.ndarray]:
    """Integrate over the pulses; a sample stands for the interval that ends at it, as the Keithley 4200 sums charge."""
    known = _filled(current)
    charge = _integral(trace.time, known, pulses)
    energy = _integral(trace.time, _filled(_finite(trace.voltage)) * known, pulses)
    bounds = np.stack([pulses.start, pulses.stop], axis=-1).ravel()
    bounds = bounds[bounds < len(known)]
    low, high = (function.reduceat(known, bounds)[::2] for function in (np.minimum, np.maximum))
    return {
        "mean_current": charge / _placed(trace, pulses)["width"],
        "peak_current": np.where(high >= -low, high, low),
        "charge": charge,
        "energy": energy * math.copysign(1.0, np.nansum(energy)),
    }


def _integral(time: np.ndarray, values: np.ndarray, pulses: Pulses) -> np.ndarray:
    steps = np.diff(time)
    steps = np.concatenate([steps[:1], steps])
    # Where a pulse is sampled more densely than what comes before, its first sample is no longer than the next.
    following = np.minimum(pulses.start + 1, len(steps) - 1)
    steps[pulses.start] = np.minimum(steps[pulses.start], steps[following])
    sums = np.concatenate([[0.0], np.cumsum(values * steps)])
    return sums[pulses.stop] - sums[pulses.start]


def _reasons(
    trace: Trace, current: np.ndarray, pulses: Pulses, table: pd.DataFrame, reach: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Say why a pulse cannot be used, "" if it can; ``reach`` is from its first read to its last."""
    size = len(trace.time)
    gaps, lengths = _gaps(trace.time)
    gap, has_gap = _first_within(gaps, reach[0], reach[1] - 1)
    clipped = _clipped(current, trace.measurement.condition("compliance", "A", math.inf))
    clip, has_clip = _first_within(clipped, *reach)
    wanted = table[["baseline", "end", "after"]].isna().to_numpy().T
    crowded = np.append(pulses.last[:-1] >= pulses.first[1:], False)
    crowded_before = np.r_[False, crowded[:-1]]
    reason = np.full(len(table), "", dtype=object)
    for said, text in (
        (wanted[2], "no current in the read window behind the pulse"),
        (wanted[1], "no current in the pulse"),
        (wanted[0], "no current in the read window before the pulse"),
        (crowded_before, "no read window before the pulse"),
        (crowded, "no read window before the next pulse"),
        (has_clip, lambda i: f"current clipped at {current[clipped[clip[i]]]:.1e} A (compliance)"),
        (has_gap, lambda i: f"gap of {lengths[gap[i]]:.2g} s in the samples"),
        (pulses.last >= size, "cut off by the end of the trace"),
        (pulses.first <= 0, "cut off by the start of the trace"),
    ):
        for i in np.flatnonzero(said):
            reason[i] = text if isinstance(text, str) else text(i)
    return reason


def _first_within(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the sorted places is the first in ``low`` … ``high`` − 1, and whether there is one."""
    found = np.searchsorted(places, low)
    return found, found < np.searchsorted(places, high)
