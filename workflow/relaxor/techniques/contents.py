"""The content of a file that shows which technique measured it."""

from dataclasses import dataclass, replace
from functools import cached_property

import xarray as xr

from relaxor.core.variables import has_dimension
from relaxor.readers.common.schema import FERROELECTRIC_TESTER

SPECTRAL_AXES = ("two_theta", "raman_shift", "binding_energy", "kinetic_energy", "energy", "wavelength")
"""Axes of spectra and patterns; a file with one of them is not a table of readings over time."""


@dataclass(frozen=True)
class Contents:
    """The regions of a file, and the names and units in them.

    Attributes
    ----------
    format
        Name of the format.
    instrument_kind
        Kind of the instrument, if the reader states one.
    regions
        What a reader made of the file, in the order of the file.
    """

    format: str
    instrument_kind: str
    regions: tuple[xr.Dataset, ...]

    @classmethod
    def of(cls, tree: xr.DataTree) -> "Contents":
        """Return the contents of a file that was read."""
        regions = tuple(child.to_dataset() for child in tree.children.values())
        return cls(tree.attrs["format"], tree.attrs.get("instrument_kind", ""), regions)

    @cached_property
    def axes(self) -> frozenset[str]:
        """Names of all coordinates and dimensions."""
        return frozenset(str(axis) for region in self.regions for axis in (*region.coords, *region.dims))

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all variables along the axes."""
        return frozenset(str(name) for region in self.regions for name in region.data_vars)

    @property
    def spectral_axis(self) -> str:
        """The first of `SPECTRAL_AXES` that the file has; empty if it has none."""
        return next((axis for axis in SPECTRAL_AXES if axis in self.axes), "")

    @cached_property
    def images(self) -> "Contents":
        """The regions that are images: with a variable along y and x."""
        found = (one for one in self.regions if any(values.dims[-2:] == ("y", "x") for values in one.values()))
        return replace(self, regions=tuple(found))

    @property
    def image(self) -> bool:
        """Whether it holds an image, and neither a spectrum nor a local loop."""
        return bool(self.images.regions) and not self.spectral_axis and not self.local_loop

    @property
    def local_loop(self) -> bool:
        """Whether it holds the piezoresponse under a tip against the bias."""
        return not self.spectral_axis and {"bias", "amplitude"} <= self.names

    @property
    def table(self) -> bool:
        """Whether it holds columns of readings: neither spectrum, image, structure nor local loop."""
        return not (self.spectral_axis or self.images.regions or self.local_loop or self.format == "cif")

    @property
    def height(self) -> bool:
        """Whether a variable is a height, as scanning probe microscopes name it."""
        return any(name.startswith(("height", "z_sensor")) for name in self.names)

    @cached_property
    def imaging_modes(self) -> frozenset[str]:
        """Names of the modes of the images of a scanning probe microscope, in small letters, without empty names."""
        modes = (str(region.attrs.get("imaging_mode", "")).lower() for region in self.regions)
        return frozenset(filter(None, modes))

    @property
    def piezoresponse(self) -> bool:
        """Whether the microscope states that it recorded the piezoresponse (``PFM`` of Asylum Research)."""
        return any(mode.startswith("pfm") for mode in self.imaging_modes)

    @property
    def tester(self) -> bool:
        """Whether a tester of ferroelectrics wrote it, or any instrument that knows the area of its sample."""
        return self.instrument_kind == FERROELECTRIC_TESTER or ("area" in self.names and self.measured("A"))

    @property
    def under_light(self) -> bool:
        """Whether it holds currents under light."""
        return self.measured("A") and self.measured("mW/cm^2")

    def measured(self, unit: str) -> bool:
        """Return whether a variable or coordinate has a unit of this dimension."""
        return any(has_dimension(values, unit) for region in self.regions for values in region.variables.values())
