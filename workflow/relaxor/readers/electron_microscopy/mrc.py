"""MRC images and stacks, ``.mrc``, ``.ali``.

Instruments: Electron microscopes and programs of tomography (SerialEM, IMOD, DigitalMicrograph, FEI) write this form.
It is read by rosettasciio, after the sizes were checked.

Recognition: At byte 208 stands ``MAP``, and the mode at byte 12 is a known one.

Layout: A header of 1024 little-endian bytes has columns, lines and sections u32 (0), the mode u32 (12: 0 one byte, 1
i16, 2 f32, 4 complex, 6 u16, 12 f16), samples of the cell u32 (28), its lengths f32 (40, in angstrom) and the length of
an extended header u32 (92), behind which the numbers stand.

Schema: The child ``image`` has ``intensity`` (``1``) with the dimensions ``y`` and ``x`` (m), and ``z`` before them in
a stack. Where the header has no lengths, pixels have no unit, and the root has a warning. Bytes are taken as they stand
in files of IMOD, from 0 to 255.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import MAX_POINTS, unpack
from relaxor.readers.common.signals import signal_tree

HEADER_BYTES = 1024
BYTES = {0: 1, 1: 2, 2: 4, 4: 8, 6: 2, 12: 2}
"""Bytes of a number by the mode."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark and the mode."""
    return len(head) >= 1024 and head[208:211] == b"MAP" and int.from_bytes(head[12:16], "little") in BYTES


def extract(path: Path) -> xr.DataTree:
    """Read an MRC file; the schema is that of the module."""
    from rsciio.mrc import file_reader

    data = path.read_bytes()
    columns, lines, sections, mode = unpack("<4I", data, 0, path)
    samples, lengths = unpack("<3I", data, 28, path), unpack("<3f", data, 40, path)
    (extended,) = unpack("<I", data, 92, path)
    points = columns * lines * sections
    if not 0 < points <= MAX_POINTS:
        raise ReadError(path, f"announces {columns} x {lines} x {sections} points", "byte 0x0")
    if (needed := HEADER_BYTES + extended + points * BYTES[mode]) > len(data):
        raise ReadError(path, f"{points} points need {needed} bytes, file has {len(data)} bytes")
    signal = file_reader(str(path), metadata_file=None)[0]
    warnings = []
    named = {"x": 0, "y": 1}
    extended_scale = "fei_header" in signal["original_metadata"]
    axes = [dict(axis) for axis in signal["axes"]]
    for axis in axes:
        place = named.get(axis["name"], 2)
        sound = np.isfinite(axis["scale"]) and axis["scale"] > 0 and np.isfinite(axis["offset"])
        if place < 2 and (not sound or not (extended_scale or (samples[place] and lengths[place]))):
            axis |= {"units": None, "scale": 1.0, "offset": 0.0}
            warnings.append(f"the header has no length of {axis['name']}: its pixels have no unit")
        elif not sound:
            axis |= {"units": None, "scale": 1.0, "offset": 0.0}
    metadata = {**signal["metadata"], "General": {"title": "image"}}
    image = {**signal, "axes": axes, "metadata": metadata}
    return signal_tree([image], instrument="not stated in the file", warnings=warnings)
