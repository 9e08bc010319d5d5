"""EMSA/MAS spectra, ``.msa`` and ``.emsa`` (ISO 22029).

Instruments: Most programs for X-ray (EDX) and electron energy loss (EELS) spectra export them in this form.

Recognition: The first keyword is ``#FORMAT``, and its value names EMSA.

Layout: Text lines ``#KEYWORD [-unit]: value`` run from ``#FORMAT`` to ``#SPECTRUM``; ``##Keyword`` marks a keyword of
the maker. Then follow numbers, separated by commas or blanks, in any number of columns, and ``#ENDOFDATA``. The numbers
are either intensities alone (``DATATYPE`` Y, with the axis from ``OFFSET`` and ``XPERCHAN``) or pairs of axis and
intensity (XY). The axis of XY files is the written one, because the standard's own examples leave the straight line of
their headers by half a channel. Keywords may be missing, empty, repeated or malformed in files that are otherwise
sound; what was passed over is listed in the attribute ``warnings``.

Schema: The child ``spectrum`` has ``intensity`` (count) along ``energy`` (eV or keV as written, ``1`` where the file
names no unit) with ``intensity_uncertainty``, which is Poisson where all values are whole counts, and otherwise that of
the last digit written. The attributes, where the file gives them, are ``signal_type``, ``live_time_s``,
``real_time_s``, ``beam_voltage_kV``, ``probe_current_nA``, ``elevation_angle_deg`` and ``azimuth_angle_deg``. The root
has ``title``.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import iso, iso_day, lines_of, number
from relaxor.stats.counts import poisson_uncertainty

MAX_BYTES = 8 << 20
COMMA = re.compile(r"(?<!\d)([-+]?\d+),(\d+)")
"""A number with a decimal comma."""
KEYWORD = re.compile(r"(#?[^:]*):?(.*)")
UNIT = re.compile(r"\b(k?eV)\b", re.IGNORECASE)
CONDITIONS = {
    "LIVETIME": "live_time_s",
    "REALTIME": "real_time_s",
    "BEAMKV": "beam_voltage_kV",
    "PROBECUR": "probe_current_nA",
    "ELEVANGLE": "elevation_angle_deg",
    "AZIMANGLE": "azimuth_angle_deg",
}
"""Keyword, and attribute of the dataset, in the unit that the standard gives to the keyword."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword and the name of the format in it."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:80].upper()
    return first.startswith(b"#FORMAT") and b"EMSA" in first


def extract(path: Path) -> xr.DataTree:
    """Read a spectrum; the schema is that of the module."""
    lines = lines_of(path, "latin-1")
    header, first = _header(lines, path)
    warnings: list[str] = []
    plain = {key.partition("-")[0].strip().upper(): value for key, value in header.items() if key[:1] != "#"}
    lines = _with_points(lines, first, _number(plain.get("NPOINTS", "")))
    tokens = _tokens(lines, first, warnings, path)
    axis, values, written = _columns(tokens, plain, lines, first, warnings, path)
    unit = UNIT.search(plain.get("XUNITS", ""))
    if not unit and plain.get("XUNITS"):
        raise ReadError(path, f"axis unit '{plain['XUNITS']}' is not known; expected eV or keV")
    if not unit:
        warnings.append("the file names no unit of its axis")
    units = {"ev": "eV", "kev": "keV"}[unit[1].lower()] if unit else "1"
    spectrum = {"intensity": variable("energy", values, "count", "intensity")}
    if (values >= 0).all() and (values == np.round(values)).all():
        with_uncertainty(spectrum, "intensity", poisson_uncertainty(values), "Poisson")
    else:
        with_uncertainty(spectrum, "intensity", _rounding(written), "last digit written")
    energy = {"energy": variable("energy", axis, units, "energy")}
    dataset = xr.Dataset(spectrum, energy, {"signal_type": plain.get("SIGNALTYPE", "")})
    for keyword, name in CONDITIONS.items():
        if plain.get(keyword):
            value = _number(plain[keyword])
            if value is None:
                warnings.append(f"{keyword} '{plain[keyword]}' is not a number")
            else:
                dataset.attrs[name] = value
    acquired, title = _acquired(plain, warnings), plain.get("TITLE", "")
    return tree({"spectrum": dataset}, header, plain.get("OWNER", ""), acquired, warnings, title=title)


def _header(lines: list[str], path: Path) -> tuple[dict[str, str], int]:
    """Read keywords; return them and the index of the first line of data."""
    header: dict[str, str] = {}
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if not line.startswith("#"):
            raise ReadError(path, "holds numbers before #SPECTRUM", f"line {index + 1}")
        match = KEYWORD.match(line[1:])
        key, value = (part.strip() for part in match.groups()) if match else (line[1:].strip(), "")
        if key.upper() == "SPECTRUM":
            return header, index + 1
        # TITLE and COMMENT may run over several lines; of other repeated keywords the last one holds.
        goes_on = key in header and key.upper() in ("TITLE", "COMMENT")
        header[key] = f"{header[key]}\n{value}" if goes_on else value
    raise ReadError(path, "has no #SPECTRUM line: the file is truncated", f"line {len(lines)}")


