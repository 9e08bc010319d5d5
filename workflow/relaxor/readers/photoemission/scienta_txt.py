"""Scienta SES text exports, ``.txt``.

Instruments: SES, the program of Scienta electron analysers (R3000, R4000), exports spectra in this form.

Recognition: The file begins with the section ``[Info]`` and the line ``Number of Regions=``.

Layout: ``[Info]`` has the number of regions. Every region n has the sections ``[Region n]`` (name, and size and scale
of each dimension), ``[Info n]`` (``Key=value``) and ``[Data n]``, whose rows are an energy and one value, or one value
per position of a second dimension.

Schema: There is one child per region, named after it, with the dimension ``binding_energy`` or ``kinetic_energy`` (eV,
as exported; the other one is a coordinate where the excitation energy is known). It has ``intensity`` in the unit of
the detector (``1``, because the file does not state one), for an image over (``slice``, energy) with the scale of the
second dimension as coordinate. The attributes are ``pass_energy``, ``excitation_energy`` (eV), ``step_time`` (ms),
``sweeps``, ``acquisition_mode``, ``lens_mode`` and ``sample``.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import check_count, tree
from relaxor.readers.common.text import entries, first_number, free, numbers, text_of
from relaxor.readers.photoemission.regions import spectrum

SECTION = re.compile(r"\[(.+)\]")
NUMBERS = {"Pass Energy": "pass_energy", "Excitation Energy": "excitation_energy"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first section."""
    return re.match(rb"\s*\[Info\]\s+Number of Regions=", head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read an SES export; the schema is that of the module."""
    sections: dict[tuple[str, str], list[str]] = {}
    current: list[str] = []
    for line in text_of(path).splitlines():
        if match := SECTION.fullmatch(line.strip()):
            kind = match[1].rstrip("0123456789")
            current = sections.setdefault((kind.rstrip(), match[1].removeprefix(kind)), [])
        else:
            current.append(line)
    children: dict[str, xr.Dataset] = {}
    headers: dict[str, dict[str, str]] = {}
    for kind, index in list(sections):
        if kind == "Region":
            region, info = (entries(sections.get((name, index), []), "=") for name in ("Region", "Info"))
            name = free(region.get("Region Name", f"region {index}"), children)
            headers[name] = {**region, **info}
            children[name] = _dataset(region, info, sections.get(("Data", index), []), path, f"[Data {index}]")
    announced = entries(sections.get(("Info", ""), []), "=").get("Number of Regions", "")
    check_count(first_number(announced), len(children), path, "", "regions")
    if not children:
        raise ReadError(path, "holds no section [Region 1]")
    first = next(iter(headers.values()))
    date = f"{first['Date']}T{first['Time']}" if {"Date", "Time"} <= first.keys() else None
    instrument = f"Scienta {first.get('Instrument', '')}".strip()
    return tree(children, header=headers, instrument=instrument, acquired=date)


def _dataset(region: dict[str, str], info: dict[str, str], lines: list[str], path: Path, place: str) -> xr.Dataset:
    rows = [line.split() for line in lines if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1}:
        raise ReadError(path, f"rows of {sorted(widths)} columns; expected an energy and one value or more", place)
    table = numbers([word for row in rows for word in row], path, place).reshape(len(rows), -1)
    check_count(first_number(region.get("Dimension 1 size", "")), len(table), path, place, "energies")
    attrs: dict[str, Any] = {name: first_number(info.get(key, "")) for key, name in NUMBERS.items()}
    attrs |= {
        "step_time": first_number(info.get("Step Time", "")),
        "sweeps": first_number(info.get("Number of Sweeps", "")),
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
