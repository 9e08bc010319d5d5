"""The rows of the page of faults, in ``shared/cases``, that a reader decides and that no other test names.

Each case says how its value is known: H the header of the file, B its bytes or lines read by eye, L another library,
S a second file of the same measurement. Rows that other tests hold stand in `ELSEWHERE`.
"""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.project import ROOT
from tests.public_files import shared

ELSEWHERE = {
    "A7": "test_probe_images", "A12": "test_probes", "A13": "test_electrical", "A16": "test_photoelectrons",
    "A22": "test_microscopes", "A23": "test_microscopes", "A24": "test_optics", "A25": "test_optics",
    "A26": "test_optics", "B1": "test_diffractometers", "B2": "test_vamas", "C1": "test_optics",
    "C2": "test_bruker_raw", "C4": "test_optics", "C6": "test_electrical", "C7": "test_microscopes",
    "C10": "test_electrical", "C13": "test_unread", "D": "test_text_patterns",
}  # fmt: skip
"""Row of the page, and the module in this folder that tests it."""
DECIMALS = "cases/decimal-comma"
COMMAS = "cases/r01-decimal-comma"
LABELS = "cases/labelled-columns"
VOLTS, AMPERES = ("voltage", "V", 0, 1), ("current", "A", 0, 1e-6)
FORCE = "cases/afmformats/fmt-ntmdt-txt-fd_2015_01_17_gel4-0,1_mQ_adh_6B_Curve_DFL_Height_51.txt"
GATE = "cases/b1500-iv/Gate Sweep Ext [00_02(1) ; 12_4_2022 8_45_32 AM].csv"
CAPACITOR = "cases/ferro-cap/2.2nF discrete cap 1000Hz 3V 1Average Table10.tsv"
CASES = [
    ("A3", "cases/fet-vg-ig/output_vg_first.csv", "H", 204, [("ig", "A", 2e-12, 2e-12), ("vg", "V", 10, 10)]),
    ("A4", FORCE, "B", 1000, [("column_1", "1", -7999.9482, None), ("column_2", "1", 1.4726, None)]),
    ("A4", f"{COMMAS}/comma_tab.txt", "B", 5, [("column_1", "1", 190.74, 192.26), ("column_2", "1", 133.333, 5.263)]),
    ("A4", f"{COMMAS}/comma_semicolon.csv", "B", 4, [("column_1", "1", 190.74, 191.88)]),
    ("A4", f"{COMMAS}/comma_int2.csv", "B", 5, [("column_1", "1", 10, 11), ("column_2", "1", 133, 12)]),
    ("A4", f"{DECIMALS}/blank.xy", "B", 30, [("column_1", "1", 100.5, None), ("column_2", "1", 1234.75, None)]),
    ("A4", f"{DECIMALS}/semicolon.csv", "B", 30, [("column_1", "1", 100.5, None), ("column_2", "1", 1234.75, None)]),
    ("A4", f"{DECIMALS}/ragged.txt", "B", 30, [("column_1", "1", 0, 29), ("column_2", "1", 100.5, None)]),
    ("A13", GATE, "H", 801, [("GateV", "V", -80, 80), ("DrainI", "A", None, None), ("GateI", "A", None, None)]),
    ("A14", f"{LABELS}/devices.csv", "B", 11, [("device_a", "1", 0, 1), ("device_b", "1", 0, 2)]),
    ("A18", CAPACITOR, "B", 401, [("time", "s", 0, 1e-3), ("p1", "uC/cm^2", -3.517941e-2, None)]),
    ("C2", "cases/e03-emsa-variants/no_end.msa", "B", 10, [("intensity", "count", 10, 19)]),
    ("C9", f"{LABELS}/index.csv", "B", 11, [VOLTS, AMPERES]),
    ("C9", f"{LABELS}/quoted.csv", "B", 11, [VOLTS, AMPERES]),
    ("C9", f"{LABELS}/origin.txt", "B", 11, [VOLTS, AMPERES]),
    ("C9", f"{LABELS}/iso.csv", "B", 11, [("u", "V", 0, 1), ("i", "A", 0, 1e-6)]),
    ("C11", "cases/pysspfm/off_f_KNN500n_SSPFM.0_00056.txt", "H", 800,
     [("read_bias", "V", 0, 0), ("amplitude", "1", 7.02e-3, None), ("phase", "degree", -51.072, None)]),
    ("D", "cases/e03-emsa-variants/ev_units.msa", "B", 10, [("energy", "eV", -200, -110)]),
    ("D", "cases/e03-emsa-variants/trailing_commas.msa", "B", 10, [("intensity", "count", 10, 19)]),
    ("D", "cases/e03-emsa-variants/xy_ev.msa", "B", 10, [("energy", "eV", -200, -110)]),
    ("D", "cases/ekpmeasure/300K_0.csv", "B", 500, [("x", "1", 0, 20), ("y", "1", 0.04023892574716348, None)]),
    ("D", "cases/graphene-pd/CVD1F-Isd-Vsd-Dark.dat", "B", 304, [("column_2", "1", -4.616870e-6, None)]),
    ("D", "cases/pund-flat-top/pund_flat_top_100kohm.csv", "H", 3400, [("time", "s", 0, None)]),
]  # fmt: skip
"""Row, file, how the values are known, number of points, and variables: name, unit, first and last value."""


