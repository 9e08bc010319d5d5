"""Loops and a PUND train of flakes with in-plane electrodes; `antiferroelectric` describes how the flakes switch."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from relaxor.core.section import Section, setting
from relaxor.simulation.antiferroelectric import (
    REFERENCE_FREQUENCY,
    Flake,
    loop_polarization,
    pulse_polarization,
    triangle,
)
from relaxor.simulation.sample_file import PROGRAM, FileEntry, SampleFile, Truth
from relaxor.simulation.writers.fe2000 import fe2000

SAMPLES = 800
"""Number of samples in each cycle."""
CYCLES = 2
"""Number of cycles in each loop."""
NOISE = 0.08e-12
"""Standard deviation of the current in A at the reference frequency, after the averaging of the instrument.

The noise is white, so that it grows with the root of the bandwidth.
"""
VOLTAGE_NOISE = 1e-3
"""Standard deviation of the voltage in V."""
PULSE_STEP = 25e-6
"""Time between the samples of a train of pulses in s."""
REST_TIME = 5e-3
"""Time between pulses in s."""
SEQUENCE = (-1, 1, 1, -1, -1)
"""Signs of the pulses of a train: one that sets the state, then P, U, N and D."""
ROOM = 20.0
"""Distance in kV/cm from the tip of a loop (forward field) or from zero field (backward field) below which a switching
field has no current peak of its own."""
LEAST_SERIES = 3
"""Smallest number of frequencies from which a change with the frequency is determined."""


class Drive(Section):
    """A voltage that is applied to a flake, and the file in which the current is recorded."""

    file: FileEntry
    """The file; its conditions are completed with the size of the flake and the frequency."""
    flake: str
    """Name of the flake."""
    frequency: float = setting(..., "Hz", gt=0)
    """Frequency of the triangular voltage; a pulse lasts half of a period."""
    amplitude: float = setting(..., "V", gt=0)
    """Amplitude of the voltage."""
    thickness_alternative: float | None = setting(None, "nm", gt=0)
    """Another thickness that the sheet states for the flake."""


class Specimen(Section):
    """Flakes of one crystal, and what is applied to them."""

    material: str
    """Material, for the header of the files."""
    flakes: dict[str, Flake]
    """Name → flake."""
    loops: list[Drive]
    """Loops, in the order in which they are recorded."""
    trains: list[Drive]
    """PUND trains, which follow the loops."""

    def largest(self, flake: str) -> list[Drive]:
        """Return the loops of a flake that have its largest amplitude."""
        own = [loop for loop in self.loops if loop.flake == flake]
        return [loop for loop in own if loop.amplitude == max(each.amplitude for each in own)]


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the loops of a `Specimen`, then its PUND trains."""
    specimen = Specimen.model_validate(values)
    known: set[str] = set()
    for loop in specimen.loops:
        further = () if loop.flake in known else tuple(_device_truth(specimen, loop.flake))
        known.add(loop.flake)
        flake = specimen.flakes[loop.flake]
        truth = loop_truth(flake, loop.frequency, loop.amplitude)
        truth += tuple(_with_alternative_thickness(truth, flake.thickness, loop.thickness_alternative))
        content = _loop(rng, specimen.material, flake, loop)
        yield SampleFile.of(_entry(flake, loop), "hysteresis", content, truth=truth, series_truth=further)
    for train in specimen.trains:
        flake = specimen.flakes[train.flake]
        truth = tuple(_pund_truth(flake, train.frequency, train.amplitude * 10 / flake.gap))
        content = _pund(rng, specimen.material, flake, train)
        yield SampleFile.of(_entry(flake, train), "hysteresis", content, truth=truth)


def _entry(flake: Flake, drive: Drive) -> FileEntry:
    conditions = {
        "thickness": f"{flake.thickness:g} nm",
        "width": f"{flake.width:g} um",
        "gap": f"{flake.gap:g} um",
        "frequency": f"{drive.frequency:g} Hz",
    }
    if drive.thickness_alternative:
        conditions["thickness_alternative"] = f"{drive.thickness_alternative:g} nm"
    return drive.file.model_copy(update={"conditions": conditions | drive.file.conditions})


