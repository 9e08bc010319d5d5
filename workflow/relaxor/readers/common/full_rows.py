"""Tables of nothing but full rows, which pandas parses many times faster than cells one by one."""

import csv
from collections.abc import Collection, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import maximum_filter1d

from relaxor.readers.common.cells import BLANK, MISSING, Form
from relaxor.readers.common.schema import MAX_POINTS
from relaxor.stats.noise import MAD_TO_SIGMA

PART = 1 << 16
"""Bytes of a file that are read at once."""
MOST_CELLS = 1 << 20
"""Number of cells that are parsed together."""
MEAN_CELLS = MAX_POINTS // 8
"""Number of cells to which a longer trace is averaged."""
STEP_TOLERANCE = 0.5
"""Relative deviation of a step of time from the usual one that rounding of the times may make."""
LARGEST = 1e37
"""Above it, numbers are what instruments write for an overflow."""
STANDS_OUT = 8.0
"""Standard deviations by which one of 10⁸ samples does not stand out by chance."""
MISSING_WORDS = MISSING | {word.upper() for word in MISSING} | {word.title() for word in MISSING} | {"NaN", "-NaN"}
"""Words that stand for a number that is not there, as people write them."""


class Means(NamedTuple):
    """Means of neighbouring rows, shape (blocks, columns), the rows of each, and how many are left at the end."""

    values: np.ndarray
    rows: int
    rest: int


def full_rows(
    source: Path | StringIO,
    form: Form,
    width: int,
    skip: int = 0,
    encoding: str = "utf-8",
    missing: Collection[str] = (),
) -> np.ndarray | None:
    """Return rows of numbers; None if a cell is no finite number and not missing, or a row is longer than the others.

    A short row of a table in which words may be missing is filled with NaN.
    """
    lines = _line_count(source)
    found = np.empty((min(lines, MAX_POINTS // width), width), order="F")  # takes memory only where it is filled
    rows = 0
    try:
        for values in _parts(source, form, width, skip, encoding, missing, max(MOST_CELLS // width, 1)):
            if rows + len(values) > len(found):
                return None
            found[rows : rows + len(values)] = values
            rows += len(values)
    except (ValueError, OverflowError):  # what pandas raises for rows and cells of another kind
        return None
    return found[:rows] if rows else None


def mean_rows(path: Path, form: Form, width: int, skip: int, encoding: str = "utf-8") -> Means | None:
    """Average as many neighbouring rows as make a long trace short enough.

    Returns
    -------
    Means
        None if the table is not too large, if a cell is no finite number or an overflow, if the first column does not
        rise in equal steps, so that neighbours are no samples of one trace, or if something in the trace is shorter
        than what would be averaged, see `_resolved`.
    """
    rows = _line_count(path) - skip
    if rows * width <= MAX_POINTS:
        return None
    count = -(-rows * width // MEAN_CELLS)
    kept: list[tuple[np.ndarray, ...]] = []
    noise = np.zeros(width)
    usual = last = None
    rest = 0
    try:
        for values in _parts(path, form, width, skip, encoding, (), max(MOST_CELLS // width // count, 1) * count):
            steps = np.diff(values[:, 0], prepend=values[:1, 0] if last is None else last)[last is None :]
            usual = np.median(steps) if usual is None else usual
            steady = usual > 0 and np.allclose(steps, usual, rtol=STEP_TOLERANCE, atol=0)
            if not steady or np.abs(values).max() > LARGEST:
                return None
            last = values[-1:, 0]
            noise = np.maximum(noise, MAD_TO_SIGMA / np.sqrt(2) * np.median(np.abs(np.diff(values, axis=0)), axis=0))
            rest = len(values) % count
            blocks = values[: len(values) - rest].reshape(-1, count, width)
            kept.append((blocks.mean(axis=1), blocks.max(axis=1), blocks.min(axis=1)))
    except (ValueError, OverflowError):
        return None
    means, highest, lowest = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    if not (_resolved(means, highest, noise) and _resolved(-means, -lowest, noise)):
        return None
    return Means(np.asfortranarray(means), count, rest)


def _resolved(means: np.ndarray, highest: np.ndarray, noise: np.ndarray) -> bool:
    """Return whether no sample stands out of the means of its block and of those beside it by more than noise.

    What is smaller than a thousandth of the range of its column, such as a step of a converter, may stand out.
    """
    around = maximum_filter1d(means[:, 1:], 3, axis=0, mode="nearest")
    allowed = STANDS_OUT * noise[1:] + 1e-3 * np.ptp(means[:, 1:], axis=0)
    return bool((highest[:, 1:] - around <= allowed).all())


def _line_count(source: Path | StringIO) -> int:
    """Return the number of lines, or one more."""
    if isinstance(source, StringIO):
        return source.getvalue().count("\n") + 1
    for end in (b"\n", b"\r"):
        with source.open("rb") as stream:
            if count := sum(part.count(end) for part in iter(lambda: stream.read(PART), b"")):
                return count + 1
    return 1


def _parts(
    source: Path | StringIO, form: Form, width: int, skip: int, encoding: str, missing: Collection[str], rows: int
) -> Iterator[np.ndarray]:
    """Yield so many rows of a table at a time.

    Raises
    ------
    ValueError, OverflowError
        If a cell is no finite number and not missing, or a row is longer than the others.
    """
    separator = r"\s+" if form.separator == BLANK else form.separator
    read = pd.read_csv(
        source, sep=separator, decimal=form.decimal, header=None, skiprows=skip, dtype=float, encoding=encoding,
        quoting=csv.QUOTE_NONE, keep_default_na=False, na_values=list(missing), chunksize=rows,
    )  # fmt: skip
    with read:
        for chunk in read:
            values = chunk.to_numpy()
            if values.shape[1] != width or (np.isinf(values) if missing else ~np.isfinite(values)).any():
                raise ValueError("not all cells are finite numbers")
            yield values


def has_all_cells(path: Path, form: Form, values: np.ndarray, above: Sequence[str]) -> bool:
    """Return whether the NaN among the numbers of a table are cells in rows of numbers, not what short rows lack."""
    empty = np.isnan(values)
    if form.separator == BLANK or empty.all(axis=1).any() or (empty[0, 0] and not empty[1:4, 0].any()):
        return False
    expected = values.shape[0] * (values.shape[1] - 1) + sum(line.count(form.separator) for line in above)
    with path.open("rb") as stream:
        return sum(part.count(form.separator.encode()) for part in iter(lambda: stream.read(PART), b"")) == expected
