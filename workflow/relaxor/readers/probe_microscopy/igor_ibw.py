"""Igor binary waves, ``.ibw``.

Instruments: Igor Pro, the scanning probe microscopes of Asylum Research (MFP-3D, Cypher) and Scienta SES save their
data in this form.

Recognition: The header begins with a known version in either byte order, and has a known type of numbers and the name
of a wave at their places.

Layout (WaveMetrics technical note 003): The version (i16; 1, 2, 3 or 5) decides the byte order. A block of sizes, the
wave header (code of the type, name, number of points, size, offset and step of every dimension, units) and the data in
column-major order follow, then formula, note, extended units, labels of dimensions and indices of strings. igor2
decodes the file, after the sizes that it announces have been checked against its length. Asylum images are waves of (x,
y, channel) with a labelled third dimension; curves (force, bias) are (time, channel). The label of a channel may end
with the rest of an earlier, longer one (``PhaseRetracerace``); what follows ``Trace`` or ``Retrace`` is left out. The
note (``Key: value`` lines) holds the settings of the instrument.

Schema: There is one child, named after what the wave is:

``image``
    One variable per channel with the dimensions (``y``, ``x``) and coordinates in m: ``height`` (m), ``amplitude`` (m),
    ``deflection`` (m), ``phase`` (degree, as stored: -90 to 270), …, with ``_trace`` or ``_retrace`` where the label
    says so.
``curve``
    One variable per channel with the dimension ``time`` (s): ``z_piezo``, ``deflection``, ``bias``, ``amplitude``, …
``wave``
    Any other wave: one variable (``value``, or named by its extended unit) with dimensions that are named by their
    units (``binding_energy``), or ``row``, ``column``, ``layer`` and ``chunk``. Text waves hold strings.

The attributes of the child are the ``name`` of the wave and, where the note gives them, ``imaging_mode``, ``scan_size``
(m), ``scan_rate`` (Hz), ``spring_constant`` (N/m), ``inverse_optical_lever_sensitivity`` (m/V), ``drive_frequency``
(Hz) and ``drive_amplitude`` (V). The file states no uncertainties; the surface, and not the converter, limits the
resolution of a scanning probe, so that the analysis estimates it. The header holds the wave header, the labels and
every line of the note.
"""

import contextlib
import io
import math
import re
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, tree, unpack
from relaxor.readers.common.text import c_text, collected, free, iso, snake
from relaxor.readers.common.unit_words import spelled

TEXT = 0
ITEM_SIZE = {TEXT: 1, 2: 4, 3: 8, 4: 8, 5: 16, 0x08: 1, 0x10: 2, 0x20: 4, 0x48: 1, 0x50: 2, 0x60: 4}
"""Bytes of a number by Igor's type code; text, floats, complex floats and integers are read."""
BINARY_HEADER = {1: 8, 2: 16, 3: 20, 5: 64}
OLD_HEADER, NEW_HEADER, PADDING = 110, 320, 16
MAX_EXTRAS = 4 << 20
"""Most bytes of note, labels and units together; igor2 makes one Python object of every label."""

