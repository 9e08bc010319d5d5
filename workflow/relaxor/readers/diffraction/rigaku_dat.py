"""Rigaku text files, ``.dat`` (RINT, MultiFlex).

Layout: ``*KEY = value`` lines, first those of the file from ``*TYPE = Raw``; then for every scan ``*BEGIN``, its own
keys, ``*COUNT = n``, n intensities separated by commas, ``*END``. The unit is ``*YUNIT`` (``cps`` or ``counts``).
Converters write counts under the name of rates: whole numbers throughout, though each is said to be counted for
several seconds, are counts.
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

ENTRY = re.compile(r"\*(\w+)\s*=\s*(.*?)\s*")
NAMES = {
    "WAVE_LENGTH1": "wavelength_alpha1",
    "WAVE_LENGTH2": "wavelength_alpha2",
    "KV": "voltage",
    "MA": "current",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword and one that only Rigaku writes."""
    return re.match(rb"\*TYPE\s+=", head) is not None and b"*GROUP_COUNT" in head


def extract(path: Path) -> xr.DataTree:
    """Read a Rigaku ``.dat`` file.

    Returns
    -------
    xarray.DataTree
        Children ``scan_1``, ``scan_2``, … with the scanned axis as dimension (``two_theta``, degree) and ``intensity``
        (``count`` or ``count/s``) with ``intensity_uncertainty`` (Poisson). Attributes, where the file has them:
        ``counting_time`` (s, a step), ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``voltage`` (kV),
        ``current`` (mA), ``scan_type``. Root: ``warnings`` (lines).
    """
    scans: dict[str, xr.Dataset] = {}
    headers: list[dict[str, list[str]]] = [{}]
    warnings: list[str] = []
    lines = text_of(path, "cp932").splitlines()
    row = 0
    while row < len(lines):
        line = lines[row].strip()
        row += 1
        if line == "*BEGIN":
            headers.append({})
        elif match := ENTRY.fullmatch(line):
            headers[-1].setdefault(match[1].upper(), []).append(match[2])
        elif line and not line.startswith("*"):
            end = row - 1
            while end < len(lines) and not lines[end].startswith("*"):
                end += 1
            words = " ".join(lines[row - 1 : end]).replace(",", " ").split()
            place = f"lines {row} to {end}"
            header = {key: values[0] for part in (headers[0], headers[-1]) for key, values in part.items()}
            scans[f"scan_{len(scans) + 1}"] = _scan(path, header, numbers(words, path, place), place, warnings)
            row = end
    if not scans:
        raise ReadError(path, "holds no intensities between *BEGIN and *END")
    goniometer = headers[0].get("GONIO", [""])[0].partition(",")[0]
    extra = {"warnings": "\n".join(warnings)} if warnings else {}
    acquired = _date(headers[0].get("DATE", [""])[0])
    return tree(scans, header=headers, instrument=f"Rigaku {goniometer}".strip(), acquired=acquired, **extra)


def _scan(path: Path, header: dict[str, str], values: np.ndarray, place: str, warnings: list[str]) -> xr.Dataset:
    def number(key: str) -> float:
        try:
            return float(header.get(key, ""))
        except ValueError:
            raise ReadError(path, f"*{key} is '{header.get(key, '(missing)')}', not a number", place) from None

    if "COUNT" in header and number("COUNT") != values.size:
        raise ReadError(path, f"announces {header['COUNT']} points and holds {values.size}", place)
    kind = header.get("SCAN_MODE") or header.get("SCAN_AXIS", "2theta/theta")
    attrs: dict[str, Any] = {name: number(key) for key, name in NAMES.items() if key in header}
    attrs["scan_type"] = kind
    if header.get("SPEED_DIM", "").startswith("sec"):
        attrs["counting_time"] = number("SPEED")
    units = "count/s" if header.get("YUNIT", "counts").lower() == "cps" else "count"
    time = attrs.get("counting_time", 0.0)
    if units == "count/s" and time > 1 and np.array_equal(values, np.round(values)):
        units = "count"
        warnings.append(f"{place}: named cps, but whole numbers at {time:g} s a step: read as counts")
    axis = axis_of(kind, path, place)
    return scan(
        path, axis, grid(path, axis, number("START"), number("STEP"), values.size, place), values, attrs, place, units
    )


def _date(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%d-%b-%y %H:%M").isoformat()
    except ValueError:
        return None


READER = Reader("rigaku_dat", recognises, extract)
