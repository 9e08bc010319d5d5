"""Galactic spectra, ``.spc``.

Instruments: The program GRAMS of Galactic (now Thermo) writes this form, and most spectrometers export to it.

Recognition: The version, the codes of axis and values, finite ends of the axis and a number of subfiles stand at their
places in the header. Files from before 1996 are told by their date and a whole number of points instead.

Layout: A header of 512 bytes is followed by one or more subfiles. The header has flags u8 0 (bit 0: integers of 16
bits, 2: several subfiles, 5: own labels, 6: an axis with every subfile, 7: the axis is written), version u8 1 (0x4B
little-endian, 0x4C big-endian), exponent i8 3 (-128: floats), points u32 4, first and last position
f64 8 and 16, subfiles u32 24, codes of axis and values u8 28 and 29, date u32 32 (minute 6, hour 5, day 5, month 4,
year 12 bits), comment 88 (130 bytes), labels 218 (30 bytes), log u32 248 (size u32 +0, offset of its text u32 +8). A
subfile is 32 bytes (exponent i8 +1, z f32 +4, points u32 +16) and its numbers: positions f32 if they are its own, then
floats, or integers times 2^(exponent - 32) (16 bits: - 16). The exponent is signed; where there are several subfiles,
that of the subfile holds.

Files from before 1996 (version 0x4D) have a header of 256 bytes, the last 32 of which are the first subheader: flags u8
0, exponent i16 2 (128: floats), points f32 4, first and last position f32 8 and 12, codes of axis and values u8 16 and
17, year u16 18 (its upper four bits are the code of the third coordinate), month, day, hour and minute u8 20 to 23,
comment 64 (130 bytes), labels 194 (30 bytes). The subfiles follow one another to the end of the file. The two halves of
each integer of 32 bits are swapped: the upper one stands first.

Many instruments re-sample their spectra on an even grid when they export to this format. Such a file is not the raw
one, and the tree has a warning.

Schema: The child ``spectra`` has the dimensions (``spectrum``, axis). Where every subfile has an axis of its own, there
are children ``spectrum_1``, ``spectrum_2``, … instead. The axis is named after what the file says it is
(``raman_shift``, 1/cm; ``wavenumber``, ``wavelength``, ``time``, …; ``x`` without a unit), and so are the values
(``intensity``, ``absorbance``, …). ``z`` is the third coordinate of each spectrum. The attribute ``labels`` holds the
names of the axes where the file gives them itself. The root has ``comment``, and ``warnings`` where a Raman axis is
even.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, array, text_at, tree, unpack
from relaxor.readers.common.text import iso

HEADER_BYTES, OLD_HEADER_BYTES, SUBHEADER_BYTES = 512, 256, 32
ORDERS = {0x4B: "<", 0x4C: ">"}
OLD = 0x4D
OLD_FLOATS = 128
SHORT, MULTIPLE, OWN_LABELS, OWN_AXES, WRITTEN_AXIS = 0x01, 0x04, 0x20, 0x40, 0x80
FLOATS = -128
UNITS: dict[str, dict[int, str]] = {
    "wavenumber": {1: "1/cm"},
    "wavelength": {2: "um", 3: "nm"},
    "time": {25: "ns", 24: "us", 23: "ms", 4: "s", 5: "min", 30: "hour", 11: "day", 12: "year"},
    "frequency": {6: "Hz", 7: "kHz", 8: "MHz", 26: "GHz"},
    "mass_to_charge": {9: "1"},
    "chemical_shift": {10: "ppm"},
    "raman_shift": {13: "1/cm"},
    "energy": {14: "eV"},
    "angle": {18: "degree"},
    "temperature": {19: "degF", 20: "degC", 21: "K"},
    "distance": {29: "mm", 27: "cm", 28: "m"},
}
"""Codes of the axes of every dimension, and their units; any other code is ``x`` without a unit."""
LABELS = {"mass_to_charge": "mass-to-charge ratio", "raman_shift": "Raman shift"}
"""Names of dimensions that are more than their words."""
AXES = {
    code: (name, unit, LABELS.get(name, name.replace("_", " ")))
    for name, units in UNITS.items()
    for code, unit in units.items()
}
"""Code of an axis, and its dimension, unit and name."""
VALUES: dict[int, tuple[str, str, str]] = {
    4: ("intensity", "count", "intensity"),
    2: ("absorbance", "1", "absorbance"),
    128: ("transmittance", "1", "transmittance"),
    129: ("reflectance", "1", "reflectance"),
    11: ("percent", "percent", "percent"),
    5: ("voltage", "V", "voltage"),
    9: ("voltage", "mV", "voltage"),
    7: ("current", "mA", "current"),
    1: ("interferogram", "1", "interferogram"),
}
"""Code of the values, and their name, unit and label; any other code is ``intensity`` without a unit."""
EVEN = "the axis is even: a grating gives an uneven one, so the spectrum may have been re-sampled"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the version, the codes of axis and values, finite ends of the axis and a number of subfiles."""
    if len(head) < 256 or head[1] not in (*ORDERS, OLD) or head.startswith(b"PK\x03\x04"):
        return False
    if head[1] == OLD:
        points, first, last = np.frombuffer(head, "<f4", 3, 4)
        month, day, hour, minute = head[20:24]
        dated = month <= 12 and day <= 31 and hour < 24 and minute < 60
        known = head[16] <= 30 and (head[17] <= 26 or 128 <= head[17] <= 131) and dated
        return known and bool(np.isfinite([first, last]).all()) and 1 <= points <= MAX_POINTS and points % 1 == 0
    order = ORDERS[head[1]]
    first, last = np.frombuffer(head, f"{order}f8", 2, 8)
    (subfiles,) = np.frombuffer(head, f"{order}u4", 1, 24)
    known = (head[28] <= 30 or head[28] == 255) and (head[29] <= 26 or head[29] >= 128) and head[2] <= 32
    return known and bool(np.isfinite([first, last]).all()) and 1 <= subfiles < 1 << 20


