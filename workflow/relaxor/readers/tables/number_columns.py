"""Columns of numbers and nothing that says what they are: ``.xy``, ``.txt`` and ``.csv`` of any program.

Layout: lines that begin with a mark of comments (``#``, ``;``, ``'``, ``%``, ``!``), then rows of two or more numbers
separated by blanks, tabs, commas or semicolons, as many in each. The last comment names the columns if it has as many
words. What the numbers mean, the file does not say; a described table (`text_table`) does.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.registry import BARE_NUMBERS, Reader

COMMENT = re.compile(r"\s*(#|;|'|%|!|//)")
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?"
ROW = re.compile(rf"\s*{NUMBER}(?:(?:\s*[,;\t]\s*|\s+){NUMBER})+\s*")
SEPARATOR = re.compile(r"\s*[,;\t]\s*|\s+")
FEWEST_ROWS = 3
SPECTRUM = {"wave": ("raman_shift", "1/cm", "Raman shift"), "intensity": ("intensity", "count", "intensity")}
"""Columns as Renishaw WiRE names them when it writes text."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise rows of numbers, with nothing but comments before them."""
    if b"\0" in head:
        return False
    lines = head.decode("utf-8-sig", "replace").splitlines()[:-1] or [head.decode("utf-8-sig", "replace")]
    rows = [line for line in lines if line.strip() and not COMMENT.match(line)]
    if not rows:  # a long header of comments: the rows are further on
        return bool(lines) and len(lines) > FEWEST_ROWS and all(COMMENT.match(line) for line in lines if line.strip())
    widths = {len(SEPARATOR.split(row.strip())) for row in rows}
    return len(rows) >= FEWEST_ROWS and len(widths) == 1 and all(ROW.fullmatch(row) for row in rows)


def extract(path: Path) -> xr.DataTree:
    """Read columns of numbers.

    Returns
    -------
    xarray.DataTree
        Child ``table`` with dimension ``row`` and variables ``column_1``, ``column_2``, … without unit (``1``). Files
        with the columns ``#Wave`` and ``#Intensity`` (Renishaw WiRE) have instead ``intensity`` (count) along
        ``raman_shift`` (1/cm). Root: ``warnings`` (lines), ``header`` (the comments).
    """
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
    dataset, warnings = _dataset(columns, names)
    return tree({"table": dataset}, header=comments, instrument="not stated in the file", **warnings)


def _dataset(columns: np.ndarray, names: list[str]) -> tuple[xr.Dataset, dict[str, str]]:
    labels = [name.lower() for name in names]
    if labels == list(SPECTRUM):
        axis, unit, label = SPECTRUM["wave"]
        name, counts, meaning = SPECTRUM["intensity"]
        return xr.Dataset(
            {name: variable(axis, columns[1], counts, meaning)}, {axis: variable(axis, columns[0], unit, label)}
        ), {}
    known = names if len(names) == len(columns) else [f"column {index + 1}" for index in range(len(columns))]
    dataset = xr.Dataset(
        {
            f"column_{index}": variable("row", values, "1", label)
            for index, (values, label) in enumerate(zip(columns, known, strict=True), start=1)
        }
    )
    return dataset, {"warnings": "the file says neither what its columns are nor their units"}


READER = Reader("number_columns", recognises, extract, priority=BARE_NUMBERS)
