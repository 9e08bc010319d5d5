"""Endurance and retention of cells whose truth is known from outside: right, or said to be wrong."""

from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement
from relaxor.techniques.endurance.settings import EnduranceSettings

from tests.analyses import analysis_of
from tests.outside import memory_truth as outside
from tests.outside.memory_truth import Endurance, Retention
from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said, rows_of

analyse = analysis_of("endurance")


def drawn(cell: Endurance | Retention, rng: np.random.Generator) -> list[Measurement]:
    return [cell.measured(rng)]


def wears(name: str, cell: Endurance, family: bool = True) -> Scenario:
    """The cycles until half of the window is left, and the first window."""
    truth = {("endurance", "endured_cycles", "window"): cell.truth()}
    truth["endurance", "first_value", "window"] = float(cell.window(np.array(1.0)))
    return Scenario(name, "endurance", partial(drawn, cell), truth, {}, family=family, draws=40)


def keeps(name: str, cell: Retention) -> Scenario:
    """What is left after ten years, by every law that the data support."""
    return Scenario(name, "endurance", partial(drawn, cell), {("*", "extrapolated", "R_off"): cell.truth()}, {})


def halved(at: float) -> outside.Decay:
    """A loss that leaves half at a number of cycles."""
    return lambda cycle: 1 / (1 + cycle / at)


SCENARIOS = [
    wears("window that falls by a power of the cycles", Endurance(lambda cycle: cycle**-0.08)),
    wears("window that falls in proportion to the cycles", Endurance(halved(2e5))),
    wears("breakdown at 3e4 cycles", Endurance(outside.steady, fails_at=3e4)),
    wears("readings that scatter by 30 %", Endurance(halved(2e4), scatter=0.3)),
    wears("every one of 2000 cycles", Endurance(halved(500), last=2000, each=True, scatter=0.2)),
    wears("wake-up to twice the window", Endurance(halved(2e4), wake_up=2.0)),
    wears("eight readings", Endurance(halved(2e3), readings=8, scatter=0.2)),
    wears("no end, readings that scatter by 30 %", Endurance(outside.steady, scatter=0.3), family=False),
    keeps("loss by a power of the time", Retention(outside.power(0.05))),
    keeps("loss of 8 % a decade of time", Retention(outside.logarithmic(0.08))),
    keeps("stretched exponential of 1e7 s", Retention(outside.stretched(1e7, 0.3))),
    keeps("stretched exponential of 1e5 s", Retention(outside.stretched(1e5, 0.5))),
    keeps("exponential of 1e8 s, of which nothing is seen", Retention(outside.stretched(1e8, 1))),
    keeps("loss of a third that levels off", Retention(outside.levelling(0.3, 300))),
    keeps("no loss, telegraph noise of 10 %", Retention(outside.steady, telegraph=0.1)),
    keeps("power of the time, read from 100 to 300 s", Retention(outside.power(0.05), first=100, last=300)),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_numbers_are_right_or_say_that_they_are_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, scenario.draws)


@pytest.mark.parametrize("scenario", SCENARIOS[:4], ids=lambda one: one.name)
def test_few_draws_are_right_or_flagged(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 2)


@pytest.mark.parametrize("scenario", SCENARIOS[8:], ids=lambda one: one.name)
def test_a_statement_for_ten_years_holds_the_truth_of_other_laws(scenario: Scenario) -> None:
    """All are flagged; those that state a value also hold the truth within their error."""
    ((key, truth),) = scenario.truth.items()
    stated = held = 0
    for seed in range(6):
        result = analyse(scenario.draw(np.random.default_rng(seed)), EnduranceSettings())
        for row in rows_of(result, key):
            assert row.status != "ok"
            stated += np.isfinite(row.value)
            held += abs(row.value - truth) <= 1.96 * np.hypot(row.standard_error, row.systematic_error)
    assert stated and held >= 0.9 * stated, (held, stated)
