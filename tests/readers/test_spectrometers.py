"""Raman formats of other makers: the real files, their pairs, and damage."""

import struct

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present
from tests.readers.samples.spectra import horiba, mat, old_spc, spc, wdf, wip

# folder/file → (number of spectra, points, ends of the axis, first and largest value)
SPC = {
    "witec_spc/Witec_timeseries3x_SPC.Data 1.spc": (3, 1024, 28.670397, 3891.3201, 627, 2863),
    "witec_spc/PST_WITEcAlpha532_100x_075_10000ms_000_Spec.Data 1.spc": (1, 1600, -37.885609, 3731.9321, 1011, 1567),
    "galactic_spc/nCal_Qontor785_z005H12_100_1x3s.spc": (1, 1021, 1111.1084, -154.50195, 1729.1606, 82330.57),
    "galactic_spc/PST_Reflex532_Z050_010_10000msx2.spc": (1, 2578, 3501.0625, 100.26548, 930.53387, 37800.812),
    "galactic_spc/PST10_iR532_Probe_100_3000msx7.spc": (1, 3808, 175, 3982, 6891.9351, 62999.492),
    "galactic_spc/RAMAN.SPC": (1, 3632, 3996.8232, -3005.9561, 0.017102122, 137.45338),
    "galactic_spc/Ft-ir.spc": (1, 1776, 4000, 450, 95.137497, 100),
    "galactic_spc/s_xy.spc": (1, 512, 1.0866667, 6.0171666, 45333, 673534),
    "galactic_spc/NMR_FID.SPC": (1, 16384, 0, 0.3268608, 0, 36845624),
    "galactic_spc/HENE25.SPC": (1, 51, 15820, 15815, 154, 87372),
    "galactic_spc/DERt3_1.spc": (1, 1024, 731.58966, 541.15039, 8693, 8825),
}


def first_variable(dataset):
    return dataset[next(iter(dataset.data_vars))]


def peer_values(path):
    """The values of a Galactic file as another library reads them."""
    from spc_io import SPC as LIBRARY

    with path.open("rb") as stream:
        return [part.yarray for part in LIBRARY.from_bytes_io(stream)._subs]


def test_galactic_files_hold_what_is_known_of_them_and_what_the_library_reads(rawfiles, subtests):
    for path, (number, points, low, high, first, largest) in present(rawfiles / "raman_shg", SPC):
        with subtests.test(path.name):
            values = first_variable(read(path)["spectra"].to_dataset())
            axis = values[values.dims[1]].to_numpy()
            assert values.shape == (number, points)
            assert (axis[0], axis[-1]) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
            assert (float(values[0, 0]), float(values.max())) == pytest.approx((first, largest), rel=1e-7)
            np.testing.assert_array_equal(values, peer_values(path))


def test_subfiles_with_axes_of_their_own(rawfiles):
    tree = read(rawfiles / "raman_shg/galactic_spc/m_xyxy.spc")
    assert len(tree.children) == 512
    first = tree["spectrum_1"]
    assert first["mass_to_charge"].size == 8
    ends = (float(first["mass_to_charge"][0]), float(first["mass_to_charge"][-1]))
    assert ends == pytest.approx((43.9, 25.85))  # not the 16943.6 of the text beside the file, whose exponent is wrong
    assert (float(first["intensity"][0]), float(first["intensity"].max())) == (6823, 17704)


def test_galactic_units_and_the_text_beside_the_file_agree(rawfiles):
    folder = rawfiles / "raman_shg"
    for name, axis, unit in (("RAMAN.SPC", "raman_shift", "1/cm"), ("s_xy.spc", "time", "min")):
        assert read(folder / "galactic_spc" / name)["spectra"][axis].attrs["units"] == unit
    (expected,) = folder.glob("*/RAMAN.SPC.txt")
    shift, intensity = np.loadtxt(expected).T
    spectrum = read(folder / "galactic_spc/RAMAN.SPC")["spectra"]
    np.testing.assert_allclose(spectrum["raman_shift"], shift, rtol=0, atol=1e-4)
    np.testing.assert_allclose(spectrum["intensity"][0], intensity, rtol=0, atol=5e-9)


