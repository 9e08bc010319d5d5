"""Spectra of optical spectrometers: LabSpec text, JCAMP-DX, Princeton SPE, Ocean Optics, Avantes and others."""

import io

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import TableDescription, read
from relaxor.readers.tables.description import Entry
from scipy.io import savemat

from tests.public_files import shared
from tests.readers.samples.optics import (
    AVANTES,
    COUNTS,
    NANOMETRES,
    PAIRS,
    PERKIN_ELMER,
    RRUFF,
    avantes_raw,
    bwtek,
    jcamp,
    jcamp_link,
    labspec,
    ocean,
    rows,
    spe,
    spe_footer,
)


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


def test_a_second_record_of_data_in_a_jcamp_block_is_named(tmp_path):
    text = jcamp("100 9 16 25 36 49").replace("##END=", "##PEAK TABLE=(XY..XY)\n104,49\n##END=")
    tree = read(written(tmp_path, text))
    np.testing.assert_array_equal(tree["spectrum"]["intensity"], [4.5, 8, 12.5, 18, 24.5])
    assert "a second record of data, PEAK TABLE, is not read" in tree.attrs["warnings"]


def test_blocks_of_jcamp_without_a_spectrum_are_named(tmp_path):
    other = jcamp("", "NTUPLES= NMR SPECTRUM", TITLE="tuples")
    tree = read(written(tmp_path, jcamp_link(jcamp(PAIRS, "XYPOINTS=(XY..XY)"), other)))
    assert "block 'tuples': data of the form NTUPLES are not read" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="NTUPLES are not read"):
        read(written(tmp_path, other))


def test_the_frames_of_winspec_have_the_calibration_of_their_header():
    tree = read(shared("cases/r11-princeton-spe/1d-multiframe.spe"))
    frames = tree["frames"].to_dataset()
    assert frames.intensity.shape == (80, 512) and frames.intensity.attrs["units"] == "count"
    # three points of the calibration are written in the header: pixels 1, 256.5 and 512 lie at these wavelengths
    ends = [float(frames.wavelength[0]), float(frames.wavelength[255:257].mean()), float(frames.wavelength[-1])]
    assert ends == pytest.approx([894.0255191271252, 910.0, 925.6099305214206], abs=1e-6)
    assert frames.intensity[0, :2].values.tolist() == [10, 29] and tree.attrs["acquired"] == "2004-05-11"
    assert frames.attrs["integration_time"] == 10.0


def test_binned_columns_of_winspec_lie_at_the_middle_of_their_pixels(tmp_path):
    tree = read(written(tmp_path, spe(1, region=(11, 20, 2))))
    pixels = np.array([11.5, 13.5, 15.5, 17.5, 19.5])
    np.testing.assert_allclose(tree["frames"]["wavelength"], 500 + 2 * pixels + pixels**2 / 2)
    assert tree["frames"]["intensity"].dims == ("wavelength",)


def test_columns_without_a_calibration_are_pixels(tmp_path):
    assert read(written(tmp_path, spe(unit=1)))["frames"]["intensity"].dims == ("frame", "pixel")
    shift = read(written(tmp_path, spe(unit=6)))["frames"]["raman_shift"]
    assert shift.attrs["units"] == "1/cm"


def test_frames_that_were_not_written_are_a_warning(tmp_path):
    tree = read(written(tmp_path, spe(3)[:-4]))
    assert tree["frames"]["intensity"].shape == (2, 5)
    assert "3 frames are announced, the first 2 are there" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="announces 3 frames of 10 bytes, 4 bytes follow"):
        read(written(tmp_path, spe(3)[:4104]))


def test_a_region_of_the_sensor_takes_its_part_of_the_wavelengths(tmp_path):
    mapping = '<SensorMapping id="2" x="2" y="0" width="10" height="1" xBinning="2" yBinning="1"/>'
    every = ",".join(str(500 + column) for column in range(20))
    tree = read(written(tmp_path, spe(footer=spe_footer(2, every, mapping))))
    np.testing.assert_allclose(tree["frames"]["wavelength"], [502.5, 504.5, 506.5, 508.5, 510.5])
    tree = read(written(tmp_path, spe(footer=spe_footer(2, every))))
    assert "20 wavelengths do not fit 5 columns" in tree.attrs["warnings"]
    assert tree["frames"]["intensity"].dims == ("frame", "pixel")


# file → rows, first and last wavelength, first intensity, integration time (s); all read in the files themselves
OPTICAL = {
    "OceanView.txt": (2389, 187.92, 2116.5, 18.995, 0.02),
    "OceanView_nonEN.txt": (2048, 190.74, 889.44, 133.333, 3.0),
    "avasoft8.txt": (401, 300.0, 700.0, -6.893, 0.006),
    "J_MUR_MARS_17_0001.ttt": (1453, 299.87, 700.0, 124.99, 0.175),
}


