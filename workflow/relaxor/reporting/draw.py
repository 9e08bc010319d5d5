"""Draw a figure of ``figures.yaml``: find its panels, load what they show, and hand both to the layout."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from relaxor.core.errors import SheetError
from relaxor.figures.layout import ReadyPanel, save_figure
from relaxor.figures.panel import load_panel, load_table
from relaxor.figures.style import use_style
from relaxor.project.figure_list import FigureSpec, PanelSpec
from relaxor.reporting.panels import panel_of, topic_of


def draw_figure(
    curves: Sequence[str],
    parameters: Sequence[str],
    tables: Sequence[str],
    figure: Sequence[str],
    panels: Sequence[str],
    *,
    spec: Mapping[str, Any],
    measurements: Mapping[str, Sequence[str] | None],
    settings_of: Mapping[str, Mapping[str, Any] | None],
) -> None:
    """Draw one figure.

    Parameters
    ----------
    curves, parameters
        Results of the topics that it shows: ``…/<topic>/curves.nc`` and ``parameters.csv``.
    tables
        Tables of the results that it shows: ``…/devices.csv``.
    figure
        Files of the whole figure, one per format.
    panels
        Files of the panels, every format of the first panel first.
    spec
        The entry of ``figures.yaml`` as plain values.
    measurements
        Panel → measurements that feed it; None: all of its topic.
    settings_of
        The sections of the settings that its schematics draw.
    """
    use_style()
    folders = {Path(path).parent.name: Path(path).parent for path in curves}
    files = {Path(path).stem: path for path in tables}
    entry = FigureSpec.model_validate(spec)
    ready = {
        letter: ready_panel(panel, folders, files, measurements[panel.id], settings_of)
        for letter, panel in entry.panels.items()
    }
    save_figure(
        ready,
        title=entry.title,
        width=entry.width,
        height=entry.height,
        layout=entry.layout,
        heights=entry.heights,
        figure=figure,
        files=panels,
    )


def ready_panel(
    spec: PanelSpec,
    folders: Mapping[str, Path],
    tables: Mapping[str, str],
    measurements: Sequence[str] | None,
    settings_of: Mapping[str, Mapping[str, Any] | None],
) -> ReadyPanel:
    """Load what a panel shows.

    Parameters
    ----------
    spec
        The entry of ``figures.yaml``.
    folders, tables
        Topic → folder of its results; name of a table → file.
    measurements, settings_of
        See `draw_figure`.

    Raises
    ------
    SheetError
        If there is no such panel, or the settings lack the section that it draws.
    """
    panel, topic = panel_of(spec), topic_of(spec)
    draw = partial(panel.draw, **spec.options) if spec.options else panel.draw
    if panel.settings:
        constants = settings_of.get(panel.settings)
        if constants is None:
            raise SheetError(f"panel {spec.id}: draws the section '{panel.settings}' of the settings, which is missing")
        return ReadyPanel(spec.id, partial(draw, **constants))
    if panel.table:
        return ReadyPanel(spec.id, draw, load_table(tables[panel.table]))
    return ReadyPanel(spec.id, draw, load_panel(folders[topic], measurements) if topic else None)
