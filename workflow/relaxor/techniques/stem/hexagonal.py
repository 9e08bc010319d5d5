"""Whether an image shows the hexagonal lattice that the settings name, and what it shows instead."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from relaxor.core.errors import AnalysisError
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem.settings import StemSettings

LEAST_CONTRAST = 1.5
"""Mean logarithm of the power of spots over the background below which there is no lattice; noise gives 0.2 ± 0.2."""
SIDE_LOBES = 4
"""Pixels of the transform around zero frequency that the window fills with the mean of the image."""
LONGEST = 2.0
"""Longest spacing of a spot in lattice parameters; beyond it, thickness and films vary."""
NAMED = 4
"""Number of spots that a message names."""


class NotHexagonalError(AnalysisError):
    """An image shows no hexagonal lattice of the expected size."""


@dataclass(frozen=True)
class Found:
    """A hexagonal lattice that the transform of an image shows: `lattices.fit_reciprocal` in its standard setting."""

    lattice: np.ndarray
    covariance: np.ndarray
    spots: lattices.Spots


def find(name: str, image: np.ndarray, power: np.ndarray, pixel: float, lines: int, settings: StemSettings) -> Found:
    """Return the hexagonal lattice of an image.

    Parameters
    ----------
    name
        Name of the measurement.
    image, power, pixel
        The image, its `lattices.spectrum` and the pixel size in angstrom.
    lines
        Number of lines that may move together.

    Raises
    ------
    NotHexagonalError
        If one of the spots of the first shell does not stand out, if the lattice is not hexagonal within what drift
        does, or if a spot that is stronger than the first shell lies off the lattice.
    """
    a = settings.a or np.nan
    peaks = strongest(power, pixel, settings.spot_threshold, (1 / (LONGEST * a), settings.highest_frequency))

    def refused(reason: str) -> NotHexagonalError:
        wanted = f"no hexagonal lattice with a within {settings.tolerance:.0%} of {a} angstrom"
        return NotHexagonalError(f"{name}: {wanted}: {reason}; {in_words(peaks[0][:NAMED])}")

    start, contrast = lattices.find_lattice(power, pixel, a, settings.tolerance)
    spots = lattices.refine_spots(image, power, pixel, start, settings.highest_frequency, settings.spot_threshold)
    indices = [tuple(index) for index in spots.indices]
    shell = [indices.index(index) for index in lattices.FAMILIES["100"] if index in indices]
    if contrast < LEAST_CONTRAST or len(shell) < len(lattices.FAMILIES["100"]):
        raise refused(f"{len(shell)} of the 3 pairs of spots of its first shell stand out (contrast {contrast:.1f})")
    lattice, covariance = lattices.fit_reciprocal(spots, lines)
    values = lattices.describe(lattice)
    misfit = max(np.hypot(values["strain_xx"], values["strain_xy"]) / 100, abs(values["a_hexagonal"] / a - 1))
    if not misfit <= settings.tolerance:
        cell = f"a = {values['a']:.2f}, b = {values['b']:.2f} angstrom, γ = {values['gamma']:.1f}°"
        raise refused(f"the nearest lattice has {cell}, which is {misfit:.1%} off")
    weakest = float(np.min(spots.amplitude[shell])) ** 2
    for position, strength in zip(*peaks, strict=True):
        if strength > weakest and not _explained(position, lattice, settings.tolerance, 1 / (pixel * len(power))):
            spacing = f"{1 / np.linalg.norm(position):.2f} angstrom"
            raise refused(f"a spot at {spacing} is stronger than its first shell and lies off the lattice")
    operation = lattices.standard_setting(lattice)
    spread = np.kron(np.eye(2), operation.T)
    return Found(lattice @ operation, spread @ covariance @ spread.T, spots)


def strongest(
    power: np.ndarray, pixel: float, threshold: float, band: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the spots of a half of the transform that stand out, the strongest first.

    Parameters
    ----------
    threshold
        Smallest ratio of the power of a spot to the median power around it, and to that at the same frequency.
    band
        Lowest and highest spatial frequency.

    Returns
    -------
    positions, power
        Spatial frequencies (x, y) of shape (n, 2), and the power of each.
    """
    height, width = power.shape
    y, x = np.indices(power.shape)
    places = np.stack([(x - width // 2) / (width * pixel), (y - height // 2) / (height * pixel)], axis=-1)
    frequency = np.hypot(*np.moveaxis(places, -1, 0))
    low = max(band[0], SIDE_LOBES / (min(height, width) * pixel))
    half = (places[..., 1] > 0) | ((places[..., 1] == 0) & (places[..., 0] > 0))
    highest = power == ndimage.maximum_filter(power, 2 * lattices.NEIGHBOURHOOD + 1)
    stands_out = power >= threshold * np.maximum(lattices.ring_median(power), 1e-300)
    rows, columns = np.nonzero(highest & stands_out & half & (frequency > low) & (frequency <= band[1]))
    local = [lattices.peak(power, np.array(center)) for center in zip(rows, columns, strict=True)]
    kept = np.array([each is not None and each[1] >= threshold for each in local], dtype=bool)
    rows, columns = rows[kept], columns[kept]
    order = np.argsort(-power[rows, columns])
    return places[rows, columns][order], power[rows, columns][order]


def in_words(positions: np.ndarray) -> str:
    """Name the spacings of spots in angstrom, the longest first, and the angles of the others to that one."""
    if not len(positions):
        return "no spot stands out"
    positions = positions[np.argsort(np.linalg.norm(positions, axis=1))]
    spacings = ", ".join(f"{each:.2f}" for each in 1 / np.linalg.norm(positions, axis=1))
    turns = np.degrees(np.arctan2(positions[:, 1], positions[:, 0]))
    between = (turns[1:] - turns[0]) % 180
    angles = ", ".join(f"{each:.1f}°" for each in np.minimum(between, 180 - between))
    return f"the strongest spots have d = {spacings} angstrom" + (f", at {angles} to the first" if angles else "")


def _explained(position: np.ndarray, lattice: np.ndarray, tolerance: float, bin_width: float) -> bool:
    """Return whether a spot is where a reflection of the lattice may be, which drift broadens."""
    nearest = np.round(position @ lattice) @ np.linalg.inv(lattice)
    reach = max(tolerance * float(np.linalg.norm(nearest)), lattices.NEIGHBOURHOOD * bin_width)
    return bool(np.linalg.norm(position - nearest) <= reach)
