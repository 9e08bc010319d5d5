"""Settings of the structure analysis, and the published cells that other techniques compare with."""

from relaxor.core.errors import AnalysisError
from relaxor.core.section import Section, setting


class Cell(Section):
    """A published hexagonal cell of the material."""

    space_group: str
    """The Hermann–Mauguin symbol as gemmi reads it; rhombohedral groups on hexagonal axes end in ``:H``."""
    a: float = setting(..., "angstrom", gt=0)
    """The length of the cell edge a."""
    a_uncertainty: float = setting(..., "angstrom", ge=0)
    """The standard uncertainty of the cell edge a."""
    c: float = setting(..., "angstrom", gt=0)
    """The length of the cell edge c."""
    c_uncertainty: float = setting(..., "angstrom", ge=0)
    """The standard uncertainty of the cell edge c."""
    layers: int = setting(..., gt=0)
    """The number of layers that are stacked in one cell edge c."""
    formula_units: int = setting(..., gt=0)
    """The number Z of formula units in the cell."""
    source: str
    """The publication of the cell and the temperature for which it holds."""


class PublishedCells(Section):
    """The published cells of a material, and the one that measurements are compared with."""

    cell: str | None = None
    """The key of ``cells`` that names the published cell with which measurements are compared. Without it, measurements
    are analysed on their own."""
    cells: dict[str, Cell] = {}
    """The published cells of the material by name."""

    @property
    def published(self) -> Cell | None:
        """The cell that measurements are compared with.

        Raises
        ------
        AnalysisError
            If the settings name a cell that they do not describe.
        """
        if self.cell is None:
            return None
        if self.cell not in self.cells:
            known = ", ".join(self.cells)
            raise AnalysisError(f"cell '{self.cell}' is not among the published cells of the settings: {known}")
        return self.cells[self.cell]


class StructureSettings(PublishedCells):
    """Settings of the structure analysis."""

    bonds: dict[str, float] = setting({}, "angstrom")
    """The pairs of elements that are bonded, such as ``Cu-Se``, and the longest distance that counts as a bond."""
    layer_gap: float = setting(2.2, "angstrom", source="between distances inside layers and van der Waals gaps", gt=0)
    """The smallest distance along c without atoms that separates two layers."""
    displaced: list[str] = []
    """The elements whose offset from the middle of their layer is reported, as the order parameter of polar states.
    Drawings show the offset of the first one."""
    colors: dict[str, str] = {}
    """The colours of elements in drawings, in the order of the legend. Other elements have colours of the palette of
    all figures."""
    diameters: dict[str, float] = setting({}, "angstrom")
    """The diameters of the balls that represent elements in drawings. Other elements have balls as wide as their
    covalent radius."""
    titles: dict[str, str] = {}
    """The titles of drawings by measurement. Other measurements have the title that their file states."""
