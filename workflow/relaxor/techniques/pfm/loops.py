"""Local PFM loops: piezoresponse against the bias of the tip, while the bias is applied and after it is removed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import lmfit
import numpy as np
import xarray as xr
from scipy import stats
from scipy.optimize import brentq

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, Status, measured
from relaxor.core.units import factor
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import UNLIKELY
from relaxor.stats.fit import Fit, combination, fit, parameters
from relaxor.stats.quantities import AICC
from relaxor.techniques.pfm import quantities as q
from relaxor.techniques.pfm.amplitudes import amplitude_of

FEWEST_STEPS = 16
"""Smallest number of bias steps that make a loop."""
SAME_BIAS = 1e-3
"""Part of the largest bias below which two biases count as one step."""
LEAST_SATURATION = 0.95
"""Part of the response of all domains that a loop must reach at its ends for its numbers not to be of a minor loop."""
BEND = 5
"""Degree of the polynomial in the bias that a response without hysteresis is compared with."""
STEPS = {q.DOUBLE: "two", q.SINGLE: "one"}
FEATURES = {"off_field": q.OFF_FIELD, "on_field": q.ON_FIELD}
"""Feature of the numbers for each part of the curves."""
Function = Callable[[Mapping[str, float]], float]
"""Function of the parameters of a fitted loop."""


@dataclass(frozen=True)
class Loop:
    """Steps of a loop, one entry for each.

    Attributes
    ----------
    bias
        Bias of the tip in V.
    rising
        Whether the bias rose to this step.
    response
        Complex response in pm, or in the unit of the file, turned so that the piezoresponse is its real part.
    """

    bias: np.ndarray
    rising: np.ndarray
    response: np.ndarray


def analyse_loop(measurement: Measurement, settling_fraction: float) -> tuple[list[Number], dict[str, xr.Dataset]]:
    """Return the numbers and curves of switching loops that were recorded step by step.

    The piezoresponse is PR = A·cos(φ − φ0) with φ0 along the principal axis of the complex response and the sign
    that makes it grow with bias. The first, virgin branch up to the largest bias is left out. Where the branches of a
    loop agree, nothing switches, and only a straight line is fitted. A part in quadrature that follows the bias or the
    branch flags all numbers, because a piezoresponse has one phase or its opposite.

    Raises
    ------
    AnalysisError
        If amplitude or phase is missing or the bias makes no loop.
    """
    rows: list[Number] = []
    regions: dict[str, xr.Dataset] = {}
    loops = _loops(measurement, settling_fraction)
    for field, loop in loops.items():
        switches = _follows_branch(loop.response.real, loop) < UNLIKELY
        fits = {model: _fit_loop(loop, model, field) for model in (STEPS if switches else (q.NO_SWITCHING,))}
        for model, fitted in fits.items():
            rows += _rows(measurement, model, fitted, loop, FEATURES[field])
        best = min(fits.values(), key=lambda found: found.aicc)
        regions |= {field: _points(loop, best), f"{field}_model": _branches(loop, best)}
    turned = min(_follows_bias(loop.response.imag, loop) for loop in loops.values())
    if turned < UNLIKELY / len(loops):
        remark = "misfit: a part of the response in quadrature follows the bias, so that its phase is not one alone"
        rows = [row.flagged(Status.MISFIT, remark) for row in rows]
    return rows, regions


def _rows(measurement: Measurement, model: str, fitted: Fit, loop: Loop, feature: str) -> list[Number]:
    """Return the numbers of one model of a loop; a minor loop determines none of those of switching."""
    free = {name: quantity for name, quantity in q.FITTED.items() if fitted.params[name].vary}
    if model == q.NO_SWITCHING:
        method = "straight line; both branches agree within their noise, so that nothing switches"
        return fitted.numbers(measurement, model, free, method, feature=feature)
    method = f"least squares of {STEPS[model]} tanh steps in each branch"
    rows = fitted.numbers(measurement, model, free, method, feature=feature)
    rows += _derived_rows(measurement, model, fitted, loop, method, feature)
    reached = _saturation(fitted.params.valuesdict(), loop.bias)
    if not reached < LEAST_SATURATION:
        return rows
    remark = f"not identified: a minor loop, which reaches {max(reached, 0):.0%} of the response of all domains"
    return [row.flagged(Status.NOT_IDENTIFIED, remark) for row in rows]


# --- tests without a model -----------------------------------------------------------------------------------------
def _follows_branch(response: np.ndarray, loop: Loop) -> float:
    """Return the probability by chance that a response differs between the branches of a loop as much as it does."""
    bias = loop.bias / np.abs(loop.bias).max()
    sign = np.where(loop.rising, -1.0, 1.0)[:, np.newaxis]
    common = np.vander(bias, BEND + 1)
    return _probability(response, common, sign * np.vander(bias, 3))


def _follows_bias(response: np.ndarray, loop: Loop) -> float:
    """Return the probability by chance that a response depends on bias and branch as much as it does."""
    bias = loop.bias / np.abs(loop.bias).max()
    sign = np.where(loop.rising, -1.0, 1.0)[:, np.newaxis]
    terms = np.hstack([np.vander(bias, BEND + 1)[:, :-1], sign * np.vander(bias, 3)])
    return _probability(response, np.ones((len(bias), 1)), terms)


def _probability(values: np.ndarray, common: np.ndarray, further: np.ndarray) -> float:
    """Return the probability of the F-test of further terms of a linear model."""

    def squares(design: np.ndarray) -> float:
        return float(np.sum((values - design @ np.linalg.lstsq(design, values, rcond=None)[0]) ** 2))

    both = np.hstack([common, further])
    freedom, rest = len(values) - both.shape[1], squares(both)
    ratio = (squares(common) - rest) / further.shape[1] / max(rest / freedom, 1e-300)
    return float(stats.f.sf(ratio, further.shape[1], freedom))


def _saturation(values: Mapping[str, float], bias: np.ndarray) -> float:
    """Return the smaller part of the switched response that a loop reaches at its two ends."""
    alone = {**values, "saturation_piezoresponse": 1.0, "offset": 0.0, "electrostatic_slope": 0.0}
    ends = piezoresponse(bias.max(), True, alone), -piezoresponse(bias.min(), False, alone)
    return float(min(ends))


# --- from samples to steps -----------------------------------------------------------------------------------------
def _loops(measurement: Measurement, settling_fraction: float) -> dict[str, Loop]:
    curve = measurement.only
    if "read_bias" in curve and np.ptp(curve["read_bias"].to_numpy()) > 0:
        raise AnalysisError(f"{measurement.id}: was read at several biases; loops read at one bias are analysed")
    channels = {}
    for name, unit in (("bias", "V"), ("amplitude", ""), ("phase", "radian")):
        if name not in curve:
            raise AnalysisError(
                f"{measurement.id}: no {name}; its variables are {', '.join(map(str, curve.data_vars))}"
            )
        values = curve[name]
        converted = (
            values.to_numpy().astype(float) * factor(values.attrs["units"], unit) if unit else amplitude_of(values)
        )
        channels[name] = converted
        if not np.isfinite(channels[name]).all():
            raise AnalysisError(f"{measurement.id}: {name} holds samples without value")
    bias, response = _steps(channels["bias"], channels["amplitude"] * np.exp(1j * channels["phase"]), settling_fraction)
    largest = np.abs(bias).max()
    fields = {f"{curve.attrs.get('field', 'on')}_field": (bias, response)}
    for on in (0, 1):
        if largest > 0 and np.all(np.abs(bias[1 - on :: 2]) < SAME_BIAS * largest):
            pairs = min(len(bias[on::2]), len(bias[on + 1 :: 2]))
            pulses = bias[on::2][:pairs]
            fields = {
                "off_field": (pulses, response[on + 1 :: 2][:pairs]),
                "on_field": (pulses, response[on::2][:pairs]),
            }
    axis = np.exp(0.5j * np.angle(sum(np.sum(values**2) for _, values in fields.values())))
    if sum(np.sum(levels * (values * np.conj(axis)).real) for levels, values in fields.values()) < 0:
        axis = -axis
    return {name: _one_loop(measurement, *pair, axis) for name, pair in fields.items()}


def _steps(bias: np.ndarray, signal: np.ndarray, settling_fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bias of each step and the mean of its samples, without those in which the lock-in settles."""
    change = np.flatnonzero(np.abs(np.diff(bias)) > SAME_BIAS * np.abs(bias).max()) + 1
    bounds = np.array([0, *change, len(bias)])
    dwell = float(np.median(np.diff(bounds)))
    levels, means = [], []
    for start, end in pairwise(bounds):
        # A pulse of zero volts between two pauses makes one run that is as long as three steps.
        for part in np.array_split(np.arange(start, end), max(round((end - start) / dwell), 1)):
            settled = part[int(len(part) * settling_fraction) :]
            levels.append(bias[part].mean())
            means.append(signal[settled].mean())
    return np.array(levels), np.array(means)


