"""Nanonis spectroscopy, ``.dat``.

Instruments: Scanning probe microscopes with the Nanonis controller of SPECS save single curves (bias, Z, frequency
sweeps, histories) in this form.

Recognition: The first line is ``Experiment`` and its name, separated by a tab, and a line ``[DATA]`` stands within the
first 256 KiB.

Layout: Lines ``key⇥value`` are the header. Below ``[DATA]`` stand the names of the columns with their units, separated
by tabs, and rows of numbers. ``[bwd]`` marks a column of the backward sweep, ``[filt]`` a filtered one, and a number of
five digits the sweep that it belongs to.

Schema: The child ``spectroscopy`` has the dimension ``point`` and one variable per column in the unit of the file:
``bias_calc``, ``current``, ``current_bwd``, ``current_filt``, …. The attributes, where the file has them, are
``experiment``, ``x``, ``y`` and ``z`` (m, place of the tip). The file states no uncertainties.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import entries, free, iso, lines_of, number, numbers, snake
from relaxor.readers.common.unit_words import unit_of

MAX_BYTES = 64 << 20
LOOK_AHEAD = 1 << 18
"""Bytes in which the line ``[DATA]`` is looked for."""
COLUMN = re.compile(
    r"(?P<label>(?:.*?\S)??)\s*+(?:\((?P<unit>[^()]{0,99}+)\))?+\s*+(?P<marks>(?:\[[^\]]{0,99}+\]\s*+){0,9}+)"
)
DATES = ("Saved Date", "Date", "Start time")
PLACE = {"X (m)": "x", "Y (m)": "y", "Z (m)": "z"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first entry and the mark of the data."""
    return head.startswith(b"Experiment\t") and b"\n[DATA]" in start_of(path, LOOK_AHEAD)


def extract(path: Path) -> xr.DataTree:
    """Read a curve; the schema is that of the module."""
    lines = lines_of(path)
    begin = next(index for index, line in enumerate(lines) if line.startswith("[DATA]"))
    header = {key: value.strip() for key, value in entries(lines[:begin], "\t").items()}
    names = lines[begin + 1].rstrip("\t").split("\t") if begin + 1 < len(lines) else []
    rows = [line.rstrip("\t").split("\t") for line in lines[begin + 2 :] if line.strip()]
    warnings = []
    if rows and len(rows[-1]) < len(names):
        warnings.append(f"the last of {len(rows)} rows is cut off and left out")
        rows.pop()
    wrong = next((index for index, row in enumerate(rows) if len(row) != len(names)), None)
    if wrong is not None:
        raise ReadError(path, f"row {wrong + 1} has {len(rows[wrong])} of {len(names)} cells", f"line {begin + 3}")
    if not rows or len(rows) * len(names) > MAX_POINTS:
        raise ReadError(path, f"holds {len(rows)} rows; 1 to {MAX_POINTS // max(1, len(names))} are read", "[DATA]")
    table = numbers([word for row in rows for word in row], path, f"lines from {begin + 3} on")
    variables: dict[str, xr.Variable] = {}
    for label, values in zip(names, table.reshape(len(rows), -1).T, strict=True):
        name, unit = _column(label)
        if unit is None:
            warnings.append(f"nothing says in which unit {label} is")
        variables[free(name, variables)] = variable("point", values, unit or "1", label)
    attrs = {name: number(header.get(key, "")) for key, name in PLACE.items()}
    child = xr.Dataset(variables, attrs={"experiment": header.get("Experiment", "")})
    child.attrs |= {name: value for name, value in attrs.items() if value is not None and np.isfinite(value)}
    moments = (iso(header.get(key, ""), "%d.%m.%Y %H:%M:%S") for key in DATES)
    return tree({"spectroscopy": child}, header, "Nanonis", next(filter(None, moments), None), warnings)


def _column(text: str) -> tuple[str, str | None]:
    """Return name and unit of a column such as ``LI Demod 1 X (A) [bwd]``."""
    match = COLUMN.fullmatch(text.strip())
    label, unit, marks = match.group("label", "unit", "marks") if match else (text, None, "")
    return snake(f"{label} {marks}") or "column", None if unit is None else unit_of(unit)
