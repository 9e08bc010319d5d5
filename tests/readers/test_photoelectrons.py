"""Text exports of photoelectron spectra: the real files, published values, pairs, and damage."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present, shared
from tests.readers.samples.electrical import workbook
from tests.readers.samples.photoemission import CASA, SCIENTA, SPECS, SPECS_XML, avantage, avantage_sheet

# folder/file: region → (points, ends of the axis, first and largest value)
PUBLISHED = {
    "specs_xy/MgFe2O4_small.xy": {
        "Fe2p": (56, (750, 695), 5913.3234, 7613.9403),
        "Survey": (1351, (1350, 0), 15598.679, 108366.48),
    },
    "casaxps_txt/vms_txt_export.txt": {
        "Ni2p": (501, (890, 840), 25648.3, 91499.33),
        "Survey": (1201, (1200, 0), 46994.5, 238697),
        "Ni2p_2": (501, (890, 840), 18049.6, 40286),
        "Survey_2": (1201, (1200, 0), 40256, 136909),
    },
    "casaxps_txt/FeO_analyzed_lineshapes_cols.txt": {"Fe2p": (1121, (750, 694), 6258.45, 12020.35)},
    "scienta_txt/Ag_0001.txt": {"Ag3d": (361, (382, 364), 15.74948978424, 49.12306404114)},
    "scienta_txt/Ag_0002.txt": {"VB": (801, (30, -10), 3.66266550124, 6.71276992559)},
}


def test_published_values(rawfiles, subtests):
    for path, regions in present(rawfiles / "xps", PUBLISHED):
        with subtests.test(path.name):
            tree = read(path)
            assert set(tree.children) == set(regions)
            for region, (points, ends, first, largest) in regions.items():
                intensity, energy = tree[region]["intensity"], tree[region]["binding_energy"]
                assert intensity.size == points
                assert (float(energy[0]), float(energy[-1])) == pytest.approx(ends, abs=1e-5)
                assert (float(intensity[0]), float(intensity.max())) == pytest.approx((first, largest), rel=1e-6)
                assert energy.attrs["units"] == "eV"


def test_regions_on_the_kinetic_axis(rawfiles):
    tree = read(rawfiles / "xps/specs_xy/specsxy_example.xy")
    known = {"over_1400eV": (1303, 100, 1402, 270499.58), "O1s": (281, 100, 114, 74012.791),
             "Si2p": (501, 533, 543, 67300.22), "O1s_XAS_45°": (301, 525, 555, 63316.041)}  # fmt: skip
    assert set(tree.children) == set(known)
    for region, (points, low, high, largest) in known.items():
        intensity, energy = tree[region]["intensity"], tree[region]["kinetic_energy"]
        assert (intensity.size, float(intensity.max())) == (points, largest)
        assert (float(energy[0]), float(energy[-1])) == pytest.approx((low, high))
    assert tree.attrs["acquired"] == "2011-05-19T09:21:25"
    assert tree["over_1400eV"].attrs["work_function"] == 4.387


def test_exports_and_binary_waves_agree(rawfiles):
    folder = rawfiles / "xps"
    for text, wave, region in (
        ("Ag_0001.txt", "Ag_0001Ag__001.ibw", "Ag3d"),
        ("Ag_0002.txt", "Ag_0002Ag__002.ibw", "VB"),
    ):
        one = read(folder / "scienta_txt" / text)[region]
        (other,) = read(folder / "scienta_ibw" / wave).children.values()
        np.testing.assert_allclose(one["intensity"], other["intensity"], rtol=1e-6)
        np.testing.assert_allclose(one["binding_energy"], other["binding_energy"], atol=1e-6)


def test_casa_export_equals_its_vamas_file_and_keeps_the_fit(rawfiles):
    folder = rawfiles / "xps"
    export = read(folder / "casaxps_txt/FeO_analyzed_lineshapes_cols.txt")["Fe2p"]
    (block,) = read(folder / "vamas_vms/FeO_analyzed.vms").children.values()
    np.testing.assert_allclose(export["intensity"], block["intensity"], rtol=1e-6)
    np.testing.assert_allclose(export["intensity"], export["counts"] / 2.0)
    assert float(export["counts"][0]) == 12516.9 and float(export["kinetic_energy"][0]) == 736.61
    assert export["peak_position"].values.tolist() == [709.05, 716.00, 722.13, 729.89]
    assert export["peak_fwhm"].values.tolist() == [3.86, 8.00, 4.87, 7.83]
    assert export["peaks"].shape == (4, 1121)


# --- without the real files ----------------------------------------------------------------------------------------
def given(tmp_path, content):
    path = tmp_path / "spectrum.bin"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_scans_exported_apart_stay_apart(tmp_path):
    region = read(given(tmp_path, SPECS))["C1s"]
    assert region["intensity"].values.tolist() == [[18, 32, 50], [20, 34, 52]]
    np.testing.assert_allclose(region["intensity_uncertainty"], np.sqrt(region["intensity"] * 0.5) / 0.5)
    np.testing.assert_allclose(region["kinetic_energy"], 1486.61 - np.array([290, 289, 288]))
    counts = read(given(tmp_path, SPECS.replace("Counts per Second", "Counts")))["C1s"]
    assert counts["counts"].values[0].tolist() == [18, 32, 50]
    assert counts["intensity"].values[0].tolist() == [36, 64, 100]


def test_a_kinetic_axis_and_other_detectors(tmp_path):
    text = SPECS.replace("Energy Axis:              Binding", "Energy Axis:              Kinetic")
    text = text.replace("# Cycle: 0, Curve: 0, Scan: 1", "# External Channel Data Cycle: 0")
    tree = read(given(tmp_path, text.replace("# Dwell", "# Acquisition Date:  05/19/11 09:21:25 UTC\n# Dwell")))
    region = tree["C1s"]
    assert region["intensity"].dims == ("kinetic_energy",) and region["intensity"].values.tolist() == [18, 32, 50]
    np.testing.assert_allclose(region["binding_energy"], 1486.61 - region["kinetic_energy"])
    assert tree.attrs["acquired"] == "2011-05-19T09:21:25+00:00"
    assert "region C1s: 1 blocks of other channels are left out" in tree.attrs["warnings"]


def test_an_image_of_the_analyser_has_the_scale_of_its_second_dimension(tmp_path):
    text = SCIENTA.replace("Dimension 1 size", "Dimension 2 name=Angle [deg]\nDimension 2 scale=-1 1\nDimension 1 size")
    image = read(given(tmp_path, text.replace("E+0001\n", "E+0001 2.0E+0001\n")))["VB"]["intensity"]
    assert image.dims == ("slice", "binding_energy") and image["slice"].values.tolist() == [-1, 1]
    assert image.values.tolist() == [[15, 16, 17], [20, 20, 20]]


def test_not_a_number_of_the_maker_s_compiler(tmp_path):
    region = read(given(tmp_path, CASA))["Fe2p"]
    assert np.isnan(region["background"][1]) and float(region["background"][0]) == 15
    assert region["intensity"].values.tolist() == [8, 18]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SPECS.replace("32", "3x2"), "'3x2' is not a number"),
        (SPECS.replace("289  32", "289"), "line 13: 1 columns where 2 are expected"),
        (SPECS[: SPECS.index("290")], "holds no region with numbers"),
        (SPECS.replace("290  20", "291  20"), "2 blocks of different axes in one region"),
        (SCIENTA.replace("size=3", "size=4"), "announces 4 energies and holds 3"),
        (SCIENTA.replace("Regions=1", "Regions=2"), "announces 2 regions and holds 1"),
        (SCIENTA[: SCIENTA.index(" 3.0E")], "rows of .. columns"),
        (CASA.replace("Acquisition Time s", "Time"), "acquisition time is missing"),
        (CASA.replace("B.E.", "X"), "B.E. is missing"),
        (CASA.replace("K.E.", "X"), "no row of column names that begins with K.E."),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, content, message):
    with pytest.raises(ReadError, match=f"spectrum.bin.*{message}"):
        read(given(tmp_path, content))


def test_a_short_curve_is_said(tmp_path):
    tree = read(given(tmp_path, SPECS.replace("Values/Curve:                 3", "Values/Curve:                 9")))
    assert "region C1s: 9 values announced, 3 found" in tree.attrs["warnings"]


def test_real_specslab_channels_are_summed_where_they_saw_the_same_energy(rawfiles):
    tree = read(rawfiles / "xps/specs_xml/In-situ_PBTTT_XPS_SPECS.xml")
    assert tree.attrs["acquired"].startswith("2022-01-28")
    survey, carbon = tree["Survey"].to_dataset(), tree["C1s"].to_dataset()
    assert (survey.sizes["binding_energy"], carbon.sizes["binding_energy"], carbon.sizes["scan"]) == (1403, 201, 2)
    assert (float(carbon["binding_energy"][0]), float(carbon["binding_energy"][-1])) == pytest.approx((290, 280))
    assert carbon.attrs["pass_energy"] == 20 and carbon.attrs["counting_time"] == 0.2
    np.testing.assert_allclose(survey["intensity"], survey["counts"] / 0.1)
    # What the peer gives: channels added without the shift between them. Its lines are half as high.
    for region, head, tail, first, highest in ((survey, 8, 7, 472, 777), (carbon, 33, 30, 130.5, 541)):
        unshifted = region["channel_counts"].sum("channel")[..., head:-tail]
        unshifted = unshifted.mean("scan") if "scan" in unshifted.dims else unshifted
        assert (float(unshifted[0]), float(unshifted.max())) == (first, highest)
        aligned = region["counts"].mean("scan") if "scan" in region.dims else region["counts"]
        assert float(aligned.max()) > 1.6 * highest


def test_specslab_channels_of_a_line_at_one_energy(tmp_path):
    path = tmp_path / "a"
    path.write_text(SPECS_XML)
    region = read(path)["C1s"]
    np.testing.assert_array_equal(region["counts"], [2, 4, 60, 8])
    assert float(region["binding_energy"][2]) == pytest.approx(289)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("FixedAnalyzerTransmission", "FixedEnergies", "region C1s: scan mode FixedEnergies is not read"),
        ('name="mcd_head">1<', 'name="mcd_head">0<', "samples per channel do not hold 4 shifted points"),
        ('<double name="dwell_time">0.1', '<double name="dwell_time">x', "dwell_time is 'x', not a number"),
        ("0 2\n", "0 two\n", "region C1s, counts: 'two' is not a number"),
        ('<ulong name="mcd_head">1</ulong>', "", "has no element named mcd_head"),
        ("<!ELEMENT any (sequence)?>", '<!ENTITY a "b">', "is not readable XML"),
        ("ScanData", "Nothing", "holds no measured region"),
    ],
)
def test_damaged_specslab_files_are_refused_with_the_place(tmp_path, old, new, message):
    path = tmp_path / "a.xml"
    path.write_text(SPECS_XML.replace(old, new, 1))
    with pytest.raises(ReadError, match=message):
        read(path)


def test_a_scan_at_a_fixed_energy_has_an_index(tmp_path):
    fixed = SPECS.replace("# Dwell", "# Scan Mode:   FixedEnergies\n# Kinetic Energy:   780.61\n# Dwell")
    path = tmp_path / "file.xy"
    path.write_text(fixed, encoding="utf-8")
    region = read(path)["C1s"]
    assert region["intensity"].dims == ("scan", "index") and "kinetic_energy" not in region.coords
    assert region.attrs["kinetic_energy"] == 780.61


def test_further_columns_of_specs_are_read_or_named(tmp_path):
    labels = "# ColumnLabels: energy counts/s transmission odd\n"
    rows = SPECS[: SPECS.index("290  18")] + labels + "290 18 0.5 7\n289 32 0.6 7\n"
    path = tmp_path / "file.xy"
    path.write_text(
        rows.replace("Values/Curve:                 3", "Values/Curve:                 2"), encoding="utf-8"
    )
    tree = read(path)
    assert tree["C1s"]["transmission"].values.tolist() == [0.5, 0.6]
    assert tree.attrs["warnings"] == "region C1s: the column odd is not read"


def test_energies_that_electrons_cannot_have_are_refused(tmp_path):
    path = tmp_path / "file.xy"
    path.write_text(SPECS.replace("290  ", "2900  "), encoding="utf-8")
    with pytest.raises(ReadError, match=r"kinetic energies of -1413\.39 to 1198\.61 eV with photons of 1486\.61 eV"):
        read(path)


def test_real_alignments_of_specs_are_no_spectra():
    tree = read(shared("cases/p01-specs-fixed-energies/MgFe2O4.xy"))
    assert tree["Align"]["intensity"].dims == ("index",) and tree["Align"].attrs["kinetic_energy"] == 780.61
    assert tree["Survey"]["binding_energy"].values[[0, -1]].tolist() == [1350, 0]


# --- Avantage -------------------------------------------------------------------------------------------------------
NOTE = [["a", "b"], [1, 2], [3, 4], [5, 6]]
COPIED = [["Binding Energy (E)", "", ""], ["eV", "", "Counts / s"], [298, "", 900], [297, "", 1000], [296, "", 950]]
LEVELS = [[900.0, 800.0], [1000.0, 850.0], [950.0, 820.0]]


@pytest.mark.parametrize("row", [5 + 10, 20], ids=["at the usual row", "further below"])
@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ((), {"etch_time_level": [1, 2], "etch_time_level_units": ["1", "1"]}),
        ((0, 30.5), {"etch_time": [0, 30.5], "etch_time_units": ["s", "s"]}),
    ],
)
def test_levels_of_an_avantage_profile(tmp_path, row, levels, told):
    content = avantage(
        C1s_Scan=avantage_sheet(LEVELS, ("", ""), levels, row), XPS_Survey=avantage_sheet([[1], [2], [4]])
    )
    tree = read(given(tmp_path, content))
    assert list(tree.children) == ["C1s_1", "C1s_2", "XPS Survey"]
    parts = [tree["C1s_1"], tree["C1s_2"]]
    assert [part["intensity"].values.tolist() for part in parts] == [[900, 1000, 950], [800, 850, 820]]
    assert {key: [part.attrs[key] for part in parts] for key in told} == told
    assert {part.attrs["region"] for part in parts} == {"C1s"}


def test_avantage_words_without_numbers_are_refused_or_said(tmp_path):
    empty = avantage(C1s_Scan=avantage_sheet(LEVELS)[:16])
    with pytest.raises(ReadError, match="holds no three rows of two or more numbers"):
        read(given(tmp_path, empty))
    tree = read(given(tmp_path, avantage(O1s_Scan=avantage_sheet(LEVELS), Note=NOTE)))
    assert "sheet Note: its table of row 2 has no axis of energy and is not read" in tree.attrs["warnings"]


def test_a_spectrum_copied_from_avantage_into_a_plain_workbook(tmp_path):
    """Without the words of the program the front end of tables reads it: the symbol behind the name is no unit."""
    tree = read(given(tmp_path, workbook({"Sheet1": COPIED})))
    assert tree.attrs["format"] == "workbook"
    assert tree["spectrum"]["binding_energy"].values.tolist() == [298, 297, 296]
    assert tree["spectrum"]["intensity"].attrs["units"] == "count/s"
