"""Panels of the voltage sweeps."""

from collections.abc import Callable
from itertools import product
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import (
    BLACK,
    BLUE,
    GREY,
    LIGHTEST,
    SEQUENTIAL,
    VERMILION,
    current_unit,
    data_points,
    label,
    zero_lines,
)

VOLTAGE_LABEL = "Voltage (V)"
PEAKS: dict[str, dict[str, Any]] = {
    "positive": {"color": VERMILION, "fmt": "o", "mfc": "white", "ms": 3.2, "label": "$+V$"},
    "negative": {"color": BLUE, "fmt": "s", "mfc": BLUE, "ms": 1.3, "label": "$-V$"},
}
"""Look of the peaks of each polarity: small squares in large rings, because both are alike in a symmetric device."""
LAWS = {"positive": "-", "negative": (0, (2, 2))}
"""Style of the line of the law of growth for each polarity."""
KINDS = {"set": (VERMILION, "^", "V_\\mathrm{set}"), "reset": (BLUE, "v", "V_\\mathrm{reset}")}
"""Colour, mark and symbol of the voltages at which a device is set and reset."""
STATES = {"on": (VERMILION, "-", "on"), "off": (BLUE, "--", "off")}
"""Colour, line and name of both states."""
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
OHMS = {0: "Ω", 3: "kΩ", 6: "MΩ", 9: "GΩ", 12: "TΩ"}
"""Unit of a resistance by its power of ten."""
INSET = (0.17, 0.60, 0.36, 0.37)
"""Left and lower end, width and height of the inset, in the corner that a sweep of both polarities leaves free."""


def cycles(ax: Axes, data: PanelData) -> None:
    """Draw repeated sweeps, later ones lighter, and in an inset the peak currents against the number of the cycle."""
    _, group = first_measurement(ax, data)
    found = _cycles(group)
    scale, unit = _unit(found)
    shade = Normalize(1, max(len(found), 2))
    for number, cycle in enumerate(found, start=1):
        color = mpl.colormaps[SEQUENTIAL](LIGHTEST * shade(number))
        ax.plot(cycle["voltage"], cycle["current"] * scale, color=color, lw=0.6)
    zero_lines(ax)
    ax.set_xlabel(VOLTAGE_LABEL)
    ax.set_ylabel(f"Current ({unit})")
    summary = group["summary"].to_dataset()
    seen = [polarity for polarity in PEAKS if np.isfinite(summary[f"peak_{polarity}"]).sum() > 1]
    if seen:
        _make_room(ax, found, scale)
        _peaks(ax.inset_axes(INSET), summary, seen, scale, unit)
    if len(found) > 1:
        ax.set_title(f"cycles 1 (dark) to {len(found)} (light)", loc="right", fontsize=5, pad=2)


def _make_room(ax: Axes, found: list[xr.Dataset], scale: float) -> None:
    """Raise the upper end of the axis of the current until no sweep is below the inset."""
    left, right = ax.get_xlim()
    edge = left + (INSET[0] + INSET[2] + 0.02) * (right - left)
    under = [(cycle["current"] * scale).where(cycle["voltage"] < edge).max() for cycle in found]
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, max(top, bottom + (float(np.nanmax(under)) - bottom) / (INSET[1] - 0.14)))


def _peaks(ax: Axes, summary: xr.Dataset, seen: list[str], scale: float, unit: str) -> None:
    for polarity in seen:
        look = PEAKS[polarity]
        if f"growth_{polarity}" in summary:
            law = np.abs(summary[f"growth_{polarity}"]) * scale
            ax.plot(summary["cycle"], law, color=look["color"], ls=LAWS[polarity], lw=0.6, zorder=1.9)
        peak = np.abs(summary[f"peak_{polarity}"]) * scale
        error = summary[f"peak_{polarity}_uncertainty"] * scale
        data_points(ax, summary["cycle"], peak, error, **look, mew=0.5, capsize=0.8)
    ax.legend(fontsize=5, loc="best", handletextpad=0.1, borderaxespad=0.1, labelspacing=0.15)
    ax.tick_params(labelsize=5, length=1.5, pad=1)
    ax.set_xlabel("Cycle", fontsize=5, labelpad=0.5)
    ax.set_ylabel(f"Peak |$I$| ({unit})", fontsize=5, labelpad=1)
    ax.locator_params(axis="y", nbins=4)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.margins(0.1)


def amplitudes(ax: Axes, data: PanelData) -> None:
    """Draw the magnitude of the current in the last cycle of sweeps of several amplitudes on a logarithmic axis."""
    last = sorted((_cycles(group)[-1] for group in data.curves.values()), key=_amplitude)
    scale, unit = _unit(last)
    colors = mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.8, len(last)))
    bottom = np.inf
    for order, (cycle, color) in enumerate(zip(last, colors, strict=True)):
        # Small sweeps are thin and dark and lie over the large ones, which are wide and light.
        label, current = f"±{_amplitude(cycle):.3g} V", np.abs(cycle["current"]) * scale
        ax.plot(cycle["voltage"], current, color=color, lw=0.5 + 0.6 * order, zorder=2 - order / 10, label=label)
        away = np.abs(cycle["voltage"]) > 0.03 * _amplitude(cycle)
        bottom = min(bottom, float(current[away & (current > 0)].min()))
    ax.set_yscale("log")
    ax.set_ylim(bottom=bottom / 2)
    ax.set_xlabel(VOLTAGE_LABEL)
    ax.set_ylabel(f"|Current| ({unit})")
    ax.legend(loc="lower left", handlelength=1.8)


