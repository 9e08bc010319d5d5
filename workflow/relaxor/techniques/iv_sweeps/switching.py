"""Resistive switching: where each cycle is set and reset, and the resistances of its two states.

In each half of a cycle the device goes out to the extreme voltage and comes back. Where it comes back with more current
than it went out it was set, where with less it was reset. The logarithm of the ratio of both currents, at the same
voltage, is the window; it is open before the device switches and closed after it. That the current of a state grows
with the voltage changes both branches alike and moves nothing.

- The set voltage is that at which the way out has closed half of the window that is open at the read voltage. Where the
  voltage across the device collapses as it is set (a resistor in series), it is the last voltage before that.
- The reset voltage is that of the largest current of the way out before it has closed half of the window, or the middle
  of the step in which the current falls at once.

Where the window closes over a large part of the sweep no voltage stands out, and where it is hardly open the device
does not switch; both are said instead of a number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Quantity, Status, measured
from relaxor.core.variables import dataset
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle
from relaxor.techniques.iv_sweeps.readings import NOTHING, Reading, current_at

READ_PART = 0.25
"""Read voltage as a part of the smaller extreme voltage of a cycle, where the settings give none."""
GRADUAL = 0.3
"""Part of the extreme voltage over which the window closes from 3/4 to 1/4, above which no voltage stands out."""
FALLS = 0.9
"""Part of the largest current below which the current of a reset falls."""
JUMP = 3
"""Usual steps that the voltage across a device jumps when it is reset behind a resistor."""
SEEN = 2.0
"""Standard errors that a current must have to be told from zero."""
CURVE_POINTS = 200
"""Number of voltages of the median curve, on each branch of each polarity."""
FEWEST = 3
"""Smallest number of cycles whose scatter is stated."""


@dataclass(frozen=True)
class Half:
    """The half of a cycle at one polarity.

    Attributes
    ----------
    polarity
        ``positive`` or ``negative``.
    read_voltage
        Signed, V.
    off, on
        Current of both states at the read voltage, A; NaN where it is not read.
    ratio
        Current on the way back over that on the way out at the read voltage, and its relative error.
    threshold
        Set or reset voltage, signed, V; NaN where there is none.
    reason
        Why there is no threshold.
    limit
        Why the off state is only known to carry less current than `off`; nothing if it is read.
    """

    polarity: str
    read_voltage: float
    off: Reading
    on: Reading
    ratio: Reading
    threshold: Reading
    reason: str = ""
    limit: str = ""

    @property
    def sets(self) -> bool:
        """Whether the device has more current on the way back."""
        return self.ratio[0] >= 1


def ways(cycle: Cycle, polarity: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points on the way out to the extreme voltage of a polarity, and those on the way back, as indices.

    The extreme voltage divides them, so that the voltage across a device may fall on the way out.
    """
    side = np.flatnonzero(polarity * cycle.voltage > 0)
    out, back = [], []
    for run in np.split(side, np.flatnonzero(np.diff(side) > 1) + 1):
        if run.size:
            top = int(np.argmax(polarity * cycle.voltage[run]))
            out.append(run[: top + 1] if top else run[:0])
            back.append(run[top + 1 :] if top else run)
    return (np.concatenate(out), np.concatenate(back)) if out else (side, side)


def read_halves(cycle: Cycle, read_voltage: float | None, window: float, least_ratio: float) -> list[Half]:
    """Read every half of a cycle that goes out and comes back.

    Parameters
    ----------
    read_voltage
        Positive, V; None stands for `READ_PART` of the smaller extreme voltage.
    window
        Part of the extreme voltage around a voltage from which the current there is taken.
    least_ratio
        Ratio of the currents of both branches from which on a device switches.
    """
    extremes = [cycle.amplitude(sign) for sign in POLARITIES.values()]
    read = read_voltage or READ_PART * min(extreme for extreme in extremes if extreme)
    found = []
    for (name, sign), extreme in zip(POLARITIES.items(), extremes, strict=True):
        out, back = ways(cycle, sign)
        if min(out.size, back.size) and read < extreme:
            found.append(_half(cycle, name, read, (out, back), window * extreme, least_ratio))
    return found


