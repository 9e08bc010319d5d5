"""Numbers and curves of a relaxation: laws with their intervals, and whether their exponentials can be told apart.

The fits are those of `relaxor.stats.decay`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, Status, measured
from relaxor.core.variables import variable
from relaxor.stats import decay as decays
from relaxor.stats.adequacy import UNSUPPORTED
from relaxor.stats.fit import Fit
from relaxor.stats.intervals import profile_rise
from relaxor.stats.quantities import AICC
from relaxor.synapse import quantities as q

LAWS = (decays.SINGLE, decays.DOUBLE, decays.STRETCHED)
"""Laws of a paired-pulse index."""
TAIL_LAWS = (*LAWS, decays.DRIFTING, decays.TRIPLE)
"""Laws of the relaxation after a train: two kinds of traps, and the polarization as a slope or as a slow decay."""
FEWER_AICC = 2.0
"""Difference of AICc above which a law counts as preferred; Burnham & Anderson, doi 10.1177/0049124104268644."""
NORMAL_RANGE = (0.158655, 0.841345)
"""Quantiles of a normal distribution one standard deviation either side."""
FEWEST_POINTS = 5
POINTS_PER_PARAMETER = 3
"""Fewest points per parameter on which a sum of exponentials is tested, not only drawn through them."""
WIDEST = 100.0
"""Largest ratio of the ends of an interval: a time constant not known to an order of magnitude is not identified."""
FINE_POINTS = 200
LEAST_SQUARES = "least squares by variable projection; profile likelihood"
BOOTSTRAP = f"parametric bootstrap, {decays.REPLICATES} replicates, half the central 68.3 % range"
COUNTS = {1: "one exponential", 2: "two exponentials", 3: "three exponentials"}
Fits = Sequence[tuple[decays.Decay, Fit]]


def fit_laws(
    measurement: Measurement,
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray | float | None,
    fixed_floor: float | None = None,
    *,
    laws: Sequence[decays.Law] = LAWS,
    spread: np.ndarray | None = None,
) -> Fits:
    """Fit every law with a free floor, and with the known floor where it is given.

    Laws that have at least as many parameters as there are points are left out.

    Parameters
    ----------
    measurement
        Where the data come from.
    x, y
        Time in s, not negative, and data; shape (n,).
    sigma
        Standard uncertainty of y, one number or shape (n,); None where it is estimated from the scatter.
    fixed_floor
        Known value at large x (100 % for a paired-pulse index), in the unit of y.
    laws
        The laws.
    spread
        See `relaxor.stats.decay.Decay`.

    Raises
    ------
    AnalysisError
        If there are fewer than five different x, values are not finite, x is negative or sigma is not positive.
    """
    _check(measurement, x, y, sigma)
    floors = [None] if fixed_floor is None else [None, fixed_floor]
    found: list[tuple[decays.Decay, Fit]] = []
    for floor in floors:
        known: dict[int, Fit] = {}
        for decay in (decays.Decay(law, x, y, sigma, floor, spread) for law in laws):
            if decay.size < x.size:
                fitted = decays.fit_decay(decay, known.get(decay.law.terms - 1))
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
def decay_rows(measurement: Measurement, fits: Fits, unit: str) -> list[Number]:
    """Return the numbers of all laws: parameters with profile intervals, their bootstrap errors, and AICc.

    A bootstrap error is half the range of the central 68.3 % of the replicates. Where a time constant is hardly
    determined, their standard deviation would be that of the few largest replicates.

    Parameters
    ----------
    measurement
        Where the data come from.
    fits
        What `fit_laws` returned.
    unit
        Unit of y.
    """
    rows: list[Number] = []
    for decay, fitted in fits:
        law_rows = _law_rows(measurement, decay, fitted, unit)
        drawn = decays.bootstrap_decay(decay, fitted)
        rows += law_rows
        for row, name in zip(law_rows, decay.quoted, strict=True):
            low, high = np.quantile(drawn[name], NORMAL_RANGE)
            error = {q.BOOTSTRAP_ERRORS[row.parameter].in_unit(row.unit): ((high - low) / 2, math.nan)}
            common = {"n": row.n, "reduced_chi_square": row.reduced_chi_square, "feature": row.feature}
            rows += measured(measurement, decay.model, error, BOOTSTRAP, **common)
        rows += _aicc_row(measurement, decay, fitted)
    return rows


def supported_rows(measurement: Measurement, fits: Fits, unit: str) -> list[Number]:
    """Return the AICc of all laws, and the parameters of those laws that AICc supports.

    No law is known to hold. Laws without support miss the points, and the values of their parameters depend on where
    the points lie, so that no parameters are given for them. The same holds for a sum of exponentials where a sum of
    fewer parameters does as well. Where even the best law misses the points, errors are widened by the misfit.

    Parameters
    ----------
    measurement, fits, unit
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
            rows += _law_rows(measurement, decay, fitted, unit)
        rows.append(aicc)
    return rows


