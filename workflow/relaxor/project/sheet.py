"""The measurement sheet: one row per file, checked before anything runs."""

import csv
import string
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from relaxor.core.errors import SheetError, nearest
from relaxor.core.remote import SCHEMES
from relaxor.core.results import SCAN
from relaxor.core.units import factor, parse_quantity, registry
from relaxor.project.layers import known_conditions
from relaxor.readers.common.unit_words import stated_columns
from relaxor.techniques.registry import OTHER, current_name, techniques

COLUMNS = ("measurement", "sample", "technique", "file", "panel", "origin", "instrument", "table", "conditions", "note")
NEEDED = ("measurement", "sample", "technique", "file", "origin")
"""Columns that every sheet has; the others may be left out."""
STATED = ("instrument", "table")
"""Columns whose cells name what the settings describe."""
ORIGINS = ("simulated", "measured")
NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-.")
POSITIVE = ("m", "m^2", "s", "Hz", "J", "A")
"""Units of the kinds of known conditions that must be above zero (the only current is a compliance)."""
NOT_NEGATIVE = "W"
"""Unit of the kind that may be zero, as for a blocked beam; a voltage may have any sign."""


TEMPERATURE = "K"
"""Unit of the condition ``temperature`` of every technique."""
PATTERNS = frozenset("{}<>")
"""Characters of file names in which Snakemake sees patterns."""
UNWRITABLE = ("Cc", "Cs")
"""Unicode categories of line breaks and other control characters, and of bytes that are not UTF-8."""


def unusable_name(name: str) -> str:
    """Return why a run cannot use a file of this name, or an empty string."""
    found = [each for each in name if each in PATTERNS or unicodedata.category(each) in UNWRITABLE]
    if not found:
        return ""
    return f"a name with {', '.join(map(ascii, dict.fromkeys(found)))} cannot be used; rename the file"


