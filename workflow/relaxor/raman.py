"""Raman spectra: cosmic rays out, modes and baseline fitted together, shifts calibrated on silicon where it is seen.

The baseline is part of the fit, so that its uncertainty is in that of every mode. The noise of a CCD, counts and
read-out, is not written in the files: it is estimated from the residuals as a variance linear in the signal
(Davidian & Carroll, doi 10.1080/01621459.1987.10478543).

A line that is expected need not be there, and a fit finds the best place for it in noise too. It is therefore fitted
only where a line stands further out of the noise than chance makes the highest of all places where lines are looked
for; of a line that is not seen there is an upper limit of its area and nothing else.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

import lmfit
import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from scipy import stats
from scipy.ndimage import binary_dilation, gaussian_filter1d, median_filter
from scipy.optimize import nnls
from scipy.signal import find_peaks
from scipy.special import wofz

from relaxor.counting import in_counts, rising
from relaxor.data import CONFIDENCE, Measurement, Number, load, measured, provenance, save_parameters, save_tree
from relaxor.errors import AnalysisError
from relaxor.fitting import SQRT_2LN2, Fit, fit, voigt, voigt_fwhm
from relaxor.parallel import ordered_map
from relaxor.readers.schema import variable

MAD_TO_SIGMA = 1.4826
SILICON = "Si"
"""Name of the line of silicon that calibrates the axis."""
EDGE = 60.0
"""1/cm; below, the filter that blocks the laser shapes the spectrum."""
MOST_LINES, SMALLEST_LINE = 20, 0.02
"""Most lines that are looked for in one spectrum, and the least prominence of one as a part of the largest."""
REACH = (3.0, 10.0)
"""A line that was found is fitted so many of its widths to each side, at least so far (1/cm)."""
FOUND_DEGREE = 1
"""Degree of the baseline under lines that were found: windows are narrow."""
SEARCH = 12.0
"""1/cm, to each side of the place where a line is expected: there it is looked for."""
START_FWHM = 5.0
"""1/cm, Lorentzian width at which a fit begins; a limit of an area is that of a line so wide."""
AREA_OF_HEIGHT = 8.0
"""1/cm, the area of such a line over its height, roughly."""
CHANCE = 0.01
"""Probability that noise alone makes one of the lines that are expected."""
METHOD = "least squares of Voigt lines on a Chebyshev baseline; variance linear in the signal"

UNSEEN = (
    f"not seen: no line within {SEARCH:g} 1/cm stands out of the noise; limit: {CONFIDENCE:.0%}, one-sided, "
    f"where it is expected, {START_FWHM:g} 1/cm wide"
)
"""Method of the rows of a line that is not seen."""


# --- cosmic rays ---------------------------------------------------------------------------------------------------
def remove_spikes(
    spectra: np.ndarray, threshold: float, width: int, protected: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average accumulations without their cosmic rays.

    Parameters
    ----------
    spectra
        Accumulations, shape (m, n).
    threshold
        Height of a spike in standard deviations.
    width
        Greatest width of a spike in pixels; used with fewer than three accumulations.
    protected
        Pixels of expected lines, shape (n,): with fewer than three accumulations nothing is removed there, since a
        sharp line and a cosmic ray cannot be told apart.

    Returns
    -------
    mean, noise, removed
        Mean without spikes and its standard deviation as the accumulations show it (NaN where fewer than three),
        shape (n,); what was taken for a spike, shape (m, n).
    """
    if len(spectra) >= 3:
        center = np.median(spectra, axis=0)
        spread = np.median((spectra - center) ** 2, axis=0) * MAD_TO_SIGMA**2
        removed = spectra - center > threshold * _linear_noise(center, spread)
        removed = binary_dilation(removed, np.ones((1, 3)))  # the foot of a spike is below the threshold
    else:
        center = median_filter(spectra, (1, 2 * width + 3))
        excess = spectra - center
        noise = MAD_TO_SIGMA * np.median(np.abs(np.diff(spectra, axis=1)), axis=1, keepdims=True) / math.sqrt(2)
        removed = np.array([_narrow_runs(row, width) for row in excess > threshold * noise]) & ~protected
    kept = np.ma.masked_array(np.where(removed.all(axis=0), center, spectra), removed & ~removed.all(axis=0))
    mean, count = kept.mean(axis=0).data, kept.count(axis=0)
    if len(spectra) < 3:
        return mean, np.full_like(mean, np.nan), removed
    scatter = _linear_noise(mean, kept.var(axis=0, ddof=1).filled(0), count >= 3)
    return mean, scatter / np.sqrt(count), removed


