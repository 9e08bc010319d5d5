"""Spectra and maps of Raman microscopes and other spectrometers."""

import io
import struct

import numpy as np
from relaxor.simulation.writers.witec_ascii import write as write_witec
from scipy.io import savemat

from tests.readers.samples.sample import COUNTS, Sample


def spc(
    flags: int = 0, version: int = 0x4B, exponent: int = -128, subfiles: int = 1, points: int = 5, own: int = 0
) -> bytes:
    """A Galactic file: ``flags`` 0x04 several subfiles, 0x40 with axes of their own, 0x80 a written axis."""
    order = ">" if version == 0x4C else "<"
    header = bytearray(512)
    struct.pack_into(
        f"{order}BBbbI2dI2B", header, 0, flags, version, 0, exponent, points, 100.0, 104.0, subfiles, 13, 4
    )
    struct.pack_into(f"{order}I", header, 32, 2024 << 20 | 11 << 16 | 12 << 11 | 14 << 6 | 3)
    axis = struct.pack(f"{order}5f", *np.arange(100.0, 105.0))
    body = axis if flags & 0x80 and not flags & 0x40 else b""
    for index in range(subfiles):
        body += struct.pack(f"{order}BbHfffIIf4x", 0, own, index, float(index), 0, 0, 5, 1, 0)
        body += axis if flags & 0x40 else b""
        body += struct.pack(f"{order}5{'f' if -128 in (exponent, own) else 'i'}", 9, 16, 25, 36, 49)
    return bytes(header) + body


def old_spc(flags: int = 0, exponent: int = 17, subfiles: int = 1, own: int = 0) -> bytes:
    """A Galactic file from before 1996: integers in two halves, the upper one first; 128 as exponent means floats."""
    content = struct.pack("<BBh3f2BH4B", flags, 0x4D, exponent, 5, 100.0, 104.0, 13, 4, 1 << 12 | 1994, 11, 12, 14, 3)
    content = content.ljust(64, b"\0") + b"film".ljust(130, b"\0")
    content = content + b"shift\0counts\0".ljust(30, b"\0")
    for index in range(subfiles):
        content += struct.pack("<BbHf24x", 0, own, index, 0.5 * index)
        # 3 · 2¹⁶ + 2¹⁵ is the largest here: both halves are told apart, and the lower one is no signed number.
        halves = [half for value in COUNTS for half in divmod(value << 15, 1 << 16)]
        content += struct.pack("<5f", *COUNTS) if exponent == 128 else struct.pack("<10H", *halves)
    return content


def wdf(length: int = 0) -> bytes:
    """A Renishaw spectrum whose data block has, or says to have, another length."""

    def block(name: bytes, content: bytes, announced: int = 0) -> bytes:
        return struct.pack("<4sIQ", name, name == b"WDF1", announced or 16 + len(content)) + content

    header = bytearray(496)
    struct.pack_into("<IQQIIII", header, 60 - 16, 5, 1, 1, 1, 1, 5, 0)
    struct.pack_into("<24s4HII", header, 96 - 16, b"WiRE", 4, 0, 0, 0, 1, 1)
    struct.pack_into("<QQIf", header, 136 - 16, 0, 0, 18, 1e7 / 532)
    axes = struct.pack("<II5f", 1, 1, 104, 103, 102, 101, 100)
    numbers = block(b"DATA", struct.pack("<5f", 9, 16, 25, 36, 49), length)
    return block(b"WDF1", bytes(header)) + numbers + block(b"XLST", axes) + block(b"YLST", struct.pack("<IIf", 0, 0, 0))


