"""Readings of one cycle of a sweep: currents at a voltage, loop areas and ratios, with their errors."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.linalg import block_diag

from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle

SIDE_POINTS = 7
"""Smallest number of points of a branch to which a parabola is fitted; fewer give a straight line or a mean."""
UNLIKELY = 0.01
"""Probability of a misfit below which it widens the error (Birge, doi 10.1103/PhysRev.40.207)."""
LOST = 0.02
"""Largest part of the points of a lobe that may be without a current."""
HOLE, HOLE_STEPS = 0.1, 5
"""Part of the amplitude and multiple of the median step above which a step of the voltage is a hole."""
NOTHING = (math.nan, math.nan)
Reading = tuple[float, float]
"""A value and its standard error; NaN where the cycle does not hold it."""


@dataclass(frozen=True)
class Readings:
    """Readings of one cycle, each a value with its standard error, NaN where the cycle does not reach it.

    Attributes
    ----------
    peak
        Current at the extreme voltage by polarity, A, signed.
    largest
        Current of the largest magnitude by polarity, A, signed.
    voltage_of_largest
        Its voltage by polarity, V; the error is half a step.
    area
        Loop area by polarity, A V.
    no_area
        Why there is no loop area, by polarity; nothing of a polarity that has one, or to which the cycle does not go.
    symmetry
        Magnitude of the current at the extreme +V divided by that at −V.
    rectification_ratio
        The same ratio at the read voltage, on the branches on which the magnitude of the voltage grows.
    resistance
        Read voltage divided by the current in ohm, on the growing branch of the positive lobe, or of the negative one
        where there is no positive lobe.
    clipped, replaced, lost
        Number of points that the compliance holds, of single outliers, and of points without a current.
    """

    peak: dict[str, Reading]
    largest: dict[str, Reading]
    voltage_of_largest: dict[str, Reading]
    area: dict[str, Reading]
    no_area: dict[str, str]
    symmetry: Reading
    rectification_ratio: Reading
    resistance: Reading
    clipped: int
    replaced: int
    lost: int

    @property
    def of_another_series(self) -> "Readings":
        """The same without peaks and areas, for a cycle that went to other voltages than its series."""
        return replace(self, peak=dict.fromkeys(self.peak, NOTHING), area=dict.fromkeys(self.area, NOTHING))


def read_cycle(cycle: Cycle, read_voltage: float, window: float) -> Readings:
    """Read a cycle.

    Parameters
    ----------
    read_voltage
        Positive voltage in V.
    window
        Part of the amplitude around a voltage from which the current there is taken.
    """
    peak, area, read = {}, {}, {}
    largest, voltage_of_largest = {}, {}
    for name, polarity in POLARITIES.items():
        extreme = cycle.amplitude(polarity)
        both = [cycle.outward(polarity), cycle.inward(polarity)]
        peak[name] = current_at(cycle, both, polarity * extreme, window * extreme)
        read[name] = NOTHING
        if read_voltage <= extreme:
            read[name] = current_at(cycle, both[:1], polarity * read_voltage, window * extreme)
        area[name] = loop_area(cycle, polarity)
        largest[name], voltage_of_largest[name] = largest_current(cycle, polarity)
    reasons = {name: why_no_area(cycle, polarity) for name, polarity in POLARITIES.items()}
    values = {name: value for name, (value, _) in read.items() if math.isfinite(value)}
    resistance = NOTHING
    if values:
        name = next(iter(values))
        value = POLARITIES[name] * read_voltage / values[name]
        resistance = value, abs(value * read[name][1] / values[name])
    extremes = [cycle.amplitude(polarity) for polarity in POLARITIES.values()]
    equal = abs(extremes[0] - extremes[1]) < 0.02 * max(extremes)
    return Readings(
        peak=peak,
        largest=largest,
        voltage_of_largest=voltage_of_largest,
        area=area,
        no_area={name: reason for name, reason in reasons.items() if reason},
        symmetry=_ratio(peak["positive"], peak["negative"]) if equal else NOTHING,
        rectification_ratio=_ratio(read["positive"], read["negative"]),
        resistance=resistance,
        clipped=int(cycle.clipped.sum()),
        replaced=int(cycle.replaced.sum()),
        lost=cycle.lost.size,
    )


def _ratio(top: Reading, bottom: Reading) -> Reading:
    """Return the ratio of two magnitudes with its standard error (delta method)."""
    if not (math.isfinite(top[0]) and math.isfinite(bottom[0]) and bottom[0]):
        return NOTHING
    value = abs(top[0] / bottom[0])
    return value, math.hypot(top[1] / bottom[0], value * bottom[1] / bottom[0])


def current_at(cycle: Cycle, branches: list[np.ndarray], voltage: float, window: float) -> Reading:
    """Read the current at a voltage from a weighted parabola through the points near it.

    Each branch has a parabola of its own, and all meet at the given voltage, so that the cusp of a loop at its extreme
    is not rounded off. Points that the compliance holds are left out. A misfit that noise does not explain (a switching
    event) widens the error.

    Parameters
    ----------
    branches
        Masks of the branches from which the points are taken, each of shape (n,).
    voltage
        V.
    window
        Width of the window on each side in V; it is widened up to three times where it holds less than `SIDE_POINTS`
        points.

    Returns
    -------
    current, error
        A; NaN where no branch reaches the voltage outside the compliance.
    """
    chosen, blocks = [], []
    for branch in branches:
        points = np.flatnonzero(branch & ~cycle.clipped)
        distance = np.abs(cycle.voltage[points] - voltage)
        if points.size < 2 or distance.min() > window:
            continue
        reach = np.clip(np.sort(distance)[min(SIDE_POINTS, points.size) - 1], window, 3 * window)
        near = points[distance <= reach]
        away = (cycle.voltage[near] - voltage) / window
        degree = 2 if near.size >= SIDE_POINTS else int(near.size > 2)
        chosen.append(near)
        blocks.append(np.vander(away, degree + 1, increasing=True)[:, 1:])
    if not chosen:
        return NOTHING
    points = np.concatenate(chosen)
    design = np.column_stack([np.ones(points.size), block_diag(*blocks)])
    design /= cycle.sigma[points, None]
    target = cycle.current[points] / cycle.sigma[points]
    coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
    variance = np.linalg.pinv(design.T @ design)[0, 0]
    dof = points.size - design.shape[1]
    chi_square = float(np.sum((target - design @ coefficients) ** 2))
    if dof > 0 and stats.chi2.sf(chi_square, dof) < UNLIKELY:
        variance *= chi_square / dof
    return float(coefficients[0]), math.sqrt(variance)


def loop_area(cycle: Cycle, polarity: int) -> Reading:
    """Return the area ∮ I dV of the lobe of one polarity by the trapezoidal rule, with the error from the noise.

    It is positive where the device carries more current on the way back to zero than on the way out, and negative where
    it carries less or displaces charge; of a lobe that crosses itself it is the difference of both parts. Points that
    the compliance holds add nothing to the enclosed area.

    Returns
    -------
    area, error
        A V; NaN where the cycle has no lobe of this polarity, does not come back from its extreme, or lacks currents.
    """
    if not cycle.amplitude(polarity) or why_no_area(cycle, polarity):
        return NOTHING
    way = polarity * np.maximum(polarity * cycle.voltage, 0.0)
    steps = np.diff(way)
    weights = -0.5 * (np.append(steps, 0.0) + np.insert(steps, 0, 0.0))
    return float(weights @ cycle.current), float(np.linalg.norm(weights * cycle.sigma))


def why_no_area(cycle: Cycle, polarity: int) -> str:
    """Return why a lobe has no area, or nothing: the trapezoidal rule cannot bridge all that is missing."""
    if not cycle.amplitude(polarity):
        return ""
    if not (cycle.outward(polarity).any() and cycle.inward(polarity).any()):
        return "the voltage does not come back from its extreme"
    lobe = cycle.voltage[polarity * cycle.voltage > 0]
    steps = np.abs(np.diff(lobe))
    if (lost := np.count_nonzero(polarity * cycle.lost > 0)) > LOST * lobe.size:
        return f"{lost} points have no current"
    if steps.max() > max(HOLE * cycle.amplitude(polarity), HOLE_STEPS * float(np.median(steps))):
        return f"the voltage jumps by {steps.max():.3g} V between two points, {HOLE_STEPS} usual steps or more"
    return ""


def largest_current(cycle: Cycle, polarity: int) -> tuple[Reading, Reading]:
    """Return the current of the largest magnitude at a polarity, and its voltage with the error of half a step."""
    lobe = np.flatnonzero(polarity * cycle.voltage > 0)
    if not cycle.amplitude(polarity) or lobe.size < 2:
        return NOTHING, NOTHING
    top = lobe[np.argmax(polarity * cycle.current[lobe])]
    step = float(np.median(np.abs(np.diff(cycle.voltage[lobe]))))
    return (float(cycle.current[top]), float(cycle.sigma[top])), (float(cycle.voltage[top]), step / math.sqrt(12))
