"""Piezoresponse force microscopy: images over scan cycles, and local loops under a stepped tip bias.

The lock-in amplifier sees a complex signal: an electrostatic part that all domains share, and a piezoelectric part
whose sign is that of the domain and which is a quarter of a turn away from the first. A phase contrast is weak where
the piezoelectric part is small beside the electrostatic one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.special import eval_laguerre, ive
from scipy.stats import norm

from relaxor.core.section import Section, setting, unit_of
from relaxor.simulation.sample_file import PROGRAM, FileEntry, SampleFile, Truth
from relaxor.simulation.surfaces import GAUSS_HERMITE, asylum_image, expectation, random_field
from relaxor.simulation.writers.igor_ibw import asylum_note, igor_wave

SCAN_SIZE, PIXELS = 1500.0, 160
"""Length of each side of an image in nm, and the number of pixels along it."""
WALL_WIDTH = 10.0
"""Half width of a domain wall in nm, which the tip limits."""
NOISE = 1.2
"""Standard deviation of the lock-in noise in each quadrature, in pm."""
PHASE_ZERO = 250.0
"""Phase of the electrostatic part in degrees; the domains lie on both sides of it and across the cut at 270°."""
FIRST = datetime(2024, 11, 12, 14, 3, 0)

LOOP_BIAS, LOOP_STEPS, LOOP_CYCLES, SAMPLES = 8.0, 64, 3, 6
"""Largest tip bias in V, steps and repetitions of the triangle, and samples of each step (on, and again off)."""
SAMPLE_TIME, SETTLING = 0.010, 0.004
"""Time between samples, and settling time of the lock-in amplifier, in s."""
REFERENCE_PHASE = 70.0
"""Phase of a positive piezoresponse in degrees."""
PROBE: dict[str, object] = {"DriveFrequency": 3.5e5, "DriveAmplitude": 1, "SpringConstant": 2.8, "InvOLS": 4e-08}
FEATURES = {"on_field": "on field", "off_field": "off field"}
"""State of the bias → feature of the numbers, in the order in which the states follow each other."""


class Scan(Section):
    """One scan of the area."""

    file: FileEntry
    """The file of the image."""
    contrast: float = setting(..., "degree", gt=0)
    """Phase difference of the two kinds of domain."""
    amplitude: float = setting(..., "pm", gt=0)
    """Lock-in amplitude inside a domain."""
    fraction: float = setting(..., gt=0, lt=1)
    """Part of the area in which the piezoelectric part is positive."""


class State(Section):
    """Double switching of one place; the same names as in the results."""

    saturation_piezoresponse: float = setting(..., "pm")
    """Piezoresponse of the fully switched state."""
    switching_bias_forward: float = setting(..., "V")
    """Bias of the step into the polar state, from the imprint."""
    switching_bias_backward: float = setting(..., "V")
    """Bias of the step back out of the polar state, from the imprint."""
    switching_width: float = setting(..., "V")
    """Width of the steps: the scale of the hyperbolic tangent."""
    imprint: float = setting(..., "V")
    """Shift of the loop along the bias."""
    offset: float = setting(..., "pm")
    """Shift of the loop along the piezoresponse."""
    electrostatic_slope: float = setting(0.0, "pm/V")
    """Slope that the electrostatic force of the tip adds while the bias is on."""


class LocalLoop(Section):
    """A place at which loops are recorded."""

    file: FileEntry
    """The file of the loops."""
    on_field: State
    """The loop that is read while the bias is on."""
    off_field: State
    """The loop that is read after the bias is removed, when the place has relaxed."""


class Specimen(Section):
    """A flake with two kinds of domains."""

    domain_size: float = setting(..., "nm", gt=0)
    """Correlation length of the pattern of domains."""
    heterogeneity: float = setting(..., ge=0)
    """Relative standard deviation of the piezoelectric part from place to place."""
    grain: float = setting(..., "nm", gt=0)
    """Correlation length of that heterogeneity."""
    scans: list[Scan]
    """The scan cycles, in their order."""
    loops: list[LocalLoop]
    """The places of local loops, in the order in which they are recorded."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield one image of each scan cycle of a `Specimen`, then the local loops."""
    specimen = Specimen.model_validate(values)
    pixel = SCAN_SIZE / (PIXELS - 1)
    for index, scan in enumerate(specimen.scans):
        taken = FIRST + timedelta(minutes=9 * index)
        channels = {
            "HeightRetrace": 0.15e-9 * random_field(rng, PIXELS, 25.0 / pixel),
            **piezoresponse_image(rng, specimen, scan),
        }
        content = asylum_image(scan.file.measurement, channels, pixel * 1e-9, "PFM Mode", taken, **PROBE)
        yield SampleFile.of(scan.file, "pfm", content, truth=image_truth(specimen, scan))
    for index, loop in enumerate(specimen.loops):
        content = _loop_content(rng, loop, FIRST + timedelta(hours=2, minutes=5 * index))
        yield SampleFile.of(loop.file, "pfm", content, truth=loop_truth(loop))


