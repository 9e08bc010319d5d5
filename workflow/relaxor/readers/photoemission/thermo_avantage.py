"""Thermo Avantage exports, ``.xlsx`` and ``.xls``.

Instruments: Avantage, the program of Thermo's photoelectron spectrometers (K-Alpha, Nexsa, ESCALAB, Theta Probe),
exports spectra and their fits to Excel workbooks.

Recognition: The file is an Excel workbook that holds the words ``Acquisition Parameters`` or the sheets ``Titles`` and
``Peak Table``, and the name of an axis of energy, ``Binding Energy (E)`` or ``Kinetic Energy (E)``.

Layout: Every spectrum has a sheet, named after it (``C1s Scan``). Above the numbers stand the original file, the axes
and, on the right under ``Acquisition Parameters :``, keys and values. A row of names and one of units follow, then the
numbers: the energies in the first column, the intensities in the third, and those of a fit (components, ``Backgnd.``,
``Envelope``, ``Residuals``) behind it, with empty columns between them. Rows and columns are told by their labels. Of a
profile there is a column without a name for each level; what was varied (``Etch Time``) stands in a row of numbers
above the first one, or only its name and number of levels among the axes. The sheets ``Titles`` and ``Peak Table``
hold text and the results of the program.

Schema: There is one child per spectrum, named after its sheet without the word ``Scan`` (``C1s``; the levels of a
profile are ``C1s_1``, ``C1s_2``, …), with the dimension ``binding_energy`` or ``kinetic_energy`` (eV). It has
``intensity`` (count/s; the file states no counting time) and, of a fit, ``peaks`` (``peak``, energy), ``background``,
``envelope`` and ``residuals``. The attributes are ``region``, ``sample`` (the first line of ``Titles``),
``pass_energy`` (eV), ``scans``, ``source`` and, of a profile, what was varied with its unit (``etch_time`` and
``etch_time_units``, otherwise ``level``). The header holds the texts of all sheets.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.columns import Column, columns_of
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import Table, tables_of
from relaxor.readers.common.text import first_number, free, number, slug
from relaxor.readers.common.unit_words import split_label, unit_of
from relaxor.readers.common.workbooks import is_workbook, lines_of_sheets, sheet_names, texts_of
from relaxor.readers.registry import CONTAINER

PRIORITY = CONTAINER
PARAMETERS = "Acquisition Parameters"
OWN_SHEETS = {"Titles", "Peak Table"}
ENERGY = re.compile(rb"(Binding|Kinetic) Energy \(E\)")
AXES = ("binding_energy", "kinetic_energy")
FIT = {"backgnd": "background", "background": "background", "envelope": "envelope", "residuals": "residuals"}
"""Names of the columns of a fit that are no components, in small letters and without a point."""
RAW = re.compile(r"(raw( data)?|counts?( */ *s)?|intensity|[-+\d.e]+)?", re.IGNORECASE)
"""Names of columns that were measured; of a profile they may be numbers."""
PASS_ENERGY = re.compile(r"Pass Energy\s*+:?\s*+([\d.]+)", re.IGNORECASE)


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a workbook with the words of the program."""
    if not is_workbook(head, path):
        return False
    texts = texts_of(path)
    own = PARAMETERS.encode() in texts or set(sheet_names(path)) >= OWN_SHEETS
    return own and ENERGY.search(texts) is not None


def extract(path: Path) -> xr.DataTree:
    """Read the spectra of all sheets; the schema is that of the module."""
    sheets = lines_of_sheets(path)
    sample = next((line.strip() for line in sheets.get("Titles", ()) if line.strip()), "")
    children: dict[str, xr.Dataset] = {}
    header: dict[str, list[str]] = {}
    warnings: list[str] = []
    for name, lines in sheets.items():
        found, header[name] = _spectra(lines, name, path, warnings)
        region = re.sub(r"(?<!\s)\s+Scan\b", "", name).strip() or name
        for dataset in found:
            child = free(f"{region}_{len(children) + 1}" if len(found) > 1 else region, children)
            children[child] = dataset.assign_attrs({"region": region, **({"sample": sample} if sample else {})})
    if not children:
        raise ReadError(path, f"is an Avantage workbook without a spectrum; {'; '.join(warnings)}"[:300])
    return tree(children, header, "Thermo Avantage (instrument not stated)", warnings=warnings)


def _spectra(lines: list[str], sheet: str, path: Path, warnings: list[str]) -> tuple[list[xr.Dataset], list[str]]:
    """Return the spectra of a sheet, and the lines of its texts."""
    try:
        text = tables_of(lines, path)
    except ReadError:
        if ENERGY.search("\n".join(lines).encode()):
            raise
        if any(map(str.strip, lines)):
            warnings.append(f"sheet {sheet} holds no spectrum and is kept in the header")
        return [], [line.strip() for line in lines if line.strip()]
    found: list[xr.Dataset] = []
    texts = [line.strip() for table in text.tables for line in table.above if line.strip()]
    warnings += [f"sheet {sheet}: {line}" for line in text.warnings]
    for table in text.tables:
        columns, _ = columns_of(table)
        if columns and columns[0].axis in AXES:
            found += _measured(columns, table, f"sheet {sheet}, row {table.line}", path, warnings)
        else:
            warnings.append(f"sheet {sheet}: its table of row {table.line} has no axis of energy and is not read")
    return found, [*texts, *text.below]


