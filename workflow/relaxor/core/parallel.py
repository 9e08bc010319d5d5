"""Work shared between the cores that a job was given; the order of the results, and so their bytes, never changes."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_cores: ContextVar[int] = ContextVar("cores", default=1)


@contextmanager
def cores(number: int) -> Iterator[None]:
    """Let `ordered_map` use this many cores inside the block."""
    token = _cores.set(number)
    try:
        yield
    finally:
        _cores.reset(token)


def ordered_map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed on the cores that the job has.

    Parameters
    ----------
    function
        Picklable; whatever it raises is raised here.
    items
        Picklable.
    """
    workers = min(_cores.get(), len(items))
    # Where processes cannot be forked they start by running the job's script once more.
    if workers < 2 or sys.platform != "linux":
        return [function(item) for item in items]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        return list(pool.map(function, items, chunksize=-(-len(items) // (4 * workers))))