def extract(path: Path) -> xr.DataTree:
    """Read a ``.spc`` file; the schema is that of the module."""
    data = path.read_bytes()
    if data[1] == OLD:
        return _old(data, path)
    order = ORDERS[data[1]]
    flags, exponent = data[0], int.from_bytes(data[3:4], "little", signed=True)
    points, first, last, subfiles, x_code, y_code = unpack(f"{order}I2dI2B", data, 4, path)
    axis = AXES.get(x_code, ("x", "1", "axis"))
    values = VALUES.get(y_code, ("intensity", "1", "intensity"))
    offset, shared, warnings = HEADER_BYTES, None, []
    if flags & WRITTEN_AXIS and not flags & OWN_AXES:
        shared = array(data, f"{order}f4", points, offset, path).astype(float)
        offset += 4 * points
    elif not flags & OWN_AXES:
        array(data, f"{order}u2", points, offset, path)  # refuses a file that is too short for its axis
        shared = np.linspace(first, last, points)
        warnings = [EVEN] if axis[0] == "raman_shift" else []
    parts: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(subfiles):
        own, z, count = unpack(f"{order}xb2xf8xI", data, offset, path)
        offset += SUBHEADER_BYTES
        position = shared
        if position is None:
            position = array(data, f"{order}f4", count, offset, path).astype(float)
            offset += 4 * count
        number = _values(data, offset, order, position.size, (flags, exponent, own), path)
        offset += position.size * (2 if flags & SHORT and FLOATS not in (exponent, own) else 4)
        parts.append((position, number, z))
    attrs = _labels(data[218:248], flags)
    if shared is not None or len(parts) == 1:
        positions, numbers, heights = zip(*parts, strict=True)
        children = {"spectra": _dataset(positions[0], np.stack(numbers), heights, axis, values, attrs)}
    else:
        children = {f"spectrum_{n}": _dataset(*part, axis, values, attrs) for n, part in enumerate(parts, start=1)}
    comment, instrument = text_at(data, 88, 130), text_at(data, 45, 9) or "not stated"
    header = {"bytes": data[:HEADER_BYTES].hex(), "comment": comment, "log": _log(data, order, path)}
    acquired = packed_date(*unpack(f"{order}I", data, 32, path))
    return tree(children, header, instrument, acquired, warnings, comment=comment)