def _half(
    cycle: Cycle, name: str, read: float, branches: tuple[np.ndarray, np.ndarray], window: float, least_ratio: float
) -> Half:
    sign = POLARITIES[name]
    masks = [np.isin(np.arange(cycle.voltage.size), branch) for branch in branches]
    near = min(window, read / 2)
    out, back = (current_at(cycle, [mask], sign * read, near) for mask in masks)
    voltage = sign * read
    if not (math.isfinite(out[0]) and math.isfinite(back[0])):
        return Half(
            name, voltage, NOTHING, NOTHING, NOTHING, NOTHING, f"no current at {voltage:.3g} V on both branches"
        )
    off, on = sorted((out, back), key=lambda reading: sign * reading[0])
    if sign * on[0] <= SEEN * on[1]:
        return Half(name, voltage, off, on, NOTHING, NOTHING, f"the current at {voltage:.3g} V is not told from zero")
    limit = ""
    if sign * off[0] <= SEEN * off[1]:
        limit = f"the off current at {voltage:.3g} V is not told from zero: its upper limit ({SEEN:g} standard errors)"
        off = sign * (abs(off[0]) + SEEN * off[1]), 0.0
    ratio = abs(on[0] / off[0])
    error = math.hypot(on[1] / on[0], off[1] / off[0])
    grows = sign * back[0] >= sign * out[0]
    change = (ratio if grows else 1 / ratio, error)
    if ratio < least_ratio or math.log(ratio) < SEEN * error:
        reason = f"no switching: both branches differ by a factor of {ratio:.3g} at {voltage:.3g} V"
        return Half(name, voltage, off, on, change, NOTHING, f"{reason}, less than {least_ratio:g}", limit)
    threshold, reason = _threshold(cycle, sign, branches, read, math.log(ratio), grows)
    return Half(name, voltage, off, on, change, threshold, reason, limit)


def _threshold(
    cycle: Cycle, sign: int, branches: tuple[np.ndarray, np.ndarray], read: float, opened: float, grows: bool
) -> tuple[Reading, str]:
    """Return set or reset voltage with its standard error, or nothing and the reason."""
    out, back = branches
    voltage, current = sign * cycle.voltage[out], sign * cycle.current[out]
    order = np.argsort(sign * cycle.voltage[back])
    way_back = np.interp(voltage, sign * cycle.voltage[back][order], sign * cycle.current[back][order])
    beyond = np.flatnonzero((voltage >= read) & (current > 0) & (way_back > 0))
    if beyond.size < 2:
        return NOTHING, "fewer than two points beyond the read voltage"
    window = np.log(way_back[beyond] / current[beyond]) * (1 if grows else -1) / opened
    low = window < 0.5
    low[:-1] &= window[1:] < 0.75  # a single outlier closes no window
    if not low.any():
        return NOTHING, "the window stays open up to the extreme voltage"
    if low[0]:
        return NOTHING, "the device has switched before the read voltage: choose a smaller one"
    last, step = int(np.argmax(low)) - 1, float(np.median(np.abs(np.diff(voltage))))
    if not grows:
        return _peak(sign, voltage, current, cycle.sigma[out], int(beyond[last]), step)
    begin = int(np.flatnonzero(window[: last + 1] > 0.75)[-1]) if (window[: last + 1] > 0.75).any() else 0
    end = last + 1 + int(np.argmax(window[last + 1 :] < 0.25)) if (window[last + 1 :] < 0.25).any() else len(window) - 1
    reached = voltage[beyond]
    if reached[end] - reached[begin] > GRADUAL * voltage.max() and end - begin > 2:
        part = f"from {sign * reached[begin]:.3g} to {sign * reached[end]:.3g} V"
        return NOTHING, f"the resistance changes gradually, {part}: no voltage stands out"
    here, there = reached[last], reached[last + 1]
    if there <= here:  # the voltage across the device collapses
        return (sign * float(here), step / math.sqrt(3)), ""
    part = (window[last] - 0.5) / (window[last] - window[last + 1])
    return (sign * float(here + part * (there - here)), max(float(there - here), step) / math.sqrt(12)), ""


