"""Comparison of one technique between two or more samples, with their spectra and their numbers side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from relaxor.core import netcdf
from relaxor.core.results import NORMAL_QUANTILE, origin_of
from relaxor.core.storage import load_parameters
from relaxor.core.units import registry
from relaxor.figures import style
from relaxor.figures.panel import WRONG
from relaxor.figures.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILION
from relaxor.project.lists import Selector
from relaxor.reporting.selectors import select
from relaxor.techniques.registry import ComparedSpectrum, techniques

Looks = Mapping[str, tuple[str, str]]
"""The colour and the marker of each sample."""
LOOKS = ((BLACK, "o"), (VERMILION, "s"), (BLUE, "^"), (GREEN, "D"), (PURPLE, "v"))
"""Colours and markers in the order of the samples; further samples use them again."""
NAMES = ("model", "parameter", "feature", "at")
"""Columns that identify a number of a technique."""
NOWHERE = "nowhere"
"""Replaces ``at`` where nothing was varied, because no number is equal to NaN."""
COLUMNS, ROW_MM, SPECTRA_MM = 4, 34.0, 60.0
MOST_NUMBERS = 20
"""Largest number of quantities that are drawn; the figure reports any others."""
DECADES = 100.0
"""Ratio of positive values above which they are drawn on a logarithmic axis."""


def draw_comparison(
    parameters: Sequence[str],
    curves: Sequence[str],
    figure: Sequence[str],
    *,
    numbers: Sequence[Mapping[str, Any]],
    pdf_fonts: int = 3,
) -> None:
    """Draw one technique of several samples.

    Parameters
    ----------
    parameters, curves
        ``…/<sample>/<technique>/parameters.csv`` and ``curves.nc`` of every sample.
    figure
        Files to write, one per format.
    numbers
        Entries of the section ``comparison`` of the settings (`relaxor.project.lists.Selector`).
    pdf_fonts
        Type of the fonts in PDF files, 3 or 42.
    """
    style.use_style(pdf_fonts)
    technique = Path(parameters[0]).parent.name
    tables = {Path(path).parents[1].name: load_parameters(path) for path in parameters}
    looks = {sample: LOOKS[number % len(LOOKS)] for number, sample in enumerate(tables)}
    quantities = common_quantities(tables, numbers)
    shown = quantities[:MOST_NUMBERS]
    rows = -(-len(shown) // COLUMNS)
    compared = techniques()[technique].compared
    heights = [SPECTRA_MM] * (compared is not None) + [ROW_MM * rows] * bool(shown) or [ROW_MM]
    whole = style.new_figure(style.DOUBLE, sum(heights))
    places = whole.add_gridspec(len(heights), 1, height_ratios=heights)
    if compared:
        _spectra(whole.add_subplot(places[0, 0]), dict(zip(tables, curves, strict=True)), looks, compared)
    if shown:
        _numbers(whole, places[-1, 0].subgridspec(rows, COLUMNS), tables, shown, looks)
    if not shown:
        whole.suptitle("the samples share no number of the section 'comparison' of the settings", fontsize=6)
    elif len(shown) < len(quantities):
        whole.suptitle(f"the first {len(shown)} of {len(quantities)} numbers that the samples share", fontsize=6)
    style.mark_origin(whole, origin_of(pd.concat(tables.values())["origin"]))
    style.save(whole, figure, f"Samples compared: {technique}", f"relaxor; samples: {', '.join(tables)}")


def common_quantities(
    tables: Mapping[str, pd.DataFrame], numbers: Sequence[Mapping[str, Any]]
) -> list[dict[str, str | float]]:
    """List the numbers that two or more samples have with errors, as values of `NAMES` in the order of ``numbers``."""
    found: dict[tuple[str | float, ...], set[str]] = {}
    for number in map(Selector.model_validate, numbers):
        for sample, table in tables.items():
            measured = select(table[table["standard_error"] > 0], number, "comparison")
            for key in _named(measured).itertuples(index=False, name=None):
                found.setdefault(key, set()).add(sample)
    return [dict(zip(NAMES, key, strict=True)) for key, samples in found.items() if len(samples) > 1]


def _spectra(ax: Axes, curves: Mapping[str, str], looks: Looks, shown: ComparedSpectrum) -> None:
    """Draw the first spectrum of each sample, scaled to its maximum, one above the other."""
    for number, (sample, path) in enumerate(curves.items()):
        found = (group for group in netcdf.trees(path).values() if shown.curves in group.children)
        group = next(found, None)
        if group is None:  # a sample of maps alone
            continue
        spectrum = group[shown.curves].to_dataset()[shown.variable]
        low, high = float(spectrum.min()), float(spectrum.max())
        # The square root makes weak lines visible next to strong ones.
        scaled = np.sqrt((spectrum - low) / (high - low or 1.0)) + 1.1 * number
        color = looks[sample][0]
        ax.plot(spectrum[shown.axis], scaled, color=color, lw=0.6)
        ax.annotate(
            sample,
            (1, float(scaled[-1])),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=6,
            color=color,
        )
    ax.margins(x=0)
    ax.set(xlabel=shown.label, ylabel="√(intensity over maximum), shifted", yticks=[])


def _numbers(
    whole: Figure,
    grid: GridSpecFromSubplotSpec,
    tables: Mapping[str, pd.DataFrame],
    shown: Sequence[Mapping[str, str | float]],
    looks: Looks,
) -> None:
    for number, names in enumerate(shown):
        ax = whole.add_subplot(grid[number // COLUMNS, number % COLUMNS])
        rows = {sample: _rows(table, names) for sample, table in tables.items()}
        rows = {sample: found for sample, found in rows.items() if len(found)}
        _quantity(ax, rows, looks)
        first = next(iter(rows.values())).iloc[0]
        at = "" if names["at"] == NOWHERE else f"at {first['at']:g}{_unit(first['at_unit'])}"
        what = " ".join(filter(None, (str(names["feature"]), str(names["parameter"]).replace("_", " "), at)))
        ax.set_title(f"{what}{_unit(first['unit'])}\n{str(names['model']).replace('_', ' ')}", fontsize=5.5)


def _rows(table: pd.DataFrame, names: Mapping[str, str | float]) -> pd.DataFrame:
    return table[(_named(table) == pd.Series(names)).all(axis=1)]


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns `NAMES`, with `NOWHERE` where nothing was varied."""
    return table[list(NAMES)].assign(at=table["at"].astype(object).where(table["at"].notna(), NOWHERE))


