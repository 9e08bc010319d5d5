"""Text and binary files of optical spectrometers and cameras."""

import struct

from tests.readers.samples.sample import COUNTS, Sample

WHEN = "2024-11-12T14:03:00"
SHIFT = [100.0, 101.0, 102.0, 103.0, 104.0]


# --- Horiba text -----------------------------------------------------------------------------------------------------
def labspec(places: tuple[tuple[float, ...], ...] = (), axes: tuple[str, ...] = (), unit: str = "µm") -> bytes:
    """A LabSpec text: one spectrum, or one row for each of the places on further axes, as in ``("Y", "X")``."""
    header = {
        "Acq. time (s)": "1.5", "Accumulations": "2", "Instrument": "LabRAM", "Laser (nm)": "532 ", "DeNoise": "Off",
        "Title": "film", "Acquired": "27.06.2022 16:26:24", "AxisType[0]": "Intens", "AxisUnit[0]": "Cnt",
        "AxisType[1]": "Spectr", "AxisUnit[1]": "1/cm",
    }  # fmt: skip
    for number, name in enumerate(reversed(axes), start=2):
        header |= {f"AxisType[{number}]": name, f"AxisUnit[{number}]": unit}
    lines = [f"#{key}=\t{value}" if "Axis" not in key else f"#{key}={value}" for key, value in header.items()]
    if places:
        lines.append("\t" * len(axes) + "\t".join(map(str, SHIFT)))
        for index, place in enumerate(places):
            lines.append("\t".join(map(str, [*place, *(count + index for count in COUNTS)])))
    else:
        lines += [f"{shift}\t{count}" for shift, count in zip(SHIFT, COUNTS, strict=True)]
    return "\r\n".join([*lines, ""]).encode("cp1252")


# --- JCAMP-DX --------------------------------------------------------------------------------------------------------
def jcamp(data: str, label: str = "XYDATA=(X++(Y..Y))", **records: str) -> str:
    """A block of five points from 100 to 104, in 1/cm of Raman shift unless the records say otherwise."""
    header = {
        "TITLE": "film", "JCAMP-DX": "4.24 $$ made by hand", "DATA TYPE": "RAMAN SPECTRUM", "ORIGIN": "laboratory",
        "LONGDATE": "2024/11/12 14:03:00", "XUNITS": "1/CM", "YUNITS": "COUNTS", "XFACTOR": "1", "YFACTOR": "0.5",
        "FIRSTX": "100", "LASTX": "104", "FIRSTY": "4.5", "NPOINTS": "5",
    }  # fmt: skip
    lines = [f"##{key}= {value}" for key, value in (header | records).items() if value]
    return "\r\n".join([*lines, f"##{label}", data, "##END=", ""])


def jcamp_link(*blocks: str) -> str:
    """A file of several blocks."""
    return f"##TITLE= all\r\n##DATA TYPE= LINK\r\n##BLOCKS= {len(blocks)}\r\n{''.join(blocks)}##END=\r\n"


PAIRS = "100, 9\r\n101, 16; 102, 25\r\n103 36 104 49"
JCAMP = {"intensity": ([4.5, 8.0, 12.5, 18.0, 24.5], "count"), "raman_shift": (SHIFT, "1/cm")}
JCAMP_FORMS = {
    "plain": "100 9 16 25\r\n103 36 49",
    "packed": "100+9+16+25\r\n103+36+49",
    "squeezed": "100IA6B5\r\n103C6D9",
    "differences": "100IPR $$ 9, 16, 25\r\n102B5J1J3\r\n104D9 $$ checkpoint",
}
"""The same five numbers in the forms of the standard."""


# --- Princeton Instruments -------------------------------------------------------------------------------------------
def spe(frames: int = 2, region: tuple[int, int, int] = (1, 5, 1), unit: int = 4, footer: str = "") -> bytes:
    """A file of WinSpec with five columns, or of LightField where there is a footer."""
    header = bytearray(4100)
    struct.pack_into("<f", header, 10, 1.5)
    header[20:29], header[172:178] = b"12Nov2024", b"140300"
    struct.pack_into("<H", header, 42, 5)
    struct.pack_into("<h", header, 108, 3)
    header[200:204] = b"film"
    struct.pack_into("<HxxxxxxxxxxI", header, 656, 1, 2)
    struct.pack_into("<i", header, 1446, frames)
    struct.pack_into("<3H", header, 1512, *region)
    header[2996:3000] = bytes.fromhex("67452301")
    struct.pack_into("<4B", header, 3098, 1, unit, unit, 2)
    struct.pack_into("<3d", header, 3263, 500.0, 2.0, 0.5)
    struct.pack_into("<d", header, 3311, 532.0)
    numbers = b"".join(struct.pack("<5H", *(count + frame for count in COUNTS)) for frame in range(frames))
    if footer:
        struct.pack_into("<f", header, 1992, 3.0)
        struct.pack_into("<Q", header, 678, 4100 + len(numbers))
    return bytes(header) + numbers + footer.encode()


