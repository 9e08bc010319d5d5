"""Columns of a table with their names and units, as people write them above the numbers, and spectra among them.

Names and units stand in one row (``Voltage (V)``, ``U/V``, ``Voltage, V``, ``Time s``), or in rows below each other
(names, units, comments), quoted, behind a mark of comments or not.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.units import convertible
from relaxor.core.variables import variable
from relaxor.readers.common.cells import BLANK, COMMENT, NAMED_ABOVE, Form
from relaxor.readers.common.tables import Table
from relaxor.readers.common.text import free, safe, slug
from relaxor.readers.common.unit_words import split_label, unit_of

WORDS = re.compile(r"(\w[\w ]*) ([A-Za-z_0-9/^%µΩ°-]{1,12})")
XRAY_LINE = re.compile(r"[A-Z][a-z]? [KLM]([abαβ]\d?)?")
"""A line of an element, as in ``Ti K``, which is no temperature."""
THING = re.compile(r"(.* )?(device|sample|cell|channel|run|site|pad|group|set|trace|curve|batch|type)", re.IGNORECASE)
"""What letters number: ``Device A`` is no current."""
BRACKETED = re.compile(r"[\[(].*[\])]")
GROUPS = re.compile(r"(?<![^()\[\]])\s*+([^\s()\[\]][^()\[\]]*+[(\[][^)\]]{0,99}+[)\]])")
AXES = {
    "two_theta": ("degree", r"°?\s*2[\s_-]*(theta|θ|th)( angle)?|two[\s_-]*theta|(angle|pos)\.?\s*\[?°?2.*|angle"),
    "raman_shift": (
        "1/cm",
        r"(rel(ative)?\.?\s*)?(raman[\s-]*)?(shift|verschiebung|wave\s*numbers?)|raman|wave",
    ),
    "binding_energy": ("eV", r"b(inding)?\.?\s*e(nergy)?\.?|bindungsenergie|eb"),
    "kinetic_energy": ("eV", r"k(inetic)?\.?\s*e(nergy)?\.?|ek"),
    "wavelength": ("nm", r"wave\s*length|wellenlänge|lambda|λ|wave"),
    "energy": ("keV", r"(photon\s*|x-?ray\s*)?energy"),
}
"""Axes of spectra: the unit that their names imply, and the names."""
AXIS_UNITS = ("nm", "cm-1", "1/cm", "deg", "eV", "keV", "ms", "um", "µm")
"""A row that begins with one of them is a row of units, even if others of its cells are no units that are known."""
CERTAIN = ("two_theta", "binding_energy", "kinetic_energy")
"""Axes that are given in one unit only."""
SYMBOL = re.compile(r"(?<=.) ?\((e|be|ke|eb|ek|λ|2?θ|x)\)$")
"""A symbol behind the name of an axis, as in ``binding energy (e)``."""
WIDEST_STEP = 0.5
"""Degrees; an axis that is only called an angle is that of a diffractometer if its steps are smaller."""
INTENSITY = re.compile(
    r"(raw\s*|raman\s*|corr(ected)?\.?\s*|norm(alized)?\.?\s*)*"
    r"(int(ensity|ensität|\.|ens\.)?|counts?|cts|cps|signal|y\s*obs|i\s*obs|impulse|det(ector)?\d*\s*cts)\W*\w*",
    re.IGNORECASE,
)
SPREAD = re.compile(r"sigma|σ|e\.?s\.?d\.?|err(or)?|std(dev)?|uncertainty", re.IGNORECASE)
ENTRY = re.compile(
    r"\"?(x|y|horizontal |vertical )[ _]?(?:axis|units?|label)\"?(?=[,;:=\t ])\s*+[,;:=]?\s*+(\S.*)", re.IGNORECASE
)
"""A line of a header that names the column ``x`` or ``y``."""
QUANTITIES = {"nm": "wavelength", "1/cm": "wavenumber", "s": "time", "V": "voltage", "A": "current"}
"""Names of columns of which a header gives the unit only."""
ENERGIES = ("binding_energy", "kinetic_energy")
MADE = re.compile(r"calc|diff|back|bkg|base ?line|envelope|fit|resid|comp", re.IGNORECASE)
"""Parts of the names of columns that a program made of a spectrum."""
DERIVED = re.compile(
    r"calc|diff|back|bkg|base|fit|resid|peak|comp|weight|err|esd|sigma|std|fwhm|area|hkl|phase|index|time|position|\bq\b|dsp",
    re.IGNORECASE,
)
"""Parts of the names of columns that are no measured spectra."""
FEWEST_POINTS = 20
"""A table of lines of a spectrum has fewer rows than a spectrum has points."""
ROW_NUMBER = re.compile(r"index|#|no\.?|row|nr\.?|point|n", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    label
        Its name in the file; empty if it has none.
    unit
        Unit as pint reads it, or None if nothing says it.
    values
        Shape (rows,).
    """

    label: str
    unit: str | None
    values: np.ndarray

    @property
    def axis(self) -> str:
        """Name of the axis of a spectrum that the column is, or an empty text."""
        name = SYMBOL.sub("", re.sub(r"[_\s]+", " ", self.label).strip(" .:").lower())
        if name == "angle" and np.median(np.abs(np.diff(self.values))) > WIDEST_STEP:
            return ""  # of a polarizer
        for axis, (unit, words) in AXES.items():
            if re.fullmatch(words, name) and (self.unit is None or convertible(self.unit, unit)):
                return axis
        return ""

    @property
    def counts(self) -> bool:
        """Whether the column is the intensity of a spectrum."""
        intensive = self.unit in ("count", "count/s", "kcount/s") or (
            self.unit in (None, "1") and INTENSITY.fullmatch(re.sub(r"[_\s]+", " ", self.label).strip()) is not None
        )
        return intensive and not self.axis


