"""Integration of cycles to loops: the whole current, without the leakage, and without all that is not switching.

The saturated parts of a loop are an assumption. It is tested in every loop by the misfit of the background in them, and
by the change of the numbers when the parts become smaller; that change, and the one with the form of the leakage inside
the loop, are systematic errors. A loop that does not saturate has no switching part. A slim loop has none either, but
its leakage is known at all fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.constants import epsilon_0

from relaxor.core.results import ADEQUATE, Adequacy, Quantity, Status
from relaxor.stats.adequacy import judge
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.background import (
    BACKGROUNDS,
    OTHER_FORM,
    Background,
    Window,
    chosen,
    fit_background,
    fit_reversible,
    saturated,
)
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.device import TIMELESS, Capacitor
from relaxor.techniques.hysteresis.loops import (
    MICROCOULOMB,
    Drive,
    centred,
    describe,
    line_through,
    loop_charge,
    switching_fields,
)
from relaxor.techniques.hysteresis.settings import HysteresisSettings

NARROWER = 0.6
"""Part that remains of the distance of a saturated part from the tip of the loop, to see whether numbers change."""
CHANGES = 4.0
"""Change of a number with the saturated part, in its standard errors, that noise does not explain."""
SEVERAL = 3.0
"""Ratio of the frequencies of loops that tell leakage from loss."""
UNSET = 0.25
"""Distance of the state in which a single cycle was begun from the remanence that the opposite field leaves, in parts
of the opening of the loop, above which its first branch does not come from that remanence. A sample without a
polarization has 0.5."""
BENT, STRAIGHT = 0.1, 0.02
"""Distance of a loop from a straight line, in parts of its polarization, up to which it has a capacitance at all, and
up to which it is a straight line."""
PERMITTIVITY = epsilon_0 * 1e6 / 1e4 * 1e5
"""Permittivity of the vacuum in µC/cm² per kV/cm."""
NOT_SATURATED = 0.1
"""Relative change of the largest polarization with the saturated part above which a loop is not saturated."""
Numbers = Mapping[Quantity, tuple[float, np.ndarray]]
"""Quantity → (value, replicates of it)."""
Changes = Mapping[Quantity, tuple[float, float]]
"""Quantity → (change of it, standard error of the change)."""
SLIM = Adequacy(
    Status.NOT_IDENTIFIED, 1.0, "slim loop: both branches coincide but for leakage, so that no switching is seen"
)
"""Why a slim loop has no switching part."""


@dataclass(frozen=True)
class Loop:
    """A loop of one model: its curve and its numbers, each with bootstrap replicates.

    Attributes
    ----------
    numbers
        See `Numbers`.
    adequacy
        Whether the background of the loop can be trusted.
    budget
        What is uncertain → standard uncertainty of each number.
    saturated
        Whether the loop goes beyond the switching fields, so that its coercive fields are those of the material.
    bend
        Distance from a straight line, in parts of the polarization.
    unset
        Coercive field of the branch that was begun from another state than the opposite field leaves, if there is one.
    """

    cycle: Cycle
    model: str
    drive: Drive
    current: np.ndarray
    polarization: np.ndarray
    uncertainty: np.ndarray
    numbers: Numbers
    adequacy: Adequacy = ADEQUATE
    budget: Mapping[str, Mapping[Quantity, float]] | None = None
    saturated: bool = False
    unset: Quantity | None = None
    bend: float = 0.0

    @property
    def amplitude(self) -> float:
        """Largest field in kV/cm."""
        return float(self.drive.field.max())


@dataclass(frozen=True)
class Integrated:
    """Loops of cycles that share their background.

    Attributes
    ----------
    loops
        The loops of each cycle: the corrected one where it saturates, the one without leakage where the leakage is
        known, and the uncorrected one.
    saturating
        Cycles to which the backgrounds were fitted.
    backgrounds
        Model → background; none where no loop is large enough.
    subtracted
        The background that was subtracted.
    """

    loops: Sequence[Sequence[Loop]]
    saturating: Sequence[Cycle]
    backgrounds: Mapping[str, Background]
    subtracted: Background | None = None


def integrate_together(
    cycles: Sequence[Cycle], noise: Sequence[np.ndarray], settings: HysteresisSettings
) -> Integrated:
    """Fit every background to the saturating cycles, and integrate all cycles with and without the chosen background.

    Parameters
    ----------
    cycles
        Cycles of one device.
    noise
        Replicates of the noise of the current of each cycle, shape (replicates, n), A.
    settings
        See `HysteresisSettings`.
    """
    pairs = list(zip(cycles, noise, strict=True))
    large = [(cycle, draws) for cycle, draws in pairs if cycle.field.max() >= settings.saturation_field]
    whole = [integrate(cycle, draws, q.UNCORRECTED, None, settings.peak_window) for cycle, draws in pairs]
    if not large:
        remark = f"not saturated: no loop reaches {settings.saturation_field:g} kV/cm, so that no background is known"
        flag = Adequacy(Status.NOT_IDENTIFIED, 1.0, remark)
        return Integrated([[replace(loop, adequacy=flag)] for loop in whole], [], {})
    saturating, draws = zip(*large, strict=True)
    window = settings.saturated_rising, settings.saturated_falling
    backgrounds = {model: fit_background(saturating, draws, model, window) for model in BACKGROUNDS}
    slim = fit_reversible(saturating, draws)
    best, adequacy = chosen(backgrounds, settings.leakage, saturating)
    narrow = narrower(window)
    others = {q.SATURATED_PART: fit_background(saturating, draws, best.model, narrow)}
    if slim.adequacy.status == Status.OK:
        others, best, adequacy = {q.FORM: best}, slim, _frequencies(saturating)
    elif backgrounds[OTHER_FORM[best.model]].adequacy.status in (Status.OK, adequacy.status):
        others[q.FORM] = backgrounds[OTHER_FORM[best.model]]
    context = Context(best, others, adequacy, window, settings)
    loops = [_loops(*pair, loop, context) for pair, loop in zip(pairs, whole, strict=True)]
    return Integrated(loops, saturating, backgrounds | {q.REVERSIBLE: slim}, best)


def _frequencies(cycles: Sequence[Cycle]) -> Adequacy:
    """Return whether frequencies tell the leakage of slim loops from a loss of the dielectric, which goes with them."""
    frequencies = [cycle.frequency for cycle in cycles]
    if max(frequencies) > SEVERAL * min(frequencies):
        return ADEQUATE
    remark = (
        "assumed: what both branches share is leakage; only other frequencies tell it from a loss of the dielectric"
    )
    return Adequacy(Status.ASSUMED, 1.0, remark)


def narrower(window: Window) -> Window:
    """Return smaller saturated parts."""
    rising, falling = (1 - NARROWER * (1 - edge) for edge in window)
    return rising, falling


@dataclass(frozen=True)
class Context:
    """What the cycles of a device share.

    Attributes
    ----------
    best, others
        The background that is subtracted, and others by what they differ in.
    adequacy
        Whether the background describes the parts of the current to which it was fitted.
    window
        See `Window`.
    settings
        See `HysteresisSettings`.
    """

    best: Background
    others: Mapping[str, Background]
    adequacy: Adequacy
    window: Window
    settings: HysteresisSettings


def _loops(cycle: Cycle, noise: np.ndarray, whole: Loop, context: Context) -> list[Loop]:
    """Return the loops of one cycle that a background allows, each with its systematic errors."""
    slim = context.best.model == q.REVERSIBLE
    large, adequacy = cycle.field.max() >= context.settings.saturation_field, context.adequacy
    if large and not slim and adequacy.status == Status.OK:
        part = saturated(cycle, context.window)
        left = cycle.current - context.best.current(cycle, dielectric=True)[0]
        adequacy = judge(left[part] / cycle.noise, int(part.sum()), absolute_sigma=True)
    loops = []
    missing = SLIM if slim else ADEQUATE
    for model in (q.CORRECTED, q.LEAKAGE_REMOVED)[slim:]:
        loop, *others = (
            integrate(cycle, noise, model, background, context.settings.peak_window)
            for background in (context.best, *context.others.values())
        )
        changes = {name: _changes(loop, other) for name, other in zip(context.others, others, strict=True)}
        loop = replace(
            loop, budget={name: {key: abs(change) for key, (change, _) in of.items()} for name, of in changes.items()}
        )
        if model == q.CORRECTED and (missing := _unsaturated(loop, changes[q.SATURATED_PART])).remark:
            adequacy = adequacy.joined(replace(missing, status=Status.MISFIT))
            continue
        loops.append(replace(loop, adequacy=adequacy.joined(_moved(changes, slim)), saturated=large))
    return [*loops, replace(whole, adequacy=missing, saturated=bool(large and not missing.remark))]


def _changes(loop: Loop, other: Loop) -> Changes:
    """Return the change of each number with the background, and the standard error of the change."""
    return {
        key: (other.numbers[key][0] - value, float(np.nanstd(other.numbers[key][1] - drawn, ddof=1)))
        for key, (value, drawn) in loop.numbers.items()
        if key in other.numbers
    }


def _unsaturated(loop: Loop, changes: Changes) -> Adequacy:
    """Return why a loop is not saturated, by its remanence and by the change with the part that counts as saturated."""
    largest, drawn = loop.numbers[q.MAXIMUM_POLARIZATION]
    (plus, drawn_plus), (minus, drawn_minus) = (loop.numbers[each] for each in q.REMANENT_POLARIZATION.values())
    excess, spread = max(
        (plus - largest, drawn_plus - drawn), (-minus - largest, -drawn_minus - drawn), key=lambda one: one[0]
    )
    change, error = changes[q.MAXIMUM_POLARIZATION]
    remark = ""
    if excess > CHANGES * float(np.std(spread, ddof=1)):
        remark = "not saturated: what a background leaves at the largest field is less than the remanence"
    elif abs(change) > max(CHANGES * error, NOT_SATURATED * abs(largest)):
        percent = 100 * abs(change / largest)
        remark = f"not saturated: the largest polarization changes by {percent:.2g} % with the part that is saturated"
    return Adequacy(Status.NOT_IDENTIFIED, 1.0, remark) if remark else ADEQUATE


def _moved(changes: Mapping[str, Changes], slim: bool) -> Adequacy:
    """Judge a loop by the change of its loss with the saturated part, or with the leakage where it is slim."""
    change, error = changes[q.FORM if slim else q.SATURATED_PART][q.CYCLE_LOSS_ENERGY_DENSITY]
    if abs(change) <= CHANGES * error:
        return ADEQUATE
    reason = "is leakage or loss of the dielectric" if slim else "depends on the part of it that counts as saturated"
    return Adequacy(Status.MISFIT, 1.0, f"misfit: what both branches of the loop share {reason} ({change:.3g} mJ/cm^3)")


def integrate(cycle: Cycle, noise: np.ndarray, model: str, background: Background | None, peak_window: float) -> Loop:
    """Integrate the current of a cycle and its replicates to a centred loop.

    Parameters
    ----------
    cycle
        The mean cycle.
    noise
        Bootstrap replicates of its noise, shape (b, n).
    model
        Model of the numbers of the loop, which says what is subtracted.
    background
        Background that is subtracted first; None where nothing is.
    peak_window
        See `switching_fields`, kV/cm.
    """
    current, drawn = cycle.current, cycle.current + noise
    if background is not None:
        value, replicates = background.current(cycle, dielectric=model == q.CORRECTED)
        current, drawn = current - value, drawn - replicates
    drive = Drive.of(cycle.field)
    time = np.append(cycle.time, cycle.time[-1] + cycle.time[1] - cycle.time[0])
    per_area = MICROCOULOMB / cycle.geometry.area
    current, drawn = drive.roll(current), drive.roll(drawn)
    opening = cycle.opening * drive.roll(cycle.time)
    polarization = centred(drive, (loop_charge(drive, time, current) + opening) * per_area)
    replicates = centred(drive, (loop_charge(drive, time, drawn) + opening) * per_area)
    values, spread = describe(drive, polarization), describe(drive, replicates)
    last = (len(cycle.current) - 1 - drive.shift) % len(cycle.current)
    unset = None
    if cycle.opening and abs(drive.field[last]) <= np.median(np.abs(np.diff(drive.field))):
        # The remanence of a single cycle from rest to rest is what it leaves behind, not what it found.
        left, begun = ("negative", "positive") if last < drive.top else ("positive", "negative")
        remanence = q.REMANENT_POLARIZATION[left]
        values[remanence], spread[remanence] = polarization[last], replicates[:, last]
        opening_of_loop = abs(np.subtract(*(values[each] for each in q.REMANENT_POLARIZATION.values())))
        if abs(polarization[last + 1] - polarization[last]) > UNSET * opening_of_loop:
            unset = q.COERCIVE_FIELD[begun]
    numbers = {quantity: (float(value), spread[quantity]) for quantity, value in values.items()}
    if model == q.CORRECTED:
        numbers = {q.OF_SWITCHING.get(quantity, quantity): value for quantity, value in numbers.items()}
    if model != q.LEAKAGE_REMOVED:
        numbers |= switching_fields(drive, current, drawn, cycle.noise, peak_window)
    drift = drive.roll(cycle.time) if cycle.opening else None
    slope, bend = line_through(drive, polarization, drift)
    if model != q.CORRECTED and isinstance(cycle.geometry, Capacitor) and bend < BENT:
        drawn_slope, _ = line_through(drive, replicates, drift)
        numbers[q.RELATIVE_PERMITTIVITY] = float(slope) / PERMITTIVITY, drawn_slope / PERMITTIVITY
        if TIMELESS not in cycle.remark:
            farad = cycle.geometry.field_per_volt / per_area
            numbers[q.CAPACITANCE] = float(slope) * farad, drawn_slope * farad
    uncertainty = replicates.std(axis=0, ddof=1)
    whole = current + cycle.opening
    return Loop(cycle, model, drive, whole, polarization, uncertainty, numbers, unset=unset, bend=bend)
