"""Names and meanings of the numbers of piezoresponse force microscopy.

``feature`` is the state of the bias for loops, and the quantity that is followed for trends over scan cycles.
"""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC, of_polarities

DOMAIN_MEANS, VON_MISES_MIXTURE, VON_MISES_SINGLE = "domain_means", "von_mises_mixture", "von_mises_single"
DOUBLE, SINGLE, NO_SWITCHING = "double", "single", "no_switching"
LINEAR, CONSTANT = "linear", "constant"
MODELS = {
    DOMAIN_MEANS: "means over the pixels inside domains",
    VON_MISES_MIXTURE: "two von Mises distributions in the histogram of the phase",
    VON_MISES_SINGLE: "one von Mises distribution in the histogram of the phase",
    DOUBLE: "two switching steps in each branch of a loop, as in an antiferroelectric",
    SINGLE: "one switching step in each branch of a loop, as in a ferroelectric",
    NO_SWITCHING: "a straight line against the bias, where both branches of a loop agree",
    LINEAR: "a straight line against the number of the scan cycle",
    CONSTANT: "the same value in every scan cycle",
}
ON_FIELD, OFF_FIELD = "on field", "off field"
"""Features of loops that are read while the bias is applied, and after it is removed."""
PHASE_CONTRAST = Quantity("phase_contrast", "degree", "difference of phase between the two kinds of domain")
AMPLITUDE_MEAN = Quantity("amplitude_mean", "pm", "mean amplitude inside domains", uncalibrated=True)
DOMAIN_FRACTION = Quantity("domain_fraction", "1", "fraction of the area of the domains that are ahead in phase")
PHASE_CORRELATION_LENGTH = Quantity("phase_correlation_length", "nm", "correlation length of the phase in domains")
AMPLITUDE_CORRELATION_LENGTH = Quantity(
    "amplitude_correlation_length", "nm", "correlation length of the amplitude in domains"
)
FITTED = {
    quantity.name: quantity
    for quantity in (
        Quantity("saturation_piezoresponse", "pm", "piezoresponse of the fully switched state", uncalibrated=True),
        Quantity("switching_bias_forward", "V", "bias of the step into the polar state, from the imprint"),
        Quantity("switching_bias_backward", "V", "bias of the step back out of the polar state, from the imprint"),
        Quantity("switching_width", "V", "width of the steps: the scale of the hyperbolic tangent"),
        Quantity("imprint", "V", "shift of the loop along the bias"),
        Quantity("offset", "pm", "shift of the loop along the piezoresponse", uncalibrated=True),
        Quantity(
            "electrostatic_slope",
            "pm/V",
            "slope that the electrostatic force adds while the bias is applied",
            uncalibrated=True,
        ),
    )
}
"""The quantity of each parameter of the fit of a loop."""
COERCIVE_BIAS = of_polarities("coercive_bias", "V", "bias of zero piezoresponse on the way to a {} bias")
REMANENT_PIEZORESPONSE = of_polarities(
    "remanent_piezoresponse", "pm", "piezoresponse at zero bias after a {} bias", uncalibrated=True
)
LOOP_AREA = Quantity("loop_area", "pm*V", "area between the branches of a loop", uncalibrated=True)
INTERCEPT = Quantity("intercept", None, "value of the trend at cycle zero, or of the constant, in the unit of the data")
SLOPE = Quantity("slope", None, "change from one scan cycle to the next, in the unit of the data")
SLOPE_P_VALUE = Quantity("slope_p_value", "1", "probability of at least this slope if there is no trend")
QUANTITIES = quantities_of(globals(), AICC)