CHANNELS = {
    "Height": ("height", "m", "height"),
    "ZSensor": ("z_sensor", "m", "height by the Z sensor"),
    "ZSnsr": ("z_sensor", "m", "height by the Z sensor"),
    "Raw": ("z_piezo", "m", "Z piezo position"),
    "LVDT": ("z_sensor", "m", "height by the Z sensor"),
    "Amplitude": ("amplitude", "m", "cantilever amplitude"),
    "Amp": ("amplitude", "m", "cantilever amplitude"),
    "Deflection": ("deflection", "m", "cantilever deflection"),
    "Defl": ("deflection", "m", "cantilever deflection"),
    "Phase": ("phase", "degree", "phase"),
    "Phas": ("phase", "degree", "phase"),
    "Frequency": ("frequency", "Hz", "resonance frequency"),
    "Freq": ("frequency", "Hz", "resonance frequency"),
    "Current": ("current", "A", "current"),
    "Potential": ("potential", "V", "surface potential"),
    "UserIn": ("user_input", "V", "user input"),
    "Bias": ("bias", "V", "tip bias"),
}
"""Label of a channel, and its variable, unit and name; Asylum stores channels in SI units and degrees."""
QUANTITIES = {"counts": "intensity"}
"""Names of data in extended units (``Counts [a.u.]``) for which this library has another name."""
SETTINGS = {
    "ScanSize": ("scan_size", "m"),
    "ScanRate": ("scan_rate", "Hz"),
    "SpringConstant": ("spring_constant", "N/m"),
    "InvOLS": ("inverse_optical_lever_sensitivity", "m/V"),
    "DriveFrequency": ("drive_frequency", "Hz"),
    "DriveAmplitude": ("drive_amplitude", "V"),
}
COMMON_UNITS = ("1", "m", "s", "V", "A", "eV", "Hz")
"""Units that are known without pint, which takes longer to load than a file takes to read."""
DATES = ("%Y-%m-%d", "%A, %B %d, %Y", "%a, %b %d, %Y", "%m/%d/%Y")
LAYOUTS = tuple(f"{day} {time}" for day in DATES for time in ("%I:%M:%S %p", "%H:%M:%S"))
EPOCH = datetime(1904, 1, 1)
"""Igor counts seconds from here, in local time."""


def recognises(head: bytes, path: Path) -> bool:
    """Return whether a header starts with a known version, a known number type and a wave name."""
    for order in "<>":
        version = struct.unpack_from(f"{order}h", head)[0] if len(head) >= 2 else 0
        if version not in BINARY_HEADER:
            continue
        wave = BINARY_HEADER[version]
        kind, name = (wave + 16, wave + 28) if version == 5 else (wave, wave + 6)
        if len(head) <= name:
            continue
        return struct.unpack_from(f"{order}h", head, kind)[0] & ~0x80 in ITEM_SIZE and chr(head[name]).isalpha()
    return False


def extract(path: Path) -> xr.DataTree:
    """Read an Igor binary wave; the schema is that of the module.

    Raises
    ------
    ReadError
        If the file is damaged or truncated, or if the wave has no points or no stored data.
    """
    name, dataset, header = read_wave(path.read_bytes(), path)
    note = header["note"]
    model = note.get("MicroscopeModel") or note.get("Instrument")
    maker = "Asylum Research" if "MicroscopeModel" in note else ""
    instrument = f"{maker} {model or 'Igor Pro'}".strip()
    return tree({name: dataset}, header, instrument, _acquired(note, header["wave_header"]))


def read_wave(data: bytes, path: Path) -> tuple[str, xr.Dataset, dict[str, Any]]:
    """Read the bytes of one wave; return the kind of child that the module describes, its dataset and its header."""
    _check(data, path)
    import igor2.binarywave

    stored = igor2.binarywave.load(io.BytesIO(data))
    wave = stored["wave"]
    note = _note(wave.get("note", b""))
    values = wave["wData"]
    if values.size == 0:
        formula = wave.get("formula", b"").decode("latin-1").strip()
        raise ReadError(path, f"depends on the formula '{formula}' and holds no data" if formula else "holds no points")
    kind, dataset = _dataset(wave, np.asarray(values))
    dataset.attrs |= {"name": wave["wave_header"]["bname"].decode("latin-1")} | _settings(note)
    header = {
        "version": stored["version"],
        "wave_header": wave["wave_header"],
        "sizes": wave["bin_header"],
        "labels": wave.get("labels", []),
        "formula": wave.get("formula", b""),
        "note": note,
    }
    return kind, dataset, header


