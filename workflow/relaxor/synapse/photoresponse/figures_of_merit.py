"""Figures of merit of a photodetector, with the noise that was measured beside the one that is usually assumed.

Detectivities are often calculated from the shot noise of the dark current alone, which ignores 1/f noise and the
amplifier (doi 10.1038/s41467-023-37635-1). Here the noise is that of the dark trace, and the shot-noise limit is given
beside it.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import signal
from scipy.constants import c, e, h

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, measured
from relaxor.synapse.photoresponse import quantities as q
from relaxor.synapse.protocols import applied
from relaxor.synapse.quantities import LIGHT_STIMULUS, VOLTAGE_STIMULUS
from relaxor.synapse.traces import Trace

SOURCE = "doi 10.1038/s41467-023-37635-1"
"""Source of the definitions."""
SCALES = {
    quantity.name: powers
    for quantity, powers in (
        (q.RESPONSIVITY, (-1, 1, -1)),
        (q.QUANTUM_EFFICIENCY, (-1, 1, -1)),
        (q.NOISE_DENSITY, (0, 1, 0)),
        (q.SHOT_NOISE_DENSITY, (0, 0.5, 0)),
        (q.NOISE_EQUIVALENT_POWER, (1, 0, 1)),
        (q.DETECTIVITY, (-0.5, 0, -1)),
        (q.SHOT_NOISE_DETECTIVITY, (-0.5, 0.5, -1)),
        (q.NOISE_OVER_SHOT_NOISE, (0, 0.5, 0)),
        (q.NOISE_SPECTRUM, (0, 0, 0)),
    )
}
"""Parameter → the powers of area, current and power density that it is proportional to. The same instrument reads the
current under light and its noise in the dark, so that its scale does not change their ratio."""
SCALE_NAMES = ("area of the device", "current scale of the instrument", "power meter")
"""What the scales of `SCALES` belong to."""
SEGMENTS = 8
"""Number of half-overlapping segments of the dark trace that Welch's spectrum averages."""
LEAST_READINGS = 64
EVEN = 0.1
"""Readings count as evenly spaced where no step differs from the median by more than this part."""
SAME_VOLTAGE = {"rel_tol": 0.02, "abs_tol": 1e-3}
"""Two voltages count as equal if they differ by no more than this part, or by 1 mV."""


def responsivity(photocurrent: float, error: float, power: float, area: float) -> tuple[float, float]:
    """Return R = ΔI/(P·A) and its standard error, A/W.

    Parameters
    ----------
    photocurrent, error
        Current under light less current in the dark, and its standard error, A.
    power
        Power density, mW/cm^2.
    area
        Of the device under light, cm^2.
    """
    watts = power * 1e-3 * area
    return photocurrent / watts, error / watts


def quantum_efficiency(responsivity: float, wavelength: float) -> float:
    """Return the external quantum efficiency R·h·c/(e·λ), electrons per photon; wavelength in nm, R in A/W."""
    return responsivity * h * c / (e * wavelength * 1e-9)


def noise_density(dark: Trace) -> tuple[float, float, float]:
    """Return the mean noise spectral density of a trace in the dark, its standard error, and the band's upper end.

    A straight drift is taken out. The error is that of white noise: a band B seen for a time T holds B·T independent
    values of two quadratures.

    Returns
    -------
    density, error, highest
        A/√Hz, A/√Hz, Hz. The band begins at the second frequency above 0 that a segment resolves, as the drift that
        was taken out took power from the first, and ends below half the rate of the readings.

    Raises
    ------
    AnalysisError
        If the trace has light, is too short, not evenly spaced, or shows no noise at all.
    """
    where = f"{dark.measurement.id}, run {dark.run}"
    if dark.stimulus is not None and dark.stimulus_unit != VOLTAGE_STIMULUS and (dark.stimulus > 0).any():
        raise AnalysisError(f"{where}: light was on; the noise density needs a trace in the dark")
    if dark.time.size < LEAST_READINGS:
        raise AnalysisError(f"{where}: {dark.time.size} readings in the dark; {LEAST_READINGS} needed for a spectrum")
    step = np.diff(dark.time)
    interval = float(np.median(step))
    if (np.abs(step - interval) > EVEN * interval).any():
        raise AnalysisError(f"{where}: readings are not evenly spaced, as a noise spectrum requires")
    length = 2 * dark.time.size // (SEGMENTS + 1)
    frequency, density = signal.welch(
        signal.detrend(dark.current), 1 / interval, nperseg=length, noverlap=length // 2, detrend="linear"
    )
    inside = slice(2, -1)
    mean = float(density[inside].mean())
    if not mean > 0:
        raise AnalysisError(f"{where}: the current in the dark shows no noise; its resolution is too low")
    band = float(frequency[inside][-1] - frequency[inside][0])
    relative = 1 / math.sqrt(band * dark.time.size * interval)
    return math.sqrt(mean), math.sqrt(mean) * relative / 2, float(frequency[inside][-1])


