"""Electrical and ferroelectric testers: the real files, their pairs and oracles, and damage."""

import csv
import json

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import present, shared
from tests.readers.samples.electrical import (
    B1500,
    BATTERY,
    KEITHLEY_TEXT,
    KICKSTART,
    LABELLED,
    RADIANT,
    RUN,
    SETTINGS,
    workbook,
)

# file → (first run: name, points, (column, unit, first, last) …)
WORKBOOKS = {
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PV_20um_O_1D.xls": (
        "Data", 3, 1000, ("Vforce", "V", 0.00186879, -0.00348455), ("Imeas", "A", 2.28864e-07, 2.69936e-07),
        ("Charge", "C", 0, -8.14644e-11),
    ),
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PUND_100um_O_2R_after_3cycles.xls": (
        "Data", 1, 3400, ("V", "V", -0.00409578, -0.0258759), ("I", "A", -4.89944e-06, 0.000114941),
        ("t", "s", 0, 1.6995e-05), ("P", "C", 1.56087e-09, 1.56087e-09),
    ),
    "ferroelectric_pe/keithley4200_xls/KHM005_fla10_endurance_20um_O_2D2R.xls": (
        "Data", 1, 6, ("iteration", "1", 0, 1e7), ("P", "C", 1.36643e-10, 1.88741e-10),
    ),
    "ferroelectric_pe/keithley4200_xls/KHM005_fla6_PV_20um_O_3R_after_endurance.xls": (
        "Data", 1, 1000, ("Vforce", "V", 0.000760529, 0.00207546),
    ),
    "ferroelectric_pe/keithley4200_xls/KHM006_2_endurance_30um_O_1D.xls": (
        "Data", 3, 6, ("P", "C", 1.02805e-10, 1.32794e-10), ("Ua", "C", -7.31516e-11, -6.87305e-11),
    ),
    "electrical/keithley4200_xls/vtlin#1.xls": ("Run19", 9, 101, ("DrainI", "A", 8.99825e-10, 0.000382742)),
    "electrical/keithley4200_xls/vgs-id#1@_vds_100mV_vgs_-40_60V_L4S_L3D_vac05_MoS2_280K.xls": (
        "Data", 1, 201, ("Time", "s", 5.63534, 91.0613), ("GateV", "V", -40.0054, 59.9996),
        ("DrainI", "A", 2.88898e-12, 2.12823e-06),
    ),
    "electrical/keithley4200_xls/vgs-id#5@_vds_100mV_vgs_-40_60V_L4S_L3D_vac15_MoS2_77K.xls": (
        "Data", 1, 201, ("Time", "s", 5.41412, 237.272), ("DrainI", "A", 1.03717e-12, 3.77488e-06),
    ),
    "electrical/keithley4200_xlsx/00 Leakage.xlsx": (
        "Run10", 1, 82, ("Time", "s", 4.04805, 60.4603), ("AI", "A", -4.85726e-14, -4.92939e-13),
        ("RESISTANCE", "ohm", 4.11755e12, 4.0573e11), ("ILEAKAGE", "A", 7.14976e-14, 7.14976e-14),
    ),
    "electrical/keithley4200_xlsx/01 Electroforming.xlsx": (
        "Run8", 1, 2002, ("Time", "s", 3.61676, 309.619), ("VFORM", "V", 5.47, 5.47),
    ),
    "electrical/keithley4200_xlsx/02 reset.xlsx": (
        "Run54", 1, 602, ("AI", "A", 2.23297e-06, 7.60949e-10), ("ILRS", "A", 0.000232248, 0.000232248),
    ),
    "electrical/keithley4200_xlsx/05 endurance set.xlsx": ("Run1000", 101, 502, ("Time", "s", 4.10138, 20.1257)),
    "electrical/keithley4200_xlsx/05 endurance ratio.xlsx": (
        "2-wire-resistor", 1, 1000, ("Cycle", "1", 1, 1000), ("SET_negative#1.ILRS", "A", 0.000125847, 0.00010897),
        ("SET_negative#1.IHRS", "A", 1.1574e-06, 3.21889e-07),
    ),
    "electrical/keithley4200_xlsx/03 endurance ratio.xlsx": (
        "2-wire-resistor", 1, 10, ("SET_negative#1.VSET", "V", 2.42, 0.66), ("Cycle", "1", 1, 10),
    ),
}  # fmt: skip


