"""P–E and I–E loops and a PUND train of flakes with in-plane electrodes; `antiferroelectric` says how they switch."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from relaxor.simulation.antiferroelectric import (
    REFERENCE_FREQUENCY,
    Flake,
    loop_polarization,
    pulse_polarization,
    triangle,
)
from relaxor.simulation.sample_file import PROGRAM, SampleFile, Truth
from relaxor.simulation.writers.fe2000 import fe2000

SAMPLES = 800
"""Samples a cycle."""
CYCLES = 2
FREQUENCIES = (10.0, 100.0, 1000.0)
"""Hz."""
AMPLITUDES = (10.0, 14.0, 18.0, 22.0)
"""V across the gap of 2 µm: 50 to 110 kV/cm."""
NOISE = 0.08e-12
"""A at 100 Hz after the averaging of the instrument; white, so it grows with the root of the bandwidth."""
VOLTAGE_NOISE = 1e-3
"""V."""


MAIN = Flake(8, 20, 2, 4.0, 60, 9, 30, 8, 1.5e-15, 2.0e-13, 1.2e-16)
"""The device of the paper (8 nm by AFM). The polarization is plausible (as of CuInP2S6); the paper's is only drawn."""
THIN = (
    Flake(5, 18, 2, 3.6, 64, 10, 31, 8.5, 1.3e-15, 1.3e-13, 0.9e-16),
    Flake(3, 15, 2, 3.1, 68, 11, 32, 9, 1.1e-15, 0.8e-13, 0.6e-16),
)
"""Thinner flakes: plausible, switching fields and their spread grow as the flake thins."""
THIN_AMPLITUDE = 26.0


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the loops of the main flake, of thinner flakes, and a PUND train of the main flake."""
    for frequency in FREQUENCIES:
        for amplitude in AMPLITUDES:
            main = frequency == REFERENCE_FREQUENCY and amplitude == max(AMPLITUDES)
            yield _loop(rng, MAIN, frequency, amplitude, "1f" if main else "", first=main)
    for flake in THIN:
        yield _loop(rng, flake, REFERENCE_FREQUENCY, THIN_AMPLITUDE, "S5", first=True)
    yield _pund(rng, MAIN, REFERENCE_FREQUENCY, max(AMPLITUDES))


def _loop(
    rng: np.random.Generator, flake: Flake, frequency: float, amplitude: float, panel: str, *, first: bool
) -> SampleFile:
    step = 1 / frequency / SAMPLES
    time = np.arange(CYCLES * SAMPLES) * step
    limit = amplitude * 10 / flake.gap
    # The electrometer reports the charge of one sampling interval, centred on the sample.
    edges = np.append(time, time[-1] + step) - step / 2
    polarization = loop_polarization(flake, edges * frequency, frequency, limit)
    drive = amplitude * triangle(time * frequency)
    current = _current(flake, polarization, amplitude * triangle(edges * frequency), drive, step)
    name = f"pe_{flake.thickness:g}nm_{amplitude:g}V_{frequency:g}Hz"
    content = _record(rng, flake, "Hysteresis, triangle", frequency, amplitude, time, drive, current)
    truth = loop_truth(flake, frequency, amplitude)
    return SampleFile(
        name,
        "hysteresis",
        panel,
        f"{name}.txt",
        content,
        truth=truth + (_thickness_truth(truth) if first and flake is MAIN else ()),
        series_truth=_device_truth(flake) if first else (),
        conditions=_conditions(flake, frequency)
        | ({"thickness_alternative": f"{OTHER_THICKNESS:g} nm"} if first and flake is MAIN else {}),
        table="fe2000",
        note=f"P-E and I-E, triangle of {amplitude:g} V, {CYCLES} cycles",
    )


def _conditions(flake: Flake, frequency: float) -> dict[str, str]:
    return {
        "thickness": f"{flake.thickness:g} nm",
        "width": f"{flake.width:g} um",
        "gap": f"{flake.gap:g} um",
        "frequency": f"{frequency:g} Hz",
    }


def _current(
    flake: Flake, polarization: np.ndarray, edge_voltage: np.ndarray, voltage: np.ndarray, step: float
) -> np.ndarray:
    """Return the noiseless current of the samples between the edges."""
    switching = flake.area * np.diff(polarization) * 1e-6 / step
    displacement = flake.capacitance * np.diff(edge_voltage) / step
    return switching + displacement + flake.conductance * voltage + flake.conductance_cubic * voltage**3


def _record(
    rng: np.random.Generator,
    flake: Flake,
    test: str,
    frequency: float,
    amplitude: float,
    time: np.ndarray,
    voltage: np.ndarray,
    current: np.ndarray,
) -> bytes:
    """Add offset, drift and noise, and write the export."""
    noise = NOISE / np.sqrt(REFERENCE_FREQUENCY * SAMPLES * (time[1] - time[0]))
    offset, drift = rng.normal(0, 0.4e-12), rng.normal(0, 2 * noise)
    recorded = current + offset + drift * time / time[-1] + rng.normal(0, noise, len(time))
    header = {
        "Huace FE-2000": "ferroelectric analyzer, text export",
        "Comment": f"SIMULATED by {PROGRAM}.hysteresis, not measured",
        "Sample": f"CuBiP2Se6 flake, {flake.thickness:g} nm",
        "Test": test,
        "Date": "2024-11-12T14:05:00",
        "Frequency (Hz)": f"{frequency:g}",
        "Amplitude (V)": f"{amplitude:g}",
        "Area (um2)": f"{flake.area * 1e8:.4g}",
        "Gap (um)": f"{flake.gap:g}",
        "Averages": "32",
    }
    return fe2000(header, time, voltage + rng.normal(0, VOLTAGE_NOISE, len(time)), recorded)


# --- PUND ---------------------------------------------------------------------------------------------------------
PULSE_STEP = 25e-6
REST_TIME = 5e-3
SEQUENCE = (-1, 1, 1, -1, -1)
"""Signs of the pulses: one that sets the state, then P, U, N, D."""


def _pund(rng: np.random.Generator, flake: Flake, frequency: float, amplitude: float) -> SampleFile:
    limit, rise = amplitude * 10 / flake.gap, 1 / (4 * frequency)
    slot = 2 * rise + REST_TIME
    time = np.arange(round((len(SEQUENCE) * slot + REST_TIME) / PULSE_STEP)) * PULSE_STEP
    edges = np.append(time, time[-1] + PULSE_STEP) - PULSE_STEP / 2
    polarization, level = _train(flake, frequency, limit, edges, rise, slot)
    _, drive = _train(flake, frequency, limit, time, rise, slot)
    current = _current(flake, polarization, amplitude * level, amplitude * drive, PULSE_STEP)
    name = f"pund_{flake.thickness:g}nm_{amplitude:g}V_{frequency:g}Hz"
    return SampleFile(
        name,
        "hysteresis",
        "",
        f"{name}.txt",
        _record(rng, flake, "PUND, triangular pulses", frequency, amplitude, time, amplitude * drive, current),
        truth=_pund_truth(flake, frequency, limit),
        conditions=_conditions(flake, frequency),
        table="fe2000",
        note="one pulse that sets the state, then P, U, N, D",
    )


def _train(
    flake: Flake, frequency: float, limit: float, time: np.ndarray, rise: float, slot: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return P and the drive (−1 … 1) of the whole train, which begins with a rest."""
    polarization, drive = np.zeros_like(time), np.zeros_like(time)
    before = -SEQUENCE[0]
    polarization[:] = pulse_polarization(flake, frequency, limit, np.zeros(1), SEQUENCE[0], before, True)
    for number, sign in enumerate(SEQUENCE):
        local = time - REST_TIME - number * slot
        for toward, part in ((True, (local >= 0) & (local < rise)), (False, (local >= rise) & (local < 2 * rise))):
            level = local[part] / rise if toward else 2 - local[part] / rise
            drive[part] = sign * level
            polarization[part] = pulse_polarization(flake, frequency, limit, level, sign, before, toward)
        after = local >= 2 * rise
        polarization[after] = pulse_polarization(flake, frequency, limit, np.zeros(1), sign, before, False)
        before = sign
    return polarization, drive


