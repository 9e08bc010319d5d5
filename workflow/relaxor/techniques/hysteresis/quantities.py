"""Names and meanings of the numbers of polarization loops and pulse trains.

``feature`` is the table of a file that holds several loops or trains.
"""

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

CORRECTED, UNCORRECTED = "corrected", "uncorrected"
ALTERNATIVE_THICKNESS = "corrected_alternative_thickness"
CAPACITIVE, OHMIC, OHMIC_CUBIC = "capacitance", "ohmic", "ohmic_cubic"
LOGARITHMIC = "logarithmic"
PUND, PUND_MINUS_LOOP, TESTER = "pund", "pund_minus_loop", "tester"
MODELS = {
    CORRECTED: "loop of the current without the capacitance and the conductance of the device",
    UNCORRECTED: "loop of the whole current",
    ALTERNATIVE_THICKNESS: "corrected loop with another thickness of the device; `at` is this thickness",
    CAPACITIVE: "capacitance as all that is not switching",
    OHMIC: "capacitance and conductance as all that is not switching",
    OHMIC_CUBIC: "capacitance, conductance and a cubic conductance as all that is not switching",
    LOGARITHMIC: "switching fields that change with the logarithm of the frequency",
    PUND: "charge that single pulses of a train move",
    PUND_MINUS_LOOP: "comparison of a pulse train with the corrected loop of the same device",
    TESTER: "polarization as the tester itself derives it",
}

CROSS_SECTION = "cross-section of the device"
DISTANCE = "distance of the electrodes"
VOLUME = "cross-section of the device and distance of the electrodes"

MAXIMUM_POLARIZATION = Quantity("maximum_polarization", "uC/cm^2", "polarization at the largest field", CROSS_SECTION)
REMANENT_POLARIZATION_POSITIVE = Quantity(
    "remanent_polarization_positive", "uC/cm^2", "polarization at zero field after a positive field", CROSS_SECTION
)
REMANENT_POLARIZATION_NEGATIVE = Quantity(
    "remanent_polarization_negative", "uC/cm^2", "polarization at zero field after a negative field", CROSS_SECTION
)
COERCIVE_FIELD_POSITIVE = Quantity(
    "coercive_field_positive", "kV/cm", "field of zero polarization on the rising branch", DISTANCE
)
COERCIVE_FIELD_NEGATIVE = Quantity(
    "coercive_field_negative", "kV/cm", "field of zero polarization on the falling branch", DISTANCE
)
STORED_ENERGY_DENSITY = Quantity(
    "stored_energy_density", "mJ/cm^3", "∫E dP while the magnitude of the field grows, mean of both polarities", VOLUME
)
RECOVERED_ENERGY_DENSITY = Quantity(
    "recovered_energy_density",
    "mJ/cm^3",
    "−∫E dP while the magnitude of the field shrinks, mean of both polarities",
    VOLUME,
)
LOSS_ENERGY_DENSITY = Quantity("loss_energy_density", "mJ/cm^3", "stored less recovered energy density", VOLUME)
EFFICIENCY = Quantity("efficiency", "1", "recovered divided by stored energy density")
FORWARD_SWITCHING_FIELD_POSITIVE = Quantity(
    "forward_switching_field_positive", "kV/cm", "field at which most switches into the positive polar state", DISTANCE
)
BACKWARD_SWITCHING_FIELD_POSITIVE = Quantity(
    "backward_switching_field_positive", "kV/cm", "field at which most leaves the positive polar state", DISTANCE
)
FORWARD_SWITCHING_FIELD_NEGATIVE = Quantity(
    "forward_switching_field_negative", "kV/cm", "field at which most switches into the negative polar state", DISTANCE
)
BACKWARD_SWITCHING_FIELD_NEGATIVE = Quantity(
    "backward_switching_field_negative", "kV/cm", "field at which most leaves the negative polar state", DISTANCE
)
LOOP = (
    MAXIMUM_POLARIZATION,
    REMANENT_POLARIZATION_POSITIVE,
    REMANENT_POLARIZATION_NEGATIVE,
    COERCIVE_FIELD_POSITIVE,
    COERCIVE_FIELD_NEGATIVE,
    STORED_ENERGY_DENSITY,
    RECOVERED_ENERGY_DENSITY,
    LOSS_ENERGY_DENSITY,
    EFFICIENCY,
    FORWARD_SWITCHING_FIELD_POSITIVE,
    BACKWARD_SWITCHING_FIELD_POSITIVE,
    FORWARD_SWITCHING_FIELD_NEGATIVE,
    BACKWARD_SWITCHING_FIELD_NEGATIVE,
)
"""Quantities of a loop, the four switching fields last."""
PER_DECADE = {
    field: Quantity(f"{field.name}_per_decade", "kV/cm", f"change with each decade of frequency of the {field.meaning}")
    for field in LOOP[-4:]
}
"""Switching field → its change with the logarithm of the frequency."""

