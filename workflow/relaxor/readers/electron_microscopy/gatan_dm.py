"""Gatan DigitalMicrograph images and spectra, ``.dm3`` and ``.dm4``.

Instruments: DigitalMicrograph, the program of Gatan cameras and spectrometers on electron microscopes, saves its images
in this form.

Recognition: The version is 3 or 4, the byte order is 0 or 1, and so are the next two bytes (sorted, open).

Layout: A big-endian tree of tags holds values that are mostly little-endian. The header is the version (i32), the size
of the file (i32 in version 3, i64 in version 4) and the byte order (i32; 1 is little). A group of tags follows: sorted
and open (bytes) and the number of tags. A tag is its kind (20: group, 21: data), its name and, in version 4, its size.
Data begin with ``%%%%`` and an array of numbers that describes their type. rosettasciio reads the values. The tree is
walked here first, because a tag may announce 10^18 values without any size.

Schema: There is one child per image, named after its title; thumbnails are left out. It has ``intensity`` (``y``,
``x``, ``z`` of a stack, or ``energy_loss`` in eV), or ``real`` and ``imaginary``. Coordinates are in base units where
the file is calibrated, and otherwise in ``1``. Values are as stored; calibrated ones are ``gain * (intensity -
offset)`` with the attributes ``gain`` and ``offset``. The unit is ``count`` where the file says electrons. A further
attribute is ``acceleration_voltage_V``.
"""

import struct
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import unpack
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import iso

