"""Text, XML and packed scans of other diffractometers: the real files, their pairs, and damage."""

import bz2
import gzip
import io
import re
import tarfile
import zipfile

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present, shared
from tests.readers.samples.diffraction import PANALYTICAL_CSV, RAS, RIGAKU_DAT, UXD, XRDML, rasx, rd
from tests.readers.samples.sample import zip_of, zipped

# folder/file → (points, first and last angle, first and largest intensity, sum where it is known)
FILES = {
    "bruker_uxd/BT86_.UXD": (2374, 3.0, 40.0, 187, 5774, 918372),
    "bruker_uxd/sample2.uxd": (876, 4.98, 39.98, 665, 12880, 550306),
    "bruker_uxd/sample3.uxd": (3601, 3.99, 75.99, 2668, 47700, 6703135),
    "bruker_uxd/CDLY14F34.UXD": (3921, 4.5, 89.99912, 162, 4661, 265867),
    "bruker_uxd/synchro.uxd": (4157, 5.05, 46.61, 141, 18545, 1625755),
    "rigaku_dat/sample2r.dat": (876, 5.0, 40.0, 665, 12880, 550306),
    "rigaku_dat/sample3r.dat": (3601, 4.0, 76.0, 2668, 47700, 6703135),
    "philips_rd/CORUNDUM.RD": (7251, 5.0, 150.0, 182, 6872, 902300),
    "philips_rd/Sample2.rd": (877, 4.98, 40.02, 660, 12859, 548507),
    "panalytical_xrdml/empyrean.xrdml": (196, 30.05, 41.75, 8, 22, None),
    "panalytical_xrdml/examples.xrdml": (3998, 15.02343, 119.98691, 10704, 78809, None),
    "panalytical_xrdml/m54313_om2th_10.xrdml": (1800, 26.025, 79.995, 0, 352876, None),
    "panalytical_xrdml/210520step1_30min.xrdml": (4489, 5.00835563, 80.0085308, 1719, 10718, None),
    "panalytical_csv/210520step1_30min.csv": (4489, 5.00835563, 80.0085308, 1719, 10718, None),
    "rigaku_rasx/TwoTheta_scan_powder.rasx": (2726, 10.0, 119.0, 170.55354309082, 1698.50854492188, None),
    "rigaku_rasx/Omega-2Theta_scan_high_temperature.rasx": (1042, 44.0, 48.9968, 2.16424083709717, 811.226867675781, None),  # noqa: E501
}  # fmt: skip


def test_real_files_hold_what_is_known_of_them(rawfiles, subtests):
    for path, (points, low, high, first, largest, total) in present(rawfiles / "xrd", FILES):
        with subtests.test(path.name):
            tree = read(path)
            scan = tree["scan_1"]
            intensity, angle = scan["intensity"].to_numpy(), scan["two_theta"].to_numpy()
            assert list(tree.children) == ["scan_1"]
            assert intensity.size == points
            assert (angle[0], angle[-1]) == pytest.approx((low, high), abs=6e-5)
            assert (intensity[0], intensity.max()) == (first, largest)
            assert total is None or intensity.sum() == total
            assert (scan["intensity"].attrs["units"], scan["two_theta"].attrs["units"]) == ("count", "degree")


def test_maps_keep_every_scan_with_its_place(rawfiles):
    folder = rawfiles / "xrd/panalytical_xrdml"
    mesh = read(folder / "m82762_rc1mm_1_16dg_src_slit_phi-101_3dg_-420_mesh_long.xrdml")["map_1"].to_dataset()
    assert mesh["intensity"].shape == (101, 255)
    assert (mesh["intensity"].values[0, 0], mesh["intensity"].values.max()) == (41, 41963840)
    assert (mesh["two_theta"].values[0, 0], mesh["two_theta"].values[-1, -1]) == (67.45053915, 69.95146085)
    assert mesh["omega"].dims == ("scan",) and float(mesh["omega"][0]) == 60.9727
    packed = read(folder / "rsm_1.xrdml.bz2")
    assert packed.attrs["packed_format"] == "panalytical_xrdml"
    space = packed["map_1"].to_dataset()
    assert space["intensity"].shape == (401, 255)
    ends = (float(space["two_theta"].min()), float(space["two_theta"].max()))
    assert ends == pytest.approx((67.675504, 69.581096), abs=1e-6)


def test_absorber_is_undone_and_the_detector_s_counts_are_kept(rawfiles):
    scan = read(rawfiles / "xrd/panalytical_xrdml/m54313_om2th_10.xrdml")["scan_1"]
    assert (scan["counts"].max(), scan["intensity"].max()) == (14602, 352876)
    np.testing.assert_allclose(scan["intensity"], scan["counts"] * scan["attenuation_factor"])


