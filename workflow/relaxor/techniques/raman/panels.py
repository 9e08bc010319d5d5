"""Raman panels."""

import re

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, COMPONENTS, GREY, VERMILION, apart, label
from relaxor.techniques.raman.quantities import RAMAN_SHIFT, VOIGT

MODE = re.compile(r"([A-Z])([gu])(\d*)")
"""A mode named by its symmetry, such as ``Eg1``."""
LABEL_WIDTH = 0.03
"""Part of the axis that an upright label takes."""
TOP = 1.45
"""Upper end of the axis in heights of the highest line that is not of the substrate."""


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw spectrum, fit and lines on the calibrated axis; lines that were found have no baseline between."""
    measurement, group = next(iter(data.curves.items()))
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
    for index in apart(centers, [heights[name] for name in named], LABEL_WIDTH * float(np.ptp(shift))):
        place = centers[index], float(fit[np.nanargmin(abs(shift - centers[index]))])
        label(ax, f"{_mode(named[index])}{centers[index]:.1f}", place, rotation=90)
    ax.set(xlim=(shift[0], shift[-1]), ylim=(-0.08 * top, TOP * top))
    clipped = [name for name in of_substrate if heights[name] > TOP * top]
    if clipped:
        strongest = max(clipped, key=lambda name: heights[name])
        center = float(curves.center.sel(line=strongest))
        place = float(np.interp(center, curves.raman_shift.values, shift)), 1.42 * top
        label(ax, f"{strongest} ↑", place, (5, 0), ha="left", va="top", color=GREY)
    ax.set_xlabel("Raman shift (cm$^{-1}$)")
    ax.set_ylabel("Intensity above baseline (10$^3$ counts)")
    ax.legend(loc="upper center", ncols=2, handlelength=1.2)


def _mode(name: str) -> str:
    """Write ``Eg1`` as E with the index g and a raised 1; a line that is no mode has no name but its place."""
    found = MODE.fullmatch(name)
    return f"{found[1]}$_{{{found[2]}}}^{{{found[3]}}}$  " if found else ""
