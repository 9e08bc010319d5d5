"""The mean cycle of a recorded train of cycles, and its noise.

The offset I0 is the mean of the current over a period, because P is periodic.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement
from relaxor.core.variables import readings
from relaxor.stats.sweeps import turning_points
from relaxor.techniques.hysteresis.device import Capacitor, Geometry, frequency_of, geometry_of, recorded

CONSTANT = 0.01
"""Range of a voltage, relative to its largest magnitude, below which it is constant."""
LEAST_PERIOD = 40
"""Smallest number of samples of a cycle."""
REPEATED_VOLTAGE = 0.01
"""Scatter of the voltage about its mean cycle, relative to its largest magnitude, up to which it repeats."""
OUTLIER = 5.0
"""Third differences above this multiple of their median magnitude are turns of the ramp and no noise."""


@dataclass(frozen=True)
class Cycle:
    """The mean of the recorded cycles, and their noise.

    Attributes
    ----------
    measurement
        Measurement from which it comes.
    geometry
        Geometry of its device.
    frequency
        Hz.
    time, voltage, current
        One period, shape (n,); s, V, A. The current has no drift and no offset.
    residual
        Deviations of the single cycles from their mean, shape (cycles, n), scaled to the noise of a sample, A.
    method
        How the current was obtained and what its errors mean.
    remark
        Further remark on the current; see `named`.
    region
        Table of the file of a capacitor, the feature of its numbers; empty for a train of cycles.
    opening
        Mean current of a single cycle, A. Such a cycle need not be closed: its drift and its switching cannot be told
        apart.
    """

    measurement: Measurement
    geometry: Geometry | Capacitor
    frequency: float
    time: np.ndarray
    voltage: np.ndarray
    current: np.ndarray
    residual: np.ndarray
    method: str
    remark: str
    region: str = ""
    opening: float = 0.0

    @property
    def adequacy(self) -> Adequacy:
        """Whether the instrument recorded the whole current."""
        return recorded(self.remark)

    @property
    def noise(self) -> float:
        """Standard deviation of a sample of the mean cycle, A."""
        return float(np.std(self.residual) / np.sqrt(len(self.residual)))

    @property
    def field(self) -> np.ndarray:
        """The field in kV/cm."""
        return self.voltage * self.geometry.field_per_volt

    def replicates(self, rng: np.random.Generator, count: int, block: int) -> np.ndarray:
        """Redraw the noise of the mean cycle by a moving-block bootstrap of the residuals, shape (count, n).

        Blocks keep any correlation that the noise has over ``block`` samples; the drift is removed from every
        replicate as from the data. Künsch, doi 10.1214/aos/1176347265.
        """
        flat = self.residual.ravel()
        flat = np.concatenate([flat, flat[:block]])
        pieces = -(-self.residual.size // block)
        starts = rng.integers(0, self.residual.size, (count, pieces))
        drawn = flat[starts[..., None] + np.arange(block)].reshape(count, -1)[:, : self.residual.size]
        return _mean_cycle(drawn.reshape(count, *self.residual.shape))


def cycles_of(measurement: Measurement) -> list[Cycle]:
    """Return the loops of a file: one for each of its tables, or the mean of a recorded train of cycles."""
    geometries = [geometry_of(measurement, table) for table in measurement.regions.values()]
    if isinstance(geometries[0], Geometry) or "frequency" in measurement.conditions:
        return [fold(measurement, geometries[0])]
    tables = zip(geometries, measurement.regions.items(), strict=True)
    return [single(measurement, geometry, region, table) for geometry, (region, table) in tables]


def single(measurement: Measurement, geometry: Geometry | Capacitor, region: str, data: xr.Dataset) -> Cycle:
    """Take the one cycle of a table as it was recorded.

    Where the tester gives several loops, the first one is taken, which is continuous.

    The noise is that of the third differences of the current, which is smooth except where the ramp turns. Where there
    is no current, it is derived from the polarization of the tester.

    Raises
    ------
    AnalysisError
        If the table holds no loop.
    """
    label = f"{measurement.id}: {region}"
    source = "current" if "current" in data else "polarization"
    if not {"time", "voltage", source} <= set(data.variables):
        held = ", ".join(str(name) for name in data.data_vars if not str(name).endswith("_uncertainty"))
        raise AnalysisError(f"{label} holds {held}; a loop needs voltage and current or polarization against time")
    data = data.isel(loop=0) if "loop" in data.dims else data
    time, voltage, values = (
        readings(data[name], unit)
        for name, unit in (("time", "s"), ("voltage", "V"), (source, {"current": "A"}.get(source, "C/cm^2")))
    )
    if np.ptp(voltage) <= CONSTANT * np.abs(voltage).max():
        raise AnalysisError(f"{label} holds a constant voltage of {np.median(voltage):.4g} V, not a loop")
    turns = len(turning_points(voltage)) - 2
    if turns > 2 or len(time) <= LEAST_PERIOD:
        raise AnalysisError(
            f"{label} is not one loop (two turns of the voltage, more than {LEAST_PERIOD} samples): it turns {turns} "
            f"times in {len(time)} samples"
        )
    current = values if source == "current" else np.gradient(values, time) * geometry.area
    _refuse_constant(label, current)
    step = (time[-1] - time[0]) / (len(time) - 1)
    # A loop ends where it began; its remanence is the state that the field left, not the one that it found.
    current, voltage = current[1:], voltage[1:]
    noise = sample_noise(np.concatenate([current, current[:3]]))
    opening = float(current.mean())
    return Cycle(
        measurement,
        geometry,
        1 / (step * len(current)),
        np.arange(len(current)) * step,
        voltage,
        current - opening,
        np.resize(noise - noise.mean(), len(current))[None],
        f"P {'= integral of I dt / A' if source == 'current' else 'of the tester'} of one cycle, not closed; bootstrap "
        "of the noise of single samples",
        data.attrs.get("remark", ""),
        region,
        opening,
    )


def sample_noise(current: np.ndarray) -> np.ndarray:
    """Return draws of the noise of a sample in A, from third differences of a current that is smooth between turns."""
    third = np.diff(current, 3) / np.sqrt(20)
    # Every fourth is taken, because these have no sample in common.
    return third[np.abs(third) <= OUTLIER * np.median(np.abs(third))][::4]


def fold(measurement: Measurement, geometry: Geometry | Capacitor) -> Cycle:
    """Cut a recorded train into cycles and average them.

    Raises
    ------
    AnalysisError
        If it holds less than two whole cycles, from which noise and drift could not be told from switching; if its
        voltage does not repeat at the frequency of the sheet; or if its current is constant.
    """
    data = measurement.only
    if "time" not in data.coords or not {"voltage", "current"} <= set(data.data_vars):
        raise AnalysisError(f"{measurement.id}: needs voltage and current against time")
    frequency = frequency_of(measurement)
    time = readings(data["time"], "s")
    step = float(np.median(np.diff(time)))
    period = round(1 / frequency / step)
    cycles = len(time) // max(period, 1)
    if cycles < 2 or period < LEAST_PERIOD:
        raise AnalysisError(
            f"{measurement.id}: {len(time)} samples of {step:.4g} s hold {len(time) * step * frequency:.2f} cycles of "
            f"{frequency:g} Hz; at least 2 cycles of {LEAST_PERIOD} samples are needed"
        )
    voltage, current = (
        readings(data[name], unit)[: cycles * period].reshape(cycles, period)
        for name, unit in (("voltage", "V"), ("current", "A"))
    )
    if not (np.isfinite(voltage).all() and np.isfinite(current).all()):
        raise AnalysisError(f"{measurement.id}: voltage or current has missing values")
    _refuse_constant(measurement.id, current)
    _refuse_unrepeated(measurement.id, voltage, frequency, step)
    mean = _mean_cycle(current)
    deviation = current - mean - _drift(current)
    deviation -= deviation.mean()
    # The mean contains one part in ``cycles`` of the noise of each cycle.
    residual = deviation * np.sqrt(cycles / (cycles - 1))
    return Cycle(
        measurement,
        geometry,
        frequency,
        np.arange(period) * step,
        voltage.mean(axis=0),
        mean,
        residual,
        "P = integral of I dt / A; block bootstrap of the current's noise",
        data.attrs.get("remark", ""),
    )


def _refuse_unrepeated(name: str, voltage: np.ndarray, frequency: float, step: float) -> None:
    """Raise an `AnalysisError` if a voltage of shape (cycles, n) does not repeat at its frequency in Hz."""
    turns = len(turning_points(voltage.ravel())) - 2
    scatter, noise = np.std(voltage - voltage.mean(axis=0)), np.std(np.diff(voltage, 3)) / np.sqrt(20)
    # A cycle has two turns; one of a train that begins with a turn is at its ends.
    if abs(turns - 2 * len(voltage)) > 1 or scatter > max(REPEATED_VOLTAGE * np.abs(voltage).max(), 2 * noise):
        raise AnalysisError(
            f"{name}: the voltage does not repeat at the {frequency:g} Hz of the sheet: it turns {turns} "
            f"times in {voltage.size * step:.4g} s (a cycle has two turns), and cycles of that length differ by "
            f"{scatter:.3g} V (standard deviation); correct 'frequency'"
        )


def _refuse_constant(label: str, current: np.ndarray) -> None:
    if not np.ptp(current):
        raise AnalysisError(f"{label}: the current is {current.flat[0]:.4g} A throughout; was the device connected?")


def _drift(current: np.ndarray) -> np.ndarray:
    """Return the straight line through the means of the cycles, minus its mean; shape (..., cycles, n)."""
    cycles, samples = current.shape[-2:]
    number = np.arange(cycles) - (cycles - 1) / 2
    slope = (current.mean(axis=-1) @ number) / (number @ number or 1.0) / samples  # one cycle shows no drift
    position = np.arange(cycles * samples).reshape(cycles, samples) - (cycles * samples - 1) / 2
    return slope[..., None, None] * position


def _mean_cycle(current: np.ndarray) -> np.ndarray:
    """Average cycles of shape (..., cycles, n) without drift and offset; a periodic P causes neither."""
    mean = (current - _drift(current)).mean(axis=-2)
    return mean - mean.mean(axis=-1, keepdims=True)
