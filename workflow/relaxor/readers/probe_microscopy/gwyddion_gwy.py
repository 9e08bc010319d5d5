"""Gwyddion files, ``.gwy``.

Instruments: The program Gwyddion, which reads the images of most scanning probe microscopes, saves them in this form.

Recognition: The file begins with ``GWYP``. Files of Gwyddion 1 (``GWYO``) are recognised too, so that they are refused
by name.

Layout (https://gwyddion.net/documentation/user-guide-en/gwyfile-format.html): The magic is followed by one serialised
object, ``GwyContainer``. An object is the name of its type, the size of its components (u32) and the components. These
are a name, one letter for the type (``b``, ``c``, ``i``, ``q``, ``d``, ``s`` or ``o``; a capital stands for an array
behind its u32 length) and the value, little-endian. Names end with a zero byte. Data fields lie at ``/<n>/data``, their
titles at ``/<n>/data/title``. The library gwyfile is not used, because it copies the rest of the file for every
component, which takes hours on a hostile file; the tests compare both.

Schema: There is one child per data field, named after its title, with ``value`` (``y``, ``x``) in the unit of the field
and coordinates in its lateral unit at the centres of the pixels. The attributes are ``title`` and ``number``.
"""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import parse_unit
from relaxor.core.variables import variable
from relaxor.readers.common.schema import array, tree
from relaxor.readers.common.text import safe
from relaxor.readers.common.unit_words import spelled

SCALARS = {"b": "<?", "c": "<c", "i": "<i", "q": "<q", "d": "<d"}
ARRAYS = {"C": "u1", "I": "<i4", "Q": "<i8", "D": "<f8"}
MAX_COMPONENTS, MAX_DEPTH = 100_000, 16

Components = dict[str, Any]


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of both generations."""
    return head.startswith((b"GWYP", b"GWYO"))


def extract(path: Path) -> xr.DataTree:
    """Read all data fields; the schema is that of the module.

    Raises
    ------
    ReadError
        If the file is damaged, or of Gwyddion 1 (``GWYO``), whose lengths are in metres whatever unit they name.
    """
    data = path.read_bytes()
    if data.startswith(b"GWYO"):
        raise ReadError(path, "was written by Gwyddion 1 (GWYO): open it in Gwyddion 2 and save it again")
    root = _Parser(data, path).run()
    children: dict[str, xr.Dataset] = {}
    rest: Components = {}
    for key, value in root.items():
        number = re.fullmatch(r"/(\d+)/data", key)
        if number and isinstance(value, dict):
            title = str(root.get(f"{key}/title", "")).strip() or f"channel {number[1]}"
            stem = safe(title, f"channel_{number[1]}")
            name = stem if stem not in children else f"{stem}_{number[1]}"
            children[name] = _field(value, path, key).assign_attrs(title=title, number=int(number[1]))
        elif not isinstance(value, np.ndarray):
            rest[key] = value
    if not children:
        raise ReadError(path, "holds no data field")
    return tree(children, header=rest, instrument="")


class _Parser:
    """The components of an object as a dictionary; every length is checked against the file."""

    def __init__(self, data: bytes, path: Path):
        self.data, self.path, self.left = data, path, MAX_COMPONENTS

    def run(self) -> Components:
        value, _ = self.object(4, len(self.data), 0)
        return value

    def object(self, at: int, limit: int, depth: int) -> tuple[Components, int]:
        """Return the components of the object at a byte, and the byte behind it."""
        if depth > MAX_DEPTH:
            raise self.error(f"objects nested deeper than {MAX_DEPTH}", at)
        _, at = self.text(at, limit)
        (size,) = self.unpack("<I", at, limit)
        at, end = at + 4, at + 4 + size
        if end > limit:
            raise self.error(f"an object of {size} bytes, {limit - at} bytes follow", at)
        result: Components = {}
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise self.error(f"more than {MAX_COMPONENTS} components", at)
            name, at = self.text(at, end)
            (kind,) = self.unpack("<c", at, end)
            result[name], at = self.value(kind.decode("latin-1"), at + 1, end, depth)
        return result, end

    def value(self, kind: str, at: int, limit: int, depth: int) -> tuple[Any, int]:
        if kind in SCALARS:
            return self.unpack(SCALARS[kind], at, limit)[0], at + struct.calcsize(SCALARS[kind])
        if kind == "s":
            return self.text(at, limit)
        if kind == "o":
            return self.object(at, limit, depth + 1)
        if kind not in (*ARRAYS, "S", "O"):
            raise self.error(f"component of unknown type {kind!r}", at - 1)
        (count,) = self.unpack("<I", at, limit)
        at += 4
        if kind in ARRAYS:
            end = at + count * np.dtype(ARRAYS[kind]).itemsize
            if end > limit:
                raise self.error(f"an array of {count} values, {limit - at} bytes follow", at)
            return array(self.data, ARRAYS[kind], count, at, self.path), end
        items = []
        for _ in range(min(count, limit - at)):
            self.left -= 1
            if self.left < 0:
                raise self.error(f"more than {MAX_COMPONENTS} components", at)
            item, at = self.text(at, limit) if kind == "S" else self.object(at, limit, depth + 1)
            items.append(item)
        return items, at

    def text(self, at: int, limit: int) -> tuple[str, int]:
        end = self.data.find(b"\0", at, limit)
        if end < 0:
            raise self.error("a text without an end", at)
        return self.data[at:end].decode("utf-8", "replace"), end + 1

    def unpack(self, layout: str, at: int, limit: int) -> tuple[Any, ...]:
        if at + struct.calcsize(layout) > limit:
            raise self.error("ends early", at)
        return struct.unpack_from(layout, self.data, at)

    def error(self, problem: str, at: int) -> ReadError:
        return ReadError(self.path, problem, f"byte {at:#x}")


def _field(field: Components, path: Path, place: str) -> xr.Dataset:
    """Make a dataset of a ``GwyDataField``."""
    values = field.get("data")
    values = values if isinstance(values, np.ndarray) else np.empty(0)
    columns, rows = (size if isinstance(size := field.get(key), int) else 0 for key in ("xres", "yres"))
    if columns < 1 or rows < 1 or columns * rows != values.size:
        raise ReadError(path, f"{values.size} values do not fill {rows} lines of {columns}", place)
    (lateral, beside), (unit, attrs) = _unit(field.get("si_unit_xy")), _unit(field.get("si_unit_z"))
    coords = {}
    for name, count, length, start in (("y", rows, "yreal", "yoff"), ("x", columns, "xreal", "xoff")):
        extent, offset = field.get(length, 1.0), field.get(start, 0.0)
        if not isinstance(extent, float) or not isinstance(offset, float):
            raise ReadError(path, f"{length} is not a number", place)
        coords[name] = variable(name, offset + (np.arange(count) + 0.5) * extent / count, lateral, name, **beside)
    return xr.Dataset({"value": variable(("y", "x"), values.reshape(rows, columns), unit, "value", **attrs)}, coords)


def _unit(entry: Any) -> tuple[str, dict[str, str]]:
    """Return the unit of a ``GwySIUnit``; a unit that pint does not know is kept as ``unit_in_file``."""
    text = str(entry.get("unitstr", "")) if isinstance(entry, dict) else ""
    if spelled(text) in ("1", "degree"):
        return spelled(text), {}
    unit = parse_unit(text)
    return ("1", {"unit_in_file": text}) if unit is None else (f"{unit:~}", {})
