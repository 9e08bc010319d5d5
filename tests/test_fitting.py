"""The fit engine against certified references, and its statistics against what statistics promise."""

import math
from collections.abc import Callable
from functools import partial

import lmfit
import numpy as np
import pytest
from relaxor.core.results import Status
from relaxor.stats.counts import poisson_uncertainty
from relaxor.stats.fit import combination, fit, fit_counts, parameters, poisson_residual
from relaxor.stats.intervals import profile_interval
from relaxor.stats.line_shapes import gaussian, lorentzian, pseudo_voigt, voigt, voigt_fwhm
from scipy import stats
from scipy.integrate import trapezoid
from scipy.optimize import brentq
from scipy.signal import fftconvolve

from tests.certified import certified, correct_digits

EXP = np.exp

MODELS: dict[str, Callable[..., np.ndarray]] = {
    "Gauss1": lambda x, b: (
        b[0] * EXP(-b[1] * x) + b[2] * EXP(-(((x - b[3]) / b[4]) ** 2)) + b[5] * EXP(-(((x - b[6]) / b[7]) ** 2))
    ),
    "Eckerle4": lambda x, b: b[0] / b[1] * EXP(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "MGH17": lambda x, b: b[0] + b[1] * EXP(-x * b[3]) + b[2] * EXP(-x * b[4]),
    "Lanczos1": lambda x, b: b[0] * EXP(-b[1] * x) + b[2] * EXP(-b[3] * x) + b[4] * EXP(-b[5] * x),
    "Misra1a": lambda x, b: b[0] * (1 - EXP(-b[1] * x)),
}
MODELS |= {name: MODELS["Gauss1"] for name in ("Gauss2", "Gauss3")}
MODELS |= {name: MODELS["Lanczos1"] for name in ("Lanczos2", "Lanczos3")}
MODELS["BoxBOD"] = MODELS["Misra1a"]


@pytest.mark.parametrize("start", [0, 1], ids=["start1", "start2"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_certified_values_of_nist_are_met_from_both_starts(name: str, start: int) -> None:
    starts, values, deviations, data = certified(name)
    y, x = data.T
    params = parameters(**{f"b{i}": value for i, value in enumerate(starts[start], start=1)})

    # The order of the residuals is not examined: the certified errors are those of independent residuals.
    result = fit(
        lambda p: MODELS[name](x, list(p.valuesdict().values())) - y, params, absolute_sigma=False, ordered=False
    )

    names = list(params)
    if name == "MGH17" and result.value("b4") > result.value("b5"):
        names = ["b1", "b3", "b2", "b5", "b4"]  # its two terms are alike; which is found as the first one is chance
    digits = [correct_digits(result.value(each), value) for each, value in zip(names, values, strict=True)]
    assert min(digits) >= (5 if name == "Lanczos3" else 6)
    digits = [correct_digits(result.error(each), value) for each, value in zip(names, deviations, strict=True)]
    assert min(digits) >= 3


def straight_line(rng: np.random.Generator, n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-1, 1, n)
    return x, 3 + 2 * x + rng.normal(0, 0.1, n)


def test_covariance_of_a_straight_line_is_the_textbook_one() -> None:
    x, y = straight_line(np.random.default_rng(1))
    result = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, parameters(a=0.0, b=0.0), absolute_sigma=True)
    expected = np.linalg.inv(np.array([[x.size, x.sum()], [x.sum(), x @ x]])) * 0.1**2
    np.testing.assert_allclose(result.covariance, expected, rtol=1e-8, atol=1e-12)
    assert combination(result, {"a": 1.0, "b": 0.5}) == pytest.approx(
        math.sqrt(expected[0, 0] + 0.25 * expected[1, 1] + expected[0, 1])
    )


def test_scale_of_residuals_does_not_matter_where_it_is_estimated() -> None:
    x, y = straight_line(np.random.default_rng(2))
    fits = [
        fit(lambda p, s=scale: s * (p["a"] + p["b"] * x - y), parameters(a=1.0, b=1.0), absolute_sigma=False)
        for scale in (1.0, 1e-9, 1e9)
    ]
    for other in fits[1:]:
        assert other.value("b") == pytest.approx(fits[0].value("b"), rel=1e-9)
        assert other.error("b") == pytest.approx(fits[0].error("b"), rel=1e-6)
    # A common factor shifts the criterion by the same constant for every model.
    simple = [
        fit(lambda p, s=scale: s * (p["a"] - y), parameters(a=1.0), absolute_sigma=False) for scale in (1.0, 1e-9)
    ]
    assert simple[0].aicc - fits[0].aicc == pytest.approx(simple[1].aicc - fits[1].aicc)


def test_error_of_a_constrained_parameter_follows_from_its_expression() -> None:
    x, y = straight_line(np.random.default_rng(3))
    params = parameters(a=1.0, b=1.0, twice={"expr": "2 * b"}, total={"expr": "a + b"})
    result = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, params, absolute_sigma=True)
    assert result.error("twice") == pytest.approx(2 * result.error("b"))
    assert result.error("total") == pytest.approx(combination(result, {"a": 1, "b": 1}))


def test_parameter_at_its_bound_is_named_and_does_not_spoil_the_others() -> None:
    x, y = straight_line(np.random.default_rng(4))
    params = parameters(a=1.0, b=(0.5, 0.0, 1.9))
    result = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, params, absolute_sigma=True)
    assert result.value("b") == pytest.approx(1.9)
    assert result.held == {"b"}
    # The data are a little steeper than the bound allows, and the misfit is not beyond chance.
    assert result.adequacy.status == Status.OK
    assert result.error("b") == pytest.approx(0.1 / np.linalg.norm(x))
    assert result.error("a") == pytest.approx(0.1 / math.sqrt(x.size))
    adequacy = result.judged("b")[2]
    assert adequacy.status == Status.AT_BOUND and "at bound: the fit ended at b = 1.9" in adequacy.remark
    assert result.judged("a")[2].status == Status.OK


