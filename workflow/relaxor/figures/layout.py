"""Figures: panels that are handed over, arranged, saved, and marked by where their data come from."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relaxor.figures.panel import PanelData, TableData
from relaxor.figures.style import DOUBLE, SINGLE, mark_origin, new_figure, save

Shown = PanelData | TableData | None
"""What a panel shows: curves and numbers, a table of the results, or nothing that was measured."""


@dataclass(frozen=True)
class ReadyPanel:
    """A panel with all that it is drawn from.

    Attributes
    ----------
    id
        Name of the panel, said where nothing feeds it.
    draw
        Function of the axes and of ``data``, or of the axes alone where there is none.
    data
        What it shows.
    """

    id: str
    draw: Callable[..., None]
    data: Shown = None

    def on(self, ax: Axes) -> None:
        """Draw it."""
        if self.data is None:
            self.draw(ax)
        elif self.data.empty:
            ax.text(0.5, 0.5, f"no measurement feeds panel {self.id}", ha="center", va="center", fontsize=6)
            ax.set_axis_off()
        else:
            self.draw(ax, self.data)


def save_figure(
    panels: Mapping[str, ReadyPanel],
    *,
    title: str,
    width: str,
    height: float,
    layout: Sequence[Sequence[str]],
    heights: Sequence[float] | None,
    figure: Sequence[str],
    files: Sequence[str],
) -> None:
    """Draw a figure, and each panel as a figure of its own.

    Parameters
    ----------
    panels
        Letter → panel.
    title, width, height, layout, heights
        See `relaxor.project.figure_list.FigureSpec`.
    figure
        Files of the whole figure, one per format.
    files
        Files of the panels, every format of the first panel first.
    """
    formats = tuple(Path(path).suffix[1:] for path in figure)
    shown = [panel.data for panel in panels.values()]
    metadata = {"Title": title, "Subject": _provenance(shown)}
    whole = new_figure(DOUBLE if width == "double" else SINGLE, height)
    axes = whole.subplot_mosaic([list(row) for row in layout], height_ratios=heights)
    for letter, panel in panels.items():
        panel.on(axes[letter])
        if len(panels) > 1:
            axes[letter].set_title(letter, loc="left", fontweight="bold", fontsize=8)
    mark_origin(whole, _origin(shown))
    save(whole, Path(figure[0]).with_suffix(""), formats, **metadata)

    if len(panels) == 1:  # the figure is its panel
        for source, target in zip(figure, files, strict=True):
            shutil.copyfile(source, target)
        return
    for panel, first in zip(panels.values(), files[:: len(formats)], strict=True):
        save(panel_figure(panel), Path(first).with_suffix(""), formats, **metadata)


def panel_figure(panel: ReadyPanel) -> Figure:
    """Draw one panel as a figure of its own."""
    alone = new_figure(SINGLE, 66.0)
    panel.on(alone.add_subplot())
    mark_origin(alone, _origin([panel.data]))
    return alone


def _origin(parts: Iterable[Shown]) -> str:
    origins = {part.origin for part in parts if part and not part.empty}
    return "simulated" if "simulated" in origins else "measured"


def _provenance(parts: Iterable[Shown]) -> str:
    """Name the raw files behind a figure, with the beginning of their SHA-256."""
    return "relaxor; raw files: " + ", ".join(sorted(set().union(*(part.files for part in parts if part))))
