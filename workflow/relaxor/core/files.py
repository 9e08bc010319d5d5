"""Files that are written completely or not at all, and the first bytes of a file."""

import errno
from dataclasses import dataclass, field
from pathlib import Path

from relaxor.core.errors import DiskError

DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of the operating system that concern the disk and not the program."""


@dataclass
class atomic:  # noqa: N801 - used as a statement: with atomic(path) as temporary
    """Write to a temporary file and rename it at the end, so that an interrupted run leaves the old file or none.

    Raises
    ------
    DiskError
        If the disk is full or not writable.
    """

    path: Path | str
    temporary: Path = field(init=False)

    def __enter__(self) -> Path:
        target = Path(self.path)
        self.temporary = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refusal(error) from error
        return self.temporary

    def __exit__(self, kind: object, error: object, _: object) -> None:
        if kind is None:
            self.temporary.replace(self.path)
            return
        self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in DISK:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> DiskError:
        place = self.path if error.filename in (None, str(self.temporary)) else error.filename
        return DiskError(f"{place}: {error.strerror}")


def write_whole(path: Path | str, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, by `atomic`."""
    with atomic(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def start_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, at most ``size`` of them."""
    with path.open("rb") as stream:
        return stream.read(size)
