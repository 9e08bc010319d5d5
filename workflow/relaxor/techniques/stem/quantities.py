"""Names and meanings of the numbers of images of atom columns.

``feature`` is the family of lattice planes, the lattice system, the site of the columns, or the pair of sites that a
ratio compares.
"""

from relaxor.core.results import Quantity, quantities_of

FFT_LATTICE, COLUMN_LATTICE, LATTICE_SYSTEM = "fft_lattice", "column_lattice", "lattice_system"
STRUCTURE, COLUMNS, COLUMN_INTENSITY = "structure", "columns", "column_intensity"
MODELS = {
    FFT_LATTICE: "lattice from the spots of the Fourier transform",
    COLUMN_LATTICE: "lattice from the positions of the atom columns",
    LATTICE_SYSTEM: "lattice of the columns against the nearest lattice of each system",
    STRUCTURE: "comparison of the lattice of the columns with that of the structure",
    COLUMNS: "Gaussians fitted to all columns",
    COLUMN_INTENSITY: "mean intensities of the columns of each site",
}
LENGTH, ANGLE = "size of the pixel and distortion of the scan", "distortion of the scan"
A = Quantity("a", "angstrom", "length of the first lattice vector", LENGTH)
B = Quantity("b", "angstrom", "length of the second lattice vector", LENGTH)
GAMMA = Quantity("gamma", "degree", "angle between the lattice vectors", ANGLE)
A_HEXAGONAL = Quantity("a_hexagonal", "angstrom", "lattice parameter of the nearest hexagonal lattice", LENGTH)
LATTICE_SPACING = Quantity("lattice_spacing", "angstrom", "mean spacing of a family of lattice planes", LENGTH)
EDGE_A = Quantity("edge_a", "angstrom", "first edge of the nearest lattice of the system that is found or set", LENGTH)
EDGE_B = Quantity("edge_b", "angstrom", "second edge of the nearest lattice of the system that is found or set", LENGTH)
DEPARTURE = Quantity("departure", "percent", "strain between the lattice and the nearest one of a system", "strain")
PROBABILITY = Quantity("probability", "1", "probability of a larger departure by scatter and distortion of the scan")
ROTATION = Quantity(
    "rotation", "degree", "angle from the horizontal to the first vector; 0 to 60 if hexagonal, else to 180", ANGLE
)
STRAIN_XX = Quantity("strain_xx", "percent", "elongation along x, equal to the compression along y")
STRAIN_XY = Quantity("strain_xy", "percent", "shear strain in the axes of the image")
RELATIVE_DEVIATION = Quantity(
    "relative_deviation", "percent", "deviation of a length from that of the structure", LENGTH
)
NUMBER_OF_COLUMNS = Quantity("columns", "1", "number of columns")
SCATTER_X = Quantity("scatter_x", "picometer", "root-mean-square distance of columns from their lattice along x")
SCATTER_Y = Quantity("scatter_y", "picometer", "root-mean-square distance of columns from their lattice along y")
FIT_ERROR = Quantity("fit_error", "picometer", "median standard error of the position of a column")
FWHM = Quantity("fwhm", "angstrom", "full width at half maximum of the columns")
INTENSITY_RATIO = Quantity(
    "intensity_ratio", "1", "ratio of the mean intensities of columns", "width and position of the fits"
)
LAYERS = Quantity("layers", "1", "number of layers", "exponent of the atomic number, width and position of the fits")
QUANTITIES = quantities_of(globals())
