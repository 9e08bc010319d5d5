"""Raman spectra: cosmic rays out, modes and baseline fitted together, shifts calibrated on lines of known shift.

The baseline is part of the fit, so that its uncertainty is in that of every mode. Modes that are expected are fitted
where they stand out of the noise (`relaxor.techniques.raman.lines`); a fit that misses its data is examined
(`relaxor.techniques.raman.misfit`).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.parallel import ordered_map
from relaxor.core.results import Adequacy, Estimate, Measurement, Number, Quantity, Result, Status, measured
from relaxor.core.variables import dataset, variable
from relaxor.stats.counts import in_counts, rising
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.quantities import AICC
from relaxor.techniques.raman import quantities as q
from relaxor.techniques.raman.assumptions import of_baseline, of_response, with_higher_baseline
from relaxor.techniques.raman.axis import Axis, Reference
from relaxor.techniques.raman.lines import UNSEEN, find_modes, fit_lines, fit_seen_lines
from relaxor.techniques.raman.misfit import Points, Solved, beside_unlisted, examined, with_nearest_names
from relaxor.techniques.raman.series import MOST_SPECTRA, Series
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.raman.spikes import Cleaned, remove_spikes

SILICON = "Si"
"""Name of the line of silicon that calibrates the axis."""
EDGE = 60.0
"""1/cm; below, the filter that blocks the laser shapes the spectrum."""
REACH, FEWEST = (3.0, 10.0), 12
"""A line that was found is fitted so many of its widths to each side, at least so far (1/cm) and so many pixels."""
SAME = 6.0
"""1/cm; a line that is found so near to one with a name is that line."""
FOUND_DEGREE = 1
"""Degree of the baseline under lines that were found: windows are narrow."""
METHOD = "least squares of Voigt lines on a Chebyshev baseline; variance linear in the signal"
SUSPECT = "may be a cosmic ray: as sharp as one, without wings, in a single accumulation"
TWIN = 0.5
"""Area of an unlisted line, as a fraction of that of the mode beside it, above which either may be the mode."""
OF_PLACE = frozenset(each.name for each in (q.RAMAN_SHIFT, q.AREA, q.FWHM_LORENTZIAN, q.FWHM, q.AREA_LIMIT))
"""Parameters of each spectrum of a map or series."""
TWINS = "which of two lines of similar area is the mode is a choice: that nearer to the place in the settings"
DIVIDED = frozenset(quantity.name for quantity in (q.AREA, q.FWHM, q.FWHM_LORENTZIAN))
SHARED = "how the area is divided between the line and one beside it that nobody listed depends on the shape of both"


@dataclass(frozen=True)
class Part:
    """Some points of a spectrum and the lines fitted there.

    Attributes
    ----------
    inside
        Points that were fitted, shape (all points,).
    solved
        The fit of Voigt lines.
    limits
        Line that is not seen → upper limit of its area.
    fano
        The fit of asymmetric lines if they are clearly better.
    """

    inside: np.ndarray
    solved: Solved
    limits: Mapping[str, float] = field(default_factory=dict)
    fano: Solved | None = None


@dataclass(frozen=True)
class Spectrum:
    """A spectrum and the fits of its lines.

    Attributes
    ----------
    shift
        Raman shift as the file has it in 1/cm, shape (n,).
    cleaned
        Mean of the accumulations.
    voigts, lorentzians
        Fits of both line shapes.
    substrate
        Lines of the substrate: name → expected place.
    """

    shift: np.ndarray
    cleaned: Cleaned
    voigts: list[Part]
    lorentzians: list[Part]
    substrate: Mapping[str, float]

    def references(self, shifts: Mapping[str, float]) -> list[Reference]:
        """Return the lines of known shift that the spectrum shows."""
        places = {name: part.solved.fit for part in self.voigts for name in part.solved.model.lines}
        return [
            Reference(name, known, *places[name].estimate(f"{name}_center"))
            for name, known in shifts.items()
            if name in places and math.isfinite(places[name].error(f"{name}_center"))
        ]


def analyse(measurements: Sequence[Measurement], settings: RamanSettings) -> Result:
    """Fit the modes of every Raman measurement.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `RamanSettings`.

    Raises
    ------
    AnalysisError
        If a measurement has no ordered Raman axis, no counts, holds too large a map, does not cover the window, is
        constant, or shows no line; if a line that sets the axis is not seen, or a standard was not measured.
    """
    names = {measurement.id for measurement in measurements}
    if missing := settings.standards.keys() - names:
        raise AnalysisError(f"no measurement of the standard {', '.join(sorted(missing))}; there is {', '.join(names)}")
    standards = [line for each in measurements if each.id in settings.standards for line in _standard(each, settings)]
    return Result.joined(ordered_map(partial(_analyse_one, standards=standards, settings=settings), measurements))


def _standard(measurement: Measurement, settings: RamanSettings) -> list[Reference]:
    """Return the lines of known shift of a standard."""
    lines = settings.standards[measurement.id]
    found = _fitted(measurement, settings).references(lines)
    if unseen := lines.keys() - {reference.name for reference in found}:
        raise AnalysisError(f"{measurement.id}: the standard does not show {', '.join(sorted(unseen))}")
    return found


def _fitted(measurement: Measurement, settings: RamanSettings) -> Spectrum:
    """Fit the lines of a spectrum."""
    standard = settings.standards.get(measurement.id)
    window = settings.window if standard is None else None
    shift, spectra = _spectra(measurement, window)
    reference, width = settings.calibration_line, settings.instrument_fwhm
    others = settings.substrate_lines | ({SILICON: reference} if reference else {})
    modes = settings.modes
    if standard is not None:
        modes, others = None, {}
    response = width / float(np.median(np.diff(shift)))
    cleaned = remove_spikes(spectra, settings.spike_threshold, settings.spike_width, response)
    mean = cleaned.mean
    if not np.ptp(mean):
        raise AnalysisError(f"{measurement.id}: every point has the intensity {mean[0]:g}: not a spectrum")
    groups, degree = [(np.ones(shift.shape, dtype=bool), {**(modes or {}), **others})], settings.baseline_degree
    if modes is None:
        found = find_modes(shift, mean, settings.significance, width)
        groups, degree = _groups(shift, found, others | (standard or {})), FOUND_DEGREE
    if not groups:
        raise AnalysisError(f"{measurement.id}: no line stands out by {settings.significance:g} standard deviations")

    expected = {**(modes or {}), **others}
    voigts, lorentzians = [], []
    for near, centers in groups:
        inside = near & ~cleaned.lost
        points = Points(shift[inside], mean[inside], cleaned.noise[inside], width, degree)
        seen = points.shift, points.spectrum, points.noise
        fitted, model, sigma, limits = fit_seen_lines(*seen, centers, width, degree, centers.keys() & expected)
        best, fano = _examined(Solved(fitted, model, sigma), points, others)
        best = with_nearest_names(best, replace(points, degree=best.model.degree), centers)
        voigts.append(Part(inside, best, limits, fano))
        params = best.fit.params
        places = {name: params[f"{name}_center"].value for name in best.model.lines}
        narrow = fit_lines(*seen, places, 1e-3 * width, best.model.degree, (), params)
        lorentzians.append(Part(inside, Solved(*narrow)))
    if SILICON in {name for part in voigts for name in part.limits}:
        raise AnalysisError(
            f"{measurement.id}: the silicon line at {others[SILICON]:g} 1/cm that sets the axis is not seen: "
            "set 'calibration_line: null', and 'calibration_uncertainty' to that of the file's axis"
        )
    return Spectrum(shift, cleaned, voigts, lorentzians, others)


def _examined(solved: Solved, points: Points, others: Collection[str]) -> tuple[Solved, Solved | None]:
    """Examine a fit, see `examined`, and the same with a higher baseline, if that describes the data better."""
    best, fano = examined(solved, points, others)
    higher = with_higher_baseline(solved, points)
    if fano is None and higher.fit.adequacy.status == Status.OK and higher.criterion < best.criterion:
        best, fano = examined(higher, replace(points, degree=higher.model.degree), others)
    return best, fano


def _analyse_one(measurement: Measurement, standards: Sequence[Reference], settings: RamanSettings) -> Result:
    """Return the numbers of all models and the curves of the Voigt fit; of a map, those of its mean and of each."""
    series = Series.of(measurement.only)
    if series is None:
        rows, spectrum, axis = _numbers(measurement, standards, settings)
        repeats = measurement.only.sizes.get("spectrum", 1)
        if repeats > 1:
            rows = _said(rows, f"mean of {repeats} spectra that agree")
        return Result.of(measurement, rows, {"spectrum": _curves(spectrum, axis)})
    if series.size > MOST_SPECTRA:
        raise AnalysisError(f"{measurement.id}: holds {series.in_words}; at most {MOST_SPECTRA} are fitted")
    rows, spectrum, axis = _numbers(series.mean(measurement), standards, settings)
    each = [_of_place(one, spectrum, axis, settings) for one in series.each(measurement)]
    said = f"mean of {series.in_words}"
    if empty := sum(found is None for found in each):
        said += f", {empty} of which are constant and were not fitted"
    rows = _said(rows, said)
    placed = [series.at(found or [], number) for number, found in enumerate(each)]
    lines = [name for part in spectrum.voigts for name in part.solved.model.lines]
    parts = {"spectrum": _curves(spectrum, axis), "map": series.maps(lines, placed)}
    return Result.of(measurement, [*rows, *(row for found in placed for row in found)], parts)


def _said(rows: list[Number], what: str) -> list[Number]:
    """Return rows whose method says what more was done."""
    return [replace(row, method=f"{row.method}; {what}" if row.method else what) for row in rows]


def _of_place(measurement: Measurement, mean: Spectrum, axis: Axis, settings: RamanSettings) -> list[Number] | None:
    """Return the numbers of the lines of a mean spectrum in one of its spectra; None if that is constant.

    A line that the noise of the one spectrum hides has a limit.
    """
    shift, spectra = _spectra(measurement, settings.window)
    if not np.isfinite(spectra).all() or not np.ptp(spectra):
        return None
    width = settings.instrument_fwhm
    response = width / float(np.median(np.diff(shift)))
    cleaned = remove_spikes(spectra, settings.spike_threshold, settings.spike_width, response)
    parts = []
    for part in mean.voigts:
        inside, model, fitted = part.inside & ~cleaned.lost, part.solved.model, part.solved.fit
        centers = {name: fitted.value(f"{name}_center") for name in model.lines}
        seen = shift[inside], cleaned.mean[inside], cleaned.noise[inside]
        names = centers.keys()
        one, lines, sigma, limits = fit_seen_lines(*seen, centers, width, model.degree, names, like=fitted.params)
        parts.append(Part(inside, Solved(one, lines, sigma), limits))
    rows = _rows(measurement, q.VOIGT, parts, axis, (width, settings.instrument_fwhm_uncertainty))
    return [row for row in rows if row.parameter in OF_PLACE]


def _numbers(
    measurement: Measurement, standards: Sequence[Reference], settings: RamanSettings
) -> tuple[list[Number], Spectrum, Axis]:
    """Return the numbers of all models of one spectrum, its fits and its axis."""
    spectrum = _fitted(measurement, settings)
    silicon = {SILICON: spectrum.substrate[SILICON]} if SILICON in spectrum.substrate else {}
    axis = Axis.on([*standards, *spectrum.references(silicon)], settings)
    width = settings.instrument_fwhm, settings.instrument_fwhm_uncertainty
    fanos = [replace(part, solved=part.fano, limits={}) for part in spectrum.voigts if part.fano]
    rows = _rows(measurement, q.VOIGT, spectrum.voigts, axis, width)
    rows += _rows(measurement, q.LORENTZIAN, spectrum.lorentzians, axis, (0.0, 0.0))
    rows += _rows(measurement, q.FANO, fanos, axis, width)
    rows = _of_shapes(rows)
    cleaned = spectrum.cleaned
    spikes = spectrum.shift[cleaned.suspect]
    centers = {
        name: part.solved.fit.value(f"{name}_center") for part in spectrum.voigts for name in part.solved.model.lines
    }
    reach = 1.5 * float(np.median(np.diff(spectrum.shift)))
    sharp = {name for name, center in centers.items() if (np.abs(spikes - center) < reach).any()}
    rows = [row.flagged(Status.ASSUMED, SUSPECT) if row.feature in sharp else row for row in rows]
    solved = [part.solved for part in spectrum.voigts]
    twins = {name for each in solved for name in beside_unlisted(each, TWIN)}
    beside = {name for each in solved for name in beside_unlisted(each)}
    rows = [row.flagged(Status.ASSUMED, TWINS) if row.feature in twins else row for row in rows]
    rows = [
        row.flagged(Status.ASSUMED, SHARED) if row.feature in beside and row.parameter in DIVIDED else row
        for row in rows
    ]
    rays = {q.COSMIC_RAY_PIXELS: (cleaned.removed.sum(), math.nan)}
    rows += measured(measurement, q.VOIGT, rays, "count")
    return rows, spectrum, axis


def _of_shapes(rows: list[Number]) -> list[Number]:
    """Add to the shifts of Voigt lines how far asymmetric lines, which are better, move them."""
    better = {row.feature: row.value for row in rows if (row.model, row.parameter) == (q.FANO, q.RAMAN_SHIFT.name)}
    return [
        row.with_component("shape of the lines", row.value - better[row.feature], "lines of model fano")
        if (row.model, row.parameter) == (q.VOIGT, q.RAMAN_SHIFT.name) and row.feature in better
        else row
        for row in rows
    ]


def _groups(
    shift: np.ndarray, found: Mapping[float, float], others: Mapping[str, float]
) -> list[tuple[np.ndarray, dict[str, float]]]:
    """Put lines whose windows overlap together: the points of each window, and the lines in it by name."""
    named = {name: (center, 0.0) for name, center in others.items()}
    for center, width in found.items():
        if all(abs(center - other) > SAME for other in others.values()):
            named[f"line_{center:.0f}"] = center, width
    groups: list[tuple[np.ndarray, dict[str, float]]] = []
    least = FEWEST * float(np.median(np.diff(shift)))
    end = -math.inf
    for name, (center, width) in sorted(named.items(), key=lambda entry: entry[1]):
        reach = max(REACH[0] * width, REACH[1], least)
        inside = np.abs(shift - center) <= reach
        if groups and center - reach < end:
            groups[-1] = groups[-1][0] | inside, groups[-1][1] | {name: center}
        else:
            groups.append((inside, {name: center}))
        end = max(end, center + reach)
    return groups


def _spectra(measurement: Measurement, window: tuple[float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    dataset = measurement.only
    if "raman_shift" not in dataset.coords or "intensity" not in dataset:
        raise AnalysisError(f"{measurement.id}: has no Raman shift axis; its dimensions are {tuple(dataset.sizes)}")
    if dataset.intensity.dims not in (("raman_shift",), ("spectrum", "raman_shift")) or "x_index" in dataset:
        counted = " × ".join(f"{dim} {size}" for dim, size in dataset.intensity.sizes.items())
        raise AnalysisError(f"{measurement.id}: holds a map or series of spectra ({counted}), not one spectrum")
    low, high = window or (EDGE, math.inf)
    dataset = rising(measurement, dataset, "raman_shift").sel(raman_shift=slice(low, high))
    shift = dataset.raman_shift.values
    covered = window is None or (len(shift) > 0 and shift[0] <= low + 10 and shift[-1] >= high - 10)
    if len(shift) < 50 or not covered:
        raise AnalysisError(f"{measurement.id}: has {len(shift)} points and does not cover {low:g} to {high:g} 1/cm")
    # Files of Galactic name no unit where the program that wrote them gave none: a CCD gives counts.
    intensity = dataset.intensity
    if intensity.attrs["units"] != "1":
        intensity = in_counts(measurement, dataset, "integration_time")
    return shift.astype(float), np.atleast_2d(intensity.values.astype(float))


def _rows(
    measurement: Measurement, model: str, parts: list[Part], axis: Axis, response: tuple[float, float]
) -> list[Number]:
    """Make the rows of all lines; ``response`` is the width of the instrument and its relative uncertainty."""
    rows: list[Number] = []
    for part in parts:
        fitted = part.solved.fit
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        window = (*part.solved.model.lines, *part.limits)[0] if len(parts) > 1 else ""
        quality = common | {"adequacy": fitted.adequacy}
        rows += measured(measurement, model, {AICC: (fitted.aicc, math.nan)}, METHOD, feature=window, **quality)
        if part is parts[0]:
            offset = float(axis.offset(np.array([axis.place]))[0])
            shifted = {q.SHIFT_OFFSET: (offset, axis.error(axis.place))}
            rows += [axis.stated(row, axis.place) for row in measured(measurement, model, shifted, axis.source)]
        moved = of_baseline(part.solved), of_response(part.solved, response[1])
        for name in part.solved.model.lines:
            if name != SILICON or not any(each.name == SILICON for each in axis.references):
                rows.append(_calibrated(measurement, model, part.solved, name, axis))
            line = common | {"feature": name, "adequacy": _judged(part.solved, name)}
            found = measured(measurement, model, _shape(part.solved, name, response[0]), METHOD, **line)
            rows += [_with_assumptions(row, *moved) for row in found]
        for name, limit in part.limits.items():
            unseen = measured(measurement, model, {q.AREA_LIMIT: (limit, math.nan)}, UNSEEN, feature=name, **common)
            rows += [row.flagged(Status.LIMIT, "limit") for row in unseen]
    freedom = {part.solved.fit.n: part.solved.fit.freedom for part in parts if not part.solved.fit.absolute_sigma}
    return [row.with_interval(freedom[row.n]) if row.n in freedom else row for row in rows]


def _judged(solved: Solved, name: str) -> Adequacy:
    """Return the judgement of a line, of which one parameter at a bound concerns the others."""
    return solved.fit.adequacy_of(*(each for each in solved.fit.names if each.startswith(f"{name}_")))


def _calibrated(measurement: Measurement, model: str, solved: Solved, name: str, axis: Axis) -> Number:
    """Make the row of the Raman shift of a line."""
    place, error = solved.fit.estimate(f"{name}_center")
    value = place + float(axis.offset(np.array([place]))[0]), math.hypot(error, axis.error(place))
    quality = solved.fit.quality | {"feature": name, "adequacy": _judged(solved, name)}
    (row,) = measured(measurement, model, {q.RAMAN_SHIFT: value}, f"{METHOD}; {axis.source}", **quality)
    return axis.stated(row, place)


def _shape(solved: Solved, name: str, gaussian_fwhm: float) -> dict[Quantity, Estimate]:
    """Return area and widths of a line; the whole width of a Voigt line with its instrument."""
    fitted = solved.fit
    fwhm, error = fitted.estimate(f"{name}_fwhm")
    shape: dict[Quantity, Estimate] = {q.AREA: fitted.estimate(f"{name}_area"), q.FWHM_LORENTZIAN: (fwhm, error)}
    if name in solved.model.asymmetric:
        asymmetry, error = fitted.estimate(f"{name}_asymmetry")
        root = math.hypot(1.0, asymmetry)
        return shape | {q.ASYMMETRY: (asymmetry / (1 + root), error / (root * (1 + root)))}
    if gaussian_fwhm and not solved.model.asymmetric:
        slope = 0.5346 + 0.2166 * fwhm / math.hypot(math.sqrt(0.2166) * fwhm, gaussian_fwhm)
        shape[q.FWHM] = (voigt_fwhm(gaussian_fwhm, fwhm), slope * error)
    return shape


def _with_assumptions(row: Number, by_baseline: Mapping[str, float], by_response: Mapping[str, float]) -> Number:
    """Add to an area or a width how far another baseline, and another response of the instrument, move it."""
    parameter = {q.AREA.name: "area", q.FWHM_LORENTZIAN.name: "fwhm"}.get(row.parameter)
    name = f"{row.feature}_{parameter}"
    row = row.with_component(q.BASELINE, by_baseline.get(name, 0.0), "setting baseline_degree")
    return row.with_component(q.RESPONSE, by_response.get(name, 0.0), "setting instrument_fwhm_uncertainty")


def _curves(spectrum: Spectrum, axis: Axis) -> xr.Dataset:
    """Make the curves on the axis of the file; NaN where nothing was fitted.

    Returns
    -------
    xarray.Dataset
        Along ``line`` are ``center``, the fitted place (1/cm, on the axis of the file), and ``substrate``, whether the
        line is one of the substrate.
    """
    shift, parts, data = spectrum.shift, spectrum.voigts, spectrum.cleaned.mean
    names = [name for part in parts for name in part.solved.model.lines]
    sigma, fit, baseline = np.full((3, shift.size), np.nan)
    components = np.full((len(names), shift.size), np.nan)
    for part in parts:
        solved, params = part.solved, part.solved.fit.params
        scale = 1.0 if solved.fit.absolute_sigma else math.sqrt(solved.fit.reduced_chi_square)
        sigma[part.inside] = solved.sigma * scale
        fit[part.inside] = solved.model.total(params)
        baseline[part.inside] = solved.model.baseline(params)
        for name, line in zip(solved.model.lines, solved.model.values(params)[0], strict=True):
            components[names.index(name), part.inside] = line
    columns = {
        "data": (data, "count", "mean of the accumulations without cosmic rays"),
        "data_uncertainty": (sigma, "count", "noise"),
        "fit": (fit, "count", "fit"),
        "baseline": (baseline, "count", "baseline"),
        "residual": (data - fit, "count", "data − fit"),
        "calibrated_shift": (shift + axis.offset(shift), "1/cm", "calibrated Raman shift"),
    }
    curves = dataset("raman_shift", columns, {"raman_shift": (shift, "1/cm", "Raman shift")})
    centers = [part.solved.fit.value(f"{name}_center") for part in parts for name in part.solved.model.lines]
    return curves.assign(components=variable(("line", "raman_shift"), components, "count", "lines")).assign_coords(
        line=("line", names),
        center=variable("line", centers, "1/cm", "fitted place of the line"),
        substrate=variable("line", [name in spectrum.substrate for name in names], "1", "line of the substrate"),
    )
