"""The noise of a CCD, counts and read-out, which files do not state: a variance that is linear in the signal.

It is estimated from what deviates (Davidian & Carroll, doi 10.1080/01621459.1987.10478543).
"""

import numpy as np
from scipy.optimize import nnls

MAD_TO_SIGMA = 1.4826


def linear_noise(signal: np.ndarray, square: np.ndarray, use: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return the root of a variance linear in the signal, fitted to squared deviations; both terms positive."""
    signal = (signal - signal.min()) / max(float(np.ptp(signal)), 1e-12)
    design = np.column_stack([np.ones_like(signal), signal])
    floor = 1e-3 * max(float(square[use].mean()), 1e-24)
    variance = np.ones_like(signal)
    for _ in range(3):  # the scatter of a squared deviation is proportional to its expectation
        terms = nnls((design / variance[:, None])[use], (square / variance)[use])[0]
        variance = np.maximum(design @ terms, floor)
    return np.sqrt(variance)
