"""Resistive switching: set and reset voltages and both states against devices whose truth is known."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from relaxor.core.storage import numbers_table
from relaxor.core.variables import variable
from relaxor.figures.panel import PanelData
from relaxor.figures.style import new_figure, use_style
from relaxor.project.analysis import analyse
from relaxor.techniques.iv_sweeps import panels
from relaxor.techniques.iv_sweeps.technique import TECHNIQUE

from tests.public_files import shared

R_ON, R_OFF, V_SET, V_RESET = 2e3, 3e5, 0.8, -0.6


def triangle(*corners: float, step: float = 0.01) -> np.ndarray:
    """Voltages from corner to corner, each corner once."""
    parts = [np.linspace(one, two, round(abs(two - one) / step), endpoint=False) for one, two in pairwise(corners)]
    return np.append(np.concatenate(parts), corners[-1])


def switch(source: np.ndarray, thresholds: np.ndarray, series: float = 0.0, off: float = R_OFF) -> np.ndarray:
    """Return voltage across a device and its current: a two-state machine that knows nothing of branches.

    The off state is a hyperbolic sine, so that its conductance grows fivefold up to the set voltage; a resistor stands
    in series. ``thresholds`` are set and reset voltage of each point.
    """
    is_on, found = False, []
    for applied, (v_set, v_reset) in zip(source, thresholds, strict=True):
        for _ in range(2):  # a second time after a change of state
            if is_on:
                current = applied / (R_ON + series)
                voltage = applied - series * current
            else:
                grid = np.linspace(0, applied, 2001)
                law = 0.3 * np.sinh(grid / 0.3) / off
                voltage = grid[np.argmin(np.abs(grid + series * law - applied))]
                current = 0.3 * np.sinh(voltage / 0.3) / off
            before = is_on
            is_on = (voltage > v_set) or (is_on and voltage > v_reset)
            if is_on == before:
                break
        found.append((voltage, current))
    return np.array(found).T


def measurement(voltage: np.ndarray, current: np.ndarray) -> Measurement:
    attrs = {"raw_file": "m.csv", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    columns = {"v": variable("row", voltage, "V", "voltage"), "i": variable("row", current, "A", "current")}
    return Measurement("m", attrs, {}, {"table": xr.Dataset(columns)})


def analysed(voltage: np.ndarray, current: np.ndarray, **settings: float) -> tuple[pd.DataFrame, PanelData]:
    layers = {"instruments": {}, "lab": settings, "sample": {}}
    result = analyse(TECHNIQUE, [measurement(voltage, current)], layers)
    table = numbers_table(result.numbers, "iv_sweeps")
    return table, PanelData(dict(xr.DataTree.from_dict(result.curves).children), table)


def rows(table: pd.DataFrame, parameter: str, model: str = "switching", **where: object) -> pd.DataFrame:
    found = table[(table["parameter"] == parameter) & (table["model"] == model)]
    for column, value in where.items():
        found = found[found[column] == value]
    return found


@pytest.fixture(scope="module")
def twenty() -> tuple[pd.DataFrame, PanelData, np.ndarray]:
    """Twenty cycles whose set and reset voltages scatter by 40 mV, with 1 % of noise and 2 nA."""
    rng = np.random.default_rng(3)
    loop = triangle(0, 1.2, 0, -1.2, 0)
    truth = np.array([V_SET, V_RESET]) + 0.04 * rng.standard_normal((20, 2))
    source = np.concatenate([loop] + [loop[1:]] * 19)
    place = np.repeat(np.arange(20), [loop.size] + [loop.size - 1] * 19)
    voltage, current = switch(source, truth[place])
    current = current + np.hypot(2e-9, 0.01 * current) * rng.standard_normal(current.size)
    return *analysed(voltage, current), truth


def test_every_cycle_has_its_set_and_reset_voltage(twenty: tuple) -> None:
    table, _, truth = twenty
    for column, parameter, polarity in ((0, "set_voltage", "positive"), (1, "reset_voltage", "negative")):
        found = rows(table, parameter)
        assert (found["feature"] == polarity).all() and found["at"].tolist() == list(range(1, 21))
        away = (found["value"].to_numpy() - truth[:, column]) / found["standard_error"].to_numpy()
        assert np.abs(away).max() < 3, away  # the step of the voltage is 10 mV


def test_the_distribution_is_that_of_the_device(twenty: tuple) -> None:
    table, _, truth = twenty
    for column, parameter, polarity in ((0, "set_voltage", "positive"), (1, "reset_voltage", "negative")):
        where = {"model": "switching_distribution", "feature": polarity}
        median, spread = rows(table, parameter, **where), rows(table, f"spread_of_{parameter}", **where)
        assert median["value"].item() == pytest.approx(np.median(truth[:, column]), abs=0.006)
        assert spread["value"].item() == pytest.approx(truth[:, column].std(ddof=1), rel=0.1)
        assert median["n"].item() == 20


def test_both_states_at_the_read_voltage(twenty: tuple) -> None:
    table, _, _ = twenty
    read = 0.3  # a quarter of 1.2 V
    off = R_OFF * read / (0.3 * np.sinh(read / 0.3))
    for parameter, truth in (("on_resistance", R_ON), ("off_resistance", off), ("on_off_ratio", off / R_ON)):
        for polarity in ("positive", "negative"):
            found = rows(table, parameter, model="switching_distribution", feature=polarity)
            assert found["value"].item() == pytest.approx(truth, rel=0.01)
    assert rows(table, "on_resistance")["method"].str.contains("0.3 V").all()


def test_a_resistor_in_series_moves_no_threshold() -> None:
    source = triangle(0, 2.0, 0, -2.0, 0)
    source = np.concatenate([source] + [source[1:]] * 4)
    voltage, current = switch(source, np.tile([V_SET, V_RESET], (source.size, 1)), series=2e3)
    noise = np.random.default_rng(1).standard_normal(current.size)
    table, _ = analysed(voltage, current + 2e-9 * noise, switching_voltage=0.2)
    for parameter, truth in (("set_voltage", V_SET), ("reset_voltage", V_RESET)):
        found = rows(table, parameter)
        assert len(found) == 5
        assert found["value"].to_numpy() == pytest.approx(truth, abs=0.015)


def test_an_off_current_in_the_noise_is_a_limit() -> None:
    source = triangle(0, 1.2, 0, -1.2, 0)
    voltage, current = switch(source, np.tile([V_SET, V_RESET], (source.size, 1)), off=1e13)
    current = current + 1e-9 * np.random.default_rng(2).standard_normal(current.size)
    table, _ = analysed(voltage, current)
    found = rows(table, "on_off_ratio", feature="positive")
    assert found["status"].item() == "limit" and "a lower limit" in found["method"].item()
    assert 1e4 < found["value"].item() < 1e13 / R_ON


@pytest.mark.parametrize("lag", [0.0, 0.1])
def test_a_device_that_does_not_switch_has_a_reason(lag: float) -> None:
    voltage = triangle(0, 3, 0, -3, 0, step=0.05)
    way_back = np.append(np.diff(np.abs(voltage)) < 0, True)
    current = 1e-7 * np.sinh(0.8 * voltage) * (1 + lag * way_back * (3 - np.abs(voltage)))
    table, data = analysed(voltage, current + 1e-9 * np.random.default_rng(1).standard_normal(voltage.size))
    found = table[table["parameter"].isin(["set_voltage", "reset_voltage"])]
    assert len(found) == 2 and found["value"].isna().all() and (found["status"] == "not_identified").all()
    assert found["method"].str.contains("no switching: both branches differ by a factor of 1").all()
    (group,) = data.curves.values()
    assert "switching" not in group.children


def test_a_gradual_change_has_no_voltage_that_stands_out() -> None:
    voltage = triangle(0, 3, 0, step=0.02)
    way_back = np.append(np.diff(voltage) < 0, True)
    current = 1e-6 * voltage * np.exp(np.where(way_back, 3.0, voltage))
    table, _ = analysed(voltage, current * (1 + 0.01 * np.random.default_rng(1).standard_normal(voltage.size)))
    found = table[table["parameter"] == "set_voltage"]
    assert found["value"].isna().all() and "changes gradually" in found["method"].item()
    assert rows(table, "on_off_ratio")["value"].item() == pytest.approx(np.exp(2.25), rel=0.05)


def test_most_cycles_are_more_than_half() -> None:
    tops = [0.80, 0.83, 0.86, 0.89, 0.84]  # no three of them agree within 2 %, all within 10 %
    voltage = np.concatenate([triangle(0, top, 0, -top, 0, step=top / 50)[:-1] for top in tops])
    current = 1e-5 * voltage + 1e-9 * np.random.default_rng(1).standard_normal(voltage.size)
    table, _ = analysed(voltage, current)
    assert rows(table, "cycles_left_out", model="cycles").empty
    assert "within 10 %" in rows(table, "cycles", model="cycles")["method"].item()


@pytest.fixture(scope="module")
def knowm() -> tuple[pd.DataFrame, PanelData]:
    voltage, current = np.loadtxt(shared("cases/knowm/M3IVData.dat")).T
    return analysed(voltage, 1e-6 * current)


def test_the_memristor_of_a_public_file(knowm: tuple) -> None:
    table, _ = knowm
    peak = rows(table, "largest_current_negative", model="cycle", feature="1")["value"].item()
    at_extreme = rows(table, "peak_current_negative", model="cycle", feature="1")["value"].item()
    assert peak == pytest.approx(-35.91e-6, rel=1e-3) and at_extreme == pytest.approx(-13e-6, abs=1e-6)
    assert rows(table, "cycles_left_out", model="cycles").empty
    without = table[table["parameter"].str.startswith("loop_area") & table["value"].isna()]
    assert len(without) and without["method"].str.contains("the voltage jumps by").all()
    assert rows(table, "set_voltage")["value"].between(0.2, 0.3).all() and len(rows(table, "set_voltage")) == 5
    assert rows(table, "reset_voltage")["value"].between(-0.21, -0.14).all()


def test_panels_show_every_cycle(knowm: tuple) -> None:
    _, data = knowm
    (group,) = data.curves.values()
    assert [title for title, _ in panels.overview("m", group)] == ["m", "m: over the cycles"]
    use_style()
    figure = new_figure(183, 60)
    left, right = figure.subplots(1, 2)
    panels.switching(left, data)
    panels.distribution(right, data)
    assert sum(line.get_linewidth() < 0.4 for line in left.lines) == 5
    assert [len(line.get_xdata()) for line in right.lines] == [5, 5, 5, 5]
