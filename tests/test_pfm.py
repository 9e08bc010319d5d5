import dataclasses
from collections import defaultdict

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load, numbers_table
from relaxor.core.variables import variable
from relaxor.project.ingest import ingest
from relaxor.readers import read
from relaxor.simulation import pfm as twin
from relaxor.techniques.pfm.analysis import analyse_image, find_domains, load_image
from relaxor.techniques.pfm.loops import analyse_loop
from relaxor.techniques.pfm.settings import PfmSettings
from relaxor.techniques.pfm.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.simulated import against_truth, ingested, simulated, specimen

analyse = analysis_of("pfm")

SPECIMEN = specimen("pfm")
LOOP = SPECIMEN.loops[0]
SETTINGS = PfmSettings()
ATTRS = {"raw_file": "file", "raw_sha256": "0" * 64, "origin": "simulated"}


def image(amplitude, phase, cycle=1.0):
    axis = np.arange(len(phase)) * 10.0
    plane = ("y", "x")
    scan = xr.Dataset(
        {
            "amplitude_retrace": variable(plane, amplitude, "m", "amplitude"),
            "phase_retrace": variable(plane, phase, "degree", "phase"),
        },
        coords={"x": variable("x", axis, "nm", "x"), "y": variable("y", axis, "nm", "y")},
    )
    return Measurement("p", ATTRS, {"cycle": (cycle, "1")}, {"image": scan})


def scanned(rng, scan):
    channels = twin.piezoresponse_image(rng, SPECIMEN, scan)
    return image(channels["AmplitudeRetrace"], channels["PhaseRetrace"])


def curve(channels):
    units = {"Bias": ("bias", "V"), "Amp": ("amplitude", "m"), "Phas": ("phase", "degree")}
    time = variable("time", np.arange(len(channels["Bias"])) * 0.01, "s", "time")
    loop = xr.Dataset(
        {units[key][0]: variable("time", values, units[key][1], key) for key, values in channels.items()},
        coords={"time": time},
    )
    return Measurement("l", ATTRS, {}, {"curve": loop})


