"""Gwyddion matrices of text with an informational header, ``.txt``.

Instruments: Gwyddion exports the images of all scanning probe microscopes in this form, and other programs write it.

Recognition: The first line begins with ``# Channel:``, and lines that begin with ``# Width:``, ``# Height:`` and
``# Value units:`` follow.

Layout: Width and height of the whole image with their unit (``2.000 µm``) are followed by one row of numbers for each
line of the image from the top, separated by tabs or blanks, possibly with decimal commas.

Schema: The child ``image`` has one variable, named after the channel (heights begin with ``height``), with the
dimensions (``y``, ``x``) in m. The attribute is ``title``. The file states no uncertainties.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import entries, head_lines, lines_of, number
from relaxor.readers.probe_microscopy.images import add_channel, axes, in_base, unknown_unit

KEYS = ("Channel", "Width", "Height", "Value units")
SIDE = re.compile(r"([-+.,\deE]++)\s*+(\S*)")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the four lines of the header."""
    lines = head_lines(head)[:8]
    return bool(lines) and lines[0].startswith("# Channel:") and set(KEYS) <= set(_header(lines))


def extract(path: Path) -> xr.DataTree:
    """Read an image; the schema is that of the module."""
    lines = lines_of(path)
    header = _header(lines[:20])
    tables = tables_of(lines, path).tables
    if len(tables) != 1:
        raise ReadError(path, f"holds {len(tables)} tables of numbers where one is expected")
    values = tables[0].values
    height, width = (_side(header.get(key, ""), key, path) for key in ("Height", "Width"))
    title, unit = header["Channel"], header.get("Value units", "")
    dataset = xr.Dataset(coords=axes(values.shape, height, width, path, "header"), attrs={"title": title})
    add_channel(dataset, title or "value", "", values, unit)
    warnings = list(filter(None, [unknown_unit(title, unit)]))
    return tree({"image": dataset}, header, "not stated in the file", warnings=warnings)


def _header(lines: list[str]) -> dict[str, str]:
    return entries([line[1:] for line in lines if line.startswith("#")], ":")


def _side(text: str, key: str, path: Path) -> float:
    """Return the length of a side in m."""
    match = SIDE.fullmatch(text.strip())
    value = number(match[1].replace(",", ".")) if match else None
    if match is None or value is None:
        raise ReadError(path, f"'{text[:40]}' is no length", f"header, {key}")
    length, unit = in_base(np.array(value), match[2])
    if unit != "m":
        raise ReadError(path, f"'{text[:40]}' is no length in a known unit", f"header, {key}")
    return float(length)
