"""Raman spectra: cosmic rays out, modes and baseline fitted together, shifts calibrated on lines of known shift.

The baseline is part of the fit, so that its uncertainty is in that of every mode. Modes that are expected are fitted
where they stand out of the noise (`relaxor.techniques.raman.lines`); a fit that misses its data is examined
(`relaxor.techniques.raman.misfit`).
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, islice

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.parallel import ordered_map
from relaxor.core.results import Measurement, Number, Result, Status
from relaxor.core.trial import analysed_parts
from relaxor.stats.counts import in_counts, rising
from relaxor.techniques.raman import quantities as q
from relaxor.techniques.raman.assumptions import with_higher_baseline
from relaxor.techniques.raman.axis import Axis, Reference
from relaxor.techniques.raman.lines import SEARCH, covered, find_modes, fit_lines, fit_seen_lines
from relaxor.techniques.raman.misfit import Points, Solved, examined, with_nearest_names
from relaxor.techniques.raman.rows import part_rows, spectrum_rows
from relaxor.techniques.raman.series import MOST_SPECTRA, Series, is_constant
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.raman.spectrum import SILICON, Part, Spectrum, curves_of
from relaxor.techniques.raman.spikes import remove_spikes

EDGE = 60.0
"""1/cm; below, the filter that blocks the laser shapes the spectrum."""
REACH, FEWEST = (3.0, 10.0), 12
"""A line that was found is fitted so many of its widths to each side, at least so far (1/cm) and so many pixels."""
BROAD = 0.999
"""Part of the largest width of a line above which it is background."""
SAME = 6.0
"""1/cm; a line that is found so near to one with a name is that line."""
FOUND_DEGREE = 1
"""Degree of the baseline under lines that were found: windows are narrow."""
OF_PLACE = frozenset(each.name for each in (q.RAMAN_SHIFT, q.AREA, q.FWHM_LORENTZIAN, q.FWHM, q.AREA_LIMIT))
"""Parameters of each spectrum of a map or series."""


def analyse(measurements: Sequence[Measurement], settings: RamanSettings) -> Iterator[Result]:
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
    for several, group in groupby(measurements, _holds_several):
        if several:
            for measurement in group:
                yield from _of_series(measurement, standards, settings)
        else:
            yield from ordered_map(partial(_of_spectrum, standards=standards, settings=settings), group)


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
    others = covered(settings.substrate_lines | ({SILICON: reference} if reference else {}), shift)
    modes = None if settings.modes is None else covered(settings.modes, shift)
    if modes is not None and settings.modes and not modes:
        raise AnalysisError(
            f"{measurement.id}: no mode lies between {shift[0]:g} and {shift[-1]:g} 1/cm, where the spectrum is"
        )
    if standard is not None:
        modes, others = None, {}
    response = width / float(np.median(np.diff(shift)))
    cleaned = remove_spikes(spectra, settings.spike_threshold, settings.spike_width, response)
    mean = cleaned.mean
    if not np.ptp(mean):
        raise AnalysisError(f"{measurement.id}: every point has the intensity {mean[0]:g}: not a spectrum")
    groups, degree = [(np.ones(shift.shape, dtype=bool), {**(modes or {}), **others})], settings.baseline_degree
    found = find_modes(shift, mean, settings.significance, width)
    listed = {**others, **(standard or {}), **(modes or {})}
    unlisted = any(all(abs(place - center) > SEARCH for center in listed.values()) for place in found)
    if modes is None or (window is None and unlisted):  # one baseline does not follow what stands between the modes
        groups, degree = _groups(shift, found, listed), FOUND_DEGREE
        groups = [each for each in groups if modes is None or each[1].keys() & listed.keys()]
    doubtful = _doubtful({**(modes or {}), **others}, found)
    parts = []
    for near, centers in groups:
        inside = near & ~cleaned.lost
        points = Points(shift[inside], mean[inside], cleaned.noise[inside], width, degree)
        part = _fitted_part(inside, points, centers, centers.keys() & doubtful, others)
        if centers.keys() & listed.keys() or not _is_background(part):
            parts.append((part, _lorentzian(part, points)))
    if not parts:
        raise AnalysisError(
            f"{measurement.id}: no line stands out by {settings.significance:g} standard deviations"
            + (", only background as wide as a line may be" if groups else "")
        )
    if SILICON in {name for part, _ in parts for name in part.limits}:
        raise AnalysisError(
            f"{measurement.id}: the silicon line at {others[SILICON]:g} 1/cm that sets the axis is not seen: "
            "set 'calibration_line: null', and 'axis_uncertainty' to that of the file's axis"
        )
    return Spectrum(shift, cleaned, [part for part, _ in parts], [narrow for _, narrow in parts], others)


def _fitted_part(
    inside: np.ndarray, points: Points, centers: Mapping[str, float], doubtful: Collection[str], others: Collection[str]
) -> Part:
    """Fit the lines of some points of a spectrum."""
    seen = points.shift, points.spectrum, points.noise
    fitted, model, sigma, limits = fit_seen_lines(*seen, centers, points.gaussian_fwhm, points.degree, doubtful)
    best, fano = _examined(Solved(fitted, model, sigma), points, others)
    best = with_nearest_names(best, replace(points, degree=best.model.degree), centers)
    return Part(inside, best, limits, fano)


def _lorentzian(part: Part, points: Points) -> Part:
    """Fit Lorentzian lines where Voigt lines were fitted."""
    model, params = part.solved.model, part.solved.fit.params
    places = {name: params[f"{name}_center"].value for name in model.lines}
    seen = points.shift, points.spectrum, points.noise
    return Part(part.inside, Solved(*fit_lines(*seen, places, 1e-3 * points.gaussian_fwhm, model.degree, (), params)))


def _is_background(part: Part) -> bool:
    """Return whether every line is as wide as a line may be: luminescence, which no baseline of a window follows."""
    params = part.solved.fit.params
    widths = [params[f"{name}_fwhm"] for name in part.solved.model.lines]
    return all(width.value > BROAD * width.max for width in widths)


def _doubtful(lines: Mapping[str, float], found: Collection[float]) -> set[str]:
    """Return the lines that may not be there: those without a peak at their place.

    A peak is there, however badly the fit describes what lies beside it.
    """
    return {name for name, center in lines.items() if all(abs(center - place) > SAME for place in found)}


def _examined(solved: Solved, points: Points, others: Collection[str]) -> tuple[Solved, Solved | None]:
    """Examine a fit, see `examined`, and the same with a higher baseline, if that describes the data better."""
    best, fano = examined(solved, points, others)
    higher = with_higher_baseline(solved, points)
    if fano is None and higher.fit.adequacy.status == Status.OK and higher.criterion < best.criterion:
        best, fano = examined(higher, replace(points, degree=higher.model.degree), others)
    return best, fano


def _holds_several(measurement: Measurement) -> bool:
    """Return whether a measurement is a map or a series of spectra."""
    series = Series.of(measurement.only)
    return series is not None and series.size > 1


def _of_spectrum(measurement: Measurement, standards: Sequence[Reference], settings: RamanSettings) -> Result:
    """Return the numbers of all models and the curves of the Voigt fit."""
    if (series := Series.of(measurement.only)) is not None:  # of one spectrum
        measurement = series.mean(measurement, [True])
    rows, spectrum, axis = _numbers(measurement, standards, settings)
    repeats = measurement.only.sizes.get("spectrum", 1)
    if repeats > 1:
        rows = _said(rows, f"mean of {repeats} spectra that agree")
    return Result.of(measurement, rows, {"spectrum": curves_of(spectrum, axis)})


def _of_series(measurement: Measurement, standards: Sequence[Reference], settings: RamanSettings) -> Iterator[Result]:
    """Yield the result of the mean of a map or series, the numbers of each spectrum, and the maps of them."""
    series = Series.of(measurement.only)
    assert series is not None  # see `_holds_several`
    if series.size > MOST_SPECTRA:
        raise AnalysisError(f"{measurement.id}: holds {series.in_words}; at most {MOST_SPECTRA} are fitted")
    kept = [not is_constant(_spectra(one, settings.window)[1]) for one in series.each(measurement)]
    rows, spectrum, axis = _numbers(series.mean(measurement, kept), standards, settings)
    said = f"mean of {series.in_words}"
    if empty := kept.count(False):
        said += f", {empty} of which are constant and were not fitted"
    yield Result.of(measurement, _said(rows, said), {"spectrum": curves_of(spectrum, axis)})
    maps = series.maps([name for part in spectrum.voigts for name in part.solved.model.lines])
    of_place = partial(_of_place, mean=spectrum, axis=axis, settings=settings)
    places = islice(series.each(measurement), analysed_parts())
    for number, rows in enumerate(ordered_map(of_place, places)):
        placed = series.at(rows, number)
        maps.note(placed, number)
        yield Result(placed)
    yield Result([], {f"{measurement.id}/map": maps.dataset()})


def _said(rows: list[Number], what: str) -> list[Number]:
    """Return rows whose method says what more was done."""
    return [replace(row, method=f"{row.method}; {what}" if row.method else what) for row in rows]


def _of_place(measurement: Measurement, mean: Spectrum, axis: Axis, settings: RamanSettings) -> list[Number]:
    """Return the numbers of the lines of a mean spectrum in one of its spectra; none where it is constant.

    A line that the noise of the one spectrum hides has a limit.
    """
    shift, spectra = _spectra(measurement, settings.window)
    if is_constant(spectra):
        return []
    width = settings.instrument_fwhm
    response = width / float(np.median(np.diff(shift)))
    cleaned = remove_spikes(spectra, settings.spike_threshold, settings.spike_width, response)
    peaks = find_modes(shift, cleaned.mean, settings.significance, width)
    parts = []
    for part in mean.voigts:
        inside, model, fitted = part.inside & ~cleaned.lost, part.solved.model, part.solved.fit
        centers = {name: fitted.value(f"{name}_center") for name in model.lines}
        seen = shift[inside], cleaned.mean[inside], cleaned.noise[inside]
        doubtful = _doubtful(centers, peaks)
        like = fitted.params
        one, lines, sigma, limits = fit_seen_lines(*seen, centers, width, model.degree, doubtful, like=like)
        parts.append(Part(inside, Solved(one, lines, sigma), limits))
    rows = part_rows(measurement, q.VOIGT, parts, axis, (width, settings.instrument_fwhm_uncertainty))
    return [row for row in rows if row.parameter in OF_PLACE]


def _numbers(
    measurement: Measurement, standards: Sequence[Reference], settings: RamanSettings
) -> tuple[list[Number], Spectrum, Axis]:
    """Return the numbers of all models of one spectrum, its fits and its axis."""
    spectrum = _fitted(measurement, settings)
    silicon = {SILICON: spectrum.substrate[SILICON]} if SILICON in spectrum.substrate else {}
    axis = Axis.on([*standards, *spectrum.references(silicon)], settings)
    return spectrum_rows(measurement, spectrum, axis, settings), spectrum, axis


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
