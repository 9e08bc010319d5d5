"""Names and meanings of the numbers of transistors.

``at`` is the drain voltage of a transfer curve, or the gate voltage of an output curve; ``feature`` is the direction of
the sweep, with its number where there are several.
"""

from relaxor.core.results import Quantity, quantities_of

TRANSFER, OUTPUT = "transfer", "output"
MODELS = {TRANSFER: "drain current against the gate voltage", OUTPUT: "drain current against the drain voltage"}
SCALE = "scale of the current"
THRESHOLD = Quantity("threshold_voltage", "V", "gate voltage at which the channel opens, as `method` says")
THRESHOLD_BY_Y = Quantity(
    "threshold_voltage_y", "V", "gate voltage at which drain current over the root of the transconductance meets zero"
)
NEUTRALITY = Quantity("charge_neutrality_voltage", "V", "gate voltage of the smallest current of an ambipolar channel")
TRANSCONDUCTANCE = Quantity("transconductance", "S", "largest slope of drain current against gate voltage", SCALE)
ON_CURRENT = Quantity("on_current", "A", "drain current of the largest magnitude", SCALE)
OFF_CURRENT = Quantity("off_current", "A", "drain current of the smallest magnitude, median of three points", SCALE)
ON_OFF_RATIO = Quantity("on_off_ratio", "1", "on current divided by off current")
ON_RESISTANCE = Quantity("on_resistance", "ohm", "drain voltage divided by the drain current, as `method` says", SCALE)
GATE_LEAKAGE = Quantity("gate_leakage", "A", "largest magnitude of the gate current", SCALE)
QUANTITIES = quantities_of(globals())
