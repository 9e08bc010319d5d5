"""How large a file may be: as its format says, or as the settings allow instead."""

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path

from relaxor.core.errors import ReadError, SheetError, nearest

_allowed: ContextVar[Mapping[str, int]] = ContextVar("allowed")
_limit: ContextVar[int] = ContextVar("limit", default=0)


def allow_sizes(limits: Mapping[str, int], formats: Mapping[str, object]) -> None:
    """Allow files of other sizes from now on.

    Parameters
    ----------
    limits
        Format → MiB.
    formats
        Names of all formats.

    Raises
    ------
    SheetError
        If there is no such format.
    """
    if unknown := next((name for name in limits if name not in formats), None):
        raise SheetError(f"size_limits: no format is called '{unknown}'{nearest(unknown, formats)}")
    _allowed.set(dict(limits))


def require_size(path: Path, name: str, limit: int) -> None:
    """Refuse a file that is larger than its format allows.

    Raises
    ------
    ReadError
        If it is; the message says what to set.
    """
    limit = _allowed.get({}).get(name, limit >> 20) << 20
    _limit.set(limit)
    size = path.stat().st_size
    if size > limit:
        raise ReadError(
            path,
            f"is {size / 2**20:.0f} MiB; files of the format {name} over {limit >> 20} MiB are refused. To read it, "
            f"set 'size_limits: {{{name}: {-(-size // 2**20)}}}' (MiB), if the memory allows",
        )


def most_bytes(otherwise: int) -> int:
    """Return the most bytes of numbers that the file which is being read may announce."""
    return max(_limit.get(), otherwise)
