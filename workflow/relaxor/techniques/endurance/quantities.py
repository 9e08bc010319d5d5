"""Names and meanings of the numbers of endurance and retention.

``feature`` is the column of the file, or ``window`` for the ratio of both states; ``at`` is the cycle or the time.
"""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC

ENDURANCE, POWER_LAW, EXPONENTIAL, STRETCHED = "endurance", "power_law", "exponential", "stretched"
MODELS = {
    ENDURANCE: "window between two states against the number of cycles",
    POWER_LAW: "loss by a power of the time",
    EXPONENTIAL: "exponential loss",
    STRETCHED: "loss of a free shape: between a power of the time and an exponential, or levelling off",
}
FIRST = Quantity("first_value", None, "value of a column, or ratio of both states, at the first cycle")
LARGEST = Quantity("largest_value", None, "largest value of a column, or ratio of both states")
LAST = Quantity("last_value", None, "value of a column, or ratio of both states, at the last cycle")
ENDURED_CYCLES = Quantity("endured_cycles", "1", "cycles until only a part of the first window is left")
EXPONENT = Quantity("loss_exponent", "1", "exponent of the time by which the value is lost, negative if it grows")
LOSS_TIME = Quantity("loss_time", "s", "time in which the value falls to 1/e, negative if it grows")
SHAPE = Quantity(
    "loss_shape",
    "1",
    "0 of a power of the time, 1 of an exponential, between of a stretched one, below 0 it levels off",
)
EXTRAPOLATED = Quantity("extrapolated", None, "value that the law states for the time `at`")
QUANTITIES = quantities_of(globals(), AICC)
