"""Scanning transmission electron microscopy, as the registry has it."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique
from relaxor.techniques.stem.settings import StemSettings


def recognise(contents: Contents) -> float:
    """Tell by an image of intensity."""
    other = contents.height or contents.piezoresponse or contents.local_loop
    return float(contents.image and "intensity" in contents.names and not other)


TECHNIQUE = Technique(
    name="stem",
    title="Scanning transmission electron microscopy",
    part="characterization",
    settings=StemSettings,
    analyse=lazy(f"{__package__}.analysis", "analyse"),
    recognise=recognise,
    panels={
        "haadf": Panel(lazy(f"{__package__}.panels", "haadf"), needs="image", overview=True),
    },
    needed_setting="a",
)
