"""Spectra and patterns of the RRUFF data base of minerals, ``.txt``, ``.rruf``.

Instruments: The RRUFF project offers Raman spectra, infrared spectra and powder patterns of minerals in this form.

Recognition: The file begins with ``##NAMES=``, and ``##RRUFFID=`` follows.

Layout: Lines ``##KEY=value``, rows of position and intensity separated by a comma, and ``##END=``. Only patterns have
``##X-RAY WAVELENGTH=``. What the axis of the others is stands in the name of the file alone.

Schema: The child ``spectrum`` has ``intensity`` (``1``) along ``raman_shift`` (1/cm), with a warning, or ``two_theta``
(degree) if the file has a wavelength of X-rays. The attributes are ``mineral``, ``rruff_id`` and, where the file has
it, ``wavelength`` (angstrom).
"""

from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import spectra, tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import entries, first_number, lines_of
from relaxor.readers.spectroscopy.optical import SHIFT

MAX_BYTES = 64 << 20
TWO_THETA = ("two_theta", "degree", "2θ")
UNTOLD = "the file does not say whether its axis is a Raman shift or an infrared wavenumber; the former is taken"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the records that only this data base writes."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"##NAMES=") and b"##RRUFFID=" in head


def extract(path: Path) -> xr.DataTree:
    """Read a text of RRUFF; the schema is that of the module."""
    lines = lines_of(path)
    header = entries([line[2:] for line in lines if line.startswith("##")], "=")
    text = tables_of(["" if line.startswith("##") else line for line in lines], path)
    table = text.tables[0]
    if table.values.shape[1] != 2 or len(text.tables) > 1:
        raise ReadError(path, "holds more than one table of two columns", f"line {table.line}")
    wavelength = first_number(header.get("X-RAY WAVELENGTH", ""))
    warnings = list(text.warnings) if wavelength is not None else [*text.warnings, UNTOLD]
    axis = SHIFT if wavelength is None else TWO_THETA
    attrs: dict[str, object] = {"mineral": header.get("NAMES", ""), "rruff_id": header.get("RRUFFID", "")}
    if wavelength is not None:
        attrs["wavelength"] = wavelength
    if "END" not in header:
        warnings.append("the record ##END= is missing: the file may have been cut")
    dataset = spectra(axis, table.values[:, 0], table.values[:, 1], unit="1").assign_attrs(attrs)
    return tree({"spectrum": dataset}, header, f"RRUFF {header.get('RRUFFID', '')}".strip(), warnings=warnings)
