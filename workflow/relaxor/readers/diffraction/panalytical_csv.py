"""PANalytical text exports, ``.csv``.

Instruments: The programs of PANalytical diffractometers (X'Pert, Empyrean) export single scans in this form.

Recognition: The first line is ``[Measurement conditions]``.

Layout: The line ``[Measurement conditions]`` is followed by lines ``key,value``, the line ``[Scan points]``, the names
``Angle,Intensity`` (newer programs write further columns, which a warning names) and rows of as many numbers. A list
separator other than the comma is recognised by the row of names.

Schema: The child ``scan_1`` has the scanned axis as its dimension (``two_theta``, degree) and ``intensity`` (count)
with ``intensity_uncertainty`` (Poisson). The attributes, where the file has them, are ``counting_time`` (s per step),
``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage``
(kV) and ``current`` (mA).
"""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import iso, number, numbers, text_of
from relaxor.readers.diffraction.scans import axis_of, scan

NAMES = {
    "K-Alpha1 wavelength": "wavelength_alpha1",
    "K-Alpha2 wavelength": "wavelength_alpha2",
    "Ratio K-Alpha2/K-Alpha1": "wavelength_ratio",
    "Generator voltage": "voltage",
    "Tube current": "current",
    "Time per step": "counting_time",
}
POINTS = "[Scan points]"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"[Measurement conditions]")


def extract(path: Path) -> xr.DataTree:
    """Read a ``.csv`` export; the schema is that of the module."""
    head, mark, body = text_of(path).partition(POINTS)
    names, _, rows = body.lstrip("\r\n").partition("\n")
    separator = re.match(r"Angle(\W)", names.strip())
    columns = [name.strip() for name in names.split(separator[1])] if separator else []
    if not mark or not separator or "Intensity" not in columns:
        raise ReadError(path, "holds no [Scan points] with the columns Angle and Intensity")
    entries = [row for row in csv.reader(head.splitlines()[1:], delimiter=separator[1]) if row]
    header = {row[0].strip(): separator[1].join(row[1:]).strip() for row in entries}
    words: list[str] = []
    for row, line in enumerate((line for line in rows.splitlines() if line.strip()), start=1):
        fields = line.split(separator[1])
        if len(fields) != len(columns):
            raise ReadError(path, f"row {row} of the scan points is '{line[:40]}'; expected {len(columns)} numbers")
        words += [fields[0], fields[columns.index("Intensity")]]
    others = [f"the column {name} is not read" for name in columns[1:] if name != "Intensity"]
    table = numbers(words, path, POINTS).reshape(-1, 2)
    check_count(number(header.get("No. of points", "")), len(table), path, POINTS)
    attrs: dict[str, Any] = {"scan_type": header.get("Scan axis"), "anode": header.get("Anode material")}
    for key, name in NAMES.items():
        if header.get(key):
            attrs[name] = float(numbers([header[key]], path, key)[0])
    axis = axis_of(header.get("Scan axis", "Gonio"), path, "Scan axis")
    angle, intensity = np.ascontiguousarray(table.T)
    dataset = scan(path, axis, angle, intensity, attrs, POINTS)
    date = iso(header.get("File date and time", ""), "%d/%B/%Y %H:%M")
    return tree(
        {"scan_1": dataset}, header=header, instrument="PANalytical diffractometer", acquired=date, warnings=others
    )