def test_a_resampled_export_is_not_the_raw_spectrum_and_says_so(rawfiles):
    folder = rawfiles / "raman_shg"
    name = "nCal_Qontor785_z005H12_100_1x3s"
    raw, text = read(folder / f"renishaw_wdf/{name}.wdf")[name], read(folder / f"renishaw_txt/{name}.txt")["spectrum"]
    np.testing.assert_allclose(raw["raman_shift"], text["raman_shift"][::-1], atol=5e-7)
    np.testing.assert_allclose(raw["intensity"], text["intensity"][::-1], rtol=1e-8)
    assert (raw["intensity"].size, float(raw["intensity"].max())) == (1021, pytest.approx(87313.117))
    export = read(folder / f"galactic_spc/{name}.spc")
    assert "may have been re-sampled" in export.attrs["warnings"]
    again = np.interp(export["spectra"]["raman_shift"], raw["raman_shift"], raw["intensity"])
    assert np.abs(again - export["spectra"]["intensity"][0]).max() < 1.2


WDF = {
    "renishaw_test_linescan.wdf": ("Simple_mapping_measurement_1", (5, 40), "wavelength", "nm", 2.9576428),
    "renishaw_test_map.wdf": ("Simple_mapping_measurement", (3, 3, 47), "wavelength", "nm", 4.1271667),
    "renishaw_test_zscan.wdf": ("Depth_series_acquisition_8", (40, 1015), "raman_shift", "1/cm", 140.61102),
    "interrupted_acquisition.wdf": ("StreamHR_image_acquisition", (3, 4, 1010), "raman_shift", "1/cm", 3979.3081),
}


def test_renishaw_maps(rawfiles, subtests):
    for path, (child, shape, axis, unit, largest) in present(rawfiles / "raman_shg/renishaw_wdf", WDF):
        with subtests.test(path.name):
            tree = read(path)
            intensity = tree[child]["intensity"]
            assert intensity.shape == shape
            assert tree[child][axis].attrs["units"] == unit
            assert intensity.attrs["units"] == "count"
            assert float(intensity.max()) == pytest.approx(largest, rel=1e-7)
            unfinished = "Unfinished measurement" in tree.attrs.get("warnings", "")
            assert unfinished == (path.stem == "interrupted_acquisition")


def test_renishaw_spectrum_and_its_places(rawfiles):
    folder = rawfiles / "raman_shg/renishaw_wdf"
    tree = read(folder / "renishaw_test_spectrum.wdf")
    spectrum = tree["Single_scan_measurement_7"]
    expected = [65.36617, 67.51018, 60.00703, 62.75381, 64.59786, 61.309525]
    assert spectrum["intensity"].values[:6] == pytest.approx(expected)
    assert spectrum["wavelength"].values[:2] == pytest.approx([326.01633, 326.101])
    assert tree.attrs["acquired"] == "2022-02-16T13:01:31"
    image = read(folder / "renishaw_test_map.wdf")["Simple_mapping_measurement"]
    np.testing.assert_allclose(image["x"], [-1e-4, 0, 1e-4], atol=1e-12)
    assert image["wavelength"].values[:2] == pytest.approx([346.7724758716342, 346.7724758716342 + 0.0848807], abs=1e-3)
    line = read(folder / "renishaw_test_linescan.wdf")["Simple_mapping_measurement_1"]
    assert line["intensity"].values[0, :4] == pytest.approx([0.0, 1.1029433, 1.1034185, 0.0])
    assert line["intensity"].values[4, :4] == pytest.approx([0.7349788, 1.4705911, 0.36780614, -0.73592895])
    np.testing.assert_allclose(np.diff(line["abs_distance"]), 30e-6)


def test_spectra_that_do_not_fit_their_axes_are_not_averaged(rawfiles):
    tree = read(rawfiles / "raman_shg/renishaw_wdf/renishaw_test_undefined.wdf")
    intensity = tree["spectra"]["intensity"]
    assert intensity.shape == (2, 1015)
    assert (float(intensity[0, 0]), float(intensity.max())) == (pytest.approx(262.752), pytest.approx(349.54773))
    assert "the axes do not fit 2 spectra of 1015 points" in tree.attrs["warnings"]
    assert "acquired" not in tree.attrs


def test_real_old_container_and_pointers_are_refused_by_name(rawfiles):
    folder = rawfiles / "raman_shg"
    with pytest.raises(ReadError, match=r"WXD container of an old WiRE.*\.wdf, \.spc or \.txt"):
        read(folder / "renishaw_wxd/PST_Reflex532_Z050_010_10000msx2.wxd")
    for name in ("Witec-Map (Header).txt", "LabRam-1.spc"):
        (pointer,) = folder.glob(f"*/{name}")
        with pytest.raises(ReadError, match="git-LFS pointer"):
            read(pointer)