def _one_loop(measurement: Measurement, bias: np.ndarray, response: np.ndarray, axis: complex) -> Loop:
    if len(bias) < FEWEST_STEPS or not bias.min() < 0 < bias.max():
        raise AnalysisError(
            f"{measurement.id}: {len(bias)} bias steps from {bias.min():g} to {bias.max():g} V: not a loop"
        )
    rising = np.diff(bias, prepend=bias[0] - np.sign(bias[1] - bias[0])) > 0
    start = int(np.argmax(np.abs(bias) >= (1 - SAME_BIAS) * np.abs(bias).max()))
    return Loop(bias[start:], rising[start:], response[start:] * np.conj(axis))


# --- models --------------------------------------------------------------------------------------------------------
def piezoresponse(bias: np.ndarray | float, rising: np.ndarray | bool, values: Mapping[str, float]) -> np.ndarray:
    """Return the piezoresponse of a loop in pm at a bias in V.

    ``offset + slope·V + saturation/2·(tanh((V − i − V1)/w) + tanh((V − i − V2)/w))`` with (V1, V2) equal to
    (forward, −backward) on the rising branch and (backward, −forward) on the falling one: antiferroelectric double
    switching. Where backward = −forward the two steps are one: a ferroelectric loop.
    """
    forward, backward = values["switching_bias_forward"], values["switching_bias_backward"]
    shifted, width = bias - values["imprint"], values["switching_width"]
    first = np.tanh((shifted - np.where(rising, forward, backward)) / width)
    second = np.tanh((shifted + np.where(rising, backward, forward)) / width)
    steps = values["saturation_piezoresponse"] / 2 * (first + second)
    return values["offset"] + values["electrostatic_slope"] * bias + steps


