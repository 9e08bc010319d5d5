"""Swept voltages: their turning points, and the points at which an instrument limits the current."""

import numpy as np
import xarray as xr

TURN = 0.05
"""Fraction of the range of a voltage by which it must reverse before this counts as a turning point."""


def turning_points(voltage: np.ndarray) -> np.ndarray:
    """Return the indices at which a voltage turns by more than `TURN` of its range, with the first and the last."""
    back = TURN * np.ptp(voltage)
    turns, furthest, direction = [0], 0, 0
    values = voltage.tolist()
    for i, value in enumerate(values):
        moved = value - values[furthest]
        if direction == 0 and abs(moved) > back:
            direction = 1 if moved > 0 else -1
        if direction * moved > 0:
            furthest = i
        elif direction and -direction * moved > back:
            turns.append(furthest)
            direction, furthest = -direction, i
    return np.array([*turns, len(values) - 1])


def clipped_points(voltage: np.ndarray, current: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the points at which the compliance limits the current.

    There, the current repeats itself near its extreme while the voltage changes.

    Parameters
    ----------
    voltage, current
        V and A, shape (n,).
    tolerance
        Relative change from point to point that still counts as repeated.

    Returns
    -------
    numpy.ndarray
        Shape (n,), bool.
    """
    clipped = np.zeros(voltage.size, dtype=bool)
    for sign in (1, -1):
        magnitude = sign * current
        flat = np.abs(np.diff(current)) <= tolerance * np.abs(current[1:])
        flat &= magnitude[1:] > 0.9 * magnitude.max()
        edges = np.flatnonzero(np.diff(flat.astype(int), prepend=0, append=0))
        for first, last in edges.reshape(-1, 2):
            run = slice(first, last + 1)
            moves = np.ptp(voltage[run]) > 0.02 * np.ptp(voltage)
            clipped[run] |= last - first >= 3 and moves and np.ptp(current[run]) < 10 * tolerance * magnitude.max()
    return clipped


def lost_part(voltage: np.ndarray | xr.DataArray, current: np.ndarray | xr.DataArray) -> float:
    """Return the part of the exchanged energy that a device keeps, negative where it gives energy away."""
    power = voltage * current
    return float(power.sum() / (np.abs(power).sum() or 1.0))
