"""Settings of the structure analysis, and the published cells that other techniques compare with."""

from pydantic import Field

from relaxor.config.base import Section

GAVE = "Gave et al., Inorg. Chem. 44, 5293 (2005), doi 10.1021/ic050357+"


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


CELLS = {
    "P-31c": Cell(
        space_group="P -3 1 c",
        a=6.5410,
        a_uncertainty=0.0009,
        c=13.263,
        c_uncertainty=0.003,
        layers=2,
        formula_units=2,
        source=f"{GAVE}, deposited CIF, 293(2) K",
    ),
    "R-3": Cell(
        space_group="R -3:H",
        a=6.5532,
        a_uncertainty=0.0016,
        c=39.762,
        c_uncertainty=0.013,
        layers=6,
        formula_units=6,
        source=f"{GAVE}, abstract, temperature not stated",
    ),
}


class Structure(Section):
    """Settings of the structure analysis; units and defaults beside each."""

    cell: str = "P-31c"
    """Published cell, a key of ``cells``, that measured spacings are compared with; P-31c is the one at 293 K."""
    cells: dict[str, Cell] = CELLS
    """Published cells of the material by name."""
    bonds: dict[str, float] = {"P-P": 2.6, "P-Se": 2.6, "Cu-Se": 2.7, "Bi-Se": 3.3}
    """Pairs of elements that are bonded, and the longest distance (angstrom) that counts: above the sum of the
    covalent radii (2.14, 2.27, 2.52, 2.68 angstrom; doi 10.1039/b801115j), below the second neighbours; Bi–Se is wide
    because bismuth stands off the middle of its octahedron."""
    layer_gap: float = Field(2.2, gt=0)
    """Least distance along c (angstrom) free of atoms that separates two layers; planes inside a layer are nearer."""
    displaced: list[str] = ["Cu", "Bi"]
    """Elements whose offset from the middle of their layer is reported: the order parameter of the polar states."""
