"""Band diagram of the contact, drawn to scale from the constants of the settings."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from relaxor.figures.band_bending import Contact
from relaxor.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION

ABOVE, BELOW = 0.74, 0.42
"""Range of energy (eV) that is shown above the conduction band and below the valence band."""


def bands(ax: Axes, *, metal: str, **constants: float) -> None:
    """Draw the bands before and after contact on one scale of energy.

    Energies are relative to the vacuum level of the metal, which is fixed, while the levels of the semiconductor move.

    Parameters
    ----------
    metal
        Name of the contact metal.
    constants
        See `relaxor.figures.schematic_settings.Bands`.
    """
    contact = Contact(**constants)
    ax.set_axis_off()
    before, after = ax.inset_axes((0, 0, 0.43, 0.95)), ax.inset_axes((0.49, 0, 0.51, 0.95))
    shift = max(contact.bending, 0.0), min(contact.bending, 0.0)
    levels = -contact.electron_affinity, -contact.electron_affinity - contact.band_gap
    lowest = min(levels[1] + shift[1], -contact.metal_work_function)
    for axes, title in ((before, "before contact"), (after, "after contact")):
        axes.set_ylim(lowest - BELOW, levels[0] + shift[0] + ABOVE)
        axes.set_title(title, fontsize=6, pad=2)
        axes.tick_params(labelsize=5.5, pad=1.5)
    before.set_ylabel("Energy (eV, vacuum 0)", fontsize=6, labelpad=1.5)
    after.tick_params(left=False, labelleft=False)
    _before(before, contact, metal)
    _after(after, contact, metal)


def _before(ax: Axes, contact: Contact, metal: str) -> None:
    ax.set(xlim=(0, 10), xticks=[])
    conduction, valence = -contact.electron_affinity, -contact.electron_affinity - contact.band_gap
    metal_level, level = -contact.metal_work_function, -contact.work_function
    _metal(ax, (0, 3.2), metal_level, metal)
    _fill(ax, np.array([4.4, 10.0]), np.full(2, conduction), np.full(2, valence))
    ax.plot([4.4, 10], [level, level], color=GREEN, lw=0.8, ls="--")
    top = ax.get_ylim()[1]
    for x, low in ((1.6, metal_level), (9.2, level)):
        _measure(ax, x, low, top, "-|>")
        side, ha = (0.25, "left") if x < 5 else (-0.25, "right")
        _note(ax, x + side, conduction - 0.06, f"Φ {-low:.2f} eV", rotation=90, ha=ha, va="top")
    _measure(ax, 5.2, conduction, top, "-|>")
    _note(ax, 5.45, (conduction + top) / 2, f"χ {contact.electron_affinity:.2f} eV", rotation=90)
    _measure(ax, 5.2, valence, conduction, "<|-|>")
    _note(ax, 5.45, (valence + conduction) / 2, f"$E_g$ {contact.band_gap:.2f} eV", rotation=90)


def _after(ax: Axes, contact: Contact, metal: str) -> None:
    distance, bending = contact.profile()
    reach = max(2.2 * contact.width, 10.0)
    x = np.append(distance, max(2 * reach, distance.max(initial=0.0)))
    lowered = np.append(bending, 0.0)
    conduction = -contact.electron_affinity + contact.bending - lowered
    level = -contact.metal_work_function
    ax.set(xlim=(-0.25 * reach, reach))
    _metal(ax, (-0.25 * reach, 0.0), level, metal)
    _fill(ax, x, conduction, conduction - contact.band_gap)
    ax.plot([0, reach], [level, level], color=GREEN, lw=0.8, ls="--")
    _note(ax, 0.97 * reach, level + 0.03, "$E_F$", GREEN, ha="right", va="bottom")
    _note(ax, 0.97 * reach, conduction[-1] + 0.03, "$E_C$", BLUE, ha="right", va="bottom")
    _note(ax, 0.97 * reach, conduction[-1] - contact.band_gap - 0.04, "$E_V$", VERMILION, ha="right", va="top")
    ax.set_xlabel("Distance from contact (nm)", fontsize=6, labelpad=1.5)
    if contact.width:
        middle = 0.6 * conduction[-1] + 0.4 * level
        _arrow(ax, (0, middle), (contact.width, middle), "<|-|>")
        edge = float(np.interp(contact.width, x, conduction))
        ax.plot([contact.width] * 2, [middle, edge], color=GREY, lw=0.5, ls=":")
        kind = "depletion" if contact.bending > 0 else "accumulation"
        text = f"{kind} {contact.width:.0f} nm\nbending {abs(contact.bending):.2f} eV"
        ax.text(0.02 * reach, middle - 0.06, text, fontsize=5, va="top", linespacing=1.2)


def _metal(ax: Axes, ends: tuple[float, float], level: float, name: str) -> None:
    """Draw a metal: filled up to its Fermi level."""
    low = ax.get_ylim()[0]
    ax.fill_between(ends, low, level, color=ORANGE, alpha=0.5, lw=0)
    ax.plot(ends, [level, level], color=BLACK, lw=0.9)
    _note(ax, sum(ends) / 2, (low + level) / 2, name, ha="center")


def _fill(ax: Axes, x: np.ndarray, conduction: np.ndarray, valence: np.ndarray) -> None:
    """Draw the edges of both bands; the valence band is filled."""
    ax.fill_between(x, ax.get_ylim()[0], valence, color=VERMILION, alpha=0.2, lw=0)
    ax.plot(x, conduction, color=BLUE, lw=0.9)
    ax.plot(x, valence, color=VERMILION, lw=0.9)


def _measure(ax: Axes, x: float, low: float, high: float, style: str) -> None:
    """Draw an arrow between two energies."""
    _arrow(ax, (x, low), (x, high), style)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], style: str) -> None:
    look = {"arrowstyle": style, "lw": 0.5, "color": BLACK, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 4}
    ax.annotate("", end, start, arrowprops=look)


def _note(ax: Axes, x: float, y: float, text: str, color: str = BLACK, **place: Any) -> None:
    ax.text(x, y, text, fontsize=5.5, color=color, **{"va": "center", **place})
