"""Figures and their panels, as ``config/figures.yaml`` lists them."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import TypeAdapter, ValidationError, model_validator

from relaxor.core.errors import SheetError
from relaxor.core.section import Section


class PanelSpec(Section):
    """One panel."""

    id: str
    """The paper's name of the panel; sheet rows name it in their column ``panel``."""
    draw: str
    """Function that draws it, ``module.function`` below ``relaxor.figures``."""
    technique: str | None = None
    """Technique whose results it shows."""
    table: str | None = None
    """Table that it shows instead: ``devices`` is ``<results>/devices.csv``."""
    settings: str | None = None
    """Section of the settings that a schematic draws: its entries become the function's keywords."""
    caption: str
    """What it shows and how that was obtained."""

    @model_validator(mode="after")
    def _one_source(self) -> "PanelSpec":
        if sum(source is not None for source in (self.technique, self.table, self.settings)) > 1:
            raise ValueError("give one of 'technique', 'table' and 'settings'")
        return self


class FigureSpec(Section):
    """One figure."""

    title: str
    category: str
    """Heading under which the report lists it."""
    width: Literal["single", "double"] = "double"
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
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        figures = TypeAdapter(dict[str, FigureSpec]).validate_python(values)
    except (OSError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        raise SheetError(
            "\n".join(f"{path}: {'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors())
        ) from None
    for name, figure in figures.items():
        shown = {letter for row in figure.layout for letter in row} - {"."}
        if shown != set(figure.panels):
            raise SheetError(f"{path}: {name}: layout shows {sorted(shown)}, panels are {sorted(figure.panels)}")
    return figures
