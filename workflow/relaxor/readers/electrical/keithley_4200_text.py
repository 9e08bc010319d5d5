"""Text exports of the Keithley 4200, ``.txt``, ``.csv`` and the csv of a graph.

Layout: one row of names (two in cycle mode), rows of numbers, separated by tabs or commas. ``.txt`` has engineering
notation of seven digits (``125.8467E-6``), ``.csv`` ends in lines of ``Settings``. The columns are those of a sheet of
the workbook; the csv of a graph shows the latest run, not the first.
"""

import csv
import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import text_of
from relaxor.readers.electrical.keithley_4200 import FAILED, run
from relaxor.readers.registry import Reader

NAME = r"[A-Za-z_][\w#()./ -]*"
NUMBER = r"-?\d+(\.\d+)?(E[-+]?\d+)?"
ENGINEERING = re.compile(r"-?\d{1,3}\.\d{4}E[-+]\d+")


def recognises(head: bytes, path: Path) -> bool:
    """Tell by cycle mode's two rows of names, or by names over numbers in engineering notation."""
    if b"\0" in head:
        return False
    lines = head.decode("utf-8-sig", "replace").splitlines()
    if len(lines) < 3 or "[" in lines[0]:
        return False
    separator = "\t" if "\t" in lines[0] else ","
    names, below = lines[0].split(separator), lines[1].split(separator)
    if names[0] == "Cycle" and below[0] == "Index":
        return True
    named = len(names) > 1 and all(re.fullmatch(NAME, name.strip()) for name in names)
    cells = [cell for cell in below if cell.strip() and cell.strip() not in FAILED]
    return named and len(names) == len(below) and bool(cells) and all(ENGINEERING.fullmatch(cell) for cell in cells)


def extract(path: Path) -> xr.DataTree:
    """Read a text export.

    Returns
    -------
    xarray.DataTree
        Child ``run`` as `relaxor.readers.electrical.keithley_4200.extract` makes of a sheet. Header: the lines behind
        the numbers. Root: ``warnings`` (lines).
    """
    lines = text_of(path).splitlines()
    separator = "\t" if "\t" in lines[0] else ","
    rows = list(csv.reader(lines, delimiter=separator))
    end = len(rows)
    first = 2 if rows[0][0] == "Cycle" else 1
    for index in range(first, len(rows)):
        cells = [cell for cell in rows[index] if cell.strip()]
        if not cells or not all(_numeric(cell) for cell in cells):
            end = index
            break
    if end == first:
        raise ReadError(path, "holds no row of numbers under its names", f"line {first + 1}")
    tail = [row for row in rows[end:] if any(row)]
    if tail and len(tail[0]) > 2 and sum(map(_numeric, tail[0])) > 1:
        wrong = next(cell for cell in tail[0] if cell.strip() and not _numeric(cell))
        raise ReadError(path, f"'{wrong[:40]}' is not a number", f"line {end + 1}")
    warnings: list[str] = []
    dataset = run(rows[:end], "run", warnings, path)
    extra = {"warnings": "\n".join(warnings)} if warnings else {}
    return tree({"run": dataset}, header=tail, instrument="Keithley 4200", **extra)


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(NUMBER, cell.strip())) or cell.strip() in FAILED


READER = Reader("keithley_4200_text", recognises, extract)
