"""Tables of nothing but full rows, which pandas parses many times faster than cells one by one."""

import csv
from collections.abc import Collection, Sequence
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
    separator = r"\s+" if form.separator == BLANK else form.separator
    kept: list[np.ndarray] = []
    rows = 0
    try:
        read = pd.read_csv(
            source, sep=separator, decimal=form.decimal, header=None, skiprows=skip, dtype=float, encoding=encoding,
            quoting=csv.QUOTE_NONE, keep_default_na=False, na_values=list(missing),
            chunksize=max(MOST_CELLS // width, 1),
        )  # fmt: skip
        with read:
            for chunk in read:
                values = chunk.to_numpy()
                rows += len(values)
                wrong = np.isinf(values) if missing else ~np.isfinite(values)
                if wrong.any() or values.shape[1] != width or rows * width > MAX_POINTS:
                    return None
                kept.append(values)
    except (ValueError, OverflowError):  # what pandas raises for rows and cells of another kind
        return None
    return np.concatenate(kept, out=np.empty((rows, width), order="F")) if kept else None


def has_all_cells(path: Path, form: Form, values: np.ndarray, above: Sequence[str]) -> bool:
    """Return whether the NaN among the numbers of a table are cells in rows of numbers, not what short rows lack."""
    empty = np.isnan(values)
    if form.separator == BLANK or empty.all(axis=1).any() or (empty[0, 0] and not empty[1:4, 0].any()):
        return False
    expected = values.shape[0] * (values.shape[1] - 1) + sum(line.count(form.separator) for line in above)
    with path.open("rb") as stream:
        return sum(part.count(form.separator.encode()) for part in iter(lambda: stream.read(PART), b"")) == expected
