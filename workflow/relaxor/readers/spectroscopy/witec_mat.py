"""Maps that WITec Project exports for MATLAB, ``.mat``.

Instruments: WITec Project, the program of WITec Raman microscopes (alpha300), exports maps as the dataset object of
PLS_Toolbox in a MATLAB 5 file.

Recognition: The file begins with ``MATLAB 5.0 MAT-file`` and has its byte order at byte 126.

Layout: A text of 116 bytes and the byte order at 126 (``IM``: little-endian) are followed by elements: type u32, size
u32, content padded to 8 bytes, or, in 8 bytes altogether, type u16, size u16, content. Type 14 is an array: flags
(class in the lowest byte), dimensions, name, then numbers, texts, or further arrays (cells, fields). Type 15 is an
element packed by zlib. The dataset object has ``data`` (pixels, channels), in which the columns of ``imagesize`` follow
each other, and ``axisscale``, the axis of the channels and its name. SciPy is not used, because damaged files make it
crash the process.

Schema: There is one child per dataset object with ``intensity`` (``count``, or ``1`` with a warning where the object
is not by WITec) along ``raman_shift`` (1/cm), ``wavelength``
(nm) or another axis, or ``channel``. Its dimensions are (``y``, ``x``, axis), or (``spectrum``, axis) if it is no
image.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.containers import MAX_TOTAL_BYTES, inflated
from relaxor.readers.common.schema import spectra, tree
from relaxor.readers.common.text import c_text
from relaxor.readers.common.unit_words import split_label
from relaxor.readers.spectroscopy.witec_wip import AXES

MAX_DEPTH = 16
ARRAY, COMPRESSED = 14, 15
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
CELL, STRUCTURE, OBJECT, TEXT = 1, 2, 3, 4


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a MATLAB 5 file."""
    return head.startswith(b"MATLAB 5.0 MAT-file") and head[126:128] in (b"IM", b"MI")


def extract(path: Path) -> xr.DataTree:
    """Read an exported map; the schema is that of the module."""
    data = path.read_bytes()
    arrays = dict(_File(path, data, "<" if data[126:128] == b"IM" else ">", 128).arrays())
    records = {
        name: value
        for name, value in arrays.items()
        if isinstance(value, dict) and {"data", "axisscale"} <= value.keys()
    }
    ours = bool(records) and all(map(_of_witec, records.values()))
    unit = "count" if ours else "1"
    children = {name.replace("/", "_") or "map": _map(value, name, unit, path) for name, value in records.items()}
    if not children:
        raise ReadError(path, f"holds no dataset object with data and axisscale; its variables are {', '.join(arrays)}")
    header = data[:116].decode("latin-1").strip()
    if ours:
        return tree(children, header=header, instrument="WITec Project")
    warnings = ["nothing says which instrument measured the dataset object, nor in which unit its values are"]
    return tree(children, header=header, instrument="not stated in the file", warnings=warnings)


def _of_witec(record: dict[str, Any]) -> bool:
    """Return whether a dataset object is by WITec: it says so, or has a unit as only WITec writes it."""
    history = record.get("history")
    lines = [str(line) for line in history] if isinstance(history, list) else [str(history)]
    scales = record["axisscale"] if isinstance(record["axisscale"], list) else []
    return any(line.startswith("Created by Project") for line in lines) or "rel. 1/cm" in map(str, scales)


