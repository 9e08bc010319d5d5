"""Shared parts of panels that show scanned images: the image, its scale bar and its colour bar."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.patches import Rectangle

from relaxor.figures.style import SEQUENTIAL

NICE = (1, 2, 5)


def show_image(
    ax: Axes,
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    limits: tuple[float, float],
    cmap: str = SEQUENTIAL,
    bar: bool = True,
) -> ScalarMappable:
    """Draw a map (y, x) with coordinates in nm, without ticks, and a scale bar in it."""
    step = (x[1] - x[0]) / 2
    extent = (x[0] - step, x[-1] + step, y[0] - step, y[-1] + step)
    low, high = limits
    drawn = ax.imshow(values, cmap, origin="lower", extent=extent, vmin=low, vmax=high, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    if bar:
        scale_bar(ax, extent)
    return drawn


def scale_bar(ax: Axes, extent: tuple[float, float, float, float]) -> None:
    """Draw a bar of a round length near a quarter of the width, with its length above it; extent in nm."""
    left, right, bottom, top = extent
    width, height = right - left, top - bottom
    rounds = [factor * 10.0**power for power in range(-2, 6) for factor in NICE]
    length = min(rounds, key=lambda value: abs(value - width / 3.5))
    x, y = left + 0.07 * width, bottom + 0.07 * height
    ax.add_patch(Rectangle((x, y), length, 0.028 * height, color="white", ec="black", lw=0.3))
    label = f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"
    text = ax.text(x, y + 0.05 * height, label, color="white", ha="left", va="bottom", fontsize=5)
    text.set_path_effects([patheffects.withStroke(linewidth=0.8, foreground="black")])


def image_strip(
    ax: Axes,
    images: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
    limits: tuple[float, float],
    label: str,
    cmap: str = SEQUENTIAL,
) -> None:
    """Draw images side by side on one colour scale, in the number of rows that fills the axes best.

    Parameters
    ----------
    ax
        Axes that the images fill; its frame is removed.
    images
        Title, values (y, x), x and y in nm.
    limits, label, cmap
        Shared colour scale and the label of its bar.
    """
    ax.set_axis_off()
    box = ax.get_window_extent()
    room, gap, title, side = 0.80, 0.025, 0.11, box.width / box.height
    rows = max(range(1, len(images) + 1), key=lambda n: min(room * side / -(-len(images) // n), 1.0 / n - title))
    columns = -(-len(images) // rows)
    wide, tall = room / columns, 1.0 / rows
    for index, (name, values, x, y) in enumerate(images):
        row, column = divmod(index, columns)
        place = (column * wide, 1 - (row + 1) * tall, wide - gap, tall - title)
        inset = ax.inset_axes(place)
        inset.set_title(name, fontsize=5.5, pad=1.5)
        drawn = show_image(inset, values, x, y, limits, cmap, bar=index == 0)
    bar = ax.inset_axes((room + 0.01, 0.0, 0.03, 1 - title))
    ax.figure.colorbar(drawn, cax=bar).set_label(label, fontsize=6)
    bar.tick_params(labelsize=5)
