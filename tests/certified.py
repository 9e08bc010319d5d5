"""Certified reference data that the project ships: ``tests/data/nist`` and ``tests/data/cells.yaml``."""

import math
from pathlib import Path

import numpy as np
import yaml

DATA = Path(__file__).parent / "data"


def certified(name: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a data set of the NIST Statistical Reference Datasets (nonlinear regression).

    Parameters
    ----------
    name
        Name of the data set; a folder and a suffix are left out.

    Returns
    -------
    tuple
        Starts (2, k), certified values (k,), their standard deviations (k,), and the data y, x (n, 2).
    """
    entry = yaml.safe_load((DATA / f"nist/{Path(name).stem}.yaml").read_text(encoding="utf-8"))
    rows = [line.split()[1:] for line in entry["parameters"].splitlines()]
    table = np.array(rows, dtype=float)
    data = np.array([line.split() for line in entry["data"].splitlines()], dtype=float)
    return table[:, :2].T, table[:, 2], table[:, 3], data


def correct_digits(found: float, certified_value: float) -> float:
    """Return the number of digits that agree (NIST's LRE), at most 11: that many are certified."""
    return min(11.0, -math.log10(max(abs(found - certified_value) / abs(certified_value), 1e-12)))


def cells() -> dict[str, dict]:
    """Return the cells of reference materials: source, edge, space group and sites."""
    return yaml.safe_load((DATA / "cells.yaml").read_text(encoding="utf-8"))
