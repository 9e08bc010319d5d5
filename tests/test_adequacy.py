"""One rule judges every fit: misfits are found and widen errors, and noise alone is rarely called a misfit."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from relaxor.core.results import Adequacy, Number, Status
from relaxor.core.storage import budget_table
from relaxor.stats.adequacy import together
from relaxor.stats.fit import Fit, fit, fit_counts, parameters

X = np.linspace(0, 10, 200)
DRAWS = 300


def line(noise: Callable[[np.random.Generator], np.ndarray], bend: float, known: bool, seed: int) -> Fit:
    y = 1 + 2 * X + bend * np.sin(X) + noise(np.random.default_rng(seed))
    return fit(lambda p: (p["a"] + p["b"] * X - y) / 0.1, parameters(a=0.0, b=0.0), absolute_sigma=known)


def white(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 0.1, X.size)


@pytest.mark.parametrize("known", [True, False])
def test_noise_alone_is_rarely_a_misfit(known: bool) -> None:
    flagged = [line(white, 0.0, known, seed).adequacy.status != Status.OK for seed in range(DRAWS)]
    assert np.mean(flagged) <= 0.03


@pytest.mark.parametrize("known", [True, False])
def test_a_smooth_misfit_is_found_whether_the_noise_is_known_or_not(known: bool) -> None:
    """Chi-square of residuals that set their own scale cannot show a bend as large as the noise; their order can."""
    found = [line(white, 0.1, known, seed) for seed in range(40)]
    assert np.mean([each.adequacy.status == Status.MISFIT for each in found]) >= 0.95
    assert all("misfit" in each.adequacy.remark for each in found if each.adequacy.status != Status.OK)
    assert np.median([each.adequacy.scale for each in found]) > 1.5


def test_a_misfit_widens_errors_covariance_and_rows_alike() -> None:
    good, bad = line(white, 0.0, True, 1), line(white, 1.0, True, 1)
    scale = bad.adequacy.scale
    assert scale > math.sqrt(bad.reduced_chi_square) > 3
    assert bad.error("b") == pytest.approx(scale * good.error("b"), rel=1e-6)
    assert math.sqrt(bad.covariance[1, 1]) == pytest.approx(bad.error("b"))


@pytest.mark.costly
@pytest.mark.parametrize("level", [0.3, 1.5, 30.0, 1e5])
def test_counts_of_any_size_are_judged_alike(level: float) -> None:
    def flagged(seed: int) -> bool:
        counts = np.random.default_rng(seed).poisson(level, 500).astype(float)
        found = fit_counts(lambda p: np.full(500, p["level"].value), counts, parameters(level=(level, 0.0, math.inf)))
        return found.adequacy.status != Status.OK

    assert np.mean([flagged(seed) for seed in range(DRAWS)]) <= 0.03


def test_slow_noise_counts_as_fewer_points() -> None:
    """The mean of an autoregressive series has √((1 + r)/(1 − r)) times the error of independent points."""
    rng = np.random.default_rng(3)
    series = np.zeros((200, 2000))
    for step in range(1, series.shape[1]):
        series[:, step] = 0.8 * series[:, step - 1] + rng.normal(size=200)
    found = [together(each - each.mean()) for each in series]
    assert np.mean(found) == pytest.approx(1.8 / 0.2, rel=0.1)


def test_the_budget_adds_up_to_the_combined_uncertainty() -> None:
    number = Number("m", "line", "slope", 2.0, 0.3).judged(Adequacy(Status.MISFIT, 3.0, "misfit: bent"))
    number = number.with_component("scale", 0.4, "settings").with_component("nothing", 0.0, "settings")
    assert number.standard_error == pytest.approx(0.3) and number.ci_high == pytest.approx(2 + 1.96 * 0.3, rel=1e-4)
    assert number.status == "misfit" and number.method == "misfit: bent" and number.systematic_error == 0.4
    table = budget_table([number])
    assert table["kind"].tolist() == ["statistical", "misfit", "systematic"]
    assert math.hypot(*table["value"]) == pytest.approx(math.hypot(0.3, 0.4))
    half = number.scaled(-0.5)
    assert (half.value, half.standard_error, half.systematic_error) == pytest.approx((-1.0, 0.15, 0.2))
    assert half.ci_low < half.value < half.ci_high


def test_the_worse_status_stays() -> None:
    number = Number("m", "line", "slope", 2.0, 0.1).flagged(Status.LIMIT, "limit").flagged(Status.ASSUMED, "assumed")
    assert number.status == "limit" and number.method == "limit; assumed"
