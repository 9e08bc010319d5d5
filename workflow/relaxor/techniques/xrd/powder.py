"""Index the lines of a phase, and refine its cell from all of their positions, in every crystal system."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gemmi
import lmfit
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.structure.analysis import bragg_two_theta
from relaxor.techniques.xrd.lattice import misaligned
from relaxor.techniques.xrd.quantities import ALIGNMENTS

EDGES = ("a", "b", "c", "alpha", "beta", "gamma")
"""Lengths (angstrom) and angles (degree) of a cell."""
SYSTEMS: Mapping[str, tuple[str | float, ...]] = {
    "cubic": ("a", "a", "a", 90.0, 90.0, 90.0),
    "tetragonal": ("a", "a", "c", 90.0, 90.0, 90.0),
    "hexagonal": ("a", "a", "c", 90.0, 90.0, 120.0),
    "rhombohedral": ("a", "a", "a", "alpha", "alpha", "alpha"),
    "orthorhombic": ("a", "b", "c", 90.0, 90.0, 90.0),
    "monoclinic a": ("a", "b", "c", "alpha", 90.0, 90.0),
    "monoclinic b": ("a", "b", "c", 90.0, "beta", 90.0),
    "monoclinic c": ("a", "b", "c", 90.0, 90.0, "gamma"),
    "triclinic": EDGES,
}
"""What each of `EDGES` is in a crystal system: a parameter or a constant."""
FARTHEST, STEPS, LARGEST_STRETCH = 0.3, 31, 0.004
"""Largest displacement of lines (degree 2θ) and stretch of the starting cell that are searched, and their steps."""
TOLERANCES = (0.12, 0.07, 0.05, 0.05)
"""Distances (degree 2θ) within which a line has the indices of a reflection, from one refinement to the next."""
MODELS = ("no_correction", "displacement", "zero_shift", "displacement_and_zero_shift")
"""Alignments under which cells are refined."""


@dataclass(frozen=True)
class Lattice:
    """A phase with its starting cell.

    Attributes
    ----------
    name
        Name of the phase.
    operations
        Symmetry operations.
    system
        Key of `SYSTEMS`.
    start
        Values of `EDGES`.
    """

    name: str
    operations: gemmi.GroupOps
    system: str
    start: tuple[float, ...]

    @classmethod
    def of(cls, name: str, symbol: str, edges: Mapping[str, float | None]) -> "Lattice":
        """Make a phase of a space group and of the edges and angles that the group leaves free.

        Raises
        ------
        AnalysisError
            If the space group is not known, or an edge or angle is missing.
        """
        group = gemmi.find_spacegroup_by_name(symbol)
        if group is None:
            raise AnalysisError(f"phase '{name}': space group '{symbol}' is not known")
        system = group.crystal_system_str()
        if system == "trigonal":
            system = "rhombohedral" if group.ext == "R" else "hexagonal"
        elif system == "monoclinic":
            system = f"monoclinic {group.monoclinic_unique_axis()}"
        missing = [edge for edge in _free(system) if edges.get(edge) is None]
        if missing:
            raise AnalysisError(f"phase '{name}': a {system} cell needs {', '.join(missing)}")
        values = (edges[of] if isinstance(of, str) else of for of in SYSTEMS[system])
        return cls(name, group.operations(), system, tuple(float(value) for value in values if value is not None))

    @classmethod
    def of_structure(cls, name: str, structure: xr.Dataset) -> "Lattice":
        """Make a phase of a structure file.

        Raises
        ------
        AnalysisError
            If its symmetry operations are those of no space group.
        """
        operations = [gemmi.Op(triplet) for triplet in structure.attrs["operations"].split(";")]
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(operations))
        if group is None:
            raise AnalysisError(f"{name}: the symmetry operations are those of no space group in a known setting")
        kinds = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        return cls.of(
            name, group.xhm(), {edge: float(structure[kind]) for edge, kind in zip(EDGES, kinds, strict=True)}
        )

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the edges and angles that the symmetry leaves free."""
        return _free(self.system)

    @property
    def first(self) -> dict[str, float]:
        """Starting values of `free`."""
        known = dict(zip(EDGES, self.start, strict=True))
        return {name: known[name] for name in self.free}

    def spacings(self, hkl: np.ndarray, edges: Mapping[str, float]) -> np.ndarray:
        """Return distances of planes (angstrom), shape (n,), of indices (n, 3) for a cell with the free ``edges``."""
        a, b, c, alpha, beta, gamma = (edges[of] if isinstance(of, str) else of for of in SYSTEMS[self.system])
        cosines = np.cos(np.radians([alpha, beta, gamma]))
        metric = np.array(
            [
                [a * a, a * b * cosines[2], a * c * cosines[1]],
                [a * b * cosines[2], b * b, b * c * cosines[0]],
                [a * c * cosines[1], b * c * cosines[0], c * c],
            ]
        )
        return np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(metric), hkl) ** -0.5

    def reflections(self, shortest: float) -> np.ndarray:
        """Return the indices of all reflections with a spacing of at least ``shortest`` (angstrom), shape (n, 3).

        Of reflections that lie at one angle in every cell of the crystal system, one is listed.
        """
        group, cell = gemmi.find_spacegroup_by_ops(self.operations), gemmi.UnitCell(*self.start)
        listed = gemmi.make_miller_array(cell, group, shortest)
        allowed = [hkl for hkl in listed.tolist() if not self.operations.is_systematically_absent(hkl)]
        hkl = np.array([self._usual(each) for each in allowed])
        stretched = {name: value * (1 + 0.013 * rank) for rank, (name, value) in enumerate(self.first.items())}
        places = [np.round(self.spacings(hkl, edges), 7) for edges in (self.first, stretched)]
        _, one = np.unique(np.column_stack(places), axis=0, return_index=True)
        return hkl[np.sort(one)]

    def _usual(self, hkl: Sequence[int]) -> tuple[int, ...]:
        """Return the equivalent indices that have the fewest minus signs, and then are the largest."""
        images = [operation.apply_to_hkl(list(hkl)) for operation in self.operations.sym_ops]
        images += [[-index for index in image] for image in images]
        return max((tuple(image) for image in images), key=lambda image: (sum(index >= 0 for index in image), image))


