"""What is recorded of the electrical device: trains of pulses, the series and the cycles that they make up.

Every run starts on a device that was reset.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry
from relaxor.simulation.synapse import Device, Run, Synapse, Train, pulse_trace

CYCLE_STEP, CYCLE_BEFORE = 0.02, 0.1
"""Interval of the samples of a cycle, and time before its first pulse; s."""
PAIR_STEP, PAIR_BEFORE, PAIR_REST = 0.002, 0.05, 0.05
"""The same of a pair, and time after its second pulse; s."""


class Pairs(Section):
    """Pairs of pulses of reference, and their file."""

    file: FileEntry
    """The file."""
    intervals: list[float] = setting(..., "s")
    """Times between the two pulses."""
    repeats: int
    """How often each interval is recorded."""


class Series(Section):
    """Trains of equal pulses that differ in one quantity, and their file."""

    file: FileEntry
    """The file."""
    varied: Literal["width", "amplitude", "pulses"]
    """The quantity, as the analysis names it."""
    values: list[float]
    """Its values, in s, V or 1."""
    pulses: int = 1
    """Number of pulses of a train, where it is not varied."""
    rest: float = setting(..., "s")
    """Time that is recorded after the last pulse."""
    step: float = setting(..., "s")
    """Interval of the samples."""
    before: float = setting(..., "s")
    """Time before the first pulse."""
    repeats: int = 1
    """How often each train is recorded."""


class Cycles(Section):
    """Cycles of potentiation and depression on one device, and their file."""

    file: FileEntry
    """The file."""
    pulses: int
    """Number of pulses of each sign in a cycle."""


class Specimen(Section):
    """The device, and what is recorded of it under voltage."""

    device: Device
    """The device."""
    gap: float = setting(..., "s")
    """Time between the pulses of a train."""
    depressing_voltage: float = setting(..., "V")
    """Voltage of the pulses of depression; all others have the voltage of reference."""
    pairs: Pairs
    """Pairs of pulses."""
    series: list[Series]
    """Series of trains."""
    number_of_cycles: int
    """Number of cycles in a file."""
    cycles: list[Cycles]
    """Files of cycles."""

    def pair(self, interval: float) -> Train:
        """Return a pair of pulses."""
        one = self.device.voltage, self.device.width
        return Train([(*one, interval), (*one, PAIR_REST)], PAIR_STEP, PAIR_BEFORE)

    def trains(self, series: Series) -> dict[float, Train]:
        """Return the trains of a series: value of what is varied → train."""
        usual = {"width": self.device.width, "amplitude": self.device.voltage, "pulses": float(series.pulses)}
        found = {}
        for value in series.values:
            of = usual | {series.varied: value}
            voltage, width, count = of["amplitude"], of["width"], round(of["pulses"])
            pulses = [(voltage, width, self.gap)] * (count - 1) + [(voltage, width, series.rest)]
            found[value] = Train(pulses, series.step, series.before)
        return found

    def cycle(self, count: int) -> Train:
        """Return one cycle of potentiation and depression with so many pulses of each sign."""
        voltages = [self.device.voltage] * count + [self.depressing_voltage] * count
        return Train([(voltage, self.device.width, self.gap) for voltage in voltages], CYCLE_STEP, CYCLE_BEFORE)

    def record(self, trains: Iterable[Train], rng: np.random.Generator | None, repeats: int = 1) -> list[Run]:
        """Record each train so often on a device that was reset; without a source of noise there is none."""
        synapses = ((train, Synapse(self.device, rng)) for train in trains for _ in range(repeats))
        return [pulse_trace(synapse, train) for train, synapse in synapses]

    def record_cycles(self, count: int, rng: np.random.Generator | None) -> list[Run]:
        """Record cycles of potentiation and depression, one after the other on one device."""
        synapse, train = Synapse(self.device, rng), self.cycle(count)
        return [pulse_trace(synapse, train) for _ in range(self.number_of_cycles)]
