"""What the analysis of the electrical pulses should find: computed from the device without noise.

Numbers that no law of the device gives (a power law through a saturating response, NeuroSim's law through two kinds of
states) are those to which the estimator tends without noise, worked out here a second time. Scatters are expectations,
by first-order propagation of the device's own variations.
"""

import copy
import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import gammaln

from relaxor.simulation.sample_file import Truth
from relaxor.simulation.synapse import (
    FILL,
    FLOOR,
    POLARIZATION_TIME,
    READ_NOISE,
    READ_VOLTAGE,
    RUN_VARIATION,
    SPAN,
    TRAPS,
    Synapse,
)
from relaxor.simulation.trains import CYCLES, INTERVALS, PAIR_TRAINS, SERIES, VOLTAGE, WIDTH, Train, cycle, run

READ_WINDOW, CYCLE_WINDOW, READ_TIME, REPORTED_ENERGY = 0.010, 0.080, 0.1, 11.7
"""Settings of the analysis that the numbers depend on: s, s, s, pJ."""
LATE = 0.9
"""What is retained is the mean over the tail from this part of it on."""
STRETCHES = 60
"""A tail is averaged over so many stretches that grow with time."""
VARIED = {"widths": ("width", "s"), "amplitudes": ("amplitude", "V"), "numbers": ("pulses", "1"),
          "retention": ("pulses", "1")}  # fmt: skip
"""Series → the name of what it varies, and its unit."""
LABEL_SCALE = 10.1015
"""NeuroSim's label of a device that does all in its first step."""


# --- pairs
def of_pairs() -> Iterator[Truth]:
    """Yield the two exponentials of the PPF index in closed form (percent), its ends, and the energies of a pulse.

    The ends know, beyond the two exponentials, that the polarization fades a little between the pulses.

    After a pulse the read current is larger by S (polarization) and by what the traps hold, F_k on average over the
    read window. A second pulse adds S e^(−κ), and finds the traps filled to x e^(−Δt/τ): they end higher by
    F_k e^(−κ_k) e^(−Δt/τ_k). So A2/A1 = 1 + (S e^(−κ) + Σ F_k e^(−κ_k) e^(−Δt/τ_k)) / A1.
    """
    written = -SPAN * np.expm1(-FILL)
    mean = [time / READ_WINDOW * -np.expm1(-READ_WINDOW / time) for *_, time in TRAPS]
    held = [-full * np.expm1(-kappa) * average for (full, kappa, _), average in zip(TRAPS, mean, strict=True)]
    first = written + sum(held)
    floor = 100 * (1 + written * np.exp(-FILL) / first)
    amplitudes = [100 * part * np.exp(-kappa) / first for (_, kappa, _), part in zip(TRAPS, held, strict=True)]
    yield "double_exponential", "floor", floor, "percent"
    for index, ((*_, time), amplitude) in enumerate(zip(TRAPS, amplitudes, strict=True), 1):
        yield "double_exponential", f"amplitude_{index}", amplitude, "percent"
        yield "double_exponential", f"tau_{index}", time, "s"
    for place, interval in (("shortest", INTERVALS[0]), ("longest", INTERVALS[-1])):
        ratio = _index(PAIR_TRAINS[float(interval)])
        yield "pairs", f"index_{place}", ratio, "percent"
        yield "pairs", f"gain_{place}", ratio - 100, "percent"
    yield from _energies(PAIR_TRAINS[float(INTERVALS[0])])


def _index(train: Train) -> float:
    """Return A2/A1 of a pair without noise, percent."""
    _, voltage, current = run(train, None)
    behind = np.flatnonzero((voltage[:-1] > 1) & (voltage[1:] < 1)) + 1
    first, second = (current[place : place + round(READ_WINDOW / train.step)].mean() - current[0] for place in behind)
    return float(100 * second / first)


def _energies(train: Train) -> Iterator[Truth]:
    """Yield the energy of the first pulse of a train by every definition, pJ."""
    time, voltage, current = run(train, None)
    inside = np.flatnonzero(voltage > 1)
    inside = inside[time[inside] <= train.before + WIDTH + train.step / 2]
    charge = current[inside].sum() * train.step
    after = current[inside[-1] + 1 :][: round(READ_WINDOW / train.step)].mean()
    baseline = current[0]
    energies = {
        "peak_power": VOLTAGE * current[inside].max() * WIDTH,
        "mean_power": VOLTAGE * charge,
        "integral": VOLTAGE * charge,
        "excess": VOLTAGE * (charge - baseline * WIDTH),
        "read": READ_VOLTAGE * after * READ_TIME,
        "write_conductance": VOLTAGE**2 * (baseline + after) / (2 * READ_VOLTAGE) * WIDTH,
    }
    for model, energy in energies.items():
        yield model, "energy_per_spike", 1e12 * energy, "pJ"
        yield model, "ratio_to_reported", 1e12 * energy / REPORTED_ENERGY, "1"


