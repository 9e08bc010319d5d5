"""Raman spectra: cosmic rays out, modes and baseline fitted together, shifts calibrated on silicon.

The baseline is part of the fit, so that its uncertainty is in that of every mode. The noise of a CCD, counts and
read-out, is not written in the files: it is estimated from the residuals as a variance linear in the signal
(Davidian & Carroll, doi 10.1080/01621459.1987.10478543).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import lmfit
import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from scipy.ndimage import binary_dilation, median_filter
from scipy.optimize import nnls
from scipy.special import wofz

from relaxor.data import Measurement, Number, load, measured, provenance, save_parameters, save_tree
from relaxor.errors import AnalysisError
from relaxor.fitting import SQRT_2LN2, Fit, fit, voigt_fwhm
from relaxor.parallel import ordered_map
from relaxor.readers.schema import variable

MAD_TO_SIGMA = 1.4826
METHOD = "least squares of Voigt lines on a Chebyshev baseline; variance linear in the signal"


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
            params.add(f"{name}_area", height * 8.0)
            params.add(f"{name}_center", self.shift[top] if near.any() else center, min=center - 12, max=center + 12)
            params.add(f"{name}_fwhm", 5.0, min=0.2, max=60)
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
    scaled = 2 * (shift - shift[0]) / (shift[-1] - shift[0]) - 1
    model = LineModel(tuple(centers), shift, chebyshev.chebvander(scaled, degree), gaussian_fwhm)

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


def _residual_noise(fitted: Fit, model: LineModel, spectrum: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Estimate the noise from residuals; a point that pulls the fit towards itself is corrected by its leverage."""
    total = model.total(fitted.params)
    derivative = model.jacobian(fitted.params, spectrum, sigma)
    leverage = np.einsum("ij,jk,ik->i", derivative, fitted.covariance / fitted.reduced_chi_square, derivative)
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


# --- the step ------------------------------------------------------------------------------------------------------
def analyse(
    data: str,
    parameters: str,
    curves: str,
    *,
    modes: dict[str, float],
    calibration_line: float,
    calibration_uncertainty: float,
    substrate_lines: dict[str, float],
    window: tuple[float, float],
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
    modes, calibration_line, calibration_uncertainty, substrate_lines, window, instrument_fwhm, baseline_degree, \
spike_threshold, spike_width
        See `relaxor.config.raman.Raman`.

    Raises
    ------
    AnalysisError
        If a measurement has no Raman axis or does not cover the window.
    """
    one = partial(
        _analyse_one,
        centers={**modes, **substrate_lines, "Si": calibration_line},
        calibration=(calibration_line, calibration_uncertainty),
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
    centers: Mapping[str, float],
    calibration: tuple[float, float],
    window: tuple[float, float],
    instrument_fwhm: float,
    degree: int,
    spike: tuple[float, int],
) -> tuple[list[Number], xr.Dataset]:
    """Return the numbers of both line shapes and the curves of the Voigt fit."""
    shift, spectra = _spectra(measurement, window)
    protected = np.any([np.abs(shift - center) < 8 for center in centers.values()], axis=0)
    spectrum, noise, removed = remove_spikes(spectra, *spike, protected)
    voigt = fit_lines(shift, spectrum, noise, centers, instrument_fwhm, degree)
    lorentzian = fit_lines(shift, spectrum, noise, centers, 1e-3 * instrument_fwhm, degree)
    rows = _rows(measurement, "voigt", voigt[0], centers, *calibration, instrument_fwhm)
    rows += _rows(measurement, "lorentzian", lorentzian[0], centers, *calibration, 0.0)
    rows += measured(measurement, "voigt", {"cosmic_ray_pixels": (removed.sum(), math.nan, "1")}, "count")
    return rows, _curves(shift, spectrum, *voigt)


def _spectra(measurement: Measurement, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    dataset = measurement.only
    if "raman_shift" not in dataset.coords:
        raise AnalysisError(f"{measurement.id}: has no Raman shift axis; its dimensions are {tuple(dataset.sizes)}")
    dataset = dataset.sortby("raman_shift").sel(raman_shift=slice(*window))
    shift = dataset.raman_shift.values
    if len(shift) < 50 or shift[0] > window[0] + 10 or shift[-1] < window[1] - 10:
        raise AnalysisError(f"{measurement.id}: does not cover {window[0]}–{window[1]} 1/cm")
    return shift.astype(float), dataset.intensity.values.astype(float)


def _rows(
    measurement: Measurement,
    model: str,
    fitted: Fit,
    centers: Mapping[str, float],
    reference: float,
    reference_uncertainty: float,
    gaussian_fwhm: float,
) -> list[Number]:
    offset = reference - fitted.value("Si_center")
    offset_error = fitted.error("Si_center")
    common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
    rows = measured(measurement, model, {"aicc": (fitted.aicc, math.nan, "1")}, METHOD, **common)
    rows += measured(
        measurement,
        model,
        {"shift_offset": (offset, offset_error, "1/cm")},
        f"Si line set to {reference} 1/cm",
        systematic_error=reference_uncertainty,
        **common,
    )
    for name in centers:
        fwhm = fitted.value(f"{name}_fwhm")
        observed = {
            f"{name}_area": (fitted.value(f"{name}_area"), fitted.error(f"{name}_area"), "count/cm"),
            f"{name}_fwhm_lorentzian": (fwhm, fitted.error(f"{name}_fwhm"), "1/cm"),
        }
        if gaussian_fwhm:
            slope = 0.5346 + 0.2166 * fwhm / math.hypot(math.sqrt(0.2166) * fwhm, gaussian_fwhm)
            total = voigt_fwhm(gaussian_fwhm, fwhm)
            observed[f"{name}_fwhm"] = (total, slope * fitted.error(f"{name}_fwhm"), "1/cm")
        rows += measured(measurement, model, observed, METHOD, **common)
        if name != "Si":
            error = math.hypot(fitted.error(f"{name}_center"), offset_error)
            center = {f"{name}_center": (fitted.value(f"{name}_center") + offset, error, "1/cm")}
            rows += measured(
                measurement,
                model,
                center,
                f"{METHOD}; calibrated on the Si line",
                systematic_error=reference_uncertainty,
                **common,
            )
    return rows


def _curves(shift: np.ndarray, spectrum: np.ndarray, fitted: Fit, model: LineModel, sigma: np.ndarray) -> xr.Dataset:
    lines = model.values(fitted.params)[0]
    total, baseline = model.total(fitted.params), model.baseline(fitted.params)
    scale = 1.0 if fitted.absolute_sigma else math.sqrt(fitted.reduced_chi_square)
    axis = "raman_shift"
    # The uncalibrated axis of the file; the offset that calibrates it is in the attributes.
    return xr.Dataset(
        {
            "data": variable(axis, spectrum, "count", "mean of the accumulations without cosmic rays"),
            "data_uncertainty": variable(axis, sigma * scale, "count", "noise"),
            "fit": variable(axis, total, "count", "fit"),
            "baseline": variable(axis, baseline, "count", "baseline"),
            "components": variable(("line", axis), lines, "count", "lines"),
            "residual": variable(axis, spectrum - total, "count", "data − fit"),
        },
        coords={
            axis: variable(axis, shift, "1/cm", "Raman shift"),
            "line": ("line", list(model.lines)),
        },
    )