def test_labspec_files(rawfiles):
    folder = rawfiles / "raman_shg/horiba_xml"
    tree = read(folder / "jobinyvon_test_spec.xml")
    spectrum = tree["jobinyvon_test_spec"]
    assert (spectrum["intensity"].shape, spectrum["intensity"].attrs["units"]) == ((34,), "count/s")
    assert (float(spectrum["intensity"].max()), float(spectrum["intensity"].sum())) == (1496, 28624)
    assert (float(spectrum["wavelength"][0]), float(spectrum["wavelength"][-1])) == (522.574, 537.361)
    assert tree.attrs["acquired"] == "2022-06-27T16:26:24"
    assert spectrum.attrs["integration_time"] == 2.0  # two accumulations of one second
    image = read(folder / "jobinyvon_test_map_x3-y2.xml")["jobinyvon_test_map_x3-y2"]
    assert image["intensity"].shape == (2, 3, 34)
    assert (float(image["intensity"].max()), float(image["intensity"].sum())) == (295.5, 30224)
    np.testing.assert_allclose(image["x"], [-2e-6, 0, 2e-6], atol=1e-12)
    assert (float(image["wavelength"][0]), float(image["wavelength"][-1])) == (720.924, 771.797)


def test_witec_projects_equal_their_exports(rawfiles):
    folder = rawfiles / "raman_shg"
    project = read(folder / "witec_wip/Si-data.WIP")
    image, series = project["Map_000_Spec.Data 1_F"], project["Time Series_000_Spec.Data 1"]
    assert (image["intensity"].dims, image["intensity"].shape) == (("y", "x", "raman_shift"), (5, 5, 1024))
    assert (series["intensity"].dims, series["intensity"].shape) == (("time", "raman_shift"), (100, 1024))
    ends = (float(image["raman_shift"][0]), float(image["raman_shift"][-1]))
    assert ends == pytest.approx((87.73667, 2821.30621), abs=1e-5)
    table = np.loadtxt(folder / "witec_txt/Witec-Map_no.txt")
    np.testing.assert_array_equal(image["intensity"].to_numpy().reshape(25, 1024), table[:, 1:].T)
    scans = read(folder / "witec_wip/LineScans.WIP")
    assert [child["intensity"].shape for child in scans.children.values()] == [(50, 1024), (50, 1024)]
    line = scans["LineX_000_Spec.Data 1"]
    assert float(line["intensity"].max()) == 65535
    ends = (float(line["raman_shift"][0]), float(line["raman_shift"][-1]))
    assert ends == pytest.approx((107.18574, 3378.06988), abs=1e-5)


def test_witec_map_for_matlab_equals_its_text(rawfiles):
    folder = rawfiles / "raman_shg"
    tree = read(folder / "witec_mat/P_A32_007_Spec.Data 1.mat")
    (image,) = tree.children.values()
    table = np.loadtxt(folder / "witec_txt/P_A32_007_Spec.Data 1.txt")
    assert image["intensity"].shape == (17, 13, 1024)
    np.testing.assert_allclose(image["intensity"].to_numpy().reshape(221, 1024), table[:, 1:].T)
    ends = (float(image["raman_shift"][0]), float(image["raman_shift"][-1]))
    assert ends == pytest.approx((28.17528, 3891.58547), abs=1e-5)


# --- without the real files ----------------------------------------------------------------------------------------
def given(tmp_path, content):
    path = tmp_path / "spectrum.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [0x4B, 0x4C])
@pytest.mark.parametrize("flags", [0, 0x80])
def test_galactic_layouts_of_one_axis(tmp_path, version, flags):
    tree = read(given(tmp_path, spc(flags, version)))
    assert tree["spectra"]["raman_shift"].values.tolist() == [100, 101, 102, 103, 104]
    assert tree["spectra"]["intensity"].values.tolist() == [[9, 16, 25, 36, 49]]
    assert tree.attrs["acquired"] == "2024-11-12T14:03:00"


