"""Raman spectra from outside the project: lines by `scipy.special.voigt_profile` and by numerical convolution.

Nothing of relaxor makes them. The lines are those of five modes and of the silicon below, in the words of the referee.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy.special import voigt_profile

RESPONSE = 1.2
"""Full width at half maximum of the Gaussian response of the spectrograph, 1/cm."""
MODES = {
    "Eg1": (111.7, 17000.0, 4.1),
    "Eg2": (135.3, 10000.0, 5.0),
    "Ag1": (207.5, 31400.0, 6.2),
    "Ag2": (431.9, 8500.0, 7.4),
    "Ag3": (465.9, 12500.0, 8.8),
}
"""Position (1/cm), area (count/cm) and Lorentzian width (1/cm) of the modes in one accumulation."""
SILICON = {"Si": (520.45, 96000.0, 2.8), "Si_2TA": (303.0, 7700.0, 12.0)}
AXIS = np.linspace(72.0, 640.0, 900)
Line = Callable[[np.ndarray, float, float, float], np.ndarray]


def voigt_line(shift: np.ndarray, center: float, area: float, width: float) -> np.ndarray:
    """A Lorentzian seen through the Gaussian response."""
    return area * voigt_profile(shift - center, RESPONSE / math.sqrt(8 * math.log(2)), width / 2)


def fano_line(q: float) -> Line:
    """A Breit–Wigner–Fano line of asymmetry ``q``, (1 + s/q)²/(1 + s²), seen through the response; height as without.

    Fano, doi 10.1103/PhysRev.124.1866. The response is a sum over shifted lines, so that no Voigt function is used.
    """
    sigma = RESPONSE / math.sqrt(8 * math.log(2))
    offsets = np.linspace(-4, 4, 81) * sigma
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()

    def line(shift: np.ndarray, center: float, area: float, width: float) -> np.ndarray:
        s = (shift[:, None] - offsets - center) / (width / 2)
        return area / (math.pi * width / 2) * (((1 + s / q) ** 2 / (1 + s**2) - 1 / q**2) @ weights)

    return line


def background(shift: np.ndarray) -> np.ndarray:
    """Fluorescence and the foot of the edge filter."""
    return 400 + 600 * np.exp(-0.5 * ((shift - 400) / 250) ** 2) + 500 * np.exp(-(shift - 70) / 40)


def bands(shift: np.ndarray) -> np.ndarray:
    """Fluorescence of two broad bands on a slope, of which no polynomial of low degree is made."""
    first, second = (np.exp(-0.5 * ((shift - place) / width) ** 2) for place, width in ((180, 60), (380, 90)))
    return 1500 + 4 * (shift - 72) + 1500 * first + 2500 * second


def expected(
    shift: np.ndarray,
    lines: Sequence[tuple[float, float, float]],
    shape: Line = voigt_line,
    silicon: Sequence[tuple[float, float, float]] = tuple(SILICON.values()),
) -> np.ndarray:
    """Expected counts of one accumulation; the lines of silicon are Voigt lines always."""
    return background(shift) + sum(shape(shift, *each) for each in lines) + sum(voigt_line(shift, *s) for s in silicon)


def recorded(
    generator: np.random.Generator, shift: np.ndarray, counts: np.ndarray, accumulations: int, read_noise: float = 4.0
) -> np.ndarray:
    """Accumulations with photon and read-out noise on the bias of the camera, shape (accumulations, n)."""
    photons = generator.poisson(counts, (accumulations, shift.size))
    return photons + generator.normal(600.0, read_noise, photons.shape)


def hit(spectra: np.ndarray, row: int, pixel: int, height: float) -> None:
    """Add a cosmic ray to one accumulation: one pixel, and a little in its neighbours."""
    spectra[row, pixel - 1 : pixel + 2] += height * np.array([0.2, 1.0, 0.1])


def measurement(shift: np.ndarray, spectra: np.ndarray) -> Measurement:
    """A measurement as the analysis takes it."""
    shown = ("spectrum", "raman_shift")
    data = xr.Dataset(
        {"intensity": (shown, np.atleast_2d(spectra), {"units": "count", "long_name": "Intensity"})},
        {"raman_shift": ("raman_shift", shift, {"units": "1/cm", "long_name": "Raman shift"})},
    )
    attrs = {"raw_file": "", "raw_sha256": "0" * 64, "origin": "simulated"}
    return Measurement("outside", attrs, {}, {"spectrum": data})


def positions(lines: Mapping[str, tuple[float, float, float]]) -> dict[tuple[str, str, str], float]:
    """True positions and areas of lines, by the keys of a scenario."""
    shifts = {("voigt", "raman_shift", name): center for name, (center, _, _) in lines.items()}
    return shifts | {("voigt", "area", name): area for name, (_, area, _) in lines.items()}