def _measured(columns: Sequence[Column], table: Table, place: str, path: Path, warnings: list[str]) -> list[xr.Dataset]:
    """Return the spectra of a table: one, or one for each level of a profile."""
    axis, *others = columns
    raw = [at for at, column in enumerate(others) if RAW.fullmatch(column.label.strip())]
    if not raw and others:
        raw = [0] if any(map(_part, others)) else list(range(len(others)))
    if not raw:
        raise ReadError(path, "holds energies without intensities", place)
    fit = [column for at, column in enumerate(others) if at not in raw]
    unit = others[raw[0]].unit
    if unit is None:
        warnings.append(f"{place}: nothing says in which unit the intensities are")
    rows = [table.form.cells(line) for line in table.above]
    attrs = _parameters(rows)
    known = np.isfinite(axis.values)
    energy = {axis.axis: variable(axis.axis, axis.values[known], "eV", axis.axis.replace("_", " "))}
    found = [
        xr.Dataset(
            {"intensity": variable(axis.axis, others[at].values[known], unit or "1", "intensity")}, energy, attrs
        )
        for at in raw
    ]
    if len(found) == 1:
        return [_with_fit(found[0], axis, fit, known)]
    if fit:
        warnings.append(f"{place}: the columns {', '.join(column.label for column in fit)} of a fit are not read")
    kept = np.flatnonzero(~np.isnan(table.values).all(axis=0))
    name, unit, values = _varied(rows, [int(kept[1 + at]) for at in raw])
    return [each.assign_attrs({name: value, f"{name}_units": unit}) for each, value in zip(found, values, strict=True)]


def _part(column: Column) -> str:
    """Return what a column of a fit is, other than a component; empty if it is none."""
    return FIT.get(column.label.strip(" .").lower(), "")


def _with_fit(dataset: xr.Dataset, axis: Column, fit: Sequence[Column], known: np.ndarray) -> xr.Dataset:
    """Add the components of a fit, its background, envelope and residuals."""
    unit = dataset["intensity"].attrs["units"]
    for column in fit:
        if part := _part(column):
            dataset[part] = variable(axis.axis, column.values[known], column.unit or unit, f"{part} of the fit")
    if peaks := [column for column in fit if not _part(column)]:
        values = np.array([column.values[known] for column in peaks])
        dataset["peaks"] = variable(("peak", axis.axis), values, unit, "peaks of the fit")
        dataset = dataset.assign_coords(peak=("peak", [column.label for column in peaks]))
    return dataset


def _heading(rows: Sequence[list[str]]) -> tuple[int, int]:
    """Return row and column of ``Acquisition Parameters``; beyond the last ones if it is missing."""
    found = ((row, cells.index(cell)) for row, cells in enumerate(rows) for cell in cells if PARAMETERS in cell)
    return next(found, (len(rows), max(map(len, rows), default=0)))


def _parameters(rows: Sequence[list[str]]) -> dict[str, str | float]:
    """Return the attributes that the keys and values under ``Acquisition Parameters`` give."""
    begin, place = _heading(rows)
    told = {cells[place]: next(filter(None, cells[place + 1 :]), "") for cells in rows[begin:] if len(cells) > place}
    attrs: dict[str, str | float] = {}
    if energy := PASS_ENERGY.search(told.get("Analyser Mode", "")):
        attrs["pass_energy"] = float(energy[1].rstrip("."))
    if scans := first_number(told.get("Number of Scans", "")):
        attrs["scans"] = scans
    if source := told.get("Source Gun Type", ""):
        attrs["source"] = source
    return attrs


def _varied(rows: Sequence[list[str]], places: Sequence[int]) -> tuple[str, str, list[float]]:
    """Return name, unit and values of what differs between the columns at ``places``; their number if nothing says it.

    The values are a row of numbers above the columns. The name stands before them, or beside the number of levels.
    """
    values = [float(level) for level in range(1, len(places) + 1)]
    name, unit = "level", "1"
    for cells in (row[: _heading(rows)[1]] for row in rows):
        at = next((at for at, cell in enumerate(cells) if number(cell) == len(places)), 0)
        if before := [cell for cell in cells[:at] if cell]:
            name, unit = slug(before[0]) or name, next(filter(None, map(unit_of, reversed(before[1:]))), "1")
    told = [cells for cells in rows if len(cells) > places[-1] and all(number(cells[at]) is not None for at in places)]
    if not told:
        return name if name.endswith("level") else f"{name}_level", "1", values
    values = [float(told[-1][at]) for at in places]
    if label := next((cell for cell in told[-1][: places[0]] if cell and unit_of(cell) is None), ""):
        bare, stated = split_label(label)
        return slug(bare) or name, stated or unit, values
    return name, unit, values
