"""Velox and Berkeley EMD files: real ones against known values, written ones, and hostile ones."""

import contextvars
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from relaxor.core.errors import ReadError, SheetError
from relaxor.readers import read, readers
from relaxor.readers.common import hdf5
from relaxor.readers.common.sizes import allow_sizes
from relaxor.readers.electron_microscopy import velox_emd
from relaxor.simulation.writers.velox_emd import Recording, write_velox_emd

from tests.public_files import go_through

ABOUT = Recording(1.5e-11, "HAADF", 300_000, 2e-5, 1_731_405_600, "Titan", "SIMULATED")


@pytest.fixture(scope="module")
def velox(rawfiles: Path) -> Path:
    return rawfiles / "stem_haadf/velox_emd"


@pytest.fixture(scope="module")
def unpacked(velox: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("velox")
    for archive in velox.glob("*.zip"):
        shutil.unpack_archive(archive, folder)
    return folder


def known_pixels(velox):
    tree = read(velox / "fei_emd_image.emd")
    assert list(tree.children) == ["HAADF"]
    image = tree["HAADF"].to_dataset()
    intensity = image["intensity"].to_numpy()
    assert intensity.shape == (512, 512) and intensity.dtype == np.uint16
    assert [intensity[i, i] for i in (10, 100, 300)] == [9190, 9191, 9190]
    assert intensity.max() == 29036 and intensity.sum(dtype=int) == 2431912854
    assert image["x"].attrs["units"] == "m"
    assert float(image["x"][1] - image["x"][0]) == pytest.approx(5.3024148379916015e-09)
    assert float(image["y"][0]) == pytest.approx(-1.35741819852585e-06)
    assert image.attrs["acceleration_voltage_V"] == 200_000
    assert tree.attrs["acquired"] == "2017-03-06T09:56:41+00:00"
    assert tree.attrs["instrument"] == "FEI Company Talos"
    header = json.loads(tree.attrs["header"])
    assert header["signals"]["HAADF"]["Core"]["MetadataDefinitionVersion"] == "7.9"


def titles_and_complex_images(velox):
    tree = read(velox / "fei_example_dpc_titles.emd")
    titles = [child.attrs["title"] for child in tree.children.values()]
    assert titles == ["B-D", "DPC", "iDPC", "DF4-C", "DF4-B", "DF4-A", "A-C", "DF4-D", "Filtered iDPC"]
    assert set(tree["DPC"].data_vars) == {"real", "imaginary"}
    assert float(tree["B-D"]["intensity"].sum()) == -6488
    half = read(velox / "fei_example_complex_fft.emd")["Half_FFT"].to_dataset()
    assert dict(half.sizes) == {"y": 3, "x": 4}
    assert half["x"].attrs["units"] == "1/m"
    assert float(np.abs(half["real"] + 1j * half["imaginary"]).max()) >= 1075972736


def spectrum(velox):
    tree = read(velox / "EMDReader_Spectrum_FEI.emd")
    spectrum = tree["EDS"].to_dataset()
    assert int(spectrum["intensity"].max()) == 290475 and int(spectrum["intensity"].sum()) == 1168845
    assert float(spectrum["energy"][0]) == -1.0 and spectrum["energy"].attrs["units"] == "keV"
    assert float(spectrum["energy"][1] - spectrum["energy"][0]) == pytest.approx(0.01)
    peak = int(spectrum["intensity"].to_numpy().argmax())
    assert float(spectrum["intensity_uncertainty"][peak]) == pytest.approx(np.sqrt(290475))


def all_frames_are_kept(velox):
    image = read(velox / "EMDReader_SpectrumImage_Si.emd")["HAADF"]["intensity"]
    assert image.dims == ("time", "y", "x") and image.shape == (5, 16, 16)
    assert int(image[0].max()) == 25807 and int(image[0].sum()) == 3389230


def test_real_files(velox, subtests):
    checks = (known_pixels, titles_and_complex_images, spectrum, all_frames_are_kept)
    go_through(velox, checks, subtests)


def test_event_lists_hold_the_counts_of_the_spectra(unpacked):
    """A map of all detectors, summed over its pixels, is the sum of the spectra made from the same events."""
    tree = read(unpacked / "Test SI 16x16 215 kx.emd")
    assert len(tree.children) == 10
    titles = [child.attrs["title"] for child in tree.children.values()]
    assert titles[4:] == ["C", "Ca", "O", "Cu", "HAADF", "EDS"]
    cube = tree["EDS_5"]["intensity"]
    assert cube.shape == (16, 16, 4096)
    spectra = [tree[name]["intensity"].to_numpy().astype(int) for name in ("EDS", "EDS_2", "EDS_3", "EDS_4")]
    np.testing.assert_array_equal(cube.sum(("y", "x")).to_numpy(), sum(spectra))


def test_electron_energy_loss_maps(unpacked):
    tree = read(unpacked / "example_velox_EELS_EDS.emd")
    assert len(tree.children) == 18
    losses = [tree[name].to_dataset() for name in ("EELS", "EELS_2", "EELS_3")]
    assert [float(one["energy_loss"][0]) for one in losses] == pytest.approx([800, 480, -21.5026])
    assert all(one["intensity"].dims == ("y", "x", "energy_loss") for one in losses)
    assert float(np.diff(losses[0]["energy_loss"])[0]) == pytest.approx(0.1692, abs=5e-5)
    assert tree["EDS_7"]["intensity"].shape == (128, 128, 4096)


def test_reduced_file_has_no_map(unpacked):
    tree = read(unpacked / "Test SI 16x16 ReducedData 215 kx.emd")
    assert len(tree.children) == 9
    assert all(child["intensity"].ndim < 3 for child in tree.children.values())


def test_berkeley(rawfiles):
    tree = read(rawfiles / "stem_haadf/berkeley_emd/example_image.emd")
    assert tree.attrs["format"] == "berkeley_emd"
    (image,) = (child.to_dataset() for child in tree.children.values())
    assert image["intensity"].shape == (3, 3) and int(image["intensity"].sum()) == 36
    assert image["x"].attrs["units"] == "1"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    image=arrays.arrays(np.uint16, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)),
    pixel=st.floats(1e-12, 1e-6),
    detector=st.text("ABCDEF 0123-", min_size=1).filter(str.strip),
)
def test_written_images_are_read_exactly(image, pixel, detector, tmp_path):
    path = tmp_path / "image.emd"
    path.write_bytes(write_velox_emd(image, replace(ABOUT, pixel_size=pixel, detector=detector)))
    tree = read(path)
    (child,) = tree.children.values()
    np.testing.assert_array_equal(child["intensity"], image)
    np.testing.assert_allclose(child["x"], pixel * np.arange(image.shape[1]), rtol=1e-9)
    np.testing.assert_allclose(child["y"], pixel * np.arange(image.shape[0]), rtol=1e-9)
    assert child.attrs["title"] == detector
    assert child.attrs["acceleration_voltage_V"] == 300_000
    assert tree.attrs["acquired"] == "2024-11-12T10:00:00+00:00"
    assert "SIMULATED" in tree.attrs["header"]


