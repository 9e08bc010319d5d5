"""LabVIEW measurement files as text, ``.lvm``.

Instruments: Programs written in LabVIEW record what any instrument measures in this form.

Recognition: The first line begins with ``LabVIEW Measurement``.

Layout: Lines ``key<separator>value`` up to ``***End_of_Header***`` say how the rows are written: ``Separator`` (tab or
comma), ``Decimal_Separator`` and ``X_Columns`` (``No``, ``One``, or ``Multi``: one for each channel). Each segment has
a header of its own, with one value for each channel (``Y_Unit_Label``, ``X_Dimension``, ``X0``, ``Delta_X``), a row of
names that begins with ``X_Value`` and may end with ``Comment``, and the rows. Where there is no column of x, row n is
at X0 + n·Delta_X.

Schema: There is one child per segment, ``segment_1`` and so on, with the dimension ``row`` and one variable per column,
as in `relaxor.readers.tables.columns`: ``time`` (s) where the file calls x a time, otherwise ``x`` (``1``), and the
channels in the unit of the file.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.columns import Column, dataset_of
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import entries, iso, lines_of, number, numbers
from relaxor.readers.common.unit_words import split_label, unit_of

MAX_BYTES = 64 << 20
MAGIC = b"LabVIEW Measurement"
END = "***End_of_Header***"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read the segments of a file; the schema is that of the module."""
    lines = lines_of(path)
    first = next((at for at, line in enumerate(lines) if line.startswith(END)), len(lines))
    separator = "," if any(line.startswith("Separator,") for line in lines[:first]) else "\t"
    header = entries([line.rstrip(separator) for line in lines[:first]], separator)
    starts = [at for at, line in enumerate(lines) if line.startswith("X_Value")]
    if not starts:
        raise ReadError(path, "has no row of names that begins with X_Value")
    children: dict[str, xr.Dataset] = {}
    warnings: list[str] = []
    for count, (start, end) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True), start=1):
        before = starts[count - 2] if count > 1 else first
        told = _told(lines[before + 1 : start], separator)
        columns = _columns(lines, start, end, told, path)
        children[f"segment_{count}"], remarks = dataset_of(columns)
        warnings += [f"segment {count}: {remark}" if len(starts) > 1 else remark for remark in remarks]
    moment = f"{header.get('Date', '').replace('/', '-')}T{header.get('Time', '')[:15]}"
    return tree(children, header, "not stated (LabVIEW)", iso(moment.replace(",", ".")), warnings)


def _told(lines: Sequence[str], separator: str) -> dict[str, list[str]]:
    """Return the entries of the header of a segment: one value for each channel."""
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines]
    return {row[0]: row[1:] for row in rows if row[0] and number(row[0].replace(",", ".")) is None}


def _columns(lines: Sequence[str], start: int, end: int, told: dict[str, list[str]], path: Path) -> list[Column]:
    """Return the columns of a segment."""
    separator = "," if lines[start].startswith("X_Value,") else "\t"
    names = [name.strip() for name in lines[start].split(separator)]
    while names and names[-1] in ("", "Comment"):
        names.pop()
    rows: list[list[str]] = []
    for line in lines[start + 1 : end]:
        cells = [cell.strip() for cell in line.split(separator)][: len(names)]
        if len(cells) < 2 or not re.match(r"[-+.,\d]|nan", cells[1], re.IGNORECASE):
            break  # the header of the next segment
        rows.append([cell or "nan" for cell in cells] + ["nan"] * (len(names) - len(cells)))
    if not rows:
        raise ReadError(path, "holds no row below its names", f"line {start + 1}")
    words = [word.replace(",", ".") if separator != "," else word for row in rows for word in row]
    table = numbers(words, path, f"line {start + 2}").reshape(-1, len(names))
    units = told.get("Y_Unit_Label", [])
    found: list[Column] = []
    channel = 0
    for at, name in enumerate(names):
        if name == "X_Value":
            found.append(_of_x(table[:, at], told, channel))
        else:
            label, unit = split_label(name)
            given = unit_of(units[channel]) if channel < len(units) and units[channel] else unit
            found.append(Column(label, given, table[:, at]))
            channel += 1
    return found


def _of_x(values: np.ndarray, told: dict[str, list[str]], channel: int) -> Column:
    """Return the column of x; where the file leaves it empty, it follows from its beginning and its step."""
    said = [told.get(key, []) for key in ("X_Dimension", "X0", "Delta_X")]
    dimension, begin, step = (each[channel] if channel < len(each) else "" for each in said)
    if np.isnan(values).all():
        first, width = number(begin.replace(",", ".")) or 0.0, number(step.replace(",", ".")) or 1.0
        values = first + width * np.arange(values.size)
    return Column("Time", "s", values) if dimension == "Time" else Column("X", "1", values)
