"""Temperature log of a crystal growth: ramp, soak, furnace cooling."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import PROGRAM, FileEntry, SampleFile, Truth

SAMPLING = 5 / 60
"""h."""
NOISE = 0.6
"""°C; thermocouple and controller, white at five minutes."""


class Specimen(Section):
    """A growth run, and the file of its log."""

    file: FileEntry
    """The file."""
    charge: str
    """What is grown, for the header of the log."""
    ambient: float = setting(..., "degC")
    """Temperature before the run, and to which the furnace cools."""
    soak: float = setting(..., "degC")
    """Temperature that is held."""
    start: float = setting(..., "hour")
    """Logging before the ramp."""
    ramp: float = setting(..., "hour")
    """Heating."""
    hold: float = setting(..., "hour")
    """Soak."""
    tail: float = setting(..., "hour")
    """Logging while the furnace cools."""
    cooling_time: float = setting(..., "hour")
    """Time constant of Newton's cooling."""


def temperature(specimen: Specimen, time: np.ndarray) -> np.ndarray:
    """Return the noiseless furnace temperature in °C at a time in h."""
    height = specimen.soak - specimen.ambient
    rising = specimen.ambient + height * np.clip((time - specimen.start) / specimen.ramp, 0, 1)
    cooled = np.maximum(time - specimen.start - specimen.ramp - specimen.hold, 0)
    cooling = specimen.ambient + height * np.exp(-cooled / specimen.cooling_time)
    return np.minimum(rising, cooling)


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the log of one growth run, a `Specimen`."""
    specimen = Specimen.model_validate(values)
    duration = specimen.start + specimen.ramp + specimen.hold + specimen.tail
    time = np.arange(round(duration / SAMPLING) + 1) * SAMPLING
    reading = temperature(specimen, time) + rng.normal(0, NOISE, len(time))
    lines = [
        f"# Furnace log: SIMULATED by {PROGRAM}.growth, not measured",
        f"# Charge: {specimen.charge}",
        "# Start: 2024-11-01T09:00:00",
        f"# Points: {len(time)}",
        "Elapsed (min);TC1 (degC)",
        *(f"{minutes:.1f};{value:.2f}" for minutes, value in zip(time * 60, reading, strict=True)),
    ]
    true = {
        "ambient_temperature": (specimen.ambient, "degC"),
        "ramp_start": (specimen.start, "hour"),
        "ramp_rate": ((specimen.soak - specimen.ambient) / specimen.ramp, "delta_degC/hour"),
        "ramp_time": (specimen.ramp, "hour"),
        "soak_temperature": (specimen.soak, "degC"),
        "soak_time": (specimen.hold, "hour"),
        "soak_stability": (NOISE, "delta_degC"),
        "soak_drift": (0.0, "delta_degC/hour"),
        "cooling_time_constant": (specimen.cooling_time, "hour"),
        "cooling_ambient": (specimen.ambient, "degC"),
    }
    truth = tuple(Truth("segments", name, *value) for name, value in true.items())
    yield SampleFile.of(specimen.file, "growth", "\n".join([*lines, ""]).encode(), truth=truth)
