"""Bruker .brml: the real files against their .raw twins, and hostile containers."""

import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.common import containers

from tests.public_files import present
from tests.readers.samples.diffraction import ROUTE

FILES = {
    "BaZrS3.brml": (2448, 10.0001, 59.99775, 651, 3457, 369105, 38.4),
    "SbI3.brml": (1399, 10.0001, 59.98753, 1493, 8412, 430508, 76.8),
    "ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.brml": (3427, 10.0001, 80.0009, 595, 5634, 500050, 96.0),
    "GTT-01-02_Mn2ZnN2.brml": (1399, 10.0001, 59.9951, 3335, 8096, 3167582, 76.8),
}
ROWS = "<Datum>2,5</Datum><Datum>2,9</Datum>"


def container(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_real_files_hold_what_is_known_of_them(rawfiles, subtests):
    for path, (points, low, high, first, largest, total, time) in present(rawfiles / "xrd/bruker_brml", FILES):
        with subtests.test(path.name):
            tree = read(path)
            assert list(tree.children) == ["scan_1"]
            scan = tree["scan_1"]
            counts, angle = scan["intensity"].to_numpy(), scan["two_theta"].to_numpy()
            assert (counts.size, counts[0], counts.max(), counts.sum()) == (points, first, largest, total)
            assert (angle[0], angle[-1]) == pytest.approx((low, high), abs=6e-5)
            assert scan.attrs["counting_time"] == pytest.approx(time)
            assert (scan.attrs["anode"], scan.attrs["voltage"], scan.attrs["wavelength_alpha1"]) == ("Cu", 40.0, 1.5406)
            assert scan["intensity"].attrs["units"] == "count"


def test_both_formats_of_one_scan_agree(rawfiles, subtests):
    for name in ("BaZrS3", "SbI3", "ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min"):
        with subtests.test(name):
            ours = read(rawfiles / f"xrd/bruker_brml/{name}.brml")["scan_1"]
            raw = read(rawfiles / f"xrd/bruker_raw/{name}.raw")["scan_1"]
            assert np.array_equal(ours["intensity"], raw["intensity"])
            assert np.allclose(ours["two_theta"], raw["two_theta"], rtol=0, atol=1e-9)


def test_columns_are_where_the_file_says_and_the_absorber_is_kept(rawfiles):
    tree = read(rawfiles / "xrd/bruker_brml/23-012-AG_2thomegascan_long.brml")
    scan = tree["scan_1"]
    assert tree.attrs["acquired"].startswith("2023-01-26T15:23:09")
    assert scan.sizes["two_theta"] == 2001
    assert np.allclose(scan["two_theta"], 44 + 0.002 * np.arange(2001))
    assert float(scan["intensity"].max()) == pytest.approx(495559.8)
    assert float((scan["intensity"] * scan["absorption_factor"]).max()) == pytest.approx(4113146.34)
    assert float(scan["theta"][-1]) == 20.028
    assert {"rec_sp_x", "rec_sp_y", "rec_sp_z", "measured_time"} <= set(scan.data_vars)


def test_several_raw_data_become_scans_in_their_order(tmp_path):
    members = {
        f"Experiment0/RawData{number}.xml": ROUTE.format(rows=f"<Datum>2,{number}</Datum>") for number in (10, 2, 0)
    }
    tree = read(container(tmp_path / "many.brml", members))
    assert [float(scan["intensity"][0]) for scan in tree.children.values()] == [0, 2, 10]
    assert tree["scan_1"].attrs["counting_time"] == 2


ENTITY = '<!DOCTYPE RawData [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + ROUTE.format(rows=ROWS).replace(
    "LockedCoupled", "&b;"
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ENTITY, r"member Experiment0/RawData0\.xml: is not readable XML \(EntitiesForbidden"),
        (ROUTE.format(rows=ROWS)[:-40], "is not readable XML"),
        (ROUTE.format(rows="<Datum>2,5</Datum><Datum>2</Datum>"), "Datum 1: 1 numbers where 2 are expected"),
        (ROUTE.format(rows="<Datum>2,x</Datum>"), "'x' is not a number"),
        (ROUTE.format(rows="<Datum>2,nan</Datum>"), "intensities that are not finite numbers"),
        (ROUTE.format(rows=ROWS).replace('Start="1"', 'Start="7"'), "column 7 to 7 named 'counter1' of 2 columns"),
        (ROUTE.format(rows=ROWS).replace("Count", "Volt"), "no counter among the columns"),
        (ROUTE.format(rows=""), "holds no measured point"),
    ],
)
def test_broken_contents_are_named(tmp_path, content, message):
    path = container(tmp_path / "broken.brml", {"Experiment0/RawData0.xml": content})
    with pytest.raises(ReadError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_TOTAL_BYTES", 4 << 20)
    members = {"Experiment0/RawData0.xml": ROUTE.format(rows=ROWS), "Experiment0/Bomb.xml": bytes(5 << 20)}
    path = container(tmp_path / "bomb.brml", members)
    assert path.stat().st_size < 1 << 14
    with pytest.raises(ReadError, match="would unpack to 5 MiB; more than 4 MiB are refused"):
        read(path)


def test_one_huge_member_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_MEMBER_BYTES", 1 << 20)
    rows = "<Datum>2,5</Datum>" * 70_000
    path = container(tmp_path / "huge.brml", {"Experiment0/RawData0.xml": ROUTE.format(rows=rows)})
    with pytest.raises(ReadError, match=r"Experiment0/RawData0\.xml: unpacks to 1 MiB; more than 1 MiB are refused"):
        read(path)


@given(cut=st.integers(0, 10_000), place=st.integers(0, 10_000), value=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_damaged_containers_are_read_or_refused_and_nothing_else(tmp_path, cut, place, value):
    path = container(tmp_path / "damaged.brml", {"Experiment0/RawData0.xml": ROUTE.format(rows=ROWS)})
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[place % len(whole)] = value
    for content in (whole[: cut % len(whole)], bytes(changed)):
        path.write_bytes(content)
        try:
            assert read(path).children
        except ReadError as error:
            assert str(path) in str(error)
