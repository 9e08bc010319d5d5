"""Patterns that programs and beamlines export as text: DIFFRAC.EVA, 11-BM, Philips UDF, powder CIF and SPEC."""

import re

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.diffraction import EVA, POWDER_CIF, ROCK_SALT, SPEC, UDF, XYE


def write(folder, text):
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return path


def test_rates_of_eva_have_no_counting_time(tmp_path):
    """The rates of a strip detector scatter more than TimePerStep makes them: it must not turn them into counts."""
    tree = read(write(tmp_path, EVA.replace("10.1 16", "10.1 16.5")))
    scan = tree["scan_1"]
    assert scan["intensity"].attrs["units"] == "count/s" and "intensity_uncertainty" not in scan
    assert scan.attrs["time_per_step"] == 2 and "counting_time" not in scan.attrs
    assert "counts per second" in tree.attrs["warnings"]


@pytest.mark.parametrize(
    ("kind", "axis"), [("Rocking Curve", "theta"), ("Detector Scan", "two_theta"), ("Phi Scan", "phi")]
)
def test_the_kind_of_scan_decides_the_axis_of_eva(tmp_path, kind, axis):
    assert axis in read(write(tmp_path, EVA.replace("Coupled TwoTheta/Theta", kind)))["scan_1"].coords


def test_a_stopped_udf_gives_what_it_holds(tmp_path):
    tree = read(write(tmp_path, UDF[: UDF.index(",      49/")]))
    assert tree["scan_1"]["intensity"].values.tolist() == [9, 16, 25, 36]
    assert "5 counts announced, 4 are there" in tree.attrs["warnings"]


DATES = {"21-Oct-2002 9:16:36": "2002-10-21T09:16:36", "3-déc-2001": "2001-12-03", "7-Mrz-2001": "2001-03-07"}


@pytest.mark.parametrize(("date", "iso"), [*DATES.items(), ("32-Jan-2001", None), ("soon", None)])
def test_months_in_several_languages(tmp_path, date, iso):
    assert read(write(tmp_path, UDF.replace("21-janv-2002 09:16:36", date))).attrs.get("acquired") == iso


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EVA.replace("10.1 16", "10.1"), "line 3: 1 numbers in a row; 2 are expected"),
        (EVA.partition("\n")[0], "holds no rows of 2 numbers"),
        (EVA.replace("10.1 16", "10.1 x"), "'x' is not a number"),
        (XYE.replace("# */", ""), "has no end"),
        (XYE.replace("0.414581", "none"), "'none' is no wavelength"),
        (XYE.replace("37.1", "-37.1"), "line 9: holds a negative uncertainty"),
        (UDF.replace("RawScan", ""), "no line RawScan"),
        (UDF.replace("0.100", "0"), "which place the counts"),
        (POWDER_CIF.replace("10.2", "11.2"), "3 points from 10 to 11.2 degree in steps of 0.1"),
        (POWDER_CIF.replace("829.", "x"), "'x' is not a number (value 2)"),
        (SPEC.replace("1001 16", "16"), "line 15: 4 numbers in a row; 5 are expected"),
        (SPEC.replace("1001", "monitor"), "'monitor' is not a number"),
    ],
)
def test_damage_is_named(tmp_path, text, message):
    with pytest.raises(ReadError, match=re.escape(message)):
        read(write(tmp_path, text))


def test_a_structure_keeps_the_pattern_that_it_was_refined_from(tmp_path):
    tree = read(write(tmp_path, ROCK_SALT + POWDER_CIF.replace("data_test", "data_pattern")))
    assert list(tree.children) == ["cell", "pattern"] and tree.attrs["format"] == "cif"
    assert tree["pattern"].attrs["wavelength_alpha1"] == 2.0785
    assert "data_pattern: the columns _pd_meas_odd_thing are not read" in tree.attrs["warnings"]


def test_patterns_over_angles_counts_or_times_of_flight(tmp_path):
    loop = "data_a\nloop_\n_pd_meas_2theta_scan\n_pd_meas_counts_total\n10 9\n10.2 16\n10.5 25\n"
    loop += (
        "data_b\nloop_\n_pd_meas_time_of_flight\n_pd_proc_d_spacing\n_pd_meas_intensity_total\n2429.3 2.0 0.026(1)\n"
    )
    loop += "data_c\nloop_\n_pd_calc_intensity_total\n1\n2\n"
    tree = read(write(tmp_path, loop))
    counts, flight = (tree[name] for name in ("pattern", "pattern_2"))
    assert counts["two_theta"].values.tolist() == [10, 10.2, 10.5]
    assert counts["intensity_uncertainty"].values.tolist() == [3, 4, 5]
    assert flight["time_of_flight"].attrs["units"] == "us" and float(flight["d_spacing"][0]) == 2
    assert float(flight["intensity_uncertainty"][0]) == pytest.approx(0.001)
    assert "data_c: the loop of _pd_calc_intensity_total has neither angles" in tree.attrs["warnings"]


