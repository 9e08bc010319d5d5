"""Potentiation and depression: NeuroSim's law and label, signs, and errors that hold over cycles."""

import math
from pathlib import Path

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number
from relaxor.synapse.cycles import error_over_cycles, transient_cycles
from relaxor.synapse.potentiation import (
    analyse_cycles,
    fit_depression,
    fit_potentiation,
    nonlinearity_label,
    potentiation_law,
)
from scipy import stats
from scipy.optimize import brentq

from tests.test_fitting import certified, correct_digits

PULSES, CYCLES, SETTLING = 50, 20, 2
LOW, HIGH = 1e-10, 2e-8
ALPHA_UP, ALPHA_DOWN = 2.0, -5.0
READ_NOISE, CYCLE_NOISE = 0.01, 0.02
UP, DOWN = np.arange(1, PULSES + 1) / PULSES, 1 - np.arange(1, PULSES + 1) / PULSES
MEASUREMENT = Measurement("ltp", {"raw_sha256": "0" * 64, "origin": "simulated"}, {}, {})


def cycles(
    rng: np.random.Generator, drift: float = 0.0, cycle_noise: float = CYCLE_NOISE, correlation: float = 0.0
) -> tuple[np.ndarray, ...]:
    """Draw cycles whose end states vary from cycle to cycle, with read noise in proportion to the conductance."""
    number = np.arange(CYCLES)[:, None]
    ends = rng.standard_normal((CYCLES, 2))
    for this, last in zip(ends[1:], ends[:-1], strict=True):
        this[:] = correlation * last + math.sqrt(1 - correlation**2) * this
    high = HIGH * (1 + drift * number + cycle_noise * ends[:, :1])
    low = LOW * (1 + 5 * cycle_noise * ends[:, 1:])
    exact = (
        low + (high - low) * potentiation_law(state, 0.0, 1.0, alpha)
        for state, alpha in ((UP, ALPHA_UP), (DOWN, ALPHA_DOWN))
    )
    return tuple(branch * (1 + READ_NOISE * rng.standard_normal(branch.shape)) for branch in exact)


def keyed(up: np.ndarray, down: np.ndarray) -> dict[tuple[str, ...], Number]:
    """Analyse cycles: model, parameter and, where there is one, feature → number."""
    rows = analyse_cycles(MEASUREMENT, up, down).numbers
    return {(row.model, row.parameter, *filter(None, [row.feature])): row for row in rows}


# --- the law
@pytest.mark.parametrize("name", ["Misra1a", "BoxBOD"])
def test_certified_values_of_nist_are_met_without_a_start(reference: Path, name: str) -> None:
    _, (rise, rate), (_, deviation), data = certified(reference / "nist" / f"{name}.dat")
    y, x = data.T
    fitted = fit_potentiation(x, y, None, minimum=0.0)
    alpha = fitted.value("alpha")
    assert correct_digits(fitted.value("conductance_max") / -math.expm1(-alpha), rise) >= 6
    assert correct_digits(alpha / x.max(), rate) >= 6
    assert correct_digits(fitted.error("alpha") / x.max(), deviation) >= 3


def test_law_is_neurosim_s_and_regular_for_a_linear_device() -> None:
    pulse, last, a = np.arange(11.0), 10.0, 4.0
    b = (HIGH - LOW) / (1 - math.exp(-last / a))
    expected = LOW + b * (1 - np.exp(-pulse / a))
    np.testing.assert_allclose(potentiation_law(pulse / last, LOW, HIGH, last / a), expected)
    for alpha in (0.0, 1e-13, -1e-9):
        np.testing.assert_allclose(potentiation_law(pulse / last, 0.0, 1.0, alpha), pulse / last, rtol=1e-6)


def test_depression_is_the_law_counted_from_its_end_with_negative_alpha() -> None:
    applied, a = np.arange(1, PULSES + 1), 8.0
    b = (HIGH - LOW) / (1 - math.exp(-PULSES / a))
    falling = HIGH - b * (1 - np.exp(-applied / a))
    fitted = fit_depression(applied, falling, 1e-12)
    assert fitted.value("alpha") == pytest.approx(-PULSES / a, rel=1e-6)
    assert fitted.value("conductance_max") == pytest.approx(HIGH, rel=1e-6)
    assert fitted.value("conductance_min") == pytest.approx(LOW, rel=1e-4)


@pytest.mark.parametrize("alpha", [-40.0, -3.0, -0.2, 0.0, 0.2, 3.0, 40.0])
def test_alpha_of_either_sign_is_found(alpha: float) -> None:
    exact = potentiation_law(UP, LOW, HIGH, alpha)
    fitted = fit_potentiation(np.arange(1, PULSES + 1), exact, 1e-11)
    assert fitted.value("alpha") == pytest.approx(alpha, rel=1e-4, abs=1e-6)


