"""Hamamatsu streak images, ``.img`` (ITEX).

Instruments: HPD-TA and HiPic, the programs of Hamamatsu streak cameras, save their images in this form. It is read by
rosettasciio, after the sizes were checked.

Recognition: The file begins with ``IM``, and its comment, from byte 64 on, with ``[Application]``.

Layout: A header of 64 little-endian bytes has the length of the comment i16 (2), columns i16 (4), lines i16 (6) and the
type of the numbers i16 (12: 0 of one, 2 of two, 3 of four bytes). The comment and the numbers follow. The comment has
sections of ``key=value``; ``ScalingXScalingFile="#place,size"`` is the place of the calibration of an axis in the file.

Schema: The child ``streak`` has ``intensity`` (``count``) with the dimensions ``time`` (s) and ``wavelength`` (nm). An
axis without a calibration is ``vertical_ccd_position`` or ``uncalibrated_x_axis`` without a unit. The attribute is
``integration_time`` (s, of all exposures).
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import unpack
from relaxor.readers.common.signals import counts_of, exposure, signal_tree
from relaxor.readers.common.text import library_date

HEADER_BYTES = 64
SIZES = {0: 1, 2: 2, 3: 4}
CALIBRATION = re.compile(rb'ScalingFile="?#(\d+),(\d+)')


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark and the first section of the comment."""
    return head.startswith(b"IM") and head[64:].startswith(b"[Application]")


def extract(path: Path) -> xr.DataTree:
    """Read a streak image; the schema is that of the module."""
    from rsciio.hamamatsu import file_reader

    data = path.read_bytes()
    comment, columns, lines = unpack("<3h", data, 2, path)
    (kind,) = unpack("<h", data, 12, path)
    if kind not in SIZES or min(comment, columns, lines) <= 0:
        raise ReadError(path, f"numbers of type {kind}, {columns} columns, {lines} lines", "byte 0x2")
    expected = HEADER_BYTES + comment + SIZES[kind] * columns * lines
    if expected > len(data):
        raise ReadError(path, f"{columns} x {lines} pixels need {expected} bytes, file has {len(data)} bytes")
    for match in CALIBRATION.finditer(data, HEADER_BYTES, HEADER_BYTES + comment):
        place, size = int(match[1][:20]), int(match[2][:20])
        if place + 4 * size > len(data):
            problem = f"a calibration of {size} values at byte {place}, file has {len(data)} bytes"
            raise ReadError(path, problem, f"byte {match.start():#x}")
    signal = file_reader(str(path))[0]
    general = {**signal["metadata"]["General"], "title": "streak"}
    named = {**signal, "units": counts_of(signal), "metadata": {**signal["metadata"], "General": general}}
    return signal_tree([named], [exposure(signal)], instrument="Hamamatsu", acquired=library_date(general))
