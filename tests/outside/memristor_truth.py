"""Devices that switch their resistance, written for the scenarios alone: no function of relaxor makes the data.

The state x goes from 0 (off) to 1 (on). It jumps or slides where the voltage across the device passes a threshold; the
current is that of a hyperbolic sine in parallel with a resistor of the state, behind a resistor in series.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement

ATTRS = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated"}
FINE = 5
"""Steps of the model in one step of the record."""


@dataclass(frozen=True)
class Memristor:
    """A device and how it is swept.

    Attributes
    ----------
    set_at, reset_at
        Voltages across the device at which its state begins to change, V; both positive, the reset is at the other
        polarity unless ``unipolar``.
    set_width, reset_width
        Voltage over which the state changes, V.
    spread
        Relative standard deviation of both thresholds from cycle to cycle.
    on, off
        Resistances at small voltages, ohm.
    bend
        Voltage of the hyperbolic sine of the off state, V.
    series
        Resistor before the device, ohm.
    compliance
        Largest current at positive voltages, A.
    across
        Whether the voltage across the device is recorded, not that of the source.
    failing
        Probability that a cycle is not reset.
    forward, backward
        Extreme voltages of a cycle, V.
    step
        Between two readings, V.
    noise, relative
        Standard deviation of a reading, A, and relative to it.
    """

    set_at: float = 1.13
    reset_at: float = 0.87
    set_width: float = 0.0
    reset_width: float = 0.0
    spread: float = 0.0
    on: float = 2e3
    off: float = 2e5
    bend: float = 0.7
    series: float = 0.0
    compliance: float = np.inf
    across: bool = False
    failing: float = 0.0
    forward: float = 2.0
    backward: float = 1.6
    step: float = 0.02
    noise: float = 2e-8
    relative: float = 0.005
    cycles: int = 6
    unipolar: bool = False

    def conducted(self, volt: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Current through the device at a voltage across it, A."""
        return self.bend / self.off * np.sinh(volt / self.bend) * (1 - state) + state * volt / self.on

    def through(self, source: float, state: float) -> tuple[float, float]:
        """Current (A) and voltage across the device (V) at a voltage of the source."""

        def device(volt: float) -> float:
            return self.bend / self.off * math.sinh(volt / self.bend) * (1 - state) + state * volt / self.on

        def highest(allowed: Callable[[float], bool], low: float, high: float) -> float:
            for _ in range(30):
                middle = (low + high) / 2
                low, high = (middle, high) if allowed(middle) else (low, middle)
            return (low + high) / 2

        sign, across = math.copysign(1, source), abs(source)
        if self.series:
            across = highest(lambda volt: volt + self.series * device(volt) <= abs(source), 0.0, across)
        if sign > 0 and device(across) > self.compliance:  # the instrument lowers its voltage
            across = highest(lambda volt: device(volt) <= self.compliance, 0.0, across)
            return self.compliance, across
        return sign * device(across), sign * across

    def cycle(self, state: float, set_at: float, reset_at: float, sources: np.ndarray) -> tuple[np.ndarray, float]:
        """Source voltage, current and voltage across the device at each reading, and the state after them."""
        rows = []
        fine = np.interp(np.arange((sources.size - 1) * FINE + 1) / FINE, np.arange(sources.size), sources)
        for number, source in enumerate(fine):
            # The source voltage at which the state changes is that across the device plus the drop before it.
            _, across = self.through(source, state)
            if across > set_at and not (self.unipolar and state > 0.5):
                state = max(state, min((across - set_at) / self.set_width, 1.0) if self.set_width else 1.0)
            down = across if self.unipolar else -across
            if down > reset_at and state > 0 and not (self.unipolar and self.compliance < np.inf):
                state = min(state, max(1 - (down - reset_at) / self.reset_width, 0.0) if self.reset_width else 0.0)
            if number % FINE == 0:
                rows.append((source, *self.through(source, state)))
        return np.array(rows).T, state

    def sources(self) -> np.ndarray:
        """Source voltages of one cycle: out and back at both polarities."""
        out = np.arange(0, self.forward + self.step / 2, self.step)
        low = np.arange(0, self.backward + self.step / 2, self.step)
        return np.concatenate([out, out[-2::-1], -low[1:], -low[-2::-1]])

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The recorded cycles, one after the other in one table."""
        parts, state = [], 0.0
        for _ in range(self.cycles):
            set_at, reset_at = np.array([self.set_at, self.reset_at]) * (1 + self.spread * rng.standard_normal(2))
            reset_at = 99.0 if rng.random() < self.failing else reset_at
            if self.unipolar:  # reset without a compliance, then set with one
                for device, extreme in ((replace(self, compliance=np.inf), self.backward), (self, self.forward)):
                    ramp = np.arange(0, extreme + self.step / 2, self.step)
                    begin = 1.0 if device.compliance == np.inf else state
                    part, state = device.cycle(begin, set_at, reset_at, np.concatenate([ramp, ramp[-2::-1]]))
                    parts.append(part)
            else:
                part, state = self.cycle(state, set_at, reset_at, self.sources())
                parts.append(part)
        source, current, across = np.concatenate(parts, axis=1)
        noise = np.hypot(self.noise, self.relative * current) * (current < self.compliance)
        volt = across + rng.normal(0, 1e-4, across.size) if self.across else source
        return table_of(volt, current + noise * rng.standard_normal(current.size))

    def truth(self, read: float) -> dict[tuple[str, str, str], float]:
        """Numbers of a cycle at the medians of the thresholds, from the laws of the states alone.

        A resistor in series moves the thresholds by what drops over it, where the source's voltage is recorded.
        The current of a gradual reset, whose resistor conducts in proportion to 1 − (V − V_r)/w, is largest at V_r or
        at (V_r + w)/2, whichever is higher. A set is half way between both states on a logarithmic scale.
        """
        before = 0.0 if self.across else self.series
        place = np.linspace(self.set_at, self.set_at + self.set_width, 2001)
        state = (place - self.set_at) / self.set_width if self.set_width else np.ones(2001)
        states = [np.log(self.conducted(place, each)) for each in (state, np.zeros(2001), np.ones(2001))]
        at = float(place[np.argmax(states[0] >= (states[1] + states[2]) / 2)])
        set_at = at + before * float(self.conducted(np.array(at), np.array(0.0)))
        largest = max(self.reset_at, (self.reset_at + self.reset_width) / 2)
        reset_at = largest + before * float(self.conducted(np.array(largest), np.array(1.0)))
        polarities = ("positive",) if self.unipolar else ("positive", "negative")
        on, off = (read / self._through_both(read, each) for each in (1.0, 0.0))
        truth = {("set_voltage", "positive"): set_at, ("reset_voltage", polarities[-1]): reset_at}
        truth["reset_voltage", polarities[-1]] *= 1 if self.unipolar else -1
        for polarity in polarities:
            truth |= {("on_resistance", polarity): on, ("off_resistance", polarity): off}
            truth |= {("on_off_ratio", polarity): off / on}
        models = ("switching_distribution",) if self.spread else ("switching", "switching_distribution")
        return {(model, name, polarity): value for (name, polarity), value in truth.items() for model in models}

    def _through_both(self, volt: float, state: float) -> float:
        if self.across:
            return float(self.conducted(np.array(volt), np.array(state)))
        return self.through(volt, state)[0]


def table_of(volt: np.ndarray, current: np.ndarray, **conditions: tuple[float, str]) -> Measurement:
    """A table of voltage and current."""
    columns = {"voltage": (volt, "V"), "current": (current, "A")}
    table = xr.Dataset({name: ("point", values, {"units": unit}) for name, (values, unit) in columns.items()})
    return Measurement("device", ATTRS, conditions, {"Run1": table})
