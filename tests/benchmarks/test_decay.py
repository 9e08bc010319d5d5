"""All laws, profile intervals and bootstraps of twelve decays; target: well under 60 s, 5 times as fast as lmfit alone.

Run with ``uv run pytest tests/benchmarks/test_decay.py --benchmark-enable --benchmark-only -o addopts=``.
Twelve data sets of 20 points are what the paired-pulse and relaxation panels hold. The peer is the usual route on
the same data, in turns in the same process: `lmfit.Minimizer` for the fit and for each replicate,
`lmfit.conf_interval` for the intervals. It starts from the solutions found here, which spares it the search.
``extra_info`` holds the ratio of CPU times.
"""

import time
from collections.abc import Callable

import lmfit
import numpy as np
import pytest
from relaxor.stats.decay import REPLICATES, SEED, Decay, Law, fit_decay
from relaxor.synapse.relaxation import LAWS, decay_rows, fit_laws

from tests.test_decay import MEASUREMENT, SIGMA, paired_pulses

DATA_SETS = 12
DATA = [paired_pulses(20, seed) for seed in range(DATA_SETS)]


def here() -> None:
    for x, y in DATA:
        decay_rows(MEASUREMENT, fit_laws(MEASUREMENT, x, y, SIGMA), "percent")


def curve(law: Law, x: np.ndarray) -> Callable[[dict[str, float]], np.ndarray]:
    def value(p: dict[str, float]) -> np.ndarray:
        pairs = zip(law.amplitudes, law.taus, strict=True)
        beta = p.get("beta", 1.0)
        return p["floor"] + sum(p[a] * np.exp(-((x / abs(p[tau])) ** beta)) for a, tau in pairs)

    return value


def peer(law: Law, x: np.ndarray, y: np.ndarray, solution: lmfit.Parameters) -> None:
    params = lmfit.Parameters()
    for name in ("floor", *law.amplitudes, *law.taus, *(["beta"] if law.stretched else [])):
        params.add(name, value=solution[name].value)
    model = curve(law, x)

    def residual(trial: lmfit.Parameters, data: np.ndarray) -> np.ndarray:
        return (model(trial.valuesdict()) - data) / SIGMA

    minimizer = lmfit.Minimizer(residual, params, fcn_args=(y,))
    best = minimizer.minimize()
    expected = model(best.params.valuesdict())
    noise = SIGMA * np.random.default_rng(SEED).standard_normal((REPLICATES, x.size))
    for drawn in expected + noise:
        lmfit.Minimizer(residual, best.params, fcn_args=(drawn,)).minimize()
    lmfit.conf_interval(minimizer, best, sigmas=[0.95])


@pytest.mark.slow
def test_decays_of_the_figures(benchmark):
    benchmark.pedantic(here, rounds=1, warmup_rounds=1)
    seconds, peer_seconds = 0.0, 0.0
    for x, y in DATA:
        start = time.process_time()
        decay_rows(MEASUREMENT, fit_laws(MEASUREMENT, x, y, SIGMA), "percent")
        seconds += time.process_time() - start
        solutions = [(law, fit_decay(Decay(law, x, y, SIGMA)).params) for law in LAWS]
        start = time.process_time()
        for law, solution in solutions:
            peer(law, x, y, solution)
        peer_seconds += time.process_time() - start
    benchmark.extra_info |= {"cpu_seconds": round(seconds, 2), "lmfit_cpu_seconds": round(peer_seconds, 2)}
    benchmark.extra_info["times_as_fast"] = round(peer_seconds / seconds, 1)
    print(f"\n{DATA_SETS} decays: {seconds:.2f} s of CPU here, {peer_seconds:.2f} s with lmfit alone")
