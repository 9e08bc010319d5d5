"""A first figure of a new project, for the user to change: every measurement of its sample in a panel."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import yaml

from relaxor.core.files import atomic
from relaxor.project.figure_list import load_figures
from relaxor.techniques.registry import OTHER, Technique, techniques

MOST_PANELS = 12
"""Largest number of panels of the figure."""
FIGURE = "figure1"


def add_starter(figures: Path | str, rows: Sequence[Mapping[str, Any]], sample: str) -> str:
    """Add a first figure of a sample to a list of figures that has none.

    Parameters
    ----------
    figures
        ``config/figures.yaml``. A file that does not exist, or lists figures, is left as it is.
    rows
        The rows of the sheet.
    sample
        The sample.

    Returns
    -------
    str
        The name of the figure, or an empty string if none was added.
    """
    path, panels = Path(figures), list(_panels(rows, sample))
    if not panels or not path.is_file() or load_figures(path):
        return ""
    shown = dict(zip(ascii_lowercase, panels[:MOST_PANELS], strict=False))
    entry = {FIGURE: {"title": f"Figure 1. {sample}", "panels": shown}}
    text = yaml.safe_dump(entry, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)
    with atomic(path) as temporary:
        before = path.read_text(encoding="utf-8").rstrip()
        before = "" if before.endswith("{}") else before  # which says that there are none
        temporary.write_text(f"{before}\n{text}" if before else text, encoding="utf-8")
    return FIGURE


def _panels(rows: Sequence[Mapping[str, Any]], sample: str) -> Iterator[dict[str, Any]]:
    """Yield a panel for each measurement, and one for all measurements of a technique that draws them together."""
    together = set()
    for row in rows:
        name = row["technique"]
        if row["sample"] != sample or name == OTHER or name in together:
            continue
        technique = techniques()[name]
        measurement = row["measurement"]
        if not _draws_one(technique):
            together.add(name)
            measurement = "*"
        title = technique.title if measurement == "*" else measurement
        yield {
            "draw": f"{name}.overview",
            "measurements": [measurement],
            "title": title,
            "caption": f"{technique.title}.",
        }


def _draws_one(technique: Technique) -> bool:
    return technique.overview is not None or any(panel.overview for panel in technique.panels.values())