def test_galactic_exponents_are_signed_and_of_the_subfile(tmp_path):
    scaled = read(given(tmp_path, spc(0x04, exponent=7, own=-1, subfiles=2)))["spectra"]["intensity"]
    np.testing.assert_array_equal(scaled[0], np.array([9, 16, 25, 36, 49]) * 2.0**-33)
    single = read(given(tmp_path, spc(exponent=7, own=0)))["spectra"]["intensity"]
    np.testing.assert_array_equal(single[0], np.array([9, 16, 25, 36, 49]) * 2.0**-25)
    assert len(read(given(tmp_path, spc(0xC4, subfiles=3))).children) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (spc(points=2_000_000_000), "announces 2000000000 values"),
        (spc(0x04, subfiles=9)[:-40], "announces 5 values of 4 bytes|ends early"),
        (old_spc()[:-4], "announces 52 values of 1 bytes, file has 272 bytes"),
        (wdf(length=10**15), "block 'DATA' of 1000000000000000 bytes"),
        (wdf().replace(b"XLST", b"ABCD"), "holds no block XLST; its blocks are WDF1, DATA, ABCD, YLST"),
        (wip(begin=8), "tag from byte 8 to"),
        (mat()[:-20], "is not a valid MATLAB 5 file: .* bytes follow"),
        (mat().replace(b"axisscale", b"axisskale"), "holds no dataset object with data and axisscale"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"spectrum.bin.*({message})"):
        read(given(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [old_spc(), old_spc(exponent=128), old_spc(0x04, 3, 2, own=17), old_spc(0x04, 17, 2)],
    ids=["integers", "floats", "subfiles with exponents", "subfiles without"],
)
def test_galactic_files_from_before_1996(tmp_path, content):
    """The layout is that of the maker's description, which three public programs follow; no real file was at hand."""
    tree = read(given(tmp_path, content + bytes(7)))
    spectra = tree["spectra"]
    np.testing.assert_array_equal(spectra["intensity"], [[9, 16, 25, 36, 49]] * spectra.sizes["spectrum"])
    assert spectra["raman_shift"].values.tolist() == [100, 101, 102, 103, 104]
    assert spectra["z"].values.tolist() == [0, 0.5][: spectra.sizes["spectrum"]]
    assert tree.attrs["acquired"] == "1994-11-12T14:03:00"
    assert "7 bytes behind the last whole subfile are not read" in tree.attrs["warnings"]


def test_negative_values_from_before_1996(tmp_path):
    content = bytearray(old_spc(exponent=32))
    struct.pack_into("<hH", content, 256, -1, 0xFFFE)  # the integer -2
    assert read(given(tmp_path, bytes(content)))["spectra"]["intensity"][0, 0] == -2


@pytest.mark.parametrize("content", [spc(), spc(exponent=7, own=7), spc(0x04, exponent=7, own=-1, subfiles=2)])
def test_galactic_values_made_by_hand_are_those_of_the_library(tmp_path, content):
    path = given(tmp_path, content)
    np.testing.assert_array_equal(read(path)["spectra"]["intensity"], peer_values(path))


def test_renishaw_spectra_that_do_not_fit_their_axes_are_given_as_they_stand(tmp_path):
    content = bytearray(wdf())
    struct.pack_into("<Q", content, 72, 2)  # two spectra of five points, of which the file has one place
    data = content.index(b"DATA")
    struct.pack_into("<Q", content, data + 8, 56)
    content[data + 36 : data + 36] = struct.pack("<5f", *range(5))
    tree = read(given(tmp_path, bytes(content)))
    assert tree["spectra"]["intensity"].values.tolist() == [[9, 16, 25, 36, 49], [0, 1, 2, 3, 4]]
    assert "the axes do not fit 2 spectra of 5 points" in tree.attrs["warnings"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#WXD" + bytes(100), r"WXD container of an old WiRE.*\.wdf, \.spc or \.txt"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-LFS pointer"),
        (horiba()[:-40].encode(), "is not readable XML"),
        (horiba().replace("0x6C62D4D9", "0x0").encode(), "damaged or unsupported horiba_xml file"),
        (horiba().replace("<?xml", '<!DOCTYPE a [<!ENTITY b "c">]><?xml').encode(), "is not XML|EntitiesForbidden"),
        (horiba(axis=(100.0, float("nan"), 102.0)).encode(), "1 of 3 values of the axis raman_shift are not finite"),
    ],
)
def test_what_is_refused_says_why(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"spectrum.bin.*({message})"):
        read(given(tmp_path, content))


def test_a_compressed_bomb_is_refused(tmp_path):
    import zlib

    part = zlib.compress(bytes(300 << 20))
    content = mat()[:128] + struct.pack("<II", 15, len(part)) + part
    with pytest.raises(ReadError, match="unpacks to more than 256 MiB"):
        read(given(tmp_path, content))
