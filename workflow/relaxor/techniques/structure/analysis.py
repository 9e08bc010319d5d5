"""Crystal structures: published cells and their reflections, and the bonds, layers and offsets of a structure file."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Quantity, Result, measured
from relaxor.core.variables import dataset, variable
from relaxor.techniques.structure import quantities as q
from relaxor.techniques.structure.settings import Cell, StructureSettings

AVOGADRO = 0.602214076
"""Avogadro's number in units of 1e24/mol, which turns g/mol per cubic angstrom into g/cm³."""
VIEW = (2, 2, 1)
"""Numbers of cells along a, b and c that a drawing shows."""
SAME_SITE = 0.01
"""Distance (angstrom) under which two symmetry images are one atom."""
IN_PLANE = ((1, 0, 0), (1, 1, 0))
"""Miller indices of the lattice planes that microscopy sees along c."""
Values = dict[tuple[Quantity, str], tuple[float, float]]
"""Value and standard error by quantity and feature."""


# --- cells and reflections -----------------------------------------------------------------------------------------
def d_spacing(cell: Cell, hkl: Sequence[int]) -> tuple[float, float]:
    """Return the distance of lattice planes of a hexagonal cell and its standard uncertainty.

    Parameters
    ----------
    cell
        The cell, with the uncertainties of its edges.
    hkl
        Miller indices.

    Returns
    -------
    tuple
        Distance and its uncertainty from those of a and c (angstrom).
    """
    d = hexagonal(cell.a, cell.c).calculate_d(list(hkl))
    h, k, index = hkl
    in_plane = 4 / 3 * (h * h + h * k + k * k) / cell.a**3 * cell.a_uncertainty
    along_c = index**2 / cell.c**3 * cell.c_uncertainty
    return d, d**3 * math.hypot(in_plane, along_c)


def name_of(hkl: Iterable[int]) -> str:
    """Return Miller indices as the feature of a number: ``002``."""
    return "".join(map(str, hkl))


def hexagonal(a: float, c: float) -> gemmi.UnitCell:
    """Return a hexagonal unit cell (edges in angstrom)."""
    return gemmi.UnitCell(a, a, c, 90, 90, 120)


def bragg_two_theta(d: np.ndarray | float, wavelength: float) -> np.ndarray:
    """Return the diffraction angle 2θ (degree) of lattice planes of distance d, NaN where there is no line."""
    sine = wavelength / (2 * np.asarray(d, float))
    return np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan)))


def allowed_basal(cell: Cell, d_min: float) -> list[int]:
    """List l of the 00l reflections with d ≥ d_min (angstrom) that the space group does not extinguish."""
    operations = gemmi.SpaceGroup(cell.space_group).operations()
    highest = math.floor(cell.c / d_min)
    return [index for index in range(1, highest + 1) if not operations.is_systematically_absent([0, 0, index])]


# --- a structure ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Atoms:
    """The atoms of one cell.

    Attributes
    ----------
    cell
        The unit cell.
    fractional, uncertainty
        Coordinates and their standard uncertainties as fractions of the cell edges, shape (n, 3).
    element
        Chemical symbols, shape (n,).
    occupancy
        Occupancies, shape (n,).
    """

    cell: gemmi.UnitCell
    fractional: np.ndarray
    uncertainty: np.ndarray
    element: np.ndarray
    occupancy: np.ndarray

    @property
    def basis(self) -> np.ndarray:
        """Matrix that turns fractional into Cartesian coordinates (angstrom)."""
        return np.array(self.cell.orth.mat.tolist())


def expand(region: xr.Dataset) -> Atoms:
    """Apply the symmetry operations of a structure file to the sites that it lists."""
    edges = [float(region[name]) for name in ("length_a", "length_b", "length_c")]
    angles = [float(region[name]) for name in ("angle_alpha", "angle_beta", "angle_gamma")]
    cell = gemmi.UnitCell(*edges, *angles)
    operations = [gemmi.Op(triplet) for triplet in region.attrs["operations"].split(";")]
    positions: list[np.ndarray] = []
    source: list[int] = []
    for site in range(region.sizes["atom"]):
        listed = [float(region[axis][site]) for axis in "xyz"]
        images: list[np.ndarray] = []
        for operation in operations:
            image = np.mod(operation.apply_to_xyz(listed), 1.0)
            if all(_separation(cell, image, other) > SAME_SITE for other in images):
                images.append(image)
        positions += images
        source += [site] * len(images)
    uncertainty = np.column_stack([region[f"{axis}_uncertainty"].values for axis in "xyz"])
    return Atoms(
        cell=cell,
        fractional=np.array(positions),
        uncertainty=uncertainty[source],
        element=region["element"].values.astype(str)[source],
        occupancy=region["occupancy"].values[source],
    )


