"""JCAMP-DX spectra, ``.jdx``, ``.dx``, ``.jcm``.

Instruments: Infrared, Raman, UV/Vis, NMR, ion-mobility and mass spectrometers of most makers, and data bases of
spectra, write this standard of the Joint Committee on Atomic and Molecular Physical Data (versions 4.24 and 5).

Recognition: The first line that is no comment is ``##TITLE=``, and ``##JCAMP-DX=`` or a label of its data follows.

Layout: Records ``##LABEL=value`` run over any number of lines; case, blanks, ``-``, ``/`` and ``_`` of a label mean
nothing, and ``$$`` begins a comment. ``##TITLE=`` begins a block and ``##END=`` ends it; a block of ``LINK`` type holds
others. Data are pairs, ``(XY..XY)``, or lines of ordinates behind the first abscissa, ``(X++(Y..Y))``. Such lines hold
plain numbers or compressed integers: digits packed by their signs (PAC), a letter for sign and first digit (SQZ),
differences (DIF) and repetitions (DUP). The first ordinate of a line after a difference repeats the last one as a
check. ``XFACTOR`` and ``YFACTOR`` multiply the numbers; ``FIRSTX`` and ``LASTX`` are true abscissae. The library jcamp
was not taken: it prints what fails its checks and goes on, it does not compare ``NPOINTS``, and a repetition of any
length fills its memory.

Schema: There is one child for each block with data: ``spectrum``, or, of several, the end of its title
(``dark_spectrum``). It has ``raman_shift`` or ``wavenumber`` (1/cm), ``wavelength`` (nm), ``time``, ``frequency``,
``chemical_shift``, ``mass_to_charge``, ``magnetic_field`` or ``x``, and ``transmittance``, ``reflectance``,
``absorbance``, ``current`` or ``intensity``. The attributes are ``title`` and ``data_type``. The header has all records
of every block. The root has a warning for each block that holds no spectrum, for fewer points than announced, for a
first ordinate that is not ``FIRSTY``, and for units that the numbers cannot have.
"""

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import collected, first_number, free, iso, lines_of, number, safe, slug
from relaxor.readers.common.unit_words import split_label, unit_of

MAX_BYTES = 64 << 20
MAX_VALUES = 4_000_000
"""Most numbers of one block; repetitions may announce any number."""
MAX_BLOCKS = 1000
TITLE = re.compile(rb"\s*(?:\$\$[^\n]*\n\s*)*##\s*title\s*=", re.IGNORECASE)
LABELS = re.compile(rb"##\s*(?:jcamp[-_ ]?(?:dx|cs)|xydata|xypoints|xunits|data[ _]?type)\s*=", re.IGNORECASE)
DATA = ("XYDATA", "XYPOINTS", "PEAKTABLE")
NOT_READ = ("NTUPLES", "RADATA", "PEAKASSIGNMENTS", "ATOMLIST", "ASSIGNMENTS")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
START = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))")
TOKEN = re.compile(r"\s*+,?\s*+(?:([-+@A-Ia-i%J-Rj-rS-Zs]?)([\d.]+)|([@A-Ia-i%J-Rj-rS-Zs])|(\?))\s*")
SQUEEZED = {letter: str(digit) for digit, letter in enumerate("@ABCDEFGHI")} | {
    letter: f"-{digit}" for digit, letter in enumerate("abcdefghi", start=1)
}
DIFFERENCE = {letter: str(digit) for digit, letter in enumerate("%JKLMNOPQR")} | {
    letter: f"-{digit}" for digit, letter in enumerate("jklmnopqr", start=1)
}
REPETITION = {letter: str(digit) for digit, letter in enumerate("STUVWXYZs", start=1)}
AXES = {
    "1/cm": ("wavenumber", "1/cm"), "nm": ("wavelength", "nm"), "um": ("wavelength", "um"), "Hz": ("frequency", "Hz"),
    "ppm": ("chemical_shift", "ppm"), "s": ("time", "s"), "ms": ("time", "ms"), "min": ("time", "min"),
    "gauss": ("magnetic_field", "gauss"), "eV": ("energy", "eV"), "keV": ("energy", "keV"),
    "m/z": ("mass_to_charge", "1"),
    "degree": ("angle", "degree"),
}  # fmt: skip
"""Unit of the abscissae, and their dimension and unit; any other unit is ``x`` without a unit."""
SPELLED = {
    "nanometers": "nm", "micrometers": "um", "seconds": "s", "milliseconds": "ms", "minutes": "min", "hz": "Hz",
    "hertz": "Hz", "mass units": "m/z", "m/z": "m/z", "ppm": "ppm", "wavenumbers": "1/cm", "wavenumber": "1/cm",
}  # fmt: skip
VALUES = {
    "transmittance": ("transmittance", "1"), "transmission": ("transmittance", "1"), "%t": ("transmittance", "percent"),
    "reflectance": ("reflectance", "1"), "absorbance": ("absorbance", "1"), "a": ("absorbance", "1"),
    "counts": ("intensity", "count"), "picoamperes": ("current", "pA"), "nanoamperes": ("current", "nA"),
    "relative abundance": ("intensity", "1"), "relative intensity": ("intensity", "1"),
    "arbitrary": ("intensity", "1"), "arbitrary units": ("intensity", "1"),
}  # fmt: skip
"""What the ordinates are called, and their variable and unit; any other name is ``intensity`` with a warning."""
MOST = 10.0
"""Largest transmittance or reflectance that can be one, with noise and a bad reference."""
HALF_DIGIT = 0.51
"""Half a unit, by which the abscissa of a line may differ besides: it is often rounded to whole numbers."""
LOOSE = 1e-3
"""Share of the largest ordinate by which ``FIRSTY`` may differ, because it is often written with few digits."""


