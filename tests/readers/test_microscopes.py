"""Electron microscopes: TIA series, TIFF images, Bruker hypermaps, Phenom projects, archives of several files."""

import bz2
import struct

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.common.signals import axis_unit
from relaxor.readers.electron_microscopy import bruker_bcf

from tests.public_files import go_through, present, shared
from tests.readers.samples.microscopes import bcf, bcf_map, berkeley, elid, jeol_map, ser, tif
from tests.readers.samples.sample import zip_of


@pytest.fixture(scope="module")
def tia(rawfiles):
    folder = rawfiles / "stem_haadf/tia_ser_emi"
    folder.provide(*folder.files())  # an .emi and its .ser belong together
    return folder


def written(path, content):
    path.write_bytes(content)
    return path


# --- TIA -----------------------------------------------------------------------------------------------------------
# file → (child, shape, largest, sum, step of x, first x)
SERIES = {
    "16x16_STEM_BF_DF_acquire_2.ser": ("series", (16, 16), 2798, 686169, 21.51004407032774e-9, -1.7208035256262196e-07),
    "64x64_TEM_images_acquire.emi": (
        "series_1", (64, 64), 49743.01953125, 165050944, 6.281833616298531e-9, -2.010186757215619e-07,
    ),
    "03_Scanning Preview.emi": (
        "series_1", (5, 128, 128), 57297, 1002654171, 0.3843524875139251e-9, -2.4598559200891207e-08,
    ),
    "128x128-TEM_search_1.ser": ("series", (128, 128), 14171, 169637782, 5.261214205047081e-9, -3.367177091230945e-07),
}  # fmt: skip


def test_series_have_the_numbers_and_the_size_that_are_known(tia, subtests):
    for path, (child, shape, largest, total, step, first) in present(tia, SERIES):
        with subtests.test(path.name):
            image = read(path)[child].to_dataset()
            assert image["intensity"].shape == shape
            found = (float(image["intensity"].max()), float(image["intensity"].sum(dtype=float)))
            assert found == pytest.approx((largest, total))
            for axis in ("y", "x"):
                assert image[axis].attrs["units"] == "m"
                assert float(image[axis][0]) == pytest.approx(first)
                assert float(np.diff(image[axis])[0]) == pytest.approx(step)
            # The scan is centred; with the offset of rosettasciio, in metres beside nanometres, it would not be.
            assert abs(float(image["x"].mean())) < step


def pixels_equal_those_that_the_peer_saved(tia):
    expected = np.load(tia / "64x64_TEM_images_acquire.npy", allow_pickle=False)
    for name, child in (("64x64_TEM_images_acquire.emi", "series_1"), ("64x64_TEM_images_acquire_1.ser", "series")):
        np.testing.assert_array_equal(read(tia / name)[child]["intensity"], expected)


def stopped_series_hold_what_was_recorded(tia):
    spectrum = read(tia / "X - Au NP EELS_2.ser")["series"].to_dataset()
    assert spectrum["intensity"].shape == (2048,)
    assert (int(spectrum["intensity"].max()), int(spectrum["intensity"].sum())) == (686, 1073886)
    assert float(spectrum["energy"][0]) == 2160 and float(np.diff(spectrum["energy"])[0]) == pytest.approx(0.2)
    assert spectrum["energy"].attrs["units"] == "eV"
    assert spectrum.attrs["incomplete"] == "2 elements announced, 1 recorded"
    preview = read(tia / "03_Scanning Preview_1.ser")["series"]
    assert preview.attrs["incomplete"] == "200 elements announced, 5 recorded"