def _check(data: bytes, path: Path) -> None:
    """Compare every size that the file announces with the bytes that it has."""
    (version,) = unpack("<h", data, 0, path)
    order = "<" if version in BINARY_HEADER else ">"
    (version,) = unpack(f"{order}h", data, 0, path)
    if version not in BINARY_HEADER:
        raise ReadError(path, f"Igor wave of version {version}; 1, 2, 3 and 5 are read", "byte 0x0")
    start = BINARY_HEADER[version]
    if version == 5:
        wave_size, *extras = unpack(f"{order}13i", data, 4, path)
        kind_at, shape_at, header = start + 16, start + 68, NEW_HEADER
        (points,) = unpack(f"{order}i", data, start + 12, path)
        shape = unpack(f"{order}4i", data, shape_at, path)
        expected = math.prod(size for size in shape if size > 0) if shape[0] > 0 else 0
        words = unpack(f"{order}{(start + NEW_HEADER) // 2}h", data, 0, path)
        if sum(words) % 65536:
            raise ReadError(path, "the checksum of the header is wrong: the file is damaged", "byte 0x2")
    else:
        wave_size, *extras = unpack(f"{order}{version}i", data, 2, path)
        kind_at, shape_at, header = start, start + 42, OLD_HEADER + PADDING
        (points,) = unpack(f"{order}i", data, shape_at, path)
        expected = points
    (kind,) = unpack(f"{order}h", data, kind_at, path)
    if kind not in ITEM_SIZE:
        raise ReadError(path, f"numbers of type {kind:#x} are not supported", f"byte {kind_at:#x}")
    if min(points, wave_size - header, *extras, 0) < 0 or points > MAX_POINTS or points != expected:
        raise ReadError(path, f"announces {points} points, {wave_size} bytes of wave", f"byte {shape_at:#x}")
    if sum(extras) > MAX_EXTRAS:
        raise ReadError(path, f"announces {sum(extras)} bytes of note and labels; {MAX_EXTRAS} are read", "byte 0x2")
    needed = start + wave_size + sum(extras)
    if needed > len(data):
        raise ReadError(path, f"ends early: {needed} bytes announced", f"byte {len(data):#x}")
    given = wave_size - header
    dependent = version == 3 and given == 0 and extras[1] > 0
    if kind != TEXT and given != points * ITEM_SIZE[kind] and not dependent:
        raise ReadError(path, f"{points} points do not fill the {given} bytes of data", f"byte {start + header:#x}")


# --- from the wave to a dataset ------------------------------------------------------------------------------------
def _dataset(wave: dict[str, Any], values: np.ndarray) -> tuple[str, xr.Dataset]:
    axes = dict(_axes(wave, values.shape))
    labels = [list(map(c_text, group)) for group in wave.get("labels", [])]
    if values.dtype.kind == "S":
        text = np.char.decode(values, "latin-1")
        return "wave", xr.Dataset({"text": variable(tuple(axes), text, "1", "text")}, coords=axes)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    channels = labels[values.ndim - 1][1:] if values.ndim > 1 and values.ndim <= len(labels) else []
    if not channels:
        name, unit = _named_unit(_unit(wave, "data"))
        quantity = QUANTITIES.get(name, name) or "value"
        parts = {quantity: (unit, name.replace("_", " ") or "value", values)}
        kind = "image" if list(axes) == ["x", "y"] else "wave"
    else:
        axes.popitem()
        parts = dict(_channels(channels, values))
        kind = {("x", "y"): "image", ("time",): "curve"}.get(tuple(axes), "wave")
    variables: dict[str, xr.Variable] = {}
    for name, (unit, long_name, channel) in parts.items():
        pieces = {name: channel}
        if np.iscomplexobj(channel):  # netCDF knows no complex numbers
            pieces = {f"{name}_real": channel.real, f"{name}_imaginary": channel.imag}
        for piece, numbers in pieces.items():
            # Igor counts rows first: x, y, ... Images are indexed (y, x) here.
            dims = tuple(axes)[::-1]
            variables[piece] = variable(dims, np.ascontiguousarray(numbers.T), unit, long_name)
    return kind, xr.Dataset(variables, axes)


def _axes(wave: dict[str, Any], shape: tuple[int, ...]) -> Iterator[tuple[str, xr.Variable]]:
    header = wave["wave_header"]
    steps = np.atleast_1d(header.get("sfA", header.get("hsA")))
    offsets = np.atleast_1d(header.get("sfB", header.get("hsB")))
    taken: set[str] = set()
    for index, size in enumerate(shape):
        name, unit = _named_unit(_unit(wave, index))
        plain = {"m": ("x", "y", "z", "chunk")[index], "s": "time"}
        name = name or plain.get(unit, ("row", "column", "layer", "chunk")[index])
        name = f"{name}_{index}" if name in taken else name
        taken.add(name)
        values = offsets[index] + steps[index] * np.arange(size)
        yield name, variable(name, values, unit, name.replace("_", " "))


