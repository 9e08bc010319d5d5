"""Names of variables, children and attributes, made from the words of a file."""

import itertools
import re
from collections.abc import Container, Hashable


def slug(text: str) -> str:
    """Return words in lower case, joined by underscores."""
    return re.sub(r"\W+", "_", text).strip("_").lower()


def snake(text: str) -> str:
    """Return the slug of words that may be written together, as in ``MeasuredTime``."""
    return slug(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text))


def safe(text: str, default: str) -> str:
    """Return a name that every file format accepts for a group; what has no such character gets the default."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", text).strip("_.") or default


def free(name: str, taken: Container[Hashable], default: str = "region") -> str:
    """Return a name that is not taken yet: a number is added to a name that repeats, and ``/`` is replaced."""
    stem = name.replace("/", "_").strip() or default
    names = (stem if number == 1 else f"{stem}_{number}" for number in itertools.count(1))
    return next(found for found in names if found not in taken)
