"""Described text tables: exports that do not say what their columns are.

Instruments: Any program may export such tables, for example that of a tester without a fixed form of export or that of
a furnace.

Recognition: Such a table is not recognised. The measurement sheet names the description by which it is read
(`relaxor.readers.TableDescription`, under ``tables`` in the configuration).

Layout: Lines of ``key: value`` may come first. Then stand one row of column names (or none, where columns are given by
their position) and rows of numbers.

Schema: The child ``table`` has the dimension ``index`` (the row, from 0), or the column that is described as the axis.
Every described column is a variable with ``<name>_uncertainty`` from the last digit written (unless it is written with
15 digits or more, which were not rounded), and every described entry
of the header is a variable without dimension. The header of the root holds all ``key: value`` lines and, under
``lines``, all other lines above the numbers.
"""

import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError, nearest
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.cells import BLANK, Form
from relaxor.readers.common.full_rows import full_rows
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import ALL_DIGITS, QUANTIZATION, digits_uncertainty, iso, number, significant
from relaxor.readers.registry import Reader
from relaxor.readers.tables.description import TableDescription

MAX_BYTES = 1 << 27
"""Larger tables are refused before they are read; 128 MiB of text hold some ten million rows."""
MAX_LINE = 1 << 20
MAX_HEADER_LINES = 10_000
SAMPLE_ROWS = 1000
"""Number of rows from which the number of written digits is taken."""
TIME = "time"
"""Name of the axis that may only rise."""


def extract(path: Path, description: TableDescription) -> xr.DataTree:
    """Read a text table by its description; the schema is that of the module.

    Raises
    ------
    ReadError
        If a column is missing or holds no number, if a cell is no number, if a row has too few or too many cells, if
        the axis is out of order, or if the number of rows is not the announced one. The message names the line.
    """
    reader = _Reader(path, description)
    try:
        with path.open(encoding=description.encoding, newline=None) as stream:
            values = reader.read(stream)
    except UnicodeDecodeError as error:
        problem = f"is not {description.encoding} text ({error.reason})"
        raise ReadError(path, problem, f"after line {reader.line}") from error
    dataset, acquired = _dataset(path, description, values, reader), None
    if key := description.acquired:
        acquired = iso(reader.entry(key))
        if acquired is None:
            raise ReadError(path, f"'{key}: {reader.entry(key)[:40]}' is not a time in ISO 8601")
    header = reader.header | ({"lines": reader.other} if reader.other else {})
    return tree({"table": dataset}, header=header, instrument=description.instrument, acquired=acquired)


class _Reader:
    """One pass over the lines: header, names, numbers."""

    def __init__(self, path: Path, description: TableDescription):
        self.path, self.description = path, description
        self.header: dict[str, object] = {}
        self.other: list[str] = []
        """Lines above the numbers that are no entries."""
        self.line = 0
        self.decimals = dict.fromkeys(description.columns, 0)
        self.exponential = dict.fromkeys(description.columns, False)
        self.digits = dict.fromkeys(description.columns, 0)

    def fail(self, problem: str) -> ReadError:
        return ReadError(self.path, problem, f"line {self.line}")

    def read(self, stream: TextIO) -> np.ndarray:
        """Return the numbers, shape (rows, described columns)."""
        lines = self._lines(stream)
        places, width, first = self._find_table(lines)
        above = self.line - (first is not None)
        numbers = array("d")
        for cells in self._rows(lines, first):
            if len(numbers) == SAMPLE_ROWS * len(places) and (whole := self._full_rows(width, above)) is not None:
                self.line = above + len(whole)
                return whole[:, places]
            if len(cells) != width:
                raise self.fail(
                    f"{width} cells expected, {len(cells)} found; if a footer begins here, give its first words "
                    "as 'end' in the description"
                )
            words = [cells[place] for place in places]
            numbers.extend(self._row(words, places))
            if len(numbers) <= SAMPLE_ROWS * len(places):
                self._note_digits(words)
            elif len(numbers) > MAX_POINTS:
                raise self.fail(f"more than {MAX_POINTS} numbers; such tables are refused")
        if not numbers:
            raise self.fail("ends before the first row of numbers")
        return np.frombuffer(numbers).reshape(-1, len(places))

    def _full_rows(self, width: int, above: int) -> np.ndarray | None:
        """Return all cells below some lines, many times faster, if all of them are numbers; else None."""
        form = Form(self.description.delimiter or BLANK, self.description.decimal)
        return full_rows(self.path, form, width, above, self.description.encoding)

    def _lines(self, stream: TextIO) -> Iterator[str]:
        for text in iter(lambda: stream.readline(MAX_LINE), ""):
            self.line += 1
            if len(text) == MAX_LINE:
                raise self.fail(f"is longer than {MAX_LINE} characters: not a text table")
            yield text.rstrip("\r\n")

    def _cells(self, text: str) -> list[str]:
        cells = text.replace('"', "").split(self.description.delimiter or None)
        decimal = self.description.decimal
        return cells if decimal == "." else [cell.replace(decimal, ".") for cell in cells]

    def _rows(self, lines: Iterator[str], first: str | None) -> Iterator[list[str]]:
        if first is not None:
            yield self._cells(first)
        comment, end = self.description.comment, self.description.end
        for text in lines:
            if not text.strip():
                continue
            if end and text.startswith(end):
                self._keep(text)
                for footer in lines:
                    self._keep(footer)
                return
            if comment and text.startswith(comment):
                self._keep(text.removeprefix(comment))
                continue
            yield self._cells(text)

    def _find_table(self, lines: Iterator[str]) -> tuple[list[int], int, str | None]:
        """Return places of the columns, number of cells per row, and the first row of numbers if it was read."""
        description = self.description
        names = [entry.header for entry in description.columns.values()]
        places = [entry.position - 1 for entry in description.columns.values()]
        best: list[str] = []
        for text in lines:
            bare = text.removeprefix(description.comment) if description.comment else text
            if self.line <= description.skip_rows:
                self._keep(bare)
                continue
            cells = [cell.strip() for cell in self._cells(bare)]
            if names[0] and set(names) <= set(cells):
                repeated = [name for name in names if cells.count(name) > 1]
                if repeated:
                    raise self.fail(f"column '{repeated[0]}' stands there twice; give columns by 'position'")
                return [cells.index(name) for name in names], len(cells), None
            if not names[0] and len(cells) > max(places) and all(_is_number(cells[place]) for place in places):
                return places, len(cells), text
            if len(set(names) & set(cells)) > len(set(names) & set(best)) or (len(cells) > 1 and not best):
                best = cells
            self._keep(bare)
            if len(self.other) + len(self.header) > MAX_HEADER_LINES:
                break
        if not names[0]:
            raise self.fail(f"no row with numbers in columns {', '.join(str(place + 1) for place in places)} found")
        missing = next(name for name in names if name not in best)
        raise self.fail(f"no row of column names with '{missing}'{nearest(missing, tuple(best)) if best else ''}")

    def _keep(self, text: str) -> None:
        key, colon, value = text.partition(":")
        if colon and key.strip():
            self.header.setdefault(key.strip(), value.strip())
        elif text.strip():
            self.other.append(text.strip())

    def _row(self, words: list[str], places: list[int]) -> list[float]:
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = [math.nan]
        # Python takes 'inf', 'nan' and '1_0' for numbers; no instrument means one by them.
        if math.isfinite(sum(values)) and not any("_" in word for word in words):
            return values
        return [self._number(word, place) for word, place in zip(words, places, strict=True)]

    def _number(self, text: str, place: int) -> float:
        word = text.strip()
        if word in self.description.missing:
            return math.nan
        if not _is_number(word):
            raise self.fail(f"cell {place + 1}: '{word[:40]}' is not a number")
        return float(word)

    def _note_digits(self, cells: list[str]) -> None:
        for name, cell in zip(self.decimals, cells, strict=True):
            mantissa, exponent, _ = cell.strip().lower().partition("e")
            self.digits[name] = max(self.digits[name], significant(mantissa))
            self.exponential[name] |= bool(exponent)
            self.decimals[name] = max(self.decimals[name], len(mantissa.partition(".")[2]))

    def entry(self, key: str) -> str:
        """Return the text of an entry of the header."""
        if key not in self.header:
            raise ReadError(self.path, f"no line '{key}: …' above the numbers{nearest(key, tuple(self.header))}")
        return str(self.header[key])

    def scalar(self, key: str) -> float:
        """Return the number of an entry of the header."""
        text = self.entry(key)
        if not _is_number(text):
            raise ReadError(self.path, f"'{key}: {text[:40]}' is not a number")
        return float(text)


