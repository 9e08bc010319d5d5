"""Images, spectra and maps of electron microscopes."""

import io
import struct
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import compress

import h5py
import numpy as np
import tifffile
from relaxor.simulation.writers.emsa import write as write_emsa
from relaxor.simulation.writers.velox_emd import Recording, write_velox_emd

from tests.readers.samples.sample import COUNTS, Sample


def ser(valid: int = 2, columns: int = 3, dimensions: int = 1) -> bytes:
    """A TIA series that announces 2 images of 3 × 2 pixels of 5 nm, ``valid`` of them written."""
    header, dimension = 62 if dimensions else 30, struct.pack("<IddIII", 2, 0.0, 1.0, 0, 0, 0)
    images = [
        struct.pack("<ddIddIHII", 0.0, 5e-9, 0, 0.0, 5e-9, 0, 2, columns, 2)
        + struct.pack("<6H", *range(10 * number, 10 * number + 6))
        + struct.pack("<HHI", 0x4152, 0, 1643391325)
        for number in range(2)
    ]
    starts = (header, header + len(images[0]))
    head = struct.pack(
        "<2sHHIIIIII", b"II", 0x197, 0x210, 0x4122, 0x4152, 2, valid, sum(map(len, images)) + header, dimensions
    )
    return head + dimension * dimensions + b"".join(images) + struct.pack("<4I", *starts, *starts)


def tif(shape: tuple[int, ...] = (2, 3), **options: object) -> bytes:
    """A picture of 0, 1, 2, … with pixels of a size that is not given."""
    out = io.BytesIO()
    tifffile.imwrite(out, np.arange(np.prod(shape), dtype="u2").reshape(shape), metadata=None, **options)
    return out.getvalue()


def velox() -> bytes:
    """An image of 3 × 3 pixels as the simulator writes it."""
    recording = Recording(1e-11, "HAADF", 2e5, 1e-6, 1643391325, "Talos", "")
    return write_velox_emd(np.arange(9, dtype="u2").reshape(3, 3), recording)


