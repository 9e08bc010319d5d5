"""Draw a figure of ``figures.yaml``: find its panels, load their data, arrange and save them."""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from relaxor.core.errors import SheetError
from relaxor.figures.layout import ReadyPanel, panel_figure, shown_files, shown_origin
from relaxor.figures.panel import load_panel, load_table
from relaxor.figures.style import DOUBLE, SINGLE, mark_origin, new_figure, save, use_style
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
    sample: str,
    measurements: Mapping[str, Sequence[str] | None],
    settings_of: Mapping[str, Mapping[str, Any] | None],
    pdf_fonts: int = 3,
) -> None:
    """Draw one figure.

    Parameters
    ----------
    curves, parameters
        Results of the topics that the figure shows: ``…/<sample>/<topic>/curves.nc`` and ``parameters.csv``.
    tables
        Tables of the results that the figure shows: ``…/devices.csv``.
    figure
        Files of the whole figure, one per format.
    panels
        Files of the panels, beginning with all formats of the first panel.
    spec
        The entry of ``figures.yaml`` as plain values.
    sample
        The sample of panels that name none.
    measurements
        The measurements that each panel shows; None means all measurements of its topic.
    settings_of
        The sections of the settings that its schematics draw.
    pdf_fonts
        Type of the fonts in PDF files, 3 or 42.
    """
    use_style(pdf_fonts)
    folders = {Path(path).parts[-3:-1]: Path(path).parent for path in curves}
    files = {Path(path).stem: path for path in tables}
    entry = FigureSpec.model_validate(spec)
    ready = {
        letter: ready_panel(panel, folders, files, measurements[panel.id], settings_of, sample)
        for letter, panel in entry.panels.items()
    }
    shown = [panel.data for panel in ready.values()]
    subject = shown_files(shown)
    save(_whole(entry, ready, shown_origin(shown)), figure, entry.title, subject)
    if len(ready) == 1:  # the figure consists of one panel
        for source, target in zip(figure, panels, strict=True):
            shutil.copyfile(source, target)
        return
    for number, panel in enumerate(ready.values()):
        own = panels[number * len(figure) : (number + 1) * len(figure)]
        save(panel_figure(panel), own, entry.title, subject)


def _whole(spec: FigureSpec, panels: Mapping[str, ReadyPanel], origin: str) -> Figure:
    """Draw all panels of a figure (letter → panel), with their letters and the mark of their origin."""
    whole = new_figure(DOUBLE if spec.width == "double" else SINGLE, spec.millimetres)
    axes = whole.subplot_mosaic(
        [list(row) for row in spec.layout], height_ratios=spec.heights, width_ratios=spec.widths
    )
    for letter, panel in panels.items():
        panel.on(axes[letter])
        if heading := "  ".join(filter(None, [letter * (len(panels) > 1), spec.panels[letter].title])):
            axes[letter].set_title(heading, loc="left", fontweight="bold", fontsize=8)
    mark_origin(whole, origin)
    return whole


def ready_panel(
    spec: PanelSpec,
    folders: Mapping[tuple[str, ...], Path],
    tables: Mapping[str, str],
    measurements: Sequence[str] | None,
    settings_of: Mapping[str, Mapping[str, Any] | None],
    sample: str,
) -> ReadyPanel:
    """Load the data that a panel shows.

    Parameters
    ----------
    spec
        The entry of ``figures.yaml``.
    folders, tables
        The folder of the results of each pair of a sample and a topic, and the file of each table by its name.
    measurements, settings_of, sample
        See `draw_figure`.

    Raises
    ------
    SheetError
        If the panel does not exist, or the settings lack the section that it draws.
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
    if not topic:
        return ReadyPanel(spec.id, draw)
    return ReadyPanel(spec.id, draw, load_panel(folders[spec.sample or sample, topic], measurements), panel.shows)
