"""What is known of a material before it is measured, and the settings that a technique proposes for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.errors import ReadError, SheetError

LONGEST = 40
"""Number of letters of what is no formula that an error shows."""


@dataclass(frozen=True)
class Material:
    """A material.

    Attributes
    ----------
    name
        Its formula, or the name of its structure file.
    atoms
        Number of atoms in a formula unit by element.
    structure
        The structure as the reader of CIF files gives it; None if only the formula is known.
    source
        Where the structure comes from, with its checksum.
    """

    name: str
    atoms: Mapping[str, float]
    structure: xr.Dataset | None = None
    source: str = ""

    @classmethod
    def of(cls, formula: str, cif: Path | None = None) -> "Material":
        """Describe a material by its formula, by a structure file, or by both.

        Raises
        ------
        SheetError
            If the formula is not one.
        ReadError
            If the file is not a structure file.
        """
        if cif is None:
            return cls(formula, _atoms(formula))
        from relaxor.readers import read
        from relaxor.techniques.structure.analysis import expand

        tree = read(cif)
        found = [child.to_dataset() for child in tree.children.values() if "operations" in child.attrs]
        if not found:
            raise ReadError(cif, "expected a structure file (CIF) with a cell and atoms")
        source = f"{cif.name}, SHA-256 {tree.attrs['raw_sha256']}"
        if formula:
            return cls(formula, _atoms(formula), found[0], source)
        cell = expand(found[0])
        listed = {name: float(cell.occupancy[cell.element == name].sum()) for name in dict.fromkeys(cell.element)}
        fewest = min(listed.values())
        return cls(cif.stem, {str(name): round(n / fewest, 4) for name, n in listed.items()}, found[0], source)


@dataclass(frozen=True)
class Proposed:
    """Settings that a technique proposes for a material.

    Attributes
    ----------
    settings
        Section of the technique, as plain values.
    sources
        Where the values come from, and what is left open; one sentence each.
    """

    settings: Mapping[str, Any]
    sources: tuple[str, ...]


def _atoms(formula: str) -> dict[str, float]:
    """Return the numbers of atoms of a formula such as ``CuInP2S6``, ``Ca(OH)2`` or ``Ba0.5Sr0.5TiO3``."""
    import xraydb

    try:
        found = xraydb.chemparse(formula)
    except ValueError:
        shown = formula if len(formula) < LONGEST else f"{formula[:LONGEST]}…"
        raise SheetError(f"'{shown}' is not a chemical formula such as CuInP2S6 or Ba0.5Sr0.5TiO3") from None
    return {element: float(number) for element, number in found.items()}
