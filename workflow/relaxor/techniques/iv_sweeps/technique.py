"""The registry entry of current–voltage sweeps."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.readers.common.schema import FERROELECTRIC_TESTER
from relaxor.techniques.contents import Contents
from relaxor.techniques.endurance.columns import are_memory
from relaxor.techniques.iv_sweeps.quantities import OF_SWITCHING, PEAK_CURRENT
from relaxor.techniques.iv_sweeps.settings import IvSweepsSettings
from relaxor.techniques.registry import Conditions, Technique
from relaxor.techniques.transistors.curves import terminals

SHOWN = tuple(quantity.name for quantity in PEAK_CURRENT.values())
"""Parameters whose numbers the panels show."""
SWITCHED = tuple(quantity.name for quantity in OF_SWITCHING)
"""The same of the panels of switching."""


def recognise(contents: Contents) -> float:
    """Return how likely a file holds sweeps: by columns of current and voltage, or by the kind of a tester's file."""
    flows = contents.measured("A") or contents.measured("A/m^2")
    if not contents.table or contents.under_light or not flows:
        return 0.0
    if contents.tester:  # reversal curves are no loops, and pulses are no sweeps
        return 0.5 * (
            contents.instrument_kind == FERROELECTRIC_TESTER
            and not any("pulse" in region.dims for region in contents.regions)
        )
    if are_memory(contents.regions):  # one row a cycle, beside the voltages of set and reset
        return 0.0
    gated = any(terminals(region) for region in contents.regions)  # curves of a transistor
    return float(contents.measured("V")) * (0.9 if gated else 1.0)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Current–voltage sweeps",
    part="synapse",
    settings=IvSweepsSettings,
    recognise=recognise,
    panels={
        "cycles": Panel(lazy(f"{__package__}.panels", "cycles"), needs="summary", overview=True, shows=SHOWN),
        "switching": Panel(
            lazy(f"{__package__}.panels", "switching"), needs="switching", overview=True, shows=SWITCHED
        ),
        "distribution": Panel(lazy(f"{__package__}.panels", "distribution"), needs="switching", shows=SWITCHED),
        "amplitudes": Panel(lazy(f"{__package__}.panels", "amplitudes"), shows=SHOWN),
    },
    overview=lazy(f"{__package__}.panels", "overview"),
    conditions=Conditions(optional={"gap": "um", "temperature": "K", "area": "cm^2"}),
    former_names=("sweeps",),
)
