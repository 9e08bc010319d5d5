"""Datasets from the signals that rosettasciio returns."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.pieces import Lazy
from relaxor.core.units import factor, parse_unit
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, safe, slug
from relaxor.readers.common.unit_words import counted, unit_of
from relaxor.stats.counts import poisson_uncertainty

DIMENSIONS = {
    "x-ray energy": "energy",
    "energy": "energy",
    "energy loss": "energy_loss",
    "energy-loss": "energy_loss",
    "time": "time",
    "stack": "frame",
    "height": "y",
    "width": "x",
}
"""Names of axes that rosettasciio spells in several ways."""
SPECTRAL = frozenset({"raman_shift", "wavelength", "wavenumber"})
"""Axes that keep the unit in which their field reads them."""
UNDERSCORED = re.compile(r"(?<![A-Za-z])([fpnuµmk]?)_(?=[mAsV])")
"""A prefix that an underscore sets apart, as in ``n_m``."""
WORD = re.compile(r"[A-Za-z]+(\s*[/*^]\s*[A-Za-z0-9-]+)*")
"""What may be a unit that only pint knows."""
TARGET_UNITS = ("m", "1/m", "s", "eV")
"""Units in which coordinates are stored, except that energies keep their own multiple (keV stays keV)."""


def datasets(signals: Sequence[Mapping[str, Any]], attrs: Sequence[Mapping[str, Any]] = ()) -> dict[str, xr.Dataset]:
    """Return datasets of signals, named after their titles; the names are unique and safe for groups of netCDF.

    Parameters
    ----------
    signals
        Dictionaries with ``data``, ``axes`` and ``metadata`` as rosettasciio returns them. Readers may add ``units``
        (of the values; without them, the values are plain numbers) and ``counts`` (whether they are Poisson counts).
    attrs
        Attributes of each dataset, if there are any.
    """
    result: dict[str, xr.Dataset] = {}
    for signal, extra in zip(signals, attrs or [{}] * len(signals), strict=True):
        title = str(signal["metadata"].get("General", {}).get("title") or "signal")
        result[free(safe(title, "signal"), result)] = _dataset(signal).assign_attrs({"title": title, **extra})
    return result


def signal_tree(
    signals: Sequence[Mapping[str, Any]],
    attrs: Sequence[Mapping[str, Any]] = (),
    more: Mapping[str, Any] | None = None,
    **root: Any,
) -> xr.DataTree:
    """Return the tree of signals, see `datasets`; the header contains the metadata of each signal, and ``more``."""
    children = datasets(signals, attrs)
    root["warnings"] = [*root.get("warnings", ()), *_unknown_units(children)]
    header = dict(zip(children, (signal["original_metadata"] for signal in signals), strict=True))
    return tree(children, header={**header, **(more or {})}, **root)


def _unknown_units(children: Mapping[str, xr.Dataset]) -> list[str]:
    """Return a warning for each axis whose unit is not known; its numbers are kept as they are."""
    return [
        f"{child}: the unit '{axis.attrs['unit_in_file']}' of the axis {name} is not known"
        for child, dataset in children.items()
        for name, axis in dataset.coords.items()
        if "unit_in_file" in axis.attrs and axis_unit(str(axis.attrs["unit_in_file"])) is None
    ]


def axis_unit(text: str) -> str | None:
    """Return the unit of an axis as pint reads it, or None if it is not known; an axis in ``A`` is one in angstrom."""
    bare = UNDERSCORED.sub(r"\1", text.strip().strip("[]").strip())
    if bare in ("A", "Å", "Angstrom"):
        return "angstrom"
    unit = unit_of(bare)
    if unit is None and len(bare) > 1 and WORD.fullmatch(bare) and parse_unit(bare) is not None:
        return bare
    return unit


def counts_of(signal: Mapping[str, Any]) -> str:
    """Return the unit ``count``, ``count/s`` or ``1`` for a name of rosettasciio such as ``Intensity (Counts)``."""
    return counted(str(signal["metadata"]["Signal"].get("quantity", "")).partition("(")[2].rstrip(")"))


def exposure(signal: Mapping[str, Any]) -> dict[str, float]:
    """Return the attribute ``integration_time`` (s, of all accumulations) if the file gives it."""
    detector = signal["metadata"].get("Acquisition_instrument", {}).get("Detector", {})
    return {"integration_time": float(detector["integration_time"])} if "integration_time" in detector else {}


def _dataset(signal: Mapping[str, Any]) -> xr.Dataset:
    """Make one dataset; complex values become ``real`` and ``imaginary`` (netCDF has no complex numbers)."""
    data, axes = signal["data"], signal["axes"]
    values: Any = data if isinstance(data, Lazy) else np.asarray(data)
    names = _unique([_dimension(axis.get("name"), index, values.ndim) for index, axis in enumerate(axes)])
    # rosettasciio unpacks one column less of a packed FFT of odd width, so that the values decide the length.
    coords = {
        name: _coordinate(name, {**axis, "size": length})
        for name, axis, length in zip(names, axes, values.shape, strict=True)
    }
    lost = any(axis.get("size", length) != length for axis, length in zip(axes, values.shape, strict=True))
    if np.iscomplexobj(values):
        parts = {"real": values.real, "imaginary": values.imag}
    elif values.dtype.names:
        parts = {field: values[field] for field in values.dtype.names}
    else:
        parts = {"intensity": values.astype("u1") if values.dtype == bool else values}
    variables = {
        name: variable(tuple(names), part, signal.get("units", "1"), name if name == "intensity" else f"{name} part")
        for name, part in parts.items()
    }
    if signal.get("counts"):
        with_uncertainty(variables, "intensity", poisson_uncertainty(values), "Poisson")
    incomplete = {"incomplete": f"file announces {[axis['size'] for axis in axes]} values"} if lost else {}
    dataset = xr.Dataset(variables, coords, incomplete)
    return dataset.transpose(..., "y", "x") if names[-2:] == ["x", "y"] else dataset


def _unique(names: list[str]) -> list[str]:
    """Return names of which none repeats: the axes of an image keep theirs, those along which it was moved do not."""
    found: list[str] = []
    for name in reversed(names):
        found.insert(0, name if name not in found else free(f"scan_{name}", found))
    return found


def _dimension(name: object, index: int, ndim: int) -> str:
    """Return the name of an axis; an axis without a name is y or x of an image, or has a number."""
    text = str(name or "").strip().lower()
    if not text:
        return ("y", "x")[index] if ndim == 2 else f"axis_{index}"
    return DIMENSIONS.get(text, slug(text))


def _coordinate(name: str, axis: Mapping[str, Any]) -> xr.Variable:
    """Return a coordinate in base units; a unit that pint does not know is kept as ``unit_in_file``.

    An axis without numbers is an index.
    """
    if not ({"offset", "scale"} <= axis.keys() or "axis" in axis):
        return variable(name, np.arange(int(axis["size"])), "1", f"index of {name.replace('_', ' ')}")
    if "axis" in axis:
        values = np.asarray(axis["axis"], dtype=float)
    else:
        values = float(axis["offset"]) + float(axis["scale"]) * np.arange(int(axis["size"]))
    given = str(axis.get("units") or "").strip()
    unit, attrs = "1", {"unit_in_file": given} if given else {}
    known = axis_unit(given) or ""
    parsed = parse_unit(known) if known else None
    if parsed is not None and name in SPECTRAL:
        return variable(name, values, known, name.replace("_", " "))
    for target in TARGET_UNITS:
        if parsed is not None and not parsed.dimensionless and parsed.is_compatible_with(target):
            unit = target if target != "eV" else given
            values = values * factor(known, unit)
    return variable(name, values, unit, name.replace("_", " "), **attrs)
