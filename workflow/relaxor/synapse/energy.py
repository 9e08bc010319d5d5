"""Energy per spike, by every definition in use.

Papers print one number and seldom say of what: the power at the peak or its mean, the whole current or what lies above
the baseline, the pulse that writes or the one that reads, the electrical loss or the light on the device. These differ
by orders of magnitude on the same trace. All of them are worked out here, each with its formula and source, and each is
held against the reported value: whether it gives the printed digits, and what current (or area under light) it would
take to give them.
"""

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import CONFIDENCE, NORMAL_QUANTILE, Measurement, Number

PICOJOULE = 1e-12
SQUARE_MICROMETRE = 1e-12
MILLIWATT_A_SQUARE_CENTIMETRE = 10.0
"""W/m²."""
ALIKE = 0.05
"""Pulses whose amplitude and width are within this part of the ones asked for are of one kind."""


@dataclass(frozen=True)
class Definition:
    """One way to count the energy of a spike.

    Attributes
    ----------
    formula
        As text; V, I, t: voltage across the device, current, width of the pulse.
    source
        DOI, code, or ``textbook``.
    factor
        What is set free when a reported energy is divided by everything else: ``current`` or ``area``.
    stimuli
        Units of the stimuli that it can be applied to.
    """

    formula: str
    source: str
    factor: Literal["current", "area"] = "current"
    stimuli: tuple[str, ...] = ("V", "mW/cm^2")


DEFINITIONS = {
    "peak_power": Definition("V·I_peak·t", "textbook"),
    "mean_power": Definition("V·I_mean·t", "textbook"),
    "integral": Definition("∫V·I dt over the pulse", "textbook (Joule heat)"),
    "excess": Definition("V·(I_mean − I_baseline)·t", "textbook (Joule heat of the response alone)"),
    "read": Definition("V_read·I_read·t_read", "textbook"),
    "write_conductance": Definition(
        "V²·(G_before + G_after)/2·t, G = I/V_read", "NeuroSim (Cell.cpp), IEDM 2017", stimuli=("V",)
    ),
    "optical_absorbed": Definition(
        "P·A·t, all light on the area absorbed", "doi 10.1038/s41377-022-01031-z", "area", ("mW/cm^2",)
    ),
}


# --- the definitions, in SI units; floats, arrays and numbers with uncertainties (`uncertainties`) alike
def peak_power(voltage: Any, peak_current: Any, width: Any) -> Any:
    """Return V·I_peak·t in J: the power at the peak as if it lasted for the whole pulse."""
    return voltage * peak_current * width


def mean_power(voltage: Any, mean_current: Any, width: Any) -> Any:
    """Return V·I_mean·t in J; that is the integral where the voltage is constant."""
    return voltage * mean_current * width


def integral(time: np.ndarray, voltage: np.ndarray, current: np.ndarray) -> Any:
    """Return ∫V·I dt in J by the trapezoidal rule; arrays of shape (n,) in s, V and A."""
    power = voltage * current
    return np.sum((power[1:] + power[:-1]) / 2 * np.diff(time))


def excess(voltage: Any, mean_current: Any, baseline: Any, width: Any) -> Any:
    """Return V·ΔI·t in J, with ΔI the mean current above the one before the pulse."""
    return voltage * (mean_current - baseline) * width


def read(read_voltage: Any, read_current: Any, read_time: Any) -> Any:
    """Return V_read·I_read·t_read in J: what it costs to see the state, not to write it."""
    return read_voltage * read_current * read_time


def write_conductance(voltage: Any, before: Any, after: Any, read_voltage: Any, width: Any) -> Any:
    """Return V²·(G_before + G_after)/2·t in J, conductances taken from the read currents before and after."""
    return voltage**2 * (before + after) / (2 * read_voltage) * width


def optical_absorbed(power_density: Any, area: Any, width: Any) -> Any:
    """Return P·A·t in J from W/m², m² and s: an upper limit, for not all light is absorbed."""
    return power_density * area * width


