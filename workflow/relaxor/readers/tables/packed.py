"""Instrument files packed into ``.gz``, ``.bz2``, ``.xz``, ``.zip`` or ``.tar.gz``.

Instruments: Any format of the library may be packed; some programs pack their files themselves.

Recognition: The file has the magic of one of these archives. This reader is asked after those of formats that are zip
archives themselves.

Schema: An archive of one file gives the tree of the reader of that file. An archive of several files has the children
of all of them, named ``<file>_<child>``, and their headers under the names of the files. The root has ``packed_file``
and ``packed_format``, with one line per file, and ``warnings`` names the files that were passed over.
"""

import bz2
import gzip
import json
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.readers.common.containers import MAX_TOTAL_BYTES, open_zip
from relaxor.readers.common.schema import tree as tree_of
from relaxor.readers.common.text import free, safe
from relaxor.readers.registry import ARCHIVE

PRIORITY = ARCHIVE
STREAMS: dict[bytes, Callable[..., Any]] = {b"BZh": bz2.open, b"\x1f\x8b": gzip.open, b"\xfd7zXZ": lzma.open}
MAX_MEMBERS = 64
MAX_NUMBERS_BYTES = 256 << 20
"""Most bytes of the numbers of all files of an archive together, which compressed files can hold in few bytes."""
CHUNK = 1 << 20


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of the archive."""
    return head.startswith((*STREAMS, b"PK\x03\x04"))


def extract(path: Path) -> xr.DataTree:
    """Read the instrument files inside an archive; the schema is that of the module.

    Raises
    ------
    ReadError
        If no file inside can be read; for an archive of one file the message has the reason for that file.
    """
    from relaxor.readers import read, recognise

    trees: dict[str, xr.DataTree] = {}
    refused: list[ReadError] = []
    size = held = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, inner) in enumerate(_members(path, Path(folder))):
            size += inner.stat().st_size
            if number == MAX_MEMBERS or size > MAX_TOTAL_BYTES:
                raise ReadError(path, f"holds more than {MAX_MEMBERS} files or {MAX_TOTAL_BYTES >> 20} MiB")
            try:
                if recognise(inner) == "packed":
                    raise ReadError(inner, "is packed twice: unpack it first")
                tree = read(inner)
            except ReadError as error:
                refused.append(ReadError(path, error.problem, ", ".join(filter(None, (name, error.where)))))
            else:
                trees[name] = tree
                held += tree.nbytes
            if held > MAX_NUMBERS_BYTES:
                problem = f"its files hold more than {MAX_NUMBERS_BYTES >> 20} MiB of numbers together: unpack it first"
                raise ReadError(path, problem, name)
            inner.unlink()
    if not trees:
        if len(refused) == 1:
            raise refused[0]
        raise ReadError(path, f"holds no file that can be read: {'; '.join(error.problem for error in refused[:3])}")
    tree = next(iter(trees.values())) if len(trees) == 1 else _together(trees)
    passed_over = [f"{error.where}: {error.problem}" for error in refused]
    if lines := [*filter(None, (tree.attrs.get("warnings"),)), *passed_over]:
        tree.attrs["warnings"] = "\n".join(lines)
    formats = (inner.attrs.get("format", "") for inner in trees.values())
    tree.attrs |= {"packed_file": "\n".join(trees), "packed_format": "\n".join(formats)}
    return tree


def _together(trees: Mapping[str, xr.DataTree]) -> xr.DataTree:
    """Return one tree with the children of several files."""
    children: dict[str, xr.Dataset] = {}
    for file, tree in trees.items():
        for name, child in tree.children.items():
            children[free(f"{safe(Path(file).stem, '')}_{name}", children)] = child.to_dataset()
    first = next(iter(trees.values())).attrs
    told = ((file, line) for file, tree in trees.items() for line in tree.attrs.get("warnings", "").splitlines())
    warnings = [f"{file}: {line}" for file, line in told]
    header = {file: json.loads(tree.attrs["header"]) for file, tree in trees.items()}
    return tree_of(children, header, first["instrument"], first.get("acquired"), warnings)


def _members(path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Unpack one file after the other into a folder."""
    head = start_of(path, 8)
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
                if size > MAX_TOTAL_BYTES:
                    raise ReadError(path, f"unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB, which is refused", name)
                out.write(chunk)
    except RuntimeError as error:  # what zipfile raises for a password, and for a method it does not know
        raise ReadError(path, f"cannot be unpacked ({error}): unpack it first", name) from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise ReadError(path, f"is damaged: {error}", name) from error
