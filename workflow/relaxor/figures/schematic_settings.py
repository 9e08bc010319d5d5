"""Constants of the schematics that are drawn to scale."""

from pydantic import Field

from relaxor.core.section import Section


class OpticalDevice(Section):
    """The device under light, Fig. 3a; nm. All from doi 10.1002/adma.202419204."""

    chromium_thickness: float = Field(5.0, gt=0)
    """nm, adhesion layer of the electrodes."""
    gold_thickness: float = Field(45.0, gt=0)
    """nm, electrodes."""
    flake_thickness: float = Field(8.0, gt=0)
    """nm, CuBiP2Se6 by AFM (6 nm in the paper's comparison with other devices)."""
    oxide_thickness: float = Field(285.0, gt=0)
    """nm, SiO2 on silicon."""
    wavelengths: list[float] = [650.0, 520.0, 450.0]
    """nm, of the light pulses, as in the results; the paper's Experimental Section has 635, 532 and 405."""


class Bands(Section):
    """The bands at the contact, Fig. 3b; energies in eV."""

    metal: str = "Au"
    """Name of the contact metal."""
    metal_work_function: float = Field(5.1, gt=0)
    """eV, polycrystalline gold (CRC Handbook); 5.3 to 5.5 on clean single crystals, less in air."""
    electron_affinity: float = Field(4.1, gt=0)
    """eV, plausible, no published value at hand: with gap and doping it puts the Fermi level of CuBiP2Se6 below that
    of gold, so that electrons flow into it and its bands bend down, as doi 10.1002/adma.202419204 describes."""
    band_gap: float = Field(1.3, gt=0)
    """eV, plausible, no measured value at hand: above 1.0 eV of the monolayer by density functional theory (PBE, which
    gives too little), below 1.9 eV, for the device answers to 650 nm."""
    acceptor_density: float = Field(1e17, gt=0)
    """1/cm³, plausible: p-type as doi 10.1002/adma.202209995 has it, its density not known."""
    hole_mass: float = Field(1.0, gt=0)
    """Effective mass of the valence band's density of states over the electron's, plausible."""
    relative_permittivity: float = Field(10.0, gt=1)
    """Static, in the plane, plausible for a layered selenide."""
    temperature: float = Field(300.0, gt=0)
    """K."""
