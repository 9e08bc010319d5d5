"""Patterns that programs and beamlines export as text: DIFFRAC.EVA, 11-BM and Philips UDF."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.public_files import shared
from tests.readers.samples.diffraction import EVA, UDF, XYE


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
    ],
)
def test_damage_is_named(tmp_path, text, message):
    with pytest.raises(ReadError, match=message.replace(".", r"\.")):
        read(write(tmp_path, text))


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
