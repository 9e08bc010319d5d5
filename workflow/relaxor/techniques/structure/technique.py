"""The entry of crystal structures in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique
from relaxor.techniques.structure.quantities import MODELS, QUANTITIES
from relaxor.techniques.structure.settings import StructureSettings


def recognise(contents: Contents) -> float:
    """Recognise a file by its format."""
    return float(contents.format == "cif")


TECHNIQUE = Technique(
    name="structure",
    title="Crystal structure",
    part="characterization",
    settings=StructureSettings,
    analyse=lazy(f"{__package__}.analysis", "analyse"),
    recognise=recognise,
    models=MODELS,
    quantities=QUANTITIES,
    panels={
        "views": Panel(lazy(f"{__package__}.panels", "views"), needs="atoms", overview=True),
    },
    simulate=lazy("relaxor.simulation.structure", "simulate"),
)
