"""Paired pulses in one file for each interval are one series, and few intervals have indices without a fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from relaxor.core.storage import numbers_table
from relaxor.core.variables import variable
from relaxor.figures.panel import PanelData
from relaxor.figures.style import new_figure, use_style
from relaxor.project.guesses import conditions_in_name
from relaxor.synapse import panels
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings
from relaxor.techniques.electrical_pulses.technique import TECHNIQUE

from tests.analyses import analysis_of

analyse = analysis_of("electrical_pulses")

GAIN, TAU, WIDTH, BASE, STEP = 0.8, 0.06, 0.02, 1e-9, 1e-3
INTERVALS = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


def pair(interval: float, rng: np.random.Generator, amplitude: float = 2.0, name: str = "") -> Measurement:
    """Two pulses: each leaves a current for good, the second one more the sooner it follows; no model of a device."""
    time = np.arange(0, 0.5 + interval, STEP)
    starts = np.array([0.2, 0.2 + WIDTH + interval])
    voltage, current = np.full(time.size, 0.1), np.full(time.size, BASE)
    first, second = 1e-9 * amplitude, 1e-9 * amplitude * (1 + GAIN * np.exp(-interval / TAU))
    for start, level in zip(starts, (first, second), strict=True):
        inside = (time > start - STEP / 2) & (time < start + WIDTH - STEP / 2)
        voltage[inside], current[inside] = amplitude, 40 * level
        current[time > start + WIDTH - STEP / 2] = BASE + level
    current += 2e-12 * rng.standard_normal(time.size)
    columns = {"Time": (time, "s"), "V": (voltage, "V"), "I": (current, "A")}
    region = xr.Dataset({key: variable("point", values, unit, key) for key, (values, unit) in columns.items()})
    attrs = {"raw_file": "a", "raw_sha256": f"{1e6 * interval:.0f}", "origin": "simulated", "instrument": ""}
    return Measurement(name or f"ppf_{1e3 * interval:.0f}ms", attrs, {}, {"table": region})


def analysed(entries: list[Measurement]) -> tuple[pd.DataFrame, PanelData]:
    found = analyse(entries, ElectricalPulsesSettings())
    TECHNIQUE.require_named(found.numbers)
    table = numbers_table(found.numbers, TECHNIQUE.name)
    return table, PanelData(dict(xr.DataTree.from_dict(found.curves).children), table)


def test_files_of_one_interval_each_are_one_series() -> None:
    rng = np.random.default_rng(1)
    table, data = analysed([pair(interval, rng) for interval in reversed(INTERVALS)])
    rows = table[(table["parameter"] == "paired_pulse_index") & (table["feature"] == "")]
    assert set(rows["measurement"]) == {"paired_pulses"} and rows["at"].to_numpy() == pytest.approx(INTERVALS)
    truth = 100 * (1 + GAIN * np.exp(-np.array(INTERVALS) / TAU))
    assert rows["value"].to_numpy() == pytest.approx(truth, abs=0.5)
    time = table[(table["parameter"] == "relaxation_time") & (table["model"] == "single_exponential_fixed_floor")]
    assert time["value"].item() == pytest.approx(TAU, abs=3 * time["standard_error"].item())
    assert rows["raw_sha256"].iloc[0].count(",") == 5
    use_style()
    ax = new_figure(60, 45).add_subplot()
    panels.joined_pairs(ax, data)
    assert len(ax.containers[0].lines[0].get_xdata()) == 6


def test_three_files_have_indices_and_no_fit() -> None:
    rng = np.random.default_rng(1)
    table, data = analysed([pair(interval, rng) for interval in INTERVALS[:3]])
    assert (table["parameter"].eq("paired_pulse_index") & table["feature"].eq("")).sum() == 3
    time = table[table["parameter"] == "relaxation_time"]
    assert time["value"].isna().all() and "3 intervals, 5 are needed" in time["method"].item()
    panels.joined_pairs(new_figure(60, 45).add_subplot(), data)


def test_one_file_alone_and_other_pulses_are_not_joined() -> None:
    rng = np.random.default_rng(1)
    table, _ = analysed([pair(0.05, rng)])
    rows = table[(table["parameter"] == "paired_pulse_index") & (table["feature"] == "")]
    assert rows["measurement"].item() == "ppf_50ms" and rows["at"].item() == pytest.approx(0.05)
    table, data = analysed(
        [pair(t, rng, v, f"{v:g}V_{t:g}") for v in (2.0, 3.0) for t in (0.02, 0.05)] + [pair(0.05, rng, 4.0, "alone")]
    )
    assert set(table["measurement"]) == {"paired_pulses_2V", "paired_pulses_3V", "alone"}
    panels.joined_pairs(new_figure(60, 45).add_subplot(), data)


def test_an_interval_of_the_sheet_that_the_pulses_do_not_have_is_said() -> None:
    rng = np.random.default_rng(1)
    files = [pair(interval, rng) for interval in INTERVALS[:3]]
    told = [replace(each, conditions={"interval": (1e3 * t, "ms")}) for each, t in zip(files, INTERVALS, strict=False)]
    table, _ = analysed(told)
    assert not table["method"].str.contains("in the sheet").any()
    told[0] = replace(files[0], conditions={"interval": (50.0, "ms")})
    table, _ = analysed(told)
    rows = table[table["parameter"] == "paired_pulse_index"]
    assert (rows["status"] == "assumed").all()
    assert (
        rows["method"].str.contains("the interval of ppf_20ms is 50 ms in the sheet, its pulses are 20 ms apart").all()
    )


@pytest.mark.parametrize(
    ("stem", "value"),
    [("ppf_50ms", "50 ms"), ("dev3 interval=0.5 s", "0.5 s"), ("PPF-20us_b", "20 us"), ("dt1.5ms", "1.5 ms"),
     ("ppf_2", ""), ("width50ms", ""), ("ppf_50mso", "")],
)  # fmt: skip
def test_the_interval_in_the_name_of_a_file(stem: str, value: str) -> None:
    assert conditions_in_name(stem, {"interval": "s"}) == ({"interval": value} if value else {})
    assert not conditions_in_name(stem, {})
