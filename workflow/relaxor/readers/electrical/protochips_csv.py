"""Protochips logs of heating, biasing and gas cells, ``.csv``.

Instruments: Clarity and Aduro, the programs of the sample holders of Protochips, write this form.

Recognition: The first line names the columns and begins with ``Time, Notes``.

Layout: Rows of numbers, separated by commas, have a text in the second column. Those of the first rows are the header
(``Current units = Amps``); later ones are remarks. rosettasciio reads this form too, but puts the rows, which come at
uneven times, on even ones.

Schema: The child ``log`` has the dimension ``time`` (s) and one variable per column, named after it
(``channel_a_current``), in the unit that the header has for its last word. The header has the entries and, under
``remarks``, the later notes with their times.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import convertible, factor
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import free, iso, lines_of, numbers, slug
from relaxor.readers.common.unit_words import unit_of

MAX_BYTES = 64 << 20
START = "Time, Notes"
UNITS = {"milliseconds": "ms", "degrees c": "degC"}
"""Names of units that only these logs have, in small letters."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the names of the first two columns."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(START.encode())


def extract(path: Path) -> xr.DataTree:
    """Read a log of Protochips; the schema is that of the module."""
    lines = lines_of(path)
    names = [name.strip() for name in lines[0].split(",")]
    if len(names) * len(lines) > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers; such logs are refused")
    header: dict[str, str] = {}
    remarks: list[str] = []
    rows: list[np.ndarray] = []
    warnings: list[str] = []
    for line_number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""]:
            continue
        if len(cells) != len(names):
            if line_number == len(lines) and rows and len(cells) < len(names):
                warnings.append(f"line {line_number}: the last row holds {len(cells)} of {len(names)} cells")
                break
            raise ReadError(path, f"{len(cells)} cells under {len(names)} names", f"line {line_number}")
        key, mark, value = cells[1].partition("=")
        if mark and not rows:
            header[key.strip()] = value.strip()
            continue
        if cells[1]:
            remarks.append(f"{cells[0]}: {cells[1]}")
        rows.append(numbers([cells[0], *cells[2:]], path, f"line {line_number}"))
    if not rows:
        raise ReadError(path, "ends before the first row of numbers", f"line {len(lines)}")
    table = np.stack(rows)
    time = _unit(header, "Time", warnings)
    if not convertible(time, "s"):
        raise ReadError(path, f"the unit of time is '{header.get('Time units', '')}', which is not known", "line 1")
    variables: dict[str, xr.Variable] = {}
    for index, name in enumerate(names[2:], start=1):
        unit = _unit(header, name.split()[-1] if name else "", warnings)
        variables[free(slug(name), {*variables, "time"}, "column")] = variable("time", table[:, index], unit, name)
    coords = {"time": variable("time", table[:, 0] * factor(time, "s"), "s", "time")}
    day, moment = header.get("Date (yyyy.mm.dd)", ""), header.get("Time (hh:mm:ss.ms)", "")
    acquired = iso(f"{day} {moment}", "%Y.%m.%d %H:%M:%S.%f", "%Y.%m.%d %H:%M:%S")
    kept = {**header, "remarks": remarks}
    return tree({"log": xr.Dataset(variables, coords)}, kept, "Protochips", acquired, warnings)


def _unit(header: dict[str, str], quantity: str, warnings: list[str]) -> str:
    """Return the unit that the header has for a quantity; without one it is ``1``, with a warning."""
    given = header.get(f"{quantity} units", "")
    unit = UNITS.get(given.lower()) or (unit_of(given) if given else None)
    if unit is None:
        warnings.append(f"nothing says in which unit {quantity or 'a column without a name'} is")
    return unit or "1"
