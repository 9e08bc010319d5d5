"""EMNIST letters in idx files: big-endian header, one byte per value, images transposed, labels from 1.

========  =================================================================
bytes     content
========  =================================================================
0 … 1     zero
2         kind of the values: 8 = unsigned byte
3         number of dimensions: 1 labels, 3 images
4 …       length of each dimension, four bytes each
then      values, last dimension fastest
========  =================================================================
"""

import gzip
import hashlib
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

from relaxor.core.errors import ReadError
from relaxor.inpainting.images import CLASSES, SIDE

PARTS = ("train", "test")
KINDS = {"images": 3, "labels": 1}
"""Number of dimensions of each kind of file."""
NAMES = {
    (part, kind): f"emnist-letters-{part}-{kind}-idx{dimensions}-ubyte.gz"
    for part in PARTS
    for kind, dimensions in KINDS.items()
}
"""Part and kind → name of the file of letters in the archive of NIST."""
FOLDER_VARIABLE = "RELAXOR_EMNIST"
"""Environment variable that names the folder of the EMNIST files."""
MAX_ITEMS = 1_000_000
"""More images than EMNIST has in all of its splits are refused before memory is allocated."""
CHUNK = 1 << 20
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Split:
    """The images of one part.

    Attributes
    ----------
    images
        uint8, shape (n, 28, 28), upright, ink = 255.
    labels
        0 = A … 25 = Z, shape (n,).
    sha256
        ``images`` and ``labels`` → hash of the unpacked file.
    """

    images: np.ndarray
    labels: np.ndarray
    sha256: dict[str, str]


def letter_files(source: Literal["auto", "emnist", "drawn"], folder: str) -> list[str]:
    """Return the EMNIST files to use, for `relaxor.inpainting.letters.prepare_letters`; none where letters are drawn.

    Parameters
    ----------
    source
        See `relaxor.inpainting.settings.LetterSource`.
    folder
        Holds ``*train*images*idx3*``, ``*train*labels*idx1*`` and the same of ``test``, each packed with gzip or not.
        The environment variable ``RELAXOR_EMNIST`` names another one.

    Raises
    ------
    ReadError
        If some of the four are missing or there twice; if EMNIST is asked for and not there.
    """
    place = Path(os.environ.get(FOLDER_VARIABLE, folder))
    if source == "drawn":
        return []
    files = find_files(place)
    if source == "emnist" and not files:
        raise ReadError(place, "holds no EMNIST letters; 'snakemake fetch_emnist' downloads them (536 MiB)")
    return [str(files[part, kind]) for part in PARTS for kind in KINDS] if files else []


def find_files(folder: Path) -> dict[tuple[str, str], Path]:
    """Find the files of letters in a folder.

    Returns
    -------
    dict
        (``train`` or ``test``, ``images`` or ``labels``) → file, packed or not; empty if there is none.

    Raises
    ------
    ReadError
        If some of the four are missing, or one is there twice.
    """
    found: dict[tuple[str, str], Path] = {}
    missing = []
    for part in PARTS:
        for kind, dimensions in KINDS.items():
            matching = _named(folder, f"*{part}*{kind}*idx{dimensions}*")
            if len(matching) > 1:
                names = ", ".join(path.name for path in matching)
                raise ReadError(folder, f"holds {len(matching)} files of {part} {kind} ({names}): keep only one")
            if matching:
                found[part, kind] = matching[0]
            else:
                missing.append(f"*{part}-{kind}-idx{dimensions}-ubyte[.gz]")
    if found and missing:
        raise ReadError(folder, f"holds {', '.join(path.name for path in found.values())}, but no {', '.join(missing)}")
    return found


def read_split(images: Path, labels: Path) -> Split:
    """Read the images and labels of one part.

    Raises
    ------
    ReadError
        If a file is damaged, is not what its name says, or the two do not belong together.
    """
    pixels, images_hash = _read(images, "images")
    numbers, labels_hash = _read(labels, "labels")
    if pixels.shape[1:] != (SIDE, SIDE):
        raise ReadError(images, f"images of {pixels.shape[1]} × {pixels.shape[2]} pixels; {SIDE} × {SIDE} needed")
    if len(pixels) != len(numbers):
        raise ReadError(labels, f"{len(numbers)} labels for the {len(pixels)} images of {images.name}")
    _refuse_other_labels(labels, numbers)
    return Split(
        pixels.transpose(0, 2, 1), numbers.astype(np.int64) - 1, {"images": images_hash, "labels": labels_hash}
    )


def _named(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a pattern; of those of several splits, as NIST's archive holds them, the letters."""
    paths = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    letters = [path for path in paths if "letters" in path.name]
    return letters or paths


def _refuse_other_labels(path: Path, labels: np.ndarray) -> None:
    low, high = int(labels.min()), int(labels.max())
    if high <= 9:
        raise ReadError(path, f"labels {low} to {high}: these are digits; the letters of EMNIST have 1 to {CLASSES}")
    if low < 1 or high > CLASSES:
        first = int(np.flatnonzero((labels < 1) | (labels > CLASSES))[0])
        problem = f"label {labels[first]}; the letters of EMNIST have 1 to {CLASSES} (is it another split?)"
        raise ReadError(path, problem, f"label {first + 1}")


def _read(path: Path, kind: str) -> tuple[np.ndarray, str]:
    """Read one idx file into an array of bytes, and hash what was unpacked; memory is that of the array."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP
        with gzip.open(path) if packed else path.open("rb") as stream:
            return _values(stream, path, kind)
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(path, f"cannot be read: {error}") from error


def _values(stream: gzip.GzipFile | IO[bytes], path: Path, kind: str) -> tuple[np.ndarray, str]:
    head = stream.read(4)
    dimensions = KINDS[kind]
    if head[:3] != b"\x00\x00\x08" or head[3:] not in (b"\x01", b"\x03"):
        raise ReadError(path, f"is no idx file of bytes (starts with {head!r})", "byte 0")
    if head[3] != dimensions:
        other = next(name for name, number in KINDS.items() if number == head[3])
        raise ReadError(path, f"holds {other}, not {kind}: are the two files swapped?", "byte 3")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise ReadError(path, "ends in its header")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if not 0 < shape[0] <= MAX_ITEMS or any(not 0 < length <= 1024 for length in shape[1:]):
        raise ReadError(path, f"announces {' × '.join(map(str, shape))} values, which is refused", "byte 4")
    # The array grows with what is there: a header can announce anything.
    digest = hashlib.sha256(head + sizes)
    expected = int(np.prod(shape, dtype=np.int64))
    values = bytearray()
    while chunk := stream.read(min(CHUNK, expected + 1 - len(values))):
        digest.update(chunk)
        values += chunk
    if len(values) != expected:
        found = f"only {len(values)}" if len(values) < expected else "more"
        raise ReadError(path, f"header announces {' × '.join(map(str, shape))} = {expected} bytes, {found} follow")
    return np.frombuffer(values, np.uint8).reshape(shape), digest.hexdigest()