def columns_of(table: Table) -> tuple[list[Column], list[str]]:
    """Return the columns of a table that hold numbers or have a name, and the comments on each of them in the file."""
    kept = ~np.isnan(table.values).all(axis=0)
    lines = [line for line in table.above if line.strip()]
    if lines and COMMENT.sub("", lines[-1]).strip() == str(len(table.values)):
        lines.pop()  # the number of rows
        lines = _unstacked(lines, table.form, int(kept.sum()))
    rows = [_fitted(line, table, kept) for line in lines[-NAMED_ABOVE:]]
    head: list[list[str]] = []
    for row in reversed(rows):  # upwards from the numbers, to the first line that is no row of names
        if row is None or ENTRY.match(" ".join(row)):
            break
        head.insert(0, row)
    labels, units, comments = _roles(head, int(kept.sum()))
    if not any(labels):
        labels, units = _of_axes(table.above, labels, units)
    values = itertools.compress(table.values.T, kept)  # views, for a large table fills the memory
    return [Column(*each) for each in zip(labels, units, values, strict=True)], comments


def _unstacked(lines: list[str], form: Form, number: int) -> list[str]:
    """Return lines of which the last ones, each with the name of a column (as Fit2D writes them), are one."""
    last = lines[-number:]
    rows = any(len(form.cells(line)) > 1 for line in last) if form.separator != BLANK else False
    if len(last) < number or rows or all(len(line.split()) == number for line in last):
        return lines  # rows of names, one below the other
    return [*lines[:-number], "\t".join(line.strip() for line in last)]


def _of_axes(above: Sequence[str], labels: list[str], units: list[str | None]) -> tuple[list[str], list[str | None]]:
    """Return names and units of two columns from entries such as ``XAxis,Wavelength(nm)`` or ``XUNITS NANOMETERS``."""
    found = {
        "xyxy"["xyhv".index(match[1][0].lower())]: match[2].strip(' ,;\t"')
        for line in above
        if (match := ENTRY.match(line.strip()))
    }
    if len(labels) != 2 or set(found) != {"x", "y"}:
        return labels, units
    parts = [(QUANTITIES.get(unit, "value"), unit) if (unit := unit_of(found[axis])) else split_label(found[axis])
             for axis in "xy"]  # fmt: skip
    return [label for label, _ in parts], [unit for _, unit in parts]


