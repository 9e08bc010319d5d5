"""Second-harmonic generation: area of the line at half the pump wavelength, and its power law.

All spectra of a series share the line's place and shape, which are those of the spectrometer. They are fitted
together by maximum likelihood; the frame with the pump blocked gives dark level and noise of the detector, and
anchors the power law at zero power. The law is fitted with errors on both axes (orthogonal distances), with and
without a constant background, and beside them the straight line through logarithms that is usual and biased. A law
that misses the points by more than chance has its errors widened by the misfit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import lmfit
import numpy as np
import xarray as xr
from scipy import stats
from scipy.linalg import block_diag

from relaxor.core.errors import AnalysisError
from relaxor.core.results import COMBINES, NORMAL_QUANTILE, Measurement, Number, Result, measured, provenance
from relaxor.core.variables import variable
from relaxor.stats.counts import in_counts, rising
from relaxor.stats.fit import Fit, fit_counts, parameters, voigt, widened_method, widening
from relaxor.stats.optimizer import central_differences
from relaxor.stats.power_law import logarithmic_power_law, orthogonal_power_law, power_law, profile_exponent
from relaxor.techniques.shg.settings import ShgSettings

SERIES = "shg_power_series"
"""Name of the measurement in rows and curves that combine all powers."""
RATE = "count*nm/s"
ORTHOGONAL = "orthogonal distance regression (ODRPACK), errors of power and area"
LOGARITHMS = "ordinary least squares of logarithms (AICc on that scale)"
SHAPE = ("center", "fwhm_gaussian", "fwhm_lorentzian")
Shape = Literal["voigt", "gaussian"]
SHAPES: tuple[Shape, ...] = ("voigt", "gaussian")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum of the series, inside the fitted window.

    Attributes
    ----------
    measurement
        Where it comes from.
    wavelength
        nm, shape (n,).
    counts
        Mean of the frames as the detector gave them, shape (n,).
    electrons
        Detected electrons of all frames above the bias, shifted so that their variance equals their mean, shape (n,).
    gain
        Of these electrons, how many a count in the mean of the frames is.
    power, power_error
        Displayed pump power and its standard uncertainty, mW.
    time
        Integration time of one frame, s.
    """

    measurement: Measurement
    wavelength: np.ndarray
    counts: np.ndarray
    electrons: np.ndarray
    gain: float
    power: float
    power_error: float
    time: float


def analyse(measurements: Sequence[Measurement], settings: ShgSettings) -> Result:
    """Fit the lines of a power series and their power law.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `ShgSettings`.

    Raises
    ------
    AnalysisError
        If a spectrum has no ordered wavelength axis, no counts or no point in the window, conditions are missing,
        no spectrum was taken with the pump blocked, there are fewer than four powers, or the line falls with power.
    """
    spectra, dark_level = select(measurements, (settings.window[0], settings.window[1]), settings.electrons_per_count)
    lines = {shape: fit_lines(spectra, settings.background_degree, shape) for shape in SHAPES}
    series = _series(measurements)
    rows: list[Number] = []
    for shape, fitted in lines.items():
        rows += line_rows(series, spectra, fitted, shape, settings.wavelength_uncertainty)
    best = lines["voigt"]
    gain_and_time = np.array([spectrum.gain * spectrum.time for spectrum in spectra])
    signal = np.array([best.value(f"area_{i}") for i in range(len(spectra))]) / gain_and_time
    error = np.array([best.error(f"area_{i}") for i in range(len(spectra))]) / gain_and_time
    power = np.array([spectrum.power for spectrum in spectra])
    power_error = np.array([spectrum.power_error for spectrum in spectra])
    usual = logarithmic_power_law(power, signal)
    if usual.value("exponent") <= 0:
        raise AnalysisError(
            f"shg: the line falls with power (exponent {usual.value('exponent'):.2g}); expected it to grow: does the "
            "sheet give each file its own power?"
        )
    laws = {
        "power_law_background": _widened(orthogonal_power_law(power, signal, power_error, error, background=True)),
        "power_law": _widened(orthogonal_power_law(power, signal, power_error, error, background=False)),
        "log_log": usual,
    }
    span = math.log(power.max() / power[power > 0].min())
    for model, law in laws.items():
        systematic = (settings.power_calibration_uncertainty, settings.power_linearity_uncertainty / span)
        rows += law_rows(series, law, model, systematic)
    best_law = laws["power_law_background"]
    ends = profile_exponent(power, signal, power_error, error, best_law)
    for place, row in enumerate(rows):
        if (row.model, row.parameter) == ("power_law_background", "exponent"):
            low, high = (row.value + widening(best_law) * (end - row.value) for end in ends)
            rows[place] = replace(row, ci_low=low, ci_high=high, method=f"{row.method}; profile likelihood")
    groups = spectrum_curves(spectra, best, settings.background_degree, dark_level)
    groups[SERIES] = xr.Dataset(attrs=provenance(series) | {COMBINES: ",".join(each.id for each in measurements)})
    groups[f"{SERIES}/points"] = point_curves(spectra, signal, error, best_law)
    groups[f"{SERIES}/laws"] = law_curves(power, laws)
    return Result(rows, groups)


