"""Tables of Keithley KickStart, ``.csv``.

Instruments: KickStart, the program for source-measure units of Keithley (2400, 2450, 2460 and others), exports its
runs in this form.

Recognition: The first cell, without quotes and blanks, is ``Common Settings``.

Layout: Lines of a key and a value come first; the dots before a key say how deep it stands, and ``.Channel`` begins
the settings of a channel. One or more tables follow, each with a row of names and units. Below a table there may be
its statistics (``Min``, ``Max``, ``Mean``, ``StdDev``, ``CV``). Spreadsheet programs that saved the file again may have
rounded its numbers.

Schema: The children ``table``, ``table_2``, … have the dimension ``row`` and one variable per column, named after it
(``drain_voltage``, ``gate_current``, ``time``), in the unit of the file. The attributes are ``channels`` (names,
separated by commas) and ``nplc``, and for every channel, after its name in lower case, ``<channel>_function``,
``<channel>_limit`` (of the other quantity, A or V) and ``<channel>_sense``. Statistics that a table contradicts are
named in a warning.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import head_lines, lines_of, number, slug
from relaxor.readers.tables.columns import children_of

MAX_BYTES = 32 << 20
FIRST = "Common Settings"
STATISTICS = ("Min", "Max", "Mean", "StdDev", "CV")
ATTRIBUTES = {"Function": "function", "Limit": "limit", "Sense": "sense"}
TOLERANCE = 1e-5
"""Relative difference up to which an extreme of the statistics is that of the table."""

Settings = dict[str, str]


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first cell."""
    return _cells(next(iter(head_lines(head)), ""))[:1] == [FIRST]


def extract(path: Path) -> xr.DataTree:
    """Read a table of KickStart; the schema is that of the module."""
    lines = lines_of(path)
    rows = [_cells(line) for line in lines]
    begin = next((index for index, row in enumerate(rows) if index and len(row) > 2 and row[2]), len(lines))
    common, channels = _settings(rows[:begin])
    statistics = [row for row in rows[begin:] if row and row[0] in STATISTICS]
    body = ["" if row and row[0] in STATISTICS else line for line, row in zip(lines, rows, strict=True)]
    if begin == len(lines):
        raise ReadError(path, "holds settings and no table below them")
    children, header, warnings = children_of(tables_of(body[begin:], path))
    attrs = _attributes(common, channels)
    warnings += _contradictions(children, statistics)
    told = {"common": common, "channels": channels, "lines": header, "statistics": statistics}
    names = (f"Keithley {each.get('Model', '')}, no. {each.get('Serial Number', '?')}" for each in channels.values())
    instrument = "; ".join(dict.fromkeys(names)) or "Keithley"
    return tree({name: child.assign_attrs(attrs) for name, child in children.items()}, told, instrument, None, warnings)


def _cells(line: str) -> list[str]:
    """Return the cells of a line without quotes, tabs and blanks around them."""
    try:
        return [cell.strip() for cell in next(csv.reader([line.removeprefix("\ufeff")]), [])]
    except csv.Error:
        return []


def _settings(rows: list[list[str]]) -> tuple[Settings, dict[str, Settings]]:
    """Return the settings of the run and those of every channel."""
    current: Settings = {}
    common, channels = current, dict[str, Settings]()
    for row in rows:
        key, value = row[0].lstrip(".") if row else "", row[1] if len(row) > 1 else ""
        if key == "Channel":
            current = channels.setdefault(value, {})
        elif key and key != FIRST:
            current.setdefault(key, value)
    return common, channels


def _attributes(common: Settings, channels: dict[str, Settings]) -> dict[str, Any]:
    found: dict[str, Any] = {"channels": ", ".join(channels), "nplc": number(common.get("NPLC", ""))}
    for channel, settings in channels.items():
        for key, name in ATTRIBUTES.items():
            value = number(settings.get(key, ""))
            found[f"{slug(channel) or 'channel'}_{name}"] = settings.get(key) if value is None else value
    return {name: value for name, value in found.items() if value not in ("", None)}


def _contradictions(children: dict[str, xr.Dataset], statistics: list[list[str]]) -> list[str]:
    """Return warnings for extremes of the statistics below a single table that are not those of its columns."""
    if len(children) != 1:
        return []
    ((_, table),) = children.items()
    columns = [values.values for values in table.data_vars.values()]
    warnings = []
    for name, extreme in (("Min", np.nanmin), ("Max", np.nanmax)):
        written = next((row[1:] for row in statistics if row[0] == name), [])
        found = [number(text) for text in written]
        if len(found) < len(columns) or not all(np.isfinite(column).any() for column in columns):
            continue
        wrong = [
            str(column)
            for column, values, value in zip(table.data_vars, columns, found, strict=False)
            if value is not None and not np.isclose(extreme(values), value, rtol=TOLERANCE, atol=0)
        ]
        if wrong:
            warnings.append(f"{name} below the table is not that of the column {', '.join(wrong)}: rows may be missing")
    return warnings
