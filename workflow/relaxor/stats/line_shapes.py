"""Line shapes: area is the integral over x, fwhm the full width at half maximum, both in the unit of x."""

import math

import numpy as np
from scipy.special import erfcx, gamma, wofz

SQRT_2LN2 = math.sqrt(2 * math.log(2))
TAIL = 10.0
"""Distance above a Doniach–Šunjić line (unit of x) up to which its area is counted; the whole area is infinite."""
PERIOD = 80.0
"""Least period of the Fourier series of a Doniach–Šunjić line (unit of x), of which a spectrum covers a part."""


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


def gaussian_lorentzian_product(x: np.ndarray, area: float, center: float, fwhm: float, mixing: float) -> np.ndarray:
    """Return GL(100 m) of XPS programs: a Gaussian times a Lorentzian, with the share ``mixing`` of the latter.

    exp(−4 ln 2 (1 − m) u²) / (1 + 4 m u²), u = (x − center) / fwhm, over its integral; Jain, Biesinger & Linford,
    doi 10.1016/j.apsusc.2018.03.190. ``fwhm`` is that of the factors; that of the product is some per cent smaller. All
    arguments may be arrays that fit together.
    """
    mixing = np.maximum(mixing, 1e-9)
    narrow, wide = 4 * math.log(2) * (1 - mixing), 4 * mixing
    square = ((x - center) / fwhm) ** 2
    integral = math.pi / np.sqrt(wide) * erfcx(np.sqrt(narrow / wide))
    return area / (fwhm * integral) * np.exp(-narrow * square) / (1 + wide * square)


def doniach_sunjic(
    x: np.ndarray, area: float, center: float, fwhm_gaussian: float, fwhm_lorentzian: float, asymmetry: float
) -> np.ndarray:
    """Return the line of a metal, whose tail to larger x is made by electron–hole pairs, convolved with a Gaussian.

    Doniach & Šunjić, doi 10.1088/0022-3719/3/2/010. It is the real part of the Fourier integral of t^−α exp(−γt −
    σ²t²/2) times exp(iπα/2), which is a Voigt line for α = 0. The area ends `TAIL` above the center.

    Parameters
    ----------
    x
        Ascending in equal steps, shape (n,); a line is wider than two steps.
    area, center, fwhm_gaussian, fwhm_lorentzian, asymmetry
        Numbers, or arrays that fit together, with the last axis for x.
    """
    step = (x[-1] - x[0]) / (x.size - 1)
    points = 2 ** math.ceil(math.log2(PERIOD / step + x.size))
    time_step = 2 * math.pi / (points * step)
    time = time_step * np.arange(points // 2 + 1)
    exponent = 1 - asymmetry
    # The mean of t^−α over each cell, because it is infinite at zero
    edges = np.concatenate([[0.0], time + time_step / 2])
    powers = edges**exponent
    mean = np.diff(powers, axis=-1) / (exponent * np.diff(edges))
    decay = -fwhm_lorentzian / 2 * time - (fwhm_gaussian / (2 * SQRT_2LN2) * time) ** 2 / 2
    phase = -math.pi / 2 * asymmetry - (center - x[0]) * time
    norm = gamma(exponent) * np.sinc(asymmetry) * TAIL**asymmetry
    series = np.fft.irfft(mean * np.exp(decay + 1j * phase), points)[..., : x.size]
    return area / (step * norm) * series
