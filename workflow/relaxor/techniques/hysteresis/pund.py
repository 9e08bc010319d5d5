"""PUND: the charge that one pulse switches, which is the difference to what a second, equal pulse moves.

P and U are equal pulses, so that leakage and capacitance cancel in their difference; N and D are likewise the negative
pulses.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import NORMAL_QUANTILE, Measurement, Quantity, student_quantile
from relaxor.core.variables import dataset, readings
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.cycles import sample_noise
from relaxor.techniques.hysteresis.device import TOLERANCE, Capacitor, Geometry
from relaxor.techniques.hysteresis.loops import MICROCOULOMB, charge

REST = 0.01
"""Part of the largest voltage below which a sample belongs to a rest between pulses."""
LEAST_PULSE = 0.1
"""Part of the largest voltage that a pulse must reach; what stays below it is noise of the rest."""
MARGIN = 2
"""Number of samples by which a pulse is widened, besides the part of its ramp below the threshold of the rest."""
PULSE_END = 0.005
"""Part of the largest voltage below which a falling pulse counts as ended."""
CHARGES = {
    q.SWITCHING_POLARIZATION["positive"]: ("top", {"P": 1}),
    q.NONSWITCHING_POLARIZATION["positive"]: ("top", {"U": 1}),
    q.SWITCHED_POLARIZATION_DIFFERENCE["positive"]: ("top", {"P": 1, "U": -1}),
    q.SWITCHING_POLARIZATION["negative"]: ("top", {"N": -1}),
    q.NONSWITCHING_POLARIZATION["negative"]: ("top", {"D": -1}),
    q.SWITCHED_POLARIZATION_DIFFERENCE["negative"]: ("top", {"N": -1, "D": 1}),
    q.REMANENT_SWITCHED_POLARIZATION: ("stop", {"P": 1, "U": -1}),
}
"""End of the integration of pulses (largest voltage or end) and sign of each pulse, by the quantity of a train."""


@dataclass(frozen=True)
class Charge:
    """What pulses move, in µC/cm².

    Attributes
    ----------
    value, error
        The value and its standard error.
    quantile
        Half width of the 95 % interval in standard errors.
    """

    value: float
    error: float
    quantile: float = NORMAL_QUANTILE


@dataclass(frozen=True)
class Pulse:
    """One pulse of a train.

    Attributes
    ----------
    letter
        Its name in the train.
    start, top, stop
        Indices of its first sample, of its largest voltage, and of its last sample, which is back at rest.
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
    recorded, has set the state.
    """
    pulses: list[Pulse] = []
    previous = 0.0
    runs = _runs(voltage)
    sets = len(runs) > 1 and runs[0][1] * runs[1][1] < 0
    for start, extreme, stop in runs:
        positive, repeated = extreme > 0, np.sign(extreme) == previous
        letter = ("U" if repeated else "P") if positive else ("D" if repeated else "N")
        top = start + int(np.argmax(np.abs(voltage[start:stop])))
        margin = MARGIN + int(2 * REST * (stop - start))
        letter = "X" if sets and not pulses else letter
        pulses.append(Pulse(letter, max(start - margin, 0), top, min(stop + margin, len(voltage) - 1)))
        previous = float(np.sign(extreme))
    return pulses


def pulse_charges(
    measurement: Measurement, geometry: Geometry | Capacitor
) -> tuple[dict[Quantity, Charge], dict[str, xr.Dataset], dict[str, int]]:
    """Analyse a train of pulses recorded without interruption.

    The baseline (offset and drift) is a straight line through the rests. All results are sums of currents with
    known weights, so that their errors follow from the noise in the rests without approximation. Repeated pulses are
    averaged; their error is that of their scatter where it is larger.

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
    data = measurement.only
    time, voltage, current = (
        readings(data[name], unit) for name, unit in (("time", "s"), ("voltage", "V"), ("current", "A"))
    )
    pulses = _complete_train(measurement.id, voltage)
    counts = Counter(pulse.letter for pulse in pulses)
    rest = np.abs(voltage) < REST * np.abs(voltage).max()
    for pulse in pulses:
        rest[pulse.start : pulse.stop + 1] = False
    if rest.sum() < 20:
        raise AnalysisError(f"{measurement.id}: the rests between pulses hold {rest.sum()} samples; 20 are needed")
    line = np.stack([np.ones_like(time), time - time.mean()], axis=-1)
    solve = np.linalg.pinv(line[rest])
    scatter = current[rest] - line[rest] @ (solve @ current[rest])
    noise = float(np.sqrt(scatter @ scatter / (rest.sum() - 2)))

    def weights(pulse: Pulse, end: str) -> np.ndarray:
        """Return the weights of the samples in ∫I dt / A over a pulse up to its end, with the baseline subtracted."""
        stop = int(getattr(pulse, end))
        result = _trapezoid(time, pulse.start, stop)
        if end == "top":
            # The current jumps where the ramp turns; the limit from the left replaces the sample there.
            last, result[stop] = result[stop], 0.0
            result[stop - 1] += 2 * last
            result[stop - 2] -= last
        result[rest] -= (result @ line) @ solve
        return result * MICROCOULOMB / geometry.area

    values = {}
    for quantity, (end, signs) in CHARGES.items():
        repeats = [
            sign * np.stack([weights(pulse, end) for pulse in pulses if pulse.letter == letter])
            for letter, sign in signs.items()
        ]
        weight = sum((each.mean(axis=0) for each in repeats), np.zeros_like(time))
        values[quantity] = _mean(weight, current, noise, [each @ current for each in repeats])
    corrected = current - line @ (solve @ current[rest])
    curves = {
        pulse.letter: _curve(time, voltage, corrected, pulse, geometry) for pulse in pulses if pulse.letter != "X"
    }
    return values, curves, dict(counts)


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


