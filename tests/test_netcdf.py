"""Results that were damaged on the disk are told, and never read as numbers."""

import errno
import gc
import weakref

import h5py
import numpy as np
import pytest
import xarray as xr
from relaxor.core import netcdf
from relaxor.core.errors import ResultError
from relaxor.core.results import Number, Result
from relaxor.core.storage import load_parameters, save_results, save_tree


@pytest.fixture
def stored(tmp_path):
    values = np.random.default_rng(1).normal(size=5000)
    save_tree(tmp_path / "curves.nc", {"m": xr.Dataset({"y": ("x", values, {"units": "V"})})})
    return tmp_path / "curves.nc"


def test_every_changed_byte_of_the_numbers_is_noticed(stored):
    content = stored.read_bytes()
    with h5py.File(stored) as file:
        chunk = file["m/y"].id.get_chunk_info(0)
    for place in range(chunk.byte_offset, chunk.byte_offset + chunk.size, chunk.size // 40):
        damaged = bytearray(content)
        damaged[place] ^= 4
        stored.write_bytes(damaged)
        with pytest.raises(ResultError, match="is damaged"):
            dict(netcdf.trees(stored))


def test_a_measurement_that_is_not_there_is_named(stored):
    with pytest.raises(ResultError, match=r"curves.nc: holds no n, o; delete it"):
        netcdf.trees(stored, ["m", "n", "o"])


def test_a_file_that_may_not_be_read_is_not_called_damaged(stored, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(stored))

    monkeypatch.setattr(netcdf.h5py, "File", refused)
    with pytest.raises(PermissionError):
        netcdf.trees(stored)


@pytest.mark.parametrize("end", [0, 100, -100])
def test_a_truncated_file_is_named_with_what_to_do(stored, end):
    stored.write_bytes(stored.read_bytes()[:end])
    with pytest.raises(ResultError, match=r"curves.nc: is damaged \(.*\); delete it, and the next run makes it again"):
        netcdf.trees(stored)


@pytest.mark.costly
def test_one_result_at_a_time_is_held(tmp_path):
    made: list[weakref.ref[xr.Dataset]] = []

    def results():
        for number in range(5):
            curve = xr.Dataset({"y": ("x", np.arange(3.0), {"units": "V"})})
            made.append(weakref.ref(curve))
            yield Result([Number(f"m{number}", "line", "slope", float(number))], {f"m{number}/curve": curve})
            del curve
            gc.collect()
            assert sum(each() is not None for each in made) <= 1

    files = [tmp_path / name for name in ("parameters.csv", "budget.csv", "curves.nc")]
    save_results(*files, results(), "raman")
    assert load_parameters(files[0])["value"].tolist() == [0, 1, 2, 3, 4]
    assert list(netcdf.trees(files[2])) == [f"m{number}" for number in range(5)]


@pytest.mark.parametrize("shape", [(7, 30, 20), (4000,)])
def test_large_arrays_are_written_and_read_in_pieces(tmp_path, monkeypatch, shape):
    for module, name, size in (("netcdf", "LARGE", 1000), ("netcdf", "CHUNK", 500), ("pieces", "PIECE", 3000)):
        monkeypatch.setattr(f"relaxor.core.{module}.{name}", size)
    values = np.random.default_rng(3).normal(size=shape)
    dims = ("frame", "y", "x")[-len(shape) :]
    save_tree(tmp_path / "a.nc", {"m": xr.Dataset({"image": (dims, values, {"units": "count"})})})
    (tree,) = netcdf.trees(tmp_path / "a.nc").values()
    read: list[int] = []
    part = netcdf._read_part
    monkeypatch.setattr(netcdf, "_read_part", lambda *place: read.append((found := part(*place)).size) or found)
    (tree,) = netcdf.trees(tmp_path / "a.nc").values()
    np.testing.assert_array_equal(tree["image"][2], values[2])
    assert read == [values[2].size]
    np.testing.assert_array_equal(tree["image"], values)
