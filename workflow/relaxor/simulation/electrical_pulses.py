"""Sample traces of electrical pulses on the synapse, as a Keithley 4200A-SCS saves them: full time traces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from relaxor.simulation import pulse_truth as truth
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.synapse import Run
from relaxor.simulation.trains import Specimen
from relaxor.simulation.writers.keithley_4200 import rounded, write

START = datetime(2024, 11, 21, 9, 0)
"""Time of the first file; each series follows an hour after the one before."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield pairs, series, and potentiation with depression of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    pairs = specimen.pairs
    runs = specimen.record(map(specimen.pair, pairs.intervals), rng, pairs.repeats)
    yield _file(specimen, pairs.file, runs, 0, truth.of_pairs(specimen))
    for number, series in enumerate(specimen.series, 1):
        runs = specimen.record(specimen.trains(series).values(), rng, series.repeats)
        yield _file(specimen, series.file, runs, number, truth.of_series(specimen, series))
    for cycles in specimen.cycles:
        runs = specimen.record_cycles(cycles.pulses, rng)
        number = len(specimen.series) + 1
        yield _file(specimen, cycles.file, runs, number, truth.of_cycles(specimen, cycles.pulses))


def _file(specimen: Specimen, entry: FileEntry, runs: Sequence[Run], number: int, truth: Iterable[Truth]) -> SampleFile:
    sheets: Mapping[str, Mapping[str, np.ndarray]] = {
        f"Run{index}": {"Time": np.round(time, 4), "V": voltage, "I": rounded(current, 5)}
        for index, (time, voltage, current) in enumerate(runs, 1)
    }
    read_voltage = f"{specimen.device.read_voltage:g}"
    settings = [("Comment", "SIMULATED"), ("Read Voltage", read_voltage), ("Instrument", "4225-RPM")]
    executed = START + timedelta(hours=number)
    content = write(sheets, test=f"{entry.measurement}#1", executed=executed, settings=settings)
    return SampleFile.of(entry, "electrical_pulses", content, truth=tuple(truth))