def halves(contrast, middle, size=64):
    """An image whose left half is ahead of the right one by ``contrast`` around a phase ``middle``, in degrees."""
    sign = np.where(np.arange(size) < size // 2, 0.5, -0.5) * np.ones((size, 1))
    noise = np.random.default_rng(8).normal(0, 2.0, sign.shape)
    return image(np.full(sign.shape, 2e-11), (middle + contrast * sign + noise + 90) % 360 - 90)


def numbers(rows):
    return {(row.model, row.parameter, row.feature): row for row in rows}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    files = simulated("pfm", 7)
    result = analyse(load(ingested(files, tmp_path_factory.mktemp("pfm"))), SETTINGS)
    return result, numbers_table(result.numbers, "pfm"), files


def test_contrast_amplitude_domains_and_loops_are_found(results):
    _, table, files = results
    joined = against_truth(table, files, "right")
    assert (joined["unit"] == joined["true_unit"]).all()
    assert joined["true"].between(joined["ci_low"], joined["ci_high"]).mean() >= 0.9
    assert ((joined["value"] - joined["true"]).abs() < 4 * joined["standard_error"]).all()


def test_contrast_and_amplitude_grow_from_cycle_to_cycle(results):
    result, table, files = results
    trend = table[table["measurement"] == "pfm_cycles"].set_index(["model", "feature", "parameter"])
    for name in ("phase_contrast", "amplitude_mean"):
        true = [row.value for file in files for row in file.truth if row[:2] == ("domain_means", name)]
        slope = trend.loc["linear", name, "slope"]
        assert slope["ci_low"] > 0
        assert abs(slope["value"] - np.polyfit(range(6), true, 1)[0]) < 4 * slope["standard_error"]
        assert trend.loc[("linear", name, "slope_p_value"), "value"] < 1e-4
        assert trend.loc[("linear", name, "aicc"), "value"] < trend.loc[("constant", name, "aicc"), "value"]
        unchanged = trend.loc[("constant", name, "intercept")]
        assert unchanged["status"] == "misfit" and "'linear' describes the data better" in unchanged["method"]
    combined = ",".join(f"pfm_cycle_{number}" for number in range(1, 7))
    assert result.curves["pfm_cycles"].attrs["combines"] == combined
    assert len(slope["raw_sha256"].split(",")) == 6


def test_every_number_is_listed(results):
    TECHNIQUE.require_named(results[0].numbers)
    renamed = dataclasses.replace(results[0].numbers[0], model="off_field_double")
    with pytest.raises(ValueError, match="pfm: 'phase_contrast' of model 'off_field_double' is not listed"):
        TECHNIQUE.require_named([renamed])


def test_amplitudes_that_nobody_calibrated_have_the_unit_of_the_file():
    rng = np.random.default_rng(4)
    loop = curve(twin.loop_channels(rng, LOOP))
    scan = halves(170.0, 0.0)
    for measurement, name, unit in ((loop, "amplitude", "mV"), (scan, "amplitude_retrace", "1")):
        measurement.only[name].attrs["units"] = unit
        found = analyse([measurement], SETTINGS).numbers
        TECHNIQUE.require_named(found)
        units = {row.parameter: row.unit for row in found}
        assert unit in (units.get("remanent_piezoresponse_positive"), units.get("amplitude_mean"))


def test_a_unit_that_no_calibration_explains_is_refused():
    loop = next(row for row in analyse([curve(twin.loop_channels(np.random.default_rng(4), LOOP))], SETTINGS).numbers
                if row.parameter == "loop_area")  # fmt: skip
    TECHNIQUE.require_named([dataclasses.replace(loop, unit="mV*V")])
    with pytest.raises(ValueError, match="'loop_area' in mV, listed in pm"):
        TECHNIQUE.require_named([dataclasses.replace(loop, unit="mV")])


def test_loops_of_pysspfm_are_on_or_off_field_by_the_name_of_their_file(tmp_path):
    bias = np.tile(np.concatenate([np.arange(0, 10), np.arange(10, -10, -1), np.arange(-10, 0)]), 3) * 1.0
    rising = np.append(np.diff(bias) > 0, True)
    response = np.tanh((bias - np.where(rising, 3.0, -3.0)) / 2) + np.random.default_rng(5).normal(0, 0.01, bias.size)
    rows = "".join(
        f"1\t\t0.00\t\t{v:.2f}\t\t{abs(r):.4f}\t\t{0 if r > 0 else 180}\t\t\n"
        for v, r in zip(bias, response, strict=True)
    )
    text = "# \n# Loop index\tRead Volt (V)\tWrite Volt (V)\tAmplitude (a.u)\tPhase (deg)\t\n" + rows
    for name, feature, warned in (
        ("off_f.txt", "off field", False),
        ("on_f.txt", "on field", False),
        ("loop.txt", "on field", True),
    ):
        (tmp_path / name).write_text(text)
        tree = read(tmp_path / name)
        assert tree.attrs["format"] == "pysspfm" and ("warnings" in tree.attrs) == warned
        found = analyse([Measurement("l", ATTRS, {}, {"loop": tree["loop"].to_dataset()})], SETTINGS).numbers
        rows_found = {row.parameter: row for row in found if row.model == "single"}
        assert {row.feature for row in rows_found.values()} == {feature}
        assert ("electrostatic_slope" in rows_found) == (feature == "on field")
        assert abs(rows_found["switching_bias_forward"].value - 3.0) < 0.1 and rows_found["loop_area"].unit == "1*V"


def test_a_loop_read_at_several_biases_is_refused():
    loop = curve(twin.loop_channels(np.random.default_rng(4), LOOP))
    (region,) = loop.regions.values()
    region["read_bias"] = variable("time", np.arange(region.sizes["time"]) % 2, "V", "read bias")
    with pytest.raises(AnalysisError, match="l: was read at several biases"):
        analyse([loop], SETTINGS)


def test_two_kinds_of_domain_and_double_switching_win_and_the_losers_are_reported(results):
    table = results[1]
    aicc = table[table["parameter"] == "aicc"].set_index(["measurement", "model", "feature"])["value"]
    assert aicc["pfm_cycle_1", "von_mises_mixture", ""] < aicc["pfm_cycle_1", "von_mises_single", ""] - 10
    for field in ("on field", "off field"):
        assert aicc["pfm_loop_1", "double", field] < aicc["pfm_loop_1", "single", field] - 10


def test_maps_and_loops_are_there_to_draw(results):
    curves = results[0].curves
    scan = curves["pfm_cycle_3/image"]
    assert scan.attrs["cycle"] == 3
    assert scan["phase"].dtype == np.float32
    assert float(scan["phase"].where(scan["leading"] == 1).median()) > 0
    loop = curves["pfm_loop_1/off_field"]
    np.testing.assert_allclose(loop["data"], loop["fit"] + loop["residual"])


@pytest.mark.parametrize("contrast", [12.0, 90.0, 176.0])
@pytest.mark.parametrize("middle", [0.0, 90.0, 180.0, 269.0])
def test_contrast_does_not_depend_on_where_the_phase_is_cut(contrast, middle):
    rows = numbers(analyse_image(halves(contrast, middle), SETTINGS)[0])
    assert rows["domain_means", "phase_contrast", ""].value == pytest.approx(contrast, abs=0.3)
    assert rows["von_mises_mixture", "phase_contrast", ""].value == pytest.approx(contrast, abs=0.3)
    assert rows["domain_means", "domain_fraction", ""].value == pytest.approx(0.5, abs=0.01)


def test_the_leading_domain_is_the_one_ahead_in_phase():
    domains = find_domains(load_image(halves(60.0, 200.0)), 40.0)
    assert domains.leading[:, :30].all()
    assert not domains.leading[:, 34:].any()
    assert not domains.interior[:, 31:33].any()


def test_a_cycle_that_the_sheet_does_not_give_is_asked_for():
    scan = halves(60.0, 0.0)
    with pytest.raises(AnalysisError, match="p: the sheet gives no condition 'cycle'"):
        analyse_image(Measurement("p", ATTRS, {}, scan.regions), SETTINGS)


def test_a_scan_in_tapping_mode_is_no_piezoresponse(tmp_path, root):
    file = str(root / "raw_data/cbps/afm/afm_flake_3nm.ibw")
    row = {"measurement": "flake", "file": file, "origin": "simulated", "instrument": "", "table": "",
           "conditions": {"cycle": (1.0, "1")}}  # fmt: skip
    ingest([file], [row], {}, str(tmp_path / "pfm.nc"))
    with pytest.raises(AnalysisError, match="flake: was taken in 'AC Mode', in which the tip is not in contact with"):
        analyse(load(tmp_path / "pfm.nc"), SETTINGS)


def test_an_image_without_phase_names_what_it_has():
    scan = halves(60.0, 0.0)
    regions = {"image": scan.only.drop_vars("phase_retrace")}
    with pytest.raises(AnalysisError, match="p: no phase image; its variables are amplitude_retrace"):
        load_image(Measurement("p", ATTRS, scan.conditions, regions))


def test_pixels_without_value_are_refused():
    scan = halves(60.0, 0.0)
    scan.only["phase_retrace"][2, 2] = np.nan
    with pytest.raises(AnalysisError, match="p: phase_retrace holds pixels without value"):
        load_image(scan)


def test_a_loop_does_not_depend_on_the_reference_phase():
    channels = twin.loop_channels(np.random.default_rng(1), LOOP)
    areas = []
    for turn in (0.0, 130.0):
        turned = channels | {"Phas": (channels["Phas"] + turn + 90) % 360 - 90}
        areas.append(numbers(analyse_loop(curve(turned), 0.34)[0])["double", "loop_area", "off field"].value)
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)
    assert areas[0] > 0


