"""Crystal structures: cells, reflections, and what a structure file says about bonds, layers and displacements."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gemmi
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.techniques.structure.settings import StructureSettings

AVOGADRO = 0.602214076
"""Avogadro's number in units of 1e24/mol: turns g/mol per cubic angstrom into g/cm³."""
VIEW = (2, 2, 1)
"""Cells along a, b, c that a drawing shows."""
SAME_SITE = 0.01
"""Distance (angstrom) under which two symmetry images are one atom."""


# --- cells and reflections -----------------------------------------------------------------------------------------
def d_spacing(cell: Mapping[str, Any], hkl: Sequence[int]) -> tuple[float, float]:
    """Return the distance of lattice planes of a hexagonal cell and its standard uncertainty.

    Parameters
    ----------
    cell
        ``a``, ``c`` and their ``a_uncertainty``, ``c_uncertainty`` (angstrom).
    hkl
        Miller indices.

    Returns
    -------
    tuple
        d and its uncertainty from those of a and c (angstrom).
    """
    d = hexagonal(cell["a"], cell["c"]).calculate_d(list(hkl))
    h, k, index = hkl
    in_plane = 4 / 3 * (h * h + h * k + k * k) / cell["a"] ** 3 * cell["a_uncertainty"]
    along_c = index**2 / cell["c"] ** 3 * cell["c_uncertainty"]
    return d, d**3 * math.hypot(in_plane, along_c)


def hexagonal(a: float, c: float) -> gemmi.UnitCell:
    """Return a hexagonal unit cell (edges in angstrom)."""
    return gemmi.UnitCell(a, a, c, 90, 90, 120)


def bragg_two_theta(d: np.ndarray | float, wavelength: float) -> np.ndarray:
    """Return the diffraction angle 2θ (degree) of planes of distance d; NaN where no line exists."""
    sine = wavelength / (2 * np.asarray(d, float))
    return np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan)))


def allowed_basal(cell: Mapping[str, Any], d_min: float) -> list[int]:
    """List l of the 00l reflections with d ≥ d_min (angstrom) that the space group does not extinguish."""
    operations = gemmi.SpaceGroup(cell["space_group"]).operations()
    highest = math.floor(cell["c"] / d_min)
    return [index for index in range(1, highest + 1) if not operations.is_systematically_absent([0, 0, index])]


# --- a structure ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Atoms:
    """All atoms of one cell.

    Attributes
    ----------
    cell
        The unit cell.
    fractional, uncertainty
        Coordinates and their standard uncertainties, (n, 3), fractions of the cell edges.
    element
        Chemical symbols, (n,).
    occupancy
        Occupancies, (n,).
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
    """A bond from atom ``begin`` to atom ``end`` in the cell shifted by ``shift``; length and error in angstrom."""

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
) -> dict[str, tuple[float, float, str]]:
    """Return the gap between layers and the offsets of elements from the middles of their layers.

    ``relative_error`` is that of the cell edges; the middle of a layer is half way between its outermost atoms.
    """
    c = atoms.basis[2, 2]
    error = float(np.median(atoms.uncertainty[:, 2])) * c

    def number(value: float, atoms_used: float) -> tuple[float, float, str]:
        return value, math.hypot(error * math.sqrt(atoms_used), value * relative_error), "angstrom"

    thickness = np.mean([np.ptp(_unwrapped(atoms, layer)) for layer in layers]) * c
    result = {"van_der_waals_gap": number(c / len(layers) - thickness, 2)}
    for element in displaced:
        offsets = []
        for index, layer in enumerate(layers, start=1):
            offset = _offset(atoms, layer, element)
            if math.isnan(offset):
                continue
            result[f"offset_{element}_layer_{index}"] = number(offset, 1.5)
            offsets.append(offset)
        if offsets:
            result[f"offset_{element}_mean"] = number(float(np.mean(offsets)), 1.5)
    return result


# --- the analysis --------------------------------------------------------------------------------------------------
def analyse(measurements: Sequence[Measurement], settings: StructureSettings) -> Result:
    """Describe structure files: cell volume, density, bonds, layers, and displacements of the mobile ions.

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
    published = published_cell(settings.cell, settings.model_dump()["cells"]) if settings.cell else None
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    for measurement in measurements:
        region = measurement.only
        if "operations" not in region.attrs:
            held = ", ".join(map(str, region.data_vars))
            raise AnalysisError(
                f"{measurement.id}: no crystal structure (CIF) but {held}; mend its technique in the sheet"
            )
        atoms = expand(region)
        layers = split_layers(atoms, settings.layer_gap)
        if not layers:
            raise AnalysisError(
                f"{measurement.id}: no gap wider than {settings.layer_gap} angstrom along c: not a layered structure"
            )
        relative = max(float(region[f"{edge}_uncertainty"] / region[edge]) for edge in ("length_a", "length_c"))
        found = {pair: find_bonds(atoms, pair, longest, relative) for pair, longest in settings.bonds.items()}
        values = cell_numbers(atoms, region, len(layers)) | layer_numbers(atoms, layers, settings.displaced, relative)
        values |= bond_numbers(atoms, found)
        rows += measured(measurement, "cif", values, "geometry of the structure file", n=len(atoms.element))
        if settings.cell and published:
            rows += measured(measurement, settings.cell, published_numbers(published), published["source"])
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement) | _labels(measurement, region))
        groups |= {f"{measurement.id}/{name}": part for name, part in view(atoms, found).items()}
        groups[f"{measurement.id}/layers"] = layer_curves(atoms, layers, settings.displaced)
    return Result(rows, groups)


