"""PHI spectra: the real files against published values, the writer, and damage of every kind."""

import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.photoemission import phi_spe as phi_reader
from relaxor.simulation.writers.phi_spe import Region, write

from tests.public_files import present
from tests.readers.samples.photoemission import PHI_HEADER, phi

PUBLISHED = {
    "phi_spe/SnO2_10nm.spe": {"Su1s": (1751, 1400.0, 0.0, 54866.66796875, 417658.34375)},
    "phi_spe/test0.spe": {
        "1su": (3401, 1355.0, -5.0, 13712.5, 17187.5),
        "F1s": (161, 695.0, 675.0, 1793.75, 4412.5),
    },
    "phi_pro/SnO2_10nm_1.pro": {
        "Su1s": (1751, 1400.0, 0.0, 68015.875372, 523163.108631),
        "C1s": (101, 298.0, 278.0, 2543.035958, 3711.964588),
        "Si2p": (101, 114.0, 94.0, 2971.845465, 5906.310047),
        "Sn3d5": (101, 500.0, 480.0, 14500.0, 115275.0),
    },
}
"""File, region, and points, ends of the axis, first and largest value."""


def test_real_files_hold_published_values_and_whole_counts(rawfiles, subtests):
    for path, facts in present(rawfiles / "xps", PUBLISHED):
        with subtests.test(path.name):
            tree = read(path)
            assert set(tree.children) == set(facts)
            for region, (points, first_energy, last_energy, first, largest) in facts.items():
                dataset = tree[region].to_dataset()
                spectrum = dataset["intensity"]
                counts = spectrum.to_numpy() * dataset.attrs["counting_time"]
                assert np.abs(counts - np.round(counts)).max() < 0.02
                errors = dataset["intensity_uncertainty"].to_numpy() * dataset.attrs["counting_time"]
                np.testing.assert_allclose(errors, np.sqrt(np.maximum(counts, 1)), rtol=1e-6)
                if "cycle" in spectrum.dims:
                    assert spectrum.sizes["cycle"] == 21
                    spectrum = spectrum.mean("cycle")
                assert spectrum.sizes == {"binding_energy": points}
                ends = dataset["binding_energy"].to_numpy()[[0, -1]]
                assert ends == pytest.approx([first_energy, last_energy])
                assert (float(spectrum[0]), float(spectrum.max())) == pytest.approx((first, largest), rel=2e-7)


def test_the_header_and_what_is_no_spectrum_are_kept(rawfiles):
    tree = read(rawfiles / "xps/phi_pro/SnO2_10nm_1.pro")
    header = json.loads(tree.attrs["header"])
    assert header["NoDPDataCyc"] == "21"
    assert [np.shape(record["values"]) for record in header["other_records"]] == [(4, 21), (4, 21)]
    assert tree.attrs["acquired"] == "2024-01-22"
    assert tree.attrs["instrument"] == "PHI VersaProbe 4"
    assert tree["C1s"].attrs["transmission_coefficients"] == [40.0, 0.2]


def test_cycles_of_a_depth_profile_and_records_that_are_no_spectra(tmp_path):
    """The two regions of the file become two cycles of one, and then the first becomes no spectrum at all."""
    data = bytearray(phi())
    words = data.index(b"\n", data.index(b"EOFH")) + 1 + 16
    region, cycles, size = (words + 4 * index for index in (3, 6, 19))
    struct.pack_into("<I", data, cycles, 2)
    struct.pack_into("<I", data, size, 160)
    (tmp_path / "profile.pro").write_bytes(data)
    profile = read(tmp_path / "profile.pro")["C1s"]["intensity"]
    assert profile.dims == ("cycle", "binding_energy") and profile["cycle"].values.tolist() == [1, 2]
    np.testing.assert_allclose(profile[0] * 0.8, np.arange(20) ** 2, rtol=1e-6)
    np.testing.assert_allclose(profile[1] * 0.8, np.arange(20) ** 2 + 1, rtol=1e-6)
    struct.pack_into("<I", data, region, 0)
    (tmp_path / "other.spe").write_bytes(data)
    tree = read(tmp_path / "other.spe")
    (record,) = json.loads(tree.attrs["header"])["other_records"]
    assert record["record"] == 1 and np.shape(record["values"]) == (2, 20) and list(tree.children) == ["C1s"]
    assert tree["C1s"].attrs["transmission_coefficients"] == [40.0, 0.2]


def test_regions_of_one_name_are_told_apart(tmp_path):
    (tmp_path / "a.spe").write_bytes(phi())
    tree = read(tmp_path / "a.spe")
    assert list(tree.children) == ["C1s", "C1s_2"]
    assert float(tree["C1s_2"]["intensity"][0]) == pytest.approx(1 / 0.8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(0, 10**6), min_size=2, max_size=40),
    time=st.floats(0.01, 100),
    first=st.floats(1, 1400),
    step=st.floats(0.025, 1),
)
def test_what_is_written_is_read(tmp_path, counts, time, first, step):
    path = tmp_path / "written.spe"
    path.write_bytes(write([Region("Cu2p", 29, first, -step, np.array(counts), time, 55.0)], PHI_HEADER))
    region = phi_reader.extract(path)["Cu2p"].to_dataset()
    np.testing.assert_allclose(region["intensity"] * time, counts, rtol=1e-6, atol=1e-9)
    # The header has four decimals.
    np.testing.assert_allclose(region["binding_energy"], first - step * np.arange(len(counts)), atol=1e-4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 10**4), place=st.integers(0, 10**4), byte=st.integers(0, 255))
def test_damaged_bytes_give_a_tree_or_a_read_error(tmp_path, cut, place, byte):
    data = bytearray(phi())
    data[place % len(data)] = byte
    path = tmp_path / "damaged.spe"
    path.write_bytes(b"SOFH\n" + bytes(data[6 : len(data) - cut % len(data)]))
    try:
        assert read(path).children
    except ReadError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"EOFH", b"EOFX", "no line EOFH"),
        (b"f4\0\0", b"f9\0\0", "values of type b'f9'; f4 or f8 expected"),
        (b"c/s", b"c/m", "unit b'c/m'; c/s expected"),
        (b"C1s 6 20", b"C1s 6 21", "has 20 points, header says 21"),
        (b"C1s 6 20", b"C1s 6 xx", "cannot read the region"),
        (struct.pack("<2I", 80, 208), struct.pack("<2I", 80, 10**9), "announces 20 values of 4 bytes"),
        (struct.pack("<2I", 20, 1), struct.pack("<2I", 10**9, 1), "1 × 1000000000 values in 80 bytes"),
        (struct.pack("<f", 1 / 0.8), struct.pack("<f", np.nan), "values that are not finite"),
    ],
)
def test_a_broken_file_is_named_with_its_place(tmp_path, old, new, message):
    data = phi()
    assert old in data
    path = tmp_path / "broken.spe"
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(ReadError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert caught.value.where
