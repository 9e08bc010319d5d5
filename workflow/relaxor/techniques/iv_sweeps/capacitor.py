"""Sweeps of a capacitor: their current takes up no energy, and says nothing of a resistance or a law of conduction."""

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Status, measured
from relaxor.core.variables import has_dimension, readings
from relaxor.stats.sweeps import lost_part
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.cycles import Cycle
from relaxor.techniques.iv_sweeps.terminals import device_pair

RETURNED = 0.3
"""Part of the exchanged energy below which the loss of a cycle counts as none."""
REASON = "the current takes up no energy: that of a capacitor, which has no resistance"
DISSIPATIVE = {quantity.name for quantity in (q.RESISTANCE, *q.OF_LAWS)}
"""Numbers that only a current with losses has."""


def reactive(cycle: Cycle) -> bool:
    """Return whether the device gives back nearly all energy that it takes up in a cycle."""
    return abs(lost_part(cycle.voltage, cycle.current)) < RETURNED


def without_resistance(row: Number) -> Number:
    """Return a number, flagged if a capacitor does not have it."""
    return row.flagged(Status.NOT_IDENTIFIED, REASON) if row.parameter in DISSIPATIVE else row


def capacitance_rows(measurement: Measurement) -> list[Number]:
    """Return the capacitance of a file with time: the slope of the current against the rate of the voltage."""
    found = [_rate_and_current(region, f"{measurement.id}: {name}") for name, region in measurement.regions.items()]
    pairs = [each for each in found if each is not None]
    if not pairs:
        return []
    rate, current = np.concatenate(pairs, axis=1)
    away = rate - rate.mean()
    value = float(away @ current / (away @ away))
    residual = current - current.mean() - value * away
    error = float(np.sqrt(residual @ residual / (residual.size - 2) / (away @ away)))
    method = "slope of the current against the rate of the voltage"
    return measured(measurement, q.CYCLES, {q.CAPACITANCE: (value, error)}, method, n=residual.size)


def _rate_and_current(region: xr.Dataset, label: str) -> np.ndarray | None:
    """Return the rate of the voltage in V/s and the current in A, shape (2, n), or None if there is no time."""
    voltage, current = device_pair(region, label)
    times = [each for each in region.variables.values() if has_dimension(each, "s") and each.dims == current.dims]
    if not times or current.ndim != 1:
        return None
    seconds, volts, amperes = readings(times[0], "s"), readings(voltage, "V"), readings(current, "A")
    known = np.isfinite(seconds) & np.isfinite(volts) & np.isfinite(amperes)
    return np.stack([np.gradient(volts[known], seconds[known]), amperes[known]])
