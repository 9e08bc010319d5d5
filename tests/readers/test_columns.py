"""Text tables and workbooks as people export them: the numbers, the names and the units that were put in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.common.text import decoded
from relaxor.readers.common.unit_words import unit_of

from tests.readers.samples.electrical import workbook
from tests.readers.samples.tables import LVM

X = np.array([100.5, 101.75, 103.0, 104.25, 105.5])
Y = np.array([1234.75, 1231.25, 1227.75, 1224.5, -3.25])


def table(header: str, separator: str = ",", decimal: str = ".", columns: tuple[np.ndarray, ...] = (X, Y)) -> str:
    rows = [separator.join(f"{value:.4f}".replace(".", decimal) for value in row) for row in zip(*columns, strict=True)]
    return "\n".join([*([header] if header else []), *rows]) + "\n"


def child_of(tmp_path, content: str | bytes, name: str = "export.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    tree = read(path)
    return next(iter(tree.children.values())).to_dataset(), tree.attrs.get("warnings", "")


@pytest.mark.parametrize(
    ("separator", "decimal"), [("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."), (" ", "."), ("  ", ",")]
)
@pytest.mark.parametrize("header", ["", "# made by hand", "X\tY"])
def test_a_comma_is_the_decimal_sign_where_something_else_separates(tmp_path, separator, decimal, header):
    data, warnings = child_of(tmp_path, table(header, separator, decimal))
    first, second = data.data_vars.values()
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, Y)
    assert "unit" in warnings


RAMAN = ("raman_shift", "1/cm")


@pytest.mark.parametrize(
    ("content", "axis", "unit"),
    [
        (table("Raman shift (cm-1),Intensity (arb. units)"), RAMAN, "1"),
        (table("Raman shift [1/cm],Intensity [counts]"), RAMAN, "count"),
        (table('"Raman Shift / cm⁻¹","Counts"'), RAMAN, "count"),
        (table("# measured on a Monday\nWavenumber (cm^-1)\tInt.", "\t"), RAMAN, "1"),
        (table("#Wave\t\t#Intensity", "\t\t"), RAMAN, "count"),
        (table("Raman shift;Intensity\ncm-1;a.u.\n;flake 2", ";", ","), RAMAN, "1"),
        (table("2Theta;Counts", ";"), ("two_theta", "degree"), "count"),
        (table("2-theta (deg)   Intensity (cps)", " "), ("two_theta", "degree"), "count/s"),
        (table("2θ (°),I (counts)"), ("two_theta", "degree"), "count"),
        (table("Binding Energy (eV)\tCounts", "\t"), ("binding_energy", "eV"), "count"),
        (table("BE,CPS"), ("binding_energy", "eV"), "count/s"),
        (table("Wavelength (nm)\tIntensity (counts)", "\t"), ("wavelength", "nm"), "count"),
    ],
)
def test_a_labelled_spectrum_has_its_axis(tmp_path, content, axis, unit):
    data, warnings = child_of(tmp_path, content)
    name, axis_unit = axis
    np.testing.assert_array_equal(data[name], X)
    np.testing.assert_array_equal(data["intensity"], Y)
    assert (data[name].attrs["units"], data["intensity"].attrs["units"]) == (axis_unit, unit)
    assert ("intensity of spectrum" in warnings) == (unit == "1")


@pytest.mark.parametrize(
    ("content", "units"),
    [
        (table("Spannung (V);Strom (mA)", ";", ","), {"spannung": "V", "strom": "mA"}),
        (table("U/V\tI/A", "\t"), {"u": "V", "i": "A"}),
        (table("t/s,I/nA"), {"t": "s", "i": "nA"}),
        (table("Voltage, V\tCurrent density, mA cm-2", "\t"), {"voltage": "V", "current_density": "mA/cm^2"}),
        (table("E (MV/cm),P (µC/cm²)"), {"e": "MV/cm", "p": "uC/cm^2"}),
        (table("Voltage\tCurrent\nV\tA\n\tdevice 1", "\t"), {"voltage": "V", "current": "A"}),
        (table("Time s\tVplus V", "\t"), {"time": "s", "vplus": "V"}),
        (table("Pulse number,Conductance (nS)"), {"pulse_number": "1", "conductance": "nS"}),
        (table("Power density (mW/cm2),Photocurrent (uA)"), {"power_density": "mW/cm^2", "photocurrent": "uA"}),
        (table("Device A,Device B"), {"device_a": "1", "device_b": "1"}),
    ],
)
def test_a_labelled_table_has_its_units(tmp_path, content, units):
    data, _ = child_of(tmp_path, content)
    assert {name: values.attrs["units"] for name, values in data.data_vars.items()} == units
    for values, expected in zip(data.data_vars.values(), (X, Y), strict=True):
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_an_encoding_is_told(tmp_path, encoding):
    data, _ = child_of(tmp_path, table("Frequenz (kHz)\tPolarisation (µC/cm²)", "\t").encode(encoding))
    assert [values.attrs["units"] for values in data.data_vars.values()] == ["kHz", "uC/cm^2"]


def test_chinese_is_told_from_signs_of_the_west():
    assert decoded("电压 (V),电流 (A)".encode("gb18030")) == "电压 (V),电流 (A)"
    assert decoded("5 µA bei 20 °C, Größe".encode("cp1252")) == "5 µA bei 20 °C, Größe"


def test_a_number_of_rows_is_left_out(tmp_path):
    data, _ = child_of(tmp_path, table("Index,Voltage (V),Current (A)", columns=(np.arange(5.0), X, Y)))
    assert list(data.data_vars) == ["voltage", "current"]


def test_several_tables_are_all_read(tmp_path):
    tree_text = table("Voltage (V),Current (A)") + "second sweep\n" + table("Voltage (V),Current (A)", columns=(Y, X))
    path = tmp_path / "two.csv"
    path.write_text(tree_text)
    tree = read(path)
    assert list(tree.children) == ["table", "table_2"]
    np.testing.assert_array_equal(tree["table_2"]["voltage"], Y)


@pytest.mark.parametrize("between", ["2.0\t\n#####\t??", "#2\t#2"])
def test_rows_behind_an_interruption_keep_the_names_above_it_and_that_is_said(tmp_path, between):
    rows = [f"{x / 10:.1f}\t{x}" for x in range(40)]
    path = tmp_path / "broken.txt"
    path.write_text("\n".join(["voltage (V)\tcurrent (uA)", *rows[:20], between, *rows[22:]]) + "\n")
    tree = read(path)
    first, second = tree["table"], tree["table_2"]
    assert second["current"].attrs["units"] == first["current"].attrs["units"]
    np.testing.assert_allclose(second["voltage"].values, np.arange(22, 40) / 10)
    assert "the columns have no names; those above it are taken" in tree.attrs["warnings"]


@pytest.mark.parametrize(
    ("angles", "child"), [(np.arange(10, 60, 0.05), "spectrum"), (np.arange(0, 360, 5.0), "table")]
)
def test_an_angle_is_that_of_a_diffractometer_if_its_steps_are(tmp_path, angles, child):
    path = tmp_path / "angles.txt"
    path.write_text(table("angle (deg),intensity (counts)", columns=(angles, np.arange(angles.size) % 7 + 1.0)))
    assert list(read(path).children) == [child]


def test_what_stands_below_is_kept_and_said(tmp_path):
    path = tmp_path / "footer.csv"
    path.write_text(table("Voltage (V),Current (A)") + "Min,0\n")
    tree = read(path)
    assert tree["table"].sizes["row"] == X.size
    assert "Min,0" in tree.attrs["header"] and "below the numbers" in tree.attrs["warnings"]


def test_a_row_that_was_cut_is_said(tmp_path):
    data, warnings = child_of(tmp_path, table("Voltage (V),Current (A)") + "106.")
    assert data.sizes["row"] == X.size and "below the numbers" in warnings
    data, warnings = child_of(tmp_path, table("t (s);U (V);I (A)", ";", columns=(X, X, Y)) + "106.75;3")
    assert data.sizes["row"] == X.size and "holds 2 of 3 cells and is left out" in warnings


def test_a_broken_cell_is_named(tmp_path):
    with pytest.raises(ReadError, match="line 4, cell 2: 'oops' is not a number"):
        child_of(tmp_path, table("Voltage (V),Current (A)").replace("1227.7500", "oops"))


def test_numbers_above_an_empty_cell_are_names(tmp_path):
    data, _ = child_of(tmp_path, ",10,20\n1,5,6\n2,7,8\n3,9,10\n")
    assert list(data.data_vars) == ["column_1", "10", "20"]
    assert data["20"].values.tolist() == [6, 8, 10]


@pytest.mark.parametrize(
    "content", ["U (V),I (A)\n1,5,2,25\n2,5,3,25\n3,5,4,25\n", "1,50,2,05\n2,50,3,25\n3,50,4,25\n"]
)
def test_commas_of_two_meanings_are_refused(tmp_path, content):
    with pytest.raises(ReadError, match="commas separate the cells and are decimal signs too"):
        child_of(tmp_path, content)


def sheet(*rows: tuple[object, ...]) -> bytes:
    cells = [["" if cell is None else cell for cell in row] for row in rows]
    return workbook({"Sheet1": cells, "empty": []})


def test_an_uncertainty_stays_beside_its_point(tmp_path):
    data, _ = child_of(tmp_path, "2theta,counts,sigma\n10,100,1\n,,2\n12,300,3\n13,400,4\n", "gap.csv")
    assert data["intensity"].values.tolist() == [100, 300, 400]
    assert data["intensity_uncertainty"].values.tolist() == [1, 3, 4]


def test_text_beside_the_numbers_of_a_workbook_takes_no_row_away(tmp_path):
    """Results of a fit, or remarks, once took away the rows beside which they stood."""
    cells = [["Voltage (V)", "Current (A)", "", "Fit", "Value"], [0, 1, "", "slope", 7], [1, 2, "", "fixed", "1:7"],
             [2, 3], [3, 4]]  # fmt: skip
    data, warnings = child_of(tmp_path, workbook({"Sheet1": cells}))
    assert data["voltage"].values.tolist() == [0, 1, 2, 3]
    assert "sheet Sheet1: text beside the numbers is kept in the header ('Fit\tValue')" in warnings


def test_curves_side_by_side_in_a_workbook(tmp_path):
    rows = [("Raman of two flakes",), (), ("Raman shift (cm-1)", "Counts", None, "Raman shift (cm-1)", "Counts")]
    rows += [(x, y, None, x + 1, 2 * y) for x, y in zip(X, Y, strict=True)]
    rows += [(None, None, None, 107.75, 5.0)]
    path = tmp_path / "two.xlsx"
    path.write_bytes(sheet(*rows))
    tree = read(path)
    first, second = (child.to_dataset() for child in tree.children.values())
    np.testing.assert_array_equal(first["raman_shift"], X)
    np.testing.assert_array_equal(second["intensity"], [*(2 * Y), 5.0])
    assert "sheet empty" in tree.attrs["warnings"] and "Raman of two flakes" in tree.attrs["header"]


def test_a_workbook_of_a_table(tmp_path):
    rows = [("Voltage (V)", "Current (A)"), *zip(X.tolist(), Y.tolist(), strict=True)]
    path = tmp_path / "iv.xlsx"
    path.write_bytes(sheet(*rows))
    np.testing.assert_array_equal(read(path)["table"]["current"], Y)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("cm-1", "1/cm"), ("cm⁻¹", "1/cm"), ("mA cm-2", "mA/cm^2"), ("µC/cm²", "uC/cm^2"), ("(arb. units)", "1"),
     ("kΩ", "kohm"), ("points", "1"), ("°C", "degC"), ("W m^-2", "W/m^2"), ("counts/s", "count/s"), ("B", None),
     ("device", None), ("Vplus", None), ("nA/µm", "nA/um")],
)  # fmt: skip
def test_units_as_people_write_them(text, unit):
    assert unit_of(text) == unit


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=3, max_size=8),
    separator=st.sampled_from(["\t", ";", " "]),
    decimal=st.sampled_from([".", ","]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_numbers_come_back(tmp_path_factory, values, separator, decimal, ends):
    rows = [separator.join(f"{value:.6f}".replace(".", decimal) for value in row) for row in values]
    path = tmp_path_factory.mktemp("table") / "any.txt"
    path.write_bytes(ends.join(rows).encode())
    found = read(path)["table"]
    np.testing.assert_array_equal(np.array([found[f"column_{place}"] for place in (1, 2, 3)]).T, values)


# --- kinds of files found in public repositories ---------------------------------------------------------------------
ROWS = "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))


def test_columns_of_words_are_named_and_the_numbers_read(tmp_path):
    """Time stamps, states and ranges stand beside the numbers in many logs, which were refused for them."""
    rows = [f"{n},2022-05-03 12:00:{2 * n:02},{x},{y},OK,Auto" for n, (x, y) in enumerate(zip(X, Y, strict=True))]
    data, warnings = child_of(tmp_path, "Index,Timestamp,Voltage (V),Current (A),Status,Range\n" + "\n".join(rows))
    assert data["voltage"].values.tolist() == X.tolist() and data["current"].attrs["units"] == "A"
    assert (data["timestamp"].values.tolist(), data["timestamp"].attrs["units"]) == ([0, 2, 4, 6, 8], "s")
    assert "column 2 ('Timestamp') holds moments, given as seconds from the first one" in warnings
    assert "column 5 ('Status') holds words and is not read" in warnings


def test_a_mark_of_comments_behind_a_tab_is_a_cell(tmp_path):
    """Gamry writes ``#`` as the unit of its first column; the units once moved by one column."""
    rows = "".join(f"\t{n}\t{x}\t{y}\t...\n" for n, (x, y) in enumerate(zip(X, Y, strict=True)))
    data, _ = child_of(tmp_path, "CURVE\tTABLE\n\tPt\tT\tIm\tOver\n\t#\ts\tA\tbits\n" + rows)
    assert (data["t"].values.tolist(), data["t"].attrs["units"]) == (X.tolist(), "s")
    assert (data["im"].values.tolist(), data["im"].attrs["units"]) == (Y.tolist(), "A")


