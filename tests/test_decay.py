"""Laws of relaxation: certified references, the global optimum, intervals, and what two exponentials need."""

import math
from dataclasses import replace

import lmfit
import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number
from relaxor.stats import decay as module
from relaxor.stats.decay import (
    DOUBLE,
    DRIFTING,
    SINGLE,
    STRETCHED,
    TRIPLE,
    Decay,
    Law,
    bootstrap_decay,
    fit_decay,
    profile_decay,
)
from relaxor.stats.optimizer import central_differences
from relaxor.synapse.quantities import RELAXATION_TIME
from relaxor.synapse.relaxation import (
    LAWS,
    TAIL_LAWS,
    decay_rows,
    fit_laws,
    identifiability,
    law_curves,
    objections,
    supported_rows,
)
from scipy.optimize import least_squares

from tests.certified import certified, correct_digits

TRUTH = {"floor": 155.0, "amplitude_1": 11.0, "amplitude_2": 10.0, "tau_1": 0.08, "tau_2": 0.7}
SIGMA = 0.35
MEASUREMENT = Measurement("ppf", {"raw_sha256": "0" * 64, "origin": "simulated"}, {}, {})


def paired_pulses(
    points: int, seed: int, truth: dict[str, float] = TRUTH, sigma: float = SIGMA
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a paired-pulse index (%) from 10 ms to 2 s."""
    x = np.geomspace(0.01, 2.0, points)
    y = truth["floor"] + sum(truth[f"amplitude_{k}"] * np.exp(-x / truth[f"tau_{k}"]) for k in (1, 2))
    return x, y + sigma * np.random.default_rng(seed).standard_normal(points)


def relaxation_time(number: int, low: float, high: float, value: float = 1.0) -> Number:
    return Number("ppf", DOUBLE.name, RELAXATION_TIME.name, value, ci_low=low, ci_high=high, unit="s",
                  feature=str(number))  # fmt: skip


def told_apart(x: np.ndarray, y: np.ndarray, sigma: float | None) -> bool:
    """Whether two exponentials are identifiable."""
    fits = fit_laws(MEASUREMENT, x, y, sigma)
    rows = []
    for decay, fitted in fits:
        if decay.law is DOUBLE:
            ends = profile_decay(decay, fitted)
            rows = [relaxation_time(k, *ends[name], fitted.value(name)) for k, name in enumerate(DOUBLE.taus, 1)]
    return identifiability(MEASUREMENT, "pairs", fits, rows).value == 1


# --- certified references
@pytest.mark.parametrize("name", ["MGH17", "Lanczos1", "Lanczos2", "Lanczos3"])
def test_certified_values_of_nist_are_met_without_a_start(name: str) -> None:
    _, values, deviations, data = certified(name)
    y, x = data.T
    if name == "MGH17":
        decay = Decay(DOUBLE, x, y)
        names = ("floor", "amplitude_2", "amplitude_1", "tau_2", "tau_1")
        rates = (3, 4)
    else:
        decay = Decay(TRIPLE, x, y, floor=0.0)
        names = tuple(f"{kind}_{k}" for k in (3, 2, 1) for kind in ("amplitude", "tau"))
        rates = (1, 3, 5)
    fitted = fit_decay(decay)
    for index, parameter in enumerate(names):
        value, deviation = values[index], deviations[index]
        if index in rates:
            value, deviation = 1 / value, deviation / value**2
        assert correct_digits(fitted.value(parameter), value) >= (5 if name == "Lanczos3" else 6), parameter
        # What Lanczos1 leaves as residuals is the rounding of its 14 digits.
        assert correct_digits(fitted.error(parameter), deviation) >= (2 if name == "Lanczos1" else 3), parameter


# --- the laws and their optimum
@pytest.mark.parametrize(("law", "anchor"), [(SINGLE, 0), (STRETCHED, 0), (DOUBLE, 0), (DOUBLE, 1), (TRIPLE, 1)])
def test_derivatives_by_the_shape_are_those_of_differences(law: Law, anchor: int) -> None:
    x = np.array([0.0, 0.1, 0.5, 1.0, 4.0])
    shape = np.array([0.2, 0.4, -0.3])[: len(law.shape)]
    params = lmfit.Parameters()
    for name, value in zip(law.shape, shape, strict=True):
        params.add(name, value=value)

    def decays(trial: lmfit.Parameters) -> np.ndarray:
        return law.decays(x, np.array(list(trial.valuesdict().values())), anchor).ravel()

    values, slopes = law.decays_and_slopes(x, shape, anchor)
    np.testing.assert_allclose(
        slopes.reshape(values.size, -1), central_differences(decays, params, law.shape), atol=1e-9
    )


def test_the_anchor_is_the_time_constant_it_names() -> None:
    shape = np.array([0.7, 0.1, -0.4])
    taus = TRIPLE.log_taus(np.tile(shape, (3, 1)), np.arange(3))
    np.testing.assert_allclose(taus.diagonal(), 0.7)
    np.testing.assert_allclose(np.log(np.expm1(np.diff(taus))), np.tile(shape[1:], (3, 1)))


@pytest.mark.parametrize("law", [DOUBLE, STRETCHED])
@pytest.mark.parametrize("seed", range(3))
def test_no_search_from_spread_starts_finds_a_lower_minimum(law: Law, seed: int) -> None:
    x, y = paired_pulses(12, seed)
    decay = Decay(law, x, y)
    fitted = fit_decay(decay)
    low, high = decay.limits

    def residual(shape: np.ndarray) -> np.ndarray:
        basis = decay.basis(shape)
        return y - basis @ np.linalg.lstsq(basis, y)[0]

    starts = np.random.default_rng(seed).uniform(low, high, (25, low.size))
    others = [least_squares(residual, start, bounds=(low, high)) for start in starts]
    assert fitted.chi_square <= 2 * min(other.cost for other in others) * (1 + 1e-6)


def test_a_known_floor_is_kept_and_sharpens_what_is_left() -> None:
    truth = TRUTH | {"floor": 100.0}
    x, y = paired_pulses(20, 3, truth)
    free, fixed = (fit_decay(Decay(DOUBLE, x, y, SIGMA, floor)) for floor in (None, 100.0))
    assert fixed.value("floor") == 100.0
    assert "floor" not in fixed.names
    for name in ("amplitude_1", "amplitude_2", "tau_1", "tau_2"):
        assert abs(fixed.value(name) - truth[name]) < 4 * fixed.error(name)
        assert fixed.error(name) < free.error(name)


def test_weights_and_scale_of_the_data_are_obeyed() -> None:
    x, y = paired_pulses(20, 4)
    plain = fit_decay(Decay(DOUBLE, x, y, SIGMA))
    scaled = fit_decay(Decay(DOUBLE, 1e3 * x, 1e-9 * y, np.full(20, 1e-9 * SIGMA)))
    assert scaled.value("tau_2") == pytest.approx(1e3 * plain.value("tau_2"), rel=1e-6)
    assert scaled.error("amplitude_1") == pytest.approx(1e-9 * plain.error("amplitude_1"), rel=1e-5)
    sigma = np.full(20, SIGMA)
    sigma[0], y[0] = 1e3, 500.0
    assert fit_decay(Decay(DOUBLE, x, y, sigma)).value("tau_2") == pytest.approx(plain.value("tau_2"), rel=0.2)


def test_three_exponentials_far_more_precise_than_any_grid_are_found() -> None:
    """A read of twenty minutes behind a train: traps of 0.08 and 0.7 s, a polarization that fades in 300 s."""
    x = np.geomspace(0.02, 1200, 54)
    truth = {"floor": 24.0, "amplitude_1": 0.7, "amplitude_2": 0.9, "amplitude_3": 10.0}
    taus = {"tau_1": 0.08, "tau_2": 0.7, "tau_3": 300.0}
    y = truth["floor"] + sum(truth[f"amplitude_{k}"] * np.exp(-x / taus[f"tau_{k}"]) for k in (1, 2, 3))
    fitted = fit_decay(Decay(TRIPLE, x, y, 1e-4))
    for name, value in (truth | taus).items():
        assert fitted.value(name) == pytest.approx(value, rel=1e-4), name
    assert fit_decay(Decay(DOUBLE, x, y, 1e-4)).chi_square > 1e4


def test_a_decay_far_longer_than_the_data_is_a_slope() -> None:
    x = np.linspace(0.05, 10, 60)
    y = 30 + 0.7 * np.exp(-x / 0.08) + 0.9 * np.exp(-x / 0.7) + 5 * np.exp(-x / 300)
    fitted = fit_decay(Decay(DRIFTING, x, y, 1e-3))
    assert fitted.value("slope") == pytest.approx(-5 * math.exp(-5 / 300) / 300, rel=0.01)
    assert fitted.value("tau_2") == pytest.approx(0.7, rel=0.01)
    np.testing.assert_allclose(Decay(DRIFTING, x, y).curve(fitted, x), y, atol=1e-3)


def test_means_over_stretches_are_fitted_as_means() -> None:
    time = 0.01 * (np.arange(6000) + 0.5)
    edges = np.unique(np.round(np.geomspace(1, time.size + 1, 31)).astype(int)) - 1
    counts = np.diff(edges)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, edges[:-1]) / counts

    x, y = mean(time), mean(2.0 * np.exp(-time / 0.7) + 10.0 * np.exp(-time / 20.0))
    spread = np.sqrt(mean(time**2) - x**2)
    known, ignored = (fit_decay(Decay(DOUBLE, x, y, 1e-3, 0.0, each)) for each in (spread, None))
    assert known.value("tau_2") == pytest.approx(20.0, rel=1e-4) and known.chi_square < 1
    assert abs(ignored.value("tau_2") - 20.0) > 100 * abs(known.value("tau_2") - 20.0)
    np.testing.assert_allclose(Decay(DOUBLE, x, y, 1e-3, 0.0, spread).expected(known), y, atol=1e-3)


# --- intervals
@pytest.mark.parametrize("sigma", [SIGMA, None])
def test_profile_agrees_with_an_independent_one(sigma: float | None) -> None:
    x, y = paired_pulses(20, 0)
    decay = Decay(DOUBLE, x, y, sigma)
    fitted = fit_decay(decay)
    params = lmfit.Parameters()
    for name in TRUTH:
        params.add(name, value=fitted.value(name))

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        p = trial.valuesdict()
        law = p["floor"] + sum(p[f"amplitude_{k}"] * np.exp(-x / p[f"tau_{k}"]) for k in (1, 2))
        return (law - y) / (sigma or 1.0)

    minimizer = lmfit.Minimizer(residual, params)
    found = minimizer.minimize()
    threshold = {}
    if sigma is not None:
        threshold = {"prob_func": lambda best, new: math.erf(math.sqrt(max(new.chisqr - best.chisqr, 0) / 2))}
    ends = profile_decay(decay, fitted)
    for name in ("tau_1", "tau_2", "amplitude_1", "floor"):
        low, high = ends[name]
        peer = lmfit.conf_interval(minimizer, found, p_names=[name], sigmas=[0.95], **threshold)[name]
        assert low == pytest.approx(peer[0][1], abs=0.01 * (high - low)), name
        assert high == pytest.approx(peer[2][1], abs=0.01 * (high - low)), name


def test_what_the_data_do_not_bound_has_no_end() -> None:
    x, y = paired_pulses(20, 5)
    early = x < 0.1
    decay = Decay(DOUBLE, x[early], y[early], SIGMA)
    assert profile_decay(decay, fit_decay(decay))["tau_2"][1] == math.inf
    single = Decay(SINGLE, x, 150 + SIGMA * np.random.default_rng(5).standard_normal(20), SIGMA)
    assert profile_decay(single, fit_decay(single))["tau"] == (0.0, math.inf)


@pytest.mark.parametrize("law", LAWS)
def test_every_replicate_of_the_bootstrap_is_at_its_own_optimum(law: Law) -> None:
    x, y = paired_pulses(20, 6)
    decay = Decay(law, x, y, SIGMA)
    fitted = fit_decay(decay)
    drawn = bootstrap_decay(decay, fitted)
    noise = SIGMA * np.random.default_rng(module.SEED).standard_normal((module.REPLICATES, x.size))
    for index in range(0, module.REPLICATES, 20):
        again = fit_decay(replace(decay, y=decay.curve(fitted, x) + noise[index]))
        for name, values in drawn.items():
            assert abs(values[index] - again.value(name)) < 0.02 * fitted.error(name), name


def test_bootstrap_and_covariance_agree_where_the_fit_is_nearly_linear() -> None:
    x, y = paired_pulses(40, 7, TRUTH | {"amplitude_1": 0.0, "amplitude_2": 40.0})
    decay = Decay(SINGLE, x, y, SIGMA)
    fitted = fit_decay(decay)
    for name, values in bootstrap_decay(decay, fitted).items():
        assert values.std() == pytest.approx(fitted.error(name), rel=0.15)


@pytest.mark.costly
# --- two exponentials: what data they need
def test_eight_points_do_not_tell_two_exponentials_apart_and_twenty_do() -> None:
    few = [told_apart(*paired_pulses(8, seed), sigma) for seed in range(12) for sigma in (None, SIGMA)]
    few += [told_apart(*paired_pulses(8, seed, sigma=sigma), sigma) for seed in range(3) for sigma in (0.2, 0.05)]
    assert not any(few)
    assert sum(told_apart(*paired_pulses(20, seed), None) for seed in range(12)) >= 11


@pytest.mark.slow
def test_one_exponential_is_not_taken_for_two() -> None:
    truth = TRUTH | {"amplitude_1": 0.0, "amplitude_2": 21.0}
    for sigma in (None, SIGMA):
        assert not any(told_apart(*paired_pulses(20, seed, truth), sigma) for seed in range(6))


def test_each_objection_is_named() -> None:
    aicc = {SINGLE: 10.0, DOUBLE: 9.0}
    times = [relaxation_time(1, 0.0, 2.0), relaxation_time(2, 1.0, math.inf)]
    assert objections(DOUBLE, {**aicc, STRETCHED: 5.0, DRIFTING: 2.0}, times, points=5, parameters=5) == [
        "5 points for 5 parameters, 15 are needed to test them",
        "AICc is not lower than that of one exponential by 2",
        "AICc of a stretched exponential is lower by 4.0",
        "AICc of a double exponential drift is lower by 7.0",
        "relaxation time 1 has no lower end",
        "relaxation time 2 has no upper end",
        "the intervals of relaxation time 1 and relaxation time 2 overlap",
    ]
    enough = {SINGLE: 60.0, DOUBLE: 10.0}
    loose = [relaxation_time(1, 0.1, 1.0), relaxation_time(2, 1.5, 200.0)]
    assert objections(DOUBLE, enough, loose, 20, 5) == ["relaxation time 2 is known within a factor of 133 only"]
    assert objections(DOUBLE, enough, [], 20, 5) == ["a law of fewer parameters does as well"]
    assert objections(DOUBLE, enough, [relaxation_time(1, 0.1, 1.0), relaxation_time(2, 1.5, 2.0)], 20, 5) == []


# --- rows and curves
def test_rows_hold_every_law_floor_and_interval_and_repeat() -> None:
    x, y = paired_pulses(20, 1)
    fits = fit_laws(MEASUREMENT, x, y, SIGMA, fixed_floor=100.0)
    rows, again = (decay_rows(MEASUREMENT, fits, "percent") for _ in range(2))
    assert repr(rows) == repr(again)  # NaN is not equal to itself
    found = {(row.model, row.parameter, row.feature): row for row in rows}
    for law in LAWS:
        fixed, numbers = f"{law.name}_fixed_floor", ("1", "2") if law.terms == 2 else ("",)
        quoted = [("floor", ""), *((name, k) for name in ("amplitude", "relaxation_time") for k in numbers)]
        for name, number in quoted + [("stretching_exponent", "")] * law.stretched:
            row = found[law.name, name, number]
            assert row.ci_low < row.value < row.ci_high
            assert row.standard_error == pytest.approx((row.ci_high - row.ci_low) / 3.92, rel=1e-3)
            assert found[law.name, f"bootstrap_error_of_{name}", number].unit == row.unit
            assert ((fixed, name, number) in found) == (name != "floor")
        assert found[law.name, "aicc", ""].value < found[fixed, "aicc", ""].value
    tau = found[DOUBLE.name, "relaxation_time", "2"]
    assert (tau.unit, tau.n, tau.origin) == ("s", 20, "simulated")
    # The profile is lopsided where the covariance is not: that is why it is there.
    assert tau.ci_high - tau.value > 1.2 * (tau.value - tau.ci_low)
    with_free_floor = [(decay, fitted) for decay, fitted in fits if decay.floor is None]
    verdict = identifiability(MEASUREMENT, "pairs", with_free_floor, rows)
    assert (verdict.value, verdict.parameter, verdict.feature) == (1, "identifiable", DOUBLE.name)
    assert verdict.method.startswith("two exponentials are identifiable (AICc lower by ")


def test_a_law_that_misses_the_points_has_no_parameters_and_one_that_is_not_needed_neither() -> None:
    rng = np.random.default_rng(4)
    x = np.geomspace(0.01, 10, 50)
    exact = 5 + 1.0 * np.exp(-x / 0.08) + 1.2 * np.exp(-x / 0.7)
    fits = fit_laws(MEASUREMENT, x, exact + 0.01 * rng.standard_normal(50), 0.01, laws=TAIL_LAWS)
    rows = supported_rows(MEASUREMENT, fits, "A")
    with_parameters = {row.model for row in rows if row.parameter == "floor"}
    assert with_parameters == {DOUBLE.name}
    aicc = {row.model: row for row in rows if row.parameter == "aicc"}
    assert set(aicc) == {law.name for law in TAIL_LAWS}
    assert aicc[SINGLE.name].method.endswith("not supported: no parameters are given")
    assert aicc[SINGLE.name].value > aicc[DOUBLE.name].value + 10
    assert identifiability(MEASUREMENT, "relaxation", fits, rows).value == 1
    three = identifiability(MEASUREMENT, "relaxation", fits, rows, TRIPLE)
    words = "three exponentials are not identifiable: AICc is not lower than that of two exponentials by 2"
    assert three.value == 0 and three.method.startswith(words)


def test_errors_are_widened_where_even_the_best_law_misses_the_points() -> None:
    x = np.geomspace(0.01, 10, 50)
    y = 5 - np.log10(x)  # a decay over three decades
    scatter = 0.01 * np.random.default_rng(5).standard_normal(50)
    rows = supported_rows(MEASUREMENT, fit_laws(MEASUREMENT, x, y + scatter, 0.002), "A")
    widened = [row for row in rows if "errors widened" in row.method]
    assert widened and all(row.reduced_chi_square > 2 for row in widened)
    exact = supported_rows(MEASUREMENT, fit_laws(MEASUREMENT, x, 5 + np.exp(-x) + scatter, 0.01), "A")
    assert not any("widened" in row.method for row in exact)


def test_laws_with_too_many_parameters_are_left_out() -> None:
    x, y = paired_pulses(5, 1)
    fits = fit_laws(MEASUREMENT, x, y, None)
    rows = decay_rows(MEASUREMENT, fits, "percent")
    assert {row.model for row in rows} == {SINGLE.name, STRETCHED.name}
    assert "5 points are too few" in identifiability(MEASUREMENT, "pairs", fits, rows).method


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:4], y[:4], None), "ppf: 4 different points; a law of relaxation needs 5"),
        (lambda x, y: (x, np.where(x < 0.02, np.nan, y), None), "ppf: values .* not finite"),
        (lambda x, y: (x - 1, y, None), "ppf: relaxation begins at 0, found -0.99"),
        (lambda x, y: (x, y, np.zeros(20)), "ppf: uncertainties must be positive"),
    ],
)
def test_data_that_cannot_be_fitted_are_named(change, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        fit_laws(MEASUREMENT, *change(*paired_pulses(20, 1)))


def test_curves_follow_the_laws_and_carry_units() -> None:
    x, y = paired_pulses(20, 1)
    fits = fit_laws(MEASUREMENT, x, y, SIGMA, 100.0)
    laws = law_curves(fits, "percent")
    for decay, fitted in fits:
        on_points = np.interp(np.log(x), np.log(laws.interval), laws[decay.model])
        np.testing.assert_allclose(decay.curve(fitted, x), on_points, rtol=1e-3)
        assert laws[decay.model].attrs["terms"] == decay.law.terms
    for name, data in laws.variables.items():
        assert {"units", "long_name"} <= set(data.attrs), name


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [SIGMA, None])
def test_intervals_cover_the_truth(sigma: float | None) -> None:
    covered = dict.fromkeys(TRUTH, 0)
    draws = 400
    for seed in range(draws):
        x, y = paired_pulses(20, seed)
        decay = Decay(DOUBLE, x, y, sigma)
        ends = profile_decay(decay, fit_decay(decay))
        for name, value in TRUTH.items():
            low, high = ends[name]
            covered[name] += low <= value <= high
    shares = {name: count / draws for name, count in covered.items()}
    print(shares)
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [SIGMA, None])
def test_verdict_over_many_draws(sigma: float | None) -> None:
    few = sum(told_apart(*paired_pulses(8, seed), sigma) for seed in range(40))
    many = sum(told_apart(*paired_pulses(20, seed), sigma) for seed in range(200))
    print(sigma, few, many)
    assert few == 0
    assert many >= 190
