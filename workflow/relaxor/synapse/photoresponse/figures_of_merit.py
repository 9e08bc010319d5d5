"""Figures of merit of a photodetector, with the noise that was measured beside the one that is usually assumed.

Detectivities are often calculated from the shot noise of the dark current alone, which ignores 1/f noise and the
amplifier (doi 10.1038/s41467-023-37635-1). Here the noise is that of the traces in the dark at the frequency of the
signal, and the shot-noise limit is given beside it. The signal of a pulse of width w is that of a square wave of the
period 2 w: noise that was averaged up to half the rate of the readings would hide the 1/f noise at that frequency.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy import signal
from scipy.constants import c, e, h

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Quantity, Status, measured
from relaxor.core.variables import dataset
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
PULSES_PER_SEGMENT = 8
"""Length of the segments that Welch's spectrum averages, in widths of a pulse: four periods of the signal."""
LOWEST = 2
"""First frequency that a segment resolves: a drift that is taken out takes power from the one below."""
OCTAVE = 2.0
"""Ratio of the ends of the band in which the noise is averaged."""
PER_DECADE = 8
"""Frequencies per decade of the spectrum that is drawn."""
LEAST_READINGS = 64
EVEN = 0.1
"""Readings count as evenly spaced where no step differs from the median by more than this part."""
HANN = 1.5
"""Width of a line under Hann's window, in steps of the frequency."""
OVERLAP = math.sqrt(1 + 2 / 36)
"""Factor by which the overlap of segments under Hann's window raises the error of their mean."""
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


@dataclass(frozen=True)
class DarkNoise:
    """The noise of a device in the dark at the frequency of its signal.

    Attributes
    ----------
    density, error
        Noise spectral density in the band, and its standard error by the scatter of the segments; A/√Hz.
    signal, reached, band
        Frequency of the signal, whether the traces show it, and the ends of the band that is shown next to it; Hz.
    dark_current
        Mean current in the dark, A.
    n
        Number of readings.
    spectrum
        ``density`` along ``frequency``, for a figure.
    """

    density: float
    error: float
    signal: float
    reached: bool
    band: tuple[float, float]
    dark_current: float
    n: int
    spectrum: xr.Dataset

    @property
    def adequacy(self) -> Adequacy:
        """Whether the traces are long enough for the frequency of the signal."""
        if self.reached:
            return ADEQUATE
        words = (
            f"limit: traces in the dark do not show {self.signal:.3g} Hz, the frequency of the signal, at which the "
            "noise may be larger"
        )
        return Adequacy(Status.LIMIT, 1.0, words)


def noise_in_the_dark(darks: Sequence[Trace], voltage: float, width: float) -> DarkNoise:
    """Return the noise of all traces in the dark at a voltage that are fit for a spectrum.

    Parameters
    ----------
    darks
        Traces in the dark.
    voltage
        Across the device, V.
    width
        Width of the pulses of light, s.

    Raises
    ------
    AnalysisError
        If there is none; with what the first one at this voltage lacks.
    """
    usable: list[Trace] = []
    unfit: list[AnalysisError] = []
    for dark in darks:
        if math.isclose(float(np.median(dark.voltage)), voltage, **SAME_VOLTAGE):
            try:
                _require_spectrum(dark)
            except AnalysisError as error:
                unfit.append(error)
            else:
                usable.append(dark)
    if not usable:
        raise unfit[0] if unfit else AnalysisError(f"no run in the dark at {voltage:g} V")
    return _noise_of(usable, width)


def _require_spectrum(dark: Trace) -> None:
    """Refuse a trace that has light, is too short, not evenly spaced, or shows no noise at all."""
    where = f"{dark.measurement.id}, run {dark.run}"
    if dark.stimulus is not None and dark.stimulus_unit != VOLTAGE_STIMULUS and (dark.stimulus > 0).any():
        raise AnalysisError(f"{where}: light was on; the noise density needs a trace in the dark")
    if dark.time.size < LEAST_READINGS:
        raise AnalysisError(f"{where}: {dark.time.size} readings in the dark; {LEAST_READINGS} needed for a spectrum")
    step = np.diff(dark.time)
    interval = float(np.median(step))
    if (np.abs(step - interval) > EVEN * interval).any():
        raise AnalysisError(f"{where}: readings are not evenly spaced, as a noise spectrum requires")
    if not np.ptp(dark.current) > 0:
        raise AnalysisError(f"{where}: the current in the dark shows no noise; its resolution is too low")