def test_overflow_of_a_source_meter_is_no_current(tmp_path):
    """9.91E+37 stands for no number and 9.9E+37 for overflow in the answers of instruments."""
    rows = "0,1e-6\n1,9.910000E+37\n2,-9.9e37\n3,9.8e37\n"
    data, warnings = child_of(tmp_path, "Voltage (V),Current (A)\n" + rows)
    np.testing.assert_array_equal(data["current"], [1e-6, np.nan, np.nan, 9.8e37])
    assert "line 2: 2 numbers are 9.9E+37, which instruments write for no reading; NaN stands there" in warnings


def test_commas_between_thousands_are_refused(tmp_path):
    rows = "".join(f"{n},000;0.50;13.5\n" for n in range(1, 6))
    with pytest.raises(ReadError, match="line 3: '1,000' is not a number"):
        child_of(tmp_path, "Cycle;Time (ms);R (kOhm)\n0;0.00;12.5\n" + rows)


@pytest.mark.parametrize(
    ("header", "names", "units"),
    [
        ("Distance (um),Ti K", ["distance", "ti_k"], ["um", "1"]),  # a line of titanium, no temperature
        ("# volt,curr\n# Gate voltage (V),Drain current (A)\n# 5", ["gate_voltage", "drain_current"], ["V", "A"]),
        ("Voltage (V)_a_Dark,Current (mA/cm^2)_a_Dark", ["voltage_a_dark", "current_a_dark"], ["V", "mA/cm^2"]),
        ("t_s,i_A", ["t", "i"], ["s", "A"]),
        ("Time (mS),G (mS)", ["time", "g"], ["ms", "mS"]),  # a time in millisiemens is one in milliseconds
        ("q (A^-1),q (1/A)", ["q", "q_2"], ["1/angstrom", "1/angstrom"]),
        ("cycle_A,sample_s", ["cycle_a", "sample_s"], ["1", "1"]),  # letters that are no units
        ("X,CH1\nSequence,Volt", ["x", "ch1"], ["1", "V"]),
        ("Time s,Sample A", ["time", "sample_a"], ["s", "1"]),
        ("Voltage A,Voltage B", ["voltage_a", "voltage_b"], ["1", "1"]),
    ],
)  # fmt: skip
def test_names_and_units_that_programs_write(tmp_path, header, names, units):
    data, _ = child_of(tmp_path, f"{header}\n{ROWS}")
    if "spectrum" in data.sizes or "intensity" in data:
        data = data.rename(intensity=names[1])
    found = {name: data[name].attrs["units"] for name in names}
    assert list(found.values()) == units
    np.testing.assert_array_equal(data[names[0]], X)


