"""Panels of the AFM images."""

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.images import show_image
from relaxor.figures.panel import PanelData
from relaxor.figures.style import COMPONENTS, GREY, VERMILION, label, line_look, remark, spread
from relaxor.techniques.afm import quantities as q

FOOT = 0.12
"""Lower end of the colour bar and of the profiles, in heights of the panel; the labels of their axes are below."""
BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.3}
GAP = 0.06
"""Part of the axis of heights by which the labels of two flakes are apart at least."""


def step(ax: Axes, data: PanelData) -> None:
    """Draw the height image of the first flake and the mean profiles of all flakes with their fitted levels."""
    ax.set_axis_off()
    name, group = next(iter(data.curves.items()))
    if len(data.curves) > 1:
        remark(ax, f"image: {name}; profiles: {', '.join(data.curves)}")
    image = group["map"].to_dataset()
    place = ax.inset_axes((0.0, 0.2, 0.42, 0.8), anchor="S")
    thickness = data.number(q.STEP_HEIGHT, measurement=name, model=q.PROFILE_LINEAR)
    height = image.height.to_numpy()
    limits = (-0.35 * thickness, 1.35 * thickness)
    drawn = show_image(place, height, image.x.to_numpy(), image.y.to_numpy(), limits)
    bar = ax.inset_axes((0.02, FOOT, 0.38, 0.035))
    ax.figure.colorbar(drawn, cax=bar, orientation="horizontal").set_label("Height (nm)", labelpad=1)
    bar.tick_params(labelsize=5.5, pad=1.5)
    _profiles(ax.inset_axes((0.56, FOOT, 0.44, 1 - FOOT)), data)


def _profiles(ax: Axes, data: PanelData) -> None:
    found = []
    for number, (name, group) in enumerate(data.curves.items()):
        profile = group["profile"].to_dataset()
        distance = profile.distance.to_numpy() / 1e3
        mean, error = profile["data"].to_numpy(), profile.data_uncertainty.to_numpy()
        look = line_look(number, COMPONENTS)
        ax.fill_between(distance, mean - 2 * error, mean + 2 * error, color=look["color"], alpha=0.35, lw=0)
        ax.plot(distance, mean, **look, lw=0.7)
        right = distance > 0
        step_height = data.row(q.STEP_HEIGHT, measurement=name, model=q.PROFILE_LINEAR)
        ax.plot(distance[right], np.full(right.sum(), step_height.value), color=VERMILION, lw=0.7, ls="--")
        uncertainty = float(np.hypot(step_height.standard_error, step_height.systematic_error))
        found.append((float(step_height.value), f"{step_height.value:.2f} ± {uncertainty:.2f}", look["color"]))
    found.sort()
    low, high = (end * found[-1][0] for end in (-0.12, 1.2))
    places = spread([height for height, _, _ in found], GAP * (high - low), 0.0, found[-1][0])
    for place, (_, text, color) in zip(places, found, strict=True):
        label(ax, text, (0, place), (3, 2.5), ha="left", color=color, bbox=BOX)
    ax.axhline(0, color=GREY, lw=0.5, ls=":")
    ax.set_ylim(low, high)
    ax.set_xlabel("Distance from edge (µm)", labelpad=1.5)
    ax.set_ylabel("Mean height (nm)", labelpad=1.5)
