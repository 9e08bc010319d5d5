"""The registry entry of Raman spectroscopy."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.raman.settings import RamanSettings
from relaxor.techniques.registry import ComparedSpectrum, Conditions, Technique


def recognise(contents: Contents) -> float:
    """Recognise a file by the axis of the Raman shift."""
    return float(contents.spectral_axis == "raman_shift")


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Raman spectroscopy",
    part="characterization",
    settings=RamanSettings,
    recognise=recognise,
    single=True,
    parallel=True,
    panels={
        "spectrum": Panel(lazy(f"{__package__}.panels", "spectrum"), needs="spectrum"),
        "maps": Panel(lazy(f"{__package__}.panels", "maps"), needs="map"),
    },
    overview=lazy(f"{__package__}.panels", "overview"),
    conditions=Conditions(optional={"power": "", "wavelength": "", "temperature": ""}),
    compared=ComparedSpectrum("spectrum", "raman_shift", "data", "Raman shift (cm$^{-1}$)"),
)