@pytest.mark.parametrize(
    ("header", "axis"),
    [
        ("sample.tif: integration\n2-Theta Angle (Degrees)\nIntensity\n 5\n", "two_theta"),  # Fit2D
        ("#  2th_deg   I\n", "two_theta"),  # pyFAI
        ("Labels,PL\nXAxis,Wavelength(nm)\nYAxis,Counts\n\n", "wavelength"),  # Edinburgh Instruments
        ("TITLE\tfilm\nXUNITS\tNANOMETERS\nYUNITS\tABSORBANCE\nXYDATA\n", "wavelength"),  # JASCO
        ("Wavelength nm.,Abs.\n", "wavelength"),  # Shimadzu
        ("Wavelength,S1c / R1c\nnm,CPS / MicroAmps\n", "wavelength"),  # Horiba fluorimeters
    ],
)
def test_axes_that_programs_name(tmp_path, header, axis):
    separator = "," if "," in header else "\t" if "\t" in header else " "
    data, _ = child_of(tmp_path, header + ROWS.replace(",", separator))
    np.testing.assert_array_equal(data[axis], X)
    np.testing.assert_array_equal(data["intensity"], Y)


@pytest.mark.parametrize(
    ("names", "children"),
    [
        ("Raman shift/cm-1,Sample A,Sample B", ["Sample_A", "Sample_B"]),
        ("2Theta,300C,400C", ["300C", "400C"]),
        ("2Theta,d,hkl", ["table"]),
        ("Wavelength (nm),n,k", ["table"]),  # optical constants
    ],
)
def test_spectra_named_after_samples_stand_side_by_side(tmp_path, names, children):
    path = tmp_path / "a.csv"
    path.write_text(f"{names}\n" + "".join(f"{100 + n},{n},{2 * n}\n" for n in range(30)))
    tree = read(path)
    assert list(tree.children) == children
    if children != ["table"]:
        assert tree[children[1]]["intensity"].values.tolist() == [2 * n for n in range(30)]
        assert f"nothing says in which unit the intensity of {children[0]} is" in tree.attrs["warnings"]


