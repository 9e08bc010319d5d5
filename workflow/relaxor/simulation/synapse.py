"""One stochastic device behind the sweeps, the pulses and the light of the sample data.

Electrical: it has two sides, one for each direction of the current, as a flake between two contacts has. The
conductance in a direction is a floor, a polarization part p that the field along it writes and a long read only partly
forgets, and two kinds of traps that fill under the field and empty with their own times once it is off (it holds them
while it is on). A field fills what is left of its own side, x → 1 − (1 − x) e^−κ, and empties the other side,
x → x e^−κ', κ and κ' growing with voltage and time. Up to the read voltage nothing is written. The current at a voltage
is the conductance of its side times a hyperbolic sine of the voltage; it varies a little from run to run, and what can
be written grows slowly with use (wake-up). Optical: two populations of carriers fill under light at a rate ∝ P^α and
empty with their own times; a prompt photocurrent follows the light. Numbers are the paper's where it has them: 5 V,
100 ms pulses, PPF 176 % at 10 ms and 156 % at 2 s, on/off over 100, 11.7 pJ; light: PPF 108 % at 0.1 s, 0.88 pJ at
0.5 V; the rest is plausible for a leaky flake and commented.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

READ_VOLTAGE = 0.5
"""Volts (paper)."""
SINH_VOLTAGE = 3.11
"""Scale of the nonlinear current, V: makes the first 5 V pulse draw 23.4 pA on average (11.7 pJ of the paper)."""
FLOOR, SPAN = 0.20, 40.0
"""Read current without and with full polarization, pA at 0.5 V: on/off above 100."""
KEPT_SHARE, POLARIZATION_TIME = 0.70, 300.0
"""Part of the polarization that stays for good; seconds in which the rest goes (back-switching)."""
FILL, EMPTY = 0.040, 0.130
"""κ of the polarization in a pulse of +5 V, and of its loss in one of −3 V, 100 ms."""
TRAPS = ((1.37, 0.64, 0.080), (1.137, 0.64, 0.700))
"""Of each kind of trap: read current when full (pA), κ in a pulse of 5 V and 100 ms, time (s)."""
WIDTH_EXPONENT, VOLTAGE_SCALE = 0.8, 1.6
"""κ ∝ time^0.8 and ∝ exp(V / 1.6 V) − 1."""
PULSE_VARIATION = 0.003
"""Relative standard deviation of κ from pulse to pulse."""
RUN_VARIATION = 0.005
"""Relative standard deviation of the current from run to run (and from cycle to cycle of potentiation)."""
WAKE_UP = 5e-6
"""Relative growth of the span with each dose of a pulse of 5 V and 100 ms, of either sign."""
READ_NOISE = 0.012
"""White noise of the current, pA a sample: 4200 with preamplifier, 10 ms aperture."""

DARK, PROMPT = 1.0, 15.69
"""Dark current and prompt photocurrent at `LIGHT`, pA at 0.5 V: with the fill, 17.6 pA in a first pulse of 100 ms."""
LIGHT = 32.0
"""Power density of the paper, mW/cm²."""
POPULATIONS = ((20.0, 1.0, 0.30), (37.0, 0.15, 8.0))
"""Current when full (pA), rate at `LIGHT` (1/s), time (s); e^(−0.2 s/0.3 s) = 0.51 tells sixteen codes apart."""
EXPONENT = 0.70
"""Rate and prompt current ∝ P^0.7: traps, photogating."""
COLOURS = {650: 1.0, 520: 1.25, 450: 1.5}
"""Response of each wavelength (nm) against 650 nm, to the same power."""
LIGHT_NOISE, LIGHT_VARIATION, LIGHT_DRIFT = 0.030, 0.005, 0.0001
"""White noise (pA a sample), relative variation of the light response from run to run, drift of the dark (pA/s)."""


def nonlinearity(voltage: np.ndarray | float) -> np.ndarray:
    """Return the current at a voltage as a multiple of that at the read voltage."""
    return np.sinh(np.asarray(voltage) / SINH_VOLTAGE) / np.sinh(READ_VOLTAGE / SINH_VOLTAGE)


def strength(voltage: float) -> float:
    """Return how strongly a voltage (V, of either sign) writes, as a multiple of 5 V."""
    return float(np.expm1(abs(voltage) / VOLTAGE_SCALE) / np.expm1(5.0 / VOLTAGE_SCALE))


@dataclass
class Synapse:
    """The electrical device: what it holds, and how voltage and time change it.

    Attributes
    ----------
    rng
        Source of its noise; None for a device without any.
    kept, fading
        Polarization of either side that stays and that goes, parts of the whole; shape (2,), positive side first.
    traps
        Filling of each kind of trap, shape (2, kinds).
    used
        Doses taken so far, in pulses of 5 V and 100 ms.
    exposure, side
        What the side that is being written has seen since the field set in, in units of 0.1 s at 5 V; its number, −1
        at rest.
    """

    rng: np.random.Generator | None = None
    kept: np.ndarray = field(default_factory=lambda: np.zeros(2))
    fading: np.ndarray = field(default_factory=lambda: np.zeros(2))
    traps: np.ndarray = field(default_factory=lambda: np.zeros((2, len(TRAPS))))
    used: float = 0.0
    exposure: float = 0.0
    side: int = -1

    @property
    def span(self) -> float:
        """Read current that full polarization adds, pA."""
        return SPAN * (1 + WAKE_UP * self.used)

    def level(self, side: int) -> float:
        """Return the current of a side at the read voltage, pA."""
        full = [full for full, *_ in TRAPS]
        return FLOOR + self.span * float(self.kept[side] + self.fading[side]) + float(np.dot(full, self.traps[side]))

    def apply(self, voltage: float, seconds: float) -> None:
        """Hold a voltage above the read voltage for some time; what follows without rest goes on where this ends."""
        side = int(voltage < 0)
        if side != self.side:
            self.side, self.exposure = side, 0.0
        before = self.exposure**WIDTH_EXPONENT
        self.exposure += strength(voltage) ** (1 / WIDTH_EXPONENT) * seconds / 0.1
        amount = self.exposure**WIDTH_EXPONENT - before
        if self.rng is not None:
            amount *= max(1 + PULSE_VARIATION * self.rng.standard_normal(), 0.0)
        room = (1 - self.kept[side] - self.fading[side]) * -np.expm1(-FILL * amount)
        self.kept[side] += KEPT_SHARE * room
        self.fading[side] += (1 - KEPT_SHARE) * room
        self.traps[side] = 1 - (1 - self.traps[side]) * np.exp([-kappa * amount for _, kappa, _ in TRAPS])
        for held in (self.kept, self.fading, self.traps):
            held[1 - side] *= np.exp(-EMPTY / strength(3.0) * amount)
        self.used += amount

    def wait(self, seconds: float) -> None:
        """Let time pass at the read voltage or below."""
        self.side = -1
        self.fading *= np.exp(-seconds / POLARIZATION_TIME)
        self.traps *= np.exp([-seconds / time for *_, time in TRAPS])

    def pulse(self, voltage: float, width: float) -> None:
        """Apply a pulse; volts, seconds."""
        self.apply(voltage, width)
        self.side = -1

    def reading(self, after: np.ndarray) -> np.ndarray:
        """Return the read current at times after now, pA, shape of ``after`` (s), as `wait` would leave it."""
        after = np.asarray(after, dtype=float)
        current = FLOOR + self.span * (self.kept[0] + self.fading[0] * np.exp(-after / POLARIZATION_TIME))
        for (full, _, time), filling in zip(TRAPS, self.traps[0], strict=True):
            current = current + full * filling * np.exp(-after / time)
        return current


Pulse = tuple[float, float, float]
"""Voltage (V), width (s) and the time at the read voltage that follows (s)."""


def pulse_trace(
    device: Synapse, pulses: Sequence[Pulse], *, step: float, before: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Record a train of pulses.

    Parameters
    ----------
    device
        Changed by the pulses.
    pulses
        The train.
    step
        Interval of the samples, s; widths and times are multiples of it.
    before
        Time at the read voltage before the first pulse, s.

    Returns
    -------
    time, voltage, current
        s, V, A; shape (n,). A sample stands for the interval that it ends.
    """
    voltages, currents = [], []

    def read(seconds: float) -> None:
        times = step * (np.arange(round(seconds / step)) + 0.5)
        voltages.append(np.full(times.size, READ_VOLTAGE))
        currents.append(device.reading(times))
        device.wait(seconds)

    read(before)
    for voltage, width, rest in pulses:
        count, side = round(width / step), int(voltage < 0)
        start = device.level(side)
        device.pulse(voltage, width)
        level = start + (device.level(side) - start) * (np.arange(count) + 0.5) / count
        voltages.append(np.full(count, voltage))
        currents.append(level * nonlinearity(voltage))
        read(rest)
    voltage_trace, current = np.concatenate(voltages), np.concatenate(currents)
    time = step * np.arange(1, current.size + 1)
    if device.rng is not None:
        run = 1 + RUN_VARIATION * device.rng.standard_normal()
        current = run * current + READ_NOISE * device.rng.standard_normal(current.size)
    return time, voltage_trace, 1e-12 * current


