"""The phase of a material, from its structure file."""

import numpy as np
import xarray as xr

from relaxor.techniques.material import Material, Proposed
from relaxor.techniques.structure.analysis import bragg_two_theta, expand, name_of
from relaxor.techniques.xrd.powder import Lattice
from relaxor.techniques.xrd.settings import XrdSettings

SHOWN = 5
"""Number of the strongest lines that are named."""
HIGHEST = 90.0
"""Largest angle (degree 2θ) of a line that is named."""
MOST_REFLECTIONS = 20_000
"""Number of reflections in half of the reciprocal space that are calculated; of a large cell, those of small angles."""


def propose(material: Material) -> Proposed | None:
    """Propose the cell as the starting cell of a powder; a formula alone tells no cell."""
    if material.structure is None:
        return None
    import gemmi

    lattice = Lattice.of_structure(material.name, material.structure)
    group = gemmi.find_spacegroup_by_ops(lattice.operations).xhm()  # with the choice of axes, which names alone lack
    phase = {"space_group": group, **{name: round(value, 5) for name, value in lattice.first.items()}}
    lines = ", ".join(f"{hkl} {angle:.2f}" for hkl, angle in strongest_lines(material.structure))
    return Proposed(
        {"phases": {material.name: phase}},
        (f"cell: {material.source}", f"its strongest lines, degrees 2θ at Cu Kα1: {lines}"),
    )


def strongest_lines(structure: xr.Dataset) -> list[tuple[str, float]]:
    """Return indices and angle (degree 2θ) of the strongest powder lines, in the order of their angles.

    Intensities are multiplicity × |F|² × the Lorentz and polarization factor of a powder in Bragg–Brentano geometry.
    """
    import gemmi

    atoms = expand(structure)
    wavelength = XrdSettings().wavelength_alpha1
    small = gemmi.SmallStructure()
    small.cell = atoms.cell
    small.spacegroup_hm = "P 1"
    for element, position, occupancy in zip(atoms.element, atoms.fractional, atoms.occupancy, strict=True):
        site = gemmi.SmallStructure.Site()
        site.element, site.fract, site.occ = gemmi.Element(str(element)), gemmi.Fractional(*position), float(occupancy)
        small.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    found: dict[float, tuple[float, tuple[bool, tuple[int, ...]]]] = {}
    densest = np.cbrt(2 * np.pi / 3 * small.cell.volume / MOST_REFLECTIONS)
    shortest = max(wavelength / (2 * np.sin(np.radians(HIGHEST / 2))), densest)
    for hkl in gemmi.make_miller_array(small.cell, gemmi.SpaceGroup("P 1"), shortest):
        d = small.cell.calculate_d(hkl)
        angle = float(bragg_two_theta(d, wavelength))
        theta = np.radians(angle / 2)
        factor = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
        strength = factor * abs(calculator.calculate_sf_from_small_structure(small, hkl)) ** 2
        indices = tuple(map(int, hkl))
        shown = min(indices) >= 0, indices  # of equivalent reflections, one without negative indices is named
        total, other = found.get(round(angle, 2), (0.0, shown))
        found[round(angle, 2)] = total + strength, max(other, shown)
    strongest = sorted(found.items(), key=lambda item: -item[1][0])[:SHOWN]
    return [(name_of(indices), angle) for angle, (_, (_, indices)) in sorted(strongest)]