def test_packed_ras_file_holds_both_scans(rawfiles):
    tree = read(rawfiles / "xrd/rigaku_ras/inas_layer_radial_002_004.ras.bz2")
    assert (tree.attrs["format"], tree.attrs["packed_format"]) == ("packed", "rigaku_ras")
    assert len(tree.children) == 2
    scan = tree["scan_1"]
    assert (scan["intensity"].size, float(scan["intensity"].max())) == (1501, 255407232.0)
    assert (float(scan["two_theta"][0]), float(scan["two_theta"][-1])) == (26.5, 32.5)
    assert scan.attrs["wavelength_alpha1"] == 1.540593 and scan.attrs["anode"] == "Cu"


def intensity(rawfiles, name):
    return read(rawfiles / "xrd" / name)["scan_1"]["intensity"].to_numpy()


def test_raw_files_and_their_exports_agree(rawfiles):
    def same(one, other):
        np.testing.assert_array_equal(intensity(rawfiles, one), intensity(rawfiles, other))

    same("bruker_raw/BT86.raw", "bruker_uxd/BT86_.UXD")
    same("bruker_raw/sample2.raw", "bruker_uxd/sample2.uxd")
    same("bruker_raw/sample2.raw", "rigaku_dat/sample2r.dat")
    same("bruker_uxd/sample3.uxd", "rigaku_dat/sample3r.dat")
    same("panalytical_xrdml/210520step1_30min.xrdml", "panalytical_csv/210520step1_30min.csv")
    difference = intensity(rawfiles, "philips_rd/Sample2.rd")[:876] - intensity(rawfiles, "bruker_raw/sample2.raw")
    assert np.abs(difference).max() == 21  # the format's square-root packing


def columns(rawfiles, name):
    tree = read(rawfiles / "xrd/ascii_xy" / name)
    assert re.search("neither what its columns are nor their units|nothing says in which unit", tree.attrs["warnings"])
    return tree["table"]["column_1"].to_numpy(), tree["table"]["column_2"].to_numpy()


def test_two_column_exports_equal_their_raw_files(rawfiles):
    angle, counts = columns(rawfiles, "210520step1_30min.xy")
    np.testing.assert_array_equal(counts, intensity(rawfiles, "panalytical_xrdml/210520step1_30min.xrdml"))
    angle, counts = columns(rawfiles, "ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.truth.xy")
    for name in ("bruker_raw/ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.raw",
                 "bruker_brml/ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.brml"):  # fmt: skip
        np.testing.assert_array_equal(counts, intensity(rawfiles, name))
        np.testing.assert_allclose(angle, read(rawfiles / "xrd" / name)["scan_1"]["two_theta"], atol=1e-4)
    angle, rate = columns(rawfiles, "SbI3.xy")  # counts per second, though nothing in the file says so
    assert (angle.size, rate[0]) == (1399, 19.44)
    np.testing.assert_allclose(rate, intensity(rawfiles, "bruker_brml/SbI3.brml") / 76.8, atol=6e-4)
    angle, counts = columns(rawfiles, "bruker_output.txt")
    np.testing.assert_array_equal(counts, intensity(rawfiles, "bruker_raw/brukerraw_test.RAW"))


def test_conditions_are_kept(rawfiles):
    tree = read(rawfiles / "xrd/panalytical_xrdml/210520step1_30min.xrdml")
    attrs = tree["scan_1"].attrs
    assert tree.attrs["acquired"] == "2021-05-20T15:55:51+02:00"
    assert (attrs["wavelength_alpha1"], attrs["anode"], attrs["voltage"], attrs["current"]) == (1.540598, "Cu", 45, 40)
    assert attrs["counting_time"] == 50.165
    export = read(rawfiles / "xrd/panalytical_csv/210520step1_30min.csv")
    assert export.attrs["acquired"] == "2021-05-20T15:55:00"
    assert {key: export["scan_1"].attrs[key] for key in ("counting_time", "voltage", "wavelength_alpha1")} == {
        "counting_time": 50.165, "voltage": 45.0, "wavelength_alpha1": 1.540598,
    }  # fmt: skip


def test_counting_times_of_real_rigaku_scans(rawfiles):
    tree = read(rawfiles / "xrd/rigaku_dat/sample2r.dat")
    assert "named cps, but whole numbers at 10 s a step: read as counts" in tree.attrs["warnings"]
    powder = read(rawfiles / "xrd/rigaku_rasx/TwoTheta_scan_powder.rasx")["scan_1"]
    assert powder.attrs["counting_time"] == pytest.approx(2.4)  # 0.04 degree at 1 degree a minute


