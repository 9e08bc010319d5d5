"""From a recorded train of cycles to the mean cycle, and what of its current is not switching.

The current through a flake is I = A dP/dt + C dV/dt + G V + G3 V³ + I0 + drift. Past the switching fields P is
saturated, so there the rest can be fitted: C from the step of the current where the ramp turns, G from its odd part.
The offset follows from P being periodic: the mean of the current over a period is I0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.signal import savgol_filter

from relaxor.capacitor import PLATES, Capacitor, plates
from relaxor.data import Measurement
from relaxor.errors import AnalysisError
from relaxor.sweeps.cycles import clipped_points, turning_points
from relaxor.units import factor

BACKGROUNDS = {
    "capacitance": ("capacitance",),
    "ohmic": ("capacitance", "conductance"),
    "ohmic_cubic": ("capacitance", "conductance", "conductance_cubic"),
}
"""Competing models of what is not switching, with their parameters."""
UNITS = {"capacitance": "F", "conductance": "S", "conductance_cubic": "S/V^2"}
TURN = 0.985
"""Fraction of the amplitude beyond which samples are left out: the turn of the ramp is rounded."""
RAMP_SMOOTHING = 51
"""Samples over which the slope of the ramp is averaged."""
TOLERANCE = 0.05
"""Relative difference between what a file states and what sheet or columns say that still counts as rounding."""
AXES = {"time": "s", "voltage": "V", "current": "A"}
REPEATED = 1e-4
"""Relative change of a current from sample to sample that an amplifier at its limit may show."""
NEARLY = 0.1
"""Part of a current that may not be constant, and of its energy that may be lost, in a capacitor."""
CONSTANT = 0.01
"""Range of a voltage, relative to its largest, below which it is constant."""
LEAST_PERIOD = 40
"""Fewest samples of a cycle."""
REPEATED_VOLTAGE = 0.01
"""Scatter of the voltage about its mean cycle, relative to its largest, up to which it repeats."""
ROUNDING = 1e-12
"""Noise, relative to the largest current, that is only that of our arithmetic."""
OUTLIER = 5.0
"""Third differences beyond so many of their median magnitudes are turns of the ramp, not noise."""


@dataclass(frozen=True)
class Geometry:
    """The lateral device: polarization is charge per cross-section, field is voltage per gap.

    Attributes
    ----------
    thickness, width, gap
        nm, µm, µm.
    """

    thickness: float
    width: float
    gap: float

    @classmethod
    def of(cls, measurement: Measurement) -> "Geometry":
        """Take the geometry from the sheet, and refuse a file whose own area or gap contradicts it."""
        geometry = cls(
            measurement.condition("thickness", "nm"),
            measurement.condition("width", "um"),
            measurement.condition("gap", "um"),
        )
        _refuse_contradiction(measurement, "area", geometry.area, "cm^2", "thickness times width of the sheet")
        _refuse_contradiction(measurement, "gap", geometry.gap, "um", "that of the sheet")
        return geometry

    @property
    def area(self) -> float:
        """Cross-section in cm²: the current flows in the plane of the flake."""
        return self.thickness * 1e-7 * self.width * 1e-4

    @property
    def field_per_volt(self) -> float:
        """kV/cm per V."""
        return 10 / self.gap

    def relative_errors(self, thickness: float, width: float, gap: float) -> tuple[float, float]:
        """Return those of area and field from the standard uncertainties of the lengths (nm, µm, µm)."""
        return float(np.hypot(thickness / self.thickness, width / self.width)), gap / self.gap


def _refuse_contradiction(measurement: Measurement, name: str, known: float, unit: str, source: str) -> None:
    """Refuse a file whose header states another value than is known from ``source``; many files state none."""
    data = next(iter(measurement.regions.values()))
    if name not in data or data[name].ndim:
        return
    stated = float(data[name]) * factor(data[name].attrs["units"], unit)
    if abs(stated - known) > TOLERANCE * known:
        raise AnalysisError(
            f"{measurement.id}: the file's {name} is {stated:.4g} {unit}, {source} {known:.4g} {unit}; make sure that "
            "sheet, header and columns are of one measurement"
        )


def frequency_of(measurement: Measurement) -> float:
    """Take the frequency (Hz) from the sheet, and refuse a file that states another."""
    frequency = measurement.condition("frequency", "Hz")
    _refuse_contradiction(measurement, "frequency", frequency, "Hz", "that of the sheet")
    return frequency


def named(measurement: Measurement) -> Measurement:
    """Call the first column of each kind ``time``, ``voltage`` and ``current``, whatever the instrument calls it.

    A current that is counted against its voltage is turned, for a device takes energy up. ``remark`` says so, and
    where the current stands at its limit: its charge is not all that flowed.

    Raises
    ------
    AnalysisError
        If the voltage does not reach the amplitude that the file states.
    """
    regions = {}
    for region, data in measurement.regions.items():
        for name, unit in AXES.items():
            found = [column for column in data.variables if data[column].ndim == 1 and _is(data[column], unit)]
            data = data.rename({found[0]: name}) if found and name not in data.variables else data
        if {"voltage", "current"} <= set(data.data_vars) and _lost(data["voltage"], data["current"]) < -NEARLY:
            turned = data["current"].copy(data=-data["current"].to_numpy())
            data = data.assign(current=turned).assign_attrs(
                remark="; current turned, it was counted against the voltage"
            )
        if {"voltage", "current"} <= set(data.data_vars) and data["voltage"].dims == data["current"].dims:
            rows = (np.atleast_2d(data[name].to_numpy()) for name in ("voltage", "current"))
            if limit := max(map(_limit, *rows)):
                unit = data["current"].attrs["units"]
                remark = f"; the current stands at a limit, {limit:.3g} {unit}: charge is missing"
                data = data.assign_attrs(remark=data.attrs.get("remark", "") + remark)
        regions[region] = data
    measurement = replace(measurement, regions=regions)
    data = next(iter(regions.values()))
    if "voltage" in data:
        largest = float(np.abs(data["voltage"]).max()) * factor(data["voltage"].attrs["units"], "V")
        _refuse_contradiction(measurement, "amplitude", largest, "V", "the largest voltage of its column")
    return measurement


def _limit(voltage: np.ndarray, current: np.ndarray) -> float:
    """Return the magnitude at which the amplifier held a current, 0 where it did not.

    A current that is constant nearly throughout and takes no energy up is that of a capacitor under a ramp.
    """
    clipped = clipped_points(voltage, current, REPEATED)
    if not clipped.any():
        return 0.0
    limit = float(np.abs(current[clipped]).max())
    constant = float(np.mean(np.abs(np.abs(current) - limit) < NEARLY * limit))
    return 0.0 if constant > 1 - NEARLY and abs(_lost(voltage, current)) < NEARLY else limit


def _lost(voltage: np.ndarray | xr.DataArray, current: np.ndarray | xr.DataArray) -> float:
    """Return the part of the energy that goes to and fro which a device keeps; negative where it gives energy away."""
    power = voltage * current
    return float(power.sum() / (np.abs(power).sum() or 1.0))


def _is(column: xr.DataArray, unit: str) -> bool:
    try:
        return factor(column.attrs.get("units", "1"), unit) > 0
    except ValueError:
        return False


def geometry_of(measurement: Measurement, table: xr.Dataset) -> Geometry | Capacitor:
    """Take the geometry from the sheet, or of a capacitor from the tester's table; what the sheet says goes first."""
    known = plates(table)
    if {"width", "gap"} & measurement.conditions.keys() or not (known or "area" in measurement.conditions):
        return Geometry.of(measurement)
    return Capacitor(
        **{name: measurement.condition(name, unit, getattr(known, name, None)) for name, unit in PLATES.items()}
    )