# --- series
def of_series(name: str) -> Iterator[Truth]:
    """Yield responses, their mean slope on logarithmic axes, what is retained, and the relaxation behind each train."""
    (varied, unit), trains = VARIED[name], SERIES[name]
    responses = []
    for value, train in trains.items():
        time, current = _tail(train)
        after = current[: max(round(READ_WINDOW / train.step), 1)].mean()
        responses.append(after)
        yield varied, f"response_{_label(value, unit)}", 1e-12 * after, "A"
        yield varied, f"retained_{_label(value, unit)}", current[time > LATE * time[-1]].mean() / after, "1"
        yield from _relaxation(train, _label(value, unit), time, current)
    if len(trains) > 2:
        yield varied, "exponent", float(np.polyfit(np.log(list(trains)), np.log(responses), 1)[0]), "1"


def _label(value: float, unit: str) -> str:
    if unit == "s":
        return f"{1000 * value:g}ms" if value < 1 else f"{value:g}s"
    return f"N{value:g}" if unit == "1" else f"{value:g}{unit}"


def _tail(train: Train) -> tuple[np.ndarray, np.ndarray]:
    """Return times since the last pulse (s) and the current above that before the first (pA), without noise."""
    current = run(train, None)[2]
    count = round(train.pulses[-1][2] / train.step)
    return train.step * (np.arange(count) + 0.5), 1e12 * current[-count:] - FLOOR


def _relaxation(train: Train, label: str, time: np.ndarray, current: np.ndarray) -> Iterator[Truth]:
    """Yield the exponentials of the traps, and of the polarization where the tail is long enough to show its end.

    In ten seconds the fading polarization is a slope. In three it is not seen: two exponentials are fitted, and the
    truth is what they come to without noise.
    """
    if train.pulses[-1][2] < 5:
        found = _two_exponentials(time, current)
        for index, (amplitude, tau) in enumerate(found, 1):
            yield f"{label}_double_exponential", f"amplitude_{index}", 1e-12 * amplitude, "A"
            yield f"{label}_double_exponential", f"tau_{index}", tau, "s"
        return
    device = Synapse()
    device.wait(train.before)
    for voltage, width, rest in train.pulses[:-1]:
        device.pulse(voltage, width)
        device.wait(rest)
    device.pulse(*train.pulses[-1][:2])
    terms = [(full * filling, tau) for (full, _, tau), filling in zip(TRAPS, device.traps[0], strict=True)]
    model = f"{label}_double_exponential_drift"
    if train.pulses[-1][2] > POLARIZATION_TIME:
        model = f"{label}_triple_exponential"
        terms.append((device.span * device.fading[0], POLARIZATION_TIME))
        yield model, "floor", 1e-12 * device.span * float(device.kept[0]), "A"
    for index, (amplitude, tau) in enumerate(terms, 1):
        yield model, f"amplitude_{index}", 1e-12 * float(amplitude), "A"
        yield model, f"tau_{index}", tau, "s"


