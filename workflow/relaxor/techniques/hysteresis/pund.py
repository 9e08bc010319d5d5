"""PUND: what one pulse switches beyond what a second equal pulse moves.

P and U are equal pulses, so leakage and capacitance cancel in their difference; N and D likewise with the other sign.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import CONFIDENCE, NORMAL_QUANTILE, Measurement
from relaxor.core.units import factor
from relaxor.techniques.hysteresis.capacitor import Capacitor
from relaxor.techniques.hysteresis.cycles import sample_noise
from relaxor.techniques.hysteresis.device import TOLERANCE, Geometry
from relaxor.techniques.hysteresis.loops import MICROCOULOMB, charge

REST = 0.01
"""Fraction of the largest voltage below which a sample belongs to a rest between pulses."""
LEAST_PULSE = 0.1
"""Fraction of the largest voltage that a pulse reaches; what stays below it is the rest's own noise."""
MARGIN = 2
"""Samples by which a pulse is widened, besides what of its ramp lies below the rest's threshold."""
PULSE_END = 0.005
"""Fraction of the largest voltage below which a falling pulse counts as ended."""
CHARGES = {
    "p_sw": ("top", {"P": 1}),
    "p_nsw": ("top", {"U": 1}),
    "dp_sw": ("top", {"P": 1, "U": -1}),
    "p_sw_minus": ("top", {"N": -1}),
    "p_nsw_minus": ("top", {"D": -1}),
    "dp_sw_minus": ("top", {"N": -1, "D": 1}),
    "remanent_switched": ("stop", {"P": 1, "U": -1}),
}
"""What a train gives → where its pulses are integrated to (largest voltage, end), and the sign of each; µC/cm²."""


@dataclass(frozen=True)
class Charge:
    """What pulses move, µC/cm²: value, standard error, and how many of these its 95 % interval holds to each side."""

    value: float
    error: float
    quantile: float = NORMAL_QUANTILE


@dataclass(frozen=True)
class Pulse:
    """One pulse of a train: samples ``start`` … ``stop`` (the last is back at rest), the largest voltage at ``top``."""

    letter: str
    start: int
    top: int
    stop: int


def is_train(measurement: Measurement) -> bool:
    """Whether a measurement is a train of pulses: equal signs follow each other, as they never do in a loop."""
    data = next(iter(measurement.regions.values()))
    if "pulse" in data.dims:
        return True
    if "voltage" not in data or data["voltage"].ndim != 1:
        return False
    signs = [np.sign(run[1]) for run in _runs(data["voltage"].to_numpy())]
    return any(first == second for first, second in pairwise(signs))


def _runs(voltage: np.ndarray) -> list[tuple[int, float, int]]:
    """Return (start, extreme, stop) of every stretch of one sign outside the rests."""
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

    A pulse is P or N where the one before had the other sign, U or D where it had the same; the first only
    sets the state and is named X, unless it is repeated: then an earlier pulse, not recorded, has set the state.
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
) -> tuple[dict[str, Charge], dict[str, xr.Dataset], dict[str, int]]:
    """Analyse a train of pulses recorded without interruption.

    The baseline (offset and drift) is a straight line through the rests. All results are sums of currents with
    known weights, so that their errors follow from the noise in the rests without approximation. Pulses that are
    repeated are averaged, with the error of their scatter where that is larger.

    Returns
    -------
    values
        Those of `CHARGES`, each from the start of its pulses: ``p_sw``, ``p_nsw`` (P and U to their largest voltage),
        ``dp_sw``, their negative counterparts ``p_sw_minus``, ... (N and D), and ``remanent_switched``: what P leaves
        at its end beyond what U leaves.
    curves
        Letter → P against voltage, of the last pulse of its name.
    counts
        Letter → number of pulses.

    Raises
    ------
    AnalysisError
        If a pulse is missing, pulses of one sign differ in their voltage, or the rests are too short.
    """
    data = measurement.only
    time, voltage, current = (
        data[name].to_numpy() * factor(data[name].attrs["units"], unit)
        for name, unit in (("time", "s"), ("voltage", "V"), ("current", "A"))
    )
    pulses = find_pulses(voltage)
    counts = Counter(pulse.letter for pulse in pulses)
    missing = [letter for letter in "PUND" if letter not in counts]
    if missing:
        train = "".join(pulse.letter for pulse in pulses)
        raise AnalysisError(f"{measurement.id}: no pulse {', '.join(missing)} in the train {train}")
    for letters in ("PU", "ND"):
        tops = np.abs([voltage[pulse.top] for pulse in pulses if pulse.letter in letters])
        if np.ptp(tops) > TOLERANCE * tops.max():
            raise AnalysisError(
                f"{measurement.id}: pulses {' and '.join(letters)} reach {tops.min():.4g} to {tops.max():.4g} V; what "
                "does not switch cancels only between equal pulses: give a file for each voltage"
            )
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
        """Weights of ∫I dt / A over a pulse to its end, the baseline already taken off."""
        stop = int(getattr(pulse, end))
        result = _trapezoid(time, pulse.start, stop)
        if end == "top":
            # The current jumps where the ramp turns: the limit from the left replaces the sample there.
            last, result[stop] = result[stop], 0.0
            result[stop - 1] += 2 * last
            result[stop - 2] -= last
        result[rest] -= (result @ line) @ solve
        return result * MICROCOULOMB / geometry.area

    values = {}
    for name, (end, signs) in CHARGES.items():
        repeats = [
            sign * np.stack([weights(pulse, end) for pulse in pulses if pulse.letter == letter])
            for letter, sign in signs.items()
        ]
        weight = sum((each.mean(axis=0) for each in repeats), np.zeros_like(time))
        values[name] = _mean(weight, current, noise, [each @ current for each in repeats])
    corrected = current - line @ (solve @ current[rest])
    curves = {
        pulse.letter: _curve(time, voltage, corrected, pulse, geometry) for pulse in pulses if pulse.letter != "X"
    }
    return values, curves, dict(counts)


