"""Local loops of PySSPFM, ``.txt``.

Instruments: PySSPFM takes switching-spectroscopy PFM data of any microscope apart and saves the loops of a place, one
file with the bias applied and one with the bias removed.

Recognition: A comment names the columns ``Read Volt (V)``, ``Write Volt (V)`` and ``Amplitude``.

Layout: Comments hold the date of the analysis, properties of the place and, last, the names of the columns with their
units, separated by tabs. Each row is one pulse: number of the loop, voltage while it was read, voltage of the pulse,
amplitude, phase and their uncertainties. The name of the file begins with ``on_`` or ``off_``.

Schema: The child ``loop`` has the dimension ``step`` and the variables ``bias`` (V, that of the pulse), ``read_bias``
(V), ``amplitude`` (in the unit of the file, 1 if it is arbitrary), ``phase`` (degree) and ``cycle`` (number of the
loop), and the uncertainties of amplitude and phase. The attribute ``field`` is ``on`` or ``off`` if the name of the
file tells it.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import dataset, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import head_lines, lines_of, numbers
from relaxor.readers.common.unit_words import unit_of

MAX_BYTES = 64 << 20
NAMES = {"Loop index": "cycle", "Read Volt": "read_bias", "Write Volt": "bias", "Amplitude": "amplitude",
         "Phase": "phase", "Sigma Amp": "amplitude_uncertainty", "Sigma Pha": "phase_uncertainty"}  # fmt: skip
"""Columns of PySSPFM, and what they are here."""
LONG_NAMES = {
    "cycle": "number of the loop",
    "read_bias": "bias while the response is read",
    "bias": "bias of the pulse",
}
NEEDED = ("bias", "read_bias", "amplitude", "phase")
FIELDS = ("on", "off")
METHOD = "standard deviation within a segment, by PySSPFM"


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the names of the columns in the last comment."""
    comments = [line for line in head_lines(head) if line.startswith("#")]
    return bool(comments) and set(NEEDED) <= {name for name, _ in _columns(comments[-1])}


def extract(path: Path) -> xr.DataTree:
    """Read the loops of a place; the schema is that of the module."""
    lines = lines_of(path)
    comments = [line for line in lines if line.startswith("#")]
    columns = _columns(comments[-1])
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    wrong = next((index for index, row in enumerate(rows) if len(row) != len(columns)), None)
    if wrong is not None or not rows:
        found = "no row of numbers" if wrong is None else f"row {wrong + 1} has {len(rows[wrong])} cells"
        raise ReadError(path, f"{found}; the comment names {len(columns)} columns")
    table = numbers([cell for row in rows for cell in row], path, "rows").reshape(len(rows), -1)
    values = {name: (table[:, place], unit) for place, (name, unit) in enumerate(columns) if name}
    told = {name: given for name, given in values.items() if not name.endswith("_uncertainty")}
    loop = dataset(
        "step",
        {name: (column, unit, LONG_NAMES.get(name, name)) for name, (column, unit) in told.items()},
        {"step": (np.arange(len(rows)), "1", "step of the bias")},
    )
    for name in ("amplitude", "phase"):
        if f"{name}_uncertainty" in values:
            loop = with_uncertainty(loop, name, values[f"{name}_uncertainty"][0], METHOD)
    field = path.name.partition("_")[0]
    warnings = [] if field in FIELDS else ["the name of the file tells not whether the bias was applied: on_… or off_…"]
    loop.attrs |= {"field": field} if field in FIELDS else {}
    header = {"comments": [line.lstrip("# ").rstrip() for line in comments[:-1]]}
    return tree({"loop": loop}, header, "not stated in the file", warnings=warnings)


def _columns(comment: str) -> list[tuple[str, str]]:
    """Return name and unit of each column, with an empty name for one that PySSPFM does not write."""
    found = []
    for cell in comment.lstrip("#").strip().split("\t"):
        label, _, unit = cell.partition("(")
        found.append((NAMES.get(label.strip(), ""), unit_of(unit.rstrip(") ")) or "1"))
    return found