def dates_come_from_the_description_else_from_the_first_element(tia):
    assert read(tia / "16x16_STEM_BF_DF_acquire.emi").attrs["acquired"] == "2016-02-21T17:53:06"
    assert read(tia / "16x16_STEM_BF_DF_acquire_2.ser").attrs["acquired"] == "2016-02-21T16:53:06+00:00"
    undated = read(tia / "no_AcquireDate.emi")
    assert "acquired" not in undated.attrs and "AcquireDate not found" in undated.attrs["warnings"]
    spectrum = undated["series_1"]["intensity"]
    assert (spectrum.size, int(spectrum.max()), int(spectrum.sum())) == (3993, 4999, 99886)
    for name in ("16x16_STEM_BF_DF_acquire.emi", "64x64_TEM_images_acquire.emi"):
        assert read(tia / name).attrs["data_files"].split()[0].startswith(name[:-4])


def test_real_series(tia, subtests):
    checks = (
        pixels_equal_those_that_the_peer_saved,
        stopped_series_hold_what_was_recorded,
        dates_come_from_the_description_else_from_the_first_element,
    )
    go_through(tia, checks, subtests)


def test_a_series_that_was_stopped_says_so(tmp_path):
    series = read(written(tmp_path / "a.dat", ser(valid=1)))["series"]
    assert series.attrs["incomplete"] == "2 elements announced, 1 recorded"


def test_a_description_finds_its_series(tmp_path):
    about = "<Manufacturer>FEI</Manufacturer><AcquireDate>Sun Feb 21 17:53:06 2016</AcquireDate>"
    written(tmp_path / "a_1.ser", ser())
    tree = read(written(tmp_path / "a.emi", f"JK\0\2<ObjectInfo>{about}</ObjectInfo>".encode()))
    assert tree["series_1"]["intensity"].values.tolist()[0] == [[3, 4, 5], [0, 1, 2]]
    assert (tree.attrs["acquired"], tree.attrs["instrument"]) == ("2016-02-21T17:53:06", "FEI")
    assert tree.attrs["data_files"].split()[0] == "a_1.ser"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ser(valid=0), "holds no recorded data; a single spectrum is within its .emi"),
        (ser(valid=3), "announces 3 elements at byte"),
        (ser(columns=70_000), "element 1: 70000 × 2 numbers of type 2 do not fit"),
        (ser(dimensions=9), "byte 0x1a: announces 9 dimensions"),
        (ser()[:40], "ends early"),
        (ser().replace(struct.pack("<I", 0x4122), struct.pack("<I", 0x9999), 1), "data of unknown kind 0x9999"),
        (b"JK\0\2 nothing", "holds no <ObjectInfo>"),
        (
            b"JK\0\2<ObjectInfo></ObjectInfo>",
            r"holds settings only; their data, a_1\.ser, are not in its folder",
        ),
        (b'JK\0\2<ObjectInfo><!ENTITY a "b"></ObjectInfo>', "ObjectInfo 1: is not readable XML"),
    ],
)
def test_damaged_series_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.emi", content))


# --- TIFF ----------------------------------------------------------------------------------------------------------
def test_an_archive_of_images_holds_all_of_them(rawfiles):
    tree = read(rawfiles / "stem_haadf/tif/tiff_FEI_Helios.zip")
    assert len(tree.children) == 5 and tree.attrs["packed_format"].split() == ["microscope_tif"] * 5
    wide = tree["FEI-Helios-Ebeam-16bits_image"].to_dataset()
    assert wide["intensity"].shape == (471, 512) and wide["intensity"].dtype == np.uint16
    assert (int(wide["intensity"].max()), int(wide["intensity"].sum())) == (65280, 189324800)
    assert int(tree["FEI-Helios-Ebeam-8bits_image"]["intensity"].sum()) == 739550
    assert float(wide["x"][1]) == pytest.approx(3.3724e-6) and wide["x"].attrs["units"] == "m"
    navigation = tree["FEI-Helios-navcam_image"]
    # HFW / ResolutionX and VFW / ResolutionY; rosettasciio gives them to the other axis.
    assert float(navigation["x"][1]) == pytest.approx(0.00026397395833333335, rel=1e-12)
    assert float(navigation["y"][1]) == pytest.approx(0.000263974609375, rel=1e-12)
    assert "Could not determine pixel size" in tree.attrs["warnings"]


