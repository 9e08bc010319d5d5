"""Composition from line areas by relative sensitivity factors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Amount:
    """A number that is proportional to the atoms of an element.

    Attributes
    ----------
    value, error
        Sum over the chemical states of one level, and its standard error by counting.
    systematic
        Standard uncertainty by each systematic cause, in the unit of the value.
    """

    value: float
    error: float
    systematic: Mapping[str, float]


def response(spectrum: xr.Dataset, kinetic_energy: float) -> tuple[float, str]:
    """Return the relative transmission of the analyser at an energy (eV), and where the file states it.

    A file gives it point by point (VAMAS), or by the coefficients of `transmission` (PHI), or not at all.
    """
    if "transmission" in spectrum and "excitation_energy" in spectrum.attrs:
        energy = float(spectrum.attrs["excitation_energy"]) - spectrum["binding_energy"].to_numpy()
        order = np.argsort(energy)
        given = spectrum["transmission"].to_numpy()
        return float(np.interp(kinetic_energy, energy[order], given[order])), "the transmission in the file"
    coefficients = spectrum.attrs.get("transmission_coefficients")
    if coefficients is not None and "pass_energy" in spectrum.attrs:
        passed = transmission(kinetic_energy, float(spectrum.attrs["pass_energy"]), *coefficients)
        return passed, "the transmission by the coefficients in the file"
    return math.nan, ""


def transmission(kinetic_energy: float, pass_energy: float, a: float, b: float) -> float:
    """Return the relative transmission of a PHI analyser in fixed-pass-energy mode.

    E_p·(a² / (a² + R²))^b with the retard ratio R = E_k / E_p and the coefficients that PHI files keep as
    ``IntensityCalCoeff``; CasaXPS manual, "Transmission correction of PHI data"
    (``http://www.casaxps.com/release/release2312_/CasaXPS.HLP/SpectrumProcessing/FAQ9.htm``).
    """
    return pass_energy * (a**2 / (a**2 + (kinetic_energy / pass_energy) ** 2)) ** b


def composition(
    amounts: Mapping[str, Amount], factors: str, uncertainty: float
) -> dict[str, tuple[float, float, dict[str, float]]]:
    """Return atomic percent of each element, its standard error by counting, and its systematic components.

    The sample is taken as homogeneous and without texture. x_i = w_i / Σw, so that ∂x_i/∂w_j = (δ_ij − x_i) / Σw.

    Parameters
    ----------
    amounts
        Element → amount.
    factors, uncertainty
        Name and relative standard uncertainty of each sensitivity factor, independent between elements.
    """
    values = np.array([amount.value for amount in amounts.values()])
    share = values / values.sum()
    slopes = 100 * (np.eye(share.size) - share[:, None]) / values.sum()

    def joined(errors: np.ndarray) -> np.ndarray:
        return np.sqrt(np.sum((slopes * errors) ** 2, axis=1))

    counting = joined(np.array([amount.error for amount in amounts.values()]))
    causes = dict.fromkeys(cause for amount in amounts.values() for cause in amount.systematic)
    systematic = {factors: joined(uncertainty * values)}
    for cause in causes:
        systematic[cause] = joined(np.array([amount.systematic.get(cause, 0.0) for amount in amounts.values()]))
    return {
        element: (100 * share[row], counting[row], {cause: float(size[row]) for cause, size in systematic.items()})
        for row, element in enumerate(amounts)
    }
