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
    """Drawing function as ``technique.panel``, such as ``raman.spectrum``; schematics are ``schematics.…``."""
    options: dict[str, str | float | bool] = {}
    """Keywords of the function that draws it, such as the region of a file."""
    caption: str
    """Caption: what the panel shows and how that was obtained."""

    @property
    def owner(self) -> str:
        """The technique, or other source, to which the panel belongs."""
        return current_name(self.draw.partition(".")[0], f"panel {self.id}")


class FigureSpec(Section):
    """One figure."""

    title: str
    """Heading of the figure in the report."""
    category: str
    """Heading under which the report lists the figure."""
    part: str
    """Part of the work to which the figure belongs; ``snakemake PART`` makes the figures and tables of a part."""
    width: Literal["single", "double"] = "double"
    """Width of one or of two columns of a page."""
    height: float
    """Printed height in mm."""
    heights: list[float] | None = None
    """Relative heights of the rows; they are equal by default."""
    layout: list[list[str]]
    """Rows of letters of panels; a repeated letter spans several cells."""
    panels: dict[str, PanelSpec]
    """The panels by their letters."""


def load_figures(path: Path | str) -> dict[str, FigureSpec]:
    """Load the specifications of the figures by name.

    Raises
    ------
    SheetError
        If the file is not valid; the message names the file and the key.
    """
    figures: dict[str, FigureSpec] = load_yaml(path, dict[str, FigureSpec])
    for name, figure in figures.items():
        shown = {letter for row in figure.layout for letter in row} - {"."}
        if shown != set(figure.panels):
            raise SheetError(f"{path}: {name}: layout shows {sorted(shown)}, panels are {sorted(figure.panels)}")
    return figures
