"""X-ray diffraction: lines and their spacings, size and strain; of a layered crystal also indices and the edge c."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.stats.fit import voigt_fwhm
from relaxor.techniques.structure.analysis import published_cell
from relaxor.techniques.xrd import broadening, lattice
from relaxor.techniques.xrd.curves import lattice_curves, pattern_curves, width_curves
from relaxor.techniques.xrd.lattice import Basal
from relaxor.techniques.xrd.lines import Instrument, LineFit, Tube, find_lines, fit_lines, windows
from relaxor.techniques.xrd.pattern import Line, Pattern, sample_widths
from relaxor.techniques.xrd.settings import XrdSettings

MOST_TOGETHER = 30
"""Most lines whose windows overlap: the time of their fit grows with the third power, and is half a minute here."""
LEAST_LINES = 3
"""Fewest indexed lines that give c and an alignment error."""
SAME_TUBE = 1e-3
"""Relative distance of the file's wavelength from that of the settings that cannot be rounding."""
METHOD = "Poisson maximum likelihood, Kα1 and Kα2, quadratic background"
LINE_UNITS = {
    "voigt": {"center": "degree", "area": "count*degree", "fwhm_lorentzian": "degree"},
    "pseudo_voigt": {"center": "degree", "area": "count*degree", "fwhm": "degree", "eta": "1"},
}


