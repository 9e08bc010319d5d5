"""Relaxation laws: sums of exponentials and the stretched exponential, above a floor that is free or known.

Sums of exponentials are the classic ill-conditioned fit: the covariance misleads and a search from a guess finds a
side valley. Three things keep the numbers honest. Amplitudes and floor are linear, so they are projected out
(variable projection; Golub & Pereyra, doi 10.1137/0710036), and what is left is searched on a grid of time constants
first. Intervals come from the profile likelihood in the logarithm of the time constants. A parametric bootstrap stands
beside them. All ends of all intervals, and all replicates, are searched at once: each is a row of the same arrays.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product

import lmfit
import numpy as np
from scipy.special import expit, xlogy

from relaxor.fitting import Fit, combination, crossings, parameters, profile_rise, sharpened

GRID_A_DECADE = {1: 6, 2: 6, 3: 3}
"""Time constants of the grid a decade, by the number of exponentials; a grid of three has the cube of them."""
STARTS = 12
"""Places of the grid, each the best of its first time constant, from which the best fit is searched."""
BETA_GRID = np.geomspace(0.15, 2.5, 14)
BETA_RANGE = (0.05, 5.0)
LARGEST_TAU = 100.0
"""Largest time constant looked at, in lengths of the measured range: beyond it a decay is a straight line."""
SMALLEST_TAU = 0.1
"""Smallest time constant, in distances of neighbouring points: below it one point alone sees the decay."""
DEEPEST_DECAY = 30.0
"""Nor is it smaller than this part of the first x: amplitudes are those at x = 0, e^30 above the data is no number."""
SMALLEST_GAP = 0.1
"""Least relative distance of neighbouring time constants; closer ones are the limit (1 + b x) exp(−x/τ)."""
NOTHING = 1e-14
"""A decay of which no more is left in the data than this, beyond what the columns before it span, adds nothing."""
NO_PART = 1e100
"""Length that such a column is given: the number that goes with it is nothing then."""
TIE = 1e3
"""Weight of a tie, in weights of all data together: a hundred times stiffer than any interval is exact."""
FIRST_STEPS, FINALISTS = 8, 3
"""Steps after which only the best places are searched on, and how many."""
REFINEMENTS = 60
"""Most steps of a search."""
SETTLED = 1e-5
"""Part of chi-square that a step must promise to gain, or the search ends."""
STUCK = 1e6
"""Damping from which on a search counts as stuck."""
REPLICATES = 200
SEED = 20250
Anchor = int | np.ndarray


@dataclass(frozen=True)
class Law:
    """A law of relaxation: y = floor + slope x + Σ amplitude_k exp(−(x / tau_k)^beta), tau_1 < tau_2 < ….

    What is varied are ``log_tau``, the logarithm of one time constant (the anchor, by default the first), ``log_gap_k``
    = ln(tau_k / tau_(k−1) − 1) for the others, and ``log_beta`` where the law is stretched.

    Attributes
    ----------
    name
        Name of the law in tables.
    terms
        Number of exponentials.
    stretched
        Whether beta is free; else it is 1.
    drift
        Whether there is a slope, which is what a decay much longer than the data looks like.
    """

    name: str
    terms: int = 1
    stretched: bool = False
    drift: bool = False

    @property
    def amplitudes(self) -> tuple[str, ...]:
        """Names of the amplitudes."""
        return _numbered("amplitude", self.terms)

    @property
    def taus(self) -> tuple[str, ...]:
        """Names of the time constants."""
        return _numbered("tau", self.terms)

    @property
    def shape(self) -> tuple[str, ...]:
        """Names of the q parameters that are not linear."""
        gaps = [f"log_gap_{k}" for k in range(2, self.terms + 1)]
        return ("log_tau", *gaps, *(["log_beta"] if self.stretched else []))

    def log_taus(self, shape: np.ndarray, anchor: Anchor = 0) -> np.ndarray:
        """Return the logarithms of the time constants of shapes (..., q), shape (..., terms)."""
        if self.terms == 1:
            return shape[..., :1]
        steps = np.cumsum(np.logaddexp(0.0, shape[..., 1 : self.terms]), axis=-1)
        steps = np.concatenate([np.zeros_like(shape[..., :1]), steps], axis=-1)
        at = np.broadcast_to(anchor, shape.shape[:-1])[..., None]
        return shape[..., :1] + steps - np.take_along_axis(steps, at, axis=-1)

    def decays(self, x: np.ndarray, shape: np.ndarray, anchor: Anchor = 0) -> np.ndarray:
        """Return the decays of unit amplitude, shape (..., n, terms)."""
        return np.exp(-self._exponents(x, shape, anchor))

    def decays_and_slopes(self, x: np.ndarray, shape: np.ndarray, anchor: Anchor = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return the decays, and their derivatives by the shape, shape (..., n, terms, q)."""
        exponent = self._exponents(x, shape, anchor)
        decay = np.exp(-exponent)
        if self.stretched:
            beta = np.exp(shape[..., None, None, 1])
            return decay, np.stack([beta * exponent * decay, -xlogy(exponent, exponent) * decay], axis=-1)
        slope = (exponent * decay)[..., None]
        if self.terms == 1:
            return decay, slope
        behind = (np.arange(self.terms)[:, None] > np.arange(self.terms - 1)) * 1.0
        by_gap = (behind - behind[anchor][..., None, :]) * expit(shape[..., None, 1:])
        by_shape = np.concatenate([np.ones_like(by_gap[..., :1]), by_gap], axis=-1)
        return decay, slope * by_shape[..., None, :, :]

    def _exponents(self, x: np.ndarray, shape: np.ndarray, anchor: Anchor) -> np.ndarray:
        ratio = x[:, None] * np.exp(-self.log_taus(shape, anchor))[..., None, :]
        return ratio ** np.exp(shape[..., None, None, 1]) if self.stretched else ratio


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}_{k}" for k in range(1, count + 1))


