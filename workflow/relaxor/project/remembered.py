"""Answers that are stored between runs, as long as nothing that determines them changes."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from relaxor.core.errors import DiskError
from relaxor.core.files import write_whole

MOST = 200_000
"""Number of answers that are kept, of the present and of earlier sheets and files."""
Answered = Callable[[Any, Callable[[], Any]], Any]
"""A function of a question, with all that determines its answer, and of what finds the answer; both are plain data."""


@contextlib.contextmanager
def remembered(store: Path) -> Iterator[Answered]:
    """Yield a function that gives the answer of an earlier run, or else finds it.

    At the end, also if an error ends the block, the answers are stored: those that were asked for, and up to `MOST` in
    all of those that were not. A folder that cannot be written, or a store that cannot be read, only means that they
    are found again.

    Parameters
    ----------
    store
        A JSON file.
    """
    try:
        before = dict(json.loads(store.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        before = {}
    now: dict[str, Any] = {}

    def answer(question: Any, find: Callable[[], Any]) -> Any:
        key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        now[key] = before[key] if key in before else find()
        return now[key]

    try:
        yield answer
    finally:
        if not now.keys() <= before.keys():
            earlier = {key: found for key, found in before.items() if key not in now}
            kept = list((earlier | now).items())[-MOST:]
            with contextlib.suppress(DiskError):
                write_whole(store, json.dumps(dict(kept)))


def state_of(path: Path) -> list[int]:
    """Return what changes with the content of a file: its size, and its times of modification and of change.

    The time of change cannot be set, so that a changed content is noticed whatever time a file bears.
    """
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
