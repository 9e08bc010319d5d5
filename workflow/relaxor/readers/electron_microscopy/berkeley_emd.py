"""Berkeley (NCEM) ``.emd``: HDF5 with ``version_major`` at the root and groups that carry ``emd_group_type``.

Each such group holds ``data`` and ``dim1``, ``dim2``, ... with names and units; microscope, user and sample are
attributes of groups beside it. Read through rosettasciio.
"""

from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common import hdf5
from relaxor.readers.common.schema import tree
from relaxor.readers.common.signals import datasets
from relaxor.readers.electron_microscopy.velox_emd import emd_variant
from relaxor.readers.registry import Reader


def recognises(head: bytes, path: Path) -> bool:
    """Tell by the HDF5 signature and the version attributes of the root."""
    return head.startswith(hdf5.SIGNATURE) and emd_variant(path) == "berkeley"


def extract(path: Path) -> xr.DataTree:
    """Read a Berkeley file.

    Returns
    -------
    xarray.DataTree
        One child a dataset, named after its title: ``intensity``, coordinates in base units where the file names a
        unit that is one, else ``"1"``.
    """
    from rsciio.emd import file_reader

    with hdf5.opened(path):
        signals = file_reader(str(path))
    if not signals:
        raise ReadError(path, "holds no group with data (attribute emd_group_type)")
    children = datasets([{**signal, "units": "1", "counts": False} for signal in signals], [{}] * len(signals))
    microscope = signals[0]["original_metadata"].get("microscope", {})
    return tree(
        children,
        header=dict(zip(children, (signal["original_metadata"] for signal in signals), strict=True)),
        instrument=str(microscope.get("name", "")) if isinstance(microscope, dict) else "",
    )


READER = Reader("berkeley_emd", recognises, extract)
