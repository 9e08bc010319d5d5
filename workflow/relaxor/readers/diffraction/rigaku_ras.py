"""Rigaku SmartLab text files, ``.ras``.

Instruments: Rigaku SmartLab diffractometers save their scans in this form.

Recognition: The file begins with ``*RAS_DATA_START``.

Layout: Every scan is a header between ``*RAS_HEADER_START`` and ``*RAS_HEADER_END``, whose lines are ``*KEY "value"``,
and rows of position, intensity and attenuation factor between ``*RAS_INT_START`` and ``*RAS_INT_END``. The line
``*RAS_DATA_END`` closes the file. Japanese text is in code page 932.

Schema: The children ``scan_1``, ``scan_2``, … have the scanned axis as their dimension (``two_theta``, degree;
``omega``, ``phi``, …), ``intensity`` (``count`` or ``count/s``, as the file has it) and the ``attenuation_factor`` of
the absorber. The file does not say whether the intensity is already corrected by it. Whole counts, and rates whose
counting time is known, have ``intensity_uncertainty`` (Poisson). The attributes, where the file has them, are
``scan_type``, ``anode``, ``wavelength_alpha1``, ``wavelength_alpha2`` (angstrom), ``voltage`` (kV), ``current`` (mA)
and ``counting_time`` (s per step: the length of the step over the speed of the scan), and the axes that rest
(``omega``, ``chi``, ``phi``, degree). Several scans at different places, as those of a reciprocal-space map, are one
child ``map_1`` with the dimensions (``scan``, ``point``) and all of their axes as coordinates.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import iso, number, numbers, snake, text_of
from relaxor.readers.common.unit_words import counted
from relaxor.readers.diffraction.scans import AXES, axis_of, scan, series

COUPLED = ("theta", "omega")
"""Axes that move in coupled scans."""
ENTRY = re.compile(r'\*(\S+) "(.*)"\s*')
NAMES = {
    "HW_XG_WAVE_LENGTH_ALPHA1": "wavelength_alpha1",
    "HW_XG_WAVE_LENGTH_ALPHA2": "wavelength_alpha2",
    "MEAS_COND_XG_VOLTAGE": "voltage",
    "MEAS_COND_XG_CURRENT": "current",
}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line."""
    return head.startswith(b"*RAS_DATA_START")


def extract(path: Path) -> xr.DataTree:
    """Read a ``.ras`` file; the schema is that of the module."""
    lines = text_of(path, "cp932").splitlines()
    headers: list[dict[str, str]] = []
    scans: list[xr.Dataset] = []
    for row, line in enumerate(lines):
        if line.startswith("*RAS_HEADER_START"):
            headers.append({})
        elif line.startswith("*RAS_INT_START") and headers:
            end = next((at for at in range(row, len(lines)) if lines[at].startswith("*RAS_INT_END")), None)
            if end is None:
                raise ReadError(path, "ends before *RAS_INT_END: a part of the scan is missing", f"line {row + 1}")
            table = rows_of_three(lines[row + 1 : end], path, f"lines {row + 2} to {end}")
            scans.append(profile(path, headers[-1], table, f"line {row + 1}", _axes(headers[-1])))
        elif headers and (match := ENTRY.fullmatch(line)):
            headers[-1][match[1]] = match[2]
    if not scans:
        raise ReadError(path, "holds no scan between *RAS_INT_START and *RAS_INT_END")
    first = headers[0]
    instrument = f"Rigaku {first.get('HW_GONIOMETER_NAME', '').rpartition('|')[2]}".strip()
    acquired = iso(first.get("MEAS_SCAN_START_TIME", ""), "%m/%d/%y %H:%M:%S")
    return tree(series(scans), header=headers, instrument=instrument, acquired=acquired)


def rows_of_three(lines: list[str], path: Path, place: str) -> np.ndarray:
    """Return rows of position, intensity and attenuation factor, shape (n, 3)."""
    values = numbers(" ".join(lines).split(), path, place)
    if values.size != 3 * len(lines):
        raise ReadError(path, f"{values.size} numbers in {len(lines)} rows of three", place)
    return values.reshape(-1, 3)


def _axes(header: dict[str, str]) -> dict[str, str]:
    """Return the positions of the axes of a scan by their names."""
    names = {
        key.rpartition("-")[2]: name for key, name in header.items() if key.startswith("MEAS_COND_AXIS_NAME_INTERNAL-")
    }
    return {name: header.get(f"MEAS_COND_AXIS_POSITION-{number}", "") for number, name in names.items()}


def profile(path: Path, header: dict[str, str], table: np.ndarray, place: str, axes: Mapping[str, str]) -> xr.Dataset:
    """Make the dataset of a scan from its rows (position, intensity, attenuation factor) and the places of axes."""
    announced = header.get("MEAS_DATA_COUNT")
    check_count(float(announced) if announced else None, len(table), path, place)
    kind, unit = header.get("MEAS_SCAN_AXIS_X_INTERNAL", ""), header.get("MEAS_SCAN_UNIT_Y", "")
    if counted(unit) == "1":
        raise ReadError(path, f"intensities in '{unit}'; expected counts or cps", place)
    attrs: dict[str, Any] = {name: float(header[key]) for key, name in NAMES.items() if header.get(key)}
    attrs |= {"anode": header.get("HW_XG_TARGET_NAME"), "scan_type": kind}
    step, speed = (float(header.get(f"MEAS_SCAN_{name}") or 0) for name in ("STEP", "SPEED"))
    if header.get("MEAS_SCAN_SPEED_UNIT") == "deg/min" and step > 0 and speed > 0:
        attrs["counting_time"] = 60 * step / speed
    axis = axis_of(kind, path, place)
    coupled = COUPLED if axis == "two_theta" and snake(kind) != axis else ()
    for name, word in axes.items():
        resting, value = snake(name), number(word)
        if resting in AXES and value is not None and resting not in (axis, *coupled):
            attrs[resting] = value
    dataset = scan(path, axis, table[:, 0], table[:, 1], attrs, place, counted(unit))
    dataset["attenuation_factor"] = variable(axis, table[:, 2], "1", "attenuation factor of the absorber")
    return dataset
