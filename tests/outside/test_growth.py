"""Logs of furnaces against truth from outside: ringing controllers, broken ramps, radiation and slow thermocouples."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from scipy.integrate import solve_ivp

from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said

ATTRS = {"raw_file": "a.csv", "raw_sha256": "0" * 64, "origin": "simulated"}
STEP, NOISE = 1 / 15, 0.4
"""Hours between readings, and their noise in °C."""
AMBIENT, SOAK = 24.0, 640.0
BEGIN, RAMP, HOLD, TAIL = 1.5, 20.0, 30.0, 22.0
"""Hours before, in and after the ramp, and of cooling."""
TOP, END = BEGIN + RAMP, BEGIN + RAMP + HOLD
COOLING = 4.0
TIME = np.arange(0.0, END + TAIL, STEP)
Curve = Callable[[np.ndarray], np.ndarray]


def heated(time: np.ndarray) -> np.ndarray:
    """Return the temperature on a straight ramp and on the soak."""
    return np.interp(time, [0, BEGIN, TOP], [AMBIENT, AMBIENT, SOAK])


def broken(time: np.ndarray) -> np.ndarray:
    """Return a ramp whose second half has another rate."""
    return np.interp(time, [0, BEGIN, BEGIN + RAMP / 2, TOP], [AMBIENT, AMBIENT, 450.0, SOAK])


def ringing(time: np.ndarray) -> np.ndarray:
    """Return a ramp after which the controller overshoots and rings."""
    after = np.maximum(time - TOP, 0)
    return heated(time) + 18 * np.exp(-after / 1.5) * np.sin(2 * np.pi * after / 1.3)


def slipping(time: np.ndarray) -> np.ndarray:
    """Return a soak that slips by 0.05 °C an hour; its mean is the nominal temperature."""
    return heated(time) - 0.05 * np.clip(time - TOP, 0, HOLD) + 0.05 * HOLD / 2 * np.clip((time - BEGIN) / RAMP, 0, 1)


def newton(time: np.ndarray, start: float) -> np.ndarray:
    """Return Newton's cooling after some hours."""
    return AMBIENT + (start - AMBIENT) * np.exp(-time / COOLING)


def radiated(time: np.ndarray, start: float) -> np.ndarray:
    """Return cooling by radiation alone, which begins as fast as that of Newton."""
    cold, hot = AMBIENT + 273.15, start + 273.15
    rate = (hot - cold) / COOLING / (hot**4 - cold**4)
    found = solve_ivp(lambda _, kelvin: -rate * (kelvin**4 - cold**4), (0, TAIL), [hot], t_eval=time, rtol=1e-8)
    return found.y[0] - 273.15


def white(rng: np.random.Generator) -> np.ndarray:
    """Return noise that is independent from reading to reading."""
    return rng.normal(0, NOISE, TIME.size)


def slow(rng: np.random.Generator) -> np.ndarray:
    """Return noise of the same size with a memory of an hour."""
    memory = np.exp(-STEP / 1.0)
    noise = np.empty(TIME.size)
    noise[0] = rng.normal(0, NOISE)
    for index in range(1, TIME.size):
        noise[index] = memory * noise[index - 1] + rng.normal(0, NOISE * np.sqrt(1 - memory**2))
    return noise


def log(hot: Curve = heated, cooled: Callable[[np.ndarray, float], np.ndarray] = newton, noise=white):
    """Return a function that draws a log."""
    clean = hot(np.minimum(TIME, END))
    after = TIME > END
    clean[after] = cooled(TIME[after] - END, float(hot(np.array([END]))[0]))

    def draw(rng: np.random.Generator) -> list[Measurement]:
        data = {"temperature": ("time", clean + noise(rng), {"units": "degC"})}
        return [Measurement("log", ATTRS, {}, {"log": xr.Dataset(data, {"time": ("time", TIME, {"units": "hour"})})})]

    return draw


def truth(**changed: float) -> dict[tuple[str, str, str], float]:
    """Return the true values of a run; NaN where there is no such number, so that the row must say so."""
    values = {
        "soak_temperature": SOAK,
        "soak_stability": NOISE,
        "soak_drift": 0.0,
        "soak_time": HOLD,
        "ramp_time": RAMP,
        "ramp_rate": (SOAK - AMBIENT) / RAMP,
        "ambient_temperature": AMBIENT,
        "cooling_time_constant": COOLING,
    }
    return {("segments", name, ""): value for name, value in (values | changed).items()}


SCENARIOS = [
    Scenario("in family: straight ramp, soak, Newton's cooling", "growth", log(), truth(), {}, family=True),
    Scenario("a controller that overshoots and rings", "growth", log(ringing), truth(), {}, draws=100),
    Scenario("a ramp of two rates", "growth", log(broken), truth(ramp_rate=np.nan), {}),
    Scenario("cooling by radiation", "growth", log(cooled=radiated), truth(cooling_time_constant=np.nan), {}),
    Scenario("noise with a memory of an hour", "growth", log(noise=slow), truth(), {}),
    Scenario("a soak that slips", "growth", log(slipping), truth(soak_drift=-0.05, ramp_rate=np.nan), {}),
]


@pytest.mark.parametrize("scenario", [SCENARIOS[0], SCENARIOS[1], SCENARIOS[4]], ids=lambda scenario: scenario.name)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 100)
