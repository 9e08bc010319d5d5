"""From a trace of 10⁷ samples to its table of events; target: under 2 s and under 1 GB, the trace among it.

Run with ``uv run pytest tests/benchmarks/test_events.py --benchmark-enable -o addopts=``.
Many short pulses cost by their number, long windows by their samples; ``extra_info`` holds the pulses found.
"""

import tracemalloc

import numpy as np
import pytest
from relaxor.core.results import Measurement
from relaxor.synapse.events import find_pulses, measure_pulses
from relaxor.synapse.traces import Trace

SAMPLES = 10**7
STEP = 1e-3
TRAINS = {"100000 pulses": (100, 0.01), "1000 pulses": (10_000, 1.0), "windows as long as the intervals": (10_000, 5.0)}
"""What it is → samples in a period, half of them a pulse; window of reading, s."""


def train(period: int) -> Trace:
    """Pulses of alternating sign on a read voltage, recorded apart from the voltage as the power of light is."""
    rng = np.random.default_rng(1)
    phase = (np.arange(SAMPLES) + 3 * period // 4) % (2 * period)
    voltage = np.full(SAMPLES, 0.5)
    voltage[(phase >= period // 2) & (phase < period)] = 5.0
    voltage[phase >= 3 * period // 2] = -3.0
    current = rng.normal(2e-10 * voltage, 1e-12)
    measurement = Measurement("train", {}, {}, {})
    return Trace(measurement, "1", np.arange(SAMPLES) * STEP, current, voltage, voltage.copy(), "V")


def find_events(trace: Trace, read_window: float):
    pulses, glitches, trace = find_pulses(trace)
    return measure_pulses(trace, pulses, glitches, read_window)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINS)
def test_time(benchmark, name):
    period, window = TRAINS[name]
    trace = train(period)
    table = benchmark.pedantic(find_events, (trace,), {"read_window": window}, rounds=3)
    assert abs(len(table) - SAMPLES / period) <= 1 and table["kept"].mean() > 0.99
    benchmark.extra_info["pulses"] = len(table)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINS)
def test_memory(name):
    period, window = TRAINS[name]
    tracemalloc.start()
    try:
        trace = train(period)
        tracemalloc.reset_peak()
        find_events(trace, read_window=window)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"\n{name}: {held / 1e6:.0f} MB of trace, {peak / 1e6:.0f} MB at most")
    assert peak < 1e9
