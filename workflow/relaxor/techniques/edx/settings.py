"""Settings of the EDX analysis."""

from pydantic import model_validator

from relaxor.core.section import Section, setting


class Element(Section):
    """An element of the spectrum and how it is quantified."""

    atomic_weight: float = setting(..., source="IUPAC 2021", gt=0)
    """The relative atomic mass."""
    families: dict[str, list[tuple[float, float]]]
    """The lines of each family (K, L, M): energy in keV and relative intensity, as in tables 1-2 and 1-3 of the X-ray
    Data Booklet."""
    quantified: str = ""
    """The family whose counts give the amount of the element. Elements without such a family are fitted but not
    quantified."""
    k_factor: float = setting(1.0, source="doi 10.1111/j.1365-2818.1975.tb03895.x", gt=0)
    """The Cliff–Lorimer factor (by mass) of the quantified family, relative to the reference of the factors."""
    k_uncertainty: float = setting(0.1, source="standardless k-factors: 0.05 to 0.2", ge=0)
    """The relative standard uncertainty of the k-factor."""


class EdxSettings(Section):
    """Settings of the EDX analysis."""

    elements: dict[str, Element] = {}
    """The elements of the spectrum by symbol."""
    fit_range: tuple[float, float] = setting((0.7, 18.0), "keV")
    """The range of energy that is fitted. It must lie above the steep absorption of the detector window and below the
    energy of the beam."""
    background_degree: int = setting(6, source="smooth efficiency of a silicon drift detector", ge=0)
    """The degree of the polynomial in the logarithm of energy by which Kramers' law is multiplied."""
    detector_edge: float = setting(1.839, "keV", source="silicon K", gt=0)
    """The absorption edge of the dead layer of the detector."""
    reference: str = ""
    """The element to which the amounts of the others are related."""
    formula_atoms: float = setting(1.0, gt=0)
    """The number of atoms of a formula unit."""

    @model_validator(mode="after")
    def _reference_exists(self) -> "EdxSettings":
        """Refuse a reference that is not an element of the spectrum."""
        if self.elements and self.reference not in self.elements:
            raise ValueError(f"reference '{self.reference}' is not one of {', '.join(self.elements)}")
        return self

    @property
    def quantified(self) -> dict[str, str]:
        """Family of lines, such as ``Cu K``, whose counts give the amount of each element."""
        return {symbol: f"{symbol} {entry.quantified}" for symbol, entry in self.elements.items() if entry.quantified}