@pytest.mark.costly
def test_workbooks_hold_what_is_known_of_them(rawfiles, subtests):
    for path, (run, runs, points, *columns) in present(rawfiles, WORKBOOKS):
        with subtests.test(path.name):
            tree = read(path)
            assert next(iter(tree.children)) == run and len(tree.children) == runs
            assert tree[run].sizes["point"] == points
            for column, unit, first, last in columns:
                values = tree[run][column]
                assert values.attrs["units"] == unit
                numbers = np.atleast_1d(values)
                assert (numbers[0], numbers[-1]) == pytest.approx((first, last), rel=5e-6, abs=1e-20), column


def test_charge_is_the_sum_of_current_times_time(rawfiles):
    runs = 0
    for path in sorted((rawfiles / "ferroelectric_pe/keithley4200_xls").glob("*_PV_*.xls")):
        for child in read(path).children.values():
            time, current, charge = (child[name].to_numpy() for name in ("Time", "Imeas", "Charge"))
            expected = np.concatenate([[0], np.cumsum(current[1:] * np.diff(time))])
            assert np.abs(charge - expected).max() < 1e-12 * np.ptp(charge)
            runs += 1
    assert runs == 4


def test_steps_of_a_sweep_and_what_was_applied(rawfiles):
    tree = read(rawfiles / "electrical/keithley4200_xls/vds-id#1.xls")
    assert len(tree.children) == 5
    run = tree["W=0.25um L=0.35um"]
    assert run["DrainI"].dims == ("step", "point") and run["DrainI"].shape == (7, 31)
    np.testing.assert_allclose(run["GateV"][:, 0], np.arange(7) * 0.5)
    assert float(run["DrainI"][1, -1]) == pytest.approx(2.06289e-07, rel=1e-5)
    assert run.attrs["executed"] == "2019-12-04T12:33:25"
    settings = json.loads(run.attrs["settings"])
    assert settings["terminals"]["Drain"]["Operation Mode"] == "Voltage Linear Sweep"
    assert settings["terminals"]["Gate"]["Step"] == "0.5"
    other = json.loads(tree["W=0.25um L=0.5um"].attrs["settings"])
    assert other["keys"]["Last Executed"] == "12/04/2019 12:08:19"
    module = read(rawfiles / "ferroelectric_pe/keithley4200_xls/KHM005_fla10_PV_20um_O_1D.xls")["Data"].attrs
    assert module["module"] == "doubleSweepSeg"
    assert json.loads(module["settings"])["parameters"]["V1"]["Value"] == "3"


def test_a_formula_without_result_is_nan_and_said(rawfiles):
    name = "vgs-id#1@_vds_100mV_vgs_-40_60V_L4S_L3D_vac05_MoS2_280K.xls"
    tree = read(rawfiles / "electrical/keithley4200_xls" / name)
    assert np.isnan(tree["Data"]["GM"][0]) and float(tree["Data"]["GM"][1]) == pytest.approx(-1.8687e-12, rel=1e-4)
    assert "column GM: 1 formulas without result" in tree.attrs["warnings"]


def test_exports_of_one_run_agree(rawfiles):
    folder = rawfiles / "electrical"
    book = read(folder / "keithley4200_xlsx/05 endurance ratio.xlsx")["2-wire-resistor"]
    comma = read(folder / "keithley4200_txt_csv/05 endurance ratio csv.csv")["run"]
    tabs = read(folder / "keithley4200_txt_csv/05 endurance ratio txt.txt")["run"]
    assert set(book.data_vars) == set(comma.data_vars) == set(tabs.data_vars)
    for name in book.data_vars:
        np.testing.assert_array_equal(book[name], comma[name])
        np.testing.assert_allclose(book[name], tabs[name], rtol=6e-7)
    reset = read(folder / "keithley4200_txt_csv/05 endurance reset txt.txt")["run"]
    assert (float(reset["Time"][0]), float(reset["Time"][-1])) == (0.1988988, 15.88208)
    assert reset.sizes["point"] == 502
    assert json.loads(read(folder / "keithley4200_txt_csv/05 endurance ratio csv.csv").attrs["header"])[0][0]


