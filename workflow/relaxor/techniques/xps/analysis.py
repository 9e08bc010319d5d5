"""XPS: charge reference, constrained fits of the core levels, composition.

The module `regions` fits a window, and `composition` turns areas into atomic percent. This module applies them to
measurements and finds the lines of a survey.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, Result, measured
from relaxor.core.variables import variable, with_uncertainty
from relaxor.stats.fit import combination
from relaxor.stats.quantities import AICC
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.composition import Signal, composition
from relaxor.techniques.xps.regions import Line, Model, Region, RegionFit, fit_region, with_splitting
from relaxor.techniques.xps.settings import XpsSettings

MIN_POINTS = 40
"""Least number of points of a window, whose model has up to 16 parameters."""
PREFERENCE = 4.0
"""A model later in the list is taken only if its AICc is lower by more than this ("considerably less support" for
the earlier one; Burnham & Anderson, doi 10.1007/b97636)."""
CARBON = "C 1s of adventitious carbon against its nominal energy"
SENSITIVITIES = "areas over relative sensitivity factors, escape depth and transmission"
EXCESS = "excess counts over a straight background, in standard deviations"
"""Methods of numbers, as they are written in the table."""
REACH = 4.0
"""Half width in which a line is looked for (eV): chemical shifts and the width of the line."""
WING = (7.0, 14.0)
"""Distance of the background beside it (eV)."""
Values = dict[tuple[Quantity, str], tuple[float, float]]
"""Value and standard error by quantity and feature."""


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
        If a measurement lacks a window, its counting time, or points.
    """
    if not settings.windows:
        raise AnalysisError("xps: no windows are named; set xps.windows and xps.lines for this sample")
    return Result.joined(_analyse_one(_Session(measurement, settings)) for measurement in measurements)


def _analyse_one(session: "_Session") -> Result:
    measurement, settings, carbon = session.measurement, session.settings, session.settings.carbon_window
    reference = session.reference()
    fits = {name: session.fits(name, reference.shift) for name in settings.windows if name != carbon}
    fits[carbon] = reference.fits
    shift = {q.CHARGE_SHIFT: (reference.shift, reference.error)}
    rows = _with_reference(measured(measurement, q.CHARGE_REFERENCE, shift, CARBON), settings)
    for name, candidates in fits.items():
        for model, fitted in candidates.items():
            rows += _shapes(measurement, model, fitted)
            if name != carbon:
                rows += _energies(session, model, fitted, reference)
        rows += _comparison(measurement, candidates)
    chosen = {name: _best(candidates) for name, candidates in fits.items()}
    rows += _contents(session, chosen)
    survey = _survey(session.spectrum(settings.survey_region), reference.shift, settings.survey_lines)
    rows += _detections(measurement, survey)
    parts = {settings.survey_region: survey} | {
        name: _curves(fits[name], chosen[name], reference.shift) for name in settings.windows
    }
    return Result.of(measurement, rows, parts)


@dataclass(frozen=True)
class _Reference:
    """The charge reference: how far the spectra are shifted."""

    fits: dict[str, RegionFit]
    shift: float
    error: float


@dataclass(frozen=True)
class _Session:
    """A measurement and how its windows are to be fitted."""

    measurement: Measurement
    settings: XpsSettings

    @cached_property
    def levels(self) -> dict[str, Line]:
        """The core levels by name."""
        return {name: Line(level=name, **dict(entry)) for name, entry in self.settings.lines.items()}

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

    def fits(self, name: str, shift: float) -> dict[str, RegionFit]:
        """Fit every model of a window; the first with each background, in order of preference."""
        region, window, backgrounds = self.region(name, shift), self.settings.windows[name], self.settings.backgrounds
        found = {}
        for number, (model, entry) in enumerate(window.models.items()):
            lines = with_splitting([self.levels[level] for level in entry.lines], entry.splitting)
            for background in backgrounds if number == 0 else backgrounds[:1]:
                fitted = fit_region(region, Model(lines, background, window.polynomial), shift)
                found[f"{model}_{background}"] = fitted
        return found

    def reference(self) -> _Reference:
        """Fit the carbon window and return the shift of its main line."""
        name, energy = self.settings.carbon_window, self.settings.carbon_energy
        region = self.region(name, 0.0)
        smooth = np.convolve(region.counts, np.ones(5) / 5, mode="same")
        start = float(region.energy[2:-2][np.argmax(smooth[2:-2])]) - energy
        fits = self.fits(name, start if abs(start) < 3 else 0.0)
        best = _best(fits)
        position, error = best.position(best.model.lines[0], 1)
        return _Reference(fits, position - energy, error)

    def signal(self, name: str, fitted: RegionFit, line: Line) -> Signal:
        """Return what a level of a window gives for the composition."""
        attrs = self.spectrum(name).attrs
        photon_energy = float(attrs.get("excitation_energy", self.settings.photon_energy))
        return Signal(
            *fitted.fit.estimate(f"{line.slug}_area"),
            sensitivity=self.settings.sensitivity[line.level],
            kinetic_energy=photon_energy - fitted.position(line, 1)[0],
            pass_energy=float(attrs.get("pass_energy", math.nan)),
            transmission_coefficients=attrs.get("transmission_coefficients"),
        )


