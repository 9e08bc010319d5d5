import copy
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load_parameters, save_tree
from relaxor.readers.photoemission.phi_spe import extract
from relaxor.simulation.xps import simulate
from relaxor.techniques.xps.composition import Signal, composition, transmission
from relaxor.techniques.xps.regions import Line, Model, Region, fit_region
from relaxor.techniques.xps.settings import XpsSettings

from tests.analyses import analyse_with
from tests.project import CBPS

COPPER, BISMUTH = "accepted_splitting_shirley", "bi_4f_and_se_3p_shirley"


@pytest.fixture(scope="module")
def numbers(analysed):
    return analysed("xps")


def test_the_printed_copper_splitting_loses_and_both_readings_are_given(numbers):
    accepted, printed = (numbers.number("aicc", model=f"{name}_splitting_shirley") for name in ("accepted", "printed"))
    assert printed - accepted > 1000
    assert numbers.number("cu_2p_splitting", model="free_splitting_shirley") == pytest.approx(19.8, abs=0.06)
    offset = numbers.number("cu_2p3_2_minus_printed", model=COPPER)
    assert offset == pytest.approx(-2.90, abs=0.05)
    assert numbers.number("cu_2p3_2_minus_presumed", model=COPPER) == pytest.approx(offset + 3.0)
    assert numbers.number("cu_2p1_2_minus_printed", model=COPPER) == pytest.approx(0.0, abs=0.05)
    rows = numbers.parameters
    assert {"printed_splitting_shirley", "free_splitting_shirley"} <= set(rows["model"])


def test_bismuth_needs_selenium_beneath(numbers):
    alone = numbers.number("aicc", model="bi_4f_alone_shirley")
    assert alone - numbers.number("aicc", model=BISMUTH) > 1000
    assert numbers.number("se_3p_to_bi_4f_area_ratio", model=BISMUTH) == pytest.approx(1.09, abs=0.08)


def test_shirley_background_beats_tougaard_where_the_step_is_clear(numbers):
    for model in ("accepted_splitting", "bi_4f_and_se_3p", "p_2p", "se_3d"):
        shirley, tougaard = (numbers.number("aicc", model=f"{model}_{name}") for name in ("shirley", "tougaard"))
        assert tougaard - shirley > 10


@pytest.mark.parametrize(
    ("parameter", "model", "reported"),
    [
        ("cu_2p1_2", COPPER, 952.48),
        ("bi_4f7_2", BISMUTH, 158.15),
        ("bi_4f5_2", BISMUTH, 163.45),
        ("p_2p3_2", "p_2p_shirley", 131.2),
        ("p_2p1_2", "p_2p_shirley", 132.1),
        ("se_3d5_2", "se_3d_shirley", 54.1),
        ("se_3d3_2", "se_3d_shirley", 54.95),
    ],
)
def test_energies_are_the_paper_s_and_carry_the_charge_reference(numbers, parameter, model, reported):
    name = f"{parameter}_binding_energy"
    error = numbers.number(name, "standard_error", model=model)
    assert abs(numbers.number(name, model=model) - reported) < 4 * error < 0.15
    assert numbers.number(name, "systematic_error", model=model) == 0.25


def test_composition_is_one_to_one_to_two_to_six(numbers):
    contents = {name: numbers.number(f"{name.capitalize()}_atomic_percent") for name in ("cu", "bi", "p", "se")}
    assert sum(contents.values()) == pytest.approx(100)
    for name, expected in {"cu": 10, "bi": 10, "p": 20, "se": 60}.items():
        error = numbers.number(f"{name.capitalize()}_atomic_percent", "standard_error")
        assert abs(contents[name] - expected) < 4 * error < 2
        assert numbers.number(f"{name.capitalize()}_atomic_percent", "systematic_error") > error


def test_all_elements_are_seen_in_the_survey(numbers):
    for line in ("cu_2p3_2", "bi_4f7_2", "se_3d", "se_3s", "c_1s", "o_1s"):
        assert numbers.number(f"{line}_significance") > 5


def test_every_row_has_one_name(numbers):
    assert not numbers.parameters.duplicated(["measurement", "model", "parameter"]).any()


def test_curves_add_up(numbers):
    with xr.open_datatree(numbers.folder / "curves.nc", engine="h5netcdf") as tree:
        for window in ("Cu2p", "Bi4f", "P2p", "Se3d", "C1s"):
            curves = tree[f"xps/{window}"].to_dataset()
            parts = [line for line in curves.data_vars.values() if line.attrs.get("role") == "component"]
            np.testing.assert_allclose(curves.background + sum(parts), curves.fit, rtol=1e-9)
            assert all({"units", "long_name"} <= set(line.attrs) for line in curves.data_vars.values())


@pytest.mark.parametrize("name", ["clean_Au_4f.csv", "lg4x/Highres_Au4f_hv_180_testfile.csv"])
def test_real_gold_has_its_known_splitting(reference, name):
    kinetic, counts = np.loadtxt(reference / "xps" / name, delimiter=",", comments="#").T
    region = Region.of(180.0 - kinetic, counts, 1.0, 84.0, 95.0)
    gold = Line("Au 4f", 87.7, 3.6, None, lorentzian=(0.4, 0.4), free_lorentzian="shared")
    fitted = fit_region(region, Model((gold,)))
    assert fitted.fit.value("au_4f_splitting") == pytest.approx(3.67, abs=0.02)
    assert fitted.fit.value("au_4f_area_ratio") == pytest.approx(0.75, abs=0.08)


