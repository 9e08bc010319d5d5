import json
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load, load_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.figures.panel import load_panel
from relaxor.figures.style import SINGLE, new_figure
from relaxor.project.ingest import ingest
from relaxor.simulation import raman as twin
from relaxor.simulation.writers.witec_ascii import write
from relaxor.stats.line_shapes import lorentzian, voigt
from relaxor.techniques.raman import panels as figures
from relaxor.techniques.raman.lines import fit_lines, fit_seen_lines
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.raman.spikes import remove_spikes

from tests.analyses import analyse_with, analysis_of
from tests.benchmarks.test_raman import fit_sample, write_sample
from tests.public_files import shared
from tests.simulated import specimen

analyse = analysis_of("raman")

FLAKE = specimen("raman")

SETTINGS = {
    "modes": {name: line.raman_shift for name, line in FLAKE.modes.items()},
    "substrate_lines": {"Si_2TA": 303.0},
    "significance": 8.0,
    "calibration_line": 520.45,
    "calibration_uncertainty": 0.14,
    "window": (85.0, 600.0),
    "instrument_fwhm": 1.2,
    "baseline_degree": 9,
    "spike_threshold": 8.0,
    "spike_width": 3,
}


SHIFT = np.linspace(72.0, 640.0, 900)
UNKNOWN = {"modes": None, "substrate_lines": {}, "calibration_line": None, "window": None}
"""Settings of a material of which nothing is known."""


def run(tmp_path, content, conditions=None, **changes):
    raw = tmp_path / "spectrum.txt"
    raw.write_bytes(content)
    row = {
        "measurement": "r", "file": "spectrum.txt", "origin": "simulated", "instrument": "", "table": "",
        "conditions": conditions or {},
    }  # fmt: skip
    ingest([str(raw)], [row], {}, str(tmp_path / "raman.nc"))
    analyse_with(
        "raman",
        str(tmp_path / "raman.nc"),
        str(tmp_path / "parameters.csv"),
        str(tmp_path / "curves.nc"),
        **(SETTINGS | changes),
    )
    return load_parameters(tmp_path / "parameters.csv")


def test_arrays_in_memory_are_analysed_without_files():
    """As in a notebook: a measurement and settings give numbers and curves."""
    rng = np.random.default_rng(2)
    expected = 500 + lorentzian(SHIFT, 4e4, 207.5, 6.0)
    counts = xr.Dataset(
        {"intensity": variable("raman_shift", rng.poisson(expected).astype(float), "count", "Intensity")},
        {"raman_shift": variable("raman_shift", SHIFT, "1/cm", "Raman shift")},
    )
    attrs = {"raw_file": "", "raw_sha256": "0" * 64, "origin": "simulated"}
    settings = RamanSettings(modes={"Ag1": 207.0}, instrument_fwhm=0.5)
    result = analyse([Measurement("flake", attrs, {}, {"spectrum": counts})], settings)
    (shift,) = (row for row in result.numbers if (row.model, row.parameter) == ("voigt", "raman_shift"))
    assert (shift.measurement, shift.feature, shift.unit) == ("flake", "Ag1", "1/cm")
    assert abs(shift.value - 207.5) < 4 * shift.standard_error < 1.0
    assert set(result.curves) == {"flake", "flake/spectrum"}


def of_lines(numbers, parameter, model="voigt"):
    """Rows of one quantity by line."""
    return numbers[(numbers["model"] == model) & (numbers["parameter"] == parameter)].set_index("feature")


def test_the_five_modes_are_the_paper_s(analysed):
    result = analysed("raman")
    for name, reported in {"Eg1": 111.7, "Eg2": 135.3, "Ag1": 207.5, "Ag2": 431.9, "Ag3": 465.9}.items():
        error = result.number("raman_shift", "standard_error", model="voigt", feature=name)
        assert abs(result.number("raman_shift", model="voigt", feature=name) - reported) < 4 * error < 1.0


def test_the_right_line_shape_wins_and_the_other_is_reported(analysed):
    result = analysed("raman")
    assert result.number("aicc", model="voigt") < result.number("aicc", model="lorentzian") - 10


def test_calibration_carries_the_uncertainty_of_the_reference(analysed):
    """That of the line of silicon, and more the further a mode is away from it."""
    result = analysed("raman")
    for name, place in {"Ag1": 207.5, "Ag3": 465.9}.items():
        expected = math.hypot(0.14, 0.5 * (520.45 - place) / 400)
        found = result.number("raman_shift", "systematic_error", model="voigt", feature=name)
        assert found == pytest.approx(expected, rel=0.01)


