"""Maps and series of Raman spectra: their numbers at each place, their panels, and what counts as one."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from relaxor.core.parallel import cores
from relaxor.core.results import AVERAGED, Measurement
from relaxor.core.storage import save_results
from relaxor.core.trial import trying
from relaxor.core.variables import variable
from relaxor.figures.panel import load_panel
from relaxor.figures.style import SINGLE, new_figure
from relaxor.project import analysis
from relaxor.stats.line_shapes import lorentzian
from relaxor.techniques.raman import panels as figures
from relaxor.techniques.raman.series import Series
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.registry import techniques

from tests.test_raman import SHIFT, analyse


def mapped(dims, sizes, coords, seed=1):
    """Spectra of one line whose place and area vary over a map or series, and its truth at each place."""
    rng = np.random.default_rng(seed)
    number = np.arange(np.prod(sizes)).reshape(sizes)
    center, area = 300 + 0.2 * number, 3e4 + 2e3 * number
    area.flat[1] = 0  # a place without the line
    spectra = 400.0 + np.stack([lorentzian(SHIFT, a, c, 5.0) for a, c in zip(area.flat, center.flat, strict=True)])
    counts = rng.poisson(spectra).reshape(*sizes, -1).astype(float)
    region = xr.Dataset(
        {"intensity": variable((*dims, "raman_shift"), counts, "count", "Intensity")},
        {"raman_shift": variable("raman_shift", SHIFT, "1/cm", "Raman shift"), **coords},
    )
    attrs = {"raw_file": "", "raw_sha256": "0" * 64, "origin": "simulated"}
    return Measurement("m", attrs, {}, {"spectra": region}), center, area


@pytest.mark.parametrize(
    ("dims", "sizes", "coords"),
    [
        (("time",), (6,), {"time": variable("time", 10.0 * np.arange(6), "s", "time")}),
        (("y", "x"), (2, 3), {"x_position": variable(("y", "x"), np.tile([0.0, 1, 2], (2, 1)), "um", "x")}),
    ],
    ids=["series", "map"],
)
def test_each_spectrum_of_a_map_or_series_has_its_numbers(dims, sizes, coords, tmp_path):
    measurement, center, area = mapped(dims, sizes, coords)
    result = analyse([measurement], RamanSettings(modes={"M": 300.5}, instrument_fwhm=0.5, baseline_degree=2))
    placed = [row for row in result.numbers if not math.isnan(row.at)]
    shifts = [row for row in placed if row.parameter == "raman_shift"]
    assert {row.at_unit for row in placed} == ({"s"} if dims == ("time",) else {"1"})
    assert [row.feature for row in placed if row.parameter == "area_limit"] == ["M"]
    seen = [index for index in range(6) if index != 1]
    assert [row.at for row in shifts] == (
        [10.0 * index for index in seen] if len(dims) == 1 else [i + 1.0 for i in seen]
    )
    for row, index in zip(shifts, seen, strict=True):
        assert abs(row.value - center.flat[index]) < 4 * row.standard_error < 1.0
    for row, index in zip([row for row in placed if row.parameter == "area"], seen, strict=True):
        assert abs(row.value - area.flat[index]) < 4 * row.standard_error
    assert all("mean of 6 spectra" in row.method for row in result.numbers if math.isnan(row.at))
    found = result.curves["m/map"]
    assert found["area"].dims == ("line", *dims)
    assert np.isnan(found["area"].values.flat[1]) and np.isfinite(found["area"].values).sum() == 5
    if len(dims) == 2:
        assert (found["x"].values.tolist(), found["x"].attrs["units"]) == ([0, 1, 2], "um")


def test_a_map_has_the_same_numbers_on_one_core_and_on_two():
    measurement, *_ = mapped(
        ("y", "x"), (2, 3), {"x_position": variable(("y", "x"), np.tile([0.0, 1, 2], (2, 1)), "um", "x")}
    )
    settings = RamanSettings(modes={"M": 300.5}, instrument_fwhm=0.5, baseline_degree=2)
    found = []
    for number in (1, 2):
        with cores(number):
            found.append(analyse([measurement], settings))
    assert repr(found[0].numbers) == repr(found[1].numbers)  # NaN is not itself
    xr.testing.assert_identical(found[0].curves["m/map"], found[1].curves["m/map"])


def test_a_map_is_drawn_to_scale_unless_it_is_long(tmp_path):
    settings = RamanSettings(modes={"M": 300.5}, instrument_fwhm=0.5, baseline_degree=2)
    x, y = np.tile([0.0, 1, 2], (2, 1)), np.tile([[0.0], [1]], (1, 3))
    for name, y_scale, aspect in (("wide", 1.0, 1.0), ("long", 0.1, "auto")):
        places = {
            "x_position": variable(("y", "x"), x, "um", "x"),
            "y_position": variable(("y", "x"), y_scale * y, "um", "y"),
        }
        measurement, *_ = mapped(("y", "x"), (2, 3), places)
        files = [tmp_path / name / file for file in ("parameters.csv", "budget.csv", "curves.nc")]
        save_results(*files, [analyse([measurement], settings)], "raman")
        ax = new_figure(SINGLE, 60).add_subplot()
        figures.maps(ax, load_panel(tmp_path / name))
        ax.figure.draw_without_rendering()
        assert [inset.get_aspect() for inset in ax.child_axes] == 3 * [aspect]


def test_a_trial_fits_a_few_places_of_a_map():
    times = {"time": variable("time", 1.0 * np.arange(30), "s", "time")}
    measurement, *_ = mapped(("time",), (30,), times)
    with trying():
        result = analyse([measurement], RamanSettings(modes={"M": 303.0}, instrument_fwhm=0.5, baseline_degree=2))
    assert {row.at for row in result.numbers if row.at_unit == "s"} == set(range(20))


def test_only_the_window_decides_which_spectra_of_a_series_are_fitted():
    measurement, *_ = mapped(("time",), (6,), {"time": variable("time", 10.0 * np.arange(6), "s", "time")})
    intensity = measurement.only["intensity"].values
    window = (SHIFT[0] + 20, SHIFT[-1] - 20)
    inside = (window[0] <= SHIFT) & (window[1] >= SHIFT)
    intensity[2, inside] = 400.0
    intensity[3, ~inside] = np.nan
    settings = RamanSettings(modes={"M": 300.5}, instrument_fwhm=0.5, baseline_degree=2, window=window)
    result = analyse([measurement], settings)
    shifts = [row for row in result.numbers if row.parameter == "raman_shift" and row.at_unit == "s"]
    assert [row.at for row in shifts] == [0, 30, 40, 50]
    whole = [row.method for row in result.numbers if math.isnan(row.at)]
    assert all("mean of 6 spectra (time 6), 1 of which are constant" in method for method in whole)


def test_numbers_of_averaged_rows_say_so():
    measurement, *_ = mapped(("time",), (2,), {"time": variable("time", 10.0 * np.arange(2), "s", "time")})
    measurement = replace(measurement, attrs={**measurement.attrs, AVERAGED: 49})
    lab = {"modes": {"M": 300.5}, "instrument_fwhm": 0.5, "baseline_degree": 2}
    layers = {"instruments": {}, "lab": lab, "sample": {}}
    numbers = analysis.analyse(techniques()["raman"], [measurement], layers).numbers
    assert numbers and all("each sample is the mean of 49 rows of the file" in number.method for number in numbers)


def test_repeats_of_a_spectrum_are_no_series():
    rng = np.random.default_rng(3)
    expected = 400.0 + lorentzian(SHIFT, 3e4, 300.0, 5.0)
    counts = rng.poisson(expected, (6, SHIFT.size)).astype(float)
    counts[2, 300:302] += 5e3  # a cosmic ray
    region = xr.Dataset(
        {"intensity": (("spectrum", "raman_shift"), counts, {"units": "count"})}, {"raman_shift": SHIFT}
    )
    assert Series.of(region) is None


def test_spectra_without_places_that_differ_are_a_series_in_their_order():
    measurement, *_ = mapped(("spectrum",), (6,), {})
    assert Series.of(measurement.only).in_words == "6 spectra (spectrum 6)"
    result = analyse([measurement], RamanSettings(modes={"M": 300.5}, instrument_fwhm=0.5, baseline_degree=2))
    shifts = [row for row in result.numbers if row.parameter == "raman_shift" and not math.isnan(row.at)]
    assert [row.at for row in shifts] == [1, 3, 4, 5, 6]
    assert result.curves["m/map"]["spectrum"].attrs["long_name"] == "number of the spectrum"
    many = xr.concat([measurement.only.isel(spectrum=0)] * 21, "spectrum")
    assert Series.of(many) is not None
