"""Igor binary waves of version 5, as an Asylum Research microscope writes them (WaveMetrics technical note 003)."""

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

TYPE_CODES = {"f4": 2, "f8": 4, "i1": 0x08, "i2": 0x10, "i4": 0x20, "u1": 0x48, "u2": 0x50, "u4": 0x60}
EPOCH = datetime(1904, 1, 1)
LABEL_BYTES = 32
HEADER_WORDS = 192
Axis = tuple[float, float, str]
"""First value, step and unit (at most three characters) of a dimension."""


def asylum_note(settings: Mapping[str, object], taken: datetime) -> str:
    """Return a wave note as Asylum writes it: ``Key: value`` lines ended by carriage returns, date and time last."""
    moment = {"Date": f"{taken:%Y-%m-%d}", "Time": f"{taken:%I:%M:%S %p}".lstrip("0")}
    return "".join(f"{key}: {value}\r" for key, value in {**settings, **moment}.items())


def igor_wave(
    values: np.ndarray,
    *,
    name: str,
    axes: Sequence[Axis] = (),
    data_unit: str = "",
    labels: Sequence[str] = (),
    note: str = "",
    modified: datetime,
) -> bytes:
    """Return the bytes of a wave.

    Parameters
    ----------
    values
        Up to four dimensions of floats or integers, indexed (row, column, layer, chunk).
    name
        Name of the wave, at most 31 characters.
    axes
        Scaling of the leading dimensions; the others count from 0.
    labels
        One per position along the last dimension (at most 31 characters): the channels.
    note
        Text kept with the wave.
    modified
        Time stamp of the wave (its creation is set to the same).
    """
    values = np.asarray(values)
    data = values.astype(values.dtype.newbyteorder("<")).tobytes(order="F")
    scaling = [*axes, *[(0.0, 1.0, "")] * (4 - len(axes))]
    text = note.encode("latin-1")
    named = b"".join(label.encode("latin-1").ljust(LABEL_BYTES, b"\0") for label in ("", *labels)) if labels else b""
    label_sizes = [len(named) if index == values.ndim - 1 else 0 for index in range(4)]
    seconds = int((modified - EPOCH).total_seconds())
    wave = struct.pack(
        "<IIIihh6sh32siI4i4d4d4s4s4s4s4shh2dI4I4II16i3h2sIihhII",
        *(0, seconds, seconds, values.size, TYPE_CODES[values.dtype.str[1:]], 0, b"", 1),
        *(name.encode("latin-1"), 0, 0),
        *(*values.shape, *[0] * (4 - values.ndim)),
        *(step for _, step, _ in scaling),
        *(start for start, _, _ in scaling),
        *(data_unit.encode("latin-1"), *(unit.encode("latin-1") for _, _, unit in scaling)),
        *[0] * (2 + 2 + 1 + 4 + 4 + 1 + 16 + 3),
        b"",
        *[0] * 6,
    )
    sizes = (len(wave) + len(data), 0, len(text), 0, *[0] * 4, *label_sizes, *[0] * 3)
    total = sum(struct.unpack(f"<{HEADER_WORDS}h", struct.pack("<hh15i", 5, 0, *sizes) + wave))
    checksum = (-total + 0x8000) % 0x10000 - 0x8000
    return struct.pack("<hh15i", 5, checksum, *sizes) + wave + data + text + named
