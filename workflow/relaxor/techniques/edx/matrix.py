"""What leaves a flat bulk specimen: generation of X-rays in depth, their absorption, and fluorescence.

The depth distribution φ(ρz) is the model XPP of Pouchou & Pichoir (doi 10.1007/978-1-4899-2617-3_4): two exponentials
whose area, mean depth, surface value and initial slope are given. Fluorescence by lines follows Reed (British Journal
of Applied Physics 16, 913, 1965); that by bremsstrahlung, some per cent at most, is left out. The absorption of
Philibert with the constants of Heinrich is the second model, whose difference from XPP shows what the choice does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from relaxor.techniques.edx.lines import Emitter, atomic_mass, atomic_number, attenuation

LEAST_OVERVOLTAGE = 1.1
"""Smallest ratio of the energy of the beam to that of an edge for which the models hold."""
ELECTRONS = {"K": 2 * 0.9, "L": 8 * 0.65, "M": 10 * 0.65}
"""Electrons of a shell times Bethe's factor: relative cross-sections of ionization (Powell, doi
10.1103/RevModPhys.48.33)."""
DECELERATION = 0.78, 0.1
"""Exponents of the first two terms of the deceleration of electrons."""


def exponent(emitter: Emitter) -> float:
    """Return the exponent of overvoltage in the cross-section of ionization."""
    if emitter.shell == "K":
        return 0.86 + 0.12 * math.exp(-((atomic_number(emitter.element) / 5) ** 2))
    return {"L": 0.82, "M": 0.78}[emitter.shell]


def ionizations(emitter: Emitter, beam: float) -> float:
    """Return the relative cross-section of ionization by electrons of an energy in keV, without that of the shell."""
    ratio = beam / emitter.edge
    return math.log(ratio) / (ratio ** exponent(emitter) * emitter.edge**2)


def mass_per_photon(emitter: Emitter, beam: float) -> float:
    """Return the relative mass of an element per photon of a family that a free layer of it emits."""
    vacancies = ELECTRONS[emitter.shell] * ionizations(emitter, beam) / atomic_mass(emitter.element)
    return 1 / (vacancies * emitter.fluorescence_yield)


@dataclass(frozen=True)
class DepthDistribution:
    """φ(ρz) = A exp(−a ρz) + (B ρz + φ(0) − A) exp(−b ρz), with ρz in g/cm².

    Attributes
    ----------
    area
        Integral over all depths, g/cm²: X-rays of the specimen per X-rays of a free layer of unit mass thickness.
    surface
        φ(0).
    slow, fast, linear, amplitude
        b and a in cm²/g, B in cm²/g, and A.
    """

    area: float
    surface: float
    slow: float
    fast: float
    linear: float
    amplitude: float

    def emitted(self, chi: np.ndarray) -> np.ndarray:
        """Return the integral of φ(ρz) exp(−χ ρz), g/cm², with χ in cm²/g."""
        b, excess = self.slow, self.fast / self.slow - 1
        first = self.surface + self.linear / (b + chi)
        return (first - self.amplitude * b * excess / (self.fast + chi)) / (b + chi)


@dataclass(frozen=True)
class Bulk:
    """A flat homogeneous specimen under a beam that falls on it at right angles.

    Attributes
    ----------
    beam
        Energy of the electrons, keV.
    take_off
        Angle of the detector above the surface, degrees.
    elements
        Symbols of the elements that composition is given in.
    emitters
        Families of lines that are measured, or that excite others.
    """

    beam: float
    take_off: float
    elements: tuple[str, ...]
    emitters: Sequence[Emitter]

    @cached_property
    def numbers(self) -> np.ndarray:
        """Atomic numbers, shape (n,)."""
        return np.array([atomic_number(element) for element in self.elements], dtype=float)

    @cached_property
    def masses(self) -> np.ndarray:
        """Relative atomic masses, shape (n,)."""
        return np.array([atomic_mass(element) for element in self.elements])

    @cached_property
    def absorption(self) -> Mapping[int, np.ndarray]:
        """Mass absorption coefficients of the elements at the lines of each emitter, cm²/g, shape (m, n)."""
        return {
            id(emitter): np.column_stack([attenuation(element, emitter.energies) for element in self.elements])
            for emitter in self.emitters
        }

    def distribution(self, emitter: Emitter, mass: np.ndarray) -> DepthDistribution:
        """Return φ(ρz) of a shell in a specimen of given mass fractions, shape (n,)."""
        root = float(mass @ np.sqrt(self.numbers)) ** 2  # the mean atomic number of backscattering
        u = self.beam / emitter.edge
        returned = 1.75e-3 * root + 0.37 * (1 - math.exp(-0.015 * root**1.3))
        surface = 1 + 3.3 * (1 - u ** (2.3 * returned - 2)) * returned**1.2
        area = self._backscatter(returned, u) * self._path(emitter, mass) / ionizations(emitter, self.beam)
        x, y = 1 + 1.3 * math.log(root), 0.2 + root / 200
        shallow = 1 + x * math.log(1 + y * (1 - u**-0.42)) / math.log(1 + y)
        depth = area / max(shallow, surface)
        return _two_exponentials(area, depth, surface, root, u)

    def _backscatter(self, returned: float, u: float) -> float:
        """Return the share of ionizations that backscattered electrons leave in the specimen."""
        energy = 0.595 + returned / 3.7 + returned**4.55
        q = (2 * energy - 1) / (1 - energy)
        j = 1 + u * (math.log(u) - 1)
        g = (u - 1 - (1 - u ** (-1 - q)) / (1 + q)) / ((2 + q) * j)
        return 1 - returned * energy * (1 - g)

    def _path(self, emitter: Emitter, mass: np.ndarray) -> float:
        """Return the integral of the cross-section of ionization over the path of an electron."""
        electrons = mass * self.numbers / self.masses
        mean = 1e-3 * self.numbers * (10.04 + 8.25 * np.exp(-self.numbers / 11.22))
        total = float(electrons.sum())
        j = math.exp(float(electrons @ np.log(mean)) / total)
        m, u = exponent(emitter), self.beam / emitter.edge
        factors = 6.6e-6, 1.12e-5 * (1.35 - 0.45 * j**2), 2.2e-6 / j
        path = 0.0
        for factor, power in zip(factors, (*DECELERATION, 0.25 * j - 0.5), strict=True):
            t = 1 + power - m
            path += factor * (emitter.edge / j) ** power * (u**t * (t * math.log(u) - 1) + 1) / t**2
        return path * j / (emitter.edge * total)

    def chi(self, emitter: Emitter, mass: np.ndarray) -> np.ndarray:
        """Return absorption along the way out per mass thickness of depth, cm²/g, shape (m,)."""
        return self.absorption[id(emitter)] @ mass / math.sin(math.radians(self.take_off))

    def escaping(self, emitter: Emitter, mass: np.ndarray, absorption: float = 1.0) -> float:
        """Return the share of the generated photons of a family that leaves the specimen.

        Parameters
        ----------
        absorption
            Factor of the mass absorption coefficients.
        """
        found = self.distribution(emitter, mass)
        return float(emitter.weights @ found.emitted(absorption * self.chi(emitter, mass))) / found.area

    def escaping_by_heinrich(self, emitter: Emitter, mass: np.ndarray, absorption: float = 1.0) -> float:
        """Return `escaping` of the simple model of Philibert with the constants of Heinrich."""
        reduced = absorption * self.chi(emitter, mass) * (self.beam**1.65 - emitter.edge**1.65) / 4.5e5
        h = 1.2 * float(mass @ (self.masses / self.numbers**2))
        return float(emitter.weights @ ((1 + h) / ((1 + reduced) * (1 + h * (1 + reduced)))))

    def secondary(self, emitter: Emitter, mass: np.ndarray) -> float:
        """Return the photons that other lines excite and that leave, per generated photon of a family."""
        own = self.elements.index(emitter.element)
        absorbed = float(emitter.weights @ self.chi(emitter, mass))
        electrons = 3.3e5 / (self.beam**1.65 - emitter.edge**1.65)
        total = 0.0
        for source in self.emitters:
            excites = source.energies > emitter.edge
            if not excites.any() or self.beam < LEAST_OVERVOLTAGE * source.edge:
                continue
            each = self.absorption[id(source)][excites]
            whole = each @ mass
            ways = np.log1p(absorbed / whole) / (absorbed / whole) + np.log1p(electrons / whole) * whole / electrons
            share = source.weights[excites] @ (each[:, own] / whole * ways)
            amount = mass[self.elements.index(source.element)] * source.fluorescence_yield
            total += float(share) * amount * self.vacancies(source, mass)
        jump = (emitter.jump - 1) / emitter.jump
        return 0.5 * jump * total / self.vacancies(emitter, mass)

    def vacancies(self, emitter: Emitter, mass: np.ndarray) -> float:
        """Return the relative number of vacancies that electrons make in a shell, per mass fraction of the element."""
        own = self.elements.index(emitter.element)
        area = self.distribution(emitter, mass).area
        return ELECTRONS[emitter.shell] * ionizations(emitter, self.beam) * area / self.masses[own]


def _two_exponentials(area: float, depth: float, surface: float, root: float, u: float) -> DepthDistribution:
    """Return φ(ρz) of a given area, mean depth and surface value; its initial slope follows from XPP."""
    b = math.sqrt(2) * (1 + math.sqrt(max(1 - depth * surface / area, 0.0))) / depth
    g = 0.22 * math.log(4 * root) * (1 - 2 * math.exp(-root * (u - 1) / 15))
    h = 1 - 10 * (1 - 1 / (1 + u / 10)) / root**2
    slope = min(g * h**4, 0.9 * b * depth**2 * (b - 2 * surface / area)) * area / depth**2
    a = (slope + b * (2 * surface - b * area)) / (b * area * (2 - b * depth) - surface)
    excess = (a - b) / b
    if abs(excess) < 1e-6:
        excess = 1e-6
    linear = (b**2 * area * (1 + excess) - slope - surface * b * (2 + excess)) / excess
    amplitude = (linear / b + surface - b * area) * (1 + excess) / excess
    return DepthDistribution(area, surface, b, b * (1 + excess), linear, amplitude)