def test_a_truncated_image_is_refused(rawfiles):
    path = rawfiles / "edx/fei_quanta_tif/quad1image_001_no_beam_scan_or_system_meta.tar.gz"
    with pytest.raises(
        ReadError, match=r"meta\.tif, page 1: is cut off: 850944 bytes of image announced, 3324 written"
    ):
        read(path)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
def test_images_packed_in_the_usual_ways(tmp_path, compression):
    image = read(written(tmp_path / "a", tif((40, 50), compression=compression)))["image"]
    np.testing.assert_array_equal(image["intensity"], np.arange(2000).reshape(40, 50))
    assert image["x"].attrs["units"] == "1"


def test_a_cut_image_is_refused(tmp_path):
    with pytest.raises(ReadError, match="is cut off"):
        read(written(tmp_path / "a.tif", tif((400, 500))[:-1000]))


# --- Bruker --------------------------------------------------------------------------------------------------------
# file → (images, shape of the map, largest of the first image, its sum, size of a pixel)
MAPS = {
    "16x16_12bit_packed_8bit.bcf": (["AsB"], (16, 16, 2048), 49936, 10491776, 0.966497572879043e-6),
    "P45_the_default_job.bcf": (["BSE", "SE"], (75, 100, 2048), 65520, 302966312, 8.73678506197786e-6),
    "test_TEM.bcf": (["HAADF"], (64, 64, 2048), 65535, 141288352, 0.000771004754204027e-6),
    "over16bit.bcf": (["BSE"], (3, 4, 4096), 31920, 372896, 515.887176865564e-6),
}


def test_hypermaps_have_the_numbers_that_are_known(rawfiles, subtests):
    for path, (images, shape, largest, total, pixel) in present(rawfiles / "edx/bruker_bcf", MAPS):
        with subtests.test(path.name):
            tree = read(path)
            assert list(tree.children) == [*images, "EDX"]
            first, cube = tree[images[0]]["intensity"], tree["EDX"]["intensity"]
            assert (int(first.max()), int(first.sum())) == (largest, total) and first.shape == shape[:2]
            assert float(first["y"][1]) == pytest.approx(pixel)
            assert cube.shape == shape and cube.attrs["units"] == "count" and cube.dtype.kind == "u"
            assert cube["energy"].attrs["units"] == "keV"


def test_bright_pixels_do_not_wrap_around(rawfiles):
    from rsciio.bruker import file_reader

    path = rawfiles / "edx/bruker_bcf/over16bit.bcf"
    cube = read(path)["EDX"]["intensity"]
    assert int(cube.max()) == 2455131
    np.testing.assert_array_equal(cube, file_reader(str(path))[-1]["data"])


def test_a_spectrum_cut_out_of_a_map_is_that_of_the_map(rawfiles):
    cube = read(rawfiles / "edx/bruker_bcf/P45_the_default_job.bcf")["EDX"].to_dataset()
    assert float(cube["energy"][0]) == pytest.approx(-0.472397235)
    assert "warnings" not in read(rawfiles / "edx/bruker_bcf/P45_the_default_job.bcf").attrs  # equals its sum spectrum


def test_a_map_that_misses_its_sum_spectrum_has_a_warning(tmp_path):
    whole, less = (read(written(tmp_path / "a.bcf", bcf_map(counts))) for counts in ("1,1,2,1,5", "1,1,2,1,4"))
    assert "warnings" not in whole.attrs
    assert "SpectrumData0: the pixels hold +1 counts against the sum spectrum" in less.attrs["warnings"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            bcf_map().replace(struct.pack("<ii", 2, 2), struct.pack("<ii", 3, 2), 1),
            "3 lines of 2 pixels in a map of 2 × 2",
        ),
        (bcf_map().replace(b"<Width>2<", b"<Width>9<", 1), "HeaderData|cannot reshape|damaged"),
        (bcf(), "holds no map: its files are HeaderData"),
        (bcf(length=1 << 40), "HeaderData: announces 1099511627776 bytes, the whole file has"),
        (bcf(pointer=77), "has no chunk 77: the file is cut off or damaged"),
        (bcf()[:3000], "cut off"),
    ],
)
def test_damaged_containers_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.bcf", content))