def light_current(time: np.ndarray, edges: Sequence[tuple[float, float, float]], colour: float) -> np.ndarray:
    """Return the noiseless current under pulses of light, pA.

    Parameters
    ----------
    time
        s, shape (n,), increasing; a sample stands for this moment, and light that begins at it is on.
    edges
        Onset (s), width (s) and power density (mW/cm²) of each pulse, in their order.
    colour
        Response of the wavelength, of `COLOURS`.
    """
    current = np.full(time.shape, DARK)
    # Multiples of the step are not exact: without rounding, a sample at an edge falls on either side.
    time = np.round(time, 9)
    changes = [(0.0, 0.0)]
    for onset, width, power in edges:
        changes += [(round(onset, 9), power), (round(onset + width, 9), 0.0)]
    ends = [start for start, _ in changes[1:]] + [np.inf]
    filling = np.zeros(len(POPULATIONS))
    for (start, power), end in zip(changes, ends, strict=True):
        inside = (time >= start) & (time < end)
        strength = colour * (power / LIGHT) ** EXPONENT if power > 0 else 0.0
        current[inside] += PROMPT * strength
        for k, (full, rate, decay) in enumerate(POPULATIONS):
            speed = rate * strength + 1 / decay
            steady = rate * strength / speed
            gone = np.exp(-speed * (time[inside] - start))
            current[inside] += full * (steady + (filling[k] - steady) * gone)
            if np.isfinite(end):
                filling[k] = steady + (filling[k] - steady) * np.exp(-speed * (end - start))
    return current
