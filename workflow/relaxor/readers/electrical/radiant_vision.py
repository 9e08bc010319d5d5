"""Radiant Vision text exports, ``.txt``: hysteresis, remanent hysteresis, leakage.

Layout (code page 1252): a banner of guillemets with the name of the measurement, lines ``Key:<tab>value`` in sections,
``Points:``, a row of column names that begins with ``Point`` (a flag may stick to it), the rows, a line of the version.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.registry import Reader

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
    """Recognise the banner of guillemets and the maker's words."""
    return BANNER.match(head) is not None and b"Vision" in head


def extract(path: Path) -> xr.DataTree:
    """Read a Vision export.

    Returns
    -------
    xarray.DataTree
        Child ``measurement`` with dimension ``point``: ``time`` (ms), ``voltage`` (V), ``polarization`` (uC/cm^2) or
        ``current`` (A), and of a remanent hysteresis ``polarization_logic_0``, ``polarization_logic_1`` and
        ``remanent_polarization``. Attributes ``measurement``, and as the file writes them, with their units in the
        name: the numbers of the header (``sample_area_cm2``, ``sample_thickness_um``, ``volts``, …).
    """
    text = text_of(path)
    lines = text.splitlines()
    begin = next((row for row, line in enumerate(lines) if re.search(r"Point\tTime", line)), None)
    if begin is None:
        raise ReadError(path, "holds no row of column names that begins with Point and Time")
    header = _header(lines[:begin])
    names = [name.strip() for name in lines[begin].partition("Point")[2].split("\t")][1:]
    rows: list[list[str]] = []
    for number, line in enumerate(lines[begin + 1 :], start=begin + 2):
        cells = [cell.strip() for cell in line.split("\t")]
        if not cells[0]:
            if rows:
                break
            continue
        if not cells[0].isdigit():
            break
        if len(cells) < len(names) + 1:
            raise ReadError(path, f"{len(cells)} columns, the names are {len(names) + 1}", f"line {number}")
        rows.append(cells[1 : len(names) + 1])
    announced = header.get("Points", "")
    if not rows or (announced.isdigit() and int(announced) != len(rows)):
        raise ReadError(path, f"announces {announced or 'no'} points and holds {len(rows)}", f"line {begin + 1}")
    variables: dict[str, xr.Variable] = {}
    for index, name in enumerate(names):
        quantity, unit = COLUMNS.get(name.lower(), (re.sub(r"\W+", "_", name.lower()).strip("_"), "1"))
        values = numbers([row[index] for row in rows], path, f"column {name}")
        variables[quantity] = variable("point", values, unit, name.partition(" (")[0])
    coordinate = variable("point", np.arange(1, len(rows) + 1), "1", "point")
    dataset = xr.Dataset(variables, {"point": coordinate}, _attributes(header, lines[0]))
    instrument = f"Radiant Vision {header.get('Vision Version', '')}".strip()
    return tree({"measurement": dataset}, header=header, instrument=instrument, acquired=_date(header))


def _header(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        key, mark, value = line.lstrip("» ").partition(":")
        if mark and key.strip():
            found.setdefault(key.strip(), value.strip())
    return found


def _attributes(header: dict[str, str], banner: str) -> dict[str, Any]:
    attrs: dict[str, Any] = {"measurement": banner.strip("»« \t")}
    for key, text in header.items():
        try:
            value = float(text)
        except ValueError:
            continue
        name = re.sub(r"\W+", "_", key.replace("µ", "u").replace("²", "2").lower()).strip("_")
        if name and np.isfinite(value):
            attrs.setdefault(name, value)
    return attrs


def _date(header: dict[str, str]) -> str | None:
    try:
        return datetime.strptime(header.get("Executed", ""), "%m/%d/%y %I:%M:%S %p").isoformat()
    except ValueError:
        return None


READER = Reader("radiant_vision", recognises, extract)
