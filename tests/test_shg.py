"""SHG: the line, its power law, and the test of the slope."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import load_parameters, save_tree
from relaxor.readers.spectroscopy.witec_ascii import extract
from relaxor.simulation import shg as twin
from relaxor.stats import power_law
from relaxor.stats.fit import fit, widening
from relaxor.techniques.shg import analysis as shg
from relaxor.techniques.shg.settings import ShgSettings

from tests.analyses import analyse_with

SETTINGS = ShgSettings().model_dump()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, dict[str, str], tuple]]:
    folder = tmp_path_factory.mktemp("shg")
    found = []
    for entry in twin.simulate(np.random.default_rng(7)):
        path = folder / entry.name
        path.write_bytes(entry.content)
        found.append((path, entry))
    return found


def measurements(files: list) -> list[Measurement]:
    result = []
    for path, entry in files:
        conditions = {key: (float(text.split()[0]), text.split()[1]) for key, text in entry.conditions.items()}
        attrs = {"raw_file": entry.name, "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
        regions = {name: node.to_dataset() for name, node in extract(path).children.items()}
        result.append(Measurement(entry.measurement, attrs, conditions, regions))
    return result


def run(series: list[Measurement], folder: Path) -> tuple[pd.DataFrame, xr.DataTree]:
    import json

    groups: dict[str, xr.Dataset] = {}
    for entry in series:
        groups[entry.id] = xr.Dataset(attrs={**entry.attrs, "conditions": json.dumps(entry.conditions)})
        for name, region in entry.regions.items():
            groups[f"{entry.id}/{name}"] = region
    save_tree(folder / "data.nc", groups)
    analyse_with("shg", str(folder / "data.nc"), str(folder / "p.csv"), str(folder / "c.nc"), **SETTINGS)
    return load_parameters(folder / "p.csv"), xr.open_datatree(folder / "c.nc", engine="h5netcdf")


@pytest.fixture(scope="module")
def analysed(files: list, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, xr.DataTree]:
    return run(measurements(files), tmp_path_factory.mktemp("analysed"))


def number(table: pd.DataFrame, model: str, parameter: str, column: str = "value") -> float:
    rows = table[(table["measurement"] == shg.SERIES) & (table["model"] == model) & (table["parameter"] == parameter)]
    assert len(rows) == 1
    return float(rows.iloc[0][column])


def test_what_was_put_in_is_found(files: list, analysed: tuple) -> None:
    table, _ = analysed
    keyed = table.set_index(["measurement", "model", "parameter"])
    rows = [(entry.measurement, *row) for _, entry in files for row in entry.truth]
    rows += [row for _, entry in files for row in entry.series_truth]
    z = []
    for measurement, model, parameter, value, unit in rows:
        found = keyed.loc[(measurement, model, parameter)]
        assert found["unit"] == unit
        z.append((found["value"] - value) / math.hypot(found["standard_error"], found["systematic_error"]))
    assert len(z) == 17
    assert np.mean(np.abs(z) < 1.96) >= 0.9
    assert np.abs(z).max() < 4


def test_background_is_needed_and_bends_the_slope_down_where_it_is_left_out(analysed: tuple) -> None:
    table, _ = analysed
    assert number(table, "power_law_background", "aicc") < number(table, "power_law", "aicc") - 10
    assert number(table, "power_law", "exponent") < number(table, "power_law_background", "exponent")
    assert number(table, "log_log", "exponent") < number(table, "power_law_background", "exponent")
    assert number(table, "gaussian", "aicc") > number(table, "voigt", "aicc")


def test_t_and_p_belong_to_the_exponent(analysed: tuple) -> None:
    from scipy import stats

    table, _ = analysed
    exponent = number(table, "power_law_background", "exponent")
    error = number(table, "power_law_background", "exponent", "standard_error")
    t = number(table, "power_law_background", "exponent_minus_2_t")
    assert t == pytest.approx((exponent - 2) / error, rel=1e-6)
    p = number(table, "power_law_background", "exponent_minus_2_p_value")
    assert p == pytest.approx(2 * stats.t.sf(abs(t), 11 - 3), rel=1e-6)
    low, high = (number(table, "power_law_background", "exponent", end) for end in ("ci_low", "ci_high"))
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_curves_add_up_and_carry_units(analysed: tuple) -> None:
    _, curves = analysed
    spectrum = curves["shg_10/spectrum"].to_dataset()
    np.testing.assert_allclose(spectrum.line + spectrum.background, spectrum.fit)
    assert abs(float(spectrum.residual.mean())) < 0.2
    assert float(spectrum.residual.std()) == pytest.approx(1, abs=0.15)
    assert curves.children[shg.SERIES].attrs["combines"].startswith("shg_")
    for node in curves.subtree:
        for name, data in node.variables.items():
            assert {"units", "long_name"} <= set(data.attrs), name


def test_danwood_of_nist_through_the_power_law(reference: Path) -> None:
    y, x = np.loadtxt((reference / "nist" / "DanWood.dat").read_text().splitlines()[60:]).T
    # Exact powers and equal errors: least squares, whose errors NIST takes from the scatter.
    law = power_law.orthogonal_power_law(x, y, np.zeros_like(x), np.ones_like(x), background=False)
    error = law.error("exponent") * law.reduced_chi_square**0.5
    assert law.value("amplitude") == pytest.approx(7.6886226176e-01, rel=1e-7)
    assert law.value("exponent") == pytest.approx(3.8604055871e00, rel=1e-7)
    assert error == pytest.approx(5.1726610913e-02, rel=1e-4)


def test_orthogonal_distances_agree_with_the_likelihood_written_out() -> None:
    rng = np.random.default_rng(3)
    power = np.geomspace(1, 10, 9)
    signal = 5 * (power * (1 + 0.03 * rng.standard_normal(9))) ** 2 + 2 + rng.normal(0, 1, 9)
    errors = 0.03 * power, np.full(9, 1.0)
    law = power_law.orthogonal_power_law(power, signal, *errors, background=True)
    params = law.params.copy()
    for i in range(9):
        params.add(f"x{i}", value=power[i])

    def residual(p) -> np.ndarray:
        x = np.array([p[f"x{i}"].value for i in range(9)])
        curve = p["amplitude"].value * x ** p["exponent"].value + p["background"].value
        return np.concatenate([(curve - signal) / errors[1], (x - power) / errors[0]])

    written_out = fit(residual, params, absolute_sigma=True)
    for name in ("amplitude", "exponent", "background"):
        assert law.value(name) == pytest.approx(written_out.value(name), rel=1e-4)
        assert law.error(name) == pytest.approx(written_out.error(name), rel=1e-2)
    assert law.chi_square == pytest.approx(written_out.chi_square, rel=1e-4)


def test_dark_frame_is_required(files: list, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="no measurement has 'power=0 mW'"):
        run(measurements(files)[1:], tmp_path)


def test_four_powers_are_required(files: list, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="needs 4 powers, found 3"):
        run(measurements(files)[:4], tmp_path)


def test_condition_that_the_sheet_lacks_is_named(files: list, tmp_path: Path) -> None:
    series = measurements(files)
    del series[3].conditions["integration_time"]
    with pytest.raises(AnalysisError, match="shg_03: the sheet gives no condition 'integration_time'"):
        run(series, tmp_path)


def test_spectrum_without_the_line_s_window_is_named(files: list, tmp_path: Path) -> None:
    series = measurements(files)
    region = series[2].only.isel(wavelength=slice(0, 100))
    series[2] = replace(series[2], regions={"spectra": region})
    with pytest.raises(AnalysisError, match="shg_02: 0 points between 515 and 550 nm"):
        run(series, tmp_path)


def changed(series: list[Measurement], place: int, change) -> list[Measurement]:
    region = change(series[place].only)
    return [*series[:place], replace(series[place], regions={"spectra": region}), *series[place + 1 :]]


def in_units(region: xr.Dataset, units: str) -> xr.Dataset:
    return region.assign(intensity=region["intensity"].assign_attrs(units=units))


def test_rates_become_counts_by_the_integration_time(files: list, analysed: tuple, tmp_path: Path) -> None:
    series = measurements(files)
    for place in range(len(series)):
        series = changed(series, place, lambda region: in_units(region / twin.INTEGRATION_TIME, "count/s"))
    pd.testing.assert_frame_equal(run(series, tmp_path)[0], analysed[0], rtol=1e-5)


def test_other_units_and_wavelengths_out_of_order_are_named(files: list, tmp_path: Path) -> None:
    series = measurements(files)
    with pytest.raises(
        AnalysisError, match="shg_02: intensity in 'V'; expected count, or count/s and its integration_t"
    ):
        run(changed(series, 2, lambda region: in_units(region, "V")), tmp_path)
    with pytest.raises(AnalysisError, match="shg_02: point 801: wavelength 500 follows 565; expected values that rise"):
        run(changed(series, 2, lambda region: xr.concat([region] * 2, "wavelength")), tmp_path)


def test_a_law_that_misses_mislabelled_powers_says_so_and_widens(files: list, analysed: tuple, tmp_path: Path) -> None:
    table, _ = run(relabelled(files, [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]), tmp_path)
    chi_square, error, low, high, t = (
        number(table, "power_law_background", *cell)
        for cell in (
            *(("exponent", name) for name in ("reduced_chi_square", "standard_error", "ci_low", "ci_high")),
            ("exponent_minus_2_t",),
        )
    )
    assert chi_square > 100 and high - low > math.sqrt(chi_square) * 0.05
    assert abs(t) * error == pytest.approx(abs(number(table, "power_law_background", "exponent") - 2), rel=1e-6)
    methods = [found.query("model == 'power_law_background'")["method"] for found in (table, analysed[0])]
    assert methods[0].str.contains(f"errors widened {math.sqrt(chi_square):.2g} times, as the law misses the").all()
    assert not methods[1].str.contains("widened").any()


def test_a_line_that_falls_with_power_is_refused(files: list, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"shg: the line falls with power .*does the sheet give each file its own"):
        run(relabelled(files, range(9, -1, -1)), tmp_path)


def relabelled(files: list, order: Sequence[int]) -> list[Measurement]:
    """The series, with the powers of other spectra in the sheet."""
    series = measurements(files)
    powers = [measurement.conditions["power"] for measurement in series[1:]]
    for measurement, place in zip(series[1:], order, strict=True):
        measurement.conditions["power"] = powers[place]
    return series


def drawn_series(rng: np.random.Generator, frames: int) -> tuple[list[Measurement], list[float]]:
    """A series of so many frames a power, and the area of the line in each spectrum (count nm a frame)."""
    wavelength = np.linspace(500.0, 565.0, 800)
    conditions = {"integration_time": (twin.INTEGRATION_TIME, "s"), "pump_wavelength": (1064.0, "nm")}
    series, areas = [], []
    for place, power in enumerate([0.0, *twin.POWERS]):
        actual = power * (1 + twin.METER_ERROR * rng.standard_normal())
        areas.append(twin.INTEGRATION_TIME * twin.line_rate(actual))
        rate = twin.INTEGRATION_TIME * twin.expected_rate(wavelength, actual)
        counts = rng.poisson(rate, (frames, wavelength.size)).astype(float)
        counts = np.round(counts + rng.normal(twin.BIAS, twin.READ_NOISE, counts.shape))
        region = xr.Dataset(
            {"intensity": (("spectrum", "wavelength"), counts, {"units": "count"})}, {"wavelength": wavelength}
        )
        readings = {"power": (power, "mW"), "power_uncertainty": (twin.METER_ERROR * power, "mW")}
        series.append(Measurement(f"s{place}", {}, conditions | readings, {"spectra": region}))
    return series, areas


def test_errors_of_25_frames_are_those_of_their_scatter() -> None:
    rng = np.random.default_rng(4)
    z, errors = [], {}
    for frames, draws in ((1, 1), (25, 2)):
        for _ in range(draws):
            series, areas = drawn_series(rng, frames)
            spectra, _ = shg.select(series, (515.0, 550.0), 1.0)
            lines = shg.fit_lines(spectra, 2, "voigt")
            errors[frames] = np.array([lines.error(f"area_{i}") / spectra[i].gain for i in range(11)])
            if frames > 1:
                found = np.array([lines.value(f"area_{i}") / spectra[i].gain for i in range(11)])
                z.append((found - areas) / errors[frames])
    assert errors[1] / errors[25] == pytest.approx(5, rel=0.1)
    assert np.std(z) == pytest.approx(1, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("frames", [1, 25])
def test_intervals_cover_the_truth(frames: int) -> None:
    draws = 400
    rng = np.random.default_rng(11)
    z = {}
    profiled = 0
    for _ in range(draws):
        series, areas = drawn_series(rng, frames)
        spectra, _ = shg.select(series, (515.0, 550.0), 1.0)
        lines = shg.fit_lines(spectra, 2, "voigt")
        found = {f"area_{i}": frames * area for i, area in enumerate(areas)}
        found |= {"fwhm_gaussian": twin.FWHM_GAUSSIAN, "fwhm_lorentzian": twin.FWHM_LORENTZIAN}
        for name, value in found.items():
            z.setdefault(name, []).append((lines.value(name) - value) / lines.error(name))
        power = np.array([spectrum.power for spectrum in spectra])
        power_error = np.array([spectrum.power_error for spectrum in spectra])
        signal, error = (
            np.array([get(f"area_{i}") for i in range(len(spectra))]) / (frames * twin.INTEGRATION_TIME)
            for get in (lines.value, lines.error)
        )
        law = shg._widened(power_law.orthogonal_power_law(power, signal, power_error, error, background=True))
        for name, value in (
            ("amplitude", twin.AMPLITUDE),
            ("exponent", twin.EXPONENT),
            ("background", twin.LEAK),
        ):
            z.setdefault(name, []).append((law.value(name) - value) / law.error(name))
        ends = np.array(power_law.profile_exponent(power, signal, power_error, error, law))
        low, high = law.value("exponent") + widening(law) * (ends - law.value("exponent"))
        profiled += low <= twin.EXPONENT <= high
    covered = {name: float(np.mean(np.abs(values) < 1.959964)) for name, values in z.items()}
    print(covered, "profile", profiled / draws)
    assert all(0.90 <= share <= 0.98 for share in covered.values()), covered
    assert 0.90 <= profiled / draws <= 0.98
