"""Scans of diffractometers, with the counts 9, 16, 25, 36 and 49 from 10.0 to 10.4 degrees, and a crystal structure."""

import struct
from datetime import datetime

import numpy as np
from relaxor.simulation.writers.bruker_raw4 import Scan, bruker_raw4

from tests.readers.samples.sample import COUNTS, TWO_THETA, Sample, zip_of

UXD = """_FILEVERSION=1
_DATEMEASURED='05-Nov-2024 10:12:00'
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
*DATE = 05-Nov-24 10:12
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
*MEAS_SCAN_START_TIME "11/05/24 10:12:00"
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
<usedWavelength><kAlpha1 unit="Angstrom">1.5406</kAlpha1></usedWavelength>
<scan mode="Continuous" scanAxis="Gonio" status="Completed">
<header><startTimeStamp>2024-11-05T10:12:00+01:00</startTimeStamp></header><dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>10.0</startPosition><endPosition>10.4</endPosition></positions>
<positions axis="Omega" unit="deg"><startPosition>5.0</startPosition><endPosition>5.2</endPosition></positions>
<positions axis="Phi" unit="deg"><commonPosition>90.0</commonPosition></positions>
<commonCountingTime unit="seconds">2.0</commonCountingTime>
<counts unit="counts">9 16 25 36 49</counts>
</dataPoints></scan></xrdMeasurement></xrdMeasurements>
"""
PANALYTICAL_CSV = """[Measurement conditions]
File date and time,05/November/2024 10:12
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
ROUTE = """<RawData><TimeStampStarted>2024-11-05T10:12:00</TimeStampStarted><DataRoutes><DataRoute>
<ScanInformation ScanName="LockedCoupled"><TimePerStepEffective>2</TimePerStepEffective><ScanAxes>
<ScanAxisInfo AxisId="TwoTheta" VisibleName="2Theta" Unit="°"><Start>10</Start><Increment>0.5</Increment></ScanAxisInfo>
</ScanAxes></ScanInformation><DataViews>
<RawDataView Start="0" Length="1" LogicName="MeasuredTime" Unit="s"/>
<RawDataView Start="1" Length="1"><Recording LogicName="Counter1" Category="Count"/></RawDataView>
</DataViews>{rows}</DataRoute></DataRoutes></RawData>"""
"""The data of a ``.brml`` container, without its rows."""
ROCK_SALT = """data_test
_publ_section_title 'Rock salt'
_cell_length_a 5.6402(3)
_cell_length_b 5.6402(3)
_cell_length_c 5.6402(3)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5 0.500(2)
"""
FLOATS = struct.pack("<5f", *COUNTS)


def brml(rows: str = "".join(f"<Datum>2,{count}</Datum>" for count in COUNTS)) -> bytes:
    """A Bruker container with one route and its rows."""
    return zip_of({"Experiment0/RawData0.xml": ROUTE.format(rows=rows)})


def rd(points: int = 5, stored: int = 5, step: float = 0.1) -> bytes:
    """A Philips scan that announces ``points`` and holds ``stored``; a count is a hundredth of a stored square."""
    header = bytearray(250)
    header[:4] = b"V3RD"
    header[138:144] = b"powder"
    struct.pack_into("<3d", header, 94, 1.5406, 1.5444, 0.5)
    struct.pack_into("<3d", header, 214, step, 10.0, 10.0 + (points - 1) * 0.1)
    return bytes(header) + struct.pack(f"<{stored}H", *range(30, 30 + 10 * stored, 10))


def rasx(count: int = 5, without: str = "") -> bytes:
    """A SmartLab container with one scan that announces ``count`` points."""
    conditions = (
        "<MeasurementConditions><ScanInformation><AxisName>TwoTheta</AxisName><IntensityUnit>counts</IntensityUnit>"
        f"<DataCount>{count}</DataCount><StartTime>2024-11-05T10:12:00Z</StartTime></ScanInformation>"
        "<HWConfigurations><XrayGenerator><TargetName>Cu</TargetName></XrayGenerator></HWConfigurations>"
        "</MeasurementConditions>"
    )
    members = {
        "Data0/Profile0.txt": "10.0\t9\t1\n10.1\t16\t1\n10.2\t25\t1\n10.3\t36\t1\n10.4\t49\t1\n",
        "Data0/MesurementConditions0.xml": conditions,
    }
    return zip_of({name: content for name, content in members.items() if not without or not name.endswith(without)})


def raw_1(ranges: int = 1, magic: bool = True) -> bytes:
    """Scans of DIFFRAC AT; old programs leave the magic out from the second range on."""
    content = b""
    for following in reversed(range(ranges)):
        header = bytearray(156)
        struct.pack_into("<4sIffI", header, 0, b"RAW ", 5, 2.0, 0.1, 0)
        struct.pack_into("<f", header, 24, 10.0)
        header[40:46] = b"powder"
        struct.pack_into("<2f", header, 72, 1.5406, 1.5444)
        struct.pack_into("<I", header, 152, following)
        content += (bytes(header) if magic or not content else bytes(header[4:])) + FLOATS
    return content


def raw_2(length: int = 48) -> bytes:
    """A scan of DIFFRAC AT, version 2, whose header of the range announces ``length`` bytes."""
    header = bytearray(256)
    struct.pack_into("<4sH", header, 0, b"RAW2", 1)
    header[8:14], header[168:188], header[188:190] = b"powder", b"05-Nov-2024 10:12:00", b"Cu"
    struct.pack_into("<3f", header, 190, 1.5406, 1.5444, 0.5)
    part = bytearray(48)
    struct.pack_into("<HH4x3f", part, 0, length, 5, 2.0, 0.1, 10.0)
    struct.pack_into("<H", part, 46, 295)
    return bytes(header + part) + FLOATS


def raw_3(kind: int = 0, ranges: int = 1, length: int = 304) -> bytes:
    """A scan of DIFFRAC plus, of a kind (3: rocking curve)."""
    header = bytearray(712)
    struct.pack_into("<8sII", header, 0, b"RAW1.01", 1, ranges)
    header[16:24], header[26:34], header[326:332], header[608:610] = b"11/05/24", b"10:12:00", b"powder", b"Cu"
    struct.pack_into("<f", header, 564, 280.0)
    struct.pack_into("<5d", header, 616, 1.5418, 1.5406, 1.5444, 1.3922, 0.5)
    part = bytearray(304)
    struct.pack_into("<II7d", part, 0, length, 5, 5.0, 10.0, 0, 0, 0, 0, 0)
    struct.pack_into("<d", part, 176, 0.1)
    struct.pack_into("<fI", part, 192, 2.0, kind)
    struct.pack_into("<2I", part, 224, 40, 30)
    struct.pack_into("<d", part, 240, 1.5406)
    return bytes(header) + (bytes(part) + FLOATS) * ranges


def raw_4(counts: object = COUNTS, start: float = 10.0, step: float = 0.1, scans: int = 1) -> bytes:
    """Scans of DIFFRAC measurement, as the simulator writes them."""
    ranges = [Scan(start, step, np.asarray(counts), 96.0)] * scans
    return bruker_raw4(ranges, datetime(2024, 11, 5, 10, 12), {"COMMENT": "SIMULATED"}, (1.540593, 1.544427), 280.0)


EVA = """'Id: "" Comment: "powder" Operator: "" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "2"
10.0 9
10.1 16
10.2 25
10.3 36
10.4 49
"""
XYE = """/* /data/apr17/11bmb_1.mda APR 12, 2017 01:23:16.472073
# Scan time =             APR 12, 2017 01:23:16.472073
# User sample name =      powder
# Temp (K) =              300.03
# Time per step (sec) =   0.1
# Calibrated wavelength = 0.414581
# */
 10.0 662.4 37.7
 10.1 644.5 37.1
 10.2 621.5 36.5
