"""Intervals of every number of the synapse hold the truth in 90 to 98 of 100 draws of its noise.

The device and its instruments are drawn anew each time, and go through the functions that analyse the files. Numbers of
one kind (the responses of a series, the time constants behind its trains) are counted together. A number that a draw
does not give, because its data support another law, does not hold the truth.
"""

import importlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement, Number
from relaxor.core.variables import variable
from relaxor.project.settings import load_settings
from relaxor.simulation import electrical_pulses as pulses
from relaxor.simulation import light_runs, light_truth, pulse_truth, trains
from relaxor.simulation import optical_pulses as light

from tests.conftest import ROOT
from tests.plasticity import test_protocols

DRAWS, MORE_DRAWS = 200, 800
"""Draws of all numbers, and of the kinds that these show outside: of so many kinds, chance alone takes some there."""
LOW, HIGH = 0.90, 0.98
ALWAYS = "light_codes_650nm"
"""Its repeats tell how much runs vary, which the errors of all other files hold."""
LABEL = re.compile(r"^(N?[\d.]+(ms|s|V|Hz|mW)?)_|_(N?[\d.]+(ms|s|V|Hz|mW)?|[01]{4}|at_.*|\d)$")
"""What tells the numbers of one kind apart: pulses, volts, hertz, codes, powers, and the number of an exponential."""
Truths = dict[tuple[str, str, str], float]


def numbers(technique: str, measurements: Sequence[Measurement]) -> list[Number]:
    """Analyse measurements as the workflow does their files."""
    module = importlib.import_module(f"relaxor.{technique}")
    settings = load_settings(ROOT / "config/config.yaml").model_dump(mode="json")[technique]
    with (
        mock.patch.object(module, "load", return_value=list(measurements)),
        mock.patch.object(module, "save_tree"),
        mock.patch.object(module, "save_parameters") as saved,
    ):
        module.analyse("", "", "", **settings)
    return list(saved.call_args.args[1])


# --- the files
def electrical(rng: np.random.Generator) -> Iterator[Measurement]:
    def named(name: str, runs: Sequence[trains.Run]) -> Measurement:
        entry = test_protocols.measurement(runs)
        return Measurement(name, entry.attrs, {}, entry.regions)

    pairs = [trains.run(train, rng) for train in trains.PAIR_TRAINS.values() for _ in range(pulses.PAIRS)]
    yield named("ppf", pairs)
    for name, series in trains.SERIES.items():
        repeats = 1 if name == "retention" else pulses.SERIES_REPEATS
        yield named(name, [trains.run(train, rng) for train in series.values() for _ in range(repeats)])
    for count in (50, 20):
        yield named(f"ltp_ltd_{count}", trains.cycles(count, rng))


def electrical_truths() -> Truths:
    found = {("ppf", *row[:2]): row[2] for row in pulse_truth.of_pairs()}
    found |= {(name, *row[:2]): row[2] for name in trains.SERIES for row in pulse_truth.of_series(name)}
    return found | {(f"ltp_ltd_{n}", *row[:2]): row[2] for n in (50, 20) for row in pulse_truth.of_cycles(n)}


def optical(rng: np.random.Generator) -> Iterator[Measurement]:
    """All that is recorded at 650 nm."""
    files = {"light_ppf_650nm": [run for run in light_runs.PAIRS.values() for _ in range(light.PAIR_REPEATS)]}
    files |= {f"light_{name}_650nm": list(runs.values()) for name, runs in light_runs.SERIES.items()}
    files["light_codes_650nm"] = [light_runs.code(n) for _ in range(light.CODE_REPEATS) for n in range(16)]
    conditions = {"wavelength": (650.0, "nm"), "area": (light_runs.AREA, "cm^2")}
    for name, runs in files.items():
        number = np.repeat(np.arange(len(runs)), [run.time.size for run in runs])
        columns = {
            "run": (number, "1"),
            "time": (np.concatenate([run.time for run in runs]), "s"),
            "power": (np.concatenate([run.power for run in runs]), "mW/cm^2"),
            "bias": (np.full(number.size, 0.5), "V"),
            "current": (1e-12 * np.concatenate(light.record(rng, runs, 650)), "A"),
        }
        table = xr.Dataset({key: variable("row", values, unit, key) for key, (values, unit) in columns.items()})
        yield Measurement(name, test_protocols.ATTRS, conditions, {"table": table})


def optical_truths() -> Truths:
    found = {("light_ppf_650nm", *row[:2]): row[2] for row in light_truth.of_pairs()}
    for name in light_runs.SERIES:
        found |= {(f"light_{name}_650nm", *row[:2]): row[2] for row in light_truth.of_series(name, 650)}
    found |= {("light_codes_650nm", *row[:2]): row[2] for row in light_truth.of_codes()}
    return found | {tuple(row[:3]): row[3] for row in light_truth.of_responses() if row[0] == "response_650nm"}


# --- counting
def kind(key: tuple[str, str, str]) -> tuple[str, str, str]:
    measurement, model, parameter = key
    return re.sub(r"_\d+V?$", "", measurement), LABEL.sub("", model), LABEL.sub("", parameter)


def held(
    technique: str,
    files: Callable[[np.random.Generator], Iterator[Measurement]],
    truths: Truths,
    chosen: set[str] | None,
    seed: int,
) -> dict:
    """Say of every truth whether its interval holds it in one draw of the chosen files (of all, if None)."""
    drawn = [entry for entry in files(np.random.default_rng(seed)) if not chosen or entry.id in {*chosen, ALWAYS}]
    rows = {(row.measurement, row.model, row.parameter): row for row in numbers(technique, drawn)}
    return {key: key in rows and rows[key].ci_low <= value <= rows[key].ci_high for key, value in truths.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("technique", "files", "truths"),
    [("pulses", electrical, electrical_truths), ("light", optical, optical_truths)],
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
