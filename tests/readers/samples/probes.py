"""Images and curves of scanning probe microscopes."""

import struct
from datetime import datetime

import numpy as np
from relaxor.simulation.writers.igor_ibw import asylum_note, igor_wave

from tests.readers.samples.sample import Sample


def nanoscope(force: bool = False, storage: int = 2, announced: int = 2, cut: int = 0) -> bytes:
    """An image of 2 × 3 pixels, or two sweeps of 3 samples, of 0.01 V (× 20 nm/V) an LSB of 16 bits."""
    kind = "Ciao force image list" if force else "Ciao image list"
    shape = "\\Samps/line: 3 3\n" if force else "\\Samps/line: 3\n\\Number of lines: 2\n\\Scan Size: 3 2 ~m\n"
    head = (
        "\\*File list\n\\Version: 0x09300000\n\\Date: 10:27:26 AM Fri Oct 17 2014\n\\*Equipment list\n"
        "\\Microscope: D3100\n\\*Ciao scan list\n\\@Sens. Zscan: V 20.00000 nm/V\n"
        f"\\*{kind}\n\\Data offset: 600\n\\Data length: {6 * storage}\n\\Bytes/pixel: {announced}\n{shape}"
        '\\Line Direction: Retrace\n\\@2:Image Data: S [Height] "Height"\n'
        f"\\@2:Z scale: V [Sens. Zscan] (0.001 V/LSB) {0.01 * 256**announced:.4f} V\n\\*File list end\n"
    )
    values = struct.pack(f"<6{'hi'[storage // 4]}", *(100, 200, 300, -100, -200, -300))
    return head.encode("cp1252").ljust(600, b"\0") + values[: len(values) - cut]


def gwy(count: int = 6) -> bytes:
    """A Gwyddion file with one field of 2 × 3 values that announces ``count``."""

    def part(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + value

    def whole(name: str, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return name.encode() + b"\0" + struct.pack("<I", len(content)) + content

    field = whole(
        "GwyDataField",
        part("xres", "i", struct.pack("<i", 3)),
        part("yres", "i", struct.pack("<i", 2)),
        part("xreal", "d", struct.pack("<d", 3e-6)),
        part("yreal", "d", struct.pack("<d", 2e-6)),
        part("si_unit_xy", "o", whole("GwySIUnit", part("unitstr", "s", b"m\0"))),
        part("si_unit_z", "o", whole("GwySIUnit", part("unitstr", "s", b"deg\0"))),
        part("data", "D", struct.pack("<I6d", count, *range(6))),
    )
    return b"GWYP" + whole("GwyContainer", part("/0/data", "o", field), part("/0/data/title", "s", b"Phase\0"))


def pxp(order: str = "<", length: int | None = None) -> bytes:
    """An experiment with a folder of one wave; ``length`` is what the wave's record announces."""
    wave = igor_wave(np.arange(3.0), name="loop", axes=((0.0, 0.5, "s"),), modified=datetime(2026, 1, 2))
    records = [(9, b"folder\0".ljust(32, b"\0")), (3, wave), (10, b"x\0"), (6, b"note")]
    sizes = [len(content) for _, content in records]
    sizes[1] = sizes[1] if length is None else length
    return b"".join(
        struct.pack(f"{order}HhI", kind, 0, size) + content
        for (kind, content), size in zip(records, sizes, strict=True)
    )


def asylum() -> bytes:
    """An Asylum image of 5 × 4 pixels, as the simulator writes it; a label has the tail of a longer one."""
    values = np.arange(5 * 4 * 2, dtype=np.float32).reshape(5, 4, 2)
    return igor_wave(
        values,
        name="image",
        axes=((1e-6, 1e-9, "m"), (0.0, 2e-9, "m")),
        data_unit="m",
        labels=["HeightRetrace", "PhaseRetracerace"],
        note=asylum_note({"ScanSize": 4e-9, "MicroscopeModel": "Cypher"}, datetime(2024, 11, 5, 10, 12)),
        modified=datetime(2024, 11, 5, 10, 12),
    )


NANOSCOPE = {"height_retrace": (1e-9 * np.array([[20, 40, 60], [-20, -40, -60]]), "m")}

SAMPLES = {
    "nanoscope": Sample(
        nanoscope(),
        "image",
        NANOSCOPE | {"x": ([0, 1e-6, 2e-6], "m"), "y": ([0, 1e-6], "m")},
        ("y", "x"),
        "2014-10-17T10:27:26",
        {},
        "D3100",
    ),
    "nanoscope force": Sample(nanoscope(force=True), "force", NANOSCOPE, ("sweep", "sample"), "2014-10-17T10:27:26"),
    "gwyddion_gwy": Sample(
        gwy(),
        "Phase",
        {"value": ([[0, 1, 2], [3, 4, 5]], "degree"), "x": ([0.5e-6, 1.5e-6, 2.5e-6], "m"), "y": ([5e-7, 1.5e-6], "m")},
        ("y", "x"),
        "",
        {"title": "Phase", "number": 0},
    ),
    "igor_pxp": Sample(
        pxp(), "folder_loop", {"value": ([0, 1, 2], "1"), "time": ([0, 0.5, 1], "s")}, ("time",), "", {"name": "loop"}
    ),
    "igor_ibw": Sample(
        asylum(),
        "image",
        {
            "height_retrace": (np.arange(0, 40, 2).reshape(5, 4).T, "m"),
            "phase_retrace": (np.arange(1, 40, 2).reshape(5, 4).T, "degree"),
            "x": (1e-6 + 1e-9 * np.arange(5), "m"),
            "y": (2e-9 * np.arange(4), "m"),
        },
        ("y", "x"),
        "2024-11-05T10:12:00",
        {"scan_size": 4e-9, "scan_size_units": "m"},
        "Cypher",
    ),
}
