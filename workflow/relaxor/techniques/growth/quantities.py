"""Names and meanings of the numbers of a growth log."""

from relaxor.core.results import Quantity

SEGMENTS = "segments"
MODELS = {SEGMENTS: "ramp, soak and cooling as one curve of joined segments"}
FITTED = {
    quantity.name: quantity
    for quantity in (
        Quantity("ambient_temperature", "degC", "temperature before the ramp"),
        Quantity("ramp_start", "hour", "beginning of the ramp, from the beginning of the log"),
        Quantity("ramp_rate", "delta_degC/hour", "rate of heating"),
        Quantity("ramp_time", "hour", "duration of the ramp"),
        Quantity("soak_time", "hour", "duration of the soak"),
        Quantity("cooling_time_constant", "hour", "time in which the distance to the last temperature falls to 1/e"),
        Quantity("cooling_ambient", "degC", "temperature to which the furnace cools"),
    )
}
"""The quantity of each parameter of the fit of the whole run."""
SOAK_TEMPERATURE = Quantity("soak_temperature", "degC", "temperature that was held: mean of the readings in the soak")
SOAK_STABILITY = Quantity("soak_stability", "delta_degC", "standard deviation about a straight line in the soak")
SOAK_DRIFT = Quantity("soak_drift", "delta_degC/hour", "slope of a straight line in the soak")
QUANTITIES = (*FITTED.values(), SOAK_TEMPERATURE, SOAK_STABILITY, SOAK_DRIFT)
