"""Every number of the sample data is stated with what is known of its rightness, and no figure needs it to be right."""

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
from relaxor.core.results import Status
from relaxor.figures.layout import panel_figure
from relaxor.figures.panel import load_panel
from relaxor.figures.style import use_style
from relaxor.project.figure_list import fed_panels, load_figures
from relaxor.project.settings import load_settings
from relaxor.reporting.draw import ready_panel
from relaxor.reporting.panels import topic_of
from relaxor.techniques.registry import techniques

from tests.project import ROOT

SETTINGS = load_settings(ROOT / "config/config.yaml")
FIGURES = load_figures(ROOT / SETTINGS.figures)
FED = fed_panels(FIGURES, SETTINGS.load_sheet(ROOT), "cbps")
PANELS = {
    panel.id: panel
    for figure in FIGURES.values()
    for panel in figure.panels.values()
    if topic_of(panel) in techniques()
}
UNKNOWN = (Status.LIMIT, Status.NOT_IDENTIFIED)


@pytest.mark.costly
@pytest.mark.parametrize("technique", techniques())
def test_every_number_of_the_sample_has_a_value_and_a_reason(analysed, technique: str) -> None:
    table = analysed(technique).parameters
    assert set(table["status"]) <= set(Status)
    without = table[~np.isfinite(table["value"]) & ~table["status"].isin(UNKNOWN)]
    assert without.empty, without[["measurement", "model", "parameter", "value"]]
    flagged = table[table["status"] != Status.OK]
    assert (flagged["method"].str.len() > 0).all()


@pytest.mark.parametrize("technique", [name for name in techniques() if name != "iv_sweeps"])
def test_few_numbers_of_the_sample_are_right_in_no_model(analysed, technique: str) -> None:
    """The simulator draws from the models of the analyses: at least one model of each number describes the data.

    Sweeps are left out, because the device that makes them obeys none of the laws of conduction.
    """
    folder = analysed(technique).folder
    data = load_panel(folder)
    # What the data do not determine (the coercive field of a minor loop) is no misfit of a model.
    wrong = sum(count for status, count in data.flags().items() if status != Status.NOT_IDENTIFIED)
    numbers = data.parameters.drop_duplicates(["measurement", "parameter", "feature", "at"])
    assert wrong <= 0.03 * len(numbers) + 1, data.flags()


@pytest.mark.costly
@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_is_drawn_when_no_number_has_an_error(analysed, panel: str) -> None:
    """What did not converge must not end the run with a traceback, and the panel says it."""
    use_style()
    topic = topic_of(PANELS[panel])
    folder = {("cbps", topic): analysed(topic).folder}
    ready = ready_panel(PANELS[panel], folder, {}, FED.get(panel, []), SETTINGS.model_dump(mode="json"), "cbps")
    nothing = dict.fromkeys(("standard_error", "ci_low", "ci_high", "reduced_chi_square"), np.nan)
    table = ready.data.parameters.assign(**nothing, status=str(Status.NOT_IDENTIFIED))
    broken = dataclasses.replace(ready.data, parameters=table)
    figure = panel_figure(dataclasses.replace(ready, data=broken))
    with mpl.rc_context({"figure.max_open_warning": 0}):
        figure.draw_without_rendering()
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    shown = table if ready.shows is None else table[table["parameter"].isin(ready.shows)]
    assert shown.empty or any(text.startswith("flagged: ") and "not identified" in text for text in texts)