def _fitted(line: str, table: Table, kept: np.ndarray) -> list[str] | None:
    """Return a line above the numbers as one cell for each column, or None if it has not as many."""
    text = COMMENT.sub("", line).strip("\r\n ")
    number = int(kept.sum())
    separators = dict.fromkeys((table.form.separator, "\t", ";", ",", BLANK))
    for separator in separators:
        cells = re.split(r"\s{2,}", text.strip()) if separator == BLANK else Form(separator, ".").cells(text)
        while len(cells) > len(kept) and not cells[-1]:
            cells.pop()
        if len(cells) == len(kept) and number < len(kept):
            cells = [cell for cell, keep in zip(cells, kept, strict=True) if keep]
        while len(cells) > number and not cells[-1]:
            cells.pop()
        numbers_alone = all(map(table.form.is_number, filter(None, cells)))
        if len(cells) == number and any(cells) and (not numbers_alone or not cells[0]):
            return [cell.lstrip("#").strip() for cell in cells]
    for cells in (GROUPS.findall(text), text.split()):
        if len(cells) == number and 2 * sum(map(table.form.is_number, cells)) <= number:
            return [cell.lstrip("#").strip() for cell in cells]
    return None


def _roles(head: Sequence[list[str]], number: int) -> tuple[list[str], list[str | None], list[str]]:
    """Return labels, units and comments from rows of cells above the numbers."""
    of_units = next((index for index, row in enumerate(head) if index and _all_units(row)), None)
    if of_units is not None:
        parts = [split_label(label) for label in head[of_units - 1]]
        units = [unit_of(text) if text.strip() else unit for text, (_, unit) in zip(head[of_units], parts, strict=True)]
        comments = [cell for row in head[of_units + 1 :] for cell in row]
        return [label for label, _ in parts], units, comments
    names = next((row for row in reversed(head) if sum(map(bool, row)) >= max(1, number - 1)), None)
    if names is None:
        return [""] * number, [None] * number, [cell for row in head for cell in row]
    parts = _bare_units(names) or [split_label(label) for label in names]
    return [label for label, _ in parts], [unit for _, unit in parts], []


def _all_units(row: Sequence[str]) -> bool:
    """Return whether two cells, or half of them, are units and the others are empty or in brackets."""
    units = [cell for cell in row if cell and unit_of(cell) is not None]
    if row and row[0] in AXIS_UNITS:
        return True
    return len(units) >= max(1, min(2, len(row) / 2)) and all(
        cell in units or BRACKETED.fullmatch(cell) for cell in row if cell
    )


def _bare_units(names: Sequence[str]) -> list[tuple[str, str | None]] | None:
    """Return names and units from ``Time s``, ``Vplus V``: only if all columns but one have such a unit.

    The names before the units must differ: ``Device A`` and ``Device B`` are no ampere and no byte.
    """
    parts = [
        (match[1], unit_of(match[2])) if (match := WORDS.fullmatch(name.strip())) else split_label(name)
        for name in names
    ]
    with_unit = [name for name, unit in parts if unit is not None]
    if any(XRAY_LINE.fullmatch(name.strip()) for name in names) or any(THING.fullmatch(name) for name in with_unit):
        return None
    enough = len(with_unit) >= max(2, len(names) - 1) and len(set(with_unit)) == len(with_unit)
    return parts if enough else None


def spectra_of(columns: Sequence[Column]) -> dict[str, xr.Dataset]:
    """Return the spectra in a table: one for each column of intensities, over the axis that stands before it.

    A column of standard deviations behind the intensities is their uncertainty. Columns named after samples, behind an
    angle or a Raman shift, are spectra too. If a column is neither, the table is
    no collection of spectra, and nothing is returned.
    """
    if len(columns) == 2 and columns[0].axis and columns[1].unit is None and not columns[1].axis:
        return {"spectrum": _spectrum(*columns)}  # whatever the second column is called
    found: dict[str, xr.Dataset] = {}
    if _of_samples(columns):
        for column in columns[1:]:
            found[free(safe(column.label, "spectrum"), found)] = _spectrum(columns[0], column)
        return found
    if (fitted := _with_fit(columns)) is not None:
        return {"spectrum": fitted}
    axis: Column | None = None
    last = ""
    for column in columns:
        if column.axis:
            axis = column
        elif axis is not None and (
            column.counts or (axis.axis == "two_theta" and column.label == "I" and not column.unit)
        ):
            last = free(safe(column.label, "spectrum"), found)
            found[last] = _spectrum(axis, column)
        elif last and SPREAD.fullmatch(column.label) and column.unit in (None, found[last].intensity.attrs["units"]):
            assert axis is not None  # a spectrum was found over it
            found[last] = _with_spread(found[last], axis, column)
        else:
            return {}
    return found if axis is None or len(found) != 1 else {"spectrum": found.popitem()[1]}


