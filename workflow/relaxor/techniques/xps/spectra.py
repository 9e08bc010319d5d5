"""The spectra of a file as fits need them: over binding energy, in numbers that scatter like counts.

Scans of one axis that a file holds apart are added, unless something that was varied tells them apart, as the etch time
of a depth profile does. What was done is said in the remarks, which become part of the method of every number.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

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
PLACES = ("sample", "group")
"""Attributes of regions that were measured at different places or times."""
UNNAMED = ("spectrum", "table", "spectra")
"""Names that readers give to the only part of a file, which say nothing of what it holds."""
SAME_STEP = 0.01
"""Largest difference of two axes that count as equal, in steps."""
COVERED = 0.6
"""Least share of a window that a region of another name covers."""
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


def spectra_of(measurement: Measurement, photon_energy: float) -> list[Spectrum]:
    """Return the spectra of a file.

    Parameters
    ----------
    measurement
        The file.
    photon_energy
        Energy of the photons (eV) where the file does not state it, which turns kinetic into binding energies.
    """
    found: list[Spectrum] = []
    for name, dataset in measurement.regions.items():
        label = measurement.id if name in UNNAMED and len(measurement.regions) == 1 else name
        found += _spectra(measurement, label, dataset, photon_energy)
    return _by_place(_told_apart(found))


def by_window(spectra: Sequence[Spectrum], limits: Mapping[str, tuple[float, float]]) -> dict[str, Spectrum]:
    """Return the spectrum of each window: the region of its name, otherwise the narrowest that covers it.

    Of regions of one name, that with the most points is taken. Windows without a spectrum are left out.
    """
    found: dict[str, Spectrum] = {}
    for window, (low, high) in limits.items():
        within = [each for each in spectra if each.covers(low, high) > 0]
        named = [each for each in within if each.name == window]
        if not re.search(r"_\d+$", window):
            named = [each for each in within if plain(window) in (plain(each.name), plain(_region(each)))] or named
            named.sort(key=lambda each: -np.count_nonzero((each.energy >= low) & (each.energy <= high)))
        covering = [each for each in within if not each.is_survey and each.covers(low, high) >= COVERED]
        covering.sort(key=lambda each: float(np.ptp(each.energy)))
        if chosen := [*named, *covering][:1]:
            found[window] = chosen[0]
    return found


def plain(name: str) -> str:
    """Return a name in small letters, without blanks and the word for a scan: ``c1s`` of ``C 1s Scan``."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\bscan\b", "", name.lower()))


# --- one region of a file
def _spectra(measurement: Measurement, name: str, dataset: xr.Dataset, photon_energy: float) -> Iterator[Spectrum]:
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
    if cycled:
        unit = str(dataset[CYCLES].attrs.get("units", "1"))
        for number, at in enumerate(dataset[CYCLES].to_numpy().astype(float)):
            one = spectrum.isel({CYCLES: number}, drop=True)
            counted = _counted(measurement, name, one)
            remarked = replace(counted, remarks=(*remarks, *counted.remarks), assumed=assumed)
            yield replace(remarked, at=float(at), at_name=CYCLES, at_unit=unit)
        return
    if values.ndim == 2:
        scans = spectrum.sizes[SCANS]
        one = _added([spectrum.isel({SCANS: number}, drop=True) for number in range(scans)])
        remarks += (f"{scans} scans added",) if scans > 1 else ()
        spectrum = one
    found = _counted(measurement, name, spectrum)
    yield replace(found, remarks=(*remarks, *found.remarks), assumed=assumed)


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


def _counted(measurement: Measurement, name: str, spectrum: xr.Dataset) -> Spectrum:
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


# --- spectra of one axis
def _told_apart(spectra: Sequence[Spectrum]) -> list[Spectrum]:
    """Return spectra of which those of one region and axis are added, or told apart by what was varied."""
    groups: list[list[Spectrum]] = []
    for spectrum in spectra:
        alike = next((group for group in groups if _alike(group[0], spectrum)), None)
        if alike is None:
            groups.append([spectrum])
        else:
            alike.append(spectrum)
    found: list[Spectrum] = []
    for group in groups:
        if len(group) == 1 or math.isfinite(group[0].at):
            found += group
        elif varied := _varied(group):
            unit = str(group[0].dataset.attrs[f"{varied}_units"])
            for each in group:
                at = float(each.dataset.attrs[varied])
                found.append(replace(each, name=group[0].name, at=at, at_name=varied, at_unit=unit))
        else:
            found.append(_sum(group))
    return found


def _by_place(spectra: Sequence[Spectrum]) -> list[Spectrum]:
    """Return spectra of which those of several samples or groups, with regions of one name, are told apart by these."""
    for key in PLACES:
        places = list(dict.fromkeys(str(each.dataset.attrs.get(key, "")) for each in spectra))
        regions = [{_region(each) for each in spectra if each.dataset.attrs.get(key, "") == place} for place in places]
        if len(set.union(set(), *regions)) == sum(map(len, regions)) or any(math.isfinite(each.at) for each in spectra):
            continue
        found = []
        for each in spectra:
            place = str(each.dataset.attrs.get(key, ""))
            remarks = (f"{key} '{place}'", *each.remarks)
            at = 1.0 + places.index(place)
            found.append(replace(each, name=_region(each), remarks=remarks, at=at, at_name=key, at_unit="1"))
        return found
    return list(spectra)


def _alike(first: Spectrum, other: Spectrum) -> bool:
    """Return whether two spectra are of one sample, region and axis, and can be added."""
    one, two = first.energy, other.energy
    if one.size != two.size or first.unit != other.unit or first.problem or other.problem or one.size < FEWEST:
        return False
    same = np.abs(one - two).max() < SAME_STEP * abs(float(one[1] - one[0]))
    places = [[each.dataset.attrs.get(key) for key in PLACES] for each in (first, other)]
    return bool(same) and places[0] == places[1] and _region(first) == _region(other)


def _region(spectrum: Spectrum) -> str:
    """Return the name of a region without the number that tells it from others of its name."""
    if stated := spectrum.dataset.attrs.get("region"):
        return str(stated)
    bare = re.sub(r"_\d+$", "", spectrum.name)
    return bare if bare in spectrum.measurement.regions else spectrum.name


def _varied(group: Sequence[Spectrum]) -> str:
    """Return the attribute that was varied within a group of spectra; empty if none was."""
    for name in group[0].dataset.attrs:
        if f"{name}_units" not in group[0].dataset.attrs:
            continue
        values = [each.dataset.attrs.get(name) for each in group]
        if all(isinstance(value, int | float | np.number) for value in values) and len(set(values)) == len(group):
            return str(name)
    return ""


def _sum(group: Sequence[Spectrum]) -> Spectrum:
    """Return the sum of spectra of one axis; one that was stored twice counts once."""
    first = group[0]
    apart: list[Spectrum] = []
    for each in group:
        if not any(each.dataset["intensity"].equals(other.dataset["intensity"]) for other in apart):
            apart.append(each)
    if len(apart) == 1:
        return replace(first, remarks=("stored more than once in the file", *first.remarks))
    dataset = _added([each.dataset for each in apart])
    counted = _counted(first.measurement, first.name, dataset)
    remarks = (f"{len(apart)} scans of one axis added", *counted.remarks, *first.remarks)
    return replace(counted, remarks=tuple(dict.fromkeys(remarks)), assumed=first.assumed)


def _added(scans: Sequence[xr.Dataset]) -> xr.Dataset:
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
