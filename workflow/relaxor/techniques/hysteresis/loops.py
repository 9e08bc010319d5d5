"""A closed polarization loop and the numbers that describe it.

The last axis of arrays holds the samples of one period; any axes before it are replicates, so that a bootstrap needs
one call only. Fields in kV/cm, polarizations in µC/cm²: their product is mJ/cm³.
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid

from relaxor.core.results import Quantity
from relaxor.techniques.hysteresis import quantities as q

MICROCOULOMB = 1e6
"""Number of µC in one C."""
PEAKS = {
    q.FORWARD_SWITCHING_FIELD["positive"]: (True, 1),
    q.BACKWARD_SWITCHING_FIELD["positive"]: (False, 1),
    q.FORWARD_SWITCHING_FIELD["negative"]: (False, -1),
    q.BACKWARD_SWITCHING_FIELD["negative"]: (True, -1),
}
"""For each switching field, whether its current peak lies on the rising branch, and the sign of the field."""
DEGREES, NEWTON_STEPS = (2, 2, 4), 8
"""Degrees of the polynomials through the top of a peak, of which the first two centre the window and the last finds the
maximum; and the number of steps of Newton's method to it."""
CLEAR = 1.5
"""Smallest distance of a peak from zero field, in half windows; a nearer peak merges with what switches there."""
MIN_PEAK_HEIGHT = 5.0
"""Smallest height of a peak above its baseline that counts as seen, in standard deviations of the current."""