@dataclass(frozen=True)
class Cycle:
    """The mean of the recorded cycles, and their noise.

    Attributes
    ----------
    measurement
        Where it comes from.
    geometry
        Of its device.
    frequency
        Hz.
    time, voltage, current
        One period, shape (n,); s, V, A. The current has no drift and no offset.
    residual
        Deviations of the single cycles from their mean, shape (cycles, n), scaled to the noise of a sample, A.
    method
        How the current was obtained and what its errors stand for.
    remark
        What is to be said of the current beside that; see `named`.
    region
        The table of its file, of a capacitor; its models are named after it.
    opening
        Mean current of a single cycle, A: it need not close, for nobody knows its drift from its switching.
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

    def named(self, model: str) -> str:
        """Return the name of a model, with the table that it is of."""
        return f"{model}_{self.region}" if self.region else model

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

        Blocks keep whatever correlation the noise has over ``block`` samples; the drift is removed from every
        replicate as it was from the data. Künsch, doi 10.1214/aos/1176347265.
        """
        flat = self.residual.ravel()
        flat = np.concatenate([flat, flat[:block]])
        pieces = -(-self.residual.size // block)
        starts = rng.integers(0, self.residual.size, (count, pieces))
        drawn = flat[starts[..., None] + np.arange(block)].reshape(count, -1)[:, : self.residual.size]
        return _mean_cycle(drawn.reshape(count, *self.residual.shape))


def cycles_of(measurement: Measurement) -> list[Cycle]:
    """Return the loops of a file: one of each of its tables, or the mean of a recorded train of cycles."""
    geometries = [geometry_of(measurement, table) for table in measurement.regions.values()]
    if isinstance(geometries[0], Geometry) or "frequency" in measurement.conditions:
        return [fold(measurement, geometries[0])]
    tables = zip(geometries, measurement.regions.items(), strict=True)
    return [single(measurement, geometry, region, table) for geometry, (region, table) in tables]


def single(measurement: Measurement, geometry: Geometry | Capacitor, region: str, data: xr.Dataset) -> Cycle:
    """Take the one cycle of a table as it was recorded: the first, continuous loop where the tester gives several.

    The noise is that of the third differences of the current, which is smooth but where the ramp turns. Without a
    current, that of the tester's polarization stands for it.

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
        data[name].to_numpy() * factor(data[name].attrs["units"], unit)
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
    # A loop ends where it began; what the field left at its end counts, not the state that it found.
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
    """Return draws of the noise of a sample, A: third differences of a current that is smooth between the turns."""
    third = np.diff(current, 3) / np.sqrt(20)
    return third[np.abs(third) <= OUTLIER * np.median(np.abs(third))][::4]  # every fourth: those share no sample


def fold(measurement: Measurement, geometry: Geometry | Capacitor) -> Cycle:
    """Cut a recorded train into cycles and average them.

    Raises
    ------
    AnalysisError
        If it holds less than two whole cycles: noise and drift could not be told from switching. If its voltage does
        not repeat at the frequency of the sheet, or its current is constant.
    """
    data = measurement.only
    if "time" not in data.coords or not {"voltage", "current"} <= set(data.data_vars):
        raise AnalysisError(f"{measurement.id}: needs voltage and current against time")
    frequency = frequency_of(measurement)
    time = data["time"].to_numpy() * factor(data["time"].attrs["units"], "s")
    step = float(np.median(np.diff(time)))
    period = round(1 / frequency / step)
    cycles = len(time) // max(period, 1)
    if cycles < 2 or period < LEAST_PERIOD:
        raise AnalysisError(
            f"{measurement.id}: {len(time)} samples of {step:.4g} s hold {len(time) * step * frequency:.2f} cycles of "
            f"{frequency:g} Hz; at least 2 cycles of {LEAST_PERIOD} samples are needed"
        )
    voltage, current = (
        (data[name].to_numpy() * factor(data[name].attrs["units"], unit))[: cycles * period].reshape(cycles, period)
        for name, unit in (("voltage", "V"), ("current", "A"))
    )
    if not (np.isfinite(voltage).all() and np.isfinite(current).all()):
        raise AnalysisError(f"{measurement.id}: voltage or current has missing values")
    _refuse_constant(measurement.id, current)
    turns = len(turning_points(voltage.ravel())) - 2
    scatter, noise = np.std(voltage - voltage.mean(axis=0)), np.std(np.diff(voltage, 3)) / np.sqrt(20)
    # A cycle has two turns; one of a train that begins with a turn is at its ends.
    if abs(turns - 2 * cycles) > 1 or scatter > max(REPEATED_VOLTAGE * np.abs(voltage).max(), 2 * noise):
        raise AnalysisError(
            f"{measurement.id}: the voltage does not repeat at the {frequency:g} Hz of the sheet: it turns {turns} "
            f"times in {cycles * period * step:.4g} s (a cycle has two turns), and cycles of that length differ by "
            f"{scatter:.3g} V (standard deviation); correct 'frequency'"
        )
    mean = _mean_cycle(current)
    deviation = current - mean - _drift(current)
    deviation -= deviation.mean()
    # The mean has taken one part in ``cycles`` of the noise away.
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


def _refuse_constant(label: str, current: np.ndarray) -> None:
    if not np.ptp(current):
        raise AnalysisError(f"{label}: the current is {current.flat[0]:.4g} A throughout; was the device connected?")


def _drift(current: np.ndarray) -> np.ndarray:
    """Return the straight line through the means of the cycles, without its mean; shape (..., cycles, n)."""
    cycles, samples = current.shape[-2:]
    number = np.arange(cycles) - (cycles - 1) / 2
    slope = (current.mean(axis=-1) @ number) / (number @ number or 1.0) / samples  # one cycle shows no drift
    position = np.arange(cycles * samples).reshape(cycles, samples) - (cycles * samples - 1) / 2
    return slope[..., None, None] * position


def _mean_cycle(current: np.ndarray) -> np.ndarray:
    """Average cycles, shape (..., cycles, n), without drift and offset: P is periodic, so ∮I dt belongs to neither."""
    mean = (current - _drift(current)).mean(axis=-2)
    return mean - mean.mean(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Background:
    """Capacitance and conductances of a device, with replicates for the bootstrap.

    Attributes
    ----------
    values
        Shape (3,): C (F), G (S), G3 (S/V²).
    replicates
        Shape (b, 3).
    chi_square, n
        Of the fit in the saturated parts.
    """

    names: tuple[str, ...]
    values: np.ndarray
    replicates: np.ndarray
    chi_square: float
    n: int

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample term, for residuals of known scale."""
        k = len(self.names)
        return self.chi_square + 2 * k + 2 * k * (k + 1) / (self.n - k - 1)


def saturated(cycle: Cycle, rising: float, falling: float) -> np.ndarray:
    """Mark the samples beyond the switching fields.

    Parameters
    ----------
    rising, falling
        Fractions of the amplitude beyond which P no longer changes while the field grows, and while it shrinks.
    """
    level = np.abs(cycle.field) / np.abs(cycle.field).max()
    growing = np.gradient(cycle.voltage) * cycle.voltage > 0
    return np.where(growing, level > rising, level > falling) & (level < TURN)


def fit_background(
    cycles: Sequence[Cycle], noise: Sequence[np.ndarray], model: str, *, rising: float, falling: float
) -> Background:
    """Fit one capacitance and one set of conductances to the saturated parts of all loops of a device.

    Parameters
    ----------
    cycles
        Saturating loops of one device.
    noise
        Their bootstrap replicates, each of shape (b, n).
    model
        One of `BACKGROUNDS`.
    rising, falling
        See `saturated`.

    Raises
    ------
    AnalysisError
        If a current shows no noise, or the saturated parts hold too few samples.
    """
    rows, values, drawn = [], [], []
    for cycle, replicate in zip(cycles, noise, strict=True):
        if cycle.noise <= ROUNDING * np.abs(cycle.current).max():
            raise AnalysisError(
                f"{cycle.measurement.id}: the current shows no noise, so that no error can be given: its cycles are "
                "alike to the last digit, or too few digits are written; give the cycles as they were recorded"
            )
        part = saturated(cycle, rising, falling)
        weight = 1 / cycle.noise
        rows.append(_columns(cycle, BACKGROUNDS[model])[part] * weight)
        values.append(cycle.current[part] * weight)
        drawn.append(replicate[:, part] * weight)
    matrix, data = np.concatenate(rows), np.concatenate(values)
    if len(data) <= 2 * matrix.shape[1]:
        names = ", ".join(cycle.measurement.id for cycle in cycles)
        raise AnalysisError(f"{names}: {len(data)} samples in the saturated parts; too few to fit the background")
    scale = np.linalg.norm(matrix, axis=0)
    solve = np.linalg.pinv(matrix / scale) / scale[:, None]
    solution = solve @ data
    count = matrix.shape[1]
    full = np.zeros(3)
    full[:count] = solution
    replicates = np.zeros((len(drawn[0]), 3))
    replicates[:, :count] = full[:count] + np.concatenate(drawn, axis=1) @ solve.T
    residual = data - matrix @ solution
    return Background(BACKGROUNDS[model], full, replicates, float(residual @ residual), len(data))


def _columns(cycle: Cycle, names: tuple[str, ...]) -> np.ndarray:
    """Return dV/dt, V and V³ of a period, without their means, shape (n, parameters)."""
    voltage = cycle.voltage
    rate = np.empty_like(voltage)
    first, turn = int(np.argmin(voltage)), int(np.argmax(voltage))
    # Noise of the read-back voltage is no displacement current: the ramp is smoothed, but not across its turns.
    for start, stop in ((first, turn), (turn, first)):
        branch = np.arange(start, stop if stop > start else stop + len(voltage)) % len(voltage)
        length = min(RAMP_SMOOTHING, len(branch) - 1 + len(branch) % 2)
        rate[branch] = savgol_filter(voltage[branch], length, 2, deriv=1, delta=cycle.time[1] - cycle.time[0])
    for corner in (first, turn):  # the sample at a turn is a mean of both sides, in the current as here
        rate[corner] = (rate[corner - 1] + rate[(corner + 1) % len(rate)]) / 2
    columns = np.stack([rate, voltage, voltage**3][: len(names)], axis=-1)
    return columns - columns.mean(axis=0)


def switching_current(cycle: Cycle, current: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Subtract the background from a mean cycle: A dP/dt.

    Parameters
    ----------
    current
        Shape (..., n), A.
    background
        Shape (..., 3): C, G, G3.
    """
    return current - background @ _columns(cycle, BACKGROUNDS["ohmic_cubic"]).T