# --- truth: worked out from the ensemble, not from the samples ----------------------------------------------------
ROOM = 20.0
"""kV/cm; a switching field nearer to the tip (E_F) or to zero field (E_A) has no peak of its own in a minor loop."""
OTHER_THICKNESS = 6.0
"""nm; the thickness that the paper's benchmark gives for the device."""


@cache
def loop_truth(flake: Flake, frequency: float, amplitude: float) -> tuple[Truth, ...]:
    """Return the numbers of the noiseless switching polarization of a loop."""
    limit = amplitude * 10 / flake.gap

    def up(field: float) -> float:
        return float(flake.rising(field, frequency, limit))

    def down(field: float) -> float:
        return float(flake.falling(field, frequency, limit))

    top, bottom = up(limit), down(-limit)
    middle = (top + bottom) / 2
    values = {
        "p_max": (top - middle, "uC/cm^2"),
        "p_r_plus": (down(0) - middle, "uC/cm^2"),
        "p_r_minus": (up(0) - middle, "uC/cm^2"),
        "e_c_plus": (brentq(lambda field: up(field) - middle, -limit, limit), "kV/cm"),
        "e_c_minus": (brentq(lambda field: down(field) - middle, -limit, limit), "kV/cm"),
        "e_f_plus": (_steepest(up, limit), "kV/cm"),
        "e_a_plus": (_steepest(down, limit), "kV/cm"),
        "e_f_minus": (_steepest(down, -limit), "kV/cm"),
        "e_a_minus": (_steepest(up, -limit), "kV/cm"),
    }
    stored = limit * (top - bottom) - _integral(up, 0, limit) + _integral(down, -limit, 0)
    recovered = limit * (top - bottom) - _integral(down, 0, limit) + _integral(up, -limit, 0)
    values |= {
        "w_stored": (stored / 2, "mJ/cm^3"),
        "w_recovered": (recovered / 2, "mJ/cm^3"),
        "w_loss": ((stored - recovered) / 2, "mJ/cm^3"),
        "efficiency": (recovered / stored, "1"),
    }
    seen = {
        name: entry
        for name, entry in values.items()
        if not (name.startswith("e_f") and abs(entry[0]) > limit - ROOM)
        and not (name.startswith("e_a") and abs(entry[0]) < ROOM)
    }
    return tuple(("corrected", name, value, unit) for name, (value, unit) in seen.items())