SIZES = {2: 2, 3: 4, 4: 2, 5: 4, 6: 4, 7: 8, 8: 1, 9: 1, 10: 1, 11: 8, 12: 8}
"""Bytes of a value of each simple type."""
STRUCT, STRING, ARRAY = 15, 18, 20
LAYOUTS = tuple(
    f"{day} {clock}"
    for days, clocks in (
        (("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y"), ("%H:%M:%S", "%H:%M")),
        (("%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%d.%m.%y"), ("%I:%M:%S %p", "%I:%M:%S%p", "%I:%M %p")),
    )
    for day in days
    for clock in clocks
)
"""Dates with dots are German; dates with slashes are American with a clock of 12 hours, and British without one."""
MAX_DEPTH = 64


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the version, the byte order, and the sorted and open bytes of the root group."""
    if len(head) < 24:
        return False
    version = int.from_bytes(head[:4], "big")
    order = {3: head[8:14], 4: head[12:18]}.get(version, b"")
    return order[:4] in (b"\0\0\0\0", b"\0\0\0\1") and order[4:5] in (b"\0", b"\1") and order[5:6] in (b"\0", b"\1")


def extract(path: Path) -> xr.DataTree:
    """Read a DigitalMicrograph file; the schema is that of the module."""
    from rsciio.digitalmicrograph import file_reader

    _Walk(path, path.read_bytes()).group()
    signals = file_reader(str(path))
    if not signals:
        raise ReadError(path, "holds no image besides its thumbnail")
    images = [signal["original_metadata"]["ImageList"]["TagGroup0"] for signal in signals]
    brightness = [image["ImageData"]["Calibrations"]["Brightness"] for image in images]
    described = [
        {**signal, "units": "count" if level["Units"] in ("e-", "Counts") else "1"}
        for signal, level in zip(signals, brightness, strict=True)
    ]
    tags = [_tags(image) for image in images]
    attrs = []
    for level, tag in zip(brightness, tags, strict=True):
        attrs.append({"gain": float(level["Scale"]), "offset": float(level["Origin"])})
        if isinstance(voltage := _find(tag, "Microscope Info", "Voltage"), float | int):
            attrs[-1]["acceleration_voltage_V"] = float(voltage)
    return signal_tree(described, attrs, instrument=_instrument(tags[0]), acquired=_acquired(tags[0]))


class _Walk:
    """Walk the tag tree without reading values, and refuse counts that the file has no bytes for."""

    def __init__(self, path: Path, data: bytes):
        self.path, self.data, self.at = path, data, 0
        (self.version,) = self.take(">i")
        self.wide = "q" if self.version == 4 else "i"
        self.take(f">{self.wide}")
        (self.little,) = self.take(">i")

    def take(self, layout: str) -> tuple[Any, ...]:
        values = unpack(layout, self.data, self.at, self.path)
        self.at += struct.calcsize(layout)
        return values

    def count(self, size: int = 1) -> int:
        """Read a number of items of ``size`` bytes that follow; each takes one byte at least."""
        place = self.at
        (number,) = self.take(f">{self.wide}")
        if number < 0 or number * max(size, 1) > len(self.data) - self.at:
            left = len(self.data) - self.at
            raise self.fail(f"announces {number} items of {size} bytes, {left} bytes follow", place)
        return number

    def skip(self, length: int) -> None:
        if length > len(self.data) - self.at:
            raise self.fail(f"ends early: {length} bytes expected here", self.at)
        self.at += length

    def fail(self, problem: str, place: int) -> ReadError:
        return ReadError(self.path, problem, f"byte {place:#x}")

    def group(self, name: str = "root", depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise self.fail(f"tags nested deeper than {MAX_DEPTH}", self.at)
        self.take(">bb")
        points = 1
        for _ in range(self.count()):
            place = self.at
            kind, length = self.take(">bh")
            label = self.data[self.at : self.at + length].decode("latin-1")
            self.skip(max(length, 0))
            if self.version == 4:
                self.take(">q")
            if kind == 20:
                self.group(label, depth + 1)
            elif kind == 21:
                value = self.value()
                points *= value if name == "Dimensions" else 1
                if points > 8 * len(self.data):
                    raise self.fail(f"announces an image of {points} points, file has {len(self.data)} bytes", place)
            else:
                raise self.fail(f"tag of unknown kind {kind}", place)

    def value(self) -> int:
        """Pass over one value; return it if it is an integer of four bytes, else 1."""
        if self.data[self.at : self.at + 4] != b"%%%%":
            raise self.fail("tag data do not begin with '%%%%'", self.at)
        self.at += 4
        self.count()
        (kind,) = self.take(f">{self.wide}")
        if kind in (3, 5):
            order = "<" if self.little else ">"
            return int(self.take(order + {3: "i", 5: "I"}[kind])[0])
        self.skip(self.size_of(kind))
        return 1

    def size_of(self, kind: int) -> int:
        """Return the bytes of a value, reading the rest of its description."""
        if kind in SIZES:
            return SIZES[kind]
        if kind == STRING:
            return self.count()
        if kind == STRUCT:
            self.take(f">{self.wide}")
            fields = [self.take(f">{self.wide}{self.wide}")[1] for _ in range(self.count(8))]
            if not fields or not set(fields) <= set(SIZES):
                raise self.fail(f"structure of unknown types {fields[:8]}", self.at)
            return sum(SIZES[field] for field in fields)
        if kind == ARRAY:
            (element,) = self.take(f">{self.wide}")
            size = self.size_of(element)
            return size * self.count(size)
        raise self.fail(f"value of unknown type {kind}", self.at)


def _tags(image: dict[str, Any]) -> dict[str, Any]:
    """Return the tags of an image, or those of the image from which it was cut if it has none."""
    tags = image.get("ImageTags", {})
    source = _find(tags, "source", "Tags at creation")
    return (source if isinstance(source, dict) else {}) | (tags if isinstance(tags, dict) else {})


def _find(tags: object, *names: str) -> Any:
    for name in names:
        tags = tags.get(name, "") if isinstance(tags, dict) else ""
    return tags


def _instrument(tags: dict[str, Any]) -> str:
    places = (("Session Info", "Microscope"), ("Microscope Info", "Name"), ("Microscope Info", "Microscope"))
    return next((str(found) for place in places if (found := _find(tags, *place))), "")


def _acquired(tags: dict[str, Any]) -> str | None:
    """Return date and time, which are written in the language of the computer that took the image."""
    date, time = (str(_find(tags, "DataBar", f"Acquisition {part}")).strip() for part in ("Date", "Time"))
    return iso(f"{date} {time}", *LAYOUTS)
