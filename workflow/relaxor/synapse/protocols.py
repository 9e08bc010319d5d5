"""What a file of pulses holds, as its pulses show it and not its name, and the responses in it.

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
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import brentq

from relaxor.core.errors import AnalysisError
from relaxor.core.variables import dataset, with_uncertainty
from relaxor.synapse.recording import Recording

Kind = Literal["pairs", "cycles", "codes", "amplitude", "width", "frequency", "number"]
SAME = 0.02
"""Widths, levels and intervals that differ by less than this part count as equal."""
SCATTER = 0.1
"""Quantities whose range is this part of the largest one, on logarithmic scales, scatter from run to run: pulses that
were made by hand last for different times."""
FEWEST_BASELINES = 3
"""Number of runs from which on their currents before the first pulse show slow noise."""
FEWEST_REPEATS = 5
"""Number of runs beyond the first of their kind from which on repeats show how runs vary."""


def kind_of(recording: Recording) -> Kind:
    """Return what a file holds.

    Raises
    ------
    AnalysisError
        If its runs are of none of the kinds.
    """
    runs = summary(recording)
    varied = _varied(runs)
    single = (runs["pulses"] == 1).all()
    if (runs["signs"] > 1).all():
        return "cycles"
    if (runs["pulses"] == 2).all() and varied == {"period"}:
        return "pairs"
    slots = _varies(runs["first"])
    several_each = len(runs) > 2 * runs["pulses"].nunique() and slots
    empty = len(recording.pulsed) < len(recording.traces)  # the code without a pulse, or a run in the dark
    slotted = not varied or (slots and not varied & {"amplitude", "width"})
    if ("pulses" in varied and several_each) or (empty and slotted):
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


def _varied(runs: pd.DataFrame) -> set[str]:
    """Return what differs between runs; what varies far less than something else only scatters (`SCATTER`)."""
    found = {name for name in ("amplitude", "pulses", "width", "period") if _varies(runs[name])}
    positive = {name for name in found if (runs[name] > 0).all()}
    ranges = {name: float(np.log(runs[name].max() / runs[name].min())) for name in positive}
    largest = max(ranges.values(), default=0.0)
    return {name for name in found if name not in ranges or ranges[name] > SCATTER * largest}


def _varies(values: pd.Series) -> bool:
    low, high = float(values.min()), float(values.max())
    return high - low > SAME * max(abs(low), abs(high))


def pair_index(recording: Recording) -> xr.Dataset:
    """Return the paired-pulse index against the interval.

    A1 and A2 are the responses to the first and to the second pulse, both above the current before the first pulse.
    Repeats of an interval are averaged. Their scatter, pooled over all intervals, gives the standard errors. Without
    repeats these are the errors of the readings, and no less than what slow noise does to them (`slow_noise`). That
    the responses to the first pulse scatter little says nothing of longer times, so that an interval longer than the
    first pulse has the whole scatter of the baselines.

    Returns
    -------
    xarray.Dataset
        Along ``interval`` (s, from the end of the first pulse to the onset of the second): ``index`` = A2/A1 and
        ``gain`` = (A2 − A1)/A1 (percent) with uncertainties, ``repeats``;
        the attribute ``freedom`` is that of the uncertainties, 0 if they are those of the readings.
    """
    value, error = recording.response, f"{recording.response}_error"
    rows, slow = [], slow_noise(recording)
    slowest = max(slow, _baseline_scatter(recording))
    for trace in recording.pulsed:
        one, two = (recording.of(trace).iloc[i] for i in (0, 1))
        first, second = one[value] - one["baseline"], two[value] - one["baseline"]
        noise = np.hypot(two[error] / first, one[error] * second / first**2)
        noise = np.hypot(noise, one["baseline_error"] * (second - first) / first**2)
        ratio = second / first
        interval = round(two["onset"] - one["onset"] - one["width"], 6)
        late = slowest if interval > one["width"] else slow
        drift = math.sqrt(2 * (late**2 + (ratio**2 - ratio) * slow**2)) / abs(first)  # the baseline is in both
        rows.append((interval, 100 * ratio, 100 * noise, 100 * drift))
    pairs = pd.DataFrame(rows, columns=["interval", "index", "error", "drift"]).sort_values("interval")
    # Intervals of the same setting differ by the rounding of the clock.
    group = (pairs["interval"].diff() > SAME * pairs["interval"]).cumsum()
    grouped = pairs.groupby(group)
    repeats = grouped.size().to_numpy()
    freedom = int((repeats - 1).sum())
    if freedom >= FEWEST_REPEATS:
        pooled = np.sqrt(((pairs["index"] - grouped["index"].transform("mean")) ** 2).sum() / freedom)
        uncertainty, method = pooled / np.sqrt(repeats), "scatter of repeats, pooled"
    else:
        readings, drift = (np.sqrt((pairs[name] ** 2).groupby(group).sum()).to_numpy() for name in ("error", "drift"))
        uncertainty = np.maximum(readings, drift) / repeats
        slower = bool((drift > readings).any())
        method = "scatter of baselines and first responses from run to run" if slower else "errors of the readings"
        method += "; without repeats, how pulses differ is not known"
        freedom = len(pairs) - 1 if slower else 0
    index = grouped["index"].mean().to_numpy()
    columns = {
        "index": (index, "percent", "PPF index A2/A1"),
        "gain": (index - 100, "percent", "PPF gain (A2 − A1)/A1"),
        "repeats": (repeats, "1", "repeats"),
    }
    interval = grouped["interval"].mean().to_numpy()
    axis = {"interval": (interval, "s", "interval of the pulses")}
    table = dataset("interval", columns, axis, freedom=freedom)
    return with_uncertainty(table, "index", uncertainty, method)


def slow_noise(recording: Recording) -> float:
    """Return by how much slow noise moves a current that is read, as a standard deviation in A.

    Readings in one window do not show noise that is slower than the window, whereas the currents before the first pulse
    of several runs do. Where the device itself differs from run to run, so do these; of pairs, the responses to the
    first pulse then tell how little of that is left in a difference. Where all of these are equal, the noise is that of
    the resolution of the readings.
    """
    firsts = recording.kept.groupby("run", sort=False).first()
    found = _baseline_scatter(recording)
    if found and len(recording.kept) == 2 * len(firsts):
        found = min(found, float((firsts[recording.response] - firsts["baseline"]).std(ddof=1)) / math.sqrt(2))
    return max(found, _resolution(recording) / math.sqrt(12))


def _baseline_scatter(recording: Recording) -> float:
    """Return the standard deviation of the currents before the first pulse over the runs, A; 0 of too few runs."""
    baselines = recording.kept.groupby("run", sort=False)["baseline"].first()
    return float(baselines.std(ddof=1)) if len(baselines) >= FEWEST_BASELINES else 0.0


def _resolution(recording: Recording) -> float:
    """Return the smallest difference of two neighbouring readings that differ at all, A."""
    steps = (np.abs(np.diff(trace.current)) for trace in recording.traces)
    return min((float(step[step > 0].min(initial=math.inf)) for step in steps), default=math.inf)


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
        pulse). The error is that of the readings, and no less than what slow noise does to them (`slow_noise`).
    """
    described, slow = summary(recording).set_index("run"), slow_noise(recording)
    rows = []
    for run, events in recording.kept.groupby("run", sort=False):
        first, last = events.iloc[0], events.iloc[-1]
        readings = float(np.hypot(last[f"{recording.response}_error"], first["baseline_error"]))
        error = max(readings, math.sqrt(2) * slow)
        value = float(described.loc[run, varied])
        rows.append((run, value, float(last[recording.response] - first["baseline"]), error))
    table = pd.DataFrame(rows, columns=["run", "value", "response", "error"])
    return table.sort_values("value", kind="stable", ignore_index=True)


def applied(value: float) -> float:
    """Return a value of what was varied without the rounding errors of the clock."""
    return float(f"{value:.6g}")


def same_as_before(values: pd.Series) -> pd.Series:
    """Return for each value of an ascending series whether it equals the one before it, apart from jitter."""
    return values.diff() <= SAME * values.abs()


def averaged(table: pd.DataFrame, variation: float) -> pd.DataFrame:
    """Average the responses of repeated runs.

    Parameters
    ----------
    table
        What `responses` returned.
    variation
        Relative standard deviation of the response from run to run, which adds to the error of the readings.

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

    The variation comes in addition to the noise of the readings. It is such that the sum of squared deviations over
    their variances equals its expectation (Paule & Mandel, doi 10.6028/jres.087.022).

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
    """Return the standard error of the root of a variance from that of the variance; finite where this is near zero."""
    return min(error / (2 * math.sqrt(variance)), math.sqrt(error)) if variance else math.sqrt(error)


def _repeated(recording: Recording) -> str | None:
    """Return the quantity that distinguishes the runs of a file; None where no single quantity does."""
    kind = kind_of(recording)
    return {"pairs": "period", "amplitude": "amplitude", "width": "width", "number": "pulses"}.get(kind)
