"""Errors of means over images. Pixels are correlated, so that blocks of pixels are the independent samples."""

import math
from collections.abc import Callable

import numpy as np


def tiles(shape: tuple[int, int], rows: int, columns: int) -> np.ndarray:
    """Return for each pixel the number of the tile that it lies in, with ``rows × columns`` tiles in total."""
    row = np.arange(shape[0]) * rows // shape[0]
    column = np.arange(shape[1]) * columns // shape[1]
    return row[:, None] * columns + column


def jackknife(estimator: Callable[[np.ndarray], np.ndarray], blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an estimate from all pixels and its standard error by leaving out one block at a time.

    Parameters
    ----------
    estimator
        ``estimator(keep) -> array of numbers`` from the pixels (or rows) where ``keep`` is true.
    blocks
        Block of each pixel, as `tiles` numbers them. Blocks larger than the correlation length are independent;
        Künsch, doi 10.1214/aos/1176347265.
    """
    numbers = np.unique(blocks)
    estimate = np.asarray(estimator(np.ones(blocks.shape, bool)))
    without = np.array([estimator(blocks != number) for number in numbers])
    spread = ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    return estimate, np.sqrt((len(numbers) - 1) / len(numbers) * spread)


def shared_edges(length: float, block: float) -> float:
    """Return the factor by which the correlation of adjacent blocks increases standard errors.

    For a field with covariance exp(−r²/ℓ²), the means over adjacent blocks of size L vary less by the factor 1 −
    ℓ/(√π·L) than those over blocks from different fields, because the field is correlated across their edges.

    Parameters
    ----------
    length, block
        Distance ℓ at which the correlation falls to 1/e (NaN: none), and size of a block, in one unit.
    """
    share = np.nan_to_num(length) / (math.sqrt(math.pi) * block)
    return 1 / math.sqrt(1 - min(share, 0.5))


def correlation_length(field: np.ndarray, mask: np.ndarray, pixel: float) -> float:
    """Return the distance at which the autocorrelation of a field falls to 1/e, averaged over directions.

    Parameters
    ----------
    field
        Map of mean zero where ``mask`` is true, shape (y, x).
    mask
        Pixels that count.
    pixel
        Distance between pixels; the result is in its unit, NaN if the correlation does not fall so far or the
        field is constant.
    """
    if not np.ptp(field[mask]) > 0:
        return math.nan
    shape = tuple(2 * size for size in field.shape)

    def correlate(values: np.ndarray) -> np.ndarray:
        return np.fft.irfft2(np.abs(np.fft.rfft2(values, shape)) ** 2, shape)

    products, pairs = correlate(np.where(mask, field, 0.0)), correlate(mask.astype(float))
    row, column = (np.minimum(np.arange(size), size - np.arange(size)) for size in shape)
    radius = np.hypot(row[:, None], column).round().astype(int)
    near = (radius <= min(field.shape) // 2) & (pairs > 0.5)
    ring = np.bincount(radius[near], products[near]) / np.bincount(radius[near], pairs[near])
    ring /= ring[0]
    below = int(np.argmax(ring < math.exp(-1)))
    if below == 0:
        return math.nan
    fraction = (ring[below - 1] - math.exp(-1)) / (ring[below - 1] - ring[below])
    return float((below - 1 + fraction) * pixel)
