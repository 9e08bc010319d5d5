"""The smallest valid file of each format that the simulator does not write, made by hand from its layout."""

import io
import struct
import zipfile

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


SAMPLES: dict[str, bytes] = {
    "bruker_uxd": UXD.encode(),
    "rigaku_dat": RIGAKU_DAT.encode(),
    "rigaku_ras": RAS.encode(),
    "rigaku_rasx": rasx(),
    "philips_rd": rd(),
    "panalytical_xrdml": XRDML.encode(),
    "panalytical_csv": PANALYTICAL_CSV.encode(),
    "number_columns": NUMBERS.encode(),
}
