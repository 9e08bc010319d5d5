"""One stochastic device behind the sweeps, the pulses and the light of the sample data.

Electrical: the device has two sides, one for each direction of the current, as a flake between two contacts has. The
conductance in a direction is the sum of a floor, a polarization part p, which the field along it writes and which a
long read erases only in part, and two kinds of traps, which fill under the field and empty with their own times after
it (the field holds them while it is on). A field fills what is left of its own side, x → 1 − (1 − x) e^−κ, and empties
the other side, x → x e^−κ'; κ and κ' grow with voltage and time. Nothing is written up to the read voltage. The current
at a voltage is the conductance of its side times a hyperbolic sine of the voltage. It varies a little from run to run,
and the part that can be written grows slowly with use (wake-up).

Optical: two populations of carriers fill under light at a rate ∝ P^α and empty with their own times, and a prompt
photocurrent follows the light.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from relaxor.core.section import Section, setting

READ_NOISE = 0.012
"""White noise of the current, pA per sample: 4200 with preamplifier, 10 ms aperture."""
LIGHT_NOISE = 0.030
"""White noise of the current under light, pA per sample."""


class Trap(Section):
    """A kind of traps that the field fills."""

    current: float = setting(..., "pA")
    """Read current when all of them are full."""
    filling: float
    """κ in a pulse of reference."""
    time: float = setting(..., "s")
    """Time in which they empty."""


class Population(Section):
    """A kind of carriers that light brings."""

    current: float = setting(..., "pA")
    """Current when all traps are full."""
    rate: float = setting(..., "1/s")
    """Rate of filling at the power of reference."""
    time: float = setting(..., "s")
    """Time in which they empty."""


class OpticalResponse(Section):
    """The device under light."""

    dark: float = setting(..., "pA")
    """Dark current at the read voltage."""
    prompt: float = setting(..., "pA")
    """Prompt photocurrent at the power of reference."""
    power: float = setting(..., "mW/cm^2")
    """Power density of reference."""
    populations: list[Population]
    """Kinds of carriers, the fastest first."""
    exponent: float
    """Exponent of the power in the rates and in the prompt current."""
    colors: dict[int, float]
    """Wavelength in nm → response to the same power, relative to the first wavelength."""
    variation: float
    """Relative variation of the response from run to run."""
    drift: float = setting(..., "pA/s")
    """Drift of the current in the dark."""


class Device(Section):
    """What the device is; a pulse of reference has the voltage and the width that the constants are given for."""

    read_voltage: float = setting(..., "V")
    """Voltage of a read, which writes nothing."""
    sinh_voltage: float = setting(..., "V")
    """Scale of the nonlinear current."""
    floor: float = setting(..., "pA")
    """Read current without polarization."""
    span: float = setting(..., "pA")
    """Read current that the whole polarization adds."""
    kept_share: float
    """Part of the polarization that stays for good."""
    polarization_time: float = setting(..., "s")
    """Time in which the rest of the polarization switches back."""
    voltage: float = setting(..., "V")
    """Voltage of a pulse of reference."""
    width: float = setting(..., "s")
    """Width of a pulse of reference."""
    filling: float
    """κ of the polarization in a pulse of reference."""
    emptying: float
    """κ' of the polarization of the other side in a pulse of the emptying voltage."""
    emptying_voltage: float = setting(..., "V")
    """Voltage that the emptying is given for."""
    traps: list[Trap]
    """Kinds of traps, the fastest first."""
    width_exponent: float
    """Exponent of the time in κ."""
    voltage_scale: float = setting(..., "V")
    """Scale of the voltage in κ ∝ exp(V / scale) − 1."""
    pulse_variation: float
    """Relative standard deviation of κ from pulse to pulse."""
    run_variation: float
    """Relative standard deviation of the current from run to run, and from cycle to cycle of potentiation."""
    wake_up: float
    """Relative growth of the span with each pulse of reference of either sign."""
    light: OpticalResponse
    """The device under light."""

    def nonlinearity(self, voltage: np.ndarray | float) -> np.ndarray:
        """Return the current at a voltage as a multiple of that at the read voltage."""
        return np.sinh(np.asarray(voltage) / self.sinh_voltage) / np.sinh(self.read_voltage / self.sinh_voltage)

    def strength(self, voltage: float) -> float:
        """Return how strongly a voltage (V, of either sign) writes, as a multiple of a pulse of reference."""
        scale = self.voltage_scale
        return float(np.expm1(abs(voltage) / scale) / np.expm1(self.voltage / scale))


