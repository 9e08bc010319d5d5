"""Sample traces of optical pulses on the synapse, as a script for a Keithley 2636B saves them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from relaxor.simulation import light_truth as truth
from relaxor.simulation.light_runs import Exposure, Specimen
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.synapse import LIGHT_NOISE
from relaxor.simulation.writers.keithley_2636 import write


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield pairs, series at all wavelengths, and the codes of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    for entry, wavelength, runs, found in _recordings(specimen):
        numbers = [np.full(exposure.time.size, number) for number, exposure in enumerate(runs, 1)]
        columns = {
            "Run [1]": ("d", np.concatenate(numbers)),
            "Time [s]": (".4f", np.concatenate([exposure.time for exposure in runs])),
            "Power Density [mW/cm^2]": ("g", np.concatenate([exposure.power for exposure in runs])),
            "Bias Voltage [V]": ("g", np.full(sum(map(len, numbers)), specimen.device.read_voltage)),
            "Channel Current [A]": (".4e", 1e-12 * np.concatenate(record(specimen, rng, runs, wavelength))),
        }
        conditions = {"wavelength": f"{wavelength} nm", "area": f"{specimen.area:g} cm^2"}
        described = entry.model_copy(update={"conditions": conditions})
        last = tuple(truth.of_responses(specimen)) if entry is specimen.codes.file else ()
        yield SampleFile.of(described, "optical_pulses", write(columns), truth=tuple(found), series_truth=last)


def _recordings(specimen: Specimen) -> Iterator[tuple[FileEntry, int, list[Exposure], Iterable[Truth]]]:
    """Yield the file, the wavelength, the runs and the true values of each recording."""
    pairs, codes = specimen.pairs, specimen.codes
    runs = [specimen.pair(interval) for interval in pairs.intervals for _ in range(pairs.repeats)]
    yield pairs.file, pairs.wavelength, runs, truth.of_pairs(specimen)
    for wavelength in specimen.light.colors:
        for series in specimen.series:
            runs = list(specimen.runs(series).values())
            yield series.files[wavelength], wavelength, runs, truth.of_series(specimen, series, wavelength)
    runs = [specimen.code(number) for _ in range(codes.repeats) for number in range(2**codes.slots)]
    yield codes.file, codes.wavelength, runs, truth.of_codes(specimen)


def record(specimen: Specimen, rng: np.random.Generator, runs: Sequence[Exposure], wavelength: int) -> list[np.ndarray]:
    """Record the current of runs, pA: each run has its own response; noise of the readings and drift are added."""
    light, currents = specimen.light, []
    for exposure in runs:
        response = 1 + light.variation * rng.standard_normal()
        current = light.dark + response * exposure.response(light.colors[wavelength])
        noise = LIGHT_NOISE * rng.standard_normal(current.size)
        currents.append(current + light.drift * exposure.time + noise)
    return currents
