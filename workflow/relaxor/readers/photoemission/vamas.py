"""VAMAS spectra, ``.vms`` and ``.npl`` (ISO 14976), of REGULAR and IRREGULAR scans.

Instruments: The programs of most photoelectron spectrometers, and CasaXPS, export spectra in this form.

Recognition: The first line that is not blank is the identifier of the format.

Layout: Every item stands on a line of its own. The header of the experiment has identifiers, a comment, the modes of
experiment and scan, the variables of the experiment, a list of the parameters that are given in every block or only in
the first one, and the number of blocks. A block has 40 numbered parameters, the number of ordinate values, minimum and
maximum of each variable, and the values of all variables in turn. ``1E+37`` stands for "not known". A REGULAR block
gives the first abscissa and the step; in the IRREGULAR files that programs write, the abscissa is the first of the
"corresponding variables".

The library vamas is not used, because it refuses IRREGULAR scans, miscounts the inclusion list and cannot name the line
at which a file is damaged. Where it reads a file, the tests compare both.

Kinetic energies in these files are referred to the Fermi level: E_b = hν − E_k gives the binding energies of the paired
exports exactly. The work function is therefore kept as an attribute and not subtracted again.

Schema: There is one child per block, named after species and transition (``Fe2p``), or else after its identifier. It
has ``intensity`` (count/s; count where the collection time is not given), ``counts`` (as written, where the ordinate is
counts), both with their uncertainties (Poisson), and further variables such as ``transmission``. The dimension is
``binding_energy`` (eV, in the order of the file) with the coordinate ``kinetic_energy``; it is ``kinetic_energy`` where
the excitation energy is not given, and has the abscissa's own name where that is no energy. The attributes are
``region``, ``sample``, ``counting_time`` (s: time per scan times scans), ``pass_energy``, ``excitation_energy``,
``work_function`` (eV), ``comment``, ``technique`` and ``acquired``, and the variables of the experiment
(``etch_time`` with ``etch_time_units``). The blocks of further experiments in the file follow; a warning names them.
The root has ``title``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import Lines, decoded, free, number, safe, slug, text_of
from relaxor.stats.counts import poisson_uncertainty

MAX_BYTES = 64 << 20
MARK = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
UNKNOWN = 1e36
"""Larger values mean "not known"; the standard writes 1E+37."""
END = "end of experiment"
"""Line that ends an experiment, in small letters."""
MODES = ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "NORM", "SDP", "SDPSV", "SEM", "NOEXP")
Kind = Callable[[str], Any]
"""Reads a parameter, whose name the message has if it is missing."""
SPUTTER_MODES = ("MAPDP", "MAPSVDP", "SDP", "SDPSV")
ION_TECHNIQUES = ("FABMS", "FABMS energy spec", "ISS", "SIMS", "SIMS energy spec", "SNMS", "SNMS energy spec")
ELECTRON_TECHNIQUES = ("AES diff", "AES dir", "EDX", "ELS", "UPS", "XPS", "XRF")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the identifier of the format in the first line that is not blank."""
    return decoded(head).lstrip().startswith(MARK)


def extract(path: Path) -> xr.DataTree:
    """Read a VAMAS file; the schema is that of the module.

    Raises
    ------
    ReadError
        If a line is missing or is not what the format asks for; the message names the line.
    """
    lines = _Lines(path)
    children: dict[str, xr.Dataset] = {}
    experiments: list[dict[str, Any]] = []
    warnings: list[str] = []
    while not experiments or _goes_on(lines, warnings):
        begin, before = lines.at + 1, len(children)
        header = _experiment(lines)
        blocks = _blocks(lines, header, children)
        experiments.append({"experiment": header, "blocks": blocks})
        if len(experiments) > 1:
            names = ", ".join(list(children)[before:]) or "none"
            warnings.append(f"line {begin}: experiment {len(experiments)} of the file begins; its blocks are {names}")
    if not children:
        raise ReadError(path, "holds no blocks", lines.place)
    first, blocks = (experiments[0][part] for part in ("experiment", "blocks"))
    whole = experiments[0] if len(experiments) == 1 else {"experiments": experiments}
    acquired, title = blocks[0].get("acquired") if blocks else None, first["experiment_identifier"]
    return tree(children, whole, first["instrument"], acquired, warnings, title=title)


