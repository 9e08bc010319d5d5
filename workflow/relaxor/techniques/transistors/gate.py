"""What the gate says of the channel of a transistor: threshold and transconductance, or charge neutrality.

The threshold has two definitions (Ortiz-Conde et al., doi 10.1016/S0026-2714(02)00027-6, compare more). The tangent at
the largest transconductance meets zero there, less half of the drain voltage; in saturation, the tangent of the root of
the current does. In the linear region, the line of Y = I/√g through the strongly conducting part also meets zero there,
and neither contacts nor a mobility that falls with the gate voltage move it (Ghibaudo, Electron. Lett. 24, 543). The
distance of both is a systematic error of the first one. A channel that conducts on both sides of a smallest current has
the gate voltage of charge neutrality instead, that of the smallest current.
"""

import math
from dataclasses import dataclass

import numpy as np

from relaxor.core.results import Measurement, Number, Quantity, Status, measured, student_quantile
from relaxor.techniques.transistors import quantities as q
from relaxor.techniques.transistors.curves import Curve
from relaxor.techniques.transistors.settings import TransistorsSettings

EDGE = 0.05
"""Part of the range of the gate voltage at its ends in which a smallest current is no minimum."""
BOTH_SIDES = 1.1
"""Factor by which the current grows on both sides of charge neutrality."""
AMBIPOLAR = 1e3
"""Largest over smallest current above which a current on both sides of the smallest one is leakage or noise."""
STILL_RISES = 1.1
"""Factor between the slopes of the last two windows of a sweep above which the slope still rises."""
BODY = 0.25
"""Half of the largest body factor less one: this part of the drain voltage may be missing from what is taken off."""
STRONG = 0.3
"""Part of the largest current above which the channel conducts strongly."""
SEEN = 2.0
"""Standard errors that a number must have to be told from zero."""

Value = tuple[float, float]
"""A value and its standard error."""


def gate_rows(
    measurement: Measurement, curve: Curve, smooth: np.ndarray, ratio: float, settings: TransistorsSettings
) -> list[Number]:
    """Return threshold and transconductance, or the voltage of charge neutrality, or the reason for neither.

    Parameters
    ----------
    smooth
        Magnitude of the drain current without single outliers, A, shape (n,).
    ratio
        Largest over smallest current.
    """
    order = np.argsort(curve.swept)
    gate, size = curve.swept[order], smooth[order]
    low, span = int(np.argmin(size)), float(np.ptp(gate))
    inner = min(gate[low] - gate[0], gate[-1] - gate[low]) > EDGE * span
    if inner and size.max() < AMBIPOLAR * size[low] and min(size[0], size[-1]) > BOTH_SIDES * size[low]:
        return [_neutrality(measurement, gate, size, low, settings.slope_window * span)]
    if ratio < settings.least_ratio:
        side, end = ("below", gate[0]) if low < gate.size / 2 else ("above", gate[-1])
        method = "smallest current"
        (row,) = measured(measurement, q.TRANSFER, {q.NEUTRALITY: (float(end), math.nan)}, method, n=gate.size)
        reason = f"the channel is not switched off (factor {ratio:.3g}), and its smallest current lies at or {side}"
        return [row.flagged(Status.LIMIT, f"{reason} the end of the sweep: no threshold")]
    return _threshold(measurement, curve, settings.slope_window)


def _neutrality(measurement: Measurement, gate: np.ndarray, size: np.ndarray, low: int, window: float) -> Number:
    """Return the vertex of a parabola about the smallest current, with its distance from that of a cubic."""
    step = float(np.ptp(gate)) / (gate.size - 1)
    away = gate - gate[low]
    near = np.abs(away) <= max(window, 3 * step)

    def vertex(degree: int) -> float:
        law = np.polynomial.Polynomial.fit(away[near], size[near], degree)
        roots = law.deriv().roots()
        real = np.real(roots[(np.abs(np.imag(roots)) < 1e-9) & (law.deriv(2)(roots).real > 0)])
        inside = real[np.abs(real) < window]
        return float(inside[np.argmin(law(inside))]) if inside.size else 0.0

    by_parabola, by_cubic = vertex(2), vertex(3)
    value = {q.NEUTRALITY: (float(gate[low]) + by_parabola, max(step, abs(by_parabola)) / math.sqrt(12))}
    method = "vertex of a parabola about the smallest current"
    (row,) = measured(measurement, q.TRANSFER, value, method, n=gate.size)
    return row.with_component("form of the minimum", by_cubic - by_parabola, "vertex of a cubic")


