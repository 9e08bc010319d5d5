"""The registry entry of piezoresponse force microscopy."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.pfm.settings import PfmSettings
from relaxor.techniques.registry import Conditions, Technique


def _is_local_loop(contents: Contents) -> bool:
    """Return whether a file holds local loops, which belong to no scan cycle."""
    return all("bias" in region for region in contents.regions)


def recognise(contents: Contents) -> float:
    """Return how likely a file is PFM: by a local loop, the mode of an image, or an amplitude beside the height."""
    images = contents.images
    if contents.local_loop or (contents.image and images.piezoresponse):
        return 1.0
    driven = any(name.startswith("amplitude") for name in images.names)
    return 0.5 * (contents.image and images.height and driven and not images.imaging_modes)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Piezoresponse force microscopy",
    part="characterization",
    settings=PfmSettings,
    recognise=recognise,
    panels={
        "phase_cycles": Panel(lazy(f"{__package__}.panels", "phase_cycles"), needs="image", together="phase"),
        "amplitude_cycles": Panel(
            lazy(f"{__package__}.panels", "amplitude_cycles"), needs="image", together="amplitude"
        ),
        "contrast": Panel(lazy(f"{__package__}.panels", "contrast"), needs="trend", together="over the cycles"),
        "local_loop": Panel(lazy(f"{__package__}.panels", "local_loop"), needs="off_field", overview=True),
    },
    conditions=Conditions({"cycle": "1"}, told_by=_is_local_loop),
)
