"""Patterns of the beamline 11-BM of the Advanced Photon Source, ``.xye``.

Instruments: The powder diffractometer 11-BM delivers its patterns in this form, which GSAS-II reads.

Recognition: The file begins with ``/*``, and its first bytes hold a line ``# Calibrated wavelength =``.

Layout: Between ``/*`` and ``*/`` stand lines ``# key = value``. Rows of angle, intensity and standard uncertainty
follow. The intensities are counts of twelve analysers, scaled to the monitor and merged.

Schema: The child ``scan_1`` has the dimension ``two_theta`` (degree) and ``intensity`` (``1``, because scaled counts
are no counts) with ``intensity_uncertainty`` (given in the file). The attributes, where the file has them, are
``wavelength_alpha1`` (angstrom, of the one line that there is; ``wavelength_ratio`` is 0), ``sample_name``,
``temperature`` (K) and ``time_per_step`` (s).
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import entries, iso, lines_of, number
from relaxor.readers.diffraction.scans import rows_of, scan

MAX_BYTES = 32 << 20
WAVELENGTH = "Calibrated wavelength"
NUMBERS = {WAVELENGTH: "wavelength_alpha1", "Temp (K)": "temperature", "Time per step (sec)": "time_per_step"}
NAMES = ("User sample name", "Sample Comment")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the comment with a calibrated wavelength."""
    return head.startswith(b"/*") and re.search(rb"^#\s*Calibrated wavelength\s*=", head, re.MULTILINE) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a pattern of 11-BM; the schema is that of the module."""
    lines = lines_of(path)
    end = next((index for index, line in enumerate(lines) if "*/" in line), None)
    if end is None:
        raise ReadError(path, "the comment that begins with /* has no end, */", "line 1")
    header = {"first line": lines[0], **entries([line.lstrip("# ") for line in lines[:end]], "=")}
    table, warnings = rows_of(lines[end + 1 :], 3, path, end + 2)
    found = {name: number(header.get(key, "")) for key, name in NUMBERS.items()}
    wavelength = found["wavelength_alpha1"]
    if wavelength is None or not wavelength > 0:
        raise ReadError(path, f"'{header.get(WAVELENGTH, '')[:40]}' is no wavelength", WAVELENGTH)
    sample = next(filter(None, map(header.get, NAMES)), None)
    attrs = {**found, "wavelength_ratio": 0.0, "sample_name": sample}
    if (table[:, 2] < 0).any():
        line = end + 2 + int((table[:, 2] < 0).argmax())
        raise ReadError(path, "holds a negative uncertainty", f"line {line}")
    child = scan(path, "two_theta", table[:, 0], table[:, 1], attrs, f"line {end + 2}", "1")
    with_uncertainty(child, "intensity", table[:, 2], "given in the file")
    warnings.append("intensities are scaled to the monitor: they are no counts")
    acquired = iso(header.get("Scan time", "").partition(".")[0], "%b %d, %Y %H:%M:%S")
    return tree({"scan_1": child}, header, "11-BM, Advanced Photon Source", acquired, warnings)
