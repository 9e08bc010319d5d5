"""DigitalMicrograph files: real ones against known values, and tags that announce what is not there."""

import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.electron_microscopy import gatan_dm

from tests.public_files import go_through, present
from tests.readers.samples.microscopes import dm


@pytest.fixture(scope="module")
def stem(rawfiles: Path) -> Path:
    return rawfiles / "stem_haadf"


def only(path: Path):
    tree = read(path)
    (child,) = tree.children.values()
    return tree, child.to_dataset()


def energy_loss_spectrum_and_version_4(stem):
    _, image = only(stem / "gatan_dm4/test-1.dm4")
    np.testing.assert_array_equal(image["intensity"], [[1, 2], [3, 4]])
    _, spectrum = only(stem / "gatan_dm3/EELS_STO.dm3")
    assert spectrum["intensity"].dims == ("energy_loss",) and spectrum.sizes["energy_loss"] == 2048
    assert float(spectrum["intensity"].max()) == 235408
    assert float(spectrum["energy_loss"][0]) == 350 and spectrum["energy_loss"].attrs["units"] == "eV"
    assert float(np.diff(spectrum["energy_loss"])[0]) == pytest.approx(0.25)


IMAGES = {
    "Fei HAADF-UK_location.dm3": ("2016-08-27T20:52:30", 3969, 248176, 0.005506073124706745e-6),
    "Fei HAADF-DE_location.dm3": ("2016-08-27T20:54:33", 3954, 247752, 0.005506073124706745e-6),
    "test_STEM_image.dm3": ("2016-08-08T16:26:37", 36106, 150998555, 0.24853801727294922e-9),
}


def test_images_and_their_dates_in_three_languages(stem, subtests):
    for path, (acquired, highest, total, step) in present(stem / "gatan_dm3", IMAGES):
        with subtests.test(path.name):
            tree, image = only(path)
            assert tree.attrs["acquired"] == acquired and tree.attrs["instrument"] == "FEI Titan"
            assert int(image["intensity"].max()) == highest and int(image["intensity"].sum()) == total
            assert image.attrs["acceleration_voltage_V"] == 200_000
            assert image["x"].attrs["units"] == "m"
            assert float(image["x"][1] - image["x"][0]) == pytest.approx(step)


def stack(stem):
    tree, stack = only(stem / "gatan_dm3/test_stackbuilder_imagestack.dm3")
    assert stack["intensity"].dims == ("z", "y", "x") and stack["intensity"].shape == (3, 2, 16)
    assert int(stack["intensity"].sum()) == 58576739
    assert stack["intensity"].attrs["units"] == "count"
    assert stack.attrs["gain"] == pytest.approx(0.15674974) and stack.attrs["offset"] == 2228741.5
    assert tree.attrs["acquired"] == "2015-05-17T17:00:16" and tree.attrs["instrument"] == "JEM-ARM200F"


def packed_transform_says_that_it_is_incomplete(stem):
    _, image = only(stem / "gatan_dm4/test_fft_packed_complex8.dm4")
    assert set(image.data_vars) == {"real", "imaginary"}
    assert float(np.abs(image["real"] + 1j * image["imaginary"]).max()) == pytest.approx(50)
    assert "5" in image.attrs["incomplete"]


def pixels_in_micrometres(stem):
    _, image = only(stem / "tif/test_dm_image_um_unit.dm3")
    assert int(image["intensity"].max()) == 3774
    assert float(image["x"][1] - image["x"][0]) == pytest.approx(0.168674692511e-6)


def test_real_files(stem, subtests):
    checks = (
        energy_loss_spectrum_and_version_4,
        stack,
        packed_transform_says_that_it_is_incomplete,
        pixels_in_micrometres,
    )
    go_through(stem, checks, subtests)


def test_image_in_an_archive(stem, tmp_path):
    archive = stem / "gatan_dm3/643_Titan_EELS_proc_intgrate_and_bg_dataZeroed.dm3.tar.gz"
    with tarfile.open(archive) as container:
        container.extractall(tmp_path, filter="data")
    (path,) = tmp_path.rglob("*.dm3")
    _, image = only(path)
    assert image["intensity"].shape == (61, 62) and not image["intensity"].any()
    assert float(image["x"][1] - image["x"][0]) == pytest.approx(0.003968380857259035e-6)


# --- without the real files ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("27/08/2016", "20:52:30", "2016-08-27T20:52:30"),
        ("27.08.2016", "20:54:33", "2016-08-27T20:54:33"),
        ("8/27/2016", "8:54:33 PM", "2016-08-27T20:54:33"),
        ("8/27/16", "12:05 AM", "2016-08-27T00:05:00"),
        ("yesterday", "noon", None),
    ],
)
def test_dates_of_three_languages(tmp_path, date, time, expected):
    (tmp_path / "dated.dm3").write_bytes(dm(date=date, time=time))
    assert only(tmp_path / "dated.dm3")[0].attrs.get("acquired") == expected


@pytest.mark.parametrize("version", [3, 4])
def test_calibration_is_kept_beside_the_stored_values(tmp_path, version):
    (tmp_path / "image.dm").write_bytes(dm(version))
    tree, image = only(tmp_path / "image.dm")
    assert (image.attrs["gain"], image.attrs["offset"], image["intensity"].dtype) == (2.0, 1.0, np.uint16)
    assert tree.attrs["instrument"] == "Titan" and image["intensity"].attrs["units"] == "count"


def header(version: int) -> bytes:
    return struct.pack(">iii" if version == 3 else ">iqi", version, 1000, 1)


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        # a tag group of 10^9 tags
        (struct.pack(">bbi", 1, 0, 10**9), "announces 1000000000 items"),
        # an array of 10^9 structures without fields, which would fill the memory with nothing
        (
            struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 21, 0) + b"%%%%"
            + struct.pack(">iiiiii", 4, 20, 15, 0, 0, 10**9),
            "structure of unknown types",
        ),
        # an array of 10^9 strings of no length
        (
            struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 21, 0) + b"%%%%"
            + struct.pack(">iiiii", 4, 20, 18, 0, 10**9),
            "announces 1000000000 items",
        ),
        (struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 22, 0), "tag of unknown kind 22"),
        (struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 21, 0) + b"####", "do not begin with"),
        (struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 21, -3), "ends early|do not begin"),
    ],
)  # fmt: skip
def test_hostile_tags_are_refused(tmp_path, tags, problem):
    path = tmp_path / "hostile.dm3"
    path.write_bytes(header(3) + tags + bytes(64))
    with pytest.raises(ReadError, match=problem):
        read(path)


def test_deep_nesting_is_refused(tmp_path):
    group = struct.pack(">bbi", 1, 0, 1) + struct.pack(">bh", 20, 0)
    (tmp_path / "deep.dm3").write_bytes(header(3) + group * 5000 + bytes(64))
    with pytest.raises(ReadError, match="nested deeper than"):
        read(tmp_path / "deep.dm3")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), version=st.sampled_from([3, 4]))
def test_damaged_bytes_give_a_tree_or_a_message(data, version, tmp_path):
    content = bytearray(dm(version))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(content), data.draw(st.integers(1, len(content)))]))
    path = tmp_path / "damaged.dm4"
    path.write_bytes(bytes(content[:end]))
    try:
        read(path)
    except ReadError as error:
        assert str(path) in str(error)


@given(st.binary(max_size=64))
def test_recognising_never_fails(head):
    assert gatan_dm.recognises(head, Path("nothing")) in (True, False)
