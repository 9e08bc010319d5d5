"""Field-effect transistors, written for the scenarios alone: no function of relaxor makes the data.

The charge of the channel is that of the EKV model, which goes from diffusion to drift without a seam; the current is
the difference of its forms at source and drain. Contacts are resistors before both, found by bisection.
"""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement

ATTRS = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated"}
THERMAL = 0.02585
"""kT/q, V."""


@dataclass(frozen=True)
class Transistor:
    """A channel with a threshold.

    Attributes
    ----------
    threshold
        Gate voltage at which the channel opens, V.
    strength
        Transconductance over voltage, A/V².
    ideality
        Factor of the subthreshold slope.
    contact
        Resistance of both contacts together, ohm.
    leakage
        Current from gate to drain per volt between them, S.
    hysteresis
        How much higher the threshold is on the way back, V.
    falling
        Relative fall of the mobility per volt above the threshold.
    holes
        Whether holes carry the current.
    low, high, step
        Range and step of the gate voltage in the sense of electrons, V.
    drain
        Drain voltage, V.
    floor, relative
        Noise of a reading, A, and relative to it.
    """

    threshold: float = 0.7
    strength: float = 2e-5
    ideality: float = 1.4
    contact: float = 0.0
    leakage: float = 0.0
    hysteresis: float = 0.0
    falling: float = 0.0
    holes: bool = False
    low: float = -1.0
    high: float = 4.0
    step: float = 0.05
    drain: float = 0.1
    floor: float = 1e-12
    relative: float = 0.005
    told: bool = True

    def channel(self, gate: np.ndarray, drain: np.ndarray) -> np.ndarray:
        """Current without contacts and leakage, A."""
        over = (gate - self.threshold) / self.ideality
        specific = 2 * self.ideality * self.strength * THERMAL**2
        forward = np.logaddexp(0, over / (2 * THERMAL)) ** 2
        reverse = np.logaddexp(0, (over - drain) / (2 * THERMAL)) ** 2
        return specific * (forward - reverse) / (1 + self.falling * np.maximum(gate - self.threshold, 0))

    def current(self, gate: np.ndarray, drain: np.ndarray) -> np.ndarray:
        """Drain current with half of the contacts on each side, A."""
        low, high = np.zeros_like(gate), np.array(drain, float) + np.zeros_like(gate)
        for _ in range(60 if self.contact else 0):
            inside = (low + high) / 2
            lost = (drain - inside) / 2
            over = self.channel(gate - lost, inside) * self.contact + inside > drain
            low, high = np.where(over, low, inside), np.where(over, inside, high)
        inside = (low + high) / 2 if self.contact else high
        return self.channel(gate - (drain - inside) / 2, inside)

    def _ramp(self, rng: np.random.Generator, gate: np.ndarray, drain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        clean, leak = self.current(gate, drain), self.leakage * gate
        noise = np.hypot(self.floor, self.relative * clean)
        return clean - leak / 2 + noise * rng.normal(size=gate.size), leak + self.floor * rng.normal(size=gate.size)

    def transfer(self, rng: np.random.Generator) -> Measurement:
        """A transfer curve, up and down."""
        up = np.arange(self.low, self.high + self.step / 2, self.step)
        down = replace(self, threshold=self.threshold + self.hysteresis)
        parts = [one._ramp(rng, gate, np.full(gate.size, self.drain)) for one, gate in ((self, up), (down, up[::-1]))]
        drain_current, gate_current = np.concatenate(parts, axis=1)
        gate, sign = np.concatenate([up, up[::-1]]), -1 if self.holes else 1
        columns = {"Vg": sign * gate, "Id": sign * drain_current, "Ig": sign * gate_current}
        columns |= {"Vd": np.full(gate.size, sign * self.drain)} if self.told else {}
        return table_of(columns)

    def output(self, rng: np.random.Generator, gates: tuple[float, ...] = (2.0, 3.0, 4.0)) -> Measurement:
        """Output curves at several gate voltages."""
        drain = np.arange(0, 2 + 0.02, 0.04)
        parts = [self._ramp(rng, np.full(drain.size, gate), drain) for gate in gates]
        drain_current, gate_current = np.concatenate(parts, axis=1)
        columns = {"Vg": np.repeat(gates, drain.size), "Vd": np.tile(drain, len(gates)), "Id": drain_current}
        return table_of(columns | {"Ig": gate_current})

    def resistance(self, gate: float) -> float:
        """Drain voltage over current at a small drain voltage, ohm."""
        return 1e-4 / float(self.current(np.array([gate]), np.array([1e-4]))[0])

    def slope(self) -> float:
        """Largest transconductance of the sweep, S."""
        gate = np.linspace(self.low, self.high, 4001)
        return float(np.gradient(self.current(gate, np.full(gate.size, self.drain)), gate).max())


@dataclass(frozen=True)
class Graphene:
    """An ambipolar channel: carriers of both signs above a residual density, with contacts in series.

    ``neutrality`` in V, ``capacitance`` in carriers per volt (1/m²), ``residual`` in 1/m², ``mobility`` of electrons
    and ``of_holes`` in m²/Vs, of a square channel; ``hysteresis`` is the shift of neutrality on the way back, V.
    """

    neutrality: float = 7.3
    capacitance: float = 7e14
    residual: float = 3e15
    mobility: float = 0.3
    of_holes: float = 0.3
    contact: float = 800.0
    hysteresis: float = 0.0
    low: float = -30.0
    high: float = 30.0
    step: float = 0.5
    drain: float = 0.01
    relative: float = 0.002

    def current(self, gate: np.ndarray) -> np.ndarray:
        """Drain current, A."""
        induced = self.capacitance * (gate - self.neutrality)
        both = np.sqrt(self.residual**2 + induced**2 / 4)
        electrons, holes = both + induced / 2, both - induced / 2
        channel = 1.602e-19 * (electrons * self.mobility + holes * self.of_holes)
        return self.drain / (self.contact + 1 / channel)

    def transfer(self, rng: np.random.Generator) -> Measurement:
        """A transfer curve, up and down."""
        up = np.arange(self.low, self.high + self.step / 2, self.step)
        back = replace(self, neutrality=self.neutrality + self.hysteresis)
        current = np.concatenate([self.current(up), back.current(up[::-1])])
        current = current * (1 + self.relative * rng.normal(size=current.size))
        gate = np.concatenate([up, up[::-1]])
        return table_of({"Vg": gate, "Vd": np.full(gate.size, self.drain), "Id": current})

    def lowest(self, shift: float = 0.0) -> float:
        """Gate voltage of the smallest current, V."""
        gate = np.linspace(self.low, self.high, 60001)
        return float(gate[np.argmin(self.current(gate))]) + shift


def table_of(columns: dict[str, np.ndarray]) -> Measurement:
    """A table of terminals."""
    units = {name: "A" if name.startswith("I") else "V" for name in columns}
    content = {name: ("row", values, {"units": units[name]}) for name, values in columns.items()}
    return Measurement("device", ATTRS, {}, {"table": xr.Dataset(content)})
