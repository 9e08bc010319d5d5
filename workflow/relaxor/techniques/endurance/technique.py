"""The registry entry of endurance and retention."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.endurance.columns import are_memory
from relaxor.techniques.endurance.quantities import MODELS, QUANTITIES
from relaxor.techniques.endurance.settings import EnduranceSettings
from relaxor.techniques.registry import Technique


def recognise(contents: Contents) -> float:
    """Recognise a table of a resistance, conductance, charge or polarization against cycles or time, at no voltage."""
    return 0.9 * (contents.table and "temperature" not in contents.names and are_memory(contents.regions))


TECHNIQUE = Technique(
    name="endurance",
    title="Endurance and retention",
    part="synapse",
    settings=EnduranceSettings,
    analyse=lazy(f"{__package__}.analysis", "analyse"),
    recognise=recognise,
    models=MODELS,
    quantities=QUANTITIES,
    panels={"memory": Panel(lazy(f"{__package__}.panels", "memory"))},
    overview=lazy(f"{__package__}.panels", "overview"),
)
