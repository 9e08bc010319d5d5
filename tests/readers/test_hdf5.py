"""HDF5 files whose structure alone would take long: they are refused before they are read."""

import io
import time

import h5py
import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.common import hdf5

from tests.readers.samples import CONTENTS
from tests.readers.test_fuzz import SECONDS


def attributes(group: h5py.Group) -> None:
    for number in range(60):
        group.attrs[str(number)] = 1


def depth(group: h5py.Group) -> None:
    for _ in range(100):
        group = group.create_group("deeper")


def heaps(group: h5py.Group) -> None:
    heap = b"GCOL\1\0\0\0" + (16).to_bytes(8, "little")
    group["pixels"] = np.frombuffer(heap * 100_000, np.uint8)


@pytest.mark.parametrize(
    ("add", "told"),
    [
        (attributes, "holds more than 50 attributes"),
        (depth, "holds more than 64 groups within each other"),
        (heaps, "more global heaps of texts than are looked through"),
    ],
)
def test_a_structure_that_would_take_long_is_refused(tmp_path, monkeypatch, add, told):
    monkeypatch.setattr(hdf5, "MAX_ATTRIBUTES", 50)
    stream = io.BytesIO(CONTENTS["delmic_h5"])
    with h5py.File(stream, "r+", libver="latest") as file:
        add(next(iter(file.values())))
    (tmp_path / "a.h5").write_bytes(stream.getvalue())
    before = time.process_time()
    with pytest.raises(ReadError, match=told):
        read(tmp_path / "a.h5")
    assert time.process_time() - before < SECONDS
