"""Drawings of crystal structures."""

from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.lines import Line2D

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLUE, GREY

COLORS = {"Cu": BLUE, "Bi": "#5FC35F", "P": "#0B4F2E", "Se": "#F0E442"}
"""Hues the paper names; told apart in grey, too, by their lightness and by the size of the ball."""
DIAMETERS = {"Cu": 1.5, "Bi": 1.9, "P": 0.95, "Se": 1.25}
"""Diameter of the balls, angstrom."""
OTHER = (GREY, 1.2)
VIEWS = {"side": (1, 2, 0), "top": (0, 1, 2)}
"""View → Cartesian axes that go right, up and to the viewer (x along a, y along b*, z along c)."""
DIRECTIONS = {"side": ("b*", "c"), "top": ("a", "b*")}
"""View → names of the directions to the right and up."""
SLICES = 12
"""Slices of depth that a structure is drawn in."""
MARGIN = 1.2
"""Free space around the atoms, angstrom."""
CORNER = 2.6
"""Length of the arrows that name the directions, angstrom."""


def views(ax: Axes, data: PanelData) -> None:
    """Draw each structure from the side and from the top (Fig. 1g)."""
    ax.set_axis_off()
    columns = len(data.curves)
    elements: list[str] = []
    for column, group in enumerate(data.curves.values()):
        atoms, bonds = group["atoms"].to_dataset(), group["bonds"].to_dataset()
        cell = group["cell"]["vector"].to_numpy()
        for view, bottom, height in (("side", 0.45, 0.47), ("top", 0.0, 0.43)):
            inset = ax.inset_axes((column / columns, bottom, 0.97 / columns, height))
            _draw(inset, atoms, bonds, cell, view)
            if view == "side":
                _displacements(inset, group["layers"].to_dataset())
            if view == "side":
                inset.set_title(_title(str(group.attrs["title"]), str(group.attrs["space_group"])), fontsize=6, pad=2)
        elements += [name for name in np.unique(atoms["element"].to_numpy()) if name not in elements]
    handles = [
        Line2D([], [], ls="", marker="o", ms=2.6 * _diameter(name), mfc=_color(name), mec="black", mew=0.4, label=name)
        for name in sorted(
            elements, key=lambda name: (name not in COLORS, list(COLORS).index(name) if name in COLORS else 0)
        )
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=len(handles),
        handletextpad=0.1,
        columnspacing=1.0,
    )


def _draw(ax: Axes, atoms: xr.Dataset, bonds: xr.Dataset, cell: np.ndarray, view: str) -> None:
    right, up, near = VIEWS[view]
    places = np.column_stack([atoms[axis].to_numpy() for axis in "xyz"])
    flat, depth = places[:, [right, up]], places[:, near]
    element = atoms["element"].to_numpy().astype(str)
    order = np.argsort(depth, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    ends = bonds["atom"].to_numpy()
    segments, colors, levels = [], [], []
    for begin, end in ends:
        middle = (flat[begin] + flat[end]) / 2
        for atom in (begin, end):
            segments.append([flat[atom], middle])
            colors.append(_color(element[atom]))
            levels.append(min(rank[begin], rank[end]))
    # Balls and sticks share one order: from the farthest to the nearest, in slices that draw quickly.
    slices = np.linspace(-1, len(order), SLICES + 1)
    for number, (low, high) in enumerate(pairwise(slices)):
        sticks = [index for index, level in enumerate(levels) if low < level <= high]
        parts = [segments[index] for index in sticks]
        inner = [colors[index] for index in sticks]
        for look, width in (("black", 1.2), (inner, 0.8)):
            ax.add_collection(
                LineCollection(parts, colors=look, linewidths=width, capstyle="round", zorder=2 + 0.02 * number)
            )
        chosen = order[(rank[order] > low) & (rank[order] <= high)]
        size = [_diameter(name) for name in element[chosen]]
        ax.add_collection(
            EllipseCollection(
                size,
                size,
                np.zeros(len(size)),
                units="xy",
                offsets=flat[chosen],
                offset_transform=ax.transData,
                facecolors=[_color(name) for name in element[chosen]],
                edgecolors="black",
                linewidths=0.3,
                zorder=2.01 + 0.02 * number,
            )
        )
    _outline(ax, cell, right, up)
    low, high = flat.min(axis=0) - MARGIN, flat.max(axis=0) + MARGIN
    corner = low - np.array([1.8 * CORNER, 0.0])
    for name, step in zip(DIRECTIONS[view], CORNER * np.eye(2), strict=True):
        _arrow(ax, corner, corner + step, "black")
        tip = corner + 1.12 * step
        ax.text(
            tip[0],
            tip[1],
            name,
            fontsize=5.5,
            style="italic",
            ha="center" if step[1] else "left",
            va="bottom" if step[1] else "center",
        )
    ax.set(xlim=(corner[0] - 0.3, high[0] + CORNER), ylim=(low[1] - 0.3, high[1]), aspect="equal")
    ax.set_axis_off()


def _outline(ax: Axes, cell: np.ndarray, right: int, up: int) -> None:
    """Draw the edges of one cell."""
    edges = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        for first in (0, 1):
            for second in (0, 1):
                corner = first * cell[others[0]] + second * cell[others[1]]
                edges.append(np.array([corner, corner + cell[axis]])[:, [right, up]])
    ax.add_collection(LineCollection(edges, colors=GREY, lw=0.5, ls="--", zorder=1))


def _displacements(ax: Axes, layers: xr.Dataset) -> None:
    """Draw beside each layer which way its copper stands off the middle, three times as long."""
    if "offset_Cu" not in layers:
        return
    right = ax.get_xlim()[1] - CORNER / 2
    for middle, offset in zip(layers["middle"].to_numpy(), layers["offset_Cu"].to_numpy(), strict=True):
        half = np.array([0.0, 1.5 * offset])
        _arrow(ax, np.array([right, middle]) - half, np.array([right, middle]) + half, COLORS["Cu"])


def _arrow(ax: Axes, begin: np.ndarray, end: np.ndarray, color: str) -> None:
    look = {"arrowstyle": "-|>", "lw": 0.7, "color": color, "mutation_scale": 5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=tuple(end), xytext=tuple(begin), arrowprops=look, annotation_clip=False)


def _title(title: str, space_group: str) -> str:
    state = "FE" if " FE " in f"{title} " else "AFE" if " AFE " in f"{title} " else title
    group = space_group.replace(" ", "").replace("-3", r"$\bar{3}$")
    return f"{state} ({group})"


def _color(element: str) -> str:
    return COLORS.get(element, OTHER[0])


def _diameter(element: str) -> float:
    return DIAMETERS.get(element, OTHER[1])