def _trapezoid(time: np.ndarray, start: int, stop: int) -> np.ndarray:
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


def separate_charges(data: xr.Dataset, geometry: Geometry | Capacitor) -> dict[Quantity, Charge]:
    """Return what the pulses of a tester move, from the current of each pulse.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        The quantities of `CHARGES`, with errors from the noise of the current of each pulse. The tester refers all
        pulses to one polarization at the start of D and U, so that its numbers, unlike these, contain what relaxes
        between the pulses.
    """
    time = data["time"].to_numpy()
    moved = {}
    for letter in "PUND":
        pulse = data.sel(pulse=letter)
        current, top = pulse["current"].to_numpy(), int(np.argmax(np.abs(pulse["voltage"].to_numpy())))
        noise = np.std(sample_noise(current))
        for end, stop in (("top", top), ("stop", len(time) - 1)):
            weight = _trapezoid(time, 0, stop) * MICROCOULOMB / geometry.area
            moved[letter, end] = weight @ current, noise * np.linalg.norm(weight)
    result = {}
    for quantity, (end, signs) in CHARGES.items():
        charges, errors = np.array([moved[letter, end] for letter in signs]).T
        result[quantity] = Charge(float(charges @ list(signs.values())), float(np.linalg.norm(errors)))
    return result


def instrument_values(data: xr.Dataset) -> dict[Quantity, float]:
    """Reproduce the numbers that an aixACCT tester derives from its own column of the polarization.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        The maximum is that of the P pulse at its largest voltage. The switching polarization is the maximum less the
        polarization at the start of D, the non-switching one the maximum less that at the start of U. Remanences are
        taken where P and N end, coercive voltages where P and N cross zero. Software 3.0.25 writes the maximum plus
        the polarization at the start of D as ``Psw``.
    """
    pulse = {letter: data.sel(pulse=letter) for letter in "PUND"}
    voltage = {letter: one["voltage"].to_numpy() for letter, one in pulse.items()}
    polarization = {letter: one["polarization"].to_numpy() for letter, one in pulse.items()}
    largest = polarization["P"][np.argmax(voltage["P"])]
    switching, nonswitching = largest - polarization["D"][0], largest - polarization["U"][0]
    result = {
        q.MAXIMUM_POLARIZATION: largest,
        q.SWITCHING_POLARIZATION["positive"]: switching,
        q.NONSWITCHING_POLARIZATION["positive"]: nonswitching,
        q.SWITCHED_POLARIZATION_DIFFERENCE["positive"]: switching - nonswitching,
    }
    for letter, remanence, coercive in (
        ("P", q.REMANENT_POLARIZATION["positive"], q.COERCIVE_VOLTAGE["positive"]),
        ("N", q.REMANENT_POLARIZATION["negative"], q.COERCIVE_VOLTAGE["negative"]),
    ):
        result[remanence] = polarization[letter][_end(voltage[letter])]
        result[coercive] = _first_crossing(voltage[letter], polarization[letter])
    return {quantity: float(value) for quantity, value in result.items()}


def _end(voltage: np.ndarray) -> int:
    """Return the index of the first sample after the top at which the pulse has ended."""
    top = int(np.argmax(np.abs(voltage)))
    left = np.abs(voltage[top:] - np.median(voltage[-20:]))
    return top + int(np.argmax(left < PULSE_END * np.abs(voltage[top])))


def _first_crossing(voltage: np.ndarray, polarization: np.ndarray) -> float:
    before = int(np.argmax(np.diff(np.sign(polarization)) != 0))
    low, high = polarization[before], polarization[before + 1]
    return float(voltage[before] - low * (voltage[before + 1] - voltage[before]) / (high - low))
