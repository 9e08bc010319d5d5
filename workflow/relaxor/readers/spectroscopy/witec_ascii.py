"""WITec Project text exports, ``.txt`` and ``.dat``.

Instruments: WITec Project, the program of WITec Raman microscopes (alpha300), exports spectra in this form.

Recognition: The first line is ``//Exported ASCII-File``, or the labels or units of a table, or has numbers written as
only this program writes them.

Layout: Tables have one column for the axis and one column per spectrum, separated by tabs, below two header lines
(labels, units), labels alone, units alone, or none. An ``//Exported ASCII-File`` has a ``[Header]`` of ``key = value``
lines and a ``[Data]`` part separated by commas. Labels end in ``(n)`` for a series and in ``(x/y)`` for a map. The
older ``.dat`` export writes axis and intensities into two files, ``…-x.dat`` and ``…-y.dat``, with one number per line.
The axis may be a Raman shift or a wavelength; the line of units decides. A file without units is taken as rel. 1/cm and
CCD counts, with a warning.

Schema: The child ``spectra`` has ``intensity`` (count) with the dimensions ``spectrum`` and ``raman_shift`` (1/cm) or
``wavelength`` (nm). Maps have the variables ``x_index`` and ``y_index`` along ``spectrum``, series have ``index``.
"""

import io
import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, spectra, tree
from relaxor.readers.common.text import entries, text_of
from relaxor.readers.common.unit_words import counted
from relaxor.readers.spectroscopy.witec_wip import AXES as UNIT_AXES

