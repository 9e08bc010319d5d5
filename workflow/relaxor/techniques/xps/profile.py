"""A depth profile: areas and composition of each level of a series, as curves."""

import math
from collections.abc import Collection, Sequence

import numpy as np
import xarray as xr

from relaxor.core.results import Number
from relaxor.core.variables import variable, with_uncertainty
from relaxor.techniques.xps import quantities as q

PROFILE = "profile"
"""The part of the curves of a measurement that holds its depth profile."""
UNKNOWN = ("", "exp_variable")
"""Names of what was varied that say nothing."""


def profile_curves(numbers: Sequence[Number], shown: Collection[tuple[float, str, str]], name: str) -> xr.Dataset:
    """Return areas, and atomic percent where there are factors, against what was varied.

    Parameters
    ----------
    numbers
        Numbers of all levels.
    shown
        What was varied, the model that was chosen there, and a core level in it.
    name
        Name of what was varied.
    """
    rows = [row for row in numbers if math.isfinite(row.at)]
    areas = [row for row in rows if row.parameter == q.AREA.name and (row.at, row.model, row.feature) in shown]
    contents = [row for row in rows if row.parameter == q.ATOMIC_PERCENT.name]
    label = "varied quantity" if name in UNKNOWN else name.replace("_", " ")
    at = sorted({row.at for row in rows})
    unit = next((row.at_unit for row in rows), "1") or "1"
    result = xr.Dataset(coords={"at": variable("at", at, unit, label)})
    for what, found in (("area", areas), ("atomic_percent", contents)):
        if not found:
            continue
        features = list(dict.fromkeys(row.feature for row in found))
        values = np.full((2, len(features), len(at)), np.nan)
        for row in found:
            values[:, features.index(row.feature), at.index(row.at)] = row.value, row.standard_error
        own = f"{what}_of"
        long_name = {"area": "area above the background", "atomic_percent": "fraction of all atoms"}[what]
        result[what] = variable((own, "at"), values[0], found[0].unit, long_name)
        result = result.assign_coords({own: variable(own, features, "1", "level" if what == "area" else "element")})
        with_uncertainty(result, what, values[1], "fits")
    return result
