"""Step height and roughness of a flake in a height image, each determined in independent ways.

The step height is found from a step on a polynomial fitted to every profile, and from the distance between the two
peaks of the height histogram. Errors come from blocks of adjacent profiles.

How the background of the scanner goes on under an edge is not known. Polynomials of several degrees are therefore
fitted in several windows around the edge. Of each degree, the window with the smallest error is taken that agrees with
all windows and degrees of larger errors, which follow the background more closely (Lepskii, doi 10.1137/1135065); the
spread of those that agree is a systematic component.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import lmfit
import numpy as np
from numpy.polynomial import chebyshev
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Status
from relaxor.stats.blocks import correlation_length, jackknife, shared_edges
from relaxor.stats.fit import Fit, aicc, fit, parameters, poisson_residual
from relaxor.stats.line_shapes import gaussian
from relaxor.techniques.afm import quantities as q
from relaxor.techniques.afm.levelling import EDGE_PIXELS, Levelled, Surface, away_from_edge, level, segment
from relaxor.techniques.afm.settings import AfmSettings

PROFILE_MODELS = {q.PROFILE_LINEAR: 1, q.PROFILE_QUADRATIC: 2, q.PROFILE_CUBIC: 3, q.PROFILE_QUARTIC: 4}
"""Degree of the polynomial background that each levelled profile may have, by model."""
WINDOWS = ((0.0, 0.25), (0.0, 0.5), (0.0, 1.0), (0.5, 0.7), (1.0, 1.0))
"""Windows around an edge: what is left out, as a part of the setting ``edge_exclusion``, and the end, as a part of the
shorter of the two adjoining plateaus; the last one does not end at the shorter plateau."""
WHOLE, BESIDE, NEAR = 4, 3, 1
"""The widest window; the window beside the edge and the one at the edge that tell whether the edge itself is a step."""
CHANCE = 0.0027
"""Probability of a difference of more than three standard deviations between two estimates."""
COMPARABLE = 4.0
"""Estimates whose errors are within this factor of that of the one taken are part of the spread."""
PLACES = ("substrate", "flake")
MOST_BEYOND = 0.07
"""Part of the pixels that two Gaussian levels may leave unexplained; roughness and bow leave at most about 0.05."""
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
    whole
        The same in the widest window, for the comparison of the models.
    along_lines
        Whether the edge lies along the lines of the scan.
    spreads, judgements
        Model → systematic component of the step height in nm from windows and degrees, and what is wrong with it.
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
    whole: dict[str, "Steps"]
    along_lines: bool
    spreads: dict[str, float]
    judgements: dict[str, Adequacy]
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
    candidates = all_steps(levelled.height, flake, ~outliers, settings.edge_exclusion)
    heights = levelled.height[count]
    edges = np.linspace(heights.min(), heights.max(), settings.histogram_bins + 1)
    first, second = np.triu_indices(len(candidates), 1)

    def estimate(keep: np.ndarray) -> np.ndarray:
        again = level_again(keep)
        two_levels = fit_two_levels(again.height[again.count], flake[again.count], edges)
        steps = np.array([*(each.mean(again.height, keep) for each in candidates.values()), separation(two_levels)])
        differences = [steps[first] - steps[second], steps[:-1] - steps[-1]]
        return np.concatenate([steps, *differences, [*_roughness(again, reach)]])

    length = _roughness_length(surface, levelled)
    reach = max(int(np.ceil(INDEPENDENT * np.nan_to_num(length) / surface.pixel)), 1)
    blocks = np.arange(len(flake)) * settings.batches // len(flake)
    values, errors = jackknife(estimate, blocks)
    errors *= shared_edges(length, np.ptp(surface.y) / settings.batches)
    compared = Compared.of(list(candidates), values, errors, settings.batches - 1)
    chosen = {name: compared.chosen(degree) for name, degree in PROFILE_MODELS.items()}
    step_heights = {name: compared.step(place) for name, (place, _) in chosen.items()}
    step_heights[q.TWO_LEVEL_HISTOGRAM] = float(values[len(candidates)]), float(errors[len(candidates)])
    off, judgement = compared.histogram(compared.best)
    judgements = {name: found for name, (_, found) in chosen.items()} | {q.TWO_LEVEL_HISTOGRAM: judgement}
    histogram = fit_two_levels(heights, flake[count], edges)
    levels = judge_levels(histogram, heights, edges).joined(judge_degrees([found for _, found in chosen.values()]))
    return Flake(
        levelled=levelled,
        blocks=blocks,
        steps={name: candidates[compared.keys[place]] for name, (place, _) in chosen.items()},
        whole={name: candidates[degree, WHOLE] for name, degree in PROFILE_MODELS.items()},
        along_lines=surface.transposed and straight(flake),
        spreads={name: compared.spread(place) for name, (place, _) in chosen.items()} | {q.TWO_LEVEL_HISTOGRAM: off},
        judgements={name: found.joined(levels) for name, found in judgements.items()},
        histogram=histogram,
        edges=edges,
        step_heights=step_heights,
        roughness={
            place: (float(value), float(error))
            for place, value, error in zip(PLACES, values[-2:], errors[-2:], strict=True)
        },
        correlation_length=length,
    )


def straight(flake: np.ndarray) -> bool:
    """Return whether an edge is at one position in nearly all profiles, as that of a jump of the scanner is."""
    changes = np.diff(flake.astype(int), axis=1) != 0
    return bool(np.any(changes.mean(axis=0) > 0.9))


# --- windows and degrees -------------------------------------------------------------------------------------------
Key = tuple[int, int]
"""Degree of the background, and number of the window."""


def all_steps(height: np.ndarray, flake: np.ndarray, good: np.ndarray, edge_exclusion: float) -> dict[Key, "Steps"]:
    """Fit the step with every degree in every window.

    Raises
    ------
    AnalysisError
        If fewer than a quarter of the profiles cross a step.
    """
    found: dict[Key, Steps] = {}
    for number, (gap, end) in enumerate(WINDOWS):
        reach = math.inf if number == WHOLE else end
        used = plateaus(flake, gap * edge_exclusion, reach) & good
        for degree in PROFILE_MODELS.values():
            try:
                found[degree, number] = profile_steps(height, flake, used, degree)
            except AnalysisError:  # too few pixels in a narrow window
                if number == WHOLE:
                    raise
    return found


@dataclass(frozen=True)
class Compared:
    """Step heights of all degrees and windows, and the differences between them.

    Attributes
    ----------
    keys
        Degree and window of each.
    heights, errors
        Step heights and their standard errors in nm, shape (k,).
    differences, their_errors
        Differences between each two in nm, and their standard errors, shape (k, k).
    to_histogram, its_errors
        Differences to the step height of the histogram, and their standard errors, shape (k,).
    most
        Number of standard errors that chance does not exceed.
    alike
        Ratio up to which two standard errors cannot be told apart: a jackknife of few batches knows them roughly.
    """

    keys: list[Key]
    heights: np.ndarray
    errors: np.ndarray
    differences: np.ndarray
    their_errors: np.ndarray
    to_histogram: np.ndarray
    its_errors: np.ndarray
    most: float
    alike: float

    @classmethod
    def of(cls, keys: list[Key], values: np.ndarray, errors: np.ndarray, freedom: int) -> "Compared":
        """Take the numbers of a jackknife apart, see `examine`."""
        k = len(keys)
        pairs = np.triu_indices(k, 1)
        differences, their_errors = np.zeros((2, k, k))
        number = len(pairs[0])
        differences[pairs], their_errors[pairs] = values[k + 1 : k + 1 + number], errors[k + 1 : k + 1 + number]
        last = slice(k + 1 + number, 2 * k + 1 + number)
        most = float(stats.t.isf(CHANCE / 2, freedom))
        symmetric = differences - differences.T, their_errors + their_errors.T
        alike = 1 + 2 / math.sqrt(2 * freedom)
        return cls(keys, values[:k], errors[:k], *symmetric, values[last], errors[last], most, alike)

    def step(self, place: int) -> tuple[float, float]:
        """Return a step height and its standard error in nm.

        The smallest of several estimated errors is too small; the mean square of those that are alike is given.
        """
        own = self.errors[place]
        alike = self.agree(place) & (self.errors >= own) & (self.errors <= self.alike * own)
        return float(self.heights[place]), float(np.sqrt(np.mean(self.errors[alike] ** 2)))

    def agree(self, place: int) -> np.ndarray:
        """Return which others are within the differences that chance makes, shape (k,)."""
        return np.abs(self.differences[place]) <= self.most * self.their_errors[place] + 1e-9 * abs(self.heights[place])

    @property
    def edge_is_no_step(self) -> bool:
        """Whether heights next to the edge differ from those further away: a rim, or the flank of the tip."""
        if (3, BESIDE) not in self.keys or (3, NEAR) not in self.keys:
            return False
        return not self.agree(self.keys.index((3, BESIDE)))[self.keys.index((3, NEAR))]

    @property
    def edge(self) -> Adequacy:
        """What the heights next to the edge say of all step heights; the levels of a histogram hold them too."""
        if not self.edge_is_no_step:
            return ADEQUATE
        words = "misfit: heights near the edge differ from those further away (a rim, a fold or the tip)"
        return Adequacy(Status.MISFIT, 1.0, words)

    @property
    def allowed(self) -> list[int]:
        """Places of the windows that a rim at the edge leaves, from the smallest error to the largest."""
        near = self.edge_is_no_step
        places = [place for place, (_, window) in enumerate(self.keys) if window >= BESIDE or not near]
        return sorted(places, key=lambda place: self.errors[place])

    @property
    def best(self) -> int:
        """Place of the smallest error among those that agree with all of larger errors."""
        allowed = self.allowed
        return next(place for i, place in enumerate(allowed) if self.agree(place)[allowed[i:]].all())

    def chosen(self, degree: int) -> tuple[int, Adequacy]:
        """Return the place of the best window of a degree, and what is wrong with it."""
        wrong, allowed = self.edge, self.allowed
        places = [place for place in allowed if self.keys[place][0] == degree]
        for place in places:
            if self.agree(place)[[*allowed[allowed.index(place) :], self.best]].all():
                return place, wrong
        words = f"misfit: no window agrees with the other degrees within {self.most:.2g} standard errors"
        return places[-1], wrong.joined(Adequacy(Status.MISFIT, 1.0, words))

    def spread(self, place: int) -> float:
        """Return the spread of the step heights that agree and are nearly as certain, in nm.

        It is at least the distance from the best one, with which a window of another degree need not agree closely.
        """
        near = self.agree(place) & (self.errors < COMPARABLE * self.errors[place])
        if self.edge_is_no_step:  # then all of them are possible
            near = self.errors < COMPARABLE * self.errors[place]
        near[place] = False
        off = abs(float(self.differences[place, self.best]))
        if not near.any():
            return off
        weights = 1 / self.errors[near] ** 2
        return max(off, float(np.sqrt(np.average(self.differences[place][near] ** 2, weights=weights))))

    def histogram(self, place: int) -> tuple[float, Adequacy]:
        """Return how far the histogram is from the best profiles in nm, and whether by more than chance."""
        off, error = float(self.to_histogram[place]), float(self.its_errors[place])
        if abs(off) <= self.most * error:
            return abs(off), self.edge
        words = f"misfit: the levels differ from the step of the profiles by {abs(off) / error:.2g} standard errors"
        return abs(off), self.edge.joined(Adequacy(Status.MISFIT, 1.0, words))


# --- step heights --------------------------------------------------------------------------------------------------
def plateaus(flake: np.ndarray, exclusion: float, end: float = math.inf) -> np.ndarray:
    """Mark the pixels of each profile that are in a window around its edges.

    At an edge, pixels within ``exclusion`` times the shorter of the two adjoining plateaus are left out (at least
    `EDGE_PIXELS`), and so are pixels further away than ``end`` times that plateau.
    """
    used = np.zeros(flake.shape, bool)
    position = np.arange(flake.shape[1])
    for line, row in zip(used, flake, strict=True):
        bounds = np.flatnonzero(np.diff(row)) + 1
        widths = np.diff([0, *bounds, len(row)])
        left_out = np.zeros(len(row), bool)
        for bound, shorter in zip(bounds, np.minimum(widths[:-1], widths[1:]), strict=True):
            distance = np.where(position >= bound, position - bound, bound - 1 - position)
            line |= distance < end * shorter
            left_out |= distance < max(shorter * exclusion, EDGE_PIXELS)
        line &= ~left_out
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
        return (
            f"step on a polynomial of degree {self.degree} in each profile, {self.pixels / self.number:.0f} pixels each"
        )

    def mean(self, height: np.ndarray, keep: np.ndarray) -> float:
        """Return the mean step height in nm of the profiles to keep, from an image that may be levelled again."""
        kept = keep & np.isfinite(self.heights)
        return float(np.sum(self.weights[kept] * height[kept]) / kept.sum())

    def aicc(self, correlation: float) -> float:
        """Return Akaike's criterion where one of ``correlation`` pixels is independent."""
        k, n = (self.degree + 2) * self.number + 1, self.pixels / correlation
        return aicc(n * np.log(self.sum_of_squares / self.pixels), k, n)