def _narrow_runs(flags: np.ndarray, width: int) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    result = np.zeros_like(flags)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start <= width:
            result[start:stop] = True
    return result


def find_modes(shift: np.ndarray, spectrum: np.ndarray, significance: float, width: float) -> dict[float, float]:
    """Find the lines of a spectrum whose modes nobody named.

    Parameters
    ----------
    shift, spectrum
        Raman shift in 1/cm, ascending, and counts; shape (n,).
    significance
        Least prominence of a line in standard deviations of the smoothed spectrum.
    width
        Width of the instrument's response in 1/cm, over which the spectrum is smoothed.

    Returns
    -------
    dict
        Raman shift → full width at half prominence, ascending; the most prominent `MOST_LINES`, and none below
        `SMALLEST_LINE`.
    """
    step = float(np.median(np.diff(shift)))
    sigma = max(width / step / (2 * SQRT_2LN2), 1.0)
    smooth = gaussian_filter1d(spectrum, sigma)
    # The scatter of second differences is that of the points, times the root of 6; smoothing leaves a part of it.
    noise = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(spectrum, 2)))) / math.sqrt(6)
    noise /= math.sqrt(2 * math.sqrt(math.pi) * sigma)
    places, found = find_peaks(smooth, prominence=max(significance * noise, 1e-12), width=0)
    order = np.argsort(found["prominences"])[::-1][:MOST_LINES]
    kept = np.sort(order[found["prominences"][order] >= SMALLEST_LINE * found["prominences"].max(initial=0.0)])
    return {float(shift[places[i]]): float(found["widths"][i] * step) for i in kept}


