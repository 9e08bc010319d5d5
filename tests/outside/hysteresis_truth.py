"""Forward models of devices under a triangular voltage or a train of pulses, without anything of relaxor's simulator.

The charge is that of a polarization whose branches are written down, of a capacitance and of a leakage; the current is
its derivative by finite differences. Energies are sums over the same branches on a fine grid.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy.special import expit, ndtr

Curve = Callable[[np.ndarray], np.ndarray]
THICKNESS, WIDTH, GAP = 8.0, 20.0, 2.0
"""Of the device, nm, µm, µm."""
AREA = THICKNESS * 1e-7 * WIDTH * 1e-4
"""Cross-section, cm²."""
VOLUME = AREA * GAP * 1e-4
"""Between the electrodes, cm³."""
FIELD = 10 / GAP
"""Field of one volt, kV/cm."""


@dataclass(frozen=True)
class Device:
    """A device: P of the rising branch in µC/cm² against kV/cm, stored charge in C and leakage in A against V.

    The falling branch is the rising one turned by 180 degrees. ``series`` is a resistor before the device, ohm, which
    delays the charge.
    """

    rising: Curve
    dielectric: Curve = field(default=lambda volt: 1.5e-15 * volt)
    leakage: Curve = field(default=lambda volt: 2e-13 * volt + 1.2e-16 * volt**3)
    amplitude: float = 22.0
    frequency: float = 100.0
    noise: float = 0.08e-12
    cycles: int = 3
    samples: int = 800
    series: float = 0.0

    def polarization(self, volt: np.ndarray, up: np.ndarray) -> np.ndarray:
        """P at voltages on the branches, µC/cm², with tips at opposite polarizations."""
        end = np.array([self.amplitude * FIELD])
        shift = (self.rising(end) + self.rising(-end)) / 2
        return np.where(up, self.rising(volt * FIELD) - shift, shift - self.rising(-volt * FIELD))

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The recorded train of cycles, with noise, offset and drift."""
        step = 1 / self.frequency / self.samples
        time = np.arange(self.cycles * self.samples) * step
        edge = np.append(time, time[-1] + step) - step / 2
        volt, up = _triangle(edge * self.frequency, self.amplitude)
        charge = AREA * 1e-6 * self.polarization(volt, up) + self.dielectric(volt)
        now, _ = _triangle(time * self.frequency, self.amplitude)
        delay = self.series * float(np.ptp(charge) / np.ptp(volt))
        charge = _delayed(charge, delay / step) if delay else charge
        current = np.diff(charge) / step + self.leakage(now)
        current += rng.normal(0, self.noise, time.size) + rng.normal(0, 3e-13) + 1e-13 * time / time[-1]
        return _measurement(time, now + rng.normal(0, 1e-3, now.size), current, frequency=(self.frequency, "Hz"))

    def truth(self) -> dict[tuple[str, str, str], float]:
        """The numbers of the switching part and of the charge without leakage."""
        volt = np.linspace(-self.amplitude, self.amplitude, 40001)
        switching = [self.polarization(volt, np.full(volt.size, up)) for up in (True, False)]
        charge = [branch + self.dielectric(volt) / AREA * 1e6 for branch in switching]
        stored, recovered = _energies(volt * FIELD, *switching)
        total, recoverable = _energies(volt * FIELD, *charge)
        middle = volt.size // 2
        return {
            ("corrected", "maximum_polarization", ""): switching[0][-1],
            ("corrected", "remanent_polarization_positive", ""): switching[1][middle],
            ("corrected", "switching_recovered_energy_density", ""): recovered,
            ("corrected", "switching_efficiency", ""): recovered / stored if stored else np.nan,
            ("corrected", "cycle_loss_energy_density", ""): 2 * (stored - recovered),
            ("leakage_removed", "recoverable_energy_density", ""): recoverable,
            ("leakage_removed", "efficiency", ""): recoverable / total,
            ("leakage_removed", "cycle_loss_energy_density", ""): 2 * (total - recoverable),
        }


def _energies(electric: np.ndarray, up: np.ndarray, down: np.ndarray) -> tuple[float, float]:
    """Stored and recoverable energy density, mean of both polarities, mJ/cm³."""
    positive = electric >= 0
    work = [
        sign * np.trapezoid(electric[part], branch[part])
        for part in (positive, ~positive)
        for sign, branch in ((1, up), (-1, down))
    ]
    plus_load, plus_unload, minus_unload, minus_load = work[0], -work[1], -work[2], work[3]
    return (plus_load + minus_load) / 2, (plus_unload + minus_unload) / 2


