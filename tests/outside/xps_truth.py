"""Photoelectron spectra of CuBiP2Se6 from formulas of the literature, for tests: lines, backgrounds and their mixtures.

Nothing here is taken from relaxor: lines come from scipy or from sums over a fine grid, areas from cross-sections,
escape depth and a transmission of the analyser, and backgrounds from sums over the losses of electrons.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy.special import voigt_profile

PHOTON, PASS_ENERGY, CHARGING = 1486.6, 55.0, 0.42
COEFFICIENTS = (40.0, 0.2)
FINE = 0.02
"""Step of the grid on which lines and backgrounds are summed (eV)."""
Shape = Callable[[np.ndarray, float, float], np.ndarray]
"""Function of the distance from the line (eV), its Gaussian and its Lorentzian width, with an area of one."""


@dataclass(frozen=True)
class Level:
    """Atoms of a level, and position (eV), cross-section over C 1s and lifetime width (eV) of its lines."""

    atoms: float
    lines: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Window:
    """Levels of a region, its ends (eV), counting time (s), Gaussian width (eV), base, slope and Shirley strength."""

    levels: tuple[str, ...]
    low: float
    high: float
    time: float
    width: float
    base: float
    slope: float
    scattering: float


LEVELS = {
    "Cu 2p": Level(1, ((932.68, 16.73, 0.56), (952.48, 8.66, 1.04))),
    "Bi 4s": Level(1, ((939.0, 1.96, 8.5),)),
    "Bi 4f": Level(1, ((158.15, 13.90, 0.32), (163.45, 10.93, 0.32))),
    "Se 3p": Level(6, ((160.70, 2.98, 1.90), (166.45, 1.55, 1.90))),
    "P 2p": Level(2, ((131.20, 0.789, 0.10), (132.10, 0.403, 0.10))),
    "Se 3d": Level(6, ((54.10, 1.36, 0.10), (54.95, 0.934, 0.10))),
    "C 1s": Level(2.4, ((284.80, 1.0, 0.10),)),
    "C 1s C-O": Level(0.45, ((286.30, 1.0, 0.10),)),
    "C 1s O-C=O": Level(0.20, ((288.60, 1.0, 0.10),)),
}
WINDOWS = {
    "Cu2p": Window(("Cu 2p", "Bi 4s"), 925.0, 965.0, 1.6, 0.95, 6900.0, 11.0, 0.045),
    "Bi4f": Window(("Bi 4f", "Se 3p"), 152.0, 172.0, 0.8, 0.85, 2300.0, 9.0, 0.035),
    "P2p": Window(("P 2p",), 125.0, 140.0, 4.0, 0.90, 1900.0, 3.0, 0.050),
    "Se3d": Window(("Se 3d",), 48.0, 63.0, 1.6, 0.82, 800.0, 2.0, 0.030),
    "C1s": Window(("C 1s", "C 1s C-O", "C 1s O-C=O"), 278.0, 296.0, 2.4, 1.05, 2100.0, 4.0, 0.020),
}


def voigt(distance: np.ndarray, gaussian: float, lorentzian: float) -> np.ndarray:
    return voigt_profile(distance, gaussian / 2.3548200450309493, lorentzian / 2)


def gl(mixing: float) -> Shape:
    """Product of a Gaussian and a Lorentzian of the width of the Voigt line."""

    def shape(distance: np.ndarray, gaussian: float, lorentzian: float) -> np.ndarray:
        width = 0.5346 * lorentzian + np.hypot(gaussian, np.sqrt(0.2166) * lorentzian)

        def product(place: np.ndarray) -> np.ndarray:
            square = (place / width) ** 2
            return np.exp(-4 * np.log(2) * (1 - mixing) * square) / (1 + 4 * mixing * square)

        wide = np.arange(-400, 400, 0.01) * width
        return product(distance) / (product(wide).sum() * 0.01 * width)

    return shape


def metal(asymmetry: float) -> Shape:
    """Doniach–Šunjić line, summed over a Gaussian; its area ends with the window."""

    def shape(distance: np.ndarray, gaussian: float, lorentzian: float) -> np.ndarray:
        half, sigma = lorentzian / 2, gaussian / 2.3548200450309493
        offsets = np.linspace(-6, 6, 601) * sigma
        weights = np.exp(-0.5 * (offsets / sigma) ** 2)
        from_line = offsets[:, None] - distance  # the tail lies at higher binding energy
        line = np.cos(np.pi * asymmetry / 2 + (1 - asymmetry) * np.arctan(from_line / half))
        line /= (from_line**2 + half**2) ** ((1 - asymmetry) / 2)
        line = weights @ line
        return line / (line.sum() * FINE)

    return shape


@dataclass(frozen=True)
class Sample:
    """What is different from the plain sample.

    Attributes
    ----------
    shapes
        Shape of the lines of a level; Voigt where none is given.
    tougaard
        Share of the scattered electrons that have Tougaard's universal losses; the rest makes a Shirley step.
    states
        Level → share, shift (eV) of a second chemical state.
    """

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    tougaard: float = 0.0
    states: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)

    def draw(self, generator: np.random.Generator, *windows: str) -> list[Measurement]:
        """Return a measurement of some windows, which has no survey."""
        regions = {name: self.region(WINDOWS[name], generator) for name in windows or WINDOWS}
        attrs = {"raw_file": "none", "raw_sha256": "0" * 64, "origin": "simulated"}
        return [Measurement("outside", attrs, {}, regions)]

    def region(self, window: Window, generator: np.random.Generator) -> xr.Dataset:
        grid = np.arange(window.low - 10.0, window.high + 0.05, FINE)
        signal = np.zeros_like(grid)
        for name in window.levels:
            level = self.levels.get(name, LEVELS[name])
            shape = self.shapes.get(name, voigt)
            share, shift = self.states.get(name, (0.0, 0.0))
            for position, cross_section, lifetime in level.lines:
                area = level.atoms * cross_section * response(PHOTON - level.lines[0][0] - CHARGING)
                for part, place in ((1 - share, position), (share, position + shift)):
                    signal += part * area * shape(grid - place - CHARGING, window.width, lifetime)
        shirley = window.scattering * np.cumsum(signal) * FINE
        loss = np.arange(0.0, grid[-1] - grid[0] + FINE, FINE)
        losses = 2866.0 * loss / (1643.0 + loss**2) ** 2
        tougaard = np.convolve(signal, losses)[: grid.size] * FINE
        rate = window.base + window.slope * (grid - window.low) + signal
        rate += (1 - self.tougaard) * shirley + self.tougaard * tougaard
        energy = np.arange(window.low, window.high + 0.05, 0.1)
        counts = generator.poisson(np.interp(energy, grid, rate) * window.time)
        attrs = {"counting_time": window.time, "pass_energy": PASS_ENERGY, "excitation_energy": PHOTON}
        attrs["transmission_coefficients"] = np.array(COEFFICIENTS)
        data = {"intensity": ("binding_energy", counts / window.time, {"units": "count/s"})}
        return xr.Dataset(data, {"binding_energy": energy}, attrs)


def response(kinetic: float) -> float:
    """Return counts/s·eV per atom and cross-section: escape depth times transmission."""
    a, b = COEFFICIENTS
    return 0.07 * kinetic**0.75 * PASS_ENERGY * (a**2 / (a**2 + (kinetic / PASS_ENERGY) ** 2)) ** b
