"""Energy-dispersive X-ray spectra: families of lines on bremsstrahlung, and the composition they give.

The module `spectrum` is the model of the whole spectrum, and `composition` turns intensities into amounts. Peaks that
no line of the named elements explains are fitted, named and said in every row.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import (
    ADEQUATE,
    Adequacy,
    Estimate,
    Measurement,
    Number,
    Quantity,
    Result,
    Status,
    measured,
)
from relaxor.core.units import factor
from relaxor.core.variables import dataset, variable
from relaxor.stats.counts import not_negative, rising
from relaxor.stats.fit import Fit, fit_counts
from relaxor.stats.quantities import AICC
from relaxor.techniques.edx import quantities as q
from relaxor.techniques.edx.composition import as_limit, composition_rows
from relaxor.techniques.edx.lines import explanations
from relaxor.techniques.edx.settings import EdxSettings
from relaxor.techniques.edx.spectrum import SpectrumModel, intensity_of
from relaxor.techniques.edx.standards import (
    Rate,
    dose_of,
    ratio_rows,
    require_standards,
    settings_of_standard,
    with_factors,
)

METHOD = "Poisson maximum likelihood, line families on Kramers' bremsstrahlung"
SCALES = ("energy_gain", "fano_slope")
"""Parameters of the detector that one strong line alone does not determine; they are then held."""
UNEXPLAINED = "unexplained"
"""First word of the family of a peak that no line explains."""
NOTICED = 5.0
"""Significance of such a peak, in standard errors."""
SHARE_OF_LINES, SHARE_OF_NEIGHBOURS, SHARE_OF_BACKGROUND = 0.5, 0.03, 0.05
"""Least counts of such a peak, relative to the listed lines within two standard deviations of the resolution, to those
within six, and to the bremsstrahlung beneath it: imperfect shapes of lines and of edges leave less."""
PILE_UP = 0.02
"""Largest counts of a sum peak, relative to the weaker one of its two families."""
ROUNDS = 4
"""Largest number of such peaks."""


def analyse(measurements: Sequence[Measurement], settings: EdxSettings) -> Iterator[Result]:
    """Fit EDX spectra and quantify them.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `EdxSettings`.

    Raises
    ------
    AnalysisError
        If a spectrum has no ordered energy axis with a unit, no beam energy, or too few or negative counts in the
        range.
    """
    if not settings.elements:
        raise AnalysisError("edx: no elements are named; set edx.elements for this sample")
    if settings.standards:
        require_standards(settings, [measurement.id for measurement in measurements])
    rates: dict[str, Rate] = {}
    for measurement in measurements:
        if measurement.id in settings.standards:
            result, rates[settings.standards[measurement.id].element] = _analyse_standard(measurement, settings)
            yield result
    for measurement in measurements:
        if measurement.id not in settings.standards:
            yield _analyse_one(measurement, with_factors(settings, rates), rates)


def _analyse_one(measurement: Measurement, settings: EdxSettings, rates: Mapping[str, Rate]) -> Result:
    spectrum = _fitted(measurement, settings)
    families = list(settings.quantified.values())
    estimates, covariance = intensities(spectrum.model, spectrum.fit, families)
    listed = {name: lines for name, lines in spectrum.model.families.items() if not name.startswith(UNEXPLAINED)}
    beam = spectrum.model.beam_energy
    rows = spectrum_rows(measurement, spectrum.model, spectrum.fit, **spectrum.quality)
    if rates:
        counts = zip(estimates.tolist(), np.sqrt(np.diag(covariance)).tolist(), strict=True)
        counted = dict(zip(settings.quantified, counts, strict=True))
        rows += ratio_rows(measurement, counted, rates, spectrum.quality["adequacy"], settings)
    rows += composition_rows(measurement, beam, listed, estimates, covariance, settings, **spectrum.quality)
    return Result.of(measurement, rows, {"spectrum": spectrum.curves})


def _analyse_standard(measurement: Measurement, settings: EdxSettings) -> tuple[Result, Rate]:
    """Fit the spectrum of a standard; return its rows and the rate of its family."""
    spectrum = _fitted(measurement, settings_of_standard(settings, measurement.id))
    family = settings.quantified[settings.standards[measurement.id].element]
    (counts,), variance = intensities(spectrum.model, spectrum.fit, [family])
    if not counts > 0:
        raise AnalysisError(f"{measurement.id}: the standard shows no {family}")
    dose = dose_of(measurement)
    rate = Rate(float(counts) / dose, math.sqrt(float(variance[0, 0])) / dose, spectrum.quality["adequacy"])
    rows = spectrum_rows(measurement, spectrum.model, spectrum.fit, **spectrum.quality)
    return Result.of(measurement, rows, {"spectrum": spectrum.curves}), rate


@dataclass(frozen=True)
class FittedSpectrum:
    """A fitted spectrum, with what is known of the fit as arguments of `relaxor.core.results.measured`."""

    model: SpectrumModel
    fit: Fit
    quality: dict[str, Any]
    curves: xr.Dataset


def _fitted(measurement: Measurement, settings: EdxSettings) -> FittedSpectrum:
    model, counts = prepare(measurement, settings)
    model, fitted = fit_spectrum(model, counts)
    quality = fitted.quality | {"adequacy": fitted.adequacy.joined(unexplained_remark(model, settings))}
    return FittedSpectrum(model, fitted, quality, spectrum_curves(model, counts, fitted))


def fit_spectrum(model: SpectrumModel, counts: np.ndarray) -> tuple[SpectrumModel, Fit]:
    """Fit a spectrum; peaks that no line explains become families of their own.

    Returns
    -------
    model, fit
        The model with such families, and its fit.
    """
    params = model.start(counts)
    fitted = _fit_not_negative(model, counts, params)
    for _ in range(ROUNDS):
        peak = strongest_unexplained(model, counts, fitted)
        if peak is None:
            break
        energy, size = peak
        name = f"{UNEXPLAINED} {energy:.3f} keV"
        model = replace(model, families={**model.families, name: np.array([[energy, 1.0]])})
        params = model.start(counts)
        for known in fitted.names:
            params[known].value = fitted.value(known)
        params[intensity_of(name)].value = size
        fitted = _fit_not_negative(model, counts, params)
    return model, fitted


def _fit_not_negative(model: SpectrumModel, counts: np.ndarray, params: lmfit.Parameters) -> Fit:
    """Fit; what comes out negative is held at zero, what the lines do not determine at its start, and fitted again."""
    while True:
        fitted = fit_counts(model.expected, counts, params, jacobian=model.jacobian)
        if not fitted.converged and params[SCALES[0]].vary:
            params = fitted.params.copy()
            for name in SCALES:
                params[name].set(value=model.start(counts)[name].value, vary=False)
            continue
        negative = [name for name in map(intensity_of, model.families) if fitted.value(name) < 0]
        if not negative:
            return fitted
        params = fitted.params.copy()
        for name in negative:
            params[name].set(value=0.0, vary=False)


def intensities(model: SpectrumModel, fitted: Fit, families: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of families, (n,), and their covariance, (n, n); a family that is held at zero has its own."""
    names = [intensity_of(family) for family in families]
    covariance = np.zeros((len(names), len(names)))
    level = np.maximum(model.expected(fitted.params), 1.0)
    for i, (name, family) in enumerate(zip(names, families, strict=True)):
        if name not in fitted.names:
            covariance[i, i] = fitted.adequacy.scale**2 / float(np.sum(model.share(fitted.params, family) ** 2 / level))
    free = [i for i, name in enumerate(names) if name in fitted.names]
    index = [fitted.names.index(names[i]) for i in free]
    covariance[np.ix_(free, free)] = fitted.covariance[np.ix_(index, index)]
    return np.array([fitted.value(name) for name in names]), covariance


