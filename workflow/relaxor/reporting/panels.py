"""Every panel that a figure can show, by its name in ``figures.yaml``."""

from collections.abc import Mapping

from relaxor.core.errors import SheetError, nearest
from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.inpainting.topics import topics
from relaxor.project.figure_list import PanelSpec

OTHERS: Mapping[str, Mapping[str, Panel]] = {
    "schematics": {
        "synapse": Panel(lazy("relaxor.figures.schematics", "synapse")),
        "optical_device": Panel(lazy("relaxor.figures.schematics", "optical_device"), settings="optical_device"),
        "bands": Panel(lazy("relaxor.figures.band_diagram", "bands"), settings="bands"),
    },
    "literature": {"benchmark": Panel(lazy("relaxor.reporting.literature_panels", "benchmark"), table="devices")},
}
"""Panels that do not show numbers of a topic."""


def panel_of(spec: PanelSpec) -> Panel:
    """Return the panel that an entry of the figures names.

    Raises
    ------
    SheetError
        If there is no such panel; the message names the most similar one.
    """
    known = {**{name: topic.panels for name, topic in topics().items()}, **OTHERS}
    name = spec.draw.partition(".")[2]
    if panel := known.get(spec.owner, {}).get(name):
        return panel
    allowed = [f"{owner}.{panel}" for owner, panels in known.items() for panel in panels]
    raise SheetError(f"panel {spec.id}: draw: '{spec.draw}' is not known{nearest(spec.draw, allowed)}")


def topic_of(spec: PanelSpec) -> str:
    """Return the topic whose results an entry of the figures shows, or an empty string if it shows none."""
    return spec.owner if spec.owner in topics() else ""
