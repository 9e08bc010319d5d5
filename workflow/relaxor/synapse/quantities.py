"""Names and meanings of the numbers of pulses, both for pulses of voltage and for pulses of light.

``feature`` is the number of an exponential, a branch, or an end of a range; ``at`` is the value of the quantity
that a series of runs varies.
"""

from dataclasses import dataclass

from relaxor.core.results import Quantity
from relaxor.stats.quantities import AICC

# --- pulses of a file
EVENTS = "events"
PULSES_FOUND = Quantity("pulses", "1", "pulses that were found in the file")
PULSES_DROPPED = Quantity("pulses_dropped", "1", "pulses that could not be used")
READINGS_REPLACED = Quantity("readings_replaced", "1", "single outlying currents that were replaced")
ANALYSED = Quantity("analysed", "1", "0 if no number comes from the pulses of the file")
RUN_VARIATION = Quantity("run_variation", "1", "relative standard deviation of the response from run to run")

# --- series of runs
PAIRS, CYCLES = "pairs", "cycles"
AMPLITUDE_SERIES, WIDTH_SERIES, PULSES_SERIES, FREQUENCY_SERIES = "amplitude", "width", "pulses", "frequency"
SHORTEST, LONGEST = "shortest", "longest"
PAIRED_PULSE_INDEX = Quantity("paired_pulse_index", "percent", "second response of a pulse pair divided by the first")
PAIRED_PULSE_GAIN = Quantity("paired_pulse_gain", "percent", "excess of the second response over the first one")
RESPONSE = Quantity("response", "A", "current of the last pulse of a run above the current before its first pulse")
EXPONENT = Quantity("exponent", "1", "mean slope of the response on logarithmic axes")
RETAINED_FRACTION = Quantity("retained_fraction", "1", "fraction of the response that remains at the end of the run")

# --- laws of relaxation
RELAXATION = "relaxation"
FLOOR = Quantity("floor", None, "final value of a law of relaxation")
DRIFT = Quantity("drift", None, "slope of the straight line that is added to the exponentials")
AMPLITUDE = Quantity("amplitude", None, "value of an exponential at its beginning")
RELAXATION_TIME = Quantity("relaxation_time", "s", "time in which an exponential falls to 1/e")
STRETCHING_EXPONENT = Quantity("stretching_exponent", "1", "exponent of the time in a stretched exponential")
IDENTIFIABLE = Quantity("identifiable", "1", "1 if the data distinguish the exponentials of the law, otherwise 0")
LAW_QUANTITIES = (FLOOR, DRIFT, AMPLITUDE, RELAXATION_TIME, STRETCHING_EXPONENT)
BOOTSTRAP_ERRORS = {
    quantity.name: Quantity(
        f"bootstrap_error_of_{quantity.name}", quantity.unit, f"bootstrap standard error of: {quantity.meaning}"
    )
    for quantity in LAW_QUANTITIES
}
"""Name of a parameter of a law → quantity of its bootstrap error."""
LAW_MODELS = {
    "single_exponential": "one exponential above a floor",
    "double_exponential": "two exponentials above a floor",
    "triple_exponential": "three exponentials above a floor",
    "stretched_exponential": "one stretched exponential above a floor",
    "double_exponential_drift": "two exponentials above a straight line",
}

# --- potentiation and depression
POTENTIATION, DEPRESSION = "potentiation", "depression"
MINIMUM, MAXIMUM = "minimum", "maximum"
MINIMUM_CONDUCTANCE = Quantity("minimum_conductance", "S", "conductance at the lower end of the law")
MAXIMUM_CONDUCTANCE = Quantity("maximum_conductance", "S", "conductance at the upper end of the law")
CURVATURE = Quantity("curvature", "1", "number of pulses divided by the pulse constant; 0 if all steps are equal")
PULSE_CONSTANT = Quantity("pulse_constant", "1", "number of pulses in which a step of the law falls to 1/e")
NONLINEARITY = Quantity("nonlinearity", "1", "label of nonlinearity in the convention of NeuroSim")
TRANSIENT_CYCLES = Quantity("transient_cycles", "1", "number of initial cycles that are left out")
ON_OFF_RATIO = Quantity("on_off_ratio", "1", "mean state after potentiation divided by that after depression")
DYNAMIC_RANGE = Quantity("dynamic_range", "S", "mean state after potentiation minus that after depression")
ASYMMETRY = Quantity("asymmetry", "1", "largest distance between both branches, relative to the range")
CYCLE_TO_CYCLE_VARIATION = Quantity(
    "cycle_to_cycle_variation", "1", "standard deviation of a state over the cycles, relative to the range"
)
WRITE_NOISE = Quantity("write_noise", "1", "standard deviation of steps from the law, relative to the range")
CONDUCTANCE_DRIFT = Quantity("conductance_drift", "S", "change of an end state from one cycle to the next")
POTENTIATION_MODELS = {
    POTENTIATION: "law of NeuroSim, fitted to the mean potentiation",
    DEPRESSION: "law of NeuroSim, fitted to the mean depression",
    CYCLES: "potentiation and depression over all cycles together",
}
POTENTIATION_QUANTITIES = (
    *(MINIMUM_CONDUCTANCE, MAXIMUM_CONDUCTANCE, CURVATURE, PULSE_CONSTANT, NONLINEARITY, TRANSIENT_CYCLES),
    *(ON_OFF_RATIO, DYNAMIC_RANGE, ASYMMETRY, CYCLE_TO_CYCLE_VARIATION, WRITE_NOISE, CONDUCTANCE_DRIFT),
)

