"""How the current at the extreme voltage grows from cycle to cycle: a law that saturates, and a straight line.

What a sweep writes in one direction the other one empties in part, so that growth ends where both are in balance: the
peaks approach a last value, peak = floor + amplitude exp(−(cycle − 1)/tau). A straight line is right far from it. AICc
compares the two.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import lmfit
import numpy as np

from relaxor.core.results import Measurement, Number, measured
from relaxor.stats.decay import SINGLE, Decay, fit_decay, profile_decay
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.iv_sweeps.readings import Reading

FEWEST_PEAKS = 5
"""Fewest peaks that two laws can be compared on: three parameters, the scale of the errors, and one to spare."""
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

    All peaks weigh the same, and the scale of their errors is taken from the scatter: it holds the changes of the
    device from cycle to cycle beside the noise of the points.
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
    """Make the rows of the growth of a peak.

    Model ``cycles`` holds what was seen, the last peak against the first one that was read, in A and as a part of it;
    models ``line_<polarity>`` and ``saturation_<polarity>`` the laws, ``growth_cycles`` the cycles in which the
    distance to the last value falls to 1/e.
    """
    read = [peak for peak in peaks if math.isfinite(peak[0])]
    if len(read) < 2:
        return []
    first, last = read[0], read[-1]
    ratio, ratio_error = last[0] / first[0], math.hypot(last[1] / first[0], last[0] * first[1] / first[0] ** 2)
    seen = {
        f"peak_growth_{polarity}": (last[0] - first[0], math.hypot(first[1], last[1]), "A"),
        f"relative_growth_{polarity}": (ratio - 1, ratio_error, "1"),
    }
    rows = measured(measurement, "cycles", seen, "last peak against the first", n=len(read))
    return rows + _law_rows(measurement, polarity, growth) if growth else rows


def _law_rows(measurement: Measurement, polarity: str, growth: Growth) -> list[Number]:
    saturation, line = f"saturation_{polarity}", f"line_{polarity}"
    rows = growth.saturation.numbers(measurement, saturation, {"floor": "A", "amplitude": "A", "tau": "1"}, PEAKS)
    names = {"floor": "saturation_current", "tau": "growth_cycles"}
    rows = [
        replace(
            row,
            parameter=names.get(row.parameter, row.parameter),
            ci_low=growth.ends[row.parameter][0],
            ci_high=growth.ends[row.parameter][1],
        )
        for row in rows
    ]
    rows += growth.line.numbers(measurement, line, {"slope": "A"}, PEAKS)
    for model, fitted in ((saturation, growth.saturation), (line, growth.line)):
        rows += measured(measurement, model, {"aicc": (fitted.aicc, math.nan, "1")}, PEAKS, n=fitted.n)
    return rows
