"""Phenom projects, ``.elid``: images, spectra and maps.

Instruments: Phenom desktop microscopes of Thermo Fisher save their projects in this form.

Recognition: The unpacked file begins with ``EID2``. A project is packed by bz2, so that `relaxor.readers.tables.packed`
unpacks it first.

Layout: The version (0 to 4 are read) is followed by images with their analyses, number by number. rosettasciio decodes
them.

Schema: There is one child per image or analysis, named after its label. Images have ``intensity`` (``y``, ``x``, m) in
grey levels. Spectra have ``intensity`` (``energy``, keV) in counts, maps have it over (``y``, ``x``, ``energy``).
Spectra that are not the difference of others have ``intensity_uncertainty`` (Poisson). The attribute is
``beam_energy_keV``.
"""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import MAX_POINTS
from relaxor.readers.common.signals import signal_tree

MAGIC = b"EID2"
VERSIONS = range(5)


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic of the unpacked project."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read an unpacked project; the schema is that of the module."""
    signals = _decode(path)
    if not signals:
        raise ReadError(path, "holds no image and no analysis")
    counted = ["EDS" in signal["metadata"].get("Signal", {}).get("signal_type", "") for signal in signals]
    dated = (general for signal in signals if "date" in (general := signal["metadata"]["General"]))
    return signal_tree(
        [
            {**signal, "units": "count" if counts else "1", "counts": counts and _is_measured_spectrum(signal)}
            for signal, counts in zip(signals, counted, strict=True)
        ],
        [_attributes(signal["original_metadata"]) for signal in signals],
        instrument="Thermo Fisher Phenom",
        acquired=next((f"{general['date']}T{general['time']}" for general in dated), None),
    )


def _is_measured_spectrum(signal: Mapping[str, Any]) -> bool:
    return np.ndim(signal["data"]) == 1 and ", Difference " not in signal["metadata"]["General"]["title"]


def _decode(path: Path) -> list[dict[str, Any]]:
    """Run the decoder of rosettasciio on bytes that are unpacked already; reading past their end is an error."""
    from rsciio.phenom._api import ElidReader

    class Reader(ElidReader):
        def __init__(self, data: bytes):
            self._pathname, self._stream = path.name, io.BytesIO(data)
            self._read(len(MAGIC))
            self._version = self._read_int32()
            if self._version not in VERSIONS:
                raise ReadError(path, f"is a project of version {self._version}; 0 to {VERSIONS[-1]} are read")
            self.dictionaries = self._read_Project()

        def _read_uint32(self) -> int:
            """Read a number of items, of which each has a byte at least, or the index of one."""
            number = int(super()._read_uint32())
            if number > length:
                place = f"byte {self._stream.tell() - 4:#x}"
                raise ReadError(path, f"announces {number} items, more than its {length} bytes can hold", place)
            return number

        def _read_tiff(self) -> tuple[Any, Any]:
            start = self._stream.tell()
            _refuse_large_image(path, self._read(self._read_uint32()))
            self._stream.seek(start)
            found: tuple[Any, Any] = super()._read_tiff()
            return found

        def _read(self, size: int = 1) -> bytes:
            content = self._stream.read(size)
            if len(content) < size:
                raise ReadError(path, f"ends early: {size} bytes expected", f"byte {self._stream.tell():#x}")
            return content

    content = path.read_bytes()
    length = len(content)
    return Reader(content).dictionaries


def _refuse_large_image(path: Path, content: bytes) -> None:
    import tifffile

    if not content:
        return
    with tifffile.TiffFile(io.BytesIO(content)) as image:
        sizes = [math.prod(max(side, 1) for side in page.shape) for page in image.pages]
        strips = sum(math.prod(page.chunked) for page in image.pages)
    if sum(sizes) > MAX_POINTS:
        raise ReadError(path, f"holds an image of {sum(sizes)} numbers; more than {MAX_POINTS} are refused")
    if strips > len(content):
        raise ReadError(path, f"announces {strips} strips or tiles in an image of {len(content)} bytes")


def _attributes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    try:
        tension = float(metadata["acquisition"]["scan"]["detectors"]["EDS"]["high_tension"])
    except (KeyError, TypeError, ValueError):
        return {}
    return {"beam_energy_keV": tension / 1000}
