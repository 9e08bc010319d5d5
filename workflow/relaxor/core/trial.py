"""Trials, which ask whether an analysis accepts its files: a few of many parts that are alike answer that."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FEW = 20
"""Number of parts alike, such as the spectra of a map, that a trial analyses."""
_trying: ContextVar[bool] = ContextVar("trying", default=False)


@contextmanager
def trying() -> Iterator[None]:
    """Make every analysis inside the block a trial."""
    token = _trying.set(True)
    try:
        yield
    finally:
        _trying.reset(token)


def analysed_parts() -> int | None:
    """Return how many of many parts that are alike are analysed: `FEW` in a trial, otherwise all (None)."""
    return FEW if _trying.get() else None
