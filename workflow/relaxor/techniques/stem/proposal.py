"""The lattice and the columns of a material along an axis of its cell, from its structure file."""

from itertools import product

import numpy as np

from relaxor.techniques.material import Material, Proposed
from relaxor.techniques.stem import general, systems
from relaxor.techniques.stem.settings import Site, StemSettings
from relaxor.techniques.structure.analysis import Atoms, expand

SAME = 0.05
"""Distance (angstrom) in projection under which two atoms stand in one column."""

EXACT = 0.002
"""Standard uncertainty of the strain of a published cell, against which its system is tested."""


def propose(material: Material) -> Proposed | None:
    """Propose the lattice along [001] and the columns that a HAADF image shows there; a formula alone tells neither.

    The axis c is that of most symmetry in the standard setting of every tetragonal, hexagonal and trigonal cell; other
    crystals, and other samples, are seen along other axes, which the comment says.
    """
    if material.structure is None:
        return None
    atoms, assumed = expand(material.structure), StemSettings()
    cell = _projected(atoms)
    strength = _strengths(atoms, assumed.z_exponent)
    lattice = cell @ _primitive(cell, atoms, strength)
    lattice = lattice @ systems.reduction(lattice)
    found = systems.most_symmetric(systems.departures(lattice), EXACT)
    a, b = systems.edges(lattice, found)
    proposed: dict[str, object] = {} if found.system == systems.HEXAGONAL else {"system": found.system}
    proposed |= {"a": round(a, 4)} | ({} if np.isclose(a, b) else {"b": round(b, 4)})
    sites = _sites(atoms, strength, lattice, np.linalg.inv(lattice) @ cell, 2 * assumed.column_sigma)
    if len(sites) <= general.MOST_SITES:
        proposed["sites"] = [
            {"name": site.name, "label": site.label, "position": list(site.position or ())} for site in sites
        ]
    sources = (
        f"cell: {material.source}",
        f"projected along [001], {found.system}; for another zone axis, give its edges or delete this section",
    )
    return Proposed(proposed, sources)


def _projected(atoms: Atoms) -> np.ndarray:
    """Return the edges a and b of a cell as columns, projected along c (angstrom), shape (2, 2)."""
    a, b, c = atoms.basis.T
    along = c / np.linalg.norm(c)
    first = a - (a @ along) * along
    first /= np.linalg.norm(first)
    axes = np.array([first, np.cross(along, first)])
    return axes @ np.column_stack([a, b])


def _strengths(atoms: Atoms, exponent: float) -> np.ndarray:
    """Return the intensity of each atom on an annular detector."""
    import gemmi

    return atoms.occupancy * np.array([gemmi.Element(str(each)).atomic_number ** exponent for each in atoms.element])


def _primitive(cell: np.ndarray, atoms: Atoms, strength: np.ndarray) -> np.ndarray:
    """Return two shortest periods of the projected atoms as columns, in fractions of a and b, shape (2, 2)."""
    places = atoms.fractional[:, :2]
    kinds = {kind: atoms.element == kind for kind in np.unique(atoms.element)}
    rarest = min(kinds.values(), key=np.sum)

    def seen(points: np.ndarray) -> np.ndarray:
        """Return the intensity of each kind of atom at points, shape (n, kinds)."""
        near = _distances(cell, points[:, None] - places[None]) < SAME
        return np.stack([near[:, kind] @ strength[kind] for kind in kinds.values()], axis=1)

    own = seen(places)
    shifts = [place - places[rarest][0] for place in places[rarest]]
    periods = [shift for shift in shifts if np.allclose(seen(places + shift), own)]
    whole = [np.array(pair, float) for pair in product((-1, 0, 1), repeat=2)]
    every = np.array([period % 1 + shift for period in periods for shift in whole])
    lengths = np.linalg.norm(every @ cell.T, axis=1)
    every = every[lengths > SAME][np.argsort(lengths[lengths > SAME])]
    first = every[0]
    area = np.abs(first[0] * every[:, 1] - first[1] * every[:, 0])
    return np.column_stack([first, every[np.argmax(area > 1e-3)]])


def _distances(cell: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Return distances of projected places whose differences are fractions of a and b."""
    return np.linalg.norm((differences - np.round(differences)) @ cell.T, axis=-1)


def _sites(
    atoms: Atoms, strength: np.ndarray, lattice: np.ndarray, to_lattice: np.ndarray, resolved: float
) -> list[Site]:
    """Return the columns that stand out in the cell of a projected lattice, the brightest first.

    Atoms that a probe does not resolve are one column, at the place of the strongest of them.
    """
    places = (atoms.fractional[:, :2] @ to_lattice.T) % 1
    columns: list[list[int]] = []
    for index in np.argsort(-strength, kind="stable"):
        near = [each for each in columns if _distances(lattice, places[index] - places[each[0]]) < resolved]
        if near:
            near[0].append(int(index))
        else:
            columns.append([int(index)])
    columns.sort(key=lambda column: -strength[column].sum())
    bright = [each for each in columns if strength[each].sum() > general.BRIGHT * strength[columns[0]].sum()]
    sites: list[Site] = []
    for column in bright:
        elements = list(dict.fromkeys(map(str, atoms.element[column])))
        name, label = "-".join(elements), "/".join(elements)
        alike = sum(site.label == label for site in sites)
        x, y = np.round((places[column[0]] - places[bright[0][0]]) % 1, 4) % 1
        sites.append(Site(name=f"{name}_{alike + 1}" if alike else name, label=label, position=(float(x), float(y))))
    return sites
