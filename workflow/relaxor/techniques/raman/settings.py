"""Settings of the Raman analysis."""

from pydantic import Field

from relaxor.core.section import Section


class RamanSettings(Section):
    """Settings of the Raman analysis; wavenumbers in 1/cm."""

    modes: dict[str, float] | None = None
    """Name → Raman shift where the fit of a mode starts, in 1/cm; null: every line that stands out."""
    significance: float = Field(8.0, gt=0)
    """Least prominence of a line that is looked for, in standard deviations."""
    calibration_line: float | None = None
    """Raman shift given to the silicon line of the same spectrum, in 1/cm; null: the axis as the file has it."""
    calibration_uncertainty: float = Field(1.0, ge=0)
    """Standard uncertainty of that line, or of the file's axis, in 1/cm."""
    substrate_lines: dict[str, float] = {}
    """Name → Raman shift of lines of the substrate that are fitted with the modes, in 1/cm."""
    window: tuple[float, float] | None = None
    """Range of Raman shift that is fitted, in 1/cm; null: all of the file above the filter that blocks the laser."""
    instrument_fwhm: float = 1.2
    """Gaussian width of the instrument's response, full width at half maximum, in 1/cm."""
    baseline_degree: int = 9
    """Degree of the Chebyshev polynomial under the lines (fluorescence and the edge filter's foot)."""
    spike_threshold: float = 8.0
    """A cosmic ray is this many standard deviations above the other accumulations or its surroundings."""
    spike_width: int = 3
    """In a single accumulation a spike is at most this many pixels wide."""
