"""Work that is shared between the cores of a job, without an effect on the order or the bytes of the results."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
LONGEST = 16
"""Most items of which a process keeps the results until it returns them."""
_cores: ContextVar[int] = ContextVar("cores", default=1)


@contextmanager
def cores(number: int) -> Iterator[None]:
    """Allow `ordered_map` to use this many cores inside the block."""
    token = _cores.set(number)
    try:
        yield
    finally:
        _cores.reset(token)


def ordered_map(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield ``function(item)`` of each item, computed on the cores of the job.

    Parameters
    ----------
    function
        A picklable function; errors that it raises are raised here.
    items
        Picklable arguments.
    """
    workers = min(_cores.get(), len(items))
    # If processes cannot be forked, they start by running the script of the job again.
    if workers < 2 or sys.platform != "linux":
        yield from map(function, items)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(function, items, chunksize=min(-(-len(items) // (4 * workers)), LONGEST))
