"""Igor binary waves (``.ibw``), as Igor Pro, Asylum Research microscopes and Scienta SES write them.

Layout (WaveMetrics technical note 003): ``int16 version`` (1, 2, 3 or 5, in either byte order, which it decides), a
block of section sizes, a wave header (type code, name, number of points, per-dimension size, offset and step, units),
the data in column-major order, then formula, note, extended units, dimension labels and string indices. igor2
decodes it; the sizes that the file announces are checked against its length before igor2 sees them.

Asylum images are waves of (x, y, channel) with a labelled third dimension; curves (force, bias) are (time, channel).
A channel label may carry the tail of an earlier, longer one (``PhaseRetracerace``): what follows ``Trace`` or
``Retrace`` is dropped. The note (``Key: value`` lines) holds the settings of the instrument.
"""

import contextlib
import io
import math
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, tree, unpack
from relaxor.readers.registry import Reader

TEXT, COMPLEX = 0, 1
ITEM_SIZE = {TEXT: 1, 2: 4, 3: 8, 4: 8, 5: 16, 0x08: 1, 0x10: 2, 0x20: 4, 0x48: 1, 0x50: 2, 0x60: 4}
"""Bytes of a number by Igor's type code; text, floats, complex floats and integers are read."""
BINARY_HEADER = {1: 8, 2: 16, 3: 20, 5: 64}
OLD_HEADER, NEW_HEADER, PADDING = 110, 320, 16
MAX_EXTRAS = 4 << 20
"""Most bytes of note, labels and units together; igor2 makes one Python object of each of them."""

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
"""Channel label → variable, unit and name; Asylum stores channels in SI units and degrees."""
QUANTITIES = {"counts": "intensity"}
"""Names of data in extended units (``Counts [a.u.]``) that the data contract calls otherwise."""
SETTINGS = {
    "ScanSize": ("scan_size", "m"),
    "ScanRate": ("scan_rate", "Hz"),
    "SpringConstant": ("spring_constant", "N/m"),
    "InvOLS": ("inverse_optical_lever_sensitivity", "m/V"),
    "DriveFrequency": ("drive_frequency", "Hz"),
    "DriveAmplitude": ("drive_amplitude", "V"),
}
NO_UNIT, COMMON_UNITS = ("", "a.u.", "arb. units"), ("m", "s", "V", "A", "eV", "Hz")
"""Units that are known without asking pint, which takes longer to load than a file."""
DATES = ("%Y-%m-%d", "%A, %B %d, %Y", "%a, %b %d, %Y", "%m/%d/%Y")
TIMES = ("%I:%M:%S %p", "%H:%M:%S")
EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
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
    """Read an Igor binary wave.

    Returns
    -------
    xarray.DataTree
        One child, named after what the wave is:

        ``image``
            Variables of dims ``(y, x)`` with coordinates in m, one a channel: ``height`` (m), ``amplitude`` (m),
            ``deflection`` (m), ``phase`` (degree, as stored: -90 to 270), ..., with ``_trace`` or ``_retrace``
            where the label says so.
        ``curve``
            Variables of dim ``time`` (s), one a channel: ``z_piezo``, ``deflection``, ``bias``, ``amplitude``, ...
        ``wave``
            Any other wave: one variable (``value``, or named by its extended unit), with the dimensions named by
            their units (``binding_energy``) or ``row``, ``column``, ``layer``, ``chunk``. Text waves hold strings.

        Attributes of the child: ``name`` of the wave, ``imaging_mode`` and the settings ``scan_size`` (m),
        ``scan_rate`` (Hz), ``spring_constant`` (N/m), ``inverse_optical_lever_sensitivity`` (m/V),
        ``drive_frequency`` (Hz) and ``drive_amplitude`` (V) where the note gives them. The file states no
        uncertainties, and the resolution of a scanning probe is set by the surface, not by the converter: the
        analysis estimates it. The header holds the wave header, labels and every line of the note.

    Raises
    ------
    ReadError
        For damaged or truncated files and for waves without points or without stored data.
    """
    name, dataset, header = read_wave(path.read_bytes(), path)
    note = header["note"]
    model = note.get("MicroscopeModel") or note.get("Instrument")
    maker = "Asylum Research" if "MicroscopeModel" in note else ""
    return tree(
        {name: dataset},
        header=header,
        instrument=" ".join(filter(None, (maker, str(model or "Igor Pro")))),
        acquired=_acquired(note, header["wave_header"]),
    )


