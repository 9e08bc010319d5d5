from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import variable
from relaxor.project.ingest import ingest
from relaxor.project.sheet import parse_quantity
from relaxor.simulation import pfm as twin
from relaxor.techniques.pfm.analysis import analyse_image, find_domains, load_image
from relaxor.techniques.pfm.loops import analyse_loop

from tests.analyses import analyse_with

SETTINGS = {"wall_exclusion": 40.0, "tiles_per_side": 4, "settling_fraction": 0.34}
ATTRS = {"raw_sha256": "0" * 64, "origin": "simulated"}


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


def simulated(rng, cycle):
    channels = twin.piezoresponse_image(rng, cycle)
    return image(channels["AmplitudeRetrace"], channels["PhaseRetrace"], cycle + 1.0)


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
    return {(row.model, row.parameter): row for row in rows}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pfm")
    files = list(twin.simulate(np.random.default_rng(7)))
    rows = [
        {"measurement": f.measurement, "file": f.name, "origin": "simulated", "instrument": "", "table": "",
         "conditions": {name: parse_quantity(text) for name, text in f.conditions.items()}}
        for f in files
    ]  # fmt: skip
    for file in files:
        (folder / file.name).write_bytes(file.content)
    ingest([str(folder / file.name) for file in files], rows, {}, str(folder / "pfm.nc"))
    analyse_with("pfm", str(folder / "pfm.nc"), str(folder / "p.csv"), str(folder / "c.nc"), **SETTINGS)
    truth = [(f.measurement, *entry) for f in files for entry in f.truth]
    return pd.read_csv(folder / "p.csv"), xr.open_datatree(folder / "c.nc"), truth


def test_contrast_amplitude_domains_and_loops_are_found(results):
    table, _, truth = results
    frame = pd.DataFrame(truth, columns=["measurement", "model", "parameter", "true", "unit"])
    joined = frame.merge(table, on=["measurement", "model", "parameter"], validate="one_to_one")
    assert len(joined) == len(truth)
    assert (joined["unit_x"] == joined["unit_y"]).all()
    assert joined["true"].between(joined["ci_low"], joined["ci_high"]).mean() >= 0.9
    assert ((joined["value"] - joined["true"]).abs() < 4 * joined["standard_error"]).all()


def test_contrast_and_amplitude_grow_from_cycle_to_cycle(results):
    table, curves, truth = results
    trend = table.query("measurement == 'pfm_cycles' and model == 'linear'").set_index("parameter")
    for name in ("phase_contrast", "amplitude_mean"):
        true = [entry[3] for entry in truth if entry[1:3] == ("domain_means", name)]
        slope = trend.loc[f"{name}_slope"]
        assert slope["ci_low"] > 0
        assert abs(slope["value"] - np.polyfit(range(6), true, 1)[0]) < 4 * slope["standard_error"]
        assert trend.loc[f"{name}_slope_p_value", "value"] < 1e-4
        constant = table.query(f"model == 'constant' and parameter == '{name}_aicc'")["value"].item()
        assert trend.loc[f"{name}_aicc", "value"] < constant
    assert curves["pfm_cycles"].attrs["combines"] == ",".join(f"pfm_cycle_{number}" for number in range(1, 7))
    assert len(trend.loc["phase_contrast_slope", "raw_sha256"].split(",")) == 6


def test_two_kinds_of_domain_and_double_switching_win_and_the_losers_are_reported(results):
    table, _, _ = results
    aicc = table.query("parameter == 'aicc'").set_index(["measurement", "model"])["value"]
    assert aicc["pfm_cycle_1", "von_mises_mixture"] < aicc["pfm_cycle_1", "von_mises_single"] - 10
    for field in ("on_field", "off_field"):
        assert aicc["pfm_loop_1", f"{field}_double"] < aicc["pfm_loop_1", f"{field}_single"] - 10


def test_maps_and_loops_are_there_to_draw(results):
    _, curves, _ = results
    scan = curves["pfm_cycle_3/image"].to_dataset()
    assert scan.attrs["cycle"] == 3
    assert scan["phase"].dtype == np.float32
    assert float(scan["phase"].where(scan["leading"] == 1).median()) > 0
    loop = curves["pfm_loop_1/off_field"].to_dataset()
    np.testing.assert_allclose(loop["data"], loop["fit"] + loop["residual"])


