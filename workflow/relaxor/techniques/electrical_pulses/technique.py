"""The registry entry of voltage pulses."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.synapse.digested import are_points
from relaxor.techniques.contents import Contents
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings
from relaxor.techniques.registry import Conditions, Technique


def recognise(contents: Contents) -> float:
    """Recognise digested points, or columns of current and voltage, which are more likely to be a sweep."""
    if contents.table and are_points(contents.regions):
        return 1.0
    columns = contents.table and not contents.tester and not contents.under_light
    return 0.5 * (columns and contents.measured("A") and contents.measured("V"))


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Voltage pulses",
    part="synapse",
    settings=ElectricalPulsesSettings,
    recognise=recognise,
    panels={
        "pairs": Panel(lazy("relaxor.synapse.panels", "pairs"), needs="pairs", overview=True),
        "joined_pairs": Panel(
            lazy("relaxor.synapse.panels", "joined_pairs"),
            needs="joined_pairs",
            together="Paired pulses of several files",
        ),
        "cycles": Panel(lazy("relaxor.synapse.panels", "cycles"), needs="cycles", overview=True),
        "series": Panel(lazy("relaxor.synapse.panels", "series"), needs="responses", overview=True),
        "traces": Panel(lazy("relaxor.synapse.panels", "traces"), needs="trace", overview=True),
        "relaxation": Panel(lazy("relaxor.synapse.panels", "relaxation"), needs="tail", overview=True),
    },
    conditions=Conditions(optional={"pulses": "1", "compliance": "A", "interval": "s"}),
    former_names=("pulses",),
)
