"""Tables of digested points, told from their columns; the analysis is in `relaxor.synapse.points`."""

import re
from collections.abc import Iterable

import xarray as xr

from relaxor.core.variables import has_dimension

INDEX_NAMES = ("ppf", "index", "a2", "facilitation")
"""Parts of the names of columns that hold a paired-pulse index."""


RISING = re.compile(r"potentiation|(?<![a-z])(ltp|p)(?![a-z])", re.IGNORECASE)
FALLING = re.compile(r"depression|(?<![a-z])(ltd|d)(?![a-z])", re.IGNORECASE)
"""Names of the two branches of a cycle that stand side by side."""


def conductances(table: xr.Dataset) -> xr.DataArray | None:
    """Return the conductances of a table, or None if it is no table of conductance against pulses.

    A column of potentiation and one of depression beside it are one cycle.
    """
    found = [values for values in table.data_vars.values() if has_dimension(values, "S") and values.dims == ("row",)]
    if len(found) == 2:
        rising, falling = ([each for each in found if words.search(str(each.name))] for words in (RISING, FALLING))
        if len(rising) == len(falling) == 1 and rising[0].attrs["units"] == falling[0].attrs["units"]:
            branches = [branch.dropna("row").drop_vars("row", errors="ignore") for branch in (*rising, *falling)]
            found = [xr.concat(branches, "row").assign_attrs(rising[0].attrs)]
    timed = any(has_dimension(values, unit) for values in table.data_vars.values() for unit in ("s", "V"))
    return found[0] if len(found) == 1 and not timed else None


def indices(table: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Return the columns of intervals and indices of a table, or None if it is no such table."""
    intervals = [values for values in table.data_vars.values() if has_dimension(values, "s")]
    found = [
        values
        for name, values in table.data_vars.items()
        if values.attrs["units"] in ("percent", "1") and any(word in str(name).lower() for word in INDEX_NAMES)
    ]
    return (intervals[0], found[0]) if len(intervals) == len(found) == 1 else None


def are_points(regions: Iterable[xr.Dataset]) -> bool:
    """Return whether all regions of a file are tables of digested points instead of traces."""
    found = [conductances(table) is not None or indices(table) is not None for table in regions]
    return bool(found) and all(found)
