"""JPK images, ``.jpk``, ``.jpk-qi-image`` and others (TIFF).

Instruments: NanoWizard microscopes of JPK (Bruker) save images and the maps of force curves in this form.

Recognition: The file is a TIFF, and its first page has the tags of the scanned grid, 0x8040 to 0x8043.

Layout: The first page is a picture for previews. Every other page is a channel, named by tag 0x8052 (or 0x8050) and its
direction by 0x8051 (0: trace, 1: retrace). The slots of a channel (0x8080 of them, of which 0x8081 names the preferred
one) stand from 0x8090 on, 0x30 apart: name, and at 0x12 the unit, at 0x13 the kind of scale, at 0x14 and 0x15 factor
and offset, which lead from the stored numbers to the unit. The sides of the grid are 0x8042 and 0x8043 (m), its centre
0x8040 and 0x8041, its angle 0x8044. Lines are stored from the lowest one on.

Schema: The child ``image`` (``image_2``, … for other sizes) has one variable per channel (``height_measured_trace``, …)
in the preferred calibration and SI units, with the dimensions (``y``, ``x``), whose coordinates are in m from the lower
left corner. Numbers without a calibration are ``1``, with a warning. The attributes are ``x_center``, ``y_center`` (m),
``scan_angle`` (degree) and ``imaging_mode``. The file states no uncertainties.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import free, iso
from relaxor.readers.common.unit_words import unit_of
from relaxor.readers.electron_microscopy.microscope_tif import MAGIC, check_pages
from relaxor.readers.probe_microscopy.images import add_channel, axes

GRID = (0x8040, 0x8041, 0x8042, 0x8043)
VERSION, DATE, ANGLE, MODE = 0x8000, 0x8003, 0x8044, 0x8052
KEY, DIRECTION, NAME = 0x8050, 0x8051, 0x8052
SLOTS, PREFERRED, FIRST_SLOT, SLOT_SIZE = 0x8080, 0x8081, 0x8090, 0x30
UNIT, KIND, FACTOR, OFFSET = 0x12, 0x13, 0x14, 0x15
MAX_SLOTS = 64
DIRECTIONS = {0: "trace", 1: "retrace"}
Tags = Mapping[int, Any]


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a TIFF whose first page has the tags of the grid."""
    if not head.startswith(MAGIC):
        return False
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            tags = file.pages[0].aspage().tags
            return all(code in tags for code in GRID)
    except Exception:  # a damaged TIFF raises errors of many kinds; the reader of images names the damage
        return False


def extract(path: Path) -> xr.DataTree:
    """Read all channels of a file; the schema is that of the module."""
    import tifffile

    check_pages(path)
    found: dict[tuple[int, ...], xr.Dataset] = {}
    warnings: list[str] = []
    with tifffile.TiffFile(path) as file:
        pages = [({tag.code: tag.value for tag in page.aspage().tags}, page) for page in file.pages]
        general = pages[0][0]
        if sum(page.size for _, page in pages) > MAX_POINTS:
            raise ReadError(path, f"announces more than {MAX_POINTS} pixels; such files are refused")
        width, height = (_number(general.get(code), path, f"tag {code:#x}") for code in GRID[2:])
        for number, (tags, page) in enumerate(pages[1:], start=2):
            place = f"page {number}"
            values = page.asarray()
            if values.ndim != 2 or KEY not in tags:
                warnings.append(f"{place} is no channel and is not read")
                continue
            if values.shape not in found:
                found[values.shape] = xr.Dataset(coords=axes(values.shape, height, width, path, place))
            _add(found[values.shape], tags, values, path, place, warnings)
    if not found:
        raise ReadError(path, "holds no channel")
    children: dict[str, xr.Dataset] = {}
    for dataset in found.values():
        children[free("image", children)] = dataset.assign_attrs(_attributes(general))
    header = [{f"{code:#x}": value for code, value in tags.items() if code >= VERSION} for tags, _ in pages]
    acquired = iso(" ".join(str(general.get(DATE, "")).split()[:2]))
    return tree(children, header, f"JPK (version {general.get(VERSION, '?')})", acquired, warnings)


def _add(dataset: xr.Dataset, tags: Tags, values: np.ndarray, path: Path, place: str, warnings: list[str]) -> None:
    """Add a channel in its preferred calibration."""
    title = str(tags.get(NAME) or tags[KEY]).strip()
    direction = DIRECTIONS.get(tags.get(DIRECTION, -1), "")
    count = tags.get(SLOTS, 0)
    if not isinstance(count, int) or not 0 <= count <= MAX_SLOTS:
        raise ReadError(path, f"channel {title} announces {count} calibrations", place)
    slots = [FIRST_SLOT + SLOT_SIZE * index for index in range(count)]
    slot = next((slot for slot in slots if tags.get(slot) == tags.get(PREFERRED)), None)
    kind = "" if slot is None else str(tags.get(slot + KIND, ""))
    if slot is None or kind != "LinearScaling":
        if kind != "NullScaling":
            warnings.append(f"{place}: channel {title} has no linear scale ('{kind}')")
        warnings.append(f"{place}: channel {title} holds raw numbers without a calibration")
        add_channel(dataset, title, direction, values, "1")
        return
    factor, offset = (
        _number(tags.get(slot + code), path, f"{place}, tag {slot + code:#x}") for code in (FACTOR, OFFSET)
    )
    unit = str(tags.get(slot + UNIT, ""))
    if unit_of(unit) is None:
        warnings.append(f"{place}: the unit '{unit}' of channel {title} is not known")
    add_channel(dataset, title, direction, values * factor + offset, unit, calibration=str(tags[PREFERRED]))


def _number(value: Any, path: Path, place: str) -> float:
    if not isinstance(value, int | float) or not np.isfinite(value):
        raise ReadError(path, f"'{str(value)[:40]}' is not a number", place)
    return float(value)


def _attributes(general: Tags) -> dict[str, Any]:
    named = {"x_center": GRID[0], "y_center": GRID[1], "scan_angle": ANGLE}
    found = {name: general.get(code) for name, code in named.items()}
    attrs: dict[str, Any] = {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
    if "scan_angle" in attrs:
        attrs["scan_angle"] = float(np.degrees(attrs["scan_angle"]))
    return attrs | ({"imaging_mode": str(general[MODE])} if MODE in general else {})