# --- rows
def energy_rows(
    measurement: Measurement,
    events: pd.DataFrame,
    *,
    stimulus_unit: str,
    amplitude: float,
    width: float,
    read_voltage: float,
    read_time: float,
    variation: float,
    area: tuple[float, float],
    reported: str,
    current_uncertainty: float,
    power_uncertainty: float,
) -> list[Number]:
    """Make the rows of the energy per spike: one model a definition.

    Parameters
    ----------
    measurement
        Where the spikes come from.
    events
        One row a pulse, as `relaxor.synapse.events.find_events` gives it. Standard errors of currents are taken from
        ``<column>_error`` where there is one.
    stimulus_unit
        ``V`` or ``mW/cm^2``: what ``amplitude`` is given in.
    amplitude, width
        Of the pulses that count, in ``stimulus_unit`` and s; others are left out.
    read_voltage
        Voltage across the device between voltage pulses, or all the time under light, in V.
    read_time
        How long a read lasts, in s.
    variation
        Relative standard deviation of the current from run to run, each spike taken from another one.
    area
        Area under light and its standard uncertainty, in µm².
    reported
        What the paper prints, in pJ; its digits tell its rounding.
    current_uncertainty, power_uncertainty
        Relative standard uncertainties of the calibrations of current and light power, common to all spikes.

    Returns
    -------
    list of Number
        For each definition ``energy_per_spike`` (pJ): mean over the spikes, with the larger of the errors from their
        scatter and from the currents and their variation; ``ratio_to_reported``; ``reproduces_reported``, 1 where the
        95 % interval meets the range that rounds to the printed digits, else 0; and ``current_for_reported`` (pA) or
        ``area_for_reported`` (µm²), with which it would give the printed value.

    Raises
    ------
    AnalysisError
        If no kept pulse has the amplitude and width asked for.
    """
    spikes = alike(measurement, events, amplitude, width, stimulus_unit)
    light = stimulus_unit != "V"
    voltage = np.full(len(spikes), read_voltage) if light else spikes["amplitude"].to_numpy(float)
    duration = spikes["width"].to_numpy(float)
    energies = {
        name: (values, np.hypot(errors, variation * values))
        for name, (values, errors) in _electrical(
            spikes, voltage, duration, read_voltage, read_time, "end" if light else "after"
        ).items()
    }
    relative = dict.fromkeys(energies, current_uncertainty)
    lever = {name: np.abs(np.mean(voltage * duration)) for name in energies}
    lever["read"] = abs(read_voltage * read_time)
    if light:
        del energies["write_conductance"]
        power = spikes["amplitude"].to_numpy(float) * MILLIWATT_A_SQUARE_CENTIMETRE
        absorbed = optical_absorbed(power, area[0] * SQUARE_MICROMETRE, duration)
        energies["optical_absorbed"] = absorbed, np.zeros(len(spikes))
        relative["optical_absorbed"] = math.hypot(power_uncertainty, area[1] / area[0])
        lever["optical_absorbed"] = np.mean(power * duration)
    else:
        # The lever is written for the mean of both read currents, as G is.
        lever["write_conductance"] = np.mean(voltage**2 * duration) / abs(read_voltage)
    rows: list[Number] = []
    for name, (values, errors) in energies.items():
        energy = _mean(measurement, name, values / PICOJOULE, errors / PICOJOULE)
        energy = replace(energy, systematic_error=abs(energy.value) * relative[name])
        rows += [energy, *_comparison(energy, DEFINITIONS[name], reported, lever[name])]
    return rows


def alike(
    measurement: Measurement, events: pd.DataFrame, amplitude: float, width: float, stimulus_unit: str
) -> pd.DataFrame:
    """Return the kept pulses of one amplitude and width.

    Raises
    ------
    AnalysisError
        If there is none.
    """
    kept = events[events["kept"].astype(bool)]
    near = np.isclose(kept["amplitude"], amplitude, rtol=ALIKE) & np.isclose(kept["width"], width, rtol=ALIKE)
    if near.any():
        return kept[near]
    found = "no pulse that was kept"
    if len(kept):
        levels, widths = (f"{kept[name].min():g} to {kept[name].max():g}" for name in ("amplitude", "width"))
        found = f"pulses of {levels} {stimulus_unit} and {widths} s"
    wanted = f"{amplitude:g} {stimulus_unit} and {width:g} s"
    raise AnalysisError(f"{measurement.id}: energy per spike needs a pulse of {wanted}, found {found}")


