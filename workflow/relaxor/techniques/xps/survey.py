"""Lines of a survey spectrum, and spectra corrected for the charge."""

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, measured
from relaxor.core.variables import variable, with_uncertainty
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.regions import Region
from relaxor.techniques.xps.spectrum import Spectrum

EXCESS = "excess counts over a straight background, in standard deviations"
REACH = 4.0
"""Half width in which a line is looked for (eV): chemical shifts and the width of the line."""
WING = (7.0, 14.0)
"""Distance of the background beside it (eV)."""


def survey_of(survey: Spectrum, shift: float, expected: Mapping[str, float]) -> xr.Dataset:
    """Return the charge-corrected survey and the lines found in it."""
    found = find_lines(survey.energy - shift, survey.counts, expected)
    columns = np.array(list(found.values())).reshape(-1, 3).T
    return spectrum_curves(survey, shift).assign(
        line=variable("line", np.array(list(found), dtype=str), "1", "line"),
        line_energy=variable("line", columns[0], "eV", "binding energy of the maximum"),
        line_height=variable("line", columns[1] / survey.time, survey.unit, "intensity at the maximum"),
        line_significance=variable("line", columns[2], "1", "excess over its standard deviation"),
    )


def find_lines(
    energy: np.ndarray, counts: np.ndarray, expected: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """Look for lines in a survey.

    Parameters
    ----------
    energy
        Charge-corrected binding energies (eV), shape (n,), any order.
    counts
        Detected electrons, shape (n,).
    expected
        Line → binding energy (eV).

    Returns
    -------
    dict
        Line → (energy of its maximum, counts there, significance): the summed excess within `REACH` over the
        straight line between the medians of both wings, over its Poisson standard deviation.
    """
    found = {}
    for name, position in expected.items():
        distance = energy - position
        near = np.abs(distance) <= REACH
        wings = [(side * distance > WING[0]) & (side * distance <= WING[1]) for side in (-1, 1)]
        if not near.any() or not all(wing.any() for wing in wings):
            continue
        low, high = (float(np.median(counts[wing])) for wing in wings)
        center = sum(WING) / 2
        background = low + (high - low) * (distance[near] + center) / (2 * center)
        excess = float(np.sum(counts[near] - background))
        noise = np.sqrt(np.sum(counts[near]) + near.sum() ** 2 * (low + high) / 4 / min(map(np.sum, wings)))
        top = int(np.argmax(np.where(near, counts, -np.inf)))
        found[name] = float(energy[top]), float(counts[top]), excess / float(max(noise, 1.0))
    return found


def detections(measurement: Measurement, survey: xr.Dataset) -> list[Number]:
    """Make the rows of the significance of each line of a survey."""
    names, found = survey["line"].values, survey["line_significance"].values
    values = {(q.SIGNIFICANCE, str(name)): (value, 1.0) for name, value in zip(names, found, strict=True)}
    return measured(measurement, q.SURVEY, values, EXCESS)


def spectrum_curves(spectrum: Spectrum, shift: float) -> xr.Dataset:
    """Return a whole spectrum with its uncertainty, at charge-corrected energies (eV)."""
    return region_curves(spectrum.region(-math.inf, math.inf), spectrum.unit, shift)


def region_curves(region: Region, unit: str, shift: float) -> xr.Dataset:
    """Return the intensities of a region with their uncertainty as counts, at charge-corrected energies (eV)."""
    axis = variable("binding_energy", region.energy - shift, "eV", "binding energy, charge-corrected")
    name = "photoelectron rate" if unit == "count/s" else "photoelectrons"
    result = xr.Dataset(
        {"intensity": variable("binding_energy", region.counts / region.time, unit, name)},
        {"binding_energy": axis},
        {"counting_time": region.time},
    )
    error = np.sqrt(np.maximum(region.counts, 1.0)) / region.time
    return with_uncertainty(result, "intensity", error, "Poisson")
