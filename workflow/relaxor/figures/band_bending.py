"""Bands of a p-type semiconductor at a metal, from work function, affinity, gap and doping.

Different work functions cause a flow of charge until the Fermi levels are equal, and the bands bend near the contact.
Without charge in interface states (Schottky and Mott), they bend by the difference of the work functions. Poisson's
equation with holes that follow Boltzmann and ionized acceptors has a first integral (Sze & Ng, Physics of Semiconductor
Devices, doi 10.1002/0470068329), which holds where the bands bend down (holes depleted) and where they bend up (holes
accumulated) alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import constants
from scipy.integrate import cumulative_trapezoid

from relaxor.core.errors import SheetError

NEGLIGIBLE = 1e-3
"""Fraction of the bending at the contact at which its calculation ends."""
POINTS = 2000


@dataclass(frozen=True)
class Contact:
    """Metal and p-type semiconductor; energies in eV.

    Attributes
    ----------
    metal_work_function, electron_affinity, band_gap
        eV.
    acceptor_density
        1/cm³, all ionized.
    hole_mass
        Effective mass of the density of states of the valence band, divided by the mass of the electron.
    relative_permittivity
        Static.
    temperature
        K.

    Raises
    ------
    SheetError
        If the Fermi level reaches a band or inverts the semiconductor: holes with Boltzmann statistics do not describe
        this case.
    """

    metal_work_function: float
    electron_affinity: float
    band_gap: float
    acceptor_density: float
    hole_mass: float
    relative_permittivity: float
    temperature: float

    def __post_init__(self) -> None:
        at_contact = self.fermi_level + self.bending
        for place, level in (("bulk", self.fermi_level), ("contact", at_contact)):
            if not 0 < level < self.band_gap - max(self.fermi_level, 0):
                highest = self.band_gap - self.fermi_level
                raise SheetError(
                    f"bands: the Fermi level lies {level:.2f} eV above the valence band ({place}); holes alone "
                    f"describe 0 to {highest:.2f} eV: change work function, affinity, gap or doping"
                )

    @property
    def thermal_energy(self) -> float:
        """Boltzmann's constant times temperature (eV)."""
        return constants.k * self.temperature / constants.e

    @property
    def valence_states(self) -> float:
        """Effective density of states of the valence band (1/cm³)."""
        mass = self.hole_mass * constants.m_e
        return 2e-6 * (2 * math.pi * mass * constants.k * self.temperature / constants.h**2) ** 1.5

    @property
    def fermi_level(self) -> float:
        """Fermi level of the bulk above the valence band (eV)."""
        return self.thermal_energy * math.log(self.valence_states / self.acceptor_density)

    @property
    def work_function(self) -> float:
        """Work function of the semiconductor (eV)."""
        return self.electron_affinity + self.band_gap - self.fermi_level

    @property
    def bending(self) -> float:
        """Band bending (eV): by how much the bands are lower at the contact than in the bulk; negative if higher."""
        return self.work_function - self.metal_work_function

    def profile(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the distance from the contact (nm) and by how much the bands are lower there than in the bulk (eV).

        Shape (n,), from the contact to the point at which the fraction `NEGLIGIBLE` of the bending remains; empty
        without bending.
        """
        if self.bending == 0:
            return np.empty(0), np.empty(0)
        logarithm = np.linspace(0, math.log(NEGLIGIBLE), POINTS)
        bending = self.bending * np.exp(logarithm)
        permittivity = self.relative_permittivity * constants.epsilon_0
        reduced = bending / self.thermal_energy
        # expm1 would still cancel with the linear term; its series is used if bands bend much less than kT.
        rise = np.where(np.abs(reduced) < 1e-3, reduced**2 / 2 - reduced**3 / 6, np.expm1(-reduced) + reduced)
        density = 1e6 * self.acceptor_density
        field = np.sqrt(2 * constants.e * density / permittivity * self.thermal_energy * rise)
        distance = -cumulative_trapezoid(np.abs(bending) / field, logarithm, initial=0)
        return 1e9 * distance, bending

    @property
    def width(self) -> float:
        """Width of the space charge (nm), up to the point at which the bands bend by kT; 0 if they bend less."""
        if abs(self.bending) <= self.thermal_energy:
            return 0.0
        distance, bending = self.profile()
        return float(np.interp(-self.thermal_energy, -np.abs(bending), distance))
