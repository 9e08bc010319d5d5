"""The files between stages: measurements and curves in netCDF, numbers in a tidy table."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.files import atomic
from relaxor.core.results import Measurement, Number, Result

COLUMNS = (
    "measurement", "technique", "model", "parameter", "feature", "at", "at_unit", "value", "standard_error",
    "systematic_error", "ci_low", "ci_high", "unit", "status", "method", "n", "reduced_chi_square", "raw_sha256",
    "origin",
)  # fmt: skip
"""Columns of ``parameters.csv``."""
NAMES = ("measurement", "model", "parameter", "feature", "at", "at_unit")
"""Columns that identify a number of a technique."""
BUDGET = (*NAMES, "component", "kind", "value", "unit", "source")
"""Columns of ``budget.csv``."""
CSV: dict[str, Any] = {"index": False, "float_format": "%.10g", "lineterminator": "\n"}
"""How tables are written."""
ROWS = 5000
"""Number of rows of a table that are written together."""
STATISTICAL, MISFIT, SYSTEMATIC = "statistical", "misfit", "systematic"
"""Kinds of components of an uncertainty."""
Group = tuple[str, xr.Dataset]
"""Name and content of a group of a file."""
_KINDS: dict[str, type] = {"technique": str, "status": str, "systematic_error": float} | {
    entry.name: entry.type for entry in fields(Number) if entry.type in (str, float, int)
}


def load(path: Path | str) -> list[Measurement]:
    """Return the measurements of one technique from its ingested netCDF file, in the order of the sheet.

    A region is read when it is asked for, and not kept.
    """
    return [
        Measurement(
            id=name,
            attrs=attrs,
            conditions={key: (value, unit) for key, (value, unit) in json.loads(attrs["conditions"]).items()},
            regions=regions,
        )
        for name, (attrs, regions) in netcdf.parts(path).items()
    ]


def save_tree(path: Path | str, groups: Mapping[str, xr.Dataset] | Iterable[Group], **attrs: Any) -> None:
    """Write datasets as the groups of one netCDF file, completely or not at all, with the same bytes every time.

    Parameters
    ----------
    path
        File to write.
    groups
        Datasets by ``"measurement"`` or ``"measurement/region"``, or an iterator of such pairs, of which one at a time
        is held in memory. The groups have independent dimensions.
    attrs
        Attributes of the file.
    """
    with atomic(path) as temporary:
        netcdf.write(temporary, groups.items() if isinstance(groups, Mapping) else groups, attrs)


def save_results(
    parameters: Path | str, budget: Path | str, curves: Path | str, results: Iterable[Result], technique: str
) -> None:
    """Write ``parameters.csv``, ``budget.csv`` and ``curves.nc``, of which one result at a time is held in memory."""
    with (
        atomic(parameters) as first,
        atomic(budget) as second,
        first.open("w", encoding="utf-8", newline="") as rows,
        second.open("w", encoding="utf-8", newline="") as components,
    ):

        def write(numbers: Sequence[Number], header: bool) -> None:
            numbers_table(numbers, technique).to_csv(rows, header=header, **CSV)
            budget_table(numbers).to_csv(components, header=header, **CSV)

        def written() -> Iterator[Group]:
            waiting: list[Number] = []
            header = True
            for result in results:
                yield from result.curves.items()
                waiting += result.numbers
                if len(waiting) >= ROWS:
                    write(waiting, header)
                    waiting, header = [], False
            write(waiting, header)

        save_tree(curves, written())


def numbers_table(numbers: Iterable[Number], technique: str) -> pd.DataFrame:
    """Return numbers of a technique as a table with the columns of ``parameters.csv``."""
    rows = [vars(number) | {"technique": technique, "systematic_error": number.systematic_error} for number in numbers]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def budget_table(numbers: Iterable[Number]) -> pd.DataFrame:
    """Return every component of the uncertainty of every number, with the columns of ``budget.csv``.

    The standard error is split into the part that the noise gives and the part that a misfit adds; the squares of all
    components of a number add up to the square of its combined standard uncertainty.
    """
    rows = []
    for number in numbers:
        noise = number.standard_error / number.widening
        misfit = math.sqrt(max(number.standard_error**2 - noise**2, 0.0)) if number.widening > 1 else 0.0
        components = [
            ("scatter of the data", STATISTICAL, noise, "standard error of the fit or of the mean"),
            ("misfit of the model", MISFIT, misfit, f"errors of the fit are multiplied by {number.widening:.3g}"),
            *((each.name, SYSTEMATIC, each.value, each.source) for each in number.budget),
        ]
        names = [getattr(number, name) for name in NAMES]
        rows += [
            (*names, name, kind, value, number.unit, source) for name, kind, value, source in components if value > 0
        ]
    return pd.DataFrame(rows, columns=list(BUDGET))


def save_table(path: Path | str, table: pd.DataFrame, digits: int = 10) -> None:
    """Write a table as CSV with a given number of significant digits, completely or not at all."""
    with atomic(path) as temporary:
        table.to_csv(temporary, **CSV | {"float_format": f"%.{digits}g"})


def save_parameters(path: Path | str, numbers: Iterable[Number], technique: str) -> None:
    """Write numbers as ``parameters.csv``."""
    save_table(path, numbers_table(numbers, technique))


def save_budget(path: Path | str, numbers: Iterable[Number]) -> None:
    """Write the components of all uncertainties as ``budget.csv``."""
    save_table(path, budget_table(numbers))


def load_parameters(path: Path | str) -> pd.DataFrame:
    """Load a ``parameters.csv``."""
    missing = {name: ["", "nan"] for name, kind in _KINDS.items() if kind is float}
    return pd.read_csv(path, dtype=_KINDS, keep_default_na=False, na_values=missing)
