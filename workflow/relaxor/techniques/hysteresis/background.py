"""What of the current of a mean cycle is not switching.

The current through a flake is I = A dP/dt + C dV/dt + G V + G3 V³ + I0 + drift. Past the switching fields P is
saturated, so there the rest can be fitted: C from the step of the current where the ramp turns, G from its odd part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import savgol_filter

from relaxor.core.errors import AnalysisError
from relaxor.techniques.hysteresis.cycles import Cycle

BACKGROUNDS = {
    "capacitance": ("capacitance",),
    "ohmic": ("capacitance", "conductance"),
    "ohmic_cubic": ("capacitance", "conductance", "conductance_cubic"),
}
"""Competing models of what is not switching, with their parameters."""
UNITS = {"capacitance": "F", "conductance": "S", "conductance_cubic": "S/V^2"}
TURN = 0.985
"""Fraction of the amplitude beyond which samples are left out: the turn of the ramp is rounded."""
RAMP_SMOOTHING = 51
"""Samples over which the slope of the ramp is averaged."""
ROUNDING = 1e-12
"""Noise, relative to the largest current, that is only that of our arithmetic."""


@dataclass(frozen=True)
class Background:
    """Capacitance and conductances of a device, with replicates for the bootstrap.

    Attributes
    ----------
    values
        Shape (3,): C (F), G (S), G3 (S/V²).
    replicates
        Shape (b, 3).
    chi_square, n
        Of the fit in the saturated parts.
    """

    names: tuple[str, ...]
    values: np.ndarray
    replicates: np.ndarray
    chi_square: float
    n: int

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample term, for residuals of known scale."""
        k = len(self.names)
        return self.chi_square + 2 * k + 2 * k * (k + 1) / (self.n - k - 1)


def saturated(cycle: Cycle, rising: float, falling: float) -> np.ndarray:
    """Mark the samples beyond the switching fields.

    Parameters
    ----------
    rising, falling
        Fractions of the amplitude beyond which P no longer changes while the field grows, and while it shrinks.
    """
    level = np.abs(cycle.field) / np.abs(cycle.field).max()
    growing = np.gradient(cycle.voltage) * cycle.voltage > 0
    return np.where(growing, level > rising, level > falling) & (level < TURN)


def fit_background(
    cycles: Sequence[Cycle], noise: Sequence[np.ndarray], model: str, *, rising: float, falling: float
) -> Background:
    """Fit one capacitance and one set of conductances to the saturated parts of all loops of a device.

    Parameters
    ----------
    cycles
        Saturating loops of one device.
    noise
        Their bootstrap replicates, each of shape (b, n).
    model
        One of `BACKGROUNDS`.
    rising, falling
        See `saturated`.

    Raises
    ------
    AnalysisError
        If a current shows no noise, or the saturated parts hold too few samples.
    """
    rows, values, drawn = [], [], []
    for cycle, replicate in zip(cycles, noise, strict=True):
        if cycle.noise <= ROUNDING * np.abs(cycle.current).max():
            raise AnalysisError(
                f"{cycle.measurement.id}: the current shows no noise, so that no error can be given: its cycles are "
                "alike to the last digit, or too few digits are written; give the cycles as they were recorded"
            )
        part = saturated(cycle, rising, falling)
        weight = 1 / cycle.noise
        rows.append(_columns(cycle, BACKGROUNDS[model])[part] * weight)
        values.append(cycle.current[part] * weight)
        drawn.append(replicate[:, part] * weight)
    matrix, data = np.concatenate(rows), np.concatenate(values)
    if len(data) <= 2 * matrix.shape[1]:
        names = ", ".join(cycle.measurement.id for cycle in cycles)
        raise AnalysisError(f"{names}: {len(data)} samples in the saturated parts; too few to fit the background")
    scale = np.linalg.norm(matrix, axis=0)
    solve = np.linalg.pinv(matrix / scale) / scale[:, None]
    solution = solve @ data
    count = matrix.shape[1]
    full = np.zeros(3)
    full[:count] = solution
    replicates = np.zeros((len(drawn[0]), 3))
    replicates[:, :count] = full[:count] + np.concatenate(drawn, axis=1) @ solve.T
    residual = data - matrix @ solution
    return Background(BACKGROUNDS[model], full, replicates, float(residual @ residual), len(data))


def _columns(cycle: Cycle, names: tuple[str, ...]) -> np.ndarray:
    """Return dV/dt, V and V³ of a period, without their means, shape (n, parameters)."""
    voltage = cycle.voltage
    rate = np.empty_like(voltage)
    first, turn = int(np.argmin(voltage)), int(np.argmax(voltage))
    # Noise of the read-back voltage is no displacement current: the ramp is smoothed, but not across its turns.
    for start, stop in ((first, turn), (turn, first)):
        branch = np.arange(start, stop if stop > start else stop + len(voltage)) % len(voltage)
        length = min(RAMP_SMOOTHING, len(branch) - 1 + len(branch) % 2)
        rate[branch] = savgol_filter(voltage[branch], length, 2, deriv=1, delta=cycle.time[1] - cycle.time[0])
    for corner in (first, turn):  # the sample at a turn is a mean of both sides, in the current as here
        rate[corner] = (rate[corner - 1] + rate[(corner + 1) % len(rate)]) / 2
    columns = np.stack([rate, voltage, voltage**3][: len(names)], axis=-1)
    return columns - columns.mean(axis=0)


def switching_current(cycle: Cycle, current: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Subtract the background from a mean cycle: A dP/dt.

    Parameters
    ----------
    current
        Shape (..., n), A.
    background
        Shape (..., 3): C, G, G3.
    """
    return current - background @ _columns(cycle, BACKGROUNDS["ohmic_cubic"]).T
