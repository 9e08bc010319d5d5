"""The fit engine against lmfit and SciPy: the same data, model, start and weights, in turns in one process.

Run with ``uv run pytest tests/benchmarks/test_fits.py -m "" -o addopts= -s``; ``extra_info`` holds the medians. The
engine does more than the peers: it refines the minimum, judges whether the model describes the data and widens errors.
"""

from collections.abc import Callable

import lmfit
import numpy as np
import pytest
from relaxor.stats.fit import fit
from relaxor.stats.line_shapes import lorentzian
from scipy.optimize import curve_fit

from tests.benchmarks.turns import medians

pytestmark = pytest.mark.slow


def lines(x: np.ndarray, level: float, slope: float, *shapes: float) -> np.ndarray:
    """Return Lorentzian lines (area, centre, width of each) on a straight baseline."""
    return level + slope * x + sum(lorentzian(x, *shapes[at : at + 3]) for at in range(0, len(shapes), 3))


def decays(x: np.ndarray, level: float, first: float, fast: float, second: float, slow: float) -> np.ndarray:
    """Return a relaxation of two times."""
    return level + first * np.exp(-x / fast) + second * np.exp(-x / slow)


CENTRES = (20.0, 35.0, 50.0, 65.0, 80.0)
CASES = {
    "five lines": (lines, np.linspace(0, 100, 600), [100.0, 0.2, *np.ravel([(900.0, at, 4.0) for at in CENTRES])]),
    "two relaxation times": (decays, np.linspace(0, 10, 400), [5.0, 20.0, 0.4, 12.0, 3.0]),
}


@pytest.mark.parametrize("case", CASES)
def test_fits_against_lmfit_and_scipy(benchmark, case):
    model, x, truth = CASES[case]
    sigma = 0.5
    y = model(x, *truth) + np.random.default_rng(0).normal(0, sigma, x.size)
    start = np.array(truth) * np.where(np.arange(len(truth)) % 2, 1.02, 0.95)
    params = lmfit.Parameters()
    for number, value in enumerate(start):
        params.add(f"p{number}", value)

    def residual(found: lmfit.Parameters) -> np.ndarray:
        return (y - model(x, *found.valuesdict().values())) / sigma

    runs: dict[str, Callable[[], np.ndarray]] = {
        "here": lambda: values_of(fit(residual, params, absolute_sigma=True).params),
        "lmfit": lambda: values_of(lmfit.minimize(residual, params, scale_covar=False).params),
        "scipy": lambda: curve_fit(model, x, y, start, np.full(x.size, sigma), absolute_sigma=True)[0],
    }
    best = runs["scipy"]()
    for run in runs.values():
        np.testing.assert_allclose(run(), best, rtol=1e-3)
    seconds = medians(runs, 7)
    benchmark.extra_info |= {name: round(median, 4) for name, median in seconds.items()}
    print(f"\n{case}:", ", ".join(f"{name} {1e3 * median:.1f} ms" for name, median in seconds.items()))
    benchmark.pedantic(runs["here"])


def values_of(params: lmfit.Parameters) -> np.ndarray:
    return np.array(list(params.valuesdict().values()))
