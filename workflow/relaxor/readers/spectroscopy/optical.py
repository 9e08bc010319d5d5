"""What the text exports of optical spectrometers have in common."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from relaxor.core.variables import variable
from relaxor.readers.common.text import first_number, free, iso, slug

WAVELENGTH = ("wavelength", "nm", "wavelength")
SHIFT = ("raman_shift", "1/cm", "Raman shift")
PER_SECOND = {"s": 1, "sec": 1, "ms": 1000, "msec": 1000, "us": 10**6, "usec": 10**6, "µs": 10**6, "µsec": 10**6}
INTEGRATION = re.compile(r"int[eé]gr", re.IGNORECASE)
STATED = re.compile(r"[(\[]\s*+([^\s()\[\]]++)\s*+[)\]]")
JAVA_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} +\d+ \d+:\d+:\d+) \S+ (\d{4})")
"""A date as the Java programs of Ocean Optics write it in every language; the name of the zone is not taken."""
NO_UNIT = "nothing says in which unit the intensity is"


def integration_time(entries: Mapping[str, str]) -> dict[str, float]:
    """Return the attribute ``integration_time`` (s, of one scan) from an entry such as ``Integration time [ms]``.

    The unit stands behind the key in brackets, or behind the number.
    """
    for key, value in entries.items():
        if not INTEGRATION.search(key):
            continue
        number = first_number(value.replace(",", "."))
        stated = STATED.search(key)
        words = value.split()
        unit = stated[1] if stated else words[1] if len(words) > 1 else ""
        if number is not None and unit.lower() in PER_SECOND:
            return {"integration_time": number / PER_SECOND[unit.lower()]}
    return {}


def java_date(lines: Sequence[str]) -> str | None:
    """Return the first date among lines of a header as ISO 8601."""
    found = next((match for line in lines if (match := JAVA_DATE.search(line))), None)
    return found and iso(f"{found[1]} {found[2]}", "%b %d %H:%M:%S %Y")


def spectrum_of(
    axis: tuple[str, str, str],
    positions: np.ndarray,
    columns: Sequence[tuple[str, str, np.ndarray]],
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Return one spectrum of several columns, each of them with its label, unit and numbers.

    The column of the sample, or else the first one, is ``intensity``; the others keep their names.
    """
    labels = [label.strip().lower() for label, _, _ in columns]
    sample = next((index for index, label in enumerate(labels) if label in ("sample", "scope", "raw data")), 0)
    variables: dict[str, xr.Variable] = {}
    for index, (label, unit, values) in enumerate(columns):
        name = "intensity" if index == sample else slug(label) or f"column_{index + 2}"
        name = free("reference" if name == "ref" else name, {*variables, axis[0]})
        variables[name] = variable(axis[0], values, unit, label.strip() or name)
    return xr.Dataset(variables, {axis[0]: variable(axis[0], positions, *axis[1:])}, dict(attrs))
