"""Numbers and curves of a relaxation: every law with its intervals, and in words whether two exponentials are known.

The fits are those of `relaxor.plasticity.decay`.
"""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from relaxor.data import Measurement, Number, measured
from relaxor.errors import AnalysisError
from relaxor.fitting import Fit
from relaxor.plasticity.decay import (
    DOUBLE,
    LARGEST_TAU,
    LAWS,
    REPLICATES,
    SINGLE,
    Decay,
    bootstrap_decay,
    fit_decay,
    profile_decay,
)
from relaxor.readers.schema import variable

FEWER_AICC = 2.0
"""Two exponentials count as preferred from this lower AICc on; Burnham & Anderson, doi 10.1177/0049124104268644."""
NORMAL_RANGE = (0.158655, 0.841345)
"""Quantiles of a normal distribution one standard deviation either side."""
FEWEST_POINTS = 5
FINE_POINTS = 200
LEAST_SQUARES = "least squares by variable projection; profile likelihood"
BOOTSTRAP = f"parametric bootstrap, {REPLICATES} replicates, half the central 68.3 % range"
IDENTIFIABLE = "two exponentials are identifiable"
NOT_IDENTIFIABLE = "two exponentials are not identifiable"


def fit_laws(
    x: np.ndarray, y: np.ndarray, sigma: np.ndarray | float | None, fixed_floor: float | None = None
) -> list[tuple[Decay, Fit]]:
    """Fit every law with a free floor, and with the known one where it is given.

    Laws with no fewer parameters than there are points are left out.

    Parameters
    ----------
    x, y
        Shape (n,); x not negative.
    sigma
        Standard uncertainty of y, one number or shape (n,); None where it is estimated from the scatter.
    fixed_floor
        Known value at large x (100 % for a paired-pulse index), in the unit of y.
    """
    floors = [None] if fixed_floor is None else [None, fixed_floor]
    candidates = [Decay(law, x, y, sigma, floor) for floor in floors for law in LAWS]
    return [(decay, fit_decay(decay)) for decay in candidates if decay.size < x.size]


def decay_rows(
    measurement: Measurement,
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray | float | None,
    unit: str,
    x_unit: str,
    fixed_floor: float | None = None,
) -> list[Number]:
    """Return the rows of all laws: parameters with profile intervals, their bootstrap errors, AICc.

    A bootstrap error is half the range of the central 68.3 % of replicates: where a time constant is hardly
    determined, their standard deviation would be that of the largest few.

    Parameters
    ----------
    measurement
        Where the data come from.
    x, y, sigma, fixed_floor
        See `fit_laws`.
    unit, x_unit
        Units of y and x.

    Raises
    ------
    AnalysisError
        If there are fewer than five different x, values are not finite, x is negative or sigma is not positive.
    """
    _check(measurement, x, y, sigma)
    rows: list[Number] = []
    for decay, fitted in fit_laws(x, y, sigma, fixed_floor):
        units = dict.fromkeys(decay.linear, unit) | dict.fromkeys(decay.law.taus, x_unit)
        units |= {"beta": "1"} if decay.law.stretched else {}
        law_rows = fitted.numbers(measurement, decay.model, units, LEAST_SQUARES)
        longest = LARGEST_TAU * float(np.ptp(x))
        for row in law_rows:
            row.ci_low, row.ci_high = profile_decay(decay, fitted, row.parameter)
            if row.parameter.startswith("tau") and row.value > longest:
                row.ci_high = math.inf
            if row.standard_error == 0 or (row.parameter.startswith("tau") and row.value > longest):
                row.standard_error, row.method = math.nan, f"{row.method}; at its bound: not identifiable"
        spread = {
            f"{name}_bootstrap_error": (np.diff(np.quantile(drawn, NORMAL_RANGE))[0] / 2, math.nan, units[name])
            for name, drawn in bootstrap_decay(decay, fitted).items()
        }
        common = {"n": fitted.n, "reduced_chi_square": fitted.reduced_chi_square}
        rows += law_rows
        rows += measured(measurement, decay.model, spread, BOOTSTRAP, **common)
        rows += measured(measurement, decay.model, {"aicc": (fitted.aicc, math.nan, "1")}, LEAST_SQUARES, **common)
    return rows


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


def identifiability(rows: Sequence[Number], *, fixed_floor: bool = False) -> str:
    """Say whether the data tell two exponentials apart, and if not, why.

    They do if AICc is lower than that of one exponential by at least `FEWER_AICC`, the intervals of both time
    constants end on both sides, and the two intervals do not overlap.

    Parameters
    ----------
    rows
        What `decay_rows` returned.
    fixed_floor
        Whether the laws with the known floor are meant.
    """
    end = "_fixed_floor" if fixed_floor else ""
    found = {(row.model, row.parameter): row for row in rows}
    double, single = DOUBLE.name + end, SINGLE.name + end
    if (double, "aicc") not in found:
        return f"{NOT_IDENTIFIABLE}: {found[single, 'aicc'].n} points are too few to fit them"
    gain = found[single, "aicc"].value - found[double, "aicc"].value
    taus = [found[double, name] for name in DOUBLE.taus]
    objections = [] if gain >= FEWER_AICC else [f"AICc is not lower than that of one by {FEWER_AICC:g}"]
    objections += [f"{tau.parameter} has no lower end" for tau in taus if tau.ci_low == 0]
    objections += [f"{tau.parameter} has no upper end" for tau in taus if math.isinf(tau.ci_high)]
    objections += ["the intervals of tau_1 and tau_2 overlap"] if taus[0].ci_high >= taus[1].ci_low else []
    numbers = [f"{tau.parameter} {tau.ci_low:.3g} to {tau.ci_high:.3g} {tau.unit}" for tau in taus]
    evidence = f"AICc lower by {gain:.1f}, {', '.join(numbers)}"
    return f"{NOT_IDENTIFIABLE}: {'; '.join(objections)} ({evidence})" if objections else f"{IDENTIFIABLE} ({evidence})"


def decay_curves(
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray | float | None,
    unit: str,
    x_unit: str,
    fixed_floor: float | None = None,
    *,
    x_name: str = "interval",
    y_name: str = "index",
) -> dict[str, xr.Dataset]:
    """Return the ``points`` with the residual of each law, and the ``laws`` on a fine scale of x.

    Parameters
    ----------
    x, y, sigma, unit, x_unit, fixed_floor
        See `decay_rows`.
    x_name, y_name
        Names of the coordinate and of the data.
    """
    fits = fit_laws(x, y, sigma, fixed_floor)
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
