"""Panels of the inpainting: the two networks, weights of four bits, restored letters, distances and losses."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from relaxor.core.results import Status
from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SEQUENTIAL, SKY, VERMILION, remark
from relaxor.inpainting.images import centre
from relaxor.inpainting.quantities import AWARE, FLOAT, FLOAT_LONGER, PAIRED, UNFILLED

LOOKS = {
    FLOAT: ("float32, fewer epochs", GREY, "o"),
    FLOAT_LONGER: ("float32, all epochs", GREEN, "^"),
    "plain": ("4 bit, nearest level", ORANGE, "s"),
    "clipped": ("4 bit, least squares", SKY, "v"),
    "per_column": ("4 bit, scale a column", BLUE, "D"),
    AWARE: ("4 bit, trained for the chip", VERMILION, "*"),
}
"""Name, colour and marker of each decoder."""
SHOWN = {"original": "original", "unfilled": "with hole", "aware": "restored, 4 bit"}
"""Text next to the row of letters of each decoder."""
HOLE_GREY = 40
"""Ink, 0 to 255, that shows where the hole is."""
GAP = 60
"""Cells between two matrices of weights."""
TALLEST = 30.0
"""Height of the widest layer, where that of the panel is 50."""


# --- the networks
def generator(ax: Axes, data: PanelData) -> None:
    """Draw the device as encoder and the decoder, with the widths of the networks that were trained."""
    groups = sorted(data.curves.values(), key=_hole)
    sizes = [json.loads(group.attrs["networks"])["decoder"] for group in groups]
    outputs = "/".join(str(size[-1]) for size in sizes)
    _canvas(ax)
    letters = groups[-1]["letters"].to_dataset()
    _image(ax, (8, 26), _picked(letters, "unfilled"), "28×28")
    _box(ax, 25, 14, PURPLE, f"{sizes[0][0]} devices\n4 pulses each")
    widths = [*sizes[0][:-1], sizes[-1][-1]]
    names = [f"{sizes[0][0]}\ncurrents", *(f"{size}\nReLU" for size in sizes[0][1:-1]), f"{outputs}\nsigmoid"]
    places = np.linspace(43, 77, len(widths)).tolist()
    _layers(ax, places, widths, names, BLUE)
    _image(ax, (92, 26), _picked(letters, "aware"), "filled")
    _arrows(ax, [(14.5, 17.5), (32.5, places[0] - 2), (places[-1] + 2, 85)])


def discriminator(ax: Axes, data: PanelData) -> None:
    """Draw the discriminator and its two answers, with the widths of the network that was trained."""
    group = largest(data)
    sizes = json.loads(group.attrs["networks"])["discriminator"]
    letters = group["letters"].to_dataset()
    _canvas(ax)
    _image(ax, (10, 37), _picked(letters, "original"), "original")
    _image(ax, (10, 13), _picked(letters, "aware"), "completed")
    places = np.linspace(32, 62, len(sizes) - 1).tolist()
    names = [f"{sizes[0]}\npixels", *(f"{size}\nLReLU" for size in sizes[1:-1])]
    _layers(ax, places, sizes[:-1], names, GREEN)
    for height, text, color in (
        (35, "1: real or\ngenerated\n(BCE)", VERMILION),
        (15, f"{sizes[-1] - 1}: which\nletter\n(CE)", ORANGE),
    ):
        _box(ax, 88, 17, color, text, height=13, middle=height)
        _arrow(ax, (places[-1] + 2, 25), (79, height))
    for height in (37, 13):
        _arrow(ax, (18, height), (places[0] - 2, 25))


def _canvas(ax: Axes) -> None:
    ax.set(xlim=(0, 100), ylim=(0, 50))
    ax.set_axis_off()


def _picked(letters: xr.Dataset, method: str) -> np.ndarray:
    """Return the first letter, shape (28, 28)."""
    return letters["ink"].sel(decoder=method).isel(example=0, letter=0).to_numpy()


def _image(ax: Axes, middle: tuple[float, float], values: np.ndarray, text: str) -> None:
    box = ax.get_window_extent()
    side = 13.0  # of the panel's width
    tall = side * box.width / box.height / 2  # the panel is 100 by 50
    x, y = middle
    ax.imshow(
        values, cmap="gray_r", vmin=0, vmax=255, extent=(x - side / 2, x + side / 2, y - tall / 2, y + tall / 2),
        aspect="auto", interpolation="nearest",
    )  # fmt: skip
    ax.add_patch(
        FancyBboxPatch((x - side / 2, y - tall / 2), side, tall, boxstyle="square,pad=0", fc="none", ec=GREY, lw=0.5)
    )
    ax.text(x, y - tall / 2 - 1, text, ha="center", va="top", fontsize=5)
    ax.set(xlim=(0, 100), ylim=(0, 50))


def _box(ax: Axes, x: float, width: float, color: str, text: str, height: float = 15, middle: float = 26) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, middle - height / 2), width, height, boxstyle="round,pad=0,rounding_size=2", fc=color,
            alpha=0.25, ec="none",
        )
    )  # fmt: skip
    ax.text(x, middle, text, ha="center", va="center", fontsize=5)


def _layers(ax: Axes, places: Sequence[float], sizes: Sequence[int], names: Sequence[str], color: str) -> None:
    """Draw layers as bars; their heights go with the root of their widths."""
    tallest = max(sizes)
    for x, size, name in zip(places, sizes, names, strict=True):
        height = TALLEST * np.sqrt(size / tallest)
        ax.add_patch(
            FancyBboxPatch(
                (x - 1.6, 28 - height / 2), 3.2, height, boxstyle="round,pad=0,rounding_size=1", fc=color, ec="none"
            )
        )
        ax.text(x, 10.5, name, ha="center", va="top", fontsize=5)
    _arrows(ax, [(a + 2, b - 2) for a, b in pairwise(places)], height=28)


def _arrows(ax: Axes, spans: Sequence[tuple[float, float]], height: float = 28) -> None:
    for start, end in spans:
        _arrow(ax, (start, height), (end, height))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=5, color=GREY, lw=0.7, shrinkA=0, shrinkB=0)
    )


# --- weights
def weights(ax: Axes, data: PanelData) -> None:
    """Draw the levels of the three layers of the decoder of the largest hole, cells to one scale."""
    group = largest(data)
    remark(ax, hole_of(group))
    layers = [group[child].to_dataset()["level"].to_numpy().T for child in group.children if child.startswith("layer_")]
    ax.set_axis_off()
    ax.set_anchor("W")
    left, tallest = 0, max(len(levels) for levels in layers)
    lowest, highest = (int(end([end(levels) for levels in layers])) for end in (np.min, np.max))
    for number, levels in enumerate(layers, 1):
        rows, columns = levels.shape
        drawn = ax.imshow(
            levels, cmap=SEQUENTIAL, vmin=lowest, vmax=highest, extent=(left, left + columns, tallest - rows, tallest),
            interpolation="nearest", rasterized=True,
        )  # fmt: skip
        text = f"layer {number}\n{rows} × {columns}"
        ax.text(left + columns / 2, tallest - rows - 12, text, ha="center", va="top", fontsize=5.5)
        left += columns + GAP
    ax.set(xlim=(-4, left - GAP + 4), ylim=(-90, tallest + 4))
    bar = ax.inset_axes((0.02, 0.1, 0.45, 0.035))
    ax.figure.colorbar(drawn, cax=bar, orientation="horizontal", ticks=[lowest, 0, highest]).set_label(
        "level of a weight"
    )
    bar.tick_params(labelsize=5)


# --- letters
def letters(ax: Axes, data: PanelData) -> None:
    """Draw the first two test letters of each class: original, with its hole, restored."""
    group = largest(data)
    rows_of_letters(ax, group, SHOWN)
    ax.set_title(f"{source_of(data)}; {hole_of(group)}", fontsize=5.5, pad=2)


def rows_of_letters(ax: Axes, group: xr.DataTree, rows: Mapping[str, str]) -> None:
    """Draw letters in rows, one row per decoder of ``rows`` (its name → what is written beside it)."""
    shown = group["letters"].to_dataset()
    lines, places = [], []
    for example in range(shown.sizes["example"]):
        for name in rows:
            ink = shown["ink"].sel(decoder=name).isel(example=example).to_numpy().copy()
            if name == "unfilled":
                ink[:, centre(group.attrs["hole"]), centre(group.attrs["hole"])] = HOLE_GREY
            lines.append(np.hstack(list(np.pad(ink, ((0, 0), (1, 1), (1, 1))))))
            places.append(sum(map(len, lines)) - len(lines[-1]) / 2)
        lines.append(np.zeros((8, lines[-1].shape[1]), np.uint8))
    ax.imshow(np.vstack(lines[:-1]), cmap="gray_r", vmin=0, vmax=255, interpolation="nearest", rasterized=True)
    ax.set_yticks(places, list(rows.values()) * shown.sizes["example"], fontsize=5)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def largest(data: PanelData) -> xr.DataTree:
    """Return the results of the largest hole."""
    return max(data.curves.values(), key=_hole)


def _hole(group: xr.DataTree) -> int:
    return int(group.attrs["hole"])


def hole_of(group: xr.DataTree) -> str:
    """Return the size of the hole in words."""
    return f"hole of {_hole(group)}×{_hole(group)} pixels"


def source_of(data: PanelData) -> str:
    """Return where the letters come from: EMNIST, or drawn by code."""
    return next(iter(data.curves.values())).attrs["letters"].partition(" (")[0]


# --- distances
def distances(ax: Axes, data: PanelData) -> None:
    """Draw the paired Fréchet distance of every decoder and hole."""
    holes = [group.attrs["hole"] for group in data.curves.values()]
    names = list(data.curves)
    offset = np.linspace(-0.3, 0.3, len(LOOKS))
    for shift, (method, (text, color, marker)) in zip(offset, LOOKS.items(), strict=True):
        rows = [data.row(PAIRED, measurement=name, model=method) for name in names]
        for place, row in enumerate(rows):
            value, low, high = (float(row[column]) for column in ("value", "ci_low", "ci_high"))
            error = np.abs([[value - max(low, 0.02 * value)], [high - value]])
            ax.errorbar(
                place + shift, value, error, fmt=marker, color=color, ms=4.5 if marker == "*" else 3,
                mfc=color if row["status"] == Status.OK else "white", mew=0.7, elinewidth=0.6, capsize=1.2,
                label=None if place else text,
            )  # fmt: skip
    unfilled = [data.number(PAIRED, measurement=name, model=UNFILLED) for name in names]
    ax.plot(np.arange(len(holes)), unfilled, "x", color=PURPLE, ms=4, label="hole not filled")
    ax.set_yscale("log")
    ax.set_xticks(range(len(holes)), [f"{hole}×{hole}" for hole in holes])
    ax.set(xlim=(-0.5, len(holes) - 0.5), xlabel="Hole (pixels)", ylabel="Paired Fréchet distance")
    ax.set_ylim(top=ax.get_ylim()[1] * 40)
    ax.legend(ncols=2, fontsize=4.8, loc="upper left", handletextpad=0.2, columnspacing=0.6, borderpad=0.1)
    ax.set_title(source_of(data), fontsize=5.5, pad=2)


# --- losses
def reconstruction(ax: Axes, data: PanelData) -> None:
    """Draw the squared error of training and of fine-tuning, epoch by epoch, for every hole."""
    colors = (SKY, ORANGE, BLACK, GREEN, PURPLE, VERMILION, BLUE)
    for number, group in enumerate(data.curves.values()):
        color, width = colors[number % len(colors)], 0.9 if number < len(colors) else 1.8
        first, second = (group[part].to_dataset() for part in ("training", "fine_tuning"))
        last = float(first["epoch"][-1])
        ax.plot(
            first["epoch"],
            first["reconstruction"],
            color=color,
            lw=width,
            label=f"{group.attrs['hole']}×{group.attrs['hole']}",
        )
        ax.plot(last + second["epoch"], second["reconstruction"], color=color, lw=width, ls="--")
    ax.axvline(last + 0.5, color=GREY, lw=0.5, ls=":")
    ax.set(xlabel="Epoch", ylabel="Squared error of a pixel")
    ax.set_ylim(bottom=0)
    ax.plot([], [], color=GREY, ls="--", label="on levels, with noise")
    ax.legend(title="hole", title_fontsize=6, fontsize=5, ncols=2, loc="upper right")


def adversaries(ax: Axes, data: PanelData) -> None:
    """Draw the losses of the two networks against each other, for the largest hole."""
    group = largest(data)
    remark(ax, hole_of(group))
    losses = group["training"].to_dataset()
    looks = {
        "adversarial": ("decoder: taken for real (BCE)", VERMILION, "-"),
        "discriminator_real": ("discriminator: originals (BCE)", BLUE, "-"),
        "discriminator_generated": ("discriminator: completed (BCE)", BLUE, "--"),
        "discriminator_letter_real": ("letter of originals (CE)", GREEN, "-"),
        "letter_generated": ("letter of completed (CE)", GREEN, "--"),
    }
    for name, (text, color, style) in looks.items():
        ax.plot(losses["epoch"], losses[name], color=color, ls=style, label=text)
    ax.set(xlabel="Epoch", ylabel="Loss (nat)")
    ax.set_ylim(
        0, 1.7 * max(float(losses[name][1:].max() if losses[name].size > 1 else losses[name].max()) for name in looks)
    )
    ax.legend(loc="upper right", fontsize=5)
