"""Current–voltage sweeps: how a device changes from cycle to cycle, and which law its current follows.

A file holds one run or many, and each run one cycle or many. The current at the extreme voltages, the area of the loop,
its symmetry, and what is read at a small voltage are found in every cycle, with errors from the noise of the points.
The growth of the peaks is followed over the cycles that go to the same voltages. The branches of the last of these
cycles are compared with six laws of conduction. Points that the compliance of the instrument holds, and points without
a current, are counted and left out.

The sweep in one direction partly erases what the other one writes, so that the growth ends where both are in balance.
The peaks then approach a last value, peak = floor + amplitude exp(−(cycle − 1)/tau); far from it a straight line holds.
AICc compares the two.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Quantity, Result, Status, measured, with_systematic
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import judge_beside
from relaxor.stats.decay import SINGLE, Decay, fit_decay, profile_decay
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.stats.quantities import AICC
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.capacitor import capacitance_rows, reactive, without_resistance
from relaxor.techniques.iv_sweeps.conduction import (
    LAWS,
    Branch,
    Compared,
    branches_of,
    compare,
    current,
    prefactor,
    usual_slope,
)
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle, alike, cycles_of
from relaxor.techniques.iv_sweeps.halves import read_halves
from relaxor.techniques.iv_sweeps.readings import NOTHING, Reading, Readings, read_cycle
from relaxor.techniques.iv_sweeps.settings import IvSweepsSettings
from relaxor.techniques.iv_sweeps.switching import switching_curves, switching_rows
from relaxor.techniques.iv_sweeps.terminals import with_currents

READ = "weighted parabola of each branch through the voltage"
AREA = "trapezoidal rule, noise from third differences"
HELD = "current held by the compliance"
REPLACED = "current that was an outlier: mean of its neighbours"
LARGEST = "largest reading, whose noise raises it"
LOST = "no current in the file; nothing is read where too many are lost"
FEWEST_PEAKS = 5
"""Smallest number of peaks on which the two laws can be compared: one more than the parameters with the scale."""
ROOM = 293.15
"""Temperature in K where the sheet gives none."""
LINE = "difference from the usual straight line of the law, in which all currents have the same relative weight"
PEAKS = "peak currents against the number of the cycle, errors from their scatter"


def analyse(measurements: Sequence[Measurement], settings: IvSweepsSettings) -> Iterator[Result]:
    """Analyse the voltage sweeps of a sample.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `IvSweepsSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no sweep, or its current has the opposite sign of the voltage.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: IvSweepsSettings) -> Result:
    rows: list[Number] = []
    measurement = with_currents(measurement)
    cycles = cycles_of(measurement, settings.compliance_tolerance)
    readings = [read_cycle(cycle, settings.read_voltage, settings.peak_window) for cycle in cycles]
    for number, (cycle, reading) in enumerate(zip(cycles, readings, strict=True), start=1):
        rows += _rows(measurement, q.CYCLE, reading, cycle.voltage.size, str(number))
    same, group = alike(cycles)
    readings = [
        reading if continues else reading.of_another_series for reading, continues in zip(readings, same, strict=True)
    ]
    growth = {polarity: fit_growth([reading.peak[polarity] for reading in readings]) for polarity in POLARITIES}
    rows += series_rows(measurement, readings, same, group, growth)
    rows += unread_rows(measurement, cycles, settings.read_voltage)
    capacitor = all(map(reactive, cycles))
    at, window, least = settings.switching_voltage, settings.peak_window, settings.least_ratio
    halves = [] if capacitor else [read_halves(cycle, at, window, least) for cycle in cycles]
    rows += switching_rows(measurement, halves)
    parts = {f"cycle_{number:02d}": cycle_curves(cycle) for number, cycle in enumerate(cycles, start=1)}
    parts["summary"] = summary_curves(readings, growth)
    parts |= switching_curves(cycles, halves)
    for branch in branches_of(cycles[int(np.flatnonzero(same)[-1])], settings.smallest_voltage):
        gap = measurement.condition("gap", "um") if "gap" in measurement.conditions else None
        compared = compare(branch, gap, measurement.condition("temperature", "K", ROOM))
        rows += mechanism_rows(measurement, branch, compared, settings.gap_uncertainty / gap if gap else 0.0)
        parts[branch.feature.replace(" ", "_")] = mechanism_curves(branch, compared)
    if capacitor:
        rows = [*map(without_resistance, rows), *capacitance_rows(measurement)]
    rows = with_systematic(rows, q.QUANTITIES, {q.SCALE: settings.current_uncertainty})
    return Result.of(measurement, rows, parts, read_voltage_V=settings.read_voltage)


# --- growth of the peaks
@dataclass(frozen=True)
class Growth:
    """The two laws fitted to the peaks of one polarity.

    Attributes
    ----------
    cycle
        Cycles that have a peak, counted from 0, shape (n,).
    line, saturation
        Fits with ``start``, ``slope``; and of `relaxor.stats.decay`, with ``floor``, ``amplitude``, ``tau``.
    ends
        Profile-likelihood intervals of the saturating law.
    """

    cycle: np.ndarray
    line: Fit
    saturation: Fit
    ends: Mapping[str, tuple[float, float]]

    @property
    def saturates(self) -> bool:
        """Whether AICc prefers the law that saturates."""
        return self.saturation.aicc < self.line.aicc

    def curve(self, cycle: np.ndarray) -> np.ndarray:
        """Return the preferred law at cycles counted from 0, A."""
        if not self.saturates:
            return self.line.value("start") + self.line.value("slope") * cycle
        amplitude, tau = (self.saturation.value(name) for name in ("amplitude", "tau"))
        return self.saturation.value("floor") + amplitude * np.exp(-cycle / tau)


def fit_growth(peaks: list[Reading]) -> Growth | None:
    """Fit both laws to the peaks of the cycles, A; None with fewer than `FEWEST_PEAKS`, or if all are equal.

    All peaks have the same weight, and the scale of their errors is taken from the scatter, which holds the changes of
    the device from cycle to cycle in addition to the noise of the points.
    """
    value = np.array([peak for peak, _ in peaks])
    cycle = np.flatnonzero(np.isfinite(value)).astype(float)
    value = value[np.isfinite(value)]
    if value.size < FEWEST_PEAKS or not np.ptp(value):
        return None
    slope, start = np.polyfit(cycle, value, 1)

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return trial["start"].value + trial["slope"].value * cycle - value

    line = fit(residual, parameters(start=float(start), slope=float(slope)), absolute_sigma=False)
    decay = Decay(SINGLE, cycle, value)
    saturation = fit_decay(decay)
    return Growth(cycle, line, saturation, profile_decay(decay, saturation))


def growth_rows(measurement: Measurement, polarity: str, peaks: list[Reading], growth: Growth | None) -> list[Number]:
    """Return the observed growth of a peak from the first to the last cycle, and the numbers of both laws."""
    read = [peak for peak in peaks if math.isfinite(peak[0])]
    if len(read) < 2:
        return []
    first, last = read[0], read[-1]
    ratio, ratio_error = last[0] / first[0], math.hypot(last[1] / first[0], last[0] * first[1] / first[0] ** 2)
    seen = {
        q.PEAK_GROWTH[polarity]: (last[0] - first[0], math.hypot(first[1], last[1])),
        q.RELATIVE_GROWTH[polarity]: (ratio - 1, ratio_error),
    }
    rows = measured(measurement, q.CYCLES, seen, "last peak against the first", n=len(read))
    return rows + _law_rows(measurement, polarity, growth) if growth else rows


def _law_rows(measurement: Measurement, polarity: str, growth: Growth) -> list[Number]:
    rows = growth.saturation.numbers(measurement, q.SATURATION, q.GROWTH, PEAKS, feature=polarity)
    ends = [growth.ends[name] for name in q.GROWTH]
    rows = [replace(row, ci_low=low, ci_high=high) for row, (low, high) in zip(rows, ends, strict=True)]
    beside = judge_beside(growth.line.aicc, {q.SATURATION: growth.saturation.aicc})
    line = growth.line.numbers(measurement, q.LINE, {"slope": q.GROWTH_PER_CYCLE}, PEAKS, feature=polarity)
    rows += [row.judged(beside) for row in line]
    for model, law in ((q.SATURATION, growth.saturation), (q.LINE, growth.line)):
        rows += measured(measurement, model, {AICC: (law.aicc, math.nan)}, PEAKS, n=law.n, feature=polarity)
    return rows


# --- numbers
def _rows(measurement: Measurement, model: str, reading: Readings, n: int, feature: str = "") -> list[Number]:
    """Return the readings, without values that a cycle does not reach and without counts of zero."""
    found: list[tuple[Quantity, Reading, str]] = []
    for polarity in POLARITIES:
        found.append((q.PEAK_CURRENT[polarity], reading.peak[polarity], READ))
        found.append((q.LARGEST_CURRENT[polarity], reading.largest[polarity], LARGEST))
        found.append((q.VOLTAGE_OF_LARGEST[polarity], reading.voltage_of_largest[polarity], LARGEST))
        found.append((q.LOOP_AREA[polarity], reading.area[polarity], AREA))
    found.append((q.SYMMETRY, reading.symmetry, READ))
    found.append((q.RECTIFICATION_RATIO, reading.rectification_ratio, READ))
    found.append((q.RESISTANCE, reading.resistance, READ))
    found.append((q.CLIPPED_POINTS, (reading.clipped, 0.0), HELD))
    found += [(q.REPLACED_POINTS, (reading.replaced, 0.0), REPLACED)] if reading.replaced else []
    found += [(q.LOST_POINTS, (reading.lost, 0.0), LOST)] if reading.lost else []
    rows = [
        row
        for quantity, value, method in found
        if math.isfinite(value[0])
        for row in measured(measurement, model, {quantity: value}, method, n=n, feature=feature)
    ]
    for polarity, reason in reading.no_area.items():
        area = {q.LOOP_AREA[polarity]: NOTHING}
        missing = measured(measurement, model, area, AREA, n=n, feature=feature)
        rows += [
            row.flagged(Status.NOT_IDENTIFIED, reason)
            for row in missing
            if not math.isfinite(reading.area[polarity][0])
        ]
    return rows


def series_rows(
    measurement: Measurement,
    readings: list[Readings],
    same: np.ndarray,
    group: str,
    growth: Mapping[str, Growth | None],
) -> list[Number]:
    """Return the numbers of all cycles: readings of the last one, growth of the peaks, mean loop areas.

    Parameters
    ----------
    same
        Which cycles go to the same voltages, shape (cycles,); the others are counted and left out.
    group
        To which voltages these go, in words.
    growth
        Polarity → laws of the growth of its peaks.
    """
    areas = {polarity: _mean([reading.area[polarity] for reading in readings]) for polarity in POLARITIES}
    counts = {name: sum(getattr(reading, name) for reading in readings) for name in ("clipped", "replaced", "lost")}
    whole = replace(readings[int(np.flatnonzero(same)[-1])], area=areas, **counts)
    rows = _rows(measurement, q.CYCLES, whole, int(same.sum()))
    number = {q.NUMBER_OF_CYCLES: (len(readings), 0.0)}
    rows += measured(measurement, q.CYCLES, number, f"returns to the start voltage; extreme voltages of {group}")
    if not same.all():
        numbers = ", ".join(str(number) for number in np.flatnonzero(~same) + 1)
        left_out = {q.CYCLES_LEFT_OUT: (int((~same).sum()), 0.0)}
        rows += measured(measurement, q.CYCLES, left_out, f"other extreme voltages than {group}: {numbers}")
    for polarity, grown in growth.items():
        rows += growth_rows(measurement, polarity, [reading.peak[polarity] for reading in readings], grown)
    return rows


def unread_rows(measurement: Measurement, cycles: Sequence[Cycle], read_voltage: float) -> list[Number]:
    """Return a resistance without a value if no cycle goes as far as the voltage at which it is read."""
    reached = max(cycle.amplitude(polarity) for cycle in cycles for polarity in POLARITIES.values())
    if reached >= read_voltage:
        return []
    reason = f"the sweep goes to {reached:.3g} V, not to {read_voltage:g} V: set 'read_voltage' to what it reaches"
    rows = measured(measurement, q.CYCLES, {q.RESISTANCE: NOTHING}, READ)
    return [row.flagged(Status.NOT_IDENTIFIED, reason) for row in rows]


def _mean(values: list[Reading]) -> Reading:
    """Return the mean of the cycles that have a value, with the error from the noise within each."""
    value, error = np.array([reading for reading in values if math.isfinite(reading[0])]).reshape(-1, 2).T
    return (float(value.mean()), float(np.linalg.norm(error) / error.size)) if value.size else (math.nan, math.nan)


def mechanism_rows(measurement: Measurement, branch: Branch, compared: Compared, gap_error: float) -> list[Number]:
    """Return the numbers of the laws on one branch; ``gap_error`` is the relative error of the gap."""
    method = "least squares of the current, weights of the noise, last cycle; a best fit does not prove a mechanism"
    least = compared.aicc(compared.best)
    rows: list[Number] = []
    for model, fitted in compared.fits.items():
        law, feature = LAWS[model], {"feature": branch.feature}
        found = fitted.numbers(measurement, model, {"slope": law.slope}, method, **feature) if law.slope else []
        if law.slope and fitted.adequacy.status != Status.OK:
            change = usual_slope(law, branch) - fitted.value("slope")
            found = [row.with_component(q.WEIGHTS, change, LINE) for row in found]
        common: dict[str, Any] = {**fitted.quality, **feature}
        at = {"at": 1.0, "at_unit": "V"} if law.prefactor is q.CURRENT else {}
        constant = {law.prefactor: prefactor(law, fitted, branch.voltage[-1])}
        found += measured(measurement, model, constant, method, **at, **common)
        if law.material and model in compared.material:
            found += _material_rows(measurement, model, compared, found[0], gap_error, method, common)
        tests = {
            AICC: (compared.aicc(model), math.nan),
            q.AICC_DIFFERENCE: (compared.aicc(model) - least, math.nan),
            q.INDEPENDENT_POINTS: (compared.points, math.nan),
        }
        found += measured(measurement, model, tests, method, **common)
        if reason := compared.impossible.get(model):
            found = [row.flagged(Status.NOT_IDENTIFIED, f"impossible: {reason}") for row in found]
        rows += found
    return rows


def _material_rows(
    measurement: Measurement,
    model: str,
    compared: Compared,
    slope: Number,
    gap_error: float,
    method: str,
    common: Mapping[str, Any],
) -> list[Number]:
    """Return the constant of the material that the slope of a law states, with the errors of slope and gap."""
    law = LAWS[model]
    assert law.material  # laws without one are not asked for it
    value, error = compared.material[model]
    power = 2 / 3 if law.material is q.BARRIER else 2
    by_gap = 2 / 3 if law.material is q.BARRIER else 1
    rows = measured(
        measurement, model, {law.material: (value, error)}, f"{method}; from the slope and the gap", **common
    )
    for part in slope.budget:
        rows = [row.with_component(part.name, power * value * part.value / slope.value, part.source) for row in rows]
    return [row.with_component(q.GAP, by_gap * value * gap_error, "settings") for row in rows]


# --- curves
def cycle_curves(cycle: Cycle) -> xr.Dataset:
    """Return the points of a cycle with their standard uncertainty."""
    columns = {
        "voltage": (cycle.voltage, "V", "voltage"),
        "current": (cycle.current, "A", "current"),
        "current_uncertainty": (cycle.sigma, "A", "standard uncertainty of the current"),
        "clipped": (cycle.clipped.astype(np.int8), "1", "held by the compliance"),
    }
    return dataset("point", columns, region=cycle.region)


def summary_curves(readings: list[Readings], growth: Mapping[str, Growth | None]) -> xr.Dataset:
    """Return the peaks, the law of their growth, and the loop areas against the number of the cycle."""
    content = {}
    for polarity, grown in growth.items():
        if grown:
            law = grown.curve(np.arange(len(readings)))
            content[f"growth_{polarity}"] = (law, "A", f"law of the peak current, {polarity} voltage")
        for name, unit, text in (("peak", "A", "peak current"), ("area", "A*V", "loop area")):
            value, error = np.array([getattr(reading, name)[polarity] for reading in readings]).T
            label = f"{text}, {polarity} voltage"
            content[f"{name}_{polarity}"] = (value, unit, label)
            content[f"{name}_{polarity}_uncertainty"] = (error, unit, f"standard uncertainty, {label}")
    return dataset("cycle", content, {"cycle": (np.arange(1, len(readings) + 1), "1", "cycle")})


def mechanism_curves(branch: Branch, compared: Compared) -> xr.Dataset:
    """Return the points of a branch and every law; the attribute ``best`` names the possible law of least AICc."""
    sign, largest = branch.polarity, branch.voltage[-1]
    content = {
        "voltage": (sign * branch.voltage, "V", "voltage"),
        "data": (sign * branch.current, "A", "current"),
        "data_uncertainty": (branch.sigma, "A", "standard uncertainty of the current"),
    }
    for name, fitted in compared.fits.items():
        law = sign * current(LAWS[name], fitted.params, branch.voltage, largest)
        content[name] = (law, "A", name.replace("_", " "))
        content[f"{name}_residual"] = (fitted.residual, "1", f"standardized residual, {name}")
    return dataset("point", content, best=compared.best)