def strongest_unexplained(model: SpectrumModel, counts: np.ndarray, fitted: Fit) -> tuple[float, float] | None:
    """Find the most significant peak of the residual that no listed line explains.

    Returns
    -------
    energy, counts
        keV on the true scale, and the size of the peak; None if there is no such peak.
    """
    params, energy = fitted.params, model.energy
    background, whole = model.background(params), model.expected(params)
    sigma = model.resolution(params, energy)
    distance = np.abs(energy - energy[:, None]) / sigma[:, None]
    window = distance < 3.5
    shape = np.exp(-(distance**2) / 2) * window
    shape /= shape.sum(axis=1, keepdims=True)
    # Without its mean, the shape does not see a constant that is left beneath a peak.
    template = np.where(window, shape - 1 / window.sum(axis=1, keepdims=True), 0.0)
    norm = np.sum(template * shape, axis=1)
    size = template @ (counts - whole) / norm
    error = np.sqrt(template**2 @ whole) / norm
    lines, near = whole - background, (distance < 2.0).astype(float)
    least = SHARE_OF_LINES * (near @ lines) + SHARE_OF_BACKGROUND * (near @ background)
    least += SHARE_OF_NEIGHBOURS * ((distance < 6.0) @ lines)
    noticed = NOTICED * error * math.sqrt(max(fitted.reduced_chi_square, 1.0))
    true = (energy - fitted.value("energy_offset")) / fitted.value("energy_gain")
    inside = (distance[:, 0] > 3.5) & (distance[:, -1] > 3.5)
    found = inside & (size > noticed) & (size > least) & ~_pile_up(model, fitted, true, sigma, size)
    if not found.any():
        return None
    best = int(np.argmax(np.where(found, size / error, 0.0)))
    return float(true[best]), float(size[best])