@pytest.mark.parametrize("contrast", [12.0, 90.0, 176.0])
@pytest.mark.parametrize("middle", [0.0, 90.0, 180.0, 269.0])
def test_contrast_does_not_depend_on_where_the_phase_is_cut(contrast, middle):
    rows = numbers(analyse_image(halves(contrast, middle), 40.0, 4)[0])
    assert rows["domain_means", "phase_contrast"].value == pytest.approx(contrast, abs=0.3)
    assert rows["von_mises_mixture", "phase_contrast"].value == pytest.approx(contrast, abs=0.3)
    assert rows["domain_means", "domain_fraction"].value == pytest.approx(0.5, abs=0.01)


def test_the_leading_domain_is_the_one_ahead_in_phase():
    domains = find_domains(load_image(halves(60.0, 200.0)), 40.0)
    assert domains.leading[:, :30].all()
    assert not domains.leading[:, 34:].any()
    assert not domains.interior[:, 31:33].any()


def test_a_cycle_that_the_sheet_does_not_give_is_asked_for():
    scan = halves(60.0, 0.0)
    with pytest.raises(AnalysisError, match="p: the sheet gives no condition 'cycle'"):
        analyse_image(Measurement("p", ATTRS, {}, scan.regions), 40.0, 4)


def test_a_scan_in_tapping_mode_is_no_piezoresponse(tmp_path, root):
    file = str(root / "raw_data/cbps/afm/afm_flake_3nm.ibw")
    row = {"measurement": "flake", "file": file, "origin": "simulated", "instrument": "", "table": "",
           "conditions": {"cycle": (1.0, "1")}}  # fmt: skip
    ingest([file], [row], {}, str(tmp_path / "pfm.nc"))
    with pytest.raises(AnalysisError, match="flake: was taken in 'AC Mode', where no tip rests on the sample"):
        analyse_with("pfm", str(tmp_path / "pfm.nc"), str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)


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
    channels = twin.loop_channels(np.random.default_rng(1), twin.LOOPS["pfm_loop_1"])
    areas = []
    for turn in (0.0, 130.0):
        turned = channels | {"Phas": (channels["Phas"] + turn + 90) % 360 - 90}
        areas.append(numbers(analyse_loop(curve(turned), 0.34)[0])["off_field_double", "loop_area"].value)
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)
    assert areas[0] > 0


def test_a_sweep_without_pauses_has_no_loop_off_field():
    bias = 5 * np.sin(np.linspace(0, 4 * np.pi, 400))
    response = np.tanh(bias - 0.8 * np.sign(np.gradient(bias))) * 1e-11
    noise = np.random.default_rng(2).normal(0, 2e-13, bias.shape)
    channels = {"Bias": bias, "Amp": abs(response + noise), "Phas": np.where(response + noise > 0, 0.0, 180.0)}
    rows, regions = analyse_loop(curve(channels), 0.0)
    assert set(regions) == {"on_field", "on_field_model"}
    assert numbers(rows)["on_field_single", "coercive_bias_positive"].value == pytest.approx(0.8, abs=0.1)


def test_a_bias_of_one_sign_is_no_loop():
    channels = twin.loop_channels(np.random.default_rng(1), twin.LOOPS["pfm_loop_1"])
    with pytest.raises(AnalysisError, match=r"l: .* bias steps from 0 to 8 V: no loop"):
        analyse_loop(curve(channels | {"Bias": abs(channels["Bias"])}), 0.34)


def test_a_curve_without_phase_names_what_it_has():
    channels = twin.loop_channels(np.random.default_rng(1), twin.LOOPS["pfm_loop_1"])
    del channels["Phas"]
    with pytest.raises(AnalysisError, match="l: no phase; its variables are bias, amplitude"):
        analyse_loop(curve(channels), 0.34)


def coverage(draws, truth, analysis):
    hits = defaultdict(int)
    for draw in range(draws):
        rows = numbers(analysis(np.random.default_rng([17, draw])))
        for key, true in truth.items():
            hits[key] += rows[key].ci_low <= true <= rows[key].ci_high
    return {key: count / draws for key, count in hits.items()}


@pytest.mark.slow
@pytest.mark.parametrize("cycle", [0, 3, 5])
def test_image_intervals_cover_the_truth(cycle):
    truth = {(model, name): value for model, name, value, _ in twin._image_truth(cycle)}
    shares = coverage(200, truth, lambda rng: analyse_image(simulated(rng, cycle), 40.0, 4)[0])
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


@pytest.mark.slow
def test_loop_intervals_cover_the_truth():
    states = twin.LOOPS["pfm_loop_1"]
    truth = {
        (f"{field}_double", name): value
        for field, state in states.items()
        for name, value, _ in (*twin._fitted(state, field), *twin._derived(state))
    }
    shares = coverage(400, truth, lambda rng: analyse_loop(curve(twin.loop_channels(rng, states)), 0.34)[0])
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares
