"""The entry of energy-dispersive X-ray spectroscopy in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.edx.settings import EdxSettings
from relaxor.techniques.registry import ComparedSpectrum, Conditions, Technique


def _tells_beam(contents: Contents) -> bool:
    return all("beam_voltage_kV" in region.attrs for region in contents.regions)


def recognise(contents: Contents) -> float:
    """Recognise a file by the axis of energy."""
    return float(contents.spectral_axis == "energy")


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Energy-dispersive X-ray spectroscopy",
    part="characterization",
    settings=EdxSettings,
    recognise=recognise,
    single=True,
    panels={"spectrum": Panel(lazy(f"{__package__}.panels", "spectrum"), needs="spectrum", overview=True)},
    conditions=Conditions(
        {"beam_energy": "keV"}, optional={"take_off_angle": "deg", "mass_thickness": "g/cm^2"}, told_by=_tells_beam
    ),
    needed_setting="elements",
    compared=ComparedSpectrum("spectrum", "energy", "data", "Energy (keV)"),
    propose=lazy(f"{__package__}.proposal", "propose"),
)
