"""Columns of numbers, and packed files."""

import gzip

from tests.readers.samples.diffraction import SAMPLES as SCANS
from tests.readers.samples.diffraction import UXD
from tests.readers.samples.sample import COUNTS, TWO_THETA, Sample

NUMBERS = "# angle counts\n" + "".join(f"{angle} {count}\n" for angle, count in zip(TWO_THETA, COUNTS, strict=True))

SAMPLES = {
    "number_columns": Sample(
        NUMBERS.encode(), "table", {"column_2": (COUNTS, "1"), "column_1": (TWO_THETA, "1")}, ("row",), header="angle"
    ),
    "number_columns spectrum": Sample(
        NUMBERS.replace("angle counts", "#Wave #Intensity").encode(),
        "table",
        {"intensity": (COUNTS, "count"), "raman_shift": (TWO_THETA, "1/cm")},
        ("raman_shift",),
    ),
    "packed": Sample(
        gzip.compress(UXD.encode(), mtime=0),
        "scan_1",
        SCANS["bruker_uxd"].values,
        ("two_theta",),
        SCANS["bruker_uxd"].acquired,
    ),
}
