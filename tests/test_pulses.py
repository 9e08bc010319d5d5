"""Electrical plasticity from ingested files to numbers and curves."""

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_tree
from relaxor.simulation.synapse import Synapse
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings

from tests.analyses import analyse_with
from tests.plasticity.test_protocols import measurement, run


def analyse(folder, runs):
    import json

    import xarray as xr

    entry = measurement(runs)
    groups = {entry.id: xr.Dataset(attrs={**entry.attrs, "conditions": json.dumps(entry.conditions)})}
    groups |= {f"{entry.id}/{name}": region for name, region in entry.regions.items()}
    save_tree(folder / "data.nc", groups)
    analyse_with(
        "electrical_pulses",
        str(folder / "data.nc"),
        str(folder / "p.csv"),
        str(folder / "c.nc"),
        **ElectricalPulsesSettings().model_dump(),
    )
    return load_parameters(folder / "p.csv")


def test_eight_points_do_not_tell_two_exponentials_apart_and_twenty_do(analysed, tmp_path):
    table = analysed("electrical_pulses").parameters.set_index(["measurement", "model", "parameter"])
    row = table.loc[("ppf", "pairs", "two_exponentials")]
    assert row["value"] == 1 and row["method"].startswith("two exponentials are identifiable")
    for index in (1, 2):
        tau = table.loc[("ppf", "double_exponential", f"tau_{index}")]
        assert 0 < tau["ci_low"] < tau["value"] < tau["ci_high"] < np.inf
    rng = np.random.default_rng(11)
    intervals = np.round(np.geomspace(0.01, 2, 8), 2)
    for repeats in (1, 8):
        few = [run([(5, 0.1, t), (5, 0.1, 0.05)], device=Synapse(rng)) for t in intervals for _ in range(repeats)]
        rows = analyse(tmp_path, few)
        verdict = rows[rows["parameter"] == "two_exponentials"].iloc[0]
        assert verdict["value"] == 0 and "not identifiable: 8 points for 5 parameters" in verdict["method"]


def test_the_definitions_of_energy_stand_side_by_side(analysed):
    table = analysed("electrical_pulses").parameters
    energies = table[table["parameter"] == "energy_per_spike"].set_index("model")
    assert {"peak_power", "mean_power", "integral", "excess", "read"} <= set(energies.index)
    assert (energies["unit"] == "pJ").all() and energies["method"].map(len).all()
    # A constant voltage: the integral is voltage × mean current × width.
    assert energies.loc["integral", "value"] == pytest.approx(energies.loc["mean_power", "value"], rel=1e-6)
    assert energies.loc["peak_power", "value"] > 1.5 * energies.loc["mean_power", "value"]
    verdicts = table[table["parameter"] == "reproduces_reported"].set_index("model")["value"]
    assert verdicts["mean_power"] == 1 and verdicts["peak_power"] == 0 and verdicts["read"] == 0


def test_potentiation_is_nonlinear_and_repeats(analysed):
    table = analysed("electrical_pulses").parameters.set_index(["measurement", "model", "parameter"])
    assert table.loc[("ltp_ltd_50", "cycles", "on_off_ratio"), "value"] > 100
    assert table.loc[("ltp_ltd_50", "cycles", "cycle_to_cycle_variation"), "value"] < 0.02
    drift = table.loc[("ltp_ltd_50", "cycles", "conductance_max_drift")]
    assert abs(drift["value"]) < 5 * drift["standard_error"]


def test_dropped_pulses_are_counted_with_their_reason(tmp_path):
    train = [(5, 0.1, 0.1)] * 3
    time, voltage, current = run(train, step=0.01)
    clipped = np.where(voltage > 1, np.minimum(current, 30e-12), current)
    rows = analyse(tmp_path, [(time, voltage, clipped), run(train * 2, step=0.01), run(train * 3, step=0.01)])
    dropped = rows[rows["parameter"] == "pulses_dropped"].iloc[0]
    assert dropped["value"] == 3 and "clipped" in dropped["method"] and "another pulse of the run" in dropped["method"]


def test_cycles_of_different_lengths_are_refused(tmp_path):
    cycle = [(5, 0.1, 0.1)] * 3 + [(-3, 0.1, 0.1)] * 3
    with pytest.raises(AnalysisError, match=r"pulses: cycles of different lengths \(2 \+ 3, 3 \+ 3 pulses\)"):
        analyse(tmp_path, [run(cycle, step=0.01), run(cycle[1:], step=0.01)])


def test_files_without_pulses_are_refused(tmp_path):
    time = np.linspace(0, 1, 200)
    with pytest.raises(AnalysisError, match="pulses"):
        analyse(tmp_path, [(time, np.full(200, 0.5), 1e-12 * np.ones(200))])
