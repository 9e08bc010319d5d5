"""Columns of numbers without any description, ``.xy``, ``.txt`` and ``.csv``.

Instruments: Any program may export its data in this form.

Recognition: The first bytes hold rows of numbers, all of the same length, with nothing but comments before them. This
reader is asked last.

Layout: Lines that begin with a mark of comments (``#``, ``;``, ``'``, ``%``, ``!``, ``//``) are followed by rows of two
or more numbers, separated by blanks, tabs, commas or semicolons. The last comment names the columns if it has as many
words as there are columns. The file does not say what the numbers mean; a description in the configuration
(`relaxor.readers.TableDescription`) can say it.

Schema: The child ``table`` has the dimension ``row`` and the variables ``column_1``, ``column_2``, … without a unit
(``1``), and the root has a warning. Files with the columns ``#Wave`` and ``#Intensity`` (Renishaw WiRE) have
``intensity`` (count) along ``raman_shift`` (1/cm) instead. The header holds the comments.
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, spectra, tree
from relaxor.readers.common.text import head_lines, numbers, text_of
from relaxor.readers.registry import BARE_NUMBERS

PRIORITY = BARE_NUMBERS
COMMENT = re.compile(r"\s*(#|;|'|%|!|//)")
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
ROW = re.compile(rf"\s*{NUMBER}(?:(?:\s*[,;\t]\s*|\s+){NUMBER})+\s*")
SEPARATOR = re.compile(r"\s*[,;\t]\s*|\s+")
FEWEST_ROWS = 3
SPECTRUM = ["wave", "intensity"]
"""Names of columns that Renishaw WiRE writes, in lower case."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise rows of numbers, with nothing but comments before them."""
    lines = head_lines(head)
    lines = lines[:-1] or lines
    rows = [line for line in lines if line.strip() and not COMMENT.match(line)]
    if not rows:  # a long header of comments: the rows are further on
        return bool(lines) and len(lines) > FEWEST_ROWS and all(COMMENT.match(line) for line in lines if line.strip())
    widths = {len(SEPARATOR.split(row.strip())) for row in rows}
    return len(rows) >= FEWEST_ROWS and len(widths) == 1 and all(ROW.fullmatch(row) for row in rows)


def extract(path: Path) -> xr.DataTree:
    """Read columns of numbers; the schema is that of the module."""
    comments: list[str] = []
    words: list[str] = []
    width = 0
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        if COMMENT.match(line):
            comments.append(line)
        elif line.strip():
            fields = SEPARATOR.split(line.strip())
            width = width or len(fields)
            if len(fields) != width or len(words) > MAX_POINTS:
                raise ReadError(path, f"{len(fields)} columns where the rows before have {width}", f"line {number}")
            words += fields
    if width < 2 or not words:
        raise ReadError(path, "holds no rows of two or more numbers")
    columns = numbers(words, path, "the rows of numbers").reshape(-1, width).T
    names = re.findall(r"[^\s#;,%!]+", comments[-1]) if comments else []

    if [name.lower() for name in names] == SPECTRUM:
        spectrum = spectra(("raman_shift", "1/cm", "Raman shift"), *columns)
        return tree({"table": spectrum}, comments, "not stated in the file")
    numbered = range(1, len(columns) + 1)
    labels = names if len(names) == len(columns) else [f"column {index}" for index in numbered]
    cells = zip(numbered, columns, labels, strict=True)
    table = xr.Dataset({f"column_{index}": variable("row", values, "1", label) for index, values, label in cells})
    warnings = ["the file says neither what its columns are nor their units"]
    return tree({"table": table}, comments, "not stated in the file", warnings=warnings)
