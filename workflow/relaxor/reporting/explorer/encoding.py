"""Data as scripts that a page loads on demand: browsers refuse to fetch local files, but run local scripts."""

import base64
import json
import zlib
from functools import cache
from typing import Any

import numpy as np

from relaxor.core.units import parse_unit

RECEIVER = "relaxorReceive"
"""Function of the page that gets the data of a script."""
HARMLESS = 1e-3
"""Largest change of a value, in mean steps of its variable, at which single precision counts as exact."""
IMAGE = 2**13
"""Number of values above which a table of two or more dimensions is stored as an image."""
LEVELS, MISSING = 32_000, -1
"""Levels of an image, and the level of pixels without a value."""


def script(key: str, content: Any) -> str:
    """Return a script that hands content to the page, as compressed JSON in base64, in which no text can do harm.

    The page parses the JSON instead of running it, so that names such as ``__proto__`` are names like any other.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{RECEIVER}('{key}','{base64.b64encode(zlib.compress(text.encode(), 9)).decode()}');\n"


def array(values: np.ndarray) -> dict[str, Any]:
    """Return an array as its shape and little-endian bytes in base64, or as a list of texts.

    Numbers have single precision where that moves none of them by more than `HARMLESS` of a step. Images have
    `LEVELS` levels between their smallest and largest value: ``value = low + step * level``, and missing at the lowest.
    """
    shape = list(values.shape)
    if values.dtype.kind not in "biuf":
        return {"shape": shape, "texts": [str(value) for value in values.ravel()]}
    if values.ndim > 1 and values.size > IMAGE and values.dtype.kind == "f" and np.isfinite(values).any():
        finite = values[np.isfinite(values)]
        low, high = float(finite.min()), float(finite.max())
        step = (high - low) / LEVELS or 1.0
        levels = np.where(np.isfinite(values), np.rint((values - low) / step), MISSING)
        return {"shape": shape, "kind": "i2", "bytes": _packed(levels, "i2"), "low": low, "step": step}
    kind = _kind(values)
    return {"shape": shape, "kind": kind, "bytes": _packed(values, kind)}


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(f"<{kind}")).tobytes()).decode()


def _kind(values: np.ndarray) -> str:
    """Return the smallest type that holds the values."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "f4"
    if values.dtype.kind in "biu":
        low, high = int(finite.min()), int(finite.max())
        return next((k for k in ("i1", "i2", "i4") if np.iinfo(k).min <= low and high <= np.iinfo(k).max), "f8")
    with np.errstate(over="ignore", under="ignore"):
        moved = float(np.abs(finite - finite.astype("f4").astype(float)).max())
    step = float(np.ptp(finite)) / max(finite.size - 1, 1)
    return "f4" if moved <= HARMLESS * step or (float(np.ptp(finite)) == 0 and moved == 0) else "f8"


@cache
def unit_text(unit: str) -> str:
    """Write a unit as people do (``µC/cm²``); nothing for the unit one, and a text that is no unit as it is."""
    if unit in ("", "1", "dimensionless"):
        return ""
    if unit == "1/cm":
        return "cm⁻¹"
    known = parse_unit(unit)
    return unit if known is None else f"{known:~P}"
