"""The entry of second-harmonic generation in the registry of techniques."""

from relaxor.core.lazy import lazy
from relaxor.figures.panel import Panel
from relaxor.techniques.registry import Conditions, Technique
from relaxor.techniques.shg.settings import ShgSettings

TECHNIQUE = Technique.of_folder(
    __package__,
    title="Second-harmonic generation",
    part="characterization",
    settings=ShgSettings,
    panels={"spectra": Panel(lazy(f"{__package__}.panels", "spectra"), needs="spectrum", together="all powers")},
    conditions=Conditions({"power": "mW", "power_uncertainty": "mW", "integration_time": "s", "pump_wavelength": "nm"}),
)