def test_the_csv_of_a_graph_shows_the_run_that_it_was_made_of(rawfiles):
    folder = rawfiles / "ferroelectric_pe/keithley4200_graph_csv"
    graph = read(folder / "KHM005_fla10_PV_20um_O_2D2R.csv")["run"]
    assert graph.sizes["point"] == 1000
    assert (float(graph["Vforce"][0]), float(graph["Charge"][-1])) == (-357.3497e-6, -6.9082e-12)
    endurance = read(folder / "KHM005_fla10_endurance_20um_O_2D2R.csv")["run"]
    assert endurance["iteration"].values[-1] == 1e7
    assert (float(endurance["Psw"][0]), float(endurance["Qsw"][-1])) == (67.2851e-12, 145.9433e-12)


SOURCE_METER = {
    "blend-1020-20-1-transfer.csv": (101, "channel_current", "A", -1.65337e-09, -4.07718e-08),
    "znpc-20-3-iv-sweep.csv": (101, "channel_voltage", "V", 0.0, 100.0),
    "first_run.csv": (50, "channel_current", "A", 2.58458e-08, 2.5754e-08),
    "no-contact.csv": (100, "gate_voltage", "V", -9.8, 10.0),
    "no-gate.csv": (100, "channel_current", "A", 2.11556e-07, 2.10752e-07),
    "test.csv": (120, "gate_voltage", "V", -15.0, -20.0),
}


def test_source_meter_tables(rawfiles, subtests):
    folder = rawfiles / "electrical/keithley2636_csv"
    for path, (points, column, unit, first, last) in present(folder, SOURCE_METER):
        with subtests.test(path.name):
            values = read(path)["table"][column]
            assert (values.size, values.attrs["units"]) == (points, unit)
            assert (float(values[0]), float(values[-1])) == (first, last)


def test_scripts_are_refused_by_name(tmp_path):
    with pytest.raises(ReadError, match="is a script for a Keithley SourceMeter"):
        read(given(tmp_path, "smua.source.levelv = 1\nprint(smua.measure.i())\n"))


def test_real_files_that_are_no_measurements_are_refused_by_name(rawfiles):
    with pytest.raises(ReadError, match="workbook without a table of numbers; sheet Sheet1: holds no three rows"):
        read(rawfiles / "electrical/keithley2636_csv/test.xls")
    for name in ("transfer-charact.tsp", "output-charact.tsp"):
        with pytest.raises(ReadError, match="is a script for a Keithley SourceMeter"):
            read(rawfiles / "electrical/keithley2636_tsp" / name)


def test_split_tables_equal_the_file_that_they_were_split_from(rawfiles):
    folder = rawfiles / "ferroelectric_pe"
    (split,) = (folder / "aixacct_tsv_split").glob("FeFETD1*Table1.tsv")
    table = read(split)["table"]
    (whole,) = (folder / "aixacct_dat").glob("*_voltages.dat")
    first = read(whole)["table_1"]
    for loop in range(3):
        np.testing.assert_array_equal(table[f"i{loop + 1}"], first["current"][loop])
        np.testing.assert_array_equal(table[f"p{loop + 1}"], first["polarization"][loop])
    np.testing.assert_array_equal(table["time"], first["time"])
    assert table["p1"].attrs["units"] == "uC/cm^2"
    (capacitor,) = (folder / "aixacct_tsv_split").glob("2.2nF*Table1.tsv")
    loop = read(capacitor)["table"]
    slope = np.polyfit(loop["vplus"], loop["p1"], 1)[0]
    assert loop.sizes["row"] == 401 and slope > 0


