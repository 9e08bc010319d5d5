"""Settings of the Raman analysis."""

from relaxor.core.section import Section, setting


class RamanSettings(Section):
    """Settings of the Raman analysis."""

    modes: dict[str, float] | None = setting(None, "1/cm")
    """The Raman shift at which the fit of a mode starts, by the name of the mode. Without modes, every line that stands
    out is fitted."""
    significance: float = setting(8.0, source="assumed", gt=0)
    """The smallest prominence of a line that is looked for, in standard deviations."""
    calibration_line: float | None = setting(None, "1/cm")
    """The Raman shift that is given to the silicon line of the same spectrum. Without it the axis stays as the file has
    it."""
    calibration_uncertainty: float = setting(1.0, "1/cm", source="assumed", ge=0)
    """The standard uncertainty of the calibration line, or of the axis of the file if there is no such line."""
    substrate_lines: dict[str, float] = setting({}, "1/cm")
    """The Raman shifts of lines of the substrate that are fitted with the modes, by the name of the line."""
    window: tuple[float, float] | None = setting(None, "1/cm")
    """The range of Raman shift that is fitted. Without it, the whole range above the filter that blocks the laser is
    fitted."""
    instrument_fwhm: float = setting(1.2, "1/cm", source="assumed")
    """The full width at half maximum of the Gaussian response of the instrument."""
    baseline_degree: int = setting(9, source="fluorescence and the foot of the edge filter")
    """The degree of the Chebyshev polynomial under the lines."""
    spike_threshold: float = setting(8.0, source="assumed")
    """The height of a cosmic ray above the other accumulations, or above its surroundings, in standard deviations."""
    spike_width: int = setting(3, source="assumed")
    """The largest width of a cosmic ray in pixels where there are fewer than three accumulations."""
