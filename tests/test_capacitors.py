"""Loops and pulses of capacitors: our numbers from the current against those that the testers wrote into the files."""

import re

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load_parameters
from relaxor.project.ingest import ingest
from relaxor.readers import read
from relaxor.reporting.draw_samples import draw_sample
from relaxor.techniques.hysteresis.device import Capacitor, named, plates
from relaxor.techniques.hysteresis.settings import HysteresisSettings

from tests.analyses import analyse_with

AGREEMENT = 0.003
"""Of P_max for polarizations, of itself for the energy: the tester sums rectangles where we integrate."""
VOLTAGE_STEP = 0.01
"""Of the amplitude for the coercive voltage: one sample, for the tester does not interpolate alike."""
PULSES = 0.02
"""Of the switched charge: what relaxes between the pulses is in the tester's numbers alone."""
LOOPS = [
    "FeFETD1_die68_MFS+_100_10x10_fatique",
    "FeFETD1_die68_MFS+_100_10x10_freqs",
    "FeFETD1_die68_MFS+_100_10x10_voltages",
    "H9_x9y4_1e4_S3_temps",
    "RTWhiteB_freqs",
]


def run(folder, file, conditions=None, **settings):
    row = {"measurement": "m", "file": file.name, "origin": "measured", "instrument": "", "table": ""}
    data, parameters, curves = (str(folder / name) for name in ("hysteresis.nc", "parameters.csv", "curves.nc"))
    ingest([str(file)], [row | {"conditions": conditions or {}}], {}, data)
    analyse_with("hysteresis", data, parameters, curves, **(HysteresisSettings().model_dump() | settings))
    table = load_parameters(parameters)
    return {(row.model, row.parameter, row.feature): row for row in table.itertuples()}


@pytest.mark.costly
@pytest.mark.parametrize("name", LOOPS)
def test_every_table_agrees_with_the_tester(name, rawfiles, tmp_path):
    file = rawfiles / f"ferroelectric_pe/aixacct_dat/{name}.dat"
    numbers = run(tmp_path, file)
    for region, node in read(file).children.items():
        theirs, data = node.attrs, node.to_dataset().isel(loop=0)
        if "error" in theirs:
            continue  # the tester itself gave the loop up, for its current underflowed

        def ours(parameter, region=region):
            return numbers["uncorrected", parameter, region].value

        per_volt, p_max = plates(node.to_dataset()).field_per_volt, theirs["pmax"]
        assert ours("maximum_polarization") == pytest.approx(p_max, rel=AGREEMENT)
        assert ours("remanent_polarization_positive") == pytest.approx(theirs["pr_plus"], abs=AGREEMENT * p_max)
        # Of a loop that was driven before, the tester takes where it begins, of a first one where it ends, as we do.
        opening = 0.0 if "singleloop" in theirs else abs(np.subtract(*data["polarization"].to_numpy()[[0, -1]]))
        assert ours("remanent_polarization_negative") == pytest.approx(
            theirs["pr_minus"], abs=AGREEMENT * p_max + opening
        )
        for parameter, name in (("coercive_field_positive", "vc_plus"), ("coercive_field_negative", "vc_minus")):
            step = VOLTAGE_STEP * theirs["hysteresis_amplitude"]
            row = numbers["uncorrected", parameter, region]
            if np.isnan(row.value):  # the tester gives one nevertheless, of a loop that it did not drive before
                assert "singleloop" in theirs and "remanence that the opposite field leaves" in row.method
            else:
                assert ours(parameter) / per_volt == pytest.approx(theirs[name], abs=step)
        loss = ours("cycle_loss_energy_density") * theirs["thickness"] * 1e-4  # mJ/cm³ · nm → µJ/cm²
        assert loss == pytest.approx(theirs["wloss"], rel=AGREEMENT)