def test_pulses_of_the_waveform_generator(rawfiles):
    folder = rawfiles / "ferroelectric_pe/keysight_b1500_csv"
    tree = read(folder / "PUND_B1500.csv")
    (setup,) = tree.children.values()
    assert setup.sizes["point"] == 1000 and setup.attrs["title"] == "PUND_10kHz_3V_before_illum"
    assert float(setup["MeasResult1_value"][0]) == -0.00021685824322000002
    assert float(setup["MeasResult2_value"][0]) == -1.9903513930000002e-06
    units = [setup[f"MeasResult{n}_{kind}"].attrs["units"] for n in (1, 2) for kind in ("value", "time")]
    assert units == ["V", "s", "A", "s"]
    assert tree.attrs["acquired"] == "2025-07-02T10:36:28"
    assert "repeats the rows of an earlier block" in tree.attrs["warnings"]
    assert read(folder / "FORC_+3V_4m.csv")["setup_1"].sizes["point"] == 5000


def test_vision_exports(rawfiles):
    folder = rawfiles / "ferroelectric_pe/radiant_txt"
    loop = read(folder / "TypABdata.Hysteresis.2.txt")["measurement"]
    assert loop.sizes["point"] == 501
    assert (float(loop["voltage"][0]), float(loop["voltage"][500])) == (0.0006, -0.0006)
    assert (float(loop["polarization"][0]), float(loop["polarization"][500])) == (-28.230775, -29.763441)
    assert loop.attrs["volts"] == 9.0 and 1e-4 in loop.attrs.values() and 0.26 in loop.attrs.values()
    leakage = read(folder / "TypABdataLkg.txt")["measurement"]
    assert (float(leakage["voltage"][0]), float(leakage["voltage"][509])) == (9.000244, 9.000549)
    assert (float(leakage["current"][0]), float(leakage["current"][509])) == (7.271e-10, 1.596e-11)


# --- without the real files ----------------------------------------------------------------------------------------
def given(tmp_path, content):
    path = tmp_path / "run.bin"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_workbook_made_by_hand(tmp_path):
    tree = read(given(tmp_path, workbook({"Run7": RUN, "Calc": [], "Settings": SETTINGS})))
    run = tree["Run7"]
    np.testing.assert_array_equal(run["DrainI"], [[1e-9, np.nan, 5e-9], [2e-9, 4e-9, np.nan]])
    assert float(run["VT"]) == 0.7 and run["VT"].dims == ()
    settings = json.loads(run.attrs["settings"])
    assert settings["terminals"]["Gate"] == {"Operation Mode": "Voltage Step"}
    assert settings["formulas"] == ["Formulas", "VT = 0.7"]
    assert (run.attrs["test"], run.attrs["executed"]) == ("vds-id#1@1", "2019-12-04T12:33:25")
    assert "column DrainI(1): 1 formulas without result" in tree.attrs["warnings"]


def test_both_exports_of_a_run_equal_its_workbook(tmp_path):
    rows = [["Time", "AI"], [0.125, -2.5e-9], [0.25, -5e-9]]
    book = read(given(tmp_path, workbook({"Run1": rows, "Settings": SETTINGS})))["Run1"]
    tabs = "Time\tAI\n125.0000E-3\t-2.5000E-9\n250.0000E-3\t-5.0000E-9\n"
    comma = tabs.replace("\t", ",") + ",\nSettings\nTest Name,run\n"
    for text in (tabs, comma):
        tree = read(given(tmp_path, text))
        assert tree.attrs["format"] == "keithley_4200_text"
        for name in ("Time", "AI"):
            np.testing.assert_array_equal(tree["run"][name], book[name])
            assert tree["run"][name].attrs["units"] == book[name].attrs["units"]
    assert json.loads(tree.attrs["header"])[-1] == ["Test Name", "run"]


