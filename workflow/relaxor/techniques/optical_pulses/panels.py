"""The experiment behind the encoder of images: codes of four pulses of light, and the current after each code."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import AutoMinorLocator, FixedLocator, MaxNLocator

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, GREY, ORANGE, VERMILION, data_points

SHOWN = ("0001", "0110", "1010", "1111")
"""Codes whose traces are drawn."""
STRIP, GAP, CURRENTS = 0.49, 0.012, 0.43
"""Widths of all traces together, of the gap between two traces, and of the currents, in widths of the panel."""
LIGHT = 0.12
"""Height of the pulses of light at the foot of a trace, in heights of the panel."""


def experiment(ax: Axes, data: PanelData) -> None:
    """Draw traces of some codes with their light, and beside them the currents of all sixteen codes."""
    _, group = data.only("traces")
    ax.set_axis_off()
    _traces(ax, group["traces"].to_dataset())
    currents(ax.inset_axes((1 - CURRENTS, 0.0, CURRENTS, 1.0)), data)


def currents(ax: Axes, data: PanelData) -> None:
    """Draw the read-out current of all codes, with the spread of the repeats and the current by the fitted response."""
    _, group = data.only("codes")
    table = group["codes"].to_dataset()
    places = table["code"].to_numpy()
    ax.plot(places, 1e12 * table["predicted"], "_", color=VERMILION, ms=6, mew=1.2, label="fitted response")
    data_points(ax, places, 1e12 * table["current"], 1e12 * table["spread"], ms=2, label="current read")
    ax.set_xticks(places, [f"{place:04b}" for place in places], rotation=90, fontsize=4.5)
    ax.set_xlabel("Code of four pulses", fontsize=6, labelpad=1)
    ax.set_ylabel("Current behind the code (pA)", fontsize=6, labelpad=1)
    ax.tick_params(axis="y", labelsize=5.5)
    ax.set_ylim(top=1.25 * 1e12 * float(np.max(table["current"] + table["spread"])))
    ax.legend(loc="upper left", fontsize=5)


def _traces(ax: Axes, traces: xr.Dataset) -> None:
    """Draw the mean trace of each of `SHOWN`: the current, the pulses of light below it, the window of the read-out."""
    time, width = traces["time"], (STRIP + GAP) / len(SHOWN)
    top = 1.08e12 * float(traces["current"].max())
    for place, code in enumerate(SHOWN):
        one = traces.sel(code=int(code, 2))
        part = ax.inset_axes((place * width, 0.0, width - GAP, 1.0))
        part.axvspan(traces.attrs["read_from"], traces.attrs["read_to"], color=GREY, alpha=0.4, lw=0, label="read")
        light, foot = LIGHT * one["power"] / traces["power"].max(), part.get_xaxis_transform()
        part.fill_between(time, light, transform=foot, step="post", color=ORANGE, lw=0, label="light")
        part.plot(time, 1e12 * one["current"], color=BLACK, lw=0.7)
        part.set(xlim=(0, float(time[-1])), ylim=(-1.3 * LIGHT * top / (1 - LIGHT), top))
        part.set_title(code, fontsize=6, pad=2)
        part.tick_params(labelsize=5.5, labelleft=not place)
        part.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 10]))
        part.xaxis.set_minor_locator(AutoMinorLocator(5))
        part.yaxis.set_major_locator(FixedLocator(MaxNLocator(5).tick_values(0, 0.9 * top)))
        part.set_xlabel("Time (s)", fontsize=6, labelpad=1)
        if not place:
            part.set_ylabel("Current (pA)", fontsize=6, labelpad=1)
            part.legend(loc="upper left", fontsize=5, handlelength=0.7, handletextpad=0.4, borderaxespad=0.3)
