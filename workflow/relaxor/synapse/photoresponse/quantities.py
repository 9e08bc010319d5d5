"""Names and meanings of the numbers that only pulses of light have.

``feature`` is the part of the response (``prompt``, or the number of a kind of traps) or the code; ``at`` is the power
density or the wavelength of reference.
"""

from relaxor.core.results import Quantity, quantities_of
from relaxor.stats.quantities import AICC
from relaxor.synapse.quantities import RELAXATION_TIME

# --- the fitted response
PHOTORESPONSE = "photoresponse"
TRAPS = "trap_distribution"
PROMPT = "prompt"
ONE_EXPONENT, OWN_EXPONENT = "one_exponent", "own_exponent_of_prompt"
TWO_KINDS, MANY_KINDS = "two_kinds_of_traps", "distribution_of_traps"
"""The models of the response that are compared, which are features of `AICC`."""
PHOTOCURRENT = Quantity("photocurrent", "A", "prompt current at the power of reference, or current of full traps")
FILLING_RATE = Quantity("filling_rate", "1/s", "rate at which light of the power of reference fills traps")
POWER_EXPONENT = Quantity("power_exponent", "1", "exponent of the power density in filling rates or prompt current")
NOISE_ADDITIVE = Quantity("noise_additive", "A", "standard deviation of a single reading")
NOISE_OF_NEIGHBOURS = Quantity("noise_of_neighbours", "A", "standard deviation of a reading from one to the next")
NOISE_MULTIPLICATIVE = Quantity("noise_multiplicative", "1", "relative deviation of the response from run to run")
DARK_CURRENT = Quantity("dark_current", "A", "mean current in the dark at the beginning of a run")
DARK_CURRENT_SPREAD = Quantity("dark_current_spread", "A", "standard deviation of the dark current from run to run")
DARK_CURRENT_DRIFT = Quantity("dark_current_drift", "A/s", "mean drift of the current in the dark")
FITTED = Quantity("fitted", "1", "0 if the runs of a wavelength do not suffice for a fit of the response")

# --- codes
CODES_MEASURED, CODES_PREDICTED, CODES_COMPARED = "codes_measured", "codes_predicted", "codes_compared"
SERIES_PREDICTED = "series_predicted"
CODE_CURRENT = Quantity("code_current", "A", "current after a code of pulses above the current in the dark")
SMALLEST_GAP = Quantity("smallest_gap", "A", "smallest distance between neighbouring codes")
SMALLEST_GAP_OVER_RANGE = Quantity("smallest_gap_over_range", "1", "smallest gap divided by the range of all codes")
SMALLEST_D_PRIME = Quantity("smallest_d_prime", "1", "smallest gap divided by the spread of both codes")
ERROR_RATE = Quantity("error_rate", "1", "fraction of the read-outs that are assigned to another code")
CHI_SQUARE = Quantity("chi_square", "1", "chi-square of predicted responses")
P_VALUE = Quantity("p_value", "1", "probability of at least this chi-square by chance")
LARGEST_DEVIATION = Quantity("largest_deviation", "A", "largest difference between measured and predicted current")

# --- figures of merit
MERITS = "figures_of_merit"
SCALES_OF_MERITS = "scales of area, current and power density"
RESPONSIVITY = Quantity("responsivity", "A/W", "photocurrent divided by the light on the device", SCALES_OF_MERITS)
QUANTUM_EFFICIENCY = Quantity("quantum_efficiency", "1", "electrons per photon on the device", SCALES_OF_MERITS)
NOISE_DENSITY = Quantity(
    "noise_density_at_signal", "A/Hz^0.5", "noise in the dark at the frequency of the signal", SCALES_OF_MERITS
)
SHOT_NOISE_DENSITY = Quantity("shot_noise_density", "A/Hz^0.5", "shot noise of the dark current", SCALES_OF_MERITS)
NOISE_EQUIVALENT_POWER = Quantity(
    "noise_equivalent_power_at_signal",
    "W/Hz^0.5",
    "light that causes a current as large as the noise at the frequency of the signal",
    SCALES_OF_MERITS,
)
DETECTIVITY = Quantity(
    "detectivity_at_signal",
    "cm*Hz^0.5/W",
    "specific detectivity from the noise that was measured at the frequency of the signal",
    SCALES_OF_MERITS,
)
SHOT_NOISE_DETECTIVITY = Quantity(
    "shot_noise_detectivity", "cm*Hz^0.5/W", "specific detectivity if there were only shot noise", SCALES_OF_MERITS
)
NOISE_OVER_SHOT_NOISE = Quantity(
    "noise_over_shot_noise_at_signal",
    "1",
    "noise at the frequency of the signal divided by shot noise",
    SCALES_OF_MERITS,
)
NOISE_SPECTRUM = Quantity("noise_spectrum", "1", "0 if no run in the dark is suitable for a noise spectrum")

# --- wavelengths
SPECTRAL = "spectral"
RESPONSE_RATIO = Quantity(
    "response_ratio", "1", "response divided by that at the wavelength of reference", "scale of the power meter"
)

LIGHT_MODELS = {
    PHOTORESPONSE: "prompt photocurrent and two kinds of traps, fitted to all runs of a wavelength",
    TRAPS: "distribution of traps, where two kinds miss the data, fitted to all runs of a wavelength",
    CODES_MEASURED: "mean of the repeats of every code",
    CODES_PREDICTED: "codes that the fitted response predicts",
    CODES_COMPARED: "comparison of measured and predicted codes",
    SERIES_PREDICTED: "series that the fitted response of all runs predicts",
    MERITS: "figures of merit of a photodetector",
    SPECTRAL: "responses at several wavelengths",
}
LIGHT_QUANTITIES = quantities_of(globals(), AICC, RELAXATION_TIME)
