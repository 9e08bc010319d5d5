"""XPS: charge reference, constrained fits of the core levels, composition.

`regions` fits a window, `composition` turns areas into atomic percent, `survey` finds lines; here they meet the
measurements.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.core.variables import variable, with_uncertainty
from relaxor.stats.fit import combination
from relaxor.techniques.xps.composition import Signal, composition
from relaxor.techniques.xps.regions import Line, Model, Region, RegionFit, fit_region, slug, with_splitting
from relaxor.techniques.xps.settings import XpsSettings
from relaxor.techniques.xps.survey import find_lines

MIN_POINTS = 40
"""Fewest points of a window that can carry its model (up to 16 parameters)."""
PREFERENCE = 4.0
"""A model later in the list is taken only if its AICc is lower by more than this ("considerably less support" for
the earlier one; Burnham & Anderson, doi 10.1007/b97636)."""


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
    levels = {name: Line(level=name, **entry.model_dump()) for name, entry in settings.lines.items()}
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    windows, carbon = settings.model_dump()["windows"], settings.carbon_window
    for measurement in measurements:
        session = _Session(measurement, levels, windows, settings.backgrounds, settings.photon_energy)
        reference = session.reference(carbon, settings.carbon_energy)
        fits = {name: session.fits(name, reference.shift) for name in windows if name != carbon}
        fits[carbon] = reference.fits
        rows += reference.numbers(measurement, settings.carbon_uncertainty)
        for name, candidates in fits.items():
            shift = None if name == carbon else (reference.shift, reference.error, settings.carbon_uncertainty)
            for model, candidate in candidates.items():
                rows += _numbers(measurement, model, candidate, shift, settings.readings)
            rows += _comparison(measurement, candidates)
        chosen = {name: _best(candidates) for name, candidates in fits.items()}
        signals = session.signals(chosen, settings.sensitivity)
        rows += _contents(measurement, composition(signals, settings.escape_exponent, settings.sensitivity_uncertainty))
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement))
        survey = session.spectrum(settings.survey_region)
        found = _survey(survey, reference.shift, settings.survey_lines)
        groups[f"{measurement.id}/{settings.survey_region}"] = found
        rows += _detections(measurement, found)
        for name in windows:
            groups[f"{measurement.id}/{name}"] = _curves(fits[name], chosen[name], reference.shift)
    return Result(rows, groups)


@dataclass(frozen=True)
class _Reference:
    """The charge reference: how far the spectra are shifted."""

    fits: dict[str, RegionFit]
    shift: float
    error: float

    def numbers(self, measurement: Measurement, uncertainty: float) -> list[Number]:
        return measured(
            measurement,
            "charge_reference",
            {"charge_shift": (self.shift, self.error, "eV")},
            "C 1s of adventitious carbon against its nominal energy",
            systematic_error=uncertainty,
        )


@dataclass(frozen=True)
class _Session:
    """A measurement and how its windows are to be fitted."""

    measurement: Measurement
    levels: Mapping[str, Line]
    windows: Mapping[str, Mapping[str, Any]]
    backgrounds: Sequence[str]
    photon_energy: float

    def spectrum(self, name: str) -> xr.Dataset:
        """Return a region, once it is known to hold what the fits need."""
        label, regions = self.measurement.id, self.measurement.regions
        if name not in regions:
            raise AnalysisError(f"{label}: has no region '{name}' (it has {', '.join(regions)})")
        dataset = regions[name]
        if "intensity" not in dataset or dataset["intensity"].dims != ("binding_energy",):
            raise AnalysisError(f"{label}: region '{name}' is not one spectrum over binding energy")
        if not dataset.attrs.get("counting_time", 0) > 0:
            raise AnalysisError(f"{label}: region '{name}' has no counting time, so no counts can be had")
        return dataset

    def region(self, name: str, shift: float) -> Region:
        """Return the counts of a window, its limits moved with the charging."""
        dataset, window = self.spectrum(name), self.windows[name]
        time = float(dataset.attrs["counting_time"])
        counts = np.maximum(np.round(dataset["intensity"].to_numpy() * time), 0.0)
        limits = window["low"] + shift, window["high"] + shift
        region = Region.of(dataset["binding_energy"].to_numpy(), counts, time, *limits)
        if len(region.energy) < MIN_POINTS:
            raise AnalysisError(
                f"{self.measurement.id}: region '{name}' has {len(region.energy)} points between {limits[0]:.1f} and "
                f"{limits[1]:.1f} eV; {MIN_POINTS} needed"
            )
        return region

    def fits(self, name: str, shift: float) -> dict[str, RegionFit]:
        """Fit every model of a window; the first with each background, in order of preference."""
        region, window = self.region(name, shift), self.windows[name]
        found = {}
        for number, (model, entry) in enumerate(window["models"].items()):
            chosen = with_splitting([self.levels[level] for level in entry["lines"]], entry["splitting"])
            for background in self.backgrounds if number == 0 else self.backgrounds[:1]:
                fitted = fit_region(region, Model(chosen, background, window["polynomial"]), shift)
                found[f"{model}_{background}"] = fitted
        return found

    def reference(self, name: str, energy: float) -> _Reference:
        """Fit the carbon window and return the shift of its main line."""
        region = self.region(name, 0.0)
        smooth = np.convolve(region.counts, np.ones(5) / 5, mode="same")
        start = float(region.energy[2:-2][np.argmax(smooth[2:-2])]) - energy
        fits = self.fits(name, start if abs(start) < 3 else 0.0)
        best = _best(fits)
        position, error = best.position(best.model.lines[0], 1)
        return _Reference(fits, position - energy, error)

    def signals(self, chosen: Mapping[str, RegionFit], sensitivity: Mapping[str, float]) -> dict[str, Signal]:
        """Collect element → signal for the levels that have a sensitivity factor."""
        found = {}
        for name, fitted in chosen.items():
            attrs = self.spectrum(name).attrs
            coefficients = attrs.get("transmission_coefficients")
            for line in fitted.model.lines:
                if line.level not in sensitivity:
                    continue
                found[line.level.split()[0].lower()] = Signal(
                    area=fitted.fit.value(f"{line.slug}_area"),
                    area_error=fitted.fit.error(f"{line.slug}_area"),
                    sensitivity=sensitivity[line.level],
                    kinetic_energy=float(attrs.get("excitation_energy", self.photon_energy))
                    - fitted.position(line, 1)[0],
                    pass_energy=float(attrs.get("pass_energy", math.nan)),
                    transmission_coefficients=None
                    if coefficients is None
                    else (float(coefficients[0]), float(coefficients[1])),
                )
        return found


def _best(candidates: Mapping[str, RegionFit]) -> RegionFit:
    """Return the first model that no other beats clearly."""
    lowest = min(candidate.aicc for candidate in candidates.values())
    return next(fitted for fitted in candidates.values() if fitted.aicc <= lowest + PREFERENCE)


def _numbers(
    measurement: Measurement,
    model: str,
    fitted: RegionFit,
    shift: tuple[float, float, float] | None,
    readings: Mapping[str, Mapping[str, float]],
) -> list[Number]:
    """Make the rows of one model; energies where they were fitted and are not those of the reference itself."""
    method = f"Voigt lines, active {fitted.model.background.capitalize()} background, Poisson likelihood"
    common = {"n": fitted.fit.n, "reduced_chi_square": fitted.fit.reduced_chi_square}
    values: dict[str, tuple[float, float, str]] = {}
    energies: dict[str, tuple[float, float, str]] = {}
    for line in fitted.model.lines:
        values |= _line_values(line, fitted)
        for member, name in enumerate(line.names, start=1):
            values[f"{slug(name)}_fwhm"] = (*fitted.width(line, member), "eV")
            if shift is None or line.follows:
                continue
            position, error = fitted.position(line, member)
            position, error = position - shift[0], math.hypot(error, shift[1])
            energies[f"{slug(name)}_binding_energy"] = (position, error, "eV")
            for reading, published in readings.get(name, {}).items():
                energies[f"{slug(name)}_minus_{reading}"] = (position - published, error, "eV")
    fit = fitted.fit
    values["fwhm_gaussian"] = (fit.value("fwhm_gaussian"), fit.error("fwhm_gaussian"), "eV")
    unit = "1/eV" if fitted.model.background == "shirley" else "eV**2"
    values[fitted.model.loss] = (fit.value(fitted.model.loss), fit.error(fitted.model.loss), unit)
    rows = measured(measurement, model, values, method, **common)
    return rows + measured(measurement, model, energies, method, systematic_error=shift[2] if shift else 0.0, **common)


def _line_values(line: Line, fitted: RegionFit) -> dict[str, tuple[float, float, str]]:
    """Return what a model says of a level besides its energy."""

    def entry(name: str, unit: str) -> tuple[float, float, str]:
        return fitted.fit.value(name), fitted.fit.error(name), unit

    name = line.slug
    values = {f"{name}_area": entry(f"{name}_area", "count*eV/s")}
    if line.doublet:
        values[f"{name}_area_ratio"] = entry(f"{name}_area_ratio", "1")
        values[f"{name}_splitting"] = entry(f"{name}_splitting", "eV")
    if line.free_lorentzian == "shared" or (line.free_lorentzian == "each" and not line.doublet):
        values[f"{name}_fwhm_lorentzian"] = entry(f"{name}_lorentzian_1", "eV")
    elif line.free_lorentzian == "each":
        for member, part in enumerate(line.names, start=1):
            values[f"{slug(part)}_fwhm_lorentzian"] = entry(f"{name}_lorentzian_{member}", "eV")
    levels = [other.slug for other in fitted.model.lines if other.follows is None]
    if len(levels) == 2 and name == levels[1]:
        # Two levels overlap: how much of the window belongs to the other one.
        one, two = (fitted.fit.value(f"{level}_area") for level in levels)
        gradient = {f"{levels[0]}_area": -two / one**2, f"{levels[1]}_area": 1 / one}
        values[f"{name}_to_{levels[0]}_area_ratio"] = two / one, combination(fitted.fit, gradient), "1"
    return values


def _comparison(measurement: Measurement, candidates: Mapping[str, RegionFit]) -> list[Number]:
    """Make the rows that compare the models of one window."""
    lowest = min(fitted.aicc for fitted in candidates.values())
    likelihoods = {name: math.exp(-(fitted.aicc - lowest) / 2) for name, fitted in candidates.items()}
    rows = []
    for name, fitted in candidates.items():
        weight = likelihoods[name] / sum(likelihoods.values())
        rows += measured(
            measurement,
            name,
            {"aicc": (fitted.aicc, math.nan, "1"), "akaike_weight": (weight, math.nan, "1")},
            "AICc of the Poisson deviance",
            n=fitted.fit.n,
            reduced_chi_square=fitted.fit.reduced_chi_square,
        )
    return rows


def _contents(measurement: Measurement, contents: Mapping[str, tuple[float, float, float]]) -> list[Number]:
    return [
        number
        for element, (value, error, systematic) in contents.items()
        for number in measured(
            measurement,
            "quantification",
            {f"{element.capitalize()}_atomic_percent": (value, error, "atomic_percent")},
            "areas over relative sensitivity factors, escape depth and transmission",
            systematic_error=systematic,
        )
    ]


def _survey(dataset: xr.Dataset, shift: float, expected: Mapping[str, float]) -> xr.Dataset:
    """Return the charge-corrected survey and the lines found in it."""
    order = np.argsort(dataset["binding_energy"].to_numpy())
    energy = dataset["binding_energy"].to_numpy()[order] - shift
    rate, time = dataset["intensity"].to_numpy()[order], float(dataset.attrs["counting_time"])
    result = _spectrum(energy, rate, time)
    found = find_lines(energy, np.maximum(rate * time, 0.0), expected)
    result.coords["line"] = variable("line", list(found), "1", "line")
    columns = np.array(list(found.values())).reshape(-1, 3).T
    result["line_energy"] = variable("line", columns[0], "eV", "binding energy of the maximum")
    result["line_height"] = variable("line", columns[1] / time, "count/s", "rate at the maximum")
    result["line_significance"] = variable("line", columns[2], "1", "excess over its standard deviation")
    return result


def _detections(measurement: Measurement, survey: xr.Dataset) -> list[Number]:
    values = {
        f"{slug(str(name))}_significance": (float(value), 1.0, "1")
        for name, value in zip(survey["line"].values, survey["line_significance"].values, strict=True)
    }
    return measured(measurement, "survey", values, "excess counts over a straight background, in standard deviations")


def _curves(candidates: Mapping[str, RegionFit], best: RegionFit, shift: float) -> xr.Dataset:
    """Return data, chosen fit, its parts and the fits of the other models of a window."""
    region = best.region
    result = _spectrum(region.energy - shift, region.counts / region.time, region.time)

    def add(name: str, values: np.ndarray, label: str, units: str = "count/s", **attrs: str) -> None:
        result[name] = variable("binding_energy", values, units, label, **attrs)

    add("fit", best.curve, "fit")
    add("background", best.background, f"{best.model.background.capitalize()} background")
    for name, values in best.components.items():
        add(f"component_{slug(name)}", values, name, role="component")
    add("residual", best.residual, "deviance residual", "1")
    for name, fitted in candidates.items():
        if fitted is best:
            result.attrs |= {"model": name, "aicc": best.aicc}
        else:
            add(f"fit_{name}", fitted.curve, name.replace("_", " "), role="alternative", aicc=str(fitted.aicc))
    return result


def _spectrum(energy: np.ndarray, rate: np.ndarray, time: float) -> xr.Dataset:
    axis = variable("binding_energy", energy, "eV", "binding energy, charge-corrected")
    result = xr.Dataset(
        {"intensity": variable("binding_energy", rate, "count/s", "photoelectron rate")},
        {"binding_energy": axis},
        {"counting_time": time},
    )
    error = np.sqrt(np.maximum(rate * time, 1.0)) / time
    return with_uncertainty(result, "intensity", error, "Poisson")
