"""Workbooks of the Keithley 4200, ``.xls`` and ``.xlsx``.

Instruments: Keithley 4200 parameter analysers save their measurements in workbooks, with the programs KTEI (``.xls``)
and Clarius+ (``.xls`` and ``.xlsx``).

Recognition: The file is an Excel workbook with the sheet ``Settings``. This reader is asked after those of formats with
a signature of their own.

Layout: Every run is a sheet, called ``Data``, ``Append1``, ``Append2``, … by KTEI, and ``Run12`` or what the user wrote
by Clarius+. The first row of a sheet names the columns; in cycle mode two rows do so (test, then quantity). A quantity
that has one value only fills the first row of its column. ``DrainI(1)``, ``DrainI(2)``, … are the steps of one sweep.
``#REF`` is a formula without result. ``Settings`` says under a banner of ``=`` for one run after the other what was
applied: keys and values, then a table of the terminals (``Device Terminal``) or of the parameters of a user module
(``Parameter Name``), then formulas. ``Calc`` holds no data.

Schema: There is one child per run, named after its sheet. Its variables are the columns, named as in the file, with the
dimension ``point`` or, for a sweep in steps, (``step``, ``point``); single values have no dimension. Their units are
those of the 4200 (V, A, s, C, ohm, S, F), because the workbook names none. Cells without a value are NaN. The
attributes are ``test`` or ``module``, ``executed`` (ISO 8601) and ``settings`` (keys, terminals, parameters and
formulas as JSON).
"""

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, iso, number
from relaxor.readers.common.workbooks import Row, is_workbook, sheet_names, sheets_of
from relaxor.readers.registry import CONTAINER

