"""XPS: charge reference, constrained fits of the core levels, composition.

The module `regions` is the model of a window and `region_fit` fits it, `candidates` compares models, `reference` finds
the charge shift, `composition` turns areas into atomic percent, and `survey` finds the lines of a survey. This module
applies them to measurements.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Estimate, Measurement, Number, Quantity, Result, Status, measured
from relaxor.core.variables import variable
from relaxor.stats.quantities import AICC
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.candidates import assumed, chosen, weights
from relaxor.techniques.xps.composition import Amount, composition, response
from relaxor.techniques.xps.levels import Line, with_splitting
from relaxor.techniques.xps.reference import Reference, by_edge, by_line
from relaxor.techniques.xps.region_fit import RegionFit, Values, fit_region
from relaxor.techniques.xps.regions import Model, Region
from relaxor.techniques.xps.settings import XpsSettings
from relaxor.techniques.xps.survey import SURVEY_SPAN, detections, spectrum_curves, survey_of

MIN_POINTS = 40
"""Least number of points of a window, whose model has up to 16 parameters."""
SPOILT = 2.0
"""Widening of the error of one element at which the shares of all others are flagged as well."""
COMPARISON = "AICc of the Poisson deviance; weights of differences over the misfit of the best model"
"""Methods of numbers, as they are written in the table."""
FACTORS, SPREAD = "sensitivity factors", "fits with other backgrounds and line shapes"
"""A component of systematic errors, and the source of the components of background and line shape."""
SHAPE_NAMES = {"voigt": "Voigt", "gl": "GL", "sgl": "SGL", "doniach_sunjic": "Doniach–Šunjić"}


def analyse(measurements: Sequence[Measurement], settings: XpsSettings) -> Result:
    """Analyse photoelectron spectra.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `XpsSettings`.

    Raises
    ------
    AnalysisError
        If a measurement lacks a window, its counting time, or points, or its charge reference does not stand out.
    """
    if not settings.windows:
        raise AnalysisError("xps: no windows are named; set xps.windows and xps.lines for this sample")
    return Result.joined(_analyse_one(_Session(measurement, settings)) for measurement in measurements)


def _analyse_one(session: "_Session") -> Result:
    measurement, settings, reference = session.measurement, session.settings, session.reference
    windows = [name for name, window in settings.windows.items() if window.models]
    fits = {name: dict(reference.fits) if name == session.reference_window else session.fits(name) for name in windows}
    rows = _shift(session)
    for name, candidates in fits.items():
        first = _variants(candidates)
        for model, fitted in candidates.items():
            if fitted.fit.converged:
                causes = assumed(first.get(model, next(iter(first.values()))), first, lambda other: other.values)
                rows += _numbers(session, model, fitted, causes, energies=name != session.reference_window)
        rows += _comparison(measurement, candidates)
    best = {name: chosen(candidates) for name, candidates in fits.items()}
    rows += _contents(session, fits, best)
    parts = {name: _curves(fits[name], best[name], reference.shift) for name in windows}
    if session.survey:
        survey = survey_of(session.spectrum(session.survey), reference.shift, settings.survey_lines)
        rows += detections(measurement, survey)
        parts = {session.survey: survey} | parts
    return Result.of(measurement, rows, parts)


def _variants(candidates: Mapping[str, RegionFit]) -> dict[str, RegionFit]:
    """Return the fits of the first model of a window, with each background and each shape."""
    lines = next(iter(candidates.values())).model.lines
    return {name: fitted for name, fitted in candidates.items() if fitted.model.lines == lines}


@dataclass(frozen=True)
class _Session:
    """A measurement and how its windows are to be fitted."""

    measurement: Measurement
    settings: XpsSettings

    @cached_property
    def levels(self) -> dict[str, Line]:
        """The core levels by name."""
        return {name: Line(level=name, **dict(entry)) for name, entry in self.settings.lines.items()}

    @property
    def reference_window(self) -> str:
        """The window whose first line is the charge reference; empty if there is none."""
        return self.settings.reference_window if self.settings.reference == "line" else ""

    @cached_property
    def survey(self) -> str:
        """The region that holds the survey; empty if there is none."""
        if self.settings.survey_region:
            return self.settings.survey_region
        spectra = {
            name: float(np.ptp(region["binding_energy"].to_numpy()))
            for name, region in self.measurement.regions.items()
            if "intensity" in region and region["intensity"].dims == ("binding_energy",)
        }
        widest = max(spectra, key=lambda name: spectra[name], default="")
        return widest if spectra.get(widest, 0.0) > SURVEY_SPAN else ""

    def spectrum(self, name: str) -> xr.Dataset:
        """Return a region, once it is known to hold what the fits need."""
        label, regions = self.measurement.id, self.measurement.regions
        if name not in regions:
            raise AnalysisError(f"{label}: has no region '{name}' (it has {', '.join(regions)})")
        dataset = regions[name]
        if "intensity" not in dataset or dataset["intensity"].dims != ("binding_energy",):
            raise AnalysisError(f"{label}: region '{name}' is not one spectrum over binding energy")
        if not dataset.attrs.get("counting_time", 0) > 0:
            raise AnalysisError(f"{label}: region '{name}' has no counting time to calculate counts")
        return dataset

    def kinetic_energy(self, window: str, fitted: RegionFit, line: Line) -> float:
        """Return the kinetic energy of the electrons of a line (eV)."""
        photon = float(self.spectrum(window).attrs.get("excitation_energy", self.settings.photon_energy))
        return photon - fitted.position(line, 1)[0]

    def region(self, name: str, shift: float) -> Region:
        """Return the counts of a window, its limits moved with the charging."""
        dataset, window = self.spectrum(name), self.settings.windows[name]
        time = float(dataset.attrs["counting_time"])
        counts = np.maximum(np.round(dataset["intensity"].to_numpy() * time), 0.0)
        limits = window.low + shift, window.high + shift
        region = Region.of(dataset["binding_energy"].to_numpy(), counts, time, *limits)
        if len(region.energy) < MIN_POINTS:
            raise AnalysisError(
                f"{self.measurement.id}: region '{name}' has {len(region.energy)} points between {limits[0]:.1f} and "
                f"{limits[1]:.1f} eV; {MIN_POINTS} needed"
            )
        return region

    def fits(self, name: str, shift: float | None = None) -> dict[str, RegionFit]:
        """Fit every model of a window; the first with each background and each shape, in order of preference."""
        shift = self.reference.shift if shift is None else shift
        window = self.settings.windows[name]
        region = self.region(name, 0.0 if name == self.reference_window else shift)
        found: dict[str, RegionFit] = {}
        for number, (model, entry) in enumerate(window.models.items()):
            lines = with_splitting([self.levels[level] for level in entry.lines], entry.splitting)
            near = None
            for background, shape in self.variants(region)[: 1 if number else None]:
                suffix = "" if shape == "voigt" else f"_{shape}"
                fitted = fit_region(region, Model(lines, background, window.polynomial, shape), shift, near)
                near = near or (fitted if fitted.usable else None)
                found[f"{model}_{background}{suffix}"] = fitted
        return found

    def variants(self, region: Region) -> Sequence[tuple[str, str]]:
        """Return the pairs of background and shape that are fitted; Fourier series of lines need equal steps."""
        backgrounds, shapes = self.settings.backgrounds, self.settings.shapes
        possible = [shape for shape in shapes[1:] if region.even or shape != "doniach_sunjic"]
        return [(background, shapes[0]) for background in backgrounds] + [(backgrounds[0], shape) for shape in possible]

    @cached_property
    def reference(self) -> Reference:
        """The charge reference that the settings name."""
        name, energy, kind = self.settings.reference_window, self.settings.reference_energy, self.settings.reference
        if kind == "calibrated":
            return Reference()
        region, place = self.region(name, 0.0), self.measurement.id
        if kind == "fermi_edge":
            return by_edge(region, energy, place)
        smooth = np.convolve(region.counts, np.ones(5) / 5, mode="same")
        start = float(region.energy[2:-2][np.argmax(smooth[2:-2])]) - energy
        return by_line(self.fits(name, start if abs(start) < 3 else 0.0), energy, place)


def _shift(session: _Session) -> list[Number]:
    """Make the row of the charge shift; there is none for a file that is calibrated already."""
    settings, reference = session.settings, session.reference
    if settings.reference == "calibrated":
        return []
    what = "the Fermi edge"
    if reference.fits:
        what = reference.fits[chosen(reference.fits)].model.lines[0].level
    method = f"{what} in '{settings.reference_window}' against its energy of {settings.reference_energy:g} eV"
    values: Values = {(q.CHARGE_SHIFT, ""): (reference.shift, reference.error, reference.adequacy)}
    rows = measured(session.measurement, q.CHARGE_REFERENCE, values, method)
    return [_referred(session, row) for row in rows]


def _referred(session: _Session, row: Number) -> Number:
    """Return a number that depends on the charge reference, with the components of the latter."""
    for cause, size in session.reference.systematic.items():
        row = row.with_component(f"{cause} of the reference", size, SPREAD)
    size = session.settings.reference_uncertainty
    return row.with_component("energy of the reference", size, "setting reference_uncertainty")


def _numbers(
    session: _Session,
    model: str,
    fitted: RegionFit,
    causes: Mapping[tuple[Quantity, str], Mapping[str, float]],
    *,
    energies: bool,
) -> list[Number]:
    """Make the rows of one model, with what background and line shape add to their errors."""
    rows = []
    for key, estimate in fitted.values.items():
        found = [_number(session, model, fitted, key, estimate)]
        if key[0] is q.BINDING_ENERGY:
            found = _energies(session, model, fitted, key[1], estimate) if energies else []
        for row in found:
            for cause, size in causes.get(key, {}).items():
                row = row.with_component(cause, size, SPREAD)
            rows.append(row)
    return rows


def _number(
    session: _Session, model: str, fitted: RegionFit, key: tuple[Quantity, str], estimate: Estimate, **more: Any
) -> Number:
    shape, background = SHAPE_NAMES[fitted.model.shape], fitted.model.background.capitalize()
    method = f"{shape} lines, active {background} background, Poisson likelihood{more.pop('against', '')}"
    (row,) = measured(session.measurement, model, {key: estimate}, method, **fitted.fit.quality, **more)
    return row


def _energies(
    session: _Session, model: str, fitted: RegionFit, feature: str, estimate: tuple[float, float, Adequacy]
) -> list[Number]:
    """Make the row of an energy that was fitted, and those of its distances from published ones."""
    reference = session.reference
    position, error = estimate[0] - reference.shift, math.hypot(estimate[1], reference.error)
    adequacy = estimate[2].joined(reference.adequacy)
    rows = [_number(session, model, fitted, (q.BINDING_ENERGY, feature), (position, error, adequacy))]
    for source, published in session.settings.readings.get(feature, {}).items():
        difference = position - published, error, adequacy
        more = {"at": published, "at_unit": "eV", "against": f"; against '{source}'"}
        rows.append(_number(session, model, fitted, (q.BINDING_ENERGY_DIFFERENCE, feature), difference, **more))
    return [_referred(session, row) for row in rows]


def _comparison(measurement: Measurement, candidates: Mapping[str, RegionFit]) -> list[Number]:
    """Make the rows that compare the models of one window."""
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


def _contents(session: _Session, fits: Mapping[str, Mapping[str, RegionFit]], best: Mapping[str, str]) -> list[Number]:
    """Make the rows of the composition, from the levels that have a sensitivity factor."""
    factors = session.settings.sensitivity_uncertainty
    transmission = _transmission(session, {name: fits[name][best[name]] for name in fits})
    amounts, judged = _amounts(session, fits, best, corrected=bool(transmission))
    known = all(math.isfinite(amount.error) for amount in amounts.values())
    if not known or not any(amount.value for amount in amounts.values()):
        return []
    method = f"areas over relative sensitivity factors, escape depth and {transmission or 'no transmission'}"
    rows = []
    for element, (value, error, systematic) in composition(amounts, FACTORS, factors).items():
        content = {(q.ATOMIC_PERCENT, element): (value, error, judged[element])}
        (row,) = measured(session.measurement, q.QUANTIFICATION, content, method)
        for other, adequacy in judged.items():
            spoilt = adequacy.scale >= SPOILT or adequacy.status.severity > Status.MISFIT.severity
            row = row.flagged(adequacy.status, f"{other}: {adequacy.remark}") if spoilt and other != element else row
        if not transmission:
            row = row.flagged(Status.ASSUMED, "the file gives no transmission, which is taken as constant")
        for cause, size in systematic.items():
            row = row.with_component(cause, size, "setting sensitivity_uncertainty" if cause == FACTORS else SPREAD)
        rows.append(row)
    return rows


def _amounts(
    session: _Session, fits: Mapping[str, Mapping[str, RegionFit]], best: Mapping[str, str], *, corrected: bool
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
    session: _Session, window: str, fitted: RegionFit, *, corrected: bool
) -> dict[str, tuple[float, float, Adequacy]]:
    """Return a number that is proportional to the atoms of each element: the sum over its chemical states."""
    settings = session.settings
    sums: dict[str, dict[str, float]] = {}
    for line in fitted.model.lines:
        factor = settings.sensitivity.get(line.level, settings.sensitivity.get(line.shell))
        if factor is not None:
            energy = session.kinetic_energy(window, fitted, line)
            passed = response(session.spectrum(window), energy)[0] if corrected else 1.0
            weight = 1 / (factor * energy**settings.escape_exponent * passed)
            sums.setdefault(line.element, {})[f"{line.slug}_area"] = weight
    return {
        element: fitted.estimate(sum(weight * fitted.fit.value(name) for name, weight in gradient.items()), gradient)
        for element, gradient in sums.items()
    }


def _transmission(session: _Session, best: Mapping[str, RegionFit]) -> str:
    """Return where all windows of the composition state the transmission; nothing if one of them does not."""
    factors = session.settings.sensitivity.keys()
    sources = {
        response(session.spectrum(name), session.kinetic_energy(name, fitted, line))[1]
        for name, fitted in best.items()
        for line in fitted.model.lines
        if {line.level, line.shell} & factors
    }
    return sources.pop() if len(sources) == 1 else ""


def _curves(candidates: Mapping[str, RegionFit], model: str, shift: float) -> xr.Dataset:
    """Return data, chosen fit, its lines and the fits of the other models of a window."""
    best = candidates[model]
    region, axis = best.region, "binding_energy"
    background = best.model.background
    lines = [(name, line) for line in best.model.lines for name in line.names]
    others = {name: fitted for name, fitted in candidates.items() if name != model}
    labels = [name.replace(f"_{background}", "").replace("_", " ") for name in others]
    result = spectrum_curves(region.energy - shift, region.counts / region.time, region.time).assign(
        fit=variable(axis, best.curve, "count/s", "fit"),
        background=variable(axis, best.background, "count/s", f"{background.capitalize()} background"),
        components=variable(("line", axis), list(best.components.values()), "count/s", "lines"),
        residual=variable(axis, best.residual, "1", "deviance residual"),
        alternatives=variable(
            ("model", axis),
            np.array([fitted.curve for fitted in others.values()]).reshape(-1, len(region.energy)),
            "count/s",
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
