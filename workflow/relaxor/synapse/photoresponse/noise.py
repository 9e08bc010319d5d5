"""The two noises of a response: that of readings about their run, and that of a run's response about the mean one."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from relaxor.synapse.photoresponse.reduction import Reduced
from relaxor.synapse.protocols import error_of_root


@dataclass(frozen=True)
class Noise:
    """The two noises by which two equal runs differ.

    Attributes
    ----------
    additive, additive_error
        Standard deviation of a single reading and its standard error, A.
    multiplicative, multiplicative_error
        Relative standard deviation of the response from run to run and its standard error.
    """

    additive: float
    additive_error: float
    multiplicative: float
    multiplicative_error: float


@dataclass(frozen=True)
class Weights:
    """The operator that removes dark current and drift of each run and makes the noise of its means white.

    Attributes
    ----------
    offset, run
        Index of the first mean of each run, shape (runs,); run of each mean, shape (n,).
    scale
        1/standard deviation of each mean by its readings alone, shape (n,).
    nuisance
        Orthonormal constant and drift of each run on these means, shape (n, 2).
    gain
        Direction in which a larger response of the run moves its means, of length one per run, shape (n,).
    shrunk
        Part by which that direction is shortened, shape (runs,).
    """

    offset: np.ndarray
    run: np.ndarray
    scale: np.ndarray
    nuisance: np.ndarray
    gain: np.ndarray
    shrunk: np.ndarray

    @classmethod
    def equal(cls, reduced: Reduced) -> "Weights":
        """Weigh means by their number of readings: all readings have the noise one."""
        scale = np.sqrt(reduced.readings.count)
        offset, run = reduced.offset, reduced.readings.run

        def unit(values: np.ndarray) -> np.ndarray:
            return values / np.sqrt(np.add.reduceat(values**2, offset))[run]

        constant = unit(scale)
        drift = scale * reduced.time
        drift = unit(drift - constant * np.add.reduceat(constant * drift, offset)[run])
        return cls(offset, run, scale, np.column_stack([constant, drift]), np.zeros(run.size), np.zeros(offset.size))

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Add up over each run, shape (n, …) → (runs, …)."""
        return np.add.reduceat(values, self.offset, axis=0)

    def projected(self, values: np.ndarray) -> np.ndarray:
        """Divide by the noise of the readings and remove dark current and drift, shape (n, k)."""
        scaled = values * self.scale[:, None]
        for column in self.nuisance.T[:, :, None]:
            scaled = scaled - column * self.sum(column * scaled)[self.run]
        return scaled

    def white(self, values: np.ndarray) -> np.ndarray:
        """Transform ``values``, shape (n, k), so that both noises together have the variance one."""
        projected = self.projected(values)
        along = self.sum(self.gain[:, None] * projected) * self.shrunk[:, None]
        return projected - self.gain[:, None] * along[self.run]


def estimate(
    equal: Weights, residual: np.ndarray, response: np.ndarray, jacobian: np.ndarray, covariance: np.ndarray
) -> tuple[Noise, Weights]:
    """Estimate both noises from the residuals of a fit, and make the weights that follow from them.

    The scatter of a run across the direction of its response is the noise of its readings. Along this direction, its
    residual is a gain of variance s² + v, with v from the readings and s² from run to run. s² is chosen so that the sum
    of squared gains over their variances equals its expectation (Paule & Mandel, doi 10.6028/jres.087.022), which the
    leverage of the fit lowers.

    Parameters
    ----------
    equal
        Weights by the number of readings alone.
    residual, response
        Data less model, and response of the model, A, shape (n,).
    jacobian
        Derivatives of the response by the parameters, shape (n, k).
    covariance
        Covariance of the parameters by the last fit, shape (k, k).
    """
    deviation, shape = (equal.projected(values[:, None])[:, 0] for values in (residual, response))
    strength = np.sqrt(equal.sum(shape**2))
    lit = strength > 1e-9 * strength.max()
    direction = np.where(lit, 1 / np.where(lit, strength, 1.0), 0.0)[equal.run] * shape
    along = equal.sum(direction * deviation)
    freedom = residual.size - 2 * equal.offset.size - lit.sum() - jacobian.shape[1]
    additive = math.sqrt(max(float(deviation @ deviation - along @ along), 0.0) / freedom)

    squares = (along[lit] / strength[lit]) ** 2
    variance = (additive / strength[lit]) ** 2
    slopes = equal.sum(direction[:, None] * equal.projected(jacobian))[lit] / strength[lit, None]
    fitted = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)

    def excess(between: float) -> float:
        total = between + variance
        return float(np.sum(squares / total) - np.sum(1 - np.minimum(fitted / total, 1.0)))

    highest = float(squares.sum()) + 1e-300
    between = brentq(excess, 0.0, highest, xtol=1e-9 * highest) if excess(0.0) > 0 > excess(highest) else 0.0
    total = between + variance
    error = math.sqrt(2 * lit.sum()) / float(np.sum(1 / total))
    gain = math.sqrt(between)
    noise = Noise(additive, additive / math.sqrt(2 * freedom), gain, error_of_root(between, error))
    shrunk = 1 - 1 / np.sqrt(1 + between * strength**2 / additive**2)
    return noise, replace(equal, scale=equal.scale / additive, gain=direction, shrunk=shrunk)
