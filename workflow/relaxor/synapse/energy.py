"""Energy per spike, by every definition in use.

Papers print one number and seldom say what it is: the power at the peak or its mean, the whole current or the part
above the baseline, the pulse that writes or the pulse that reads, the electrical loss or the light on the device. These
differ by orders of magnitude for the same trace. All of them are calculated here, each with its formula and source
(`relaxor.synapse.quantities.DEFINITIONS`). With each stands the energy per current, or per area under light: a printed
energy divided by it is the current or area that the definition would need.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from relaxor.core.errors import AnalysisError
from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, measured, student_quantile
from relaxor.synapse.quantities import DEFINITIONS, ENERGY_PER_AREA, ENERGY_PER_SPIKE
from relaxor.synapse.recording import Recording

PICOJOULE = 1e-12
SQUARE_MICROMETRE = 1e-12
MILLIWATT_PER_SQUARE_CENTIMETRE = 10.0
"""One mW/cm² in W/m²."""
ALIKE = 0.05
"""Largest relative difference of amplitude and width between pulses of the same kind."""
Spike = tuple[float | None, float | None]
"""Amplitude (in the unit of the stimulus) and width (s) of the pulses; None means the most frequent value."""


def energy_rows(
    recording: Recording,
    spike: Spike,
    *,
    read_time: float,
    current_uncertainty: float,
    area: tuple[float, float] = (math.nan, math.nan),
    power_uncertainty: float = math.nan,
) -> list[Number]:
    """Return the energy per spike by every definition that the stimulus has: one model per definition.

    Parameters
    ----------
    recording
        The first pulses of its runs are the spikes. Standard errors of currents are taken from the columns
        ``<current>_error`` where there is one.
    spike
        Which pulses count; others are left out.
    read_time
        Duration of a read, in s.
    current_uncertainty, power_uncertainty
        Relative standard uncertainties of the calibrations of current and light power, common to all spikes.
    area
        Area under light and its standard uncertainty, in µm².

    Returns
    -------
    list of Number
        For each definition the mean over the spikes, whose standard error is the larger of the errors from their
        scatter and from the currents and the variation from run to run; and the energy over the current or the area.

    Raises
    ------
    AnalysisError
        If no kept pulse has the amplitude and width asked for.
    """
    kept, light = recording.kept, recording.under_light
    measurement, read_voltage = recording.measurement, recording.read_voltage
    spikes = alike(measurement, kept[kept["number"] == 0], spike, recording.traces[0].stimulus_unit)
    voltage = np.full(len(spikes), read_voltage) if light else spikes["amplitude"].to_numpy(float)
    duration = spikes["width"].to_numpy(float)
    energies = {
        name: (values, np.hypot(errors, recording.variation * values))
        for name, (values, errors) in _electrical(recording, spikes, voltage, duration, read_time).items()
    }
    lever = {name: np.abs(np.mean(voltage * duration)) for name in energies}
    lever["read"] = abs(read_voltage * read_time)
    if light:
        del energies["write_conductance"]
        power = spikes["amplitude"].to_numpy(float) * MILLIWATT_PER_SQUARE_CENTIMETRE
        energies["optical_absorbed"] = power * (area[0] * SQUARE_MICROMETRE) * duration, np.zeros(len(spikes))
        lever["optical_absorbed"] = np.mean(power * duration)
    else:
        # The lever is that of the mean of both read currents, as G is.
        lever["write_conductance"] = np.mean(voltage**2 * duration) / abs(read_voltage)
    of_light = math.hypot(power_uncertainty, area[1] / area[0])
    rows: list[Number] = []
    for name, (values, errors) in energies.items():
        definition = DEFINITIONS[name]
        energy = _mean(measurement, name, values / PICOJOULE, errors / PICOJOULE)
        light = definition.lever is ENERGY_PER_AREA
        name_of, size = ("area and power meter", of_light) if light else ("scale of the current", current_uncertainty)
        rows.append(energy.with_component(name_of, energy.value * size, "settings and sheet"))
        # J/A and J/m² are the same numbers as pJ/pA and pJ/µm².
        per = {definition.lever: (lever[name], math.nan)}
        method = f"{definition.lever.meaning}: {definition.formula}"
        rows += measured(measurement, name, per, method, n=len(spikes))
    return rows


def alike(measurement: Measurement, events: pd.DataFrame, spike: Spike, stimulus_unit: str) -> pd.DataFrame:
    """Return the pulses of one amplitude and width; what ``spike`` leaves open is that of most pulses.

    Raises
    ------
    AnalysisError
        If there is none.
    """
    chosen = _near(events, *spike)
    if len(chosen) and None in spike:
        kinds = chosen[["amplitude", "width"]].drop_duplicates().itertuples(index=False)
        return max((_near(chosen, amplitude, width) for amplitude, width in kinds), key=len)
    if len(chosen):
        return chosen
    levels, widths = (f"{events[name].min():g} to {events[name].max():g}" for name in ("amplitude", "width"))
    asked = [f"{value:g} {unit}" for value, unit in zip(spike, (stimulus_unit, "s"), strict=True) if value is not None]
    raise AnalysisError(
        f"{measurement.id}: energy per spike needs a pulse of {' and '.join(asked)}, found pulses of {levels} "
        f"{stimulus_unit} and {widths} s"
    )


def _near(events: pd.DataFrame, amplitude: float | None, width: float | None) -> pd.DataFrame:
    """Return the pulses that have this amplitude and width; None means any."""
    for name, value in (("amplitude", amplitude), ("width", width)):
        if value is not None:
            events = events[np.isclose(events[name], value, rtol=ALIKE)]
    return events


def _electrical(
    recording: Recording, spikes: pd.DataFrame, voltage: np.ndarray, width: np.ndarray, read_time: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return energies and their standard errors (J, shape (n,)) by every electrical definition.

    Voltages are in V, currents in A and times in s; the formulas are those of `relaxor.synapse.quantities.DEFINITIONS`.
    """
    from uncertainties import unumpy

    def current(column: str) -> Any:
        error = spikes.get(f"{column}_error", pd.Series(0.0, spikes.index))
        return unumpy.uarray(spikes[column].to_numpy(float), error.fillna(0.0).to_numpy(float))

    columns = "peak_current", "mean_current", "baseline", recording.response
    peak, mean, baseline, after = (current(name) for name in columns)
    read_voltage = recording.read_voltage
    energies = {
        "peak_power": voltage * peak * width,
        "mean_power": voltage * mean * width,
        "integral": current("energy"),
        "excess": voltage * (mean - baseline) * width,
        "read": read_voltage * after * read_time,
        "write_conductance": voltage**2 * (baseline + after) / (2 * read_voltage) * width,
    }
    return {name: (unumpy.nominal_values(value), unumpy.std_devs(value)) for name, value in energies.items()}


def _mean(measurement: Measurement, name: str, values: np.ndarray, errors: np.ndarray) -> Number:
    """Return the mean over the spikes (pJ), with Student's interval where the scatter gives its error."""
    n = values.size
    scatter = float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    propagated = float(np.sqrt(np.sum(errors**2))) / n
    quantile = student_quantile(n - 1) if scatter > propagated else NORMAL_QUANTILE
    error = max(scatter, propagated) or math.nan
    mean = float(np.mean(values))
    ends = {"ci_low": mean - quantile * error, "ci_high": mean + quantile * error}
    energy = {ENERGY_PER_SPIKE: (mean, error)}
    (row,) = measured(measurement, name, energy, DEFINITIONS[name].method, n=n, **ends)
    return row
