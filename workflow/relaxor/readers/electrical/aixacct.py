"""aixACCT ferroelectric measurements, ``.dat``: hysteresis (DHM), leakage (LM), pulses (PM) and fatigue (FM).

Instruments: The TF Analyzers of aixACCT (1000 to 3000) export their measurements in this form.

Recognition: The first line is the name of the result: ``DynamicHysteresisResult``, ``LeakageResult``, ``PulseResult``
or ``Fatigue``. The last one is too common a word to be enough; ``TfaModule: FM`` must stand within the first bytes.

Layout: A file is text in code page 1252. A summary table has one row per measurement; in DHM, LM and PM files it stands
before the file's own block of ``key: value`` lines, in FM files it is a ``Result Table`` before the ``Data Table
[i,j]`` that it sums up. A data table is a title, ``key [unit]: value`` lines, a row of column names, and rows of
numbers. All rows end with a tab.

Schema: The children ``table_1``, ``table_2``, … follow the order of the file. The header of their table is in their
attributes (``area``, ``thickness``, ``hysteresis_frequency``, ``pr_plus``, … with ``<name>_units``), and so is its
``title``. The variables have ``<name>_uncertainty`` from the last digit written. They depend on the measurement:

DHM, FM
    The dimensions are ``loop`` (1: continuous, 2: after a rest in the negative state, 3: after a rest in the positive
    state, driven the other way) and ``time`` (s). The variables are ``voltage`` (V), ``current`` (A) and
    ``polarization`` (uC/cm^2).
PM
    The dimensions are ``pulse`` (letters of the pulse sequence) and ``time`` (s, from the start of each pulse). The
    variables are ``voltage``, ``current``, ``polarization`` and ``absolute_time`` (s, as written).
LM
    The dimension is ``step``. The variables are ``voltage``, ``leakage_current_density`` and
    ``median_current_density`` (uA/cm^2).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import FERROELECTRIC_TESTER, check_count, tree
from relaxor.readers.common.text import QUANTIZATION, digits_uncertainty, iso, number, numbers, text_of
from relaxor.readers.common.unit_words import spelled

MAX_BYTES = 1 << 27
RESULTS = {b"DynamicHysteresisResult": "DHM", b"LeakageResult": "LM", b"PulseResult": "PM", b"Fatigue": "FM"}
TITLE = re.compile(r"(?:(?:Data|Result) )?Table \[?\d+(?:,\d+)*\]?$")
DECIMALS = 6
"""Digits behind the point in the mantissas that the tester writes."""
LOOP_COLUMNS = (
    "Time [s]", "V+ [V]", "V- [V]", "I1 [A]", "P1 [uC/cm2]", "I2 [A]", "P2 [uC/cm2]", "I3 [A]", "P3 [uC/cm2]",
)  # fmt: skip
PULSE_COLUMNS = ("Time [s]", "V [V]", "I [A]", "P [uC/cm2]")
LEAKAGE_COLUMNS = ("Voltage [V]", "Leakage Current Density [uA/cm2]", "Median Current Density [uA/cm2]")
QUANTITIES = {
    "voltage": ("V", "voltage"),
    "current": ("A", "current"),
    "polarization": ("uC/cm^2", "polarization"),
    "absolute_time": ("s", "time since the start of the measurement"),
    "leakage_current_density": ("uA/cm^2", "leakage current density"),
    "median_current_density": ("uA/cm^2", "median leakage current density"),
}
"""Unit and name of every variable."""
SEQUENCE = re.compile("[A-Z]")


@dataclass
class _Table:
    """An unprocessed block of the file; ``line`` is the number of the line with its column names."""

    title: str
    header: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: list[str] = field(default_factory=list)
    line: int = 0


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the name of the result in the first line; ``Fatigue`` alone is too common a word."""
    first = head.split(b"\n", 1)[0].strip()
    return first in RESULTS and (first != b"Fatigue" or b"TfaModule: FM" in head)


def extract(path: Path) -> xr.DataTree:
    """Read all data tables of a file; the schema is that of the module.

    Raises
    ------
    ReadError
        If a row has another number of cells than its table has columns, if a cell is no number, if a table ends before
        its last point, or if tables that the summary lists are missing.
    """
    lines = text_of(path).splitlines()
    module = RESULTS[lines[0].strip().encode()]
    header, tables = _blocks(lines)
    summaries = [table for table in tables if _is_summary(table)]
    data = [table for table in tables if not _is_summary(table)]
    announced = sum(len(table.rows) for table in summaries)
    if not data or announced != len(data):
        raise ReadError(path, f"lists {announced} measurements, holds the tables of {len(data)}: it ends early")
    build = {"DHM": _loops, "FM": _loops, "PM": _pulses, "LM": _steps}[module]
    children = {f"table_{number}": build(path, table) for number, table in enumerate(data, start=1)}
    for table, dataset in zip(data, children.values(), strict=True):
        dataset.attrs = {"title": table.title, **_attributes(table.header)}
    described = {
        "tables": [{"title": table.title, **table.header} for table in data],
        "summaries": [{"columns": table.columns, "rows": table.rows} for table in summaries],
    }
    instrument = f"aixACCT {data[0].header.get('Basic System', 'TF Analyzer')}"
    acquired = iso(header.get("TimeStamp", ""), "%m/%d/%Y %H:%M:%S")
    return tree(children, {**header, **described}, instrument, acquired, instrument_kind=FERROELECTRIC_TESTER)


def _is_summary(table: _Table) -> bool:
    return table.title.startswith("Result") or "Timestamp" not in table.header