SINGLE = Law("single_exponential")
DOUBLE = Law("double_exponential", terms=2)
TRIPLE = Law("triple_exponential", terms=3)
DRIFTING = Law("double_exponential_drift", terms=2, drift=True)
STRETCHED = Law("stretched_exponential", stretched=True)


@dataclass(frozen=True)
class Decay:
    """A law and the data it is fitted to.

    Attributes
    ----------
    law
        The law.
    x, y
        Shape (n,); x not negative.
    sigma
        Standard uncertainty of y, one number or shape (n,); None where it is estimated from the scatter.
    floor
        Known value at large x; None where it is fitted.
    spread
        Standard deviation of the x over which each y is a mean, shape (n,); None where each is taken at its x. The mean
        of an exponential is not that at the mean x.
    anchor
        Which time constant ``log_tau`` is; one for all shapes, or one for each, shape (b,).
    pin
        Linear parameters that are tied to a value, which is the last number of the target then: for each of b shapes
        one of m is 1, or none, shape (b, m).
    """

    law: Law
    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray | float | None = None
    floor: float | None = None
    spread: np.ndarray | None = None
    anchor: Anchor = 0
    pin: np.ndarray | None = None

    @property
    def model(self) -> str:
        """Name of the law and its floor in tables."""
        return self.law.name if self.floor is None else f"{self.law.name}_fixed_floor"

    @property
    def linear(self) -> tuple[str, ...]:
        """Names of the m linear parameters that are fitted."""
        return (
            *(["floor"] if self.floor is None else []),
            *(["slope"] if self.law.drift else []),
            *self.law.amplitudes,
        )

    @property
    def quoted(self) -> tuple[str, ...]:
        """Names of the parameters that are quoted: linear ones, time constants, beta."""
        return (*self.linear, *self.law.taus, *(["beta"] if self.law.stretched else []))

    @property
    def size(self) -> int:
        """Number of parameters that are fitted."""
        return len(self.linear) + len(self.law.shape)

    @cached_property
    def weight(self) -> np.ndarray:
        """1 / sigma, shape (n,)."""
        return np.broadcast_to(1.0 if self.sigma is None else 1 / np.asarray(self.sigma), self.x.shape)

    @cached_property
    def target(self) -> np.ndarray:
        """Data above the known floor, weighted, shape (n,)."""
        return (self.y - (self.floor or 0.0)) * self.weight

    @cached_property
    def limits(self) -> np.ndarray:
        """Lowest and highest value of each shape parameter, shape (2, q)."""
        low = max(SMALLEST_TAU * np.diff(np.unique(self.x)).min(), self.x.min() / DEEPEST_DECAY)
        high = LARGEST_TAU * np.ptp(self.x)
        gaps = [(SMALLEST_GAP, high / low)] * (self.law.terms - 1)
        return np.log([(low, high), *gaps, *([BETA_RANGE] if self.law.stretched else [])]).T

    @cached_property
    def tie(self) -> float:
        """Weight of the row that ties a linear parameter."""
        return TIE * float(np.linalg.norm(self.weight))

    def basis(self, shape: np.ndarray) -> np.ndarray:
        """Return the weighted columns of the linear parameters, shape (..., n, m)."""
        return self._columns(self._mean(self.law.decays(self._nodes, shape, self.anchor)))

    def basis_and_slopes(self, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the basis, and the weighted derivatives of the decays by the shape, shape (..., n, terms, q)."""
        decays, slopes = self.law.decays_and_slopes(self._nodes, shape, self.anchor)
        slopes = self._mean(slopes.reshape(*decays.shape[:-1], -1)) * self.weight[:, None]
        slopes = slopes.reshape(*slopes.shape[:-1], self.law.terms, -1)
        if self.pin is not None:
            slopes = np.concatenate([slopes, np.zeros_like(slopes[..., :1, :, :])], axis=-3)
        return self._columns(self._mean(decays)), slopes

    @cached_property
    def _nodes(self) -> np.ndarray:
        """Where the decays are taken: two Gauss–Legendre points a mean, exact to the third power of its length."""
        if self.spread is None:
            return self.x
        return np.concatenate([self.x - self.spread, self.x + self.spread])

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """Average over the nodes of each point, shape (..., nodes, k) → (..., n, k)."""
        if self.spread is None:
            return values
        return (values[..., : self.x.size, :] + values[..., self.x.size :, :]) / 2

    def _columns(self, decays: np.ndarray) -> np.ndarray:
        size = self.x.size
        columns = np.empty((*decays.shape[:-2], size + (self.pin is not None), len(self.linear)))
        columns[..., :size, 0] = self.weight
        if self.law.drift:
            columns[..., :size, -self.law.terms - 1] = self.x * self.weight
        columns[..., :size, -self.law.terms :] = decays * self.weight[:, None]
        if self.pin is not None:
            columns[..., size, :] = self.tie * self.pin
        return columns

    def inverse(self, triangle: np.ndarray) -> np.ndarray:
        """Invert triangles of bases (..., m, m); a column that adds nothing to those before it gets no part."""
        length = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
        nothing = length <= NOTHING * np.linalg.norm(self.weight)
        return np.linalg.inv(triangle + NO_PART * nothing[..., None] * np.eye(length.shape[-1]))

    @cached_property
    def grid(self) -> np.ndarray:
        """Shapes that cover all that the data can see, shape (g, q)."""
        low, high = self.limits[:, 0]
        taus = np.linspace(low, high, math.ceil(GRID_A_DECADE[self.law.terms] * (high - low) / math.log(10)))
        if self.law.stretched:
            return np.array(list(product(taus, np.log(BETA_GRID))))
        return _shapes(np.array(list(combinations(taus, self.law.terms))))

    @cached_property
    def grid_base(self) -> tuple[np.ndarray, np.ndarray]:
        """Orthonormal columns that span the basis at each shape of the grid, (g, n, m), and their inverse triangle."""
        base, triangle = np.linalg.qr(self.basis(self.grid))
        inverse = self.inverse(triangle)
        spans = np.abs(np.diagonal(inverse, axis1=-2, axis2=-1)) > 1 / math.sqrt(NO_PART)
        return base * spans[:, None], inverse

    @cached_property
    def grid_chi_square(self) -> np.ndarray:
        """Least chi-square at each shape of the grid, shape (g,)."""
        return _chi_square(self.grid_base[0], self.target[None])[:, 0]

    def curve(self, fitted: Fit, x: np.ndarray) -> np.ndarray:
        """Return the fitted law at x."""
        shape = np.array([fitted.value(name) for name in self.law.shape])
        amplitudes = [fitted.value(name) for name in self.law.amplitudes]
        slope = fitted.value("slope") if self.law.drift else 0.0
        return fitted.value("floor") + slope * x + self.law.decays(x, shape) @ amplitudes

    def expected(self, fitted: Fit) -> np.ndarray:
        """Return the fitted law as the data have it, means as means, shape (n,)."""
        linear = np.array([fitted.value(name) for name in self.linear])
        shape = np.array([fitted.value(name) for name in self.law.shape])
        return self.basis(shape) @ linear / self.weight + (self.floor or 0.0)


# --- fit
def fit_decay(decay: Decay, fewer: Fit | None = None) -> Fit:
    """Fit a law of relaxation; no start values are needed.

    Parameters
    ----------
    decay
        The law and the data.
    fewer
        Fit of the law with one exponential fewer, where there is one already.

    Returns
    -------
    Fit
        ``floor`` (fixed where it is known), ``amplitude``, ``tau`` (numbered where there are several, tau
        ascending), ``beta`` where the law is stretched, and the `Law.shape` behind them.

    Raises
    ------
    ValueError
        If there are fewer points than parameters.
    """
    law = decay.law
    shape, linear = _minimum(decay, _values(fewer.params, law.shape[: law.terms - 1]) if fewer else None)
    values = dict(zip(decay.linear, linear, strict=True))
    params = parameters(floor=values.get("floor", {"value": decay.floor, "vary": False}))
    for name in decay.linear[-law.terms - law.drift :]:
        params.add(name, value=values[name])
    for name, value, low, high in zip(law.shape, shape, *decay.limits, strict=True):
        params.add(name, value=value, min=low, max=high)

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return decay.basis(_values(trial, law.shape)) @ _values(trial, decay.linear) - decay.target

    def jacobian(trial: lmfit.Parameters) -> np.ndarray:
        basis, slopes = decay.basis_and_slopes(_values(trial, law.shape))
        return np.column_stack([basis, np.einsum("ntq,t->nq", slopes, _values(trial, law.amplitudes))])

    fitted = sharpened(residual, params, absolute_sigma=decay.sigma is not None, jacobian=jacobian)
    _add_taus(law, fitted)
    return fitted


def _add_taus(law: Law, fitted: Fit) -> None:
    """Add time constants and beta with their standard errors (delta method); lmfit's expressions cost a search."""
    shape = _values(fitted.params, law.shape)
    slopes = {name: float(expit(gap)) for name, gap in zip(law.shape[1 : law.terms], shape[1:], strict=False)}
    gradients = [{"log_tau": 1.0} | dict(list(slopes.items())[:k]) for k in range(law.terms)]
    logarithms = dict(zip(law.taus, zip(law.log_taus(shape), gradients, strict=True), strict=True))
    if law.stretched:
        logarithms["beta"] = shape[1], {"log_beta": 1.0}
    for name, (logarithm, gradient) in logarithms.items():
        fitted.params.add(name, value=math.exp(logarithm), vary=False)
        fitted.params[name].stderr = fitted.params[name].value * combination(fitted, gradient)


def _values(params: lmfit.Parameters, names: tuple[str, ...]) -> np.ndarray:
    return np.array([params[name].value for name in names])


def _minimum(decay: Decay, fewer: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return shape and linear parameters at the global minimum, from the best places of the grid.

    Data much more precise than the grid is fine show only its misfit there: the best shape of one exponential fewer
    and one more of any time constant are starts as well.
    """
    chi_square = decay.grid_chi_square
    columns = [np.flatnonzero(decay.grid[:, 0] == first) for first in np.unique(decay.grid[:, 0])]
    lowest = np.array([column[np.argmin(chi_square[column])] for column in columns])
    starts = decay.grid[lowest[np.argsort(chi_square[lowest])[:STARTS]]]
    if decay.law.terms > 1:
        simpler = replace(decay, law=replace(decay.law, terms=decay.law.terms - 1))
        known = simpler.law.log_taus(_minimum(simpler)[0] if fewer is None else fewer)
        extended = _shapes(np.sort([np.append(known, another) for another in np.unique(decay.grid[:, 0])]))
        residual = _project(decay, extended, np.tile(decay.target, (len(extended), 1)))[1]
        starts = np.concatenate([starts, extended[np.argsort(np.sum(residual**2, axis=-1))[:STARTS]]])
    for steps, kept in ((FIRST_STEPS, FINALISTS), (REFINEMENTS, 1)):
        targets = np.tile(decay.target, (len(starts), 1))
        starts, linear, residual = _refine(decay, starts, targets, decay.limits, steps)
        best = np.argsort(np.sum(residual**2, axis=-1))[:kept]
        starts, linear = starts[best], linear[best]
    return starts[0], linear[0]


def _shapes(log_taus: np.ndarray) -> np.ndarray:
    """Return the shapes of ascending logarithms of time constants, shape (g, terms)."""
    gaps = np.maximum(np.expm1(np.diff(log_taus)), SMALLEST_GAP)
    return np.column_stack([log_taus[:, 0], np.log(gaps)])


# --- variable projection
def _chi_square(base: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return what orthonormal columns (g, n, m) leave of the squares of targets (b, n), shape (g, b)."""
    inside = np.einsum("gnm,bn->gbm", base, targets, optimize=True)
    return np.sum(targets**2, axis=-1) - np.sum(inside**2, axis=-1)


def _refine(
    decay: Decay,
    shapes: np.ndarray,
    targets: np.ndarray,
    limits: np.ndarray,
    steps: int = REFINEMENTS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimize chi-square from many starts at once: Levenberg–Marquardt on the projected residual.

    Derivatives are analytic, with Kaufman's approximation (doi 10.1007/BF01932995).

    Parameters
    ----------
    shapes, targets
        Starts, shape (b, q), and what each is fitted to, shape (b, n).
    limits
        Lowest and highest shape, (2, q) or (2, b, q); where they are equal, that number is held.
    steps
        Most steps.

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


# --- intervals
def profile_decay(decay: Decay, fitted: Fit) -> dict[str, tuple[float, float]]:
    """Return the profile-likelihood interval of every quoted parameter; of tau and beta in their logarithm.

    Wherever a parameter is held, the others are searched from the best place of the grid and from where they were last:
    the profile of a sum of exponentials has side valleys, and a search that only follows the last step is caught in
    them. Both ends of all parameters are followed together.

    Returns
    -------
    dict
        Parameter → ends of its interval. Where the data set no end, tau and beta reach 0 or ∞, the others ±∞.
    """
    names = decay.quoted
    value, error = (np.array([part(name) for name in names]) for part in (fitted.value, fitted.error))
    logarithmic = np.arange(len(names)) >= len(decay.linear)
    error, value = np.where(logarithmic, error / value, error), np.where(logarithmic, np.log(np.abs(value)), value)
    low, high = np.full((2, len(names)), [[-math.inf], [math.inf]])
    low[logarithmic], high[logarithmic] = decay.limits[:, 0, None]
    if decay.law.stretched:
        low[-1], high[-1] = decay.limits[:, 1]
    held = _Held(decay, np.repeat(np.arange(len(names)), 2), _values(fitted.params, decay.law.shape))
    side, start = np.tile([-1.0, 1.0], len(names)), np.repeat(value, 2)
    rise, target = profile_rise(fitted)

    def moved(rows: np.ndarray, distance: np.ndarray) -> np.ndarray:
        return rise(held.chi_square(rows, start[rows] + side[rows] * distance))

    first = np.repeat(np.where(error > 0, error, 0.1 * np.abs(value) + 1e-300), 2)
    room = np.where(side < 0, start - np.repeat(low, 2), np.repeat(high, 2) - start)
    ends = start + side * crossings(moved, target, target * first, np.maximum(room, 0.0))
    margin = 1e-9 * (high - low)
    return {
        name: (bottom, top)
        if not logarithmic[i]
        else (
            math.exp(bottom) if bottom > low[i] + margin[i] else 0.0,
            math.exp(top) if top < high[i] - margin[i] else math.inf,
        )
        for i, (name, (bottom, top)) in enumerate(zip(names, ends.reshape(-1, 2).tolist(), strict=True))
    }


class _Held:
    """Copies of a decay, in each of which one of its quoted parameters is held.

    Parameters
    ----------
    parameter
        Place among the quoted parameters of what each copy holds, shape (b,).
    shape
        Of the best fit, where all searches begin.
    """

    def __init__(self, decay: Decay, parameter: np.ndarray, shape: np.ndarray) -> None:
        self.decay, self.parameter = decay, parameter
        size, terms = len(decay.linear), decay.law.terms
        tau = (parameter >= size) & (parameter < size + terms)
        self.anchor = np.where(tau, parameter - size, 0)
        self.pin = (parameter[:, None] == np.arange(size)) * 1.0
        self.last = np.tile(shape, (parameter.size, 1))
        self.last[:, 0] = decay.law.log_taus(shape)[self.anchor]

    def chi_square(self, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the least chi-square of some copies with what each holds at a value (tau and beta: its logarithm)."""
        decay, pin = self.decay, self.pin[rows]
        held = replace(decay, anchor=np.tile(self.anchor[rows], 2), pin=np.tile(pin, (2, 1)))
        limits = np.tile(decay.limits[:, None], (1, rows.size, 1))
        linear = pin.any(axis=1)
        beta = self.parameter[rows] == len(decay.linear) + decay.law.terms
        limits[:, np.flatnonzero(~linear), beta[~linear] * 1] = value[~linear]
        target = np.column_stack([np.tile(decay.target, (rows.size, 1)), np.where(linear, decay.tie * value, 0.0)])
        starts = np.concatenate([self._on_grid(rows, value), self.last[rows]])
        shapes, _, residual = _refine(held, starts, np.tile(target, (2, 1)), np.tile(limits, (1, 2, 1)))
        chi_square = np.sum(residual**2, axis=-1).reshape(2, -1)
        lesser = np.argmin(chi_square, axis=0), np.arange(rows.size)
        self.last[rows] = shapes.reshape(2, rows.size, -1)[lesser]
        return chi_square[lesser]

    def _on_grid(self, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the best shape of the grid for each copy: chi-square is a parabola in what is linear."""
        decay = self.decay
        base, inverse = decay.grid_base
        linear = np.einsum("gij,gj->gi", inverse, np.einsum("gnm,n->gm", base, decay.target))
        variance = np.sum(inverse**2, axis=-1)
        quoted = np.column_stack([linear, decay.law.log_taus(decay.grid), decay.grid[:, 1:]])
        starts = np.empty((rows.size, decay.grid.shape[1]))
        for i, (row, held) in enumerate(zip(rows, value, strict=True)):
            which = self.parameter[row]
            away = np.abs(quoted[:, which] - held)
            if which < linear.shape[1]:
                cost = decay.grid_chi_square + away**2 / np.maximum(variance[:, which], 1e-300)
            else:
                cost = np.where(away < away.min() + 1e-9, decay.grid_chi_square, math.inf)
            best = np.argmin(cost)
            starts[i] = decay.grid[best]
            starts[i, 0] = decay.law.log_taus(decay.grid[best])[self.anchor[row]]
        return starts


def bootstrap_decay(decay: Decay, fitted: Fit) -> dict[str, np.ndarray]:
    """Fit the law again to data drawn from the fitted one with its noise (parametric bootstrap).

    The noise is normal with ``sigma``, or with the scatter about the fit where sigma is not known. Each replicate
    starts at the best place of the grid.

    Returns
    -------
    dict
        Parameter → its `REPLICATES` values.
    """
    scale = 1.0 if fitted.absolute_sigma else math.sqrt(fitted.reduced_chi_square)
    noise = np.random.default_rng(SEED).standard_normal((REPLICATES, decay.x.size))
    targets = decay.target + fitted.residual + scale * noise
    starts = decay.grid[np.argmin(_chi_square(decay.grid_base[0], targets), axis=0)]
    shapes, linear, _ = _refine(decay, starts, targets, decay.limits)
    found = dict(zip(decay.linear, linear.T, strict=True))
    found |= dict(zip(decay.law.taus, np.exp(decay.law.log_taus(shapes)).T, strict=True))
    return found | ({"beta": np.exp(shapes[:, 1])} if decay.law.stretched else {})
