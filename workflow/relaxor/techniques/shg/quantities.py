"""Names and meanings of the numbers of second-harmonic generation."""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

SERIES = "shg_power_series"
"""Name of the measurement in rows and curves that combine all powers."""
VOIGT, GAUSSIAN = "voigt", "gaussian"
POWER_LAW_BACKGROUND, POWER_LAW, LOG_LOG = "power_law_background", "power_law", "log_log"
MODELS = {
    VOIGT: "one Voigt line in the spectra of all powers",
    GAUSSIAN: "one Gaussian line in the spectra of all powers",
    POWER_LAW_BACKGROUND: "power law with a constant background",
    POWER_LAW: "power law without a background",
    LOG_LOG: "straight line through the logarithms of power and area",
}
RATE = "count*nm/s"
WAVELENGTH_SCALE, POWER_METER = "scale of the wavelength", "power meter"
"""Kinds of systematic errors."""
QUANTITIES = (
    CENTER := Quantity("center", "nm", "wavelength of the line", WAVELENGTH_SCALE),
    CENTER_DIFFERENCE := Quantity(
        "center_difference", "nm", "wavelength of the line minus half the wavelength of the pump", WAVELENGTH_SCALE
    ),
    FWHM_GAUSSIAN := Quantity("fwhm_gaussian", "nm", "Gaussian part of the full width at half maximum of the line"),
    FWHM_LORENTZIAN := Quantity("fwhm_lorentzian", "nm", "Lorentzian part of the full width at half maximum"),
    AREA := Quantity("area", "count*nm", "area of the line above its background, in one frame"),
    AMPLITUDE := Quantity("amplitude", RATE, "area of the line per time at a power of 1 mW", POWER_METER),
    EXPONENT := Quantity("exponent", "1", "exponent of the area of the line against power", POWER_METER),
    BACKGROUND := Quantity("background", RATE, "area per time that does not depend on power"),
    T_STATISTIC := Quantity("t_statistic", "1", "distance of the exponent from a value, in standard errors"),
    P_VALUE := Quantity("p_value", "1", "two-sided probability of at least this distance if the value is true"),
    AICC,
)
