"""Names and meanings of the numbers of Raman spectra; ``feature`` is the line."""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

VOIGT, LORENTZIAN, FANO = "voigt", "lorentzian", "fano"
MODELS = {
    VOIGT: "Lorentzian lines convolved with the Gaussian response of the instrument",
    LORENTZIAN: "Lorentzian lines as if the instrument had no width",
    FANO: "Breit–Wigner–Fano lines convolved with the Gaussian response; only where they are clearly better",
}
AXIS = "calibration of the axis"
RESPONSE, BASELINE = "response of the instrument", "degree of the baseline"
RAMAN_SHIFT = Quantity("raman_shift", "1/cm", "position of a line on the calibrated axis", AXIS)
AREA = Quantity("area", "count/cm", "area of a line above the baseline", f"{BASELINE}, {RESPONSE}")
FWHM = Quantity("fwhm", "1/cm", "observed full width at half maximum of a line, including the instrument")
FWHM_LORENTZIAN = Quantity(
    "fwhm_lorentzian", "1/cm", "full width at half maximum of a line without the instrument", RESPONSE
)
ASYMMETRY = Quantity("asymmetry", "1", "1/q of a Breit–Wigner–Fano line; negative if the lower side is the higher one")
AREA_LIMIT = Quantity("area_limit", "count/cm", "largest area, at 95 %, of a line that is not seen")
SHIFT_OFFSET = Quantity("shift_offset", "1/cm", "shift that is added to the axis of the file to calibrate it", AXIS)
COSMIC_RAY_PIXELS = Quantity("cosmic_ray_pixels", "1", "pixels of the accumulations that cosmic rays hit")
QUANTITIES = (AICC, SHIFT_OFFSET, AREA, FWHM_LORENTZIAN, FWHM, RAMAN_SHIFT, ASYMMETRY, AREA_LIMIT, COSMIC_RAY_PIXELS)
