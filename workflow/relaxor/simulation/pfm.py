"""Piezoresponse force microscopy: images over scan cycles, and local loops under a stepped tip bias.

The lock-in sees a complex signal: an electrostatic part that all domains share and a piezoelectric part whose sign is
that of the domain, a quarter turn away from it. A weak phase contrast is not a weak lock-in phase but a piezoelectric
part that is small beside the electrostatic one; with every scan cycle the domains order and the balance tips.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from scipy import ndimage
from scipy.special import eval_laguerre, ive
from scipy.stats import norm

from relaxor.simulation.sample_file import PROGRAM, SampleFile, Truth
from relaxor.simulation.surfaces import GAUSS_HERMITE, expectation, image_note, random_field
from relaxor.simulation.writers.igor_ibw import asylum_note, igor_wave

CYCLES = 6
SCAN_SIZE, PIXELS = 1500.0, 160
"""Scan size in nm and pixels along a side."""
CONTRAST = tuple(24.0 + 22.0 * cycle for cycle in range(CYCLES))
"""Phase difference of the two kinds of domain in degrees: weak at first, growing (paper: no numbers given)."""
AMPLITUDE = tuple(18.0 + 6.0 * cycle for cycle in range(CYCLES))
"""Lock-in amplitude inside a domain in pm (plausible for 1 V drive near resonance)."""
FRACTION = tuple(0.50 + 0.02 * cycle for cycle in range(CYCLES))
"""Share of the area with the piezoelectric part along +, approaching one state as the scans go on."""
DOMAIN_SIZE, WALL_WIDTH = 90.0, 10.0
"""Correlation length of the domain pattern and tip-limited half width of a wall, in nm."""
HETEROGENEITY, GRAIN = 0.08, 35.0
"""Relative spread of the piezoelectric part from place to place, and its correlation length in nm."""
NOISE = 1.2
"""Lock-in noise in each quadrature, in pm."""
PHASE_ZERO = 250.0
"""Phase of the electrostatic part in degrees; the domains lie on both sides of it and across the cut at 270."""
FIRST = datetime(2024, 11, 12, 14, 3, 0)

LOOP_BIAS, LOOP_STEPS, LOOP_CYCLES, SAMPLES = 8.0, 64, 3, 6
"""Largest tip bias in V, steps and repetitions of the triangle, samples a step (on, and again off)."""
SAMPLE_TIME, SETTLING = 0.010, 0.004
"""Time between samples and settling time of the lock-in, in s."""
REFERENCE_PHASE = 70.0
"""Phase of a positive piezoresponse in degrees."""
LOOPS: dict[str, dict[str, tuple[float, ...]]] = {
    # One loop with the bias on, one read after it is removed: antiferroelectric double switching, which relaxes
    # on removal; the tip's electrostatic force adds a line while the bias is on (Hong et al., 10.1063/1.1331654).
    "pfm_loop_1": {
        "off_field": (24.0, 3.6, 0.5, 0.9, 0.30, 1.0, 0.0),
        "on_field": (30.0, 4.2, 1.6, 0.9, 0.30, 1.0, 1.5),
    },
    "pfm_loop_2": {
        "off_field": (21.0, 3.3, 0.3, 1.1, 0.15, -0.6, 0.0),
        "on_field": (27.0, 3.9, 1.5, 1.1, 0.15, -0.6, 1.3),
    },
}
"""Saturation (pm), forward and backward switching bias, width, imprint (V), offset (pm), electrostatic slope (pm/V)."""
LOOP_UNITS = {
    "saturation_piezoresponse": "pm",
    "switching_bias_forward": "V",
    "switching_bias_backward": "V",
    "switching_width": "V",
    "imprint": "V",
    "offset": "pm",
    "electrostatic_slope": "pm/V",
}


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield one image a scan cycle, then the local loops."""
    pixel = SCAN_SIZE / (PIXELS - 1)
    for cycle in range(CYCLES):
        taken = FIRST + timedelta(minutes=9 * cycle)
        channels = {
            "HeightRetrace": 0.15e-9 * random_field(rng, PIXELS, 25.0 / pixel),
            **piezoresponse_image(rng, cycle),
        }
        name = f"pfm_cycle_{cycle + 1}"
        axes = ((0.0, pixel * 1e-9, "m"),) * 2
        yield SampleFile(
            measurement=name,
            technique="pfm",
            panel="S7a,S7b,S7c",
            name=f"{name}.ibw",
            content=igor_wave(
                np.stack([channel.T for channel in channels.values()], axis=-1).astype(np.float32),
                name=name,
                axes=axes,
                data_unit="m",
                labels=list(channels),
                note=image_note(
                    SCAN_SIZE * 1e-9,
                    PIXELS,
                    "PFM Mode",
                    taken,
                    DriveFrequency=3.5e5,
                    DriveAmplitude=1,
                    SpringConstant=2.8,
                    InvOLS=4e-08,
                ),
                modified=taken,
            ),
            truth=_image_truth(cycle),
            conditions={"cycle": str(cycle + 1)},
            note="height, amplitude and phase of one scan cycle",
        )
    for index, (name, states) in enumerate(LOOPS.items()):
        yield _loop_file(rng, name, states, FIRST + timedelta(hours=2, minutes=5 * index))


