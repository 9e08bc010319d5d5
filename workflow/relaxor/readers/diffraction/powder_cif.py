"""Powder patterns in crystallographic information files, ``.cif`` (pdCIF).

Instruments: Refinement programs (GSAS, FullProf, TOPAS, Jana) write the patterns that they fitted in this form. gemmi
reads the text. A file that has a crystal structure too is read by `relaxor.readers.diffraction.cif`, which adds its
patterns in the same way.

Recognition: A line of the first bytes begins with ``data_`` and a name, an item ``_pd_…`` with an intensity or counts
stands within the first 256 KiB, and no ``_cell_length_a`` does.

Layout: A loop holds a pattern: measured, calculated or processed intensities (``_pd_meas_intensity_total``,
``_pd_meas_counts_total``, ``_pd_calc_intensity_total``, ``_pd_proc_intensity_bkg_calc``, …) against an angle
(``_pd_meas_2theta_scan``, ``_pd_proc_2theta_corrected``) or a time of flight. Without an angle in the loop the
positions are the range of the block (``_pd_proc_2theta_range_min``, ``…_max``, ``…_inc``, or those of ``_pd_meas``).

Schema: The children ``pattern``, ``pattern_2``, … are the loops with intensities. Each has the dimension ``two_theta``
(degree) or ``time_of_flight`` (us), and ``intensity`` with ``intensity_uncertainty``: ``count`` and Poisson for counts,
else ``1`` and the uncertainties in brackets. ``calculated``, ``background`` and ``weight`` are there where the loop has
them; ``?`` and ``.`` are NaN. The attributes are ``block``, ``wavelength_alpha1`` (angstrom; ``wavelength_ratio`` is 0
where only one is given) and ``radiation``. Columns that are not read are named in warnings.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import MAX_POINTS, tree
from relaxor.readers.common.text import iso, number, text_of
from relaxor.stats.counts import poisson_uncertainty

MAX_BYTES = 16 << 20
LOOK_AHEAD = 1 << 18
BLOCK = re.compile(rb"^data_\S", re.MULTILINE | re.IGNORECASE)
PATTERN = re.compile(rb"_pd_(meas|proc|calc)_(intensity|counts)_\w+", re.IGNORECASE)
MEASURED = ("_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_proc_intensity_total", "_pd_proc_intensity_net",
            "_pd_meas_counts_background", "_pd_calc_intensity_total", "_pd_calc_intensity_net")  # fmt: skip
"""Items of the intensity, the best one first."""
OTHERS = {
    "_pd_calc_intensity_total": ("calculated", "calculated intensity"),
    "_pd_calc_intensity_net": ("calculated", "calculated intensity without background"),
    "_pd_proc_intensity_bkg_calc": ("background", "calculated background"),
    "_pd_proc_intensity_calc_bkg": ("background", "calculated background"),
    "_pd_proc_ls_weight": ("weight", "weight in the refinement"),
}
ANGLES = ("_pd_proc_2theta_corrected", "_pd_meas_2theta_scan", "_pd_meas_2theta_corrected", "_pd_meas_angle_2theta")
FLIGHT, SPACING = "_pd_meas_time_of_flight", "_pd_proc_d_spacing"
NUMBER = re.compile(r"([-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d+)?)(?:\((\d+)\))?")
KNOWN = {*MEASURED, *OTHERS, *ANGLES, FLIGHT, SPACING, "_pd_data_point_id"}
GRID_TOLERANCE = 0.5
"""Steps by which a range may leave the number of its points."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise a data block with intensities and without a cell."""
    if not BLOCK.search(head):
        return False
    start = start_of(path, LOOK_AHEAD)
    return PATTERN.search(start) is not None and b"_cell_length_a" not in start.lower()


def extract(path: Path) -> xr.DataTree:
    """Read the patterns of a file; the schema is that of the module."""
    document = document_of(path)
    children, warnings = patterns_of(document, path)
    if not children:
        raise ReadError(path, "holds no loop of intensities against angles or times of flight")
    header = {block.name: pairs_of(block) for block in document}
    dates = (block.find_value("_pd_meas_datetime_initiated") for block in document)
    acquired = next(filter(None, (iso(_plain(date)) for date in dates if date)), None)
    return tree(children, header, "refinement of a powder pattern (CIF)", acquired, warnings)


def document_of(path: Path) -> Any:
    """Return the parsed text of a CIF."""
    from gemmi import cif

    try:
        return cif.read_string(text_of(path))
    except (ValueError, RuntimeError) as error:
        raise ReadError(path, f"is not a valid CIF ({error})") from error


def pairs_of(block: Any) -> dict[str, str]:
    """Return the items of a block that stand in no loop."""
    return {item.pair[0]: _plain(item.pair[1]) for item in block if item.pair is not None}


