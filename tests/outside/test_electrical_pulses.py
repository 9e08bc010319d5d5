"""Pairs of voltage pulses in noise that is slower than a read window: right, or said to be wrong."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement

from tests.outside import pulses_truth as outside
from tests.outside.scenario import Scenario, outcomes, require_right_or_said

TRUTH = {
    ("pairs", "paired_pulse_index", place): outside.facilitation(float(interval))
    for place, interval in (("shortest", outside.INTERVALS[0]), ("longest", outside.INTERVALS[-1]))
}


def drawn(noise, repeats: int, rng: np.random.Generator) -> list:
    return [outside.pair_file(rng, noise, repeats)]


def apart(noise, repeats: int, rng: np.random.Generator) -> list[Measurement]:
    """The same pairs, saved with one interval a file."""
    whole = outside.pair_file(rng, noise, repeats)
    files: dict[float, dict] = {}
    for (name, region), interval in zip(whole.regions.items(), np.repeat(outside.INTERVALS, repeats), strict=True):
        files.setdefault(float(interval), {})[name] = region
    return [
        replace(
            whole, id=f"ppf_{1e3 * interval:.0f}ms", attrs={**whole.attrs, "raw_sha256": f"{interval}"}, regions=runs
        )
        for interval, runs in files.items()
    ]


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
    Scenario("one interval a file, white noise", "electrical_pulses", partial(apart, outside.white, 1), TRUTH, {},
             family=True),
    Scenario("one interval a file, 1/f noise", "electrical_pulses", partial(apart, outside.flicker, 1), TRUTH, {}),
    Scenario("one interval a file, telegraph noise", "electrical_pulses", partial(apart, outside.telegraph, 1), TRUTH,
             {}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [SCENARIOS[1], SCENARIOS[3], SCENARIOS[8]], ids=lambda each: each.name)
def test_slow_noise_is_in_the_error_of_single_pairs(scenario: Scenario) -> None:
    found = outcomes(scenario, 1)
    assert all(each.error > 0.5 and each.coverage == 1 for each in found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_every_scenario_is_right_or_flagged(scenario: Scenario) -> None:
    require_right_or_said(scenario, 100)  # of fewer draws, shares say little
