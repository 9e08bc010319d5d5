"""CasaXPS text exports of spectra and their fits, ``.txt``.

Instruments: The program CasaXPS, which reads the photoelectron spectra of most makers, exports them in this form.

Recognition: The first line is ``Cycle n:sample:region``, and the second one holds ``Characteristic Energy``.

Layout: Every block begins with ``Cycle n:sample:region``. It has a line with the characteristic energy (eV) and the
acquisition time (s), lines with ``Name``, ``Position``, ``FWHM``, ``Area`` and ``Lineshape`` of the peaks, a row of
names of the columns (``K.E.``, ``Counts``, peaks, ``Background``, ``Envelope`` and, behind an empty column, ``B.E.``,
``CPS``, …), and the rows. The right half is the left one divided by the acquisition time. NaN is written as
``-1.#IND``.

Schema: There is one child per block, named after its region, with the dimension ``binding_energy`` (eV) and the
coordinate ``kinetic_energy``. It has ``counts`` (count) and ``intensity`` (count/s) with their uncertainties (Poisson).
Of a fit it has ``peaks`` (``peak``, energy), ``background``, ``envelope`` (count), ``peak_position``, ``peak_fwhm``
(eV), ``peak_area`` (count eV/s) and ``peak_lineshape``. The attributes are ``sample``, ``cycle``, ``counting_time`` (s
per point) and ``excitation_energy`` (eV).
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable
from relaxor.readers.common.schema import tree
from relaxor.readers.common.text import free, numbers, text_of
from relaxor.readers.photoemission.regions import spectrum

CYCLE = re.compile(r"Cycle (\d+):(.*):(.*)")
PEAKS = {"Position": "position", "FWHM": "fwhm", "Area": "area"}
NAN = ("-1.#IND", "1.#QNAN", "1.#INF", "-1.#INF")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the first line and the second."""
    lines = head.decode("cp1252", "replace").splitlines()
    return len(lines) > 1 and bool(CYCLE.fullmatch(lines[0].strip())) and "Characteristic Energy" in lines[1]


def extract(path: Path) -> xr.DataTree:
    """Read an export; the schema is that of the module."""
    lines = text_of(path).splitlines()
    starts = [row for row, line in enumerate(lines) if CYCLE.fullmatch(line.strip())]
    children: dict[str, xr.Dataset] = {}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = CYCLE.fullmatch(lines[start].strip())
        assert match is not None
        children[free(match[3], children)] = _block(lines, start, end, match, path)
    header = [lines[start : start + 7] for start in starts]
    return tree(children, header=header, instrument="not stated (CasaXPS export)")


def _block(lines: list[str], start: int, end: int, match: re.Match[str], path: Path) -> xr.Dataset:
    place = f"block {match[0]}, line {start + 1}"
    found = dict(re.findall(r"(Characteristic Energy eV|Acquisition Time s)\s+(\S+)", lines[start + 1]))
    if len(found) < 2:
        raise ReadError(path, "the characteristic energy or the acquisition time is missing", place)
    energy, time = numbers([found["Characteristic Energy eV"], found["Acquisition Time s"]], path, place)
    begin = next((row for row in range(start, min(start + 40, end)) if lines[row].startswith("K.E.")), None)
    if begin is None:
        raise ReadError(path, "has no row of column names that begins with K.E.", place)
    names = [name.strip() for name in lines[begin].split("\t")]
    rows = [line.split("\t") for line in lines[begin + 1 : end] if line.strip()]
    if "B.E." not in names or not rows or {len(row) for row in rows} > {len(rows[0])} or len(rows[0]) < len(names):
        raise ReadError(path, "rows and names of the columns do not fit, or B.E. is missing", place)
    words = ["nan" if word.strip() in NAN or not word.strip() else word for row in rows for word in row[: len(names)]]
    table = numbers(words, path, place).reshape(len(rows), -1)
    attrs = {
        "sample": match[2],
        "cycle": int(match[1]),
        "counting_time": float(time),
        "excitation_energy": float(energy),
    }
    right = names.index("B.E.")
    dataset = spectrum(path, "binding_energy", table[:, right], table[:, 1], "count", attrs, place)
    dataset = dataset.assign_coords(kinetic_energy=variable("binding_energy", table[:, 0], "eV", "kinetic energy"))
    return _with_fit(dataset, lines[start:begin], names[2:right], table[:, 2:right])


def _with_fit(dataset: xr.Dataset, header: list[str], names: list[str], table: np.ndarray) -> xr.Dataset:
    """Add the peaks of a fit, with their description in the header."""
    columns = [index for index, name in enumerate(names) if name and name not in ("Background", "Envelope")]
    for name in ("Background", "Envelope"):
        if name in names:
            values = table[:, names.index(name)]
            dataset[name.lower()] = variable("binding_energy", values, "count", f"{name.lower()} of the fit")
    if not columns:
        return dataset
    dataset["peaks"] = variable(("peak", "binding_energy"), table[:, columns].T, "count", "peaks of the fit")
    dataset = dataset.assign_coords(peak=("peak", [names[index] for index in columns]))
    entries: dict[str, list[str]] = {line.split("\t")[0]: [c for c in line.split("\t")[1:] if c] for line in header}
    for key, name in PEAKS.items():
        if len(entries.get(key, ())) == len(columns):
            told = [float(text) for text in entries[key]]
            unit = "count*eV/s" if key == "Area" else "eV"
            dataset[f"peak_{name}"] = variable("peak", told, unit, f"{name} of the peak")
    if len(entries.get("Lineshape", ())) == len(columns):
        dataset["peak_lineshape"] = variable(
            "peak", np.array(entries["Lineshape"], object), "1", "line shape in CasaXPS"
        )
    return dataset