def test_fixed_parameter_has_no_error_even_after_an_earlier_fit() -> None:
    x, y = straight_line(np.random.default_rng(5))
    first = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, parameters(a=1.0, b=1.0), absolute_sigma=True)
    again = first.params.copy()
    again["b"].vary = False
    second = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, again, absolute_sigma=True)
    assert first.error("b") > 0
    assert second.error("b") == 0


def test_data_that_do_not_determine_the_parameters_give_no_error() -> None:
    x, y = straight_line(np.random.default_rng(6))
    result = fit(lambda p: (p["a"] + p["b"] + 2 * x - y) / 0.1, parameters(a=1.0, b=1.0), absolute_sigma=True)
    assert not result.converged
    assert result.adequacy.status == Status.NOT_IDENTIFIED
    assert "did not converge, or the data do not determine" in result.adequacy.remark
    assert result.reduced_chi_square < 3


def test_residuals_that_are_not_finite_at_the_start_are_refused() -> None:
    with pytest.raises(ValueError, match="2 of 3 residuals are not finite at the start"):
        fit(lambda p: np.array([p["a"], np.nan, np.inf]), parameters(a=1.0), absolute_sigma=True)


def test_more_parameters_than_points_are_refused() -> None:
    with pytest.raises(ValueError, match="1 points cannot determine 2 parameters"):
        fit(lambda p: np.array([p["a"] + p["b"]]), parameters(a=1.0, b=1.0), absolute_sigma=True)


def test_analytic_derivatives_change_nothing_but_the_time() -> None:
    x = np.linspace(0, 5, 30)
    y = 4 * EXP(-x / 1.3) + np.random.default_rng(7).normal(0, 0.05, 30)

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (p["a"] * EXP(-x / p["tau"]) - y) / 0.05

    def jacobian(p: lmfit.Parameters) -> np.ndarray:
        decay = EXP(-x / p["tau"])
        return np.column_stack([decay, p["a"] * x / p["tau"] ** 2 * decay]) / 0.05

    params = parameters(a=1.0, tau=(0.5, 0.1, 10.0))
    numeric = fit(residual, params, absolute_sigma=True)
    analytic = fit(residual, params, absolute_sigma=True, jacobian=jacobian)
    for name in ("a", "tau"):
        assert analytic.value(name) == pytest.approx(numeric.value(name), rel=1e-7)
        assert analytic.error(name) == pytest.approx(numeric.error(name), rel=1e-6)


# --- profile likelihood
def test_profile_of_a_linear_parameter_is_the_usual_interval() -> None:
    x, y = straight_line(np.random.default_rng(8))

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (p["a"] + p["b"] * x - y) / 0.1

    for absolute, quantile in ((True, 1.959964), (False, stats.t.ppf(0.975, 10))):
        result = fit(residual, parameters(a=0.0, b=0.0), absolute_sigma=absolute)
        low, high = profile_interval(residual, result, "b")
        assert high - result.value("b") == pytest.approx(quantile * result.error("b"), rel=2e-3)
        assert result.value("b") - low == pytest.approx(quantile * result.error("b"), rel=2e-3)


