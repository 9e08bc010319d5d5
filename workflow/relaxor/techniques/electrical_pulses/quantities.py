"""Names and meanings of the numbers of voltage pulses; those shared with light are in `relaxor.synapse`."""

from relaxor.synapse import quantities as q

MODELS = q.RUN_MODELS | q.POTENTIATION_MODELS | q.energy_models(q.VOLTAGE_STIMULUS)
QUANTITIES = (*q.RUN_QUANTITIES, *q.POTENTIATION_QUANTITIES)