def analyse(measurements: Sequence[Measurement], settings: XrdSettings) -> Result:
    """Analyse 2θ scans: of a crystal that lies on the layers of its ``cell``, or without one of anything.

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
    tube = Tube(settings.wavelength_alpha1, settings.wavelength_alpha2, settings.alpha_ratio)
    profile = Instrument(**settings.instrument.model_dump())
    cells = settings.model_dump()["cells"]
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    for measurement in measurements:
        pattern = _pattern(measurement, tube, settings.goniometer_radius)
        published = published_cell(settings.cell, cells) if settings.cell else None
        positions = find_lines(
            pattern.two_theta,
            pattern.counts,
            width=settings.peak_width,
            significance=settings.significance,
            tube=tube,
            exposure=pattern.exposure,
        )
        if not positions.size:
            raise AnalysisError(
                f"{measurement.id}: no line stands out by {settings.significance:g} standard deviations"
            )
        _refuse_crowds(measurement, positions, settings.window)
        lines, line_rows = fit_pattern(
            pattern, positions, published, profile, settings.window, settings.peak_width, settings.index_tolerance
        )
        rows += line_rows
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement) | {"cell": settings.cell or ""})
        groups[f"{measurement.id}/pattern"] = pattern_curves(pattern, lines)
        if settings.cell and published:
            basal = _basal(measurement, lines, settings.cell)
            rows += c_numbers(pattern, basal, published, settings.zero_shift_uncertainty)
            rows += cell_comparison(pattern, basal, settings.cell, cells)
            rows += superlattice_numbers(pattern, lines, published, profile, settings.window)
            groups[f"{measurement.id}/lattice"] = lattice_curves(pattern, basal, published)
        else:
            rows += spacing_numbers(pattern, lines, settings.zero_shift_uncertainty)
        rows += width_numbers(pattern, lines, profile, settings.scherrer_constant)
        groups[f"{measurement.id}/widths"] = width_curves(lines, profile)
    return Result(rows, groups)


def _pattern(measurement: Measurement, tube: Tube, radius: float) -> Pattern:
    scan = measurement.only
    if "intensity" not in scan or scan["intensity"].dims != ("two_theta",):
        raise AnalysisError(
            f"{measurement.id}: no intensity against two_theta (axes: {', '.join(map(str, scan.dims))})"
        )
    written = scan.attrs.get("wavelength_alpha1")
    if written and abs(written / tube.alpha1 - 1) > SAME_TUBE:
        raise AnalysisError(
            f"{measurement.id}: taken with Kα1 = {written:.4f} angstrom, but xrd.wavelength_alpha1 is {tube.alpha1}"
        )
    return Pattern.of(measurement, scan, tube, radius)


def _refuse_crowds(measurement: Measurement, positions: np.ndarray, window: float) -> None:
    crowd = max(windows(positions, window), key=len)
    if len(crowd) > MOST_TOGETHER:
        raise AnalysisError(
            f"{measurement.id}: {len(crowd)} lines between {crowd[0]:.2f} and {crowd[-1]:.2f} degree lie within "
            f"{2 * window:g} degree of each other; at most {MOST_TOGETHER} can be fitted together (are these raw "
            "counts? if so, set a smaller xrd.window or a higher xrd.significance)"
        )


def fit_pattern(
    pattern: Pattern,
    positions: np.ndarray,
    cell: Mapping[str, Any] | None,
    instrument: Instrument,
    window: float,
    width: float,
    tolerance: float,
) -> tuple[list[Line], list[Number]]:
    """Fit all lines with both profiles; return the lines of the Voigt fit and the rows of both."""
    rows: list[Number] = []
    for shape in LINE_UNITS:
        fits = [
            fit_lines(
                pattern.two_theta,
                pattern.counts,
                group,
                half_width=window,
                tube=pattern.tube,
                shape=shape,
                instrument=instrument,
                start_width=width,
                exposure=pattern.exposure,
            )
            for group in windows(positions, window)
        ]
        found = _name_lines(fits, cell, pattern.tube, tolerance)
        rows += [row for line in found for row in line_numbers(pattern.measurement, line)]
        if shape == "voigt":
            lines = found
    return lines, rows + (indexing_numbers(pattern, lines) if cell else [])


def indexing_numbers(pattern: Pattern, lines: list[Line]) -> list[Number]:
    """Make the rows that say how much of what was found the cell explains."""
    unindexed = [line for line in lines if not line.index]
    total = sum(line.value("area") for line in lines)
    share = sum(line.value("area") for line in unindexed) / total if total else 0.0
    error = np.sqrt(sum(line.error("area") ** 2 for line in unindexed)) / total if total else np.nan
    return measured(
        pattern.measurement,
        "indexing",
        {
            "indexed_lines": (len(lines) - len(unindexed), np.nan, "1"),
            "unindexed_lines": (len(unindexed), np.nan, "1"),
            "unindexed_area_fraction": (share, error, "1"),
        },
        "00l lines of the published cell against all lines found",
    )


def _name_lines(fits: list[LineFit], cell: Mapping[str, Any] | None, tube: Tube, tolerance: float) -> list[Line]:
    """Index lines, where there is a cell; of several that would have one index the strongest has it."""
    places = [(fitted, place) for fitted in fits for place in range(fitted.lines)]
    centers = np.array([fitted.fit.value(f"center_{place}") for fitted, place in places])
    areas = np.array([fitted.fit.value(f"area_{place}") for fitted, place in places])
    indices = lattice.index_basal(centers, cell, tube, tolerance) if cell else np.zeros(len(places), dtype=int)
    for index in set(indices.tolist()) - {0}:
        same = np.flatnonzero(indices == index)
        indices[same[areas[same] < areas[same].max()]] = 0
    return [
        Line(fitted, place, f"00{index}" if index else f"at_{center:.2f}", int(index))
        for (fitted, place), center, index in zip(places, centers, indices, strict=True)
    ]


def line_numbers(measurement: Measurement, line: Line) -> list[Number]:
    """Make the rows of one line: position, area, widths, distance of planes, and AICc of its window."""
    shape, fitted = line.fit.shape, line.fit.fit
    model = f"{shape}_doublet"
    names = {f"{name}_{line.place}": unit for name, unit in LINE_UNITS[shape].items()}
    rows = [
        replace(row, parameter=f"{name.replace('center', 'two_theta')}_{line.name}")
        for row, name in zip(fitted.numbers(measurement, model, names, METHOD), LINE_UNITS[shape], strict=True)
    ]
    common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
    values = {f"aicc_{line.name}": (fitted.aicc, np.nan, "1")}
    if shape == "voigt":
        gaussian, lorentzian = line.value("fwhm_gaussian"), line.value("fwhm_lorentzian")
        total = voigt_fwhm(gaussian, lorentzian)
        slope = (voigt_fwhm(gaussian, lorentzian * 1.001) - total) / (0.001 * lorentzian)
        values[f"fwhm_{line.name}"] = (total, slope * line.error("fwhm_lorentzian"), "degree")
    if line.index:
        values[f"index_l_{line.name}"] = (line.index, np.nan, "1")
    return rows + measured(measurement, model, values, METHOD, **common)


def spacing_numbers(pattern: Pattern, lines: list[Line], zero_uncertainty: float) -> list[Number]:
    """Make the rows of the distances of planes, each from its line alone."""
    rows: list[Number] = []
    for line in lines:
        d = float(pattern.tube.d_spacing(line.value("center")))
        by_degree = d / np.tan(np.radians(line.value("center")) / 2) * np.radians(0.5)
        values = {f"d_{line.name}": (d, by_degree * line.error("center"), "angstrom")}
        method = "position as measured; no alignment is fitted"
        common = {"n": line.fit.fit.n, "reduced_chi_square": line.fit.fit.reduced_chi_square}
        common["systematic_error"] = by_degree * zero_uncertainty
        rows += measured(pattern.measurement, "spacings", values, method, **common)
    return rows


def _basal(measurement: Measurement, lines: list[Line], cell: str) -> Basal:
    indexed = [line for line in lines if line.index and np.isfinite(line.error("center"))]
    if len(indexed) < LEAST_LINES:
        raise AnalysisError(
            f"{measurement.id}: {len(indexed)} of {len(lines)} lines found are 00l lines of {cell}; at least "
            f"{LEAST_LINES} are needed (is the cell right? is the sample oriented?)"
        )
    return Basal(
        np.array([line.index for line in indexed]),
        np.array([line.value("center") for line in indexed]),
        np.array([line.error("center") for line in indexed]),
    )


def c_numbers(pattern: Pattern, basal: Basal, cell: Mapping[str, Any], zero_uncertainty: float) -> list[Number]:
    """Make the rows of c under each model of the alignment."""
    rows = []
    setup = {"c_start": cell["c"], "wavelength": pattern.tube.alpha1, "radius": pattern.radius}
    for model, extra in lattice.MODELS.items():
        if len(basal.index) <= 1 + len(extra):
            continue
        fitted = lattice.fit_c(basal, model, **setup)
        systematic = lattice.systematic_of_zero(basal, model, zero_uncertainty, **setup)
        method = "least squares on all 00l positions"
        units = {name: lattice.UNITS[name] for name in ("c", *extra)}
        found = fitted.numbers(pattern.measurement, model, units, method)
        found = [replace(row, systematic_error=systematic[row.parameter]) for row in found]
        sizes = ("value", "standard_error", "systematic_error", "ci_low", "ci_high")
        of_layer = {name: getattr(found[0], name) / cell["layers"] for name in sizes}
        spacing = replace(found[0], parameter="interlayer_spacing", **of_layer)
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        values = {"aicc": (fitted.aicc, np.nan, "1"), "chi_square": (fitted.chi_square, np.nan, "1")}
        rows += [*found, spacing, *measured(pattern.measurement, model, values, method, **common)]
    return rows


def cell_comparison(pattern: Pattern, basal: Basal, cell: str, cells: Mapping[str, Mapping[str, Any]]) -> list[Number]:
    """Make the rows that say how far 00l positions can tell the published cells apart."""
    layers = cells[cell]["layers"]
    orders = basal.index // layers
    setup = {"wavelength": pattern.tube.alpha1, "radius": pattern.radius}
    chi = {name: lattice.chi_square_of_cell(basal, other, layers, **setup) for name, other in cells.items()}
    rows = []
    for name, (free, published) in chi.items():
        distance = lattice.largest_difference(cells[cell], cells[name], orders.tolist(), pattern.tube.alpha1)
        values = {
            "chi_square_free_c": (free, np.nan, "1"),
            "chi_square_published_c": (published, np.nan, "1"),
            "delta_chi_square_free_c": (free - chi[cell][0], np.nan, "1"),
            "delta_chi_square_published_c": (published - chi[cell][1], np.nan, "1"),
            "largest_position_difference": (distance, np.nan, "degree"),
        }
        method = f"00l positions, alignment free, against {cell}"
        rows += measured(pattern.measurement, name, values, method, n=len(basal.index))
    return rows


def superlattice_numbers(
    pattern: Pattern, lines: list[Line], cell: Mapping[str, Any], instrument: Instrument, window: float
) -> list[Number]:
    """Make the rows of the lines that the glide plane forbids: area where they would lie, 0 if it holds."""
    indexed = [line for line in lines if line.index]
    centers = np.array([line.value("center") for line in indexed])
    lorentzian = np.array([line.value("fwhm_lorentzian") for line in indexed])
    true = lattice.predict(np.array([line.index for line in indexed]), cell["c"], pattern.tube.alpha1, pattern.radius)
    rows = []
    for index, position in lattice.superlattice_indices(cell, pattern.tube.alpha1, pattern.two_theta[-1] - window):
        place = position + float(np.interp(position, true, centers - true))
        if place - window / 2 < pattern.two_theta[0] or np.min(np.abs(centers - place)) < 2 * window:
            continue
        fitted = fit_lines(
            pattern.two_theta,
            pattern.counts,
            [place],
            half_width=window,
            tube=pattern.tube,
            shape="voigt",
            instrument=instrument,
            start_width=float(np.interp(place, centers, lorentzian)),
            fixed=True,
            exposure=pattern.exposure,
        )
        method = "Poisson maximum likelihood, position and width of the neighbours"
        (row,) = fitted.fit.numbers(pattern.measurement, "superlattice_lines", {"area_0": "count*degree"}, method)
        rows.append(replace(row, parameter=f"area_00{index}"))
    return rows


def width_numbers(pattern: Pattern, lines: list[Line], instrument: Instrument, constant: float) -> list[Number]:
    """Make the rows of size and strain under each model."""
    widths = sample_widths(lines, instrument)
    rows = []
    for model, names in broadening.MODELS.items():
        if len(widths.width) <= len(names):
            continue
        fitted = broadening.fit_widths(widths, model)
        rows += broadening.numbers(
            pattern.measurement, model, fitted, wavelength=pattern.tube.alpha1, scherrer_constant=constant
        )
        values = {"aicc": (fitted.aicc, np.nan, "1"), "chi_square": (fitted.chi_square, np.nan, "1")}
        rows += measured(pattern.measurement, model, values, "Williamson–Hall", n=fitted.n)
    return rows