# --- threshold
@dataclass(frozen=True, eq=False)
class Lines:
    """Lines over windows along a curve: their centre (V), value there, slope and its standard error, shape (n,)."""

    place: np.ndarray
    middle: np.ndarray
    slope: np.ndarray
    error: np.ndarray

    @classmethod
    def over(cls, gate: np.ndarray, value: np.ndarray, half: float) -> "Lines":
        """Fit lines over windows of a half width that lie inside the sweep."""
        lines = []
        for centre in gate:
            near = np.abs(gate - centre) <= half
            if near.sum() < 3 or centre - half < gate[0] - 1e-9 or centre + half > gate[-1] + 1e-9:
                continue
            x = gate[near] - gate[near].mean()
            steep = float(x @ value[near] / (x @ x))
            rest = value[near] - value[near].mean() - steep * x
            wrong = math.sqrt(float(rest @ rest) / max(int(near.sum()) - 2, 1) / float(x @ x))
            lines.append((float(gate[near].mean()), float(value[near].mean()), steep, wrong))
        place, middle, slope, error = np.array(lines).reshape(-1, 4).T
        return cls(place, middle, slope, error)

    def steepest(self) -> np.ndarray:
        """Return which lines are as steep as the steepest one within their noise, shape (n,).

        By noise many lines are; the medians of all of these do not follow the noise upwards.
        """
        best = int(np.argmax(self.slope))
        return (self.slope > 0) & (self.slope >= self.slope[best] - SEEN * np.hypot(self.error, self.error[best]))

    def tangent(self) -> tuple[float, float]:
        """Return the zero of the steepest line and its standard error."""
        steep = self.steepest()
        far = self.middle[steep] / self.slope[steep]
        error = float(np.median(far) * np.median(self.error[steep]) / np.median(self.slope[steep]))
        return float(np.median(self.place[steep] - far)), error

    def zero_of_y(self) -> tuple[float, float]:
        """Return where the line of Y = value/√slope through the strongly conducting part meets zero, and its error."""
        strong = (self.middle > STRONG * self.middle.max()) & (self.slope > 2 * SEEN * self.error)
        strong &= self.place > self.place[int(np.argmax(self.slope))]
        if strong.sum() < 3:
            return math.nan, math.nan
        y = self.middle[strong] / np.sqrt(self.slope[strong])
        weight = self.slope[strong] / np.maximum(self.error[strong], 1e-6 * self.slope[strong]) / y
        (slope, level), covariance = np.polyfit(self.place[strong], y, 1, w=weight, cov="unscaled")
        if slope <= 0:
            return math.nan, math.nan
        zero = -level / slope
        lever = np.array([zero, 1.0]) / slope
        overlap = math.sqrt(max(1.0, strong.sum() / 2))  # neighbouring windows share their points
        return float(zero), float(np.sqrt(lever @ covariance @ lever) * overlap)


