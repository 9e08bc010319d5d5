"""Digital Surf surfaces, images and spectral maps, ``.sur``, ``.pro``.

Instruments: MountainsMap, and the programs of profilometers, confocal microscopes and cathodoluminescence systems
(Attolight), write this form. It is read by rosettasciio, after the sizes were checked.

Recognition: The file begins with ``DIGITAL SURF`` or ``DSCOMPRESSED``.

Layout: Objects follow one another. Each has a header of 512 little-endian bytes: number of objects u16 (14), kind i16
(18), channels i16 (80), length of a spectrum u32 (94), bits of a number i16 (98), number of points i32 (116), length of
the comment i16 (334) and of the private part i16 (336). Comment, private part and numbers follow; compressed numbers
are a list of sizes (raw and packed, u32) and streams of zlib.

Schema: The child ``surface`` has ``height`` (m) if its unit is a length, and ``intensity`` otherwise, in the unit of
the file, with the dimensions ``y`` and ``x`` (m) and, for spectra, ``wavelength`` (nm). The header has that of the
file.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import convertible, factor
from relaxor.readers.common.containers import MAX_TOTAL_BYTES, inflated
from relaxor.readers.common.schema import header_json, unpack
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import library_date
from relaxor.readers.common.unit_words import unit_of

MAGIC = (b"DIGITAL SURF", b"DSCOMPRESSED")
HEADER_BYTES, MAX_OBJECTS, MAX_STREAMS = 512, 10_000, 100_000


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read a ``.sur`` file; the schema is that of the module."""
    from rsciio.digitalsurf import file_reader

    _walk(path.read_bytes(), path)
    signal = file_reader(str(path))[0]
    general = signal["metadata"]["General"]
    quantity = str(signal["metadata"]["Signal"].get("quantity", ""))
    label, _, given = quantity.partition("(")
    unit = unit_of(given.rstrip(")")) or "1"
    described = {
        **signal,
        "units": unit,
        "metadata": {**signal["metadata"], "General": {**general, "title": "surface"}},
    }
    tree = signal_tree([described], instrument="Digital Surf", acquired=library_date(general))
    dataset = tree["surface"].to_dataset()
    if "intensity" in dataset and label.strip():
        dataset["intensity"].attrs["long_name"] = label.strip()
    if "intensity" in dataset and unit != "1" and convertible(unit, "m"):
        heights = dataset["intensity"] * factor(unit, "m")
        dataset = dataset.drop_vars("intensity").assign(height=heights.assign_attrs(units="m", long_name=label.strip()))
    tree["surface"] = xr.DataTree(dataset)
    tree.attrs["header"] = header_json({"surface": signal["original_metadata"]})
    return tree


def _walk(data: bytes, path: Path) -> None:
    """Refuse a file whose objects end behind it or unpack to more than their headers announce."""
    objects, channels = unpack("<H", data, 14, path)[0], unpack("<h", data, 80, path)[0]
    number = max(objects, 1) * max(channels, 1)
    if number > MAX_OBJECTS:
        raise ReadError(path, f"announces {number} objects; more than {MAX_OBJECTS} are refused", "byte 0xe")
    offset = left = 0
    for _ in range(number):
        start = offset
        (wide,), (bits,) = unpack("<I", data, start + 94, path), unpack("<h", data, start + 98, path)
        (points,) = unpack("<i", data, start + 116, path)
        comment, private = unpack("<2h", data, start + 334, path)
        if bits not in (16, 32) or points < 0 or comment < 0 or private < 0:
            raise ReadError(path, f"{points} points of {bits} bits", f"byte {start + 98:#x}")
        offset = start + HEADER_BYTES + comment + private
        size = points * max(wide, 1) * bits // 8
        left += size
        if left > MAX_TOTAL_BYTES:
            raise ReadError(path, f"announces {left >> 20} MiB; more are refused than {MAX_TOTAL_BYTES >> 20}")
        if data[start : start + 12] == MAGIC[0]:
            offset += size
        else:
            offset = _streams(data, offset, size, path)
        if offset > len(data):
            raise ReadError(path, f"an object ends at byte {offset}, file has {len(data)} bytes", f"byte {start:#x}")


def _streams(data: bytes, offset: int, size: int, path: Path) -> int:
    """Return the end of packed numbers, which have to unpack to ``size`` bytes."""
    (count,) = unpack("<I", data, offset, path)
    if count > MAX_STREAMS:
        raise ReadError(path, f"announces {count} packed streams", f"byte {offset:#x}")
    sizes = np.array(unpack(f"<{2 * count}I", data, offset + 4, path)).reshape(-1, 2)
    at = offset + 4 + 8 * count
    total = 0
    for _, packed in sizes:
        total += len(inflated(data[at : at + int(packed)], size - total, path, f"byte {at:#x}"))
        at += int(packed)
    if total != size:
        raise ReadError(path, f"{total} bytes unpack where {size} are announced", f"byte {offset:#x}")
    return at
