"""Maps that WITec Project exports for MATLAB, ``.mat``: a PLS_Toolbox dataset object in a MATLAB 5 file.

``data`` is (pixels, channels) with the pixels of an image one column of ``imagesize`` after the other, ``axisscale``
holds the axis of the channels and its name. Read by SciPy; sizes of compressed parts are bounded first.
"""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.errors import ReadError
from relaxor.readers.schema import tree, unpack, variable

MAX_UNPACKED = 256 << 20
COMPRESSED = 15
AXES = {"rel. 1/cm": ("raman_shift", "1/cm", "Raman shift"), "nm": ("wavelength", "nm", "wavelength")}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a MATLAB 5 file."""
    return head.startswith(b"MATLAB 5.0 MAT-file") and head[126:128] in (b"IM", b"MI")


def extract(path: Path) -> xr.DataTree:
    """Read an exported map.

    Returns
    -------
    xarray.DataTree
        One child a dataset object: ``intensity`` (count) of dimensions (``y``, ``x``, axis), or (``spectrum``, axis) if
        it is no image, along ``raman_shift`` (1/cm), ``wavelength`` (nm), or ``channel``.
    """
    from scipy.io import loadmat

    data = path.read_bytes()
    _check(data, path)
    content = loadmat(path, squeeze_me=False, struct_as_record=True)
    arrays = {name: value for name, value in content.items() if isinstance(value, np.ndarray)}
    children = {
        name: _map(value, name, path)
        for name, value in arrays.items()
        if {"data", "axisscale"} <= set(value.dtype.names or ())
    }
    if not children:
        variables = ", ".join(arrays)
        raise ReadError(path, f"holds no dataset object with data and axisscale; its variables are {variables}")
    return tree(children, header=data[:116].decode("latin-1").strip(), instrument="WITec Project")


def _check(data: bytes, path: Path) -> None:
    """Unpack each compressed part up to the bound, without keeping it."""
    order = "<" if data[126:128] == b"IM" else ">"
    offset, total = 128, 0
    while offset < len(data):
        kind, size = unpack(f"{order}II", data, offset, path)
        if offset + 8 + size > len(data):
            problem = f"part of {size} bytes, {len(data) - offset - 8} bytes follow"
            raise ReadError(path, problem, f"byte {offset:#x}")
        if kind == COMPRESSED:
            unpacked = zlib.decompressobj().decompress(data[offset + 8 : offset + 8 + size], MAX_UNPACKED + 1 - total)
            total += len(unpacked)
            if total > MAX_UNPACKED:
                raise ReadError(path, f"unpacks to more than {MAX_UNPACKED >> 20} MiB, which is refused")
        offset += 8 + size


def _map(value: np.ndarray, name: str, path: Path) -> xr.Dataset:
    record: Any = value.flat[0]
    values = np.asarray(record["data"])
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise ReadError(path, f"data of {name} are of shape {values.shape} and type {values.dtype}")
    axis, unit = _axis(record["axisscale"], values.shape[1])
    dim, units, label = AXES.get(unit, ("channel", "1", f"channel ({unit})"))
    coords = {dim: variable(dim, axis, units, label)}
    size = [int(n) for n in np.ravel(record["imagesize"])] if "imagesize" in (value.dtype.names or ()) else []
    if len(size) == 2 and size[0] * size[1] == len(values):
        image = values.reshape(size[1], size[0], -1).transpose(1, 0, 2)
        return xr.Dataset({"intensity": variable(("y", "x", dim), image, "count", "intensity")}, coords)
    return xr.Dataset({"intensity": variable(("spectrum", dim), values, "count", "intensity")}, coords)


def _axis(scales: np.ndarray, size: int) -> tuple[np.ndarray, str]:
    """Find the axis with as many numbers as there are channels, and the text beside it."""
    for row in np.atleast_2d(scales):
        cells = [np.ravel(cell) for cell in row]
        axis = next((cell for cell in cells if cell.dtype.kind in "iuf" and cell.size == size), None)
        if axis is not None:
            text = next((str(cell[0]) for cell in cells if cell.dtype.kind in "US" and cell.size), "")
            return axis.astype(float), text
    return np.arange(size, dtype=float), ""