def test_two_rows_of_names_are_those_of_cycle_mode(tmp_path):
    tree = read(given(tmp_path, "Cycle,SET,SET\nIndex,VSET,IHRS\n1,0.5,1E-6\n2,0.75,2E-6\n"))
    assert {name: data.attrs["units"] for name, data in tree["run"].data_vars.items()} == {
        "Cycle": "1", "SET.VSET": "V", "SET.IHRS": "A",
    }  # fmt: skip
    assert tree["run"]["SET.VSET"].values.tolist() == [0.5, 0.75]


def test_a_table_that_names_its_quantities_in_another_way(tmp_path):
    tree = read(given(tmp_path, "Time s,Vplus V,P1 uC_per_cm2,Charge (Ohms)\n0,1,2,3\n1,2,4,6\n"))
    table = tree["table"]
    assert {name: data.attrs["units"] for name, data in table.data_vars.items()} == {
        "time": "s", "vplus": "V", "p1": "uC/cm^2", "charge": "ohm",
    }  # fmt: skip
    assert table["p1"].values.tolist() == [2, 4]


def test_units_of_channels_follow_what_they_measured(tmp_path):
    setup = read(given(tmp_path, B1500))["setup_1"]
    assert setup["MeasResult1_value"].attrs["units"] == "V" and setup["MeasResult2_value"].attrs["units"] == "A"
    assert setup["MeasResult2_value"].values.tolist() == [1e-6, 3e-6]


DECLARED = """SetupTitle, IV Sweep
TestParameter, Channel.IName, DrainI, Ion_Ioff
TestParameter, Channel.VName, GateV, Index
TestParameter, Function.User.Name, density
TestParameter, Function.User.Unit, A/cm2
DataName, Index, Ion_Ioff, GateV, density, Vd, Ion, Cycle, time
DataValue, 0, 1E-09, 0.5, 2, 1, 7, 1, 0
DataValue, 1, , 0.6, 3, 1, 8, 1, 0.1
"""


def test_statistics_that_the_table_contradicts_are_named(tmp_path):
    """A row that is missing from the table, but not from its statistics, is noticed."""
    assert "warnings" not in read(given(tmp_path, KICKSTART)).attrs
    tree = read(given(tmp_path, KICKSTART.replace('"3","0.9","8E-08","1.5"\n', "")))
    assert tree["table"].sizes["row"] == 2
    assert "Max below the table is not that of the column drain_time, drain_current" in tree.attrs["warnings"]


def test_tables_of_kickstart_with_their_instruments():
    """Numbers of the files; the resistor has the resistance that the file's voltages and currents give, 99.9 kΩ."""
    tree = read(shared("cases/kickstart/NFET_Vgs_Id_table.csv"))
    table = tree["table"].to_dataset()
    assert tree.attrs["instrument"] == "Keithley 2450, no. 04500494; Keithley 2450, no. 01419958"
    assert (table.sizes["row"], float(table["drain_current"][-1])) == (101, 3.94150310967234e-06)
    assert table.attrs["gate_function"] == "Voltage Sweep" and "warnings" not in tree.attrs
    resistor = read(shared("cases/kickstart/resistor_swep_table.csv"))["table"]
    assert np.polyfit(resistor["smu_1_current"], resistor["smu_1_voltage"], 1)[0] == pytest.approx(99.9e3, rel=1e-3)
    for name, rows in (("VFD_1_chan_data", 100), ("VFD_2chan_table", 100), ("diode_rev_1chan_table", 101)):
        assert read(shared(f"cases/kickstart/{name}.csv"))["table"].sizes["row"] == rows
    battery = read(shared("cases/kickstart/Ener25mA_SetupAndRawData.csv"))
    assert {name: child.sizes["row"] for name, child in battery.children.items()} == {
        "batt_model_raw": 3636, "batt_model": 101,
    }  # fmt: skip
    assert float(battery["batt_model_raw"]["esr"][0]) == 0.027484893799


