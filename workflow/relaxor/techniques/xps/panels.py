"""Panels of photoelectron spectra: the survey, one panel per window, spectra without fits, and depth profiles."""

import math
import re
from collections.abc import Callable
from functools import partial
from itertools import cycle
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement, not_drawn
from relaxor.figures.style import BLACK, COMPONENTS, GREY, HATCHES, VERMILION, label, line_look, marker_of
from relaxor.techniques.xps.profile import PROFILE
from relaxor.techniques.xps.quantities import BINDING_ENERGY

SIGNIFICANT = 5.0
"""Least significance, in standard deviations, at which a line of the survey is labelled."""
BESIDE = 0.02
"""Half width, in widths of the panel, of what lies under a label."""
LEGEND_COLUMNS = 3
"""Number of names in a row of the legend of a depth profile."""
DECADES = 20.0
"""Ratio of the largest areas of levels above which their axis is logarithmic."""


def survey(ax: Axes, data: PanelData, *, region: str = "") -> None:
    """Draw the survey with the lines found in it; the first survey by default."""
    _, group = first_measurement(ax, data)
    first, *others = (name for name, node in group.children.items() if "line_energy" in node)
    if not region:
        not_drawn(ax, others, first)
    curves = group[region or first].to_dataset()
    scale, unit = _scale(curves)
    energy, rate = curves.binding_energy.values, curves.intensity.values / scale
    error = curves.intensity_uncertainty.values / scale
    ax.fill_between(energy, rate - error, rate + error, color=GREY, alpha=0.5, lw=0)
    ax.plot(energy, rate, color=BLACK, lw=0.5)
    low, high = float(energy[0]), float(energy[-1])
    top = float(rate.max())
    ax.set(xlim=(high, low), ylim=(0, 1.42 * top))
    found = [number for number, z in enumerate(curves.line_significance.values) if z > SIGNIFICANT]
    found.sort(key=lambda number: -curves.line_energy.values[number])
    places = _spread([float(curves.line_energy.values[number]) for number in found], (high - low) / 16, low, high)
    for number, place in zip(found, places, strict=True):
        tip = float(curves.line_energy.values[number]), float(curves.line_height.values[number]) / scale
        ax.annotate(
            _with_index(str(curves.line.values[number])),
            tip,
            xytext=(place, 1.12 * top),
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=5,
            arrowprops={"arrowstyle": "-", "lw": 0.3, "color": GREY, "shrinkA": 0, "shrinkB": 1},
        )
    ax.set(xlabel="Binding energy (eV)", ylabel=unit)


def overview(name: str, group: xr.DataTree) -> list[tuple[str, Callable[..., None]]]:
    """Return titles and panels of a measurement: one for each of its regions."""
    return [(f"{name}: {_title(region, curves)}", _panel(region, curves)) for region, curves in group.children.items()]


def _title(region: str, curves: xr.DataTree) -> str:
    attrs = curves.attrs
    if "at" not in attrs:
        return region
    value = f"{attrs['at']:g} {attrs['at_unit']}".removesuffix(" 1")
    what = value if attrs["at_unit"] != "1" else f"{attrs['at_name'].replace('_', ' ')} {value}"
    return f"{attrs['region']}, {what}"


def _panel(region: str, curves: xr.DataTree) -> Callable[..., None]:
    if "line_energy" in curves:
        return partial(survey, region=region)
    if "fit" in curves:
        return partial(window, region=region)
    return partial(depth_profile if region == PROFILE else spectrum, region=region)


def spectrum(ax: Axes, data: PanelData, *, region: str) -> None:
    """Draw a region in which nothing was fitted."""
    _, group = first_measurement(ax, data)
    curves = group[region].to_dataset()
    scale, unit = _scale(curves)
    energy, rate = curves.binding_energy.values, curves.intensity.values / scale
    ax.plot(energy, rate, color=BLACK, lw=0.6)
    ax.set(xlim=(float(energy[-1]), float(energy[0])), xlabel="Binding energy (eV)", ylabel=unit)
    text = curves.attrs["problem"] or "no line stands out"
    ax.text(0.02, 0.97, fill(f"not fitted: {text}", 50), transform=ax.transAxes, va="top", fontsize=5)
    ax.set_ylim(top=float(rate.max()) + 0.25 * max(float(np.ptp(rate)), 1e-9))


