"""Philips PC-APD scans, ``.rd``.

Instruments: Philips diffractometers save their scans in this form with the program PC-APD.

Recognition: The file begins with ``V3RD`` or ``V5RD``. The second derivatives ``V3SD`` and ``V5SD`` (``.sd``) are
recognised too, so that they are refused by name.

Layout, little-endian: The name of the program is at byte 4 (80 bytes), Kα1, Kα2 and their ratio at 94 (f64), the sample
at 138 (8 bytes), the title at 146 (20 bytes), the step at 214, and the first and last 2θ at 222 and 230 (f64). From
byte 250 (version 3) or 810 (version 5) follows one u16 *p* per point, which is the square root of the count in tenths:
count = ⌊p²/100⌋.

Schema: The child ``scan_1`` has the dimension ``two_theta`` (degree) and ``intensity`` (count) with
``intensity_uncertainty`` (Poisson, and the rounding of the packed square root). The attributes are
``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``sample_name`` and ``title``.
"""

import math
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import with_uncertainty
from relaxor.readers.common.schema import array, text_at, tree, unpack
from relaxor.readers.diffraction.scans import grid, scan
from relaxor.stats.counts import poisson_uncertainty

DATA = {b"V3RD": 250, b"V5RD": 810}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic, also that of kinds that are refused by name."""
    return head[:1] == b"V" and head[1:2].isdigit() and head[2:4] in (b"RD", b"SD") and len(head) > 4


def extract(path: Path) -> xr.DataTree:
    """Read a ``.rd`` file; the schema is that of the module."""
    data = path.read_bytes()
    begin = DATA.get(data[:4])
    if begin is None:
        raise ReadError(path, f"is a Philips file of kind {text_at(data, 0, 4)}; V3RD and V5RD are read")
    alpha1, alpha2, ratio = unpack("<3d", data, 94, path)
    step, first, last = unpack("<3d", data, 214, path)
    if not (math.isfinite(first) and math.isfinite(last) and math.isfinite(step) and 0 < step <= last - first < 400):
        raise ReadError(path, f"scans from {first} to {last} in steps of {step} degrees", "byte 0xd6")
    packed = array(data, "<u2", math.floor((last - first) / step + 1 + 1e-3), begin, path).astype(float)
    attrs = {
        "wavelength_alpha1": alpha1,
        "wavelength_alpha2": alpha2,
        "wavelength_ratio": ratio,
        "sample_name": text_at(data, 138, 8),
        "title": text_at(data, 146, 20),
    }
    counts = np.floor(0.01 * packed * packed)  # in this order of rounding, as all programs that read the format
    place = f"byte {begin:#x}"
    dataset = scan(path, "two_theta", grid(path, "two_theta", first, step, counts.size, place), counts, attrs, place)
    rounding = packed / 50 / math.sqrt(12)
    uncertainty = np.hypot(poisson_uncertainty(counts), rounding)
    dataset = with_uncertainty(dataset, "intensity", uncertainty, "Poisson and rounding of the packed square root")
    header = {"program": text_at(data, 4, 80), "bytes": data[:begin].hex(), **attrs}
    return tree({"scan_1": dataset}, header=header, instrument="Philips diffractometer (PC-APD)")