# --- images --------------------------------------------------------------------------------------------------------
def piezoresponse_image(rng: np.random.Generator, specimen: Specimen, scan: Scan) -> dict[str, np.ndarray]:
    """Return the channels of amplitude (m) and phase (degree, −90 to 270) of a scan, each of shape (y, x)."""
    pixel = SCAN_SIZE / (PIXELS - 1)
    pattern = random_field(rng, PIXELS, specimen.domain_size / pixel) > -norm.ppf(scan.fraction)
    inwards = ndimage.distance_transform_edt(pattern) - ndimage.distance_transform_edt(~pattern)
    state = np.tanh((inwards - 0.5 * np.sign(inwards)) * pixel / WALL_WIDTH)
    local = 1 + specimen.heterogeneity * random_field(rng, PIXELS, specimen.grain / pixel)
    signal = _signal(scan, state * local)
    signal = signal + NOISE * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    phase = np.degrees(np.angle(signal)) + PHASE_ZERO
    return {"AmplitudeRetrace": np.abs(signal) * 1e-12, "PhaseRetrace": (phase + 90) % 360 - 90}


def _signal(scan: Scan, state: np.ndarray) -> np.ndarray:
    half = np.radians(scan.contrast / 2)
    return scan.amplitude * (np.cos(half) + 1j * np.sin(half) * state)


def image_truth(specimen: Specimen, scan: Scan) -> tuple[Truth, ...]:
    """Return the true values inside the domains: means over heterogeneity and noise, without the walls."""
    nodes = GAUSS_HERMITE[0]
    signal = _signal(scan, 1 + specimen.heterogeneity * nodes)
    ratio = np.abs(signal) ** 2 / (2 * NOISE**2)
    # Mean resultant of the phase of a signal in complex Gaussian noise, and mean of its Rician amplitude.
    resultant = np.sqrt(np.pi * ratio) / 2 * (ive(0, ratio / 2) + ive(1, ratio / 2))
    direction = expectation(resultant * np.exp(1j * np.angle(signal)))
    amplitude = expectation(NOISE * np.sqrt(np.pi / 2) * eval_laguerre(0.5, -ratio))
    contrast = float(2 * np.degrees(np.angle(direction)))
    return (
        Truth("domain_means", "phase_contrast", contrast, "degree"),
        Truth("von_mises_mixture", "phase_contrast", contrast, "degree"),
        Truth("domain_means", "amplitude_mean", float(amplitude), "pm"),
        Truth("domain_means", "domain_fraction", scan.fraction, "1"),
    )


