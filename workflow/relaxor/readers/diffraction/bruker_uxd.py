"""Bruker and Siemens text exports, ``.uxd``.

Layout: comments from ``;`` to the end of the line; ``_KEY=value`` lines, first those of the file, then for every range
those of the range, which end in a keyword without value that says what the numbers below it are: ``_COUNTS``,
``_CNT``, ``_CPS``, alone or behind the axis (``_2THETACOUNTS``, ``_2THETACPS``, ``_2THETACNT``). Without the axis the
positions are ``_START`` + n · ``_STEPSIZE``. Texts are in single quotes. A header in which a keyword comes again
begins the next range.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.diffraction.scans import axis_of, grid, scan
from relaxor.readers.registry import Reader

DATA = re.compile(r"_\+?(2THETA)?(COUNTS|COUNT|CNT|CPS)\s*")
RANGE = {"_STEPTIME": "counting_time", "_KV": "voltage", "_MA": "current"}
SHARED = {
    "_WL1": "wavelength_alpha1",
    "_WL2": "wavelength_alpha2",
    "_WLRATIO": "wavelength_ratio",
    "_ANODE": "anode",
    "_SAMPLE": "sample_name",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the keyword that every file begins with."""
    return re.search(rb"^_FILEVERSION\s*=", head, re.MULTILINE) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a ``.uxd`` file.

    Returns
    -------
    xarray.DataTree
        Children ``scan_1``, ``scan_2``, … with the scanned axis as dimension (``two_theta``, degree; a rocking curve
        has ``theta``) and ``intensity`` (``count``, or ``count/s`` where the file says so) with
        ``intensity_uncertainty`` (Poisson). Attributes, where the file has them: ``counting_time`` (s, a step),
        ``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``,
        ``voltage`` (kV), ``current`` (mA), ``sample_name``.
    """
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
    first = headers[0]
    acquired = _date(first.get("_DATEMEASURED", ""))
    return tree(scans, header=headers[:-1], instrument="Bruker or Siemens diffractometer", acquired=acquired)


def _scan(path: Path, header: dict[str, str], match: re.Match[str], values: np.ndarray, place: str) -> xr.Dataset:
    drive = header.get("_DRIVE", "COUPLED")
    axis = axis_of(drive, path, place)
    attrs: dict[str, Any] = {"scan_type": drive.lower()}
    for key, name in (RANGE | SHARED).items():
        try:
            attrs[name] = float(header[key])
        except ValueError:
            attrs[name] = header[key]
        except KeyError:
            continue
    if match[1]:
        position, values = values[::2], values[1::2]
    else:
        try:
            start, step = float(header["_START"]), float(header["_STEPSIZE"])
        except (KeyError, ValueError):
            raise ReadError(path, "the range has no number _START or no number _STEPSIZE", place) from None
        position = grid(path, axis, start, step, values.size, place)
    announced = header.get("_STEPCOUNT", "")
    if announced.isdigit() and int(announced) != values.size:
        raise ReadError(path, f"announces {announced} points and holds {values.size}", place)
    return scan(path, axis, position, values, attrs, place, "count/s" if match[2] == "CPS" else "count")


def _date(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%d-%b-%Y %H:%M:%S").isoformat()
    except ValueError:
        return None


READER = Reader("bruker_uxd", recognises, extract)
