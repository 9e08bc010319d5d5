"""The pictures that relaxor chooses for measurements of which nobody composed a figure."""

from collections.abc import Callable, Iterator, Mapping

import xarray as xr
from matplotlib.axes import Axes

from relaxor.core.errors import AnalysisError
from relaxor.figures.panel import Panel, PanelData
from relaxor.techniques.registry import Technique, techniques


def draw_overview(ax: Axes, data: PanelData, *, technique: str, number: int = 1) -> None:
    """Draw one picture of measurements: those of each measurement one after the other, then those of all together.

    Parameters
    ----------
    ax
        Axes to draw on.
    data
        The measurements.
    technique
        Name of their technique.
    number
        Which of the pictures is drawn, counted from 1.

    Raises
    ------
    AnalysisError
        If there are fewer pictures; the message lists them.
    """
    found = techniques()[technique]
    pictures: list[tuple[str, Callable[..., None], PanelData]] = []
    for measurement, group in data.curves.items():
        rows = data.parameters[data.parameters["measurement"] == measurement]
        own = own_panels(found, measurement, group)
        pictures += [(title, draw, PanelData({measurement: group}, rows)) for title, draw in own]
    pictures += [(panel.together, panel.draw, data) for panel, _ in shared_panels(found, data.curves)]
    if not 1 <= number <= len(pictures):
        titles = ", ".join(f"{place} ({title})" for place, (title, *_) in enumerate(pictures, start=1))
        raise AnalysisError(f"{technique}.overview: number {number}: {', '.join(data.curves)} has {titles or 'none'}")
    _, draw, shown = pictures[number - 1]
    draw(ax, shown)


def shared_panels(technique: Technique, groups: Mapping[str, xr.DataTree]) -> Iterator[tuple[Panel, set[str]]]:
    """Yield the panels that show measurements together, each with the measurements that it can show."""
    for panel in technique.panels.values():
        if panel.together and (holders := {name for name, group in groups.items() if panel.can_show(group)}):
            yield panel, holders


def own_panels(technique: Technique, measurement: str, group: xr.DataTree) -> list[tuple[str, Callable[..., None]]]:
    """Return titles and drawings of one measurement."""
    if technique.overview:
        return technique.overview(measurement, group)
    shown = {name: panel for name, panel in technique.panels.items() if panel.overview and panel.can_show(group)}
    titles = [f"{measurement}: {name}" if number else measurement for number, name in enumerate(shown)]
    return list(zip(titles, (panel.draw for panel in shown.values()), strict=True))
