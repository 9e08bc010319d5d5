"""The smallest valid file of each format that the simulator does not write, made by hand from its layout."""

import bz2
import io
import struct
import zipfile
from datetime import datetime

import numpy as np
import tifffile
from relaxor.simulation.writers.igor_ibw import igor_wave
from relaxor.simulation.writers.velox_emd import write_velox_emd
from scipy.io import savemat

UXD = """_FILEVERSION=1
_WL1=1.5406
_DRIVE='COUPLED'
_STEPTIME=2.0
_STEPSIZE=0.1
_START=10.0
_COUNTS
9 16
25 36
49
"""
RIGAKU_DAT = """*TYPE = Raw
*GROUP_COUNT = 1
*SCAN_MODE = 2theta/theta
*YUNIT = counts
*BEGIN
*START = 10.0
*STEP = 0.1
*COUNT = 5
 9, 16, 25,
 36, 49
*END
*EOF
"""
RAS = """*RAS_DATA_START
*RAS_HEADER_START
*MEAS_SCAN_AXIS_X_INTERNAL "TwoThetaOmega"
*MEAS_SCAN_UNIT_Y "counts"
*MEAS_DATA_COUNT "5.0"
*RAS_HEADER_END
*RAS_INT_START
10.0 9 1.0
10.1 16 1.0
10.2 25 1.0
10.3 36 1.0
10.4 49 1.0
*RAS_INT_END
*RAS_DATA_END
"""
XRDML = """<?xml version="1.0"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/2.1"><xrdMeasurement>
<scan mode="Continuous" scanAxis="Gonio" status="Completed"><dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>10.0</startPosition><endPosition>10.4</endPosition></positions>
<commonCountingTime unit="seconds">2.0</commonCountingTime>
<counts unit="counts">9 16 25 36 49</counts>
</dataPoints></scan></xrdMeasurement></xrdMeasurements>
"""
PANALYTICAL_CSV = """[Measurement conditions]
Anode material,Cu
Scan axis,Gonio
No. of points,5
[Scan points]
Angle,Intensity
10.0,9
10.1,16
10.2,25
10.3,36
10.4,49
"""
NUMBERS = "# angle counts\n10.0 9\n10.1 16\n10.2 25\n10.3 36\n"


def rd(points: int = 5, stored: int = 5, step: float = 0.1) -> bytes:
    """A Philips scan that announces ``points`` and holds ``stored``."""
    header = bytearray(250)
    header[:4] = b"V3RD"
    struct.pack_into("<3d", header, 94, 1.5406, 1.5444, 0.5)
    struct.pack_into("<3d", header, 214, step, 10.0, 10.0 + (points - 1) * 0.1)
    return bytes(header) + struct.pack(f"<{stored}H", *range(30, 30 + 10 * stored, 10))