@pytest.mark.parametrize(
    ("names", "axis", "unit"),
    [
        ("B.E.\tCPS\tBackground\tEnvelope", "binding_energy", "count/s"),
        ("2Theta\tI obs\tI calc\tBkg", "two_theta", "1"),
    ],
)
def test_a_spectrum_beside_which_its_fit_stands(tmp_path, names, axis, unit):
    rows = "".join(f"{x}\t{y}\t{2 * y}\t{3 * y}\n" for x, y in zip(X, Y, strict=True))
    data, _ = child_of(tmp_path, f"{names}\n{rows}")
    np.testing.assert_array_equal(data[axis], X)
    np.testing.assert_array_equal(data["intensity"], Y)
    others = [name for name in data.data_vars if name != "intensity"]
    assert [data[name].attrs["units"] for name in others] == [unit, unit]
    np.testing.assert_array_equal(data[others[1]], 3 * Y)


def test_rows_of_intensities_take_no_names_from_a_line_of_numbers(tmp_path):
    """A GSAS file has ten intensities in a row below ``BANK 1 40 10 CONST 1000.00 5.00 0 0 STD``."""
    rows = "".join("".join(f"{number:8.1f}" for number in range(10)) + "\n" for _ in range(4))
    data, warnings = child_of(tmp_path, "LaB6\nBANK 1 40 10 CONST 1000.00 5.00 0 0 STD\n" + rows)
    assert "column_1" in data and "the file says neither what its columns are" in warnings