def _quantity(ax: Axes, rows: Mapping[str, pd.DataFrame], looks: Looks) -> None:
    """Draw a number of every sample with its statistical 95 % interval, and a thin one that includes systematics."""
    for place, (sample, found) in enumerate(rows.items()):
        color, marker = looks[sample]
        # Measurements of one sample are drawn side by side.
        x = place + (np.arange(len(found)) - (len(found) - 1) / 2) * 0.5 / len(found)
        value = found["value"].to_numpy()
        statistical = np.nan_to_num(found["standard_error"].to_numpy())
        whole = np.hypot(statistical, found["systematic_error"].to_numpy())
        ax.errorbar(x, value, NORMAL_QUANTILE * whole, fmt="none", ecolor=GREY, elinewidth=0.5, capsize=2, capthick=0.5)
        ax.errorbar(x, value, NORMAL_QUANTILE * statistical, fmt="none", ecolor=color, elinewidth=1.2)
        fills = ["white" if status in WRONG else color for status in found["status"]]
        for place_of, height, fill in zip(x, value, fills, strict=True):  # an open symbol: the number is not right
            ax.plot(place_of, height, marker, color=color, mfc=fill, ms=2.5)
    ax.set_xticks(range(len(rows)), rows, fontsize=5)
    ax.set_xlim(-0.6, len(rows) - 0.4)
    values = np.concatenate([found["value"].to_numpy() for found in rows.values()])
    if values.min() > 0 and values.max() > DECADES * values.min():
        ax.set_yscale("log")
    else:
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    ax.tick_params(axis="y", labelsize=5)
    ax.yaxis.get_offset_text().set_fontsize(5)
    ax.margins(y=0.15)


def _unit(unit: str) -> str:
    return "" if unit in ("1", "atomic_percent") else f" ({registry().Unit(unit):~P})"
