"""Second-harmonic generation: area of the line at half the pump wavelength, and its power law.

All spectra of a series share the line's place and shape, which are those of the spectrometer. They are fitted together
by maximum likelihood; the frame with the pump blocked gives dark level and noise of the detector, and anchors the power
law at zero power. The law is fitted with errors on both axes (orthogonal distances), with and without a constant
background, and beside them the straight line through logarithms that is usual and biased. A law that misses the points
by more than chance has its errors widened by the misfit.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import lmfit
import numpy as np
import xarray as xr
from scipy import stats
from scipy.linalg import block_diag
from scipy.optimize import nnls

from relaxor.core.errors import AnalysisError
from relaxor.core.results import COMBINES, NORMAL_QUANTILE, Measurement, Number, Result, Status, combined, measured
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import UNLIKELY
from relaxor.stats.counts import in_counts, rising
from relaxor.stats.fit import Fit, fit_counts, parameters
from relaxor.stats.line_shapes import voigt
from relaxor.stats.optimizer import central_differences
from relaxor.stats.power_law import logarithmic_power_law, orthogonal_power_law, power_law, profile_exponent
from relaxor.stats.quantities import AICC
from relaxor.techniques.shg import quantities as q
from relaxor.techniques.shg.settings import ShgSettings

ORTHOGONAL = "orthogonal distance regression (ODRPACK), errors of power and area"
LOGARITHMS = "ordinary least squares of logarithms (AICc on that scale)"
SHAPE = ("center", "fwhm_gaussian", "fwhm_lorentzian")
LAW = ("amplitude", "exponent", "background")
"""Parameters of a line, and of a law, in the order of the functions that they belong to."""
QUADRATIC = 2.0
"""Exponent of a pure second-order process, against which exponents are tested."""
REACH = 0.03
"""Reach of the window to each side of half the wavelength of the pump, as a part of that, where none is set."""


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
        Number of these electrons per count in the mean of the frames.
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


def analyse(measurements: Sequence[Measurement], settings: ShgSettings) -> Iterator[Result]:
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
    spectra, dark_level = select(measurements, settings)
    lines = {shape: fit_lines(spectra, settings.background_degree, shape) for shape in (q.VOIGT, q.GAUSSIAN)}
    series = combined(measurements, q.SERIES)
    rows = [row for shape, fitted in lines.items() for row in line_rows(series, spectra, fitted, shape, settings)]
    best = next((fitted for fitted in lines.values() if fitted.converged), None)
    if best is None:
        raise AnalysisError("shg: the search for one line shape of all powers did not converge")
    points = Points.of(spectra, best)
    laws = fit_laws(points)
    for model, law in laws.items():
        rows += law_rows(series, points, law, model, settings)
    parts = {"points": point_curves(points, laws[q.POWER_LAW_BACKGROUND]), "laws": law_curves(points.power, laws)}
    yield from spectrum_curves(spectra, best, settings.background_degree, dark_level)
    yield Result.of(series, rows, parts, **{COMBINES: ",".join(each.id for each in measurements)})


# --- spectra and lines
def select(measurements: Sequence[Measurement], settings: ShgSettings) -> tuple[list[Spectrum], float]:
    """Cut the window out of each spectrum and scale its counts so that they are Poisson numbers.

    A CCD count is (bias + read-out noise + Poisson electrons); adding the variance of the frame taken with the
    pump blocked to what lies above that frame's mean makes variance equal mean (Snyder et al.,
    doi 10.1364/JOSAA.12.000272). Of several frames the sum is such a number, their mean is not.

    Returns
    -------
    spectra, dark_level
        Spectra in the order of their power; level of the frame with the pump blocked, in counts.
    """
    raw = [_cut(measurement, settings.window) for measurement in measurements]
    blocked = [frames for measurement, _, frames in raw if measurement.condition("power", "mW") == 0]
    if not blocked:
        raise AnalysisError("shg: no measurement has 'power=0 mW' (pump blocked): its dark level is needed")
    if len(raw) - len(blocked) < 4:
        raise AnalysisError(f"shg: a power law with a background needs 4 powers, found {len(raw) - len(blocked)}")
    dark_level = float(np.median(np.concatenate([frames.ravel() for frames in blocked])))
    # Neighbouring pixels differ by noise alone: half the mean squared difference, without the few at a line.
    steps = np.concatenate([np.diff(frames).ravel() for frames in blocked])
    variance = float(np.mean(steps[np.abs(steps) < 5 * np.median(np.abs(steps)) + 1] ** 2)) / 2
    gain = settings.electrons_per_count
    spectra = [
        Spectrum(
            measurement,
            wavelength,
            frames.mean(axis=0),
            np.maximum(
                gain * (frames.sum(axis=0) - len(frames) * dark_level) + gain**2 * len(frames) * variance,
                0.0,
            ),
            gain * len(frames),
            measurement.condition("power", "mW"),
            measurement.condition("power_uncertainty", "mW"),
            measurement.condition("integration_time", "s"),
        )
        for measurement, wavelength, frames in raw
    ]
    return sorted(spectra, key=lambda spectrum: spectrum.power), dark_level


def _cut(measurement: Measurement, window: tuple[float, float] | None) -> tuple[Measurement, np.ndarray, np.ndarray]:
    """Return a measurement, the wavelengths inside the window, shape (n,), and its frames there, shape (m, n)."""
    region = measurement.only
    if "wavelength" not in region.coords:
        raise AnalysisError(
            f"{measurement.id}: SHG needs an axis of wavelength, the file has {', '.join(map(str, region.dims))}"
        )
    counts = in_counts(measurement, rising(measurement, region, "wavelength"), "integration_time")
    low, high = window or (measurement.condition("pump_wavelength", "nm") / 2 * np.array([1 - REACH, 1 + REACH]))
    inside = counts.sel(wavelength=slice(low, high))
    points = inside["wavelength"].size
    if points < 20:
        raise AnalysisError(f"{measurement.id}: {points} points between {low:g} and {high:g} nm; 20 needed")
    return measurement, inside["wavelength"].values, np.atleast_2d(inside.values)


@dataclass(frozen=True)
class Points:
    """Points of the power law: power (mW) and rate of the line (count nm/s) with their errors, each of shape (n,)."""

    power: np.ndarray
    signal: np.ndarray
    power_error: np.ndarray
    signal_error: np.ndarray

    @classmethod
    def of(cls, spectra: Sequence[Spectrum], lines: Fit) -> "Points":
        """Take the powers of spectra and the areas of their lines."""
        gain_and_time = np.array([spectrum.gain * spectrum.time for spectrum in spectra])
        areas, errors = np.array([lines.estimate(f"area_{i}") for i in range(len(spectra))]).T / gain_and_time
        power, power_error = np.array([(spectrum.power, spectrum.power_error) for spectrum in spectra]).T
        return cls(power, areas, power_error, errors)

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What fits of power laws take."""
        return self.power, self.signal, self.power_error, self.signal_error

    @property
    def span(self) -> float:
        """Logarithm of the largest power over the smallest."""
        return math.log(self.power.max() / self.power[self.power > 0].min())