def test_a_single_accumulation_is_analysed_too(tmp_path):
    rng = np.random.default_rng(5)
    shift = np.linspace(72.0, 640.0, 900)
    content = write(shift, twin.spectrum(FLAKE, rng, shift, 1), axis_unit="rel. 1/cm", title="one")
    shifts = of_lines(run(tmp_path, content), "raman_shift")
    for name, line in FLAKE.modes.items():
        assert abs(shifts.loc[name, "value"] - line.raman_shift) < 4 * shifts.loc[name, "standard_error"]


@pytest.mark.parametrize("accumulations", [1, 2, 5])
def test_cosmic_rays_go_and_lines_stay(accumulations):
    rng = np.random.default_rng(7)
    shift = np.linspace(72.0, 640.0, 900)
    clean = twin.expected(FLAKE, shift) + twin.DARK_OFFSET
    spectra = rng.normal(clean, np.sqrt(twin.expected(FLAKE, shift)), (accumulations, len(shift)))
    hit = 300
    spectra[0, hit] += 3000
    cleaned = remove_spikes(spectra, 8.0, 3, 1.9)
    assert cleaned.removed[0, hit]
    assert cleaned.removed.sum() <= 6
    assert abs(cleaned.mean[hit] - clean[hit]) < 8 * math.sqrt(twin.expected(FLAKE, shift)[hit])


def test_lines_that_nobody_named_are_found_and_fitted(tmp_path):
    shift = np.linspace(72.0, 640.0, 900)
    content = write(shift, twin.spectrum(FLAKE, np.random.default_rng(5), shift, 1), axis_unit="rel. 1/cm", title="one")
    numbers = run(tmp_path, content, **UNKNOWN)
    centers = of_lines(numbers, "raman_shift")
    assert (centers["systematic_error"] == RamanSettings().axis_uncertainty).all()
    for center in [line.raman_shift for name, line in FLAKE.lines.items() if name != "Si_2TA"]:
        nearest = centers.loc[(centers["value"] - center - twin.AXIS_ERROR).abs().idxmin()]
        assert abs(nearest["value"] - center - twin.AXIS_ERROR) < max(5 * nearest["standard_error"], 0.3)
    assert (numbers.loc[numbers["parameter"] == "shift_offset", "value"] == 0).all()


def test_listed_modes_of_a_wide_spectrum_are_not_hidden_by_what_is_not_listed():
    """As of a polymer: other strong lines and a hump, which one baseline cannot follow; one accumulation."""
    rng, shift = np.random.default_rng(19), np.arange(100.0, 3500.0, 1.3)
    listed = {"ring": 1001.4, "stretch": 1602.3}
    lines = {1001.4: 3e5, 1602.3: 8e4, 1031.8: 6e4, 1583.1: 3e4, 1155.3: 3e4, 2904.5: 8e5, 3054.3: 1e6}
    hump = 3000 * np.exp(-(((shift - 200) / 120) ** 2)) + 2500 * np.exp(-(((shift - 2950) / 150) ** 2))
    expected = 800 + hump + sum(voigt(shift, area, center, 1.2, 9.0) for center, area in lines.items())
    region = {
        "intensity": variable(("spectrum", "raman_shift"), rng.poisson(expected)[None].astype(float), "count", "I")
    }
    coords = {"raman_shift": variable("raman_shift", shift, "1/cm", "Raman shift"), "x_index": ("spectrum", [0])}
    attrs = {"raw_file": "", "raw_sha256": "0" * 64, "origin": "simulated"}
    measurement = Measurement("polymer", attrs, {}, {"spectrum": xr.Dataset(region, coords)})
    result = analyse([measurement], RamanSettings(modes=listed))
    rows = [row for row in result.numbers if (row.model, row.parameter) == ("voigt", "raman_shift")]
    found = {row.feature: row for row in rows}
    for name, center in listed.items():
        assert abs(found[name].value - center) < max(3 * found[name].standard_error, 0.1), found[name]
    assert not any(row.parameter == "area_limit" and row.feature in listed for row in result.numbers)
    assert all(math.isnan(row.at) for row in result.numbers)  # a series of one spectrum is a spectrum


