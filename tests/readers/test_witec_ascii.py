import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.simulation.writers.witec_ascii import write

from tests.readers.samples.spectra import witec_table


def folder(rawfiles):
    return rawfiles / "raman_shg"


def test_header_variants_of_one_map_agree(rawfiles):
    trees = [read(folder(rawfiles) / f"witec_txt/Witec-Map_{variant}.txt") for variant in ("no", "label", "unit")]
    for tree in trees:
        spectra = tree["spectra"]
        assert spectra.intensity.shape == (25, 1024)
        assert spectra.raman_shift[[0, -1]].values == pytest.approx([87.7367, 2821.31], abs=5e-3)
        assert spectra.intensity[0, 0] == 994
        np.testing.assert_array_equal(spectra.intensity, trees[0]["spectra"].intensity)
    labelled = trees[1]["spectra"]
    assert labelled.x_index.values[:6].tolist() == [0, 1, 2, 3, 4, 0]
    assert labelled.y_index.values[:6].tolist() == [0, 0, 0, 0, 0, 1]
    assert "states no units" in trees[0].attrs["warnings"] and "warnings" not in trees[2].attrs


def test_axis_and_data_in_two_files_equal_the_table(rawfiles):
    pair = folder(rawfiles) / "witec_dat"
    pair.provide(*pair.files())
    tables = [
        read(folder(rawfiles) / name)["spectra"]
        for name in ("witec_dat/Witec-Map-x.dat", "witec_dat/Witec-Map-y.dat", "witec_txt/Witec-Map_no.txt")
    ]
    assert tables[0].intensity[0, 0] == 994
    assert tables[0].intensity[-1, -1] == 986
    np.testing.assert_array_equal(tables[0].intensity, tables[2].intensity)
    np.testing.assert_array_equal(tables[0].intensity, tables[1].intensity)


def test_time_series(rawfiles):
    spectra = read(folder(rawfiles) / "witec_txt/Witec-timeseries_full.txt")["spectra"]
    assert spectra.intensity.shape == (100, 1024)
    assert spectra.intensity[0, 0] == 995
    assert spectra["index"].values.tolist() == list(range(100))


def test_other_tables(rawfiles):
    spectra = read(folder(rawfiles) / "witec_txt/P_A32_007_Spec.Data 1.txt")["spectra"]
    assert spectra.intensity.shape == (221, 1024)
    assert spectra.intensity[0, 0] == 665
    assert spectra.raman_shift[0] == pytest.approx(28.17528, abs=1e-4)
    spectra = read(folder(rawfiles) / "witec_txt/PST_WiICV532_Z050OP02_075_800msx10.txt")["spectra"]
    assert spectra.intensity.shape == (1, 1024)
    assert spectra.raman_shift[[0, -1]].values == pytest.approx([-42.75386, 3852.19852], abs=1e-5)


def test_wavelength_axis_is_not_taken_for_a_shift(rawfiles):
    tree = read(folder(rawfiles) / "witec_txt/Si-wafer-Raman-Spectrum-1.txt")
    spectra = tree["spectra"]
    assert spectra.intensity.dims == ("spectrum", "wavelength")
    assert spectra.wavelength.attrs["units"] == "nm"
    assert spectra.sizes["wavelength"] == 1600
    assert spectra.wavelength[0] == pytest.approx(530.7816803)
    assert spectra.intensity[0, 0] == pytest.approx(356.8500061)
    header = json.loads(tree.attrs["header"])["header"]
    assert header["SizeX"] == "1"
    assert header["PositionUnit"] == "µm"
    assert header["PositionX"] == "2.3283064365387E-8"


def test_other_two_column_text_is_not_claimed(rawfiles):
    for name in ("ANP_NM01_029_BiVO4_RXN02_01_Nifil_30min.truth.xy", "bruker_output.txt", "SbI3.xy"):
        assert read(rawfiles / "xrd/ascii_xy" / name).attrs["format"] == "columns"


# --- without the real files ------------------------------------------------------------------------------------------
def test_a_file_without_units_says_so(tmp_path):
    for labels, units in ((True, True), (True, False), (False, True), (False, False)):
        path = tmp_path / "map.txt"
        path.write_text(witec_table(labels, units))
        tree = read(path)
        assert ("states no units" in tree.attrs.get("warnings", "")) == (not units)
        assert ("x_index" in tree["spectra"]) == labels


def test_labels_of_a_series_are_its_numbers(tmp_path):
    path = tmp_path / "series.txt"
    path.write_text(witec_table(True, True).replace("(0/0)", "(0)").replace("(1/0)", "(1)"))
    assert read(path)["spectra"]["index"].values.tolist() == [0, 1]


def test_axis_and_data_in_two_files(tmp_path):
    for end, numbers in (("x", (100.0, 101.0, 102.0)), ("y", (9.0, 16.0, 25.0, 10.0, 17.0, 26.0))):
        lines = "".join(f"  {number:.8E}\n" for number in numbers)
        (tmp_path / f"map-{end}.dat").write_text(lines.replace("E+", "E+0"))
    for end in "xy":
        spectra = read(tmp_path / f"map-{end}.dat")["spectra"]
        assert spectra["intensity"].values.tolist() == [[9, 16, 25], [10, 17, 26]]
        assert spectra["raman_shift"].values.tolist() == [100, 101, 102]
    (tmp_path / "map-y.dat").write_text((tmp_path / "map-y.dat").read_text()[:-20])
    with pytest.raises(ReadError, match="axis has 3 points, which do not divide 5 intensities"):
        read(tmp_path / "map-x.dat")
    (tmp_path / "map-y.dat").unlink()
    with pytest.raises(ReadError, match=r"is one of a pair of files; 'map-y\.dat' is missing in its folder"):
        read(tmp_path / "map-x.dat")
    (tmp_path / "map-x.dat").rename(tmp_path / "map.dat")
    with pytest.raises(ReadError, match="holds one column; WITec writes such data as two files"):
        read(tmp_path / "map.dat")


counts = st.floats(0, 65535, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(counts, min_size=4, max_size=4), min_size=1, max_size=3))
def test_what_the_writer_writes_the_reader_reads(tmp_path_factory, spectra):
    path = tmp_path_factory.mktemp("witec") / "a.bin"
    path.write_bytes(write(np.arange(4.0), np.array(spectra), axis_unit="nm", title="s"))
    np.testing.assert_allclose(read(path)["spectra"].intensity, spectra, rtol=1e-9)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: text.index("[Data]")], "no \\[Data\\] section"),
        (lambda text: text[: text.index("[Data]") + 20], "no data rows"),
        (lambda text: text.replace(" 1.000000000E+00", " abc", 1), "table is damaged.*abc"),
        (lambda text: text.replace(" 1.000000000E+00", " nan", 1), "not finite"),
        (lambda text: text.replace(" 1.000000000E+00", " 9.0", 1), "unsorted"),
        (lambda text: text.replace("rel. 1/cm,", "furlong,"), "axis unit 'furlong'"),
    ],
)
def test_damage_is_named(tmp_path, damage, message):
    path = tmp_path / "spectrum.txt"
    text = write(np.arange(4.0), np.full(4, 5.0), axis_unit="rel. 1/cm", title="s").decode()
    path.write_bytes(damage(text).encode())
    with pytest.raises(ReadError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
