"""Settings of the EDX analysis."""

from pydantic import Field

from relaxor.config.base import Section


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


def _elements() -> dict[str, Element]:
    return {
        "Cu": Element(
            atomic_weight=63.546,
            families={
                "K": [(8.0478, 100), (8.0278, 51), (8.9053, 17)],
                "L": [(0.9297, 111), (0.9498, 65), (0.8111, 9)],
            },
            quantified="K",
            k_factor=0.311,
            k_uncertainty=0.05,
        ),
        "Bi": Element(
            atomic_weight=208.980,
            families={
                "M": [(2.4226, 100), (2.5255, 60), (2.7350, 5), (1.8830, 2)],
                "L": [
                    (10.8388, 100),
                    (10.7309, 11),
                    (13.0235, 67),
                    (12.9799, 25),
                    (15.2477, 14),
                    (9.4204, 6),
                ],
            },
            quantified="M",
            k_factor=0.827,
            k_uncertainty=0.10,
        ),
        "P": Element(
            atomic_weight=30.974,
            families={"K": [(2.0137, 150), (2.1391, 3)]},
            quantified="K",
            k_factor=0.0843,
            k_uncertainty=0.10,
        ),
        "Se": Element(
            atomic_weight=78.971,
            families={
                "K": [(11.2224, 100), (11.1814, 52), (12.4959, 13), (12.4896, 6), (12.6522, 1)],
                "L": [(1.3791, 111), (1.4192, 59), (1.2044, 6)],
            },
            quantified="K",
            k_factor=1.0,
            k_uncertainty=0.0,
        ),
    }


class Edx(Section):
    """Settings of the EDX analysis; energies in keV."""

    elements: dict[str, Element] = Field(default_factory=_elements)
    """Symbol → element. K-factors: overvoltage law of Green and Cosslett times fluorescence yields (Krause 1979,
    doi 10.1063/1.555594) at 20 kV, against Se K."""
    fit_range: tuple[float, float] = (0.7, 18.0)
    """Range that is fitted, in keV: above the window's steep absorption, below the beam's energy."""
    background_degree: int = 6
    """Degree of the polynomial (in the logarithm of energy) by which Kramers' law is multiplied."""
    detector_edge: float = 1.839
    """Absorption edge of the detector's dead layer, in keV: silicon K."""
    reference: str = "Cu"
    """Element to which the others are set in ratio."""
    formula_atoms: float = 10.0
    """Atoms of a formula unit: CuBiP2Se6."""
