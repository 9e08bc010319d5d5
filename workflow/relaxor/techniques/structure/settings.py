"""Settings of the structure analysis, and the published cells that other techniques compare with."""

from pydantic import Field

from relaxor.core.section import Section


class Cell(Section):
    """A published hexagonal cell of the material."""

    space_group: str
    """Hermann–Mauguin symbol as gemmi reads it; rhombohedral groups on hexagonal axes end in ``:H``."""
    a: float = Field(gt=0)
    """Edge a (angstrom)."""
    a_uncertainty: float = Field(ge=0)
    """Standard uncertainty of a (angstrom)."""
    c: float = Field(gt=0)
    """Edge c (angstrom)."""
    c_uncertainty: float = Field(ge=0)
    """Standard uncertainty of c (angstrom)."""
    layers: int = Field(gt=0)
    """Layers stacked in one c."""
    formula_units: int = Field(gt=0)
    """Formula units in the cell, Z."""
    source: str
    """Where the cell was published, and for which temperature."""


class StructureSettings(Section):
    """Settings of the structure analysis; units and defaults beside each."""

    cell: str | None = None
    """Published cell, a key of ``cells``, that measured spacings are compared with; null: they are not compared."""
    cells: dict[str, Cell] = {}
    """Published cells of the material by name."""
    bonds: dict[str, float] = {}
    """Pairs of elements that are bonded, and the longest distance (angstrom) that counts."""
    layer_gap: float = Field(2.2, gt=0)
    """Least distance along c (angstrom) free of atoms that separates two layers; planes inside a layer are nearer."""
    displaced: list[str] = []
    """Elements whose offset from the middle of their layer is reported: the order parameter of the polar states."""
