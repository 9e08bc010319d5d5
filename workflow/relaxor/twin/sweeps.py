"""Sample I–V sweeps of the synapse, as a Keithley 4200A-SCS saves them: each cycle 0 → V → 0 → −V → 0.

The field fills the polarization in either direction while it lasts, so that the current lags behind the voltage (a
loop) and grows from cycle to cycle; both polarities alike, as the paper reports.
"""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from relaxor.twin import SampleFile
from relaxor.twin.synapse import FILL, FLOOR, SPAN, dose, nonlinearity
from relaxor.twin.writers.keithley_4200 import write

AMPLITUDES = (1.0, 3.0, 5.0)
"""Volts (paper: ±3 V in Fig. 2a, ±1 and ±5 V in Fig. S6)."""
CYCLES = 12
POINTS = 60
"""Samples from zero to the amplitude."""
STEP = 0.02
"""Seconds a sample."""
FADING = 40.0
"""Seconds in which half-written polarization goes back during a sweep."""
NOISE, RELATIVE_NOISE = 0.020, 0.002
"""White noise of a sample: pA, and relative to the current."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the sweeps of ±3 V, and one file with sweeps of three amplitudes."""
    for amplitude in AMPLITUDES:
        voltage, current = sweep(amplitude)
        noise = np.hypot(NOISE, RELATIVE_NOISE * current) * rng.standard_normal(current.size)
        columns = {
            "Time": STEP * np.arange(1, voltage.size + 1),
            "V": voltage,
            "I": _rounded(1e-12 * (current + noise)),
        }
        name = f"sweep_{amplitude:g}V"
        yield SampleFile(
            name,
            "sweeps",
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
            truth=tuple(_truth(voltage, current)),
            note=f"{CYCLES} cycles 0 → {amplitude:g} → 0 → −{amplitude:g} → 0 V",
        )


def sweep(amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    """Return voltage (V) and noiseless current (pA) of all cycles, shape (CYCLES * 4 * POINTS,)."""
    up = amplitude * np.arange(1, POINTS + 1) / POINTS
    down = amplitude * np.arange(POINTS - 1, -1, -1) / POINTS
    voltage = np.tile(np.concatenate([up, down, -up, -down]), CYCLES)
    filled, current = 0.0, np.empty(voltage.size)
    for index, value in enumerate(voltage):
        rate = FILL * dose(abs(value), 0.1) / 0.1
        filled += STEP * (rate * (1 - filled) - filled / FADING)
        current[index] = (FLOOR + SPAN * filled) * nonlinearity(value)
    return voltage, current


def _rounded(values: np.ndarray) -> np.ndarray:
    """Keep the six digits that the instrument writes."""
    return np.array([float(f"{value:.5e}") for value in values.tolist()])


def _truth(voltage: np.ndarray, current: np.ndarray) -> Iterator[tuple[str, str, float, str]]:
    cycles = 1e-12 * current.reshape(CYCLES, 4 * POINTS)
    half = 2 * POINTS
    for name, lobe, sign in (("positive", slice(0, half), 1), ("negative", slice(half, None), -1)):
        peaks = (sign * cycles[:, lobe]).max(axis=1)
        yield "cycles", f"peak_current_{name}", sign * float(peaks[-1]), "A"
        areas = [abs(np.trapezoid(cycle[lobe], voltage[: 4 * POINTS][lobe])) for cycle in cycles]
        yield "cycles", f"loop_area_{name}", float(np.mean(areas)), "A*V"
