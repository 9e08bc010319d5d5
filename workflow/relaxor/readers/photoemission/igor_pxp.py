"""Igor packed experiments, ``.pxp`` and ``.pxt``: many waves in one file.

Layout (WaveMetrics technical note 003): records of a header (u16 type, of which the highest bit marks a record that
a later one replaces; i16 version; i32 bytes) and data, in either byte order. Read are variables (type 1), waves (3,
each an Igor binary wave) and the starts and ends of data folders (9, 10); procedures, pictures and windows are passed
over.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.photoemission.regions import free
from relaxor.readers.probe_microscopy.igor_ibw import read_wave
from relaxor.readers.registry import Reader

VARIABLES, WAVE, FOLDER_START, FOLDER_END = 1, 3, 9, 10
REPLACED = 0x8000
KNOWN_TYPES = range(27)
MIN_RECORDS, MAX_RECORDS = 2, 20_000


def recognises(head: bytes, path: Path) -> bool:
    """Return whether the records whose headers lie in the first bytes follow each other."""
    return _byte_order(head, path.stat().st_size) is not None


def extract(path: Path) -> xr.DataTree:
    """Read all waves of an experiment.

    Returns
    -------
    xarray.DataTree
        One child a wave, named after it (and its data folders), as `relaxor.readers.probe_microscopy.igor_ibw`
        describes them. Variables are in the header. Attributes: ``warnings`` names waves that could not be read.

    Raises
    ------
    ReadError
        If no wave can be read.
    """
    data = path.read_bytes()
    children: dict[str, xr.Dataset] = {}
    headers: dict[str, Any] = {"variables": {}}
    warnings: list[str] = []
    folders: list[str] = []
    for number, (kind, version, content, order) in enumerate(_records(data, path), 1):
        if kind == FOLDER_START:
            folders.append(content.split(b"\0")[0].decode("latin-1"))
        elif kind == FOLDER_END:
            del folders[-1:]
        elif kind == VARIABLES:
            headers["variables"] |= _variables(version, content, order)
        elif kind == WAVE:
            try:
                _, dataset, header = read_wave(content, path)
            except ReadError as error:
                warnings.append(f"record {number}: wave {error.problem}")
                continue
            name = free("_".join([*folders[:4], dataset.attrs["name"]]), children)
            children[name], headers[name] = dataset, header
    if not children:
        raise ReadError(path, "; ".join(warnings[:3]) or "holds no wave")
    extra = {"warnings": "\n".join(warnings)} if warnings else {}
    return tree(children, header=headers, instrument="Igor Pro", **extra)


def _byte_order(head: bytes, size: int) -> str | None:
    """Return the byte order in which the record headers lead to each other, as far as the first bytes show."""
    for order in "<>":
        at = number = 0
        while at + 8 <= len(head):
            kind, _, length = struct.unpack_from(f"{order}HhI", head, at)
            if kind & ~REPLACED not in KNOWN_TYPES or not (kind or length) or length > size:
                break
            at, number = at + 8 + length, number + 1
        else:
            if number >= MIN_RECORDS:
                return order
    return None


def _records(data: bytes, path: Path) -> Iterator[tuple[int, int, bytes, str]]:
    order = _byte_order(data[:4096], len(data)) or "<"
    at = 0
    for _ in range(MAX_RECORDS):
        if at == len(data):
            return
        if at + 8 > len(data):
            raise ReadError(path, "ends within the header of a record", f"byte {at:#x}")
        kind, version, length = struct.unpack_from(f"{order}HhI", data, at)
        if length > len(data) - at - 8:
            raise ReadError(path, f"announces {length} bytes, {len(data) - at - 8} follow", f"byte {at:#x}")
        if not kind & REPLACED:
            yield kind, version, data[at + 8 : at + 8 + length], order
        at += 8 + length
    raise ReadError(path, f"holds more than {MAX_RECORDS} records")


def _variables(version: int, content: bytes, order: str) -> dict[str, Any]:
    from igor2.record.variables import VariablesRecord

    record = VariablesRecord({"version": version, "numDataBytes": len(content)}, content, byte_order=order)
    return {key.decode("latin-1") if isinstance(key, bytes) else key: value for key, value in record.namespace.items()}


READER = Reader("igor_pxp", recognises, extract)
