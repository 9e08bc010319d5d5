"""Panels of the chip: arrays and layers to scale, weights read back, restored letters, distances."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from relaxor.crossbar.quantities import WRITE_ACCURACY
from relaxor.figures.panel import PanelData
from relaxor.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SEQUENTIAL,
    SKY,
    VERMILION,
    plain_ticks,
    remark,
)
from relaxor.inpainting.panels import hole_of, largest, rows_of_letters, source_of
from relaxor.inpainting.quantities import FLOAT_LONGER, IDEAL, WRITE

LAYERS = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILION, BLACK)
"""Colours of the layers of a decoder."""
SHOWN = {"original": "original", "chip": "restored by the chip"}
"""Text next to the row of letters of each decoder."""
GAP = 40
"""Cells between two arrays."""
LARGEST_ERROR = 2
"""Larger errors of a level are drawn as this one."""


# --- the arrays
def arrays(ax: Axes, data: PanelData) -> None:
    """Draw the arrays to scale and where the layers of the largest decoder stand on them."""
    group = largest(data)
    plan, cells = group["plan"].to_dataset(), group["arrays"].to_dataset()
    _, number, rows, columns = cells["target"].shape
    _canvas(ax, number, rows, columns)
    for array in range(number):
        left = array * (columns + GAP)
        ax.add_patch(Rectangle((left, 0), columns, rows, fc="#EEEEEE", ec=GREY, lw=0.5))
        ax.text(left + columns / 2, rows + 8, f"array {array + 1}", ha="center", va="top", fontsize=5.5)
    for tile in range(plan.sizes["tile"]):
        one = {name: int(plan[name][tile]) for name in ("layer", "array", "row", "column", "height", "width")}
        if int(plan["pass_number"][tile]):
            continue
        left = one["array"] * (columns + GAP) + one["column"]
        color = LAYERS[one["layer"] % len(LAYERS)]
        ax.add_patch(Rectangle((left, one["row"]), one["width"], one["height"], fc=color, ec=BLACK, lw=0.3))
    for layer in range(int(plan["layer"].max()) + 1):
        color = LAYERS[layer % len(LAYERS)]
        ax.add_patch(Rectangle((0, 0), 0, 0, fc=color, ec=BLACK, lw=0.3, label=f"layer {layer + 1}"))
    ax.add_patch(Rectangle((0, 0), 0, 0, fc="#EEEEEE", ec=GREY, lw=0.5, label="free"))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=4, fontsize=5, handlelength=1)
    ax.set_title(f"{number} arrays of {rows}×{columns} cells of two devices", fontsize=5.5, pad=2)
    passes = int(plan["pass_number"].max()) + 1
    remark(ax, hole_of(group) + (f"; the first of {passes} passes" if passes > 1 else ""))


def _canvas(ax: Axes, number: int, rows: int, columns: int) -> None:
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set(xlim=(-4, number * (columns + GAP) - GAP + 4), ylim=(rows + 40, -4))


# --- read back
def read_back(ax: Axes, data: PanelData) -> None:
    """Draw the errors of the levels of the first chip, and how levels are read as other levels on all chips."""
    name, group = next((name, group) for name, group in data.curves.items() if group is largest(data))
    remark(ax, hole_of(group))
    cells, read = group["arrays"].to_dataset(), group["read_back"].to_dataset()
    target, used = (cells[key].isel({"pass": 0}).to_numpy() for key in ("target", "used"))
    low, high = int(read["read"][0]), int(read["read"][-1])
    levels = np.clip(np.rint(cells["level"].isel({"pass": 0}).to_numpy()), low, high)
    error = np.where(used == 1, np.clip(levels - target, -LARGEST_ERROR, LARGEST_ERROR), np.nan)
    ax.set_axis_off()
    left = ax.inset_axes((0.0, 0.14, 0.58, 0.86))
    number, rows, columns = error.shape
    _canvas(left, number, rows, columns)
    for array in range(number):
        place = array * (columns + GAP)
        drawn = left.imshow(
            error[array], cmap="RdBu_r", vmin=-LARGEST_ERROR, vmax=LARGEST_ERROR,
            extent=(place, place + columns, rows, 0), interpolation="nearest", rasterized=True,
        )  # fmt: skip
        left.add_patch(Rectangle((place, 0), columns, rows, fill=False, ec=GREY, lw=0.4))
    _canvas(left, number, rows, columns)
    bar = ax.inset_axes((0.14, 0.09, 0.3, 0.03))
    ax.figure.colorbar(drawn, cax=bar, orientation="horizontal", ticks=range(-LARGEST_ERROR, LARGEST_ERROR + 1))
    bar.tick_params(labelsize=5)
    bar.set_xlabel("level read − written, first chip", fontsize=5.5, labelpad=1)
    accuracy, error_of_it = (
        data.number(WRITE_ACCURACY, column, measurement=name, model=WRITE) for column in ("value", "standard_error")
    )
    text = f"{accuracy:.2f} ± {error_of_it:.2f} %" if np.isfinite(error_of_it) else f"{accuracy:.2f} %"
    right = ax.inset_axes((0.64, 0.12, 0.27, 0.74))
    shares = read["confusion"].to_numpy() / np.maximum(read["confusion"].to_numpy().sum(axis=1, keepdims=True), 1)
    shown = right.imshow(
        100 * shares,
        cmap=SEQUENTIAL,
        vmin=0,
        vmax=100,
        origin="lower",
        extent=(low - 0.5, high + 0.5, low - 0.5, high + 0.5),
    )
    right.set_xlabel("level read", fontsize=6)
    right.set_ylabel("level written", fontsize=6, labelpad=1)
    right.tick_params(labelsize=5)
    right.set_xticks(range(low, high + 1, 3))
    right.set_yticks(range(low, high + 1, 3))
    measured = bool(read.attrs["read_outs_sha256"])
    right.set_title(f"{'' if measured else 'model, set to be '}read at their level:\n{text}", fontsize=5.5, pad=2)
    scale = ax.inset_axes((0.925, 0.12, 0.015, 0.74))
    ax.figure.colorbar(shown, cax=scale).set_label("part of the cells (%)", fontsize=5.5)
    scale.tick_params(labelsize=5)


# --- letters
def letters(ax: Axes, data: PanelData) -> None:
    """Draw letters that the chip restored, the first two test letters of each class."""
    group = largest(data)
    rows_of_letters(ax, group, SHOWN)
    ax.set_title(f"{source_of(data)}; {_chip_of(group)}; {hole_of(group)}", fontsize=5.5, pad=2)


# --- distances
def distances(ax: Axes, data: PanelData) -> None:
    """Draw the distance of restored letters with every chip and without a chip, for every hole."""
    groups = list(data.curves.values())
    looks: tuple[dict[str, Any], ...] = (
        {"marker": "^", "ls": "", "color": GREEN, "ms": 3.5, "label": "float32, as many epochs"},
        {"marker": "D", "ls": "", "color": BLUE, "ms": 3, "label": "4 bit, trained for the chip, ideal chip"},
        {"marker": "o", "ls": "", "color": VERMILION, "ms": 2, "mew": 0, "alpha": 0.7, "label": _chips_of(groups[-1])},
    )
    for place, group in enumerate(groups):
        found = group["distances"].to_dataset()
        chips = found["distance"].to_numpy()
        places = (np.array([place - 0.22]), np.array([place]), place + 0.22 + np.linspace(-0.09, 0.09, chips.size))
        values = (np.array([found.attrs[FLOAT_LONGER]]), np.array([found.attrs[IDEAL]]), chips)
        for x, y, look in zip(places, values, looks, strict=True):
            ax.plot(x, y, **look | ({"label": None} if place else {}))
        ax.plot([place + 0.08, place + 0.36], [chips.mean()] * 2, color=VERMILION, lw=1)
    ax.set_xticks(range(len(groups)), [f"{group.attrs['hole']}×{group.attrs['hole']}" for group in groups])
    ax.set(xlabel="Hole (pixels)", ylabel="Paired Fréchet distance", xlim=(-0.5, len(groups) - 0.5), yscale="log")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.35)
    plain_ticks(ax)
    ax.legend(loc="upper left", fontsize=4.8)
    ax.set_title(source_of(data), fontsize=5.5, pad=2)


def _chip_of(group: xr.DataTree) -> str:
    """Return what the chip is: measured read-outs, or a model."""
    return "measured read-outs of a chip" if group["read_back"].attrs["read_outs_sha256"] else "model of the chip"


def _chips_of(group: xr.DataTree) -> str:
    """Return what the chips are, and how many there are."""
    number = group["distances"]["distance"].size
    return _chip_of(group) + (f" ({number} chips, mean)" if number > 1 else "")


# --- what each part costs
def breakdown(ax: Axes, data: PanelData) -> None:
    """Draw the distance of every variant of the chip."""
    group = largest(data)
    remark(ax, hole_of(group))
    found = group["variants"].to_dataset()
    names = [str(name) for name in found["variant"].to_numpy()]
    heights = np.arange(len(names))[::-1]
    ax.axvline(group["distances"].attrs[IDEAL], color=BLUE, lw=0.7, ls="--", label="ideal chip")
    ax.axvline(found.attrs["whole"], color=VERMILION, lw=0.7, label="whole chip")
    ax.errorbar(
        found["distance"],
        heights,
        xerr=found["distance_uncertainty"],
        fmt="o",
        color=BLACK,
        ms=2.5,
        elinewidth=0.6,
        capsize=1.2,
    )
    ax.set_yticks(heights, names, fontsize=5.5)
    ax.tick_params(axis="y", length=0)
    ax.set(xscale="log", xlabel="Paired Fréchet distance", ylim=(-0.7, len(names) - 0.3))
    plain_ticks(ax)
    ax.grid(axis="x", color=GREY, lw=0.3, alpha=0.5, which="both")
    ax.set_axisbelow(True)
    ax.legend(fontsize=5, loc="lower right")
