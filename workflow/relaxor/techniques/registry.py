"""The techniques: which module analyses each, and what the sheet must tell of a file that the file does not."""

from collections.abc import Collection, Mapping

MODULES = {
    "structure": "relaxor.techniques.structure.analysis",
    "growth": "relaxor.techniques.growth.analysis",
    "xrd": "relaxor.techniques.xrd.analysis",
    "raman": "relaxor.techniques.raman.analysis",
    "xps": "relaxor.techniques.xps.analysis",
    "shg": "relaxor.techniques.shg.analysis",
    "hysteresis": "relaxor.techniques.hysteresis.analysis",
    "edx": "relaxor.techniques.edx.analysis",
    "afm": "relaxor.techniques.afm.analysis",
    "pfm": "relaxor.techniques.pfm.analysis",
    "stem": "relaxor.techniques.stem.analysis",
    "sweeps": "relaxor.techniques.iv_sweeps.analysis",
    "pulses": "relaxor.techniques.electrical_pulses.analysis",
    "light": "relaxor.techniques.optical_pulses.analysis",
}
"""Technique → the module whose ``analyse`` does it."""
TECHNIQUES = tuple(MODULES)
OTHER = "other"
"""The technique of a file that is drawn as it is: nothing analyses it."""
CONDITIONS = {
    "shg": {"power": "mW", "power_uncertainty": "mW", "integration_time": "s", "pump_wavelength": "nm"},
    "hysteresis": {"thickness": "nm", "width": "um", "gap": "um", "frequency": "Hz"},
    "edx": {"beam_energy": "keV"},
    "pfm": {"cycle": "1"},
    "light": {"wavelength": "nm", "area": "cm^2"},
}
"""Technique → conditions that its analysis cannot do without, with the unit in which they are usual."""
INSTEAD = {"hysteresis": {"area": "cm^2", "thickness": "nm"}}
"""Technique → conditions that stand for all of these together: the plates of a capacitor."""
OPTIONAL = {
    "xrd": {"temperature": ""},
    "raman": {"power": "", "wavelength": "", "temperature": ""},
    "hysteresis": {"thickness_alternative": "nm"},
    "sweeps": {"read_voltage": "V"},
    "pulses": {"pulses": "1", "compliance": "A"},
    "light": {"pulses": "1", "compliance": "A"},
}
"""Technique → conditions that its analysis heeds where they are given; without a unit: only noted, in whatever unit."""


def known_conditions(technique: str) -> dict[str, str]:
    """Return every condition that is known to a technique: name → unit in which it is usual."""
    return {name: unit for each in (CONDITIONS, INSTEAD, OPTIONAL) for name, unit in each.get(technique, {}).items()}


def missing_conditions(technique: str, needed: Mapping[str, str], given: Collection[str]) -> dict[str, str]:
    """Return the conditions that are still to be given: name → unit.

    Parameters
    ----------
    needed
        Those that the analysis of the file cannot do without, name → unit; none if the file tells them.
    given
        Names that the sheet gives. One that only `INSTEAD` has says that `INSTEAD` holds.
    """
    others = INSTEAD.get(technique, {})
    wanted = others if needed and (others.keys() - needed.keys()) & set(given) else needed
    return {name: unit for name, unit in wanted.items() if name not in given}
