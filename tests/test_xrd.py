"""XRD: lines, indices, c, size and strain, on simulated scans and on a real standard."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError, SheetError
from relaxor.core.results import Measurement, Number
from relaxor.core.storage import numbers_table
from relaxor.project.settings import validate_settings
from relaxor.readers import read
from relaxor.simulation import xrd as twin
from relaxor.stats.counts import scaled_to_counts
from relaxor.techniques.registry import techniques
from relaxor.techniques.structure.analysis import bragg_two_theta
from relaxor.techniques.xrd.lattice import Basal, fit_c, index_basal
from relaxor.techniques.xrd.lines import doublet, find_lines, fit_lines, windows
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.radiation import Tube
from relaxor.techniques.xrd.settings import XrdSettings

from tests.analyses import analysis_of
from tests.project import CBPS
from tests.public_files import shared
from tests.simulated import specimen

analyse = analysis_of("xrd")

SETTINGS = XrdSettings.model_validate(CBPS["xrd"])
CELLS = SETTINGS.cells
TUBE = Tube(1.540593, 1.544427, 0.5)
PLATELET = specimen("xrd")
C = PLATELET.crystal.c
ANGLES = twin.START + twin.STEP * np.arange(round((twin.STOP - twin.START) / twin.STEP) + 1)
EXPECTED = PLATELET.expected_counts(ANGLES)


def scan(counts, angles=ANGLES, units="count", **attrs):
    return xr.Dataset(
        {
            "intensity": ("two_theta", np.asarray(counts, float), {"units": units}),
            "intensity_uncertainty": ("two_theta", np.sqrt(np.maximum(counts, 1.0))),
        },
        coords={"two_theta": angles},
        attrs={"goniometer_radius": twin.RADIUS, **attrs},
    )


def run(scans, conditions=None, **changes):
    """Analyse scans as if they had been ingested: the table of the numbers, and the curves."""
    attrs = {"raw_file": "scan.raw", "raw_sha256": "0" * 64, "origin": "simulated"}
    measurements = [Measurement(name, attrs, conditions or {}, {"scan_1": dataset}) for name, dataset in scans.items()]
    result = analyse(measurements, SETTINGS.model_copy(update=changes))
    techniques()["xrd"].require_named(result.numbers)
    return numbers_table(result.numbers, "xrd"), result.curves


COUNTS = np.random.default_rng(11).poisson(EXPECTED)


@pytest.fixture(scope="module")
def platelet():
    return run({"platelet": scan(COUNTS)})


def absorbed(counts, factor, corrected=False):
    """A scan with an absorber in the beam between 26 and 27.5 degree, which hold a line."""
    factors = np.where((ANGLES > 25.99) & (ANGLES < 27.51), factor, 1.0)
    dataset = scan(counts * factors if corrected else counts)
    dataset["attenuation_factor"] = "two_theta", factors
    return dataset


def value(table, model, parameter, feature="", column="value"):
    rows = table[(table["model"] == model) & (table["parameter"] == parameter) & (table["feature"] == feature)]
    assert len(rows) == 1, (model, parameter, feature)
    return float(rows.iloc[0][column])


def test_six_lines_are_indexed_and_nothing_else_is_found(platelet):
    table, _ = platelet
    assert value(table, "indexing", "indexed_lines") == 6
    assert value(table, "indexing", "unindexed_lines") == 0
    found = table[(table["model"] == "voigt_doublet") & (table["parameter"] == "index_l")]["value"]
    assert sorted(found) == [2, 4, 6, 8, 10, 12]


def test_c_has_no_trace_of_the_misalignment(platelet):
    table, _ = platelet
    for model in ("displacement", "displacement_and_zero_shift", "nelson_riley"):
        c, *errors = (
            value(table, model, "lattice_parameter", "c", column)
            for column in ("value", "standard_error", "systematic_error")
        )
        error = math.hypot(*errors)
        assert abs(c - C) < 4 * error, model
        assert error < 0.003, model
    # Without the correction the displaced sample pretends a longer axis, far outside its own error.
    assert value(table, "no_correction", "lattice_parameter", "c") - C > 0.008


def test_models_of_the_alignment_and_of_the_widths_are_compared(platelet):
    table, _ = platelet
    assert value(table, "no_correction", "aicc") > value(table, "displacement", "aicc") + 1000
    both, size, strain = (value(table, model, "aicc") for model in ("size_and_strain", "size_only", "strain_only"))
    assert both + 100 < size < strain


def test_basal_lines_alone_cannot_tell_the_published_cells_apart(platelet):
    table, _ = platelet
    assert abs(value(table, "published_cell", "delta_chi_square_free_cell", "R-3")) < 1e-6
    assert abs(value(table, "published_cell", "delta_chi_square_published_cell", "R-3")) < 9
    assert 0.05 < value(table, "published_cell", "largest_position_difference", "R-3") < 0.08


def test_superlattice_lines_are_absent_from_the_disordered_stack_and_seen_when_put_in(platelet):
    table, _ = platelet
    areas = table[table["model"] == "superlattice_lines"]
    assert len(areas) >= 5
    assert (areas["value"].abs() < 4 * areas["standard_error"]).all()
    place = PLATELET.position(C / 3, twin.ALPHA1)
    extra = 30 * np.exp(-4 * math.log(2) * ((ANGLES - place) / 0.1) ** 2)
    counts = np.random.default_rng(3).poisson(EXPECTED + extra)
    seen, _ = run({"ordered": scan(counts)})
    area, error = (value(seen, "superlattice_lines", "area", "003", column) for column in ("value", "standard_error"))
    assert area > 2 * error


def test_indexing_on_the_six_layer_cell_names_the_lines_otherwise_and_keeps_the_layer_spacing(platelet):
    table, _ = platelet
    names = ("002", "004", "006", "008", "0010", "0012")
    places, errors = (
        np.array([value(table, "voigt_doublet", "two_theta", name, column) for name in names])
        for column in ("value", "standard_error")
    )
    cell = CELLS["R-3"]
    index = index_basal(places, cell, TUBE, SETTINGS.index_tolerance)
    assert index.tolist() == [6, 12, 18, 24, 30, 36]
    fitted = fit_c(Basal(index, places, errors, TUBE.alpha1, twin.RADIUS), "displacement", cell.c)
    spacing = fitted.value("c") / cell.layers
    assert spacing == pytest.approx(value(table, "displacement", "interlayer_spacing"), abs=1e-6)


def test_curves_are_complete_where_fitted(platelet):
    pattern = platelet[1]["platelet/pattern"]
    fitted = np.isfinite(pattern["fit"].to_numpy())
    lines = pattern["components"].fillna(0).sum("line")
    assert np.allclose((lines + pattern["background"]).to_numpy()[fitted], pattern["fit"].to_numpy()[fitted])
    assert all(pattern[name].attrs["units"] and pattern[name].attrs["long_name"] for name in pattern.variables)
    assert 0.8 < float((pattern["residual"].to_numpy()[fitted] ** 2).mean()) < 1.25


def test_without_a_cell_each_line_gives_its_spacing():
    angles = np.arange(20.0, 60.0, 0.02)
    planes = np.array([4.157, 2.940, 2.400, 1.859])
    counts = np.full(angles.shape, 50.0)
    for center in bragg_two_theta(planes, TUBE.alpha1):
        counts += doublet(angles, TUBE, float(center), 600.0, (0.05, 0.08), "voigt")
    counts = np.random.default_rng(4).poisson(counts)
    table, curves = run({"powder": scan(counts, angles)}, cell=None, window=0.5)
    found = table[table["model"] == "spacings"].sort_values("value", ascending=False)
    assert np.allclose(found["value"], planes, atol=4 * found["standard_error"].max())
    assert (np.abs(found["value"] - planes) < 4 * found["standard_error"]).all()
    assert (found["systematic_error"] > 0).all()
    assert not table["model"].isin(["indexing", "displacement"]).any()
    assert found["feature"].str.fullmatch(r"at_\d\d\.\d\d").all()
    assert set(curves) == {"powder", "powder/pattern", "powder/widths"}


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (scan(np.random.default_rng(1).poisson(100, ANGLES.size)), "no line stands out by 5 standard deviations"),
        (scan(EXPECTED, wavelength_alpha1=1.78897), "0 of 6 lines found are 00l lines of P-31c"),  # a cobalt tube
        (scan(EXPECTED).rename(two_theta="phi"), "no intensity against two_theta (axes: phi)"),
        (
            scan(np.full(300, -7.0), ANGLES[:300]),
            "300 of 300 counts are negative, first point 1 (two_theta 5): -7",
        ),
        (
            scan(np.random.default_rng(1).poisson(100, ANGLES.size) * 1e4),
            "degree lie within 3 degree of each other; at most 30 can be fitted",
        ),
        (scan(COUNTS, units="V"), "intensity in 'V'; expected count, or count/s and its counting_time"),
        (scan(np.full(ANGLES.size, 7), units="1"), "intensity without noise; expected what a detector counted"),
        (
            scan(COUNTS, np.repeat(ANGLES, 2)[: ANGLES.size]),
            "point 2: two_theta 5 follows 5; expected values that",
        ),
        (
            xr.concat([scan(COUNTS[:900], ANGLES[:900])] * 2, "two_theta"),
            "point 901: two_theta 5 follows 22.98; expected values that rise from point to point (is a part of the "
            "file repeated or out of order?)",
        ),
        (
            scan(COUNTS).isel(two_theta=np.random.default_rng(2).permutation(ANGLES.size)),
            "from point to point (is a part of the file repeated or out of order?)",
        ),
        (
            absorbed(COUNTS + 0.4, 7.3),
            "an absorber weakened 76 points, whose intensities are whole counts neither with",
        ),
        (absorbed(COUNTS, np.nan), "point 1051: attenuation_factor is nan; a positive number expected"),
    ],
)
def test_scans_that_cannot_be_analysed_are_refused_by_name(dataset, message):
    with pytest.raises(AnalysisError) as error:
        run({"odd": dataset})
    assert str(error.value).startswith("odd: ")
    assert message in str(error.value)


def uxd(tmp_path, values, kind):
    """The scan as a Bruker diffractometer exports it at 10 s a step, read again."""
    head = f"_FILEVERSION=2\n_DRIVE='COUPLED'\n_STEPTIME=10.0\n_STEPSIZE={twin.STEP}\n_START={twin.START}\n_{kind}\n"
    path = tmp_path / f"{kind}.uxd"
    path.write_text(head + "\n".join(f"{number:g}" for number in values) + "\n")
    return read(path)["scan_1"].to_dataset()


def test_a_scan_in_counts_and_in_counts_a_second_gives_the_same_numbers(tmp_path):
    counted, rated = uxd(tmp_path, COUNTS, "COUNTS"), uxd(tmp_path, COUNTS / 10, "CPS")
    table, _ = run({"platelet": counted})
    pd.testing.assert_frame_equal(run({"platelet": rated})[0], table)
    del rated.attrs["counting_time"]
    pd.testing.assert_frame_equal(run({"platelet": rated}, {"counting_time": (10, "s")})[0], table)
    rated["counting_time"] = "two_theta", np.full(ANGLES.size, 10.0)
    pd.testing.assert_frame_equal(run({"platelet": rated})[0], table)
    pd.testing.assert_frame_equal(run({"platelet": counted.isel(two_theta=slice(None, None, -1))})[0], table)


def test_errors_are_those_of_the_counts_behind_the_absorber(platelet):
    weak = EXPECTED / absorbed(COUNTS, 8.3)["attenuation_factor"].to_numpy()
    counts = np.random.default_rng(5).poisson(weak)
    table, curves = run({"platelet": absorbed(counts, 8.3)})
    corrected, _ = run({"platelet": absorbed(counts, 8.3, corrected=True)})
    pd.testing.assert_frame_equal(corrected, table, rtol=1e-4, atol=1e-6)
    assert value(table, "indexing", "unindexed_lines") == 0
    assert 0.7 < value(table, "voigt_doublet", "area", "004", "reduced_chi_square") < 1.3
    area, whole = (value(found, "voigt_doublet", "area", "004") for found in (table, platelet[0]))
    error, least = (value(found, "voigt_doublet", "area", "004", "standard_error") for found in (table, platelet[0]))
    assert error == pytest.approx(8.3**0.5 * least, rel=0.1)
    assert abs(area - whole) < 4 * error
    pattern = curves["platelet/pattern"].sel(two_theta=26.5, method="nearest")
    assert float(pattern["intensity"] / pattern["intensity_uncertainty"] ** 2) == pytest.approx(1 / 8.3)


def test_points_counted_longer_weigh_more(platelet):
    longer = np.where((ANGLES > 26) & (ANGLES < 28), 9.0, 1.0)
    slow = scan(np.random.default_rng(6).poisson(EXPECTED * longer))
    slow["counting_time"] = "two_theta", longer
    table, _ = run({"platelet": slow})
    for line, gain in (("004", 3.0), ("006", 1.0)):
        errors = (value(found, "voigt_doublet", "two_theta", line, "standard_error") for found in (platelet[0], table))
        assert next(errors) / next(errors) == pytest.approx(gain, rel=0.1)
    assert value(table, "voigt_doublet", "area", "006") == pytest.approx(
        value(platelet[0], "voigt_doublet", "area", "006") * longer.mean(), rel=0.05
    )


def test_an_unknown_cell_is_named():
    with pytest.raises(AnalysisError, match="cell 'P1' is not among the published cells"):
        run({"platelet": scan(EXPECTED)}, cell="P1")


def test_published_lines_are_indexed_and_foreign_ones_are_not():
    cell = CELLS["P-31c"]
    positions = np.array([13.341, 26.867, 28.441, 40.788, 55.372, 71.012, 88.365])
    assert index_basal(positions, cell, TUBE, SETTINGS.index_tolerance).tolist() == [2, 4, 0, 6, 8, 10, 12]


def test_lanthanum_hexaboride_lines_lie_where_the_standard_puts_them(reference):
    angles, counts, _ = np.loadtxt(reference / "xrd/LaB6_d500_si_psd.xye", unpack=True)
    chosen = (angles > 18) & (angles < 70)
    angles, counts = angles[chosen], counts[chosen]
    pattern = Pattern(None, angles, counts, np.ones(angles.size), TUBE, twin.RADIUS)
    settings = XrdSettings(significance=50, window=1.0)
    positions = find_lines(pattern, settings)
    assert len(positions) == 8
    fitted = np.concatenate(
        [
            [fit.fit.value(f"center_{place}") for place in range(fit.lines)]
            for group in windows(positions, settings.window)
            for fit in [fit_lines(pattern, group, settings, "pseudo_voigt")]
        ]
    )
    squares = np.array([1, 2, 3, 4, 5, 6, 8, 9])
    expected = bragg_two_theta(4.15692 / np.sqrt(squares), TUBE.alpha1)
    nearest = fitted[np.abs(fitted[:, None] - expected).argmin(axis=0)]
    difference = nearest - expected
    assert np.abs(difference - difference.mean()).max() < 0.012
    assert abs(difference.mean()) < 0.02


def test_every_number_is_listed_and_others_are_refused():
    row = Number("p", "voigt_doublet", "two_theta", 13.3, unit="degree", feature="002")
    techniques()["xrd"].require_named([row])
    for wrong in ({"parameter": "two_theta_002"}, {"model": "R-3"}, {"unit": "rad"}):
        with pytest.raises(ValueError, match="xrd: '"):
            techniques()["xrd"].require_named([replace(row, **wrong)])


def test_the_line_profile_is_no_longer_called_instrument():
    with pytest.raises(SheetError, match=r"xrd\.instrument: unknown setting; allowed: .*line_profile"):
        validate_settings({"xrd": {"instrument": {"u": 0.002}}})


@pytest.mark.slow
def test_intervals_cover_the_true_values():
    rng = np.random.default_rng(2024)
    draws = 200
    table, _ = run({f"draw_{index}": scan(rng.poisson(EXPECTED)) for index in range(draws)})
    known = pd.DataFrame(twin.truth(PLATELET)).rename(columns={"value": "value_true"})
    names = ["model", "parameter", "feature"]
    joined = table.merge(known[[*names, "value_true"]], on=names)
    assert (joined["systematic_error"][joined["model"] == "size_and_strain"] > 0).all()
    joined = joined[
        (joined["systematic_error"] == 0) | joined["model"].isin(["displacement_and_zero_shift", "size_and_strain"])
    ]
    inside = joined["value_true"].between(joined["ci_low"], joined["ci_high"])
    coverage = inside.groupby([joined[name] for name in names]).mean()
    print(coverage.to_string())
    assert (joined.groupby(names).size() == draws).all()
    assert coverage.between(0.90, 0.98).all(), coverage[~coverage.between(0.90, 0.98)]


@pytest.mark.parametrize("unit", ["1", "count/s"])
def test_intensities_of_an_unknown_scale_have_the_noise_of_their_neighbours(unit):
    """Of 3000 points, differences of neighbours give the factor to counts to some percent."""
    expected = 60 + 2000 / (1 + ((np.linspace(20, 80, 3000) - 38) / 0.06) ** 2)
    counts = np.random.default_rng(8).poisson(expected)
    scan = xr.Dataset(
        {"intensity": ("two_theta", counts / 37.0, {"units": unit})}, {"two_theta": np.linspace(20, 80, 3000)}
    )
    found = scaled_to_counts(Measurement("a", {}, {}, {}), scan, "counting_time")
    assert float((found / scan["intensity"]).mean()) == pytest.approx(37, rel=0.1)


# --- repeated scans and maps
def test_equal_scans_are_added_and_rows_say_so(platelet):
    """Two scans of half the time each hold what one scan of the whole time holds."""
    halves = np.random.default_rng(3).binomial(COUNTS, 0.5)
    attrs = {"raw_file": "scan.raw", "raw_sha256": "0" * 64, "origin": "simulated"}
    regions = {"scan_1": scan(halves, counting_time=1.0), "scan_2": scan(COUNTS - halves, counting_time=1.0)}
    added = numbers_table(analyse([Measurement("both", attrs, {}, regions)], SETTINGS).numbers, "xrd")
    assert added["method"].str.contains("sum of 2 equal scans").all()
    for parameter in ("two_theta", "area"):
        assert value(added, "voigt_doublet", parameter, "002") == value(platelet[0], "voigt_doublet", parameter, "002")
    one = Measurement("one", attrs, {"scan": (2.0, "1")}, regions)
    first = numbers_table(analyse([one], SETTINGS).numbers, "xrd")
    assert not first["method"].str.contains("sum of").any()
    assert value(first, "voigt_doublet", "area", "002") < 0.6 * value(added, "voigt_doublet", "area", "002")


def test_equal_scans_that_differ_are_marked():
    attrs = {"raw_file": "scan.raw", "raw_sha256": "0" * 64, "origin": "simulated"}
    regions = {"scan_1": scan(COUNTS), "scan_2": scan(np.random.default_rng(4).poisson(0.8 * EXPECTED))}
    result = analyse([Measurement("both", attrs, {}, regions)], SETTINGS)
    assert all("the scans differ" in number.method for number in result.numbers)


GAAS, LAYER = 5.6533, 5.70
"""Edge of GaAs (doi 10.1063/1.336070) and the edge c of a layer that is strained to it, angstrom."""


def map_of_224(seed, factor=1.0):
    """A map about 224 of a layer on GaAs (001): peaks stand where Bragg's law and the tilt of 224 put them."""
    k = 2 * np.pi / TUBE.alpha1
    omega, two_theta = np.meshgrid(np.arange(6.0, 7.4, 0.01), np.arange(82.2, 84.4, 0.02), indexing="ij")
    expected = np.full(omega.shape, 0.05)
    truth = []
    for c, strength in ((GAAS, 4000.0), (LAYER, 60.0)):
        along, across = 2 * np.pi * 4 / c, 2 * np.pi * np.sqrt(8) / GAAS
        theta = np.degrees(np.arcsin(np.hypot(along, across) / (2 * k)))
        place = theta - np.degrees(np.arctan2(across, along)), 2 * theta
        truth.append((-across, along))
        # Long along 2θ/ω, as lattice planes of a thin layer make them; heavier wings than a Gaussian has.
        drift = (omega - place[0]) - (two_theta - place[1]) / 2
        expected += strength / (1 + (drift / 0.015) ** 2 + ((two_theta - place[1]) / 0.05) ** 2) ** 1.5
    counts = np.random.default_rng(seed).poisson(expected * factor).astype(float)
    region = xr.Dataset(
        {"intensity": (("scan", "point"), counts, {"units": "count"})},
        coords={"omega": ("scan", omega[:, 0]), "two_theta": (("scan", "point"), two_theta)},
        attrs={"wavelength_ratio": 0.0},
    )
    return region, truth


