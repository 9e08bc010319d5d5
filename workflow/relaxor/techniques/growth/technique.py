"""The registry entry of crystal growth."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.growth.settings import GrowthSettings
from relaxor.techniques.registry import Technique


def recognise(contents: Contents) -> float:
    """Recognise a file by a temperature against time."""
    logged = "temperature" in contents.names and contents.measured("s")
    return float(contents.table and logged)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="Crystal growth",
    part="characterization",
    settings=GrowthSettings,
    recognise=recognise,
    panels={"profile": Panel(lazy(f"{__package__}.panels", "profile"), needs="run", overview=True)},
)
