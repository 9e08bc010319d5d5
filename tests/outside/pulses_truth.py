"""Devices under pulses of light or voltage, written for the scenarios alone: no function of relaxor makes the data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement

AREA = 2e-7
"""cm²."""
BIAS = 0.5
"""V."""
ATTRS = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
Pulse = tuple[float, float, float]
"""Onset and width, s, and height, in mW/cm² or V."""
Device = Callable[[np.ndarray, Sequence[Pulse]], np.ndarray]
"""Current above the dark one, A, at given times under given pulses."""


# --- devices under light
def _changes(pulses: Sequence[Pulse]) -> list[tuple[float, float]]:
    """When the power changes, and to which."""
    return [(at, power) for onset, width, power in pulses for at, power in ((onset, power), (onset + width, 0.0))]


def traps(
    currents: np.ndarray, rates: np.ndarray, times: np.ndarray, *, prompt: float, exponent: float, reference: float
) -> Device:
    """Traps that fill by dy/dt = g (P/P0)^a (1 − y) − y/τ, each kind on its own, beside a prompt current."""

    def device(time: np.ndarray, pulses: Sequence[Pulse]) -> np.ndarray:
        current, filled = np.zeros(time.size), np.zeros(len(times))
        changes = _changes(pulses)
        for (begin, power), (end, _) in zip([(0.0, 0.0), *changes], [*changes, (np.inf, 0.0)], strict=True):
            drive = (power / reference) ** exponent if power else 0.0
            speed = rates * drive + 1 / times
            rest = rates * drive / speed
            inside = (time >= begin - 1e-9) & (time < end - 1e-9)
            passed = time[inside] - begin
            y = rest[:, None] + (filled - rest)[:, None] * np.exp(-speed[:, None] * passed)
            current[inside] = prompt * drive + currents @ y
            filled = rest + (filled - rest) * np.exp(-speed * (min(end, 1e9) - begin))
        return current

    return device


def two_kinds() -> Device:
    """Two kinds of traps, the family of the fit."""
    return traps(np.array([2e-11, 3.7e-11]), np.array([1.0, 0.15]), np.array([0.3, 8.0]), prompt=1.57e-11,
                 exponent=0.7, reference=32.0)  # fmt: skip


def many_kinds(kinds: int = 25) -> Device:
    """Kinds of traps with decay times from 0.05 to 50 s, evenly on a logarithmic scale."""
    times = np.geomspace(0.05, 50, kinds)
    return traps(np.full(kinds, 8e-11 / kinds), 0.3 / times**0.5, times, prompt=1.57e-11, exponent=0.7, reference=32.0)


def bimolecular(time: np.ndarray, pulses: Sequence[Pulse]) -> np.ndarray:
    """Carriers that recombine in pairs: dn/dt = G − B n², G in proportion to the power; current in A."""
    current, carriers = np.zeros(time.size), 0.0
    changes = _changes(pulses)
    recombination = 0.05
    for (begin, power), (end, _) in zip([(0.0, 0.0), *changes], [*changes, (np.inf, 0.0)], strict=True):
        inside = (time >= begin - 1e-9) & (time < end - 1e-9)

        def density(passed: np.ndarray | float, start: float = carriers, rate: float = power / 3) -> Any:
            if not rate:
                return start / (1 + recombination * start * passed)
            steady = np.sqrt(rate / recombination)
            return steady * np.tanh(recombination * steady * passed + np.arctanh(min(start / steady, 1 - 1e-12)))

        current[inside] = 4e-12 * density(time[inside] - begin)
        carriers = float(density(end - begin)) if np.isfinite(end) else 0.0
    return current


# --- noise
def white(rng: np.random.Generator, n: int) -> np.ndarray:
    """White noise of the standard deviation one."""
    return rng.standard_normal(n)


def flicker(rng: np.random.Generator, n: int) -> np.ndarray:
    """1/f noise of the standard deviation one: white noise whose Fourier components fall with 1/√f."""
    size = 8 * n
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, size)
    start = rng.integers(size - n)
    return (noise / noise.std())[start : start + n]


def telegraph(rng: np.random.Generator, n: int, mean_length: float = 100.0) -> np.ndarray:
    """Random telegraph noise between −1 and 1, which stays for 100 readings on average, below a little white noise.

    Without the noise of readings, a state would look like the compliance of an instrument.
    """
    flips = rng.random(n) < 1 / mean_length
    return np.where((np.cumsum(flips) + rng.integers(2)) % 2, 1.0, -1.0) + 0.1 * rng.standard_normal(n)


# --- files
def light_file(name: str, runs: Sequence[Mapping[str, np.ndarray]]) -> Measurement:
    """A table of the runs of one file, as a script of a source meter writes it."""
    number = np.repeat(np.arange(1, len(runs) + 1), [run["time"].size for run in runs])
    columns = {
        "run": (number, "1"),
        "time": (np.concatenate([run["time"] for run in runs]), "s"),
        "power": (np.concatenate([run["power"] for run in runs]), "mW/cm^2"),
        "bias": (np.full(number.size, BIAS), "V"),
        "current": (np.concatenate([run["current"] for run in runs]), "A"),
    }
    table = xr.Dataset({key: ("row", values, {"units": unit}) for key, (values, unit) in columns.items()})
    return Measurement(name, ATTRS, {"wavelength": (650.0, "nm"), "area": (AREA, "cm^2")}, {"table": table})


def exposed(
    device: Device, pulses: Sequence[Pulse], end: float, rng: np.random.Generator, *, noise: float = 5e-14,
    gain: float = 0.005, step: float = 0.02, dark: float = 1e-12,
) -> dict[str, np.ndarray]:  # fmt: skip
    """One run under light with white noise of the readings, and a response of its own."""
    time = step * np.arange(1, round(end / step) + 1)
    power = np.zeros(time.size)
    for onset, width, height in pulses:
        power[(time >= onset - 1e-9) & (time < onset + width - 1e-9)] = height
    current = dark + (1 + gain * rng.standard_normal()) * device(time, pulses) + noise * rng.standard_normal(time.size)
    return {"time": time, "power": power, "current": current}


def light_session(device: Device, rng: np.random.Generator, **how: float) -> list[Measurement]:
    """Series of power, width, number and pairs of one device: 32 runs."""
    powers = [exposed(device, [(0.5, 1.0, p)], 12, rng, **how) for p in (2, 4, 8, 16, 32, 64) for _ in range(2)]
    widths = [exposed(device, [(0.5, w, 32.0)], 11 + w, rng, **how) for w in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)]
    numbers = [exposed(device, [(0.5 + 0.4 * i, 0.2, 32.0) for i in range(n)], 8 + 0.4 * n, rng, **how)
               for n in (1, 2, 5, 10, 20)]  # fmt: skip
    pairs = [exposed(device, [(0.5, 0.1, 32.0), (0.6 + d, 0.1, 32.0)], d + 2, rng, **how)
             for d in (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0)]  # fmt: skip
    files = {"power": powers, "width": widths, "number": numbers, "pairs": pairs}
    return [light_file(name, runs) for name, runs in files.items()]


# --- pairs of voltage pulses
INTERVALS = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 4.0])
"""s."""
READ, PULSE = 0.5, 5.0
"""V."""


def facilitation(interval: float) -> float:
    """Paired-pulse index in percent at an interval in s: two exponentials above 100 %."""
    return 100 + 40 * float(np.exp(-interval / 0.1)) + 30 * float(np.exp(-interval / 2.0))


def pair_file(
    rng: np.random.Generator, noise: Callable[[np.random.Generator, int], np.ndarray], repeats: int = 1,
    amplitude: float = 2e-13, response: float = 1e-11,
) -> Measurement:  # fmt: skip
    """Pairs of pulses at `INTERVALS`, read at a low voltage, with noise of a standard deviation ``amplitude`` (A).

    The read current steps by ``response`` behind the first pulse and by the index times it behind the second one, and
    stays, so that the truth is what stands in any read window.
    """
    step, regions = 0.001, {}
    for number, interval in enumerate(np.repeat(INTERVALS, repeats), 1):
        ends = 0.15, 0.25 + interval, 0.35 + interval  # end of the first pulse, start and end of the second
        time = step * np.arange(1, round((ends[2] + 0.2) / step) + 1)
        inside = ((time > 0.05 + step / 2) & (time < ends[0] + step / 2)) | (
            (time > ends[1] - 0.1 + step / 2) & (time < ends[2] - 0.1 + step / 2)
        )
        behind_first, behind_second = time > ends[0] + step / 2, time > ends[2] - 0.1 + step / 2
        current = 1e-12 + response * np.where(behind_second, facilitation(interval) / 100, 1.0) * behind_first
        current = current + inside * 2e-11 + amplitude * noise(rng, time.size)
        columns = {"Time": (time, "s"), "V": (np.where(inside, PULSE, READ), "V"), "I": (current, "A")}
        variables = {key: ("point", values, {"units": unit}) for key, (values, unit) in columns.items()}
        regions[f"Run{number}"] = xr.Dataset(variables)
    return Measurement("pairs", ATTRS, {}, regions)


# --- noise of a device in the dark
def dark_run(rng: np.random.Generator, length: float, corner: float, density: float = 1e-14) -> dict[str, np.ndarray]:
    """A run in the dark of readings of 10 ms, in white noise (A/√Hz) and 1/f noise below a corner (Hz)."""
    step = 0.01
    time = step * np.arange(1, round(length / step) + 1)
    size = 8 * time.size
    frequency = np.fft.rfftfreq(size, step)
    power = np.zeros(frequency.size)
    power[1:] = density**2 * (1 + corner / frequency[1:])
    drawn = rng.standard_normal(frequency.size) + 1j * rng.standard_normal(frequency.size)
    noise = np.fft.irfft(drawn * np.sqrt(power * size / (4 * step)), size)
    start = rng.integers(size - time.size)
    return {"time": time, "power": np.zeros(time.size), "current": 1e-12 + noise[start : start + time.size]}
