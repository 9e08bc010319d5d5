"""The files between stages: measurements and curves in netCDF, numbers in a tidy table."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.files import atomic
from relaxor.core.results import Measurement, Number

COLUMNS = (
    "measurement", "technique", "model", "parameter", "feature", "at", "at_unit", "value", "standard_error",
    "systematic_error", "ci_low", "ci_high", "unit", "method", "n", "reduced_chi_square", "raw_sha256", "origin",
)  # fmt: skip
"""Columns of ``parameters.csv``."""
_KINDS: dict[str, type] = {"technique": str} | {
    entry.name: entry.type if isinstance(entry.type, type) else str for entry in fields(Number)
}


def load(path: Path | str) -> list[Measurement]:
    """Load the measurements of one technique from its ingested netCDF file, in the order of the sheet."""
    return [
        Measurement(
            id=name,
            attrs=attrs,
            conditions={key: (value, unit) for key, (value, unit) in json.loads(attrs["conditions"]).items()},
            regions=regions,
        )
        for name, attrs, regions in netcdf.read(path)
    ]


def save_tree(path: Path | str, groups: Mapping[str, xr.Dataset], **attrs: Any) -> None:
    """Write datasets as the groups of one netCDF file, completely or not at all, with the same bytes every time.

    Parameters
    ----------
    path
        File to write.
    groups
        Datasets by ``"measurement"`` or ``"measurement/region"``. The groups have independent dimensions.
    attrs
        Attributes of the file.
    """
    with atomic(path) as temporary:
        netcdf.write(temporary, groups, attrs)


def numbers_table(numbers: Iterable[Number], technique: str) -> pd.DataFrame:
    """Return numbers of a technique as a table with the columns of ``parameters.csv``."""
    return pd.DataFrame([vars(number) | {"technique": technique} for number in numbers], columns=list(COLUMNS))


def save_table(path: Path | str, table: pd.DataFrame, digits: int = 10) -> None:
    """Write a table as CSV with a given number of significant digits, completely or not at all."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{digits}g", lineterminator="\n")


def save_parameters(path: Path | str, numbers: Iterable[Number], technique: str) -> None:
    """Write numbers as ``parameters.csv``."""
    save_table(path, numbers_table(numbers, technique))


def load_parameters(path: Path | str) -> pd.DataFrame:
    """Load a ``parameters.csv``."""
    missing = {name: ["", "nan"] for name, kind in _KINDS.items() if kind is float}
    return pd.read_csv(path, dtype=_KINDS, keep_default_na=False, na_values=missing)
