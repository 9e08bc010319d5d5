"""Images as they were measured: one axes or small multiples, with lengths where the file knows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import MaxNLocator

from relaxor.core.units import factor
from relaxor.figures.style import SEQUENTIAL, literal, remark

MOST_IMAGES = 9
"""Largest number of images in one panel; a remark counts any others."""
PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: ""}
SCALED = ("m", "A", "V", "F", "S", "C", "s")
"""Units that are written with the prefix that makes the numbers short."""
EVEN = 0.01
"""Largest deviation of steps from their mean, as a part of it, at which pixels count as equal."""


@dataclass(frozen=True)
class RawImage:
    """An image with the name that it has in its file."""

    name: str
    values: xr.DataArray


def is_image(values: xr.DataArray) -> bool:
    """Return whether a variable is an image, or a series of images."""
    return values.dims[-2:] == ("y", "x") and values.dtype.kind in "iufb" and values.size > 1


def images_of(regions: Mapping[str, xr.Dataset]) -> list[RawImage]:
    """Return every image of the parts of a file: each variable, and each of a series."""
    return [image for name, region in regions.items() for image in _of_region(name if len(regions) > 1 else "", region)]


def _of_region(region: str, content: xr.Dataset) -> Iterator[RawImage]:
    for name, values in content.data_vars.items():
        if not is_image(values) or str(name).endswith("_uncertainty"):
            continue
        title = str(values.attrs.get("long_name", name))
        places = list(np.ndindex(values.shape[:-2]))
        for number, place in enumerate(places, start=1):
            which = f" {number}" if len(places) > 1 else ""
            yield RawImage(f"{region} {title}{which}".strip(), values[place])


def draw_images(ax: Axes, images: list[RawImage]) -> None:
    """Draw images with the lengths of their sides and a colour bar each, several as small multiples."""
    if len(images) == 1:
        drawn = _image(ax, images[0])
        ax.figure.colorbar(drawn, ax=ax, label=quantity_label(images[0].values)[1])
        return
    shown = images[:MOST_IMAGES]
    ax.set_axis_off()
    box = ax.get_window_extent()
    columns = max(
        range(1, len(shown) + 1),
        key=lambda across: min(0.62 * box.width / across, 0.70 * box.height / -(-len(shown) // across)),
    )
    rows = -(-len(shown) // columns)
    wide, tall = 1.04 / columns, 1.0 / rows
    for number, image in enumerate(shown):
        row, column = divmod(number, columns)
        left, bottom = column * wide, 1 - (row + 1) * tall
        own = ax.inset_axes((left + 0.06 * wide, bottom + 0.16 * tall, 0.62 * wide, 0.70 * tall))
        drawn = _image(own, image)
        bar = own.inset_axes((1.03, 0, 0.05, 1))
        ax.figure.colorbar(drawn, cax=bar)
        _small(own, f"{image.name.partition(' (')[0]} ({quantity_label(image.values)[2] or '1'})", 5 - columns / 4)
        bar.tick_params(labelsize=4, length=1.5, pad=1)
        bar.yaxis.set_major_locator(MaxNLocator(4))
        if column:
            own.set_ylabel("")
        if number + columns < len(shown):
            own.set_xlabel("")
    if len(images) > len(shown):
        remark(ax, f"{len(shown)} of {len(images)} images")


def _small(ax: Axes, title: str, size: float) -> None:
    ax.set_title(title, fontsize=size, pad=2)
    ax.tick_params(labelsize=4, length=1.5, pad=1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(4.5)
        axis.labelpad = 1
        axis.set_major_locator(MaxNLocator(3))


def _image(ax: Axes, image: RawImage) -> ScalarMappable:
    """Draw the first row at the top; pixels are numbered where the file does not know their places."""
    values = image.values
    scaled = values.to_numpy().astype(float) * quantity_label(values)[0]
    x, y = (_places(values, side) for side in ("x", "y"))
    if x is None or y is None:
        ax.set(xlabel="x (pixel)", ylabel="y (pixel)")
        return ax.imshow(scaled, cmap=SEQUENTIAL, interpolation="nearest")
    power = _power(max(np.ptp(x), np.ptp(y)))
    unit = f"{PREFIXES[power]}m"
    x, y = x / 10.0**power, y / 10.0**power
    ax.set(xlabel=f"x ({unit})", ylabel=f"y ({unit})")
    if _even(x) and _even(y):
        (left, right), (top, bottom) = _ends(x), _ends(y)
        extent = (left, right, bottom, top)
        return ax.imshow(scaled, cmap=SEQUENTIAL, interpolation="nearest", extent=extent, aspect="equal")
    drawn = ax.pcolormesh(x, y, scaled, cmap=SEQUENTIAL, shading="nearest", rasterized=True)
    ax.set(aspect="equal", ylim=ax.get_ylim()[::-1])
    return drawn


def _places(values: xr.DataArray, side: str) -> np.ndarray | None:
    """Return the places of the pixels along a side in m; None where they are not known as lengths."""
    if side not in values.coords or values.sizes[side] < 2:
        return None
    try:
        places = values.coords[side].to_numpy().astype(float) * factor(values.coords[side].attrs.get("units", "1"), "m")
    except ValueError:
        return None
    steps = np.diff(places)
    return places if bool((steps > 0).all() or (steps < 0).all()) else None


def _even(places: np.ndarray) -> bool:
    steps = np.diff(places)
    return bool(np.abs(steps - steps.mean()).max() <= EVEN * abs(steps.mean()))


def _ends(places: np.ndarray) -> tuple[float, float]:
    half = (places[-1] - places[0]) / (places.size - 1) / 2
    return float(places[0] - half), float(places[-1] + half)


def _power(largest: float) -> int:
    """Return the power of ten, among those with a prefix, with which a size has up to three digits before its point."""
    return int(np.clip(3 * np.floor(np.log10(largest) / 3), min(PREFIXES), 0)) if largest > 0 else 0


def quantity_label(values: xr.DataArray) -> tuple[float, str, str]:
    """Return the factor to short numbers, the label of a variable with the unit in which they are, and this unit."""
    name, unit = (literal(values.attrs.get(key, other)) for key, other in (("long_name", values.name), ("units", "1")))
    if unit in SCALED:
        known = np.abs(values.to_numpy()[np.isfinite(values.to_numpy())])
        power = _power(float(known.max())) if known.size else 0
        short = f"{PREFIXES[power]}{unit}"
        return 10.0**-power, f"{name.removesuffix(f' ({unit})')} ({short})", short
    unit = "" if unit == "1" else unit.replace("um", "µm")
    return 1.0, name if not unit or name.endswith(f"({unit})") else f"{name} ({unit})", unit
