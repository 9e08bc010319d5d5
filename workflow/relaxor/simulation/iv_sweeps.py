"""Current–voltage sweeps of a synapse as a Keithley 4200A-SCS saves them, each cycle 0 → V → 0 → −V → 0.

The device is that of the pulses. The field writes one side of it and partly erases the other one, so that the current
lags behind the voltage, and grows from cycle to cycle until writing and erasing are in balance. Both polarities are
alike.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.synapse import Device, Synapse
from relaxor.simulation.writers.keithley_4200 import rounded, write

NOISE, RELATIVE_NOISE = 0.030, 0.002
"""Standard deviation of the white noise of a sample in pA, and relative to the current."""


class Sweep(Section):
    """Sweeps of one amplitude, and their file."""

    file: FileEntry
    """The file."""
    amplitude: float = setting(..., "V", gt=0)
    """Largest voltage."""


class Specimen(Section):
    """What is swept: fresh devices, one for each file."""

    device: Device
    """The device."""
    cycles: int
    """Number of cycles in each file."""
    points: int
    """Number of samples from zero to the amplitude."""
    step: float = setting(..., "s", gt=0)
    """Time between samples."""
    sweeps: list[Sweep]
    """The files, in the order in which they are recorded."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield one file with the cycles of each amplitude of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    for one in specimen.sweeps:
        voltage, current = sweep(specimen, one.amplitude)
        noise = np.hypot(NOISE, RELATIVE_NOISE * current) * rng.standard_normal(current.size)
        columns = {
            "Time": specimen.step * np.arange(1, voltage.size + 1),
            "V": voltage,
            "I": rounded(1e-12 * (current + noise), 6),
        }
        stop, cycles = ("Stop", f"{one.amplitude:g}"), ("Cycles", str(specimen.cycles))
        settings = [("Comment", "SIMULATED"), ("Start", "0"), stop, cycles]
        executed = datetime(2024, 11, 20, 9, int(10 * one.amplitude))
        content = write({"Run1": columns}, test="iv-cycles#1", executed=executed, settings=settings)
        yield SampleFile.of(one.file, "iv_sweeps", content, truth=tuple(truth(specimen, one.amplitude)))


def sweep(specimen: Specimen, amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    """Return voltage (V) and noiseless current (pA) of all cycles, shape (cycles · 4 · points,)."""
    points = specimen.points
    up = amplitude * np.arange(1, points + 1) / points
    down = amplitude * np.arange(points - 1, -1, -1) / points
    voltage = np.tile(np.concatenate([up, down, -up, -down]), specimen.cycles)
    device = specimen.device
    synapse, current = Synapse(device), np.empty(voltage.size)
    for index, value in enumerate(voltage):
        if abs(value) > device.read_voltage:
            synapse.apply(value, specimen.step)
        else:
            synapse.wait(specimen.step)
        current[index] = synapse.level(int(value < 0)) * device.nonlinearity(value)
    return voltage, current


def truth(specimen: Specimen, amplitude: float) -> Iterator[Truth]:
    """Yield peaks and loop areas of every cycle, the growth of the peaks, and the readings of the last cycle."""
    voltage, current = sweep(specimen, amplitude)
    points, half = specimen.points, 2 * specimen.points
    cycles = 1e-12 * current.reshape(specimen.cycles, 4 * points)
    read = round(specimen.device.read_voltage / amplitude * points) - 1
    way = np.insert(voltage[:half], 0, 0.0)
    for name, lobe, sign in (("positive", slice(0, half), 1), ("negative", slice(half, None), -1)):
        peaks = cycles[:, lobe][:, points - 1]  # at the extreme voltage; after it the current may still rise
        areas = [abs(float(np.trapezoid(np.insert(cycle[lobe], 0, 0.0), sign * way))) for cycle in cycles]
        for number, (peak, area) in enumerate(zip(peaks.tolist(), areas, strict=True), 1):
            yield Truth("cycle", f"peak_current_{name}", peak, "A", str(number))
            yield Truth("cycle", f"loop_area_{name}", area, "A*V", str(number))
        yield Truth("cycles", f"peak_current_{name}", float(peaks[-1]), "A")
        yield Truth("cycles", f"loop_area_{name}", float(np.mean(areas)), "A*V")
        yield Truth("cycles", f"peak_growth_{name}", float(peaks[-1] - peaks[0]), "A")
        yield Truth("cycles", f"relative_growth_{name}", float(peaks[-1] / peaks[0] - 1), "1")
    last = cycles[-1]
    yield Truth("cycles", "symmetry", float(-last[points - 1] / last[half + points - 1]), "1")
    yield Truth("cycles", "resistance", specimen.device.read_voltage / float(last[read]), "ohm")
    yield Truth("cycles", "rectification_ratio", float(-last[read] / last[half + read]), "1")
