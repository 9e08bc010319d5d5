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
from relaxor.stats.line_shapes import doniach_sunjic, gaussian_lorentzian_product, voigt
from relaxor.stats.optimizer import central_differences
from relaxor.techniques.registry import techniques
from relaxor.techniques.xps import panels
from relaxor.techniques.xps.composition import Amount, composition, transmission
from relaxor.techniques.xps.levels import Line
from relaxor.techniques.xps.region_fit import fit_region
from relaxor.techniques.xps.regions import Model, Region
from relaxor.techniques.xps.sessions import sessions
from relaxor.techniques.xps.settings import XpsModel, XpsSettings, XpsWindow
from scipy.special import ndtr

from tests.analyses import analysis_of
from tests.project import CBPS
from tests.simulated import ingested, simulated, specimen

analyse = analysis_of("xps")

SETTINGS = XpsSettings.model_validate(CBPS["xps"])
AT = {"model": "bi_4f_and_se_3p_shirley", "feature": "Bi 4f7/2"}
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


def shorten(regions):
    regions["C1s"] = regions["C1s"].isel(binding_energy=slice(0, 30))


def make_profile(regions):
    regions["C1s"] = regions["C1s"].expand_dims("cycle")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_carbon, "xps: has no region 'C1s' .it has Su1s, Cu2p"),
        (shorten, "xps: region 'C1s' has .* points between 279.0 and 295.0 eV; 40 needed"),
        (make_profile, "xps: region 'C1s' is not one spectrum over binding energy"),
    ],
)
def test_what_is_missing_is_named(measurement, change, message):
    regions = {name: region.copy() for name, region in measurement.regions.items()}
    change(regions)
    with pytest.raises(AnalysisError, match=message):
        analyse([replace(measurement, regions=regions)], few("Bi4f", "C1s").model_copy(update={"reference": "line"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference_window": "C2s"}, "reference_window 'C2s' .formerly carbon_window. is not one of Cu2p"),
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


def test_states_have_names_and_one_shell():
    state = Line(level="Ti 2p Ti3", position=457.0, splitting=5.7)
    assert state.names == ("Ti 2p3/2 Ti3", "Ti 2p1/2 Ti3")
    assert (state.shell, state.slug) == ("Ti 2p", "ti_2p_ti3")
    assert panels._with_index("Ti 2p3/2 Ti3") == "Ti 2p$_{3/2}$ Ti3"


def test_atoms_of_an_element_are_those_of_all_of_its_states(measurement):
    whole = {row.feature: row for row in analyse([measurement], few("Bi4f", "Se3d", "C1s")).numbers if atoms(row)}
    lines = SETTINGS.lines | {"Bi 4f oxide": SETTINGS.lines["Bi 4f"].model_copy(update={"position": 159.6})}
    two = XpsModel(lines=["Bi 4f", "Bi 4f oxide", "Se 3p"])
    windows = few("Bi4f", "Se3d", "C1s").windows
    windows = windows | {"Bi4f": windows["Bi4f"].model_copy(update={"models": {"with_oxide": two}})}
    settings = few("C1s").model_copy(update={"windows": windows, "lines": lines})
    rows = analyse([measurement], settings).numbers
    split = {row.feature: row for row in rows if atoms(row)}
    for element, row in whole.items():
        assert split[element].value == pytest.approx(row.value, abs=2 * row.standard_error)
    areas = {row.feature: row for row in rows if row.parameter == "area" and row.model == "with_oxide_shirley"}
    assert areas["Bi 4f oxide"].value >= 0


def atoms(row):
    return row.parameter == "atomic_percent"


def test_two_levels_of_an_element_are_refused():
    with pytest.raises(ValueError, match="Se 3d and Se 3p are two levels of Se"):
        XpsSettings(**(CBPS["xps"] | {"sensitivity": {"Se 3d": 2.294, "Se 3p": 4.53}}))
    XpsSettings(**(CBPS["xps"] | {"sensitivity": {"C 1s": 1.0, "C 1s C-O": 1.0}}))


def test_former_names_of_settings_stay_valid():
    settings = XpsSettings.model_validate({"carbon_energy": 285.0})
    assert settings.reference_energy == 285.0
    with pytest.raises(ValueError, match="'carbon_energy' is the former name of 'reference_energy'"):
        XpsSettings.model_validate({"carbon_energy": 285.0, "reference_energy": 284.8})


def with_transmission(measurement, values):
    """The measurement with the transmission point by point, as VAMAS files have it, or with none (None)."""
    regions = {}
    for name, region in measurement.regions.items():
        regions[name] = region.drop_attrs().assign_attrs(region.attrs)
        regions[name].attrs.pop("transmission_coefficients", None)
        if values:
            curve = np.full(region.sizes["binding_energy"], values.get(name, 1.0))
            regions[name]["transmission"] = ("binding_energy", curve)
    return replace(measurement, regions=regions)


def test_transmission_in_the_file_is_applied_and_named(measurement):
    def selenium(values):
        rows = analyse([with_transmission(measurement, values)], few("Bi4f", "Se3d", "C1s")).numbers
        return next(row for row in rows if atoms(row) and row.feature == "Se")

    flat, half, none = selenium({"Se3d": 1.0}), selenium({"Se3d": 0.5}), selenium(None)
    assert half.value / (100 - half.value) == pytest.approx(2 * flat.value / (100 - flat.value))
    assert flat.method.endswith("the transmission in the file")
    assert none.value == pytest.approx(flat.value)
    assert (none.status, none.method.split("; ")[-1]) == (
        "assumed",
        "the file gives no transmission, which is taken as constant",
    )


def test_a_file_without_survey_is_analysed(measurement):
    regions = {name: region for name, region in measurement.regions.items() if name != "Su1s"}
    result = analyse([replace(measurement, regions=regions)], few("Se3d", "C1s"))
    assert not [row for row in result.numbers if row.model == "survey"]
    with pytest.raises(AnalysisError, match="has no region 'Survey'"):
        settings = few("Se3d", "C1s").model_copy(update={"survey_region": "Survey"})
        analyse([replace(measurement, regions=regions)], settings)


def test_energies_of_a_calibrated_file_are_left_as_they_are(measurement):
    settings = few("Se3d").model_copy(update={"reference": "calibrated", "reference_uncertainty": 0.05})
    rows = analyse([measurement], settings).numbers
    assert not [row for row in rows if row.parameter == "charge_shift"]
    energy = next(row for row in rows if row.parameter == "binding_energy" and row.feature == "Se 3d5/2")
    assert energy.value == pytest.approx(54.10 + 0.42, abs=0.02)
    assert energy.systematic_error == pytest.approx(0.05, abs=0.001)


def test_any_line_can_be_the_reference(measurement):
    changes = {"reference_window": "Se3d", "reference_energy": 54.10, "reference_uncertainty": 0.1}
    rows = analyse([measurement], few("Se3d", "P2p").model_copy(update=changes)).numbers
    shift = next(row for row in rows if row.parameter == "charge_shift")
    assert shift.value == pytest.approx(0.42, abs=0.01)
    assert "Se 3d in 'Se3d' against its energy of 54.1 eV" in shift.method


def edge(measurement, height):
    """The measurement with a valence band whose Fermi edge lies at 0.42 eV."""
    energy = np.arange(-3.0, 4.0, 0.05)
    rate = 20 + height * ndtr((energy - 0.42) / 0.2) * (1 + 0.05 * np.maximum(energy, 0))
    counts = np.random.default_rng(3).poisson(rate * 10)
    band = xr.Dataset({"intensity": ("binding_energy", counts / 10.0)}, {"binding_energy": energy})
    regions = dict(measurement.regions) | {"VB": band.assign_attrs(counting_time=10.0)}
    changes = {"reference": "fermi_edge", "reference_window": "VB", "reference_energy": 0.0}
    windows = few("Se3d").windows | {"VB": XpsWindow(low=-3, high=4)}
    settings = few("Se3d").model_copy(update=changes | {"windows": windows, "reference_uncertainty": 0.05})
    return analyse([replace(measurement, regions=regions)], settings)


def test_a_fermi_edge_can_be_the_reference(measurement):
    shift = next(row for row in edge(measurement, 100.0).numbers if row.parameter == "charge_shift")
    assert abs(shift.value - 0.42) < 3 * shift.standard_error < 0.05
    assert shift.status == "ok"
    with pytest.raises(AnalysisError, match="Fermi edge"):
        edge(measurement, 0.0)


def test_a_reference_that_does_not_stand_out_is_refused(measurement):
    noise = np.random.default_rng(2).poisson(400, measurement.regions["C1s"].sizes["binding_energy"]) / 2.4
    regions = dict(measurement.regions) | {"C1s": measurement.regions["C1s"].copy()}
    regions["C1s"]["intensity"] = ("binding_energy", noise)
    with pytest.raises(AnalysisError, match="reference 'C 1s'"):
        analyse([replace(measurement, regions=regions)], few("Se3d", "C1s").model_copy(update={"reference": "line"}))
    rows = analyse([replace(measurement, regions=regions)], few("Se3d", "C1s")).numbers
    shift = next(row for row in rows if row.parameter == "charge_shift")
    assert (shift.value, shift.status) == (0.0, "assumed")
    assert "no charge reference: the reference 'C 1s' does not stand out" in shift.method
    energy = next(row for row in rows if row.parameter == "binding_energy" and row.feature == "Se 3d5/2")
    assert energy.status == "assumed"
    assert abs(energy.value - 54.10) < energy.systematic_error == pytest.approx(1.0, abs=0.01)


def test_a_model_at_a_limit_of_the_search_is_never_chosen(numbers):
    rows = numbers.parameters
    alone = rows[rows["model"] == "bi_4f_alone_shirley"]
    assert (alone.loc[alone["parameter"] != "akaike_weight", "status"] == "at_bound").all()
    assert (alone.loc[alone["parameter"] == "akaike_weight", "value"] == 0).all()
    assert alone["method"].str.contains("the search ended at fwhm_gaussian = 0.05").all()
    assert (rows.loc[rows["parameter"].isin(["area", "shirley_scattering", "tougaard_loss"]), "value"] >= 0).all()


def test_background_and_line_shape_are_part_of_every_error(numbers):
    for parameter, feature in (("area", "Bi 4f"), ("area_ratio_of_levels", "Se 3p/Bi 4f"), ("splitting", "Bi 4f")):
        assert numbers.number(parameter, "systematic_error", model=BISMUTH, feature=feature) > 0
    ratio = "area_ratio_of_levels"
    tougaard = numbers.number(ratio, model="bi_4f_and_se_3p_tougaard")
    shirley, systematic = (numbers.number(ratio, column, model=BISMUTH) for column in ("value", "systematic_error"))
    assert 0.15 < systematic / abs(tougaard - shirley) < 0.5


def test_an_energy_without_an_error_is_drawn(numbers):
    data = PanelData({}, numbers.parameters.assign(standard_error=math.nan, status="not_identified"))
    chosen = xr.Dataset(attrs={"model": BISMUTH})
    assert panels._energy(data, "xps", chosen, "Bi 4f7/2") == f"[{numbers.number('binding_energy', **AT):.2f}]"


@pytest.mark.parametrize("shape", ["voigt", "gl", "sgl", "doniach_sunjic"])
@pytest.mark.parametrize("background", ["shirley", "tougaard"])
def test_derivatives_of_a_region_are_those_of_its_residuals(measurement, shape, background):
    ((session,),) = sessions([measurement], SETTINGS)
    lines = tuple(session.levels[name] for name in ("Bi 4f", "Se 3p"))
    lines = (lines[0].model_copy(update={"own_width": True}), lines[1])
    region, model = session.region("Bi4f", 0.4), Model(lines, background, 1, shape)
    params = model.start(region, 0.4)
    names = [name for name, parameter in params.items() if parameter.vary]
    expected = central_differences(lambda trial: model.residual(trial, region), params, names)
    scale = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(model.jacobian(params, region) / scale, expected / scale, atol=1e-4)


def test_lines_of_metals_are_doniach_and_sunjic_s_over_a_gaussian():
    energy, center, half, sigma, alpha = np.arange(140.0, 180.0, 0.1), 158.03, 0.2, 0.35, 0.1
    offsets = np.linspace(-8, 8, 4001) * sigma
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    distance = center + offsets[:, None] - energy
    line = np.cos(np.pi * alpha / 2 + (1 - alpha) * np.arctan(distance / half))
    line = weights @ (line / (distance**2 + half**2) ** ((1 - alpha) / 2)) / weights.sum()
    found = doniach_sunjic(energy, 1.0, center, 2.35482 * sigma, 2 * half, alpha)
    np.testing.assert_allclose(found / found.max(), line / line.max(), atol=1e-3)
    assert np.trapezoid(found[energy <= center + 10], energy[energy <= center + 10]) == pytest.approx(1, abs=0.01)
    symmetric = doniach_sunjic(energy, 1.0, center, 0.8, 0.4, 0.0)
    np.testing.assert_allclose(symmetric, voigt(energy, 1.0, center, 0.8, 0.4), atol=1e-4)


@pytest.mark.parametrize("mixing", [0.0, 0.3, 0.9])
def test_gl_has_its_area_and_shape(mixing):
    x = np.arange(-2000.0, 2000.0, 0.01)
    line = gaussian_lorentzian_product(x, 2.0, 0.0, 1.5, mixing)
    assert np.trapezoid(line, x) == pytest.approx(2.0, rel=1e-3)
    # Half a width from the center, the Gaussian is 2^(m − 1) and the Lorentzian 1/(1 + m).
    assert np.interp(0.75, x, line) == pytest.approx(line.max() * 2 ** (mixing - 1) / (1 + mixing), rel=1e-3)


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


def falling_background(counts: float = 4000.0) -> Measurement:
    """A line whose background falls behind it, which no scattered electrons make."""
    energy = np.arange(278.0, 296.0, 0.1)
    rate = counts * (1 + 2.0 * np.exp(-((energy - 285.2) ** 2) / 0.5) - 0.3 * ndtr((energy - 285.2) / 0.5))
    drawn = np.random.default_rng(4).poisson(rate).astype(float)
    region = xr.Dataset(
        {"intensity": ("binding_energy", drawn, {"units": "count"})},
        {"binding_energy": ("binding_energy", energy, {"units": "eV"})},
    )
    attrs = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    return Measurement("m", attrs, {}, {"C1s": region})


def test_a_background_that_wants_to_be_negative_is_left_out_with_its_reason():
    lines = {"C 1s": {"position": 284.8, "label": "C"}}
    windows = {"C1s": {"low": 278, "high": 296, "models": {"carbon": {"lines": ["C 1s"]}}}}
    settings = XpsSettings(
        lines=lines, windows=windows, reference="none", sensitivity={"C 1s": 1.0}, backgrounds=["shirley", "tougaard"]
    )
    result = analyse([falling_background()], settings)
    areas = [row for row in result.numbers if row.parameter == "area"]
    assert {row.model for row in areas} >= {"carbon_shirley", "carbon_tougaard"}
    for row in areas:
        assert "left out of the spread of models: the data want a negative Shirley scattering" in row.method
        assert any(part.name == "background" for part in row.budget) == row.model.startswith("carbon_shirley")
    assert result.curves["m/C1s"].attrs["model"] == "carbon_tougaard"
    lost = [row.value for row in result.numbers if row.parameter in ("shirley_scattering", "tougaard_loss")]
    assert all(value >= 0 for value in lost)
    assert not [row for row in result.numbers if row.parameter == "atomic_percent"]  # of one element
