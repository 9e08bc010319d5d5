"""The registry entry of pulses of light."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.optical_pulses.settings import OpticalPulsesSettings
from relaxor.techniques.registry import Conditions, Technique


def recognise(contents: Contents) -> float:
    """Recognise a file by columns of a current and of a power density."""
    return float(contents.table and contents.under_light)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Pulses of light",
    part="synapse",
    settings=OpticalPulsesSettings,
    recognise=recognise,
    panels={
        "pairs": Panel(lazy("relaxor.synapse.panels", "pairs"), needs="pairs", overview=True),
        "codes": Panel(lazy(f"{__package__}.panels", "currents"), needs="codes", overview=True),
        "experiment": Panel(lazy(f"{__package__}.panels", "experiment")),
        "series": Panel(lazy("relaxor.synapse.panels", "series"), needs="responses", overview=True),
        "noise": Panel(lazy("relaxor.synapse.panels", "noise"), needs="noise_spectrum", overview=True),
        "traces": Panel(lazy("relaxor.synapse.panels", "traces"), needs="trace", overview=True),
        "relaxation": Panel(lazy("relaxor.synapse.panels", "relaxation"), needs="tail", overview=True),
        "colours": Panel(lazy("relaxor.synapse.panels", "colours")),
    },
    conditions=Conditions({"wavelength": "nm", "area": "cm^2"}, optional={"pulses": "1", "compliance": "A"}),
    former_names=("light",),
)
