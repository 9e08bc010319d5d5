"""Text exports of the Keithley 4200, ``.txt`` and ``.csv``.

Instruments: Clarius+ of Keithley 4200 parameter analysers exports single runs and graphs in this form.

Recognition: The first two rows are the names of cycle mode (``Cycle`` over ``Index``), or a row of names stands over
numbers in engineering notation (``125.8467E-6``).

Layout: One row of names (two rows in cycle mode) is followed by rows of numbers. Cells are separated by tabs or commas.
A ``.txt`` file has engineering notation of seven digits; a ``.csv`` file ends with lines of ``Settings``. The columns
are those of a sheet of the workbook. The ``.csv`` of a graph shows the latest run, not the first one.

Schema: The child ``run`` is what `relaxor.readers.electrical.keithley_4200` makes of a sheet. The header holds the
lines behind the numbers.
"""

import csv
import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import head_lines, text_of
from relaxor.readers.electrical.keithley_4200 import FAILED, run

NAME = r"[A-Za-z_][\w#()./ -]*"
NUMBER = r"-?\d+(\.\d+)?(E[-+]?\d+)?"
ENGINEERING = re.compile(r"-?\d{1,3}\.\d{4}E[-+]\d+")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the two rows of names of cycle mode, or names over numbers in engineering notation."""
    lines = head_lines(head)
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
    """Read a text export; the schema is that of the module."""
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
    return tree({"run": dataset}, header=tail, instrument="Keithley 4200", warnings=warnings)


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(NUMBER, cell.strip())) or cell.strip() in FAILED
