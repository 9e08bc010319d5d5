"""Letters drawn by code, with the statistics of handwriting, for a computer without EMNIST.

A way to write the letter (`relaxor.inpainting.skeletons`) is deformed: its points tremble, its strokes shift against
each other, and the whole is stretched, slanted, turned and deformed smoothly. The letter then gets its size on the form
and its pen, and the image is made as those of EMNIST are made from binary forms (Cohen et al. 2017, arXiv 1702.05373):
blurred by a Gaussian of one pixel of the scan, cut to the box of the blurred letter, centred in a square with a border
of two pixels, and resampled to 28 × 28 pixels of eight bits.

The ink of a pixel depends only on its distance to the nearest straight piece of the path of the pen. This is exact for
straight strokes and needs no large canvas, so that the whole set takes seconds. The spreads below were chosen so that
ink, stroke width and box agree with real letters of EMNIST.
"""

import string

import numpy as np
from scipy.special import ndtr

from relaxor.inpainting.images import CLASSES, SIDE
from relaxor.inpainting.skeletons import SEGMENTS, Skeleton, skeletons

BLOCK = 40 * CLASSES
"""Number of letters with one generator of random numbers, so that a smaller set is the beginning of a larger one."""
BATCH = 100
"""Number of letters that are rendered together, so that they stay in the cache of the processor."""

TREMBLE = 0.018
"""Standard deviation of a point, in units of the box of the letter, as all constants below without another unit."""
STROKE_SHIFT = 0.035
ELASTIC = 0.1
"""Largest amplitude of each of `WAVES` smooth waves of deformation, in x and in y."""
WAVES = 3
WAVE_NUMBER = 5.0
"""Largest number of a wave in x and in y, radians across the box."""
SLANT = (0.15, 0.27)
"""Mean and standard deviation of the slant, as x over y."""
TURN = (0.0, 0.08)
"""Mean and standard deviation of the rotation of a letter, in radians."""
ASPECT = (0.0, 0.3)
"""Mean and standard deviation of the logarithm of width over height of a skeleton that fills its box."""
LETTER = (3.8, 0.35)
"""Mean and standard deviation of the logarithm of the longer side of a letter, in pixels of the scanned form."""
PEN = (1.79, 0.21)
"""Mean and standard deviation of the logarithm of the width of the pen, in pixels of the scan."""
BORDER = 5.5
"""Border around the ink, in pixels of the scan: the blur adds three or four, and two are empty."""
BLUR = 1.0
"""Standard deviation of the blur of EMNIST, in pixels of the scan."""
RESAMPLING = 0.25
"""Standard deviation of the blur by the resampling, in pixels of the image."""


