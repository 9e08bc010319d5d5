"""SPECS text exports, ``.xy``.

Instruments: SpecsLab 2 and Prodigy, the programs of SPECS electron analysers (PHOIBOS), export spectra in this form.

Recognition: The file begins with ``# Created by:``, and its first bytes hold ``XY-Serializer``.

Layout: Comments are ``# Key: value``. First stand the settings of the export (which energy the axis is, whether values
are counts or counts per second, whether scans are separate). Then follow for every region its parameters and blocks of
rows, whose columns the line ``ColumnLabels`` names: energy or index, value, and perhaps others. The block of another
detector is announced as ``External Channel Data``. A scan at a fixed energy (``FixedEnergies``) has an index instead of
an energy.

Schema: There is one child per region, named after it, with the dimension ``binding_energy`` or ``kinetic_energy`` (eV,
as exported; the other one is a coordinate) and, for several scans, ``scan``. It has ``intensity`` (count/s) with
``intensity_uncertainty`` (Poisson), and ``counts`` where counts were exported. The attributes are ``group``,
``counting_time`` (s per point: dwell time times averaged scans), ``pass_energy``, ``excitation_energy``,
``work_function`` (eV) and ``acquired``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import first_number, free, iso, numbers, text_of
from relaxor.readers.photoemission.regions import spectrum

ENTRY = re.compile(r"#([^:=]++):\s+(.*)")
NUMBERS = {
    "Pass Energy": "pass_energy",
    "Excitation Energy": "excitation_energy",
    "Eff. Workfunction": "work_function",
}


Block = tuple[bool, np.ndarray]
"""Whether another detector measured the block, and its rows."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the program and its exporter."""
    return head.startswith(b"# Created by:") and b"XY-Serializer" in head


def extract(path: Path) -> xr.DataTree:
    """Read an ``.xy`` export; the schema is that of the module."""
    lines = text_of(path).splitlines()
    settings: dict[str, str] = {}
    children: dict[str, xr.Dataset] = {}
    headers: list[dict[str, str]] = []
    warnings: list[str] = []
    for header, blocks in _regions(lines, settings, path):
        headers.append(header)
        kept = [values for external, values in blocks if not external]
        if len(kept) < len(blocks):
            left_out = len(blocks) - len(kept)
            warnings.append(f"region {header['Region']}: {left_out} blocks of other channels are left out")
        if kept:
            name = free(header["Region"], children)
            children[name] = _dataset(header, settings, kept, warnings, path)
    if not children:
        raise ReadError(path, "holds no region with numbers")
    instrument = f"SPECS {headers[0].get('Analyzer', '')}, {settings.get('Created by', '')}"
    acquired = _date(headers[0].get("Acquisition Date", ""))
    header_all = {"settings": settings, "regions": headers}
    return tree(children, header=header_all, instrument=instrument, acquired=acquired, warnings=warnings)


def _regions(lines: list[str], settings: dict[str, str], path: Path) -> Iterator[tuple[dict[str, str], list[Block]]]:
    """Yield header and blocks of every region; lines before the first region are added to the settings."""
    group, header, external = "", None, False
    blocks: list[Block] = []
    row = 0
    while row < len(lines):
        line = lines[row].strip()
        row += 1
        if match := ENTRY.fullmatch(line):
            key, value = match[1].strip(), match[2]
            if key == "Group":
                group = value
            elif key == "Region":
                if header is not None:
                    yield header, blocks
                header, blocks, external = {"Region": value, "Group": group}, [], False
            elif header is None:
                settings.setdefault(key, value)
            elif key != "Cycle" and not blocks:
                header.setdefault(key, value)
        if line.startswith("#"):
            if line.startswith(("# Cycle", "# External")):
                external = "External" in line
        elif line:
            end = row
            while end < len(lines) and lines[end].strip() and not lines[end].startswith("#"):
                end += 1
            if header is None:
                raise ReadError(path, "numbers before the first region", f"line {row}")
            blocks.append((external, _block(lines[row - 1 : end], path, row)))
            row = end
    if header is not None:
        yield header, blocks


def _block(lines: list[str], path: Path, first: int) -> np.ndarray:
    rows = [line.split() for line in lines]
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]) or len(row) < 2:
            problem = f"{len(row)} columns where {max(len(rows[0]), 2)} are expected"
            raise ReadError(path, problem, f"line {first + index}")
    words = [word for row in rows for word in row]
    return numbers(words, path, f"lines {first} to {first + len(lines) - 1}").reshape(len(rows), -1)


def _dataset(
    header: dict[str, str], settings: dict[str, str], blocks: list[np.ndarray], warnings: list[str], path: Path
) -> xr.Dataset:
    place = f"region {header['Region']}"
    binding = "binding" in settings.get("Energy Axis", "").lower() or settings.get("Kinetic Energy Axis") == "no"
    rates = "second" in settings.get("Count Rate", "").lower() or settings.get("Counts Per Second") == "yes"
    announced = first_number(header.get("Values/Curve", ""))
    for block in blocks:
        if announced and announced != len(block):
            warnings.append(f"{place}: {announced:g} values announced, {len(block)} found")
    same = [block for block in blocks if np.array_equal(block[:, 0], blocks[0][:, 0])]
    if len(same) < len(blocks):
        raise ReadError(path, f"{len(blocks)} blocks of different axes in one region", place)
    values = np.stack([block[:, 1] for block in same]) if len(same) > 1 else same[0][:, 1]
    scans = 1 if settings.get("Separate Scan Data") == "yes" else first_number(header.get("Number of Scans", "1")) or 1
    attrs: dict[str, Any] = {name: first_number(header.get(key, "")) for key, name in NUMBERS.items()}
    dwell = first_number(header.get("Dwell Time", ""))
    attrs |= {
        "group": header["Group"],
        "counting_time": dwell * scans if dwell else None,
        "scan_mode": header.get("Scan Mode"),
        "acquired": _date(header.get("Acquisition Date", "")),
    }
    labels = header.get("ColumnLabels", "").lower().split()
    axis = "binding_energy" if binding else "kinetic_energy"
    if "fixedenerg" in header.get("Scan Mode", "").lower().replace(" ", "") or labels[:1] == ["index"]:
        axis = "index"
        attrs["kinetic_energy"] = first_number(header.get("Kinetic Energy", ""))
    region = spectrum(path, axis, same[0][:, 0], values, "count/s" if rates else "count", attrs, place)
    for column in range(2, same[0].shape[1]):
        label = labels[column] if column < len(labels) else f"column {column + 1}"
        if "transmission" in label:
            region["transmission"] = variable(axis, same[0][:, column], "1", "transmission of the analyser")
        else:
            warnings.append(f"{place}: the column {label} is not read")
    return region


def _date(text: str) -> str | None:
    moment = iso(text.removesuffix("UTC").strip(), "%m/%d/%y %H:%M:%S")
    return f"{moment}+00:00" if moment and text.endswith("UTC") else moment