def load_sheet(
    path: Path | str,
    root: Path | str = ".",
    tables: tuple[str, ...] = (),
    panels: tuple[str, ...] | None = None,
    instruments: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Load and check the sheet.

    Parameters
    ----------
    path
        Tab-separated file with the columns `COLUMNS`, of which only `NEEDED` are required.
    root
        Project folder; files must lie below it, or be URLs.
    tables
        Names of the table descriptions in the configuration.
    panels
        Names of the existing panels; without them, any name is allowed.
    instruments
        Names of the instruments in the configuration.

    Returns
    -------
    list of dict
        One entry per row; ``conditions`` are parsed to name → (value, unit).

    Raises
    ------
    SheetError
        One line per row that is not valid, with the file, the row, the column, the text that was found and the allowed
        values.
    """
    path, root = Path(path), Path(root).resolve()
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t", strict=True)
            header = tuple(reader.fieldnames or ())
            if not set(NEEDED) <= set(header) <= set(COLUMNS):
                raise SheetError(f"{path}: row 1: columns are {', '.join(header)}; expected {', '.join(COLUMNS)}")
            lines = list(reader)
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SheetError(f"{path}: is not tab-separated UTF-8 text ({error})") from error
    return check_rows(lines, path, root, tables, panels, instruments)


def check_rows(
    lines: Sequence[Mapping[str, Any]],
    path: Path,
    root: Path,
    tables: tuple[str, ...] = (),
    panels: tuple[str, ...] | None = None,
    instruments: tuple[str, ...] = (),
    present: bool = True,
) -> list[dict[str, Any]]:
    """Check the lines of a sheet, as texts by column; see `load_sheet`.

    ``present`` is whether the files must exist; those that a later step fetches do not yet.
    """
    seen: dict[Hashable, int] = {}
    choices = {
        "technique": (*techniques(), OTHER),
        "origin": ORIGINS,
        "instrument": ("", *instruments),
        "table": ("", *tables),
    }
    if panels is not None:
        choices["panel"] = ("", *panels)
    checked, problems = [], []
    for number, row in enumerate(lines, start=2):
        try:
            checked.append(_check(dict(row), number, path, root, choices, seen, present))
        except SheetError as error:
            problems.append(str(error))
    if problems:
        raise SheetError("\n".join(problems))
    return checked


def names_columns(text: str) -> bool:
    """Return whether a text names columns with their units, instead of a description of the settings."""
    try:
        return len(stated_columns(text)) > 1
    except ValueError:
        return False


def _check(
    row: dict[str, Any],
    number: int,
    path: Path,
    root: Path,
    choices: dict[str, tuple[str, ...]],
    seen: dict[Hashable, int],
    present: bool,
) -> dict[str, Any]:
    def fail(column: str, problem: str) -> SheetError:
        return SheetError(f"{path}: row {number}: column '{column}': {problem}")

    if None in row or None in row.values():
        columns = len([column for column in row if column is not None])
        raise SheetError(f"{path}: row {number}: {columns} cells separated by tabs expected")
    row = dict.fromkeys(COLUMNS, "") | {column: value.strip() for column, value in row.items()}
    row["technique"] = current_name(row["technique"], f"{path}: row {number}")
    for column in ("measurement", "sample"):
        if not row[column] or not set(row[column]) <= NAME_CHARACTERS or row[column].startswith("."):
            raise fail(column, f"'{row[column]}' is not a name (letters, digits, '_', '-', '.')")
    name = (row["sample"], row["measurement"])
    if name in seen:
        raise fail(
            "measurement", f"'{row['measurement']}' is already in row {seen[name]}; names are unique in a sample"
        )
    seen[name] = number
    for column, allowed in choices.items():
        for found in row[column].split(",") if column == "panel" else [row[column]]:
            if found not in allowed:
                if column == "table" and names_columns(found):
                    continue
                lacking = f"; the settings have no {column}s: describe it under '{column}s' in config/config.yaml"
                hint = lacking if column in STATED and not any(allowed) else nearest(found, allowed)
                raise fail(column, f"'{found}' is not known{hint}")
    if problem := unusable_name(row["file"]):
        raise fail("file", f"'{ascii(row['file'])[1:-1]}': {problem}")
    scheme, separator, address = row["file"].partition("://")
    if separator:
        if scheme not in SCHEMES:
            raise fail("file", f"files are not fetched by '{scheme}'{nearest(scheme, SCHEMES)}")
        host, *parts = address.split("/")
        if "@" in host or not (host and parts) or {"", ".", ".."} & set(parts) or {"?", "#"} & set(address):
            raise fail("file", f"'{row['file']}' is not '{scheme}://host/path', without '?', '#', '..' and a password")
    else:
        file = (root / row["file"]).resolve()
        if not file.is_relative_to(root):
            raise fail("file", f"'{row['file']}' lies outside the project")
        if present and not file.is_file():
            raise fail("file", f"'{row['file']}' does not exist")
    conditions = _conditions(row["conditions"], row["technique"], fail)
    use = (row["sample"], row["technique"], row["table"], row["file"] if separator else file, conditions.get(SCAN))
    if use in seen:
        raise fail(
            "file",
            f"'{row['file']}' is already in row {seen[use]} as {row['technique']} of this sample; it counts twice: "
            "remove one",
        )
    seen[use] = number
    row["conditions"] = conditions
    return row


def _conditions(text: str, technique: str, fail: Any) -> dict[str, tuple[float, str]]:
    known, result = known_conditions(technique), {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, quantity = (piece.strip() for piece in part.partition("="))
        if not (name and equals):
            raise fail("conditions", f"'{part}' is not 'name=value unit'")
        if name in result:
            raise fail("conditions", f"'{name}' is given twice; keep one")
        unit = TEMPERATURE if name == "temperature" else known.get(name)
        if problem := unfit(quantity, unit):
            raise fail("conditions", f"'{part}' {problem}")
        result[name] = parse_quantity(quantity)
    return result


@cache
def unfit(text: str, unit: str | None) -> str:
    """Return what is wrong with the value of a condition, or an empty string if it is valid.

    Parameters
    ----------
    text
        The value, such as ``"2.5 mW"``.
    unit
        A unit of the required dimension, or ``""`` for any. It is None if no technique knows the condition: a condition
        of the lab may have any sign, such as a delay or a defocus.
    """
    try:
        value, given = parse_quantity(text)
        factor(given, unit or given)
    except Exception as error:  # the parser of pint raises many kinds of errors
        return f"is not a number with a unit{f' such as {unit}' if unit else ''} ({error})"
    kind = registry().Unit(given if given != "1" else "")
    if unit is not None and value <= 0 and any(map(kind.is_compatible_with, POSITIVE)):
        return "must be above zero"
    if unit is not None and value < 0 and kind.is_compatible_with(NOT_NEGATIVE):
        return "must not be negative"
    if unit and kind.is_compatible_with(TEMPERATURE) and registry().Quantity(value, kind).to(TEMPERATURE).magnitude < 0:
        return "is below absolute zero"
    return ""


def require_samples(names: Iterable[str], rows: Sequence[Mapping[str, Any]], source: Path | str) -> None:
    """Refuse the name of a sample in the settings that no row of the sheet has."""
    samples = tuple(dict.fromkeys(row["sample"] for row in rows))
    for name in names:
        if name not in samples:
            raise SheetError(f"{source}: no row has the sample '{name}' of the settings{nearest(name, samples)}")


def main_sample(stated: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the sample of the figures: that of the settings or, if they state none, the first of the sheet."""
    return stated or next((str(row["sample"]) for row in rows), "")
