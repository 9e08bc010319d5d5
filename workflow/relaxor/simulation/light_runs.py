"""What is recorded under light: pairs of pulses, series at several wavelengths, and codes of pulses.

The device is biased with the read voltage all the time; light comes in pulses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry
from relaxor.simulation.synapse import Device, OpticalResponse, light_current

Edges = Sequence[tuple[float, float, float]]
"""Pulses: onset (s), width (s), power density (mW/cm²)."""
STEP, FINE_STEP = 0.02, 0.01
"""Intervals of the samples of most runs, and of fast ones and codes; s."""
BEFORE, CODE_BEFORE, CODE_LENGTH = 0.5, 0.2, 1.2
"""Onset of the first pulse of a run and of a code, and length of a code; s."""
PAIR_REST = 0.5
"""Time after the second pulse of a pair, s."""


@dataclass(frozen=True)
class Exposure:
    """Pulses of light of one run, interval of its samples and its length, s."""

    light: OpticalResponse
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

    def response(self, color: float) -> np.ndarray:
        """Return the current above the dark one without noise, pA."""
        return light_current(self.light, self.time, self.edges, color) - self.light.dark


class Pairs(Section):
    """Pairs of pulses at one wavelength, and their file."""

    file: FileEntry
    """The file."""
    wavelength: int = setting(..., "nm")
    """Wavelength of the light."""
    intervals: list[float] = setting(..., "s")
    """Times between the two pulses."""
    repeats: int
    """How often each interval is recorded."""


class Series(Section):
    """Runs that differ in one quantity, and their files."""

    files: dict[int, FileEntry]
    """Wavelength in nm → file."""
    varied: Literal["amplitude", "frequency", "width", "pulses"]
    """The quantity, as the analysis names it."""
    values: list[float]
    """Its values, in mW/cm², Hz, s or 1."""
    width: float = setting(0.0, "s")
    """Width of the pulses, where it is not varied."""
    period: float = setting(0.0, "s")
    """Time from pulse to pulse in a series of their number."""
    pulses: int = 1
    """Number of pulses in a series of their frequency, on for half of the time."""
    rest: float = setting(..., "s")
    """Time that is recorded after the last pulse or period."""


class Codes(Section):
    """Codes of pulses in slots, and their file."""

    file: FileEntry
    """The file."""
    wavelength: int = setting(..., "nm")
    """Wavelength of the light."""
    slots: int
    """Number of slots."""
    period: float = setting(..., "s")
    """Time from slot to slot."""
    width: float = setting(..., "s")
    """Width of a pulse."""
    repeats: int
    """How often each code is recorded."""


class Specimen(Section):
    """The device, and what is recorded of it under light."""

    device: Device
    """The device."""
    area: float = setting(..., "cm^2")
    """Area of the device under light."""
    pair_width: float = setting(..., "s")
    """Width of the pulses of a pair."""
    pairs: Pairs
    """Pairs of pulses."""
    series: list[Series]
    """Series of runs."""
    codes: Codes
    """Codes of pulses."""

    @property
    def light(self) -> OpticalResponse:
        """The device under light."""
        return self.device.light

    def pair(self, interval: float) -> Exposure:
        """Return a pair of pulses."""
        width, power = self.pair_width, self.light.power
        second = BEFORE + width + interval
        edges = [(BEFORE, width, power), (second, width, power)]
        return Exposure(self.light, edges, STEP, BEFORE + 2 * width + interval + PAIR_REST)

    def runs(self, series: Series) -> Mapping[float, Exposure]:
        """Return the runs of a series: value of what is varied → run."""
        return dict(zip(series.values, self._exposures(series), strict=True))

    def _exposures(self, series: Series) -> Iterator[Exposure]:
        power = self.light.power
        for value in series.values:
            if series.varied == "frequency":
                edges = [(BEFORE + n / value, 0.5 / value, power) for n in range(series.pulses)]
                step = 0.05 / value if value > 5 else FINE_STEP
                yield Exposure(self.light, edges, step, BEFORE + series.pulses / value + series.rest)
            elif series.varied == "pulses":
                edges = [(BEFORE + series.period * n, series.width, power) for n in range(round(value))]
                yield Exposure(self.light, edges, STEP, BEFORE + series.period * value + series.rest)
            elif series.varied == "width":
                yield Exposure(self.light, [(BEFORE, value, power)], STEP, BEFORE + value + series.rest)
            else:
                length = BEFORE + series.width + series.rest
                yield Exposure(self.light, [(BEFORE, series.width, value)], STEP, length)

    def code(self, number: int) -> Exposure:
        """Return the run of a code; its highest bit comes first."""
        codes = self.codes
        bits = [(number >> (codes.slots - 1 - slot)) & 1 for slot in range(codes.slots)]
        edges = [
            (CODE_BEFORE + codes.period * slot, codes.width, self.light.power) for slot, bit in enumerate(bits) if bit
        ]
        return Exposure(self.light, edges, FINE_STEP, CODE_LENGTH)
