"""PUND: the charge that one pulse switches, which is the difference to what a second, equal pulse moves.

P and U are equal pulses, so that leakage and capacitance cancel in their difference; N and D are likewise the negative
pulses.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import NORMAL_QUANTILE, Measurement, Quantity, Status, student_quantile
from relaxor.core.variables import dataset, readings
from relaxor.stats.adequacy import judge_order
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.device import TOLERANCE, Capacitor, Geometry
from relaxor.techniques.hysteresis.loops import MICROCOULOMB, charge

REST = 0.01
"""Part of the largest voltage below which a sample belongs to a rest between pulses."""
LEAST_PULSE = 0.1
"""Part of the largest voltage that a pulse must reach; what stays below it is noise of the rest."""
MARGIN = 2
"""Number of samples by which a pulse is widened, besides the part of its ramp below the threshold of the rest."""
LEAST_REST = 20
"""Smallest number of samples from which a baseline is taken."""
EDGE = 0.1
"""Part of the largest voltage at which a pulse starts. It is small, because a device that draws much current delays the
later part of the edge."""
FLAT, FLAT_PART = 0.96, 0.15
"""Part of the largest voltage above which a pulse is on its plateau, and part of the pulse above which it has one; a
triangular pulse spends 4 % of its time there."""
CHARGES = {
    q.SWITCHING_POLARIZATION["positive"]: ("top", {"P": 1}),
    q.NONSWITCHING_POLARIZATION["positive"]: ("top", {"U": 1}),
    q.SWITCHED_POLARIZATION_DIFFERENCE["positive"]: ("top", {"P": 1, "U": -1}),
    q.SWITCHING_POLARIZATION["negative"]: ("top", {"N": -1}),
    q.NONSWITCHING_POLARIZATION["negative"]: ("top", {"D": -1}),
    q.SWITCHED_POLARIZATION_DIFFERENCE["negative"]: ("top", {"N": -1, "D": 1}),
    q.REMANENT_SWITCHED_POLARIZATION: ("stop", {"P": 1, "U": -1}),
}
"""End of the integration of pulses (end of the largest voltage, or end of the pulse) and sign of each pulse, by the
quantity of a train."""


@dataclass(frozen=True)
class Charge:
    """What pulses move, in µC/cm².

    Attributes
    ----------
    value, error
        The value and its standard error.
    quantile
        Half width of the 95 % interval in standard errors.
    unequal
        Standard uncertainty of the difference of two pulses that are not exactly equal: what does not switch goes as
        their voltage, and the start of each is known to a sample only.
    baseline
        Difference to what another baseline of the current gives; zero where the rests lie on a line.
    """

    value: float
    error: float
    quantile: float = NORMAL_QUANTILE
    unequal: float = 0.0
    baseline: float = 0.0


@dataclass(frozen=True)
class Pulse:
    """One pulse of a train.

    Attributes
    ----------
    letter
        Its name in the train.
    start, top, stop
        Indices of its first sample, of the last sample of its largest voltage, and of its last sample, which is back at
        rest. All pulses of a train start equally long before their edge, and end equally long after it.
    """

    letter: str
    start: int
    top: int
    stop: int


def is_train(measurement: Measurement) -> bool:
    """Whether a measurement is a train of pulses: only there do two pulses of equal sign follow each other."""
    data = next(iter(measurement.regions.values()))
    if "pulse" in data.dims:
        return True
    if "voltage" not in data or data["voltage"].ndim != 1:
        return False
    signs = [np.sign(run[1]) for run in _runs(data["voltage"].to_numpy())]
    return any(first == second for first, second in pairwise(signs))


def _runs(voltage: np.ndarray) -> list[tuple[int, float, int]]:
    """Return start, extreme voltage and end of every part of one sign outside the rests."""
    sign = np.where(np.abs(voltage) > REST * np.abs(voltage).max(), np.sign(voltage), 0)
    edges = np.flatnonzero(np.diff(sign)) + 1
    starts = np.concatenate([[0], edges])
    stops = np.concatenate([edges, [len(sign)]])
    return [
        (int(start), float(voltage[start + np.argmax(np.abs(voltage[start:stop]))]), int(stop))
        for start, stop in zip(starts, stops, strict=True)
        if sign[start] != 0 and np.abs(voltage[start:stop]).max() > LEAST_PULSE * np.abs(voltage).max()
    ]


def find_pulses(voltage: np.ndarray) -> list[Pulse]:
    """Find the pulses of a train and name them.

    A pulse is called P or N where the pulse before it has the other sign, and U or D where it has the same sign. The
    first pulse only sets the state and is called X, unless it is repeated: then an earlier pulse, which was not
    recorded, has set the state. Pulses that are subtracted from each other last equally long from their edge on,
    because their largest reading lies anywhere on a plateau.
    """
    runs = _runs(voltage)
    letters = _letters([extreme for _, extreme, _ in runs])
    crossings = np.array([_edge(voltage, start, stop) for start, _, stop in runs])
    edges = [int(edge) for edge in int(crossings[0]) + np.round(crossings - crossings[0])]
    margins = [MARGIN + int(2 * REST * (stop - start)) for start, _, stop in runs]
    lead = max(edge - start + margin for edge, margin, (start, _, _) in zip(edges, margins, runs, strict=True))
    length = max(stop + margin - edge for edge, margin, (_, _, stop) in zip(edges, margins, runs, strict=True))
    room = min(np.diff([*edges, len(voltage) - 1 + lead])) - lead
    length, lead = min(length, int(room)), min(lead, *edges)
    pulses = []
    for letter, edge in zip(letters, edges, strict=True):
        same = [at for at, other in zip(edges, letters, strict=True) if other in equal_letters(letter)]
        top = end_of_top(np.mean([np.abs(voltage[at : at + length + 1]) for at in same], axis=0))
        pulses.append(Pulse(letter, edge - lead, edge + top, edge + length))
    return pulses


def _letters(extremes: Sequence[float]) -> list[str]:
    """Name pulses by their extreme voltages."""
    letters: list[str] = []
    previous = 0.0
    sets = len(extremes) > 1 and extremes[0] * extremes[1] < 0
    for extreme in extremes:
        positive, repeated = extreme > 0, np.sign(extreme) == previous
        letter = ("U" if repeated else "P") if positive else ("D" if repeated else "N")
        letters.append("X" if sets and not letters else letter)
        previous = float(np.sign(extreme))
    return letters


def equal_letters(letter: str) -> str:
    """Return the letters of the pulses that are equal to one."""
    return next((pair for pair in ("PU", "ND") if letter in pair), letter)


def _edge(voltage: np.ndarray, start: int, stop: int) -> float:
    """Return where a run crosses `EDGE` of its voltage, in samples."""
    level = np.abs(voltage[start:stop])
    height = EDGE * level.max()
    after = max(int(np.argmax(level > height)), 1)
    return start + after - float((level[after] - height) / (level[after] - level[after - 1]))


def is_flat(level: np.ndarray) -> bool:
    """Return whether a pulse has a plateau, from the magnitude of its voltage."""
    return bool(np.sum(level > FLAT * level.max()) > FLAT_PART * np.sum(level > EDGE * level.max()))


def end_of_top(level: np.ndarray) -> int:
    """Return the last sample of the largest voltage of a pulse: the end of its plateau, or its only tip."""
    return int(np.flatnonzero(level > FLAT * level.max())[-1] if is_flat(level) else np.argmax(level))


def unequal(moved: float, late: float, first: np.ndarray, second: np.ndarray) -> float:
    """Return the standard uncertainty of a difference of two pulses that are not exactly equal, in µC/cm².

    Parameters
    ----------
    moved
        What the second pulse moves, most of which is leakage and capacitance, µC/cm².
    late
        What flows in one sample at the end of the integration, µC/cm²; the start of a pulse lies anywhere in a sample.
    first, second
        Voltages of both kinds of pulses during the integration, each of shape (pulses, n).
    """
    return math.hypot(moved * inequality(first, second), late / math.sqrt(6))


def inequality(first: np.ndarray, second: np.ndarray) -> float:
    """Return the relative difference of the mean magnitudes of the voltage in two kinds of pulses, each (..., n)."""
    means = [float(np.mean(np.abs(voltage))) for voltage in (first, second)]
    return abs(means[0] - means[1]) / means[1]


def pulse_charges(
    label: str, data: xr.Dataset, geometry: Geometry | Capacitor
) -> tuple[dict[Quantity, Charge], dict[str, xr.Dataset], dict[str, int]]:
    """Analyse a train of pulses recorded without interruption; ``label`` names it in messages.

    All results are sums of currents with known weights, so that their errors follow from the noise in the rests
    without approximation. Repeated pulses are averaged; their error is that of their scatter where it is larger.

    Returns
    -------
    values
        The quantities of `CHARGES`, each integrated from the start of its pulses.
    curves
        Letter → polarization against the field, of the last pulse with this letter.
    counts
        Letter → number of pulses.

    Raises
    ------
    AnalysisError
        If a pulse is missing, pulses of one sign differ in their voltage, or the rests are too short.
    """
    time, voltage, current = (
        readings(data[name], unit) for name, unit in (("time", "s"), ("voltage", "V"), ("current", "A"))
    )
    pulses = _complete_train(label, voltage)
    counts = Counter(pulse.letter for pulse in pulses)
    baseline, other = _baselines(label, time, voltage, current, pulses)
    step = float(np.median(np.diff(time)))
    turns = not any(is_flat(np.abs(voltage[pulse.start : pulse.stop + 1])) for pulse in pulses)

    def weights(pulse: Pulse, end: str) -> np.ndarray:
        """Return the weights of the samples in ∫I dt / A over a pulse up to its end."""
        stop = int(getattr(pulse, end))
        result = trapezoid(time, pulse.start, stop)
        if end == "top" and turns:
            # The current jumps where the ramp turns; the limit from the left replaces the sample there.
            last, result[stop] = result[stop], 0.0
            result[stop - 1] += 2 * last
            result[stop - 2] -= last
        return result * MICROCOULOMB / geometry.area

    values = {}
    for quantity, (end, signs) in CHARGES.items():
        plain = [
            sign * np.stack([weights(pulse, end) for pulse in pulses if pulse.letter == letter])
            for letter, sign in signs.items()
        ]
        repeats = [baseline.subtracted(each) for each in plain]
        weight = sum((each.mean(axis=0) for each in repeats), np.zeros_like(time))
        charge_of = _mean(weight, current, baseline.noise, [each @ current for each in repeats])
        if other:
            again = sum(float(other.subtracted(each).mean(axis=0) @ current) for each in plain)
            charge_of = replace(charge_of, baseline=abs(again - charge_of.value))
        if len(signs) > 1:
            moved = float(repeats[1].mean(axis=0) @ current)
            stretches = [
                np.stack(
                    [np.arange(pulse.start, getattr(pulse, end) + 1) for pulse in pulses if pulse.letter == letter]
                )
                for letter in signs
            ]
            late = float(np.mean(current[stretches[1][:, -1]])) * step * MICROCOULOMB / geometry.area
            charge_of = replace(charge_of, unequal=unequal(moved, late, *(voltage[part] for part in stretches)))
        values[quantity] = charge_of
    corrected = current - baseline.of(current)
    curves = {
        pulse.letter: _curve(time, voltage, corrected, pulse, geometry) for pulse in pulses if pulse.letter != "X"
    }
    return values, curves, dict(counts)


@dataclass(frozen=True)
class Baseline:
    """The current without a pulse, as a linear function of the currents in the rests.

    Attributes
    ----------
    rest
        The samples from which it is taken, shape (n,).
    design, solve
        Shapes (n, k) and (k, rests): the current is ``design @ solve @ current[rest]``.
    noise
        Standard deviation of a sample in the rests, A.
    """

    rest: np.ndarray
    design: np.ndarray
    solve: np.ndarray
    noise: float

    def of(self, current: np.ndarray) -> np.ndarray:
        """Return the baseline of a current of shape (n,)."""
        return self.design @ (self.solve @ current[self.rest])

    def subtracted(self, weights: np.ndarray) -> np.ndarray:
        """Return weights of shape (..., n) of a sum of currents without the baseline."""
        result = weights.copy()
        result[..., self.rest] -= (weights @ self.design) @ self.solve
        return result


def _baselines(
    name: str, time: np.ndarray, voltage: np.ndarray, current: np.ndarray, pulses: Sequence[Pulse]
) -> tuple[Baseline, Baseline | None]:
    """Return the baseline, and if there is doubt about it, another one, whose difference is a systematic error.

    It is a straight line through all rests, offset and drift. If the current in the rests does not lie on a line, it
    flows after the pulses and is no baseline: then the rest before the first pulse gives it.
    """
    rest = np.abs(voltage) < REST * np.abs(voltage).max()
    for pulse in pulses:
        rest[pulse.start : pulse.stop + 1] = False
    if rest.sum() < LEAST_REST:
        raise AnalysisError(f"{name}: the rests between pulses hold {rest.sum()} samples; {LEAST_REST} are needed")
    line = np.stack([np.ones_like(time), time - time.mean()], axis=-1)
    solve = np.linalg.pinv(line[rest])
    left = current[rest] - line[rest] @ (solve @ current[rest])
    noise = float(np.sqrt(left @ left / (rest.sum() - 2)))
    straight = Baseline(rest, line, solve, noise)
    before = rest & (np.arange(len(time)) < pulses[0].start)
    if before.sum() < LEAST_REST or judge_order(left).status == Status.OK:
        return straight, None
    return Baseline(before, line[:, :1], np.full((1, before.sum()), 1 / before.sum()), noise), straight


def _complete_train(name: str, voltage: np.ndarray) -> list[Pulse]:
    """Find the pulses of a train, and raise an `AnalysisError` if one is missing or equal pulses differ."""
    pulses = find_pulses(voltage)
    train = "".join(pulse.letter for pulse in pulses)
    missing = [letter for letter in "PUND" if letter not in train]
    if missing:
        raise AnalysisError(f"{name}: no pulse {', '.join(missing)} in the train {train}")
    for letters in ("PU", "ND"):
        tops = np.abs([voltage[pulse.top] for pulse in pulses if pulse.letter in letters])
        if np.ptp(tops) > TOLERANCE * tops.max():
            raise AnalysisError(
                f"{name}: pulses {' and '.join(letters)} reach {tops.min():.4g} to {tops.max():.4g} V; the "
                "part that does not switch cancels only between equal pulses: give one file for each voltage"
            )
    return pulses


def trapezoid(time: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return the weights of the samples in their integral from ``start`` to ``stop``, in s."""
    weights = np.zeros_like(time)
    steps = np.diff(time[start : stop + 1]) / 2
    weights[start:stop] += steps
    weights[start + 1 : stop + 1] += steps
    return weights


