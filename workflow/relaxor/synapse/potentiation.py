"""Long-term potentiation and depression: the law of a cycle, its nonlinearity, and how well cycles repeat.

The law is that of NeuroSim (Chen, Peng & Yu, doi 10.1109/IEDM.2017.8268337): G = Gmin + B (1 − exp(−P/A)) with
B = (Gmax − Gmin) / (1 − exp(−Pmax/A)), where P counts the pulses after the lowest state. Depression follows the same
law with its pulses counted from its end, so that one formula and one sign serve both: the curvature alpha = Pmax/A is
positive where the conductance rises steeply first (potentiation), negative where it falls steeply first (depression),
and zero where all steps are equal. The law is regular in alpha everywhere. It is not regular in the pulse constant A,
because a linear device has A = ∞.

Errors come from the cycles, which are repetitions of the same experiment: a deviation of one cycle is common to its
points, and an error taken from the scatter of points about the law would miss it. `relaxor.synapse.cycles` decides
which cycles count, and what the error of their mean is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import lmfit
import numpy as np
import xarray as xr
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, Result, measured
from relaxor.core.variables import dataset
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.stats.optimizer import central_differences
from relaxor.synapse import quantities as q
from relaxor.synapse.cycles import FEWEST_CYCLES, TRANSIENT, error_over_cycles, inflation, transient_cycles

LABEL_SCALE = 10.1015
"""NeuroSim's nonlinearity label of a device that changes completely in its first step."""
LARGEST_ALPHA = 300.0
ALPHA_GRID = np.concatenate([-np.geomspace(100, 0.1, 40), np.geomspace(0.1, 100, 40)])
FEWEST_PULSES = 5
FITTED = {"conductance_min": q.MINIMUM_CONDUCTANCE, "conductance_max": q.MAXIMUM_CONDUCTANCE, "alpha": q.CURVATURE}
"""The quantity of each parameter of the fit."""
LAW = "least squares to the mean cycle; error from the cycles' deviations (infinitesimal jackknife), Student's t"
JACKKNIFE = "jackknife over cycles, Student's t"
REGRESSION = "linear regression against the number of the cycle, Student's t"


# --- the law
def potentiation_law(state: np.ndarray, conductance_min: float, conductance_max: float, alpha: float) -> np.ndarray:
    """Return G at ``state`` = P/Pmax: Gmin + (Gmax − Gmin) (1 − e^(−α P/Pmax)) / (1 − e^(−α))."""
    share = state if abs(alpha) < 1e-12 else np.expm1(-alpha * state) / np.expm1(-alpha)
    return conductance_min + (conductance_max - conductance_min) * share


def nonlinearity_label(a_norm: float) -> float:
    """Return NeuroSim's label of nonlinearity of A/Pmax, with the sign of A.

    The label is 10.1015 max|y − x| with y = (1 − e^(−x/A)) / (1 − e^(−1/A)), whose maximum lies at
    x = −A ln(A (1 − e^(−1/A))); NeuroSim tabulates it. Potentiation is positive, depression negative (A < 0) by its
    convention; A = ∞ gives 0.
    """
    a = abs(a_norm)
    if math.isinf(a):
        return 0.0
    full = -math.expm1(-1 / a)
    x = -a * math.log(a * full)
    return math.copysign(LABEL_SCALE * (-math.expm1(-x / a) / full - x), a_norm)


def fit_potentiation(
    pulse: np.ndarray,
    conductance: np.ndarray,
    sigma: np.ndarray | float | None,
    minimum: float | None = None,
) -> Fit:
    """Fit the law to a potentiation, without start values.

    Parameters
    ----------
    pulse
        Number of pulses since the lowest state, shape (n,); the last one is Pmax.
    conductance
        After each, shape (n,).
    sigma
        Its standard uncertainty, one number or shape (n,); None where it is estimated from the scatter.
    minimum
        Conductance before the first pulse, where it is known; else it is fitted.

    Returns
    -------
    Fit
        ``conductance_min`` (at P = 0), ``conductance_max`` (at Pmax), ``alpha`` = Pmax/A.
    """
    return _fit_law(np.asarray(pulse) / np.max(pulse), conductance, sigma, minimum)


