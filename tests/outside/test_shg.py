"""Second-harmonic series against truth from outside: saturation, higher orders, leaks, and a laser that scatters."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement
from scipy.special import erf

from tests.outside.scenario import Scenario, require_right_or_said

ATTRS = {"raw_file": "a.txt", "raw_sha256": "0" * 64, "origin": "simulated"}
POWERS = np.array([0.5, 0.65, 0.83, 1.08, 1.39, 1.8, 2.32, 3.0, 3.87, 5.0])
PIXELS = np.linspace(500.0, 565.0, 800)
TIME, STATED = 10.0, 0.02
"""Seconds a spectrum, and the relative error of the power that the sheet states."""
SETTINGS = {"window": [515.0, 550.0]}
TRUTH = {("power_law_background", "exponent", ""): 2.0}
"""The order of the process of all scenarios; a law that is bent by anything else must say so."""


def second_order(power: float) -> float:
    """Count nm/s of a process of second order, and of a leaking laser that the pump does not change."""
    return 120 * power**2 + 1.5


def series(rate: Callable[[float], float] = second_order, jitter: float = STATED, tail: float = 0.0):
    """Return a function that draws spectra of a line of the instrument, with a tail to the red, on two-photon light."""

    def draw(rng: np.random.Generator) -> list[Measurement]:
        measurements = []
        for place, power in enumerate([0.0, *POWERS]):
            actual = power * (1 + jitter * rng.standard_normal())
            edges = np.append(PIXELS, 2 * PIXELS[-1] - PIXELS[-2]) - (PIXELS[1] - PIXELS[0]) / 2
            below = 0.5 * (1 + erf((edges - 532.04) / 0.24 / np.sqrt(2)))
            red = np.where(edges > 532.04, 1 - np.exp(-(edges - 532.04) / 1.0), 0.0)
            profile = np.diff((1 - tail) * below + tail * red) / (PIXELS[1] - PIXELS[0])
            broad = 4.6 * actual**2 * np.exp(-(((PIXELS - 640) / 78) ** 2))
            counts = rng.poisson(TIME * (rate(actual) * profile + broad + 2)) + rng.normal(600, 5, PIXELS.size)
            data = {"intensity": ("wavelength", np.round(counts), {"units": "count"})}
            conditions = {
                "power": (float(power), "mW"),
                "power_uncertainty": (STATED * float(power), "mW"),
                "integration_time": (TIME, "s"),
                "pump_wavelength": (1064.0, "nm"),
            }
            region = xr.Dataset(data, {"wavelength": ("wavelength", PIXELS, {"units": "nm"})})
            measurements.append(Measurement(f"shg_{place:02d}", ATTRS, conditions, {"spectrum": region}))
        return measurements

    return draw


SCENARIOS = [
    Scenario("in family: second order", "shg", series(), TRUTH, SETTINGS, family=True),
    Scenario(
        "saturation at three times the middle power",
        "shg",
        series(lambda power: 120 * power**2 / (1 + (power / 4) ** 2) + 1.5),
        TRUTH,
        SETTINGS,
    ),
    Scenario("a fourth order beside the second", "shg", series(lambda p: second_order(p) + 8 * p**4), TRUTH, SETTINGS),
    Scenario("a leak that grows with the pump", "shg", series(lambda p: second_order(p) + 60 * p), TRUTH, SETTINGS),
    Scenario("a laser that scatters four times more", "shg", series(jitter=0.08), TRUTH, SETTINGS),
    Scenario("a line with a tail of 20 % to the red", "shg", series(tail=0.2), TRUTH, SETTINGS, draws=10),
]


@pytest.mark.parametrize("scenario", [SCENARIOS[0], SCENARIOS[2]], ids=lambda scenario: scenario.name)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_right_or_said(scenario, 2)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)
