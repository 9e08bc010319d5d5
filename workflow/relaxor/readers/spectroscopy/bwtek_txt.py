"""B&W Tek spectra as text, ``.txt``, ``.csv``.

Instruments: BWSpec and BWRam, the programs of B&W Tek spectrometers (i-Raman, Glacier), export spectra in this form.

Recognition: The file begins with ``File Version`` and ``BWSpec`` or ``BWRam``.

Layout: Lines ``key;value`` come first, with the decimal sign of the system (``intigration times(ms);3000``, spelled
so), then a line of names (``Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Reference;Raw data #1;Dark Subtracted
#1;…``) and one row for each pixel. Pixels outside the calibrated range have no place on the axes. Further spectra have
columns of their own, ``#2``, ….

Schema: The child ``spectrum`` (``spectra`` with the dimension ``spectrum``, of several) has ``intensity`` (``count``,
the sample without the dark signal), ``raw``, ``dark`` and ``reference`` (``count``) along ``raman_shift`` (1/cm), with
``wavelength`` (nm) beside it, or along ``wavelength`` where there is no laser. The attributes are ``integration_time``
(s, of one scan), ``scans`` (averaged) and ``laser_wavelength`` (nm). What the program computed from the reference (TR,
absorbance, irradiance) is not read, and the root says so; neither are pixels without a place.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import entries, iso, lines_of, number
from relaxor.readers.spectroscopy.optical import SHIFT, WAVELENGTH

MAX_BYTES = 64 << 20
TAKEN = {"Dark Subtracted": "intensity", "Raw data": "raw", "Dark": "dark", "Reference": "reference"}
"""Columns, without the number of their spectrum, and the variables that they become."""
SATURATED = 65535
"""Largest number of the converter."""
PLACES = ("Pixel", "Wavelength", "Wavenumber", "Raman Shift")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the version of the program in the first line."""
    first = head.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    return first.startswith(b"File Version") and b"BW" in first


def extract(path: Path) -> xr.DataTree:
    """Read a text of BWSpec or BWRam; the schema is that of the module."""
    lines = lines_of(path)
    place = next((index for index, line in enumerate(lines) if line.startswith("Pixel")), None)
    if place is None:
        raise ReadError(path, "has no line of names that begins with 'Pixel'", f"line {len(lines)}")
    separator = next((sign for sign in ";\t," if sign in lines[place]), ";")
    names = [name.strip() for name in lines[place].split(separator)]
    header = entries(lines[:place], separator)
    text = tables_of(["" if index <= place else line for index, line in enumerate(lines)], path)
    table = max(text.tables, key=lambda each: each.values.size)
    width = table.values.shape[1]
    columns = {name: table.values[:, index] for index, name in enumerate(names) if name and index < width}
    axis, label = (SHIFT, "Raman Shift") if _places(columns, "Raman Shift").any() else (WAVELENGTH, "Wavelength")
    inside = _places(columns, label)
    if not inside.any():
        raise ReadError(path, "no pixel has a wavelength or a Raman shift", f"line {place + 1}")
    variables, other = _variables(columns, inside, axis[0], path)
    coords = {axis[0]: variable(axis[0], columns[label][inside], *axis[1:])}
    if axis is SHIFT and _places(columns, "Wavelength").any():
        variables["wavelength"] = variable(axis[0], columns["Wavelength"][inside], *WAVELENGTH[1:])
    warnings = list(text.warnings)
    if other:
        warnings.append(f"columns that are not read: {', '.join(other)}")
    if missing := int((~inside).sum()):
        warnings.append(f"{missing} of {inside.size} pixels have no place on the axis and are left out")
    if "raw" in variables and (full := int((variables["raw"].to_numpy() >= SATURATED).sum())):
        warnings.append(f"{full} pixels are saturated ({SATURATED} counts)")
    dataset = xr.Dataset(variables, coords, _attrs(header))
    name = "spectra" if "spectrum" in dataset.dims else "spectrum"
    instrument = f"B&W Tek {header.get('model', '')}".strip()
    return tree({name: dataset}, header, instrument, iso(header.get("Date", "")), warnings)


def _places(columns: Mapping[str, np.ndarray], label: str) -> np.ndarray:
    return np.isfinite(columns[label]) if label in columns else np.zeros(1, dtype=bool)


def _variables(
    columns: Mapping[str, np.ndarray], inside: np.ndarray, axis: str, path: Path
) -> tuple[dict[str, xr.Variable], list[str]]:
    """Return the variables of the spectra, and the names of columns that are not read."""
    stacked: dict[str, list[np.ndarray]] = {}
    other: list[str] = []
    for name, values in columns.items():
        stem = name.partition("#")[0].strip()
        if stem in TAKEN:
            stacked.setdefault(TAKEN[stem], []).append(values[inside])
        elif name not in PLACES:
            other.append(name)
    if "intensity" not in stacked and "raw" not in stacked:
        raise ReadError(path, f"has no column 'Dark Subtracted' or 'Raw data' among {', '.join(columns)}"[:300])
    if "intensity" not in stacked:
        stacked["intensity"] = stacked.pop("raw")
    variables = {}
    for name, parts in stacked.items():
        dims, values = ((axis,), parts[0]) if len(parts) == 1 else (("spectrum", axis), np.stack(parts))
        variables[name] = variable(dims, values, "count", name if name != "intensity" else "intensity without dark")
    return variables, other


def _attrs(header: Mapping[str, str]) -> dict[str, float]:
    keys = {"integration_time": ("intigration times(ms)", "integration times(ms)"), "scans": ("average number",),
            "laser_wavelength": ("laser_wavelength",)}  # fmt: skip
    found = {
        name: number(text.replace(",", "."))
        for name, words in keys.items()
        if (text := next((header[word] for word in words if word in header), ""))
    }
    attrs = {name: value for name, value in found.items() if value}
    if "integration_time" in attrs:
        attrs["integration_time"] /= 1000
    return attrs