@pytest.mark.parametrize("name", ["Misra1a", "BoxBOD", "MGH17", "Eckerle4"])
def test_profile_agrees_with_an_independent_one(name: str) -> None:
    starts, _, _, data = certified(name)
    y, x = data.T
    params = parameters(**{f"b{i}": value for i, value in enumerate(starts[1], start=1)})

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return MODELS[name](x, list(p.valuesdict().values())) - y

    result = fit(residual, params, absolute_sigma=False, ordered=False)
    low, high = profile_interval(residual, result, "b2")

    minimizer = lmfit.Minimizer(residual, result.params)
    peer = lmfit.conf_interval(minimizer, minimizer.minimize(), p_names=["b2"], sigmas=[0.95])["b2"]
    width = high - low
    assert low == pytest.approx(peer[0][1], abs=5e-3 * width)
    assert high == pytest.approx(peer[2][1], abs=5e-3 * width)


def test_profile_stops_at_a_bound_and_says_where_there_is_no_end() -> None:
    x = np.linspace(0, 1, 20)
    y = np.ones(20) + np.random.default_rng(9).normal(0, 0.1, 20)

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (1 - EXP(-x / p["tau"] - 5) - y) / 0.1

    bounded = fit(residual, parameters(tau=(1.0, 0.1, 3.0)), absolute_sigma=True)
    assert profile_interval(residual, bounded, "tau") == (pytest.approx(0.1), pytest.approx(3.0))
    free = fit(residual, parameters(tau=(1.0, 0.1, np.inf)), absolute_sigma=True)
    assert profile_interval(residual, free, "tau")[1] == np.inf


# --- model comparison
def test_aicc_of_known_scale_is_chi_square_and_penalty() -> None:
    x, y = straight_line(np.random.default_rng(10))
    result = fit(lambda p: (p["a"] + p["b"] * x - y) / 0.1, parameters(a=0.0, b=0.0), absolute_sigma=True)
    assert result.aicc == pytest.approx(result.chi_square + 4 + 12 / 9)


def test_aicc_of_unknown_scale_counts_the_scale() -> None:
    x, y = straight_line(np.random.default_rng(11))
    result = fit(lambda p: p["a"] + p["b"] * x - y, parameters(a=0.0, b=0.0), absolute_sigma=False)
    assert result.aicc == pytest.approx(12 * math.log(result.chi_square / 12) + 6 + 24 / 8)


def test_aicc_is_infinite_where_points_do_not_suffice() -> None:
    x = np.arange(3.0)
    result = fit(lambda p: p["a"] + p["b"] * x - x**2, parameters(a=0.0, b=0.0), absolute_sigma=False)
    assert result.aicc == math.inf


# --- counts
def test_poisson_residual_is_the_deviance_everywhere() -> None:
    counts = np.array([0.0, 1.0, 5.0, 1e4, 1e4, 1e9])
    expected = np.array([0.3, 1.0, 9.0, 1e4 + 1, 1.2e4, 1e9 - 3e4])
    poisson = stats.poisson
    deviance = 2 * (poisson.logpmf(counts, np.maximum(counts, 1e-300)) - poisson.logpmf(counts, expected))
    residual = poisson_residual(counts, expected)
    np.testing.assert_allclose(residual[:5] ** 2, deviance[:5], rtol=1e-4, atol=1e-9)
    assert (np.sign(residual) == np.sign(counts - expected)).all()
    assert residual[5] == pytest.approx((counts[5] - expected[5]) / math.sqrt(counts[5]), rel=1e-4)


def test_poisson_residual_survives_impossible_expectations() -> None:
    assert np.isfinite(poisson_residual(np.array([0.0, 3.0]), np.array([-1.0, 0.0]))).all()


def test_likelihood_of_few_counts_is_not_biased_and_weights_are() -> None:
    counts = np.random.default_rng(12).poisson(1.5, 4000).astype(float)

    def expected(p: lmfit.Parameters) -> np.ndarray:
        return np.full(counts.size, p["level"].value)

    result = fit_counts(expected, counts, parameters(level=3.0))
    assert result.value("level") == pytest.approx(counts.mean(), rel=1e-6)
    assert result.error("level") == pytest.approx(math.sqrt(counts.mean() / counts.size), rel=1e-6)
    weighted = fit(
        lambda p: (expected(p) - counts) / poisson_uncertainty(counts),
        parameters(level=3.0),
        absolute_sigma=True,
    )
    assert weighted.value("level") < counts.mean() - 10 * result.error("level")