def berkeley() -> bytes:
    """An image of 2 × 3 pixels of 2 nm in HDF5."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image.emd"
        with h5py.File(path, "w") as file:
            file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
            group = file.create_group("data/image")
            group.attrs["emd_group_type"] = 1
            group["data"] = np.arange(6, dtype="u2").reshape(2, 3)
            for number, (name, size) in enumerate((("y", 2), ("x", 3)), start=1):
                group[f"dim{number}"] = 2.0 * np.arange(size)
                group[f"dim{number}"].attrs["name"] = name
                group[f"dim{number}"].attrs["units"] = "[n_m]"
            file.create_group("microscope").attrs["name"] = "TEAM"
        return path.read_bytes()


# --- DigitalMicrograph -----------------------------------------------------------------------------------------------
def dm(version: int = 3, date: str = "11/5/2024", time: str = "10:12:00 AM", unit: str = "e-") -> bytes:
    """An image of 2 × 3 pixels of 5 nm: a tree of tags, whose numbers of items have 8 bytes in version 4."""
    wide = "i" if version == 3 else "q"

    def data(kind: tuple[int, ...], content: bytes) -> bytes:
        return b"%%%%" + struct.pack(f">{wide}{len(kind)}{wide}", len(kind), *kind) + content

    def value(item: object) -> bytes:
        if isinstance(item, int):
            return data((3,), struct.pack("<i", item))
        if isinstance(item, float):
            return data((7,), struct.pack("<d", item))
        kind, codes = (4, item.encode("utf-16-le")) if isinstance(item, str) else (4, item.astype("<u2").tobytes())
        return data((20, kind, len(codes) // 2), codes)

    def tag(name: str, item: object) -> bytes:
        inner = isinstance(item, dict | list)
        content = group(item) if inner else value(item)
        size = b"" if version == 3 else struct.pack(">q", len(content))
        return struct.pack(">bh", 20 if inner else 21, len(name)) + name.encode() + size + content

    def group(items: object) -> bytes:
        pairs = list(items.items()) if isinstance(items, dict) else [("", item) for item in items]
        return struct.pack(f">bb{wide}", 1, 0, len(pairs)) + b"".join(tag(*pair) for pair in pairs)

    axis = {"Origin": 0.0, "Scale": 5.0, "Units": "nm"}
    image = {
        "ImageData": {
            "Calibrations": {"Brightness": {"Origin": 1.0, "Scale": 2.0, "Units": unit}, "Dimension": [axis, axis]},
            "Data": np.arange(6),
            "DataType": 10,
            "Dimensions": [3, 2],
            "PixelDepth": 2,
        },
        "ImageTags": {
            "DataBar": {"Acquisition Date": date, "Acquisition Time": time},
            "Microscope Info": {"Voltage": 2e5, "Name": "Titan"},
        },
        "Name": "lattice",
    }
    head = struct.pack(">iii" if version == 3 else ">iqi", version, 1000, 1)
    return head + group({"ImageList": [image]}) + bytes(8)


# --- X-ray spectra ---------------------------------------------------------------------------------------------------
def bruker_spectrum(channels: str = "9,16,25,36,49") -> str:
    """A spectrum of Bruker as XML, as ``.spx`` files and the headers of maps have it."""
    block = compress(b"<DetLayers><Layer0 Atom='14'/></DetLayers>")
    layers = b64encode(block).decode()
    return (
        '<ClassInstance Type="TRTSpectrum" Name="film"><TRTHeaderedClass>'
        '<ClassInstance Type="TRTSpectrumHardwareHeader"><RealTime>2000</RealTime><LifeTime>1500</LifeTime>'
        "<Amplification>20000</Amplification></ClassInstance>"
        f'<ClassInstance Type="TRTDetectorHeader"><Type>XFlash</Type><DetLayers>{layers}</DetLayers></ClassInstance>'
        '<ClassInstance Type="TRTESMAHeader"><PrimaryEnergy>20</PrimaryEnergy><ElevationAngle>35</ElevationAngle>'
        "</ClassInstance></TRTHeaderedClass>"
        '<ClassInstance Type="TRTSpectrumHeader"><Date>05.11.2024</Date><Time>10:12:00</Time>'
        "<CalibAbs>-0.5</CalibAbs><CalibLin>0.01</CalibLin></ClassInstance>"
        f"<Channels>{channels}</Channels></ClassInstance>"
    )


def spx() -> bytes:
    """A Bruker spectrum of five channels."""
    return f'<?xml version="1.0"?><TRTSpectrum>{bruker_spectrum()}</TRTSpectrum>'.encode()


def edax(channels: int = 5) -> bytes:
    """An EDAX spectrum of five channels that announces ``channels``."""
    data = bytearray(20_740)
    struct.pack_into("<f", data, 0, 0.7)
    struct.pack_into("<iH", data, 28, 3840, channels)
    struct.pack_into("<i", data, 384, 10)
    struct.pack_into("<4f", data, 448, 0.0, 0.05, 30.0, 5.0)
    struct.pack_into("<f", data, 472, 125.0)
    struct.pack_into("<2f", data, 508, 10.0, 35.0)
    struct.pack_into("<f", data, 532, 20.0)
    struct.pack_into("<5I", data, 3840, *COUNTS)
    return bytes(data)


def jeol(channels: int = 5) -> bytes:
    """A JEOL spectrum of five channels that announces ``channels``."""
    day = 45601.425  # since 30 December 1899
    head = struct.pack("<I6bd80s32s", 2, 2, 0, 0, 0, 0, 0, day, b"film", b"nobody")
    head += struct.pack("<i10di6d", 1, *[0.0] * 10, 7, *[0.0] * 5, 30.0)
    head += struct.pack("<3di4di4d2d", 35.0, 14.0, 100.0, 1, *[0.0] * 4, 1, *[0.0] * 4, 0.01, -0.5)
    head += struct.pack("<32sid32si", b"Live Time", 0, 0.0, b"T4", channels)
    foot = struct.pack("<5i", 0, 0, 0, 0, 5)
    foot += struct.pack("<16s16s16s2d38s6did5H5d", b"SDD", b"JEM", b"", 200.0, 1.0, b"", 130.0, *[0.0] * 5, 0, 1.0,
                        *[0] * 5, 0.0, 45.0, 0.0, 25.0, 30.0)  # fmt: skip
    foot += struct.pack("<4sHd16s6H7d4sH3d", b"Be", 4, 8.0, b"", *[0] * 6, *[0.0] * 7, b"Au", 79, *[0.0] * 3)
    return head + struct.pack("<5i", *COUNTS) + foot


def jeol_map(of_counts: bool = True, width: int = 3, mag: float = 1000.0) -> bytes:
    """A JEOL map of two lines of three pixels, or an image; 120 mm at magnification 1."""

    def node(name: str, kind: int = 0, value: bytes = b"", inside: bytes = b"") -> bytes:
        word = name.encode() + b"\0"
        return (
            b"\x01"
            + struct.pack("<i", len(word))
            + word
            + struct.pack("<2i", kind, len(value))
            + value
            + inside
            + b"\xff"
        )

    instrument = [node("Name", 12, b"JEM\0"), node("AccV", 4, struct.pack("<f", 200.0)),
                  node("ScanSize", 4, struct.pack("<f", 120.0)), node("Mag", 4, struct.pack("<f", mag))]  # fmt: skip
    image = [node("Title", 12, b"O K\0"), node("Size", 3, struct.pack("<2i", width, 2)),
             node("Created", 5, struct.pack("<d", 45601.425)), node("Bits", 1, bytes(range(6)))]  # fmt: skip
    tree = node("Instrument", inside=b"".join(instrument)) + node("Image", inside=b"".join(image))
    tree += node("Map", inside=node("Title", 12, b"O K\0")) if of_counts else b""
    head = struct.pack("<I32s3I", 52, b"JED-2200:LibJxImageForm", 64, 0, 64)
    return head.ljust(76, b"\0") + tree + b"\xff"


# --- Bruker maps -----------------------------------------------------------------------------------------------------
def bcf(files: Mapping[str, bytes] | None = None, pointer: int = 0, length: int = 0) -> bytes:
    """A Bruker container of chunks of 2,080 bytes; the first file may announce another chunk, or another length."""
    chunk, usable = 2080, 2048

    def entry(name: str, pointers: int, size: int, parent: int, folder: bool) -> bytes:
        about = (pointers, size, 0, 0, 0, 0, parent, b"", folder, b"", name.encode(), b"")
        return struct.pack("<iQQQQIi176s?3s256s32s", *about)

    chunks, table = [b"", b""], [entry("EDSDatabase", -1, 0, -1, True)]
    for name, content in (files or {"HeaderData": b"<Project/>"}).items():
        pieces = [content[at : at + usable] for at in range(0, len(content), usable)]
        numbers = [pointer or len(chunks) + 1, *range(len(chunks) + 2, len(chunks) + 1 + len(pieces))]
        table.append(entry(name, len(chunks), length or len(content), 0, False))
        chunks += [struct.pack(f"<{len(pieces)}I", *numbers), *pieces]
    chunks[1] = b"".join(table)
    data = bytearray(0x118) + b"".join((bytes(32) + part).ljust(chunk, b"\0") for part in chunks)
    data[:8] = b"AAMVHFSS"
    struct.pack_into("<fI", data, 0x124, 2.6, chunk)
    struct.pack_into("<III", data, 0x140, 1, len(table), len(chunks))
    return bytes(data)


PULSES = (((0, 4, 4), (1, 4)), ((2, 2, 4), (3, 4)))
"""Channels of the X-ray pulses in each of 2 × 2 pixels; each pixel has one in the last channel."""
CUBE = np.array([[np.bincount(pixel, minlength=5) for pixel in line] for line in PULSES])


def bcf_map(channels: str = "1,1,2,1,5") -> bytes:
    """A map of 2 × 2 pixels of 2 µm with an image; ``channels`` is what the header gives as the sum spectrum."""
    image = b64encode(np.array([[1, 2], [3, 4]], "<u2").tobytes()).decode()
    header = (
        '<Root><ClassInstance Type="TRTSpectrumDatabase" Name="map">'
        "<Header><Date>05.11.2024</Date><Time>10:12:00</Time><FileVersion>1</FileVersion></Header>"
        '<ClassInstance Type="TRTSEMData"><HV>20</HV><DX>2</DX><DY>2</DY></ClassInstance>'
        '<ClassInstance Type="TRTSEMStageData"><X>1</X></ClassInstance>'
        '<ClassInstance Type="TRTDSPConfiguration"><PixelTime>1</PixelTime></ClassInstance>'
        '<ClassInstance Type="TRTImageData"><Width>2</Width><Height>2</Height><ItemSize>2</ItemSize>'
        f"<PlaneCount>1</PlaneCount><Plane0><Description>BSE</Description><Data>{image}</Data></Plane0></ClassInstance>"
        "<LineCounter>(1,1)</LineCounter><ChCount>5</ChCount><DetectorCount>1</DetectorCount>"
        f"<SpectrumData0>{bruker_spectrum(channels)}</SpectrumData0></ClassInstance></Root>"
    )
    counts = struct.pack("<ii", 2, 2).ljust(0x1A0, b"\0")
    for line in PULSES:
        counts += struct.pack("<i", len(line))
        for x, pulses in enumerate(line):
            counts += struct.pack("<IHHIHHHI", x, 5, 5, 0, 0, 0, len(pulses), 2 * len(pulses))
            counts += struct.pack(f"<{len(pulses)}H", *pulses)
    return bcf({"HeaderData": header.encode(), "SpectrumData0": counts})


# --- Phenom ----------------------------------------------------------------------------------------------------------
def elid(version: int = 4) -> bytes:
    """An unpacked project of one image of 2 × 3 pixels of 5 nm with one spectrum of five channels."""
    about = (
        '<FeiImage><time>2024-11-05T10:12:00</time><pixelWidth unit="nm">5</pixelWidth>'
        '<pixelHeight unit="nm">5</pixelHeight><acquisition><scan><scanScale>1</scanScale></scan></acquisition>'
        "</FeiImage>"
    )
    out = io.BytesIO()
    picture = np.arange(6, dtype="u2").reshape(2, 3)
    tifffile.imwrite(out, picture, metadata=None, extratags=[(34683, 2, 0, about, True)])
    spectrum = struct.pack("<ddI5B", -20.0, 10.0, 5, *COUNTS)
    detector = struct.pack("<8dI6d2B", 15000.0, 0.6, 0.0, 30.0, 35.0, 0, 0, 130.0, 0, *[0.0] * 6, 1, 1)
    lists = struct.pack("<4I?iIBI", 0, 0, 0, 0, True, 1, 0, 1, 0)
    analysis = struct.pack("<BI", 1, 0) + spectrum + detector + lists
    image = struct.pack("<I", len(out.getvalue())) + out.getvalue() + struct.pack("<I6sI", 6, b"Image1", 1) + analysis
    return struct.pack("<4siI", b"EID2", version, 1) + image + struct.pack("<II", 0, 0)


ROOTS = {"intensity": (COUNTS, "count"), "intensity_uncertainty": ([3, 4, 5, 6, 7], "count")}
ENERGY = ("energy",)
WHEN = "2024-11-05T10:12:00"
IMAGE = [[0, 1, 2], [3, 4, 5]]
OF_5_NM = {"x": ([0, 5e-9, 1e-8], "m"), "y": ([0, 5e-9], "m")}
EMSA = write_emsa(np.array(COUNTS), 5.0, 10.0, {"TITLE": "film", "DATE": "05-NOV-2024", "TIME": "10:12"})
PAIRS = (
    EMSA.decode().partition("#SPECTRUM")[0].replace("#DATATYPE    : Y", "#DATATYPE    : XY")
    + "#SPECTRUM    :\r\n0.5, 1.25\r\n10.5, 2.50\r\n#ENDOFDATA   :\r\n"
).encode()

SAMPLES = {
    "tia": Sample(
        ser(),
        "series",
        {
            # TIA counts lines from below.
            "intensity": ([[[3, 4, 5], [0, 1, 2]], [[13, 14, 15], [10, 11, 12]]], "1"),
            **OF_5_NM,
        },
        ("axis_0", "y", "x"),
        "2022-01-28T17:35:25+00:00",
    ),
    "microscope_tif": Sample(tif(), "image", {"intensity": (IMAGE, "1"), "x": ([0, 1, 2], "1")}, ("y", "x")),
    "velox_emd": Sample(
        velox(),
        "HAADF",
        {"intensity": (np.arange(9).reshape(3, 3), "1"), "x": ([0, 1e-11, 2e-11], "m")},
        ("y", "x"),
        "2022-01-28T17:35:25+00:00",
        {"acceleration_voltage_V": 2e5, "detector": "HAADF", "title": "HAADF"},
        "Talos",
    ),
    "berkeley_emd": Sample(
        berkeley(),
        "image",
        {"intensity": (IMAGE, "1"), "x": ([0, 2e-9, 4e-9], "m"), "y": ([0, 2e-9], "m")},
        ("y", "x"),
        header="TEAM",
    ),
    "gatan_dm": Sample(
        dm(),
        "lattice",
        {"intensity": (IMAGE, "count"), **OF_5_NM},
        ("y", "x"),
        WHEN,
        {"gain": 2.0, "offset": 1.0, "acceleration_voltage_V": 2e5},
        "Titan",
    ),
    "gatan_dm 4": Sample(
        dm(4, "5.11.24", "10:12", ""), "lattice", {"intensity": (IMAGE, "1"), **OF_5_NM}, ("y", "x"), WHEN
    ),
    "xray_spectra Bruker": Sample(
        spx(),
        "EDX",
        ROOTS | {"energy": (-0.5 + 0.01 * np.arange(5), "keV")},
        ENERGY,
        WHEN,
        {"beam_energy_keV": 20.0, "live_time_s": 1.5, "real_time_s": 2.0, "elevation_angle_deg": 35.0},
        "XFlash",
    ),
    "xray_spectra EDAX": Sample(
        edax(),
        "EDS_Spectrum",
        ROOTS | {"energy": (0.01 * np.arange(5), "keV")},
        ENERGY,
        "",
        {"beam_energy_keV": 20.0, "live_time_s": 30.0, "azimuth_angle_deg": 10.0, "energy_resolution_MnKa_eV": 125.0},
        "evPerChan",
    ),
    "xray_spectra JEOL": Sample(
        jeol(),
        "EDX",
        ROOTS | {"energy": (-0.5 + 0.01 * np.arange(5), "keV")},
        ENERGY,
        WHEN,
        {"beam_energy_keV": 200.0, "live_time_s": 30.0, "azimuth_angle_deg": 45.0, "elevation_angle_deg": 25.0},
        "Live Time",
    ),
    "jeol_map": Sample(
        jeol_map(),
        "O_K",
        {"intensity": ([[0, 1, 2], [3, 4, 5]], "count"), "x": ([0, 4e-5, 8e-5], "m"), "y": ([0, 6e-5], "m"),
         "intensity_uncertainty": (np.sqrt([[1, 1, 2], [3, 4, 5]]), "count")},
        ("y", "x"),
        WHEN,
        {"title": "O K", "beam_energy_keV": 200.0},
        "ScanSize",
    ),
    "bruker_bcf": Sample(
        bcf_map(),
        "EDX",
        {"intensity": (CUBE, "count"), "energy": (-0.5 + 0.01 * np.arange(5), "keV"), "x": ([0, 2e-6], "m"),
         "y": ([0, 2e-6], "m")},
        ("y", "x", "energy"),
        WHEN,
        {"beam_energy_keV": 20.0, "live_time_s": 1.5, "real_time_s": 2.0},
        "PixelTime",
    ),
    "bruker_bcf image": Sample(bcf_map(), "BSE", {"intensity": ([[1, 2], [3, 4]], "1")}, ("y", "x"), WHEN),
    "phenom_elid": Sample(
        elid(),
        "Image1_MSA_1",
        ROOTS | {"energy": (-0.02 + 0.01 * np.arange(5), "keV")},
        ENERGY,
        WHEN,
        {"beam_energy_keV": 15.0},
        "live_time",
    ),
    "phenom_elid image": Sample(elid(), "Image1", {"intensity": (IMAGE, "1"), **OF_5_NM}, ("y", "x"), WHEN),
    "emsa": Sample(
        EMSA, "spectrum", ROOTS | {"energy": (5 + 10.0 * np.arange(5), "eV")}, ENERGY, WHEN, {}, "XPERCHAN"
    ),
    "emsa pairs": Sample(
        PAIRS.replace(b"#NPOINTS     : 5", b"#NPOINTS     : 2"),
        "spectrum",
        {"intensity": ([1.25, 2.5], "count"), "energy": ([0.5, 10.5], "eV"),
         "intensity_uncertainty": ([0.01 / 12**0.5] * 2, "count")},
        ENERGY,
        WHEN,
    ),
}  # fmt: skip
