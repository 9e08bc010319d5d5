"""Panels that are ready to be drawn, and the statement of a figure about the origin of its data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relaxor.core.results import origin_of
from relaxor.figures.panel import PanelData, TableData
from relaxor.figures.style import SINGLE, mark_flags, mark_origin, new_figure

Shown = PanelData | TableData | None
"""The data of a panel: curves and numbers, a table of the results, or None without measured data."""


@dataclass(frozen=True)
class ReadyPanel:
    """A panel with all of its data.

    Attributes
    ----------
    id
        Name of the panel, which is shown if it has no data.
    draw
        Function of the axes and of ``data``, or only of the axes if there is no data.
    data
        Data that the panel shows.
    shows
        Names of the parameters that the panel shows; None means all.
    """

    id: str
    draw: Callable[..., None]
    data: Shown = None
    shows: tuple[str, ...] | None = None

    def on(self, ax: Axes) -> None:
        """Draw the panel."""
        if self.data is None:
            self.draw(ax)
        elif self.data.empty:
            ax.text(0.5, 0.5, f"no measurement feeds panel {self.id}", ha="center", va="center", fontsize=6)
            ax.set_axis_off()
        else:
            self.draw(ax, self.data)
            if isinstance(self.data, PanelData):
                mark_flags(ax, self.data.flags(self.shows))


def panel_figure(panel: ReadyPanel) -> Figure:
    """Draw one panel as a separate figure."""
    alone = new_figure(SINGLE, 66.0)
    panel.on(alone.add_subplot())
    mark_origin(alone, shown_origin([panel.data]))
    return alone


def shown_origin(parts: Iterable[Shown]) -> str:
    """Return ``simulated`` if any of the data are simulated."""
    return origin_of(part.origin for part in parts if part and not part.empty)


def shown_files(parts: Iterable[Shown]) -> str:
    """Return the raw files behind a figure, with the beginning of their SHA-256."""
    return "relaxor; raw files: " + ", ".join(sorted(set().union(*(part.files for part in parts if part))))
