"""Keysight B1500 exports, ``.csv``.

Instruments: EasyEXPERT of Keysight B1500 device analysers exports its measurements in this form.

Recognition: The first word, behind a byte-order mark and empty lines, is ``SetupTitle,``.

Layout: Lines are ``Keyword, value, …``. ``SetupTitle`` begins a block, ``TestParameter``, ``MetaData`` and others
describe it, ``DataName`` names the columns, and every ``DataValue`` is a row. The block of a display (``… Child
DataDisplay``) repeats the rows of the block that it shows; repeated rows are given once, with a warning.

Schema: The children ``setup_1``, … are the blocks that repeat no other one. Their columns are variables of the
dimension ``point``, named as in the file. ``MeasResult<n>_value`` is in V or A, as the operation mode of channel n
says. The attributes are ``title`` and ``application_test``.
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
from relaxor.readers.common.text import iso, numbers, text_of
from relaxor.readers.electrical.keithley_4200 import first_match

QUANTITIES = ((r".*time", "s", "time"), (r"v.*|.*voltage", "V", "voltage"), (r"i.*|.*current", "A", "current"),
              (r"c.*", "F", "capacitance"), (r"f.*", "Hz", "frequency"))  # fmt: skip
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
            blocks.append({"title": ", ".join(row[1:]), "names": [], "rows": [], "header": [], "line": number})
        elif not blocks:
            raise ReadError(path, f"'{row[0][:40]}' before any SetupTitle", f"line {number}")
        elif row[0] == "DataName":
            blocks[-1]["names"] = [name.strip() for name in row[1:]]
        elif row[0] == "DataValue":
            if len(row) - 1 != len(blocks[-1]["names"]):
                problem = f"{len(row) - 1} values for the {len(blocks[-1]['names'])} columns of DataName"
                raise ReadError(path, problem, f"line {number}")
            blocks[-1]["rows"] += row[1:]
        else:
            blocks[-1]["header"].append(row)
    warnings: list[str] = []
    children: dict[str, xr.Dataset] = {}
    seen: list[tuple[list[str], np.ndarray]] = []
    for block in blocks:
        place = f"block '{block['title']}', line {block['line']}"
        table = numbers(block["rows"], path, place).reshape(-1, len(block["names"]) or 1)
        if any(block["names"] == names and np.array_equal(table, other) for names, other in seen):
            warnings.append(f"{place}: repeats the rows of an earlier block and is left out")
        elif table.size:
            seen.append((block["names"], table))
            children[f"setup_{len(children) + 1}"] = _dataset(block, table, place, warnings)
    if not children:
        raise ReadError(path, "holds no DataValue")
    header = [{"title": block["title"], "lines": block["header"]} for block in blocks]
    acquired = _date(blocks[0]["header"])
    return tree(children, header=header, instrument="Keysight B1500", acquired=acquired, warnings=warnings)


def _dataset(block: dict[str, Any], table: np.ndarray, place: str, warnings: list[str]) -> xr.Dataset:
    parameters = [row[1:] for row in block["header"] if row[0] == "TestParameter"]
    settings = dict(zip(parameters[0][1:], parameters[1][1:], strict=False)) if len(parameters) > 1 else {}
    test = next((row[1] for row in block["header"] if row[0] == "ApplicationTest" and len(row) > 1), "")
    variables: dict[str, xr.Variable] = {}
    for name, values in zip(block["names"], table.T, strict=True):
        unit, meaning = _quantity(name, settings)
        if unit == "1":
            warnings.append(f"{place}: nothing says in which unit {name} is")
        variables[name.replace("/", "_")] = variable("point", values, unit, meaning)
    return xr.Dataset(variables, attrs={"title": block["title"], "application_test": test})


def _quantity(name: str, settings: dict[str, str]) -> tuple[str, str]:
    if match := re.fullmatch(r"MeasResult(\d+)_value", name):
        kinds = " ".join(value for key, value in settings.items() if key.endswith(match[1]))
        return next((found for mode, found in MODES.items() if mode in kinds), ("1", name))
    return first_match(name.lower(), QUANTITIES) or ("1", name)


def _date(header: list[list[str]]) -> str | None:
    text = next((row[-1] for row in header if len(row) > 2 and row[-2].endswith("RecordTime")), "")
    return iso(text, "%m/%d/%Y %H:%M:%S")
