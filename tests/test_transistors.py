"""Transfer and output curves against transistors whose truth is known."""

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
from relaxor.techniques.recognition import likely_techniques
from relaxor.techniques.transistors import panels
from relaxor.techniques.transistors.settings import TransistorsSettings
from relaxor.techniques.transistors.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.public_files import shared

analyse = analysis_of("transistors")

BETA, V_TH = 2e-6, 1.2


def square_law(gate: np.ndarray, drain: np.ndarray, leak: float = 1e-12) -> np.ndarray:
    """Drain current of the model of Shichman and Hodges, with a leak and an exponential below threshold."""
    over = 0.05 * np.logaddexp(0, (gate - V_TH) / 0.05)
    inside = np.minimum(drain, over)
    return BETA * (over * inside - inside**2 / 2) + leak


def measurement(conditions: dict[str, tuple[float, str]] | None = None, **columns: np.ndarray) -> Measurement:
    units = {name: "A" if "I" in name else "V" for name in columns}
    content = {name: variable("row", values, units[name], name) for name, values in columns.items()}
    attrs = {"raw_file": "a.csv", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    return Measurement("fet", attrs, conditions or {}, {"table": xr.Dataset(content)})


def analysed(entry: Measurement) -> pd.DataFrame:
    found = analyse([entry], TransistorsSettings())
    TECHNIQUE.require_named(found.numbers)
    rows = numbers_table(found.numbers, TECHNIQUE.name)
    data = PanelData(dict(xr.DataTree.from_dict(found.curves).children), rows)
    use_style()
    (group,) = data.curves.values()
    for _, draw in panels.overview("fet", group):
        draw(new_figure(60, 45).add_subplot(), data)
    return rows


def of(rows: pd.DataFrame, parameter: str) -> pd.DataFrame:
    return rows[rows["parameter"] == parameter]


GATE = np.concatenate([np.linspace(-2, 5, 141), np.linspace(5, -2, 141)])


@pytest.mark.parametrize(("drain", "kind"), [(0.1, "half the drain voltage"), (6.0, "saturation")])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_threshold_of_both_carriers_in_both_regions(drain: float, kind: str, sign: int) -> None:
    current = square_law(GATE, np.full(GATE.size, drain))
    current *= 1 + 0.005 * np.random.default_rng(1).standard_normal(GATE.size)
    fixed = np.full(GATE.size, sign * drain)
    rows = analysed(measurement(Vg=sign * GATE, Vd=fixed, Id=sign * current, Ig=np.full(GATE.size, 3e-12)))
    found = of(rows, "threshold_voltage")
    assert found["feature"].tolist() == (["up", "down"] if sign > 0 else ["down", "up"])
    assert found["value"].to_numpy() == pytest.approx(sign * V_TH, abs=0.06)
    assert found["method"].str.contains(kind).all() and (found["at"] == sign * drain).all()
    assert found["method"].str.contains("electrons" if sign > 0 else "holes").all()
    assert of(rows, "gate_leakage")["value"].to_numpy() == pytest.approx(3e-12)


def test_both_states_of_a_transfer_curve() -> None:
    rows = analysed(measurement(Vg=GATE, Vd=np.full(GATE.size, 0.1), Id=square_law(GATE, np.full(GATE.size, 0.1))))
    largest = BETA * ((5 - V_TH) * 0.1 - 0.1**2 / 2)
    assert of(rows, "on_resistance")["value"].to_numpy() == pytest.approx(0.1 / largest, rel=1e-3)
    assert of(rows, "on_off_ratio")["value"].to_numpy() == pytest.approx(largest / 1e-12, rel=1e-3)
    assert of(rows, "transconductance")["value"].to_numpy() == pytest.approx(BETA * 0.1, rel=0.01)
    leakage = of(rows, "gate_leakage")
    assert leakage["value"].isna().all() and leakage["method"].str.contains("holds no gate current").all()


def test_transfer_curves_at_several_drain_voltages_are_told_apart() -> None:
    drain = np.repeat([0.1, 0.2, 0.5], GATE.size)
    gate = np.tile(GATE, 3)
    rows = of(analysed(measurement(Vg=gate, Vd=drain, Id=square_law(gate, drain))), "threshold_voltage")
    assert rows["at"].tolist() == [0.1, 0.1, 0.2, 0.2, 0.5, 0.5]
    assert rows["value"].to_numpy() == pytest.approx(V_TH, abs=0.08)


def test_output_curves_at_several_gate_voltages() -> None:
    drain = np.tile(np.linspace(0, 4, 81), 3)
    gate = np.repeat([2.0, 3.0, 4.0], 81)
    rows = analysed(measurement(Vg=gate, Vd=drain, Id=square_law(gate, drain)))
    found = of(rows, "on_resistance")
    assert found["at"].tolist() == [2, 3, 4] and (found["model"] == "output").all()
    for over, value in zip(np.array([2.0, 3.0, 4.0]) - V_TH, found["value"], strict=True):
        at_zero, at_part = 1 / (BETA * over), 1 / (BETA * max(over - 0.4, 0.1))
        assert at_zero < value < at_part
    assert of(rows, "on_current")["value"].iloc[2] == pytest.approx(BETA * 2.8**2 / 2, rel=1e-3)


def test_graphene_has_a_charge_neutrality_point_or_the_side_on_which_it_lies() -> None:
    conductance = 1e-4 + 2e-5 * np.sqrt((GATE - 1.5) ** 2 + 0.3**2)
    current = 0.01 * conductance * (1 + 2e-4 * np.random.default_rng(1).standard_normal(GATE.size))
    found = of(analysed(measurement(Vg=GATE, Vsd=np.full(GATE.size, 0.01), Isd=current)), "charge_neutrality_voltage")
    assert found["value"].to_numpy() == pytest.approx(1.5, abs=0.05) and (found["status"] == "ok").all()
    doped = 0.01 * (1e-4 + 2e-5 * np.abs(GATE - 20))
    rows = analysed(measurement(Vg=GATE, Vsd=np.full(GATE.size, 0.01), Isd=doped))
    found = of(rows, "charge_neutrality_voltage")
    assert (found["status"] == "limit").all() and (found["value"] == 5).all() and of(rows, "threshold_voltage").empty


def test_a_current_that_is_off_in_the_noise_makes_a_limit() -> None:
    current = square_law(GATE, np.full(GATE.size, 0.1), leak=0) + 1e-11 * np.random.default_rng(1).standard_normal(282)
    rows = of(analysed(measurement(Vg=GATE, Vd=np.full(GATE.size, 0.1), Id=current)), "on_off_ratio")
    assert (rows["status"] == "limit").all() and rows["value"].between(1e3, 1e6).all()


def test_the_drain_voltage_of_the_sheet_or_its_lack() -> None:
    current = square_law(GATE, np.full(GATE.size, 0.1))
    rows = analysed(measurement(GateV=GATE, DrainI=current))
    assert of(rows, "on_resistance")["method"].str.contains("add the condition 'drain_voltage=… V'").all()
    assert (of(rows, "threshold_voltage")["status"] == "assumed").all()
    rows = analysed(measurement({"drain_voltage": (100, "mV")}, GateV=GATE, DrainI=current))
    assert of(rows, "threshold_voltage")["value"].to_numpy() == pytest.approx(V_TH, abs=0.06)


def test_a_constant_gate_is_a_sweep_of_two_terminals() -> None:
    with pytest.raises(AnalysisError, match="needs a gate voltage that changes"):
        analysed(measurement(Vg=np.full(GATE.size, 1.0), Vd=GATE, Id=GATE * 1e-6))


@pytest.mark.parametrize(
    ("file", "table", "parameter", "low", "high"),
    [
        ("cases/graphene-pd/CVD1F-Isd-Vg-Dark.dat", "Vg (V), Ig (A), Vsd (V), Isd (A)", "on_resistance", 1.6e3, 1.7e3),
        ("cases/graphene-pd/CVD1F-Isd-Vg-Dark.dat", "Vg (V), Ig (A), Vsd (V), Isd (A)", "gate_leakage", 8e-10, 2e-9),
        ("cases/fet-vg-ig/transfer_vg.csv", "", "threshold_voltage", 4.8, 5.1),
        ("cases/fet-vg-ig/transfer_vg.csv", "", "gate_leakage", 0.99e-11, 1.01e-11),
    ],
)
def test_public_files(file: str, table: str, parameter: str, low: float, high: float) -> None:
    path = shared(file)
    tree = read(path, table) if table else read(path)
    assert likely_techniques(tree)[0] == "transistors"
    regions = {name: node.to_dataset() for name, node in tree.children.items()}
    attrs = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "measured", "instrument": ""}
    found = of(analysed(Measurement("fet", attrs, {}, regions)), parameter)
    assert len(found) and found["value"].between(low, high).all()
