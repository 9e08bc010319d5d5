"""What a file of pulses holds, told from its pulses and not from its name, and the responses in it.

=============  ======================================================================================================
kind           the runs of the file
=============  ======================================================================================================
``pairs``      two equal pulses each, at different intervals
``cycles``     pulses of both signs: potentiation and depression
``codes``      the same slots, with a pulse in some of them
``amplitude``  trains of pulses that differ in their level (the power density of light)
``width``      single pulses that differ in their width
``frequency``  trains of as many pulses that differ in width and period
``number``     trains that differ in the number of pulses
=============  ======================================================================================================
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import median_filter
from scipy.optimize import brentq

from relaxor.data import Measurement, Number, measured
from relaxor.errors import AnalysisError
from relaxor.plasticity.damage import finite, gaps_in
from relaxor.plasticity.events import find_pulses, measure_pulses, require_pulses, without_spikes
from relaxor.plasticity.traces import POWER_DENSITY, Trace, traces_of
from relaxor.readers.schema import variable

Kind = Literal["pairs", "cycles", "codes", "amplitude", "width", "frequency", "number"]
Response = Literal["after", "end"]
SAME = 0.02
"""Widths, levels and intervals that differ by less than this part are the same."""
LEAST_LIGHT = 0.1
"""Light in a run without pulses, as a part of the weakest pulse of the others, that is not taken for the dark."""
LEAST_BIAS = 1e-3
"""Volts, below which light drives the current and no bias has a sign."""
TURNED = 5.0
"""Standard errors by which the current of every pulse of a run flows against the voltage if its sign is wrong."""
LEAST_STIMULUS = 0.02
"""A run whose stimulus changes by less than this part of the largest change in the file has no pulses, but noise."""
FEWEST_REPEATS = 5
"""Runs beyond the first of their kind from which on repeats tell how runs vary."""
FEWEST_SAMPLES = 10
"""Fewest samples of a tail."""
RETAINED_PART = 0.9
"""What is left at the end of a tail is the mean over what follows this part of it."""
SHOWN_STRETCHES = 400
"""Stretches of a trace of which up to four readings are kept for the figures."""


@dataclass(frozen=True)
class Recording:
    """One file of pulses.

    Attributes
    ----------
    measurement
        Where it comes from.
    traces
        Its runs, but for those of which a pulse was dropped; a current that stood out alone is the mean of its
        neighbours there.
    events
        The table of `find_events` of all runs together, pulses that were dropped among them.
    response
        Where a response is read: ``after`` a voltage pulse, at the ``end`` of a pulse of light.
    variation, variation_error
        Relative standard deviation of the response from run to run, and its standard error; 0 where nothing tells it.
    """

    measurement: Measurement
    traces: Sequence[Trace]
    events: pd.DataFrame
    response: Response
    variation: float = 0.0
    variation_error: float = math.nan

    @property
    def kept(self) -> pd.DataFrame:
        """The pulses that were kept."""
        return self.events[self.events["kept"]]

    def of(self, trace: Trace) -> pd.DataFrame:
        """Return the kept pulses of one run."""
        kept = self.kept
        return kept[kept["run"] == trace.run]

    @property
    def read_voltage(self) -> float:
        """Voltage across the device before the first pulse of a run, V: the median over the runs."""
        firsts = self.kept.groupby("run", sort=False)["onset"].min()
        before = [
            np.median(trace.voltage[trace.time < firsts[trace.run]]) for trace in self.traces if trace.run in firsts
        ]
        return float(np.median(before))

    def counts(self) -> list[Number]:
        """Return how many pulses were found, how many of them were dropped and why, and how much runs vary."""
        dropped = self.events[~self.events["kept"]]
        reasons = "; ".join(f"{count} × {reason}" for reason, count in dropped["reason"].value_counts().items())
        replaced = sum(trace.replaced for trace in self.traces)
        varies = "of the response, relative, a part of all its errors" if self.variation else "nothing tells it"
        return [
            row
            for name, value, error, method in (
                ("pulses", len(self.events), math.nan, "found"),
                ("pulses_dropped", len(dropped), math.nan, reasons),
                ("readings_replaced", replaced, math.nan, "spikes: mean of the neighbours"),
                ("run_variation", self.variation, self.variation_error, f"standard deviation from run to run {varies}"),
            )
            for row in measured(self.measurement, "events", {name: (value, error, "1")}, method)
        ]


def record(measurement: Measurement, read_window: float, response: Response) -> Recording:
    """Find the pulses of a file.

    Parameters
    ----------
    measurement
        The file.
    read_window
        Seconds over which a current is read.
    response
        See `Recording`.

    Raises
    ------
    AnalysisError
        As `traces_of` and `find_events` say, and if a run has fewer pulses than the condition ``pulses`` of the sheet,
        or light that is no pulse among runs with pulses of it, or a current against the voltage.
    """
    traces = traces_of(measurement)
    pulsed = _with_pulses(traces)
    found = [find_pulses(trace) for trace in pulsed]
    clean = {trace.run: trace for *_, trace in found}
    tables = [measure_pulses(trace, pulses, glitches, read_window) for pulses, glitches, trace in found]
    expected = measurement.condition("pulses", "1", 0)
    for trace, table in zip(pulsed, tables, strict=True):
        require_pulses(table, trace, int(expected))
    events = _without_incomplete_runs(pd.concat(tables, ignore_index=True))
    if not events["kept"].any():
        reasons = "; ".join(sorted(set(events["reason"])))
        raise AnalysisError(f"{measurement.id}: no run is complete ({reasons})")
    # A run without pulses among runs with them is one on purpose: the code 0000.
    still = [trace for trace in traces if trace.run not in clean]
    if pulsed[0].stimulus_unit != "V":
        _refuse_other_light(still, pulsed, events)
    clean |= {trace.run: _in_the_dark(trace, pulsed[0]) for trace in still}
    complete = set(events.loc[events["kept"], "run"]) | {trace.run for trace in still}
    recording = Recording(
        measurement, [clean[trace.run] for trace in traces if trace.run in complete], events, response
    )
    _refuse_turned(recording)
    return recording


def _in_the_dark(trace: Trace, pulsed: Trace) -> Trace:
    """Return a run without pulses as one of those that have them."""
    trace = without_spikes(replace(trace, current=finite(trace.current)))
    if pulsed.stimulus is None:
        return trace
    return replace(trace, stimulus=np.zeros(trace.time.size), stimulus_unit=pulsed.stimulus_unit)


def _refuse_turned(recording: Recording) -> None:
    """Refuse a file with a run whose current flows against the voltage that the pulses, or with light the bias, are."""
    light = recording.traces[0].stimulus_unit != "V"
    for trace in recording.traces:
        events = recording.of(trace)
        if light:
            bias = float(np.nanmedian(trace.voltage))
            along, against = events["end"] * np.sign(bias), "bias"
            along = along if abs(bias) > LEAST_BIAS else along.abs()
        else:
            along, against = (events["end"] - events["baseline"]) * np.sign(events["amplitude"]), "voltage"
        if len(events) and float((along + TURNED * np.hypot(events["end_error"], events["baseline_error"])).max()) < 0:
            raise AnalysisError(
                f"{recording.measurement.id}: run {trace.run}: the current is counted against the {against}; "
                "turn the sign of one of them"
            )


def _with_pulses(traces: Sequence[Trace]) -> Sequence[Trace]:
    """Leave out runs in which light, or where there is none the voltage, hardly changes beside the other runs."""
    changes = [
        (trace, float(np.nanmax(trace.stimulus) - np.nanmin(trace.stimulus)))
        for trace in traces
        if trace.stimulus is not None
    ]
    changes = [entry for entry in changes if entry[0].stimulus_unit != "V"] or changes
    if not changes:
        return traces
    largest = max(change for _, change in changes)
    return [trace for trace, change in changes if change > LEAST_STIMULUS * largest]


def _refuse_other_light(still: Sequence[Trace], pulsed: Sequence[Trace], events: pd.DataFrame) -> None:
    """Refuse runs without pulses that are not as dark as the others are between their pulses: no code 0000."""
    dark = float(np.median([np.nanmin(trace.stimulus) for trace in pulsed if trace.stimulus is not None]))
    least = dark + LEAST_LIGHT * float(events.loc[events["kept"], "amplitude"].min())
    for trace in still:
        level = trace.steady_light
        if trace.stimulus_unit != "V" and trace.stimulus is not None:
            level = float(np.nanmax(median_filter(trace.stimulus, 3)))  # a glitch is no light
        if level > least:
            raise AnalysisError(
                f"{trace.measurement.id}: run {trace.run}: light of {level:.3g} {POWER_DENSITY} that is no pulse, "
                "beside runs with pulses: leave out runs under steady light, and pulses too weak beside the strongest"
            )


def _without_incomplete_runs(events: pd.DataFrame) -> pd.DataFrame:
    """Drop the other pulses of a run of which one was dropped: it is not the train that was meant any more."""
    incomplete = set(events.loc[~events["kept"] & (events["number"] >= 0), "run"])
    others = events["kept"] & events["run"].isin(incomplete)
    return events.assign(
        kept=events["kept"] & ~others, reason=events["reason"].where(~others, "another pulse of the run was dropped")
    )


def kind_of(recording: Recording) -> Kind:
    """Tell what a file holds.

    Raises
    ------
    AnalysisError
        If its runs are none of the kinds, with what they are.
    """
    runs = summary(recording)
    varied = {name for name in ("amplitude", "pulses", "width", "period") if _varies(runs[name])}
    single = (runs["pulses"] == 1).all()
    if (runs["signs"] > 1).all():
        return "cycles"
    if (runs["pulses"] == 2).all() and varied == {"period"}:
        return "pairs"
    several_each = len(runs) > 2 * runs["pulses"].nunique() and _varies(runs["first"])
    if len(recording.traces) > recording.kept["run"].nunique() or ("pulses" in varied and several_each):
        return "codes"
    if varied == {"amplitude"}:
        return "amplitude"
    if "pulses" in varied and not varied & {"amplitude", "width"}:
        return "number"
    if varied == {"width"} or (single and varied == {"width", "period"}):
        return "width"
    if "period" in varied and not varied & {"amplitude", "pulses"}:
        return "frequency"
    raise AnalysisError(
        f"{recording.measurement.id}: {len(runs)} runs that differ in {' and '.join(sorted(varied)) or 'nothing'}; "
        "expected pairs at several intervals, pulses of both signs, codes, or a series of one quantity"
    )


def summary(recording: Recording) -> pd.DataFrame:
    """Describe each run that has pulses, in a row.

    Returns
    -------
    pandas.DataFrame
        ``run``, ``pulses`` (their number), ``signs`` (1, or 2 if there are both), ``amplitude``, ``width`` (s),
        ``period`` (s, from onset to onset; 0 of a single pulse), ``frequency`` (Hz), ``first`` (s, first onset).
    """
    rows = []
    for run, events in recording.kept.groupby("run", sort=False):
        onsets = events["onset"].to_numpy()
        period = float(np.median(np.diff(onsets))) if len(onsets) > 1 else 0.0
        rows.append(
            {
                "run": run,
                "pulses": len(events),
                "signs": len(np.unique(np.sign(events["amplitude"].to_numpy()))),
                "amplitude": float(events["amplitude"].median()),
                "width": float(events["width"].median()),
                "period": period,
                "frequency": 1 / period if period else np.nan,
                "first": float(onsets[0]),
            }
        )
    return pd.DataFrame(rows)


def _varies(values: pd.Series) -> bool:
    low, high = float(values.min()), float(values.max())
    return high - low > SAME * max(abs(low), abs(high))


def pair_index(recording: Recording) -> xr.Dataset:
    """Return the PPF index against the interval.

    A1 and A2 are the responses to the first and to the second pulse, both above the current before the first one.
    Repeats of an interval are averaged; their scatter, pooled over all intervals, gives the standard errors (the errors
    of the readings where nothing is repeated).

    Returns
    -------
    xarray.Dataset
        Along ``interval`` (s, from the end of the first pulse to the onset of the second): ``index`` = A2/A1 and
        ``gain`` = (A2 − A1)/A1 (percent) with uncertainties, ``repeats``.
    """
    value, error = recording.response, f"{recording.response}_error"
    rows = []
    for trace in recording.traces:
        one, two = (recording.of(trace).iloc[i] for i in (0, 1))
        first, second = one[value] - one["baseline"], two[value] - one["baseline"]
        noise = np.hypot(two[error] / first, one[error] * second / first**2)
        noise = np.hypot(noise, one["baseline_error"] * (second - first) / first**2)
        rows.append((round(two["onset"] - one["onset"] - one["width"], 6), 100 * second / first, 100 * noise))
    table = pd.DataFrame(rows, columns=["interval", "index", "error"]).sort_values("interval")
    # Intervals of the same setting differ by the rounding of the clock.
    group = (table["interval"].diff() > SAME * table["interval"]).cumsum()
    grouped = table.groupby(group)
    repeats = grouped.size().to_numpy()
    freedom = int((repeats - 1).sum())
    if freedom >= FEWEST_REPEATS:
        pooled = np.sqrt(((table["index"] - grouped["index"].transform("mean")) ** 2).sum() / freedom)
        uncertainty, method = pooled / np.sqrt(repeats), "scatter of repeats, pooled"
    else:
        uncertainty = np.sqrt(grouped["error"].apply(lambda errors: (errors**2).sum()).to_numpy()) / repeats
        method = "errors of the readings"
    index = grouped["index"].mean().to_numpy()
    coords = {"interval": variable("interval", grouped["interval"].mean().to_numpy(), "s", "interval of the pulses")}
    return xr.Dataset(
        {
            "index": variable("interval", index, "percent", "PPF index A2/A1"),
            "gain": variable("interval", index - 100, "percent", "PPF gain (A2 − A1)/A1"),
            "index_uncertainty": variable(
                "interval", uncertainty, "percent", "standard uncertainty of the PPF index", method=method
            ),
            "repeats": variable("interval", repeats, "1", "repeats"),
        },
        coords,
    )


def responses(recording: Recording, varied: str) -> pd.DataFrame:
    """Return the response to each run's last pulse against what the series varies.

    Parameters
    ----------
    varied
        A column of `summary`.

    Returns
    -------
    pandas.DataFrame
        Sorted by ``value``: ``run``, ``value``, ``response`` and ``error`` (A; above the current before the first
        pulse).
    """
    described = summary(recording).set_index("run")
    rows = []
    for run, events in recording.kept.groupby("run", sort=False):
        first, last = events.iloc[0], events.iloc[-1]
        error = float(np.hypot(last[f"{recording.response}_error"], first["baseline_error"]))
        value = float(described.loc[run, varied])
        rows.append((run, value, float(last[recording.response] - first["baseline"]), error))
    table = pd.DataFrame(rows, columns=["run", "value", "response", "error"])
    return table.sort_values("value", kind="stable", ignore_index=True)


def same_as_before(values: pd.Series) -> pd.Series:
    """Tell for each value of an ascending series whether it is the one before it, but for jitter."""
    return values.diff() <= SAME * values.abs()


def averaged(table: pd.DataFrame, variation: float) -> pd.DataFrame:
    """Average the responses of repeated runs.

    Parameters
    ----------
    table
        What `responses` returned.
    variation
        Relative standard deviation of the response from run to run: beside the errors of the readings, each run has it.

    Returns
    -------
    pandas.DataFrame
        ``value``, ``response``, ``error``, ``repeats``.
    """
    grouped = table.groupby((~same_as_before(table["value"])).cumsum())
    mean = grouped["response"].mean()
    squares = table["error"] ** 2 + (variation * table["response"]) ** 2
    repeats = grouped.size()
    return pd.DataFrame(
        {
            "value": grouped["value"].mean(),
            "response": mean,
            "error": np.sqrt(squares.groupby(grouped.ngroup()).sum().to_numpy()) / repeats,
            "repeats": repeats,
        }
    ).reset_index(drop=True)


def run_variation(recordings: Sequence[Recording]) -> tuple[float, float]:
    """Return by how much the response varies from run to run, from the runs of all files that repeat each other.

    Beside the noise of the readings, such that the sum of squared deviations over their variances is its expectation
    (Paule & Mandel, doi 10.6028/jres.087.022).

    Returns
    -------
    variation, error
        Relative standard deviation, and its standard error; 0 and NaN where fewer than `FEWEST_REPEATS` runs repeat
        another one.
    """
    tables = [responses(recording, varied) for recording in recordings if (varied := _repeated(recording))]
    groups = [group for table in tables for _, group in table.groupby((~same_as_before(table["value"])).cumsum())]
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < FEWEST_REPEATS:
        return 0.0, math.nan
    means = np.concatenate([np.full(len(group), group["response"].mean()) for group in groups])
    response, error = (np.concatenate([group[name] for group in groups]) for name in ("response", "error"))
    squares, noise = (response / means - 1) ** 2, (error / means) ** 2

    def excess(variance: float) -> float:
        return float(np.sum(squares / (variance + noise))) - freedom

    highest = float(squares.sum())
    variance = brentq(excess, 0.0, highest) if excess(0.0) > 0 > excess(highest) else 0.0
    weight = float(np.sum(1 / (variance + noise))) * freedom / squares.size
    return math.sqrt(variance), error_of_root(variance, math.sqrt(2 * freedom) / weight)


def error_of_root(variance: float, error: float) -> float:
    """Return the standard error of the root of a variance that has one; that of its error where it is near zero."""
    return min(error / (2 * math.sqrt(variance)), math.sqrt(error)) if variance else math.sqrt(error)


def _repeated(recording: Recording) -> str | None:
    """Return by which quantity the runs of a file are told apart; None where no one quantity does."""
    kind = kind_of(recording)
    return {"pairs": "period", "amplitude": "amplitude", "width": "width", "number": "pulses"}.get(kind)


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
        Standard error of what was subtracted from all, A.
    retained, retained_error
        Mean current of the last tenth over that right behind the pulse.
    length
        How long it was read, s.
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

    A sample of a voltage run stands for the interval that it ends (behind a gap, for as long as the next one does), one
    under light for its moment. No stretch goes across a gap.
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
    if noise == 0:  # most readings repeat: the instrument's step is what is known
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
    """Return a trace for a figure: of a long one the first, last, least and greatest current of each stretch.

    A line through these looks as one through all readings does (Jugel et al., doi 10.14778/2732951.2732953).
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
    coords = {"time": variable("time", trace.time[at], "s", "time")}
    data = {"current": variable("time", trace.current[at], "A", "current")}
    if trace.stimulus is not None:
        data["stimulus"] = variable("time", trace.stimulus[at], trace.stimulus_unit, "stimulus")
    return xr.Dataset(data, coords)
