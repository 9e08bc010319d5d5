"""Bruker and Siemens text exports, ``.uxd``.

Instruments: The DIFFRAC programs of Bruker and Siemens diffractometers export their scans in this form.

Recognition: A line of the first bytes begins with ``_FILEVERSION =``.

Layout: A semicolon begins a comment that runs to the end of its line. Lines ``_KEY=value`` are the header, first that
of the file, then that of every range. The header of a range ends with a keyword without value that says what the
numbers below it are: ``_COUNTS``, ``_CNT`` or ``_CPS``, alone or behind the axis (``_2THETACOUNTS``, ``_2THETACPS``,
``_2THETACNT``). Without the axis the positions are ``_START`` + n · ``_STEPSIZE``. Texts are in single quotes. A header
in which a keyword comes again begins the next range.

Schema: The children ``scan_1``, ``scan_2``, … are the ranges. Each has the scanned axis as its dimension (``two_theta``
in degrees; a rocking curve has ``theta``) and ``intensity`` (``count``, or ``count/s`` where the file says so) with
``intensity_uncertainty`` (Poisson). The attributes, where the file has them, are ``counting_time`` (s per step),
``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage``
(kV), ``current`` (mA) and ``sample_name``.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import iso, number, numbers, text_of
from relaxor.readers.diffraction.scans import axis_of, grid, scan

DATA = re.compile(r"_\+?(2THETA)?(COUNTS|COUNT|CNT|CPS)\s*")
NAMES = {
    "_STEPTIME": "counting_time",
    "_KV": "voltage",
    "_MA": "current",
    "_WL1": "wavelength_alpha1",
    "_WL2": "wavelength_alpha2",
    "_WLRATIO": "wavelength_ratio",
    "_ANODE": "anode",
    "_SAMPLE": "sample_name",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the keyword with which every file begins."""
    return re.search(rb"^_FILEVERSION\s*=", head, re.MULTILINE) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a ``.uxd`` file; the schema is that of the module."""
    lines = text_of(path).splitlines()
    headers: list[dict[str, str]] = [{}]
    scans: dict[str, xr.Dataset] = {}
    row = 0
    while row < len(lines):
        line = lines[row].partition(";")[0].strip()
        row += 1
        if match := DATA.fullmatch(line.upper()):
            end = row
            while end < len(lines) and not lines[end].lstrip().startswith(("_", ";")):
                end += 1
            values = numbers(" ".join(lines[row:end]).replace(",", " ").split(), path, f"lines {row + 1} to {end}")
            place = f"range {len(headers)}, line {row}"
            scans[f"scan_{len(headers)}"] = _scan(path, headers[0] | headers[-1], match, values, place)
            headers.append({})
            row = end
        elif line.startswith("_"):
            key, _, value = line.partition("=")
            headers[-1][key.strip().upper()] = value.strip().strip("'").strip()
    if not scans:
        raise ReadError(path, "holds no range of counts: no keyword _COUNTS, _CPS, _2THETACOUNTS or _2THETACPS")
    acquired = iso(headers[0].get("_DATEMEASURED", ""), "%d-%b-%Y %H:%M:%S")
    return tree(scans, header=headers[:-1], instrument="Bruker or Siemens diffractometer", acquired=acquired)


def _scan(path: Path, header: dict[str, str], match: re.Match[str], values: np.ndarray, place: str) -> xr.Dataset:
    drive = header.get("_DRIVE", "COUPLED")
    axis = axis_of(drive, path, place)
    attrs: dict[str, Any] = {"scan_type": drive.lower()}
    for key, name in NAMES.items():
        if key in header:
            value = number(header[key])
            attrs[name] = header[key] if value is None else value
    if match[1]:
        position, values = values[::2], values[1::2]
    else:
        start, step = (number(header.get(key, "")) for key in ("_START", "_STEPSIZE"))
        if start is None or step is None:
            raise ReadError(path, "the range has no number _START or no number _STEPSIZE", place)
        position = grid(path, axis, start, step, values.size, place)
    check_count(number(header.get("_STEPCOUNT", "")), values.size, path, place)
    return scan(path, axis, position, values, attrs, place, "count/s" if match[2] == "CPS" else "count")
