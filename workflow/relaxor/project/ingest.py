"""Ingestion of raw files into one netCDF file per technique, with units and provenance."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from pydantic import TypeAdapter

from relaxor.core.checksums import changed
from relaxor.core.errors import SheetError
from relaxor.core.remote import is_remote
from relaxor.core.storage import Group, save_tree
from relaxor.readers import TableDescription, read, readers
from relaxor.readers.common.sizes import allow_sizes
from relaxor.readers.tables.description import stated


def ingest(
    raw: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    tables: Mapping[str, Any],
    data: str,
    *,
    size_limits: Mapping[str, int] | None = None,
) -> None:
    """Read the files of one technique of one sample into one file.

    Parameters
    ----------
    raw
        Raw files.
    rows
        Rows of the sheet for the files, in the same order, with ``conditions`` as name → (value, unit).
    tables
        Descriptions of text tables by name.
    data
        netCDF file to write: one group per measurement, with one subgroup per region of its file.
    size_limits
        Largest files in MiB by format, in place of the limits of the formats; by default, those allowed before hold.

    Raises
    ------
    ReadError
        If a file cannot be read; nothing is then written.
    SheetError
        If files and rows do not match, or if a file is not the one whose checksum is recorded.
    """
    if len(raw) != len(rows):
        raise SheetError(f"{data}: {len(raw)} files for {len(rows)} rows of the sheet")
    if size_limits is not None:
        allow_sizes(size_limits, readers())
    described = TypeAdapter(dict[str, TableDescription]).validate_python(dict(tables))
    pairs = zip(raw, rows, strict=True)
    save_tree(data, (group for path, row in pairs for group in _groups(path, row, stated(row["table"], described))))


def _groups(path: str, row: Mapping[str, Any], table: TableDescription | str | None) -> Iterator[Group]:
    """Yield a measurement and its regions."""
    tree = read(path, table)
    if not is_remote(row["file"]) and (problem := changed(row["file"], tree.attrs["raw_sha256"], Path.cwd())):
        raise SheetError(problem)
    attrs = {
        **tree.attrs,
        "raw_file": row["file"],
        "origin": row["origin"],
        "instrument_named": row["instrument"],
        "conditions": json.dumps(row["conditions"], ensure_ascii=False),
    }
    yield row["measurement"], xr.Dataset(attrs=attrs)
    for name, node in tree.children.items():
        yield f"{row['measurement']}/{name}", node.to_dataset(inherit=False)
    print(f"{row['measurement']}: {tree.attrs['format']}, {', '.join(tree.children)}")
