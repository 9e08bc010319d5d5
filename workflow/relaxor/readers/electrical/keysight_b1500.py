"""Keysight B1500 exports, ``.csv``.

Instruments: EasyEXPERT of Keysight B1500 device analysers exports its measurements in this form.

Recognition: The first word, behind a byte-order mark and empty lines, is ``SetupTitle,``.

Layout: Lines are ``Keyword, value, …``. ``SetupTitle`` begins a block, ``TestParameter``, ``MetaData`` and others
describe it, ``DataName`` names the columns, and every ``DataValue`` is a row. The block of a display (``… Child
DataDisplay``) repeats the rows of the block that it shows; repeated rows are given once, with a warning.

The parameters ``Channel.VName`` and ``Channel.IName`` declare which columns are voltages and currents,
``Function.User.Name`` and ``Function.User.Unit`` name the units of columns that were computed.

Schema: The children ``setup_1``, … are the blocks that repeat no other one. Their columns are variables of the
dimension ``point``, named as in the file. Units are those that the file declares; ``MeasResult<n>_value`` is in V or A,
as the operation mode of channel n says. Of other columns only whole known names have a unit (``Vg``, ``Id``, ``time``),
and the rest has ``1``, with a warning. Empty cells are NaN, with a warning for each column. The attributes are
``title`` and ``application_test``.
"""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, iso, numbers, text_of
from relaxor.readers.common.unit_words import unit_of
from relaxor.readers.electrical.keithley_4200 import first_match

TERMINALS = r"(d|g|s|b|c|e|bg|tg|ds|gs|bs|ce|be|in|out|force|meas|\d)?"
QUANTITIES = ((r"(.*_)?time|t", "s", "time"), (rf"v{TERMINALS}|voltage", "V", "voltage"),
              (rf"i{TERMINALS}|current", "A", "current"), (r"c[ps]?|capacitance", "F", "capacitance"),
              (r"g[ps]?|conductance|gm", "S", "conductance"), (r"f(req)?|frequency", "Hz", "frequency"),
              (r"r|resistance", "ohm", "resistance"), (r"index|cycle|repeat|n", "1", "number"))  # fmt: skip
"""Whole names, in small letters, of columns that the file does not declare: pattern, unit and meaning."""
DECLARED = (("Channel.VName", "V", "voltage"), ("Channel.IName", "A", "current"), ("Channel.Time", "s", "time"),
            ("Channel.Index", "1", "number"))  # fmt: skip
"""Parameters that list names of columns, with their unit and meaning."""
MODES = {"Vmeas": ("V", "voltage"), "Imeas": ("A", "current")}
"""Operation mode of a WGFMU channel, and the unit and meaning of its readings."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"SetupTitle,")


def extract(path: Path) -> xr.DataTree:
    """Read an EasyEXPERT export; the schema is that of the module."""
    blocks: list[dict[str, Any]] = []
    for number, row in enumerate(csv.reader(text_of(path).splitlines(), skipinitialspace=True), start=1):
        if not row:
            continue
        if row[0] == "SetupTitle":
            blocks.append(
                {"title": ", ".join(row[1:]), "names": [], "rows": [], "lines": [], "header": [], "line": number}
            )
        elif not blocks:
            raise ReadError(path, f"'{row[0][:40]}' before any SetupTitle", f"line {number}")
        elif row[0] == "DataName":
            blocks[-1]["names"] = [name.strip() for name in row[1:]]
        elif row[0] == "DataValue":
            if len(row) - 1 != len(blocks[-1]["names"]):
                problem = f"{len(row) - 1} values for the {len(blocks[-1]['names'])} columns of DataName"
                raise ReadError(path, problem, f"line {number}")
            blocks[-1]["rows"] += [cell.strip() or "nan" for cell in row[1:]]
            blocks[-1]["lines"].append(number)
        else:
            blocks[-1]["header"].append(row)
    warnings: list[str] = []
    children: dict[str, xr.Dataset] = {}
    seen: list[tuple[list[str], np.ndarray]] = []
    for block in blocks:
        place = f"block '{block['title']}', line {block['line']}"
        table = _table(block, path)
        if any(block["names"] == names and np.array_equal(table, other, equal_nan=True) for names, other in seen):
            warnings.append(f"{place}: repeats the rows of an earlier block and is left out")
        elif table.size:
            seen.append((block["names"], table))
            children[f"setup_{len(children) + 1}"] = _dataset(block, table, place, warnings)
    if not children:
        raise ReadError(path, "holds no DataValue")
    header = [{"title": block["title"], "lines": block["header"]} for block in blocks]
    acquired = _date(blocks[0]["header"])
    return tree(children, header=header, instrument="Keysight B1500", acquired=acquired, warnings=warnings)


def _table(block: dict[str, Any], path: Path) -> np.ndarray:
    """Return the numbers of a block, shape (rows, columns); a cell that is no number is refused with its line."""
    width, words = len(block["names"]), block["rows"]
    try:
        return numbers(words, path, "").reshape(len(block["lines"]), width)
    except ReadError:
        for index, line in enumerate(block["lines"]):
            numbers(words[index * width : (index + 1) * width], path, f"line {line}")
        raise


def _dataset(block: dict[str, Any], table: np.ndarray, place: str, warnings: list[str]) -> xr.Dataset:
    parameters = [row[1:] for row in block["header"] if row[0] == "TestParameter" and len(row) > 1]
    settings = dict(zip(parameters[0][1:], parameters[1][1:], strict=False)) if len(parameters) > 1 else {}
    declared = _declared({row[0]: [cell.strip() for cell in row[1:]] for row in parameters})
    test = next((row[1] for row in block["header"] if row[0] == "ApplicationTest" and len(row) > 1), "")
    variables: dict[str, xr.Variable] = {}
    for name, values in zip(block["names"], table.T, strict=True):
        found = declared.get(name) or _quantity(name, settings)
        if found is None:
            warnings.append(f"{place}: nothing says in which unit {name} is")
        if empty := int(np.isnan(values).sum()):
            warnings.append(f"{place}: {empty} of {values.size} cells of {name} are empty (NaN)")
        unit, meaning = found or ("1", name)
        variables[free(name, variables, "column")] = variable("point", values, unit, meaning)
    return xr.Dataset(variables, attrs={"title": block["title"], "application_test": test})


def _declared(parameters: dict[str, list[str]]) -> dict[str, tuple[str, str]]:
    """Return unit and meaning of the columns that the file declares."""
    found: dict[str, tuple[str, str]] = {}
    names, units = (parameters.get(f"Function.User.{part}", []) for part in ("Name", "Unit"))
    for name, text in zip(names, units, strict=False):
        if text and (unit := unit_of(text)) is not None:
            found[name] = (unit, name)
    for key, unit, meaning in DECLARED:
        found |= dict.fromkeys(filter(None, parameters.get(key, [])), (unit, meaning))
    return found


def _quantity(name: str, settings: dict[str, str]) -> tuple[str, str] | None:
    """Return unit and meaning of a column that is not declared, or None if nothing says them."""
    if match := re.fullmatch(r"MeasResult(\d+)_value", name):
        kinds = " ".join(value for key, value in settings.items() if key.endswith(match[1]))
        return next((found for mode, found in MODES.items() if mode in kinds), None)
    return first_match(name.lower(), QUANTITIES)


def _date(header: list[list[str]]) -> str | None:
    text = next((row[-1] for row in header if len(row) > 2 and row[-2].endswith("RecordTime")), "")
    return iso(text, "%m/%d/%Y %H:%M:%S")
