"""Paired pulses that were saved with one interval a file, joined to one series over the intervals."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from relaxor.core.results import Measurement, combined
from relaxor.synapse.protocols import SAME, kind_of, summary
from relaxor.synapse.recording import Recording

NAME = "paired_pulses"
"""Name of the series that several files make; of several series, with the amplitude of their pulses."""
INTERVAL = "interval"
"""Condition of the sheet with the interval of a file."""
AGREES = 0.1
"""Relative difference up to which the interval of the sheet is that of the pulses."""


def joined_pairs(recordings: Sequence[Recording]) -> list[Recording]:
    """Return the recordings with those of pairs of one interval and equal pulses joined, where there are several."""
    groups: list[list[Recording]] = []
    others = []
    for recording in recordings:
        runs = summary(recording)
        period = runs["period"]
        if (runs["pulses"] != 2).any() or np.ptp(period) > SAME * period.max() or kind_of(recording) != "pairs":
            others.append(recording)
            continue
        alike = next((group for group in groups if _equal(group[0], recording)), None)
        if alike is None:
            groups.append([recording])
        else:
            alike.append(recording)
    several = sum(len(group) > 1 for group in groups) > 1
    taken = {recording.measurement.id for recording in recordings}
    for group in groups:
        others.append(_join(group, several, taken) if len(group) > 1 else group[0])
    return others


def _equal(first: Recording, second: Recording) -> bool:
    """Whether the pulses of two recordings have the same amplitude and width."""
    one, two = (summary(each)[["amplitude", "width"]].median() for each in (first, second))
    return bool((np.abs(one - two) <= SAME * np.maximum(np.abs(one), np.abs(two))).all())


def _join(group: Sequence[Recording], several: bool, taken: set[str]) -> Recording:
    amplitude = float(summary(group[0])["amplitude"].median())
    name = f"{NAME}_{amplitude:.3g}V" if several else NAME
    while name in taken:
        name += "_joined"
    taken.add(name)
    traces = [replace(trace, run=_run(each, trace.run)) for each in group for trace in each.traces]
    events = [each.events.assign(run=[_run(each, run) for run in each.events["run"]]) for each in group]
    joins = [each.measurement for each in group]
    table = pd.concat(events, ignore_index=True)
    return replace(group[0], measurement=combined(joins, name), traces=traces, events=table, joins=joins)


def _run(recording: Recording, run: str) -> str:
    return f"{recording.measurement.id}: {run}"


def told_otherwise(recording: Recording) -> str:
    """Return in words which files have another interval in the sheet than between their pulses; nothing if none has."""
    found = [_differs(measurement, recording) for measurement in recording.joins if INTERVAL in measurement.conditions]
    return "; ".join(filter(None, found))


def _differs(measurement: Measurement, recording: Recording) -> str:
    told = measurement.condition(INTERVAL, "s", math.nan)
    runs = summary(recording)
    runs = runs[runs["run"].str.startswith(f"{measurement.id}: ")]
    period, width = float(runs["period"].median()), float(runs["width"].median())
    if any(abs(told - each) <= AGREES * each for each in (period, period - width)):
        return ""
    apart = f"its pulses are {1e3 * (period - width):.4g} ms apart"
    return f"the interval of {measurement.id} is {1e3 * told:.4g} ms in the sheet, {apart}, which counts"