def spe_footer(count: int = 2, wavelengths: str = "500,501,502,503,504", mapping: str = "") -> str:
    """The footer of LightField for frames of five columns in one line."""
    return (
        '<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009"><DataFormat>'
        f'<DataBlock type="Frame" count="{count}" pixelFormat="MonochromeUnsigned16" size="10" stride="10">'
        '<DataBlock type="Region" count="1" width="5" height="1" size="10" stride="10" calibrations="1,2"/></DataBlock>'
        f'</DataFormat><Calibrations><WavelengthMapping id="1"><Wavelength xml:space="preserve">{wavelengths}'
        f"</Wavelength></WavelengthMapping>{mapping}</Calibrations><DataHistories><DataHistory>"
        '<Origin created="2024-11-12T14:03:00.1234567+01:00" software="LightField"><Experiment><Devices><Cameras>'
        '<Camera model="PIXIS"><ShutterTiming><ExposureTime type="Double">1500</ExposureTime></ShutterTiming></Camera>'
        "</Cameras></Devices></Experiment></Origin></DataHistory></DataHistories></SpeFormat>"
    )


TWO_FRAMES = ([COUNTS, [count + 1 for count in COUNTS]], "count")
# --- text exports ----------------------------------------------------------------------------------------------------
NANOMETRES = [500.0, 500.5, 501.0, 501.5, 502.0]
DARK, REFERENCE = [1, 2, 3, 4, 5], [100, 101, 102, 103, 104]


def rows(*columns: list[float], separator: str = "\t", decimal: str = ".") -> str:
    """Return numbers as lines."""
    lines = (separator.join(f"{number:.3f}" for number in row) for row in zip(*columns, strict=True))
    return "\r\n".join([*lines, ""]).replace(".", decimal)


def ocean(pixels: int = 5, mode: str = "Wavelengths") -> str:
    """A text of OceanView."""
    return (
        "Data from film.txt Node\n\rDate: Tue Nov 12 14:03:00 CET 2024\nUser: somebody\nSpectrometer: USB2000\n"
        f"Integration Time (sec): 2.0E-2\nScans to average: 10\nXAxis mode: {mode}\n"
        f"Number of Pixels in Spectrum: {pixels}\n>>>>>Begin Spectral Data<<<<<\n{rows(NANOMETRES, COUNTS)}"
    )


OCEAN_SPANISH = (
    "Fichero De Datos De SpectraSuite\r\n++++++\r\nFecha: Tue Nov 12 14:03:00 CEST 2024\r\n"
    "Espectrómetros: JAZ\r\nTiempo de integración (usec): 3000000 (JAZ)\r\n"
    f">>>>> Comienza Data<<<<< Espectral\r\n{rows(NANOMETRES, COUNTS, decimal=',')}>>>>> Data<<<<< Extremo\r\n"
)
AVANTES = (
    "\r\nIntegration time [ms]:    6.00\r\nAveraging Nr. [scans]: 79\r\n"
    "Data measured with spectrometer [name]: 1209167U1\r\nWave   ;Sample   ;Dark     ;Reference;Reflectance\r\n"
    f"[nm]   ;[counts] ;[counts] ;[counts] ;[%]\r\n\r\n{rows(NANOMETRES, COUNTS, DARK, REFERENCE, DARK, separator=';')}"
)
AVANTES_OLD = (
    "film\r\nIntegration time: 175 ms\r\nAverage: 20 scans\r\n"
    "Data measured with spectrometer serial number: 0411041S1\r\nWave   ;Dark     ;Ref      ;Sample\r\n"
    f"[nm]   ;[counts] ;[counts] \r\n{rows(NANOMETRES, DARK, REFERENCE, COUNTS, separator=';', decimal=',')}"
)


