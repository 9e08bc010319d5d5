"""Scanning probes: NanoScope, Gwyddion and Igor experiments, real and made by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.probe_microscopy import gwyddion_gwy

from tests.public_files import go_through, shared
from tests.readers.samples.probes import gwy, nanoscope, pxp


def written(path, content):
    path.write_bytes(content)
    return path


# --- NanoScope -----------------------------------------------------------------------------------------------------
def a_height_image_is_that_of_its_raw_integers(folder):
    tree = read(folder / "full_multiple_images.txt")
    assert tree.attrs["acquired"] == "2014-10-17T10:27:26" and "D3100" in tree.attrs["instrument"]
    image = tree["image"].to_dataset()
    assert set(image.data_vars) == {"height_retrace", "amplitude_retrace"}
    height = image["height_retrace"]
    assert height.shape == (512, 512) and height.attrs["units"] == "m"
    ends = (float(height[0, 0]), float(height.min()), float(height.max()))
    assert ends == pytest.approx([count * 0.086699455e-9 for count in (-8417, -8417, -4583)], rel=1e-7)
    assert float(image["x"][1]) * 512 == pytest.approx(2e-6) and image["x"].attrs["units"] == "m"


def roughness_after_lines_are_levelled_is_what_the_peer_found(folder):
    height = read(folder / "full_multiple_images.txt")["image"]["height_retrace"].values
    x = np.arange(512)
    flat = 1e9 * (height - np.array([np.polyval(np.polyfit(x, line, 1), x) for line in height]))
    found = (np.abs(flat).mean(), flat.std(), flat.max(), -flat.min())
    assert found[:2] == pytest.approx((3.433, 4.325), abs=1e-3)
    assert found[2:] == pytest.approx((14.478, 12.918), abs=0.04)  # the peer rounds its slopes


def force_curves(folder):
    force = read(folder / "force_bruker.001")["force"].to_dataset()
    assert dict(force.sizes) == {"sweep": 2, "sample": 512}
    assert set(force.data_vars) == {"deflection_error", "height_sensor"}
    assert force.attrs["ramp_size"] == pytest.approx(16.72241 * 35.88e-9)
    assert force["deflection_error"].attrs["units"] == "m"


def real_headers_without_their_data_say_so(folder):
    for number in (1, 2, 3):
        with pytest.raises(ReadError, match="is a header without its data, which would begin at byte"):
            read(folder / f"bruker_data_header.00{number}")


@pytest.mark.parametrize(("storage", "announced"), [(2, 2), (4, 2), (4, 4)])
def test_integers_of_either_width_have_the_scale_that_is_announced(tmp_path, storage, announced):
    image = read(written(tmp_path / "a.spm", nanoscope(storage=storage, announced=announced)))["image"].to_dataset()
    np.testing.assert_allclose(image["height_retrace"], 1e-9 * np.array([[20, 40, 60], [-20, -40, -60]]))
    np.testing.assert_allclose((image["x"][1], image["y"][1]), (1e-6, 1e-6))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nanoscope()[:600], "section 4, Ciao image list: is a header without its data, which would begin at byte 600"),
        (nanoscope(cut=2), r"section 4, Ciao image list|announces 6 values of 2 bytes"),
        (nanoscope()[:300], "header does not end with"),
        (nanoscope().replace(b"Number of lines: 2", b"Number of lines: 3"), "12 bytes of data for 9 pixels"),
        (
            nanoscope().replace(b"Scan Size: 3 2 ~m", b"Scan Size: 3 2 ly"),
            "Scan Size: 3 2 ly' is not a width and a height",
        ),
        (nanoscope().replace(b"\\@2:Z scale: V", b"\\@2:Z scale: X"), "has no scale of its values"),
        (nanoscope().replace(b"Data offset: 600", b"Data offset: six"), "'Data offset: six' is not a number"),
        (nanoscope().replace(b"Ciao image list", b"Ciao other list"), "holds no image and no force curve"),
    ],
)
def test_damaged_images_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.001", content))


def test_real_nanoscope_files(rawfiles, subtests):
    checks = (
        a_height_image_is_that_of_its_raw_integers, roughness_after_lines_are_levelled_is_what_the_peer_found,
        force_curves, real_headers_without_their_data_say_so,
    )  # fmt: skip
    go_through(rawfiles / "afm_pfm/bruker_nanoscope", checks, subtests)


# --- Gwyddion ------------------------------------------------------------------------------------------------------
def data_fields_are_those_of_gwyfile(folder):
    gwyfile = pytest.importorskip("gwyfile")
    for name, channels in (("PTO_110_Virgin0001 (1).gwy", 4), ("test.gwy", 1)):
        path = folder / name
        fields = gwyfile.util.get_datafields(gwyfile.load(str(path)))
        tree = read(path)
        assert len(tree.children) == len(fields) == channels
        for child, (title, field) in zip(tree.children.values(), fields.items(), strict=True):
            assert child.attrs["title"] == title
            np.testing.assert_array_equal(child["value"], field.data)
            assert float(np.ptp(child["x"].values)) == pytest.approx(field.xreal * (1 - 1 / field.data.shape[1]))


def fields_of_a_phase_image_have_their_units(folder):
    tree = read(folder / "PTO_110_Virgin0001 (1).gwy")
    units = {name: child["value"].attrs["units"] for name, child in tree.children.items()}
    assert units == {"HeightRetrace": "m", "AmplitudeRetrace": "m", "DeflectionRetrace": "m", "PhaseRetrace": "degree"}
    height, phase = tree["HeightRetrace"]["value"], tree["PhaseRetrace"]["value"]
    assert (float(height.min()), float(height.max())) == pytest.approx((-1.54586e-08, 1.09637e-07), rel=1e-5)
    assert (float(phase.min()), float(phase.max())) == pytest.approx((-89.9843, 269.939), rel=1e-5)


@pytest.mark.parametrize(
    ("size", "lines", "step"), [("3 3", "", 1e-6), ("3", "", 1e-6), ("3 3", "\\Lines: 4\n", 0.75e-6), ("3 2", "", 1e-6)]
)
def test_an_image_of_fewer_lines_is_smaller_along_y(tmp_path, size, lines, step):
    """One size is that of the whole scan: 2 of 3 or 4 lines; two sizes are those of the image."""
    whole = nanoscope()
    head = whole[: whole.index(b"\0")].replace(b"Scan Size: 3 2", f"Scan Size: {size}".encode())
    head = head.replace(b"\\*Ciao scan list\n", f"\\*Ciao scan list\n{lines}".encode())
    path = tmp_path / "image.spm"
    path.write_bytes(head.ljust(600, b"\0") + whole[600:])
    image = read(path)["image"]
    assert float(image["y"][1]) == pytest.approx(step) and float(image["x"][1]) == pytest.approx(1e-6)


def test_a_real_image_that_is_not_square():
    """358 lines of 512 samples over 300 nm: 209.8 nm, as another library reads it."""
    image = read(shared("cases/nanoscope-nonsquare/nonsquare_358x512_300nm.spm"))["image"]
    assert float(image["y"][1]) * 358 == pytest.approx(209.77e-9, rel=1e-4)
    assert float(image["x"][1]) * 512 == pytest.approx(300e-9)


def test_a_force_curve_has_its_sweeps_and_its_ramp(tmp_path):
    ramp = b"\\@Ramp size: V [Sens. Zscan] (0.001 V/LSB) 2.5 V\n\\@2:Z scale"
    content = nanoscope(force=True).replace(b"\\@2:Z scale", ramp).replace(b"\0" * len(ramp), b"", 1)
    force = read(written(tmp_path / "a.001", content[:600].ljust(600, b"\0") + nanoscope(force=True)[600:]))["force"]
    assert force["height_retrace"].dims == ("sweep", "sample") and force["height_retrace"].attrs["units"] == "m"
    assert (force.attrs["ramp_size"], force.attrs["ramp_size_units"]) == (pytest.approx(5e-8), "m")


def test_data_fields_made_by_hand_are_those_of_gwyfile(tmp_path):
    gwyfile = pytest.importorskip("gwyfile")
    path = written(tmp_path / "a.gwy", gwy())
    (field,) = gwyfile.util.get_datafields(gwyfile.load(str(path))).values()
    np.testing.assert_array_equal(read(path)["Phase"]["value"], field.data)


def test_a_unit_that_means_nothing_is_kept_as_it_is_written(tmp_path):
    read_back = read(written(tmp_path / "a.gwy", gwy().replace(b"deg\0", b"zz!\0")))["Phase"]["value"]
    assert (read_back.attrs["units"], read_back.attrs["unit_in_file"]) == ("1", "zz!")


def test_files_of_gwyddion_1_are_refused(tmp_path):
    with pytest.raises(ReadError, match=r"was written by Gwyddion 1 \(GWYO\): open it in Gwyddion 2 and save it"):
        read(written(tmp_path / "a.gwy", gwy().replace(b"GWYP", b"GWYO")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gwy(count=1 << 28), "an array of 268435456 values"),
        (gwy(count=5), "a text without an end|component of unknown type|5 values do not fill"),
        (gwy()[:100], "an object of"),
        (gwy().replace(b"xres\0i\3", b"xres\0i\4"), "byte|6 values do not fill 2 lines of 4"),
        (gwy().replace(b"data\0D", b"data\0Z"), "component of unknown type 'Z'"),
        (b"GWYPGwyContainer\0\0\0\0\0", "holds no data field"),
    ],
)
def test_damaged_fields_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.gwy", content))


def test_many_components_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(gwyddion_gwy, "MAX_COMPONENTS", 100)
    content = b"a\0b\1" * 101
    path = written(tmp_path / "a.gwy", b"GWYPGwyContainer\0" + len(content).to_bytes(4, "little") + content)
    with pytest.raises(ReadError, match="more than 100 components"):
        read(path)


@given(st.binary(max_size=200), st.integers(4, 250))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_tree_or_a_message(tmp_path_factory, noise, at):
    content = gwy()[:at] + noise + gwy()[at:]
    path = written(tmp_path_factory.mktemp("gwy") / "a.gwy", content)
    try:
        assert read(path).children
    except ReadError as error:
        assert str(error).startswith(str(path))


def test_real_gwyddion_files(rawfiles, subtests):
    checks = (data_fields_are_those_of_gwyfile, fields_of_a_phase_image_have_their_units)
    go_through(rawfiles / "afm_pfm/gwyddion_gwy", checks, subtests)


# --- Igor ----------------------------------------------------------------------------------------------------------
def an_experiment_holds_its_waves_and_variables(folder):
    tree = read(folder / "polar-graphs-demo.pxp")
    sizes = {name: child["value"].size for name, child in tree.children.items()}
    assert sizes == dict.fromkeys(("radiusData", "angleData", "W_plrX5", "W_plrY5"), 128) | dict.fromkeys(
        ("angleQ1", "radiusQ1", "W_plrX6", "W_plrY6"), 64
    )
    assert float(tree["radiusData"]["value"][0]) == pytest.approx(0.3)
    assert float(tree["angleData"]["value"][-1]) == pytest.approx(6.2831855)
    assert json.loads(tree.attrs["header"])["variables"]["K20"] == 128


def an_experiment_of_the_other_byte_order(folder):
    scan = read(folder / "packed-byteorder.pxt")["Wide scan"]["value"]
    assert scan.size == 1421 and scan.dtype == np.float64
    assert (float(scan[0, 0]), float(scan[0, -1]), float(scan.max())) == (14603, 7, 28254)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pxp()[:-6], "announces 4 bytes, 2 follow|ends within the header of a record"),
        (pxp()[:40] + pxp()[-12:], "holds no wave"),
    ],
)
def test_damaged_experiments_are_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ReadError, match=message):
        read(written(tmp_path / "a.pxp", content))


def test_a_wave_that_cannot_be_read_is_named(tmp_path):
    one = pxp()
    broken = one[:-12].replace(b"loop", b"pool").replace(b"\5\0", b"\7\0", 1)
    tree = read(written(tmp_path / "a.pxp", one + broken))
    assert list(tree.children) == ["folder_loop"] and "record 6: wave Igor wave of version" in tree.attrs["warnings"]


def test_real_experiments(rawfiles, subtests):
    checks = (an_experiment_holds_its_waves_and_variables, an_experiment_of_the_other_byte_order)
    go_through(rawfiles / "afm_pfm/igor_pxp", checks, subtests)