"""
POWDER_CIF = """data_test
_diffrn_radiation_probe neutron
_diffrn_radiation_wavelength 2.0785
_pd_proc_2theta_range_min 10.0
_pd_proc_2theta_range_max 10.2
_pd_proc_2theta_range_inc 0.1
loop_
_pd_meas_intensity_total
_pd_proc_ls_weight
_pd_proc_intensity_bkg_calc
_pd_calc_intensity_total
_pd_meas_odd_thing
5540(160) 0.0 833. . 1
4570(140) 0.5 829. 4500 2
1.21e3(7) 0.5 825. 1200 3
"""
SPEC = """#F powder
#E 1700000000
#D Sun Mar 08 11:13:20 2026
#C beamline  User = someone
#O0 Two Theta  Theta  Table X
#O1 Slit

#S 1  ascan  tth 10 10.4  4 1
#D Sun Mar 08 11:14:00 2026
#P0 10 5 -3.5
#P1 0.2
#N 5
#L Two Theta  Epoch  Seconds  Monitor  Detector
10.0 40 1 1000 9
10.1 41 1 1001 16
10.2 42 1 1002 25
10.3 43 1 1003 36
10.4 44 1 1004 49
"""
UDF = """SampleIdent,powder ,/
DiffrType,PW3710,/
Anode, Cu,/
LabdaAlpha1, 1.54060,/
LabdaAlpha2, 1.54439,/
RatioAlpha21, 0.50000,/
FileDateTime,21-janv-2002 09:16:36,/
DataAngleRange,   10.0000,  10.4000,/
ScanStepSize,    0.100,/
ScanType,STEP,/
ScanStepTime,    5.00,/
RawScan
       9,      16,      25
      36,      49/