def test_peaks_of_a_map_stand_at_their_reciprocal_lattice_points():
    places_found, errors = [], []
    for seed in range(30):
        region, truth = map_of_224(seed)
        table, curves = run({"map": region})
        assert sorted(set(table["feature"])) == ["peak_1", "peak_2"]
        for number, places in enumerate(truth, start=1):
            for parameter, true in zip(("q_x", "q_z"), places, strict=True):
                found, error, systematic = (
                    value(table, "reciprocal_map", parameter, f"peak_{number}", column)
                    for column in ("value", "standard_error", "systematic_error")
                )
                assert abs(found - true) < 2 * np.hypot(error, systematic)
                places_found.append(found)
                errors.append(error)
            spacing = value(table, "reciprocal_map", "lattice_spacing", f"peak_{number}")
            assert spacing == pytest.approx(2 * np.pi / np.hypot(*places), rel=3e-4)
    assert curves["map/reciprocal_map"]["q_x"].dims == ("scan", "point")
    found, error = (np.reshape(each, (30, 4)) for each in (places_found, errors))
    from_mean = np.abs(found - found.mean(axis=0)) * np.sqrt(30 / 29)
    assert 0.9 < (from_mean < 1.96 * error).mean() < 0.995
    scatter = found.std(axis=0, ddof=1) / error.mean(axis=0)
    assert ((scatter > 0.6) & (scatter < 1.3)).all(), scatter


def test_a_map_of_other_axes_is_refused():
    region, _ = map_of_224(0)
    with pytest.raises(AnalysisError, match="a map without ω"):
        run({"map": region.drop_vars("omega")})
    with pytest.raises(AnalysisError, match="do not vary independently"):
        run({"map": region.assign_coords(omega=("scan", np.full(region.sizes["scan"], 6.5)))})


@pytest.mark.costly
def test_peak_of_a_real_map_is_its_maximum():
    tree = read(shared("cases/x03-reciprocal-map-rasx/RSM_111_sdd=350.rasx"))
    region = tree["map_1"].to_dataset()
    scan_of_top, point = np.unravel_index(np.argmax(region["intensity"].values), region["intensity"].shape)
    table, _ = run({"map": region})
    omega, two_theta = float(region["omega"][scan_of_top]), float(region["two_theta"][scan_of_top, point])
    assert value(table, "reciprocal_map", "omega", "peak_1") == pytest.approx(omega, abs=0.01)
    assert value(table, "reciprocal_map", "two_theta", "peak_1") == pytest.approx(two_theta, abs=0.03)  # steps of 0.02
