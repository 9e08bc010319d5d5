"""What is recorded of the electrical device: trains of pulses, the series and the cycles that they make up.

Every run starts on a device that was reset. Pulses of 5 V and 100 ms, reads at 0.5 V (paper, Fig. 2b–2g, S8, S9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.simulation.synapse import Pulse, Synapse, pulse_trace

Run = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Time (s), voltage (V), current (A)."""
VOLTAGE, WIDTH = 5.0, 0.1
INTERVALS = np.unique(np.round(np.geomspace(0.010, 2.0, 20), 3))
"""Seconds between two pulses."""
WIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
VOLTAGES = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
NUMBERS = (1, 2, 5, 10, 20, 50)
RETENTION_NUMBERS, RETENTION = (10, 50), 1200.0
CYCLES = 20


@dataclass(frozen=True)
class Train:
    """Pulses of one run, and how it is recorded: see `relaxor.simulation.synapse.pulse_trace`."""

    pulses: Sequence[Pulse]
    step: float
    before: float


def equal(voltage: float, width: float, count: int, rest: float, step: float, before: float) -> Train:
    """Make a train of equal pulses, 100 ms apart, with a rest behind the last."""
    return Train([(voltage, width, 0.1)] * (count - 1) + [(voltage, width, rest)], step, before)


SERIES: dict[str, dict[float, Train]] = {
    "widths": {w: equal(VOLTAGE, w, 1, 3.0, 0.005, 0.2) for w in WIDTHS},
    "amplitudes": {v: equal(v, WIDTH, 10, 10.0, 0.01, 0.2) for v in VOLTAGES},
    "numbers": {n: equal(VOLTAGE, WIDTH, n, 10.0, 0.01, 0.2) for n in NUMBERS},
    "retention": {n: equal(VOLTAGE, WIDTH, n, RETENTION, 0.05, 1.0) for n in RETENTION_NUMBERS},
}
"""What a series varies → its train."""
PAIR_TRAINS = {t: Train([(VOLTAGE, WIDTH, t), (VOLTAGE, WIDTH, 0.05)], 0.002, 0.05) for t in INTERVALS.tolist()}


def cycle(count: int) -> Train:
    """Make one cycle of potentiation and depression."""
    return Train([(VOLTAGE, WIDTH, 0.1)] * count + [(-3.0, WIDTH, 0.1)] * count, 0.02, 0.1)


def run(train: Train, rng: np.random.Generator | None) -> Run:
    """Record a train on a device that was reset; one without noise where there is no source of it."""
    return pulse_trace(Synapse(rng), train.pulses, step=train.step, before=train.before)


def cycles(count: int, rng: np.random.Generator | None) -> list[Run]:
    """Record cycles of potentiation and depression, one after the other on one device."""
    device, train = Synapse(rng), cycle(count)
    return [pulse_trace(device, train.pulses, step=train.step, before=train.before) for _ in range(CYCLES)]
