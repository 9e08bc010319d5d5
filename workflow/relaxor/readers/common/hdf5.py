"""HDF5 files of unknown origin, examined before they are read."""

import math
import mmap
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relaxor.core.errors import ReadError
from relaxor.readers.common.sizes import most_bytes

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_UNPACKED = 256 << 20
"""Most bytes that all datasets of a file may announce; compressed chunks can announce far more than they hold."""
MAX_OBJECTS = 100_000
MAX_ATTRIBUTES = 5_000
"""Most attributes of all objects of a file together; each takes a tenth of the time that a small file takes."""
MAX_DEPTH = 64
"""Most groups within each other; the time to open an object grows with their number."""
MAX_REFERENCES = 1_000_000
"""Most texts of variable length that are examined."""
PART = 16 << 20
"""Bytes of a file that are searched together."""
LONG_TEXT = "a text is longer than its place in the heap"
DIMENSION_LIST = b"DIMENSION_LIST"
"""Attribute that holds lists of references to the scales of a dataset, which are no text."""
GLOBAL_HEAP = b"GCOL\1\0\0\0"


@contextmanager
def opened(path: Path) -> Iterator["h5py.File"]:
    """Open a file, unless it refers to other files or would unpack to too much.

    Only the headers of the objects in the file are read, and no data. Links that are not hard are examined, but not
    followed. No format here has lists of variable length; libhdf5 crashes on those that damaged types of text become.

    Raises
    ------
    ReadError
        If the file is refused; the message names the object.
    """
    import h5py

    place, damage = text_damage(path)
    damaged = ReadError(path, f"is damaged: {damage}", f"byte {place:#x}")
    if damage not in ("", LONG_TEXT):
        raise damaged
    with h5py.File(path, "r") as file:
        _check(file.id, path)
        if damage:
            raise damaged
        yield file


def _check(file: "h5py.h5f.FileID", path: Path) -> None:
    """Walk all links and objects in the C library, because its Python objects would take longer than the data."""
    from h5py import h5a, h5d, h5l, h5o, h5t

    links: list[tuple[bytes, int, int]] = []
    objects: list[tuple[bytes, int, int]] = []

    # An exception in a callback leaves the lock of h5py broken; a returned value stops the walk instead.
    def collect(found: list[tuple[bytes, int, int]], name: bytes, info: Any) -> bool | None:
        found.append((name, info.type, getattr(info, "num_attrs", 0)))
        return len(found) > MAX_OBJECTS or name.count(b"/") >= MAX_DEPTH or None

    if file.links.visit(partial(collect, links), info=True) or h5o.visit(file, partial(collect, objects), info=True):
        if len(links) > MAX_OBJECTS or len(objects) > MAX_OBJECTS:
            raise ReadError(path, f"holds more than {MAX_OBJECTS} objects")
        raise ReadError(path, f"holds more than {MAX_DEPTH} groups within each other")
    for name, kind, _ in links:
        if kind == h5l.TYPE_EXTERNAL:
            raise ReadError(path, "links to another file, which is not followed", _place(name))
    if sum(attributes for *_, attributes in objects) > MAX_ATTRIBUTES:
        raise ReadError(path, f"holds more than {MAX_ATTRIBUTES} attributes")
    announced = 0
    for name, kind, attributes in objects:
        opened_attributes = (h5a.open(file, index=index, obj_name=name) for index in range(attributes))
        types = [found.get_type() for found in opened_attributes if found.name != DIMENSION_LIST]
        if kind == h5o.TYPE_DATASET:
            dataset = h5d.open(file, name)
            announced += _announced(dataset, path, _place(name))
            types.append(dataset.get_type())
        if any(found.detect_class(h5t.VLEN) for found in types):
            raise ReadError(path, "is damaged: it has lists of variable length where text should be", _place(name))
        if announced > (most := most_bytes(MAX_UNPACKED)):
            problem = f"announces {announced / 2**20:.0f} MiB of data, more than {most >> 20} MiB"
            raise ReadError(path, problem, _place(name))


def _place(name: bytes) -> str:
    return "/" + name.decode("utf-8", "replace")


def text_damage(path: Path) -> tuple[int, str]:
    """Return the byte at which texts of variable length are damaged, and what is wrong there, or ``(0, "")``.

    libhdf5 loops without end on free space of a global heap that is smaller than its own header, and reads foreign
    memory for an object that ends behind its heap. A text is its length, the address of its heap and the index of the
    object; libhdf5 reserves the length, up to 4 GiB.
    """
    with _mapped(path) as data:
        sizes: dict[int, dict[int, int]] = {}
        for heap, held, damage in _heaps(data):
            if damage:
                return damage, "a global heap has a wrong size"
            sizes[heap] = held
        for number, (place, heap) in enumerate(_references(data, sorted(sizes))):
            if number > MAX_REFERENCES:
                return place, f"there are more than {MAX_REFERENCES} texts of variable length"
            index = int.from_bytes(data[place + 8 : place + 12], "little")
            length = int.from_bytes(data[place - 4 : place], "little")
            if index and length > sizes[heap].get(index, len(data)):
                return place - 4, LONG_TEXT
    return 0, ""


def _references(data: mmap.mmap, heaps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield each place from byte 4 on where the address of a heap stands, and the heap."""
    for start in range(4, len(data) if heaps else 0, PART):
        part = data[start : start + PART + 7]
        for offset in range(min(8, len(part) - 7)):
            words = np.frombuffer(part, "<u8", (len(part) - offset) // 8, offset)
            near = np.flatnonzero((words >= heaps[0]) & (words <= heaps[-1]))
            for place in near[np.isin(words[near], heaps)]:
                yield start + offset + 8 * int(place), int(words[place])


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _heaps(data: mmap.mmap) -> Iterator[tuple[int, dict[int, int], int]]:
    """Yield the place of each global heap, the sizes of its objects, and the byte at which it is damaged or 0."""
    heap = data.find(GLOBAL_HEAP)
    while heap >= 0:
        at = heap + 16
        end = heap + int.from_bytes(data[heap + 8 : at], "little")
        sizes: dict[int, int] = {}
        damage = heap if end > len(data) else 0
        while not damage and at + 16 <= end:
            index, size = struct.unpack_from("<H6xQ", data, at)
            following = at + (16 + (size + 7) // 8 * 8 if index else size)
            if following > end or (index == 0 and size < 16):
                damage = at
            sizes[index] = size
            at = following
        yield heap, sizes, damage
        heap = data.find(GLOBAL_HEAP, heap + 16)


def _announced(dataset: "h5py.h5d.DatasetID", path: Path, name: str) -> int:
    """Return the number of bytes of a dataset, or of one of its chunks if that is larger."""
    from h5py import h5d

    layout = dataset.get_create_plist()
    if layout.get_layout() == h5d.VIRTUAL or layout.get_external_count():
        raise ReadError(path, "keeps its data in another file, which is not followed", name)
    chunk = layout.get_chunk() if layout.get_layout() == h5d.CHUNKED else (0,)
    points = max(int(dataset.get_space().get_simple_extent_npoints()), math.prod(map(int, chunk)))
    return points * int(dataset.get_type().get_size())
