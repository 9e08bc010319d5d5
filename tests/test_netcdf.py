"""Results that were damaged on the disk are told, and never read as numbers."""

import errno

import h5py
import numpy as np
import pytest
import xarray as xr
from relaxor.core import netcdf
from relaxor.core.errors import ResultError
from relaxor.core.storage import save_tree


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
            netcdf.trees(stored)


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
