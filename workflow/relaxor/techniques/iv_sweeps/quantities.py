"""Names and meanings of the numbers of voltage sweeps.

``feature`` is the number of the cycle, the polarity of the peaks that a law of growth follows or at which a device is
set or reset (``at`` is then the number of the cycle), or the branch to which a law of conduction is fitted.
"""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC, of_polarities

CYCLE, CYCLES, SATURATION, LINE = "cycle", "cycles", "saturation", "line"
SWITCHING, DISTRIBUTION = "switching", "switching_distribution"
OHMIC, SPACE_CHARGE_LIMITED, POWER_LAW = "ohmic", "space_charge_limited", "power_law"
SCHOTTKY, POOLE_FRENKEL, FOWLER_NORDHEIM = "schottky", "poole_frenkel", "fowler_nordheim"
MODELS = {
    CYCLE: "one cycle",
    CYCLES: "all cycles to the same voltages: readings of the last one, growth of the peaks, mean loop areas",
    SATURATION: "peak currents that approach a last value exponentially",
    LINE: "peak currents on a straight line",
    SWITCHING: "set, reset and both states of one cycle",
    DISTRIBUTION: "the same over all cycles: median and standard deviation",
    OHMIC: "I ∝ V",
    SPACE_CHARGE_LIMITED: "I ∝ V², the law of Mott and Gurney without traps",
    POWER_LAW: "I ∝ V to the power of a free exponent, as with traps",
    SCHOTTKY: "ln I ∝ √V, Schottky emission",
    POOLE_FRENKEL: "ln(I/V) ∝ √V, Poole–Frenkel emission",
    FOWLER_NORDHEIM: "ln(I/V²) ∝ −1/V, Fowler–Nordheim tunnelling",
}
SCALE = "scale of the current"
PEAK_CURRENT = of_polarities("peak_current", "A", "current at the extreme {} voltage", SCALE)
LARGEST_CURRENT = of_polarities(
    "largest_current", "A", "current of the largest magnitude at {} voltages, wherever it is reached", SCALE
)
VOLTAGE_OF_LARGEST = of_polarities("voltage_of_largest_current", "V", "voltage of the largest current at {} voltages")
LOOP_AREA = of_polarities("loop_area", "A*V", "loop area at {} voltages, above zero if the current lags", SCALE)
PEAK_GROWTH = of_polarities("peak_growth", "A", "last minus first peak current at {} voltages", SCALE)
RELATIVE_GROWTH = of_polarities("relative_growth", "1", "growth of the peak current at {} voltages over the first one")
SYMMETRY = Quantity("symmetry", "1", "magnitude of the positive peak current divided by that of the negative one")
RECTIFICATION_RATIO = Quantity("rectification_ratio", "1", "ratio of the currents at plus and minus the read voltage")
RESISTANCE = Quantity("resistance", "ohm", "read voltage divided by the current at it", SCALE)
CAPACITANCE = Quantity("capacitance", "F", "capacitance of a device whose current takes up no energy", SCALE)
CLIPPED_POINTS = Quantity("clipped_points", "1", "points whose current is limited by the compliance")
REPLACED_POINTS = Quantity(
    "replaced_points", "1", "points whose current was an outlier and is the mean of its neighbours"
)
LOST_POINTS = Quantity("lost_points", "1", "points without a current")
NUMBER_OF_CYCLES = Quantity("cycles", "1", "cycles in the file")
CYCLES_LEFT_OUT = Quantity("cycles_left_out", "1", "cycles that go to other voltages than most cycles")
GROWTH = {
    "floor": Quantity("saturation_current", "A", "peak current after very many cycles", SCALE),
    "amplitude": Quantity("amplitude", "A", "distance of the first peak current from the last value", SCALE),
    "tau": Quantity("growth_cycles", "1", "number of cycles in which the distance from the last value falls to 1/e"),
}
"""The quantity of each parameter of the law of growth that saturates."""
GROWTH_PER_CYCLE = Quantity("growth_per_cycle", "A", "slope of the peak current against the cycle", SCALE)
CONDUCTANCE = Quantity("conductance", "S", "current divided by voltage")
COEFFICIENT = Quantity("coefficient", "A/V^2", "current divided by the square of the voltage")
CURRENT = Quantity("current", "A", "current of the law at the voltage `at`")
EXPONENT = Quantity("exponent", "1", "exponent of the voltage")
PREFACTOR = Quantity("prefactor", None, "factor before the exponential function")
SLOPE_AGAINST_ROOT = Quantity("slope_against_root_voltage", "V^-0.5", "slope of the logarithm of the law against √V")
SLOPE_AGAINST_INVERSE = Quantity("slope_against_inverse_voltage", "V", "slope of the logarithm of the law against −1/V")
PERMITTIVITY = Quantity("relative_permittivity", "1", "relative permittivity that the slope of an emission law states")
BARRIER = Quantity("barrier", "eV", "barrier that the slope of the tunnelling law states, for the free electron's mass")
AICC_DIFFERENCE = Quantity(
    "aicc_difference", "1", "Akaike's criterion minus that of the best law of the branch that is possible"
)
INDEPENDENT_POINTS = Quantity(
    "independent_points", "1", "points of the branch over the number of neighbouring residuals that deviate together"
)
SET_VOLTAGE = Quantity("set_voltage", "V", "voltage at which the device is set, that is carries more current after it")
RESET_VOLTAGE = Quantity(
    "reset_voltage", "V", "voltage at which the reset begins: that of the largest current before it"
)
ON_RESISTANCE = Quantity("on_resistance", "ohm", "small read voltage divided by the current of the on state", SCALE)
OFF_RESISTANCE = Quantity("off_resistance", "ohm", "small read voltage divided by the current of the off state", SCALE)
ON_OFF_RATIO = Quantity("on_off_ratio", "1", "current of the on state over that of the off state at a small voltage")
NOT_SWITCHED = Quantity("cycles_without_switching", "1", "cycles without a set or reset voltage")
OF_SWITCHING = (SET_VOLTAGE, RESET_VOLTAGE, ON_RESISTANCE, OFF_RESISTANCE, ON_OFF_RATIO)
"""Numbers of one cycle of a device that switches."""
SPREAD = {
    quantity.name: Quantity(
        f"spread_of_{quantity.name}", quantity.unit, f"standard deviation over the cycles of: {quantity.meaning}"
    )
    for quantity in OF_SWITCHING
}
"""Name of a number of one cycle → quantity of its scatter over the cycles."""
OF_LAWS = (
    *(CONDUCTANCE, COEFFICIENT, CURRENT, EXPONENT, PREFACTOR),
    *(SLOPE_AGAINST_ROOT, SLOPE_AGAINST_INVERSE, PERMITTIVITY, BARRIER),
)
"""Constants of the laws of conduction."""
WEIGHTS, GAP = "weights of the points", "distance of the electrodes"
QUANTITIES = quantities_of(globals(), AICC)
