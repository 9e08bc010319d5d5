"""Transfer and output curves of transistors.

A transfer curve has a threshold where the channel is switched off: its tangent at the largest transconductance meets
zero there, less half of the drain voltage (linear region); in saturation, the tangent of the root of the current does.
A channel that conducts on both sides of a smallest current has the gate voltage of charge neutrality instead. An output
curve has the resistance of the channel at small drain voltages.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Quantity, Result, Status, measured, with_systematic
from relaxor.core.variables import dataset
from relaxor.techniques.transistors import quantities as q
from relaxor.techniques.transistors.curves import Curve, curves_of
from relaxor.techniques.transistors.settings import TransistorsSettings

EDGE = 0.05
"""Part of the range of the gate voltage at its ends in which a smallest current is no minimum."""
BOTH_SIDES = 1.1
"""Factor by which the current grows on both sides of charge neutrality."""
STILL_RISES = 1.1
"""Factor between the slopes of the last two windows of a sweep above which the slope still rises."""
SEEN = 2.0
"""Standard errors that a current must have to be told from zero."""
Value = tuple[float, float]


def analyse(measurements: Sequence[Measurement], settings: TransistorsSettings) -> Result:
    """Analyse the transfer and output curves of a sample.

    Raises
    ------
    AnalysisError
        If a file holds no transistor.
    """
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: TransistorsSettings) -> Result:
    rows: list[Number] = []
    parts: dict[str, xr.Dataset] = {}
    drain = measurement.condition("drain_voltage", "V", math.nan)
    several = len(measurement.regions) > 1
    for name, region in measurement.regions.items():
        seen: Counter[tuple[str, str]] = Counter()
        for curve in curves_of(region, f"{measurement.id}: {name}", drain):
            seen[key := (f"{curve.at:.2g}", curve.direction)] += 1
            feature = f"{curve.direction} {seen[key]}" if seen[key] > 1 else curve.direction
            feature = f"{name} {feature}" if several else feature
            found = _transfer(measurement, curve, settings) if curve.kind == q.TRANSFER else []
            found = found or _output(measurement, curve, settings)
            place: dict[str, Any] = {"at": float(f"{curve.at:.4g}"), "at_unit": "V"} if math.isfinite(curve.at) else {}
            rows += [_placed(row, feature, place) for row in found]
            part = _drawn(curve, found, feature)
            parts[f"curve_{len(parts) + 1}"] = part.assign_attrs(region=name if several else "")
    rows = with_systematic(rows, q.QUANTITIES, {q.SCALE: settings.current_uncertainty})
    return Result.of(measurement, rows, parts)


def _placed(row: Number, feature: str, place: dict[str, Any]) -> Number:
    return replace(row, feature=feature, **place)


def _drawn(curve: Curve, rows: Sequence[Number], feature: str) -> xr.Dataset:
    columns = {"voltage": (curve.swept, "V", "voltage"), "current": (curve.current, "A", "drain current")}
    if curve.leakage is not None:
        columns["leakage"] = curve.leakage, "A", "gate current"
    found = [row for row in rows if row.parameter in (q.THRESHOLD.name, q.NEUTRALITY.name)]
    marked = [row.value for row in found if row.status != Status.LIMIT]
    attrs = {"kind": curve.kind, "at": curve.at, "feature": feature, "marked": marked[0] if marked else math.nan}
    attrs["direction"] = curve.direction
    return dataset("point", columns).assign_attrs(attrs)


# --- transfer
def _noise(current: np.ndarray, place: int) -> float:
    """Return the noise of the points near one, from their second differences."""
    near = current[max(place - 7, 0) : place + 8]
    return float(np.median(np.abs(np.diff(near, 2)))) / (0.6745 * math.sqrt(6))


def _transfer(measurement: Measurement, curve: Curve, settings: TransistorsSettings) -> list[Number]:
    size = np.abs(curve.current)
    padded = np.pad(size, 1, "edge")
    smooth = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    top, low = int(np.argmax(smooth)), int(np.argmin(smooth))
    on, on_error = float(curve.current[top]), _noise(curve.current, top)
    off, off_error = float(smooth[low]), _noise(curve.current, low)
    limit = off <= SEEN * off_error
    least = off + SEEN * off_error if limit else off
    ratio = abs(on) / least
    error = math.nan if limit else ratio * math.hypot(on_error / on, off_error / off)
    values: dict[Quantity, Value] = {q.ON_CURRENT: (on, on_error), q.ON_OFF_RATIO: (ratio, error)}
    rows = measured(measurement, q.TRANSFER, values, "largest and smallest current of the sweep", n=size.size)
    rows += measured(measurement, q.TRANSFER, {q.OFF_CURRENT: (least, off_error)}, "smallest current", n=size.size)
    if limit:
        reason = "the smallest current is not told from zero: its upper limit, a lower limit of the ratio"
        rows = [row if row.parameter == q.ON_CURRENT.name else row.flagged(Status.LIMIT, reason) for row in rows]
    where = f"drain voltage over drain current at a gate voltage of {curve.swept[top]:.4g} V"
    resistance: Value = (abs(curve.at / on), abs(curve.at / on**2) * on_error)
    if math.isfinite(curve.at):
        rows += measured(measurement, q.TRANSFER, {q.ON_RESISTANCE: resistance}, where, n=size.size)
    else:
        row = measured(measurement, q.TRANSFER, {q.ON_RESISTANCE: resistance}, where)[0]
        rows.append(row.flagged(Status.NOT_IDENTIFIED, "no drain voltage: add the condition 'drain_voltage=… V'"))
    rows += _leakage(measurement, q.TRANSFER, curve)
    return rows + _gate_voltage(measurement, curve, smooth, ratio, settings)


def _leakage(measurement: Measurement, model: str, curve: Curve) -> list[Number]:
    if curve.leakage is None or not np.isfinite(curve.leakage).any():
        (row,) = measured(measurement, model, {q.GATE_LEAKAGE: (math.nan, math.nan)}, "largest gate current")
        return [row.flagged(Status.NOT_IDENTIFIED, "the file holds no gate current")]
    finite = np.isfinite(curve.leakage)
    known, swept = curve.leakage[finite], curve.swept[finite]
    top = int(np.argmax(np.abs(known)))
    value = {q.GATE_LEAKAGE: (float(np.abs(known[top])), _noise(known, top))}
    return measured(measurement, model, value, f"largest gate current, at {swept[top]:.4g} V", n=known.size)


def _gate_voltage(
    measurement: Measurement, curve: Curve, smooth: np.ndarray, ratio: float, settings: TransistorsSettings
) -> list[Number]:
    """Return threshold and transconductance, or the voltage of charge neutrality, or the reason for neither."""
    order = np.argsort(curve.swept)
    gate, size = curve.swept[order], smooth[order]
    low, span = int(np.argmin(size)), float(np.ptp(gate))
    inner = min(gate[low] - gate[0], gate[-1] - gate[low]) > EDGE * span
    step = span / (gate.size - 1)
    if inner and ratio < 1e3 and min(size[0], size[-1]) > BOTH_SIDES * size[low]:
        near = np.abs(gate - gate[low]) <= max(settings.slope_window * span, 3 * step)
        a, b, _ = np.polyfit(gate[near] - gate[low], size[near], 2)
        vertex = float(gate[low] - b / (2 * a)) if a > 0 else float(gate[low])
        vertex = vertex if abs(vertex - gate[low]) < settings.slope_window * span else float(gate[low])
        value = {q.NEUTRALITY: (vertex, max(step, abs(vertex - gate[low])) / math.sqrt(12))}
        return measured(measurement, q.TRANSFER, value, "vertex of a parabola about the smallest current", n=gate.size)
    if ratio < settings.least_ratio:
        end = float(gate[0] if low < gate.size / 2 else gate[-1])
        method = "smallest current"
        (row,) = measured(measurement, q.TRANSFER, {q.NEUTRALITY: (end, math.nan)}, method, n=gate.size)
        side = "below" if low < gate.size / 2 else "above"
        reason = f"the channel is not switched off (factor {ratio:.3g}), and its smallest current lies at or {side}"
        return [row.flagged(Status.LIMIT, f"{reason} the end of the sweep: no threshold")]
    return _threshold(measurement, curve, settings)


def _tangent(gate: np.ndarray, value: np.ndarray, half: float) -> tuple[float, float, float, float]:
    """Return the zero of the steepest line over a window, its slope, the error of the zero and that of the slope.

    By noise many lines are as steep as the steepest one; the medians of all of these do not follow the noise upwards.
    """
    lines = []
    for centre in gate:
        near = np.abs(gate - centre) <= half
        if near.sum() < 3 or centre - half < gate[0] - 1e-9 or centre + half > gate[-1] + 1e-9:
            continue
        x = gate[near] - gate[near].mean()
        slope = float(x @ value[near] / (x @ x))
        rest = value[near] - value[near].mean() - slope * x
        error = math.sqrt(float(rest @ rest) / max(int(near.sum()) - 2, 1) / float(x @ x))
        lines.append((float(gate[near].mean()), float(value[near].mean()), slope, error))
    place, middle, slope, error = np.array(lines).T
    best = int(np.argmax(slope))
    steep = (slope > 0) & (slope >= slope[best] - SEEN * np.hypot(error, error[best]))
    zero, usual, wrong = place[steep] - middle[steep] / slope[steep], np.median(slope[steep]), np.median(error[steep])
    far = float(np.median(middle[steep] / slope[steep]) * wrong / usual)
    return float(np.median(zero)), float(usual), far, float(wrong)


def _slope(gate: np.ndarray, value: np.ndarray, centre: float, half: float) -> float:
    near = np.abs(gate - centre) <= half
    return float(np.polyfit(gate[near] - centre, value[near], 1)[0]) if near.sum() > 2 else math.nan


def _threshold(measurement: Measurement, curve: Curve, settings: TransistorsSettings) -> list[Number]:
    size = np.abs(curve.current)
    sign = 1 if size[np.argmax(curve.swept)] > size[np.argmin(curve.swept)] else -1  # electrons or holes
    order = np.argsort(sign * curve.swept)
    gate, current = sign * curve.swept[order], size[order]
    half = max(settings.slope_window * float(np.ptp(gate)) / 2, 1.01 * float(np.ptp(gate)) / (gate.size - 1))
    if np.ptp(gate) < 4 * half or gate.size < 6:
        half = float(np.ptp(gate)) / 4
    zero, slope, error, slope_error = _tangent(gate, current, half)
    drain = abs(curve.at) if math.isfinite(curve.at) else 0.0
    threshold, method = zero - drain / 2, "tangent at the largest slope, less half the drain voltage"
    if drain > gate[-1] - threshold:
        threshold, _, error, _ = _tangent(gate, np.sqrt(current), half)
        method = "tangent of the root of the current (saturation)"
    step = float(np.ptp(gate)) / (gate.size - 1)
    kind = "electrons" if sign > 0 else "holes"
    values: dict[Quantity, Value] = {q.THRESHOLD: (sign * threshold, math.hypot(error, step / math.sqrt(12)))}
    rows = measured(measurement, q.TRANSFER, values, f"{method}; {kind}", n=gate.size)
    if not math.isfinite(curve.at):
        rows = [row.flagged(Status.ASSUMED, "no drain voltage is known: half of it is missing") for row in rows]
    last, before = (_slope(gate, current, gate[-1] - half * (2 * k + 1), half) for k in (0, 1))
    if last > STILL_RISES * before and "root" not in method:
        rising = "the slope still rises at the end of the sweep: the threshold depends on where it ends"
        rows = [row.flagged(Status.AT_BOUND, rising) for row in rows]
    window = f"line over {2 * half:.3g} V of the gate voltage"
    slopes: dict[Quantity, Value] = {q.TRANSCONDUCTANCE: (slope, slope_error)}
    return rows + measured(measurement, q.TRANSFER, slopes, window, n=gate.size)


# --- output
def _output(measurement: Measurement, curve: Curve, settings: TransistorsSettings) -> list[Number]:
    top = int(np.argmax(np.abs(curve.swept)))
    value: dict[Quantity, Value] = {q.ON_CURRENT: (float(curve.current[top]), _noise(curve.current, top))}
    method = f"drain current at {curve.swept[top]:.4g} V"
    rows = measured(measurement, q.OUTPUT, value, method, n=curve.current.size)
    rows += _leakage(measurement, q.OUTPUT, curve)
    away = np.argsort(np.abs(curve.swept))
    near = away[: max(int(np.sum(np.abs(curve.swept) <= settings.linear_part * np.abs(curve.swept[top]))), 3)]
    x, y = curve.swept[near], curve.current[near]
    slope, _ = np.polyfit(x, y, 1)
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    error = math.sqrt(float(rest @ rest) / max(x.size - 2, 1) / float(np.sum((x - x.mean()) ** 2)))
    known = abs(slope) > SEEN * error and slope != 0
    resistance: Value = (float(1 / slope), error / slope**2) if known else (math.nan, math.nan)
    method = f"slope up to {np.abs(x).max():.3g} V of the drain"
    (row,) = measured(measurement, q.OUTPUT, {q.ON_RESISTANCE: resistance}, method, n=x.size)
    rows.append(row if known else row.flagged(Status.NOT_IDENTIFIED, "the slope is not told from zero"))
    return rows