def _old(data: bytes, path: Path) -> xr.DataTree:
    """Read a file from before 1996."""
    flags, exponent, announced, first, last, x_code, y_code = unpack("<Bxh3f2B", data, 0, path)
    year, month, day, hour, minute = unpack("<H4B", data, 18, path)
    points, bits = int(announced), 16 if flags & SHORT and exponent != OLD_FLOATS else 32
    offset, size = OLD_HEADER_BYTES - SUBHEADER_BYTES, SUBHEADER_BYTES + points * bits // 8
    number = (len(data) - offset) // size if flags & MULTIPLE else 1
    rows = array(data, "u1", max(number, 1) * size, offset, path).reshape(-1, size)
    numbers = np.ascontiguousarray(rows[:, SUBHEADER_BYTES:])
    if exponent == OLD_FLOATS:
        values = numbers.view("<f4").astype(float)
    else:
        halves = numbers.view("<i2").astype(float)
        whole = halves if bits == 16 else halves[:, ::2] * 65536 + numbers.view("<u2")[:, 1::2]
        own = rows[:, 1].view("i1")[:, None].astype(float)
        values = whole * 2.0 ** (np.where(own != 0, own, exponent) if flags & MULTIPLE else exponent) * 2.0**-bits
    heights = np.ascontiguousarray(rows[:, 4:8]).view("<f4")[:, 0]
    axis = AXES.get(x_code, ("x", "1", "axis"))
    quantity = VALUES.get(y_code, ("intensity", "1", "intensity"))
    warnings = [EVEN] if axis[0] == "raman_shift" else []
    if flags & (OWN_AXES | WRITTEN_AXIS):
        warnings.append("the flags announce a written axis, which such an old file does not have: it is taken as even")
    if left := len(data) - offset - rows.size:
        warnings.append(f"{left} bytes behind the last whole subfile are not read")
    positions, comment = np.linspace(first, last, points), text_at(data, 64, 130)
    dataset = _dataset(positions, values, heights, axis, quantity, _labels(data[194:224], flags))
    header = {"bytes": data[:OLD_HEADER_BYTES].hex(), "comment": comment}
    acquired = iso(f"{year & 0xFFF:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
    return tree({"spectra": dataset}, header, "not stated", acquired, warnings, comment=comment)


def _labels(text: bytes, flags: int) -> dict[str, str]:
    """Return the names of the axes as an attribute, where the file gives them itself."""
    labels = [label.decode("latin-1").strip() for label in text.split(b"\0")] if flags & OWN_LABELS else []
    joined = ", ".join(filter(None, labels))
    return {"labels": joined} if joined else {}


def _values(data: bytes, offset: int, order: str, count: int, coding: tuple[int, int, int], path: Path) -> np.ndarray:
    """Return the values of a subfile; ``coding`` has the flags, the exponent of the file and that of the subfile."""
    flags, common, own = coding
    if FLOATS in (common, own):
        return array(data, f"{order}f4", count, offset, path).astype(float)
    exponent, bits = own if flags & MULTIPLE else common, 16 if flags & SHORT else 32
    return array(data, f"{order}i{bits // 8}", count, offset, path) * 2.0 ** (exponent - bits)


def _dataset(
    position: np.ndarray, values: Any, z: Any, axis: tuple[str, ...], quantity: tuple[str, ...], attrs: dict[str, str]
) -> xr.Dataset:
    """Return one spectrum, or all spectra of one axis."""
    coordinate, over = axis[0], ("spectrum",) if np.ndim(z) else ()
    coords = {
        coordinate: variable(coordinate, position, *axis[1:]),
        "z": variable(over, z, "1", "third coordinate"),
    }
    return xr.Dataset({quantity[0]: variable((*over, coordinate), values, *quantity[1:])}, coords, attrs)


def _log(data: bytes, order: str, path: Path) -> str:
    (offset,) = unpack(f"{order}I", data, 248, path)
    if not 0 < offset < len(data) - 64:
        return ""
    size, _, text = unpack(f"{order}3I", data, offset, path)
    return data[offset + text : offset + size].split(b"\0")[0].decode("latin-1") if text < size else ""


def packed_date(packed: int) -> str | None:
    """Return a date of minute, hour, day, month and year in 6, 5, 5, 4 and 12 bits."""
    minute, hour, day, month, year = packed & 63, packed >> 6 & 31, packed >> 11 & 31, packed >> 16 & 15, packed >> 20
    return iso(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
