"""Images and curves of scanning probe microscopes."""

import io
import struct
from datetime import datetime

import numpy as np
import tifffile
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


def sxm(direction: str = "up", cut: int = 0) -> bytes:
    """A Nanonis image of 2 × 3 pixels: Z in both directions, the current forward only."""
    head = (
        ":NANONIS_VERSION:\n2\n:SCANIT_TYPE:\n              FLOAT            MSBFIRST\n:REC_DATE:\n 29.04.2023\n"
        ":REC_TIME:\n01:22:24\n:ACQ_TIME:\n        92.0\n:SCAN_PIXELS:\n       3       2\n"
        ":SCAN_TIME:\n             1.792E-1             1.792E-1\n:SCAN_RANGE:\n           3.0E-9           4.0E-9\n"
        ":SCAN_OFFSET:\n             1.5E-7         -1.6E-7\n:SCAN_ANGLE:\n            1.351E+2\n"
        f":SCAN_DIR:\n{direction}\n:BIAS:\n            -5.0E-2\n:DATA_INFO:\n"
        "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n\t14\tZ\tm\tboth\t9.0E-9\t0.0E+0\n"
        "\t0\tCurrent\tA\tforward\t1.0E-9\t-1.1E-13\n\n:SCANIT_END:\n\n\n"
    )
    forward, backward, current = ([1, 2, 3, 4, 5, 6], [3, 2, 1, 6, 5, 4], [1, 1, 1, 2, 2, 2])
    values = struct.pack(">18f", *(1e-9 * np.array([*forward, *backward, *current])))
    return head.encode() + b"\x1a\x04" + values[: len(values) - cut]


NANONIS_DAT = (
    "Experiment\tbias spectroscopy\t\nSaved Date\t20.04.2023 14:55:09\t\nX (m)\t153.5E-9\t\nFinal Z (m)\tN/A\t\n\n"
    "[DATA]\nBias calc (V)\tCurrent (A)\tCurrent (A) [bwd]\tCurrent (A) [filt]\n"
    "-5.0E-2\t-1.4E-10\t-1.3E-10\t-1.2E-10\n0.0E+0\t1.0E-12\t2.0E-12\t3.0E-12\n5.0E-2\t1.4E-10\t1.3E-10\tNaN\n"
)
WSXM = (
    "WSxM file copyright UAM\r\nSxM Image file\r\nImage header size: {size}\r\n\r\n[Control]\r\n\r\n"
    "    X Amplitude: 3 \xb5m\r\n    Y Amplitude: 2 \xb5m\r\n\r\n[General Info]\r\n\r\n"
    "    Acquisition channel: Topography\r\n    Image Data Type: {kind}\r\n    Number of columns: 3\r\n"
    "    Number of rows: 2\r\n    Z Amplitude: 10 nm\r\n\r\n[Header end]\r\n"
)


def wsxm(kind: str = "double") -> bytes:
    """A WSxM image of 2 × 3 pixels, 0 to 10 nm, the last pixel first."""
    size = len(WSXM.format(size=100, kind=kind))
    values = struct.pack({"double": "<6d", "short": "<6h"}[kind], *(10, 8, 6, 4, 2, 0))
    return WSXM.format(size=size, kind=kind).encode("cp1252") + values


GWYDDION_TEXT = (
    "# Channel: Topography\n# Width: 3.000 µm\n# Height: 1.500 µm\n# Value units: m\n"
    "0\t1e-9\t2e-9\n3e-9\t4e-9\t5e-9\n6e-9\t7e-9\t8e-9\n"
)


PYSSPFM = (
    "# Date of analysis: 2024-03-08 10;58\n# \n"
    "# Loop index\tRead Volt (V)\tWrite Volt (V)\tAmplitude (a.u)\tPhase (deg)\tSigma Amp (a.u)\tSigma Pha (deg)\t\n"
    "1\t\t0.00\t\t0.40\t\t7.0e-03\t\t-51.072\t\t3.1e-03\t\t32.3\n"
    "1\t\t0.00\t\t-0.40\t\t8.0e-03\t\t120.5\t\t3.2e-03\t\t30.1\n"
)


def gsf() -> bytes:
    """A simple field of Gwyddion of 2 × 3 pixels."""
    head = b"Gwyddion Simple Field 1.0\nXRes = 3\nYRes = 2\nXReal = 3e-06\nYReal = 2e-06\nXYUnits = m\nZUnits = m\n"
    return head + bytes(4 - len(head) % 4) + struct.pack("<6f", *(1e-9 * np.arange(6)))


