"""Images of scanning probe microscopes as their readers return them: channels over y and x, in base units."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import factor, parse_unit
from relaxor.core.variables import variable
from relaxor.readers.common.text import free, snake
from relaxor.readers.common.unit_words import unit_of

BASES = ("m", "V", "A", "N", "Pa", "Hz", "s", "N/m", "degree")
"""Units in which channels are given."""
HEIGHTS = ("z", "topography", "topo", "height")
"""Names of makers, in small letters, for the height of the surface."""


def in_base(values: np.ndarray, unit: str) -> tuple[np.ndarray, str]:
    """Return values in a base unit, and the unit; a unit that is not known becomes ``1``."""
    known = unit_of(unit)
    parsed = parse_unit(known) if known else None
    for base in BASES:
        if parsed is not None and not parsed.dimensionless and parsed.is_compatible_with(base):
            return values * factor(str(known), base), base
    return values, known or "1"


def axes(shape: tuple[int, ...], height: float, width: float, path: Path, place: str) -> dict[str, xr.Variable]:
    """Return the coordinates y and x of an image (sides in m), from zero on."""
    ends = {"y": (height, shape[0]), "x": (width, shape[1])}
    for name, (length, _) in ends.items():
        if not (np.isfinite(length) and length > 0):
            raise ReadError(path, f"the side along {name} is {length:g} m; above 0 expected", place)
    return {name: variable(name, np.arange(count) * (end / count), "m", name) for name, (end, count) in ends.items()}


def add_channel(dataset: xr.Dataset, title: str, direction: str, values: np.ndarray, unit: str, **attrs: Any) -> None:
    """Add a channel under a name of its own: ``height_forward``; heights of all makers begin with ``height``."""
    height = title.strip().lower() in HEIGHTS and unit_of(unit) is not None
    values, base = in_base(np.asarray(values, dtype=float), unit)
    label = "height" if height and base == "m" else title.strip()
    name = free(snake(f"{label} {direction}") or "value", dataset)
    dataset[name] = variable(("y", "x"), values, base, f"{title} {direction}".strip(), **attrs)


def unknown_unit(title: str, unit: str) -> str:
    """Return a warning about a unit that is not known, or an empty text."""
    return f"channel {title}: the unit '{unit}' is not known" if unit.strip() and unit_of(unit) is None else ""