def _best(candidates: Mapping[str, RegionFit]) -> RegionFit:
    """Return the first model that no other beats clearly."""
    lowest = min(candidate.fit.aicc for candidate in candidates.values())
    return next(fitted for fitted in candidates.values() if fitted.fit.aicc <= lowest + PREFERENCE)


def _method(fitted: RegionFit) -> str:
    return f"Voigt lines, active {fitted.model.background.capitalize()} background, Poisson likelihood"


def _shapes(measurement: Measurement, model: str, fitted: RegionFit) -> list[Number]:
    """Make the rows of areas and widths of one model."""
    fit, loss = fitted.fit, fitted.model.loss
    values: Values = {}
    for line in fitted.model.lines:
        values |= _level_values(line, fitted)
        values |= {(q.FWHM, name): fitted.width(line, member) for member, name in enumerate(line.names, start=1)}
    values |= {(q.FWHM_GAUSSIAN, ""): fit.estimate("fwhm_gaussian"), (loss, ""): fit.estimate(loss.name)}
    return measured(measurement, model, values, _method(fitted), **fitted.fit.quality)


def _level_values(line: Line, fitted: RegionFit) -> Values:
    """Return what a model says of a level besides energies and whole widths."""

    def entry(name: str) -> tuple[float, float]:
        return fitted.fit.estimate(f"{line.slug}_{name}")

    values: Values = {(q.AREA, line.level): entry("area")}
    if line.doublet:
        values[q.AREA_RATIO, line.level] = entry("area_ratio")
        values[q.SPLITTING, line.level] = entry("splitting")
    if line.free_lorentzian == "shared" or (line.free_lorentzian == "each" and not line.doublet):
        values[q.FWHM_LORENTZIAN, line.level] = entry("lorentzian_1")
    elif line.free_lorentzian == "each":
        values |= {
            (q.FWHM_LORENTZIAN, name): entry(f"lorentzian_{member}") for member, name in enumerate(line.names, start=1)
        }
    levels = [other for other in fitted.model.lines if other.follows is None]
    if len(levels) == 2 and line is levels[1]:
        # Two levels overlap: how much of the window belongs to the other one.
        one, two = (fitted.fit.value(f"{level.slug}_area") for level in levels)
        gradient = {f"{levels[0].slug}_area": -two / one**2, f"{line.slug}_area": 1 / one}
        feature = f"{line.level}/{levels[0].level}"
        values[q.AREA_RATIO_OF_LEVELS, feature] = two / one, combination(fitted.fit, gradient)
    return values


def _energies(session: _Session, model: str, fitted: RegionFit, reference: _Reference) -> list[Number]:
    """Make the rows of the energies that were fitted, and of their distances from published ones."""
    method, readings = _method(fitted), session.settings.readings
    rows = []
    for line in fitted.model.lines:
        for member, name in enumerate(line.names if line.follows is None else (), start=1):
            position, error = fitted.position(line, member)
            position, error = position - reference.shift, math.hypot(error, reference.error)
            common = {"feature": name, **fitted.fit.quality}
            energy = {q.BINDING_ENERGY: (position, error)}
            rows += measured(session.measurement, model, energy, method, **common)
            for source, published in readings.get(name, {}).items():
                difference = {q.BINDING_ENERGY_DIFFERENCE: (position - published, error)}
                against = {"at": published, "at_unit": "eV", **common}
                rows += measured(session.measurement, model, difference, f"{method}; against '{source}'", **against)
    return _with_reference(rows, session.settings)


def _with_reference(rows: Iterable[Number], settings: XpsSettings) -> list[Number]:
    size = settings.carbon_uncertainty
    return [row.with_component("energy of the C 1s reference", size, "setting carbon_uncertainty") for row in rows]


def _comparison(measurement: Measurement, candidates: Mapping[str, RegionFit]) -> list[Number]:
    """Make the rows that compare the models of one window."""
    lowest = min(fitted.fit.aicc for fitted in candidates.values())
    likelihoods = {name: math.exp(-(fitted.fit.aicc - lowest) / 2) for name, fitted in candidates.items()}
    rows = []
    for name, fitted in candidates.items():
        weight = likelihoods[name] / sum(likelihoods.values())
        values = {AICC: (fitted.fit.aicc, math.nan), q.AKAIKE_WEIGHT: (weight, math.nan)}
        rows += measured(measurement, name, values, "AICc of the Poisson deviance", **fitted.fit.quality)
    return rows