def patterns_of(document: Any, path: Path) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Return the patterns of all blocks of a document by their names, and warnings about what is not read."""
    found: dict[str, xr.Dataset] = {}
    warnings: list[str] = []
    for block in document:
        for item in block:
            if item.loop is None or not any(tag.lower() in MEASURED for tag in item.loop.tags):
                continue
            place = f"data_{block.name}"
            pattern = _pattern(block, item.loop, path, place, warnings)
            if pattern is not None:
                found["pattern" if not found else f"pattern_{len(found) + 1}"] = pattern
    return found, warnings


def _pattern(block: Any, loop: Any, path: Path, place: str, warnings: list[str]) -> xr.Dataset | None:
    tags = [tag.lower() for tag in loop.tags]
    if loop.width() * loop.length() > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers", place)
    columns = {tag: loop.values[index :: loop.width()] for index, tag in enumerate(tags)}
    if left := [tag for tag in tags if tag not in KNOWN]:
        warnings.append(f"{place}: the columns {', '.join(left)} are not read")
    axis = _axis(block, columns, path, place)
    if axis is None:
        warnings.append(f"{place}: the loop of {tags[0]} has neither angles nor times of flight and is not read")
        return None
    dim = str(axis.dims[0])
    main = next(tag for tag in MEASURED if tag in columns)
    values, spread = _numbers(columns[main], path, f"{place}, {main}")
    counts = "counts" in main
    result = xr.Dataset(coords={dim: axis})
    result["intensity"] = variable(dim, values, "count" if counts else "1", main.removeprefix("_pd_").replace("_", " "))
    if counts and (np.nan_to_num(values) >= 0).all():
        with_uncertainty(result, "intensity", poisson_uncertainty(values), "Poisson")
    elif np.isfinite(spread).any():
        with_uncertainty(result, "intensity", np.nan_to_num(spread), "given in brackets")
    for tag, (name, meaning) in OTHERS.items():
        if tag in columns and tag != main and name not in result:
            unit = "count" if counts and name != "weight" else "1"
            result[name] = variable(dim, _numbers(columns[tag], path, f"{place}, {tag}")[0], unit, meaning)
    if SPACING in columns:
        spacing = _numbers(columns[SPACING], path, f"{place}, {SPACING}")[0]
        result["d_spacing"] = variable(dim, spacing, "angstrom", "spacing of lattice planes")
    if main.startswith("_pd_calc"):
        warnings.append(f"{place}: the pattern is calculated, not measured")
    return result.assign_attrs(_attributes(block))


def _axis(block: Any, columns: dict[str, list[str]], path: Path, place: str) -> xr.Variable | None:
    """Return the angles or times of flight of a loop, or the angles of the range of its block."""
    for tag in ANGLES:
        if tag in columns:
            return variable("two_theta", _numbers(columns[tag], path, f"{place}, {tag}")[0], "degree",
                            "diffraction angle 2θ")  # fmt: skip
    if FLIGHT in columns:
        times = _numbers(columns[FLIGHT], path, f"{place}, {FLIGHT}")[0]
        return variable("time_of_flight", times, "us", "time of flight")
    size = len(next(iter(columns.values())))
    for part in ("proc", "meas"):
        texts = [block.find_value(f"_pd_{part}_2theta_range_{end}") or "?" for end in ("min", "max", "inc")]
        low, high, step = (number(text.partition("(")[0]) for text in texts)
        if low is None or high is None or step is None or not step > 0:
            continue
        if abs((high - low) / step + 1 - size) > GRID_TOLERANCE:
            raise ReadError(path, f"{size} points from {low:g} to {high:g} degree in steps of {step:g}", place)
        return variable("two_theta", low + step * np.arange(size), "degree", "diffraction angle 2θ")
    return None


def _numbers(words: list[str], path: Path, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Return values and the uncertainties in brackets, NaN where there is none."""
    values, spreads = np.full(len(words), np.nan), np.full(len(words), np.nan)
    for index, word in enumerate(words):
        if word in ("?", "."):
            continue
        match = NUMBER.fullmatch(word)
        if not match:
            raise ReadError(path, f"'{word[:40]}' is not a number (value {index + 1})", place)
        values[index] = float(match[1])
        if match[2]:
            mantissa, _, exponent = match[1].lower().partition("e")
            spreads[index] = int(match[2]) * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    if np.isinf(values).any():
        raise ReadError(path, "holds a number that is too large", place)
    return values, spreads


def _attributes(block: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"block": block.name}
    waves = list(block.find_values("_diffrn_radiation_wavelength"))
    lengths = [value for text in waves if (value := number(text.partition("(")[0])) is not None and value > 0]
    for name, length in zip(("wavelength_alpha1", "wavelength_alpha2"), lengths, strict=False):
        found[name] = length
    if len(lengths) == 1:
        found["wavelength_ratio"] = 0.0
    probe = block.find_value("_diffrn_radiation_probe") or block.find_value("_pd_instr_radiation_probe")
    return found | ({"radiation": _plain(probe)} if probe and probe not in "?." else {})


def _plain(text: str) -> str:
    from gemmi import cif

    return cif.as_string(text).strip()
