"""Names and meanings of the numbers of photoelectron spectra.

``feature`` is a line (``Bi 4f7/2``), a level (``Bi 4f``), a ratio of levels, or an element.
"""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

CHARGE_REFERENCE, QUANTIFICATION, SURVEY = "charge_reference", "quantification", "survey"
MODELS = {
    CHARGE_REFERENCE: "shift of all energies by charging",
    QUANTIFICATION: "composition from the areas of levels and sensitivity factors",
    SURVEY: "lines in the survey spectrum",
    "*_shirley": "model of a window, as the settings name it, on a Shirley background",
    "*_tougaard": "model of a window, as the settings name it, on a Tougaard background",
}
CHARGE, FACTORS = "energy of the charge reference", "sensitivity factors"
"""Kinds of systematic errors."""
QUANTITIES = (
    CHARGE_SHIFT := Quantity("charge_shift", "eV", "measured minus true binding energy", CHARGE),
    AREA := Quantity("area", "count*eV/s", "area of a level above the background, both lines of a doublet together"),
    AREA_RATIO := Quantity("area_ratio", "1", "area of the weaker line of a doublet divided by that of the stronger"),
    SPLITTING := Quantity("splitting", "eV", "distance between the lines of a doublet"),
    FWHM := Quantity("fwhm", "eV", "observed full width at half maximum of a line"),
    FWHM_LORENTZIAN := Quantity("fwhm_lorentzian", "eV", "lifetime width of a line, or of both lines of a level"),
    FWHM_GAUSSIAN := Quantity("fwhm_gaussian", "eV", "width that the instrument and phonons give to all lines"),
    AREA_RATIO_OF_LEVELS := Quantity("area_ratio_of_levels", "1", "area of one level divided by that of another one"),
    SHIRLEY_SCATTERING := Quantity("shirley_scattering", "1/eV", "height of the Shirley step per area of the lines"),
    TOUGAARD_LOSS := Quantity("tougaard_loss", "eV**2", "factor B of Tougaard's universal loss function"),
    BINDING_ENERGY := Quantity("binding_energy", "eV", "binding energy of a line, corrected for charging", CHARGE),
    BINDING_ENERGY_DIFFERENCE := Quantity(
        "binding_energy_difference", "eV", "binding energy of a line minus a published one", CHARGE
    ),
    AICC,
    AKAIKE_WEIGHT := Quantity("akaike_weight", "1", "probability of a model among those of its window"),
    ATOMIC_PERCENT := Quantity("atomic_percent", "atomic_percent", "fraction of an element among all atoms", FACTORS),
    SIGNIFICANCE := Quantity("significance", "1", "counts of a line divided by their standard deviation"),
)
LOSSES = {"shirley": SHIRLEY_SCATTERING, "tougaard": TOUGAARD_LOSS}
"""The quantity that scales a background, by the name of the background."""
