"""Images of Nanonis, JPK, WSxM and Gwyddion: orientation, incomplete scans, scales, damage, and real files."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.probes import GWYDDION_TEXT, NANONIS_DAT, gsf, jpk, sxm, wsxm

FORWARD = 1e-9 * np.array([[1.0, 2, 3], [4, 5, 6]])


def write(folder, content):
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_a_scan_downwards_begins_with_its_uppermost_line(tmp_path):
    image = read(write(tmp_path, sxm("down")))["image"]
    np.testing.assert_allclose(image["height_forward"], FORWARD[::-1], rtol=1e-6)
    np.testing.assert_allclose(image["height_backward"], FORWARD[::-1], rtol=1e-6)
    assert (np.diff(image["y"]) > 0).all()


def test_a_stopped_scan_is_given_with_its_missing_lines(tmp_path):
    tree = read(write(tmp_path, sxm(cut=8)))  # two pixels of the second line of the last image
    assert np.isnan(tree["image"]["current_forward"].values[1]).all()
    assert not np.isnan(tree["image"]["height_backward"]).any()
    assert "channel Current forward: the file ends behind 1 of 2 lines" in tree.attrs["warnings"]
    unscanned = sxm().replace(sxm()[-12:], b"\x7f\xc0\0\0" * 3)
    tree = read(write(tmp_path, unscanned))
    assert "channel Current forward: 1 of 2 lines were not scanned" in tree.attrs["warnings"]


def test_integers_of_wsxm_span_the_amplitude(tmp_path):
    image = read(write(tmp_path, wsxm("short")))["image"]
    np.testing.assert_allclose(image["height"], 1e-9 * np.array([[0, 2, 4], [6, 8, 10]]), atol=1e-18)


def test_jpk_channels_are_never_one_stack(tmp_path):
    tree = read(write(tmp_path, jpk()))
    assert list(tree.children) == ["image", "image_2"]
    assert tree["image_2"]["deflection_trace"].attrs["units"] == "V"


@pytest.mark.parametrize(("kind", "preferred"), [("LinearScaling", "raw"), ("OffsetExponential", "calibrated")])
def test_raw_numbers_of_jpk_are_said_to_be_raw(tmp_path, kind, preferred):
    tree = read(write(tmp_path, jpk(kind, preferred)))
    assert tree["image"]["height_trace"].attrs["units"] == "1"
    np.testing.assert_array_equal(tree["image"]["height_trace"], [[1, 2, 3], [4, 5, 6]])
    assert "channel Height holds raw numbers without a calibration" in tree.attrs["warnings"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (sxm().replace(b":SCANIT_END:", b":SCAN_END:"), "header does not end"),
        (sxm().replace(b"MSBFIRST", b"LSBFIRST"), "FLOAT MSBFIRST expected"),
        (sxm().replace(b"\tboth", b"\tleft"), "has the direction 'left'"),
        (sxm().replace(b"       3       2", b"   30000   20000"), "announces 30000 × 20000 pixels"),
        (sxm().replace(b"3.0E-9", b"0.0E+0"), "the side along x is 0 m"),
        (NANONIS_DAT.replace("\t2.0E-12", "").encode(), "row 2 has 3 of 4 cells"),
        (wsxm().replace(b"3 \xb5m", b"3 Vs"), "'3 Vs' is no length"),
        (wsxm()[:-8], "announces 6 values of 8 bytes"),
        (gsf().replace(b"XRes = 3", b"XRes = 0"), "announces 0 × 2 pixels"),
        (gsf()[:-1], "announces 6 values of 4 bytes"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    with pytest.raises(ReadError, match=message.replace(".", r"\.")):
        read(write(tmp_path, content))


def test_a_real_nanonis_image():
    """The numbers are those of the header and of the bytes; forward and backward see the same surface."""
    path = shared("cases/nanonis/Au_mica_2023_Y_A_diPAMY_195.sxm")
    image = read(path)["image"].to_dataset()
    assert dict(image.sizes) == {"y": 256, "x": 256} and image.attrs["scan_angle"] == 135.1
    assert float(image["x"][1]) * 256 == pytest.approx(4e-9)
    data = path.read_bytes()
    raw = np.frombuffer(data, ">f4", 65536, data.find(b"\x1a\x04") + 2 + 2 * 4 * 65536).reshape(256, 256)
    np.testing.assert_array_equal(image["current_forward"], raw[::-1].astype(float))
    forward, backward = (image[f"current_{way}"] - image[f"current_{way}"].mean("x") for way in ("forward", "backward"))
    there, mirrored = (float((forward * other.values).sum()) for other in (backward, backward[:, ::-1]))
    assert there > 1.4 * mirrored


def test_a_real_nanonis_curve():
    tree = read(shared("cases/nanonis/Bias-Spectroscopy00015_20230420.dat"))
    curve = tree["spectroscopy"].to_dataset()
    assert curve.sizes["point"] == 2048 and tree.attrs["acquired"] == "2023-04-20T14:55:09"
    assert (float(curve["bias_calc"][0]), float(curve["current"][0])) == (-0.050000001, -1.4288776e-10)
    assert {values.attrs["units"] for values in curve.values()} == {"V", "A", "K"} and "warnings" not in tree.attrs


def test_a_real_jpk_map():
    """Heights are -1.24990702e-16 · raw + 3.34717670e-06 m: the tags of the preferred calibration, read by hand."""
    import tifffile

    path = shared("cases/afmreader/sample_0.jpk-qi-image")
    image = read(path)["image"].to_dataset()
    with tifffile.TiffFile(path) as file:
        raw = file.pages[5].asarray().astype(float)
    expected = -1.2499070228039365e-16 * raw + 3.347176701562967e-06
    np.testing.assert_allclose(image["height_trace"], expected, rtol=1e-12)
    assert {name: str(values.attrs["units"]) for name, values in image.items()} == {
        "height_measured_trace": "m", "vertical_deflection_trace": "N", "height_measured_trace_2": "m",
        "adhesion_trace": "N", "height_trace": "m", "slope_trace": "N/m",
    }  # fmt: skip
    assert float(image["x"][1]) == pytest.approx(5e-9)


def test_gwyddion_texts_in_other_units_and_with_decimal_commas(tmp_path):
    """Gwyddion writes the sides in the unit that suits them, and numbers as the system does."""
    path = tmp_path / "a.txt"
    text = GWYDDION_TEXT.replace("3.000 µm", "3000,0 nm").replace("m\n0\t1e-9", "deg\n0\t1,5").replace("Topo", "Pho")
    path.write_text(text)
    image = read(path)["image"]
    assert image["x"].values.tolist() == pytest.approx([0, 1e-6, 2e-6])
    assert (float(image["phography"][0, 1]), image["phography"].attrs["units"]) == (1.5, "degree")
    for old, new, message in (
        ("1.500 µm", "1.5", "Height: '1.5' is no length in a known unit"),
        ("1.500 µm", "high", "Height: 'high' is no length"),
        ("3e-9", "\n\n# x\n3e-9", "cells|tables|rows|no three"),
    ):
        path.write_text(GWYDDION_TEXT.replace(old, new))
        with pytest.raises(ReadError, match=message):
            read(path)
