"""X-ray diffraction: lines, spacings, size and strain, the cell of a layered crystal or of a powder, and maps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement, Number, Quantity, Result, Status, measured
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import UNLIKELY
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.quantities import AICC
from relaxor.techniques.structure.analysis import name_of
from relaxor.techniques.structure.settings import Cell
from relaxor.techniques.xrd import broadening, cells, lattice, reciprocal
from relaxor.techniques.xrd import quantities as q
from relaxor.techniques.xrd.cells import Found
from relaxor.techniques.xrd.fringes import find_fringes
from relaxor.techniques.xrd.lines import (
    AXIAL,
    Line,
    find_lines,
    fit_lines,
    fit_shapes,
    narrowed,
    sample_widths,
    windows,
)
from relaxor.techniques.xrd.naming import named
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.powder import Lattice
from relaxor.techniques.xrd.settings import LineProfile, XrdSettings

MOST_TOGETHER = 30
"""Largest number of lines that are fitted together. The time of a fit grows with its third power, to half a minute."""
METHOD = "Poisson maximum likelihood, Kα1 and Kα2, quadratic background"
FITTED = {
    "voigt": {"center": q.TWO_THETA, "area": q.AREA, "fwhm_lorentzian": q.FWHM_LORENTZIAN},
    "pseudo_voigt": {"center": q.TWO_THETA, "area": q.AREA, "fwhm": q.FWHM, "eta": q.ETA},
    "skewed": {"center": q.TWO_THETA, "area": q.AREA, "fwhm_lorentzian": q.FWHM_LORENTZIAN},
}
"""The quantities of the parameters of the fit, by the shape of the line."""
NARROW_LIMIT = 0.9
"""Width of a line over the Gaussian width of the diffractometer that shows that the latter is wrong."""
ASSUMED_PROFILE = Adequacy(
    Status.ASSUMED, 1.0, "assumed: the profile of the diffractometer was not measured (no line_profile.standard)"
)
ONE_PHASE = Adequacy(Status.ASSUMED, 1.0, "assumed: all lines belong to one phase")
NARROW = Adequacy(
    Status.NOT_IDENTIFIED,
    1.0,
    "not identified: lines are narrower than the profile of the diffractometer (line_profile)",
)
"""Judgements of size and strain."""


def analyse(measurements: Sequence[Measurement], settings: XrdSettings) -> Iterator[Result]:
    """Analyse 2θ scans of a crystal that lies on the layers of its ``cell``, of a powder of phases, or of any sample.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample: scans, and structure files of the phases of a powder.
    settings
        See `XrdSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no 2θ scan, none of counts, no line, lines too dense to be fitted, or fewer than three 00l lines
        of the cell, or if too few lines of any phase are found to refine its cell.
    """
    structures = {each.id: structure for each in measurements if (structure := _structure(each)) is not None}
    phases = [Lattice.of(name, phase.space_group, phase.model_dump()) for name, phase in settings.phases.items()]
    phases += [Lattice.of_structure(name, structure) for name, structure in structures.items()]
    scans = [each for each in measurements if each.id not in structures]
    phases = [] if settings.cell else phases
    yield from (_analyse_region(each, settings, phases) for each in scans)


def _analyse_region(measurement: Measurement, settings: XrdSettings, phases: Sequence[Lattice]) -> Result:
    """Analyse the map of a measurement, or its scan."""
    regions = list(measurement.regions.values())
    if any(map(reciprocal.is_map, regions)) and reciprocal.is_map(measurement.only):
        return reciprocal.analyse(measurement, measurement.only, settings)
    return _analyse_one(measurement, settings, phases)


def _structure(measurement: Measurement) -> xr.Dataset | None:
    """Return the crystal structure of a file, None if it holds none."""
    return next((region for region in measurement.regions.values() if "operations" in region.attrs), None)


def _analyse_one(measurement: Measurement, settings: XrdSettings, phases: Sequence[Lattice]) -> Result:
    pattern, cell = Pattern.of(measurement, settings), settings.published
    given, settings = settings, narrowed(pattern, settings)
    positions = _line_positions(pattern, settings)
    fringes = find_fringes(pattern, positions, settings)
    if fringes:
        positions = np.setdiff1d(positions, fringes.positions)
    fitted = fit_shapes(pattern, _line_groups(pattern, positions, settings), settings)
    fits, adequacy = next(iter(fitted.values()))
    first = named(fits, pattern, settings, phases)
    lines = {
        shape: [
            replace(line, fit=one) for line, one in zip(first, (f for f in each for _ in range(f.lines)), strict=True)
        ]
        for shape, (each, _) in fitted.items()
    }
    found = Found(pattern, settings, lines, adequacy)
    rows = [row for shape in q.SHAPES for line in lines.get(shape, ()) for row in line_numbers(measurement, line)]
    parts = {"pattern": pattern_curves(pattern, found.best)}
    if cell:
        rows += cells.indexing_numbers(found)
        rows += cells.c_numbers(found, cell)
        rows += cells.cell_comparison(found, cell)
        rows += superlattice_numbers(pattern, lines["voigt"], cell, settings)
        parts["lattice"] = cells.lattice_curves(cells.basal_of(found, found.best), cell)
    else:
        rows += cells.phase_numbers(found, phases)
        rows += cells.spacing_numbers(found)
    rows += fringes.numbers(pattern) if fringes else []
    rows += width_numbers(found, fitted["voigt"][1], given.line_profile)
    parts["widths"] = width_curves(lines["voigt"], settings.line_profile)
    return Result.of(measurement, _of_sum(rows, pattern), parts, cell=settings.cell or "")


def _of_sum(rows: list[Number], pattern: Pattern) -> list[Number]:
    """Say in each row of how many equal scans the counts were added, and whether these agree."""
    if pattern.scans == 1:
        return rows
    added = f"sum of {pattern.scans} equal scans"
    rows = [replace(row, method=f"{row.method}; {added}" if row.method else added) for row in rows]
    if pattern.alike >= UNLIKELY:
        return rows
    reason = f"assumed: the scans differ by more than counts scatter (P = {pattern.alike:.1g}); scan=1, … takes one"
    return [row.flagged(Status.ASSUMED, reason) for row in rows]


# --- lines
def _line_positions(pattern: Pattern, settings: XrdSettings) -> np.ndarray:
    """Find the lines of a pattern, of which there must be one."""
    positions = find_lines(pattern, settings)
    if not positions.size:
        label = pattern.measurement.id
        raise AnalysisError(f"{label}: no line stands out by {settings.significance:g} standard deviations")
    return positions


def _line_groups(pattern: Pattern, positions: np.ndarray, settings: XrdSettings) -> list[np.ndarray]:
    """Group the lines that are to be fitted together."""
    label = pattern.measurement.id
    groups = windows(positions, settings.window)
    crowd = max(groups, key=len)
    if len(crowd) > MOST_TOGETHER:
        raise AnalysisError(
            f"{label}: {len(crowd)} lines between {crowd[0]:.2f} and {crowd[-1]:.2f} degree lie within "
            f"{2 * settings.window:g} degree of each other; at most {MOST_TOGETHER} can be fitted together (are these "
            "raw counts? if so, set a smaller xrd.window or a higher xrd.significance)"
        )
    return groups


# --- numbers
def line_numbers(measurement: Measurement, line: Line) -> list[Number]:
    """Make the rows of one line: position, area, widths, index, and AICc of its window."""
    shape, fitted = line.fit.shape, line.fit.fit
    model = q.SHAPES[shape]
    quantities = {f"{name}_{line.place}": quantity for name, quantity in FITTED[shape].items()}
    values: dict[Quantity, tuple[float, float]] = {AICC: (fitted.aicc, np.nan)}
    if shape != "pseudo_voigt":
        gaussian, lorentzian = line.value("fwhm_gaussian"), line.value("fwhm_lorentzian")
        total = voigt_fwhm(gaussian, lorentzian)
        slope = (voigt_fwhm(gaussian, lorentzian * 1.001) - total) / (0.001 * lorentzian)
        values[q.FWHM] = total, slope * line.error("fwhm_lorentzian")
    if shape == "skewed":
        values[q.AXIAL_DIVERGENCE] = fitted.value(AXIAL), np.nan
    values |= {quantity: (index, np.nan) for quantity, index in zip(q.INDICES, line.hkl, strict=False)}
    rows = fitted.numbers(measurement, model, quantities, METHOD, feature=line.name)
    return rows + measured(measurement, model, values, METHOD, **line.common)


def superlattice_numbers(pattern: Pattern, lines: list[Line], cell: Cell, settings: XrdSettings) -> list[Number]:
    """Make the rows of the lines that the glide plane forbids: the area where they would lie, zero if it holds."""
    indexed = [line for line in lines if line.index]
    centers = np.array([line.value("center") for line in indexed])
    lorentzian = np.array([line.value("fwhm_lorentzian") for line in indexed])
    alpha1, window = pattern.tube.alpha1, settings.window
    true = lattice.predict(np.array([line.index for line in indexed]), cell.c, alpha1, pattern.radius)
    rows = []
    for index, position in lattice.superlattice_indices(cell, alpha1, pattern.two_theta[-1] - window):
        place = position + float(np.interp(position, true, centers - true))
        if place - window / 2 < pattern.two_theta[0] or np.min(np.abs(centers - place)) < 2 * window:
            continue
        width = float(np.interp(place, centers, lorentzian))
        fitted = fit_lines(pattern, [place], settings, "voigt", fixed_width=width).fit
        method = "Poisson maximum likelihood, position and width of the neighbours"
        feature = name_of((0, 0, index))
        rows += fitted.numbers(pattern.measurement, q.SUPERLATTICE, {"area_0": q.AREA}, method, feature=feature)
    return rows


def width_numbers(found: Found, adequacy: Adequacy, profile: LineProfile) -> list[Number]:
    """Make the rows of size and strain of each phase under each model.

    Parameters
    ----------
    adequacy
        Whether Voigt lines of the Gaussian width of the diffractometer describe the counts.
    profile
        Profile of the diffractometer.
    """
    settings, measurement, lines = found.settings, found.measurement, found.lines["voigt"]
    if not profile.standard:
        adequacy = adequacy.joined(ASSUMED_PROFILE)
    if any(_too_narrow(line, profile) for line in found.lines["pseudo_voigt"]):
        adequacy = adequacy.joined(NARROW)
    indexed = any(line.hkl for line in lines)
    scherrer_length = settings.scherrer_constant * found.pattern.tube.alpha1 / 10
    rows: list[Number] = []
    for phase in dict.fromkeys(line.phase for line in lines if line.hkl or not indexed):
        own = [line for line in lines if line.phase == phase and bool(line.hkl) == indexed and not line.foreign]
        widths, judgement = sample_widths(own, profile), adequacy if indexed else adequacy.joined(ONE_PHASE)
        for model, names in q.BROADENINGS.items():
            if len(widths.width) > len(names):
                made = broadening.numbers(measurement, model, widths, profile, scherrer_length, feature=phase)
                rows += [row.judged(judgement) for row in made]
    return rows


def _too_narrow(line: Line, profile: LineProfile) -> bool:
    """Return whether a line is narrower than the diffractometer can make it."""
    return line.value("fwhm") + 2 * line.error("fwhm") < NARROW_LIMIT * profile.gaussian(line.value("center"))


# --- curves
def pattern_curves(pattern: Pattern, lines: list[Line]) -> xr.Dataset:
    """Return intensity, fit, background, each line and residual on the angles of the scan; NaN outside the windows."""
    size = pattern.two_theta.size
    fit, background, residual = np.full((3, size), np.nan)
    components = np.full((len(lines), size), np.nan)
    for number, line in enumerate(lines):
        inside, fitted = line.fit.inside, line.fit
        fit[inside], background[inside], residual[inside] = fitted.expected, fitted.background, fitted.fit.residual
        components[number, inside] = fitted.components[line.place]
    columns = {
        "intensity": (pattern.intensity, "count", "intensity"),
        "intensity_uncertainty": (pattern.uncertainty, "count", "standard uncertainty of the intensity"),
        "fit": (fit, "count", "fit"),
        "background": (background, "count", "background"),
        "residual": (residual, "1", "deviance residual"),
    }
    curves = dataset("two_theta", columns, {"two_theta": (pattern.two_theta, "degree", "2θ")})
    return curves.assign(
        components=variable(("line", "two_theta"), components, "count", "lines, Kα1 and Kα2")
    ).assign_coords(line=variable("line", [line.name for line in lines], "1", "line"))


def width_curves(lines: list[Line], profile: LineProfile) -> xr.Dataset:
    """Return the Williamson–Hall plot."""
    widths = sample_widths([line for line in lines if not line.foreign], profile)
    columns = {
        "four_sin_theta": (widths.abscissa, "1", "4 sin θ"),
        "width_cos_theta": (widths.ordinate, "rad", "width · cos θ"),
        "width_cos_theta_uncertainty": (widths.ordinate_error, "rad", "standard uncertainty of width · cos θ"),
    }
    return dataset("line", columns)
