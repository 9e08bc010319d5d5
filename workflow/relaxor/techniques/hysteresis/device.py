"""What the sheet and the file state about a loop: its device, its frequency and its columns.

A file that contradicts the sheet is refused.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Status
from relaxor.core.units import factor
from relaxor.core.variables import has_dimension, readings, variable
from relaxor.stats.sweeps import clipped_points, lost_part

TOLERANCE = 0.05
"""Relative difference between the statements of a file and of the sheet, or of a column, that counts as rounding."""
AXES = {"time": "s", "voltage": "V", "current": "A"}
"""Units by which columns are found, by the name of the column."""
REPEATED = 1e-4
"""Relative change of a current from sample to sample that an amplifier at its limit may show."""
NEAR, MANY, PILED = 1e-3, 0.01, 0.8
"""Relative distance from the largest current, part of the samples within it, and their part of those within four times
this distance, above which the currents stand at a limit."""
AT_LIMIT = "the current stands at a limit"
NEARLY = 0.1
"""Part of the current of a capacitor that may not be constant, and part of its energy that may be lost."""
DIGESTED = ("C/m^2", "V", "V/m", "s", "A")
"""Kinds of columns that tell a loop without time."""
TIMELESS = "; the file states no time: samples are taken for equally spaced, and capacitance and leakage are not given"
PLATES = {"area": "cm^2", "thickness": "nm"}
"""Properties of the plates that the sheet or the file states, with their units in `Capacitor`."""


@dataclass(frozen=True)
class Geometry:
    """A lateral device: polarization is charge per cross-section, and the field is voltage per gap.

    Attributes
    ----------
    thickness, width, gap
        Thickness and width of the flake, and distance of the electrodes; nm, µm, µm.
    """

    thickness: float
    width: float
    gap: float

    @classmethod
    def of(cls, measurement: Measurement) -> "Geometry":
        """Take the geometry from the sheet.

        Raises
        ------
        AnalysisError
            If the sheet lacks a length, or the file states another area or gap.
        """
        geometry = cls(
            measurement.condition("thickness", "nm"),
            measurement.condition("width", "um"),
            measurement.condition("gap", "um"),
        )
        _refuse_contradiction(measurement, "area", geometry.area, "cm^2", "thickness times width of the sheet")
        _refuse_contradiction(measurement, "gap", geometry.gap, "um", "that of the sheet")
        return geometry

    @property
    def area(self) -> float:
        """Cross-section in cm²; the current flows in the plane of the flake."""
        return self.thickness * 1e-7 * self.width * 1e-4

    @property
    def field_per_volt(self) -> float:
        """Field of one volt, kV/cm."""
        return 10 / self.gap

    def relative_errors(self, thickness: float, width: float, gap: float) -> tuple[float, float]:
        """Return the relative errors of area and field from the standard uncertainties of the lengths (nm, µm, µm)."""
        return float(np.hypot(thickness / self.thickness, width / self.width)), gap / self.gap


@dataclass(frozen=True)
class Capacitor:
    """A capacitor: polarization is charge per area of the plates, and the field is voltage per distance.

    Attributes
    ----------
    area
        Area of the plates, cm².
    thickness
        Distance of the plates, nm.
    """

    area: float
    thickness: float

    @property
    def field_per_volt(self) -> float:
        """Field of one volt, kV/cm."""
        return 1e4 / self.thickness

    def relative_errors(self, thickness: float, width: float, gap: float) -> tuple[float, float]:
        """Return the relative errors of area and field; testers state no error of the area, and plates have no gap."""
        return 0.0, thickness / self.thickness


def plates(region: xr.Dataset) -> Capacitor | None:
    """Return the capacitor that the file of a tester states, or None where it states none."""
    attrs = region.attrs
    if {"area", "thickness"} <= attrs.keys():
        area, thickness = (attrs[name] * factor(attrs[f"{name}_units"], unit) for name, unit in PLATES.items())
    elif {"sample_area_cm2", "sample_thickness_um"} <= attrs.keys():
        area, thickness = attrs["sample_area_cm2"], attrs["sample_thickness_um"] * factor("um", "nm")
    else:
        return None
    return Capacitor(float(area), float(thickness)) if area > 0 and thickness > 0 else None


def _refuse_contradiction(measurement: Measurement, name: str, known: float, unit: str, source: str) -> None:
    """Raise an `AnalysisError` if the header of a file states another value than ``source``; many files state none."""
    data = next(iter(measurement.regions.values()))
    if name not in data or data[name].ndim:
        return
    stated = float(data[name]) * factor(data[name].attrs["units"], unit)
    if abs(stated - known) > TOLERANCE * known:
        raise AnalysisError(
            f"{measurement.id}: the file's {name} is {stated:.4g} {unit}, {source} {known:.4g} {unit}; make sure that "
            "sheet, header and columns are of one measurement"
        )


def frequency_of(measurement: Measurement) -> float:
    """Return the frequency of the sheet in Hz; raise an `AnalysisError` if the file states another one."""
    frequency = measurement.condition("frequency", "Hz")
    _refuse_contradiction(measurement, "frequency", frequency, "Hz", "that of the sheet")
    return frequency


def named(measurement: Measurement) -> Measurement:
    """Name the first column of each kind ``time``, ``voltage`` and ``current``, whatever name the instrument gives it.

    A device takes up energy; the sign of a current by which it would give energy away is therefore changed. The
    attribute ``remark`` of a region states this, and states where the instrument held the current at its limit, so
    that charge is missing.

    Raises
    ------
    AnalysisError
        If the voltage does not reach the amplitude that the file states.
    """
    regions = {}
    for region, data in measurement.regions.items():
        data = timed(measurement, data)
        for name, unit in AXES.items():
            found = [
                column for column in data.variables if data[column].ndim == 1 and has_dimension(data[column], unit)
            ]
            data = data.rename({found[0]: name}) if found and name not in data.variables else data
        if {"voltage", "current"} <= set(data.data_vars) and lost_part(data["voltage"], data["current"]) < -NEARLY:
            turned = data["current"].copy(data=-data["current"].to_numpy())
            data = data.assign(current=turned).assign_attrs(
                remark="; current turned, it was counted against the voltage"
            )
        if {"voltage", "current"} <= set(data.data_vars) and data["voltage"].dims == data["current"].dims:
            rows = (np.atleast_2d(data[name].to_numpy()) for name in ("voltage", "current"))
            if limit := max(map(_limit, *rows)):
                unit = data["current"].attrs["units"]
                remark = f"; {AT_LIMIT}, {limit:.3g} {unit}: charge is missing"
                data = data.assign_attrs(remark=data.attrs.get("remark", "") + remark)
        regions[region] = data
    measurement = replace(measurement, regions=regions)
    data = next(iter(regions.values()))
    if "voltage" in data:
        largest = float(np.abs(data["voltage"]).max()) * factor(data["voltage"].attrs["units"], "V")
        _refuse_contradiction(measurement, "amplitude", largest, "V", "the largest voltage of its column")
    return measurement


def charges(table: xr.Dataset) -> list[str]:
    """Return the columns of a charge in a table that holds a charge against a voltage, and neither time nor current."""
    found = [str(name) for name, values in table.data_vars.items() if values.ndim == 1 and has_dimension(values, "C")]
    held = {unit: any(has_dimension(values, unit) for values in table.variables.values()) for unit in "VsA"}
    return found if held["V"] and not (held["s"] or held["A"]) else []


def is_digested(table: xr.Dataset) -> bool:
    """Return whether a table holds a polarization against a voltage or a field, and neither time nor current."""
    held = {unit: any(has_dimension(values, unit) for values in table.variables.values()) for unit in DIGESTED}
    return held["C/m^2"] and (held["V"] or held["V/m"]) and not (held["s"] or held["A"])


def timed(measurement: Measurement, table: xr.Dataset) -> xr.Dataset:
    """Give a loop without time the time of a loop of one second, whose samples are equally spaced.

    Polarizations, fields and energies of the loop need no time. A loop against the field gets plates at such a distance
    that a voltage of 1 V is a field of 1 kV/cm; one against the voltage needs the thickness. A charge against the
    voltage needs the area of the plates as well. Other tables are returned unchanged.
    """
    if found := charges(table):
        area = measurement.condition("area", "cm^2", math.nan)
        if not area > 0:
            raise AnalysisError(f"{measurement.id}: a charge needs the condition 'area' (add 'area=… cm^2')")
        density = readings(table[found[0]], "uC") / area
        dims = table[found[0]].dims
        table = table.assign({found[0]: variable(dims, density, "uC/cm^2", "charge over the area of the sheet")})
    if not is_digested(table):
        return table

    def first(unit: str) -> str:
        return next((str(name) for name, values in table.data_vars.items() if has_dimension(values, unit)), "")

    polarization, voltage, field = first("C/m^2"), first("V"), first("V/m")
    thickness = measurement.condition("thickness", "nm") if voltage else 1e4
    values = table[voltage] if voltage else table[field] * factor(table[field].attrs["units"], "kV/cm")
    dims, count = table[polarization].dims, table[polarization].size
    columns = {
        "time": variable(dims, np.arange(count) / count, "s", "time of a loop of one second"),
        "voltage": variable(dims, values.to_numpy(), table[voltage].attrs["units"] if voltage else "V", "voltage"),
        "polarization": table[polarization].variable,
    }
    plates_of_file = {"area": 1.0, "area_units": "cm^2", "thickness": thickness, "thickness_units": "nm"}
    return xr.Dataset(columns, attrs={**table.attrs, **plates_of_file, "remark": TIMELESS})


def recorded(remark: str) -> Adequacy:
    """Return whether the instrument recorded the whole current, from the remark of `named`."""
    if AT_LIMIT not in remark:
        return ADEQUATE
    return Adequacy(Status.MISFIT, 1.0, remark[remark.index(AT_LIMIT) :])


def _limit(voltage: np.ndarray, current: np.ndarray) -> float:
    """Return the magnitude in A at which the amplifier held a current, 0 where it did not.

    A current that is nearly constant and takes up no energy is that of a capacitor under a ramp.
    """
    clipped = clipped_points(voltage, current, REPEATED) | _piled_up(current)
    if not clipped.any():
        return 0.0
    limit = float(np.abs(current[clipped]).max())
    constant = float(np.mean(np.abs(np.abs(current) - limit) < NEARLY * limit))
    return 0.0 if constant > 1 - NEARLY and abs(lost_part(voltage, current)) < NEARLY else limit


def _piled_up(current: np.ndarray) -> np.ndarray:
    """Mark the currents at a limit: those near an extreme, if many lie there and few just below it.

    A smooth extreme has as many currents within `NEAR` of it as between one and four times that distance.
    """
    marked = np.zeros(current.shape, bool)
    for side in (current, -current):
        near, about = side > (1 - NEAR) * side.max(), side > (1 - 4 * NEAR) * side.max()
        if side.max() > 0 and near.sum() > MANY * side.size and near.sum() > PILED * about.sum():
            marked |= near
    return marked


def geometry_of(measurement: Measurement, table: xr.Dataset) -> Geometry | Capacitor:
    """Take the geometry from the sheet, or that of a capacitor from the table of the tester; the sheet has priority."""
    known = plates(table)
    if {"width", "gap"} & measurement.conditions.keys() or not (known or "area" in measurement.conditions):
        return Geometry.of(measurement)
    return Capacitor(
        **{name: measurement.condition(name, unit, getattr(known, name, None)) for name, unit in PLATES.items()}
    )
