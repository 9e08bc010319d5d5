"""Text as rows of cells: one notion of separators, decimal signs, quotes, comments and rows of numbers."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

FEWEST_ROWS = 3
"""Smallest number of rows of numbers that are a table."""
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


def form_of(lines: Sequence[str]) -> Form | None:
    """Return the form in which most lines are rows of numbers of one length, or None if there is no table of them."""
    sample = [line for line in lines if line.strip()]
    longest = {form: _longest_run(sample, form) for form in FORMS}
    best = max(FORMS, key=lambda form: longest[form])  # the first of equals
    return best if any(is_table(sample, *run, best) for run in runs(sample, best)) else None


def _longest_run(lines: Sequence[str], form: Form) -> int:
    widths = (len(form.cells(line)) if form.is_row(line) else 0 for line in lines)
    return max((sum(1 for _ in run) for width, run in groupby(widths) if width), default=0)


def is_kind(cell: str, word: bool, form: Form) -> bool:
    """Return whether a cell is a word, or a number or empty."""
    number = form.is_number(cell) or cell.lower() in MISSING
    return number is not word


def sampled(lines: Sequence[str]) -> Sequence[str]:
    """Return lines from the middle and the beginning of a text, among which are rows even behind a long header."""
    middle = len(lines) // 2
    return [*lines[:SAMPLED], *lines[max(middle, SAMPLED) : middle + SAMPLED]]


def runs(lines: Sequence[str], form: Form) -> Iterator[tuple[int, int]]:
    """Yield the first line of each run of rows, and the line behind its last one; empty lines do not end a run."""
    first = last = -1
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if form.is_row(line, 2 if first < 0 else 1):  # within a table, all cells of a row but one may be empty
            first = first_with_missing(lines, index, form) if first < 0 else first
            last = index + 1
        elif first >= 0:
            yield first, last
            first = -1
    if first >= 0:
        yield first, len(lines) if not any(line.strip() for line in lines[last:]) else last


def first_with_missing(lines: Sequence[str], first: int, form: Form) -> int:
    """Return the first row of a run to which rows of a number and of words such as ``NaN`` above it belong."""
    width = len(form.cells(lines[first]))
    while first and form.is_row(above := lines[first - 1], 1):
        if len(cells := form.cells(above)) != width or not all(cells):
            break
        first -= 1
    return first


def is_table(lines: Sequence[str], first: int, last: int, form: Form) -> bool:
    """Return whether a run is three rows or more, or stands below a row of as many names."""
    above = next((line for line in reversed(lines[:first]) if line.strip()), "")
    named = len(form.cells(COMMENT.sub("", above))) == len(form.cells(lines[first]))
    return named or sum(bool(line.strip()) for line in lines[first:last]) >= FEWEST_ROWS