def _electrical(
    spikes: pd.DataFrame,
    voltage: np.ndarray,
    width: np.ndarray,
    read_voltage: float,
    read_time: float,
    answer: str,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return energies and their standard errors (J, shape (n,)) by every electrical definition."""
    from uncertainties import unumpy

    def current(column: str) -> Any:
        error = spikes.get(f"{column}_error", pd.Series(0.0, spikes.index))
        return unumpy.uarray(spikes[column].to_numpy(float), error.fillna(0.0).to_numpy(float))

    peak, mean, baseline, after = (current(name) for name in ("peak_current", "mean_current", "baseline", answer))
    energies = {
        "peak_power": peak_power(voltage, peak, width),
        "mean_power": mean_power(voltage, mean, width),
        "integral": current("energy"),
        "excess": excess(voltage, mean, baseline, width),
        "read": read(read_voltage, after, read_time),
        "write_conductance": write_conductance(voltage, baseline, after, read_voltage, width),
    }
    return {name: (unumpy.nominal_values(value), unumpy.std_devs(value)) for name, value in energies.items()}


def _mean(measurement: Measurement, name: str, values: np.ndarray, errors: np.ndarray) -> Number:
    """Make the row of a mean over spikes (pJ); Student's interval where the scatter gives its error."""
    n = values.size
    scatter = float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    propagated = float(np.sqrt(np.sum(errors**2))) / n
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) if scatter > propagated else NORMAL_QUANTILE
    error = max(scatter, propagated) or math.nan
    definition = DEFINITIONS[name]
    mean = float(np.mean(values))
    return Number(
        measurement.id,
        name,
        "energy_per_spike",
        mean,
        error,
        ci_low=mean - quantile * error,
        ci_high=mean + quantile * error,
        unit="pJ",
        method=f"{definition.formula}; {definition.source}",
        n=n,
        raw_sha256=measurement.attrs["raw_sha256"],
        origin=measurement.attrs["origin"],
    )


def _comparison(energy: Number, definition: Definition, reported: str, lever: float) -> list[Number]:
    """Hold an energy against the printed one; ``lever`` is J a unit of current (A) or area (m²)."""
    printed, half = float(reported), half_digit(reported)
    statistical = (energy.ci_high - energy.ci_low) / 2 if math.isfinite(energy.standard_error) else 0.0
    reach = math.hypot(statistical, NORMAL_QUANTILE * energy.systematic_error)
    reproduces = abs(energy.value - printed) <= half + reach
    verdict = "can be" if reproduces else "cannot be"
    needed = printed * PICOJOULE / lever
    by_area = definition.factor == "area"
    contents = {
        "ratio_to_reported": (energy.value / printed, energy.standard_error / printed, "1", f"over {reported} pJ"),
        "reproduces_reported": (
            float(reproduces),
            math.nan,
            "1",
            f"{reported} pJ {verdict} {definition.formula}: {energy.value:.4g} pJ, ±{reach:.2g} (95 %) ±{half:g}",
        ),
        "area_for_reported" if by_area else "current_for_reported": (
            needed / (SQUARE_MICROMETRE if by_area else 1e-12),
            math.nan,
            "um^2" if by_area else "pA",
            f"{definition.factor} with which {definition.formula} is {reported} pJ",
        ),
    }
    systematic = {"ratio_to_reported": energy.systematic_error / printed}
    return [
        Number(
            energy.measurement,
            energy.model,
            parameter,
            value,
            error,
            systematic.get(parameter, 0.0),
            unit=unit,
            method=method,
            n=energy.n,
            raw_sha256=energy.raw_sha256,
            origin=energy.origin,
        )
        for parameter, (value, error, unit, method) in contents.items()
    ]


def half_digit(printed: str) -> float:
    """Return half a unit of the last digit of a number as printed: 0.05 for ``11.7``."""
    return 0.5 * 10.0 ** int(Decimal(printed).as_tuple().exponent)