def _trapezoid(time: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return the weights of samples in their integral from ``start`` to ``stop``, s."""
    weights = np.zeros_like(time)
    steps = np.diff(time[start : stop + 1]) / 2
    weights[start:stop] += steps
    weights[start + 1 : stop + 1] += steps
    return weights


def _mean(weight: np.ndarray, current: np.ndarray, noise: float, repeats: Sequence[np.ndarray]) -> Charge:
    """Take the mean of pulses; ``repeats`` are what the single ones of each letter move."""
    propagated = noise * float(np.linalg.norm(weight))
    fewest = min(map(len, repeats))
    scatter = math.sqrt(sum(np.var(each, ddof=1) / len(each) for each in repeats)) if fewest > 1 else 0.0
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, fewest - 1) if scatter > propagated else NORMAL_QUANTILE
    return Charge(float(weight @ current), max(scatter, propagated), float(quantile))


def _curve(
    time: np.ndarray, voltage: np.ndarray, current: np.ndarray, pulse: Pulse, geometry: Geometry | Capacitor
) -> xr.Dataset:
    part = slice(pulse.start, pulse.stop + 1)
    polarization = charge(time[part], current[part]) / geometry.area * MICROCOULOMB
    axis = ("time", time[part] - time[pulse.start], {"units": "s", "long_name": "Time"})
    return xr.Dataset(
        {
            "field": (
                "time",
                voltage[part] * geometry.field_per_volt,
                {"units": "kV/cm", "long_name": "Electric field"},
            ),
            "current": ("time", current[part], {"units": "A", "long_name": "Current"}),
            "polarization": ("time", polarization, {"units": "uC/cm^2", "long_name": "Polarization"}),
        },
        coords={"time": axis},
    )


def separate_charges(data: xr.Dataset, geometry: Geometry | Capacitor) -> dict[str, Charge]:
    """Return what the pulses of a tester move, from the current of each.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        As of `pulse_charges`, with the noise of each pulse's current. The tester refers all to one polarization at
        the start of D and U: what relaxes between the pulses is in its numbers, not in these.
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
    for name, (end, signs) in CHARGES.items():
        charges, errors = np.array([moved[letter, end] for letter in signs]).T
        result[name] = Charge(float(charges @ list(signs.values())), float(np.linalg.norm(errors)))
    return result


def instrument_values(data: xr.Dataset) -> dict[str, float]:
    """Reproduce the numbers that an aixACCT tester derives from its own polarization column.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        ``p_max`` (P pulse at its largest voltage), ``p_r_plus``, ``p_r_minus`` (where P and N end),
        ``p_sw`` = p_max − P at the start of D, ``p_nsw`` = p_max − P at the start of U, ``dp_sw`` (µC/cm²),
        ``v_c_plus``, ``v_c_minus`` (V; zero crossings in P and N). Software 3.0.25 leaves the sign of P in its
        ``Psw`` and so writes p_max + P at the start of D instead.
    """
    pulse = {letter: data.sel(pulse=letter) for letter in "PUND"}
    voltage = {letter: one["voltage"].to_numpy() for letter, one in pulse.items()}
    polarization = {letter: one["polarization"].to_numpy() for letter, one in pulse.items()}
    p_max = polarization["P"][np.argmax(voltage["P"])]
    p_sw, p_nsw = p_max - polarization["D"][0], p_max - polarization["U"][0]
    result = {"p_max": p_max, "p_sw": p_sw, "p_nsw": p_nsw, "dp_sw": p_sw - p_nsw}
    for letter, suffix in (("P", "plus"), ("N", "minus")):
        result[f"p_r_{suffix}"] = polarization[letter][_end(voltage[letter])]
        result[f"v_c_{suffix}"] = _first_crossing(voltage[letter], polarization[letter])
    return {name: float(value) for name, value in result.items()}


def _end(voltage: np.ndarray) -> int:
    """Return the first sample after the top at which the pulse has ended."""
    top = int(np.argmax(np.abs(voltage)))
    left = np.abs(voltage[top:] - np.median(voltage[-20:]))
    return top + int(np.argmax(left < PULSE_END * np.abs(voltage[top])))


def _first_crossing(voltage: np.ndarray, polarization: np.ndarray) -> float:
    before = int(np.argmax(np.diff(np.sign(polarization)) != 0))
    low, high = polarization[before], polarization[before + 1]
    return float(voltage[before] - low * (voltage[before + 1] - voltage[before]) / (high - low))
