"""TIA series, ``.ser``, and the ``.emi`` files that describe them.

Instruments: Electron microscopes of FEI (Tecnai, Titan) save images and spectra in this form with the program TIA.

Recognition: A ``.ser`` file begins with ``II`` and 0x0197, an ``.emi`` file with ``JK``, 0 and 2.

Layout: A ``.ser`` file has the byte order ``II``, 0x0197, the version (u16; above 0x210 offsets have 8 bytes), the kind
of data (u32; 0x4120: spectra, 0x4122: images), the kind of tag (u32), the numbers of elements announced and written
(u32), the offset of the offsets, and the number of dimensions with their sizes and calibrations. An element is its
calibration, type, size and values. An ``.emi`` file holds the settings of every series as XML in ``<ObjectInfo>``; the
data lie beside it in ``<name>_1.ser`` and so on. rosettasciio reads both. It leaves the offset of axes in metres where
it changes their scale to nanometres, and it leaves out the element to which the calibration of a spectrum refers; both
are corrected here.

Schema: There is one child per series, ``series``, or ``series_1`` and so on of an ``.emi``. It has ``intensity`` in
counts of the detector (``1``) with the dimensions ``y``, ``x`` (m, or 1/m of a diffraction pattern; ``1`` where a
pattern stands without the ``.emi`` that says its unit) or ``energy`` (eV); before them stand those of a map
(``scan_x`` where images were taken along a line), or ``axis_0``, the frames of a series. ``acquired`` comes from the
``.emi``, or else from the tag of the first element. The attribute ``incomplete`` says how much was announced of a
series that was stopped early. The root attribute ``data_files`` has the names and SHA-256 sums of the files that belong
to an ``.emi``.
"""

import re
import struct
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.checksums import sha256
from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.readers.common.containers import parse_xml
from relaxor.readers.common.schema import MAX_POINTS, unpack
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import iso, unix_date

MAGIC = b"II\x97\x01"
EMI_MAGIC = b"JK\0\2"
SPECTRUM, IMAGE = 0x4120, 0x4122
WIDE_VERSION = 0x210
ITEM_SIZE = {1: 1, 2: 2, 3: 4, 4: 1, 5: 2, 6: 4, 7: 4, 8: 8, 9: 8, 10: 16}
TAG_SIZE = {0x4142: 24}
"""Bytes behind an element: its time and, for this kind of tag, its position."""
MAX_DIMENSIONS, MAX_SERIES = 4, 9
BEGIN, END = b"<ObjectInfo>", b"</ObjectInfo>"
LARGEST_PIXEL = 1e-2
"""Pixels of an image are smaller (m); those of a diffraction pattern are larger (1/m)."""
MAX_MAP_BYTES = 512 << 20
IN_FILE = {"nm": (1e9, "m"), "1 / nm": (1e-9, "1/m")}
"""The factor by which rosettasciio multiplied a scale, and the unit that the scale had before."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of a series, or that of its description."""
    return head.startswith((MAGIC, EMI_MAGIC))


def extract(path: Path) -> xr.DataTree:
    """Read a series, or all series of an ``.emi``; the schema is that of the module.

    Raises
    ------
    ReadError
        If sizes do not fit the file, if nothing was recorded, or if the series of an ``.emi`` are missing.
    """
    series = [path] if start_of(path, len(MAGIC)) == MAGIC else []
    objects: list[str] | None = None if series else _objects(path)
    if not series:
        series = [file for n in range(1, MAX_SERIES + 1) if (file := path.parent / f"{path.stem}_{n}.ser").is_file()]
    if not series:
        raise ReadError(path, f"holds settings only; their data, {path.stem}_1.ser, are not in its folder")
    signals, attrs, dates = [], [], []
    for file in series:
        announced = _check(file.read_bytes(), file)
        signal = _signal(file, objects, "series" if objects is None else f"series_{file.stem[-1]}")
        signals.append(signal)
        attrs.append({"incomplete": announced} if announced else {})
        seconds = _first(signal["original_metadata"]["ser_header_parameters"].get("Time", 0))
        dates.append(unix_date(seconds))
    if objects is None:
        warnings = _reciprocal(signals)
        return signal_tree(signals, attrs, instrument="FEI", acquired=dates[0], warnings=warnings)
    number = int(series[0].stem[-1])
    settings = objects[number - 1] if number <= len(objects) else ""
    maker = re.search(r"<Manufacturer>([^<]*)</Manufacturer>", settings)
    acquired = re.search(r"<AcquireDate>([^<]*)</AcquireDate>", settings)
    about = {
        "instrument": maker[1] if maker else "FEI",
        "acquired": iso(acquired[1].strip(), "%a %b %d %H:%M:%S %Y") if acquired else None,
        "data_files": "\n".join(f"{file.name} {sha256(file)}" for file in series),
    }
    return signal_tree(signals, attrs, {"settings": objects}, **about)


