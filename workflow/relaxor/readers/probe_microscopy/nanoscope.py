r"""NanoScope images and force curves, ``.spm``, ``.001`` and others.

Instruments: Scanning probe microscopes of Bruker (formerly Veeco and Digital Instruments) save their data in this form.

Recognition: The first line is ``\*File list``, ``\*Force file list`` or ``\*EC File list``.

Layout: The text header (code page 1252) consists of sections ``\*Name`` with lines ``\key: value`` and ends with
``\*File list end``. Blocks of little-endian integers stand at the ``Data offset`` of each ``\*Ciao image list`` or
``\*Ciao force image list``. A value is

    integer / 256^(Bytes/pixel) × hard value of ``@2:Z scale`` × its soft scale ``@Sens. …`` (NanoScope 4.2 and later).

The number of LSB in the brackets of ``Z scale`` is rounded, and is not that scale for every channel. Since version 9.2
integers are stored in 4 bytes whatever ``Bytes/pixel`` says; the length of the block tells which holds.

Schema: The child ``image`` has one variable per channel (``height_retrace``, ``amplitude_retrace``, …) with the
dimensions (``y``, ``x``) in the order of the file. Its values are in SI units; a channel without a calibrated unit is
in V or ``1``. Coordinates are in m. Channels of another size are children of their own, ``image_2`` and so on. The
child ``force`` has variables with the dimensions (``sweep``, ``sample``): the two sweeps of the ramp, as stored. The
length of the ramp is the attribute ``ramp_size`` (m). The file states no uncertainties.
"""

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import factor, parse_unit
from relaxor.core.variables import variable
from relaxor.readers.common.schema import array, tree
from relaxor.readers.common.text import free, iso, snake
from relaxor.readers.common.unit_words import spelled

HEADER_END = b"\\*File list end"
MAX_HEADER = 1 << 20
IMAGE, FORCE = "Ciao image list", "Ciao force image list"
SCALE = re.compile(r"V \[(?P<soft>[^\]]*)\] \([^)]*\)\s++(?P<hard>\S++)\s*+(?P<unit>\S*)")
SOFT = re.compile(r"V (?P<value>\S++)\s*+(?P<unit>\S*)")
PLANNED = "Lines of the scan"
"""Entry of a section of an image: number of lines of the whole scan, from the section of the scan."""
LENGTHS = {"nm": 1e-9, "um": 1e-6, "m": 1.0}

Section = dict[str, str]