def test_a_scan_of_spec_keeps_its_counters(tmp_path):
    text = SPEC + "\n#S 2  ascan  Energy 8 8.1  2 1\n#N 2\n#L Energy  det\n8 1.5\n8.1 2.5\n8.2\n@A 1 2 3\\\n 4 5\n"
    tree = read(write(tmp_path, text + "#S 3 loopscan\n"))
    assert list(tree.children) == ["scan_1", "scan_2"]
    energy = tree["scan_2"]
    assert energy["intensity"].values.tolist() == [1.5, 2.5] and "intensity_uncertainty" not in energy
    for told in ("scan_2: line 25: the last row is cut off", "scan_2: 1 spectra of a multichannel analyser",
                 "scan_2: nothing says in which unit Energy is", "scan_3: holds no points (loopscan)"):  # fmt: skip
        assert told in tree.attrs["warnings"]


def test_a_real_powder_cif():
    """Numbers of the file: the first point is 5540(160) at 1.518 degree, the last at 166.268 degree."""
    tree = read(shared("cases/x04-powder-cif/1517474.cif"))
    pattern = tree["pattern"]
    assert list(tree.children) == ["cell", "pattern"] and pattern["intensity"].size == 3296
    assert pattern["two_theta"].values[[0, -1]] == pytest.approx([1.518, 166.268])
    assert (float(pattern["intensity"][0]), float(pattern["intensity_uncertainty"][0])) == (5540, 160)
    assert (pattern.attrs["wavelength_alpha1"], pattern.attrs["radiation"]) == (2.0785, "neutron")
    with pytest.raises(ReadError, match="is not closed and holds the blocks behind it"):
        read(shared("cases/x04-powder-cif/ic034984fsi20030819_115442.cif"))


def test_real_text_patterns():
    """Values are those that stand in the files; the UDF is the scan of the registered Bruker and Rigaku copies."""
    eva = read(shared("cases/x07-text-patterns/example_evadiffract.xy"))["scan_1"]
    assert (eva["two_theta"].values[0], eva["intensity"].values[-1], eva.attrs["anode"]) == (5.0001, 4.324, "Cu")
    bmb = read(shared("cases/x07-text-patterns/example_bmb.xye"))["scan_1"]
    assert (bmb["intensity"].values[0], bmb["intensity_uncertainty"].values[0]) == (662.407183, 37.744249)
    assert bmb.attrs["wavelength_alpha1"] == 0.414581
    tree = read(shared("cases/x08-philips-udf/sample2.udf"))
    udf = tree["scan_1"]
    assert (udf["intensity"].size, udf["intensity"].values.max(), udf["intensity"].values.sum()) == (876, 12880, 550306)
    assert udf["two_theta"].values[[0, -1]] == pytest.approx([5, 40]) and "warnings" not in tree.attrs
    assert np.allclose(udf["intensity_uncertainty"].values[0], 665**0.5)


@pytest.mark.parametrize("names", ["2theta,intensity", "2Theta (deg),Intensity (counts)", '"2-theta";"counts"'])
def test_patterns_of_two_named_columns(tmp_path, names):
    separator = ";" if ";" in names else ","
    rows = "".join(f"{10 + index / 10}{separator}{(3 + index) ** 2}\n" for index in range(5))
    pattern = read(write(tmp_path, f"{names}\n{rows}"))["spectrum"]
    assert pattern["two_theta"].attrs["units"] == "degree"
    assert pattern["intensity"].values.tolist() == [9, 16, 25, 36, 49]


def test_tables_of_synapses_keep_their_names():
    """Pulse number and conductance, interval and index: names and units are those of the first line."""
    pulses = read(shared("cases/ltp-table/ltp_ltd_conductance.csv"))["table"]
    assert {name: values.attrs["units"] for name, values in pulses.data_vars.items()} == {
        "pulse": "1", "conductance": "nS",
    }  # fmt: skip
    pairs = read(shared("cases/ltp-table/ppf_index.csv"))["table"]
    assert {name: values.attrs["units"] for name, values in pairs.data_vars.items()} == {
        "interval": "ms", "ppf_index": "percent",
    }  # fmt: skip