def _loop(rng: np.random.Generator, material: str, flake: Flake, loop: Drive) -> bytes:
    frequency, amplitude = loop.frequency, loop.amplitude
    step = 1 / frequency / SAMPLES
    time = np.arange(CYCLES * SAMPLES) * step
    limit = amplitude * 10 / flake.gap
    # The electrometer reports the charge of one sampling interval, centred on the sample.
    edges = np.append(time, time[-1] + step) - step / 2
    polarization = loop_polarization(flake, edges * frequency, frequency, limit)
    voltage = amplitude * triangle(time * frequency)
    current = _current(flake, polarization, amplitude * triangle(edges * frequency), voltage, step)
    header = _header(material, flake, "Hysteresis, triangle", loop)
    return _record(rng, header, time, voltage, current)


def _pund(rng: np.random.Generator, material: str, flake: Flake, train: Drive) -> bytes:
    frequency, amplitude = train.frequency, train.amplitude
    limit, rise = amplitude * 10 / flake.gap, 1 / (4 * frequency)
    slot = 2 * rise + REST_TIME
    time = np.arange(round((len(SEQUENCE) * slot + REST_TIME) / PULSE_STEP)) * PULSE_STEP
    edges = np.append(time, time[-1] + PULSE_STEP) - PULSE_STEP / 2
    polarization, level = _train(flake, frequency, limit, edges, rise, slot)
    _, drive = _train(flake, frequency, limit, time, rise, slot)
    current = _current(flake, polarization, amplitude * level, amplitude * drive, PULSE_STEP)
    header = _header(material, flake, "PUND, triangular pulses", train)
    return _record(rng, header, time, amplitude * drive, current)


def _current(
    flake: Flake, polarization: np.ndarray, edge_voltage: np.ndarray, voltage: np.ndarray, step: float
) -> np.ndarray:
    """Return the noiseless current of the samples between the edges."""
    switching = flake.area * np.diff(polarization) * 1e-6 / step
    displacement = flake.capacitance * np.diff(edge_voltage) / step
    return switching + displacement + flake.conductance * voltage + flake.conductance_cubic * voltage**3


def _header(material: str, flake: Flake, test: str, drive: Drive) -> dict[str, str]:
    return {
        "Huace FE-2000": "ferroelectric analyzer, text export",
        "Comment": f"SIMULATED by {PROGRAM}.hysteresis, not measured",
        "Sample": f"{material} flake, {flake.thickness:g} nm",
        "Test": test,
        "Date": "2024-11-12T14:05:00",
        "Frequency (Hz)": f"{drive.frequency:g}",
        "Amplitude (V)": f"{drive.amplitude:g}",
        "Area (um2)": f"{flake.area * 1e8:.4g}",
        "Gap (um)": f"{flake.gap:g}",
        "Averages": "32",
    }


def _record(
    rng: np.random.Generator, header: dict[str, str], time: np.ndarray, voltage: np.ndarray, current: np.ndarray
) -> bytes:
    """Add offset, drift and noise, and write the export."""
    noise = NOISE / np.sqrt(REFERENCE_FREQUENCY * SAMPLES * (time[1] - time[0]))
    offset, drift = rng.normal(0, 0.4e-12), rng.normal(0, 2 * noise)
    recorded = current + offset + drift * time / time[-1] + rng.normal(0, noise, len(time))
    return fe2000(header, time, voltage + rng.normal(0, VOLTAGE_NOISE, len(time)), recorded)


