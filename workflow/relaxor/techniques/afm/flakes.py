"""Step height and roughness of a flake in a height image, each determined in independent ways.

The step height is found from a step fitted to every profile without the neighbourhood of the edge, as in ISO 5436-1,
and from the distance between the two peaks of the height histogram. Errors come from blocks of adjacent profiles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import lmfit
import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.stats.blocks import correlation_length, jackknife, shared_edges
from relaxor.stats.fit import Fit, aicc, fit, parameters, poisson_residual
from relaxor.stats.line_shapes import gaussian
from relaxor.techniques.afm import quantities as q
from relaxor.techniques.afm.levelling import EDGE_PIXELS, Levelled, Surface, away_from_edge, level, segment
from relaxor.techniques.afm.settings import AfmSettings

PROFILE_MODELS = {q.PROFILE_LINEAR: 1, q.PROFILE_QUADRATIC: 2}
"""Degree of the polynomial background that each levelled profile may have, by model."""
PLACES = ("substrate", "flake")
INDEPENDENT = 4
"""Number of correlation lengths beyond which two heights are taken as independent."""


@dataclass(frozen=True)
class Flake:
    """What is found on one image.

    Attributes
    ----------
    levelled, blocks
        The levelled image, and the number of the block of adjacent profiles to which each profile belongs.
    steps
        Step heights of the profiles by model.
    histogram, edges
        Fit of two levels to the height histogram, and the edges of its bins in nm.
    step_heights
        Model → step height and its standard error in nm.
    roughness
        Place → root-mean-square height and its standard error in nm.
    correlation_length
        Correlation length of the roughness of the substrate in nm.
    """

    levelled: Levelled
    blocks: np.ndarray
    steps: dict[str, "Steps"]
    histogram: Fit
    edges: np.ndarray
    step_heights: dict[str, tuple[float, float]]
    roughness: dict[str, tuple[float, float]]
    correlation_length: float


def examine(surface: Surface, settings: AfmSettings) -> Flake:
    """Find step height and roughness of a flake.

    Raises
    ------
    AnalysisError
        If the image shows no step.
    """
    flake, outliers = segment(surface, settings)
    count = away_from_edge(flake) & ~outliers

    def level_again(keep: np.ndarray) -> Levelled:
        return level(surface, flake, count & keep[:, None], settings)

    levelled = level_again(np.ones(len(flake), bool))
    used = plateaus(flake, settings.edge_exclusion) & ~outliers
    steps = {name: profile_steps(levelled.height, flake, used, degree) for name, degree in PROFILE_MODELS.items()}
    heights = levelled.height[count]
    edges = np.linspace(heights.min(), heights.max(), settings.histogram_bins + 1)

    def estimate(keep: np.ndarray) -> np.ndarray:
        again = level_again(keep)
        two_levels = fit_two_levels(again.height[again.count], flake[again.count], edges)
        means = [found.mean(again.height, keep) for found in steps.values()]
        return np.array([*means, separation(two_levels), *_roughness(again, reach)])

    length = _roughness_length(surface, levelled)
    reach = max(int(np.ceil(INDEPENDENT * np.nan_to_num(length) / surface.pixel)), 1)
    blocks = np.arange(len(flake)) * settings.batches // len(flake)
    values, errors = jackknife(estimate, blocks)
    errors *= shared_edges(length, np.ptp(surface.y) / settings.batches)
    found = {
        name: (float(value), float(error))
        for name, value, error in zip([*steps, q.TWO_LEVEL_HISTOGRAM, *PLACES], values, errors, strict=True)
    }
    return Flake(
        levelled=levelled,
        blocks=blocks,
        steps=steps,
        histogram=fit_two_levels(heights, flake[count], edges),
        edges=edges,
        step_heights={name: found[name] for name in (*steps, q.TWO_LEVEL_HISTOGRAM)},
        roughness={place: found[place] for place in PLACES},
        correlation_length=length,
    )


# --- step heights --------------------------------------------------------------------------------------------------
def plateaus(flake: np.ndarray, edge_exclusion: float) -> np.ndarray:
    """Mark the pixels of each profile that are far enough from its edges.

    At an edge, pixels within ``edge_exclusion`` times the shorter of the two adjoining plateaus are left out
    (at least `EDGE_PIXELS`), as ISO 5436-1 does with the width of a groove.
    """
    used = np.zeros(flake.shape, bool)
    for line, row in zip(used, flake, strict=True):
        bounds = [0, *(np.flatnonzero(np.diff(row)) + 1), len(row)]
        widths = np.diff(bounds)
        margins = [0.0, *(np.minimum(widths[:-1], widths[1:]) * edge_exclusion), 0.0]
        margins[1:-1] = np.maximum(margins[1:-1], EDGE_PIXELS)
        for start, end, before, after in zip(bounds[:-1], bounds[1:], margins[:-1], margins[1:], strict=True):
            line[int(np.ceil(start + before)) : max(int(end - after), 0)] = True
    return used


@dataclass(frozen=True)
class Steps:
    """Step heights of the profiles of an image.

    Attributes
    ----------
    heights
        Step height of each profile in nm; NaN where it crosses none.
    weights
        Weight of each pixel in the step height of its profile, shape (profile, position): the fit is linear.
    sum_of_squares, pixels
        Sum of the squared residuals of all fits in nm², and the number of pixels behind it.
    degree
        Degree of the background of each profile.
    correlation
        Number of pixels of a profile that tell as much as one independent pixel.
    """

    heights: np.ndarray
    weights: np.ndarray
    sum_of_squares: float
    pixels: int
    degree: int
    correlation: float

    @property
    def number(self) -> int:
        """Number of profiles with a step."""
        return int(np.isfinite(self.heights).sum())

    @property
    def method(self) -> str:
        """Description of the fit."""
        return f"step on a polynomial of degree {self.degree} in each profile"

    def mean(self, height: np.ndarray, keep: np.ndarray) -> float:
        """Return the mean step height in nm of the profiles to keep, from an image that may be levelled again."""
        kept = keep & np.isfinite(self.heights)
        return float(np.sum(self.weights[kept] * height[kept]) / kept.sum())

    def aicc(self, correlation: float) -> float:
        """Return Akaike's criterion where one of ``correlation`` pixels is independent."""
        k, n = (self.degree + 2) * self.number + 1, self.pixels / correlation
        return aicc(n * np.log(self.sum_of_squares / self.pixels), k, n)


