"""Pulses of a trace, and the current before, in and after each of them.

Read windows do not touch the edges of pulses (`relaxor.synapse.detection`) or neighbouring pulses. A mean over a window
has the standard error of the scatter about a straight line, because currents drift; the error is larger where
neighbouring samples are correlated (`relaxor.synapse.windows`). Nothing is dropped silently: a pulse that cannot be
used stays in the table with the reason, and currents that stand out alone are counted.
"""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from relaxor.synapse.artifacts import bends, bridged, clipped_in, filled, finite, gaps_in, noise_of, spikes_in
from relaxor.synapse.detection import (
    NoPulseError,
    Pulses,
    pulses_in_current,
    pulses_in_stimulus,
    refusal,
    without_glitches,
)
from relaxor.synapse.traces import Trace
from relaxor.synapse.windows import FEW, window_before, window_behind, window_means

MEASURED = ("baseline", "end", "after", "settled")
NOWHERE = np.array([], dtype=int)
COLUMNS = (
    *("run", "number", "onset", "width", "amplitude"),
    *(name for window in MEASURED for name in (window, f"{window}_error")),
    *("mean_current", "peak_current", "charge", "energy", "kept", "reason"),
)


def find_pulses(trace: Trace) -> tuple[Pulses, Pulses, Trace]:
    """Find the pulses of a trace, its glitches, and currents that are not those of the device.

    A departure of the stimulus counts that exceeds the noise and 5 % of the largest departure. Where no stimulus was
    recorded, a step of the current counts that exceeds the noise and 20 % of the largest step.

    Returns
    -------
    pulses, glitches
        Stretches of the stimulus; glitches last one sample.
    trace
        The trace, in which currents that stand out alone or were read in a glitch are the mean of their neighbours.

    Raises
    ------
    AnalysisError
        If the trace has no samples, no current or a time that does not increase, or holds no pulse.
    """
    _check(trace)
    current = finite(trace.current)
    if trace.stimulus is None:
        return pulses_in_current(trace, current)
    pulses, glitches = without_glitches(pulses_in_stimulus(trace, finite(trace.stimulus)))
    if not pulses.start.size:
        problem = "no pulse: the stimulus departs for a single sample only"
        raise refusal(trace, problem, "sample the pulse more often", NoPulseError)
    edges = np.concatenate([pulses.start, pulses.first, pulses.stop, pulses.last])
    return pulses, glitches, without_spikes(replace(trace, current=current), edges, glitches.start)


def without_spikes(trace: Trace, edges: np.ndarray = NOWHERE, glitches: np.ndarray = NOWHERE) -> Trace:
    """Return a trace in which currents that stand out alone, and some others, are the mean of their neighbours.

    Parameters
    ----------
    edges
        Samples at edges of pulses, where currents are expected to stand out.
    glitches
        Samples that are always replaced.
    """
    at = np.union1d(spikes_in(trace.current, edges), glitches)
    return replace(trace, current=bridged(trace.current, at), replaced=at.size)


def measure_pulses(trace: Trace, pulses: Pulses, glitches: Pulses, read_window: float) -> pd.DataFrame:
    """Measure the current at each pulse that `find_pulses` found.

    Parameters
    ----------
    trace, pulses, glitches
        What `find_pulses` returned.
    read_window
        Length of the read windows, s. A window holds at least one sample and ends where a neighbouring pulse begins.

    Returns
    -------
    pandas.DataFrame
        One row per pulse, in their order: ``run``; ``number`` from 0 (−1: a glitch, which is no pulse); ``onset``, time
        of its first sample, and ``width``, s; ``amplitude`` in the unit of the stimulus; means with their standard
        errors ``…_error``, A, of the current in the window before the pulse (``baseline``), in the last one inside
        (``end``), in the first one behind (``after``) and in the last one before the next pulse or the end of the
        trace (``settled``); ``mean_current`` and ``peak_current`` in the pulse, A; ``charge`` ∫I dt, C, and ``energy``
        ∫V·I dt, J, over the pulse; ``kept``, and else the ``reason``. Of a kept pulse only ``settled`` may be NaN.

        Currents keep the sign of the file. The energy is taken up by the device: where the current is counted against
        the voltage, the sum over all pulses is negative, and the sign of every energy is changed.
    """
    table = _measured(trace, trace.current, pulses, read_window)
    table["number"] = np.arange(len(table))
    dropped = pd.DataFrame({"number": -1, **_placed(trace, glitches)}).assign(kept=False, reason="glitch of one sample")
    both = pd.concat([table, dropped], ignore_index=True) if len(dropped) else table
    both = both.sort_values("onset", ignore_index=True).assign(run=trace.run)
    return both.astype({"kept": bool})[list(COLUMNS)]


