"""Raman panels."""

import re

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, COMPONENTS, GREY, VERMILION

MODE = re.compile(r"([A-Z])([gu])(\d*)")
"""A mode named by its symmetry, such as ``Eg1``."""


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw spectrum, fit and lines on the calibrated axis (Fig. 1c); lines that were found have no baseline between."""
    measurement, group = next(iter(data.curves.items()))
    curves = group["spectrum"].to_dataset()
    shift = curves.raman_shift.values + data.number("shift_offset", measurement=measurement, model="voigt")
    baseline = curves.baseline.interpolate_na("raman_shift", fill_value="extrapolate").values
    fit = (curves.fit - baseline).values / 1e3
    ax.plot(shift, (curves.data - baseline) / 1e3, ".", color=BLACK, ms=1.2, label="data")
    ax.plot(shift, fit, color=VERMILION, lw=0.8, label="fit")
    top = 0.0
    for number, name in enumerate(map(str, curves.line.values)):
        line = curves.components.sel(line=name).values / 1e3
        silicon = name.startswith("Si")
        color = GREY if silicon else COMPONENTS[number % len(COMPONENTS)]
        ax.fill_between(shift, line, color=color, alpha=0.35, lw=0)
        if silicon:
            continue
        center = data.number(f"{name}_center", measurement=measurement, model="voigt")
        top = max(top, float(np.nanmax(line)))
        ax.annotate(
            f"{_mode(name)}{center:.1f}",
            (center, float(fit[np.nanargmin(abs(shift - center))])),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=5,
        )
    ax.set(xlim=(shift[0], shift[-1]), ylim=(-0.08 * top, 1.45 * top))
    if "Si" in curves.line and float(curves.components.sel(line="Si").max()) / 1e3 > 1.45 * top:
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