def test_a_mode_beyond_the_spectrum_has_a_row_that_says_so(tmp_path):
    content = write(SHIFT, twin.spectrum(FLAKE, np.random.default_rng(5), SHIFT, 5), axis_unit="rel. 1/cm", title="one")
    numbers = run(tmp_path, content, window=None, modes={"Ag1": 207.5, "far": 2900.0})
    far = numbers[numbers["feature"] == "far"]
    assert far["parameter"].tolist() == ["raman_shift"] and far["value"].isna().all()
    assert far["status"].item() == "not_identified" and "not covered" in far["method"].item()
    with pytest.raises(AnalysisError, match="r: no mode lies between"):
        run(tmp_path, content, **UNKNOWN | {"modes": {"far": 2900.0}})


def test_luminescence_has_no_lines(tmp_path):
    """FAULTS A11: humps as wide as a line may be are background, in a real file and in a drawn one."""
    shift = np.linspace(100.0, 2600.0, 900)
    humps = 4000 * np.exp(-(((shift - 1700) / 250) ** 2)) + 3000 * np.exp(-(((shift - 2330) / 200) ** 2))
    counts = np.random.default_rng(3).poisson(8000 + humps)[None]
    with pytest.raises(AnalysisError, match="r: no line stands out by 8 standard deviations"):
        run(tmp_path, write(shift, counts, axis_unit="rel. 1/cm", title="one"), **UNKNOWN)
    content = shared("cases/r07-no-raman-line/test1.wdf").read_bytes()
    with pytest.raises(AnalysisError, match="only background as wide as a line may be"):
        run(tmp_path, content, **UNKNOWN)


def test_the_line_that_sets_the_axis_may_lie_far_from_the_modes(tmp_path):
    rng, shift = np.random.default_rng(20), np.arange(100.0, 1800.0, 1.0)
    clean = 500 + lorentzian(shift, 2e4, 519.95, 4.0) + lorentzian(shift, 2e4, 1600.0, 8.0)
    content = write(shift, rng.poisson(clean)[None], axis_unit="rel. 1/cm", title="one")
    numbers = run(tmp_path, content, **UNKNOWN | {"modes": {"G": 1600.0}, "calibration_line": 520.45})
    assert of_lines(numbers, "raman_shift").loc["G", "value"] == pytest.approx(1600.5, abs=0.3)


def test_noise_has_no_lines(tmp_path):
    shift = np.linspace(72.0, 640.0, 900)
    counts = np.random.default_rng(3).normal(600, 20, (1, 900))
    with pytest.raises(AnalysisError, match="r: no line stands out by 8 standard deviations"):
        run(tmp_path, write(shift, counts, axis_unit="rel. 1/cm", title="one"), **UNKNOWN)


def substrate(rng, accumulations, lines=()):
    """Counts of a bare substrate, and of further lines: Raman shift → area."""
    expected = 800 + sum(
        voigt(SHIFT, area, center, 1.2, 4.0)
        for center, area in {FLAKE.silicon["Si"].raman_shift: 30000.0, **dict(lines)}.items()
    )
    return write(SHIFT, rng.poisson(expected, (accumulations, 900)), axis_unit="rel. 1/cm", title="substrate")


@pytest.mark.parametrize("accumulations", [1, 5])
def test_a_bare_substrate_has_no_modes(tmp_path, accumulations):
    numbers = run(tmp_path, substrate(np.random.default_rng(2), accumulations))
    assert set(numbers.loc[numbers["parameter"].isin(["area", "fwhm", "fwhm_lorentzian"]), "feature"]) == {"Si"}
    shifts, limits = of_lines(numbers, "raman_shift"), of_lines(numbers, "area_limit")
    for name in (*SETTINGS["modes"], "Si_2TA"):
        assert name not in shifts.index
        assert limits.loc[name, "status"] == "limit"
        assert limits.loc[name, "method"].startswith("not seen: no line within 12 1/cm stands out")
        assert 0 < limits.loc[name, "value"] < 500 / math.sqrt(accumulations)
    draw(tmp_path)


def draw(folder):
    figure = new_figure(SINGLE, 60)
    figures.spectrum(figure.add_subplot(), load_panel(folder))
    figure.draw_without_rendering()


def test_a_spectrum_without_any_line_is_drawn(tmp_path):
    counts = np.random.default_rng(6).poisson(800.0, (3, 900))
    content = write(SHIFT, counts, axis_unit="rel. 1/cm", title="none")
    assert not run(tmp_path, content, calibration_line=None)["parameter"].eq("area").any()
    draw(tmp_path)


