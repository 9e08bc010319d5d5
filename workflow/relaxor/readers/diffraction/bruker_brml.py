"""Bruker DIFFRAC measurement containers, ``.brml``.

Instruments: Bruker diffractometers (D8) save their measurements in this form with the program DIFFRAC.

Recognition: The file is a zip archive with a member ``Experiment<n>/RawData<k>.xml``.

Layout: ``Experiment<n>/DataContainer.xml`` names the instrument. Each ``Experiment<n>/RawData<k>.xml`` holds one or
more ``DataRoute``. A route has ``ScanInformation`` (name, axes with start and increment, time per step), ``DataViews``
(each ``RawDataView`` says with ``Start``, ``Length`` and a name what a column of a row is) and one ``Datum`` of
comma-separated numbers per point. The number and order of the columns differ from file to file.

Schema: The children ``scan_1``, ``scan_2``, … are the data routes. Each has the first scanned axis as its dimension
(``two_theta``, degree; ``theta``, ``phi``, …), the other recorded columns as variables along it (``theta``,
``measured_time``, ``absorption_factor``, …) and ``intensity`` (count) with ``intensity_uncertainty`` (Poisson). Where
an automatic absorber worked, ``intensity`` is the counter as the file has it; the file does not say whether it is
already corrected by ``absorption_factor``. The attributes are ``scan_type``, ``scan_mode``, ``counting_time`` (s per
step), ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage`` (kV),
``current`` (mA), ``goniometer_radius`` (mm) and ``status``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.containers import MAX_NODES, member_bytes, member_names, open_zip, parse_xml, plain_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, snake
from relaxor.readers.common.unit_words import spelled
from relaxor.stats.counts import poisson_uncertainty

RAW_DATA = re.compile(r"(.*/)?Experiment\d+/RawData\d+\.xml")
UNITS = ("1", "degree", "angstrom", "s", "mm", "K", "V", "mA", "kV")
"""Units that are kept. What is none of them (``hkl``) is a plain number."""
FIXED = {
    "wavelength_alpha1": ".//Tube/WaveLengthAlpha1",
    "wavelength_alpha2": ".//Tube/WaveLengthAlpha2",
    "wavelength_ratio": ".//Tube/WaveLengthRatio",
    "voltage": ".//Tube/Generator/Voltage",
    "current": ".//Tube/Generator/Current",
    "goniometer_radius": ".//SecondaryTracks/TrackInfoData/Radius",
}
"""Attribute of a scan, and the element whose ``Value`` it has."""
GRID_TOLERANCE = 1e-3
"""Degrees within which the column of an axis, rounded to 1e-4, must follow start + n · increment."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the zip by the name of a member, in the first bytes or in its directory."""
    if re.search(rb"Experiment\d+/\w+\.xml|experimentCollection\.xml", head):
        return head.startswith(b"PK\x03\x04")
    return any(RAW_DATA.fullmatch(name) for name in member_names(head, path))


def extract(path: Path) -> xr.DataTree:
    """Read a ``.brml`` container; the schema is that of the module."""
    scans: list[xr.Dataset] = []
    header: dict[str, Any] = {}
    started, instrument, nodes = None, "Bruker D8", 0
    with open_zip(path) as container:
        members = sorted((name for name in container.namelist() if RAW_DATA.fullmatch(name)), key=_natural)
        if not members:
            raise ReadError(path, "holds no RawData*.xml")
        described = [name for name in container.namelist() if name.endswith("DataContainer.xml")]
        for name in (*described, *members):
            place = f"member {name}"
            root = parse_xml(member_bytes(container, name, path), path, place)
            if name in members:
                started = started or root.findtext("TimeStampStarted")
                scans += _routes(root, place, path)
            else:
                instrument = _instrument(root) or instrument
            nodes += sum(1 + len(element.attrib) for element in root.iter())
            if nodes > MAX_NODES:
                raise ReadError(path, f"holds headers of more than {MAX_NODES} elements and attributes", place)
            header[name] = plain_xml(root)
    if not scans:
        raise ReadError(path, "holds no measured point", f"member {members[0]}")
    children = {f"scan_{index}": scan for index, scan in enumerate(scans, start=1)}
    return tree(children, header=header, instrument=instrument, acquired=started)


def _routes(root: Element, place: str, path: Path) -> Iterator[xr.Dataset]:
    shared = _tube(root) | {"status": root.findtext("MeasurementStatus", "")}
    for number, route in enumerate(root.iter("DataRoute"), start=1):
        rows = []
        for datum in route.findall("Datum"):
            rows.append(datum.text or "")
            route.remove(datum)
        if rows:
            where = f"{place}, DataRoute {number}"
            yield _scan(route, _numbers(rows, path, where), shared, path, where)


def _numbers(rows: list[str], path: Path, place: str) -> np.ndarray:
    """Turn the text of the data into a table (points, columns)."""
    width = rows[0].count(",") + 1
    for index, row in enumerate(rows):
        if row.count(",") + 1 != width:
            raise ReadError(path, f"{row.count(',') + 1} numbers where {width} are expected", f"{place}, Datum {index}")
    return numbers(",".join(rows).split(","), path, place).reshape(len(rows), width)


