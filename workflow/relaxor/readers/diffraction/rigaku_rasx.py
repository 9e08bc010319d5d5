"""Rigaku SmartLab containers, ``.rasx``: a zip with a folder for every scan.

``Data<n>/Profile<n>.txt`` holds rows of position, intensity and attenuation factor;
``Data<n>/MesurementConditions<n>.xml`` (sic) says of what: ``ScanInformation`` (axis, units, number of points, begin),
``HWConfigurations/XrayGenerator`` (anode, wavelengths, kV, mA).
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.containers import member_bytes, member_names, open_zip, parse_xml, plain_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers
from relaxor.readers.diffraction.rigaku_ras import profile
from relaxor.readers.registry import Reader

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
"""Name of an entry in ``.ras`` files → where it stands in the XML."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the zip by its profiles."""
    return any(PROFILE.fullmatch(name) for name in member_names(head, path))


def extract(path: Path) -> xr.DataTree:
    """Read a ``.rasx`` container.

    Returns
    -------
    xarray.DataTree
        As `relaxor.readers.diffraction.rigaku_ras.extract`.
    """
    scans: dict[str, xr.Dataset] = {}
    header, started, instrument = {}, None, "Rigaku"
    with open_zip(path) as container:
        profiles = filter(None, map(PROFILE.fullmatch, container.namelist()))
        for number, match in enumerate(sorted(profiles, key=lambda match: int(match[2])), start=1):
            name = match[0]
            conditions = name.replace("Profile", "MesurementConditions").removesuffix(".txt") + ".xml"
            if conditions not in container.namelist():
                raise ReadError(path, f"holds {name} but not {conditions}, which says what it is")
            root = parse_xml(member_bytes(container, conditions, path), path, f"member {conditions}")
            header[conditions] = plain_xml(root)
            entries = {key: root.findtext(where) or "" for key, where in ENTRIES.items()}
            text = member_bytes(container, name, path).decode("utf-8-sig", "replace")
            values = numbers(text.split(), path, f"member {name}")
            if values.size != 3 * len(text.splitlines()):
                raise ReadError(path, f"{values.size} numbers in rows of three", f"member {name}")
            scans[f"scan_{number}"] = profile(path, entries, values.reshape(-1, 3), f"member {name}")
            started = started or root.findtext("ScanInformation/StartTime")
            instrument = f"Rigaku {root.findtext('GeneralInformation/SystemName', '')}".strip()
    return tree(scans, header=header, instrument=instrument, acquired=started)


READER = Reader("rigaku_rasx", recognises, extract)
