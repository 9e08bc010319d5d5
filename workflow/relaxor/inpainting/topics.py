"""The inpainting of letters and the chip that does it, as topics of the results."""

from collections.abc import Mapping
from functools import cache

from relaxor.core.lazy import lazy
from relaxor.crossbar.quantities import WRITE_ACCURACY
from relaxor.figures.panel import Panel
from relaxor.inpainting.quantities import (
    CROSSBAR_MODELS,
    CROSSBAR_QUANTITIES,
    INPAINTING_MODELS,
    INPAINTING_QUANTITIES,
    PAIRED,
)
from relaxor.techniques.registry import Topic, techniques

SHOWN = {"distances": (PAIRED.name,), "breakdown": (PAIRED.name,), "read_back": (WRITE_ACCURACY.name,)}
"""Parameters whose numbers panels show; the others show pictures."""
_NETWORKS, _CHIP = "relaxor.inpainting.panels", "relaxor.inpainting.chip_panels"

INPAINTING = Topic(
    name="inpainting",
    title="Letters restored behind the device",
    part="inpainting",
    models=INPAINTING_MODELS,
    quantities=INPAINTING_QUANTITIES,
    panels={
        name: Panel(lazy(_NETWORKS, name), shows=SHOWN.get(name, ()))
        for name in (
            "generator", "discriminator", "weights", "letters", "distances", "reconstruction", "adversaries"
        )
    },
)  # fmt: skip
CROSSBAR = Topic(
    name="crossbar",
    title="Letters restored by the memristor chip",
    part="crossbar",
    models=CROSSBAR_MODELS,
    quantities=CROSSBAR_QUANTITIES,
    panels={
        name: Panel(lazy(_CHIP, name), shows=SHOWN.get(name, ()))
        for name in ("arrays", "read_back", "letters", "distances", "breakdown")
    },
)


@cache
def topics() -> Mapping[str, Topic]:
    """Return all topics of the results by name: the techniques, the inpainting and the chip."""
    return {**techniques(), INPAINTING.name: INPAINTING, CROSSBAR.name: CROSSBAR}
