"""The curves of a file: which column is which terminal, and where one curve ends and the next one begins."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.variables import has_dimension, readings
from relaxor.stats.sweeps import turning_points
from relaxor.techniques.iv_sweeps.terminals import DEVICES, GATES, terminal
from relaxor.techniques.transistors.quantities import OUTPUT, TRANSFER

STEP = 0.05
"""Change of the constant voltage, relative to its largest magnitude, at which the next curve begins."""
CHANGES = 0.01
"""Range of a gate voltage, relative to its largest magnitude, above which it changes."""
FEWEST = 8
"""Smallest number of points of a curve."""


@dataclass(frozen=True)
class Curve:
    """One curve in one direction.

    Attributes
    ----------
    kind
        `TRANSFER` or `OUTPUT`.
    at
        Constant voltage in V: of the drain or of the gate; NaN where the file does not state it.
    direction
        ``up`` or ``down``.
    swept, current
        Voltage that is swept (V) and drain current (A), shape (n,).
    leakage
        Gate current, A, shape (n,); None where it was not recorded.
    """

    kind: str
    at: float
    direction: str
    swept: np.ndarray
    current: np.ndarray
    leakage: np.ndarray | None


def terminals(region: xr.Dataset) -> dict[str, str]:
    """Return the columns of a transistor: ``gate_v``, ``drain_i`` and, where recorded, ``drain_v`` and ``gate_i``.

    Nothing is returned for a table whose gate voltage does not change, or which has no gate or no drain current.
    """
    found: dict[str, str] = {}
    columns = {str(name): data for name, data in region.variables.items() if data.ndim and data.dtype.kind in "fiu"}
    for unit, key in (("V", "v"), ("A", "i")):
        names = [name for name, data in columns.items() if has_dimension(data, unit) and "uncertainty" not in name]
        gates = [name for name in names if terminal(name) in GATES]
        ranked = sorted(
            (name for name in names if terminal(name) in DEVICES), key=lambda name: DEVICES.index(terminal(name))
        )
        found |= {f"gate_{key}": gates[0]} if gates else {}
        found |= {f"drain_{key}": ranked[0]} if ranked else {}
    if not {"gate_v", "drain_i"} <= found.keys():
        return {}
    gate = readings(columns[found["gate_v"]], "V")
    gate = gate[np.isfinite(gate)]
    return found if gate.size and np.ptp(gate) > CHANGES * np.abs(gate).max() else {}


def curves_of(region: xr.Dataset, label: str, drain_voltage: float) -> list[Curve]:
    """Return the curves of a region, each in one direction.

    Parameters
    ----------
    drain_voltage
        Of the sheet, V, where the file does not record it.

    Raises
    ------
    AnalysisError
        If the region holds no transistor, or no curve of `FEWEST` points.
    """
    found = terminals(region)
    if not found:
        raise AnalysisError(f"{label}: needs a gate voltage that changes and a drain current (Vg, Id)")
    columns = {key: readings(region[name], name_unit(key)).ravel() for key, name in found.items()}
    size = columns["drain_i"].size
    columns = {key: values if values.size == size else np.resize(values, size) for key, values in columns.items()}
    columns.setdefault("drain_v", np.full(size, drain_voltage))
    known = np.isfinite(columns["gate_v"]) & np.isfinite(columns["drain_i"])
    columns = {key: values[known] for key, values in columns.items()}
    kind = _kind(columns["gate_v"], columns["drain_v"])
    constant, swept = ("drain_v", "gate_v") if kind == TRANSFER else ("gate_v", "drain_v")
    fixed = np.nan_to_num(columns[constant])
    ends = np.flatnonzero(np.abs(np.diff(fixed)) > STEP * np.abs(fixed).max()) + 1
    curves = []
    for part in np.split(np.arange(fixed.size), ends):
        for place in _branches(columns[swept][part]):
            rows = part[place]
            if rows.size >= FEWEST:
                along = columns[swept][rows]
                direction = "up" if along[-1] > along[0] else "down"
                leakage = columns["gate_i"][rows] if "gate_i" in columns else None
                at = float(np.median(columns[constant][rows]))
                curves.append(Curve(kind, at, direction, along, columns["drain_i"][rows], leakage))
    if not curves:
        raise AnalysisError(f"{label}: no {kind} curve of {FEWEST} points or more")
    return curves


def name_unit(key: str) -> str:
    """Return the unit of a terminal's column."""
    return key[-1].replace("v", "V").replace("i", "A")


def _kind(gate: np.ndarray, drain: np.ndarray) -> str:
    """Return which voltage changes from point to point: that of the gate (transfer) or of the drain (output)."""

    def changes(values: np.ndarray) -> int:
        return int(np.sum(np.abs(np.diff(values)) > 1e-3 * (np.ptp(values) or np.inf)))

    drains = changes(drain) if np.ptp(drain) > STEP * np.abs(drain).max() else 0
    return TRANSFER if changes(gate) >= drains else OUTPUT


def _branches(swept: np.ndarray) -> list[np.ndarray]:
    """Return the places of the points between the turns of a voltage; a turn belongs to both sides."""
    if swept.size < FEWEST or not np.ptp(swept):
        return []
    turns = turning_points(swept)
    return [np.arange(first, last + 1) for first, last in pairwise(turns)]
