"""Writer of Bruker RAW4.00 scans; the layout is that of `relaxor.readers.diffraction.bruker_raw`."""

import struct
from dataclasses import dataclass
from datetime import datetime

import numpy as np


@dataclass(frozen=True)
class Scan:
    """One coupled scan: start and step (degrees 2θ), counts, seconds per step, generator (kV, mA)."""

    start: float
    step: float
    counts: np.ndarray
    counting_time: float
    voltage: float = 40.0
    current: float = 40.0


def bruker_raw4(
    scans: list[Scan], taken: datetime, texts: dict[str, str], alphas: tuple[float, float], radius: float
) -> bytes:
    """Return the bytes of a RAW4.00 file.

    Parameters
    ----------
    scans
        Ranges, in order.
    taken
        Time of the measurement.
    texts
        Named texts (``USER``, ``SAMPLEID``, ``COMMENT``, …).
    alphas
        Wavelengths Kα1 and Kα2 of the copper tube (angstrom).
    radius
        Radius of the goniometer in mm.
    """
    date, time = (format(taken, layout).encode() for layout in ("%m/%d/%Y", "%H:%M:%S"))
    head = struct.pack("<8sI12s10s2xIIIffI", b"RAW4.00", 0xFFEF, date, time, 1, 1, len(scans), 0, 0, 0)
    body = b"".join(_segment(10, struct.pack("<4x24s", name.encode()) + text.encode()) for name, text in texts.items())
    mean = (2 * alphas[0] + alphas[1]) / 3
    hardware = struct.pack("<16xf44x5d", 2 * radius, mean, *alphas, 1.39222, 0.5)
    body += _segment(30, hardware + struct.pack("<4x4s4s12x", b"Cu", b"A"))
    ranges = b"".join(_range(scan, mean) for scan in scans)
    return head.ljust(61, b"\0") + body + ranges


def _segment(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, 8 + len(content)) + content


def _range(scan: Scan, wavelength: float) -> bytes:
    drives = b"".join(
        _segment(50, struct.pack("<I24s16xId28x", number, name, 1, start))
        for number, name, start in ((2, b"2Theta", scan.start), (1, b"Theta", scan.start / 2))
    )
    steps = len(scan.counts)
    header = struct.pack("<I4xII8xII24s16x", 0, steps, 2, 257, 1, b"Locked Coupled")
    header += struct.pack(
        "<ddIf4xff4xd", scan.start, scan.step, steps, scan.counting_time, scan.voltage, scan.current, wavelength
    )
    header += struct.pack("<4xI8xII16x", 1, 4, len(drives))
    return header + drives + np.asarray(scan.counts, "<f4").tobytes()
