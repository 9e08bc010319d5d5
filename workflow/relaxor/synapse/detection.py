"""Where the pulses of a trace lie, by the recorded stimulus or otherwise by the steps of the current itself.

The level between pulses is the level that the stimulus departs from most often. A departure that lasts longer than one
sample is a pulse. Its edges lie at half of its own departure, so that one train may hold pulses of both signs and of
different heights.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.synapse.artifacts import SIGNIFICANT, bridged, filled, noise_of, probed, spikes_in
from relaxor.synapse.traces import Trace

SHARE = 0.05
"""Fraction of the largest departure that counts as a pulse, unless the noise requires more."""
SHARE_OF_STEPS = 0.2
"""The same fraction for steps of the current, which has transients of its own."""
SAME_WIDTH = 0.75
"""Fraction of the usual width below which a stretch is a fragment of a pulse."""
LEVEL_BAND = 0.75
"""Part of a step by which two values of one level may differ: six standard deviations where noise sets the step."""
MEDIAN_OF = 15
"""Number of samples spread over a pulse whose median is the level of the pulse."""


@dataclass(frozen=True)
class Pulses:
    """Where the pulses of a trace lie, each of shape (m,).

    Attributes
    ----------
    start, stop
        Samples inside the pulse: ``start`` … ``stop`` − 1.
    first, last
        Samples including the edges; outside of them the stimulus is at its level between pulses.
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


class NoPulseError(AnalysisError):
    """Nothing in the stimulus of a run stands out of its noise for more than one sample."""


def refusal(trace: Trace, problem: str, remedy: str, kind: type[AnalysisError] = AnalysisError) -> AnalysisError:
    """Return the error that names the file and the run."""
    return kind(f"{trace.measurement.id}: run {trace.run}: {problem}; {remedy}")


# --- pulses in the stimulus
def pulses_in_stimulus(trace: Trace, stimulus: np.ndarray) -> Pulses:
    """Find the stretches that depart from the level between pulses, including glitches of one sample."""
    if not np.isfinite(stimulus).any():
        raise refusal(trace, "no value of the stimulus is a number", "a recorded stimulus is needed, or none at all")
    stimulus = filled(stimulus)
    noise = noise_of(np.abs(probed(stimulus)[1]))
    low, high = _held_range(stimulus, noise)
    level = _level_between(stimulus, max(SIGNIFICANT * noise, SHARE * (high - low)))
    largest = max(high - level, level - low)
    threshold = max(SHARE * largest, min(SIGNIFICANT * noise, largest / 2))
    departure = stimulus - level
    code = (departure > threshold).astype(np.int8) - (departure < -threshold)
    if largest <= SIGNIFICANT * noise or not code.any():
        unit = trace.stimulus_unit
        raise refusal(
            trace,
            f"no pulse: the stimulus departs from {level:.4g} {unit} by at most {largest:.2g} {unit}, "
            f"its noise is {noise:.2g} {unit}",
            f"departures above {max(threshold, SIGNIFICANT * noise):.2g} {unit} count",
            NoPulseError,
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
    """Return the range of the stimulus without spikes of one sample, unless every pulse lasts one sample."""
    low = float(np.maximum(stimulus[1:], stimulus[:-1]).min())
    high = float(np.minimum(stimulus[1:], stimulus[:-1]).max())
    return (low, high) if high - low > SIGNIFICANT * noise else (float(stimulus.min()), float(stimulus.max()))


def _level_between(stimulus: np.ndarray, threshold: float) -> float:
    """Return the level from which and to which the stimulus steps most often; of several, the one nearest zero.

    The duration of the level does not matter, so that neither long pulses nor idle times before and after the train
    mislead. A train of one height steps as often to the level of the pulses, but a read voltage is smaller.
    """
    step, band = np.diff(stimulus), LEVEL_BAND * threshold
    at = np.flatnonzero(np.abs(step) > threshold)
    # An edge over several samples is one step; a departure and return within one sample is no step.
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
    """Return the stretches, with pulses joined again that a glitch of one sample cut in two.

    One sample at the level between pulses may also be a short interval; the pulses beside it then have the usual width.
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
    """Widen each pulse to the stretch that it lies in, unless it shares this stretch with its neighbour."""
    begins = np.searchsorted(first, start, "right") - 1
    ends = np.searchsorted(first, stop - 1, "right") - 1
    shared = ends[:-1] == begins[1:]
    return np.where(np.r_[False, shared], start, first[begins]), np.where(np.r_[shared, False], stop, last[ends])


def _typical(values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the median of samples spread over each stretch, shape (m,)."""
    place = (np.arange(MEDIAN_OF) + 0.5) / MEDIAN_OF
    return np.median(values[start[:, None] + ((stop - start)[:, None] * place).astype(int)], axis=1)


def without_glitches(found: Pulses) -> tuple[Pulses, Pulses]:
    """Separate pulses from glitches of one sample; where most pulses last one sample, the train was sampled so."""
    lengths = found.stop - found.start
    glitch = (lengths == 1) & ((np.median(lengths) > 1) | (len(lengths) == 1))
    return found.where(~glitch), found.where(glitch)


# --- pulses in the current
def pulses_in_current(trace: Trace, current: np.ndarray) -> tuple[Pulses, Pulses, Trace]:
    """Find the pulses that steps of the current show, each from a rising step to the next falling one.

    Where no step falls before the next one rises, the pulse ends where the current is largest, as the current relaxes
    from there. A rising step leads away from the median, to the side on which the current goes farther.

    Returns
    -------
    pulses, glitches, trace
        The trace without the glitches.
    """
    spikes = spikes_in(current, np.array([], dtype=int))
    spike_height = np.abs(current[spikes] - current[spikes - 1])
    current = bridged(current, spikes)
    whole = filled(current)
    middle = np.median(whole)
    sign = 1.0 if whole.max() - middle >= middle - whole.min() else -1.0
    step = sign * np.diff(whole)
    noise = noise_of(np.abs(probed(whole)[1])) * math.sqrt(2)
    threshold = max(SIGNIFICANT * noise, SHARE_OF_STEPS * step.max())
    rising, falling = np.flatnonzero(step > threshold) + 1, np.flatnonzero(step < -threshold) + 1
    if not rising.size:
        raise refusal(
            trace,
            f"{'light never changes' if trace.steady_light else 'no stimulus was recorded'} and no pulse stands out in "
            f"the current: its largest step is {step.max():.2g} A, the noise of a step {noise:.2g} A",
            "record the stimulus",
        )
    start = rising[np.r_[True, np.diff(rising) > 1]]
    ceiling = np.append(start[1:], len(whole))
    next_fall = np.append(falling, len(whole))[np.searchsorted(falling, start)]
    top = [int(low + np.argmax(sign * whole[low:high])) + 1 for low, high in zip(start, ceiling, strict=True)]
    stop = np.where(next_fall < ceiling, next_fall, top)
    high = spikes[spike_height > threshold]
    none = np.full(len(start), np.nan)
    glitches = Pulses(high, high + 1, high, high + 1, np.full(len(high), np.nan))
    return Pulses(start, stop, start, stop, none), glitches, replace(trace, current=current, replaced=spikes.size)
