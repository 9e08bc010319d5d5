"""Tables of digested points give the numbers that were put in, and say what points do not tell."""

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Status
from relaxor.core.variables import variable
from relaxor.project.analysis import analyse
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import techniques

ATTRS = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "measured"}
TECHNIQUE = techniques()["electrical_pulses"]
LOWEST, HIGHEST, PULSES, CONSTANT = 10.0, 50.0, 50, 12.0


def table(**columns: tuple[np.ndarray, str]) -> xr.Dataset:
    return xr.Dataset({name: variable("row", values, unit, name) for name, (values, unit) in columns.items()})


def numbers(data: xr.Dataset) -> list[Number]:
    assert TECHNIQUE.recognise(Contents("columns", "", (data,))) == 1
    layers: dict[str, dict[str, object]] = {"instruments": {}, "lab": {}, "sample": {}}
    return analyse(TECHNIQUE, [Measurement("points", ATTRS, {}, {"table": data})], layers).numbers


def one(rows: list[Number], model: str, parameter: str) -> Number:
    (found,) = [row for row in rows if (row.model, row.parameter) == (model, parameter)]
    return found


def cycles(count: int, noise: float, seed: int) -> np.ndarray:
    """Conductances in nS: exponential potentiation, depression that retraces it."""
    rise = (1 - np.exp(-np.arange(1, PULSES + 1) / CONSTANT)) / (1 - np.exp(-PULSES / CONSTANT))
    cycle = LOWEST + (HIGHEST - LOWEST) * np.concatenate([rise, 1 - rise])
    return np.tile(cycle, count) + noise * np.random.default_rng(seed).standard_normal(count * cycle.size)


@pytest.mark.parametrize("unit, scale", [("nS", 1.0), ("uS", 1e-3)])
def test_one_cycle_gives_the_law_with_the_scatter_of_its_points(unit: str, scale: float) -> None:
    states = cycles(1, 0.2, 1)
    rows = numbers(table(pulse_number=(np.arange(1.0, states.size + 1), "1"), conductance=(scale * states, unit)))
    constant, largest = (one(rows, "potentiation", name) for name in ("pulse_constant", "maximum_conductance"))
    assert constant.value == pytest.approx(CONSTANT, abs=3 * constant.standard_error)
    assert largest.value == pytest.approx(HIGHEST * 1e-9, abs=3 * largest.standard_error)
    assert constant.status is Status.ASSUMED and "one cycle" in constant.method
    assert one(rows, "depression", "nonlinearity").value < 0 < one(rows, "potentiation", "nonlinearity").value


@pytest.mark.parametrize("names", [("potentiation", "depression"), ("ltp", "ltd")])
def test_branches_side_by_side_are_one_cycle(names: tuple[str, str]) -> None:
    states = cycles(1, 0.2, 1)
    rise, fall = states[:PULSES], states[PULSES:]
    pulse = (np.arange(1.0, PULSES + 1), "1")
    rows = numbers(table(pulse=pulse, **{names[0]: (rise, "nS"), names[1]: (fall, "nS")}))
    whole = numbers(table(pulse=(np.arange(1.0, states.size + 1), "1"), conductance=(states, "nS")))
    for model in ("potentiation", "depression"):
        assert one(rows, model, "nonlinearity").value == one(whole, model, "nonlinearity").value


def test_several_cycles_are_analysed_like_recorded_ones() -> None:
    states = cycles(8, 0.2, 2)
    rows = numbers(table(pulse=(np.arange(1.0, states.size + 1), "1"), g=(states, "nS")))
    constant = one(rows, "potentiation", "pulse_constant")
    assert constant.value == pytest.approx(CONSTANT, abs=4 * constant.standard_error) and constant.status is Status.OK
    assert "jackknife" in constant.method
    assert one(rows, "cycles", "cycle_to_cycle_variation").value == pytest.approx(0.2 / 40, rel=0.2)


@pytest.mark.parametrize("unit, factor", [("percent", 100.0), ("1", 1.0)])
def test_pairs_give_their_relaxation(unit: str, factor: float) -> None:
    interval = np.array([5, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320.0])
    index = 1 + 0.8 * np.exp(-interval / 30) + 0.004 * np.random.default_rng(3).standard_normal(interval.size)
    rows = numbers(table(interval=(interval, "ms"), ppf_index=(factor * index, unit)))
    time = one(rows, "single_exponential_fixed_floor", "relaxation_time")
    assert time.value == pytest.approx(0.030, abs=3 * time.standard_error) and time.unit == "s"
    assert time.standard_error < 0.003


def test_few_intervals_have_their_indices_and_no_fit() -> None:
    index = np.array([170.0, 150.0, 120.0])
    rows = numbers(table(interval=(np.array([5.0, 20.0, 80.0]), "ms"), ppf=(index, "percent")))
    each = [row for row in rows if row.parameter == "paired_pulse_index" and not row.feature]
    assert [(row.value, row.at, row.at_unit) for row in each] == [(170, 0.005, "s"), (150, 0.02, "s"), (120, 0.08, "s")]
    assert all(np.isnan(row.standard_error) and "not known from 3 intervals" in row.method for row in each)
    (time,) = [row for row in rows if row.parameter == "relaxation_time"]
    assert time.status is Status.NOT_IDENTIFIED and np.isnan(time.value)
    assert "3 intervals, 5 are needed to fit a decay" in time.method


def test_a_table_of_too_few_points_is_refused() -> None:
    with pytest.raises(AnalysisError, match="no branch of 5 pulses"):
        numbers(table(pulse=(np.arange(4.0), "1"), g=(np.array([1.0, 2.0, 3.0, 4.0]), "nS")))
