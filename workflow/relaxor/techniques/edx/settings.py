"""Settings of the EDX analysis."""

from pydantic import Field, model_validator

from relaxor.core.section import Section


class Element(Section):
    """An element of the spectrum and how it is quantified."""

    atomic_weight: float
    """Relative atomic mass (IUPAC 2021)."""
    families: dict[str, list[tuple[float, float]]]
    """Family (K, L, M) → lines: energy in keV and relative intensity (X-ray Data Booklet, tables 1-2 and 1-3)."""
    quantified: str = ""
    """Family whose counts give the amount; empty for elements that are fitted but not quantified."""
    k_factor: float = 1.0
    """Cliff–Lorimer factor by mass of that family against the reference (doi 10.1111/j.1365-2818.1975.tb03895.x)."""
    k_uncertainty: float = 0.1
    """Relative standard uncertainty of a standardless k-factor: 0.05 to 0.2."""


class EdxSettings(Section):
    """Settings of the EDX analysis; energies in keV."""

    elements: dict[str, Element] = {}
    """Symbol → element."""
    fit_range: tuple[float, float] = (0.7, 18.0)
    """Range that is fitted, in keV: above the window's steep absorption, below the beam's energy."""
    background_degree: int = 6
    """Degree of the polynomial (in the logarithm of energy) by which Kramers' law is multiplied."""
    detector_edge: float = 1.839
    """Absorption edge of the detector's dead layer, in keV: silicon K."""
    reference: str = ""
    """Element to which the others are set in ratio."""
    formula_atoms: float = Field(1.0, gt=0)
    """Atoms of a formula unit."""

    @model_validator(mode="after")
    def _reference_exists(self) -> "EdxSettings":
        """Refuse a reference that is no element of the spectrum."""
        if self.elements and self.reference not in self.elements:
            raise ValueError(f"reference '{self.reference}' is not one of {', '.join(self.elements)}")
        return self
