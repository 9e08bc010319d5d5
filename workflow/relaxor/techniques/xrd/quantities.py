"""Names and meanings of the numbers of diffraction patterns.

``feature`` is the Miller indices of a line, or its place where it has none; the edge or angle of a lattice parameter
(after the name of the phase in a powder); the name of a phase or of a published cell; ``peak_1``, the strongest of a
map, and so on.
"""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

SHAPES = {"voigt": "voigt_doublet", "pseudo_voigt": "pseudo_voigt_doublet", "skewed": "skewed_doublet"}
"""The model of each shape of a line."""
VOIGT_DOUBLET = SHAPES["voigt"]
ALIGNMENTS = {
    "no_correction": (),
    "displacement": ("sample_displacement",),
    "zero_shift": ("zero_shift",),
    "displacement_and_zero_shift": ("sample_displacement", "zero_shift"),
    "nelson_riley": ("slope",),
}
"""The parameters that each model of the alignment fits in addition to the cell."""
BROADENINGS = {
    "size_and_strain": ("inverse_size", "microstrain"),
    "size_only": ("inverse_size",),
    "strain_only": ("microstrain",),
}
"""The parameters that each model of the line broadening fits; ``inverse_size`` is K·λ/size (radian)."""
INDEXING, SPACINGS, SUPERLATTICE, PUBLISHED_CELL = "indexing", "spacings", "superlattice_lines", "published_cell"
RECIPROCAL_MAP, FRINGES = "reciprocal_map", "thickness_fringes"
MODELS = {
    VOIGT_DOUBLET: "Kα1 and Kα2 lines of Voigt shape with the Gaussian width of the diffractometer",
    SHAPES["pseudo_voigt"]: "Kα1 and Kα2 lines of pseudo-Voigt shape with free widths",
    SHAPES["skewed"]: "Kα1 and Kα2 lines of Voigt shape with free widths, skewed by axial divergence",
    INDEXING: "lines of the published cell or of a phase among all lines that were found",
    SPACINGS: "spacing of each single line that no cell describes",
    **{name: f"all indexed lines, {' and '.join(('the cell', *extra))} fitted" for name, extra in ALIGNMENTS.items()},
    SUPERLATTICE: "lines that a glide plane between layers forbids",
    FRINGES: "period of the fringes of a film beside a strong line",
    RECIPROCAL_MAP: "peaks of a map of reciprocal space",
    PUBLISHED_CELL: "published cells, compared by the positions of 00l lines",
    **{name: f"Williamson–Hall plot, {' and '.join(names)} fitted" for name, names in BROADENINGS.items()},
}
ZERO = "alignment and wavelength"
"""Kind of systematic error."""
INSTRUMENT = "line profile of the diffractometer"
"""Kind of systematic error."""
ENVELOPE = "course of the intensity under the fringes"
"""Kind of systematic error."""
QUANTITIES = (
    TWO_THETA := Quantity("two_theta", "degree", "position of the Kα1 line"),
    AREA := Quantity("area", "count*degree", "area of the Kα1 and Kα2 lines above the background"),
    FWHM := Quantity("fwhm", "degree", "observed full width at half maximum of a line"),
    FWHM_LORENTZIAN := Quantity("fwhm_lorentzian", "degree", "Lorentzian part of the full width at half maximum"),
    ETA := Quantity("eta", "1", "Lorentzian fraction of a pseudo-Voigt line"),
    AXIAL_DIVERGENCE := Quantity("axial_divergence", "rad", "half the height of sample and slit over the radius"),
    AICC,
    INDEX_H := Quantity("index_h", "1", "Miller index h of a line"),
    INDEX_K := Quantity("index_k", "1", "Miller index k of a line"),
    INDEX_L := Quantity("index_l", "1", "Miller index l of a line"),
    INDEXED_LINES := Quantity("indexed_lines", "1", "number of lines that the cell explains"),
    UNINDEXED_LINES := Quantity("unindexed_lines", "1", "number of lines that the cell does not explain"),
    UNINDEXED_AREA_FRACTION := Quantity("unindexed_area_fraction", "1", "fraction of the area in unindexed lines"),
    LATTICE_PARAMETER := Quantity("lattice_parameter", "angstrom", "length of an edge of the cell", ZERO),
    LATTICE_ANGLE := Quantity("lattice_angle", "degree", "angle between two edges of the cell", ZERO),
    SAMPLE_DISPLACEMENT := Quantity("sample_displacement", "mm", "height of the sample above the axis", ZERO),
    ZERO_SHIFT := Quantity("zero_shift", "degree", "zero of the goniometer in 2θ", ZERO),
    SLOPE := Quantity("slope", "angstrom", "slope of c from one line against the Nelson–Riley function", ZERO),
    INTERLAYER_SPACING := Quantity("interlayer_spacing", "angstrom", "edge c divided by the number of layers", ZERO),
    LATTICE_SPACING := Quantity("lattice_spacing", "angstrom", "distance between neighbouring lattice planes", ZERO),
    Q_X := Quantity("q_x", "1/angstrom", "scattering vector of a peak of a map, in the surface", ZERO),
    Q_Z := Quantity("q_z", "1/angstrom", "scattering vector of a peak of a map, along the normal of the surface", ZERO),
    OMEGA := Quantity("omega", "degree", "angle of incidence of a peak of a map", ZERO),
    HEIGHT := Quantity("height", "count", "largest intensity of a peak of a map"),
    CHI_SQUARE := Quantity("chi_square", "1", "sum of the squared, standardized residuals"),
    CHI_SQUARE_FREE := Quantity("chi_square_free_cell", "1", "chi-square of the positions for a cell with free edge c"),
    CHI_SQUARE_PUBLISHED := Quantity(
        "chi_square_published_cell", "1", "chi-square with the published edge c as a datum"
    ),
    DELTA_FREE := Quantity(
        "delta_chi_square_free_cell", "1", "chi-square with free edge c, minus that of the own cell"
    ),
    DELTA_PUBLISHED := Quantity(
        "delta_chi_square_published_cell", "1", "chi-square with the published edge c, minus that of the own cell"
    ),
    LARGEST_POSITION_DIFFERENCE := Quantity(
        "largest_position_difference", "degree", "largest distance between lines of the cell and of the own cell"
    ),
    MICROSTRAIN := Quantity("microstrain", "1", "relative spread of the spacing of lattice planes", INSTRUMENT),
    FILM_THICKNESS := Quantity("film_thickness", "nm", "thickness of a film by the period of its fringes", ENVELOPE),
    CRYSTALLITE_SIZE := Quantity(
        "crystallite_size", "nm", "length over which the crystal is coherent (Scherrer)", INSTRUMENT
    ),
)
INDICES = (INDEX_H, INDEX_K, INDEX_L)
"""Miller indices h, k and l."""
ALIGNMENT = {"c": LATTICE_PARAMETER} | {each.name: each for each in (SAMPLE_DISPLACEMENT, ZERO_SHIFT, SLOPE)}
"""The quantity of each parameter of a fit of the alignment."""
