"""The loops of cycles that share what is not switching: with it taken off, and with all current taken for switching."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.techniques.hysteresis.background import BACKGROUNDS, Background, fit_background, switching_current
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.loops import MICROCOULOMB, Drive, centred, describe, loop_charge, switching_fields

CORRECTED, UNCORRECTED = "corrected", "uncorrected"


@dataclass(frozen=True)
class Loop:
    """A loop of one model: its curve and its numbers, each with bootstrap replicates.

    Attributes
    ----------
    numbers
        Parameter → (value, replicates of it).
    """

    cycle: Cycle
    model: str
    drive: Drive
    current: np.ndarray
    polarization: np.ndarray
    uncertainty: np.ndarray
    numbers: Mapping[str, tuple[float, np.ndarray]]

    @property
    def amplitude(self) -> float:
        """Largest field in kV/cm."""
        return float(self.drive.field.max())

    @property
    def saturates(self) -> bool:
        """Whether no remanence exceeds the polarization at the largest field, as it must where all has switched."""
        p_max, plus, minus = (self.numbers[name][0] for name in ("p_max", "p_r_plus", "p_r_minus"))
        return p_max >= max(plus, -minus)


@dataclass(frozen=True)
class Integrated:
    """Loops of cycles that share their background.

    Attributes
    ----------
    loops
        Of each cycle: with the background taken off, where it is known, and without.
    saturating
        Cycles that the backgrounds were fitted to.
    backgrounds
        By their models; none where no loop saturates.
    remark
        Why there are none.
    """

    loops: Sequence[Sequence[Loop]]
    saturating: Sequence[Cycle]
    backgrounds: Mapping[str, Background]
    remark: str = ""


def integrate_together(
    cycles: Sequence[Cycle],
    noise: Sequence[np.ndarray],
    *,
    leakage: str,
    saturation_field: float,
    saturated: tuple[float, float],
    peak_window: float,
) -> Integrated:
    """Fit every background to the cycles that saturate, and integrate all cycles with and without the chosen one.

    Parameters
    ----------
    cycles
        Of one device.
    noise
        Replicates of the noise of the current of each, A.
    leakage, saturation_field, saturated, peak_window
        See `relaxor.techniques.hysteresis.analysis.analyse`; ``saturated`` while the field grows and while it shrinks.
    """
    large = [index for index, cycle in enumerate(cycles) if cycle.field.max() >= saturation_field]
    saturating = [cycles[index] for index in large]

    def integrated(*models: tuple[str, Background | None]) -> list[list[Loop]]:
        return [
            [integrate(cycle, drawn, *model, peak_window) for model in models]
            for cycle, drawn in zip(cycles, noise, strict=True)
        ]

    if not large:
        remark = f"; no loop reaches {saturation_field:g} kV/cm, so that no background is known"
        return Integrated(integrated((UNCORRECTED, None)), saturating, {}, remark)
    rising, falling = saturated
    backgrounds = {
        model: fit_background(saturating, [noise[index] for index in large], model, rising=rising, falling=falling)
        for model in BACKGROUNDS
    }
    loops = integrated((CORRECTED, backgrounds[leakage]), (UNCORRECTED, None))
    if cycles[0].region and not loops[0][0].saturates:
        remark = "; what a background leaves at the largest field is less than the remanence: not saturated"
        return Integrated([loops[0][1:]], saturating, {}, remark)
    return Integrated(loops, saturating, backgrounds)


def integrate(cycle: Cycle, noise: np.ndarray, model: str, background: Background | None, peak_window: float) -> Loop:
    """Integrate the current of a cycle to a centred loop, with the noise of the current carried along.

    Parameters
    ----------
    cycle
        Mean cycle.
    noise
        Bootstrap replicates of its noise, shape (b, n).
    model
        Name that the loop's rows carry.
    background
        What is subtracted first; none: nothing.
    peak_window
        See `switching_fields`.
    """
    current, drawn = cycle.current, cycle.current + noise
    if background is not None:
        current = switching_current(cycle, current, background.values)
        drawn = switching_current(cycle, drawn, background.replicates)
    drive = Drive.of(cycle.field)
    time = np.append(cycle.time, cycle.time[-1] + cycle.time[1] - cycle.time[0])
    per_area = MICROCOULOMB / cycle.geometry.area
    current, drawn = drive.roll(current), drive.roll(drawn)
    opening = cycle.opening * drive.roll(cycle.time)
    polarization = centred(drive, (loop_charge(drive, time, current) + opening) * per_area)
    replicates = centred(drive, (loop_charge(drive, time, drawn) + opening) * per_area)
    values, spread = describe(drive, polarization), describe(drive, replicates)
    last = (len(cycle.current) - 1 - drive.shift) % len(cycle.current)
    if cycle.opening and abs(drive.field[last]) <= abs(drive.field[last] - drive.field[last - 1]):
        # A single cycle from rest to rest: what it leaves behind is its remanence, not what it found.
        left = "p_r_minus" if last < drive.top else "p_r_plus"
        values[left], spread[left] = polarization[last], replicates[:, last]
    numbers = {name: (float(value), spread[name]) for name, value in values.items()}
    numbers |= switching_fields(drive, current, drawn, cycle.noise, peak_window)
    return Loop(cycle, model, drive, current + cycle.opening, polarization, replicates.std(axis=0, ddof=1), numbers)
