"""Settings of the EDX analysis."""

from typing import Literal

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
    k_factor: float | None = setting(None, source="doi 10.1111/j.1365-2818.1975.tb03895.x", gt=0)
    """The Cliff–Lorimer factor (by mass) of the quantified family, relative to the reference of the factors, whose own
    factor is 1. For a bulk specimen, it is the factor of the generated X-rays, before they are absorbed, or that of
    `standard`. If no element states one, all are calculated for the energy of the beam from cross-sections of
    ionization (Powell, doi 10.1103/RevModPhys.48.33) and fluorescence yields, and the detector counts as perfect."""
    standard: dict[str, float] = {}
    """The mass fractions of the bulk standard on which the k-factor was measured, as the mass fraction of the element
    per count. If no standard is stated, the k-factor is that of generated X-rays. All elements need the same kind."""
    oxygen: float = setting(0.0, ge=0)
    """The atoms of oxygen that are bound to an atom of the element, such as 1.5 in Al2O3, if oxygen itself is not one
    of the elements. They absorb, and they are part of the composition."""
    k_uncertainty: float = setting(0.1, source="standardless k-factors: 0.05 to 0.2", ge=0)
    """The relative standard uncertainty of the k-factor."""

    @model_validator(mode="after")
    def _factor_of_the_standard(self) -> "Element":
        """Refuse a standard without the factor that was measured on it, beside which none may be calculated."""
        if self.standard and self.k_factor is None:
            raise ValueError("standard: needs the k_factor that was measured on it")
        return self


class Standard(Section):
    """A bulk standard that was measured beside the specimen, at the same energy of the beam."""

    element: str
    """The element whose k-ratio is formed with this standard."""
    composition: dict[str, float]
    """The mass fractions of all its elements, in any common unit."""

    @model_validator(mode="after")
    def _holds_its_element(self) -> "Standard":
        if not self.composition.get(self.element, 0.0) > 0:
            raise ValueError(f"its composition holds no {self.element}")
        return self


class EdxSettings(Section):
    """Settings of the EDX analysis."""

    elements: dict[str, Element] = {}
    """The elements of the spectrum by symbol."""
    standards: dict[str, Standard] = {}
    """The standards by the names of their measurements. With them, k-ratios are given, and the k-factors are measured;
    every spectrum then needs its live time and probe current."""
    dose_uncertainty: float = setting(0.01, source="stability of probe currents", ge=0)
    """The relative standard uncertainty of the dose of a specimen relative to that of a standard."""
    fit_range: tuple[float, float] = setting((0.7, 18.0), "keV")
    """The range of energy that is fitted. It must lie above the steep absorption of the detector window and below the
    energy of the beam."""
    background_degree: int = setting(6, source="smooth efficiency of a silicon drift detector", ge=0)
    """The degree of the polynomial in the logarithm of energy by which Kramers' law is multiplied."""
    geometry: Literal["bulk", "thin_film"] | None = None
    """The shape of the specimen: flat, homogeneous and thicker than the range of electrons, or so thin that X-rays are
    not absorbed in it. If it is not stated, a thin film is assumed above 50 keV, and a bulk specimen below."""
    absorption_uncertainty: float = setting(0.05, source="2 % far from edges, 10 % near them and below 1 keV", ge=0)
    """The relative standard uncertainty of mass absorption coefficients, for each family independently."""
    take_off_uncertainty: float = setting(2.0, "deg", gt=0)
    """The standard uncertainty of the take-off angle, with the tilt and the roughness of the surface."""
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
    def calculated(self) -> bool:
        """Whether no k-factor is stated, so that all are calculated."""
        return all(element.k_factor is None for element in self.elements.values())

    @property
    def quantified(self) -> dict[str, str]:
        """Family of lines, such as ``Cu K``, whose counts give the amount of each element."""
        return {symbol: f"{symbol} {entry.quantified}" for symbol, entry in self.elements.items() if entry.quantified}
