"""Raman spectra: cosmic rays out, modes and baseline fitted together, shifts calibrated on silicon where it is seen.

The baseline is part of the fit, so that its uncertainty is in that of every mode. Modes that are expected are fitted
where they stand out of the noise (`relaxor.techniques.raman.lines`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.parallel import ordered_map
from relaxor.core.results import Estimate, Measurement, Number, Quantity, Result, measured
from relaxor.core.variables import dataset, variable
from relaxor.stats.counts import in_counts, rising
from relaxor.stats.fit import Fit
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.quantities import AICC
from relaxor.techniques.raman import quantities as q
from relaxor.techniques.raman.lines import UNSEEN, LineModel, find_modes, fit_lines, fit_seen_lines
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.raman.spikes import remove_spikes

SILICON = "Si"
"""Name of the line of silicon that calibrates the axis."""
PROTECTED = 8.0
"""1/cm; nothing so near to an expected line is taken for a cosmic ray where there are few accumulations."""
EDGE = 60.0
"""1/cm; below, the filter that blocks the laser shapes the spectrum."""
REACH = (3.0, 10.0)
"""A line that was found is fitted so many of its widths to each side, at least so far (1/cm)."""
FOUND_DEGREE = 1
"""Degree of the baseline under lines that were found: windows are narrow."""
METHOD = "least squares of Voigt lines on a Chebyshev baseline; variance linear in the signal"


@dataclass(frozen=True)
class Part:
    """Some points of a spectrum and the lines fitted there.

    Attributes
    ----------
    inside
        Points that were fitted, shape (all points,).
    fit, model, sigma
        As of `fit_lines`.
    limits
        Line that is not seen → upper limit of its area.
    """

    inside: np.ndarray
    fit: Fit
    model: LineModel
    sigma: np.ndarray
    limits: Mapping[str, float] = field(default_factory=dict)


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
        If a measurement has no ordered Raman axis, no counts, holds a map, does not cover the window, is constant, or
        shows no line; if the line of silicon that sets the axis is not seen.
    """
    return Result.joined(ordered_map(partial(_analyse_one, settings=settings), measurements))


def _analyse_one(measurement: Measurement, settings: RamanSettings) -> Result:
    """Return the numbers of both line shapes and the curves of the Voigt fit."""
    shift, spectra = _spectra(measurement, settings.window)
    reference, width = settings.calibration_line, settings.instrument_fwhm
    others = settings.substrate_lines | ({SILICON: reference} if reference else {})
    expected = {**(settings.modes or {}), **others}
    distance = np.abs(shift - np.array([*expected.values(), math.inf])[:, None]).min(axis=0)
    spectrum, noise, removed = remove_spikes(
        spectra, settings.spike_threshold, settings.spike_width, distance < PROTECTED
    )
    if not np.ptp(spectrum):
        raise AnalysisError(f"{measurement.id}: every point has the intensity {spectrum[0]:g}: not a spectrum")
    groups, degree = [(np.ones(shift.shape, dtype=bool), expected)], settings.baseline_degree
    if settings.modes is None:
        found = find_modes(shift, spectrum, settings.significance, width)
        groups, degree = _groups(shift, found, others), FOUND_DEGREE
    if not groups:
        raise AnalysisError(f"{measurement.id}: no line stands out by {settings.significance:g} standard deviations")

    voigts, lorentzians = [], []
    for inside, centers in groups:
        points = shift[inside], spectrum[inside], noise[inside]
        part = Part(inside, *fit_seen_lines(*points, centers, width, degree, centers.keys() & expected))
        seen = {name: centers[name] for name in part.model.lines}
        voigts.append(part)
        lorentzians.append(Part(inside, *fit_lines(*points, seen, 1e-3 * width, degree)))
    if SILICON in {name for part in voigts for name in part.limits}:
        raise AnalysisError(
            f"{measurement.id}: the silicon line at {others[SILICON]:g} 1/cm that sets the axis is not seen: "
            "set 'calibration_line: null', and 'calibration_uncertainty' to that of the file's axis"
        )
    calibration = others.get(SILICON, math.nan), settings.calibration_uncertainty
    rows = _rows(measurement, q.VOIGT, voigts, *calibration, width)
    rows += _rows(measurement, q.LORENTZIAN, lorentzians, *calibration, 0.0)
    rows += measured(measurement, q.VOIGT, {q.COSMIC_RAY_PIXELS: (removed.sum(), math.nan)}, "count")
    return Result.of(measurement, rows, {"spectrum": _curves(shift, spectrum, voigts, others)})


