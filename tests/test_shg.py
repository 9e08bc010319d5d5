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
from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, numbers_table
from relaxor.project import analysis as project_analysis
from relaxor.simulation import shg as twin
from relaxor.stats import power_law
from relaxor.stats.fit import fit
from relaxor.techniques.registry import techniques
from relaxor.techniques.shg import analysis as shg
from relaxor.techniques.shg.quantities import SERIES
from relaxor.techniques.shg.settings import ShgSettings

from tests.project import CBPS
from tests.simulated import against_truth, ingested, simulated, specimen

SETTINGS = ShgSettings.model_validate(CBPS["shg"])
FLAKE = specimen("shg")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(simulated("shg", 7), tmp_path_factory.mktemp("shg"))


@pytest.fixture
def series(data: Path) -> list[Measurement]:
    return load(data)


def run(series: list[Measurement], settings: ShgSettings = SETTINGS) -> tuple[pd.DataFrame, Result]:
    result = Result.joined(shg.analyse(series, settings))
    return numbers_table(result.numbers, "shg"), result


@pytest.fixture(scope="module")
def analysed(data: Path) -> tuple[pd.DataFrame, Result]:
    return run(load(data))


def number(table: pd.DataFrame, model: str, parameter: str, column: str = "value") -> float:
    rows = table[(table["measurement"] == SERIES) & (table["model"] == model) & (table["parameter"] == parameter)]
    assert len(rows) == 1
    return float(rows.iloc[0][column])


def test_what_was_put_in_is_found(analysed: tuple) -> None:
    joined = against_truth(analysed[0], simulated("shg", 7), how="right")
    assert (joined["unit"] == joined["true_unit"]).all()
    z = (joined["value"] - joined["true"]) / np.hypot(joined["standard_error"], joined["systematic_error"])
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
    t = number(table, "power_law_background", "t_statistic")
    assert t == pytest.approx((exponent - 2) / error, rel=1e-6)
    p = number(table, "power_law_background", "p_value")
    assert p == pytest.approx(2 * stats.t.sf(abs(t), 11 - 3), rel=1e-6)
    assert set(table.loc[table["parameter"].isin(["t_statistic", "p_value"]), "at"]) == {2}
    low, high = (number(table, "power_law_background", "exponent", end) for end in ("ci_low", "ci_high"))
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_curves_add_up_and_carry_units(analysed: tuple) -> None:
    curves = analysed[1].curves
    spectrum = curves["shg_10/spectrum"]
    np.testing.assert_allclose(spectrum.line + spectrum.background, spectrum.fit)
    assert abs(float(spectrum.residual.mean())) < 0.2
    assert float(spectrum.residual.std()) == pytest.approx(1, abs=0.15)
    assert curves[SERIES].attrs["combines"].startswith("shg_")
    for group in curves.values():
        for name, column in group.variables.items():
            assert {"units", "long_name"} <= set(column.attrs), name


def test_every_number_is_listed_and_others_are_refused(analysed: tuple) -> None:
    numbers = analysed[1].numbers
    techniques()["shg"].require_named(numbers)
    for wrong in ({"parameter": "exponent_minus_2_t"}, {"model": "cubic"}, {"unit": "mW"}):
        with pytest.raises(ValueError, match="shg: '"):
            techniques()["shg"].require_named([replace(numbers[0], **wrong)])


def test_without_a_window_the_surroundings_of_half_the_pump_are_fitted(series: list[Measurement]) -> None:
    table, result = run(series, SETTINGS.model_copy(update={"window": None}))
    axis = result.curves["shg_10/spectrum"]["wavelength"]
    assert axis.min() == pytest.approx(0.97 * 532, abs=0.1) and axis.max() == pytest.approx(1.03 * 532, abs=0.1)
    assert abs(number(table, "power_law_background", "exponent") - FLAKE.exponent) < 0.1


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


def test_dark_frame_is_required(series: list[Measurement]) -> None:
    with pytest.raises(AnalysisError, match="no measurement has 'power=0 mW'"):
        run(series[1:])


def test_four_powers_are_required(series: list[Measurement]) -> None:
    with pytest.raises(AnalysisError, match="needs 4 powers, found 3"):
        run(series[:4])


def test_condition_that_the_sheet_lacks_is_named(series: list[Measurement]) -> None:
    del series[3].conditions["integration_time"]
    with pytest.raises(AnalysisError, match="shg_03: the sheet gives no condition 'integration_time'"):
        run(series)


def test_spectrum_without_the_line_s_window_is_named(series: list[Measurement]) -> None:
    region = series[2].only.isel(wavelength=slice(0, 100))
    series[2] = replace(series[2], regions={"spectra": region})
    with pytest.raises(AnalysisError, match="shg_02: 0 points between 515 and 550 nm"):
        run(series)


def changed(series: list[Measurement], place: int, change) -> list[Measurement]:
    region = change(series[place].only)
    return [*series[:place], replace(series[place], regions={"spectra": region}), *series[place + 1 :]]


def in_units(region: xr.Dataset, units: str) -> xr.Dataset:
    return region.assign(intensity=region["intensity"].assign_attrs(units=units))


def test_rates_become_counts_by_the_integration_time(series: list[Measurement], analysed: tuple) -> None:
    for place in range(len(series)):
        series = changed(series, place, lambda region: in_units(region / twin.INTEGRATION_TIME, "count/s"))
    pd.testing.assert_frame_equal(run(series)[0], analysed[0], rtol=1e-5)