def _reciprocal(signals: list[dict[str, Any]]) -> list[str]:
    """Take the unit from images whose pixels cannot be lengths; only an ``.emi`` says that they are 1/m."""
    warnings = []
    for signal in signals:
        large = [axis for axis in signal["axes"] if axis["units"] == "m" and abs(axis["scale"]) > LARGEST_PIXEL]
        for axis in large:
            axis["units"] = ""
        if large:
            pixel = f"{large[0]['scale']:g}"
            warnings.append(f"pixels of {pixel} are no lengths in m: a diffraction pattern, whose unit is in its .emi")
    return warnings


def _objects(path: Path) -> list[str]:
    """Return the XML of the settings, after a look at it that refuses entities."""
    parts = (part.partition(END) for part in path.read_bytes().split(BEGIN)[1:])
    found = [BEGIN + text + end for text, end, _ in parts if end]
    if not found:
        raise ReadError(path, "holds no <ObjectInfo>")
    for number, text in enumerate(found, 1):
        parse_xml(text, path, f"ObjectInfo {number}")
    return [text.decode("utf-8", "replace") for text in found]


def _signal(path: Path, objects: list[str] | None, title: str) -> dict[str, Any]:
    """Read a series with rosettasciio and correct its axes."""
    from rsciio.tia._api import ser_reader

    (signal,) = ser_reader(str(path), objects)
    header = signal["original_metadata"]["ser_header_parameters"]
    axes = []
    for axis in signal["axes"]:
        factor, unit = IN_FILE.get(axis["units"], (1.0, axis["units"]))
        offset, scale = float(axis["offset"]), float(axis["scale"]) / factor
        if axis["name"] == "Energy":
            offset -= float(_first(header.get("CalibrationElement", 0))) * scale
        axes.append({**axis, "offset": offset, "scale": scale, "units": unit, "size": int(axis["size"])})
    return {**signal, "axes": axes, "metadata": {"General": {"title": title}}}


def _check(data: bytes, path: Path) -> str:
    """Compare all sizes with the file; return the announced size if less was recorded."""
    if data[: len(MAGIC)] != MAGIC:
        raise ReadError(path, "is not a TIA series", "byte 0x0")
    version, kind, tag, announced, valid = unpack("<HIIII", data, 4, path)
    if kind not in (SPECTRUM, IMAGE):
        raise ReadError(path, f"holds data of unknown kind {kind:#x}", "byte 0x6")
    word = "<Q" if version > WIDE_VERSION else "<I"
    (offsets,) = unpack(word, data, 22, path)
    at = 22 + struct.calcsize(word)
    (dimensions,) = unpack("<I", data, at, path)
    if dimensions > MAX_DIMENSIONS:
        raise ReadError(path, f"announces {dimensions} dimensions", f"byte {at:#x}")
    at, cells = at + 4, 1
    for _ in range(dimensions):
        (size,) = unpack("<I", data, at, path)
        (label,) = unpack("<I", data, at + 24, path)
        (unit,) = unpack("<I", data, at + 28 + label, path)
        at, cells = at + 32 + label + unit, cells * max(size, 1)
    if not valid:
        raise ReadError(path, "holds no recorded data; a single spectrum is within its .emi, which is not read")
    # Offsets of all elements and of their tags; rosettasciio leaves memory as it was for what it cannot read.
    if valid > announced or offsets + 2 * announced * struct.calcsize(word) > len(data):
        raise ReadError(path, f"announces {valid} elements at byte {offsets}, file has {len(data)} bytes", "byte 0x12")
    points, item = 0, 1
    for index in range(valid):
        (place,) = unpack(word, data, offsets + index * struct.calcsize(word), path)
        if kind == SPECTRUM:
            number_type, columns = unpack("<HI", data, place + 20, path)
            rows, begin = 1, place + 26
        else:
            number_type, columns, rows = unpack("<HII", data, place + 40, path)
            begin = place + 50
        item = ITEM_SIZE.get(number_type, 0)
        count, tag_size = columns * rows, TAG_SIZE.get(tag, 8)
        if not item or not count or begin + count * item + tag_size > len(data) or points not in (0, count):
            problem = f"{columns} × {rows} numbers of type {number_type} do not fit"
            raise ReadError(path, problem, f"element {index + 1}")
        points = count
    total = max(cells, valid) * points
    if total > MAX_POINTS or total * item > MAX_MAP_BYTES or valid * points * item > 2 * len(data):
        raise ReadError(path, f"announces {cells} × {points} numbers, file has {len(data)} bytes")
    return f"{announced} elements announced, {valid} recorded" if valid < announced else ""


def _first(value: Any) -> Any:
    return value[0] if hasattr(value, "__len__") and len(value) else value
