"""Relaxation laws: sums of exponentials and the stretched exponential, above a floor that is free or known.

Sums of exponentials are the classic ill-conditioned fit: the covariance misleads and a search from a guess finds a
side valley. Three things keep the numbers honest. Amplitudes and floor are linear, so they are projected out
(variable projection; Golub & Pereyra, doi 10.1137/0710036), and what is left is searched on a grid of time constants
first. Intervals come from the profile likelihood in the logarithm of the time constants. A parametric bootstrap, all
replicates at once, stands beside them. `relaxor.plasticity.relaxation` makes the numbers of a data set of them.
"""

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import combinations, product

import lmfit
import numpy as np
from scipy.special import expit, xlogy

from relaxor.fitting import Fit, fit, parameters, profile_interval

GRID_A_DECADE = 6
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
TIE = 1e3
"""Weight of a tie, in weights of all data together: a hundred times stiffer than any interval is exact."""
REFINEMENTS = 60
"""Most steps of the search of the bootstrap."""
SETTLED = 1e-5
"""Part of chi-square that a step must promise to gain, or the search ends."""
STUCK = 1e6
"""Damping from which on a search counts as stuck."""
REPLICATES = 200
SEED = 20250


@dataclass(frozen=True)
class Law:
    """A law of relaxation: y = floor + Σ amplitude_k exp(−(x / tau_k)^beta), tau_1 < tau_2 < … by construction.

    What is varied are ``log_tau``, the logarithm of one time constant (the anchor), ``log_gap_k`` =
    ln(tau_k / tau_(k−1) − 1) for the others, and ``log_beta`` where the law is stretched.

    Attributes
    ----------
    name
        Name of the law in tables.
    terms
        Number of exponentials.
    stretched
        Whether beta is free; else it is 1.
    anchor
        Index of the time constant that ``log_tau`` is.
    """

    name: str
    terms: int = 1
    stretched: bool = False
    anchor: int = 0

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

    def log_taus(self, shape: np.ndarray) -> np.ndarray:
        """Return the logarithms of the time constants of shapes (..., q), shape (..., terms)."""
        if self.terms == 1:
            return shape[..., :1]
        steps = np.cumsum(np.logaddexp(0.0, shape[..., 1 : self.terms]), axis=-1)
        steps = np.concatenate([np.zeros_like(shape[..., :1]), steps], axis=-1)
        return shape[..., :1] + steps - steps[..., self.anchor : self.anchor + 1]

    def decays(self, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Return the decays of unit amplitude, shape (..., n, terms)."""
        return np.exp(-self._exponents(x, shape))

    def slopes(self, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Return the derivatives of the decays by the shape, shape (..., n, terms, q)."""
        exponent = self._exponents(x, shape)
        decay = np.exp(-exponent)
        if self.stretched:
            beta = np.exp(shape[..., None, None, 1])
            return np.stack([beta * exponent * decay, -xlogy(exponent, exponent) * decay], axis=-1)
        slope = (exponent * decay)[..., None]
        if self.terms == 1:
            return slope
        behind = np.arange(self.terms)[:, None] > np.arange(self.terms - 1)
        by_gap = (behind * 1.0 - behind[self.anchor]) * expit(shape[..., None, 1:])
        by_shape = np.concatenate([np.ones_like(by_gap[..., :1]), by_gap], axis=-1)
        return slope * by_shape[..., None, :, :]

    def _exponents(self, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
        ratio = x[:, None] * np.exp(-self.log_taus(shape))[..., None, :]
        return ratio ** np.exp(shape[..., None, None, 1]) if self.stretched else ratio


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}_{k}" for k in range(1, count + 1))


SINGLE = Law("single_exponential")
DOUBLE = Law("double_exponential", terms=2)
STRETCHED = Law("stretched_exponential", stretched=True)
LAWS = (SINGLE, DOUBLE, STRETCHED)


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
    pin
        A linear parameter that is tied to a value: one more row of the basis holds nothing else.
    """

    law: Law
    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray | float | None = None
    floor: float | None = None
    pin: str | None = None

    @property
    def model(self) -> str:
        """Name of the law and its floor in tables."""
        return self.law.name if self.floor is None else f"{self.law.name}_fixed_floor"

    @property
    def linear(self) -> tuple[str, ...]:
        """Names of the m linear parameters that are fitted."""
        return (*(["floor"] if self.floor is None else []), *self.law.amplitudes)

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

    def basis(self, shape: np.ndarray) -> np.ndarray:
        """Return the weighted columns of the linear parameters, shape (..., n, m)."""
        rows = self.x.size
        columns = np.empty((*shape.shape[:-1], rows + (self.pin is not None), len(self.linear)))
        columns[..., :rows, 0] = 1.0
        columns[..., :rows, -self.law.terms :] = self.law.decays(self.x, shape)
        columns[..., :rows, :] *= self.weight[:, None]
        if self.pin is not None:
            columns[..., rows, :] = [self.tie * (name == self.pin) for name in self.linear]
        return columns

    def moved(self, shape: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """Return the derivatives of the weighted law by its shape, shape (..., n, q)."""
        slopes = self.law.slopes(self.x, shape)
        moved = np.zeros((*shape.shape[:-1], self.x.size + (self.pin is not None), slopes.shape[-1]))
        moved[..., : self.x.size, :] = (np.swapaxes(slopes, -1, -2) @ amplitudes[..., None, :, None])[
            ..., 0
        ] * self.weight[:, None]
        return moved

    @cached_property
    def tie(self) -> float:
        """Weight of the row that ties a linear parameter."""
        return TIE * float(np.linalg.norm(self.weight))

    @cached_property
    def grid(self) -> np.ndarray:
        """Shapes that cover all that the data can see, shape (g, q)."""
        low, high = self.limits[:, 0]
        taus = np.linspace(low, high, math.ceil(GRID_A_DECADE * (high - low) / math.log(10)))
        if self.law.stretched:
            return np.array(list(product(taus, np.log(BETA_GRID))))
        chosen = np.array(list(combinations(taus, self.law.terms)))
        return np.column_stack([chosen[:, self.law.anchor], np.log(np.expm1(np.diff(chosen, axis=1)))])

    @cached_property
    def grid_base(self) -> np.ndarray:
        """Orthonormal columns that span the basis at each shape of the grid, shape (g, n, m)."""
        return _base(self.basis(self.grid))

    def curve(self, fitted: Fit, x: np.ndarray) -> np.ndarray:
        """Return the fitted law at x."""
        shape = np.array([fitted.value(name) for name in self.law.shape])
        amplitudes = [fitted.value(name) for name in self.law.amplitudes]
        return fitted.value("floor") + self.law.decays(x, shape) @ amplitudes


# --- fit
def fit_decay(decay: Decay) -> Fit:
    """Fit a law of relaxation; no start values are needed.

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
    shape, linear = _start(decay)
    values = dict(zip(decay.linear, linear, strict=True))
    params = parameters(floor=values.get("floor", {"value": decay.floor, "vary": False}))
    for name in law.amplitudes:
        params.add(name, value=values[name])
    for name, value, low, high in zip(law.shape, shape, *decay.limits, strict=True):
        params.add(name, value=value, min=low, max=high)
    for k, name in enumerate(law.taus):
        params.add(name, expr=" * ".join(["exp(log_tau)", *(f"(1 + exp({gap}))" for gap in law.shape[1 : k + 1])]))
    if law.stretched:
        params.add("beta", expr="exp(log_beta)")

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        linear, shape = _values(trial, decay.linear), _values(trial, law.shape)
        return decay.basis(shape) @ linear - decay.target

    def jacobian(trial: lmfit.Parameters) -> np.ndarray:
        amplitudes, shape = _values(trial, law.amplitudes), _values(trial, law.shape)
        return np.column_stack([decay.basis(shape), decay.moved(shape, amplitudes)])

    return fit(residual, params, absolute_sigma=decay.sigma is not None, jacobian=jacobian)


def _values(params: lmfit.Parameters, names: tuple[str, ...]) -> np.ndarray:
    return np.array([params[name].value for name in names])


def _start(decay: Decay) -> tuple[np.ndarray, np.ndarray]:
    """Return shape and linear parameters at the global minimum: the best of each column of the grid, refined."""
    chi_square = _chi_square(decay.grid_base, decay.target[None])[:, 0]
    columns = [np.flatnonzero(decay.grid[:, 0] == first) for first in np.unique(decay.grid[:, 0])]
    lowest = np.array([column[np.argmin(chi_square[column])] for column in columns])
    starts = decay.grid[lowest[np.argsort(chi_square[lowest])[:STARTS]]]
    shapes, linear, residual = _refine(decay, starts, np.tile(decay.target, (len(starts), 1)), decay.limits)
    best = np.argmin(np.sum(residual**2, axis=-1))
    return shapes[best], linear[best]


# --- variable projection
def _base(basis: np.ndarray) -> np.ndarray:
    return np.linalg.svd(basis, full_matrices=False)[0]


def _chi_square(base: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return what orthonormal columns (g, n, m) leave of the squares of targets (b, n), shape (g, b)."""
    inside = np.einsum("gnm,bn->gbm", base, targets, optimize=True)
    return np.sum(targets**2, axis=-1) - np.sum(inside**2, axis=-1)


def _refine(
    decay: Decay, shapes: np.ndarray, targets: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimize chi-square from many starts at once: Levenberg–Marquardt on the projected residual.

    Derivatives are analytic, with Kaufman's approximation (doi 10.1007/BF01932995).

    Parameters
    ----------
    shapes, targets
        Starts, shape (b, q), and what each is fitted to, shape (b, n).
    limits
        Lowest and highest shape, shape (2, q); where they are equal, that number is held.

    Returns
    -------
    shapes, linear, residual
        Shapes (b, q), (b, m) and (b, n).
    """
    low, high = limits
    shapes = np.clip(shapes, low, high)
    linear, residual, slope = _project(decay, shapes, targets)
    chi_square = np.sum(residual**2, axis=-1)
    identity = np.eye(low.size)
    damping = np.full(len(shapes), 1e-3)
    for _ in range(REFINEMENTS):
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
    basis = decay.basis(shapes)
    inverse = np.linalg.pinv(basis)
    linear = (inverse @ targets[..., None])[..., 0]
    residual = targets - (basis @ linear[..., None])[..., 0]
    moved = decay.moved(shapes, linear[:, -decay.law.terms :])
    return linear, residual, basis @ (inverse @ moved) - moved


# --- intervals
def profile_decay(decay: Decay, fitted: Fit, name: str) -> tuple[float, float]:
    """Return the profile-likelihood interval of a parameter of `fit_decay`; of tau and beta in their logarithm.

    At each value of the parameter the others are searched on the grid again: the profile of a sum of exponentials
    has side valleys, and a search that only follows the last step is caught in them.

    Returns
    -------
    low, high
        Ends of the interval. Where the data set no end, tau and beta reach 0 or ∞, the others ±∞.
    """
    law, value, error = decay.law, fitted.value(name), fitted.error(name)
    anchor = law.taus.index(name) if name in law.taus else 0
    optimum = np.array([math.log(fitted.value(law.taus[anchor])), *_values(fitted.params, law.shape[1:])])
    if name in decay.linear:
        held = replace(decay, pin=name)
        params = parameters(**{name: value})
        search = partial(_pinned_residual, held, optimum)
    else:
        index = int(name == "beta")
        held = replace(decay, law=replace(law, anchor=anchor))
        low, high = held.limits[:, index]
        value, error = math.log(value), error / value
        params = parameters(**{name: (value, low, high)})
        search = partial(_held_residual, held, optimum, index)
    params[name].stderr = error
    # The parameters that are searched inside still cost a degree of freedom each.
    best = replace(fitted, params=params, names=(name,), n=fitted.n - decay.size + 1)
    once = cache(search)
    ends = profile_interval(lambda trial: once(trial[name].value), best, name)
    if name in decay.linear:
        return ends
    margin = 1e-9 * (high - low)
    return (
        math.exp(ends[0]) if ends[0] > low + margin else 0.0,
        math.exp(ends[1]) if ends[1] < high - margin else math.inf,
    )


def _pinned_residual(held: Decay, optimum: np.ndarray, value: float) -> np.ndarray:
    """Return the least residual with the pinned linear parameter at a value."""
    target = np.append(held.target, held.tie * value)
    start = held.grid[np.argmin(_chi_square(held.grid_base, target[None])[:, 0])]
    return _lesser_residual(held, np.array([start, optimum]), target, held.limits)


def _held_residual(held: Decay, optimum: np.ndarray, index: int, value: float) -> np.ndarray:
    """Return the least residual with one number of the shape at a value."""
    limits, grid = held.limits.copy(), held.grid.copy()
    limits[:, index] = grid[:, index] = value
    grid = np.unique(grid.round(9), axis=0)
    start = grid[np.argmin(_chi_square(_base(held.basis(grid)), held.target[None])[:, 0])]
    return _lesser_residual(held, np.array([start, optimum]), held.target, limits)


def _lesser_residual(held: Decay, starts: np.ndarray, target: np.ndarray, limits: np.ndarray) -> np.ndarray:
    residual = _refine(held, starts, np.tile(target, (len(starts), 1)), limits)[2]
    return residual[np.argmin(np.sum(residual**2, axis=-1))]


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
    expected = (decay.curve(fitted, decay.x) - (decay.floor or 0.0)) * decay.weight
    noise = np.random.default_rng(SEED).standard_normal((REPLICATES, decay.x.size))
    targets = expected + scale * noise
    starts = decay.grid[np.argmin(_chi_square(decay.grid_base, targets), axis=0)]
    shapes, linear, _ = _refine(decay, starts, targets, decay.limits)
    found = dict(zip(decay.linear, linear.T, strict=True))
    found |= dict(zip(decay.law.taus, np.exp(decay.law.log_taus(shapes)).T, strict=True))
    return found | ({"beta": np.exp(shapes[:, 1])} if decay.law.stretched else {})
