"""Series of runs: paired pulses, and responses against what differs between the runs; numbers and curves of each.

Voltage pulses and pulses of light go the same way.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core.results import NORMAL_QUANTILE, Number, measured
from relaxor.core.variables import variable
from relaxor.stats.decay import DOUBLE, TRIPLE
from relaxor.stats.power_law import mean_slope
from relaxor.synapse.protocols import FEWEST_REPEATS, averaged, pair_index, responses, same_as_before
from relaxor.synapse.recording import Recording
from relaxor.synapse.relaxation import (
    TAIL_LAWS,
    decay_curves,
    decay_rows,
    fit_laws,
    identifiability,
    identifiability_row,
    supported_rows,
)
from relaxor.synapse.tails import RETAINED_PART, shown, tail

Result = tuple[list[Number], dict[str, xr.Dataset]]
FORGOTTEN = 100.0
"""PPF index when nothing is left of the first pulse, in percent."""
LEAST_TAIL = 1.0
"""Shortest tail, in seconds, to which laws of relaxation are fitted."""
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
    freedom = int((points["repeats"] - 1).sum())
    if freedom >= FEWEST_REPEATS:  # the error is that of a scatter
        rows = [row.with_interval(freedom) for row in rows]
    # Without repeats only the noise of the readings is known, not how pulses differ: the scatter about the law decides.
    known = error if (points["repeats"] > 1).all() else None
    fits = fit_laws(measurement, interval, index, known, FORGOTTEN)
    found = decay_rows(measurement, fits, "percent", "s")
    words = identifiability(found, fixed_floor=known_floor)
    rows += identifiability_row(measurement, "pairs", words)
    laws = decay_curves(fits, "percent", "s")["laws"]
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
    points = averaged(table, recording.variation)
    rows = _response_rows(recording, points, varied, unit)
    curves = {"responses": _response_curve(points, varied, unit)}
    if len(points) > 2 and (points["response"] > 0).all():
        found, curves["law"] = _power_law(recording, points, varied, unit)
        rows += found
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


def _power_law(recording: Recording, points: pd.DataFrame, varied: str, unit: str) -> tuple[list[Number], xr.Dataset]:
    """Draw a straight line through the logarithms: its slope is a number of the range, whatever law holds."""
    slope = mean_slope(*(points[column].to_numpy() for column in ("value", "response", "error")))
    fine = np.geomspace(points["value"].min(), points["value"].max(), 60)
    curve = xr.Dataset(
        {"response": variable("value", slope.amplitude * fine**slope.exponent, "A", "power law")},
        {"value": variable("value", fine, unit, TITLES[varied])},
    )
    method = "mean slope on logarithmic axes, least squares; error by those of the responses"
    values = {"exponent": (slope.exponent, slope.error, "1")}
    common = {"n": len(points), "reduced_chi_square": slope.reduced_chi_square}
    return measured(recording.measurement, varied, values, method, **common), curve


def _relaxation(
    recording: Recording, run: str, varied: str, value: float, unit: str
) -> tuple[list[Number], xr.Dataset | None]:
    """Fit what follows the last pulse of a run, and say how much of the response is left at its end."""
    trace = next(trace for trace in recording.traces if trace.run == run)
    followed = tail(recording, trace)
    if followed is None or followed.length < LEAST_TAIL:
        return [], None
    name, measurement = label(value, unit), recording.measurement
    part = f"last {100 * (1 - RETAINED_PART):.0f} % of {followed.length:.3g} s"
    method = f"mean current of the {part} over that right behind the last pulse, both above the one before the first"
    retained = {f"retained_{name}": (followed.retained, followed.retained_error, "1")}
    rows = measured(measurement, varied, retained, method)
    time, current, error = followed.time, followed.current, followed.error
    fits = fit_laws(measurement, time, current, error, laws=TAIL_LAWS, spread=followed.spread)
    found = supported_rows(measurement, fits, "A", "s")
    words = [
        identifiability_row(measurement, "relaxation", identifiability(found, law), law) for law in (DOUBLE, TRIPLE)
    ]
    found = [
        _with_error(row, recording.variation * row.value, followed.baseline_error if row.parameter == "floor" else 0.0)
        if row.unit in ("A", "A/s")
        else row
        for row in found
    ]
    best, fitted = min(fits, key=lambda entry: entry[1].aicc)
    curve = xr.Dataset(
        {
            "current": variable("time", current, "A", "current above the baseline"),
            "current_uncertainty": variable("time", error, "A", "standard uncertainty of the current"),
            "law": variable("time", best.expected(fitted), "A", best.model.replace("_", " ")),
        },
        {"time": variable("time", time, "s", "time after the last pulse")},
    )
    return rows + [replace(row, model=f"{name}_{row.model}") for row in (*found, *words[0], *words[1])], curve


def _with_error(row: Number, *errors: float) -> Number:
    """Add independent errors that all readings of a run have in common to error and interval."""
    common = float(np.linalg.norm(errors))
    return replace(
        row,
        standard_error=float(np.hypot(row.standard_error, common)),
        ci_low=row.value - float(np.hypot(row.value - row.ci_low, NORMAL_QUANTILE * common)),
        ci_high=row.value + float(np.hypot(row.ci_high - row.value, NORMAL_QUANTILE * common)),
    )


def label(value: float, unit: str) -> str:
    """Name a value in a parameter: ``100ms``, ``5V``, ``N50``, ``32mW``."""
    if unit == "s":
        return f"{1000 * value:.3g}ms" if value < 0.9995 else f"{value:.3g}s"
    if unit == "1":
        return f"N{value:.0f}"
    return f"{value:.3g}{unit.split('/')[0]}"