def _quantities(decay: decays.Decay, unit: str) -> dict[str, tuple[Quantity, str]]:
    """Return the parameters that are quoted: name in the fit → quantity, and number of the exponential if several."""
    law = decay.law
    named = {"floor": (q.FLOOR.in_unit(unit), ""), "slope": (q.DRIFT.in_unit(f"{unit}/s"), "")}
    named["beta"] = q.STRETCHING_EXPONENT, ""
    for quantity, names in ((q.AMPLITUDE.in_unit(unit), law.amplitudes), (q.RELAXATION_TIME, law.taus)):
        named |= {name: (quantity, str(k) if law.terms > 1 else "") for k, name in enumerate(names, 1)}
    return {name: named[name] for name in decay.quoted}


def _law_rows(measurement: Measurement, decay: decays.Decay, fitted: Fit, unit: str) -> list[Number]:
    """Make the numbers of the parameters of a law: profile intervals, and standard errors that are a part of these.

    A parameter whose interval has no end on one side has no standard error; the covariance would give it one.
    """
    ends, target = decays.profile_decay(decay, fitted), profile_rise(fitted)[1]
    rows = []
    for name, (quantity, number) in _quantities(decay, unit).items():
        (row,) = fitted.numbers(measurement, decay.model, {name: quantity}, LEAST_SQUARES, feature=number)
        low, high = ends[name]
        row = replace(row, ci_low=low, ci_high=high, standard_error=(high - low) / (2 * target))
        if math.isinf(high) or math.isinf(low) or (low == 0 and quantity is q.RELAXATION_TIME):
            unknown = "the data set no end on one side: not identifiable"
            row = replace(row, standard_error=math.nan).flagged(Status.NOT_IDENTIFIED, unknown)
        rows.append(row)
    return rows


def _aicc_row(measurement: Measurement, decay: decays.Decay, fitted: Fit) -> list[Number]:
    return measured(measurement, decay.model, {AICC: (fitted.aicc, math.nan)}, LEAST_SQUARES, **fitted.quality)


# --- whether exponentials can be told apart
def identifiability(
    measurement: Measurement, model: str, fits: Fits, rows: Sequence[Number], law: decays.Law = decays.DOUBLE
) -> Number:
    """Return 1 if the data tell the exponentials of a law apart, else 0; ``method`` says why.

    See `objections` for what is required.

    Parameters
    ----------
    measurement, model
        Where the data come from, and the model that the number is given for.
    fits
        What `fit_laws` returned, either with a free floor or with the known one.
    rows
        What `decay_rows` or `supported_rows` made of them.
    law
        A law of two or three exponentials.
    """
    aicc, points = {decay.law: fitted.aicc for decay, fitted in fits}, fits[0][1].n
    decay = next((each for each, _ in fits if each.law == law), None)
    what = COUNTS[law.terms]
    if decay is None:
        holds, words = False, f"{what} are not identifiable: {points} points are too few to fit them"
    else:
        times = [row for row in rows if row.model == decay.model and row.parameter == q.RELAXATION_TIME.name]
        against = objections(law, aicc, times, points, decay.size)
        gain = f"AICc lower by {aicc[_simpler(law)] - aicc[law]:.1f}"
        ranges = [f"{_time(time)} {time.ci_low:.3g} to {time.ci_high:.3g} {time.unit}" for time in times]
        evidence = ", ".join([gain, *ranges])
        holds = not against
        words = f"{what} are {'' if holds else 'not '}identifiable"
        words += f"{'' if holds else ': ' + '; '.join(against)} ({evidence})"
    (number,) = measured(measurement, model, {q.IDENTIFIABLE: (holds, math.nan)}, words, feature=law.name)
    return number