def test_only_a_saturated_loop_is_corrected(rawfiles, tmp_path):
    saturated, not_yet = (run(tmp_path, rawfiles / f"ferroelectric_pe/aixacct_dat/{LOOPS[i]}.dat") for i in (-1, 2))
    corrected, all_of_it = (
        saturated[model, "maximum_polarization", "table_1"].value for model in ("corrected", "uncorrected")
    )
    assert all_of_it > corrected > saturated["corrected", "remanent_polarization_positive", "table_1"].value
    assert not any(model == "corrected" for model, *_ in not_yet)
    assert "not saturated" in not_yet["uncorrected", "maximum_polarization", "table_1"].method


@pytest.mark.parametrize("name", ["PUND_TFA3000", "RTWhiteAPUND"])
def test_pulses_agree_with_the_tester(name, rawfiles, tmp_path):
    file = rawfiles / f"ferroelectric_pe/aixacct_dat/{name}.dat"
    numbers = run(tmp_path, file)
    for region in read(file).children:
        total = numbers["tester", "switching_polarization_positive", region].value
        for parameter in (
            "switching_polarization_positive",
            "nonswitching_polarization_positive",
            "switched_polarization_difference_positive",
        ):
            ours, theirs = (numbers[model, parameter, region].value for model in ("pund", "tester"))
            assert ours == pytest.approx(theirs, abs=PULSES * total)
            row = numbers["pund", parameter, region]
            assert 0 < row.standard_error < 0.02 * row.value and row.ci_low < row.value < row.ci_high and row.n == 1604


def test_the_charges_of_a_testers_pulses_share_the_error_of_the_area(rawfiles, tmp_path):
    flake = {"thickness": (8.0, "nm"), "width": (20.0, "um"), "gap": (2.0, "um")}
    numbers = run(tmp_path, rawfiles / "ferroelectric_pe/aixacct_dat/PUND_TFA3000.dat", flake)
    row = numbers["pund", "switching_polarization_positive", "table_1"]
    assert row.systematic_error == pytest.approx(np.hypot(0.4 / 8, 0.2 / 20) * row.value)


@pytest.mark.parametrize(
    "name", ["keysight_b1500_csv/PUND_B1500.csv", "keithley4200_xls/KHM005_fla10_PUND_100um_O_2R_after_3cycles.xls"]
)
def test_a_train_of_any_instrument_is_analysed_with_the_area_of_the_sheet(name, rawfiles, tmp_path):
    plain = {"area": (1e-4, "cm^2"), "thickness": (10.0, "nm")}
    numbers = run(tmp_path, rawfiles / "ferroelectric_pe" / name, plain)
    for polarity in ("positive", "negative"):
        switched, again = (
            numbers["pund", f"{what}_polarization_{polarity}", ""].value for what in ("switching", "nonswitching")
        )
        assert switched > again > 0
    method = numbers["pund", "switching_polarization_positive", ""].method
    assert ("turned" in method) == ("B1500" in name)  # it counts what flows out of the device
    # The amplifier of the Keithley was at its limit for nearly half of the train.
    assert ("the current stands at a limit, 0.00112 A: charge is missing" in method) == ("KHM005" in name)


@pytest.mark.parametrize("rows", [1, 2], ids=["one loop", "several loops"])
@pytest.mark.parametrize(
    ("current", "limit"),
    [
        (lambda v, ramp: np.clip(v**3 + 0.2 * ramp, -0.5, 0.5), 0.5),
        (lambda v, ramp: v**3 + 0.2 * ramp, None),
        (lambda v, ramp: ramp, None),
        (lambda v, ramp: np.round(100 * ramp + np.random.default_rng(1).normal(0, 0.2, v.size)) / 100, None),
    ],
    ids=["clipped", "whole", "capacitor", "quantized capacitor"],
)
def test_a_current_at_its_limit_is_told_from_that_of_a_capacitor(current, limit, rows):
    time = np.linspace(0, 1, 2000, endpoint=False)
    voltage = np.interp(time, [0, 0.25, 0.75, 1], [0, 1, -1, 0])
    amperes = current(voltage, np.where((time < 0.25) | (time >= 0.75), 1.0, -1.0))
    dims, repeat = (("time",), 1) if rows == 1 else (("loop", "time"), (rows, 1))
    table = xr.Dataset(
        {
            "voltage": (dims, np.tile(voltage, repeat), {"units": "V"}),
            "current": (dims, np.tile(amperes, repeat), {"units": "A"}),
        },
        {"time": ("time", time, {"units": "s"})},
    )
    remark = named(Measurement("m", {}, {}, {"table": table})).only.attrs.get("remark", "")
    assert remark == ("" if limit is None else f"; the current stands at a limit, {limit:g} A: charge is missing")


