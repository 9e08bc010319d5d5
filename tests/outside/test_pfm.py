"""Local PFM loops against truth from outside: forces on the cantilever, minor loops, no switching, and slow drift."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from scipy.stats import norm

from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said

ATTRS = {"raw_file": "a.ibw", "raw_sha256": "0" * 64, "origin": "simulated"}
LARGEST, STEPS, CYCLES, SAMPLES = 10.0, 40, 4, 5
"""Largest bias in V, steps of a cycle, cycles, samples of a step while its bias is on, and while it is off."""
NOISE = 0.8
"""Noise of one sample in each quadrature, in pm."""
FULL, COERCIVE, WIDTH = 15.0, 3.6, 1.3
"""Response of a domain in pm, coercive bias and width of switching in V."""
SHIFT = 0.4
"""Shift of the loop along the bias in V."""
FORCE = -0.5
"""Electrostatic force while the bias is on, in pm/V."""
State = Callable[[np.ndarray], np.ndarray]


def sharp(bias: np.ndarray) -> np.ndarray:
    """Return the state (−1 to 1) after each bias of a place with one coercive bias."""
    rising = np.diff(bias, prepend=bias[0] - 1) > 0
    return np.tanh((bias - SHIFT - np.where(rising, COERCIVE, -COERCIVE)) / WIDTH)


def spread(coercive: float, deviation: float) -> State:
    """Return the state of many units (Preisach's model), each of which switches at biases of its own."""
    levels = norm.ppf((np.arange(40) + 0.5) / 40, coercive, deviation)
    up, down = np.meshgrid(levels, -levels)

    def states(bias: np.ndarray) -> np.ndarray:
        units = np.where(np.indices(up.shape).sum(axis=0) % 2, 1.0, -1.0)
        found = []
        for each in bias:
            units = np.where(each >= up, 1.0, np.where(each <= down, -1.0, units))
            found.append(units.mean())
        return np.array(found)

    return states


def still(bias: np.ndarray) -> np.ndarray:
    """Return the state of a capacitor without domains."""
    return np.zeros(bias.size)


def loops(
    state: State = sharp,
    force: tuple[float, float] = (FORCE, 0.0),
    turned: float = 0.0,
    phase: tuple[float, float] = (70.0, 0.0),
    drift: float = 0.0,
    largest: float = LARGEST,
):
    """Return a function that draws loops whose bias is on and off in turn.

    Parameters
    ----------
    force
        Slope in pm/V that forces add while the bias is on, and after it is off.
    turned
        Angle from the piezoresponse to the force in degrees.
    phase
        Phase of a positive piezoresponse in degrees, and by how much it turns until the end.
    drift
        Drift of the response until the end, in pm, as a random walk of this size on top of a line of half of it.
    """
    part = np.arange(STEPS * CYCLES) / STEPS
    bias = largest * np.interp((part + 0.25) % 1, [0, 0.5, 1], [-1, 1, -1])

    def draw(rng: np.random.Generator) -> list[Measurement]:
        piezo = FULL * state(bias)
        direction = np.exp(1j * np.radians(turned))
        both = np.stack([piezo + each * bias * direction for each in force], axis=1).ravel()
        signal = np.repeat(both, SAMPLES)
        walk = np.cumsum(rng.standard_normal(signal.size)) / np.sqrt(signal.size)
        signal = signal + drift * (walk + np.linspace(-0.25, 0.25, signal.size))
        signal = signal + NOISE * (rng.standard_normal(signal.size) + 1j * rng.standard_normal(signal.size))
        signal = signal * np.exp(1j * np.radians(phase[0] + np.linspace(0, phase[1], signal.size)))
        applied = np.repeat(np.stack([bias, np.zeros_like(bias)], axis=1).ravel(), SAMPLES)
        units = {"bias": (applied, "V"), "amplitude": (np.abs(signal), "pm"), "phase": (np.angle(signal), "radian")}
        time = ("time", 0.01 * np.arange(signal.size), {"units": "s"})
        data = {name: ("time", values, {"units": unit}) for name, (values, unit) in units.items()}
        return [Measurement("loop", ATTRS, {}, {"curve": xr.Dataset(data, {"time": time})})]

    return draw


TRUTH = {
    ("single", "coercive_bias_positive", "off field"): COERCIVE + SHIFT,
    ("single", "coercive_bias_negative", "off field"): SHIFT - COERCIVE,
    ("single", "saturation_piezoresponse", "off field"): FULL,
    ("single", "remanent_piezoresponse_positive", "off field"): FULL * float(np.tanh((COERCIVE - SHIFT) / WIDTH)),
    ("single", "switching_bias_forward", "on field"): COERCIVE,
    ("single", "saturation_piezoresponse", "on field"): FULL,
    ("single", "electrostatic_slope", "on field"): FORCE,
}
OFF_FIELD = {key: value for key, value in TRUTH.items() if key[2] == "off field"}
NO_LOOP = {key: np.nan for key in TRUTH if key[1] != "electrostatic_slope"} | {
    ("double", "coercive_bias_positive", "on field"): np.nan,
    ("double", "coercive_bias_positive", "off field"): np.nan,
    ("no_switching", "electrostatic_slope", "on field"): abs(FORCE),
}
"""A capacitor without domains switches at no bias: every such number must say so."""
MINOR = {("single", "saturation_piezoresponse", field): FULL for field in ("off field", "on field")} | {
    ("single", "coercive_bias_positive", "off field"): 7.0
}
"""A minor loop shows neither the response of all domains nor their coercive bias."""
SCENARIOS = [
    Scenario("in family: one step in each branch", "pfm", loops(), TRUTH, {}, family=True),
    Scenario("a force that remains when the bias is off", "pfm", loops(force=(FORCE, 0.25)), OFF_FIELD, {}),
    Scenario("a force that is turned by 50° in phase", "pfm", loops(force=(-1.5, 0.0), turned=50.0), TRUTH, {}),
    Scenario("a minor loop of many units", "pfm", loops(spread(7.0, 2.5)), MINOR, {}),
    Scenario("a bias that just reaches the switching", "pfm", loops(largest=4.5), TRUTH, {}),
    Scenario("a capacitor without switching", "pfm", loops(still), NO_LOOP, {}, draws=100),
    Scenario("no switching, and noise that drifts", "pfm", loops(still, drift=6.0), NO_LOOP, {}, draws=8),
    Scenario("the phase of the sample across the cut", "pfm", loops(phase=(178.0, 0.0)), TRUTH, {}, family=True),
    Scenario("a phase that turns by 50°", "pfm", loops(phase=(20.0, 50.0)), TRUTH, {}),
    Scenario("noise that drifts", "pfm", loops(drift=6.0), TRUTH, {}),
]


@pytest.mark.parametrize("scenario", [SCENARIOS[0], SCENARIOS[3], SCENARIOS[5]], ids=lambda scenario: scenario.name)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 40)
