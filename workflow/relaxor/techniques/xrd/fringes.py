"""Thickness fringes of an epitaxial film: told from lines, and the thickness from their period.

Waves from the top and the bottom of a film of thickness t interfere, so that the intensity beside a strong line rises
and falls with a period of 2π/t in Q = 4π sin θ/λ (Laue oscillations, kinematical theory of a film between two parallel
faces). Fringes are sinusoidal, equally spaced, and decay with the distance from the line; lines are not.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import signal

from relaxor.core.results import Number, Status, measured
from relaxor.techniques.xrd import quantities as q
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.settings import XrdSettings

LEAST_FRINGES = 4
"""Smallest number of maxima on one side of the strong lines that may be fringes."""
WEAK = 0.02
"""Largest height of a fringe over that of the strongest line."""
STRONG = 0.05
"""Least height of a line that is no fringe, over that of the strongest line."""
GUARD = 5.0
"""Distance from a strong line, in widths of a line, within which the line is higher than its fringes."""
REACH = 80.0
"""Distance from a strong line, in widths of a line, within which fringes are looked for."""
DECAY = 2.0
"""Least ratio of the heights of the nearest and the farthest fringe."""
LEAST_POWER = 25.0
"""Least power of the period over that of noise, which noise exceeds with a probability of e⁻²⁵ at each frequency."""
SINUSOIDAL = 0.35
"""Least share of what the counts deviate from their envelope that one sine explains; a comb of lines stays below."""
LEAST_PERIODS = 3
"""Smallest number of periods that a side must hold."""
MOST_PERIODS = 100
"""Largest number of periods that are looked for on a side."""
DEGREES = (3, 4, 5)
"""Degrees of the polynomials that describe the logarithm of the envelope of the fringes."""
PHASE = 0.35
"""Assumed change (rad) of the phase between both waves over a side, on which the period depends besides thickness."""
CLEAN = 0.03
"""Largest dependence of the thickness on envelope and phase, relative, at which fringes count as those of one film."""
METHOD = "period in Q of the fringes beside the strong lines, maximum of the periodogram of the relative counts"


@dataclass(frozen=True)
class Fringes:
    """Fringes of a film.

    Attributes
    ----------
    positions
        Places of the maxima (degree) that are fringes.
    thickness, error, spread
        Thickness of the film (angstrom), its standard error by counting, and how it depends on envelope and phase.
    """

    positions: np.ndarray
    thickness: float
    error: float
    spread: float

    def numbers(self, pattern: Pattern) -> list[Number]:
        """Return the row of the thickness; its method names the maxima that are not fitted as lines."""
        places = ", ".join(f"{place:.3f}" for place in self.positions)
        method = f"{METHOD}; maxima at {places} degree are fringes and not fitted as lines"
        values = {q.FILM_THICKNESS: (self.thickness / 10, self.error / 10)}
        found = measured(pattern.measurement, q.FRINGES, values, method, n=len(self.positions))
        rows = [
            row.with_component(q.ENVELOPE, self.spread / 10, f"polynomials of degree {DEGREES}, phase {PHASE} rad")
            for row in found
        ]
        if self.spread <= CLEAN * self.thickness:
            return rows
        reason = "not identified: the period depends on the envelope, as that of several films does"
        return [row.flagged(Status.NOT_IDENTIFIED, reason) for row in rows]


def find_fringes(pattern: Pattern, positions: np.ndarray, settings: XrdSettings) -> Fringes | None:
    """Tell the maxima that are fringes of a film from lines.

    Parameters
    ----------
    pattern
        The scan.
    positions
        Maxima that `relaxor.techniques.xrd.lines.find_lines` found (degree, ascending).
    settings
        Give the width of a line.

    Returns
    -------
    Fringes or None
        None if there are none.
    """
    if len(positions) <= LEAST_FRINGES:
        return None
    width, height = settings.peak_width, np.interp(positions, pattern.two_theta, pattern.intensity)
    strong = positions[height > STRONG * height.max()]
    weak = (height < WEAK * height.max()) & (np.abs(positions[:, None] - strong).min(axis=1) < REACH * width)
    sides = [(weak & (positions > strong[-1]), strong[-1]), (weak & (positions < strong[0]), strong[0])]
    found = [
        each for chosen, edge in sides if (each := _of_side(pattern, positions[chosen], height[chosen], edge, width))
    ]
    if not found:
        return None
    thickness, error, spread = min(found, key=lambda one: one[1] + one[2])
    return Fringes(positions[weak], thickness, error, spread)


def _of_side(
    pattern: Pattern, maxima: np.ndarray, height: np.ndarray, edge: float, width: float
) -> tuple[float, float, float] | None:
    """Return thickness, error and spread (angstrom) from the maxima on one side of a line at ``edge``."""
    if len(maxima) < LEAST_FRINGES:
        return None
    order = np.argsort(np.abs(maxima - edge))
    if height[order[0]] < DECAY * height[order[-1]]:
        return None
    outer = maxima[order[-1]] + np.sign(maxima[0] - edge) * float(np.median(np.diff(maxima))) / 2
    near, far = sorted((edge + np.sign(maxima[0] - edge) * GUARD * width, outer))
    inside = (pattern.two_theta >= near) & (pattern.two_theta <= far)
    if inside.sum() < 4 * LEAST_FRINGES * LEAST_PERIODS:
        return None
    vector = 4 * np.pi * np.sin(np.radians(pattern.two_theta[inside] / 2)) / pattern.tube.alpha1
    each = [_period(vector, pattern.counts[inside], pattern.exposure[inside], degree) for degree in DEGREES]
    known = np.array([one for one in each if one is not None])
    if len(known) < len(DEGREES):
        return None
    spread = math.hypot(float(known[:, 0].std(ddof=1)), PHASE / float(np.ptp(vector)))
    return float(known[:, 0].mean()), float(known[:, 1].mean()), spread


def _period(vector: np.ndarray, counts: np.ndarray, exposure: np.ndarray, degree: int) -> tuple[float, float] | None:
    """Return thickness and standard error of the strongest period, None if the counts have none that is sinusoidal."""
    level = _envelope(vector, counts, exposure, degree)
    residual = (counts - level) / level
    longest = np.pi / float(np.max(np.diff(vector)))
    span = float(np.ptp(vector))
    thickness = np.arange(LEAST_PERIODS * 2 * np.pi / span, min(longest, MOST_PERIODS * 2 * np.pi / span), 0.4 / span)

    def power(each: np.ndarray) -> np.ndarray:
        waves = np.exp(1j * np.multiply.outer(each, vector - vector.mean()))
        return np.abs(waves @ (level * residual)) ** 2 / level.sum()

    powers = power(thickness)
    peaks, _ = signal.find_peaks(powers)
    if not peaks.size:
        return None
    best = peaks[np.argmax(powers[peaks])]
    excess = float(level @ residual**2) - counts.size
    if powers[best] < LEAST_POWER or 2 * powers[best] < SINUSOIDAL * excess:
        return None
    # Near its maximum, the power is the logarithm of the likelihood; what the sine does not explain widens the error.
    before, middle, after = powers[best - 1 : best + 2]
    curvature = before - 2 * middle + after
    step = float(thickness[1] - thickness[0])
    left = max(float(level @ residual**2) - 2 * middle, counts.size) / counts.size
    place = float(thickness[best]) + 0.5 * step * float(before - after) / float(curvature)
    return place, step * math.sqrt(left / -curvature)


def _envelope(vector: np.ndarray, counts: np.ndarray, exposure: np.ndarray, degree: int) -> np.ndarray:
    """Return a Poisson fit to the counts whose logarithm is a polynomial."""
    place = 2 * (vector - vector.mean()) / np.ptp(vector)
    base = np.polynomial.chebyshev.chebvander(place, degree)
    logarithm = np.full(vector.size, math.log(max(counts.mean(), 1e-3)))
    for _ in range(50):
        level = np.exp(np.clip(logarithm, -12, 25))
        root = np.sqrt(level)
        target = logarithm - np.log(exposure) + (counts - level) / level
        fitted = base @ np.linalg.lstsq(base * root[:, None], target * root, rcond=None)[0] + np.log(exposure)
        if np.max(np.abs(fitted - logarithm)) < 1e-8:
            break
        logarithm = fitted
    return np.exp(np.clip(logarithm, -12, 25))