def test_writer_is_deterministic():
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert write_velox_emd(image, ABOUT) == write_velox_emd(image, ABOUT)


def test_events_are_counted_by_hand():
    gate = velox_emd.NEXT_PIXEL
    # Two frames of 1 × 2 pixels: channels 3, 3 | 1, then 0 | nothing; a second detector adds 3 to the first pixel.
    streams = [np.array([3, 3, gate, 1, gate, 0, gate, gate]), np.array([3, gate, gate])]
    cube = velox_emd.decode_events(streams, (1, 2, 4))
    np.testing.assert_array_equal(cube, [[[1, 0, 0, 3], [0, 1, 0, 0]]])


def _velox(path: Path, change) -> Path:
    """A file of the writer, changed."""
    path.write_bytes(write_velox_emd(np.ones((4, 4), np.uint16), ABOUT))
    with h5py.File(path, "r+") as file:
        change(file, next(iter(file["Data/Image"].values())))
    return path


def _external(file, group):
    del group["Data"]
    group["Data"] = h5py.ExternalLink("/etc/passwd", "/Data")


def _bomb(file, group):
    del group["Data"]
    shape = (1 << 16, 1 << 16, 1)
    group.create_dataset("Data", shape, "u2", chunks=(1 << 8, 1 << 8, 1), compression="gzip", fillvalue=1)


def _wide_chunk(file, group):
    del group["Data"]
    group.create_dataset("Data", (4, 4, 1), "u2", chunks=(1 << 14, 1 << 14, 1), maxshape=(None, None, None))


def _virtual(file, group):
    del group["Data"]
    layout = h5py.VirtualLayout((4, 4, 1), "u2")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4, 4, 1))
    group.create_virtual_dataset("Data", layout)


def _stored_outside(file, group):
    del group["Data"]
    group.create_dataset("Data", (4, 4, 1), "u2", external=[("/tmp/elsewhere.bin", 0, 64)])


def _no_image(file, group):
    del file["Data/Image"]


def _no_metadata(file, group):
    del group["Metadata"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_external, "links to another file, which is not followed"),
        (_bomb, "announces 8192 MiB of data"),
        (_wide_chunk, "announces 512 MiB of data"),
        (_virtual, "keeps its data in another file"),
        (_stored_outside, "keeps its data in another file"),
        (_no_image, "holds no image and no spectrum|damaged"),
        (_no_metadata, "damaged or unsupported velox_emd"),
    ],
)
def test_hostile_files_are_refused(tmp_path, change, problem):
    path = _velox(tmp_path / "hostile.emd", change)
    with pytest.raises(ReadError, match=problem) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_map_that_unpacks_to_too_much(tmp_path):
    def change(file, group):
        file.create_group("Data/SpectrumImage")
        stream = file.create_group("Data/SpectrumStream/0")
        stream["AcquisitionSettings"] = np.array([json.dumps({"bincount": "100000000"})], h5py.string_dtype())
        stream.create_dataset("Data", data=np.zeros((3, 1), np.uint16))
        file["Presentation/Displays/ImageDisplay/0"] = np.array(
            [json.dumps({"dataPath": "x", "display": {"label": "a"}})], h5py.string_dtype()
        )

    with pytest.raises(ReadError, match="announces an X-ray map of"):
        read(_velox(tmp_path / "map.emd", change))


