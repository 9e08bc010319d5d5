"""What every reader builds its tree from: children, attributes of the root, and safe access to bytes."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.text import c_text, possible_date

FERROELECTRIC_TESTER = "ferroelectric tester"
"""Kind of instrument of a file; the reader of a tester states it as the attribute ``instrument_kind`` of its tree."""
SMALLEST_RATIO = 1e-3
"""Smallest ratio of Kα2 to Kα1 that is not zero; without a monochromator it is a half."""
MAX_POINTS = 50_000_000
"""Most numbers that a file may announce; checked against its bytes before memory is reserved."""


def tree(
    children: Mapping[str, xr.Dataset],
    header: object,
    instrument: str,
    acquired: str | None = None,
    warnings: Sequence[str] = (),
    **attrs: Any,
) -> xr.DataTree:
    """Assemble the tree that a reader returns; `relaxor.readers.read` adds the attributes that all formats share.

    A date at which nothing can have been measured, and a ratio of wavelengths Kα2 to Kα1 that no tube has, are left out
    with a warning.
    """
    if acquired and not possible_date(acquired):
        warnings = [*warnings, f"the date {acquired} cannot be that of the measurement and is left out"]
        acquired = None
    children, strange = _possible_ratios(children)
    warnings = [*warnings, *strange]
    root: dict[str, Any] = {"instrument": instrument, "header": header_json(header), **attrs}
    if warnings:
        root["warnings"] = "\n".join(warnings)
    if acquired:
        root["acquired"] = acquired
    result = xr.DataTree(xr.Dataset(attrs=root))
    result.children = {name: xr.DataTree(dataset) for name, dataset in children.items()}
    return result


def _possible_ratios(children: Mapping[str, xr.Dataset]) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Return children without ratios of wavelengths that are none, and a warning for each such ratio."""
    result = dict(children)
    warnings: dict[str, None] = {}
    for name, child in children.items():
        ratio = child.attrs.get("wavelength_ratio")
        if isinstance(ratio, int | float) and ratio != 0 and not SMALLEST_RATIO <= ratio <= 1:
            result[name] = child.drop_attrs(deep=False).assign_attrs(
                {key: value for key, value in child.attrs.items() if key != "wavelength_ratio"}
            )
            warnings[f"{ratio:g} is no ratio of the wavelengths Kα2 and Kα1 and is left out"] = None
    return result, list(warnings)


def unpack(layout: str, data: bytes, offset: int, path: Path) -> tuple[Any, ...]:
    """Unpack bytes like `struct.unpack_from`, with a `ReadError` that names the byte at which the file ends."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error:
        problem = f"ends early: {struct.calcsize(layout)} bytes expected here, file has {len(data)} bytes"
        raise ReadError(path, problem, f"byte {offset:#x}") from None


def array(data: bytes, dtype: str, count: int, offset: int, path: Path) -> np.ndarray:
    """Return ``count`` numbers at ``offset``; a file that is shorter than announced is refused."""
    size = np.dtype(dtype).itemsize
    if count < 0 or offset < 0 or count > MAX_POINTS or offset + count * size > len(data):
        problem = f"announces {count} values of {size} bytes, file has {len(data)} bytes"
        raise ReadError(path, problem, f"byte {offset:#x}")
    return np.frombuffer(data, dtype, count, offset)


def spectra(
    axis: tuple[str, str, str], positions: object, values: np.ndarray, over: tuple[str, ...] = (), unit: str = "count"
) -> xr.Dataset:
    """Return intensities over the dimension, unit and name of ``axis``; the dimensions ``over`` stand before it."""
    return xr.Dataset(
        {"intensity": variable((*over, axis[0]), values, unit, "intensity")},
        {axis[0]: variable(axis[0], positions, *axis[1:])},
    )


def folded(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Return a series along its own axis, and a complete grid of places as an image of rows and columns."""
    if len(names) == 1:
        return dataset.swap_dims(spectrum=names[0])
    if len(names) != 2:
        return dataset
    slow, fast = (dataset[name].to_numpy() for name in names)
    columns = int(np.argmax(slow != slow[0])) or slow.size
    if slow.size % columns:
        return dataset
    outer, inner = slow.reshape(-1, columns), fast.reshape(-1, columns)
    if not ((outer == outer[:, :1]).all() and (inner == inner[:1]).all()):
        return dataset
    values = dataset["intensity"]
    axis = str(values.dims[-1])
    shape = (*outer.shape, values.sizes[axis])
    grid = outer[:, 0], inner[0]
    places = {name: xr.Variable(name, place, dataset[name].attrs) for name, place in zip(names, grid, strict=True)}
    folded = xr.Variable((*names, axis), values.to_numpy().reshape(shape), values.attrs)
    image = xr.Dataset({"intensity": folded}, {**places, axis: dataset[axis].variable})
    return image.transpose("y", "x", axis) if set(names) == {"x", "y"} else image


def text_at(data: bytes, offset: int, length: int) -> str:
    """Return the text of a field of fixed length, see `relaxor.readers.common.text.c_text`."""
    return c_text(data[offset : offset + length])


def check_count(announced: float | None, found: int, path: Path, place: str, what: str = "points") -> None:
    """Refuse a file that holds another number of items than it announces; None means that it announces none."""
    if announced is not None and announced != found:
        raise ReadError(path, f"announces {announced:g} {what} and holds {found}", place)


def header_json(header: object) -> str:
    """Write a header as JSON: bytes are decoded as Latin-1, arrays become lists, and anything else becomes text."""

    def plain(value: object) -> object:
        if isinstance(value, bytes):
            return value.decode("latin-1").rstrip("\0")
        return value.tolist() if hasattr(value, "tolist") else str(value)

    return json.dumps(header, default=plain, ensure_ascii=False)