def _triangle(phase: np.ndarray, amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    turn = (phase + 0.25) % 1
    return amplitude * (1 - 4 * np.abs(turn - 0.5)), turn < 0.5


def _measurement(time: np.ndarray, volt: np.ndarray, current: np.ndarray, **conditions) -> Measurement:
    table = xr.Dataset(
        {"voltage": ("time", volt, {"units": "V"}), "current": ("time", current, {"units": "A"})},
        {"time": ("time", time, {"units": "s"})},
    )
    attrs = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated"}
    known = {"thickness": (THICKNESS, "nm"), "width": (WIDTH, "um"), "gap": (GAP, "um")}
    return Measurement("outside", attrs, known | conditions, {"outside": table})


def _delayed(values: np.ndarray, steps: float) -> np.ndarray:
    """Values behind a low pass of the first order with a time constant in steps."""
    kept, found = np.exp(-1 / steps), values.copy()
    for place in range(1, values.size):
        found[place] = kept * found[place - 1] + (1 - kept) * values[place]
    return found


def antiferroelectric(forward: float, backward: float, width: float = 9.0, back_width: float = 12.0) -> Curve:
    """P of 4 µC/cm² that appears at one field and vanishes at another, both normally distributed (kV/cm)."""
    return lambda e: 4 * (ndtr((e - forward) / width) - ndtr((-e - backward) / back_width))


def langevin(e: np.ndarray) -> np.ndarray:
    """Lossless polarization of free dipoles: 4 µC/cm² times coth x − 1/x with x = E/(40 kV/cm)."""
    x = np.where(np.abs(e) < 1e-3, 1e-3, e) / 40
    return 4 * (1 / np.tanh(x) - 1 / x)


def ferroelectric(coercive: float, width: float) -> Curve:
    """P of 4 µC/cm² that switches at a distributed coercive field (kV/cm), logistic."""
    return lambda e: 4 * (2 * expit(1.7 * (e - coercive) / width) - 1)


def nothing(e: np.ndarray) -> np.ndarray:
    """No polarization at all, as of a linear capacitor."""
    return 0 * e


def johnson(volt: np.ndarray) -> np.ndarray:
    """Charge of the capacitance 1.5 fF/(1 + (V/8 V)²)^(1/3), C, by sums."""
    grid = np.linspace(-30, 30, 60001)
    small = 1.5e-15 / (1 + (grid / 8) ** 2) ** (1 / 3)
    charge = np.cumsum(small) * (grid[1] - grid[0])
    return np.interp(volt, grid, charge - charge[grid.size // 2])


@dataclass(frozen=True)
class Train:
    """Flat-topped pulses P, U, N, D on a capacitor of 4e-6 cm² and 10 nm, as a pulse generator applies them.

    ``switched`` in µC/cm² moves in the edge of P and back in that of N; ``conductance`` in S; ``lag`` is the part of
    the charge that flows in the rests after a pulse; ``sag`` the relative voltage that the first pulse of a pair lacks;
    ``series`` a resistor before the capacitor, ohm.
    """

    switched: float = 16.4
    conductance: float = 0.0
    lag: float = 0.0
    sag: float = 0.0
    noise: float = 2e-6
    limit: float = np.inf
    series: float = 0.0

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The recorded train."""
        step, area = 5e-9, 4e-6
        shape = np.concatenate([np.linspace(0, 1, 201), np.ones(220), np.linspace(1, 0, 201), np.zeros(178)])
        volt, charge = [np.zeros(200)], [np.zeros(200)]
        for number, sign in enumerate((1, 1, -1, -1)):
            first = number % 2 == 0
            pulse = 3 * sign * shape * (1 - self.sag * first)
            moved = sign * self.switched * 1e-6 * area * np.clip(2 * np.linspace(0, 800 / 201, 800) - 1, 0, 1) * first
            slow = self.lag * sign * 1e-12 * 20 * (1 - np.exp(-np.linspace(0, 800 / 300, 800)))
            charge.append(charge[-1][-1] + moved + 2.5e-11 / 3 * pulse + slow)
            volt.append(pulse)
        voltage, stored = np.concatenate(volt), np.concatenate(charge)
        stored = _delayed(stored, self.series * 2.5e-11 / 3 / step) if self.series else stored
        current = np.diff(stored, prepend=0.0) / step + self.conductance * voltage
        current = np.clip(current + rng.normal(0, self.noise, current.size), -self.limit, self.limit)
        seen = voltage + rng.normal(0, 0.015, voltage.size)
        table = _measurement(step * np.arange(voltage.size), seen, current)
        plates = {"area": (area, "cm^2"), "thickness": (10.0, "nm")}
        return Measurement(table.id, table.attrs, plates, table.regions)

    def truth(self) -> dict[tuple[str, str, str], float]:
        """What the pulses switch."""
        names = ("switched_polarization_difference_positive", "switched_polarization_difference_negative")
        return {("pund", name, ""): self.switched for name in names}


@dataclass(frozen=True)
class Runs:
    """Trains that were saved one after the other in one workbook, each a run of its own."""

    trains: tuple[Train, ...]

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The workbook."""
        each = [train.measured(rng) for train in self.trains]
        regions = {f"Append{number}" if number else "Data": one.only for number, one in enumerate(each)}
        return Measurement(each[0].id, each[0].attrs, each[0].conditions, regions)

    def truth(self) -> dict[tuple[str, str, str], float]:
        """What each run switches."""
        names = [f"Append{number}" if number else "Data" for number in range(len(self.trains))]
        return {
            ("pund", name, run): value
            for run, train in zip(names, self.trains, strict=True)
            for (_, name, _), value in train.truth().items()
        }