def _separation(cell: gemmi.UnitCell, one: np.ndarray, other: np.ndarray) -> float:
    difference = one - other
    return cell.orthogonalize(gemmi.Fractional(*(difference - np.round(difference)))).length()


@dataclass(frozen=True)
class Bond:
    """A bond from atom ``begin`` to atom ``end`` of the cell that is ``shift`` away; length and error in angstrom."""

    begin: int
    end: int
    shift: tuple[int, int, int]
    length: float
    error: float


def find_bonds(atoms: Atoms, pair: str, longest: float, relative_error: float) -> list[Bond]:
    """Find all bonds of a pair of elements, each once, from atoms of the first element.

    Parameters
    ----------
    atoms
        The cell.
    pair
        Elements, ``"Cu-Se"``.
    longest
        Longest distance that is a bond (angstrom).
    relative_error
        Relative standard uncertainty of the cell edges.
    """
    first, second = pair.split("-")
    found = []
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    for begin in np.flatnonzero(atoms.element == first):
        for end in np.flatnonzero(atoms.element == second):
            vectors = (atoms.fractional[end] + shifts - atoms.fractional[begin]) @ atoms.basis.T
            lengths = np.linalg.norm(vectors, axis=1)
            for index in np.flatnonzero((lengths < longest) & (lengths > SAME_SITE)):
                if first == second and (end, *shifts[index]) < (begin, *-shifts[index]):
                    continue
                direction = vectors[index] / lengths[index] @ atoms.basis
                places = np.hypot(atoms.uncertainty[begin], atoms.uncertainty[end])
                error = math.hypot(np.linalg.norm(direction * places), lengths[index] * relative_error)
                h, k, m = (int(step) for step in shifts[index])
                found.append(Bond(int(begin), int(end), (h, k, m), float(lengths[index]), error))
    return found


def split_layers(atoms: Atoms, gap: float) -> list[np.ndarray]:
    """Group atoms into layers separated along c by more than ``gap`` (angstrom).

    Returns
    -------
    list of array
        Indices of the atoms of each layer, by the height of its middle.
    """
    height = atoms.fractional[:, 2]
    order = np.argsort(height)
    step = np.diff(height[order], append=height[order[0]] + 1) * atoms.basis[2, 2]
    cuts = np.flatnonzero(step > gap)
    if not cuts.size:
        return []
    rolled = np.roll(order, -(cuts[0] + 1))
    sizes = np.diff(np.append(cuts, cuts[0] + len(order)))
    layers = np.split(rolled, np.cumsum(sizes)[:-1])
    return sorted(layers, key=lambda layer: float(np.mod(_middle(atoms, layer), 1)))


def _unwrapped(atoms: Atoms, layer: np.ndarray) -> np.ndarray:
    """Return heights of a layer without the jump at the border of the cell, fractions of c."""
    height = atoms.fractional[layer, 2]
    return height + (height < height[0] - 1e-9)


def _offset(atoms: Atoms, layer: np.ndarray, element: str) -> float:
    """Return how far (angstrom) an element stands above the middle of a layer, NaN where the layer has none."""
    chosen = atoms.element[layer] == element
    if not chosen.any():
        return math.nan
    return float((np.mean(_unwrapped(atoms, layer)[chosen]) - _middle(atoms, layer)) * atoms.basis[2, 2])


def _middle(atoms: Atoms, layer: np.ndarray) -> float:
    height = _unwrapped(atoms, layer)
    return float((height.max() + height.min()) / 2)


