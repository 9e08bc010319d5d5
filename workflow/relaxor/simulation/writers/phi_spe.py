"""Write PHI ``.spe`` spectra in the layout of VersaProbe files (see `relaxor.readers.photoemission.phi_spe`)."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NEWLINE = "\r\n"
DESCRIPTOR_BYTES = 96


@dataclass(frozen=True)
class Region:
    """One region of a file.

    Attributes
    ----------
    name, atomic_number
        As SmartSoft names regions: ``Cu2p``, 29; the survey is ``Su1s``, 111.
    first, step
        Binding energy of the first point and step (eV, negative).
    counts
        Detected electrons per point.
    counting_time
        Counting time of a point in all sweeps together (s).
    pass_energy
        Of the analyser (eV).
    """

    name: str
    atomic_number: int
    first: float
    step: float
    counts: np.ndarray
    counting_time: float
    pass_energy: float

    @property
    def last(self) -> float:
        """Binding energy of the last point (eV)."""
        return self.first + self.step * (len(self.counts) - 1)


def write(regions: Sequence[Region], header: Mapping[str, str]) -> bytes:
    """Return the bytes of a ``.spe`` file.

    Parameters
    ----------
    regions
        Spectra in the order of the file.
    header
        ``Key: value`` lines that come before the regions.
    """
    lines = ["SOFH", *(f"{key}: {value}" for key, value in header.items()), f"NoSpectralReg: {len(regions)}"]
    lines += [_definition(number, region) for number, region in enumerate(regions, start=1)]
    text = NEWLINE.join([*lines, "EOFH", ""]).encode("latin-1")
    offset = 16 + DESCRIPTOR_BYTES * len(regions)
    descriptors, values = b"", b""
    for number, region in enumerate(regions, start=1):
        rates = (region.counts / region.counting_time).astype("<f4").tobytes()
        descriptors += _descriptor(number, len(region.counts), len(rates), offset + len(values))
        values += rates
    start = struct.pack("<4I", 1, len(regions), DESCRIPTOR_BYTES * len(regions), 16)
    return text + start + descriptors + values


def _definition(number: int, region: Region) -> str:
    inner = (region.first - 1.0, region.last + 1.0)
    return (
        f"SpectralRegDef: {number} {number} {region.name} {region.atomic_number} {len(region.counts)} "
        f"{region.step:.4f} {region.first:.4f} {region.last:.4f} {inner[0]:.4f} {inner[1]:.4f} "
        f"{region.counting_time:.6f} {region.pass_energy:.2f} AREA"
    )


def _descriptor(number: int, points: int, size: int, offset: int) -> bytes:
    words = [0] * 24
    words[:8] = [number, 1, 1, number, 1, points, 1, 1]
    words[19], words[20] = size, offset
    record = bytearray(struct.pack("<24I", *words))
    for column, text in ((8, b"pnt"), (10, b"sar"), (14, b"c/s"), (18, b"f4")):
        record[4 * column : 4 * column + len(text)] = text
    return bytes(record)
