"""Names and meanings of the numbers of photoelectron spectra.

``feature`` is a line (``Bi 4f7/2``), a level (``Bi 4f``), a ratio of levels, or an element.
"""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

CHARGE_REFERENCE, QUANTIFICATION, SURVEY = "charge_reference", "quantification", "survey"
TOGETHER = "all_files"
"""Name of what the files of a sample have in common, whose windows come from several of them."""
MODELS = {
    CHARGE_REFERENCE: "shift of all energies by charging",
    QUANTIFICATION: "composition from the areas of levels and sensitivity factors",
    SURVEY: "lines in the survey spectrum",
    "*_shirley": "model of a window, as the settings name it, on a Shirley background",
    "*_tougaard": "model of a window, as the settings name it, on a Tougaard background",
    "*_gl": "the same with lines GL, the product of a Gaussian and a Lorentzian",
    "*_sgl": "the same with lines SGL, the sum of a Gaussian and a Lorentzian",
    "*_doniach_sunjic": "the same with Doniach–Šunjić lines, which have the tail of a metal",
}
SHAPE = "background and line shape"
CHARGE, FACTORS = f"energy of the charge reference, {SHAPE}", f"sensitivity factors, {SHAPE}"
"""Kinds of systematic errors."""
QUANTITIES = (
    CHARGE_SHIFT := Quantity("charge_shift", "eV", "measured minus true binding energy", CHARGE),
    AREA := Quantity(
        "area",
        None,  # count*eV/s; count*eV or eV where the file has no rates
        "area of a level above the background, both lines of a doublet together; of a metal up to 10 eV above the line",
        SHAPE,
    ),
    AREA_RATIO := Quantity(
        "area_ratio", "1", "area of the weaker line of a doublet divided by that of the stronger", SHAPE
    ),
    SPLITTING := Quantity("splitting", "eV", "distance between the lines of a doublet", SHAPE),
    FWHM := Quantity(
        "fwhm",
        "eV",
        "observed full width at half maximum of a line; of a line named as that of a metal, with its tail",
        SHAPE,
    ),
    FWHM_LORENTZIAN := Quantity("fwhm_lorentzian", "eV", "lifetime width of a line or of both lines of a level", SHAPE),
    FWHM_GAUSSIAN := Quantity(
        "fwhm_gaussian", "eV", "width that the instrument and phonons give to all lines, or to one level", SHAPE
    ),
    MIXING := Quantity("mixing", "1", "share m of the Lorentzian in GL(100 m) or SGL(100 m)"),
    ASYMMETRY := Quantity("asymmetry", "1", "exponent α of Doniach–Šunjić lines"),
    AREA_RATIO_OF_LEVELS := Quantity(
        "area_ratio_of_levels", "1", "area of one level divided by that of another one", SHAPE
    ),
    SHIRLEY_SCATTERING := Quantity("shirley_scattering", "1/eV", "height of the Shirley step per area of the lines"),
    TOUGAARD_LOSS := Quantity("tougaard_loss", "eV**2", "factor B of Tougaard's universal loss function"),
    BINDING_ENERGY := Quantity(
        "binding_energy",
        "eV",
        "binding energy of a line, corrected for charging; of a Doniach–Šunjić line, of its center, below its maximum",
        CHARGE,
    ),
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
