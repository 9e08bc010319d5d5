"""Data files of the program SPEC, often without an extension or ``.spec``, ``.dat``.

Instruments: SPEC of Certified Scientific Software runs diffractometers of synchrotrons and laboratories.

Recognition: The file begins with ``#F `` and a later line of the first bytes with ``#E``, ``#D``, ``#O`` or ``#S``; or
it begins with ``#S``, a number and a command.

Layout: Lines that begin with ``#`` and a letter are control lines. ``#S number command`` begins a scan, ``#N`` is the
number of columns, and ``#L`` has their names, separated by two blanks. ``#O`` lines (of the file) name the motors and
``#P`` lines (of a scan) say where they stood. Rows of numbers follow. Lines that begin with ``@`` hold spectra of
multichannel analysers, which are not read.

Schema: The children ``scan_<number>`` (``scan_<number>_2`` where it repeats) have the dimension of the first column
(``two_theta``, ``theta``, ``omega``, ``chi``, ``phi`` in degrees; any other one is named after the column) and one
variable per column. The last column is the detector by the convention of SPEC: ``intensity`` (count) with its
uncertainty (Poisson) of whole counts. ``Seconds`` is ``counting_time`` (s), an attribute where it is the same at all
points. Columns whose unit nothing says are in ``1``; a warning names them. The attributes are ``command``,
``acquired`` and, for each motor, ``motor_<name>`` in the unit of the beamline, which the file does not say.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, head_lines, iso, lines_of, number, numbers, slug
from relaxor.readers.diffraction.scans import AXES
from relaxor.stats.counts import poisson_uncertainty

MAX_BYTES = 64 << 20
MAX_SCANS = 10_000
ANGLES = {
    "two_theta": r"two_?theta|2_?theta|tth|2th|tt|del(ta)?",
    "theta": r"theta|th",
    "omega": r"omega|om|eta|samth",
    "chi": r"chi",
    "phi": r"phi",
}
COUNTERS = r"(ion.*|mon(itor)?\d*|det(ector)?\w*|i[0-2]|ic\d*|roi\d*|.*_?counts?|scint\w*|apd\w*|pd\d*)"


@dataclass
class Scan:
    """A scan as it stands in the file."""

    number: str
    command: str
    line: int
    names: list[str] = field(default_factory=list)
    columns: int = 0
    date: str = ""
    positions: list[str] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    spectra: int = 0


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the control lines of a file, or of a scan without them."""
    lines = head_lines(head)
    if not lines:
        return False
    first = next((line for line in lines if line.strip()), "")
    if re.match(r"#S \d+ +\S", first):
        return True
    return first.startswith("#F ") and any(re.match(r"#[EDOS]\d* \S", line) for line in lines[1:])


def extract(path: Path) -> xr.DataTree:
    """Read all scans of a file; the schema is that of the module."""
    header, motors, scans = _parsed(path)
    children: dict[str, xr.Dataset] = {}
    warnings: list[str] = []
    for scan in scans:
        name = free(f"scan_{scan.number}", children)
        if scan.spectra:
            warnings.append(f"{name}: {scan.spectra} spectra of a multichannel analyser are not read")
        if not scan.rows:
            warnings.append(f"{name}: holds no points ({scan.command})")
            continue
        children[name] = _dataset(scan, motors, path, name, warnings)
    if not children:
        raise ReadError(path, f"holds {len(scans)} scans and no points")
    acquired = _date(next((line[3:] for line in header if line.startswith("#D ")), "")) or _date(scans[0].date)
    title = next((line[3:].strip() for line in header if line.startswith("#C ")), "")
    told = {"lines": header, "scans": {f"{scan.number} {scan.command}": scan.controls for scan in scans}}
    return tree(children, told, f"SPEC {title}".strip(), acquired, warnings)