def test_label_of_nonlinearity_is_the_table_of_neurosim() -> None:
    assert nonlinearity_label(0.5) == pytest.approx(2.40, abs=0.005)
    assert nonlinearity_label(0.2) == pytest.approx(4.88, abs=0.006)
    assert brentq(lambda a: nonlinearity_label(a) - 4.22, 0.01, 10) == pytest.approx(0.2497, abs=5e-5)
    assert nonlinearity_label(-0.2) == -nonlinearity_label(0.2)
    assert nonlinearity_label(math.inf) == 0
    x = np.linspace(0, 1, 100_001)
    away = np.abs(potentiation_law(x, 0.0, 1.0, 1 / 0.3) - x).max()
    assert nonlinearity_label(0.3) == pytest.approx(10.1015 * away, rel=1e-8)


# --- rows
def test_signs_of_potentiation_and_depression() -> None:
    rows = keyed(*cycles(np.random.default_rng(1)))
    assert rows["potentiation", "nonlinearity"].value > 0
    assert rows["depression", "nonlinearity"].value < 0
    assert rows["depression", "pulse_constant"].value < 0
    assert rows["cycles", "asymmetry"].value > 0


@pytest.mark.slow
@pytest.mark.parametrize(("drift", "correlation"), [(0.0, 0.0), (0.002, 0.0), (0.0, 0.3)])
def test_intervals_cover_the_truth(drift: float, correlation: float) -> None:
    kept = CYCLES - SETTLING
    high = HIGH * (1 + drift * (SETTLING + CYCLES - 1) / 2)
    truth: dict[tuple[str, ...], float] = {}
    for model, alpha in (("potentiation", ALPHA_UP), ("depression", ALPHA_DOWN)):
        truth |= {(model, "minimum_conductance"): LOW, (model, "maximum_conductance"): high}
        truth |= {(model, "curvature"): alpha, (model, "pulse_constant"): PULSES / alpha}
        truth[model, "nonlinearity"] = nonlinearity_label(1 / alpha)
    opened = np.abs(potentiation_law(UP, LOW, high, ALPHA_UP) - potentiation_law(UP, LOW, high, ALPHA_DOWN)).max()
    span = high - LOW
    share = np.array([potentiation_law(UP, 0, 1, ALPHA_UP), potentiation_law(DOWN, 0, 1, ALPHA_DOWN)])
    level = LOW + span * share
    # Variances of a state: both end states, which correlation makes alike, drift, and the read noise, to first order.
    lag = np.arange(1, kept)
    alike = 1 - 2 / kept / (kept - 1) * float(np.sum((kept - lag) * correlation**lag))
    moved = alike * ((HIGH * CYCLE_NOISE * share) ** 2 + (5 * LOW * CYCLE_NOISE * (1 - share)) ** 2)
    moved += (HIGH * drift * share) ** 2 * kept * (kept + 1) / 12
    noise = (READ_NOISE * level) ** 2
    unbiased = math.sqrt(2 / (kept - 1)) * math.gamma(kept / 2) / math.gamma((kept - 1) / 2)
    steps = np.sqrt(np.mean(noise[:, 1:] + noise[:, :-1], axis=1))
    truth |= {
        ("cycles", "on_off_ratio"): high / LOW,
        ("cycles", "dynamic_range"): span,
        ("cycles", "asymmetry"): opened / span,
        ("cycles", "cycle_to_cycle_variation"): unbiased * float(np.sqrt(moved + noise).mean()) / span,
        ("cycles", "conductance_drift", "maximum"): HIGH * drift,
        ("cycles", "conductance_drift", "minimum"): 0.0,
        ("cycles", "write_noise", "potentiation"): steps[0] / span,
        ("cycles", "write_noise", "depression"): steps[1] / span,
    }
    draws, rng = 1000, np.random.default_rng(0)
    covered = dict.fromkeys(truth, 0)
    for _ in range(draws):
        rows = keyed(*cycles(rng, drift, correlation=correlation))
        assert rows.keys() == truth.keys() | {("cycles", "transient_cycles")}
        for key, value in truth.items():
            covered[key] += rows[key].ci_low <= value <= rows[key].ci_high
    shares = {key: count / draws for key, count in covered.items()}
    print(shares)
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


def test_the_first_tenth_starts_elsewhere_and_is_left_out() -> None:
    up, down = cycles(np.random.default_rng(7))
    fresh = up.copy()
    fresh[:SETTLING] *= [[0.7], [0.999]]
    rows, others = (keyed(first, down) for first in (fresh, up))
    transient = rows["cycles", "transient_cycles"]
    assert transient.value == SETTLING and "still settles" in transient.method
    assert repr(rows) == repr(others)  # NaN is not equal to itself
    curves = analyse_cycles(MEASUREMENT, fresh, down).curves
    np.testing.assert_allclose(curves["potentiation"]["mean"], up[SETTLING:].mean(axis=0))


def test_three_cycles_are_all_needed() -> None:
    up, down = cycles(np.random.default_rng(7))
    assert [transient_cycles(up[:count], down[:count]) for count in (3, 4)] == [0, 1]


