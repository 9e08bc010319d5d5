"""Settings of the STEM analysis."""

from typing import Literal

from pydantic import Field

from relaxor.core.section import Section, setting


class Site(Section):
    """A site of the cell at which an image shows columns of atoms."""

    name: str = Field(pattern=r"^\S+$")
    """Name of the site in the results."""
    label: str = ""
    """Label of the site in figures. Without it, the name of the site is used."""
    position: tuple[float, float] | None = setting(None)
    """Projected position in fractions of the cell; null means all columns that are at none of the other sites."""
    elements: list[list[str]] = []
    """Symbols of the atoms of the column in successive layers, which repeat. They are needed to find the number of
    layers."""
    lattice: bool = True
    """Whether the lattice is fitted to the columns of this site."""


class StemSettings(Section):
    """Settings of the STEM analysis."""

    detector: str = "HAADF"
    """Name of the image that is analysed if a file holds several."""
    system: Literal["hexagonal", "square", "rectangular", "centred rectangular", "oblique"] | None = setting(None)
    """System of the lattice in projection; null means a hexagonal one of edge `a` if the image shows it, otherwise the
    one of most symmetry that the image does not exclude."""
    a: float | None = setting(None, "angstrom", gt=1, lt=50)
    """First edge of the cell of the structure in projection; null compares the lattice with no structure. It is the
    short edge of the conventional cell of a (centred) rectangular lattice."""
    b: float | None = setting(None, "angstrom", gt=1, lt=50)
    """Second edge of the cell; null means equal to `a`."""
    sites: list[Site] = []
    """Sites of the columns in the cell, the brightest first; a site without a position is the last one. Without any,
    the bright places of the mean cell of the image are called site_1, site_2, …, the brightest first."""
    tolerance: float = setting(0.06, source="calibration and drift are within a few percent", gt=0, le=0.2)
    """Relative range around the lattice parameters in which the lattice is sought, and largest strain by drift and scan
    with which it still counts as hexagonal."""
    scan_distortion: float = setting(
        0.01, source="assumed: drift and scan coils of a microscope that was not calibrated on the day", gt=0, le=0.2
    )
    """Standard uncertainty of the strain that drift and scan coils give an image. The symmetry of a lattice that is not
    sought as a hexagonal one is tested against it, and it is a systematic error of its lengths and angles."""
    spot_threshold: float = setting(25.0, source="the highest of 49 pixels of pure noise is near 6", ge=10)
    """Smallest ratio of the power of a spot to the median power around it."""
    highest_frequency: float = setting(
        0.75, "1/angstrom", source="a probe of 1 angstrom transfers little beyond it", gt=0
    )
    """Largest spatial frequency of a spot."""
    column_sigma: float = setting(0.43, "angstrom", source="assumed: probe and thermal motion", gt=0)
    """Standard deviation of the Gaussian of a column at the start of its fit."""
    correlated_length: float = setting(6.0, "angstrom", source="assumed", gt=0)
    """Height within which errors of the scan lines may be correlated; it is rounded up to whole cells."""
    calibration_error: float = setting(
        0.01, source="magnification of a microscope that was not calibrated on the day", ge=0
    )
    """Relative standard uncertainty of the size of a pixel."""
    z_exponent: float = setting(1.7, source="doi 10.1016/0304-3991(91)90004-P", ge=1, le=2)
    """Power of the atomic number to which the intensity of an atom on an annular detector is proportional."""
    z_exponent_error: float = setting(0.1, source="1.6 to 1.9 are found, depending on the angles of the detector", ge=0)
    """Standard uncertainty of the exponent of the atomic number."""

    @property
    def placed(self) -> list[Site]:
        """The sites that have a position."""
        return [site for site in self.sites if site.position is not None]

    @property
    def names(self) -> list[str]:
        """Names of the placed sites, and of the columns at none of them."""
        rest = [site.name for site in self.sites if site.position is None]
        return [*(site.name for site in self.placed), *(rest[:1] or ["other"])]
