"""Files of cameras, spectrographs, profilometers and sample holders that rosettasciio knows."""

import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import quoteattr

import h5py
import numpy as np

from tests.readers.samples.sample import COUNTS, Sample

NANOMETRES = [500.0, 500.5, 501.0, 501.5, 502.0]
PLUS_ONE = [count + 1 for count in COUNTS]


# --- TriVista --------------------------------------------------------------------------------------------------------
def trivista(entity: str = "") -> str:
    """A line of two spectra; ``entity`` stands before the settings that lie in an attribute."""

    def group(name: str, inner: str = "", **items: object) -> str:
        entries = "".join(f"<Item><Name>{key}</Name><Value>{value}</Value></Item>" for key, value in items.items())
        return f"<Group><Name>{name}</Name><Items>{entries}</Items><Groups>{inner}</Groups></Group>"

    spectrometer = {"Serialnumber": 1, "Model": "SP-2", "Groove_Density": "750 g/mm"}
    detector = {"Name": "Camera1", "Exposure_Time_(ms)": 1500, "No_of_Accumulations": 2, "No_of_Frames": 2}
    groups = [
        group("X-Axis", From="1.0", Step="2.0", Points=2),
        group("Spectrometers", group("Spectrometer", **spectrometer)),
        group("Detector", **detector),
    ]
    info = f"{entity}<Info><Groups>{''.join(groups)}</Groups></Info>"
    camera = '<Detector Name="Camera1"/><Detector Name="Camera2"/>'
    objectives = '<Objective IsEnabled="True" Magnification="100"/><Objective IsEnabled="False"/>'
    grating = '<Grating GrooveDensity="750 g/mm" Blaze="H-NIR"/>'
    part = f'<Spectrometer Serialnumber="1"><Gratings>{2 * grating}</Gratings></Spectrometer>'
    microscope = f"<Microscope><Objectives>{objectives}</Objectives></Microscope>"
    hardware = (
        f"<Hardware><Spectrometers>{2 * part}</Spectrometers><Detectors>{camera}</Detectors>"
        f"<Microscopes>{2 * microscope}</Microscopes></Hardware>"
    )
    places = "|".join(map(str, [len(NANOMETRES), *NANOMETRES]))
    frames = "".join(
        f'<Frame TimeStamp="{10**7 * index}">{";".join(map(str, values))}</Frame>'
        for index, values in enumerate((COUNTS, PLUS_ONE))
    )
    return (
        '\ufeff<!--TriVista-File. (c) S&I GmbH, all rights reserved. -->\r\n<XmlMain Version="1.0.1">'
        f'{hardware}<Documents Count="1"><Document Label="Intensity" DataLabel="Counts" '
        f'RecordTime="11/12/2024 14:03:00.867" InfoSerialized={quoteattr(info)}>'
        f'<xDim Length="5"><Calibration Unit="Nanometer" ValueArray="{places}"/></xDim>'
        f'<Data>{frames}</Data><Childs Count="0"/></Document></Documents></XmlMain>'
    )


# --- Hamamatsu -------------------------------------------------------------------------------------------------------
def hamamatsu(columns: int = 3) -> bytes:
    """A streak image of two lines and three columns; ``columns`` are what the header says."""
    comment = ""
    for _ in range(2):  # the places of the calibrations depend on the length of the comment
        first = 64 + len(comment) + 12
        comment = (
            '[Application],Date="12/11/2024",Time="14:03:00",Software="HPD-TA"\r\n'
            '[Acquisition],NrExposure=2,ExposureTime="1500 ms",ZAxisLabel="Intensity",ZAxisUnit="Count",'
            'AcqMode=2,ShadingCorr=0,BacksubCorr=0\r\n[Spectrograph],Ruling="0",Blaze="0",DeviceName="Acton"\r\n'
            f'[Scaling],ScalingXType=2,ScalingXUnit="nm",ScalingXScalingFile="#{first:06},3",'
            f'ScalingYType=2,ScalingYUnit="ns",ScalingYScalingFile="#{first + 12:06},2"'
        )
    header = bytearray(64)
    struct.pack_into("<2s6hi", header, 0, b"IM", len(comment), columns, 2, 0, 0, 2, 0)
    numbers = struct.pack("<6H3f2f", 9, 16, 25, 10, 17, 26, 500, 501, 502, 0, 4)
    return bytes(header) + comment.encode() + numbers


# --- Digital Surf ----------------------------------------------------------------------------------------------------
def surface(packed: bool = True, raw_size: int = 24) -> bytes:
    """A surface of 2 × 3 points with heights in µm; ``raw_size`` is what the list of packed streams says."""
    header = bytearray(512)
    struct.pack_into("<12shHhh30s", header, 0, b"DSCOMPRESSED" if packed else b"DIGITAL SURF", 0, 1, 1, 2, b"film")
    struct.pack_into("<h", header, 80, 1)
    struct.pack_into("<Ihiiiii3f", header, 94, 0, 32, 0, 5, 3, 2, 6, 2.0, 3.0, 0.5)
    for place, text in ((132, "X"), (148, "Y"), (164, "Height"), *((180 + 16 * n, "µm") for n in range(6))):
        header[place : place + 16] = text.encode("latin-1").ljust(16)
    struct.pack_into("<3f", header, 276, 1.0, 1.0, 1.0)
    struct.pack_into("<6h", header, 306, 0, 3, 14, 12, 11, 2024)
    numbers = struct.pack("<6i", *range(6))
    stream = zlib.compress(numbers)
    return bytes(header) + (struct.pack("<3I", 1, raw_size, len(stream)) + stream if packed else numbers)