def test_the_header_of_old_oscilloscopes_beside_the_numbers(tmp_path):
    """It once took away the rows beside which it stands, and named the columns after its own numbers."""
    told = ["Record Length,2.5e+03", "Horizontal Units,s", "Vertical Units,V", ",", ","]
    rows = [f"{entry},,{x:.6f},   {y:.5f},\n" for entry, x, y in zip(told, X, Y, strict=True)]
    data, warnings = child_of(tmp_path, "".join(rows))
    np.testing.assert_allclose(data["voltage"], Y)
    np.testing.assert_allclose(data["time"], X)
    assert "text beside the numbers is kept in the header ('Record Length\t2.5e+03')" in warnings


@pytest.mark.parametrize("swap", [False, True], ids=["a full map", "a map that was stopped"])
def test_maps_that_wire_writes_as_text(tmp_path, swap):
    places = [(x, y) for y in (0.0, 2.0) for x in (0.0, 1.0, 2.0)][: -1 if swap else None]
    rows = [
        f"{x:.3f}\t{y:.3f}\t{wave:.4f}\t{100 * n + k:.3f}\n"
        for n, (x, y) in enumerate(places)
        for k, wave in enumerate(X[::-1])
    ]
    data, warnings = child_of(tmp_path, "#X\t\t#Y\t\t#Wave\t\t#Intensity\n" + "".join(rows))
    values = data["intensity"].transpose(..., "raman_shift").values.reshape(-1, 5)
    assert values[:, 0].tolist() == [100 * n for n in range(len(places))]
    assert data["raman_shift"].values.tolist() == X[::-1].tolist()
    np.testing.assert_allclose(data["x"], [0, 1e-6, 2e-6] if not swap else [1e-6 * x for x, _ in places])
    assert data["intensity"].dims == (("spectrum",) if swap else ("y", "x")) + ("raman_shift",)
    assert "the places are taken as micrometres" in warnings


