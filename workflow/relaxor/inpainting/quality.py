"""How well the missing centres of letters were restored: error, structure and whether the letter can still be read.

==================  =============================================================================================
``mse``             mean squared error of the pixels, 0 … 1
``psnr``            peak signal-to-noise ratio of that mean, −10 log₁₀ MSE (dB); a mean over the images would be
                    infinite if one centre were restored exactly
``ssim``            structural similarity (Wang et al. 2004, 10.1109/TIP.2003.819861), windows of 7×7 pixels
``accuracy``        part of the letters that the classifier reads correctly
==================  =============================================================================================

The first three are given for the whole image and, as ``mse_hole``, ``psnr_hole``, ``ssim_hole``, for the restored
pixels alone, because all other pixels are copied and improve the values of the whole image. A window of ``ssim_hole``
is centred in the hole and includes its surroundings, because a window of 7×7 does not fit into a hole of 4×4.
"""

import string

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from relaxor.core.results import CONFIDENCE
from relaxor.inpainting.images import SIDE, centre

WINDOW = 7
"""Pixels along an edge of a window of the structural similarity."""
EDGE = (WINDOW - 1) // 2
"""Pixels along each edge of an image that have no whole window around them."""
BAND = sliding_window_view(np.eye(SIDE), WINDOW, axis=1).mean(axis=2).T
"""Averages a column of pixels over every whole window, shape (22, 28)."""
C1, C2 = 0.01**2, 0.03**2
"""Constants of the structural similarity for images 0 … 1, which keep it finite where both are dark or even."""
RESAMPLES = 1000
"""Bootstrap samples."""
CHUNK = 256
"""Number of images that are compared at a time: few enough for the cache."""
DRAWS = 2**20
"""Number of images that are drawn at a time, which bounds the memory."""
SEED = 0
OVERALL = "all"
"""The class of rows that concern all letters."""
METRICS = ("mse", "mse_hole", "ssim", "ssim_hole", "accuracy")
"""What is measured of every image."""
COLUMNS = ("metric", "class", "value", "ci_low", "ci_high", "n")


def quality(
    originals: np.ndarray,
    restored: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    *,
    hole: int,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Compare restored letters with their originals, per class and overall.

    Parameters
    ----------
    originals, restored
        Shape (n, 28, 28), 0 … 1; image i of one belongs to image i of the other.
    labels
        True letters, shape (n,), 0 = A … 25 = Z.
    predicted
        What `relaxor.inpainting.classifier.predict` reads in the restored images, shape (n,).
    hole
        Side of the centre square that was restored, in pixels: even, at most 22, so that windows fit around it.
    resamples, seed
        Number of bootstrap samples (over images, within a class for its row) and their seed.

    Returns
    -------
    pandas.DataFrame
        One row per metric and class: ``metric``, ``class`` (``all``, ``A`` … ``Z``), ``value``, ``ci_low``, ``ci_high``
        (95 %), ``n`` images. An accuracy of one has an interval of zero width, because no error could be drawn.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    chunks = [slice(at, at + CHUNK) for at in range(0, len(labels), CHUNK)]
    scores = np.concatenate([_scores(originals[chunk], restored[chunk], centre(hole)) for chunk in chunks])
    table = np.column_stack([scores, labels == predicted])
    generator = np.random.default_rng(seed)
    rows = _rows(OVERALL, table, resamples, generator)
    for label in np.unique(labels):
        rows += _rows(string.ascii_uppercase[label], table[labels == label], resamples, generator)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _scores(originals: np.ndarray, restored: np.ndarray, hole: slice) -> np.ndarray:
    """Return the scores of each image but the accuracy, shape (n, metrics)."""
    a, b = np.asarray(originals, float), np.asarray(restored, float)
    error, similarity = (a - b) ** 2, _similarity(a, b)
    inside = slice(hole.start - EDGE, hole.stop - EDGE)
    maps = error, error[:, hole, hole], similarity, similarity[:, inside, inside]
    return np.stack([values.mean(axis=(1, 2)) for values in maps], axis=1)


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the structural similarity in every whole window of every image, shape (n, 22, 22)."""
    mean_a, mean_b, square, product = (_window_means(values) for values in (a, b, a * a + b * b, a * b))
    luminance, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    covariance, variances = unbiased * (product - luminance), unbiased * (square - squares)
    return (2 * luminance + C1) * (2 * covariance + C2) / ((squares + C1) * (variances + C2))


def _window_means(images: np.ndarray) -> np.ndarray:
    """Return the means over every whole window, shape (n, 22, 22)."""
    return BAND @ images @ BAND.T


def _rows(
    name: str, table: np.ndarray, resamples: int, generator: np.random.Generator
) -> list[tuple[str, str, float, float, float, int]]:
    """Return the rows of one class, from its images' scores, shape (n, metrics)."""
    n = len(table)
    means = _resampled_means(table, resamples, generator)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    values = dict(zip(METRICS, zip(table.mean(axis=0), low, high, strict=True), strict=True))
    for region in ("", "_hole"):
        value, lowest, highest = values[f"mse{region}"]
        values[f"psnr{region}"] = _decibel(value), _decibel(highest), _decibel(lowest)
    return [
        (metric, name, float(value), float(lowest), float(highest), n)
        for metric, (value, lowest, highest) in sorted(values.items())
    ]


def _resampled_means(table: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return the means of bootstrap samples of rows, shape (n, metrics); shape (resamples, metrics)."""
    n = len(table)
    means = []
    for start in range(0, resamples, step := max(DRAWS // n, 1)):
        samples = min(step, resamples - start)
        drawn = generator.integers(n, size=(samples, n)) + n * np.arange(samples)[:, None]
        # How often each row is drawn, times the row, is the sum of the sample.
        means.append(np.bincount(drawn.ravel(), minlength=samples * n).reshape(samples, n) @ table / n)
    return np.concatenate(means)


def _decibel(mse: float) -> float:
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(mse))