def test_a_sweep_without_pauses_has_no_loop_off_field():
    bias = 5 * np.sin(np.linspace(0, 4 * np.pi, 400))
    response = np.tanh(bias - 0.8 * np.sign(np.gradient(bias))) * 1e-11
    noise = np.random.default_rng(2).normal(0, 2e-13, bias.shape)
    channels = {"Bias": bias, "Amp": abs(response + noise), "Phas": np.where(response + noise > 0, 0.0, 180.0)}
    rows, regions = analyse_loop(curve(channels), 0.0)
    assert set(regions) == {"on_field", "on_field_model"}
    assert numbers(rows)["single", "coercive_bias_positive", "on field"].value == pytest.approx(0.8, abs=0.1)


def test_a_bias_of_one_sign_is_no_loop():
    channels = twin.loop_channels(np.random.default_rng(1), LOOP)
    with pytest.raises(AnalysisError, match=r"l: .* bias steps from 0 to 8 V: not a loop"):
        analyse_loop(curve(channels | {"Bias": abs(channels["Bias"])}), 0.34)


def test_a_curve_without_phase_names_what_it_has():
    channels = twin.loop_channels(np.random.default_rng(1), LOOP)
    del channels["Phas"]
    with pytest.raises(AnalysisError, match="l: no phase; its variables are bias, amplitude"):
        analyse_loop(curve(channels), 0.34)


