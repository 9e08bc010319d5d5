import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load, load_parameters, numbers_table, save_tree
from relaxor.figures.panel import PanelData
from relaxor.figures.style import SINGLE, new_figure
from relaxor.simulation.xps import noisy, truth
from relaxor.techniques.registry import techniques
from relaxor.techniques.xps import panels
from relaxor.techniques.xps.analysis import analyse
from relaxor.techniques.xps.composition import Amount, composition, transmission
from relaxor.techniques.xps.regions import Line, Model, Region, fit_region
from relaxor.techniques.xps.settings import XpsSettings

from tests.project import CBPS
from tests.simulated import ingested, simulated, specimen

SETTINGS = XpsSettings.model_validate(CBPS["xps"])
COPPER, BISMUTH = "accepted_splitting_shirley", "bi_4f_and_se_3p_shirley"


@pytest.fixture(scope="module")
def numbers(analysed):
    return analysed("xps")


def test_the_printed_copper_splitting_loses_and_both_readings_are_given(numbers):
    accepted, printed = (numbers.number("aicc", model=f"{name}_splitting_shirley") for name in ("accepted", "printed"))
    assert printed - accepted > 1000
    splitting = numbers.number("splitting", model="free_splitting_shirley", feature="Cu 2p")
    assert splitting == pytest.approx(19.8, abs=0.06)
    offset, presumed, other = (
        numbers.number("binding_energy_difference", model=COPPER, feature=line, at=reading)
        for line, reading in (("Cu 2p3/2", 935.58), ("Cu 2p3/2", 932.58), ("Cu 2p1/2", 952.48))
    )
    assert offset == pytest.approx(-2.90, abs=0.05)
    assert presumed == pytest.approx(offset + 3.0)
    assert other == pytest.approx(0.0, abs=0.05)
    rows = numbers.parameters
    assert {"printed_splitting_shirley", "free_splitting_shirley"} <= set(rows["model"])


def test_bismuth_needs_selenium_beneath(numbers):
    alone = numbers.number("aicc", model="bi_4f_alone_shirley")
    assert alone - numbers.number("aicc", model=BISMUTH) > 1000
    ratio = numbers.number("area_ratio_of_levels", model=BISMUTH, feature="Se 3p/Bi 4f")
    assert ratio == pytest.approx(1.09, abs=0.08)


def test_shirley_background_beats_tougaard_where_the_step_is_clear(numbers):
    for model in ("accepted_splitting", "bi_4f_and_se_3p", "p_2p", "se_3d"):
        shirley, tougaard = (numbers.number("aicc", model=f"{model}_{name}") for name in ("shirley", "tougaard"))
        assert tougaard - shirley > 10


@pytest.mark.parametrize(
    ("line", "model", "reported"),
    [
        ("Cu 2p1/2", COPPER, 952.48),
        ("Bi 4f7/2", BISMUTH, 158.15),
        ("Bi 4f5/2", BISMUTH, 163.45),
        ("P 2p3/2", "p_2p_shirley", 131.2),
        ("P 2p1/2", "p_2p_shirley", 132.1),
        ("Se 3d5/2", "se_3d_shirley", 54.1),
        ("Se 3d3/2", "se_3d_shirley", 54.95),
    ],
)
def test_energies_are_the_paper_s_and_carry_the_charge_reference(numbers, line, model, reported):
    value, error, systematic = (
        numbers.number("binding_energy", column, model=model, feature=line)
        for column in ("value", "standard_error", "systematic_error")
    )
    assert abs(value - reported) < 4 * error < 0.15
    assert 0.25 < systematic < 0.255  # and a little from background and line shape


def test_composition_is_one_to_one_to_two_to_six(numbers):
    table = numbers.parameters[numbers.parameters["parameter"] == "atomic_percent"].set_index("feature")
    assert table["value"].sum() == pytest.approx(100)
    for element, expected in {"Cu": 10, "Bi": 10, "P": 20, "Se": 60}.items():
        row = table.loc[element]
        assert abs(row["value"] - expected) < 4 * row["standard_error"] < 2
        assert row["systematic_error"] > row["standard_error"]


