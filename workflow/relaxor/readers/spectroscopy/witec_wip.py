"""WITec projects, ``.wip`` and ``.wid``.

Instruments: WITec Control and WITec Project, the programs of WITec Raman microscopes (alpha300), save projects in this
form. They are read by witio.

Recognition: The file begins with ``WIT_PRCT``, ``WIT_DATA``, ``WIT_PR06`` or ``WIT_DA06``.

Layout: A tree of tags stands behind a magic of 8 bytes. A tag is the length of its name (u32), the name, its type (u32;
0: further tags), and the begin and end of its content (u64). The content follows at once. Files in which it does not,
or reaches over the end of its parent, are refused before witio reads them, because witio would read without end. Graphs
are on a grid of ``x`` and ``y``, or a series in time, and are calibrated by tags of their own.

Schema: There is one child per graph, named after its caption, with ``intensity`` (count). Its dimensions are (``y``,
``x``, axis), or (``time``, axis); single rows and columns are left out. The axis is ``raman_shift`` (1/cm),
``wavelength`` (nm), …, or ``channel``. ``x_position`` and ``y_position`` (um) belong to every spectrum. The attribute
is ``caption``. The header holds the texts of the project. Images, cursors and colours are not read; the root attribute
``not_read`` has their numbers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import spectra, tree, unpack
from relaxor.readers.common.text import free

MAGIC = (b"WIT_PRCT", b"WIT_DATA", b"WIT_PR06", b"WIT_DA06")
MAX_DEPTH = 64
MAX_TAGS = 200_000
AXES = {
    "rel. 1/cm": ("raman_shift", "1/cm", "Raman shift"),
    "nm": ("wavelength", "nm", "wavelength"),
    "µm": ("wavelength", "um", "wavelength"),
    "1/cm": ("wavenumber", "1/cm", "wavenumber"),
    "eV": ("energy", "eV", "photon energy"),
    "s": ("time", "s", "time"),
    "ms": ("time", "ms", "time"),
}
"""Unit of an axis in a project, and its dimension, unit and name; any other one is ``channel`` without a unit."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read a WITec project; the schema is that of the module."""
    import witio

    data = path.read_bytes()
    _walk(data, path)
    project = witio.read_bytes(data)
    children: dict[str, xr.Dataset] = {}
    other: dict[str, int] = {}
    texts: dict[str, str] = {}
    for entry in project.data:
        if entry.class_name == "TDGraph":
            children[free(str(entry.caption or ""), children, "graph")] = _graph(entry, path)
        elif entry.class_name == "TDText":
            texts[str(entry.caption)] = _text(entry)
        else:
            other[entry.class_name] = other.get(entry.class_name, 0) + 1
    if not children:
        raise ReadError(path, f"holds no graph; it holds {json.dumps(other)}")
    version = project.system_metadata.get("application_version", "")
    header = {"system": project.system_metadata, "texts": texts}
    return tree(children, header=header, instrument=f"WITec {version}".strip(), not_read=json.dumps(other))


def _walk(data: bytes, path: Path) -> None:
    """Refuse a file in which a tag does not lie inside its parent, one behind the other."""
    tags = 0
    ends = [len(data)]
    offset = 8
    while offset < ends[0]:
        while offset >= ends[-1] and len(ends) > 1:
            ends.pop()
        if offset >= ends[0]:
            break
        tags += 1
        (length,) = unpack("<I", data, offset, path)
        kind, begin, end = unpack("<IQQ", data, offset + 4 + length, path)
        if begin != offset + 24 + length or not begin <= end <= ends[-1] or len(ends) > MAX_DEPTH or tags > MAX_TAGS:
            problem = f"tag from byte {begin} to {end} in one that ends at {ends[-1]}"
            raise ReadError(path, problem, f"byte {offset:#x}")
        if kind == 0:
            ends.append(end)
            offset = begin
        else:
            offset = end


def _graph(entry: Any, path: Path) -> xr.Dataset:
    values = np.asarray(entry.array()).transpose(1, 0, 2)
    position, unit = entry.x_axis()
    axis = AXES.get(str(unit), ("channel", "1", f"channel ({unit})"))
    if np.shape(position) != values.shape[2:] or not np.isfinite(position).all():
        raise ReadError(path, f"graph '{entry.caption}': {values.shape[2]} values on an axis of {np.shape(position)}")
    if values.dtype.kind not in "iuf":
        raise ReadError(path, f"graph '{entry.caption}' holds values of type {values.dtype}")
    dataset = spectra(axis, position, values, ("y", "x")).assign_attrs(caption=str(entry.caption))
    tag = entry.payload.find("SpaceTransformationID")
    place = None if tag is None else entry.project.find_by_id(tag.scalar())
    if place is not None and place.class_name == "TDSpaceTransformation":
        for name, grid in zip("xy", entry.position_grid(), strict=True):
            dataset[f"{name}_position"] = variable(("y", "x"), np.transpose(grid), "um", f"position {name}")
    elif place is not None and place.class_name == "TDLinearTransformation":  # a series in time
        moments, unit = place.apply_transform(np.arange(values.shape[1], dtype=float))
        dataset = dataset.rename(x="time").assign_coords(time=variable("time", moments, str(unit), "time"))
    return dataset.squeeze([dim for dim in ("y", "x") if dataset.sizes.get(dim) == 1])


def _text(entry: Any) -> str:
    try:
        return str(entry.text())
    except Exception as error:  # texts of newer projects are laid out otherwise; the spectra are not lost for them
        return f"(not read: {error})"
