"""Scans of one file that repeat each other."""

from collections.abc import Sequence

import xarray as xr

SAME_SETTINGS = ("counting_time", "wavelength_alpha1", "wavelength_ratio", "omega", "chi", "psi", "phi", "x", "y", "z")
"""Attributes of scans that do not differ where a scan was repeated."""


def repeated(regions: Sequence[xr.Dataset], axis: str) -> bool:
    """Return whether several regions are one scan of an axis that was repeated: same places and counting time."""
    if len(regions) < 2 or any("intensity" not in one or one["intensity"].dims != (axis,) for one in regions):
        return False
    first = regions[0]
    return all(
        one[axis].equals(first[axis])
        and one["intensity"].attrs.get("units") == first["intensity"].attrs.get("units")
        and all(one.attrs.get(name) == first.attrs.get(name) for name in SAME_SETTINGS)
        for one in regions[1:]
    )
