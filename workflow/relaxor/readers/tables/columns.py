"""Text tables of numbers, with or without names of their columns, ``.csv``, ``.txt``, ``.xy``, ``.dat`` and others.

Instruments: Any program may export its data in this form: Origin, LabVIEW, spreadsheets, DIFFRAC.EVA, Renishaw WiRE,
Avantes, Ocean Optics, Keithley KickStart, scripts for source meters.

Recognition: Rows of two or more numbers, all of the same length, stand among the first lines. This reader is asked
last.

Layout: Cells are separated by tabs, semicolons, commas or blanks, and may be quoted. Where anything but a comma
separates them, a comma between digits is the decimal sign. Above the numbers stand names with units (``Voltage (V)``,
``U/V``, ``Time s``), or a row of names, one of units and rows of comments, all of them behind a mark of comments or
not. Several such tables may follow one another. Lines above and below the numbers are kept in the header.

Schema: A table that holds intensities over an axis that is known (``two_theta``, ``raman_shift``, ``binding_energy``,
``kinetic_energy``, ``wavelength``, ``energy``) becomes one child ``spectrum``, or one child for each column of
intensities, with ``intensity_uncertainty`` if the file has it. Any other table becomes the child ``table``
(``table_2``, …) with the dimension ``row`` and one variable per column, named after it in lower case
(``gate_voltage``), in the unit of the file. A column without a name is ``column_1``, ``column_2``, …, and one without a
unit has the unit ``1``. The root has a warning for each thing that the file does not say. Empty cells are NaN.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.results import AVERAGED
from relaxor.core.variables import variable
from relaxor.readers.common.cells import form_of
from relaxor.readers.common.columns import Column, columns_of, dataset_of, spectra_of
from relaxor.readers.common.schema import folded, spectra, tree
from relaxor.readers.common.tables import Table, TableText, tables_in, tables_of
from relaxor.readers.common.text import free, head_lines, lines_of
from relaxor.readers.common.unit_words import stated_columns
from relaxor.readers.common.words_beside import without_remarks, without_words
from relaxor.readers.registry import BARE_NUMBERS, Reader

PRIORITY = BARE_NUMBERS
LONG_HEAD = 1 << 16
"""Number of bytes in which rows of numbers must begin."""
BESIDE = re.compile(r"[A-Za-z][^,]*,[^,]*,,+ *[-+.\d]+(e[-+]\d+)?, *[-+.\d]+(e[-+]\d+)?,?$", re.IGNORECASE)
"""A row of numbers behind an entry of the header and an empty cell, as old oscilloscopes of Tektronix write them."""
FEW = 20
OVERFLOW = 9.905e37
"""Between the two numbers that the standard of commands for instruments (SCPI) has for no number and for overflow."""
MAX_TABLES = 1000
WIRE = ["wave", "intensity"]
"""Names, in small letters, that Renishaw WiRE gives shift and counts."""
PLACES = {"x": ("x", 1e-6, "m"), "y": ("y", 1e-6, "m"), "z": ("z", 1e-6, "m"), "time": ("time", 1.0, "s")}
"""Columns before these in a map or series of WiRE: name, size of their unit, and unit in which they are given."""
UNTOLD = "the file says neither what its columns are nor their units"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise rows of numbers behind a header of text."""
    lines = head_lines(head)
    if not lines or head.lstrip().startswith((b"<", b"{", b"%PDF", b"{\\rtf")):
        return False
    longer = head_lines(start_of(path, LONG_HEAD))[:-1]
    return form_of(lines) is not None or form_of(longer) is not None or bool(without_words(longer)[1])


def extract(path: Path) -> xr.DataTree:
    """Read all tables of a text; the schema is that of the module."""
    told = []
    if any(BESIDE.match(line) for line in head_lines(start_of(path, LONG_HEAD))[:FEW]):
        kept, beside = without_remarks(lines_of(path), ",")
        told = [f"text beside the numbers is kept in the header ('{beside[0][:40]}')"] if beside else []
        text = tables_of([*beside, "---", *kept], path)
    else:
        text = tables_in(path)
    children, header, warnings = children_of(text)
    return _tree(text, children, header, [*told, *warnings])


def _tree(text: TableText, children: dict[str, xr.Dataset], header: list[str], warnings: list[str]) -> xr.DataTree:
    found = tree(children, header, "not stated in the file", warnings=warnings)
    if text.averaged > 1:
        found.attrs[AVERAGED] = text.averaged
    return found