# --- without the real files ----------------------------------------------------------------------------------------
def given(tmp_path, content):
    path = tmp_path / "scan.bin"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rates_have_the_poisson_uncertainty_of_their_counts(tmp_path):
    scan = read(given(tmp_path, UXD.replace("_COUNTS", "_CPS")))["scan_1"]
    assert scan["intensity"].attrs["units"] == "count/s"
    np.testing.assert_allclose(scan["intensity_uncertainty"], np.sqrt(np.array([9, 16, 25, 36, 49]) * 2) / 2)


def test_the_speed_of_a_rigaku_scan_gives_its_counting_time(tmp_path):
    speed = '*MEAS_SCAN_STEP "0.1"\n*MEAS_SCAN_SPEED "3.0"\n*MEAS_SCAN_SPEED_UNIT "deg/min"\n*RAS_HEADER_END'
    text = RAS.replace("*RAS_HEADER_END", speed).replace('UNIT_Y "counts"', 'UNIT_Y "cps"')
    scan = read(given(tmp_path, text))["scan_1"]
    assert scan.attrs["counting_time"] == pytest.approx(2.0)
    np.testing.assert_allclose(scan["intensity_uncertainty"], np.sqrt(np.array([9, 16, 25, 36, 49]) * 2) / 2)


def test_counts_named_rates_are_recognised_by_being_whole(tmp_path):
    rates = RIGAKU_DAT.replace("counts", "cps").replace("*BEGIN", "*SPEED = 10\n*SPEED_DIM = sec.\n*BEGIN")
    tree = read(given(tmp_path, rates))
    assert "named cps, but whole numbers at 10 s a step: read as counts" in tree.attrs["warnings"]
    assert tree["scan_1"]["intensity"].attrs["units"] == "count"
    broken = read(given(tmp_path, rates.replace("49", "49.5")))
    assert "warnings" not in broken.attrs and broken["scan_1"]["intensity"].attrs["units"] == "count/s"


def test_scans_of_an_area_are_a_map(tmp_path):
    part = XRDML[XRDML.index("<scan ") : XRDML.index("</xrdMeasurement>")]
    second = part.replace("90.0", "91.0").replace("9 16", "10 17")
    image = read(given(tmp_path, XRDML.replace(part, part + second)))["map_1"].to_dataset()
    assert image["intensity"].dims == ("scan", "point") and image["phi"].values.tolist() == [90, 91]
    assert image["intensity"].values.tolist() == [[9, 16, 25, 36, 49], [10, 17, 25, 36, 49]]
    assert image["two_theta"].shape == image["omega"].shape == (2, 5)


def test_scans_that_repeat_each_other_stay_apart(tmp_path):
    """Each of them can be analysed, and their times tell them."""
    part = XRDML[XRDML.index("<scan ") : XRDML.index("</xrdMeasurement>")]
    second = part.replace("10:12:00", "11:12:00").replace("9 16", "10 17")
    tree = read(given(tmp_path, XRDML.replace(part, part + second)))
    assert list(tree.children) == ["scan_1", "scan_2"]
    assert tree["scan_2"]["intensity"].values.tolist() == [10, 17, 25, 36, 49]
    assert tree["scan_2"].attrs["acquired"] == "2024-11-05T11:12:00+01:00"


def test_scans_of_a_container_keep_their_second_axis(tmp_path):
    """Scans of a detector at two angles of incidence are a map; of a coupled scan no resting axis is given."""
    with zipfile.ZipFile(io.BytesIO(rasx())) as container:
        first = {name: container.read(name).decode() for name in container.namelist()}
    members = {}
    for number in range(2):
        axes = f'<Axes><Axis Name="Omega" Position="17.{number}"/><Axis Name="TwoTheta" Position="39"/></Axes>'
        for name, content in first.items():
            later = content.replace("10:12:00", f"10:12:0{number}").replace("</MeasurementC", f"{axes}</MeasurementC")
            members[name.replace("0", str(number))] = later
    tree = read(given(tmp_path, zip_of(members)))
    image = tree["map_1"].to_dataset()
    assert image["intensity"].dims == ("scan", "point") and image["omega"].values.tolist() == [17.0, 17.1]
    assert image["elapsed_time"].values.tolist() == [0, 1] and image["two_theta"].shape == (2, 5)
    coupled = {name: content.replace(">TwoTheta<", ">TwoThetaOmega<") for name, content in members.items()}
    scans = read(given(tmp_path, zip_of(coupled)))
    assert list(scans.children) == ["scan_1", "scan_2"] and "omega" not in scans["scan_1"].attrs


