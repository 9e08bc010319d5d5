"""Raman panels."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from relaxor.figures.generic import label as axis_label
from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, COMPONENTS, GREY, SEQUENTIAL, VERMILION, data_points, label, upright_labels
from relaxor.techniques.raman.quantities import RAMAN_SHIFT, VOIGT

MODE = re.compile(r"([A-Z])(\d?[gu])(\d*)")
"""A mode named by its symmetry, such as ``Eg1`` or ``A1g``."""
FOUND = "line_"
"""Beginning of the name of a line that nobody named."""
MOST_LINES = 3
"""Largest number of lines of a map that are drawn."""
MAPPED = {
    "raman_shift": ("place (cm$^{-1}$)", 1.0),
    "area": ("area (10$^3$ count/cm)", 1e-3),
    "fwhm_lorentzian": ("width (cm$^{-1}$)", 1.0),
}
"""Title of each quantity of a line that is drawn against the place, and the factor to its unit."""
SHOWN = (1, 99)
"""Percentiles of a map between which its colours change."""
LONGEST = 4.0
"""Length over width of a map up to which both are drawn to one scale."""
TOP = 1.45
"""Upper end of the axis in heights of the highest line that is not of the substrate."""


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw spectrum, fit and lines on the calibrated axis; lines that were found have no baseline between."""
    measurement, group = first_measurement(ax, data)
    data = replace(data, parameters=data.parameters[data.parameters["at"].isna()])  # of a map, those of the mean
    curves = group["spectrum"].to_dataset()
    shift = curves.calibrated_shift.values
    baseline = curves.baseline.interpolate_na("raman_shift", fill_value="extrapolate").values
    fit = (curves.fit - baseline).values / 1e3
    ax.plot(shift, (curves.data - baseline) / 1e3, ".", color=BLACK, ms=1.2, label="data")
    ax.plot(shift, fit, color=VERMILION, lw=0.8, label="fit")
    lines = [str(name) for name in curves.line.values]
    heights = {name: float(curves.components.sel(line=name).max()) / 1e3 for name in lines}
    of_substrate = [name for name in lines if curves.substrate.sel(line=name)]
    for number, name in enumerate(lines):
        color = GREY if name in of_substrate else COMPONENTS[number % len(COMPONENTS)]
        ax.fill_between(shift, curves.components.sel(line=name) / 1e3, color=color, alpha=0.35, lw=0)
    named = [name for name in lines if name not in of_substrate]
    centers = [data.number(RAMAN_SHIFT, measurement=measurement, model=VOIGT, feature=name) for name in named]
    top = max((heights[name] for name in named or lines), default=np.ptp((curves.data - baseline).values) / 1e3)
    ax.set(xlim=(shift[0], shift[-1]), ylim=(-0.08 * top, TOP * top))
    texts = [f"{_mode(name)}{center:.1f}" for name, center in zip(named, centers, strict=True)]
    places = [(center, float(fit[np.nanargmin(abs(shift - center))])) for center in centers]
    upright_labels(ax, list(zip(texts, places, strict=True)))
    clipped = [name for name in of_substrate if heights[name] > TOP * top]
    if clipped:
        strongest = max(clipped, key=lambda name: heights[name])
        center = float(curves.center.sel(line=strongest))
        place = float(np.interp(center, curves.raman_shift.values, shift)), 1.42 * top
        label(ax, f"{strongest} ↑", place, (5, 0), ha="left", va="top", color=GREY)
    ax.set_xlabel("Raman shift (cm$^{-1}$)")
    ax.set_ylabel("Intensity above baseline (10$^3$ counts)")
    ax.legend(loc="upper center", ncols=2, handlelength=1.2)


