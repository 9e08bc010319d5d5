"""Philips text files, ``.udf``.

Instruments: The program PC-APD of Philips diffractometers (PW1710 to PW3710) exports its scans in this form.

Recognition: The first line is ``SampleIdent,…,/``.

Layout: Lines ``key, value, …,/`` are the header, which ends with the line ``RawScan``. Counts follow, separated by
commas, and ``/`` ends them. The positions are those of ``DataAngleRange`` and ``ScanStepSize``.

Schema: The child ``scan_1`` has the dimension ``two_theta`` (degree) and ``intensity`` (count) with
``intensity_uncertainty`` (Poisson). The attributes, where the file has them, are ``counting_time`` (s per step),
``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``wavelength_ratio``, ``voltage``
(kV), ``current`` (mA) and ``sample_name``.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import iso, lines_of, number, numbers
from relaxor.readers.diffraction.scans import grid, scan

MAX_BYTES = 32 << 20
NAMES = {
    "ScanStepTime": "counting_time",
    "ScanType": "scan_type",
    "Anode": "anode",
    "LabdaAlpha1": "wavelength_alpha1",
    "LabdaAlpha2": "wavelength_alpha2",
    "RatioAlpha21": "wavelength_ratio",
    "GeneratorVoltage": "voltage",
    "TubeCurrent": "current",
    "SampleIdent": "sample_name",
}
MONTHS = (r"jan", r"f[eé]v|feb", r"mar|mär|mrz", r"apr|avr", r"mai|may|mei", r"jun|juin", r"jul|juil", r"aug|ao[uû]",
          r"sep", r"o[ck]t", r"nov", r"d[eé][cz]")  # fmt: skip
"""Beginnings of the names of months in English, French, German and Dutch."""
DATE = re.compile(r"(\d{1,2})-([^\W\d]+)\.?-(\d{4})(?:\s+(\d{1,2}:\d\d(?::\d\d)?))?")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first entry of the header."""
    return re.match(rb"SampleIdent\s*,[^\n]*,\s*/", head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a ``.udf`` file; the schema is that of the module."""
    lines = lines_of(path)
    begin = next((index for index, line in enumerate(lines) if line.strip().lower() == "rawscan"), None)
    if begin is None:
        raise ReadError(path, "has no line RawScan, behind which the counts stand")
    header = _header(lines[:begin])
    text, closed, _ = "\n".join(lines[begin + 1 :]).partition("/")
    words = text.replace(",", " ").split()
    if len(words) > MAX_POINTS:
        raise ReadError(path, f"holds {len(words)} counts; at most {MAX_POINTS} are read")
    counts = numbers(words, path, f"line {begin + 2}")
    ends = [number(word) for word in header.get("DataAngleRange", [])[:2]]
    step = number(next(iter(header.get("ScanStepSize", [])), ""))
    if step is None or not step > 0 or len(ends) < 2 or None in ends:
        raise ReadError(path, "has no numbers DataAngleRange and ScanStepSize, which place the counts", "header")
    start, end = (float(str(each)) for each in ends)
    warnings = []
    announced = (end - start) / step + 1
    if not closed or abs(announced - counts.size) > 1:
        ending = "" if closed else ", and no '/' ends the counts: the file was cut off"
        warnings.append(f"{announced:.0f} counts announced, {counts.size} are there{ending}")
    attrs: dict[str, Any] = {}
    for key, name in NAMES.items():
        word = next(iter(header.get(key, [])), "")
        value = number(word)
        attrs[name] = word if value is None or name == "sample_name" else value
    position = grid(path, "two_theta", start, step, counts.size, "ScanStepSize")
    child = scan(path, "two_theta", position, counts, attrs, f"line {begin + 2}")
    kind = next(iter(header.get("DiffrType", [])), "")
    return tree({"scan_1": child}, header, f"Philips {kind}".strip(), _date(header), warnings)


def _header(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        key, *values = [word.strip() for word in line.rstrip().removesuffix("/").rstrip().removesuffix(",").split(",")]
        if key:
            found.setdefault(key, values)
    return found


def _date(header: dict[str, list[str]]) -> str | None:
    """Return the date of the file, whose month is written in the language of the computer."""
    match = DATE.match(", ".join(header.get("FileDateTime", [])))
    month = next((n for n, name in enumerate(MONTHS, 1) if match and re.match(name, match[2].lower())), None)
    if not match or month is None:
        return None
    day = f"{match[3]}-{month:02d}-{int(match[1]):02d}"
    return iso(f"{day}T{match[4]:0>8}") if match[4] and len(match[4]) > 5 else iso(day) and day