def _train(
    flake: Flake, frequency: float, limit: float, time: np.ndarray, rise: float, slot: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return P in µC/cm² and the drive (−1 to 1) of the whole train, which begins with a rest."""
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


# --- truth: from the ensemble of units, not from the samples --------------------------------------------------------
@cache
def loop_truth(flake: Flake, frequency: float, amplitude: float) -> tuple[Truth, ...]:
    """Return the numbers of the noiseless switching polarization of a loop, and of its charge without leakage."""
    limit = amplitude * 10 / flake.gap

    def up(field: float) -> float:
        return float(flake.rising(field, frequency, limit))

    def down(field: float) -> float:
        return float(flake.falling(field, frequency, limit))

    top, bottom = up(limit), down(-limit)
    middle = (top + bottom) / 2
    stored = limit * (top - bottom) - _integral(up, 0, limit) + _integral(down, -limit, 0)
    recovered = limit * (top - bottom) - _integral(down, 0, limit) + _integral(up, -limit, 0)
    values = {
        "maximum_polarization": (top - middle, "uC/cm^2"),
        "remanent_polarization_positive": (down(0) - middle, "uC/cm^2"),
        "remanent_polarization_negative": (up(0) - middle, "uC/cm^2"),
        "coercive_field_positive": (brentq(lambda field: up(field) - middle, -limit, limit), "kV/cm"),
        "coercive_field_negative": (brentq(lambda field: down(field) - middle, -limit, limit), "kV/cm"),
        "switching_stored_energy_density": (stored / 2, "mJ/cm^3"),
        "switching_recovered_energy_density": (recovered / 2, "mJ/cm^3"),
        "cycle_loss_energy_density": (stored - recovered, "mJ/cm^3"),
        "switching_efficiency": (recovered / stored, "1"),
    }
    for polarity, outward, inward, end in (("positive", up, down, limit), ("negative", down, up, -limit)):
        forward, backward = _steepest(outward, end), _steepest(inward, end)
        if abs(forward) <= limit - ROOM:
            values[f"forward_switching_field_{polarity}"] = (forward, "kV/cm")
        if abs(backward) >= ROOM:
            values[f"backward_switching_field_{polarity}"] = (backward, "kV/cm")
    # Without the leakage alone, the energy of the capacitance comes in full with the loading and with the unloading.
    charged = flake.capacitance * amplitude**2 / 2 / (flake.area * flake.gap * 1e-4) * 1e3
    whole = {
        "maximum_polarization": (top - middle + flake.capacitance * amplitude / flake.area * 1e6, "uC/cm^2"),
        "stored_energy_density": (stored / 2 + charged, "mJ/cm^3"),
        "recoverable_energy_density": (recovered / 2 + charged, "mJ/cm^3"),
        "cycle_loss_energy_density": (stored - recovered, "mJ/cm^3"),
        "efficiency": ((recovered / 2 + charged) / (stored / 2 + charged), "1"),
    }
    models = {"corrected": values, "leakage_removed": whole}
    return tuple(Truth(model, name, *pair) for model, numbers in models.items() for name, pair in numbers.items())


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
        return coarse  # it is steepest at the end of the sweep, which is no switching field
    # The zero of the curvature is sharp; a search for the largest slope would stop at the square root of rounding.
    return float(brentq(curvature, low, high))


def _device_truth(specimen: Specimen, name: str) -> Iterator[tuple[Any, ...]]:
    """Yield the background of a flake, and how its switching fields change with the frequency."""
    flake = specimen.flakes[name]
    device = f"device_{flake.thickness:g}nm"
    for parameter, unit in (("capacitance", "F"), ("conductance", "S"), ("conductance_cubic", "S/V^2")):
        yield device, "ohmic_cubic", parameter, getattr(flake, parameter), unit
    series = sorted(specimen.largest(name), key=lambda loop: loop.frequency)
    if len(series) < LEAST_SERIES:
        return
    ends = series[0], series[-1]
    low, high = ({row.parameter: row.value for row in loop_truth(flake, e.frequency, e.amplitude)} for e in ends)
    decades = np.log10(ends[1].frequency / ends[0].frequency)
    for polarity in ("positive", "negative"):
        for kind in ("forward", "backward"):
            field = f"{kind}_switching_field_{polarity}"
            yield device, "logarithmic", f"{field}_per_decade", (high[field] - low[field]) / decades, "kV/cm"


def _with_alternative_thickness(truth: tuple[Truth, ...], thickness: float, other: float | None) -> Iterator[Truth]:
    """Yield what goes as the reciprocal of the cross-section for the other thickness in nm."""
    if other:
        for row in truth:
            if row.model == "corrected" and row.unit in ("uC/cm^2", "mJ/cm^3"):
                model, value = "corrected_alternative_thickness", row.value * (thickness / other)
                yield row._replace(model=model, value=value, at=other)


def _pund_truth(flake: Flake, frequency: float, limit: float) -> Iterator[Truth]:
    """Yield what the pulses move: switching, and what flows through capacitance and conductance in a rise."""
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
    for polarity, sign in (("positive", 1), ("negative", -1)):
        first, second = (sign * move(sign, before, full) for before in (-sign, sign))
        yield Truth("pund", f"switching_polarization_{polarity}", first + linear, "uC/cm^2")
        yield Truth("pund", f"nonswitching_polarization_{polarity}", second + linear, "uC/cm^2")
        yield Truth("pund", f"switched_polarization_difference_{polarity}", first - second, "uC/cm^2")
    remanent = move(1, -1, whole) - move(1, 1, whole)
    opening = float(flake.falling(0, frequency, limit) - flake.rising(0, frequency, limit))
    yield Truth("pund", "remanent_switched_polarization", remanent, "uC/cm^2")
    yield Truth("pund_minus_loop", "loop_opening", opening, "uC/cm^2")
    yield Truth("pund_minus_loop", "remanence_difference", remanent - opening, "uC/cm^2")