MAX_BYTES = 64 << 20
TABLE_ROW = re.compile(rb"\s*[-+]?\d\.\d{4,}E[-+]\d{2,3}(?:\t\s*[-+]?\d\.\d{4,}E[-+]\d{2,3})+\r?\n?")
PAIR_ROW = re.compile(rb"[-+]?\d+\.\d{9,}\t[-+]?\d+(?:\.\d+)?\r\n")
COLUMN_ROW = re.compile(rb"\s*[-+]?\d\.\d{8}E[-+]\d{3}\r?\n")
AXES = {name: UNIT_AXES[name] for name in ("rel. 1/cm", "nm")} | {"1/cm": UNIT_AXES["rel. 1/cm"]}
"""Unit of the axis, and its dimension, unit and name: in these exports ``1/cm`` is a shift as well."""
DATA_UNITS = ("CCD cts", "counts")
INDEX = re.compile(r"\((\d+)(?:/(\d+))?\)$")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line, the lines of labels and units, or the way in which numbers are written."""
    if head.startswith(b"//Exported ASCII-File"):
        return True
    lines = head.split(b"\n", 3)
    first = lines[0]
    if first.startswith(b"X-Axis\t") or re.match(rb"(rel\. 1/cm|nm)\tCCD cts", first):
        return True
    line = first + b"\n"
    return bool(TABLE_ROW.match(line) or PAIR_ROW.match(line) or COLUMN_ROW.fullmatch(line))


def extract(path: Path) -> xr.DataTree:
    """Read spectra; the schema is that of the module."""
    text = text_of(path)
    if text.startswith("//Exported ASCII-File"):
        header, labels, units, body, first_row = _sections(text, path)
        numbers = _numbers(body, ",", path, first_row)
    elif COLUMN_ROW.match(text[:100].encode()):
        header, labels, units = {}, [], []
        numbers = _two_files(path)
    else:
        header = {}
        labels, units, body, first_row = _table_header(text, path)
        numbers = _numbers(body, "\t", path, first_row)
    return _assemble(numbers, header, labels, units, path)


def _sections(text: str, path: Path) -> tuple[dict[str, str], list[str], list[str], str, int]:
    before, found, after = text.partition("[Data]")
    if not found:
        raise ReadError(path, "has no [Data] section: the export is incomplete")
    header = entries(before.splitlines(), "=")
    rows = after.lstrip("\r\n").split("\n", 2)
    if len(rows) < 3:
        raise ReadError(path, "holds no data rows after [Data]", f"line {text.count(chr(10)) + 1}")
    first_row = before.count("\n") + 4
    return header, rows[0].strip().split(","), rows[1].strip().split(","), rows[2], first_row


def _table_header(text: str, path: Path) -> tuple[list[str], list[str], str, int]:
    labels: list[str] = []
    units: list[str] = []
    body, skipped = text, 0
    while not re.match(rb"\s*[-+]?\d", body[:40].encode()):
        line, newline, rest = body.partition("\n")
        if not newline or skipped == 2:
            raise ReadError(path, "holds no numbers after its header lines", f"line {skipped + 1}")
        cells = line.strip().split("\t")
        if labels or cells[0] in AXES:  # the line after the labels holds the units
            units = cells
        else:
            labels = cells
        body, skipped = rest, skipped + 1
    return labels, units, body, skipped + 1


def _numbers(body: str, delimiter: str, path: Path, first_row: int) -> np.ndarray:
    columns = body.partition("\n")[0].count(delimiter) + 1
    if columns * (body.count("\n") + 1) > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers")
    try:
        table = np.loadtxt(io.StringIO(body), delimiter=delimiter, ndmin=2, comments=None)
    except ValueError as error:
        raise ReadError(path, f"table is damaged: {error}", f"table starting in line {first_row}") from None
    if table.shape[1] < 2 or len(table) < 2:
        raise ReadError(path, "needs an axis, at least one spectrum and two rows", f"line {first_row}")
    return table


def _two_files(path: Path) -> np.ndarray:
    stem = path.stem
    if stem[-2:] not in ("-x", "-y"):
        raise ReadError(path, "holds one column; WITec writes such data as two files, '…-x.dat' and '…-y.dat'")
    parts = [path.with_name(f"{stem[:-2]}{end}{path.suffix}") for end in ("-x", "-y")]
    for part in parts:
        if not part.is_file():
            raise ReadError(path, f"is one of a pair of files; '{part.name}' is missing in its folder")
    try:
        axis, intensity = (np.loadtxt(part, ndmin=1, comments=None) for part in parts)
    except ValueError as error:
        raise ReadError(path, f"table is damaged: {error}") from None
    if len(intensity) % len(axis):
        raise ReadError(path, f"axis has {len(axis)} points, which do not divide {len(intensity)} intensities")
    return np.column_stack([axis, intensity.reshape(-1, len(axis)).T])


def _assemble(
    numbers: np.ndarray, header: dict[str, str], labels: list[str], units: list[str], path: Path
) -> xr.DataTree:
    axis = numbers[:, 0]
    bad = ~np.isfinite(numbers)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        where = f"data row {row + 1}, column {column + 1}"
        raise ReadError(path, f"holds {bad.sum()} values that are not finite", where)
    step = np.diff(axis)
    if not ((step > 0).all() or (step < 0).all()):
        row = int(np.argmax(step * np.sign(step[0]) <= 0)) + 2
        raise ReadError(path, "axis is unsorted or holds a value twice", f"data row {row}")
    unit = units[0] if units else "rel. 1/cm"
    if unit not in AXES:
        raise ReadError(path, f"axis unit '{unit}' is not known; expected one of {', '.join(AXES)}")
    count_unit = units[1] if len(units) > 1 else "CCD cts"
    if count_unit not in DATA_UNITS:
        raise ReadError(path, f"data unit '{count_unit}' is not known; expected one of {', '.join(DATA_UNITS)}")

    dataset = spectra(AXES[unit], axis, numbers[:, 1:].T, ("spectrum",), counted(count_unit))
    _add_indices(dataset, labels[1:])
    warnings = [] if units else ["the file states no units: axis taken as rel. 1/cm, data as CCD counts"]
    whole = {"header": header, "labels": labels, "units": units}
    return tree({"spectra": dataset}, whole, "WITec", header.get("AcquisitionTime"), warnings)


def _add_indices(dataset: xr.Dataset, labels: list[str]) -> None:
    found = [INDEX.search(label) for label in labels]
    if len(found) != dataset.sizes["spectrum"] or not all(found):
        return
    first = [int(match[1]) for match in found if match]
    if all(match and match[2] for match in found):
        second = [int(match[2]) for match in found if match]
        dataset["x_index"] = variable("spectrum", first, "1", "column of the map")
        dataset["y_index"] = variable("spectrum", second, "1", "row of the map")
    else:
        dataset["index"] = variable("spectrum", first, "1", "number in the series")