class _CheckError(ReadError):
    """The first ordinate of a line is not the last one of the line before."""


@dataclass
class _Block:
    """A block: its records, and the lines of its data, which begin at a line of the file."""

    parts: list[tuple[str, list[str]]] = field(default_factory=list)
    label: str = ""
    line: int = 0
    rows: list[tuple[int, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    tuples: bool = False

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return labels and values, whose lines are put together; to be used when all lines are there."""
        return [(label, "\n".join(filter(None, lines))) for label, lines in self.parts]

    @cached_property
    def records(self) -> dict[str, str]:
        """Return the records by their labels in capitals without signs; the first of a label counts."""
        found: dict[str, str] = {}
        for label, value in self.pairs:
            found.setdefault(_plain(label), value)
        return found


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first record and one that only this standard has."""
    return TITLE.match(head.removeprefix(b"\xef\xbb\xbf")) is not None and LABELS.search(head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a JCAMP-DX file; the schema is that of the module."""
    blocks = _blocks(lines_of(path), path)
    warnings: list[str] = []
    found: list[tuple[str, xr.Dataset]] = []
    for block in blocks:
        warnings += block.unread
        title = block.records.get("TITLE", "")
        if block.label:
            found.append((title, _dataset(block, path, warnings)))
        elif unread := [label for label in NOT_READ if label in block.records]:
            warnings.append(f"block '{title[:60]}': data of the form {', '.join(unread)} are not read")
    if not found:
        told = f": {'; '.join(warnings)}" if warnings else ""
        raise ReadError(path, f"holds no block with XYDATA, XYPOINTS or PEAK TABLE{told}"[:300])
    children: dict[str, xr.Dataset] = {}
    for title, dataset in found:
        name = slug(title.rpartition(":")[2])[:60] if len(found) > 1 else "spectrum"
        children[free(safe(name, "spectrum"), children, "spectrum")] = dataset
    headers = [collected(block.pairs) for block in blocks]
    records = [block.records for block in blocks]
    origins = [text for each in records for key in ("SPECTROMETERDATASYSTEM", "ORIGIN") if (text := each.get(key))]
    acquired = next((moment for each in records if (moment := _date(each))), None)
    header = headers[0] if len(headers) == 1 else headers
    return tree(children, header, origins[0] if origins else "not stated in the file", acquired, warnings)


def _plain(label: str) -> str:
    return re.sub(r"[\s\-/_]", "", label).upper()


def _blocks(lines: Sequence[str], path: Path) -> list[_Block]:
    """Return the blocks in the order of their titles, the one that links others among them."""
    blocks: list[_Block] = []
    open_blocks: list[_Block] = []
    in_data = False
    for line_number, raw in enumerate(lines, start=1):
        line = raw.partition("$$")[0].strip()
        if line.startswith("##"):
            label, _, value = line[2:].partition("=")
            plain = _plain(label)
            if plain == "TITLE" or not blocks:
                blocks.append(_Block())
                open_blocks.append(blocks[-1])
                if len(blocks) > MAX_BLOCKS:
                    raise ReadError(path, f"holds more than {MAX_BLOCKS} blocks; such files are refused")
            if not open_blocks:
                open_blocks.append(blocks[-1])
            block = open_blocks[-1]
            in_data = plain in DATA and not block.label
            if in_data:
                block.label, block.line = plain, line_number
            elif plain in DATA:
                block.unread.append(f"line {line_number}: a second record of data, {label.strip()}, is not read")
            if plain == "END":
                open_blocks.pop()
            else:
                block.parts.append((label.strip(), [value.strip()]))
                block.tuples |= plain == "NTUPLES"
        elif line and open_blocks and in_data:
            open_blocks[-1].rows.append((line_number, line))
        elif line and open_blocks and open_blocks[-1].parts and not open_blocks[-1].tuples:
            open_blocks[-1].parts[-1][1].append(line)
    return blocks


def _dataset(block: _Block, path: Path, warnings: list[str]) -> xr.Dataset:
    records = block.records
    place = f"line {block.line}"
    form = re.sub(r"\s", "", records.get(block.label, "")).upper().strip("()")
    announced = first_number(records.get("NPOINTS", ""))
    factors = [_factor(records, key, path, place) for key in ("XFACTOR", "YFACTOR")]
    if form.startswith("X++"):
        raw = _ordinates(block, path, warnings)
        positions = _abscissae(block, raw, announced, factors[0], path, warnings)
        ordinates = np.frombuffer(raw.values) * factors[1]
    elif form.startswith("XY"):
        pairs = _pairs(block, path)
        positions, ordinates = pairs[:, 0] * factors[0], pairs[:, 1] * factors[1]
        if announced is not None and announced != len(pairs):
            warnings.append(f"{place}: {announced:g} points are announced, {len(pairs)} are there")
    else:
        raise ReadError(path, f"data of the form '{form[:40]}', where (X++(Y..Y)) or (XY..XY) is read", place)
    first = number(records.get("FIRSTY", "").replace(" ", ""))
    if first is not None and abs(ordinates[0] - first) > LOOSE * np.nanmax(np.abs(ordinates)):
        warnings.append(f"{place}: the numbers begin with {ordinates[0]:g}, where the header has FIRSTY={first:g}")
    axis = _axis(records, place, warnings)
    name, unit, label = _quantity(records, ordinates, place, warnings)
    attrs = {"title": records.get("TITLE", ""), "data_type": records.get("DATATYPE", "")}
    return xr.Dataset(
        {name: variable(axis[0], ordinates, unit, label)},
        {axis[0]: variable(axis[0], positions, axis[1], axis[2])},
        {key: text for key, text in attrs.items() if text},
    )


def _factor(records: Mapping[str, str], key: str, path: Path, place: str) -> float:
    found = first_number(records.get(key, "1").replace(",", ".")) if records.get(key, "1").strip() else 1.0
    if found is None or not math.isfinite(found) or not found:
        raise ReadError(path, f"{key} is '{records[key][:40]}', which is no factor", place)
    return found


# --- numbers ---------------------------------------------------------------------------------------------------------
def _pairs(block: _Block, path: Path) -> np.ndarray:
    """Return the pairs of a block, shape (n, 2)."""
    values = array("d")
    for line_number, line in block.rows:
        if re.sub(r"[\s,;]", "", NUMBER.sub("", line)):
            raise ReadError(path, f"'{line[:40]}' holds something that is no number", f"line {line_number}")
        values.extend(map(float, NUMBER.findall(line)))
        if len(values) > 2 * MAX_VALUES:
            raise ReadError(path, f"more than {MAX_VALUES} points; such blocks are refused", f"line {line_number}")
    if not values or len(values) % 2:
        raise ReadError(path, f"{len(values)} numbers where pairs are expected", f"line {block.line}")
    found = np.frombuffer(values).reshape(-1, 2)
    if not np.isfinite(found).all():
        raise ReadError(path, "holds a number that is too large", f"line {block.line}")
    return found


@dataclass
class _Ordinates:
    """Ordinates without their factor, and, for each line, its number, its abscissa and how many came before it."""

    values: "array[float]" = field(default_factory=lambda: array("d"))
    checks: list[tuple[int, float, int]] = field(default_factory=list)


def _ordinates(block: _Block, path: Path, warnings: list[str]) -> _Ordinates:
    """Decode the lines of ``(X++(Y..Y))``."""
    letters = {character for _, line in block.rows for character in line if character.isalpha() or character == "@"}
    plain = letters <= {"e", "E"}
    found = _Ordinates()
    differs = False
    for line_number, line in block.rows:
        place = f"line {line_number}"
        if not (match := (NUMBER if plain else START).match(line)):
            raise ReadError(path, f"'{line[:40]}' does not begin with an abscissa", place)
        before = len(found.values)
        repeated = differs
        if plain:
            _read_plain(line[match.end() :], found.values, path, place)
        else:
            try:
                differs = _read_compressed(line[match.end() :], found.values, differs, path, place)
            except _CheckError as error:
                if line_number != block.rows[-1][0] or before != first_number(block.records.get("NPOINTS", "")):
                    raise
                warnings.append(f"{place}: {error.problem}; all points announced were there before")
        found.checks.append((line_number, float(match[0]), before - repeated))
        if len(found.values) > MAX_VALUES:
            raise ReadError(path, f"more than {MAX_VALUES} values; such blocks are refused", place)
    if not found.values:
        raise ReadError(path, "ends before the first ordinate", f"line {block.line}")
    if not np.isfinite(np.frombuffer(found.values)).any():
        raise ReadError(path, "holds no ordinate that is a number", f"line {block.line}")
    return found


def _read_plain(text: str, values: "array[float]", path: Path, place: str) -> None:
    if re.sub(r"[\s,;?]", "", NUMBER.sub("", text)):
        raise ReadError(path, f"'{text[:40]}' holds something that is no number", place)
    values.extend(math.nan if word == "?" else float(word) for word in re.findall(rf"{NUMBER.pattern}|\?", text))


def _read_compressed(text: str, values: "array[float]", check: bool, path: Path, place: str) -> bool:
    """Add the ordinates of a line; return whether its last one was a difference.

    ``check`` says that the first ordinate repeats the last one of the line before.
    """
    at = 0
    last, step, is_step = values[-1] if values else math.nan, 0.0, False
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ReadError(path, f"'{text[at : at + 20]}' is no ordinate", place)
        at = match.end()
        letter, digits = match[1] or match[3] or "", match[2] or ""
        try:
            if letter in REPETITION:
                count = int(REPETITION[letter] + digits) - 1
                if not 0 <= count <= MAX_VALUES - len(values):
                    raise ReadError(path, f"a value is repeated {count + 1} times", place)
                values.extend(last + step * index if is_step else last for index in range(1, count + 1))
                last = values[-1] if values else last
                continue
            if letter in DIFFERENCE:
                step, is_step = float(DIFFERENCE[letter] + digits), True
                last += step
            else:
                is_step = False
                last = math.nan if match[4] else float(SQUEEZED.get(letter, letter) + digits)
        except ValueError:
            raise ReadError(path, f"'{match[0].strip()[:20]}' is no ordinate", place) from None
        if check and not is_step:
            if last != values[-1] and not math.isnan(last + values[-1]):
                problem = f"begins with {last:g} where the line before ends with {values[-1]:g}: one of them is damaged"
                raise _CheckError(path, problem, place)
            last = values[-1]
        else:
            values.append(last)
        check = False
    return is_step


def _abscissae(
    block: _Block, raw: _Ordinates, announced: float | None, scale: float, path: Path, warnings: list[str]
) -> np.ndarray:
    """Return the abscissae, and compare the one with which each line begins."""
    place, count = f"line {block.line}", len(raw.values)
    first, last = (first_number(block.records.get(key, "").replace(",", ".")) for key in ("FIRSTX", "LASTX"))
    if first is None or last is None:
        raise ReadError(path, "the block has no FIRSTX or no LASTX, without which its abscissae are not known", place)
    expected = count if announced is None else announced
    if not 1 <= expected <= MAX_VALUES or expected % 1:
        raise ReadError(path, f"announces {expected:g} points", place)
    step = (last - first) / max(expected - 1, 1)
    if not math.isfinite(step):
        raise ReadError(path, f"FIRSTX={first:g} and LASTX={last:g} are no range", place)
    slack = 1.5 * abs(step) + HALF_DIGIT
    wrong = next((each for each in raw.checks if abs(each[1] * scale - first - step * each[2]) > slack), None)
    if expected < count or (expected != count and wrong):
        told = "" if wrong is None else f"; line {wrong[0]} begins at {wrong[1] * scale:g}, not where it should"
        raise ReadError(path, f"announces {expected:g} points and holds {count}{told}", place)
    if expected > count:
        warnings.append(f"{place}: {expected:g} points are announced, the first {count} are there")
    elif wrong:
        should = first + step * wrong[2]
        warnings.append(f"line {wrong[0]}: begins at {wrong[1] * scale:g}, by FIRSTX and LASTX it should at {should:g}")
    return first + step * np.arange(count)


# --- what the numbers are --------------------------------------------------------------------------------------------
def _axis(records: Mapping[str, str], place: str, warnings: list[str]) -> tuple[str, str, str]:
    given = records.get("XUNITS", "")
    bare = split_label(given)[1] or given.strip()
    unit = SPELLED.get(bare.lower()) or unit_of(bare.lower()) or bare
    if unit == "1/cm" and "RAMAN" in records.get("DATATYPE", "").upper():
        return "raman_shift", "1/cm", "Raman shift"
    if unit not in AXES:
        if given.upper() not in ("ARBITRARY", "ARBITRARY UNITS"):
            warnings.append(f"{place}: the unit of the abscissae is '{given}', which is not known")
        return "x", "1", given or "abscissa"
    name, spelled = AXES[unit]
    return name, spelled, name.replace("_", " ")


def _quantity(
    records: Mapping[str, str], ordinates: np.ndarray, place: str, warnings: list[str]
) -> tuple[str, str, str]:
    """Return name, unit and label of the ordinates; a transmittance that no sample can have is none."""
    given = " ".join(records.get("YUNITS", "").split())
    label, unit = split_label(given)
    name, own = VALUES.get(label.lower(), ("", ""))
    if not name:
        warnings.append(f"{place}: the unit of the ordinates is '{given}', which is not known")
        return "intensity", "1", given or "intensity"
    unit = unit if unit is not None and own == "1" else own
    share = 0.01 if unit == "percent" else 1.0
    if name in ("transmittance", "reflectance") and (largest := np.nanmax(ordinates)) * share > MOST:
        if share == 1.0 and largest <= 100 * MOST:
            warnings.append(f"{place}: the numbers reach {largest:g}; '{given}' is taken as percent")
            return name, "percent", given.lower()
        warnings.append(f"{place}: the file says '{given}', but the numbers reach {largest:g}; they have no unit here")
        return "intensity", "1", given
    return name, unit, given.lower()


def _date(records: Mapping[str, Any]) -> str | None:
    """Return the time of the measurement; days are taken only as the standard writes them, the year first."""
    long = re.sub(r"\.\d+", "", records.get("LONGDATE", "")).strip()
    day = f"{records.get('DATE', '')} {records.get('TIME', '')}".strip()
    layouts = [f"%{year}/%m/%d{time}" for year in "Yy" for time in (" %H:%M:%S", " %H:%M", "")]
    return (
        iso(long, "%Y/%m/%d %H:%M:%S %z", *layouts)
        or iso(f"{long} {records.get('TIME', '')}", *layouts)
        or iso(day, *layouts)
    )
