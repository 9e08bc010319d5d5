"""A whole file of pulses: its runs, their pulses, and the cases that are refused."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, measured
from relaxor.synapse import quantities as q
from relaxor.synapse.artifacts import finite
from relaxor.synapse.detection import NoPulseError, Pulses
from relaxor.synapse.events import find_pulses, measure_pulses, require_pulses, without_spikes
from relaxor.synapse.traces import Trace, traces_of

Response = Literal["after", "end"]
LEAST_LIGHT = 0.1
"""Light in a run without pulses, as a part of the weakest pulse of the other runs, above which the run is not dark."""
LEAST_BIAS = 1e-3
"""Smallest bias, in volts, whose sign is compared with that of the current under light."""
TURNED = 5.0
"""Standard errors by which the current of every pulse of a run flows against the voltage if its sign is wrong."""


@dataclass(frozen=True)
class Recording:
    """One file of pulses.

    Attributes
    ----------
    measurement
        Where it comes from.
    traces
        Its runs, without those of which a pulse was dropped; a current that stood out alone is replaced by the mean of
        its neighbours.
    events
        The table of `measure_pulses` of all runs together, with the pulses that were dropped.
    response
        Where a response is read: ``after`` a voltage pulse, at the ``end`` of a pulse of light.
    variation, variation_error
        Relative standard deviation of the response from run to run, and its standard error; 0 where nothing tells it.
    joins
        The measurements whose runs it joins; empty of a file alone.
    """

    measurement: Measurement
    traces: Sequence[Trace]
    events: pd.DataFrame
    response: Response
    variation: float = 0.0
    variation_error: float = math.nan
    joins: Sequence[Measurement] = ()

    @property
    def under_light(self) -> bool:
        """Whether the pulses are pulses of light."""
        return self.traces[0].stimulus_unit != q.VOLTAGE_STIMULUS

    @property
    def kept(self) -> pd.DataFrame:
        """The pulses that were kept."""
        return self.events[self.events["kept"]]

    def of(self, trace: Trace) -> pd.DataFrame:
        """Return the kept pulses of one run."""
        kept = self.kept
        return kept[kept["run"] == trace.run]

    @property
    def pulsed(self) -> list[Trace]:
        """The runs that have pulses; the others are in the dark, or without a voltage."""
        runs = set(self.kept["run"])
        return [trace for trace in self.traces if trace.run in runs]

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
            for quantity, value, error, method in (
                (q.PULSES_FOUND, len(self.events), math.nan, "found"),
                (q.PULSES_DROPPED, len(dropped), math.nan, reasons),
                (q.READINGS_REPLACED, replaced, math.nan, "spikes: mean of the neighbours"),
                (q.RUN_VARIATION, self.variation, self.variation_error, f"standard deviation from run to run {varies}"),
            )
            for row in measured(self.measurement, q.EVENTS, {quantity: (value, error)}, method)
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
        As `traces_of` and `find_pulses` say, and if a run has fewer pulses than the condition ``pulses`` of the sheet,
        or light that is no pulse among runs with pulses of it, or a current against the voltage.
    """
    traces = traces_of(measurement)
    found = _with_pulses(traces)
    pulsed = [trace for *_, trace in found]
    clean = {trace.run: trace for *_, trace in found}
    tables = [measure_pulses(trace, pulses, glitches, read_window) for pulses, glitches, trace in found]
    expected = measurement.condition("pulses", "1", 0)
    for trace, table in zip(pulsed, tables, strict=True):
        require_pulses(table, trace, int(expected))
    events = _without_incomplete_runs(pd.concat(tables, ignore_index=True))
    if not events["kept"].any():
        reasons = "; ".join(sorted(set(events["reason"])))
        raise AnalysisError(f"{measurement.id}: no run is complete ({reasons})")
    # A run without pulses among runs with pulses is intended: it is the code 0000.
    still = [trace for trace in traces if trace.run not in clean]
    if pulsed[0].stimulus_unit != q.VOLTAGE_STIMULUS:
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
    """Refuse a run whose current flows against the voltage of its pulses, or under light against the bias."""
    light = recording.under_light
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
                f"{recording.measurement.id}: run {trace.run}: the current is opposite in sign to the {against}; "
                "reverse the sign of one of them"
            )


def _with_pulses(traces: Sequence[Trace]) -> list[tuple[Pulses, Pulses, Trace]]:
    """Find the pulses of the runs that have some: of light, of voltage without it, or of current if neither changes.

    Whether a run has pulses is judged by its own noise. A series over many decades of power has pulses that are weak
    beside those of other runs.
    """
    recorded = [trace for trace in traces if trace.stimulus is not None]
    recorded = [trace for trace in recorded if trace.stimulus_unit != q.VOLTAGE_STIMULUS] or recorded
    found, missing = [], []
    for trace in recorded or traces:
        try:
            found.append(find_pulses(trace))
        except NoPulseError as error:
            missing.append(error)
    if not found:
        raise missing[0]
    return found


def _refuse_other_light(still: Sequence[Trace], pulsed: Sequence[Trace], events: pd.DataFrame) -> None:
    """Refuse runs without pulses that are brighter than the others between their pulses, as these are not code 0000."""
    dark = float(np.median([np.nanmin(trace.stimulus) for trace in pulsed if trace.stimulus is not None]))
    least = dark + LEAST_LIGHT * float(events.loc[events["kept"], "amplitude"].min())
    for trace in still:
        level = trace.steady_light
        if trace.stimulus_unit != q.VOLTAGE_STIMULUS and trace.stimulus is not None:
            level = float(np.nanmedian(trace.stimulus))  # a glitch is not light
        if level > least:
            raise AnalysisError(
                f"{trace.measurement.id}: run {trace.run}: light of {level:.3g} {q.LIGHT_STIMULUS} that is not a "
                "pulse, in a file with pulses: leave out runs under steady light, and pulses far weaker than others"
            )


def _without_incomplete_runs(events: pd.DataFrame) -> pd.DataFrame:
    """Drop all pulses of a run of which one was dropped, because the train is no longer the intended one."""
    incomplete = set(events.loc[~events["kept"] & (events["number"] >= 0), "run"])
    others = events["kept"] & events["run"].isin(incomplete)
    return events.assign(
        kept=events["kept"] & ~others, reason=events["reason"].where(~others, "another pulse of the run was dropped")
    )
