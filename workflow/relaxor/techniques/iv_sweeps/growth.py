"""Growth of the current at the extreme voltage from cycle to cycle: a law that saturates, and a straight line.

The sweep in one direction partly erases what the other one writes, so that the growth ends where both are in balance.
The peaks then approach a last value, peak = floor + amplitude exp(−(cycle − 1)/tau); far from it a straight line holds.
AICc compares the two.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import lmfit
import numpy as np

from relaxor.core.results import Measurement, Number, measured
from relaxor.stats.decay import SINGLE, Decay, fit_decay, profile_decay
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.stats.quantities import AICC
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.readings import Reading

FEWEST_PEAKS = 5
"""Smallest number of peaks on which the two laws can be compared: one more than the parameters with the scale."""
PEAKS = "peak currents against the number of the cycle, errors from their scatter"


@dataclass(frozen=True)
class Growth:
    """The two laws fitted to the peaks of one polarity.

    Attributes
    ----------
    cycle
        Cycles that have a peak, counted from 0, shape (n,).
    line, saturation
        Fits with ``start``, ``slope``; and of `relaxor.stats.decay`, with ``floor``, ``amplitude``, ``tau``.
    ends
        Profile-likelihood intervals of the saturating law.
    """

    cycle: np.ndarray
    line: Fit
    saturation: Fit
    ends: Mapping[str, tuple[float, float]]

    @property
    def saturates(self) -> bool:
        """Whether AICc prefers the law that saturates."""
        return self.saturation.aicc < self.line.aicc

    def curve(self, cycle: np.ndarray) -> np.ndarray:
        """Return the preferred law at cycles counted from 0, A."""
        if not self.saturates:
            return self.line.value("start") + self.line.value("slope") * cycle
        amplitude, tau = (self.saturation.value(name) for name in ("amplitude", "tau"))
        return self.saturation.value("floor") + amplitude * np.exp(-cycle / tau)


def fit_growth(peaks: list[Reading]) -> Growth | None:
    """Fit both laws to the peaks of the cycles, A; None with fewer than `FEWEST_PEAKS`.

    All peaks have the same weight, and the scale of their errors is taken from the scatter, which holds the changes of
    the device from cycle to cycle in addition to the noise of the points.
    """
    value = np.array([peak for peak, _ in peaks])
    cycle = np.flatnonzero(np.isfinite(value)).astype(float)
    value = value[np.isfinite(value)]
    if value.size < FEWEST_PEAKS:
        return None
    slope, start = np.polyfit(cycle, value, 1)

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return trial["start"].value + trial["slope"].value * cycle - value

    line = fit(residual, parameters(start=float(start), slope=float(slope)), absolute_sigma=False)
    decay = Decay(SINGLE, cycle, value)
    saturation = fit_decay(decay)
    return Growth(cycle, line, saturation, profile_decay(decay, saturation))


def growth_rows(measurement: Measurement, polarity: str, peaks: list[Reading], growth: Growth | None) -> list[Number]:
    """Return the growth of a peak as it was seen, the last peak against the first, and the numbers of both laws."""
    read = [peak for peak in peaks if math.isfinite(peak[0])]
    if len(read) < 2:
        return []
    first, last = read[0], read[-1]
    ratio, ratio_error = last[0] / first[0], math.hypot(last[1] / first[0], last[0] * first[1] / first[0] ** 2)
    seen = {
        q.PEAK_GROWTH[polarity]: (last[0] - first[0], math.hypot(first[1], last[1])),
        q.RELATIVE_GROWTH[polarity]: (ratio - 1, ratio_error),
    }
    rows = measured(measurement, q.CYCLES, seen, "last peak against the first", n=len(read))
    return rows + _law_rows(measurement, polarity, growth) if growth else rows


def _law_rows(measurement: Measurement, polarity: str, growth: Growth) -> list[Number]:
    rows = growth.saturation.numbers(measurement, q.SATURATION, q.GROWTH, PEAKS, feature=polarity)
    ends = [growth.ends[name] for name in q.GROWTH]
    rows = [replace(row, ci_low=low, ci_high=high) for row, (low, high) in zip(rows, ends, strict=True)]
    rows += growth.line.numbers(measurement, q.LINE, {"slope": q.GROWTH_PER_CYCLE}, PEAKS, feature=polarity)
    for model, law in ((q.SATURATION, growth.saturation), (q.LINE, growth.line)):
        rows += measured(measurement, model, {AICC: (law.aicc, math.nan)}, PEAKS, n=law.n, feature=polarity)
    return rows
