"""Resistive switching over the cycles: numbers and curves of halves (`relaxor.techniques.iv_sweeps.halves`).

Every cycle has its set and reset voltage and the resistances of both states; over the cycles, their medians and
standard deviations describe the device (one number a cycle, as Lanza et al. ask for, doi 10.1021/acsnano.1c06980). What
is common to all cycles, such as the step of the voltage, is a systematic error of the median and no scatter.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, Quantity, Status, measured, student_quantile
from relaxor.core.variables import dataset
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle
from relaxor.techniques.iv_sweeps.halves import BRANCHES, Half, ways
from relaxor.techniques.iv_sweeps.readings import NOTHING, Reading

CURVE_POINTS = 200
"""Number of voltages of the median curve, on each branch of each polarity."""
FEWEST = 3
"""Smallest number of cycles whose scatter is stated."""
METHODS = {
    True: "the way out has closed half of the window between its current and that of the way back, on a log scale",
    False: "largest current on the way out before half of the window is closed",
}
"""Whether the device is set → how the voltage is found."""
MEDIAN = "median over the cycles, and their standard deviation"
STEP, TRANSITION, CURVATURE = "step of the voltage", "part of the sweep in which it is set", "curve between the points"
"""Systematic components."""


# --- numbers
def switching_rows(measurement: Measurement, halves: Sequence[Sequence[Half]]) -> list[Number]:
    """Return the numbers of every cycle, and their distribution over the cycles.

    Parameters
    ----------
    halves
        What `relaxor.techniques.iv_sweeps.halves.read_halves` returned of each cycle.
    """
    rows = [row for number, cycle in enumerate(halves, 1) for half in cycle for row in _rows(measurement, half, number)]
    for polarity in POLARITIES:
        same = {number: half for number, cycle in enumerate(halves, 1) for half in cycle if half.polarity == polarity}
        rows += _distribution(measurement, [row for row in rows if row.feature == polarity], polarity)
        rows += _missing(measurement, same, polarity)
    return rows


def _rows(measurement: Measurement, half: Half, number: int) -> list[Number]:
    """Return the numbers of one half of a cycle; nothing if both states are not told apart."""
    if not half.switches:
        return []
    common = {"feature": half.polarity, "at": float(number), "at_unit": "1"}
    where = f"at {half.read_voltage:.3g} V on the branches out and back"
    ratio = half.on[0] / half.off[0], math.hypot(half.on[1] / half.off[0], half.on[0] * half.off[1] / half.off[0] ** 2)
    values = {q.ON_RESISTANCE: _resistance(half, half.on), q.OFF_RESISTANCE: _resistance(half, half.off)}
    curved = (half.curvature[1], half.curvature[0], math.hypot(*half.curvature))
    rows = measured(measurement, q.SWITCHING, {**values, q.ON_OFF_RATIO: ratio}, where, **common)
    source = "distance from the line between the neighbouring points"
    rows = [row.with_component(CURVATURE, row.value * part, source) for row, part in zip(rows, curved, strict=True)]
    if half.limit:
        rows[1:] = [_limit(row, f"a lower limit, as {half.limit}") for row in rows[1:]]
    if half.found:
        quantity = q.SET_VOLTAGE if half.sets else q.RESET_VOLTAGE
        (row,) = measured(measurement, q.SWITCHING, {quantity: half.threshold}, METHODS[half.sets], **common)
        rows.append(row.with_component(TRANSITION, half.transition / math.sqrt(12), "3/4 to 1/4 of the window"))
    return rows


def _limit(row: Number, reason: str) -> Number:
    bare = replace(row, standard_error=math.nan, ci_low=math.nan, ci_high=math.nan, budget=())
    return bare.flagged(Status.LIMIT, reason)


def _resistance(half: Half, current: Reading) -> Reading:
    value = half.read_voltage / current[0]
    return value, value * current[1] / abs(current[0])


def _distribution(measurement: Measurement, rows: Sequence[Number], polarity: str) -> list[Number]:
    """Return median and standard deviation over the cycles of each number of a polarity.

    The scatter is at least that of the errors of the single cycles, and few cycles have the quantile of Student. The
    error of a voltage is that of the step, which does not become less with more cycles.
    """
    found = []
    for quantity in q.OF_SWITCHING:
        same = [row for row in rows if row.parameter == quantity.name]
        values, errors = np.array([(row.value, row.standard_error) for row in same]).reshape(-1, 2).T
        if values.size < FEWEST:
            continue
        spread, own = float(values.std(ddof=1)), float(np.median(errors))
        steps = quantity in (q.SET_VOLTAGE, q.RESET_VOLTAGE)
        scatter = spread if steps else max(spread, np.nan_to_num(own))
        wide = student_quantile(values.size - 1) / NORMAL_QUANTILE
        numbers: dict[Quantity, Reading] = {
            quantity: (float(np.median(values)), wide * math.sqrt(math.pi / 2) * scatter / math.sqrt(values.size)),
            q.SPREAD[quantity.name]: (spread, scatter / math.sqrt(2 * (values.size - 1))),
        }
        status = Status.worst(row.status for row in same)
        for row in measured(measurement, q.DISTRIBUTION, numbers, MEDIAN, n=values.size, feature=polarity):
            row = row.with_component(STEP, own, "median error of the cycles") if steps else row
            if row.parameter == quantity.name:
                for name in dict.fromkeys(part.name for each in same for part in each.budget):
                    parts = [part.value for each in same for part in each.budget if part.name == name]
                    size = float(np.median(parts + [0.0] * (values.size - len(parts))))
                    row = row.with_component(name, size, "median over the cycles")
            found.append(_limit(row, "of limits") if status == Status.LIMIT else row)
    return found


def _missing(measurement: Measurement, halves: dict[int, Half], polarity: str) -> list[Number]:
    """Return a row with the reason for each set or reset voltage that some or all cycles do not have."""
    reasons: dict[str, list[int]] = {}
    for number, half in halves.items():
        if not half.found:
            reasons.setdefault(half.reason, []).append(number)
    if not reasons:
        return []
    missing = [f"cycle{'s' * (len(of) > 1)} {', '.join(map(str, of))}: {reason}" for reason, of in reasons.items()]
    if any(half.found for half in halves.values()):
        values = {q.NOT_SWITCHED: (float(sum(map(len, reasons.values()))), 0.0)}
        return measured(measurement, q.DISTRIBUTION, values, "; ".join(missing), n=len(halves), feature=polarity)
    told = [half.sets for half in halves.values() if half.switches]
    sets = bool(np.mean(told or [True]) >= 0.5)
    reason = next(iter(reasons)) if len(missing) == 1 else "; ".join(missing[:5])
    values = {q.SET_VOLTAGE if sets else q.RESET_VOLTAGE: NOTHING}
    (row,) = measured(measurement, q.DISTRIBUTION, values, METHODS[sets], feature=polarity)
    return [row.flagged(Status.NOT_IDENTIFIED, reason)]


# --- curves
def switching_curves(cycles: Sequence[Cycle], halves: Sequence[Sequence[Half]]) -> dict[str, xr.Dataset]:
    """Return the median current of each branch at each polarity, and the numbers of every cycle; nothing without any.

    The median over the cycles is taken at equal voltages, as far as all of them go.
    """
    if not any(half.found for cycle in halves for half in cycle):
        return {}
    parts = {}
    for polarity, sign in POLARITIES.items():
        whole = [cycle for cycle in cycles if cycle.amplitude(sign)]
        branches = [ways(cycle, sign) for cycle in whole]
        kinds = {half.sets for cycle in halves for half in cycle if half.found and half.polarity == polarity}
        if not whole or len(kinds) > 1 or not all(min(map(len, pair)) for pair in branches):
            continue  # the median of cycles that are set and cycles that are reset is neither
        grid = np.linspace(0, min(cycle.amplitude(sign) for cycle in whole), CURVE_POINTS + 1)[1:]
        for place, name in enumerate(BRANCHES):
            currents = [
                _at(cycle, branch[place], sign, grid, back=bool(place))
                for cycle, branch in zip(whole, branches, strict=True)
            ]
            columns = {
                "voltage": (sign * grid, "V", "voltage"),
                "current": (np.median(currents, axis=0), "A", "median current over the cycles"),
            }
            parts[f"median_{polarity}_{name}"] = dataset("point", columns)
    parts["switching"] = _per_cycle(halves)
    return parts


def _per_cycle(halves: Sequence[Sequence[Half]]) -> xr.Dataset:
    """Return set and reset voltages and both resistances against the number of the cycle."""
    content = {}
    for polarity in POLARITIES:
        of = [next((half for half in cycle if half.polarity == polarity), Half(polarity, math.nan)) for cycle in halves]
        for name, unit, text, values in (
            ("set", "V", "set voltage", [half.threshold[0] if half.sets else math.nan for half in of]),
            ("reset", "V", "reset voltage", [math.nan if half.sets else half.threshold[0] for half in of]),
            ("on", "ohm", "on resistance", [_resistance(half, half.on)[0] for half in of]),
            ("off", "ohm", "off resistance", [_resistance(half, half.off)[0] for half in of]),
        ):
            content[f"{name}_{polarity}"] = (np.array(values), unit, f"{text}, {polarity} voltage")
    number = {"cycle": (np.arange(1, len(halves) + 1), "1", "cycle")}
    return dataset("cycle", content, number)


def _at(cycle: Cycle, branch: np.ndarray, sign: int, grid: np.ndarray, *, back: bool) -> np.ndarray:
    """Return the current on a branch at voltages, without the readings at which the voltage runs the other way."""
    order = branch[::-1] if back else branch
    voltage, current = sign * cycle.voltage[order], cycle.current[order]
    ahead = voltage >= np.maximum.accumulate(voltage)
    return np.interp(grid, voltage[ahead], current[ahead])
