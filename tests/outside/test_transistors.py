"""Transistors whose truth is known from outside: right, or said to be wrong."""

from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement
from relaxor.techniques.transistors.settings import TransistorsSettings

from tests.analyses import analysis_of
from tests.outside.scenario import Scenario, holds, require_no_silent_miss, require_right_or_said, rows_of
from tests.outside.transistor_truth import Graphene, Transistor

analyse = analysis_of("transistors")


def drawn(device: Transistor | Graphene, rng: np.random.Generator) -> list[Measurement]:
    return [device.transfer(rng)]


def threshold(name: str, family: bool = True, **how: float) -> Scenario:
    """Threshold in both directions, transconductance and largest current of the first one."""
    device = Transistor(**how)
    sign, first, second = (-1, "down", "up") if device.holes else (1, "up", "down")
    largest = float(device.current(np.array([device.high]), np.array([device.drain]))[0])
    truth = {
        ("transfer", "threshold_voltage", first): sign * device.threshold,
        ("transfer", "threshold_voltage", second): sign * (device.threshold + device.hysteresis),
        ("transfer", "transconductance", first): device.slope(),
        ("transfer", "on_current", first): sign * largest,
    }
    return Scenario(name, "transistors", partial(drawn, device), truth, {}, family=family)


def neutrality(name: str, lies: float | None = None, **how: float) -> Scenario:
    """The gate voltage of the smallest current in both directions."""
    device = Graphene(**how)
    lowest = device.lowest() if lies is None else lies
    truth = {("transfer", "charge_neutrality_voltage", "up"): lowest,
             ("transfer", "charge_neutrality_voltage", "down"): lowest + device.hysteresis}  # fmt: skip
    return Scenario(name, "transistors", partial(drawn, device), truth, {}, family=lies is None)


SCENARIOS = [
    threshold("in family: linear region"),
    threshold("noise of 3 %", relative=0.03, floor=1e-10),
    threshold("saturation", drain=5.0, family=False),
    threshold("drain voltage of 1 V, body factor 1.4", drain=1.0),
    threshold("contacts of a third of the resistance", contact=1e4),
    threshold("contacts of nine tenths of the resistance", contact=1e5, family=False),
    threshold("hysteresis of 0.4 V", hysteresis=0.4, family=False),
    threshold("leakage of the gate of 0.6 % of the current", leakage=1e-8),
    threshold("mobility that falls by 30 % a volt", falling=0.3),
    threshold("holes", holes=True),
    threshold("steps of 0.25 V", step=0.25),
    threshold("channel that opens at the end of the sweep", threshold=3.8, family=False),
    threshold("channel that is never off", threshold=-3.0, family=False),
    neutrality("graphene, contacts of 800 ohm"),
    neutrality("graphene, electrons twice as mobile as holes", of_holes=0.15),
    neutrality("graphene, hysteresis of 6 V", hysteresis=6.0),
    neutrality("graphene, noise of 2 %", relative=0.02),
    neutrality("graphene, steps of 3 V", step=3.0),
    neutrality("graphene, sharp minimum", residual=3e14, mobility=1.0, of_holes=1.0, contact=100.0),
    neutrality("graphene, neutral beyond the sweep", neutrality=40.0, lies=40.0),
]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_numbers_are_right_or_say_that_they_are_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 40)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_few_draws_are_right_or_flagged(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 3)


@pytest.mark.parametrize("how", [{}, {"contact": 1e4}, {"relative": 0.03, "floor": 1e-9}, {"leakage": 1e-8}], ids=str)
def test_the_resistance_of_output_curves_holds_that_at_small_voltages(how: dict[str, float]) -> None:
    device, rng, held = Transistor(**how), np.random.default_rng(3), []
    for _ in range(40):
        result = analyse([device.output(rng)], TransistorsSettings())
        rows = rows_of(result, ("output", "on_resistance", "up"))
        assert [row.at for row in rows] == [2, 3, 4]
        held += [row.status != "ok" or holds(row, device.resistance(row.at)) for row in rows]
    assert np.mean(held) >= 0.9, np.reshape(held, (40, 3)).mean(axis=0)


def test_both_definitions_of_the_threshold_are_told_and_contacts_move_only_one() -> None:
    device = Transistor(contact=1e5)
    result = analyse([device.transfer(np.random.default_rng(1))], TransistorsSettings())
    (tangent,), (by_y,) = (
        rows_of(result, ("transfer", name, "up")) for name in ("threshold_voltage", "threshold_voltage_y")
    )
    assert abs(by_y.value - device.threshold) < abs(tangent.value - device.threshold) and holds(
        tangent, device.threshold
    )
    assert any(part.name == "definition of the threshold" and part.value > 0.03 for part in tangent.budget)