def _integral(branch: Callable[[float], float], low: float, high: float) -> float:
    return float(quad(branch, low, high, epsabs=1e-9, limit=200)[0])


def _steepest(branch: Callable[[float], float], end: float) -> float:
    """Return the field between zero and ``end`` where a branch is steepest."""
    step = 0.05

    def slope(field: float) -> float:
        return branch(field + step) - branch(field - step)

    def curvature(field: float) -> float:
        return branch(field + step) - 2 * branch(field) + branch(field - step)

    grid = np.linspace(0.02, 0.98, 49) * end
    coarse = float(grid[np.argmax([slope(field) for field in grid])])
    low, high = coarse - abs(grid[1] - grid[0]), coarse + abs(grid[1] - grid[0])
    if curvature(low) * curvature(high) > 0:
        return coarse  # steepest at the end of the sweep: not a switching field
    # The zero of the curvature is sharp; a search for the largest slope would stop at the square root of rounding.
    return float(brentq(curvature, low, high))


def _device_truth(flake: Flake) -> tuple[tuple[str, str, str, float, str], ...]:
    device = f"device_{flake.thickness:g}nm"
    rows: list[tuple[str, str, str, float, str]] = [
        (device, "ohmic_cubic", "capacitance", flake.capacitance, "F"),
        (device, "ohmic_cubic", "conductance", flake.conductance, "S"),
        (device, "ohmic_cubic", "conductance_cubic", flake.conductance_cubic, "S/V^2"),
    ]
    if flake is MAIN:
        low, *_, high = (
            {name: value for _, name, value, _ in loop_truth(flake, f, max(AMPLITUDES))} for f in FREQUENCIES
        )
        decades = np.log10(max(FREQUENCIES) / min(FREQUENCIES))
        for name in ("e_f_plus", "e_a_plus", "e_f_minus", "e_a_minus"):
            rows.append((device, "logarithmic", f"{name}_per_decade", (high[name] - low[name]) / decades, "kV/cm"))
    return tuple(rows)


def _thickness_truth(truth: tuple[Truth, ...]) -> tuple[Truth, ...]:
    scale = MAIN.thickness / OTHER_THICKNESS
    model = f"corrected_{OTHER_THICKNESS:g}nm"
    return tuple((model, name, value * scale, unit) for _, name, value, unit in truth if name[:2] in ("p_", "w_"))


def _pund_truth(flake: Flake, frequency: float, limit: float) -> tuple[Truth, ...]:
    """Return what the pulses move: switching, and what flows through capacitance and conductance in a rise."""
    rise, top = 1 / (4 * frequency), limit * flake.gap / 10
    per_area = 1e6 / flake.area
    linear = (
        flake.capacitance * top + flake.conductance * top * rise / 2 + flake.conductance_cubic * top**3 * rise / 4
    ) * per_area

    def move(sign: int, before: int, end: tuple[float, bool]) -> float:
        level, toward = end
        start = pulse_polarization(flake, frequency, limit, np.zeros(1), sign, before, True)
        return float((pulse_polarization(flake, frequency, limit, np.array([level]), sign, before, toward) - start)[0])

    full, whole = (1.0, False), (0.0, False)
    values: dict[str, float] = {}
    for suffix, sign in (("", 1), ("_minus", -1)):
        first, second = (sign * move(sign, before, full) for before in (-sign, sign))
        values |= {f"p_sw{suffix}": first + linear, f"p_nsw{suffix}": second + linear, f"dp_sw{suffix}": first - second}
    values["remanent_switched"] = move(1, -1, whole) - move(1, 1, whole)
    opening = float(flake.falling(0, frequency, limit) - flake.rising(0, frequency, limit))
    return (
        *(("pund", name, value, "uC/cm^2") for name, value in values.items()),
        ("pund_minus_loop", "loop_opening", opening, "uC/cm^2"),
        ("pund_minus_loop", "remanence_difference", values["remanent_switched"] - opening, "uC/cm^2"),
    )
