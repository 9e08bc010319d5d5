import dataclasses
from collections import defaultdict

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load, numbers_table
from relaxor.core.variables import variable
from relaxor.simulation import afm as twin
from relaxor.simulation.surfaces import random_field
from relaxor.stats.blocks import correlation_length, jackknife, shared_edges, tiles
from relaxor.techniques.afm.analysis import load_surface
from relaxor.techniques.afm.flakes import Flake, distant_pairs, examine, plateaus
from relaxor.techniques.afm.levelling import Surface, segment
from relaxor.techniques.afm.settings import AfmSettings
from relaxor.techniques.afm.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.simulated import against_truth, ingested, simulated, specimen

analyse = analysis_of("afm")

SPECIMEN = specimen("afm")
SETTINGS = AfmSettings(layer_thickness=SPECIMEN.layer_thickness)


def measurement(height, x=None, y=None, unit="nm"):
    x = np.arange(height.shape[1]) * 10.0 if x is None else x
    y = np.arange(height.shape[0]) * 10.0 if y is None else y
    image = xr.Dataset(
        {"height_retrace": variable(("y", "x"), height, unit, "height")},
        coords={"x": variable("x", x, "nm", "x"), "y": variable("y", y, "nm", "y")},
    )
    return Measurement("a", {"raw_sha256": "0" * 64, "origin": "simulated"}, {}, {"image": image})


def stepped(height=5.0, size=96, rng=None, noise=0.05):
    """A step at 45 % of the width, with noise, on a tilted and bowed scan."""
    rng = rng or np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    return height * (x > -0.1) + 10 * x - 4 * y + 3 * x**2 + rng.normal(0, noise, x.shape)


def examined(height: np.ndarray, scale: float = 1.0) -> Flake:
    return examine(load_surface(measurement(height), scale), SETTINGS)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    files = simulated("afm", 7)
    result = analyse(load(ingested(files, tmp_path_factory.mktemp("afm"))), SETTINGS)
    return result, numbers_table(result.numbers, "afm"), files


def test_the_flakes_have_their_true_thickness(results):
    _, numbers, files = results
    joined = against_truth(numbers, files, "right")
    assert (joined["unit"] == joined["true_unit"]).all()
    z = (joined["value"] - joined["true"]) / np.hypot(joined["standard_error"], joined["systematic_error"])
    assert (z.abs() < 4).all()
    assert (z.abs() < 1.96).mean() >= 0.9


def test_every_number_is_listed(results):
    result, _, _ = results
    TECHNIQUE.require_named(result.numbers)
    renamed = dataclasses.replace(result.numbers[0], parameter="thickness")
    with pytest.raises(ValueError, match="afm: 'thickness' of model 'profile_linear' is not listed"):
        TECHNIQUE.require_named([renamed])


def test_both_ways_to_the_step_agree_and_the_scale_is_its_own_term(results):
    _, numbers, _ = results
    steps = numbers.query("parameter == 'step_height' and measurement == 'afm_flake_8nm'").set_index("model")
    profiles = ["profile_linear", "profile_quadratic", "profile_cubic", "profile_quartic"]
    assert set(steps.index) == {*profiles, "two_level_histogram"}
    assert (np.abs(steps["value"] - 8.0) < 2 * np.hypot(steps["standard_error"], steps["systematic_error"])).all()
    assert (steps["status"] == "ok").all()
    assert (steps["systematic_error"] > 0.01 * steps["value"]).all()
    assert steps.loc["profile_linear", "systematic_error"] < 0.15


def test_profiles_of_the_levelled_image_need_no_parabola_of_their_own(results):
    _, numbers, _ = results
    aicc = numbers.query("parameter == 'aicc' and measurement == 'afm_flake_8nm'").set_index("model")["value"]
    assert aicc["profile_linear"] < aicc["profile_quadratic"] - 10


