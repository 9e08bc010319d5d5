"""The registry entry of polarization loops."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.hysteresis.device import is_digested, plates
from relaxor.techniques.hysteresis.quantities import OF_FORMS, QUANTITIES
from relaxor.techniques.hysteresis.settings import HysteresisSettings
from relaxor.techniques.registry import Conditions, Technique

SHOWN = tuple(quantity.name for quantity in QUANTITIES if quantity not in OF_FORMS)
"""Parameters whose numbers the panels show."""


def _tells_plates(contents: Contents) -> bool:
    return all(plates(region) or is_digested(region) for region in contents.regions)


def recognise(contents: Contents) -> float:
    """Return how likely a file holds polarization loops: it holds a polarization or a charge, or a tester wrote it."""
    tester = contents.tester and not contents.under_light
    moved = contents.measured("C/m^2") or contents.measured("C")
    polarized = moved and (contents.measured("V") or contents.measured("V/m"))
    return float(contents.table and (tester or polarized))


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Polarization loops",
    part="characterization",
    settings=HysteresisSettings,
    recognise=recognise,
    panels={
        "loop": Panel(lazy(f"{__package__}.panels", "loop"), needs="loop", shows=SHOWN),
        "thin_flakes": Panel(lazy(f"{__package__}.panels", "thin_flakes"), shows=SHOWN),
    },
    conditions=Conditions(
        {"thickness": "nm", "width": "um", "gap": "um", "frequency": "Hz"},
        alternative={"area": "cm^2", "thickness": "nm"},
        optional={"thickness_alternative": "nm"},
        told_by=_tells_plates,
    ),
    overview=lazy(f"{__package__}.panels", "overview"),
)
