"""The optical response in closed form: a prompt photocurrent, and traps that light fills and that empty by themselves.

    ΔI(t) = J0 (P/P0)^alpha0 + J1 y1(t) + J2 y2(t)
    dy_k/dt = g_k (P/P0)^alpha (1 − y_k) − y_k/tau_k

y_k is the filled part of the traps of kind k, and P0 is the power density of reference. Between two changes of the
light every y_k is an exponential, so that a run of any length is a product of one factor per stretch of constant light,
and the mean of readings equally spaced in time is a geometric series. Nothing is integrated numerically, and the
derivatives by the parameters follow in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

PARAMETERS = ("J0", "J1", "J2", "g1", "g2", "tau_1", "tau_2", "alpha", "alpha0")
"""Order of the derivatives; ``alpha0`` is the exponent of the prompt photocurrent."""

LARGEST = 100.0
"""Largest logarithm of a power that is raised to an exponent, beyond which a search has lost its way."""


@dataclass(frozen=True)
class Light:
    """Light that changes in steps; dark before the first.

    Attributes
    ----------
    start
        Times from which each power holds, until the next one, s, shape (m,), increasing.
    power
        mW/cm^2, or in units of the power of reference; shape (m,).
    """

    start: np.ndarray
    power: np.ndarray

    def relative(self, reference: float) -> "Light":
        """Return it with powers in units of a reference (mW/cm^2)."""
        return replace(self, power=self.power / reference)

    @classmethod
    def pulses(cls, onset: Sequence[float] | np.ndarray, width: float, power: float) -> "Light":
        """Make equal pulses separated by darkness.

        Parameters
        ----------
        onset
            s, shape (n,).
        width
            s; shorter than the distance of any two onsets.
        power
            mW/cm^2.
        """
        begin = np.asarray(onset, dtype=float)
        return cls(np.column_stack([begin, begin + width]).ravel(), np.tile([power, 0.0], begin.size))


@dataclass(frozen=True)
class Readings:
    """Means of equally spaced readings of many runs.

    Attributes
    ----------
    start, power
        Light of each run, shape (runs, stretches), filled up with stretches of no length; s, and the unit of `Light`.
    run, stretch
        Where each mean belongs, shape (n,).
    first, step
        From the start of the stretch to the first reading of the mean, and from reading to reading, s, shape (n,).
    count
        Readings in it, shape (n,).
    """

    start: np.ndarray
    power: np.ndarray
    run: np.ndarray
    stretch: np.ndarray
    first: np.ndarray
    step: np.ndarray
    count: np.ndarray

    @classmethod
    def at(cls, light: Light, time: np.ndarray) -> "Readings":
        """Make single readings of one run at any times, s, shape (n,)."""
        # A dark stretch in front, so that every reading lies in one.
        start = np.concatenate([[min(time.min(), light.start[0])], light.start])
        stretch = np.searchsorted(start, time, side="right") - 1
        ones = np.ones(time.size)
        power = np.concatenate([[0.0], light.power])
        return cls(
            start[None], power[None], np.zeros(time.size, int), stretch, time - start[stretch], ones, ones.astype(int)
        )


@dataclass(frozen=True)
class Components:
    """What the currents are linear in, and their derivatives, at n readings.

    Attributes
    ----------
    prompt
        (P/P0)^alpha0, shape (n,).
    filled
        y of each kind of traps, shape (kinds, n).
    slopes
        Derivatives of ``filled`` by its own g_k and tau_k and by alpha, shape (3, kinds, n).
    logarithm
        ln(P/P0), 0 in the dark, shape (n,).
    """

    prompt: np.ndarray
    filled: np.ndarray
    slopes: np.ndarray
    logarithm: np.ndarray

    def current(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the photocurrent of two kinds of traps, A, shape (n,)."""
        return values["J0"] * self.prompt + values["J1"] * self.filled[0] + values["J2"] * self.filled[1]

    def jacobian(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the derivatives of the photocurrent by `PARAMETERS`, shape (n, 9)."""
        amplitudes = np.array([values["J1"], values["J2"]])[:, None]
        by_rate, by_tau, by_alpha = self.slopes * amplitudes
        prompt = values["J0"] * self.prompt * self.logarithm
        return np.vstack([self.prompt, self.filled, by_rate, by_tau, by_alpha.sum(axis=0), prompt]).T


def components(readings: Readings, values: Mapping[str, float]) -> Components:
    """Solve the rate equations of two kinds of traps for all runs at once.

    Parameters
    ----------
    readings
        See `solve`.
    values
        ``g1``, ``g2`` (1/s), ``tau_1``, ``tau_2`` (s), ``alpha``, ``alpha0``.
    """
    rates, times = (np.array([values[f"{name}1"], values[f"{name}2"]]) for name in ("g", "tau_"))
    return solve(readings, rates, times, values["alpha"], values["alpha0"])


def solve(readings: Readings, rates: np.ndarray, times: np.ndarray, alpha: float, alpha0: float) -> Components:
    """Solve the rate equations of any number of kinds of traps for all runs at once.

    Parameters
    ----------
    readings
        Where the currents are wanted, under which light in units of the power of reference. All traps are empty at the
        start of a run.
    rates, times
        Filling rate at the power of reference (1/s) and decay time (s) of each kind, shape (kinds,).
    alpha, alpha0
        Exponents of the filling rates and of the prompt photocurrent.
    """
    relative = readings.power
    logarithm = np.log(np.where(relative > 0, relative, 1.0))
    g, tau = rates[:, None, None], times[:, None, None]
    effective = np.where(relative > 0, np.exp(np.clip(alpha * logarithm, -LARGEST, LARGEST)), 0.0)
    filling = g * effective
    rate = filling + 1 / tau
    steady = filling / rate
    # Derivatives by g, tau and alpha: of the filling rate, of the rate of approach, of the steady state.
    emptying = np.broadcast_to(-1 / tau**2, rate.shape)
    filling_slope = np.stack([np.broadcast_to(effective, filling.shape), np.zeros_like(filling), filling * logarithm])
    rate_slope = filling_slope + np.stack([np.zeros_like(rate), emptying, np.zeros_like(rate)])
    steady_slope = (filling_slope - steady * rate_slope) / rate

    duration = np.diff(readings.start, axis=1)
    left = np.exp(-rate[..., :-1] * duration)
    left_slope = -duration * left * rate_slope[..., :-1]
    filled, slopes = np.zeros_like(rate), np.zeros_like(rate_slope)
    for i in range(duration.shape[1]):
        away = filled[..., i] - steady[..., i]
        filled[..., i + 1] = steady[..., i] + away * left[..., i]
        away_slope = slopes[..., i] - steady_slope[..., i]
        slopes[..., i + 1] = steady_slope[..., i] + away_slope * left[..., i] + away * left_slope[..., i]

    where = (..., readings.run, readings.stretch)
    remaining, by_rate = _mean_decay(rate[where], readings)
    away = filled[where] - steady[where]
    away_slope = slopes[where] - steady_slope[where]
    return Components(
        prompt=np.where(relative > 0, np.exp(np.clip(alpha0 * logarithm, -LARGEST, LARGEST)), 0.0)[where],
        filled=steady[where] + away * remaining,
        slopes=steady_slope[where] + away_slope * remaining + away * by_rate * rate_slope[where],
        logarithm=logarithm[where],
    )


def _mean_decay(rate: np.ndarray, readings: Readings) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of exp(−rate t) over the readings of each mean, and its derivative by the rate."""
    step, whole = rate * readings.step, rate * readings.step * readings.count
    lost, all_lost = -np.expm1(-step), -np.expm1(-whole)
    mean = np.exp(-rate * readings.first) * all_lost / lost / readings.count
    spread = readings.step * (readings.count * np.exp(-whole) / all_lost - np.exp(-step) / lost)
    return mean, mean * (spread - readings.first)