def overview(measurement: str, group: xr.DataTree) -> list[tuple[str, Callable[..., None]]]:
    """Return the panels of a measurement: its spectrum, and the maps of its lines if it is a map or series."""
    shown: list[tuple[str, Callable[..., None]]] = [(measurement, spectrum)]
    if "map" in group.children:
        shown = [(f"{measurement}: mean", spectrum), (f"{measurement}: each", maps)]
    return shown


def maps(ax: Axes, data: PanelData) -> None:
    """Draw what was fitted to each spectrum of a map or series: place, area and width of the strongest lines."""
    ax.set_axis_off()
    _, group = first_measurement(ax, data)
    found = group["map"].to_dataset()
    order = np.argsort(-found["area"].fillna(0).sum([dim for dim in found["area"].dims if dim != "line"]).values)
    chosen = [str(found["line"].values[index]) for index in order[:MOST_LINES]]
    if len(order) > len(chosen):
        text = f"the strongest {len(chosen)} of {len(order)} lines; all are in curves.nc"
        ax.text(1, -0.2, text, fontsize=4.5, ha="right", va="top", transform=ax.transAxes)
    wide, tall = 1 / len(MAPPED), 1 / len(chosen)
    draw = _image if found["area"].ndim > 2 else _along
    for row, line in enumerate(chosen):
        for column, (name, (title, factor)) in enumerate(MAPPED.items()):
            place = (column * wide, 1 - (row + 1) * tall + 0.1 * tall, 0.62 * wide, 0.68 * tall)
            inset = ax.inset_axes(place)
            inset.tick_params(labelsize=4, pad=1, length=1.5)
            inset.set_title(f"{line.removeprefix(FOUND)}: {title}", fontsize=4.5, pad=2)
            draw(inset, found.sel(line=line) * factor, name)
            if row == len(chosen) - 1:
                inset.set_xlabel(_axis_label(found[found["area"].dims[-1]]), fontsize=4.5, labelpad=1)
            if column == 0 and found["area"].ndim > 2:
                inset.set_ylabel(_axis_label(found[found["area"].dims[-2]]), fontsize=4.5, labelpad=1)


def _image(ax: Axes, found: xr.Dataset, name: str) -> None:
    """Draw a quantity over the two axes of a map; what is not seen is grey, and few far values do not set the scale."""
    vertical, horizontal = (found[dim] for dim in found[name].dims)
    low, high = np.nanpercentile(found[name], SHOWN) if found[name].notnull().any() else (None, None)
    drawn = ax.pcolormesh(
        horizontal, vertical, found[name], cmap=SEQUENTIAL, shading="nearest", rasterized=True, vmin=low, vmax=high
    )
    ax.set_facecolor(GREY)
    width, height = np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())
    if vertical.attrs["units"] == horizontal.attrs["units"] and 1 / LONGEST <= width / height <= LONGEST:
        ax.set_aspect("equal")
    bar = ax.inset_axes((1.04, 0, 0.06, 1))
    ax.figure.colorbar(drawn, cax=bar, extend="both")
    bar.tick_params(labelsize=4, pad=1, length=1.5)
    bar.ticklabel_format(useOffset=False)
    bar.yaxis.set_major_locator(MaxNLocator(4))


def _along(ax: Axes, found: xr.Dataset, name: str) -> None:
    """Draw a quantity with its standard error along the axis of a series."""
    along = found[found[name].dims[0]]
    data_points(ax, along, found[name], found[f"{name}_error"], ms=1.2, mew=0.4, elinewidth=0.4, capsize=0)
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.yaxis.set_major_locator(MaxNLocator(4))


def _axis_label(place: xr.DataArray) -> str:
    return axis_label(place).replace("(um)", "(µm)")


def _mode(name: str) -> str:
    """Write ``Eg1`` as E with the index g and a raised 1, other names as they are; nothing where nobody named it."""
    found = MODE.fullmatch(name)
    if found:
        return f"{found[1]}$_{{{found[2]}}}^{{{found[3]}}}$  "
    return "" if name.startswith(FOUND) else f"{name}  "