def recognises(head: bytes, path: Path) -> bool:
    r"""Recognise the first section, ``\*File list``, ``\*Force file list`` or ``\*EC File list``."""
    return re.match(rb"\\\*[\w ]*[Ff]ile list\r?\n", head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read all channels of a file; the schema is that of the module.

    Raises
    ------
    ReadError
        If the file ends before its data, as a header without its data does.
    """
    data = path.read_bytes()
    end = data.find(HEADER_END, 0, MAX_HEADER)
    if end < 0:
        raise ReadError(path, f"header does not end with {HEADER_END.decode()!r} within {MAX_HEADER >> 20} MiB")
    sections = _sections(data[:end].decode("cp1252", "replace"))
    soft = {key: value for _, section in sections for key, value in section.items() if key.startswith("@Sens.")}
    found: dict[Any, xr.Dataset] = {}
    planned = next((section for name, section in sections if "scan list" in name and "Lines" in section), {})
    for number, (name, section) in enumerate(sections):
        if name in (IMAGE, FORCE):
            section = {PLANNED: planned.get("Lines", ""), **section}
            _add(found, name, section, soft, data, path, f"section {number + 1}, {name}")
    if not found:
        raise ReadError(path, "holds no image and no force curve")
    children: dict[str, xr.Dataset] = {}
    for (kind, *_), dataset in found.items():
        children[free("force" if kind == FORCE else "image", children)] = dataset
    general = dict(sections[0][1])
    scanner = next((section for _, section in sections if "Microscope" in section), {})
    instrument = f"NanoScope {scanner.get('Microscope', '')} (version {general.get('Version', '?')})"
    return tree(children, sections, instrument, iso(general.get("Date", ""), "%I:%M:%S %p %a %b %d %Y"))


def _sections(text: str) -> list[tuple[str, Section]]:
    sections: list[tuple[str, Section]] = []
    for line in text.splitlines():
        if line.startswith("\\*"):
            sections.append((line[2:].strip(), {}))
        elif line.startswith("\\"):
            # ``\@2:Z scale: V ...``: the number of the group belongs to the key.
            key, _, value = re.sub(r"^\\(@?)(?:\d+:)?", r"\1", line).partition(":")
            sections[-1][1].setdefault(key.strip(), value.strip())
    return sections


def _add(
    found: dict[Any, xr.Dataset], kind: str, section: Section, soft: Section, data: bytes, path: Path, place: str
) -> None:
    """Read one block and put it beside channels of the same kind, shape and extent."""
    values, unit = _values(section, soft, data, path, place)
    if kind == FORCE:
        values = values.reshape(2, -1)
        dims, coords, attrs = ("sweep", "sample"), {}, _ramp(section, soft)
    else:
        lines, columns = (_integer(section, key, path, place) for key in ("Number of lines", "Samps/line"))
        if lines < 1 or lines * columns != values.size:
            raise ReadError(path, f"{values.size} pixels do not fill {lines} lines of {columns}", place)
        values = values.reshape(lines, columns)
        dims, coords, attrs = ("y", "x"), _image_axes(section, values.shape, path, place), {}
    like = (kind, values.shape, *(axis.values.tobytes() for axis in coords.values()))
    dataset = found.setdefault(like, xr.Dataset(coords=coords, attrs=attrs))
    name, title = _channel(section)
    dataset[free(name, dataset)] = variable(dims, values, unit, title)


def _values(section: Section, soft: Section, data: bytes, path: Path, place: str) -> tuple[np.ndarray, str]:
    """Return the values of a block in SI units, and the unit."""
    offset, length = (_integer(section, key, path, place) for key in ("Data offset", "Data length"))
    if offset >= len(data):
        raise ReadError(path, f"is a header without its data, which would begin at byte {offset}", place)
    lines = 2 if "Number of lines" not in section else _integer(section, "Number of lines", path, place)
    pixels = lines * _integer(section, "Samps/line", path, place)
    announced = int(section.get("Bytes/pixel", "2")) if section.get("Bytes/pixel", "2") in "124" else 2
    stored = 4 if length == 4 * pixels else announced
    if pixels < 1 or length != pixels * stored:
        raise ReadError(path, f"{length} bytes of data for {pixels} pixels", place)
    numbers = array(data, f"<i{stored}", pixels, offset, path)
    scale = SCALE.fullmatch(section.get("@Z scale", ""))
    try:
        hard = float(scale["hard"]) / 256**announced if scale else np.nan
    except ValueError:
        hard = np.nan
    if not scale or not np.isfinite(hard):
        raise ReadError(path, f"has no scale of its values ('@2:Z scale: {section.get('@Z scale', '')}')", place)
    gain, unit = _soft(soft.get(f"@{scale['soft']}", ""), scale["unit"])
    return numbers * (hard * gain), unit


def _soft(text: str, hard_unit: str) -> tuple[float, str]:
    """Return the gain to SI of a soft scale ``V 12.9 nm/V`` and the unit; without one, the hard unit is kept."""
    match = SOFT.fullmatch(text)
    value = float(match["value"]) if match and re.fullmatch(r"[-+.\deE]+", match["value"]) else 1.0
    unit = match["unit"] if match else ""
    numerator, _, denominator = unit.partition("/")
    numerator = spelled(numerator if denominator == hard_unit and numerator else hard_unit)
    if numerator == "degree":
        return value, "degree"
    parsed = parse_unit(numerator)
    for target in ("m", "V", "A", "N", "Pa", "Hz"):
        if parsed is not None and parsed.is_compatible_with(target):
            return value * factor(numerator, target), target
    return value, "1"


def _ramp(section: Section, soft: Section) -> dict[str, Any]:
    scale = SCALE.fullmatch(section.get("@Ramp size", ""))
    if not scale:
        return {}
    with contextlib.suppress(ValueError):
        gain, unit = _soft(soft.get(f"@{scale['soft']}", ""), scale["unit"])
        return {"ramp_size": float(scale["hard"]) * gain, "ramp_size_units": unit}
    return {}


def _image_axes(section: Section, shape: tuple[int, ...], path: Path, place: str) -> dict[str, xr.Variable]:
    size = next((value for key, value in section.items() if key.lower() == "scan size"), "").split()
    try:
        sides = (size[:-1] * 2)[:2]
        width, height = (float(text) * LENGTHS[spelled(size[-1])] for text in sides)
    except (ValueError, KeyError, IndexError):
        raise ReadError(path, f"'Scan Size: {' '.join(size)}' is not a width and a height", place) from None
    if width == height:  # the size of the whole scan, of which these lines may be a part
        planned = section.get(PLANNED, "").split()[:1]
        lines = int(planned[0]) if planned and planned[0].isdecimal() and int(planned[0]) >= shape[0] else shape[1]
        height *= shape[0] / lines
    ends = {"y": (height, shape[0]), "x": (width, shape[1])}
    return {name: variable(name, np.arange(count) * (end / count), "m", name) for name, (end, count) in ends.items()}


def _channel(section: Section) -> tuple[str, str]:
    """Return name and title of a channel from its label and direction: ``S [ZSensor] "Height Sensor"``, ``Retrace``."""
    label = re.search(r'"(.*)"', section.get("@Image Data", ""))
    title = label[1] if label else "value"
    direction = next((value for key, value in section.items() if key.lower() == "line direction"), "")
    return snake(f"{title} {direction}") or "value", f"{title} {direction}".strip()


def _integer(section: Section, key: str, path: Path, place: str) -> int:
    text = section.get(key, "").split()
    if not text or not re.fullmatch(r"\d{1,9}", text[0]):
        raise ReadError(path, f"'{key}: {section.get(key, '')}' is not a number", place)
    return int(text[0])