def fit_depression(pulse: np.ndarray, conductance: np.ndarray, sigma: np.ndarray | float | None) -> Fit:
    """Fit the law to a depression, its pulses counted from its end: see `fit_potentiation`.

    ``pulse`` counts the depressing pulses applied (1 … M); ``conductance_max`` is the state before the first,
    ``conductance_min`` that after the last. A depression that is steep first has a negative ``alpha``.
    """
    return _fit_law(1 - np.asarray(pulse) / np.max(pulse), conductance, sigma, None)


def _fit_law(
    state: np.ndarray, conductance: np.ndarray, sigma: np.ndarray | float | None, minimum: float | None
) -> Fit:
    weight = 1.0 if sigma is None else 1 / np.asarray(sigma)

    def line(alpha: float) -> tuple[float, np.ndarray]:
        low, high = potentiation_law(state, 1, 0, alpha), potentiation_law(state, 0, 1, alpha)
        columns = (high if minimum is not None else np.stack([low, high])) * weight
        target = (conductance - (minimum or 0.0) * low) * weight
        ends = np.linalg.lstsq(np.atleast_2d(columns).T, target)[0]
        return float(np.sum((target - ends @ np.atleast_2d(columns)) ** 2)), ends

    alpha = min(ALPHA_GRID, key=lambda trial: line(trial)[0])
    ends = line(alpha)[1]
    params = parameters(
        conductance_min=float(ends[0]) if minimum is None else {"value": minimum, "vary": False},
        conductance_max=float(ends[-1]),
        alpha=(float(alpha), -LARGEST_ALPHA, LARGEST_ALPHA),
    )

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return (potentiation_law(state, **trial.valuesdict()) - conductance) * weight

    return fit(residual, params, absolute_sigma=sigma is not None)