def _fit_loop(loop: Loop, model: str, field: str) -> Fit:
    response, largest = loop.response.real, float(np.abs(loop.bias).max())

    def residual(params: lmfit.Parameters) -> np.ndarray:
        return piezoresponse(loop.bias, loop.rising, params.valuesdict()) - response

    # Without a bias there is no electrostatic force that grows with it.
    slope = {"value": 0.0, "vary": field == "on_field"}
    if model == q.NO_SWITCHING:
        start = parameters(**{name: {"value": 0.0, "vary": False} for name in q.FITTED})
        start["switching_width"].value = 1.0
        start["offset"].vary, start["electrostatic_slope"].vary = True, field == "on_field"
        return fit(residual, start, absolute_sigma=False)
    tried = []
    for forward in (0.2, 0.4, 0.6):
        backward = {"value": 0.1 * largest, "min": -largest, "max": largest}
        start = parameters(
            saturation_piezoresponse=(float(np.ptp(response)) / 2, 0.0, np.inf),
            switching_bias_forward=(forward * largest, 0.0, 2 * largest),
            switching_bias_backward=backward if model == q.DOUBLE else {"expr": "-switching_bias_forward"},
            switching_width=(0.1 * largest, 1e-3 * largest, 2 * largest),
            imprint=0.0,
            offset=float(response.mean()),
            electrostatic_slope=slope,
        )
        tried.append(fit(residual, start, absolute_sigma=False))
    return min(tried, key=lambda found: found.chi_square)


