"""Series of runs: paired pulses, and responses against what differs between the runs; numbers and curves of each.

Voltage pulses and pulses of light go the same way.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.data import Number, measured
from relaxor.plasticity.protocols import Recording, averaged, pair_index, responses, same_as_before, shown, tail
from relaxor.plasticity.relaxation import IDENTIFIABLE, decay_curves, decay_rows, fit_laws, identifiability
from relaxor.power_law import logarithmic_power_law
from relaxor.readers.schema import variable

Result = tuple[list[Number], dict[str, xr.Dataset]]
FORGOTTEN = 100.0
"""PPF index when nothing is left of the first pulse, in percent."""
LEAST_TAIL = 1.0
"""Shortest tail, in seconds, to which laws of relaxation are fitted."""
RETAINED_PART = 0.9
"""What is left at the end of a tail is the mean over what follows this part of it."""
UNITS = {"width": "s", "pulses": "1", "frequency": "Hz"}
TITLES = {
    "width": "pulse width",
    "pulses": "number of pulses",
    "frequency": "frequency",
    "amplitude": "pulse amplitude",
}


def pairs(recording: Recording, known_floor: bool = False) -> Result:
    """Analyse paired pulses: the index against the interval, and the exponentials in it.

    Laws are fitted with a free floor and with one of 100 %, where the first pulse is forgotten.

    Parameters
    ----------
    recording
        Runs of two equal pulses.
    known_floor
        Whether the floor of 100 % is known to be right: what is said of two exponentials is said with it then.
    """
    points = pair_index(recording)
    interval, index = points["interval"].values, points["index"].values
    error = points["index_uncertainty"].values
    measurement = recording.measurement
    method = "A2/A1, both above the current before the first pulse"
    ends = {
        f"{name}_{place}": (value[at], error[at], "percent")
        for place, at in (("shortest", 0), ("longest", -1))
        for name, value in (("index", index), ("gain", index - 100))
    }
    rows = measured(measurement, "pairs", ends, method, n=index.size)
    # Without repeats only the noise of the readings is known, not how pulses differ: the scatter about the law decides.
    known = error if (points["repeats"] > 1).all() else None
    found = decay_rows(measurement, interval, index, known, "percent", "s", FORGOTTEN)
    words = identifiability(found, fixed_floor=known_floor)
    rows += measured(
        measurement, "pairs", {"two_exponentials": (float(words.startswith(IDENTIFIABLE)), 0.0, "1")}, words
    )
    laws = decay_curves(interval, index, known, "percent", "s", FORGOTTEN)["laws"]
    end = "_fixed_floor" if known_floor else ""
    drawn = [name for kind in ("single", "double") if (name := f"{kind}_exponential{end}") in laws]
    return rows + found, {"pairs": points, "laws": laws[drawn]}


def amplitudes(recording: Recording) -> Result:
    """Analyse a series of the level of the pulses: responses, their power law, and the relaxation behind each train."""
    return _series(recording, "amplitude", recording.traces[0].stimulus_unit)


def widths(recording: Recording) -> Result:
    """Analyse a series of the width of single pulses."""
    return _series(recording, "width", "s")


def numbers(recording: Recording) -> Result:
    """Analyse a series of the number of pulses: responses, and what is left of them (short- to long-term memory)."""
    return _series(recording, "pulses", "1")


def frequencies(recording: Recording) -> Result:
    """Analyse a series of the frequency of trains of as many pulses."""
    return _series(recording, "frequency", "Hz")


def _series(recording: Recording, varied: str, unit: str) -> Result:
    table = responses(recording, varied)
    points = averaged(table)
    rows = _response_rows(recording, points, varied, unit)
    curves = {"responses": _response_curve(points, varied, unit)}
    if len(points) > 2 and (points["response"] > 0).all():
        law = logarithmic_power_law(points["value"].to_numpy(), points["response"].to_numpy())
        method = "least squares of logarithms"
        rows += law.numbers(recording.measurement, varied, {"exponent": "1"}, method)
        fine = np.geomspace(points["value"].min(), points["value"].max(), 60)
        curves["law"] = xr.Dataset(
            {"response": variable("value", law.value("amplitude") * fine ** law.value("exponent"), "A", "power law")},
            {"value": variable("value", fine, unit, TITLES[varied])},
        )
    first = table[~same_as_before(table["value"])]
    by_name = {trace.run: trace for trace in recording.traces}
    for number, (run, value) in enumerate(zip(first["run"], first["value"], strict=True), 1):
        attrs = {"value": float(value), "value_units": unit}
        curves[f"trace_{number}"] = shown(by_name[run]).assign_attrs(attrs)
        found, curve = _relaxation(recording, run, varied, float(value), unit)
        rows += found
        if curve is not None:
            curves[f"tail_{number}"] = curve.assign_attrs(attrs)
    return rows, curves


def _response_rows(recording: Recording, points: pd.DataFrame, varied: str, unit: str) -> list[Number]:
    method = f"current {recording.response} of the last pulse above the one before the first"
    values = {
        f"response_{label(value, unit)}": (response, error, "A")
        for value, response, error in zip(points["value"], points["response"], points["error"], strict=True)
    }
    return measured(recording.measurement, varied, values, method, n=int(points["repeats"].sum()))


def _response_curve(points: pd.DataFrame, varied: str, unit: str) -> xr.Dataset:
    return xr.Dataset(
        {
            "response": variable("value", points["response"].to_numpy(), "A", "response"),
            "response_uncertainty": variable(
                "value", points["error"].to_numpy(), "A", "standard uncertainty of response"
            ),
        },
        {"value": variable("value", points["value"].to_numpy(), unit, TITLES[varied])},
    )


def _relaxation(
    recording: Recording, run: str, varied: str, value: float, unit: str
) -> tuple[list[Number], xr.Dataset | None]:
    """Fit what follows the last pulse of a run, and say how much of the response is left at its end.

    No law is known to hold: where the best one misses the points, errors are widened by the misfit (Birge,
    doi 10.1103/PhysRev.40.207).
    """
    trace = next(trace for trace in recording.traces if trace.run == run)
    followed = tail(recording, trace)
    if followed is None or followed[0][-1] < LEAST_TAIL:
        return [], None
    time, current, error = followed
    name = label(value, unit)
    measurement = recording.measurement
    late = time > RETAINED_PART * time[-1]
    left, left_error = current[late].mean(), float(np.sqrt((error[late] ** 2).sum()) / late.sum())
    start = recording.of(trace).iloc[-1]
    begin = start["after"] - recording.of(trace).iloc[0]["baseline"]
    fraction = left / begin
    fraction_error = abs(fraction) * float(np.hypot(left_error / left, start["after_error"] / begin))
    method = f"current after {time[-1]:.3g} s over that right behind the last pulse, above the one before the first"
    rows = measured(
        measurement, varied, {f"retained_{name}": (fraction, fraction_error, "1")}, method, n=int(late.sum())
    )
    fits = fit_laws(time, current, error)
    best, fitted = min(fits, key=lambda entry: entry[1].aicc)
    curve = xr.Dataset(
        {
            "current": variable("time", current, "A", "current above the baseline"),
            "current_uncertainty": variable("time", error, "A", "standard uncertainty of the current"),
            "law": variable("time", best.curve(fitted, time), "A", best.model.replace("_", " ")),
        },
        {"time": variable("time", time, "s", "time after the last pulse")},
    )
    found = [_widened(row) for row in decay_rows(measurement, time, current, error, "A", "s")]
    return rows + [replace(row, model=f"{name}_{row.model}") for row in found], curve


def _widened(row: Number) -> Number:
    """Widen error and interval by the root of reduced chi-square where it is above one."""
    scale = float(np.sqrt(max(row.reduced_chi_square, 1.0)))
    if row.parameter == "aicc" or not scale > 1:
        return row
    low, high = (row.value + scale * (end - row.value) for end in (row.ci_low, row.ci_high))
    low = max(low, 0.0) if row.parameter.startswith("tau") else low
    method = f"{row.method}; errors widened {scale:.2g} times, as the law misses the points"
    return replace(row, standard_error=scale * row.standard_error, ci_low=low, ci_high=high, method=method)


def label(value: float, unit: str) -> str:
    """Name a value in a parameter: ``100ms``, ``5V``, ``N50``, ``32mW``."""
    if unit == "s":
        return f"{1000 * value:.3g}ms" if value < 0.9995 else f"{value:.3g}s"
    if unit == "1":
        return f"N{value:.0f}"
    return f"{value:.3g}{unit.split('/')[0]}"
