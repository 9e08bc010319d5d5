"""Bruker and Siemens diffractometer scans, ``.raw``, in the four layouts that share this extension.

Instruments: Bruker and Siemens diffractometers save their scans in these forms.

Recognition: The file begins with ``RAW4.00``, ``RAW1.01``, ``RAW2`` or ``RAW`` and a blank; the last two are common
words, so that a zero byte must follow within 64 bytes. STOE files (``RAW_1.``) have the same extension and are
recognised too, so that they are refused by name.

Layout: All numbers are little-endian. Offsets are in bytes; those with a plus count from the start of their range.

``RAW`` and a blank (DIFFRAC AT, version 1)
    A range is a header of 156 bytes and float32 counts. Steps u32 +4, time per step f32 +8, step f32 +12,
    start 2θ f32 +24, sample name +40 (32 bytes), Kα1 and Kα2 f32 +72 and +76, number of ranges that follow u32 +152.
    Old programs leave the magic out from the second range on, which makes its header four bytes shorter.
``RAW2`` (DIFFRAC AT, version 2)
    Ranges u16 at 4, sample at 8, date and time at 168 (20 bytes), anode at 188, Kα1, Kα2 and their ratio f32 at 190.
    Ranges from 256: header length u16 +0, steps u16 +2, time f32 +8, step f32 +12, start f32 +16, temperature
    (K) u16 +46, then float32 counts.
``RAW1.01`` (DIFFRAC plus, version 3)
    Ranges u32 at 12, date at 16 (month first), time at 26, user 36, site 108, sample 326, comment 386, goniometer
    radius (mm) f32 at 564, anode 608, wavelengths f64 from 616 (mean, Kα1, Kα2, Kβ, ratio). Ranges from 712: header
    length u32 +0, steps u32 +4, starts of theta, 2θ, chi, phi, x, y, z f64 from +8, step f64 +176, time f32 +192,
    scan type u32 +196, kV and mA u32 +224 and +228, wavelength f64 +240, bytes of supplementary headers u32 +256.
``RAW4.00`` (DIFFRAC measurement, version 4)
    Date at 12, time at 24, then from 61 a chain of segments (type u32, length u32): 10 is a named text (name +12, text
    +36), 30 the hardware (goniometer diameter f32 +24, wavelengths f64 from +72, anode +116). Types 0 and 160
    begin a range: scan type +32, start f64 +72, step f64 +80, steps u32 +88, time f32 +92, kV and mA f32 +100 and
    +104, wavelength f64 +112, bytes per datum u32 +136, bytes of inner segments u32 +140; after 160 bytes come the
    inner segments, then the data. The first float32 of a datum is the count.

Schema: The children ``scan_1``, ``scan_2``, … follow the order of the file. Each has the scanned axis as its dimension
(``two_theta``, degree; a rocking curve has ``theta``) and ``intensity`` (count) with ``intensity_uncertainty``
(Poisson). Where a datum holds more than the count, ``auxiliary`` (axis, ``column``) has the rest. The attributes, where
the layout has them, are ``counting_time`` (s per step), ``scan_type``, ``anode``, ``wavelength``,
``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage`` (kV), ``current`` (mA),
``goniometer_radius`` (mm) and ``temperature`` (K).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, array, text_at, tree, unpack
from relaxor.readers.common.text import iso
from relaxor.readers.diffraction.scans import grid, scan

MAX_BYTES = 32 << 20
STARTS_1_01 = ("theta", "two_theta", "chi", "phi", "x", "y", "z")
SCAN_TYPES_1_01 = ("two_theta", "two_theta", "two_theta", "theta", "chi", "phi", "x", "y", "z")
SCAN_NAMES_1_01 = (
    "locked coupled", "unlocked coupled", "detector scan", "rocking curve", "chi scan", "phi scan", "x scan", "y scan",
    "z scan",
)  # fmt: skip
WAVELENGTHS = ("wavelength_alpha1", "wavelength_alpha2", "wavelength_ratio")
CONDITIONS = ("counting_time", "scan_type", "voltage", "current", "wavelength")
MAX_RANGES = 10_000
Layout = tuple[dict[str, Any], str | None, list[xr.Dataset]]
"""Header, time of the measurement and scans of a file."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the four layouts, and STOE's ``RAW_``, so that it is refused by name and not as unknown."""
    if head.startswith((b"RAW4.00\0", b"RAW1.01\0", b"RAW_1.")):
        return True
    return head.startswith((b"RAW ", b"RAW2")) and b"\0" in head[4:64]