def test_other_hdf5_and_zip_files_are_not_ours(tmp_path):
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["x"] = 1
    with zipfile.ZipFile(tmp_path / "b.emd", "w") as archive:
        archive.writestr("readme.txt", "x")
    for name in ("a.emd", "b.emd"):
        with pytest.raises(ReadError, match=r"is an HDF5 file of no known program|format not recognised"):
            read(tmp_path / name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_tree_or_a_message(data, tmp_path):
    content = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(content), data.draw(st.integers(1, len(content)))]))
    path = tmp_path / "damaged.emd"
    path.write_bytes(bytes(content[:end]))
    try:
        read(path)
    except ReadError as error:
        assert str(path) in str(error)


CONTENT = write_velox_emd(np.arange(36, dtype=np.uint16).reshape(6, 6), ABOUT)


def test_size_limit_is_below_the_memory_allowed():
    assert hdf5.MAX_UNPACKED <= 512 << 20
    assert len(io.BytesIO(CONTENT).getvalue()) < 200_000


def test_an_object_that_ends_behind_its_heap_is_refused(tmp_path):
    content = bytearray(CONTENT)
    size = content.index(b"GCOL") + 24  # of the first object: libhdf5 does not come back from it
    content[size : size + 8] = (10_000).to_bytes(8, "little")
    (tmp_path / "damaged.emd").write_bytes(content)
    with pytest.raises(ReadError, match="a global heap has a wrong size"):
        read(tmp_path / "damaged.emd")


def test_a_text_longer_than_its_place_in_the_heap_is_refused(tmp_path):
    """libhdf5 reserved the 4 GiB that a mutation of 12 kB announced."""
    content = bytearray(CONTENT)
    heap = content.index(b"GCOL")
    place = content.index(heap.to_bytes(8, "little")) - 4
    content[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "damaged.emd").write_bytes(content)
    with pytest.raises(ReadError, match="a text is longer than its place in the heap"):
        read(tmp_path / "damaged.emd")


def test_a_type_of_text_that_has_become_one_of_lists_is_refused(tmp_path):
    text = b"\x19\x01\x01\0\x10\0\0\0"  # variable length: text in UTF-8, 16 bytes an element
    assert text in CONTENT
    (tmp_path / "damaged.emd").write_bytes(CONTENT.replace(text, text[:1] + b"\xff" + text[2:]))  # libhdf5 crashes here
    with pytest.raises(ReadError, match="lists of variable length where text should be"):
        read(tmp_path / "damaged.emd")


def test_a_large_series_stays_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(velox_emd, "LARGE", 1000)
    frames = np.random.default_rng(1).integers(0, 999, (20, 30, 5)).astype(np.uint16)
    path = tmp_path / "series.emd"
    path.write_bytes(write_velox_emd(frames[:, :, 0], ABOUT))
    with h5py.File(path, "r+") as file:
        (group,) = file["Data/Image"].values()
        metadata = group["Metadata"][:]
        del group["Data"], group["Metadata"]
        group.create_dataset("Data", data=frames, chunks=(20, 30, 1))
        group["Metadata"] = np.repeat(metadata, 5, axis=1)
    series = read(path)["HAADF"]["intensity"]
    assert series.dims == ("time", "y", "x") and series.dtype == np.uint16
    assert not series.variable._in_memory
    np.testing.assert_array_equal(series[2], frames[:, :, 2])
    np.testing.assert_array_equal(series[1:3, 4, ::2], np.moveaxis(frames, -1, 0)[1:3, 4, ::2])
    np.testing.assert_array_equal(series, np.moveaxis(frames, -1, 0))


def test_a_file_over_the_limit_is_read_if_the_settings_allow_it(tmp_path):
    path = tmp_path / "large.emd"
    path.write_bytes(write_velox_emd(np.zeros((20, 30), np.uint16), ABOUT) + bytes(300 << 20))
    contextvars.copy_context().run(limited, path)


def limited(path):
    with pytest.raises(ReadError, match=r"is 300 MiB; .* set 'size_limits: \{velox_emd: 301\}'"):
        read(path)
    allow_sizes({"velox_emd": 301}, readers())
    assert read(path)["HAADF"].sizes == {"y": 20, "x": 30}
    with pytest.raises(SheetError, match="no format is called 'velox'; did you mean 'velox_emd'"):
        allow_sizes({"velox": 301}, readers())