def published_cell(name: str, cells: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a published cell by its name in the settings."""
    if name not in cells:
        raise AnalysisError(f"cell '{name}' is not among the published cells of the settings: {', '.join(cells)}")
    return cells[name]


def cell_numbers(atoms: Atoms, region: xr.Dataset, layers: int) -> dict[str, tuple[float, float, str]]:
    """Return volume, mass, density and the spacings that microscopy sees, with the uncertainties of the cell."""
    a, c = atoms.cell.a, atoms.cell.c
    u_a, u_c = (float(region[f"{name}_uncertainty"]) for name in ("length_a", "length_c"))
    volume = atoms.cell.volume
    relative = math.hypot(2 * u_a / a, u_c / c)
    mass = sum(gemmi.Element(name).weight * part for name, part in zip(atoms.element, atoms.occupancy, strict=True))
    units = float(region.attrs.get("formula_units", 1))
    density = mass / (volume * AVOGADRO)
    d_100, d_110 = (atoms.cell.calculate_d(hkl) for hkl in ([1, 0, 0], [1, 1, 0]))
    return {
        "cell_volume": (volume, volume * relative, "angstrom**3"),
        "formula_mass": (mass / units, math.nan, "g/mol"),
        "density": (density, density * relative, "g/cm**3"),
        "interlayer_spacing": (c / layers, u_c / layers, "angstrom"),
        "d_100": (d_100, d_100 * u_a / a, "angstrom"),
        "d_110": (d_110, d_110 * u_a / a, "angstrom"),
    }


def bond_numbers(atoms: Atoms, found: Mapping[str, list[Bond]]) -> dict[str, tuple[float, float, str]]:
    """Return mean, shortest and longest length of each kind of bond, and how many an atom has."""
    result = {}
    for pair, bonds in found.items():
        if not bonds:
            continue
        first, second = pair.split("-")
        name = f"{first}_{second}"
        lengths = np.array([bond.length for bond in bonds])
        # Symmetry images share their error: a mean over them is no more certain than one of them.
        error = float(np.mean([bond.error for bond in bonds]))
        ends = 2 if first == second else 1
        result[f"bond_{name}"] = (float(lengths.mean()), error, "angstrom")
        result[f"bond_{name}_min"] = (float(lengths.min()), error, "angstrom")
        result[f"bond_{name}_max"] = (float(lengths.max()), error, "angstrom")
        result[f"coordination_{name}"] = (ends * len(bonds) / np.sum(atoms.element == first), math.nan, "1")
    return result


def published_numbers(cell: Mapping[str, Any]) -> dict[str, tuple[float, float, str]]:
    """Return the spacings of a published cell: in the plane, between layers, and of its allowed 00l planes."""
    layers = cell["layers"]
    result = {
        "interlayer_spacing": (cell["c"] / layers, cell["c_uncertainty"] / layers, "angstrom"),
        "d_100": (*d_spacing(cell, (1, 0, 0)), "angstrom"),
        "d_110": (*d_spacing(cell, (1, 1, 0)), "angstrom"),
    }
    for index in allowed_basal(cell, d_min=1.0):
        result[f"d_00{index}"] = (*d_spacing(cell, (0, 0, index)), "angstrom")
    return result


def _labels(measurement: Measurement, region: xr.Dataset) -> dict[str, Any]:
    return {"space_group": region.attrs["space_group"], "title": region.attrs.get("title", measurement.id)}


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
    axes = {axis: (positions[:, index], f"position along {axis}") for index, axis in enumerate("xyz")}
    drawn = xr.Dataset({axis: _lengths("atom", values, name) for axis, (values, name) in axes.items()})
    drawn["element"] = xr.Variable("atom", np.tile(atoms.element, len(cells)), {"units": "1", "long_name": "element"})
    label = {"units": "1", "long_name": "index of the atom at each end of a bond"}
    ends = xr.Dataset({"atom": xr.Variable(("bond", "end"), np.array(pairs, int).reshape(-1, 2), label)})
    corners = xr.Dataset({"vector": _lengths(("edge", "axis"), atoms.basis.T, "cell vectors a, b, c")})
    return {"atoms": drawn, "bonds": ends, "cell": corners}


def layer_curves(atoms: Atoms, layers: Sequence[np.ndarray], displaced: Sequence[str]) -> xr.Dataset:
    """Return the middle of each layer and the offsets of elements from it (angstrom)."""
    middles = np.array([_middle(atoms, layer) for layer in layers]) * atoms.basis[2, 2]
    result = xr.Dataset({"middle": _lengths("layer", middles, "height of the middle of the layer")})
    for element in displaced:
        offsets = np.array([_offset(atoms, layer, element) for layer in layers])
        result[f"offset_{element}"] = _lengths("layer", offsets, f"{element} above the middle of the layer")
    return result


def _lengths(dims: str | tuple[str, ...], values: np.ndarray, name: str) -> xr.Variable:
    return xr.Variable(dims, values, {"units": "angstrom", "long_name": name})
