"""Endurance and retention: how long a memory cell tells its states apart.

Endurance is the ratio of both states (or a switched charge or polarization) against the number of cycles, and the
cycles after which a part of its first value is left. Retention is the value against time. Two laws are fitted to its
logarithm, a power of the time and an exponential, and compared by AICc; what they state for years is an extrapolation,
to which the difference between both laws is a systematic error where AICc supports both. A law that it does not
support states nothing for later times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, Status, measured
from relaxor.core.variables import dataset
from relaxor.stats.quantities import AICC
from relaxor.synapse.cycles import inflation
from relaxor.techniques.endurance import quantities as q
from relaxor.techniques.endurance.columns import WINDOW, Series, axis_of, series_of
from relaxor.techniques.endurance.settings import EnduranceSettings

YEAR = 365.25 * 86400.0
"""Seconds."""
FEWEST = 5
"""Smallest number of times of which a law is fitted."""
DRAWN = 100
UNSUPPORTED = 10.0
"""Difference of AICc from that of the better law above which a law says nothing about later times."""
LARGEST_POWER = 700.0
"""Largest logarithm of a number."""


def analyse(measurements: Sequence[Measurement], settings: EnduranceSettings) -> Result:
    """Analyse every table of endurance or retention.

    Raises
    ------
    AnalysisError
        If a file holds neither cycles nor a time with a state of a memory cell.
    """
    return Result.joined(_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: EnduranceSettings) -> Result:
    rows: list[Number] = []
    parts: dict[str, xr.Dataset] = {}
    several = len(measurement.regions) > 1
    for region, table in measurement.regions.items():
        axis, unit = axis_of(table)
        found = series_of(table) if axis else []
        if not found:
            raise AnalysisError(
                f"{measurement.id}: {region}: needs a column of cycles (1) or of time (s), and a resistance, "
                "conductance, current, charge or polarization without a voltage"
            )
        for series in found:
            name = f"{region} {series.name}" if several else series.name
            if unit == "1":
                rows += _endurance(measurement, name, series, settings.part_left)
                part = _curve(series, "cycle", unit)
            else:
                more, part = _retention(measurement, name, series, settings.extrapolated_years * YEAR)
                rows += more
            parts[name.replace("/", "_").replace(" ", "_")] = part.assign_attrs(series=name)
    return Result.of(measurement, rows, parts)


def _curve(series: Series, axis: str, unit: str) -> xr.Dataset:
    columns = {"value": (series.value, series.unit, series.name)}
    return dataset(axis, columns, {axis: (series.at, unit, axis)})


# --- endurance
def _endurance(measurement: Measurement, name: str, series: Series, part: float) -> list[Number]:
    scatter = _scatter(series.value)
    top = int(np.argmax(series.value))
    rows = []
    for quantity, place in ((q.FIRST, 0), (q.LARGEST, top), (q.LAST, -1)):
        value = {quantity.in_unit(series.unit): (float(series.value[place]), scatter * float(series.value[place]))}
        common = {"feature": name, "at": float(series.at[place]), "at_unit": "1", "n": series.value.size}
        known = "error: scatter from point to point" if math.isfinite(scatter) else "error not known from so few points"
        rows += measured(measurement, q.ENDURANCE, value, f"as read; {known}", **common)
    if series.name != WINDOW and not _is_window(series):
        return rows
    return [*rows, _endured(measurement, name, series, part)]


def _is_window(series: Series) -> bool:
    """Whether a series is itself the distance of two states: a switched charge or polarization."""
    return series.unit in ("C", "C/m^2")


def _endured(measurement: Measurement, name: str, series: Series, part: float) -> Number:
    left = series.value / series.value[0]
    if left.size >= FEWEST:  # a single outlier ends no endurance
        padded = np.pad(left, 1, "edge")
        left = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    method = f"{part:g} of the first value is left, interpolated on the logarithm of the cycle"
    common = {"feature": name, "n": left.size}
    if not (left < part).any():
        limit = {q.ENDURED_CYCLES: (float(series.at[-1]), math.nan)}
        (row,) = measured(measurement, q.ENDURANCE, limit, method, **common)
        return row.flagged(Status.LIMIT, f"a lower limit: {left[-1]:.3g} of it is left after the last cycle")
    end = int(np.argmax(left < part))
    low, high = (math.log(max(float(each), 0.5)) for each in (series.at[end - 1], series.at[end]))
    way = (left[end - 1] - part) / (left[end - 1] - left[end])
    cycles = math.exp(low + way * (high - low))
    error = cycles * (high - low) / math.sqrt(12)
    (row,) = measured(measurement, q.ENDURANCE, {q.ENDURED_CYCLES: (cycles, error)}, method, **common)
    return row


def _scatter(value: np.ndarray) -> float:
    """Return the relative scatter from point to point, from second differences of the logarithm; NaN of few points."""
    if value.size < FEWEST:
        return math.nan
    return float(np.sqrt(np.mean(np.diff(np.log(value), 2) ** 2) / 6))


# --- retention
@dataclass(frozen=True, eq=False)
class Law:
    """A straight line of the logarithm of a value against a function of time."""

    model: str
    intercept: float
    slope: float
    covariance: np.ndarray
    aicc: float

    def of(self, time: np.ndarray | float) -> np.ndarray:
        """Return the value at times in s."""
        return np.exp(np.clip(self.intercept + self.slope * self.axis(time), -LARGEST_POWER, LARGEST_POWER))

    def axis(self, time: np.ndarray | float) -> np.ndarray:
        """Return the function of time: its logarithm, or itself."""
        return np.log(time) if self.model == q.POWER_LAW else np.asarray(time, float)

    def error(self, time: float) -> float:
        """Return the relative standard error at a time in s."""
        lever = np.array([1.0, float(self.axis(time))])
        return float(np.sqrt(lever @ self.covariance @ lever))


def _fit(model: str, series: Series) -> Law:
    axis = np.log(series.at) if model == q.POWER_LAW else series.at
    design = np.column_stack([np.ones(axis.size), axis])
    target = np.log(series.value)
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    residual = target - design @ solution
    n = axis.size
    variance = max(float(residual @ residual) / (n - 2), 1e-24)
    wide = float(inflation(residual[:, None])[0])  # neighbours that deviate together
    scale = np.array([1.0, np.abs(axis).max()])
    covariance = np.linalg.inv((design / scale).T @ (design / scale)) / np.outer(scale, scale) * variance * wide
    aicc = n * math.log(variance * (n - 2) / n) + 6 + 24 / (n - 4)
    return Law(model, float(solution[0]), float(solution[1]), covariance, aicc)


def _retention(measurement: Measurement, name: str, series: Series, end: float) -> tuple[list[Number], xr.Dataset]:
    after = series.at > 0
    series = Series(series.name, series.unit, series.at[after], series.value[after])
    common = {"feature": name, "n": series.at.size}
    extrapolated = q.EXTRAPOLATED.in_unit(series.unit)
    if np.unique(series.at).size < FEWEST:
        why = f"{np.unique(series.at).size} times, {FEWEST} are needed to fit a law"
        values = {extrapolated: (math.nan, math.nan)}
        rows = measured(measurement, q.POWER_LAW, values, "straight line of logarithms", at=end, at_unit="s", **common)
        return [row.flagged(Status.NOT_IDENTIFIED, why) for row in rows], _curve(series, "time", "s")
    laws = {model: _fit(model, series) for model in (q.POWER_LAW, q.EXPONENTIAL)}
    best = min(laws.values(), key=lambda law: law.aicc)
    rows = []
    supported = [law for law in laws.values() if law.aicc - best.aicc < UNSUPPORTED]
    apart = abs(float(supported[0].of(end)) - float(supported[-1].of(end)))
    decades = math.log10(end / float(series.at[-1]))
    far = f"extrapolated by {decades:.1f} decades of time" if decades > 0 else "inside the measured time"
    for law in laws.values():
        method = "straight line of the logarithm, least squares; " + ("best by AICc" if law is best else "not the best")
        rate, error = -law.slope, math.sqrt(law.covariance[1, 1])
        if law.model == q.POWER_LAW:
            rows += measured(measurement, law.model, {q.EXPONENT: (rate, error)}, method, **common)
        else:
            seen = abs(rate) > 2 * error
            (row,) = measured(measurement, law.model, {q.LOSS_TIME: (1 / rate, error / rate**2)}, method, **common)
            rows.append(row if seen else row.flagged(Status.NOT_IDENTIFIED, "no loss is seen"))
        rows += measured(measurement, law.model, {AICC: (law.aicc, math.nan)}, method, **common)
        if law not in supported:
            continue
        value = float(law.of(end))
        told = {extrapolated: (value, value * law.error(end))}
        for row in measured(measurement, law.model, told, f"{method}; {far}", at=end, at_unit="s", **common):
            row = row.with_component("law of the loss", apart, "difference between both laws")
            rows.append(row.flagged(Status.ASSUMED, "no law is known to hold so long") if decades > 0 else row)
    drawn = np.geomspace(series.at[0], max(end, series.at[-1]), DRAWN)
    columns = {law.model: (law.of(drawn), series.unit, law.model.replace("_", " ")) for law in supported}
    later = dataset("later", columns, {"later": (drawn, "s", "time")}, best=best.model)
    return rows, _curve(series, "time", "s").merge(later).assign_attrs(best=best.model)
