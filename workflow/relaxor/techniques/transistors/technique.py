"""The registry entry of transistors."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Conditions, Technique
from relaxor.techniques.transistors.curves import terminals
from relaxor.techniques.transistors.quantities import MODELS, QUANTITIES
from relaxor.techniques.transistors.settings import TransistorsSettings


def recognise(contents: Contents) -> float:
    """Recognise a gate voltage that changes and a drain current."""
    readable = contents.table and not contents.tester and not contents.under_light
    return float(readable and bool(contents.regions) and all(terminals(region) for region in contents.regions))


TECHNIQUE = Technique(
    name="transistors",
    title="Transistors",
    part="synapse",
    settings=TransistorsSettings,
    analyse=lazy(f"{__package__}.analysis", "analyse"),
    recognise=recognise,
    models=MODELS,
    quantities=QUANTITIES,
    panels={"transistor": Panel(lazy(f"{__package__}.panels", "transistor"), overview=True)},
    overview=lazy(f"{__package__}.panels", "overview"),
    conditions=Conditions(optional={"drain_voltage": "V"}),
)