def _peak(
    sign: int, voltage: np.ndarray, current: np.ndarray, sigma: np.ndarray, last: int, step: float
) -> tuple[Reading, str]:
    """Return the voltage of the largest current up to a point, and nothing if the current does not fall behind it.

    The error covers all points that may be the largest one by their noise. Where the last point is one of them, the
    device is reset at once, between this point and the next one.
    """
    top = int(np.argmax(current[: last + 1]))
    if current[top:].min() > FALLS * current[top]:
        return NOTHING, "the current rises throughout: no voltage stands out"
    alike = voltage[: last + 1][current[: last + 1] > current[top] - 2 * SEEN * sigma[top]]
    if alike[-1] == voltage[last]:
        width = float(np.clip(voltage[last + 1] - voltage[last], 0, JUMP * step))  # a resistor in series lets it jump
        width = step if width == JUMP * step or not width else width
        return (sign * float(voltage[last] + width / 2), max(step, width) / math.sqrt(12)), ""
    return (sign * float(voltage[top]), max(step, float(np.ptp(alike))) / math.sqrt(12)), ""


# --- numbers
METHODS = {
    True: "the way out has closed half of the window between its current and that of the way back, on a log scale",
    False: "largest current on the way out before half of the window is closed",
}
"""Whether the device is set → how the voltage is found."""


def switching_rows(measurement: Measurement, halves: Sequence[Sequence[Half]]) -> list[Number]:
    """Return the numbers of every cycle, and their distribution over the cycles.

    Parameters
    ----------
    halves
        What `read_halves` returned of each cycle.
    """
    rows: list[Number] = []
    for number, cycle in enumerate(halves, start=1):
        for half in cycle:
            rows += _rows_of(measurement, half, number)
    return rows + _distribution(measurement, rows) + _missing(measurement, halves, rows)


def _rows_of(measurement: Measurement, half: Half, number: int) -> list[Number]:
    common = {"feature": half.polarity, "at": float(number), "at_unit": "1"}
    if not math.isfinite(half.ratio[0]):
        return []
    ratio = max(half.ratio[0], 1 / half.ratio[0])
    where = f"at {half.read_voltage:.3g} V on the branches out and back"
    values: dict[Quantity, Reading] = {
        q.ON_RESISTANCE: _resistance(half, half.on),
        q.OFF_RESISTANCE: _resistance(half, half.off),
        q.ON_OFF_RATIO: (ratio, ratio * half.ratio[1]),
    }
    rows = measured(measurement, q.SWITCHING, values, where, **common)
    if half.limit:
        limited = (q.OFF_RESISTANCE.name, q.ON_OFF_RATIO.name)
        reason = f"a lower limit, as {half.limit}"
        rows = [_limit(row, reason) if row.parameter in limited else row for row in rows]
    if math.isfinite(half.threshold[0]):
        quantity = q.SET_VOLTAGE if half.sets else q.RESET_VOLTAGE
        rows += measured(measurement, q.SWITCHING, {quantity: half.threshold}, METHODS[half.sets], **common)
    return rows


def _limit(row: Number, reason: str) -> Number:
    return replace(row, standard_error=math.nan, ci_low=math.nan, ci_high=math.nan).flagged(Status.LIMIT, reason)


def _resistance(half: Half, current: Reading) -> Reading:
    value = half.read_voltage / current[0]
    return value, value * current[1] / abs(current[0])


def _distribution(measurement: Measurement, rows: Sequence[Number]) -> list[Number]:
    """Return median and spread of each number over the cycles; spread is the standard deviation."""
    found = []
    for polarity in POLARITIES:
        for quantity in q.OF_SWITCHING:
            same = [row for row in rows if row.parameter == quantity.name and row.feature == polarity]
            values = np.array([row.value for row in same])
            if values.size < FEWEST:
                continue
            spread = float(values.std(ddof=1))
            numbers: dict[Quantity, Reading] = {
                quantity: (float(np.median(values)), math.sqrt(math.pi / 2) * spread / math.sqrt(values.size)),
                q.SPREAD[quantity.name]: (spread, spread / math.sqrt(2 * (values.size - 1))),
            }
            method = "median over the cycles, and their standard deviation"
            status = Status.worst(row.status for row in same)
            more = measured(measurement, q.DISTRIBUTION, numbers, method, n=values.size, feature=polarity)
            found += [row.flagged(status, "of limits") if status != Status.OK else row for row in more]
    return found


