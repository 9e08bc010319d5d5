"""Runs of a pulse measurement, whatever instrument wrote them."""

from dataclasses import dataclass

import numpy as np

from relaxor.data import Measurement


@dataclass(frozen=True)
class Trace:
    """One run of a measurement.

    Attributes
    ----------
    measurement
        Where it comes from.
    run
        Name of the run.
    time
        s, shape (n,), increasing.
    current
        A, shape (n,).
    voltage
        V across the device, shape (n,).
    stimulus
        What the pulses are made of, shape (n,): the voltage itself or the power density; None if nothing was recorded.
    stimulus_unit
        ``V`` or ``mW/cm^2``.
    """

    measurement: Measurement
    run: str
    time: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    stimulus: np.ndarray | None
    stimulus_unit: str
