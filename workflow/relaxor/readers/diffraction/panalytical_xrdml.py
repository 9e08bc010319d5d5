"""PANalytical scans and maps, ``.xrdml`` (XML, schemas 1.0 to 2.3).

Instruments: PANalytical diffractometers (X'Pert, Empyrean) save their measurements in this form.

Recognition: The first bytes hold the root element, ``<xrdMeasurements``.

Layout: Every ``xrdMeasurement`` holds ``scan`` elements with ``dataPoints``. These have ``positions`` of every axis (a
list, a start and an end, or one common position), counting times (one or a list) and either ``intensities`` (schema 1;
they are corrected by ``beamAttenuationFactors``) or ``counts`` (schema 2, as counted). Every scan of an area
measurement has one position of a second axis.

Schema: The children ``scan_1``, ``scan_2``, … follow the order of the file. Each has the scanned axis as its dimension
(``two_theta``, degree, for coupled scans; ``omega``, ``phi``, …) and ``intensity`` (count) with
``intensity_uncertainty`` (Poisson, of the detected counts). Other axes that move are variables (``omega``, …); those
that rest are attributes (``omega``, degree; ``x``, mm; …). Where an absorber worked, ``intensity`` is corrected by its
``attenuation_factor``, and ``counts`` is what the detector counted. The scans of an area measurement are one child
``map_1``, … with the dimensions (``scan``, ``point``), all moving axes and ``elapsed_time`` (s, since the first scan)
as coordinates. Scans that repeat each other at the same places stay apart; ``acquired`` tells them. The attributes are
``counting_time`` (s per point; a variable of that name if it varies), ``scan_type``, ``scan_mode``, ``status``,
``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage`` (kV), ``current``
(mA) and ``acquired``.
"""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.containers import local_name, parse_xml, plain_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import decoded, numbers
from relaxor.readers.common.unit_words import spelled
from relaxor.readers.diffraction.scans import axis_of, scan, series
from relaxor.stats.counts import poisson_uncertainty

TUBE = {
    "kAlpha1": "wavelength_alpha1",
    "kAlpha2": "wavelength_alpha2",
    "ratioKAlpha2KAlpha1": "wavelength_ratio",
    "tension": "voltage",
    "current": "current",
    "anodeMaterial": "anode",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the root element or its namespace."""
    return "<xrdMeasurements" in decoded(head)


def extract(path: Path) -> xr.DataTree:
    """Read an ``.xrdml`` file; the schema is that of the module."""
    root = parse_xml(path.read_bytes(), path)
    for element in root.iter():
        element.tag = local_name(str(element.tag))
    scans: dict[str, xr.Dataset] = {}
    for measurement in root.iter("xrdMeasurement"):
        tube = _tube(measurement)
        found: list[xr.Dataset] = []
        for element in measurement.iter("scan"):
            found.append(_scan(element, tube, path, f"scan {len(found) + 1}"))
        scans |= series(found, len(scans))
    if not scans:
        raise ReadError(path, "holds no scan")
    for element in root.iter("dataPoints"):  # the numbers are in the scans: the header need not repeat them
        element.clear()
    started = root.findtext(".//startTimeStamp")
    names = filter(None, (root.findtext(".//instrumentControlSoftware"), root.findtext(".//instrumentID")))
    return tree(scans, header=plain_xml(root), instrument=f"PANalytical {', no. '.join(names)}", acquired=started)


def _tube(measurement: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag, name in TUBE.items():
        text = measurement.findtext(f".//usedWavelength/{tag}") or measurement.findtext(f".//xRayTube/{tag}")
        if text:
            found[name] = text if name == "anode" else float(text)
    return found


def _scan(element: Element, tube: dict[str, Any], path: Path, place: str) -> xr.Dataset:
    points = element.find("dataPoints")
    found = {} if points is None else {child.tag: child for child in points if child.tag in ("intensities", "counts")}
    if points is None or not found:
        raise ReadError(path, "the scan has no intensities or counts", place)
    kind, values = next((tag, numbers((child.text or "").split(), path, place)) for tag, child in found.items())
    axis = axis_of(element.get("scanAxis", ""), path, place)
    attrs: dict[str, Any] = tube | {
        "scan_type": element.get("scanAxis"),
        "scan_mode": element.get("mode"),
        "status": element.get("status"),
        "acquired": element.findtext("header/startTimeStamp"),
    }
    axes = {axis_of(entry.get("axis", ""), path, place): entry for entry in points.findall("positions")}
    if axis not in axes:
        raise ReadError(path, f"the positions of the scanned axis {axis} are missing", place)
    moving = {}
    for name, entry in axes.items():
        position = _positions(entry, values.size, path, place)
        if position.size == 1 and name != axis:
            attrs[name] = float(position[0])
        else:
            moving[name] = position
    time = _list(points, ("commonCountingTime", "countingTimes"), path, place)
    if time is not None and time.size == 1:
        attrs["counting_time"] = float(time[0])
    factor = _list(points, ("commonBeamAttenuationFactor", "beamAttenuationFactors"), path, place)
    counts = values
    if factor is not None and kind == "counts":
        values = counts * factor
    elif factor is not None:
        counts = values / factor
    dataset = scan(path, axis, moving.pop(axis), values, attrs, place)
    for name, position in moving.items():
        if (unit := spelled(axes[name].get("unit", "deg"))) not in ("degree", "mm"):
            raise ReadError(path, f"positions of {name} in '{unit}'; deg or mm expected", place)
        dataset[name] = variable(axis, position, unit, name)
    if time is not None and time.size == values.size > 1:
        dataset["counting_time"] = variable(axis, time, "s", "counting time of the point")
    if factor is not None:
        dataset["attenuation_factor"] = variable(axis, np.broadcast_to(factor, values.shape), "1", "attenuation factor")
        dataset["counts"] = variable(axis, counts, "count", "counts of the detector behind the absorber")
        uncertainty = factor * poisson_uncertainty(counts)
        with_uncertainty(dataset, "intensity", uncertainty, "Poisson, times the attenuation factor")
    return dataset


def _positions(entry: Element, size: int, path: Path, place: str) -> np.ndarray:
    """Return one common position, or one position per point."""
    listed = entry.findtext("listPositions")
    if listed is not None:
        return numbers(listed.split(), path, place)
    words = [entry.findtext(tag) for tag in ("commonPosition", "startPosition", "endPosition")]
    common, *ends = words
    if common is not None:
        return numbers([common], path, place)
    if None in ends:
        raise ReadError(path, f"axis {entry.get('axis')} has neither a list nor an end of its positions", place)
    start, end = numbers([str(word) for word in ends], path, place)
    return np.linspace(start, end, size)


def _list(points: Element, tags: tuple[str, ...], path: Path, place: str) -> np.ndarray | None:
    text = next((found for tag in tags if (found := points.findtext(tag))), None)
    return None if text is None else numbers(text.split(), path, place)
