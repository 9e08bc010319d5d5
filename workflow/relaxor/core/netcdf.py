"""Trees of datasets in netCDF-4 files, written and read through h5py.

Writing with xarray through h5netcdf looks up every dimension of every variable again and takes some 40 ms per group,
whereas files of a thousand spectra need a few milliseconds per group. The layout is that of the netCDF-4 format (HDF5
dimension scales; CF attributes by the encoder of xarray), so that xarray, h5netcdf and netCDF-C open these files like
any other.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from relaxor.core.errors import ResultError

DAMAGE = (errno.EIO,)
"""Errors of the operating system that concern the content of a file; most damage is found by HDF5, without a number."""
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
INTERNAL = frozenset({"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"})
COMPRESSED_FROM = 256
"""Smaller variables are stored without compression."""
COMPRESSION = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}


def write(path: Path | str, groups: Mapping[str, xr.Dataset], attrs: Mapping[str, Any]) -> None:
    """Write datasets as groups (``"a"``, ``"a/b"``, parents first or not at all); the same bytes every time."""
    # The file is made in memory and written at once, because HDF5 ends the process if the disk is full.
    with h5py.File("in memory", "w", driver="core", backing_store=False, track_order=True) as file:
        file.attrs.update(attrs)
        for name, dataset in groups.items():
            group = file
            for part in name.split("/"):
                group = group[part] if part in group else group.create_group(part, track_order=True)
            _write_group(group, dataset)
        file.flush()
        content = file.id.get_file_image()
    Path(path).write_bytes(content)


@contextmanager
def _opened(path: Path | str) -> Iterator[h5py.File]:
    """Open a file to read; damage, which checksums of its chunks also tell, is a `ResultError`."""
    try:
        with h5py.File(path, "r", track_order=True) as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        if getattr(error, "errno", None) not in (None, *DAMAGE):
            raise
        raise ResultError(f"{path}: is damaged ({error}); delete it, and the next run makes it again") from error


def read(path: Path | str) -> Iterator[tuple[str, dict[str, Any], dict[str, xr.Dataset]]]:
    """Yield name, attributes and children of each group of a file, in the order in which they were written."""
    with _opened(path) as file:
        for name, group in file.items():
            children = {child: _read_group(part) for child, part in group.items() if isinstance(part, h5py.Group)}
            yield name, _attributes(group), children


def attributes(path: Path | str) -> dict[str, dict[str, Any]]:
    """Return the attributes of each group of a file without reading its data."""
    with _opened(path) as file:
        return {name: _attributes(group) for name, group in file.items()}


def trees(path: Path | str, names: Iterable[str] | None = None) -> dict[str, xr.DataTree]:
    """Load groups of a file with everything below them; all groups if none are named."""
    with _opened(path) as file:
        wanted = list(file if names is None else names)
        if absent := [name for name in wanted if name not in file]:
            raise ResultError(f"{path}: holds no {', '.join(absent)}; delete it, and the next run makes it again")
        return {name: _read_tree(file[name]) for name in wanted}


def _write_group(group: h5py.Group, dataset: xr.Dataset) -> None:
    variables, attrs = xr.conventions.encode_dataset_coordinates(dataset)
    group.attrs.update(attrs)
    scales = {}
    for dimension, size in dataset.sizes.items():
        if dimension in variables:
            scales[dimension] = _write_variable(group, str(dimension), variables[dimension])
            scales[dimension].make_scale(str(dimension))
        else:
            scales[dimension] = group.create_dataset(str(dimension), (size,), "f4")
            scales[dimension].make_scale(f"{NO_VARIABLE}{size:10d}")
    for name, variable in variables.items():
        if name not in scales:
            stored = _write_variable(group, str(name), variable)
            for index, dimension in enumerate(variable.dims):
                stored.dims[index].attach_scale(scales[dimension])


def _write_variable(group: h5py.Group, name: str, variable: xr.Variable) -> h5py.Dataset:
    encoded = xr.conventions.encode_cf_variable(variable, name=name)
    values = np.asarray(encoded.values)
    kind = h5py.string_dtype() if values.dtype.kind in "UO" else values.dtype
    options = COMPRESSION if values.size > COMPRESSED_FROM else {}
    values = values.astype(object) if values.dtype.kind == "U" else values
    stored = group.create_dataset(name, values.shape, kind, values, **options)
    stored.attrs.update(encoded.attrs)
    return stored


def _read_tree(group: h5py.Group) -> xr.DataTree:
    parts = {child: _read_tree(part) for child, part in group.items() if isinstance(part, h5py.Group)}
    return xr.DataTree(_read_group(group), parts)


def _read_group(group: h5py.Group) -> xr.Dataset:
    members = {name: stored for name, stored in group.items() if isinstance(stored, h5py.Dataset)}
    # A dimension is found by its place in the file, because HDF5 searches the whole file for the name of a reference.
    places = {h5py.h5o.get_info(stored.id).addr: name for name, stored in members.items() if stored.is_scale}
    variables = {}
    for name, stored in members.items():
        if _label(stored).startswith(NO_VARIABLE):
            continue
        scales = [stored.id] * stored.ndim
        if "DIMENSION_LIST" in stored.attrs:
            scales = [h5py.h5r.dereference(first, group.id) for first, *_ in stored.attrs["DIMENSION_LIST"]]
        dims = [places[h5py.h5o.get_info(scale).addr] for scale in scales]
        values = stored.asstr()[()] if h5py.check_string_dtype(stored.dtype) else stored[()]
        variables[name] = xr.Variable(dims, values, _attributes(stored))
    return xr.decode_cf(xr.Dataset(variables, attrs=_attributes(group)), decode_times=False)


def _label(stored: h5py.Dataset) -> str:
    label = stored.attrs.get("NAME", "")
    return label.decode() if isinstance(label, bytes) else str(label)


def _attributes(thing: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    return {key: value for key, value in thing.attrs.items() if key not in INTERNAL}
