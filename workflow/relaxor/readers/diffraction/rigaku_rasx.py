"""Rigaku SmartLab containers, ``.rasx``.

Instruments: Rigaku SmartLab diffractometers save their scans in this form.

Recognition: The file is a zip archive with a member ``Data<n>/Profile<n>.txt``.

Layout: The archive has a folder for every scan. ``Data<n>/Profile<n>.txt`` holds rows of position, intensity and
attenuation factor. ``Data<n>/MesurementConditions<n>.xml`` (spelled so) says what they are: ``ScanInformation`` has the
axis, the units, the number of points and the time of the start, ``HWConfigurations/XrayGenerator`` has the anode, the
wavelengths, the voltage and the current, and ``Axes`` has the positions of all axes.

Schema: The tree is that of `relaxor.readers.diffraction.rigaku_ras`, with ``acquired`` of every scan.
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.containers import member_bytes, member_names, open_zip, parse_xml, plain_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import decoded
from relaxor.readers.diffraction.rigaku_ras import profile, rows_of_three
from relaxor.readers.diffraction.scans import series

PROFILE = re.compile(r"(.*/)?Data\d+/Profile(\d+)\.txt")
ENTRIES = {
    "MEAS_DATA_COUNT": "ScanInformation/DataCount",
    "MEAS_SCAN_AXIS_X_INTERNAL": "ScanInformation/AxisName",
    "MEAS_SCAN_UNIT_Y": "ScanInformation/IntensityUnit",
    "MEAS_SCAN_STEP": "ScanInformation/Step",
    "MEAS_SCAN_SPEED": "ScanInformation/Speed",
    "MEAS_SCAN_SPEED_UNIT": "ScanInformation/SpeedUnit",
    "HW_XG_TARGET_NAME": "HWConfigurations/XrayGenerator/TargetName",
    "HW_XG_WAVE_LENGTH_ALPHA1": "HWConfigurations/XrayGenerator/WavelengthKalpha1",
    "HW_XG_WAVE_LENGTH_ALPHA2": "HWConfigurations/XrayGenerator/WavelengthKalpha2",
    "MEAS_COND_XG_VOLTAGE": "HWConfigurations/XrayGenerator/Voltage",
    "MEAS_COND_XG_CURRENT": "HWConfigurations/XrayGenerator/Current",
}
"""Name of an entry in ``.ras`` files, and its place in the XML."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the zip by its profiles."""
    return any(PROFILE.fullmatch(name) for name in member_names(head, path))


def extract(path: Path) -> xr.DataTree:
    """Read a ``.rasx`` container; the schema is that of the module."""
    scans: list[xr.Dataset] = []
    header, started, instrument = {}, None, "Rigaku"
    with open_zip(path) as container:
        profiles = filter(None, map(PROFILE.fullmatch, container.namelist()))
        for match in sorted(profiles, key=lambda match: int(match[2])):
            name = match[0]
            conditions = name.replace("Profile", "MesurementConditions").removesuffix(".txt") + ".xml"
            if conditions not in container.namelist():
                raise ReadError(path, f"holds {name} but not {conditions}, which describes it")
            root = parse_xml(member_bytes(container, conditions, path), path, f"member {conditions}")
            header[conditions] = plain_xml(root)
            entries = {key: root.findtext(where) or "" for key, where in ENTRIES.items()}
            lines = decoded(member_bytes(container, name, path)).splitlines()
            table = rows_of_three(lines, path, f"member {name}")
            axes = {axis.get("Name", ""): axis.get("Position", "") for axis in root.iter("Axis")}
            moment = root.findtext("ScanInformation/StartTime")
            scan = profile(path, entries, table, f"member {name}", axes)
            scans.append(scan.assign_attrs({"acquired": moment} if moment else {}))
            started = started or moment
            instrument = f"Rigaku {root.findtext('GeneralInformation/SystemName', '')}".strip()
    return tree(series(scans), header=header, instrument=instrument, acquired=started)
