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

WINDOWS = ((0.0001, 4.3), (4.38, 4.75), (4.84, 5.3), (5.42, 6.01), (6.16, 6.99), (7.19, 8.9), (9.23, 25), (35, 10000))
"""Resistances (kΩ) between which the chip of RADAR holds each of its eight states (its exptdata/retention/dist.py)."""
ROW = 32
"""Rows of that chip, and cells in each; the states move on by one from row to row."""
ROUNDING = 0.5e-4 / math.sqrt(3)
"""Standard uncertainty of the constants in the table of NeuroSim, which have four decimals."""
IMAGES, FEATURES, BLOCK = 1000, 24, 100
"""Size of the two sets of features whose distances are taken, and of the blocks of the kernel distance."""


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


def read_outs(files: Sequence[Path]) -> list[Number]:
    """Return the share of cells of the chip of RADAR that are read at the state that was written.

    Parameters
    ----------
    files
        Resistance (Ω) of each cell, one file for each read-out.
    """
    from relaxor.crossbar.chip import Chip
    from relaxor.crossbar.quantities import WRITE_ACCURACY
    from relaxor.crossbar.write import read_back

    lowest, highest = np.array(WINDOWS).T
    numbers = []
    for file in files:
        resistance = 1e-3 * np.loadtxt(file)
        place = np.arange(resistance.size)
        written = (place + place // ROW) % len(WINDOWS)
        found = np.digitize(resistance, lowest) - 1
        found[(resistance > highest[found]) & (found == written)] += 1  # in the gap above its window
        accuracy = read_back(7 - written, 7.0 - found, Chip(lowest=0)).accuracy
        error = np.sqrt(accuracy * (1 - accuracy) / ROW**2)
        number = Number(
            file.stem, WRITE, WRITE_ACCURACY.name, 100 * accuracy, 100 * error, unit="percent", n=ROW**2,
            method="cells within the window of their state; later read-outs repeat the cells", raw_sha256=sha256(file),
            origin="measured",
        )  # fmt: skip
        numbers.append(number)
    return numbers


def distances(files: Sequence[Path]) -> list[Number]:
    """Return the Fréchet and the kernel distance of two sets of features drawn from NumPy's ``RandomState(18)``."""
    from relaxor.inpainting.fid import fid, kid

    first, second = drawn_features()
    kernel = kid(first, second, block=BLOCK)
    error = (kernel.ci_high - kernel.ci_low) / 2 / 1.96
    drawn: dict[str, Any] = {"raw_sha256": "", "origin": "simulated", "n": IMAGES}
    return [
        Number("features", REAL, FID.name, fid(first, second), 0.0, method="exact", **drawn),
        Number("features", REAL, KID.name, kernel.value, error, method="blocks; their spread", **drawn),
    ]


def drawn_features() -> tuple[np.ndarray, np.ndarray]:
    """Return two sets of features, shape (1000, 24); the stream of ``RandomState`` never changes."""
    generator = np.random.RandomState(18)
    mixing = generator.standard_normal((FEATURES, FEATURES))
    first = generator.standard_normal((IMAGES, FEATURES)) @ mixing
    second = generator.gamma(2.0, size=(IMAGES, FEATURES)) @ mixing + 0.1
    return first, second