def overview(name: str, group: xr.DataTree) -> list[tuple[str, Callable[[Axes, PanelData], None]]]:
    """Return titles and panels of a measurement: of a device that switches, its cycles and their distribution."""
    if "switching" not in group.children:
        return [(name, cycles)]
    shown: list[tuple[str, Callable[[Axes, PanelData], None]]] = [(name, switching)]
    return shown + ([(f"{name}: over the cycles", distribution)] if group["switching"].sizes["cycle"] > 1 else [])


def switching(ax: Axes, data: PanelData) -> None:
    """Draw all cycles of a device that switches on a logarithmic axis, their median, and where it is set and reset."""
    _, group = data.only("switching")
    found, numbers = _cycles(group), group["switching"].to_dataset()
    scale, unit = _unit(found)
    for cycle in found:
        ax.plot(cycle["voltage"], np.abs(cycle["current"]) * scale, color=GREY, lw=0.35, alpha=0.6)
    for name, node in group.children.items():
        if name.startswith("median") and len(found) > 1:
            median = node.to_dataset()
            ax.plot(median["voltage"], np.abs(median["current"]) * scale, color=BLACK, lw=1.1)
    ax.set_yscale("log")
    low, high = _shown_range(found, scale)
    ax.set_ylim(low, high * (high / low) ** 0.18)  # room for the marks
    for polarity, kind in product(PEAKS, KINDS):
        values = numbers[f"{kind}_{polarity}"].to_numpy()
        values = values[np.isfinite(values)]
        if values.size:
            color, mark, symbol = KINDS[kind]
            top = high * (high / low) ** 0.06
            ax.plot(values, np.full(values.size, top), mark, color=color, ms=2.5, mfc="white", mew=0.6, clip_on=False)
            middle = float(np.median(values))
            ax.axvline(middle, color=color, lw=0.7, ls="-" if kind == "set" else "--", zorder=1)
            label(ax, f"${symbol} = {middle:.3g}$ V", (middle, top), (0, 4), color=color, bbox=BOX)
    ax.set_xlabel(VOLTAGE_LABEL)
    ax.set_ylabel(f"|Current| ({unit})")
    medians = ", median (black)" * any(name.startswith("median") for name in group.children)
    text = f"{len(found)} cycles (grey){medians}" if len(found) > 1 else "1 cycle"
    ax.set_title(text, loc="right", fontsize=5, pad=2)


def _shown_range(found: list[xr.Dataset], scale: float) -> tuple[float, float]:
    """Return the range of currents without those close to the zero crossings, which have no lower end."""
    sizes = [
        np.abs(cycle["current"].to_numpy()[np.abs(cycle["voltage"].to_numpy()) > 0.02 * _amplitude(cycle)])
        for cycle in found
    ]
    values = np.concatenate(sizes)
    values = values[values > 0] * scale
    return float(np.quantile(values, 0.005)) / 1.5, float(values.max())


def distribution(ax: Axes, data: PanelData) -> None:
    """Draw which part of the cycles has a resistance up to a value, of both states at each polarity."""
    _, group = data.only("switching")
    numbers = group["switching"].to_dataset()
    of_states = [values.to_numpy() for name, values in numbers.items() if str(name).startswith(("on", "off"))]
    largest = float(np.nanmax(np.concatenate(of_states)))
    power = int(np.clip(3 * (np.floor(np.log10(largest)) // 3), 0, max(OHMS)))
    for state, (color, line, name) in STATES.items():
        for polarity, look in PEAKS.items():
            values = numbers[f"{state}_{polarity}"].to_numpy()
            values = np.sort(values[np.isfinite(values)]) / 10.0**power
            if values.size:
                part = 100 * (np.arange(1, values.size + 1) - 0.5) / values.size
                mark, sign = look["fmt"], look["label"]
                ax.plot(values, part, mark, ls=line, color=color, ms=2.5, mfc="white", mew=0.6, lw=0.7,
                        label=f"{name}, {sign}")  # fmt: skip
    ax.set(xscale="log", ylim=(0, 100), xlabel=f"Resistance ({OHMS[power]})", ylabel="Cycles up to it (%)")
    ax.legend(loc="best", fontsize=5)


def _cycles(group: xr.DataTree) -> list[xr.Dataset]:
    return [node.to_dataset() for node in group.children.values() if "region" in node.attrs]


def _amplitude(cycle: xr.Dataset) -> float:
    return float(np.abs(cycle["voltage"]).max())


def _unit(cycles: list[xr.Dataset]) -> tuple[float, str]:
    return current_unit(max(float(np.abs(cycle["current"]).max()) for cycle in cycles))
