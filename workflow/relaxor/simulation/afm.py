"""Tapping-mode height images of flake edges on an oxidized wafer, as an Asylum Cypher stores them.

The surface is a flake with one straight edge on a rough substrate, dilated by the tip, with dust on it. The scanner
adds tilt, bow, a drift from line to line, scars, the noise of the detector, and a wrong scale along z.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.surfaces import asylum_image, random_field

Z_SCALE = 1.004
"""Height that is read where the true height is 1; a step-height standard fixes the scale of a scanner to 1 %."""
PIXEL_NOISE = 0.04
"""Standard deviation of the noise of the height detector in nm (typical)."""
TIP_RADIUS = 12.0
"""Radius of the silicon tip in nm (a new tip has 7 to 10 nm)."""
FIRST = datetime(2024, 11, 5, 10, 12, 0)


class Flake(Section):
    """A flake, and the image of its edge."""

    file: FileEntry
    """The file of the image."""
    thickness: float = setting(..., "nm", gt=0)
    """True thickness."""
    scan_size: float = setting(..., "nm", gt=0)
    """Length of each side of the image."""
    pixels: int
    """Number of pixels along each side."""
    edge: float
    """Position of the edge in the middle of the image, as a part of the side."""
    slope: float
    """Slope of the edge against the slow axis of the scan."""


class Specimen(Section):
    """Flakes of one crystal on one substrate."""

    layer_thickness: float = setting(..., "nm", gt=0)
    """Thickness of one layer of the crystal."""
    substrate_roughness: float = setting(..., "nm", ge=0)
    """Root-mean-square roughness of the substrate."""
    flake_roughness: float = setting(..., "nm", ge=0)
    """Root-mean-square roughness of the flakes."""
    correlation_length: float = setting(..., "nm", gt=0)
    """Correlation length of both roughnesses."""
    flakes: list[Flake]
    """The flakes, in the order in which they are scanned."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield one image of each flake of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    for index, flake in enumerate(specimen.flakes):
        height, on_flake = topography(rng, specimen, flake)
        size = (flake.pixels, flake.pixels)
        slope = np.gradient(height, axis=1)
        channels = {
            "HeightRetrace": height * 1e-9,
            "AmplitudeRetrace": 20e-9 - 0.2e-9 * slope + rng.normal(0, 0.03e-9, size),
            "PhaseRetrace": 62 + 4.5 * on_flake - 0.8 * slope + rng.normal(0, 0.4, size),
        }
        taken = FIRST + timedelta(minutes=17 * index)
        step, probe = flake.scan_size * 1e-9 / (flake.pixels - 1), {"DriveFrequency": 71000, "SpringConstant": 2.1}
        content = asylum_image(flake.file.measurement, channels, step, "AC Mode", taken, **probe)
        yield SampleFile.of(flake.file, "afm", content, truth=truth(specimen, flake))


def topography(
    rng: np.random.Generator, specimen: Specimen, flake: Flake, z_scale: float = Z_SCALE
) -> tuple[np.ndarray, np.ndarray]:
    """Return the height that the instrument reads, in nm, and the mask of the flake, both of shape (y, x)."""
    size, pixel = flake.pixels, flake.scan_size / (flake.pixels - 1)
    position = np.linspace(0, 1, size)
    x, y = position[None, :], position[:, None]
    # Distance from the edge into the flake, in nm; outside, the flank of a parabolic tip touches the edge first.
    inside = (x - flake.edge - flake.slope * (y - 0.5)) * flake.scan_size / np.hypot(1, flake.slope)
    on_flake = inside >= 0
    flank = np.clip(flake.thickness - np.minimum(inside, 0) ** 2 / (2 * TIP_RADIUS), 0, None)
    correlation = specimen.correlation_length / pixel
    oxide, surface = random_field(rng, size, correlation), random_field(rng, size, correlation)
    ground = specimen.substrate_roughness * oxide
    top = flake.thickness + specimen.flake_roughness * surface
    height = np.where(on_flake, top, np.maximum(ground, flank + ground)) + _dust(rng, size, pixel)
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
    """Return the height of scars: parts of lines on which the tip dragged something along."""
    height = np.zeros((size, size))
    for _ in range(4):
        row, start = rng.integers(0, size), rng.integers(0, size - 20)
        height[row, start : start + rng.integers(10, 50)] += rng.uniform(1, 3)
    return height


def truth(specimen: Specimen, flake: Flake) -> tuple[Truth, ...]:
    """Return the true values; a roughness as it is measured holds the noise of the detector."""
    layers = flake.thickness / specimen.layer_thickness
    rows: list[Truth] = []
    backgrounds = ("linear", "quadratic", "cubic", "quartic")
    for model in (*(f"profile_{name}" for name in backgrounds), "two_level_histogram"):
        rows.append(Truth(model, "step_height", flake.thickness, "nm"))
        rows.append(Truth(model, "number_of_layers", layers, "1"))
    for place, roughness in {"substrate": specimen.substrate_roughness, "flake": specimen.flake_roughness}.items():
        measured = float(np.hypot(roughness, PIXEL_NOISE))
        rows.append(Truth("levelled_map", "root_mean_square_roughness", measured, "nm", place))
    return tuple(rows)
