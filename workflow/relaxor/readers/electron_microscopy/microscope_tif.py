"""Images of electron microscopes, ``.tif``.

Instruments: Electron microscopes of FEI, Zeiss, JEOL, TVIPS and Olympus, and the programs ImageJ and DigitalMicrograph,
save images in this form.

Recognition: The file has the signature of TIFF or BigTIFF. This reader is asked after those of formats with a signature
of their own.

Layout: The settings of the microscope are in a private tag. tifffile decodes the file, and rosettasciio finds the size
of the pixels. rosettasciio gives each axis of FEI images the size of the other one, which is corrected here.

Schema: There is one child per image or stack, ``image``, ``image_2`` and so on, with ``intensity`` (``y``, ``x``) in
grey levels, or ``R``, ``G`` and ``B`` of a colour image. Coordinates are in m where the size of the pixels is given,
and otherwise in pixels (``1``). The header holds the tags and the settings of the maker.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import library_date
from relaxor.readers.registry import CONTAINER

PRIORITY = CONTAINER
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES, MAX_BYTES = 1000, 256 << 20
PRIVATE = {50432: "Park Systems"}
"""Tags of makers whose numbers mean nothing without them."""
MAKERS = {"fei_metadata": "FEI", "sem_metadata": "Zeiss", "SightX_Notes": "JEOL", "TVIPS": "TVIPS"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of TIFF and BigTIFF."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read all images of a file; the schema is that of the module.

    Raises
    ------
    ReadError
        If the images are larger than `MAX_BYTES`, or if the file does not hold all of their bytes.
    """
    from rsciio.tiff import file_reader

    check_pages(path)
    signals = [_corrected(signal) for signal in file_reader(str(path))]
    if not signals:
        raise ReadError(path, "holds no image")
    maker = next((name for key, name in MAKERS.items() if key in signals[0]["original_metadata"]), "")
    acquired = library_date(signals[0]["metadata"]["General"])
    return signal_tree(signals, instrument=maker, acquired=acquired)


def check_pages(path: Path) -> None:
    """Compare the announced sizes of the pages with the size of the file.

    Raises
    ------
    ReadError
        If the pages are larger than `MAX_BYTES` together, if the file does not hold all of their bytes, or if a maker's
        own tags scale them that no reader decodes.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        total = 0
        for number, page in enumerate(file.pages, 1):
            place = f"page {number}"
            if maker := next((name for tag, name in PRIVATE.items() if tag in page.aspage().tags), ""):
                problem = f"is an image of {maker}, whose scales stand in tags of its own, which are not read"
                raise ReadError(path, f"{problem}: export it as .gwy or text", place)
            if number > MAX_PAGES:
                raise ReadError(path, f"holds more than {MAX_PAGES} pages")
            total += page.nbytes
            if total > MAX_BYTES or not page.nbytes:
                raise ReadError(path, f"announces images of {total / 2**20:.0f} MiB", place)
            size, written = path.stat().st_size, sum(page.databytecounts)
            if (strips := math.prod(page.chunked)) > size:
                raise ReadError(path, f"announces {strips} strips or tiles in a file of {size} bytes", place)
            ends = np.add(page.dataoffsets, page.databytecounts)
            if page.compression == 1 and (written < page.nbytes or ends.max() > size):
                announced = f"{page.nbytes} bytes of image announced, {written} written in a file of {size}"
                raise ReadError(path, f"is cut off: {announced}", place)


def _corrected(signal: dict[str, Any]) -> dict[str, Any]:
    axes = {axis["name"]: axis for axis in signal["axes"]}
    if "fei_metadata" in signal["original_metadata"] and {"height", "width"} <= set(axes):
        height, width = axes["height"], axes["width"]
        height["scale"], width["scale"] = width["scale"], height["scale"]
    general = {"title": "image", **signal["metadata"].get("General", {})}
    return {**signal, "metadata": {"General": general}}
