"""PerkinElmer spectra as text, ``.asc``.

Instruments: UV WinLab and FL WinLab, the programs of PerkinElmer spectrometers (Lambda 900, 1050; LS 55), export
spectra in this form.

Recognition: The first line is that of a spectrum in ``PEDS`` form: ``PE UV``, ``PE FL`` or ``PE IR``, ``SUBTECH``,
``SPECTRUM``, ``ASCII``, ``PEDS``.

Layout: The lines have their meaning by their number: date (``yy/mm/dd``) and time on 4 and 5, user on 8, sample on 9,
instrument, serial number and program on 12 to 14. Behind ``#GR`` stand the units of both axes, and behind ``#DATA`` the
rows.

Schema: The child ``spectrum`` has ``transmittance`` or ``reflectance`` (percent), ``absorbance`` or ``intensity`` along
``wavelength`` (nm) or ``wavenumber`` (1/cm). The attribute is ``sample``. The header has all lines above the rows.
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import iso, iso_day, lines_of
from relaxor.readers.spectroscopy.optical import NO_UNIT, WAVELENGTH

MAX_BYTES = 64 << 20
FIRST = re.compile(rb"PE (?:UV|FL|IR)\s+SUBTECH\s+SPECTRUM\s+ASCII\s+PEDS")
AXES = {"NM": WAVELENGTH, "CM-1": ("wavenumber", "1/cm", "wavenumber")}
VALUES = {"%T": ("transmittance", "percent"), "%R": ("reflectance", "percent"), "A": ("absorbance", "1"),
          "T": ("transmittance", "1"), "R": ("reflectance", "1"), "ABS": ("absorbance", "1")}  # fmt: skip
SAMPLE, INSTRUMENT = 8, 11
"""Indices of the lines of sample and instrument."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return FIRST.match(head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a text in PEDS form; the schema is that of the module."""
    lines = lines_of(path)
    begin = next((index for index, line in enumerate(lines) if line.startswith("#DATA")), None)
    units = next((index for index, line in enumerate(lines) if line.startswith("#GR")), None)
    if begin is None or units is None or units + 2 >= begin:
        raise ReadError(path, "has no line #GR with units behind it, or no line #DATA", f"line {len(lines)}")
    text = tables_of(["" if index <= begin else line for index, line in enumerate(lines)], path)
    table = text.tables[0]
    if table.values.shape[1] != 2:
        raise ReadError(path, f"{table.values.shape[1]} columns where two are expected", f"line {table.line}")
    warnings = list(text.warnings)
    given = [lines[units + 1].strip(), lines[units + 2].strip()]
    axis = AXES.get(given[0].upper())
    if axis is None:
        warnings.append(f"line {units + 2}: the unit of the axis is '{given[0]}', which is not known")
        axis = ("x", "1", given[0] or "axis")
    name, unit = VALUES.get(given[1].upper(), ("intensity", "1"))
    if name == "intensity":
        warnings.append(f"{NO_UNIT}: the file has '{given[1]}'")
    dataset = xr.Dataset(
        {name: variable(axis[0], table.values[:, 1], unit, given[1] or name)},
        {axis[0]: variable(axis[0], table.values[:, 0], *axis[1:])},
        {"sample": lines[SAMPLE].strip()},
    )
    day, time = lines[3].strip(), lines[4].strip()
    acquired = iso(f"{day} {time}", "%y/%m/%d %H:%M:%S.%f", "%y/%m/%d %H:%M:%S") or iso_day(day, "%y/%m/%d")
    header = [line.strip() for line in lines[: begin + 1]]
    return tree({"spectrum": dataset}, header, f"PerkinElmer {lines[INSTRUMENT].strip()}".strip(), acquired, warnings)
