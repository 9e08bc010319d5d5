"""Texts of files in figures are drawn as they are."""

import xarray as xr
from matplotlib.figure import Figure
from relaxor.figures.generic import draw_regions


def test_a_dollar_in_the_name_of_a_column_is_a_dollar(tmp_path):
    table = xr.Dataset(
        {
            "a": ("row", [1.0, 2.0, 3.0], {"long_name": "Voltage $_$", "units": "V"}),
            "b": ("row", [1.0, 2.0, 3.0], {"long_name": "pay $5 or $6", "units": "A"}),
        }
    )
    figure = Figure()
    ax = figure.subplots()
    draw_regions(ax, {"$table$": table})
    figure.savefig(tmp_path / "a.svg")
    shown = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "Voltage $_$ (V)" in shown and "pay $5 or $6 (A)" in shown