def test_error_of_a_weak_line_is_that_of_many_repetitions() -> None:
    rng, x = np.random.default_rng(13), np.linspace(-5, 5, 60)

    def expected(p: lmfit.Parameters) -> np.ndarray:
        return p["level"] + gaussian(x, p["area"].value, 0.0, 2.0)

    truth = expected(parameters(level=0.8, area=6.0))
    fits = [fit_counts(expected, rng.poisson(truth), parameters(level=1.0, area=3.0)) for _ in range(150)]
    areas = np.array([result.value("area") for result in fits])
    errors = np.array([result.error("area") for result in fits])
    assert areas.mean() == pytest.approx(6.0, abs=4 * areas.std() / math.sqrt(150))
    assert errors.mean() == pytest.approx(areas.std(), rel=0.2)


# --- line shapes
@pytest.mark.parametrize("shape", [gaussian, lorentzian, partial(pseudo_voigt, eta=0.4)])
def test_line_shapes_have_their_area_and_width(shape: Callable[..., np.ndarray]) -> None:
    x = np.linspace(-4000, 4000, 800_001)
    y = shape(x, 7.0, 0.5, 3.0)
    assert trapezoid(y, x) == pytest.approx(7.0, rel=2e-3)
    above = x[y >= y.max() / 2]
    assert above[-1] - above[0] == pytest.approx(3.0, abs=0.03)
    assert x[np.argmax(y)] == pytest.approx(0.5, abs=0.01)


def test_voigt_is_the_convolution() -> None:
    x = np.linspace(-200, 200, 40_001)
    step = x[1] - x[0]
    convolved = fftconvolve(gaussian(x, 1.0, 0.0, 1.5), lorentzian(x, 3.0, 0.0, 0.8), mode="same") * step
    middle = slice(15_000, 25_000)
    np.testing.assert_allclose(voigt(x, 3.0, 0.0, 1.5, 0.8)[middle], convolved[middle], rtol=2e-4)


@pytest.mark.parametrize("lorentzian_share", [0.0, 0.1, 0.5, 1.0, 2.0, 10.0])
def test_width_of_voigt_is_good_to_its_stated_accuracy(lorentzian_share: float) -> None:
    def height(half: float) -> float:
        line = voigt(np.array([0.0, half]), 1.0, 0.0, 1.0, lorentzian_share)
        return line[1] / line[0] - 0.5

    width = 2 * brentq(height, 0.1, 20.0)
    assert voigt_fwhm(1.0, lorentzian_share) == pytest.approx(width, rel=3e-4)


def test_a_search_that_is_cut_short_gives_no_errors(monkeypatch):
    monkeypatch.setattr("relaxor.stats.optimizer.SEARCH_CALLS", 20)
    starts, _, _, data = certified("MGH17")
    y, x = data.T

    def residual(params):
        return MODELS["MGH17"](x, list(params.valuesdict().values())) - y

    fitted = fit(residual, parameters(**{f"b{i}": value for i, value in enumerate(starts[0])}), absolute_sigma=False)
    assert np.isnan([fitted.error(name) for name in fitted.names]).all()


def test_a_minimum_in_a_kink_of_the_model_has_errors():
    x = np.linspace(0, 10, 101)
    found = []
    for seed in range(60):
        y = np.maximum(x - 5, 0) + np.random.default_rng(seed).normal(0, 0.1, x.size)  # the joint lies at a reading
        residual = lambda p, y=y: (p["slope"] * np.maximum(x - p["joint"], 0) - y) / 0.1  # noqa: E731
        fitted = fit(residual, parameters(slope=0.8, joint=4.0), absolute_sigma=True)
        found.append([(fitted.value(name) - true) / fitted.error(name) for name, true in (("slope", 1), ("joint", 5))])
    assert np.isfinite(found).all()
    assert np.std(found, axis=0) == pytest.approx([1, 1], abs=0.25)


def test_errors_of_expressions_of_expressions_are_propagated():
    x = np.linspace(1, 5, 30)
    y = 3.0 * x + np.random.default_rng(1).normal(0, 0.1, x.size)
    params = parameters(a=1.0, b={"expr": "2 * a"}, c={"expr": "3 * b"})
    found = fit(lambda p: (p["a"].value * x - y) / 0.1, params, absolute_sigma=True)
    assert found.error("c") == pytest.approx(6 * found.error("a"), rel=1e-6)
