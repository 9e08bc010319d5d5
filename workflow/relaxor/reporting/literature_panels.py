"""Comparison with other devices: energy per spike."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from relaxor.core.units import convertible, factor
from relaxor.figures.panel import TableData
from relaxor.figures.style import BLACK, BLUE, GREY, VERMILION, subscripts
from relaxor.reporting.literature import REPORTED

UNIT = "pJ"
"""Unit of the axis; the panel shows every quantity that is an energy."""
ARROW = 2.5
"""Length of the arrow of a limit, as a ratio of energies."""
LINE = 98
"""Number of characters per line of the list of devices without a value."""
MARK = "\n"
"""An empty line below the list of devices, for the mark of simulated data."""


def benchmark(ax: Axes, data: TableData) -> None:
    """Draw the energy per spike of every device on a logarithmic scale.

    Ranges are drawn as bars, limits as arrows, and our numbers as diamonds with their whole error and a band behind
    them. The diamonds are open if the data are simulated. Devices without a value are listed below the panel over the
    width of the figure, so that it must be the only panel.
    """
    energies = data.table[data.table["unit"].map(lambda unit: convertible(unit or "1", UNIT))]
    numbers = energies[["value", "value_high", "standard_error", "systematic_error"]].apply(pd.to_numeric)
    scale = [
        factor(unit, UNIT) if value else np.nan for unit, value in zip(energies["unit"], energies["value"], strict=True)
    ]
    energies = energies.assign(**numbers.mul(scale, axis=0))
    found = energies[energies["value"] > 0].sort_values("value", ascending=False, kind="stable", ignore_index=True)
    for height, row in found.iterrows():
        _draw(ax, float(height), row)
    ax.set_xscale("log")
    ax.set(ylim=(-0.6, len(found) - 0.4), xlabel=f"Energy per spike ({UNIT})")
    low, high = found["value"].min(), found[["value", "value_high"]].max(axis=None)
    ax.set_xlim(10 ** np.floor(np.log10(low) - 0.5), 10 ** np.ceil(np.log10(high) + 0.4))
    ax.xaxis.set_major_locator(mpl.ticker.LogLocator(numticks=12))
    ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    ax.grid(axis="x", color=GREY, lw=0.3, alpha=0.5)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.set_yticks(range(len(found)), [_label(row) for _, row in found.iterrows()], fontsize=5.5)
    for tick, (_, row) in zip(ax.get_yticklabels(), found.iterrows(), strict=True):
        if row["origin"] != REPORTED:
            tick.set_fontweight("bold")
    _list_blanks(ax, energies[energies["value"].isna()])


def _draw(ax: Axes, height: float, row: pd.Series) -> None:
    ours = row["origin"] != REPORTED
    color = VERMILION if ours else BLUE
    if ours:
        ax.axhspan(height - 0.5, height + 0.5, color=VERMILION, alpha=0.12, lw=0, zorder=0)
    if row["value_high"] > 0:
        ax.barh(height, row["value_high"] - row["value"], 0.36, row["value"], color=color, lw=0)
        return
    fill = "white" if row["origin"] == "simulated" else color
    error = float(np.hypot(*row[["standard_error", "systematic_error"]].fillna(0.0))) or None
    ax.errorbar(
        row["value"],
        height,
        xerr=error,
        fmt="D" if ours else "o",
        ms=4.5 if ours else 3.5,
        mfc=fill,
        mec=color,
        mew=0.9,
        ecolor=BLACK,
        elinewidth=0.7,
        capsize=1.5,
    )
    if row["limit"]:
        end = row["value"] * ARROW if row["limit"] == "at least" else row["value"] / ARROW
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 0.9, "shrinkA": 2, "shrinkB": 0, "mutation_scale": 6}
        ax.annotate("", (end, height), (row["value"], height), arrowprops=arrow)


def _label(row: pd.Series) -> str:
    """Return the device, the quantity to which the energy belongs, and the mark of simulated data."""
    kind = row["quantity"].partition("(")[2].rpartition(")")[0]
    per = "training" if "per training" in row["quantity"] else ""
    details = [per, kind, "simulated" if row["origin"] == "simulated" else ""]
    second = ", ".join(filter(None, details))
    return subscripts(row["device"]) + (f"\n{second}" if second else "")


def _list_blanks(ax: Axes, blank: pd.DataFrame) -> None:
    """Name the devices without a value below the axis."""
    if blank.empty:
        return
    names = [
        row["device"] if row["origin"] == REPORTED else f"{row['device']}: {row['quantity']} (no result)"
        for _, row in blank.iterrows()
    ]
    text = subscripts(textwrap.fill("No value found: " + "; ".join(names) + ".", LINE)) + MARK
    # The list starts at the left edge of the figure, because the labels of the devices leave room there.
    ax.annotate(
        text, (0.01, 0), (0, -24), xycoords=("figure fraction", "axes fraction"), textcoords="offset points", va="top",
        fontsize=4.5,
    )  # fmt: skip
