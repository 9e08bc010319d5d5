"""Safe first look into an HDF5 file that someone else wrote."""

import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from relaxor.errors import ReadError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_UNPACKED = 256 << 20
"""Most bytes that all datasets of a file may announce: compressed chunks can announce far more than they hold."""
MAX_OBJECTS = 100_000
GLOBAL_HEAP = b"GCOL\1\0\0\0"


def check(path: Path) -> None:
    """Refuse a file that leads outside itself or that would unpack to too much.

    Only the file's own object headers are read; no data. Links are looked at, not followed, unless they are hard.

    Raises
    ------
    ReadError
        Naming the object that is at fault.
    """
    import h5py

    if offset := damaged_heap(path):
        raise ReadError(path, "is damaged: an object of a global heap has no size", f"byte {offset:#x}")
    with h5py.File(path, "r") as file:
        total, seen, waiting = 0, set(), [("", file)]
        while waiting:
            place, group = waiting.pop()
            for key in group:
                name = f"{place}/{key}"
                link = group.get(key, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    raise ReadError(path, "links to another file, which is not followed", name)
                if isinstance(link, h5py.SoftLink):
                    continue
                item = group[key]
                address = h5py.h5o.get_info(item.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if len(seen) > MAX_OBJECTS:
                    raise ReadError(path, f"holds more than {MAX_OBJECTS} objects", name)
                if isinstance(item, h5py.Group):
                    waiting.append((name, item))
                elif isinstance(item, h5py.Dataset):
                    total += _announced(item, path, name)
                    if total > MAX_UNPACKED:
                        raise ReadError(
                            path,
                            f"announces {total / 2**20:.0f} MiB of data, more than {MAX_UNPACKED >> 20} MiB",
                            name,
                        )


def damaged_heap(path: Path) -> int:
    """Return where a global heap (texts of variable length) is damaged, or 0.

    Free space smaller than its own header sends libhdf5 into a loop without end, so it must not see one.
    """
    return _damaged_heap(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _damaged_heap(path: Path, _modified: int) -> int:
    # Asked when a file is recognised, and again when it is read.
    data = path.read_bytes()
    heap = data.find(GLOBAL_HEAP)
    while heap >= 0:
        at = heap + 16
        end = min(heap + int.from_bytes(data[heap + 8 : at], "little"), len(data))
        while at + 16 <= end:
            index, size = struct.unpack_from("<H6xQ", data, at)
            if index == 0 and size < 16:
                return at
            at += 16 + (size + 7) // 8 * 8 if index else size
        heap = data.find(GLOBAL_HEAP, heap + 16)
    return 0


def _announced(dataset: Any, path: Path, name: str) -> int:
    if dataset.is_virtual or dataset.external:
        raise ReadError(path, "keeps its data in another file, which is not followed", name)
    size = int(dataset.nbytes) if dataset.shape is not None else 0
    if dataset.chunks:
        chunk = int(dataset.dtype.itemsize)
        for length in dataset.chunks:
            chunk *= int(length)
        size = max(size, chunk)
    return size