def _scan(route: Element, table: np.ndarray, shared: dict[str, Any], path: Path, place: str) -> xr.Dataset:
    axes = route.findall("ScanInformation/ScanAxes/ScanAxisInfo")
    columns: dict[str, xr.Variable] = {}
    dim = snake(axes[0].get("AxisId", "step")) if axes else "step"
    for view in route.iter("RawDataView"):
        for name, first, length, unit, label, blank in _columns(view, path, place):
            if first < 0 or first + length > table.shape[1]:
                problem = f"column {first} to {first + length - 1} named '{name}' of {table.shape[1]} columns"
                raise ReadError(path, problem, place)
            values = table[:, first : first + length]
            values = np.where(values == blank, np.nan, values)
            if unit == "count" and not any(entry.attrs["units"] == "count" for entry in columns.values()):
                name = "intensity"
            dims, values = ((dim,), values[:, 0]) if length == 1 else ((dim, f"{name}_channel"), values)
            columns[name] = variable(dims, values, unit, label)
    if "intensity" not in columns:
        raise ReadError(path, f"no counter among the columns {', '.join(columns) or '(none)'}", place)
    if not np.isfinite(columns["intensity"].values).all():
        raise ReadError(path, "intensities that are not finite numbers", place)
    steps = variable(dim, np.arange(len(table)), "1", "step")
    columns[dim] = _axis(axes[0], columns.get(dim), dim, len(table)) if axes else steps
    scan = xr.Dataset(columns).set_coords(dim)
    scan.attrs = shared | _scan_attributes(route)
    return with_uncertainty(scan, "intensity", poisson_uncertainty(scan["intensity"].values), "Poisson")


def _columns(view: Element, path: Path, place: str) -> Iterator[tuple[str, int, int, str, str, float]]:
    """Yield name, first column, length, unit, label and blank value of the data that one view describes."""
    try:
        start, length = int(view.get("Start", "")), int(view.get("Length", ""))
    except ValueError:
        raise ReadError(path, "a RawDataView without Start and Length", place) from None
    blank = float(view.findtext(".//BlankingValue", "nan"))
    recording = view.find("Recording")
    if recording is not None:
        unit = "count" if recording.get("Category") == "Count" else "1"
        label = recording.get("VisibleName", "counter")
        yield snake(recording.get("LogicName", "counter")), start, length, unit, label, blank
    elif fields := view.findall("Varying/FieldDefinitions"):
        for index, field in enumerate(fields):
            name = field.get("FieldName", f"column_{start + index}")
            restriction = field.find("Restriction")
            unit = "" if restriction is None else restriction.get("Unit", "")
            yield snake(name), start + index, 1, _unit(unit), field.findtext("VisibleName", name), blank
    else:
        name = view.get("LogicName", f"column_{start}")
        yield snake(name), start, length, _unit(view.get("Unit", "")), name, blank


def _axis(info: Element, recorded: xr.Variable | None, dim: str, points: int) -> xr.Variable:
    """Return the scanned axis: the exact grid if the (rounded) recorded column follows it, otherwise that column."""
    unit = _unit(info.get("Unit", ""))
    label = f"{info.get('VisibleName', dim)} angle" if unit == "degree" else info.get("VisibleName", dim)
    grid = float(info.findtext("Start", "nan")) + float(info.findtext("Increment", "nan")) * np.arange(points)
    if recorded is not None and not np.allclose(recorded.values, grid, rtol=0, atol=GRID_TOLERANCE):
        grid = recorded.values
    return variable(dim, grid, unit, label)


def _scan_attributes(route: Element) -> dict[str, Any]:
    information = route.find("ScanInformation")
    if information is None:
        return {}
    mode = information.findtext("ScanModeVisibleName", "")
    time = information.findtext("TimePerStepEffective") or information.findtext("TimePerStep")
    counting = {"counting_time": float(time)} if time else {}
    return {"scan_type": information.get("ScanName", ""), "scan_mode": mode, **counting}


def _tube(root: Element) -> dict[str, Any]:
    """Return anode, wavelengths, generator and goniometer radius from the fixed information."""
    found: dict[str, Any] = {}
    for name, where in FIXED.items():
        node = root.find(where)
        if node is not None and node.get("Value"):
            found[name] = float(node.get("Value", "nan"))
    anode = root.findtext(".//Tube/TubeMaterial")
    return found | ({"anode": anode} if anode else {})


def _instrument(container: Element) -> str:
    description = container.find(".//InstrumentDescription")
    if description is None:
        return ""
    kind, name, serial = (description.findtext(tag, "") for tag in ("DeviceTypeDesc", "InstrumentName", "SerialNo"))
    return ", ".join(filter(None, (kind, name, f"no. {serial}" if serial else "")))


def _unit(text: str) -> str:
    return unit if (unit := spelled(text)) in UNITS else "1"


def _natural(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]
