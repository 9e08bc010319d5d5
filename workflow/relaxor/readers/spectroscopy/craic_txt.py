"""CRAIC spectra as text, ``.csv``, ``.txt``.

Instruments: LambdaFire, the program of CRAIC microspectrophotometers, exports spectra in this form.

Recognition: The first line states time, scans, objective and aperture: ``Time1=20ms:Average1=5:Objective=10X:…``.

Layout: Some lines of settings are followed by rows of wavelength and value, separated by commas or tabs.

Schema: The child ``spectrum`` has ``intensity`` (``1``: the file does not say whether it is a reflectance, a
transmittance or counts, and the root has a warning) along ``wavelength`` (nm). The attributes are ``integration_time``
(s, of one scan) and ``scans`` (averaged).
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import spectra, tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import iso, lines_of
from relaxor.readers.spectroscopy.optical import NO_UNIT, WAVELENGTH

MAX_BYTES = 64 << 20
FIRST = re.compile(r"\W*+Time1=(\d+(?:\.\d+)?)ms:Average1=(\d+):Objective=")
DATE = re.compile(r"\((\d+/\d+/\d+ \d+:\d+:\d+ ?[AP]?M?)\)")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return FIRST.match(head[:200].decode("latin-1")) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a text of LambdaFire; the schema is that of the module."""
    lines = lines_of(path)
    settings, moment = FIRST.match(lines[0]), DATE.search(lines[0])
    text = tables_of(lines, path)
    table = max(text.tables, key=lambda each: each.values.size)
    if table.values.shape[1] != 2 or settings is None:
        raise ReadError(path, f"{table.values.shape[1]} columns where two are expected", f"line {table.line}")
    attrs = {"integration_time": float(settings[1]) / 1000, "scans": int(settings[2])}
    dataset = spectra(WAVELENGTH, table.values[:, 0], table.values[:, 1], unit="1").assign_attrs(attrs)
    header = [line.strip() for line in table.above if line.strip()]
    acquired = iso(moment[1].strip(), "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S") if moment else None
    return tree({"spectrum": dataset}, header, "CRAIC", acquired, [*text.warnings, NO_UNIT])
