"""Settings of the SHG analysis."""

from relaxor.core.section import Section


class ShgSettings(Section):
    """Settings of the SHG analysis; units beside each. Uncertainties are standard uncertainties."""

    window: tuple[float, float] = (515.0, 550.0)
    """Range of wavelength that is fitted around the second harmonic, in nm."""
    background_degree: int = 2
    """Degree of the polynomial under the line (two-photon luminescence and dark signal)."""
    electrons_per_count: float = 1.0
    """Gain of the CCD, from its data sheet: electrons a count."""
    wavelength_uncertainty: float = 0.05
    """Of the spectrometer's wavelength scale, in nm."""
    power_calibration_uncertainty: float = 0.03
    """Relative, of the power meter's calibration, common to all powers (photodiode sensors: 3 to 5 %)."""
    power_linearity_uncertainty: float = 0.005
    """Relative, of the power meter between the ends of its range (data sheets of photodiode sensors: 0.5 %)."""
