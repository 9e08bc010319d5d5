"""Delmic cathodoluminescence, ``.h5`` (HDF5).

Instruments: Odemis, the program of the SPARC cathodoluminescence systems of Delmic, saves its acquisitions in this
form. It is read by rosettasciio, after the objects of the file were examined.

Recognition: The file is HDF5 and has a group ``Acquisition0`` or ``Acquisition1`` with ``SVIData``.

Schema: There is one child per acquisition, named after its title: spectra with ``intensity`` (``count``) along
``wavelength`` (nm), ``time`` (s) or angles, with ``y`` and ``x`` (m) before it where it is a map, and the images of the
electrons, the survey and the anchor (``1``) beside them. The attributes are ``acquisition`` (kind), ``acquired`` and
``integration_time`` (s).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common import hdf5
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import library_date

LABELS = b"DIMENSION_LABELS"
ELECTRONS = ("se", "survey", "anchor")
"""Acquisitions of electrons, whose numbers are those of a converter and have no unit."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the HDF5 signature and the first acquisition."""
    if not head.startswith(hdf5.SIGNATURE):
        return False
    import h5py

    try:
        with h5py.File(path, "r") as file:
            links = [file.get(f"Acquisition{number}/SVIData", getlink=True) for number in (0, 1)]
            return any(isinstance(link, h5py.HardLink) for link in links)
    except Exception:  # h5py raises errors of many kinds on strangers' bytes, which then are of another format
        return False


def extract(path: Path) -> xr.DataTree:
    """Read a file of Odemis; the schema is that of the module."""
    from rsciio.delmic import file_reader

    with hdf5.opened(path) as file:
        for name, group in file.items():
            if name.startswith("Acquisition"):
                _refuse_damaged_labels(group, path)
        signals = file_reader(str(path), signal="all")
    described = [{**signal, "units": "1" if _kind(signal) in ELECTRONS else "count"} for signal in signals]
    acquired = library_date(signals[0]["metadata"]["General"])
    tree = signal_tree(
        described, list(map(_attributes, signals)), instrument=_instrument(signals[0]), acquired=acquired
    )
    return tree


def _refuse_damaged_labels(group: Any, path: Path) -> None:
    """Refuse names of dimensions that libhdf5 would take for texts without looking, and crash."""
    import h5py

    image = group.get("ImageData/Image") if isinstance(group, h5py.Group) else None
    if not isinstance(image, h5py.Dataset) or not h5py.h5a.exists(image.id, LABELS):
        return
    labels = h5py.h5a.open(image.id, LABELS)
    kind = labels.get_type()
    texts = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    if not texts or labels.shape != (image.ndim,) or not _readable(image):
        raise ReadError(path, "is damaged: its dimensions have no names", f"{group.name}/ImageData/Image")


def _readable(image: Any) -> bool:
    try:
        return image.attrs[LABELS.decode()] is not None
    except OSError:
        return False


def _attributes(signal: Mapping[str, Any]) -> dict[str, Any]:
    attrs: dict[str, Any] = {"acquisition": _kind(signal)}
    time = signal["original_metadata"].get("IntegrationTime")
    if isinstance(time, int | float):
        attrs["integration_time"] = float(time)
    return attrs


def _kind(signal: Mapping[str, Any]) -> str:
    return str(getattr(signal.get("_acq_type"), "value", ""))


def _instrument(signal: Mapping[str, Any]) -> str:
    named = signal["original_metadata"].get("ExtraSettings", {}).get("Microscope", {}).get("Name", [""])
    return f"Delmic {named[0] if isinstance(named, list) and named else ''}".strip()
