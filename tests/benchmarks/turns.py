"""Runs in turns, so that a busy machine slows all alike."""

import os
import statistics
import time
from collections.abc import Callable, Mapping

THREADS = int(os.environ.get("NPROC", os.cpu_count() or 1))
"""Of JAX; peers get as many."""


def medians(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each case; a first round, which compiles, does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, call in cases.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(found[1:]) for name, found in seconds.items()}
