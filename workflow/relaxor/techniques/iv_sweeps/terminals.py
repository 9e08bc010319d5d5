"""Which voltage and which current of a file are those of the device, told from the names of the terminals."""

import math
import re
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.units import factor
from relaxor.core.variables import has_dimension, readings

QUANTITY = re.compile(r"voltages?|volts?|currents?|leakage|meas(ured)?|bias|src|source(?=_|$)(?!$)|[^a-z0-9]+")
"""Words of a name that are not its terminal."""
PLAIN = {"v", "i", "u", "force", "forced", "meas", "measured", "set", "read", "applied"}
"""Names without a terminal."""
ALIKE = {"plus": "1"}
"""Terminals of a tester that has other words for the voltage than for the current."""
GATES = {"g", "gs", "bg", "tg", "gate", "backgate", "topgate", "gateleakage"}
DEVICES = ("d", "ds", "drain", "a", "anode", "channel", "ch", "dev", "device", "sd", "top", "t", "", "1")
"""Terminals at which the device is measured, the usual one first."""
STEPPED = 0.01
"""Range of a gate voltage, relative to that of the device, above which it is not constant."""


def terminal(name: str) -> str:
    """Return the terminal in the name of a column: ``d`` of ``Vd``, ``gate`` of ``Gate Voltage``, nothing of ``I``."""
    words = [word for word in QUANTITY.sub(" ", str(name).lower()).split() if word]
    bare = "".join(words)
    if len(bare) > 1 and bare[0] in "viu" and bare not in DEVICES:
        bare = bare[1:]
    elif len(bare) > 1 and bare[-1] in "vi":
        bare = bare[:-1]
    return "" if bare in PLAIN else ALIKE.get(bare, bare)


def device_pair(region: xr.Dataset, label: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Return voltage and current of the device.

    Of several columns, those of the same terminal belong together, and columns of a gate are those of no device.

    Raises
    ------
    AnalysisError
        If the file holds no voltage or no current of a device, several between which no name decides, or a gate whose
        voltage changes from curve to curve.
    """
    columns = {
        str(name): data
        for name, data in region.variables.items()
        if data.ndim and data.dtype.kind in "fiu" and not str(name).endswith("_uncertainty")
    }
    kinds = {unit: [name for name, data in columns.items() if has_dimension(data, unit)] for unit in "VA"}
    of_device = {unit: [name for name in names if terminal(name) not in GATES] for unit, names in kinds.items()}
    for unit, what in (("A", "current (A)"), ("V", "voltage (V)")):
        if not of_device[unit]:
            raise _lacking(region, label, what, kinds[unit])
    voltage, current = _matched(of_device["V"], of_device["A"], label)
    _refuse_stepped_gate(region, voltage, [name for name in kinds["V"] if terminal(name) in GATES], label)
    return region[voltage], region[current]


def with_currents(measurement: Measurement) -> Measurement:
    """Return a measurement whose current densities are currents: they are multiplied by the area of the sheet.

    Raises
    ------
    AnalysisError
        If a region holds a current density and no current, and the sheet gives no area.
    """
    regions = {}
    for name, region in measurement.regions.items():
        densities = [key for key, values in region.data_vars.items() if has_dimension(values, "A/m^2")]
        if densities and not any(has_dimension(values, "A") for values in region.variables.values()):
            area = measurement.condition("area", "m^2", math.nan)
            if not area > 0:
                raise AnalysisError(
                    f"{measurement.id}: a current density needs the condition 'area' (add 'area=… cm^2')"
                )
            currents = {key: _current(region[key], area) for key in densities}
            region = region.assign(currents)
        regions[name] = region
    return replace(measurement, regions=regions)


def _current(density: xr.DataArray, area: float) -> xr.DataArray:
    values = density * (factor(density.attrs["units"], "A/m^2") * area)
    return values.assign_attrs(units="A", long_name=f"{density.attrs['long_name']} times the area")


def _matched(voltages: list[str], currents: list[str], label: str) -> tuple[str, str]:
    if len(voltages) == len(currents) == 1:
        return voltages[0], currents[0]
    by_terminal = {terminal(name): name for name in voltages}
    pairs = {terminal(name): (by_terminal[terminal(name)], name) for name in currents if terminal(name) in by_terminal}
    chosen = next((pairs[each] for each in DEVICES if each in pairs), None)
    if chosen is None and len(pairs) == 1:
        chosen = next(iter(pairs.values()))
    if chosen is None:
        named = f"voltages {', '.join(voltages)} and currents {', '.join(currents)}"
        raise AnalysisError(
            f"{label}: {named}: their names do not say which belong to the device; name the columns in the sheet "
            "(column 'table': 'voltage (V), current (A), -', with '-' for one that is left out)"
        )
    return chosen


def _refuse_stepped_gate(region: xr.Dataset, voltage: str, gates: list[str], label: str) -> None:
    """Refuse curves at several gate voltages: they are no cycles of one sweep."""

    def ends(name: str) -> tuple[float, float]:
        values = readings(region[name], "V")
        known = values[np.isfinite(values)]
        return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)

    first, last = ends(voltage)
    for gate in gates if last - first > STEPPED * max(-first, last) else ():
        low, high = ends(gate)
        if high - low > STEPPED * (last - first):
            raise AnalysisError(
                f"{label}: {gate} changes from {low:.4g} to {high:.4g} V: curves of a transistor, not "
                "a sweep of a device with two terminals"
            )


def _lacking(region: xr.Dataset, label: str, what: str, found: list[str]) -> AnalysisError:
    gate = f" of the device; {found[0]} is that of its gate (a transfer curve)" if found else ""
    held = ", ".join(f"{name} ({data.attrs.get('units', '?')})" for name, data in region.data_vars.items() if data.ndim)
    return AnalysisError(f"{label}: a sweep needs a {what}{gate}; the file holds {held or 'single values only'}")
