"""Columns of numbers, and packed files."""

import gzip

from tests.readers.samples.diffraction import SAMPLES as SCANS
from tests.readers.samples.diffraction import UXD
from tests.readers.samples.electrical import workbook
from tests.readers.samples.sample import COUNTS, TWO_THETA, Sample

NUMBERS = "# first second\n" + "".join(f"{angle} {count}\n" for angle, count in zip(TWO_THETA, COUNTS, strict=True))

LVM = (
    "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t,\nX_Columns\tOne\n"
    "Date\t2019/05/21\nTime\t15:11:32,123456789\n***End_of_Header***\t\n\t\nChannels\t2\t\t\nSamples\t3\t3\t\n"
    "Y_Unit_Label\tVolts\tAmps\t\nX_Dimension\tTime\tTime\t\nX0\t0,5\t0,5\t\nDelta_X\t0,25\t0,25\t\n"
    "***End_of_Header***\t\t\t\nX_Value\tDrive\tAnswer\tComment\n"
    "0,50\t1,5\t1E-6\n0,75\t2,5\t2E-6\tchanged\n1,00\t3,5\t3E-6\n"
)
"""One channel of volts and one of amperes, with decimal commas, and a remark in the second row."""

SAMPLES = {
    "labview_lvm": Sample(
        LVM.encode(),
        "segment_1",
        {"drive": ([1.5, 2.5, 3.5], "V"), "answer": ([1e-6, 2e-6, 3e-6], "A"), "time": ([0.5, 0.75, 1.0], "s")},
        ("row",),
        "2019-05-21T15:11:32.123456",
        header="Writer_Version",
    ),
    "columns": Sample(
        NUMBERS.encode(), "table", {"second": (COUNTS, "1"), "first": (TWO_THETA, "1")}, ("row",), header="first"
    ),
    "columns spectrum": Sample(
        NUMBERS.replace("first second", "#Wave #Intensity").encode(),
        "spectrum",
        {"intensity": (COUNTS, "count"), "raman_shift": (TWO_THETA, "1/cm")},
        ("raman_shift",),
    ),
    "workbook": Sample(
        workbook(
            {"Tabelle1": [["a title"], ["2Theta (deg)", "Counts"], *map(list, zip(TWO_THETA, COUNTS, strict=True))]}
        ),
        "spectrum",
        {"intensity": (COUNTS, "count"), "two_theta": (TWO_THETA, "degree")},
        ("two_theta",),
        header="a title",
    ),
    "packed": Sample(
        gzip.compress(UXD.encode(), mtime=0),
        "scan_1",
        SCANS["bruker_uxd"].values,
        ("two_theta",),
        SCANS["bruker_uxd"].acquired,
    ),
}
