"""The data contracts between stages: measurements in netCDF, numbers in a tidy table."""

import errno
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core.errors import AnalysisError, DiskError
from relaxor.core.units import factor

CONFIDENCE = 0.95
"""Level of every interval written as ``ci_low`` and ``ci_high``."""
NORMAL_QUANTILE = 1.959963984540054
OVERFLOW = 9e37
"""Keithley instruments write 9.9e37 for a reading out of range and 9.91e37 for none."""
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of the system that say something of the disk and nothing of the program."""


@dataclass(frozen=True)
class Measurement:
    """One measured file, as ingested.

    Attributes
    ----------
    id
        Its name in the sheet.
    attrs
        Provenance (``raw_file``, ``raw_sha256``, ``origin``, ``panel``, ``instrument``, ...).
    conditions
        How it was taken: name → (value, unit), from the sheet.
    regions
        What the file holds: name → dataset, in the order of the file.
    """

    id: str
    attrs: Mapping[str, Any]
    conditions: Mapping[str, tuple[float, str]]
    regions: Mapping[str, xr.Dataset]

    @property
    def only(self) -> xr.Dataset:
        """The single region of a file that must hold one."""
        if len(self.regions) != 1:
            raise AnalysisError(f"{self.id}: expected one region, file has {', '.join(self.regions)}")
        return next(iter(self.regions.values()))

    def condition(self, name: str, unit: str, default: float | None = None) -> float:
        """Return a condition of the sheet in the unit asked for.

        Raises
        ------
        AnalysisError
            If the sheet does not give it and there is no default, or gives it in another dimension.
        """
        if name in self.conditions:
            value, given_unit = self.conditions[name]
            try:
                return value * factor(given_unit, unit)
            except ValueError as error:
                raise AnalysisError(f"{self.id}: condition '{name}' of the sheet: {error}") from None
        if default is None:
            raise AnalysisError(f"{self.id}: the sheet gives no condition '{name}' (add '{name}=… {unit}')")
        return default


@dataclass
class Number:
    """One row of ``parameters.csv``: a number, its uncertainty and where it comes from.

    ``standard_error`` is statistical; ``systematic_error`` is the standard uncertainty of what all rows of a
    technique share (charge reference, thickness, step height standard). The interval holds the statistical part.
    """

    measurement: str
    model: str
    parameter: str
    value: float
    standard_error: float = math.nan
    systematic_error: float = 0.0
    ci_low: float = math.nan
    ci_high: float = math.nan
    unit: str = "1"
    method: str = ""
    n: int = 0
    reduced_chi_square: float = math.nan
    raw_sha256: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        """Fill the normal interval where none was given."""
        if math.isnan(self.ci_low) and math.isfinite(self.standard_error):
            self.ci_low = self.value - NORMAL_QUANTILE * self.standard_error
            self.ci_high = self.value + NORMAL_QUANTILE * self.standard_error


def readings(column: xr.DataArray | xr.Variable, unit: str) -> np.ndarray:
    """Return a column in a unit, NaN where the instrument says that it has no value.

    Raises
    ------
    ValueError
        If the column's unit is of another dimension.
    """
    values = np.asarray(column.values, dtype=float)
    scale = factor(column.attrs.get("units", "1"), unit)
    return np.where(np.abs(values) < OVERFLOW, values * scale, np.nan)


PARAMETER_COLUMNS = tuple(entry.name for entry in fields(Number))


def load(path: Path | str) -> list[Measurement]:
    """Load the measurements of one technique from its ingested netCDF file, in the order of the sheet."""
    from relaxor.core import netcdf

    return [
        Measurement(
            id=name,
            attrs=attrs,
            conditions={key: (value, unit) for key, (value, unit) in json.loads(attrs["conditions"]).items()},
            regions=regions,
        )
        for name, attrs, regions in netcdf.read(path)
    ]


def provenance(measurement: Measurement) -> dict[str, Any]:
    """Return the attributes that every result of a measurement carries on."""
    return {key: measurement.attrs[key] for key in ("raw_file", "raw_sha256", "origin", "panel")}


def save_tree(path: Path | str, groups: Mapping[str, xr.Dataset], **attrs: Any) -> None:
    """Write datasets as the groups of one netCDF file, whole or not at all and the same bytes every time.

    Parameters
    ----------
    path
        File to write.
    groups
        ``"measurement"`` or ``"measurement/region"`` → dataset. Dimensions of one group do not bind another.
    attrs
        Attributes of the file.
    """
    from relaxor.core import netcdf

    with atomic(path) as temporary:
        netcdf.write(temporary, groups, attrs)


def save_parameters(path: Path | str, rows: Iterable[Number]) -> None:
    """Write numbers as ``parameters.csv``, ten significant digits."""
    table = pd.DataFrame([vars(row) for row in rows], columns=list(PARAMETER_COLUMNS))
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def load_parameters(path: Path | str) -> pd.DataFrame:
    """Load a ``parameters.csv``."""
    kinds = {entry.name: str if entry.type is str else int if entry.type is int else float for entry in fields(Number)}
    missing = {name: ["", "nan"] for name, kind in kinds.items() if kind is float}
    return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=missing)


@dataclass
class atomic:  # noqa: N801 - used as a statement: with atomic(path) as temporary
    """Write beside the target and rename at the end: a killed run or a full disk leaves the old file or none.

    Raises
    ------
    DiskError
        If the disk is full or refuses.
    """

    path: Path | str
    temporary: Path = field(init=False)

    def __enter__(self) -> Path:
        target = Path(self.path)
        self.temporary = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refusal(error) from error
        return self.temporary

    def __exit__(self, kind: object, error: object, _: object) -> None:
        if kind is None:
            self.temporary.replace(self.path)
            return
        self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in DISK:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> DiskError:
        place = self.path if error.filename in (None, str(self.temporary)) else error.filename
        return DiskError(f"{place}: {error.strerror}")


def measured(
    measurement: Measurement, model: str, values: Mapping[str, tuple[float, float, str]], method: str, **common: Any
) -> list[Number]:
    """Make rows from ``parameter → (value, standard error, unit)``, all of one model and method."""
    shared = {"raw_sha256": measurement.attrs["raw_sha256"], "origin": measurement.attrs["origin"], **common}
    return [
        Number(measurement.id, model, name, float(value), float(error), unit=unit, method=method, **shared)
        for name, (value, error, unit) in values.items()
    ]


def poisson_uncertainty(counts: np.ndarray) -> np.ndarray:
    """Return the standard uncertainty of observed counts; a count of zero has that of one."""
    return np.sqrt(np.maximum(counts, 1.0))
