"""Tables of numbers in a text.

A table is a run of rows of numbers, all of the same length, with the lines above it. Where tabs, semicolons or blanks
separate the cells, a comma between digits is the decimal sign.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.readers.common.cells import (
    BLANK,
    COMMENT,
    MISSING,
    SAMPLED,
    Form,
    first_with_missing,
    form_of,
    is_kind,
    is_table,
    runs,
    sampled,
)
from relaxor.readers.common.full_rows import MISSING_WORDS, full_rows, has_all_cells, mean_rows
from relaxor.readers.common.schema import MAX_POINTS
from relaxor.readers.common.text import decoded, encoding_of, lines_of, split_lines
from relaxor.readers.common.words_beside import without_words

LARGE_TEXT, HEAD = 1 << 20, 1 << 16
"""Bytes of a large text, and of its beginning in which rows must begin for it to be read without its lines."""
LARGEST_TEXT = 64 << 20
"""Bytes up to which a text is held as lines, which take ten times its size in memory."""


@dataclass(frozen=True)
class Table:
    """A table of numbers.

    Attributes
    ----------
    above
        Lines between the table before, or the beginning of the file, and the first row; the names of the columns are
        among them.
    values
        Numbers, shape (rows, columns); empty cells are NaN.
    line
        Number of the line of the first row, from 1.
    form
        How the rows are written.
    """

    above: tuple[str, ...]
    values: np.ndarray
    line: int
    form: Form


@dataclass(frozen=True)
class TableText:
    """A text that was taken apart: its tables, the lines behind the last of them, and how many rows were averaged."""

    tables: tuple[Table, ...]
    below: tuple[str, ...]
    warnings: tuple[str, ...]
    averaged: int = 1


def tables_in(path: Path) -> TableText:
    """Take the text of a file apart, see `tables_of`; a large table of equal rows is never held as text.

    Raises
    ------
    ReadError
        As `tables_of`, and if a file of more than `LARGEST_TEXT` is no such table.
    """
    if (found := _large_table(path)) is not None:
        return found
    if path.stat().st_size > LARGEST_TEXT:
        raise ReadError(
            path,
            f"is larger than {LARGEST_TEXT >> 20} MiB, and is neither one table of at most {MAX_POINTS} numbers in "
            f"rows of equal length that begin in the first {HEAD >> 10} KiB, with nothing below it, nor a longer trace "
            "with equal steps in its first column, of which neighbouring rows can be averaged without losing anything "
            "but noise: cut it into such tables",
        )
    return tables_of(lines_of(path), path)


def _large_table(path: Path) -> TableText | None:
    """Return the table of a large file in which nothing but rows of as many cells follows the first row; else None."""
    if path.stat().st_size < LARGE_TEXT:
        return None
    start = start_of(path, HEAD)
    encoding = encoding_of(start.rpartition(b"\n")[0])  # whole characters
    lines = split_lines(decoded(start))[:-1]
    form = form_of(sampled(lines))
    if form is None:
        return None
    first = first_with_missing(lines, next(index for index, line in enumerate(lines) if form.is_row(line)), form)
    if not is_table(lines, first, len(lines), form):
        return None
    width = len(form.cells(lines[first]))
    told, averaged = [], 1
    values = full_rows(path, form, width, first, encoding, missing=MISSING_WORDS)
    if values is None and (means := mean_rows(path, form, width, first, encoding)) is not None:
        values, averaged = means.values, means.rows
        told = [f"more rows than are kept: each number is the mean of {averaged} rows"]
        told += [f"the last {means.rest} rows, fewer than that, are left out"] if means.rest else []
    if values is None or (np.isnan(values.sum()) and not has_all_cells(path, form, values, lines[:first])):
        return None
    _refuse_two_commas(lines[:first], lines[first:], form, path)
    return TableText((Table(tuple(lines[:first]), values, first + 1, form),), (), tuple(told), averaged)


def tables_of(lines: Sequence[str], path: Path) -> TableText:
    """Take a text apart.

    Raises
    ------
    ReadError
        If no three lines after one another are rows of as many numbers, or a row in a table has another length.
    """
    form = form_of(sampled(lines))
    told: list[str] = []
    if form is None:
        lines, told = without_words(lines)
        form = form_of(sampled(lines)) if told else None
    if form is None:
        raise ReadError(path, "holds no three rows of two or more numbers, one after the other")
    if (whole := _one_table(lines, form, path)) is not None:
        return TableText((whole,), (), tuple(told))
    tables: list[Table] = []
    warnings = told
    begin = 0
    for first, last in runs(lines, form):
        if not is_table(lines, first, last, form):
            continue
        _refuse_broken_row(lines, begin, first, form, path)
        rows = [line for line in lines[first:last] if line.strip()]
        if _is_head(rows, form):
            rows, first = rows[1:], first + 1
        _refuse_two_commas(lines[begin:first], rows, form, path)
        if last == len(lines) and (note := _cut_short(rows, form)):
            rows = rows[:-1]
            warnings.append(f"line {last}: {note}")
        table, short = _table(tuple(lines[begin:first]), rows, first, form, path)
        tables.append(table)
        if short:
            warnings.append(f"{short} rows from line {first + 1} on have fewer cells than the others; NaN stands there")
        begin = last
    below = tuple(line for line in lines[begin:] if line.strip())
    _refuse_rows_below(below, tables, form, path)
    if below:
        warnings.append(f"{len(below)} lines below the numbers are kept in the header ('{below[0].strip()[:40]}')")
    return TableText(tuple(tables), below, tuple(warnings))


def _one_table(lines: Sequence[str], form: Form, path: Path) -> Table | None:
    """Return the table of a text in which nothing but full rows follows the first row, many times faster; else None."""
    first = first_with_missing(lines, next(index for index, line in enumerate(lines) if form.is_row(line)), form)
    last = max(index for index, line in enumerate(lines, start=1) if line.strip())
    if not is_table(lines, first, last, form):
        return None
    rows = lines[first:last]
    values = full_rows(StringIO("\n".join(rows)), form, len(form.cells(rows[0])))
    if values is None:
        return None
    _refuse_two_commas(lines[:first], rows, form, path)
    return Table(tuple(lines[:first]), values, first + 1, form)


def _table(above: tuple[str, ...], rows: list[str], first: int, form: Form, path: Path) -> tuple[Table, int]:
    """Return a table, and the number of its rows that have fewer cells than the others."""
    cells = [form.cells(row) for row in rows]
    width = max(map(len, cells))
    if width * len(cells) > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers; such tables are refused")
    short = next((index for index, row in enumerate(cells) if len(row) != width), None)
    if short is not None and form.separator == BLANK:
        problem = f"{len(cells[short])} numbers where other rows have {width}"
        raise ReadError(path, problem, f"line {first + 1 + short}")
    values = np.full((len(cells), width), np.nan)
    for column in range(width):
        words = [_plain(row[column], form) if column < len(row) else "nan" for row in cells]
        values[:, column] = np.array(words, dtype=float)
    if (endless := np.isinf(values)).any():
        row = int(np.argmax(endless.any(axis=1)))
        raise ReadError(path, "holds a number that is too large", f"line {first + 1 + row}")
    return Table(above, values, first + 1, form), sum(len(row) < width for row in cells)


def _plain(cell: str, form: Form) -> str:
    """Return a cell as Python writes a number."""
    if not form.is_number(cell):
        return "nan"
    word = cell.replace("−", "-").replace("d", "e").replace("D", "e")
    return word.replace(",", ".") if form.decimal == "," else word


def _is_head(rows: Sequence[str], form: Form) -> bool:
    """Return whether the first row names the columns by numbers: its first cell is empty, and those below are not."""
    if form.separator == BLANK or len(rows) < 2:
        return False
    first, *others = (form.cells(row)[:1] for row in rows[:4])
    return first == [""] and all(other != [""] for other in others)


def _cut_short(rows: Sequence[str], form: Form) -> str:
    """Return what is wrong with a last row that is shorter than those before, as if writing had stopped within it."""
    before, last = len(form.cells(rows[0])), len(form.cells(rows[-1]))
    return f"the last row holds {last} of {before} cells and is left out" if last < before else ""


def _refuse_two_commas(above: Sequence[str], rows: Sequence[str], form: Form, path: Path) -> None:
    """Refuse commas that separate the cells and are decimal signs as well.

    Half as many names as cells stand above them, or a whole number among them begins with a zero.
    """
    if form.separator != ",":
        return
    cells = [form.cells(row) for row in rows[:SAMPLED]]
    if any(len(row) % 2 or not all(re.fullmatch(r"[-+]?\d+", cell) for cell in row) for row in cells):
        return
    names = form.cells(COMMENT.sub("", next((line for line in reversed(above) if line.strip()), "")))
    halves = 2 * len([name for name in names if name]) == len(cells[0]) > 2
    if halves or any(re.fullmatch(r"0\d+", cell) for row in cells for cell in row[1::2]):
        raise ReadError(
            path,
            "commas separate the cells and are decimal signs too, so that numbers cannot be told apart; export the "
            "table with tabs or semicolons between the cells",
        )


def _refuse_broken_row(lines: Sequence[str], begin: int, first: int, form: Form, path: Path) -> None:
    """Refuse a table that a single row interrupts in which one cell is no number."""
    between = [(number, line) for number, line in enumerate(lines[begin:first], start=begin + 1) if line.strip()]
    if not begin or len(between) != 1:
        return
    ((number, line),) = between
    cells = form.cells(line)
    wrong = [place for place, cell in enumerate(cells) if not form.is_number(cell) and cell.lower() not in MISSING]
    if len(cells) == len(form.cells(lines[first])) and 0 < len(wrong) < len(cells):
        raise ReadError(path, f"'{cells[wrong[0]][:40]}' is not a number", f"line {number}, cell {wrong[0] + 1}")


def _refuse_rows_below(below: Sequence[str], tables: Sequence[Table], form: Form, path: Path) -> None:
    """Refuse a table behind which more rows stand than in it, of as many cells, that are not all numbers."""
    if not tables:
        return
    height, width = tables[-1].values.shape
    rows = [cells for line in below if len(cells := form.cells(line)) == width and any(map(form.is_number, cells))]
    wrong = next((cell for row in rows[:1] for cell in row if is_kind(cell, True, form)), "")
    if len(rows) > height and wrong:
        raise ReadError(path, f"'{wrong[:40]}' is not a number", f"line {tables[-1].line + height}")