def _two_exponentials(time: np.ndarray, current: np.ndarray) -> list[tuple[float, float]]:
    """Return amplitudes (pA) and times (s) of two exponentials above a floor, as means over stretches show them."""
    edges = np.unique(np.round(np.geomspace(1, time.size + 1, STRETCHES + 1)).astype(int)) - 1
    counts = np.diff(edges)

    def means(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, edges[:-1]) / counts

    def law(_: np.ndarray, floor: float, *terms: float) -> np.ndarray:
        decays = [a * np.exp(-time / tau) for a, tau in zip(terms[::2], terms[1::2], strict=True)]
        return floor + means(np.sum(decays, axis=0))

    start = [current[-1], *(part for full, _, tau in TRAPS for part in (full / 2, tau))]
    exact = {"sigma": 1 / np.sqrt(counts), "xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    _, first, fast, second, slow = curve_fit(law, edges[:-1], means(current), start, **exact)[0]
    return [(float(first), float(fast)), (float(second), float(slow))]


# --- cycles
def of_cycles(count: int) -> Iterator[Truth]:
    """Yield laws, ratios and scatters of potentiation and depression, over all cycles but the first tenth."""
    device = Synapse()
    states = np.array([_states(device, count) for _ in range(CYCLES)])[CYCLES // 10 :]
    mean, noise = states.mean(axis=0), _covariance(count)
    place = np.arange(1, count + 1) / count
    laws = {}
    for model, label, state, part in (
        ("potentiation", "ltp", place, slice(0, count)),
        ("depression", "ltd", 1 - place, slice(count, None)),
    ):
        low, high, alpha = _law(state, mean[part])
        laws[model] = _curve(state, low, high, alpha)
        yield model, "conductance_min", low, "S"
        yield model, "conductance_max", high, "S"
        yield model, "alpha", alpha, "1"
        yield model, "pulse_constant", count / alpha, "1"
        yield model, f"nonlinearity_{label}", _nonlinearity(alpha), "1"
    top, bottom = mean[count - 1], mean[-1]
    span = top - bottom
    yield "cycles", "on_off_ratio", top / bottom, "1"
    yield "cycles", "dynamic_range", span, "S"
    yield "cycles", "asymmetry", _opening(mean, laws, count) / span, "1"
    trend = states.var(axis=0, ddof=1)
    cycles = len(states)
    bias = math.exp(gammaln(cycles / 2) - gammaln((cycles - 1) / 2)) * math.sqrt(2 / (cycles - 1))
    yield "cycles", "cycle_to_cycle_variation", bias * float(np.sqrt(noise.diagonal() + trend).mean()) / span, "1"
    for model, part in (("potentiation", slice(0, count)), ("depression", slice(count, None))):
        misfit = np.diff(mean[part]) - np.diff(laws[model])
        steps = np.diff(np.diff(noise[part, part], axis=0), axis=1).diagonal()
        yield "cycles", f"write_noise_{model}", float(np.sqrt(misfit.var() + steps.mean())) / span, "1"
    for name, index in (("conductance_max_drift", count - 1), ("conductance_min_drift", -1)):
        yield "cycles", name, float(np.polyfit(np.arange(cycles), states[:, index], 1)[0]), "S"


def _states(device: Synapse, count: int) -> np.ndarray:
    """Return the conductance behind each pulse of the next cycle, S, shape (2 count,)."""
    train = cycle(count)
    window = train.step * (np.arange(round(CYCLE_WINDOW / train.step)) + 0.5)
    device.wait(train.before)
    states = []
    for voltage, width, rest in train.pulses:
        device.pulse(voltage, width)
        states.append(float(device.reading(window).mean()))
        device.wait(rest)
    return 1e-12 * np.array(states) / READ_VOLTAGE


class _OneDeviation:
    """A source of noise that moves one pulse by one standard deviation."""

    def __init__(self, pulse: int) -> None:
        self.left = pulse

    def standard_normal(self) -> float:
        self.left -= 1
        return float(self.left == -1)


def _covariance(count: int) -> np.ndarray:
    """Return the covariance of the states of a cycle, S²: variation of runs and of pulses, noise of reading."""
    settled = Synapse()
    _states(settled, count)
    exact = _states(copy.deepcopy(settled), count)

    def moved(pulse: int) -> np.ndarray:
        device = copy.deepcopy(settled)
        device.rng = _OneDeviation(pulse)  # type: ignore[assignment]
        return _states(device, count) - exact

    by_pulse = np.array([moved(pulse) for pulse in range(2 * count)])
    read = 1e-12 * READ_NOISE / READ_VOLTAGE / math.sqrt(CYCLE_WINDOW / cycle(count).step)
    return RUN_VARIATION**2 * np.outer(exact, exact) + by_pulse.T @ by_pulse + read**2 * np.eye(2 * count)


def _curve(state: np.ndarray, low: float, high: float, alpha: float) -> np.ndarray:
    """Return NeuroSim's law at the part of pulses after the lowest state (doi 10.1109/IEDM.2017.8268337)."""
    return low + (high - low) * (1 - np.exp(-alpha * state)) / (1 - np.exp(-alpha))


def _law(state: np.ndarray, mean: np.ndarray) -> Sequence[float]:
    unit = mean.max()
    start = (mean.min() / unit, 1.0, 2.0 if state[-1] > state[0] else -2.0)
    low, high, alpha = curve_fit(_curve, state, mean / unit, start, xtol=1e-12, ftol=1e-12)[0]
    return float(low * unit), float(high * unit), float(alpha)


def _nonlinearity(alpha: float) -> float:
    """Return NeuroSim's label by its definition: 10.1015 max|y − x| of the law from 0 to 1."""
    x = np.linspace(0, 1, 100_001)
    return math.copysign(LABEL_SCALE * float(np.abs(_curve(x, 0.0, 1.0, abs(alpha)) - x).max()), alpha)


def _opening(mean: np.ndarray, laws: dict[str, np.ndarray], count: int) -> float:
    """Return how far potentiation and depression lie apart where their laws do most, S."""
    up = slice(0, count - 1)  # depression begins one pulse below the highest state
    back = np.flip(mean[count:])[1:], np.flip(laws["depression"])[1:]
    place = int(np.argmax(np.abs(laws["potentiation"][up] - back[1])))
    return float(abs(mean[place] - back[0][place]))