class _File:
    """The elements of a MATLAB 5 file, one behind the other; sizes are checked against the bytes that are there."""

    def __init__(self, path: Path, data: bytes, order: str, at: int = 0):
        self.path, self.data, self.order, self.at, self.left = path, data, order, at, MAX_TOTAL_BYTES

    def arrays(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values of the arrays of the file."""
        while self.at < len(self.data):
            start = self.at
            kind, content = self.element()
            after = self.at
            if kind == COMPRESSED:
                unpacked = inflated(content, self.left, self.path)
                self.left -= len(unpacked)
                yield _File(self.path, unpacked, self.order).array(0)
            elif kind == ARRAY:
                self.at = start
                yield self.array(0)
            self.at = after

    def refuse(self, problem: str) -> ReadError:
        return ReadError(self.path, f"is not a valid MATLAB 5 file: {problem}")

    def element(self) -> tuple[int, bytes]:
        """Return type and content of the next element."""
        start, size_of_file = self.at, len(self.data)
        if start + 8 > size_of_file:
            raise self.refuse(f"an element at byte {start} of {size_of_file}")
        kind, size = (int(number) for number in np.frombuffer(self.data, f"{self.order}u4", 2, start))
        if kind >> 16:
            kind, size, begin, self.at = kind & 0xFFFF, kind >> 16, start + 4, start + 8
        else:
            begin = start + 8
            self.at = begin + size + (-size % 8 if kind != COMPRESSED else 0)
        if begin + size > size_of_file:
            raise self.refuse(f"{size} bytes announced at byte {start}, {size_of_file - begin} bytes follow")
        return kind, self.data[begin : begin + size]

    def numbers(self) -> np.ndarray:
        kind, content = self.element()
        if kind not in TYPES:
            raise self.refuse(f"type {kind} where numbers are expected")
        dtype = np.dtype(f"{self.order}{TYPES[kind]}")
        return np.frombuffer(content, dtype, len(content) // dtype.itemsize)

    def array(self, depth: int) -> tuple[str, Any]:
        """Return name and value (numbers, a text, a list of cells, a dictionary of fields) of the array that follows.

        The content says where an array ends, because the sizes that WITec writes for nested arrays are too small.
        """
        if depth > MAX_DEPTH:
            raise self.refuse(f"arrays inside arrays more than {MAX_DEPTH} deep")
        start = self.at
        kind, content = self.element()
        if kind != ARRAY:
            raise self.refuse(f"type {kind} at byte {start} where an array is expected")
        if not content:
            return "", np.empty((0, 0))
        self.at = start + 8
        flags, shape, name = self.numbers(), [int(length) for length in self.numbers()], self.numbers()
        size = math.prod(shape)
        if not flags.size or not 0 <= size <= len(self.data):
            raise self.refuse(f"an array of {size} values in {len(self.data)} bytes")
        return _text(name), self.value(int(flags[0]) & 0xFF, shape, size, depth)

    def value(self, kind: int, shape: list[int], size: int, depth: int) -> Any:
        if kind == TEXT:
            code, content = self.element()
            encoding = TEXTS.get(code, "latin-1")
            order = {"<": "-le", ">": "-be"}[self.order] if encoding in ("utf-16", "utf-32") else ""
            return content.decode(encoding + order, "replace")
        if kind == CELL:
            return [self.array(depth + 1)[1] for _ in range(size)]
        if kind in (STRUCTURE, OBJECT):
            return self.fields(kind, depth)
        values = self.numbers()
        if values.size != size:
            raise self.refuse(f"{values.size} numbers in an array of {size}")
        return values.reshape(shape, order="F")

    def fields(self, kind: int, depth: int) -> dict[str, Any]:
        """Return the fields of a structure, or of an object, of one element."""
        if kind == OBJECT:
            self.numbers()  # name of the class
        length, names = self.numbers(), self.numbers()
        width = int(length[0]) if length.size else 0
        if width < 1:
            raise self.refuse(f"names of fields of {width} bytes")
        starts = range(0, names.size - width + 1, width)
        return {_text(names[start : start + width]): self.array(depth + 1)[1] for start in starts}


def _text(codes: np.ndarray) -> str:
    return c_text(codes.astype("u1").tobytes())


def _map(record: dict[str, Any], name: str, values_unit: str, path: Path) -> xr.Dataset:
    values = record["data"]
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size:
        raise ReadError(path, f"data of {name} are not a table of pixels and channels")
    axis, unit = _axis(record["axisscale"], values.shape[1])
    stated = split_label(unit)[1] if unit not in AXES else None
    named = AXES.get(stated or unit, ("channel", "1", f"channel ({unit})"))
    size = [int(n) for n in np.ravel(record.get("imagesize", []))]
    if len(size) == 2 and size[0] * size[1] == len(values):
        image = values.reshape(size[1], size[0], -1).transpose(1, 0, 2)
        return spectra(named, axis, image, ("y", "x"), values_unit)
    return spectra(named, axis, values, ("spectrum",), values_unit)


def _axis(scales: Any, size: int) -> tuple[np.ndarray, str]:
    """Return the axis with as many numbers as there are channels, and the text that belongs to it."""
    cells = scales if isinstance(scales, list) else []
    arrays = [cell for cell in cells if isinstance(cell, np.ndarray) and cell.size == size]
    texts = [cell for cell in cells if isinstance(cell, str) and cell]
    if not arrays:
        return np.arange(size, dtype=float), ""
    return arrays[0].astype(float).ravel(), texts[0] if texts else ""
