"""Text files of a toy ellipsometer.

The first line is ``ELLIPSOMETER 1``; ``key: value`` lines follow, among them ``angle`` (degree), then a line
``wavelength psi delta`` and rows of three numbers: nm, degree, degree.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers import Reader
from relaxor.readers.common.schema import tree

SIGNATURE = b"ELLIPSOMETER 1"
COLUMNS = "wavelength psi delta"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the format by the first line."""
    return head.startswith(SIGNATURE)


def extract(path: Path) -> xr.DataTree:
    """Read a spectrum.

    Returns
    -------
    xarray.DataTree
        One child ``spectrum``: ``psi`` and ``delta`` (degree) along ``wavelength`` (nm), attribute ``angle`` (degree).

    Raises
    ------
    ReadError
        If the names of the columns or the angle are missing, or a row is not three numbers.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if COLUMNS not in lines:
        raise ReadError(path, f"has no line '{COLUMNS}' above its numbers")
    start = lines.index(COLUMNS)
    header = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:start])}
    rows = []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        try:
            first, second, third = map(float, line.split())
        except ValueError:
            raise ReadError(path, f"'{line[:40]}' is not three numbers", f"line {number}") from None
        rows.append((first, second, third))
    if "angle" not in header:
        raise ReadError(path, "does not state the angle of incidence ('angle: 70')")
    wavelength, psi, delta = np.array(rows).reshape(-1, 3).T
    spectrum = xr.Dataset(
        {
            "psi": variable("wavelength", psi, "degree", "ellipsometric angle psi"),
            "delta": variable("wavelength", delta, "degree", "ellipsometric angle delta"),
        },
        {"wavelength": variable("wavelength", wavelength, "nm", "wavelength")},
        {"angle": float(header["angle"])},
    )
    return tree({"spectrum": spectrum}, header=header, instrument=header.get("instrument", "toy ellipsometer"))


READER = Reader("ellipsometer_txt", recognises, extract)
