"""Bruker hypermaps, ``.bcf``: images and an X-ray spectrum for every pixel.

Instruments: Bruker X-ray spectrometers (EDX) on electron microscopes save maps in this form with the program Esprit.

Recognition: The file begins with ``AAMVHFSS``.

Layout: The file is a file system of its own. It consists of chunks with a header of 32 bytes, which holds the number of
the next chunk. A table of files has 512 bytes per entry (number of the table of pointers, size, …, parent, name). File
contents stand as they are, or in zlib blocks behind ``AACS``. ``EDSDatabase/HeaderData`` is XML with the microscope,
the images and the sum spectrum; ``SpectrumData<n>`` holds the counts. The container is walked here, with every size
bounded. rosettasciio reads header and counts, but into numbers that are wide enough: it estimates the width from the
mean pixel, and brighter pixels would wrap around.

Schema: Images are named after their detectors and have ``intensity`` (``y``, ``x``) in the digital units of the
detector with coordinates in m. Maps, ``EDX``, ``EDX_2``, …, have ``intensity`` (``y``, ``x``, ``energy`` in keV) in
counts; their uncertainty, the square root, is not stored. The attributes of a map are ``beam_energy_keV``,
``elevation_angle_deg``, ``elements``, ``real_time_s`` and ``live_time_s``. The root has ``warnings`` if a map does not
add up to the spectrum that the file gives for the whole.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.containers import MAX_TOTAL_BYTES, inflated, parse_xml
from relaxor.readers.common.schema import tree, unpack
from relaxor.readers.common.signals import datasets
from relaxor.readers.electron_microscopy.xray_spectra import check_layers

MAGIC = b"AAMVHFSS"
BASE, CHUNK_HEADER, ENTRY = 0x118, 32, 0x200
FIRST_BLOCK, BLOCK_HEADER = 0x80, 16
MAX_ITEMS, MAX_MAP_BYTES = 1000, 512 << 20
DETECTOR = {"RealTime": "real_time_s", "LifeTime": "live_time_s", "ShapingTime": "shaping_time_ns"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of the container."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read images and maps; the schema is that of the module."""
    from rsciio.bruker import _api
    from rsciio.utils.xml import sanitize_msxml_float

    files = _files(path)
    maps = sorted(name for name in files if name[:12] == "SpectrumData" and name[12:].isdecimal())
    if "HeaderData" not in files or not maps:
        raise ReadError(path, f"holds no map: its files are {', '.join(files) or 'none'}")
    text = sanitize_msxml_float(files["HeaderData"])
    check_layers(parse_xml(text, path, "HeaderData"), path, "HeaderData")
    header = _api.HyperHeader(text, [int(name[12:]) for name in maps])
    images = [*header.image.images, *(header.overview.images if hasattr(header, "overview") else [])]
    signals = list(images)
    attrs: list[dict[str, Any]] = [{} for _ in images]
    warnings = []
    for name in maps:
        spectrum = header.spectra_data[int(name[12:])]
        cube = _cube(files[name], header, spectrum, path, name)
        if not np.array_equal(cube.sum((0, 1)), spectrum.data):
            difference = int(cube.sum()) - int(spectrum.data.sum())
            warnings.append(
                f"{name}: the pixels hold {difference:+} counts against the sum spectrum of the file, as of a map "
                "that was stopped or damaged; for a composition, export the sum spectrum (.spx)"
            )
        signals.append(_signal(cube, header, spectrum))
        attrs.append(_attributes(header, spectrum))
    children = datasets(signals, attrs)
    described = {
        "microscope": header.sem_metadata,
        "stage": header.stage_metadata,
        "configuration": header.dsp_metadata,
    }
    return tree(children, described, "Bruker Esprit", f"{header.date}T{header.time}", warnings)


def _cube(content: bytes, header: Any, spectrum: Any, path: Path, place: str) -> np.ndarray:
    """Return the counts of every pixel, in a type that holds the sum of all pixels."""
    from rsciio.bruker import _api

    dtype = np.dtype("u2" if spectrum.data.max(initial=0) <= np.iinfo("u2").max else "u4")
    shape = (header.image.height, header.image.width, spectrum.data.size)
    lines, columns = unpack("<ii", content, 0, path)
    if min(shape) < 1 or float(np.prod(shape, dtype=float)) * dtype.itemsize > MAX_MAP_BYTES:
        raise ReadError(path, f"announces a map of {shape} numbers", place)
    if (lines, columns) != shape[:2]:
        raise ReadError(path, f"{lines} lines of {columns} pixels in a map of {shape[0]} × {shape[1]}", place)
    return _api.py_parse_hypermap(_Stream(content), shape, dtype)


class _Stream:
    """A file of the container as `rsciio.bruker` expects it; because of the zeros it asks for no further block."""

    def __init__(self, content: bytes):
        self.content = content + bytes(CHUNK_HEADER)

    def get_iter_and_properties(self) -> tuple[Any, int, int]:
        return iter([self.content]), len(self.content), 1


