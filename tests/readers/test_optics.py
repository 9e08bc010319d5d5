"""Spectra of optical spectrometers: LabSpec text, JCAMP-DX, Princeton SPE, Ocean Optics, Avantes and others."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.optics import labspec


def written(folder, content, name="file.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_labspec_spectrum_has_the_numbers_and_the_header_of_its_text():
    tree = read(shared("cases/r03-labspec-text/labspec_raman_example.txt"))
    spectrum = tree["spectrum"].to_dataset()
    # read in the file: 341 rows, the first 201.795 and 45.0984, the last 798.317 and 286.154
    assert spectrum.intensity.shape == (341,)
    assert (float(spectrum.raman_shift[0]), float(spectrum.intensity[0])) == (201.795, 45.0984)
    assert (float(spectrum.raman_shift[-1]), float(spectrum.intensity[-1])) == (798.317, 286.154)
    assert spectrum.intensity.attrs["units"] == "count" and spectrum.attrs["integration_time"] == 12 * 300.0
    assert tree.attrs["acquired"] == "2023-10-23T16:11:12" and tree.attrs["instrument"] == "Horiba LabRAM HR Evol"
    assert "Base:Sub" in tree.attrs["warnings"]


def test_a_labspec_series_has_a_spectrum_for_each_of_its_points():
    spectra = read(shared("cases/r03-labspec-text/lasertest1.txt"))["spectra"].to_dataset()
    assert spectra.intensity.dims == ("point", "raman_shift") and spectra.intensity.shape == (3, 1024)
    np.testing.assert_array_equal(spectra.point, [1, 2, 3])
    np.testing.assert_allclose(spectra.intensity[:, :2], [[-4.05818, 6.41124], [342.509, 316.46], [-12.8195, 12.2025]])
    assert (float(spectra.raman_shift[0]), float(spectra.raman_shift[1])) == (83.7234, 85.5632)


def test_a_labspec_map_that_was_stopped_keeps_the_place_of_each_spectrum(tmp_path):
    tree = read(written(tmp_path, labspec(((0.0, 1.0), (0.0, 2.0), (3.0, 1.0)), ("Y", "X"))))
    spectra = tree["spectra"].to_dataset()
    assert spectra.intensity.dims == ("spectrum", "raman_shift")
    np.testing.assert_allclose(spectra.x, [1e-6, 2e-6, 1e-6])
    np.testing.assert_allclose(spectra.y, [0, 0, 3e-6])
    assert "in the order Y and X" in tree.attrs["warnings"]


def test_a_labspec_file_with_decimal_commas_and_a_cut_last_row_is_read(tmp_path):
    content = labspec(((0.0,), (2.5,)), ("Z",)).replace(b".0\t", b",0\t").rstrip()
    tree = read(written(tmp_path, content[: content.rindex(b"\t")]))
    spectra = tree["spectra"].to_dataset()
    assert spectra.intensity.shape == (1, 5) and float(spectra.raman_shift[1]) == 101.0
    assert "left out" in tree.attrs["warnings"]


def test_a_labspec_row_of_another_length_names_its_line(tmp_path):
    content = labspec().replace(b"102.0\t25", b"102.0\t25\t1")
    with pytest.raises(ReadError, match=r"line 14: 3 cells where 2 are expected"):
        read(written(tmp_path, content))
