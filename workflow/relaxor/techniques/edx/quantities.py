"""Names and meanings of the numbers of X-ray spectra; ``feature`` is an element, a family of lines, or a ratio."""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

LINE_FAMILIES, XPP, CLIFF_LORIMER = "line_families", "xpp", "cliff_lorimer"
MODELS = {
    LINE_FAMILIES: "families of lines on bremsstrahlung, with one energy scale and resolution",
    XPP: "composition of a flat bulk specimen: k-factors, generation and absorption in depth, and fluorescence",
    CLIFF_LORIMER: "composition of a thin film by k-factors, without absorption",
}
MATRIX = "k-factors and matrix correction"
"""Kind of systematic error."""
DOSE = "dose"
"""Kind of systematic error of k-ratios."""
MANGANESE = "Mn Ka"
"""Line at which the resolution of detectors is stated."""
QUANTITIES = (
    ENERGY_OFFSET := Quantity("energy_offset", "eV", "error of the energy scale at zero"),
    ENERGY_GAIN := Quantity("energy_gain", "1", "displayed energy differences divided by true ones"),
    DETECTOR_RESOLUTION := Quantity("detector_resolution", "eV", "full width at half maximum of a line at its energy"),
    AICC,
    UNEXPLAINED := Quantity("unexplained_intensity", "count", "counts in a peak that no line of the elements explains"),
    INTENSITY := Quantity("intensity", "count", "counts in all lines of a family"),
    K_RATIO := Quantity("k_ratio", "1", "counts of a family per dose, divided by those of a standard", DOSE),
    ATOMIC_PERCENT := Quantity("atomic_percent", "atomic_percent", "fraction of an element among all atoms", MATRIX),
    WEIGHT_PERCENT := Quantity("weight_percent", "percent", "fraction of an element in the mass", MATRIX),
    ATOMS_PER_FORMULA_UNIT := Quantity("atoms_per_formula_unit", "1", "fraction times atoms of a formula unit", MATRIX),
    ATOMIC_RATIO := Quantity("atomic_ratio", "1", "atoms of an element per atom of the reference", MATRIX),
)
