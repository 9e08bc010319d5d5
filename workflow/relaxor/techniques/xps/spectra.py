"""The spectra of a file: which of them are added, which are told apart, and which belongs to a window.

Scans of one axis that a file holds apart are added, unless something that was varied tells them apart, as the etch time
of a depth profile does. What was done is said in the remarks.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from relaxor.core.results import Measurement
from relaxor.techniques.xps.spectrum import FEWEST, Spectrum, added, counted, in_region

PLACES = ("sample", "group")
"""Attributes of regions that were measured at different places or times."""
UNNAMED = ("spectrum", "table", "spectra")
"""Names that readers give to the only part of a file, which say nothing of what it holds."""
SAME_STEP = 0.01
"""Largest difference of two axes that count as equal, in steps."""
COVERED = 0.6
"""Least share of a window that a region of another name covers."""


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
        found += in_region(measurement, label, dataset, photon_energy)
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
    dataset = added([each.dataset for each in apart])
    found = counted(first.measurement, first.name, dataset)
    remarks = (f"{len(apart)} scans of one axis added", *found.remarks, *first.remarks)
    return replace(found, remarks=tuple(dict.fromkeys(remarks)), assumed=first.assumed)