def test_other_units_and_wavelengths_out_of_order_are_named(series: list[Measurement]) -> None:
    with pytest.raises(
        AnalysisError, match="shg_02: intensity in 'V'; expected count, or count/s and its integration_t"
    ):
        run(changed(series, 2, lambda region: in_units(region, "V")))
    with pytest.raises(AnalysisError, match="shg_02: point 801: wavelength 500 follows 565; expected values that rise"):
        run(changed(series, 2, lambda region: xr.concat([region] * 2, "wavelength")))


def test_a_law_that_misses_mislabelled_powers_says_so_and_widens(series: list[Measurement], analysed: tuple) -> None:
    table, _ = run(relabelled(series, [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]))
    chi_square, error, low, high, t = (
        number(table, "power_law_background", *cell)
        for cell in (
            *(("exponent", name) for name in ("reduced_chi_square", "standard_error", "ci_low", "ci_high")),
            ("t_statistic",),
        )
    )
    assert chi_square > 100 and high - low > math.sqrt(chi_square) * 0.05
    assert abs(t) * error == pytest.approx(abs(number(table, "power_law_background", "exponent") - 2), rel=1e-6)
    methods = [found.query("model == 'power_law_background'")["method"] for found in (table, analysed[0])]
    assert methods[0].str.contains(f"errors widened {math.sqrt(chi_square):.2g} times").all()
    assert not methods[1].str.contains("widened").any()


def test_a_line_that_falls_with_power_is_refused(series: list[Measurement]) -> None:
    with pytest.raises(AnalysisError, match=r"shg: the line falls with power .*does the sheet give each file its own"):
        run(relabelled(series, range(9, -1, -1)))


def relabelled(series: list[Measurement], order: Sequence[int]) -> list[Measurement]:
    """The series, with the powers of other spectra in the sheet."""
    powers = [measurement.conditions["power"] for measurement in series[1:]]
    for measurement, place in zip(series[1:], order, strict=True):
        measurement.conditions["power"] = powers[place]
    return series


def drawn_series(rng: np.random.Generator, frames: int) -> tuple[list[Measurement], list[float]]:
    """A series of so many frames a power, and the area of the line in each spectrum (count nm a frame)."""
    wavelength = np.linspace(500.0, 565.0, 800)
    conditions = {"integration_time": (twin.INTEGRATION_TIME, "s"), "pump_wavelength": (1064.0, "nm")}
    series, areas = [], []
    for place, power in enumerate([0.0, *FLAKE.powers]):
        actual = power * (1 + twin.METER_ERROR * rng.standard_normal())
        areas.append(twin.INTEGRATION_TIME * FLAKE.line_rate(actual))
        rate = twin.INTEGRATION_TIME * FLAKE.expected_rate(wavelength, actual)
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
            spectra, _ = shg.select(series, SETTINGS)
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
        spectra, _ = shg.select(series, SETTINGS)
        lines = shg.fit_lines(spectra, 2, "voigt")
        found = {f"area_{i}": frames * area for i, area in enumerate(areas)}
        found |= {"fwhm_gaussian": twin.FWHM_GAUSSIAN, "fwhm_lorentzian": twin.FWHM_LORENTZIAN}
        for name, value in found.items():
            z.setdefault(name, []).append((lines.value(name) - value) / lines.error(name))
        columns = shg.Points.of(spectra, lines).columns
        law = power_law.orthogonal_power_law(*columns, background=True)
        for name, value in (
            ("amplitude", FLAKE.amplitude),
            ("exponent", FLAKE.exponent),
            ("background", FLAKE.leak),
        ):
            z.setdefault(name, []).append((law.value(name) - value) / law.error(name))
        low, high = power_law.profile_exponent(*columns, law)
        profiled += low <= FLAKE.exponent <= high
    covered = {name: float(np.mean(np.abs(values) < 1.959964)) for name, values in z.items()}
    print(covered, "profile", profiled / draws)
    assert all(0.90 <= share <= 0.98 for share in covered.values()), covered
    assert 0.90 <= profiled / draws <= 0.98


def test_two_spectrometers_have_a_series_each(series: list[Measurement]) -> None:
    """Measurements of another instrument are combined apart, under a name that tells them."""
    both = [
        replace(each, id=f"{each.id}_{name}", attrs=each.attrs | {"instrument_named": name})
        for name in ("old", "new")
        for each in series
    ]
    settings = {
        name: {"header": "", "settings": {"power_calibration_uncertainty": 0.02 + 0.01 * (name == "new")}}
        for name in ("old", "new")
    }
    layers = {"instruments": settings, "lab": {"window": CBPS["shg"]["window"]}, "sample": {}}
    result = project_analysis.analyse(techniques()["shg"], both, layers)
    names = {number.measurement for number in result.numbers}
    assert {f"{SERIES}_old", f"{SERIES}_new"} <= names and SERIES not in names
    assert {f"{SERIES}_old", f"{SERIES}_new"} <= {path.partition("/")[0] for path in result.curves}
    keys = [(row.measurement, row.model, row.parameter, row.feature, str(row.at)) for row in result.numbers]
    assert len(set(keys)) == len(keys)
