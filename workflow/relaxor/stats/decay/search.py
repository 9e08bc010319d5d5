"""The best shape of a law, with simultaneous searches from points of a grid (variable projection)."""

from dataclasses import replace

import numpy as np

from relaxor.stats.decay.laws import Decay, shapes_of

STARTS = 12
"""Number of points of the grid, each the best of its first time constant, at which searches start."""
FIRST_STEPS, FINALISTS = 8, 3
"""Number of steps after which only the best points are continued, and the number of these points."""
REFINEMENTS = 60
"""Largest number of steps of a search."""
SETTLED = 1e-5
"""Smallest relative gain of chi-square that a step must predict for the search to continue."""
STUCK = 1e6
"""Damping above which a search counts as stuck."""


def best_fit(decay: Decay, fewer: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return shape and linear parameters at the global minimum, from the best points of the grid.

    For data that are much more precise than the grid, the misfit of the grid dominates. The best shape of one
    exponential fewer, with one more of any time constant, therefore also gives starts.
    """
    chi_square = decay.grid_chi_square
    columns = [np.flatnonzero(decay.grid[:, 0] == first) for first in np.unique(decay.grid[:, 0])]
    lowest = np.array([column[np.argmin(chi_square[column])] for column in columns])
    starts = decay.grid[lowest[np.argsort(chi_square[lowest])[:STARTS]]]
    if decay.law.terms > 1:
        simpler = replace(decay, law=replace(decay.law, terms=decay.law.terms - 1))
        known = simpler.law.log_taus(best_fit(simpler)[0] if fewer is None else fewer)
        extended = shapes_of(np.sort([np.append(known, another) for another in np.unique(decay.grid[:, 0])]))
        residual = _project(decay, extended, np.tile(decay.target, (len(extended), 1)))[1]
        starts = np.concatenate([starts, extended[np.argsort(np.sum(residual**2, axis=-1))[:STARTS]]])
    for steps, kept in ((FIRST_STEPS, FINALISTS), (REFINEMENTS, 1)):
        targets = np.tile(decay.target, (len(starts), 1))
        starts, linear, residual = refine(decay, starts, targets, decay.limits, steps)
        best = np.argsort(np.sum(residual**2, axis=-1))[:kept]
        starts, linear = starts[best], linear[best]
    return starts[0], linear[0]


def refine(
    decay: Decay, shapes: np.ndarray, targets: np.ndarray, limits: np.ndarray, steps: int = REFINEMENTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimize chi-square from many starts at once: Levenberg–Marquardt on the projected residual.

    Derivatives are analytic, with Kaufman's approximation (doi 10.1007/BF01932995).

    Parameters
    ----------
    shapes, targets
        Starts, shape (b, q), and the target of each fit, shape (b, n).
    limits
        Lowest and highest shape, (2, q) or (2, b, q); where they are equal, that number is held.
    steps
        Largest number of steps.

    Returns
    -------
    shapes, linear, residual
        Shapes (b, q), (b, m) and (b, n).
    """
    low, high = limits
    shapes = np.clip(shapes, low, high)
    linear, residual, slope = _project(decay, shapes, targets)
    chi_square = np.sum(residual**2, axis=-1)
    identity = np.eye(shapes.shape[-1])
    damping = np.full(len(shapes), 1e-3)
    for _ in range(steps):
        gradient = (residual[:, None] @ slope)[:, 0]
        free = ((shapes > low) | (gradient < 0)) & ((shapes < high) | (gradient > 0)) & (low < high)
        gradient, slope = gradient * free, slope * free[:, None]
        curvature = np.swapaxes(slope, -1, -2) @ slope
        scale = np.einsum("bqq->bq", curvature)
        ridge = damping[:, None] * scale + 1e-12 * scale.max(axis=-1, keepdims=True) + 1e-300
        step = np.linalg.solve(curvature + ridge[..., None] * identity, gradient[..., None])[..., 0]
        trial = np.clip(shapes - step, low, high)
        promised = np.sum((shapes - trial) * gradient, axis=-1)
        if np.all((promised <= SETTLED * chi_square) | (damping > STUCK)):
            break
        found = _project(decay, trial, targets)
        reached = np.sum(found[1] ** 2, axis=-1)
        better = reached < chi_square
        chi_square = np.where(better, reached, chi_square)
        shapes, linear, residual = (
            np.where(better[:, None], new, old)
            for new, old in zip((trial, *found[:2]), (shapes, linear, residual), strict=True)
        )
        slope = np.where(better[:, None, None], found[2], slope)
        damping = np.clip(np.where(better, damping / 8, damping * 4), 1e-9, 2 * STUCK)
    return shapes, linear, residual


def _project(decay: Decay, shapes: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit the linear parameters; return them (b, m), the residual (b, n), its derivative by the shape (b, n, q)."""
    basis, slopes = decay.basis_and_slopes(shapes)
    base, triangle = np.linalg.qr(basis)
    inverse = decay.inverse(triangle) @ np.swapaxes(base, -1, -2)
    linear = (inverse @ targets[..., None])[..., 0]
    residual = targets - (basis @ linear[..., None])[..., 0]
    moved = np.einsum("bntq,bt->bnq", slopes, linear[:, -decay.law.terms :])
    return linear, residual, basis @ (inverse @ moved) - moved
