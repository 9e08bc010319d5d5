"""The registry entry of crystal growth."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.growth.settings import GrowthSettings
from relaxor.techniques.registry import Technique


def recognise(contents: Contents) -> float:
    """Recognise a file by a temperature against time; a resistance or a field beside it is one of transport."""
    logged = "temperature" in contents.names and contents.measured("s")
    transport = any(contents.measured(unit) for unit in ("ohm", "S", "oersted", "T"))
    return float(contents.table and logged and not transport)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Crystal growth",
    part="characterization",
    settings=GrowthSettings,
    recognise=recognise,
    panels={"profile": Panel(lazy(f"{__package__}.panels", "profile"), needs="run", overview=True)},
)
