"""Series of runs: paired pulses, and responses against what differs between the runs; numbers and curves of each.

Voltage pulses and pulses of light are treated alike. The curves of a `Result` are named by their part alone here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, Result, Status, measured
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import UNLIKELY
from relaxor.stats.decay import DOUBLE, SINGLE, TRIPLE
from relaxor.stats.power_law import mean_slope
from relaxor.synapse import quantities as q
from relaxor.synapse.artifacts import gaps_in
from relaxor.synapse.protocols import Kind, applied, averaged, pair_index, responses, same_as_before
from relaxor.synapse.recording import Recording
from relaxor.synapse.relaxation import (
    FEWEST_POINTS,
    TAIL_LAWS,
    decay_rows,
    fit_laws,
    identifiability,
    law_curves,
    supported_rows,
)
from relaxor.synapse.traces import Trace

FEWEST_SAMPLES = 10
"""Smallest number of samples of a tail."""
RETAINED_PART = 0.9
"""The current that is left at the end of a tail is the mean over the time after this part of it."""
SHOWN_STRETCHES = 400
"""Number of stretches of a trace of which up to four readings each are kept for the figures."""
SHOWN_STEP = 0.02
"""Step of the stimulus, relative to its largest change in the run, whose readings are kept for the figures."""
FORGOTTEN = 100.0
"""Paired-pulse index when nothing is left of the first pulse, in percent."""
LEAST_TAIL = 1.0
"""Shortest tail, in seconds, to which laws of relaxation are fitted."""
TITLES = {
    q.WIDTH_SERIES: "pulse width",
    q.PULSES_SERIES: "number of pulses",
    q.FREQUENCY_SERIES: "frequency",
    q.AMPLITUDE_SERIES: "pulse amplitude",
}
"""Title of the axis by the quantity that a series varies."""
UNITS = {q.WIDTH_SERIES: "s", q.PULSES_SERIES: "1", q.FREQUENCY_SERIES: "Hz"}
"""Unit of the quantity that a series varies; the amplitude has that of the stimulus."""


def pairs(recording: Recording, known_floor: bool = False) -> Result:
    """Analyse paired pulses: the index against the interval, and the exponentials in it.

    Laws are fitted with a free floor and with a floor of 100 %, where the first pulse is forgotten.

    Parameters
    ----------
    recording
        Runs of two equal pulses.
    known_floor
        Whether the floor of 100 % is known to be right: the laws with this floor then decide whether two exponentials
        can be told apart.
    """
    return pairs_of(recording.measurement, pair_index(recording), known_floor)


def pairs_of(measurement: Measurement, points: xr.Dataset, known_floor: bool = False) -> Result:
    """Analyse the paired-pulse index against the interval; ``points`` are those of `pair_index`."""
    interval, index = points["interval"].values, points["index"].values
    error, origin = points["index_uncertainty"].values, points["index_uncertainty"].method
    freedom = int(points.attrs["freedom"])
    rows = []
    for end, at in ((q.SHORTEST, 0), (q.LONGEST, -1)):
        values = {q.PAIRED_PULSE_INDEX: (index[at], error[at]), q.PAIRED_PULSE_GAIN: (index[at] - 100, error[at])}
        method = f"A2/A1, both above the current before the first pulse; error: {origin}"
        where = {"feature": end, "at": applied(interval[at]), "at_unit": "s"}
        rows += measured(measurement, q.PAIRS, values, method, n=index.size, **where)
    for number, at in enumerate(interval):
        values = {q.PAIRED_PULSE_INDEX: (index[number], error[number])}
        rows += measured(measurement, q.PAIRS, values, method, n=index.size, at=applied(at), at_unit="s")
    if freedom:  # the error is that of a scatter
        rows = [row.with_interval(freedom) for row in rows]
    # Without repeats only the noise of the readings is known, not how pulses differ: the scatter about the law decides.
    known = error if (points["repeats"] > 1).all() else None
    if interval.size < FEWEST_POINTS:
        why = f"{interval.size} intervals, {FEWEST_POINTS} are needed to fit a decay"
        times = {q.RELAXATION_TIME: (math.nan, math.nan)}
        unfitted = measured(measurement, SINGLE.name, times, "least squares of the decay", n=interval.size)
        rows += [row.flagged(Status.NOT_IDENTIFIED, why) for row in unfitted]
        return Result(rows, {"pairs": points})
    fits = fit_laws(measurement, interval, index, known, FORGOTTEN)
    found = decay_rows(measurement, fits, "percent")
    chosen = [(decay, fitted) for decay, fitted in fits if (decay.floor is not None) == known_floor]
    rows.append(identifiability(measurement, q.PAIRS, chosen, found))
    drawn = [(decay, fitted) for decay, fitted in chosen if decay.law in (SINGLE, DOUBLE)]
    return Result(rows + found, {"pairs": points, "laws": law_curves(drawn, "percent")})


def responses_against(recording: Recording, varied: str) -> Result:
    """Analyse a series: responses against what it varies, their mean slope, and the relaxation behind each train.

    Parameters
    ----------
    recording
        Runs that differ in one quantity.
    varied
        A key of `TITLES`.
    """
    unit = UNITS.get(varied, recording.traces[0].stimulus_unit)
    table = responses(recording, varied)
    points = averaged(table, recording.variation)
    columns = {
        "response": (points["response"].to_numpy(), "A", "response"),
        "response_uncertainty": (points["error"].to_numpy(), "A", "standard uncertainty of response"),
    }
    curve = dataset("value", columns, {"value": (points["value"].to_numpy(), unit, TITLES[varied])})
    result = Result(_response_rows(recording, points, varied, unit), {"responses": curve})
    if len(points) > 2 and (points["response"] > 0).all():
        row, law = _power_law(recording, points, varied, unit)
        result.numbers.append(row)
        if law is not None:
            result.curves["law"] = law
    first = table.loc[~same_as_before(table["value"]), "run"]
    by_name = {trace.run: trace for trace in recording.traces}
    for number, (run, value) in enumerate(zip(first, points["value"], strict=True), 1):
        at = applied(value)
        attrs = {"value": at, "value_units": unit}
        result.curves[f"trace_{number}"] = shown(by_name[run]).assign_attrs(attrs)
        found, behind = _relaxation(recording, by_name[run], varied)
        result.numbers.extend(replace(row, at=at, at_unit=unit) for row in found)
        if behind is not None:
            result.curves[f"tail_{number}"] = behind.assign_attrs(attrs)
    return result


SERIES: dict[Kind, Callable[[Recording], Result]] = {
    "pairs": pairs,
    "amplitude": partial(responses_against, varied=q.AMPLITUDE_SERIES),
    "width": partial(responses_against, varied=q.WIDTH_SERIES),
    "number": partial(responses_against, varied=q.PULSES_SERIES),
    "frequency": partial(responses_against, varied=q.FREQUENCY_SERIES),
}
"""The analysis of each kind of file."""


def _response_rows(recording: Recording, points: pd.DataFrame, varied: str, unit: str) -> list[Number]:
    method = f"current {recording.response} of the last pulse above the one before the first"
    rows = []
    for value, response, error in zip(points["value"], points["response"], points["error"], strict=True):
        common = {"n": int(points["repeats"].sum()), "at": applied(value), "at_unit": unit}
        rows += measured(recording.measurement, varied, {q.RESPONSE: (response, error)}, method, **common)
    return rows


def _power_law(recording: Recording, points: pd.DataFrame, varied: str, unit: str) -> tuple[Number, xr.Dataset | None]:
    """Return the mean slope on logarithmic axes, and the power law if the responses follow one.

    The slope describes the measured range, whatever law holds. A line that misses the points is not drawn.
    """
    slope = mean_slope(*(points[column].to_numpy() for column in ("value", "response", "error")))
    follows = _is_power_law(points)
    method = "mean slope on logarithmic axes, least squares; error by those of the responses"
    method += "" if follows else "; the responses follow no power law"
    common = {"n": len(points), "reduced_chi_square": slope.reduced_chi_square}
    (row,) = measured(recording.measurement, varied, {q.EXPONENT: (slope.exponent, slope.error)}, method, **common)
    if not follows:
        return row, None
    fine = np.geomspace(points["value"].min(), points["value"].max(), 60)
    law = {"response": (slope.amplitude * fine**slope.exponent, "A", "power law")}
    return row, dataset("value", law, {"value": (fine, unit, TITLES[varied])})


def _is_power_law(points: pd.DataFrame) -> bool:
    """Whether a power law that is fitted with the errors of the responses describes them."""
    relative = (points["error"] / points["response"]).to_numpy()
    design = np.column_stack([np.ones(len(points)), np.log(points["value"])]) / relative[:, None]
    logarithms = np.log(points["response"]).to_numpy() / relative
    residual = logarithms - design @ np.linalg.lstsq(design, logarithms, rcond=None)[0]
    return float(stats.chi2.sf(residual @ residual, len(points) - 2)) >= UNLIKELY


def _relaxation(recording: Recording, trace: Trace, varied: str) -> tuple[list[Number], xr.Dataset | None]:
    """Fit the relaxation after the last pulse of a run, and return the fraction of the response at its end."""
    followed = tail(recording, trace)
    if followed is None or followed.length < LEAST_TAIL:
        return [], None
    measurement = recording.measurement
    part = f"last {100 * (1 - RETAINED_PART):.0f} % of {followed.length:.3g} s"
    method = f"mean current of the {part} over that right behind the last pulse, both above the one before the first"
    retained = {q.RETAINED_FRACTION: (followed.retained, followed.retained_error)}
    rows = measured(measurement, varied, retained, method)
    time, current, error = followed.time, followed.current, followed.error
    fits = fit_laws(measurement, time, current, error, laws=TAIL_LAWS, spread=followed.spread)
    found = supported_rows(measurement, fits, "A")
    verdicts = [identifiability(measurement, q.RELAXATION, fits, found, law) for law in (DOUBLE, TRIPLE)]
    for row in found:
        of_floor = followed.baseline_error if row.parameter == q.FLOOR.name else 0.0
        current_like = row.unit in ("A", "A/s")
        rows.append(_with_error(row, recording.variation * row.value, of_floor) if current_like else row)
    best, fitted = min(fits, key=lambda entry: entry[1].aicc)
    columns = {
        "current": (current, "A", "current above the baseline"),
        "current_uncertainty": (error, "A", "standard uncertainty of the current"),
        "law": (best.expected(fitted), "A", best.model.replace("_", " ")),
    }
    return rows + verdicts, dataset("time", columns, {"time": (time, "s", "time after the last pulse")})


def _with_error(row: Number, *errors: float) -> Number:
    """Add independent errors that all readings of a run have in common to error and interval."""
    common = float(np.linalg.norm(errors))
    return replace(
        row,
        standard_error=float(np.hypot(row.standard_error, common)),
        ci_low=row.value - float(np.hypot(row.value - row.ci_low, NORMAL_QUANTILE * common)),
        ci_high=row.value + float(np.hypot(row.ci_high - row.value, NORMAL_QUANTILE * common)),
    )


# --- what follows a train, and traces for figures
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
        steps = np.flatnonzero(np.abs(np.diff(trace.stimulus)) > SHOWN_STEP * np.ptp(trace.stimulus))
        chosen += [*steps, *steps + 1]
    at = np.unique(chosen)
    columns = {"current": (trace.current[at], "A", "current")}
    if trace.stimulus is not None:
        columns["stimulus"] = trace.stimulus[at], trace.stimulus_unit, "stimulus"
    return dataset("time", columns, {"time": (trace.time[at], "s", "time")})
