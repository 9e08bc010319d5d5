"""Berkeley electron microscopy files, ``.emd`` (HDF5).

Instruments: The National Center for Electron Microscopy and programs that follow its convention write this form. It is
read by rosettasciio.

Recognition: The file is HDF5 and has the attributes ``version_major`` and ``version_minor`` at its root. Velox files
have the same extension.

Layout: Groups that carry the attribute ``emd_group_type`` hold ``data`` and ``dim1``, ``dim2``, … with names and units.
Microscope, user and sample are attributes of groups beside them.

Schema: There is one child per dataset, named after its title, with ``intensity``. Coordinates are in base units where
the file names a unit that is one, and otherwise in ``1``.
"""

from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common import hdf5
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.electron_microscopy.velox_emd import emd_variant


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the HDF5 signature and the version attributes of the root."""
    return head.startswith(hdf5.SIGNATURE) and emd_variant(path) == "berkeley"


def extract(path: Path) -> xr.DataTree:
    """Read a Berkeley file; the schema is that of the module."""
    from rsciio.emd import file_reader

    with hdf5.opened(path):
        signals = file_reader(str(path))
    if not signals:
        raise ReadError(path, "holds no group with data (attribute emd_group_type)")
    microscope = signals[0]["original_metadata"].get("microscope", {})
    instrument = str(microscope.get("name", "")) if isinstance(microscope, dict) else ""
    return signal_tree(signals, instrument=instrument)
