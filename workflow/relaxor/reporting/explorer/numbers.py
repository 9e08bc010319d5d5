"""The numbers of a measurement as a page shows them: value, errors, budget, method, and a lasting name for each."""

from collections import defaultdict
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd

from relaxor.core.pieces import Parts
from relaxor.core.storage import BUDGET, COLUMNS, NAMES, load_parameters
from relaxor.inpainting.topics import topics
from relaxor.reporting.explorer.encoding import unit_text
from relaxor.reporting.tables import value_text

SHARED = ("method", "raw_sha256")
"""Long texts that many numbers share, which are stored once."""
MOST_ROWS = 5_000
"""Number of numbers of a measurement above which its page leaves out those of single places of a map or series."""
Key = tuple[str, ...]


def texts(path: Path | str) -> pd.DataFrame:
    """Load a table of the results as the texts of its cells; blanks are empty."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def names_of(table: pd.DataFrame) -> list[Key]:
    """Return what identifies the number of each row."""
    return list(table[list(NAMES)].itertuples(index=False, name=None))


def ids_of(table: pd.DataFrame) -> list[str]:
    """Return a name for each number that lasts from run to run, unique within its measurement.

    It is made of model, parameter, feature and value of the varied quantity; a repeated one has its count at the end.
    """
    seen: dict[Key, int] = defaultdict(int)
    found = []
    for measurement, model, parameter, feature, at, _ in names_of(table):
        name = ".".join(filter(None, (model, parameter, feature))) + (f"@{at}" if at else "")
        seen[measurement, name] += 1
        found.append(name if seen[measurement, name] == 1 else f"{name}~{seen[measurement, name]}")
    return found


def numbers_of(parameters: Path | str, budget: Path | str | None) -> Mapping[str, dict[str, Any]]:
    """Return the numbers of each measurement of a technique.

    Returns
    -------
    numbers
        By measurement: ``rows``, whose ``cells`` are those of ``parameters.csv`` and whose other entries are texts to
        show; ``shared``, the texts to which the cells of `SHARED` refer by their place; ``models`` and ``meanings``,
        the models and parameters in words; ``left_out``, how many numbers of single places of a map or series are not
        among them, because all would be more than `MOST_ROWS`.
    """
    table, values = texts(parameters), load_parameters(parameters)[["value", "standard_error"]]
    components = texts(budget) if budget is not None else pd.DataFrame(columns=list(BUDGET))
    rows, parts = _rows(table), _rows(components)

    def of(measurement: str) -> dict[str, Any]:
        held, components_held = rows[measurement], parts.get(measurement, [])
        listed = held
        if len(held) > MOST_ROWS:
            listed, components_held = _of_all(table, held), _of_all(components, components_held)
        found = _numbers(table.iloc[listed], values.iloc[listed], components.iloc[components_held])
        return found | {"left_out": len(held) - len(listed)}

    return Parts(tuple(rows), of)


def _rows(table: pd.DataFrame) -> dict[str, list[int]]:
    """Return the places of the rows of each measurement."""
    found: dict[str, list[int]] = {}
    for place, measurement in enumerate(table["measurement"]):
        found.setdefault(measurement, []).append(place)
    return found


def _of_all(table: pd.DataFrame, places: list[int]) -> list[int]:
    """Return those places of rows that do not hold a number at one value of what was varied."""
    single = table["at"].to_numpy() != ""
    return [place for place in places if not single[place]]


def _numbers(table: pd.DataFrame, values: pd.DataFrame, components: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of one measurement."""
    parts = _components(components)
    own: dict[str, Any] = {"rows": [], "shared": [], "models": {}, "meanings": {}}
    pairs = values.itertuples(index=False, name=None)
    for cells, names, name, pair in zip(table.to_dict("records"), names_of(table), ids_of(table), pairs, strict=True):
        _explain(own, cells)
        row = {
            "id": name,
            "value": value_text(*pair),
            "unit": unit_text(cells["unit"]),
            "at": f"{cells['at']} {unit_text(cells['at_unit'])}".strip(),
            "cells": [_place(own["shared"], cells[key]) if key in SHARED else cells[key] for key in COLUMNS],
        }
        own["rows"].append(row | ({"budget": parts[names]} if names in parts else {}))
    return own


def _components(table: pd.DataFrame) -> Mapping[Key, list[tuple[str, ...]]]:
    """Return the components of the uncertainty of each number."""
    found: dict[Key, list[tuple[str, ...]]] = defaultdict(list)
    columns = table[["component", "kind", "value", "source"]].itertuples(index=False, name=None)
    for names, component in zip(names_of(table), columns, strict=True):
        found[names].append(component)
    return found


def _explain(own: dict[str, Any], cells: Mapping[str, str]) -> None:
    """Add the words of the technique for the parameter and the model of a number."""
    topic = topics().get(cells["technique"])
    if topic is None:
        return
    for quantity in topic.quantities:
        if quantity.name == cells["parameter"]:
            own["meanings"][quantity.name] = quantity.meaning
    for model, meaning in topic.models.items():
        if fnmatchcase(cells["model"], model):
            own["models"].setdefault(cells["model"], meaning)


def _place(shared: list[str], text: str) -> int:
    """Return the place of a text in a list, to which it is added if it is new."""
    if text not in shared:
        shared.append(text)
    return shared.index(text)