def test_all_elements_are_seen_in_the_survey(numbers):
    for line in ("Cu 2p3/2", "Bi 4f7/2", "Se 3d", "Se 3s", "C 1s", "O 1s"):
        assert numbers.number("significance", feature=line) > 5


def test_every_row_has_one_name_that_is_listed(measurement, numbers):
    assert not numbers.parameters.duplicated(["measurement", "model", "parameter", "feature", "at"]).any()
    (row, *_) = analyse([measurement], few("C1s")).numbers
    techniques()["xps"].require_named([row])
    for wrong in ({"parameter": "c_1s_area"}, {"model": "c_1s_linear"}, {"unit": "J"}):
        with pytest.raises(ValueError, match="xps: '"):
            techniques()["xps"].require_named([replace(row, **wrong)])


def test_a_window_with_one_model_is_kept_and_drawn(measurement, tmp_path):
    result = analyse([measurement], few("Se3d", "C1s"))
    save_tree(tmp_path / "curves.nc", result.curves)
    with xr.open_datatree(tmp_path / "curves.nc", engine="h5netcdf") as stored:
        assert stored["xps/Se3d/alternatives"].shape[0] == 0
        figure = new_figure(SINGLE, 60)
        data = PanelData(dict(stored.children), numbers_table(result.numbers, "xps"))
        panels.window(figure.add_subplot(), data, region="Se3d")
        figure.draw_without_rendering()


def test_curves_add_up(numbers):
    with xr.open_datatree(numbers.folder / "curves.nc", engine="h5netcdf") as tree:
        for window in ("Cu2p", "Bi4f", "P2p", "Se3d", "C1s"):
            curves = tree[f"xps/{window}"].to_dataset()
            np.testing.assert_allclose(curves.background + curves.components.sum("line"), curves.fit, rtol=1e-9)
            assert all({"units", "long_name"} <= set(line.attrs) for line in curves.data_vars.values())


@pytest.mark.parametrize("name", ["clean_Au_4f.csv", "lg4x/Highres_Au4f_hv_180_testfile.csv"])
def test_real_gold_has_its_known_splitting(reference, name):
    kinetic, counts = np.loadtxt(reference / "xps" / name, delimiter=",", comments="#").T
    region = Region.of(180.0 - kinetic, counts, 1.0, 84.0, 95.0)
    start = {"position": 87.7, "splitting": 3.6, "splitting_tolerance": None, "lorentzian": (0.4, 0.4)}
    gold = Line(level="Au 4f", **start, free_lorentzian="shared")
    fitted = fit_region(region, Model((gold,)))
    assert fitted.fit.value("au_4f_splitting") == pytest.approx(3.67, abs=0.02)
    assert fitted.fit.value("au_4f_area_ratio") == pytest.approx(0.75, abs=0.08)


def test_composition_by_hand():
    # Two elements of equal amounts; one has an error by counting, both have factors, one a share of its background.
    found = composition({"a": Amount(3.0, 0.03, {"background": 0.06}), "b": Amount(3.0, 0.0, {})}, "factors", 0.1)
    value, error, systematic = found["a"]
    assert (value, error) == pytest.approx((50.0, 100 * 0.5 * 0.5 * 0.01))
    assert systematic == pytest.approx({"factors": 100 * 0.5 * 0.5 * 0.1 * math.sqrt(2), "background": 0.5})


def test_transmission_is_flat_at_small_retard_ratio():
    assert transmission(100.0, 100.0, 40.0, 0.2) / 100.0 == pytest.approx(1.0, abs=2e-4)
    assert transmission(4000.0, 100.0, 40.0, 0.2) / 100.0 == pytest.approx(0.5**0.2)