@pytest.mark.parametrize(("name", "points", "variables"), [(c[1], *c[3:]) for c in CASES], ids=lambda c: str(c)[:60])
def test_values_of_the_files(name, points, variables):
    data = next(iter(read(shared(name)).children.values())).to_dataset()
    for variable, unit, first, last in variables:
        values = data[variable].values
        assert (values.size, data[variable].attrs["units"]) == (points, unit), variable
        ends = [(value, found) for value, found in ((first, values[0]), (last, values[-1])) if value is not None]
        np.testing.assert_allclose([found for _, found in ends], [value for value, _ in ends], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        (f"{LABELS}/devices.csv", "nothing says in which unit Device A is"),  # A14
        (FORCE, "the file says neither what its columns are nor their units"),  # A4
        ("cases/e03-emsa-variants/no_end.msa", "has no #ENDOFDATA line: the file may be truncated"),  # C2
        ("cases/e03-emsa-variants/choffset.msa", "CHOFFSET says that channel -20 is at zero"),  # D
        ("cases/ekpmeasure/300K_0.csv", "nothing says in which unit x is"),  # D
        ("cases/p05-xps-workbook/Pt4f.xlsx", "sheet Pt4f: text beside the numbers is kept in the header"),  # D
    ],
)
def test_what_a_file_does_not_say_is_said(name, warning):
    assert warning in read(shared(name)).attrs["warnings"]


def test_a8_a_monochromator_leaves_one_line():
    """H, B: the file states a ratio of Kα2 to Kα1 of zero."""
    scan = read(shared("cases/x01-alpha1-monochromator/simpack_xrd_AlGaAs.xrdml.gz"))["scan_1"]
    assert scan.attrs["wavelength_ratio"] == 0 and scan.attrs["wavelength_alpha1"] == 1.540598
    assert scan["two_theta"].size == 2999


def test_a9_the_tube_of_a_pattern_with_its_kbeta_lines():
    scan = read(shared("cases/x02-kbeta-lines/TiO2.raw"))["scan_1"]
    assert scan.attrs["anode"] == "Cu" and scan.attrs["wavelength_alpha1"] == pytest.approx(1.5406)
    assert scan["two_theta"].values[[0, -1]] == pytest.approx([10, 70.04], abs=0.01)


def test_a15_points_of_a_line_of_spectra_are_numbers():
    """L: 64 places, which pint took for points of 1/72 inch, 22 mm in all."""
    line = read(shared("cases/e02-passing-edx/Elid2Version0.elid"))["Image_1_Line_4"]
    assert line["i"].attrs["units"] == "1"
    np.testing.assert_array_equal(line["i"], np.arange(64))


def test_c3_counts_without_the_energy_of_the_beam():
    tree = read(shared("cases/e04-spx-metadata/no_primary_energy.spx"))
    assert float(tree["EDX"]["intensity"].sum()) == 4413  # S: the sum of the file as it was before
    assert "beam energy could not be found" in tree.attrs["warnings"] and "beam_energy_keV" not in tree["EDX"].attrs


def test_d_a_map_of_jeol_equals_the_library():
    from rsciio.jeol._api import _read_img

    path = shared("cases/e01-jeol-maps/View000_0000002.map")
    (signal,) = _read_img(str(path))
    tree = read(path)
    image = tree["O_K"]
    np.testing.assert_array_equal(image["intensity"], signal["data"])
    assert (image["intensity"].attrs["units"], image.attrs["beam_energy_keV"]) == ("count", 200)
    for axis in signal["axes"]:
        step = float(image[axis["name"]][1])
        assert (axis["units"], step) == ("µm", pytest.approx(axis["scale"] * 1e-6))
    assert tree.attrs["acquired"] == "2017-04-07T18:08:39"


def test_d_a_workbook_holds_the_counts_of_its_vamas_file():
    """S: CasaXPS and KherveFitting hold the same spectrum; the workbook is moved by 0.01 eV."""
    book = read(shared("cases/p05-xps-workbook/Pt4f.xlsx"))["table"]
    vamas = read(shared("cases/p05-xps-workbook/Pt4f.vms"))["Pt4f"]
    np.testing.assert_allclose(book["raw_data"], vamas["counts"], atol=5e-3)
    np.testing.assert_allclose(book["transmission"], vamas["transmission"], atol=1e-6)
    assert book["binding_energy"].attrs["units"] == "eV"
    np.testing.assert_allclose(book["binding_energy"], vamas["binding_energy"], atol=0.011)


@pytest.mark.costly
def test_every_input_is_read_or_refused_with_a_word():
    """One input is refused: a CIF in which a text is not closed, see `test_text_patterns`."""
    folder = shared("cases/README.md").parent
    refused = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        if path.name == "ORIGIN.txt":
            continue
        try:
            assert read(path).children, path.name
        except ReadError as error:
            refused.append((path.name, error.problem))
    ((name, problem),) = refused
    assert name.endswith(".cif") and "a text between lines that begin with ';' is not closed" in problem


def test_rows_of_other_modules_are_there():
    for row, module in ELSEWHERE.items():
        assert "cases/" in (ROOT / f"tests/readers/{module}.py").read_text(encoding="utf-8") or row in ("A24", "C13")
