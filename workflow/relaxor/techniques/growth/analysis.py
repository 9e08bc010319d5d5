"""The growth run: ramp, soak and cooling of the furnace, fitted as one curve of segments."""

import math
from collections.abc import Sequence

import lmfit
import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, measured
from relaxor.core.units import factor
from relaxor.core.variables import dataset, variable
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.growth import quantities as q
from relaxor.techniques.growth.settings import GrowthSettings

MIN_SAMPLES = 10
"""Smallest number of readings in each of ramp, soak and cooling."""


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


def analyse(measurements: Sequence[Measurement], settings: GrowthSettings) -> Result:
    """Fit the temperature log of every growth run.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `GrowthSettings`.
    """
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: GrowthSettings) -> Result:
    time, temperature = _log(measurement)
    fitted = fit_segments(measurement, time, temperature, settings.soak_level)
    rows = fitted.numbers(measurement, q.SEGMENTS, q.FITTED, "least squares of one curve of joined segments")
    rows += _soak_rows(measurement, time, temperature, fitted, settings.soak_margin)
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
    half = int(np.argmax(temperature > (ambient + top) / 2))
    rate = (temperature[begin] - temperature[half]) / (time[begin] - time[half])
    ramp = (top - ambient) / rate
    start = time[begin] - (temperature[begin] - ambient) / rate
    cooled = end + int(np.argmax(temperature[end:] < ambient + (top - ambient) / math.e))
    values = parameters(
        ambient_temperature=ambient,
        ramp_start=start,
        ramp_time=(ramp, 1e-3, np.inf),
        soak_temperature=top,
        soak_time=(time[end] - start - ramp, 0, np.inf),
        cooling_time_constant=(max(time[cooled] - time[end], 1e-3), 1e-4, np.inf),
        cooling_ambient=ambient,
    )
    values.add("ramp_rate", expr="(soak_temperature - ambient_temperature) / ramp_time")
    return fit(lambda p: profile(time, p) - temperature, values, absolute_sigma=False)


def _soak_rows(
    measurement: Measurement, time: np.ndarray, temperature: np.ndarray, fitted: Fit, margin: float
) -> list[Number]:
    begin = fitted.value("ramp_start") + fitted.value("ramp_time") + margin
    end = begin + fitted.value("soak_time") - 2 * margin
    soak = (time > begin) & (time < end)
    n = int(soak.sum())
    if n < MIN_SAMPLES:
        raise AnalysisError(f"{measurement.id}: {n} readings of the soak are left; {MIN_SAMPLES} are needed")
    hours = time[soak] - time[soak].mean()
    slope = float(hours @ temperature[soak] / (hours @ hours))
    residual = temperature[soak] - temperature[soak].mean() - slope * hours
    spread = float(np.sqrt(residual @ residual / (n - 2)))
    values = {
        q.SOAK_STABILITY: (spread, spread / np.sqrt(2 * (n - 2))),
        q.SOAK_DRIFT: (slope, spread / float(np.sqrt(hours @ hours))),
    }
    method = "scatter about, and slope of, a straight line through the soak"
    return measured(measurement, q.SEGMENTS, values, method, n=n)


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
