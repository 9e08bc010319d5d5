"""PUND: what one pulse switches beyond what a second equal pulse moves.

P and U are equal pulses, so leakage and capacitance cancel in their difference; N and D likewise with the other sign.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.capacitor import Capacitor
from relaxor.data import Measurement
from relaxor.errors import AnalysisError
from relaxor.hysteresis.background import Geometry
from relaxor.hysteresis.loops import MICROCOULOMB, charge
from relaxor.units import factor

REST = 0.01
"""Fraction of the largest voltage below which a sample belongs to a rest between pulses."""
LEAST_PULSE = 0.1
"""Fraction of the largest voltage that a pulse reaches; what stays below it is the rest's own noise."""
MARGIN = 2
"""Samples by which a pulse is widened, besides what of its ramp lies below the rest's threshold."""
PULSE_END = 0.005
"""Fraction of the largest voltage below which a falling pulse counts as ended."""


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
) -> tuple[dict[str, tuple[float, float]], dict[str, xr.Dataset], float]:
    """Analyse a train of pulses recorded without interruption.

    The baseline (offset and drift) is a straight line through the rests. All results are sums of currents with
    known weights, so that their errors follow from the noise in the rests without approximation.

    Returns
    -------
    values
        ``p_sw``, ``p_nsw`` (from the start of the pulse to its largest voltage, P and U), ``dp_sw``, their
        negative counterparts ``p_sw_minus``, ... (N and D), and ``remanent_switched``: what P leaves at its end
        beyond what U leaves. Each with its standard error; µC/cm².
    curves
        Letter → P against voltage.
    noise
        Standard deviation of a sample, A.
    """
    data = measurement.only
    time, voltage, current = (
        data[name].to_numpy() * factor(data[name].attrs["units"], unit)
        for name, unit in (("time", "s"), ("voltage", "V"), ("current", "A"))
    )
    pulses = {pulse.letter: pulse for pulse in find_pulses(voltage)}
    missing = [letter for letter in "PUND" if letter not in pulses]
    if missing:
        raise AnalysisError(f"{measurement.id}: no pulse {', '.join(missing)} in the train {''.join(pulses)}")
    rest = np.abs(voltage) < REST * np.abs(voltage).max()
    for pulse in pulses.values():
        rest[pulse.start : pulse.stop + 1] = False
    if rest.sum() < 20:
        raise AnalysisError(f"{measurement.id}: the rests between pulses hold {rest.sum()} samples; 20 are needed")
    line = np.stack([np.ones_like(time), time - time.mean()], axis=-1)
    solve = np.linalg.pinv(line[rest])
    scatter = current[rest] - line[rest] @ (solve @ current[rest])
    noise = float(np.sqrt(scatter @ scatter / (rest.sum() - 2)))

    tops = {pulse.top for pulse in pulses.values()}

    def weights(start: int, stop: int) -> np.ndarray:
        """Weights of ∫I dt / A from ``start`` to ``stop``, the baseline already taken off."""
        result = np.zeros_like(time)
        steps = np.diff(time[start : stop + 1]) / 2
        result[start:stop] += steps
        result[start + 1 : stop + 1] += steps
        if stop in tops:
            # The current jumps where the ramp turns: the limit from the left replaces the sample there.
            last, result[stop] = result[stop], 0.0
            result[stop - 1] += 2 * last
            result[stop - 2] -= last
        result[rest] -= (result @ line) @ solve
        return result * MICROCOULOMB / geometry.area

    sums: dict[str, np.ndarray] = {}
    for suffix, switching, again, sign in (("", "P", "U", 1), ("_minus", "N", "D", -1)):
        first, second = (weights(pulses[letter].start, pulses[letter].top) * sign for letter in (switching, again))
        sums |= {f"p_sw{suffix}": first, f"p_nsw{suffix}": second, f"dp_sw{suffix}": first - second}
    whole = {letter: weights(pulses[letter].start, pulses[letter].stop) for letter in "PU"}
    sums["remanent_switched"] = whole["P"] - whole["U"]
    values = {name: (float(weight @ current), noise * float(np.linalg.norm(weight))) for name, weight in sums.items()}
    corrected = current - line @ (solve @ current[rest])
    curves = {
        letter: _curve(time, voltage, corrected, pulse, geometry) for letter, pulse in pulses.items() if letter != "X"
    }
    return values, curves, noise


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


def separate_charges(data: xr.Dataset, geometry: Geometry | Capacitor) -> dict[str, float]:
    """Return what the pulses of a tester move, from the current of each.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        ``p_sw``, ``p_nsw`` (P and U to their largest voltage), ``dp_sw``, their negative counterparts, and
        ``remanent_switched`` (what P leaves at its end beyond what U leaves); µC/cm². The tester refers all to one
        polarization at the start of D and U: what relaxes between the pulses is in its numbers, not in these.
    """
    time = data["time"].to_numpy()
    top, end = {}, {}
    for letter in "PUND":
        pulse = data.sel(pulse=letter)
        moved = charge(time, pulse["current"].to_numpy()) * MICROCOULOMB / geometry.area
        top[letter], end[letter] = moved[int(np.argmax(np.abs(pulse["voltage"].to_numpy())))], moved[-1]
    result = {"remanent_switched": end["P"] - end["U"]}
    for suffix, switching, again, sign in (("", "P", "U", 1), ("_minus", "N", "D", -1)):
        first, second = sign * top[switching], sign * top[again]
        result |= {f"p_sw{suffix}": first, f"p_nsw{suffix}": second, f"dp_sw{suffix}": first - second}
    return {name: float(value) for name, value in result.items()}


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
