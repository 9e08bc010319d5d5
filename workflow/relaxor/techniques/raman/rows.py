"""The numbers of a Raman spectrum: a row for each quantity of each line, with what it rests on."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from relaxor.core.results import Adequacy, Estimate, Measurement, Number, Quantity, Status, measured
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.quantities import AICC
from relaxor.techniques.raman import quantities as q
from relaxor.techniques.raman.assumptions import of_baseline, of_response
from relaxor.techniques.raman.axis import Axis
from relaxor.techniques.raman.lines import UNSEEN, covered
from relaxor.techniques.raman.misfit import Solved, beside_unlisted
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.raman.spectrum import SILICON, Part, Spectrum

METHOD = "least squares of Voigt lines on a Chebyshev baseline; variance linear in the signal"
SUSPECT = "may be a cosmic ray: as sharp as one, without wings, in a single accumulation"
TWIN = 0.5
"""Area of an unlisted line, as a fraction of that of the mode beside it, above which either may be the mode."""
TWINS = "which of two lines of similar area is the mode is a choice: that nearer to the place in the settings"
DIVIDED = frozenset(quantity.name for quantity in (q.AREA, q.FWHM, q.FWHM_LORENTZIAN))
SHARED = "how the area is divided between the line and one beside it that nobody listed depends on the shape of both"


def spectrum_rows(measurement: Measurement, spectrum: Spectrum, axis: Axis, settings: RamanSettings) -> list[Number]:
    """Return the numbers of all models of a spectrum, with what is assumed about its lines."""
    width = settings.instrument_fwhm, settings.instrument_fwhm_uncertainty
    fanos = [replace(part, solved=part.fano, limits={}) for part in spectrum.voigts if part.fano]
    rows = part_rows(measurement, q.VOIGT, spectrum.voigts, axis, width)
    rows += part_rows(measurement, q.LORENTZIAN, spectrum.lorentzians, axis, (0.0, 0.0))
    rows += part_rows(measurement, q.FANO, fanos, axis, width)
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
    modes = {} if measurement.id in settings.standards else settings.modes or {}
    for name in [name for name in modes if name not in covered(modes, spectrum.shift)]:
        reason = f"not measured: the spectrum ends at {spectrum.shift[0]:g} and {spectrum.shift[-1]:g} 1/cm"
        missing = measured(measurement, q.VOIGT, {q.RAMAN_SHIFT: (math.nan, math.nan)}, reason, feature=name)
        rows += [row.flagged(Status.NOT_IDENTIFIED, "the place of the mode is not covered") for row in missing]
    rays = {q.COSMIC_RAY_PIXELS: (cleaned.removed.sum(), math.nan)}
    rows += measured(measurement, q.VOIGT, rays, "count")
    return rows


def part_rows(
    measurement: Measurement, model: str, parts: list[Part], axis: Axis, response: tuple[float, float]
) -> list[Number]:
    """Make the rows of all lines; ``response`` is the width of the instrument and its relative uncertainty."""
    rows: list[Number] = []
    for part in parts:
        fitted = part.solved.fit
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        window = next(iter((*part.solved.model.lines, *part.limits)), "") if len(parts) > 1 else ""
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


def _of_shapes(rows: list[Number]) -> list[Number]:
    """Add to the shifts of Voigt lines how far asymmetric lines, which are better, move them."""
    better = {row.feature: row.value for row in rows if (row.model, row.parameter) == (q.FANO, q.RAMAN_SHIFT.name)}
    return [
        row.with_component("shape of the lines", row.value - better[row.feature], "lines of model fano")
        if (row.model, row.parameter) == (q.VOIGT, q.RAMAN_SHIFT.name) and row.feature in better
        else row
        for row in rows
    ]
