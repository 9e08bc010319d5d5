"""Columns of numbers, and packed files."""

import gzip

from tests.readers.samples.diffraction import SAMPLES as SCANS
from tests.readers.samples.diffraction import UXD
from tests.readers.samples.electrical import workbook
from tests.readers.samples.sample import COUNTS, TWO_THETA, Sample

NUMBERS = "# first second\n" + "".join(f"{angle} {count}\n" for angle, count in zip(TWO_THETA, COUNTS, strict=True))

SAMPLES = {
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