def test_only_the_modes_that_are_there_are_fitted(tmp_path):
    """A faint mode beside noise; its neighbour, 24 1/cm away, is not taken for the one that is not there."""
    content = substrate(np.random.default_rng(4), 5, {"Eg2": (135.3, 400.0), "Ag1": (207.5, 9800.0)}.values())
    numbers = run(tmp_path, content)
    for name, center, area in (("Eg2", 135.3, 400.0), ("Ag1", 207.5, 9800.0)):
        for key, truth in (("raman_shift", center), ("area", area)):
            row = of_lines(numbers, key).loc[name]
            assert abs(row["value"] - truth) < 4 * row["standard_error"]
    assert set(of_lines(numbers, "area_limit").index) == {"Eg1", "Ag2", "Ag3", "Si_2TA"}
    assert not numbers["value"].isna().any()


def test_the_line_that_sets_the_axis_must_be_seen(tmp_path):
    counts = np.random.default_rng(6).poisson(800.0, (3, 900))
    with pytest.raises(AnalysisError, match=r"r: the silicon line at 520\.45 1/cm that sets the axis is not seen: set"):
        run(tmp_path, write(SHIFT, counts, axis_unit="rel. 1/cm", title="none"))


@pytest.mark.parametrize("changes", [{}, UNKNOWN])
def test_a_constant_is_no_spectrum(tmp_path, changes):
    with pytest.raises(AnalysisError, match="r: every point has the intensity 800: not a spectrum"):
        run(tmp_path, write(SHIFT, np.full((1, 900), 800.0), axis_unit="rel. 1/cm", title="constant"), **changes)


@pytest.mark.slow
def test_polystyrene_has_its_certified_lines(rawfiles, tmp_path):
    """Against ASTM E1840; the spectrometer's axis is as the file has it."""
    content = (rawfiles / "raman_shg/galactic_spc/PST10_iR532_Probe_100_3000msx7.spc").read_bytes()
    numbers = run(tmp_path, content, **UNKNOWN)
    assert (numbers["value"][numbers["parameter"] == "cosmic_ray_pixels"] == 0).all()
    shifts = of_lines(numbers, "raman_shift")
    assert (shifts["status"] != "ok").all()  # nothing has checked the axis
    centers = shifts["value"].to_numpy()
    certified = np.array([620.9, 1001.4, 1031.8, 1155.3, 1450.5, 1583.1, 1602.3, 2852.4, 3001.4, 3054.3])
    assert np.abs(centers - certified[:, None]).min(axis=1).max() < 4
    strongest = np.array([620.9, 1001.4, 1031.8, 1155.3, 1602.3, 2852.4])
    assert np.abs(centers - strongest[:, None]).min(axis=1).max() < 1.2


def test_a_real_depth_series_has_its_numbers_at_each_depth(rawfiles, tmp_path):
    content = (rawfiles / "raman_shg/renishaw_wdf/renishaw_test_zscan.wdf").read_bytes()
    numbers = run(tmp_path, content, **UNKNOWN)
    placed = numbers[numbers["at"].notna()]
    assert set(placed["at_unit"]) == {"um"}
    assert sorted(placed["at"].unique()) == [-9.5 + number for number in range(20)]  # every other spectrum is empty
    said = r"mean of 40 spectra \(z 40\), 20 of which are constant"
    assert numbers["method"][numbers["at"].isna()].str.contains(said).all()


def test_a_wavelength_axis_is_refused(tmp_path):
    axis = np.linspace(533.0, 560.0, 900)
    with pytest.raises(AnalysisError, match=r"r: has no Raman shift axis.*wavelength"):
        run(tmp_path, write(axis, np.full(900, 600.0), axis_unit="nm", title="w"))


def test_a_window_that_is_not_covered_is_named(tmp_path):
    axis = np.linspace(150.0, 640.0, 700)
    with pytest.raises(AnalysisError, match=r"r: has 642 points and does not cover 85 to 600 1/cm"):
        run(tmp_path, write(axis, np.full(700, 600.0), axis_unit="rel. 1/cm", title="w"))


