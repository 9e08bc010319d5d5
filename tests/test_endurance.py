"""Endurance and retention against memory cells whose truth is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import numbers_table
from relaxor.core.variables import variable
from relaxor.figures.panel import PanelData
from relaxor.figures.style import new_figure, use_style
from relaxor.readers import read
from relaxor.techniques.endurance import panels
from relaxor.techniques.endurance.analysis import YEAR
from relaxor.techniques.endurance.columns import are_memory
from relaxor.techniques.endurance.settings import EnduranceSettings
from relaxor.techniques.endurance.technique import TECHNIQUE
from relaxor.techniques.recognition import likely_techniques

from tests.analyses import analysis_of
from tests.public_files import shared

analyse = analysis_of("endurance")

CYCLE = np.unique(np.round(np.geomspace(1, 1e6, 60)))
TIME = np.geomspace(10, 1e4, 40)


def table(**columns: tuple[np.ndarray, str]) -> Measurement:
    content = {name: variable("row", values, unit, name) for name, (values, unit) in columns.items()}
    attrs = {"raw_file": "a.csv", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    return Measurement("cell", attrs, {}, {"table": xr.Dataset(content)})


def analysed(measurement: Measurement, **settings: float) -> tuple[pd.DataFrame, PanelData]:
    found = analyse([measurement], EnduranceSettings(**settings))
    TECHNIQUE.require_named(found.numbers)
    rows = numbers_table(found.numbers, TECHNIQUE.name)
    data = PanelData(dict(xr.DataTree.from_dict(found.curves).children), rows)
    use_style()
    panels.memory(new_figure(60, 45).add_subplot(), data)
    return rows, data


def one(rows: pd.DataFrame, parameter: str, feature: str, model: str = "endurance") -> pd.Series:
    found = rows[(rows["parameter"] == parameter) & (rows["feature"] == feature) & (rows["model"] == model)]
    assert len(found) == 1, (parameter, feature, len(found))
    return found.iloc[0]


def noisy(values: np.ndarray, part: float = 0.03) -> np.ndarray:
    return values * np.exp(part * np.random.default_rng(7).standard_normal(values.size))


@pytest.mark.parametrize("names", [("R_on", "R_off"), ("LRS", "HRS")])
def test_the_window_closes_where_it_does(names: tuple[str, str]) -> None:
    on, off = np.full(CYCLE.size, 2e3), 2e5 / (1 + CYCLE / 2e5)  # half of it is left after 2e5 cycles
    rows, _ = analysed(table(cycle=(CYCLE, "1"), **{names[0]: (on, "ohm"), names[1]: (noisy(off), "ohm")}))
    assert one(rows, "first_value", "window")["value"] == pytest.approx(100, rel=0.1)
    ended = one(rows, "endured_cycles", "window")
    assert ended["status"] == "ok" and ended["value"] == pytest.approx(2e5, rel=0.25)
    assert abs(ended["value"] - 2e5) < 4 * ended["standard_error"]


def test_conductances_have_the_same_window_and_an_outlier_ends_nothing() -> None:
    ratio = np.full(CYCLE.size, 50.0)
    ratio[20] = 1.0
    rows, _ = analysed(table(cycle=(CYCLE, "1"), G_on=(1e-6 * ratio, "S"), G_off=(np.full(CYCLE.size, 1e-6), "S")))
    ended = one(rows, "endured_cycles", "window")
    assert ended["status"] == "limit" and ended["value"] == 1e6 and "a lower limit: 1 of it" in ended["method"]


def test_a_power_of_time_is_extrapolated_with_a_flag() -> None:
    value = noisy(2e5 * (TIME / 10) ** -0.05, 0.01)
    rows, _ = analysed(table(time=(TIME, "s"), R_off=(value, "ohm")))
    exponent = one(rows, "loss_exponent", "R_off", "power_law")
    assert exponent["value"] == pytest.approx(0.05, abs=3 * exponent["standard_error"])
    later = one(rows, "extrapolated", "R_off", "power_law")
    truth = 2e5 * (10 * YEAR / 10) ** -0.05
    assert later["at"] == 10 * YEAR and later["value"] == pytest.approx(truth, abs=3 * later["standard_error"])
    assert later["status"] == "assumed" and "extrapolated by 4.5 decades" in later["method"]
    assert rows[(rows["parameter"] == "extrapolated") & (rows["model"] == "exponential")].empty


def test_an_exponential_loss_is_told_and_inside_the_data_nothing_is_assumed() -> None:
    time = np.linspace(10, 1e4, 60)
    value = noisy(3e-6 * np.exp(-time / 5e3), 0.01)
    rows, _ = analysed(table(time=(time, "s"), G_on=(value, "S")), extrapolated_years=5e3 / YEAR)
    tau = one(rows, "loss_time", "G_on", "exponential")
    assert tau["value"] == pytest.approx(5e3, abs=3 * tau["standard_error"])
    later = one(rows, "extrapolated", "G_on", "exponential")
    assert later["status"] == "ok" and later["value"] == pytest.approx(3e-6 / np.e, rel=0.02)


def test_a_short_record_leaves_both_laws_and_says_how_far_apart_they_are() -> None:
    time = np.linspace(100, 110, 30)
    rows, _ = analysed(table(time=(time, "s"), R_off=(noisy(1e5 * (time / 100) ** -0.1, 0.01), "ohm")))
    later = one(rows, "extrapolated", "R_off", "power_law")
    assert later["systematic_error"] > 0.1 * later["value"] and later["status"] == "assumed"


def test_few_times_have_a_reason() -> None:
    rows, _ = analysed(table(time=(np.array([1.0, 10.0, 100.0]), "s"), R_off=(np.full(3, 1e5), "ohm")))
    later = one(rows, "extrapolated", "R_off", "power_law")
    assert later["status"] == "not_identified" and "3 times, 5 are needed" in later["method"]


def test_what_is_no_memory_is_refused() -> None:
    with pytest.raises(AnalysisError, match="needs a column of cycles"):
        analysed(table(voltage=(TIME, "V"), current=(TIME, "A")))


def test_a_public_file_of_wake_up() -> None:
    tree = read(shared("public/hzo_pund/KHM005_fla10_endurance_20um_O_2D2R.csv"))
    assert likely_techniques(tree)[0] == "endurance"
    regions = {name: node.to_dataset() for name, node in tree.children.items()}
    attrs = {"raw_file": "a.csv", "raw_sha256": "0" * 64, "origin": "measured", "instrument": ""}
    rows, _ = analysed(Measurement("hzo", attrs, {}, regions))
    assert one(rows, "first_value", "Psw")["value"] == pytest.approx(67.2851e-12)
    assert one(rows, "last_value", "Psw")["value"] == pytest.approx(145.4214e-12)
    ended = one(rows, "endured_cycles", "Psw")
    assert ended["status"] == "limit" and ended["value"] == 1e7


def test_one_row_a_cycle_with_the_voltages_of_set_and_reset_is_endurance() -> None:
    cycle, rng = np.arange(1.0, 201), np.random.default_rng(1)
    on, off = 1e-4 * np.exp(0.1 * rng.normal(size=200)), 1e-6 * np.exp(0.1 * rng.normal(size=200))
    columns = {"SET#1.ILRS": (on, "A"), "SET#1.IHRS": (off, "A"), "SET#1.VSET": (on * 1e4, "V")}
    columns |= {"SET#1.RATIO": (on / off, "1"), "RESET#1.ILRS": (on, "A"), "RESET#1.IRESET": (3 * on, "A")}
    rows, _ = analysed(table(Cycle=(cycle, "1"), **columns))
    assert set(rows["feature"]) == {"SET#1 window", "SET#1.ILRS", "SET#1.IHRS", "RESET#1.ILRS"}
    assert one(rows, "first_value", "SET#1 window")["value"] == pytest.approx(on[0] / off[0])
    assert one(rows, "endured_cycles", "SET#1 window")["status"] == "limit"
    bare = {name: columns[name] for name in ("SET#1.RATIO", "SET#1.VSET")}
    rows, _ = analysed(table(Cycle=(cycle, "1"), **bare))
    assert one(rows, "last_value", "SET#1.RATIO window")["value"] == pytest.approx((on / off)[-1])


def test_a_table_of_sweeps_with_the_number_of_the_cycle_is_no_endurance() -> None:
    columns = {"Cycle": (np.repeat([1.0, 2.0], 20), "1"), "I_on": (TIME, "A"), "I_off": (TIME, "A"), "V": (TIME, "V")}
    assert not are_memory([table(**columns).regions["table"]])


@pytest.mark.parametrize("name", ["keithley4200_txt_csv/05 endurance ratio csv.csv",
                                  "keithley4200_xlsx/05 endurance ratio.xlsx"])  # fmt: skip
def test_the_cycles_of_a_public_file(rawfiles, name: str) -> None:
    """Its columns of the ratio are those of the instrument."""
    tree = read(rawfiles / "electrical" / name)
    assert likely_techniques(tree)[0] == "endurance"
    regions = {name: node.to_dataset() for name, node in tree.children.items()}
    (told,) = regions.values()
    attrs = {"raw_file": "a.csv", "raw_sha256": "0" * 64, "origin": "measured", "instrument": ""}
    rows, data = analysed(Measurement("m", attrs, {}, regions))
    assert one(rows, "first_value", "SET_negative#1 window")["value"] == pytest.approx(108.731957313802, rel=1e-6)
    assert one(rows, "first_value", "RESET_positive#1 window")["value"] == pytest.approx(200.0695991, rel=1e-6)
    assert one(rows, "endured_cycles", "SET_negative#1 window")["n"] == 1000
    (group,) = data.curves.values()
    windows = [node for node in group.children.values() if node.attrs["series"] == "SET_negative#1 window"]
    assert windows[0]["value"].to_numpy() == pytest.approx(told["SET_negative#1.RATIO_SET_NEG"].to_numpy(), rel=1e-5)
