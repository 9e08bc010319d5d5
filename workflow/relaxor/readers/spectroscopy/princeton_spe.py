"""Princeton Instruments spectra and images, ``.spe`` of versions 2 and 3.

Instruments: WinSpec and WinView (version 2) and LightField (version 3), the programs of the cameras and spectrographs
of Princeton Instruments, Roper and Acton, save their frames in this form.

Recognition: The number ``0x01234567`` stands at byte 2996, or the version at byte 1992 is 3 and the footer of XML that
byte 678 points to lies behind the header; the type of the numbers at byte 108 is a known one, and there are pixels.

Layout: A header of 4100 little-endian bytes is followed by the frames. Header: exposure f32 10 (s), date 20
(``11May2004``), pixels u16 42, type i16 108 (0 f32, 1 i32, 2 i16, 3 u16, 5 f64, 6 u8, 8 u32), local time 172
(``HHMMSS``), comments 200 (five of 80 bytes), lines u16 656, accumulations i32 668, offset of the footer u64 678,
frames i32 1446, region 1512 (first, last, binning u16 for x and y). The calibration of x begins at 3000: valid u8 +98,
unit of the polynomial u8 +100, its order u8 +101, its coefficients f64 +263 (six) over the number of the pixel from 1,
wavelength of the laser f64 +311 (nm). In version 3, the footer says which frames and regions there are
(``DataBlock``, with the bytes from one frame to the next), and the wavelength of every pixel.

Schema: The child is ``frames`` (or ``region_1``, …) with ``intensity`` (``count``) and the dimensions (``frame``,
``y``, axis), of which those of length 1 are left out. The axis is ``wavelength`` (nm), ``wavenumber`` or
``raman_shift`` (1/cm), or ``pixel``. The attributes, where the file has them, are ``integration_time`` (s,
of all accumulations) and ``laser_wavelength`` (nm). A file whose frames were not all written gives those that are
there, with a warning.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.variables import variable
from relaxor.readers.common.containers import local_name, parse_xml, plain_xml
from relaxor.readers.common.schema import MAX_POINTS, text_at, tree, unpack
from relaxor.readers.common.text import iso, iso_day, number, numbers

PRIORITY = 45
"""Asked before the readers whose signature is a few bytes at the beginning, where this format has none."""
HEADER_BYTES, CALIBRATION = 4100, 3000
MAGIC = b"\x67\x45\x23\x01"
TYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}
FORMATS = {"MonochromeFloating32": "<f4", "MonochromeUnsigned16": "<u2", "MonochromeUnsigned32": "<u4"}
"""Types of numbers by their names in the footer."""
PIXEL = ("pixel", "1", "pixel")
WAVELENGTH = ("wavelength", "nm", "wavelength")
UNITS = {4: WAVELENGTH, 5: ("wavenumber", "1/cm", "wavenumber"), 6: ("raman_shift", "1/cm", "Raman shift")}
"""Code of the unit of the calibration, and its dimension, unit and name."""
MAX_FRAMES = 1_000_000


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the number of WinView or the footer of LightField, the type of the numbers, and pixels."""
    if len(head) < 3000 or int.from_bytes(head[108:110], "little") not in TYPES:
        return False
    if head[42:44] == b"\0\0":
        return False
    if head[2996:3000] == MAGIC:
        return True
    (version,) = np.frombuffer(head, "<f4", 1, 1992)
    footer = int.from_bytes(head[678:686], "little")
    return bool(3 <= version < 4) and HEADER_BYTES <= footer < path.stat().st_size and len(start_of(path, 4100)) == 4100


def extract(path: Path) -> xr.DataTree:
    """Read a ``.spe`` file; the schema is that of the module."""
    data = path.read_bytes()
    if len(data) <= HEADER_BYTES:
        raise ReadError(path, f"ends within or right behind its header of {HEADER_BYTES} bytes", f"byte {len(data):#x}")
    (version,) = unpack("<f", data, 1992, path)
    (footer,) = unpack("<Q", data, 678, path)
    if version >= 3 and HEADER_BYTES <= footer < len(data):
        return _light_field(data, footer, path)
    warnings = ["the footer of LightField is missing: settings and wavelengths are lost"] if version >= 3 else []
    return _win_spec(data, path, warnings)


