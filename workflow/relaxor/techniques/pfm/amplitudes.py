"""Units of the amplitude: a detector that nobody calibrated gives it in V, mV or arbitrary units.

Biases, phases and their contrast need no calibration. The numbers of the amplitude are then in the unit of the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.results import Number
from relaxor.core.units import convertible, factor

CALIBRATED = "pm"
"""Unit of calibrated amplitudes."""


def amplitude_of(channel: xr.DataArray) -> np.ndarray:
    """Return an amplitude in pm if it is calibrated, otherwise in the unit of the file."""
    values = channel.to_numpy().astype(float)
    unit = channel.attrs["units"]
    return values * factor(unit, CALIBRATED) if convertible(unit, CALIBRATED) else values


def unit_of_amplitude(region: xr.Dataset) -> str:
    """Return the unit in which the amplitude of an image or a curve is analysed."""
    names = [str(name) for name in region.data_vars if str(name).startswith("amplitude")]
    unit = str(region[names[0]].attrs["units"]) if names else CALIBRATED
    return CALIBRATED if convertible(unit, CALIBRATED) else unit


def numbers_in(unit: str, numbers: Iterable[Number]) -> list[Number]:
    """Return numbers whose amplitude is in another unit than pm under that unit."""
    return [replace(number, unit=_in(unit, number.unit)) for number in numbers]


def curves_in(unit: str, curves: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return curves whose amplitude is in another unit than pm under that unit."""
    found = {}
    for name, curve in curves.items():
        found[name] = curve.copy()
        for variable in found[name].variables.values():
            if "units" in variable.attrs:
                variable.attrs["units"] = _in(unit, str(variable.attrs["units"]))
    return found


def label_of(unit: str) -> str:
    """Return a unit as an axis shows it."""
    return "a.u." if unit == "1" else unit


def _in(unit: str, written: str) -> str:
    head, mark, tail = written.partition("/") if "/" in written else written.partition("*")
    return f"{unit}{mark}{tail}" if head == CALIBRATED else written