def test_rates_become_counts_by_the_integration_time(tmp_path):
    shift = np.linspace(72.0, 640.0, 900)
    counts = twin.spectrum(FLAKE, np.random.default_rng(5), shift, 1)
    run(tmp_path, write(shift, counts, axis_unit="rel. 1/cm", title="one"))
    with xr.open_datatree(tmp_path / "raman.nc", engine="h5netcdf") as stored:
        stored.load()
    table = load_parameters(tmp_path / "parameters.csv")
    spectrum = next(iter(stored["r"].children))

    def again(conditions, units, scale):
        region = stored[f"r/{spectrum}"].to_dataset(inherit=False)
        region["intensity"] = (region["intensity"] * scale).assign_attrs(region["intensity"].attrs, units=units)
        attrs = {**stored["r"].attrs, "conditions": json.dumps(conditions)}
        save_tree(tmp_path / "rates.nc", {"r": xr.Dataset(attrs=attrs), f"r/{spectrum}": region})
        analyse_with("raman", str(tmp_path / "rates.nc"), str(tmp_path / "q.csv"), str(tmp_path / "d.nc"), **SETTINGS)
        return load_parameters(tmp_path / "q.csv")

    rated = again({"integration_time": [8, "s"]}, "count/s", 1 / 8)
    pd.testing.assert_frame_equal(rated, table)
    with pytest.raises(AnalysisError, match="r: intensity in count/s and no integration_time to convert it to counts"):
        again({}, "count/s", 1 / 8)
    with pytest.raises(
        AnalysisError, match="r: intensity in 'mV'; expected count, or count/s and its integration_time"
    ):
        again({}, "mV", 1)


def test_ingest_keeps_the_header_and_the_conditions(tmp_path):
    shift = np.linspace(72.0, 640.0, 900)
    content = write(
        shift,
        twin.spectrum(FLAKE, np.random.default_rng(1), shift),
        axis_unit="rel. 1/cm",
        title="x",
        header={"Comment": "SIMULATED"},
    )
    run(tmp_path, content, {"power": (0.5, "mW")})
    measurement = load(tmp_path / "raman.nc")[0]
    assert "SIMULATED" in measurement.attrs["header"]
    assert measurement.condition("power", "W") == pytest.approx(5e-4)
    with pytest.raises(AnalysisError, match="gives no condition 'wavelength'"):
        measurement.condition("wavelength", "nm")


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [0.0, 100.0])
def test_noise_is_rarely_taken_for_a_mode(hidden):
    """In one spectrum of a hundred; limits hold for lines too weak to be seen, twice their standard error in area."""
    rng = np.random.default_rng(13)
    centers, draws = {**SETTINGS["modes"], "Si_2TA": 303.0, "Si": 520.45}, 200
    window = (SHIFT >= 85) & (SHIFT <= 600)
    expected = 800 + voigt(SHIFT[window], 30000.0, 520.45, 1.2, 2.8)
    expected += sum(voigt(SHIFT[window], hidden, center, 1.2, 5.0) for name, center in centers.items() if name != "Si")
    seen, holds = 0, []
    for _ in range(draws):
        cleaned = remove_spikes(rng.poisson(expected, (5, window.sum())), 8.0, 3, 1.9)
        spectrum = SHIFT[window], cleaned.mean, cleaned.noise
        _, model, _, limits = fit_seen_lines(*spectrum, centers, 1.2, 9, centers.keys())
        seen += len(model.lines) > 1
        holds += [hidden <= limit for limit in limits.values()]
    assert (seen <= 0.03 * draws) if hidden == 0 else (0.92 <= np.mean(holds) <= 0.97)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    rng = np.random.default_rng(11)
    shift = np.linspace(72.0, 640.0, 900)
    window = (shift >= 85) & (shift <= 600)
    centers = {**SETTINGS["modes"], "Si_2TA": 303.0, "Si": 520.45}
    truth = {f"{name}_{key}": value for name, line in FLAKE.lines.items()
             for key, value in (("center", line.raman_shift + twin.AXIS_ERROR), ("fwhm", line.fwhm),
                                ("area", line.area))}  # fmt: skip
    hits = {name: 0 for name in truth}
    draws = 300
    for _ in range(draws):
        cleaned = remove_spikes(twin.spectrum(FLAKE, rng, shift)[:, window], 8.0, 3, 1.9)
        fitted, _, _ = fit_lines(shift[window], cleaned.mean, cleaned.noise, centers, 1.2, 9)
        for name, value in truth.items():
            hits[name] += abs(fitted.value(name) - value) <= 1.96 * fitted.error(name)
    coverage = {name: count / draws for name, count in hits.items()}
    assert all(0.90 <= share <= 0.98 for share in coverage.values()), coverage


def test_two_cores_write_the_bytes_of_one(tmp_path):
    files, rows = write_sample(tmp_path / "sample", 4, seed=3)
    written = []
    for number in (1, 2):
        fit_sample(tmp_path / "sample", files, rows, number)
        written.append([(tmp_path / "sample" / name).read_bytes() for name in ("parameters.csv", "curves.nc")])
    assert written[0] == written[1]
