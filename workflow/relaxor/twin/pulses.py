"""Sample traces of electrical pulses on the synapse, as a Keithley 4200A-SCS saves them: full time traces.

Every run starts on a device that was reset. Pulses of 5 V and 100 ms, reads at 0.5 V (paper, Fig. 2b–2g, S8, S9).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from relaxor.twin import SampleFile, Truth
from relaxor.twin.synapse import FILL, FLOOR, SPAN, TRAPS, Synapse, pulse_trace
from relaxor.twin.writers.keithley_4200 import write

Run = tuple[np.ndarray, np.ndarray, np.ndarray]
VOLTAGE, WIDTH = 5.0, 0.1
READ_WINDOW = 0.010
"""Seconds behind a pulse in which the analysis reads (its setting); what the truth refers to."""
INTERVALS = np.unique(np.round(np.geomspace(0.010, 2.0, 20), 3))
"""Seconds between two pulses."""
PAIRS = 8
"""Repeats of each interval."""
WIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
VOLTAGES = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
NUMBERS = (1, 2, 5, 10, 20, 50)
SERIES_REPEATS = 3
RETENTION_NUMBERS, RETENTION = (10, 50), 1200.0
CYCLES = 20
START = datetime(2024, 11, 21, 9, 0)


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield pairs, series of width, amplitude and number, retention, and potentiation with depression."""
    pairs = [
        _run(rng, [(VOLTAGE, WIDTH, t), (VOLTAGE, WIDTH, 0.05)], 0.002, 0.05) for t in INTERVALS for _ in range(PAIRS)
    ]
    yield _file(
        "ppf", "2b", pairs, 0, _pair_truth(), "two pulses of 5 V, 100 ms; intervals 10 ms to 2 s, 8 repeats each"
    )
    widths = [_run(rng, [(VOLTAGE, w, 3.0)], 0.005, 0.2) for w in WIDTHS for _ in range(SERIES_REPEATS)]
    yield _file("widths", "2c", widths, 1, _width_truth(), "single pulses of 5 V, 10 ms to 1 s, 3 repeats each")
    amplitudes = [_run(rng, [(v, WIDTH, 0.1)] * 9 + [(v, WIDTH, 5.0)], 0.01, 0.2) for v in VOLTAGES]
    yield _file("amplitudes", "2d,2e", amplitudes, 2, (), "ten pulses of 100 ms, 2 to 5 V")
    numbers = [
        _run(rng, [(VOLTAGE, WIDTH, 0.1)] * (n - 1) + [(VOLTAGE, WIDTH, 5.0)], 0.01, 0.2)
        for n in NUMBERS for _ in range(SERIES_REPEATS)
    ]  # fmt: skip
    yield _file("numbers", "2f", numbers, 3, (), "trains of 1 to 50 pulses of 5 V, 100 ms, 3 repeats each")
    for count, panel in ((50, "2g"), (20, "S8")):
        train = [(VOLTAGE, WIDTH, 0.1)] * count + [(-3.0, WIDTH, 0.1)] * count
        device = Synapse(rng)
        cycles = [pulse_trace(device, train, step=0.02, before=0.1) for _ in range(CYCLES)]
        note = f"{count} pulses of +5 V and {count} of −3 V, 100 ms, {CYCLES} cycles one after the other"
        yield _file(f"ltp_ltd_{count}", panel, cycles, 4, _cycle_truth(count), note)
    retention = [
        _run(rng, [(VOLTAGE, WIDTH, 0.1)] * (n - 1) + [(VOLTAGE, WIDTH, RETENTION)], 0.05, 1.0)
        for n in RETENTION_NUMBERS
    ]
    note = f"read for {RETENTION:g} s after trains of {' and '.join(map(str, RETENTION_NUMBERS))} pulses"
    yield _file("retention", "S9", retention, 5, (), note)


def _run(rng: np.random.Generator, pulses: Sequence[tuple[float, float, float]], step: float, before: float) -> Run:
    return pulse_trace(Synapse(rng), pulses, step=step, before=before)


def _file(name: str, panel: str, runs: Sequence[Run], number: int, truth: Iterable[Truth], note: str) -> SampleFile:
    sheets: Mapping[str, Mapping[str, np.ndarray]] = {
        f"Run{index}": {"Time": np.round(time, 4), "V": voltage, "I": _rounded(current)}
        for index, (time, voltage, current) in enumerate(runs, 1)
    }
    settings = [("Comment", "SIMULATED"), ("Read Voltage", "0.5"), ("Instrument", "4225-RPM")]
    executed = START + timedelta(hours=number)
    content = write(sheets, test=f"{name}#1", executed=executed, settings=settings)
    counts = {sum(np.diff(np.abs(voltage - 0.5), prepend=0.0) > 1.0) for _, voltage, _ in runs}
    conditions = {"pulses": f"{counts.pop():d}"} if len(counts) == 1 else {}
    return SampleFile(
        name, "pulses", panel, f"CBPS_{name}.xlsx", content, truth=tuple(truth), conditions=conditions, note=note
    )


def _rounded(values: np.ndarray) -> np.ndarray:
    """Keep the five digits that the instrument writes."""
    return np.array([float(f"{value:.4e}") for value in values.tolist()])


def _pair_truth() -> Iterator[Truth]:
    """Yield the two exponentials of the PPF index in closed form, in percent.

    After a pulse the read current is larger by S (polarization) and by what the traps hold, F_k on average over the
    read window. A second pulse adds S e^(−κ), and finds the traps filled to x e^(−Δt/τ): they end higher by
    F_k e^(−κ_k) e^(−Δt/τ_k). So A2/A1 = 1 + (S e^(−κ) + Σ F_k e^(−κ_k) e^(−Δt/τ_k)) / A1.
    """
    written = -SPAN * np.expm1(-FILL)
    mean = [time / READ_WINDOW * -np.expm1(-READ_WINDOW / time) for *_, time in TRAPS]
    held = [-full * np.expm1(-kappa) * average for (full, kappa, _), average in zip(TRAPS, mean, strict=True)]
    first = written + sum(held)
    yield "double_exponential", "floor", 100 * (1 + written * np.exp(-FILL) / first), "percent"
    for index, ((_, kappa, time), part) in enumerate(zip(TRAPS, held, strict=True), 1):
        yield "double_exponential", f"amplitude_{index}", 100 * part * np.exp(-kappa) / first, "percent"
        yield "double_exponential", f"tau_{index}", time, "s"


def _width_truth() -> Iterator[Truth]:
    """Yield the response at 100 ms and the slope on logarithmic axes there, without noise."""

    def change(width: float) -> float:
        device = Synapse()
        device.pulse(VOLTAGE, width)
        return float(device.reading(np.linspace(0, READ_WINDOW, 51)).mean()) - FLOOR

    yield "width", "response_100ms", 1e-12 * change(0.1), "A"


def _cycle_truth(count: int) -> Iterator[Truth]:
    """Yield the ratio of the mean states behind the last pulse of either sign, without noise."""
    device = Synapse()
    window = 0.02 * (np.arange(4) + 0.5)  # the samples of the analysis' window
    states = np.empty((CYCLES, 2))
    for cycle in range(CYCLES):
        device.wait(0.1)
        for branch, (voltage, width) in enumerate(((VOLTAGE, WIDTH), (-3.0, WIDTH))):
            for _ in range(count):
                device.pulse(voltage, width)
                states[cycle, branch] = device.reading(window).mean()
                device.wait(0.1)
    high, low = states.mean(axis=0)
    yield "cycles", "on_off_ratio", float(high / low), "1"
