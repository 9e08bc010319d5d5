"""Settings of the diffraction analysis."""

import math

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.techniques.structure.settings import PublishedCells

CAGLIOTI = "typical of a D8 with LYNXEYE, 280 mm radius and 0.6 mm slit; form: doi 10.1016/0029-554X(58)90029-X"


class LineProfile(Section):
    """The line profile of the diffractometer itself, from a standard without strain."""

    u: float = setting(0.0015, "degree^2", source=CAGLIOTI)
    """The factor of tan²θ in the squared Gaussian width of a line, fwhm² = u·tan²θ + v·tanθ + w."""
    v: float = setting(-0.0010, "degree^2", source=CAGLIOTI)
    """The factor of tanθ in the squared Gaussian width of a line, fwhm² = u·tan²θ + v·tanθ + w."""
    w: float = setting(0.0016, "degree^2", source=CAGLIOTI)
    """The constant term of the squared Gaussian width of a line, fwhm² = u·tan²θ + v·tanθ + w."""
    emission_width: float = setting(2.85e-4, source="Cu Kα1, 2.29 eV of 8047.8 eV, doi 10.1103/PhysRevA.56.4554", ge=0)
    """The natural width Δλ/λ of the emission line, relative and Lorentzian."""
    relative_uncertainty: float = setting(0.15, source="assumed: scatter between diffractometers of one design", ge=0)
    """The relative standard uncertainty of the widths of the instrument; about 0.02 if a standard was measured."""
    standard: str = ""
    """The standard without strain from which the profile was measured on this diffractometer. Without it, crystallite
    size and strain rest on an assumption, and their status says so."""

    def gaussian(self, two_theta: float) -> float:
        """Return the Gaussian full width at half maximum (degree 2θ); doi 10.1016/0029-554X(58)90029-X."""
        tangent = math.tan(math.radians(two_theta) / 2)
        return math.sqrt(max(self.u * tangent**2 + self.v * tangent + self.w, 1e-8))

    def lorentzian(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return the width (degree 2θ) that the natural width of the emission line gives."""
        return np.degrees(2 * self.emission_width * np.tan(np.radians(two_theta) / 2))


class Phase(Section):
    """The starting cell of a phase of a powder. Edges and angles that the space group fixes may be left out."""

    space_group: str
    """The Hermann–Mauguin symbol as gemmi reads it; rhombohedral groups on hexagonal axes end in ``:H``."""
    a: float = setting(..., "angstrom", gt=0)
    """The length of the cell edge a."""
    b: float | None = setting(None, "angstrom", gt=0)
    """The length of the cell edge b."""
    c: float | None = setting(None, "angstrom", gt=0)
    """The length of the cell edge c."""
    alpha: float | None = setting(None, "degree", gt=0, lt=180)
    """The angle between b and c."""
    beta: float | None = setting(None, "degree", gt=0, lt=180)
    """The angle between a and c."""
    gamma: float | None = setting(None, "degree", gt=0, lt=180)
    """The angle between a and b."""


class XrdSettings(PublishedCells):
    """Settings of the diffraction analysis; lines are indexed on the published cell ``cell``, or on ``phases``."""

    phases: dict[str, Phase] = {}
    """The phases of a powder by name, whose cells are refined from all of their lines. A structure file (CIF) that the
    sheet lists under this technique is a phase as well. They are not used where ``cell`` names a layered crystal."""

    wavelength_alpha1: float = setting(
        1.540593, "angstrom", source="Cu, International Tables for Crystallography C", gt=0
    )
    """The wavelength of Kα1. It holds for files of the same tube, whose headers often hold older, rounded values; files
    of another tube are analysed with the wavelengths of their own anode."""
    wavelength_alpha2: float = setting(1.544427, "angstrom", source="Cu, doi 10.1103/PhysRevA.56.4554", gt=0)
    """The wavelength of Kα2."""
    alpha_ratio: float = setting(0.5, source="statistical weights of the 2p levels", ge=0)
    """The intensity of Kα2 divided by that of Kα1, where the file does not state it."""
    goniometer_radius: float = setting(280.0, "mm", source="D8 with DAVINCI design", gt=0)
    """The radius of the goniometer where the file does not give it."""
    line_profile: LineProfile = LineProfile()
    """The line profile of the diffractometer."""
    scherrer_constant: float = setting(0.9, source="spherical crystallites", gt=0)
    """The constant K in size = K·λ/(width·cosθ), where the width is the full width at half maximum."""
    peak_width: float = setting(0.12, "degree", source="typical of a laboratory diffractometer", gt=0)
    """The usual full width of a line in 2θ, which the filter that finds lines uses and at which fits start."""
    significance: float = setting(5.0, source="the usual criterion of detection", gt=0)
    """The smallest height of a line above the background, in standard deviations of the matched filter."""
    window: float = setting(0.5, "degree", source="four typical widths of a line", gt=0)
    """The distance in 2θ that is fitted on each side of a line. Lines whose windows overlap are fitted together."""
    index_tolerance: float = setting(0.05, source="0.8 % of the spacing of the sixth order", gt=0, lt=0.5)
    """The largest difference between (spacing of layers)/d and a whole number at which a line is indexed as 00l."""
    zero_shift_uncertainty: float = setting(0.005, "degree", source="usual alignment of a goniometer", ge=0)
    """The standard uncertainty of the zero of 2θ. It is a systematic error where the zero is not fitted."""
    displacement_uncertainty: float = setting(0.1, "mm", source="assumed: sample pressed or glued by hand", ge=0)
    """The standard uncertainty of the height of the sample. It is a systematic error where the height is not fitted."""
    wavelength_uncertainty: float = setting(
        3.7e-5, source="centroid against maximum of the asymmetric Cu Kα1, doi 10.1103/PhysRevA.56.4554", ge=0
    )
    """The relative standard uncertainty of the wavelength to which a symmetric line of Kα1 belongs. It is a systematic
    error of every spacing and cell."""
