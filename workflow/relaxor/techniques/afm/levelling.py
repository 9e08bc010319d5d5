"""Levelling of height images: the background, the line offsets and the flake itself are found together."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.ndimage import distance_transform_edt
from skimage.morphology import remove_small_holes, remove_small_objects

from relaxor.core.errors import AnalysisError
from relaxor.stats.noise import mad_noise
from relaxor.techniques.afm.settings import AfmSettings

EDGE_PIXELS = 4
"""Number of pixels next to an edge that belong to neither level, because of the tip and the blur of the mask."""
SMALLEST_PART = 0.01
"""Fraction of the image below which a patch above or below its surroundings counts as dust and not as a flake."""
ROUNDS = 30
"""Largest number of rounds in which the mask of the flake is improved."""
COARSE, CLEARLY = 64, 0.5
"""Number of positions tried for the edges of a ribbon, and the part of the residual of one edge below which the
residual of a ribbon must lie for the ribbon to be taken."""
SMALLEST_CONTRAST = 3.0
"""Smallest step in robust standard deviations of the heights; the halves of a Gaussian surface differ by 2.7."""


@dataclass(frozen=True)
class Surface:
    """A height image whose profiles run across the step.

    Attributes
    ----------
    height
        Heights in nm, shape (profile, position).
    x, y
        Positions along and across the profiles in nm.
    transposed
        Whether rows and columns of the image as recorded were exchanged.
    """

    height: np.ndarray
    x: np.ndarray
    y: np.ndarray
    transposed: bool

    @property
    def pixel(self) -> float:
        """Distance between pixels of a profile in nm."""
        return float(self.x[1] - self.x[0])


@dataclass(frozen=True)
class Levelled:
    """A levelled surface.

    Attributes
    ----------
    height
        Heights above the substrate in nm, shape (profile, position).
    flake, count
        Masks of the pixels on the flake, and of those that are neither near an edge nor dust nor scars.
    """

    height: np.ndarray
    flake: np.ndarray
    count: np.ndarray


def best_edge(profile: np.ndarray) -> tuple[np.ndarray, float]:
    """Return where a step or a ribbon on a parabola fits a mean profile best, and the part that it leaves unexplained.

    A ribbon is taken only where it explains clearly more than the single edge that it contains.
    """
    size = len(profile)
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, size), 3))[0]
    rest = profile - basis @ (basis.T @ profile)
    inner = np.arange(EDGE_PIXELS, size - EDGE_PIXELS)
    coarse = inner[:: max(size // COARSE, 1)]
    ribbons = [(start, end) for start in coarse for end in coarse if end - start >= EDGE_PIXELS]
    best: list[tuple[float, np.ndarray]] = []
    for bounds in (np.array([(start, size) for start in inner]), np.array(ribbons)):
        masks = (np.arange(size) >= bounds[:, :1]) & (np.arange(size) < bounds[:, 1:])
        shape = masks - (masks @ basis) @ basis.T
        explained = (shape @ rest) ** 2 / np.sum(shape**2, axis=1)
        found = int(np.argmax(explained))
        best.append((float(1 - explained[found] / np.sum(rest**2)), masks[found]))
    (step_left, step), (ribbon_left, ribbon) = best
    return (ribbon, ribbon_left) if ribbon_left < CLEARLY * step_left else (step, step_left)


def segment(surface: Surface, settings: AfmSettings) -> tuple[np.ndarray, np.ndarray]:
    """Find the flake and the outliers by fitting background and step together until the mask does not change.

    Returns
    -------
    flake, outliers
        Masks of the shape of the image; the flake is the higher side.

    Raises
    ------
    AnalysisError
        If the image shows no step.
    """
    size = surface.height.shape
    flake = np.broadcast_to(best_edge(surface.height.mean(axis=0))[0], size)
    outliers = np.zeros(size, bool)
    smallest = int(SMALLEST_PART * surface.height.size)
    for _ in range(ROUNDS):
        count = away_from_edge(flake) & ~outliers
        background, step = _background(surface, flake, count, settings.bow_degree)
        rest = surface.height - background
        rest -= _line_offsets(rest - step * flake, count)
        filled = ndimage.median_filter(rest, 5) > step / 2 if step > 0 else ndimage.median_filter(rest, 5) < step / 2
        higher = remove_small_holes(remove_small_objects(filled, max_size=smallest), max_size=smallest)
        found = higher if step > 0 else ~higher
        residual = rest - step * found
        spread = np.empty(size)
        for side in (found, ~found):
            spread[side] = mad_noise(residual[side & count]) if (side & count).any() else np.inf
        # A grain of dust is larger than the part of it that lies above the threshold.
        outliers = ndimage.binary_dilation(np.abs(residual) > settings.outlier * spread, iterations=2)
        outliers &= away_from_edge(found)
        settled, flake = np.array_equal(found, flake), found
        if settled or not found.any() or found.all():
            break
    noise = float(np.median(spread))
    if not abs(step) > SMALLEST_CONTRAST * noise:
        raise AnalysisError(f"the image shows no step: {abs(step):.2g} nm in a roughness of {noise:.2g} nm")
    return (flake if step > 0 else ~flake), outliers


def away_from_edge(flake: np.ndarray) -> np.ndarray:
    """Mark the pixels that are not next to an edge of the flake."""
    near = distance_transform_edt(flake) + distance_transform_edt(~flake)
    return near > EDGE_PIXELS


def _background(surface: Surface, flake: np.ndarray, count: np.ndarray, degree: int) -> tuple[np.ndarray, float]:
    """Fit a polynomial background and the step together; return the background of every pixel, and the step, in nm."""
    x, y = (np.linspace(-1, 1, len(axis)) for axis in (surface.x, surface.y))
    x, y = np.meshgrid(x, y)
    terms = [x**i * y**j for i in range(degree + 1) for j in range(degree + 1 - i)]
    design = np.stack([*terms, flake], axis=-1)[count].astype(float)
    if not 0 < flake[count].mean() < 1:
        raise AnalysisError("the image shows no step: one level only")
    found = np.linalg.lstsq(design, surface.height[count], rcond=None)[0]
    return sum(c * term for c, term in zip(found, terms, strict=False)), float(found[-1])


def _line_offsets(residual: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the mean residual of each profile, shape (profiles, 1)."""
    total = np.where(count, residual, 0.0).sum(axis=1, keepdims=True)
    return total / np.maximum(count.sum(axis=1, keepdims=True), 1)


def level(surface: Surface, flake: np.ndarray, count: np.ndarray, settings: AfmSettings) -> Levelled:
    """Subtract the background and the line offsets of a surface whose flake is known.

    ``count`` marks the pixels that are fitted: those that are free of dust and away from edges.
    """
    background, step = _background(surface, flake, count, settings.bow_degree)
    height = surface.height - background
    if settings.line_offsets:
        height = height - _line_offsets(height - step * flake, count)
    return Levelled(height - np.median(height[count & ~flake]), flake, count)
