"""One instrument file packed into ``.gz``, ``.bz2``, ``.xz``, ``.zip`` or ``.tar.gz``: unpacked, bounded, and read.

A container of several files is read if exactly one of them is of a known format.
"""

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.errors import ReadError
from relaxor.readers.containers import open_zip

STREAMS: dict[bytes, Callable[..., Any]] = {b"BZh": bz2.open, b"\x1f\x8b": gzip.open, b"\xfd7zXZ": lzma.open}
MAX_UNPACKED = 256 << 20
MAX_MEMBERS = 64
CHUNK = 1 << 20


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of the packing; asked after all formats that are zips themselves."""
    return head.startswith((*STREAMS, b"PK\x03\x04"))


def extract(path: Path) -> xr.DataTree:
    """Read the instrument file inside.

    Returns
    -------
    xarray.DataTree
        As the reader of the format inside returns it, with the attributes ``packed_file`` and ``packed_format``.
    """
    from relaxor.readers import read, recognise

    trees: dict[str, xr.DataTree] = {}
    refused: list[ReadError] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, inner) in enumerate(_members(path, Path(folder))):
            if number == MAX_MEMBERS:
                raise ReadError(path, f"holds more than {MAX_MEMBERS} files")
            try:
                if recognise(inner) == "packed":
                    raise ReadError(inner, "is packed once more: unpack it first")
                trees[name] = read(inner)
            except ReadError as error:
                refused.append(ReadError(path, error.problem, ", ".join(filter(None, (name, error.where)))))
            inner.unlink()
    if len(trees) != 1:
        if len(refused) == 1 and not trees:
            raise refused[0]
        raise ReadError(path, f"holds {len(trees)} files of known formats ({', '.join(trees) or 'none'}); expected one")
    ((name, tree),) = trees.items()
    tree.attrs |= {"packed_file": name, "packed_format": tree.attrs["format"]}
    return tree


def _members(path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Unpack one file after the other into a folder."""
    with path.open("rb") as stream:
        head = stream.read(8)
    target = folder / "member"
    if head.startswith(b"PK"):
        with open_zip(path) as container:
            for member in container.infolist():
                if not member.is_dir():
                    _unpack(partial(container.open, member), target, path, member.filename)
                    yield member.filename, target
        return
    opener = next(opener for magic, opener in STREAMS.items() if head.startswith(magic))
    whole = folder / "whole"
    _unpack(partial(opener, path, "rb"), whole, path, path.stem)
    if not tarfile.is_tarfile(whole):
        yield path.stem, whole
        return
    with tarfile.open(whole, "r:") as archive:
        for entry in archive:
            if entry.isfile():
                _unpack(partial(archive.extractfile, entry), target, path, entry.name)
                yield entry.name, target


def _unpack(open_stream: Callable[[], Any], target: Path, path: Path, name: str) -> None:
    size = 0
    try:
        with open_stream() as stream, target.open("wb") as out:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > MAX_UNPACKED:
                    raise ReadError(path, f"unpacks to more than {MAX_UNPACKED >> 20} MiB, which is refused", name)
                out.write(chunk)
    except (OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise ReadError(path, f"is damaged: {error}", name) from error