def _parsed(path: Path) -> tuple[list[str], list[str], list[Scan]]:
    """Return the control lines before the first scan, the names of the motors, and the scans."""
    header: list[str] = []
    motors: list[str] = []
    scans: list[Scan] = []
    spectrum = False
    for row, line in enumerate(lines_of(path), start=1):
        key, _, value = line.partition(" ")
        if key == "#S":
            digits, _, command = value.strip().partition(" ")
            scans.append(Scan(digits, command.strip(), row))
            if len(scans) > MAX_SCANS:
                raise ReadError(path, f"holds more than {MAX_SCANS} scans", f"line {row}")
        elif re.fullmatch(r"#O\d+", key):
            motors = motors[:0] if key == "#O0" else motors
            motors += re.split(r"\s{2,}", value.strip())
            header.append(line)
        elif not scans:
            header += [line] if line.strip() else []
        elif line.startswith("@") or spectrum:
            scans[-1].spectra += not spectrum
            spectrum = line.rstrip().endswith("\\")
        elif line.startswith("#"):
            scans[-1].controls.append(line)
            _control(scans[-1], key, value)
        elif line.strip():
            scans[-1].rows.append((row, line.split()))
    return header, motors, scans


def _control(scan: Scan, key: str, value: str) -> None:
    """Keep a control line of a scan."""
    if key == "#L":
        scan.names = re.split(r"\s{2,}|\t", value.strip())
    elif key == "#N":
        scan.columns = int(number(value.split()[0]) or 0) if value.split() else 0
    elif key == "#D":
        scan.date = value.strip()
    elif re.fullmatch(r"#P\d+", key):
        scan.positions += value.split()


def _dataset(scan: Scan, motors: list[str], path: Path, name: str, warnings: list[str]) -> xr.Dataset:
    last, words = scan.rows[-1]
    rows = scan.rows
    if len(rows) > 1 and len(words) < len(rows[0][1]):
        warnings.append(f"{name}: line {last}: the last row is cut off and left out")
        rows = rows[:-1]
    width = len(rows[0][1])
    wrong = next(((line, row) for line, row in rows if len(row) != width), None)
    if wrong:
        raise ReadError(path, f"{len(wrong[1])} numbers in a row; {width} are expected", f"line {wrong[0]}")
    names = scan.names
    if len(names) != width:
        warnings.append(f"{name}: #L names {len(names)} of {width} columns, which are numbered")
        names = [f"column {index}" for index in range(1, width + 1)]
    place = f"{name}, lines {rows[0][0]} to {rows[-1][0]}"
    table = numbers([word for _, row in rows for word in row], path, place).reshape(len(rows), width)
    axis, unit, meaning = _axis(names[0])
    result = xr.Dataset(coords={axis: variable(axis, table[:, 0], unit, meaning)})
    unknown = [names[0]] if unit == "1" else []
    for index, label in enumerate(names[1:], start=1):
        unknown += _add(result, axis, label, table[:, index], last=index == width - 1 and names is scan.names)
    if unknown:
        warnings.append(f"{name}: nothing says in which unit {', '.join(unknown)} is")
    attrs: dict[str, Any] = {"command": scan.command, "acquired": _date(scan.date)}
    for motor, word in zip(motors, scan.positions, strict=False):
        attrs[f"motor_{slug(motor)}"] = number(word)
    return result.assign_attrs(result.attrs | {key: value for key, value in attrs.items() if value not in ("", None)})


def _axis(label: str) -> tuple[str, str, str]:
    """Return name, unit and meaning of the axis that the first column is."""
    plain = slug(label)
    axis = next((axis for axis, words in ANGLES.items() if re.fullmatch(words, plain)), None)
    return (axis, *AXES[axis]) if axis else (plain or "position", "1", label or "position")


def _add(result: xr.Dataset, axis: str, label: str, values: np.ndarray, last: bool) -> list[str]:
    """Add a column; return its label if nothing says its unit."""
    plain = slug(label)
    whole = bool((values >= 0).all() and np.array_equal(values, np.round(values)))
    if last:
        result["intensity"] = variable(axis, values, "count", label)
        if whole:
            with_uncertainty(result, "intensity", poisson_uncertainty(values), "Poisson")
        return []
    if plain in ("seconds", "sec", "count_time"):
        if np.ptp(values) == 0 and values[0] > 0:
            result.attrs["counting_time"] = float(values[0])
        result[free("counting_time" if np.ptp(values) else "seconds", result)] = variable(axis, values, "s", label)
        return []
    angle = next((name for name, words in ANGLES.items() if re.fullmatch(words, plain)), None)
    unit = AXES[angle][0] if angle else "s" if plain == "epoch" else "count" if re.fullmatch(COUNTERS, plain) else "1"
    result[free(angle or plain or "column", result)] = variable(axis, values, unit, label)
    return [label] if unit == "1" and plain not in ("h", "k", "l") else []


def _date(text: str) -> str | None:
    return iso(" ".join(text.split()), "%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S")