def fit_laws(points: Points) -> dict[str, Fit]:
    """Return the power laws by model, with errors that include the misfit.

    Raises
    ------
    AnalysisError
        If the line falls with power.
    """
    usual = logarithmic_power_law(points.power, points.signal)
    if usual.value("exponent") <= 0:
        raise AnalysisError(
            f"shg: the line falls with power (exponent {usual.value('exponent'):.2g}); expected it to grow: does the "
            "sheet give each file its own power?"
        )
    return {
        q.POWER_LAW_BACKGROUND: orthogonal_power_law(*points.columns, background=True),
        q.POWER_LAW: orthogonal_power_law(*points.columns, background=False),
        q.LOG_LOG: usual,
    }


def fit_lines(spectra: Sequence[Spectrum], degree: int, shape: str) -> Fit:
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
        fwhm_lorentzian=(0.3 * width, 0.0, 3 * width) if shape == q.VOIGT else {"value": 0.0, "vary": False},
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
def line_rows(
    series: Measurement, spectra: Sequence[Spectrum], fitted: Fit, shape: str, settings: ShgSettings
) -> list[Number]:
    """Make the rows of the lines: place and width in common, and the area of each spectrum."""
    method = f"Poisson maximum likelihood, {shape} line common to all powers"
    shared = dict(zip(SHAPE, (q.CENTER, q.FWHM_GAUSSIAN, q.FWHM_LORENTZIAN), strict=True))
    shared = {name: quantity for name, quantity in shared.items() if name in fitted.names}
    center, *widths = fitted.numbers(series, shape, shared, method)
    center = center.with_component(
        "wavelength scale", settings.wavelength_uncertainty, "setting wavelength_uncertainty"
    )
    half_pump = spectra[-1].measurement.condition("pump_wavelength", "nm") / 2
    difference = replace(
        center,
        parameter=q.CENTER_DIFFERENCE.name,
        value=center.value - half_pump,
        ci_low=center.ci_low - half_pump,
        ci_high=center.ci_high - half_pump,
        at=half_pump,
        at_unit="nm",
    )
    rows = [
        center,
        *widths,
        difference,
        *measured(series, shape, {AICC: (fitted.aicc, math.nan)}, method, **fitted.quality),
    ]
    for i, spectrum in enumerate(spectra):
        area, error = (part / spectrum.gain for part in fitted.estimate(f"area_{i}"))
        rows += measured(spectrum.measurement, shape, {q.AREA: (area, error)}, method, **fitted.quality)
    return rows


