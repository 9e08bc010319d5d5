"""Which technique a file belongs to, told from what is in it, and what the sheet must tell of it besides."""

import xarray as xr

from relaxor.core.units import factor
from relaxor.techniques.hysteresis.capacitor import plates
from relaxor.techniques.registry import CONDITIONS

AXES = {
    "two_theta": "xrd",
    "raman_shift": "raman",
    "binding_energy": "xps",
    "kinetic_energy": "xps",
    "energy": "edx",
}
"""Axis → technique that alone has it. A wavelength tells nothing: luminescence has it as second harmonics do."""
PIEZORESPONSE = "pfm"
"""What an Asylum microscope calls its mode, in small letters, when it records the piezoresponse."""
TESTERS = ("aixacct", "radiant_vision")
"""Formats of ferroelectric testers."""


def techniques_of(tree: xr.DataTree) -> tuple[str, ...]:
    """Name the techniques that a file may belong to, the likeliest first; none where nothing in it tells.

    Parameters
    ----------
    tree
        What a reader made of the file.
    """
    regions = [child.to_dataset() for child in tree.children.values()]
    axes = {str(axis) for region in regions for axis in (*region.coords, *region.dims)}
    names = {str(name) for region in regions for name in region.data_vars}
    if tree.attrs["format"] == "cif":
        return ("structure",)
    for axis, technique in AXES.items():
        if axis in axes:
            return (technique,)
    if "bias" in names and "amplitude" in names:
        return ("pfm",)
    images = [region for region in regions if any(values.dims[-2:] == ("y", "x") for values in region.values())]
    if images:
        return _of_image(images)
    return _of_columns(tree.attrs["format"], regions, names)


def _of_image(regions: list[xr.Dataset]) -> tuple[str, ...]:
    names = {str(name) for region in regions for name in region.data_vars}
    modes = [str(region.attrs.get("imaging_mode", "")).lower() for region in regions]
    if any(mode.startswith(PIEZORESPONSE) for mode in modes):
        return ("pfm",)
    if any(name.startswith(("height", "z_sensor")) for name in names):
        driven = any(name.startswith("amplitude") for name in names) and not any(modes)
        return ("afm", "pfm") if driven else ("afm",)
    return ("stem",) if "intensity" in names else ()


def _of_columns(kind: str, regions: list[xr.Dataset], names: set[str]) -> tuple[str, ...]:
    def measured(unit: str) -> bool:
        return any(_is(values, unit) for region in regions for values in region.variables.values())

    if "temperature" in names and measured("s"):
        return ("growth",)
    if measured("A") and measured("mW/cm^2"):
        return ("light",)
    if kind in TESTERS or ("area" in names and measured("A")):  # a tester knows the area of its sample
        swept = kind in TESTERS and measured("A") and not any("pulse" in region.dims for region in regions)
        return ("hysteresis", "sweeps") if swept else ("hysteresis",)  # reversal curves are no loop
    return ("sweeps", "pulses") if measured("A") and measured("V") else ()


def _is(values: xr.Variable, unit: str) -> bool:
    try:
        return factor(values.attrs.get("units", "1"), unit) > 0
    except ValueError:
        return False


def conditions_needed(technique: str, tree: xr.DataTree) -> dict[str, str]:
    """Return the conditions that the analysis of a file needs from the sheet: name → unit."""
    regions = [child.to_dataset() for child in tree.children.values()]
    known = {
        "edx": all("beam_voltage_kV" in region.attrs for region in regions),
        "hysteresis": all(plates(region) for region in regions),
        "pfm": all("bias" in region for region in regions),  # a local loop belongs to no scan cycle
    }
    return {} if known.get(technique) else CONDITIONS.get(technique, {})
