"""The models of a window: which one is chosen, and what background and line shape add to the error of a number."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from relaxor.core.results import Estimate
from relaxor.techniques.xps.region_fit import RegionFit

PREFERENCE = 4.0
"""A model later in the list is taken only if its AICc is lower by more than this ("considerably less support" for
the earlier one; Burnham & Anderson, doi 10.1007/b97636), times the misfit of the best one."""
SEEN = 2.0
"""Standard deviations at which an admixture of another model would be seen in the data."""
LEAST = 0.2
"""Admixture that is always possible, because no background and no line is exactly what a formula says."""
Key = TypeVar("Key")


def chosen(candidates: Mapping[str, RegionFit]) -> str:
    """Return the first model that no other beats clearly.

    A model whose search did not converge or ended at a limit is taken only if there is no other, and so is one with a
    background that the data want to be negative. Where the best model misses the data, it must beat others by as much
    more as the misfit enlarges all differences.
    """
    usable = {name: fitted for name, fitted in candidates.items() if fitted.usable} or candidates
    usable = {name: fitted for name, fitted in usable.items() if not fitted.backward} or usable
    best = min(usable.values(), key=lambda fitted: fitted.fit.aicc)
    limit = best.fit.aicc + PREFERENCE * best.adequacy.scale**2
    return next(name for name, fitted in usable.items() if fitted.fit.aicc <= limit)


def weights(candidates: Mapping[str, RegionFit]) -> dict[str, float]:
    """Return the Akaike weight of each model; zero for one that may not be chosen.

    Differences of AICc are divided by the misfit of the best model (QAICc; Burnham & Anderson, doi 10.1007/b97636).
    """
    usable = {name: fitted for name, fitted in candidates.items() if fitted.usable}
    if not usable:
        return dict.fromkeys(candidates, 0.0)
    best = min(usable.values(), key=lambda fitted: fitted.fit.aicc)
    likelihood = {name: math.exp(-_gap(best, fitted) / 2) for name, fitted in usable.items()}
    return {name: likelihood.get(name, 0.0) / sum(likelihood.values()) for name in candidates}


def assumed(
    fitted: RegionFit, others: Mapping[str, RegionFit], values: Callable[[RegionFit], Mapping[Key, Estimate]]
) -> dict[Key, dict[str, float]]:
    """Return what background and line shape add to the error of each number of a model, by the name of the cause.

    Between a model and one with another background or shape lie all admixtures of the two. Chi-square rises with the
    square of the admixture, to the difference of AICc at the other model, so that the data would show an admixture of
    `SEEN`/√difference. What this admixture changes in a number is its uncertainty: the whole difference where the data
    do not tell the models apart, or prefer the other one, and `LEAST` of it where they tell them apart well. Causes and
    models are independent. A model with a background that the data want to be negative is left out, see `left_out`.

    Parameters
    ----------
    fitted
        The model whose numbers are judged.
    others
        Models with the same lines.
    values
        Function that returns the numbers of a fit.
    """
    own = values(fitted)
    squares: dict[Key, dict[str, float]] = {key: {} for key in own}
    for other in others.values():
        if other is fitted or not other.usable or other.backward:
            continue
        cause = "line shape" if other.model.background == fitted.model.background else "background"
        gap = _gap(fitted, other)
        share = min(1.0, max(LEAST, SEEN / math.sqrt(gap))) if gap > 0 else 1.0
        changed = values(other)
        for key in own.keys() & changed.keys():
            size = (share * (changed[key][0] - own[key][0])) ** 2
            squares[key][cause] = squares[key].get(cause, 0.0) + size
    return {key: {cause: math.sqrt(size) for cause, size in found.items()} for key, found in squares.items()}


def left_out(candidates: Mapping[str, RegionFit]) -> str:
    """Return which models are left out of the spread of models and why, as a part of a sentence; nothing if none is."""
    reasons = dict.fromkeys(fitted.backward for fitted in candidates.values() if fitted.backward)
    return f"left out of the spread of models: {', '.join(reasons)}" if reasons else ""


def _gap(fitted: RegionFit, other: RegionFit) -> float:
    """Return by how much AICc is larger for another model, over the misfit of the first one."""
    return (other.fit.aicc - fitted.fit.aicc) / fitted.adequacy.scale**2
