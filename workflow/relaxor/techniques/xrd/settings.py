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

    def gaussian(self, two_theta: float) -> float:
        """Return the Gaussian full width at half maximum (degree 2θ); doi 10.1016/0029-554X(58)90029-X."""
        tangent = math.tan(math.radians(two_theta) / 2)
        return math.sqrt(max(self.u * tangent**2 + self.v * tangent + self.w, 1e-8))

    def lorentzian(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return the width (degree 2θ) that the natural width of the emission line gives."""
        return np.degrees(2 * self.emission_width * np.tan(np.radians(two_theta) / 2))


class XrdSettings(PublishedCells):
    """Settings of the diffraction analysis; lines are indexed on the published cell ``cell``."""

    wavelength_alpha1: float = setting(
        1.540593, "angstrom", source="Cu, International Tables for Crystallography C", gt=0
    )
    """The wavelength of Kα1. Headers of files often hold older, rounded values."""
    wavelength_alpha2: float = setting(1.544427, "angstrom", source="Cu, doi 10.1103/PhysRevA.56.4554", gt=0)
    """The wavelength of Kα2."""
    alpha_ratio: float = setting(0.5, source="statistical weights of the 2p levels", ge=0)
    """The intensity of Kα2 divided by that of Kα1."""
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