# --- images --------------------------------------------------------------------------------------------------------
def piezoresponse_image(rng: np.random.Generator, cycle: int) -> dict[str, np.ndarray]:
    """Return the amplitude (m) and phase (degree, -90 to 270) channels of a scan cycle, indexed (y, x)."""
    pixel = SCAN_SIZE / (PIXELS - 1)
    pattern = random_field(rng, PIXELS, DOMAIN_SIZE / pixel) > -norm.ppf(FRACTION[cycle])
    inwards = ndimage.distance_transform_edt(pattern) - ndimage.distance_transform_edt(~pattern)
    state = np.tanh((inwards - 0.5 * np.sign(inwards)) * pixel / WALL_WIDTH)
    local = 1 + HETEROGENEITY * random_field(rng, PIXELS, GRAIN / pixel)
    signal = _signal(cycle, state * local)
    signal = signal + NOISE * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    phase = np.degrees(np.angle(signal)) + PHASE_ZERO
    return {"AmplitudeRetrace": np.abs(signal) * 1e-12, "PhaseRetrace": (phase + 90) % 360 - 90}


def _signal(cycle: int, state: np.ndarray) -> np.ndarray:
    half = np.radians(CONTRAST[cycle] / 2)
    return AMPLITUDE[cycle] * (np.cos(half) + 1j * np.sin(half) * state)


def _image_truth(cycle: int) -> tuple[Truth, ...]:
    """Return the population values inside the domains: means over heterogeneity and noise, walls apart."""
    nodes = GAUSS_HERMITE[0]
    signal = _signal(cycle, 1 + HETEROGENEITY * nodes)
    ratio = np.abs(signal) ** 2 / (2 * NOISE**2)
    # Mean resultant of the phase of a signal in complex Gaussian noise, and mean of its Rician amplitude.
    resultant = np.sqrt(np.pi * ratio) / 2 * (ive(0, ratio / 2) + ive(1, ratio / 2))
    direction = expectation(resultant * np.exp(1j * np.angle(signal)))
    amplitude = expectation(NOISE * np.sqrt(np.pi / 2) * eval_laguerre(0.5, -ratio))
    contrast = float(2 * np.degrees(np.angle(direction)))
    return (
        ("domain_means", "phase_contrast", contrast, "degree"),
        ("von_mises_mixture", "phase_contrast", contrast, "degree"),
        ("domain_means", "amplitude_mean", float(amplitude), "pm"),
        ("domain_means", "domain_fraction", FRACTION[cycle], "1"),
    )