def avantes_raw(spectra: int = 1) -> bytes:
    """A file of AvaSoft 8 with spectra of five pixels."""
    numbers = struct.pack("<20f", *NANOMETRES, *COUNTS, *DARK, *REFERENCE)
    content = b"AVS84" + bytes([spectra])
    for index in range(spectra):
        head = bytearray(322)
        struct.pack_into("<I4B10s64s", head, 0, 322 + 80 + 6 - 10, index, 5, 0, 0, b"7213296SP", b"probe")
        struct.pack_into("<2Hf2I", head, 83, 10, 14, 30.0, 0, 20)
        struct.pack_into("<I", head, 128, 2024 << 20 | 11 << 16 | 12 << 11 | 14 << 6 | 3)
        head[192:196] = b"film"
        content += bytes(head) + numbers + b"\1\2\3\4\5\6"
    return content


def bwtek(places: int = 5) -> str:
    """A text of BWSpec with six pixels, of which some have places; the sixth one is saturated."""
    names = "Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Reference;Raw data #1;Dark Subtracted #1;%TR #1;"
    lines = ["File Version;BWSpec4.11_1", "Date;2024-11-12 14:03:00", "model;BTC162E", "intigration times(ms);2500",
             "average number;2", "laser_wavelength;532,07", names]  # fmt: skip
    for pixel in range(6):
        shift = f"{540 + pixel},10;18000,00;{100 + pixel},00" if pixel < places else "   ;   ;   "
        count = COUNTS[pixel] if pixel < 5 else 65535
        lines.append(f"{pixel};{shift};1,0000;65535,0000;{count + 1},0000;{count},0000;0,0000;")
    return "\r\n".join([*lines, ""])


RRUFF = "##NAMES=Anatase\r\n##RRUFFID=R060277\r\n##OWNER=RRUFF\r\n{}\r\n##END=\r\n\r\n"
PERKIN_ELMER = "\r\n".join(
    ["PE UV       SUBTECH     SPECTRUM    ASCII       PEDS        4.00        ", "-1", "film.asc", "24/11/12",
     "14:03:00.00", "24/11/12", "14:03:10.00", "somebody", "glass", "", "", "Lambda 900", "1234", "1.00", "#HDR", "-1",
     "#GR", "nm", "%T", "1.000000", "#DATA", ""]
) + rows(NANOMETRES[::-1], COUNTS)  # fmt: skip
CRAIC = "Time1=20ms:Average1=5:Objective=10X:Aperture=1: (11/12/2024 2:03:00 PM)\r\nlamp\r\n" + rows(
    NANOMETRES, COUNTS, separator=","
)
OPTICAL = {"intensity": (COUNTS, "count"), "dark": (DARK, "count"), "reference": (REFERENCE, "count"),
           "wavelength": (NANOMETRES, "nm")}  # fmt: skip
UNKNOWN = {"intensity": (COUNTS, "1"), "wavelength": (NANOMETRES, "nm")}

GRID = ((0.0, 1.0), (0.0, 2.0), (3.0, 1.0), (3.0, 2.0))
LABSPEC = {"raman_shift": (SHIFT, "1/cm")}
LABSPEC_ATTRS = {"integration_time": 3.0, "laser_wavelength": 532.0, "title": "film"}

