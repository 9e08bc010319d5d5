"""The registry entry of ellipsometry."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import Technique

from relaxor_ellipsometry.analysis import MODELS, QUANTITIES, analyse
from relaxor_ellipsometry.settings import EllipsometrySettings


def recognise(contents: Contents) -> float:
    """Recognise a file by the two ellipsometric angles."""
    return float({"psi", "delta"} <= contents.names)


TECHNIQUE = Technique(
    name="ellipsometry",
    title="Ellipsometry",
    part="optics",
    settings=EllipsometrySettings,
    analyse=analyse,
    recognise=recognise,
    models=MODELS,
    quantities=QUANTITIES,
    panels={"dispersion": Panel(lazy("relaxor_ellipsometry.panels", "dispersion"), needs="index", overview=True)},
)