def draw_letters(number: int, *seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw letters.

    Parameters
    ----------
    number
        Number of letters; each 26 successive letters hold every class once.
    *seed
        Whole numbers: the same ones give the same letters, and fewer letters are the first of more.

    Returns
    -------
    images : numpy.ndarray
        uint8, shape (number, 28, 28), upright, ink = 255.
    labels : numpy.ndarray
        0 = A … 25 = Z, shape (number,).
    """
    images = np.empty((number, SIDE, SIDE), np.uint8)
    labels = np.empty(number, int)
    for block, start in enumerate(range(0, number, BLOCK)):
        rng = np.random.default_rng((*seed, block))
        letters = rng.permuted(np.tile(np.arange(CLASSES), (BLOCK // CLASSES, 1)), axis=1).ravel()
        pieces, width, blur = _written(letters, rng)
        stop = min(start + BLOCK, number)
        labels[start:stop] = letters[: stop - start]
        for first in range(start, stop, BATCH):
            chosen = slice(first - start, min(first + BATCH, stop) - start)
            images[first : min(first + BATCH, stop)] = render(pieces[chosen], width[chosen], blur[chosen])
    return images, labels


def render(pieces: np.ndarray, width: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Draw straight pieces of a pen's way.

    Parameters
    ----------
    pieces
        Their ends (x, y) in pixels of the image, the first pixel's centre at 0.5, shape (n, pieces, 2, 2).
    width, blur
        Width of the pen and standard deviation of the Gaussian blur, pixels of the image, shape (n,).

    Returns
    -------
    numpy.ndarray
        uint8, shape (n, 28, 28).
    """
    pieces = pieces.astype(np.float32)
    centre = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    square = np.full((len(pieces), SIDE, SIDE), np.inf, np.float32)
    for number in range(pieces.shape[1]):
        start, way = pieces[:, number, 0], pieces[:, number, 1] - pieces[:, number, 0]
        length = np.maximum(np.hypot(*way.T), np.float32(1e-6))[:, None]
        x, y = centre - start[:, :1], centre - start[:, 1:]
        # Place along the piece of the foot of the perpendicular: x and y enter apart, so that little is computed at
        # every pixel.
        foot = (y * way[:, 1:] / length)[:, :, None] + (x * way[:, :1] / length)[:, None, :]
        nearest = np.clip(foot, 0, length[:, :, None])
        foot *= 2
        np.subtract(nearest, foot, out=foot)
        foot *= nearest
        foot += (x * x)[:, None, :]
        foot += (y * y)[:, :, None]
        np.minimum(square, foot, out=square)
    distance = np.sqrt(np.maximum(square, 0))
    half, blur = (value.astype(np.float32)[:, None, None] for value in (width / 2, blur))
    # Ink of a straight stroke after the blur: the mean over the Gaussian of a band of the pen's width.
    ink = ndtr((half - distance) / blur) - ndtr((-half - distance) / blur)
    # As EMNIST: the darkest pixel of every image is full.
    return np.rint(255 * ink / ink.max((1, 2), keepdims=True)).astype(np.uint8)


def _written(letters: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write letters, each in a way of its own.

    Returns
    -------
    pieces, width, blur
        As `render` takes them.
    """
    way = np.empty(len(letters), int)
    ways: list[Skeleton] = []
    for letter in range(CLASSES):
        known, share = skeletons(string.ascii_uppercase[letter])
        of_letter = letters == letter
        way[of_letter] = len(ways) + rng.choice(len(known), of_letter.sum(), p=share)
        ways += known
    pieces = np.empty((len(letters), SEGMENTS, 2, 2))
    for number, skeleton in enumerate(ways):
        chosen = np.flatnonzero(way == number)
        strokes = skeleton.stroke[-1] + 1
        points = skeleton.points + TREMBLE * rng.standard_normal((len(chosen), len(skeleton.points), 2))
        points += STROKE_SHIFT * rng.standard_normal((len(chosen), strokes, 2))[:, skeleton.stroke]
        pieces[chosen] = np.einsum("sek,nkx->nsex", skeleton.weights, points)
    return _on_the_form(_bent(pieces, rng), rng)


def _bent(pieces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deform, stretch, slant and turn letters around the middle of their unit squares."""
    n = len(pieces)
    place = pieces - 0.5
    for _ in range(WAVES):
        wave = rng.uniform(-WAVE_NUMBER, WAVE_NUMBER, (n, 2))
        phase = rng.uniform(0, 2 * np.pi, n)
        amplitude = rng.uniform(-ELASTIC, ELASTIC, (n, 2))
        angle = np.einsum("nsex,nx->nse", place, wave) + phase[:, None, None]
        place = place + np.sin(angle)[..., None] * amplitude[:, None, None]
    slant, turn, aspect = (rng.normal(*normal, n) for normal in (SLANT, TURN, ASPECT))
    stretch = np.exp(aspect)
    # Upright is y down: a slant to the right moves the top, at negative y, to the right.
    slanted = np.stack([stretch * 1.0, -slant, np.zeros(n), np.ones(n)], axis=-1).reshape(n, 2, 2)
    turned = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=-1).reshape(n, 2, 2)
    return np.einsum("nij,nsej->nsei", turned @ slanted, place)


def _on_the_form(pieces: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give letters their size and pen, and cut them out as EMNIST does."""
    n = len(pieces)
    letter, pen = (np.exp(rng.normal(*normal, n)) for normal in (LETTER, PEN))
    low, high = pieces.min((1, 2)), pieces.max((1, 2))
    scale = SIDE / (letter + pen + 2 * BORDER)
    longer = (high - low).max(1)
    centred = pieces - ((low + high) / 2)[:, None, None]
    pixels = SIDE / 2 + centred * (scale * letter / longer)[:, None, None, None]
    return pixels, pen * scale, np.hypot(BLUR * scale, RESAMPLING)
