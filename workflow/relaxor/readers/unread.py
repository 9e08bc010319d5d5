"""Files that no reader reads: who wrote them, and what to do; or that they hold no measurement at all."""

import re
from pathlib import Path
from typing import NamedTuple

from relaxor.core.errors import NoDataError, ReadError
from relaxor.core.files import start_of

LOOKED_THROUGH = 1 << 18
"""Number of bytes in which a text is searched for numbers."""
FEWEST_ROWS = 3
"""A text with fewer rows of numbers is no table."""
NUMBER = re.compile(r"[-+]?(\d++(?:\.\d*+)?|\.\d++)([eEdD][-+]?\d+)?")


class Unread(NamedTuple):
    """A kind of file that is refused by name: what it is and what its owner can do."""

    place: int
    magic: bytes
    what: str
    way: str


AS_TEXT = "export it as text or CSV from the program that wrote it"
AS_GWY = "open it in Gwyddion and save it as .gwy"
PICTURE = "give the file that the instrument wrote, from which it was made"
KINDS = (
    Unread(0, b"\x93NUMPY", "a NumPy array, which no instrument writes", "give the file from which it was made"),
    Unread(0, b"\x89PNG\r\n", "a picture (PNG) without data", PICTURE),
    Unread(0, b"\xff\xd8\xff", "a picture (JPEG) without data", PICTURE),
    Unread(0, b"GIF8", "a picture (GIF) without data", PICTURE),
    Unread(0, b"%PDF", "a document (PDF) without data", PICTURE),
    Unread(0, b"CPYA ", "an Origin project", "export the worksheet as CSV"),
    Unread(0, b"CPYUA ", "an Origin project", "export the worksheet as CSV"),
    Unread(0, b"NGSNextGen", "a binary file of Horiba LabSpec", "save it as .xml or .txt in LabSpec"),
    Unread(0, b"\n\n\xfe\xfe", "a file of Bruker OPUS", "save it as JCAMP-DX in OPUS"),
    Unread(0, b"PEPE", "a binary spectrum of PerkinElmer", "save it as text or JCAMP-DX in Spectrum"),
    Unread(0, b"Spectral Data File", "a spectrum of Thermo OMNIC", "save it as .csv or JCAMP-DX in OMNIC"),
    Unread(0, b"\x01\xb0\x93\xff", "an image of NT-MDT", AS_GWY),
    Unread(0, b"ONTMATRX", "a file of Omicron MATRIX", AS_GWY),
    Unread(2, "STiMage".encode("utf-16-le"), "an image of RHK (SM4)", AS_GWY),
    Unread(
        0,
        b"\x30\x01\x00\x00",
        "a map of spectra of JEOL (.pts)",
        "export its maps (.map) or its spectrum",
    ),
    Unread(0, b"ZISRAWFILE", "an image of Zeiss ZEN (CZI)", "export it as TIFF in ZEN"),
    Unread(
        0, b"MATLAB 7.3 MAT-file", "a MATLAB file of version 7.3", "save it with '-v6', or export its numbers as text"
    ),
    Unread(0, b"MATLAB 5.0 MAT-file", "a MATLAB file of no known program", AS_TEXT),
    Unread(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file of no known program", AS_TEXT),
    Unread(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a compound file (OLE) of no known program", AS_TEXT),
    Unread(0, b"SQLite format 3\0", "a database (SQLite)", AS_TEXT),
)
"""Kinds of files by the bytes that stand at a place."""


def refusal(path: Path, head: bytes) -> ReadError:
    """Return the error of a file that no reader recognises: what it is, and what to do.

    Returns
    -------
    NoDataError
        For pictures, documents, scripts and texts without numbers.
    ReadError
        For all others.
    """
    for kind in KINDS:
        if head[kind.place : kind.place + len(kind.magic)] == kind.magic:
            error = NoDataError if kind.way == PICTURE else ReadError
            return error(path, f"is {kind.what}, which is not read: {kind.way}")
    if b"smua." in head or b"smub." in head:
        return NoDataError(path, "is a script for a Keithley SourceMeter (TSP), not data that it measured")
    start = f"format not recognised (starts with {head[:16]!r})"
    if _binary(head):
        return ReadError(path, f"{start}: a binary file of no known program; {AS_TEXT}")
    if _rows_of_numbers(start_of(path, LOOKED_THROUGH)) < FEWEST_ROWS:
        return NoDataError(path, "format not recognised: a text without a table of numbers")
    return ReadError(
        path,
        f"{start}; if it is a plain table, "
        "describe its columns under 'tables' in the configuration and name that description in the sheet",
    )


def _rows_of_numbers(content: bytes) -> int:
    """Count the lines of a text of which at least half of the words are numbers."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
    rows = 0
    for line in content.decode(encoding, errors="replace").splitlines():
        words = re.split(r"[\s,;|]+", line.strip())
        rows += 2 * sum(bool(NUMBER.fullmatch(word.strip("\"'"))) for word in words) >= len(words)
    return rows


def _binary(head: bytes) -> bool:
    """Return whether bytes are no text in any usual encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" for byte in head)
    return control > len(head) // 20