def profile_steps(height: np.ndarray, flake: np.ndarray, used: np.ndarray, degree: int) -> Steps:
    """Fit ``polynomial(x) + h·δ(x)`` to every profile, δ = 1 on the flake.

    Raises
    ------
    AnalysisError
        If fewer than a quarter of the profiles cross a step.
    """
    crossing = np.minimum(np.sum(flake & used, axis=1), np.sum(~flake & used, axis=1)) > degree + 2
    if crossing.sum() < len(flake) / 4:
        raise AnalysisError(f"only {crossing.sum()} of {len(flake)} profiles cross a step")
    used = used & crossing[:, None]
    position = np.arange(flake.shape[1])
    first, last = np.argmax(used, axis=1), flake.shape[1] - 1 - np.argmax(used[:, ::-1], axis=1)
    scaled = 2 * (position - first[:, None]) / np.maximum(last - first, 1)[:, None] - 1
    design = np.concatenate([chebyshev.chebvander(scaled, degree), flake[:, :, None]], axis=2) * used[:, :, None]
    products = np.einsum("ipj,ipk->ijk", design, design)
    inverse = np.linalg.pinv(products, hermitian=True)
    weights = np.einsum("ik,ipk->ip", inverse[:, -1], design)
    coefficients = np.einsum("ijk,ipk,ip->ij", inverse, design, height, optimize=True)
    residuals = np.where(used, height - np.einsum("ipk,ik->ip", design, coefficients), 0.0)
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


def judge_degrees(judgements: list[Adequacy]) -> Adequacy:
    """Judge the background by the judgements of its degrees: a single one that is left is confirmed by no other."""
    if sum(found.status == Status.OK for found in judgements) != 1:
        return ADEQUATE
    return Adequacy(Status.MISFIT, 1.0, "misfit: the step heights of only one degree of the background agree")


def judge_levels(fitted: Fit, heights: np.ndarray, edges: np.ndarray) -> Adequacy:
    """Judge whether an image of these heights (nm) has two levels, by the pixels that two Gaussians leave unexplained.

    Where more pixels lie elsewhere, the step between flake and substrate is not the only one.
    """
    counts = np.histogram(heights, edges)[0]
    levels = sum(level_components(fitted.params, (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]))
    beyond = float(np.abs(counts - levels).sum()) / 2 / len(heights)
    if beyond <= MOST_BEYOND:
        return ADEQUATE
    words = f"misfit: {beyond:.0%} of the pixels lie on neither of two levels (a further step, particles or a bow)"
    return Adequacy(Status.MISFIT, 1.0, words)


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