def require_pulses(events: pd.DataFrame, trace: Trace, expected: int) -> None:
    """Refuse a trace that shows fewer pulses than the sheet states.

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
    raise refusal(
        trace,
        f"{len(found)} pulses found, the sheet says {expected}" + (f" (not usable: {dropped})" if dropped else ""),
        "correct the sheet, or give the file without such runs",
    )


def _check(trace: Trace) -> None:
    time = trace.time
    if len(time) < 2:
        raise refusal(trace, f"{len(time)} samples", "a pulse and the reads about it are needed")
    forward = time[1:] > time[:-1]
    if not forward.all():
        at = int(np.argmin(forward))
        raise refusal(
            trace,
            f"time does not increase: {time[at]:g} s at sample {at}, {time[at + 1]:g} s at the next",
            "times in increasing order are needed, one run for each trace",
        )
    if not np.isfinite(trace.current).any():
        raise refusal(trace, f"none of {len(time)} currents is a number", "a measured current is needed")


# --- the table
def _placed(trace: Trace, pulses: Pulses) -> dict[str, np.ndarray]:
    time = trace.time
    return {
        "onset": time[pulses.start],
        "width": time[pulses.stop - 1] + _last_interval(time, pulses) - time[pulses.start],
        "amplitude": pulses.amplitude,
    }


def _last_interval(time: np.ndarray, pulses: Pulses) -> np.ndarray:
    """Return the time that the last sample of a pulse represents: the shorter of the adjacent intervals."""
    end = pulses.stop - 1
    before, behind = np.maximum(end, 1), np.minimum(end + 1, len(time) - 1)
    intervals = time[before] - time[before - 1], time[behind] - time[behind - 1]
    return np.minimum(*intervals)


def _measured(trace: Trace, current: np.ndarray, pulses: Pulses, read_window: float) -> pd.DataFrame:
    """Measure the pulses and state which of them cannot be used."""
    time, size = trace.time, len(trace.time)
    floor, ceiling = np.r_[0, pulses.last], np.r_[pulses.first, size]
    at, bend = bends(current)
    place = np.searchsorted(pulses.start, at, "right") - 1
    inside = (place >= 0) & (at + 2 < pulses.stop[place])

    def noise(chosen: np.ndarray) -> float:
        return noise_of(np.abs(bend[chosen] if chosen.sum() > FEW else bend)) / math.sqrt(3)

    reads = window_before(time, ceiling, floor, read_window)
    ends = window_before(time, pulses.stop, pulses.start, read_window)
    afters = window_behind(time, pulses.last, ceiling[1:], read_window)
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
    """Integrate over the pulses; a sample represents the interval that ends at it, as in the Keithley 4200."""
    known = filled(current)
    charge = _integral(trace.time, known, pulses)
    energy = _integral(trace.time, filled(finite(trace.voltage)) * known, pulses)
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
    # Where a pulse is sampled more densely than the time before, its first sample stands for no longer than the next.
    following = np.minimum(pulses.start + 1, len(steps) - 1)
    steps[pulses.start] = np.minimum(steps[pulses.start], steps[following])
    sums = np.concatenate([[0.0], np.cumsum(values * steps)])
    return sums[pulses.stop] - sums[pulses.start]


def _reasons(
    trace: Trace, current: np.ndarray, pulses: Pulses, table: pd.DataFrame, reach: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return why each pulse cannot be used, "" if it can; ``reach`` is from its first read to its last."""
    size = len(trace.time)
    gaps, lengths = gaps_in(trace.time)
    gap, has_gap = _first_within(gaps, reach[0], reach[1] - 1)
    clipped = clipped_in(current, trace.measurement.condition("compliance", "A", math.inf))
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
