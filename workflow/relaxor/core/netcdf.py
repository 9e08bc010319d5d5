"""Trees of datasets in netCDF-4 files, written and read through h5py.

Writing with xarray through h5netcdf looks up every dimension of every variable again and takes some 40 ms per group,
whereas files of a thousand spectra need a few milliseconds per group. The layout is that of the netCDF-4 format (HDF5
dimension scales; CF attributes by the encoder of xarray), so that xarray, h5netcdf and netCDF-C open these files like
any other.
"""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from relaxor.core.errors import ResultError
from relaxor.core.pieces import LARGE, Key, Parts, slices, stored

DAMAGE = (errno.EIO,)
"""Errors of the operating system that concern the content of a file; most damage is found by HDF5, without a number."""
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
INTERNAL = frozenset({"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"})
COMPRESSED_FROM = 256
"""Smaller variables are stored without compression."""
COMPRESSION = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "fletcher32": True}


CHUNK = 1 << 20
"""Bytes of a chunk of a large variable."""


class _Disk(FileIO):
    """A file for HDF5. Errors are kept until HDF5 has closed it, because HDF5 ends the process if it meets one."""

    error: OSError | None = None

    def write(self, content: Any) -> int:
        """Write all of some bytes."""
        left = memoryview(content).cast("B")
        while left and not self.error:
            left = left[self._tried(super().write, left) or 0 :]
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        """Cut the file."""
        return self._tried(super().truncate, size) or 0

    def _tried(self, function: Callable[[Any], int], argument: Any) -> int | None:
        try:
            return function(argument)
        except OSError as error:
            self.error = error
        return None


def write(path: Path | str, groups: Iterable[tuple[str, xr.Dataset]], attrs: Mapping[str, Any]) -> None:
    """Write datasets as groups (``"a"``, ``"a/b"``, parents first or not at all); the same bytes every time.

    The groups are written one after the other, and large variables in pieces.
    """
    with _Disk(path, "w+") as disk:
        with h5py.File(disk, "w", track_order=True) as file:
            file.attrs.update(attrs)
            for name, dataset in groups:
                group = file
                for part in name.split("/"):
                    group = group[part] if part in group else group.create_group(part, track_order=True)
                _write_group(group, dataset)
                if disk.error:
                    break
        if disk.error:
            raise disk.error


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


def parts(path: Path | str) -> dict[str, tuple[dict[str, Any], Mapping[str, xr.Dataset]]]:
    """Return attributes and children of each group of a file, in the order in which they were written."""
    with _opened(path) as file:
        return {
            name: (_attributes(group), Parts(_children(group), partial(_read, path, _read_group, name)))
            for name, group in file.items()
        }


def attributes(path: Path | str) -> dict[str, dict[str, Any]]:
    """Return the attributes of each group of a file without reading its data."""
    with _opened(path) as file:
        return {name: _attributes(group) for name, group in file.items()}


def trees(path: Path | str, names: Iterable[str] | None = None) -> Mapping[str, xr.DataTree]:
    """Return groups of a file with everything below them; all groups if none are named."""
    with _opened(path) as file:
        wanted = tuple(file if names is None else names)
        if absent := [name for name in wanted if name not in file]:
            raise ResultError(f"{path}: holds no {', '.join(absent)}; delete it, and the next run makes it again")
    return Parts(wanted, partial(_read, path, _read_tree, ""))


def _read(path: Path | str, function: Callable[[h5py.Group], Any], above: str, name: str) -> Any:
    with _opened(path) as file:
        return function(file[f"{above}/{name}"])


def _children(group: h5py.Group) -> tuple[str, ...]:
    return tuple(name for name, part in group.items() if isinstance(part, h5py.Group))


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
            written = _write_variable(group, str(name), variable)
            for index, dimension in enumerate(variable.dims):
                written.dims[index].attach_scale(scales[dimension])


def _write_variable(group: h5py.Group, name: str, variable: xr.Variable) -> h5py.Dataset:
    encoded = xr.conventions.encode_cf_variable(variable, name=name)
    options = COMPRESSION if encoded.size > COMPRESSED_FROM else {}
    if encoded.dtype.kind in "UO":
        content = np.asarray(encoded.values).astype(object)
        written = group.create_dataset(name, content.shape, h5py.string_dtype(), content, **options)
    elif encoded.nbytes > LARGE:
        written = group.create_dataset(name, encoded.shape, encoded.dtype, chunks=_chunks(encoded), **options)
        for rows in slices(encoded):
            written[rows] = encoded[rows].values
    else:
        written = group.create_dataset(name, encoded.shape, encoded.dtype, encoded.values, **options)
    written.attrs.update(encoded.attrs)
    return written


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Return a chunk that is long in the last dimensions, because images and spectra are read whole."""
    left, sizes = CHUNK // variable.dtype.itemsize, []
    for size in reversed(variable.shape):
        sizes.append(max(min(size, left), 1))
        left //= sizes[-1]
    return tuple(reversed(sizes))


def _read_tree(group: h5py.Group) -> xr.DataTree:
    return xr.DataTree(_read_group(group), {child: _read_tree(group[child]) for child in _children(group)})


def _read_group(group: h5py.Group) -> xr.Dataset:
    members = {name: member for name, member in group.items() if isinstance(member, h5py.Dataset)}
    # A dimension is found by its place in the file, because HDF5 searches the whole file for the name of a reference.
    places = {h5py.h5o.get_info(member.id).addr: name for name, member in members.items() if member.is_scale}
    variables = {}
    for name, member in members.items():
        if _label(member).startswith(NO_VARIABLE):
            continue
        scales = [member.id] * member.ndim
        if "DIMENSION_LIST" in member.attrs:
            scales = [h5py.h5r.dereference(first, group.id) for first, *_ in member.attrs["DIMENSION_LIST"]]
        dims = [places[h5py.h5o.get_info(scale).addr] for scale in scales]
        variables[name] = xr.Variable(dims, _values(member), _attributes(member))
    return xr.decode_cf(xr.Dataset(variables, attrs=_attributes(group)), decode_times=False)


def _values(member: h5py.Dataset) -> Any:
    """Return the values of a variable; those of a large one stay in the file."""
    if h5py.check_string_dtype(member.dtype):
        return member.asstr()[()]
    if member.nbytes <= LARGE:
        return member[()]
    return stored(member.shape, member.dtype, partial(_read_part, member.file.filename, member.name))


def _read_part(path: str, name: str, key: Key) -> np.ndarray:
    with _opened(path) as file:
        return np.asarray(file[name][key])


def _label(member: h5py.Dataset) -> str:
    label = member.attrs.get("NAME", "")
    return label.decode() if isinstance(label, bytes) else str(label)


def _attributes(thing: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    return {key: value for key, value in thing.attrs.items() if key not in INTERNAL}
