"""What the explorer stores of results: arrays, thinned curves and images, panels, units, and links to numbers."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.results import Number
from relaxor.core.storage import NAMES, save_budget, save_parameters
from relaxor.reporting.explorer.encoding import array, script, unit_text
from relaxor.reporting.explorer.numbers import MOST_ROWS, numbers_of
from relaxor.reporting.explorer.page import Index
from relaxor.reporting.explorer.pictures import pictures
from relaxor.reporting.explorer.thinning import BINS, MOST_VALUES, thinned

HOSTILE = "<img src=x onerror=hurt()></script>"


def test_an_image_with_infinite_values_is_written():
    image = np.linspace(0, 1, 40_000).reshape(200, 200)
    image[0, 0], image[5, 5] = np.inf, -np.inf
    found = array(image)
    assert (found["low"], found["step"]) == (image[0, 1], pytest.approx((1 - image[0, 1]) / 32_000, rel=1e-2))
    script("key", found)


def test_a_row_leads_to_its_own_number_or_else_to_its_measurement():
    names = {("a", "m", "p", "f", "0.03333333333", "V"): "one", ("a", "m", "p", "", "", ""): "two"}
    index = Index("lab", {}, [{"sample": "lab", "name": "a", "key": "k"}], [names])
    full = dict(zip(NAMES, ("a", "m", "p", "f", "0.0333333", "V"), strict=True))
    rows = [full, full | {"feature": "", "at": "", "at_unit": ""}, full | {"feature": "g"}, full | {"measurement": "b"}]
    assert index.links(pd.DataFrame(rows)) == [("k", "one"), ("k", "two"), None, None]
    assert index.links(pd.DataFrame(rows)[["measurement", "parameter"]])[0] == ("k", "")


@pytest.mark.parametrize("places", [MOST_ROWS - 2, MOST_ROWS - 1])
def test_a_page_lists_all_numbers_or_says_how_many_are_left_out(places, tmp_path):
    whole = [Number("map", "voigt", name, 300.0, 0.1, unit="1/cm") for name in ("raman_shift", "fwhm")]
    single = [
        Number("map", "voigt", "raman_shift", 300.0, 0.1, unit="1/cm", at=i + 1.0, at_unit="1") for i in range(places)
    ]
    save_parameters(tmp_path / "parameters.csv", [*single, *whole], "raman")
    save_budget(tmp_path / "budget.csv", [*single, *whole])
    found = numbers_of(tmp_path / "parameters.csv", tmp_path / "budget.csv")["map"]
    listed = [row["id"] for row in found["rows"]]
    if places + 2 > MOST_ROWS:
        assert (listed, found["left_out"]) == (["voigt.raman_shift", "voigt.fwhm"], places)
    else:
        assert (len(listed), found["left_out"]) == (places + 2, 0)


def test_no_text_ends_its_script():
    assert re.fullmatch(r"\w+\('key','[A-Za-z0-9+/=]+'\);\n", script("key", {"name": HOSTILE, "__proto__": [1.5]}))


def test_long_curves_keep_their_extremes_and_say_that_they_are_thinned():
    values = np.sin(np.arange(50_000) / 900)
    values[12_345] = 9.0
    curve = xr.Dataset({"current": ("time", values)}, {"time": np.arange(50_000.0)})
    kept, (remark,) = thinned(curve)
    assert kept.sizes["time"] <= 2 * BINS + 2
    assert float(kept["current"].max()) == 9.0
    assert float(kept["current"].idxmax()) == 12_345
    assert "of 50000 points" in remark
    same, none = thinned(curve.isel(time=slice(0, 1500)))
    assert same.sizes["time"] == 1500
    assert not none


def test_large_images_are_averaged_and_say_so():
    image = xr.Dataset({"height": (("y", "x"), np.arange(4.0 * MOST_VALUES).reshape(-1, 1024), {"units": "nm"})})
    smaller, remarks = thinned(image)
    assert smaller["height"].size <= MOST_VALUES
    assert float(smaller["height"].mean()) == pytest.approx(float(image["height"].mean()), rel=1e-4)
    assert smaller["height"].attrs["units"] == "nm"
    assert remarks


@pytest.mark.parametrize(
    "values", [np.linspace(20, 90, 4501), np.linspace(0, 1e5, 10**6), np.array([1e-45, 2e300]), np.array([3, 70_000])]
)
def test_numbers_keep_what_a_figure_shows(values):
    stored = array(values)
    back = np.frombuffer(base64.b64decode(stored["bytes"]), f"<{stored['kind']}")
    step = np.ptp(values) / (len(values) - 1)
    np.testing.assert_allclose(back, values, rtol=0, atol=1e-3 * step)


def test_laws_join_their_data_and_alike_runs_share_a_panel():
    axis = {"interval": ("interval", np.linspace(0.1, 2, 20), {"units": "s"})}
    pairs = xr.Dataset({"index": ("interval", np.ones(20), {"units": "percent"})}, axis)
    laws = xr.Dataset({"single": ("interval", np.ones(20), {"units": "percent"})}, axis)
    time = {"time": ("time", np.arange(9.0), {"units": "s"})}
    runs = {f"trace_{n}": xr.Dataset({"current": ("time", np.ones(9), {"units": "A"})}, time) for n in (1, 2)}
    panels = pictures({"pairs": pairs, "laws": laws, **runs}, {})["panels"]
    assert [panel["parts"] for panel in panels] == [
        ["analysis/pairs", "analysis/laws"],
        ["analysis/trace_1", "analysis/trace_2"],
    ]


@pytest.mark.parametrize(
    ("unit", "text"), [("uC/cm^2", "µC/cm²"), ("1/cm", "cm⁻¹"), ("1", ""), ("percent", "%"), ("no unit!", "no unit!")]
)
def test_units_are_written_as_people_write_them(unit, text):
    assert unit_text(unit) == text