def charge(time: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the charge that has flowed since the first sample, by the trapezoid rule.

    Parameters
    ----------
    time
        Shape (n,), s.
    current
        Shape (..., n), A.

    Returns
    -------
    ndarray
        Shape (..., n), C.
    """
    return cumulative_trapezoid(current, time, axis=-1, initial=0.0)


@dataclass(frozen=True)
class Drive:
    """The field of one period, from its minimum over its maximum back to its minimum.

    Attributes
    ----------
    field
        Shape (n + 1,), kV/cm; the last sample repeats the first.
    top
        Index of the maximum.
    shift
        Samples by which a period was rolled to begin at the minimum.
    """

    field: np.ndarray
    top: int
    shift: int

    @classmethod
    def of(cls, field: np.ndarray) -> "Drive":
        """Find the branches of a period of shape (n,), equally spaced in time, which may begin at any phase."""
        shift = int(np.argmin(field))
        rolled = np.roll(field, -shift)
        return cls(np.append(rolled, rolled[0]), int(np.argmax(rolled)), shift)

    def roll(self, values: np.ndarray) -> np.ndarray:
        """Bring samples of a period, shape (..., n), into the order of ``field``, shape (..., n + 1)."""
        rolled = np.roll(values, -self.shift, axis=-1)
        return np.concatenate([rolled, rolled[..., :1]], axis=-1)

    @property
    def rising(self) -> slice:
        """Samples of the rising branch."""
        return slice(0, self.top + 1)

    @property
    def falling(self) -> slice:
        """Samples of the falling branch."""
        return slice(self.top, len(self.field))


def loop_charge(drive: Drive, time: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Integrate the current of a closed loop, branch by branch.

    Where the ramp turns, the current jumps, and the sample there is a mean of both sides. Each branch is therefore
    integrated up to its own limit, which is extrapolated from its last two samples. A loop that is not closed at the
    end shows a drift, which is removed.

    Parameters
    ----------
    drive
        The field, shape (n,).
    time
        Shape (n,), s.
    current
        Shape (..., n), A, in the order of the field.
    """
    parts = []
    for branch in (drive.rising, drive.falling):
        part = current[..., branch].copy()
        part[..., 0] = 2 * part[..., 1] - part[..., 2]
        part[..., -1] = 2 * part[..., -2] - part[..., -3]
        parts.append(charge(time[branch], part))
    rising, falling = parts
    total = np.concatenate([rising, rising[..., -1:] + falling[..., 1:]], axis=-1)
    return total - total[..., -1:] * (time - time[0]) / (time[-1] - time[0])


def centred(drive: Drive, polarization: np.ndarray) -> np.ndarray:
    """Shift a loop so that its two tips lie at opposite polarizations (the zero of an integral is arbitrary)."""
    middle = (polarization[..., [0]] + polarization[..., [drive.top]]) / 2
    return polarization - middle


def describe(drive: Drive, polarization: np.ndarray) -> dict[Quantity, np.ndarray]:
    """Return the numbers of a centred loop, each with the shape of the replicates.

    Energy densities are ∫E dP over the loading and the unloading parts of the loop, and the mean of both polarities;
    the loss is that of the whole cycle, ∮E dP. With the charge without leakage as P, they are those of the literature
    on energy storage, in which the linear dielectric takes part; see the comparison of methods in AIP Advances 10,
    095132 (2020).

    Parameters
    ----------
    drive
        The field, shape (n,).
    polarization
        Shape (..., n), µC/cm².
    """
    rising, falling = polarization[..., drive.rising], polarization[..., drive.falling]
    up, down = drive.field[drive.rising], drive.field[drive.falling]
    middle = (drive.field[1:] + drive.field[:-1]) / 2
    work = middle * np.diff(polarization, axis=-1)
    climbing = np.arange(len(middle)) < drive.top
    loading = climbing == (middle > 0)
    stored = np.sum(work[..., loading], axis=-1) / 2
    recovered = -np.sum(work[..., ~loading], axis=-1) / 2
    return {
        q.MAXIMUM_POLARIZATION: polarization[..., drive.top],
        q.REMANENT_POLARIZATION["positive"]: _at_zero_field(down[::-1], falling[..., ::-1]),
        q.REMANENT_POLARIZATION["negative"]: _at_zero_field(up, rising),
        q.COERCIVE_FIELD["positive"]: _zero_crossing(up, rising),
        q.COERCIVE_FIELD["negative"]: _zero_crossing(down[::-1], falling[..., ::-1]),
        q.STORED_ENERGY_DENSITY: stored,
        q.RECOVERABLE_ENERGY_DENSITY: recovered,
        q.CYCLE_LOSS_ENERGY_DENSITY: 2 * (stored - recovered),
        q.EFFICIENCY: recovered / stored,
    }


def line_through(drive: Drive, polarization: np.ndarray, drift: np.ndarray | None = None) -> tuple[np.ndarray, float]:
    """Return the slope of a centred loop against its field, µC/cm² per kV/cm, with the shape of the replicates.

    The second value is the rms distance of the first loop from its line, in parts of its rms polarization.

    Parameters
    ----------
    drift
        Times of the samples of a single cycle, with which an offset of its current makes a charge that is no slope.
    """
    columns = [drive.field] if drift is None else [drive.field, drift]
    design = np.stack([column - column.mean() for column in columns], axis=1)
    slopes = polarization @ np.linalg.pinv(design).T
    first = np.atleast_2d(polarization)[0]
    left = first - first.mean() - design @ np.atleast_2d(slopes)[0]
    bend = float(np.sqrt(np.mean(left**2) / np.mean((first - first.mean()) ** 2)))
    return slopes[..., 0], bend


def _at_zero_field(field: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate a branch (ascending field) at zero field."""
    after = int(np.clip(np.argmax(field > 0), 1, len(field) - 1))
    weight = -field[after - 1] / (field[after] - field[after - 1])
    return (1 - weight) * values[..., after - 1] + weight * values[..., after]


def _zero_crossing(field: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the field where a branch (ascending field) crosses zero.

    Noise may make it cross several times; the middle of the first and the last crossing is taken, because each of them
    alone is biased.
    """
    above = values > 0
    first = np.argmax(above, axis=-1)
    last = values.shape[-1] - np.argmax(~above[..., ::-1], axis=-1)
    return (_crossing(field, values, first) + _crossing(field, values, last)) / 2


def _crossing(field: np.ndarray, values: np.ndarray, after: np.ndarray) -> np.ndarray:
    after = np.clip(after, 1, values.shape[-1] - 1)
    low = np.take_along_axis(values, np.expand_dims(after - 1, -1), -1)[..., 0]
    high = np.take_along_axis(values, np.expand_dims(after, -1), -1)[..., 0]
    return field[after - 1] - low * (field[after] - field[after - 1]) / (high - low)


def switching_fields(
    drive: Drive, current: np.ndarray, replicates: np.ndarray, noise: float, window: float
) -> dict[Quantity, tuple[float, np.ndarray]]:
    """Find the fields of the current peaks by the maximum of a quartic polynomial through the top of each peak.

    Parameters
    ----------
    drive
        The field.
    current
        Shape (n + 1,), switching current, A.
    replicates
        Shape (b, n + 1), the same with redrawn noise.
    noise
        Standard deviation of a sample of the current, A.
    window
        Half width of the part of the peak that the quartic is fitted to, kV/cm.

    Returns
    -------
    dict
        Switching field → (field, replicates of it), only for peaks that lie inside the branch and rise above the
        noise; a loop that is too small to switch has none.
    """
    result = {}
    for quantity, (rising, sign) in PEAKS.items():
        part, direction = (drive.rising, 1) if rising else (drive.falling, -1)
        found = _peak(
            sign * drive.field[part], direction * current[part], direction * replicates[:, part], noise, window
        )
        if found is not None:
            result[quantity] = (sign * found[0], sign * found[1])
    return result


def _peak(
    field: np.ndarray, current: np.ndarray, replicates: np.ndarray, noise: float, window: float
) -> tuple[float, np.ndarray] | None:
    inside = np.flatnonzero(field > 0)
    step = float(np.median(np.abs(np.diff(field))))
    width = max(int(window / step), 3)
    if len(inside) < 2 * width:
        return None
    smooth = np.convolve(current, np.ones(width) / width, mode="same")
    center = float(field[inside[np.argmax(smooth[inside])]])
    for degree in DEGREES:
        # A window that is not symmetric about the top biases the top towards its longer side; parabolas, which noise
        # moves less, centre the window first.
        near = np.abs(field - center) <= window
        if center < CLEAR * window or center + window > field.max() - 2 * step or near.sum() < 2 * degree:
            return None
        solve = np.linalg.pinv(np.vander((field[near] - center) / window, degree + 1, increasing=True))
        place, height = _maximum(solve @ current[near])
        drawn = center + window * _maximum((replicates[:, near] @ solve.T).T)[0]
        center += window * float(place)
    baseline = float(np.median(current[inside]))
    if abs(float(place)) > 0.5 or height - baseline < MIN_PEAK_HEIGHT * noise:
        return None
    return center, drawn


def _maximum(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return place and height of the maximum near zero of a polynomial (lowest power first), by Newton's method."""
    powers = np.arange(len(coefficients)).reshape(-1, *[1] * (coefficients.ndim - 1))
    first, second = (coefficients * powers)[1:], (coefficients * powers * (powers - 1))[2:]
    x = np.zeros(coefficients.shape[1:])
    for _ in range(NEWTON_STEPS):
        curvature = np.minimum(np.polynomial.polynomial.polyval(x, second, tensor=False), -1e-300)
        x = np.clip(x - np.polynomial.polynomial.polyval(x, first, tensor=False) / curvature, -1, 1)
    return x, np.polynomial.polynomial.polyval(x, coefficients, tensor=False)
