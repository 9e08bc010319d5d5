"""Claims, checks and validation as pages: what is read first as columns, and everything else of a row behind them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from relaxor.project.lists import SIGNS
from relaxor.reporting.explorer.encoding import unit_text
from relaxor.reporting.tables import value_text

SHOWN = {
    "claims": ("quantity", "verdict", "reported", "ours", "unit", "z"),
    "checks": ("check", "verdict", "parameter", "value", "at_least", "at_most"),
    "validation": ("quantity", "verdict", "published", "ours", "unit", "z", "technique"),
}
"""Columns of each table that are read first."""
ERRORS = {"ours": ("standard_error", "systematic_error"), "published": ("published_error",)}
"""Columns whose squares add up to that of the error of a value."""
Link = tuple[str, str] | None
"""Script of a measurement and name of a number, which is empty for the measurement alone; None for neither."""


def comparison(name: str, table: pd.DataFrame, links: Sequence[Link]) -> dict[str, Any]:
    """Return the content of a page of comparisons.

    Parameters
    ----------
    name
        ``claims``, ``checks`` or ``validation``.
    table
        The table as texts.
    links
        The number of each row.
    """
    shown = [column for column in SHOWN[name] if column in table]
    rows = table.to_dict("records")
    content = {"columns": list(table.columns), "rows": table.to_numpy().tolist(), "shown": shown, "links": links}
    hidden = [column for column in table.columns if column not in (*shown, "claim")]
    return content | {"short": [[_told(row, column) for column in shown] for row in rows], "hidden": hidden}


def _told(row: Mapping[str, str], column: str) -> str:
    """Return a cell as it is read: with its error in parentheses, few digits and the relation of a bound."""
    text = row[column]
    if column == "unit":
        return unit_text(text)
    if column == "reported":
        return SIGNS.get(row.get("relation", ""), "") + text
    if column in ERRORS and text:
        errors = [float(row[name]) for name in ERRORS[column] if row.get(name)]
        return value_text(float(text), math.hypot(*errors))
    if column == "z" and text:
        return f"{float(text):.2f}"
    return f"{float(text):.4g}" if column in ("value", "at_least", "at_most") and text else text


def same(given: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Return whether a number has the names that a row gives, of which those that are numbers have fewer digits."""
    return all(text == own[name] or _close(text, own[name]) for name, text in given.items())


def _close(text: str, other: str) -> bool:
    try:
        return math.isclose(float(text), float(other), rel_tol=1e-5)
    except ValueError:
        return False
