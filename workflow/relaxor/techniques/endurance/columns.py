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
RATIO = re.compile(r"(?<![a-z])(ratio|window)(?![a-z])", re.IGNORECASE)
PEAK = re.compile(r"(?<![a-z])i_?(re)?set(?![a-z])|max", re.IGNORECASE)
"""Names of the largest current of a sweep, which is that of no state."""
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
        Name of the column, or that of its test with `WINDOW` for the ratio of both states, and its unit.
    at, value
        Cycle or time (s), ascending, and positive magnitudes, shape (n,).
    window
        Whether it is itself the distance of two states.
    """

    name: str
    unit: str
    at: np.ndarray
    value: np.ndarray
    window: bool = False


def axis_of(table: xr.Dataset) -> tuple[str, str]:
    """Return the column of cycles or of time (``1`` or ``s``), or nothing if it is no table of a memory.

    A voltage in the table is that of a sweep, unless each row is one cycle with both states or their ratio.
    """
    columns = {str(name): values for name, values in table.variables.items() if values.ndim == 1}
    states = [name for name, values in columns.items() if any(has_dimension(values, unit) for unit in STATES)]
    ratios = [name for name, values in columns.items() if has_dimension(values, "1") and RATIO.search(_own(name))]
    counts = [name for name, values in columns.items() if has_dimension(values, "1") and CYCLES.search(name)]
    counts = [name for name in counts if name not in ratios]
    if len(counts) == 1 and (ratios or _pairs(states)) and (np.diff(columns[counts[0]].to_numpy()) > 0).all():
        return counts[0], "1"
    if not states or any(has_dimension(values, "V") or has_dimension(values, "mW/cm^2") for values in columns.values()):
        return "", ""
    times = [name for name, values in columns.items() if has_dimension(values, "s")]
    if any(NO_TIME.search(name) for name in times):
        return "", ""
    if len(counts) == 1 and not times:
        return counts[0], "1"
    currents = [name for name in states if has_dimension(columns[name], "A")]
    told = any(ON.search(_own(name)) or OFF.search(_own(name)) for name in currents)
    return (times[0], "s") if len(times) == 1 and not counts and (not currents or told) else ("", "")


def _own(name: str) -> str:
    """Return the name of a column without that of its test: ``ILRS`` of ``SET_negative#1.ILRS``."""
    return name.rpartition(".")[2]


def _pairs(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the columns of the on and the off state of each test, where there is one of each."""
    tests: dict[str, list[str]] = {}
    for name in names:
        if not PEAK.search(_own(name)):
            tests.setdefault(name.rpartition(".")[0], []).append(name)
    found = {}
    for test, columns in tests.items():
        on, off = ([name for name in columns if words.search(_own(name))] for words in (ON, OFF))
        if len(on) == len(off) == 1:
            found[test] = on[0], off[0]
    return found


def are_memory(regions: Iterable[xr.Dataset]) -> bool:
    """Return whether all regions of a file are tables of endurance or retention."""
    found = [bool(axis_of(table)[0]) for table in regions]
    return bool(found) and all(found)


def series_of(table: xr.Dataset) -> list[Series]:
    """Return the series of a table: the ratio of both states and each of them, or each switched quantity."""
    axis, unit = axis_of(table)
    at = table[axis].to_numpy() * factor(table[axis].attrs["units"], unit)
    found = []
    for name, values in ((str(name), values) for name, values in table.data_vars.items() if name != axis):
        base = next((each for each in STATES if has_dimension(values, each)), "")
        if base and values.dims == table[axis].dims and not (base == "A" and PEAK.search(_own(name))):
            found.append(_series(name, base, at, values, window=base in ("C", "C/m^2")))
    found = [each for each in found if each.at.size]
    found = [each for each in found if SWITCHED.search(each.name)] or found
    by_name = {each.name: each for each in found}
    windows = [
        _ratio(f"{test} {WINDOW}".strip(), by_name[on], by_name[off])
        for test, (on, off) in _pairs(by_name).items()
        if by_name[on].unit == by_name[off].unit
    ]
    if not windows:
        numbers = [str(name) for name, values in table.data_vars.items() if has_dimension(values, "1")]
        ratios = [name for name in numbers if RATIO.search(_own(name)) and name != axis]
        windows = [_series(f"{name} {WINDOW}", "1", at, table[name], window=True) for name in ratios]
    return [each for each in (*windows, *found) if each.at.size]


def _series(name: str, unit: str, at: np.ndarray, values: xr.DataArray, *, window: bool) -> Series:
    magnitude = np.abs(values.to_numpy() * factor(values.attrs["units"], unit))
    known = np.isfinite(at) & np.isfinite(magnitude) & (magnitude > 0)
    order = np.argsort(at[known], kind="stable")
    return Series(name, unit, at[known][order], magnitude[known][order], window)


def _ratio(name: str, on: Series, off: Series) -> Series:
    shared, first, second = np.intersect1d(on.at, off.at, return_indices=True)
    ratio = on.value[first] / off.value[second]
    return Series(name, "1", shared, 1 / ratio if on.unit == "ohm" else ratio, window=True)
