"""Work that is shared between the cores of a job, without an effect on the order or the bytes of the results."""

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
LONGEST, WAITING = 16, 4
"""Most items that a process takes at once, and batches per process that are under way: all else stays in its source."""
FILES_PER_CORE = 50
"""So many small files take as long as a process needs to start."""
_cores: ContextVar[int] = ContextVar("cores", default=1)


@contextmanager
def cores(number: int) -> Iterator[None]:
    """Allow `ordered_map` to use this many cores inside the block."""
    token = _cores.set(number)
    try:
        yield
    finally:
        _cores.reset(token)


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield ``function(item)`` of each item, computed on the cores of the job.

    Only a few items and results are held at a time.

    Parameters
    ----------
    function
        A picklable function; errors that it raises are raised here.
    items
        Picklable arguments.
    """
    source = iter(items)
    first = list(islice(source, WAITING * LONGEST * _cores.get()))
    workers = min(_cores.get(), len(first))
    source = chain(first, source)
    # If processes cannot be forked, they start by running the script of the job again.
    if workers < 2 or sys.platform != "linux":
        yield from map(function, source)
        return
    size = -(-len(first) // (WAITING * workers))
    waiting: deque[Future[list[Result]]] = deque()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))
    try:
        while batch := list(islice(source, size)):
            waiting.append(pool.submit(_each, function, batch))
            if len(waiting) == WAITING * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]