def coverage(draws, truth, analysis):
    hits = defaultdict(int)
    for draw in range(draws):
        rows = numbers(analysis(np.random.default_rng([17, draw])))
        for key, row in numbers(truth).items():
            hits[key] += rows[key].ci_low <= row.value <= rows[key].ci_high
    return {key: count / draws for key, count in hits.items()}


@pytest.mark.slow
@pytest.mark.parametrize("cycle", [0, 3, 5])
def test_image_intervals_cover_the_truth(cycle):
    scan = SPECIMEN.scans[cycle]
    truth = twin.image_truth(SPECIMEN, scan)
    shares = coverage(200, truth, lambda rng: analyse_image(scanned(rng, scan), SETTINGS)[0])
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


@pytest.mark.slow
def test_loop_intervals_cover_the_truth():
    truth = twin.loop_truth(LOOP)
    shares = coverage(400, truth, lambda rng: analyse_loop(curve(twin.loop_channels(rng, LOOP)), 0.34)[0])
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


@pytest.mark.parametrize(("unit", "scale"), [("mV", 1e9), ("1", 1e12), ("nm", 1e9)])
def test_an_amplitude_that_is_not_calibrated_keeps_its_unit(unit, scale):
    """Phases do not depend on it, and the amplitude is in the unit of the file; lengths are still given in pm."""
    known = halves(150.0, 10.0)
    other = halves(150.0, 10.0)
    channel = other.only["amplitude_retrace"]
    other.regions["image"]["amplitude_retrace"] = variable(channel.dims, channel.values * scale, unit, "amplitude")
    expected, found = analyse([known], SETTINGS), analyse([other], SETTINGS)
    factor, written = (1, "pm") if unit == "nm" else (scale * 1e-12, unit)
    assert [number.parameter for number in found.numbers] == [number.parameter for number in expected.numbers]
    for one, number in zip(expected.numbers, found.numbers, strict=True):
        changed = one.unit == "pm"
        assert number.unit == (written if changed else one.unit), number.parameter
        assert number.value == pytest.approx(one.value * (factor if changed else 1), rel=1e-6, nan_ok=True)
    assert found.curves["p/image"]["amplitude"].attrs["units"] == written


def test_a_loop_in_volts_has_its_numbers_in_volts():
    channels = twin.loop_channels(np.random.default_rng(3), LOOP)
    known, other = curve(channels), curve(channels)
    values = other.only["amplitude"]
    other.regions["curve"]["amplitude"] = variable("time", values.values * 1e9, "mV", "amplitude")
    expected, found = analyse([known], SETTINGS), analyse([other], SETTINGS)
    units = {number.parameter: number.unit for number in found.numbers}
    assert (units["saturation_piezoresponse"], units["loop_area"]) == ("mV", "mV*V")
    for one, number in zip(expected.numbers, found.numbers, strict=True):
        scale = 1e-3 if "pm" in one.unit else 1
        if one.parameter not in (
            "aicc",
            "probability",
        ):  # those follow the scale of the residuals, or a fit's last digit
            assert number.value == pytest.approx(one.value * scale, rel=1e-3, abs=1e-9, nan_ok=True), number.parameter


def test_cycles_in_different_units_have_no_trend():
    first, second = halves(150.0, 10.0), halves(150.0, 10.0)
    second = dataclasses.replace(second, id="q", conditions={"cycle": (2.0, "1")})
    second.regions["image"]["amplitude_retrace"].attrs["units"] = "V"
    with pytest.raises(AnalysisError, match="different units and have no trend: p in pm, q in V"):
        analyse([first, second], SETTINGS)
