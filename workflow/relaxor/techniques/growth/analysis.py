"""The growth run: ramp, soak and cooling of the furnace, fitted as one curve of segments."""

import math
from collections.abc import Iterator, Sequence

import lmfit
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement, Number, Quantity, Result, Status, measured
from relaxor.core.units import factor
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import judge_order
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.stats.noise import mad_noise
from relaxor.techniques.growth import quantities as q
from relaxor.techniques.growth.settings import GrowthSettings

MIN_SAMPLES = 10
"""Smallest number of readings in each of ramp, soak and cooling."""
WITHIN = 4.0
"""Number of standard deviations below the soak within which a reading belongs to it."""
SETTLING = (0.1, 0.25, 0.5)
"""Parts of the soak that may be left out at its beginning while the controller settles."""


def profile(time: np.ndarray, values: lmfit.Parameters) -> np.ndarray:
    """Return ambient, straight ramp, flat soak, and Newton cooling, joined without steps.

    Parameters
    ----------
    time
        Shape (n,), h.
    values
        ``ambient_temperature``, ``soak_temperature``, ``cooling_ambient`` (°C), ``ramp_start``, ``ramp_time``,
        ``soak_time``, ``cooling_time_constant`` (h).
    """
    p = values.valuesdict()
    ambient, soak, final = p["ambient_temperature"], p["soak_temperature"], p["cooling_ambient"]
    cooling = np.maximum(time - p["ramp_start"] - p["ramp_time"] - p["soak_time"], 0)
    rising = ambient + (soak - ambient) * np.clip((time - p["ramp_start"]) / p["ramp_time"], 0, 1)
    return rising + (final - soak) * -np.expm1(-cooling / p["cooling_time_constant"])


