"""Settings of the Raman analysis."""

from relaxor.config.base import Section


class Raman(Section):
    """Settings of the Raman analysis; wavenumbers in 1/cm."""

    modes: dict[str, float] = {}
    """Name → Raman shift where the fit of a mode starts, in 1/cm."""
    calibration_line: float = 520.45
    """Raman shift of the silicon line, in 1/cm: NMIJ CRM 5606-a, doi 10.1002/jrs.6003."""
    calibration_uncertainty: float = 0.14
    """Its standard uncertainty, in 1/cm (0.28 with k = 2, same source)."""
    substrate_lines: dict[str, float] = {}
    """Name → Raman shift of lines of the substrate that are fitted with the modes, in 1/cm."""
    window: tuple[float, float] = (85.0, 600.0)
    """Range of Raman shift that is fitted, in 1/cm."""
    instrument_fwhm: float = 1.2
    """Gaussian width of the instrument's response, full width at half maximum, in 1/cm."""
    baseline_degree: int = 9
    """Degree of the Chebyshev polynomial under the lines (fluorescence and the edge filter's foot)."""
    spike_threshold: float = 8.0
    """A cosmic ray is this many standard deviations above the other accumulations or its surroundings."""
    spike_width: int = 3
    """In a single accumulation a spike is at most this many pixels wide."""