# --- cycles
@dataclass(frozen=True)
class Branch:
    """Potentiation or depression over all cycles, and the law of its mean.

    Attributes
    ----------
    conductance
        After each pulse, shape (cycles, n).
    rising
        Whether it is a potentiation.
    """

    conductance: np.ndarray
    rising: bool

    @property
    def pulse(self) -> np.ndarray:
        """Number of pulses applied, 1 … n."""
        return np.arange(1, self.conductance.shape[1] + 1)

    @property
    def state(self) -> np.ndarray:
        """Pulses after the lowest state, as a part of all, shape (n,)."""
        return self.pulse / self.pulse.size if self.rising else 1 - self.pulse / self.pulse.size

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean cycle, shape (n,)."""
        return self.conductance.mean(axis=0)

    @cached_property
    def law(self) -> Fit:
        """The law fitted to the mean cycle."""
        variance = self.conductance.var(axis=0, ddof=1).mean() / len(self.conductance)
        law = fit_potentiation if self.rising else fit_depression
        return law(self.pulse, self.mean, math.sqrt(variance) or None)

    @cached_property
    def fitted(self) -> np.ndarray:
        """The law at each pulse, shape (n,)."""
        return potentiation_law(self.state, **self.law.params.valuesdict())

    @cached_property
    def slope(self) -> np.ndarray:
        """Derivatives of the law by its parameters, shape (n, parameters)."""
        params, names = self.law.params.copy(), self.law.names
        return central_differences(lambda trial: potentiation_law(self.state, **trial.valuesdict()), params, names)

    @cached_property
    def influence(self) -> np.ndarray:
        """Contribution of each cycle to the law's parameters (infinitesimal jackknife), shape (cycles, parameters)."""
        return (self.conductance - self.mean) @ np.linalg.pinv(self.slope).T

    @cached_property
    def errors(self) -> dict[str, float]:
        """Standard errors of the law's parameters."""
        return dict(zip(self.law.names, error_over_cycles(self.influence), strict=True))

    def without(self, cycle: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the other cycles, and the law as it would be fitted to them (to first order)."""
        others = np.delete(self.conductance, cycle, axis=0)
        return others, self.fitted - self.slope @ self.influence[cycle] / len(others)


# --- numbers and curves
def analyse_cycles(measurement: Measurement, potentiation: np.ndarray, depression: np.ndarray) -> Result:
    """Analyse a series of cycles: the law of each branch, and how the cycles repeat.

    The models ``potentiation`` and ``depression`` hold the law. The model ``cycles`` holds the rest:

    ``on_off_ratio``, ``dynamic_range``
        Ratio and difference of the mean states after the last potentiating and the last depressing pulse. These are the
        largest and the smallest state of a cycle; largest and smallest values of noisy points would be biased.
    ``asymmetry``
        max|Gp − Gd| / range at the same number of pulses from the lowest state; 0 for a device whose depression
        retraces its potentiation. It is taken where the two laws are farthest apart.
    ``cycle_to_cycle_variation``
        Standard deviation of a state over the cycles / range, mean of all states; it includes drift.
    ``write_noise``
        Standard deviation of the steps ΔG about those of the law / range, for each branch.
    ``conductance_drift``
        Change of each end state per cycle.
    ``transient_cycles``
        Leading cycles that were left out of all other numbers.

    Parameters
    ----------
    measurement
        Where the data come from.
    potentiation, depression
        Conductance after each pulse in S, shape (cycles, N) and (cycles, M).

    Returns
    -------
    Result
        The curves are named by their part alone: for each branch the mean cycle without the transient, its spread, the
        law and the residual.

    Raises
    ------
    AnalysisError
        If there are fewer than three cycles or five pulses, the branches differ in their cycles, values are not
        finite, or the conductance does not rise in potentiation from a positive value.
    """
    _check(measurement, potentiation, depression)
    transient = transient_cycles(potentiation, depression)
    up, down = Branch(potentiation[transient:], True), Branch(depression[transient:], False)
    left_out = {q.TRANSIENT_CYCLES: (transient, math.nan)}
    rows = [
        *measured(measurement, q.CYCLES, left_out, TRANSIENT, n=len(potentiation)),
        *_law_rows(measurement, up, q.POTENTIATION),
        *_law_rows(measurement, down, q.DEPRESSION),
        *_cycle_rows(measurement, up, down),
        *_drift_rows(measurement, up, down),
    ]
    return Result(rows, {q.POTENTIATION: _branch_curve(up), q.DEPRESSION: _branch_curve(down)})


def _check(measurement: Measurement, potentiation: np.ndarray, depression: np.ndarray) -> None:
    for name, branch in ((q.POTENTIATION, potentiation), (q.DEPRESSION, depression)):
        cycles, pulses = branch.shape
        if cycles < FEWEST_CYCLES or pulses < FEWEST_PULSES:
            raise AnalysisError(
                f"{measurement.id}: {name} has {cycles} cycles of {pulses} pulses; "
                f"{FEWEST_CYCLES} cycles of {FEWEST_PULSES} are needed"
            )
        if not np.isfinite(branch).all():
            raise AnalysisError(f"{measurement.id}: {name} holds states without value")
    if len(potentiation) != len(depression):
        raise AnalysisError(
            f"{measurement.id}: {len(potentiation)} cycles of potentiation, {len(depression)} of depression"
        )
    low, high = depression[:, -1].mean(), potentiation[:, -1].mean()
    if not 0 < low < high:
        raise AnalysisError(
            f"{measurement.id}: mean state {low:.3g} S after depression, {high:.3g} S after potentiation; "
            "an on/off ratio needs 0 < first < second (subtract the instrument's offset, check the sign)"
        )


def _law_rows(measurement: Measurement, branch: Branch, model: str) -> list[Number]:
    """Return the numbers of a law; the intervals of the pulse constant and of the label follow from that of alpha."""
    law, dof = branch.law, len(branch.conductance) - 2
    values = {FITTED[name]: (law.value(name), branch.errors[name]) for name in law.names}
    common = {"n": branch.conductance.size, "reduced_chi_square": law.reduced_chi_square}
    rows = [row.with_interval(dof) for row in measured(measurement, model, values, LAW, **common)]
    alpha = next(row for row in rows if row.parameter == q.CURVATURE.name)
    pulses = branch.pulse.size
    derived: Mapping[Quantity, Callable[[float], float]] = {
        q.PULSE_CONSTANT: lambda value: pulses / value if value else math.copysign(math.inf, alpha.value),
        q.NONLINEARITY: lambda value: nonlinearity_label(1 / value if value else math.inf),
    }
    for quantity, function in derived.items():
        step = 1e-4 * max(abs(alpha.value), 1e-3)
        slope = (function(alpha.value + step) - function(alpha.value - step)) / (2 * step)
        number = {quantity: (function(alpha.value), abs(slope) * alpha.standard_error)}
        low, high = _ends(function, alpha, through_zero=quantity is q.NONLINEARITY)
        rows += measured(measurement, model, number, LAW, ci_low=low, ci_high=high, **common)
    return rows


def _ends(function: Callable[[float], float], alpha: Number, *, through_zero: bool) -> tuple[float, float]:
    """Return the interval of a function of alpha; that of the pulse constant is open where alpha may be zero."""
    low, high = alpha.ci_low, alpha.ci_high
    if not through_zero and low <= 0 <= high:
        return (function(high), math.inf) if alpha.value > 0 else (-math.inf, function(low))
    first, second = function(low), function(high)
    return min(first, second), max(first, second)


def _cycle_rows(measurement: Measurement, up: Branch, down: Branch) -> list[Number]:
    """Return the numbers whose errors come from a jackknife over the cycles."""
    shared = up.state <= down.state[0]  # the state before the first depressing pulse is not among its readings
    distance = np.abs(up.fitted - np.interp(up.state, down.state[::-1], down.fitted[::-1]))
    place = np.argmax(np.where(shared, distance, -math.inf))

    def describe(
        rise: np.ndarray, rise_law: np.ndarray, fall: np.ndarray, fall_law: np.ndarray
    ) -> dict[tuple[Quantity, str], float]:
        """Return the numbers by quantity and branch, the ratio as its logarithm."""
        mean, reverse = rise.mean(axis=0), fall.mean(axis=0)
        span = mean[-1] - reverse[-1]
        back = np.interp(up.state[place], down.state[::-1], reverse[::-1])
        deviations = np.concatenate([rise.std(axis=0, ddof=1), fall.std(axis=0, ddof=1)])
        return {
            (q.ON_OFF_RATIO, ""): math.log(mean[-1] / reverse[-1]),
            (q.DYNAMIC_RANGE, ""): span,
            (q.ASYMMETRY, ""): abs(mean[place] - back) / span,
            (q.CYCLE_TO_CYCLE_VARIATION, ""): deviations.mean() / span,
            (q.WRITE_NOISE, q.POTENTIATION): (np.diff(rise) - np.diff(rise_law)).std(ddof=1) / span,
            (q.WRITE_NOISE, q.DEPRESSION): (np.diff(fall) - np.diff(fall_law)).std(ddof=1) / span,
        }

    values = describe(up.conductance, up.fitted, down.conductance, down.fitted)
    count = len(up.conductance)
    without = [describe(*up.without(cycle), *down.without(cycle)) for cycle in range(count)]
    rows = []
    for (quantity, branch), value in values.items():
        pseudo = [count * value - (count - 1) * drawn[quantity, branch] for drawn in without]
        error = float(error_over_cycles(np.array(pseudo)[:, None])[0])
        (row,) = measured(measurement, q.CYCLES, {quantity: (value, error)}, JACKKNIFE, feature=branch, n=count)
        row = row.with_interval(count - 2)
        if quantity is q.ON_OFF_RATIO:
            ratio, low, high = (math.exp(end) for end in (row.value, row.ci_low, row.ci_high))
            row = replace(row, value=ratio, standard_error=error * ratio, ci_low=low, ci_high=high)
        rows.append(row)
    return rows


def _drift_rows(measurement: Measurement, up: Branch, down: Branch) -> list[Number]:
    rows = []
    for end, branch in ((q.MAXIMUM, up), (q.MINIMUM, down)):
        last = branch.conductance[:, -1]
        line = stats.linregress(np.arange(last.size), last)
        scatter = last - line.intercept - line.slope * np.arange(last.size)
        error = line.stderr * math.sqrt(inflation(scatter[:, None])[0])
        drift = {q.CONDUCTANCE_DRIFT: (line.slope, error)}
        (row,) = measured(measurement, q.CYCLES, drift, REGRESSION, feature=end, n=last.size)
        rows.append(row.with_interval(last.size - 2))
    return rows


def _branch_curve(branch: Branch) -> xr.Dataset:
    columns = {
        "mean": (branch.mean, "S", "mean over the cycles"),
        "std": (branch.conductance.std(axis=0, ddof=1), "S", "standard deviation over the cycles"),
        "fit": (branch.fitted, "S", "law of the mean cycle"),
        "residual": (branch.mean - branch.fitted, "S", "residual"),
    }
    return dataset("pulse", columns, {"pulse": (branch.pulse, "1", "number of the pulse")})