# --- energy per spike
ENERGY_PER_SPIKE = Quantity(
    "energy_per_spike", "pJ", "mean energy of a spike", "scale of the current, or of light and area"
)
ENERGY_PER_CURRENT = Quantity("energy_per_current", "pJ/pA", "energy of a spike over the current that it is made of")
ENERGY_PER_AREA = Quantity("energy_per_area", "pJ/um^2", "energy of a spike over the area that it falls on")
VOLTAGE_STIMULUS, LIGHT_STIMULUS = "V", "mW/cm^2"
"""Units of the stimulus of pulses, for voltage and for light."""


@dataclass(frozen=True)
class Definition:
    """One definition of the energy of a spike.

    Attributes
    ----------
    formula
        Formula as text, where V, I and t are the voltage across the device, the current and the width of the pulse.
    source
        DOI, code, or ``textbook``.
    lever
        Energy divided by the quantity that stays unknown when the energy is known: the current or the area.
    stimuli
        Units of the stimuli to which the definition applies.
    """

    formula: str
    source: str
    lever: Quantity = ENERGY_PER_CURRENT
    stimuli: tuple[str, ...] = (VOLTAGE_STIMULUS, LIGHT_STIMULUS)

    @property
    def method(self) -> str:
        """Formula and source."""
        return f"{self.formula}; {self.source}"


DEFINITIONS = {
    "peak_power": Definition("V·I_peak·t", "textbook"),
    "mean_power": Definition("V·I_mean·t", "textbook"),
    "integral": Definition("∫V·I dt over the pulse", "textbook (Joule heat)"),
    "excess": Definition("V·(I_mean − I_baseline)·t", "textbook (Joule heat of the response alone)"),
    "read": Definition("V_read·I_read·t_read", "textbook"),
    "write_conductance": Definition(
        "V²·(G_before + G_after)/2·t, G = I/V_read", "NeuroSim (Cell.cpp), IEDM 2017", stimuli=(VOLTAGE_STIMULUS,)
    ),
    "optical_absorbed": Definition(
        "P·A·t, all light on the area absorbed",
        "doi 10.1038/s41377-022-01031-z",
        ENERGY_PER_AREA,
        (LIGHT_STIMULUS,),
    ),
}
"""Model of an energy per spike → its definition."""

# --- what both techniques write
RUN_MODELS = {
    EVENTS: "pulses of the file, and how many of them were used",
    PAIRS: "pairs of equal pulses at several intervals",
    AMPLITUDE_SERIES: "trains of pulses that differ in their level",
    WIDTH_SERIES: "pulses that differ in their width",
    PULSES_SERIES: "trains that differ in the number of pulses",
    FREQUENCY_SERIES: "trains that differ in the rate of their pulses",
    RELAXATION: "comparison of the laws of the relaxation after a train",
    **LAW_MODELS,
    "single_exponential_fixed_floor": "one exponential above a known floor",
    "double_exponential_fixed_floor": "two exponentials above a known floor",
    "stretched_exponential_fixed_floor": "one stretched exponential above a known floor",
}
RUN_QUANTITIES = (
    *(PULSES_FOUND, PULSES_DROPPED, READINGS_REPLACED, RUN_VARIATION, ANALYSED),
    *(PAIRED_PULSE_INDEX, PAIRED_PULSE_GAIN, RESPONSE, EXPONENT, RETAINED_FRACTION),
    *(*LAW_QUANTITIES, *BOOTSTRAP_ERRORS.values(), AICC, IDENTIFIABLE),
    *(ENERGY_PER_SPIKE, ENERGY_PER_CURRENT, ENERGY_PER_AREA),
)


def energy_models(stimulus: str) -> dict[str, str]:
    """Return the definitions of the energy for a stimulus of this unit, by the name of the model."""
    return {name: definition.method for name, definition in DEFINITIONS.items() if stimulus in definition.stimuli}