def jpk(scaling: str = "LinearScaling", preferred: str = "calibrated") -> bytes:
    """A JPK file: a preview, a height of 2 × 3 pixels in two calibrations, and a deflection of 1 × 2 pixels."""
    grid = zip(range(0x8040, 0x8045), (1e-5, -4e-7, 3e-6, 2e-6, np.pi / 2), strict=True)
    general = [(code, "d", 1, value, True) for code, value in grid]
    general += [(0x8000, "s", 0, "8.0.194", True), (0x8003, "s", 0, "2025-05-20 17:48:42.479 CEST", True)]
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as file:
        file.write(np.zeros((2, 2), "u1"), photometric="minisblack", extratags=general)
        for name, values, unit in (("Height", [[1, 2, 3], [4, 5, 6]], "m"), ("Deflection", [[7, 8]], "V")):
            tags = [(0x8052, "s", 0, name, True), (0x8050, "s", 0, name.lower(), True), (0x8051, "H", 1, 0, True)]
            tags += [(0x8080, "i", 1, 2, True), (0x8081, "s", 0, preferred, True), (0x8090, "s", 0, "raw", True)]
            tags += [(0x80A3, "s", 0, "NullScaling", True), (0x80C0, "s", 0, "calibrated", True)]
            tags += [(0x80D2, "s", 0, unit, True), (0x80D3, "s", 0, scaling, True)]
            tags += [(0x80D4, "d", 1, -1e-9, True), (0x80D5, "d", 1, 2e-6, True)]
            file.write(np.array(values, "i4"), photometric="minisblack", extratags=tags)
    return out.getvalue()


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
    "nanonis_sxm": Sample(
        sxm(),
        "image",
        {"height_forward": (1e-9 * np.array([[1, 2, 3], [4, 5, 6]]), "m"),
         "height_backward": (1e-9 * np.array([[1, 2, 3], [4, 5, 6]]), "m"),
         "current_forward": (1e-9 * np.array([[1, 1, 1], [2, 2, 2]]), "A"),
         "x": ([0, 1e-9, 2e-9], "m"), "y": ([0, 2e-9], "m")},
        ("y", "x"),
        "2023-04-29T01:22:24",
        {"scan_direction": "up", "scan_angle": 135.1, "bias": -0.05, "x_center": 1.5e-7, "line_time": 0.1792},
        "SCAN_RANGE",
    ),
    "nanonis_dat": Sample(
        NANONIS_DAT.encode(),
        "spectroscopy",
        {"bias_calc": ([-0.05, 0, 0.05], "V"), "current": ([-1.4e-10, 1e-12, 1.4e-10], "A"),
         "current_bwd": ([-1.3e-10, 2e-12, 1.3e-10], "A"), "current_filt": ([-1.2e-10, 3e-12, np.nan], "A")},
        ("point",),
        "2023-04-20T14:55:09",
        {"experiment": "bias spectroscopy", "x": 1.535e-7},
        "Saved Date",
    ),
    "pysspfm": Sample(
        PYSSPFM.encode(),
        "loop",
        {"bias": ([0.4, -0.4], "V"), "read_bias": ([0, 0], "V"), "amplitude": ([7e-3, 8e-3], "1"),
         "phase": ([-51.072, 120.5], "degree"), "cycle": ([1, 1], "1"),
         "amplitude_uncertainty": ([3.1e-3, 3.2e-3], "1"), "phase_uncertainty": ([32.3, 30.1], "degree")},
        ("step",),
        header="comments",
    ),
    "gwyddion_text": Sample(
        GWYDDION_TEXT.encode(),
        "image",
        {"height": ([[0, 1e-9, 2e-9], [3e-9, 4e-9, 5e-9], [6e-9, 7e-9, 8e-9]], "m"),
         "x": ([0, 1e-6, 2e-6], "m"), "y": ([0, 5e-7, 1e-6], "m")},
        ("y", "x"),
        attrs={"title": "Topography"},
        header="Value units",
    ),
    "gwyddion_gsf": Sample(
        gsf(),
        "image",
        {"height": (1e-9 * np.arange(6).reshape(2, 3), "m"), "x": ([0.5e-6, 1.5e-6, 2.5e-6], "m"),
         "y": ([5e-7, 1.5e-6], "m")},
        ("y", "x"),
        header="XYUnits",
    ),
    "wsxm": Sample(
        wsxm(),
        "image",
        {"height": (1e-9 * np.array([[0, 2, 4], [6, 8, 10]]), "m"), "x": ([0, 1e-6, 2e-6], "m"),
         "y": ([0, 1e-6], "m")},
        ("y", "x"),
        header="Z Amplitude",
    ),
    "jpk_tif": Sample(
        jpk(),
        "image",
        {"height_trace": (2e-6 - 1e-9 * np.array([[1, 2, 3], [4, 5, 6]]), "m"), "x": ([0, 1e-6, 2e-6], "m"),
         "y": ([0, 1e-6], "m")},
        ("y", "x"),
        "2025-05-20T17:48:42.479000",
        {"x_center": 1e-5, "scan_angle": 90.0},
        "CEST",
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
}  # fmt: skip
