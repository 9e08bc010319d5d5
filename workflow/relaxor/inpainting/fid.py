"""The Fréchet distance between two sets of images in the features of a network, with its bias and its uncertainty.

FID = |µ₁ − µ₂|² + Tr Σ₁ + Tr Σ₂ − 2 Tr (Σ₁^½ Σ₂ Σ₁^½)^½ (Heusel et al. 2017, arXiv 1706.08500; the distance of two
normal distributions, Dowson and Landau 1982, 10.1016/0047-259X(82)90077-X). Three things are reported with it:

- **N and the bias.** A finite sample makes the distance too large, by about b/N, and b depends on the images, so that
  equal N does not make two models comparable. A straight line of FID against 1/N gives its value at 1/N = 0, free of
  bias (Chong and Forsyth 2020, 10.1109/CVPR42600.2020.00611). Here the set is cut into 1, 2, 4 and 8 disjoint parts and
  the distances of the parts are averaged, which uses every image at every N.
- **The uncertainty,** by bootstrap over images.
- **The floor** of independent sets, which is the distance between two halves of the same real images. Restored images
  of one half are compared with the originals of the other half in the same way, so that the floor applies to them.

The kernel distance (KID, Bińkowski et al. 2018, arXiv 1801.01401) is given in addition; its estimator has no bias.

Restored images and the originals that they were cut from are *paired*: image i of one set belongs to image i of the
other. Their fluctuations cancel in part, so that both the bias and the interval are smaller than for independent sets,
and the distance of perfectly restored images is zero. It has no floor, and does not compare with distances of
independent sets, as papers give them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import NamedTuple

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.results import CONFIDENCE, student_quantile

SEED = 0
"""Seed of every random choice here."""
RESAMPLES = 200
"""Number of bootstrap samples."""
PARTS = (1, 2, 4, 8)
"""Numbers of parts into which a set is cut for the distance at smaller N; each divides the last one."""
SMALLEST_PART = 4
"""Smallest number of images of a part, per feature; with fewer images the bias departs from 1/N."""
KID_BLOCK = 1000
"""Number of images of each set in one block of the kernel distance."""
HALVINGS = 20
"""Number of random halvings of the images."""


@dataclass(frozen=True)
class Moments:
    """The moments of a set on which the Fréchet distance depends.

    Attributes
    ----------
    n
        Images.
    mean
        Shape (d,).
    scatter
        Sum of squares about the mean, shape (d, d); the covariance is ``scatter / (n - 1)``.
    """

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Moments":
        """Return the moments of features, shape (n, d)."""
        mean = features.mean(axis=0)
        centred = features - mean
        return cls(len(features), mean, centred.T @ centred)

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of both sets together."""
        n = self.n + other.n
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.n / n)
        return Moments(n, mean, self.scatter + other.scatter + np.outer(shift, shift) * (self.n * other.n / n))

    @cached_property
    def root(self) -> np.ndarray:
        """A with A Aᵀ the covariance, shape (d, d): Σ^½ but for a rotation, which singular values do not see."""
        covariance = self.scatter / (self.n - 1)
        variances = np.diagonal(covariance)
        noise = len(covariance) * np.finfo(float).eps
        alive = np.flatnonzero(variances > variances.max() * noise)  # some features of a network never answer
        block = np.ix_(alive, alive)
        root = np.zeros_like(covariance)
        try:
            root[block] = np.linalg.cholesky(covariance[block])  # in a tenth of the time
        except np.linalg.LinAlgError:  # singular all the same
            values, vectors = np.linalg.eigh(covariance)
            root = vectors * np.sqrt(np.where(values > values[-1] * noise, values, 0.0))
        return root


class Distance(NamedTuple):
    """A distance, the interval of level `CONFIDENCE` of its expectation, and the number of images of the first set.

    Intervals are NaN where the sets are too small for one. A distance without bias may be negative, because noise
    around zero has two signs.
    """

    value: float
    ci_low: float
    ci_high: float
    n: int


