"""The lattice of an image of which nothing is known: two spots of its transform that index all strong ones."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.techniques.stem import hexagonal, systems
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem.settings import StemSettings

STRONG = 0.01
"""Power relative to the strongest spot from which a spot must belong to the lattice; scan noise smears weaker ones."""
BASES = 12
"""Number of the strongest spots of which pairs are tried as a*, b*."""
OFF = 1.6
"""Distance from its place in pixels of the transform up to which a spot belongs to a lattice."""
BENT = 0.006
"""The same as a part of the spatial frequency, for drift that widens spots of high order."""
LEAST_CELLS = 6
"""Smallest number of cells along an image."""
FILLED = 0.15
"""Largest part of reciprocal space within reach of some place of a lattice, above which it would explain anything."""


def find(name: str, image: np.ndarray, power: np.ndarray, pixel: float, settings: StemSettings) -> lattices.Spots:
    """Return the spots of the one lattice that explains all strong spots of an image, indexed in its reduced cell.

    Parameters
    ----------
    name
        Name of the measurement.
    image, power, pixel
        The image, its `lattices.spectrum` and the pixel size in angstrom.

    Raises
    ------
    AnalysisError
        If no lattice explains all strong spots, or the spots lie on one line.
    """
    size = min(image.shape) * pixel
    band = (LEAST_CELLS / size, settings.highest_frequency)
    positions, strength = hexagonal.strongest(power, pixel, settings.spot_threshold, band)
    said = hexagonal.in_words(positions[: hexagonal.NAMED])
    if not len(positions):
        raise AnalysisError(f"{name}: no lattice is seen: {said} from {1 / band[1]:.2f} to {1 / band[0]:.2f} angstrom")
    positions = positions[strength >= STRONG * strength[0]]
    spots = [_refined(image, pixel, position) for position in positions]
    reciprocal = _basis(np.array(spots), 1 / size)
    if reciprocal is None:
        raise AnalysisError(
            f"{name}: no lattice of at least {LEAST_CELLS} cells along the image explains all strong spots "
            f"(two grains, a moiré, or fringes of one direction); {said}"
        )
    lattice = np.linalg.inv(reciprocal)
    lattice = lattice @ systems.reduction(lattice)
    found = lattices.refine_spots(image, power, pixel, lattice, settings.highest_frequency, settings.spot_threshold)
    if len(found.indices) < 2 or np.linalg.matrix_rank(found.indices) < 2:
        raise AnalysisError(f"{name}: the spots of the image lie on one line; {said}")
    fitted, _ = lattices.fit_reciprocal(found, 1)
    # Indices of the cell that the refined spots make the reduced one: h' = h · operation.
    return replace(found, indices=found.indices @ systems.reduction(fitted))


def _refined(image: np.ndarray, pixel: float, position: np.ndarray) -> np.ndarray:
    """Return the maximum of a spot, or its pixel where the search leaves it."""
    refined, _, _ = lattices.refine_spot(image, pixel, position)
    near = np.all(np.abs(refined - position) * np.array(image.shape[::-1]) * pixel < 1)
    return refined if near else position


def _basis(spots: np.ndarray, bin_width: float) -> np.ndarray | None:
    """Return a*, b* as rows that explain all spots, with the largest reciprocal cell; None if there are none."""
    strongest = spots[:BASES]
    vectors = np.vstack(
        [strongest, *(sign * strongest[i] + strongest[j] for i, j in _pairs(strongest) for sign in (1, -1))]
    )
    vectors = vectors[np.linalg.norm(vectors, axis=1) > LEAST_CELLS * bin_width]
    reach = OFF * bin_width + BENT * np.linalg.norm(spots, axis=1)
    best, area = None, 0.0
    for i, j in _pairs(vectors):
        reciprocal = vectors[[i, j]]
        cell = abs(float(np.linalg.det(reciprocal)))
        lengths = np.linalg.norm(reciprocal, axis=1)
        if cell < 0.2 * lengths.prod() or np.pi * reach.max() ** 2 > FILLED * cell or cell <= area * (1 + 1e-6):
            continue
        nearest = np.round(spots @ np.linalg.inv(reciprocal)) @ reciprocal
        if np.all(np.linalg.norm(spots - nearest, axis=1) <= reach):
            best, area = reciprocal, cell
    return best


def _pairs(vectors: np.ndarray) -> list[tuple[int, int]]:
    return list(combinations(range(len(vectors)), 2))
