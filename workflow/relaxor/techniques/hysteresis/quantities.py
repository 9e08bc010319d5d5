"""Names and meanings of the numbers of polarization loops and pulse trains.

``feature`` is the table of a file that holds several loops or trains. The pulses of a train are P and U, of positive
sign, and N and D, of negative sign; P and N switch.
"""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC, of_polarities

CORRECTED, LEAKAGE_REMOVED, UNCORRECTED = "corrected", "leakage_removed", "uncorrected"
ALTERNATIVE_THICKNESS = "corrected_alternative_thickness"
CAPACITIVE, OHMIC, OHMIC_CUBIC, OHMIC_SQUARE = "capacitance", "ohmic", "ohmic_cubic", "ohmic_square"
ASYMMETRIC, TUNABLE, REVERSIBLE = "asymmetric_leakage", "tunable_capacitance", "reversible"
LOGARITHMIC = "logarithmic"
PUND, PUND_MINUS_LOOP, TESTER = "pund", "pund_minus_loop", "tester"
MODELS = {
    CORRECTED: "switching part: loop of the current without the capacitance and the leakage of the device",
    LEAKAGE_REMOVED: "loop of the charge without leakage, with the dielectric, as in the literature on energy storage",
    UNCORRECTED: "loop of the whole current",
    ALTERNATIVE_THICKNESS: "corrected loop with another thickness of the device; `at` is this thickness",
    CAPACITIVE: "capacitance as all that is not switching",
    OHMIC: "capacitance and conductance as all that is not switching",
    OHMIC_CUBIC: "capacitance, conductance and a cubic conductance as all that is not switching",
    OHMIC_SQUARE: "capacitance, conductance and a space-charge current as all that is not switching",
    ASYMMETRIC: "as ohmic_cubic, with a leakage that differs between the polarities",
    TUNABLE: "as ohmic_cubic, with a capacitance that falls with the voltage by Johnson's law",
    REVERSIBLE: "leakage alone; the polarization is the same on both branches (slim loop)",
    LOGARITHMIC: "switching fields that change with the logarithm of the frequency",
    PUND: "charge that single pulses of a train move",
    PUND_MINUS_LOOP: "comparison of a pulse train with the corrected loop of the same device",
    TESTER: "polarization as the tester itself derives it",
}
SATURATED_PART, FORM = "saturated part of the loop", "form of the leakage inside the loop"
BASELINE = "baseline of the current of pulses"
UNEQUAL_PULSES = "equality of pulses that are subtracted from each other"
CROSS_SECTION, DISTANCE = "cross-section of the device", "distance of the electrodes"
VOLUME = "cross-section of the device and distance of the electrodes"

MAXIMUM_POLARIZATION = Quantity("maximum_polarization", "uC/cm^2", "polarization at the largest field", CROSS_SECTION)
REMANENT_POLARIZATION = of_polarities(
    "remanent_polarization", "uC/cm^2", "polarization at zero field after a {} field", CROSS_SECTION
)
COERCIVE_FIELD = of_polarities("coercive_field", "kV/cm", "field of zero P on the way to a {} field", DISTANCE)
STORED_ENERGY_DENSITY = Quantity(
    "stored_energy_density", "mJ/cm^3", "∫E dD while loading, mean of polarities; D includes the dielectric", VOLUME
)
RECOVERABLE_ENERGY_DENSITY = Quantity(
    "recoverable_energy_density",
    "mJ/cm^3",
    "−∫E dD while unloading, mean of polarities; D includes the dielectric",
    VOLUME,
)
EFFICIENCY = Quantity("efficiency", "1", "recoverable divided by stored energy density")
CYCLE_LOSS_ENERGY_DENSITY = Quantity(
    "cycle_loss_energy_density", "mJ/cm^3", "∮E dD over the whole cycle, both polarities", VOLUME
)
OF_SWITCHING = {
    STORED_ENERGY_DENSITY: Quantity(
        "switching_stored_energy_density", "mJ/cm^3", "∫E dP of the switching part alone while loading", VOLUME
    ),
    RECOVERABLE_ENERGY_DENSITY: Quantity(
        "switching_recovered_energy_density", "mJ/cm^3", "−∫E dP of the switching part alone while unloading", VOLUME
    ),
    EFFICIENCY: Quantity(
        "switching_efficiency", "1", "recovered divided by stored energy density of the switching part"
    ),
}
"""The energies of the switching part alone, which have other names, because the dielectric takes no part in them."""
FORWARD_SWITCHING_FIELD = of_polarities(
    "forward_switching_field", "kV/cm", "field of the strongest switching into the {} polar state", DISTANCE
)
BACKWARD_SWITCHING_FIELD = of_polarities(
    "backward_switching_field", "kV/cm", "field of the strongest switching out of the {} polar state", DISTANCE
)
PER_DECADE = {
    field: Quantity(f"{field.name}_per_decade", "kV/cm", f"change with each decade of frequency of the {field.meaning}")
    for polarity in ("positive", "negative")
    for field in (FORWARD_SWITCHING_FIELD[polarity], BACKWARD_SWITCHING_FIELD[polarity])
}
"""The change of each switching field with the logarithm of the frequency."""
CAPACITANCE = Quantity("capacitance", "F", "capacitance of the device")
CONDUCTANCE = Quantity("conductance", "S", "linear conductance of the device")
CONDUCTANCE_CUBIC = Quantity("conductance_cubic", "S/V^2", "coefficient of the cube of the voltage in the current")
CONDUCTANCE_SQUARE = Quantity("conductance_square", "S/V", "coefficient of V|V| in the current, as of space charge")
CONDUCTANCE_EVEN = Quantity("conductance_even", "S/V", "coefficient of V² in the current, opposite for the polarities")
TUNING_VOLTAGE = Quantity("tuning_voltage", "V", "voltage at which the capacitance has fallen to 2^(-1/3)")
OF_FORMS = (CONDUCTANCE_CUBIC, CONDUCTANCE_SQUARE, CONDUCTANCE_EVEN, TUNING_VOLTAGE)
"""Coefficients that only some forms of the background have; a form that another one replaces leaves its own behind."""
RELATIVE_PERMITTIVITY = Quantity(
    "relative_permittivity", "1", "slope of the charge per area against the field of a linear loop, over ε0", VOLUME
)
LINEAR = (CAPACITANCE, RELATIVE_PERMITTIVITY)
"""The numbers of a linear loop."""

SWITCHING_POLARIZATION = of_polarities(
    "switching_polarization", "uC/cm^2", "polarization that the first {} pulse moves", CROSS_SECTION
)
NONSWITCHING_POLARIZATION = of_polarities(
    "nonswitching_polarization", "uC/cm^2", "polarization that the second {} pulse moves", CROSS_SECTION
)
SWITCHED_POLARIZATION_DIFFERENCE = of_polarities(
    "switched_polarization_difference",
    "uC/cm^2",
    "polarization of the first {} pulse minus that of the second",
    CROSS_SECTION,
)
REMANENT_SWITCHED_POLARIZATION = Quantity(
    "remanent_switched_polarization", "uC/cm^2", "remanent polarization after pulse P minus that after U", CROSS_SECTION
)
LOOP_OPENING = Quantity("loop_opening", "uC/cm^2", "difference of the two remanent polarizations of the loop")
REMANENCE_DIFFERENCE = Quantity(
    "remanence_difference", "uC/cm^2", "remanent switched polarization of the pulses minus the opening of the loop"
)
COERCIVE_VOLTAGE = of_polarities("coercive_voltage", "V", "voltage of zero polarization in the first {} pulse")
QUANTITIES = quantities_of(globals(), AICC)