def _with_fit(columns: Sequence[Column]) -> xr.Dataset | None:
    """Return a spectrum with what a program made of it beside it: a background, an envelope, a calculated pattern."""
    if len(columns) < 3 or columns[0].axis not in ("two_theta", "raman_shift", *ENERGIES) or not columns[1].counts:
        return None
    axis, measured, *made = columns
    if any(column.axis or column.unit not in (None, "1", measured.unit) or not column.label for column in made):
        return None
    if not all(MADE.search(column.label) for column in made) or axis.unit not in (None, AXES[axis.axis][0]):
        return None
    spectrum = _spectrum(axis, measured)
    places, unit = np.isfinite(axis.values), spectrum["intensity"].attrs["units"]
    for column in made:
        name = free(slug(column.label), spectrum)
        spectrum[name] = variable(axis.axis, column.values[places], unit, column.label)
    return spectrum


def _of_samples(columns: Sequence[Column]) -> bool:
    """Return whether the columns behind an angle or a shift are spectra named after samples or conditions."""
    axis, others = columns[0], columns[1:]
    return (
        axis.axis in ("two_theta", "raman_shift")
        and axis.values.size >= FEWEST_POINTS
        and len({column.label for column in others}) == len(others) > 1
        and not any(column.axis or column.counts or column.unit not in (None, "1") for column in others)
        and all(len(column.label) > 1 and not DERIVED.search(column.label) for column in others)
    )


def _spectrum(axis: Column, column: Column) -> xr.Dataset:
    places = np.isfinite(axis.values)  # curves of different length stand side by side
    unit = axis.unit or AXES[axis.axis][0]
    intensity = variable(axis.axis, column.values[places], column.unit or "1", column.label or "intensity")
    return xr.Dataset({"intensity": intensity}, {axis.axis: variable(axis.axis, axis.values[places], unit, axis.label)})


def _with_spread(spectrum: xr.Dataset, axis: Column, column: Column) -> xr.Dataset:
    values, unit = column.values[np.isfinite(axis.values)], spectrum["intensity"].attrs["units"]
    spread = variable(axis.axis, values, unit, "standard uncertainty of intensity", method="given in the file")
    spectrum["intensity"].attrs["ancillary_variables"] = "intensity_uncertainty"
    return spectrum.assign(intensity_uncertainty=spread)


def dataset_of(columns: Iterable[Column]) -> tuple[xr.Dataset, list[str]]:
    """Return a table along the dimension ``row``, and a warning for each column of which something is not known."""
    variables: dict[str, xr.Variable] = {}
    warnings: list[str] = []
    rows = 0
    for index, column in enumerate(columns, start=1):
        rows = column.values.size
        if column.unit is None and ROW_NUMBER.fullmatch(column.label) and _counts_up(column.values):
            continue
        name = free(slug(column.label) or f"column_{index}", variables, f"column_{index}").replace("/", "_")
        unit = column.unit or (AXES[column.axis][0] if column.axis in CERTAIN else None)
        if unit is None:
            warnings.append(f"nothing says in which unit {column.label or f'column {index}'} is")
        variables[name] = variable("row", column.values, unit or "1", column.label or f"column {index}")
    number = variable("row", np.arange(rows), "1", "row")
    return xr.Dataset(variables, {"row": number}), warnings


def _counts_up(values: np.ndarray) -> bool:
    return bool(values.size) and bool(np.all(np.diff(values) == 1))
