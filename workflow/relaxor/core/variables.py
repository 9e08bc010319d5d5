"""Variables of the data contract: numbers with units, a long name and, if known, an uncertainty."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from relaxor.core.pieces import Lazy
from relaxor.core.units import convertible, factor

OVERFLOW = 9e37
"""Keithley instruments write 9.9e37 for a reading out of range and 9.91e37 for a missing reading."""
Columns = Mapping[str, tuple[Any, str, str]]
"""Values, units and long name of each column by its name."""
Variables = TypeVar("Variables", dict[str, xr.Variable], xr.Dataset)


def variable(dims: str | tuple[Hashable, ...], values: Any, units: str, long_name: str, **attrs: Any) -> xr.Variable:
    """Make a variable of the data contract: numbers with pint-readable ``units`` and a ``long_name``."""
    held = values if isinstance(values, Lazy) else np.asarray(values)
    return xr.Variable(dims, held, {"units": units, "long_name": long_name, **attrs})


def dataset(
    dims: str | tuple[Hashable, ...], columns: Columns, coords: Columns | None = None, **attrs: Any
) -> xr.Dataset:
    """Make a dataset of variables of the data contract that share their dimensions.

    Parameters
    ----------
    dims
        Dimensions of all variables.
    columns
        Values, units and long name of each variable by its name.
    coords
        The same for coordinates, each along the dimension of its name.
    attrs
        Attributes of the dataset.
    """
    variables = {name: variable(dims, *column) for name, column in columns.items()}
    return xr.Dataset(variables, {name: variable(name, *column) for name, column in (coords or {}).items()}, attrs)


def with_uncertainty(variables: Variables, name: str, uncertainty: Any, method: str) -> Variables:
    """Add the standard uncertainty of ``name`` as ``<name>_uncertainty`` to a dataset, or to its future variables.

    The CF attribute ``ancillary_variables`` connects the two; ``method`` states the source of the number
    (``"Poisson"``, ``"given by the instrument"``, ``"last digit written"``). Making a dataset from its variables at
    once takes half the time of adding them one by one.
    """
    data = variables[name]
    variables[f"{name}_uncertainty"] = variable(
        data.dims,
        np.broadcast_to(uncertainty, data.shape).astype(float),
        data.attrs["units"],
        f"standard uncertainty of {data.attrs['long_name']}",
        method=method,
    )
    data.attrs["ancillary_variables"] = f"{name}_uncertainty"
    return variables


def has_dimension(column: xr.DataArray | xr.Variable, unit: str) -> bool:
    """Return whether a column has the dimension of a unit; a column without a unit is dimensionless."""
    return convertible(column.attrs.get("units", "1"), unit)


def readings(column: xr.DataArray | xr.Variable, unit: str) -> np.ndarray:
    """Return a column in a unit, with NaN where the instrument marks a missing value.

    Raises
    ------
    ValueError
        If the unit of the column has another dimension.
    """
    values = np.asarray(column.values, dtype=float)
    scale = factor(column.attrs.get("units", "1"), unit)
    return np.where(np.abs(values) < OVERFLOW, values * scale, np.nan)