def layer_numbers(
    atoms: Atoms, layers: Sequence[np.ndarray], displaced: Sequence[str], relative_error: float
) -> Values:
    """Return the gap between layers and the offsets of elements from the middles of their layers.

    The middle of a layer is half way between its outermost atoms; ``relative_error`` is that of the cell edges.
    """
    c = atoms.basis[2, 2]
    error = float(np.median(atoms.uncertainty[:, 2])) * c

    def number(value: float, atoms_used: float) -> tuple[float, float]:
        return value, math.hypot(error * math.sqrt(atoms_used), value * relative_error)

    thickness = np.mean([np.ptp(_unwrapped(atoms, layer)) for layer in layers]) * c
    result: Values = {(q.VAN_DER_WAALS_GAP, ""): number(c / len(layers) - thickness, 2)}
    for element in displaced:
        offsets = {index: _offset(atoms, layer, element) for index, layer in enumerate(layers, start=1)}
        known = {index: offset for index, offset in offsets.items() if not math.isnan(offset)}
        result |= {(q.LAYER_OFFSET, f"{element} layer {index}"): number(offset, 1.5) for index, offset in known.items()}
        if known:
            result[q.MEAN_LAYER_OFFSET, element] = number(float(np.mean(list(known.values()))), 1.5)
    return result


