"""Sample I–V sweeps of the synapse, as a Keithley 4200A-SCS saves them: each cycle 0 → V → 0 → −V → 0.

The device is that of the pulses: the field writes the side of its direction and empties the other one, but less than it
had written before, so that the current lags behind the voltage (a loop) and grows from cycle to cycle until both are in
balance; both polarities alike, as the paper reports.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from relaxor.core.section import Section
from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.synapse import Device, Synapse
from relaxor.simulation.writers.keithley_4200 import write

AMPLITUDES = (1.0, 3.0, 5.0)
"""Volts (paper: ±3 V in Fig. 2a, ±1 and ±5 V in Fig. S6)."""
CYCLES = 12
POINTS = 60
"""Samples from zero to the amplitude."""
STEP = 0.01
"""Seconds a sample."""
NOISE, RELATIVE_NOISE = 0.030, 0.002
"""White noise of a sample: pA, and relative to the current."""


class Specimen(Section):
    """The device that is swept."""

    device: Device
    """The device."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the sweeps of ±3 V, and one file with sweeps of three amplitudes."""
    device = Specimen.model_validate(values).device
    for amplitude in AMPLITUDES:
        voltage, current = sweep(device, amplitude)
        noise = np.hypot(NOISE, RELATIVE_NOISE * current) * rng.standard_normal(current.size)
        columns = {
            "Time": STEP * np.arange(1, voltage.size + 1),
            "V": voltage,
            "I": _rounded(1e-12 * (current + noise)),
        }
        name = f"sweep_{amplitude:g}V"
        yield SampleFile(
            name,
            "iv_sweeps",
            "2a,S6" if amplitude == 3.0 else "S6",
            f"CBPS_IV_{amplitude:g}V.xlsx",
            write(
                {"Run1": columns},
                test="iv-cycles#1",
                executed=datetime(2024, 11, 20, 9, int(10 * amplitude)),
                settings=[
                    ("Comment", "SIMULATED"),
                    ("Start", "0"),
                    ("Stop", f"{amplitude:g}"),
                    ("Cycles", str(CYCLES)),
                ],
            ),
            truth=tuple(_truth(device, amplitude)),
            note=f"{CYCLES} cycles 0 → {amplitude:g} → 0 → −{amplitude:g} → 0 V",
        )


def sweep(device: Device, amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    """Return voltage (V) and noiseless current (pA) of all cycles, shape (CYCLES * 4 * POINTS,)."""
    up = amplitude * np.arange(1, POINTS + 1) / POINTS
    down = amplitude * np.arange(POINTS - 1, -1, -1) / POINTS
    voltage = np.tile(np.concatenate([up, down, -up, -down]), CYCLES)
    synapse, current = Synapse(device), np.empty(voltage.size)
    for index, value in enumerate(voltage):
        if abs(value) > device.read_voltage:
            synapse.apply(value, STEP)
        else:
            synapse.wait(STEP)
        current[index] = synapse.level(int(value < 0)) * device.nonlinearity(value)
    return voltage, current


def _rounded(values: np.ndarray) -> np.ndarray:
    """Keep the six digits that the instrument writes."""
    return np.array([float(f"{value:.5e}") for value in values.tolist()])


def _truth(device: Device, amplitude: float) -> Iterator[Truth]:
    """Yield peaks and loop areas of every cycle, the growth of the peaks, and what the last cycle shows at 0.5 V."""
    voltage, current = sweep(device, amplitude)
    cycles = 1e-12 * current.reshape(CYCLES, 4 * POINTS)
    half, read = 2 * POINTS, round(device.read_voltage / amplitude * POINTS) - 1
    way = np.insert(voltage[:half], 0, 0.0)
    for name, lobe, sign in (("positive", slice(0, half), 1), ("negative", slice(half, None), -1)):
        peaks = cycles[:, lobe][:, POINTS - 1]  # at the extreme voltage; behind it the current may still rise
        areas = [abs(float(np.trapezoid(np.insert(cycle[lobe], 0, 0.0), sign * way))) for cycle in cycles]
        for number, (peak, area) in enumerate(zip(peaks.tolist(), areas, strict=True), 1):
            yield f"cycle_{number:02d}", f"peak_current_{name}", peak, "A"
            yield f"cycle_{number:02d}", f"loop_area_{name}", area, "A*V"
        yield "cycles", f"peak_current_{name}", float(peaks[-1]), "A"
        yield "cycles", f"loop_area_{name}", float(np.mean(areas)), "A*V"
        yield "cycles", f"peak_growth_{name}", float(peaks[-1] - peaks[0]), "A"
        yield "cycles", f"relative_growth_{name}", float(peaks[-1] / peaks[0] - 1), "1"
    yield "cycles", "symmetry", float(-cycles[-1, POINTS - 1] / cycles[-1, half + POINTS - 1]), "1"
    yield "cycles", "resistance", device.read_voltage / float(cycles[-1, read]), "ohm"
    yield "cycles", "rectification_ratio", float(-cycles[-1, read] / cycles[-1, half + read]), "1"