@pytest.mark.parametrize("name", OPTICAL)
def test_exports_of_optical_spectrometers_have_their_numbers_and_integration_time(name):
    number, low, high, first, seconds = OPTICAL[name]
    spectrum = read(shared(f"cases/r10-optical-formats/{name}"))["spectrum"].to_dataset()
    assert spectrum.intensity.sizes == {"wavelength": number} and spectrum.wavelength.attrs["units"] == "nm"
    ends = float(spectrum.wavelength[0]), float(spectrum.wavelength[-1]), float(spectrum.intensity[0])
    assert ends == (low, high, first) and spectrum.attrs["integration_time"] == seconds


def test_the_transmittance_of_avasoft_follows_from_sample_dark_and_reference():
    spectrum = read(shared("cases/r10-optical-formats/J_MUR_MARS_17_0001.ttt"))["spectrum"].to_dataset()
    expected = 100 * (spectrum.intensity - spectrum.dark) / (spectrum.reference - spectrum.dark)
    np.testing.assert_allclose(spectrum.transmittance, expected, rtol=2e-3)


def test_a_binary_file_of_avasoft_holds_sample_dark_and_reference():
    tree = read(shared("cases/r10-optical-formats/30849.RFL8"))
    spectrum = tree["spectrum"].to_dataset()
    # bytes decoded by hand: pixels 0 to 1611, 30 ms, 20 scans, date packed as in Galactic files
    assert spectrum.sizes == {"wavelength": 1612} and spectrum.attrs["integration_time"] == pytest.approx(0.03)
    assert float(spectrum.wavelength[0]) == pytest.approx(176.1405, abs=1e-4)
    assert (np.diff(spectrum.wavelength) > 0).all() and tree.attrs["acquired"] == "2025-07-21T15:16:00"
    lit = spectrum.sel(wavelength=slice(450, 800)).mean()
    assert float(lit.dark) < float(lit.intensity) < float(lit.reference)


def test_several_spectra_of_avasoft_and_a_file_that_was_cut(tmp_path):
    tree = read(written(tmp_path, avantes_raw(2)))
    assert list(tree.children) == ["spectrum_1", "spectrum_2"]
    np.testing.assert_array_equal(tree["spectrum_2"]["intensity"], COUNTS)
    tree = read(written(tmp_path, avantes_raw(2)[: len(avantes_raw(1))]))
    assert "2 spectra are announced, the first 1 are found" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="announces 5 values of 4 bytes"):
        read(written(tmp_path, avantes_raw()[:400]))


def test_a_series_of_avasoft_has_one_spectrum_for_each_column(tmp_path):
    head, _, _ = AVANTES.partition("Wave")
    text = head + "Wave   ;Dark     ;Samples\r\n[nm] ;[counts];[counts]\r\n" + rows(*4 * [COUNTS], separator=";")
    spectrum = read(written(tmp_path, text))["spectrum"].to_dataset()
    assert spectrum.intensity.dims == ("scan", "wavelength") and spectrum.intensity.shape == (2, 5)
    np.testing.assert_array_equal(spectrum.dark, COUNTS)


def test_the_axis_of_oceanview_and_its_number_of_pixels(tmp_path):
    tree = read(written(tmp_path, ocean(7, "Raman Shifts")))
    assert tree["spectrum"]["raman_shift"].attrs["units"] == "1/cm"
    assert "announces 7 pixels, 5 rows are there" in tree.attrs["warnings"]


def test_bwtek_pixels_without_a_place_and_saturated_ones_are_named(tmp_path):
    tree = read(written(tmp_path, bwtek(4)))
    np.testing.assert_array_equal(tree["spectrum"]["intensity"], COUNTS[:4])
    assert "2 of 6 pixels have no place" in tree.attrs["warnings"] and "%TR #1" in tree.attrs["warnings"]
    assert "1 pixels are saturated" in read(written(tmp_path, bwtek(6))).attrs["warnings"]


def test_the_lines_of_polystyrene_lie_where_they_are_published():
    tree = read(shared("public/raman_charisma/FMNT-M_BW532_PST10_iR532_Probe_100_3000msx7.txt"))
    spectrum = tree["spectrum"].to_dataset()
    assert spectrum.intensity.shape == (1801,) and float(spectrum.raman_shift[0]) == 145.99
    for line in (1001.4, 1602.3):  # ASTM E1840; a pixel is 2.5 to 3 1/cm wide
        near = spectrum.intensity.sel(raman_shift=slice(line - 25, line + 25))
        assert float(near.idxmax()) == pytest.approx(line, abs=6)


