"""PANalytical text exports, ``.csv``.

Layout: ``[Measurement conditions]``, lines ``key,value``, ``[Scan points]``, ``Angle,Intensity``, rows of two numbers.
A list separator other than the comma is recognised by the row of column names.
"""

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.diffraction.scans import axis_of, scan
from relaxor.readers.registry import Reader

NAMES = {
    "K-Alpha1 wavelength": "wavelength_alpha1",
    "K-Alpha2 wavelength": "wavelength_alpha2",
    "Ratio K-Alpha2/K-Alpha1": "wavelength_ratio",
    "Generator voltage": "voltage",
    "Tube current": "current",
    "Time per step": "counting_time",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"[Measurement conditions]")


def extract(path: Path) -> xr.DataTree:
    """Read a ``.csv`` export.

    Returns
    -------
    xarray.DataTree
        Child ``scan_1`` with the scanned axis as dimension (``two_theta``, degree) and ``intensity`` (count) with
        ``intensity_uncertainty`` (Poisson). Attributes, where the file has them: ``counting_time`` (s, a step),
        ``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``,
        ``voltage`` (kV), ``current`` (mA).
    """
    head, mark, body = text_of(path).partition("[Scan points]")
    names, _, rows = body.lstrip("\r\n").partition("\n")
    separator = re.fullmatch(r"Angle(\W)\s*Intensity.*", names.strip())
    if not mark or not separator:
        raise ReadError(path, "holds no [Scan points] with the columns Angle and Intensity")
    entries = [row for row in csv.reader(head.splitlines()[1:], delimiter=separator[1]) if row]
    header = {row[0].strip(): separator[1].join(row[1:]).strip() for row in entries}
    lines = [line for line in rows.splitlines() if line.strip()]
    fields = [line.split(separator[1]) for line in lines]
    if any(len(row) != 2 for row in fields):
        wrong = next(index for index, row in enumerate(fields) if len(row) != 2)
        raise ReadError(path, f"row {wrong + 1} of the scan points is '{lines[wrong][:40]}'; expected two numbers")
    table = numbers([word for row in fields for word in row], path, "[Scan points]").reshape(-1, 2)
    announced = header.get("No. of points", "")
    if announced.isdigit() and int(announced) != len(table):
        raise ReadError(path, f"announces {announced} points and holds {len(table)}", "[Scan points]")
    attrs: dict[str, Any] = {"scan_type": header.get("Scan axis"), "anode": header.get("Anode material")}
    for key, name in NAMES.items():
        if header.get(key):
            attrs[name] = float(numbers([header[key]], path, key)[0])
    axis = axis_of(header.get("Scan axis", "Gonio"), path, "Scan axis")
    angle, intensity = np.ascontiguousarray(table.T)
    dataset = scan(path, axis, angle, intensity, attrs, "[Scan points]")
    date = _date(header.get("File date and time", ""))
    return tree({"scan_1": dataset}, header=header, instrument="PANalytical diffractometer", acquired=date)


def _date(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%d/%B/%Y %H:%M").isoformat()
    except ValueError:
        return None


READER = Reader("panalytical_csv", recognises, extract)
