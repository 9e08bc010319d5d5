"""The registry entry of scanning transmission electron microscopy."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique
from relaxor.techniques.stem.settings import StemSettings


def recognise(contents: Contents) -> float:
    """Return how likely a file is STEM: it holds an image of an intensity and no height or piezoresponse."""
    images = contents.images
    return float(contents.image and "intensity" in images.names and not images.height and not images.piezoresponse)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Scanning transmission electron microscopy",
    part="characterization",
    settings=StemSettings,
    recognise=recognise,
    panels={"haadf": Panel(lazy(f"{__package__}.panels", "haadf"), needs="image", overview=True)},
    propose=lazy(f"{__package__}.proposal", "propose"),
)
