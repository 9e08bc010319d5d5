"""Tapping-mode height images of flake edges on SiO2, as an Asylum Cypher stores them.

The surface is a flake with one straight edge on rough SiO2, dilated by the tip, with dust; the scanner adds tilt, bow,
a drift from line to line, scars, detector noise, and a scale error along z.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from relaxor.simulation.sample_file import SampleFile
from relaxor.simulation.surfaces import image_note, random_field
from relaxor.simulation.writers.igor_ibw import igor_wave

LAYER = 0.66315
"""Thickness of one CuBiP2Se6 layer in nm: half of c = 13.263 Å; Gave et al., doi 10.1021/ic050357+."""
Z_SCALE = 1.004
"""Height read for a true height of 1: within the 1 % to which a step standard fixes a scanner."""
SUBSTRATE_SQ, FLAKE_SQ, PIXEL_NOISE = 0.20, 0.13, 0.04
"""RMS roughness of thermal SiO2 and of a cleaved flake, noise of the height detector, in nm (typical values)."""
CORRELATION = 22.0
"""Correlation length of the roughness in nm (typical of thermal oxide)."""
TIP_RADIUS = 12.0
"""Radius of a silicon tip in nm (a new one has 7–10)."""
FIRST = datetime(2024, 11, 5, 10, 12, 0)


@dataclass(frozen=True)
class Flake:
    """A flake: measurement name, true thickness (nm), scan size (nm), pixels, edge position and slope."""

    measurement: str
    thickness: float
    scan_size: float
    pixels: int
    edge: float
    slope: float


FLAKES = (
    # The thickness of the first is the paper's; the others stand for the thinner devices of S5 (not stated there).
    Flake("afm_flake_8nm", 8.0, 3000.0, 192, 0.46, 0.10),
    Flake("afm_flake_5nm", 5.1, 2000.0, 160, 0.52, -0.08),
    Flake("afm_flake_3nm", 3.2, 2000.0, 160, 0.44, 0.05),
)


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield one image a flake."""
    for index, flake in enumerate(FLAKES):
        height, on_flake = topography(rng, flake)
        size = (flake.pixels, flake.pixels)
        slope = np.gradient(height, axis=1)
        channels = {
            "HeightRetrace": height * 1e-9,
            "AmplitudeRetrace": 20e-9 - 0.2e-9 * slope + rng.normal(0, 0.03e-9, size),
            "PhaseRetrace": 62 + 4.5 * on_flake - 0.8 * slope + rng.normal(0, 0.4, size),
        }
        taken = FIRST + timedelta(minutes=17 * index)
        step = flake.scan_size * 1e-9 / (flake.pixels - 1)
        yield SampleFile(
            measurement=flake.measurement,
            technique="afm",
            panel="S4",
            name=f"{flake.measurement}.ibw",
            content=igor_wave(
                # Igor stores (x, y, channel).
                np.stack([channel.T for channel in channels.values()], axis=-1).astype(np.float32),
                name=flake.measurement,
                axes=((0.0, step, "m"), (0.0, step, "m")),
                data_unit="m",
                labels=list(channels),
                note=image_note(
                    flake.scan_size * 1e-9, flake.pixels, "AC Mode", taken, DriveFrequency=71000, SpringConstant=2.1
                ),
                modified=taken,
            ),
            truth=_truth(flake),
            note="height image across the edge of a flake on SiO2",
        )


def topography(rng: np.random.Generator, flake: Flake, z_scale: float = Z_SCALE) -> tuple[np.ndarray, np.ndarray]:
    """Return the height that the instrument reads in nm and the mask of the flake, indexed (y, x)."""
    size, pixel = flake.pixels, flake.scan_size / (flake.pixels - 1)
    position = np.linspace(0, 1, size)
    x, y = position[None, :], position[:, None]
    # Distance inwards from the edge, in nm; outside, the flank of a parabolic tip hangs over the substrate.
    inside = (x - flake.edge - flake.slope * (y - 0.5)) * flake.scan_size / np.hypot(1, flake.slope)
    on_flake = inside >= 0
    flank = np.clip(flake.thickness - np.minimum(inside, 0) ** 2 / (2 * TIP_RADIUS), 0, None)
    correlation = CORRELATION / pixel
    oxide, surface = random_field(rng, size, correlation), random_field(rng, size, correlation)
    ground = SUBSTRATE_SQ * oxide
    height = np.where(on_flake, flake.thickness + FLAKE_SQ * surface, np.maximum(ground, flank + ground))
    height += _dust(rng, size, pixel)
    tilt = 15.0 * x - 8.0 * y
    bow = 4.0 * (2 * x - 1) ** 2 + 2.0 * (2 * y - 1) ** 2 + 1.0 * x * y
    lines = rng.normal(0, 0.15, size) + np.cumsum(rng.normal(0, 0.05, size))
    scan = tilt + bow + lines[:, None] + _scars(rng, size) + rng.normal(0, PIXEL_NOISE, (size, size))
    return z_scale * height + scan, on_flake


def _dust(rng: np.random.Generator, size: int, pixel: float) -> np.ndarray:
    row, column = np.indices((size, size))
    height = np.zeros((size, size))
    for _ in range(6):
        at_row, at_column = rng.uniform(0, size, 2)
        tall, wide = rng.uniform(3, 9), rng.uniform(20, 35) / pixel
        height += tall * np.exp(-((row - at_row) ** 2 + (column - at_column) ** 2) / (2 * wide**2))
    return height


def _scars(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return lines on which the tip dragged something along for a while."""
    height = np.zeros((size, size))
    for _ in range(4):
        row, start = rng.integers(0, size), rng.integers(0, size - 20)
        height[row, start : start + rng.integers(10, 50)] += rng.uniform(1, 3)
    return height


def _truth(flake: Flake) -> tuple[tuple[str, str, float, str], ...]:
    steps = [
        (model, name, value, unit)
        for model in ("profile_linear", "profile_quadratic", "two_level_histogram")
        for name, value, unit in (
            ("step_height", flake.thickness, "nm"),
            ("number_of_layers", flake.thickness / LAYER, "1"),
        )
    ]
    # An rms height as measured holds the noise of the detector.
    rough = [
        ("levelled_map", f"{place}_roughness_sq", float(np.hypot(sq, PIXEL_NOISE)), "nm")
        for place, sq in (("substrate", SUBSTRATE_SQ), ("flake", FLAKE_SQ))
    ]
    return (*steps, *rough)
