"""Voltage sweeps: cycles, readings, mechanisms of conduction, and what is no sweep."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, numbers_table
from relaxor.core.variables import variable
from relaxor.figures.panel import PanelData
from relaxor.figures.style import new_figure, save, use_style
from relaxor.project.analysis import analyse
from relaxor.readers import read
from relaxor.simulation import iv_sweeps as twin
from relaxor.techniques.iv_sweeps import analysis as sweeps
from relaxor.techniques.iv_sweeps import panels as figures
from relaxor.techniques.iv_sweeps.conduction import LAWS, Branch, fit_mechanisms, prefactor
from relaxor.techniques.iv_sweeps.cycles import cycles_of, noise
from relaxor.techniques.iv_sweeps.readings import read_cycle
from relaxor.techniques.iv_sweeps.settings import IvSweepsSettings
from relaxor.techniques.iv_sweeps.technique import TECHNIQUE

from tests.simulated import against_truth, ingested, simulated, specimen

SETTINGS = IvSweepsSettings()
TOLERANCE = SETTINGS.compliance_tolerance
STEP = 0.05


def triangle(*corners: float, step: float = STEP) -> np.ndarray:
    """Voltages from corner to corner, each corner once."""
    parts = [
        np.linspace(first, last, round(abs(last - first) / step), endpoint=False) for first, last in pairwise(corners)
    ]
    return np.append(np.concatenate(parts), corners[-1])


LOOP = triangle(0, 3, 0, -3, 0)


def device(voltage: np.ndarray, outward: np.ndarray, conductance: float = 1e-7) -> np.ndarray:
    """A loop that carries more on the way back, 1.25 times more for positive than for negative voltages."""
    size = conductance * np.sinh(0.8 * voltage) * np.where(voltage > 0, 1.25, 1.0)
    return size * np.where(outward, 1.0, 1.0 + 0.1 * (3 - np.abs(voltage)))


def outward_of(voltage: np.ndarray) -> np.ndarray:
    return np.append(np.diff(np.abs(voltage)) > 0, False)


def cycles_with_noise(rng: np.random.Generator, count: int = 12, growth: float = 2e-9) -> tuple[np.ndarray, np.ndarray]:
    """Voltage and current of one run: peaks grow by ``growth``·sinh(2.4) a cycle; 0.5 % and 1 nA of noise."""
    voltage = np.concatenate([LOOP] + [LOOP[1:]] * (count - 1))
    number = np.concatenate([np.zeros(LOOP.size), np.repeat(np.arange(1, count), LOOP.size - 1)])
    clean = device(voltage, outward_of(voltage), 1e-7 + growth * number)
    return voltage, clean + np.hypot(1e-9, 0.005 * clean) * rng.standard_normal(voltage.size)


def region(voltage: np.ndarray, current: np.ndarray, **attrs: str) -> xr.Dataset:
    dims = ("step", "point") if voltage.ndim == 2 else ("point",)
    content = {
        "Time": variable(dims, np.broadcast_to(np.arange(voltage.shape[-1]) * 0.1, voltage.shape), "s", "time"),
        "AV": variable(dims, voltage, "V", "voltage"),
        "AI": variable(dims, current, "A", "current"),
    }
    return xr.Dataset(content, attrs=attrs)


def measurement(regions: dict[str, xr.Dataset], name: str = "iv", **conditions: tuple[float, str]) -> Measurement:
    attrs = {"raw_file": f"{name}.xlsx", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    return Measurement(name, attrs, conditions, regions)


def table_of(entries: list[Measurement]) -> pd.DataFrame:
    return run(entries)[0]


def run(entries: list[Measurement]) -> tuple[pd.DataFrame, dict[str, xr.Dataset]]:
    result = analyse(TECHNIQUE, entries, {"instruments": {}, "lab": {}, "sample": {}})
    return numbers_table(result.numbers, "iv_sweeps"), result.curves


def number(
    table: pd.DataFrame, parameter: str, column: str = "value", model: str = "cycles", feature: str = ""
) -> float:
    rows = table[(table["model"] == model) & (table["parameter"] == parameter) & (table["feature"] == feature)]
    assert len(rows) == 1, (parameter, model, len(rows))
    return float(rows.iloc[0][column])


@pytest.fixture(scope="module")
def analysed() -> tuple[pd.DataFrame, dict[str, xr.Dataset]]:
    return run([measurement({"Run1": region(*cycles_with_noise(np.random.default_rng(5)))})])


def true_area(conductance: float, factor: float) -> float:
    """Area of a lobe of `device`: ∫ g sinh(0.8 v) · 0.1 (3 − v) dv from 0 to 3."""
    return factor * conductance * 0.1 * (np.sinh(2.4) / 0.64 - 3 / 0.8)


def truths(count: int = 12, growth: float = 2e-9) -> dict[str, tuple[float, str]]:
    last = 1e-7 + growth * (count - 1)
    mean = 1e-7 + growth * (count - 1) / 2
    return {
        "peak_current_positive": (1.25 * last * np.sinh(2.4), "A"),
        "peak_current_negative": (-last * np.sinh(2.4), "A"),
        "peak_growth_positive": (1.25 * growth * (count - 1) * np.sinh(2.4), "A"),
        "peak_growth_negative": (-growth * (count - 1) * np.sinh(2.4), "A"),
        "loop_area_positive": (true_area(mean, 1.25), "A*V"),
        "loop_area_negative": (true_area(mean, 1.0), "A*V"),
        "relative_growth_positive": (last / 1e-7 - 1, "1"),
        "symmetry": (1.25, "1"),
        "rectification_ratio": (1.25, "1"),
        "resistance": (0.5 / (1.25 * last * np.sinh(0.4)), "ohm"),
    }


def test_what_was_put_in_is_found(analysed: tuple) -> None:
    table, _ = analysed
    for parameter, (value, unit) in truths().items():
        row = table[(table["model"] == "cycles") & (table["parameter"] == parameter)].iloc[0]
        assert row["unit"] == unit
        assert abs(row["value"] - value) < 4 * row["standard_error"], parameter
        assert 0 < row["standard_error"] < 0.2 * abs(value), parameter
    assert number(table, "cycles") == 12
    assert number(table, "clipped_points") == 0
    assert number(table, "peak_current_positive", "systematic_error") == pytest.approx(
        1e-2 * number(table, "peak_current_positive")
    )
    assert number(table, "symmetry", "systematic_error") == 0


def test_every_number_is_listed() -> None:
    only = measurement({"Run1": region(*cycles_with_noise(np.random.default_rng(5)))})
    result = Result.joined(sweeps.analyse([only], SETTINGS))
    TECHNIQUE.require_named(result.numbers)
    renamed = replace(result.numbers[0], model="cycle_01")
    with pytest.raises(ValueError, match="iv_sweeps: 'peak_current_positive' of model 'cycle_01' is not listed"):
        TECHNIQUE.require_named([renamed])


def test_the_sample_has_its_true_numbers(tmp_path: Path) -> None:
    files = simulated("iv_sweeps", 3)
    result = Result.joined(sweeps.analyse(load(ingested(files, tmp_path)), SETTINGS))
    joined = against_truth(numbers_table(result.numbers, "iv_sweeps"), files, "right")
    assert (joined["unit"] == joined["true_unit"]).all()
    # Of 177 intervals of 95 %, a share as low as this one is rarer than one in a hundred draws of the noise.
    assert joined["true"].between(joined["ci_low"], joined["ci_high"]).mean() >= 0.88
    z = (joined["value"] - joined["true"]) / joined["standard_error"]
    assert z.abs().max() < 4.5


def test_a_slope_of_peaks_that_saturate_is_a_misfit(analysed: tuple, tmp_path: Path) -> None:
    """Twelve peaks are too few for the order of their residuals, but the other law shows the misfit."""
    steady = analysed[0][analysed[0]["parameter"] == "growth_per_cycle"]
    assert list(steady["status"]) == ["ok", "ok"]
    table = table_of(load(ingested(simulated("iv_sweeps", 3), tmp_path)))
    slope = table[table["parameter"] == "growth_per_cycle"]
    assert set(slope["status"]) == {"misfit"}
    assert slope["method"].str.contains("'saturation' describes the data better").all()


@pytest.mark.slow
def test_intervals_of_the_sample_cover_the_truth() -> None:
    """Each quantity, over all cycles and amplitudes of 200 draws of the noise."""
    swept, tables = specimen("iv_sweeps"), []
    exact = {one.file.measurement: twin.sweep(swept, one.amplitude) for one in swept.sweeps}
    true = {
        (one.file.measurement, row.model, row.parameter, row.feature): row.value
        for one in swept.sweeps
        for row in twin.truth(swept, one.amplitude)
    }
    for seed in range(200):
        rng, entries = np.random.default_rng([5, seed]), []
        for name, (voltage, current) in exact.items():
            noise_of = np.hypot(twin.NOISE, twin.RELATIVE_NOISE * current) * rng.standard_normal(current.size)
            entries.append(measurement({"Run1": region(voltage, 1e-12 * (current + noise_of))}, name))
        tables.append(numbers_table(Result.joined(sweeps.analyse(entries, SETTINGS)).numbers, "iv_sweeps"))
    found = pd.concat(tables)
    keys = ["measurement", "model", "parameter", "feature"]
    found["true"] = [true.get(tuple(key)) for key in found[keys].to_numpy()]
    found = found.dropna(subset="true")
    inside = found["true"].between(found["ci_low"], found["ci_high"]).groupby([found["model"], found["parameter"]])
    assert inside.mean().between(0.90, 0.98).all(), inside.mean().to_string()


@pytest.mark.slow
def test_errors_cover_the_truth() -> None:
    draws, count = 200, 4
    rng = np.random.default_rng(23)
    known = truths(count)
    covered = {name: 0 for name in known}
    for _ in range(draws):
        table = table_of([measurement({"Run1": region(*cycles_with_noise(rng, count))})])
        rows = table[table["model"] == "cycles"].set_index("parameter")
        for name, (value, _) in known.items():
            covered[name] += rows.loc[name, "ci_low"] <= value <= rows.loc[name, "ci_high"]
    shares = {name: hits / draws for name, hits in covered.items()}
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


def test_noise_is_that_of_the_points() -> None:
    rng = np.random.default_rng(2)
    voltage, _ = cycles_with_noise(rng, 6)
    clean = device(voltage, outward_of(voltage))
    current = clean + np.hypot(2e-9, 0.01 * clean) * rng.standard_normal(clean.size)
    direction = np.sign(np.gradient(voltage)).astype(int)
    found = noise(voltage, current, np.zeros(voltage.size, bool), direction)
    small, large = np.abs(voltage) < 0.02, np.abs(voltage) > 2.9
    assert found[small].mean() == pytest.approx(2e-9, rel=0.15)
    assert found[large].mean() == pytest.approx(np.hypot(2e-9, 0.01 * clean[large]).mean(), rel=0.15)


def test_uneven_steps_change_neither_noise_nor_readings() -> None:
    rng = np.random.default_rng(4)
    leg = 3 * np.sort(rng.uniform(0, 1, 80))
    voltage = np.concatenate([[0], leg, [3], leg[::-1], [0], -leg, [-3], -leg[::-1], [0]])
    current = 1e-7 * voltage + 1e-10 * rng.standard_normal(voltage.size)
    (cycle,) = cycles_of(measurement({"Run1": region(voltage, current)}), TOLERANCE)
    assert np.median(cycle.sigma) == pytest.approx(1e-10, rel=0.25)
    reading = read_cycle(cycle, 0.5, 0.1)
    assert reading.resistance[0] == pytest.approx(1e7, rel=5e-3)
    assert abs(reading.area["positive"][0]) < 4 * reading.area["positive"][1]


def test_loop_area_changes_sign_with_the_sense_of_the_loop() -> None:
    resistor = 1e-7 * LOOP
    for sense in (1, -1):
        displaced = resistor - sense * 2e-8 * np.sign(np.gradient(LOOP))
        (cycle,) = cycles_of(measurement({"Run1": region(LOOP, displaced)}), TOLERANCE)
        area = read_cycle(cycle, 0.5, 0.1).area
        assert area["positive"][0] == pytest.approx(sense * 2 * 2e-8 * 3, rel=0.05)
        assert area["negative"][0] == pytest.approx(sense * 2 * 2e-8 * 3, rel=0.05)


@pytest.mark.parametrize(
    ("voltage", "sizes"),
    [
        (triangle(0, 3, 0, -3, 0, 3, 0, -3, 0), [241, 241]),
        (triangle(0, 3, 0, 3, 0), [121, 121]),
        (triangle(-3, 3, -3, 3, -3), [241, 241]),
        (triangle(0, 1, 0, -1, 0, 3, 0, -3, 0, 5, 0, -5, 0), [81, 241, 401]),
        (triangle(0, 3, 0, -3, 0, 3, 0, -1), [241]),
        (np.tile(np.linspace(0, 3, 40), 3), [40, 40, 40]),
        (triangle(0, 3), [61]),
        (3 * np.sin(np.linspace(0, 6 * np.pi, 601)), [201, 201, 201]),
    ],
    ids=["bipolar", "unipolar", "from the extreme", "growing amplitude", "cut", "jumps back", "one way", "sine"],
)
def test_a_run_is_split_at_its_returns(voltage: np.ndarray, sizes: list[int]) -> None:
    current = 1e-7 * voltage + 1e-10 * np.random.default_rng(0).standard_normal(voltage.size)
    cycles = cycles_of(measurement({"Run1": region(voltage, current)}), TOLERANCE)
    assert [cycle.voltage.size for cycle in cycles] == sizes


def test_runs_and_steps_are_taken_in_the_order_of_their_times() -> None:
    def one(scale: float, hour: int) -> xr.Dataset:
        return region(LOOP, scale * 1e-7 * LOOP, executed=f"2025-01-01T{hour:02d}:00:00")

    entry = measurement({"Run10": one(3, 12), "Run9": one(2, 11), "Run2": one(1, 10)})
    assert [cycle.region for cycle in cycles_of(entry, TOLERANCE)] == ["Run2", "Run9", "Run10"]
    stacked = region(np.stack([LOOP, LOOP]), np.stack([1e-7 * LOOP, 2e-7 * LOOP]))
    first, second = cycles_of(measurement({"Run1": stacked}), TOLERANCE)
    np.testing.assert_allclose(second.current, 2 * first.current)


def test_compliance_is_counted_and_left_out() -> None:
    rng = np.random.default_rng(8)
    clean = device(LOOP, outward_of(LOOP))
    free = clean + 2e-10 * rng.standard_normal(clean.size)
    held = 3e-7 * (1 + 1e-6 * rng.standard_normal(clean.size))
    current = np.where(free > 3e-7, held, free)
    table, curves = run([measurement({"Run1": region(LOOP, current)})])
    assert number(table, "clipped_points") == np.sum(free > 3e-7)
    assert "peak_current_positive" not in set(table["parameter"])
    assert number(table, "peak_current_negative") == pytest.approx(-1e-7 * np.sinh(2.4), rel=1e-3)
    branch = curves["iv/up_positive"]
    assert float(branch["data"].max()) < 3e-7
    assert int(curves["iv/cycle_01"]["clipped"].sum()) == np.sum(free > 3e-7)


def rows_of(table: pd.DataFrame, cycle: int) -> dict[str, float]:
    return (
        table[(table["model"] == "cycle") & (table["feature"] == str(cycle))].set_index("parameter")["value"].to_dict()
    )


def why_no_area(table: pd.DataFrame, cycle: int) -> str:
    """Return the reason in the row of a loop area without a value."""
    rows = table[(table["feature"] == str(cycle)) & (table["parameter"] == "loop_area_positive")]
    assert np.isnan(rows["value"].item()) and rows["status"].item() == "not_identified"
    return str(rows["method"].item())


@pytest.mark.parametrize("lost", [np.nan, 9.9e37])
def test_what_has_no_current_is_not_read(lost: float, analysed: tuple) -> None:
    voltage, current = cycles_with_noise(np.random.default_rng(5))
    fifth = np.arange(voltage.size) // (LOOP.size - 1) == 4
    current[fifth & (voltage > 2)] = lost
    table, whole = table_of([measurement({"Run1": region(voltage, current)})]), analysed[0]
    damaged = rows_of(table, 5)
    assert damaged["lost_points"] == np.sum(fifth & (voltage > 2))
    assert not {"peak_current_positive", "symmetry"} & damaged.keys()
    assert "points have no current" in why_no_area(table, 5)
    assert damaged["peak_current_negative"] == pytest.approx(rows_of(whole, 5)["peak_current_negative"], rel=0.01)
    for model, feature, parameter in (
        ("cycle", "6", "peak_current_positive"),
        ("saturation", "positive", "saturation_current"),
    ):
        where = {"model": model, "feature": feature}
        error = number(whole, parameter, "standard_error", **where)
        assert number(table, parameter, **where) == pytest.approx(number(whole, parameter, **where), abs=2 * error)


def test_a_cycle_to_other_voltages_does_not_continue_the_series(analysed: tuple) -> None:
    voltage, current = cycles_with_noise(np.random.default_rng(5))
    fifth = np.arange(voltage.size) // (LOOP.size - 1) == 4
    kept = ~(fifth & (voltage > 0.8))
    table, whole = table_of([measurement({"Run1": region(voltage[kept], current[kept])})]), analysed[0]
    assert number(table, "cycles_left_out") == 1
    row = table[table["parameter"] == "cycles_left_out"].iloc[0]
    assert row["method"] == "other extreme voltages than most cycles, within 2 %: 5"
    for parameter in ("loop_area_positive", "peak_growth_positive"):
        assert number(table, parameter) == pytest.approx(number(whole, parameter), rel=0.01)
    law = {"model": "saturation", "feature": "positive"}
    error = number(whole, "growth_cycles", "standard_error", **law)
    assert number(table, "growth_cycles", **law) == pytest.approx(number(whole, "growth_cycles", **law), abs=2 * error)


def test_a_hole_of_rows_makes_no_area() -> None:
    voltage, current = cycles_with_noise(np.random.default_rng(5))
    fifth = np.arange(voltage.size) // (LOOP.size - 1) == 4
    out = outward_of(voltage)
    kept = ~(fifth & out & (voltage > 1) & (voltage < 2))
    table = table_of([measurement({"Run1": region(voltage[kept], current[kept])})])
    damaged = rows_of(table, 5)
    assert np.isfinite([damaged["loop_area_negative"], damaged["peak_current_positive"]]).all()
    assert "the voltage jumps by 1" in why_no_area(table, 5)


def test_a_cycle_of_the_wrong_sign_is_named() -> None:
    voltage, current = cycles_with_noise(np.random.default_rng(5))
    current[np.arange(voltage.size) // (LOOP.size - 1) == 4] *= -1
    message = r"iv: Run1, cycle 5 of 12: the current runs against the voltage \(correlation -0\.9\d\)"
    with pytest.raises(AnalysisError, match=message):
        table_of([measurement({"Run1": region(voltage, current)})])


def test_a_current_that_stands_out_alone_changes_nothing(analysed: tuple) -> None:
    voltage, current = cycles_with_noise(np.random.default_rng(5))
    at = 4 * (LOOP.size - 1) + np.array([20, 58])
    current[at] += 3e-6
    table, whole = table_of([measurement({"Run1": region(voltage, current)})]), analysed[0]
    assert rows_of(table, 5)["replaced_points"] == 2
    for parameter in ("loop_area_positive", "peak_current_positive"):
        assert rows_of(table, 5)[parameter] == pytest.approx(rows_of(whole, 5)[parameter], rel=0.01)


def test_what_a_sweep_does_not_reach_has_no_row() -> None:
    small = triangle(0, 0.4, 0, step=0.01)
    entry = measurement({"Run1": region(small, 1e-6 * small)}, read_voltage=(200.0, "mV"))
    table, _ = run([entry])
    names = set(table["parameter"])
    assert number(table, "resistance") == pytest.approx(1e6, rel=1e-6)
    assert not names & {"peak_current_negative", "symmetry", "rectification_ratio", "peak_growth_positive"}


def test_a_resistance_that_a_sweep_does_not_reach_says_so() -> None:
    small = triangle(0, 0.01, 0, step=0.0005)
    table, _ = run([measurement({"Run1": region(small, 1e-6 * small)})])
    (row,) = table[table["parameter"] == "resistance"].itertuples()
    assert row.status == "not_identified" and np.isnan(row.value)
    assert "the sweep goes to 0.01 V, not to 0.5 V: set 'read_voltage'" in row.method


# --- mechanisms
TRUE_LAWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ohmic": lambda v: 2e-8 * v,
    "space_charge_limited": lambda v: 2e-8 * v**2,
    "power_law": lambda v: 1e-8 * v**3.4,
    "schottky": lambda v: 1e-9 * np.exp(2.5 * np.sqrt(v)),
    "poole_frenkel": lambda v: 1e-9 * v * np.exp(2.0 * np.sqrt(v)),
    "fowler_nordheim": lambda v: 1e-6 * v**2 * np.exp(-6 / v),
}
TRUE_PARAMETERS = {
    "ohmic": (2e-8, 0.0),
    "space_charge_limited": (2e-8, 0.0),
    "power_law": (1e-8, 3.4),
    "schottky": (1e-9, 2.5),
    "poole_frenkel": (1e-9, 2.0),
    "fowler_nordheim": (1e-6, 6.0),
}


def branch_of(name: str, rng: np.random.Generator) -> Branch:
    voltage = np.linspace(0.35, 3, 54)
    clean = TRUE_LAWS[name](voltage)
    sigma = np.hypot(1e-11, 0.01 * clean)
    return Branch("up positive", 1, voltage, clean + sigma * rng.standard_normal(54), sigma)


@pytest.mark.parametrize("name", list(LAWS))
def test_a_mechanism_is_recovered_and_chosen(name: str) -> None:
    rng = np.random.default_rng(31)
    chosen, z = [], []
    for _ in range(20):
        branch = branch_of(name, rng)
        fits = fit_mechanisms(branch)
        chosen.append(min(fits, key=lambda law: fits[law].aicc))
        value, error = prefactor(LAWS[name], fits[name], branch.voltage[-1])
        z.append((value - TRUE_PARAMETERS[name][0]) / error)
        if LAWS[name].slope:
            z.append((fits[name].value("slope") - TRUE_PARAMETERS[name][1]) / fits[name].error("slope"))
    # A free exponent may by chance do better than the 1 or 2 it contains.
    assert chosen.count(name) >= (14 if name in ("ohmic", "space_charge_limited") else 20)
    assert np.abs(z).max() < 4
    assert np.mean(np.square(z)) == pytest.approx(1, abs=0.7)


def test_mechanisms_reach_the_table() -> None:
    rng = np.random.default_rng(1)
    clean = np.sign(LOOP) * TRUE_LAWS["poole_frenkel"](np.maximum(np.abs(LOOP), 1e-9))
    current = clean + np.hypot(1e-11, 0.005 * clean) * rng.standard_normal(LOOP.size)
    table, curves = run([measurement({"Run1": region(LOOP, current)})])
    for branch in ("up positive", "down positive", "up negative", "down negative"):
        law = {"model": "poole_frenkel", "feature": branch}
        assert curves[f"iv/{branch.replace(' ', '_')}"].attrs["best"] == "poole_frenkel"
        assert number(table, "aicc_difference", **law) == 0
        assert number(table, "aicc_difference", model="ohmic", feature=branch) > 10
        for parameter, true in (("slope_against_root_voltage", 2.0), ("prefactor", 1e-9)):
            assert abs(number(table, parameter, **law) - true) < 4 * number(table, parameter, "standard_error", **law)
        current = table[(table["feature"] == branch) & (table["parameter"] == "current")]
        assert current[["at", "at_unit", "unit"]].to_numpy().tolist() == [[1.0, "V", "A"]]
    for part in curves.values():
        for name, data in part.variables.items():
            assert {"units", "long_name"} <= set(data.attrs), name


# --- what is no sweep
def pulses() -> tuple[np.ndarray, np.ndarray]:
    voltage = np.tile(np.repeat([0.0, 2.0], [30, 10]), 10)
    return voltage, 1e-7 * voltage


@pytest.mark.parametrize(
    ("voltage", "current", "message"),
    [
        (*pulses(), r"iv: Run1: holds pulses, not a sweep: 2 levels"),
        (np.full(50, 2.0), np.linspace(1, 2, 50), r"holds a constant voltage, not a sweep: 2 V"),
        (LOOP, -1e-7 * LOOP, r"the current runs against the voltage \(correlation -1.00\)"),
        (LOOP, np.zeros(LOOP.size), r"the current is 0 A throughout"),
        (LOOP[:12], 1e-7 * LOOP[:12], r"holds 12 points of voltage and current; 20 needed"),
        (
            np.random.default_rng(1).uniform(0, 3, 300),
            np.ones(300),
            r"the current is 1 A throughout",
        ),
        (
            np.random.default_rng(1).uniform(0, 3, 300),
            np.random.default_rng(2).uniform(0, 3, 300),
            r"holds scattered voltages, not a sweep: \d+ turns in 300",
        ),
        (np.full(LOOP.size, np.nan), 1e-7 * LOOP, r"holds 0 points of voltage and current"),
    ],
)
def test_what_is_no_sweep_is_said(voltage: np.ndarray, current: np.ndarray, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        cycles_of(measurement({"Run1": region(voltage, current)}), TOLERANCE)


def test_missing_axes_are_said() -> None:
    content = region(LOOP, 1e-7 * LOOP)
    with pytest.raises(
        AnalysisError, match=r"Run1: a sweep needs a voltage \(V\); the file holds Time \(s\), AI \(A\)"
    ):
        cycles_of(measurement({"Run1": content.drop_vars("AV")}), TOLERANCE)
    with pytest.raises(AnalysisError, match=r"Run1: a sweep needs a current \(A\)"):
        cycles_of(measurement({"Run1": content.drop_vars("AI")}), TOLERANCE)
    with pytest.raises(AnalysisError, match=r"GateV is that of its gate \(a transfer curve\)"):
        cycles_of(measurement({"Run1": content.rename(AV="GateV")}), TOLERANCE)
    with pytest.raises(AnalysisError, match="holds pulses, not a sweep: 2 pulses"):
        stacked = region(np.stack([LOOP, LOOP]), np.stack([LOOP, LOOP])).rename(step="pulse")
        cycles_of(measurement({"Run1": stacked}), TOLERANCE)


# --- real files
REAL = {
    "electrical/keithley2636_csv/blend-1020-20-1-transfer.csv": "constant voltage, not a sweep: -50 V",
    "electrical/keithley2636_csv/first_run.csv": "constant voltage, not a sweep: 1 V",
    "electrical/keithley2636_csv/no-contact.csv": "constant voltage, not a sweep: 8 V",
    "electrical/keithley2636_csv/no-gate.csv": "constant voltage, not a sweep: 8 V",
    "electrical/keithley2636_csv/test.csv": "gate_voltage changes from -20 to -15 V: curves of a transistor",
    "electrical/keithley2636_csv/znpc-20-3-iv-sweep.csv": 1,
    "electrical/keithley4200_txt_csv/05 endurance ratio csv.csv": "their names do not say which belong to the device",
    "electrical/keithley4200_txt_csv/05 endurance ratio txt.txt": "their names do not say which belong to the device",
    "electrical/keithley4200_txt_csv/05 endurance reset txt.txt": 1,
    "electrical/keithley4200_xls/vds-id#1.xls": "GateV changes from 0 to 3 V: curves of a transistor",
    "electrical/keithley4200_xls/vgs-id#1@_vds_100mV_vgs_-40_60V_L4S_L3D_vac05_MoS2_280K.xls": "a constant voltage",
    "electrical/keithley4200_xls/vgs-id#5@_vds_100mV_vgs_-40_60V_L4S_L3D_vac15_MoS2_77K.xls": "a constant voltage",
    "electrical/keithley4200_xls/vtlin#1.xls": r"GateV is that of its gate \(a transfer curve\)",
    "electrical/keithley4200_xlsx/00 Leakage.xlsx": 1,
    "electrical/keithley4200_xlsx/01 Electroforming.xlsx": 1,
    "electrical/keithley4200_xlsx/02 reset.xlsx": 1,
    "electrical/keithley4200_xlsx/03 endurance ratio.xlsx": "their names do not say which belong to the device",
    "electrical/keithley4200_xlsx/05 endurance ratio.xlsx": "their names do not say which belong to the device",
    "electrical/keithley4200_xlsx/05 endurance set.xlsx": 101,
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_fatique.dat": 27,
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_forc.dat": 116,
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_freqs.dat": 20,
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_lkg.dat": r"needs a current \(A\); the file holds v",
    "ferroelectric_pe/aixacct_dat/FeFETD1_die68_MFS+_100_10x10_voltages.dat": 10,
    "ferroelectric_pe/aixacct_dat/H9_x9y4_1e4_S3_temps.dat": "table_6: the current runs against the voltage",
    "ferroelectric_pe/aixacct_dat/PUND_TFA3000.dat": "holds pulses, not a sweep: 5 pulses",
    "ferroelectric_pe/aixacct_dat/RTWhiteAPUND.dat": "holds pulses, not a sweep: 5 pulses",
    "ferroelectric_pe/aixacct_dat/RTWhiteB_freqs.dat": 30,
    "ferroelectric_pe/aixacct_tsv_split/2.2nF discrete cap 100Hz 3V 1Average Table1.tsv": 1,
    "ferroelectric_pe/aixacct_tsv_split/FeFETD1_die68_MFS+_100_10x10 100Hz 4V 1Average Table1.tsv": 1,
    "ferroelectric_pe/keithley4200_graph_csv/KHM005_fla10_PV_20um_O_2D2R.csv": r"needs a current \(A\)",
    "ferroelectric_pe/keithley4200_graph_csv/KHM005_fla10_endurance_20um_O_2D2R.csv": r"needs a current \(A\)",
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PUND_100um_O_2R_after_3cycles.xls": "holds pulses.*: 2 levels",
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PV_20um_O_1D.xls": 3,
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_endurance_20um_O_2D2R.xls": r"needs a current \(A\)",
    "ferroelectric_pe/keithley4200_xls/KHM005_fla6_PV_20um_O_3R_after_endurance.xls": 1,
    "ferroelectric_pe/keithley4200_xls/KHM006_2_endurance_30um_O_1D.xls": r"needs a current \(A\)",
    "ferroelectric_pe/keysight_b1500_csv/FORC_+3V_4m.csv": 18,
    "ferroelectric_pe/keysight_b1500_csv/PUND_B1500.csv": "holds pulses, not a sweep",
    "ferroelectric_pe/radiant_txt/TypABdata.Hysteresis.2.txt": r"needs a current \(A\)",
    "ferroelectric_pe/radiant_txt/TypABdataLkg.txt": "holds a constant voltage, not a sweep: 9 V",
}
NOT_DATA = {".tsp", "test.xls"}


def test_every_real_file_is_known(rawfiles: Path) -> None:
    files = {
        path.relative_to(rawfiles).as_posix()
        for folder in ("electrical", "ferroelectric_pe")
        for path in (rawfiles / folder).rglob("*.*")
        if path.is_file() and path.suffix not in NOT_DATA and path.name not in NOT_DATA
    }
    assert files == set(REAL)


@pytest.mark.parametrize("file", list(REAL))
def test_real_file(file: str, rawfiles: Path) -> None:
    children = read(rawfiles / file).children
    entry = measurement({name: node.to_dataset() for name, node in children.items()})
    expected = REAL[file]
    if isinstance(expected, str):
        with pytest.raises(AnalysisError, match=expected) as caught:
            cycles_of(entry, TOLERANCE)
        assert "\n" not in str(caught.value)
        return
    table = table_of([entry])
    assert number(table, "cycles") == expected
    without = table[~table["value"].map(np.isfinite)]
    assert (without["status"] == "not_identified").all() and without["method"].str.contains("; ").all(), without
    assert (table["standard_error"].dropna() >= 0).all()


def panel(curves: dict[str, xr.Dataset], table: pd.DataFrame) -> PanelData:
    return PanelData(dict(xr.DataTree.from_dict(curves).children), table)


@pytest.mark.parametrize(
    "file",
    ["electrical/keithley4200_xlsx/00 Leakage.xlsx", "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PV_20um_O_1D.xls"],
)
def test_real_sweep_is_drawn(file: str, rawfiles: Path, tmp_path: Path) -> None:
    children = read(rawfiles / file).children
    entry = measurement({name: node.to_dataset() for name, node in children.items()})
    table, curves = run([entry])
    use_style()
    figure = new_figure(60, 45)
    ax = figure.add_subplot()
    figures.cycles(ax, panel(curves, table))
    save(figure, [tmp_path / "cycles.png"], "one", "")
    assert (tmp_path / "cycles.png").stat().st_size > 8_000
    assert len(ax.lines) >= number(table, "cycles")


def test_amplitudes_are_drawn_from_small_to_large(tmp_path: Path) -> None:
    entries = []
    for amplitude in (5, 1, 3):
        voltage = triangle(0, amplitude, 0, -amplitude, 0)
        current = 1e-7 * np.sinh(voltage) + 1e-11 * np.random.default_rng(amplitude).standard_normal(voltage.size)
        entries.append(measurement({"Run1": region(voltage, current)}, f"iv_{amplitude}V"))
    table, curves = run(entries)
    use_style()
    figure = new_figure(60, 45)
    ax = figure.add_subplot()
    figures.amplitudes(ax, panel(curves, table))
    save(figure, [tmp_path / "amplitudes.png"], "one", "")
    assert (tmp_path / "amplitudes.png").stat().st_size > 8_000
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["±1 V", "±3 V", "±5 V"]