@pytest.fixture(scope="module")
def measurement(tmp_path_factory):
    return load(ingested(simulated("xps", 1), tmp_path_factory.mktemp("xps")))[0]


def few(*windows):
    """Settings with few windows, one background and one shape."""
    kept = {name: SETTINGS.windows[name] for name in windows}
    return SETTINGS.model_copy(update={"backgrounds": ["shirley"], "shapes": ["voigt"], "windows": kept})


def drop_carbon(regions):
    regions.pop("C1s")


def drop_time(regions):
    regions["Bi4f"].attrs.pop("counting_time")


def shorten(regions):
    regions["C1s"] = regions["C1s"].isel(binding_energy=slice(0, 30))


def make_profile(regions):
    regions["C1s"] = regions["C1s"].expand_dims("cycle")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_carbon, "xps: has no region 'C1s' .it has Su1s, Cu2p"),
        (drop_time, "xps: region 'Bi4f' has no counting time"),
        (shorten, "xps: region 'C1s' has .* points between 279.0 and 295.0 eV; 40 needed"),
        (make_profile, "xps: region 'C1s' is not one spectrum over binding energy"),
    ],
)
def test_what_is_missing_is_named(measurement, change, message):
    regions = {name: region.copy() for name, region in measurement.regions.items()}
    change(regions)
    with pytest.raises(AnalysisError, match=message):
        analyse([replace(measurement, regions=regions)], few("Bi4f", "C1s"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference_window": "C2s"}, "reference_window 'C2s' is not one of Cu2p"),
        (
            {"windows": {"C1s": {"low": 1, "high": 2, "models": {"m": {"lines": ["C 2s"]}}}}},
            "no line 'C 2s' under lines",
        ),
        (
            {"windows": {"C1s": {"low": 1, "high": 2, "models": {"m": {"lines": ["Bi 4s"]}}}}},
            "'Bi 4s' follows the missing 'Cu 2p'",
        ),
    ],
)
def test_settings_that_point_nowhere_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        XpsSettings(**(CBPS["xps"] | change))


def test_the_sample_file_is_small_and_says_that_it_is_simulated():
    (first,), (second,) = simulated("xps", 7), simulated("xps", 7)
    assert first.content == second.content
    assert len(first.content) < 200_000
    assert b"SIMULATED" in first.content


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path):
    """200 sessions of other noise: each 95 % interval holds the truth in 90 to 98 %."""
    copper, bismuth = SETTINGS.windows["Cu2p"], SETTINGS.windows["Bi4f"]
    models = {name: model for name, model in copper.models.items() if name != "printed_splitting"}
    windows = SETTINGS.windows | {
        "Cu2p": copper.model_copy(update={"models": models}),
        "Bi4f": bismuth.model_copy(update={"models": {"bi_4f_and_se_3p": bismuth.models["bi_4f_and_se_3p"]}}),
    }
    settings = SETTINGS.model_copy(update={"backgrounds": ["shirley"], "shapes": ["voigt"], "windows": windows})
    crystal = specimen("xps")
    covered = []
    for draw in range(200):
        measured: list[Measurement] = load(ingested([noisy(crystal, np.random.default_rng(draw))], tmp_path))
        rows = {(row.model, row.parameter, row.feature): row for row in analyse(measured, settings).numbers}
        for true in truth(crystal):
            row = rows[true.model, true.parameter, true.feature]
            covered.append((true.model, true.parameter, true.feature, row.ci_low <= true.value <= row.ci_high))
    names = ["model", "parameter", "feature"]
    shares = pd.DataFrame(covered, columns=[*names, "within"]).groupby(names)["within"].mean()
    outside = shares[~shares.between(0.90, 0.98)]
    assert outside.empty, outside.to_string()


def test_parameters_file_of_a_session_is_complete(numbers):
    table = load_parameters(numbers.folder / "parameters.csv")
    assert (table["unit"].str.len() > 0).all()
    assert table["value"].notna().all()
