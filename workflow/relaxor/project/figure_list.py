"""Figures and their panels, as ``config/figures.yaml`` lists them."""

from pathlib import Path
from typing import Literal

from relaxor.core.errors import SheetError
from relaxor.core.section import Section, load_yaml
from relaxor.techniques.registry import current_name


class PanelSpec(Section):
    """One panel."""

    id: str
    """Name of the panel, unique in the list; rows of the sheet name it in their column ``panel``."""
    draw: str
    """What is drawn, ``technique.panel``: ``raman.spectrum``; schematics are ``schematics.…``."""
    options: dict[str, str | float | bool] = {}
    """Keywords of the function that draws it, such as the region of a file."""
    caption: str
    """What it shows and how that was obtained."""

    @property
    def owner(self) -> str:
        """The technique, or other source, whose panel it is."""
        return current_name(self.draw.partition(".")[0], f"panel {self.id}")


class FigureSpec(Section):
    """One figure."""

    title: str
    """Heading in the report."""
    category: str
    """Heading under which the report lists it."""
    part: str
    """Part of the work that it belongs to; ``snakemake PART`` makes the figures and tables of a part."""
    width: Literal["single", "double"] = "double"
    """One column of a page, or two."""
    height: float
    """Printed height in mm."""
    heights: list[float] | None = None
    """Heights of the rows relative to each other; equal if not given."""
    layout: list[list[str]]
    """Rows of panel letters; a letter that repeats spans."""
    panels: dict[str, PanelSpec]
    """Letter → panel."""


def load_figures(path: Path | str) -> dict[str, FigureSpec]:
    """Load the figures: name → specification.

    Raises
    ------
    SheetError
        Naming the file and the key.
    """
    figures: dict[str, FigureSpec] = load_yaml(path, dict[str, FigureSpec])
    for name, figure in figures.items():
        shown = {letter for row in figure.layout for letter in row} - {"."}
        if shown != set(figure.panels):
            raise SheetError(f"{path}: {name}: layout shows {sorted(shown)}, panels are {sorted(figure.panels)}")
    return figures
