"""Battery models of Keithley source meters, ``.csv``.

Instruments: The battery test of the touch-screen source meters of Keithley (2450, 2460) writes this form, as does the
generator of battery models for the 2281S.

Recognition: The first line begins with ``SourceMeter Model:,``.

Layout: The first cell of every line is a keyword that ends with a colon. A keyword with one value is a setting
(``TEST_PARAM.vcutoff:``). The lines of a keyword with several values are a table, whose first line has the names.

Schema: Each table is a child, named after its keyword (``batt_model_raw``, ``batt_model``), with the dimension ``row``
and the variables ``timestamp`` (s), ``voc`` (open-circuit voltage, V), ``vload`` (voltage under load, V) and ``esr``
(series resistance, ohm). Other columns are in ``1``, with a warning.
"""

import csv
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, iso, lines_of, number, numbers, slug

MAX_BYTES = 32 << 20
UNITS = {
    "timestamp": ("s", "time"),
    "voc": ("V", "open-circuit voltage"),
    "vload": ("V", "voltage under load"),
    "esr": ("ohm", "series resistance"),
    "index": ("1", "number of the point"),
    "soc": ("percent", "state of charge"),
}
START = "TEST_PARAM.discharge_start_time"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"SourceMeter Model:,")


def extract(path: Path) -> xr.DataTree:
    """Read a test of a battery; the schema is that of the module."""
    header: dict[str, str] = {}
    tables: dict[str, list[tuple[int, list[str]]]] = {}
    for line, row in enumerate(csv.reader(lines_of(path)), start=1):
        key, *cells = [cell.strip() for cell in row] or [""]
        if len(cells) > 1:
            tables.setdefault(key.rstrip(":"), []).append((line, cells))
        elif key:
            header[key.rstrip(":")] = "".join(cells)
    warnings: list[str] = []
    children: dict[str, xr.Dataset] = {}
    for key, rows in tables.items():
        if len(rows) > 1:
            children[free(slug(key), children, "table")] = _table(key, rows, path, warnings)
    if not children:
        raise ReadError(path, "holds no table of a battery model")
    model, serial = (header.get(f"SourceMeter {part}", "?") for part in ("Model", "S/N"))
    acquired = iso(header.get(START, ""), "%m/%d/%y %H:%M:%S")
    return tree(children, header, f"Keithley {model}, no. {serial}", acquired, warnings)


def _table(key: str, rows: list[tuple[int, list[str]]], path: Path, warnings: list[str]) -> xr.Dataset:
    (_, names), *data = rows
    if all(number(name) is not None for name in names):
        names, data = [f"column {index}" for index in range(1, len(names) + 1)], rows
    last, cells = data[-1]
    if len(cells) < len(names):
        warnings.append(f"line {last}: the last row of {key} holds {len(cells)} of {len(names)} cells and is left out")
        data = data[:-1]
    wrong = next(((line, cells) for line, cells in data if len(cells) != len(names)), None)
    if wrong or not data:
        line, cells = wrong or rows[0]
        raise ReadError(path, f"{len(cells)} cells in a row of {key}; {len(names)} are expected", f"line {line}")
    words = [word or "nan" for _, cells in data for word in cells]
    table = numbers(words, path, f"table {key}").reshape(len(data), -1)
    variables: dict[str, xr.Variable] = {}
    for label, values in zip(names, table.T, strict=True):
        unit, meaning = UNITS.get(slug(label), ("", label))
        if not unit:
            warnings.append(f"table {key}: nothing says in which unit {label} is")
        variables[free(slug(label), variables, "column")] = variable("row", values, unit or "1", meaning or "column")
    return xr.Dataset(variables)
