"""The background of the current of a mean cycle: what is not switching.

The current through a device is I = A dP/dt + C dV/dt + G V + G3 V³ + I0 + drift. Beyond the switching fields P is
saturated, so that the other terms can be fitted there: C from the step of the current where the ramp turns, G and G3
from the odd part of the current.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import savgol_filter

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Quantity
from relaxor.stats.fit import aicc
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.settings import HysteresisSettings

BACKGROUNDS = {
    q.CAPACITIVE: (q.CAPACITANCE,),
    q.OHMIC: (q.CAPACITANCE, q.CONDUCTANCE),
    q.OHMIC_CUBIC: (q.CAPACITANCE, q.CONDUCTANCE, q.CONDUCTANCE_CUBIC),
}
"""The parameters of the competing models of the background."""
TURN = 0.985
"""Part of the amplitude beyond which samples are left out, because the turn of the ramp is rounded."""
RAMP_SMOOTHING = 51
"""Number of samples over which the slope of the ramp is averaged."""
ROUNDING = 1e-12
"""Noise, relative to the largest current, below which it is only rounding of the arithmetic."""


@dataclass(frozen=True)
class Background:
    """Capacitance and conductances of a device, with replicates for the bootstrap.

    Attributes
    ----------
    parameters
        Those that were fitted; the others are zero.
    values
        Shape (3,): C (F), G (S), G3 (S/V²).
    replicates
        Shape (b, 3).
    chi_square, n
        Of the fit in the saturated parts.
    """

    parameters: tuple[Quantity, ...]
    values: np.ndarray
    replicates: np.ndarray
    chi_square: float
    n: int

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample term, for residuals of known scale."""
        return aicc(self.chi_square, len(self.parameters), self.n)


def saturated(cycle: Cycle, settings: HysteresisSettings) -> np.ndarray:
    """Mark the samples beyond the switching fields, shape (n,)."""
    level = np.abs(cycle.field) / np.abs(cycle.field).max()
    growing = np.gradient(cycle.voltage) * cycle.voltage > 0
    beyond = np.where(growing, level > settings.saturated_rising, level > settings.saturated_falling)
    return beyond & (level < TURN)


def fit_background(
    cycles: Sequence[Cycle], noise: Sequence[np.ndarray], model: str, settings: HysteresisSettings
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
    settings
        See `HysteresisSettings`.

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
                "identical to the last digit, or too few digits are written; give the cycles as they were recorded"
            )
        part = saturated(cycle, settings)
        weight = 1 / cycle.noise
        rows.append(_columns(cycle, len(BACKGROUNDS[model]))[part] * weight)
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


def _columns(cycle: Cycle, count: int = 3) -> np.ndarray:
    """Return the first of dV/dt, V and V³ of a period, without their means, shape (n, count)."""
    voltage = cycle.voltage
    rate = np.empty_like(voltage)
    first, turn = int(np.argmin(voltage)), int(np.argmax(voltage))
    # The noise of the voltage as it is read drives no current: the ramp is smoothed, but not across its turns.
    for start, stop in ((first, turn), (turn, first)):
        branch = np.arange(start, stop if stop > start else stop + len(voltage)) % len(voltage)
        length = min(RAMP_SMOOTHING, len(branch) - 1 + len(branch) % 2)
        rate[branch] = savgol_filter(voltage[branch], length, 2, deriv=1, delta=cycle.time[1] - cycle.time[0])
    for corner in (first, turn):  # the sample at a turn is a mean of both sides, as it is in the current
        rate[corner] = (rate[corner - 1] + rate[(corner + 1) % len(rate)]) / 2
    columns = np.stack([rate, voltage, voltage**3][:count], axis=-1)
    return columns - columns.mean(axis=0)


def switching_current(cycle: Cycle, current: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Subtract the background from a mean cycle, which leaves A dP/dt.

    Parameters
    ----------
    current
        Shape (..., n), A.
    background
        C, G and G3, shape (..., 3).
    """
    return current - background @ _columns(cycle).T
