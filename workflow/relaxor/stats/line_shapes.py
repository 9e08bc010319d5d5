"""Line shapes: area is the integral over x, fwhm the full width at half maximum, both in the unit of x."""

import math

import numpy as np
from scipy.special import wofz

SQRT_2LN2 = math.sqrt(2 * math.log(2))


def gaussian(x: np.ndarray, area: float, center: float, fwhm: float) -> np.ndarray:
    """Return a Gaussian of given area."""
    sigma = fwhm / (2 * SQRT_2LN2)
    return area / (sigma * math.sqrt(2 * math.pi)) * np.exp(-0.5 * ((x - center) / sigma) ** 2)


def lorentzian(x: np.ndarray, area: float, center: float, fwhm: float) -> np.ndarray:
    """Return a Lorentzian of given area."""
    half = fwhm / 2
    return area / math.pi * half / ((x - center) ** 2 + half**2)


def pseudo_voigt(x: np.ndarray, area: float, center: float, fwhm: float, eta: float) -> np.ndarray:
    """Return ``eta`` Lorentzian + (1 − ``eta``) Gaussian of one width; doi 10.1107/S0021889887087090."""
    return eta * lorentzian(x, area, center, fwhm) + (1 - eta) * gaussian(x, area, center, fwhm)


def voigt(x: np.ndarray, area: float, center: float, fwhm_gaussian: float, fwhm_lorentzian: float) -> np.ndarray:
    """Return the convolution of a Gaussian and a Lorentzian, by the Faddeeva function."""
    sigma = fwhm_gaussian / (2 * SQRT_2LN2)
    z = ((x - center) + 0.5j * fwhm_lorentzian) / (sigma * math.sqrt(2))
    return area * wofz(z).real / (sigma * math.sqrt(2 * math.pi))


def voigt_fwhm(fwhm_gaussian: float, fwhm_lorentzian: float) -> float:
    """Return the width of a Voigt line to 0.02 %; Olivero & Longbothum, doi 10.1016/0022-4073(77)90161-3."""
    return 0.5346 * fwhm_lorentzian + math.sqrt(0.2166 * fwhm_lorentzian**2 + fwhm_gaussian**2)