def wip(begin: int | None = None) -> bytes:
    """A WITec project with one graph on the axis 0, 1, 2, …; ``begin`` moves the content of one tag elsewhere."""

    def tag(name: str, kind: int, content: bytes | list[bytes], offset: int) -> bytes:
        head = 24 + len(name)
        at = offset + head
        if isinstance(content, list):
            content, parts = b"", content
            for part in parts:
                content += part(at + len(content))
        start = at if begin is None or name != "SizeX" else begin
        return (
            struct.pack("<I", len(name)) + name.encode() + struct.pack("<IQQ", kind, start, at + len(content)) + content
        )

    def leaf(name: str, kind: int, content: bytes):
        return lambda offset: tag(name, kind, content, offset)

    def branch(name: str, *parts):
        return lambda offset: tag(name, 0, list(parts), offset)

    def integer(name: str, value: int):
        return leaf(name, 5, struct.pack("<i", value))

    def text(name: str, value: str):
        return leaf(name, 9, struct.pack("<I", len(value)) + value.encode())

    values = np.array([9, 16, 25, 36, 49], "<f4").tobytes()
    graph = branch(
        "TDGraph", integer("SizeX", 1), integer("SizeY", 1), integer("SizeGraph", 5),
        branch("GraphData", integer("DataType", 9), leaf("Data", 7, values)),
    )  # fmt: skip
    about = branch("TData", integer("ID", 1), text("Caption", "spectrum"))
    data = branch(
        "Data", text("DataClassName 0", "TDGraph"), branch("Data 0", about, graph), integer("NumberOfData", 1)
    )
    return b"WIT_PRCT" + branch("WITec Project", integer("Version", 5), data)(8)


def mat(shape: tuple[int, int] = (2, 3)) -> bytes:
    """A map of ``shape`` pixels with two channels, as WITec Project exports it."""
    pixels = shape[0] * shape[1]
    scale = np.empty((2, 2), object)
    scale[:] = [[np.empty((0, 0)), ""], [np.array([[100.0, 101.0]]), "rel. 1/cm"]]
    out = io.BytesIO()
    record = {"imagesize": np.array([shape]), "data": np.arange(2.0 * pixels).reshape(pixels, 2), "axisscale": scale}
    savemat(out, {"map": record})
    return b"MATLAB 5.0 MAT-file, made by hand".ljust(116) + out.getvalue()[116:]  # SciPy writes the time there


# --- Horiba ----------------------------------------------------------------------------------------------------------
def horiba(image: bool = False, axis: tuple[float, ...] = (100.0, 101.0, 102.0), unit: str = "1/cm") -> str:
    """A LabSpec spectrum, or a map of 2 × 2 pixels; its elements have numbers instead of names."""

    def entry(name: str, value: str) -> str:
        return f'<LSX ID="0x0"><LSX ID="0x6D6D616E">{name}</LSX><LSX ID="0x7D6C61DB">{value}</LSX></LSX>'

    def array(number: int, name: str, units: str, values: tuple[float, ...]) -> str:
        words = " ".join(map(str, values))
        return (f'<LSX ID="0x{number}"><LSX ID="0x6D707974">{name}</LSX><LSX ID="0x7C696E75">{units}</LSX>'
                f'<LSX ID="0x7D6CD4DB">{words}</LSX></LSX>')  # fmt: skip

    setup = {
        "Acq. time (s)": "1.5", "Accumulations": "2", "ND Filter": "100", "Hole": "200", "Instrument": "LabRAM",
    }  # fmt: skip
    places = array(2, "X", "µm", (0.0, 2.0)) + array(3, "Y", "µm", (0.0, 3.0)) if image else ""
    spectra = range(4 if image else 1)
    rows = "".join(f'<LSX_Row Size="3">{9 + s} {16 + s} {25 + s}</LSX_Row>' for s in spectra)
    return (
        '<?xml version="1.0" encoding="utf-8"?><LSX_Data><LSX_Tree>'
        f'<LSX ID="0x6C62D4D9"><LSX ID="0x7CECDBD7">{entry("Acquired", "27.06.2022 16:26:24")}</LSX>'
        f'<LSX ID="0x8716361">{"".join(entry(*pair) for pair in setup.items())}</LSX>'
        f'<LSX ID="0x7C73E2D2">{entry("Sample", "silicon")}</LSX></LSX>'
        '<LSX ID="0x6C7469D9">film</LSX><LSX ID="0x6D707974">Spectrum</LSX>'
        '<LSX ID="0x7A74D9D6"><LSX ID="0x7B697861">'
        '<LSX ID="0x0"><LSX ID="0x6D707974">Intens</LSX><LSX ID="0x7C696E75">Cnt</LSX></LSX>'
        f"{array(1, 'Spectr', unit, axis)}{places}</LSX></LSX></LSX_Tree><LSX_Matrix>{rows}</LSX_Matrix></LSX_Data>"
    )