def _blocks(lines: "_Lines", header: dict[str, Any], children: dict[str, xr.Dataset]) -> list[dict[str, Any]]:
    """Read the blocks of an experiment, add their datasets to the children, and return their parameters."""
    first: dict[str, Any] = {}
    blocks = []
    for _ in range(lines.count("number of blocks")):
        block = _block(lines, header, first)
        first = first or block
        values = block.pop("values")
        dataset = _dataset(block, values, lines).assign_attrs(_conditions(block, header))
        children[free(safe(_name(block), "block"), children)] = dataset
        blocks.append(block)
    return blocks


def _conditions(block: dict[str, Any], header: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of the experiment in a block, such as the etch time of a depth profile, and their units."""
    found: dict[str, Any] = {}
    for (label, unit), value in zip(header["experiment_variables"], block["experiment_values"], strict=True):
        name = slug(label)
        if name and value is not None:
            found |= {name: value, f"{name}_units": _unit(unit)}
    return found


def _goes_on(lines: "_Lines", warnings: list[str]) -> bool:
    """Return whether another experiment follows, and warn of anything else behind the last block."""
    rest = [line.strip() for line in lines.lines[lines.at :]]
    held = [line for line in rest if line and line.lower() != END]
    if not held or held[0] == MARK:
        return bool(held)
    warnings.append(f"{len(held)} lines behind the last block are not read ('{held[0][:40]}')")
    return False


class _Lines:
    """The lines of a file and the line that was reached, which every message names."""

    def __init__(self, path: Path):
        self.path, self.lines, self.at = path, Lines(text_of(path)), 0

    @property
    def place(self) -> str:
        return f"line {self.at}"

    def text(self, what: str) -> str:
        if self.at >= len(self.lines):
            raise ReadError(self.path, f"ends early: {what} expected", f"line {self.at + 1}")
        self.at += 1
        return self.lines[self.at - 1].strip()

    def number(self, what: str) -> float | None:
        """Return a number, or None if the file states that it is not known."""
        found = self.text(what)
        value = number(found)
        if value is None:
            raise ReadError(self.path, f"{what} expected, found '{found[:40]}'", self.place)
        return value if abs(value) < UNKNOWN else None

    def integer(self, what: str) -> int:
        value = self.number(what)
        if value is None or value != int(value):
            raise ReadError(self.path, f"{what} expected, found '{self.lines[self.at - 1][:40]}'", self.place)
        return int(value)

    def count(self, what: str) -> int:
        """Return the number of items that follow; a file cannot announce more of them than it has lines."""
        value = self.integer(what)
        if not 0 <= value <= len(self.lines) - self.at:
            left = len(self.lines) - self.at
            raise ReadError(self.path, f"{what} is {value}, {left} lines follow", self.place)
        return value

    def texts(self, count: int, what: str) -> list[str]:
        return [self.text(what) for _ in range(count)]

    def values(self, count: int, what: str) -> np.ndarray:
        chunk = self.lines[self.at : self.at + count]
        try:
            values = np.array(chunk, dtype=float)
        except ValueError:
            values = np.array([self.number(what) for _ in chunk], dtype=float)
        self.at += count
        if not np.isfinite(values).all():
            line = self.at - count + int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise ReadError(self.path, f"{what}: value is not a finite number", f"line {line}")
        return values


def _experiment(lines: _Lines) -> dict[str, Any]:
    while (mark := lines.text("format identifier")).lower() in ("", END):
        pass
    if mark != MARK:
        raise ReadError(lines.path, f"is not VAMAS: found '{mark[:60]}'", lines.place)
    names = ("institution", "instrument", "operator", "experiment_identifier")
    header: dict[str, Any] = {name: lines.text(name) for name in names}
    header["comment"] = lines.texts(lines.count("number of comment lines"), "comment")
    header["experiment_mode"] = mode = lines.text("experiment mode")
    header["scan_mode"] = scan = lines.text("scan mode")
    if mode not in MODES:
        raise ReadError(lines.path, f"experiment mode '{mode}' is none of {', '.join(MODES)}", f"line {lines.at - 1}")
    if scan not in ("REGULAR", "IRREGULAR"):
        raise ReadError(lines.path, f"scan mode '{scan}' is not read (REGULAR and IRREGULAR are)", lines.place)
    if mode in ("MAP", "MAPDP", "NORM", "SDP"):
        header["spectral_regions"] = lines.integer("number of spectral regions")
    if mode in ("MAP", "MAPDP"):
        header["map"] = [lines.integer("size of the map") for _ in range(3)]
    variables = range(lines.count("number of experiment variables"))
    header["experiment_variables"] = [
        (lines.text("experiment variable"), lines.text("unit of the experiment variable")) for _ in variables
    ]
    header["given"] = _given(lines)
    items = range(lines.count("number of manually entered items"))
    header["manual_items"] = [lines.integer("manually entered item") for _ in items]
    header["upgrades"] = lines.texts(lines.count("number of future upgrade entries"), "future upgrade entry")
    header["block_upgrades"] = lines.count("number of future upgrade block entries")
    return header


def _given(lines: _Lines) -> list[int]:
    """Return the numbers (1 to 40) of the parameters that every block gives; the first block gives all."""
    size = lines.integer("size of the inclusion list")
    if abs(size) > 40:
        raise ReadError(lines.path, f"inclusion list of {size} parameters; a block has 40", lines.place)
    listed = {lines.integer("parameter of the inclusion list") for _ in range(abs(size))}
    return sorted(listed if size > 0 else set(range(1, 41)) - listed)


def _block(lines: _Lines, header: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """Read one block; missing entries are taken from the first block."""
    given = set(header["given"]) if first else range(1, 41)
    block: dict[str, Any] = {"identifier": lines.text("block identifier"), "sample": lines.text("sample identifier")}
    for index, (name, kind) in enumerate(_parameters(lines, header).items(), start=1):
        if _has(name, header, block.get("technique", "")):
            block[name] = kind(name.replace("_", " ")) if index in given else first[name]
    block["upgrades"] = lines.texts(header["block_upgrades"], "future upgrade block entry")
    block["values"] = _values(lines, block)
    block["acquired"] = _time(block)
    return block


def _parameters(lines: _Lines, header: dict[str, Any]) -> dict[str, Kind]:
    """Return the 40 parameters of a block in their order, each with the function that reads it."""
    text, number = lines.text, lines.number

    def several(count: int) -> Kind:
        return lambda what: [number(what) for _ in range(count)]

    def listed(name: str, *kinds: Kind) -> Kind:
        return lambda what: [tuple(kind(name) for kind in kinds) for _ in range(lines.count(f"number of {name}"))]

    return {
        **dict.fromkeys(("year", "month", "day", "hour", "minute", "second", "hours_from_gmt"), number),
        "comment": lambda what: lines.texts(lines.count("number of block comment lines"), what),
        "technique": text,
        "position": several(2),
        "experiment_values": several(len(header["experiment_variables"])),
        "source": text,
        "sputtering_ion": several(3),
        "excitation_energy": number,
        "source_strength": number,
        "source_width": several(2),
        "field_of_view": several(2),
        "linescans": several(6),
        "source_polar_angle": number,
        "source_azimuth": number,
        "analyser_mode": text,
        **dict.fromkeys(("pass_energy", "differential_width", "magnification", "work_function", "target_bias"), number),
        "analysis_width": several(2),
        "take_off_angles": several(2),
        "species": text,
        "transition": lambda what: [text(what), lines.integer("charge of the particle")],
        "abscissa": lambda what: [text(what), text(what), number("first abscissa"), number("abscissa step")],
        "variables": listed("corresponding variables", text, text),
        "signal_mode": text,
        **dict.fromkeys(("collection_time", "scans", "time_correction"), number),
        "sputtering": lambda what: [*several(6)(what), text("sputtering mode")],
        "tilt": several(2),
        "rotation": number,
        "additional": listed("additional parameters", text, text, number),
    }


def _has(name: str, header: dict[str, Any], technique: str) -> bool:
    """Return whether the blocks of an experiment of this mode have a parameter."""
    mode = header["experiment_mode"]
    conditions = {
        "position": mode in ("MAP", "MAPDP"),
        "sputtering_ion": mode in SPUTTER_MODES or technique in ION_TECHNIQUES,
        "field_of_view": mode in ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "SEM"),
        "linescans": mode in ("MAPSV", "MAPSVDP", "SEM"),
        "differential_width": technique == "AES diff",
        "abscissa": header["scan_mode"] == "REGULAR",
        "sputtering": mode in SPUTTER_MODES and technique in ELECTRON_TECHNIQUES,
    }
    return conditions.get(name, True)


def _values(lines: _Lines, block: dict[str, Any]) -> np.ndarray:
    """Return the values, shape (variables, points)."""
    variables = len(block["variables"])
    size = lines.integer("number of ordinate values")
    left = len(lines.lines) - lines.at
    if variables == 0 or size <= 0 or size % variables or size + 2 * variables > left:
        problem = f"announces {size} values of {variables} variables, {left} lines follow"
        raise ReadError(lines.path, problem, lines.place)
    block["limits"] = [(lines.number("minimum"), lines.number("maximum")) for _ in range(variables)]
    return lines.values(size, "ordinate value").reshape(-1, variables).T


def _dataset(block: dict[str, Any], values: np.ndarray, lines: _Lines) -> xr.Dataset:
    if "abscissa" in block:
        label, unit, start, step = block["abscissa"]
        if start is None or step is None:
            raise ReadError(lines.path, f"block '{block['identifier']}' gives no abscissa", lines.place)
        axis = start + step * np.arange(values.shape[1])
        variables = block["variables"]
    else:
        (label, unit), *variables = block["variables"]
        axis, values = values[0], values[1:]
    if not variables:
        raise ReadError(lines.path, f"block '{block['identifier']}' has no ordinate", lines.place)
    name, coordinates = _axis(label, unit, axis, block["excitation_energy"])
    attrs = _attributes(block)
    measured = _intensity(name, values[0], variables[0][1], attrs.get("counting_time"))
    for (other, other_unit), column in zip(variables[1:], values[1:], strict=True):
        key = free(slug(other) or "abscissa", measured | coordinates)
        measured[key] = variable(name, column, _unit(other_unit), other.strip().lower())
    return xr.Dataset(measured, coordinates, attrs)


def _intensity(axis: str, values: np.ndarray, unit: str, time: float | None) -> dict[str, xr.Variable]:
    """Make counts and rate; the unit shows which of them the file holds (``c/s``, or ``d`` for counts)."""
    rate = unit.strip().lower() in ("c/s", "cps")
    if time is None:
        signal = {"intensity": variable(axis, values, "count/s" if rate else "count", "photoelectron signal")}
        return signal if rate else with_uncertainty(signal, "intensity", poisson_uncertainty(values), "Poisson")
    counts = values * time if rate else values
    error = poisson_uncertainty(counts)
    signal = {"intensity": variable(axis, counts / time, "count/s", "photoelectron rate")}
    with_uncertainty(signal, "intensity", error / time, "Poisson")
    if not rate:
        signal["counts"] = variable(axis, counts, "count", "photoelectron counts")
        with_uncertainty(signal, "counts", error, "Poisson")
    return signal


def _axis(label: str, unit: str, axis: np.ndarray, excitation: float | None) -> tuple[str, dict[str, xr.Variable]]:
    lower = label.lower()
    if unit.strip().lower() != "ev" or not ("kinetic" in lower or "binding" in lower):
        name = slug(label) or "abscissa"
        return name, {name: variable(name, axis, _unit(unit), lower.strip())}
    if "kinetic" in lower and not excitation:
        return "kinetic_energy", {"kinetic_energy": variable("kinetic_energy", axis, "eV", "kinetic energy")}
    binding = axis if "binding" in lower else float(excitation or 0) - axis
    coordinates = {"binding_energy": variable("binding_energy", binding, "eV", "binding energy")}
    if excitation:
        kinetic = float(excitation) - binding
        coordinates["kinetic_energy"] = variable("binding_energy", kinetic, "eV", "kinetic energy")
    return "binding_energy", coordinates


def _attributes(block: dict[str, Any]) -> dict[str, Any]:
    time, scans = block["collection_time"], block["scans"]
    found = {
        "region": _name(block),
        "sample": block["sample"],
        "technique": block["technique"],
        "comment": "\n".join(block["comment"]),
        "counting_time": time * max(scans or 1, 1) if time and time > 0 else None,
        "pass_energy": block["pass_energy"],
        "excitation_energy": block["excitation_energy"],
        "work_function": block["work_function"],
        "acquired": block["acquired"],
    }
    return {key: value for key, value in found.items() if value is not None}


def _name(block: dict[str, Any]) -> str:
    species = "" if block["species"] in ("None", "-1", "Not Specified") else block["species"]
    transition = "" if block["transition"][0] in ("None", "-1", "Not Specified") else block["transition"][0]
    return f"{species}{transition}" or block["identifier"]


def _time(block: dict[str, Any]) -> str | None:
    date = [block[key] for key in ("year", "month", "day")]
    clock = [block[key] for key in ("hour", "minute", "second")]
    if any(part is None or part < 1 for part in date):
        return None
    day = "-".join(f"{int(part):02d}" for part in date)
    if any(part is None or part < 0 for part in clock):
        return day
    return day + "T" + ":".join(f"{int(part):02d}" for part in clock)


def _unit(unit: str) -> str:
    return {"d": "1", "n": "1", "c": "count", "c/s": "count/s", "s": "s", "ev": "eV"}.get(unit.strip().lower(), "1")
