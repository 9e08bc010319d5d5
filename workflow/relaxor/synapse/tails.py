"""What follows a train of pulses, averaged for fits, and traces thinned for figures."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.variables import dataset
from relaxor.synapse.artifacts import gaps_in
from relaxor.synapse.recording import LEAST_STIMULUS, Recording
from relaxor.synapse.traces import Trace

FEWEST_SAMPLES = 10
"""Smallest number of samples of a tail."""
RETAINED_PART = 0.9
"""The current that is left at the end of a tail is the mean over the time after this part of it."""
SHOWN_STRETCHES = 400
"""Number of stretches of a trace of which up to four readings each are kept for the figures."""


@dataclass(frozen=True)
class Tail:
    """The relaxation behind the last pulse of a run: means over up to 60 stretches that grow with time.

    Attributes
    ----------
    time, spread
        Mean of the times of a stretch, since the pulse ended, and their standard deviation; s, shape (n,).
    current, error
        Above the current before the first pulse, and its standard error by the noise of the readings; A, shape (n,).
    baseline_error
        Standard error of the baseline that was subtracted, A.
    retained, retained_error
        Mean current of the last tenth over that immediately after the pulse.
    length
        Duration of the tail, s.
    """

    time: np.ndarray
    spread: np.ndarray
    current: np.ndarray
    error: np.ndarray
    baseline_error: float
    retained: float
    retained_error: float
    length: float


def tail(recording: Recording, trace: Trace) -> Tail | None:
    """Return the relaxation behind the last pulse of a run; None if fewer than ten samples follow.

    A sample of a voltage run stands for the interval that it ends, and after a gap for an interval as long as the next
    one. A sample under light stands for its moment. No stretch extends across a gap.
    """
    events = recording.of(trace)
    first, last = events.iloc[0], events.iloc[-1]
    start = int(np.searchsorted(trace.time, last["onset"] + last["width"] - np.diff(trace.time).min() / 2))
    time, current = trace.time[start:], trace.current[start:] - first["baseline"]
    if time.size < FEWEST_SAMPLES:
        return None
    behind_gaps = gaps_in(time)[0] + 1
    if trace.stimulus_unit == "V":
        interval = np.diff(trace.time[start - 1 :])
        interval[behind_gaps] = interval[np.minimum(behind_gaps + 1, interval.size - 1)]
        time = time - interval / 2 - trace.time[start - 1]
    else:
        time = time - time[:1]
    known = np.isfinite(current)
    behind_gaps = np.cumsum(known)[behind_gaps - 1]
    time, current = time[known], current[known]
    if time.size < FEWEST_SAMPLES:
        return None
    steps = np.abs(np.diff(current))
    noise = float(np.median(steps)) / (0.6745 * np.sqrt(2))
    if noise == 0:  # most readings are equal: only the step of the instrument is known
        noise = float(steps[steps > 0].min(initial=np.abs(current).max() or 1.0)) / np.sqrt(12)
    edges = np.union1d(np.round(np.geomspace(1, time.size + 1, 61)).astype(int) - 1, behind_gaps)
    counts = np.diff(edges)
    mean_time, mean_square, mean_current = (
        np.add.reduceat(values, edges[:-1]) / counts for values in (time, time**2, current)
    )
    late = time > RETAINED_PART * time[-1]
    left, begin = current[late].mean(), last["after"] - first["baseline"]
    fraction = left / begin
    errors = noise / np.sqrt(late.sum()), fraction * last["after_error"], (1 - fraction) * first["baseline_error"]
    return Tail(
        time=mean_time,
        spread=np.sqrt(np.maximum(mean_square - mean_time**2, 0.0)),
        current=mean_current,
        error=noise / np.sqrt(counts),
        baseline_error=float(first["baseline_error"]),
        retained=float(fraction),
        retained_error=float(np.linalg.norm(errors) / abs(begin)),
        length=float(time[-1]),
    )


def shown(trace: Trace) -> xr.Dataset:
    """Return a trace for a figure; of a long trace the first, last, least and greatest current of each stretch.

    A line through these looks like one through all readings (Jugel et al., doi 10.14778/2732951.2732953).
    """
    size = -(-trace.time.size // SHOWN_STRETCHES)
    stretches = np.array_split(np.nan_to_num(trace.current), np.arange(size, trace.time.size, size))
    chosen = [
        number * size + place
        for number, part in enumerate(stretches)
        for place in (0, int(np.argmin(part)), int(np.argmax(part)), part.size - 1)
    ]
    if trace.stimulus is not None:  # its edges are as steep as they were recorded
        steps = np.flatnonzero(np.abs(np.diff(trace.stimulus)) > LEAST_STIMULUS * np.ptp(trace.stimulus))
        chosen += [*steps, *steps + 1]
    at = np.unique(chosen)
    columns = {"current": (trace.current[at], "A", "current")}
    if trace.stimulus is not None:
        columns["stimulus"] = trace.stimulus[at], trace.stimulus_unit, "stimulus"
    return dataset("time", columns, {"time": (trace.time[at], "s", "time")})
