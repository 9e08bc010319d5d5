"""JEOL images and maps of X-ray counts, ``.img`` and ``.map``.

Instruments: Analysis Station, the program of the X-ray spectrometers (EDX) of JEOL microscopes, saves the image of the
electrons and one map for each line of an element in this form.

Recognition: The file begins with the number 52 and ``JED-2200:``.

Layout: A head of 52 bytes gives the place of a tree of named values, which rosettasciio decodes. ``Image`` holds the
pixels and their number, ``Instrument`` the width of the picture at magnification 1 (``ScanSize``, mm), the
magnification and the acceleration voltage (kV). ``Map`` is there where the pixels are counts of a line.

Schema: The child is named after the title (``O_K``). It has ``intensity`` (``y``, ``x``, m), in counts with
``intensity_uncertainty`` (Poisson) for a map, and in grey levels (``1``) for an image. The attributes are ``title`` and
``beam_energy_keV``.
"""

import struct
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import safe
from relaxor.stats.counts import poisson_uncertainty

MAGIC = struct.pack("<I", 52) + b"JED-2200:"
HEAD_AT, TREE_FROM_DATA = 36, 12
FIRST_DAY = datetime(1899, 12, 30)
"""Day 0 of the dates, as in spreadsheets."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first number and the name of the program."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read an image or a map; the schema is that of the module."""
    from rsciio.jeol import _api

    with path.open("rb") as file:
        file.seek(HEAD_AT)
        _, _, data = struct.unpack("<3I", file.read(12))
        file.seek(data + TREE_FROM_DATA)
        header: dict[str, Any] = _api._parsejeol(file)
    image, instrument = header["Image"], header["Instrument"]
    width, height = (int(side) for side in image["Size"])
    pixels = np.atleast_1d(image.pop("Bits"))
    if min(width, height) < 1:
        raise ReadError(path, f"announces an image of {width} × {height} pixels", "Image, Size")
    check_count(width * height, pixels.size, path, "Image, Bits", "pixels")
    side = float(instrument["ScanSize"]) / float(instrument["Mag"]) * 1e-3  # mm to m
    warnings = [] if width == height else ["the picture is taken as high as it is wide, which the file does not say"]
    coords = {
        name: variable(name, side / count * np.arange(count), "m", name)
        for name, count in (("y", height), ("x", width))
    }
    values, counts = pixels.reshape(height, width), "Map" in header
    variables = {"intensity": variable(("y", "x"), values, "count" if counts else "1", "intensity")}
    if counts:
        with_uncertainty(variables, "intensity", poisson_uncertainty(values.astype(float)), "Poisson")
    title = str(image.get("Title") or "image")
    attrs = {"title": title, "beam_energy_keV": float(instrument["AccV"])}
    acquired = (FIRST_DAY + timedelta(days=float(image["Created"]))).isoformat(timespec="seconds")
    name = f"JEOL {instrument.get('Name', '')}".strip()
    return tree({safe(title, "image"): xr.Dataset(variables, coords, attrs)}, header, name, acquired, warnings)
