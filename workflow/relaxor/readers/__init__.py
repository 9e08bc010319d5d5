"""Read any supported instrument file into one kind of tree.

A reader is a module of this package with two functions:

``recognises(head, path) -> bool``
    Decide from the first `HEAD_BYTES` bytes (and, for containers, a look inside). The extension never decides.
``extract(path) -> xarray.DataTree``
    Read the whole file. Its docstring is the schema of what it returns.

Heavy libraries are imported inside these functions: importing this package stays cheap.
"""

import hashlib
import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.errors import ReadError
from relaxor.readers.text_table import TableDescription

HEAD_BYTES = 4096
MAX_BYTES = 256 << 20
"""Larger files are refused before they are read: no measurement of these instruments comes near it."""
MAX_FORMAT_BYTES = {
    "cif": 16 << 20,
    "emsa": 8 << 20,
    "vamas": 16 << 20,
    "phi_spe": 32 << 20,
    "bruker_raw": 32 << 20,
    "witec_ascii": 64 << 20,
}
"""Less for formats whose numbers and headers take many times their size in memory; a job may use 1 GB."""

NOT_MISSED = ("lumispy", "numba")
"""Packages that rosettasciio says to be missing: the one is for classes that are not used, the other for speed."""

FORMATS: tuple[str, ...] = (
    "bruker_raw",
    "bruker_brml",
    "bruker_uxd",
    "panalytical_xrdml",
    "panalytical_csv",
    "rigaku_ras",
    "rigaku_rasx",
    "rigaku_dat",
    "philips_rd",
    "phi_spe",
    "vamas",
    "specs_xy",
    "specs_xml",
    "scienta_txt",
    "casaxps_txt",
    "aixacct",
    "emsa",
    "igor_ibw",
    "nanoscope",
    "gwyddion_gwy",
    "velox_emd",
    "berkeley_emd",
    "gatan_dm",
    "tia",
    "igor_pxp",
    "cif",
    "witec_ascii",
    "witec_wip",
    "witec_mat",
    "galactic_spc",
    "renishaw_wdf",
    "horiba_xml",
    "xray_spectra",
    "bruker_bcf",
    "phenom_elid",
    "microscope_tif",
    "keithley_4200",
    "keithley_4200_text",
    "keysight_b1500",
    "radiant_vision",
    "packed",
    "labelled_columns",
    "number_columns",
)
"""Readers in the order in which they are asked; the ones with the weakest signature come last."""


def read(path: str | Path, table: TableDescription | None = None) -> xr.DataTree:
    """Read an instrument file.

    Parameters
    ----------
    path
        The raw file. Its format is recognised by content.
    table
        How to read a text table that describes itself too little (see `TableDescription`).

    Returns
    -------
    xarray.DataTree
        One child a measured range, region, image or spectrum set, each with named dimensions and, on every
        variable, ``units`` (pint-readable) and ``long_name``. The root carries the attributes ``format``,
        ``raw_file``, ``raw_sha256``, ``reader``, ``instrument``, ``acquired`` (ISO 8601, where the file has it),
        ``header`` (the whole header as JSON) and, where something had to be passed over or looks wrong, ``warnings``
        (lines).

    Raises
    ------
    ReadError
        If the file is missing, empty, too large, of unknown format, or damaged.
    """
    path = Path(path)
    head = _head(path)
    name = "text_table" if table is not None else recognise(path, head)
    _refuse_larger(path, MAX_FORMAT_BYTES.get(name, MAX_BYTES))
    module = importlib.import_module(f"relaxor.readers.{name}")
    try:
        with _library_warnings() as messages:
            tree = module.extract(path, table) if table is not None else module.extract(path)
    except ReadError:
        raise
    except MemoryError as error:
        raise ReadError(path, f"needs more memory than there is to read as {name}") from error
    except Exception as error:
        # A library met bytes that it does not expect. Whatever it raises, the user needs the file and the format.
        raise ReadError(path, f"damaged or unsupported {name} file ({type(error).__name__}: {_line(error)})") from error
    _refuse_broken_axes(tree, path)
    if warnings := [*filter(None, [tree.attrs.get("warnings")]), *messages]:
        tree.attrs["warnings"] = "\n".join(warnings)
    tree.attrs |= {
        "format": name,
        "raw_file": path.name,
        "raw_sha256": sha256(path),
        "reader": f"relaxor.readers.{name}",
    }
    return tree


def recognise(path: Path, head: bytes | None = None) -> str:
    """Name the format of a file from its content.

    Raises
    ------
    ReadError
        If no reader recognises it.
    """
    head = _head(path) if head is None else head
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ReadError(path, "is a git-LFS pointer, not the file itself: fetch it with 'git lfs pull'")
    for name in FORMATS:
        if importlib.import_module(f"relaxor.readers.{name}").recognises(head, path):
            return name
    if head.startswith(b"\x93NUMPY"):
        raise ReadError(path, "is a NumPy array, which no instrument writes: name the file that it was made from")
    if b"smua." in head or b"smub." in head:
        raise ReadError(path, "is a script for a Keithley SourceMeter (TSP), not data that it measured")
    raise ReadError(
        path,
        f"format not recognised (starts with {head[:16]!r}); if it is a plain table, "
        "describe its columns under 'tables' in the configuration and name that description in the sheet",
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _head(path: Path) -> bytes:
    if not path.exists():
        raise ReadError(path, "no such file")
    if not path.is_file():
        raise ReadError(path, "is not a file")
    if path.stat().st_size == 0:
        raise ReadError(path, "is empty")
    _refuse_larger(path, MAX_BYTES)
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _refuse_larger(path: Path, limit: int) -> None:
    size = path.stat().st_size
    if size > limit:
        raise ReadError(path, f"is {size / 2**20:.0f} MiB; such files over {limit >> 20} MiB are refused")


class _Collected(logging.Handler):
    """Messages, kept instead of printed."""

    def __init__(self, level: int):
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split())
        if not any(package in text for package in NOT_MISSED):
            self.messages.append(text)


@contextmanager
def _library_warnings() -> Iterator[list[str]]:
    """Collect what rosettasciio warns of; it would print it."""
    import rsciio  # noqa: F401 - its import gives the logger a handler, which would print

    collected = _Collected(logging.WARNING)
    logger = logging.getLogger("rsciio")
    before, logger.handlers, propagate, logger.propagate = logger.handlers, [collected], logger.propagate, False
    try:
        yield collected.messages
    finally:
        logger.handlers, logger.propagate = before, propagate


def _refuse_broken_axes(tree: xr.DataTree, path: Path) -> None:
    """Refuse axes that are not finite numbers: whatever is read along them would be nonsense."""
    for name, child in tree.children.items():
        for axis, values in child.coords.items():
            bad = np.flatnonzero(~np.isfinite(values.values)) if values.dtype.kind == "f" else np.empty(0, int)
            if bad.size:
                problem = f"{bad.size} of {values.size} values of the axis {axis} are not finite numbers"
                raise ReadError(path, problem, f"{name}, value {bad[0] + 1}")


def _line(error: Exception) -> str:
    """Return the message of any library as one line of bearable length."""
    return " ".join(str(error).split())[:300]
