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
    """The standard uncertainty of the calibration line and of the lines of standards."""
    axis_uncertainty: float = setting(3.0, "1/cm", source="polystyrene on seven instruments: 0 to 5 1/cm off", ge=0)
    """The standard uncertainty of the axis of a file that no line of known shift has checked."""
    standards: dict[str, dict[str, float]] = setting({}, "1/cm")
    """The known Raman shifts of the lines of standards, by the name of the measurement of the standard and of the line.
    They calibrate the axis of all measurements; three lines and more also show the error between them."""
    axis_nonlinearity: float = setting(0.5, "1/cm", source="assumed; usual for a grating calibrated at one line", ge=0)
    """The standard uncertainty of the axis at a distance of 400 1/cm from the nearest line of known shift; it grows
    with the distance. With three such lines and more, only the distance from the outermost of them counts."""
    substrate_lines: dict[str, float] = setting({}, "1/cm")
    """The Raman shifts of lines of the substrate that are fitted with the modes, by the name of the line."""
    window: tuple[float, float] | None = setting(None, "1/cm")
    """The range of Raman shift that is fitted as one. Without it, this is the whole range above the filter that blocks
    the laser; if unlisted lines stand out there, each line is fitted in its surroundings, with its neighbours."""
    instrument_fwhm: float = setting(1.2, "1/cm", source="assumed")
    """The full width at half maximum of the Gaussian response of the instrument."""
    instrument_fwhm_uncertainty: float = setting(0.2, source="assumed", ge=0)
    """The relative standard uncertainty of that width."""
    baseline_degree: int = setting(9, source="fluorescence and the foot of the edge filter")
    """The degree of the Chebyshev polynomial under the lines."""
    spike_threshold: float = setting(8.0, source="assumed")
    """The height of a cosmic ray above the other accumulations, or above its surroundings, in standard deviations."""
    spike_width: int = setting(3, source="assumed")
    """The largest width of a cosmic ray in pixels where there are fewer than three accumulations. With one, pixels are
    left out only if no light through the instrument explains them."""
