"""The two noises of a response: that of readings about their run, and that of a run's response about the mean one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from relaxor.core.results import Adequacy
from relaxor.stats.adequacy import judge
from relaxor.synapse.artifacts import RATIO_OF_GAP
from relaxor.synapse.photoresponse.kinetics import Light
from relaxor.synapse.photoresponse.reduction import Reduced
from relaxor.synapse.protocols import error_of_root
from relaxor.synapse.traces import Trace

OF_BENDS = 35 / 9
"""Variance of the mean square of n second differences of white noise, relative to its square and times n."""


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

    def scaled(self, unit: float) -> "Noise":
        """Return the noise with the additive one in another unit."""
        return replace(self, additive=self.additive * unit, additive_error=self.additive_error * unit)


@dataclass(frozen=True)
class ReadingNoise:
    """The noise of a reading by how readings differ from their neighbours, in which a smooth misfit cancels.

    Attributes
    ----------
    value
        Standard deviation of a reading in the unit of the currents; NaN if it cannot be told.
    count
        Number of second differences.
    """

    value: float
    count: int

    @property
    def error(self) -> float:
        """Standard error."""
        return self.value * math.sqrt(OF_BENDS / self.count) / 2 if self.count else math.nan

    def judged(self, residual: np.ndarray, freedom: int) -> Adequacy:
        """Judge white residuals, which are in units of this noise."""
        known = math.isfinite(self.value)
        variance = 2 + freedom * OF_BENDS / self.count if known else 2.0
        return judge(residual, freedom, absolute_sigma=known, variance=variance)


UNKNOWN = ReadingNoise(math.nan, 0)
"""The noise of readings that tell nothing of it."""


def reading_noise(
    traces: Sequence[Trace], lights: Sequence[Light], response: Callable[[Light, np.ndarray], np.ndarray]
) -> ReadingNoise:
    """Return the noise of a reading from the second differences of all runs.

    Differences across a change of the light or a gap are left out, and the bend of the response is subtracted. Readings
    that are mostly equal have the noise of the step of the instrument.

    Parameters
    ----------
    response
        The fitted response, ``response(light, time)``, in the unit of the currents of the traces.
    """
    squares, count, least = 0.0, 0, math.inf
    for trace, light in zip(traces, lights, strict=True):
        step = np.diff(trace.time)
        stretch = np.searchsorted(light.start, trace.time, side="right")
        usable = (stretch[2:] == stretch[:-2]) & (np.maximum(step[1:], step[:-1]) < RATIO_OF_GAP * np.median(step))
        bend = np.diff(trace.current - response(light, trace.time), 2)[usable]
        squares, count = squares + float(bend @ bend), count + bend.size
        change = np.abs(np.diff(trace.current))
        least = min(least, float(change[change > 0].min(initial=math.inf)))
    if not count or math.isinf(least):
        return UNKNOWN
    return ReadingNoise(max(math.sqrt(squares / count / 6), least / math.sqrt(12)), count)


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

    def deviance(self, residual: np.ndarray) -> float:
        """Return −2 ln L of white residuals, up to what readings of a known noise have in common."""
        return float(residual @ residual - 2 * np.log1p(-self.shrunk).sum())


def covariance_of(slopes: np.ndarray) -> np.ndarray:
    """Return the covariance of parameters from derivatives of white residuals, shape (n, k) → (k, k)."""
    length = np.linalg.norm(slopes, axis=0)
    inverse = np.linalg.pinv(np.linalg.qr(slopes / length, mode="r"))
    return inverse @ inverse.T / np.outer(length, length)


def estimate(
    equal: Weights,
    residual: np.ndarray,
    response: np.ndarray,
    jacobian: np.ndarray,
    covariance: np.ndarray,
    known: float = math.nan,
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
    known
        Noise of a reading, if it is not to be estimated from the residuals.
    """
    deviation, shape = (equal.projected(values[:, None])[:, 0] for values in (residual, response))
    strength = np.sqrt(equal.sum(shape**2))
    lit = strength > 1e-9 * strength.max()
    direction = np.where(lit, 1 / np.where(lit, strength, 1.0), 0.0)[equal.run] * shape
    along = equal.sum(direction * deviation)
    freedom = residual.size - 2 * equal.offset.size - lit.sum() - jacobian.shape[1]
    scatter = math.sqrt(max(float(deviation @ deviation - along @ along), 0.0) / freedom)
    additive = known if math.isfinite(known) else scatter

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
