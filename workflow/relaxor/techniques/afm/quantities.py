"""Names and meanings of the numbers of height images; ``feature`` is the place on the image."""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC

PROFILE_LINEAR, PROFILE_QUADRATIC = "profile_linear", "profile_quadratic"
PROFILE_CUBIC, PROFILE_QUARTIC = "profile_cubic", "profile_quartic"
TWO_LEVEL_HISTOGRAM, LEVELLED_MAP = "two_level_histogram", "levelled_map"
MODELS = {
    PROFILE_LINEAR: "a step on a straight line in each profile, around the edge",
    PROFILE_QUADRATIC: "a step on a parabola in each profile, around the edge",
    PROFILE_CUBIC: "a step on a polynomial of degree 3 in each profile, around the edge",
    PROFILE_QUARTIC: "a step on a polynomial of degree 4 in each profile, around the edge",
    TWO_LEVEL_HISTOGRAM: "two Gaussians in the histogram of heights",
    LEVELLED_MAP: "the image after levelling",
}
BACKGROUND = "background of the scanner under the edge"
Z_SCALE = "scale of the scanner along z"
STEP_HEIGHT = Quantity("step_height", "nm", "mean height of the flake above the substrate", Z_SCALE)
NUMBER_OF_LAYERS = Quantity("number_of_layers", "1", "step height divided by the thickness of one layer", Z_SCALE)
STEP_HEIGHT_SPREAD = Quantity("step_height_spread", "nm", "standard deviation of the step heights of single profiles")
ROOT_MEAN_SQUARE_ROUGHNESS = Quantity(
    "root_mean_square_roughness",
    "nm",
    "root mean square of the height about its mean, detector noise included",
    Z_SCALE,
)
CORRELATION_LENGTH = Quantity(
    "correlation_length", "nm", "distance at which the autocorrelation of heights falls to 1/e"
)
QUANTITIES = quantities_of(globals(), AICC)
