"""Igor packed experiments, ``.pxp`` and ``.pxt``: many waves in one file.

Instruments: The program Igor Pro saves experiments in this form, and so does Scienta SES (``.pxt``).

Recognition: The headers of the records that lie in the first bytes follow each other, in either byte order.

Layout (WaveMetrics technical note 003): A record is a header and data, in either byte order. The header is the type
(u16; its highest bit marks a record that a later one replaces), the version (i16) and the number of bytes (i32).
Variables (type 1), waves (3, each an Igor binary wave) and the starts and ends of data folders (9, 10) are read;
procedures, pictures and windows are passed over.

Schema: There is one child per wave, named after its data folders and its name, as
`relaxor.readers.probe_microscopy.igor_ibw` describes it. The variables are in the header. Waves that could not be read
are named in the root attribute ``warnings``.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import c_text, free
from relaxor.readers.probe_microscopy.igor_ibw import read_wave

VARIABLES, WAVE, FOLDER_START, FOLDER_END = 1, 3, 9, 10
REPLACED = 0x8000
KNOWN_TYPES = range(27)
MIN_RECORDS, MAX_RECORDS = 2, 20_000


def recognises(head: bytes, path: Path) -> bool:
    """Return whether the records whose headers lie in the first bytes follow each other."""
    return _byte_order(head, path.stat().st_size) is not None


def extract(path: Path) -> xr.DataTree:
    """Read all waves of an experiment; the schema is that of the module.

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
            folders.append(c_text(content))
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
    return tree(children, header=headers, instrument="Igor Pro", warnings=warnings)


def _byte_order(head: bytes, size: int) -> str | None:
    """Return the byte order in which the headers of records follow each other, as far as the first bytes show."""
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
