"""Panels of endurance and retention."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILION, data_points, marker_of
from relaxor.techniques.endurance.columns import WINDOW
from relaxor.techniques.endurance.quantities import ENDURED_CYCLES, EXPONENTIAL, POWER_LAW, STRETCHED

LABELS = {
    "ohm": ("Resistance", "Ω"),
    "S": ("Conductance", "S"),
    "A": ("Current", "A"),
    "C": ("Charge", "C"),
    "C/m^2": ("Polarization", "C m$^{-2}$"),
    "1": ("On/off ratio", ""),
}
PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
COLORS = (VERMILION, BLUE, GREEN, PURPLE, BLACK)
"""Colours of the states in the order of the file."""
STYLES = {POWER_LAW: "-", EXPONENTIAL: ":", STRETCHED: "--"}
"""Line of each law."""
YEAR = 365.25 * 86400.0


def overview(name: str, group: xr.DataTree) -> list[tuple[str, Callable[[Axes, PanelData], None]]]:
    """Return the title and the panel of a measurement."""
    return [(name, memory)] if group.children else []


def memory(ax: Axes, data: PanelData) -> None:
    """Draw the states against the cycle or the time on logarithmic axes, with the end or the laws.

    The ratio of both states is drawn where the states themselves are not in the file.
    """
    _, group = first_measurement(ax, data)
    found = [node.to_dataset() for node in group.children.values() if "series" in node.attrs]
    states = [part for part in found if not part.attrs["series"].endswith(WINDOW)] or found
    quantity, unit = LABELS[states[0]["value"].attrs["units"]]
    largest = max(float(part["value"].max()) for part in states)
    power = int(np.clip(3 * (np.log10(largest) // 3), min(PREFIXES), max(PREFIXES))) if unit else 0
    states = [part.map(lambda values: values * 10.0**-power, keep_attrs=True) for part in states]
    axis = "cycle" if "cycle" in states[0].coords else "time"
    for number, part in enumerate(states):
        mark, color = marker_of(number), COLORS[number % len(COLORS)]
        name = part.attrs["series"].replace("_", " ")
        data_points(ax, part[axis], part["value"], fmt=mark, color=color, ms=2.2, mew=0.5, label=name)
    values = np.concatenate([part["value"].to_numpy() for part in states])
    low, high = values.min(), values.max()
    if axis == "time":
        low = min(low, _laws(ax, states, low / 1e3))
    else:
        _ends(ax, states, data)
    _limit(ax, low, high, logarithmic=bool(high > 5 * low))
    ax.set_ylabel(f"{quantity} ({PREFIXES[power]}{unit})" if unit else quantity)
    ax.legend(loc="upper left", ncols=2, handletextpad=0.2, columnspacing=0.8)


def _laws(ax: Axes, states: list[xr.Dataset], floor: float) -> float:
    """Draw the laws of the loss and the range of all of them; return the lowest value of the best ones."""
    ax.set_xscale("log")
    ax.set_xlabel("Time (s)")
    extrapolated = [(part, COLORS[number % len(COLORS)]) for number, part in enumerate(states) if "low" in part]
    for part, color in extrapolated:
        ax.fill_between(part["later"], np.maximum(part["low"], floor), part["high"], color=color, alpha=0.12, lw=0)
        for law, style in STYLES.items():
            if law in part:
                ax.plot(part["later"], part[law], color=color, ls=style, lw=0.7)
    if not extrapolated:
        return np.inf
    end = max(float(part["later"].max()) for part, _ in extrapolated)
    ax.axvline(end, color=GREY, lw=0.6, ls="--", zorder=0)
    text = f"power –, exponential ···, free - -, all shaded; {end / YEAR:.3g} years"
    ax.set_title(text, loc="right", fontsize=5, pad=2)
    return max(floor, min(float(part[part.attrs["best"]][-1]) for part, _ in extrapolated))


def _ends(ax: Axes, states: list[xr.Dataset], data: PanelData) -> None:
    """Make the axis of the cycles, with lines at their ends."""
    if min(float(part["cycle"].min()) for part in states) > 0:
        ax.set_xscale("log")
    else:
        ax.set_xscale("symlog", linthresh=1.0)
    ax.set_xlabel("Cycle")
    ends = data.parameters[data.parameters["parameter"] == ENDURED_CYCLES.name]
    for end in ends.loc[ends["status"] == "ok", "value"]:
        ax.axvline(end, color=GREY, lw=0.8, ls="--", zorder=0)


def _limit(ax: Axes, low: float, high: float, *, logarithmic: bool) -> None:
    """Set the limits of the values, with room for the legend."""
    if logarithmic:
        ax.set_yscale("log")
        ax.set_ylim(low / 1.5, 1.2 * high * (high / low) ** 0.3)
    else:
        room = (high - low) or 0.1 * high
        ax.set_ylim(low - 0.1 * room, high + 0.4 * room)
