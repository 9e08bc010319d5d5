"""Panel of a HAADF-STEM image, its spots and its columns."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, marker_of
from relaxor.techniques.stem.quantities import COLUMN_LATTICE, EDGE_A, EDGE_B, FFT_LATTICE, LATTICE_SPACING

SITE_COLORS = (VERMILION, ORANGE, GREEN, SKY, PURPLE, YELLOW, "white")
"""Colours of the sites, the brightest first."""
LEGEND_COLUMNS = 4
"""Largest number of names of sites in a row."""
ZOOM = 2.1
"""Width of the enlarged part in nm."""
BARS = (0.5, 1.0, 2.0)
"""Lengths of the scale bar in nm, of which the longest is drawn that fits."""
REACH = 0.42
"""Spatial frequency in 1/angstrom out to which the transform is drawn, or a little beyond the first spots."""


def haadf(ax: Axes, data: PanelData) -> None:
    """Draw the image with a scale bar, the Fourier transform with its indexed spots, and a part with fitted columns."""
    name, group = first_measurement(ax, data)
    ax.set_axis_off()
    left = ax.inset_axes((0.0, 0.0, 0.62, 1.0))
    _image(left, group["image"].to_dataset())
    if not _has(data, name, "100"):
        _edges(left, group, data, name)
    _zoom(ax.inset_axes((0.64, 0.51, 0.36, 0.49)), group, left)
    _transform(ax.inset_axes((0.64, 0.0, 0.36, 0.49)), group, data, name)


def _show(ax: Axes, image: xr.DataArray, low: float, high: float) -> None:
    vertical, horizontal = (image[dim].to_numpy() for dim in image.dims)
    extent = (horizontal[0], horizontal[-1], vertical[-1], vertical[0])
    limits = np.percentile(image, (low, high))
    ax.imshow(
        image, cmap="gray", vmin=limits[0], vmax=limits[1], extent=extent, interpolation="nearest", aspect="equal"
    )
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_linewidth(0.4)


def _image(ax: Axes, curves: xr.Dataset) -> None:
    image = curves["intensity"]
    width, height = float(image["x"][-1]), float(image["y"][-1])
    _show(ax, image, 1, 99.8)
    bar = max(length for length in BARS if length < 0.6 * width or length == BARS[0])
    # A dark plate under the bar keeps it readable on bright columns.
    ax.add_patch(Rectangle((0.03 * width, 0.86 * height), bar + 0.07 * width, 0.115 * height, color="black", lw=0))
    ax.add_patch(Rectangle((0.065 * width, 0.945 * height), bar, 0.012 * height, color="white", lw=0))
    ax.text(0.065 * width + bar / 2, 0.935 * height, f"{bar:g} nm", color="white", ha="center", va="bottom", fontsize=6)
    ax.set_anchor("W")


def _zoom(ax: Axes, group: xr.DataTree, overview: Axes) -> None:
    curves, columns = group["image"].to_dataset(), group["columns"].to_dataset()
    image = curves["intensity"]
    zoom = min(ZOOM, *(0.5 * float(image[axis][-1]) for axis in ("x", "y")))
    start = [0.5 * (float(image[axis][-1]) - zoom) for axis in ("x", "y")]
    overview.add_patch(Rectangle((start[0], start[1]), zoom, zoom, fill=False, ec="white", lw=0.6))
    part = image.sel(x=slice(start[0], start[0] + zoom), y=slice(start[1], start[1] + zoom))
    _show(ax, part, 1, 99.9)
    inside = (abs(columns["x"] - start[0] - zoom / 2) < zoom / 2) & (abs(columns["y"] - start[1] - zoom / 2) < zoom / 2)
    seen = columns.isel(column=inside.to_numpy())
    labels = columns["site"].attrs["labels"].splitlines()
    for site in range(len(labels)):
        rounds, number = divmod(site, len(SITE_COLORS))
        this = seen.isel(column=(seen["site"] == site).to_numpy())
        look: dict[str, Any] = {"mfc": "none", "mec": SITE_COLORS[number], "ms": 4, "mew": 0.7}
        ax.plot(this["x"], this["y"], marker_of(rounds), **look, clip_on=True)
    ax.set(xlim=(start[0], start[0] + zoom), ylim=(start[1] + zoom, start[1]))
    _legend(ax, labels)


def _legend(ax: Axes, labels: list[str]) -> None:
    columns = min(len(labels), LEGEND_COLUMNS)
    rows = -(-len(labels) // columns)
    plate = Rectangle((0, 0), 1, 0.055 + 0.08 * rows, transform=ax.transAxes, color="black", lw=0, zorder=3)
    ax.add_patch(plate)
    step = 1.14 / max(columns, 3)
    for number, label in enumerate(labels):
        row, column = divmod(number, columns)
        place = 0.02 + step * column, 0.06 + 0.08 * (rows - 1 - row)
        color = SITE_COLORS[number % len(SITE_COLORS)]
        ax.text(*place, label, color=color, transform=ax.transAxes, fontsize=4.5, va="center", zorder=4)


def _transform(ax: Axes, group: xr.DataTree, data: PanelData, name: str) -> None:
    power, spots = group["transform"].to_dataset()["power"], group["spots"].to_dataset()
    hexagonal = _has(data, name, "100")
    indices = spots[["h", "k"]].to_array().to_numpy().T
    places = spots[["q_x", "q_y"]].to_array().to_numpy().T
    if hexagonal:
        first, families = np.array([h**2 + h * k + k**2 == 1 for h, k in indices]), {"100": VERMILION, "110": BLUE}
    else:
        first, families = np.abs(indices).sum(axis=1) == 1, {"10": VERMILION, "01": VERMILION}
    lengths = np.abs(places[first]) if first.any() else np.zeros((1, 2))
    reach = min(max(REACH, 1.15 * float(lengths.max())), float(power["q_x"].max()))
    _show(ax, power.sel(q_x=slice(-reach, reach), q_y=slice(-reach, reach)), 40, 99.95)
    for (x, y), near in zip(places, first, strict=True):
        for sign in (1, -1):
            if max(abs(x), abs(y)) < reach:
                color = VERMILION if near else BLUE
                ax.add_patch(Circle((sign * x, sign * y), 0.067 * reach, fill=False, ec=color, lw=0.6))
    for (family, color), height in zip(families.items(), (0.90, 0.035), strict=True):
        row = data.row(LATTICE_SPACING, measurement=name, model=FFT_LATTICE, feature=family)
        text = f"$d_{{{family}}}$ = {_with_error(row.value, row.standard_error)} Å"
        box = {"facecolor": color, "edgecolor": "none", "pad": 0.8}
        ax.text(
            0.5, height, text, color="white", bbox=box, fontsize=4.8, ha="center", va="bottom", transform=ax.transAxes
        )


def _edges(ax: Axes, group: xr.DataTree, data: PanelData, name: str) -> None:
    """Name the system in the corner of the image, with the edges of its nearest lattice."""
    a, b = (data.number(edge, measurement=name, model=COLUMN_LATTICE) for edge in (EDGE_A, EDGE_B))
    where = {"measurement": name, "model": COLUMN_LATTICE}
    error = max(data.number(edge, "systematic_error", **where) for edge in (EDGE_A, EDGE_B))
    lengths = f"a = {a:.2f}" if np.isclose(a, b) else f"a = {a:.2f}, b = {b:.2f}"
    text = f"{group.attrs['lattice_system']}, {lengths} ± {error:.2f} Å"
    box = {"facecolor": "black", "edgecolor": "none", "pad": 1.5}
    ax.text(0.03, 0.97, text, color="white", bbox=box, fontsize=6, ha="left", va="top", transform=ax.transAxes)


def _has(data: PanelData, name: str, family: str) -> bool:
    """Return whether the spacing of a family of planes is among the numbers of a measurement."""
    return family in data.rows(LATTICE_SPACING, measurement=name, model=FFT_LATTICE).index


def _with_error(value: float, error: float) -> str:
    """Write a number as 5.6710(13), the error in units of the last digit, with two digits where the first is 1 or 2."""
    if not error > 0:
        return f"{value:.3f}"
    digits = -int(np.floor(np.log10(error)))
    digits += int(round(error * 10**digits, 6) < 3)
    return f"{value:.{digits}f}({round(error * 10**digits):d})"
