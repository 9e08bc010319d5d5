"""Tables of nothing but full rows, which pandas parses many times faster than cells one by one."""

import csv
from collections.abc import Collection, Iterator, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from relaxor.readers.common.cells import BLANK, MISSING, Form
from relaxor.readers.common.schema import MAX_POINTS

PART = 1 << 16
"""Bytes of a file that are read at once."""
MOST_CELLS = 1 << 20
"""Number of cells that are parsed together."""
MEAN_CELLS = MAX_POINTS // 8
"""Number of cells to which a longer trace is averaged."""
STEP_TOLERANCE = 0.5
"""Relative deviation of a step of time from the usual one that rounding of the times may make."""
MISSING_WORDS = MISSING | {word.upper() for word in MISSING} | {word.title() for word in MISSING} | {"NaN", "-NaN"}
"""Words that stand for a number that is not there, as people write them."""


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


def mean_rows(path: Path, form: Form, width: int, skip: int) -> tuple[np.ndarray, int] | None:
    """Return the means of as many neighbouring rows as make a long trace short enough, and how many these are.

    Rows that remain at the end are left out.

    Returns
    -------
    values, count
        None if the table is not too large, if a cell is no finite number, or if the first column does not rise in equal
        steps, so that neighbours are no samples of one trace.
    """
    rows = _line_count(path) - skip
    if rows * width <= MAX_POINTS:
        return None
    count = -(-rows * width // MEAN_CELLS)
    kept: list[np.ndarray] = []
    step = last = None
    try:
        for values in _parts(path, form, width, skip, "utf-8", (), max(MOST_CELLS // width // count, 1) * count):
            steps = np.diff(values[:, 0], prepend=values[:1, 0] if last is None else last)[last is None :]
            step = np.median(steps) if step is None else step
            if not (step > 0 and np.allclose(steps, step, rtol=STEP_TOLERANCE, atol=0)):
                return None
            last = values[-1:, 0]
            kept.append(values[: len(values) // count * count].reshape(-1, count, width).mean(axis=1))
    except (ValueError, OverflowError):
        return None
    return np.concatenate(kept), count


def _line_count(source: Path | StringIO) -> int:
    """Return the number of lines, or one more."""
    if isinstance(source, StringIO):
        return source.getvalue().count("\n") + 1
    with source.open("rb") as stream:
        counts = [(part.count(b"\n"), part.count(b"\r")) for part in iter(lambda: stream.read(PART), b"")]
    return max(map(sum, zip(*counts, strict=True)), default=0) + 1


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
