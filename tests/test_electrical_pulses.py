"""Electrical plasticity from recordings to numbers and curves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from relaxor.core.errors import AnalysisError, SheetError
from relaxor.core.storage import numbers_table
from relaxor.project.settings import validate_settings
from relaxor.simulation.synapse import Synapse
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings
from relaxor.techniques.electrical_pulses.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.synapse.test_protocols import DEVICE, measurement, run

analyse = analysis_of("electrical_pulses")


def analysed_runs(runs) -> pd.DataFrame:
    found = analyse([measurement(runs)], ElectricalPulsesSettings())
    TECHNIQUE.require_named(found.numbers)
    return numbers_table(found.numbers, TECHNIQUE.name)


def pairs(rng, intervals, repeats, voltage=5.0):
    trains = [[(voltage, 0.1, interval), (voltage, 0.1, 0.05)] for interval in intervals for _ in range(repeats)]
    return [run(train, device=Synapse(DEVICE, rng)) for train in trains]


def test_eight_points_do_not_tell_two_exponentials_apart_and_twenty_do(analysed):
    found = analysed("electrical_pulses")
    where = {"measurement": "ppf", "model": "pairs", "parameter": "identifiable", "feature": "double_exponential"}
    (row,) = found.parameters.merge(pd.DataFrame([where])).to_dict("records")
    assert row["value"] == 1 and row["method"].startswith("two exponentials are identifiable")
    for number in ("1", "2"):
        value, low, high = (
            found.number("relaxation_time", column, measurement="ppf", model="double_exponential", feature=number)
            for column in ("value", "ci_low", "ci_high")
        )
        assert 0 < low < value < high < np.inf
    rng = np.random.default_rng(11)
    for repeats in (1, 8):
        rows = analysed_runs(pairs(rng, np.round(np.geomspace(0.01, 2, 8), 2), repeats))
        verdict = rows[rows["parameter"] == "identifiable"].iloc[0]
        assert verdict["value"] == 0 and "not identifiable: 8 points for 5 parameters" in verdict["method"]


def test_the_definitions_of_energy_stand_side_by_side(analysed):
    table = analysed("electrical_pulses").parameters
    energies = table[table["parameter"] == "energy_per_spike"].set_index("model")
    assert {"peak_power", "mean_power", "integral", "excess", "read"} <= set(energies.index)
    assert (energies["unit"] == "pJ").all() and energies["method"].map(len).all()
    # A constant voltage: the integral is voltage × mean current × width.
    assert energies.loc["integral", "value"] == pytest.approx(energies.loc["mean_power", "value"], rel=1e-6)
    assert energies.loc["peak_power", "value"] > 1.5 * energies.loc["mean_power", "value"]
    per_current = table[table["parameter"] == "energy_per_current"].set_index("model")
    assert per_current.loc["mean_power", "value"] == pytest.approx(0.5) and (per_current["unit"] == "pJ/pA").all()


def test_pairs_of_another_voltage_have_their_energy():
    rows = analysed_runs(pairs(np.random.default_rng(1), (0.01, 0.03, 0.1, 0.3, 0.5, 1.0), 2, voltage=2.5))
    energies = rows[rows["parameter"] == "energy_per_current"].set_index("model")["value"]
    assert energies["mean_power"] == pytest.approx(0.25)


def test_numbers_that_are_not_listed_are_refused():
    (number, *_) = analyse([measurement(pairs(np.random.default_rng(1), (0.01, 0.1, 0.3, 0.5, 1), 1))],
                           ElectricalPulsesSettings()).numbers  # fmt: skip
    for wrong in (replace(number, parameter="two_exponentials"), replace(number, model="5V_relaxation")):
        with pytest.raises(ValueError, match="is not listed"):
            TECHNIQUE.require_named([wrong])
    with pytest.raises(ValueError, match="in A, listed in 1"):
        TECHNIQUE.require_named([replace(number, unit="A")])


def test_a_printed_energy_is_no_setting():
    with pytest.raises(SheetError, match=r"electrical_pulses\.reported_energy: unknown setting"):
        validate_settings({"electrical_pulses": {"reported_energy": "11.7"}})


def test_potentiation_is_nonlinear_and_repeats(analysed):
    found = analysed("electrical_pulses")
    cycles = {"measurement": "ltp_ltd_50", "model": "cycles"}
    assert found.number("on_off_ratio", **cycles) > 100
    assert found.number("cycle_to_cycle_variation", **cycles) < 0.02
    drift, error = (
        found.number("conductance_drift", column, feature="maximum", **cycles) for column in ("value", "standard_error")
    )
    assert abs(drift) < 5 * error


def test_dropped_pulses_are_counted_with_their_reason():
    train = [(5, 0.1, 0.1)] * 3
    time, voltage, current = run(train, step=0.01)
    clipped = np.where(voltage > 1, np.minimum(current, 30e-12), current)
    rows = analysed_runs([(time, voltage, clipped), run(train * 2, step=0.01), run(train * 3, step=0.01)])
    dropped = rows[rows["parameter"] == "pulses_dropped"].iloc[0]
    assert dropped["value"] == 3 and "clipped" in dropped["method"] and "another pulse of the run" in dropped["method"]


def test_cycles_of_different_lengths_are_refused():
    cycle = [(5, 0.1, 0.1)] * 3 + [(-3, 0.1, 0.1)] * 3
    with pytest.raises(AnalysisError, match=r"pulses: cycles of different lengths \(2 \+ 3, 3 \+ 3 pulses\)"):
        analysed_runs([run(cycle, step=0.01), run(cycle[1:], step=0.01)])


def test_files_without_pulses_are_refused():
    time = np.linspace(0, 1, 200)
    with pytest.raises(AnalysisError, match="pulses"):
        analysed_runs([(time, np.full(200, 0.5), 1e-12 * np.ones(200))])
