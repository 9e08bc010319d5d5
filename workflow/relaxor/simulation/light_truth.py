"""What the analysis of the pulses of light should find: computed from the device without noise.

As in `relaxor.simulation.pulse_truth`, numbers that no law of the device gives are those to which the estimator tends.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.constants import c, e, h

from relaxor.simulation.light_runs import CODE_BEFORE, Exposure, Series, Specimen
from relaxor.simulation.sample_file import Truth
from relaxor.simulation.synapse import LIGHT_NOISE

READ_WINDOW, CODE_WINDOW, READ_TIME = 0.040, 0.050, 0.1
"""Settings of the analysis that the numbers depend on, s."""
LATE = 0.9
"""The retained fraction is the mean over the tail from this part of it on."""


# --- pairs
def of_pairs(specimen: Specimen) -> Iterator[Truth]:
    """Yield the two exponentials of the optical index in closed form, in percent; the floor is 100 %.

    A population that holds y when the second pulse begins adds y e^(−λt) to the response of a first pulse; currents are
    those of the samples in the analysis' read window at the end of a pulse.
    """
    light, width = specimen.light, specimen.pair_width
    samples = np.array([0.06, 0.08])
    ends, left, held = [], [], []
    for population in light.populations:
        speed = population.rate + 1 / population.time
        ends.append(population.current * population.rate / speed * -np.expm1(-speed * samples).mean())
        held.append(population.current * population.rate / speed * -np.expm1(-speed * width))
        left.append(np.exp(-speed * samples).mean())
    first = light.prompt + sum(ends)
    amplitudes = [100 * filled * part / first for filled, part in zip(held, left, strict=True)]
    times = [population.time for population in light.populations]
    model = "double_exponential_fixed_floor"
    for number, (amplitude, time) in enumerate(zip(amplitudes, times, strict=True), 1):
        yield Truth(model, "amplitude", amplitude, "percent", str(number))
        yield Truth(model, "relaxation_time", time, "s", str(number))
    intervals = specimen.pairs.intervals
    for place, interval in (("shortest", intervals[0]), ("longest", intervals[-1])):
        gain = sum(a * np.exp(-interval / time) for a, time in zip(amplitudes, times, strict=True))
        yield Truth("pairs", "paired_pulse_index", 100 + gain, "percent", place, interval)
        yield Truth("pairs", "paired_pulse_gain", gain, "percent", place, interval)
    yield from _energies(specimen, specimen.pair(intervals[0]))


def _energies(specimen: Specimen, exposure: Exposure) -> Iterator[Truth]:
    """Yield the electrical energy in the first pulse of a run by every definition, pJ."""
    voltage, width, dark = specimen.device.read_voltage, specimen.pair_width, specimen.light.dark
    lit = np.flatnonzero((exposure.power > 0) & (exposure.time < exposure.edges[0][0] + width))
    current = exposure.response(1.0)[lit] + dark
    energies = {
        "peak_power": voltage * current.max() * width,
        "mean_power": voltage * current.mean() * width,
        "integral": voltage * current.mean() * width,
        "excess": voltage * (current.mean() - dark) * width,
        "read": voltage * current[-round(READ_WINDOW / exposure.step) :].mean() * READ_TIME,
    }
    for model, energy in energies.items():
        yield Truth(model, "energy_per_spike", energy, "pJ")


# --- series
def of_series(specimen: Specimen, series: Series, wavelength: int) -> Iterator[Truth]:
    """Yield responses, their mean slope on logarithmic axes, what is retained, and the relaxation behind each train."""
    runs, colors = specimen.runs(series), specimen.light.colors
    color, reference = colors[wavelength], max(colors)
    responses = {value: _end(exposure, color) for value, exposure in runs.items()}
    for value, response in responses.items():
        yield Truth(series.varied, "response", 1e-12 * response, "A", at=value)
    exponent = float(np.polyfit(np.log(list(responses)), np.log(list(responses.values())), 1)[0])
    yield Truth(series.varied, "exponent", exponent, "1")
    for value, exposure in runs.items():
        for row in _relaxation(exposure, color, series.varied):
            yield row._replace(at=value)
    if series.varied != "amplitude":
        return
    yield from _merits(specimen, responses, wavelength, 1 / (2 * series.width))
    if wavelength != reference:
        ratios = [response / _end(runs[value], colors[reference]) for value, response in responses.items()]
        yield Truth("spectral", "response_ratio", float(np.exp(np.log(ratios).mean())), "1", at=reference)


def _end(exposure: Exposure, color: float) -> float:
    """Return the current in the read window at the end of the last pulse, above the dark one, pA."""
    width = min(READ_WINDOW, exposure.edges[-1][1])
    lit = np.flatnonzero(exposure.power > 0)[-round(width / exposure.step) :]
    return float(exposure.response(color)[lit].mean())


def _relaxation(exposure: Exposure, color: float, varied: str) -> Iterator[Truth]:
    """Yield what is retained, and the two populations as they stand when the last pulse ends; the floor is the dark."""
    first = np.flatnonzero(exposure.power > 0)[-1] + 1
    time, current = exposure.time[first:] - exposure.time[first], exposure.response(color)[first:]
    after = current[: round(READ_WINDOW / exposure.step)].mean()
    yield Truth(varied, "retained_fraction", float(current[time > LATE * time[-1]].mean() / after), "1")
    model = "double_exponential"
    yield Truth(model, "floor", 0.0, "A")
    for number, (amplitude, tau) in enumerate(_left(exposure, color), 1):
        yield Truth(model, "amplitude", 1e-12 * amplitude, "A", str(number))
        yield Truth(model, "relaxation_time", tau, "s", str(number))


def _left(exposure: Exposure, color: float) -> Iterator[tuple[float, float]]:
    """Yield the current (pA) of each population at the end of the last pulse, and its time (s)."""
    light = exposure.light
    for population in light.populations:
        filling, end = 0.0, 0.0
        for onset, width, power in exposure.edges:
            filling *= np.exp(-(onset - end) / population.time)
            filled = population.rate * color * (power / light.power) ** light.exponent
            speed = filled + 1 / population.time
            filling = filled / speed + (filling - filled / speed) * np.exp(-speed * width)
            end = onset + width
        yield float(population.current * filling), population.time


def _merits(specimen: Specimen, responses: Mapping[float, float], wavelength: int, frequency: float) -> Iterator[Truth]:
    """Yield the figures of merit of a power series; detectivities are those at a frequency, Hz."""
    model, area = "figures_of_merit", specimen.area
    power, current = np.array(list(responses)), np.array(list(responses.values()))
    responsivity = 1e-12 * current / (1e-3 * power * area)
    for each, value in zip(power.tolist(), responsivity.tolist(), strict=True):
        yield Truth(model, "responsivity", value, "A/W", at=each)
        yield Truth(model, "quantum_efficiency", value * h * c / (e * 1e-9 * wavelength), "1", at=each)
    density, shot = 1e-12 * LIGHT_NOISE * np.sqrt(2 * specimen.code(0).step), np.sqrt(2e-12 * e * specimen.light.dark)
    yield Truth(model, "noise_density_at_signal", density, "A/Hz^0.5", at=frequency)
    yield Truth(model, "noise_over_shot_noise_at_signal", density / shot, "1", at=frequency)
    yield Truth(model, "noise_equivalent_power_at_signal", density / responsivity[0], "W/Hz^0.5", at=frequency)
    detectivity = float(np.sqrt(area) * responsivity[0] / density)
    yield Truth(model, "detectivity_at_signal", detectivity, "cm*Hz^0.5/W", at=frequency)
    yield Truth(model, "shot_noise_detectivity", float(np.sqrt(area) * responsivity[0] / shot), "cm*Hz^0.5/W")


# --- codes and the response
def of_codes(specimen: Specimen) -> Iterator[Truth]:
    """Yield the current behind each code, as it is measured and as the fitted response predicts it."""
    codes = specimen.codes
    read = CODE_BEFORE + codes.period * (codes.slots - 1) + codes.width
    for number in range(2**codes.slots):
        exposure = specimen.code(number)
        inside = (exposure.time > read - exposure.step / 2) & (exposure.time < read + CODE_WINDOW - exposure.step / 2)
        current = 1e-12 * float(exposure.response(1.0)[inside].mean())
        bits = f"{number:0{codes.slots}b}"
        yield Truth("codes_measured", "code_current", current, "A", bits)
        if number:  # without light there is nothing to predict
            yield Truth("codes_predicted", "code_current", current, "A", bits)


def of_responses(specimen: Specimen) -> Iterator[tuple[Any, ...]]:
    """Yield the constants of the response at each wavelength; a stronger response is a faster filling."""
    light, model = specimen.light, "photoresponse"
    for wavelength, strength in light.colors.items():
        found = [
            Truth(model, "photocurrent", 1e-12 * light.prompt * strength, "A", "prompt", light.power),
            Truth(model, "power_exponent", light.exponent, "1"),
        ]
        for number, population in enumerate(light.populations, 1):
            found += [
                Truth(model, "photocurrent", 1e-12 * population.current, "A", str(number)),
                Truth(model, "filling_rate", population.rate * strength, "1/s", str(number), light.power),
                Truth(model, "relaxation_time", population.time, "s", str(number)),
            ]
        found += [
            Truth(model, "dark_current", 1e-12 * light.dark, "A"),
            Truth(model, "dark_current_drift", 1e-12 * light.drift, "A/s"),
            Truth(model, "noise_additive", 1e-12 * LIGHT_NOISE, "A"),
            Truth(model, "noise_multiplicative", light.variation, "1"),
        ]
        yield from ((f"response_{wavelength}nm", *row) for row in found)
