"""The formats that relaxor reads.

Every format is a module of this package, or is offered by another package under an entry point. A module of this
package has the name of its format, the functions ``recognises`` and ``extract`` and, where they differ from those of
most formats, the constants ``PRIORITY`` and ``MAX_BYTES``; see `Reader`. Its docstring has paragraphs that begin with
``Instruments:``, ``Recognition:`` and ``Schema:``. Libraries are imported inside the functions of a reader, and readers
are imported when a file is to be recognised, so that this package loads quickly.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

ENTRY_POINTS = "relaxor.readers"
"""Group of entry points; other packages offer a `Reader` under each of them."""
SIGNATURE, CONTAINER, ARCHIVE, TABLE, BARE_NUMBERS = 50, 60, 70, 80, 90
"""Priorities of readers by what they recognise: bytes or words that only one format has; a kind of file that several
programs write (a workbook, an image); an archive of files; a table that names its columns; a table of bare numbers."""
MAX_BYTES = 256 << 20
"""Larger files are refused before they are read."""


@dataclass(frozen=True)
class Reader:
    """A file format, how it is recognised and how it is read.

    Attributes
    ----------
    name
        Name of the format, unique among all readers.
    recognises
        Decides from the first `relaxor.readers.reading.HEAD_BYTES` bytes, and for containers from a look inside the
        file, whether the file has this format. The extension never decides.
    extract
        Reads the whole file. The docstring of its module describes the tree that it returns.
    priority
        Readers are tried in the order of this number, the smallest first; see `SIGNATURE` and the other priorities.
    max_bytes
        Larger files are refused. The limit is below `MAX_BYTES` for formats whose numbers take many times their size
        in memory.
    """

    name: str
    recognises: Callable[[bytes, Path], bool]
    extract: Callable[[Path], "xr.DataTree"]
    priority: int = SIGNATURE
    max_bytes: int = MAX_BYTES


@cache
def readers() -> Mapping[str, Reader]:
    """Return all readers by name, in the order in which they are tried.

    Raises
    ------
    ValueError
        If two readers have the same name.
    """
    package = importlib.import_module("relaxor.readers")
    names = [found.name for found in pkgutil.walk_packages(package.__path__, "relaxor.readers.") if not found.ispkg]
    modules = [module for module in map(importlib.import_module, names) if "recognises" in vars(module)]
    found = [_reader(module) for module in modules] + [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    ordered = {reader.name: reader for reader in sorted(found, key=lambda reader: (reader.priority, reader.name))}
    if len(ordered) < len(found):
        raise ValueError(f"two readers have the same name among {', '.join(sorted(reader.name for reader in found))}")
    return ordered


def plug_ins() -> list[str]:
    """Return the modules in which other packages offer a reader, sorted."""
    return sorted(entry.module for entry in entry_points(group=ENTRY_POINTS))


def _reader(module: ModuleType) -> Reader:
    name = module.__name__.rpartition(".")[2]
    priority, max_bytes = getattr(module, "PRIORITY", SIGNATURE), getattr(module, "MAX_BYTES", MAX_BYTES)
    return Reader(name, module.recognises, module.extract, priority, max_bytes)