def extract(path: Path) -> xr.DataTree:
    """Read a Bruker or Siemens ``.raw`` file; the schema is that of the module."""
    data = path.read_bytes()
    if data.startswith(b"RAW_"):
        problem = f"is a STOE powder file ({text_at(data, 0, 14)}), not a Bruker one, though both are named .raw; "
        raise ReadError(path, problem + "export it from STOE WinXPOW as text and describe the table", "byte 0x0")
    layouts = {b"RAW ": _version_1, b"RAW2": _version_2, b"RAW1": _version_3, b"RAW4": _version_4}
    warnings: list[str] = []
    header, acquired, scans = layouts[data[:4]](data, path, warnings)
    if not scans:
        raise ReadError(path, "holds no scan")
    children = {f"scan_{index}": scan for index, scan in enumerate(scans, start=1)}
    instrument = f"Bruker diffractometer (RAW version {header['format_version']})"
    return tree(children, header, instrument, acquired, warnings)


def _points(
    data: bytes, steps: int, columns: int, begin: int, path: Path, warnings: list[str]
) -> tuple[np.ndarray, bool]:
    """Return the points of a range, shape (n, columns), and whether the file ends behind it or within it.

    A measurement that was stopped, or a file that was not copied to its end, holds fewer points than it announces.
    """
    whole = max(0, len(data) - begin) // (4 * columns)
    if whole < 1 or whole >= steps or steps * columns > MAX_POINTS:
        return array(data, "<f4", steps * columns, begin, path).reshape(steps, columns), False
    warnings.append(f"byte {begin:#x}: {steps} points announced, {whole} are there: the measurement was stopped")
    return array(data, "<f4", whole * columns, begin, path).reshape(whole, columns), True


def _version_1(data: bytes, path: Path, warnings: list[str]) -> Layout:
    scans: list[xr.Dataset] = []
    offset, following = 0, 1
    while following > 0:
        if data[offset : offset + 4] != b"RAW ":
            offset -= 4
        steps, time, step, mode, start, *alphas, following = unpack("<I2fI4xf44x2f72xI", data, offset + 4, path)
        counts, stopped = _points(data, steps, 1, offset + 156, path, warnings)
        attrs = {
            "counting_time": time,
            "scan_mode": mode,
            "sample_name": text_at(data, offset + 40, 32),
            "wavelength_alpha1": alphas[0],
            "wavelength_alpha2": alphas[1],
        }
        scans.append(_scan(path, "two_theta", start, step, counts[:, 0], offset, attrs))
        offset += 156 + 4 * steps
        if stopped:
            break
    return {"format_version": 1, "ranges": [dict(scan.attrs) for scan in scans]}, None, scans


def _version_2(data: bytes, path: Path, warnings: list[str]) -> Layout:
    (ranges,) = unpack("<H", data, 4, path)
    *wavelengths, run_time = unpack("<3f8xf", data, 190, path)
    shared = {"anode": text_at(data, 188, 2), **dict(zip(WAVELENGTHS, wavelengths, strict=True))}
    scans = []
    offset = 256
    for _ in range(ranges):
        length, steps, time, step, start = unpack("<HH4x3f", data, offset, path)
        if length < 48:
            raise ReadError(path, f"range header of {length} bytes; at least 48 expected", f"byte {offset:#x}")
        (temperature,) = unpack("<H", data, offset + 46, path)
        counts, stopped = _points(data, steps, 1, offset + length, path, warnings)
        attrs = shared | {"counting_time": time} | ({"temperature": temperature} if temperature < 0x7FFF else {})
        scans.append(_scan(path, "two_theta", start, step, counts[:, 0], offset, attrs))
        offset += length + 4 * steps
        if stopped:
            break
    moment = text_at(data, 168, 20)
    header = shared | {"format_version": 2, "sample": text_at(data, 8, 160), "date": moment, "run_time": run_time}
    return header, iso(moment, "%d-%b-%Y %H:%M:%S"), scans


def _version_3(data: bytes, path: Path, warnings: list[str]) -> Layout:
    status, ranges = unpack("<II", data, 8, path)
    if ranges > MAX_RANGES:
        raise ReadError(path, f"announces {ranges} ranges", "byte 0xc")
    mean, *alphas, beta, ratio = unpack("<5d", data, 616, path)
    (radius,) = unpack("<f", data, 564, path)
    shared = _hardware(text_at(data, 608, 4), radius, *alphas, ratio)
    scans = []
    offset = 712
    for _ in range(ranges):
        length, steps = unpack("<II", data, offset, path)
        if length < 304:
            raise ReadError(path, f"range header of {length} bytes; at least 304 expected", f"byte {offset:#x}")
        starts = dict(zip(STARTS_1_01, unpack("<7d", data, offset + 8, path), strict=True))
        step, time, kind, *generator, wavelength, supplement = unpack("<d8xfI24x2I8xd8xI", data, offset + 176, path)
        if kind >= len(SCAN_TYPES_1_01):
            raise ReadError(path, f"scan type {kind} is not known", f"byte {offset + 196:#x}")
        begin = offset + length + supplement
        conditions = (time, SCAN_NAMES_1_01[kind], *generator, wavelength)
        attrs = shared | dict(zip(CONDITIONS, conditions, strict=True))
        axis = SCAN_TYPES_1_01[kind]
        counts, stopped = _points(data, steps, 1, begin, path, warnings)
        scans.append(_scan(path, axis, starts[axis], step, counts[:, 0], offset, attrs))
        offset = begin + 4 * steps
        if stopped:
            break
    texts = {"user": (36, 72), "site": (108, 218), "sample": (326, 60), "comment": (386, 160)}
    header = shared | {name: text_at(data, *place) for name, place in texts.items()}
    header |= {"format_version": 3, "file_status": status, "wavelength_mean": mean, "wavelength_beta": beta}
    return header, iso(f"{text_at(data, 16, 10)} {text_at(data, 26, 10)}", "%m/%d/%y %H:%M:%S"), scans


