"""What the numbers of voltage pulses are called and mean; what they share with light is in `relaxor.synapse`."""

from relaxor.synapse.quantities import (
    POTENTIATION_MODELS,
    POTENTIATION_QUANTITIES,
    RUN_MODELS,
    RUN_QUANTITIES,
    VOLTAGE_STIMULUS,
    energy_models,
)

MODELS = RUN_MODELS | POTENTIATION_MODELS | energy_models(VOLTAGE_STIMULUS)
QUANTITIES = (*RUN_QUANTITIES, *POTENTIATION_QUANTITIES)
