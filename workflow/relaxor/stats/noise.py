"""Estimates of the noise from deviations, for data whose files do not state it."""

from typing import Any

import numpy as np
from scipy.optimize import nnls

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def mad_noise(deviations: np.ndarray, **axes: Any) -> Any:
    """Return the standard deviation of normal noise from the median of its absolute deviations.

    Parameters
    ----------
    deviations
        Deviations from zero, of any shape; outliers do not count.
    axes
        ``axis`` and ``keepdims`` of `numpy.median`; without them one number is returned.
    """
    return MAD_TO_SIGMA * np.median(np.abs(deviations), **axes)


def linear_noise(signal: np.ndarray, square: np.ndarray, use: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return the noise of a CCD, counts and read-out: the root of a variance that is linear in the signal.

    The variance is fitted to squared deviations (Davidian & Carroll, doi 10.1080/01621459.1987.10478543); both of its
    terms are positive.
    """
    signal = (signal - signal.min()) / max(float(np.ptp(signal)), 1e-12)
    design = np.column_stack([np.ones_like(signal), signal])
    floor = 1e-3 * max(float(square[use].mean()), 1e-24)
    variance = np.ones_like(signal)
    for _ in range(3):  # the scatter of a squared deviation is proportional to its expectation
        terms = nnls((design / variance[:, None])[use], (square / variance)[use])[0]
        variance = np.maximum(design @ terms, floor)
    return np.sqrt(variance)