def _hardware(anode: str, radius: float, *wavelengths: float) -> dict[str, Any]:
    return {"anode": anode, "goniometer_radius": radius, **dict(zip(WAVELENGTHS, wavelengths, strict=True))}


def _version_4(data: bytes, path: Path, warnings: list[str]) -> Layout:
    header: dict[str, Any] = {"format_version": 4, "segments": []}
    shared: dict[str, Any] = {}
    scans = []
    offset = 61
    while offset < len(data):
        (kind,) = unpack("<I", data, offset, path)
        if kind in (0, 160):
            scan, inner, offset = _range_4(data, offset, path, shared, warnings)
            scans.append(scan)
            header["segments"].append({"type": kind, "range": len(scans), "segments": inner})
            continue
        segment, offset = next(_segments(data, offset, len(data), path))
        header["segments"].append(segment)
        shared |= segment.get("hardware", {})
    return header, iso(f"{text_at(data, 12, 12)} {text_at(data, 24, 10)}", "%m/%d/%Y %H:%M:%S"), scans


def _range_4(
    data: bytes, offset: int, path: Path, shared: dict[str, Any], warnings: list[str]
) -> tuple[xr.Dataset, list, int]:
    start, step, steps, time, *tube, size, extra = unpack("<2dIf4x2f4xd16x2I", data, offset + 72, path)
    if size < 4 or size % 4:
        raise ReadError(path, f"data of {size} bytes each; a multiple of 4 expected", f"byte {offset + 136:#x}")
    begin = offset + 160 + extra
    inner = [segment for segment, _ in _segments(data, offset + 160, begin, path)]
    columns = size // 4
    values, _ = _points(data, steps, columns, begin, path, warnings)
    name = text_at(data, offset + 32, 24)
    attrs = shared | dict(zip(CONDITIONS, (time, name, *tube), strict=True))
    scan = _scan(path, _axis_of(name), start, step, values[:, 0], offset, attrs)
    if columns > 1:
        rest = "further numbers of each datum, meaning not documented"
        scan["auxiliary"] = variable((_axis_of(name), "column"), values[:, 1:].astype(float), "1", rest)
    return scan, inner, begin + steps * size


def _segments(data: bytes, offset: int, end: int, path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Walk a chain of segments; yield the content of each and the place where the next one begins."""
    while offset < end:
        kind, length = unpack("<II", data, offset, path)
        if length < 8 or offset + length > len(data):
            raise ReadError(path, f"segment of type {kind} announces {length} bytes", f"byte {offset:#x}")
        segment: dict[str, Any] = {"type": kind, "length": length}
        if kind == 10 and length >= 36:
            segment |= {"name": text_at(data, offset + 12, 24), "text": text_at(data, offset + 36, length - 36)}
        elif kind == 30 and length >= 120:
            (diameter,) = unpack("<f", data, offset + 24, path)
            mean, *alphas, beta, ratio = unpack("<5d", data, offset + 72, path)
            segment |= {"wavelength_mean": mean, "wavelength_beta": beta}
            segment["hardware"] = _hardware(text_at(data, offset + 116, 4), diameter / 2, *alphas, ratio)
        else:
            segment["hex"] = data[offset + 8 : offset + length].hex()
        offset += length
        yield segment, offset


def _axis_of(scan_type: str) -> str:
    """Return the scanned axis; coupled, detector and unnamed scans run along 2θ."""
    name = scan_type.lower()
    if "rocking" in name or name in ("theta", "omega"):
        return "theta"
    match = re.match(r"(chi|phi|x|y|z)\b", name)
    return match.group(1) if match else "two_theta"


def _scan(
    path: Path, axis: str, start: float, step: float, counts: np.ndarray, offset: int, attrs: dict[str, Any]
) -> xr.Dataset:
    place = f"range at byte {offset:#x}"
    return scan(path, axis, grid(path, axis, start, step, counts.size, place), counts, attrs, place)