def objections(
    law: decays.Law, aicc: Mapping[decays.Law, float], times: Sequence[Number], points: int, parameters: int
) -> list[str]:
    """Return what speaks against calling the exponentials of a law identifiable, in words; nothing if they are.

    They are identifiable if there are at least `POINTS_PER_PARAMETER` points per parameter; if AICc is lower than that
    of one exponential fewer by at least `FEWER_AICC`; if no other law has an AICc that is lower by as much (a stretched
    exponential, with fewer parameters, often does as well); if parameters of the law are given (`supported_rows`); and
    if the intervals of all time constants end on both sides, have ends less than a factor `WIDEST` apart, and do not
    overlap. Points are counted because in AICc small errors make up for few points: small errors do not tell what else
    runs through so few points.

    Parameters
    ----------
    law
        A law of two or three exponentials.
    aicc
        AICc of every law that was fitted.
    times
        Time constants of the law, in their order; none if the law is not supported.
    points, parameters
        Number of points, and of parameters of the law.
    """
    found = []
    if points < POINTS_PER_PARAMETER * parameters:
        found = [
            f"{points} points for {parameters} parameters, {POINTS_PER_PARAMETER * parameters} are needed to test them"
        ]
    found += [*_better_laws(aicc, law), *_unknown_times(times)]
    return found if times or found else ["a law of fewer parameters does as well"]


def _simpler(law: decays.Law) -> decays.Law:
    """Return the law of one exponential fewer."""
    return (decays.SINGLE, decays.DOUBLE)[law.terms - 2]


def _better_laws(aicc: Mapping[decays.Law, float], law: decays.Law) -> Iterator[str]:
    """Name the laws that describe the data at least as well as a sum of exponentials."""
    simpler = _simpler(law)
    if aicc[simpler] - aicc[law] < FEWER_AICC:
        yield f"AICc is not lower than that of {COUNTS[simpler.terms]} by {FEWER_AICC:g}"
    for other, value in aicc.items():
        if other != simpler and aicc[law] - value >= FEWER_AICC:
            yield f"AICc of a {other.name.replace('_', ' ')} is lower by {aicc[law] - value:.1f}"


def _unknown_times(times: Sequence[Number]) -> Iterator[str]:
    """Name the time constants that are undetermined or not distinct."""
    for time in times:
        if time.ci_low == 0:
            yield f"{_time(time)} has no lower end"
        elif WIDEST * time.ci_low < time.ci_high < math.inf:
            yield f"{_time(time)} is known within a factor of {time.ci_high / time.ci_low:.0f} only"
        if math.isinf(time.ci_high):
            yield f"{_time(time)} has no upper end"
    for one, other in pairwise(times):
        if one.ci_high >= other.ci_low:
            yield f"the intervals of {_time(one)} and {_time(other)} overlap"


def _time(row: Number) -> str:
    return f"relaxation time {row.feature}"


# --- curves
def law_curves(fits: Fits, unit: str) -> xr.Dataset:
    """Return the fitted laws against the interval in s, on a fine scale; the attribute ``terms`` counts exponentials.

    Parameters
    ----------
    fits, unit
        See `decay_rows`.
    """
    x = fits[0][0].x
    fine = np.geomspace(x[x > 0].min() / 1.3, x.max() * 1.3, FINE_POINTS)
    laws = {
        decay.model: variable("interval", decay.curve(fitted, fine), unit, decay.model, terms=decay.law.terms)
        for decay, fitted in fits
    }
    return xr.Dataset(laws, coords={"interval": variable("interval", fine, "s", "interval")})