PRIORITY = CONTAINER
NOT_RUNS = ("Calc", "Settings")
QUANTITIES: tuple[tuple[str, str, str], ...] = (
    (r"time|t|t\d_.*|cycletime", "s", "time"),
    (r".*(res|resistance)|r(on|off)?", "ohm", "resistance"),
    (r"charge|[pund]a?|psw|qsw", "C", "charge"),
    (r"gm", "S", "transconductance"),
    (r"cp?|cs", "F", "capacitance"),
    (r"gp?", "S", "conductance"),
    (r"f|freq(uency)?", "Hz", "frequency"),
    (r"v.*|.*v", "V", "voltage"),
    (r"i(?!teration|ndex).*|.*i", "A", "current"),
)
"""Pattern of the name of a column, its unit and its meaning, because the workbook itself names no units."""
UNITLESS = re.compile(r"ratio.*|cycle|index|iteration|pts|norm.*")
"""Columns that need no unit."""
EXECUTED = "%m/%d/%Y %H:%M:%S"
STEP = re.compile(r"(.+)\((\d+)\)")
FAILED = ("#REF", "#REF!", "#VALUE!", "#DIV/0!", "#N/A", "#NUM!")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise an Excel workbook with a sheet ``Settings``."""
    return is_workbook(head, path) and "Settings" in sheet_names(path)


def extract(path: Path) -> xr.DataTree:
    """Read a workbook; the schema is that of the module."""
    sheets = sheets_of(path)
    settings = _settings(sheets["Settings"])
    latest = next(iter(settings.values()), {})
    # A user module's own name heads the column of what it returned.
    modules = {entry["keys"].get("Module Name", "") for entry in settings.values()}
    warnings: list[str] = []
    children: dict[str, xr.Dataset] = {}
    for name, rows in sheets.items():
        if name not in NOT_RUNS and len(rows) > 1:
            dataset = run(rows, f"sheet {name}", warnings, path, modules)
            applied = settings.get(name) or (latest if name == "Data" or len(settings) == 1 else {})
            dataset.attrs |= _attributes(applied)
            children[free(name, children)] = dataset
    if not children:
        raise ReadError(path, f"holds no run: its sheets {', '.join(sheets)} are empty or settings")
    version = latest.get("keys", {})
    kind = next((f"{key} {version[key]}" for key in ("KTEI Version", "Clarius+ Version") if key in version), "")
    acquired = iso(version.get("Last Executed", ""), EXECUTED)
    instrument = f"Keithley 4200 {kind}".strip()
    return tree(children, header=settings, instrument=instrument, acquired=acquired, warnings=warnings)


def run(rows: Sequence[Row], place: str, warnings: list[str], path: Path, modules: Collection[str] = ()) -> xr.Dataset:
    """Make the dataset of a run from its cells.

    Parameters
    ----------
    rows
        The cells; the first row holds the names of the columns.
    place
        The place in the file, for messages.
    warnings
        List to which warnings are added.
    path
        The file, for messages.
    modules
        Names of user modules; columns of these names need no unit.
    """
    names = [str(cell).strip() for cell in rows[0]]
    first = 1
    if names and names[0] == "Cycle" and len(rows) > 1 and str(rows[1][0]).strip() == "Index":
        names = ["Cycle"] + [f"{test}.{str(cell).strip()}" for test, cell in zip(names[1:], rows[1][1:], strict=False)]
        first = 2
    columns: dict[str, np.ndarray] = {}
    for index, name in enumerate(names):
        if name and name != ".":
            cells = [row[index] if index < len(row) else "" for row in rows[first:]]
            values = _numbers(cells, f"{place}, column {name}", warnings, path)
            if values.size:
                columns[free(name.replace("/", "_per_"), columns)] = values
    if not columns:
        raise ReadError(path, f"no column of numbers under {', '.join(filter(None, names[:8]))}", place)
    return _dataset(columns, place, warnings, modules)


def _numbers(cells: list[Any], place: str, warnings: list[str], path: Path) -> np.ndarray:
    """Return the numbers of a column up to the last; failed formulas and gaps are NaN."""
    values = np.full(len(cells), np.nan)
    failed = 0
    for index, cell in enumerate(cells):
        if isinstance(cell, float | int):
            values[index] = cell
        elif str(cell).strip() in FAILED:
            failed += 1
        elif str(cell).strip():
            if (value := number(str(cell))) is None:
                raise ReadError(path, f"'{str(cell)[:40]}' is not a number", f"{place}, value {index + 1}")
            values[index] = value
    if failed:
        warnings.append(f"{place}: {failed} formulas without result (#REF) are NaN")
    filled = np.flatnonzero([str(cell).strip() != "" for cell in cells])
    return values[: filled[-1] + 1] if filled.size else values[:0]


def _dataset(columns: dict[str, np.ndarray], place: str, warnings: list[str], modules: Collection[str]) -> xr.Dataset:
    length = max(values.size for values in columns.values())
    steps: dict[str, dict[int, np.ndarray]] = {}
    for name in list(columns):
        if match := STEP.fullmatch(name):
            steps.setdefault(match[1], {})[int(match[2])] = columns.pop(name)
    variables: dict[str, xr.Variable] = {}
    for name, values in columns.items():
        unit, meaning = ("1", "returned by the module") if name in modules else _quantity(name, place, warnings)
        if values.size == 1 < length:
            variables[name] = variable((), values[0], unit, meaning)
        else:
            variables[name] = variable("point", _padded(values, length), unit, meaning)
    for name, parts in steps.items():
        unit, meaning = _quantity(name, place, warnings)
        stacked = np.stack([_padded(parts[step], length) for step in sorted(parts)])
        dims = ("step" if len(parts) == max(map(len, steps.values())) else f"step_of_{name}", "point")
        variables[free(name, variables)] = variable(dims, stacked, unit, meaning)
    return xr.Dataset(variables)


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([values, np.full(length - values.size, np.nan)])


def _quantity(name: str, place: str, warnings: list[str]) -> tuple[str, str]:
    plain = name.rpartition(".")[2].lower()
    found = first_match(plain, QUANTITIES)
    if found is None and not UNITLESS.fullmatch(plain):
        warnings.append(f"{place}: nothing says in which unit {name} is")
    return found or ("1", name)


def first_match(name: str, quantities: Sequence[tuple[str, str, str]]) -> tuple[str, str] | None:
    """Return unit and meaning of the first pattern that a name matches, or None."""
    matches = ((unit, meaning) for pattern, unit, meaning in quantities if re.fullmatch(pattern, name))
    return next(matches, None)


def _settings(rows: list[Row]) -> dict[str, dict[str, Any]]:
    """Return the applied signals of every run: keys, terminals, parameters and formulas."""
    found: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] = found.setdefault("", {"keys": {}})
    header: list[str] = []
    index = 0
    while index < len(rows):
        cells = [str(cell).strip() for cell in rows[index]]
        index += 1
        first = cells[0] if cells else ""
        if first.startswith("====") and index + 1 < len(rows):
            name = str(rows[index][0]).strip()
            index += 2  # the name, and the lower line of the banner
            if current.get("run") and not current["keys"]:
                current["cycle"] = name  # a second banner tells the cycle that the run belongs to
            else:
                current = found.setdefault(name, {"run": name, "keys": {}})
            header = []
        elif first in ("Device Terminal", "Parameter Name"):
            header = cells
        elif not first:
            header = []
        elif header and header[0] == "Device Terminal":
            terminals = current.setdefault("terminals", {})
            for terminal, value in zip(header[1:], cells[1:], strict=False):
                if terminal and value not in ("", "N/A"):
                    terminals.setdefault(terminal, {})[first] = value
        elif header:
            current.setdefault("parameters", {})[first] = dict(zip(header[1:], cells[1:], strict=False))
        elif not any(cells[1:]):
            current.setdefault("formulas", []).append(first)
        else:
            current["keys"][first] = cells[1]
    return {name: entry for name, entry in found.items() if name or entry["keys"]}


def _attributes(settings: dict[str, Any]) -> dict[str, Any]:
    keys = settings.get("keys", {})
    attrs = {"test": keys.get("Test Name"), "module": keys.get("Module Name")}
    attrs["executed"] = iso(keys.get("Last Executed", ""), EXECUTED)
    attrs["settings"] = json.dumps(settings, ensure_ascii=False) if settings else ""
    return {name: value for name, value in attrs.items() if value}
