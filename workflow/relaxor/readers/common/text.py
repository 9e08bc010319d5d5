"""Text files of instruments: encodings, lines, entries and numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from relaxor.core.errors import ReadError

ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def decoded(content: bytes, fallback: str = "cp1252") -> str:
    """Return text as its byte-order mark says, else as UTF-8, else in the code page of the instrument."""
    for mark, encoding in ENCODINGS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(fallback, "replace")


def text_of(path: Path, fallback: str = "cp1252") -> str:
    """Return the text of a file, see `decoded`."""
    return decoded(path.read_bytes(), fallback)


def lines_of(path: Path, fallback: str = "cp1252") -> list[str]:
    """Return the lines of a file, whichever system wrote their ends; other separators of text are left alone."""
    return text_of(path, fallback).replace("\r\n", "\n").replace("\r", "\n").split("\n")


def head_lines(head: bytes) -> list[str]:
    """Return the lines that the first bytes of a file hold, of which the last may be cut; none if it is no text."""
    return [] if b"\0" in head else head.decode("utf-8-sig", "replace").splitlines()


def c_text(raw: bytes) -> str:
    """Return text of a fixed field: Latin-1, up to its first zero byte, without blanks at its ends."""
    return raw.split(b"\0")[0].decode("latin-1").strip()


def entries(lines: Sequence[str], separator: str) -> dict[str, str]:
    """Return ``key<separator>value`` lines as a dictionary; of a key that repeats the first value is kept."""
    found: dict[str, str] = {}
    for line in lines:
        key, mark, value = line.partition(separator)
        if mark and key.strip():
            found.setdefault(key.strip(), value.strip())
    return found


def number(text: str) -> float | None:
    """Return the number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def first_number(text: str) -> float | None:
    """Return the number that a text begins with, or None."""
    return number(text.split()[0]) if text.strip() else None


def numbers(words: Sequence[str], path: Path, place: str) -> np.ndarray:
    """Convert words to numbers, shape (n,); NaN is accepted.

    Raises
    ------
    ReadError
        If a word is no number, or a number that is too large.
    """
    try:
        values = np.array(words, dtype=float)
    except ValueError:
        wrong = next((index for index, word in enumerate(words) if number(word) is None), 0)
        raise ReadError(path, f"'{words[wrong][:40]}' is not a number (value {wrong + 1})", place) from None
    if (endless := np.isinf(values)).any():
        raise ReadError(path, f"'{words[int(np.argmax(endless))][:40]}' is too large a number", place)
    return values
