"""Which levels a survey spectrum shows."""

from collections.abc import Mapping

import numpy as np

REACH = 4.0
"""Half width in which a line is looked for (eV): chemical shifts and the width of the line."""
WING = (7.0, 14.0)
"""Distance of the background beside it (eV)."""


def find_lines(
    energy: np.ndarray, counts: np.ndarray, expected: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """Look for lines in a survey.

    Parameters
    ----------
    energy
        Charge-corrected binding energies (eV), shape (n,), any order.
    counts
        Detected electrons, shape (n,).
    expected
        Line → binding energy (eV).

    Returns
    -------
    dict
        Line → (energy of its maximum, counts there, significance): the summed excess within `REACH` over the
        straight line between the medians of both wings, over its Poisson standard deviation.
    """
    found = {}
    for name, position in expected.items():
        distance = energy - position
        near = np.abs(distance) <= REACH
        wings = [(side * distance > WING[0]) & (side * distance <= WING[1]) for side in (-1, 1)]
        if not near.any() or not all(wing.any() for wing in wings):
            continue
        low, high = (float(np.median(counts[wing])) for wing in wings)
        center = sum(WING) / 2
        background = low + (high - low) * (distance[near] + center) / (2 * center)
        excess = float(np.sum(counts[near] - background))
        noise = np.sqrt(np.sum(counts[near]) + near.sum() ** 2 * (low + high) / 4 / min(map(np.sum, wings)))
        top = int(np.argmax(np.where(near, counts, -np.inf)))
        found[name] = float(energy[top]), float(counts[top]), excess / float(max(noise, 1.0))
    return found