def _contents(session: _Session, chosen: Mapping[str, RegionFit]) -> list[Number]:
    """Make the rows of the composition, from the levels that have a sensitivity factor."""
    settings = session.settings
    signals = {
        line.element: session.signal(name, fitted, line)
        for name, fitted in chosen.items()
        for line in fitted.model.lines
        if line.level in settings.sensitivity
    }
    rows = []
    found = composition(signals, settings.escape_exponent, settings.sensitivity_uncertainty)
    for element, (value, error, systematic) in found.items():
        content = {(q.ATOMIC_PERCENT, element): (value, error)}
        (row,) = measured(session.measurement, q.QUANTIFICATION, content, SENSITIVITIES)
        rows.append(row.with_component("sensitivity factors", systematic, "setting sensitivity_uncertainty"))
    return rows


def _survey(dataset: xr.Dataset, shift: float, expected: Mapping[str, float]) -> xr.Dataset:
    """Return the charge-corrected survey and the lines found in it."""
    order = np.argsort(dataset["binding_energy"].to_numpy())
    energy = dataset["binding_energy"].to_numpy()[order] - shift
    rate, time = dataset["intensity"].to_numpy()[order], float(dataset.attrs["counting_time"])
    found = find_lines(energy, np.maximum(rate * time, 0.0), expected)
    columns = np.array(list(found.values())).reshape(-1, 3).T
    return _spectrum(energy, rate, time).assign(
        line=variable("line", list(found), "1", "line"),
        line_energy=variable("line", columns[0], "eV", "binding energy of the maximum"),
        line_height=variable("line", columns[1] / time, "count/s", "rate at the maximum"),
        line_significance=variable("line", columns[2], "1", "excess over its standard deviation"),
    )


def find_lines(
    energy: np.ndarray, counts: np.ndarray, expected: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """Look for lines in a survey.

    Parameters
    ----------
    energy
        Charge-corrected binding energies (eV), shape (n,), any order.
    counts
        Detected electrons, shape (n,).
    expected
        Line → binding energy (eV).

    Returns
    -------
    dict
        Line → (energy of its maximum, counts there, significance): the summed excess within `REACH` over the
        straight line between the medians of both wings, over its Poisson standard deviation.
    """
    found = {}
    for name, position in expected.items():
        distance = energy - position
        near = np.abs(distance) <= REACH
        wings = [(side * distance > WING[0]) & (side * distance <= WING[1]) for side in (-1, 1)]
        if not near.any() or not all(wing.any() for wing in wings):
            continue
        low, high = (float(np.median(counts[wing])) for wing in wings)
        center = sum(WING) / 2
        background = low + (high - low) * (distance[near] + center) / (2 * center)
        excess = float(np.sum(counts[near] - background))
        noise = np.sqrt(np.sum(counts[near]) + near.sum() ** 2 * (low + high) / 4 / min(map(np.sum, wings)))
        top = int(np.argmax(np.where(near, counts, -np.inf)))
        found[name] = float(energy[top]), float(counts[top]), excess / float(max(noise, 1.0))
    return found


def _detections(measurement: Measurement, survey: xr.Dataset) -> list[Number]:
    names, found = survey["line"].values, survey["line_significance"].values
    values: Values = {(q.SIGNIFICANCE, str(name)): (value, 1.0) for name, value in zip(names, found, strict=True)}
    return measured(measurement, q.SURVEY, values, EXCESS)


def _curves(candidates: Mapping[str, RegionFit], best: RegionFit, shift: float) -> xr.Dataset:
    """Return data, chosen fit, its lines and the fits of the other models of a window."""
    region, axis = best.region, "binding_energy"
    background = best.model.background
    lines = [(name, line) for line in best.model.lines for name in line.names]
    others = {name: fitted for name, fitted in candidates.items() if fitted is not best}
    labels = [
        name.removesuffix(f"_{background}" if fitted.model.background == background else "").replace("_", " ")
        for name, fitted in others.items()
    ]
    result = _spectrum(region.energy - shift, region.counts / region.time, region.time).assign(
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
    (model,) = candidates.keys() - others.keys()
    return result.assign_attrs(model=model, aicc=best.fit.aicc).assign_coords(
        line=variable("line", [name for name, _ in lines], "1", "line"),
        level=variable("line", [line.level for _, line in lines], "1", "core level"),
        label=variable("line", [line.label for _, line in lines], "1", "text over the line"),
        model=variable("model", np.array(list(others), dtype=str), "1", "model"),
        model_label=variable("model", np.array(labels, dtype=str), "1", "name of the model in legends"),
    )


def _spectrum(energy: np.ndarray, rate: np.ndarray, time: float) -> xr.Dataset:
    axis = variable("binding_energy", energy, "eV", "binding energy, charge-corrected")
    result = xr.Dataset(
        {"intensity": variable("binding_energy", rate, "count/s", "photoelectron rate")},
        {"binding_energy": axis},
        {"counting_time": time},
    )
    error = np.sqrt(np.maximum(rate * time, 1.0)) / time
    return with_uncertainty(result, "intensity", error, "Poisson")