def _free(system: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in SYSTEMS[system] if isinstance(each, str)))


@dataclass(frozen=True)
class Indexed:
    """Lines of a phase.

    Attributes
    ----------
    lattice
        The phase.
    hkl, two_theta, error
        Indices (n, 3), positions (degree 2θ) and their standard errors, shape (n,).
    wavelength, radius
        Wavelength of Kα1 (angstrom); radius of the goniometer (mm).
    """

    lattice: Lattice
    hkl: np.ndarray
    two_theta: np.ndarray
    error: np.ndarray
    wavelength: float
    radius: float

    def refine(self, model: str, moved: np.ndarray | float = 0.0) -> Fit:
        """Refine the cell and the alignment of a model (a key of `ALIGNMENTS`) by least squares of the positions.

        Parameters
        ----------
        moved
            Angles by which the lines are moved (degree 2θ).
        """
        extra = ALIGNMENTS[model]
        start = parameters(**self.lattice.first, **dict.fromkeys(extra, 0.0))

        def residual(p: lmfit.Parameters) -> np.ndarray:
            values = p.valuesdict()
            expected = self.predict(values, *(values.get(name, 0.0) for name in ("sample_displacement", "zero_shift")))
            return (self.two_theta + moved - expected) / self.error

        return fit(residual, start, absolute_sigma=True)

    def predict(self, edges: Mapping[str, float], displacement: float = 0.0, zero: float = 0.0) -> np.ndarray:
        """Return positions of the lines (degree 2θ)."""
        bragg = bragg_two_theta(self.lattice.spacings(self.hkl, edges), self.wavelength)
        return misaligned(np.nan_to_num(bragg, nan=180.0), self.radius, displacement, zero)

    @cached_property
    def enough(self) -> bool:
        """Whether there are more lines than parameters of a displaced cell, and all edges change their places."""
        if len(self.hkl) <= len(self.lattice.free) + 1:
            return False
        return self.refine("displacement").converged


