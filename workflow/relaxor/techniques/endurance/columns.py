"""Tables of endurance and retention, told from their columns, and the series in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.units import factor
from relaxor.core.variables import has_dimension

STATES = ("ohm", "S", "A", "C", "C/m^2")
"""Units of what a memory cell keeps."""
CYCLES = re.compile(r"(?<![a-z])(n_?)?(cycles?|iterations?|endurance)(?![a-z])", re.IGNORECASE)
ON = re.compile(r"(?<![a-z])(r|g|i)?_?(on|lrs|set)(?![a-z])", re.IGNORECASE)
OFF = re.compile(r"(?<![a-z])(r|g|i)?_?(off|hrs|reset)(?![a-z])", re.IGNORECASE)
SWITCHED = re.compile(r"sw|2pr", re.IGNORECASE)
"""Names of a difference of two states; where there are some, the readings behind it are left out."""
NO_TIME = re.compile(r"width|interval|delay|duration|period", re.IGNORECASE)
"""Parts of the names of durations that were set, against which nothing fades."""
WINDOW = "window"


@dataclass(frozen=True)
class Series:
    """One series of a table.

    Attributes
    ----------
    name, unit
        Name of the column, or `WINDOW` for the ratio of both states, and its unit.
    at, value
        Cycle or time (s), ascending, and positive magnitudes, shape (n,).
    """

    name: str
    unit: str
    at: np.ndarray
    value: np.ndarray


def axis_of(table: xr.Dataset) -> tuple[str, str]:
    """Return the column of cycles or of time (``1`` or ``s``), or nothing if it is no table of a memory."""
    columns = {str(name): values for name, values in table.variables.items() if values.ndim == 1}
    states = [name for name, values in columns.items() if any(has_dimension(values, unit) for unit in STATES)]
    if not states or any(has_dimension(values, "V") or has_dimension(values, "mW/cm^2") for values in columns.values()):
        return "", ""
    times = [name for name, values in columns.items() if has_dimension(values, "s")]
    if any(NO_TIME.search(name) for name in times):
        return "", ""
    counts = [name for name, values in columns.items() if has_dimension(values, "1") and CYCLES.search(name)]
    if len(counts) == 1 and not times:
        return counts[0], "1"
    currents = [name for name in states if has_dimension(columns[name], "A")]
    told = any(ON.search(name) or OFF.search(name) for name in currents)
    return (times[0], "s") if len(times) == 1 and not counts and (not currents or told) else ("", "")


def are_memory(regions: Iterable[xr.Dataset]) -> bool:
    """Return whether all regions of a file are tables of endurance or retention."""
    found = [bool(axis_of(table)[0]) for table in regions]
    return bool(found) and all(found)


def series_of(table: xr.Dataset) -> list[Series]:
    """Return the series of a table: the ratio of both states and each of them, or each switched quantity."""
    axis, unit = axis_of(table)
    at = table[axis].to_numpy() * factor(table[axis].attrs["units"], unit)
    found = []
    for name, values in table.data_vars.items():
        base = next((each for each in STATES if has_dimension(values, each)), "")
        if base and values.dims == table[axis].dims and name != axis:
            magnitude = np.abs(values.to_numpy() * factor(values.attrs["units"], base))
            known = np.isfinite(at) & np.isfinite(magnitude) & (magnitude > 0)
            order = np.argsort(at[known], kind="stable")
            if known.any():
                found.append(Series(str(name), base, at[known][order], magnitude[known][order]))
    switched = [series for series in found if SWITCHED.search(series.name)]
    found = switched or found
    on, off = ([each for each in found if words.search(each.name)] for words in (ON, OFF))
    if len(on) == len(off) == 1 and on[0].unit == off[0].unit:
        shared, first, second = np.intersect1d(on[0].at, off[0].at, return_indices=True)
        if shared.size:
            ratio = on[0].value[first] / off[0].value[second]
            found.insert(0, Series(WINDOW, "1", shared, 1 / ratio if on[0].unit == "ohm" else ratio))
    return found
