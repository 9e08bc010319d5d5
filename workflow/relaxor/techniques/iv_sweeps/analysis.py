"""Current–voltage sweeps: how a device changes from cycle to cycle, and which law its current follows.

A file holds one run or many, each one cycle or many. In every cycle the current at the extreme voltages, the area of
the loop, its symmetry, and what is read at a small voltage are found with errors from the noise of the points. Over
the cycles that go to the same voltages the growth of the peaks is followed (module `growth`). The branches of
the last of them are compared with six laws of conduction. Points that the compliance of the instrument holds, and
those without a current, are counted and left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.core.variables import variable
from relaxor.stats.fit import Fit
from relaxor.techniques.iv_sweeps.conduction import LAWS, Branch, branches_of, current, fit_mechanisms, prefactor
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle, alike, cycles_of
from relaxor.techniques.iv_sweeps.growth import Growth, fit_growth, growth_rows
from relaxor.techniques.iv_sweeps.readings import Reading, Readings, read_cycle
from relaxor.techniques.iv_sweeps.settings import IvSweepsSettings

READ = "weighted parabola of each branch through the voltage"
AREA = "trapezoidal rule, noise from third differences"
SHARED_SCALE = ("peak_current", "peak_growth", "saturation_current", "amplitude", "slope", "loop_area", "resistance")
"""Quantities that follow the scale of the current."""


def analyse(measurements: Sequence[Measurement], settings: IvSweepsSettings) -> Result:
    """Analyse the voltage sweeps of a sample.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `IvSweepsSettings`.
    """
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    for measurement in measurements:
        cycles = cycles_of(measurement, settings.compliance_tolerance)
        read_at = settings.read_voltage
        readings = [read_cycle(cycle, read_at, settings.peak_window) for cycle in cycles]
        found = cycle_rows(measurement, cycles, readings)
        same = alike(cycles)
        last = int(np.flatnonzero(same)[-1])
        readings = [
            reading if continues else reading.of_another_series
            for reading, continues in zip(readings, same, strict=True)
        ]
        growth = {polarity: fit_growth([reading.peak[polarity] for reading in readings]) for polarity in POLARITIES}
        found += series_rows(measurement, readings, same, growth)
        rows += [
            replace(row, systematic_error=abs(row.value) * settings.current_uncertainty)
            if row.parameter.startswith(SHARED_SCALE)
            else row
            for row in found
        ]
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement) | {"read_voltage_V": read_at})
        for number, cycle in enumerate(cycles, start=1):
            groups[f"{measurement.id}/cycle_{number:02d}"] = cycle_curves(cycle)
        groups[f"{measurement.id}/summary"] = summary_curves(readings, growth)
        for branch in branches_of(cycles[last], settings.smallest_voltage):
            fits = fit_mechanisms(branch)
            rows += mechanism_rows(measurement, branch, fits)
            groups[f"{measurement.id}/{branch.name}"] = mechanism_curves(branch, fits)
    return Result(rows, groups)


# --- rows
def _values(reading: Readings) -> dict[str, tuple[float, float, str]]:
    """Name what one cycle shows; what it does not reach is left out."""
    values: dict[str, tuple[float, float, str]] = {}
    for polarity in POLARITIES:
        values[f"peak_current_{polarity}"] = (*reading.peak[polarity], "A")
        values[f"loop_area_{polarity}"] = (*reading.area[polarity], "A*V")
    values["symmetry"] = (*reading.symmetry, "1")
    values["rectification_ratio"] = (*reading.rectification_ratio, "1")
    values["resistance"] = (*reading.resistance, "ohm")
    return {name: value for name, value in values.items() if math.isfinite(value[0])}


def _method(name: str) -> str:
    return AREA if name.startswith("loop_area") else READ


def _rows(measurement: Measurement, model: str, reading: Readings, n: int) -> list[Number]:
    rows = [
        row
        for name, value in _values(reading).items()
        for row in measured(measurement, model, {name: value}, _method(name), n=n)
    ]
    for name, count, method in (
        ("clipped_points", reading.clipped, "current held by the compliance"),
        ("replaced_points", reading.replaced, "current that stood out alone: mean of its neighbours"),
        ("lost_points", reading.lost, "no current in the file; nothing is read where too many are lost"),
    ):
        if count or name == "clipped_points":
            rows += measured(measurement, model, {name: (count, 0.0, "1")}, method, n=n)
    return rows


def cycle_rows(measurement: Measurement, cycles: list[Cycle], readings: list[Readings]) -> list[Number]:
    """Make the rows of each cycle, models ``cycle_01``, ``cycle_02`` and so on."""
    rows: list[Number] = []
    for number, (cycle, reading) in enumerate(zip(cycles, readings, strict=True), start=1):
        rows += _rows(measurement, f"cycle_{number:02d}", reading, cycle.voltage.size)
    return rows


def series_rows(
    measurement: Measurement, readings: list[Readings], same: np.ndarray, growth: Mapping[str, Growth | None]
) -> list[Number]:
    """Make the rows of all cycles, model ``cycles``: what the last one shows, growth of the peaks, mean loop areas.

    ``same`` says which cycles go to the same voltages, shape (cycles,); the others are counted and left out.
    """
    areas = {polarity: _mean([reading.area[polarity] for reading in readings]) for polarity in POLARITIES}
    counts = {name: sum(getattr(reading, name) for reading in readings) for name in ("clipped", "replaced", "lost")}
    whole = replace(readings[int(np.flatnonzero(same)[-1])], area=areas, **counts)
    rows = _rows(measurement, "cycles", whole, int(same.sum()))
    rows += measured(measurement, "cycles", {"cycles": (len(readings), 0.0, "1")}, "returns to the start voltage")
    if not same.all():
        numbers = ", ".join(str(number) for number in np.flatnonzero(~same) + 1)
        left_out = {"cycles_left_out": (int((~same).sum()), 0.0, "1")}
        rows += measured(measurement, "cycles", left_out, f"other extreme voltages than most cycles: {numbers}")
    for polarity, grown in growth.items():
        rows += growth_rows(measurement, polarity, [reading.peak[polarity] for reading in readings], grown)
    return rows


def _mean(values: list[Reading]) -> Reading:
    """Return the mean of the cycles that have a value, with the error from the noise within each."""
    value, error = np.array([reading for reading in values if math.isfinite(reading[0])]).reshape(-1, 2).T
    return (float(value.mean()), float(np.linalg.norm(error) / error.size)) if value.size else (math.nan, math.nan)


def mechanism_rows(measurement: Measurement, branch: Branch, fits: dict[str, Fit]) -> list[Number]:
    """Make the rows of the laws on one branch, models such as ``schottky_up_positive``.

    ``aicc_difference`` is that to the best law of the branch, which has 0.
    """
    method = "least squares of the current, weights of the noise, last cycle; a best fit does not prove a mechanism"
    least = min(law.aicc for law in fits.values())
    rows: list[Number] = []
    for name, fitted in fits.items():
        law, model = LAWS[name], f"{name}_{branch.name}"
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        if law.slope:
            (row,) = fitted.numbers(measurement, model, {"slope": law.slope[1]}, method)
            rows.append(replace(row, parameter=law.slope[0]))
        constant = {law.prefactor[0]: (*prefactor(law, fitted, branch.voltage[-1]), law.prefactor[1])}
        tests = {"aicc": (fitted.aicc, math.nan, "1"), "aicc_difference": (fitted.aicc - least, math.nan, "1")}
        rows += measured(measurement, model, constant | tests, method, **common)
    return rows


# --- curves
def cycle_curves(cycle: Cycle) -> xr.Dataset:
    """Make the points of a cycle with their standard uncertainty."""
    return xr.Dataset(
        {
            "voltage": variable("point", cycle.voltage, "V", "voltage"),
            "current": variable("point", cycle.current, "A", "current"),
            "current_uncertainty": variable("point", cycle.sigma, "A", "standard uncertainty of the current"),
            "clipped": variable("point", cycle.clipped.astype(np.int8), "1", "held by the compliance"),
        },
        attrs={"region": cycle.region},
    )


def summary_curves(readings: list[Readings], growth: Mapping[str, Growth | None]) -> xr.Dataset:
    """Make peaks, the law of their growth, and loop areas over the number of the cycle."""
    content = {}
    for polarity, grown in growth.items():
        if grown:
            law = grown.curve(np.arange(len(readings)))
            content[f"growth_{polarity}"] = variable("cycle", law, "A", f"law of the peak current, {polarity} voltage")
        for name, unit, text in (("peak", "A", "peak current"), ("area", "A*V", "loop area")):
            value, error = np.array([getattr(reading, name)[polarity] for reading in readings]).T
            label = f"{text}, {polarity} voltage"
            content[f"{name}_{polarity}"] = variable("cycle", value, unit, label)
            content[f"{name}_{polarity}_uncertainty"] = variable("cycle", error, unit, f"standard uncertainty, {label}")
    number = variable("cycle", np.arange(1, len(readings) + 1), "1", "cycle")
    return xr.Dataset(content, coords={"cycle": number})


def mechanism_curves(branch: Branch, fits: dict[str, Fit]) -> xr.Dataset:
    """Make the points of a branch and every law on them; the attribute ``best`` names that of least AICc."""
    sign, largest = branch.polarity, branch.voltage[-1]
    content = {
        "voltage": variable("point", sign * branch.voltage, "V", "voltage"),
        "data": variable("point", sign * branch.current, "A", "current"),
        "data_uncertainty": variable("point", branch.sigma, "A", "standard uncertainty of the current"),
    }
    for name, fitted in fits.items():
        law = sign * current(LAWS[name], fitted.params, branch.voltage, largest)
        content[name] = variable("point", law, "A", name.replace("_", " "))
        content[f"{name}_residual"] = variable("point", fitted.residual, "1", f"standardized residual, {name}")
    return xr.Dataset(content, attrs={"best": min(fits, key=lambda name: fits[name].aicc)})
