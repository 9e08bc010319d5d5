"""Names and meanings of the numbers of X-ray spectra; ``feature`` is an element, a family of lines, or a ratio."""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

LINE_FAMILIES, CLIFF_LORIMER = "line_families", "cliff_lorimer"
MODELS = {
    LINE_FAMILIES: "families of lines on bremsstrahlung, with one energy scale and resolution",
    CLIFF_LORIMER: "composition of the intensities of lines by k-factors",
}
K_FACTORS = "k-factors"
"""Kind of systematic error."""
MANGANESE = "Mn Ka"
"""Line at which the resolution of detectors is stated."""
QUANTITIES = (
    ENERGY_OFFSET := Quantity("energy_offset", "eV", "error of the energy scale at zero"),
    ENERGY_GAIN := Quantity("energy_gain", "1", "displayed energy differences divided by true ones"),
    DETECTOR_RESOLUTION := Quantity("detector_resolution", "eV", "full width at half maximum of a line at its energy"),
    AICC,
    INTENSITY := Quantity("intensity", "count", "counts in all lines of a family"),
    ATOMIC_PERCENT := Quantity("atomic_percent", "atomic_percent", "fraction of an element among all atoms", K_FACTORS),
    WEIGHT_PERCENT := Quantity("weight_percent", "percent", "fraction of an element in the mass", K_FACTORS),
    ATOMS_PER_FORMULA_UNIT := Quantity(
        "atoms_per_formula_unit", "1", "fraction times atoms of a formula unit", K_FACTORS
    ),
    ATOMIC_RATIO := Quantity("atomic_ratio", "1", "atoms of an element per atom of the reference", K_FACTORS),
)
