"""The laws, and data to which one of them is fitted, with the grid of shapes and the linear parts at each of them."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
from scipy.special import expit, xlogy

from relaxor.stats.fit import Fit

GRID_A_DECADE = {1: 6, 2: 6, 3: 3}
"""Time constants per decade of the grid, by the number of exponentials; three need the cube of this number."""
BETA_GRID = np.geomspace(0.15, 2.5, 14)
BETA_RANGE = (0.05, 5.0)
LARGEST_TAU = 100.0
"""Largest time constant, in lengths of the measured range; a slower decay looks like a straight line."""
SMALLEST_TAU = 0.1
"""Smallest time constant, in distances of neighbouring points; only one point would show a faster decay."""
DEEPEST_DECAY = 30.0
"""Largest ratio of the first x to a time constant: amplitudes are those at x = 0, where e^30 times the data is
absurd."""
SMALLEST_GAP = 0.1
"""Least relative distance of neighbouring time constants; closer ones are the limit (1 + b x) exp(−x/τ)."""
NOTHING = 1e-14
"""Smallest part of a decay, beyond the span of the columns before it, that counts as a contribution."""
NO_PART = 1e100
"""Length of a column without a contribution, so that its coefficient vanishes."""
TIE = 1e3
"""Weight of a tie, in weights of all data together, which is a hundred times stiffer than the accuracy of intervals."""
Anchor = int | np.ndarray


@dataclass(frozen=True)
class Law:
    """A law of relaxation: y = floor + slope x + Σ amplitude_k exp(−(x / tau_k)^beta), tau_1 < tau_2 < ….

    The varied parameters are ``log_tau``, the logarithm of one time constant (the anchor, by default the first),
    ``log_gap_k`` = ln(tau_k / tau_(k−1) − 1) for the others, and ``log_beta`` if the law is stretched.

    Attributes
    ----------
    name
        Name of the law in tables.
    terms
        Number of exponentials.
    stretched
        Whether beta is free; otherwise it is 1.
    drift
        Whether there is a slope, which represents a decay that is much longer than the data.
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
        Standard uncertainty of y, one number or shape (n,); None if it is estimated from the scatter.
    floor
        Known value at large x; None if it is fitted.
    spread
        Standard deviation of the x over which each y is a mean, shape (n,); None if each is taken at its x. The mean
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
        """Where the decays are taken: two Gauss–Legendre points per mean, exact to the third power of its length."""
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
        """Invert triangles of bases (..., m, m); a column that adds nothing to those before it gets a zero."""
        length = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
        nothing = length <= NOTHING * np.linalg.norm(self.weight)
        return np.linalg.inv(triangle + NO_PART * nothing[..., None] * np.eye(length.shape[-1]))

    @cached_property
    def grid(self) -> np.ndarray:
        """Shapes that cover everything that the data can determine, shape (g, q)."""
        low, high = self.limits[:, 0]
        taus = np.linspace(low, high, math.ceil(GRID_A_DECADE[self.law.terms] * (high - low) / math.log(10)))
        if self.law.stretched:
            return np.array(list(product(taus, np.log(BETA_GRID))))
        return shapes_of(np.array(list(combinations(taus, self.law.terms))))

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
        return chi_square_beside(self.grid_base[0], self.target[None])[:, 0]

    def curve(self, fitted: Fit, x: np.ndarray) -> np.ndarray:
        """Return the fitted law at x."""
        shape = np.array([fitted.value(name) for name in self.law.shape])
        amplitudes = [fitted.value(name) for name in self.law.amplitudes]
        slope = fitted.value("slope") if self.law.drift else 0.0
        return fitted.value("floor") + slope * x + self.law.decays(x, shape) @ amplitudes

    def expected(self, fitted: Fit) -> np.ndarray:
        """Return the fitted law at the data, averaged like the data, shape (n,)."""
        linear = np.array([fitted.value(name) for name in self.linear])
        shape = np.array([fitted.value(name) for name in self.law.shape])
        return self.basis(shape) @ linear / self.weight + (self.floor or 0.0)


def shapes_of(log_taus: np.ndarray) -> np.ndarray:
    """Return the shapes of ascending logarithms of time constants, shape (g, terms)."""
    gaps = np.maximum(np.expm1(np.diff(log_taus)), SMALLEST_GAP)
    return np.column_stack([log_taus[:, 0], np.log(gaps)])


def chi_square_beside(base: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the sums of squares of targets (b, n) outside of orthonormal columns (g, n, m), shape (g, b)."""
    inside = np.einsum("gnm,bn->gbm", base, targets, optimize=True)
    return np.sum(targets**2, axis=-1) - np.sum(inside**2, axis=-1)
