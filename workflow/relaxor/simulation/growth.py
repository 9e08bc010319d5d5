"""Temperature log of the crystal growth: ramp to 870 °C in 48 h, seven days' soak, furnace cooling."""

from collections.abc import Iterator

import numpy as np

from relaxor.simulation.sample_file import PROGRAM, SampleFile

AMBIENT, SOAK = 23.5, 870.0
"""°C; the soak is the paper's, the ambient plausible."""
START, RAMP, HOLD, TAIL = 1.0, 48.0, 168.0, 40.0
"""h; ramp and soak are the paper's; logging begins before the ramp and ends when the furnace is cool."""
COOLING_TIME = 6.5
"""h; Newton cooling of a small tube furnace, plausible."""
SAMPLING = 5 / 60
"""h."""
NOISE = 0.6
"""°C; thermocouple and controller, white at five minutes."""


def temperature(time: np.ndarray) -> np.ndarray:
    """Return the noiseless furnace temperature in °C at a time in h."""
    rising = AMBIENT + (SOAK - AMBIENT) * np.clip((time - START) / RAMP, 0, 1)
    cooling = AMBIENT + (SOAK - AMBIENT) * np.exp(-np.maximum(time - START - RAMP - HOLD, 0) / COOLING_TIME)
    return np.minimum(rising, cooling)


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the log of one growth run."""
    time = np.arange(round((START + RAMP + HOLD + TAIL) / SAMPLING) + 1) * SAMPLING
    reading = temperature(time) + rng.normal(0, NOISE, len(time))
    lines = [
        f"# Furnace log: SIMULATED by {PROGRAM}.growth, not measured",
        "# Charge: Cu, Bi, P, Se for CuBiP2Se6, sealed ampoule",
        "# Start: 2024-11-01T09:00:00",
        f"# Points: {len(time)}",
        "Elapsed (min);TC1 (degC)",
        *(f"{minutes:.1f};{value:.2f}" for minutes, value in zip(time * 60, reading, strict=True)),
    ]
    yield SampleFile(
        "furnace_log",
        "growth",
        "S1",
        "furnace_log.csv",
        "\n".join([*lines, ""]).encode(),
        truth=(
            ("segments", "ambient_temperature", AMBIENT, "degC"),
            ("segments", "ramp_start", START, "hour"),
            ("segments", "ramp_rate", (SOAK - AMBIENT) / RAMP, "delta_degC/hour"),
            ("segments", "ramp_time", RAMP, "hour"),
            ("segments", "soak_temperature", SOAK, "degC"),
            ("segments", "soak_time", HOLD, "hour"),
            ("segments", "soak_stability", NOISE, "delta_degC"),
            ("segments", "soak_drift", 0.0, "delta_degC/hour"),
            ("segments", "cooling_time_constant", COOLING_TIME, "hour"),
            ("segments", "cooling_ambient", AMBIENT, "degC"),
        ),
        table="furnace_log",
        note="one reading every five minutes",
    )
