"""EDX panel."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from relaxor.core.results import Status
from relaxor.figures.panel import PanelData
from relaxor.figures.shown import first_measurement
from relaxor.figures.style import BLACK, COMPONENTS, GREY, HATCHES, VERMILION, label
from relaxor.techniques.edx.quantities import ATOMIC_PERCENT


def spectrum(ax: Axes, data: PanelData) -> None:
    """Draw counts, fit, bremsstrahlung and the families of lines, and write the composition in a corner."""
    measurement, group = first_measurement(ax, data)
    curves = group["spectrum"].to_dataset()
    energy = curves.energy.values
    ax.plot(energy, curves.data, ".", color=BLACK, ms=1.0, mew=0)
    ax.plot(energy, curves.background, color=GREY, lw=0.7)
    elements = list(dict.fromkeys(curves.element.values))
    floor = max(0.4 * float(np.quantile(curves.fit, 0.005)), 0.5)
    for family, element, counts, line in zip(
        *(curves[name].values for name in ("family", "element", "components", "line_energy")), strict=True
    ):
        rounds, place = divmod(elements.index(element), len(COMPONENTS))
        look: dict[str, Any] = {
            "facecolor": COMPONENTS[place],
            "edgecolor": "white",
            "hatch": HATCHES[rounds % len(HATCHES)],
        }
        total = counts + curves.background.values
        drawn = np.where(counts > 0.02 * curves.background.values, total, np.nan)
        ax.fill_between(energy, curves.background, drawn, **look, alpha=0.35, lw=0)
        peak = int(np.argmin(np.abs(energy - line)))
        label(ax, family, (energy[peak], float(curves.fit[peak])), (0, 2.5), rotation=90)
    ax.plot(energy, curves.fit, color=VERMILION, lw=0.6)
    top = float(curves.fit.max())
    ax.set(yscale="log", xlim=(0.0, energy[-1]), ylim=(floor, 500 * top))
    ax.set_xlabel("Energy (keV)")
    ax.set_ylabel("Counts per channel")
    _composition(ax, data, measurement)


def _composition(ax: Axes, data: PanelData, measurement: str) -> None:
    """Write atomic percent with counting and systematic uncertainty in the free corner."""
    lines = ["       at.%  ± count ± sys"]
    for row in data.rows(ATOMIC_PERCENT, measurement=measurement).itertuples(index=False):
        sign = "<" if row.status == Status.LIMIT else " "
        lines.append(f"{row.feature:<3}{sign}{row.value:6.2f} {row.standard_error:7.2f} {row.systematic_error:5.1f}")
    look: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 4.8, "family": "monospace", "linespacing": 1.25}
    ax.text(0.985, 0.97, "\n".join(lines), transform=ax.transAxes, **look)
