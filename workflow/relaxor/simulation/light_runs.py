"""What is recorded under light: pairs of pulses, series at three wavelengths, and codes of four pulses.

The device is biased at 0.5 V all the time; light comes in pulses at 650, 520 and 450 nm (paper, Fig. 3c–3h, S10, S11)
and in the sixteen codes of four pulses that the encoder of the images uses (Fig. 5a).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.simulation.synapse import DARK, LIGHT, light_current

Edges = Sequence[tuple[float, float, float]]
"""Pulses: onset (s), width (s), power density (mW/cm²)."""
INTERVALS = 0.02 * np.round(np.geomspace(0.1, 50.0, 20) / 0.02)
POWERS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
FREQUENCIES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
DURATIONS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
NUMBERS = (1, 2, 5, 10, 20, 40)
TRAIN = 20
"""Pulses of the frequency series, on half of the time."""
CODE_PULSES, CODE_SLOT, CODE_WIDTH = 4, 0.2, 0.1
AREA = 20e-8
"""Illuminated area of the device, cm²: 10 µm × 2 µm between the electrodes."""


@dataclass(frozen=True)
class Exposure:
    """Pulses of light of one run, interval of its samples and its length, s."""

    edges: Edges
    step: float
    length: float

    @property
    def time(self) -> np.ndarray:
        """Times of the samples, s."""
        return self.step * np.arange(1, round(self.length / self.step) + 1)

    @property
    def power(self) -> np.ndarray:
        """Power density at each sample, mW/cm²."""
        time, power = self.time, np.zeros(round(self.length / self.step))
        for onset, width, density in self.edges:
            # Multiples of the step are not exact: half a step keeps the sample at an edge on its side.
            power[(time > onset - self.step / 2) & (time < onset + width - self.step / 2)] = density
        return power

    def response(self, colour: float) -> np.ndarray:
        """Return the current above the dark one without noise, pA."""
        return light_current(self.time, self.edges, colour) - DARK


def _frequency(f: float) -> Exposure:
    edges = [(0.5 + n / f, 0.5 / f, LIGHT) for n in range(TRAIN)]
    return Exposure(edges, 0.05 / f if f > 5 else 0.01, 0.5 + TRAIN / f + 3.0)


def _number(count: int) -> Exposure:
    return Exposure([(0.5 + 0.4 * n, 0.2, LIGHT) for n in range(count)], 0.02, 0.5 + 0.4 * count + 12.0)


PAIRS = {t: Exposure([(0.5, 0.1, LIGHT), (0.6 + t, 0.1, LIGHT)], 0.02, 0.7 + t + 0.5) for t in INTERVALS.tolist()}
SERIES: dict[str, dict[float, Exposure]] = {
    "power": {power: Exposure([(0.5, 1.0, power)], 0.02, 11.5) for power in POWERS},
    "frequency": {f: _frequency(f) for f in FREQUENCIES},
    "duration": {width: Exposure([(0.5, width, LIGHT)], 0.02, 0.5 + width + 10.0) for width in DURATIONS},
    "number": {count: _number(count) for count in NUMBERS},
}
"""What a series varies → its run."""


def code(number: int) -> Exposure:
    """Return the run of a code; its highest bit comes first."""
    bits = [(number >> (CODE_PULSES - 1 - slot)) & 1 for slot in range(CODE_PULSES)]
    edges = [(0.2 + CODE_SLOT * slot, CODE_WIDTH, LIGHT) for slot, bit in enumerate(bits) if bit]
    return Exposure(edges, 0.01, 1.2)
