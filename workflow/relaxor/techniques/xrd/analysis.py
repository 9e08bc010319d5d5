"""X-ray diffraction: lines, spacings, crystallite size and strain, and the indices and edge c of a layered crystal."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured
from relaxor.core.variables import dataset, variable
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.quantities import AICC
from relaxor.techniques.structure.analysis import name_of
from relaxor.techniques.structure.settings import Cell
from relaxor.techniques.xrd import broadening, lattice
from relaxor.techniques.xrd import quantities as q
from relaxor.techniques.xrd.lattice import Basal
from relaxor.techniques.xrd.lines import Line, LineFit, find_lines, fit_lines, sample_widths, windows
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.settings import LineProfile, XrdSettings

MOST_TOGETHER = 30
"""Largest number of lines that are fitted together. The time of a fit grows with its third power, to half a minute."""
LEAST_LINES = 3
"""Least number of indexed lines from which c and an alignment error follow."""
METHOD = "Poisson maximum likelihood, Kα1 and Kα2, quadratic background"
FITTED = {
    "voigt": {"center": q.TWO_THETA, "area": q.AREA, "fwhm_lorentzian": q.FWHM_LORENTZIAN},
    "pseudo_voigt": {"center": q.TWO_THETA, "area": q.AREA, "fwhm": q.FWHM, "eta": q.ETA},
}
"""The quantities of the parameters of the fit, by the shape of the line."""


def analyse(measurements: Sequence[Measurement], settings: XrdSettings) -> Result:
    """Analyse 2θ scans of a crystal that lies on the layers of its ``cell``, or of any sample if no cell is named.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `XrdSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no 2θ scan of the tube of the settings, none of counts, no line, lines too dense to be fitted,
        or fewer than three 00l lines of the cell.
    """
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: XrdSettings) -> Result:
    pattern, cell = Pattern.of(measurement, settings), settings.published
    groups = _line_groups(pattern, settings)
    rows: list[Number] = []
    fitted = {}
    for shape in q.SHAPES:
        fits = [fit_lines(pattern, group, settings, shape) for group in groups]
        fitted[shape] = _name_lines(fits, pattern, settings)
        rows += [row for line in fitted[shape] for row in line_numbers(measurement, line)]
    lines = fitted["voigt"]
    parts = {"pattern": pattern_curves(pattern, lines)}
    if cell:
        basal = _basal(pattern, lines, settings)
        rows += indexing_numbers(measurement, lines)
        rows += c_numbers(measurement, basal, cell, settings.zero_shift_uncertainty)
        rows += cell_comparison(measurement, basal, cell, settings)
        rows += superlattice_numbers(pattern, lines, cell, settings)
        parts["lattice"] = lattice_curves(basal, cell)
    else:
        rows += spacing_numbers(pattern, lines, settings.zero_shift_uncertainty)
    rows += width_numbers(pattern, lines, settings)
    parts["widths"] = width_curves(lines, settings.line_profile)
    return Result.of(measurement, rows, parts, cell=settings.cell or "")


# --- lines
def _line_groups(pattern: Pattern, settings: XrdSettings) -> list[np.ndarray]:
    """Find the lines of a pattern and group those that are to be fitted together."""
    label, positions = pattern.measurement.id, find_lines(pattern, settings)
    if not positions.size:
        raise AnalysisError(f"{label}: no line stands out by {settings.significance:g} standard deviations")
    groups = windows(positions, settings.window)
    crowd = max(groups, key=len)
    if len(crowd) > MOST_TOGETHER:
        raise AnalysisError(
            f"{label}: {len(crowd)} lines between {crowd[0]:.2f} and {crowd[-1]:.2f} degree lie within "
            f"{2 * settings.window:g} degree of each other; at most {MOST_TOGETHER} can be fitted together (are these "
            "raw counts? if so, set a smaller xrd.window or a higher xrd.significance)"
        )
    return groups


def _name_lines(fits: list[LineFit], pattern: Pattern, settings: XrdSettings) -> list[Line]:
    """Index the lines if there is a cell. Where several would have the same index, the strongest has it."""
    places = [(fitted, place) for fitted in fits for place in range(fitted.lines)]
    centers = np.array([fitted.fit.value(f"center_{place}") for fitted, place in places])
    areas = np.array([fitted.fit.value(f"area_{place}") for fitted, place in places])
    indices = np.zeros(len(places), dtype=int)
    if cell := settings.published:
        indices = lattice.index_basal(centers, cell, pattern.tube, settings.index_tolerance)
    for index in set(indices.tolist()) - {0}:
        same = np.flatnonzero(indices == index)
        indices[same[areas[same] < areas[same].max()]] = 0
    return [
        Line(fitted, place, name_of((0, 0, index)) if index else f"at_{center:.2f}", int(index))
        for (fitted, place), center, index in zip(places, centers, indices, strict=True)
    ]


# --- numbers
def line_numbers(measurement: Measurement, line: Line) -> list[Number]:
    """Make the rows of one line: position, area, widths, index, and AICc of its window."""
    shape, fitted = line.fit.shape, line.fit.fit
    model = q.SHAPES[shape]
    quantities = {f"{name}_{line.place}": quantity for name, quantity in FITTED[shape].items()}
    values = {AICC: (fitted.aicc, np.nan)}
    if shape == "voigt":
        gaussian, lorentzian = line.value("fwhm_gaussian"), line.value("fwhm_lorentzian")
        total = voigt_fwhm(gaussian, lorentzian)
        slope = (voigt_fwhm(gaussian, lorentzian * 1.001) - total) / (0.001 * lorentzian)
        values[q.FWHM] = total, slope * line.error("fwhm_lorentzian")
    if line.index:
        values[q.INDEX_L] = line.index, np.nan
    rows = fitted.numbers(measurement, model, quantities, METHOD, feature=line.name)
    return rows + measured(measurement, model, values, METHOD, **line.common)


def indexing_numbers(measurement: Measurement, lines: list[Line]) -> list[Number]:
    """Make the rows that say how many of the lines, and how much of their area, the cell explains."""
    unindexed = [line for line in lines if not line.index]
    total = sum(line.value("area") for line in lines)
    share = sum(line.value("area") for line in unindexed) / total if total else 0.0
    error = np.sqrt(sum(line.error("area") ** 2 for line in unindexed)) / total if total else np.nan
    values = {
        q.INDEXED_LINES: (len(lines) - len(unindexed), np.nan),
        q.UNINDEXED_LINES: (len(unindexed), np.nan),
        q.UNINDEXED_AREA_FRACTION: (share, error),
    }
    return measured(measurement, q.INDEXING, values, "00l lines of the published cell against all lines found")


def spacing_numbers(pattern: Pattern, lines: list[Line], zero_uncertainty: float) -> list[Number]:
    """Make the rows of the distances of planes, each from its line alone."""
    rows: list[Number] = []
    method = "position as measured; no alignment is fitted"
    for line in lines:
        d = float(pattern.tube.d_spacing(line.value("center")))
        by_degree = d / np.tan(np.radians(line.value("center")) / 2) * np.radians(0.5)
        values = {q.LATTICE_SPACING: (d, by_degree * line.error("center"))}
        (row,) = measured(pattern.measurement, q.SPACINGS, values, method, **line.common)
        rows.append(row.with_component("zero of the angle", by_degree * zero_uncertainty, "setting zero_uncertainty"))
    return rows


def _basal(pattern: Pattern, lines: list[Line], settings: XrdSettings) -> Basal:
    indexed = [line for line in lines if line.index and np.isfinite(line.error("center"))]
    if len(indexed) < LEAST_LINES:
        raise AnalysisError(
            f"{pattern.measurement.id}: {len(indexed)} of {len(lines)} lines found are 00l lines of {settings.cell}; "
            f"at least {LEAST_LINES} are needed (is the cell right? is the sample oriented?)"
        )
    return Basal(
        np.array([line.index for line in indexed]),
        np.array([line.value("center") for line in indexed]),
        np.array([line.error("center") for line in indexed]),
        pattern.tube.alpha1,
        pattern.radius,
    )


def c_numbers(measurement: Measurement, basal: Basal, cell: Cell, zero_uncertainty: float) -> list[Number]:
    """Make the rows of c under each model of the alignment."""
    rows = []
    for model, fitted in lattice.fits_of_c(basal, cell.c).items():
        systematic = lattice.systematic_of_zero(basal, model, fitted, zero_uncertainty, cell.c)
        quantities = {name: q.ALIGNMENT[name] for name in ("c", *q.ALIGNMENTS[model])}
        found = fitted.numbers(measurement, model, quantities, "least squares on all 00l positions")
        c, *others = (
            row.with_component("zero of the angle", systematic[name], "setting zero_uncertainty")
            for name, row in zip(quantities, found, strict=True)
        )
        of_layer = c.scaled(1 / cell.layers, parameter=q.INTERLAYER_SPACING.name)
        rows += [replace(c, feature="c"), *others, of_layer]
        values = {AICC: (fitted.aicc, np.nan), q.CHI_SQUARE: (fitted.chi_square, np.nan)}
        rows += measured(measurement, model, values, c.method, **fitted.quality)
    return rows


def cell_comparison(measurement: Measurement, basal: Basal, cell: Cell, settings: XrdSettings) -> list[Number]:
    """Make the rows that say how far 00l positions can tell the published cells apart."""
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
        rows += measured(measurement, q.PUBLISHED_CELL, values, method, feature=name, n=len(basal.index))
    return rows


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


def width_numbers(pattern: Pattern, lines: list[Line], settings: XrdSettings) -> list[Number]:
    """Make the rows of size and strain under each model."""
    widths = sample_widths(lines, settings.line_profile)
    scherrer_length = settings.scherrer_constant * pattern.tube.alpha1 / 10
    rows = []
    for model, names in q.BROADENINGS.items():
        if len(widths.width) <= len(names):
            continue
        fitted = broadening.fit_widths(widths, model)
        rows += broadening.numbers(pattern.measurement, model, fitted, scherrer_length)
        values = {AICC: (fitted.aicc, np.nan), q.CHI_SQUARE: (fitted.chi_square, np.nan)}
        rows += measured(pattern.measurement, model, values, "Williamson–Hall", n=fitted.n)
    return rows


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


def width_curves(lines: list[Line], profile: LineProfile) -> xr.Dataset:
    """Return the Williamson–Hall plot."""
    widths = sample_widths(lines, profile)
    columns = {
        "four_sin_theta": (widths.abscissa, "1", "4 sin θ"),
        "width_cos_theta": (widths.ordinate, "rad", "width · cos θ"),
        "width_cos_theta_uncertainty": (widths.ordinate_error, "rad", "standard uncertainty of width · cos θ"),
    }
    return dataset("line", columns)
