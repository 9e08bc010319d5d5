"""Model structures of a layered crystal, written as CIF files: two layers in a trigonal cell, in several states.

Metals and pairs of one element sit on the threefold axes of a layer. Ligands lie on a line from the atom to which they
are bonded, seen along c, towards a point of the layer. The states differ in the symmetry operation that makes the
second layer from the first.
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any

import gemmi
import numpy as np
from pydantic import BeforeValidator

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth

LAYER_MIDDLE = 0.25
"""Height of the first layer in the cell; the second is at 0.75."""
LAYERS = 2
"""Layers in the cell."""
THREEFOLD = ("x,y,z", "-y,x-y,z", "-x+y,-x,z")
AVOGADRO = 0.602214076
"""Avogadro's number in units of 1e24/mol."""
Coordinate = Annotated[float, BeforeValidator(lambda text: float(Fraction(text)))]
"""A fractional coordinate, which may be written as a fraction: ``1/3``."""


class Site(Section):
    """A site of the first layer."""

    height: float = setting(..., "angstrom")
    """Height above the middle of the layer."""
    place: tuple[Coordinate, Coordinate]
    """Place in the plane as fractions of a and b; of a ligand the place towards which its bond leans."""
    bonded_to: str = ""
    """Site to which a ligand is bonded; empty for sites on a threefold axis."""


class Crystal(Section):
    """A hexagonal cell of two layers."""

    formula: dict[str, int]
    """Atoms of each element in a formula unit."""
    atomic_weights: dict[str, float]
    """Standard atomic weights of the elements."""
    formula_units: int
    """Formula units in the cell."""
    a: float = setting(..., "angstrom")
    """Cell edge a."""
    a_digits: int
    """Uncertainty of the last digits of a."""
    c: float = setting(..., "angstrom")
    """Cell edge c."""
    c_digits: int
    """Uncertainty of the last digits of c."""
    mean_group: str
    """Space group of the mean of all states, as gemmi reads it."""
    ligand_bond: float = setting(..., "angstrom")
    """Distance of a ligand from the atom to which it is bonded."""
    sites: dict[str, Site]
    """Sites by label: an element and a number."""

    @property
    def basis(self) -> np.ndarray:
        """Cell vectors as columns, Cartesian coordinates in angstrom, shape (3, 3)."""
        return np.array([[self.a, -self.a / 2, 0.0], [0.0, self.a * math.sqrt(3) / 2, 0.0], [0.0, 0.0, self.c]])

    def positions(self) -> dict[str, np.ndarray]:
        """Return the fractional coordinates of the sites of the first layer by label."""
        result = {}
        for label, site in self.sites.items():
            position = np.array([*site.place, LAYER_MIDDLE + site.height / self.c])
            if site.bonded_to:
                center = self.sites[site.bonded_to]
                direction = np.array([*site.place, 0.0]) - np.array([*center.place, 0.0])
                across = math.sqrt(self.ligand_bond**2 - (site.height - center.height) ** 2)
                position[:2] = center.place
                position = position + across * direction / np.linalg.norm(self.basis @ direction)
            result[label] = position
        return result


class State(Section):
    """A state of the crystal, and the file of its structure."""

    file: FileEntry
    """The file."""
    group: str
    """Space group, as it is written."""
    number: int
    """Number of the space group."""
    second_layer: str
    """Symmetry operation that makes the second layer from the first."""
    block: str
    """Name of the data block."""
    title: str
    """Title of the structure."""
    comments: list[str]
    """Lines above the data block."""


class Specimen(Section):
    """A crystal in several states."""

    crystal: Crystal
    """What all states have in common."""
    temperature: str
    """Temperature for which the cell holds, in K with the uncertainty of its last digit."""
    displaced: list[str]
    """Sites off the middle of the layer that tell the states apart."""
    states: list[State]
    """The states."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield one CIF file per state of a `Specimen`; nothing in them is random."""
    specimen = Specimen.model_validate(values)
    for state in specimen.states:
        content = _cif(specimen, state).encode("ascii")
        yield SampleFile.of(state.file, "structure", content, truth=tuple(_truth(specimen, state)))


def _cif(specimen: Specimen, state: State) -> str:
    crystal = specimen.crystal
    operations = [gemmi.Op(triplet) for triplet in THREEFOLD]
    operations += [gemmi.Op(state.second_layer) * operation for operation in operations]
    formula = " ".join(f"{name}{count if count > 1 else ''}" for name, count in crystal.formula.items())
    lines = [
        *(f"# {comment}" for comment in state.comments),
        f"data_{state.block}",
        f"_publ_section_title '{state.title}'",
        "_audit_creation_date 2024-11-04",
        f"_chemical_formula_sum '{formula}'",
        f"_cell_length_a {crystal.a:.4f}({crystal.a_digits})",
        f"_cell_length_b {crystal.a:.4f}({crystal.a_digits})",
        f"_cell_length_c {crystal.c:.3f}({crystal.c_digits})",
        "_cell_angle_alpha 90",
        "_cell_angle_beta 90",
        "_cell_angle_gamma 120",
        f"_cell_formula_units_Z {crystal.formula_units}",
        f"_cell_measurement_temperature {specimen.temperature}",
        f"_space_group_name_H-M_alt '{state.group}'",
        f"_space_group_IT_number {state.number}",
        "loop_",
        "_space_group_symop_operation_xyz",
        *(f"'{operation.wrap().triplet()}'" for operation in operations),
        "loop_",
        *(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")),
    ]
    for label, position in crystal.positions().items():
        coordinates = " ".join(f"{value:.6f}" for value in position)
        lines.append(f"{label} {label[:-1]} {coordinates} 1")
    return "\n".join(lines) + "\n"


def _truth(specimen: Specimen, state: State) -> Iterator[Truth]:
    crystal = specimen.crystal
    a, c, sites = crystal.a, crystal.c, crystal.sites
    volume = a * a * math.sqrt(3) / 2 * c
    mass = sum(crystal.atomic_weights[element] * count for element, count in crystal.formula.items())
    heights = [site.height for site in sites.values()]
    yield Truth("cif", "cell_volume", volume, "angstrom**3")
    yield Truth("cif", "density", crystal.formula_units * mass / (volume * AVOGADRO), "g/cm**3")
    yield Truth("cif", "interlayer_spacing", c / LAYERS, "angstrom")
    yield Truth("cif", "lattice_spacing", a * math.sqrt(3) / 2, "angstrom", "100")
    yield Truth("cif", "lattice_spacing", a / 2, "angstrom", "110")
    yield Truth("cif", "van_der_waals_gap", c / LAYERS - (max(heights) - min(heights)), "angstrom")
    (ligand, center), (_, other) = ((label, site.bonded_to) for label, site in sites.items() if site.bonded_to)
    pair = abs(sites[center].height - sites[other].height)
    yield Truth("cif", "bond_length", pair, "angstrom", f"{center[:-1]}-{other[:-1]}")
    yield Truth("cif", "bond_length", crystal.ligand_bond, "angstrom", f"{center[:-1]}-{ligand[:-1]}")
    sense = -1 if "-z" in state.second_layer else 1
    for label in specimen.displaced:
        element, offset = label[:-1], sites[label].height
        yield Truth("cif", "layer_offset", offset, "angstrom", f"{element} layer 1")
        yield Truth("cif", "layer_offset", sense * offset, "angstrom", f"{element} layer 2")
        yield Truth("cif", "mean_layer_offset", (offset + sense * offset) / 2, "angstrom", element)
