"""Igor binary waves: the real files against their manifest and igor2, and damage of every kind."""

import io
import json
import re
import struct
from datetime import datetime

import igor2.binarywave
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.probe_microscopy import igor_ibw
from relaxor.simulation.writers.igor_ibw import igor_wave

from tests.public_files import of_format, present
from tests.readers.samples import CONTENTS
from tests.readers.samples.probes import asylum

WHEN = datetime(2024, 11, 5, 10, 12)
SHAPE = re.compile(r"shape \[([\d, ]+)\] .*?sfA \[([^\]]+)\].*first (\S+) min (\S+) max (\S+);")


def test_asylum_files_have_the_numbers_of_the_registry(rawfiles):
    files = of_format("asylum_ibw")
    assert len(files) == 4
    for path, known in present(rawfiles, files):
        shape, steps, first, low, high = SHAPE.search(known).groups()
        tree = read(path)
        (dataset,) = (node.to_dataset() for node in tree.children.values())
        stacked = np.stack([dataset[name].to_numpy() for name in dataset.data_vars])
        size = [int(part) for part in shape.split(",")]
        assert stacked.shape == (size[-1], *size[-2::-1])
        axis = dataset["x" if "x" in dataset.dims else "time"]
        assert float(axis[1] - axis[0]) == pytest.approx(float(steps.split(",")[0]), rel=1e-12)
        assert stacked.dtype == np.float32
        assert float(stacked.ravel()[0]) == float(first)
        assert (float(stacked.min()), float(stacked.max())) == (float(low), float(high))
        note = json.loads(tree.attrs["header"])["note"]
        for key, value in re.findall(r"(ScanSize|ScanRate|DriveAmplitude|InvOLS|ImagingMode)=([^,]+)", known):
            stated = note[key][-1] if isinstance(note[key], list) else note[key]
            assert stated == value


def test_channels_are_named_without_the_tails_of_longer_names(rawfiles):
    image = read(rawfiles / "afm_pfm/asylum_ibw/P0089OP0027.ibw")["image"].to_dataset()
    assert {name: image[name].attrs["units"] for name in image.data_vars} == {
        "height_retrace": "m",
        "amplitude_retrace": "m",
        "deflection_retrace": "m",
        "phase_retrace": "degree",
        "user_input_0_retrace": "V",
    }
    assert image["height_retrace"].dims == ("y", "x")
    assert image.x.attrs["units"] == "m"
    assert float(image.x[-1]) == pytest.approx(2e-6)


def test_pixels_lie_where_igor_has_them(rawfiles):
    path = rawfiles / "afm_pfm/asylum_ibw/image_ibw (1).ibw"
    stored = igor2.binarywave.load(str(path))["wave"]["wData"]
    image = read(path)["image"].to_dataset()
    np.testing.assert_array_equal(image["phase_retrace"].to_numpy(), stored[:, :, 3].T)


def test_settings_and_time_come_from_the_note(rawfiles):
    tree = read(rawfiles / "afm_pfm/asylum_ibw/fmt-igor-fd_U3_3_p10004.ibw")
    curve = tree["curve"].to_dataset()
    assert tree.attrs["acquired"] == "2018-05-01T18:18:49"
    assert tree.attrs["instrument"] == "Asylum Research MFP3D"
    assert curve.attrs["spring_constant"] == 0.31451
    assert curve.attrs["inverse_optical_lever_sensitivity"] == 2.0364e-07
    assert list(curve.data_vars) == ["z_piezo", "deflection", "z_sensor"]
    assert curve.sizes["time"] == 10097
    # afmformats states the smallest measured height.
    assert float(curve["z_sensor"].max()) == pytest.approx(1.0322237e-06)


def test_without_a_date_in_the_note_the_wave_s_own_time_is_taken(rawfiles):
    assert read(rawfiles / "afm_pfm/asylum_ibw/force_ibw.ibw").attrs["acquired"] == "2016-12-07T13:17:54"


def test_generic_waves_of_both_byte_orders(rawfiles):
    folder = rawfiles / "afm_pfm/igor_ibw_generic"
    for name in ("mac-double", "mac-version2", "mac-version5", "win-double"):
        tree = read(folder / f"{name}.ibw")
        np.testing.assert_array_equal(tree["wave"]["value"], [5, 4, 3, 2, 1], err_msg=name)
        assert tree["wave"]["value"].dtype.isnative, name
    header = json.loads(read(folder / "mac-version5.ibw").attrs["header"])
    assert header["note"] == {"text": "This is a test."}
    assert read(folder / "mac-textWave.ibw")["wave"]["text"].values.tolist() == ["Mary", "had", "a", "little", "lamb"]
    for name, message in (
        ("mac-zeroPointWave", "holds no points"),
        ("mac-version3Dependent", "depends on the formula 'K0' and holds no"),
    ):
        with pytest.raises(ReadError, match=message):
            read(folder / f"{name}.ibw")


