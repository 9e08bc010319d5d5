"""Text as rows of cells: one notion of separators, decimal signs, quotes, comments and tables for all text readers.

A table is a run of rows of numbers, all of the same length, with the lines above it. Where tabs, semicolons or blanks
separate the cells, a comma between digits is the decimal sign.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.readers.common.schema import MAX_POINTS
from relaxor.readers.common.text import decoded, lines_of, split_lines

FEWEST_ROWS = 3
"""Smallest number of rows of numbers that are a table."""
LARGE_TEXT, HEAD = 1 << 20, 1 << 16
"""Bytes of a large text, and of its beginning in which rows must begin for it to be read without its lines."""
LARGEST_TEXT = 64 << 20
"""Bytes up to which a text is held as lines, which take ten times its size in memory."""
MOST_CELLS = 1 << 20
"""Number of cells that are parsed together."""
NAMED_ABOVE = 6
"""Number of lines above the first row of numbers in which names and units are sought."""
SAMPLED = 400
"""Number of lines from which the form of the cells is told."""
COMMENT = re.compile(r"^ *(?:#|;|'|%|!|//|/\*)\s?")
"""Marks at the beginning of a line that is no row, whatever it holds."""
BLANK = " "
"""The separator of cells between which any number of blanks stands."""
EXPONENT = r"(?:[eEdD][-+]?\d+)?"
POINT = re.compile(rf"[-+−]?(?:\d++(?:\.\d*+)?|\.\d++){EXPONENT}")
COMMA = re.compile(rf"[-+−]?(?:\d+(?:,\d+)?|,\d+){EXPONENT}")
MISSING = frozenset(("", "nan", "-nan", "n/a", "na", "#n/a", "#div/0!", "--", "-", "null", "none", "ovrflw", "ovf"))
"""Words in small letters that stand for a number that is not there."""
MISSING_WORDS = MISSING | {word.upper() for word in MISSING} | {word.title() for word in MISSING} | {"NaN", "-NaN"}
"""The same as people write them."""


@dataclass(frozen=True)
class Form:
    """How the rows of a table are written.

    Attributes
    ----------
    separator
        Text between two cells, or `BLANK`.
    decimal
        Decimal sign, ``.`` or ``,``.
    """

    separator: str
    decimal: str

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line, without quotes and blanks around them."""
        if '"' not in line:  # many times faster than the module csv
            bare = line.strip(BLANK)
            cells = bare.split() if self.separator == BLANK else bare.split(self.separator) if bare else []
            return [cell.strip() for cell in cells]
        quoted = csv.reader([line.strip(BLANK)], delimiter=self.separator, skipinitialspace=True)
        try:
            cells = [cell.strip() for cell in next(quoted, [])]
        except csv.Error:  # a cell of more than 128 KiB is no number and no name
            return []
        return [cell for cell in cells if cell] if self.separator == BLANK else cells

    def is_number(self, cell: str) -> bool:
        """Return whether a cell is a number, in the decimal sign of the table."""
        return (COMMA if self.decimal == "," else POINT).fullmatch(cell) is not None

    def is_row(self, line: str, fewest: int = 2) -> bool:
        """Return whether a line holds some numbers and nothing else, except empty cells."""
        cells = self.cells(line)
        numbers = sum(map(self.is_number, cells))
        return numbers >= fewest and numbers + sum(cell.lower() in MISSING for cell in cells) == len(cells) > 1


FORMS = (*(Form(separator, decimal) for separator in "\t;" for decimal in ".,"), Form(",", "."),
         Form(BLANK, "."), Form(BLANK, ","))  # fmt: skip
"""Forms in the order in which they are tried."""


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
    """A text that was taken apart: its tables, and the lines behind the last of them."""

    tables: tuple[Table, ...]
    below: tuple[str, ...]
    warnings: tuple[str, ...]


def form_of(lines: Sequence[str]) -> Form | None:
    """Return the form in which most lines are rows of numbers of one length, or None if there is no table of them."""
    sample = [line for line in lines if line.strip()]
    longest = {form: _longest_run(sample, form) for form in FORMS}
    best = max(FORMS, key=lambda form: longest[form])  # the first of equals
    return best if any(_is_table(sample, *run, best) for run in _runs(sample, best)) else None