def noise_at(darks: Sequence[Trace], voltage: float) -> tuple[Trace, tuple[float, float, float]]:
    """Return the first trace in the dark at a voltage that is fit for a noise spectrum, and its `noise_density`.

    Raises
    ------
    AnalysisError
        If there is none; with what the first one at this voltage lacks.
    """
    unfit: list[AnalysisError] = []
    for dark in darks:
        if math.isclose(float(np.median(dark.voltage)), voltage, **SAME_VOLTAGE):
            try:
                return dark, noise_density(dark)
            except AnalysisError as error:
                unfit.append(error)
    raise unfit[0] if unfit else AnalysisError(f"no run in the dark at {voltage:g} V")


def merit_rows(
    measurement: Measurement,
    darks: Sequence[Trace],
    power: np.ndarray,
    photocurrent: np.ndarray,
    error: np.ndarray,
    *,
    voltage: float,
    area: float,
    wavelength: float,
    scale_uncertainties: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> list[Number]:
    """Return the figures of merit of a power series: responsivity at each power, detectivity at the lowest power.

    Parameters
    ----------
    measurement
        Measurement whose name, hash and origin the numbers carry.
    darks
        Traces in the dark. If none of them has the same voltage and is fit for a noise spectrum, there is no
        detectivity, and the number ``noise_spectrum``, which is 0, says why.
    power
        mW/cm^2, shape (n,).
    photocurrent, error
        Current under light less current in the dark, and its standard error, A, shape (n,).
    voltage
        Across the device, V.
    area
        Area of the device under light, cm^2.
    wavelength
        Wavelength of the light, nm.
    scale_uncertainties
        Relative standard uncertainties of the scales of area, current and power density.

    Raises
    ------
    AnalysisError
        If area, wavelength or a power is not positive.
    """
    if not (area > 0 and wavelength > 0 and (power > 0).all()):
        raise AnalysisError(f"{measurement.id}: area, wavelength and power density must be positive")
    rows: list[Number] = []
    for each, current, deviation in zip(power, photocurrent, error, strict=True):
        ratio, ratio_error = responsivity(current, deviation, each, area)
        efficiency, efficiency_error = (quantum_efficiency(part, wavelength) for part in (ratio, ratio_error))
        at = {"at": applied(each), "at_unit": LIGHT_STIMULUS}
        for quantity, found, formula in (
            (q.RESPONSIVITY, (ratio, ratio_error), "R = dI/(P A)"),
            (q.QUANTUM_EFFICIENCY, (efficiency, efficiency_error), "EQE = R h c/(e lambda), CODATA"),
        ):
            rows += measured(measurement, q.MERITS, {quantity: found}, f"{formula}; {SOURCE}", **at)
    weakest = int(np.argmin(power))
    at_weakest = responsivity(photocurrent[weakest], error[weakest], power[weakest], area)
    try:
        dark, noise = noise_at(darks, voltage)
    except AnalysisError as unfit:
        rows += measured(measurement, q.MERITS, {q.NOISE_SPECTRUM: (0.0, math.nan)}, str(unfit))
    else:
        rows += _detectivity_rows(measurement, dark, noise, at_weakest, area)

    for name, uncertainty, position in zip(SCALE_NAMES, scale_uncertainties, range(3), strict=True):
        rows = [
            row.with_component(name, row.value * SCALES[row.parameter][position] * uncertainty, "settings and sheet")
            for row in rows
        ]
    return rows


def _detectivity_rows(
    measurement: Measurement,
    dark: Trace,
    noise: tuple[float, float, float],
    responsivity_: tuple[float, float],
    area: float,
) -> list[Number]:
    ratio, ratio_error = abs(responsivity_[0]), responsivity_[1]
    density, density_error, highest = noise
    shot = math.sqrt(2 * e * abs(float(dark.current.mean())))
    relative = math.hypot(ratio_error / ratio, density_error / density)
    detectivity = math.sqrt(area) * ratio / density
    limit = math.sqrt(area) * ratio / shot
    values: dict[Quantity, tuple[float, float, str]] = {
        q.NOISE_DENSITY: (density, density_error, "mean of Welch's spectrum"),
        q.SHOT_NOISE_DENSITY: (shot, math.nan, "sqrt(2 e I_dark)"),
        q.NOISE_EQUIVALENT_POWER: (density / ratio, density / ratio * relative, "i_n/R"),
        q.DETECTIVITY: (detectivity, detectivity * relative, "D* = sqrt(A df)/NEP, measured noise"),
        q.SHOT_NOISE_DETECTIVITY: (limit, limit * ratio_error / ratio, "D* = R sqrt(A/(2 e I_dark))"),
        q.NOISE_OVER_SHOT_NOISE: (density / shot, density_error / shot, "i_n/sqrt(2 e I_dark)"),
    }
    band = f"dark trace up to {highest:.4g} Hz; {SOURCE}"
    rows: list[Number] = []
    for quantity, (value, deviation, formula) in values.items():
        rows += measured(measurement, q.MERITS, {quantity: (value, deviation)}, f"{formula}; {band}", n=dark.time.size)
    return rows