def _is_number(text: str) -> bool:
    value = number(text)
    return value is not None and math.isfinite(value) and "_" not in text


def _dataset(path: Path, description: TableDescription, values: np.ndarray, reader: _Reader) -> xr.Dataset:
    announced = int(reader.scalar(description.rows)) if description.rows else len(values)
    if announced != len(values):
        raise ReadError(path, f"announces {announced} rows, has {len(values)}", f"line {reader.line}")
    columns = dict(zip(description.columns, values.T, strict=True))
    for name, column in columns.items():
        _check_column(path, description, name, column)
    dimension = description.axis or "index"
    dataset = xr.Dataset(attrs={"table_rows": len(values)})
    if not description.axis:
        dataset = dataset.assign_coords(index=variable("index", np.arange(len(values)), "1", "row"))
    for name, entry in description.columns.items():
        dataset[name] = variable(dimension, columns[name].copy(), entry.unit, entry.long_name or name)
        if name != description.axis and reader.digits[name] < ALL_DIGITS:
            error = digits_uncertainty(columns[name], reader.decimals[name], reader.exponential[name])
            dataset = with_uncertainty(dataset, name, error, QUANTIZATION)
    for name, entry in description.scalars.items():
        dataset[name] = variable((), reader.scalar(entry.header), entry.unit, entry.long_name or name)
    return dataset


def _check_column(path: Path, description: TableDescription, name: str, column: np.ndarray) -> None:
    entry = description.columns[name]
    place = f"column '{entry.header}'" if entry.header else f"column {entry.position}"
    if not np.isfinite(column).any():
        raise ReadError(path, "holds no number", place)
    if name != description.axis:
        return
    if not np.isfinite(column).all():
        raise ReadError(path, f"the axis has no value in row {np.argmin(np.isfinite(column)) + 1}", place)
    steps = np.diff(column)
    rising = name == TIME or np.sum(steps > 0) >= np.sum(steps < 0)
    wrong = steps <= 0 if rising else steps >= 0
    if description.monotonic and wrong.any():
        row = int(np.argmax(wrong))
        fault = f"the axis {'turns back' if steps[row] else 'repeats'}" if name != TIME else "time does not rise"
        where = f"{fault} in row {row + 2} of the numbers ({column[row]:g}, {column[row + 1]:g})"
        raise ReadError(path, f"{where}; set 'monotonic: false' in the description if that is meant", place)


def reader(description: TableDescription) -> Reader:
    """Return a reader of tables of one description; it recognises nothing, because the sheet names it."""

    def described(path: Path) -> xr.DataTree:
        return extract(path, description)

    return Reader("text_table", lambda head, path: False, described, max_bytes=MAX_BYTES)
