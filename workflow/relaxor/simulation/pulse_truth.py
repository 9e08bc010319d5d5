"""What the analysis of the electrical pulses should find: computed from the device without noise.

Numbers that no law of the device gives (a power law through a saturating response, NeuroSim's law through two kinds of
states) are the values to which the estimator tends without noise; they are worked out here a second time. Scatters are
expectations, by first-order propagation of the device's own variations.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import gammaln

from relaxor.simulation.sample_file import Truth
from relaxor.simulation.synapse import READ_NOISE, Synapse, Train
from relaxor.simulation.trains import Series, Specimen

READ_WINDOW, CYCLE_WINDOW, READ_TIME = 0.010, 0.080, 0.1
"""Settings of the analysis that the numbers depend on, s."""
LATE = 0.9
"""The retained fraction is the mean over the tail from this part of it on."""
LONG = 5.0
"""Length of a tail, in s, from which on it shows a slope of the polarization."""
STRETCHES = 60
"""Number of stretches that grow with time, over which a tail is averaged."""
LABEL_SCALE = 10.1015
"""NeuroSim's label of a device that changes completely in its first step."""


# --- pairs
def of_pairs(specimen: Specimen) -> Iterator[Truth]:
    """Yield the two exponentials of the index in closed form (percent), its ends, and the energies of a pulse.

    The ends contain, beyond the two exponentials, that the polarization fades a little between the pulses.

    After a pulse the read current is larger by S (polarization) and by the part of the traps, F_k on average over the
    read window. A second pulse adds S e^(−κ) and finds the traps filled to x e^(−Δt/τ): they end higher by
    F_k e^(−κ_k) e^(−Δt/τ_k). So A2/A1 = 1 + (S e^(−κ) + Σ F_k e^(−κ_k) e^(−Δt/τ_k)) / A1.
    """
    device = specimen.device
    written = -device.span * np.expm1(-device.filling)
    held = [
        -trap.current * np.expm1(-trap.filling) * (trap.time / READ_WINDOW * -np.expm1(-READ_WINDOW / trap.time))
        for trap in device.traps
    ]
    first = written + sum(held)
    floor = 100 * (1 + written * np.exp(-device.filling) / first)
    amplitudes = [100 * part * np.exp(-trap.filling) / first for trap, part in zip(device.traps, held, strict=True)]
    model = "double_exponential"
    yield Truth(model, "floor", floor, "percent")
    for number, (trap, amplitude) in enumerate(zip(device.traps, amplitudes, strict=True), 1):
        yield Truth(model, "amplitude", amplitude, "percent", str(number))
        yield Truth(model, "relaxation_time", trap.time, "s", str(number))
    intervals = specimen.pairs.intervals
    for place, interval in (("shortest", intervals[0]), ("longest", intervals[-1])):
        ratio = _index(specimen, specimen.pair(interval))
        yield Truth("pairs", "paired_pulse_index", ratio, "percent", place, interval)
        yield Truth("pairs", "paired_pulse_gain", ratio - 100, "percent", place, interval)
    yield from _energies(specimen, specimen.pair(intervals[0]))


def _index(specimen: Specimen, train: Train) -> float:
    """Return A2/A1 of a pair without noise, percent."""
    ((_, voltage, current),) = specimen.record([train], None)
    behind = np.flatnonzero((voltage[:-1] > 1) & (voltage[1:] < 1)) + 1
    first, second = (current[place : place + round(READ_WINDOW / train.step)].mean() - current[0] for place in behind)
    return float(100 * second / first)


def _energies(specimen: Specimen, train: Train) -> Iterator[Truth]:
    """Yield the energy of the first pulse of a train by every definition, pJ."""
    device = specimen.device
    ((time, voltage, current),) = specimen.record([train], None)
    inside = np.flatnonzero(voltage > 1)
    inside = inside[time[inside] <= train.before + device.width + train.step / 2]
    charge = current[inside].sum() * train.step
    after = current[inside[-1] + 1 :][: round(READ_WINDOW / train.step)].mean()
    baseline = current[0]
    energies = {
        "peak_power": device.voltage * current[inside].max() * device.width,
        "mean_power": device.voltage * charge,
        "integral": device.voltage * charge,
        "excess": device.voltage * (charge - baseline * device.width),
        "read": device.read_voltage * after * READ_TIME,
        "write_conductance": device.voltage**2 * (baseline + after) / (2 * device.read_voltage) * device.width,
    }
    for model, energy in energies.items():
        yield Truth(model, "energy_per_spike", 1e12 * energy, "pJ")