def fid(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Return the Fréchet distance of two sets of features.

    Parameters
    ----------
    features_a, features_b
        Shapes (n, d) and (m, d), one row per image.

    Returns
    -------
    float
        In squared units of the features, not negative.

    Raises
    ------
    AnalysisError
        If a set has fewer than two images, holds NaN, or the numbers of features differ.
    """
    a, b = _checked(features_a, features_b)
    return _distance(Moments.of(a), Moments.of(b))


def frechet_distance(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray) -> float:
    """Return the squared Fréchet distance of two normal distributions; singular covariances are allowed.

    The trace of the root is the sum of the square roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½. They are taken as the
    singular values of Σ₁^½ Σ₂^½, which are these roots themselves: a zero eigenvalue that rounding leaves at 1e-16
    would count as 1e-8 after the root.

    Parameters
    ----------
    mean_a, mean_b
        Shape (d,).
    cov_a, cov_b
        Shape (d, d).
    """
    return _distance(Moments(2, mean_a, cov_a), Moments(2, mean_b, cov_b))


def _distance(a: Moments, b: Moments) -> float:
    shift = a.mean - b.mean
    root_trace = np.linalg.svd(a.root.T @ b.root, compute_uv=False).sum()
    spread = np.trace(a.scatter) / (a.n - 1) + np.trace(b.scatter) / (b.n - 1)
    return max(float(shift @ shift + spread - 2 * root_trace), 0.0)


def fids_with_intervals(
    features_a: np.ndarray,
    sets_b: Sequence[np.ndarray],
    *,
    paired: bool = False,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[tuple[Distance, Distance]]:
    """Return the Fréchet distance of each set b from set a with bootstrap intervals, at this N and at infinite N.

    The distance at this N is biased by it, that at infinite N is extrapolated. A bootstrap sample is drawn from the
    measured images as these were from all images, so its distance carries the bias of a finite sample once more. Both
    intervals are therefore the estimate minus the quantiles of what was resampled about its own centre: their mean for
    the distance at this N; for the extrapolated one the distance of the measured sets, which the resampled
    extrapolations aim at.

    Parameters
    ----------
    features_a
        Shape (n, d), one row per image. All sets b are compared with the same bootstrap samples of it.
    sets_b
        Sets of features, shape (m, d) each.
    paired
        Whether row i of both belongs together (a restored image and its original); then n = m.
    resamples, seed
        Number of bootstrap samples and their seed.

    Raises
    ------
    AnalysisError
        As `fid`, and if paired sets differ in size.
    """
    sets = [_checked(features_a, features_b)[1] for features_b in sets_b]
    a = np.asarray(features_a, dtype=float)
    for b in sets:
        if paired and len(a) != len(b):
            raise AnalysisError(f"Fréchet distance: paired sets have {len(a)} and {len(b)} images")
    generator = np.random.default_rng(seed)
    parts = _parts(min(map(len, [a, *sets])), a.shape[1])

    def distances(draw: Callable[[int], np.ndarray]) -> list[tuple[float, float]]:
        order = draw(len(a))
        pieces = _cut(a, order, parts)
        return [_extrapolate(pieces, _cut(b, order if paired else draw(len(b)), parts), len(a)) for b in sets]

    # The images of a file are often sorted by letter: a part of them must be a random one.
    measured = np.array(distances(generator.permutation))
    resampled = np.array([distances(lambda n: generator.integers(n, size=n)) for _ in range(resamples)])
    return [_with_intervals(*pair, len(a)) for pair in zip(measured, resampled.swapaxes(0, 1), strict=True)]


def _with_intervals(measured: np.ndarray, resampled: np.ndarray, n: int) -> tuple[Distance, Distance]:
    """Return the distances at this N and at infinite N, shape (2,), with the intervals of resampled ones, (…, 2)."""
    value, unbiased = measured
    low, high = _reflected(resampled[:, 0], resampled[:, 0].mean())
    here = Distance(value, max(value + low, 0.0), value + high, n)
    low, high = _reflected(resampled[:, 1], value)
    return here, Distance(unbiased, unbiased + low, unbiased + high, n)


def _parts(images: int, features: int) -> tuple[int, ...]:
    """Return into how many parts to cut: those that leave images enough for the bias to be a straight line in 1/N."""
    return tuple(parts for parts in PARTS if parts == 1 or images // parts >= SMALLEST_PART * features)


def _cut(features: np.ndarray, order: np.ndarray, parts: tuple[int, ...]) -> list[list[Moments]]:
    """Return the moments of the ordered rows cut into each of these numbers of parts."""
    pieces = [Moments.of(features.take(rows, axis=0)) for rows in np.array_split(order, parts[-1])]
    sizes = [len(pieces) // number for number in parts]
    return [[reduce(add, pieces[at : at + size]) for at in range(0, len(pieces), size)] for size in sizes]


def _extrapolate(cuts_a: list[list[Moments]], cuts_b: list[list[Moments]], n: int) -> tuple[float, float]:
    """Return the distance of whole sets of n images, and that at infinite N: NaN for sets too small to be cut."""
    pairs = [list(zip(*cuts, strict=True)) for cuts in zip(cuts_a, cuts_b, strict=True)]
    distances = [np.mean([_distance(*pair) for pair in parts]) for parts in pairs]
    if len(distances) == 1:
        return float(distances[0]), np.nan
    _, unbiased = np.polyfit([len(parts) / n for parts in pairs], distances, 1)
    return float(distances[0]), float(unbiased)


def _reflected(resampled: np.ndarray, centre: float) -> tuple[float, float]:
    """Return the ends of the interval, from the estimate: minus the quantiles of the resampled deviations."""
    tail = (1 - CONFIDENCE) / 2
    high, low = np.quantile(resampled - centre, [tail, 1 - tail])
    return -float(low), -float(high)


def distance_of_halves(
    originals: np.ndarray, restored: np.ndarray, *, repeats: int = HALVINGS, seed: int = SEED
) -> Distance:
    """Return the Fréchet distance of a random half of the restored images from the originals of the other half.

    For the originals themselves, this is the floor, below which no model can be distinguished. The interval holds 95 %
    of the halvings, and n counts the images of each half: with twice the images the floor is half as high.

    Parameters
    ----------
    originals, restored
        Features of real images, and of the images that were restored from them in the same order, shape (n, d).
    repeats, seed
        Number of halvings and their seed.

    Raises
    ------
    AnalysisError
        If the sets differ in size, have fewer than four images, or hold NaN.
    """
    a, b = _checked(originals, restored)
    half = len(a) // 2
    if len(a) != len(b) or half < 2:
        raise AnalysisError(
            f"Fréchet distance of halves: sets of {len(a)} and {len(b)} images; it needs pairs, four or more"
        )
    generator = np.random.default_rng(seed)
    distances = []
    for _ in range(repeats):
        order = generator.permutation(len(a))
        distances.append(_distance(Moments.of(a[order[:half]]), Moments.of(b[order[half : 2 * half]])))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(distances, [tail, 1 - tail])
    return Distance(float(np.mean(distances)), float(low), float(high), half)


def kid(features_a: np.ndarray, features_b: np.ndarray, *, block: int = KID_BLOCK, seed: int = SEED) -> Distance:
    """Return the kernel distance: unbiased squared maximum mean discrepancy, kernel (x·y/d + 1)³.

    The images are shuffled and cut into blocks; each gives one estimate without bias (Gretton et al. 2012, J. Mach.
    Learn. Res. 13, 723, the statistic of pairs i ≠ j), which may be negative. Leaving out k(x_i, y_i) keeps it unbiased
    for paired sets too. The interval is Student's of the mean over the blocks, NaN for a single block.

    Parameters
    ----------
    features_a, features_b
        Shapes (n, d) and (m, d). Sets of one size are shuffled alike, so that pairs stay together; of sets of two sizes
        the larger loses its surplus.
    block
        Images of each set in a block; images that do not fill the last block are left out.
    seed
        Of the order.

    Raises
    ------
    AnalysisError
        As `fid`.
    """
    a, b = _checked(features_a, features_b)
    size = min(block, len(a), len(b))
    blocks = min(len(a), len(b)) // size
    generator = np.random.default_rng(seed)
    order_a = generator.permutation(len(a))
    order_b = order_a if len(a) == len(b) else generator.permutation(len(b))
    cuts = [slice(start, start + size) for start in range(0, blocks * size, size)]
    estimates = np.array([_discrepancy(a[order_a[cut]], b[order_b[cut]]) for cut in cuts])
    value = float(estimates.mean())
    margin = np.nan
    if blocks > 1:
        margin = float(student_quantile(blocks - 1) * estimates.std(ddof=1) / np.sqrt(blocks))
    return Distance(value, value - margin, value + margin, len(a))


def _discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy of two sets of one size, shape (n, d)."""
    n = len(a)
    within, without, across = (_kernel_sum(*pair) for pair in ((a, a), (b, b), (a, b)))
    return (within + without - 2 * across) / (n * (n - 1))


def _kernel_sum(a: np.ndarray, b: np.ndarray) -> float:
    """Return the sum of the kernel (x·y/d + 1)³ over all pairs of rows i ≠ j."""
    kernel = a @ b.T / a.shape[1] + 1
    kernel *= kernel * kernel  # a power takes ten times as long
    return float(kernel.sum() - np.trace(kernel))


def _checked(features_a: np.ndarray, features_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(features_a, dtype=float), np.asarray(features_b, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise AnalysisError(
            f"distance of features: shapes {a.shape} and {b.shape}; it needs (n, d) and (m, d), two images or more each"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise AnalysisError("distance of features: they hold NaN or infinity")
    return a, b
