"""Figures and their panels, as ``config/figures.yaml`` lists them."""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from relaxor.core.errors import SheetError, nearest
from relaxor.core.section import Section, load_yaml
from relaxor.project.sheet import NAME_CHARACTERS
from relaxor.techniques.registry import current_name, techniques

ROW_MM = 62.0
"""Height of one row of panels in mm, where a figure states no height."""
TAKEN = ("sample", "comparison", "validation", "explore", "figure", "panels", "samples", "supplement")
"""Names of rules, folders and notebooks that figures cannot have."""
COLUMNS = {"single": 1, "double": 2}
"""Panels beside each other in a figure that states no layout, by its width."""
MARKUP = re.compile(r"</?[a-z][\w-]*[\s/>]|<!|javascript:|^[ \t]*\.\. |\.\. +\w[\w:-]*::", re.IGNORECASE | re.MULTILINE)
"""Tags, scripts, and directives anywhere in a line."""


def _plain(text: str) -> str:
    if found := MARKUP.search(text.replace("\\", "")):  # reStructuredText drops backslashes
        raise ValueError(
            f"'{found[0].strip()}' is markup that the report would run: write it in words, or '< x' for '<x'"
        )
    return text


Words = Annotated[str, AfterValidator(_plain)]
"""A text for the report, which Snakemake copies into its page as it is and reads as reStructuredText."""


class PanelSpec(Section):
    """One panel."""

    id: str = ""
    """Name of the panel, unique in the list; by default that of the figure with the letter. Rows of the sheet may name
    it in their column ``panel``."""
    draw: str
    """Drawing function as ``technique.panel``, such as ``raman.spectrum``. ``technique.overview`` is the picture that
    relaxor chooses for a measurement; schematics are ``schematics.…``."""
    sample: str = ""
    """Sample whose results the panel shows; by default that of the settings."""
    measurements: list[str] = []
    """Measurements of its technique that the panel shows; ``*`` stands for any text. Without any, it shows those whose
    rows of the sheet name the panel."""
    options: dict[str, str | int | float | bool] = {}
    """Keywords of the function that draws it, such as the region of a file."""
    title: Words = ""
    """Title above the panel, behind its letter."""
    caption: Words = ""
    """Caption: what the panel shows and how that was obtained."""

    @property
    def owner(self) -> str:
        """The technique, or other source, to which the panel belongs."""
        return current_name(self.draw.partition(".")[0], f"panel {self.id}")


class FigureSpec(Section):
    """One figure."""

    title: Words
    """Heading of the figure in the report."""
    category: Words = ""
    """Heading under which the report lists the figure; by default its title."""
    part: str = ""
    """Part of the work to which the figure belongs; ``snakemake PART`` makes the figures and tables of a part. By
    default it is that of the technique of the first panel."""
    width: Literal["single", "double"] = "double"
    """Width of one or of two columns of a page."""
    height: float | None = None
    """Printed height in mm; by default 62 mm for each row."""
    heights: list[float] | None = None
    """Relative heights of the rows; they are equal by default."""
    widths: list[float] | None = None
    """Relative widths of the columns; they are equal by default."""
    layout: list[list[str]] = []
    """Rows of letters of panels; a repeated letter spans several cells, and ``.`` leaves one empty. By default the
    panels follow each other, two in a row, or one in a figure of single width."""
    panels: dict[str, PanelSpec] = Field(min_length=1)
    """The panels by their letters."""

    @property
    def millimetres(self) -> float:
        """Printed height."""
        return self.height or ROW_MM * len(self.layout)


def load_figures(path: Path | str) -> dict[str, FigureSpec]:
    """Load the specifications of the figures by name, with everything that they leave to the default.

    Raises
    ------
    SheetError
        If the file is not valid; the message names the file and the key.
    """
    listed: dict[str, FigureSpec] = load_yaml(path, dict[str, FigureSpec])
    for name in listed:
        if not name or not set(name) <= NAME_CHARACTERS or name in TAKEN:
            raise SheetError(
                f"{path}: '{name}' cannot be the name of a figure: letters, digits, '_', '-' and '.', and not one of "
                f"{', '.join(TAKEN)}"
            )
    figures = {name: _completed(name, figure) for name, figure in listed.items()}
    owners: dict[str, str] = {}
    for name, figure in figures.items():
        shown = {letter for row in figure.layout for letter in row} - {"."}
        if shown != set(figure.panels):
            raise SheetError(f"{path}: {name}: layout shows {sorted(shown)}, panels are {sorted(figure.panels)}")
        for panel in figure.panels.values():
            if (owner := owners.setdefault(panel.id, name)) != name or panel is not _first(figure, panel.id):
                raise SheetError(f"{path}: {name}: the id '{panel.id}' is already that of a panel of {owner}")
    return figures


def _completed(name: str, figure: FigureSpec) -> FigureSpec:
    panels = {
        letter: panel.model_copy(update={"id": panel.id or f"{name}{letter}"})
        for letter, panel in figure.panels.items()
    }
    letters, columns = list(panels), min(COLUMNS[figure.width], len(panels))
    layout = figure.layout or [
        (letters[start : start + columns] + ["."] * columns)[:columns] for start in range(0, len(letters), columns)
    ]
    parts = [techniques()[panel.owner].part for panel in panels.values() if panel.owner in techniques()]
    return figure.model_copy(
        update={
            "category": figure.category or figure.title,
            "part": figure.part or next(iter(parts), "schematics"),
            "layout": layout,
            "panels": panels,
        }
    )


def _first(figure: FigureSpec, name: str) -> PanelSpec:
    return next(panel for panel in figure.panels.values() if panel.id == name)


def fed_panels(
    figures: Mapping[str, FigureSpec], rows: Iterable[Mapping[str, Any]], sample: str
) -> dict[str, list[str]]:
    """Return the measurements that each panel shows, in the order of the sheet; panels without any are left out.

    Parameters
    ----------
    figures
        The list of figures.
    rows
        The rows of the sheet.
    sample
        The sample of panels that name none.

    Raises
    ------
    SheetError
        If a panel names a sample or a measurement that the sheet does not have; the message lists what there is.
    """
    sheet = list(rows)
    panels = [panel for figure in figures.values() for panel in figure.panels.values()]
    shown = {panel.id: _shown(panel, sheet, panel.sample or sample) for panel in panels}
    return {panel: measurements for panel, measurements in shown.items() if measurements}


def _shown(panel: PanelSpec, rows: Sequence[Mapping[str, Any]], sample: str) -> list[str]:
    """Return the measurements that a panel names or, if it names none, those whose rows name the panel."""
    samples = dict.fromkeys(row["sample"] for row in rows)
    if panel.sample and sample not in samples:
        raise SheetError(f"panel {panel.id}: no row of the sheet has the sample '{sample}'{nearest(sample, samples)}")
    held = [row for row in rows if row["sample"] == sample]
    own = {row["measurement"]: row["panel"].split(",") for row in held if row["technique"] == panel.owner}
    if not panel.measurements:
        return [name for name, told in own.items() if panel.id in told]
    for wanted in panel.measurements:
        if not fnmatch.filter(own, wanted):
            others = ", ".join(sorted({row["technique"] for row in held}))
            there = nearest(wanted, own) if own else f"; it has {others}"
            raise SheetError(
                f"panel {panel.id}: sample '{sample}' has no measurement '{wanted}' of {panel.owner}{there}"
            )
    return [name for name in own if any(fnmatch.fnmatchcase(name, wanted) for wanted in panel.measurements)]
