"""Panels of the polarization loops."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from relaxor.core.results import Status
from relaxor.figures import style
from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.loops import PEAKS

PICO = 1e12
"""Number of pA in one A."""
PULSES = {"X": style.GREY, "P": style.VERMILION, "U": style.PURPLE, "N": style.BLUE, "D": style.GREEN}
"""The colour of each pulse of a train."""
BRANCHES = {"field rising": style.BLUE, "falling": style.VERMILION}
"""The colour of each branch of a loop, by its name in the legend."""
VARIED = {"frequency_hz": "Hz", "amplitude_kv_cm": "kV cm$^{-1}$"}
"""Attributes in which the loops of a file may differ, with their units."""
FEW = 5
"""Number of loops up to which a legend names all of them; of more, it names the first and the last."""
SAME = 0.02
"""Relative range within which such an attribute counts as the same."""
FIELD_LABEL = "Electric field (kV cm$^{-1}$)"
NO_SWITCHING_PART = {
    q.LEAKAGE_REMOVED: "without leakage; no switching part, see the method of the numbers",
    q.UNCORRECTED: "whole current; no switching part, see the method of the numbers",
}
"""Title of a loop of another model than the corrected one."""
MARKS = dict(zip(PEAKS, ("$E_F$", "$E_A$", "$-E_F$", "$-E_A$"), strict=True))
"""The label of each switching field."""


def loop(ax: Axes, data: PanelData) -> None:
    """Draw the best loop and the uncorrected one above the current with its four peaks; a title names another model."""
    measurement, group = first_measurement(ax, data)
    curves = group["loop"].to_dataset()
    upper, lower = _polarization_and_current(ax)
    _branches(upper, curves)
    _uncorrected(upper, curves)
    upper.legend(loc="upper left", handlelength=1.2, borderaxespad=0.2)
    field, current = curves["field"].to_numpy(), curves["switching_current"].to_numpy() * PICO
    for part, color in zip(_parts(curves), BRANCHES.values(), strict=True):
        lower.plot(field[part], current[part], color=color, lw=0.6)
    numbers = data.parameters
    numbers = numbers[(numbers["measurement"] == measurement) & (numbers["model"] == q.CORRECTED)]
    for quantity, label in MARKS.items():
        rows, (rising, _) = numbers[numbers["parameter"] == quantity.name], PEAKS[quantity]
        for value, error, status in zip(rows["value"], rows["standard_error"], rows["status"], strict=True):
            height = _height(curves, value, rising) * PICO
            for axes in (upper, lower):
                axes.axvline(value, color=style.GREY, lw=0.4, ls=":", zorder=0)
            lower.errorbar(value, height, xerr=error, fmt="none", ecolor=style.BLACK, elinewidth=0.8, capsize=1.5)
            offset, va = ((0, 3), "bottom") if rising else ((0, -3), "top")
            if status != Status.OK:
                lower.plot(value, height, "o", mfc="white", mec=style.BLACK, ms=3)
            style.label(lower, label, (value, height), offset, va=va, fontsize=6)
    lower.set_ylim(*(2.1 * np.abs(current).max() * np.array([-1, 1])))
    switching = curves.attrs["model"] == q.CORRECTED
    lower.set_ylabel("$I_{sw}$ (pA)" if switching else "$I$ (pA)")
    if not switching:
        upper.set_title(NO_SWITCHING_PART[curves.attrs["model"]], fontsize=5, pad=2)
    for axes in (upper, lower):
        style.zero_lines(axes)
        axes.set_xlim(field.min() * 1.05, field.max() * 1.05)


def _polarization_and_current(ax: Axes) -> tuple[Axes, Axes]:
    """Return axes for the polarization above axes for the current, both against the field."""
    ax.set_axis_off()
    upper, lower = ax.inset_axes((0, 0.42, 1, 0.58)), ax.inset_axes((0, 0, 1, 0.36))
    upper.set_ylabel("$P$ (µC cm$^{-2}$)")
    upper.tick_params(labelbottom=False)
    lower.set_xlabel(FIELD_LABEL)
    return upper, lower


def thin_flakes(ax: Axes, data: PanelData) -> None:
    """Draw the corrected loops of flakes of several thicknesses."""
    for number, group in enumerate(data.curves.values()):
        curves, look = group["loop"].to_dataset(), style.line_look(number)
        ax.plot(curves["field"], curves["polarization"], **look, label=f"{curves.attrs['thickness_nm']:g} nm")
        _band(ax, curves, look["color"])
    style.zero_lines(ax)
    ax.set_xlabel(FIELD_LABEL)
    ax.set_ylabel("Polarization (µC cm$^{-2}$)")
    ax.legend(loc="upper left", handlelength=1.2)


def overview(name: str, group: xr.DataTree) -> list[tuple[str, Callable[[Axes, PanelData], None]]]:
    """Return titles and panels of a measurement: its loop, all loops of a tester together, or each train of pulses."""
    if "loop" in group.children:
        return [(name, loop)]
    trains = [region for region, node in group.children.items() if "pulse" in node.dims]
    if trains:
        return [(f"{name}: {region}", partial(tester_pulses, region=region)) for region in trains]
    runs = list(dict.fromkeys(node.attrs["run"] for node in group.children.values() if "letter" in node.attrs))
    if runs:
        return [(f"{run}: {name}" if run else name, partial(pulses, run=run)) for run in runs]
    return [(name, tables)] if any("turn" in node.attrs for node in group.children.values()) else []


def tables(ax: Axes, data: PanelData) -> None:
    """Draw polarization and current of the loops of a capacitor as measured, one colour for each table of the file."""
    _, group = first_measurement(ax, data)
    found = [node.to_dataset() for node in group.children.values()]
    upper, lower = _polarization_and_current(ax)
    largest = max(float(np.abs(curves["current"]).max()) for curves in found)
    scale, unit = style.current_unit(largest)
    colors = mpl.colormaps[style.SEQUENTIAL](np.linspace(0, style.LIGHTEST, len(found)))
    for curves, color in zip(found, colors, strict=True):
        field, polarization, current = (  # as it was recorded, because a single cycle need not be closed
            np.roll(curves[name].to_numpy()[:-1], curves.attrs["shift"])
            for name in ("field", "polarization_uncorrected", "current")
        )
        upper.plot(field, polarization, color=color, lw=0.8)
        lower.plot(field, current * scale, color=color, lw=0.6)
    for axes in (upper, lower):
        style.zero_lines(axes)
    lower.set_xlim(upper.get_xlim())
    lower.locator_params(axis="x", nbins=6)
    lower.set_ylabel(f"$I$ ({unit})")
    if len(found) > 1:
        names = _names(found, list(group.children))
        shown = range(len(found)) if len(found) <= FEW else (0, -1)
        ends = [Line2D([], [], color=colors[end], label=names[end]) for end in shown]
        upper.legend(handles=ends, loc="upper left", handlelength=1.2, borderaxespad=0.2)


def _names(found: list[xr.Dataset], tables: list[str]) -> list[str]:
    """Name loops after the attribute that rises from loop to loop, or else as the file names its tables."""
    for attribute, unit in VARIED.items():
        values = np.array([curves.attrs[attribute] for curves in found])
        if np.ptp(values) > SAME * values.max() and (np.diff(values) > -SAME * values.max()).all():
            return [f"{value:.4g} {unit}" for value in values]
    return tables


def tester_pulses(ax: Axes, data: PanelData, region: str) -> None:
    """Draw the polarization against the voltage in the pulses of a train that a tester recorded."""
    _, group = first_measurement(ax, data)
    table = group[region].to_dataset()
    letters = table["pulse"].to_numpy()
    _train(ax, ((letter, table.isel(pulse=at)) for at, letter in enumerate(letters)), "voltage", "Voltage (V)")


def pulses(ax: Axes, data: PanelData, run: str = "") -> None:
    """Draw the polarization in each pulse of a recorded train, from the start of the pulse, against the field."""
    _, group = first_measurement(ax, data)
    found = [node.to_dataset() for node in group.children.values() if node.attrs["run"] == run]
    _train(ax, ((pulse.attrs["letter"], pulse) for pulse in found), "field", FIELD_LABEL)


def _train(ax: Axes, found: Iterable[tuple[str, xr.Dataset]], across: str, label: str) -> None:
    """Draw all pulses; those of one letter have one colour and, from the first to the last, other styles of line."""
    seen: Counter[str] = Counter()
    for letter, pulse in found:
        line = style.LINES[seen[letter] % len(style.LINES)]
        name = f"{letter} {seen[letter] + 1}" if seen[letter] else letter
        color = PULSES.get(letter, style.BLACK)
        ax.plot(pulse[across], pulse["polarization"], color=color, ls=line, lw=0.8, label=name)
        seen[letter] += 1
    style.zero_lines(ax)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(label)
    ax.set_ylabel("Polarization (µC cm$^{-2}$)")
    ax.legend(loc="upper left", handlelength=1.2)


def _uncorrected(ax: Axes, curves: xr.Dataset) -> None:
    """Draw the uncorrected loop, in which leakage and capacitance dominate, in the empty fourth quadrant."""
    inset = ax.inset_axes((0.68, 0.13, 0.31, 0.32))
    inset.plot(curves["field"], curves["polarization_uncorrected"], color=style.GREY, lw=0.7)
    inset.set_title("uncorrected", fontsize=5, pad=1.5, color=style.GREY)
    inset.tick_params(labelsize=5, length=1.5, pad=1, labelbottom=False)
    inset.locator_params(axis="y", nbins=3)


def _parts(curves: xr.Dataset) -> tuple[slice, slice]:
    """Return the samples of the rising and of the falling branch."""
    turn = int(curves.attrs["turn"])
    return slice(0, turn + 1), slice(turn, None)


def _branches(ax: Axes, curves: xr.Dataset) -> None:
    field, polarization = curves["field"].to_numpy(), curves["polarization"].to_numpy()
    _band(ax, curves, style.GREY)
    for part, (label, color) in zip(_parts(curves), BRANCHES.items(), strict=True):
        x, y = field[part], polarization[part]
        ax.plot(x, y, color=color, label=label)
        for level in (-0.5, 0.5):
            at = int(np.argmin(np.abs(y - level * y[np.argmax(np.abs(y))])))
            step = max(len(x) // 40, 1)
            before, behind = max(at - step, 0), min(at + step, len(x) - 1)
            look = {"arrowstyle": "-|>", "color": color, "lw": 0.8, "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (x[behind], y[behind]), (x[before], y[before]), arrowprops=look)


def _band(ax: Axes, curves: xr.Dataset, color: str) -> None:
    """Draw a band of two statistical standard uncertainties around the loop."""
    field, value = curves["field"].to_numpy(), curves["polarization"].to_numpy()
    error = 2 * curves["polarization_uncertainty"].to_numpy()
    for part in _parts(curves):
        ax.fill_between(field[part], (value - error)[part], (value + error)[part], color=color, alpha=0.3, lw=0)


def _height(curves: xr.Dataset, field: float, rising: bool) -> float:
    """Return the switching current at a field, averaged over the samples around it."""
    part = _parts(curves)[0 if rising else 1]
    near = np.argsort(np.abs(curves["field"].to_numpy()[part] - field))[:9]
    return float(np.mean(curves["switching_current"].to_numpy()[part][near]))
