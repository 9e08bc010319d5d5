"""Schematic panels without data: from the synapse to the device and to inpainting, and the device under light."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path

from relaxor.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, light_color, subscripts

BOX = (56.0, 42.0)
"""Width and height of a block in its own units, which are millimetres in a figure of two columns."""
LETTER = ("0011100", "0110110", "1100011", "1111111", "1100011", "1100011", "1100011")
"""A letter A of 7 × 7 pixels; its middle 3 × 3 pixels are the hole."""
HOLE = range(2, 5)


def synapse(ax: Axes, *, material: str, electrode: str) -> None:
    """Draw how a synapse, a two-terminal device and in-sensor inpainting correspond.

    Three blocks are drawn side by side in a wide panel; in a narrow one, the third fills the lower row.
    """
    device = partial(_device, material=material, electrode=electrode)
    blocks: tuple[Callable[[Axes, float], None], ...] = (_synapse, device, _inpainting)
    ax.set_axis_off()
    place = ax.get_position()
    width, height = ax.figure.bbox.size
    wide = place.width * width > 2.2 * place.height * height
    if wide:
        places = [(0.0, 0.0, 0.32, 1.0), (0.34, 0.0, 0.32, 1.0), (0.68, 0.0, 0.32, 1.0)]
        ends = [((0.322, 0.5), (0.338, 0.5)), ((0.662, 0.5), (0.678, 0.5))]
    else:
        places = [(0.0, 0.52, 0.48, 0.48), (0.52, 0.52, 0.48, 0.48), (0.0, 0.0, 1.0, 0.49)]
        ends = [((0.475, 0.78), (0.525, 0.78)), ((0.76, 0.525), (0.76, 0.475))]
    size = 6.0 if wide else 4.4
    for block, bounds, is_last in zip(blocks, places, (False, False, True), strict=True):
        inner = ax.inset_axes(bounds)
        # In the lower row of a narrow panel the last block may be as wide as two.
        scale = 1.75 if is_last and not wide else 1.0
        inner.set(xlim=(0, BOX[0] * scale), ylim=(0, BOX[1]), aspect="equal")
        inner.set_axis_off()
        block(inner, size)
    for start, end in ends:
        ax.add_patch(
            FancyArrowPatch(
                start, end, transform=ax.transAxes, arrowstyle="-|>", mutation_scale=7, color=GREY, lw=1.2, shrinkA=0,
                shrinkB=0,
            )
        )  # fmt: skip


def _title(ax: Axes, text: str, size: float) -> None:
    ax.text(sum(ax.get_xlim()) / 2, BOX[1] - 0.5, text, ha="center", va="top", fontsize=size + 0.6, weight="bold")


def _label(ax: Axes, x: float, y: float, text: str, size: float, color: str = BLACK, ha: str = "center") -> None:
    ax.text(x, y, text, ha=ha, va="center", fontsize=size, color=color)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str, style: str = "-|>") -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle=style, mutation_scale=5, color=color, lw=0.8, shrinkA=0, shrinkB=0)
    )


def _synapse(ax: Axes, size: float) -> None:
    """Draw the end of an axon above, the membrane of the next neuron below, and vesicles and transmitter between."""
    _title(ax, "Synapse", size)
    middle = 20.0
    curve = [
        (middle - 4, 36), (middle - 4, 31), (middle - 17, 30), (middle - 16, 22), (middle - 15, 17.5),
        (middle - 6, 17.5), (middle, 17.5), (middle + 6, 17.5), (middle + 15, 17.5), (middle + 16, 22),
        (middle + 17, 30), (middle + 4, 31), (middle + 4, 36),
    ]  # fmt: skip
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(curve) - 1)
    ax.add_patch(PathPatch(Path(curve, codes), fc=SKY, alpha=0.45, ec="none"))
    ax.add_patch(PathPatch(Path(curve, codes), fc="none", ec=BLUE, lw=0.9))
    for x, y in ((12.0, 25.0), (18, 27.5), (25, 26.5), (15, 21), (22, 22), (28, 22.5)):
        ax.add_patch(Circle((x, y), 1.8, fc="white", ec=BLUE, lw=0.6))
        for dx, dy in ((-0.6, 0.3), (0.6, 0.4), (0, -0.7)):
            ax.add_patch(Circle((x + dx, y + dy), 0.35, color=VERMILION, lw=0))
    for x, y in ((11.0, 15.6), (14.5, 14.4), (18.0, 15.8), (21.0, 14.2), (25, 15.5), (28.5, 14.5)):
        ax.add_patch(Circle((x, y), 0.5, color=VERMILION, lw=0))
    ax.add_patch(
        FancyBboxPatch((5, 3), 30, 7.5, boxstyle="round,pad=0,rounding_size=3", fc=ORANGE, alpha=0.4, ec="none")
    )
    ax.add_patch(FancyBboxPatch((5, 3), 30, 7.5, boxstyle="round,pad=0,rounding_size=3", fc="none", ec=ORANGE, lw=0.9))
    for place in np.linspace(9.5, 30.5, 6):
        ax.add_patch(Rectangle((place - 0.8, 9.6), 1.6, 2.8, fc=GREEN, ec="white", lw=0.3))
    _label(ax, 20, 6.2, "next neuron", size)
    _label(ax, 38, 24, "vesicles", size, ha="left")
    _label(ax, 38, 15, "transmitter", size, VERMILION, ha="left")
    _label(ax, 38, 10.5, "receptors", size, GREEN, ha="left")


def _device(ax: Axes, size: float, material: str, electrode: str) -> None:
    """Draw the device from the side: flake between two electrodes, light from above, pulses at the left."""
    _title(ax, f"{subscripts(material)} device", size)
    ax.add_patch(Rectangle((3, 2.5), 50, 5.5, fc="#C9CCD1", ec="none"))
    ax.add_patch(Rectangle((3, 8), 50, 2.5, fc=SKY, alpha=0.5, ec="none"))
    for layer in range(4):
        ax.add_patch(Rectangle((9, 10.5 + 1.1 * layer), 38, 0.8, fc=PURPLE, ec="none"))
    for x in (4.5, 37.5):
        ax.add_patch(Rectangle((x, 14.9), 14, 3, fc=ORANGE, ec="none"))
        _label(ax, x + 7, 16.3, electrode, size - 0.5)
    ax.add_patch(Rectangle((4.5, 10.5), 4.5, 4.5, fc=ORANGE, ec="none"))
    ax.add_patch(Rectangle((47, 10.5), 4.5, 4.5, fc=ORANGE, ec="none"))
    _label(ax, 28, 5.2, "SiO$_2$/Si", size)
    for x in (23, 28, 33):
        wave = np.linspace(0, 1, 60)
        ax.plot(x + 0.8 * np.sin(6 * np.pi * wave), 25.2 - 5.2 * wave, color=VERMILION, lw=0.7, solid_capstyle="round")
        _arrow(ax, (x, 20.2), (x, 16.2), VERMILION)
    _label(ax, 28, 27.6, "light pulses", size, VERMILION)
    steps = np.array([(2, 22), (4, 22), (4, 26), (6, 26), (6, 22), (9, 22), (9, 26), (11, 26), (11, 22), (13, 22)])
    ax.plot(*steps.T, color=BLUE, lw=0.8)
    _arrow(ax, (11.5, 21.3), (11.5, 18.3), BLUE)
    _label(ax, 1, 33.2, "voltage pulses", size, BLUE, ha="left")
    _arrow(ax, (44.5, 18.3), (44.5, 21.8), GREEN)
    rise = np.linspace(0, 4, 80)
    ax.plot(
        42 + 2.7 * rise, 22.8 + 4 * (1 - np.exp(-np.floor(rise + 1) / 2)) * np.exp(-(rise % 1) / 2), color=GREEN, lw=0.8
    )
    _label(ax, 55, 33.2, "current", size, GREEN, ha="right")


def _inpainting(ax: Axes, size: float) -> None:
    """Draw a letter with a hole, its pixels as pulses on devices, the decoder, and the letter filled."""
    _title(ax, "In-sensor inpainting", size)
    stretch = ax.get_xlim()[1] / BOX[0]
    pixel = 1.9 if stretch == 1 else 2.5
    left, right = 0.5, ax.get_xlim()[1] - 0.5 - 7 * pixel
    base = 21.0 - 3.5 * pixel
    _letter(ax, left, base, pixel, None)
    _letter(ax, right, base, pixel, GREEN)
    middle = base + 3.5 * pixel
    device, first, last = 19.5 * stretch, 25.0 * stretch, 37.0 * stretch
    heights = middle + np.array([-9.0, -3.0, 3.0, 9.0])
    for height in heights:
        ax.add_patch(Rectangle((device - 2.2, height - 1.4), 4.4, 2.8, fc=PURPLE, ec="none"))
        ax.plot([left + 7 * pixel + 0.8, device - 2.6], [middle + (height - middle) / 2, height], color=GREY, lw=0.4)
    hidden, output = (middle + np.linspace(-reach, reach, count) for reach, count in ((10, 6), (7, 4)))
    layers = [(first, heights), (31.0 * stretch, hidden), (last, output)]
    for (x, ys), (x_next, ys_next) in pairwise(layers):
        for y in ys:
            for y_next in ys_next:
                ax.plot([x, x_next], [y, y_next], color=GREY, lw=0.25, zorder=1)
    for height in heights:
        ax.plot([device + 2.2, first], [height, height], color=PURPLE, lw=0.6)
    for (x, ys), color in zip(layers, (PURPLE, BLUE, GREEN), strict=True):
        for y in ys:
            ax.add_patch(Circle((x, y), 0.95, fc=color, ec="white", lw=0.3, zorder=2))
    _arrow(ax, (last + 1.6, middle), (right - 0.6, middle), GREY)
    _label(ax, left + 3.5 * pixel, base - 3.0, "hole", size)
    _label(ax, device, 33.5, "encoder", size, PURPLE)
    _label(ax, (first + last) / 2 + 2, 6.5, "decoder", size, BLUE)
    _label(ax, right + 3.5 * pixel, base - 3.0, "filled", size, GREEN)


def _letter(ax: Axes, left: float, base: float, pixel: float, fill: str | None) -> None:
    """Draw the letter; its hole is hatched, or filled in a colour."""
    for row, line in enumerate(LETTER):
        for column, value in enumerate(line):
            hole = row in HOLE and column in HOLE
            ink = value == "1"
            color = "white" if hole and fill is None else (fill or BLACK) if hole and ink else BLACK if ink else "white"
            corner = (left + column * pixel, base + (len(LETTER) - 1 - row) * pixel)
            ax.add_patch(Rectangle(corner, pixel, pixel, fc=color, ec="#DDDDDD", lw=0.2))
    corner = (left + HOLE.start * pixel, base + HOLE.start * pixel)
    side = len(HOLE) * pixel
    ax.add_patch(
        Rectangle(corner, side, side, fill=False, ec=fill or VERMILION, lw=0.8, hatch="" if fill else "/////", zorder=3)
    )
    frame = Rectangle((left, base), 7 * pixel, 7 * pixel, fill=False, ec=GREY, lw=0.5)
    ax.add_patch(frame)


def optical_device(
    ax: Axes,
    *,
    material: str,
    adhesion_metal: str,
    adhesion_thickness: float,
    electrode_metal: str,
    electrode_thickness: float,
    flake_thickness: float,
    oxide_thickness: float,
    wavelengths: Sequence[float],
) -> None:
    """Draw the cross-section of the two-terminal device under light pulses, thicknesses to scale.

    Parameters
    ----------
    material, adhesion_metal, adhesion_thickness, electrode_metal, electrode_thickness, flake_thickness, oxide_thickness
        Thicknesses are in nm; see `relaxor.figures.schematic_settings.OpticalDevice`.
    wavelengths
        Wavelengths of the pulses of light in nm, up to three.
    """
    surface = flake_thickness + adhesion_thickness + electrode_thickness
    depth = oxide_thickness
    ax.set_axis_off()
    ax.set(xlim=(0, 60), ylim=(-1.21 * depth, surface + 0.82 * depth))
    ax.add_patch(Rectangle((0, -1.21 * depth), 60, 0.21 * depth, fc="#C9CCD1", ec="none"))
    ax.add_patch(Rectangle((0, -depth), 60, depth, fc=SKY, alpha=0.4, ec="none"))
    ax.add_patch(Rectangle((12, 0), 36, flake_thickness, fc=PURPLE, ec="none"))
    for outer, inner, edge in ((2, 21, 12), (58, 39, 48)):
        _film(ax, (outer, inner, edge), flake_thickness, 0.0, adhesion_thickness, GREY)
        _film(ax, (outer, inner, edge), flake_thickness, adhesion_thickness, electrode_thickness, ORANGE)
    middle = surface - electrode_thickness / 2
    _label(ax, 10, middle - flake_thickness / 2, f"{electrode_metal} {electrode_thickness:g} nm", 5.5)
    _label(ax, 50, middle - flake_thickness / 2, f"{electrode_metal} {electrode_thickness:g} nm", 5.5)
    _leader(ax, (30, flake_thickness / 2), (30, -0.21 * depth), f"{subscripts(material)} {flake_thickness:g} nm")
    _leader(ax, (6, adhesion_thickness / 2), (7, -0.21 * depth), f"{adhesion_metal} {adhesion_thickness:g} nm")
    _label(ax, 30, -0.63 * depth, f"SiO$_2$ {oxide_thickness:g} nm", 6)
    _label(ax, 30, -1.105 * depth, "Si", 6)
    ax.plot([53, 53], [-0.75 * depth, -0.75 * depth + 100], color=BLACK, lw=1.2, solid_capstyle="butt")
    _label(ax, 52, -0.75 * depth + 50, "100 nm", 5.5, ha="right")
    _terminals(ax, surface, depth)
    places = np.linspace(23, 37, len(wavelengths)) if len(wavelengths) > 1 else [30]
    for x, wavelength in zip(places, wavelengths, strict=True):
        color = light_color(wavelength)
        _light(ax, x, surface, depth, color)
        _label(ax, x, surface + 0.58 * depth, f"{wavelength:g}", 5.5, color)
    _label(ax, 30, surface + 0.75 * depth, "light pulses (nm)", 6)


def _film(ax: Axes, ends: tuple[float, float, float], step: float, offset: float, thickness: float, color: str) -> None:
    """Draw a film that lies on the substrate and, beyond the edge of the flake, on the flake."""
    outer, inner, edge = ends
    low, high = offset, offset + thickness
    corners = [
        (outer, low), (edge, low), (edge, low + step), (inner, low + step),
        (inner, high + step), (edge, high + step), (edge, high), (outer, high),
    ]  # fmt: skip
    ax.add_patch(Polygon(corners, fc=color, ec="none"))


def _leader(ax: Axes, point: tuple[float, float], place: tuple[float, float], text: str) -> None:
    line = {"arrowstyle": "-", "color": BLACK, "lw": 0.5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate(text, point, place, ha="center", va="top", fontsize=6, arrowprops=line)


def _terminals(ax: Axes, surface: float, depth: float) -> None:
    """Draw the source at the left electrode, ammeter and ground at the right one."""
    top = surface + 0.38 * depth
    for x, text in ((7, "V"), (53, "A")):
        ax.plot([x, x], [surface - 0.03 * depth, top + 0.18 * depth], color=BLACK, lw=0.7, zorder=1)
        ax.plot(x, top, "o", ms=9, mfc="white", mec=BLACK, mew=0.7, zorder=2)
        _label(ax, x, top, text, 6)
        for bar, half in enumerate((2.2, 1.4, 0.6)):
            height = top + (0.18 + 0.035 * bar) * depth
            ax.plot([x - half, x + half], [height, height], color=BLACK, lw=0.7)


def _light(ax: Axes, x: float, surface: float, depth: float, color: str) -> None:
    """Draw a pulse of light that falls on the flake between the electrodes."""
    wave = np.linspace(0, 1, 80)
    heights = surface + depth * (0.5 - 0.38 * wave)
    ax.plot(x + 0.9 * np.sin(6 * np.pi * wave) * np.sin(np.pi * wave), heights, color=color, lw=0.9)
    _arrow(ax, (x, surface + 0.13 * depth), (x, surface - 0.12 * depth), color)
