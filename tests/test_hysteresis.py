"""Loops and PUND: recovery of what the simulator put in, definitions against testers, and refusals."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Result
from relaxor.core.storage import load, numbers_table
from relaxor.readers import read
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.device import Capacitor
from relaxor.techniques.hysteresis.loops import Drive, centred, describe
from relaxor.techniques.hysteresis.pund import find_pulses, pulse_charges
from relaxor.techniques.hysteresis.separate_pulses import instrument_values, separate_charges
from relaxor.techniques.hysteresis.settings import HysteresisSettings
from relaxor.techniques.hysteresis.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.simulated import KEYS, against_truth, ingested, simulated

analyse = analysis_of("hysteresis")


def analysed(folder: Path, files, **settings) -> tuple[Result, pd.DataFrame]:
    """The result, and its numbers beside the true values."""
    result = analyse(load(ingested(files, folder)), HysteresisSettings(**settings))
    return result, against_truth(numbers_table(result.numbers, "hysteresis"), files)


def run(folder: Path, files, **settings) -> pd.DataFrame:
    return analysed(folder, files, **settings)[1]


def simulated_one(measurement: str):
    return next(one for one in simulated("hysteresis", 1) if one.measurement == measurement)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return analysed(tmp_path_factory.mktemp("hysteresis"), simulated("hysteresis", 11))


def value(table, parameter, column="value", **where):
    rows = table[table["parameter"] == parameter]
    for key, wanted in where.items():
        rows = rows[rows[key] == wanted]
    assert len(rows) == 1, f"{parameter} {where}: {len(rows)}"
    return rows.iloc[0][column]


def test_parameters_lie_within_their_intervals_of_the_truth(result):
    table = result[1].dropna(subset="true")
    assert table["value"].notna().all(), table[table["value"].isna()][KEYS].to_string()
    assert (table["unit"] == table["true_unit"]).all()
    z = (table["true"] - table["value"]) / table["standard_error"]
    assert len(table) > 180 and table["true"].between(table["ci_low"], table["ci_high"]).mean() >= 0.9
    assert z.abs().max() < 4, table[z.abs() > 4].to_string()


def test_the_loop_is_antiferroelectric_with_a_small_negative_remanence(result):
    main = result[1][(result[1]["measurement"] == "pe_8nm_22V_100Hz") & (result[1]["model"] == "corrected")]
    assert -0.1 < value(main, "remanent_polarization_positive") / value(main, "maximum_polarization") < 0
    assert (
        value(main, "forward_switching_field_positive")
        > value(main, "backward_switching_field_positive")
        > 0
        > value(main, "backward_switching_field_negative")
        > value(main, "forward_switching_field_negative")
    )
    assert value(main, "switching_stored_energy_density") - value(
        main, "switching_recovered_energy_density"
    ) == pytest.approx(value(main, "cycle_loss_energy_density") / 2)


def test_both_models_of_every_loop_are_reported_and_leakage_costs_efficiency(result):
    table = result[1]
    for name in table.loc[table["model"] == "corrected", "measurement"].unique():
        one = table[table["measurement"] == name]
        losses = [value(one, "cycle_loss_energy_density", model=model) for model in ("uncorrected", "corrected")]
        assert losses[0] > losses[1]
        assert losses[1] == pytest.approx(value(one, "cycle_loss_energy_density", model="leakage_removed"), rel=5e-3)
    aicc = {model: value(table, "aicc", model=model, measurement="device_8nm") for model in
            ("capacitance", "ohmic", "ohmic_cubic")}  # fmt: skip
    assert aicc["ohmic_cubic"] < aicc["ohmic"] - 10 < aicc["capacitance"] - 20


def test_systematic_terms_follow_from_the_geometry_and_from_what_is_assumed(result):
    rows = [row for row in result[0].numbers if row.measurement == "pe_8nm_22V_100Hz" and row.model == "corrected"]
    budget = {row.parameter: {part.name: part.value / abs(row.value) for part in row.budget} for row in rows}
    area, gap = np.hypot(0.4 / 8, 0.2 / 20), 0.05 / 2
    assert budget["maximum_polarization"][q.CROSS_SECTION] == pytest.approx(area, rel=1e-6)
    assert budget["forward_switching_field_positive"][q.DISTANCE] == pytest.approx(gap, rel=1e-6)
    assert budget["cycle_loss_energy_density"][q.VOLUME] == pytest.approx(np.hypot(area, gap), rel=1e-6)
    # The efficiency has no error of the geometry, only what the saturated part and the form of the leakage change.
    assert set(budget["switching_efficiency"]) == {q.SATURATED_PART, q.FORM}
    assert 0 < budget["switching_efficiency"][q.SATURATED_PART] < 0.02


def test_polarizations_with_an_alternative_thickness_are_reported(result):
    one = result[1][result[1]["measurement"] == "pe_8nm_22V_100Hz"]
    first = value(one, "maximum_polarization", model="corrected")
    second = value(one, "maximum_polarization", model="corrected_alternative_thickness", at=6.0, at_unit="nm")
    assert second == pytest.approx(first * 8 / 6)
    assert not (one["model"].eq("corrected_alternative_thickness") & one["unit"].eq("kV/cm")).any()


def test_every_number_is_listed(result):
    TECHNIQUE.require_named(result[0].numbers)
    renamed = replace(result[0].numbers[-1], parameter="p_r_plus")
    with pytest.raises(ValueError, match="hysteresis: 'p_r_plus' of model 'pund_minus_loop' is not listed"):
        TECHNIQUE.require_named([renamed])


def test_each_law_of_the_leakage_is_right_or_said_not_to_be(result):
    """What laws say that describe the data as well is an error of each; a law that another one beats is a misfit."""
    table = result[1]
    devices = table[table["parameter"].isin(["capacitance", "conductance"])]
    true = devices[devices["model"] == "ohmic_cubic"].set_index(["measurement", "parameter"])["true"]
    assert len(true) == 6 and true.notna().all()
    known = devices[devices["status"] == "ok"].set_index(["measurement", "parameter"])
    off = (known["value"] - true.reindex(known.index)).abs()
    assert (off <= 3 * np.hypot(known["standard_error"], known["systematic_error"])).all()
    assert {"ohmic_cubic", "asymmetric_leakage", "ohmic_square"} <= set(known["model"])
    square = table[(table["measurement"] == "device_8nm") & (table["model"] == "ohmic_square")]
    assert set(square["status"]) == {"misfit"} and square["method"].str.contains("describes the data better").all()


def test_pund_agrees_with_the_loop(result):
    table = result[1][result[1]["model"] == "pund_minus_loop"]
    difference = value(table, "remanence_difference")
    assert abs(difference) < 3 * value(table, "remanence_difference", "standard_error")


def test_curves_hold_data_components_and_provenance(result):
    curves = result[0].curves
    assert curves["pe_8nm_22V_100Hz"].attrs["origin"] == "simulated"
    loop = curves["pe_8nm_22V_100Hz/loop"]
    parts = loop["switching_current"] + loop["capacitive_current"] + loop["leakage_current"]
    np.testing.assert_allclose(parts, loop["current"], atol=1e-20)
    assert all("units" in variable.attrs and "long_name" in variable.attrs for variable in loop.variables.values())


def test_a_linear_capacitor_and_a_resistor_have_the_energies_of_textbooks():
    phase = np.arange(2000) / 2000
    field = 10 * (1 - 4 * np.abs((phase + 0.25) % 1 - 0.5))
    drive = Drive.of(field)
    linear = describe(drive, centred(drive, 0.3 * drive.field))
    assert linear[q.STORED_ENERGY_DENSITY] == pytest.approx(0.3 * 10**2 / 2)
    assert linear[q.RECOVERABLE_ENERGY_DENSITY] == pytest.approx(0.3 * 10**2 / 2)
    assert linear[q.CYCLE_LOSS_ENERGY_DENSITY] == pytest.approx(0, abs=1e-9)
    circle = describe(drive, centred(drive, drive.roll(np.cos(2 * np.pi * (phase - 0.3)))))
    area = np.trapezoid(drive.field, drive.roll(np.cos(2 * np.pi * (phase - 0.3))))
    assert circle[q.CYCLE_LOSS_ENERGY_DENSITY] == pytest.approx(area, rel=1e-9)


@pytest.mark.parametrize("path", ["rawfiles/ferroelectric_pe/aixacct_dat", "reference/pund"])
def test_pund_numbers_of_the_tester(path, rawfiles, reference):
    for file in (rawfiles.parent / path).glob("*PUND*.dat"):
        for child in read(file).children.values():
            data = child.to_dataset()
            ours = instrument_values(data)
            names = {
                q.REMANENT_POLARIZATION["positive"]: "pr_plus",
                q.REMANENT_POLARIZATION["negative"]: "pr_minus",
                q.NONSWITCHING_POLARIZATION["positive"]: "pnsw",
                q.COERCIVE_VOLTAGE["positive"]: "vc_plus",
                q.COERCIVE_VOLTAGE["negative"]: "vc_minus",
                q.MAXIMUM_POLARIZATION: "pmax" if "pmax" in data.attrs else "pvmax_plus",
            }
            if "dpsw" in data.attrs:
                names |= {
                    q.SWITCHING_POLARIZATION["positive"]: "psw",
                    q.SWITCHED_POLARIZATION_DIFFERENCE["positive"]: "dpsw",
                }
            else:  # software 3.0.25 writes the maximum plus P at the start of D, with the sign of P left in
                theirs = 2 * ours[q.MAXIMUM_POLARIZATION] - ours[q.SWITCHING_POLARIZATION["positive"]]
                assert theirs == pytest.approx(data.attrs["psw"], abs=1e-3)
            for own, name in names.items():
                assert ours[own] == pytest.approx(data.attrs[name], abs=1e-5 if own.unit == "V" else 1e-3), own.name


@pytest.mark.parametrize("name", ["RTWhiteB_freqs", "FeFETD1_die68_MFS+_100_10x10_voltages"])
def test_remanence_and_coercive_voltage_of_real_loops(rawfiles, name):
    """The tester takes Pr- where a loop begins or ends, and the others where its own column crosses zero."""
    for child in read(rawfiles / f"ferroelectric_pe/aixacct_dat/{name}.dat").children.values():
        data = child.to_dataset()
        voltage, polarization = (data[key].sel(loop=1).to_numpy()[:-1] for key in ("voltage", "polarization"))
        drive = Drive.of(voltage)
        numbers = describe(drive, drive.roll(polarization))
        assert numbers[q.REMANENT_POLARIZATION["positive"]] == pytest.approx(data.attrs["pr_plus"], abs=2e-4)
        ends = data["polarization"].sel(loop=1).to_numpy()[[0, -1]]
        assert np.abs(ends - data.attrs["pr_minus"]).min() < 1e-4
        assert numbers[q.COERCIVE_FIELD["negative"]] == pytest.approx(data.attrs["vc_minus"], abs=1e-4)
        assert numbers[q.COERCIVE_FIELD["positive"]] == pytest.approx(data.attrs["vc_plus"], abs=0.03)


def test_the_noise_of_a_testers_pulses_is_that_of_their_charges():
    """Current with the noise of its samples, and what it moves without it."""
    rng, time = np.random.default_rng(5), np.linspace(0, 1e-3, 401)
    voltage = np.array([sign * np.clip(1 - np.abs(time / 4e-4 - 1), 0, None) for sign in (1, 1, -1, -1)])
    current = np.gradient(voltage, time, axis=1) * 1e-6 + voltage**3 * 1e-3
    current[::2] += voltage[::2] ** 5 * 5e-3

    def charges(amperes):
        dims = ("pulse", "time")
        data = {"voltage": (dims, voltage), "current": (dims, amperes)}
        return separate_charges(xr.Dataset(data, {"pulse": list("PUND"), "time": time}), Capacitor(1e-4, 10.0))

    exact = charges(current)
    draws = [charges(current + rng.normal(0, 1e-4, current.shape)) for _ in range(300)]
    for name, true in exact.items():
        z = np.array([(draw[name].value - true.value) / draw[name].error for draw in draws])
        assert abs(z.mean()) < 0.2 and z.std() == pytest.approx(1, abs=0.13), name


def test_the_baseline_of_a_train_is_doubted_only_where_its_rests_show_a_curve(pund, tmp_path):
    """Offset and drift lie on a line in nearly all draws of the noise; what flows on after a pulse does not."""
    head, rows = table_of(pund)
    time, voltage, _ = rows.T
    after = np.where(time > 0.012, np.exp(-(time - 0.012) / 5e-3), 0)
    rng, doubted = np.random.default_rng(6), {0.0: 0, 3.0: 0}
    for flowing in doubted:
        for _ in range(100):
            current = 0.2 + 20 * time + voltage + flowing * after + rng.normal(0, 1, len(time))
            data = xr.Dataset(
                {"voltage": ("time", voltage, {"units": "V"}), "current": ("time", current, {"units": "A"})}
            )
            data["time"] = "time", time, {"units": "s"}
            values, _, _ = pulse_charges("train", data, Capacitor(1e-4, 10.0))
            doubted[flowing] += any(charge.baseline for charge in values.values())
    assert doubted[0.0] <= 4 and doubted[3.0] == 100
    told = run(tmp_path, [pund])["method"]
    assert told[told.str.contains("baseline from")].str.endswith("baseline from the rests").all()
    shifted = written(pund, head, np.stack([time, voltage, rows[:, 2] + 1e-12 * after], axis=-1))
    table = run(tmp_path, [shifted]).set_index(["model", "parameter"])
    assert "the rest before the first pulse" in table.loc[("pund", "switching_polarization_positive"), "method"]


@pytest.fixture(scope="module")
def pund():
    return simulated_one("pund_8nm_22V_100Hz")


def again(entry, volts=1.0, amperes=1.0):
    """Append P, U, N and D of a train to it, with other voltages and currents."""
    head, rows = table_of(entry)
    repeated = rows[rows[:, 0] >= 0.0125] * [1, volts, amperes]
    repeated[:, 0] += rows[-1, 0] + rows[1, 0] - repeated[0, 0]
    return written(entry, head, np.concatenate([rows, repeated]))


def test_pulses_that_are_repeated_are_averaged_with_their_scatter(pund, tmp_path):
    once, twice = (run(tmp_path, [entry]).set_index(["model", "parameter"]) for entry in (pund, again(pund, 1, 1.1)))
    for name in ("switching_polarization_positive", "nonswitching_polarization_negative"):
        first, mean = once.loc[("pund", name)], twice.loc[("pund", name)]
        assert mean["value"] == pytest.approx(1.05 * first["value"], rel=0.01)
        assert mean["standard_error"] == pytest.approx(0.05 * first["value"], rel=0.1) != first["standard_error"]
        assert mean["ci_high"] - mean["value"] == pytest.approx(12.706 * mean["standard_error"], rel=1e-3)
        assert "means of 2 P, 2 U, 2 N, 2 D" in mean["method"] and "means" not in first["method"]


def test_pulses_that_are_not_equal_are_refused(pund, tmp_path):
    with pytest.raises(AnalysisError, match="pulses P and U reach 11 to 22 V; the part that does not switch"):
        run(tmp_path, [again(pund, 0.5)])


def test_pulses_are_found_and_named():
    pulse = np.concatenate([np.linspace(0, 1, 50), np.linspace(1, 0, 50), np.zeros(60)])
    train = np.concatenate([np.zeros(30), *(sign * pulse for sign in (-1, 1, 1, -1, -1))])
    assert [one.letter for one in find_pulses(train)] == ["X", "P", "U", "N", "D"]
    assert all(abs(train[one.top]) == 1 and train[one.start] == train[one.stop] == 0 for one in find_pulses(train))


def test_a_loop_too_small_to_saturate_stays_uncorrected_and_says_so(tmp_path):
    rows = run(tmp_path, [simulated_one("pe_8nm_10V_100Hz")]).dropna(subset="value")
    assert set(rows["model"]) == {"uncorrected"} and rows["method"].str.contains("no loop reaches 100 kV/cm").all()


def test_what_is_missing_is_named(main, tmp_path):
    def error(*entries, **settings):
        with pytest.raises(AnalysisError) as caught:
            run(tmp_path, entries, **settings)
        return str(caught.value)

    for name in ("thickness", "frequency"):
        left = {key: text for key, text in main.conditions.items() if key != name}
        assert f"pe_8nm_22V_100Hz: the sheet gives no condition '{name}'" in error(replace(main, conditions=left))
    assert "the file's area is 1.6e-09 cm^2, thickness times width of the sheet 1.2e-09 cm^2" in error(
        replace(main, conditions=main.conditions | {"thickness": "6 nm"})
    )
    assert "at least 2 cycles" in error(labelled(main, "60"))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        (
            "frequency",
            "200 Hz",
            "the file's frequency is 100 Hz, that of the sheet 200 Hz; make sure that sheet, header",
        ),
        ("gap", "2 mm", "the file's gap is 2 um, that of the sheet 2000 um"),
    ],
)
def test_a_sheet_that_contradicts_its_file_is_refused(name, given, words, main, tmp_path):
    with pytest.raises(AnalysisError, match=f"pe_8nm_22V_100Hz: {words}"):
        run(tmp_path, [replace(main, conditions=main.conditions | {name: given})])


@pytest.mark.parametrize(("frequency", "turns"), [("200", 4), ("120", 3), ("101", 4)])
def test_a_voltage_that_does_not_repeat_at_its_frequency_is_refused(frequency, turns, main, tmp_path):
    words = f"the voltage does not repeat at the {frequency} Hz of the sheet: it turns {turns} times in 0.0.* by .* V "
    with pytest.raises(AnalysisError, match=words):
        run(tmp_path, [labelled(main, frequency)])


def test_two_cycles_taken_for_one_are_refused(main, tmp_path):
    head, rows = table_of(main)
    time, voltage, current = (rows[:, column] for column in range(3))
    twice = np.stack([np.append(time, time + 2e-2), np.tile(voltage, 2), np.tile(current, 2)], axis=-1)
    with pytest.raises(AnalysisError, match=r"does not repeat at the 50 Hz of the sheet: it turns 8 times in 0\.04 s"):
        run(tmp_path, [labelled(written(main, head, twice), "50")])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda rows: rows * [1, 0.2, 1], "the file's amplitude is 22 V, the largest voltage of its column 4.4 V"),
        (lambda rows: rows * [1, 1, 0], "the current is 0 A throughout; was the device connected?"),
        (
            lambda rows: np.column_stack([rows[:, 0], rows[:, 1], np.tile(rows[:800, 2], 2)]),
            "the current shows no noise, so that no error can be given: its cycles are identical to the last digit",
        ),
    ],
    ids=["amplitude", "no current", "no noise"],
)
def test_columns_that_no_loop_has_are_refused(spoil, words, main, tmp_path):
    head, rows = table_of(main)
    with pytest.raises(AnalysisError, match=f"pe_8nm_22V_100Hz: {re.escape(words)}"):
        run(tmp_path, [written(main, head, spoil(rows))])


@pytest.fixture(scope="module")
def main():
    """The loop of the main flake at 22 V and 100 Hz."""
    return simulated_one("pe_8nm_22V_100Hz")


def labelled(entry, frequency):
    """Say in header and sheet that a loop was taken at another frequency (Hz)."""
    content = entry.content.replace(b"Frequency (Hz): 100", f"Frequency (Hz): {frequency}".encode())
    return replace(entry, content=content, conditions=entry.conditions | {"frequency": f"{frequency} Hz"})


def table_of(entry):
    head, numbers = entry.content.decode().split("Current (A)")
    return head, np.loadtxt(numbers.splitlines())


def written(entry, head, rows):
    head = re.sub(r"Points: \d+", f"Points: {len(rows)}", head)
    lines = "\n".join("\t".join(f"{number:.8g}" for number in row) for row in rows)
    return replace(entry, content=f"{head}Current (A)\n{lines}\n".encode())


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path):
    """Each parameter's 95 % interval of each model, over 200 draws of the noise and the measurements that have it."""
    draws = [
        run(tmp_path, simulated("hysteresis", seed), replicates=150).dropna(subset="true") for seed in range(1000, 1200)
    ]
    table = pd.concat(draws)
    inside = (
        table["true"].between(table["ci_low"], table["ci_high"]).groupby([table["model"], table["parameter"]]).mean()
    )
    assert inside.between(0.90, 0.98).all(), inside.round(3).to_string()