# --- local loops ---------------------------------------------------------------------------------------------------
def branch(bias: np.ndarray, rising: np.ndarray | bool, state: tuple[float, ...]) -> np.ndarray:
    """Return the piezoresponse in pm on the rising or falling branch of a double loop."""
    saturation, forward, backward, width, imprint, offset, slope = state
    shifted = bias - imprint
    first, second = np.where(rising, forward, backward), np.where(rising, -backward, -forward)
    steps = np.tanh((shifted - first) / width) + np.tanh((shifted - second) / width)
    return offset + slope * bias + saturation / 2 * steps


def loop_channels(rng: np.random.Generator, states: dict[str, tuple[float, ...]]) -> dict[str, np.ndarray]:
    """Return the samples of tip bias (V), amplitude (m) and phase (degree) while bias pulses step through loops."""
    steps = np.arange(LOOP_STEPS * LOOP_CYCLES)
    turn = (steps / LOOP_STEPS) % 1.0
    bias = LOOP_BIAS * (1 - 4 * np.abs((turn + 0.25) % 1.0 - 0.5))
    rising = (turn < 0.25) | (turn >= 0.75)
    virgin = np.where(steps < LOOP_STEPS // 4, np.clip(bias / LOOP_BIAS, 0, 1), 1.0)
    levels = np.stack([virgin * branch(bias, rising, states[field]) for field in ("on_field", "off_field")], axis=1)
    target = np.repeat(levels.ravel(), SAMPLES)
    decay = np.exp(-(np.arange(SAMPLES) + 0.5) * SAMPLE_TIME / SETTLING)
    before = np.repeat(np.concatenate([[0.0], levels.ravel()[:-1]]), SAMPLES)
    response = target + (before - target) * np.tile(decay, levels.size)
    signal = response + NOISE * (rng.normal(size=response.size) + 1j * rng.normal(size=response.size))
    applied = np.repeat(np.stack([bias, np.zeros_like(bias)], axis=1).ravel(), SAMPLES)
    phase = np.degrees(np.angle(signal)) + REFERENCE_PHASE
    return {"Bias": applied, "Amp": np.abs(signal) * 1e-12, "Phas": (phase + 90) % 360 - 90}


def _loop_file(
    rng: np.random.Generator, name: str, states: dict[str, tuple[float, ...]], taken: datetime
) -> SampleFile:
    channels = loop_channels(rng, states)
    note = asylum_note(
        {
            "ImagingMode": "PFM Mode",
            "DriveFrequency": 3.5e5,
            "DriveAmplitude": 1,
            "SpringConstant": 2.8,
            "InvOLS": 4e-08,
            "MicroscopeModel": "Cypher",
            "ForceNote": f"SIMULATED by {PROGRAM}: switching spectroscopy, bias on and off in turn",
            "Date": taken.strftime("%Y-%m-%d"),
            "Time": taken.strftime("%I:%M:%S %p").lstrip("0"),
        }
    )
    truth = [
        (f"{field}_double", parameter, value, unit)
        for field, state in states.items()
        for parameter, value, unit in (*_fitted(state, field), *_derived(state))
    ]
    return SampleFile(
        measurement=name,
        technique="pfm",
        panel="S7d",
        name=f"{name}.ibw",
        content=igor_wave(
            np.stack(list(channels.values()), axis=-1).astype(np.float32),
            name=name,
            axes=((0.0, SAMPLE_TIME, "s"),),
            labels=list(channels),
            note=note,
            modified=taken,
        ),
        truth=tuple(truth),
        note="local switching loops: tip bias, amplitude and phase against time",
    )


def _fitted(state: tuple[float, ...], field: str) -> list[tuple[str, float, str]]:
    rows = [(name, value, unit) for (name, unit), value in zip(LOOP_UNITS.items(), state, strict=True)]
    return rows if field == "on_field" else rows[:-1]


def _derived(state: tuple[float, ...]) -> list[tuple[str, float, str]]:
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
