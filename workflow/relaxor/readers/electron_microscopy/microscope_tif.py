"""``.tif`` images of electron microscopes (FEI, Zeiss, JEOL, TVIPS, Olympus) and of ImageJ and DigitalMicrograph.

TIFF with the maker's settings in a private tag. tifffile decodes it, rosettasciio finds the size of the pixels. It
gives each axis of FEI images the size of the other one; they are put right here.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.signals import datasets
from relaxor.readers.registry import CONTAINER, Reader

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES, MAX_BYTES = 1000, 256 << 20
MAKERS = {"fei_metadata": "FEI", "sem_metadata": "Zeiss", "SightX_Notes": "JEOL", "TVIPS": "TVIPS"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of TIFF and BigTIFF."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read all images of a file.

    Returns
    -------
    xarray.DataTree
        One child an image or stack, ``image``, ``image_2`` and so on: ``intensity`` (``y``, ``x``) in grey levels, or
        ``R``, ``G``, ``B`` of a colour image; coordinates in m where the size of the pixels is given, else in pixels
        (``1``). The header holds the tags and the maker's settings.

    Raises
    ------
    ReadError
        If the images are larger than `MAX_BYTES`, or the file has not the bytes of them.
    """
    from rsciio.tiff import file_reader

    _check(path)
    signals = [_described(signal) for signal in file_reader(str(path))]
    if not signals:
        raise ReadError(path, "holds no image")
    children = datasets(signals, [{} for _ in signals])
    header = dict(zip(children, (signal["original_metadata"] for signal in signals), strict=True))
    maker = next((name for key, name in MAKERS.items() if key in signals[0]["original_metadata"]), "")
    return tree(children, header=header, instrument=maker, acquired=_date(signals[0]["metadata"]["General"]))


def _check(path: Path) -> None:
    """Compare what the pages announce with the bytes of the file."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        total = 0
        for number, page in enumerate(file.pages, 1):
            place = f"page {number}"
            if number > MAX_PAGES:
                raise ReadError(path, f"holds more than {MAX_PAGES} pages")
            total += page.nbytes
            if total > MAX_BYTES or not page.nbytes:
                raise ReadError(path, f"announces images of {total / 2**20:.0f} MiB", place)
            ends = np.add(page.dataoffsets, page.databytecounts)
            if page.compression == 1 and (sum(page.databytecounts) < page.nbytes or ends.max() > path.stat().st_size):
                raise ReadError(
                    path,
                    f"is cut off: {page.nbytes} bytes of image announced, {sum(page.databytecounts)} written "
                    f"in a file of {path.stat().st_size}",
                    place,
                )


def _described(signal: dict[str, Any]) -> dict[str, Any]:
    axes = {axis["name"]: axis for axis in signal["axes"]}
    if "fei_metadata" in signal["original_metadata"] and {"height", "width"} <= set(axes):
        height, width = axes["height"], axes["width"]
        height["scale"], width["scale"] = width["scale"], height["scale"]
    general = {"title": "image", **signal["metadata"].get("General", {})}
    return {**signal, "metadata": {"General": general}, "units": "1", "counts": False}


def _date(general: dict[str, str]) -> str | None:
    try:
        return datetime.fromisoformat(f"{general['date']}T{general['time']}").isoformat()
    except (KeyError, ValueError):
        return None


READER = Reader("microscope_tif", recognises, extract, priority=CONTAINER)