def _derived_rows(
    measurement: Measurement, model: str, fitted: Fit, loop: Loop, method: str, feature: str
) -> list[Number]:
    """Return what follows from the parameters of a loop, with errors by the delta method."""
    grid = np.linspace(loop.bias.min(), loop.bias.max(), 2001)

    def crossing(rising: bool) -> Function:
        def root(values: Mapping[str, float]) -> float:
            ends = piezoresponse(grid[[0, -1]], rising, values)
            if ends[0] * ends[1] > 0:
                return np.nan
            return brentq(lambda bias: float(piezoresponse(bias, rising, values)), grid[0], grid[-1])

        return root

    def area(values: Mapping[str, float]) -> float:
        return float(np.trapezoid(piezoresponse(grid, False, values) - piezoresponse(grid, True, values), grid))

    derived: dict[Quantity, Function] = {
        q.COERCIVE_BIAS["positive"]: crossing(True),
        q.COERCIVE_BIAS["negative"]: crossing(False),
        q.REMANENT_PIEZORESPONSE["positive"]: lambda values: float(piezoresponse(0.0, False, values)),
        q.REMANENT_PIEZORESPONSE["negative"]: lambda values: float(piezoresponse(0.0, True, values)),
        q.LOOP_AREA: area,
    }
    values = {
        quantity: (function(fitted.params.valuesdict()), _propagated(fitted, function))
        for quantity, function in derived.items()
    }
    common: dict[str, Any] = {**fitted.quality, "feature": feature}
    rows = measured(measurement, model, values, f"{method}; delta method", **common)
    rows = [row.with_interval(fitted.n - len(fitted.names)) for row in rows]
    return rows + measured(measurement, model, {AICC: (fitted.aicc, np.nan)}, method, **common)


def _propagated(fitted: Fit, function: Function) -> float:
    """Return the standard error of a function of the fitted parameters by central differences."""
    gradient = {}
    for name in fitted.names:
        sides = []
        step = 1e-4 * (fitted.error(name) if np.isfinite(fitted.error(name)) else abs(fitted.value(name)))
        for shift in (step, -step):
            moved = fitted.params.valuesdict()
            moved[name] += shift
            if not fitted.params["switching_bias_backward"].vary:
                moved["switching_bias_backward"] = -moved["switching_bias_forward"]
            sides.append(function(moved))
        gradient[name] = (sides[0] - sides[1]) / (2 * step) if step else 0.0
    return combination(fitted, gradient)


# --- curves --------------------------------------------------------------------------------------------------------
def _points(loop: Loop, fitted: Fit) -> xr.Dataset:
    model = piezoresponse(loop.bias, loop.rising, fitted.params.valuesdict())
    columns = {
        "bias": (loop.bias, "V", "tip bias of the step"),
        "data": (loop.response.real, "pm", "piezoresponse"),
        "fit": (model, "pm", "fitted piezoresponse"),
        "residual": (loop.response.real - model, "pm", "residual"),
        "amplitude": (np.abs(loop.response), "pm", "amplitude"),
        "phase": (np.degrees(np.angle(loop.response)), "degree", "phase from that of a positive piezoresponse"),
        "rising": (loop.rising.astype(np.int8), "1", "bias was reached rising"),
    }
    return dataset("step", columns, {"step": (np.arange(len(loop.bias)), "1", "step of the bias")})


def _branches(loop: Loop, fitted: Fit) -> xr.Dataset:
    bias = np.linspace(loop.bias.min(), loop.bias.max(), 401)
    values = fitted.params.valuesdict()
    columns = {
        name: (piezoresponse(bias, rising, values), "pm", f"{name} branch of the fit")
        for name, rising in (("rising", True), ("falling", False))
    }
    return dataset("bias", columns, {"bias": (bias, "V", "tip bias")})
