"""Endurance and retention of memory cells, written for the scenarios alone: no function of relaxor makes the data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement

YEARS = 10 * 365.25 * 86400.0
"""s."""
ATTRS = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated"}
Decay = Callable[[np.ndarray], np.ndarray]
"""What is left of the first value at times, s, or after cycles."""


def table_of(axis: tuple[str, np.ndarray, str], **columns: tuple[np.ndarray, str]) -> Measurement:
    """A table of columns against cycles or time."""
    name, at, unit = axis
    content = {name: ("row", at, {"units": unit})}
    content |= {key: ("row", values, {"units": unit}) for key, (values, unit) in columns.items()}
    return Measurement("cell", ATTRS, {}, {"table": xr.Dataset(content)})


# --- laws of a loss
def power(exponent: float) -> Decay:
    """(1 + t/1 s) to a power, as of a distribution of activation energies."""
    return lambda time: (1 + time) ** -exponent


def stretched(life: float, stretch: float) -> Decay:
    """A stretched exponential with a life time in s."""
    return lambda time: np.exp(-((time / life) ** stretch))


def logarithmic(per_decade: float) -> Decay:
    """A constant loss per decade of time, until nothing is left."""
    return lambda time: np.maximum(1 - per_decade * np.log10(1 + time), 1e-3)


def levelling(part: float, life: float) -> Decay:
    """An exponential loss of a part; the rest stays."""
    return lambda time: 1 - part * (1 - np.exp(-time / life))


def steady(time: np.ndarray) -> np.ndarray:
    """No loss."""
    return np.ones_like(np.asarray(time, float))


@dataclass(frozen=True)
class Retention:
    """A resistance of the off state read at times.

    ``scatter`` is the relative standard deviation of a reading; ``telegraph`` the relative step between two states
    of a trap.
    """

    law: Decay
    first: float = 1.0
    last: float = 1e4
    readings: int = 40
    scatter: float = 0.01
    telegraph: float = 0.0
    evenly: bool = False

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The record."""
        space = np.linspace if self.evenly else np.geomspace
        time = space(self.first, self.last, self.readings)
        jumps = np.cumsum(rng.random(time.size) < 0.2) % 2
        value = 2e5 * self.law(time) * (1 + self.telegraph * jumps) * np.exp(self.scatter * rng.normal(size=time.size))
        return table_of(("time", time, "s"), R_off=(value, "ohm"))

    def truth(self) -> float:
        """What is left after ten years."""
        jump = 1 + self.telegraph / 2
        return 2e5 * float(self.law(np.array(YEARS))) * jump


@dataclass(frozen=True)
class Endurance:
    """Both states of a cell against the number of cycles, log-normally scattered.

    The window is 100 × ``law`` of the cycles; ``fails_at`` is where it breaks down at once, ``scatter`` that of both
    states, ``each`` whether every cycle is recorded, ``wake_up`` the factor by which it opens in the first ten.
    """

    law: Decay
    last: float = 1e6
    readings: int = 60
    scatter: float = 0.05
    fails_at: float = np.inf
    each: bool = False
    wake_up: float = 1.0

    def window(self, cycle: np.ndarray) -> np.ndarray:
        """Ratio of the two states without scatter."""
        opened = 1 + (self.wake_up - 1) * (1 - np.exp(-(cycle - 1) / 3))
        return 1 + 99 * self.law(cycle) * opened * (cycle < self.fails_at)

    def measured(self, rng: np.random.Generator) -> Measurement:
        """The record."""
        cycle = np.unique(np.round(np.geomspace(1, self.last, self.readings)))
        cycle = np.arange(1, self.last + 1) if self.each else cycle
        on, off = np.exp(self.scatter * rng.normal(size=(2, cycle.size)))
        off = 2e3 * off * self.window(cycle)
        return table_of(("cycle", cycle, "1"), R_on=(2e3 * on, "ohm"), R_off=(off, "ohm"))

    def truth(self) -> float:
        """Cycles after which half of the first window is left."""
        cycle = np.geomspace(1, 1e12, 2_000_001)
        low = self.window(cycle) < self.window(np.array(1.0)) / 2
        return float(cycle[np.argmax(low)]) if low.any() else np.inf
