"""Capacitors of parallel plates, as ferroelectric testers describe them."""

from dataclasses import dataclass

import xarray as xr

from relaxor.core.units import factor


@dataclass(frozen=True)
class Capacitor:
    """A capacitor: polarization is charge per area of the plates, and the field is voltage per distance.

    Attributes
    ----------
    area
        Area of the plates, cm².
    thickness
        Distance of the plates, nm.
    """

    area: float
    thickness: float

    @property
    def field_per_volt(self) -> float:
        """Field of one volt, kV/cm."""
        return 1e4 / self.thickness

    def relative_errors(self, thickness: float, width: float, gap: float) -> tuple[float, float]:
        """Return the relative errors of area and field; testers state no error of the area, and plates have no gap."""
        return 0.0, thickness / self.thickness


def plates(region: xr.Dataset) -> Capacitor | None:
    """Return the capacitor that the file of a tester states, or None where it states none."""
    attrs = region.attrs
    if {"area", "thickness"} <= attrs.keys():
        area, thickness = (attrs[name] * factor(attrs[f"{name}_units"], unit) for name, unit in PLATES.items())
    elif {"sample_area_cm2", "sample_thickness_um"} <= attrs.keys():
        area, thickness = attrs["sample_area_cm2"], attrs["sample_thickness_um"] * factor("um", "nm")
    else:
        return None
    return Capacitor(float(area), float(thickness)) if area > 0 and thickness > 0 else None


PLATES = {"area": "cm^2", "thickness": "nm"}
"""Property of the plates that the sheet or the file states → its unit in `Capacitor`."""