def test_scienta_spectra_have_the_numbers_of_their_text_twins(rawfiles):
    files = of_format("scienta_ibw")
    assert len(files) == 2
    for path, known in present(rawfiles, files):
        points, start, stop, first, high = re.search(
            r"(\d+) pts (\S+) -> (\S+) eV first (\S+) max (\S+);", known
        ).groups()
        spectrum = read(path)["wave"].to_dataset()
        intensity, energy = spectrum["intensity"], spectrum["binding_energy"]
        assert intensity.size == int(points)
        assert energy.attrs["units"] == "eV"
        assert (float(energy[0]), float(energy[-1])) == (float(start), pytest.approx(float(stop)))
        assert float(intensity[0]) == pytest.approx(float(first), rel=1e-11)
        assert float(intensity.max()) == pytest.approx(float(high), rel=1e-11)


def test_other_formats_are_not_taken_for_waves(tmp_path):
    for name, content in CONTENTS.items():
        assert igor_ibw.recognises(content[:4096], tmp_path) == (name == "igor_ibw"), name


def test_other_real_formats_are_not_taken_for_waves(rawfiles):
    for path in sorted(rawfiles.rglob("*")):
        if path.is_file() and path.suffix != ".ibw":
            with path.open("rb") as stream:
                assert not igor_ibw.recognises(stream.read(4096), path), path


# --- writer and reader -----------------------------------------------------------------------------------------------
def test_a_curve_and_a_wave_have_their_axes(tmp_path):
    path = tmp_path / "written.ibw"
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    axes = ((0.0, 0.5, "s"),)
    path.write_bytes(igor_wave(values, name="ramp", axes=axes, labels=["Raw", "Defl"], note="text", modified=WHEN))
    tree = read(path)
    assert list(tree["curve"].data_vars) == ["z_piezo", "deflection"] and tree["curve"].sizes == {"time": 4}
    assert json.loads(tree.attrs["header"])["note"] == {"text": "text"}
    assert tree.attrs["acquired"] == WHEN.isoformat()  # of the wave itself: the note has no date
    path.write_bytes(igor_wave(values[:, 0], name="C1s", axes=((290.0, -0.5, "eV"),), data_unit="V", modified=WHEN))
    spectrum = read(path)["wave"]
    assert spectrum["value"].values.tolist() == [0, 2, 4, 6] and spectrum["value"].attrs["units"] == "V"
    assert spectrum["row"].values.tolist() == [290, 289.5, 289, 288.5] and spectrum["row"].attrs["units"] == "eV"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    values=arrays.arrays(
        dtype=st.sampled_from(["f4", "f8", "i2", "i4", "u1"]),
        shape=arrays.array_shapes(min_dims=1, max_dims=4, max_side=6),
    ),
    step=st.floats(1e-9, 10),
    note=st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=50),
)
def test_what_is_written_igor2_reads(tmp_path, values, step, note):
    content = igor_wave(values, name="w", axes=((0.5, step, "s"),), note=note, modified=WHEN)
    wave = igor2.binarywave.load(io.BytesIO(content))["wave"]
    np.testing.assert_array_equal(wave["wData"], values)
    assert wave["wave_header"]["sfA"][0] == step
    assert wave["note"] == note.encode("latin-1")
    path = tmp_path / "w.ibw"
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path)["wave"]["value"], values.T)


# --- damage ----------------------------------------------------------------------------------------------------------
def changed(offset: int, layout: str, *values: object) -> bytes:
    """A wave with a field of the header changed and the checksum made right again."""
    content = bytearray(asylum())
    struct.pack_into(layout, content, offset, *values)
    struct.pack_into("<H", content, 2, 0)
    struct.pack_into("<H", content, 2, -sum(struct.unpack("<192h", content[:384])) % 65536)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (asylum()[:300], r"byte 0x4c?.*: ends early|ends early: 384 bytes"),
        (asylum()[:-10], r"byte .*: ends early: \d+ bytes announced"),
        (asylum()[:100] + b"\xff" + asylum()[101:], "byte 0x2: the checksum of the header is wrong"),
        (changed(76, "<i", 2_000_000_000), "announces 2000000000 points"),
        (changed(76, "<i", -1), "announces -1 points"),
        (changed(4, "<i", 2_000_000_000), "ends early|announces"),
        (changed(12, "<i", 2_000_000_000), "announces 2000000.* bytes of note and labels"),
        (changed(80, "<h", 0x80), "numbers of type 0x80 are not supported"),
        (changed(80, "<h", 4), "40 points do not fill the 160 bytes of data"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path, content, message):
    path = tmp_path / "damaged.ibw"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=message) as caught:
        igor_ibw.extract(path)
    assert str(path) in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.data())
def test_mutated_bytes_give_a_tree_or_a_read_error(tmp_path, data):
    content = bytearray(asylum())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        # Damage behind a checksum that holds reaches the code that trusts the header.
        struct.pack_into("<H", content, 2, 0)
        struct.pack_into("<H", content, 2, -sum(struct.unpack("<192h", content[:384])) % 65536)
    content = content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path / "mutated.ibw"
    path.write_bytes(bytes(content))
    try:
        tree = read(path)
    except ReadError as error:
        assert str(path) in str(error)
    else:
        assert tree.children
