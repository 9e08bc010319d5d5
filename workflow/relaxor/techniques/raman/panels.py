"""Raman panels."""

import re

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, COMPONENTS, GREY, VERMILION, apart
from relaxor.techniques.raman.quantities import RAMAN_SHIFT, SHIFT_OFFSET, VOIGT

MODE = re.compile(r"([A-Z])([gu])(\d*)")
"""A mode named by its symmetry, such as ``Eg1``."""
LABEL_WIDTH = 0.03
"""Part of the axis that an upright label takes."""


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw spectrum, fit and lines on the calibrated axis; lines that were found have no baseline between."""
    measurement, group = next(iter(data.curves.items()))
    curves = group["spectrum"].to_dataset()
    shift = curves.raman_shift.values + data.number(SHIFT_OFFSET, measurement=measurement, model=VOIGT)
    baseline = curves.baseline.interpolate_na("raman_shift", fill_value="extrapolate").values
    fit = (curves.fit - baseline).values / 1e3
    ax.plot(shift, (curves.data - baseline) / 1e3, ".", color=BLACK, ms=1.2, label="data")
    ax.plot(shift, fit, color=VERMILION, lw=0.8, label="fit")
    lines = [str(name) for name in curves.line.values]
    heights = {name: float(curves.components.sel(line=name).max()) / 1e3 for name in lines}
    for number, name in enumerate(lines):
        color = GREY if name.startswith("Si") else COMPONENTS[number % len(COMPONENTS)]
        ax.fill_between(shift, curves.components.sel(line=name) / 1e3, color=color, alpha=0.35, lw=0)
    named = [name for name in lines if not name.startswith("Si")]
    centers = [data.number(RAMAN_SHIFT, measurement=measurement, model=VOIGT, feature=name) for name in named]
    top = max((heights[name] for name in named or lines), default=np.ptp((curves.data - baseline).values) / 1e3)
    for index in apart(centers, [heights[name] for name in named], LABEL_WIDTH * float(np.ptp(shift))):
        ax.annotate(
            f"{_mode(named[index])}{centers[index]:.1f}",
            (centers[index], float(fit[np.nanargmin(abs(shift - centers[index]))])),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=5,
        )
    ax.set(xlim=(shift[0], shift[-1]), ylim=(-0.08 * top, 1.45 * top))
    if heights.get("Si", 0.0) > 1.45 * top:
        ax.annotate(
            "Si ↑", (520, 1.42 * top), xytext=(5, 0), textcoords="offset points", va="top", fontsize=5, color=GREY
        )
    ax.set_xlabel("Raman shift (cm$^{-1}$)")
    ax.set_ylabel("Intensity above baseline (10$^3$ counts)")
    ax.legend(loc="upper center", ncols=2, handlelength=1.2)


def _mode(name: str) -> str:
    """Write ``Eg1`` as the paper does: E with index g, raised 1; a line without a mode has no name but its place."""
    found = MODE.fullmatch(name)
    return f"{found[1]}$_{{{found[2]}}}^{{{found[3]}}}$  " if found else ""
