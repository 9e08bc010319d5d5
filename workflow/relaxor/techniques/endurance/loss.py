"""Retention: the loss of a state with time, and what it says about years.

The logarithm of the value falls in proportion to (t^β − 1)/β: for β = 0 this is a power of the time, for β = 1 an
exponential, in between a stretched exponential, and below zero the loss levels off. Data of hours do not tell these
apart for ten years. What a law states for later times therefore has the distance from all laws that the data support
as a systematic error: those that Akaike's criterion does not reject, and every β within the 95 % profile likelihood.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, Status, measured, student_quantile
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import UNSUPPORTED
from relaxor.stats.fit import aicc
from relaxor.stats.quantities import AICC
from relaxor.synapse.cycles import inflation
from relaxor.techniques.endurance import quantities as q
from relaxor.techniques.endurance.columns import Series

FEWEST = 5
"""Smallest number of times of which a law is fitted."""
SHAPES = np.round(np.linspace(-1, 1, 101), 2)
"""Values of β that are tried."""
LOST = 1.0
"""Standard error of the logarithm above which a law states nothing."""
DRAWN = 100
LARGEST_POWER = 700.0
"""Largest logarithm of a number."""
NAMES = {0.0: q.POWER_LAW, 1.0: q.EXPONENTIAL}


@dataclass(frozen=True, eq=False)
class Law:
    """A law of one β: ln value = start − loss (u^β − 1)/β, with u the time over ``unit`` (s).

    ``squares`` is the sum of squared residuals, ``covariance`` that of start and loss.
    """

    shape: float
    start: float
    loss: float
    unit: float
    squares: float
    covariance: np.ndarray

    def axis(self, time: np.ndarray | float) -> np.ndarray:
        """Return the function of time."""
        ratio = np.asarray(time, float) / self.unit
        return np.log(ratio) if not self.shape else np.expm1(self.shape * np.log(ratio)) / self.shape

    def of(self, time: np.ndarray | float) -> np.ndarray:
        """Return the value at times in s."""
        return np.exp(np.clip(self.logarithm(time), -LARGEST_POWER, LARGEST_POWER))

    def logarithm(self, time: np.ndarray | float) -> np.ndarray:
        """Return the logarithm of the value at times in s."""
        return self.start - self.loss * self.axis(time)

    def error(self, time: np.ndarray | float) -> np.ndarray:
        """Return the standard error of the logarithm at times in s."""
        lever = np.stack([np.ones_like(self.axis(time)), -self.axis(time)])
        return np.sqrt(np.einsum("i...,ij,j...", lever, self.covariance, lever))


def _fit(shape: float, series: Series) -> Law:
    unit = float(np.exp(np.mean(np.log(series.at))))
    law = Law(shape, 0.0, 0.0, unit, 0.0, np.zeros((2, 2)))
    axis, target = law.axis(series.at), np.log(series.value)
    design = np.column_stack([np.ones(axis.size), -axis])
    scale = np.abs(design).max(axis=0)
    solution = np.linalg.lstsq(design / scale, target, rcond=None)[0] / scale
    residual = target - design @ solution
    squares = max(float(residual @ residual), 1e-24 * axis.size)
    wide = float(inflation(residual[:, None])[0])  # neighbours that deviate together
    inverse = np.linalg.inv((design / scale).T @ (design / scale)) / np.outer(scale, scale)
    return Law(shape, float(solution[0]), float(solution[1]), unit, squares, squares / (axis.size - 2) * wide * inverse)


@dataclass(frozen=True)
class Laws:
    """The laws of a series for every β of `SHAPES`."""

    series: Series
    every: dict[float, Law]

    @cached_property
    def best(self) -> Law:
        """The law of the best β."""
        return min(self.every.values(), key=lambda law: law.squares)

    @cached_property
    def within(self) -> list[Law]:
        """Laws of every β within the 95 % profile of its likelihood; neighbours that deviate together widen it."""
        n = self.series.at.size
        residual = np.log(self.series.value) - self.best.logarithm(self.series.at)
        allowed = student_quantile(max(n - 3, 1)) ** 2 * float(inflation(residual[:, None])[0])
        most = self.best.squares * (1 + allowed / max(n - 3, 1))
        return [law for law in self.every.values() if law.squares <= most]

    @cached_property
    def named(self) -> dict[str, Law]:
        """Laws by the name of their model."""
        return {name: self.every[shape] for shape, name in NAMES.items()} | {q.STRETCHED: self.best}

    def criterion(self, model: str) -> float:
        """Return AICc of a law; a free β is one more parameter."""
        n, k = self.series.at.size, 3 + (model == q.STRETCHED)
        return aicc(n * math.log(self.named[model].squares / n), k, n)

    @cached_property
    def supported(self) -> dict[str, Law]:
        """Laws that AICc does not reject, the best one first."""
        order = sorted(self.named, key=self.criterion)
        least = self.criterion(order[0])
        return {name: self.named[name] for name in order if self.criterion(name) - least < UNSUPPORTED}

    def range(self, time: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return between which values the laws leave the value at times in s; a growth goes on as a power at most."""
        laws = [*self.within, *self.supported.values()]
        low = np.min([law.logarithm(time) - NORMAL_QUANTILE * law.error(time) for law in laws], axis=0)
        high = np.max([law.logarithm(time) + NORMAL_QUANTILE * law.error(time) for law in laws], axis=0)
        power = self.named[q.POWER_LAW]
        most = power.logarithm(time) + NORMAL_QUANTILE * power.error(time)
        high = np.minimum(high, np.maximum(most, math.log(self.series.value.max())))
        low = np.minimum(low, high)
        return np.exp(np.maximum(low, -LARGEST_POWER)), np.exp(np.minimum(high, LARGEST_POWER))