# --- spectra and lines
def select(
    measurements: Sequence[Measurement], window: tuple[float, float], electrons_per_count: float
) -> tuple[list[Spectrum], float]:
    """Cut the window out of each spectrum and put its counts on the scale on which they are Poisson numbers.

    A CCD count is (bias + read-out noise + Poisson electrons); adding the variance of the frame taken with the
    pump blocked to what lies above that frame's mean makes variance equal mean (Snyder et al.,
    doi 10.1364/JOSAA.12.000272). Of several frames the sum is such a number, their mean is not.

    Returns
    -------
    spectra, dark_level
        Spectra in the order of their power; level of the frame with the pump blocked, in counts.
    """
    raw = [_cut(measurement, window) for measurement in measurements]
    blocked = [frames for measurement, _, frames in raw if measurement.condition("power", "mW") == 0]
    if not blocked:
        raise AnalysisError("shg: no measurement has 'power=0 mW' (pump blocked): its dark level is needed")
    if len(raw) - len(blocked) < 4:
        raise AnalysisError(f"shg: a power law with a background needs 4 powers, found {len(raw) - len(blocked)}")
    dark_level = float(np.median(np.concatenate([frames.ravel() for frames in blocked])))
    # Neighbouring pixels differ by noise alone: half the mean squared difference, without the few at a line.
    steps = np.concatenate([np.diff(frames).ravel() for frames in blocked])
    variance = float(np.mean(steps[np.abs(steps) < 5 * np.median(np.abs(steps)) + 1] ** 2)) / 2
    spectra = [
        Spectrum(
            measurement,
            wavelength,
            frames.mean(axis=0),
            np.maximum(
                electrons_per_count * (frames.sum(axis=0) - len(frames) * dark_level)
                + electrons_per_count**2 * len(frames) * variance,
                0.0,
            ),
            electrons_per_count * len(frames),
            measurement.condition("power", "mW"),
            measurement.condition("power_uncertainty", "mW"),
            measurement.condition("integration_time", "s"),
        )
        for measurement, wavelength, frames in raw
    ]
    return sorted(spectra, key=lambda spectrum: spectrum.power), dark_level


def _cut(measurement: Measurement, window: tuple[float, float]) -> tuple[Measurement, np.ndarray, np.ndarray]:
    """Return a measurement, the wavelengths inside the window, shape (n,), and its frames there, shape (m, n)."""
    region = measurement.only
    if "wavelength" not in region.coords:
        raise AnalysisError(
            f"{measurement.id}: SHG needs an axis of wavelength, the file has {', '.join(map(str, region.dims))}"
        )
    counts = in_counts(measurement, rising(measurement, region, "wavelength"), "integration_time")
    inside = counts.sel(wavelength=slice(*window))
    points = inside["wavelength"].size
    if points < 20:
        raise AnalysisError(f"{measurement.id}: {points} points between {window[0]:g} and {window[1]:g} nm; 20 needed")
    return measurement, inside["wavelength"].values, np.atleast_2d(inside.values)


def _widened(law: Fit) -> Fit:
    """Return a law with the errors that its misfit calls for."""
    scale, params = widening(law), law.params.copy()
    for name in law.names:
        params[name].stderr *= scale
    return replace(law, params=params, covariance=scale**2 * law.covariance)


def fit_lines(spectra: Sequence[Spectrum], degree: int, shape: Shape) -> Fit:
    """Fit one line of common place and shape, and a polynomial of its own, to each spectrum.

    Returns
    -------
    Fit
        ``center``, ``fwhm_gaussian``, ``fwhm_lorentzian`` (nm), and for spectrum i ``area_i`` (electron nm) and
        ``background_i_j`` (electrons).
    """
    strongest = spectra[-1]
    top = int(np.argmax(strongest.electrons))
    above = strongest.electrons > strongest.electrons[top] / 2
    width = max(np.sum(np.gradient(strongest.wavelength)[above]), 2 * np.gradient(strongest.wavelength)[top])
    center = float(strongest.wavelength[top])
    params = parameters(
        center=(center, center - 2 * width, center + 2 * width),
        fwhm_gaussian=(0.8 * width, 0.05 * width, 3 * width),
        fwhm_lorentzian=(0.3 * width, 0.0, 3 * width) if shape == "voigt" else {"value": 0.0, "vary": False},
    )
    for i, spectrum in enumerate(spectra):
        design = np.column_stack([voigt(spectrum.wavelength, 1.0, center, width, 0.0), _powers(spectrum, degree)])
        start = np.linalg.lstsq(design, spectrum.electrons, rcond=None)[0]
        params.add(f"area_{i}", value=start[0])
        for j, coefficient in enumerate(start[1:]):
            params.add(f"background_{i}_{j}", value=coefficient)
    model = LineModel(spectra, [_powers(spectrum, degree) for spectrum in spectra])
    counts = np.concatenate([spectrum.electrons for spectrum in spectra])
    return fit_counts(model.expected, counts, params, jacobian=model.jacobian)


