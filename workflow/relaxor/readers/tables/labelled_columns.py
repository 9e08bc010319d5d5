"""Text tables whose first row names each column with its unit: Keithley 2636 scripts, split aixACCT tables, others.

Layout: ``Gate Voltage [V]``, ``Gate Voltage (V)`` or ``Vplus V``, separated by tabs, commas or semicolons, then rows of
numbers. One column without a name numbers the rows.
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
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.registry import TABLE, Reader

BRACKETS = re.compile(r"\s*(.*?\S)\s*[\[(]\s*([^\])]*?)\s*[\])]\s*")
WORDS = re.compile(r"\s*(\w+) ([A-Za-z_0-9/^%µ-]{1,12})\s*")
UNITS = {"uC_per_cm2": "uC/cm^2", "µC/cm2": "uC/cm^2", "uC/cm2": "uC/cm^2", "Ohm": "ohm", "Ohms": "ohm", "Amps": "A",
         "a.u.": "1", "": "1", "deg": "degree", "%": "percent"}  # fmt: skip
"""Spellings that pint does not read."""


def recognises(head: bytes, path: Path) -> bool:
    """Tell by a first row in which every column, but one at most, has a name and a known unit."""
    if b"\0" in head or b"\n" not in head:
        return False
    first = head.decode("utf-8-sig", "replace").splitlines()[0]
    names = first.split(_separator(first))
    if len(names) < 2 or len(first) > 2000:
        return False
    labels = [_label(name) for name in names if name.strip()]
    return len(labels) >= max(2, len(names) - 1) and None not in labels


def extract(path: Path) -> xr.DataTree:
    """Read a table.

    Returns
    -------
    xarray.DataTree
        Child ``table`` with dimension ``row`` and one variable a column, named after it in lower case
        (``gate_voltage``), in the unit of the file; empty cells are NaN.
    """
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
        key = re.sub(r"\W+", "_", label[0]).strip("_").lower()
        columns[key if key not in columns else f"{key}_{index}"] = variable("row", values, label[1], label[0])
    number = variable("row", np.arange(len(rows)), "1", "row")
    return tree({"table": xr.Dataset(columns, {"row": number})}, header=names, instrument="not stated in the file")


def _separator(line: str) -> str:
    return max("\t,;", key=line.count)


def _label(name: str) -> tuple[str, str] | None:
    """Split the name of a column into quantity and unit."""
    match = BRACKETS.fullmatch(name) or WORDS.fullmatch(name)
    if not match:
        return None
    unit = UNITS.get(match[2], match[2])
    return (match[1], unit) if parse_unit(unit) is not None else None


READER = Reader("labelled_columns", recognises, extract, priority=TABLE)
