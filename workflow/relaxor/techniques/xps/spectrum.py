"""One spectrum as fits need it: over binding energy, in numbers that scatter like counts.

What was done to the numbers of the file is said in the remarks, which become part of the method of every number.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.units import convertible, factor
from relaxor.stats.counts import scaled_to_counts
from relaxor.techniques.xps.regions import Region

SURVEY_SPAN = 300.0
"""Least span of a survey (eV)."""
TIME = "counting_time"
ENERGIES = ("binding_energy", "kinetic_energy")
SCANS, CYCLES = "scan", "cycle"
"""Dimensions of repeated scans and of the cycles of a depth profile."""
NEGATIVE = 0.01
"""Share of negative numbers above which a background was subtracted from a spectrum."""
FEWEST = 3
NOISE = "the noise is that between neighbouring points"
"""Remark on spectra whose counts the file does not tell."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One spectrum of a file.

    Attributes
    ----------
    measurement
        The file.
    name
        Name of the region in the file, or of the measurement where the file has none.
    dataset
        The spectrum over ``binding_energy``, with the attributes of the region.
    counts
        Numbers that scatter like counts, shape (n,).
    time
        Counting time per point (s), or the factor between counts and intensities of another unit.
    unit
        Unit of the intensities.
    remarks
        What was done to the numbers of the file.
    assumed
        What was assumed about the energies; empty if nothing was.
    problem
        Why no lines can be fitted; empty if they can.
    at, at_name, at_unit
        Value, name and unit of what was varied from spectrum to spectrum, such as the etch time.
    """

    measurement: Measurement
    name: str
    dataset: xr.Dataset
    counts: np.ndarray
    time: float
    unit: str
    remarks: tuple[str, ...] = ()
    assumed: str = ""
    problem: str = ""
    at: float = math.nan
    at_name: str = ""
    at_unit: str = ""

    @cached_property
    def energy(self) -> np.ndarray:
        """Measured binding energies (eV), in the order of the file."""
        return self.dataset["binding_energy"].to_numpy().astype(float)

    @property
    def is_survey(self) -> bool:
        """Whether it spans more than narrow regions do."""
        return float(np.ptp(self.energy)) > SURVEY_SPAN

    def region(self, low: float, high: float) -> Region:
        """Return the points between two measured energies."""
        return Region.of(self.energy, self.counts, self.time, low, high)

    def covers(self, low: float, high: float) -> float:
        """Return the share of a window that lies within the spectrum."""
        return (min(high, float(self.energy.max())) - max(low, float(self.energy.min()))) / (high - low)


def in_region(measurement: Measurement, name: str, dataset: xr.Dataset, photon_energy: float) -> Iterator[Spectrum]:
    """Yield the spectra of a region; nothing if it holds none."""
    variable = _intensity(dataset)
    if variable is None:
        return
    values = dataset[variable]
    axis = str(values.dims[-1])
    cycled = values.dims[0] == CYCLES and CYCLES in dataset.coords
    if values.ndim > 2 or (values.ndim == 2 and values.dims[0] != SCANS and not cycled):
        return
    spectrum, remarks, assumed = _over_binding_energy(dataset[[variable]], axis, dataset, photon_energy)
    spectrum = spectrum.rename({variable: "intensity"})
    if "transmission" in dataset and dataset["transmission"].dims == (axis,):
        spectrum["transmission"] = ("binding_energy", dataset["transmission"].to_numpy())
    parts: list[tuple[xr.Dataset, dict[str, Any]]] = [(spectrum, {})]
    if cycled:
        unit = str(dataset[CYCLES].attrs.get("units", "1"))
        places = [{"at": float(at), "at_name": CYCLES, "at_unit": unit} for at in dataset[CYCLES].to_numpy()]
        parts = [(spectrum.isel({CYCLES: number}, drop=True), place) for number, place in enumerate(places)]
    elif values.ndim == 2:
        scans = [spectrum.isel({SCANS: number}, drop=True) for number in range(spectrum.sizes[SCANS])]
        parts = [(added(scans), {})]
        remarks += (f"{len(scans)} scans added",) if len(scans) > 1 else ()
    for one, place in parts:
        found = counted(measurement, name, one)
        yield replace(found, remarks=(*remarks, *found.remarks), assumed=assumed, **place)


def _intensity(dataset: xr.Dataset) -> str | None:
    """Return the variable of a region that holds intensities over an energy."""
    along = [
        str(name)
        for name, values in dataset.data_vars.items()
        if values.ndim and values.dims[-1] in ENERGIES and values.sizes[values.dims[-1]] >= FEWEST
        if not str(name).endswith("_uncertainty")
    ]
    return next((name for name in ("intensity", "counts") if name in along), None)


def _over_binding_energy(
    spectrum: xr.Dataset, axis: str, dataset: xr.Dataset, photon_energy: float
) -> tuple[xr.Dataset, tuple[str, ...], str]:
    """Return a spectrum over binding energy, and what was done and assumed for it."""
    bare = spectrum.drop_vars([name for name in spectrum.coords if name not in (axis, CYCLES)])
    if axis == "binding_energy":
        return bare, (), ""
    if "binding_energy" in dataset.coords:
        known = dataset["binding_energy"].to_numpy()
        return bare.assign_coords({axis: known}).rename({axis: "binding_energy"}), (), ""
    stated = dataset.attrs.get("excitation_energy")
    photons = float(stated or photon_energy)
    remark = f"binding energies are {photons:g} eV minus kinetic energies"
    assumed = "" if stated else f"the file does not state the energy of the photons, taken as {photons:g} eV"
    changed = bare.assign_coords({axis: photons - dataset[axis].to_numpy()}).rename({axis: "binding_energy"})
    return changed, (remark,), assumed


def counted(measurement: Measurement, name: str, spectrum: xr.Dataset) -> Spectrum:
    """Return a spectrum in numbers that scatter like counts; counts of a known time as rates."""
    seconds = float(spectrum.attrs.get(TIME) or 0)
    if spectrum["intensity"].attrs.get("units") == "count" and seconds > 0:
        rate = spectrum["intensity"].astype(float) / seconds
        spectrum = spectrum.assign(intensity=rate.assign_attrs(units="count/s"))
    values = spectrum["intensity"].to_numpy().astype(float)
    known = np.isfinite(values) & np.isfinite(spectrum["binding_energy"].to_numpy())
    spectrum, values = spectrum.isel(binding_energy=known), values[known]
    stated = str(spectrum["intensity"].attrs.get("units", "count/s"))
    time, unit = _scale(stated, seconds, values)
    problem = ""
    if values.size < FEWEST:
        problem = f"it has {values.size} points"
    elif np.mean(values < 0) > NEGATIVE:
        problem = "some of its intensities are negative; expected the counts before a background is subtracted"
    elif not time:
        try:
            plain_numbers = xr.Dataset({"intensity": ("binding_energy", values, {"units": "1"})})
            scaled = scaled_to_counts(measurement, plain_numbers, TIME).to_numpy()
            counts = np.maximum(scaled, 0.0)
            return Spectrum(measurement, name, spectrum, counts, float(scaled.max() / values.max()), unit, (NOISE,))
        except AnalysisError:
            problem = "its intensities have no noise; expected what a detector counted"
    counts = np.maximum(np.round(values * (time or 1.0)), 0.0)
    return Spectrum(measurement, name, spectrum, counts, time or 1.0, unit, problem=problem)


def _scale(stated: str, time: float, values: np.ndarray) -> tuple[float, str]:
    """Return the factor between counts and intensities, zero where only their noise tells it, and their unit.

    Counts without a time are taken for what was counted if they are whole numbers; averages of scans are not.
    """
    if stated == "count":
        return float(np.array_equal(values, np.rint(values))), "count"
    if stated != "1" and convertible(stated, "count/s") and "count" in stated:
        return factor(stated, "count/s") * max(time, 0.0), stated
    return 0.0, "1"


def added(scans: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return the sum of counts, or the mean of rates, of scans of one axis and time."""
    first = scans[0]
    unit = first["intensity"].attrs.get("units", "count/s")
    time = [float(scan.attrs.get(TIME) or 0) for scan in scans]
    values = np.array([scan["intensity"].to_numpy() for scan in scans])
    if unit == "count":
        total = values.sum(axis=0)
    else:
        total = np.average(values, axis=0, weights=time if min(time) > 0 else None)
    added = first.copy()
    added["intensity"] = ("binding_energy", total, first["intensity"].attrs)
    return added.assign_attrs({TIME: sum(time)} if min(time) > 0 else {})
