"""What the analysis of the pulses of light should find: computed from the device without noise.

As in `relaxor.simulation.pulse_truth`, numbers that no law of the device gives are those to which the estimator tends.
"""

from collections.abc import Iterator

import numpy as np
from scipy.constants import c, e, h

from relaxor.simulation.light_runs import (
    AREA,
    CODE_PULSES,
    CODE_SLOT,
    CODE_WIDTH,
    INTERVALS,
    PAIRS,
    SERIES,
    Exposure,
    code,
)
from relaxor.simulation.sample_file import Truth
from relaxor.simulation.synapse import (
    COLOURS,
    DARK,
    EXPONENT,
    LIGHT,
    LIGHT_DRIFT,
    LIGHT_NOISE,
    LIGHT_VARIATION,
    POPULATIONS,
    PROMPT,
    READ_VOLTAGE,
)

READ_WINDOW, CODE_WINDOW, READ_TIME, REPORTED_ENERGY = 0.040, 0.050, 0.1, 0.88
"""Settings of the analysis that the numbers depend on: s, s, s, pJ."""
LATE = 0.9
"""What is retained is the mean over the tail from this part of it on."""
VARIED = {"power": ("amplitude", "mW"), "frequency": ("frequency", "Hz"), "duration": ("width", "s"),
          "number": ("pulses", "1")}  # fmt: skip
"""Series → the name of what it varies, and its unit in labels."""


# --- pairs
def of_pairs() -> Iterator[Truth]:
    """Yield the two exponentials of the optical PPF index in closed form, in percent; the floor is 100 %.

    A population that holds y when the second pulse begins adds y e^(−λt) to what the pulse brings anyway; currents are
    those of the samples in the analysis' read window at the end of a pulse.
    """
    samples = np.array([0.06, 0.08])
    ends, left, held = [], [], []
    for full, rate, decay in POPULATIONS:
        speed = rate + 1 / decay
        ends.append(full * rate / speed * -np.expm1(-speed * samples).mean())
        held.append(full * rate / speed * -np.expm1(-speed * CODE_WIDTH))
        left.append(np.exp(-speed * samples).mean())
    first = PROMPT + sum(ends)
    amplitudes = [100 * filled * part / first for filled, part in zip(held, left, strict=True)]
    for index, (amplitude, (*_, decay)) in enumerate(zip(amplitudes, POPULATIONS, strict=True), 1):
        yield "double_exponential_fixed_floor", f"amplitude_{index}", amplitude, "percent"
        yield "double_exponential_fixed_floor", f"tau_{index}", decay, "s"
    for place, interval in (("shortest", INTERVALS[0]), ("longest", INTERVALS[-1])):
        gain = sum(a * np.exp(-interval / decay) for a, (*_, decay) in zip(amplitudes, POPULATIONS, strict=True))
        yield "pairs", f"index_{place}", 100 + gain, "percent"
        yield "pairs", f"gain_{place}", gain, "percent"
    yield from _energies(PAIRS[float(INTERVALS[0])])


def _energies(exposure: Exposure) -> Iterator[Truth]:
    """Yield the electrical energy in the first pulse of a run by every definition, pJ."""
    lit = np.flatnonzero((exposure.power > 0) & (exposure.time < exposure.edges[0][0] + CODE_WIDTH))
    current = exposure.response(1.0)[lit] + DARK
    energies = {
        "peak_power": READ_VOLTAGE * current.max() * CODE_WIDTH,
        "mean_power": READ_VOLTAGE * current.mean() * CODE_WIDTH,
        "integral": READ_VOLTAGE * current.mean() * CODE_WIDTH,
        "excess": READ_VOLTAGE * (current.mean() - DARK) * CODE_WIDTH,
        "read": READ_VOLTAGE * current[-round(READ_WINDOW / exposure.step) :].mean() * READ_TIME,
    }
    for model, energy in energies.items():
        yield model, "energy_per_spike", energy, "pJ"
        yield model, "ratio_to_reported", energy / REPORTED_ENERGY, "1"


# --- series
def of_series(name: str, wavelength: int) -> Iterator[Truth]:
    """Yield responses, their mean slope on logarithmic axes, what is retained, and the relaxation behind each train."""
    (varied, unit), runs = VARIED[name], SERIES[name]
    responses = {value: _end(exposure, COLOURS[wavelength]) for value, exposure in runs.items()}
    for value, response in responses.items():
        yield varied, f"response_{_label(value, unit)}", 1e-12 * response, "A"
    yield varied, "exponent", float(np.polyfit(np.log(list(responses)), np.log(list(responses.values())), 1)[0]), "1"
    for value, exposure in runs.items():
        yield from _relaxation(exposure, COLOURS[wavelength], varied, _label(value, unit))
    if name == "power":
        yield from _merits(responses, wavelength)
    longest = max(COLOURS)
    if name == "power" and wavelength != longest:
        ratios = [response / _end(runs[value], COLOURS[longest]) for value, response in responses.items()]
        yield "spectral", f"response_over_{longest}nm", float(np.exp(np.log(ratios).mean())), "1"


