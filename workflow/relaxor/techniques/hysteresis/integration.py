"""Integration of cycles to loops, with the whole current and without the background that several cycles share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.core.results import Quantity
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.background import BACKGROUNDS, Background, fit_background, switching_current
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.loops import MICROCOULOMB, Drive, centred, describe, loop_charge, switching_fields
from relaxor.techniques.hysteresis.settings import HysteresisSettings


@dataclass(frozen=True)
class Loop:
    """A loop of one model: its curve and its numbers, each with bootstrap replicates.

    Attributes
    ----------
    numbers
        Quantity → (value, replicates of it).
    """

    cycle: Cycle
    model: str
    drive: Drive
    current: np.ndarray
    polarization: np.ndarray
    uncertainty: np.ndarray
    numbers: Mapping[Quantity, tuple[float, np.ndarray]]

    @property
    def amplitude(self) -> float:
        """Largest field in kV/cm."""
        return float(self.drive.field.max())

    @property
    def saturates(self) -> bool:
        """Whether no remanence exceeds the polarization at the largest field, which it cannot in a saturated loop."""
        plus, minus = (self.numbers[remanence][0] for remanence in q.REMANENT_POLARIZATION.values())
        return self.numbers[q.MAXIMUM_POLARIZATION][0] >= max(plus, -minus)


@dataclass(frozen=True)
class Integrated:
    """Loops of cycles that share their background.

    Attributes
    ----------
    loops
        The loops of each cycle: the corrected one, where a background is known, and the uncorrected one.
    saturating
        Cycles to which the backgrounds were fitted.
    backgrounds
        Model → background; none where no loop saturates.
    remark
        Reason why there are none, for the method of the numbers.
    """

    loops: Sequence[Sequence[Loop]]
    saturating: Sequence[Cycle]
    backgrounds: Mapping[str, Background]
    remark: str = ""


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
    large = [index for index, cycle in enumerate(cycles) if cycle.field.max() >= settings.saturation_field]
    saturating = [cycles[index] for index in large]

    def integrated(*models: tuple[str, Background | None]) -> list[list[Loop]]:
        return [
            [integrate(cycle, drawn, *model, settings.peak_window) for model in models]
            for cycle, drawn in zip(cycles, noise, strict=True)
        ]

    if not large:
        remark = f"; no loop reaches {settings.saturation_field:g} kV/cm, so that no background is known"
        return Integrated(integrated((q.UNCORRECTED, None)), saturating, {}, remark)
    large_noise = [noise[index] for index in large]
    backgrounds = {model: fit_background(saturating, large_noise, model, settings) for model in BACKGROUNDS}
    loops = integrated((q.CORRECTED, backgrounds[settings.leakage]), (q.UNCORRECTED, None))
    if cycles[0].region and not loops[0][0].saturates:
        remark = "; what a background leaves at the largest field is less than the remanence: not saturated"
        return Integrated([loops[0][1:]], saturating, {}, remark)
    return Integrated(loops, saturating, backgrounds)


def integrate(cycle: Cycle, noise: np.ndarray, model: str, background: Background | None, peak_window: float) -> Loop:
    """Integrate the current of a cycle and its replicates to a centred loop.

    Parameters
    ----------
    cycle
        The mean cycle.
    noise
        Bootstrap replicates of its noise, shape (b, n).
    model
        Model of the numbers of the loop.
    background
        Background that is subtracted first; None where nothing is.
    peak_window
        See `switching_fields`, kV/cm.
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
        # The remanence of a single cycle from rest to rest is what it leaves behind, not what it found.
        left = q.REMANENT_POLARIZATION["negative"] if last < drive.top else q.REMANENT_POLARIZATION["positive"]
        values[left], spread[left] = polarization[last], replicates[:, last]
    numbers = {quantity: (float(value), spread[quantity]) for quantity, value in values.items()}
    numbers |= switching_fields(drive, current, drawn, cycle.noise, peak_window)
    return Loop(cycle, model, drive, current + cycle.opening, polarization, replicates.std(axis=0, ddof=1), numbers)