def retention(measurement: Measurement, name: str, series: Series, end: float) -> tuple[list[Number], xr.Dataset]:
    """Return the numbers of the laws of a series against time, and the series with the laws.

    Parameters
    ----------
    name
        Feature of the numbers.
    end
        Time for which the laws are stated, s.
    """
    after = series.at > 0
    series = Series(series.name, series.unit, series.at[after], series.value[after])
    curve = dataset("time", {"value": (series.value, series.unit, series.name)}, {"time": (series.at, "s", "time")})
    if (times := np.unique(series.at).size) < FEWEST:
        values = {q.EXTRAPOLATED.in_unit(series.unit): (math.nan, math.nan)}
        place = {"feature": name, "n": series.at.size, "at": end, "at_unit": "s"}
        (row,) = measured(measurement, q.POWER_LAW, values, "straight line of logarithms", **place)
        return [row.flagged(Status.NOT_IDENTIFIED, f"{times} times, {FEWEST} are needed to fit a law")], curve
    laws = Laws(series, {float(shape): _fit(float(shape), series) for shape in SHAPES})
    rows = [row for model in laws.named for row in _law_rows(measurement, name, laws, model, end)]
    drawn = np.geomspace(series.at[0], max(end, series.at[-1]), DRAWN)
    low, high = laws.range(drawn)
    columns = {model: (law.of(drawn), series.unit, model.replace("_", " ")) for model, law in laws.supported.items()}
    columns |= {
        "low": (low, series.unit, "lower end of all laws"),
        "high": (high, series.unit, "upper end of all laws"),
    }
    best = next(iter(laws.supported))
    later = dataset("later", columns, {"later": (drawn, "s", "time")}, best=best)
    return rows, curve.merge(later).assign_attrs(best=best)


def _law_rows(measurement: Measurement, name: str, laws: Laws, model: str, end: float) -> list[Number]:
    law, common = laws.named[model], {"feature": name, "n": laws.series.at.size}
    method = "least squares of the logarithm; " + (
        "best by AICc" if model in list(laws.supported)[:1] else "not the best"
    )
    error = math.sqrt(law.covariance[1, 1])
    if model == q.POWER_LAW:
        rows = measured(measurement, model, {q.EXPONENT: (law.loss, error)}, method, **common)
    elif model == q.EXPONENTIAL:
        time = (law.unit / law.loss, law.unit * error / law.loss**2)
        (row,) = measured(measurement, model, {q.LOSS_TIME: time}, method, **common)
        seen = abs(law.loss) > NORMAL_QUANTILE * error
        rows = [row if seen else row.flagged(Status.NOT_IDENTIFIED, "no loss is seen")]
    else:
        ends = [each.shape for each in laws.within]
        shape = {q.SHAPE: (law.shape, (max(ends) - min(ends)) / (2 * NORMAL_QUANTILE))}
        (row,) = measured(measurement, model, shape, f"{method}; error from the profile likelihood", **common)
        open_ended = {min(ends), max(ends)} & {SHAPES[0], SHAPES[-1]}
        rows = [row.flagged(Status.AT_BOUND, "the data do not bound it") if open_ended else row]
    rows += measured(measurement, model, {AICC: (laws.criterion(model), math.nan)}, method, **common)
    if model in laws.supported:
        rows.append(_extrapolated(measurement, laws, model, end, method, common))
    return rows


def _extrapolated(
    measurement: Measurement, laws: Laws, model: str, end: float, method: str, common: dict[str, Any]
) -> Number:
    """Return what a law states for a later time, with its distance from all laws that the data support."""
    law, decades = laws.named[model], math.log10(end / float(laws.series.at[-1]))
    low, high = (float(each) for each in laws.range(end))
    value, error = float(law.of(end)), float(law.error(end))
    told = error <= LOST
    far = f"extrapolated by {decades:.1f} decades of time" if decades > 0 else "inside the measured time"
    quantity = q.EXTRAPOLATED.in_unit(laws.series.unit)
    values = {quantity: (value, value * error) if told else (math.nan, math.nan)}
    (row,) = measured(measurement, model, values, f"{method}; {far}", at=end, at_unit="s", **common)
    if not told:
        between = f"between {low:.2g} and {high:.2g}"
        return row.flagged(Status.NOT_IDENTIFIED, f"the law leaves it open; all laws that the data support: {between}")
    others = [float(each.of(end)) for each in laws.supported.values() if float(each.error(end)) <= LOST]
    apart = max(abs(each - value) for each in (low, high, *others))
    row = row.with_component("law of the loss", apart, "distance from all laws that the data support")
    return row.flagged(Status.ASSUMED, "no law is known to hold so long") if decades > 0 else row
