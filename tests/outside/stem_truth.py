"""Images of atom columns, line by line, made without relaxor: what the probe meets while sample and scan move.

Lengths in angstrom; positions are (x, y), and y is the direction of the lines that follow each other.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy import ndimage

ATTRS = {"raw_file": "a.emd", "raw_sha256": "0" * 64, "origin": "simulated"}
SIZE, PIXEL, SIGMA = 224, 0.2, 0.42
"""Pixels along each side, their width, and the standard deviation of a column."""
ELECTRONS, DARK = 120.0, 5.0
"""Mean electrons in the middle of the brightest column, and beside the columns."""
EDGE = 3.30
HEAVY, LIGHT = 1.0, 0.5
Columns = tuple[np.ndarray, np.ndarray]
"""Positions (n, 2) and brightnesses (n,) of columns."""


def crystal(
    turn: float, gamma: float = 120.0, edge: float = EDGE, honeycomb: bool = True, other: float | None = None
) -> Columns:
    """Return the columns of a crystal whose first edge is turned by some degrees, around the middle of the image.

    Without ``other``, both edges are equal; a lattice that is no honeycomb has one column in a cell.
    """
    angles = np.radians([turn, turn + gamma])
    vectors = np.array([edge, other or edge]) * np.array([np.cos(angles), np.sin(angles)])
    reach = int(SIZE * PIXEL / edge) + 3
    cells = np.stack(np.meshgrid(*2 * [np.arange(-reach, reach + 1)]), axis=-1).reshape(-1, 2)
    fractions, weights = (((0, 0), HEAVY),), ((1 / 3, 2 / 3), LIGHT)
    sites = (*fractions, weights) if honeycomb else fractions
    positions = np.vstack([(cells + np.array(place)) @ vectors.T for place, _ in sites]) + SIZE * PIXEL / 2
    return positions, np.repeat([weight for _, weight in sites], len(cells))


def kept(columns: Columns, which: np.ndarray) -> Columns:
    """Return some of the columns."""
    return columns[0][which], columns[1][which]


def joined(*several: Columns) -> Columns:
    """Return the columns of several crystals as one."""
    return np.vstack([each[0] for each in several]), np.concatenate([each[1] for each in several])


def drifting(x: Sequence[float], y: Sequence[float]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the displacement at a part of the frame: linear, quadratic, … coefficients along x and along y."""
    return lambda part: np.stack([np.polynomial.polynomial.polyval(part, [0.0, *axis]) for axis in (x, y)])


STEADY = drifting([0.1], [0.1])
"""A slow drift along x and y."""


def scanned(
    rng: np.random.Generator,
    columns: Columns,
    drift: Callable[[np.ndarray], np.ndarray] = STEADY,
    tails: bool = False,
    film: float = 0.0,
) -> np.ndarray:
    """Return electrons in each pixel.

    Parameters
    ----------
    drift
        Displacement (x, y) of the scan as a function of the part of the frame that is over.
    tails
        Whether columns are Lorentzian with power 3/2, the projection of a point source of aberrated electrons.
    film
        Standard deviation of a rough film above the crystal, as a part of the brightest column.
    """
    lines = np.arange(SIZE)
    noise = rng.normal(0, 0.04, (2, SIZE)) + ndimage.gaussian_filter1d(rng.normal(0, 0.06, (2, SIZE)), 2.0)
    moved = drift(lines / SIZE) + noise
    x, y = lines * PIXEL + moved[0][:, np.newaxis], lines * PIXEL + moved[1]
    image = np.zeros((SIZE, SIZE))
    reach = SIGMA * (12 if tails else 5)
    for place, weight in zip(*columns, strict=True):
        rows = np.flatnonzero(np.abs(y - place[1]) < reach)
        if rows.size and x[rows].min() - reach < place[0] < x[rows].max() + reach:
            square = (x[rows] - place[0]) ** 2 + (y[rows, np.newaxis] - place[1]) ** 2
            image[rows] += weight * (
                (1 + square / (1.3 * SIGMA) ** 2) ** -1.5 if tails else np.exp(-square / (2 * SIGMA**2))
            )
    rough = ndimage.gaussian_filter(rng.normal(size=image.shape), 4.0)
    image += film * (2 + rough / rough.std()).clip(0)
    return rng.poisson(DARK + ELECTRONS * image).astype(float)


def micrograph(image: np.ndarray, pixel: float) -> list[Measurement]:
    """Return an image as a measurement whose pixels have a stated width."""
    axes: dict[str, Any] = {
        axis: (axis, np.arange(size) * pixel * 1e-10, {"units": "m"})
        for axis, size in zip(("y", "x"), image.shape, strict=True)
    }
    region = xr.Dataset({"intensity": (("y", "x"), image, {"units": "1"})}, axes)
    return [Measurement("image", ATTRS, {}, {"HAADF": region})]
