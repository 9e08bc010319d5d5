"""Keysight B1500 EasyEXPERT exports, ``.csv``.

Layout: a byte-order mark and an empty line, then lines ``Keyword, value, …``: ``SetupTitle`` begins a block,
``TestParameter``, ``MetaData``, … describe it, ``DataName`` names the columns, ``DataValue`` is a row. A block that a
display of the first shows (``… Child DataDisplay``) repeats its rows: they are given once.
"""

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.registry import Reader

QUANTITIES = ((r".*time", "s", "time"), (r"v.*|.*voltage", "V", "voltage"), (r"i.*|.*current", "A", "current"),
              (r"c.*", "F", "capacitance"), (r"f.*", "Hz", "frequency"))  # fmt: skip
MODES = {"Vmeas": ("V", "voltage"), "Imeas": ("A", "current")}
"""Operation mode of a WGFMU channel → unit and meaning of what it measured."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first keyword."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"SetupTitle,")


def extract(path: Path) -> xr.DataTree:
    """Read an EasyEXPERT export.

    Returns
    -------
    xarray.DataTree
        Child ``setup_1``, … one a block that repeats no other: its columns as variables of dimension ``point``, named
        as in the file. ``MeasResult<n>_value`` is in V or A as the operation mode of channel n says. Attributes:
        ``title``, ``application_test``. Root: ``warnings`` (lines).
    """
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
    extra = {"warnings": "\n".join(warnings)} if warnings else {}
    return tree(children, header=header, instrument="Keysight B1500", acquired=_date(blocks[0]["header"]), **extra)


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
    for pattern, unit, meaning in QUANTITIES:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return unit, meaning
    return "1", name


def _date(header: list[list[str]]) -> str | None:
    text = next((row[-1] for row in header if len(row) > 2 and row[-2].endswith("RecordTime")), "")
    try:
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").isoformat()
    except ValueError:
        return None


READER = Reader("keysight_b1500", recognises, extract)