def test_declared_names_of_the_b1500_come_first(tmp_path):
    """VName and IName say what a column is, whatever it is called; other names count only as a whole."""
    tree = read(given(tmp_path, DECLARED))
    setup = tree["setup_1"]
    assert {name: values.attrs["units"] for name, values in setup.data_vars.items()} == {
        "Index": "V", "Ion_Ioff": "A", "GateV": "V", "density": "A/cm^2", "Vd": "V", "Ion": "1", "Cycle": "1",
        "time": "s",
    }  # fmt: skip
    assert setup["Ion_Ioff"].values[0] == 1e-9 and np.isnan(setup["Ion_Ioff"].values[1])
    assert tree.attrs["warnings"].splitlines() == [
        "block 'IV Sweep', line 1: 1 of 2 cells of Ion_Ioff are empty (NaN)",
        "block 'IV Sweep', line 1: nothing says in which unit Ion is",
    ]


def test_real_sweeps_of_the_b1500():
    folder = shared("cases/b1500-inverter")
    tree = read(folder / "U-1-7-8-vovbg(0-3)-vd3-port1-6(vo-port2,3,4,5)-1-gnd-6-vdd.csv")
    setup = tree["setup_1"]
    assert len(tree.children) == 4 and setup.sizes["point"] == 202
    assert (float(setup["Vbg"][1]), float(setup["Idd"][0]), float(setup["Vo"][0])) == (0.03, 3.9059e-06, 1.26556)
    assert np.isnan(setup["Io1"]).all() and "202 of 202 cells of Io1 are empty" in tree.attrs["warnings"]
    names = {"cycle_conductance": ["V", "A"], "index_ion": ["V", "A"], "vg_id": ["V", "A"]}
    for name, units in names.items():
        setup = read(shared(f"cases/b1500-names/{name}.csv"))["setup_1"]
        assert [values.attrs["units"] for values in setup.data_vars.values()] == units


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (workbook({"Run7": []}), "workbook without a table of numbers; sheet Run7: holds no three rows"),
        (workbook({"Run7": RUN, "Settings": SETTINGS}, last="XFD1048576"), "spans 1048576 rows and 16384 columns"),
        (workbook({"Run7": [["V"], ["seven"]], "Settings": SETTINGS}), "sheet Run7, column V, value 1: 'seven' is not"),
        (workbook({"Calc": [], "Settings": SETTINGS}), "holds no run: its sheets Calc, Settings"),
        (workbook({"Run7": RUN, "Settings": SETTINGS})[:-60], "damaged|not recognised"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "workbook"),
        (KEITHLEY_TEXT.replace("298.8988E-3", "oops"), "holds no|'oops' is not a number"),
        (LABELLED.replace("-14.0", ""), ""),
        (LABELLED.replace("-4.1e-10", "x") + "2\t-4.2e-10\t-13.0\n", "line 3, cell 2: 'x' is not a number"),
        (B1500.replace("DataValue, 0.5, 1E-06, 0", "DataValue, 0.5", 1), "1 values for the 3 columns of DataName"),
        (B1500.replace("1.5, 3E-06", "1.5, x", 1), "line 9: 'x' is not a number"),
        (B1500[: B1500.index("DataName")], "holds no DataValue"),
        (RADIANT.replace("Points:\t2", "Points:\t3").encode("cp1252"), "announces 3 points and holds 2"),
        (KICKSTART[: KICKSTART.index('"Index"')], "holds settings and no table"),
        (BATTERY.replace(",1.27", "") + "BATT_MODEL_RAW:,3,1,2,3,4\n", "line 8: 4 cells in a row of BATT_MODEL_RAW"),
        (RADIANT.replace("-28.1", "").encode("cp1252"), "'' is not a number"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, content, message):
    if not message:
        assert np.isnan(read(given(tmp_path, content))["table"]["gate_voltage"][1])
        return
    with pytest.raises(ReadError, match=f"run.bin.*({message})"):
        read(given(tmp_path, content))


def test_every_column_of_a_described_export_is_there(rawfiles):
    path = rawfiles / "ferroelectric_pe/keithley4200_graph_csv/KHM005_fla10_endurance_20um_O_2D2R.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = next(csv.reader(stream))
    assert list(read(path)["run"].data_vars) == names