def test_a_loop_without_current_has_the_polarization_of_the_tester(rawfiles, tmp_path):
    file = rawfiles / "ferroelectric_pe/radiant_txt/TypABdata.Hysteresis.2.txt"
    numbers = run(tmp_path, file)
    text = file.read_text(encoding="cp1252")
    p_max, plus, minus = (float(re.search(rf"^{key} .*:\t(.*)", text, re.M)[1]) for key in ("PMax", "Pr", "-Pr"))

    def ours(parameter):
        return numbers["uncorrected", parameter, "measurement"].value

    assert ours("maximum_polarization") == pytest.approx(p_max, rel=AGREEMENT)
    # The tester counts from where the loop begins; the opening at zero field is the same.
    assert ours("remanent_polarization_positive") - ours("remanent_polarization_negative") == pytest.approx(
        plus - minus, rel=AGREEMENT
    )
    assert "P of the tester" in numbers["uncorrected", "maximum_polarization", "measurement"].method


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("aixacct_dat/FeFETD1_die68_MFS+_100_10x10_forc.dat", "table_1 is not one loop .* turns 49 times"),
        ("aixacct_dat/FeFETD1_die68_MFS+_100_10x10_lkg.dat", "table_1 holds voltage, leakage_current_density"),
        ("radiant_txt/TypABdataLkg.txt", "holds a constant voltage of 9 V, not a loop"),
    ],
)
def test_what_is_no_loop_says_so(file, words, rawfiles, tmp_path):
    with pytest.raises(AnalysisError, match=words):
        run(tmp_path, rawfiles / "ferroelectric_pe" / file)


def test_loops_that_do_not_saturate_stay_uncorrected_and_say_so(rawfiles, tmp_path):
    file = rawfiles / f"ferroelectric_pe/aixacct_dat/{LOOPS[-1]}.dat"
    numbers = run(tmp_path, file, saturation_field=300.0)
    assert {model for model, *_ in numbers} == {"uncorrected"}
    assert "no loop reaches 300 kV/cm" in numbers["uncorrected", "maximum_polarization", "table_1"].method


def test_the_sheet_goes_before_the_file(rawfiles, tmp_path):
    file = rawfiles / f"ferroelectric_pe/aixacct_dat/{LOOPS[-1]}.dat"
    own, told = run(tmp_path, file), run(tmp_path, file, {"area": (2e-4, "cm^2"), "thickness": (510.0, "nm")})
    for parameter in ("maximum_polarization", "coercive_field_positive"):
        key = ("uncorrected", parameter, "table_1")
        assert told[key].value == pytest.approx(own[key].value / 2, rel=1e-6)


def test_a_capacitor_has_the_fields_of_textbooks():
    assert Capacitor(1e-4, 10.0).field_per_volt == pytest.approx(1000)  # 1 V over 10 nm is 1 MV/cm
    assert plates(xr.Dataset()) is None


def test_many_loops_share_a_panel(rawfiles, tmp_path):
    run(tmp_path, rawfiles / f"ferroelectric_pe/aixacct_dat/{LOOPS[-1]}.dat")
    files = [str(tmp_path / name) for name in ("hysteresis.nc", "parameters.csv", "curves.nc", "s/hysteresis.svg")]
    draw_sample(files[0], files[1:2], files[2:3], files[3:])
    assert (tmp_path / "s/hysteresis.svg").stat().st_size > 10_000
