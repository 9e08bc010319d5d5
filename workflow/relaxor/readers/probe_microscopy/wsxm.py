"""WSxM images, ``.stp``, ``.top``, ``.f.ch1`` and others.

Instruments: The program WSxM of Nanotec Electrónica saves images of its own and of other microscopes in this form.

Recognition: The first line is ``WSxM file copyright …``, and the first bytes name ``Image header size``.

Layout: The header has as many bytes as ``Image header size`` says; its sections ``[Name]`` hold lines ``key: value``.
Rows of numbers follow, of the type ``Image Data Type`` (2-byte integers where it is not given). The pixels are stored
from the last to the first one, so that the image stands upside down and mirrored. Floating-point numbers are in the
unit of ``Z Amplitude``; integers between their minimum and maximum span that amplitude.

Schema: The child ``image`` has one variable, named after the channel (``height`` for topography), with the dimensions
(``y``, ``x``) from the upper left corner; coordinates are in m. The file states no uncertainties.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import factor
from relaxor.readers.common.schema import MAX_POINTS, array, tree
from relaxor.readers.common.text import number
from relaxor.readers.common.unit_words import unit_of
from relaxor.readers.probe_microscopy.images import add_channel, axes, unknown_unit

MAGIC = b"WSxM file copyright"
SIZE = re.compile(rb"Image header size:\s*(\d{1,7})")
TYPES = {"double": "<f8", "float": "<f4", "short": "<i2", "integer": "<i4", "": "<i2"}
MAX_HEADER = 1 << 20


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line and the size of the header."""
    return head.startswith(MAGIC) and SIZE.search(head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read an image; the schema is that of the module."""
    data = path.read_bytes()
    match = SIZE.search(data, 0, MAX_HEADER)
    begin = int(match[1]) if match else 0
    header = _header(data[: min(begin, MAX_HEADER)].decode("cp1252", "replace"))
    columns, lines = (number(header.get(f"General Info: Number of {key}", "")) or 0 for key in ("columns", "rows"))
    if not (columns > 0 and lines > 0 and columns * lines <= MAX_POINTS and (columns % 1, lines % 1) == (0, 0)):
        raise ReadError(path, f"announces {columns:g} columns and {lines:g} rows", "General Info")
    kind = header.get("General Info: Image Data Type", "").lower()
    if kind not in TYPES:
        raise ReadError(path, f"holds numbers of the type '{kind[:20]}'; known are {', '.join(TYPES)}", "General Info")
    shape = (int(lines), int(columns))
    values = array(data, TYPES[kind], shape[0] * shape[1], begin, path).reshape(shape)[::-1, ::-1].astype(float)
    amplitude, unit = _amount(header.get("General Info: Z Amplitude", ""))
    warnings = [warning for warning in [unknown_unit("Z Amplitude", unit)] if warning]
    if TYPES[kind][1] == "i":
        values = _spanned(values, amplitude, warnings)
    height, width = (_length(header, key, path) for key in ("Y Amplitude", "X Amplitude"))
    dataset = xr.Dataset(coords=axes(shape, height, width, path, "Control"))
    title = header.get("General Info: Acquisition channel", "") or "value"
    add_channel(dataset, title, "", values, unit)
    return tree({"image": dataset}, header, "WSxM", warnings=warnings)


def _header(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"\s*\[(.*)\]\s*", line):
            section = match[1].strip()
        else:
            key, mark, value = line.partition(":")
            if mark:
                found.setdefault(f"{section}: {key.strip()}" if section else key.strip(), value.strip())
    return found


def _amount(text: str) -> tuple[float, str]:
    words = text.split(maxsplit=1)
    value = number(words[0]) if words else None
    return (np.nan if value is None else value), words[1].strip() if len(words) > 1 else ""


def _length(header: dict[str, str], key: str, path: Path) -> float:
    value, unit = _amount(header.get(f"Control: {key}", ""))
    known = unit_of(unit)
    try:
        return value * factor(known or "", "m")
    except ValueError:
        raise ReadError(path, f"'{value:g} {unit[:20]}' is no length", f"Control, {key}") from None


def _spanned(values: np.ndarray, amplitude: float, warnings: list[str]) -> np.ndarray:
    """Return integers as heights above their minimum: they span the amplitude."""
    low, high = values.min(), values.max()
    if not np.isfinite(amplitude) or low == high:
        warnings.append("integers without a Z Amplitude to scale them: the values are raw")
        return values
    return (values - low) * (amplitude / (high - low))
