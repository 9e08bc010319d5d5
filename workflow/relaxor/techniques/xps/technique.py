"""The entry of X-ray photoelectron spectroscopy in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique
from relaxor.techniques.xps.settings import XpsSettings


def recognise(contents: Contents) -> float:
    """Recognise a file by the axis of binding or kinetic energy."""
    return float(contents.spectral_axis in ("binding_energy", "kinetic_energy"))


TECHNIQUE = Technique.of_folder(
    __package__,
    title="X-ray photoelectron spectroscopy",
    part="characterization",
    settings=XpsSettings,
    recognise=recognise,
    panels={
        "survey": Panel(lazy(f"{__package__}.panels", "survey")),
        "window": Panel(lazy(f"{__package__}.panels", "window")),
    },
    overview=lazy(f"{__package__}.panels", "overview"),
    propose=lazy(f"{__package__}.proposal", "propose"),
)
