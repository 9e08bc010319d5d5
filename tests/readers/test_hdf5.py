"""HDF5 files whose structure alone would take long: they are refused before they are read."""

import io
import time

import h5py
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


@pytest.mark.parametrize(
    ("add", "told"),
    [
        (attributes, "holds more than 50 attributes"),
        (depth, "holds more than 64 groups within each other"),
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


HEAP = b"GCOL\1\0\0\0" + (48).to_bytes(8, "little") + b"\1\0" + bytes(6) + (10).to_bytes(8, "little") + bytes(16)
"""A global heap with one object of ten bytes."""


def reference(heap: int, length: int) -> bytes:
    return length.to_bytes(4, "little") + heap.to_bytes(8, "little") + (1).to_bytes(4, "little")


def test_texts_of_many_heaps_are_examined_in_one_pass(tmp_path):
    number, path = 20_000, tmp_path / "a.h5"
    heaps = [5 + len(HEAP) * index for index in range(number)]
    sound = bytes(5) + HEAP * number + b"".join(reference(heap, 10) for heap in heaps) + bytes(40 << 20)
    path.write_bytes(sound)
    before = time.process_time()
    assert hdf5.text_damage(path) == (0, "")
    assert time.process_time() - before < SECONDS
    for heap in (heaps[0], heaps[-1]):
        path.write_bytes(sound + b"x" + reference(heap, 11))
        assert hdf5.text_damage(path) == (len(sound) + 1, hdf5.LONG_TEXT)


def test_more_texts_than_can_be_examined_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(bytes(5) + HEAP + reference(5, 10) * (hdf5.MAX_REFERENCES + 2))
    _, problem = hdf5.text_damage(path)
    assert problem == "there are more than 1000000 texts of variable length"