# --- the model -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class LineModel:
    """Voigt lines on a Chebyshev baseline, with its derivatives.

    Attributes
    ----------
    lines
        Names of the lines; each has ``<name>_area``, ``<name>_center`` and ``<name>_fwhm`` (of the Lorentzian).
    shift
        Raman shift, shape (n,).
    basis
        Chebyshev polynomials on the axis, shape (n, degree + 1).
    gaussian_fwhm
        Width of the instrument's response.
    """

    lines: tuple[str, ...]
    shift: np.ndarray
    basis: np.ndarray
    gaussian_fwhm: float

    def start(self, spectrum: np.ndarray, centers: Mapping[str, float]) -> lmfit.Parameters:
        """Guess the parameters: heights above a smoothed spectrum at the places where lines are expected."""
        params = lmfit.Parameters()
        floor = median_filter(spectrum, max(len(spectrum) // 8, 3))
        coefficients = np.linalg.lstsq(self.basis, floor, rcond=None)[0]
        for name in self.lines:
            center = centers[name]
            near = np.abs(self.shift - center) < 6
            top = int(np.argmax(np.where(near, spectrum - floor, -np.inf)))
            height = max(float(spectrum[top] - floor[top]), 1e-3 * float(np.ptp(spectrum)), 1e-9)
            params.add(f"{name}_area", height * AREA_OF_HEIGHT)
            params.add(
                f"{name}_center", self.shift[top] if near.any() else center, min=center - SEARCH, max=center + SEARCH
            )
            params.add(f"{name}_fwhm", START_FWHM, min=0.2, max=60)
        for order, coefficient in enumerate(coefficients):
            params.add(f"baseline_{order}", coefficient)
        return params

    def values(self, params: lmfit.Parameters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the lines (one a row, shape (lines, n)), their scaled arguments z and Faddeeva values."""
        numbers = params.valuesdict()
        area, center, fwhm = (
            np.array([numbers[f"{name}_{key}"] for name in self.lines]) for key in ("area", "center", "fwhm")
        )
        z = (self.shift - center[:, None] + 0.5j * fwhm[:, None]) / self._scale
        w = wofz(z)
        return area[:, None] * w.real / (self._scale * math.sqrt(math.pi)), z, w

    @property
    def _scale(self) -> float:
        return self.gaussian_fwhm / (2 * SQRT_2LN2) * math.sqrt(2)

    def baseline(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the baseline, shape (n,)."""
        return self.basis @ np.array([params[f"baseline_{order}"].value for order in range(self.basis.shape[1])])

    def total(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the whole model, shape (n,)."""
        return self.values(params)[0].sum(axis=0) + self.baseline(params)

    def residual(self, params: lmfit.Parameters, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Return standardized residuals."""
        return (self.total(params) - spectrum) / sigma

    def jacobian(self, params: lmfit.Parameters, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Return derivatives of the residuals, shape (n, parameters): w′(z) = −2 z w + 2i/√π."""
        _, z, w = self.values(params)
        numbers = params.valuesdict()
        area = np.array([numbers[f"{name}_area"] for name in self.lines])[:, None]
        slope = area * (-2 * z * w + 2j / math.sqrt(math.pi)) / (self._scale**2 * math.sqrt(math.pi))
        by_area = w.real / (self._scale * math.sqrt(math.pi))
        columns = np.stack([by_area, -slope.real, -0.5 * slope.imag], axis=1).reshape(-1, len(self.shift))
        return np.vstack([columns, self.basis.T]).T / sigma[:, None]


def fit_lines(
    shift: np.ndarray,
    spectrum: np.ndarray,
    noise: np.ndarray,
    centers: Mapping[str, float],
    gaussian_fwhm: float,
    degree: int,
) -> tuple[Fit, LineModel, np.ndarray]:
    """Fit lines and baseline, and the noise with them where it is not known.

    Parameters
    ----------
    shift, spectrum
        Raman shift in 1/cm, ascending, and counts; shape (n,).
    noise
        Standard deviation of the counts, shape (n,); NaN if not known.
    centers
        Name of a line → where to look for it.
    gaussian_fwhm
        Width of the instrument's response in 1/cm.
    degree
        Degree of the baseline.

    Returns
    -------
    Fit, LineModel, numpy.ndarray
        The fit, the model, and the standard deviation of each point, shape (n,).
    """
    model = LineModel(tuple(centers), shift, _basis(shift, degree), gaussian_fwhm)

    def solve(params: lmfit.Parameters, sigma: np.ndarray, known: bool) -> Fit:
        return fit(model.residual, params, args=(spectrum, sigma), absolute_sigma=known, jacobian=model.jacobian)

    start = model.start(spectrum, centers)
    if np.isfinite(noise).all():
        return solve(start, noise, True), model, noise
    sigma = np.full(len(shift), max(float(np.std(np.diff(spectrum))), 1e-12))
    fitted = solve(start, sigma, False)
    for _ in range(2):
        sigma = _residual_noise(fitted, model, spectrum, sigma)
        fitted = solve(fitted.params, sigma, False)
    return fitted, model, sigma


def _basis(shift: np.ndarray, degree: int) -> np.ndarray:
    """Return Chebyshev polynomials on the axis, shape (n, degree + 1)."""
    return chebyshev.chebvander(2 * (shift - shift[0]) / (shift[-1] - shift[0]) - 1, degree)


def _residual_noise(fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Estimate the noise from residuals; a point that pulls the fit towards itself is corrected by its leverage."""
    total = model.total(fitted.params)
    derivative = model.jacobian(fitted.params, spectrum, sigma)
    leverage = np.einsum("ij,jk,ik->i", derivative, fitted.covariance / fitted.reduced_chi_square, derivative)
    leverage = np.nan_to_num(leverage)  # not known where parameters cannot be told apart
    return _linear_noise(total, (spectrum - total) ** 2 / np.clip(1 - leverage, 0.05, 1))


def _linear_noise(signal: np.ndarray, square: np.ndarray, use: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return the root of a variance linear in the signal, fitted to squared deviations; both terms positive."""
    signal = (signal - signal.min()) / max(float(np.ptp(signal)), 1e-12)
    design = np.column_stack([np.ones_like(signal), signal])
    floor = 1e-3 * max(float(square[use].mean()), 1e-24)
    variance = np.ones_like(signal)
    for _ in range(3):  # the scatter of a squared deviation is proportional to its expectation
        terms = nnls((design / variance[:, None])[use], (square / variance)[use])[0]
        variance = np.maximum(design @ terms, floor)
    return np.sqrt(variance)


def fit_seen_lines(
    shift: np.ndarray,
    spectrum: np.ndarray,
    noise: np.ndarray,
    centers: Mapping[str, float],
    gaussian_fwhm: float,
    degree: int,
    expected: Collection[str],
) -> tuple[Fit, LineModel, np.ndarray, dict[str, float]]:
    """Fit the lines that stand out of the noise.

    The fit begins with the lines that are plain to see. As long as one of the others stands out of what the fit
    leaves, the highest joins it. A search for the place and width of a line that is not there has no end.

    Parameters
    ----------
    shift, spectrum, noise, centers, gaussian_fwhm, degree
        As given to `fit_lines`.
    expected
        The lines that may not be there.

    Returns
    -------
    Fit, LineModel, numpy.ndarray, dict
        As of `fit_lines`, of the lines that are seen; each other line → upper limit of its area.
    """
    near = {name: shift[np.abs(shift - centers[name]) <= SEARCH] for name in centers if name in expected}
    least = stats.norm.isf(CHANCE / max(sum(places.size for places in near.values()), 1))
    pixel_noise = MAD_TO_SIGMA * np.median(np.abs(np.diff(spectrum))) / math.sqrt(2)
    start = LineModel(tuple(centers), shift, _basis(shift, degree), gaussian_fwhm).start(spectrum, centers)
    seen = {name for name in centers if start[f"{name}_area"].value > AREA_OF_HEIGHT * least * pixel_noise}
    seen |= centers.keys() - near.keys()
    refused: set[str] = set()
    while True:
        kept = {name: center for name, center in centers.items() if name in seen - refused}
        fitted, model, sigma = fit_lines(shift, spectrum, noise, kept, gaussian_fwhm, degree)
        faint = {name for name in kept if fitted.value(f"{name}_area") <= least * fitted.error(f"{name}_area")}
        if faint & near.keys():
            refused |= faint & near.keys()
            continue
        heights = {
            name: np.divide(*_further_areas(fitted, model, spectrum, sigma, near[name])).max(initial=-math.inf)
            for name in near
            if name not in seen
        }
        highest = max(heights, key=lambda name: heights[name], default="")
        if not highest or heights[highest] <= least:
            break
        seen.add(highest)
    limits = {}
    for name, center in centers.items():
        if name in kept:
            continue
        area, error = _further_areas(fitted, model, spectrum, sigma, np.array([center]))
        limits[name] = float(max(area[0], 0.0) + stats.norm.ppf(CONFIDENCE) * error[0])
    return fitted, model, sigma, limits


def _further_areas(
    fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the area that one more line, `START_FWHM` wide, would have at each of the places, and its error.

    Everything that was fitted gives way. Residuals that lines and baseline cannot follow hide a line as noise does.
    """
    fixed = np.linalg.qr(model.jacobian(fitted.params, spectrum, sigma))[0]
    shapes = [voigt(model.shift, 1.0, place, model.gaussian_fwhm, START_FWHM) / sigma for place in places]
    lines = np.array(shapes).reshape(-1, sigma.size).T
    lines -= fixed @ (fixed.T @ lines)
    weight = np.sum(lines**2, axis=0)
    left = -model.residual(fitted.params, spectrum, sigma)
    return lines.T @ left / weight, np.sqrt(fitted.reduced_chi_square / weight)


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


# --- the step ------------------------------------------------------------------------------------------------------
def analyse(
    data: str,
    parameters: str,
    curves: str,
    *,
    modes: dict[str, float] | None,
    significance: float,
    calibration_line: float | None,
    calibration_uncertainty: float,
    substrate_lines: dict[str, float],
    window: tuple[float, float] | None,
    instrument_fwhm: float,
    baseline_degree: int,
    spike_threshold: float,
    spike_width: int,
) -> None:
    """Fit the modes of every Raman measurement.

    Parameters
    ----------
    data
        Ingested Raman measurements (netCDF).
    parameters, curves
        Files to write.
    modes, significance, calibration_line, calibration_uncertainty, substrate_lines, window, instrument_fwhm, \
baseline_degree, spike_threshold, spike_width
        See `relaxor.config.raman.Raman`.

    Raises
    ------
    AnalysisError
        If a measurement has no ordered Raman axis, no counts, holds a map, does not cover the window, is constant, or
        shows no line; if the line of silicon that sets the axis is not seen.
    """
    one = partial(
        _analyse_one,
        modes=modes,
        others=substrate_lines | ({SILICON: calibration_line} if calibration_line else {}),
        significance=significance,
        calibration_uncertainty=calibration_uncertainty,
        window=window,
        instrument_fwhm=instrument_fwhm,
        degree=baseline_degree,
        spike=(spike_threshold, spike_width),
    )
    measurements = load(data)
    results = ordered_map(one, measurements)
    save_parameters(parameters, (row for rows, _ in results for row in rows))
    groups: dict[str, xr.Dataset] = {}
    for measurement, (_, fitted) in zip(measurements, results, strict=True):
        groups[measurement.id] = xr.Dataset(attrs=provenance(measurement))
        groups[f"{measurement.id}/spectrum"] = fitted
    save_tree(curves, groups)


def _analyse_one(
    measurement: Measurement,
    modes: Mapping[str, float] | None,
    others: Mapping[str, float],
    significance: float,
    calibration_uncertainty: float,
    window: tuple[float, float] | None,
    instrument_fwhm: float,
    degree: int,
    spike: tuple[float, int],
) -> tuple[list[Number], xr.Dataset]:
    """Return the numbers of both line shapes and the curves of the Voigt fit."""
    shift, spectra = _spectra(measurement, window)
    expected = {**(modes or {}), **others}
    protected = np.zeros(shift.shape, dtype=bool)
    for center in expected.values():
        protected |= np.abs(shift - center) < 8
    spectrum, noise, removed = remove_spikes(spectra, *spike, protected)
    if not np.ptp(spectrum):
        raise AnalysisError(f"{measurement.id}: every point has the intensity {spectrum[0]:g}: this is no spectrum")
    groups = [(np.ones(shift.shape, dtype=bool), expected)]
    if modes is None:
        found = find_modes(shift, spectrum, significance, instrument_fwhm)
        groups, degree = _groups(shift, found, others), FOUND_DEGREE
    if not groups:
        raise AnalysisError(f"{measurement.id}: no line stands out by {significance:g} standard deviations")

    voigts, lorentzians = [], []
    for inside, centers in groups:
        points = shift[inside], spectrum[inside], noise[inside]
        part = Part(inside, *fit_seen_lines(*points, centers, instrument_fwhm, degree, centers.keys() & expected))
        seen = {name: centers[name] for name in part.model.lines}
        voigts.append(part)
        lorentzians.append(Part(inside, *fit_lines(*points, seen, 1e-3 * instrument_fwhm, degree)))
    if SILICON in {name for part in voigts for name in part.limits}:
        raise AnalysisError(
            f"{measurement.id}: the silicon line at {others[SILICON]:g} 1/cm that sets the axis is not seen: "
            "set 'calibration_line: null', and 'calibration_uncertainty' to that of the file's axis"
        )
    calibration = others.get(SILICON, math.nan), calibration_uncertainty
    rows = _rows(measurement, "voigt", voigts, *calibration, instrument_fwhm)
    rows += _rows(measurement, "lorentzian", lorentzians, *calibration, 0.0)
    rows += measured(measurement, "voigt", {"cosmic_ray_pixels": (removed.sum(), math.nan, "1")}, "count")
    return rows, _curves(shift, spectrum, voigts)


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
            offset, offset_error = reference - part.fit.value(f"{SILICON}_center"), part.fit.error(f"{SILICON}_center")
            source = f"{SILICON} line set to {reference} 1/cm"
    systematic = {"systematic_error": reference_uncertainty}
    rows: list[Number] = []
    for part in parts:
        common = {"n": part.fit.n, "reduced_chi_square": part.fit.reduced_chi_square}
        aicc = "aicc" if len(parts) == 1 else f"aicc_{part.model.lines[0]}"
        rows += measured(measurement, model, {aicc: (part.fit.aicc, math.nan, "1")}, METHOD, **common)
        if part is parts[0]:
            shifted = {"shift_offset": (offset, offset_error, "1/cm")}
            rows += measured(measurement, model, shifted, source, **systematic, **common)
        for name in part.model.lines:
            rows += measured(measurement, model, _shape(part.fit, name, gaussian_fwhm), METHOD, **common)
            if name != SILICON:
                error = math.hypot(part.fit.error(f"{name}_center"), offset_error)
                center = {f"{name}_center": (part.fit.value(f"{name}_center") + offset, error, "1/cm")}
                rows += measured(measurement, model, center, f"{METHOD}; {source}", **systematic, **common)
        for name, limit in part.limits.items():
            unseen = {
                f"{name}_center": (math.nan, math.nan, "1/cm"),
                f"{name}_area_limit": (limit, math.nan, "count/cm"),
            }
            rows += measured(measurement, model, unseen, UNSEEN, **common)
    return rows


def _shape(fitted: Fit, name: str, gaussian_fwhm: float) -> dict[str, tuple[float, float, str]]:
    """Return area and widths of a line; the whole width of a Voigt line with its instrument."""
    fwhm, error = fitted.value(f"{name}_fwhm"), fitted.error(f"{name}_fwhm")
    shape = {
        f"{name}_area": (fitted.value(f"{name}_area"), fitted.error(f"{name}_area"), "count/cm"),
        f"{name}_fwhm_lorentzian": (fwhm, error, "1/cm"),
    }
    if gaussian_fwhm:
        slope = 0.5346 + 0.2166 * fwhm / math.hypot(math.sqrt(0.2166) * fwhm, gaussian_fwhm)
        shape[f"{name}_fwhm"] = (voigt_fwhm(gaussian_fwhm, fwhm), slope * error, "1/cm")
    return shape


def _curves(shift: np.ndarray, spectrum: np.ndarray, parts: list[Part]) -> xr.Dataset:
    """Make the curves on the whole axis; NaN where nothing was fitted."""
    names = [name for part in parts for name in part.model.lines]
    columns = {name: np.full(shift.shape, np.nan) for name in ("sigma", "fit", "baseline")}
    components = xr.DataArray(np.full((len(names), shift.size), np.nan), dims=("line", "shift"), coords={"line": names})
    for part in parts:
        scale = 1.0 if part.fit.absolute_sigma else math.sqrt(part.fit.reduced_chi_square)
        columns["sigma"][part.inside] = part.sigma * scale
        columns["fit"][part.inside] = part.model.total(part.fit.params)
        columns["baseline"][part.inside] = part.model.baseline(part.fit.params)
        components.loc[list(part.model.lines), part.inside] = part.model.values(part.fit.params)[0]
    axis = "raman_shift"
    # The uncalibrated axis of the file; the offset that calibrates it is in the attributes.
    return xr.Dataset(
        {
            "data": variable(axis, spectrum, "count", "mean of the accumulations without cosmic rays"),
            "data_uncertainty": variable(axis, columns["sigma"], "count", "noise"),
            "fit": variable(axis, columns["fit"], "count", "fit"),
            "baseline": variable(axis, columns["baseline"], "count", "baseline"),
            "components": variable(("line", axis), components.values, "count", "lines"),
            "residual": variable(axis, spectrum - columns["fit"], "count", "data − fit"),
        },
        coords={
            axis: variable(axis, shift, "1/cm", "Raman shift"),
            "line": ("line", names),
        },
    )
