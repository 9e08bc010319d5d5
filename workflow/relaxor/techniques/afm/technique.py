"""The registry entry of atomic force microscopy."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.afm.settings import AfmSettings
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique


def recognise(contents: Contents) -> float:
    """Return how likely a file is AFM: it holds an image of the height and none of the piezoresponse."""
    return 0.9 * (contents.image and contents.images.height and not contents.images.piezoresponse)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Atomic force microscopy",
    part="characterization",
    settings=AfmSettings,
    recognise=recognise,
    panels={"step": Panel(lazy(f"{__package__}.panels", "step"), needs="map", overview=True)},
)