def _channels(labels: list[str], values: np.ndarray) -> Iterator[tuple[str, tuple[str, str, np.ndarray]]]:
    taken: set[str] = set()
    for index in range(values.shape[-1]):
        label = labels[index] if index < len(labels) else ""
        name, unit, long_name = _channel(label or f"channel {index}")
        taken.add(name := free(name, taken))
        yield name, (unit, long_name, values[..., index])


def _channel(label: str) -> tuple[str, str, str]:
    """Return variable, unit and long name of a channel, without the tail of an earlier, longer label."""
    directed = re.match(r"(.+?)(Retrace|Trace)", label)
    base, direction = directed.groups() if directed else (label, "")
    known = max((key for key in CHANNELS if base.startswith(key)), key=len, default=None)
    if known is None:
        name, unit, long_name = snake(base), "1", base
    else:
        name, unit, long_name = CHANNELS[known]
        number = re.match(r"\d+", base[len(known) :])
        name, long_name = (f"{name}_{number[0]}", f"{long_name} {number[0]}") if number else (name, long_name)
    suffix = f"_{direction.lower()}" if direction else ""
    return name + suffix, unit, f"{long_name} ({direction.lower()})" if direction else long_name


def _unit(wave: dict[str, Any], which: int | str) -> str:
    """Return the unit of the data or of a dimension; the extended unit is taken if there is one."""
    header = wave["wave_header"]
    if which == "data":
        return c_text(wave.get("data_units", b"")) or c_text(b"".join(header["dataUnits"]))
    if "dimUnits" not in header:
        return c_text(b"".join(header["xUnits"]))
    sizes = wave["bin_header"]["dimEUnitsSize"]
    start = int(sum(sizes[:which]))
    extended = wave.get("dimension_units", b"")
    extended = b"".join(extended) if isinstance(extended, list) else extended
    return c_text(extended[start : start + int(sizes[which])]) or c_text(b"".join(header["dimUnits"][which]))


def _named_unit(text: str) -> tuple[str, str]:
    """Split ``Binding Energy [eV]`` into a name and a unit; a text that is not a unit becomes the name of a number."""
    named = re.fullmatch(r"([^\[]*)\[(.*)\]", text.strip())
    name, unit = named.groups() if named else ("", text)
    if spelled(unit) in COMMON_UNITS:
        return snake(name), spelled(unit)
    from relaxor.core.units import parse_unit

    return (snake(name), unit) if parse_unit(unit) is not None else (snake(name or unit), "1")


# --- the note ------------------------------------------------------------------------------------------------------
def _note(raw: bytes) -> dict[str, Any]:
    """Parse ``Key: value`` and ``Key=value`` lines; keys met twice hold a list, other lines go to ``text``."""
    lines = re.findall(r"([^:=\r\n]*)([:=]?)([^\r\n]*)", raw.decode("latin-1").rstrip("\0"))
    pairs = ((key.strip(), value.strip()) if mark else ("text", key.strip()) for key, mark, value in lines)
    return collected((key, value) for key, value in pairs if value or key != "text")


def _settings(note: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, (name, unit) in SETTINGS.items():
        with contextlib.suppress(TypeError, ValueError):
            settings |= {name: float(_last(note[key])), f"{name}_units": unit} if key in note else {}
    if "ImagingMode" in note:
        settings["imaging_mode"] = _last(note["ImagingMode"])
    return settings


def _last(entry: Any) -> str:
    return entry[-1] if isinstance(entry, list) else entry


def _acquired(note: dict[str, Any], header: dict[str, Any]) -> str | None:
    """Return date and time of the note, or else of the last change of the wave, whose creation may be years older."""
    if moment := iso(f"{_last(note.get('Date', ''))} {_last(note.get('Time', ''))}", *LAYOUTS):
        return moment
    seconds = header["modDate"]
    return (EPOCH + timedelta(seconds=seconds)).isoformat() if seconds else None