def _noise_of(darks: Sequence[Trace], width: float) -> DarkNoise:
    """Average the spectra of half-overlapping segments of traces, which are taken out of their drift one by one."""
    interval = float(np.median(np.diff(darks[0].time)))
    alike = [dark for dark in darks if math.isclose(float(np.median(np.diff(dark.time))), interval, rel_tol=EVEN)]
    size = max(LEAST_READINGS, round(PULSES_PER_SEGMENT * width / interval))
    size = min([size, *(dark.time.size for dark in alike)])
    parts = [
        signal.spectrogram(
            dark.current, 1 / interval, "hann", size, size // 2, detrend="linear", scaling="density", mode="psd"
        )
        for dark in alike
    ]
    frequency, power = parts[0][0][LOWEST:-1], np.hstack([part[2] for part in parts])[LOWEST:-1]
    wanted, half = 1 / (2 * width), math.sqrt(OCTAVE)
    inside = (frequency >= wanted / half) & (frequency <= wanted * half)
    reached = bool(inside.any())
    if not reached:
        nearest = min(max(wanted, half * frequency[0]), frequency[-1] / half)
        inside = (frequency >= nearest / half) & (frequency <= nearest * half)
    # In proportion to the frequency, the mean is that of the middle both of white noise and of 1/f noise.
    found = np.average(power[inside], axis=0, weights=frequency[inside])
    mean = float(found.mean())
    error = _error_of_segments(found, int(inside.sum()))
    return DarkNoise(
        density=math.sqrt(mean),
        error=error / (2 * math.sqrt(mean)),
        signal=wanted,
        reached=reached,
        band=(float(frequency[inside][0]), float(frequency[inside][-1])),
        dark_current=float(np.mean([dark.current.mean() for dark in alike])),
        n=sum(dark.time.size for dark in alike),
        spectrum=_drawn(frequency, power),
    )


def _error_of_segments(found: np.ndarray, frequencies: int) -> float:
    """Return the standard error of the mean power of segments: their scatter, at least that of random noise.

    The power of random noise at one frequency scatters by its own mean; Hann's window makes neighbouring frequencies
    alike, and half-overlapping segments nearly independent (Welch, doi 10.1109/TAU.1967.1161901).
    """
    random = float(found.mean()) / math.sqrt(max(frequencies / HANN, 1.0))
    scatter = float(found.std(ddof=1)) if found.size > 1 else 0.0
    return OVERLAP * max(random, scatter) / math.sqrt(found.size)


def _drawn(frequency: np.ndarray, power: np.ndarray) -> xr.Dataset:
    """Return the noise density along logarithmic steps of the frequency."""
    step = np.floor(PER_DECADE * np.log10(frequency / frequency[0]) + 1e-9)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    count = np.diff(np.append(first, frequency.size))
    each = np.add.reduceat(power, first, axis=0) / count[:, None]
    mean = each.mean(axis=1)
    error = [_error_of_segments(segments, number) for segments, number in zip(each, count, strict=True)]
    columns = {
        "density": (np.sqrt(mean), "A/Hz^0.5", "noise spectral density in the dark"),
        "density_uncertainty": (np.array(error) / (2 * np.sqrt(mean)), "A/Hz^0.5", "standard error of the density"),
    }
    axis = {"frequency": (np.add.reduceat(frequency, first) / count, "Hz", "frequency")}
    return dataset("frequency", columns, axis)