def _mean(weight: np.ndarray, current: np.ndarray, noise: float, repeats: Sequence[np.ndarray]) -> Charge:
    """Return the mean of pulses; ``repeats`` are the charges that the single pulses of each letter move."""
    propagated = noise * float(np.linalg.norm(weight))
    fewest = min(map(len, repeats))
    scatter = math.sqrt(sum(np.var(each, ddof=1) / len(each) for each in repeats)) if fewest > 1 else 0.0
    quantile = student_quantile(fewest - 1) if scatter > propagated else NORMAL_QUANTILE
    return Charge(float(weight @ current), max(scatter, propagated), quantile)


def _curve(
    time: np.ndarray, voltage: np.ndarray, current: np.ndarray, pulse: Pulse, geometry: Geometry | Capacitor
) -> xr.Dataset:
    part = slice(pulse.start, pulse.stop + 1)
    polarization = charge(time[part], current[part]) / geometry.area * MICROCOULOMB
    lines = {
        "field": (voltage[part] * geometry.field_per_volt, "kV/cm", "Electric field"),
        "current": (current[part], "A", "Current"),
        "polarization": (polarization, "uC/cm^2", "Polarization"),
    }
    return dataset("time", lines, {"time": (time[part] - time[pulse.start], "s", "Time")})