# --- version 2 -------------------------------------------------------------------------------------------------------
def _win_spec(data: bytes, path: Path, warnings: list[str]) -> xr.DataTree:
    width, lines = (unpack("<H", data, place, path)[0] for place in (42, 656))
    (code,), (announced,) = unpack("<h", data, 108, path), unpack("<i", data, 1446, path)
    if code not in TYPES or not lines:
        raise ReadError(path, f"numbers of type {code} in {lines} lines", "byte 0x6c")
    dtype = np.dtype(TYPES[code])
    frames = _frames(data, len(data), width * lines * dtype.itemsize, announced, path, warnings)
    values = np.frombuffer(data, dtype, frames * lines * width, HEADER_BYTES).reshape(frames, lines, width)
    axis, positions, laser = _calibrated(data, width, path, warnings)
    exposure, accumulations = unpack("<f", data, 10, path)[0], unpack("<i", data, 668, path)[0]
    attrs = {"integration_time": exposure * max(accumulations, 1), "laser_wavelength": laser}
    known = {key: value for key, value in attrs.items() if np.isfinite(value) and value > 0}
    header = {"bytes": data[:HEADER_BYTES].hex(), "comments": [text_at(data, 200 + 80 * n, 80) for n in range(5)]}
    day, time = text_at(data, 20, 10), text_at(data, 172, 7)
    acquired = iso(f"{day} {time}", "%d%b%Y %H%M%S") or iso_day(day, "%d%b%Y")
    dataset = _dataset(values, axis, positions, known)
    return tree({"frames": dataset}, header, "Princeton Instruments WinSpec", acquired, warnings)


def _frames(data: bytes, end: int, stride: int, announced: int, path: Path, warnings: list[str]) -> int:
    """Return how many whole frames there are of those that are announced."""
    there = (end - HEADER_BYTES) // stride
    if there < 1 or announced < 1 or announced > MAX_FRAMES or stride * min(there, announced) > 8 * MAX_POINTS:
        problem = f"announces {announced} frames of {stride} bytes, {end - HEADER_BYTES} bytes follow"
        raise ReadError(path, problem, f"byte {HEADER_BYTES:#x}")
    if there < announced:
        warnings.append(f"{announced} frames are announced, the first {there} are there")
    return min(there, announced)


def _calibrated(
    data: bytes, width: int, path: Path, warnings: list[str]
) -> tuple[tuple[str, str, str], np.ndarray, float]:
    """Return the axis of the columns, their places on it, and the wavelength of the laser."""
    first, _, binning = unpack("<3H", data, 1512, path)
    pixels = max(first, 1) + max(binning, 1) * np.arange(width) + (max(binning, 1) - 1) / 2
    valid, _, unit, order = unpack("<4B", data, CALIBRATION + 98, path)
    coefficients = unpack("<6d", data, CALIBRATION + 263, path)
    (laser,) = unpack("<d", data, CALIBRATION + 311, path)
    if not valid or unit not in UNITS or not 1 <= order <= 5:
        return PIXEL, pixels, float(laser)
    positions = np.polynomial.polynomial.polyval(pixels, coefficients[: order + 1])
    if not np.isfinite(positions).all() or not (np.diff(positions) != 0).all():
        warnings.append("the calibration of the file gives no axis: the columns are pixels")
        return PIXEL, pixels, float(laser)
    return UNITS[unit], positions, float(laser)


