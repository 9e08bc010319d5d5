"""TriVista, Delmic, Hamamatsu, Digital Surf, MRC and Protochips files, which rosettasciio knows."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.cameras import PROTOCHIPS, hamamatsu, mrc, surface, trivista
from tests.readers.test_optics import written


def test_a_line_of_trivista_has_its_places_and_wavelengths():
    tree = read(shared("cases/r12-rosettasciio-reads/linescan.tvf"))
    line = tree["spectra"].to_dataset()
    # the file has 21 frames of 97 values, the first 448, and From=-0.010, Step=0.001 in its settings (in um)
    assert line.intensity.sizes == {"x": 21, "wavelength": 97} and float(line.intensity[0, 0]) == 448
    np.testing.assert_allclose(line.x[[0, -1]], [-1e-8, 1e-8])
    assert float(line.wavelength[0]) == 910.310424804688 and tree.attrs["acquired"] == "2016-09-29T12:51:30"


def test_xml_inside_an_attribute_of_trivista_is_examined_too(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(ReadError, match="InfoSerialized: is not readable XML"):
        read(written(tmp_path, trivista(bomb)))


def test_the_acquisitions_of_a_sparc_are_spectrum_and_images():
    tree = read(shared("cases/r12-rosettasciio-reads/sparc-hyperspectral-spot.h5"))
    spectrum = tree["Spectrum_with_Spectrometer_IR"].to_dataset()
    assert spectrum.intensity.sizes == {"wavelength": 335} and spectrum.intensity.attrs["units"] == "count"
    ends = float(spectrum.wavelength[0]), float(spectrum.wavelength[-1])
    assert ends == pytest.approx((332.7109, 867.2891), abs=1e-3) and spectrum.attrs["integration_time"] == 1.0
    survey = tree["Secondary_electrons_survey"].to_dataset()
    assert survey.intensity.shape == (512, 512) and survey.intensity.attrs["units"] == "1"
    # 8 x 0.61035 um, the sampling and the pixel of the header
    assert abs(float(survey.x[1] - survey.x[0])) == pytest.approx(8 * 6.103515625e-07)


def test_a_map_of_mountains_has_the_spacing_of_its_header():
    tree = read(shared("cases/rsciio-misc/test_surface.sur"))
    image = tree["surface"].to_dataset()
    assert image.intensity.shape == (128, 128) and image.intensity.attrs["units"] == "1"  # 'a.u.' in the header
    assert float(image.x[1]) == pytest.approx(8.252197585534304e-08)  # 8.25e-5 mm


def test_surfaces_are_read_packed_or_not_and_refused_where_sizes_differ(tmp_path):
    plain = read(written(tmp_path, surface(packed=False)))["surface"]["height"]
    np.testing.assert_allclose(plain, [[0, 5e-7, 1e-6], [1.5e-6, 2e-6, 2.5e-6]])
    with pytest.raises(ReadError, match="unpacks to more"):
        read(written(tmp_path, surface()[:116] + b"\1\0\0\0" + surface()[120:]))
    with pytest.raises(ReadError, match="ends at byte"):
        read(written(tmp_path, surface(packed=False)[:-4]))


def test_an_mrc_image_has_the_pixels_of_its_header():
    image = read(shared("cases/rsciio-misc/HAADFscan.mrc"))["image"].to_dataset()
    # the header has 908.661 angstrom for 16 columns
    assert image.intensity.shape == (16, 16) and float(image.x[1]) == pytest.approx(90.8661e-9 / 16, rel=1e-6)


def test_an_mrc_image_without_lengths_has_pixels_without_a_unit(tmp_path):
    tree = read(written(tmp_path, mrc(0.0)))
    assert tree["image"]["x"].attrs["units"] == "1" and tree["image"]["y"].attrs["units"] == "m"
    assert "no length of x" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="6 points need 1036 bytes"):
        read(written(tmp_path, mrc()[:-2]))


def test_a_streak_image_that_is_larger_than_its_file_is_refused(tmp_path):
    with pytest.raises(ReadError, match="3000 x 2 pixels need"):
        read(written(tmp_path, hamamatsu(3000)))


def test_a_log_of_protochips_keeps_its_uneven_times():
    tree = read(shared("cases/rsciio-misc/protochips_electrical.csv"))
    log = tree["log"].to_dataset()
    np.testing.assert_allclose(log.time[:3], [0, 0.147, 0.196])
    current, voltage, resistance = (log[f"channel_a_{name}"] for name in ("current", "voltage", "resistance"))
    assert (current.attrs["units"], voltage.attrs["units"], resistance.attrs["units"]) == ("A", "V", "ohm")
    np.testing.assert_allclose(voltage[1:5] / current[1:5], resistance[1:5], rtol=1e-4)  # Ohm's law
    assert tree.attrs["acquired"] == "2014-10-08T16:26:51.738000"


def test_rows_of_a_protochips_log_that_were_cut_or_damaged(tmp_path):
    tree = read(written(tmp_path, PROTOCHIPS[:-10]))
    assert tree["log"].sizes["time"] == 2 and "the last row holds" in tree.attrs["warnings"]
    with pytest.raises(ReadError, match="line 8: 3 cells under 4 names"):
        read(written(tmp_path, PROTOCHIPS.replace(", NaN", "")))
