"""Height images from outside the project: a flake on a rough substrate, and backgrounds that are no parabola.

The roughness is filtered noise of `scipy.ndimage`; nothing of relaxor makes the images.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy.ndimage import gaussian_filter

SIZE, SIDE = 256, 5000.0
"""Pixels along a side of the image, and its length in nm."""
HEIGHT = 8.0
"""True height of the flake in nm."""
Background = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Height in nm that is added at x and y, both from −1 to 1."""


def roughness(generator: np.random.Generator, size: int, height: float, length: float) -> np.ndarray:
    """A rough surface of a root-mean-square height (nm) and a correlation length (pixels)."""
    field = gaussian_filter(generator.normal(size=(size, size)), length / np.sqrt(2), mode="wrap")
    return height * (field - field.mean()) / field.std()


def film(generator: np.random.Generator, cover: float, height: float) -> Background:
    """Contamination of a height (nm) in patches that cover a part of the substrate."""
    field = roughness(generator, SIZE, 1.0, 8)
    patches = field > np.quantile(field, 1 - cover)
    return lambda x, y: height * (patches & (x < 0.04 + 0.05 * y))


def particles(generator: np.random.Generator, number: int, height: float, radius: float) -> Background:
    """Round particles of about one height (nm) and a radius (nm) on the substrate."""
    places = generator.uniform([-1, -1], [-0.05, 1], (number, 2))
    heights = height * generator.normal(1, 0.2, number)

    def above(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        found = np.zeros_like(x)
        for top, (left, down) in zip(heights, places, strict=True):
            distance = ((x - left) ** 2 + (y - down) ** 2) * (SIDE / 2 / radius) ** 2
            found = np.maximum(found, top * np.exp(-0.5 * distance))
        return found

    return above


def image(
    generator: np.random.Generator, extra: Background, rim: tuple[float, float] = (0.0, 0.0), jump: float = 0.0
) -> Measurement:
    """A flake on the right half of the image, with tilt, bow, drift from line to line and noise.

    Parameters
    ----------
    extra
        Background beyond tilt and parabola.
    rim
        Height (nm) and width (nm) of a rim of the flake along its edge.
    jump
        Height (nm) by which the lines of the lower half are shifted.
    """
    axis = np.linspace(-1, 1, SIZE)
    x, y = np.meshgrid(axis, axis)
    inside = (x - 0.04 - 0.05 * y) * SIDE / 2
    flake = inside >= 0
    height = HEIGHT * flake + np.where(flake, roughness(generator, SIZE, 0.15, 3), roughness(generator, SIZE, 0.2, 3))
    height += rim[0] * (flake & (inside < rim[1]))
    lines = generator.normal(0, 0.15, SIZE) + np.cumsum(generator.normal(0, 0.05, SIZE)) + jump * (axis > 0.1)
    height += 7 * x - 4 * y + 4 * x**2 + 2 * y**2 + extra(x, y) + lines[:, None]
    height += generator.normal(0, 0.04, height.shape)
    place = np.linspace(0, SIDE, SIZE)
    data = xr.Dataset(
        {"height_retrace": (("y", "x"), height, {"units": "nm", "long_name": "height"})},
        {each: (each, place, {"units": "nm", "long_name": each}) for each in "xy"},
    )
    return Measurement("outside", {"raw_file": "", "raw_sha256": "0" * 64, "origin": "simulated"}, {}, {"image": data})
