"""Numbers that a function of relaxor gives where no measurement does: a law, a distance, the read-out of an array.

Each function takes the files of a set of the registry of published numbers and returns the numbers that are compared.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relaxor.core.checksums import sha256
from relaxor.core.results import Number
from relaxor.inpainting.quantities import FID, KID, REAL, WRITE

ROUNDING = 0.5e-4 / math.sqrt(3)
"""Standard uncertainty of the constants in the table of NeuroSim, which have four decimals."""
IMAGES, FEATURES = 1000, 24
"""Size of the two sets of features whose distances are taken."""


def nonlinearity_labels(files: Sequence[Path]) -> list[Number]:
    """Return NeuroSim's label of nonlinearity for each constant A/Pmax of its own table.

    Parameters
    ----------
    files
        The table as JSON: rows of pairs, label and constant, the first of which holds their names.
    """
    from relaxor.synapse import quantities as q
    from relaxor.synapse.potentiation import nonlinearity_label

    rows = json.loads(files[0].read_text(encoding="utf-8"))[1:]
    constants = {float(row[place]) for row in rows for place in range(1, len(row), 2) if row[place]}
    numbers = []
    for constant in sorted(constants):
        rounding = abs(nonlinearity_label(constant + ROUNDING) - nonlinearity_label(constant - ROUNDING)) / 2
        number = Number(
            "table", q.POTENTIATION, q.NONLINEARITY.name, nonlinearity_label(constant), rounding, at=constant,
            at_unit="1", unit="1", method="closed form; error from the rounding of the constant",
            raw_sha256=sha256(files[0]), origin="measured",
        )  # fmt: skip
        numbers.append(number)
    return numbers


def read_outs(files: Sequence[Path], *, windows: Sequence[tuple[float, float]], rows: int) -> list[Number]:
    """Return the share of the cells of a square array that are read within the window of the state that was written.

    Parameters
    ----------
    files
        Resistance (Ω) of each cell, row by row; later read-outs of the same cells follow. The states are written in
        their order, and move on by one from row to row.
    windows
        Lowest and highest resistance (kΩ) of each state, ascending.
    rows
        Rows of the array, and cells in each.
    """
    from relaxor.crossbar.chip import Chip
    from relaxor.crossbar.quantities import WRITE_ACCURACY
    from relaxor.crossbar.write import read_back

    lowest, highest = np.array(windows).T
    top = len(windows) - 1
    numbers = []
    for file in files:
        resistance = 1e-3 * np.loadtxt(file)
        place = np.arange(resistance.size)
        written = (place + place // rows) % len(windows)
        found = np.clip(np.digitize(resistance, lowest) - 1, 0, top)
        outside = (resistance < lowest[found]) | (resistance > highest[found])  # in a gap, or beyond all windows
        found[outside & (found == written)] += np.where(written == top, -1, 1)[outside & (found == written)]
        accuracy = read_back(top - written, (top - found).astype(float), Chip(lowest=0, highest=top)).accuracy
        error = np.sqrt(accuracy * (1 - accuracy) / rows**2)
        number = Number(
            file.stem, WRITE, WRITE_ACCURACY.name, 100 * accuracy, 100 * error, unit="percent", n=rows**2,
            method="cells within the window of their state; later read-outs repeat the cells", raw_sha256=sha256(file),
            origin="measured",
        )  # fmt: skip
        numbers.append(number)
    return numbers


def distances(files: Sequence[Path]) -> list[Number]:
    """Return the Fréchet and the kernel distance of two sets of features drawn from NumPy's ``RandomState(18)``."""
    from relaxor.inpainting.fid import fid, kid

    first, second = drawn_features()
    distance = fid(first, second)
    rounding = IMAGES * float(np.finfo(float).eps) * distance
    pairs = (np.sum(first * second, axis=1) / FEATURES + 1) ** 3
    # Programs that count the pairs of one place, which ours leaves out, differ by twice their mean over the images.
    error = 2 * float(pairs.std(ddof=1)) / IMAGES**1.5
    drawn: dict[str, Any] = {"raw_sha256": "", "origin": "simulated", "n": IMAGES}
    return [
        Number("features", REAL, FID.name, distance, rounding, method="closed form; error of rounding", **drawn),
        Number(
            "features",
            REAL,
            KID.name,
            kid(first, second, block=IMAGES).value,
            error,
            method="one block; error from the pairs of one place",
            **drawn,
        ),
    ]


def drawn_features() -> tuple[np.ndarray, np.ndarray]:
    """Return two sets of features, shape (1000, 24); the stream of ``RandomState`` never changes."""
    generator = np.random.RandomState(18)
    mixing = generator.standard_normal((FEATURES, FEATURES))
    first = generator.standard_normal((IMAGES, FEATURES)) @ mixing
    second = generator.gamma(2.0, size=(IMAGES, FEATURES)) @ mixing + 0.1
    return first, second
