"""Trains that a tester records pulse by pulse: their charges, and the numbers of the instruments themselves."""

import math

import numpy as np
import xarray as xr

from relaxor.core.results import Quantity
from relaxor.core.variables import has_dimension, readings
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.cycles import sample_noise
from relaxor.techniques.hysteresis.device import Capacitor, Geometry
from relaxor.techniques.hysteresis.loops import MICROCOULOMB
from relaxor.techniques.hysteresis.pund import CHARGES, Charge, end_of_top, equal_letters, trapezoid, unequal

PULSE_END = 0.005
"""Part of the largest voltage below which a falling pulse counts as ended."""


def separate_charges(data: xr.Dataset, geometry: Geometry | Capacitor) -> dict[Quantity, Charge]:
    """Return what the pulses of a tester move, from the current of each pulse.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        The quantities of `CHARGES`, with errors from the noise of the current of each pulse. The tester refers all
        pulses to one polarization at the start of D and U, so that its numbers, unlike these, contain what relaxes
        between the pulses.
    """
    time = data["time"].to_numpy()
    pulses = {letter: data.sel(pulse=letter) for letter in "PUND"}
    voltage = {letter: pulse["voltage"].to_numpy() for letter, pulse in pulses.items()}
    current = {letter: pulse["current"].to_numpy() for letter, pulse in pulses.items()}
    noise = {letter: float(np.std(sample_noise(each))) for letter, each in current.items()}
    result = {}
    for quantity, (end, signs) in CHARGES.items():
        pair = equal_letters(next(iter(signs)))
        stop = end_of_top(np.mean([np.abs(voltage[each]) for each in pair], axis=0)) if end == "top" else len(time) - 1
        weight = trapezoid(time, 0, stop) * MICROCOULOMB / geometry.area
        moved = {letter: float(weight @ current[letter]) for letter in signs}
        error = math.hypot(*(noise[letter] for letter in signs)) * float(np.linalg.norm(weight))
        differs = 0.0
        if len(signs) > 1:
            first, second = signs
            last = float(weight[stop] * 2 * current[second][stop])
            differs = unequal(moved[second], last, voltage[first][: stop + 1], voltage[second][: stop + 1])
        value = sum(sign * moved[letter] for letter, sign in signs.items())
        result[quantity] = Charge(float(value), error, unequal=differs)
    return result


def instrument_values(data: xr.Dataset) -> dict[Quantity, float]:
    """Reproduce the numbers that an aixACCT tester derives from its own column of the polarization.

    Parameters
    ----------
    data
        A table of a PUND file as the reader returns it: dimensions ``pulse`` (letters) and ``time``.

    Returns
    -------
    dict
        The maximum is that of the P pulse at its largest voltage. The switching polarization is the maximum less the
        polarization at the start of D, the non-switching one the maximum less that at the start of U. Remanences are
        taken where P and N end, coercive voltages where P and N cross zero. Software 3.0.25 writes the maximum plus
        the polarization at the start of D as ``Psw``.
    """
    pulse = {letter: data.sel(pulse=letter) for letter in "PUND"}
    voltage = {letter: one["voltage"].to_numpy() for letter, one in pulse.items()}
    polarization = {letter: one["polarization"].to_numpy() for letter, one in pulse.items()}
    largest = polarization["P"][np.argmax(voltage["P"])]
    switching, nonswitching = largest - polarization["D"][0], largest - polarization["U"][0]
    result = {
        q.MAXIMUM_POLARIZATION: largest,
        q.SWITCHING_POLARIZATION["positive"]: switching,
        q.NONSWITCHING_POLARIZATION["positive"]: nonswitching,
        q.SWITCHED_POLARIZATION_DIFFERENCE["positive"]: switching - nonswitching,
    }
    for letter, remanence, coercive in (
        ("P", q.REMANENT_POLARIZATION["positive"], q.COERCIVE_VOLTAGE["positive"]),
        ("N", q.REMANENT_POLARIZATION["negative"], q.COERCIVE_VOLTAGE["negative"]),
    ):
        result[remanence] = polarization[letter][_end(voltage[letter])]
        result[coercive] = _first_crossing(voltage[letter], polarization[letter])
    return {quantity: float(value) for quantity, value in result.items()}


def stated_charges(data: xr.Dataset, area: float) -> dict[Quantity, float]:
    """Return what the charges ``P``, ``U``, ``N`` and ``D`` move that an instrument writes beside a recorded train.

    Parameters
    ----------
    data
        Run of a file; the module ``pundTest`` of the Keithley 4200 writes single values with these names.
    area
        cm².
    """
    charges = {
        letter: float(readings(data[letter], "uC")) / area
        for letter in "PUND"
        if letter in data and not data[letter].ndim and has_dimension(data[letter], "C")
    }
    return {
        quantity: sum(sign * charges[letter] for letter, sign in signs.items())
        for quantity, (end, signs) in CHARGES.items()
        if end == "top" and signs.keys() <= charges.keys()
    }


def _end(voltage: np.ndarray) -> int:
    """Return the index of the first sample after the top at which the pulse has ended."""
    top = int(np.argmax(np.abs(voltage)))
    left = np.abs(voltage[top:] - np.median(voltage[-20:]))
    return top + int(np.argmax(left < PULSE_END * np.abs(voltage[top])))


def _first_crossing(voltage: np.ndarray, polarization: np.ndarray) -> float:
    before = int(np.argmax(np.diff(np.sign(polarization)) != 0))
    low, high = polarization[before], polarization[before + 1]
    return float(voltage[before] - low * (voltage[before + 1] - voltage[before]) / (high - low))