def analyse(measurements: Sequence[Measurement], settings: GrowthSettings) -> Iterator[Result]:
    """Fit the temperature log of every growth run.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `GrowthSettings`.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: GrowthSettings) -> Result:
    time, temperature = _log(measurement)
    fitted = fit_segments(measurement, time, temperature, settings.soak_level)
    rows = fitted.numbers(measurement, q.SEGMENTS, q.FITTED, "least squares of one curve of joined segments")
    rows += _soak_rows(measurement, time, temperature, settings)
    return Result.of(measurement, rows, {"run": _curves(time, temperature, fitted)})


def _log(measurement: Measurement) -> tuple[np.ndarray, np.ndarray]:
    log = measurement.only
    if "time" not in log.coords or "temperature" not in log:
        raise AnalysisError(f"{measurement.id}: needs temperature against time")
    if log["temperature"].attrs["units"] not in ("degC", "°C"):
        raise AnalysisError(f"{measurement.id}: temperature in {log['temperature'].attrs['units']}; degC expected")
    time = log["time"].to_numpy() * factor(log["time"].attrs["units"], "hour")
    temperature = log["temperature"].to_numpy()
    known = np.isfinite(temperature)
    return time[known], temperature[known]


def fit_segments(measurement: Measurement, time: np.ndarray, temperature: np.ndarray, soak_level: float) -> Fit:
    """Fit the whole run at once; the scale of the noise is unknown and comes from the fit.

    Raises
    ------
    AnalysisError
        If the log holds no ramp, no soak or no cooling.
    """
    ambient, top = float(np.median(temperature[:MIN_SAMPLES])), float(np.percentile(temperature, 95))
    hot = np.flatnonzero(temperature > ambient + soak_level * (top - ambient))
    begin, end = int(hot[0]), int(hot[-1])
    cold = ambient < (top + temperature.min()) / 2
    for name, samples in (("ramp", begin if cold else 0), ("soak", len(hot)), ("cooling", len(time) - end)):
        if samples < MIN_SAMPLES:
            raise AnalysisError(f"{measurement.id}: {samples} readings of the {name}; {MIN_SAMPLES} are needed")
    rise = int(np.argmax(temperature > ambient + (1 - soak_level) * (top - ambient)))
    rate = (temperature[begin] - temperature[rise]) / (time[begin] - time[rise])
    ramp = (top - ambient) / rate
    start = time[begin] - (temperature[begin] - ambient) / rate
    cooled = end + int(np.argmax(temperature[end:] < ambient + (top - ambient) / math.e))
    values = parameters(
        ambient_temperature=ambient,
        ramp_start=(max(start, time[0]), time[0], time[end]),
        ramp_time=(ramp, 1e-3, np.inf),
        soak_temperature=top,
        soak_time=(time[end] - start - ramp, 0, np.inf),
        cooling_time_constant=(max(time[cooled] - time[end], 1e-3), 1e-4, np.inf),
        cooling_ambient=ambient,
    )
    values.add("ramp_rate", expr="(soak_temperature - ambient_temperature) / ramp_time")
    return fit(lambda p: profile(time, p) - temperature, values, absolute_sigma=False)


def soak_of(time: np.ndarray, temperature: np.ndarray, soak_level: float) -> tuple[float, float]:
    """Return the hours at which a log arrives at its soak and leaves it, whatever ramp and cooling look like.

    It is at the soak from the first to the last reading that lies less than `WITHIN` times the scatter of the soak
    below its median.
    """
    ambient, top = float(np.median(temperature[:MIN_SAMPLES])), float(np.percentile(temperature, 95))
    hot = temperature[temperature > ambient + soak_level * (top - ambient)]
    level = float(np.median(hot))
    there = np.flatnonzero(temperature > level - WITHIN * mad_noise(hot - level))
    return float(time[there[0]]), float(time[there[-1]])


def _soak_rows(
    measurement: Measurement, time: np.ndarray, temperature: np.ndarray, settings: GrowthSettings
) -> list[Number]:
    """Return the numbers of the soak, from its readings alone.

    If the readings about a straight line are not independent, the controller may still settle: more is then left out
    at the beginning, up to half of the soak, and if that does not help, errors are widened.
    """
    begin, end = soak_of(time, temperature, settings.soak_level)
    margin = settings.soak_margin
    lines = []
    for left_out in sorted({margin, *(part * (end - begin) for part in SETTLING if part * (end - begin) > margin)}):
        soak = (time > begin + left_out) & (time < end - margin)
        if (n := int(soak.sum())) >= MIN_SAMPLES:
            lines.append((left_out, n, *_line(time[soak], temperature[soak])))
        elif not lines:
            raise AnalysisError(f"{measurement.id}: {n} readings of the soak are left; {MIN_SAMPLES} are needed")
    settled = [line for line in lines if line[-1].status == Status.OK]
    left_out, n, values, adequacy = (settled or lines)[0]
    method = f"straight line through the soak from {left_out:.1f} h after its beginning"
    rows = measured(measurement, q.SEGMENTS, values, method, n=n, adequacy=adequacy)
    return [row.with_interval(n - 2) for row in rows]


def _line(time: np.ndarray, temperature: np.ndarray) -> tuple[dict[Quantity, tuple[float, float]], Adequacy]:
    """Return mean, scatter and slope of a straight line through readings, and whether these are independent of it."""
    n, hours, mean = len(time), time - time.mean(), float(temperature.mean())
    slope = float(hours @ (temperature - mean) / (hours @ hours))
    residual = temperature - mean - slope * hours
    adequacy = judge_order(residual)
    spread = float(np.sqrt(residual @ residual / (n - 2)))
    error = adequacy.scale * spread
    values = {
        q.SOAK_TEMPERATURE: (mean, error / np.sqrt(n)),
        q.SOAK_STABILITY: (spread, error / np.sqrt(2 * (n - 2))),
        q.SOAK_DRIFT: (slope, error / float(np.sqrt(hours @ hours))),
    }
    return values, adequacy


def _curves(time: np.ndarray, temperature: np.ndarray, fitted: Fit) -> xr.Dataset:
    model = profile(time, fitted.params)
    scatter = float(np.std(fitted.residual))
    columns = {
        "data": (temperature, "degC", "Temperature"),
        "fit": (model, "degC", "Fitted temperature"),
        "residual": (temperature - model, "delta_degC", "Temperature − fit"),
    }
    return dataset("time", columns, {"time": (time, "hour", "Time")}).assign(
        data_uncertainty=variable((), scatter, "delta_degC", "scatter about the fit")
    )