def law_rows(series: Measurement, points: Points, law: Fit, model: str, settings: ShgSettings) -> list[Number]:
    """Make the rows of a power law and of the test of its exponent.

    The interval of the exponent beside a background is that of the profile of the likelihood. The power meter leaves
    systematic errors in the scale of power and in the exponent.
    """
    method = LOGARITHMS if model == q.LOG_LOG else ORTHOGONAL
    fitted = dict(zip(LAW, (q.AMPLITUDE, q.EXPONENT, q.BACKGROUND), strict=True))
    fitted = {name: quantity for name, quantity in fitted.items() if name != "background" or name in law.names}
    amplitude, exponent, *rest = law.numbers(series, model, fitted, method)
    scale = amplitude.value * exponent.value * settings.power_calibration_uncertainty
    amplitude = amplitude.with_component("scale of the power meter", scale, "setting power_calibration_uncertainty")
    linearity = settings.power_linearity_uncertainty / points.span
    size = exponent.value * linearity
    exponent = exponent.with_component("linearity of the power meter", size, "setting power_linearity_uncertainty")
    if model == q.POWER_LAW_BACKGROUND:
        exponent = profiled(exponent, points, law)
    t = (exponent.value - QUADRATIC) / law.error("exponent")
    test = f"{method}; Student's t with {law.freedom} degrees of freedom"
    tests = {q.T_STATISTIC: (t, math.nan), q.P_VALUE: (2 * stats.t.sf(abs(t), law.freedom), math.nan)}
    rows = [amplitude, exponent, *rest, *measured(series, model, tests, test, at=QUADRATIC, at_unit="1", **law.quality)]
    return rows + measured(series, model, {AICC: (law.aicc, math.nan)}, test, **law.quality)


