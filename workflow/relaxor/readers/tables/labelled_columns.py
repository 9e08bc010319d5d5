"""Text tables whose first row names every column with its unit, ``.csv``, ``.tsv`` and ``.txt``.

Instruments: Scripts for the Keithley 2636 SourceMeter, split aixACCT tables and other programs write this form.

Recognition: All columns of the first row, except one at most, have a name and a unit that is known. This reader is
asked after those of formats that are known by more than the names of their columns.

Layout: The names are like ``Gate Voltage [V]``, ``Gate Voltage (V)`` or ``Vplus V``, and are separated by tabs, commas
or semicolons. Rows of numbers follow. One column without a name may number the rows.

Schema: The child ``table`` has the dimension ``row`` and one variable per column, named after it in lower case
(``gate_voltage``), in the unit of the file. Empty cells are NaN.
"""

import csv
import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import parse_unit
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import head_lines, numbers, slug, spelled, text_of
from relaxor.readers.registry import TABLE

PRIORITY = TABLE
BRACKETS = re.compile(r"\s*(.*?\S)\s*[\[(]\s*([^\])]*?)\s*[\])]\s*")
WORDS = re.compile(r"\s*(\w+) ([A-Za-z_0-9/^%µ-]{1,12})\s*")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a first row in which every column, except one at most, has a name and a known unit."""
    lines = head_lines(head)
    if not lines or b"\n" not in head:
        return False
    first = lines[0]
    names = first.split(_separator(first))
    if len(names) < 2 or len(first) > 2000:
        return False
    labels = [_label(name) for name in names if name.strip()]
    return len(labels) >= max(2, len(names) - 1) and None not in labels


def extract(path: Path) -> xr.DataTree:
    """Read a table; the schema is that of the module."""
    lines = text_of(path).splitlines()
    separator = _separator(lines[0])
    names, *rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
    if not rows:
        raise ReadError(path, "holds names of columns and no row", "line 1")
    for index, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ReadError(path, f"{len(row)} columns, the first row names {len(names)}", f"row {index}")
    columns: dict[str, xr.Variable] = {}
    for index, name in enumerate(names):
        label = _label(name)
        if label is None:
            continue
        cells = [row[index].strip() or "nan" for row in rows]
        values = numbers(cells, path, f"column {name.strip()}")
        key = slug(label[0])
        columns[key if key not in columns else f"{key}_{index}"] = variable("row", values, label[1], label[0])
    number = variable("row", np.arange(len(rows)), "1", "row")
    return tree({"table": xr.Dataset(columns, {"row": number})}, header=names, instrument="not stated in the file")


def _separator(line: str) -> str:
    return max("\t,;", key=line.count)


def _label(name: str) -> tuple[str, str] | None:
    """Return quantity and unit from the name of a column, or None if it has no known unit."""
    match = BRACKETS.fullmatch(name) or WORDS.fullmatch(name)
    if not match:
        return None
    unit = spelled(match[2])
    return (match[1], unit) if parse_unit(unit) is not None else None