"""


SCAN = {
    "intensity": (COUNTS, "count"),
    "two_theta": (TWO_THETA, "degree"),
    "intensity_uncertainty": ([3, 4, 5, 6, 7], "count"),
}
WHEN = "2024-11-05T10:12:00"
DIM = ("two_theta",)
ABOUT = {"counting_time": 2.0, "wavelength_alpha1": 1.5406}
PACKED = np.array([30.0, 40, 50, 60, 70])

SAMPLES = {
    "bruker_uxd": Sample(UXD.encode(), "scan_1", SCAN, DIM, WHEN, {**ABOUT, "scan_type": "coupled"}, "_STEPTIME"),
    "rigaku_dat": Sample(RIGAKU_DAT.encode(), "scan_1", SCAN, DIM, WHEN, {"scan_type": "2theta/theta"}, "GROUP_COUNT"),
    "rigaku_ras": Sample(
        RAS.encode(), "scan_1", SCAN | {"attenuation_factor": ([1] * 5, "1")}, DIM, WHEN, {}, "TwoThetaOmega"
    ),
    "rigaku_rasx": Sample(rasx(), "scan_1", SCAN, DIM, f"{WHEN}Z", {"anode": "Cu"}, "MesurementConditions0.xml"),
    "philips_rd": Sample(
        rd(),
        "scan_1",
        SCAN | {"intensity_uncertainty": (np.hypot([3, 4, 5, 6, 7], PACKED / 50 / 12**0.5), "count")},
        DIM,
        attrs={"wavelength_alpha1": 1.5406, "wavelength_ratio": 0.5, "sample_name": "powder"},
        header="powder",
    ),
    "panalytical_xrdml": Sample(
        XRDML.encode(),
        "scan_1",
        SCAN | {"omega": ([5.0, 5.05, 5.1, 5.15, 5.2], "degree")},
        DIM,
        f"{WHEN}+01:00",
        {**ABOUT, "phi": 90.0, "scan_type": "Gonio", "status": "Completed"},
        "usedWavelength",
    ),
    "panalytical_csv": Sample(PANALYTICAL_CSV.encode(), "scan_1", SCAN, DIM, WHEN, {"anode": "Cu"}, "Anode material"),
    "bruker_brml": Sample(
        brml(),
        "scan_1",
        SCAN | {"two_theta": ([10, 10.5, 11, 11.5, 12], "degree"), "measured_time": ([2] * 5, "s")},
        DIM,
        WHEN,
        {"counting_time": 2.0, "scan_type": "LockedCoupled"},
        "RawDataView",
    ),
    "bruker_raw 1": Sample(raw_1(), "scan_1", SCAN, DIM, "", {**ABOUT, "sample_name": "powder"}, "powder"),
    "bruker_raw 2": Sample(raw_2(), "scan_1", SCAN, DIM, WHEN, {**ABOUT, "anode": "Cu", "temperature": 295}, "powder"),
    "bruker_raw 1.01": Sample(
        raw_3(),
        "scan_1",
        SCAN,
        DIM,
        WHEN,
        {**ABOUT, "anode": "Cu", "goniometer_radius": 280.0, "voltage": 40, "scan_type": "locked coupled"},
        "powder",
    ),
    "bruker_raw 4": Sample(
        raw_4(), "scan_1", SCAN, DIM, WHEN, {"counting_time": 96.0, "goniometer_radius": 280.0}, "SIMULATED"
    ),
    "eva_xy": Sample(
        EVA.encode(),
        "scan_1",
        SCAN,
        DIM,
        attrs={"anode": "Cu", "counting_time": 2.0, "scan_type": "Coupled TwoTheta/Theta", "sample_name": "powder"},
        header="TimePerStep",
    ),
    "aps_xye": Sample(
        XYE.encode(),
        "scan_1",
        {"intensity": ([662.4, 644.5, 621.5], "1"), "intensity_uncertainty": ([37.7, 37.1, 36.5], "1"),
         "two_theta": ([10, 10.1, 10.2], "degree")},
        DIM,
        "2017-04-12T01:23:16",
        {"wavelength_alpha1": 0.414581, "wavelength_ratio": 0.0, "temperature": 300.03, "sample_name": "powder"},
        "Calibrated wavelength",
    ),
    "philips_udf": Sample(
        UDF.encode(),
        "scan_1",
        SCAN,
        DIM,
        "2002-01-21T09:16:36",
        {"counting_time": 5.0, "anode": "Cu", "wavelength_alpha2": 1.54439, "sample_name": "powder"},
        "PW3710",
    ),
    "powder_cif": Sample(
        POWDER_CIF.encode(),
        "pattern",
        {"intensity": ([5540, 4570, 1210], "1"), "intensity_uncertainty": ([160, 140, 70], "1"),
         "two_theta": ([10, 10.1, 10.2], "degree"), "background": ([833, 829, 825], "1"),
         "calculated": ([np.nan, 4500, 1200], "1"), "weight": ([0, 0.5, 0.5], "1")},
        DIM,
        attrs={"block": "test", "wavelength_alpha1": 2.0785, "radiation": "neutron"},
        header="_pd_proc_2theta_range_inc",
    ),
    "spec_data": Sample(
        SPEC.encode(),
        "scan_1",
        SCAN | {"seconds": ([1] * 5, "s"), "monitor": ([1000, 1001, 1002, 1003, 1004], "count")},
        DIM,
        "2026-03-08T11:13:20",
        {"counting_time": 1.0, "motor_table_x": -3.5, "motor_slit": 0.2, "command": "ascan  tth 10 10.4  4 1"},
        "Table X",
    ),
    "cif": Sample(
        ROCK_SALT.encode(),
        "cell",
        {"z": ([0, 0.5], "1"), "length_a": (5.6402, "angstrom"), "angle_gamma": (90, "degree"),
         "length_a_uncertainty": (3e-4, "angstrom"), "occupancy": ([1, 1], "1")},
        ("atom",),
        attrs={"space_group": "F m -3 m", "title": "Rock salt", "block": "test"},
        header="_cell_length_a",
    ),
}  # fmt: skip