def _label(value: float, unit: str) -> str:
    if unit == "s":
        return f"{1000 * value:g}ms" if value < 1 else f"{value:g}s"
    return f"N{value:g}" if unit == "1" else f"{value:g}{unit}"


def _end(exposure: Exposure, colour: float) -> float:
    """Return the current in the read window at the end of the last pulse, above the dark one, pA."""
    width = min(READ_WINDOW, exposure.edges[-1][1])
    lit = np.flatnonzero(exposure.power > 0)[-round(width / exposure.step) :]
    return float(exposure.response(colour)[lit].mean())


def _relaxation(exposure: Exposure, colour: float, varied: str, label: str) -> Iterator[Truth]:
    """Yield what is retained, and the two populations as they stand when the last pulse ends; the floor is the dark."""
    first = np.flatnonzero(exposure.power > 0)[-1] + 1
    time, current = exposure.time[first:] - exposure.time[first], exposure.response(colour)[first:]
    after = current[: round(READ_WINDOW / exposure.step)].mean()
    yield varied, f"retained_{label}", float(current[time > LATE * time[-1]].mean() / after), "1"
    model = f"{label}_double_exponential"
    yield model, "floor", 0.0, "A"
    for index, (amplitude, tau) in enumerate(_left(exposure, colour), 1):
        yield model, f"amplitude_{index}", 1e-12 * amplitude, "A"
        yield model, f"tau_{index}", tau, "s"


def _left(exposure: Exposure, colour: float) -> Iterator[tuple[float, float]]:
    """Yield the current (pA) of each population at the end of the last pulse, and its time (s)."""
    for full, rate, decay in POPULATIONS:
        filling, end = 0.0, 0.0
        for onset, width, power in exposure.edges:
            filling *= np.exp(-(onset - end) / decay)
            filled = rate * colour * (power / LIGHT) ** EXPONENT
            speed = filled + 1 / decay
            filling = filled / speed + (filling - filled / speed) * np.exp(-speed * width)
            end = onset + width
        yield float(full * filling), decay


def _merits(responses: dict[float, float], wavelength: int) -> Iterator[Truth]:
    """Yield the figures of merit of a power series."""
    model = "figures_of_merit"
    power, current = np.array(list(responses)), np.array(list(responses.values()))
    responsivity = 1e-12 * current / (1e-3 * power * AREA)
    for each, value in zip(power.tolist(), responsivity.tolist(), strict=True):
        yield model, f"responsivity_at_{each:g}_mW_per_cm2", value, "A/W"
        yield model, f"quantum_efficiency_at_{each:g}_mW_per_cm2", value * h * c / (e * 1e-9 * wavelength), "1"
    density, shot = 1e-12 * LIGHT_NOISE * np.sqrt(2 * code(0).step), np.sqrt(2 * e * 1e-12 * DARK)
    yield model, "noise_density", density, "A/Hz^0.5"
    yield model, "noise_over_shot", density / shot, "1"
    yield model, "noise_equivalent_power", density / responsivity[0], "W/Hz^0.5"
    yield model, "detectivity", float(np.sqrt(AREA) * responsivity[0] / density), "cm*Hz^0.5/W"
    yield model, "detectivity_shot", float(np.sqrt(AREA) * responsivity[0] / shot), "cm*Hz^0.5/W"


# --- codes and the response
def of_codes() -> Iterator[Truth]:
    """Yield the current behind each code, as it is measured and as the fitted response predicts it."""
    read = 0.2 + CODE_SLOT * (CODE_PULSES - 1) + CODE_WIDTH
    for number in range(2**CODE_PULSES):
        exposure = code(number)
        inside = (exposure.time > read - exposure.step / 2) & (exposure.time < read + CODE_WINDOW - exposure.step / 2)
        current = 1e-12 * float(exposure.response(1.0)[inside].mean())
        bits = f"{number:0{CODE_PULSES}b}"
        yield "codes_measured", f"current_{bits}", current, "A"
        if number:  # without light there is nothing to predict
            yield "codes_predicted", f"current_{bits}", current, "A"


def of_responses() -> Iterator[tuple[str, str, str, float, str]]:
    """Yield the constants of the response at each wavelength; a stronger response is a faster filling."""
    for wavelength, strength in COLOURS.items():
        name = f"response_{wavelength}nm"
        yield name, "photoresponse", "J0", 1e-12 * PROMPT * strength, "A"
        yield name, "photoresponse", "alpha", EXPONENT, "1"
        for index, (full, rate, decay) in enumerate(POPULATIONS, 1):
            yield name, "photoresponse", f"J{index}", 1e-12 * full, "A"
            yield name, "photoresponse", f"g{index}", rate * strength, "1/s"
            yield name, "photoresponse", f"tau_{index}", decay, "s"
        yield name, "photoresponse", "dark_current", 1e-12 * DARK, "A"
        yield name, "photoresponse", "drift", 1e-12 * LIGHT_DRIFT, "A/s"
        yield name, "photoresponse", "noise_additive", 1e-12 * LIGHT_NOISE, "A"
        yield name, "photoresponse", "noise_multiplicative", LIGHT_VARIATION, "1"