# --- the analysis --------------------------------------------------------------------------------------------------
def analyse(measurements: Sequence[Measurement], settings: StructureSettings) -> Iterator[Result]:
    """Describe structure files: cell volume, density, bonds, layers, and offsets of elements from their layers.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `StructureSettings`.

    Raises
    ------
    AnalysisError
        If a file is no structure, if a structure has no layers, or the published cell is not among ``cells``.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: StructureSettings) -> Result:
    cells = [region for region in measurement.regions.values() if "operations" in region.attrs]
    region = cells[0] if len(cells) == 1 else measurement.only  # a CIF may hold powder patterns beside its cell
    if "operations" not in region.attrs:
        held = ", ".join(map(str, region.data_vars))
        raise AnalysisError(
            f"{measurement.id}: no crystal structure (CIF) but {held}; correct its technique in the sheet"
        )
    atoms = expand(region)
    layers = split_layers(atoms, settings.layer_gap)
    if not layers:
        raise AnalysisError(
            f"{measurement.id}: no gap wider than {settings.layer_gap} angstrom along c: not a layered structure"
        )
    relative = max(float(region[f"{edge}_uncertainty"] / region[edge]) for edge in ("length_a", "length_c"))
    bonds = {pair: find_bonds(atoms, pair, longest, relative) for pair, longest in settings.bonds.items()}
    values = cell_numbers(atoms, region, len(layers)) | layer_numbers(atoms, layers, settings.displaced, relative)
    values |= bond_numbers(atoms, bonds)
    rows = measured(measurement, q.CIF, values, "geometry of the structure file", n=len(atoms.element))
    if cell := settings.published:
        rows += measured(measurement, q.PUBLISHED_CELL, published_numbers(settings.cell, cell), cell.source)
    title = settings.titles.get(measurement.id, region.attrs.get("title", measurement.id))
    parts = view(atoms, bonds) | {
        "elements": looks(atoms, settings),
        "layers": layer_curves(atoms, layers, settings.displaced),
    }
    return Result.of(measurement, rows, parts, space_group=region.attrs["space_group"], title=title)


def cell_numbers(atoms: Atoms, region: xr.Dataset, layers: int) -> Values:
    """Return volume, mass, density and the spacings that microscopy sees, with the uncertainties of the cell."""
    a, c = atoms.cell.a, atoms.cell.c
    u_a, u_c = (float(region[f"{name}_uncertainty"]) for name in ("length_a", "length_c"))
    volume = atoms.cell.volume
    relative = math.hypot(2 * u_a / a, u_c / c)
    mass = sum(gemmi.Element(name).weight * part for name, part in zip(atoms.element, atoms.occupancy, strict=True))
    units = float(region.attrs.get("formula_units", 1))
    density = mass / (volume * AVOGADRO)
    spacings = {hkl: atoms.cell.calculate_d(list(hkl)) for hkl in IN_PLANE}
    return {
        (q.CELL_VOLUME, ""): (volume, volume * relative),
        (q.FORMULA_MASS, ""): (mass / units, math.nan),
        (q.DENSITY, ""): (density, density * relative),
        (q.INTERLAYER_SPACING, ""): (c / layers, u_c / layers),
        **{(q.LATTICE_SPACING, name_of(hkl)): (d, d * u_a / a) for hkl, d in spacings.items()},
    }


def bond_numbers(atoms: Atoms, found: Mapping[str, list[Bond]]) -> Values:
    """Return mean, shortest and longest length of each kind of bond, and how many of them an atom has."""
    result: Values = {}
    for pair, bonds in found.items():
        if not bonds:
            continue
        first, second = pair.split("-")
        lengths = np.array([bond.length for bond in bonds])
        # Symmetry images share their error: a mean over them is no more certain than one of them.
        error = float(np.mean([bond.error for bond in bonds]))
        ends = 2 if first == second else 1
        result[q.BOND_LENGTH, pair] = float(lengths.mean()), error
        result[q.SHORTEST_BOND_LENGTH, pair] = float(lengths.min()), error
        result[q.LONGEST_BOND_LENGTH, pair] = float(lengths.max()), error
        result[q.COORDINATION, pair] = ends * len(bonds) / np.sum(atoms.element == first), math.nan
    return result


def published_numbers(name: str | None, cell: Cell) -> Values:
    """Return the spacings of a published cell: between layers, in the plane, and of its allowed 00l planes."""
    planes = [*IN_PLANE, *((0, 0, index) for index in allowed_basal(cell, d_min=1.0))]
    return {
        (q.INTERLAYER_SPACING, name or ""): (cell.c / cell.layers, cell.c_uncertainty / cell.layers),
        **{(q.LATTICE_SPACING, name_of(hkl)): d_spacing(cell, hkl) for hkl in planes},
    }


def view(atoms: Atoms, found: Mapping[str, list[Bond]]) -> dict[str, xr.Dataset]:
    """Return atoms and bonds of `VIEW` cells in Cartesian coordinates (angstrom), and the corners of one cell."""
    cells = list(itertools.product(*(range(count) for count in VIEW)))
    positions = np.vstack([(atoms.fractional + shift) @ atoms.basis.T for shift in cells])
    size = len(atoms.element)
    number = {shift: index * size for index, shift in enumerate(cells)}
    pairs = [
        (number[shift] + bond.begin, number[other] + bond.end)
        for bonds in found.values()
        for bond in bonds
        for shift in cells
        if (other := tuple(np.add(shift, bond.shift).tolist())) in number
    ]
    columns = {axis: (positions[:, index], "angstrom", f"position along {axis}") for index, axis in enumerate("xyz")}
    drawn = dataset("atom", {**columns, "element": (np.tile(atoms.element, len(cells)), "1", "element")})
    label = "index of the atom at each end of a bond"
    ends = xr.Dataset({"atom": variable(("bond", "end"), np.array(pairs, int).reshape(-1, 2), "1", label)})
    corners = variable(("edge", "axis"), atoms.basis.T, "angstrom", "cell vectors a, b, c")
    return {"atoms": drawn, "bonds": ends, "cell": xr.Dataset({"vector": corners})}


def looks(atoms: Atoms, settings: StructureSettings) -> xr.Dataset:
    """Return the colour (empty where the settings give none) and the diameter of the ball of each element."""
    present = [str(name) for name in np.unique(atoms.element)]
    names = sorted(present, key=lambda name: [*settings.colors, name].index(name))
    colors = [settings.colors.get(name, "") for name in names]
    diameters = [settings.diameters.get(name, gemmi.Element(name).covalent_r) for name in names]
    columns = {
        "color": (colors, "1", "colour of the ball"),
        "diameter": (diameters, "angstrom", "diameter of the ball"),
    }
    return dataset("element", columns, {"element": (names, "1", "element")})


def layer_curves(atoms: Atoms, layers: Sequence[np.ndarray], displaced: Sequence[str]) -> xr.Dataset:
    """Return the middle of each layer and the offsets of elements from it (angstrom)."""
    middles = np.array([_middle(atoms, layer) for layer in layers]) * atoms.basis[2, 2]
    offsets = np.array([[_offset(atoms, layer, element) for layer in layers] for element in displaced])
    meaning = "height of the element above the middle of the layer"
    columns = {"offset": (offsets.reshape(-1, len(layers)), "angstrom", meaning)}
    elements = {"element": (np.array(displaced, dtype=str), "1", "element")}
    return dataset(("element", "layer"), columns, elements).assign(
        middle=variable("layer", middles, "angstrom", "height of the middle of the layer")
    )