# --- MRC -------------------------------------------------------------------------------------------------------------
def mrc(length: float = 60.0) -> bytes:
    """An image of 2 × 3 points; ``length`` is that of the three columns in angstrom."""
    header = bytearray(1024)
    struct.pack_into("<10I6f", header, 0, 3, 2, 1, 6, 0, 0, 0, 3, 2, 1, length, 40.0, 0.0, 90, 90, 90)
    header[208:216] = b"MAP DD\0\0"
    return bytes(header) + struct.pack("<6H", *range(6))


# --- Delmic ----------------------------------------------------------------------------------------------------------
def delmic() -> bytes:
    """A spectrum of five points."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spectrum.h5"
        with h5py.File(path, "w") as file:
            group = file.create_group("Acquisition0")
            image = group.create_dataset("ImageData/Image", data=np.array(COUNTS, "u2").reshape(5, 1, 1, 1, 1))
            group["ImageData/DimensionScaleC"] = 1e-9 * np.array(NANOMETRES)
            group["ImageData/DimensionScaleC"].make_scale("wavelength")
            for index, label in enumerate("CTZYX"):
                image.dims[index].label = label
            image.dims[0].attach_scale(group["ImageData/DimensionScaleC"])
            group["ImageData/TOffset"] = 1731420180.0
            group["PhysicalData/Title"] = np.bytes_("spectrum")
            for name, value in {"ChannelDescription": np.bytes_("spectrum"), "IntegrationTime": 1.5}.items():
                group[f"PhysicalData/{name}"] = value
                group[f"PhysicalData/{name}"].attrs["State"] = [1]
            group["SVIData/Company"] = np.bytes_("Delmic")
        return path.read_bytes()


# --- Protochips ------------------------------------------------------------------------------------------------------
PROTOCHIPS = "\r\n".join(
    ["Time, Notes, Channel A Current, Channel A Voltage", "0, Date (yyyy.mm.dd) = 2024.11.12, 0, 0",
     "0, Time (hh:mm:ss.ms) = 14:03:00.000, 0, 0", "0, Time units = Milliseconds, 0, 0",
     "0, Current units = Amps, 0, 0", "0, Voltage units = Volts, 0, 0", "0, , 1E-3, 0.5", "147, , 2E-3, NaN",
     "196, beam on, 3E-3, 1.5", ""]
)  # fmt: skip


SAMPLES = {
    "protochips_csv": Sample(
        PROTOCHIPS.encode(),
        "log",
        {"channel_a_current": ([1e-3, 2e-3, 3e-3], "A"), "channel_a_voltage": ([0.5, np.nan, 1.5], "V"),
         "time": ([0, 0.147, 0.196], "s")},
        ("time",),
        "2024-11-12T14:03:00",
        header="196: beam on",
    ),
    "trivista_tvf": Sample(
        trivista().encode(),
        "spectra",
        {"intensity": ([COUNTS, PLUS_ONE], "count"), "wavelength": (NANOMETRES, "nm"), "x": ([1e-6, 3e-6], "m")},
        ("x", "wavelength"),
        "2024-11-12T14:03:00",
        {"integration_time": 3.0},
    ),
    "hamamatsu_img": Sample(
        hamamatsu(),
        "streak",
        {"intensity": ([[9, 16, 25], [10, 17, 26]], "count"), "wavelength": ([500, 501, 502], "nm"),
         "time": ([0, 4e-9], "s")},
        ("time", "wavelength"),
        "2024-11-12T14:03:00",
        {"integration_time": 3.0},
        "HPD-TA",
    ),
    "digital_surf": Sample(
        surface(),
        "surface",
        {"height": ([[0, 5e-7, 1e-6], [1.5e-6, 2e-6, 2.5e-6]], "m"), "y": ([0, 3e-6], "m"),
         "x": ([0, 2e-6, 4e-6], "m")},
        ("y", "x"),
        "2024-11-12T14:03:00",
        header="film",
    ),
    "mrc": Sample(
        mrc(),
        "image",
        {"intensity": ([[0, 1, 2], [3, 4, 5]], "1"), "y": ([0, 2e-9], "m"), "x": ([0, 2e-9, 4e-9], "m")},
        ("y", "x"),
    ),
    "delmic_h5": Sample(
        delmic(),
        "spectrum",
        {"intensity": (COUNTS, "count"), "wavelength": (NANOMETRES, "nm")},
        ("wavelength",),
        "2024-11-12T14:03:00",
        {"acquisition": "spectrum", "integration_time": 1.5},
        header="Delmic",
    ),
}  # fmt: skip
