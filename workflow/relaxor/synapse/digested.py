"""Tables of digested points, told from their columns; the analysis is in `relaxor.synapse.points`."""

from collections.abc import Iterable

import xarray as xr

from relaxor.core.variables import has_dimension

INDEX_NAMES = ("ppf", "index", "a2", "facilitation")
"""Parts of the names of columns that hold a paired-pulse index."""


def conductances(table: xr.Dataset) -> xr.DataArray | None:
    """Return the column of conductances of a table, or None if it is no table of conductance against pulses."""
    found = [values for values in table.data_vars.values() if has_dimension(values, "S") and values.dims == ("row",)]
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
