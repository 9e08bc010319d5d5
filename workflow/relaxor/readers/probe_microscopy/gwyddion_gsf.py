r"""Gwyddion simple fields, ``.gsf``.

Instruments: Gwyddion and programs around it exchange single images in this form.

Recognition: The first line is ``Gwyddion Simple Field 1.0``.

Layout: Lines ``Key = value`` follow in UTF-8. One to four zero bytes fill the header up to a multiple of four bytes,
and 4-byte floats, least significant byte first, follow row by row from the top.

Schema: The child ``image`` has one variable, named after the title (``height`` where its unit is a length and there is
no title, else ``value``), with the dimensions (``y``, ``x``) in the order of the file. Coordinates are in m where the
lateral unit is a length. The attribute is ``title``. The file states no uncertainties.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, array, tree
from relaxor.readers.common.text import entries, number
from relaxor.readers.probe_microscopy.images import add_channel, in_base, unknown_unit

MAGIC = b"Gwyddion Simple Field 1.0\n"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return head.startswith(MAGIC)


def extract(path: Path) -> xr.DataTree:
    """Read a field; the schema is that of the module."""
    data = path.read_bytes()
    end = data.find(b"\0")
    if end < 0:
        raise ReadError(path, "no zero byte ends the header")
    header = entries(data[len(MAGIC) : end].decode("utf-8", "replace").splitlines(), "=")
    columns, lines = (number(header.get(key, "")) or 0 for key in ("XRes", "YRes"))
    if not (columns > 0 and lines > 0 and columns * lines <= MAX_POINTS and (columns % 1, lines % 1) == (0, 0)):
        raise ReadError(path, f"announces {header.get('XRes')} × {header.get('YRes')} pixels", "XRes, YRes")
    shape = (int(lines), int(columns))
    begin = end + 4 - end % 4
    values = array(data, "<f4", shape[0] * shape[1], begin, path).reshape(shape)
    title, unit = header.get("Title", ""), header.get("ZUnits", "")
    dataset = xr.Dataset(coords=_axes(header, shape, path), attrs={"title": title} if title else {})
    length = in_base(values[:1], unit)[1] == "m"
    add_channel(dataset, title or ("height" if length else "value"), "", values, unit)
    units = ((title or "value", unit), ("XYUnits", header.get("XYUnits", "")))
    warnings = list(filter(None, (unknown_unit(*each) for each in units)))
    return tree({"image": dataset}, header, "not stated in the file", warnings=warnings)


def _axes(header: dict[str, str], shape: tuple[int, int], path: Path) -> dict[str, xr.Variable]:
    """Return the coordinates of the centres of the pixels, as Gwyddion defines them."""
    found = {}
    for axis, key, count in (("y", "Y", shape[0]), ("x", "X", shape[1])):
        side = number(header.get(f"{key}Real", "")) if f"{key}Real" in header else 1.0
        offset = number(header.get(f"{key}Offset", "0"))
        if side is None or offset is None or not side > 0 or not np.isfinite([side, offset]).all():
            raise ReadError(path, "side or offset is no number that makes sense", f"{key}Real, {key}Offset")
        centres = offset + (np.arange(count) + 0.5) * (side / count)
        found[axis] = variable(axis, *in_base(centres, header.get("XYUnits", "")), axis)
    return found