def profiled(exponent: Number, points: Points, law: Fit) -> Number:
    """Return the exponent beside a background with its profile interval, and with the mixture of orders it may hide."""
    try:
        with np.errstate(all="ignore"):
            low, high = profile_exponent(*points.columns, law)
    except ValueError:  # the search leaves the range of numbers, because nothing ends the interval
        return exponent.flagged(Status.NOT_IDENTIFIED, "not identified: the likelihood does not end the exponent")
    exponent = replace(exponent, ci_low=low, ci_high=high, method=f"{exponent.method}; profile likelihood")
    if not describes_as_well(points, law):
        return exponent
    remark = "assumed: a single power; a second order beside a linear part describes the points as well"
    exponent = exponent.with_component("mixture of orders", exponent.value - QUADRATIC, "distance from 2")
    return exponent.flagged(Status.ASSUMED, remark)


def describes_as_well(points: Points, law: Fit) -> bool:
    """Return whether an exponent below two can be that of a mixture: a second order, a linear part and a background.

    The parts cannot be negative. Errors of power count as errors of the signal by the slope of the law.
    """
    least = float(stats.norm.isf(UNLIKELY / 2)) * law.error("exponent")
    if QUADRATIC - law.value("exponent") < least:
        return False
    power = points.power
    curve = power_law(power, *(law.value(name) for name in LAW))
    slope = law.value("exponent") * (curve - law.value("background")) / np.where(power > 0, power, 1.0)
    error = np.hypot(points.signal_error, slope * points.power_error)
    design = np.column_stack([power**2, power, np.ones_like(power)])
    mixed = nnls(design / error[:, None], points.signal / error)[1] ** 2
    return bool(mixed < np.sum(((points.signal - curve) / error) ** 2) + NORMAL_QUANTILE**2)


# --- curves
def spectrum_curves(spectra: Sequence[Spectrum], fitted: Fit, degree: int, dark_level: float) -> Iterator[Result]:
    """Yield the curves of each spectrum: counts above the dark level, line, background, residual."""
    model = LineModel(spectra, [_powers(spectrum, degree) for spectrum in spectra])
    bounds = np.cumsum([0, *(spectrum.wavelength.size for spectrum in spectra)])
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
        axis = {"wavelength": (spectrum.wavelength, "nm", "wavelength")}
        attrs = {"power_mW": spectrum.power, "integration_time_s": spectrum.time}
        yield Result.of(spectrum.measurement, [], {"spectrum": dataset("wavelength", data, axis, **attrs)})


def point_curves(points: Points, law: Fit) -> xr.Dataset:
    """Make the points of the power law with the errors of both axes."""
    fitted = power_law(points.power, *(law.value(name) for name in LAW))
    content = {
        "signal": (points.signal, q.RATE, "area of the line of the second harmonic"),
        "signal_uncertainty": (points.signal_error, q.RATE, "standard uncertainty of the area"),
        "power_uncertainty": (points.power_error, "mW", "standard uncertainty of the power"),
        "fit": (fitted, q.RATE, "power law with background"),
        "residual": (points.signal - fitted, q.RATE, "residual"),
    }
    return dataset("power", content, {"power": (points.power, "mW", "pump power")})


def law_curves(power: np.ndarray, laws: Mapping[str, Fit]) -> xr.Dataset:
    """Make each law on a fine scale of power; the 95 % band of the one with background."""
    fine = np.geomspace(power[power > 0].min() / 1.3, power.max() * 1.3, 120)

    def curve(params: lmfit.Parameters) -> np.ndarray:
        return power_law(fine, *(params[name].value for name in LAW))

    best = laws[q.POWER_LAW_BACKGROUND]
    slope = central_differences(curve, best.params, best.names)
    half = NORMAL_QUANTILE * np.sqrt(np.einsum("ij,jk,ik->i", slope, best.covariance, slope))
    content = {model: (curve(law.params), q.RATE, model) for model, law in laws.items()}
    content["low"] = curve(best.params) - half, q.RATE, "lower end of the 95 % band"
    content["high"] = curve(best.params) + half, q.RATE, "upper end of the 95 % band"
    return dataset("power", content, {"power": (fine, "mW", "pump power")})