def test_layers_are_the_height_in_half_lattice_constants(results):
    _, numbers, _ = results
    rows = numbers.query("measurement == 'afm_flake_3nm' and model == 'profile_linear'").set_index("parameter")
    assert rows.loc["number_of_layers", "value"] == pytest.approx(rows.loc["step_height", "value"] / 0.66315)


def test_curves_hold_the_map_the_profile_and_both_fits(results):
    curves = results[0].curves
    assert curves["afm_flake_8nm"].attrs["origin"] == "simulated"
    parts = {name.partition("/")[2] for name in curves if name.startswith("afm_flake_8nm/")}
    assert parts == {"map", "profile", "steps", "histogram"}
    profile = curves["afm_flake_8nm/profile"]
    right = profile["data"].where(profile.distance > 200, drop=True)
    assert float(right.mean()) == pytest.approx(8.0, abs=0.1)
    assert float(abs(profile["residual"].where(abs(profile.distance) > 100)).max()) < 0.2
    histogram = curves["afm_flake_8nm/histogram"]
    np.testing.assert_allclose(histogram["fit"], histogram["substrate"] + histogram["flake"])
    np.testing.assert_allclose(histogram["residual"], histogram["data"] - histogram["fit"])


def test_turning_the_image_changes_nothing():
    height = stepped()
    found = [examined(turned) for turned in (height, height.T, height[:, ::-1])]
    values = [flake.step_heights["profile_linear"][0] for flake in found]
    np.testing.assert_allclose(values, values[0], rtol=1e-6)
    assert values[0] == pytest.approx(5.0, abs=0.05)


def test_a_ribbon_with_two_edges_is_found():
    x = np.linspace(-1, 1, 120)
    ribbon = 4.0 * (np.abs(x - 0.1) < 0.4) * np.ones((120, 1))
    height = ribbon + np.random.default_rng(3).normal(0, 0.1, ribbon.shape) + 3 * x
    found = examined(height)
    step, error = found.step_heights["profile_linear"]
    assert abs(step - 4.0) < 4 * error < 0.2
    assert abs(found.levelled.flake.mean() - 0.4) < 0.02


def test_a_hole_is_a_substrate_below_a_flake():
    found = examined(stepped(height=-5.0))
    assert found.step_heights["profile_linear"][0] == pytest.approx(5.0, abs=0.05)
    assert found.levelled.flake[:, 0].all()


def test_dust_and_scars_move_no_step():
    height = stepped(noise=0.1)
    height[20:24, 10:14] += 40.0
    height[60, 50:80] += 5.0
    found = examined(height)
    assert found.step_heights["two_level_histogram"][0] == pytest.approx(5.0, abs=0.05)
    assert not found.levelled.count[20:24, 10:14].any()


def test_line_noise_is_taken_off():
    rng = np.random.default_rng(4)
    height = stepped(noise=0.1) + rng.normal(0, 2.0, (96, 1))
    found = examined(height)
    assert found.step_heights["profile_linear"][0] == pytest.approx(5.0, abs=0.05)
    assert found.roughness["flake"][0] == pytest.approx(0.1, rel=0.05)


def test_the_scale_of_the_scanner_multiplies_heights():
    flakes = [examined(stepped(), scale) for scale in (1.0, 1.1)]
    first, second = (flake.step_heights["profile_linear"][0] for flake in flakes)
    assert second == pytest.approx(1.1 * first)


def test_an_edge_keeps_a_third_of_the_shorter_plateau_away():
    flake = np.zeros((1, 90), bool)
    flake[0, 60:] = True
    used = np.flatnonzero(plateaus(flake, 1 / 3)[0])
    assert (used.min(), used.max()) == (0, 89)
    np.testing.assert_array_equal(np.setdiff1d(np.arange(90), used), np.arange(50, 70))


