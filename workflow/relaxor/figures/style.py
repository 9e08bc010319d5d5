"""One style for all figures: sizes, fonts, colours, and files with the same bytes every time."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import ScaledTranslation

from relaxor.core.files import atomic

SINGLE, DOUBLE = 89.0, 183.0
"""Column widths in mm."""
MARK_MM = 2.0
"""Height (mm) that is left free for the mark of simulated data."""

BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY, YELLOW, GREY = "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#8C8C8C"
"""Okabe–Ito palette (safe for the colour-blind): black for data, vermilion for models, the others for components."""
LIGHT = ((750.0, BLACK), (620.0, VERMILION), (570.0, ORANGE), (495.0, GREEN), (400.0, BLUE), (0.0, PURPLE))
"""Shortest wavelength (nm) of infrared, red, yellow, green, blue and ultraviolet light, and the colour of each."""
COMPONENTS = (BLUE, GREEN, PURPLE, ORANGE, SKY)
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
LINES, MARKERS, HATCHES = ("-", "--", ":", "-."), "os^Dv<>p", ("", "/////", "....", "\\\\\\\\\\", "xxxxx")
"""Looks that tell curves, points and areas apart where their colour repeats, and in grey."""
SEQUENTIAL = "cividis"
"""Colour map of images, which is uniform in lightness and readable in grey and for the colour-blind."""
LIGHTEST = 1 - 0.12
"""Position in the colour map up to which a thin line is visible on white."""
REMARK = "remark"
"""Mark of the texts above a panel."""
TITLE_PT = 10.5
"""Height of a title, in points."""
LABEL_WIDTH = 0.03
"""Width of an upright label as a fraction of the axis."""
CURRENT_UNITS = {0: "A", -3: "mA", -6: "µA", -9: "nA", -12: "pA", -15: "fA"}
"""Units of currents by their powers of ten."""

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6,
    "legend.frameon": False,
    "lines.linewidth": 0.9,
    "lines.markersize": 2.5,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "svg.hashsalt": "relaxor",
    "svg.fonttype": "none",
}
POSITION_DIGITS = 9
"""Number of digits of the positions of axes, which are fractions of the figure."""


def use_style(pdf_fonts: int = 3) -> None:
    """Apply the style, with fonts of this type in PDF files, and a backend that needs no screen."""
    mpl.use("agg")
    mpl.rcParams.update(STYLE | {"pdf.fonttype": pdf_fonts})


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """Make an empty figure of a printed size, laid out so that nothing overlaps."""
    engine = ConstrainedLayoutEngine(rect=(0, MARK_MM / height_mm, 1, 1 - MARK_MM / height_mm))
    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=engine)


def data_points(ax: Axes, x: Any, y: Any, yerr: Any = None, **keywords: Any) -> None:
    """Draw measured points with their standard uncertainty."""
    look: dict[str, Any] = dict(fmt="o", color=BLACK, mfc="white", mew=0.7, elinewidth=0.6, capsize=1.5, label="data")
    ax.errorbar(x, y, yerr=yerr, **(look | keywords))


def upright_labels(
    ax: Axes, labels: Sequence[tuple[str, tuple[float, float]]], width: float = LABEL_WIDTH, **keywords: Any
) -> None:
    """Write upright labels over the lines of a spectrum, inside the frame and apart from each other.

    A label that has to give way is joined with its line. If the axis has not room for all, the lowest lines have none,
    and a remark says how many.

    Parameters
    ----------
    ax
        Axes whose limits are set.
    labels
        Text, and place of the top of the line in data coordinates.
    width
        Width of a label as a fraction of the axis.
    keywords
        Look of the text.
    """
    start, end = ax.get_xlim()
    gap = width * (end - start)
    most = int(1 / width)
    shown = sorted(sorted(labels, key=lambda entry: -entry[1][1])[:most], key=lambda entry: entry[1][0])
    places = spread([place[0] for _, place in shown], gap, start + gap / 2, end - gap / 2)
    for (text, (center, height)), across in zip(shown, places, strict=True):
        top = max(high for _, (other, high) in shown if other == center or abs(other - across) < gap / 2)
        label(ax, text, (across, top), rotation=90, **keywords)
        if abs(across - center) > gap / 4:
            ax.annotate(
                "",
                (center, height),
                xytext=(across, top),
                textcoords=ax.transData + ScaledTranslation(0, 3 / 72, ax.figure.dpi_scale_trans),
                arrowprops={"arrowstyle": "-", "lw": 0.3, "color": GREY, "shrinkA": 0, "shrinkB": 0},
            )
    if len(labels) > len(shown):
        remark = f"{len(labels) - len(shown)} weaker lines without a label"
        ax.text(0.99, 0.02, remark, fontsize=4.5, color=GREY, ha="right", va="bottom", transform=ax.transAxes)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return ascending places moved as little as groups of them must, so that all are ``gap`` apart within limits."""
    groups: list[list[float]] = []  # sum of the shifted places, number
    for index, place in enumerate(places):
        groups.append([place - index * gap, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, number = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += number
    last = high - (len(places) - 1) * gap
    means = [min(max(total / number, low), last) for total, number in groups for _ in range(int(number))]
    return [mean + index * gap for index, mean in enumerate(means)]


def mark_clipped(ax: Axes, x: Any, values: Any) -> None:
    """Mark values that lie outside of a vertical axis whose limits are set by triangles, and name the largest."""
    low, high = ax.get_ylim()
    x, values = np.asarray(x, float), np.asarray(values, float)
    above, below = values > high, values < low
    if not (above.any() or below.any()):
        return
    reach = 0.06 * (high - low)
    for outside, place, marker in ((above, high - reach, "^"), (below, low + reach, "v")):
        ax.plot(x[outside], np.full(outside.sum(), place), marker, ms=1.2, mew=0, color=VERMILION)
    largest = float(np.nanmax(np.abs(values[above | below])))
    text = f"outside: {int(above.sum() + below.sum())}, up to {largest:.3g}"
    look: dict[str, Any] = {"fontsize": 4.5, "color": VERMILION, "ha": "right", "va": "top"}
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
    ax.text(0.995, 0.93, text, transform=ax.transAxes, bbox=ground, **look)


def label(
    ax: Axes, text: str, place: tuple[float, float], offset: tuple[float, float] = (0, 3), **keywords: Any
) -> None:
    """Write small text at a point of the data, by default centred above it; the offset is in points."""
    look: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 5}
    ax.annotate(text, place, xytext=offset, textcoords="offset points", **(look | keywords))


def zero_lines(ax: Axes) -> None:
    """Draw thin lines at zero of both axes, behind the data."""
    ax.axhline(0, color=GREY, lw=0.3, zorder=0)
    ax.axvline(0, color=GREY, lw=0.3, zorder=0)


def current_unit(largest: float) -> tuple[float, str]:
    """Return the factor and the unit in which a current in A has one to three digits."""
    power = int(np.clip(3 * np.floor(np.log10(largest) / 3), min(CURRENT_UNITS), 0))
    return 10.0**-power, CURRENT_UNITS[power]


def light_color(wavelength: float) -> str:
    """Return the colour of the palette for light of a wavelength (nm)."""
    return next(color for shortest, color in LIGHT if wavelength >= shortest)


def line_look(number: int, colors: Sequence[str] = SERIES) -> dict[str, Any]:
    """Return colour and line style of a curve by its number; the style changes where the colours begin again."""
    rounds, place = divmod(number, len(colors))
    return {"color": colors[place], "ls": LINES[rounds % len(LINES)]}


def marker_of(number: int) -> str:
    """Return the marker of a series of points by its number."""
    return MARKERS[number % len(MARKERS)]


def subscripts(text: str) -> str:
    """Write the numbers of chemical formulas as subscripts: those of SiO2, but not 1.5."""
    return re.sub(r"(?<=[A-Za-z])(\d+)(?=[A-Z/ ,;\n]|$)", r"$_{\1}$", text)


def plain_ticks(ax: Axes) -> None:
    """Write the decades of a short logarithmic axis as plain numbers."""
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
            low, high = axis.get_view_interval()
            # An axis with only one decade would show only one number.
            decades = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
            short = decades < 2 or high / low < (12 if axis is ax.xaxis else 30)
            formatter = ticker.LogFormatter(minor_thresholds=(2, 0.6)) if short else ticker.NullFormatter()
            axis.set_minor_formatter(formatter)
            axis.set_tick_params(which="minor", labelsize=5)


def mark_origin(figure: Figure, origin: str) -> None:
    """Write a small mark in the corner of a figure made from simulated data."""
    if origin != "measured":
        figure.text(0.998, 0.002, f"{origin} data", ha="right", va="bottom", fontsize=4.5, color=GREY, style="italic")


def mark_flags(ax: Axes, flags: Mapping[str, int]) -> None:
    """Write in small type above a panel how many of its numbers are not right: status → number of them."""
    if flags:
        text = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in flags.items())
        remark(ax, f"flagged: {text}", VERMILION)