def rasx(count: int = 5, without: str = "") -> bytes:
    """A SmartLab container with one scan that announces ``count`` points."""
    conditions = (
        "<MeasurementConditions><ScanInformation><AxisName>TwoTheta</AxisName><IntensityUnit>counts</IntensityUnit>"
        f"<DataCount>{count}</DataCount></ScanInformation></MeasurementConditions>"
    )
    members = {
        "Data0/Profile0.txt": "10.0\t9\t1\n10.1\t16\t1\n10.2\t25\t1\n10.3\t36\t1\n10.4\t49\t1\n",
        "Data0/MesurementConditions0.xml": conditions,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            if not without or not name.endswith(without):
                container.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


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
    return out.getvalue()


def workbook(sheets: dict[str, list[list[object]]], last: str = "") -> bytes:
    """An ``.xlsx`` with inline texts; ``last`` names one more cell, far away."""

    def cell(row: int, column: int, value: object) -> str:
        place = f"{chr(65 + column)}{row + 1}"
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>' if value else ""
        return f'<c r="{place}"><v>{value}</v></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:

        def write(name: str, content: str) -> None:
            container.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0"?>{content}')

        entries = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1)
        )
        links = "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        write("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
              f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
              f'ContentType="{kind}.sheet.main+xml"/></Types>')  # fmt: skip
        write("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
              f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        write("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{entries}</sheets></workbook>')
        write("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>')
        for number, rows in enumerate(sheets.values(), start=1):
            cells = "".join(
                f'<row r="{r + 1}">{"".join(cell(r, c, value) for c, value in enumerate(row))}</row>'
                for r, row in enumerate(rows)
            )
            far = f'<row r="9"><c r="{last}"><v>1</v></c></row>' if last else ""
            write(f"xl/worksheets/sheet{number}.xml",
                  f'<worksheet xmlns="{main}"><sheetData>{cells}{far}</sheetData></worksheet>')  # fmt: skip
    return out.getvalue()


RUN = [["Time", "DrainI(1)", "DrainI(2)", "VT"], [0.0, 1e-9, 2e-9, 0.7], [1.0, "#REF", 4e-9, ""], [2.0, 5e-9, "", ""]]
SETTINGS = [
    ["=====", "", ""], ["Run7", "", ""], ["=====", "", ""], ["Test Name", "vds-id#1@1", ""],
    ["Last Executed", "12/04/2019 12:33:25", ""], ["Clarius+ Version", "V1.6.1", ""], ["", "", ""],
    ["Device Terminal", "Drain", "Gate"], ["Operation Mode", "Voltage Linear Sweep", "Voltage Step"],
    ["Compliance", "0.1", "N/A"], ["", "", ""], ["Formulas", "", ""], ["VT = 0.7", "", ""],
]  # fmt: skip
KEITHLEY_TEXT = "\ufeffTime\tAI\tNORM\r\n198.8988E-3\t-626.1089E-9\t#REF\r\n298.8988E-3\t-526.1089E-9\t100.0000E-2\r\n"
LABELLED = "\tChannel Current [A]\tGate Voltage [V]\n0\t-3.9e-10\t-15.0\n1\t-4.1e-10\t-14.0\n"
B1500 = """\ufeff
SetupTitle, PUND
ApplicationTest, WGFMU Pattern Editor, Public
TestParameter, Name, OperationMode1, InitMeasRange1, OperationMode2
TestParameter, Value, Fast IV Vmeas, 5V (Vmeas), Fast IV Imeas
MetaData, TestRecord.RecordTime, 07/02/2025 10:36:28
DataName, MeasResult1_value, MeasResult2_value, MeasResult1_time
DataValue, 0.5, 1E-06, 0
DataValue, 1.5, 3E-06, 1E-07
SetupTitle, PUND Child DataDisplay
DataName, MeasResult1_value, MeasResult2_value, MeasResult1_time
DataValue, 0.5, 1E-06, 0
DataValue, 1.5, 3E-06, 1E-07
"""
RADIANT = (
    "»»»»»»»»»»» Hysteresis «««««««««««\r\n»»»  Vision Version:\t5.26.4\r\nExecuted:\t07/07/08 07:23:31 PM\r\n"
    "Sample Area (cm2):\t1.0e-4\r\nPoints:\t2\r\n\r\n"
    "Valid DataPoint\tTime (ms)\tDrive Voltage\tMeasured Polarization\r\n"
    "1\t0.02\t0.5\t-28.2\r\n2\t0.04\t0.6\t-28.1\r\n\r\nHysteresis Version: 5.26.1 - Radiant Technologies\r\n"
)
SPECS = """# Created by:        SpecsLab Prodigy, Version 4.100
# XY-Serializer Export Settings:
#   Energy Axis:              Binding Energy
#   Count Rate:               Counts per Second
#   Separate Scan Data:       yes
# Group:                        1 as-loaded
# Region:                       C1s
# Values/Curve:                 3
# Dwell Time:                   0.5
# Excitation Energy:            1486.61
# Cycle: 0, Curve: 0, Scan: 0
290  18
289  32
288  50
# Cycle: 0, Curve: 0, Scan: 1
290  20
289  34
288  52
"""
SCIENTA = """[Info]
Number of Regions=1
[Region 1]
Region Name=VB
Dimension 1 name=Binding Energy [eV]
Dimension 1 size=3
[Info 1]
Excitation Energy=520
Date=2023-03-08
Time=15:24:35
[Data 1]
 3.0E+0002  1.5E+0001
 2.9E+0002  1.6E+0001
 2.8E+0002  1.7E+0001
"""
CASA = (
    "Cycle 0:FeO:Fe2p\n\tCharacteristic Energy eV\t1.48661e+003\tAcquisition Time s\t2.0e+000\n"
    "Name\t\tFe 2p\t\nPosition\t\t709.05\t\nFWHM\t\t3.86\t\nArea\t\t63507.37\t\nLineshape\t\tLF(0.54,10)\t\n"
    "K.E.\tCounts\tFe 2p\tBackground\tEnvelope\t\tB.E.\tCPS\n"
    "736.61\t16\t17\t15\t17\t\t750.0\t8\n737.61\t36\t35\t-1.#IND\t36\t\t749.0\t18\n"
)
SPECS_XML = (
    '<?xml version="1.0"?>\n<!-- CORBA XML document created by XMLSerializer2 1.6, from SL 2.81 -->\n'
    "<!DOCTYPE any [\n<!ELEMENT any (sequence)?>\n]>\n"
    '<any version="1.6"><sequence length="1"><struct type_name="RegionGroup"><string name="name">map</string>'
    '<sequence name="regions" length="1"><struct type_name="RegionData"><string name="name">C1s</string>'
    '<struct name="region"><string name="analysis_method">XPS</string><string name="analyzer_lens">Medium</string>'
    '<string name="analyzer_slit">1:0.2x20c</string><struct name="scan_mode">'
    '<string name="name">FixedAnalyzerTransmission</string></struct><ulong name="values_per_curve">4</ulong>'
    '<double name="dwell_time">0.1</double><double name="scan_delta">0.5</double>'
    '<double name="excitation_energy">1253.6</double><double name="kinetic_energy">963.6</double>'
    '<double name="pass_energy">50</double><double name="bias_voltage">90</double>'
    '<double name="detector_voltage">2400</double><double name="effective_workfunction">4.37</double></struct>'
    '<ulong name="mcd_head">1</ulong><ulong name="mcd_tail">1</ulong><struct name="analyzer_info">'
    '<string name="name">PHOIBOS</string><sequence name="detectors" length="2">'
    '<struct type_name="Detector"><double name="shift">-0.01</double></struct>'
    '<struct type_name="Detector"><double name="shift">0.01</double></struct></sequence></struct>'
    '<sequence name="cycles" length="1"><struct type_name="Cycle"><ulong name="time">1643391325</ulong>'
    '<struct type_name="ScanData"><sequence name="counts" length="12"><ulong type_name="Counts">\n'
    "0 1\n0 2\n1 30\n2 4\n30 5\n4 0\n</ulong></sequence></struct></struct></sequence></struct></sequence></struct>"
    "</sequence></any>\n"
)
"""Two channels: what the first sees at a sample, the second has seen two samples before."""


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


def bcf(pointer: int = 3, length: int = 10) -> bytes:
    """A Bruker container of chunks of 2,080 bytes with one file, ``EDSDatabase/HeaderData``, of ``length`` bytes."""
    chunk = 2080
    data = bytearray(0x118 + 5 * chunk)
    data[:8] = b"AAMVHFSS"
    struct.pack_into("<fI", data, 0x124, 2.6, chunk)
    struct.pack_into("<III", data, 0x140, 1, 2, 5)
    for index, (name, table, size, parent, folder) in enumerate(
        ((b"EDSDatabase", -1, 0, -1, 1), (b"HeaderData", 2, length, 0, 0))
    ):
        entry = struct.pack("<iQQQQIi176s?3s256s32s", table, size, 0, 0, 0, 0, parent, b"", folder, b"", name, b"")
        data[0x138 + chunk + 0x200 * index : 0x138 + chunk + 0x200 * (index + 1)] = entry
    struct.pack_into("<I", data, 0x138 + 2 * chunk, pointer)
    data[0x138 + 3 * chunk : 0x138 + 3 * chunk + 10] = b"<Project/>"
    return bytes(data)


def velox() -> bytes:
    """An image of 3 × 3 pixels as the simulator writes it."""
    return write_velox_emd(
        np.arange(9, dtype="u2").reshape(3, 3), pixel_size=1e-11, detector="HAADF", acceleration_voltage=2e5,
        dwell_time=1e-6, unix_time=1643391325, instrument="Talos", comment="",
    )  # fmt: skip


VARIANTS = {
    "nanoscope force": nanoscope(force=True),
    "microscope_tif packed": tif((40, 50), compression="zlib"),
    "bruker_bcf": bcf(),
    "phenom_elid": b"EID2" + struct.pack("<iIII", 4, 0, 0, 0),
    "phenom_elid packed": bz2.compress(b"EID2" + struct.pack("<iIII", 4, 0, 0, 0)),
}
"""More to mutate: other forms of a format, and files that hold nothing but their structure."""

SAMPLES: dict[str, bytes] = {
    "specs_xml": SPECS_XML.encode(),
    "nanoscope": nanoscope(),
    "gwyddion_gwy": gwy(),
    "igor_pxp": pxp(),
    "tia": ser(),
    "microscope_tif": tif(),
    "velox_emd": velox(),
    "specs_xy": SPECS.encode(),
    "scienta_txt": SCIENTA.encode(),
    "casaxps_txt": CASA.encode(),
    "keithley_4200": workbook({"Run7": RUN, "Calc": [], "Settings": SETTINGS}),
    "keithley_4200_text": KEITHLEY_TEXT.encode(),
    "labelled_columns": LABELLED.encode(),
    "keysight_b1500": B1500.encode(),
    "radiant_vision": RADIANT.encode("cp1252"),
    "galactic_spc": spc(),
    "renishaw_wdf": wdf(),
    "witec_wip": wip(),
    "witec_mat": mat(),
    "bruker_uxd": UXD.encode(),
    "rigaku_dat": RIGAKU_DAT.encode(),
    "rigaku_ras": RAS.encode(),
    "rigaku_rasx": rasx(),
    "philips_rd": rd(),
    "panalytical_xrdml": XRDML.encode(),
    "panalytical_csv": PANALYTICAL_CSV.encode(),
    "number_columns": NUMBERS.encode(),
}