# --- series
def of_series(specimen: Specimen, series: Series) -> Iterator[Truth]:
    """Yield responses, their mean slope on logarithmic axes, what is retained, and the relaxation behind each train."""
    trains = specimen.trains(series)
    responses = []
    for value, train in trains.items():
        time, current = _tail(specimen, train)
        after = current[: max(round(READ_WINDOW / train.step), 1)].mean()
        responses.append(after)
        late = current[time > LATE * time[-1]].mean()
        yield Truth(series.varied, "response", 1e-12 * after, "A", at=value)
        yield Truth(series.varied, "retained_fraction", late / after, "1", at=value)
        for row in _relaxation(specimen, train, time, current):
            yield row._replace(at=value)
    if len(trains) > 2:
        exponent = float(np.polyfit(np.log(list(trains)), np.log(responses), 1)[0])
        yield Truth(series.varied, "exponent", exponent, "1")


def _tail(specimen: Specimen, train: Train) -> tuple[np.ndarray, np.ndarray]:
    """Return times since the last pulse (s) and the current above that before the first (pA), without noise."""
    ((_, _, current),) = specimen.record([train], None)
    count = round(train.pulses[-1][2] / train.step)
    return train.step * (np.arange(count) + 0.5), 1e12 * current[-count:] - specimen.device.floor


def _relaxation(specimen: Specimen, train: Train, time: np.ndarray, current: np.ndarray) -> Iterator[Truth]:
    """Yield the exponentials of the traps, and of the polarization where the tail is long enough to show its end.

    In ten seconds the fading polarization is a slope. In three seconds it is not seen: two exponentials are fitted, and
    the truth is what they come to without noise.
    """
    device, length = specimen.device, train.pulses[-1][2]
    if length < LONG:
        for number, (amplitude, tau) in enumerate(_two_exponentials(specimen, time, current), 1):
            yield Truth("double_exponential", "amplitude", 1e-12 * amplitude, "A", str(number))
            yield Truth("double_exponential", "relaxation_time", tau, "s", str(number))
        return
    synapse = Synapse(device)
    synapse.wait(train.before)
    for voltage, width, rest in train.pulses[:-1]:
        synapse.pulse(voltage, width)
        synapse.wait(rest)
    synapse.pulse(*train.pulses[-1][:2])
    terms = [(trap.current * filling, trap.time) for trap, filling in zip(device.traps, synapse.traps[0], strict=True)]
    model = "double_exponential_drift"
    if length > device.polarization_time:
        model = "triple_exponential"
        terms.append((synapse.span * synapse.fading[0], device.polarization_time))
        yield Truth(model, "floor", 1e-12 * synapse.span * float(synapse.kept[0]), "A")
    for number, (amplitude, tau) in enumerate(terms, 1):
        yield Truth(model, "amplitude", 1e-12 * float(amplitude), "A", str(number))
        yield Truth(model, "relaxation_time", tau, "s", str(number))