def _blocks(lines: list[str]) -> tuple[dict[str, str], list[_Table]]:
    header: dict[str, str] = {}
    tables: list[_Table] = []
    current: _Table | None = None
    for place, line in enumerate(lines, start=1):
        if TITLE.match(line.strip()):
            current = _Table(line.strip())
            tables.append(current)
        elif not line.strip():
            current = None
        elif current is not None and current.columns:
            current.rows.append(line)
        elif current is not None and "\t" in line and line.rstrip().endswith("]"):
            current.columns, current.line = tuple(line.split("\t")), place
        else:
            key, colon, value = line.partition(":")
            if colon:
                (current.header if current is not None else header)[key.strip()] = value.strip()
    return header, tables


def _numbers(path: Path, table: _Table, expected: tuple[str, ...]) -> np.ndarray:
    """Return the numbers of a table, shape (row, column), after checking every row."""
    names = tuple(name.strip() for name in table.columns if name.strip())
    repeats = len(names) // len(expected)
    if not repeats or names != expected * repeats:
        raise ReadError(path, f"columns are {', '.join(names)}; {', '.join(expected)} expected", f"line {table.line}")
    words: list[str] = []
    for line, row in enumerate(table.rows, start=table.line + 1):
        cells = row.split("\t")
        if len(cells) != len(table.columns):
            problem = f"{len(names)} cells expected, {row.rstrip().count(chr(9)) + 1} found"
            raise ReadError(path, problem, f"line {line}")
        words += cells[: len(names)]
    if len(table.rows) < 2:
        raise ReadError(path, "the table holds no points", f"line {table.line}")
    place = f"lines {table.line + 1} to {table.line + len(table.rows)}"
    values = numbers(words, path, place).reshape(len(table.rows), -1)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ReadError(path, f"'{names[column]}' is not a finite number", f"line {table.line + 1 + row}")
    return values


def _loops(path: Path, table: _Table) -> xr.Dataset:
    values = _numbers(path, table, LOOP_COLUMNS)
    time = _time(path, table, values[:, 0])
    _check_duration(path, table, time)
    dataset = xr.Dataset(coords={"time": time, "loop": variable("loop", [1, 2, 3], "1", "loop")})
    columns = {"voltage": [1, 1, 2], "current": [3, 5, 7], "polarization": [4, 6, 8]}
    return _written(dataset, ("loop", "time"), {name: values[:, places].T for name, places in columns.items()})


def _pulses(path: Path, table: _Table) -> xr.Dataset:
    values = _numbers(path, table, PULSE_COLUMNS)
    count = values.shape[1] // 4
    announced = float(table.header.get("Pulse Points", len(values)))
    check_count(announced, len(values), path, f"line {table.line}", "points per pulse")
    letters = SEQUENCE.findall(table.header.get("Pulse Sequence", ""))
    names = letters if len(set(letters)) == count else [str(number) for number in range(1, count + 1)]
    absolute, *columns = values.reshape(len(values), count, 4).transpose(2, 1, 0)
    # All pulses are sampled alike; the absolute times of later pulses are rounded more coarsely than their steps.
    time = _time(path, table, absolute[0] - absolute[0, 0])
    dataset = xr.Dataset(coords={"time": time, "pulse": ("pulse", names, {"long_name": "pulse", "units": "1"})})
    measured = dict(zip(("voltage", "current", "polarization"), columns, strict=True))
    return _written(dataset, ("pulse", "time"), measured | {"absolute_time": absolute})


def _steps(path: Path, table: _Table) -> xr.Dataset:
    values = _numbers(path, table, LEAKAGE_COLUMNS)
    dataset = xr.Dataset(coords={"step": variable("step", np.arange(1, len(values) + 1), "1", "voltage step")})
    names = ("voltage", "leakage_current_density", "median_current_density")
    return _written(dataset, ("step",), dict(zip(names, values.T, strict=True)))


def _written(dataset: xr.Dataset, dims: tuple[str, ...], columns: dict[str, np.ndarray]) -> xr.Dataset:
    """Add columns, and the uncertainty of measured values from the last written digit."""
    for name, values in columns.items():
        dataset[name] = variable(dims, values, *QUANTITIES[name])
    for name, values in columns.items():
        if name != "absolute_time":
            error = digits_uncertainty(values, DECIMALS, exponential=True)
            dataset = with_uncertainty(dataset, name, error, QUANTIZATION)
    return dataset


def _time(path: Path, table: _Table, values: np.ndarray) -> xr.Variable:
    if not (np.diff(values) > 0).all():
        row = int(np.argmax(np.diff(values) <= 0))
        raise ReadError(path, "the time does not increase", f"line {table.line + 2 + row}")
    return variable("time", values, "s", "time")


def _check_duration(path: Path, table: _Table, time: xr.Variable) -> None:
    """Refuse a loop that is cut off; a table does not say how many rows it has, but a loop lasts one period."""
    text = table.header.get("Hysteresis Frequency [Hz]")
    if text is None:
        return
    period, last, step = 1 / float(text), float(time[-1]), float(time[1] - time[0])
    if abs(last - period) > 2 * step:
        where = f"line {table.line + len(table.rows)}"
        raise ReadError(path, f"the loop ends at {last:g} s, its period is {period:g} s", where)


def _attributes(header: dict[str, str]) -> dict[str, Any]:
    """Turn ``Vc+ [V]: 2.05`` into ``vc_plus=2.05`` and ``vc_plus_units="V"``; words are kept as they are."""
    result: dict[str, Any] = {}
    for key, text in header.items():
        name, _, unit = key.partition("[")
        name = name.strip().lower().replace("+", "_plus").replace("-", "_minus")
        name = "_".join(re.findall(r"[a-z0-9_]+", name))
        value = number(text)
        result[name] = text if value is None else value
        if value is not None and unit:
            result[f"{name}_units"] = spelled(unit.rstrip("]"))
    return result
