"""Crystallographic information files, ``.cif`` (CIF 1.1).

Instruments: CIF is the form in which refined and predicted crystal structures are published. It is read by gemmi.

Recognition: A line of the first bytes begins with ``data_`` and a name, and ``_cell_length_a`` stands within the first
256 KiB.

Schema: The child ``cell`` (``cell_2``, … for further data blocks) has the dimension ``atom``, whose coordinate is the
label of the site, and the variables ``x``, ``y``, ``z`` (fractions of the cell) with their uncertainties, ``element``
and ``occupancy``. The sites are those that the file lists; they are not expanded by symmetry. The scalars ``length_a``
to ``angle_gamma`` (angstrom, degree) have uncertainties too. An uncertainty is that in brackets, or else that of
rounding to the last digit written. The attributes are ``space_group``, ``operations`` (``x,y,z`` triplets joined by
``;``, as listed or those of the space group), ``block``, and, where the file gives them, ``formula_units``,
``formula``, ``temperature`` (K) and ``title``. Powder patterns in the file are the children ``pattern``,
``pattern_2``, … behind the cells, as `relaxor.readers.diffraction.powder_cif` describes them.
"""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.diffraction.powder_cif import document_of, patterns_of

MAX_BYTES = 16 << 20
LOOK_AHEAD = 1 << 18
"""Bytes in which a cell is looked for: the headers of journals can be long."""
LENGTHS, ANGLES = ("length_a", "length_b", "length_c"), ("angle_alpha", "angle_beta", "angle_gamma")
SPACE_GROUP_TAGS = (
    "_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M", "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)  # fmt: skip
OPERATION_TAGS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
NUMBER = re.compile(r"[-+]?(?:\d++(?:\.(\d*+))?|\.(\d++))(?:[eE][-+]?\d+)?(?:\((\d+)\))?")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a data block that has a cell."""
    if not re.search(rb"^data_\S", head, re.MULTILINE | re.IGNORECASE):
        return False
    try:
        return b"_cell_length_a" in start_of(path, LOOK_AHEAD).lower()
    except OSError:
        return False


def extract(path: Path) -> xr.DataTree:
    """Read a CIF; the schema is that of the module."""
    document = document_of(path)
    patterns, warnings = patterns_of(document, path)
    blocks = [block for block in document if block.find_value("_cell_length_a")]
    if patterns:
        bare = [block for block in blocks if not block.find("_atom_site_", ["fract_x"])]
        warnings += [f"data_{block.name}: the cell lists no atom and is not read" for block in bare]
        blocks = [block for block in blocks if block not in bare]
    elif not blocks:
        swallowed = any("\ndata_" in text for block in document for text in _texts(block))
        why = ": a text between lines that begin with ';' is not closed and holds the blocks behind it"
        raise ReadError(path, f"no data block has a cell{why if swallowed else ''}")
    children = {
        "cell" if index == 1 else f"cell_{index}": _cell(block, path) for index, block in enumerate(blocks, start=1)
    }
    header = {block.name: _header(block) for block in document}
    return tree(children | patterns, header, "structure model or refinement (CIF)", warnings=warnings)


def _cell(block: Any, path: Path) -> xr.Dataset:
    place = f"data_{block.name}"
    columns = ["label", "fract_x", "fract_y", "fract_z", "?type_symbol", "?occupancy"]
    table = block.find("_atom_site_", columns)
    if not len(table):
        raise ReadError(path, "lists no atom with fractional coordinates", place)
    rows = [[table.column(column)[row] if table.has_column(column) else "?" for column in range(len(columns))]
            for row in range(len(table))]  # fmt: skip
    labels = [_unquoted(row[0]) for row in rows]
    result = xr.Dataset(coords={"atom": ("atom", labels, {"units": "1", "long_name": "site"})})
    for axis, column in zip("xyz", (1, 2, 3), strict=True):
        numbers = [_number(row[column], path, f"{place}, atom {row[0]}") for row in rows]
        result[axis] = variable("atom", [value for value, _ in numbers], "1", f"fractional coordinate {axis}")
        with_uncertainty(result, axis, [error for _, error in numbers], "given in brackets, else last digit written")
    result["element"] = variable("atom", [_element(row[4], row[0], path, place) for row in rows], "1", "element")
    occupancy = [1.0 if row[5] in "?." else _number(row[5], path, f"{place}, atom {row[0]}")[0] for row in rows]
    result["occupancy"] = variable("atom", occupancy, "1", "occupancy of the site")
    for names, unit, limit in ((LENGTHS, "angstrom", math.inf), (ANGLES, "degree", 180.0)):
        for name in names:
            tag = f"{place}, _cell_{name}"
            value, error = _number(block.find_value(f"_cell_{name}") or "?", path, tag)
            if not 0 < value < limit:
                expected = "above 0" if unit == "angstrom" else f"between 0 and {limit:g}"
                raise ReadError(path, f"is {value:g} {unit}; {expected} expected", tag)
            result[name] = variable((), value, unit, f"cell {name.replace('_', ' ')}")
            exact = unit == "degree" and value in (90.0, 120.0)
            with_uncertainty(result, name, 0.0 if exact else error, "given in brackets, else last digit written")
    angles = [float(result[name]) for name in ANGLES]
    if not 2 * max(angles) < sum(angles) < 360:
        listed = ", ".join(f"{angle:g}" for angle in angles)
        problem = f"no cell has angles of {listed} degree; any two exceed the third, and all are below 360 in sum"
        raise ReadError(path, problem, place)
    result.attrs = _attributes(block, path, place)
    return result


def _attributes(block: Any, path: Path, place: str) -> dict[str, Any]:
    import gemmi

    names = [_unquoted(value) for tag in SPACE_GROUP_TAGS if (value := block.find_value(tag))]
    group = next(filter(None, map(gemmi.find_spacegroup_by_name, names)), None)
    listed = [_unquoted(value) for tag in OPERATION_TAGS for value in block.find_values(tag)]
    if not listed and group is None:
        raise ReadError(path, f"neither symmetry operations nor a known space group ({', '.join(names)})", place)
    try:
        operations = [gemmi.Op(text) for text in listed] or list(group.operations() if group else ())
    except (ValueError, RuntimeError) as error:
        raise ReadError(path, f"symmetry operation not understood ({error})", place) from error
    result: dict[str, Any] = {
        "block": block.name,
        "space_group": group.hm if group else (names[0] if names else "unknown"),
        "operations": ";".join(operation.triplet() for operation in operations),
    }
    for name, tag in (("formula_units", "_cell_formula_units_Z"), ("temperature", "_cell_measurement_temperature")):
        if (text := block.find_value(tag)) and text not in "?.":
            result[name] = _number(text, path, f"{place}, {tag}")[0]
    for name, tag in (("formula", "_chemical_formula_sum"), ("title", "_publ_section_title")):
        if (text := block.find_value(tag)) and text not in "?.":
            result[name] = _unquoted(text)
    return result


def _number(text: str, path: Path, place: str) -> tuple[float, float]:
    """Return a CIF number and its standard uncertainty: that in brackets, or else that of rounding."""
    match = NUMBER.fullmatch(text)
    if not match:
        raise ReadError(path, f"'{text}' is not a number", place)
    value = float(text.partition("(")[0])
    digit = 10.0 ** -len(match[1] or match[2] or "")
    return value, int(match[3]) * digit if match[3] else digit / math.sqrt(12)


def _element(symbol: str, label: str, path: Path, place: str) -> str:
    import gemmi

    text = _unquoted(symbol if symbol not in "?." else label)
    name = re.match(r"[A-Za-z]{1,2}", text)
    for candidate in (name[0], name[0][0]) if name else ():
        if gemmi.Element(candidate).atomic_number:
            return gemmi.Element(candidate).name
    raise ReadError(path, f"'{text}' is not an element", place)


def _header(block: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in block:
        if item.pair is not None:
            result[item.pair[0]] = _unquoted(item.pair[1])
        elif item.loop is not None:
            columns = np.array(item.loop.values).reshape(-1, item.loop.width()).T.tolist()
            result |= dict(zip(item.loop.tags, columns, strict=True))
    return result


def _texts(block: Any) -> list[str]:
    """Return all values of a block as they are written."""
    pairs = [item.pair[1] for item in block if item.pair is not None]
    return pairs + [value for item in block if item.loop is not None for value in item.loop.values]


def _unquoted(text: str) -> str:
    from gemmi import cif

    return cif.as_string(text).strip()
