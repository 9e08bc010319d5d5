"""Figure of the published numbers: the difference of each from ours, with both errors."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from relaxor.core.results import NORMAL_QUANTILE
from relaxor.figures.style import BLACK, BLUE, DOUBLE, GREY, VERMILION, new_figure, save, use_style
from relaxor.reporting.validation import FLAGGED, NOT_FETCHED, OUTSIDE, load_validation, score

COLUMNS, ROW_MM, REST_MM = 2, 3.1, 18.0
LINE = 130
"""Number of characters per line of the title."""
REACH = 6.0
"""Largest difference that is drawn, in combined standard uncertainties; farther ones are arrows with their value."""
COLOURS = {OUTSIDE: VERMILION, FLAGGED: BLACK}
"""Colours of verdicts; others are blue."""


def draw_validation(comparison: str, figure: Sequence[str]) -> None:
    """Draw ``validation.csv`` as a forest plot, grouped by technique.

    Parameters
    ----------
    comparison
        ``validation.csv``.
    figure
        Files to write, one per format.
    """
    use_style()
    table = load_validation(comparison)
    missing = table["verdict"] == NOT_FETCHED
    shown = table[table["z"].notna()]
    lines = _lines(shown)
    height = max(math.ceil(len(lines) / COLUMNS), 1)
    whole = new_figure(DOUBLE, ROW_MM * height + REST_MM)
    for column in range(COLUMNS):
        ax = whole.add_subplot(1, COLUMNS, column + 1)
        _draw(ax, lines[column * height : (column + 1) * height], height)
    if unseen := len(table) - len(shown) - int(missing.sum()):
        whole.text(0.99, 0.0, f"{unseen} without a number of ours", ha="right", va="bottom", fontsize=5)
    whole.suptitle(textwrap.fill(score(table), LINE), fontsize=6)
    save(whole, figure, "Published numbers and ours", f"relaxor; sets: {', '.join(dict.fromkeys(table['set']))}")


def _lines(table: pd.DataFrame) -> list[pd.Series | str]:
    """Return the lines of the figure: the name of each technique, and below it its numbers."""
    found: list[pd.Series | str] = []
    for technique, own in table.groupby("technique", sort=False):
        found.append(str(technique).replace("_", " "))
        found += [row for _, row in own.iterrows()]
    return found


def _draw(ax: Axes, lines: Sequence[pd.Series | str], height: int) -> None:
    labels = []
    for place, line in enumerate(lines):
        if isinstance(line, str):
            labels.append(line)
            continue
        labels.append(line["quantity"])
        _number(ax, line, place)
    ax.axvspan(-NORMAL_QUANTILE, NORMAL_QUANTILE, color=GREY, alpha=0.15, lw=0)
    ax.axvline(0, color=GREY, lw=0.6)
    ax.set(xlim=(-REACH - 1, REACH + 1), ylim=(height - 0.4, -0.6))
    ax.set_xlabel("difference / combined standard uncertainty", fontsize=6)
    ax.set_yticks(range(len(labels)), labels, fontsize=4.5)
    ax.tick_params(axis="y", length=0)
    for tick, line in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if isinstance(line, str) else "normal")


def _number(ax: Axes, row: pd.Series, place: int) -> None:
    """Draw one number: the published interval around zero, ours around its difference."""
    errors = np.nan_to_num([row["published_error"], row["standard_error"], row["systematic_error"]])
    whole = float(np.hypot.reduce(errors))
    published, ours = NORMAL_QUANTILE * errors[0] / whole, NORMAL_QUANTILE * math.hypot(*errors[1:]) / whole
    colour = COLOURS.get(row["verdict"], BLUE)
    fill = "white" if row["verdict"] == FLAGGED else colour
    ax.errorbar(0, place - 0.18, xerr=published, fmt="none", ecolor=GREY, elinewidth=1.6)
    if abs(row["z"]) > REACH:
        side = math.copysign(1, row["z"])
        ax.plot(side * (REACH + 0.7), place, ">" if side > 0 else "<", color=colour, mfc=fill, ms=3)
        alignment = "right" if side > 0 else "left"
        ax.text(side * (REACH + 0.2), place, f"{row['z']:+.0f}", fontsize=4.5, ha=alignment, va="center", color=colour)
        return
    marker = "s" if row["other_method"] else "o"
    ax.errorbar(row["z"], place + 0.1, xerr=ours, fmt=marker, color=colour, mfc=fill, ms=2.4, elinewidth=0.8, mew=0.6)
