"""Horiba LabSpec spectra, series and maps as text, ``.txt``.

Instruments: LabSpec 5 and 6, the programs of Horiba Jobin Yvon Raman microscopes (LabRAM, XploRA), export spectra in
this form.

Recognition: Among the first lines, which begin with ``#``, there is ``#AxisType[0]=`` or ``#Acq. time (s)=``, each
followed by a tab or a value.

Layout: Lines ``#Key=<tab>value`` in the code page of Western Europe are the header. ``AxisType[0]`` and
``AxisUnit[0]`` say what the numbers are, ``AxisType[1]`` what the spectral axis is, and the further ones in what the
spectra differ. A single spectrum is a table of two columns. A series or a map has the spectral axis in its first row,
behind as many empty cells as there are further axes, and one row for each spectrum, which begins with its places on
those axes. The place on the slowest axis comes first, so that a map with the axes X and Y has the columns Y and X: two
published maps step the second column from row to row.

Schema: The child ``spectrum`` has ``intensity`` (``count``, ``count/s``) along ``raman_shift`` (1/cm), ``wavelength``
(nm) or ``energy`` (eV). A series is the child ``spectra`` with a dimension before it, ``time`` (s), ``z`` (m), or
``point`` (its number). A map whose places fill a grid has ``y`` and ``x`` (m); one that was stopped has ``spectrum``
with the coordinates ``x`` and ``y``. The attributes, where the file has them, are ``integration_time`` (s, of all
accumulations), ``laser_wavelength`` (nm), ``title`` and ``sample``. The root has a warning where the program has
changed the counts (smoothing, baselines), and one that says which columns were taken for the places of a map.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.units import convertible, factor
from relaxor.core.variables import variable
from relaxor.readers.common.schema import MAX_POINTS, folded, spectra, tree
from relaxor.readers.common.text import collected, first_number, iso, lines_of, numbers, slug
from relaxor.readers.common.unit_words import counted, unit_of

MAX_BYTES = 64 << 20
START = re.compile(rb"^#(?:AxisType\[0\]|Acq\. time \(s\))=", re.MULTILINE)
AXES = {
    "1/cm": ("raman_shift", "1/cm", "Raman shift"),
    "nm": ("wavelength", "nm", "wavelength"),
    "eV": ("energy", "eV", "photon energy"),
}
"""Unit of the spectral axis, and its dimension, unit and name; without a unit it is a Raman shift, with a warning."""
NUMBERED = re.compile(r"AxisType\[(\d)\]")
PLACES = {"x": ("x", "m"), "xa": ("x", "m"), "y": ("y", "m"), "ya": ("y", "m"), "z": ("z", "m"), "za": ("z", "m"),
          "time": ("time", "s"), "points": ("point", "1")}  # fmt: skip
"""Names of further axes in small letters, and the dimension and unit in which they are given."""
CHANGES = ("DeNoise", "Base:Sub", "Base:Fit Sub", "Smooth", "Inst. Process", "Dark correction", "ICS correction")
"""Entries of the header that say, unless they are ``Off``, what the program did to the counts."""


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the lines of the header that only LabSpec writes."""
    return head.startswith(b"#") and START.search(head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a LabSpec text; the schema is that of the module."""
    lines = lines_of(path)
    first = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    pairs = [line[1:].partition("=")[::2] for line in lines[:first]]
    header = collected((key.strip(), value.strip()) for key, value in pairs)
    entries = {key: value if isinstance(value, str) else value[-1] for key, value in header.items()}
    rows = [(number, line) for number, line in enumerate(lines[first:], start=first + 1) if line.strip()]
    if len(rows) < 2:
        raise ReadError(path, "ends before the first two rows of numbers", f"line {first + 1}")
    if any("," in line for _, line in rows[:3]):
        rows = [(number, line.replace(",", ".")) for number, line in rows]
    warnings: list[str] = []
    names = _further(entries)
    single = len(rows[0][1].strip().split("\t")) == 2 and not rows[0][1].startswith("\t")
    axis = _axis(entries, warnings)
    if single:
        child = {"spectrum": _single(rows, axis, entries, path, warnings)}
    else:
        child = {"spectra": _several(rows, axis, names, entries, path, warnings)}
    dataset = next(iter(child.values())).assign_attrs(_attrs(entries))
    if changed := [f"{key} {entries[key]}" for key in CHANGES if entries.get(key, "Off") not in ("Off", "")]:
        warnings.append(f"the program has changed the counts: {', '.join(changed)}")
    acquired = iso(entries.get("Acquired", entries.get("Date", "")), "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")
    instrument = f"Horiba {entries.get('Instrument', '')}".strip()
    return tree({next(iter(child)): dataset}, header, instrument, acquired, warnings)


def _further(entries: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return names and units of the axes on which the spectra differ, in the order of their columns."""
    listed = sorted((int(match[1]), value) for key, value in entries.items() if (match := NUMBERED.fullmatch(key)))
    return [(value, entries.get(f"AxisUnit[{number}]", "")) for number, value in reversed(listed) if number > 1]


def _axis(entries: Mapping[str, str], warnings: list[str]) -> tuple[str, str, str]:
    unit = entries.get("AxisUnit[1]", "")
    if unit not in AXES:
        told = f"has the unit '{unit}'" if unit else "has no unit"
        warnings.append(f"the spectral axis {told} in the file; it is taken as a Raman shift in 1/cm")
    return AXES.get(unit, AXES["1/cm"])


def _intensity_unit(entries: Mapping[str, str], warnings: list[str]) -> str:
    unit = entries.get("AxisUnit[0]", "").replace("Cnt", "counts").replace("sec", "s")
    found = counted(unit)
    if found == "1":
        warnings.append("nothing says in which unit the intensity is")
    return found


def _single(
    rows: Sequence[tuple[int, str]],
    axis: tuple[str, str, str],
    entries: Mapping[str, str],
    path: Path,
    warnings: list[str],
) -> xr.Dataset:
    table = np.stack(list(_rows(rows, 2, path, warnings)))
    return spectra(axis, table[:, 0], table[:, 1], unit=_intensity_unit(entries, warnings))


def _several(
    rows: Sequence[tuple[int, str]],
    axis: tuple[str, str, str],
    names: Sequence[tuple[str, str]],
    entries: Mapping[str, str],
    path: Path,
    warnings: list[str],
) -> xr.Dataset:
    line, head = rows[0]
    cells = head.rstrip("\t").split("\t")
    lead = next((index for index, cell in enumerate(cells) if cell.strip()), 0)
    positions = numbers(cells[lead:], path, f"line {line}")
    if lead not in (1, 2, 3):
        raise ReadError(path, f"{lead} empty cells before the spectral axis where 1 to 3 are expected", f"line {line}")
    if len(rows) * len(cells) > MAX_POINTS:
        raise ReadError(path, f"holds more than {MAX_POINTS} numbers; such files are refused")
    if len(names) != lead:
        warnings.append(f"the header names {len(names)} further axes, the table has {lead}: their columns have no name")
        names = [(f"axis_{index + 1}", "") for index in range(lead)]
    table = np.stack(list(_rows(rows[1:], len(cells), path, warnings)))
    dataset = spectra(axis, positions, table[:, lead:], ("spectrum",), _intensity_unit(entries, warnings))
    places = {}
    for column, (label, given) in enumerate(names):
        unit = unit_of(given) or "1"
        name, target = PLACES.get(label.lower(), (slug(label), unit))
        scaled = table[:, column] * factor(unit, target) if convertible(unit, target) else table[:, column]
        places[name] = variable("spectrum", scaled, target if convertible(unit, target) else unit, label)
    if lead == 2:
        told = " and ".join(label for label, _ in names)
        warnings.append(f"the places stand in the order {told}, as LabSpec writes maps; the file does not say so")
    return folded(dataset.assign_coords(places), list(places))


def _rows(rows: Sequence[tuple[int, str]], width: int, path: Path, warnings: list[str]) -> Iterator[np.ndarray]:
    """Yield the numbers of each row; a last row that was cut is left out with a warning."""
    for index, (line, text) in enumerate(rows):
        cells = text.strip("\t ").split("\t")
        if len(cells) != width:
            if len(cells) < width and index and index == len(rows) - 1:
                warnings.append(f"line {line}: the last row holds {len(cells)} of {width} cells and is left out")
                return
            raise ReadError(path, f"{len(cells)} cells where {width} are expected", f"line {line}")
        yield numbers(cells, path, f"line {line}")


def _attrs(entries: Mapping[str, str]) -> dict[str, object]:
    attrs: dict[str, object] = {}
    time, accumulations = (first_number(entries.get(key, "")) for key in ("Acq. time (s)", "Accumulations"))
    if time is not None:
        attrs["integration_time"] = time * (accumulations or 1.0)
    laser = first_number(re.sub(r"nm.*", "", entries.get("Laser (nm)", entries.get("Laser", ""))))
    if laser is not None:
        attrs["laser_wavelength"] = laser
    return attrs | {key.lower(): entries[key] for key in ("Title", "Sample") if entries.get(key)}
