"""Maps and series of spectra: their spectra one by one, their places, and the maps of what is fitted to each."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.ndimage import median_filter

from relaxor.core.results import Measurement, Number
from relaxor.core.variables import variable
from relaxor.stats.noise import MAD_TO_SIGMA
from relaxor.techniques.raman import quantities as q

AXIS = "raman_shift"
VARIED = ("x_index", "time", "elapsed_time", "x", "y", "z", "power", "temperature")
"""What varies along the spectra of a series that has only their numbers as an axis."""
MOST_REPEATS = 20
"""Largest number of spectra without places that may be repeats of one."""
DIFFERENT, CERTAIN = 0.1, 6.0
"""Difference from the median spectrum, as a part of its range and in standard errors, that repeats do not have."""
NARROW, WIDE = 5, 25
"""Pixels of the running median under which most cosmic rays vanish, and of that of the noise; as many pixels in several
spectra, or in one, are no cosmic ray."""
MAPPED = (q.RAMAN_SHIFT, q.AREA, q.FWHM_LORENTZIAN)
"""Quantities of each line of which there are maps."""
MOST_SPECTRA = 20_000
"""Largest number of spectra of a map or series that are fitted."""


@dataclass(frozen=True)
class Series:
    """The spectra of a map or series.

    Attributes
    ----------
    region
        The spectra, with the Raman shift as the last axis.
    places
        One coordinate along each other axis; its own name is that of the axis.
    """

    region: xr.Dataset
    places: dict[str, xr.Variable]

    @classmethod
    def of(cls, region: xr.Dataset) -> "Series | None":
        """Return the series that a region holds; None if it holds one spectrum, or repeats of one.

        Spectra whose places the file does not give are repeats if they are few and alike; otherwise they are a series
        in the order in which they were taken.
        """
        if "intensity" not in region or AXIS not in region["intensity"].dims:
            return None
        others = [str(dim) for dim in region["intensity"].dims if dim != AXIS]
        if not others:
            return None
        placed = any(name in region.variables for name in VARIED)
        if others == ["spectrum"] and not placed and alike(region["intensity"].transpose("spectrum", AXIS).values):
            return None
        if {"x_index", "y_index"} <= set(map(str, region.variables)) and others == ["spectrum"]:
            gridded = region.set_index(spectrum=["y_index", "x_index"]).unstack("spectrum")
            region, others = gridded.rename(x_index="x", y_index="y"), ["y", "x"]
        region = region.transpose(*others, AXIS, missing_dims="ignore")
        return cls(region, {dim: _places(region, dim, others) for dim in others})

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of spectra along each axis."""
        return tuple(place.size for place in self.places.values())

    @property
    def size(self) -> int:
        """Number of spectra."""
        return int(np.prod(self.shape))

    @property
    def in_words(self) -> str:
        """The number of spectra along each axis, in words."""
        return f"{self.size} spectra ({' × '.join(f'{dim} {place.size}' for dim, place in self.places.items())})"

    def each(self, measurement: Measurement) -> Iterator[Measurement]:
        """Yield measurements of the single spectra, row by row."""
        for values in self.region["intensity"].values.reshape(self.size, -1):
            yield self._single(measurement, values)

    def mean(self, measurement: Measurement, kept: Sequence[bool]) -> Measurement:
        """Return a measurement of the mean of the spectra that are kept, or of the first if none is."""
        flat = self.region["intensity"].values.reshape(self.size, -1)
        return self._single(measurement, flat[np.asarray(kept)].mean(axis=0) if any(kept) else flat[0])

    def _single(self, measurement: Measurement, values: np.ndarray) -> Measurement:
        intensity = variable(AXIS, values, **{"units": "1", "long_name": "intensity", **self.region["intensity"].attrs})
        spectrum = xr.Dataset({"intensity": intensity}, {AXIS: self.region[AXIS]}, self.region.attrs)
        conditions = {name: value for name, value in measurement.conditions.items() if name != "scan"}
        return replace(measurement, conditions=conditions, regions={"spectrum": spectrum})

    def at(self, rows: Sequence[Number], number: int) -> list[Number]:
        """Return rows of a spectrum with its place, or with its number, from 1, if the series has two axes."""
        value, unit = float(number + 1), "1"
        if len(self.places) == 1:
            (place,) = self.places.values()
            value, unit = float(place.values[number]), place.attrs["units"]
        return [replace(row, at=value, at_unit=unit) for row in rows]

    def maps(self, lines: Sequence[str]) -> "Maps":
        """Return maps of the quantities of each line over the axes of the series, which are empty yet."""
        values = {quantity.name: np.full((2, len(lines), self.size), np.nan) for quantity in MAPPED}
        return Maps(self.places, tuple(lines), values)