def test_labview_files_without_a_column_of_x_or_with_several_segments(tmp_path):
    path = tmp_path / "a.lvm"
    lines = LVM.split("\n")
    empty = [line if "E-6" not in line else "\t" + line.partition("\t")[2] for line in lines]
    path.write_text("\n".join(empty))
    assert read(path)["segment_1"]["time"].values.tolist() == [0.5, 0.75, 1.0]
    second = lines[lines.index("Channels\t2\t\t") :]
    path.write_text("\n".join([*lines[:-1], "", *second]).replace("Amps", "Widgets"))
    tree = read(path)
    assert [part["drive"].values.tolist() for part in tree.children.values()] == [[1.5, 2.5, 3.5]] * 2
    assert "segment 2: nothing says in which unit Answer is" in tree.attrs["warnings"]
    path.write_text("\n".join(lines[:-4]))
    with pytest.raises(ReadError, match="line 17: holds no row below its names"):
        read(path)


BROKEN = ("", "1.5{0}", "1.5", "1.5{0}x", '"1.5"{0}2', "1{0}2{0}3", "1_0{0}2", "1{0}1e400", "−1{0}2", "{0}", "end",
          "1{0}nan", "1{0}NaN", "1{0}--", "1{0}", "{0}2", "{0}nan", "1{0}OVRFLW", "1{0}2 ", " 1{0}2", "+1{0}2",
          "1{0}0x10", "1d5{0}2", "1.2.3{0}4", "1{0}True")  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("place", [3, 40, 80])
def test_a_large_table_is_read_like_a_small_one(tmp_path, monkeypatch, broken, place):
    for separator, decimal, ends in (("\t", ".", "\n"), (";", ",", "\r\n"), (",", ".", "\r"), (" ", ".", "\n")):
        rows = [f"{0.1 * row:.3f}{separator}{row**2:.6e}".replace(".", decimal) for row in range(80)]
        rows.insert(place, broken.format(separator).replace(".", decimal))
        path = tmp_path / "table.txt"
        path.write_bytes(ends.join([f"Time (s){separator}U (V)", *rows, ""]).encode())
        outcomes = []
        for large in (1 << 20, 0):
            monkeypatch.setattr("relaxor.readers.common.tables.LARGE_TEXT", large)
            try:
                tree = read(path)
                outcomes.append((tree.attrs, {name: child.to_dataset() for name, child in tree.children.items()}))
            except ReadError as error:
                outcomes.append((str(error), {}))
        (told, small), (told_too, large_one) = outcomes
        assert told == told_too
        for name, dataset in small.items():
            assert dataset.identical(large_one[name])


def test_a_text_that_is_too_large_for_lines_is_read_only_as_one_table(tmp_path, monkeypatch):
    for name in ("LARGE_TEXT", "LARGEST_TEXT"):
        monkeypatch.setattr(f"relaxor.readers.common.tables.{name}", 0)
    rows = [f"{row},{'NaN' if row % 7 == 0 else row / 8}" for row in range(80)]
    data, _ = child_of(tmp_path, "\n".join(["Time (s),U (V)", *rows]))
    np.testing.assert_array_equal(data["u"], [np.nan if row % 7 == 0 else row / 8 for row in range(80)])
    for below in ("made by hand", "80"):
        with pytest.raises(ReadError, match="is neither one table of at most 50000000 numbers"):
            child_of(tmp_path, "\n".join(["Time (s),U (V)", *rows, below]))
