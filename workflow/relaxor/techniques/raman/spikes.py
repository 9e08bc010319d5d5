"""Cosmic rays in Raman spectra: spikes of few pixels that one accumulation has and the others have not."""

import math

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, median_filter

from relaxor.stats.noise import MAD_TO_SIGMA, linear_noise, mad_noise


def remove_spikes(
    spectra: np.ndarray, threshold: float, width: int, protected: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average accumulations without their cosmic rays.

    Parameters
    ----------
    spectra
        Accumulations, shape (m, n).
    threshold
        Height of a spike in standard deviations.
    width
        Greatest width of a spike in pixels; used with fewer than three accumulations.
    protected
        Pixels of expected lines, shape (n,): with fewer than three accumulations nothing is removed there, since a
        sharp line and a cosmic ray cannot be told apart.

    Returns
    -------
    mean, noise, removed
        Mean without spikes and its standard deviation as the accumulations show it (NaN where fewer than three),
        shape (n,); what was taken for a spike, shape (m, n).
    """
    if len(spectra) >= 3:
        center = np.median(spectra, axis=0)
        spread = np.median((spectra - center) ** 2, axis=0) * MAD_TO_SIGMA**2
        removed = spectra - center > threshold * linear_noise(center, spread)
        removed = binary_dilation(removed, np.ones((1, 3)))  # the foot of a spike is below the threshold
    else:
        center = median_filter(spectra, (1, 2 * width + 3))
        excess = spectra - center
        noise = mad_noise(np.diff(spectra, axis=1), axis=1, keepdims=True) / math.sqrt(2)
        high = excess > threshold * noise
        removed = high & ~binary_opening(high, np.ones((1, width + 1))) & ~protected
    kept = np.ma.masked_array(np.where(removed.all(axis=0), center, spectra), removed & ~removed.all(axis=0))
    mean, count = kept.mean(axis=0).data, kept.count(axis=0)
    if len(spectra) < 3:
        return mean, np.full_like(mean, np.nan), removed
    scatter = linear_noise(mean, kept.var(axis=0, ddof=1).filled(0), count >= 3)
    return mean, scatter / np.sqrt(count), removed
