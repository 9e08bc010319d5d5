"""Traces: time, voltage, current and stimulus of each run, whatever the instrument calls its columns.

A Keithley 4200 workbook has one region per run; a table of the Keithley 2636 holds all runs one below the other.
Columns are identified by their units, since users choose the names. The pulses are pulses of light where a power
density was recorded and changes, otherwise pulses of voltage. Where neither changes, the pulses were not recorded and
only the current shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import has_dimension, readings
from relaxor.synapse.quantities import LIGHT_STIMULUS, VOLTAGE_STIMULUS

AXES = {"time": "s", "voltage": "V", "current": "A"}
"""Required columns of a trace, with their units."""
CONSTANT = 1e-3
"""Range of a stimulus, relative to its largest magnitude, below which it is constant and no train of pulses."""


@dataclass(frozen=True)
class Trace:
    """One run: what was applied and what flowed.

    Attributes
    ----------
    measurement
        Where it comes from.
    run
        Its name.
    time
        s, shape (n,), increasing.
    current
        A, shape (n,).
    voltage
        Across the device, V, shape (n,).
    stimulus
        What the pulses are made of, shape (n,): the voltage itself or the power density of light; None if
        neither was recorded.
    stimulus_unit
        ``"V"`` or ``"mW/cm^2"``.
    steady_light
        Power density of light that shines all the time, mW/cm²; 0 in the dark and where no light was recorded.
    replaced
        How many currents were replaced by the mean of their neighbours, because the reading there was no current of
        the device.
    """

    measurement: Measurement
    run: str
    time: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    stimulus: np.ndarray | None
    stimulus_unit: str
    steady_light: float = 0.0
    replaced: int = 0


def traces_of(measurement: Measurement) -> list[Trace]:
    """Return the traces of a measurement, in the order of the file.

    Raises
    ------
    AnalysisError
        If a region has no column of time, voltage or current, or a run number reappears after another run.
    """
    return [
        _trace(measurement, run, data)
        for name, region in measurement.regions.items()
        for run, data in _runs(measurement, name, region)
    ]


def _runs(measurement: Measurement, name: str, region: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Cut a table at the changes of its column ``run``; a region without one is a run itself."""
    if "run" not in region.variables or region["run"].ndim != 1:
        yield name, region
        return
    number, (dimension,) = region["run"].to_numpy(), region["run"].dims
    if not np.isfinite(number).all():
        row = int(np.argmin(np.isfinite(number)))
        raise AnalysisError(f"{measurement.id}: {name}: row {row + 1} has no run number; every row needs one")
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [number.size]])
    names = [f"{value:g}" for value in number[bounds[:-1]]]
    if len(set(names)) < len(names):
        again = next(run for i, run in enumerate(names) if run in names[:i])
        raise AnalysisError(f"{measurement.id}: {name}: run {again} reappears after another; renumber the runs")
    for run, start, stop in zip(names, bounds[:-1], bounds[1:], strict=True):
        yield run, region.isel({dimension: slice(start, stop)})


def _trace(measurement: Measurement, run: str, data: xr.Dataset) -> Trace:
    found = {name: _column(data, unit) for name, unit in AXES.items()}
    missing = [f"{name} ({AXES[name]})" for name, values in found.items() if values is None]
    if missing:
        columns = ", ".join(f"{name} ({column.attrs.get('units', '')})" for name, column in data.variables.items())
        raise AnalysisError(f"{measurement.id}: run {run}: no column of {' or '.join(missing)}; it has {columns}")
    time, voltage, current = (values for values in found.values() if values is not None)
    # Columns of unequal length are padded with NaN: a row without a time is no sample.
    sample = np.isfinite(time)
    sample = slice(None) if sample.all() else sample  # without a copy of what may be long
    time, voltage, current = time[sample], voltage[sample], current[sample]
    light = _column(data, LIGHT_STIMULUS)
    light = np.zeros(0) if light is None else light[sample]
    if _changes(light):
        return Trace(measurement, run, time, current, voltage, light, LIGHT_STIMULUS)
    steady = float(np.nanmedian(light)) if np.isfinite(light).any() else 0.0
    stimulus = voltage if _changes(voltage) else None
    return Trace(measurement, run, time, current, voltage, stimulus, VOLTAGE_STIMULUS, steady)


def _changes(values: np.ndarray) -> bool:
    """Whether a stimulus is more than a constant read back with noise."""
    known = values[np.isfinite(values)]
    return bool(known.size and np.ptp(known) > CONSTANT * np.abs(known).max())


def _column(data: xr.Dataset, unit: str) -> np.ndarray | None:
    """Return the first column of the dimension of ``unit``, in it."""
    for column in data.variables.values():
        if column.ndim == 1 and has_dimension(column, unit):
            return readings(column, unit)
    return None
