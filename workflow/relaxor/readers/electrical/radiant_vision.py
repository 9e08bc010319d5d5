"""Radiant Vision text exports, ``.txt``: hysteresis, remanent hysteresis and leakage.

Instruments: The program Vision of Radiant ferroelectric testers (Precision) exports single measurements in this form.

Recognition: The file begins with a banner of guillemets (code page 1252), and its first bytes hold ``Vision``.

Layout: The banner has the name of the measurement. Lines ``Key:<tab>value`` follow in sections, among them ``Points:``,
then a row of column names that begins with ``Point`` (a flag may stand before it), the rows, and a line of the version.

Schema: The child ``measurement`` has the dimension ``point`` and the variables ``time`` (ms), ``voltage`` (V), and
``polarization`` (uC/cm^2) or ``current`` (A). A remanent hysteresis has ``polarization_logic_0``,
``polarization_logic_1`` and ``remanent_polarization``. The attribute ``measurement`` is the name of the measurement.
The numbers of the header are attributes too, named with their units as the file writes them (``sample_area_cm2``,
``sample_thickness_um``, ``volts``, …).
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import FERROELECTRIC_TESTER, check_count, tree
from relaxor.readers.common.text import entries, iso, number, numbers, slug, text_of

BANNER = re.compile(rb"\s*\xbb{6,}")
COLUMNS = {
    "time (ms)": ("time", "ms"),
    "drive voltage": ("voltage", "V"),
    "volts": ("voltage", "V"),
    "measured polarization": ("polarization", "uC/cm^2"),
    "logic 0": ("polarization_logic_0", "uC/cm^2"),
    "logic 1": ("polarization_logic_1", "uC/cm^2"),
    "remanent polarization": ("remanent_polarization", "uC/cm^2"),
    "measured current (amps)": ("current", "A"),
    "current (amps)": ("current", "A"),
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the banner of guillemets and the name of the program."""
    return BANNER.match(head) is not None and b"Vision" in head


def extract(path: Path) -> xr.DataTree:
    """Read a Vision export; the schema is that of the module."""
    lines = text_of(path).splitlines()
    begin = next((row for row, line in enumerate(lines) if re.search(r"Point\tTime", line)), None)
    if begin is None:
        raise ReadError(path, "holds no row of column names that begins with Point and Time")
    header = entries([line.lstrip("» ") for line in lines[:begin]], ":")
    names = [name.strip() for name in lines[begin].partition("Point")[2].split("\t")][1:]
    rows: list[list[str]] = []
    for row, line in enumerate(lines[begin + 1 :], start=begin + 2):
        cells = [cell.strip() for cell in line.split("\t")]
        if not cells[0]:
            if rows:
                break
            continue
        if not cells[0].isdigit():
            break
        if len(cells) < len(names) + 1:
            raise ReadError(path, f"{len(cells)} columns, the names are {len(names) + 1}", f"line {row}")
        rows.append(cells[1 : len(names) + 1])
    check_count(number(header.get("Points", "")), len(rows), path, f"line {begin + 1}")
    if not rows:
        raise ReadError(path, "holds no row of numbers under its names", f"line {begin + 1}")
    variables: dict[str, xr.Variable] = {}
    for index, name in enumerate(names):
        quantity, unit = COLUMNS.get(name.lower(), (slug(name), "1"))
        values = numbers([row[index] for row in rows], path, f"column {name}")
        variables[quantity] = variable("point", values, unit, name.partition(" (")[0])
    coordinate = variable("point", np.arange(1, len(rows) + 1), "1", "point")
    dataset = xr.Dataset(variables, {"point": coordinate}, _attributes(header, lines[0]))
    instrument = f"Radiant Vision {header.get('Vision Version', '')}".strip()
    acquired = iso(header.get("Executed", ""), "%m/%d/%y %I:%M:%S %p")
    return tree({"measurement": dataset}, header, instrument, acquired, instrument_kind=FERROELECTRIC_TESTER)


def _attributes(header: dict[str, str], banner: str) -> dict[str, Any]:
    attrs: dict[str, Any] = {"measurement": banner.strip("»« \t")}
    for key, text in header.items():
        value, name = number(text), slug(key.replace("µ", "u").replace("²", "2"))
        if name and value is not None and np.isfinite(value):
            attrs.setdefault(name, value)
    return attrs
