"""Names and meanings of the numbers of pulses of light; those shared with voltage are in `relaxor.synapse`."""

from relaxor.synapse.photoresponse.quantities import LIGHT_MODELS, LIGHT_QUANTITIES
from relaxor.synapse.quantities import LIGHT_STIMULUS, RUN_MODELS, RUN_QUANTITIES, energy_models

MODELS = RUN_MODELS | energy_models(LIGHT_STIMULUS) | LIGHT_MODELS
QUANTITIES = tuple(dict.fromkeys((*RUN_QUANTITIES, *LIGHT_QUANTITIES)))