def test_packed_contents_are_bounded():
    import zlib
    from pathlib import Path

    block = zlib.compress(bytes(1 << 20))
    content = struct.pack("<4sIII", b"AACS", 0, 0, 1).ljust(0x80, b"\0") + struct.pack("<I12x", len(block)) + block
    assert bruker_bcf._unpacked(content, 2 << 20, Path("a"), "b") == bytes(1 << 20)
    with pytest.raises(ReadError, match="unpacks to more than"):
        bruker_bcf._unpacked(content, 1 << 19, Path("a"), "b")


# --- Phenom --------------------------------------------------------------------------------------------------------
def test_a_phenom_project(rawfiles):
    tree = read(rawfiles / "edx/phenom_elid/Elid2Version4.elid")
    assert len(tree.children) == 11 and tree.attrs["packed_format"] == "phenom_elid"
    assert tree.attrs["acquired"].startswith("2019-08-07")
    image = tree["Image_1"]["intensity"]
    assert image.shape == (16, 20) and float(image["x"][1]) == pytest.approx(0.9757792598920122e-6)
    assert int(tree["Image_1_Spot_1"]["intensity"].size) == 2048
    assert tree["Image_1_Map_3"]["intensity"].shape == (16, 16, 2048)
    assert (
        "intensity_uncertainty" in tree["Image_1_Region_2"]
        and "intensity_uncertainty" not in tree["Image_1_Difference_3_-_6"]
    )


def test_a_packed_project_is_unpacked(tmp_path):
    tree = read(written(tmp_path / "a.elid", bz2.compress(elid())))
    assert (tree.attrs["format"], tree.attrs["packed_format"]) == ("packed", "phenom_elid")
    assert list(tree.children) == ["Image1", "Image1_MSA_1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (elid(version=7), "is a project of version 7; 0 to 4 are read"),
        (elid()[:-20], "byte 0x.*: ends early: . bytes expected"),
        (b"EID2" + struct.pack("<iIII", 4, 0, 0, 0), "holds no image and no analysis"),
    ],
)
def test_damaged_projects_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.elid", content))


# --- archives ------------------------------------------------------------------------------------------------------
def test_what_an_archive_holds_besides_is_named(tmp_path):
    members = {"a.tif": tif(), "b.tif": tif(), "notes.txt": "nothing measured"}
    tree = read(written(tmp_path / "images.zip", zip_of(members)))
    assert list(tree.children) == ["a_image", "b_image"]
    assert tree.attrs["warnings"].startswith("notes.txt: format not recognised")


def test_real_velox_archives(rawfiles):
    folder = rawfiles / "stem_haadf/velox_emd"
    tree = read(folder / "velox_EELS_EDS.zip")
    assert len(tree.children) == 18 and tree.attrs["packed_file"] == "example_velox_EELS_EDS.emd"
    both = read(folder / "velox_emd_version11.zip")
    assert len(both.children) == 19
    assert "No spectrum stream is present" in both.attrs["warnings"]


def test_the_unit_of_a_lone_diffraction_pattern_is_not_guessed():
    """The ``.ser`` has 1.0157e8 and no unit; its ``.emi`` says that these are 1/m (0.10157 1/nm)."""
    folder = shared("cases/tia-line-and-diffraction")
    lone = read(folder / "64x64_diffraction_acquire_1.ser")
    assert lone["series"]["x"].attrs["units"] == "1" and "whose unit is in its .emi" in lone.attrs["warnings"]
    known = read(folder / "64x64_diffraction_acquire.emi")["series_1"]
    assert known["x"].attrs["units"] == "1/m"
    assert float(known["x"].diff("x")[0]) == pytest.approx(1.0157e8, rel=1e-4)


