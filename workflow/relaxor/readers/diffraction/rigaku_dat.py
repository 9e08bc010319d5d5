"""Rigaku text files, ``.dat``.

Instruments: Older Rigaku diffractometers (RINT, MultiFlex) save their scans in this form.

Recognition: The file begins with ``*TYPE =``, and its first bytes hold ``*GROUP_COUNT``, which only Rigaku writes.

Layout: Lines ``*KEY = value`` are the header of the file. Then follows for every scan a line ``*BEGIN``, its own keys,
``*COUNT = n``, n intensities separated by commas, and ``*END``. The unit is that of ``*YUNIT`` (``cps`` or ``counts``).
Some converters write counts under the name of rates. Intensities that are whole numbers throughout, although each is
said to be counted for several seconds, are therefore read as counts, and the tree has a warning.

Schema: The children ``scan_1``, ``scan_2``, … have the scanned axis as their dimension (``two_theta``, degree) and
``intensity`` (``count`` or ``count/s``) with ``intensity_uncertainty`` (Poisson). The attributes, where the file has
them, are ``counting_time`` (s per step), ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``voltage`` (kV),
``current`` (mA) and ``scan_type``.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import iso, number, numbers, text_of
from relaxor.readers.common.unit_words import counted
from relaxor.readers.diffraction.scans import axis_of, grid, scan

ENTRY = re.compile(r"\*(\w+)\s*=\s*+(.*)")
NAMES = {
    "WAVE_LENGTH1": "wavelength_alpha1",
    "WAVE_LENGTH2": "wavelength_alpha2",
    "KV": "voltage",
    "MA": "current",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword, and one that only Rigaku writes."""
    return re.match(rb"\*TYPE\s+=", head) is not None and b"*GROUP_COUNT" in head


def extract(path: Path) -> xr.DataTree:
    """Read a Rigaku ``.dat`` file; the schema is that of the module."""
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
    acquired = iso(headers[0].get("DATE", [""])[0], "%d-%b-%y %H:%M")
    return tree(scans, header=headers, instrument=f"Rigaku {goniometer}".strip(), acquired=acquired, warnings=warnings)


def _scan(path: Path, header: dict[str, str], values: np.ndarray, place: str, warnings: list[str]) -> xr.Dataset:
    def entry(key: str) -> float:
        value = number(header.get(key, ""))
        if value is None:
            raise ReadError(path, f"*{key} is '{header.get(key, '(missing)')}', not a number", place)
        return value

    check_count(entry("COUNT") if "COUNT" in header else None, values.size, path, place)
    kind = header.get("SCAN_MODE") or header.get("SCAN_AXIS", "2theta/theta")
    attrs: dict[str, Any] = {name: entry(key) for key, name in NAMES.items() if key in header}
    attrs["scan_type"] = kind
    if header.get("SPEED_DIM", "").startswith("sec"):
        attrs["counting_time"] = entry("SPEED")
    units = "count/s" if counted(header.get("YUNIT", "")) == "count/s" else "count"
    time = attrs.get("counting_time", 0.0)
    if units == "count/s" and time > 1 and np.array_equal(values, np.round(values)):
        units = "count"
        warnings.append(f"{place}: named cps, but whole numbers at {time:g} s a step: read as counts")
    axis = axis_of(kind, path, place)
    position = grid(path, axis, entry("START"), entry("STEP"), values.size, place)
    return scan(path, axis, position, values, attrs, place, units)
