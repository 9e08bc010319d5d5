"""Settings of the SHG analysis."""

from relaxor.core.section import Section, setting


class ShgSettings(Section):
    """Settings of the SHG analysis. Uncertainties are standard uncertainties."""

    window: tuple[float, float] | None = setting(None, "nm")
    """The range of wavelength that is fitted around the second harmonic. Without it, the range extends 3 % to each side
    of half the wavelength of the pump."""
    background_degree: int = setting(2, source="two-photon luminescence and dark signal", ge=0)
    """The degree of the polynomial under the line."""
    electrons_per_count: float = setting(1.0, "1/count", source="assumed; see the data sheet of the CCD", gt=0)
    """The gain of the CCD in electrons per count."""
    wavelength_uncertainty: float = setting(0.05, "nm", source="typical of a calibrated grating spectrometer", ge=0)
    """The standard uncertainty of the wavelength scale of the spectrometer."""
    power_calibration_uncertainty: float = setting(0.03, source="photodiode sensors: 3 to 5 %", ge=0)
    """The relative uncertainty of the calibration of the power meter, which all powers share."""
    power_linearity_uncertainty: float = setting(0.005, source="data sheets of photodiode sensors: 0.5 %", ge=0)
    """The relative uncertainty of the power meter between the ends of its range."""
