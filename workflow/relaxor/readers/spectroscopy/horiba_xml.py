"""Horiba LabSpec spectra and maps, ``.xml``.

Instruments: LabSpec, the program of Horiba Jobin Yvon Raman microscopes (LabRAM), exports spectra in this form. It is
read by rosettasciio, after the XML has been found harmless.

Recognition: The first bytes hold the root element, ``<LSX``.

Schema: The one child is named after the title. It has ``intensity`` (``count`` or ``count/s``) along ``wavelength``
(nm), ``raman_shift`` (1/cm) or ``energy`` (eV); a map has ``y`` and ``x`` (m) too. The attribute is
``integration_time`` (s, of all accumulations).
"""

from pathlib import Path

import xarray as xr

from relaxor.readers.common.containers import parse_xml
from relaxor.readers.common.signals import counts_of, exposure, signal_tree
from relaxor.readers.common.text import iso


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the root element."""
    return b"<LSX" in head


def extract(path: Path) -> xr.DataTree:
    """Read a LabSpec ``.xml`` file; the schema is that of the module."""
    from rsciio.jobinyvon import file_reader

    parse_xml(path.read_bytes(), path)
    signals = file_reader(str(path))
    metadata = signals[0]["metadata"]
    date = f"{metadata['General'].get('date')} {metadata['General'].get('time')}"
    model = metadata.get("Acquisition_instrument", {}).get("Spectrometer", {}).get("model", "")
    counted = [{**signal, "units": counts_of(signal)} for signal in signals]
    instrument, acquired = f"Horiba {model}".strip(), iso(date, "%d.%m.%Y %H:%M:%S")
    return signal_tree(counted, list(map(exposure, signals)), instrument=instrument, acquired=acquired)
