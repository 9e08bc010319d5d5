"""The entry of crystal structures in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique
from relaxor.techniques.structure.settings import StructureSettings


def recognise(contents: Contents) -> float:
    """Recognise a file by its format."""
    return float(contents.format == "cif")


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Crystal structure",
    part="characterization",
    settings=StructureSettings,
    recognise=recognise,
    panels={"views": Panel(lazy(f"{__package__}.panels", "views"), needs="atoms", overview=True)},
)
