"""Transfer and output curves of transistors.

A transfer curve has the currents of both states and what the gate says of the channel: threshold and transconductance,
or charge neutrality (`relaxor.techniques.transistors.gate`). An output curve has the resistance of the channel at small
drain voltages.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Quantity, Result, Status, measured, with_systematic
from relaxor.core.variables import dataset
from relaxor.techniques.transistors import quantities as q
from relaxor.techniques.transistors.curves import Curve, curves_of
from relaxor.techniques.transistors.gate import SEEN, gate_rows
from relaxor.techniques.transistors.settings import TransistorsSettings

Value = tuple[float, float]


def analyse(measurements: Sequence[Measurement], settings: TransistorsSettings) -> Iterator[Result]:
    """Analyse the transfer and output curves of a sample.

    Raises
    ------
    AnalysisError
        If a file holds no transistor.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


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
    return rows + gate_rows(measurement, curve, smooth, ratio, settings)


def _leakage(measurement: Measurement, model: str, curve: Curve) -> list[Number]:
    if curve.leakage is None or not np.isfinite(curve.leakage).any():
        (row,) = measured(measurement, model, {q.GATE_LEAKAGE: (math.nan, math.nan)}, "largest gate current")
        return [row.flagged(Status.NOT_IDENTIFIED, "the file holds no gate current")]
    finite = np.isfinite(curve.leakage)
    known, swept = curve.leakage[finite], curve.swept[finite]
    top = int(np.argmax(np.abs(known)))
    value = {q.GATE_LEAKAGE: (float(np.abs(known[top])), _noise(known, top))}
    return measured(measurement, model, value, f"largest gate current, at {swept[top]:.4g} V", n=known.size)


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
    if not known:
        return [*rows, row.flagged(Status.NOT_IDENTIFIED, "the slope is not told from zero")]
    return [*rows, row.with_component("curvature", _bent(x, y, slope), "slope of a parabola at no drain voltage")]


def _bent(x: np.ndarray, y: np.ndarray, slope: float) -> float:
    """Return how far the resistance may lie from that of a line, as the curve bends: by a parabola and its error."""
    if x.size < 6:
        return 1 / slope
    law, covariance = np.polyfit(x, y, 2, cov=True)
    apart = math.hypot(float(law[1] - slope), math.sqrt(float(covariance[1, 1])))
    return min(apart / slope**2, abs(1 / slope))
