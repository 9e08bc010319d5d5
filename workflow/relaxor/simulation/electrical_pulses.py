"""Sample traces of electrical pulses on the synapse, as a Keithley 4200A-SCS saves them: full time traces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from relaxor.simulation import pulse_truth as truth
from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.trains import CYCLES, PAIR_TRAINS, RETENTION, SERIES, Run, cycles, run
from relaxor.simulation.writers.keithley_4200 import write

PAIRS, SERIES_REPEATS = 8, 3
"""Repeats of each interval, and of each run of a series."""
START = datetime(2024, 11, 21, 9, 0)


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield pairs, series of width, amplitude and number, retention, and potentiation with depression."""
    pairs = [run(train, rng) for train in PAIR_TRAINS.values() for _ in range(PAIRS)]
    note = "two pulses of 5 V, 100 ms; intervals 10 ms to 2 s, 8 repeats each"
    yield _file("ppf", "2b", pairs, 0, truth.of_pairs(), note)
    for number, (name, panel, repeats, note) in enumerate(
        (
            ("widths", "2c", SERIES_REPEATS, "single pulses of 5 V, 10 ms to 1 s, 3 repeats each"),
            ("amplitudes", "2d,2e", SERIES_REPEATS, "ten pulses of 100 ms, 2 to 5 V, 3 repeats each"),
            ("numbers", "2f", SERIES_REPEATS, "trains of 1 to 50 pulses of 5 V, 100 ms, 3 repeats each"),
            ("retention", "S9", 1, f"read for {RETENTION:g} s after trains of 10 and 50 pulses"),
        ),
        1,
    ):
        runs = [run(train, rng) for train in SERIES[name].values() for _ in range(repeats)]
        yield _file(name, panel, runs, number, truth.of_series(name), note)
    for count, panel in ((50, "2g"), (20, "S8")):
        note = f"{count} pulses of +5 V and {count} of −3 V, 100 ms, {CYCLES} cycles one after the other"
        yield _file(f"ltp_ltd_{count}", panel, cycles(count, rng), 5, truth.of_cycles(count), note)


def _file(name: str, panel: str, runs: Sequence[Run], number: int, truth: Iterable[Truth], note: str) -> SampleFile:
    sheets: Mapping[str, Mapping[str, np.ndarray]] = {
        f"Run{index}": {"Time": np.round(time, 4), "V": voltage, "I": _rounded(current)}
        for index, (time, voltage, current) in enumerate(runs, 1)
    }
    settings = [("Comment", "SIMULATED"), ("Read Voltage", "0.5"), ("Instrument", "4225-RPM")]
    executed = START + timedelta(hours=number)
    content = write(sheets, test=f"{name}#1", executed=executed, settings=settings)
    counts = {sum(np.diff(np.abs(voltage - 0.5), prepend=0.0) > 1.0) for _, voltage, _ in runs}
    conditions = {"pulses": f"{counts.pop():d}"} if len(counts) == 1 else {}
    return SampleFile(
        name,
        "electrical_pulses",
        panel,
        f"CBPS_{name}.xlsx",
        content,
        truth=tuple(truth),
        conditions=conditions,
        note=note,
    )


def _rounded(values: np.ndarray) -> np.ndarray:
    """Keep the five digits that the instrument writes."""
    return np.array([float(f"{value:.4e}") for value in values.tolist()])
