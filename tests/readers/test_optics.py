"""Spectra of optical spectrometers: LabSpec text, JCAMP-DX, Princeton SPE, Ocean Optics, Avantes and others."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.optics import PAIRS, jcamp, jcamp_link, labspec


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


def test_the_blocks_of_a_jcamp_file_are_three_spectra_with_numbers_that_can_have_their_unit():
    tree = read(shared("cases/r02-jcamp-dx/OceanOptics_period.jdx"))
    assert list(tree.children) == ["processed_spectrum", "dark_spectrum", "reference_spectrum"]
    dark = tree["dark_spectrum"].to_dataset()
    assert dark.intensity.sizes == {"wavelength": 3648} and dark.wavelength.attrs["units"] == "nm"
    assert (float(dark.wavelength[-1]), float(dark.intensity[-1])) == (893.69, 2972.422)  # line 7348 of the file
    assert dark.intensity.attrs["units"] == "1"  # 'Transmission (%)' of a dark spectrum, up to 32822
    assert "Transmission (%)" in tree.attrs["warnings"]


def test_repetitions_of_differences_and_minus_signs_in_jcamp(tmp_path):
    # j: -1, twice; then %: 0, and a missing value
    data = "100AjT%?\r\n"
    tree = read(written(tmp_path, jcamp(data, YFACTOR="1", FIRSTY="1")))
    np.testing.assert_array_equal(tree["spectrum"]["intensity"], [1, 0, -1, -1, np.nan])


def test_exponents_in_jcamp_are_no_squeezed_digits(tmp_path):
    tree = read(written(tmp_path, jcamp("100 1.5E1 2E-1 3e+2\r\n103 4 5", YFACTOR="", FIRSTY="15")))
    np.testing.assert_array_equal(tree["spectrum"]["intensity"], [15, 0.2, 300, 4, 5])


@pytest.mark.parametrize(
    ("data", "records", "problem"),
    [
        ("100IPR\r\n102B6J1J3\r\n104D9", {}, "line 16: begins with 26 where the line before ends with 25"),
        ("100 9 16 25\r\n103 36 49", {"NPOINTS": "4"}, "announces 4 points and holds 5"),
        ("100 9 16 25\r\n107 36", {"NPOINTS": "9", "LASTX": "108"}, "line 16 begins at 107, not where it should"),
        ("100IZ99999999", {}, "a value is repeated 899999999 times"),
        ("100 9 16 x 25\r\n103 36 49", {}, "is no ordinate"),
        ("100 9 16 25\r\n103 36 49", {"FIRSTX": ""}, "no FIRSTX"),
    ],
)
def test_damaged_jcamp_data_are_refused(tmp_path, data, records, problem):
    with pytest.raises(ReadError, match=problem):
        read(written(tmp_path, jcamp(data, **records)))


def test_a_jcamp_block_that_was_cut_or_whose_first_ordinate_differs_has_a_warning(tmp_path):
    tree = read(written(tmp_path, jcamp("100 9 16 25")))
    assert "5 points are announced, the first 3 are there" in tree.attrs["warnings"]
    np.testing.assert_array_equal(tree["spectrum"]["raman_shift"], [100, 101, 102])
    tree = read(written(tmp_path, jcamp("100 9 16 25 36 49", FIRSTY="9")))
    assert "begin with 4.5, where the header has FIRSTY=9" in tree.attrs["warnings"]


def test_blocks_of_jcamp_without_a_spectrum_are_named(tmp_path):
    other = jcamp("", "NTUPLES= NMR SPECTRUM", TITLE="tuples")
    tree = read(written(tmp_path, jcamp_link(jcamp(PAIRS, "XYPOINTS=(XY..XY)"), other)))
    assert "block 'tuples': data of the form NTUPLES are not read" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="NTUPLES are not read"):
        read(written(tmp_path, other))
