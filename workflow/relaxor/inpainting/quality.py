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
from skimage.metrics import structural_similarity

from relaxor.core.results import CONFIDENCE
from relaxor.inpainting.images import centre

WINDOW = 7
"""Pixels along an edge of a window of the structural similarity."""
RESAMPLES = 1000
"""Bootstrap samples."""
SEED = 0
OVERALL = "all"
"""The class of rows that concern all letters."""
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
    originals, restored = np.asarray(originals, dtype=float), np.asarray(restored, dtype=float)
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    scores = _scores(originals, restored, centre(hole))
    scores["accuracy"] = (labels == predicted).astype(float)
    table = np.column_stack(list(scores.values()))
    generator = np.random.default_rng(seed)
    rows = _rows(OVERALL, scores, table, resamples, generator)
    for label in np.unique(labels):
        rows += _rows(string.ascii_uppercase[label], scores, table[labels == label], resamples, generator)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _scores(originals: np.ndarray, restored: np.ndarray, hole: slice) -> dict[str, np.ndarray]:
    """Return the scores of each image, shape (n,) each."""
    error = (originals - restored) ** 2
    similarity = _similarity(originals, restored)
    # The outermost three pixels have no whole window around them; scikit-image leaves them out as well.
    edge = (WINDOW - 1) // 2
    inside = slice(edge, originals.shape[1] - edge)
    return {
        "mse": error.mean(axis=(1, 2)),
        "mse_hole": error[:, hole, hole].mean(axis=(1, 2)),
        "ssim": similarity[:, inside, inside].mean(axis=(1, 2)),
        "ssim_hole": similarity[:, hole, hole].mean(axis=(1, 2)),
    }


def _similarity(originals: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Return the map of structural similarity of every image, shape (n, 28, 28)."""
    pairs = zip(originals, restored, strict=True)
    return np.array([structural_similarity(*pair, win_size=WINDOW, data_range=1.0, full=True)[1] for pair in pairs])


def _rows(
    name: str, scores: dict[str, np.ndarray], table: np.ndarray, resamples: int, generator: np.random.Generator
) -> list[tuple[str, str, float, float, float, int]]:
    """Return the rows of one class, from its images' scores, shape (n, metrics)."""
    n = len(table)
    # How often each image is drawn, times its score: the means of the resampled sets, shape (resamples, metrics).
    means = generator.multinomial(n, np.full(n, 1 / n), size=resamples) @ table / n
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    values = dict(zip(scores, zip(table.mean(axis=0), low, high, strict=True), strict=True))
    for region in ("", "_hole"):
        value, lowest, highest = values[f"mse{region}"]
        values[f"psnr{region}"] = _decibel(value), _decibel(highest), _decibel(lowest)
    return [
        (metric, name, float(value), float(lowest), float(highest), n)
        for metric, (value, lowest, highest) in sorted(values.items())
    ]


def _decibel(mse: float) -> float:
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(mse))
