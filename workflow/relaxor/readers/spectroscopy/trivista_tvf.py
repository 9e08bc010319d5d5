"""TriVista spectra and maps, ``.tvf``.

Instruments: VistaControl, the program of the TriVista triple spectrographs of S&I and Princeton Instruments, saves its
spectra in this form. It is read by rosettasciio, after the XML has been found harmless.

Recognition: The file begins with the comment ``TriVista-File``.

Schema: The child is named after the title. It has ``intensity`` (``count`` or ``count/s``) along ``wavelength`` (nm) or
``raman_shift`` (1/cm); a line has ``x`` (m) and a map ``y`` and ``x`` before it, a series ``time`` (s). Of spectra that
were glued together the glued one is read. The attribute is ``integration_time`` (s, of all accumulations).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.readers.common.containers import parse_xml
from relaxor.readers.common.signals import counts_of, exposure, signal_tree
from relaxor.readers.common.text import library_date

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the comment in the first line."""
    return b"<!--TriVista-File" in head[:200]


def extract(path: Path) -> xr.DataTree:
    """Read a ``.tvf`` file; the schema is that of the module."""
    from rsciio.trivista import file_reader

    for element in parse_xml(path.read_bytes(), path).iter():
        for key, text in element.attrib.items():
            if key.endswith("InfoSerialized") or key == "FileInfoSerialized":  # XML as the text of an attribute
                parse_xml(DECLARATION.sub("", text).encode(), path, key)
    signals = [_named(signal) for signal in file_reader(str(path))]
    acquired = library_date(signals[0]["metadata"]["General"])
    counted = [{**signal, "units": counts_of(signal)} for signal in signals]
    model = signals[0]["metadata"].get("Acquisition_instrument", {}).get("Spectrometer", {}).get("model", "")
    return signal_tree(counted, list(map(exposure, signals)), instrument=f"TriVista {model}".strip(), acquired=acquired)


def _named(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Return a signal whose name does not depend on that of the file."""
    general = {**signal["metadata"]["General"], "title": "spectra" if signal["data"].ndim > 1 else "spectrum"}
    return {**signal, "metadata": {**signal["metadata"], "General": general}}
