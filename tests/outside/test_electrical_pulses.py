"""Pairs of voltage pulses in noise that is slower than a read window: right, or said to be wrong."""

from functools import partial

import numpy as np
import pytest

from tests.outside import pulses_truth as outside
from tests.outside.scenario import Scenario, outcomes, require_right_or_said

TRUTH = {
    ("pairs", "paired_pulse_index", place): outside.facilitation(float(interval))
    for place, interval in (("shortest", outside.INTERVALS[0]), ("longest", outside.INTERVALS[-1]))
}


def drawn(noise, repeats: int, rng: np.random.Generator) -> list:
    return [outside.pair_file(rng, noise, repeats)]


slowly = partial(outside.telegraph, mean_length=1000.0)
SCENARIOS = [
    Scenario("pairs in white noise, one run each", "electrical_pulses", partial(drawn, outside.white, 1), TRUTH, {},
             family=True),
    Scenario("pairs in 1/f noise, one run each", "electrical_pulses", partial(drawn, outside.flicker, 1), TRUTH, {},
             before="coverage 0.43, deviations of 4.3 standard errors"),
    Scenario("pairs in 1/f noise, three repeats", "electrical_pulses", partial(drawn, outside.flicker, 3), TRUTH, {}),
    Scenario("pairs in telegraph noise, one run each", "electrical_pulses", partial(drawn, outside.telegraph, 1), TRUTH,
             {}, before="an error of 0.0"),
    Scenario("pairs in telegraph noise slower than a run", "electrical_pulses", partial(drawn, slowly, 1), TRUTH, {},
             before="an error of 0.0"),
    Scenario("pairs in telegraph noise, three repeats", "electrical_pulses", partial(drawn, outside.telegraph, 3),
             TRUTH, {}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [SCENARIOS[1], SCENARIOS[3]], ids=lambda each: each.name)
def test_slow_noise_is_in_the_error_of_single_pairs(scenario: Scenario) -> None:
    found = outcomes(scenario, 1)
    assert all(each.error > 0.5 and each.coverage == 1 for each in found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_every_scenario_is_right_or_flagged(scenario: Scenario) -> None:
    require_right_or_said(scenario, 100)  # of fewer draws, shares say little
