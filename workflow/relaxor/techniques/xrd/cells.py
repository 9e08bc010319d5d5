"""The numbers of cells: the edge c of a layered crystal, the cells of phases, and spacings of lines without a cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement, Number, Quantity, Status, measured
from relaxor.core.variables import dataset
from relaxor.stats.fit import Fit
from relaxor.stats.quantities import AICC
from relaxor.techniques.structure.settings import Cell
from relaxor.techniques.xrd import lattice, powder
from relaxor.techniques.xrd import quantities as q
from relaxor.techniques.xrd.lattice import Basal
from relaxor.techniques.xrd.lines import Line
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.powder import Indexed, Lattice
from relaxor.techniques.xrd.settings import XrdSettings

LEAST_LINES = 3
"""Least number of indexed lines from which c and an alignment error follow."""
FitOf = Callable[[Sequence[Line], np.ndarray | float], Fit]
"""Fit of a cell to lines that are moved by an angle (degree)."""


@dataclass(frozen=True)
class Found:
    """The lines of a pattern.

    Attributes
    ----------
    pattern, settings
        The scan and the settings.
    lines
        The same lines fitted with each shape; the shape that describes the counts best is the first.
    adequacy
        Whether this shape describes the counts.
    """

    pattern: Pattern
    settings: XrdSettings
    lines: Mapping[str, list[Line]]
    adequacy: Adequacy

    @property
    def best(self) -> list[Line]:
        """The lines of the best shape."""
        return next(iter(self.lines.values()))

    @property
    def measurement(self) -> Measurement:
        """Where they come from."""
        return self.pattern.measurement

    def numbers(
        self, model: str, fit_of: FitOf, names: Mapping[str, tuple[Quantity, str]], phase: str = ""
    ) -> list[Number]:
        """Make the rows of the parameters of a cell under one model of the alignment.

        Parameters
        ----------
        fit_of
            The fit.
        names
            Quantity and feature of each parameter.
        phase
            Name of the phase, none for a layered crystal.
        """
        fitted = fit_of(self.best, 0.0)
        places = np.array([line.value("center") for line in usable(self.best, phase)])
        moved = lattice.moves(places, self.pattern.radius, self.settings)
        budget = lattice.systematics(lambda angle: fit_of(self.best, angle), fitted, moved)
        if self.adequacy.status != Status.OK:
            others = [fit_of(lines, 0.0) for lines in self.lines.values() if len(usable(lines, phase)) == places.size]
            budget["line shape"] = {
                name: max(abs(other.value(name) - fitted.value(name)) for other in others) for name in fitted.names
            }
        values = {names[name]: fitted.judged(name) for name in fitted.names}
        rows = measured(self.measurement, model, values, "least squares of all positions", **fitted.quality)
        rows = [row.judged(self.adequacy) for row in rows]
        for component, sizes in budget.items():
            source = lattice.SOURCES[component]
            rows = [
                row.with_component(component, sizes[name], source) for row, name in zip(rows, fitted.names, strict=True)
            ]
        return rows


def usable(lines: Sequence[Line], phase: str = "") -> list[Line]:
    """Return the indexed lines of a phase whose positions are known."""
    return [line for line in lines if line.hkl and line.phase == phase and 0 < line.error("center") < np.inf]


def _positions(lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (degree) and their standard errors."""
    return np.array([line.value("center") for line in lines]), np.array([line.error("center") for line in lines])


def indexing_numbers(found: Found, phase: str = "") -> list[Number]:
    """Make the rows that say how many of the lines, and how much of their area, a cell explains."""
    lines = found.best
    unindexed = [line for line in lines if not line.hkl or line.phase != phase]
    total = sum(line.value("area") for line in lines)
    share = sum(line.value("area") for line in unindexed) / total if total else 0.0
    error = np.sqrt(sum(line.error("area") ** 2 for line in unindexed)) / total if total else np.nan
    values = {
        q.INDEXED_LINES: (len(lines) - len(unindexed), np.nan),
        q.UNINDEXED_LINES: (len(unindexed), np.nan),
        q.UNINDEXED_AREA_FRACTION: (share, error),
    }
    method = "lines of the cell against all lines found"
    return measured(found.measurement, q.INDEXING, values, method, feature=phase)


# --- a layered crystal
def basal_of(found: Found, lines: Sequence[Line]) -> Basal:
    """Return the 00l lines.

    Raises
    ------
    AnalysisError
        If there are too few.
    """
    indexed, pattern = usable(lines), found.pattern
    if len(indexed) < LEAST_LINES:
        raise AnalysisError(
            f"{pattern.measurement.id}: {len(indexed)} of {len(lines)} lines found are 00l lines of "
            f"{found.settings.cell}; at least {LEAST_LINES} are needed (is the cell right? is the sample oriented?)"
        )
    index = np.array([line.index for line in indexed])
    return Basal(index, *_positions(indexed), pattern.tube.alpha1, pattern.radius)


def c_numbers(found: Found, cell: Cell) -> list[Number]:
    """Make the rows of c under each model of the alignment."""
    rows, basal = [], basal_of(found, found.best)
    for model, fitted in lattice.fits_of_c(basal, cell.c).items():

        def again(lines: Sequence[Line], moved: np.ndarray | float, model: str = model) -> Fit:
            where = basal_of(found, lines)
            return lattice.fit_c(replace(where, two_theta=where.two_theta + moved), model, cell.c)

        names = {name: (q.ALIGNMENT[name], "c" if name == "c" else "") for name in ("c", *q.ALIGNMENTS[model])}
        own = found.numbers(model, again, names)
        rows += [*own, own[0].scaled(1 / cell.layers, parameter=q.INTERLAYER_SPACING.name, feature="")]
        rows += _quality(found, model, fitted, "")
    return rows


