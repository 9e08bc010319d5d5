"""Composition from line areas by relative sensitivity factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Signal:
    """Area of a level and what turns it into a number of atoms.

    Attributes
    ----------
    area, area_error
        Both lines of a doublet together (counts/s·eV).
    sensitivity
        Cross-section of the level relative to C 1s.
    kinetic_energy, pass_energy
        Of the electrons and of the analyser (eV).
    transmission_coefficients
        a and b of `transmission`; None where the file gives none.
    """

    area: float
    area_error: float
    sensitivity: float
    kinetic_energy: float
    pass_energy: float
    transmission_coefficients: Sequence[float] | None

    def amount(self, escape_exponent: float) -> float:
        """Return a number that is proportional to that of the atoms."""
        passed = 1.0
        if self.transmission_coefficients is not None:
            passed = transmission(self.kinetic_energy, self.pass_energy, *self.transmission_coefficients)
        return self.area / (self.sensitivity * self.kinetic_energy**escape_exponent * passed)


def transmission(kinetic_energy: float, pass_energy: float, a: float, b: float) -> float:
    """Return the relative transmission of a PHI analyser in fixed-pass-energy mode.

    E_p·(a² / (a² + R²))^b with the retard ratio R = E_k / E_p and the coefficients that PHI files keep as
    ``IntensityCalCoeff``; CasaXPS manual, "Transmission correction of PHI data"
    (http://www.casaxps.com/release/release2312_/CasaXPS.HLP/SpectrumProcessing/FAQ9.htm).
    """
    return pass_energy * (a**2 / (a**2 + (kinetic_energy / pass_energy) ** 2)) ** b


def composition(
    signals: Mapping[str, Signal], escape_exponent: float, sensitivity_uncertainty: float
) -> dict[str, tuple[float, float, float]]:
    """Return atomic percent of each element with its statistical and systematic standard error.

    The amount is area / (cross-section × escape depth × transmission); the escape depth goes as kinetic energy to
    ``escape_exponent``. The sample is taken as homogeneous and without texture.

    Parameters
    ----------
    signals
        Element → signal.
    escape_exponent
        About 0.75 above 200 eV.
    sensitivity_uncertainty
        Relative standard uncertainty of each factor, independent between elements.

    Returns
    -------
    dict
        Element → (atomic percent, standard error by counting, standard error by the factors).
    """
    amounts = np.array([signal.amount(escape_exponent) for signal in signals.values()])
    share = amounts / amounts.sum()
    slopes = share[:, None] * (np.eye(share.size) - share)  # ∂x_i/∂ln w_j = x_i (δ_ij − x_j)
    relative = np.array([signal.area_error / signal.area for signal in signals.values()])
    counting, factors = (np.sqrt(np.sum((slopes * each) ** 2, axis=1)) for each in (relative, sensitivity_uncertainty))
    return dict(zip(signals, zip(100 * share, 100 * counting, 100 * factors, strict=True), strict=True))