def test_drift_is_no_transient_and_settling_is() -> None:
    up, down = cycles(np.random.default_rng(8), drift=0.02, cycle_noise=0.001)
    assert transient_cycles(up, down) == SETTLING
    settling = 1 - 0.9 * np.exp(-np.arange(CYCLES))[:, None]
    up, down = cycles(np.random.default_rng(8), cycle_noise=0.005)
    assert 3 <= transient_cycles(settling * up, down) <= 5


def test_the_error_of_a_mean_knows_that_neighbours_are_alike() -> None:
    rng = np.random.default_rng(9)
    values = rng.standard_normal((CYCLES, 2000))
    alike = values.copy()
    for row in range(1, CYCLES):
        alike[row] = 0.3 * alike[row - 1] + math.sqrt(1 - 0.3**2) * values[row]
    quantile = stats.t.ppf(0.975, CYCLES - 2)
    for drawn, least in ((values, 0.94), (alike, 0.90)):
        covered = np.mean(np.abs(drawn.mean(axis=0)) < quantile * error_over_cycles(drawn))
        assert least < covered < 0.98
    naive = alike.std(axis=0, ddof=1) / math.sqrt(CYCLES)
    assert np.mean(np.abs(alike.mean(axis=0)) < quantile * naive) < 0.85


def test_drift_of_the_end_states_is_found() -> None:
    rows = keyed(*cycles(np.random.default_rng(2), 0.01, 0.002))
    drift = rows["cycles", "conductance_drift", "maximum"]
    assert drift.value == pytest.approx(0.01 * HIGH, rel=0.15)
    assert drift.ci_low < 0.01 * HIGH < drift.ci_high
    assert rows["cycles", "conductance_drift", "minimum"].ci_low < 0


def test_a_device_that_retraces_its_steps_has_no_asymmetry() -> None:
    for alpha in (1e-6, 3.0):
        pair = (
            np.tile(potentiation_law(state, LOW, HIGH, alpha), (4, 1)) * np.array([[0.99], [1.0], [1.0], [1.01]])
            for state in (UP, DOWN)
        )
        rows = keyed(*pair)
        assert rows["cycles", "asymmetry"].value < 1e-6
        assert rows["cycles", "write_noise", "potentiation"].value < 1e-3


def test_branches_may_differ_in_pulses() -> None:
    up, down = cycles(np.random.default_rng(3))
    shorter = HIGH * np.ones((CYCLES, 1)) * potentiation_law(1 - np.arange(1, 21) / 20, LOW / HIGH, 1.0, ALPHA_DOWN)
    full, other = (keyed(up, branch) for branch in (down, shorter))
    assert other["cycles", "asymmetry"].value == pytest.approx(full["cycles", "asymmetry"].value, abs=0.02)
    assert other["depression", "curvature"].value == pytest.approx(ALPHA_DOWN, rel=1e-3)
    assert other["depression", "pulse_constant"].value == pytest.approx(20 / ALPHA_DOWN, rel=1e-3)


def test_a_linear_device_has_no_upper_end_of_its_pulse_constant() -> None:
    rng = np.random.default_rng(4)
    up, down = (
        potentiation_law(state, LOW, HIGH, 0.01) + 0.02 * HIGH * rng.standard_normal((CYCLES, PULSES))
        for state in (UP, DOWN)
    )
    down += 0.02 * HIGH
    rows = keyed(up, down)
    constant, label = rows["potentiation", "pulse_constant"], rows["potentiation", "nonlinearity"]
    assert math.isinf(constant.ci_low) or math.isinf(constant.ci_high)
    assert label.ci_low < 0 < label.ci_high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda up, down: (up[:2], down[:2]), "ltp: potentiation has 2 cycles of 50 pulses; 3 cycles of 5"),
        (lambda up, down: (up, down[:, :4]), "ltp: depression has 20 cycles of 4 pulses"),
        (lambda up, down: (up[1:], down), "ltp: 19 cycles of potentiation, 20 of depression"),
        (lambda up, down: (np.where(up == up[3, 3], np.nan, up), down), "ltp: potentiation holds states without value"),
        (lambda up, down: (down, up), "ltp: mean state .* after depression, .* after potentiation"),
        (lambda up, down: (up, down - 2 * LOW), "an on/off ratio needs 0 < first < second"),
    ],
)
def test_cycles_that_cannot_be_analysed_are_named(change, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        analyse_cycles(MEASUREMENT, *change(*cycles(np.random.default_rng(5))))


def test_curves_add_up_and_carry_units() -> None:
    up, down = cycles(np.random.default_rng(6))
    groups = analyse_cycles(MEASUREMENT, up, down).curves
    for name, branch in (("potentiation", up), ("depression", down)):
        curve = groups[name]
        np.testing.assert_allclose(curve["mean"], branch[SETTLING:].mean(axis=0))
        np.testing.assert_allclose(curve["fit"] + curve["residual"], curve["mean"])
        assert float(np.abs(curve["residual"]).max()) < 0.02 * HIGH
        assert float(curve["std"].max()) == pytest.approx(HIGH * math.hypot(CYCLE_NOISE, READ_NOISE), rel=0.6)
        for key, data in curve.variables.items():
            assert {"units", "long_name"} <= set(data.attrs), key
