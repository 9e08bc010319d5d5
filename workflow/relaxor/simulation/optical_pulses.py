"""Sample traces of optical pulses on the synapse, as a script for a Keithley 2636B saves them."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from relaxor.simulation import light_truth as truth
from relaxor.simulation.light_runs import AREA, CODE_PULSES, PAIRS, SERIES, TRAIN, Exposure, code
from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.synapse import COLOURS, DARK, LIGHT_DRIFT, LIGHT_NOISE, LIGHT_VARIATION, READ_VOLTAGE
from relaxor.simulation.writers.keithley_2636 import write

PAIR_REPEATS, CODE_REPEATS = 2, 20
PANELS = {
    650: ("3d,3h", "3e", "3f", "3g"),
    520: ("S10a,3h", "S10b", "S10c", "S10d"),
    450: ("S11a,3h", "S11b", "S11c", "S11d"),
}
"""Wavelength (nm) → panels of the series of power, frequency, duration and number."""
NOTES = {
    "power": "1 s, 2 to 64 mW/cm²",
    "frequency": f"{TRAIN} pulses, on half of the time, 1 to 50 Hz, 32 mW/cm²",
    "duration": "0.1 to 5 s, 32 mW/cm²",
    "number": "1 to 40 pulses of 0.2 s every 0.4 s, 32 mW/cm²",
}


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield pairs, series of power, frequency, duration and number at three wavelengths, and the codes."""
    pairs = [exposure for exposure in PAIRS.values() for _ in range(PAIR_REPEATS)]
    yield _file(rng, "light_ppf_650nm", "3c", 650, pairs, truth.of_pairs(), "pairs of 100 ms, 0.1 to 50 s apart")
    for wavelength, panels in PANELS.items():
        for (name, runs), panel in zip(SERIES.items(), panels, strict=True):
            found = truth.of_series(name, wavelength)
            yield _file(rng, f"light_{name}_{wavelength}nm", panel, wavelength, list(runs.values()), found, NOTES[name])
    codes = [code(number) for _ in range(CODE_REPEATS) for number in range(2**CODE_PULSES)]
    note = "sixteen codes of four slots of 0.2 s, light for 0.1 s in the slots that are 1; 20 repeats"
    yield _file(rng, "light_codes_650nm", "5a", 650, codes, truth.of_codes(), note, truth.of_responses())


def record(rng: np.random.Generator, runs: Sequence[Exposure], wavelength: int) -> list[np.ndarray]:
    """Record the current of runs, pA: a response of each run's own, noise of the readings, drift in the dark."""
    currents = []
    for exposure in runs:
        response = 1 + LIGHT_VARIATION * rng.standard_normal()
        current = DARK + response * exposure.response(COLOURS[wavelength])
        noise = LIGHT_NOISE * rng.standard_normal(current.size)
        currents.append(current + LIGHT_DRIFT * exposure.time + noise)
    return currents


def _file(
    rng: np.random.Generator, name: str, panel: str, wavelength: int, runs: Sequence[Exposure],
    truth: Iterable[Truth], note: str,
    series_truth: Iterable[tuple[str, str, str, float, str]] = (),
) -> SampleFile:  # fmt: skip
    numbers = [np.full(exposure.time.size, number) for number, exposure in enumerate(runs, 1)]
    content = write(
        {
            "Run [1]": ("d", np.concatenate(numbers)),
            "Time [s]": (".4f", np.concatenate([exposure.time for exposure in runs])),
            "Power Density [mW/cm^2]": ("g", np.concatenate([exposure.power for exposure in runs])),
            "Bias Voltage [V]": ("g", np.full(sum(map(len, numbers)), READ_VOLTAGE)),
            "Channel Current [A]": (".4e", 1e-12 * np.concatenate(record(rng, runs, wavelength))),
        }
    )
    conditions = {"wavelength": f"{wavelength} nm", "area": f"{AREA:g} cm^2"}
    return SampleFile(
        name,
        "optical_pulses",
        panel,
        f"CBPS_{name}.csv",
        content,
        truth=tuple(truth),
        series_truth=tuple(series_truth),
        conditions=conditions,
        note=note,
    )
