"""Intervals of every number of the synapse hold the truth in 90 to 98 of 100 draws of its noise.

The device and its instruments are drawn anew each time, and go through the functions that analyse the files. Numbers of
one kind (the responses of a series, the time constants behind its trains) are counted together. A number that a draw
does not give, because its data support another law, does not hold the truth.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from relaxor.core.variables import variable
from relaxor.project.analysis import analyse
from relaxor.simulation import light_truth, pulse_truth
from relaxor.simulation import optical_pulses as light
from relaxor.simulation.sample_file import Truth
from relaxor.simulation.synapse import Run
from relaxor.techniques.registry import techniques

from tests.project import SETTINGS
from tests.simulated import specimen
from tests.synapse import test_protocols

PULSES, LIGHT = specimen("electrical_pulses"), specimen("optical_pulses")
WAVELENGTH = 650
DRAWS, MORE_DRAWS = 200, 800
"""Draws of all numbers, and of the kinds that these show outside: of so many kinds, chance alone takes some there."""
LOW, HIGH = 0.90, 0.98
ALWAYS = "light_codes_650nm"
"""Its repeats tell how much runs vary, which the errors of all other files hold."""
Key = tuple[str, str, str, str, float | None]
"""Measurement, model, parameter, feature and what it was taken at."""
Truths = dict[Key, float]


def key_of(measurement: str, row) -> Key:
    return measurement, row.model, row.parameter, row.feature, row.at if math.isfinite(row.at) else None


def truths(measurement: str, rows: Iterable[Sequence]) -> Truths:
    return {key_of(measurement, true): true.value for true in (Truth(*row) for row in rows)}


# --- the files
def electrical(rng: np.random.Generator) -> Iterator[Measurement]:
    def named(entry, runs: Sequence[Run]) -> Measurement:
        drawn = test_protocols.measurement(runs)
        return Measurement(entry.file.measurement, drawn.attrs, {}, drawn.regions)

    pairs = PULSES.pairs
    yield named(pairs, PULSES.record(map(PULSES.pair, pairs.intervals), rng, pairs.repeats))
    for series in PULSES.series:
        yield named(series, PULSES.record(PULSES.trains(series).values(), rng, series.repeats))
    for cycles in PULSES.cycles:
        yield named(cycles, PULSES.record_cycles(cycles.pulses, rng))


def electrical_truths() -> Truths:
    found = truths(PULSES.pairs.file.measurement, pulse_truth.of_pairs(PULSES))
    for series in PULSES.series:
        found |= truths(series.file.measurement, pulse_truth.of_series(PULSES, series))
    for cycles in PULSES.cycles:
        found |= truths(cycles.file.measurement, pulse_truth.of_cycles(PULSES, cycles.pulses))
    return found


def optical(rng: np.random.Generator) -> Iterator[Measurement]:
    """All that is recorded at one wavelength."""
    pairs, codes = LIGHT.pairs, LIGHT.codes
    files = {pairs.file.measurement: [LIGHT.pair(t) for t in pairs.intervals for _ in range(pairs.repeats)]}
    files |= {series.files[WAVELENGTH].measurement: list(LIGHT.runs(series).values()) for series in LIGHT.series}
    files[codes.file.measurement] = [LIGHT.code(n) for _ in range(codes.repeats) for n in range(2**codes.slots)]
    conditions = {"wavelength": (float(WAVELENGTH), "nm"), "area": (LIGHT.area, "cm^2")}
    for name, runs in files.items():
        number = np.repeat(np.arange(len(runs)), [run.time.size for run in runs])
        columns = {
            "run": (number, "1"),
            "time": (np.concatenate([run.time for run in runs]), "s"),
            "power": (np.concatenate([run.power for run in runs]), "mW/cm^2"),
            "bias": (np.full(number.size, LIGHT.device.read_voltage), "V"),
            "current": (1e-12 * np.concatenate(light.record(LIGHT, rng, runs, WAVELENGTH)), "A"),
        }
        table = xr.Dataset({key: variable("row", values, unit, key) for key, (values, unit) in columns.items()})
        yield Measurement(name, test_protocols.ATTRS, conditions, {"table": table})


def optical_truths() -> Truths:
    found = truths(LIGHT.pairs.file.measurement, light_truth.of_pairs(LIGHT))
    for series in LIGHT.series:
        found |= truths(series.files[WAVELENGTH].measurement, light_truth.of_series(LIGHT, series, WAVELENGTH))
    found |= truths(LIGHT.codes.file.measurement, light_truth.of_codes(LIGHT))
    name = f"response_{WAVELENGTH}nm"
    return found | truths(name, (row[1:] for row in light_truth.of_responses(LIGHT) if row[0] == name))


# --- counting
def kind(key: Key) -> tuple[str, str, str]:
    measurement, model, parameter, *_ = key
    return re.sub(r"_\d+V?$", "", measurement), re.sub(r"_\d+$", "", model), parameter


def held(
    technique: str,
    files: Callable[[np.random.Generator], Iterator[Measurement]],
    truths: Truths,
    chosen: set[str] | None,
    seed: int,
) -> dict[Key, bool]:
    """Say of every truth whether its interval holds it in one draw of the chosen files (of all, if None)."""
    drawn = [entry for entry in files(np.random.default_rng(seed)) if not chosen or entry.id in {*chosen, ALWAYS}]
    found = analyse(techniques()[technique], drawn, SETTINGS.layers(technique, "cbps")).numbers
    rows = {key_of(row.measurement, row): row for row in found}
    return {key: key in rows and rows[key].ci_low <= value <= rows[key].ci_high for key, value in truths.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("technique", "files", "truths"),
    [("electrical_pulses", electrical, electrical_truths), ("optical_pulses", optical, optical_truths)],
)
def test_intervals_hold_the_truth(technique, files, truths) -> None:
    hits = defaultdict(list)

    def draw(wanted: Truths, chosen: set[str] | None, seeds: range) -> None:
        with ProcessPoolExecutor() as pool:
            for found in pool.map(partial(held, technique, files, wanted, chosen), seeds):
                for key, hit in found.items():
                    hits[kind(key)].append(hit)

    def outside() -> dict[tuple[str, str, str], float]:
        return {key: float(np.mean(each)) for key, each in hits.items() if not LOW <= np.mean(each) <= HIGH}

    draw(truths(), None, range(DRAWS))
    if first := outside():
        print("outside at first:", first)
        wanted = {key: value for key, value in truths().items() if kind(key) in first}
        ids = {key[0] for key in wanted}
        of_files = ids <= {entry.id for entry in files(np.random.default_rng(0))}
        draw(wanted, ids if of_files else None, range(DRAWS, MORE_DRAWS))
    print("", *(f"{np.mean(each):.3f} {len(each):6}  {' '.join(key)}" for key, each in sorted(hits.items())), sep="\n")
    assert not outside(), outside()
