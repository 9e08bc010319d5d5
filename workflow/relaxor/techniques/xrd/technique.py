"""The entry of X-ray diffraction in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import ComparedSpectrum, Conditions, Technique
from relaxor.techniques.xrd.repeats import repeated
from relaxor.techniques.xrd.settings import XrdSettings


def recognise(contents: Contents) -> float:
    """Recognise a file by the axis of the scattering angle; a structure may have its pattern beside it.

    A reflectivity has fringes and no lines.
    """
    labels = (str(values.attrs.get("long_name", "")) for region in contents.regions for values in region.values())
    reflectivity = any("reflectiv" in label.lower() for label in labels)
    return float(contents.spectral_axis == "two_theta" and contents.format != "cif" and not reflectivity)


TECHNIQUE = Technique.of_folder(
    __package__,
    title="X-ray diffraction",
    part="characterization",
    settings=XrdSettings,
    recognise=recognise,
    single=True,
    joined=lambda contents: repeated(contents.regions, "two_theta"),
    panels={
        "pattern": Panel(lazy(f"{__package__}.panels", "pattern"), needs="pattern", overview=True),
        "reciprocal_map": Panel(lazy(f"{__package__}.panels", "reciprocal_map"), needs="reciprocal_map", overview=True),
    },
    conditions=Conditions(optional={"temperature": ""}),
    compared=ComparedSpectrum("pattern", "two_theta", "intensity", r"2$\theta$ (degree)"),
    propose=lazy(f"{__package__}.proposal", "propose"),
)
