"""Panels that are ready to be drawn, and what a figure of them says of the origin of its data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relaxor.core.results import origin_of
from relaxor.figures.panel import PanelData, TableData
from relaxor.figures.style import SINGLE, mark_origin, new_figure

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


def panel_figure(panel: ReadyPanel) -> Figure:
    """Draw one panel as a figure of its own."""
    alone = new_figure(SINGLE, 66.0)
    panel.on(alone.add_subplot())
    mark_origin(alone, shown_origin([panel.data]))
    return alone


def shown_origin(parts: Iterable[Shown]) -> str:
    """Return ``simulated`` if anything that is shown is."""
    return origin_of(part.origin for part in parts if part and not part.empty)


def shown_files(parts: Iterable[Shown]) -> str:
    """Name the raw files behind a figure, with the beginning of their SHA-256."""
    return "relaxor; raw files: " + ", ".join(sorted(set().union(*(part.files for part in parts if part))))