# --- local loops ---------------------------------------------------------------------------------------------------
def branch(bias: np.ndarray, rising: np.ndarray | bool, state: State) -> np.ndarray:
    """Return the piezoresponse in pm on the rising or falling branch of a double loop."""
    forward, backward, width = state.switching_bias_forward, state.switching_bias_backward, state.switching_width
    shifted = bias - state.imprint
    first, second = np.where(rising, forward, backward), np.where(rising, -backward, -forward)
    steps = np.tanh((shifted - first) / width) + np.tanh((shifted - second) / width)
    return state.offset + state.electrostatic_slope * bias + state.saturation_piezoresponse / 2 * steps


def loop_channels(rng: np.random.Generator, loop: LocalLoop) -> dict[str, np.ndarray]:
    """Return the samples of tip bias (V), amplitude (m) and phase (degree) while bias pulses step through loops."""
    steps = np.arange(LOOP_STEPS * LOOP_CYCLES)
    turn = (steps / LOOP_STEPS) % 1.0
    bias = LOOP_BIAS * (1 - 4 * np.abs((turn + 0.25) % 1.0 - 0.5))
    rising = (turn < 0.25) | (turn >= 0.75)
    virgin = np.where(steps < LOOP_STEPS // 4, np.clip(bias / LOOP_BIAS, 0, 1), 1.0)
    levels = np.stack([virgin * branch(bias, rising, state) for state in (loop.on_field, loop.off_field)], axis=1)
    target = np.repeat(levels.ravel(), SAMPLES)
    decay = np.exp(-(np.arange(SAMPLES) + 0.5) * SAMPLE_TIME / SETTLING)
    before = np.repeat(np.concatenate([[0.0], levels.ravel()[:-1]]), SAMPLES)
    response = target + (before - target) * np.tile(decay, levels.size)
    signal = response + NOISE * (rng.normal(size=response.size) + 1j * rng.normal(size=response.size))
    applied = np.repeat(np.stack([bias, np.zeros_like(bias)], axis=1).ravel(), SAMPLES)
    phase = np.degrees(np.angle(signal)) + REFERENCE_PHASE
    return {"Bias": applied, "Amp": np.abs(signal) * 1e-12, "Phas": (phase + 90) % 360 - 90}


def _loop_content(rng: np.random.Generator, loop: LocalLoop, taken: datetime) -> bytes:
    channels = loop_channels(rng, loop)
    remark = f"SIMULATED by {PROGRAM}: switching spectroscopy, bias on and off in turn"
    lines = {"ImagingMode": "PFM Mode", **PROBE, "MicroscopeModel": "Cypher", "ForceNote": remark}
    return igor_wave(
        np.stack(list(channels.values()), axis=-1).astype(np.float32),
        name=loop.file.measurement,
        axes=((0.0, SAMPLE_TIME, "s"),),
        labels=list(channels),
        note=asylum_note(lines, taken),
        modified=taken,
    )


def loop_truth(loop: LocalLoop) -> tuple[Truth, ...]:
    """Return the true values of both loops of a place."""
    rows = []
    for field, feature in FEATURES.items():
        state: State = getattr(loop, field)
        values = state.model_dump()
        if field == "off_field":  # without a bias there is no electrostatic force that grows with it
            del values["electrostatic_slope"]
        units = {name: unit_of(entry) for name, entry in State.model_fields.items()}
        rows += [Truth("double", name, value, units[name], feature) for name, value in values.items()]
        rows += [Truth("double", *row, feature) for row in _derived(state)]
    return tuple(rows)


def _derived(state: State) -> list[tuple[str, float, str]]:
    bias = np.linspace(-LOOP_BIAS, LOOP_BIAS, 200_001)
    rising, falling = branch(bias, True, state), branch(bias, False, state)
    zero = len(bias) // 2
    return [
        ("coercive_bias_positive", float(np.interp(0.0, rising, bias)), "V"),
        ("coercive_bias_negative", float(np.interp(0.0, falling, bias)), "V"),
        ("remanent_piezoresponse_positive", float(falling[zero]), "pm"),
        ("remanent_piezoresponse_negative", float(rising[zero]), "pm"),
        ("loop_area", float(np.trapezoid(falling - rising, bias)), "pm*V"),
    ]
