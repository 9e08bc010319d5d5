"""Text files of instruments: their encoding, and numbers with the place of the first that is none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from relaxor.core.errors import ReadError

ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def text_of(path: Path, fallback: str = "cp1252") -> str:
    """Return the text of a file: as its byte-order mark says, else UTF-8, else in the code page of the instrument."""
    content = path.read_bytes()
    for mark, encoding in ENCODINGS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(fallback, "replace")


def numbers(words: Sequence[str], path: Path, place: str) -> np.ndarray:
    """Convert words to numbers, shape (n,); NaN is one.

    Raises
    ------
    ReadError
        If a word is no number, or one too large.
    """
    try:
        values = np.array(words, dtype=float)
        if not (endless := np.isinf(values)).any():
            return values
        raise ReadError(path, f"'{words[int(np.argmax(endless))][:40]}' is too large a number", place)
    except ValueError:
        for index, word in enumerate(words):
            try:
                float(word)
            except ValueError:
                raise ReadError(path, f"'{word[:40]}' is not a number (value {index + 1})", place) from None
        raise
