"""Read any supported instrument file into one kind of tree."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relaxor.core.checksums import sha256
from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.lazy import lazy
from relaxor.readers.common.sizes import require_size
from relaxor.readers.registry import readers
from relaxor.readers.tables.description import TableDescription
from relaxor.readers.unread import refusal

if TYPE_CHECKING:
    import xarray as xr

HEAD_BYTES = 4096
"""Number of bytes from which most formats are recognised."""
NOT_MISSED = ("lumispy", "numba")
"""Packages that rosettasciio reports as missing: the first is for classes that are not used, the second for speed."""
_described = lazy("relaxor.readers.tables.text_table", "reader")
_named = lazy("relaxor.readers.tables.columns", "named")


def read(path: str | Path, table: TableDescription | str | None = None) -> "xr.DataTree":
    """Read an instrument file.

    Parameters
    ----------
    path
        The raw file. Its format is recognised by content.
    table
        How to read a text table that does not say what its columns are: a `TableDescription`, or the names and units
        of its columns, as in ``"two_theta (degree), intensity (count)"``.

    Returns
    -------
    xarray.DataTree
        There is one child per measured range, region, image or set of spectra. It has named dimensions, and all of its
        variables have ``units`` (as pint reads them) and a ``long_name``. The root has the attributes ``format``,
        ``raw_file``, ``raw_sha256``, ``reader``, ``instrument``, ``acquired`` (ISO 8601, where the file gives it) and
        ``header`` (the whole header as JSON). Where something was passed over or looks wrong, it has ``warnings`` (one
        per line).

    Raises
    ------
    ReadError
        If the file is missing, empty, too large, of an unknown format, or damaged.
    """
    path = Path(path)
    head = _head(path)
    if table is None:
        reader = readers()[recognise(path, head)]
    else:
        reader = _named(table) if isinstance(table, str) else _described(table)
    name = reader.name
    require_size(path, name, reader.max_bytes)
    try:
        with _library_warnings() as messages:
            tree = reader.extract(path)
    except ReadError:
        raise
    except MemoryError as error:
        raise ReadError(path, f"needs more memory than is available to read as {name}") from error
    except Exception as error:
        # A library met bytes that it does not expect. Whatever it raises, the message must name file and format.
        raise ReadError(path, f"damaged or unsupported {name} file ({type(error).__name__}: {_line(error)})") from error
    _refuse_broken_axes(tree, path)
    if warnings := [*filter(None, [tree.attrs.get("warnings")]), *messages]:
        tree.attrs["warnings"] = "\n".join(warnings)
    tree.attrs |= {
        "format": name,
        "raw_file": path.name,
        "raw_sha256": sha256(path),
        "reader": reader.extract.__module__,
    }
    _show_nul(tree)
    return tree


def recognise(path: Path, head: bytes | None = None) -> str:
    """Return the name of the format of a file, from its content.

    Raises
    ------
    ReadError
        If no reader recognises the file.
    """
    head = _head(path) if head is None else head
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ReadError(path, "is a git-LFS pointer, not the file itself: fetch it with 'git lfs pull'")
    for reader in readers().values():
        if reader.recognises(head, path):
            return reader.name
    raise refusal(path, head)


def _head(path: Path) -> bytes:
    if not path.exists():
        raise ReadError(path, "no such file")
    if not path.is_file():
        raise ReadError(path, "is not a file")
    if path.stat().st_size == 0:
        raise ReadError(path, "is empty")
    return start_of(path, HEAD_BYTES)


class _Collected(logging.Handler):
    """A handler that keeps messages instead of printing them."""

    def __init__(self, level: int):
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split())
        if not any(package in text for package in NOT_MISSED):
            self.messages.append(text)


@contextmanager
def _library_warnings() -> Iterator[list[str]]:
    """Collect the warnings of rosettasciio, which would print them."""
    import rsciio  # noqa: F401 - the import gives the logger a handler that prints

    collected = _Collected(logging.WARNING)
    logger = logging.getLogger("rsciio")
    before, logger.handlers, propagate, logger.propagate = logger.handlers, [collected], logger.propagate, False
    try:
        yield collected.messages
    finally:
        logger.handlers, logger.propagate = before, propagate


def _show_nul(tree: "xr.DataTree") -> None:
    """Replace the character NUL in texts by a visible sign: no file of results can hold it."""
    for node in tree.subtree:
        for attrs in (node.attrs, *(variable.attrs for variable in node.variables.values())):
            for name, value in attrs.items():
                if isinstance(value, str) and "\0" in value:
                    attrs[name] = value.replace("\0", "\N{SYMBOL FOR NULL}")


def _refuse_broken_axes(tree: "xr.DataTree", path: Path) -> None:
    """Refuse axes with values that are not finite numbers."""
    import numpy as np

    for name, child in tree.children.items():
        for axis, values in child.coords.items():
            bad = np.flatnonzero(~np.isfinite(values.values)) if values.dtype.kind == "f" else np.empty(0, int)
            if bad.size:
                problem = f"{bad.size} of {values.size} values of the axis {axis} are not finite numbers"
                raise ReadError(path, problem, f"{name}, value {bad[0] + 1}")


def _line(error: Exception) -> str:
    """Return the message of any library as one line of at most 300 characters."""
    return " ".join(str(error).split())[:300]
