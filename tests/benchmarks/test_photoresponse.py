"""The fit of the optical response to all runs of a session; target: well under 10 s on one core.

Run with ``uv run pytest tests/benchmarks/test_photoresponse.py --benchmark-only -o addopts=``. A session has the
runs of all series of a wavelength and seven repeats of the sixteen codes.
"""

import numpy as np
from relaxor.synapse.photoresponse.response import fit_response

from tests.test_photoresponse import session


def test_a_session(benchmark):
    series, codes = session(np.random.default_rng(1), 7)
    response = benchmark.pedantic(fit_response, (series + codes,), rounds=3, warmup_rounds=1)
    assert response.runs == len(series) + len(codes)
