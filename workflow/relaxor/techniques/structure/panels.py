"""Drawings of crystal structures."""

import re
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.lines import Line2D

from relaxor.figures.panel import PanelData
from relaxor.figures.style import COMPONENTS, GREY

Looks = dict[str, tuple[str, float]]
"""Colour and diameter (angstrom) of the ball that represents each element."""
VIEWS = {"side": (1, 2, 0), "top": (0, 1, 2)}
"""Cartesian axes to the right, up and towards the viewer in each view (x along a, y along b*, z along c)."""
DIRECTIONS = {"side": ("b*", "c"), "top": ("a", "b*")}
"""Names of the directions to the right and up in each view."""
SLICES = 12
"""Number of slices of depth in which a structure is drawn."""
MARGIN = 1.2
"""Free space around the atoms, angstrom."""
CORNER = 2.6
"""Length of the arrows that name the directions, angstrom."""


def views(ax: Axes, data: PanelData) -> None:
    """Draw each structure from the side and from the top."""
    ax.set_axis_off()
    columns = len(data.curves)
    looks = _looks(data)
    for column, group in enumerate(data.curves.values()):
        atoms, bonds = group["atoms"].to_dataset(), group["bonds"].to_dataset()
        cell = group["cell"]["vector"].to_numpy()
        for view, bottom, height in (("side", 0.45, 0.47), ("top", 0.0, 0.43)):
            inset = ax.inset_axes((column / columns, bottom, 0.97 / columns, height))
            _draw(inset, atoms, bonds, cell, view, looks)
            if view == "side":
                _displacements(inset, group["layers"].to_dataset(), looks)
                space_group = re.sub(r"-(\d)", r"$\\bar{\1}$", str(group.attrs["space_group"]).replace(" ", ""))
                inset.set_title(f"{group.attrs['title']} ({space_group})", fontsize=6, pad=2)
    handles = [
        Line2D([], [], ls="", marker="o", ms=2.6 * diameter, mfc=color, mec="black", mew=0.4, label=element)
        for element, (color, diameter) in looks.items()
    ]
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": len(handles)}
    ax.legend(handles=handles, **below, handletextpad=0.1, columnspacing=1.0)


def _looks(data: PanelData) -> Looks:
    """Return the looks of all elements in the order of the legend; those without a colour take that of the palette."""
    found: Looks = {}
    for group in data.curves.values():
        table = group["elements"].to_dataset()
        for element, color, diameter in zip(
            *(table[name].values for name in ("element", "color", "diameter")), strict=True
        ):
            found.setdefault(str(element), (color or COMPONENTS[len(found) % len(COMPONENTS)], float(diameter)))
    return found


def _draw(ax: Axes, atoms: xr.Dataset, bonds: xr.Dataset, cell: np.ndarray, view: str, looks: Looks) -> None:
    right, up, near = VIEWS[view]
    places = np.column_stack([atoms[axis].to_numpy() for axis in "xyz"])
    flat = places[:, [right, up]]
    _balls_and_sticks(
        ax, atoms["element"].to_numpy().astype(str), flat, places[:, near], bonds["atom"].to_numpy(), looks
    )
    _outline(ax, cell, right, up)
    low, high = flat.min(axis=0) - MARGIN, flat.max(axis=0) + MARGIN
    corner = low - np.array([1.8 * CORNER, 0.0])
    for name, step in zip(DIRECTIONS[view], CORNER * np.eye(2), strict=True):
        _arrow(ax, corner, corner + step, "black")
        x, y = corner + 1.12 * step
        ha, va = ("center", "bottom") if step[1] else ("left", "center")
        ax.text(x, y, name, fontsize=5.5, style="italic", ha=ha, va=va)
    ax.set(xlim=(corner[0] - 0.3, high[0] + CORNER), ylim=(low[1] - 0.3, high[1]), aspect="equal")
    ax.set_axis_off()


def _balls_and_sticks(
    ax: Axes, element: np.ndarray, flat: np.ndarray, depth: np.ndarray, ends: np.ndarray, looks: Looks
) -> None:
    """Draw atoms and bonds in one order, from the farthest to the nearest, in slices that draw quickly.

    Parameters
    ----------
    element, flat, depth
        Element, place in the drawing, shape (n, 2), and height towards the viewer of each atom, shape (n,).
    ends
        Indices of the two atoms of each bond, shape (m, 2).
    """
    color = np.array([looks[name][0] for name in element])
    diameter = np.array([looks[name][1] for name in element])
    order = np.argsort(depth, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    # Each half of a bond has the colour of its atom.
    segments = np.stack([flat[ends], np.broadcast_to(flat[ends].mean(axis=1, keepdims=True), flat[ends].shape)], axis=2)
    level = rank[ends].min(axis=1)
    for number, (low, high) in enumerate(pairwise(np.linspace(-1, len(order), SLICES + 1))):
        sticks = (low < level) & (level <= high)
        halves, inner = segments[sticks].reshape(-1, 2, 2), color[ends[sticks]].ravel()
        for look, width in (("black", 1.2), (inner, 0.8)):
            ax.add_collection(
                LineCollection(halves, colors=look, linewidths=width, capstyle="round", zorder=2 + 0.02 * number)
            )
        balls = order[(rank[order] > low) & (rank[order] <= high)]
        ax.add_collection(
            EllipseCollection(
                diameter[balls],
                diameter[balls],
                np.zeros(len(balls)),
                units="xy",
                offsets=flat[balls],
                offset_transform=ax.transData,
                facecolors=color[balls],
                edgecolors="black",
                linewidths=0.3,
                zorder=2.01 + 0.02 * number,
            )
        )


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


def _displacements(ax: Axes, layers: xr.Dataset, looks: Looks) -> None:
    """Draw beside each layer which way each displaced element stands off the middle, three times as long."""
    right = ax.get_xlim()[1] - CORNER / 2
    for column, offsets in enumerate(layers["offset"]):
        color = looks[str(offsets["element"].item())][0]
        place = right + column * CORNER / 2
        for middle, offset in zip(layers["middle"].to_numpy(), offsets.to_numpy(), strict=True):
            half = np.array([0.0, 1.5 * offset])
            _arrow(ax, np.array([place, middle]) - half, np.array([place, middle]) + half, color)
    if layers.sizes["element"] > 1:
        ax.set_xlim(right=right + layers.sizes["element"] * CORNER / 2)


def _arrow(ax: Axes, begin: np.ndarray, end: np.ndarray, color: str) -> None:
    look = {"arrowstyle": "-|>", "lw": 0.7, "color": color, "mutation_scale": 5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=tuple(end), xytext=tuple(begin), arrowprops=look, annotation_clip=False)
