"""DIFFRAC.EVA patterns, ``.xy``.

Instruments: DIFFRAC.EVA exports scans of Bruker diffractometers in this form.

Recognition: The first line begins with ``'Id:`` and holds ``Scantype:`` or ``Anode:``.

Layout: The first line is a comment of entries ``Key: "value"``. Rows of position and intensity follow, separated by
blanks. Whole numbers are counts, and other numbers are counts per second; the file does not say so. ``TimePerStep`` is
the sum over the channels of a strip detector. Rates scatter more than this time makes them (by a factor of 1.6 in the
example of a public repository), so that it is no counting time from which counts could be had.

Schema: The child ``scan_1`` has the scanned axis as its dimension (``two_theta``, degree; a rocking curve has
``theta``) and ``intensity``: ``count`` with ``intensity_uncertainty`` (Poisson), or ``count/s`` without one. The
attributes are ``scan_type``, ``anode``, ``sample_name``, and ``counting_time`` (of counts) or ``time_per_step`` (of
rates; s).
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import first_number, head_lines, lines_of
from relaxor.readers.diffraction.scans import axis_of, rows_of, scan

MAX_BYTES = 32 << 20
ENTRY = re.compile(r'\b(\w++): "([^"]*)"')


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the comment of the first line."""
    first = next(iter(head_lines(head)), "")
    return first.startswith("'Id:") and ("Scantype:" in first or "Anode:" in first)


def extract(path: Path) -> xr.DataTree:
    """Read an export of DIFFRAC.EVA; the schema is that of the module."""
    first, *lines = lines_of(path)
    header = dict(ENTRY.findall(first))
    table, warnings = rows_of(lines, 2, path, 2)
    kind = header.get("Scantype", "")
    axis = _axis(kind, path)
    intensity = table[:, 1]
    whole = np.array_equal(intensity, np.round(intensity))
    attrs = {"scan_type": kind, "anode": header.get("Anode"), "sample_name": header.get("Comment")}
    attrs["counting_time" if whole else "time_per_step"] = first_number(header.get("TimePerStep", ""))
    if not whole:
        warnings.append(
            "intensities that are no whole numbers are taken as counts per second; the file does not say so"
        )
    child = scan(path, axis, table[:, 0], intensity, attrs, "line 2", "count" if whole else "count/s")
    return tree({"scan_1": child}, header, "Bruker diffractometer (DIFFRAC.EVA)", warnings=warnings)


def _axis(kind: str, path: Path) -> str:
    """Return the scanned axis of a name such as ``Coupled TwoTheta/Theta``, ``PSD fixed`` or ``Rocking Curve``."""
    plain = kind.lower()
    if "rocking" in plain:
        return "theta"
    if not plain or plain.startswith(("detector", "psd", "locked", "unlocked")):
        return "two_theta"
    return axis_of(kind.split()[0] if plain.endswith("scan") else kind, path, "line 1")