def test_texts_of_rruff_are_raman_spectra_or_patterns(tmp_path):
    tree = read(
        shared("public/raman_charisma/Anatase__R060277__Broad_Scan____0__unoriented__Raman_Data_RAW__21346.txt")
    )
    spectrum = tree["spectrum"].to_dataset()
    assert spectrum.intensity.sizes == {"raman_shift": 1753}
    peak = spectrum.intensity.sel(raman_shift=slice(100, 200)).idxmax()
    assert float(peak) == pytest.approx(143.5, abs=2)  # Eg of anatase
    text = RRUFF.format("##X-RAY WAVELENGTH=1.541838\r\n" + rows(NANOMETRES, COUNTS, separator=", "))
    pattern = read(written(tmp_path, text))["spectrum"].to_dataset()
    assert pattern.intensity.dims == ("two_theta",) and pattern.attrs["wavelength"] == 1.541838


def test_units_of_perkin_elmer_that_are_not_known_are_named(tmp_path):
    tree = read(written(tmp_path, PERKIN_ELMER.replace("%T", "INT")))
    assert tree["spectrum"]["intensity"].attrs["units"] == "1" and "'INT'" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="no line #GR"):
        read(written(tmp_path, PERKIN_ELMER.replace("#GR", "#XX")))


def test_dates_before_instruments_and_after_tomorrow_are_left_out(tmp_path):
    tree = read(shared("cases/r06-spc-dates/test.spc"))
    assert "acquired" not in tree.attrs  # the header has 7 March of the year 115
    assert "the date 0115-03-07T22:50:00 cannot be that of the measurement" in tree.attrs["warnings"]
    tree = read(written(tmp_path, jcamp(PAIRS, "XYPOINTS=(XY..XY)", LONGDATE="2999/01/01")))
    assert "acquired" not in tree.attrs and "2999-01-01" in tree.attrs["warnings"]


def test_a_ratio_of_wavelengths_that_no_tube_has_is_left_out(rawfiles):
    tree = read(rawfiles / "xrd/philips_rd/Sample2.rd")
    assert "wavelength_ratio" not in tree["scan_1"].attrs and "6.01347e-154" in tree.attrs["warnings"]
    assert read(rawfiles / "xrd/philips_rd/CORUNDUM.RD")["scan_1"].attrs["wavelength_ratio"] == 0.5


def test_a_dataset_object_that_is_not_by_witec_has_neither_its_name_nor_counts(tmp_path):
    scale = np.empty((2, 2), object)
    scale[:] = [[np.empty((0, 0)), ""], [np.array([[1000.0, 1002.0]]), "Wavenumber (cm-1)"]]
    out = io.BytesIO()
    savemat(out, {"soil": {"data": np.arange(6.0).reshape(3, 2), "axisscale": scale, "author": "somebody"}})
    tree = read(written(tmp_path, out.getvalue()))
    assert tree.attrs["instrument"] == "not stated in the file" and "nothing says" in tree.attrs["warnings"]
    spectra = tree["soil"].to_dataset()
    assert spectra.intensity.attrs["units"] == "1" and spectra.intensity.dims == ("spectrum", "wavenumber")


def test_a_focus_track_is_an_index_and_a_picture_is_no_region():
    track = read(shared("cases/r04-wdf-focus-track/renishaw_test_focustrack.wdf"))
    spectra = track["Single_scan_measurement"].to_dataset()
    assert spectra.intensity.shape == (3, 1007) and spectra.intensity.dims == ("focustrack_z", "raman_shift")
    np.testing.assert_array_equal(spectra.focustrack_z, [0, 1, 2])
    for name in ("line.wdf", "spectrum_with_image.wdf"):
        tree = read(shared(f"cases/r08-spectrum-with-image/{name}"))
        assert len(tree.children) == 1
        assert "white-light image of 480 x 752 pixels is not read" in tree.attrs["warnings"]


def test_fifteen_digits_or_more_say_nothing_of_the_uncertainty(tmp_path):
    columns = {"x": Entry("s", position=1), "y": Entry("V", position=2)}
    description = TableDescription(columns, axis="x", delimiter="")
    whole = read(shared("cases/text-17-digits/seventeen.txt"), description)["table"].to_dataset()
    assert "y_uncertainty" not in whole and float(whole.y[0]) == 0.3333333333333333
    rounded = read(written(tmp_path, "0.0 0.333\n0.1 0.476\n0.2 0.619\n"), description)["table"].to_dataset()
    np.testing.assert_allclose(rounded.y_uncertainty, 1e-3 / np.sqrt(12))