def _threshold(measurement: Measurement, curve: Curve, window: float) -> list[Number]:
    size = np.abs(curve.current)
    sign = 1 if size[np.argmax(curve.swept)] > size[np.argmin(curve.swept)] else -1  # electrons or holes
    order = np.argsort(sign * curve.swept)
    gate, current = sign * curve.swept[order], size[order]
    span, step = float(np.ptp(gate)), float(np.ptp(gate)) / (gate.size - 1)
    half = max(window * span / 2, 1.01 * step)
    half = span / 4 if span < 4 * half or gate.size < 6 else half
    lines = Lines.over(gate, current, half)
    drain = abs(curve.at) if math.isfinite(curve.at) else 0.0
    zero, error = lines.tangent()
    threshold, method = zero - drain / 2, "tangent at the largest slope, less half the drain voltage"
    saturated = drain > gate[-1] - threshold
    if saturated:
        threshold, error = Lines.over(gate, np.sqrt(current), half).tangent()
        method = "tangent of the root of the current (saturation)"
    method = f"{method}; {'electrons' if sign > 0 else 'holes'}"
    values: dict[Quantity, tuple[float, float]] = {
        q.THRESHOLD: (sign * threshold, math.hypot(error, step / math.sqrt(12)))
    }
    (row,) = measured(measurement, q.TRANSFER, values, method, n=gate.size)
    rows = [row] if saturated else _both_definitions(measurement, row, sign, lines, drain)
    if not math.isfinite(curve.at):
        rows = [each.flagged(Status.ASSUMED, "no drain voltage is known: half of it is missing") for each in rows]
    rising = _still_rises(gate, current, half)
    if rising and not saturated:
        why = f"{rising}: the threshold depends on where it ends"
        rows = [each.flagged(Status.AT_BOUND, why) for each in rows]
    slope = _transconductance(measurement, gate, current, lines, half)
    return [*rows, slope.flagged(Status.AT_BOUND, f"{rising}: a lower limit") if rising else slope]


def _both_definitions(measurement: Measurement, row: Number, sign: int, lines: Lines, drain: float) -> list[Number]:
    """Return the threshold by the tangent with its distance from that by Y, and the latter where there is one."""
    row = row.with_component("body factor of the channel", BODY * drain / math.sqrt(3), "between 1 and 1.5")
    zero, error = lines.zero_of_y()
    if not math.isfinite(zero):
        return [row]
    by_y = zero - drain / 2
    row = row.with_component("definition of the threshold", by_y - sign * row.value, "zero of I/√g")
    values = {q.THRESHOLD_BY_Y: (sign * by_y, error)}
    method = "zero of the line of I/√g above the largest slope, less half the drain voltage"
    (other,) = measured(measurement, q.TRANSFER, values, method, n=row.n)
    other = other.with_component("body factor of the channel", BODY * drain / math.sqrt(3), "between 1 and 1.5")
    return [row, other]


def _still_rises(gate: np.ndarray, current: np.ndarray, half: float) -> str:
    """Return that the slope still rises at the end of a sweep beyond its noise, or nothing."""
    slopes, squares, weights, freedom = [], 0.0, 0.0, 0
    for centre in (gate[-1] - half, gate[-1] - 3 * half):
        near = np.abs(gate - centre) <= half + 1e-9
        if near.sum() < 3:
            return ""
        law = np.polynomial.Polynomial.fit(gate[near], current[near], 1)
        slopes.append(float(law.deriv()(centre)))
        squares += float(np.sum((current[near] - law(gate[near])) ** 2))
        weights += 1 / float(np.sum((gate[near] - gate[near].mean()) ** 2))
        freedom += int(near.sum()) - 2
    error = math.sqrt(squares / freedom * weights) * student_quantile(freedom)
    rises = slopes[0] > STILL_RISES * slopes[1] and slopes[0] - slopes[1] > error
    return "the slope still rises at the end of the sweep" if rises else ""


def _transconductance(
    measurement: Measurement, gate: np.ndarray, current: np.ndarray, lines: Lines, half: float
) -> Number:
    """Return the largest slope, with what a narrower window and the steepest line add to it beyond their noise."""
    steep = lines.steepest()
    slope, error = float(np.median(lines.slope[steep])), float(np.median(lines.error[steep]))
    narrow = Lines.over(gate, current, half / 2)
    most = float(lines.slope.max())
    if narrow.slope.size:  # the maximum is flattened in proportion to the square of the window
        half_flat = max(float(np.median(narrow.slope[narrow.steepest()])), float((narrow.slope - narrow.error).max()))
        most = max(most, slope + 4 / 3 * (half_flat - slope))
    method = f"line over {2 * half:.3g} V of the gate voltage"
    (row,) = measured(measurement, q.TRANSFER, {q.TRANSCONDUCTANCE: (slope, error)}, method, n=gate.size)
    return row.with_component("width of the window", max(most - slope, 0.0), "half the window, or the steepest line")