def read_wave(data: bytes, path: Path) -> tuple[str, xr.Dataset, dict[str, Any]]:
    """Read the bytes of one wave: the kind of child that `extract` describes, its dataset and its header."""
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
            raise ReadError(path, "the checksum of the header does not hold: the file is damaged", "byte 0x2")
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
    labels = [list(map(_text, group)) for group in wave.get("labels", [])]
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
        if not name:
            name = {"m": ("x", "y", "z", "chunk")[index], "s": "time"}.get(
                unit, ("row", "column", "layer", "chunk")[index]
            )
        name = f"{name}_{index}" if name in taken else name
        taken.add(name)
        values = offsets[index] + steps[index] * np.arange(size)
        yield name, variable(name, values, unit, name.replace("_", " "))


def _channels(labels: list[str], values: np.ndarray) -> Iterator[tuple[str, tuple[str, str, np.ndarray]]]:
    taken: dict[str, int] = {}
    for index in range(values.shape[-1]):
        label = labels[index] if index < len(labels) else ""
        name, unit, long_name = _channel(label or f"channel {index}")
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name}_{taken[name]}"
        yield name, (unit, long_name, values[..., index])


def _channel(label: str) -> tuple[str, str, str]:
    """Return variable, unit and long name of a channel, without the tail of an earlier, longer label."""
    directed = re.match(r"(.+?)(Retrace|Trace)", label)
    base, direction = directed.groups() if directed else (label, "")
    known = max((key for key in CHANNELS if base.startswith(key)), key=len, default=None)
    if known is None:
        name, unit, long_name = _snake(base), "1", base
    else:
        name, unit, long_name = CHANNELS[known]
        number = re.match(r"\d+", base[len(known) :])
        name, long_name = (f"{name}_{number[0]}", f"{long_name} {number[0]}") if number else (name, long_name)
    suffix = f"_{direction.lower()}" if direction else ""
    return name + suffix, unit, f"{long_name} ({direction.lower()})" if direction else long_name


def _unit(wave: dict[str, Any], which: int | str) -> str:
    """Return the unit of the data or of a dimension: the extended one if there is one."""
    header = wave["wave_header"]
    if which == "data":
        return _text(wave.get("data_units", b"")) or _text(b"".join(header["dataUnits"]))
    if "dimUnits" not in header:
        return _text(b"".join(header["xUnits"]))
    sizes = wave["bin_header"]["dimEUnitsSize"]
    start = int(sum(sizes[:which]))
    extended = wave.get("dimension_units", b"")
    extended = b"".join(extended) if isinstance(extended, list) else extended
    return _text(extended[start : start + int(sizes[which])]) or _text(b"".join(header["dimUnits"][which]))


def _named_unit(text: str) -> tuple[str, str]:
    """Split ``Binding Energy [eV]`` into a name and a unit; what is no unit is taken as none."""
    named = re.fullmatch(r"\s*(.*?)\s*\[(.*)\]\s*", text)
    name, unit = named.groups() if named else ("", text)
    if unit in NO_UNIT:
        return _snake(name), "1"
    if unit in COMMON_UNITS:
        return _snake(name), unit
    from relaxor.core.units import parse_unit

    return (_snake(name), unit) if parse_unit(unit) is not None else (_snake(name or unit), "1")


def _snake(text: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    return re.sub(r"\W+", "_", words, flags=re.ASCII).strip("_").lower()


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1")


# --- the note ------------------------------------------------------------------------------------------------------
def _note(raw: bytes) -> dict[str, Any]:
    """Parse ``Key: value`` and ``Key=value`` lines; keys met twice hold a list, other lines go to ``text``."""
    note: dict[str, Any] = {}
    for key, separator, value in re.findall(r"([^:=\r\n]*)([:=]?)([^\r\n]*)", raw.decode("latin-1").rstrip("\0")):
        key, value = (key.strip(), value.strip()) if separator else ("text", key.strip())
        if not value and key == "text":
            continue
        if key in note:
            note[key] = [*(note[key] if isinstance(note[key], list) else [note[key]]), value]
        else:
            note[key] = value
    return note


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
    """Return date and time of the note, else of the wave's last change (its creation may be years older)."""
    date, time = _last(note.get("Date", "")), _last(note.get("Time", ""))
    for date_format in DATES:
        for time_format in TIMES:
            with contextlib.suppress(ValueError):
                return datetime.strptime(f"{date} {time}", f"{date_format} {time_format}").isoformat()
    seconds = header["modDate"]
    return (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat() if seconds else None


READER = Reader("igor_ibw", recognises, extract)
