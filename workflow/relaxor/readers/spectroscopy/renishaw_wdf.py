"""Renishaw WiRE spectra and maps, ``.wdf``.

Instruments: WiRE, the program of Renishaw Raman microscopes (inVia, Qontor), saves its spectra in this form.

Recognition: The file begins with ``WDF1``. The older ``.wxd`` (``#WXD``) is recognised too, so that it is refused by
name.

Layout: The file is a chain of blocks. A block has its name (4 bytes), its number (u32) and its length (u64, of the
whole block). The first one, ``WDF1``, holds the points per spectrum (u32 at 60), the capacity (u64 at 64) and the
number of spectra (u64 at 72). ``DATA`` holds the intensities (f32), ``XLST`` the axis (kind and unit u32, then f32).
rosettasciio reads the values and the places of a map, after the chain has been walked here. Where the numbers of a file
do not fit its axes, rosettasciio averages spectra; such files are read here, as they stand. WiRE writes the axis
descending; it is returned ascending, as rosettasciio has it.

Schema: The child is named after the title of the measurement. It has ``intensity`` (``count`` or ``count/s``) along
``raman_shift`` (1/cm) or ``wavelength`` (nm); a map has ``y`` and ``x`` (m), a line ``abs_distance``, and a series
``z``. The attribute is ``integration_time`` (s, of all accumulations). A file whose axes do
not fit its numbers has the child ``spectra`` with the dimensions (``spectrum``, ``point``) and a warning. A white-light
image beside the spectra is no region of the measurement: it is not read, and the root says so. An axis whose values
have no order (a focus track) is an index.
"""

from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import array, tree, unpack
from relaxor.readers.common.signals import counts_of, datasets, exposure

BLOCK_BYTES = 16


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the magic, and that of ``.wxd``, which is refused by name."""
    return head.startswith((b"WDF1", b"#WXD"))


def extract(path: Path) -> xr.DataTree:
    """Read a ``.wdf`` file; the schema is that of the module."""
    from rsciio.renishaw import file_reader

    data = path.read_bytes()
    if data.startswith(b"#WXD"):
        raise ReadError(path, "is a WXD container of an old WiRE, which is not read; use its .wdf, .spc or .txt export")
    blocks = _walk(data, path)
    points, _, spectra = unpack("<I2Q", data, 60, path)
    values = array(data, "<f4", points * spectra, blocks["DATA"] + BLOCK_BYTES, path).reshape(spectra, points)
    signals = file_reader(str(path))
    warnings: list[str] = []
    header = dict(signals[0]["original_metadata"])
    first = signals[0]["metadata"]["General"]
    unit = counts_of(signals[0])
    if signals[0]["data"].size != values.size:
        warnings = [f"the axes do not fit {spectra} spectra of {points} points: given as they stand in the file"]
        axis = array(data, "<f4", points, blocks["XLST"] + BLOCK_BYTES + 8, path).astype(float)
        children = {"spectra": xr.Dataset({"intensity": variable(("spectrum", "point"), values, unit, "intensity")})}
        children["spectra"]["axis"] = variable("point", axis, "1", "axis without meaning")
    else:
        children = datasets([{**signals[0], "units": unit}], [exposure(signals[0])])
    sizes = (" x ".join(str(size) for size in image["data"].shape[:2]) for image in signals[1:])
    warnings += [f"a white-light image of {size} pixels is not read" for size in sizes]
    date = f"{first['date']}T{first['time']}"
    acquired = None if date.startswith("1601") else date
    return tree(children, header=header, instrument="Renishaw WiRE", acquired=acquired, warnings=warnings)


def _walk(data: bytes, path: Path) -> dict[str, int]:
    """Return the offset of the first block of each name."""
    blocks: dict[str, int] = {}
    offset = 0
    while offset < len(data):
        name, _, length = unpack("<4sIQ", data, offset, path)
        if length < BLOCK_BYTES or offset + length > len(data):
            problem = f"block {name.decode('latin-1')!r} of {length} bytes, {len(data) - offset} bytes follow"
            raise ReadError(path, problem, f"byte {offset:#x}")
        blocks.setdefault(name.decode("latin-1"), offset)
        offset += length
    for name in ("WDF1", "DATA", "XLST"):
        if name not in blocks:
            raise ReadError(path, f"holds no block {name}; its blocks are {', '.join(blocks)}")
    return blocks
