"""Every panel that a figure can show, by its name in ``figures.yaml``."""

import difflib
from collections.abc import Mapping
from functools import partial

from relaxor.core.errors import SheetError, nearest
from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.inpainting.topics import topics
from relaxor.project.figure_list import PanelSpec
from relaxor.techniques.registry import module_of, techniques

OTHERS: Mapping[str, Mapping[str, Panel]] = {
    "schematics": {
        "synapse": Panel(lazy("relaxor.figures.schematics", "synapse")),
        "optical_device": Panel(lazy("relaxor.figures.schematics", "optical_device"), settings="optical_device"),
        "bands": Panel(lazy("relaxor.figures.band_diagram", "bands"), settings="bands"),
    },
    "literature": {"benchmark": Panel(lazy("relaxor.reporting.literature_panels", "benchmark"), table="devices")},
}
"""Panels that do not show numbers of a topic."""
OVERVIEW = "overview"
"""Panel of every technique: the picture that relaxor chooses for a measurement."""
DRAWN_BY = "relaxor.reporting.overview"
"""Module that draws it."""


def panel_of(spec: PanelSpec) -> Panel:
    """Return the panel that an entry of the figures names.

    Raises
    ------
    SheetError
        If there is no such panel; the message lists those of its technique, or else the techniques.
    """
    if spec.sample and spec.owner in topics() and spec.owner not in techniques():
        raise SheetError(f"panel {spec.id}: sample: only that of the settings has {spec.owner}")
    known = {**{name: topic.panels for name, topic in topics().items()}, **OTHERS}
    name = spec.draw.partition(".")[2]
    if panel := known.get(spec.owner, {}).get(name):
        return panel
    if spec.owner in techniques() and name == OVERVIEW:
        return Panel(partial(lazy(DRAWN_BY, "draw_overview"), technique=spec.owner))
    place = f"panel {spec.id}: draw: '{spec.draw}' is not known"
    if spec.owner not in known:
        raise SheetError(f"{place}{nearest(spec.owner, known)}")
    listed = [*known[spec.owner], *[OVERVIEW] * (spec.owner in techniques())]
    meant = "".join(f"did you mean '{spec.owner}.{near}'? " for near in difflib.get_close_matches(name, listed, 1))
    raise SheetError(f"{place}; {meant}panels of {spec.owner}: {', '.join(listed)}")


def drawing_modules(spec: PanelSpec) -> list[str]:
    """Return the modules that draw a panel, and for an overview the entry of its technique in the registry."""
    draw = panel_of(spec).draw
    if not isinstance(draw, partial):
        return [draw.__module__]
    return [DRAWN_BY, *panel_modules(spec.owner)]


def panel_modules(technique: str) -> list[str]:
    """Return the modules that draw a technique, and its entry in the registry; none for what has no analysis."""
    if technique not in techniques():
        return []
    own = techniques()[technique]
    drawings = [panel.draw for panel in own.panels.values()] + [own.overview] * (own.overview is not None)
    return sorted({module_of(technique), *(draw.__module__ for draw in drawings)})


def topic_of(spec: PanelSpec) -> str:
    """Return the topic whose results an entry of the figures shows, or an empty string if it shows none."""
    return spec.owner if spec.owner in topics() else ""
