"""Tables of X-ray physics: absorption, edges and yields of elements, from the library xraydb.

Mass absorption coefficients are those of Elam, Ravel & Sieber (doi 10.1016/S0969-806X(01)00227-4), which xraydb holds
together with the edges, jump ratios and fluorescence yields. The library opens a data base and costs a second, so that
it is loaded when a spectrum is quantified and not before.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

EDGES = {"K": "K", "L": "L3", "M": "M5"}
"""Shell of a family of lines, and the edge of which the lines begin to be excited."""
STRONGEST = {"K": "Ka1", "L": "La1", "M": "Ma"}
"""Strongest line of a family by its name in the data base."""
FIRST, LAST = 5, 92
"""Atomic numbers of the elements whose lines can explain a peak: boron to uranium."""


@dataclass(frozen=True)
class Emitter:
    """A family of lines of an element.

    Attributes
    ----------
    element, shell
        Symbol, and the letter of the family.
    energies, weights
        Energies of the lines, keV, and their shares of the photons of the family, shape (m,).
    edge
        Energy that ionizes the shell, keV.
    jump
        Ratio of the absorption above the edge to that below it.
    fluorescence_yield
        Photons of a vacancy.
    """

    element: str
    shell: str
    energies: np.ndarray
    weights: np.ndarray
    edge: float
    jump: float
    fluorescence_yield: float

    @classmethod
    def of(cls, family: str, lines: np.ndarray) -> "Emitter":
        """Look up the shell of a family such as ``Cu K``, whose lines have energies (keV) and intensities, (m, 2)."""
        import xraydb

        element, shell = family.split()
        edge = xraydb.xray_edge(element, EDGES[shell[0]])
        weights = lines[:, 1] / lines[:, 1].sum()
        return cls(element, shell[0], lines[:, 0], weights, edge.energy / 1e3, edge.jump_ratio, edge.fyield)


def attenuation(element: str, energies: np.ndarray) -> np.ndarray:
    """Return the mass absorption coefficient of an element, cm²/g, at energies in keV."""
    import xraydb

    return np.asarray(xraydb.mu_elam(element, 1e3 * np.asarray(energies, dtype=float)))


def atomic_number(element: str) -> int:
    """Return the atomic number of an element."""
    import xraydb

    return int(xraydb.atomic_number(element))


def atomic_mass(element: str) -> float:
    """Return the relative atomic mass of an element."""
    import xraydb

    return float(xraydb.atomic_mass(element))


@cache
def _strongest_lines() -> Mapping[str, tuple[float, float]]:
    """Return the energies of the strongest line and of the edge, keV, of all families of all elements."""
    import xraydb

    found = {}
    for element in map(xraydb.atomic_symbol, range(FIRST, LAST + 1)):
        known = xraydb.xray_lines(element)
        for shell, line in STRONGEST.items():
            if line in known:
                edge = xraydb.xray_edge(element, EDGES[shell]).energy / 1e3
                found[f"{element} {shell}"] = (known[line].energy / 1e3, edge)
    return found


def explanations(energy: float, width: float, beam: float, listed: Collection[str], most: int = 4) -> list[str]:
    """Name the families whose strongest line lies near an energy, the nearest first.

    Parameters
    ----------
    energy, width, beam
        Energy of a peak, the largest distance from it, and the energy of the beam, keV.
    listed
        Elements that are left out.
    most
        Number of families that are named.
    """
    near = [
        (abs(line - energy), family)
        for family, (line, edge) in _strongest_lines().items()
        if abs(line - energy) < width and edge < beam and family.split()[0] not in listed
    ]
    return [family for _, family in sorted(near)[:most]]
