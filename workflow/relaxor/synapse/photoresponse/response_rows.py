"""Numbers of a fitted optical response."""

import math
from dataclasses import replace
from typing import Any

from relaxor.core.results import (
    Adequacy,
    Measurement,
    Number,
    Status,
    measured,
    student_quantile,
)
from relaxor.stats.quantities import AICC
from relaxor.synapse.photoresponse import quantities as q
from relaxor.synapse.photoresponse.response import AT_REFERENCE, LOGARITHMIC, QUANTITIES, RATE_OF, Response
from relaxor.synapse.photoresponse.traps import PER_DECADE, QUANTILES
from relaxor.synapse.quantities import LIGHT_STIMULUS, RELAXATION_TIME


def response_rows(measurement: Measurement, response: Response) -> list[Number]:
    """Return the numbers of a response: parameters, noise, dark current and drift, AICc of the models compared.

    Parameters
    ----------
    measurement
        Measurement whose name, hash and origin the numbers carry.
    response
        What `fit_response` returned.
    """
    common: dict[str, Any] = {"n": response.n, "reduced_chi_square": response.reduced_chi_square}
    common["adequacy"] = _said(response)
    quantile = student_quantile(response.freedom)
    rows = []
    for name, value in response.values.items():
        quantity, part = QUANTITIES[name]
        error, method = response.error(name), _method(response, name)
        at = {"at": response.reference_power, "at_unit": LIGHT_STIMULUS} if name in AT_REFERENCE else {}
        (row,) = measured(
            measurement, q.PHOTORESPONSE, {quantity: (value, error)}, method, feature=part, **common, **at
        )
        if name in LOGARITHMIC:
            ratio = math.exp(min(quantile * error / value, 700.0))
            rows.append(replace(row, ci_low=value / ratio, ci_high=value * ratio))
        else:
            rows.append(row.with_interval(response.freedom))
    noise, method = response.noise, "residuals of the fit of all runs"
    rest = {
        q.NOISE_ADDITIVE: (noise.additive, noise.additive_error),
        q.NOISE_MULTIPLICATIVE: (noise.multiplicative, noise.multiplicative_error),
        q.DARK_CURRENT: (response.dark_current, response.dark_error),
        q.DARK_CURRENT_SPREAD: (response.dark_spread, response.dark_spread_error),
        q.DARK_CURRENT_DRIFT: (response.drift, response.drift_error),
    }
    rows += measured(measurement, q.PHOTORESPONSE, rest, method, **common)
    for model, value in response.aicc.items():
        rows += measured(measurement, q.PHOTORESPONSE, {AICC: (value, math.nan)}, method, feature=model, **common)
    method = "second differences of the readings less the response"
    own = {q.NOISE_OF_NEIGHBOURS: (response.own.value, response.own.error)}
    rows += measured(measurement, q.PHOTORESPONSE, own, method, n=response.own.count)
    return rows + _trap_rows(measurement, response)


def _said(response: Response) -> Adequacy:
    """Return the judgement of two kinds of traps, with what describes the data better."""
    if not response.traps:
        return response.adequacy
    gain = response.aicc[q.TWO_KINDS] - response.traps.aicc
    better = f"a distribution of traps does better (AICc lower by {gain:.3g}) and predicts the currents"
    return response.adequacy.joined(Adequacy(Status.MISFIT, 1.0, better))


def _trap_rows(measurement: Measurement, response: Response) -> list[Number]:
    """Return the numbers of a distribution of traps, if it is preferred."""
    traps = response.traps
    if not traps:
        return []
    common: dict[str, Any] = {"n": response.n, "adequacy": traps.adequacy}
    method = f"non-negative least squares of all runs over {traps.times.size} kinds of traps on a grid"
    rows = measured(measurement, q.TRAPS, {q.POWER_EXPONENT: (traps.alpha, traps.alpha_error)}, method, **common)
    noise = {
        q.NOISE_MULTIPLICATIVE: (traps.noise.multiplicative, traps.noise.multiplicative_error),
        AICC: (traps.aicc, math.nan),
    }
    rows += measured(measurement, q.TRAPS, noise, method, **common)
    for share, time in zip(QUANTILES, traps.quantiles(), strict=True):
        found = {RELAXATION_TIME: (time, math.nan)}
        words = f"{method}; {100 * share:.0f} % of the current under steady light comes from faster traps"
        (row,) = measured(measurement, q.TRAPS, found, words, feature=f"{100 * share:.0f} %", **common)
        row = row.with_component(
            "grid of decay times", time * math.log(10) / PER_DECADE / math.sqrt(12), "step of the grid"
        )
        rows.append(row.flagged(Status.ASSUMED, "the shape of a distribution is hardly determined"))
    return rows


def _method(response: Response, name: str) -> str:
    method = "generalized least squares of all runs, random gain per run"
    if QUANTITIES[name][0] is q.POWER_EXPONENT and "alpha" not in response.names:
        return f"{method}; held: one power only, the exponent is not identifiable"
    if name in LOGARITHMIC and name not in response.names:
        return f"{method}; held at its bound: not identifiable"
    if name in RATE_OF and RATE_OF[name] not in response.names:
        return f"{method}; far from saturation: only its product with the filling rate, which is held, is identifiable"
    if name == "alpha0" and name not in response.names:
        return f"{method}; one exponent for all (AICc)"
    return method