def _signal(cube: np.ndarray, header: Any, spectrum: Any) -> dict[str, Any]:
    axes = [
        {"name": "height", "offset": 0.0, "scale": header.y_res, "units": header.units},
        {"name": "width", "offset": 0.0, "scale": header.x_res, "units": header.units},
        {"name": "energy", "offset": spectrum.offset, "scale": spectrum.scale, "units": "keV"},
    ]
    return {
        "data": cube,
        "axes": [{**axis, "size": size} for axis, size in zip(axes, cube.shape, strict=True)],
        "metadata": {"General": {"title": "EDX"}},
        "units": "count",
    }


def _attributes(header: Any, spectrum: Any) -> dict[str, Any]:
    found = {"beam_energy_keV": spectrum.hv, "elevation_angle_deg": spectrum.elev_angle}
    found["elements"] = ", ".join(sorted(header.elements))
    hardware = spectrum.hardware_metadata
    for key, name in DETECTOR.items():
        if key in hardware:
            found[name] = hardware[key] / (1 if name.endswith("_ns") else 1000)
    return {name: value for name, value in found.items() if value not in (None, "")}


# --- the container -------------------------------------------------------------------------------------------------
def _files(path: Path) -> dict[str, bytes]:
    """Return the contents of the files in ``EDSDatabase``."""
    data = path.read_bytes()
    (size,) = unpack("<I", data, 0x128, path)
    first, count = unpack("<II", data, 0x140, path)
    usable = size - CHUNK_HEADER
    if not ENTRY <= usable <= len(data) or not 0 < count <= MAX_ITEMS:
        raise ReadError(path, f"announces {count} files in chunks of {size} bytes", "byte 0x128")
    store = _Chunks(data, size, path)
    table = store.chain(first, count * ENTRY, usable // ENTRY * ENTRY)
    entries = [struct.unpack_from("<iQ24xIi176x?3x256s32x", table, index * ENTRY) for index in range(count)]
    names = [name.split(b"\0")[0].decode("utf-8", "replace") for *_, name in entries]
    budget = MAX_TOTAL_BYTES
    files: dict[str, bytes] = {}
    for (pointers, length, _, parent, is_folder, _), name in zip(entries, names, strict=True):
        if is_folder or not 0 <= parent < count or names[parent] != "EDSDatabase":
            continue
        content = store.content(pointers, length, name)
        if content.startswith(b"AACS"):
            content = _unpacked(content, budget, path, name)
        budget -= len(content)
        if budget < 0:
            raise ReadError(path, f"unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB, which is refused", name)
        files[name] = content
    return files


class _Chunks:
    """The numbered chunks of the container."""

    def __init__(self, data: bytes, size: int, path: Path):
        self.data, self.size, self.path = data, size, path

    def chunk(self, number: int) -> tuple[bytes, int]:
        """Return the content of a chunk (the last one may be short) and the number of the next one."""
        start = BASE + self.size * number
        if number < 0 or start + CHUNK_HEADER >= len(self.data):
            raise ReadError(self.path, f"has no chunk {number}: the file is cut off or damaged", f"byte {start:#x}")
        (following,) = struct.unpack_from("<I", self.data, start)
        return self.data[start + CHUNK_HEADER : start + self.size], following

    def chain(self, number: int, length: int, each: int) -> bytes:
        """Join chunks that name their next one; ``each`` bytes of every chunk count."""
        if length > len(self.data):
            raise ReadError(self.path, f"announces a table of {length} bytes, file has {len(self.data)}")
        parts, left = [], length
        while left > 0:
            content, number = self.chunk(number)
            parts.append(content[: min(each, left)])
            left -= each
        table = b"".join(parts)
        if len(table) != length:
            raise ReadError(self.path, f"a table of {length} bytes is cut off")
        return table

    def content(self, pointers: int, length: int, name: str) -> bytes:
        usable = self.size - CHUNK_HEADER
        count = -(-length // usable)
        if length > len(self.data):
            raise ReadError(self.path, f"announces {length} bytes, the whole file has {len(self.data)}", name)
        table = np.frombuffer(self.chain(pointers, 4 * count, usable), "<u4")
        return b"".join(self.chunk(int(number))[0] for number in table)[:length]


def _unpacked(content: bytes, budget: int, path: Path, name: str) -> bytes:
    """Inflate the blocks of a compressed file."""
    _, _, _, blocks = unpack("<IIII", content, 0, path)
    parts, at = [], FIRST_BLOCK
    for _ in range(min(blocks, len(content) // BLOCK_HEADER)):
        (packed,) = unpack("<I", content, at, path)
        at += BLOCK_HEADER
        parts.append(inflated(content[at : at + packed], budget, path, name))
        budget -= len(parts[-1])
        at += packed
    return b"".join(parts)
