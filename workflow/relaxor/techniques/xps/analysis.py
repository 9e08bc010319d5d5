"""XPS: charge reference, constrained fits of the core levels, composition.

The module `spectrum` makes counts over binding energy of what is in a file, `spectra` adds scans or tells them apart,
and `sessions` finds what belongs together, each a `session`. `regions` is the model of a window and `region_fit` fits
it, `peaks` finds lines where the settings name none, `candidates` compares models, `reference` finds the charge shift,
`composition` turns areas into atomic percent, `survey` finds the lines of a survey, and `profile` joins the levels of a
depth profile. This module turns them into numbers and curves.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import (
    ADEQUATE,
    COMBINES,
    Adequacy,
    Estimate,
    Measurement,
    Number,
    Quantity,
    Result,
    Status,
    combined,
    measured,
)
from relaxor.core.variables import variable
from relaxor.stats.quantities import AICC
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.candidates import assumed, chosen, left_out, weights
from relaxor.techniques.xps.composition import Amount, composition, response
from relaxor.techniques.xps.profile import PROFILE, profile_curves
from relaxor.techniques.xps.region_fit import RegionFit, Values
from relaxor.techniques.xps.regions import METAL
from relaxor.techniques.xps.session import Session
from relaxor.techniques.xps.sessions import sessions
from relaxor.techniques.xps.settings import XpsSettings
from relaxor.techniques.xps.survey import detections, region_curves, spectrum_curves, survey_of

SPOILT = 2.0
"""Widening of the error of one element at which the shares of all others are flagged as well."""
COMPARISON = "AICc of the Poisson deviance; weights of differences over the misfit of the best model"
"""Methods of numbers, as they are written in the table."""
FACTORS, SPREAD = "sensitivity factors", "fits with other backgrounds and line shapes"
"""A component of systematic errors, and the source of the components of background and line shape."""
SHAPE_NAMES = {"voigt": "Voigt", "gl": "GL", "sgl": "SGL", METAL: "Doniach–Šunjić"}
FOUND = "no window of the settings names the lines, which were found"
AREA_UNITS = {"count/s": "count*eV/s", "1": "eV"}
"""Unit of areas by the unit of intensities, where it is not their product with eV."""


def analyse(measurements: Sequence[Measurement], settings: XpsSettings) -> Iterator[Result]:
    """Analyse photoelectron spectra.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `XpsSettings`. In regions without a window, lines are found and fitted, and have no names.

    Raises
    ------
    AnalysisError
        If a file has no spectrum, a window has too few points, or a charge reference that the settings demand is
        missing or does not stand out.
    """
    if measurements:
        yield from (_joined([_analysed(session) for session in file]) for file in sessions(measurements, settings))


Parts = dict[tuple[str, str], xr.Dataset]
"""Curves by measurement and part."""
Analysed = tuple[Session, list[Number], Parts]


def _joined(analysed: Sequence[Analysed]) -> Result:
    """Return the results of sessions of the same files as one: of a single session, or of the levels of a series."""
    numbers = [row for _, rows, _ in analysed for row in rows]
    parts: Parts = {}
    for _, _, curves in analysed:
        for (measurement, name), curve in curves.items():
            number, free = 1, name
            while (measurement, free) in parts:
                number += 1
                free = f"{name}_{number}"
            parts[measurement, free] = curve
    levels = [(session, curves) for session, _, curves in analysed if session.in_profile]
    if len(levels) > 1:
        fitted = [curve for _, curves in levels for curve in curves.values() if "model" in curve.attrs]
        shown = {
            (float(curve.attrs["at"]), curve.attrs["model"], str(level))
            for curve in fitted
            for level in curve["level"].values
        }
        first = levels[0][0]
        parts = {(first.first.measurement.id, PROFILE): profile_curves(numbers, shown, first.at_name)} | parts
    members = analysed[0][0].measurements
    result = Result()
    for each in members:
        own = {name: curve for (measurement, name), curve in parts.items() if measurement == each.id}
        result.add(Result.of(each, [row for row in numbers if row.measurement == each.id], own))
    if rest := [row for row in numbers if row.measurement == q.TOGETHER]:
        together = combined(members, q.TOGETHER)
        result.add(Result.of(together, rest, {}, **{COMBINES: ",".join(each.id for each in members)}))
    return result


def _analysed(session: Session) -> Analysed:
    """Return the numbers and curves of a session."""
    reference = session.reference
    windows = [name for name in session.spectra if session.settings.windows[name].models]
    fits = {name: session.fits_of(name) for name in windows}
    rows = _shift(session)
    for name, candidates in fits.items():
        first = _variants(candidates)
        for model, fitted in candidates.items():
            if fitted.fit.converged:
                causes = assumed(first.get(model, next(iter(first.values()))), first, lambda other: other.values)
                found = _numbers(session, name, model, fitted, causes)
                rows += [row.flagged(Status.OK, left_out(first)) for row in found]
        rows += _comparison(session, name, candidates)
    best = {name: chosen(candidates) for name, candidates in fits.items()}
    rows += _contents(session, fits, best)
    parts: Parts = {}
    for survey in session.surveys:
        curves = survey_of(survey, reference.shift, session.settings.survey_lines)
        rows += detections(survey.measurement, curves)
        parts[survey.measurement.id, _part(survey.name)] = curves
    for name in windows:
        spectrum = session.spectra[name]
        part = spectrum.name if name in session.found else name
        parts[spectrum.measurement.id, _part(part)] = _curves(session, name, fits[name], best[name])
    for spectrum in session.unfitted:
        curves = spectrum_curves(spectrum, reference.shift).assign_attrs(problem=spectrum.problem)
        parts[spectrum.measurement.id, _part(spectrum.name)] = curves
    if session.in_series:
        rows = [row if math.isfinite(row.at) else replace(row, **session.place) for row in rows]
        place = {**session.place, "at_name": session.at_name}
        parts = {key: curve.assign_attrs(place, region=key[1]) for key, curve in parts.items()}
    return session, rows, parts


def _part(name: str) -> str:
    return name.replace("/", "_")


def _variants(candidates: Mapping[str, RegionFit]) -> dict[str, RegionFit]:
    """Return the fits of the first model of a window, with each background and each shape."""
    lines = next(iter(candidates.values())).model.lines
    return {name: fitted for name, fitted in candidates.items() if fitted.model.lines == lines}


def _shift(session: Session) -> list[Number]:
    """Make the row of the charge shift; there is none for a file that is calibrated already."""
    settings, reference = session.settings, session.reference
    if settings.reference == "calibrated" or session.borrowed:
        return []
    if reference.missing:
        values: Values = {(q.CHARGE_SHIFT, ""): (0.0, math.nan, ADEQUATE)}
        rows = measured(session.measurement, q.CHARGE_REFERENCE, values, "energies are as measured")
        return [_referred(session, row) for row in rows]
    what, window = "the Fermi edge", settings.reference_window
    if reference.fits:
        what = reference.fits[chosen(reference.fits)].model.lines[0].level
    method = f"{what} in '{window}' against its energy of {settings.reference_energy:g} eV"
    method = "; ".join([method, *session.spectra[window].remarks])
    values = {(q.CHARGE_SHIFT, ""): (reference.shift, reference.error, reference.adequacy)}
    rows = measured(session.spectra[window].measurement, q.CHARGE_REFERENCE, values, method)
    return [_referred(session, row) for row in rows]


def _referred(session: Session, row: Number) -> Number:
    """Return a number that depends on the charge reference, with the components of the latter."""
    reference = session.reference
    if reference.missing:
        size, source = session.unreferenced
        row = row.with_component("energy of the reference", size, source)
        return row.flagged(Status.ASSUMED, f"no charge reference: {reference.missing}")
    for cause, size in reference.systematic.items():
        row = row.with_component(f"{cause} of the reference", size, SPREAD)
    size = session.settings.reference_uncertainty
    return row.with_component("energy of the reference", size, "setting reference_uncertainty")


def _numbers(
    session: Session,
    window: str,
    model: str,
    fitted: RegionFit,
    causes: Mapping[tuple[Quantity, str], Mapping[str, float]],
) -> list[Number]:
    """Make the rows of one model of a window, with what background and line shape add to their errors."""
    rows = []
    for key, estimate in fitted.values.items():
        found = [_number(session, window, model, fitted, key, estimate)]
        if key[0] is q.BINDING_ENERGY:
            found = [] if session.is_reference(window) else _energies(session, window, model, fitted, key[1], estimate)
        for row in found:
            for cause, size in causes.get(key, {}).items():
                row = row.with_component(cause, size, SPREAD)
            rows.append(row)
    return rows


def _number(
    session: Session,
    window: str,
    model: str,
    fitted: RegionFit,
    key: tuple[Quantity, str],
    estimate: Estimate,
    **more: Any,
) -> Number:
    spectrum = session.spectra[window]
    shape, background = SHAPE_NAMES[fitted.model.shape], fitted.model.background.capitalize()
    method = f"{shape} lines, active {background} background, Poisson likelihood{more.pop('against', '')}"
    quantity, feature = key
    if quantity is q.AREA:
        quantity = quantity.in_unit(AREA_UNITS.get(spectrum.unit, f"{spectrum.unit}*eV"))
        tailed = fitted.model.metallic and fitted.model.shape == METAL
        method += "; areas of asymmetric lines are counted to 10 eV above them" if tailed else ""
    method = "; ".join([method, *spectrum.remarks])
    (row,) = measured(
        spectrum.measurement, model, {(quantity, feature): estimate}, method, **fitted.fit.quality, **more
    )
    if window in session.found:
        return row.flagged(Status.ASSUMED, FOUND)
    far = session.distance(fitted)
    return row.flagged(Status.ASSUMED, f"the line lies {far:.1f} eV from its expected energy") if far else row


def _energies(
    session: Session,
    window: str,
    model: str,
    fitted: RegionFit,
    feature: str,
    estimate: tuple[float, float, Adequacy],
) -> list[Number]:
    """Make the row of an energy that was fitted, and those of its distances from published ones."""
    reference = session.reference
    position, error = estimate[0] - reference.shift, math.hypot(estimate[1], reference.error)
    adequacy = estimate[2].joined(reference.adequacy)
    rows = [_number(session, window, model, fitted, (q.BINDING_ENERGY, feature), (position, error, adequacy))]
    readings = {} if session.in_series else session.settings.readings.get(feature, {})
    for source, published in readings.items():
        difference = position - published, error, adequacy
        more = {"at": published, "at_unit": "eV", "against": f"; against '{source}'"}
        rows.append(_number(session, window, model, fitted, (q.BINDING_ENERGY_DIFFERENCE, feature), difference, **more))
    said = session.spectra[window].assumed
    return [_referred(session, row.flagged(Status.ASSUMED, said) if said else row) for row in rows]


def _comparison(session: Session, window: str, candidates: Mapping[str, RegionFit]) -> list[Number]:
    """Make the rows that compare the models of one window."""
    measurement = session.spectra[window].measurement
    shares = weights(candidates)
    best = candidates[chosen(candidates)].adequacy
    judgement = Adequacy(best.status, 1.0, "a verdict between models that miss the data") if best.remark else ADEQUATE
    rows = []
    for name, fitted in candidates.items():
        values: dict[Quantity, Estimate] = {
            AICC: (fitted.fit.aicc, math.nan, fitted.adequacy),
            q.AKAIKE_WEIGHT: (shares[name], math.nan, judgement if fitted.usable else fitted.adequacy),
        }
        rows += measured(measurement, name, values, COMPARISON, **fitted.fit.quality)
    return rows


def _contents(session: Session, fits: Mapping[str, Mapping[str, RegionFit]], best: Mapping[str, str]) -> list[Number]:
    """Make the rows of the composition, from the levels that have a sensitivity factor."""
    factors = session.settings.sensitivity_uncertainty
    transmission = _transmission(session, {name: fits[name][best[name]] for name in fits})
    amounts, judged = _amounts(session, fits, best, corrected=bool(transmission))
    known = all(math.isfinite(amount.error) for amount in amounts.values())
    if len(amounts) < 2 or not known or not any(amount.value for amount in amounts.values()):
        return []
    method = f"areas over relative sensitivity factors, escape depth and {transmission or 'no transmission'}"
    rows = []
    measurement = session.measurement
    if len(session.measurements) > 1:
        measurement = combined(session.measurements, q.TOGETHER)
    for element, (value, error, systematic) in composition(amounts, FACTORS, factors).items():
        content = {(q.ATOMIC_PERCENT, element): (value, error, judged[element])}
        (row,) = measured(measurement, q.QUANTIFICATION, content, method)
        for other, adequacy in judged.items():
            spoilt = adequacy.scale >= SPOILT or adequacy.status.severity > Status.MISFIT.severity
            row = row.flagged(adequacy.status, f"{other}: {adequacy.remark}") if spoilt and other != element else row
        if not transmission:
            row = row.flagged(Status.ASSUMED, "the file gives no transmission, which is taken as constant")
        for said in session.doubts_of_composition:
            row = row.flagged(Status.ASSUMED, said)
        for cause, size in systematic.items():
            row = row.with_component(cause, size, "setting sensitivity_uncertainty" if cause == FACTORS else SPREAD)
        rows.append(row)
    return rows


def _amounts(
    session: Session, fits: Mapping[str, Mapping[str, RegionFit]], best: Mapping[str, str], *, corrected: bool
) -> tuple[dict[str, Amount], dict[str, Adequacy]]:
    """Return amounts by element, each from one window, and the judgements of their fits."""
    amounts: dict[str, Amount] = {}
    judged: dict[str, Adequacy] = {}
    windows: dict[str, str] = {}
    for name, candidates in fits.items():
        atoms = partial(_atoms, session, name, corrected=corrected)
        first = _variants(candidates)
        causes = assumed(first.get(best[name], next(iter(first.values()))), first, atoms)
        for element, (value, error, adequacy) in atoms(candidates[best[name]]).items():
            if element in windows:
                raise AnalysisError(
                    f"{session.measurement.id}: {element} has a sensitivity factor for lines of '{windows[element]}' "
                    f"and of '{name}', and its atoms would count twice; keep its lines in one of them"
                )
            windows[element], judged[element] = name, adequacy
            amounts[element] = Amount(value, error, causes.get(element, {}))
    return amounts, judged


def _atoms(
    session: Session, window: str, fitted: RegionFit, *, corrected: bool
) -> dict[str, tuple[float, float, Adequacy]]:
    """Return a number that is proportional to the atoms of each element: the sum over its chemical states."""
    settings = session.settings
    sums: dict[str, dict[str, float]] = {}
    for line in fitted.model.lines:
        factor = settings.sensitivity.get(line.level, settings.sensitivity.get(line.shell))
        if factor is not None:
            energy = session.kinetic_energy(window, fitted, line)
            passed = response(session.spectra[window].dataset, energy)[0] if corrected else 1.0
            weight = 1 / (factor * energy**settings.escape_exponent * passed)
            sums.setdefault(line.element, {})[f"{line.slug}_area"] = weight
    return {
        element: fitted.estimate(sum(weight * fitted.fit.value(name) for name, weight in gradient.items()), gradient)
        for element, gradient in sums.items()
    }


def _transmission(session: Session, best: Mapping[str, RegionFit]) -> str:
    """Return where all windows of the composition state the transmission; nothing if one of them does not."""
    factors = session.settings.sensitivity.keys()
    sources = {
        response(session.spectra[name].dataset, session.kinetic_energy(name, fitted, line))[1]
        for name, fitted in best.items()
        for line in fitted.model.lines
        if {line.level, line.shell} & factors
    }
    return sources.pop() if len(sources) == 1 else ""


def _curves(session: Session, window: str, candidates: Mapping[str, RegionFit], model: str) -> xr.Dataset:
    """Return data, chosen fit, its lines and the fits of the other models of a window."""
    best = candidates[model]
    region, axis, unit = best.region, "binding_energy", session.spectra[window].unit
    background = best.model.background
    lines = [(name, line) for line in best.model.lines for name in line.names]
    others = {name: fitted for name, fitted in candidates.items() if name != model}
    labels = [name.replace(f"_{background}", "").replace("_", " ") for name in others]
    if best.model.shape != "voigt":
        labels = [f"{text} voigt" if others[name].model.shape == "voigt" else text
                  for name, text in zip(others, labels, strict=True)]  # fmt: skip
    result = region_curves(region, unit, session.reference.shift).assign(
        fit=variable(axis, best.curve, unit, "fit"),
        background=variable(axis, best.background, unit, f"{background.capitalize()} background"),
        components=variable(("line", axis), list(best.components.values()), unit, "lines"),
        residual=variable(axis, best.residual, "1", "deviance residual"),
        alternatives=variable(
            ("model", axis),
            np.array([fitted.curve for fitted in others.values()]).reshape(-1, len(region.energy)),
            unit,
            "fits of the other models",
        ),
    )
    return result.assign_attrs(model=model, aicc=best.fit.aicc).assign_coords(
        line=variable("line", [name for name, _ in lines], "1", "line"),
        level=variable("line", [line.level for _, line in lines], "1", "core level"),
        label=variable("line", [line.label for _, line in lines], "1", "text over the line"),
        model=variable("model", np.array(list(others), dtype=str), "1", "model"),
        model_label=variable("model", np.array(labels, dtype=str), "1", "name of the model in legends"),
    )