def without_words(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines of a table without the columns that hold words in every row.

    What was taken away is said; nothing is where no such table was found. A first column of moments in ISO 8601 becomes
    seconds from the first one.
    """
    found = max((_worded(_sample(lines), form) for form in FORMS if form.separator != BLANK), key=lambda each: each[0])
    count, form, width, words = found
    if count < FEWEST_ROWS:
        return list(lines), []
    split = [form.cells(line) for line in lines]
    body = [
        len(cells) == width and all(_is_kind(cell, at in words, form) for at, cell in enumerate(cells))
        for cells in split
    ]
    begin = body.index(True)
    timed = min(words)
    start = _moment(split[begin][timed])
    kept = [at for at in range(width) if at not in words or (at == timed and start is not None)]
    result = list(lines)
    named = [""] * width
    for row, cells in enumerate(split[max(begin - NAMED_ABOVE, 0) :], start=max(begin - NAMED_ABOVE, 0)):
        if len(cells) != width:
            continue
        if start is not None and body[row]:
            moment = _moment(cells[timed])
            cells[timed] = repr((moment - start).total_seconds()) if moment else ""
        elif row < begin and any(cells):
            named = list(cells)
            cells[timed] += " (s)" if start is not None and cells[timed] else ""
        result[row] = form.separator.join(_quoted(cells[at], form) for at in kept)
    told = [f"column {at + 1} ('{named[at][:40]}') holds words and is not read" for at in sorted(words)]
    if start is not None:
        told[0] = f"column {timed + 1} ('{named[timed][:40]}') holds moments, given as seconds from the first one"
    return result, told


def _quoted(cell: str, form: Form) -> str:
    return f'"{cell}"' if form.separator in cell else cell


def without_remarks(lines: list[str], separator: str) -> tuple[list[str], list[str]]:
    """Return the lines of a table without the text that stands beside its numbers, and that text.

    Columns between empty ones are such text if words are a third of their cells in rows of numbers, unless all are.
    """
    form = Form(separator, ".")
    cells = [[cell.strip() for cell in line.split(separator)] for line in lines]
    beside: set[int] = set()
    numeric = [row for row in cells if sum(map(form.is_number, row)) > 1]
    blocks = _blocks(cells)
    for block in blocks:
        held = [cell for row in numeric for cell in row[block.start : block.stop] if cell.lower() not in MISSING]
        words = sum(not form.is_number(cell) for cell in held)
        beside |= set(block) if words and 3 * words >= len(held) else set()
    if not beside or len(beside) == sum(map(len, blocks)):
        return lines, []
    texts = ["\t".join(cell for at, cell in enumerate(row) if at in beside).strip() for row in cells]
    kept = [separator.join("" if at in beside else cell for at, cell in enumerate(row)) for row in cells]
    return kept, [text for text in texts if text]


def _blocks(cells: list[list[str]]) -> list[range]:
    """Return the columns between empty ones."""
    filled = {at for row in cells for at, cell in enumerate(row) if cell}
    starts = sorted(at for at in filled if at - 1 not in filled)
    ends = sorted(at for at in filled if at + 1 not in filled)
    return [range(start, end + 1) for start, end in zip(starts, ends, strict=True)]


def _worded(lines: Sequence[str], form: Form) -> tuple[int, Form, int, set[int]]:
    """Return the longest run of lines with words in some columns and numbers in two others, and these columns."""
    best: tuple[int, Form, int, set[int]] = (0, form, 0, set())
    rows = [form.cells(line) for line in lines if line.strip()]
    for width, group in groupby(rows, key=len):
        run = list(group)
        if width < 3 or len(run) <= FEWEST_ROWS:
            continue
        body = run[len(run) // 2 :]
        words = {at for at in range(width) if all(_is_kind(row[at], True, form) for row in body)}
        numbers = [at for at in range(width) if at not in words and all(_is_kind(row[at], False, form) for row in body)]
        filled = [at for at in numbers if any(form.is_number(row[at]) for row in body)]
        rows_of_both = [row for row in run if all(_is_kind(row[at], at in words, form) for at in range(width))]
        if words and len(filled) > 1 and len(words) + len(numbers) == width and len(rows_of_both) > best[0]:
            best = (len(rows_of_both), form, width, words)
    return best


def _is_kind(cell: str, word: bool, form: Form) -> bool:
    """Return whether a cell is a word, or a number or empty."""
    number = form.is_number(cell) or cell.lower() in MISSING
    return number is not word


def _moment(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    except ValueError:
        return None


def _refuse_rows_below(below: Sequence[str], tables: Sequence[Table], form: Form, path: Path) -> None:
    """Refuse a table behind which more rows stand than in it, of as many cells, that are not all numbers."""
    if not tables:
        return
    height, width = tables[-1].values.shape
    rows = [cells for line in below if len(cells := form.cells(line)) == width and any(map(form.is_number, cells))]
    wrong = next((cell for row in rows[:1] for cell in row if _is_kind(cell, True, form)), "")
    if len(rows) > height and wrong:
        raise ReadError(path, f"'{wrong[:40]}' is not a number", f"line {tables[-1].line + height}")


def _longest_run(lines: Sequence[str], form: Form) -> int:
    widths = (len(form.cells(line)) if form.is_row(line) else 0 for line in lines)
    return max((sum(1 for _ in run) for width, run in groupby(widths) if width), default=0)


def tables_of(lines: Sequence[str], path: Path) -> TableText:
    """Take a text apart.

    Raises
    ------
    ReadError
        If no three lines after one another are rows of as many numbers, or a row in a table has another length.
    """
    form = form_of(_sample(lines))
    told: list[str] = []
    if form is None:
        lines, told = without_words(lines)
        form = form_of(_sample(lines)) if told else None
    if form is None:
        raise ReadError(path, "holds no three rows of two or more numbers, one after the other")
    if (whole := _one_table(lines, form, path)) is not None:
        return TableText((whole,), (), tuple(told))
    tables: list[Table] = []
    warnings = told
    begin = 0
    for first, last in _runs(lines, form):
        if not _is_table(lines, first, last, form):
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
            f"is larger than {LARGEST_TEXT >> 20} MiB, and is not one table of at most {MAX_POINTS} numbers in rows of "
            "equal length with nothing below it: cut it into such tables",
        )
    return tables_of(lines_of(path), path)


def _large_table(path: Path) -> TableText | None:
    """Return the table of a large file in which nothing but rows of as many cells follows the first row; else None."""
    if path.stat().st_size < LARGE_TEXT:
        return None
    lines = split_lines(decoded(start_of(path, HEAD)))[:-1]
    form = form_of(_sample(lines))
    if form is None:
        return None
    first = _with_missing_above(lines, next(index for index, line in enumerate(lines) if form.is_row(line)), form)
    if not _is_table(lines, first, len(lines), form):
        return None
    values = full_rows(path, form, len(form.cells(lines[first])), first, missing=MISSING_WORDS)
    if values is None or (np.isnan(values.sum()) and not _has_all_cells(path, form, values, lines[:first])):
        return None
    _refuse_two_commas(lines[:first], lines[first:], form, path)
    return TableText((Table(tuple(lines[:first]), values, first + 1, form),), (), ())


def _has_all_cells(path: Path, form: Form, values: np.ndarray, above: Sequence[str]) -> bool:
    """Return whether the NaN among the numbers of a table are cells in rows of numbers, not what short rows lack."""
    empty = np.isnan(values)
    if form.separator == BLANK or empty.all(axis=1).any() or (empty[0, 0] and not empty[1:4, 0].any()):
        return False
    expected = values.shape[0] * (values.shape[1] - 1) + sum(line.count(form.separator) for line in above)
    with path.open("rb") as stream:
        return sum(part.count(form.separator.encode()) for part in iter(lambda: stream.read(HEAD), b"")) == expected


def _one_table(lines: Sequence[str], form: Form, path: Path) -> Table | None:
    """Return the table of a text in which nothing but full rows follows the first row, many times faster; else None."""
    first = _with_missing_above(lines, next(index for index, line in enumerate(lines) if form.is_row(line)), form)
    last = max(index for index, line in enumerate(lines, start=1) if line.strip())
    if not _is_table(lines, first, last, form):
        return None
    rows = lines[first:last]
    values = full_rows(StringIO("\n".join(rows)), form, len(form.cells(rows[0])))
    if values is None:
        return None
    _refuse_two_commas(lines[:first], rows, form, path)
    return Table(tuple(lines[:first]), values, first + 1, form)


def full_rows(
    source: Path | StringIO,
    form: Form,
    width: int,
    skip: int = 0,
    encoding: str = "utf-8",
    missing: Collection[str] = (),
) -> np.ndarray | None:
    """Return rows of numbers; None if a cell is no finite number and not missing, or a row is longer than the others.

    A short row of a table in which words may be missing is filled with NaN.
    """
    separator = r"\s+" if form.separator == BLANK else form.separator
    kept: list[np.ndarray] = []
    rows = 0
    try:
        read = pd.read_csv(
            source, sep=separator, decimal=form.decimal, header=None, skiprows=skip, dtype=float, encoding=encoding,
            quoting=csv.QUOTE_NONE, keep_default_na=False, na_values=list(missing),
            chunksize=max(MOST_CELLS // width, 1),
        )  # fmt: skip
        with read:
            for chunk in read:
                values = chunk.to_numpy()
                rows += len(values)
                wrong = np.isinf(values) if missing else ~np.isfinite(values)
                if wrong.any() or values.shape[1] != width or rows * width > MAX_POINTS:
                    return None
                kept.append(values)
    except (ValueError, OverflowError):  # what pandas raises for rows and cells of another kind
        return None
    return np.concatenate(kept, out=np.empty((rows, width), order="F")) if kept else None


def _is_head(rows: Sequence[str], form: Form) -> bool:
    """Return whether the first row names the columns by numbers: its first cell is empty, and those below are not."""
    if form.separator == BLANK or len(rows) < 2:
        return False
    first, *others = (form.cells(row)[:1] for row in rows[:4])
    return first == [""] and all(other != [""] for other in others)


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


def _sample(lines: Sequence[str]) -> Sequence[str]:
    """Return lines from the middle and the beginning of a text, among which are rows even behind a long header."""
    middle = len(lines) // 2
    return [*lines[:SAMPLED], *lines[max(middle, SAMPLED) : middle + SAMPLED]]


def _runs(lines: Sequence[str], form: Form) -> Iterator[tuple[int, int]]:
    """Yield the first line of each run of rows, and the line behind its last one; empty lines do not end a run."""
    first = last = -1
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if form.is_row(line, 2 if first < 0 else 1):  # within a table, all cells of a row but one may be empty
            first = _with_missing_above(lines, index, form) if first < 0 else first
            last = index + 1
        elif first >= 0:
            yield first, last
            first = -1
    if first >= 0:
        yield first, len(lines) if not any(line.strip() for line in lines[last:]) else last


def _with_missing_above(lines: Sequence[str], first: int, form: Form) -> int:
    """Return the first row of a run to which rows of a number and of words such as ``NaN`` above it belong."""
    width = len(form.cells(lines[first]))
    while first and form.is_row(above := lines[first - 1], 1):
        if len(cells := form.cells(above)) != width or not all(cells):
            break
        first -= 1
    return first


def _is_table(lines: Sequence[str], first: int, last: int, form: Form) -> bool:
    """Return whether a run is three rows or more, or stands below a row of as many names."""
    above = next((line for line in reversed(lines[:first]) if line.strip()), "")
    named = len(form.cells(COMMENT.sub("", above))) == len(form.cells(lines[first]))
    return named or sum(bool(line.strip()) for line in lines[first:last]) >= FEWEST_ROWS


def _cut_short(rows: Sequence[str], form: Form) -> str:
    """Return what is wrong with a last row that is shorter than those before, as if writing had stopped within it."""
    before, last = len(form.cells(rows[0])), len(form.cells(rows[-1]))
    return f"the last row holds {last} of {before} cells and is left out" if last < before else ""


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