def profile_steps(height: np.ndarray, flake: np.ndarray, used: np.ndarray, degree: int) -> Steps:
    """Fit ``polynomial(x) + h·δ(x)`` to every profile, δ = 1 on the flake; ISO 5436-1 for degree 1.

    Raises
    ------
    AnalysisError
        If fewer than a quarter of the profiles cross a step.
    """
    position = np.vander(np.linspace(-1, 1, flake.shape[1]), degree + 1)
    weights, residuals = np.zeros(flake.shape), np.zeros(flake.shape)
    crossing = np.minimum(np.sum(flake & used, axis=1), np.sum(~flake & used, axis=1)) > degree + 2
    if crossing.sum() < len(flake) / 4:
        raise AnalysisError(f"only {crossing.sum()} of {len(flake)} profiles cross a step")
    for index in np.flatnonzero(crossing):
        use = used[index]
        design = np.column_stack([position[use], flake[index, use]])
        inverse = np.linalg.pinv(design)
        weights[index, use] = inverse[-1]
        residuals[index, use] = height[index, use] - design @ (inverse @ height[index, use])
    used = used & crossing[:, None]
    square = float(np.sum(residuals**2))
    neighbours = used[:, 1:] & used[:, :-1]
    rho = np.sum((residuals[:, 1:] * residuals[:, :-1])[neighbours]) / square * used.sum() / neighbours.sum()
    heights = np.where(crossing, np.sum(weights * height, axis=1), np.nan)
    # Integrated correlation of a first-order process with the same correlation of neighbours.
    correlation = max((1 + rho) / max(1 - rho, 1e-3), 1.0)
    return Steps(heights, weights, square, int(used.sum()), degree, correlation)


# --- histogram -----------------------------------------------------------------------------------------------------
def level_components(params: lmfit.Parameters, center: np.ndarray, width: float) -> Iterator[np.ndarray]:
    """Yield the number of pixels of each level (substrate, flake) in bins of a width, in nm."""
    values = params.valuesdict()
    for place in PLACES:
        yield gaussian(center, values[f"{place}_pixels"] * width, values[f"{place}_level"], values[f"{place}_fwhm"])


def fit_two_levels(heights: np.ndarray, flake: np.ndarray, edges: np.ndarray) -> Fit:
    """Fit two Gaussians to the histogram of heights (nm), which start where the mask ``flake`` has them."""
    counts = np.histogram(heights, edges)[0]
    center, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    start: dict[str, float | tuple[float, float, float]] = {}
    for place, mask in (("substrate", ~flake), ("flake", flake)):
        start[f"{place}_pixels"] = float(mask.sum())
        start[f"{place}_level"] = float(np.median(heights[mask]))
        start[f"{place}_fwhm"] = (2.3548 * float(np.std(heights[mask])), width, float(np.ptp(edges)))

    def residual(params: lmfit.Parameters) -> np.ndarray:
        substrate, on_flake = level_components(params, center, width)
        return poisson_residual(counts, substrate + on_flake)

    return fit(residual, parameters(**start), absolute_sigma=True)


def separation(fitted: Fit) -> float:
    """Return the distance between the two levels in nm."""
    return fitted.value("flake_level") - fitted.value("substrate_level")


# --- roughness -----------------------------------------------------------------------------------------------------
def _roughness_length(surface: Surface, levelled: Levelled) -> float:
    substrate = levelled.count & ~levelled.flake
    return correlation_length(levelled.height - levelled.height[substrate].mean(), substrate, surface.pixel)


def _roughness(levelled: Levelled, reach: int) -> Iterator[float]:
    """Yield the root-mean-square heights of the `PLACES` in nm."""
    for mask in (~levelled.flake, levelled.flake):
        squares, pairs = distant_pairs(levelled.height, levelled.count & mask, reach)
        yield float(np.sqrt(squares.sum() / pairs.sum()))


def distant_pairs(height: np.ndarray, mask: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum half the squared height differences of all pairs of pixels of a profile at least ``reach`` apart.

    Their mean is the variance of the surface, whatever the offset of each profile is. The variance of a map whose
    profiles were shifted to one level is smaller, because the shifts take a part of it.

    Returns
    -------
    squares, pairs
        Sum and number of pairs of each profile.
    """
    size = 2 * height.shape[1]
    weight = mask.astype(float)
    # A common constant keeps the differences of large numbers small.
    values = np.where(mask, height - height[mask].mean(), 0.0)
    of_weight, of_values, of_squares = (np.fft.rfft(part, size, axis=1) for part in (weight, values, values**2))

    def sums(product: np.ndarray) -> np.ndarray:
        return np.fft.irfft(product, size, axis=1)[:, reach : height.shape[1]].sum(axis=1)

    cross = sums(np.conj(of_weight) * of_squares) + sums(np.conj(of_squares) * of_weight)
    return cross / 2 - sums(np.abs(of_values) ** 2), sums(np.abs(of_weight) ** 2).round()
