"""Random surfaces of the scanned samples, and the note that an Asylum microscope writes with an image."""

from datetime import datetime

import numpy as np

from relaxor.simulation.sample_file import PROGRAM
from relaxor.simulation.writers.igor_ibw import asylum_note

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


def image_note(scan_size: float, pixels: int, mode: str, taken: datetime, **settings: object) -> str:
    """Return the settings of an image; ``scan_size`` in m."""
    return asylum_note(
        {
            "ScanSize": f"{scan_size:g}",
            "ScanRate": 1.0016,
            "ScanPoints": pixels,
            "ScanLines": pixels,
            "ScanAngle": 0,
            "ImagingMode": mode,
            **settings,
            "MicroscopeModel": "Cypher",
            "ImageNote": f"SIMULATED by {PROGRAM}",
            "Date": taken.strftime("%Y-%m-%d"),
            "Time": taken.strftime("%I:%M:%S %p").lstrip("0"),
        }
    )