def index_lines(
    lattice: Lattice, two_theta: np.ndarray, error: np.ndarray, area: np.ndarray, wavelength: float, radius: float
) -> tuple[np.ndarray, Indexed]:
    """Give lines the indices of the reflection where the phase has one alone.

    The displacement of the sample and the stretch of the starting cell that put most lines on reflections are searched
    first; then the cell is refined again and again, with closer tolerances.

    Parameters
    ----------
    lattice
        The phase.
    two_theta, error, area
        Positions (degree), their standard errors, and areas of all lines, shape (n,).
    wavelength, radius
        Wavelength of Kα1 (angstrom); radius of the goniometer (mm).

    Returns
    -------
    places, Indexed
        Places of the indexed lines in the arrays, and these lines.
    """
    shortest = wavelength / (2 * math.sin(math.radians(min(two_theta.max() + 2, 179)) / 2))
    hkl = lattice.reflections(shortest / (1 + 2 * LARGEST_STRETCH))
    bragg = bragg_two_theta(lattice.spacings(hkl, lattice.first), wavelength)
    every = Indexed(lattice, hkl, bragg, np.ones(bragg.size), wavelength, radius)
    values: dict[str, Any] = _search(every, two_theta, area)
    places = np.empty(0, dtype=int)
    found = every
    for tolerance in TOLERANCES:
        edges = {name: values[name] for name in lattice.free}
        expected = every.predict(edges, values["sample_displacement"])
        places, which = _matched(expected, two_theta, area, tolerance)
        found = Indexed(lattice, hkl[which], two_theta[places], error[places], wavelength, radius)
        if len(places) <= len(lattice.free) + 1:
            break
        values = dict(found.refine("displacement").params.valuesdict())
    return places, found


def _search(every: Indexed, two_theta: np.ndarray, area: np.ndarray) -> dict[str, float]:
    """Return the displacement (mm) and the stretched cell that put the lines closest to reflections."""
    best, chosen = -1.0, {}
    weight = np.sqrt(area)
    for stretch in np.linspace(-LARGEST_STRETCH, LARGEST_STRETCH, STEPS):
        scale = {name: 1 + stretch if name in EDGES[:3] else 1.0 for name in every.lattice.free}
        edges = {name: value * scale[name] for name, value in every.lattice.first.items()}
        bragg = np.sort(every.predict(edges))
        for shift in np.linspace(-FARTHEST, FARTHEST, STEPS):
            displacement = -math.radians(shift) / 2 * every.radius
            distance = np.min(np.abs(misaligned(bragg, every.radius, displacement) - two_theta[:, None]), axis=1)
            score = float(weight @ np.exp(-0.5 * (distance / TOLERANCES[-1]) ** 2)) - 1e-3 * abs(shift)
            if score > best:
                best, chosen = score, {**edges, "sample_displacement": displacement}
    return chosen


def _matched(
    expected: np.ndarray, two_theta: np.ndarray, area: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of lines that lie at one reflection alone, and the places of these reflections.

    Of several lines at one reflection, the strongest belongs to it.
    """
    distance = np.abs(two_theta[:, None] - expected)
    nearest = distance.argmin(axis=1)
    ordered = np.sort(distance, axis=1)
    second = ordered[:, 1] if expected.size > 1 else np.full(two_theta.size, np.inf)
    alone = (ordered[:, 0] < tolerance) & (second > 2 * tolerance + ordered[:, 0])
    found = {}
    for place in np.argsort(area):
        if alone[place]:
            found[int(nearest[place])] = int(place)
    pairs = sorted((place, reflection) for reflection, place in found.items())
    return np.array([place for place, _ in pairs], dtype=int), np.array([which for _, which in pairs], dtype=int)