def test_composition_by_hand():
    # Two elements of equal amounts: areas in the ratio of cross-section × escape depth × transmission.
    a = Signal(200.0, 2.0, 2.0, 1000.0, 50.0, None)
    b = Signal(100.0 * 0.5**0.75, 0.0, 1.0, 500.0, 50.0, None)
    found = composition({"a": a, "b": b}, 0.75, 0.1)
    assert found["a"] == pytest.approx((50.0, 100 * 0.5 * 0.5 * 0.01, 100 * 0.5 * 0.5 * 0.1 * math.sqrt(2)))


def test_transmission_is_flat_at_small_retard_ratio():
    assert transmission(100.0, 100.0, 40.0, 0.2) / 100.0 == pytest.approx(1.0, abs=2e-4)
    assert transmission(4000.0, 100.0, 40.0, 0.2) / 100.0 == pytest.approx(0.5**0.2)


def sample(tmp_path, seed=1):
    path = tmp_path / "sample.spe"
    path.write_bytes(next(simulate(np.random.default_rng(seed))).content)
    tree = extract(path)
    attrs = {
        "raw_file": "sample.spe",
        "raw_sha256": "0" * 64,
        "origin": "simulated",
        "instrument": "",
        "conditions": "{}",
    }
    return attrs, {name: node.to_dataset() for name, node in tree.children.items()}


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
        (drop_carbon, "m: has no region 'C1s' .it has Su1s, Cu2p"),
        (drop_time, "m: region 'Bi4f' has no counting time"),
        (shorten, "m: region 'C1s' has .* points between 279.0 and 295.0 eV; 40 needed"),
        (make_profile, "m: region 'C1s' is not one spectrum over binding energy"),
    ],
)
def test_what_is_missing_is_named(tmp_path, change, message):
    attrs, regions = sample(tmp_path)
    change(regions)
    groups = {"m": xr.Dataset(attrs=attrs), **{f"m/{name}": region for name, region in regions.items()}}
    save_tree(tmp_path / "xps.nc", groups)
    settings = copy.deepcopy(CBPS["xps"]) | {"backgrounds": ["shirley"]}
    settings["windows"] = {name: settings["windows"][name] for name in ("Bi4f", "C1s")}
    with pytest.raises(AnalysisError, match=message):
        analyse_with("xps", str(tmp_path / "xps.nc"), str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **settings)
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"carbon_window": "C2s"}, "carbon_window 'C2s' is not one of Cu2p"),
        (
            {"windows": {"C1s": {"low": 1, "high": 2, "models": {"m": {"lines": ["C 2s"]}}}}},
            "no line 'C 2s' under lines",
        ),
        ({"windows": {"C1s": {"low": 1, "high": 2, "models": {"m": {"lines": ["Bi 4s"]}}}}}, "'Bi 4s' follows 'Cu 2p'"),
    ],
)
def test_settings_that_point_nowhere_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        XpsSettings(**(CBPS["xps"] | change))


def test_the_sample_file_is_small_and_says_that_it_is_simulated():
    first, second = (next(simulate(np.random.default_rng(7))) for _ in range(2))
    assert first.content == second.content
    assert len(first.content) < 200_000
    assert b"SIMULATED" in first.content


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path, monkeypatch):
    """200 sessions of other noise: each 95 % interval holds the truth in 90 to 98 %."""
    settings = copy.deepcopy(CBPS["xps"]) | {"backgrounds": ["shirley"]}
    del settings["windows"]["Cu2p"]["models"]["printed_splitting"], settings["windows"]["Bi4f"]["models"]["bi_4f_alone"]
    covered = []
    for draw in range(200):
        attrs, regions = sample(tmp_path, seed=draw)
        found = []
        measurement = Measurement("xps", attrs, {}, regions)
        monkeypatch.setattr("relaxor.techniques.xps.analysis.load", lambda _, one=measurement: [one])
        monkeypatch.setattr(
            "relaxor.techniques.xps.analysis.save_parameters", lambda _, rows, to=found: to.extend(rows)
        )
        monkeypatch.setattr("relaxor.techniques.xps.analysis.save_tree", lambda *_: None)
        analyse_with("xps", "", "", "", **settings)
        truth = next(simulate(np.random.default_rng(draw))).truth
        rows = {(row.model, row.parameter): row for row in found}
        covered += [
            (model, name, rows[model, name].ci_low <= value <= rows[model, name].ci_high)
            for model, name, value, _ in truth
        ]
    shares = pd.DataFrame(covered, columns=["model", "parameter", "within"]).groupby(["model", "parameter"])["within"]
    outside = shares.mean()[~shares.mean().between(0.90, 0.98)]
    assert outside.empty, outside.to_string()


def test_parameters_file_of_a_session_is_complete(numbers):
    table = load_parameters(numbers.folder / "parameters.csv")
    assert (table["unit"].str.len() > 0).all()
    assert table["value"].notna().all()