def children_of(text: TableText) -> tuple[dict[str, xr.Dataset], list[str], list[str]]:
    """Return the datasets of the tables of a text, the lines of its header, and warnings."""
    children: dict[str, xr.Dataset] = {}
    warnings = list(text.warnings)
    header: list[str] = []
    before: list[Column] = []
    for table in text.tables[:MAX_TABLES]:
        table, overflow = _without_overflow(table)
        warnings += overflow
        above = [line.strip() for line in table.above if line.strip()]
        header += above
        columns, comments = columns_of(table)
        if _interrupted(before, columns):
            between = f"'{above[-1][:40]}'" if above else "an empty line"
            warnings.append(f"line {table.line}: behind {between} the columns have no names; those above it are taken")
            columns = [replace(own, label=one.label, unit=one.unit) for own, one in zip(columns, before, strict=True)]
        before = columns
        found, told = _children(columns)
        place = f"line {table.line}: " if len(text.tables) > 1 else ""
        warnings += [place + line for line in told]
        for name, dataset in found.items():
            if any(comments):
                dataset.attrs["comments"] = ", ".join(filter(None, comments))
            children[free(name, children)] = dataset
    if len(text.tables) > MAX_TABLES:
        warnings.append(f"only the first {MAX_TABLES} of {len(text.tables)} tables are read")
    return children, header + [line.strip() for line in text.below], warnings


def _without_overflow(table: Table) -> tuple[Table, list[str]]:
    """Return a table with NaN for 9.9E+37 and 9.91E+37, which source meters write instead of a reading."""
    if max(np.fmax.reduce(table.values, axis=None), -np.fmin.reduce(table.values, axis=None)) < OVERFLOW / 2:
        return table, []
    with np.errstate(invalid="ignore"):
        beyond = np.abs(np.abs(table.values) - OVERFLOW) <= 0.001 * OVERFLOW
    if not beyond.any():
        return table, []
    told = f"line {table.line}: {int(beyond.sum())} numbers are 9.9E+37, which instruments write for no reading; NaN"
    return replace(table, values=np.where(beyond, np.nan, table.values)), [f"{told} stands there"]


def _interrupted(before: list[Column], columns: list[Column]) -> bool:
    """Return whether columns without a name in letters follow as many columns with names."""
    named = any(column.label for column in before)
    nameless = not any(re.search(r"[^\W\d_]", column.label) or column.unit for column in columns)
    return named and nameless and len(before) == len(columns)


def _children(columns: list[Column]) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Return the datasets of a table by their names, and warnings."""
    if (series := _wire_series(columns)) is not None:
        return {"spectra": series}, ["the places are taken as micrometres, in which WiRE writes them"]
    if [column.label.lower() for column in columns] == WIRE:
        columns = [replace(column, unit=unit) for column, unit in zip(columns, ("1/cm", "count"), strict=True)]
    if spectra := spectra_of(columns):
        counted = [name for name, spectrum in spectra.items() if spectrum["intensity"].attrs["units"] == "1"]
        return spectra, [f"nothing says in which unit the intensity of {name} is" for name in counted]
    dataset, warnings = dataset_of(columns)
    return {"table": dataset}, [UNTOLD] if not any(column.label for column in columns) else warnings


def _wire_series(columns: list[Column]) -> xr.Dataset | None:
    """Return a map or series of Renishaw WiRE, which writes the spectra below each other; None if this is none."""
    labels = [column.label.lower() for column in columns]
    if len(columns) < 3 or labels[-2:] != WIRE or not set(labels[:-2]) <= set(PLACES):
        return None
    *places, wave, intensity = (column.values for column in columns)
    if not np.isfinite([*places, wave, intensity]).all():
        return None
    changes = np.flatnonzero(np.any(np.diff(places) != 0, axis=0)) + 1
    number = changes.size + 1
    length = wave.size // number
    if length * number != wave.size or not np.array_equal(changes, np.arange(1, number) * length):
        return None
    axes = wave.reshape(number, length)
    if not (axes == axes[0]).all():
        return None
    dataset = spectra(("raman_shift", "1/cm", "Raman shift"), axes[0], intensity.reshape(number, length), ("spectrum",))
    coords = {}
    for label, values in zip(labels, places, strict=False):
        name, size, unit = PLACES[label]
        coords[name] = variable("spectrum", values[::length] * size, unit, name)
    dataset = dataset.assign_coords(coords)
    varied = sorted(coords, key=lambda name: np.count_nonzero(np.diff(coords[name].values)))
    if len(varied) == 2 and not np.diff(coords[varied[0]].values).any():  # a line along one axis
        return folded(dataset, varied[1:])
    return folded(dataset, varied)


def named(columns: str) -> Reader:
    """Return a reader of tables whose columns the sheet names, as in ``two_theta (degree), intensity (count)``."""
    stated = stated_columns(columns)

    def extract_named(path: Path) -> xr.DataTree:
        text = tables_in(path)
        table = max(text.tables, key=lambda each: each.values.size)
        if table.values.shape[1] != len(stated):
            problem = f"has {table.values.shape[1]} columns; the sheet names {len(stated)}: {columns}"
            raise ReadError(path, problem, f"line {table.line}")
        found = [Column(*each, values) for each, values in zip(stated, table.values.T, strict=True) if each[0] != "-"]
        children, told = _children(found)
        header = [line.strip() for each in text.tables for line in each.above if line.strip()]
        warnings = [*text.warnings, "the sheet says what the columns are", *told]
        return _tree(text, children, [*header, *text.below], warnings)

    return Reader("columns", recognises, extract_named)
