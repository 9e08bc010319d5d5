"""Selection of numbers in the parameter tables, which claims, checks and comparisons share."""

import difflib
import math
from collections.abc import Sequence
from fnmatch import fnmatchcase

import pandas as pd

from relaxor.core.errors import SheetError, nearest
from relaxor.core.storage import COLUMNS, load_parameters
from relaxor.inpainting.topics import topics
from relaxor.project.lists import Selector

TEXTS = ("technique", "measurement", "model", "parameter", "feature")
"""Columns by which a number is selected as text."""


def all_numbers(parameters: Sequence[str]) -> pd.DataFrame:
    """Join the parameter tables of several techniques."""
    full = [table for path in parameters if len(table := load_parameters(path))]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=list(COLUMNS))


def require_listed(selector: Selector, where: str) -> None:
    """Refuse a selector whose technique, parameter or model does not exist, whatever was measured.

    Raises
    ------
    SheetError
        Naming the nearest that is listed. ``where`` says who asks.
    """
    topic = topics().get(selector.technique)
    if topic is None:
        raise SheetError(
            f"{where}: technique '{selector.technique}' is not known{nearest(selector.technique, topics())}"
        )
    parameters = [quantity.name for quantity in topic.quantities]
    for column, names in (("parameter", parameters), ("model", list(topic.models))):
        wanted = getattr(selector, column)
        if not any(fnmatchcase(name, wanted) or fnmatchcase(wanted, name) for name in names):
            raise SheetError(f"{where}: {topic.name} has no {column} '{wanted}'{nearest(wanted, names)}")


def select(numbers: pd.DataFrame, selector: Selector, where: str) -> pd.DataFrame:
    """Return the rows that a selector matches; ``where`` says who asks, for the errors of `require_listed`."""
    require_listed(selector, where)
    keep = pd.Series(True, index=numbers.index)
    for column in TEXTS:
        pattern = getattr(selector, column)
        if pattern != "*":
            keep &= numbers[column].map(lambda value, pattern=pattern: fnmatchcase(str(value), pattern)).astype(bool)
    if selector.at is not None:
        keep &= numbers["at"].map(lambda value: math.isclose(value, selector.at, rel_tol=1e-6)).astype(bool)
    return numbers[keep]


def one(numbers: pd.DataFrame, selector: Selector, where: str) -> pd.Series:
    """Return the one number that a selector matches.

    Raises
    ------
    SheetError
        If there is no such number or more than one. The message begins with ``where`` and names the most similar one.
    """
    found = select(numbers, selector, where)
    if len(found) == 1:
        return found.iloc[0]
    wanted = ", ".join(f"{column} {value}" for column, value in selector if value not in ("*", None))
    if len(found):
        raise SheetError(f"{where}: {wanted} finds {len(found)} numbers instead of one; select by more columns")
    raise SheetError(f"{where}: no number has {wanted}{_nearest(numbers, selector)}")


def _nearest(numbers: pd.DataFrame, selector: Selector) -> str:
    """Return ``; the nearest is …`` with the most similar number of the technique."""
    of_technique = numbers[numbers["technique"] == selector.technique]
    if of_technique.empty:
        return f"; there are numbers of {', '.join(sorted(set(numbers['technique']))) or 'no technique'}"
    names = [" ".join(map(str, row)) for row in of_technique[list(TEXTS)].itertuples(index=False)]
    wanted = " ".join(value for column in TEXTS if (value := getattr(selector, column)) != "*")
    near = difflib.get_close_matches(wanted, names, 1, cutoff=0.0)[0]
    row = of_technique.iloc[names.index(near)]
    shown = [f"{column} {row[column]}" for column in TEXTS if row[column]]
    return "; the nearest has " + ", ".join(shown) + (f", at {row['at']:g}" if math.isfinite(row["at"]) else "")