CAPACITANCE = Quantity("capacitance", "F", "capacitance of the device")
CONDUCTANCE = Quantity("conductance", "S", "linear conductance of the device")
CONDUCTANCE_CUBIC = Quantity("conductance_cubic", "S/V^2", "coefficient of the current with the cube of the voltage")

SWITCHING_POLARIZATION_POSITIVE = Quantity(
    "switching_polarization_positive", "uC/cm^2", "what the first positive pulse (P) moves", CROSS_SECTION
)
NONSWITCHING_POLARIZATION_POSITIVE = Quantity(
    "nonswitching_polarization_positive", "uC/cm^2", "what the second positive pulse (U) moves", CROSS_SECTION
)
SWITCHED_POLARIZATION_DIFFERENCE_POSITIVE = Quantity(
    "switched_polarization_difference_positive", "uC/cm^2", "what P moves less what U moves", CROSS_SECTION
)
SWITCHING_POLARIZATION_NEGATIVE = Quantity(
    "switching_polarization_negative", "uC/cm^2", "what the first negative pulse (N) moves", CROSS_SECTION
)
NONSWITCHING_POLARIZATION_NEGATIVE = Quantity(
    "nonswitching_polarization_negative", "uC/cm^2", "what the second negative pulse (D) moves", CROSS_SECTION
)
SWITCHED_POLARIZATION_DIFFERENCE_NEGATIVE = Quantity(
    "switched_polarization_difference_negative", "uC/cm^2", "what N moves less what D moves", CROSS_SECTION
)
REMANENT_SWITCHED_POLARIZATION = Quantity(
    "remanent_switched_polarization", "uC/cm^2", "what P leaves at its end less what U leaves", CROSS_SECTION
)
LOOP_OPENING = Quantity("loop_opening", "uC/cm^2", "difference of the two remanent polarizations of the loop")
REMANENCE_DIFFERENCE = Quantity(
    "remanence_difference", "uC/cm^2", "remanent switched polarization of the pulses less the opening of the loop"
)
COERCIVE_VOLTAGE_POSITIVE = Quantity("coercive_voltage_positive", "V", "voltage at which P crosses zero polarization")
COERCIVE_VOLTAGE_NEGATIVE = Quantity("coercive_voltage_negative", "V", "voltage at which N crosses zero polarization")

QUANTITIES = (
    *LOOP,
    *PER_DECADE.values(),
    CAPACITANCE,
    CONDUCTANCE,
    CONDUCTANCE_CUBIC,
    AICC,
    SWITCHING_POLARIZATION_POSITIVE,
    NONSWITCHING_POLARIZATION_POSITIVE,
    SWITCHED_POLARIZATION_DIFFERENCE_POSITIVE,
    SWITCHING_POLARIZATION_NEGATIVE,
    NONSWITCHING_POLARIZATION_NEGATIVE,
    SWITCHED_POLARIZATION_DIFFERENCE_NEGATIVE,
    REMANENT_SWITCHED_POLARIZATION,
    LOOP_OPENING,
    REMANENCE_DIFFERENCE,
    COERCIVE_VOLTAGE_POSITIVE,
    COERCIVE_VOLTAGE_NEGATIVE,
)
