"""A capacitor of parallel plates, as a ferroelectric tester knows it."""

from dataclasses import dataclass

import xarray as xr

from relaxor.core.units import factor


@dataclass(frozen=True)
class Capacitor:
    """Polarization is charge per area of the plates, field is voltage per distance.

    Attributes
    ----------
    area
        cm².
    thickness
        Distance of the plates, nm.
    """

    area: float
    thickness: float

    @property
    def field_per_volt(self) -> float:
        """kV/cm per V."""
        return 1e4 / self.thickness

    def relative_errors(self, thickness: float, width: float, gap: float) -> tuple[float, float]:
        """Return those of area and field: the plates have no width and gap, and testers give the area without one."""
        return 0.0, thickness / self.thickness


def plates(region: xr.Dataset) -> Capacitor | None:
    """Return the capacitor that the tester was told of, or None if the file does not say."""
    attrs = region.attrs
    if {"area", "thickness"} <= attrs.keys():
        area, thickness = (attrs[name] * factor(attrs[f"{name}_units"], unit) for name, unit in PLATES.items())
    elif {"sample_area_cm2", "sample_thickness_um"} <= attrs.keys():
        area, thickness = attrs["sample_area_cm2"], attrs["sample_thickness_um"] * factor("um", "nm")
    else:
        return None
    return Capacitor(float(area), float(thickness)) if area > 0 and thickness > 0 else None


PLATES = {"area": "cm^2", "thickness": "nm"}
"""What the sheet or the file says of the plates, and its unit here."""