def _quality(found: Found, model: str, fitted: Fit, feature: str) -> list[Number]:
    values = {AICC: (fitted.aicc, np.nan), q.CHI_SQUARE: (fitted.chi_square, np.nan)}
    method = "least squares of all positions"
    return measured(found.measurement, model, values, method, feature=feature, **fitted.quality)


def cell_comparison(found: Found, cell: Cell) -> list[Number]:
    """Make the rows that say how far 00l positions can tell the published cells apart."""
    basal, settings = basal_of(found, found.best), found.settings
    orders = (basal.index // cell.layers).tolist()
    chi = {name: lattice.chi_square_of_cell(basal, other, cell.layers) for name, other in settings.cells.items()}
    best_free, best_published = chi[str(settings.cell)]
    method = f"00l positions, alignment free, against {settings.cell}"
    rows = []
    for name, (free, published) in chi.items():
        distance = lattice.largest_difference(cell, settings.cells[name], orders, basal.wavelength)
        values = {
            q.CHI_SQUARE_FREE: (free, np.nan),
            q.CHI_SQUARE_PUBLISHED: (published, np.nan),
            q.DELTA_FREE: (free - best_free, np.nan),
            q.DELTA_PUBLISHED: (published - best_published, np.nan),
            q.LARGEST_POSITION_DIFFERENCE: (distance, np.nan),
        }
        rows += measured(found.measurement, q.PUBLISHED_CELL, values, method, feature=name, n=len(basal.index))
    return rows


def lattice_curves(basal: Basal, cell: Cell) -> xr.Dataset:
    """Return c from each line alone against the Nelson–Riley function, and where each model puts it."""
    apparent, error = lattice.apparent_c(basal)
    values = {
        "two_theta": (basal.two_theta, "degree", "2θ of Kα1"),
        "nelson_riley": (lattice.nelson_riley(basal.two_theta), "1", "Nelson–Riley function"),
        "apparent_c": (apparent, "angstrom", "c from one line"),
        "apparent_c_uncertainty": (error, "angstrom", "standard uncertainty of c from one line"),
    }
    for model, fitted in lattice.fits_of_c(basal, cell.c).items():
        label = f"c from one line, {model.replace('_', ' ')}"
        values[f"fit_{model}"] = apparent - fitted.residual * error, "angstrom", label
    return dataset("line", values, {"line": (basal.index, "1", "index l")})


# --- phases of a powder
def phase_numbers(found: Found, phases: Sequence[Lattice]) -> list[Number]:
    """Make the rows of the cells of all phases that have enough lines.

    Raises
    ------
    AnalysisError
        If there are phases and none has enough.
    """
    rows: list[Number] = []
    refined = [phase for phase in phases if _indexed(found, found.best, phase).enough]
    if phases and not refined:
        counts = ", ".join(f"{len(usable(found.best, phase.name))} of {phase.name}" for phase in phases)
        raise AnalysisError(
            f"{found.measurement.id}: {len(found.best)} lines found, {counts}, too few to refine a cell (is the "
            f"starting cell within {powder.LARGEST_STRETCH:.1%}? is the space group right?)"
        )
    for phase in phases:
        rows += indexing_numbers(found, phase.name)
    for phase in refined:
        for model in powder.MODELS:
            if len(usable(found.best, phase.name)) > len(phase.free) + len(q.ALIGNMENTS[model]):
                rows += _cell_of_phase(found, phase, model)
    return rows


def _indexed(found: Found, lines: Sequence[Line], phase: Lattice) -> Indexed:
    own, pattern = usable(lines, phase.name), found.pattern
    hkl = np.array([line.hkl for line in own], dtype=int).reshape(-1, 3)
    return Indexed(phase, hkl, *_positions(own), pattern.tube.alpha1, pattern.radius)


def _cell_of_phase(found: Found, phase: Lattice, model: str) -> list[Number]:
    """Make the rows of a cell under one model of the alignment."""

    def again(lines: Sequence[Line], moved: np.ndarray | float) -> Fit:
        return _indexed(found, lines, phase).refine(model, moved)

    edges = {
        name: (q.LATTICE_PARAMETER if name in powder.EDGES[:3] else q.LATTICE_ANGLE, f"{phase.name} {name}")
        for name in phase.free
    }
    alignment = {name: (q.ALIGNMENT[name], phase.name) for name in q.ALIGNMENTS[model]}
    rows = found.numbers(model, again, edges | alignment, phase.name)
    return rows + _quality(found, model, again(found.best, 0.0), phase.name)


# --- lines without a cell
def spacing_numbers(found: Found) -> list[Number]:
    """Make the rows of the distances of planes of lines without a cell, each from its line alone."""
    rows: list[Number] = []
    pattern, method = found.pattern, "position as measured; no alignment is fitted"
    for place, line in enumerate(found.best):
        if line.hkl or line.foreign:
            continue
        center = line.value("center")
        d = float(pattern.tube.d_spacing(center))
        by_degree = d / np.tan(np.radians(center) / 2) * np.radians(0.5)
        values = {q.LATTICE_SPACING: (d, by_degree * line.error("center"))}
        (row,) = measured(pattern.measurement, q.SPACINGS, values, method, **line.common)
        moved = lattice.moves(np.array([center]), pattern.radius, found.settings)
        sizes = {name: float(angle[0]) for name, angle in moved.items()}
        if line.fit.fit.adequacy.status != Status.OK:
            sizes["line shape"] = max(abs(lines[place].value("center") - center) for lines in found.lines.values())
        for component, angle in sizes.items():
            row = row.with_component(component, by_degree * angle, lattice.SOURCES[component])
        rows.append(row)
    return rows
