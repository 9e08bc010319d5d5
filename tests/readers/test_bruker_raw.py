"""Bruker .raw: the real files against what is known of them, the writer and back, and damaged bytes."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present, shared
from tests.readers.samples.diffraction import raw_1, raw_2, raw_3, raw_4
from tests.readers.samples.sample import COUNTS

# file → (points, first and last angle, first, largest and summed counts) of each range
FILES = {
    "BT86.raw": [(2374, 3.0, 40.00029, 187, 5774, 918372)],
    "Cu3Au-2.raw": [(3901, 22.0, 100.0, 73, 375, 106505)],
    "format1.raw": [
        (101, 10.0, 20.0, 10, 20, 873),
        (26, 30.0, 35.0, 6, 18, 169),
        (51, 40.0, 45.0, 4, 58, 390),
    ],
    "sample2.raw": [(876, 4.98, 39.98, 665, 12880, 550306)],
    "sample5.raw": [(5751, 4.99, 119.99, 6234, 99204, 20110136)],
    "CORKLZ20.RAW": [(2501, 10.0, 60.0, 10, 2716, 171162)],
    "BaZrS3.raw": [(2448, 10.0001, 59.99775, 651, 3457, 369105)],
    "SbI3.raw": [(1399, 10.0001, 59.98753, 1493, 8412, 430508)],
    "ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.raw": [(3427, 10.0001, 80.0009, 595, 5634, 500050)],
    "brukerraw_test.RAW": [(3501, 5.0, 60.0046, 24353, 346471, 22987314)],
    "bruker.raw": [(4059, 37.0001, 120.0046, 7264, 94855, 32881728)],
    "CO_1.raw": [(3911, 10.0001, 89.97737, 6318, 9815, 27293086)],
    "JW6.raw": [(3911, 10.0001, 89.97737, 5047, 5627, 14485613)],
}


def test_real_files_hold_what_is_known_of_them(rawfiles, subtests):
    for path, ranges in present(rawfiles / "xrd/bruker_raw", FILES):
        with subtests.test(path.name):
            tree = read(path)
            assert list(tree.children) == [f"scan_{number}" for number in range(1, len(ranges) + 1)]
            for scan, known in zip(tree.children.values(), ranges, strict=True):
                counts, angle = scan["intensity"].to_numpy(), scan["two_theta"].to_numpy()
                points, low, high, first, largest, total = known
                assert counts.size == points
                assert (angle[0], angle[-1]) == pytest.approx((low, high), abs=6e-5)
                assert (counts[0], counts.max(), counts.sum()) == (first, largest, total)
                assert scan["intensity"].attrs["units"] == "count"
                assert scan["two_theta"].attrs["units"] == "degree"
                assert np.allclose(scan["intensity_uncertainty"], np.sqrt(np.maximum(counts, 1)))


def test_conditions_of_the_measurement_are_kept(rawfiles):
    tree = read(rawfiles / "xrd/bruker_raw/BT86.raw")
    attrs = tree["scan_1"].attrs
    assert tree.attrs["acquired"] == "2010-03-04T20:59:14"
    assert (attrs["counting_time"], attrs["voltage"], attrs["current"]) == (0.5, 45, 40)
    assert (attrs["anode"], attrs["wavelength_alpha1"], attrs["scan_type"]) == ("Cu", 1.5406, "locked coupled")
    newer = read(rawfiles / "xrd/bruker_raw/BaZrS3.raw")
    assert newer.attrs["acquired"] == "2025-05-09T12:24:11"
    assert newer["scan_1"].attrs["goniometer_radius"] == 280.0
    assert read(rawfiles / "xrd/bruker_raw/CORKLZ20.RAW").attrs["acquired"] == "1994-04-27T13:36:30"


def test_a_peer_reading_is_met_point_by_point(rawfiles):
    scan = read(rawfiles / "xrd/bruker_raw/brukerraw_test.RAW")["scan_1"]
    table = np.loadtxt(rawfiles / "xrd/ascii_xy/bruker_output.txt", skiprows=1)
    assert np.array_equal(scan["intensity"], table[:, 1])
    assert np.allclose(scan["two_theta"], table[:, 0], atol=1e-4)


def test_stoe_files_of_the_same_extension_are_refused_by_name(rawfiles):
    with pytest.raises(ReadError, match=r"stoe\.raw: byte 0x0: is a STOE powder file \(RAW_1\.06Powdat\)"):
        read(rawfiles / "xrd/stoe_raw/stoe.raw")


# --- without the real files ------------------------------------------------------------------------------------------
def given_file(tmp_path, content):
    path = tmp_path / "scan.raw"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("magic", [True, False])
def test_further_ranges_may_lack_the_magic(tmp_path, magic):
    tree = read(given_file(tmp_path, raw_1(ranges=3, magic=magic)))
    assert [scan["intensity"].values.tolist() for scan in tree.children.values()] == [COUNTS] * 3


def test_a_rocking_curve_runs_along_theta(tmp_path):
    tree = read(given_file(tmp_path, raw_3(kind=3, ranges=2)))
    assert list(tree.children) == ["scan_1", "scan_2"]
    np.testing.assert_allclose(tree["scan_2"]["theta"], [5.0, 5.1, 5.2, 5.3, 5.4])
    assert tree["scan_2"].attrs["scan_type"] == "rocking curve"


@pytest.mark.parametrize("content", [raw_1(ranges=2)[: -156 - 22], raw_2()[:-2], raw_3(ranges=2)[:-326], raw_4()[:-2]])
def test_a_stopped_measurement_gives_its_whole_points(tmp_path, content):
    tree = read(given_file(tmp_path, content))
    assert list(tree.children) == ["scan_1"]
    assert tree["scan_1"]["intensity"].values.tolist() == [9, 16, 25, 36]
    assert "5 points announced, 4 are there" in tree.attrs["warnings"]


def test_a_real_stopped_measurement_is_the_beginning_of_the_whole_one():
    folder = shared("cases/x06-stopped-raw4")
    whole, stopped = (read(folder / name)["scan_1"] for name in ("TiO2.raw", "stopped.raw"))
    assert (whole["intensity"].size, stopped["intensity"].size) == (1647, 1146)
    np.testing.assert_array_equal(stopped["intensity"], whole["intensity"][:1146])
    np.testing.assert_array_equal(stopped["two_theta"], whole["two_theta"][:1146])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw_1()[:-20], "byte 0x9c: announces 5 values of 4 bytes"),
        (raw_1()[:100], "ends early"),
        (raw_2(length=20), "byte 0x100: range header of 20 bytes; at least 48 expected"),
        (raw_2()[:230], "ends early"),
        (raw_3(length=100), "byte 0x2c8: range header of 100 bytes; at least 304 expected"),
        (raw_3(kind=9), "byte 0x38c: scan type 9 is not known"),
        (raw_3(ranges=0), "holds no scan"),
        (raw_3()[:8] + struct.pack("<II", 1, 20_000) + raw_3()[16:], "announces 20000 ranges"),
        (b"RAW_1.06Powdat" + bytes(100), r"is a STOE powder file \(RAW_1\.06Powdat\)"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"scan.raw: .*{message}"):
        read(given_file(tmp_path, content))


@given(
    counts=st.lists(st.integers(0, 2**24), min_size=1, max_size=50),
    start=st.floats(-10, 100),
    step=st.floats(1e-4, 1),
    scans=st.integers(1, 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_what_is_written_is_read_back(tmp_path, counts, start, step, scans):
    path = tmp_path / "scan.raw"
    path.write_bytes(raw_4(counts, start, step, scans))
    tree = read(path)
    assert len(tree.children) == scans
    scan = tree[f"scan_{scans}"]
    assert np.array_equal(scan["intensity"], counts)
    assert np.allclose(scan["two_theta"], start + step * np.arange(len(counts)))
    assert scan.attrs["counting_time"] == 96.0
    assert "SIMULATED" in tree.attrs["header"]


def test_data_of_eight_bytes_give_the_count_first(tmp_path):
    content = bytearray(raw_4([10, 20, 30, 40]))
    content[-16 - (160 + 184) + 136 : -16 - (160 + 184) + 140] = struct.pack("<I", 8)
    content[-16 - (160 + 184) + 88 : -16 - (160 + 184) + 92] = struct.pack("<I", 2)
    path = tmp_path / "eight.raw"
    path.write_bytes(content)
    scan = read(path)["scan_1"]
    assert scan["intensity"].to_numpy().tolist() == [10, 30]
    assert scan["auxiliary"].to_numpy().tolist() == [[20], [40]]


def test_counts_that_are_no_numbers_are_named(tmp_path):
    path = tmp_path / "nan.raw"
    path.write_bytes(raw_4([1, 2, 3])[:-4] + struct.pack("<f", float("nan")))
    with pytest.raises(ReadError, match=r"nan\.raw: range at byte .*, point 2: 1 of 3 intensities are not finite"):
        read(path)


def test_a_range_longer_than_the_file_is_refused_before_it_is_read(tmp_path):
    content = bytearray(raw_4([1, 2, 3]))
    place = content.index(b"Locked Coupled") - 32 + 88
    content[place : place + 4] = struct.pack("<I", 1_000_000_000)
    path = tmp_path / "long.raw"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="announces 1000000000 values"):
        read(path)


SMALL = raw_4(range(20), scans=2)


@given(cut=st.integers(0, len(SMALL) - 1), place=st.integers(7, len(SMALL) - 1), value=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path, cut, place, value):
    path = tmp_path / "damaged.raw"
    changed = bytearray(SMALL)
    changed[place] = value
    for content in (SMALL[:cut], bytes(changed)):
        path.write_bytes(content)
        try:
            assert read(path).children
        except ReadError as error:
            assert str(path) in str(error)
