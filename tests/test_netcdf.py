"""Results that were damaged on the disk are told, and never read as numbers."""

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


def test_a_single_changed_bit_in_the_numbers_is_noticed(stored):
    content, whole = stored.read_bytes(), netcdf.trees(stored)["m"]["y"].values
    noticed = 0
    for place in np.random.default_rng(2).integers(len(content), size=60):
        damaged = bytearray(content)
        damaged[place] ^= 4
        stored.write_bytes(damaged)
        try:
            assert (netcdf.trees(stored)["m"]["y"].values == whole).all()
        except (ResultError, KeyError):
            noticed += 1
    assert noticed > 40  # other bits are in fields of the format that nobody reads


@pytest.mark.parametrize("end", [0, 100, -100])
def test_a_truncated_file_is_named_with_what_to_do(stored, end):
    stored.write_bytes(stored.read_bytes()[:end])
    with pytest.raises(ResultError, match=r"curves.nc: is damaged \(.*\); delete it, and the next run makes it again"):
        netcdf.trees(stored)
