"""Devices that switch their resistance, of a forward model from outside: right, or said to be wrong."""

from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement

from tests.outside.memristor_truth import Memristor
from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said

READ = 0.25
"""V."""


def drawn(device: Memristor, rng: np.random.Generator) -> list[Measurement]:
    return [device.measured(rng)]


def scenario(name: str, read: float = READ, family: bool = True, **how: float) -> Scenario:
    device = Memristor(**how)
    truth = device.truth(read)
    return Scenario(name, "iv_sweeps", partial(drawn, device), truth, {"switching_voltage": read}, family=family)


def without(name: str, **how: float) -> Scenario:
    """A device that does not switch has none of the numbers."""
    device = Memristor(**how)
    truth = dict.fromkeys(device.truth(READ), np.nan)
    return Scenario(name, "iv_sweeps", partial(drawn, device), truth, {"switching_voltage": READ})


SCENARIOS = [
    scenario("in family: abrupt set and reset"),
    scenario("noise of 3 %", noise=5e-7, relative=0.03),
    scenario("thresholds that scatter by 6 % from cycle to cycle", spread=0.06, cycles=12),
    scenario("reset over 0.3 V", reset_width=0.3),
    scenario("reset over 0.6 V", reset_width=0.6),
    scenario("reset over 1.2 V", reset_width=1.2, backward=2.4),
    scenario("set over 0.3 V", set_width=0.3),
    scenario("steps of 0.1 V", step=0.1),
    scenario("steps of 0.2 V", step=0.2),
    scenario("a resistor in series, voltage of the source", series=1e3, reset_at=0.4),
    scenario("a resistor in series, voltage across the device", series=1e3, reset_at=0.4, across=True),
    scenario("compliance, voltage of the source", compliance=3e-4),
    scenario("compliance, voltage across the device", compliance=3e-4, across=True),
    scenario("three of ten cycles are not reset", failing=0.3, spread=0.05, cycles=12),
    scenario("both states differ threefold", off=6e3),
    scenario("an off state below the noise", off=2e9, family=False),
    scenario("unipolar, with a compliance when it is set", read=0.15, set_at=1.5, reset_at=0.6, compliance=1e-4,
             backward=1.0, unipolar=True),
    without("no switching at all", set_at=99.0, reset_at=99.0),
]  # fmt: skip
FAST = [SCENARIOS[number] for number in (0, 3, 7, 10, 12, 16, 17)]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_numbers_are_right_or_say_that_they_are_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)


@pytest.mark.parametrize("scenario", FAST, ids=lambda one: one.name)
def test_few_draws_are_right_or_flagged(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 2)
