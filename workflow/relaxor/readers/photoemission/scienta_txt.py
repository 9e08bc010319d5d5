"""Scienta SES text exports, ``.txt``.

Layout: ``[Info]`` with the number of regions; for every region n ``[Region n]`` (name, size and scale of each
dimension), ``[Info n]`` (``Key=value``), ``[Data n]``: rows of the energy and one value, or one a position of a
second dimension.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import numbers, text_of
from relaxor.readers.photoemission.regions import free, number, spectrum
from relaxor.readers.registry import Reader

SECTION = re.compile(r"\[(.+?)\s*(\d*)\]")
NUMBERS = {"Pass Energy": "pass_energy", "Excitation Energy": "excitation_energy"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first section."""
    return re.match(rb"\s*\[Info\]\s+Number of Regions=", head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read an SES export.

    Returns
    -------
    xarray.DataTree
        One child a region, named after it, with the dimension ``binding_energy`` or ``kinetic_energy`` (eV, as
        exported, the other one beside it): ``intensity`` in the detector's unit (``count/s`` is not stated: ``1``),
        of an image over (``slice``, energy) with the scale of the second dimension as coordinate. Attributes:
        ``pass_energy``, ``excitation_energy`` (eV), ``step_time`` (ms), ``sweeps``, ``acquisition_mode``,
        ``lens_mode``, ``sample``.
    """
    sections: dict[tuple[str, str], list[str]] = {}
    current: list[str] = []
    for line in text_of(path).splitlines():
        if match := SECTION.fullmatch(line.strip()):
            current = sections.setdefault((match[1], match[2]), [])
        else:
            current.append(line)
    children: dict[str, xr.Dataset] = {}
    headers: dict[str, dict[str, str]] = {}
    for kind, index in list(sections):
        if kind == "Region":
            region, info = (_entries(sections.get((name, index), [])) for name in ("Region", "Info"))
            name = free(region.get("Region Name", f"region {index}"), children)
            headers[name] = {**region, **info}
            children[name] = _dataset(region, info, sections.get(("Data", index), []), path, f"[Data {index}]")
    announced = number(_entries(sections.get(("Info", ""), [])).get("Number of Regions", ""))
    if not children or (announced and announced != len(children)):
        raise ReadError(path, f"announces {announced or 0:g} regions and holds {len(children)}")
    first = next(iter(headers.values()))
    date = f"{first['Date']}T{first['Time']}" if {"Date", "Time"} <= first.keys() else None
    instrument = f"Scienta {first.get('Instrument', '')}".strip()
    return tree(children, header=headers, instrument=instrument, acquired=date)


def _entries(lines: list[str]) -> dict[str, str]:
    return {key.strip(): value.strip() for key, mark, value in (line.partition("=") for line in lines) if mark}


def _dataset(region: dict[str, str], info: dict[str, str], lines: list[str], path: Path, place: str) -> xr.Dataset:
    rows = [line.split() for line in lines if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1}:
        raise ReadError(path, f"rows of {sorted(widths)} columns; expected an energy and one value or more", place)
    table = numbers([word for row in rows for word in row], path, place).reshape(len(rows), -1)
    announced = number(region.get("Dimension 1 size", ""))
    if announced and announced != len(table):
        raise ReadError(path, f"announces {announced:g} energies and holds {len(table)}", place)
    attrs: dict[str, Any] = {name: number(info.get(key, "")) for key, name in NUMBERS.items()}
    attrs |= {
        "step_time": number(info.get("Step Time", "")),
        "sweeps": number(info.get("Number of Sweeps", "")),
        "acquisition_mode": info.get("Acquisition Mode"),
        "lens_mode": info.get("Lens Mode"),
        "sample": info.get("Sample"),
    }
    name = "binding_energy" if "binding" in region.get("Dimension 1 name", "").lower() else "kinetic_energy"
    values = table[:, 1] if table.shape[1] == 2 else table[:, 1:].T
    dataset = spectrum(path, name, table[:, 0], values, "1", attrs, place)
    dims = (name,) if values.ndim == 1 else ("slice", name)
    dataset["intensity"] = variable(dims, values, "1", "intensity, in the detector's unit")
    scale = region.get("Dimension 2 scale", "").split()
    if len(scale) == values.shape[0] and values.ndim == 2:
        label = region.get("Dimension 2 name", "second dimension")
        dataset = dataset.assign_coords(slice=variable("slice", numbers(scale, path, place), "1", label))
    return dataset


READER = Reader("scienta_txt", recognises, extract)