@dataclass
class Synapse:
    """The electrical device in use: its state, and how voltage and time change it.

    Attributes
    ----------
    device
        What the device is.
    rng
        Source of its noise; None for a device without noise.
    kept, fading
        Parts of the polarization of either side that stay and that fade; shape (2,), positive side first.
    traps
        Filling of each kind of traps, shape (2, kinds).
    used
        Doses taken so far, in pulses of reference.
    exposure, side
        What the side that is being written has seen since the field set in, in pulses of reference; its number, −1 at
        rest.
    """

    device: Device
    rng: np.random.Generator | None = None
    kept: np.ndarray = field(default_factory=lambda: np.zeros(2))
    fading: np.ndarray = field(default_factory=lambda: np.zeros(2))
    traps: np.ndarray = field(init=False)
    used: float = 0.0
    exposure: float = 0.0
    side: int = -1

    def __post_init__(self) -> None:
        """Begin with empty traps."""
        self.traps = np.zeros((2, len(self.device.traps)))

    @property
    def span(self) -> float:
        """Read current that full polarization adds, pA."""
        return self.device.span * (1 + self.device.wake_up * self.used)

    def level(self, side: int) -> float:
        """Return the current of a side at the read voltage, pA."""
        full = [trap.current for trap in self.device.traps]
        polarization = float(self.kept[side] + self.fading[side])
        return self.device.floor + self.span * polarization + float(np.dot(full, self.traps[side]))

    def apply(self, voltage: float, seconds: float) -> None:
        """Hold a voltage above the read voltage for some time; what follows without rest continues from there."""
        device, side = self.device, int(voltage < 0)
        if side != self.side:
            self.side, self.exposure = side, 0.0
        before = self.exposure**device.width_exponent
        self.exposure += device.strength(voltage) ** (1 / device.width_exponent) * seconds / device.width
        amount = self.exposure**device.width_exponent - before
        if self.rng is not None:
            amount *= max(1 + device.pulse_variation * self.rng.standard_normal(), 0.0)
        room = (1 - self.kept[side] - self.fading[side]) * -np.expm1(-device.filling * amount)
        self.kept[side] += device.kept_share * room
        self.fading[side] += (1 - device.kept_share) * room
        self.traps[side] = 1 - (1 - self.traps[side]) * np.exp([-trap.filling * amount for trap in device.traps])
        for held in (self.kept, self.fading, self.traps):
            held[1 - side] *= np.exp(-device.emptying / device.strength(device.emptying_voltage) * amount)
        self.used += amount

    def wait(self, seconds: float) -> None:
        """Let time pass at the read voltage or below."""
        self.side = -1
        self.fading *= np.exp(-seconds / self.device.polarization_time)
        self.traps *= np.exp([-seconds / trap.time for trap in self.device.traps])

    def pulse(self, voltage: float, width: float) -> None:
        """Apply a pulse; volts, seconds."""
        self.apply(voltage, width)
        self.side = -1

    def reading(self, after: np.ndarray) -> np.ndarray:
        """Return the read current at times after now, pA, shape of ``after`` (s), as `wait` would leave it."""
        after, device = np.asarray(after, dtype=float), self.device
        polarization = self.kept[0] + self.fading[0] * np.exp(-after / device.polarization_time)
        current = device.floor + self.span * polarization
        for trap, filling in zip(device.traps, self.traps[0], strict=True):
            current = current + trap.current * filling * np.exp(-after / trap.time)
        return current


Pulse = tuple[float, float, float]
"""Voltage (V), width (s) and the time at the read voltage that follows (s)."""


@dataclass(frozen=True)
class Train:
    """Pulses of one run, and how it is recorded.

    Attributes
    ----------
    pulses
        The pulses in their order.
    step
        Interval of the samples, s; widths and times are multiples of it.
    before
        Time at the read voltage before the first pulse, s.
    """

    pulses: Sequence[Pulse]
    step: float
    before: float


Run = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Time (s), voltage (V) and current (A), shape (n,); a sample stands for the interval that it ends."""


def pulse_trace(synapse: Synapse, train: Train) -> Run:
    """Record a train of pulses on a device, which the pulses change."""
    device, step = synapse.device, train.step
    voltages, currents = [], []

    def read(seconds: float) -> None:
        times = step * (np.arange(round(seconds / step)) + 0.5)
        voltages.append(np.full(times.size, device.read_voltage))
        currents.append(synapse.reading(times))
        synapse.wait(seconds)

    read(train.before)
    for voltage, width, rest in train.pulses:
        count, side = round(width / step), int(voltage < 0)
        start = synapse.level(side)
        synapse.pulse(voltage, width)
        level = start + (synapse.level(side) - start) * (np.arange(count) + 0.5) / count
        voltages.append(np.full(count, voltage))
        currents.append(level * device.nonlinearity(voltage))
        read(rest)
    voltage_trace, current = np.concatenate(voltages), np.concatenate(currents)
    time = step * np.arange(1, current.size + 1)
    if synapse.rng is not None:
        run = 1 + device.run_variation * synapse.rng.standard_normal()
        current = run * current + READ_NOISE * synapse.rng.standard_normal(current.size)
    return time, voltage_trace, 1e-12 * current


def light_current(
    response: OpticalResponse, time: np.ndarray, edges: Sequence[tuple[float, float, float]], color: float
) -> np.ndarray:
    """Return the noiseless current under pulses of light, pA.

    Parameters
    ----------
    response
        The device under light.
    time
        s, shape (n,), increasing; a sample stands for this moment, and light that begins at it is on.
    edges
        Onset (s), width (s) and power density (mW/cm²) of each pulse, in their order.
    color
        Relative response at the wavelength.
    """
    current = np.full(time.shape, response.dark)
    # Multiples of the step are not exact: without rounding, a sample at an edge falls on either side.
    time = np.round(time, 9)
    changes = [(0.0, 0.0)]
    for onset, width, power in edges:
        changes += [(round(onset, 9), power), (round(onset + width, 9), 0.0)]
    ends = [start for start, _ in changes[1:]] + [np.inf]
    filling = np.zeros(len(response.populations))
    for (start, power), end in zip(changes, ends, strict=True):
        inside = (time >= start) & (time < end)
        strength = color * (power / response.power) ** response.exponent if power > 0 else 0.0
        current[inside] += response.prompt * strength
        for k, population in enumerate(response.populations):
            speed = population.rate * strength + 1 / population.time
            steady = population.rate * strength / speed
            gone = np.exp(-speed * (time[inside] - start))
            current[inside] += population.current * (steady + (filling[k] - steady) * gone)
            if np.isfinite(end):
                filling[k] = steady + (filling[k] - steady) * np.exp(-speed * (end - start))
    return current
