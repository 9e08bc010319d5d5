"""Diffraction scans as the readers of all diffractometers return them: one axis, intensities and their uncertainty."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import MAX_POINTS
from relaxor.readers.common.text import numbers
from relaxor.stats.counts import poisson_uncertainty

AXES = {
    "two_theta": ("degree", "diffraction angle 2θ"),
    "theta": ("degree", "incidence angle θ"),
    "omega": ("degree", "incidence angle ω"),
    "chi": ("degree", "tilt χ"),
    "psi": ("degree", "tilt ψ"),
    "phi": ("degree", "azimuth φ"),
    "x": ("mm", "stage position x"),
    "y": ("mm", "stage position y"),
    "z": ("mm", "stage position z"),
}
"""Scanned axes, with their unit and name."""


def scan(
    path: Path,
    axis: str,
    position: np.ndarray,
    intensity: np.ndarray,
    attrs: Mapping[str, Any],
    place: str,
    units: str = "count",
) -> xr.Dataset:
    """Make the dataset of a scan.

    Parameters
    ----------
    axis
        One of `AXES`, the dimension.
    position, intensity
        Shape (n,).
    attrs
        Attributes; empty ones are left out. ``counting_time`` (s per step) gives rates their uncertainty.
    units
        ``count``, or ``count/s`` for rates. Counts that are not whole numbers were scaled by the instrument, which does
        not say how; they have no uncertainty.

    Raises
    ------
    ReadError
        If there is no point, if positions and intensities differ in number, or if a number is not finite.
    """
    if not intensity.size or position.shape != intensity.shape:
        raise ReadError(path, f"{intensity.size} intensities at {position.size} positions", place)
    for name, values in (("positions", position), ("intensities", intensity)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            problem = f"{bad.size} of {values.size} {name} are not finite numbers"
            raise ReadError(path, problem, f"{place}, point {bad[0]}")
    unit, name = AXES[axis]
    variables = {"intensity": variable(axis, intensity.astype(float), units, "intensity")}
    time = float(attrs.get("counting_time") or 0)
    if units == "count" and np.array_equal(intensity, np.round(intensity)):
        with_uncertainty(variables, "intensity", poisson_uncertainty(intensity), "Poisson")
    elif units == "count/s" and time > 0:
        with_uncertainty(variables, "intensity", poisson_uncertainty(intensity * time) / time, "Poisson")
    return xr.Dataset(
        variables,
        coords={axis: variable(axis, position, unit, name)},
        attrs={key: value for key, value in attrs.items() if value not in ("", None)},
    )


def axis_of(name: str, path: Path, place: str) -> str:
    """Return the axis of `AXES` for which a maker's name of a scan stands; coupled scans run along 2θ.

    Raises
    ------
    ReadError
        If the name stands for none of them.
    """
    plain = name.lower().replace("two", "2").replace(" ", "").replace("-", "").replace("_", "")
    axis = plain if plain in AXES else "chi" if plain == "khi" else None
    if "2theta" in plain or plain in ("gonio", "coupled"):
        axis = "two_theta"
    if axis is None:
        raise ReadError(path, f"scans the unknown axis '{name}'; known are 2θ, coupled, {', '.join(AXES)}", place)
    return axis


def grid(path: Path, axis: str, start: float, step: float, points: int, place: str) -> np.ndarray:
    """Return the positions of a scan of equal steps, shape (points,)."""
    if not (np.isfinite(start) and np.isfinite(step) and step != 0):
        raise ReadError(path, f"{axis} starts at {start} with step {step}", place)
    return start + step * np.arange(points)


def rows_of(lines: Sequence[str], columns: int, path: Path, first: int) -> tuple[np.ndarray, list[str]]:
    """Return the rows of a pattern, shape (n, columns), and warnings; a last row that is cut off is left out.

    Parameters
    ----------
    lines
        Rows of numbers, separated by blanks, tabs or commas; empty lines are passed over.
    first
        Number of the first line in the file.
    """
    rows = [(first + index, line.replace(",", " ").split()) for index, line in enumerate(lines) if line.strip()]
    warnings = []
    if rows and len(rows[-1][1]) < columns and lines[-1].strip():
        warnings.append(f"line {rows[-1][0]}: the last row is cut off and left out")
        rows.pop()
    if not rows:
        raise ReadError(path, f"holds no rows of {columns} numbers", f"line {first}")
    if len(rows) * columns > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers; such patterns are refused")
    wrong = next(((line, row) for line, row in rows if len(row) != columns), None)
    if wrong:
        raise ReadError(path, f"{len(wrong[1])} numbers in a row; {columns} are expected", f"line {wrong[0]}")
    words = [word for _, row in rows for word in row]
    return numbers(words, path, f"lines {rows[0][0]} to {rows[-1][0]}").reshape(-1, columns), warnings


def series(scans: Sequence[xr.Dataset], before: int = 0) -> dict[str, xr.Dataset]:
    """Name the scans of one measurement; scans of one axis and length at different places become a map.

    Parameters
    ----------
    scans
        Scans; the axes that rest are attributes, those that move are variables.
    before
        Number of children before them.

    Returns
    -------
    dict
        ``scan_1``, …; or ``map_1`` with the dimensions (``scan``, ``point``) and all axes as coordinates. Scans that
        repeat each other stay apart, so that each of them can be analysed.
    """
    apart = {f"scan_{before + number}": scan for number, scan in enumerate(scans, start=1)}
    if len({tuple(scan.sizes.items()) for scan in scans}) > 1 or len(scans) < 2 or _repeated(scans):
        return apart
    first = scans[0]
    shared = [name for name in first.variables if all(name in scan.variables for scan in scans)]
    stacked = {
        name: variable(("scan", "point"), np.stack([scan[name].values for scan in scans]), **first[name].attrs)
        for name in shared
    }
    if "intensity_uncertainty" not in shared:
        stacked["intensity"].attrs.pop("ancillary_variables", None)
    attrs = dict(first.attrs)
    for name in AXES:
        rest = [scan.attrs.get(name, np.nan) for scan in scans]
        if np.isfinite(rest).all():
            attrs.pop(name)
            stacked[str(name)] = variable("scan", rest, *AXES[name])
    elapsed = _elapsed([str(scan.attrs.get("acquired", "")) for scan in scans])
    if elapsed is not None:
        stacked["elapsed_time"] = variable("scan", elapsed, "s", "time since the first scan")
    coordinates = [name for name in (*AXES, "elapsed_time") if name in stacked]
    return {f"map_{before + 1}": xr.Dataset(stacked, attrs=attrs).set_coords(coordinates)}


def _repeated(scans: Sequence[xr.Dataset]) -> bool:
    """Return whether all scans stand at the same places."""
    first = scans[0]
    for scan in scans[1:]:
        for name in AXES:
            if scan.attrs.get(name) != first.attrs.get(name) or (name in scan.variables) != (name in first.variables):
                return False
            if name in scan.variables and not np.array_equal(scan[name].values, first[name].values):
                return False
    return True


def _elapsed(dates: Sequence[str]) -> np.ndarray | None:
    """Return the times of scans since the first of them (s), or None if one of them is not known."""
    try:
        moments = [datetime.fromisoformat(date) for date in dates]
        return np.array([(moment - moments[0]).total_seconds() for moment in moments])
    except (ValueError, TypeError):  # no date, or some with a time zone and some without
        return None