def _two_exponentials(specimen: Specimen, time: np.ndarray, current: np.ndarray) -> list[tuple[float, float]]:
    """Return amplitudes (pA) and times (s) of two exponentials above a floor, as means over stretches show them."""
    edges = np.unique(np.round(np.geomspace(1, time.size + 1, STRETCHES + 1)).astype(int)) - 1
    counts = np.diff(edges)

    def means(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, edges[:-1]) / counts

    def law(_: np.ndarray, floor: float, *terms: float) -> np.ndarray:
        decays = [a * np.exp(-time / tau) for a, tau in zip(terms[::2], terms[1::2], strict=True)]
        return floor + means(np.sum(decays, axis=0))

    start = [current[-1], *(part for trap in specimen.device.traps for part in (trap.current / 2, trap.time))]
    exact = {"sigma": 1 / np.sqrt(counts), "xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    _, first, fast, second, slow = curve_fit(law, edges[:-1], means(current), start, **exact)[0]
    return [(float(first), float(fast)), (float(second), float(slow))]


# --- cycles
def of_cycles(specimen: Specimen, count: int) -> Iterator[Truth]:
    """Yield laws, ratios and scatters of potentiation and depression, over all cycles but the first tenth."""
    synapse, number = Synapse(specimen.device), specimen.number_of_cycles
    states = np.array([_states(specimen, synapse, count) for _ in range(number)])[number // 10 :]
    mean, noise = states.mean(axis=0), _covariance(specimen, count)
    place = np.arange(1, count + 1) / count
    laws = {}
    branches = {"potentiation": (place, slice(0, count)), "depression": (1 - place, slice(count, None))}
    for model, (state, part) in branches.items():
        low, high, alpha = _law(state, mean[part])
        laws[model] = _curve(state, low, high, alpha)
        yield Truth(model, "minimum_conductance", low, "S")
        yield Truth(model, "maximum_conductance", high, "S")
        yield Truth(model, "curvature", alpha, "1")
        yield Truth(model, "pulse_constant", count / alpha, "1")
        yield Truth(model, "nonlinearity", _nonlinearity(alpha), "1")
    top, bottom = mean[count - 1], mean[-1]
    span = top - bottom
    yield Truth("cycles", "on_off_ratio", top / bottom, "1")
    yield Truth("cycles", "dynamic_range", span, "S")
    yield Truth("cycles", "asymmetry", _opening(mean, laws, count) / span, "1")
    trend = states.var(axis=0, ddof=1)
    cycles = len(states)
    bias = math.exp(gammaln(cycles / 2) - gammaln((cycles - 1) / 2)) * math.sqrt(2 / (cycles - 1))
    variation = bias * float(np.sqrt(noise.diagonal() + trend).mean()) / span
    yield Truth("cycles", "cycle_to_cycle_variation", variation, "1")
    for branch, (_, part) in branches.items():
        misfit = np.diff(mean[part]) - np.diff(laws[branch])
        steps = np.diff(np.diff(noise[part, part], axis=0), axis=1).diagonal()
        yield Truth("cycles", "write_noise", float(np.sqrt(misfit.var() + steps.mean())) / span, "1", branch)
    for end, index in (("maximum", count - 1), ("minimum", -1)):
        drift = float(np.polyfit(np.arange(cycles), states[:, index], 1)[0])
        yield Truth("cycles", "conductance_drift", drift, "S", end)


def _states(specimen: Specimen, synapse: Synapse, count: int) -> np.ndarray:
    """Return the conductance behind each pulse of the next cycle, S, shape (2 count,)."""
    train = specimen.cycle(count)
    window = train.step * (np.arange(round(CYCLE_WINDOW / train.step)) + 0.5)
    synapse.wait(train.before)
    states = []
    for voltage, width, rest in train.pulses:
        synapse.pulse(voltage, width)
        states.append(float(synapse.reading(window).mean()))
        synapse.wait(rest)
    return 1e-12 * np.array(states) / specimen.device.read_voltage


class _OneDeviation(np.random.Generator):
    """A source of noise that moves one pulse by one standard deviation."""

    def __init__(self, pulse: int) -> None:
        super().__init__(np.random.PCG64())
        self.left = pulse

    def standard_normal(self, *_: Any, **__: Any) -> Any:
        self.left -= 1
        return float(self.left == -1)


def _covariance(specimen: Specimen, count: int) -> np.ndarray:
    """Return the covariance of the states of a cycle, S²: variation of runs and of pulses, noise of reading."""
    settled = Synapse(specimen.device)
    _states(specimen, settled, count)
    exact = _states(specimen, copy.deepcopy(settled), count)

    def moved(pulse: int) -> np.ndarray:
        synapse = copy.deepcopy(settled)
        synapse.rng = _OneDeviation(pulse)
        return _states(specimen, synapse, count) - exact

    by_pulse = np.array([moved(pulse) for pulse in range(2 * count)])
    device = specimen.device
    read = 1e-12 * READ_NOISE / device.read_voltage / math.sqrt(CYCLE_WINDOW / specimen.cycle(count).step)
    return device.run_variation**2 * np.outer(exact, exact) + by_pulse.T @ by_pulse + read**2 * np.eye(2 * count)


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
