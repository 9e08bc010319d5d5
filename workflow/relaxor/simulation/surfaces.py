"""Random surfaces of the scanned samples, and their images as an Asylum microscope stores them."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from relaxor.simulation.sample_file import PROGRAM
from relaxor.simulation.writers.igor_ibw import asylum_note, igor_wave

GAUSS_HERMITE = np.polynomial.hermite_e.hermegauss(41)


def random_field(rng: np.random.Generator, size: int, correlation: float) -> np.ndarray:
    """Return a periodic Gaussian random field of zero mean, unit variance and covariance exp(−r²/2ξ²).

    Parameters
    ----------
    rng
        Source of the noise.
    size
        Pixels along each side; the field is cut from one of twice the size, so that opposite edges are unlike.
    correlation
        ξ in pixels.
    """
    frequency = np.fft.fftfreq(2 * size)
    power = np.exp(-2 * (np.pi * correlation) ** 2 * (frequency[:, None] ** 2 + frequency**2))
    amplitude = np.sqrt(power / power.mean())
    noise = rng.normal(size=(2 * size, 2 * size))
    return np.fft.ifft2(np.fft.fft2(noise) * amplitude).real[:size, :size]


def expectation(function: np.ndarray) -> np.ndarray:
    """Return the mean of a function of a standard normal variable given at the nodes of `GAUSS_HERMITE` (last axis)."""
    weights = GAUSS_HERMITE[1]
    return function @ weights / weights.sum()


def asylum_image(
    name: str, channels: Mapping[str, np.ndarray], step: float, mode: str, taken: datetime, **settings: object
) -> bytes:
    """Return an image as an Asylum microscope stores it; channels of shape (pixels, pixels), ``step`` in m."""
    pixels = len(next(iter(channels.values())))
    lines = {
        "ScanSize": f"{step * (pixels - 1):g}",
        "ScanRate": 1.0016,
        "ScanPoints": pixels,
        "ScanLines": pixels,
        "ScanAngle": 0,
        "ImagingMode": mode,
        **settings,
        "MicroscopeModel": "Cypher",
        "ImageNote": f"SIMULATED by {PROGRAM}",
    }
    return igor_wave(
        # Igor stores (x, y, channel).
        np.stack([channel.T for channel in channels.values()], axis=-1).astype(np.float32),
        name=name,
        axes=((0.0, step, "m"),) * 2,
        data_unit="m",
        labels=list(channels),
        note=asylum_note(lines, taken),
        modified=taken,
    )
