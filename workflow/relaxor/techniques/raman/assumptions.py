"""What a fit of lines takes as known: the degree of the baseline, and the response of the instrument.

A fluorescence of several bands is no polynomial of low degree, and what the polynomial leaves is hidden in the noise.
How far the numbers move if an assumption is another one is one step of Gauss and Newton from the fit, in which all
parameters give way.
"""

from dataclasses import replace

import numpy as np

from relaxor.techniques.raman.lines import baseline_basis
from relaxor.techniques.raman.misfit import CLEARLY, Points, Solved

MORE_DEGREES, MOST_TIMES = 3, 3
"""Polynomials that a baseline may need beyond its degree, and how often so many are added."""
SLOW = 2.5
"""Widths of the widest line over which a polynomial of the baseline is slow; a faster one is the wing of a line."""


def with_higher_baseline(solved: Solved, points: Points) -> Solved:
    """Add polynomials to the baseline as long as Akaike's criterion falls clearly."""
    for _ in range(MOST_TIMES):
        further = _further(solved)
        if not solved.fit.converged or further is None:
            return solved
        columns = np.hstack([_columns(solved)[1], further])
        left = solved.fit.residual - _projected(columns, solved.fit.residual)
        if solved.fit.chi_square - float(left @ left) < CLEARLY + 2 * MORE_DEGREES:
            return solved
        points = replace(points, degree=points.degree + MORE_DEGREES)
        higher = points.fitted(solved.fit.params, solved.model.lines)
        if higher.criterion > solved.criterion - CLEARLY:
            return solved
        solved = higher
    return solved


def of_baseline(solved: Solved) -> dict[str, float]:
    """Return by how much each free parameter moves if the baseline has `MORE_DEGREES` further polynomials.

    Nothing moves where the polynomials would follow the wings of the lines instead.
    """
    further = _further(solved)
    return {} if further is None else _step(solved, -solved.fit.residual, further)


def of_response(solved: Solved, relative: float) -> dict[str, float]:
    """Return by how much each free parameter moves if the response is wider by a relative standard uncertainty."""
    model, params = solved.model, solved.fit.params
    wider = replace(model, gaussian_fwhm=model.gaussian_fwhm * (1 + relative))
    return _step(solved, (model.total(params) - wider.total(params)) / solved.sigma, np.empty((solved.sigma.size, 0)))


def _further(solved: Solved) -> np.ndarray | None:
    """Return further polynomials in standard deviations, shape (n, MORE_DEGREES); nothing if they are not slow."""
    shift, degree = solved.model.shift, solved.model.degree + MORE_DEGREES
    widest = max((solved.fit.value(f"{name}_fwhm") for name in solved.model.lines), default=0.0)
    if np.ptp(shift) / degree < SLOW * widest:
        return None
    return np.asarray(baseline_basis(shift, degree)[:, -MORE_DEGREES:] / solved.sigma[:, None])


def _columns(solved: Solved) -> tuple[list[str], np.ndarray]:
    """Return the free parameters of a fit, and the derivatives of the residuals, shape (n, free)."""
    fitted = solved.fit
    free = [name in fitted.names and name not in fitted.held for name in fitted.params]
    names = [name for name, is_free in zip(fitted.params, free, strict=True) if is_free]
    return names, solved.model.jacobian(fitted.params, solved.sigma, solved.sigma)[:, free]


def _projected(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the part of a target that columns span."""
    basis = np.linalg.qr(columns)[0]
    return np.asarray(basis @ (basis.T @ target))


def _step(solved: Solved, target: np.ndarray, further: np.ndarray) -> dict[str, float]:
    """Return the step of each free parameter, with further columns beside them, that changes the model by a target."""
    names, columns = _columns(solved)
    columns = np.hstack([columns, further])
    scale = np.linalg.norm(columns, axis=0)
    if not solved.fit.converged or not (scale > 0).all():
        return {}
    steps = np.linalg.lstsq(columns / scale, target, rcond=None)[0] / scale
    return dict(zip(names, steps[: len(names)].tolist(), strict=True))