def test_images_along_a_line_keep_their_own_axes():
    """The pattern has 0.1744 1/nm a pixel, as another library reads it; the line has 5 places."""
    folder = shared("cases/tia-line-and-diffraction")
    series = read(folder / "16x16-line_profile_horizontal_5x128x128_EDS.emi")["series_2"]
    assert series["intensity"].dims == ("scan_x", "y", "x") and series["intensity"].shape == (5, 128, 128)
    assert float(series["x"].diff("x")[0]) == pytest.approx(0.1744e9, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("n_m", "nm"), ("[n_m]", "nm"), ("A", "angstrom"), ("Å", "angstrom"), ("µm", "um"), ("1 / nm", "1/nm"),
     ("px", "1"), ("points", "1"), ("furlongs?", None)],
)  # fmt: skip
def test_units_of_axes(text, unit):
    assert axis_unit(text) == unit


def test_an_unknown_unit_of_an_axis_is_said(tmp_path):
    path = tmp_path / "image.emd"
    path.write_bytes(berkeley().replace(b"[n_m]", b"[q_q]"))
    tree = read(path)
    assert tree["image"]["x"].values.tolist() == [0, 2, 4] and tree["image"]["x"].attrs["units"] == "1"
    assert "image: the unit 'qq' of the axis x is not known" in tree.attrs["warnings"]


def test_real_images_in_the_units_of_their_files():
    """Pixels that the files state: 12.2465 pm, and 1 nm by 2 Å of a test image."""
    image = read(shared("cases/openncem/Acquisition_18.emd"))["single"]
    assert image["intensity"].dims == ("y", "x") and float(image["x"][1]) == pytest.approx(1.22465249e-11)
    (other,) = read(shared("cases/openncem/dmTest_float32_nonSquare_diffPixelSize.dm3")).children.values()
    assert (float(other["x"][1]), float(other["y"][1])) == pytest.approx((1e-9, 2e-10))


def test_a_project_is_refused_before_the_announced_size_of_its_image_is_taken(tmp_path):
    """Mutations of 600 bytes once took all of the memory of the machine."""
    content = elid()
    for tag in (256, 257):  # width and length of the image
        at = next(place for kind in (3, 4) if (place := content.find(struct.pack("<HHI", tag, kind, 1))) > 0)
        content = content[:at] + struct.pack("<HHII", tag, 4, 1, 100_000) + content[at + 12 :]
    with pytest.raises(ReadError, match="holds an image of 10000000000 numbers; more than 50000000 are refused"):
        read(written(tmp_path / "a.elid", content))


def test_images_of_more_strips_than_bytes_are_refused(tmp_path):
    """A mutation of 785 bytes once announced four million strips, each of which was looked for."""

    def high(content: bytes) -> bytes:
        for tag, number in ((257, 4_000_000), (278, 1), (259, 5)):  # length, rows in a strip, LZW
            at = next(place for kind in (3, 4) if (place := content.find(struct.pack("<HHI", tag, kind, 1))) > 0)
            content = content[:at] + struct.pack("<HHII", tag, 4, 1, number) + content[at + 12 :]
        return content

    for name, content in (("a.elid", high(elid())), ("a.tif", high(tif()))):
        with pytest.raises(ReadError, match="announces 4000000 strips or tiles in "):
            read(written(tmp_path / name, content))


def test_jeol_images_are_grey_and_their_pixels_are_counted(tmp_path):
    tree = read(written(tmp_path / "a.img", jeol_map(of_counts=False)))
    assert tree["O_K"]["intensity"].attrs["units"] == "1" and "intensity_uncertainty" not in tree["O_K"]
    assert "taken as high as it is wide" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="announces 8 pixels and holds 6"):
        read(written(tmp_path / "a.img", jeol_map(width=4)))
    with pytest.raises(ReadError, match=r"a map of spectra of JEOL \(\.pts\)"):
        read(written(tmp_path / "a.pts", b"\x30\x01\0\0EDS\0" + bytes(1000)))