# --- WITec text ------------------------------------------------------------------------------------------------------
def witec_table(labels: bool, units: bool) -> str:
    """A map of 2 × 1 pixels as a table, with two, one or no lines of header."""
    rows = ((100.0, 9, 10), (101.0, 16, 17), (102.0, 25, 26))
    head = "X-Axis\tmap (0/0)\tmap (1/0)\r\n" if labels else ""
    head += "rel. 1/cm\tCCD cts\tCCD cts\r\n" if units else ""
    return head + "".join("\t".join(f"{number:.9E}" for number in row) + "\r\n" for row in rows)


RAMAN = {"intensity": ([COUNTS], "count"), "raman_shift": ([100, 101, 102, 103, 104], "1/cm")}
TABLE = {"intensity": ([[9, 16, 25], [10, 17, 26]], "count"), "raman_shift": ([100, 101, 102], "1/cm")}
PIXELS = {"x_index": ([0, 1], "1"), "y_index": ([0, 0], "1")}
WHEN = "2024-11-12T14:03:00"
EXPORT = write_witec(np.arange(4.0) + 500, np.full(4, 5.0), axis_unit="nm", title="SIMULATED")

SAMPLES = {
    "galactic_spc": Sample(spc(), "spectra", RAMAN | {"z": ([0], "1")}, ("spectrum", "raman_shift"), WHEN),
    "galactic_spc of 1994": Sample(
        old_spc(0x24, 3, own=17), "spectra", RAMAN | {"z": ([0], "1")}, ("spectrum", "raman_shift"),
        "1994-11-12T14:03:00", {"labels": "shift, counts"},
    ),
    "galactic_spc big-endian": Sample(spc(0x80, 0x4C), "spectra", RAMAN, ("spectrum", "raman_shift"), WHEN),
    "renishaw_wdf": Sample(
        wdf(),
        "signal",
        {"intensity": (COUNTS[::-1], "1"), "raman_shift": ([100, 101, 102, 103, 104], "1/cm")},
        ("raman_shift",),
    ),
    "witec_wip": Sample(
        wip(), "spectrum", {"intensity": (COUNTS, "count"), "channel": ([0, 1, 2, 3, 4], "1")}, ("channel",)
    ),
    "witec_mat": Sample(
        mat(),
        "map",
        {"intensity": ([[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]], "count"),
         "raman_shift": ([100, 101], "1/cm")},
        ("y", "x", "raman_shift"),
        header="made by hand",
    ),
    "horiba_xml": Sample(
        horiba().encode(),
        "film",
        {"intensity": ([9, 16, 25], "count"), "raman_shift": ([100, 101, 102], "1/cm")},
        ("raman_shift",),
        "2022-06-27T16:26:24",
        {"integration_time": 3.0},
        "silicon",
    ),
    "horiba_xml map": Sample(
        horiba(image=True, unit="nm").encode(),
        "film",
        {"intensity": ([[[9, 16, 25], [10, 17, 26]], [[11, 18, 27], [12, 19, 28]]], "count"),
         "wavelength": ([100, 101, 102], "nm"), "x": ([0, 2e-6], "m"), "y": ([0, 3e-6], "m")},
        ("y", "x", "wavelength"),
        "2022-06-27T16:26:24",
        {"integration_time": 3.0},
    ),
    "witec_ascii": Sample(
        EXPORT, "spectra", {"intensity": ([[5, 5, 5, 5]], "count"), "wavelength": ([500, 501, 502, 503], "nm")},
        ("spectrum", "wavelength"), header="SIMULATED",
    ),
    "witec_ascii labels": Sample(
        witec_table(True, False).encode(), "spectra", TABLE | PIXELS, ("spectrum", "raman_shift"), header="map (1/0)"
    ),
    "witec_ascii units": Sample(
        witec_table(False, True).encode(), "spectra", TABLE, ("spectrum", "raman_shift"), header="CCD cts"
    ),
    "witec_ascii both": Sample(
        witec_table(True, True).encode(), "spectra", TABLE | PIXELS, ("spectrum", "raman_shift"), header="CCD cts"
    ),
    "witec_ascii bare": Sample(witec_table(False, False).encode(), "spectra", TABLE, ("spectrum", "raman_shift")),
}  # fmt: skip