def literal(text: object) -> str:
    """Return a text of a file for a figure: Matplotlib takes what stands between two ``$`` for a formula."""
    return str(text).replace("$", r"\$")


def remark(ax: Axes, text: str, color: str = GREY) -> None:
    """Write a line in small type above the right end of a panel, over other remarks and the titles of the panel.

    A panel without a title gets an empty one, which keeps the room: a remark itself may be wider than the panel.
    """
    others = sum(other.get_gid() == REMARK for other in ax.texts)
    titled = any(ax.get_title(place).strip() for place in ("left", "center", "right"))
    if not titled:
        ax.set_title("\n".join([" "] * (others + 1)), loc="left", fontsize=4.5, pad=1)
    place: dict[str, Any] = {"xy": (1, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    look: dict[str, Any] = {"fontsize": 4.5, "color": color, "style": "italic", "ha": "right", "va": "bottom"}
    ax.annotate(text, **place, xytext=(0, 1 + 6 * others + TITLE_PT * titled), gid=REMARK, **look).set_in_layout(False)


def save(figure: Figure, files: Iterable[Path | str], title: str, subject: str) -> None:
    """Save a figure as files of several formats, without dates or random names."""
    metadata_of = {
        "pdf": {"CreationDate": None, "Title": title, "Subject": subject},
        "svg": {"Date": None, "Title": title, "Description": subject},
        "png": {"Software": None, "Title": title, "Subject": subject},
    }
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # the layout is the same for every format and is solved once
    for ax in figure.axes:
        # The order of the solver depends on memory addresses, and the last bits of its positions name clip paths of the
        # svg.
        left, bottom, width, height = (round(float(each), POSITION_DIGITS) for each in ax.get_position(True).bounds)
        ax.set_position((left, bottom, width, height))
    for path in map(Path, files):
        suffix = path.suffix[1:]
        with atomic(path) as temporary:
            figure.savefig(temporary, format=suffix, metadata=metadata_of[suffix])