def depth_profile(ax: Axes, data: PanelData, *, region: str = PROFILE) -> None:
    """Draw areas, and above them the composition where it is known, against what was varied."""
    _, group = first_measurement(ax, data)
    curves = group[region].to_dataset()
    shown = [name for name in ("atomic_percent", "area") if name in curves]
    ax.set_axis_off()
    for number, name in enumerate(shown):
        height = 1 / len(shown)
        own = ax.inset_axes((0, 1 - (number + 1) * height + 0.02, 1, height - 0.04))
        values, errors = curves[name], curves[f"{name}_uncertainty"]
        scale, unit = _scale(curves, name)
        for place, feature in enumerate(curves[f"{name}_of"].values):
            look: dict[str, Any] = {
                **line_look(place, (BLACK, *COMPONENTS)),
                "marker": marker_of(place),
                "mfc": "white",
            }
            y, error = values.values[place] / scale, errors.values[place] / scale
            own.errorbar(curves["at"].values, y, error, lw=0.7, elinewidth=0.6, mew=0.7, label=str(feature), **look)
        highest = np.nanmax(values.values, axis=1) / scale
        if name == "area" and highest.max() > DECADES * highest.min() > 0:
            own.set_yscale("log")
            own.set_ylim(top=3 * highest.max())
        else:
            rows = -(-len(highest) // LEGEND_COLUMNS)
            own.set_ylim(0, max(1.3, 1.15 + 0.12 * rows) * highest.max())
        own.set_ylabel(unit)
        own.legend(fontsize=5, ncols=LEGEND_COLUMNS, loc="upper left")
        at = curves["at"].attrs
        own.set_xlabel(f"{at['long_name'].capitalize()} ({at['units']})" if at["units"] != "1" else at["long_name"])
        if number < len(shown) - 1:
            own.set(xlabel="", xticklabels=[])


def _scale(curves: xr.Dataset, name: str = "intensity") -> tuple[float, str]:
    """Return by what the intensities are divided so that their axis has short numbers, and the label of the axis."""
    unit = curves[name].attrs["units"]
    if name == "atomic_percent":
        return 1.0, "Composition (at. %)"
    largest = float(np.nanmax(np.abs(curves[name].values)))
    power = max(3 * math.floor(math.log10(largest / 10) / 3), 0) if largest > 0 else 0
    factor = f"10$^{power}$ " if power else ""
    texts = {"count/s": "counts s$^{-1}$", "count": "counts", "count*eV/s": "counts eV s$^{-1}$", "1": ""}
    text = f"{factor}{texts.get(unit, unit.replace('*', ' '))}".strip()
    what = {"intensity": {"count/s": "Rate", "1": "Intensity"}.get(unit, "Intensity"), "area": "Area"}[name]
    return 10.0**power, f"{what} ({text})" if text else f"{what} (arb. units)"


def window(ax: Axes, data: PanelData, *, region: str) -> None:
    """Draw data, fit, lines and background of a window, and the residual in a strip above."""
    measurement, group = first_measurement(ax, data)
    curves = group[region].to_dataset()
    energy = curves.binding_energy.values
    ax.set_axis_off()
    strip, main = ax.inset_axes((0, 0.84, 1, 0.16)), ax.inset_axes((0, 0, 1, 0.8))
    scale, unit = _scale(curves)
    background = curves.background.values / scale
    rate, error = curves.intensity.values / scale, curves.intensity_uncertainty.values / scale
    main.errorbar(energy, rate, error, fmt=".", ms=1.4, mew=0, color=BLACK, elinewidth=0.25, zorder=2)
    _components(main, curves, background, scale)
    main.plot(energy, background, color=GREY, lw=0.7, ls="--")
    main.plot(energy, curves.fit.values / scale, color=VERMILION, lw=0.8, zorder=3)
    _alternatives(main, curves, scale)
    _positions(main, data, measurement, curves, scale)
    strip.plot(energy, curves.residual.values, ".", color=BLACK, ms=1.2, mew=0)
    strip.axhline(0, color=VERMILION, lw=0.6)
    strip.axhspan(-2, 2, color=GREY, alpha=0.2, lw=0)
    bound = max(4.0, 1.15 * float(np.abs(curves.residual.values).max()))
    strip.set(ylim=(-bound, bound), yticks=[0], xticklabels=[], ylabel="res. (σ)")
    strip.yaxis.label.set_fontsize(5)
    for axes in (strip, main):
        axes.set_xlim(energy[-1], energy[0])
    main.set(xlabel="Binding energy (eV)", ylabel=unit)


def _components(axes: Axes, curves: xr.Dataset, background: np.ndarray, scale: float) -> None:
    """Fill each line above the background. A level has one colour and hatch; its weaker line is paler."""
    energy = curves.binding_energy.values
    levels = list(dict.fromkeys(curves.level.values))
    seen = set()
    for level, line in zip(curves.level.values, curves.components.values, strict=True):
        number = levels.index(level)
        color = COMPONENTS[number % len(COMPONENTS)]
        top = background + line / scale
        look: dict[str, Any] = {
            "facecolor": color,
            "edgecolor": "white",
            "hatch": HATCHES[number % len(HATCHES)],
            "lw": 0,
        }
        axes.fill_between(energy, background, top, **look, alpha=0.25 if level in seen else 0.5, zorder=1)
        axes.plot(energy, top, color=color, lw=0.5, zorder=1.5)
        seen.add(level)


def _alternatives(axes: Axes, curves: xr.Dataset, scale: float) -> None:
    """Draw the fits of the other models where their failure is visible."""
    styles = cycle((":", "-.", "--"))
    for name, line in zip(curves.model_label.values, curves.alternatives.values, strict=True):
        if _visible(curves, line):
            look = {"color": BLACK, "lw": 0.6, "ls": next(styles), "label": name[:1].upper() + name[1:]}
            axes.plot(curves.binding_energy.values, line / scale, **look)
            axes.legend(loc="upper left", fontsize=5, handlelength=1.5, borderpad=0.2)


def _visible(curves: xr.Dataset, line: np.ndarray) -> bool:
    """Return whether another fit differs from the chosen one by more than the points scatter."""
    difference = np.abs(line - curves.fit.values).max()
    return bool(difference > 5 * curves.intensity_uncertainty.values.max())


def _positions(axes: Axes, data: PanelData, measurement: str, curves: xr.Dataset, scale: float) -> None:
    """Write name and energy over each fitted line, or beside it where a neighbour is near."""
    energy = curves.binding_energy.values
    noisy = curves.intensity.values + curves.intensity_uncertainty.values
    drawn = [curves.fit.values, noisy, *(line for line in curves.alternatives.values if _visible(curves, line))]
    upper = np.max(drawn, axis=0) / scale
    span = float(energy[-1] - energy[0])
    low, high = float(curves.background.values.min()) / scale, float(curves.intensity.values.max()) / scale
    axes.set_ylim(low - 0.06 * (high - low), high + 0.42 * (high - low))
    tops = [(float(energy[np.argmax(line.values)]), line) for line in curves.components]
    tops = [(place, line) for place, line in tops if float(line.max()) > 0.02 * scale * (high - low)]
    for place, line in tops:
        others = [other - place for other, _ in tops if other != place and abs(other - place) < 0.1 * span]
        between = bool(others) and min(others) < 0 < max(others)
        side = 0.0 if between or not others else (-1.0 if others[0] > 0 else 1.0)  # towards the free side
        name = str(line.line.item())
        text = str(line.label.item()) or _with_index(name)
        if value := _energy(data, measurement, curves, name):
            text = f"{text}\n{value}"
        tip = place, float(upper[np.abs(energy - place) <= BESIDE * span].max())
        label(axes, text, tip, (-8 * side, 17 if between else 3), ha={-1.0: "left", 0.0: "center", 1.0: "right"}[side])


def _energy(data: PanelData, measurement: str, curves: xr.Dataset, line: str) -> str:
    """Return an energy as ``158.15(1)``, with its statistical error in the last digit; nothing if none was fitted.

    An energy whose model misses the data stands in square brackets.
    """
    place = {"at": curves.attrs["at"]} if "at" in curves.attrs else {}
    rows = data.rows(BINDING_ENERGY, measurement=measurement, model=curves.attrs["model"], feature=line, **place)
    for row in rows.itertuples():
        error = f"({math.ceil(row.standard_error * 100)})" if math.isfinite(row.standard_error) else ""
        text = f"{row.value:.2f}{error}"
        return text if row.status in ("ok", "assumed") else f"[{text}]"
    return ""


def _with_index(name: str) -> str:
    """Write ``Bi 4f7/2`` and ``Ti 2p3/2 Ti3`` with the momentum as index."""
    return re.sub(r"(?<=[spdf])(\d/2)", r"$_{\1}$", name)


def _spread(places: list[float], distance: float, low: float, high: float) -> list[float]:
    """Move descending places apart, and off the edges, so that labels do not overlap."""
    moved = list(places)
    for _ in range(200):
        moved = [min(max(place, low + distance / 2), high - distance / 2) for place in moved]
        for left in range(len(moved) - 1):
            gap = distance - (moved[left] - moved[left + 1])
            if gap > 1e-6:
                moved[left] += gap / 2
                moved[left + 1] -= gap / 2
    return moved