def _pile_up(model: SpectrumModel, fitted: Fit, energy: np.ndarray, sigma: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return where a peak can be the sum of two photons that arrive together, shape (n,)."""
    found = np.zeros(energy.size, dtype=bool)
    strong = [(model.strongest(name), fitted.value(intensity_of(name))) for name in model.families]
    for first, n in strong:
        for second, m in strong:
            found |= (np.abs(energy - first - second) < 2 * sigma) & (size < PILE_UP * min(n, m))
    return found


def unexplained_remark(model: SpectrumModel, settings: EdxSettings) -> Adequacy:
    """Return what is said of peaks that no line explains, with the elements that may be missing from the settings."""
    peaks = []
    for name in model.families:
        if name.startswith(UNEXPLAINED):
            energy = model.strongest(name)
            width = 0.03 * math.sqrt(max(energy, 1.0))
            names = explanations(energy, width, model.beam_energy, settings.elements)
            peaks.append(f"{energy:.2f} keV ({', '.join(names) or 'no element'})")
    if not peaks:
        return ADEQUATE
    remark = f"misfit: no line of the listed elements explains a peak at {' and '.join(peaks)}"
    return Adequacy(Status.MISFIT, 1.0, remark)


def prepare(measurement: Measurement, settings: EdxSettings) -> tuple[SpectrumModel, np.ndarray]:
    """Cut the fitted range out of a spectrum and choose the families whose strongest line lies in it.

    Raises
    ------
    AnalysisError
        See `analyse`.
    """
    region = measurement.only
    if "energy" not in region.coords:
        raise AnalysisError(
            f"{measurement.id}: EDX needs an axis of energy, the file has {', '.join(map(str, region.dims))}"
        )
    region = rising(measurement, region, "energy")
    try:
        energy = region["energy"].values * factor(region["energy"].attrs["units"], "keV")
    except ValueError as error:
        raise AnalysisError(f"{measurement.id}: the unit of the energy axis is not known ({error})") from error
    beam = float(region.attrs.get("beam_voltage_kV", math.nan))
    beam = measurement.condition("beam_energy", "keV", default=beam)
    low, high = settings.fit_range
    if not beam > low:
        raise AnalysisError(f"{measurement.id}: the file gives no beam energy (add 'beam_energy=… keV' to the sheet)")
    inside = (energy >= low) & (energy <= min(high, 0.95 * beam))
    counts = not_negative(measurement, region["intensity"][inside])
    if counts.size < 50 or counts.sum() < 1000:
        raise AnalysisError(
            f"{measurement.id}: {counts.sum():g} counts in {counts.size} channels between "
            f"{low:g} and {high:g} keV; at least 1000 in 50 are needed"
        )
    families = {
        f"{symbol} {shell}": np.array(lines)
        for symbol, element in settings.elements.items()
        for shell, lines in element.families.items()
    }
    seen = {
        name: lines
        for name, lines in families.items()
        if energy[inside][0] < lines[np.argmax(lines[:, 1]), 0] < energy[inside][-1]
    }
    missing = [family for family in settings.quantified.values() if family not in seen]
    if missing:
        raise AnalysisError(f"{measurement.id}: quantified lines lie outside the fitted range: {', '.join(missing)}")
    return SpectrumModel(energy[inside], beam, seen, settings.background_degree, settings.detector_edge), counts


def spectrum_rows(measurement: Measurement, model: SpectrumModel, fitted: Fit, **quality: Any) -> list[Number]:
    """Make the rows of the lines and of the detector (energies in eV).

    Parameters
    ----------
    quality
        What is known of the fit, as arguments of `relaxor.core.results.measured`.
    """

    def found(name: str, scale: float = 1.0) -> Estimate:
        value, error = fitted.estimate(name)
        return scale * value, scale * error, quality["adequacy"].joined(fitted.adequacy_of(name))

    detector: dict[tuple[Quantity, str], Estimate] = {
        (q.ENERGY_OFFSET, ""): found("energy_offset", 1e3),
        **({(q.ENERGY_GAIN, ""): found("energy_gain")} if "energy_gain" in fitted.names else {}),
        (q.DETECTOR_RESOLUTION, q.MANGANESE): found("fwhm_Mn", 1e3),
        (AICC, ""): (fitted.aicc, math.nan),
    }
    rows = measured(measurement, q.LINE_FAMILIES, detector, METHOD, **quality)
    families = list(model.families)
    values, covariance = intensities(model, fitted, families)
    for family, value, variance in zip(families, values, np.diag(covariance), strict=True):
        unexplained = family.startswith(UNEXPLAINED)
        key = (q.UNEXPLAINED, family.removeprefix(f"{UNEXPLAINED} ")) if unexplained else (q.INTENSITY, family)
        (row,) = measured(measurement, q.LINE_FAMILIES, {key: (value, math.sqrt(variance))}, METHOD, **quality)
        rows.append(as_limit(row) if intensity_of(family) not in fitted.names else row)
    return rows


def spectrum_curves(model: SpectrumModel, counts: np.ndarray, fitted: Fit) -> xr.Dataset:
    """Make data, fit, families, background and residual on the energy axis; the lines for labels."""
    names = list(model.families)
    families = np.array([model.family(fitted.params, name) for name in names])
    strongest = [model.families[name][np.argmax(model.families[name][:, 1]), 0] for name in names]
    columns = {
        "data": (counts, "count", "counts"),
        "fit": (model.expected(fitted.params), "count", "fit"),
        "background": (model.background(fitted.params), "count", "bremsstrahlung"),
        "residual": (fitted.residual, "1", "deviance residual"),
    }
    curves = dataset("energy", columns, {"energy": (model.energy, "keV", "X-ray energy")})
    return curves.assign(
        components=variable(("family", "energy"), families, "count", "line families"),
        line_energy=variable("family", strongest, "keV", "energy of the strongest line"),
    ).assign_coords(
        family=variable("family", names, "1", "family of lines"),
        element=variable("family", [name.partition(" ")[0] for name in names], "1", "element"),
    )
