"""Intervals of every number of the synapse hold the truth in 90 to 98 of 100 draws of its noise, as far as draws tell.

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
from relaxor.config import load_settings
from relaxor.data import Measurement, Number
from relaxor.readers.schema import variable
from relaxor.twin import light, light_runs, light_truth, pulse_truth, pulses, sweeps, trains
from scipy.stats import binomtest

from tests.conftest import ROOT
from tests.plasticity import test_protocols

DRAWS = 200
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


def swept(rng: np.random.Generator) -> Iterator[Measurement]:
    for amplitude in sweeps.AMPLITUDES:
        voltage, exact = sweeps.sweep(amplitude)
        noise = np.hypot(sweeps.NOISE, sweeps.RELATIVE_NOISE * exact) * rng.standard_normal(exact.size)
        region = xr.Dataset(
            {
                "V": variable("point", voltage, "V", "voltage"),
                "I": variable("point", 1e-12 * (exact + noise), "A", "current"),
            }
        )
        yield Measurement(f"sweep_{amplitude:g}V", test_protocols.ATTRS, {}, {"Run1": region})


def swept_truths() -> Truths:
    return {(f"sweep_{v:g}V", *row[:2]): row[2] for v in sweeps.AMPLITUDES for row in sweeps._truth(v)}


# --- counting
def kind(key: tuple[str, str, str]) -> tuple[str, str, str]:
    measurement, model, parameter = key
    return re.sub(r"_\d+V?$", "", measurement), LABEL.sub("", model), LABEL.sub("", parameter)


def held(
    technique: str, files: Callable[[np.random.Generator], Iterator[Measurement]], truths: Truths, seed: int
) -> dict:
    """Say of every truth whether its interval holds it in one draw."""
    rows = {
        (row.measurement, row.model, row.parameter): row
        for row in numbers(technique, list(files(np.random.default_rng(seed))))
    }
    return {key: key in rows and rows[key].ci_low <= value <= rows[key].ci_high for key, value in truths.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("technique", "files", "truths"),
    [("sweeps", swept, swept_truths), ("pulses", electrical, electrical_truths), ("light", optical, optical_truths)],
)
def test_intervals_hold_the_truth(technique, files, truths) -> None:
    shares = defaultdict(list)
    with ProcessPoolExecutor() as pool:
        for found in pool.map(partial(held, technique, files, truths()), range(DRAWS)):
            for key, hit in found.items():
                shares[kind(key)].append(hit)
    covered = {key: float(np.mean(hits)) for key, hits in shares.items()}
    print("", *(f"{share:.3f}  {' '.join(key)}" for key, share in sorted(covered.items())), sep="\n")
    outside = {key: covered[key] for key, hits in shares.items() if not _may_lie_within(hits, 0.90, 0.98)}
    assert not outside, outside


def _may_lie_within(hits: Sequence[bool], low: float, high: float) -> bool:
    """Whether the 95 % interval of the share meets the range: of so many kinds, chance alone takes some out of it."""
    share = binomtest(sum(hits), len(hits)).proportion_ci(0.95)
    return share.low <= high and low <= share.high