def merit_rows(
    measurement: Measurement,
    darks: Sequence[Trace],
    power: np.ndarray,
    photocurrent: np.ndarray,
    error: np.ndarray,
    *,
    voltage: float,
    width: float,
    area: float,
    wavelength: float,
    scale_uncertainties: tuple[float, float, float] = (0.0, 0.0, 0.0),
    fallen: np.ndarray | None = None,
) -> tuple[list[Number], xr.Dataset | None]:
    """Return the figures of merit of a power series: responsivity at each power, detectivity at the lowest power.

    The second part is the spectrum of the noise in the dark, if there is one.

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
    width
        Width of the pulses, s, which sets the frequency of the signal.
    area
        Area of the device under light, cm^2.
    wavelength
        Wavelength of the light, nm.
    scale_uncertainties
        Relative standard uncertainties of the scales of area, current and power density.
    fallen
        By how much the current falls from its peak to the end of the pulse, A, shape (n,); 0 where it does not.

    Raises
    ------
    AnalysisError
        If area, wavelength or a power is not positive.
    """
    if not (area > 0 and wavelength > 0 and (power > 0).all()):
        raise AnalysisError(f"{measurement.id}: area, wavelength and power density must be positive")
    rows: list[Number] = []
    lost = np.zeros(power.size) if fallen is None else fallen
    for each, current, deviation, fall in zip(power, photocurrent, error, lost, strict=True):
        ratio, ratio_error = responsivity(current, deviation, each, area)
        efficiency, efficiency_error = (quantum_efficiency(part, wavelength) for part in (ratio, ratio_error))
        at = {"at": applied(each), "at_unit": LIGHT_STIMULUS}
        for quantity, found, formula in (
            (q.RESPONSIVITY, (ratio, ratio_error), "R = dI/(P A)"),
            (q.QUANTUM_EFFICIENCY, (efficiency, efficiency_error), "EQE = R h c/(e lambda), CODATA"),
        ):
            (row,) = measured(measurement, q.MERITS, {quantity: found}, f"{formula}; {SOURCE}", **at)
            rows.append(_fallen(row, fall / abs(current)) if fall else row)
    weakest = int(np.argmin(power))
    at_weakest = responsivity(photocurrent[weakest], error[weakest], power[weakest], area)
    spectrum = None
    try:
        noise = noise_in_the_dark(darks, voltage, width)
    except AnalysisError as unfit:
        (row,) = measured(measurement, q.MERITS, {q.NOISE_SPECTRUM: (0.0, math.nan)}, str(unfit))
        rows.append(row.flagged(Status.NOT_IDENTIFIED, "no detectivity"))
    else:
        rows += _detectivity_rows(measurement, noise, at_weakest, area)
        spectrum = noise.spectrum.assign_attrs(
            band_from=noise.band[0], band_to=noise.band[1], shot_noise=shot_noise(noise.dark_current)
        )
    for name, uncertainty, position in zip(SCALE_NAMES, scale_uncertainties, range(3), strict=True):
        rows = [
            row.with_component(name, row.value * SCALES[row.parameter][position] * uncertainty, "settings and sheet")
            for row in rows
        ]
    return rows, spectrum


def _fallen(row: Number, relative: float) -> Number:
    """Return a responsivity at the end of a pulse, for a current that falls while the light is on."""
    words = f"the current falls from {1 + relative:.3g} times its end under light: the value depends on the time"
    part = "time in the pulse at which the current is read"
    return row.with_component(part, row.value * relative / math.sqrt(3), "peak of the current").flagged(
        Status.ASSUMED, words
    )


def shot_noise(current: float) -> float:
    """Return the spectral density √(2 e I) of the shot noise of a current, A/√Hz."""
    return math.sqrt(2 * e * abs(current))


def _detectivity_rows(
    measurement: Measurement, noise: DarkNoise, responsivity_: tuple[float, float], area: float
) -> list[Number]:
    ratio, ratio_error = abs(responsivity_[0]), responsivity_[1]
    density, density_error = noise.density, noise.error
    shot = shot_noise(noise.dark_current)
    relative = math.hypot(ratio_error / ratio, density_error / density)
    detectivity = math.sqrt(area) * ratio / density
    limit = math.sqrt(area) * ratio / shot
    shot_values: dict[Quantity, tuple[float, float, str]] = {
        q.SHOT_NOISE_DENSITY: (shot, math.nan, "sqrt(2 e I_dark)"),
        q.SHOT_NOISE_DETECTIVITY: (limit, limit * ratio_error / ratio, "D* = R sqrt(A/(2 e I_dark))"),
    }
    values: dict[Quantity, tuple[float, float, str]] = {
        q.NOISE_DENSITY: (density, density_error, "mean of Welch's spectrum; error by the scatter of segments"),
        q.NOISE_EQUIVALENT_POWER: (density / ratio, density / ratio * relative, "i_n/R"),
        q.DETECTIVITY: (detectivity, detectivity * relative, "D* = sqrt(A df)/NEP, measured noise"),
        q.NOISE_OVER_SHOT_NOISE: (density / shot, density_error / shot, "i_n/sqrt(2 e I_dark)"),
    }
    rows: list[Number] = []
    for quantity, (value, deviation, formula) in shot_values.items():
        rows += measured(measurement, q.MERITS, {quantity: (value, deviation)}, f"{formula}; {SOURCE}", n=noise.n)
    band = "dark traces, {:.3g} to {:.3g} Hz".format(*noise.band)
    where: dict[str, Any] = {"at": applied(noise.signal), "at_unit": "Hz", "n": noise.n, "adequacy": noise.adequacy}
    for quantity, (value, deviation, formula) in values.items():
        found = {quantity: (value, deviation)}
        rows += measured(measurement, q.MERITS, found, f"{formula}; {band}; {SOURCE}", **where)
    return rows