SAMPLES = {
    "horiba_txt": Sample(
        labspec(), "spectrum", {"intensity": (COUNTS, "count")} | LABSPEC, ("raman_shift",), "2022-06-27T16:26:24",
        LABSPEC_ATTRS, "LabRAM",
    ),
    "horiba_txt series": Sample(
        labspec(((0.0,), (2.5,)), ("Time",), "s"),
        "spectra",
        {"intensity": ([COUNTS, [count + 1 for count in COUNTS]], "count"), "time": ([0.0, 2.5], "s")} | LABSPEC,
        ("time", "raman_shift"),
        "2022-06-27T16:26:24",
    ),
    "horiba_txt map": Sample(
        labspec(GRID, ("Y", "X")),
        "spectra",
        {"intensity": ([[[count + 2 * y + x for count in COUNTS] for x in (0, 1)] for y in (0, 1)], "count"),
         "y": ([0.0, 3e-6], "m"), "x": ([1e-6, 2e-6], "m")} | LABSPEC,
        ("y", "x", "raman_shift"),
        "2022-06-27T16:26:24",
    ),
    **{
        f"jcamp_dx {form}": Sample(
            jcamp(data).encode(), "spectrum", JCAMP, ("raman_shift",), WHEN, {"title": "film"}, "laboratory"
        )
        for form, data in JCAMP_FORMS.items()
    },
    "princeton_spe": Sample(
        spe(),
        "frames",
        {"intensity": TWO_FRAMES, "wavelength": ([502.5, 506.0, 510.5, 516.0, 522.5], "nm"), "frame": ([0, 1], "1")},
        ("frame", "wavelength"),
        WHEN,
        {"integration_time": 3.0, "laser_wavelength": 532.0},
        "film",
    ),
    "princeton_spe LightField": Sample(
        spe(footer=spe_footer()),
        "frames",
        {"intensity": TWO_FRAMES, "wavelength": ([500, 501, 502, 503, 504], "nm"), "frame": ([0, 1], "1")},
        ("frame", "wavelength"),
        "2024-11-12T14:03:00.123456+01:00",
        {"integration_time": 1.5},
        "PIXIS",
    ),
    "ocean_optics": Sample(
        ocean().encode(), "spectrum", UNKNOWN, ("wavelength",), WHEN, {"integration_time": 0.02}, "USB2000"
    ),
    "ocean_optics Spanish": Sample(
        OCEAN_SPANISH.encode("cp1252"), "spectrum", UNKNOWN, ("wavelength",), WHEN, {"integration_time": 3.0}, "JAZ"
    ),
    "avantes_txt": Sample(
        AVANTES.encode(), "spectrum", OPTICAL | {"reflectance": (DARK, "percent")}, ("wavelength",), "",
        {"integration_time": 0.006}, "1209167U1",
    ),
    "avantes_txt AvaSoft 7": Sample(
        AVANTES_OLD.encode(), "spectrum", OPTICAL | {"intensity": (COUNTS, "1")}, ("wavelength",), "",
        {"integration_time": 0.175}, "0411041S1",
    ),
    "avantes_raw": Sample(
        avantes_raw(), "spectrum", OPTICAL, ("wavelength",), WHEN,
        {"integration_time": 0.03, "scans": 20, "name": "probe", "comment": "film"}, "7213296SP",
    ),
    "bwtek_txt": Sample(
        bwtek().encode(),
        "spectrum",
        {"intensity": (COUNTS, "count"), "raw": ([count + 1 for count in COUNTS], "count"), "dark": ([1] * 5, "count"),
         "raman_shift": (SHIFT, "1/cm"), "wavelength": ([540.1, 541.1, 542.1, 543.1, 544.1], "nm")},
        ("raman_shift",),
        WHEN,
        {"integration_time": 2.5, "scans": 2.0, "laser_wavelength": 532.07},
    ),
    "rruff_txt": Sample(
        RRUFF.format(rows(SHIFT, COUNTS, separator=", ")).encode(),
        "spectrum",
        {"intensity": (COUNTS, "1"), "raman_shift": (SHIFT, "1/cm")},
        ("raman_shift",),
        attrs={"mineral": "Anatase", "rruff_id": "R060277"},
    ),
    "perkin_elmer_asc": Sample(
        PERKIN_ELMER.encode(),
        "spectrum",
        {"transmittance": (COUNTS, "percent"), "wavelength": (NANOMETRES[::-1], "nm")},
        ("wavelength",),
        WHEN,
        {"sample": "glass"},
        "Lambda 900",
    ),
    "craic_txt": Sample(
        CRAIC.encode(), "spectrum", UNKNOWN, ("wavelength",), WHEN, {"integration_time": 0.02, "scans": 5}, "lamp"
    ),
    "jcamp_dx": Sample(
        jcamp_link(
            jcamp(PAIRS, "XYPOINTS=(XY..XY)", TITLE="all: sample", XUNITS="NANOMETERS", YFACTOR="1", FIRSTY="9"),
            jcamp("100IUJT", TITLE="all: dark spectrum", XUNITS="NANOMETERS", YFACTOR="2", FIRSTY="18"),
        ).encode(),
        "dark_spectrum",
        {"intensity": ([18, 18, 18, 20, 22], "count"), "wavelength": (SHIFT, "nm")},
        ("wavelength",),
        WHEN,
        {"title": "all: dark spectrum"},
    ),
}  # fmt: skip
