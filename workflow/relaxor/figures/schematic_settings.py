"""Constants of the schematics that are drawn to scale."""

from relaxor.core.section import Section, setting


class OpticalDevice(Section):
    """The cross-section of a two-terminal device under light."""

    material: str
    """Chemical formula of the layered crystal."""
    adhesion_metal: str
    """Chemical symbol of the metal of the adhesion layer below the electrodes."""
    adhesion_thickness: float = setting(..., "nm", gt=0)
    """Thickness of the adhesion layer."""
    electrode_metal: str
    """Chemical symbol of the metal of the electrodes."""
    electrode_thickness: float = setting(..., "nm", gt=0)
    """Thickness of the electrodes above the adhesion layer."""
    flake_thickness: float = setting(..., "nm", gt=0)
    """Thickness of the layered crystal between the electrodes."""
    oxide_thickness: float = setting(..., "nm", gt=0)
    """Thickness of the SiO2 on the silicon."""
    wavelengths: list[float] = setting(..., "nm", min_length=1)
    """Wavelengths of the pulses of light."""


class Bands(Section):
    """The bands at the contact of a metal and a semiconductor."""

    metal: str
    """Name of the contact metal."""
    metal_work_function: float = setting(..., "eV", gt=0)
    """Energy from the Fermi level of the metal to the vacuum."""
    electron_affinity: float = setting(..., "eV", gt=0)
    """Energy from the conduction band of the semiconductor to the vacuum."""
    band_gap: float = setting(..., "eV", gt=0)
    """Energy from the valence to the conduction band."""
    acceptor_density: float = setting(..., "1/cm^3", gt=0)
    """Density of ionized acceptors, to which the density of carriers is equal."""
    hole_mass: float = setting(1.0, source="plausible", gt=0)
    """Effective mass of the valence band's density of states over the mass of the electron."""
    relative_permittivity: float = setting(..., gt=1)
    """Static permittivity of the semiconductor, along the field."""
    temperature: float = setting(300.0, "kelvin", "room temperature", gt=0)
    """Temperature of the contact."""
