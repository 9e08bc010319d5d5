r"""Nanonis images, ``.sxm``.

Instruments: Scanning probe microscopes with the Nanonis controller of SPECS save their images in this form.

Recognition: The file begins with ``:NANONIS_VERSION:``.

Layout: Lines ``:KEY:`` are followed by the lines of their value, up to ``:SCANIT_END:``. The bytes 0x1A 0x04 begin the
data: 4-byte floats, most significant byte first, one image after the other in the order of the table ``:DATA_INFO:``,
of a channel in both directions first the forward and then the backward one. A backward image is stored in the order of
time, from right to left; a scan ``down`` begins with its uppermost line.

Schema: The child ``image`` has one variable per channel and direction (``height_forward``, ``current_backward``, …)
with the dimensions (``y``, ``x``), whose coordinates are in m, from the lower left corner of the scan. Lines that were
not scanned are NaN. The attributes, where the file has them, are ``scan_direction`` (``up``, ``down``), ``scan_angle``
(degree), ``x_center``, ``y_center`` (m), ``bias`` (V), ``line_time`` (s, forward) and ``scan_time`` (s). The file
states no uncertainties.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import MAX_POINTS, array, tree
from relaxor.readers.common.text import iso, number
from relaxor.readers.probe_microscopy.images import add_channel, axes, unknown_unit

MAGIC = b":NANONIS_VERSION:"
HEADER_END, DATA = b":SCANIT_END:", b"\x1a\x04"
MAX_HEADER = 4 << 20
MAX_CHANNELS = 1000
ATTRIBUTES = {
    "SCAN_ANGLE": ("scan_angle",),
    "SCAN_OFFSET": ("x_center", "y_center"),
    "BIAS": ("bias",),
    "SCAN_TIME": ("line_time",),
    "ACQ_TIME": ("scan_time",),
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first key."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read all channels of an image; the schema is that of the module."""
    data = path.read_bytes()
    end = data.find(HEADER_END, 0, MAX_HEADER)
    begin = data.find(DATA, end) + len(DATA) if end >= 0 else 0
    if end < 0 or begin < len(DATA):
        raise ReadError(path, f"header does not end with {HEADER_END.decode()} and the bytes 0x1a 0x04")
    header = _header(data[:end].decode("utf-8", "replace"))
    columns, lines = (int(value) for value in _numbers(header, "SCAN_PIXELS", 2, path))
    width, height = _numbers(header, "SCAN_RANGE", 2, path)
    if not (0 < columns <= MAX_POINTS and 0 < lines <= MAX_POINTS):
        raise ReadError(path, f"announces {columns} × {lines} pixels", "SCAN_PIXELS")
    kind = " ".join(header.get("SCANIT_TYPE", [])).split()
    if kind != ["FLOAT", "MSBFIRST"]:
        raise ReadError(path, f"holds numbers of the type '{' '.join(kind)}'; FLOAT MSBFIRST expected", "SCANIT_TYPE")
    down = " ".join(header.get("SCAN_DIR", [])).strip().lower() == "down"
    dataset = xr.Dataset(coords=axes((lines, columns), height, width, path, "SCAN_RANGE"))
    channels, warnings = _channels(header, path)
    for index, (title, unit, direction) in enumerate(channels):
        offset = begin + 4 * index * lines * columns
        values = _image(data, offset, (lines, columns), path, warnings, f"channel {title} {direction}")
        values = values[:, ::-1] if direction == "backward" else values
        add_channel(dataset, title, direction, values[::-1] if down else values, unit)
    expected = begin + 4 * len(channels) * lines * columns
    if len(data) > expected:
        warnings.append(f"{len(data) - expected} bytes behind the last channel are not read")
    dataset.attrs = _attributes(header)
    moment = f"{' '.join(header.get('REC_DATE', [])).strip()} {' '.join(header.get('REC_TIME', [])).strip()}"
    version = " ".join(header.get("NANONIS_VERSION", [])).strip()
    acquired = iso(moment, "%d.%m.%Y %H:%M:%S")
    return tree({"image": dataset}, header, f"Nanonis (version {version})", acquired, warnings)


def _header(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(":") and line.rstrip().endswith(":") and len(line) > 2:
            lines = found.setdefault(line.strip()[1:-1], [])
        elif line.strip():
            lines.append(line.strip("\r\n"))
    return found


def _numbers(header: dict[str, list[str]], key: str, count: int, path: Path) -> list[float]:
    words = " ".join(header.get(key, [])).split()
    values = [value for word in words[:count] if (value := number(word)) is not None and np.isfinite(value)]
    if len(values) < count:
        raise ReadError(path, f"'{' '.join(words)[:40]}' is not {count} numbers", key)
    return values


def _channels(header: dict[str, list[str]], path: Path) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return name, unit and direction of all images in the order of the file, and warnings."""
    names, *rows = [line.strip("\t").split("\t") for line in header.get("DATA_INFO", [])] or [[]]
    if not rows or not {"Name", "Unit", "Direction"} <= set(names):
        raise ReadError(path, "lists no channels with name, unit and direction", "DATA_INFO")
    found: list[tuple[str, str, str]] = []
    warnings: list[str] = []
    for row in rows[:MAX_CHANNELS]:
        entry = dict(zip(names, row, strict=False))
        title, unit = entry.get("Name", "").replace("_", " "), entry.get("Unit", "")
        directions = {"both": ("forward", "backward")}.get(entry.get("Direction", ""), (entry.get("Direction", ""),))
        if any(direction not in ("forward", "backward") for direction in directions):
            raise ReadError(path, f"channel {title} has the direction '{directions[0][:20]}'", "DATA_INFO")
        found += [(title, unit, direction) for direction in directions]
        warnings += filter(None, [unknown_unit(title, unit)])
    return found, warnings


def _image(data: bytes, offset: int, shape: tuple[int, int], path: Path, warnings: list[str], place: str) -> np.ndarray:
    """Return the pixels in the order of the file; lines that the file does not hold are NaN, with a warning."""
    lines, columns = shape
    stored = min(lines, max(0, len(data) - offset) // (4 * columns))
    if stored == lines:
        values = array(data, ">f4", lines * columns, offset, path).reshape(shape)
    elif lines * columns > max(len(data), 1 << 16):
        raise ReadError(path, f"announces {columns} × {lines} pixels, file has {len(data)} bytes", place)
    else:
        values = np.full(shape, np.nan)
        values[:stored] = array(data, ">f4", stored * columns, min(offset, len(data)), path).reshape(stored, columns)
        warnings.append(f"{place}: the file ends behind {stored} of {lines} lines; the others are NaN")
        return values
    empty = int(np.isnan(values).all(axis=1).sum())
    if empty:
        warnings.append(f"{place}: {empty} of {lines} lines were not scanned and are NaN")
    return values


def _attributes(header: dict[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {"scan_direction": " ".join(header.get("SCAN_DIR", [])).strip().lower()}
    for key, names in ATTRIBUTES.items():
        for name, word in zip(names, " ".join(header.get(key, [])).split(), strict=False):
            found[name] = number(word)
    return {name: value for name, value in found.items() if value not in ("", None)}
