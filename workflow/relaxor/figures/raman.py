"""Raman panels."""

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.style import BLACK, COMPONENTS, GREY, VERMILION


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw spectrum, fit and modes on the axis calibrated on silicon (Fig. 1c)."""
    measurement, group = next(iter(data.curves.items()))
    curves = group["spectrum"].to_dataset()
    shift = curves.raman_shift.values + data.number("shift_offset", measurement=measurement, model="voigt")
    baseline = curves.baseline.values
    ax.plot(shift, (curves.data - baseline) / 1e3, ".", color=BLACK, ms=1.2, label="data")
    ax.plot(shift, (curves.fit - baseline) / 1e3, color=VERMILION, lw=0.8, label="fit")
    modes = [str(line) for line in curves.line.values]
    top = 0.0
    for number, name in enumerate(modes):
        line = curves.components.sel(line=name).values / 1e3
        silicon = name.startswith("Si")
        color = GREY if silicon else COMPONENTS[number % len(COMPONENTS)]
        ax.fill_between(shift, line, color=color, alpha=0.35, lw=0)
        if silicon:
            continue
        center = data.number(f"{name}_center", measurement=measurement, model="voigt")
        top = max(top, float(line.max()))
        ax.annotate(
            f"{_mode(name)}  {center:.1f}",
            (center, float(((curves.fit - baseline) / 1e3).values[np.argmin(abs(shift - center))])),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=5,
        )
    ax.set(xlim=(shift[0], shift[-1]), ylim=(-0.08 * top, 1.45 * top))
    silicon_top = float(curves.components.sel(line="Si").max()) / 1e3
    if silicon_top > 1.45 * top:
        ax.annotate(
            "Si ↑", (520, 1.42 * top), xytext=(5, 0), textcoords="offset points", va="top", fontsize=5, color=GREY
        )
    ax.set_xlabel("Raman shift (cm$^{-1}$)")
    ax.set_ylabel("Intensity above baseline (10$^3$ counts)")
    ax.legend(loc="upper center", ncols=2, handlelength=1.2)


def _mode(name: str) -> str:
    """Write ``Eg1`` as the paper does: E with index g, raised 1."""
    return f"{name[0]}$_{{{name[1]}}}^{{{name[2:]}}}$"
