"""Horiba Jobin Yvon LabSpec spectra and maps, ``.xml``: read by rosettasciio once the XML has been found harmless."""

from datetime import datetime
from pathlib import Path

import xarray as xr

from relaxor.readers.common.containers import parse_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.signals import datasets, exposure
from relaxor.readers.registry import Reader

UNITS = {"Counts": "count", "Counts/s": "count/s"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise LabSpec's root element."""
    return b"<LSX_Data" in head or b"<LSX" in head


def extract(path: Path) -> xr.DataTree:
    """Read a LabSpec ``.xml`` file.

    Returns
    -------
    xarray.DataTree
        One child named after the title: ``intensity`` (``count`` or ``count/s``) along ``wavelength`` (nm),
        ``raman_shift`` (1/cm) or ``energy`` (eV) and, of a map, ``y`` and ``x`` (m). Attribute: ``integration_time``
        (s, of all accumulations). Root: ``warnings`` (lines).
    """
    from rsciio.jobinyvon import file_reader

    parse_xml(path.read_bytes(), path)
    signals = file_reader(str(path))
    described = []
    for signal in signals:
        quantity = signal["metadata"]["Signal"].get("quantity", "")
        described.append({**signal, "units": UNITS.get(quantity.partition("(")[2].rstrip(")"), "1"), "counts": False})
    children = datasets(described, [exposure(signal) for signal in signals])
    headers = dict(zip(children, (signal["original_metadata"] for signal in signals), strict=True))
    general = signals[0]["metadata"]["General"]
    model = signals[0]["metadata"].get("Acquisition_instrument", {}).get("Spectrometer", {}).get("model", "")
    return tree(children, header=headers, instrument=f"Horiba {model}".strip(), acquired=_date(general))


def _date(general: dict[str, str]) -> str | None:
    try:
        return datetime.strptime(f"{general['date']} {general['time']}", "%d.%m.%Y %H:%M:%S").isoformat()
    except (KeyError, ValueError):
        return None


READER = Reader("horiba_xml", recognises, extract)
