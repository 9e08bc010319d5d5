"""What instruments write as text: encodings, lines, entries, numbers, units, dates, and words that become names."""

import itertools
import math
import re
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, overload

import numpy as np

from relaxor.core.errors import ReadError

QUANTIZATION = "last digit written"
"""What the uncertainty of `digits_uncertainty` is called."""
ALL_DIGITS = 15
"""A number with as many digits has all that the program had: its last digit says nothing about the measurement."""
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
EARLIEST = "1970-01-01"
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
HANZI = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe]){2,}")
"""Two Chinese characters after one another in the code page GBK."""


def decoded(content: bytes, fallback: str = "cp1252") -> str:
    """Decode text by its byte-order mark, otherwise as UTF-8, otherwise in the code page of the instrument.

    UTF-16 without a mark is told by the zero bytes between its letters, and GBK by Chinese characters that stand side
    by side, where a Western code page has single signs such as ``µ`` or ``°`` between ASCII letters.
    """
    return content.decode(encoding_of(content, fallback), "replace")


def encoding_of(content: bytes, fallback: str = "cp1252") -> str:
    """Return the encoding of a text or of its beginning, see `decoded`."""
    for mark, encoding in ENCODINGS.items():
        if content.startswith(mark):
            return encoding
    start = content[:512]
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) >= 8 and not any(start[place::2]) and all(start[1 - place :: 2]):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        chinese = HANZI.search(content) and not re.search(rb"[\x80-\xff]", HANZI.sub(b"", content))
        return "gb18030" if chinese else fallback
    return "utf-8"


def text_of(path: Path, fallback: str = "cp1252") -> str:
    """Return the text of a file, see `decoded`."""
    return decoded(path.read_bytes(), fallback)


def lines_of(path: Path, fallback: str = "cp1252") -> list[str]:
    """Return the lines of a file, see `split_lines`."""
    return split_lines(text_of(path, fallback))


def split_lines(text: str) -> list[str]:
    """Return lines, whichever system wrote their ends; other separators of text are left alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class Lines(Sequence[str]):
    """The lines of a text, see `split_lines`, made when they are asked for: a tenth of the memory of a list of them."""

    def __init__(self, text: str):
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        characters = np.frombuffer(self.text.encode("utf-32-le"), "<u4")
        self.ends = np.append(np.flatnonzero(characters == ord("\n")), len(self.text))

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return a line, or the list of some that follow one another."""
        if not isinstance(place, slice):
            number = range(len(self))[place]
            return self[number : number + 1][0]
        first, last, _ = place.indices(len(self))
        begin = self.ends[first - 1] + 1 if first else 0
        return self.text[begin : self.ends[last - 1]].split("\n") if first < last else []


def head_lines(head: bytes) -> list[str]:
    """Return the lines that the first bytes of a file hold, of which the last may be cut; none if it is not text."""
    text = decoded(head)
    return [] if "\0" in text else text.splitlines()


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


def collected(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return keys and values as a dictionary; a key that repeats holds a list."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


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


def iso(text: str, *layouts: str) -> str | None:
    """Return a date as ISO 8601, or None where it has none of the layouts.

    Parameters
    ----------
    text
        The date as the file has it.
    layouts
        Layouts as `datetime.strptime` takes them, the first that fits counts; without any, ISO 8601 is expected.
    """
    for layout in layouts or ("",):
        try:
            return (datetime.strptime(text, layout) if layout else datetime.fromisoformat(text)).isoformat()
        except ValueError:
            continue
    return None


def iso_day(text: str, *layouts: str) -> str | None:
    """Return a date without time as ISO 8601, or None if it has none of the layouts."""
    moment = iso(text, *layouts)
    return moment and moment[:10]


def possible_date(moment: str) -> bool:
    """Return whether a date in ISO 8601 lies between 1970 and tomorrow; what is no such date is not judged."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    return not ISO_DAY.match(moment) or EARLIEST <= moment[:10] <= tomorrow


def unix_date(seconds: object) -> str | None:
    """Return a Unix time as ISO 8601 in UTC, or None if the instrument left it at zero."""
    try:
        moment = float(str(seconds))
    except ValueError:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment > 0 else None


def library_date(general: Mapping[str, str]) -> str | None:
    """Return date and time of the general metadata of rosettasciio, or None if there is none."""
    return iso(f"{general.get('date')}T{general.get('time')}")


def slug(text: str) -> str:
    """Return words in lower case, joined by underscores."""
    return re.sub(r"\W+", "_", text).strip("_").lower()


def snake(text: str) -> str:
    """Return the slug of words that may be written together, as in ``MeasuredTime``."""
    return slug(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text))


def safe(text: str, default: str) -> str:
    """Return a name that every file format accepts for a group; names without allowed characters become the default."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", text).strip("_.") or default


def free(name: str, taken: Container[Hashable], default: str = "region") -> str:
    """Return a name that is not taken yet: a number is added to a name that repeats, and ``/`` is replaced."""
    stem = name.replace("/", "_").strip() or default
    names = (stem if number == 1 else f"{stem}_{number}" for number in itertools.count(1))
    return next(found for found in names if found not in taken)


def significant(mantissa: str) -> int:
    """Return the number of digits of a number from its first one that is not zero."""
    return len(re.sub(r"\D", "", mantissa).lstrip("0"))


def digits_uncertainty(values: np.ndarray, decimals: int, exponential: bool) -> np.ndarray:
    """Return the standard uncertainty of rounding to the last digit written: one unit of that digit over √12.

    Numbers written with `ALL_DIGITS` digits or more were not rounded; see `significant`.

    Parameters
    ----------
    values
        The numbers.
    decimals
        Number of digits after the decimal sign.
    exponential
        Whether the numbers are written as mantissa and exponent, so that the last digit scales with the number.
    """
    last = np.full(values.shape, 10.0**-decimals)
    if exponential:
        size = np.abs(values)
        finite = {"where": np.isfinite(size), "out": np.zeros_like(size)}
        last *= 10.0 ** np.floor(np.log10(np.where(size > 0, size, 1.0), **finite))
    return last / math.sqrt(12)