def test_roughness_of_shifted_profiles_is_that_of_the_surface():
    rng = np.random.default_rng(6)
    field = random_field(rng, 256, 3.0) + rng.normal(0, 5.0, (256, 1))
    squares, pairs = distant_pairs(field, np.ones(field.shape, bool), 16)
    assert np.sqrt(squares.sum() / pairs.sum()) == pytest.approx(1.0, abs=0.03)


def test_correlation_length_of_a_known_surface():
    field = random_field(np.random.default_rng(2), 256, 5.0)
    assert correlation_length(field, np.ones(field.shape, bool), 2.0) == pytest.approx(2 * 5 * np.sqrt(2), rel=0.1)


@pytest.mark.slow
def test_errors_of_adjacent_blocks_of_one_field_are_right_on_average():
    rng = np.random.default_rng(8)
    size, blocks = 192, np.arange(192) * 8 // 192
    means, errors = [], []
    for _ in range(300):
        field = random_field(rng, size, 4.0)[:, 0]
        mean, error = jackknife(lambda keep, field=field: field[keep].mean(), blocks)
        means.append(mean)
        errors.append(error * shared_edges(4.0 * np.sqrt(2), size / 8))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(means), rel=0.09)


def test_jackknife_of_a_mean_is_the_error_of_block_means():
    values = np.random.default_rng(0).normal(size=(40, 40))
    blocks = tiles(values.shape, 4, 4)
    mean, error = jackknife(lambda keep: values[keep].mean(), blocks)
    means = [values[blocks == block].mean() for block in range(16)]
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(np.std(means, ddof=1) / 4)


# --- what cannot be analysed -----------------------------------------------------------------------------------------
def test_a_flat_image_shows_no_step():
    height = np.random.default_rng(1).normal(0, 0.1, (64, 64))
    with pytest.raises(AnalysisError, match=r"no step|cross a step"):
        examined(height)


def test_pixels_without_value_are_counted():
    height = stepped()
    height[3, :5] = np.nan
    with pytest.raises(AnalysisError, match="a: height_retrace holds 5 pixels without value"):
        load_surface(measurement(height), 1.0)


def test_an_image_without_height_names_what_it_has():
    given = measurement(stepped())
    regions = {"image": given.only.rename(height_retrace="phase_retrace")}
    with pytest.raises(AnalysisError, match="a: no height image; its variables are phase_retrace"):
        load_surface(dataclasses.replace(given, regions=regions), 1.0)


def test_a_few_pixels_are_too_few():
    with pytest.raises(AnalysisError, match="8×8 pixels are too few"):
        load_surface(measurement(stepped(size=8)), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("flake", SPECIMEN.flakes[::2], ids=lambda flake: flake.file.measurement)
def test_intervals_cover_the_truth(flake):
    from scipy import stats

    draws, quantile = 400, stats.t.ppf(0.975, SETTINGS.batches - 1)
    truth = {(row.model, row.feature or row.parameter): row.value for row in twin.truth(SPECIMEN, flake)}
    hits = defaultdict(int)
    axis = np.linspace(0, flake.scan_size, flake.pixels)
    for draw in range(draws):
        height, _ = twin.topography(np.random.default_rng([3, draw]), SPECIMEN, flake, z_scale=1.0)
        found = examine(Surface(height, axis, axis, False), SETTINGS)
        for model, (value, error) in found.step_heights.items():
            hits[model] += abs(value - truth[model, "step_height"]) <= quantile * error
        for place, (value, error) in found.roughness.items():
            hits[place] += abs(value - truth["levelled_map", place]) <= quantile * error
    coverage = {name: count / draws for name, count in hits.items()}
    assert all(0.90 <= share <= 0.98 for share in coverage.values()), coverage


def test_the_mask_follows_the_edge():
    flake = SPECIMEN.flakes[0]
    height, on_flake = twin.topography(np.random.default_rng(5), SPECIMEN, flake)
    axis = np.linspace(0, flake.scan_size, flake.pixels)
    found, _ = segment(Surface(height, axis, axis, False), SETTINGS)
    assert np.mean(found != on_flake) < 0.01
