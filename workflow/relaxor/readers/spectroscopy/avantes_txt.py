"""Avantes spectra as text, ``.txt``, ``.ttt``, ``.trt``, ``.tat``.

Instruments: AvaSoft 7 and 8, the programs of Avantes spectrometers (AvaSpec), export spectra in this form.

Recognition: Among the first lines are one that begins with ``Integration time`` and one that begins with ``Wave`` and
names the columns.

Layout: Lines ``key: value`` (``Integration time [ms]: 6.00`` or ``Integration time: 175 ms``), a line of names
(``Wave ;Sample ;Dark ;Reference;Reflectance``), one of units in brackets, in which the last may be missing, and rows
with either decimal sign. In a series (StoreToRam) the last name, ``Samples``, stands for all columns from there on.

Schema: The child ``spectrum`` has ``intensity`` (``count``, the sample), ``dark`` and ``reference`` (``count``), and
what the program computed from them (``reflectance``, ``transmittance`` in percent, …) along ``wavelength`` (nm). A
series has ``scan`` before it. The attribute is ``integration_time`` (s, of one scan).
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import entries, lines_of
from relaxor.readers.common.unit_words import unit_of
from relaxor.readers.spectroscopy.optical import WAVELENGTH, integration_time, spectrum_of

MAX_BYTES = 64 << 20
NAMES = re.compile(rb"^[ \t]*Wave\w*\s*[;\t]", re.MULTILINE)
TIME = re.compile(rb"^[ \t]*Integration time", re.MULTILINE)


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the line of the integration time and that of the names."""
    return TIME.search(head) is not None and NAMES.search(head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a text of AvaSoft; the schema is that of the module."""
    lines = lines_of(path)
    place = next(index for index, line in enumerate(lines) if re.match(r"\s*Wave\w*\s*[;\t]", line))
    names = [cell.strip() for cell in re.split(r"[;\t]", lines[place].strip().rstrip(";"))]
    below = lines[place + 1] if len(lines) > place + 1 else ""
    units = [_unit(cell) for cell in re.split(r"[;\t]", below.strip())] if "[" in below else []
    header = entries(lines[:place], ":")
    text = tables_of(["" if index < place + 1 + bool(units) else line for index, line in enumerate(lines)], path)
    table = max(text.tables, key=lambda each: each.values.size)
    width = table.values.shape[1]
    warnings = list(text.warnings)
    units = (units + [None] * len(names))[: len(names)]
    scans = table.values[:, len(names) - 1 :] if names[-1].lower() == "samples" else None
    if scans is None and width != len(names):
        raise ReadError(path, f"{width} columns under {len(names)} names", f"line {table.line}")
    warnings += [f"nothing says in which unit {name} is" for name, unit in zip(names, units, strict=True) if not unit]
    single = len(names) - (scans is not None)
    columns = [(names[index], units[index] or "1", table.values[:, index]) for index in range(1, single)]
    dataset = spectrum_of(WAVELENGTH, table.values[:, 0], columns, integration_time(header))
    if scans is not None:
        first = dataset.rename(intensity=names[1].lower()) if "intensity" in dataset else dataset
        dataset = first.assign(intensity=variable(("scan", "wavelength"), scans.T, units[-1] or "1", "intensity"))
    model = next((value for key, value in header.items() if "spectrometer" in key.lower()), "")
    return tree({"spectrum": dataset}, header, f"Avantes {model}".strip(), warnings=warnings)


def _unit(cell: str) -> str | None:
    """Return the unit of a cell such as ``[counts]`` or ``[% transmittance]``."""
    bare = cell.strip().strip("[]").strip()
    return "percent" if bare.startswith("%") else unit_of(bare) if bare else None
