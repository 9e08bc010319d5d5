"""SPECS SpecsLab 2 files, ``.xml``: spectra with the counts of every channel of the detector.

Instruments: SpecsLab 2, the program of SPECS electron analysers (PHOIBOS), saves its spectra in this form.

Recognition: The file is XML, and its first bytes name ``XMLSerializer`` and ``from SL``.

Layout: The XML consists of named ``struct`` and ``sequence`` elements; it has a document type but no entities. Groups
of regions hold ``RegionData``. These hold the settings (``region``), the ``shift`` of each channel of the detector, and
cycles of scans with ``counts``. The samples of the channels alternate. Before and after the spectrum lie ``mcd_head``
and ``mcd_tail`` samples, because channel *i* counts at kinetic energies that are shifted by ``shift[i]`` × pass energy.
The channels are added where they counted at the same energy, to the nearest step; added without the shift, the lines of
real files are half as high.

Schema: There is one child per region, named after it, with the dimension ``binding_energy`` (eV; ``kinetic_energy`` is
a coordinate) and, for several scans, ``scan``. It has ``counts`` (count) and ``intensity`` (count/s) with their
uncertainties (Poisson), summed over the channels, and ``channel_counts`` (``scan``, ``channel``, ``sample``), as
recorded. The attributes are ``group``, ``analyzer``, ``counting_time`` (s per point), ``pass_energy``,
``excitation_energy``, ``work_function`` (eV), ``analysis_method``, ``analyzer_lens``, ``analyzer_slit``,
``bias_voltage_V``, ``detector_voltage_V`` and ``acquired``.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.containers import parse_xml
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, number, numbers, unix_date
from relaxor.readers.photoemission.regions import spectrum

MAX_BYTES = 32 << 20
SETTINGS = ("analysis_method", "analyzer_lens", "analyzer_slit")
VOLTS = ("bias_voltage", "detector_voltage")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the serializer of SpecsLab."""
    return head.lstrip().startswith(b"<?xml") and b"XMLSerializer" in head and b"from SL " in head


def extract(path: Path) -> xr.DataTree:
    """Read a SpecsLab 2 file; the schema is that of the module.

    Raises
    ------
    ReadError
        If a setting is missing, if the counts do not fill the spectrum, or if the mode is another one than a scan at
        fixed pass energy.
    """
    root = parse_xml(path.read_bytes(), path)
    children: dict[str, xr.Dataset] = {}
    for group in _structs(root, "RegionGroup"):
        for region in _structs(group, "RegionData"):
            name = _text(region, "name", path, "a region")
            data = _region(region, _text(group, "name", path, "a group"), name, path)
            if data is not None:
                children[free(name, children)] = data
    if not children:
        raise ReadError(path, "holds no measured region")
    first = next(iter(children.values())).attrs
    header = {name: dict(child.attrs) for name, child in children.items()}
    return tree(children, header, f"SPECS {first['analyzer']}", first.get("acquired"))


def _region(region: Element, group: str, name: str, path: Path) -> xr.Dataset | None:
    """Return the dataset of a region, or None if it was never measured."""
    place = f"region {name}"
    scans = [_counts(scan, path, place) for scan in _structs(region, "ScanData")]
    scans = [scan for scan in scans if scan.size]
    if not scans:
        return None
    if len({scan.size for scan in scans}) > 1:
        raise ReadError(path, f"scans of {sorted({scan.size for scan in scans})} samples", place)
    settings = _named(region, "region", path, place)
    mode = _text(_named(settings, "scan_mode", path, place), "name", path, place)
    if mode != "FixedAnalyzerTransmission":
        raise ReadError(path, f"scan mode {mode} is not read, only FixedAnalyzerTransmission", place)
    pass_energy, step = (_number(settings, key, path, place) for key in ("pass_energy", "scan_delta"))
    points = int(_number(settings, "values_per_curve", path, place))
    head = int(_number(region, "mcd_head", path, place))
    analyzer = _named(region, "analyzer_info", path, place)
    shifts = [_number(channel, "shift", path, place) for channel in _structs(analyzer, "Detector")]
    if not shifts or scans[0].size % len(shifts) or not step:
        raise ReadError(path, f"{scans[0].size} samples of {len(shifts)} channels, {step} eV apart", place)
    channels = np.stack(scans).reshape(len(scans), -1, len(shifts)).swapaxes(1, 2)
    starts = [head - round(shift * pass_energy / step) for shift in shifts]
    if min(starts) < 0 or points < 1 or max(starts) + points > channels.shape[-1]:
        raise ReadError(path, f"{channels.shape[-1]} samples per channel do not hold {points} shifted points", place)
    seen = [channels[:, index, start : start + points] for index, start in enumerate(starts)]
    summed = np.sum(seen, axis=0)
    excitation = _number(settings, "excitation_energy", path, place)
    kinetic = _number(settings, "kinetic_energy", path, place) + step * np.arange(points)
    attrs = {
        "group": group,
        "analyzer": _text(analyzer, "name", path, place),
        "acquired": next((unix_date(_text(cycle, "time", path, place)) for cycle in _structs(region, "Cycle")), None),
        "counting_time": _number(settings, "dwell_time", path, place),
        "excitation_energy": excitation,
        "pass_energy": pass_energy,
        "work_function": _number(settings, "effective_workfunction", path, place),
        **{key: _text(settings, key, path, place) for key in SETTINGS},
        **{f"{key}_V": _number(settings, key, path, place) for key in VOLTS},
    }
    values, recorded = (summed, channels) if len(scans) > 1 else (summed[0], channels[0])
    dataset = spectrum(path, "binding_energy", excitation - kinetic, values, "count", attrs, place)
    dims = ("scan", "channel", "sample")[-recorded.ndim :]
    return dataset.assign(channel_counts=variable(dims, recorded, "count", "counts of each detector channel"))


def _counts(scan: Element, path: Path, place: str) -> np.ndarray:
    words = " ".join(element.text or "" for element in _named(scan, "counts", path, place)).split()
    return numbers(words, path, f"{place}, counts")


def _structs(element: Element, kind: str) -> Iterator[Element]:
    return (child for child in element.iter("struct") if child.get("type_name") == kind)


def _named(element: Element, name: str, path: Path, place: str) -> Element:
    for child in element:
        if child.get("name") == name:
            return child
    raise ReadError(path, f"has no element named {name}", place)


def _text(element: Element, name: str, path: Path, place: str) -> str:
    return (_named(element, name, path, place).text or "").strip()


def _number(element: Element, name: str, path: Path, place: str) -> float:
    text = _text(element, name, path, place)
    value = number(text)
    if value is None or not np.isfinite(value):
        raise ReadError(path, f"{name} is {text!r}, not a number", place)
    return value
