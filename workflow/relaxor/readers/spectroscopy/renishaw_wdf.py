"""Renishaw WiRE spectra and maps, ``.wdf``: a chain of blocks.

A block is its name (4 bytes), number u32, length u64 (of the whole block). The first, ``WDF1``, holds points a spectrum
u32 60, capacity u64 64, spectra u64 72; ``DATA`` the intensities f32, ``XLST`` the axis (kind, unit u32, f32). Values
and places of a map come through rosettasciio; the chain is walked here first. Where the numbers of a file do not
fit its axes the library averages spectra: those are read here, as they stand. WiRE writes the axis descending; it is
returned ascending, as the library has it. The older ``.wxd`` is refused by name.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import array, tree, unpack
from relaxor.readers.common.signals import datasets, exposure
from relaxor.readers.registry import Reader

BLOCK_BYTES = 16
UNITS = {"Counts": "count", "Counts/s": "count/s"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic, and that of ``.wxd``, so that it is refused by name."""
    return head.startswith((b"WDF1", b"#WXD"))


def extract(path: Path) -> xr.DataTree:
    """Read a ``.wdf`` file.

    Returns
    -------
    xarray.DataTree
        Child named after the measurement's title: ``intensity`` (``count`` or ``count/s``) along ``raman_shift`` (1/cm)
        or ``wavelength`` (nm) and, of a map, ``y`` and ``x`` (m), of a line ``abs_distance``, of a series ``z``, with
        the attribute ``integration_time`` (s, of all accumulations); a white light image as child of its own. Files
        whose axes do not fit their numbers: child ``spectra`` of dimensions (``spectrum``, ``point``). Root:
        ``warnings`` (lines).
    """
    from rsciio.renishaw import file_reader

    data = path.read_bytes()
    if data.startswith(b"#WXD"):
        raise ReadError(path, "is a WXD container of an old WiRE, which is not read; use its .wdf, .spc or .txt export")
    blocks = _walk(data, path)
    points, _, spectra = unpack("<I2Q", data, 60, path)
    values = array(data, "<f4", points * spectra, blocks["DATA"] + BLOCK_BYTES, path).reshape(spectra, points)
    signals = file_reader(str(path))
    extra: dict[str, Any] = {}
    header = dict(signals[0]["original_metadata"])
    first = signals[0]["metadata"]["General"]
    quantity = signals[0]["metadata"]["Signal"].get("quantity", "")
    unit = UNITS.get(quantity.partition("(")[2].rstrip(")"), "1")
    if signals[0]["data"].size != values.size:
        extra["warnings"] = f"the axes do not fit {spectra} spectra of {points} points: given as they stand in the file"
        children = {"spectra": xr.Dataset({"intensity": variable(("spectrum", "point"), values, unit, "intensity")})}
        children["spectra"]["axis"] = variable("point", _axis(data, blocks, points, path), "1", "axis without meaning")
    else:
        kinds = [{**signals[0], "units": unit, "counts": False}]
        kinds += [{**image, "units": "1", "counts": False} for image in signals[1:]]
        children = datasets(kinds, [exposure(signals[0])] + [{"content": "white-light image"}] * (len(signals) - 1))
    date = f"{first['date']}T{first['time']}"
    acquired = None if date.startswith("1601") else date
    return tree(children, header=header, instrument="Renishaw WiRE", acquired=acquired, **extra)


def _walk(data: bytes, path: Path) -> dict[str, int]:
    """Return the offset of the first block of each name."""
    blocks: dict[str, int] = {}
    offset = 0
    while offset < len(data):
        name, _, length = unpack("<4sIQ", data, offset, path)
        if length < BLOCK_BYTES or offset + length > len(data):
            problem = f"block {name.decode('latin-1')!r} of {length} bytes, {len(data) - offset} bytes follow"
            raise ReadError(path, problem, f"byte {offset:#x}")
        blocks.setdefault(name.decode("latin-1"), offset)
        offset += length
    for name in ("WDF1", "DATA", "XLST"):
        if name not in blocks:
            raise ReadError(path, f"holds no block {name}; its blocks are {', '.join(blocks)}")
    return blocks


def _axis(data: bytes, blocks: dict[str, int], points: int, path: Path) -> np.ndarray:
    return array(data, "<f4", points, blocks["XLST"] + BLOCK_BYTES + 8, path).astype(float)


READER = Reader("renishaw_wdf", recognises, extract)