def _dataset(
    values: np.ndarray, axis: tuple[str, str, str], positions: np.ndarray, attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Return frames, lines and columns; a single frame and a single line are left out."""
    dims = ("frame", "y", axis[0])
    kept = [bool(size > 1 or dim == axis[0]) for dim, size in zip(dims, values.shape, strict=True)]
    shape = [size for size, keep in zip(values.shape, kept, strict=True) if keep]
    names = tuple(dim for dim, keep in zip(dims, kept, strict=True) if keep)
    coords = {axis[0]: variable(axis[0], positions, *axis[1:])}
    for dim, size, label in (("frame", values.shape[0], "number of the frame"), ("y", values.shape[1], "line")):
        if size > 1:
            coords[dim] = variable(dim, np.arange(size), "1", label)
    return xr.Dataset({"intensity": variable(names, values.reshape(shape), "count", "intensity")}, coords, attrs)


# --- version 3 -------------------------------------------------------------------------------------------------------
def _light_field(data: bytes, footer: int, path: Path) -> xr.DataTree:
    root = parse_xml(data[footer:].rstrip(b"\0"), path, f"byte {footer:#x}")
    warnings: list[str] = []
    block = next((each for each in root.iter() if local_name(each.tag) == "DataBlock"), None)
    if block is None:
        raise ReadError(path, "the footer names no DataBlock", f"byte {footer:#x}")
    dtype = np.dtype(FORMATS.get(block.get("pixelFormat", ""), TYPES[int.from_bytes(data[108:110], "little")]))
    stride, count = _whole(block, "stride", path), _whole(block, "count", path)
    frames = _frames(data, footer, stride, count, path, warnings)
    regions = [each for each in block if local_name(each.tag) == "DataBlock"]
    if not regions:
        raise ReadError(path, "the footer names no region of the frames", f"byte {footer:#x}")
    maps = [each for each in root.iter() if local_name(each.tag) == "SensorMapping"]
    wavelengths = _wavelengths(root, path)
    attrs = _settings(root)
    children: dict[str, xr.Dataset] = {}
    offset = HEADER_BYTES
    for index, region in enumerate(regions):
        width, lines = _whole(region, "width", path), _whole(region, "height", path)
        size = width * lines * dtype.itemsize
        if offset - HEADER_BYTES + size > stride:
            problem = f"region {index + 1} of {width} x {lines} pixels does not fit frames of {stride} bytes"
            raise ReadError(path, problem, f"byte {footer:#x}")
        shape = (frames, lines, width)
        steps = (stride, width * dtype.itemsize, dtype.itemsize)
        values = np.ndarray(shape, dtype, data, offset, steps).copy()
        offset += _whole(region, "stride", path) if region.get("stride") else size
        places = _places(region, maps, wavelengths, width, path, warnings)
        axis = PIXEL if places is None else WAVELENGTH
        name = "frames" if len(regions) == 1 else f"region_{index + 1}"
        children[name] = _dataset(values, axis, np.arange(1, width + 1) if places is None else places, attrs)
    origin = next((each for each in root.iter() if local_name(each.tag) == "Origin"), None)
    acquired = None if origin is None else iso(_microseconds(origin.get("created", "")))
    camera = next((each for each in root.iter() if local_name(each.tag) == "Camera"), None)
    model = "" if camera is None else camera.get("model", "")
    instrument = f"Princeton Instruments LightField {model}".strip()
    return tree(children, plain_xml(root), instrument, acquired, warnings)


def _whole(element: Element, key: str, path: Path) -> int:
    text = element.get(key, "")
    if not text.isdecimal() or not 0 < int(text[:20]) <= 8 * MAX_POINTS:
        raise ReadError(path, f"{key} of a {element.get('type', '')} is '{text[:20]}'", "footer")
    return int(text)


def _microseconds(moment: str) -> str:
    """Return a time whose seconds have no more than the six decimals that Python takes."""
    seconds, dot, rest = moment.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return seconds + dot + digits[:6].ljust(6, "0") + rest[len(digits) :] if dot else moment


def _wavelengths(root: Element, path: Path) -> np.ndarray | None:
    """Return the wavelength of every column in nm, or None; errors, which may stand behind them, are not taken."""
    for element in root.iter():
        if local_name(element.tag) == "Wavelength" and (element.text or "").strip():
            return numbers((element.text or "").replace(",", " ").split(), path, "footer, Wavelength")
        if local_name(element.tag) == "WavelengthError" and (element.text or "").strip():
            pairs = [pair.split(",")[0] for pair in (element.text or "").split()]
            return numbers(pairs, path, "footer, WavelengthError")
    return None


def _places(
    region: Element,
    maps: list[Element],
    wavelengths: np.ndarray | None,
    width: int,
    path: Path,
    warnings: list[str],
) -> np.ndarray | None:
    """Return the wavelengths of the columns of a region, which may be a part of the sensor and binned."""
    if wavelengths is None:
        return None
    if wavelengths.size == width:
        return wavelengths
    wanted = region.get("calibrations", "").split(",")
    found = next((each for each in maps if each.get("id") in wanted), None)
    if found is not None:
        first, binning = (number(found.get(key, "")) or 0 for key in ("x", "xBinning"))
        start, step = int(first), max(int(binning), 1)
        part = wavelengths[start : start + width * step]
        if start >= 0 and part.size == width * step:
            return part.reshape(width, step).mean(axis=1)
    warnings.append(f"{wavelengths.size} wavelengths do not fit {width} columns, which are given as pixels")
    return None


def _settings(root: Element) -> dict[str, Any]:
    """Return the exposure of all frames that were combined; the footer has it in ms."""
    texts = {local_name(each.tag): (each.text or "").strip() for each in root.iter()}
    exposure, combined = (number(texts.get(key, "")) for key in ("ExposureTime", "FramesCombined"))
    return {} if exposure is None else {"integration_time": exposure / 1000 * (combined or 1)}
