"""The five lattice systems of a plane, and how far a lattice is from each of them.

The shape of a lattice is one complex number τ = b/a in the upper half plane, whatever its size and rotation. Strain
that changes the shape of an ideal lattice τ₀ into τ has the size |τ − τ₀| / |τ − τ₀*|: half of the relative change of
the ratio of two lengths at right angles. Reduced lattices, with the two shortest vectors, fill |τ| ≥ 1, |Re τ| ≤ 1/2;
square is τ = i, hexagonal τ = e^{iπ/3} or e^{2iπ/3}, rectangular Re τ = 0, centred rectangular |τ| = 1 or |Re τ| = 1/2.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

HEXAGONAL, SQUARE, RECTANGULAR, CENTRED, OBLIQUE = (
    "hexagonal",
    "square",
    "rectangular",
    "centred rectangular",
    "oblique",
)
SYSTEMS = (HEXAGONAL, SQUARE, RECTANGULAR, CENTRED, OBLIQUE)
"""The systems, those of more symmetry first."""
EXCLUDED = 0.05
"""Probability of a departure by chance below which a lattice does not belong to a system."""
CORNERS = {SQUARE: (1j,), HEXAGONAL: (np.exp(1j * np.pi / 3), np.exp(2j * np.pi / 3))}
"""Shapes of the systems that leave no freedom."""


@dataclass(frozen=True)
class Departure:
    """How far a lattice is from the nearest one of a system.

    Attributes
    ----------
    system
        Name of the system.
    strain
        Strain between both, which does not change the area.
    shape
        Shape τ of the nearest lattice.
    """

    system: str
    strain: float
    shape: complex

    def probability(self, error: float) -> float:
        """Return the probability of a larger departure, for strain components with this standard error."""
        if self.system == OBLIQUE:
            return 1.0
        ratio = self.strain / error
        return float(np.exp(-(ratio**2) / 2) if self.system in CORNERS else special.erfc(ratio / np.sqrt(2)))


def reduction(lattice: np.ndarray) -> np.ndarray:
    """Return the integer matrix that turns a lattice into its two shortest vectors, |a| ≤ |b|, 90° ≤ γ ≤ 120°."""
    a, b = np.eye(2, dtype=int)
    for _ in range(100):
        if np.linalg.norm(lattice @ b) < np.linalg.norm(lattice @ a):
            a, b = b, a
        first, second = lattice @ a, lattice @ b
        steps = round(float(first @ second / (first @ first)))
        if not steps:
            break
        b = b - steps * a
    return np.column_stack([a, b if (lattice @ a) @ (lattice @ b) <= 0 else -b])


def shape(lattice: np.ndarray) -> complex:
    """Return τ = b/a of a lattice, in the upper half plane."""
    a, b = lattice[0] + 1j * lattice[1]
    ratio = complex(b / a)
    return ratio if ratio.imag > 0 else ratio.conjugate()


def departures(lattice: np.ndarray) -> dict[str, Departure]:
    """Return the departure of a reduced lattice from each system."""
    own = shape(lattice)
    beside = [side + 1j * abs(own - side) for side in (-0.5, 0.5)]
    ideal = {**CORNERS, RECTANGULAR: (1j * abs(own),), CENTRED: (own / abs(own), *beside), OBLIQUE: (own,)}
    found = {}
    for system in SYSTEMS:
        each = [(abs(own - one) / abs(own - np.conj(one)), complex(one)) for one in ideal[system]]
        found[system] = Departure(system, *min(each, key=lambda pair: pair[0]))
    return found


def most_symmetric(found: dict[str, Departure], error: float) -> Departure:
    """Return the system of most symmetry that is not excluded; of two equal ones that which is nearer."""
    for group in ((HEXAGONAL, SQUARE), (RECTANGULAR, CENTRED)):
        allowed = [found[name] for name in group if found[name].probability(error) >= EXCLUDED]
        if allowed:
            return min(allowed, key=lambda departure: departure.strain)
    return found[OBLIQUE]


def edges(lattice: np.ndarray, departure: Departure) -> tuple[float, float]:
    """Return the edges of the nearest lattice of a system that has the same area.

    They are those of the conventional cell, which has two lattice points where it is centred.
    """
    area, tau = abs(float(np.linalg.det(lattice))), departure.shape
    a = np.sqrt(area / tau.imag)
    if departure.system != CENTRED:
        return float(a), float(a * abs(tau))
    if np.isclose(abs(tau), 1):
        short, long = sorted((float(a * abs(1 + tau)), float(a * abs(1 - tau))))
        return short, long
    return float(a), float(2 * a * tau.imag)
