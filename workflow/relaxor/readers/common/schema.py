"""What every reader builds its tree from: variables with units, children, and safe access to bytes."""

import json
import struct
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError

MAX_POINTS = 50_000_000
"""Most numbers a file may announce; checked against the bytes it has before anything is allocated."""

Variables = TypeVar("Variables", dict[str, xr.Variable], xr.Dataset)


def variable(dims: str | tuple[Hashable, ...], values: Any, units: str, long_name: str, **attrs: Any) -> xr.Variable:
    """Make a variable of the data contract: numbers with pint-readable ``units`` and a ``long_name``."""
    return xr.Variable(dims, np.asarray(values), {"units": units, "long_name": long_name, **attrs})


def with_uncertainty(variables: Variables, name: str, uncertainty: Any, method: str) -> Variables:
    """Add the standard uncertainty of ``name`` as ``<name>_uncertainty``, to a dataset or to variables to be one.

    The two are tied by the CF attribute ``ancillary_variables``; ``method`` says where the number comes from
    (``"Poisson"``, ``"given by the instrument"``, ``"last digit written"``). A dataset made of its variables at once
    takes half the time of one that they are put into.
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


def tree(
    children: Mapping[str, xr.Dataset],
    *,
    header: object,
    instrument: str,
    acquired: str | None = None,
    **attrs: Any,
) -> xr.DataTree:
    """Assemble the tree that a reader returns; ``read`` adds the attributes that all formats share."""
    root: dict[str, Any] = {"instrument": instrument, "header": header_json(header), **attrs}
    if acquired:
        root["acquired"] = acquired
    result = xr.DataTree(xr.Dataset(attrs=root))
    result.children = {name: xr.DataTree(dataset) for name, dataset in children.items()}
    return result


def unpack(layout: str, data: bytes, offset: int, path: Path) -> tuple[Any, ...]:
    """Unpack bytes as `struct.unpack_from` does, with a `ReadError` that names the byte where the file ends."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error:
        needed = struct.calcsize(layout)
        raise ReadError(
            path, f"ends early: {needed} bytes expected here, file has {len(data)} bytes", f"byte {offset:#x}"
        ) from None


def array(data: bytes, dtype: str, count: int, offset: int, path: Path) -> np.ndarray:
    """Take ``count`` numbers at ``offset``, or say that the file is too short for what it announces."""
    size = np.dtype(dtype).itemsize
    if count < 0 or offset < 0 or count > MAX_POINTS or offset + count * size > len(data):
        raise ReadError(
            path, f"announces {count} values of {size} bytes, file has {len(data)} bytes", f"byte {offset:#x}"
        )
    return np.frombuffer(data, dtype, count, offset)


def header_json(header: object) -> str:
    """Write a header as JSON; bytes are decoded as latin-1, arrays become lists, anything else becomes text."""

    def plain(value: object) -> object:
        if isinstance(value, bytes):
            return value.decode("latin-1").rstrip("\0")
        return value.tolist() if hasattr(value, "tolist") else str(value)

    return json.dumps(header, default=plain, ensure_ascii=False)