def _with_points(lines: list[str], first: int, announced: float | None) -> list[str]:
    """Return lines with decimal points, where each of the announced rows is a single number with a decimal comma."""
    rows = [line for line in lines[first:] if line.strip() and line[:1] != "#"]
    if len(rows) != announced or not all(COMMA.fullmatch(row.strip()) for row in rows):
        return lines
    return [*lines[:first], *(line.replace(",", ".") for line in lines[first:])]


def _tokens(lines: list[str], first: int, warnings: list[str], path: Path) -> list[str]:
    """Return the words of the data; without a line that ends them, a number that may be cut is left out."""
    index = next((index for index in range(first, len(lines)) if lines[index][:1] == "#"), None)
    if index is not None and lines[index].upper().startswith("#ENDOFDATA"):
        return " ".join(lines[first:index]).replace(",", " ").split()
    if index is not None:
        raise ReadError(path, f"'{lines[index][:40]}' stands among the data", f"line {index + 1}")
    words = " ".join(lines[first:]).replace(",", " ").split()
    if not words:
        raise ReadError(path, "has no data and no #ENDOFDATA line: the file is truncated", f"line {len(lines)}")
    warnings.append("has no #ENDOFDATA line: the file may be truncated")
    return words if not lines[-1].strip() else words[:-1]


def _columns(
    tokens: list[str], plain: dict[str, str], lines: list[str], first: int, warnings: list[str], path: Path
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return axis, intensities, and the intensities as they are written."""
    try:
        numbers = np.array(tokens, dtype=float)
    except ValueError:
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        for row, line in enumerate(lines[first:], start=first + 1):
            if any(_number(part) is None for part in line.replace(",", " ").split()):
                raise ReadError(path, f"'{line.strip()[:40]}' is not a row of finite numbers", f"line {row}")
    kind = plain.get("DATATYPE", "").upper()
    if kind not in ("Y", "XY"):
        raise ReadError(path, f"DATATYPE '{kind}' is not known; expected Y or XY")
    if kind == "XY" and numbers.size % 2 and any("#ENDOFDATA" in warning for warning in warnings):
        numbers, tokens = numbers[:-1], tokens[:-1]
    if kind == "XY" and numbers.size % 2:
        raise ReadError(path, f"holds {numbers.size} numbers, which are not pairs of axis and intensity")
    values, written = (numbers, tokens) if kind == "Y" else (numbers[1::2], tokens[1::2])
    announced = _number(plain.get("NPOINTS", ""))
    if announced is None:
        warnings.append("the file does not announce its number of points")
    elif values.size < announced:
        warnings.append(f"announces {announced:.0f} points, holds {values.size}: the file is truncated")
    elif values.size > announced:
        warnings.append(f"the file announces {announced:.0f} points and holds {values.size}")
    if not values.size:
        raise ReadError(path, "holds no data", f"line {first + 1}")
    written_axis = numbers[0::2] if kind == "XY" else None
    return _axis(written_axis, values.size, plain, warnings, path), values, written


def _axis(written: np.ndarray | None, size: int, plain: dict[str, str], warnings: list[str], path: Path) -> np.ndarray:
    offset, step = _number(plain.get("OFFSET", "")), _number(plain.get("XPERCHAN", ""))
    straight = offset + step * np.arange(size) if offset is not None and step else None
    if written is None:
        if straight is None:
            raise ReadError(path, "OFFSET or XPERCHAN is missing, zero or not a number: no energy axis")
        zero = _number(plain.get("CHOFFSET", ""))
        if zero and step and offset is not None and abs(offset / step + zero) > 1:
            told = f"CHOFFSET says that channel {zero:g} is at zero, OFFSET and XPERCHAN that {-offset / step:g} is"
            warnings.append(f"{told}; the axis is that of OFFSET")
        return straight
    bad = np.flatnonzero(np.diff(written) <= 0)
    if bad.size:
        raise ReadError(path, "energies are unsorted or repeated", f"point {bad[0] + 2}")
    if straight is not None and step and np.abs(written - straight).max() > abs(step) / 2:
        warnings.append("the written axis leaves that of OFFSET and XPERCHAN by more than half a channel")
    return written


def _number(text: str) -> float | None:
    """Return a finite number; ``2.0 E-06`` and a number followed by a unit count, anything else is None."""
    text = COMMA.sub(r"\1.\2", text)
    attempts = (number(text.replace(" ", "")), number(text.partition(" ")[0]))
    value = next((attempt for attempt in attempts if attempt is not None), None)
    return value if value is not None and np.isfinite(value) else None


def _rounding(written: list[str]) -> np.ndarray:
    """Return the standard uncertainty that rounding to the last digit leaves."""
    decimals = [len(text.lower().partition("e")[0].partition(".")[2]) for text in written]
    exponents = [int(text.lower().partition("e")[2] or 0) for text in written]
    return 10.0 ** (np.array(exponents) - np.array(decimals)) / np.sqrt(12)


def _acquired(plain: dict[str, str], warnings: list[str]) -> str | None:
    date, time = plain.get("DATE", ""), plain.get("TIME", "")
    if not date:
        return None
    day = iso_day(date, "%d-%b-%Y")
    if day is None:
        warnings.append(f"DATE '{date}' is not of the form DD-MMM-YYYY")
        return None
    moment = iso(f"{date} {time}", "%d-%b-%Y %H:%M", "%d-%b-%Y %H:%M:%S")
    if time and not moment:
        warnings.append(f"TIME '{time}' is not of the form HH:MM")
    return moment or day