@dataclass(frozen=True)
class LineModel:
    """Expected electrons of all spectra, one after the other, and their derivatives.

    Attributes
    ----------
    spectra
        The spectra.
    powers
        For each, the polynomials under its line, shape (n, degree + 1).
    """

    spectra: Sequence[Spectrum]
    powers: Sequence[np.ndarray]

    def parts(self, params: lmfit.Parameters, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return line and background of spectrum i, in electrons."""
        coefficients = [params[f"background_{i}_{j}"].value for j in range(self.powers[i].shape[1])]
        return params[f"area_{i}"].value * self._unit_line(params, i), self.powers[i] @ coefficients

    def expected(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the expected electrons of all spectra, shape (n,)."""
        return np.concatenate([sum(self.parts(params, i)) for i in range(len(self.spectra))])

    def jacobian(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the derivatives by the varying parameters in their order, shape (n, k)."""
        shared = [name for name in SHAPE if params[name].vary]
        blocks, lines = [], []
        for i in range(len(self.spectra)):
            line = partial(self._unit_line, i=i)
            lines.append(params[f"area_{i}"].value * central_differences(line, params, shared))
            blocks.append(np.column_stack([line(params), self.powers[i]]))
        return np.hstack([np.vstack(lines), block_diag(*blocks)])

    def _unit_line(self, params: lmfit.Parameters, i: int) -> np.ndarray:
        return voigt(self.spectra[i].wavelength, 1.0, *(params[name].value for name in SHAPE))


def _powers(spectrum: Spectrum, degree: int) -> np.ndarray:
    """Return the polynomials under a line, on the window scaled to −1 … 1, shape (n, degree + 1)."""
    low, high = spectrum.wavelength[[0, -1]]
    return np.polynomial.legendre.legvander(2 * (spectrum.wavelength - low) / (high - low) - 1, degree)


# --- rows
def _series(measurements: Sequence[Measurement]) -> Measurement:
    attrs = dict(measurements[0].attrs)
    attrs["raw_sha256"] = ",".join(measurement.attrs["raw_sha256"] for measurement in measurements)
    return replace(measurements[0], id=SERIES, attrs=attrs)


def line_rows(
    series: Measurement,
    spectra: Sequence[Spectrum],
    fitted: Fit,
    shape: Shape,
    wavelength_uncertainty: float,
) -> list[Number]:
    """Make the rows of the lines: area a spectrum; place and width in common."""
    method = f"Poisson maximum likelihood, {shape} line common to all powers"
    units = {"center": "nm", "fwhm_gaussian": "nm"} | ({"fwhm_lorentzian": "nm"} if shape == "voigt" else {})
    center, *widths = fitted.numbers(series, shape, units, method)
    center = replace(center, systematic_error=wavelength_uncertainty)
    half_pump = spectra[-1].measurement.condition("pump_wavelength", "nm") / 2
    shift = replace(
        center,
        parameter="center_minus_half_pump",
        value=center.value - half_pump,
        ci_low=center.ci_low - half_pump,
        ci_high=center.ci_high - half_pump,
    )
    common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
    rows = [center, *widths, shift, *measured(series, shape, {"aicc": (fitted.aicc, math.nan, "1")}, method, **common)]
    for i, spectrum in enumerate(spectra):
        area, error = (get(f"area_{i}") / spectrum.gain for get in (fitted.value, fitted.error))
        rows += measured(spectrum.measurement, shape, {"area": (area, error, "count*nm")}, method, **common)
    return rows


def law_rows(series: Measurement, law: Fit, model: str, systematic: tuple[float, float]) -> list[Number]:
    """Make the rows of a power law and of the test of its exponent against 2.

    Parameters
    ----------
    systematic
        Relative standard uncertainties that the power meter leaves in the scale of power and in the exponent.
    """
    method = widened_method(LOGARITHMS if model == "log_log" else ORTHOGONAL, widening(law))
    units = {"amplitude": RATE, "exponent": "1"} | ({"background": RATE} if "background" in law.names else {})
    amplitude, exponent_row, *rest = law.numbers(series, model, units, method)
    exponent = law.value("exponent")
    rows = [
        replace(amplitude, systematic_error=law.value("amplitude") * exponent * systematic[0]),
        replace(exponent_row, systematic_error=exponent * systematic[1]),
        *rest,
    ]
    t = (exponent - 2) / law.error("exponent")
    dof = law.n - len(law.names)
    tests = {
        "exponent_minus_2_t": (t, math.nan, "1"),
        "exponent_minus_2_p_value": (2 * stats.t.sf(abs(t), dof), math.nan, "1"),
        "aicc": (law.aicc, math.nan, "1"),
    }
    test = f"{method}; Student's t with {dof} degrees of freedom"
    return rows + measured(series, model, tests, test, n=law.n, reduced_chi_square=law.reduced_chi_square)


# --- curves
def spectrum_curves(spectra: Sequence[Spectrum], fitted: Fit, degree: int, dark_level: float) -> dict[str, xr.Dataset]:
    """Make the groups of the spectra: counts above the dark level, line, background, residual."""
    model = LineModel(spectra, [_powers(spectrum, degree) for spectrum in spectra])
    bounds = np.cumsum([0, *(spectrum.wavelength.size for spectrum in spectra)])
    groups: dict[str, xr.Dataset] = {}
    for i, spectrum in enumerate(spectra):
        line, background = (part / spectrum.gain for part in model.parts(fitted.params, i))
        counts = spectrum.counts - dark_level
        above = np.median(counts - spectrum.electrons / spectrum.gain)
        uncertainty = np.sqrt(np.maximum(spectrum.electrons, 1.0)) / spectrum.gain
        data = {
            "data": (counts, "count", "intensity above the dark level"),
            "data_uncertainty": (uncertainty, "count", "standard uncertainty of the intensity"),
            "fit": (line + background + above, "count", "fit"),
            "line": (line, "count", "second harmonic"),
            "background": (background + above, "count", "background"),
            "residual": (fitted.residual[bounds[i] : bounds[i + 1]], "1", "deviance residual"),
        }
        groups[spectrum.measurement.id] = xr.Dataset(attrs=provenance(spectrum.measurement))
        groups[f"{spectrum.measurement.id}/spectrum"] = xr.Dataset(
            {name: variable("wavelength", *content) for name, content in data.items()},
            coords={"wavelength": variable("wavelength", spectrum.wavelength, "nm", "wavelength")},
            attrs={"power_mW": spectrum.power, "integration_time_s": spectrum.time},
        )
    return groups


def point_curves(spectra: Sequence[Spectrum], signal: np.ndarray, error: np.ndarray, law: Fit) -> xr.Dataset:
    """Make the points of the power law with the errors of both axes."""
    power = np.array([spectrum.power for spectrum in spectra])
    fitted = power_law(power, *(law.value(name) for name in ("amplitude", "exponent", "background")))
    power_error = [spectrum.power_error for spectrum in spectra]
    return xr.Dataset(
        {
            "signal": variable("power", signal, RATE, "area of the 532 nm line"),
            "signal_uncertainty": variable("power", error, RATE, "standard uncertainty of the area"),
            "power_uncertainty": variable("power", power_error, "mW", "standard uncertainty of the power"),
            "fit": variable("power", fitted, RATE, "power law with background"),
            "residual": variable("power", signal - fitted, RATE, "residual"),
        },
        coords={"power": variable("power", power, "mW", "pump power")},
    )


def law_curves(power: np.ndarray, laws: dict[str, Fit]) -> xr.Dataset:
    """Make each law on a fine scale of power; the 95 % band of the one with background."""
    fine = np.geomspace(power[power > 0].min() / 1.3, power.max() * 1.3, 120)

    def curve(params: lmfit.Parameters) -> np.ndarray:
        return power_law(fine, *(params[name].value for name in ("amplitude", "exponent", "background")))

    best = laws["power_law_background"]
    slope = central_differences(curve, best.params, best.names)
    half = NORMAL_QUANTILE * np.sqrt(np.einsum("ij,jk,ik->i", slope, best.covariance, slope))
    content = {model: variable("power", curve(law.params), RATE, model) for model, law in laws.items()}
    content["low"] = variable("power", curve(best.params) - half, RATE, "lower end of the 95 % band")
    content["high"] = variable("power", curve(best.params) + half, RATE, "upper end of the 95 % band")
    return xr.Dataset(content, coords={"power": variable("power", fine, "mW", "pump power")})
