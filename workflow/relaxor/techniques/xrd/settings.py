"""Settings of the xrd analysis."""

from pydantic import Field

from relaxor.core.section import Section
from relaxor.techniques.structure.settings import Cell


class Instrument(Section):
    """Line profile of the diffractometer itself, from a strain-free standard."""

    u: float = 0.0015
    """Gaussian width, degree²: fwhm² = u·tan²θ + v·tanθ + w (Caglioti, doi 10.1016/0029-554X(58)90029-X)."""
    v: float = -0.0010
    """Degree²; see u."""
    w: float = 0.0016
    """Degree²; see u. u, v, w: typical of a D8 with LYNXEYE, 280 mm radius, 0.6 mm slit; replace them by your own."""
    emission_width: float = Field(2.85e-4, ge=0)
    """Relative natural width Δλ/λ of Cu Kα1, Lorentzian: 2.29 eV of 8047.8 eV, doi 10.1103/PhysRevA.56.4554."""


class XrdSettings(Section):
    """Settings of the xrd analysis; units and defaults beside each."""

    cell: str | None = None
    """Published cell, a key of ``cells``, that the lines are indexed on; null: lines and their spacings alone."""
    cells: dict[str, Cell] = {}
    """Published cells that are compared."""
    wavelength_alpha1: float = Field(1.540593, gt=0)
    """Cu Kα1 (angstrom), International Tables C; headers of instruments often hold older, rounded values."""
    wavelength_alpha2: float = Field(1.544427, gt=0)
    """Cu Kα2 (angstrom), doi 10.1103/PhysRevA.56.4554."""
    alpha_ratio: float = Field(0.5, ge=0)
    """Intensity of Kα2 over that of Kα1: statistical weights of the 2p levels."""
    goniometer_radius: float = Field(280.0, gt=0)
    """Radius (mm) where the file does not give it; D8 with DAVINCI design."""
    instrument: Instrument = Instrument()
    """Profile of the diffractometer."""
    scherrer_constant: float = Field(0.9, gt=0)
    """K in size = K·λ/(width·cosθ), width as full width at half maximum; spherical crystallites."""
    peak_width: float = Field(0.12, gt=0)
    """Usual full width of a line (degree 2θ): of the filter that finds lines, and where their fits start."""
    significance: float = Field(5.0, gt=0)
    """Least height of a peak over the background, in standard deviations of the matched filter."""
    window: float = Field(0.5, gt=0)
    """Half-width (degree 2θ) fitted around a line; lines whose windows overlap are fitted together."""
    index_tolerance: float = Field(0.05, gt=0, lt=0.5)
    """Farthest that (layer distance)/d may be from a whole number for a line to be indexed 00l: 0.8 % of the sixth."""
    zero_shift_uncertainty: float = Field(0.005, ge=0)
    """Standard uncertainty (degree 2θ) of the alignment of the goniometer: systematic error of c where the zero is
    not fitted."""
