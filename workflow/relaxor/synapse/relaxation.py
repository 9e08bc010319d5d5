"""Numbers and curves of a relaxation: laws with their intervals, and in words how many exponentials are known.

The fits are those of `relaxor.stats.decay`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, measured
from relaxor.core.variables import variable
from relaxor.stats.decay import (
    DOUBLE,
    DRIFTING,
    REPLICATES,
    SINGLE,
    STRETCHED,
    TRIPLE,
    Decay,
    Law,
    bootstrap_decay,
    fit_decay,
    profile_decay,
)
from relaxor.stats.fit import Fit, profile_rise, widened_method, widening

LAWS = (SINGLE, DOUBLE, STRETCHED)
"""Of a paired-pulse index."""
TAIL_LAWS = (*LAWS, DRIFTING, TRIPLE)
"""Of what follows a train: traps of two kinds, and the polarization as a slope or, in a long tail, as a decay."""
FEWER_AICC = 2.0
"""A law counts as preferred from this lower AICc on; Burnham & Anderson, doi 10.1177/0049124104268644."""
UNSUPPORTED = 10.0
"""A law whose AICc is higher than the lowest by more than this has essentially no support (the same source)."""
NORMAL_RANGE = (0.158655, 0.841345)
"""Quantiles of a normal distribution one standard deviation either side."""
FEWEST_POINTS = 5
POINTS_A_PARAMETER = 3
"""Fewest points a parameter on which a sum of exponentials is tested, not only drawn through them."""
WIDEST = 100.0
"""Largest ratio of the ends of an interval: a time constant not known to an order of magnitude is not identified."""
FINE_POINTS = 200
LEAST_SQUARES = "least squares by variable projection; profile likelihood"
BOOTSTRAP = f"parametric bootstrap, {REPLICATES} replicates, half the central 68.3 % range"
COUNTS = {1: "one exponential", 2: "two exponentials", 3: "three exponentials"}
IDENTIFIABLE, NOT_IDENTIFIABLE = "are identifiable", "are not identifiable"
Fits = Sequence[tuple[Decay, Fit]]


def fit_laws(
    measurement: Measurement,
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray | float | None,
    fixed_floor: float | None = None,
    *,
    laws: Sequence[Law] = LAWS,
    spread: np.ndarray | None = None,
) -> Fits:
    """Fit every law with a free floor, and with the known one where it is given.

    Laws with no fewer parameters than there are points are left out.

    Parameters
    ----------
    measurement
        Where the data come from.
    x, y
        Shape (n,); x not negative.
    sigma
        Standard uncertainty of y, one number or shape (n,); None where it is estimated from the scatter.
    fixed_floor
        Known value at large x (100 % for a paired-pulse index), in the unit of y.
    laws
        Which.
    spread
        See `relaxor.stats.decay.Decay`.

    Raises
    ------
    AnalysisError
        If there are fewer than five different x, values are not finite, x is negative or sigma is not positive.
    """
    _check(measurement, x, y, sigma)
    floors = [None] if fixed_floor is None else [None, fixed_floor]
    found: list[tuple[Decay, Fit]] = []
    for floor in floors:
        known: dict[int, Fit] = {}
        for decay in (Decay(law, x, y, sigma, floor, spread) for law in laws):
            if decay.size < x.size:
                fitted = fit_decay(decay, known.get(decay.law.terms - 1))
                found.append((decay, fitted))
                known |= {} if decay.law.stretched or decay.law.drift else {decay.law.terms: fitted}
    return found


def _check(measurement: Measurement, x: np.ndarray, y: np.ndarray, sigma: np.ndarray | float | None) -> None:
    if np.unique(x).size < FEWEST_POINTS:
        raise AnalysisError(
            f"{measurement.id}: {np.unique(x).size} different points; a law of relaxation needs {FEWEST_POINTS}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise AnalysisError(f"{measurement.id}: values to be fitted by a law of relaxation are not finite")
    if x.min() < 0:
        raise AnalysisError(f"{measurement.id}: relaxation begins at 0, found {x.min():g}; count x from its beginning")
    if sigma is not None and not np.all(np.asarray(sigma) > 0):
        raise AnalysisError(f"{measurement.id}: uncertainties must be positive; leave them out if they are not known")


# --- rows
def decay_rows(measurement: Measurement, fits: Fits, unit: str, x_unit: str) -> list[Number]:
    """Return the rows of all laws: parameters with profile intervals, their bootstrap errors, AICc.

    A bootstrap error is half the range of the central 68.3 % of replicates: where a time constant is hardly
    determined, their standard deviation would be that of the largest few.

    Parameters
    ----------
    measurement
        Where the data come from.
    fits
        What `fit_laws` returned.
    unit, x_unit
        Units of y and x.
    """
    rows: list[Number] = []
    for decay, fitted in fits:
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        law_rows = _law_rows(measurement, decay, fitted, unit, x_unit)
        drawn = bootstrap_decay(decay, fitted)
        spread = {
            f"{row.parameter}_bootstrap_error": (_half_range(drawn[row.parameter]), math.nan, row.unit)
            for row in law_rows
        }
        rows += [*law_rows, *measured(measurement, decay.model, spread, BOOTSTRAP, **common)]
        rows += _aicc_row(measurement, decay, fitted)
    return rows


def supported_rows(measurement: Measurement, fits: Fits, unit: str, x_unit: str) -> list[Number]:
    """Return the AICc of all laws, and the parameters of those that it supports.

    No law is known to hold. Those without support miss the points, and what their parameters come to depends on where
    the points lie: they have none here, nor has a sum of exponentials where one of fewer parameters does as well. Where
    even the best one misses the points, errors are widened by the misfit.

    Parameters
    ----------
    measurement, fits, unit, x_unit
        See `decay_rows`.
    """
    least = min(fitted.aicc for _, fitted in fits)
    sums = {decay.size: fitted.aicc for decay, fitted in fits if not decay.law.stretched}
    rows: list[Number] = []
    for decay, fitted in fits:
        (aicc,) = _aicc_row(measurement, decay, fitted)
        simpler = min((other for size, other in sums.items() if size < decay.size), default=math.inf)
        needless = not decay.law.stretched and fitted.aicc > simpler - FEWER_AICC
        if needless or fitted.aicc > least + UNSUPPORTED:
            aicc = replace(aicc, method=f"{aicc.method}; not supported: no parameters are given")
        else:
            rows += _widened(_law_rows(measurement, decay, fitted, unit, x_unit), fitted)
        rows.append(aicc)
    return rows


def _law_rows(measurement: Measurement, decay: Decay, fitted: Fit, unit: str, x_unit: str) -> list[Number]:
    """Make the rows of the parameters of a law: profile intervals, and standard errors that are a part of these.

    What has no end on one side has no standard error; the covariance would give it one.
    """
    unit_of = dict.fromkeys(decay.quoted, unit) | dict.fromkeys(decay.law.taus, x_unit)
    unit_of |= {"slope": f"{unit}/{x_unit}"} if decay.law.drift else {}
    unit_of |= {"beta": "1"} if decay.law.stretched else {}
    ends, target = profile_decay(decay, fitted), profile_rise(fitted)[1]
    rows = []
    for row in fitted.numbers(measurement, decay.model, unit_of, LEAST_SQUARES):
        low, high = ends[row.parameter]
        error, method = (high - low) / (2 * target), row.method
        if math.isinf(high) or math.isinf(low) or (low == 0 and row.unit == x_unit):
            error, method = math.nan, f"{method}; the data set no end on one side: not identifiable"
        rows.append(replace(row, ci_low=low, ci_high=high, standard_error=error, method=method))
    return rows


def _half_range(drawn: np.ndarray) -> float:
    return float(np.diff(np.quantile(drawn, NORMAL_RANGE))[0]) / 2


def _aicc_row(measurement: Measurement, decay: Decay, fitted: Fit) -> list[Number]:
    common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
    return measured(measurement, decay.model, {"aicc": (fitted.aicc, math.nan, "1")}, LEAST_SQUARES, **common)


def _widened(rows: list[Number], fitted: Fit) -> list[Number]:
    """Widen errors and intervals by the root of reduced chi-square where that is larger than by chance."""
    scale = widening(fitted)
    if scale == 1:
        return rows
    widened = []
    for row in rows:
        low, high = (row.value + scale * (end - row.value) for end in (row.ci_low, row.ci_high))
        low = max(low, 0.0) if row.parameter.startswith("tau") else low
        error, method = row.standard_error * scale, widened_method(row.method, scale)
        widened.append(replace(row, ci_low=low, ci_high=high, standard_error=error, method=method))
    return widened


def identifiability(rows: Sequence[Number], law: Law = DOUBLE, *, fixed_floor: bool = False) -> str:
    """Say whether the data tell the exponentials of a law apart, and if not, why.

    They do if there are `POINTS_A_PARAMETER`, AICc is lower than that of one exponential fewer by at least `FEWER_AICC`
    and no other law has a lower one by as much (a stretched exponential, with fewer parameters, often does as well),
    none of fewer parameters does as well (`supported_rows`), the intervals of all time constants end on both sides,
    less than `WIDEST` apart, and no two of them overlap. Points
    are counted because in AICc small errors make up for few points: they do not tell what else runs through so few.

    Parameters
    ----------
    rows
        What `decay_rows` or `supported_rows` returned.
    law
        Of two or three exponentials.
    fixed_floor
        Whether the laws with the known floor are meant.
    """
    end = "_fixed_floor" if fixed_floor else ""
    found = {(row.model, row.parameter): row for row in rows}
    aicc = {model.removesuffix(end): row.value for (model, name), row in found.items()
            if name == "aicc" and model.endswith("_fixed_floor") == fixed_floor}  # fmt: skip
    what = COUNTS[law.terms]
    if law.name not in aicc:
        return f"{what} {NOT_IDENTIFIABLE}: {found[SINGLE.name + end, 'aicc'].n} points are too few to fit them"
    points, size = found[law.name + end, "aicc"].n, 2 * law.terms + (not fixed_floor)
    objections = []
    if points < POINTS_A_PARAMETER * size:
        objections += [f"{points} points for {size} parameters, {POINTS_A_PARAMETER * size} are needed to test them"]
    taus = [found[law.name + end, name] for name in law.taus if (law.name + end, name) in found]
    objections += [*_better_laws(aicc, law), *_unknown_times(taus)]
    if not taus and not objections:
        objections = ["a law of fewer parameters does as well"]
    gain = aicc[_simpler(law).name] - aicc[law.name]
    numbers = [f"{tau.parameter} {tau.ci_low:.3g} to {tau.ci_high:.3g} {tau.unit}" for tau in taus]
    evidence = ", ".join([f"AICc lower by {gain:.1f}", *numbers])
    if objections:
        return f"{what} {NOT_IDENTIFIABLE}: {'; '.join(objections)} ({evidence})"
    return f"{what} {IDENTIFIABLE} ({evidence})"


def _simpler(law: Law) -> Law:
    """Return the law of one exponential fewer."""
    return (SINGLE, DOUBLE)[law.terms - 2]


def _better_laws(aicc: Mapping[str, float], law: Law) -> Iterator[str]:
    """Say which laws do as well as a sum of exponentials, or better."""
    simpler = _simpler(law)
    if aicc[simpler.name] - aicc[law.name] < FEWER_AICC:
        yield f"AICc is not lower than that of {COUNTS[simpler.terms]} by {FEWER_AICC:g}"
    for name, other in aicc.items():
        if name != simpler.name and aicc[law.name] - other >= FEWER_AICC:
            yield f"AICc of a {name.replace('_', ' ')} is lower by {aicc[law.name] - other:.1f}"


def _unknown_times(taus: Sequence[Number]) -> Iterator[str]:
    """Say which time constants are not known, or not apart."""
    for tau in taus:
        if tau.ci_low == 0:
            yield f"{tau.parameter} has no lower end"
        elif WIDEST * tau.ci_low < tau.ci_high < math.inf:
            yield f"{tau.parameter} is known within a factor of {tau.ci_high / tau.ci_low:.0f} only"
        if math.isinf(tau.ci_high):
            yield f"{tau.parameter} has no upper end"
    for one, other in pairwise(taus):
        if one.ci_high >= other.ci_low:
            yield f"the intervals of {one.parameter} and {other.parameter} overlap"


def identifiability_row(measurement: Measurement, model: str, words: str, law: Law = DOUBLE) -> list[Number]:
    """Make the row that holds 1 where the exponentials of a law are identifiable, else 0, with the words."""
    verdict = float(words.startswith(f"{COUNTS[law.terms]} {IDENTIFIABLE}"))
    return measured(measurement, model, {COUNTS[law.terms].replace(" ", "_"): (verdict, 0.0, "1")}, words)


# --- curves
def decay_curves(
    fits: Fits, unit: str, x_unit: str, *, x_name: str = "interval", y_name: str = "index"
) -> dict[str, xr.Dataset]:
    """Return the ``points`` with the residual of each law, and the ``laws`` on a fine scale of x.

    Parameters
    ----------
    fits, unit, x_unit
        See `decay_rows`.
    x_name, y_name
        Names of the coordinate and of the data.
    """
    x, y, sigma = fits[0][0].x, fits[0][0].y, fits[0][0].sigma
    points = {y_name: variable(x_name, y, unit, y_name)}
    if sigma is not None:
        error = np.broadcast_to(sigma, y.shape)
        points[f"{y_name}_uncertainty"] = variable(x_name, error, unit, f"standard uncertainty of {y_name}")
    for decay, fitted in fits:
        residual = y - decay.curve(fitted, x)
        points[f"residual_{decay.model}"] = variable(x_name, residual, unit, f"residual of {decay.model}")
    shortest = x[x > 0].min()
    fine = np.geomspace(shortest / 1.3, x.max() * 1.3, FINE_POINTS)
    laws = {decay.model: variable(x_name, decay.curve(fitted, fine), unit, decay.model) for decay, fitted in fits}
    return {
        name: xr.Dataset(content, coords={x_name: variable(x_name, scale, x_unit, x_name)})
        for name, content, scale in (("points", points, x), ("laws", laws, fine))
    }