def _groups(
    shift: np.ndarray, found: Mapping[float, float], others: Mapping[str, float]
) -> list[tuple[np.ndarray, dict[str, float]]]:
    """Put lines whose windows overlap together: the points of each window, and the lines in it by name."""
    named = {f"line_{center:.0f}": (center, width) for center, width in found.items()}
    named |= {name: (center, 0.0) for name, center in others.items()}
    groups: list[tuple[np.ndarray, dict[str, float]]] = []
    end = -math.inf
    for name, (center, width) in sorted(named.items(), key=lambda entry: entry[1]):
        reach = max(REACH[0] * width, REACH[1])
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
    measurement: Measurement,
    model: str,
    parts: list[Part],
    reference: float,
    reference_uncertainty: float,
    gaussian_fwhm: float,
) -> list[Number]:
    """Make the rows of all lines; ``reference`` is the shift given to the silicon line, NaN where it is not used."""
    offset, offset_error, source = 0.0, 0.0, "axis as the file has it"
    for part in parts:
        if SILICON in part.model.lines and math.isfinite(reference):
            place, offset_error = part.fit.estimate(f"{SILICON}_center")
            offset = reference - place
            source = f"{SILICON} line set to {reference} 1/cm"
    rows: list[Number] = []

    def calibrated(found: list[Number]) -> list[Number]:
        size = reference_uncertainty
        return [
            row.with_component("axis of the spectrograph", size, "setting calibration_uncertainty") for row in found
        ]

    for part in parts:
        common = part.fit.quality
        window = "" if len(parts) == 1 else part.model.lines[0]
        rows += measured(measurement, model, {AICC: (part.fit.aicc, math.nan)}, METHOD, feature=window, **common)
        if part is parts[0]:
            shifted = {q.SHIFT_OFFSET: (offset, offset_error)}
            rows += calibrated(measured(measurement, model, shifted, source, **common))
        for name in part.model.lines:
            line = common | {"feature": name}
            rows += measured(measurement, model, _shape(part.fit, name, gaussian_fwhm), METHOD, **line)
            if name != SILICON:
                place, error = part.fit.estimate(f"{name}_center")
                center = {q.RAMAN_SHIFT: (place + offset, math.hypot(error, offset_error))}
                rows += calibrated(measured(measurement, model, center, f"{METHOD}; {source}", **line))
        for name, limit in part.limits.items():
            unseen = {q.RAMAN_SHIFT: (math.nan, math.nan), q.AREA_LIMIT: (limit, math.nan)}
            rows += measured(measurement, model, unseen, UNSEEN, feature=name, **common)
    return rows


def _shape(fitted: Fit, name: str, gaussian_fwhm: float) -> dict[Quantity, Estimate]:
    """Return area and widths of a line; the whole width of a Voigt line with its instrument."""
    fwhm, error = fitted.estimate(f"{name}_fwhm")
    shape: dict[Quantity, Estimate]
    shape = {q.AREA: fitted.judged(f"{name}_area"), q.FWHM_LORENTZIAN: fitted.judged(f"{name}_fwhm")}
    if gaussian_fwhm:
        slope = 0.5346 + 0.2166 * fwhm / math.hypot(math.sqrt(0.2166) * fwhm, gaussian_fwhm)
        shape[q.FWHM] = (voigt_fwhm(gaussian_fwhm, fwhm), slope * error)
    return shape


def _curves(
    shift: np.ndarray, spectrum: np.ndarray, parts: list[Part], of_substrate: Mapping[str, float]
) -> xr.Dataset:
    """Make the curves on the axis of the file; NaN where nothing was fitted.

    Returns
    -------
    xarray.Dataset
        Along ``line`` are ``center``, the fitted place (1/cm, on the axis of the file), and ``substrate``, whether the
        line is one of ``of_substrate``.
    """
    names = [name for part in parts for name in part.model.lines]
    sigma, fit, baseline = np.full((3, shift.size), np.nan)
    components = np.full((len(names), shift.size), np.nan)
    for part in parts:
        scale = 1.0 if part.fit.absolute_sigma else math.sqrt(part.fit.reduced_chi_square)
        sigma[part.inside] = part.sigma * scale
        fit[part.inside] = part.model.total(part.fit.params)
        baseline[part.inside] = part.model.baseline(part.fit.params)
        for name, line in zip(part.model.lines, part.model.values(part.fit.params)[0], strict=True):
            components[names.index(name), part.inside] = line
    columns = {
        "data": (spectrum, "count", "mean of the accumulations without cosmic rays"),
        "data_uncertainty": (sigma, "count", "noise"),
        "fit": (fit, "count", "fit"),
        "baseline": (baseline, "count", "baseline"),
        "residual": (spectrum - fit, "count", "data − fit"),
    }
    curves = dataset("raman_shift", columns, {"raman_shift": (shift, "1/cm", "Raman shift")})
    centers = [part.fit.value(f"{name}_center") for part in parts for name in part.model.lines]
    return curves.assign(components=variable(("line", "raman_shift"), components, "count", "lines")).assign_coords(
        line=("line", names),
        center=variable("line", centers, "1/cm", "fitted place of the line"),
        substrate=variable("line", [name in of_substrate for name in names], "1", "line of the substrate"),
    )