def _missing(measurement: Measurement, halves: Sequence[Sequence[Half]], rows: Sequence[Number]) -> list[Number]:
    """Return a row with the reason for each set or reset voltage that some or all cycles do not have."""
    found = []
    for polarity in POLARITIES:
        reasons: dict[str, list[int]] = {}
        for number, cycle in enumerate(halves, start=1):
            for half in (each for each in cycle if each.polarity == polarity):
                if not math.isfinite(half.threshold[0]):
                    reasons.setdefault(half.reason, []).append(number)
        if not reasons:
            continue
        missing = [f"cycle{'s' * (len(of) > 1)} {', '.join(map(str, of))}: {reason}" for reason, of in reasons.items()]
        same = [half for cycle in halves for half in cycle if half.polarity == polarity]
        sets = np.mean([half.sets for half in same if math.isfinite(half.ratio[0])] or [True]) >= 0.5
        quantity = q.SET_VOLTAGE if sets else q.RESET_VOLTAGE
        count = sum(map(len, reasons.values()))
        if any(row.parameter == quantity.name and row.feature == polarity for row in rows):
            values = {q.NOT_SWITCHED: (float(count), 0.0)}
            found += measured(measurement, q.DISTRIBUTION, values, "; ".join(missing), n=len(same), feature=polarity)
        else:
            reason = missing[0].partition(": ")[2] if len(missing) == 1 else "; ".join(missing[:5])
            row = measured(measurement, q.DISTRIBUTION, {quantity: NOTHING}, METHODS[bool(sets)], feature=polarity)
            found += [each.flagged(Status.NOT_IDENTIFIED, reason) for each in row]
    return found


# --- curves
def switching_curves(cycles: Sequence[Cycle], halves: Sequence[Sequence[Half]]) -> dict[str, xr.Dataset]:
    """Return the median current of each branch at each polarity, and the numbers of every cycle; nothing without any.

    The median over the cycles is taken at equal voltages, as far as all of them go.
    """
    if not any(math.isfinite(half.threshold[0]) for cycle in halves for half in cycle):
        return {}
    parts = {}
    for polarity, sign in POLARITIES.items():
        branches = [ways(cycle, sign) for cycle in cycles if cycle.amplitude(sign)]
        whole = [cycle for cycle in cycles if cycle.amplitude(sign)]
        if not whole or not all(min(out.size, back.size) for out, back in branches):
            continue
        grid = np.linspace(0, min(cycle.amplitude(sign) for cycle in whole), CURVE_POINTS + 1)[1:]
        for place, name in enumerate(("out", "back")):
            currents = [
                _at(cycle, branch[place], sign, grid, back=bool(place))
                for cycle, branch in zip(whole, branches, strict=True)
            ]
            columns = {
                "voltage": (sign * grid, "V", "voltage"),
                "current": (np.median(currents, axis=0), "A", "median current over the cycles"),
            }
            parts[f"median_{polarity}_{name}"] = dataset("point", columns)
    content, attrs = {}, {}
    for polarity in POLARITIES:
        of = [next((half for half in cycle if half.polarity == polarity), None) for cycle in halves]
        read = [half if half and math.isfinite(half.ratio[0]) else None for half in of]
        for name, unit, text, values in (
            ("threshold", "V", "set or reset voltage", [half.threshold[0] if half else math.nan for half in read]),
            ("on", "ohm", "on resistance", [_resistance(half, half.on)[0] if half else math.nan for half in read]),
            ("off", "ohm", "off resistance", [_resistance(half, half.off)[0] if half else math.nan for half in read]),
        ):
            content[f"{name}_{polarity}"] = (np.array(values), unit, f"{text}, {polarity} voltage")
        known = [half.sets for half in read if half and math.isfinite(half.threshold[0])]
        attrs[f"kind_{polarity}"] = "" if not known else "set" if np.mean(known) >= 0.5 else "reset"
    number = {"cycle": (np.arange(1, len(halves) + 1), "1", "cycle")}
    parts["switching"] = dataset("cycle", content, number, **attrs)
    return parts


def _at(cycle: Cycle, branch: np.ndarray, sign: int, grid: np.ndarray, *, back: bool) -> np.ndarray:
    """Return the current on a branch at voltages, without the readings at which the voltage runs the other way."""
    order = branch[::-1] if back else branch
    voltage, current = sign * cycle.voltage[order], cycle.current[order]
    ahead = voltage >= np.maximum.accumulate(voltage)
    return np.interp(grid, voltage[ahead], current[ahead])