@pytest.mark.costly
def test_a_real_reciprocal_space_map():
    """Counts and angles of the members of the container; ω goes from 17.702 to 21.702 degree in 401 steps."""
    path = shared("cases/x03-reciprocal-map-rasx/RSM_111_sdd=350.rasx")
    image = read(path)["map_1"].to_dataset()
    assert dict(image.sizes) == {"scan": 401, "point": 301}
    assert image["omega"].values[[0, 1, -1]] == pytest.approx([17.702, 17.712, 21.702])
    with zipfile.ZipFile(path) as container:
        row = container.read("Data400/Profile400.txt").decode("utf-8-sig").split()[-3:]
    assert (float(image["two_theta"][-1, -1]), float(image["intensity"][-1, -1])) == (float(row[0]), float(row[1]))
    repeated = read(shared("cases/x05-repeated-scans-xrdml/repeated.xrdml"))
    assert [scan.attrs["acquired"][11:16] for scan in repeated.children.values()] == ["11:13", "12:13"]


def test_an_axis_in_the_rows_wins(tmp_path):
    text = UXD.replace("_COUNTS\n9 16\n25 36\n49", "_2THETACOUNTS\n10.0 9 10.5 16\n11.5 25")
    assert read(given(tmp_path, text))["scan_1"]["two_theta"].values.tolist() == [10.0, 10.5, 11.5]


def test_corrected_intensities_give_back_the_detector_s_counts(tmp_path):
    text = XRDML.replace("</dataPoints>", "<beamAttenuationFactors>1 1 10 10 1</beamAttenuationFactors></dataPoints>")
    corrected = read(given(tmp_path, text.replace("counts", "intensities")))["scan_1"]
    assert corrected["counts"].values.tolist() == [9, 16, 2.5, 3.6, 49]
    assert corrected["intensity"].values.tolist() == [9, 16, 25, 36, 49]
    raw = read(given(tmp_path, text))["scan_1"]
    assert raw["intensity"].values.tolist() == [9, 16, 250, 360, 49]
    np.testing.assert_allclose(raw["intensity_uncertainty"], [3, 4, 50, 60, 7])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (UXD.replace("_START=10.0\n", ""), "range 1, line 7: the range has no number _START"),
        (UXD.replace("36", "3x6"), "'3x6' is not a number"),
        (UXD.replace("_DRIVE='COUPLED'", "_DRIVE='AUX7'"), "scans the unknown axis 'AUX7'"),
        (UXD[: UXD.index("_COUNTS")], "holds no range of counts"),
        (RIGAKU_DAT.replace("*COUNT = 5", "*COUNT = 7"), "announces 7 points and holds 5"),
        (RAS.replace('UNIT_Y "counts"', 'UNIT_Y "volts"'), "intensities in 'volts'; expected counts or cps"),
        (RAS[: RAS.index("*RAS_INT_END")], "ends before \\*RAS_INT_END"),
        (XRDML.replace("<counts", "<tallies").replace("</counts", "</tallies"), "scan 1: the scan has no intensities"),
        (XRDML.replace("25", "nan"), "1 of 5 intensities are not finite numbers"),
        (XRDML[:-40], "is not readable XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + XRDML, "EntitiesForbidden"),
        (PANALYTICAL_CSV.replace("No. of points,5", "No. of points,6"), "announces 6 points and holds 5"),
        (PANALYTICAL_CSV.replace("10.2,25", "10.2"), "row 3 of the scan points is '10.2'"),
        (rd(points=7, stored=5), "announces 7 values of 2 bytes"),
        (rd(step=float("nan")), "in steps of nan degrees"),
        (b"V3SD" + rd()[4:], "is a Philips file of kind V3SD"),
        (rasx(count=6), "announces 6 points and holds 5"),
        (rasx(without="xml"), "holds Data0/Profile0.txt but not Data0/MesurementConditions0.xml"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"scan.bin.*{message}"):
        read(given(tmp_path, content))


# --- packed files --------------------------------------------------------------------------------------------------
def tar(**members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lambda text: tar(scan=text, notes=b"hello"),
                                  lambda text: zipped(scan=text, notes=b"hello")])  # fmt: skip
def test_one_packed_file_is_read(tmp_path, pack):
    tree = read(given(tmp_path, pack(UXD.encode())))
    assert (tree.attrs["format"], tree.attrs["packed_format"]) == ("packed", "bruker_uxd")
    assert tree["scan_1"]["intensity"].values.tolist() == [9, 16, 25, 36, 49]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(a=b"hello", b=b"hello"), "holds no file that can be read: format not recognised"),
        (zipped(a=b"hello"), "a: format not recognised"),
        (zipped(a=zipped(a=UXD)), "a: is packed twice: unpack it first"),
        (gzip.compress(bytes(300 << 20)), "unpacks to more than 256 MiB"),
        (bz2.compress(UXD.encode())[:-20], "is damaged"),
    ],
)  # fmt: skip
def test_packed_files_that_cannot_be_read_say_why(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"scan.bin.*{message}"):
        read(given(tmp_path, content))