@dataclass(frozen=True)
class Maps:
    """Maps of `MAPPED`.

    Attributes
    ----------
    places
        One coordinate along each axis.
    lines
        Names of the lines.
    values
        Values and standard errors by the name of the quantity, shape (2, lines, spectra); NaN where a line is not seen.
    """

    places: dict[str, xr.Variable]
    lines: tuple[str, ...]
    values: dict[str, np.ndarray]

    def note(self, rows: Sequence[Number], number: int) -> None:
        """Write the numbers of a spectrum into the maps."""
        for row in rows:
            if row.parameter in self.values:
                self.values[row.parameter][:, self.lines.index(row.feature), number] = row.value, row.standard_error

    def dataset(self) -> xr.Dataset:
        """Return all maps."""
        dims = ("line", *self.places)
        shape = (len(self.lines), *(place.size for place in self.places.values()))
        variables = {}
        for quantity in MAPPED:
            value, error = self.values[quantity.name].reshape(2, *shape)
            unit = quantity.known_unit
            variables[quantity.name] = variable(dims, value, unit, quantity.meaning)
            variables[f"{quantity.name}_error"] = variable(dims, error, unit, f"standard error: {quantity.meaning}")
        return xr.Dataset(variables, {"line": ("line", list(self.lines)), **self.places})


def is_constant(spectrum: np.ndarray) -> bool:
    """Return whether a spectrum has one value everywhere, as outside a scan, or holds what is no number."""
    return not np.isfinite(spectrum).all() or not np.ptp(spectrum)


def alike(spectra: np.ndarray) -> bool:
    """Return whether spectra, shape (number, n), are few and differ by no more than noise and cosmic rays."""
    if len(spectra) > MOST_REPEATS:
        return False
    if len(spectra) < 2 or not np.isfinite(spectra).all():
        return True
    middle = np.median(spectra, axis=0)
    left = spectra - middle
    smooth = np.abs(median_filter(left, (1, NARROW)))
    bends = np.abs(np.diff(left, 2, axis=1, prepend=left[:, :1], append=left[:, -1:]))
    noise = MAD_TO_SIGMA / math.sqrt(6) * median_filter(bends, (1, WIDE))
    error = np.maximum(noise, 1e-12 * np.abs(middle).max()) * math.sqrt(np.pi / 2 / NARROW)
    apart = (smooth > DIFFERENT * np.ptp(median_filter(middle, NARROW))) & (smooth > CERTAIN * error)
    # A cosmic ray is narrow, and in one spectrum of several.
    shared = (apart.sum(axis=0) > 1).sum() if len(spectra) > 2 else 0
    return bool(shared < NARROW and apart.sum(axis=1).max() < WIDE)


def _places(region: xr.Dataset, dim: str, dims: Sequence[str]) -> xr.Variable:
    """Return the places along an axis of a series: positions on the sample, otherwise its coordinate or numbers."""
    positions = [region[f"{name}_position"] for name in "xy" if f"{name}_position" in region]
    if len(dims) == 1 and len(positions) == 2:
        steps = np.hypot(*(np.diff(each.values) for each in positions))
        return variable(dim, np.concatenate([[0], np.cumsum(steps)]), positions[0].attrs["units"], "distance")
    if f"{dim}_position" in region:
        position = region[f"{dim}_position"]
        along = position.mean([other for other in position.dims if other != dim])
        return variable(dim, along.values, position.attrs["units"], f"position {dim}")
    known = region[dim] if dim in region.coords else None
    for name in () if known is not None else VARIED:
        if name in region.variables and region[name].dims == (dim,):
            known = region[name]
            break
    if known is None:
        name = "number of the spectrum" if dim == "spectrum" else f"number along {dim}"
        return variable(dim, np.arange(1, region.sizes[dim] + 1), "1", name)
    name = known.attrs.get("long_name", str(known.name).replace("_", " "))
    values, unit = known.values.astype(float), known.attrs.get("units", "1")
    if unit == "m":  # places on a sample are written in µm
        values, unit = np.round(1e6 * values, 6), "um"
    return variable(dim, values, unit, name)
